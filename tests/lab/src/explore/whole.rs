//! A world with a whole hub in it: frames, sequence, engine, journal and fan-out, in virtual time.
//!
//! Nobody lies here; lines and machines fail. What is promised: what was acknowledged, sent or
//! answered survives the power going, a replay of the journal gives the same state to the byte,
//! nothing that a bridge tells is taken for a mistake, and when the lines are well again the hub
//! knows exactly the calls that are live.

mod blind;
mod power;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::fact::{Fact, FactEnvelope};
use holdfast_domain::{
    Act, ActId, ActVerb, AnomalyKind, BridgeStatus, CallId, CommandId, FeedState, Layer, Reply,
    Request, Target, Timestamp,
};
use holdfast_hub::{Heard, Peer, VirtualHub};
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::bridge::{
    BridgeFrame, CommandFrame, Hello, HubFrame, Named, parse_hub_frame, write_bridge_frame,
};
use holdfast_protocol::console::{
    ConsoleFrame, HubToConsole, Identity, Role, parse_hub_to_console,
};
use holdfast_protocol::error::ErrorCode;
use holdfast_protocol::event::{write_batch, write_event};
use holdfast_simulator::Platform;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::line::{Frame, HEARTBEAT_MS, Line};
use crate::plan::{Habit, Plan};
use crate::{Wrong, wrong};
use blind::Stuck;

const BEGINNING: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// Events in one frame; well under the protocol's limit.
const BATCH_MAX: usize = 100;
/// How long the lines are well before the end, and how long the hub may then take to agree.
const CALM_MS: i64 = 30_000;
const AGREE_MS: i64 = 20_000;

#[derive(Debug)]
enum Due {
    /// A frame, and the sequences in it; true for those that may restart the count.
    ToHub(usize, Peer, String, Vec<(u64, bool)>),
    ToPlatform(usize, Peer, Box<CommandFrame>),
    Connect(usize),
    Habit(Habit),
    /// The hub goes on with its work.
    Wake,
}

/// How the protocol judges the sequences of one source, and what it counts.
#[derive(Debug, Clone, Default)]
struct Order {
    epoch: String,
    position: u64,
    in_gap: bool,
    duplicates: u64,
    gaps: u64,
}

impl Order {
    fn hello(&mut self, epoch: String) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.position = 0;
        }
        self.in_gap = false;
    }

    fn judge(&mut self, (sequence, restarts): (u64, bool)) {
        if sequence <= self.position {
            self.duplicates += 1;
        } else if sequence == self.position + 1 || restarts {
            self.position = sequence;
            self.in_gap = false;
        } else if !std::mem::replace(&mut self.in_gap, true) {
            self.gaps += 1;
        }
    }
}

/// The world.
#[derive(Debug)]
pub(crate) struct Whole {
    plan: Plan,
    rng: ChaCha8Rng,
    now: Timestamp,
    pub(crate) steps: u64,
    data: tempfile::TempDir,
    hub: Option<VirtualHub>,
    runs: u64,
    lines: Vec<Line>,
    peers: Vec<Option<Peer>>,
    console: Option<Peer>,
    agenda: BTreeMap<(Timestamp, u64), Due>,
    number: u64,
    /// The last sequence of each line that was acknowledged, with its epoch.
    acked: Vec<(String, u64)>,
    orders: Vec<Order>,
    /// Commands that somebody was told of.
    promised: BTreeSet<CommandId>,
    is_calm: bool,
    stuck: Option<Stuck>,
}

impl Whole {
    pub(crate) fn new(plan: Plan) -> Result<Self, Wrong> {
        let data = tempfile::tempdir().map_err(|error| Wrong(format!("no folder: {error}")))?;
        let lines: Vec<Line> = (0..plan.bridges)
            .map(|n| Line::new(n, plan.calls, plan.seed, BEGINNING))
            .collect();
        let mut whole = Self {
            rng: ChaCha8Rng::seed_from_u64(plan.seed ^ 0x4b1d),
            now: BEGINNING,
            steps: 0,
            data,
            hub: None,
            runs: 0,
            peers: vec![None; lines.len()],
            acked: vec![(String::new(), 0); lines.len()],
            orders: vec![Order::default(); lines.len()],
            lines,
            console: None,
            agenda: BTreeMap::new(),
            number: 0,
            promised: BTreeSet::new(),
            is_calm: false,
            stuck: None,
            plan,
        };
        whole.start()?;
        for n in 0..whole.lines.len() {
            whole.schedule(100, Due::Connect(n));
        }
        for habit in whole.plan.habits.clone() {
            let after = whole.rng.random_range(1_000..10_000);
            whole.schedule(after, Due::Habit(habit));
        }
        Ok(whole)
    }

