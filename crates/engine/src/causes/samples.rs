//! From calls to samples, and from explanations to causes.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    CallId, CallPhase, CauseDimension, CauseGroup, CauseShape, CauseTrait, DurationMs, FeedState,
    Layer, LayerState, Service, SignalKind, SourceId, Timestamp,
};

use super::climb::climbs;
use super::explain::{FAILING_MIN, Sample, TraitId, explain};
use super::field::{Field, FieldId, NO_TRAIT};
use crate::bridges::Bridge;
use crate::calls::{Call, Calls};

/// The last word on a call's work counts as of the same moment for so long: a caller's turn takes
/// ten seconds or twenty.
const MOMENT_MS: DurationMs = 60_000;

/// A call that failed is a failing one for so long after, even if its layer worked since: with an
/// intermittent fault the next turn may be well.
const FAILING_MS: DurationMs = 20_000;

/// A cause whose newest failure is older than this explains nothing new: what is left of it, as
/// its calls recover one by one, only looks like something else.
const FRESH_MS: DurationMs = 8_000;

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
    /// Something failed by it just now, or fails still.
    pub(super) is_fresh: bool,
    /// The vendors of the services that failed.
    providers: BTreeSet<String>,
    layers: BTreeSet<Layer>,
}

/// The last word on one call's work in a layer; with tools, on one tool of it.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    call: &'a Call,
    tool: Option<&'a str>,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Failing {
        since: Timestamp,
        /// When it failed last; now, while the caller waits for it.
        newest: Timestamp,
    },
    Good {
        at: Timestamp,
    },
}

/// The causes of this moment in the layers that are worth the look.
pub(super) fn compare(
    calls: &mut Calls,
    bridges: &BTreeMap<SourceId, Bridge>,
    field: &mut Field,
    layers: &[Layer],
    now: Timestamp,
) -> Vec<Found> {
    let live: BTreeSet<&SourceId> = bridges
        .iter()
        .filter(|(_, bridge)| bridge.state() == FeedState::Live)
        .map(|(source, _)| source)
        .collect();
    calls.each(|call| {
        field.number(call);
    });
    let seen: Vec<&Call> = calls
        .iter()
        .filter(|call| {
            call.phase == CallPhase::Ai && call.ghost_since.is_none() && live.contains(&call.source)
        })
        .collect();
    let mut found = Vec::new();
    for layer in layers {
        found.append(&mut compare_layer(*layer, &seen, field, now));
    }
    outages(found)
}

/// The last words on a layer of a call.
fn cases(call: &Call, layer: Layer, now: Timestamp) -> impl Iterator<Item = Case<'_>> {
    let marks = if layer == Layer::Tools {
        call.tool_marks.as_slice()
    } else {
        &[]
    };
    let of_tools = marks.iter().filter_map(move |mark| {
        let last = LastWords {
            bad_at: mark.bad_at,
            was_late: mark.was_late,
            good_at: mark.good_at,
        };
        let outcome = outcome(call, layer, last, now)?;
        Some(Case {
            call,
            tool: Some(mark.name.as_str()),
            outcome,
        })
    });
    let health = &call.layers[layer];
    let of_layer = (layer != Layer::Tools)
        .then(|| {
            let last = LastWords {
                bad_at: health.bad_at,
                was_late: health.was_late,
                good_at: health.good_at,
            };
            outcome(call, layer, last, now)
        })
        .flatten();
    of_tools.chain(of_layer.map(|outcome| Case {
        call,
        tool: None,
        outcome,
    }))
}

/// When work was last not done, and when it was.
#[derive(Debug, Clone, Copy)]
struct LastWords {
    bad_at: Option<Timestamp>,
    /// It was late, which is over as soon as it comes.
    was_late: bool,
    good_at: Option<Timestamp>,
}

/// None when nothing is known of this moment.
fn outcome(call: &Call, layer: Layer, last: LastWords, now: Timestamp) -> Option<Outcome> {
    let LastWords {
        bad_at,
        was_late,
        good_at,
    } = last;
    let is_of_moment = |at: &Timestamp| now.since(*at) <= MOMENT_MS;
    if let Some(bad_at) = bad_at {
        let health = &call.layers[layer];
        let is_unwell = health.state >= LayerState::Degraded
            && health.signal().is_some_and(|kind| is_failure(kind, layer))
            && good_at.is_none_or(|good| good <= bad_at);
        let lasts = is_unwell && lasts(call, layer);
        let was_failing = now.since(bad_at) <= FAILING_MS
            && !(was_late && good_at.is_some_and(|good| good > bad_at));
        if lasts || is_unwell && is_of_moment(&bad_at) || was_failing {
            let since = if is_unwell {
                health.since.min(bad_at)
            } else {
                bad_at
            };
            let newest = if lasts { now } else { bad_at };
            return Some(Outcome::Failing { since, newest });
        }
    }
    good_at.filter(is_of_moment).map(|at| Outcome::Good { at })
}

