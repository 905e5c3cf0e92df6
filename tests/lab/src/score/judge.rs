//! Labels and what was heard in, counts out.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    CallId, CauseGroup, CauseId, CauseState, DurationMs, Layer, SignalKind, Timestamp,
};

use super::{Aim, Alarm, CALLS_MIN, Cause, GroupSeen, Harm, Heard, LATE_MS, SETTLE_MS, Truth};

/// How many wrong groups are kept in words.
const EXAMPLES_MAX: usize = 8;

/// A layer, and the kind of alarm that named it.
pub type Blamed = (Layer, Option<SignalKind>);

/// Counts of one run or of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that a cause harmed, once for each cause.
    pub harmed: u64,
    /// Of these: the first alarm named the layer that broke.
    pub layer_right: u64,
    /// Of these: no alarm came.
    pub missed: u64,
    /// Of these: the first alarm named another layer, by that layer and the kind of alarm.
    pub blamed: BTreeMap<Blamed, u64>,
    /// Harm to first alarm, where that named the right layer.
    pub delays_ms: Vec<DurationMs>,
    /// Causes that harmed at least [`CALLS_MIN`] calls.
    pub causes: u64,
    /// Of these: a group named exactly it when it was judged.
    pub causes_found: u64,
    /// Fifth harmed call to the first group that named exactly the cause; 0 when it came before.
    pub cause_delays_ms: Vec<DurationMs>,
    /// Groups that were told.
    pub groups: u64,
    /// Of these: right.
    pub groups_right: u64,
    /// Some of the wrong ones, in words.
    pub wrong_groups: Vec<String>,
    /// Groups while nothing shared was broken.
    pub false_groups: u64,
    /// Calls that needed a human for nothing.
    pub false_levels: u64,
    /// By what, as far as one of the blamed layers tells; None without one.
    pub false_blamed: BTreeMap<Option<Blamed>, u64>,
    /// How long was listened.
    pub simulated_ms: DurationMs,
    /// How long after its limit dead air was told; one that was not told counts up to its end.
    pub over_limit_ms: Vec<DurationMs>,
    /// Provider's death to the first word of it; one that was not told counts up to its end.
    pub provider_delays_ms: Vec<DurationMs>,
    /// Turns from a rise of the fault rate to the first word of it; without one all turns count.
    pub rate_turns: Vec<u64>,
}

impl Tally {
    /// Adds the counts of another.
    pub fn add(&mut self, other: &Self) {
        self.harmed += other.harmed;
        self.layer_right += other.layer_right;
        self.missed += other.missed;
        for (blamed, count) in &other.blamed {
            *self.blamed.entry(*blamed).or_default() += count;
        }
        self.delays_ms.extend(&other.delays_ms);
        self.causes += other.causes;
        self.causes_found += other.causes_found;
        self.cause_delays_ms.extend(&other.cause_delays_ms);
        self.groups += other.groups;
        self.groups_right += other.groups_right;
        let room = EXAMPLES_MAX.saturating_sub(self.wrong_groups.len());
        let more = other.wrong_groups.iter().take(room).cloned();
        self.wrong_groups.extend(more);
        self.false_groups += other.false_groups;
        self.false_levels += other.false_levels;
        for (blamed, count) in &other.false_blamed {
            *self.false_blamed.entry(*blamed).or_default() += count;
        }
        self.simulated_ms += other.simulated_ms;
        self.over_limit_ms.extend(&other.over_limit_ms);
        self.provider_delays_ms.extend(&other.provider_delays_ms);
        self.rate_turns.extend(&other.rate_turns);
    }
}

