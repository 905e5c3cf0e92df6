//! From calls to samples, and from explanations to causes.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    CallId, CallPhase, CauseDimension, CauseGroup, CauseShape, CauseTrait, DurationMs, FeedState,
    Layer, LayerState, Service, SignalKind, SourceId, Timestamp,
};

use super::explain::{Sample, TraitId, explain};
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
    let Some(onset) = failing.iter().map(|(_, since)| *since).min() else {
        return Vec::new();
    };
    let onset = onset.max(now - HEALTHY_MS);
    let failing_ids: BTreeSet<&CallId> = failing.iter().map(|(call, _)| &call.id).collect();
    let healthy: Vec<&Call> = seen
        .iter()
        .filter(|call| {
            !failing_ids.contains(&call.id)
                && call.layers[layer].good_at.is_some_and(|at| at >= onset)
        })
        .copied()
        .collect();

    let of_failing: Vec<Vec<(CauseDimension, &str)>> = failing
        .iter()
        .map(|(call, _)| traits(call, layer, true))
        .collect();
    let known: BTreeSet<(CauseDimension, &str)> = of_failing.iter().flatten().copied().collect();
    let known: Vec<(CauseDimension, &str)> = known.into_iter().collect();
    let sample = |traits: &[(CauseDimension, &str)], is_failing| {
        let mut ids: Vec<TraitId> = traits
            .iter()
            .filter_map(|found| known.binary_search(found).ok())
            .map(|id| id as TraitId)
            .collect();
        ids.sort_unstable();
        Sample {
            traits: ids,
            is_failing,
        }
    };
    let mut samples: Vec<Sample> = of_failing.iter().map(|t| sample(t, true)).collect();
    samples.extend(
        healthy
            .iter()
            .map(|call| sample(&traits(call, layer, false), false)),
    );

    explain(&samples)
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

/// Everything that calls can share, of one call in one layer.
fn traits(call: &Call, layer: Layer, at_failure: bool) -> Vec<(CauseDimension, &str)> {
    let service = service(call, layer, at_failure);
    let dialogue = &call.dialogue;
    let region = service.map_or_else(|| call.region(), |service| service.region.as_str());
    let zone = service.map_or(dialogue.zone.as_str(), |service| service.zone.as_str());
    let tool = match (layer, &call.last_tool) {
        (Layer::Tools, Some(tool)) => tool.as_str(),
        _ => "",
    };
    let mut all = vec![
        (
            CauseDimension::Provider,
            service.map_or("", |service| service.provider.as_str()),
        ),
        (
            CauseDimension::Model,
            service.map_or("", |service| service.model.as_str()),
        ),
        (CauseDimension::Region, region),
        (CauseDimension::Zone, zone),
        (CauseDimension::Tool, tool),
        (CauseDimension::Flow, dialogue.flow.as_str()),
        (CauseDimension::Build, dialogue.build.as_str()),
        (CauseDimension::Queue, dialogue.queue.as_str()),
        (CauseDimension::Language, dialogue.language.as_str()),
        (CauseDimension::Worker, dialogue.worker.as_str()),
    ];
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// The call has every trait of the group, as it is served now.
pub(super) fn has_traits(call: &Call, group: &CauseGroup) -> bool {
    let is_of = |layer: Layer| {
        let own = traits(call, layer, false);
        group
            .traits
            .iter()
            .all(|wanted| own.contains(&(wanted.dimension, wanted.value.as_str())))
    };
    if group.shape == CauseShape::RegionOutage {
        return Layer::ALL.into_iter().any(is_of);
    }
    // A tool is the cause for whoever may use it next.
    if group.layer == Layer::Tools {
        let own = traits(call, Layer::Tools, false);
        return group.traits.iter().all(|wanted| {
            wanted.dimension == CauseDimension::Tool
                || own.contains(&(wanted.dimension, wanted.value.as_str()))
        });
    }
    is_of(group.layer)
}
