//! The ladder, climbed by the hub itself where a policy is armed for it.
//!
//! ```text
//! Rest -> Trying -> Off -> Returning -> Rest (and never back again)
//!  |^ \      |       |         |
//!  || Held   +-> Rest (the next rung) <-+     -> Human (a person was asked for)
//!  |+ Refused                                 -> Ended (nothing is left)
//! ```
//!
//! A step is an order like a person's: written down before it leaves, read back, proven by the next
//! good turn. What a moment holds back is told with its reason, and is done at the first moment
//! that allows it.
//! Deliberately absent: what a policy says (`domain::playbook`), and how an order goes its way
//! (`commands`).

mod back;
mod guards;
mod outcome;
mod rungs;

use std::collections::BTreeMap;

use holdfast_domain::playbook::FailoverPolicy;
use holdfast_domain::{
    ActId, CallId, CauseTrait, Command, CommandId, CommandRecord, CommandState, DurationMs,
    HandoffReason, Layer, LayerState, PlaybookId, Progress, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::timers::Queued;
use crate::{Engine, Entry};

use guards::{Guard, Manner};
use rungs::Target;

/// A step that waits for so long is told of once more: a payment, a write or a sentence takes less.
const HELD_LONG_MS: DurationMs = 60_000;
/// How often a step that waits looks by itself. What ends on the call is seen at once; that the hub
/// sees again, or that a bridge is heard again, is no news of any call.
const HELD_LOOK_MS: DurationMs = 1_000;
/// How soon a step that the budget or the breaker refused is tried again.
const REFUSED_MS: DurationMs = 1_000;
/// How often a call that has dwelt long enough looks whether its primary is well.
const LOOK_BACK_MS: DurationMs = 5_000;

/// Every call that the hub moves or has moved, and what keeps it from moving more.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Failovers {
    calls: BTreeMap<CallId, OfCall>,
    /// By the policy's key.
    guards: BTreeMap<String, Guard>,
    /// Good probes in a row of services that calls were moved away from, by the service's key.
    watches: BTreeMap<String, Watch>,
    /// What shared causes say of services now: in which layer, and of which services.
    dead: Vec<(Layer, Vec<CauseTrait>)>,
    /// Calls that are off their primary by a policy.
    n_off: u32,
    /// How many steps there ever were: ids are never used twice.
    count: u64,
}

/// The layers of one call.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OfCall {
    climbs: Vec<Climb>,
    #[serde(skip)]
    queued: Queued,
}

/// One layer of one call on the ladder.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Climb {
    layer: Layer,
    policy: PolicyRef,
    /// What served the layer before the first step.
    primary: String,
    step: Step,
    /// The place in the policy's rungs that is tried next.
    next: usize,
    /// Services that were tried and did not help.
    tried: Vec<String>,
    /// Since when another service than the primary serves by a step of ours.
    off: Option<Timestamp>,
    has_returned: bool,
    /// What was told last.
    told: String,
}

/// Where an armed policy stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PolicyRef {
    playbook: PlaybookId,
    place: usize,
}

impl PolicyRef {
    fn key(&self) -> String {
        format!("{}#{}", self.playbook, self.place)
    }
}

/// How far a climb is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// Nothing is under way.
    Rest,
    /// It waits for a moment to end.
    Held {
        since: Timestamp,
        look_at: Timestamp,
    },
    /// The budget or the breaker is against it.
    Refused { at: Timestamp },
    /// A switch to this service is under way, or waits for its proof.
    Trying { command: CommandId, to: String },
    /// Another service than the primary serves well.
    Off { look_at: Timestamp },
    /// The switch back is under way, or waits for its proof.
    Returning { command: CommandId },
    /// A person was asked for.
    Human,
    /// Nothing more is done by itself until the layer is well.
    Ended,
}

impl Climb {
    /// From now on it climbs again if it must, with every rung before it, and does not go back.
    fn stays(&mut self, step: Step) {
        self.step = step;
        self.has_returned = true;
        self.next = 0;
        self.tried.clear();
    }

