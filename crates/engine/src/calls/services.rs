//! Services: their errors, their availability, and who serves now.

use holdfast_domain::fact::SwitchCause;
use holdfast_domain::{EventId, Layer, LayerState, SignalKind, Timestamp};
use serde::{Deserialize, Serialize};

use super::Cx;
use super::call::{Call, ErrorSeen};
use super::health::{Note, bit, evidence};
use super::turn::Model;
use crate::words;

/// A switch that we ordered and that the platform tries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ordered {
    layer: Layer,
    to: String,
    /// Who served when `to` began to work for the order; None until it does.
    replaced: Option<String>,
}

impl Call {
    /// A switch of `layer` to the service `to` was ordered.
    pub(crate) fn switch_ordered(&mut self, layer: Layer, to: &str) {
        self.ordered = Some(Box::new(Ordered {
            layer,
            to: to.to_owned(),
            replaced: None,
        }));
    }

    /// The newest ordered switch, of `layer` to `to`, is over. If it was refused, nothing changed:
    /// who served before it serves again, whatever the refused one did when it was tried.
    pub(crate) fn order_is_over(
        &mut self,
        layer: Layer,
        to: &str,
        is_refused: bool,
        at: Timestamp,
    ) {
        let is_newest = |ordered: &mut Box<Ordered>| ordered.layer == layer && ordered.to == to;
        let Some(ordered) = self.ordered.take_if(is_newest) else {
            return;
        };
        if let Some(replaced) = ordered.replaced.filter(|_| is_refused) {
            self.set_active(layer, &replaced, at);
        }
    }

    pub(crate) fn service_error(
        &mut self,
        service: &str,
        error_type: &str,
        is_gone: bool,
        cx: &mut Cx<'_>,
    ) {
        // A tool's failure can be told under the model's name; its type gives it away.
        if error_type == "application" {
            let name = self.tools.first().map(|tool| tool.name.clone());
            match name {
                Some(name) => self.tool_failed(&name, "failed", cx),
                None => self.tool_failed("of the application", "failed", cx),
            }
            return;
        }
        let Some(layer) = cx.layer else {
            cx.notes
                .push(Note::Impossible("a service error without a layer"));
            return;
        };
        let Some(is_active) = self.is_active(layer, service, cx) else {
            return;
        };
        if is_gone {
            self.set_usable(layer, service, false);
        }
        let name = words::layer(layer);
        let words = format!("{name} {service} {}", words::error(error_type));
        let state = if is_active {
            LayerState::Failed
        } else {
            LayerState::Degraded
        };
        if layer == Layer::Tts {
            // The filler will not be heard: nothing waits for it any more.
            self.unheard = None;
        }
        if let Some(turn) = self.turn.as_mut().filter(|_| is_active) {
            turn.errors |= bit(layer);
            if layer == Layer::Llm {
                turn.model = Model::Failed;
            }
        }
        self.note_failure(layer, state, SignalKind::ServiceError, words, cx);
        self.failed_in(layer, service);
        if is_active {
            cx.notes.push(Note::LayerError { layer, at: cx.at });
        }
    }

    pub(crate) fn availability_changed(&mut self, service: &str, available: bool, cx: &mut Cx<'_>) {
        let Some(layer) = cx.layer else {
            cx.notes
                .push(Note::Impossible("an availability without a layer"));
            return;
        };
        let Some(is_active) = self.is_active(layer, service, cx) else {
            return;
        };
        self.set_usable(layer, service, available);
        if !available {
            let state = if is_active {
                LayerState::Failed
            } else {
                // A fallback that is gone harms nobody now; it is kept in the list of signals.
                LayerState::Unknown
            };
            let words = format!("{} {service} became unavailable", words::layer(layer));
            if is_active {
                self.note_failure(layer, state, SignalKind::ServiceUnavailable, words, cx);
                cx.notes.push(Note::LayerError { layer, at: cx.at });
            } else {
                let events = vec![cx.event_id()];
                let found = evidence(SignalKind::ServiceUnavailable, words, cx.at, events);
                self.dialogue.remember_evidence(layer, &found);
            }
        }
    }

    pub(crate) fn service_switched(
        &mut self,
        from: &str,
        to: &str,
        cause: SwitchCause,
        cx: &mut Cx<'_>,
    ) {
        let layer = cx.layer.or_else(|| {
            let named = self.services.iter().find(|service| service.name == to);
            named.map(|service| service.layer)
        });
        let Some(layer) = layer else {
            cx.notes.push(Note::Impossible(
                "a switch to a service that was never named",
            ));
            return;
        };
        if self.is_active(layer, to, cx).is_none() {
            return;
        }
        self.set_active(layer, to, cx.at);
        // Who serves was told: no refusal says otherwise.
        self.ordered.take_if(|ordered| ordered.layer == layer);
        if cause == SwitchCause::Failover {
            let words = format!(
                "{} moved from {from} to {to} by the platform's own failover",
                words::layer(layer)
            );
            self.tell_failover(layer, &words, cx);
            self.failed_in(layer, from);
        }
    }

