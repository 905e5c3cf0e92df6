//! Shared causes behind failing calls.

use std::collections::BTreeMap;

use holdfast_domain::{CauseGroup, CauseId, CauseState, DurationMs, Timestamp};

/// The most cause groups in one frame.
const SHOWN_MAX: usize = 50;

/// How long a cause that is over stays on the desk: as long as the hub tells it in a snapshot.
const KEPT_MS: DurationMs = 60 * 60 * 1_000;

/// Every cause group that is active and of late.
#[derive(Debug, Default)]
pub(super) struct Causes {
    all: BTreeMap<CauseId, CauseGroup>,
    version: u64,
}

impl Causes {
    pub(super) fn put(&mut self, cause: CauseGroup, version: u64) {
        self.version = version;
        self.all.insert(cause.id.clone(), cause);
    }

    pub(super) fn clear(&mut self, version: u64) {
        self.version = version;
        self.all.clear();
    }

    /// Forgets what has been over for longer than it is of use.
    pub(super) fn forget_old(&mut self, hub_now: Timestamp, version: u64) {
        let before = self.all.len();
        self.all.retain(|_, cause| {
            cause.state != CauseState::Closed || hub_now.since(cause.updated_at) <= KEPT_MS
        });
        if self.all.len() != before {
            self.version = version;
        }
    }

    /// Active ones first, then those with more failing calls, then the newest.
    pub(super) fn section(&self, ack: u64) -> Option<Vec<CauseGroup>> {
        if self.version <= ack {
            return None;
        }
        let mut shown: Vec<&CauseGroup> = self.all.values().collect();
        shown.sort_by_key(|cause| {
            let place = match cause.state {
                CauseState::Active => 0,
                CauseState::Recovering => 1,
                CauseState::Closed => 2,
            };
            (
                place,
                std::cmp::Reverse(cause.failing),
                std::cmp::Reverse(cause.updated_at),
                &cause.id,
            )
        });
        Some(shown.into_iter().take(SHOWN_MAX).cloned().collect())
    }
}
