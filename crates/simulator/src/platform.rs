//! The simulated call platform: many calls, the faults that break them, and the commands that help.
//!
//! It is a pure state machine. Time comes in as an argument, randomness from a seed, and the same
//! inputs give the same outputs, event for event.
//! Deliberately absent: the connection, sequence numbers and buffering; see [`crate::bridge`].

mod beats;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use holdfast_domain::fact::{Fact, Text};
use holdfast_domain::{
    CallId, Capability, Command, CommandId, CommandName, DurationMs, FaultScope, Layer, ReadBack,
    Timestamp,
};
use holdfast_protocol::bridge::{CommandFrame, CommandResult, ResultKind, ResultState};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::answers::Answers;
use crate::call::{Act, Call, Event, Output, World};
use crate::effects::EffectCount;
use crate::faults::{FaultError, FaultKind, Faults, Target};
use crate::ledger::Ledger;
use crate::pools::Pools;
use crate::truth::CallTruth;
use beats::Beats;

/// Calls that ended are known as such for so many: a command that crosses the end of its call
/// comes seconds later, and 10,000 calls end about 70 times a second.
const ENDED_MAX: usize = 4_096;

/// How far back calls began that are live at the start: the length of a whole call, so that they
/// are spread over all of its steps.
const STAGGER_MS: i64 = 150_000;

/// What broke for whom before the start is known for so long: what callers still feel of it.
const LEDGER_MS: DurationMs = 60_000;

/// From the end of a call to the next one that takes its place.
const ARRIVAL_MS: std::ops::Range<i64> = 300..3_000;

/// What a call meets on the platform: every part of it but the calls, so that one of these can be
/// borrowed beside it.
macro_rules! world {
    ($platform:expr) => {
        World {
            now: $platform.now,
            faults: &$platform.faults,
            out: &mut $platform.out,
            ledger: &mut $platform.ledger,
            pools: &mut $platform.pools,
        }
    };
}

/// The most calls that a platform can hold. One snapshot names them all in one frame, and 20,000
/// ids stay well under its limit.
pub const CALLS_MAX: usize = 20_000;

/// Every command of the bridge face: this platform can do them all.
pub(crate) const COMMANDS: [CommandName; 10] = [
    CommandName::SwitchModel,
    CommandName::RetryTurn,
    CommandName::DisableTools,
    CommandName::EnableTools,
    CommandName::Announce,
    CommandName::PauseAi,
    CommandName::ResumeAi,
    CommandName::Transfer,
    CommandName::StartFault,
    CommandName::StopFault,
];

/// What a platform is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformConfig {
    /// Everything random comes from it.
    pub seed: u64,
    /// Concurrent calls, at most [`CALLS_MAX`].
    pub calls: usize,
    /// Begins every call's id, so that ids of two runs differ: characters of a call id.
    pub instance: String,
    /// What serves the calls.
    pub world: WorldKind,
    /// Errors and spikes happen without a fault, as they do in the field.
    pub noise: bool,
}

/// What serves the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WorldKind {
    /// Three groups of calls with a ladder each: easy to look at.
    #[default]
    Pods,
    /// Vendor, model, region and zone of each layer are drawn for each call, so that none of them
    /// is another's alias: for scoring a diagnosis.
    Varied,
}

/// The platform.
#[derive(Debug)]
pub struct Platform {
    config: PlatformConfig,
    rng: ChaCha8Rng,
    now: Timestamp,
    calls: BTreeMap<u64, Call>,
    ids: BTreeMap<CallId, u64>,
    ended: VecDeque<CallId>,
    agenda: BTreeSet<(Timestamp, Due)>,
    faults: Faults,
    answers: Answers,
    /// Calls begun so far.
    begun: u64,
    out: Vec<Output>,
    ledger: Ledger,
    pools: Pools,
    /// None where nobody says that they live.
    beats: Option<Beats>,
    /// None where nobody counts what commands do.
    effects: Option<EffectCount>,
}

/// What is due; calls before arrivals, each by number, so that the order is always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Call(u64),
    Arrival(u64),
    Beat(usize),
}

