//! A world in virtual time: platforms, lines, people and one engine, moved on step by step.
//!
//! Everything that happens follows from the plan's seed. What is checked is in `model`, `records`
//! and `rows`; here is who says what to whom, and when.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::fact::FactEnvelope;
use holdfast_domain::{
    AnomalyKind, BlindReason, CallId, CommandRecord, CommandState, Reply, SourceId, Timestamp,
};
use holdfast_engine::{AnswerState, BridgeChange, Config, Control, Effect, Engine, Input, Shown};
use holdfast_protocol::bridge::CommandFrame;
use holdfast_simulator::Platform;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::blind::check_seen;
use crate::line::{Frame, HEARTBEAT_MS, Line, Verdict};
use crate::model::Model;
use crate::plan::{Habit, Plan};
use crate::records::Records;
use crate::rows::Rows;
use crate::{Wrong, wrong};

/// The moment at which every world begins.
const BEGINNING: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// How many steps lie between two checkpoints that are checked.
const CHECKPOINT_STEPS: u64 = 250;
/// How many steps lie between two looks at everything that is slow to compare.
const LOOK_STEPS: u64 = 40;

/// What was told to the engine, as a journal keeps it.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Fact(SourceId, FactEnvelope<'static>),
    Control(Control),
}

/// What happens at a moment that was fixed before.
#[derive(Debug)]
pub(crate) enum Due {
    Frame(usize, u64, Frame),
    Command(usize, u64, CommandFrame),
    Rewind(usize, u64, u64),
    Connect(usize),
    Habit(Habit),
    /// The hub wakes, and knows that it slept.
    Wake,
    /// The hub has kept up for long enough.
    Sees,
}

