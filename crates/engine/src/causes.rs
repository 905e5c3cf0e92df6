//! Live calls that fail together, grouped under the smallest cause that they share.
//!
//! ```text
//! a layer falls -> look in 250 ms -> samples of each layer -> explain -> groups -> records, rows
//!                      ^                                                   |
//!                      +------- while anything fails or a group lives -----+
//! ```
//!
//! Calls are compared with calls of the same moment: those that did the same work well since the
//! failures began. A call that was not tried since then says nothing, and a call whose feed is not
//! live is neither failing nor well.
//! Deliberately absent: the statistic (`explain`) and the words (`words`).

mod climb;
mod explain;
mod field;
mod samples;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    CallId, CauseGroup, CauseId, CauseReach, CauseShape, CauseState, CauseTrait, DurationMs,
    Evidence, Layer, LayerState, NeedLevel, Record, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::calls::{Call, bit};
use crate::timers::{Queued, TimerKey, Timers};
use crate::{Config, Engine, Entry};
pub(crate) use field::CallTraits;
use field::Field;
use samples::{Found, has_traits};
pub(crate) use samples::{has_trait, is_failure};

/// How long after the first failure the calls are compared, and how often again: four looks a
/// second see a cause as soon as a person could, and cost a few milliseconds at 10,000 calls.
const LOOK_MS: DurationMs = 250;

/// How often a group's counts are told while nothing else about it changes.
const TELL_MS: DurationMs = 1_000;

/// A group that nothing explains any more is closed after this time, or as soon as all its calls
/// are well or gone, but not before a caller's turn has passed: with work that is late and comes
/// nobody fails at some moments, and the next turn is late again.
const FADE_MS: DurationMs = 60_000;
const FADE_MS_MIN: DurationMs = 15_000;

/// A group may change its traits at once for so long.
const YOUNG_MS: DurationMs = 5_000;

/// How long other traits must explain a group better before it takes them.
const RIVAL_MS: DurationMs = 2_000;

/// The most calls that a record names; an act reaches all.
const NAMED_MAX: usize = 200;

/// The most evidence that a record carries.
const EVIDENCE_MAX: usize = 4;

/// One group, with what its record does not show.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cell {
    group: CauseGroup,
    /// Every call that fails by it.
    members: BTreeSet<CallId>,
    /// When its failures last had this explanation.
    explained_at: Timestamp,
    /// When its record was last written.
    told_at: Timestamp,
    /// Other traits that explain it better, and since when they do.
    rival: Option<(Vec<CauseTrait>, Timestamp)>,
}

/// Every cause group that is not forgotten.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Causes {
    cells: BTreeMap<CauseId, Cell>,
    /// How many groups there ever were: ids are never used twice.
    count: u64,
    /// When calls are compared next; None while nothing fails.
    look_at: Option<Timestamp>,
    field: Field,
    #[serde(skip)]
    queued: Queued,
}

impl Causes {
    pub(crate) fn get(&self, cause: &CauseId) -> Option<&CauseGroup> {
        self.cells.get(cause).map(|cell| &cell.group)
    }

    /// Every group that is not closed.
    pub(crate) fn alive(&self) -> impl Iterator<Item = &CauseGroup> {
        let groups = self.cells.values().map(|cell| &cell.group);
        groups.filter(|group| group.state != CauseState::Closed)
    }

    pub(crate) fn records(&self, config: &Config, now: Timestamp) -> Vec<Record> {
        self.cells
            .values()
            .map(|cell| &cell.group)
            .filter(|group| {
                group.state != CauseState::Closed
                    || now.since(group.updated_at) <= config.records_ms
            })
            .map(|group| Record::Cause {
                cause: Box::new(group.clone()),
            })
            .collect()
    }

    pub(crate) fn queue(&mut self, timers: &mut Timers) {
        timers.arm(|| TimerKey::Causes, self.look_at, &mut self.queued);
    }

