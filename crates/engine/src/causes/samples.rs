//! From calls to samples, and from explanations to causes.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    CallId, CallPhase, CauseDimension, CauseGroup, CauseShape, CauseTrait, DurationMs, FeedState,
    Layer, LayerState, Service, SignalKind, SourceId, Timestamp,
};

use super::explain::{FAILING_MIN, Sample, TraitId, explain};
use crate::bridges::Bridge;
use crate::calls::Call;

/// A call that failed is a failing one for so long after, even if its layer worked since: with an
/// intermittent fault the next turn may be well. Two turns fit into it.
const FAILING_MS: DurationMs = 20_000;

/// Good work counts as of the same moment for so long.
const HEALTHY_MS: DurationMs = 60_000;

/// A shared cause that this moment shows.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) layer: Layer,
    pub(super) traits: Vec<CauseTrait>,
    pub(super) shape: CauseShape,
    pub(super) failing: BTreeSet<CallId>,
    pub(super) healthy: u32,
    pub(super) since: Timestamp,
    pub(super) elsewhere_permille: u32,
    /// The vendors of the services that failed.
    providers: BTreeSet<String>,
    layers: BTreeSet<Layer>,
}

/// The causes of this moment, and whether any call fails at all.
pub(super) fn compare(
    calls: &BTreeMap<CallId, Call>,
    bridges: &BTreeMap<SourceId, Bridge>,
    now: Timestamp,
) -> (Vec<Found>, bool) {
    let live: BTreeSet<&SourceId> = bridges
        .iter()
        .filter(|(_, bridge)| bridge.state() == FeedState::Live)
        .map(|(source, _)| source)
        .collect();
    let seen: Vec<&Call> = calls
        .values()
        .filter(|call| {
            call.phase == CallPhase::Ai && call.ghost_since.is_none() && live.contains(&call.source)
        })
        .collect();
    let mut anything_fails = false;
    let mut found = Vec::new();
    for layer in Layer::ALL {
        let failing: Vec<(&Call, Timestamp)> = seen
            .iter()
            .filter_map(|call| failing_since(call, layer, now).map(|since| (*call, since)))
            .collect();
        anything_fails |= !failing.is_empty();
        found.append(&mut compare_layer(layer, &seen, &failing, now));
    }
    (outages(found), anything_fails)
}

/// Since when the call fails in the layer, or None if it does not.
fn failing_since(call: &Call, layer: Layer, now: Timestamp) -> Option<Timestamp> {
    let health = &call.layers[layer];
    let bad_at = health.bad_at?;
    if health.state >= LayerState::Degraded && health.signal().is_some_and(is_failure) {
        return Some(health.since.min(bad_at));
    }
    (now.since(bad_at) <= FAILING_MS).then_some(bad_at)
}

/// The signal tells that work was not done, not only that it was slow or rude.
pub(crate) const fn is_failure(kind: SignalKind) -> bool {
    match kind {
        SignalKind::ServiceError
        | SignalKind::ServiceUnavailable
        | SignalKind::DeadAir
        | SignalKind::UnansweredTurn
        | SignalKind::Expectation
        | SignalKind::ToolFailure
        | SignalKind::Truncated
        | SignalKind::EmptyAnswer
        | SignalKind::Transport
        | SignalKind::PipelineStalled
        | SignalKind::WorkerLost
        | SignalKind::Liveness
        | SignalKind::FaultRate
        | SignalKind::LatencyDrift
        | SignalKind::Loop
        | SignalKind::Reprompt
        | SignalKind::SilentSuccess => true,
        SignalKind::ResponseGap
        | SignalKind::Ghost
        | SignalKind::StaleFeed
        | SignalKind::CallerRepeats
        | SignalKind::TalkOver
        | SignalKind::BargeInMissed
        | SignalKind::Overcapture
        | SignalKind::EscalationDrift
        | SignalKind::EndedAbruptly => false,
    }
}