    /// Work of a service that was not thought to serve: the platform tries out what we ordered, or
    /// it moved without a word.
    pub(crate) fn worked(&mut self, layer: Layer, service: &str, cx: &mut Cx<'_>) {
        let known = self
            .services
            .iter()
            .find(|known| known.layer == layer && known.name == service);
        if known.is_none_or(|known| known.active) {
            return;
        }
        let before = self.layer_words(layer);
        let replaced = self.active(layer).map(|active| active.name.clone());
        self.set_active(layer, service, cx.at);
        let is_trial =
            |ordered: &&mut Box<Ordered>| ordered.layer == layer && ordered.to == service;
        if let Some(ordered) = self.ordered.as_mut().filter(is_trial) {
            ordered.replaced = replaced;
            return;
        }
        let words = format!("{before} was replaced by {service}, no error was told");
        self.tell_failover(layer, &words, cx);
        if let Some(replaced) = replaced {
            self.failed_in(layer, &replaced);
        }
    }

    fn tell_failover(&mut self, layer: Layer, words: &str, cx: &mut Cx<'_>) {
        if let Some(turn) = &mut self.turn {
            // The error behind it may come later or never; this turn is no proof of health.
            turn.errors |= bit(layer);
        }
        let state = LayerState::Degraded;
        // The new service has done nothing yet: what the old one was says nothing about it.
        if self.layers[layer].state == LayerState::Failed {
            self.ease(layer, cx.at, cx.notes);
        }
        let mut events = self.turn_events();
        events.push(cx.event_id());
        let found = evidence(
            SignalKind::ServiceUnavailable,
            format!("the caller may have waited: {words}"),
            cx.at,
            events,
        );
        self.raise(layer, state, found, cx.notes);
    }

    /// The layer's newest failure is that of `service`, whoever serves now: news of a failure can
    /// come after the switch that it caused, and the switch itself is told of the new service.
    fn failed_in(&mut self, layer: Layer, service: &str) {
        let place = self
            .services
            .iter()
            .position(|known| known.layer == layer && known.name == service);
        if let Some(place) = place.and_then(|place| u8::try_from(place).ok()) {
            self.layers[layer].bad_service = Some(place);
        }
    }

    /// An explicit failure of a layer, told with what the caller bears from it.
    pub(crate) fn note_failure(
        &mut self,
        layer: Layer,
        state: LayerState,
        kind: SignalKind,
        words: String,
        cx: &mut Cx<'_>,
    ) {
        let experience = if self.is_silent() {
            "the caller waits for an answer"
        } else {
            "the next answer is in danger"
        };
        let mut events = self.turn_events();
        events.push(cx.event_id());
        let found = evidence(kind, format!("{experience}: {words}"), cx.at, events);
        self.raise(layer, state, found, cx.notes);
        self.note_error(layer, words, cx);
    }

    /// Remembers the cause that a silence can have, and explains a silence that came before it.
    pub(crate) fn note_error(&mut self, layer: Layer, words: String, cx: &mut Cx<'_>) {
        self.error = Some(Box::new(ErrorSeen {
            layer,
            words,
            at: cx.at,
            event: cx.event_id(),
        }));
        self.error_explains_silence(cx);
    }

    fn turn_events(&self) -> Vec<EventId> {
        self.turn.iter().map(|turn| turn.event.clone()).collect()
    }

    /// Whether `service` serves `layer`. A service that was never named cannot be.
    fn is_active(&self, layer: Layer, service: &str, cx: &mut Cx<'_>) -> Option<bool> {
        let mut others = false;
        for known in self.services.iter().filter(|known| known.layer == layer) {
            if known.name == service {
                return Some(known.active);
            }
            others = true;
        }
        if others {
            cx.notes
                .push(Note::Impossible("a service that was never named"));
            return None;
        }
        Some(true)
    }

    fn set_usable(&mut self, layer: Layer, name: &str, usable: bool) {
        for service in &mut self.services {
            if service.layer == layer && service.name == name {
                service.usable = usable;
            }
        }
    }

    /// `name` serves `layer` from now on. False, and nothing changes, if there is no such service.
    pub(crate) fn set_active(&mut self, layer: Layer, name: &str, at: Timestamp) -> bool {
        let is_known = self
            .services
            .iter()
            .any(|service| service.layer == layer && service.name == name);
        let is_change = self
            .active(layer)
            .is_none_or(|service| service.name != name);
        if is_known && is_change {
            self.switched = Some((layer, at));
            self.cells = None;
            self.traits = None;
            self.trials.replace();
            for service in &mut self.services {
                if service.layer == layer {
                    service.active = service.name == name;
                }
            }
        }
        is_known
    }
}