    /// The living group that `found` continues: the one with which it shares most failing calls,
    /// at least a third of the smaller of the two, or the same traits.
    fn continues(&self, found: &Found, taken: &BTreeSet<CauseId>) -> Option<CauseId> {
        let alive = self
            .cells
            .iter()
            .filter(|(id, cell)| cell.group.state != CauseState::Closed && !taken.contains(*id));
        // An outage of a place takes in what seemed to be the fault of single layers there.
        let is_outage = |shape| shape == CauseShape::RegionOutage;
        let is_same_layer = |group: &CauseGroup| {
            group.layer == found.layer || is_outage(group.shape) || is_outage(found.shape)
        };
        alive
            .filter(|(_, cell)| is_same_layer(&cell.group))
            .filter_map(|(id, cell)| {
                let shared = cell.members.intersection(&found.failing).count();
                let smaller = cell.members.len().min(found.failing.len());
                let is_same = cell.group.layer == found.layer && cell.group.traits == found.traits;
                (is_same || shared > 0 && shared * 3 >= smaller).then_some((is_same, shared, id))
            })
            .max_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.cmp(a.2)))
            .map(|(_, _, id)| id.clone())
    }
}

impl Engine {
    /// A layer of a call fell: calls are compared soon.
    pub(crate) fn look_for_causes(&mut self) {
        if self.causes.look_at.is_none() {
            self.causes.look_at = Some(self.now + LOOK_MS);
            self.causes.queue(&mut self.timers);
        }
    }

    pub(crate) fn fire_causes(&mut self, due: Timestamp) {
        self.causes.queued.pop(due);
        if self.causes.look_at.is_some_and(|at| at <= due) {
            let now = self.pass_to(due);
            let goes_on = self.compare_calls(now);
            self.causes.look_at = goes_on.then_some(now + LOOK_MS);
        }
        self.causes.queue(&mut self.timers);
    }

    /// A layer of a call did its work, or did not; the facts or timers that were just taken in say
    /// so.
    pub(crate) fn count_outcomes(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        let (good, bad) = (
            std::mem::take(&mut call.outcomes.good),
            std::mem::take(&mut call.outcomes.bad),
        );
        if good | bad == 0 {
            return;
        }
        for layer in Layer::ALL {
            let is_bad = bad & bit(layer) != 0;
            if is_bad || good & bit(layer) != 0 {
                self.causes.field.saw(call, layer, is_bad, self.now);
            }
        }
    }

    /// Compares the calls of this moment; false when nothing is worth it and no group lives.
    fn compare_calls(&mut self, now: Timestamp) -> bool {
        let living: BTreeSet<Layer> = self
            .causes
            .cells
            .values()
            .filter(|cell| cell.group.state != CauseState::Closed)
            .map(|cell| cell.group.layer)
            .collect();
        let has_outage = self.causes.cells.values().any(|cell| {
            cell.group.state != CauseState::Closed && cell.group.shape == CauseShape::RegionOutage
        });
        let layers: Vec<Layer> = Layer::ALL
            .into_iter()
            .filter(|layer| {
                self.causes.field.is_hot(*layer, now) || living.contains(layer) || has_outage
            })
            .collect();
        if layers.is_empty() {
            return false;
        }
        let field = &mut self.causes.field;
        let found = samples::compare(&mut self.calls, &self.bridges, field, &layers, now);
        let mut taken = BTreeSet::new();
        for found in found {
            let known = self.causes.continues(&found, &taken);
            let is_same = |id: &CauseId| {
                self.causes
                    .get(id)
                    .is_some_and(|group| is_same_cause(group, &found))
            };
            if !found.is_fresh && !known.as_ref().is_some_and(is_same) {
                continue;
            }
            let id = known.unwrap_or_else(|| {
                self.causes.count += 1;
                CauseId::new(format!("cause-{}", self.causes.count))
            });
            taken.insert(id.clone());
            self.put_cause(&id, found, now);
        }
        let others: Vec<CauseId> = self
            .causes
            .cells
            .iter()
            .filter(|(id, cell)| !taken.contains(*id) && cell.group.state != CauseState::Closed)
            .map(|(id, _)| id.clone())
            .collect();
        for id in others {
            self.fade_cause(&id, now);
        }
        let records_ms = self.config.records_ms;
        self.causes.cells.retain(|_, cell| {
            cell.group.state != CauseState::Closed || now.since(cell.group.updated_at) <= records_ms
        });
        true
    }