    /// It counts against the share of calls that may be off their primary.
    const fn is_off(&self) -> bool {
        match self.step {
            Step::Trying { .. } | Step::Off { .. } | Step::Returning { .. } | Step::Human => true,
            Step::Rest | Step::Held { .. } | Step::Refused { .. } | Step::Ended => {
                self.off.is_some()
            }
        }
    }
}

impl Step {
    fn command(&self) -> Option<&CommandId> {
        match self {
            Self::Trying { command, .. } | Self::Returning { command } => Some(command),
            Self::Rest
            | Self::Held { .. }
            | Self::Refused { .. }
            | Self::Off { .. }
            | Self::Human
            | Self::Ended => None,
        }
    }
}

/// A service that calls were moved away from.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Watch {
    layer: Layer,
    name: String,
    good: u32,
}

impl Failovers {
    fn climb(&self, call: &CallId, layer: Layer) -> Option<&Climb> {
        let of_call = self.calls.get(call)?;
        of_call.climbs.iter().find(|climb| climb.layer == layer)
    }

    fn climb_mut(&mut self, call: &CallId, layer: Layer) -> Option<&mut Climb> {
        let of_call = self.calls.get_mut(call)?;
        of_call.climbs.iter_mut().find(|climb| climb.layer == layer)
    }

    /// A policy ordered this command.
    pub(crate) fn ordered(&self, record: &CommandRecord) -> bool {
        let of_call = record.call.as_ref().and_then(|call| self.calls.get(call));
        let climbs = of_call.map_or(&[][..], |of_call| &of_call.climbs);
        climbs
            .iter()
            .any(|climb| climb.step.command() == Some(&record.id))
    }

    fn set(&mut self, call: &CallId, layer: Layer, step: Step) {
        self.change(call, layer, |climb| climb.step = step);
    }

    /// Every change of what counts as off goes through here.
    fn change(&mut self, call: &CallId, layer: Layer, change: impl FnOnce(&mut Climb)) {
        let Some(climb) = self.climb_mut(call, layer) else {
            return;
        };
        let was = climb.is_off();
        change(climb);
        let is = climb.is_off();
        self.n_off = match (was, is) {
            (false, true) => self.n_off.saturating_add(1),
            (true, false) => self.n_off.saturating_sub(1),
            _ => self.n_off,
        };
    }
}

impl Engine {
    /// Looks whether a call has to climb, waits for the moment, or can go back. Called after
    /// everything that changed the call.
    pub(crate) fn ladder(&mut self, id: &CallId) {
        if !self.is_armed || self.runs.lever_is_pulled() {
            return;
        }
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let is_known = self.failovers.calls.contains_key(id);
        let mut layers = Layer::ALL.map(|layer| call.layers[layer].state >= LayerState::Degraded);
        for (layer, of) in &self.failovers.dead {
            layers[*layer as usize] |=
                guards::is_time_ahead(call, *layer) && rungs::is_dead(call.active(*layer), of);
        }
        if !is_known && !layers.contains(&true) {
            return;
        }
        for layer in Layer::ALL {
            if layers[layer as usize] || self.failovers.climb(id, layer).is_some() {
                self.climb(id, layer);
            }
        }
        self.arm_ladder(id);
    }

