//! What is known of the things that serve calls, besides what each call tells by itself.
//!
//! A concern is raised once, on a service, a tool, a flow, a vendor or a worker, and stands on the
//! layer of every call that is on it: a calm call whose vendor fails every second turn is worth a
//! look before its own turn fails.
//!
//! ```text
//! rates, drift, beats -> concern raised -> every call on it: layer degraded, on watch
//!                        new call, switch -> the concerns that stand
//!                        layer works      -> degraded, as long as the concern stands
//!                        concern dropped  -> back to what the call itself knows
//! ```
//!
//! What a call knows by itself comes first: a concern covers no failure of its own.
//! Deliberately absent: when to be concerned (`rates`, `learn::drift`, `beats`).

use holdfast_domain::{
    CallId, CallPhase, Evidence, Layer, LayerState, Service, SignalKind, SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::calls::{Call, Note, bit};
use crate::learn::CellId;
use crate::rates::RateId;
use crate::{Engine, words};

/// What raised it. What is dead comes before what fails, and that before what is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum ConcernId {
    /// A pulse.
    Beat(u32),
    /// A fault rate.
    Rate(RateId),
    /// A latency.
    Pace(CellId),
}

/// Which calls it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reach {
    /// Those that this service serves in a layer.
    Served {
        layer: Layer,
        provider: String,
        model: String,
        /// None for every region.
        region: Option<String>,
        /// None for every language.
        language: Option<String>,
    },
    /// Those that use this tool, or used it last.
    Tool(String),
    /// Those in this flow.
    Flow(String),
    /// Those of a bridge that this vendor serves, there.
    Provider {
        source: SourceId,
        name: String,
        /// None for all that it serves.
        layer: Option<Layer>,
        region: Option<String>,
        zone: Option<String>,
    },
    /// Those of a bridge that this worker runs.
    Worker { source: SourceId, name: String },
    /// Those whose dialogue is slow, which is nobody's service.
    Dialogue { language: String },
}

impl Reach {
    /// The layers of the call that it reaches, as bits in strip order.
    fn layers(&self, call: &Call) -> u8 {
        let only_if = |layer: Layer, holds: bool| if holds { bit(layer) } else { 0 };
        let is_other = |wanted: &Option<String>, is: &str| {
            wanted.as_deref().is_some_and(|wanted| wanted != is)
        };
        match self {
            Self::Worker { source, name } => {
                let holds = call.source == *source && call.dialogue.worker == *name;
                only_if(Layer::Infrastructure, holds)
            }
            _ if call.phase != CallPhase::Ai => 0,
            Self::Served {
                layer,
                provider,
                model,
                region,
                language,
            } => {
                let holds = call.active(*layer).is_some_and(|service| {
                    service.provider == *provider
                        && service.model == *model
                        && !is_other(region, &service.region)
                }) && !is_other(language, &call.dialogue.language);
                only_if(*layer, holds)
            }
            Self::Tool(name) => {
                let runs = call.tools.iter().any(|tool| tool.name == *name);
                let last = call.tool_marks.last();
                let holds = runs || last.is_some_and(|last| last.name == *name);
                only_if(Layer::Tools, holds)
            }
            Self::Flow(name) => only_if(Layer::Orchestration, call.dialogue.flow == *name),
            Self::Dialogue { language } => {
                let holds = call.dialogue.language == *language;
                only_if(Layer::Orchestration, holds)
            }
            Self::Provider {
                source,
                name,
                layer,
                region,
                zone,
            } => {
                if call.source != *source {
                    return 0;
                }
                let is_of = |service: &&Service| {
                    service.active
                        && service.provider == *name
                        && layer.is_none_or(|layer| layer == service.layer)
                        && !is_other(region, &service.region)
                        && !is_other(zone, &service.zone)
                };
                let of = call.services.iter().filter(is_of);
                of.fold(0, |bits, service| bits | bit(service.layer))
            }
        }
    }
}