    /// A group is new, goes on, or is understood better.
    fn put_cause(&mut self, id: &CauseId, mut found: Found, now: Timestamp) {
        let before = self.causes.cells.remove(id);
        // The queue before a pool that is too small fills up once, and is full from then on.
        if let Some(group) = before.as_ref().map(|cell| &cell.group)
            && group.shape == CauseShape::SaturatedPool
            && (group.layer, found.shape) == (found.layer, CauseShape::Shared)
            && group.traits == found.traits
        {
            found.shape = group.shape;
        }
        let rival = before.as_ref().and_then(|cell| hold(cell, &mut found, now));
        let left = before.as_ref().map(|cell| &cell.members);
        self.mark_members(id, left, &found.failing);
        let since = before
            .as_ref()
            .map_or(found.since, |cell| cell.group.since.min(found.since));
        let (mut group, told_at) = match before.filter(|cell| goes_on(&cell.group, &found)) {
            // What is not told is not worked out: it takes a look at every call.
            Some(cell) if now.since(cell.told_at) < TELL_MS => (cell.group, cell.told_at),
            before => {
                let group = self.described(id, &found, since, now);
                match before {
                    Some(cell) if counts(&cell.group) == counts(&group) => {
                        (cell.group, cell.told_at)
                    }
                    _ => {
                        self.tell_cause(&group);
                        (group, now)
                    }
                }
            }
        };
        group.since = since;
        let cell = Cell {
            group,
            members: found.failing,
            explained_at: now,
            told_at,
            rival,
        };
        self.causes.cells.insert(id.clone(), cell);
    }

    /// The group as it is now.
    fn described(
        &self,
        id: &CauseId,
        found: &Found,
        since: Timestamp,
        now: Timestamp,
    ) -> CauseGroup {
        let mut group = CauseGroup {
            id: id.clone(),
            state: CauseState::Active,
            layer: found.layer,
            traits: found.traits.clone(),
            shape: found.shape,
            sentence: String::new(),
            since,
            updated_at: now,
            failing: found.failing.len() as u32,
            healthy: found.healthy,
            exposed: 0,
            waiting: 0,
            elsewhere_permille: found.elsewhere_permille,
            calls: Vec::new(),
            evidence: Vec::new(),
        };
        self.describe_cause(&mut group, &found.failing);
        group
    }

    /// Nothing explains a group now: it recovers, and closes when all its calls are well or gone.
    fn fade_cause(&mut self, id: &CauseId, now: Timestamp) {
        let Some(mut cell) = self.causes.cells.remove(id) else {
            return;
        };
        let layer = cell.group.layer;
        let calls = &self.calls;
        let still: BTreeSet<CallId> = cell
            .members
            .iter()
            .filter(|member| {
                calls
                    .get(*member)
                    .is_some_and(|call| is_unwell(call, layer))
            })
            .cloned()
            .collect();
        let faded = now.since(cell.explained_at);
        let is_over = still.is_empty() && faded >= FADE_MS_MIN || faded >= FADE_MS;
        let state = if is_over {
            CauseState::Closed
        } else {
            CauseState::Recovering
        };
        let kept = if is_over { BTreeSet::new() } else { still };
        self.mark_members(id, Some(&cell.members), &kept);
        cell.members = kept;
        let is_news = cell.group.state != state
            || cell.group.failing != cell.members.len() as u32
                && now.since(cell.told_at) >= TELL_MS;
        if is_news {
            let evidence = std::mem::take(&mut cell.group.evidence);
            cell.group.state = state;
            cell.group.updated_at = now;
            cell.group.failing = cell.members.len() as u32;
            self.describe_cause(&mut cell.group, &cell.members);
            if cell.group.evidence.is_empty() {
                cell.group.evidence = evidence;
            }
            self.tell_cause(&cell.group);
            cell.told_at = now;
        }
        self.causes.cells.insert(id.clone(), cell);
    }

    /// Shows the rows of calls that join or leave a group.
    fn mark_members(
        &mut self,
        id: &CauseId,
        before: Option<&BTreeSet<CallId>>,
        after: &BTreeSet<CallId>,
    ) {
        for gone in before
            .into_iter()
            .flatten()
            .filter(|call| !after.contains(*call))
        {
            if let Some(call) = self.calls.get_mut(gone)
                && call.cause.as_ref() == Some(id)
            {
                call.cause = None;
                self.out.show_call(&call.id, &mut call.dirty);
            }
        }
        for member in after {
            if let Some(call) = self.calls.get_mut(member)
                && call.cause.as_ref() != Some(id)
            {
                call.cause = Some(id.clone());
                self.out.show_call(&call.id, &mut call.dirty);
            }
        }
    }