/// The world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) now: Timestamp,
    pub(crate) steps: u64,
    pub(crate) engine: Engine,
    pub(crate) lines: Vec<Line>,
    agenda: BTreeMap<(Timestamp, u64), Due>,
    number: u64,
    pub(crate) model: Model,
    pub(crate) records: Records,
    rows: Rows,
    pub(crate) tickets: u64,
    pub(crate) replies: BTreeMap<u64, Reply>,
    /// Console names that are present now.
    pub(crate) present: BTreeSet<String>,
    clock_jumps: u64,
    /// The hub sleeps until then: it neither hears nor judges.
    pub(crate) asleep_until: Option<Timestamp>,
    /// It sees again then, at the earliest.
    pub(crate) sees_at: Timestamp,
    /// The last checkpoint, and what was told and came out since.
    checkpoint: Vec<u8>,
    pub(crate) told: Vec<(Told, Timestamp)>,
    pub(crate) kept: Vec<Effect>,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(plan.seed ^ 0x5eed);
        let lines: Vec<Line> = (0..plan.bridges)
            .map(|n| Line::new(n, plan.calls, plan.seed, BEGINNING))
            .collect();
        let engine = Engine::new(Config::default());
        let checkpoint = serde_json::to_vec(&engine).unwrap_or_default();
        let mut agenda = BTreeMap::new();
        let mut number = 0;
        for line in 0..lines.len() {
            number += 1;
            let at = BEGINNING + rng.random_range(0..2_000);
            agenda.insert((at, number), Due::Connect(line));
        }
        for habit in plan.habits.iter().copied() {
            number += 1;
            let at = BEGINNING + rng.random_range(1_000..10_000);
            agenda.insert((at, number), Due::Habit(habit));
        }
        Self {
            plan,
            rng,
            now: BEGINNING,
            steps: 0,
            engine,
            lines,
            agenda,
            number,
            model: Model::default(),
            records: Records::default(),
            rows: Rows::default(),
            tickets: 0,
            replies: BTreeMap::new(),
            present: BTreeSet::new(),
            clock_jumps: 0,
            asleep_until: None,
            sees_at: BEGINNING,
            checkpoint,
            told: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// How long the world has lived.
    pub(crate) fn age_ms(&self) -> i64 {
        self.now.since(BEGINNING)
    }

    /// Lives to the plan's last step.
    pub(crate) fn live(&mut self) -> Result<(), Wrong> {
        while self.steps < self.plan.steps {
            self.steps += 1;
            self.step()?;
            self.look()?;
        }
        self.check_replay()
    }

    pub(crate) fn step(&mut self) -> Result<(), Wrong> {
        let timer = self.engine.poll_timeout();
        let timer = timer.filter(|_| self.asleep_until.is_none());
        let mut at = timer.map(|(due, _)| due);
        let mut sooner = |other: Timestamp| at = Some(at.map_or(other, |at| at.min(other)));
        if let Some(((due, _), _)) = self.agenda.first_key_value() {
            sooner(*due);
        }
        for line in self.lines.iter().filter(|line| line.connection.is_some()) {
            sooner(line.heartbeat_at);
            if let Some(wake) = line.platform.next_wake() {
                sooner(wake);
            }
        }
        let Some(at) = at else {
            return wrong("nothing will ever happen again");
        };
        self.now = self.now.max(at);
        self.pass_time()?;
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
        Ok(())
    }

    /// Lets a platform go on, and its frames leave.
    fn advance(&mut self, n: usize) {
        if let Some(frames) = self.lines[n].advance(self.now) {
            self.send(n, frames);
        }
    }

    /// Frames leave for the hub; what the line does to them is decided here.
    pub(crate) fn send(&mut self, n: usize, frames: Vec<Frame>) {
        let now = self.now;
        let is_bad = self.plan.has(Habit::Line);
        for frame in frames {
            let line = &mut self.lines[n];
            let Some(connection) = line.connection else {
                continue;
            };
            if matches!(&frame, Frame::Events(events) if events.is_empty()) {
                continue;
            }
            let mut at = line.arrival(now, &mut self.rng);
            let mut copies = 1;
            if is_bad && matches!(frame, Frame::Events(_)) {
                match self.rng.random_range(0..200) {
                    0 => copies = 0,
                    1 => copies = 2,
                    2 => at = at + self.rng.random_range(1..2_000),
                    3 if self.rng.random_bool(0.2) => {
                        let until = now + self.rng.random_range(1_000..12_000);
                        line.hold_up(until);
                    }
                    _ => {}
                }
            }
            for _ in 0..copies {
                self.schedule(at, Due::Frame(n, connection, frame.clone()));
            }
        }
    }

    pub(crate) fn schedule(&mut self, at: Timestamp, due: Due) {
        self.number += 1;
        self.agenda.insert((at, self.number), due);
    }

    fn happen(&mut self, due: Due) -> Result<(), Wrong> {
        if let Some(until) = self.asleep_until
            && !matches!(due, Due::Command(..) | Due::Wake)
        {
            // It waits for the hub.
            self.schedule(until, due);
            return Ok(());
        }
        match due {
            Due::Frame(n, connection, frame) if self.lines[n].connection == Some(connection) => {
                match frame {
                    Frame::Events(events) => self.arrived(n, connection, events)?,
                    Frame::Result(result) => self.answered(n, result)?,
                }
            }
            Due::Command(n, connection, frame) if self.lines[n].connection == Some(connection) => {
                let now = self.now;
                let outputs = self.lines[n].platform.command(&frame, now);
                let frames = self.lines[n].take(outputs, now);
                self.send(n, frames);
            }
            Due::Rewind(n, connection, expected)
                if self.lines[n].connection == Some(connection) =>
            {
                let frames = self.lines[n].rewind(expected, self.now);
                self.send(n, frames);
            }
            Due::Connect(n) if self.lines[n].connection.is_none() => self.connect(n)?,
            // Whatever was on its way on an older connection is gone with it.
            Due::Frame(..) | Due::Command(..) | Due::Rewind(..) | Due::Connect(_) => {}
            Due::Habit(habit) => self.misbehave(habit)?,
            Due::Wake => self.wake()?,
            Due::Sees => self.keeps_up()?,
        }
        Ok(())
    }

    fn arrived(
        &mut self,
        n: usize,
        connection: u64,
        events: Vec<FactEnvelope<'static>>,
    ) -> Result<(), Wrong> {
        for event in events {
            match self.lines[n].judge(&event) {
                Verdict::Accept => {
                    let source = self.lines[n].source.clone();
                    self.tell(Told::Fact(source, event))?;
                }
                Verdict::Duplicate => self.anomaly(n, AnomalyKind::DuplicateSequence)?,
                Verdict::Gap { first: false } => {}
                Verdict::Gap { first: true } => {
                    self.anomaly(n, AnomalyKind::SequenceGap)?;
                    let expected = self.lines[n].expected();
                    let at = self.now + self.rng.random_range(1..60);
                    self.schedule(at, Due::Rewind(n, connection, expected));
                }
            }
        }
        if self.rng.random_bool(0.3) {
            self.lines[n].acknowledge();
        }
        Ok(())
    }

    fn connect(&mut self, n: usize) -> Result<(), Wrong> {
        let now = self.now;
        // What happened meanwhile is buffered, as far as there is room.
        let outputs = self.lines[n].platform.advance(now);
        drop(self.lines[n].take(outputs, now));
        let line = &mut self.lines[n];
        let change = BridgeChange::Connected {
            platform: "simulated 0".to_owned(),
            epoch: line.epoch(),
            heartbeat_ms: HEARTBEAT_MS,
            capabilities: Platform::capabilities(),
        };
        let frames = line.connected(now);
        self.bridge(n, change)?;
        if self.plan.has(Habit::Nonsense)
            && self.lines[n].connections > 1
            && self.rng.random_bool(0.1)
        {
            // A bridge that does not say what is so, and goes on all the same.
            self.lines[n].introduce_nobody();
            return Ok(());
        }
        self.send(n, frames);
        Ok(())
    }

    pub(crate) fn disconnect(&mut self, n: usize, away_ms: i64) -> Result<(), Wrong> {
        let at = self.now + away_ms;
        if self.lines[n].connection.take().is_some() {
            self.bridge(n, BridgeChange::Disconnected)?;
            self.schedule(at, Due::Connect(n));
        }
        Ok(())
    }

    pub(crate) fn bridge(&mut self, n: usize, change: BridgeChange) -> Result<(), Wrong> {
        let source = self.lines[n].source.clone();
        self.tell(Told::Control(Control::Bridge { source, change }))?;
        Ok(())
    }

    pub(crate) fn anomaly(&mut self, n: usize, kind: AnomalyKind) -> Result<(), Wrong> {
        let example = "told on purpose".to_owned();
        self.bridge(n, BridgeChange::Anomaly { kind, example })
    }

    // === the engine ===

    /// Timers that are due fire, before anything else happens at this moment.
    pub(crate) fn pass_time(&mut self) -> Result<(), Wrong> {
        if self.asleep_until.is_some() {
            return Ok(());
        }
        self.engine.handle_timeout(self.now);
        self.model.pass(self.now);
        if self.model.is_in_doubt(self.now) {
            self.model.adopt(&self.engine.bridges(), self.now);
        }
        self.drain()?;
        match self.engine.poll_timeout() {
            Some((due, why)) if due <= self.now => {
                wrong(format!("a timer is due again at once: {why} at {due:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Tells the engine something; what comes out is checked and carried out.
    pub(crate) fn tell(&mut self, told: Told) -> Result<Vec<Effect>, Wrong> {
        // What was due in a time that nobody saw is not due yet.
        let is_blind = matches!(told, Told::Control(Control::Blind { .. }));
        if !is_blind {
            self.pass_time()?;
        }
        let mut said = self.now;
        if !is_blind && self.plan.has(Habit::Clocks) && self.rng.random_bool(0.002) {
            said = said - self.rng.random_range(1..10_000);
            self.clock_jumps += 1;
        }
        match &told {
            Told::Fact(source, fact) => {
                self.model.fact(source, fact, self.now);
                self.engine.handle(Input::Fact { source, fact }, said);
            }
            Told::Control(control) => {
                self.foresee(control);
                self.engine.handle(Input::Control(control), said);
            }
        }
        let kept_at = self.engine.now();
        if kept_at != self.now {
            return wrong(format!("told at {:?}, taken at {kept_at:?}", self.now));
        }
        self.told.push((told, kept_at));
        self.drain()
    }

    /// What the model learns from an input that is no event.
    fn foresee(&mut self, control: &Control) {
        match control {
            Control::Bridge { source, change } => self.model.bridge(source, change, self.now),
            Control::Answer { source, answer } => {
                let asked = self.records.commands.get(&answer.command);
                self.model.hear(source, self.now);
                let asked = asked.filter(|record| record.source == *source);
                let is_refused = matches!(
                    answer.state,
                    AnswerState::Rejected(..) | AnswerState::Expired
                );
                match asked.map(CommandRecord::state) {
                    None => self.model.count(source, AnomalyKind::UnknownCommand, 1),
                    // What was read back as done cannot have been refused.
                    Some(CommandState::Applied { .. }) if is_refused => {
                        self.model.count(source, AnomalyKind::Impossible, 1);
                    }
                    Some(_) => {}
                }
            }
            Control::Restarted => self.model.restarted(self.now),
            Control::Blind { since, .. } => self.model.blind(*since),
            Control::Sees => self.model.sees(self.now),
            _ => {}
        }
    }

    fn drain(&mut self) -> Result<Vec<Effect>, Wrong> {
        let mut effects = Vec::new();
        while let Some(effect) = self.engine.poll_effect() {
            self.records.take(&effect, &self.model)?;
            check_seen(&effect, &self.model)?;
            self.rows.shown(&effect);
            match &effect {
                Effect::Send { source, command } => {
                    let frame = CommandFrame::from_record(command);
                    self.command_leaves(source, frame);
                }
                Effect::Show(Shown::Reply { ticket, reply }) => {
                    if self.replies.insert(*ticket, reply.clone()).is_some() {
                        return wrong(format!("request {ticket} was answered twice"));
                    }
                }
                Effect::Append(_) | Effect::Show(_) => {}
            }
            effects.push(effect);
        }
        let is_kept = |effect: &&Effect| !matches!(effect, Effect::Show(shown) if !matches!(shown, Shown::Reply { .. }));
        self.kept.extend(effects.iter().filter(is_kept).cloned());
        Ok(effects)
    }

    fn command_leaves(&mut self, source: &SourceId, frame: CommandFrame) {
        let Some(n) = self.lines.iter().position(|line| line.source == *source) else {
            return;
        };
        let is_lost = self.plan.has(Habit::Answers) && self.rng.random_bool(0.05);
        if let (Some(connection), false) = (self.lines[n].connection, is_lost) {
            let at = self.now + self.rng.random_range(1..60);
            self.schedule(at, Due::Command(n, connection, frame));
        }
    }

    // === looking ===

    pub(crate) fn look(&mut self) -> Result<(), Wrong> {
        let is_thorough = self.steps.is_multiple_of(LOOK_STEPS);
        self.rows
            .check(&self.engine, &self.model, &self.records, is_thorough)?;
        if self.engine.clock_jumps() != self.clock_jumps {
            let (found, expected) = (self.engine.clock_jumps(), self.clock_jumps);
            return wrong(format!(
                "{found} clock jumps were counted, {expected} happened"
            ));
        }
        if self.steps.is_multiple_of(CHECKPOINT_STEPS) {
            self.check_replay()?;
        }
        Ok(())
    }

    /// A replay of what was told since the last checkpoint ends where the engine is, and said the
    /// same on its way. The engine's state then becomes the next checkpoint.
    pub(crate) fn check_replay(&mut self) -> Result<(), Wrong> {
        self.pass_time()?;
        let replayed = self.replay()?;
        let live = serialize(&self.engine)?;
        if live != serialize(&replayed)? {
            return wrong(format!(
                "a replay of {} inputs ends in another state: {}",
                self.told.len(),
                difference(&live, &serialize(&replayed)?)
            ));
        }
        let again: Engine = serde_json::from_slice(&live)
            .map_err(|error| Wrong(format!("a checkpoint is not read back: {error}")))?;
        if live != serialize(&again)? {
            return wrong("a checkpoint that was read back is written otherwise");
        }
        self.checkpoint = live;
        self.told.clear();
        self.kept.clear();
        Ok(())
    }

    fn replay(&self) -> Result<Engine, Wrong> {
        let mut replayed: Engine = serde_json::from_slice(&self.checkpoint)
            .map_err(|error| Wrong(format!("a checkpoint is not read back: {error}")))?;
        let mut kept = self.kept.iter();
        let mut compare = |engine: &mut Engine| -> Result<(), Wrong> {
            while let Some(effect) = engine.poll_effect() {
                let is_row =
                    matches!(&effect, Effect::Show(shown) if !matches!(shown, Shown::Reply { .. }));
                if !is_row && kept.next() != Some(&effect) {
                    return wrong(format!("a replay says something else: {effect:?}"));
                }
            }
            Ok(())
        };
        for (told, at) in &self.told {
            match told {
                Told::Fact(source, fact) => replayed.handle(Input::Fact { source, fact }, *at),
                Told::Control(control) => replayed.handle(Input::Control(control), *at),
            }
            compare(&mut replayed)?;
        }
        replayed.handle_timeout(self.engine.judged_until());
        compare(&mut replayed)?;
        match kept.next() {
            Some(effect) => wrong(format!("a replay does not say: {effect:?}")),
            None => Ok(replayed),
        }
    }

    /// The hub goes down and comes up again, from the last checkpoint and what was told since.
    pub(crate) fn restart(&mut self) -> Result<(), Wrong> {
        self.pass_time()?;
        self.engine = self.replay()?;
        self.clock_jumps = 0;
        self.present.clear();
        for n in 0..self.lines.len() {
            if self.lines[n].connection.take().is_some() {
                let at = self.now + self.rng.random_range(10..8_000);
                self.schedule(at, Due::Connect(n));
            }
        }
        if self.rng.random_bool(0.5) {
            self.now = self.now + self.rng.random_range(0..120_000);
        }
        self.cannot_see(BlindReason::Suspended)?;
        self.tell(Told::Control(Control::Restarted))?;
        Ok(())
    }

    /// A live call, at random.
    pub(crate) fn some_call(&mut self) -> Option<CallId> {
        let n = self.model.calls.len();
        let at = self.rng.random_range(0..n.max(1));
        self.model.calls.keys().nth(at).cloned()
    }
}

pub(crate) fn serialize(engine: &Engine) -> Result<Vec<u8>, Wrong> {
    serde_json::to_vec(engine).map_err(|error| Wrong(format!("an engine is not written: {error}")))
}

/// Where two states differ first, with a little of what stands around.
pub(crate) fn difference(one: &[u8], other: &[u8]) -> String {
    let at = one.iter().zip(other).position(|(a, b)| a != b);
    let at = at.unwrap_or(one.len().min(other.len()));
    let around = |bytes: &[u8]| {
        let from = at.saturating_sub(120);
        let to = bytes.len().min(at + 80);
        String::from_utf8_lossy(&bytes[from..to]).into_owned()
    };
    format!("live {:?}, replayed {:?}", around(one), around(other))
}
