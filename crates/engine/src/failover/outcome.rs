//! What comes of a step, and when it has waited long enough.

use holdfast_domain::{
    CallId, Command, CommandRecord, CommandState, DurationMs, FailureKind, Layer, Timestamp,
};

use super::{Climb, HELD_LOOK_MS, LOOK_BACK_MS, REFUSED_MS, Step};
use crate::Engine;
use crate::calls::Call;
use crate::timers::TimerKey;

impl Engine {
    // === what comes of a step ===

    /// An order reached a state.
    pub(crate) fn ladder_advanced(&mut self, record: &CommandRecord) {
        let (Some(id), Command::SwitchModel { layer, .. }) = (&record.call, &record.command) else {
            return;
        };
        let (id, layer) = (id.clone(), *layer);
        let ours = self
            .failovers
            .climb(&id, layer)
            .map(|climb| climb.step.clone());
        let Some(step) = ours.filter(|step| step.command() == Some(&record.id)) else {
            return;
        };
        match record.state() {
            CommandState::Proven { .. } => self.step_proven(&id, layer, &step),
            CommandState::Failed { kind, .. } if *kind == FailureKind::CallEnded => {}
            CommandState::Failed { .. } | CommandState::Rejected { .. } | CommandState::Expired => {
                let why = match record.state() {
                    CommandState::Failed { message, .. }
                    | CommandState::Rejected { message, .. } => message.clone(),
                    _ => "it was not begun in time".to_owned(),
                };
                self.step_failed(&id, layer, &step, &why);
            }
            CommandState::Applied { .. } => {
                let now = self.now;
                if matches!(step, Step::Trying { .. }) {
                    // It serves from now on, whether or not it helps.
                    self.failovers.change(&id, layer, |climb| {
                        climb.off.get_or_insert(now);
                    });
                }
                self.retry_what_failed_meanwhile(&id, record);
                self.arm_ladder(&id);
            }
            CommandState::Requested | CommandState::Accepted | CommandState::Unknown => {
                self.arm_ladder(&id);
            }
        }
    }

    /// A step that nobody heard of was ordered before the turn failed: the turn is tried again now,
    /// since nothing else will.
    fn retry_what_failed_meanwhile(&mut self, id: &CallId, record: &CommandRecord) {
        let is_silent = matches!(
            record.command,
            Command::SwitchModel {
                retry_turn: false,
                ..
            }
        );
        let is_owed = self
            .calls
            .get(id)
            .is_some_and(|call| call.has_refused_turn() && call.floor.nobody_speaks());
        if !is_silent || !is_owed || !self.can(id, "retry_turn") {
            return;
        }
        let actor = record.actor.clone();
        let ttl = self.config.command_ttl_ms;
        let retry = self.order(id, Command::RetryTurn, None, &actor, ttl);
        self.issue(retry);
    }

    fn step_proven(&mut self, id: &CallId, layer: Layer, step: &Step) {
        let now = self.now;
        if let Step::Trying { to, .. } = step {
            self.judge(id, layer, true);
            let dwell = self.back_of(id, layer).map_or(0, |back| back.0);
            let look_at = now + dwell;
            self.failovers.change(id, layer, |climb| {
                climb.off = Some(now);
                climb.step = Step::Off { look_at };
            });
            self.say(id, layer, &format!("{to} serves, proven by a good turn"));
        } else {
            self.has_returned(id, layer);
            self.say(id, layer, "back on its primary, proven by a good turn");
        }
        self.arm_ladder(id);
    }

    fn step_failed(&mut self, id: &CallId, layer: Layer, step: &Step, why: &str) {
        self.judge(id, layer, false);
        let text = if let Step::Trying { to, .. } = step {
            if let Some(climb) = self.failovers.climb_mut(id, layer) {
                climb.tried.push(to.clone());
            }
            self.failovers.set(id, layer, Step::Rest);
            format!("{to} did not help: {why}")
        } else {
            let look_at = self.now;
            self.failovers.change(id, layer, |climb| {
                climb.stays(Step::Off { look_at });
            });
            format!("could not go back: {why}")
        };
        self.say(id, layer, &text);
        if self.is_armed && !self.runs.lever_is_pulled() {
            self.climb_on(id, layer);
        }
        self.arm_ladder(id);
    }

    /// A call goes back once: from now on it climbs again if it must, and stays where it is.
    pub(super) fn has_returned(&mut self, id: &CallId, layer: Layer) {
        self.failovers.change(id, layer, |climb| {
            climb.off = None;
            climb.stays(Step::Rest);
        });
    }

    /// The service that a step moved to says that it fails, too: its proof is not waited for.
    pub(crate) fn ladder_error(&mut self, id: &CallId, layer: Layer) {
        let step = self
            .failovers
            .climb(id, layer)
            .map(|climb| climb.step.clone());
        let Some(step @ (Step::Trying { .. } | Step::Returning { .. })) = step else {
            return;
        };
        let is_applied = step
            .command()
            .and_then(|command| self.commands.get(command))
            .is_some_and(|record| matches!(record.state(), CommandState::Applied { .. }));
        if is_applied && self.is_armed && !self.runs.lever_is_pulled() {
            self.step_failed(id, layer, &step, "it fails, too");
        }
    }