fn compare_layer(
    layer: Layer,
    seen: &[&Call],
    failing: &[(&Call, Timestamp)],
    now: Timestamp,
) -> Vec<Found> {
    // So few are chance, whatever they share.
    if failing.len() < FAILING_MIN as usize {
        return Vec::new();
    }
    let Some(onset) = failing.iter().map(|(_, since)| *since).min() else {
        return Vec::new();
    };
    let onset = onset.max(now - HEALTHY_MS);
    let healthy: Vec<&Call> = seen
        .iter()
        .filter(|call| {
            call.layers[layer].good_at.is_some_and(|at| at >= onset)
                && failing_since(call, layer, now).is_none()
        })
        .copied()
        .collect();

    let of_failing: Vec<Vec<(CauseDimension, &str)>> = failing
        .iter()
        .map(|(call, _)| Traits::of(call, layer, true).all().collect())
        .collect();
    let mut counted: BTreeMap<(CauseDimension, &str), u32> = BTreeMap::new();
    for found in of_failing.iter().flatten() {
        *counted.entry(*found).or_default() += 1;
    }
    let n_values = counted.len();
    counted.retain(|_, failing| *failing >= FAILING_MIN);
    let known: Vec<(CauseDimension, &str)> = counted.into_keys().collect();
    let sample = |call: &Call, is_failing| {
        let own = Traits::of(call, layer, is_failing);
        let shared = known
            .iter()
            .zip(0..)
            .filter(|((dimension, value), _)| own.value(*dimension) == *value);
        Sample {
            traits: shared.map(|(_, id)| id).collect::<Vec<TraitId>>(),
            is_failing,
        }
    };
    let mut samples: Vec<Sample> = failing.iter().map(|(call, _)| sample(call, true)).collect();
    samples.extend(healthy.iter().map(|call| sample(call, false)));

    explain(&samples, n_values)
        .into_iter()
        .filter(|explanation| !explanation.failing.is_empty())
        .map(|explanation| {
            let members = || explanation.failing.iter().map(|place| &failing[*place]);
            let is_inside = |s: &&Sample| explanation.traits.iter().all(|id| s.traits.contains(id));
            let (bad, all) = explanation.elsewhere;
            Found {
                layer,
                traits: explanation
                    .traits
                    .iter()
                    .map(|id| known[*id as usize])
                    .map(|(dimension, value)| CauseTrait {
                        dimension,
                        value: value.to_owned(),
                    })
                    .collect(),
                shape: CauseShape::Shared,
                failing: members().map(|(call, _)| call.id.clone()).collect(),
                healthy: samples[failing.len()..].iter().filter(is_inside).count() as u32,
                since: members().map(|(_, since)| *since).min().unwrap_or(onset),
                elsewhere_permille: (bad * 1_000).checked_div(all).unwrap_or(0),
                providers: members()
                    .filter_map(|(call, _)| service(call, layer, true))
                    .map(|service| service.provider.clone())
                    .filter(|provider| !provider.is_empty())
                    .collect(),
                layers: BTreeSet::from([layer]),
            }
        })
        .collect()
}

/// Causes that name only a place, and in which several vendors or several layers fail, are one
/// outage of that place.
fn outages(found: Vec<Found>) -> Vec<Found> {
    let is_of_place = |found: &Found| {
        found.layer != Layer::Network
            && !found.traits.is_empty()
            && found.traits.iter().all(|found| {
                matches!(
                    found.dimension,
                    CauseDimension::Region | CauseDimension::Zone
                )
            })
    };
    let mut places: BTreeMap<Vec<CauseTrait>, Found> = BTreeMap::new();
    let mut out = Vec::new();
    for cause in found {
        if !is_of_place(&cause) {
            out.push(cause);
            continue;
        }
        match places.get_mut(&cause.traits) {
            Some(place) => {
                place.failing.extend(cause.failing);
                place.providers.extend(cause.providers);
                place.layers.extend(cause.layers);
                place.healthy += cause.healthy;
                place.since = place.since.min(cause.since);
                place.elsewhere_permille = place.elsewhere_permille.max(cause.elsewhere_permille);
            }
            None => {
                places.insert(cause.traits.clone(), cause);
            }
        }
    }
    for mut place in places.into_values() {
        if place.layers.len() > 1 || place.providers.len() > 1 {
            place.layer = Layer::Infrastructure;
            place.shape = CauseShape::RegionOutage;
        }
        out.push(place);
    }
    out.sort_by(|a, b| (a.layer, &a.traits).cmp(&(b.layer, &b.traits)));
    out
}

