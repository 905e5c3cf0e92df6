//! What other calls tell of a service: which one is dead, and which one a call can go back to.

use holdfast_domain::fact::{Fact, FactEnvelope};
use holdfast_domain::{CallId, CauseState, Command, Layer};

use super::guards::Manner;
use super::{Step, rungs};
use crate::Engine;

impl Engine {
    // === causes ===

    /// Calls were compared: those that fail by a shared cause climb together, and those that use
    /// what is dead do as they come to their next turn.
    pub(crate) fn climb_by_cause(&mut self) {
        if !self.is_armed || self.runs.lever_is_pulled() {
            return;
        }
        let mut dead = Vec::new();
        let mut members = Vec::new();
        for group in self.causes.alive() {
            if group.state != CauseState::Active {
                continue;
            }
            members.extend(self.calls_of_cause(group, holdfast_domain::CauseReach::Failing));
            if rungs::is_of_service(&group.traits) {
                dead.push((group.layer, group.traits.clone()));
            }
        }
        self.failovers.dead = dead;
        for id in members {
            self.ladder(&id);
        }
    }

    // === going back ===

    /// A service did its work for a call, or a probe of it came back.
    fn seen_good(&mut self, key: &str) {
        if let Some(watch) = self.failovers.watches.get_mut(key) {
            watch.good = watch.good.saturating_add(1);
        }
    }

    /// A turn of a call was answered by what serves it.
    pub(crate) fn ladder_worked(&mut self, id: &CallId) {
        if self.failovers.watches.is_empty() {
            return;
        }
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let active = call.services.iter().filter(|service| service.active);
        let keys: Vec<String> = active.map(rungs::service_key).collect();
        for key in keys {
            self.seen_good(&key);
        }
    }

    /// A fact that says how a service does beyond the call that it is told of.
    pub(crate) fn ladder_heard(&mut self, call: Option<&CallId>, envelope: &FactEnvelope<'_>) {
        if self.failovers.watches.is_empty() {
            return;
        }
        let (service, is_good) = match &envelope.fact {
            Fact::ServiceLatency {
                service,
                probe: true,
                ..
            } => (service, true),
            Fact::ServiceError { service, .. } => (service, false),
            _ => return,
        };
        let key = call.and_then(|id| self.calls.get(id)).and_then(|call| {
            let is_it = |known: &&holdfast_domain::Service| {
                known.name == *service && envelope.layer.is_none_or(|layer| layer == known.layer)
            };
            call.services.iter().find(is_it).map(rungs::service_key)
        });
        for (of, watch) in &mut self.failovers.watches {
            let is_it = match &key {
                Some(key) => key == of,
                None => watch.name == *service && envelope.layer == Some(watch.layer),
            };
            if is_it {
                watch.good = if is_good {
                    watch.good.saturating_add(1)
                } else {
                    0
                };
            }
        }
    }

    pub(super) fn go_back(&mut self, id: &CallId, layer: Layer) {
        let Some(climb) = self.failovers.climb(id, layer).cloned() else {
            return;
        };
        let Some(since) = climb.off else {
            return;
        };
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let Some(primary) = call
            .services
            .iter()
            .find(|service| service.layer == layer && service.name == climb.primary)
        else {
            return;
        };
        if primary.active {
            // The platform or a person went back already.
            self.has_returned(id, layer);
            return;
        }
        if climb.has_returned {
            return;
        }
        let Some((dwell, probes)) = self.back_of(id, layer) else {
            return;
        };
        let watch = self.failovers.watches.get(&rungs::service_key(primary));
        let is_well = watch.is_some_and(|watch| watch.good >= probes)
            && !rungs::is_any_dead(primary, &self.failovers.dead);
        let is_quiet = call.turn.is_none() && primary.usable;
        if self.now.since(since) < dwell || !is_well || !is_quiet {
            return;
        }
        if self.held_by(id, Manner::Told).is_some() || self.is_being_switched(call, layer) {
            return;
        }
        let expect = call.active(layer).map(|active| active.name.clone());
        let Some(policy) = self.policy(&climb.policy).cloned() else {
            return;
        };
        if let Err(why) = self.allow(&climb.policy, &policy, id, layer) {
            self.say(
                id,
                layer,
                &format!("not back on {} yet: {why}", climb.primary),
            );
            return;
        }
        let command = Command::SwitchModel {
            layer,
            to: climb.primary.clone(),
            retry_turn: false,
            announcement: None,
        };
        let actor = format!("policy {}", climb.policy.playbook);
        let record = self.order(id, command, expect, &actor, self.config.command_ttl_ms);
        let command = record.id.clone();
        self.failovers.set(id, layer, Step::Returning { command });
        self.say(id, layer, &format!("{actor}: back to {}", climb.primary));
        self.issue(record);
    }
}
