//! What keeps failover from becoming the outage: moments, a budget, a breaker.

use std::collections::VecDeque;

use holdfast_domain::playbook::{Breaker, FailoverPolicy};
use holdfast_domain::{
    CallId, Command, CommandState, DurationMs, HandoffState, Layer, Protected, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Climb, PolicyRef};
use crate::Engine;
use crate::calls::Call;

/// The budget's window.
const MINUTE_MS: DurationMs = 60_000;
/// Attempts are counted by this, so that a minute of 12,000 of them is 60 numbers.
const BUCKET_MS: DurationMs = 1_000;

/// What one policy has done lately.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Guard {
    /// Attempts by the second in which they were made, oldest first.
    attempts: VecDeque<(Timestamp, u32)>,
    /// How the newest attempts ended, oldest first.
    ended: VecDeque<bool>,
    state: BreakerState,
}

/// The breaker of one policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
enum BreakerState {
    /// Attempts are made.
    #[default]
    Closed,
    /// Too many failed: none is made before this.
    Open { until: Timestamp },
    /// One call tries whether it helps again.
    Trial { call: CallId },
}

impl Guard {
    fn in_last_minute(&mut self, now: Timestamp) -> u32 {
        while self
            .attempts
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= MINUTE_MS)
        {
            self.attempts.pop_front();
        }
        self.attempts.iter().map(|(_, n)| *n).sum()
    }

    fn count(&mut self, now: Timestamp) {
        match self.attempts.back_mut() {
            Some((at, n)) if now.since(*at) < BUCKET_MS => *n += 1,
            _ => self.attempts.push_back((now, 1)),
        }
    }

    /// Whether one more attempt may be made; it is the trial of an open breaker whose time is over.
    fn passes(&mut self, call: &CallId, now: Timestamp) -> bool {
        match &self.state {
            BreakerState::Closed => true,
            BreakerState::Open { until } if now >= *until => {
                self.state = BreakerState::Trial { call: call.clone() };
                true
            }
            BreakerState::Open { .. } => false,
            BreakerState::Trial { call: tries } => tries == call,
        }
    }

    /// An attempt ended. True when this opened the breaker.
    fn judge(&mut self, call: &CallId, helped: bool, breaker: Breaker, now: Timestamp) -> bool {
        let open = BreakerState::Open {
            until: now + DurationMs::from(breaker.open_s) * 1_000,
        };
        match &self.state {
            BreakerState::Trial { call: tries } if tries == call => {
                self.ended.clear();
                self.state = if helped { BreakerState::Closed } else { open };
                return !helped;
            }
            // Those under way when it opened say nothing new.
            BreakerState::Trial { .. } | BreakerState::Open { .. } => return false,
            BreakerState::Closed => {}
        }
        self.ended.push_back(helped);
        while self.ended.len() > breaker.attempts_min.max(1) as usize {
            self.ended.pop_front();
        }
        let (all, failed) = (
            self.ended.len() as u64,
            self.ended.iter().filter(|helped| !**helped).count() as u64,
        );
        let is_judged = all >= u64::from(breaker.attempts_min.max(1));
        if is_judged && failed * 100 >= u64::from(breaker.failed_percent) * all {
            self.ended.clear();
            self.state = open;
            return true;
        }
        false
    }

    /// The call that tried is over: another may.
    pub(super) fn trial_is_gone(&mut self, call: &CallId) {
        if matches!(&self.state, BreakerState::Trial { call: tries } if tries == call) {
            self.state = BreakerState::Open {
                until: Timestamp::default(),
            };
        }
    }
}

/// How a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// The caller hears of it, and the failed turn is tried again.
    Told,
    /// Nobody hears of it: nothing has failed for the caller yet, or they speak already and the
    /// turn that they begin is answered by what serves from now on.
    Silent,
}

impl Manner {
    pub(super) fn of(call: &Call, layer: Layer, is_ahead: bool) -> Self {
        if is_ahead || call.floor.caller.is_some() && !listens(layer) {
            Self::Silent
        } else {
            Self::Told
        }
    }
}

/// The layer is at work while the caller speaks: a switch would cost them words.
pub(super) const fn listens(layer: Layer) -> bool {
    matches!(layer, Layer::Asr)
}

/// The moment for a step ahead of a failure: the caller begins a turn that the layer would have to
/// answer, or nobody speaks and it would have to listen next.
pub(super) const fn is_time_ahead(call: &Call, layer: Layer) -> bool {
    if listens(layer) {
        call.floor.nobody_speaks()
    } else {
        call.floor.caller.is_some()
    }
}

