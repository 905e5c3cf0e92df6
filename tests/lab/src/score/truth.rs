//! What was really broken, as whoever broke it knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use holdfast_domain::{CallId, CauseShape, CauseTrait, DurationMs, Layer, Timestamp};

use super::{LATE_MS, LINGER_MS, SETTLE_MS, SETTLE_SHAPE_MS};

/// What a run is meant to show, beside layers and causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aim {
    /// A service answers, with nothing in it.
    AliveButEmpty,
    /// Nobody is audible though the agent owes the floor.
    DeadAir,
    /// A provider stops living.
    DeadProvider,
    /// The share of failing turns rises.
    FaultRate,
    /// Nothing beyond.
    #[default]
    Nothing,
}

/// One shared cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// The layer that broke.
    pub layer: Layer,
    /// What the harmed calls have in common; the order means nothing.
    pub traits: Vec<CauseTrait>,
    /// Its pattern.
    pub shape: CauseShape,
}

/// One harm to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harm {
    /// The call.
    pub call: CallId,
    /// The layer in which the call itself is hit. It is that of its cause, unless the cause lies
    /// below: in a region that is down, models and voices of several vendors are hit.
    pub layer: Layer,
    /// When it began.
    pub from: Timestamp,
    /// When its trace was over, with what it left behind; None when it lasted to the end of the run.
    pub until: Option<Timestamp>,
    /// The index of its cause; None for what happens on any day.
    pub cause: Option<usize>,
}

/// A time in which the caller had spoken and nobody was audible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// The call.
    pub call: CallId,
    /// The caller's last word.
    pub from: Timestamp,
    /// The next word of anybody.
    pub until: Timestamp,
}

/// A call used a layer, or only lives where a layer is not used at moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The layer.
    pub layer: Layer,
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// What the call has in common with others in that layer.
    pub traits: Arc<BTreeSet<CauseTrait>>,
}

/// Everything about one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// What it is meant to show.
    pub aim: Aim,
    /// The shared causes.
    pub causes: Vec<Cause>,
    /// The harms, in any order.
    pub harms: Vec<Harm>,
    /// The silences of calls, in the order of their beginnings. Only for [`Aim::DeadAir`].
    pub silences: Vec<Silence>,
    /// For each cause, the moments at which it was told how a turn went that met it, well or not.
    /// Only for causes that fail turns by chance.
    pub turns: Vec<Vec<Timestamp>>,
    /// The work of calls that could show a cause, in any order: of two descriptions that fit the same
    /// work neither is wrong.
    pub work: Vec<Work>,
    /// When the run began.
    pub began: Timestamp,
    /// When the run ended.
    pub end: Timestamp,
}

impl Truth {
    /// When what harms a call began: its cause, if it has one.
    pub(super) fn from(&self, harm: &Harm) -> Timestamp {
        let cause = harm.cause.and_then(|cause| self.causes.get(cause));
        cause.map_or(harm.from, |cause| cause.from.min(harm.from))
    }

    /// All work since the cause began, up to this moment, has all of these traits or lacks some of
    /// the cause's: no more could be known by then.
    pub(super) fn coincides(&self, traits: &[CauseTrait], cause: &Cause, at: Timestamp) -> bool {
        let has = |work: &Work, all: &[CauseTrait]| all.iter().all(|one| work.traits.contains(one));
        self.work
            .iter()
            .filter(|work| work.layer == cause.layer && cause.from <= work.until && work.from <= at)
            .all(|work| has(work, traits) == has(work, &cause.traits))
    }
}

impl Cause {
    /// How long after the fifth harmed call it is asked for.
    pub(super) const fn settle_ms(&self) -> DurationMs {
        match self.shape {
            CauseShape::Shared | CauseShape::RegionOutage => SETTLE_MS,
            CauseShape::SaturatedPool | CauseShape::StarvedAutoscaling => SETTLE_SHAPE_MS,
        }
    }

    /// It explains a group at this moment.
    pub(super) fn explains_group_at(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.until + LINGER_MS
    }
}

impl Harm {
    /// It explains an alarm about its layer at this moment.
    pub(super) fn explains_alarm_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at <= until + LATE_MS)
    }
}
