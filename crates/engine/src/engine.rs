//! The engine's surface: inputs in, timers, effects out, and what can be read.

use std::collections::BTreeMap;

use holdfast_domain::{
    ActPreview, ActVerb, AnomalyKind, BridgeStatus, CallDetail, CallId, CallSummary, HumanAgent,
    Playbook, PlaybookId, Record, Refusal, SourceId, Target, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::beats::Beats;
use crate::bridges::Bridge;
use crate::calls::{Around, Call, Calls, Note};
use crate::causes::Causes;
use crate::commands::Commands;
use crate::concerns::Concerns;
use crate::failover::Failovers;
use crate::handoffs::Handoffs;
use crate::learn::Learnt;
use crate::ledger::Ledger;
use crate::out::Outbox;
use crate::patterns::Patterns;
use crate::rates::Rates;
use crate::runs::Runs;
use crate::sight::Sight;
use crate::timers::{Queued, TimerKey, Timers};
use crate::{BridgeChange, Config, Control, Effect, Entry, Input, Person, Shown};

/// The state machine that folds facts, answers and people's requests.
///
/// Serialized it is a checkpoint: a loaded engine goes on exactly as the saved one would, as long
/// as the effects of the saved one were drained before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Engine {
    pub(crate) config: Config,
    /// The latest moment of an input or of a timer that fired; it never goes back.
    pub(crate) now: Timestamp,
    pub(crate) calls: Calls,
    pub(crate) bridges: BTreeMap<SourceId, Bridge>,
    pub(crate) commands: Commands,
    pub(crate) handoffs: Handoffs,
    pub(crate) causes: Causes,
    #[serde(default)]
    pub(crate) patterns: Patterns,
    #[serde(default)]
    pub(crate) sight: Sight,
    pub(crate) learnt: Learnt,
    #[serde(default)]
    pub(crate) playbooks: BTreeMap<PlaybookId, Playbook>,
    /// The playbooks' failover policies are carried out.
    #[serde(default)]
    pub(crate) is_armed: bool,
    #[serde(default)]
    pub(crate) rates: Rates,
    #[serde(default)]
    pub(crate) beats: Beats,
    #[serde(default)]
    pub(crate) concerns: Concerns,
    #[serde(skip)]
    pub(crate) watch_queued: Queued,
    pub(crate) failovers: Failovers,
    pub(crate) runs: Runs,
    #[serde(default)]
    pub(crate) ledger: Ledger,
    #[serde(skip)]
    pub(crate) out: Outbox,
    #[serde(skip)]
    pub(crate) timers: Timers,
    /// Reused between inputs; empty in between.
    #[serde(skip)]
    pub(crate) notes: Vec<Note>,
    /// The latest moment that the shell named, and how often it named an earlier one after it.
    #[serde(skip)]
    pub(crate) clock: Timestamp,
    #[serde(skip)]
    clock_jumps: u64,
}

