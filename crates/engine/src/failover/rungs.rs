//! Which policy is for a call, which rung is next, and what the caller hears.

use holdfast_domain::playbook::{FailoverPolicy, Parity, Placeholder};
use holdfast_domain::{
    AnnouncementId, CallId, CauseDimension, CauseTrait, DurationMs, Layer, LayerState, Rung,
    Service,
};

use super::guards::is_time_ahead;
use super::{PolicyRef, Watch};
use crate::Engine;
use crate::acts;
use crate::calls::Call;

/// Where a step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// To this service.
    Service(String),
    /// To a person.
    Human,
}

impl Engine {
    pub(super) fn policy(&self, of: &PolicyRef) -> Option<&FailoverPolicy> {
        self.playbooks.get(&of.playbook)?.armed.get(of.place)
    }

    /// The armed policy for a layer of a call: one that names its queue goes before one for all.
    pub(super) fn policy_for(&self, call: &Call, layer: Layer) -> Option<PolicyRef> {
        let queue = &call.dialogue.queue;
        let all = || {
            self.playbooks.values().flat_map(|playbook| {
                let armed = playbook.armed.iter().enumerate();
                armed.map(move |(place, policy)| (playbook, place, policy))
            })
        };
        let of_layer = || all().filter(|(_, _, policy)| policy.layer == layer);
        let named = of_layer().find(|(_, _, policy)| policy.queues.contains(queue));
        let found = named.or_else(|| of_layer().find(|(_, _, policy)| policy.queues.is_empty()));
        found.map(|(playbook, place, _)| PolicyRef {
            playbook: playbook.id.clone(),
            place,
        })
    }

    /// The layer of the call fails, by what serves it now, as badly as the policy says; or a
    /// shared cause says that it does not come back by itself.
    pub(super) fn is_failing(&self, call: &Call, layer: Layer, state: LayerState) -> bool {
        let health = &call.layers[layer];
        let is_shared = call
            .cause
            .as_ref()
            .and_then(|cause| self.causes.get(cause))
            .is_some_and(|cause| {
                cause.state == holdfast_domain::CauseState::Active && cause.layer == layer
            });
        let is_bad = health.state >= state || is_shared && health.state >= LayerState::Degraded;
        let serving = call
            .services
            .iter()
            .position(|service| service.layer == layer && service.active);
        let failed = health.bad_service.map(usize::from);
        let is_its_own = failed.is_none() || serving.is_none() || failed == serving;
        // What was tried and did not help does not have to say so once more.
        let is_known = call.active(layer).is_some_and(|active| {
            let climb = self.failovers.climb(&call.id, layer);
            climb.is_some_and(|climb| climb.tried.contains(&active.name))
        });
        call.ai_serves() && is_bad && (is_its_own || is_known)
    }

    /// A dead service would have to do its part of the caller's turn.
    pub(super) fn is_ahead(&self, call: &Call, layer: Layer) -> bool {
        let is_dead = |(of, traits): &(Layer, Vec<CauseTrait>)| {
            *of == layer && is_dead(call.active(layer), traits)
        };
        let beats_no_more = call
            .concerns
            .iter()
            .any(|(of, found)| *of == layer && found.kind == holdfast_domain::SignalKind::Liveness);
        call.ai_serves()
            && is_time_ahead(call, layer)
            && call.layers[layer].state < LayerState::Failed
            && (beats_no_more || self.failovers.dead.iter().any(is_dead))
    }

    /// The next rung that can be taken, or why there is none.
    pub(super) fn choose(
        &self,
        id: &CallId,
        layer: Layer,
        policy: &FailoverPolicy,
        next: usize,
        tried: &[String],
    ) -> Result<(usize, Target), String> {
        let Some(call) = self.calls.get(id) else {
            return Err("the call is over".to_owned());
        };
        let stands = call
            .active(layer)
            .map_or(Rung::Primary, |active| active.rung);
        let mut why = Vec::new();
        for (place, armed) in policy.rungs.iter().enumerate().skip(next) {
            if armed.rung < stands {
                continue;
            }
            let found = match armed.rung {
                Rung::Human => self.human_rung(id).map(|()| Target::Human),
                rung => self
                    .service_rung(call, layer, rung, policy, tried)
                    .map(Target::Service),
            };
            match found {
                Ok(target) => return Ok((place, target)),
                Err(reason) => why.push(reason),
            }
        }
        if why.is_empty() {
            why.push("no rung of the policy is left".to_owned());
        }
        Err(why.join(", "))
    }

    fn service_rung(
        &self,
        call: &Call,
        layer: Layer,
        rung: Rung,
        policy: &FailoverPolicy,
        tried: &[String],
    ) -> Result<String, String> {
        if !self.can(&call.id, "switch_model") {
            return Err("this platform cannot switch".to_owned());
        }
        let mut why = None;
        let of_rung = call
            .services
            .iter()
            .filter(|service| service.layer == layer && service.rung == rung && !service.active);
        for service in of_rung {
            let name = &service.name;
            let lacking = policy
                .parity
                .iter()
                .find(|what| service.lacks.contains(what));
            let reason = if tried.contains(name) {
                format!("{name} did not help")
            } else if !service.usable {
                format!("{name} cannot serve")
            } else if let Some(what) = lacking {
                format!("{name} lacks the same {}", parity_words(*what))
            } else if is_any_dead(service, &self.failovers.dead) {
                format!("{name} fails for other calls")
            } else {
                return Ok(name.clone());
            };
            why.get_or_insert(reason);
        }
        Err(why.unwrap_or_else(|| format!("there is no {} service", rung_words(rung))))
    }

