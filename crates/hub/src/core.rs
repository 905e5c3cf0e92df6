//! The one task that owns the engine: it puts what all connections say into one order, folds it,
//! has it written down, and only then lets anything out.
//!
//! ```text
//! sessions --Input--> fold (engine) --Batch--> journal thread
//!                       |                         | durable
//!                       +-- outputs wait ---------+--> bridges (send, ack), consoles (reply,
//!                                                      record), the fan-out log (rows)
//! ```
//!
//! While one batch is being written the next is folded; batches leave in the order in which they
//! were folded. When the journal fails, nothing that waits is let out (`core/failure.rs`).
//!
//! Deliberately absent: sockets, SQL, and any decision about calls.

mod batch;
mod bridges;
mod consoles;
mod failure;
mod output;
mod recovery;
mod requests;
mod sight;
mod virtual_time;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use holdfast_domain::{BlindReason, CallId, Timestamp};
use holdfast_engine::{Control, Engine};
use holdfast_privacy::Conversations;
use holdfast_protocol::bridge::Hello;
use holdfast_protocol::console::{ConsoleFrame, Identity, ResumePoint};
use holdfast_protocol::error::WireError;
use holdfast_protocol::limits::BEAT_MS;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::config::{Clock, HubConfig};
use crate::fanout::Fanout;
use crate::outbox::Outbox;
use crate::playbook::Library;
use crate::session::{Room, SessionId};
use crate::writer::{Done, Work, Writer};
use batch::{Batch, InFlight};
use bridges::Bridges;
use consoles::{Consoles, Own};
use failure::Health;
use sight::{Change, Sight};

pub use recovery::RecoverError;
pub(crate) use recovery::{Recovered, recover};
pub use virtual_time::{Heard, Peer, VirtualHub};

/// Inputs that wait for the core. Each connection may have 256 frames under way, so a burst of a
/// few connections fits; beyond it connections wait, and TCP holds their peers back.
pub(crate) const INPUTS_MAX: usize = 1_024;

/// How many inputs are taken at once, before the core looks at what else there is to do: at 10 us
/// each, ticks and commits wait at most a few milliseconds.
const TAKE_MAX: usize = 256;

/// Batches handed to the journal and not yet durable: one being written, one ready to be.
const IN_FLIGHT_MAX: usize = 2;

/// How often consoles are told what changed: twenty times a second looks alive, and more often
/// than a person can see costs for nothing.
const TICK: Duration = Duration::from_millis(50);

/// Playbooks are told with every fourth beat, every two seconds: what they say of now is judged by
/// looking at every call, and a person reads it.
const PLAYBOOK_BEATS: u64 = 4;

/// What reaches the core.
#[derive(Debug)]
pub(crate) enum Input {
    /// A bridge that showed its token said hello.
    BridgeHello {
        session: SessionId,
        hello: Box<Hello>,
        outbox: Outbox,
    },
    BridgeText {
        session: SessionId,
        text: Utf8Bytes,
        arrived: Timestamp,
        room: Room,
    },
    /// A frame that the session did not read.
    BridgeMisfit {
        session: SessionId,
        error: WireError,
    },
    BridgeGone {
        session: SessionId,
    },
    ConsoleHello(Box<ConsoleHello>),
    ConsoleFrame {
        session: SessionId,
        frame: Box<ConsoleFrame>,
        arrived: Timestamp,
        room: Room,
    },
    ConsoleGone {
        session: SessionId,
    },
}

impl Input {
    /// When its frame arrived.
    fn arrived(&self) -> Option<Timestamp> {
        match self {
            Self::BridgeText { arrived, .. } | Self::ConsoleFrame { arrived, .. } => Some(*arrived),
            Self::BridgeHello { .. }
            | Self::BridgeMisfit { .. }
            | Self::BridgeGone { .. }
            | Self::ConsoleHello(_)
            | Self::ConsoleGone { .. } => None,
        }
    }
}

/// A console that showed its token said hello.
#[derive(Debug)]
pub(crate) struct ConsoleHello {
    pub(crate) session: SessionId,
    pub(crate) identity: Identity,
    pub(crate) resume: Option<ResumePoint>,
    pub(crate) detail: Vec<CallId>,
    pub(crate) outbox: Outbox,
}

