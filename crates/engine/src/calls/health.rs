//! The state of a layer: it falls by evidence and recovers by evidence, never by time.

use holdfast_domain::{
    EventId, Evidence, Layer, LayerHealth, LayerState, Service, SignalKind, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::call::Call;
use crate::causes::is_failure;

/// The most events behind one evidence; the domain's limit.
const EVENTS_MAX: usize = 4;

/// One layer of one call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct LayerCell {
    pub(crate) state: LayerState,
    pub(crate) since: Timestamp,
    /// Why it is not well. None while healthy or unknown.
    pub(crate) evidence: Option<Box<Evidence>>,
    /// When it last failed in its work.
    pub(crate) bad_at: Option<Timestamp>,
    /// It was only late then.
    pub(crate) was_late: bool,
    /// The place in the call's services of what served it then.
    pub(crate) bad_service: Option<u8>,
    /// When it last did its work.
    pub(crate) good_at: Option<Timestamp>,
}

impl LayerCell {
    pub(crate) fn signal(&self) -> Option<SignalKind> {
        self.evidence.as_ref().map(|evidence| evidence.kind)
    }

    /// It is unwell because the caller waits for it, not because anybody said so.
    pub(crate) fn is_by_waiting(&self) -> bool {
        self.signal().is_some_and(|kind| {
            matches!(
                kind,
                SignalKind::Expectation | SignalKind::DeadAir | SignalKind::UnansweredTurn
            )
        })
    }
}

/// The layers in which work was done, or was not, since this was last counted (bits in strip
/// order).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Outcomes {
    pub(crate) good: u8,
    pub(crate) bad: u8,
}

/// What folding a fact or a timer into a call has to tell the rest of the engine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Note {
    /// A layer changed its state. Its evidence is kept with the change, because one input can
    /// change a layer twice.
    Transition {
        layer: Layer,
        from: LayerState,
        to: LayerState,
        evidence: Option<Box<Evidence>>,
        at: Timestamp,
    },
    /// The agent answered a turn of the caller.
    TurnAnswered {
        at: Timestamp,
        /// Whether the answer began late: its gap is at the warning or worse. None for a turn that
        /// had failed before.
        late: Option<bool>,
    },
    /// A turn of the caller counts as failed.
    TurnFailed { at: Timestamp },
    /// A layer said that it failed.
    LayerError { layer: Layer, at: Timestamp },
    /// The fact cannot be; nothing else changed.
    Impossible(&'static str),
}

/// Builds evidence; keeps the newest of too many events.
pub(crate) fn evidence(
    kind: SignalKind,
    text: String,
    at: Timestamp,
    mut events: Vec<EventId>,
) -> Evidence {
    events.dedup();
    if events.len() > EVENTS_MAX {
        events.drain(..events.len() - EVENTS_MAX);
    }
    Evidence {
        kind,
        text,
        at,
        events,
    }
}

impl Call {
    /// A layer is unwell. A milder signal does not cover a worse one.
    pub(crate) fn raise(
        &mut self,
        layer: Layer,
        to: LayerState,
        evidence: Evidence,
        notes: &mut Vec<Note>,
    ) {
        self.dialogue.remember_evidence(layer, &evidence);
        // Of a worker that is maybe another's, the call knows nothing.
        let is_known = evidence.kind != SignalKind::WorkerLost || to == LayerState::Failed;
        if to >= LayerState::Degraded && is_known && is_failure(evidence.kind, layer) {
            self.trials.failed |= bit(layer);
            self.missed_work(layer, evidence.at);
            self.layers[layer].was_late = evidence.kind == SignalKind::Expectation;
        }
        let cell = &mut self.layers[layer];
        if to < cell.state {
            return;
        }
        let (from, at) = (cell.state, evidence.at);
        cell.evidence = Some(Box::new(evidence));
        if from != to {
            cell.state = to;
            cell.since = at;
            notes.push(Note::Transition {
                layer,
                from,
                to,
                evidence: cell.evidence.clone(),
                at,
            });
        }
    }