impl Engine {
    /// An engine that has heard nothing.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            now: Timestamp::default(),
            calls: Calls::default(),
            bridges: BTreeMap::new(),
            commands: Commands::default(),
            handoffs: Handoffs::default(),
            causes: Causes::default(),
            patterns: Patterns::default(),
            sight: Sight::default(),
            learnt: Learnt::default(),
            playbooks: BTreeMap::new(),
            is_armed: false,
            rates: Rates::default(),
            beats: Beats::default(),
            concerns: Concerns::default(),
            watch_queued: Queued::default(),
            failovers: Failovers::default(),
            runs: Runs::default(),
            ledger: Ledger::default(),
            out: Outbox::default(),
            timers: Timers::default(),
            notes: Vec::new(),
            clock: Timestamp::default(),
            clock_jumps: 0,
        }
    }

    /// Takes an input in. Timers that were due by `now` fire first, each with its own moment.
    ///
    /// Moments must not go back, over `handle` and `handle_timeout` together; one that does counts
    /// as a clock jump and is taken as the latest one. A journal keeps [`Engine::now`] after the
    /// call, so that a replay sees the moments that were really used.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp) {
        match input {
            // What was due in a time that nobody saw waits until the hub sees.
            Input::Control(Control::Blind { since, .. }) => {
                self.handle_timeout((*since).min(now));
                self.pass_clock(now);
            }
            Input::Fact { .. } | Input::Control(_) => self.handle_timeout(now),
        }
        self.now = self.clock;
        match input {
            Input::Fact { source, fact } => self.on_fact(source, fact),
            Input::Control(control) => self.on_control(control),
        }
    }

    /// Fires the timers that are due by `now`; none while the hub cannot see.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.pass_clock(now);
        self.build_timers();
        if !self.sight.judges(self.clock) {
            return;
        }
        while let Some((due, key)) = self.timers.pop_due(self.clock) {
            self.fire(due, &key);
        }
    }

    /// When to call `handle_timeout` at the latest, and why. It may turn out that nothing is due.
    pub fn poll_timeout(&self) -> Option<(Timestamp, &'static str)> {
        if !self.timers.is_built {
            // A loaded checkpoint queues its deadlines at the first call.
            return Some((self.now, "the deadlines of a checkpoint are not queued yet"));
        }
        let (due, why) = self.timers.next().filter(|_| !self.sight.is_blind())?;
        Some((due.max(self.sight.not_before), why))
    }

    /// The next effect; None when all are fetched. A call's row is named once in each drain.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if let Some(effect) = self.out.pop() {
            return Some(effect);
        }
        while let Some(id) = self.out.pop_call() {
            // A call that is gone since was shown as gone.
            if let Some(call) = self.calls.get_mut(&id) {
                call.dirty = false;
                return Some(Effect::Show(Shown::Call(id)));
            }
        }
        self.out.pop_platform()
    }

    /// The moment of the last input or timer: what a journal keeps beside an input.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How often the shell's clock went back since this process started.
    pub fn clock_jumps(&self) -> u64 {
        self.clock_jumps
    }

    /// A call's row.
    pub fn summary(&self, call: &CallId) -> Option<CallSummary> {
        let call = self.calls.get(call)?;
        Some(call.summary(&self.around(call)))
    }

    /// Everything behind a call's row.
    pub fn detail(&self, call: &CallId) -> Option<CallDetail> {
        let call = self.calls.get(call)?;
        let commands = self.commands.of_call(call).cloned().collect();
        Some(call.detail(&self.around(call), commands))
    }

    /// The live calls, in the order of their ids.
    pub fn call_ids(&self) -> impl Iterator<Item = &CallId> {
        self.calls.ids()
    }

    /// Every bridge that was ever heard of.
    pub fn bridges(&self) -> Vec<BridgeStatus> {
        self.bridges.values().map(Bridge::status).collect()
    }

    /// The human agents that can be seen now.
    pub fn humans(&self) -> Vec<HumanAgent> {
        self.handoffs.humans()
    }

    /// Commands, handoffs, causes and runs that are open, and those that closed within the last hour.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.commands.records(&self.config, self.now);
        records.extend(self.handoffs.records(&self.config, self.now));
        records.extend(self.causes.records(&self.config, self.now));
        records.extend(self.runs.records(&self.config, self.now));
        records
    }

    /// The playbooks of the hub.
    pub fn playbooks(&self) -> &BTreeMap<PlaybookId, Playbook> {
        &self.playbooks
    }

    /// The playbooks' failover policies are carried out.
    pub fn is_armed(&self) -> bool {
        self.is_armed
    }

    /// Whom an act would touch, without doing it.
    pub fn preview(
        &self,
        verb: &ActVerb,
        target: &Target,
        who: &Person,
    ) -> Result<ActPreview, Refusal> {
        self.preview_act(verb, target, who)
    }

    pub(crate) fn around<'a>(&'a self, call: &'a Call) -> Around<'a> {
        let bridge = self.bridges.get(&call.source);
        Around {
            config: &self.config,
            now: self.sight.judged_until(self.now),
            feed: bridge.map_or(holdfast_domain::FeedState::Lost, Bridge::state),
            feed_heard_at: bridge.map_or(call.heard_at, |bridge| bridge.heard_at),
            command: self.commands.of_call(call).next(),
            handoff: call
                .handoff
                .as_ref()
                .and_then(|handoff| self.handoffs.get(handoff)),
            capabilities: bridge.map_or(&[], |bridge| &bridge.capabilities),
        }
    }

    fn on_control(&mut self, control: &Control) {
        match control {
            Control::Bridge { source, change } => self.on_bridge(source, change),
            Control::Answer { source, answer } => self.on_answer(source, answer),
            Control::Person {
                ticket,
                who,
                request,
            } => {
                let reply = self.on_request(who, request);
                self.out.reply(*ticket, reply);
            }
            Control::Presence { name, present } => self.on_presence(name, *present),
            Control::Blind { reason, since } => self.on_blind(*reason, *since),
            Control::Playbooks { playbooks, armed } => self.on_playbooks(playbooks, *armed),
            Control::Sees => self.on_sees(),
            Control::Shown { recoveries } => self.ledger_shown(recoveries),
            Control::Restarted => self.on_restarted(),
        }
    }

    fn on_playbooks(&mut self, playbooks: &[Playbook], armed: bool) {
        let by_id = |playbook: &Playbook| (playbook.id.clone(), playbook.clone());
        self.playbooks = playbooks.iter().map(by_id).collect();
        self.is_armed = armed;
        self.queue_ladders();
    }

    fn on_bridge(&mut self, source: &SourceId, change: &BridgeChange) {
        let now = self.now;
        match change {
            BridgeChange::Connected {
                platform,
                epoch,
                heartbeat_ms,
                capabilities,
            } => {
                let was = self.feed(source);
                let is_new_epoch = self.bridge(source).connected(
                    platform,
                    epoch,
                    *heartbeat_ms,
                    capabilities,
                    now,
                );
                self.feed_changed(source, was);
                if is_new_epoch {
                    self.forget_beats_of(source);
                }
                self.resume_commands(source, is_new_epoch);
            }
            BridgeChange::Disconnected => {
                let was = self.feed(source);
                self.bridge(source).is_connected = false;
                self.feed_changed(source, was);
            }
            BridgeChange::Heard => {
                self.heard_in_order(source);
                let blind_ms = self.config.beats.blind_ms;
                let bridge = self.bridge(source);
                let recorded = bridge.pongs(blind_ms, now);
                if bridge.may_miss(recorded) {
                    self.miss_beats(source, recorded);
                }
            }
            BridgeChange::Anomaly { kind, example } => {
                let was = self.feed(source);
                let bridge = self.bridge(source);
                bridge.note(*kind, example, now);
                if *kind == AnomalyKind::SequenceGap {
                    bridge.misses_event();
                }
                self.out.show_platform();
                self.feed_changed(source, was);
            }
        }
    }

    fn on_restarted(&mut self) {
        let sources: Vec<SourceId> = self.bridges.keys().cloned().collect();
        for source in sources {
            let was = self.feed(&source);
            self.bridge(&source).is_connected = false;
            self.feed_changed(&source, was);
        }
        self.forget_commands();
        self.forget_presence();
        self.runs.restarted(self.now);
        // The hub that was blind is gone; this one says so itself when it cannot see.
        self.on_sees();
    }

    /// Queues every deadline after a checkpoint was loaded.
    fn build_timers(&mut self) {
        if self.timers.is_built {
            return;
        }
        self.timers.is_built = true;
        let (config, timers) = (&self.config, &mut self.timers);
        self.calls.each(|call| {
            let deadline = call.deadline(config);
            let key = || TimerKey::Call(call.id.clone());
            timers.arm(key, deadline, &mut call.queued);
        });
        for bridge in self.bridges.values_mut() {
            let deadline = bridge.deadline(&self.config);
            let source = bridge.source.clone();
            let key = || TimerKey::Bridge(source);
            self.timers.arm(key, deadline, &mut bridge.queued);
        }
        self.commands.queue(&self.config, &mut self.timers);
        self.handoffs.queue(&mut self.timers);
        self.causes.queue(&mut self.timers);
        self.arm_watch();
        self.queue_ladders();
        self.runs.queue(&mut self.timers);
    }

    /// Fires one timer entry, if its owner's deadline is really due; else queues it again.
    fn fire(&mut self, due: Timestamp, key: &TimerKey) {
        match key {
            TimerKey::Call(id) => self.fire_call(id, due),
            TimerKey::Bridge(source) => self.fire_bridge(source, due),
            TimerKey::Command(id) => self.fire_command(id, due),
            TimerKey::Handoff(id) => self.fire_handoff(id, due),
            TimerKey::Watch => self.fire_watch(due),
            TimerKey::Causes => {
                self.fire_causes(due);
                self.climb_by_cause();
            }
            TimerKey::Ladder(id) => self.fire_ladder(id, due),
            TimerKey::Runs => self.fire_runs(due),
        }
    }

    fn pass_clock(&mut self, now: Timestamp) {
        if now < self.clock {
            self.clock_jumps = self.clock_jumps.saturating_add(1);
        }
        self.clock = self.clock.max(now).max(self.now);
    }

    /// The moment of a timer that fires: never before what already happened, and never in a time
    /// in which nothing was judged.
    pub(crate) fn pass_to(&mut self, due: Timestamp) -> Timestamp {
        self.now = self.now.max(due).max(self.sight.not_before);
        self.now
    }

    pub(crate) fn append(&mut self, entry: Entry) {
        self.out.append(entry);
    }
}