/// The core's whole state.
#[derive(Debug)]
pub(crate) struct Core {
    config: HubConfig,
    playbooks: Arc<Library>,
    clock: Clock,
    epoch: String,
    engine: Engine,
    /// The latest moment that the engine was told; time never goes back.
    now: Timestamp,
    /// When the input at hand arrived: it is folded as of then, so that what waited here is not
    /// late, and no deadline passes before it that was not yet due when it came.
    moment: Option<Timestamp>,
    bridges: Bridges,
    /// What must be remembered of each call to mask what is said on it. It is not written down, so
    /// after a restart a number that was begun before it is not found.
    conversations: Conversations,
    consoles: Consoles,
    fanout: Fanout,
    /// What is folded and not yet handed to the journal.
    batch: Batch,
    in_flight: VecDeque<InFlight>,
    writer: Writer,
    done: mpsc::Receiver<Done>,
    health: Health,
    sight: Sight,
    /// Requests of people that the engine has and has not yet answered durably.
    tickets: BTreeMap<u64, (SessionId, u64)>,
    next_ticket: u64,
    /// The number of the last thing that the engine had written down.
    decided: u64,
    inputs_since_checkpoint: u64,
    wants_checkpoint: bool,
    beats: u64,
    /// It came up again, and what that means for commands under way is not durable yet.
    is_restarting: bool,
    /// Recoveries whose calls' rows go out with the next tick.
    recoveries: Vec<u64>,
}

impl Core {
    /// A core that goes on from what the journal gave back.
    pub(crate) fn new(
        config: HubConfig,
        playbooks: Arc<Library>,
        epoch: String,
        recovered: Recovered,
    ) -> Self {
        let (writer, done) = Writer::start(recovered.journal);
        let mut core = Self {
            clock: config.clock.clone(),
            playbooks,
            epoch,
            engine: recovered.engine,
            now: recovered.at,
            moment: None,
            bridges: Bridges::new(recovered.positions),
            conversations: Conversations::default(),
            consoles: Consoles::default(),
            fanout: Fanout::new(config.limits.records_kept, config.limits.gone_kept),
            batch: Batch::default(),
            in_flight: VecDeque::new(),
            writer,
            done,
            health: Health::Working,
            sight: Sight::default(),
            tickets: BTreeMap::new(),
            next_ticket: 0,
            decided: recovered.decided,
            inputs_since_checkpoint: recovered.replayed,
            wants_checkpoint: false,
            beats: 0,
            is_restarting: false,
            recoveries: Vec::new(),
            config,
        };
        core.restart();
        core
    }

