//! A fact finds its bridge and its call; a call's deadline finds its call.

use holdfast_domain::fact::{CallStarted, EndedBy, Fact, FactEnvelope};
use holdfast_domain::{
    AnomalyKind, CallId, CommandId, DurationMs, Evidence, FeedState, LayerState, SourceId,
    Timestamp,
};

use crate::beats::told_of;
use crate::bridges::Bridge;
use crate::calls::{Call, Cx};
use crate::rates::Moment;
use crate::timers::TimerKey;
use crate::{Effect, Engine, Entry, Shown};

/// A fact that is older than this on arrival was held up; others that explain it may follow.
const LATE_MS: DurationMs = 1_000;
/// How long alarms of a call wait after late news: a buffered second arrives within milliseconds.
const LATE_GRACE_MS: DurationMs = 1_000;

impl Engine {
    pub(crate) fn on_fact(&mut self, source: &SourceId, envelope: &FactEnvelope<'_>) {
        let now = self.now;
        self.heard_in_order(source);
        let is_blind = self.sight.is_blind();
        let blind_ms = self.config.beats.blind_ms;
        let bridge = self.bridge(source);
        let at = bridge.place(envelope, now, is_blind);
        bridge.tells(envelope.recorded, blind_ms);
        let may_miss = bridge.may_miss(envelope.recorded);
        match &envelope.fact {
            Fact::Beat { .. } if envelope.subject == "*" => {
                self.on_beat(source, envelope);
                return;
            }
            _ if may_miss => self.miss_beats(source, told_of(envelope)),
            _ => {}
        }
        match &envelope.fact {
            Fact::StreamSnapshot { calls } => self.snapshot_began(source, calls),
            Fact::StreamGapDetected { missing, .. } => self.gap_detected(source, *missing),
            Fact::StreamCaughtUp => self.caught_up(source, envelope, at),
            Fact::BridgeHeartbeat { live_calls, .. } => self.heartbeat(source, *live_calls),
            Fact::DrillFaultsChanged { active } => {
                self.bridge(source).faults.clone_from(active);
                self.out.show_platform();
            }
            Fact::WorkerLost { worker, region } if envelope.subject == "*" => {
                self.worker_lost_somewhere(source, envelope, at, worker, region.as_deref());
            }
            Fact::ServiceLatency { .. } | Fact::ServiceError { .. } if envelope.subject == "*" => {
                self.ladder_heard(None, envelope);
            }
            Fact::WorkerRegistered { .. } if envelope.subject == "*" => {}
            Fact::CallStarted(told) => self.call_started(source, envelope, told, at),
            _ => self.call_fact(source, envelope, at),
        }
    }

    fn call_fact(&mut self, source: &SourceId, envelope: &FactEnvelope<'_>, at: Timestamp) {
        let now = self.now;
        let Some(call) = self.calls.get(envelope.subject.as_ref()) else {
            let bridge = self.bridge(source);
            bridge.note(
                AnomalyKind::UnknownCall,
                "a fact about a call that is not live",
                now,
            );
            return;
        };
        if call.source != *source {
            let bridge = self.bridge(source);
            bridge.note(
                AnomalyKind::ForeignCall,
                "a fact about another bridge's call",
                now,
            );
            return;
        }
        let id = call.id.clone();
        match &envelope.fact {
            Fact::CallEnded { reason, ended_by } => {
                let by = match ended_by {
                    EndedBy::Caller => "caller",
                    EndedBy::Agent => "agent",
                    EndedBy::Platform => "platform",
                };
                let call = self.calls.get(&id);
                let after = call
                    .and_then(|call| call.abrupt_end(*ended_by, at, &envelope.id, &self.config));
                if after.is_some() {
                    self.ended_abruptly(&id);
                }
                self.end_call_after(&id, &format!("{reason} ({by})"), after);
            }
            Fact::HandoffRequested { to, reason } => {
                self.touch(&id, envelope, at);
                self.human_asked(&id, &envelope.id, at);
                self.handoff_asked(&id, &envelope.id, to, reason);
                self.settle(&id);
            }
            Fact::HandoffCompleted { handoff_id, to } => {
                self.touch(&id, envelope, at);
                self.handoff_completed(&id, handoff_id.as_deref(), to, at);
                self.arm_call(&id);
            }
            Fact::HandoffFailed { handoff_id, reason } => {
                self.touch(&id, envelope, at);
                self.handoff_failed(&id, handoff_id.as_deref(), reason);
                self.arm_call(&id);
            }
            fact => self.fold(&id, envelope, fact, at),
        }
    }

