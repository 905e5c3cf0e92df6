//! The consoles: each follows the fan-out log at its own pace, from a snapshot or from where it
//! left off, and sees what its roles let it see.
//!
//! ```text
//!   hello --resume in reach--> following <---- all parts sent ---- snapshot
//!     \------- else ------------- ^ | --- missed something --------^   ^
//!      \------------------------- | ------------------------------------/
//! ```
//!
//! View frames are added only while little waits to be written ([`CONSOLE_LOW_BYTES`]), so a
//! console that does not read makes nothing grow: the log is compacted meanwhile, and what it
//! forgets makes the console take a snapshot when it reads again.

mod console;
mod scope;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    Blindness, CallId, CauseGroup, CauseId, CauseState, CommandId, CommandRecord, Handoff,
    HandoffId, Lever, Record, Reply, Run, RunId, Timestamp,
};
use holdfast_engine::Engine;
use holdfast_protocol::console::{HubToConsole, Identity};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::fanout::Fanout;
use crate::outbox::Outbox;
use crate::session::SessionId;
use crate::words;
pub(crate) use console::Console;
use console::Frames;
use scope::Scope;

/// View frames are added to a console's outbox while less than this waits there, in bytes. At
/// 10,000 calls a tick of changes is about 1 MB, so a console may be a few ticks behind.
const CONSOLE_LOW_BYTES: usize = 4 * 1024 * 1024;

/// How long a record that is final stays part of snapshots, in milliseconds: an hour.
const RECORD_KEPT_MS: i64 = 3_600_000;

/// Everything about consoles that is not the engine's.
#[derive(Debug, Default)]
pub(crate) struct Consoles {
    all: BTreeMap<SessionId, Console>,
    records: Records,
    /// The ledger as it was told last.
    ledger: Option<Utf8Bytes>,
}

/// What a beat says of the hub itself.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) seq: u64,
    pub(crate) hub_time: Timestamp,
    pub(crate) lag_ms: i64,
    pub(crate) blind: Option<Blindness>,
}

/// The newest version of each record that is open, or that was closed within the last hour; only
/// what is durable.
#[derive(Debug, Default)]
pub(crate) struct Records {
    commands: BTreeMap<CommandId, Box<CommandRecord>>,
    handoffs: BTreeMap<HandoffId, Box<Handoff>>,
    causes: BTreeMap<CauseId, Box<CauseGroup>>,
    runs: BTreeMap<RunId, Box<Run>>,
    lever: Option<Lever>,
}

impl Consoles {
    /// Adds a console. It is told something with the next [`Consoles::follow`].
    pub(crate) fn add(&mut self, session: SessionId, console: Console) {
        self.all.insert(session, console);
    }

    /// Removes a console, and tells whose it was.
    pub(crate) fn remove(&mut self, session: SessionId) -> Option<Identity> {
        self.all.remove(&session).map(|console| console.identity)
    }

    pub(crate) fn identity(&self, session: SessionId) -> Option<&Identity> {
        self.all.get(&session).map(|console| &console.identity)
    }

    /// The scope of a console; None when it is gone.
    pub(crate) fn may_see_board(&self, session: SessionId) -> bool {
        self.all
            .get(&session)
            .is_some_and(|console| console.scope.is_board())
    }

    /// How many consoles an agent of this name has.
    pub(crate) fn count_agent(&self, name: &str) -> usize {
        self.all
            .values()
            .filter(|console| console.identity.can_receive() && console.identity.name == name)
            .count()
    }

    /// The agents who have a console.
    pub(crate) fn agents(&self) -> BTreeSet<String> {
        self.all
            .values()
            .filter(|console| console.identity.can_receive())
            .map(|console| console.identity.name.clone())
            .collect()
    }

    pub(crate) fn open_details(&mut self, session: SessionId, calls: Vec<CallId>) {
        if let Some(console) = self.all.get_mut(&session) {
            console.open_details(calls);
        }
    }

    /// Calls whose row changed are due for consoles that have them open.
    pub(crate) fn mark_details(&mut self, dirty: &BTreeSet<CallId>) {
        if !dirty.is_empty() {
            for console in self.all.values_mut() {
                console.mark_details(dirty);
            }
        }
    }

    /// Lets every console that keeps up read on.
    pub(crate) fn follow(&mut self, engine: &Engine, fanout: &Fanout) {
        let mut frames = Frames::default();
        for console in self.all.values_mut() {
            console.follow(engine, fanout, &self.records, &mut frames);
        }
    }

    /// Makes every console take a snapshot.
    pub(crate) fn reset(&mut self) {
        for console in self.all.values_mut() {
            console.reset();
        }
    }

    /// Tells every console that the hub lives.
    pub(crate) fn beat(&mut self, engine: &Engine, own: &Own) {
        let bridges = engine.bridges();
        let humans = engine.humans();
        let beat = |bridges, humans| {
            let frame = HubToConsole::Beat {
                seq: own.seq,
                hub_time: own.hub_time,
                lag_ms: own.lag_ms,
                blind: own.blind.clone(),
                bridges,
                humans,
            };
            Utf8Bytes::from(words::to_console(&frame))
        };
        let mut board: Option<Utf8Bytes> = None;
        for console in self.all.values() {
            let frame = match console.scope.agent() {
                None => board
                    .get_or_insert_with(|| beat(bridges.clone(), humans.clone()))
                    .clone(),
                Some(agent) => {
                    let own = humans.iter().filter(|human| human.id == *agent);
                    beat(Vec::new(), own.cloned().collect())
                }
            };
            console.beat(frame);
        }
    }