    /// The call is over.
    pub(crate) fn ladder_ended_with(&mut self, id: &CallId) {
        let Some(of_call) = self.failovers.calls.get(id) else {
            return;
        };
        let layers: Vec<Layer> = of_call.climbs.iter().map(|climb| climb.layer).collect();
        for layer in layers {
            self.failovers.change(id, layer, |climb| {
                climb.step = Step::Ended;
                climb.off = None;
            });
        }
        for guard in self.failovers.guards.values_mut() {
            guard.trial_is_gone(id);
        }
        self.failovers.calls.remove(id);
    }

    // === time ===

    fn ladder_deadline(&self, id: &CallId) -> Option<Timestamp> {
        if !self.is_armed || self.runs.lever_is_pulled() {
            return None;
        }
        let of_call = self.failovers.calls.get(id)?;
        let call = self.calls.get(id)?;
        let due = |climb: &Climb| self.climb_deadline(call, climb);
        of_call.climbs.iter().filter_map(due).min()
    }

    fn climb_deadline(&self, call: &Call, climb: &Climb) -> Option<Timestamp> {
        match &climb.step {
            Step::Held { look_at, .. } => Some(*look_at),
            Step::Refused { at } => Some(*at + REFUSED_MS),
            Step::Off { look_at, .. } if !climb.has_returned => Some(*look_at),
            Step::Trying { command, .. } | Step::Returning { command } => {
                let record = self.commands.get(command)?;
                let applied = record.progress.last()?;
                let CommandState::Applied { .. } = applied.state else {
                    return None;
                };
                // The proof is a turn: it has its time while the caller waits for an answer, not
                // while the announcement is heard and not before the caller has spoken.
                let turn = call.turn.as_ref().filter(|_| call.floor.nobody_speaks())?;
                let policy = self.policy(&climb.policy)?;
                let place = climb.next.saturating_sub(1);
                let deadline = policy.rungs.get(place).map_or(0, |rung| rung.deadline_ms);
                let from = applied.at.max(turn.asked).max(call.floor.since);
                Some(from + DurationMs::from(deadline))
            }
            Step::Off { .. } | Step::Rest | Step::Human | Step::Ended => None,
        }
    }

    /// Queues every deadline: after a checkpoint was loaded, and after anything that lets all
    /// policies act or stops them.
    pub(crate) fn queue_ladders(&mut self) {
        let ids: Vec<CallId> = self.failovers.calls.keys().cloned().collect();
        for id in ids {
            self.arm_ladder(&id);
        }
    }

    pub(super) fn arm_ladder(&mut self, id: &CallId) {
        let deadline = self.ladder_deadline(id);
        if let Some(of_call) = self.failovers.calls.get_mut(id) {
            let key = || TimerKey::Ladder(id.clone());
            self.timers.arm(key, deadline, &mut of_call.queued);
        }
    }

    pub(crate) fn fire_ladder(&mut self, id: &CallId, due: Timestamp) {
        let Some(of_call) = self.failovers.calls.get_mut(id) else {
            return;
        };
        of_call.queued.pop(due);
        let is_due = self
            .ladder_deadline(id)
            .is_some_and(|deadline| deadline <= due);
        if is_due {
            self.pass_to(due);
            let of_call = self.failovers.calls.get(id);
            let climbs = of_call
                .map(|of_call| of_call.climbs.clone())
                .unwrap_or_default();
            for climb in climbs {
                let call = self.calls.get(id);
                let deadline = call.and_then(|call| self.climb_deadline(call, &climb));
                if deadline.is_some_and(|deadline| deadline <= due) {
                    self.fire_climb(id, &climb);
                }
            }
        }
        self.arm_ladder(id);
    }

    fn fire_climb(&mut self, id: &CallId, climb: &Climb) {
        let (layer, now) = (climb.layer, self.now);
        match &climb.step {
            Step::Held { since, .. } => {
                let (since, look_at) = (*since, now + HELD_LOOK_MS);
                self.failovers.set(id, layer, Step::Held { since, look_at });
                self.climb_on(id, layer);
            }
            Step::Refused { .. } => {
                self.failovers.set(id, layer, Step::Refused { at: now });
                self.climb_on(id, layer);
            }
            Step::Trying { .. } | Step::Returning { .. } => {
                let why = "no good turn proved it in time";
                self.step_failed(id, layer, &climb.step, why);
            }
            Step::Off { .. } => {
                let look_at = now + LOOK_BACK_MS;
                self.failovers.set(id, layer, Step::Off { look_at });
                self.climb(id, layer);
            }
            Step::Rest | Step::Human | Step::Ended => {}
        }
    }
}