    fn human_rung(&self, id: &CallId) -> Result<(), String> {
        let has_handoff = self
            .calls
            .get(id)
            .is_some_and(|call| call.handoff.is_some());
        if has_handoff {
            return Err("a human is asked for already".to_owned());
        }
        if !self.can(id, "transfer") {
            return Err("this platform cannot transfer".to_owned());
        }
        if self.handoffs.wait_minutes().is_none() {
            return Err("no human is there".to_owned());
        }
        Ok(())
    }

    /// The call, or else its bridge, says that it can do `name`.
    pub(super) fn can(&self, id: &CallId, name: &str) -> bool {
        let Some(call) = self.calls.get(id) else {
            return false;
        };
        let of_bridge = self.bridges.get(&call.source);
        let of_bridge = of_bridge.map_or(&[][..], |bridge| &bridge.capabilities);
        let capabilities = call.capabilities.as_deref().unwrap_or(of_bridge);
        acts::is_offered(capabilities, name)
    }

    /// What the caller hears of a step, in their language; None when a value of it is not known.
    pub(super) fn sentence(
        &self,
        id: &CallId,
        of: &PolicyRef,
        announcement: &AnnouncementId,
    ) -> Option<String> {
        let call = self.calls.get(id)?;
        let playbook = self.playbooks.get(&of.playbook)?;
        let template = playbook.announcement(announcement, &call.dialogue.language)?;
        let wait = self.handoffs.wait_minutes();
        let is_known = |place| matches!(place, Placeholder::WaitMinutes) && wait.is_some();
        if !template.placeholders().all(is_known) {
            return None;
        }
        Some(template.fill(|_| wait.unwrap_or(1).to_string()))
    }

    /// The dwell in milliseconds and the probes after which a call goes back.
    pub(super) fn back_of(&self, id: &CallId, layer: Layer) -> Option<(DurationMs, u32)> {
        let climb = self.failovers.climb(id, layer)?;
        let back = self.policy(&climb.policy)?.back;
        Some((DurationMs::from(back.dwell_s) * 1_000, back.good_probes))
    }

    /// Probes of what a call is moved away from count from now on.
    pub(super) fn watch(&mut self, id: &CallId, layer: Layer) {
        let Some(climb) = self.failovers.climb(id, layer) else {
            return;
        };
        let primary = self.calls.get(id).and_then(|call| {
            let is_it = |s: &&Service| s.layer == layer && s.name == climb.primary;
            call.services.iter().find(is_it)
        });
        if let Some(primary) = primary.filter(|primary| primary.active) {
            let watch = Watch {
                layer,
                name: primary.name.clone(),
                good: 0,
            };
            self.failovers.watches.insert(service_key(primary), watch);
        }
    }
}

/// Names a service across calls: its vendor, model and place, or its name where these are unknown.
pub(super) fn service_key(service: &Service) -> String {
    let Service {
        layer,
        provider,
        model,
        region,
        ..
    } = service;
    let name = if provider.is_empty() && model.is_empty() {
        &service.name
    } else {
        ""
    };
    format!("{}/{provider}/{model}/{region}/{name}", layer.as_str())
}

/// The traits speak of a service and of nothing else.
pub(super) fn is_of_service(traits: &[CauseTrait]) -> bool {
    let of_service = |found: &CauseTrait| {
        matches!(
            found.dimension,
            CauseDimension::Provider
                | CauseDimension::Model
                | CauseDimension::Region
                | CauseDimension::Zone
        )
    };
    !traits.is_empty() && traits.iter().all(of_service)
}

/// The service has all the traits of a shared cause.
pub(super) fn is_dead(service: Option<&Service>, traits: &[CauseTrait]) -> bool {
    let Some(service) = service else { return false };
    traits.iter().all(|found| {
        let value = match found.dimension {
            CauseDimension::Provider => &service.provider,
            CauseDimension::Model => &service.model,
            CauseDimension::Region => &service.region,
            CauseDimension::Zone => &service.zone,
            _ => return false,
        };
        *value == found.value
    })
}

/// A shared cause says that this service fails.
pub(super) fn is_any_dead(service: &Service, dead: &[(Layer, Vec<CauseTrait>)]) -> bool {
    dead.iter().any(|(layer, traits)| {
        let is_everywhere = matches!(*layer, Layer::Infrastructure | Layer::Network);
        (is_everywhere || *layer == service.layer) && is_dead(Some(service), traits)
    })
}

const fn parity_words(parity: Parity) -> &'static str {
    match parity {
        Parity::Prompt => "instructions",
        Parity::Tools => "tools",
        Parity::Voice => "voice",
        Parity::Language => "language",
        Parity::Recording => "recording",
        Parity::Consent => "consent",
        Parity::Disclosure => "disclosure",
    }
}

const fn rung_words(rung: Rung) -> &'static str {
    match rung {
        Rung::Primary => "primary",
        Rung::Retry => "retry",
        Rung::Backup => "backup",
        Rung::Minimal => "minimal",
        Rung::Human => "human",
    }
}