    /// Tells every console that sees the board which playbooks could run now.
    pub(crate) fn tell_playbooks(&self, engine: &Engine) {
        let board = || self.all.values().filter(|console| console.scope.is_board());
        if board().next().is_none() {
            return;
        }
        let playbooks = engine.playbook_statuses();
        let frame = HubToConsole::Playbooks { playbooks };
        let frame = Utf8Bytes::from(words::to_console(&frame));
        for console in board() {
            console.beat(frame.clone());
        }
    }

    /// Tells every console that sees the board how long recoveries took, when that is news to it.
    pub(crate) fn tell_ledger(&mut self, engine: &Engine) {
        if !self.has_board() {
            return;
        }
        let ledger = engine.ledger();
        let frame = Utf8Bytes::from(words::to_console(&HubToConsole::Ledger { ledger }));
        let is_news = self.ledger.as_ref() != Some(&frame);
        let boards = self.all.values_mut();
        for console in boards.filter(|console| console.scope.is_board()) {
            if is_news || !console.has_ledger {
                console.has_ledger = true;
                console.beat(frame.clone());
            }
        }
        self.ledger = Some(frame);
    }

    /// Somebody sees the board.
    pub(crate) fn has_board(&self) -> bool {
        let mut consoles = self.all.values();
        consoles.any(|console| console.scope.is_board())
    }

    /// Answers a request; a console that is gone has no one to answer.
    pub(crate) fn reply(&self, session: SessionId, id: u64, reply: Reply) {
        if let Some(console) = self.all.get(&session) {
            console.must_say(&HubToConsole::Reply { id, reply });
        }
    }

    pub(crate) fn go_away(&self) {
        for console in self.all.values() {
            console.outbox.go_away();
        }
    }

    /// Keeps a record's newest version for snapshots.
    pub(crate) fn keep_record(&mut self, record: &Record) {
        match record {
            Record::Command { command } => {
                self.records
                    .commands
                    .insert(command.id.clone(), command.clone());
            }
            Record::Handoff { handoff } => {
                self.records
                    .handoffs
                    .insert(handoff.id.clone(), handoff.clone());
            }
            Record::Cause { cause } => {
                self.records.causes.insert(cause.id.clone(), cause.clone());
            }
            Record::Run { run } => {
                self.records.runs.insert(run.id.clone(), run.clone());
            }
            Record::Lever { lever } => self.records.lever = Some(lever.clone()),
        }
    }

    /// Starts over with the records that the engine holds after a replay.
    pub(crate) fn set_records(&mut self, records: &[Record]) {
        self.records = Records::default();
        for record in records {
            self.keep_record(record);
        }
    }

    /// Drops records that were closed more than an hour ago.
    pub(crate) fn forget_old_records(&mut self, now: Timestamp) {
        let is_young = |closed: Option<Timestamp>| {
            closed.is_none_or(|closed| now.since(closed) < RECORD_KEPT_MS)
        };
        self.records.commands.retain(|_, command| {
            let last = command.progress.last().map(|progress| progress.at);
            !command.state().is_final() || is_young(last)
        });
        self.records.handoffs.retain(|_, handoff| {
            let last = handoff.steps.last().map(|step| step.at);
            !handoff.state.is_final() || is_young(last.or(Some(handoff.requested_at)))
        });
        self.records.causes.retain(|_, cause| {
            cause.state != CauseState::Closed || is_young(Some(cause.updated_at))
        });
        self.records
            .runs
            .retain(|_, run| run.is_open() || is_young(Some(run.updated_at)));
    }
}

impl Records {
    /// Every record, commands first, the lever last, each kind in the order of its ids.
    fn all(&self) -> impl Iterator<Item = Record> {
        let commands = self.commands.values().map(|command| Record::Command {
            command: command.clone(),
        });
        let handoffs = self.handoffs.values().map(|handoff| Record::Handoff {
            handoff: handoff.clone(),
        });
        let causes = self.causes.values().map(|cause| Record::Cause {
            cause: cause.clone(),
        });
        let runs = self
            .runs
            .values()
            .map(|run| Record::Run { run: run.clone() });
        let lever = self.lever.iter().map(|lever| Record::Lever {
            lever: lever.clone(),
        });
        commands
            .chain(handoffs)
            .chain(causes)
            .chain(runs)
            .chain(lever)
    }
}

impl Console {
    /// A console that begins where it left off if it can, and with a snapshot if it cannot.
    pub(crate) fn begin(
        identity: Identity,
        outbox: Outbox,
        resume: Option<u64>,
        detail: Vec<CallId>,
    ) -> Self {
        let scope = Scope::of(&identity);
        let resume = resume.filter(|_| scope.is_board());
        Self::new(identity, scope, outbox, resume, detail)
    }
}