/// One concern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Concern {
    pub(crate) reach: Reach,
    /// Its text lacks what the caller bears from it, which differs between calls.
    pub(crate) found: Evidence,
}

/// Every concern that stands, in the order of their ids. They are few: each is something that
/// serves many calls and is unwell.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Concerns(Vec<(ConcernId, Concern)>);

impl Concerns {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, id: ConcernId, concern: Concern) {
        match self.0.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => self.0[at].1 = concern,
            Err(at) => self.0.insert(at, (id, concern)),
        }
    }

    fn remove(&mut self, id: ConcernId) -> bool {
        let at = self.0.binary_search_by_key(&id, |(id, _)| *id);
        at.map(|at| self.0.remove(at)).is_ok()
    }

    /// Puts the concerns that reach a call on it, and takes off what stands no more. True if
    /// something else is shown of it now, be it only in its words.
    fn put_on(&self, call: &mut Call, now: Timestamp, notes: &mut Vec<Note>) -> bool {
        if self.is_empty() && call.concerns.is_empty() {
            return false;
        }
        call.concerns.clear();
        if call.limits.is_put_on_watch {
            for (_, concern) in &self.0 {
                let layers = concern.reach.layers(call);
                for layer in Layer::ALL
                    .into_iter()
                    .filter(|layer| layers & bit(*layer) != 0)
                {
                    if !call.has_worked_since(layer, &concern.found) {
                        call.concerns.push((layer, concern.found.clone()));
                    }
                }
            }
        }
        let mut is_news = false;
        for layer in Layer::ALL {
            is_news |= call.settle_concern(layer, now, notes);
        }
        is_news || !notes.is_empty()
    }
}

/// The signal tells of what serves a call, not of what happened on the call.
pub(crate) const fn is_concern(kind: SignalKind) -> bool {
    matches!(
        kind,
        SignalKind::Liveness | SignalKind::FaultRate | SignalKind::LatencyDrift
    )
}

impl Call {
    /// The layer is unwell only by a concern: the call's own work gives no reason.
    pub(crate) fn is_only_a_concern(&self, layer: Layer) -> bool {
        let cell = &self.layers[layer];
        cell.state == LayerState::Degraded && cell.signal().is_some_and(is_concern)
    }

    /// The layer worked after its vendor was said to be dead: work proves more than beats.
    fn has_worked_since(&self, layer: Layer, found: &Evidence) -> bool {
        found.kind == SignalKind::Liveness
            && self.layers[layer].good_at.is_some_and(|at| at > found.at)
    }

    /// The layer works; true if a concern keeps it from being well.
    pub(crate) fn keeps_concern(
        &mut self,
        layer: Layer,
        at: Timestamp,
        notes: &mut Vec<Note>,
    ) -> bool {
        if self.concerns.is_empty() {
            return false;
        }
        let mut concerns = std::mem::take(&mut self.concerns);
        concerns.retain(|(of, found)| *of != layer || !self.has_worked_since(layer, found));
        self.concerns = concerns;
        let Some((_, found)) = self.concerns.iter().find(|(of, _)| *of == layer) else {
            return false;
        };
        let found = found.clone();
        self.show_concern(layer, LayerState::Degraded, found, at, notes);
        true
    }