    /// Folds a fact into its call and spreads what follows from it.
    fn fold(&mut self, id: &CallId, envelope: &FactEnvelope<'_>, fact: &Fact<'_>, at: Timestamp) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        hear(call, envelope, at, now);
        let mut cx = Cx {
            config: &self.config,
            at,
            event: &envelope.id,
            layer: envelope.layer,
            learnt: &mut self.learnt,
            notes: &mut self.notes,
        };
        call.fold(fact, &mut cx);
        let is_placed = call.trials.is_placed();
        if !matches!(
            fact,
            Fact::ServiceUsage { .. } | Fact::ServiceLatency { .. }
        ) {
            self.out.show_call(&call.id, &mut call.dirty);
        }
        if !is_placed {
            self.place_call(id);
        }
        if self.learnt.has_turned() {
            self.pace_turned(&envelope.id);
        }
        self.ladder_heard(Some(id), envelope);
        self.settle(id);
    }

    /// A fact that the call itself does not fold arrived about it. Whoever acts on it queues the
    /// call's next deadline afterwards: a call that was a ghost had none.
    fn touch(&mut self, id: &CallId, envelope: &FactEnvelope<'_>, at: Timestamp) {
        let now = self.now;
        if let Some(call) = self.calls.get_mut(id) {
            hear(call, envelope, at, now);
            call.ghost_since = None;
            self.out.show_call(&call.id, &mut call.dirty);
        }
    }

    pub(crate) fn arm_call(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        // While the feed is not live, nobody knows what is late; the bridge's own timer runs.
        let is_live = self
            .bridges
            .get(&call.source)
            .is_some_and(|bridge| bridge.state() == FeedState::Live);
        let deadline = call.deadline(&self.config).filter(|_| is_live);
        self.timers
            .arm(|| TimerKey::Call(id.clone()), deadline, &mut call.queued);
    }

    pub(crate) fn fire_call(&mut self, id: &CallId, due: Timestamp) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        call.queued.pop(due);
        let is_live = self
            .bridges
            .get(&call.source)
            .is_some_and(|bridge| bridge.state() == FeedState::Live);
        let is_due = call
            .deadline(&self.config)
            .is_some_and(|deadline| deadline <= due);
        if is_live && is_due {
            let at = self.pass_to(due);
            let Some(call) = self.calls.get_mut(id) else {
                return;
            };
            call.fire(at, &self.config, &mut self.notes);
            self.out.show_call(&call.id, &mut call.dirty);
        }
        self.settle(id);
    }

    // === calls begin and end ===

    fn call_started(
        &mut self,
        source: &SourceId,
        envelope: &FactEnvelope<'_>,
        told: &CallStarted<'_>,
        at: Timestamp,
    ) {
        let now = self.now;
        if !CallId::is_valid(&envelope.subject) {
            let bridge = self.bridge(source);
            bridge.note(AnomalyKind::Impossible, "a call without a valid id", now);
            return;
        }
        if let Some(call) = self.calls.get_mut(envelope.subject.as_ref()) {
            if call.source != *source {
                let bridge = self.bridge(source);
                bridge.note(
                    AnomalyKind::ForeignCall,
                    "a start of another bridge's call",
                    now,
                );
                return;
            }
            if !told.resumed {
                let bridge = self.bridge(source);
                bridge.note(
                    AnomalyKind::Impossible,
                    "a live call that starts again",
                    now,
                );
                return;
            }
            hear(call, envelope, at, now);
            call.resumed(told, at, &self.config, &mut self.notes);
            self.out.show_call(&call.id, &mut call.dirty);
            let id = call.id.clone();
            self.bridge(source).untold.remove(&id);
            self.settle(&id);
            return;
        }
        if self.bridge(source).calls.len() >= self.config.calls_per_source_max {
            let bridge = self.bridge(source);
            bridge.note(
                AnomalyKind::Impossible,
                "more live calls than a bridge can have",
                now,
            );
            return;
        }
        let id = CallId::new(envelope.subject.as_ref());
        let mut call = Call::started(id.clone(), source.clone(), told, at, now, &self.config);
        hear(&mut call, envelope, at, now);
        if !told.resumed && !told.outbound {
            let mut cx = Cx {
                config: &self.config,
                at,
                event: &envelope.id,
                layer: None,
                learnt: &mut self.learnt,
                notes: &mut self.notes,
            };
            call.await_greeting(&mut cx);
        }
        self.append(Entry::CallStarted {
            call: id.clone(),
            source: source.clone(),
            at: call.started_at,
        });
        self.out.show_call(&id, &mut call.dirty);
        self.calls.insert(call);
        self.bridge(source).calls.insert(id.clone());
        self.out.show_platform();
        self.place_call(&id);
        self.settle(&id);
        self.runs.call_began(&id);
    }

    /// The call is over: its commands and its handoff end with it.
    pub(crate) fn end_call(&mut self, id: &CallId, reason: &str) {
        self.end_call_after(id, reason, None);
    }

    /// The same, with the fault that it ended soon after.
    fn end_call_after(&mut self, id: &CallId, reason: &str, after: Option<Evidence>) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let source = call.source.clone();
        self.count_turn(id, Moment::Over);
        self.ladder_ended_with(id);
        self.commands_ended_with(id);
        self.handoff_ended_with(id);
        self.runs.call_ended(id, after.is_some(), self.now);
        self.ledger_ended(id);
        self.calls.remove(id);
        let bridge = self.bridge(&source);
        bridge.calls.remove(id);
        bridge.untold.remove(id);
        self.append(Entry::CallEnded {
            call: id.clone(),
            reason: crate::words::clip(reason, 200),
            at: self.now,
            after,
        });
        self.out.push(Effect::Show(Shown::Gone(id.clone())));
        self.out.show_platform();
    }

    // === the bridge's own facts ===

    fn snapshot_began(&mut self, source: &SourceId, named: &[holdfast_domain::fact::Text<'_>]) {
        let was = self.feed(source);
        let named: std::collections::BTreeSet<&str> =
            named.iter().map(std::convert::AsRef::as_ref).collect();
        let ended: Vec<CallId> = self
            .bridge(source)
            .calls
            .iter()
            .filter(|call| !named.contains(call.as_str()))
            .cloned()
            .collect();
        for call in ended {
            self.end_call(&call, "ended unseen");
        }
        self.bridge(source).snapshot_began();
        self.feed_changed(source, was);
    }

    fn gap_detected(&mut self, source: &SourceId, missing: u64) {
        let (was, now) = (self.feed(source), self.now);
        let bridge = self.bridge(source);
        bridge.is_resyncing = true;
        let example = format!("{missing} events were dropped by the bridge");
        bridge.note_many(AnomalyKind::Dropped, missing.max(1), &example, now);
        let calls: Vec<CallId> = bridge.calls.iter().cloned().collect();
        for id in calls {
            if let Some(call) = self.calls.get_mut(&id) {
                call.forget_all(now, &mut self.notes);
            }
            self.settle(&id);
        }
        self.feed_changed(source, was);
    }

    fn caught_up(&mut self, source: &SourceId, envelope: &FactEnvelope<'_>, at: Timestamp) {
        let was = self.feed(source);
        self.bridge(source).caught_up();
        let calls: Vec<CallId> = self.bridge(source).calls.iter().cloned().collect();
        for id in calls {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            let mut cx = Cx {
                config: &self.config,
                at,
                event: &envelope.id,
                layer: None,
                learnt: &mut self.learnt,
                notes: &mut self.notes,
            };
            call.caught_up(&mut cx);
            self.settle(&id);
        }
        self.feed_changed(source, was);
        self.resolve_commands(source);
    }

    fn heartbeat(&mut self, source: &SourceId, live_calls: u64) {
        let (was, now) = (self.feed(source), self.now);
        let hub_sees = self.sight.judges(now);
        if let Some(bridge) = self.bridges.get_mut(source) {
            bridge.beats(&self.config, now, hub_sees);
        }
        if self.bridge(source).beat_without_snapshot() {
            let untold: Vec<CallId> = self.bridge(source).untold.iter().cloned().collect();
            for call in untold {
                self.end_call(&call, "ended unseen");
            }
            self.bridge(source).caught_up();
            self.resolve_commands(source);
        }
        self.feed_changed(source, was);
        let is_suspected = self.bridge(source).misses_calls(live_calls);
        let was_suspected = std::mem::replace(&mut self.bridge(source).is_suspected, is_suspected);
        if !is_suspected && !was_suspected {
            return;
        }
        let calls: Vec<CallId> = match self.bridges.get(source) {
            Some(bridge) => bridge
                .calls
                .iter()
                .filter(|id| {
                    self.calls
                        .get(*id)
                        .is_some_and(|call| call.ghost_suspected != is_suspected)
                })
                .cloned()
                .collect(),
            None => Vec::new(),
        };
        for id in calls {
            if let Some(call) = self.calls.get_mut(&id) {
                call.ghost_suspected = is_suspected;
            }
            self.arm_call(&id);
        }
    }

    /// A worker of the platform is lost and nobody says which calls it served.
    fn worker_lost_somewhere(
        &mut self,
        source: &SourceId,
        envelope: &FactEnvelope<'_>,
        at: Timestamp,
        worker: &str,
        region: Option<&str>,
    ) {
        let calls: Vec<CallId> = self.bridge(source).calls.iter().cloned().collect();
        for id in calls {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            let is_elsewhere = region.is_some_and(|region| {
                let mut known = call
                    .services
                    .iter()
                    .filter(|s| s.active && !s.region.is_empty());
                known.clone().next().is_some() && known.all(|service| service.region != region)
            });
            if is_elsewhere {
                continue;
            }
            let mut cx = Cx {
                config: &self.config,
                at,
                event: &envelope.id,
                layer: envelope.layer,
                learnt: &mut self.learnt,
                notes: &mut self.notes,
            };
            call.worker_lost(worker, LayerState::Degraded, &mut cx);
            self.out.show_call(&call.id, &mut call.dirty);
            self.settle(&id);
        }
    }

    // === feeds ===

    pub(crate) fn bridge(&mut self, source: &SourceId) -> &mut Bridge {
        let now = self.now;
        self.bridges
            .entry(source.clone())
            .or_insert_with(|| Bridge::new(source.clone(), now))
    }

    pub(crate) fn feed(&self, source: &SourceId) -> FeedState {
        self.bridges
            .get(source)
            .map_or(FeedState::Lost, Bridge::state)
    }

    /// What is known of the call is of now: its bridge is heard, and so is it.
    pub(crate) fn is_heard(&self, call: &Call) -> bool {
        self.feed(&call.source) == FeedState::Live && call.ghost_since.is_none()
    }

    /// The bridge said something, and everything before it is known.
    pub(crate) fn heard_in_order(&mut self, source: &SourceId) {
        let now = self.now;
        // The usual case costs one look: a deadline that moves later needs nothing.
        if let Some(bridge) = self.bridges.get_mut(source)
            && bridge.state() == FeedState::Live
        {
            bridge.heard(now);
            return;
        }
        let was = self.feed(source);
        let bridge = self.bridge(source);
        bridge.is_missing = false;
        bridge.heard(now);
        self.feed_changed(source, was);
    }

    /// The bridge lives. What it said before may still be missing.
    pub(crate) fn heard(&mut self, source: &SourceId) {
        let (was, now) = (self.feed(source), self.now);
        self.bridge(source).heard(now);
        self.feed_changed(source, was);
    }

    /// After anything that may have changed a feed: tells it, if it did, and queues its deadline.
    pub(crate) fn feed_changed(&mut self, source: &SourceId, was: FeedState) {
        let now = self.now;
        let Some(bridge) = self.bridges.get_mut(source) else {
            return;
        };
        let deadline = bridge.deadline(&self.config);
        let key = || TimerKey::Bridge(source.clone());
        self.timers.arm(key, deadline, &mut bridge.queued);
        let is = bridge.state();
        if is == was {
            return;
        }
        self.out.show_platform();
        let calls: Vec<CallId> = bridge.calls.iter().cloned().collect();
        for id in calls {
            if let Some(call) = self.calls.get_mut(&id) {
                if is == FeedState::Live {
                    // What was held up arrives now; nothing is late before it had the chance to.
                    call.not_before = now + LATE_GRACE_MS;
                    if call.ghost_since.is_none() {
                        call.heard_at = now;
                    }
                }
                self.out.show_call(&call.id, &mut call.dirty);
            }
            self.arm_call(&id);
        }
    }

    pub(crate) fn fire_bridge(&mut self, source: &SourceId, due: Timestamp) {
        let was = self.feed(source);
        let Some(bridge) = self.bridges.get_mut(source) else {
            return;
        };
        bridge.queued.pop(due);
        let is_due = bridge
            .deadline(&self.config)
            .is_some_and(|deadline| deadline <= due);
        if is_due {
            self.pass_to(due);
            let calls: Vec<CallId> = self.bridge(source).calls.iter().cloned().collect();
            if matches!(was, FeedState::Live | FeedState::Resyncing) {
                self.bridge(source).is_silent = true;
            } else if calls.is_empty() {
                self.commands_gone_with(source);
                self.bridges.remove(source);
                self.out.show_platform();
            } else {
                for call in calls {
                    self.end_call(&call, "given up: its bridge is gone");
                }
            }
        }
        self.feed_changed(source, was);
    }

    /// The commands on a call, newest first.
    pub(crate) fn commands_of(&self, id: &CallId) -> Vec<CommandId> {
        self.calls
            .get(id)
            .map(|call| call.commands.iter().rev().cloned().collect())
            .unwrap_or_default()
    }
}

/// A fact about a call arrived.
fn hear(call: &mut Call, envelope: &FactEnvelope<'_>, at: Timestamp, now: Timestamp) {
    call.heard_at = now;
    call.last_fact_at = call.last_fact_at.max(at);
    call.last_event.clear();
    call.last_event.push_str(&envelope.id);
    if now.since(at) > LATE_MS {
        call.not_before = now + LATE_GRACE_MS;
    }
}
