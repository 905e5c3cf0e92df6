//! The labelled corpus of faults: what a diagnosis is scored on.
//!
//! A label says what was broken, because it was broken here; nothing in it comes from a detector.
//! [`Family::scenario`] draws one run from a seed, [`Run`] plays it in virtual time, as a bridge
//! tells it: sequenced, a little late, with heartbeats, on top of the noise of a healthy platform.
//!
//! What counts as a harm is said in `call/trouble.rs`, where harms are noted. A harm ends with its
//! effect: it leaves its trace for some time after the caller was served well again.

mod families;
mod place;
mod run;

use holdfast_domain::{CallId, CauseShape, CauseTrait, Layer, Timestamp};

use crate::faults::Target;

pub use families::families;
pub use run::{Arrival, Run};

/// What a family is for: which goal its detection is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A layer begins its work and gives nothing.
    AliveButEmpty,
    /// The caller hears nothing.
    DeadAir,
    /// A vendor is gone, with its beats.
    DeadProvider,
    /// A share of turns fails.
    FaultRate,
    /// Work is done, and late.
    Latency,
    /// Calls fail together, with an error that says so.
    Shared,
    /// Nothing must be raised.
    Noise,
}

/// One way in which a platform breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// Its name in figures.
    pub name: &'static str,
    /// The layer that it breaks.
    pub layer: Layer,
    /// What it is, for people.
    pub about: &'static str,
    /// No limit was chosen by looking at it.
    pub held_out: bool,
    /// The goal it is held to.
    pub kind: Expected,
    faults: &'static [families::Part],
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    seed: u64,
    calls: usize,
    from: Timestamp,
    end: Timestamp,
    steps: Vec<Step>,
    labels: Vec<CauseLabel>,
    /// How often a vendor or a worker beats.
    beat_ms: i64,
}

/// A fault begins or ends.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    at: Timestamp,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Start {
        /// Names the injection until it is stopped.
        key: usize,
        fault: &'static str,
        target: Box<Target>,
        /// The cause that it is; None for what such a platform does wrong on any day.
        label: Option<usize>,
    },
    /// Ends this injection and no other.
    Stop { key: usize },
}

/// A shared cause, as it was injected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseLabel {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// The layer that broke.
    pub layer: Layer,
    /// What its calls have in common.
    pub traits: Vec<CauseTrait>,
    /// Its pattern.
    pub shape: CauseShape,
}

/// One call is harmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harm {
    /// The call.
    pub call: CallId,
    /// Where the call itself is hit.
    pub layer: Layer,
    /// When its work first met the fault.
    pub from: Timestamp,
    /// When its trace was over, some time after the last work that met the fault; None when nobody
    /// knows.
    pub until: Option<Timestamp>,
    /// By what.
    pub by: HarmBy,
}

/// What harms a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HarmBy {
    /// The injected cause at this place among the labels.
    Fault(usize),
    /// An error or a spike such as a healthy platform has.
    Noise,
}

/// A turn met a cause that fails turns by chance, and it was told how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnLabel {
    /// The place of the cause among the labels.
    pub cause: usize,
    /// When its outcome was told.
    pub at: Timestamp,
    /// It failed.
    pub failed: bool,
}

/// When the corpus begins: any moment would do.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Calls of a scored run: enough for five calls of a vendor, a region and a model at once.
const CALLS: usize = 300;

/// How long a run is healthy before its fault begins.
const WARM_UP_MS: i64 = 90_000;

/// How long a fault lasts.
const FAULT_MS: i64 = 60_000;

/// How long a run is healthy again.
const AFTER_MS: i64 = 30_000;

/// Vendors and workers beat four times a second in scored runs.
const BEAT_MS: i64 = 250;

/// And once a second in long calm ones.
const CALM_BEAT_MS: i64 = 1_000;

impl Family {
    /// One run of this family.
    pub fn scenario(&self, seed: u64) -> Scenario {
        let onset = START + WARM_UP_MS;
        let end = onset + FAULT_MS;
        let mut steps = Steps::default();
        let mut labels = Vec::new();
        for (label, part) in self.faults.iter().enumerate() {
            let from = onset + part.after_ms;
            let drawn = seed.wrapping_add(label as u64);
            let (mut target, traits) = place::resolve(part.layer, part.dimensions, drawn);
            target.scope.share = part.share;
            labels.push(CauseLabel {
                from,
                until: end,
                layer: part.layer,
                traits,
                shape: part.shape,
            });
            if let Some(rise) = part.rise {
                let mut before = target.clone();
                before.chance = Some(rise.before);
                steps.inject(START, from, part.fault, &before, None);
                steps.inject(end, end + AFTER_MS, part.fault, &before, None);
                target.chance = Some(rise.after);
            }
            let mut at = from;
            while at < end {
                let lasts_ms = part.on_off_ms.unwrap_or(FAULT_MS);
                let until = (at + lasts_ms).min(end);
                steps.inject(at, until, part.fault, &target, Some(label));
                at = until + lasts_ms;
            }
        }
        steps.all.sort_by_key(|step| step.at);
        Scenario {
            seed,
            calls: CALLS,
            from: START,
            end: end + AFTER_MS,
            steps: steps.all,
            labels,
            beat_ms: BEAT_MS,
        }
    }
}

/// Steps as they are planned.
#[derive(Debug, Default)]
struct Steps {
    all: Vec<Step>,
    injections: usize,
}

impl Steps {
    fn inject(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        fault: &'static str,
        target: &Target,
        label: Option<usize>,
    ) {
        let key = self.injections;
        self.injections += 1;
        self.all.push(Step {
            at: from,
            what: What::Start {
                key,
                fault,
                target: Box::new(target.clone()),
                label,
            },
        });
        self.all.push(Step {
            at: until,
            what: What::Stop { key },
        });
    }
}

/// A run without a fault, only with the noise of a healthy platform.
pub fn calm(seed: u64, calls: usize, duration_ms: i64) -> Scenario {
    Scenario {
        seed,
        calls,
        from: START,
        end: START + duration_ms,
        steps: Vec::new(),
        labels: Vec::new(),
        beat_ms: CALM_BEAT_MS,
    }
}

#[cfg(test)]
mod tests;
