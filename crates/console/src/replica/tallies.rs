//! Live calls, counted as they change.

use std::collections::BTreeMap;

use holdfast_domain::{CallPhase, CallSummary, LayerState, NeedLevel, SourceId};

/// Live calls by what the bar and the filter show, kept as they change: ten thousand rows are too
/// many to count in each frame.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    pub(super) counts: Counts,
    pub(super) by_source: BTreeMap<SourceId, u32>,
    pub(super) by_queue: BTreeMap<String, u32>,
    pub(super) queues_version: u64,
}

/// Live calls, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) live: u32,
    pub(super) need_you: u32,
    pub(super) failing: u32,
}

impl Tallies {
    pub(super) fn count(&mut self, call: &CallSummary, step: i32, version: u64) {
        if call.phase == CallPhase::Ended {
            return;
        }
        let add = |n: &mut u32| *n = n.saturating_add_signed(step);
        add(&mut self.counts.live);
        if call.need.level >= NeedLevel::Warn {
            add(&mut self.counts.need_you);
        }
        if call
            .layers
            .iter()
            .any(|(_, layer)| layer.state == LayerState::Failed)
        {
            add(&mut self.counts.failing);
        }
        tally(&mut self.by_source, &call.source, step);
        if tally(&mut self.by_queue, &call.queue, step) {
            self.queues_version = version;
        }
    }
}

/// Counts up or down; true when a key came or went.
fn tally<K: Ord + Clone>(counts: &mut BTreeMap<K, u32>, key: &K, step: i32) -> bool {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_add_signed(step);
        if *count > 0 {
            return false;
        }
        counts.remove(key);
        return true;
    }
    if step > 0 {
        counts.insert(key.clone(), step.unsigned_abs());
    }
    step > 0
}