/// The failure goes on now: the caller waits, or is not connected.
fn lasts(call: &Call, layer: Layer) -> bool {
    match layer {
        Layer::Network => true,
        _ => call.is_silent(),
    }
}

/// The signal tells that work was not done, not only that it was slow or rude. A dialogue that goes
/// in circles is a failure of the dialogue, and only a sign of one elsewhere.
pub(crate) fn is_failure(kind: SignalKind, layer: Layer) -> bool {
    match kind {
        SignalKind::ServiceError
        | SignalKind::ServiceUnavailable
        | SignalKind::DeadAir
        | SignalKind::UnansweredTurn
        | SignalKind::Expectation
        | SignalKind::ToolFailure
        | SignalKind::Truncated
        | SignalKind::EmptyAnswer
        | SignalKind::Misheard
        | SignalKind::Transport
        | SignalKind::PipelineStalled
        | SignalKind::WorkerLost
        | SignalKind::Liveness
        | SignalKind::SilentSuccess => true,
        SignalKind::Loop | SignalKind::Reprompt => layer == Layer::Orchestration,
        SignalKind::ResponseGap
        | SignalKind::FaultRate
        | SignalKind::LatencyDrift
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

fn compare_layer(layer: Layer, seen: &[&Call], field: &mut Field, now: Timestamp) -> Vec<Found> {
    let all = seen.iter().flat_map(|call| cases(call, layer, now));
    let (failing, good): (Vec<Case<'_>>, Vec<Case<'_>>) =
        all.partition(|case| matches!(case.outcome, Outcome::Failing { .. }));
    // So few are chance, whatever they share.
    if failing.len() < FAILING_MIN as usize {
        return Vec::new();
    }
    let onset = failing.iter().filter_map(failing_since).min();
    let onset = onset.unwrap_or(now).max(now - MOMENT_MS);
    let healthy: Vec<Case<'_>> = good
        .into_iter()
        .filter(|case| matches!(case.outcome, Outcome::Good { at } if at >= onset))
        .collect();

    let mut counted: BTreeMap<FieldId, u32> = BTreeMap::new();
    let of_failing: Vec<Vec<FieldId>> = failing
        .iter()
        .map(|case| traits_of(case, layer, true, field))
        .collect();
    for id in of_failing.iter().flatten() {
        *counted.entry(*id).or_default() += 1;
    }
    let n_values = counted.len();
    counted.retain(|_, failing| *failing >= FAILING_MIN);
    // Their order is the order of preference between equal explanations.
    let mut known: Vec<(CauseTrait, FieldId)> = counted
        .into_keys()
        .filter_map(|id| Some((field.name(id)?.clone(), id)))
        .collect();
    known.sort();
    let mut places: Vec<Option<TraitId>> = vec![None; field.len()];
    for ((_, id), place) in known.iter().zip(0..) {
        places[*id as usize] = Some(place);
    }
    let sample = |ids: &[FieldId], is_failing| {
        let place = |id: &FieldId| places.get(*id as usize).copied().flatten();
        let mut traits: Vec<TraitId> = ids.iter().filter_map(place).collect();
        traits.sort_unstable();
        Sample { traits, is_failing }
    };
    let mut samples: Vec<Sample> = of_failing.iter().map(|ids| sample(ids, true)).collect();
    for case in &healthy {
        let ids = traits_of(case, layer, false, field);
        samples.push(sample(&ids, false));
    }

    explain(&samples, n_values)
        .into_iter()
        .filter(|explanation| !explanation.failing.is_empty())
        .map(|explanation| {
            let members = || explanation.failing.iter().map(|place| &failing[*place]);
            let is_inside = |s: &&Sample| explanation.traits.iter().all(|id| s.traits.contains(id));
            let (bad, all) = explanation.elsewhere;
            let newest = members().filter_map(|case| match case.outcome {
                Outcome::Failing { newest, .. } => Some(newest),
                Outcome::Good { .. } => None,
            });
            Found {
                layer,
                traits: explanation
                    .traits
                    .iter()
                    .map(|id| known[*id as usize].0.clone())
                    .collect(),
                shape: shape(layer, members().map(|case| case.call), || {
                    let all = failing.iter().chain(&healthy).zip(&samples);
                    all.filter(|(_, sample)| is_inside(sample))
                        .map(|(case, _)| case.call)
                        .collect()
                }),
                failing: members().map(|case| case.call.id.clone()).collect(),
                healthy: samples[failing.len()..].iter().filter(is_inside).count() as u32,
                since: members().filter_map(failing_since).min().unwrap_or(onset),
                elsewhere_permille: (bad * 1_000).checked_div(all).unwrap_or(0),
                is_fresh: newest.max().is_some_and(|at| now.since(at) <= FRESH_MS),
                providers: members()
                    .filter_map(|case| case.call.served_at_failure(layer))
                    .map(|service| service.provider.clone())
                    .filter(|provider| !provider.is_empty())
                    .collect(),
                layers: BTreeSet::from([layer]),
            }
        })
        .collect()
}

/// Calls that wait for their first word fail where new work begins: machines are missing, and the
/// calls that have theirs are well. Where the work of `all` takes longer the later it is asked for,
/// those who ask wait for each other.
fn shape<'a>(
    layer: Layer,
    members: impl Iterator<Item = &'a Call>,
    all: impl Fn() -> Vec<&'a Call>,
) -> CauseShape {
    if matches!(layer, Layer::Asr | Layer::Llm | Layer::Tts) {
        let waits = all().into_iter().filter_map(|call| call.waited);
        let of_layer = waits.filter(|waited| waited.layer == layer);
        let waits = of_layer.map(|waited| (waited.asked, waited.ms));
        return if climbs(&waits.collect::<Vec<_>>()) {
            CauseShape::SaturatedPool
        } else {
            CauseShape::Shared
        };
    }
    let (mut unserved, mut all) = (0, 0);
    for call in members {
        let is_lost = call.layers[layer].signal() == Some(SignalKind::WorkerLost);
        unserved += usize::from(call.answered_at.is_none() && !is_lost);
        all += 1;
    }
    if layer == Layer::Infrastructure && unserved * 10 >= all * 8 {
        CauseShape::StarvedAutoscaling
    } else {
        CauseShape::Shared
    }
}

fn failing_since(case: &Case<'_>) -> Option<Timestamp> {
    match case.outcome {
        Outcome::Failing { since, .. } => Some(since),
        Outcome::Good { .. } => None,
    }
}

/// The numbers of a case's traits: where it failed, by the service that failed.
fn traits_of(case: &Case<'_>, layer: Layer, at_failure: bool, field: &mut Field) -> Vec<FieldId> {
    let Some(traits) = case.call.traits.as_deref() else {
        return Vec::new();
    };
    let tool = case.tool.map(|tool| field.id(CauseDimension::Tool, tool));
    let mut ids: Vec<FieldId> = if at_failure {
        let service = case.call.served_at_failure(layer);
        let services = field.of_service(service, case.call.region());
        traits.served(services).collect()
    } else {
        traits.of(layer).collect()
    };
    ids.extend(tool.filter(|id| *id != NO_TRAIT));
    ids
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
                place.is_fresh |= cause.is_fresh;
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

/// What a call has of a dimension in one layer, as it is served now; empty when it is not known.
fn value(call: &Call, layer: Layer, dimension: CauseDimension) -> &str {
    let dialogue = &call.dialogue;
    let service = call.active(layer);
    let served = |of: fn(&Service) -> &String| service.map_or("", |service| of(service).as_str());
    let or = |served, own| if str::is_empty(served) { own } else { served };
    match dimension {
        CauseDimension::Provider => served(|service| &service.provider),
        CauseDimension::Model => served(|service| &service.model),
        CauseDimension::Region => or(served(|service| &service.region), call.region()),
        CauseDimension::Zone => or(served(|service| &service.zone), &dialogue.zone),
        CauseDimension::Tool => "",
        CauseDimension::Flow => &dialogue.flow,
        CauseDimension::Build => &dialogue.build,
        CauseDimension::Queue => &dialogue.queue,
        CauseDimension::Language => &dialogue.language,
        CauseDimension::Worker => &dialogue.worker,
    }
}

/// The call has this trait in `layer`, as it is served now; a tool, if it can use it.
pub(crate) fn has_trait(call: &Call, layer: Layer, wanted: &CauseTrait) -> bool {
    if wanted.dimension == CauseDimension::Tool {
        return call.dialogue.tools_enabled.contains(&wanted.value);
    }
    value(call, layer, wanted.dimension) == wanted.value
}

/// The call has every trait of the group, as it is served now.
pub(super) fn has_traits(call: &Call, group: &CauseGroup) -> bool {
    // A tool is the cause for whoever may use it next.
    let may_differ = |dimension| group.layer == Layer::Tools && dimension == CauseDimension::Tool;
    let is_of = |layer: Layer| {
        group.traits.iter().all(|wanted| {
            may_differ(wanted.dimension) || value(call, layer, wanted.dimension) == wanted.value
        })
    };
    if group.shape == CauseShape::RegionOutage {
        Layer::ALL.into_iter().any(is_of)
    } else {
        is_of(group.layer)
    }
}