    /// Whatever serves the layer now failed in its work.
    pub(crate) fn missed_work(&mut self, layer: Layer, at: Timestamp) {
        self.outcomes.bad |= bit(layer);
        let serving = |service: &Service| service.layer == layer && service.active;
        let place = self.services.iter().position(serving);
        let cell = &mut self.layers[layer];
        cell.bad_at = Some(at);
        cell.was_late = false;
        cell.bad_service = place.and_then(|place| u8::try_from(place).ok());
    }

    /// A layer becomes milder with the evidence that it has.
    pub(crate) fn ease(&mut self, layer: Layer, at: Timestamp, notes: &mut Vec<Note>) {
        if self.layers[layer].state == LayerState::Failed {
            self.set_state(layer, LayerState::Degraded, at, notes);
        }
    }

    /// A layer did its work.
    pub(crate) fn heal(&mut self, layer: Layer, at: Timestamp, notes: &mut Vec<Note>) {
        if self
            .error
            .as_ref()
            .is_some_and(|error| error.layer == layer)
        {
            self.error = None;
        }
        self.outcomes.good |= bit(layer);
        self.layers[layer].evidence = None;
        self.layers[layer].good_at = Some(at);
        if !self.keeps_concern(layer, at, notes) {
            self.set_state(layer, LayerState::Healthy, at, notes);
        }
    }

    /// Nobody knows how a layer is.
    pub(crate) fn forget(&mut self, layer: Layer, at: Timestamp, notes: &mut Vec<Note>) {
        self.layers[layer].evidence = None;
        self.set_state(layer, LayerState::Unknown, at, notes);
    }

    /// Nobody knows how any layer is.
    pub(crate) fn forget_all(&mut self, at: Timestamp, notes: &mut Vec<Note>) {
        for layer in Layer::ALL {
            self.forget(layer, at, notes);
        }
        self.conduct.forget();
        self.error = None;
    }

    pub(crate) fn set_state(
        &mut self,
        layer: Layer,
        to: LayerState,
        at: Timestamp,
        notes: &mut Vec<Note>,
    ) {
        let cell = &mut self.layers[layer];
        let from = cell.state;
        if from != to {
            cell.state = to;
            cell.since = at;
            notes.push(Note::Transition {
                layer,
                from,
                to,
                evidence: cell.evidence.clone(),
                at,
            });
        }
    }

    /// The agent answered the caller: every layer that an answer needs did its work, except where
    /// this very turn had an error (the next good turn decides) or where the evidence asks for
    /// another proof than a turn.
    pub(crate) fn heal_by_turn(&mut self, errors: u8, at: Timestamp, notes: &mut Vec<Note>) {
        let is_clean = self.conduct.turn_was_clean();
        for layer in Layer::ALL {
            match self.layers[layer].signal() {
                // A tool that failed has not worked because the agent talked its way around it.
                _ if layer == Layer::Tools => self.ease(layer, at, notes),
                // An answer is no proof that the dialogue gets anywhere, either.
                Some(
                    SignalKind::Truncated
                    | SignalKind::ResponseGap
                    | SignalKind::Transport
                    | SignalKind::Reprompt
                    | SignalKind::CallerRepeats
                    | SignalKind::Misheard
                    | SignalKind::Loop
                    | SignalKind::Overcapture,
                ) => {}
                Some(SignalKind::TalkOver | SignalKind::BargeInMissed) if !is_clean => {}
                _ if errors & bit(layer) != 0 => self.ease(layer, at, notes),
                _ => self.heal(layer, at, notes),
            }
        }
    }

    /// A layer as the console sees it.
    pub(crate) fn layer_health(&self, layer: Layer) -> LayerHealth {
        let cell = &self.layers[layer];
        let mut health = LayerHealth {
            state: cell.state,
            since: cell.since,
            evidence: cell.evidence.as_deref().cloned(),
            ..LayerHealth::default()
        };
        if let Some(service) = self.active(layer) {
            health.service.clone_from(&service.name);
            health.provider.clone_from(&service.provider);
            health.model.clone_from(&service.model);
            health.region.clone_from(&service.region);
        } else if layer == Layer::Tools
            && let Some(tool) = self.tools.first()
        {
            health.service.clone_from(&tool.name);
        }
        health
    }
}

/// The layer's bit in a set of layers.
pub(crate) const fn bit(layer: Layer) -> u8 {
    1 << layer as u8
}