impl Engine {
    /// Why nothing may be done on the call at this very moment. An identity check is no reason: what
    /// it has shown so far is known outside of the model, and parity says that the target has it.
    pub(super) fn held_by(&self, id: &CallId, manner: Manner) -> Option<&'static str> {
        let call = self.calls.get(id)?;
        if self.sight.is_blind() {
            return Some("the hub itself cannot see");
        }
        if !self.is_heard(call) {
            return Some("its bridge is not heard");
        }
        if call.floor.agent.is_some() {
            return Some("the agent speaks");
        }
        if call.floor.caller.is_some() && manner == Manner::Told {
            return Some("the caller speaks");
        }
        if call.protected == Some(Protected::Payment) {
            return Some("the caller is in a payment");
        }
        if call.has_write_under_way() {
            return Some("a tool writes");
        }
        let is_ordered = self.commands.of_call(call).any(|record| {
            matches!(
                record.state(),
                CommandState::Requested | CommandState::Accepted | CommandState::Unknown
            )
        });
        if is_ordered {
            return Some("another order is under way");
        }
        let handoff = call.handoff.as_ref().and_then(|id| self.handoffs.get(id));
        let is_taken = handoff.is_some_and(|handoff| {
            matches!(
                handoff.state,
                HandoffState::Accepted { .. } | HandoffState::Bridged { .. }
            )
        });
        is_taken.then_some("a human takes the call")
    }

    /// A switch of this layer waits for its proof: what failed before it says nothing about it.
    pub(super) fn is_being_switched(&self, call: &Call, layer: Layer) -> bool {
        self.commands.of_call(call).any(|record| {
            matches!(record.state(), CommandState::Applied { .. })
                && matches!(&record.command, Command::SwitchModel { layer: of, .. } if *of == layer)
                && !self.is_given_up(call, layer, record)
        })
    }

    /// The policy's own step whose proof is not waited for any more.
    fn is_given_up(
        &self,
        call: &Call,
        layer: Layer,
        record: &holdfast_domain::CommandRecord,
    ) -> bool {
        let climb = self.failovers.climb(&call.id, layer);
        climb.is_some_and(|climb| {
            record.actor == format!("policy {}", climb.policy.playbook)
                && climb.step.command() != Some(&record.id)
        })
    }

    /// Counts one attempt, if the budget and the breaker let it pass; else says why not.
    pub(super) fn allow(
        &mut self,
        of: &PolicyRef,
        policy: &FailoverPolicy,
        id: &CallId,
        layer: Layer,
    ) -> Result<(), String> {
        let (now, live) = (self.now, self.calls.len() as u64);
        let climb = self.failovers.climb(id, layer);
        let is_off = climb.is_some_and(Climb::is_off);
        let off = u64::from(self.failovers.n_off) + u64::from(!is_off);
        let budget = policy.budget;
        let guard = self.failovers.guards.entry(of.key()).or_default();
        let n = guard.in_last_minute(now);
        if n >= budget.per_minute {
            return Err(format!(
                "the budget of {} steps a minute is used up",
                budget.per_minute
            ));
        }
        // One call may always move: a share of a handful is nothing.
        let most = (live * u64::from(budget.live_percent) / 100).max(1);
        if off > most {
            return Err(format!(
                "{} of {live} live calls are off their primary, more than {} percent may not be",
                off - 1,
                budget.live_percent
            ));
        }
        if !guard.passes(id, now) {
            return Err("too many steps of this policy failed; it waits and asks a person".into());
        }
        guard.count(now);
        Ok(())
    }

    /// A step of a policy ended.
    pub(super) fn judge(&mut self, id: &CallId, layer: Layer, helped: bool) {
        let Some(of) = self
            .failovers
            .climb(id, layer)
            .map(|climb| climb.policy.clone())
        else {
            return;
        };
        let Some(breaker) = self.policy(&of).map(|policy| policy.breaker) else {
            return;
        };
        let now = self.now;
        let guard = self.failovers.guards.entry(of.key()).or_default();
        if guard.judge(id, helped, breaker, now) {
            let text = format!(
                "policy {} stops for {} s: too many of its steps failed",
                of.playbook, breaker.open_s
            );
            self.say(id, layer, &text);
        }
    }
}