    /// Counts, names and evidence, from the calls as they are now.
    fn describe_cause(&self, group: &mut CauseGroup, members: &BTreeSet<CallId>) {
        let mut named: Vec<(NeedLevel, u32, &Call)> = members
            .iter()
            .filter_map(|member| self.calls.get(member))
            .map(|call| {
                let need = call.need(&self.around(call));
                (need.level, need.score, call)
            })
            .collect();
        named.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then(a.2.id.cmp(&b.2.id)));
        group.waiting = named.iter().filter(|(_, _, call)| call.is_silent()).count() as u32;
        group.exposed = self
            .calls
            .iter()
            .filter(|call| call.ai_serves() && has_traits(call, group))
            .count() as u32;
        let mut evidence: Vec<&Evidence> = named
            .iter()
            .filter_map(|(_, _, call)| evidence_of(call, group.layer))
            .collect();
        evidence.sort_by_key(|found| std::cmp::Reverse(found.at));
        let newest = evidence.into_iter().take(EVIDENCE_MAX);
        group.evidence = newest.cloned().collect();
        group.calls = named
            .iter()
            .take(NAMED_MAX)
            .map(|(_, _, call)| call.id.clone())
            .collect();
        group.sentence = words::sentence(group);
    }

    fn tell_cause(&mut self, group: &CauseGroup) {
        self.append(Entry::Record(Record::Cause {
            cause: Box::new(group.clone()),
        }));
    }

    /// The groups by which calls fail now, those with most failing calls first.
    pub(crate) fn active_causes(&self) -> Vec<&CauseGroup> {
        let groups = self.causes.cells.values().map(|cell| &cell.group);
        let mut active: Vec<&CauseGroup> = groups
            .filter(|group| group.state == CauseState::Active)
            .collect();
        active.sort_by_key(|group| (std::cmp::Reverse(group.failing), group.id.clone()));
        active
    }

    /// The call has what this group's calls have in common.
    pub(crate) fn is_exposed(call: &Call, group: &CauseGroup) -> bool {
        has_traits(call, group)
    }

    /// The live calls of a cause group, in the order of their ids.
    pub(crate) fn calls_of_cause(&self, group: &CauseGroup, reach: CauseReach) -> Vec<CallId> {
        match reach {
            CauseReach::Failing => {
                let members = self.causes.cells.get(&group.id).map(|cell| &cell.members);
                members
                    .into_iter()
                    .flatten()
                    .filter(|call| self.calls.contains(*call))
                    .cloned()
                    .collect()
            }
            CauseReach::Exposed => self
                .calls
                .iter()
                .filter(|call| has_traits(call, group))
                .map(|call| call.id.clone())
                .collect(),
        }
    }
}

/// Nothing about the group changed that is worth telling at once.
fn goes_on(was: &CauseGroup, found: &Found) -> bool {
    was.state == CauseState::Active && is_same_cause(was, found)
}

fn is_same_cause(group: &CauseGroup, found: &Found) -> bool {
    (group.layer, group.shape) == (found.layer, found.shape) && group.traits == found.traits
}

/// A group that is understood keeps its traits until others explain it better for a while: with
/// few calls the best explanation changes from look to look. What is young learns at once. Tells
/// the rival, and puts the group's own traits in place of those that were found.
fn hold(cell: &Cell, found: &mut Found, now: Timestamp) -> Option<(Vec<CauseTrait>, Timestamp)> {
    let group = &cell.group;
    let is_young = now.since(group.since) < YOUNG_MS;
    if is_young || is_same_cause(group, found) || group.layer != found.layer {
        return None;
    }
    let since = match &cell.rival {
        Some((traits, since)) if *traits == found.traits => *since,
        _ => now,
    };
    if now.since(since) >= RIVAL_MS {
        return None;
    }
    let rival = std::mem::replace(&mut found.traits, group.traits.clone());
    found.shape = group.shape;
    Some((rival, since))
}

const fn counts(group: &CauseGroup) -> (u32, u32, u32, u32) {
    (group.failing, group.healthy, group.exposed, group.waiting)
}

/// The layer of the group, or with infrastructure any layer, is unwell.
fn is_unwell(call: &Call, layer: Layer) -> bool {
    let bad = |layer: Layer| {
        call.layers[layer].state >= LayerState::Degraded && !call.is_only_a_concern(layer)
    };
    bad(layer) || layer == Layer::Infrastructure && Layer::ALL.into_iter().any(bad)
}

fn evidence_of(call: &Call, layer: Layer) -> Option<&Evidence> {
    let own = call.layers[layer].evidence.as_deref();
    if layer == Layer::Infrastructure {
        let mut others = Layer::ALL.into_iter();
        return own.or_else(|| others.find_map(|layer| call.layers[layer].evidence.as_deref()));
    }
    own
}