#[cfg(test)]
mod tests {
    use holdfast_domain::fact::{CallStarted, Fact, FactEnvelope, Speaker};

    use super::*;

    fn tell(engine: &mut Engine, call: &'static str, n: u64, now: i64, fact: Fact<'static>) {
        let now = Timestamp::from_millis(now);
        let fact = FactEnvelope {
            id: format!("e{n}").into(),
            subject: call.into(),
            time: now,
            recorded: now,
            sequence: n,
            layer: None,
            cause: None,
            fact,
        };
        let source = SourceId::new("//bridges/test/1");
        let input = Input::Fact {
            source: &source,
            fact: &fact,
        };
        engine.handle(input, now);
        while engine.poll_effect().is_some() {}
    }

    fn connected() -> Engine {
        let mut engine = Engine::new(Config {
            calls_per_source_max: 1,
            ..Config::default()
        });
        let connected = Control::Bridge {
            source: SourceId::new("//bridges/test/1"),
            change: BridgeChange::Connected {
                platform: "test".to_owned(),
                epoch: "1".to_owned(),
                heartbeat_ms: 1_000,
                capabilities: Vec::new(),
            },
        };
        engine.handle(Input::Control(&connected), Timestamp::from_millis(0));
        engine
    }

    fn started() -> Fact<'static> {
        Fact::CallStarted(Box::new(CallStarted {
            outbound: false,
            agent: "aria".into(),
            queue: "billing".into(),
            language: "en".into(),
            flow: None,
            build: None,
            worker: None,
            zone: None,
            services: Vec::new(),
            capabilities: None,
            resumed: false,
            started_at: None,
            customer: None,
            disclosure: None,
            consent: None,
            recording: None,
        }))
    }

    #[test]
    fn the_queue_of_timers_stays_small() {
        let mut engine = connected();
        tell(&mut engine, "c", 1, 0, started());
        let mut now = 0;
        for n in 1..2_000 {
            for (step, fact) in [
                Fact::SpeechStarted {
                    actor: Speaker::Caller,
                },
                Fact::SpeechStopped {
                    actor: Speaker::Caller,
                },
                Fact::SpeechStarted {
                    actor: Speaker::Agent,
                },
                Fact::SpeechStopped {
                    actor: Speaker::Agent,
                },
            ]
            .into_iter()
            .enumerate()
            {
                now += 700;
                tell(&mut engine, "c", 4 * n + step as u64, now, fact);
            }
        }
        let waiting = engine.timers.len();
        assert!(waiting < 8, "{waiting} entries for one call and one bridge");
    }

    #[test]
    fn a_bridge_cannot_have_calls_without_end() {
        let mut engine = connected();
        tell(&mut engine, "c", 1, 0, started());
        tell(&mut engine, "d", 2, 1, started());
        let anomalies = engine.bridges()[0].anomalies.len();
        assert_eq!((engine.call_ids().count(), anomalies), (1, 1));
    }
}