    /// Serves until `stop` turns true, then makes everything durable.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = interval(Duration::from_millis(BEAT_MS));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(TAKE_MAX);
        loop {
            let timer = self.until_next_timer();
            let has_room = !self.batch.is_full();
            tokio::select! {
                biased;
                Some(done) = self.done.recv() => {
                    self.look(None);
                    self.on_done(done);
                }
                () = stopped(&mut stop) => break,
                _ = beat.tick() => {
                    self.look(None);
                    self.on_beat();
                }
                _ = tick.tick() => {
                    self.look(None);
                    self.on_tick();
                }
                // Before the timer: nothing is late while what would say so waits here. Deadlines
                // that were due before an input fire with it.
                count = inputs.recv_many(&mut taken, TAKE_MAX), if has_room => {
                    if count == 0 {
                        break;
                    }
                    self.take(&mut taken);
                }
                () = tokio::time::sleep(timer) => {
                    self.look(None);
                    self.on_timer();
                }
            }
            self.submit();
        }
        self.finish().await;
    }

    /// Folds inputs, each as of when it arrived. One that does not say so arrived before the next
    /// that does; behind the last, it counts as of that, because more may wait that arrived since.
    fn take(&mut self, taken: &mut Vec<Input>) {
        self.look(taken.iter().filter_map(Input::arrived).min());
        let last = taken.iter().rev().find_map(Input::arrived);
        let mut next = last.unwrap_or_else(|| self.clock.now());
        let mut moments = Vec::with_capacity(taken.len());
        for input in taken.iter().rev() {
            next = input.arrived().unwrap_or(next);
            moments.push(next);
        }
        for (input, moment) in taken.drain(..).zip(moments.into_iter().rev()) {
            self.moment = Some(moment);
            self.on_input(input);
        }
        self.moment = None;
    }

    fn on_input(&mut self, input: Input) {
        match input {
            Input::BridgeHello {
                session,
                hello,
                outbox,
            } => self.on_bridge_hello(session, *hello, outbox),
            Input::BridgeText {
                session,
                text,
                arrived,
                room,
            } => {
                self.on_bridge_text(session, &text);
                self.batch.hold(arrived, room);
            }
            Input::BridgeMisfit { session, error } => self.on_bridge_misfit(session, &error),
            Input::BridgeGone { session } => self.on_bridge_gone(session),
            Input::ConsoleHello(hello) => self.on_console_hello(*hello),
            Input::ConsoleFrame {
                session,
                frame,
                arrived,
                room,
            } => {
                self.on_console_frame(session, *frame);
                self.batch.hold(arrived, room);
            }
            Input::ConsoleGone { session } => self.on_console_gone(session),
        }
    }

    /// The moment of what is folded, never earlier than before.
    fn tell_time(&mut self) -> Timestamp {
        let moment = self.moment.unwrap_or_else(|| self.clock.now());
        self.now = self.now.max(moment);
        self.now
    }

    /// What the hub's clock shows; what is folded may be a little behind it.
    fn clock_now(&self) -> Timestamp {
        self.now.max(self.clock.now())
    }

    /// Whether the hub can see is known before anything is judged. `oldest` is when the oldest of
    /// the inputs arrived that were just taken.
    fn look(&mut self, oldest: Option<Timestamp>) {
        let now = self.clock_now();
        let waiting = match &self.health {
            Health::Failed { since, .. } => Some(*since),
            // Nothing is taken, so what came after the oldest of the batch waits.
            Health::Working if self.batch.is_full() => self.batch.oldest(),
            Health::Working => oldest,
        };
        match self.sight.look(now, self.clock.wall(), waiting) {
            Some(Change::Blind(reason)) => {
                tracing::warn!(?reason, "the hub cannot see, and judges nobody");
                self.go_blind(reason);
            }
            Some(Change::Sees) => {
                tracing::info!("the hub sees again");
                if self.health.is_working() {
                    self.control(&Control::Sees);
                }
            }
            None => {}
        }
    }

    /// No deadline passes from here on, if there is an engine that could let it pass.
    fn go_blind(&mut self, reason: BlindReason) {
        if self.health.is_working() {
            let since = self.engine.judged_until();
            self.control(&Control::Blind { reason, since });
        }
    }

    fn on_tick(&mut self) {
        let dirty = self.fanout.tick();
        self.consoles.mark_details(&dirty);
        self.follow();
        self.note_shown();
        self.retry_if_failed();
    }

    /// Tells consoles what they do not have yet. After a restart they wait until it is durable that
    /// nobody knows what became of commands under way: before, the old picture would say of one
    /// that its bridge has it.
    fn follow(&mut self) {
        if !self.is_restarting {
            self.consoles.follow(&self.engine, &self.fanout);
        }
    }

    /// The rows of calls that are heard again were just sent to whoever sees the board.
    fn note_shown(&mut self) {
        let recoveries = std::mem::take(&mut self.recoveries);
        let is_seen = self.consoles.has_board() && self.health.is_working();
        if is_seen && !recoveries.is_empty() {
            self.control(&Control::Shown { recoveries });
        }
    }

    fn on_beat(&mut self) {
        let now = self.clock_now();
        self.bridges.ping();
        self.consoles.forget_old_records(now);
        let own = Own {
            seq: self.fanout.head(),
            hub_time: now,
            lag_ms: self.lag_ms(now),
            blind: self.sight.told(now),
        };
        self.consoles.beat(&self.engine, &own);
        self.beats = self.beats.wrapping_add(1);
        if self.beats.is_multiple_of(PLAYBOOK_BEATS) {
            self.consoles.tell_playbooks(&self.engine);
            self.consoles.tell_ledger(&self.engine);
        }
    }

    /// The age of the oldest input that is not yet durable.
    fn lag_ms(&self, now: Timestamp) -> i64 {
        let oldest = match &self.health {
            Health::Working => self
                .in_flight
                .front()
                .and_then(|flight| flight.oldest)
                .or(self.batch.oldest()),
            Health::Failed { since, .. } => Some(*since),
        };
        oldest.map_or(0, |oldest| now.since(oldest).max(0))
    }

    fn until_next_timer(&self) -> Duration {
        /// How long to sleep when the engine waits for nothing.
        const LONG: Duration = Duration::from_mins(1);
        if !self.health.is_working() || self.batch.is_full() {
            return LONG;
        }
        self.engine.poll_timeout().map_or(LONG, |(due, _)| {
            let ms = due.since(self.clock.now()).max(0);
            Duration::from_millis(ms.unsigned_abs()).min(LONG)
        })
    }

    fn on_timer(&mut self) {
        let now = self.tell_time();
        if self.health.is_working()
            && self
                .engine
                .poll_timeout()
                .is_some_and(|(due, _)| due <= now)
        {
            self.engine.handle_timeout(now);
            self.take_effects();
        }
    }

    /// Folds one input that is not an event, and has it written down.
    fn control(&mut self, control: &Control) {
        let now = self.tell_time();
        self.engine
            .handle(holdfast_engine::Input::Control(control), now);
        self.batch.log_control(now, control);
        self.take_effects();
    }

    fn take_effects(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            self.batch.take(effect, &mut self.decided);
        }
    }

    /// Hands the batch to the journal when it can take one.
    fn submit(&mut self) {
        if self.batch.is_empty()
            || self.in_flight.len() >= IN_FLIGHT_MAX
            || !self.health.is_working()
        {
            return;
        }
        self.bridges.add_acks(&mut self.batch);
        self.inputs_since_checkpoint += self.batch.n_inputs();
        let (commit, flight) =
            std::mem::take(&mut self.batch).split(self.now, |source| self.bridges.position(source));
        self.in_flight.push_back(flight);
        self.writer.give(Work::Commit(Box::new(commit), self.now));
        // Only here, where everything that is folded is with the writer, is the engine's state the
        // state after a known input.
        if self.wants_checkpoint
            || self.inputs_since_checkpoint >= self.config.limits.checkpoint_inputs
        {
            self.checkpoint();
        }
    }

    /// Has the engine's state written down, so that a restart replays only what follows.
    fn checkpoint(&mut self) {
        self.wants_checkpoint = false;
        self.inputs_since_checkpoint = 0;
        match serde_json::to_vec(&self.engine) {
            Ok(state) => self.writer.give(Work::Checkpoint {
                state,
                decided: self.decided,
                at: self.now,
            }),
            // Without it a restart replays more; what is true stays true.
            Err(error) => tracing::error!(%error, "the engine's state cannot be written"),
        }
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Committed { wants_checkpoint } => {
                self.wants_checkpoint |= wants_checkpoint;
                if let Some(flight) = self.in_flight.pop_front() {
                    self.carry_out(flight);
                }
                if std::mem::take(&mut self.is_restarting) {
                    self.follow();
                }
            }
            Done::Failed(error) => self.fail(&error),
        }
    }

    /// The hub stops: nothing new is folded, what is folded becomes durable.
    async fn finish(mut self) {
        while self.health.is_working() && !(self.batch.is_empty() && self.in_flight.is_empty()) {
            self.submit();
            match self.done.recv().await {
                Some(done) => self.on_done(done),
                None => break,
            }
        }
        self.bridges.go_away();
        self.consoles.go_away();
        if self.health.is_working() {
            self.checkpoint();
        }
        // The writer finishes what it was given before it ends.
        self.writer.join().await;
    }
}

/// Ends when the hub stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could say so is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}