/// Holds what was heard in one run against what was broken in it.
pub fn judge(truth: &Truth, heard: &Heard) -> Tally {
    let mut tally = Tally {
        simulated_ms: truth.end.since(truth.began),
        ..Tally::default()
    };
    let by_call = ByCall::new(truth, heard);
    judge_layers(truth, &by_call, &mut tally);
    judge_groups(truth, &heard.groups, &mut tally);
    for level in &heard.levels {
        // A warning that comes after the cause began and before the call was hit is early, not false.
        let is_owed = by_call.harms(&level.call).iter().any(|harm| {
            level
                .blamed
                .iter()
                .any(|(layer, _)| is_of(*layer, harm, truth))
                && truth.from(harm) <= level.at
                && harm.explains_alarm_at(level.at.max(harm.from))
        });
        if !is_owed {
            tally.false_levels += 1;
            let first = level.blamed.first().copied();
            *tally.false_blamed.entry(first).or_default() += 1;
        }
    }
    match truth.aim {
        Aim::DeadAir => judge_dead_air(truth, heard.silence_ms, &by_call, &mut tally),
        Aim::DeadProvider => judge_dead_providers(truth, heard, &mut tally),
        Aim::FaultRate => judge_rates(truth, heard, &mut tally),
        Aim::AliveButEmpty | Aim::Nothing => {}
    }
    tally
}

/// Harms and alarms of each call, each in the order of their moments.
struct ByCall<'a> {
    harms: BTreeMap<&'a CallId, Vec<&'a Harm>>,
    alarms: BTreeMap<&'a CallId, Vec<&'a Alarm>>,
}

impl<'a> ByCall<'a> {
    fn new(truth: &'a Truth, heard: &'a Heard) -> Self {
        let mut harms: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for harm in &truth.harms {
            harms.entry(&harm.call).or_default().push(harm);
        }
        for of_call in harms.values_mut() {
            of_call.sort_by_key(|harm| harm.from);
        }
        let mut alarms: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for alarm in &heard.alarms {
            alarms.entry(&alarm.call).or_default().push(alarm);
        }
        Self { harms, alarms }
    }

    fn harms(&self, call: &CallId) -> &[&'a Harm] {
        self.harms.get(call).map_or(&[], Vec::as_slice)
    }

    fn alarms(&self, call: &CallId) -> &[&'a Alarm] {
        self.alarms.get(call).map_or(&[], Vec::as_slice)
    }

    /// The first harm that each cause did to each call.
    fn first_harms(&self) -> impl Iterator<Item = &'a Harm> {
        self.harms.values().flat_map(|harms| {
            let mut seen = BTreeSet::new();
            harms
                .iter()
                .filter(move |harm| harm.cause.is_some_and(|cause| seen.insert(cause)))
                .copied()
        })
    }
}

fn judge_layers(truth: &Truth, by_call: &ByCall<'_>, tally: &mut Tally) {
    for harm in by_call.first_harms() {
        tally.harmed += 1;
        if stands(harm, truth, by_call) {
            // It was said already, and is still shown: there is no delay that could be counted.
            tally.layer_right += 1;
        } else if let Some(alarm) = first_alarm(harm, truth, by_call) {
            if is_of(alarm.layer, harm, truth) {
                tally.layer_right += 1;
                tally.delays_ms.push(alarm.at.since(harm.from));
            } else {
                *tally.blamed.entry((alarm.layer, alarm.kind)).or_default() += 1;
            }
        } else {
            tally.missed += 1;
        }
    }
}

/// The first alarm that a harm can have brought about, unless another harm of the call did.
fn first_alarm<'a>(harm: &Harm, truth: &Truth, by_call: &ByCall<'a>) -> Option<&'a Alarm> {
    let until = harm.until.map_or(truth.end, |until| until + LATE_MS);
    let others = by_call.harms(&harm.call);
    by_call
        .alarms(&harm.call)
        .iter()
        .filter(|alarm| alarm.is_unwell() && harm.from <= alarm.at && alarm.at <= until)
        .find(|alarm| {
            is_of(alarm.layer, harm, truth)
                || !others
                    .iter()
                    .any(|other| other.layer == alarm.layer && other.explains_alarm_at(alarm.at))
        })
        .copied()
}

/// The layer is where the call was hit, or where the cause of that lies.
fn is_of(layer: Layer, harm: &Harm, truth: &Truth) -> bool {
    let cause = harm.cause.and_then(|cause| truth.causes.get(cause));
    layer == harm.layer || cause.is_some_and(|cause| layer == cause.layer)
}