    fn climb(&mut self, id: &CallId, layer: Layer) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let is_well = call.layers[layer].state < LayerState::Degraded;
        let step = self.failovers.climb(id, layer).map(|climb| &climb.step);
        match step {
            None | Some(Step::Rest | Step::Held { .. } | Step::Refused { .. }) => {
                self.climb_on(id, layer);
            }
            Some(Step::Off { .. }) if !is_well => self.climb_on(id, layer),
            Some(Step::Off { .. }) => self.go_back(id, layer),
            Some(Step::Ended) if is_well => self.rest(id, layer),
            Some(Step::Trying { .. } | Step::Returning { .. } | Step::Human | Step::Ended) => {}
        }
    }

    /// Takes the next step, if the layer fails and nothing is against it.
    fn climb_on(&mut self, id: &CallId, layer: Layer) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let known = self
            .failovers
            .climb(id, layer)
            .map(|climb| climb.policy.clone());
        let Some(of) = known.or_else(|| self.policy_for(call, layer)) else {
            return;
        };
        let Some(policy) = self.policy(&of) else {
            return;
        };
        let is_ahead = self.is_ahead(call, layer);
        let manner = Manner::of(call, layer, is_ahead);
        if !is_ahead && !self.is_failing(call, layer, policy.state) {
            self.rest(id, layer);
            return;
        }
        // An error of a service that a person or the platform has replaced is no reason.
        if self.is_being_switched(call, layer) {
            return;
        }
        let Some(primary) = call.active(layer).map(|active| active.name.clone()) else {
            return;
        };
        let policy = policy.clone();
        if self.failovers.climb(id, layer).is_none() {
            let of_call = self.failovers.calls.entry(id.clone()).or_default();
            of_call.climbs.push(Climb {
                layer,
                policy: of.clone(),
                primary,
                step: Step::Rest,
                next: 0,
                tried: Vec::new(),
                off: None,
                has_returned: false,
                told: String::new(),
            });
        }
        self.watch(id, layer);
        if let Some(why) = self.held_by(id, manner) {
            self.hold(id, layer, why);
            return;
        }
        let (next, tried) = self
            .failovers
            .climb(id, layer)
            .map(|climb| (climb.next, climb.tried.clone()))
            .unwrap_or_default();
        let (place, target) = match self.choose(id, layer, &policy, next, &tried) {
            Ok(chosen) => chosen,
            Err(why) => {
                self.failovers.set(id, layer, Step::Ended);
                self.say(id, layer, &format!("not switched: {why}; route to humans"));
                return;
            }
        };
        if manner == Manner::Silent && matches!(target, Target::Human) {
            // A person is not called in silence. What has not failed yet needs none.
            if !is_ahead {
                self.hold(id, layer, "the caller speaks");
            }
            return;
        }
        if let Err(why) = self.allow(&of, &policy, id, layer) {
            let at = self.now;
            self.failovers.set(id, layer, Step::Refused { at });
            self.say(id, layer, &format!("not switched: {why}"));
            return;
        }
        self.take_step(id, layer, &of, &policy, (place, target), manner);
    }

    fn take_step(
        &mut self,
        id: &CallId,
        layer: Layer,
        of: &PolicyRef,
        policy: &FailoverPolicy,
        (place, target): (usize, Target),
        manner: Manner,
    ) {
        let rung = &policy.rungs[place];
        let heard = self.sentence(id, of, &rung.announcement);
        if let Some(climb) = self.failovers.climb_mut(id, layer) {
            climb.next = place + 1;
        }
        let actor = format!("policy {}", of.playbook);
        match target {
            Target::Service(to) => {
                let Some(call) = self.calls.get(id) else {
                    return;
                };
                let command = Command::SwitchModel {
                    layer,
                    to: to.clone(),
                    retry_turn: call.has_failing_turn(layer) && manner == Manner::Told,
                    announcement: heard.filter(|_| manner == Manner::Told),
                };
                let expect = call.active(layer).map(|active| active.name.clone());
                let ttl = DurationMs::from(rung.deadline_ms).min(self.config.command_ttl_ms);
                let record = self.order(id, command, expect, &actor, ttl);
                let command = record.id.clone();
                let text = format!("{actor}: to {to}");
                self.failovers.set(id, layer, Step::Trying { command, to });
                self.say(id, layer, &text);
                self.issue(record);
            }
            Target::Human => {
                let Some(call) = self.calls.get(id) else {
                    return;
                };
                let language = call.dialogue.language.clone();
                if let Some(text) = heard.filter(|_| self.can(id, "announce")) {
                    let command = Command::Announce { text, language };
                    let ttl = self.config.command_ttl_ms;
                    let record = self.order(id, command, None, &actor, ttl);
                    self.issue(record);
                }
                self.failovers.set(id, layer, Step::Human);
                self.say(id, layer, &format!("{actor}: to a human"));
                let handoff = holdfast_domain::HandoffId::new(format!("h-{}", self.step_id()));
                self.request_handoff(id, handoff, HandoffReason::LadderEnded, &actor);
                self.match_handoffs();
            }
        }
    }

    /// An order of a policy on a call. Its key is the number of the step, which is used once.
    fn order(
        &mut self,
        id: &CallId,
        command: Command,
        expect_active: Option<String>,
        actor: &str,
        ttl: DurationMs,
    ) -> CommandRecord {
        let step = self.step_id();
        let now = self.now;
        let source = self.calls.get(id).map(|call| call.source.clone());
        CommandRecord {
            id: CommandId::new(format!("{step}.1")),
            act: ActId::new(step),
            call: Some(id.clone()),
            source: source.unwrap_or_else(|| holdfast_domain::SourceId::new("")),
            command,
            expect_active,
            actor: actor.to_owned(),
            issued_at: now,
            expires_at: now + ttl,
            progress: vec![Progress {
                state: CommandState::Requested,
                at: now,
            }],
        }
    }

    /// A name that no order has, whatever people call theirs.
    fn step_id(&mut self) -> String {
        loop {
            self.failovers.count += 1;
            let step = format!("policy-{}", self.failovers.count);
            if self
                .commands
                .get(&CommandId::new(format!("{step}.1")))
                .is_none()
            {
                return step;
            }
        }
    }

    /// The layer is well, or is somebody else's to mend: what waited does not wait any more.
    fn rest(&mut self, id: &CallId, layer: Layer) {
        let Some(climb) = self.failovers.climb(id, layer) else {
            return;
        };
        // A call that is off its primary still has a way back.
        let look_at = self.now + LOOK_BACK_MS;
        let step = match (&climb.step, climb.off) {
            (Step::Held { .. } | Step::Refused { .. } | Step::Ended, None) => Step::Rest,
            (Step::Held { .. } | Step::Refused { .. } | Step::Ended | Step::Rest, Some(_)) => {
                Step::Off { look_at }
            }
            _ => return,
        };
        self.failovers.set(id, layer, step);
        self.say(id, layer, "");
    }

    fn hold(&mut self, id: &CallId, layer: Layer, why: &str) {
        let Some(climb) = self.failovers.climb(id, layer) else {
            return;
        };
        let now = self.now;
        let since = if let Step::Held { since, .. } = climb.step {
            since
        } else {
            let look_at = now + HELD_LOOK_MS;
            let step = Step::Held {
                since: now,
                look_at,
            };
            self.failovers.set(id, layer, step);
            now
        };
        let long = if now.since(since) >= HELD_LONG_MS {
            ", for a minute now; look at the call"
        } else {
            ""
        };
        self.say(id, layer, &format!("not switched yet: {why}{long}"));
    }

    /// Tells what the ladder does, or does not do, once; nothing takes it back.
    fn say(&mut self, id: &CallId, layer: Layer, text: &str) {
        let Some(climb) = self.failovers.climb_mut(id, layer) else {
            return;
        };
        if climb.told == text {
            return;
        }
        text.clone_into(&mut climb.told);
        let policy = climb.policy.playbook.clone();
        if let Some(call) = self.calls.get_mut(id) {
            call.ladder = (!text.is_empty()).then(|| text.to_owned());
            self.out.show_call(&call.id, &mut call.dirty);
        }
        if !text.is_empty() {
            let at = self.now;
            self.append(Entry::Ladder {
                call: id.clone(),
                layer,
                policy,
                text: text.to_owned(),
                at,
            });
        }
    }
}