    pub(crate) fn age_ms(&self) -> i64 {
        self.now.since(BEGINNING)
    }

    /// Commands that somebody was told of.
    #[cfg(test)]
    pub(crate) fn n_promised(&self) -> usize {
        self.promised.len()
    }

    /// How often the hub came up.
    #[cfg(test)]
    pub(crate) fn n_runs(&self) -> u64 {
        self.runs
    }

    /// What the hub knows in the end, to the byte.
    #[cfg(test)]
    pub(crate) fn state(&self) -> Option<String> {
        serde_json::to_string(self.hub.as_ref()?.engine()).ok()
    }

    pub(crate) fn live(&mut self) -> Result<(), Wrong> {
        while self.steps < self.plan.steps {
            self.step()?;
        }
        self.is_calm = true;
        let calm = self.now + CALM_MS;
        while self.now < calm {
            self.step()?;
        }
        self.agree()?;
        self.crash(true)
    }

    /// The lines are well: the hub knows what is live, and was told no nonsense.
    fn agree(&mut self) -> Result<(), Wrong> {
        let late = self.now + AGREE_MS;
        let mut apart = self.difference();
        while let Some(difference) = apart {
            if self.now > late {
                return wrong(difference);
            }
            self.step()?;
            apart = self.difference();
        }
        Ok(())
    }

    fn difference(&mut self) -> Option<String> {
        let hub = self.hub.as_ref()?;
        let engine = hub.engine();
        for line in &self.lines {
            let live: BTreeSet<&CallId> = line.platform.call_ids().collect();
            let told = |id: &&CallId| {
                let row = engine.summary(id);
                row.is_some_and(|row| row.source == line.source)
            };
            let known: BTreeSet<&CallId> = engine.call_ids().filter(told).collect();
            if live != known {
                return Some(format!("live are {live:?}, the hub knows {known:?}"));
            }
            let status = engine
                .bridges()
                .into_iter()
                .find(|at| at.source == line.source);
            if status.as_ref().map(|status| status.state) != Some(FeedState::Live) {
                return Some(format!("{} is well and is {status:?}", line.source));
            }
        }
        None
    }