/// The layer was shown as unwell when the harm began, and rightly so: for an earlier harm of that
/// layer, or because the cause had begun and the call was only not yet hit by it.
fn stands(harm: &Harm, truth: &Truth, by_call: &ByCall<'_>) -> bool {
    let others = by_call.harms(&harm.call);
    Layer::ALL
        .into_iter()
        .filter(|layer| is_of(*layer, harm, truth))
        .filter_map(|layer| {
            let of_layer = |alarm: &&&Alarm| alarm.layer == layer && alarm.at < harm.from;
            by_call.alarms(&harm.call).iter().rfind(of_layer)
        })
        .any(|alarm| {
            let is_owed = |other: &&Harm| {
                is_of(alarm.layer, other, truth)
                    && truth.from(other) <= alarm.at
                    && other.explains_alarm_at(alarm.at.max(other.from))
            };
            alarm.is_unwell() && others.iter().any(is_owed)
        })
}

/// One group over time: its versions in order.
type Versions<'a> = BTreeMap<&'a CauseId, Vec<&'a GroupSeen>>;

fn judge_groups(truth: &Truth, seen: &[GroupSeen], tally: &mut Tally) {
    let mut versions = Versions::new();
    for one in seen {
        versions.entry(&one.group.id).or_default().push(one);
    }
    let fifths: Vec<Option<Timestamp>> = (0..truth.causes.len())
        .map(|cause| fifth_harmed(truth, cause))
        .collect();
    let mut moments: Vec<Timestamp> = truth
        .causes
        .iter()
        .zip(&fifths)
        .filter_map(|(cause, fifth)| Some(((*fifth)? + cause.settle_ms()).min(truth.end)))
        .collect();
    for (cause, fifth) in truth.causes.iter().zip(&fifths) {
        let Some(fifth) = *fifth else { continue };
        tally.causes += 1;
        let at = (fifth + cause.settle_ms()).min(truth.end);
        let is_found = versions
            .values()
            .any(|of| shown_at(of, at).is_some_and(|group| names(group, cause, truth, at)));
        tally.causes_found += u64::from(is_found);
        let first = seen
            .iter()
            .find(|one| cause.explains_group_at(one.at) && names(&one.group, cause, truth, one.at));
        if let Some(first) = first {
            tally.cause_delays_ms.push(first.at.since(fifth).max(0));
        }
    }
    moments.sort_unstable();
    // Which cause was named at which moment: a second group for it then splits what is one.
    let mut named = BTreeSet::new();
    for of in versions.values() {
        let (at, group) = judged(of, &moments, truth.end);
        tally.groups += 1;
        let right = truth
            .causes
            .iter()
            .position(|cause| cause.explains_group_at(at) && names(group, cause, truth, at));
        let is_right = right.is_some_and(|cause| named.insert((cause, at)));
        tally.groups_right += u64::from(is_right);
        if !is_right && tally.wrong_groups.len() < EXAMPLES_MAX {
            tally.wrong_groups.push(words(group));
        }
        let told = of[0].at;
        let is_false = !truth
            .causes
            .iter()
            .any(|cause| cause.explains_group_at(told));
        tally.false_groups += u64::from(is_false);
    }
}

/// When the cause had harmed enough calls for a group.
fn fifth_harmed(truth: &Truth, cause: usize) -> Option<Timestamp> {
    let mut first: BTreeMap<&CallId, Timestamp> = BTreeMap::new();
    for harm in truth.harms.iter().filter(|harm| harm.cause == Some(cause)) {
        let from = first.entry(&harm.call).or_insert(harm.from);
        *from = harm.from.min(*from);
    }
    let mut moments: Vec<Timestamp> = first.into_values().collect();
    moments.sort_unstable();
    moments.get(CALLS_MIN - 1).copied()
}

/// The group as it stood at a moment; None before it was told and after it closed.
fn shown_at<'a>(versions: &[&'a GroupSeen], at: Timestamp) -> Option<&'a CauseGroup> {
    let last = versions.iter().rfind(|seen| seen.at <= at)?;
    (last.group.state != CauseState::Closed).then_some(&last.group)
}

/// The moment at which a group is judged, and how it stood: when a cause is asked for while it is
/// shown, else once it had the same time to settle, else as it last was.
fn judged<'a>(
    versions: &[&'a GroupSeen],
    moments: &[Timestamp],
    end: Timestamp,
) -> (Timestamp, &'a CauseGroup) {
    let told = versions[0].at;
    let settled = (told + SETTLE_MS).min(end);
    moments
        .iter()
        .copied()
        .chain([settled])
        .find_map(|at| Some((at, shown_at(versions, at)?)))
        .unwrap_or((told, &versions[0].group))
}