impl Platform {
    /// A platform whose calls are in the middle of what they do, as of `now`. Nothing is told of
    /// how they came there; [`Platform::snapshot`] tells where they are.
    pub fn new(config: PlatformConfig, now: Timestamp) -> Self {
        let mut platform = Self {
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            config,
            now,
            calls: BTreeMap::new(),
            ids: BTreeMap::new(),
            ended: VecDeque::new(),
            agenda: BTreeSet::new(),
            faults: Faults::default(),
            answers: Answers::default(),
            begun: 0,
            out: Vec::new(),
            ledger: Ledger::default(),
            pools: Pools::default(),
            beats: None,
            effects: None,
        };
        platform.fill(now);
        platform
    }

    /// The same platform with vendors and workers that say every `every_ms` that they live; at
    /// least a millisecond.
    #[must_use]
    pub fn beating(mut self, every_ms: DurationMs) -> Self {
        let beats = Beats::new(self.config.world, every_ms, self.config.seed);
        self.beats = Some(beats);
        self.begin_beats();
        self
    }

    /// The same platform, which counts there what commands do.
    #[must_use]
    pub fn counting(mut self, effects: EffectCount) -> Self {
        self.effects = Some(effects);
        self
    }

    /// When something happens next; None on a platform without calls.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// Lets everything happen up to and including `now`. A clock that goes back changes nothing.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Output> {
        self.ledger.clear();
        self.pass_to(now);
        self.take_out()
    }

    fn pass_to(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.agenda.first().copied()
            && at <= now
        {
            self.agenda.pop_first();
            self.now = self.now.max(at);
            match due {
                Due::Call(number) => self.wake(number),
                Due::Arrival(_) => self.arrive(),
                Due::Beat(source) => self.beat(source),
            }
        }
        self.now = self.now.max(now);
    }

    /// Takes a command on. It is accepted at once, and its outcome follows, here or from
    /// [`Platform::advance`]. A command whose id was heard before gets its last answer again.
    pub fn command(&mut self, frame: &CommandFrame, now: Timestamp) -> Vec<Output> {
        let mut out = self.advance(now);
        if let Some(effects) = &self.effects {
            effects.asked(&frame.command_id, frame.call.as_ref());
        }
        if let Some(last) = self.answers.last(&frame.command_id) {
            out.push(Output::Answer(last.clone()));
            return out;
        }
        self.answer(&frame.command_id, ResultState::Accepted, None, None);
        if now > frame.expires_at {
            self.answer(&frame.command_id, ResultState::Expired, None, None);
        } else if let Err((kind, message)) = self.begin(frame) {
            let why = Some((kind, message));
            self.answer(&frame.command_id, ResultState::Rejected, why, None);
        }
        out.append(&mut self.take_out());
        out
    }

    /// Injects a fault from the beginning, as `start_fault` would.
    pub fn start_fault(&mut self, fault: &str, scope: &FaultScope) -> Result<String, FaultError> {
        self.inject(fault, scope.into())
    }

    /// Injects a fault that may reach whom no scope on the wire can name.
    pub(crate) fn inject(&mut self, fault: &str, target: Target) -> Result<String, FaultError> {
        let id = self.faults.start(fault, target, self.now)?;
        self.size_pool();
        self.faults_changed(None);
        Ok(id)
    }

    /// Starts over with new calls, as of `now`: what a machine does that slept. The calls that were
    /// live have ended unseen; commands on them are answered.
    pub fn restart(&mut self, now: Timestamp) -> Vec<Output> {
        for call in self.calls.values_mut() {
            call.break_down(&mut world!(self));
        }
        self.out
            .retain(|output| matches!(output, Output::Answer(_)));
        let answers = self.take_out();
        self.calls.clear();
        self.ids.clear();
        self.agenda.clear();
        self.fill(now);
        answers
    }

    /// Tells every live call again: `stream.snapshot`, the calls, `stream.caught_up`. What
    /// happened up to now and was not taken yet comes before.
    pub fn snapshot(&mut self) -> Vec<Output> {
        let ids = self.calls.values();
        let ids = ids.map(|call| Text::Owned(call.id.as_str().to_owned()));
        let calls = ids.collect();
        self.tell(Fact::StreamSnapshot { calls });
        for call in self.calls.values() {
            call.retell(&mut world!(self));
        }
        let active = self.faults.tell();
        self.tell(Fact::DrillFaultsChanged { active });
        self.tell(Fact::StreamCaughtUp);
        self.take_out()
    }

    /// What broke for whom in the last [`Platform::advance`], and since.
    pub(crate) fn take_ledger(&mut self) -> Ledger {
        std::mem::take(&mut self.ledger)
    }

    /// Nobody looks any longer: what callers wait for by now is noted.
    pub(crate) fn note_waits(&mut self) {
        for call in self.calls.values_mut() {
            call.hush_ends(&mut world!(self));
        }
    }

    /// Ends one injection; the others go on.
    pub fn end_injection(&mut self, id: &str) {
        if self.faults.stop(Some(id)).is_ok() {
            self.faults_changed(None);
        }
    }

    /// The moment up to which everything has happened.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Live calls.
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// What each live call really holds, oldest call first.
    pub fn truths(&self) -> impl Iterator<Item = CallTruth> {
        self.calls.values().map(Call::truth)
    }

    /// The ids of the live calls, oldest call first.
    pub fn call_ids(&self) -> impl Iterator<Item = &CallId> {
        self.calls.values().map(|call| &call.id)
    }

    /// What the platform can do, for `hello`.
    pub fn capabilities() -> Vec<Capability> {
        COMMANDS
            .iter()
            .map(|name| Capability {
                name: name.as_str().to_owned(),
                available: true,
                reason: None,
                faults: if *name == CommandName::StartFault {
                    FaultKind::offers()
                } else {
                    Vec::new()
                },
            })
            .collect()
    }

    /// Lets calls begin over the time before `now`, and brings them up to it.
    fn fill(&mut self, now: Timestamp) {
        self.now = now - STAGGER_MS;
        for place in 0..self.config.calls.min(CALLS_MAX) as u64 {
            let at = self.now + self.rng.random_range(0..STAGGER_MS);
            self.agenda.insert((at, Due::Arrival(place)));
        }
        // A second at a time, so that no more than a second of events is ever held.
        while self.now < now {
            let until = (self.now + 1_000).min(now);
            self.pass_to(until);
            drop(self.take_out());
            self.ledger.forget(self.now - LEDGER_MS);
        }
        self.begin_beats();
    }

    fn begin_beats(&mut self) {
        let Some(beats) = &mut self.beats else { return };
        let due = beats.begin(self.now);
        self.agenda
            .extend(due.into_iter().map(|(at, source)| (at, Due::Beat(source))));
    }

    fn beat(&mut self, source: usize) {
        let beats = self.beats.as_mut();
        let Some((next, layer, beat)) = beats.and_then(|beats| beats.tell(source, &self.faults))
        else {
            return;
        };
        self.agenda.insert((next, Due::Beat(source)));
        if let Some(fact) = beat {
            self.out.push(Output::Event(Event {
                call: None,
                at: self.now,
                layer,
                cause: None,
                fact,
            }));
        }
    }

    fn wake(&mut self, number: u64) {
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        call.wake(&mut world!(self));
        self.settle(number);
    }

    /// Puts a call back on the agenda, or takes it off the platform.
    fn settle(&mut self, number: u64) {
        let Some(call) = self.calls.get(&number) else {
            return;
        };
        if !call.is_over() {
            self.agenda.insert((call.next_due(), Due::Call(number)));
            return;
        }
        let id = call.id.clone();
        self.calls.remove(&number);
        self.ids.remove(&id);
        if self.ended.len() == ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(id);
        let at = self.now + self.rng.random_range(ARRIVAL_MS);
        self.agenda.insert((at, Due::Arrival(number)));
    }

    fn arrive(&mut self) {
        let number = self.begun;
        self.begun += 1;
        let id = CallId::new(format!("{}-{number:05}", self.config.instance));
        let call = Call::start(id.clone(), number, &self.config, &mut world!(self));
        self.agenda.insert((call.next_due(), Due::Call(number)));
        self.calls.insert(number, call);
        self.ids.insert(id, number);
    }

    /// Begins a command; the error is why it is refused.
    fn begin(&mut self, frame: &CommandFrame) -> Result<(), (ResultKind, String)> {
        let invalid = |why: &str| (ResultKind::InvalidArgs, why.to_owned());
        let fault_error = |error: FaultError| (ResultKind::InvalidArgs, error.to_string());
        match (&frame.command, &frame.call) {
            (Command::StartFault { .. } | Command::StopFault { .. }, Some(_)) => {
                return Err(invalid(
                    "a fault is injected into the whole platform; name the call in its scope",
                ));
            }
            (Command::StartFault { fault, scope }, None) => {
                self.faults
                    .start(fault, scope.into(), self.now)
                    .map_err(fault_error)?;
                self.size_pool();
                self.faults_read_back(&frame.command_id);
                return Ok(());
            }
            (Command::StopFault { id }, None) => {
                self.faults.stop(id.as_deref()).map_err(fault_error)?;
                self.faults_read_back(&frame.command_id);
                return Ok(());
            }
            _ => {}
        }
        let Some(id) = &frame.call else {
            return Err(invalid("this command is about one call; name it"));
        };
        let Some(number) = self.ids.get(id).copied() else {
            return Err(if self.ended.contains(id) {
                let why = "the call has ended; nothing more can be done on it";
                (ResultKind::CallEnded, why.to_owned())
            } else {
                let why = "this platform knows no such call";
                (ResultKind::UnknownCall, why.to_owned())
            });
        };
        let act = Act::of(frame.command.clone(), frame.expect_active.clone());
        let (Some(act), Some(call)) = (act, self.calls.get_mut(&number)) else {
            return Err(invalid("this command is about the whole platform"));
        };
        self.agenda.remove(&(call.next_due(), Due::Call(number)));
        call.take_on(frame.command_id.clone(), act, self.now);
        self.agenda.insert((call.next_due(), Due::Call(number)));
        Ok(())
    }

    /// A pool that the newest injection makes too small is sized by the calls that use it.
    fn size_pool(&mut self) {
        let Some((number, FaultKind::LlmPoolFull)) = self.faults.newest() else {
            return;
        };
        let users = self.calls.values();
        let users = users.filter(|call| call.uses_pool(number, &self.faults));
        self.pools.shrink(number, users.count(), self.now);
    }

    fn faults_read_back(&mut self, command: &CommandId) {
        let read_back = ReadBack {
            faults: Some(self.faults.tell()),
            ..ReadBack::default()
        };
        self.answer(command, ResultState::Applied, None, Some(read_back));
        self.faults_changed(Some(command.clone()));
    }

    /// Tells what is injected now, and lets every call look at what it means for it.
    fn faults_changed(&mut self, cause: Option<CommandId>) {
        let active = self.faults.tell();
        self.out.push(Output::Event(Event {
            call: None,
            at: self.now,
            layer: None,
            cause,
            fact: Fact::DrillFaultsChanged { active },
        }));
        for (number, call) in &mut self.calls {
            self.agenda.remove(&(call.next_due(), Due::Call(*number)));
            call.stir(&mut world!(self));
            self.agenda.insert((call.next_due(), Due::Call(*number)));
        }
    }

    fn answer(
        &mut self,
        command: &CommandId,
        state: ResultState,
        why: Option<(ResultKind, String)>,
        read_back: Option<ReadBack>,
    ) {
        let (kind, message) = why.unzip();
        self.out.push(Output::Answer(CommandResult {
            command_id: command.clone(),
            state,
            kind,
            message,
            read_back,
        }));
    }

    fn tell(&mut self, fact: Fact<'static>) {
        let layer: Option<Layer> = None;
        self.out.push(Output::Event(Event {
            call: None,
            at: self.now,
            layer,
            cause: None,
            fact,
        }));
    }

    /// What was told since the last time; answers are remembered on their way out.
    fn take_out(&mut self) -> Vec<Output> {
        for output in &self.out {
            let Output::Answer(answer) = output else {
                continue;
            };
            self.answers.remember(answer);
            if let Some(effects) = self.effects.as_ref()
                && answer.state == ResultState::Applied
            {
                effects.done(&answer.command_id);
            }
        }
        std::mem::take(&mut self.out)
    }
}

#[cfg(test)]
mod tests;
