//! The labelled corpus of faults: what a diagnosis is scored on.
//!
//! A label says what was broken, because it was broken here; nothing in it comes from a detector.
//! [`Family::scenario`] draws one run from a seed, [`Run`] plays it in virtual time, as a bridge
//! tells it: sequenced, a little late, with heartbeats, on top of the noise of a healthy platform.

mod families;
mod run;

use holdfast_domain::{CallId, CauseShape, CauseTrait, FaultScope, Layer, Timestamp};

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
    label: usize,
    /// The fault's id; None ends every fault.
    fault: Option<&'static str>,
    scope: FaultScope,
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
        let mut steps = Vec::new();
        let mut labels = Vec::new();
        for (label, part) in self.faults.iter().enumerate() {
            let from = onset + part.after_ms;
            let (scope, traits) = part.place.resolve(seed.wrapping_add(label as u64));
            labels.push(CauseLabel {
                from,
                until: end,
                layer: part.layer,
                traits,
                shape: part.shape,
            });
            let mut at = from;
            while at < end {
                steps.push(Step {
                    at,
                    label,
                    fault: Some(part.fault),
                    scope: scope.clone(),
                });
                let Some(period_ms) = part.on_off_ms else {
                    break;
                };
                steps.push(Step {
                    at: (at + period_ms).min(end),
                    label,
                    fault: None,
                    scope: FaultScope::default(),
                });
                at = at + 2 * period_ms;
            }
        }
        steps.push(Step {
            at: end,
            label: 0,
            fault: None,
            scope: FaultScope::default(),
        });
        steps.sort_by_key(|step| step.at);
        Scenario {
            seed,
            calls: CALLS,
            from: START,
            end: end + AFTER_MS,
            steps,
            labels,
            beat_ms: BEAT_MS,
        }
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