/// The group describes the cause, in its own words or in others that nobody could tell from them.
fn names(group: &CauseGroup, cause: &Cause, truth: &Truth, at: Timestamp) -> bool {
    if group.layer != cause.layer || group.shape != cause.shape {
        return false;
    }
    let traits: BTreeSet<_> = group.traits.iter().collect();
    traits == cause.traits.iter().collect()
        || traits.len() <= cause.traits.len()
            && !truth.work.is_empty()
            && truth.coincides(&group.traits, cause, at)
}

fn words(group: &CauseGroup) -> String {
    let traits: Vec<String> = group
        .traits
        .iter()
        .map(|one| format!("{:?} {}", one.dimension, one.value))
        .collect();
    let (layer, shape) = (group.layer.as_str(), group.shape);
    format!("{layer} {shape:?} [{}]", traits.join(", "))
}

/// The first silence beyond its limit of each call that a cause harmed, unless a layer of the call
/// was shown as unwell before it began: then a person looks at it already.
fn judge_dead_air(truth: &Truth, limit: DurationMs, by_call: &ByCall<'_>, tally: &mut Tally) {
    for harm in by_call.first_harms() {
        let until = harm.until.unwrap_or(truth.end);
        let silence = truth.silences.iter().find(|silence| {
            silence.call == harm.call
                && silence.until >= harm.from
                && silence.from <= until
                && silence.until.since(silence.from) > limit
        });
        let Some(silence) = silence else { continue };
        let alarms = by_call.alarms(&harm.call);
        let is_told_already = Layer::ALL.into_iter().any(|layer| {
            let last = alarms
                .iter()
                .rfind(|alarm| alarm.layer == layer && alarm.at < silence.from);
            last.is_some_and(|alarm| alarm.is_unwell())
        });
        if is_told_already {
            continue;
        }
        let told = alarms
            .iter()
            .find(|alarm| alarm.is_unwell() && alarm.at >= silence.from);
        let told = told.map_or(silence.until, |alarm| alarm.at.min(silence.until));
        let over = told.since(silence.from + limit).max(0);
        tally.over_limit_ms.push(over);
    }
}

fn judge_dead_providers(truth: &Truth, heard: &Heard, tally: &mut Tally) {
    for cause in &truth.causes {
        let told = first_word(cause, heard, |alarm| {
            alarm.kind == Some(SignalKind::Liveness)
        });
        let told = told.unwrap_or(cause.until);
        tally.provider_delays_ms.push(told.since(cause.from));
    }
}

fn judge_rates(truth: &Truth, heard: &Heard, tally: &mut Tally) {
    for (cause, turns) in truth.causes.iter().zip(&truth.turns) {
        let told = first_word(cause, heard, |alarm| {
            alarm.kind == Some(SignalKind::FaultRate)
        });
        let told = told.unwrap_or(cause.until);
        let before = turns.iter().filter(|turn| **turn <= told).count();
        tally.rate_turns.push(before as u64);
    }
}

/// When a cause was first spoken of while it lasted: by an alarm of the kind that is asked for, in
/// its layer, or by a group in its layer that names one of its traits.
fn first_word(
    cause: &Cause,
    heard: &Heard,
    is_meant: impl Fn(&Alarm) -> bool,
) -> Option<Timestamp> {
    let lasts = |at: Timestamp| cause.from <= at && at <= cause.until;
    let alarms = heard
        .alarms
        .iter()
        .filter(|alarm| alarm.is_unwell() && alarm.layer == cause.layer && is_meant(alarm))
        .map(|alarm| alarm.at);
    let names_a_trait = |group: &CauseGroup| {
        cause.traits.is_empty() || group.traits.iter().any(|one| cause.traits.contains(one))
    };
    let groups = heard
        .groups
        .iter()
        .filter(|seen| seen.group.layer == cause.layer && names_a_trait(&seen.group))
        .map(|seen| seen.at);
    alarms.chain(groups).filter(|at| lasts(*at)).min()
}

#[cfg(test)]
mod tests;