/// The service that served `layer` when it failed, or serves it now.
fn service(call: &Call, layer: Layer, at_failure: bool) -> Option<&Service> {
    let failed = call.layers[layer]
        .bad_service
        .filter(|_| at_failure)
        .and_then(|place| call.services.get(usize::from(place)));
    failed
        .filter(|service| service.layer == layer)
        .or_else(|| call.active(layer))
}

/// Everything that calls can share.
const DIMENSIONS: [CauseDimension; 10] = [
    CauseDimension::Provider,
    CauseDimension::Model,
    CauseDimension::Region,
    CauseDimension::Zone,
    CauseDimension::Tool,
    CauseDimension::Flow,
    CauseDimension::Build,
    CauseDimension::Queue,
    CauseDimension::Language,
    CauseDimension::Worker,
];

/// What one call has of it in one layer.
struct Traits<'a> {
    call: &'a Call,
    layer: Layer,
    service: Option<&'a Service>,
}

impl<'a> Traits<'a> {
    fn of(call: &'a Call, layer: Layer, at_failure: bool) -> Self {
        Self {
            call,
            layer,
            service: service(call, layer, at_failure),
        }
    }

    /// Empty when it is not known.
    fn value(&self, dimension: CauseDimension) -> &'a str {
        let (call, dialogue) = (self.call, &self.call.dialogue);
        let served = |of: fn(&Service) -> &String| self.service.map(|service| of(service).as_str());
        match dimension {
            CauseDimension::Provider => served(|service| &service.provider).unwrap_or(""),
            CauseDimension::Model => served(|service| &service.model).unwrap_or(""),
            CauseDimension::Region => {
                served(|service| &service.region).unwrap_or_else(|| call.region())
            }
            CauseDimension::Zone => served(|service| &service.zone).unwrap_or(&dialogue.zone),
            CauseDimension::Tool if self.layer == Layer::Tools => {
                call.last_tool.as_deref().unwrap_or("")
            }
            CauseDimension::Tool => "",
            CauseDimension::Flow => &dialogue.flow,
            CauseDimension::Build => &dialogue.build,
            CauseDimension::Queue => &dialogue.queue,
            CauseDimension::Language => &dialogue.language,
            CauseDimension::Worker => &dialogue.worker,
        }
    }

    fn all(&self) -> impl Iterator<Item = (CauseDimension, &'a str)> {
        DIMENSIONS
            .into_iter()
            .map(|dimension| (dimension, self.value(dimension)))
            .filter(|(_, value)| !value.is_empty())
    }
}

/// The call has every trait of the group, as it is served now.
pub(super) fn has_traits(call: &Call, group: &CauseGroup) -> bool {
    // A tool is the cause for whoever may use it next.
    let may_differ = |dimension| group.layer == Layer::Tools && dimension == CauseDimension::Tool;
    let is_of = |layer: Layer| {
        let own = Traits::of(call, layer, false);
        group.traits.iter().all(|wanted| {
            may_differ(wanted.dimension) || own.value(wanted.dimension) == wanted.value
        })
    };
    if group.shape == CauseShape::RegionOutage {
        Layer::ALL.into_iter().any(is_of)
    } else {
        is_of(group.layer)
    }
}