    fn settle_concern(&mut self, layer: Layer, now: Timestamp, notes: &mut Vec<Note>) -> bool {
        let cell = &self.layers[layer];
        let shown = cell
            .evidence
            .as_ref()
            .filter(|found| is_concern(found.kind));
        let wanted = self.concerns.iter().find(|(of, _)| *of == layer);
        match (wanted, shown) {
            (Some((_, wanted)), Some(shown)) if wanted.kind == shown.kind => {
                // A caller who waits on what is dead goes on waiting for it.
                let state = cell.state;
                let found = wanted.clone();
                state == LayerState::Degraded && self.show_concern(layer, state, found, now, notes)
            }
            (Some((_, wanted)), shown) => {
                if shown.is_none() && cell.state >= LayerState::Degraded {
                    return false;
                }
                let found = wanted.clone();
                let is_dead = found.kind == SignalKind::Liveness;
                let waits = self.is_silent() && self.pending.step.layer() == layer;
                let to = if is_dead && waits {
                    LayerState::Failed
                } else {
                    LayerState::Degraded
                };
                self.show_concern(layer, to, found, now, notes)
            }
            (None, Some(_)) => {
                // Nothing but the concern was known to be wrong.
                let to = if cell.good_at.is_some() {
                    LayerState::Healthy
                } else {
                    LayerState::Unknown
                };
                self.layers[layer].evidence = None;
                self.set_state(layer, to, now, notes);
                true
            }
            (None, None) => false,
        }
    }

    fn show_concern(
        &mut self,
        layer: Layer,
        to: LayerState,
        mut found: Evidence,
        at: Timestamp,
        notes: &mut Vec<Note>,
    ) -> bool {
        if self.layers[layer]
            .evidence
            .as_deref()
            .is_some_and(|shown| shown.events == found.events && shown.kind == found.kind)
            && self.layers[layer].state == to
        {
            return false;
        }
        let bears = if to == LayerState::Failed {
            "the caller waits for an answer"
        } else if found.kind == SignalKind::LatencyDrift {
            "answers come later than usual"
        } else {
            "the next answer is in danger"
        };
        found.text = format!("{bears}: {}", found.text);
        if found.kind == SignalKind::Liveness {
            self.missed_work(layer, at);
        }
        if to == LayerState::Failed {
            self.dialogue.remember_evidence(layer, &found);
            notes.push(Note::LayerError { layer, at });
        }
        self.layers[layer].evidence = Some(Box::new(found));
        self.set_state(layer, to, at, notes);
        true
    }
}

impl Engine {
    /// A concern is new, or known better.
    pub(crate) fn raise_concern(&mut self, id: ConcernId, concern: Concern) {
        self.concerns.put(id, concern);
        self.spread_concerns();
    }

    /// Nothing is known any more that would be wrong there.
    pub(crate) fn drop_concern(&mut self, id: ConcernId) {
        if self.concerns.remove(id) {
            self.spread_concerns();
        }
    }

    fn spread_concerns(&mut self) {
        let now = self.now;
        // Notes of an input that is under way are spread by who wrote them.
        let before = std::mem::take(&mut self.notes);
        let mut changed: Vec<(CallId, Vec<Note>)> = Vec::new();
        let (concerns, notes, out) = (&mut self.concerns, &mut self.notes, &mut self.out);
        self.calls.each(|call| {
            if concerns.put_on(call, now, notes) {
                out.show_call(&call.id, &mut call.dirty);
            }
            if !notes.is_empty() {
                changed.push((call.id.clone(), std::mem::take(notes)));
            }
        });
        self.notes = before;
        for (id, notes) in changed {
            for note in notes {
                self.spread(&id, note);
            }
            self.count_outcomes(&id);
        }
    }

    /// The concerns that stand reach one call, which began, or which something else serves now.
    pub(crate) fn settle_concerns(&mut self, id: &CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        let mut notes = Vec::new();
        if self.concerns.put_on(call, now, &mut notes) {
            self.out.show_call(id, &mut call.dirty);
        }
        for note in notes {
            self.spread(id, note);
        }
    }
}

/// `LLM of Vendor A, large-4 in eu-west`; what is not known is left out.
pub(crate) fn service_words(layer: Layer, provider: &str, model: &str, region: &str) -> String {
    let mut text = words::layer(layer).to_owned();
    for (before, value) in [(" of ", provider), (", ", model), (" in ", region)] {
        if !value.is_empty() {
            text.push_str(before);
            text.push_str(&words::clip(value, 60));
        }
    }
    text
}