    fn step(&mut self) -> Result<(), Wrong> {
        self.steps += 1;
        let Some(hub) = &self.hub else {
            return wrong("there is no hub");
        };
        let wake = hub.next_wake();
        let mut at = self.stuck.as_ref().map_or(wake, Stuck::until);
        if let Some(((due, _), _)) = self.agenda.first_key_value() {
            at = at.min(*due);
        }
        for line in self.lines.iter().filter(|line| line.connection.is_some()) {
            at = at.min(line.heartbeat_at);
            at = line.platform.next_wake().map_or(at, |wake| at.min(wake));
        }
        self.now = self.now.max(at);
        let now = self.now;
        if self.stuck.is_none() {
            self.hub()?.advance(now);
        }
        for n in 0..self.lines.len() {
            self.advance(n);
        }
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let due = entry.remove();
            self.happen(due)?;
        }
        if self.stuck.is_none() && self.rng.random_bool(0.4) {
            if !self.hub()?.settle() {
                return wrong("the journal could not be written");
            }
            self.listen()?;
        }
        self.check_told()
    }

    /// Nobody lied, so nothing was a lie.
    fn check_told(&mut self) -> Result<(), Wrong> {
        for status in self.hub()?.engine().bridges() {
            for anomaly in &status.anomalies {
                let is_of_the_line = matches!(
                    anomaly.kind,
                    AnomalyKind::DuplicateSequence
                        | AnomalyKind::SequenceGap
                        | AnomalyKind::Dropped
                        | AnomalyKind::ClockJump
                );
                if !is_of_the_line {
                    return wrong(format!("{} told no nonsense: {anomaly:?}", status.source));
                }
            }
            self.check_order(&status)?;
        }
        Ok(())
    }

    /// Every event twice and every gap is counted, once. A hub that came up again has forgotten
    /// where it was in what was not yet durable, so only those that never went down are asked.
    fn check_order(&self, status: &BridgeStatus) -> Result<(), Wrong> {
        let n = self
            .lines
            .iter()
            .position(|line| line.source == status.source);
        let (Some(n), 1) = (n, self.runs) else {
            return Ok(());
        };
        let counted = |kind| {
            let of_kind = status.anomalies.iter().find(|anomaly| anomaly.kind == kind);
            of_kind.map_or(0, |anomaly| anomaly.count)
        };
        let order = &self.orders[n];
        let found = (
            counted(AnomalyKind::DuplicateSequence),
            counted(AnomalyKind::SequenceGap),
        );
        if found != (order.duplicates, order.gaps) {
            return wrong(format!(
                "{} sent {order:?}, counted are {found:?}",
                status.source
            ));
        }
        Ok(())
    }

    fn hub(&mut self) -> Result<&mut VirtualHub, Wrong> {
        self.hub
            .as_mut()
            .ok_or_else(|| Wrong("there is no hub".to_owned()))
    }

    fn schedule(&mut self, after_ms: i64, due: Due) {
        self.number += 1;
        self.agenda.insert((self.now + after_ms, self.number), due);
    }

    fn happen(&mut self, due: Due) -> Result<(), Wrong> {
        let Some(due) = self.unless_stuck(due) else {
            return Ok(());
        };
        match due {
            Due::ToHub(n, peer, text, sequences) if self.peers[n] == Some(peer) => {
                for sequence in sequences {
                    self.orders[n].judge(sequence);
                }
                self.hub()?.bridge_text(peer, &text);
            }
            Due::ToPlatform(n, peer, frame) if self.peers[n] == Some(peer) => {
                let outputs = self.lines[n].platform.command(&frame, self.now);
                let frames = self.lines[n].take(outputs, self.now);
                self.send(n, frames);
            }
            Due::Connect(n) if self.peers[n].is_none() => self.connect(n)?,
            Due::Habit(habit) if !self.is_calm => self.misbehave(habit)?,
            Due::Wake => self.wake()?,
            Due::ToHub(..) | Due::ToPlatform(..) | Due::Connect(_) | Due::Habit(_) => {}
        }
        Ok(())
    }

    // === lines ===

    fn connect(&mut self, n: usize) -> Result<(), Wrong> {
        let line = &self.lines[n];
        let named = |name: &str| Named {
            name: name.to_owned(),
            version: "0".to_owned(),
        };
        let hello = Hello {
            protocol: PROTOCOL_VERSION,
            source: line.source.to_string(),
            epoch: line.epoch(),
            token: None,
            bridge: named("explore"),
            platform: named("simulated"),
            heartbeat_secs: HEARTBEAT_MS as f64 / 1_000.0,
            capabilities: Platform::capabilities(),
        };
        self.orders[n].hello(hello.epoch.clone());
        self.peers[n] = Some(self.hub()?.bridge(hello));
        Ok(())
    }

    fn disconnect(&mut self, n: usize, away_ms: i64) -> Result<(), Wrong> {
        self.lines[n].connection = None;
        if let Some(peer) = self.peers[n].take() {
            self.hub()?.hang_up(peer);
        }
        self.schedule(away_ms, Due::Connect(n));
        Ok(())
    }

    fn advance(&mut self, n: usize) {
        if let Some(frames) = self.lines[n].advance(self.now) {
            self.send(n, frames);
        }
    }

    fn send(&mut self, n: usize, frames: Vec<Frame>) {
        let Some(peer) = self.peers[n] else { return };
        let (source, epoch) = (self.lines[n].source.to_string(), self.lines[n].epoch());
        let mut texts: Vec<(String, Vec<(u64, bool)>)> = Vec::new();
        for frame in frames {
            match frame {
                Frame::Events(events) => {
                    let written = events
                        .iter()
                        .map(|event| write_event(&source, &epoch, event));
                    let written: Vec<String> = written.collect();
                    let placed = |event: &FactEnvelope<'_>| {
                        let restarts = matches!(
                            event.fact,
                            Fact::StreamSnapshot { .. } | Fact::StreamGapDetected { .. }
                        );
                        (event.sequence, restarts)
                    };
                    let batches = written.chunks(BATCH_MAX).zip(events.chunks(BATCH_MAX));
                    texts.extend(batches.map(|(written, events)| {
                        (write_batch(written), events.iter().map(placed).collect())
                    }));
                }
                Frame::Result(result) => {
                    let text = write_bridge_frame(&BridgeFrame::Result(result));
                    texts.push((text, Vec::new()));
                }
            }
        }
        let is_bad = self.plan.has(Habit::Line) && !self.is_calm;
        for (text, sequences) in texts {
            let at = self.lines[n].arrival(self.now, &mut self.rng);
            let mut after = at.since(self.now);
            let mut copies = 1;
            if is_bad && text.starts_with('[') {
                match self.rng.random_range(0..60) {
                    0 => copies = 0,
                    1 => copies = 2,
                    2 => after += self.rng.random_range(1..2_000),
                    _ => {}
                }
            }
            for _ in 0..copies {
                let frame = Due::ToHub(n, peer, text.clone(), sequences.clone());
                self.schedule(after, frame);
            }
        }
    }

    /// Everybody hears what the hub has let out.
    fn listen(&mut self) -> Result<(), Wrong> {
        for n in 0..self.lines.len() {
            let Some(peer) = self.peers[n] else { continue };
            for heard in self.hub()?.heard(peer) {
                match heard {
                    Heard::Frame(text) => self.bridge_hears(n, peer, &text)?,
                    Heard::Closed(_) => {
                        let away = self.rng.random_range(100..3_000);
                        self.disconnect(n, away)?;
                        break;
                    }
                }
            }
        }
        let Some(console) = self.console else {
            return Ok(());
        };
        for heard in self.hub()?.heard(console) {
            let Heard::Frame(text) = heard else {
                self.console = None;
                break;
            };
            let frame = parse_hub_to_console(&text);
            let frame = frame.map_err(|error| Wrong(format!("{error:?}: {text}")))?;
            if let HubToConsole::Reply {
                reply: Reply::Acting { commands, .. },
                ..
            } = frame
            {
                self.promised.extend(commands);
            }
        }
        Ok(())
    }

    fn bridge_hears(&mut self, n: usize, peer: Peer, text: &str) -> Result<(), Wrong> {
        let now = self.now;
        let frame = parse_hub_frame(text).map_err(|error| Wrong(format!("{error:?}: {text}")))?;
        match frame {
            HubFrame::Welcome(welcome) => {
                let (epoch, acked) = &self.acked[n];
                if *epoch == self.lines[n].epoch() && welcome.resume_after < *acked {
                    let told = welcome.resume_after;
                    return wrong(format!(
                        "{acked} was acknowledged, and {told} is all there is"
                    ));
                }
                // What happened meanwhile is buffered, as far as there is room.
                let outputs = self.lines[n].platform.advance(now);
                drop(self.lines[n].take(outputs, now));
                let line = &mut self.lines[n];
                let frames = line.welcomed(welcome.resume_after, welcome.snapshot, now);
                self.send(n, frames);
            }
            HubFrame::Ack { sequence } => {
                self.acked[n] = (self.lines[n].epoch(), sequence);
                self.lines[n].acknowledged(sequence);
            }
            HubFrame::Command(command) => {
                self.promised.insert(command.command_id.clone());
                let after = self.rng.random_range(1..60);
                self.schedule(after, Due::ToPlatform(n, peer, command));
            }
            HubFrame::Ping { nonce } => {
                let pong = write_bridge_frame(&BridgeFrame::Pong { nonce });
                self.schedule(5, Due::ToHub(n, peer, pong, Vec::new()));
            }
            HubFrame::Error(error) => {
                let expected = error
                    .detail
                    .as_ref()
                    .and_then(|detail| detail.get("expected"));
                if let Some(expected) = expected.and_then(serde_json::Value::as_u64) {
                    let frames = self.lines[n].rewind(expected, now);
                    self.send(n, frames);
                } else if error.code != ErrorCode::SourceInUse {
                    return wrong(format!("the hub objects: {error:?}"));
                }
            }
        }
        Ok(())
    }

    // === habits ===

    fn misbehave(&mut self, habit: Habit) -> Result<(), Wrong> {
        let after = self.rng.random_range(1_000..30_000);
        self.schedule(after, Due::Habit(habit));
        let n = self.rng.random_range(0..self.lines.len());
        match habit {
            Habit::Reconnects => {
                let away = self.rng.random_range(20..15_000);
                self.disconnect(n, away)?;
                if self.rng.random_bool(0.3) {
                    self.lines[n].reborn();
                }
            }
            Habit::Restarts => self.crash(self.runs.is_multiple_of(2))?,
            Habit::People => self.person()?,
            Habit::Clocks => self.lines[n].clock_ms += self.rng.random_range(-400_000..400_000),
            Habit::Blind => self.go_blind()?,
            Habit::Faults | Habit::Line | Habit::Nonsense | Habit::Answers | Habit::Sleep => {}
        }
        Ok(())
    }

    fn person(&mut self) -> Result<(), Wrong> {
        let console = if let Some(console) = self.console {
            console
        } else {
            let identity = Identity {
                name: "sam".to_owned(),
                roles: vec![Role::Commander],
            };
            self.hub()?.console(identity, None, Vec::new())
        };
        self.console = Some(console);
        let verb = match self.rng.random_range(0..4) {
            0 => ActVerb::PauseAi,
            1 => ActVerb::ResumeAi,
            2 => ActVerb::DisableTools { tools: Vec::new() },
            _ => ActVerb::SwitchModel {
                layer: Layer::Llm,
                to: None,
            },
        };
        let id = ActId::new(format!("act-{}", self.steps));
        let target = Target::AllCalls;
        let frame = ConsoleFrame::Request {
            id: self.steps,
            request: Request::Act {
                act: Act { id, verb, target },
            },
        };
        self.hub()?.console_frame(console, frame);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
