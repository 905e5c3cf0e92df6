//! Runs of playbooks, the red lever, and the playbooks that could run now.

use std::collections::BTreeMap;

use holdfast_domain::{DurationMs, Lever, PlaybookStatus, Run, RunId, Timestamp};
use holdfast_protocol::window::RunsSection;

/// The most runs in one frame: those under way, and what was done of late.
const SHOWN_MAX: usize = 20;

/// How long a run that is over stays on the desk: as long as the hub tells it in a snapshot.
const KEPT_MS: DurationMs = 60 * 60 * 1_000;

/// Every run under way and of late.
#[derive(Debug, Default)]
pub(super) struct Runs {
    all: BTreeMap<RunId, Run>,
    lever: Lever,
    version: u64,
    playbooks: Vec<PlaybookStatus>,
    playbooks_version: u64,
}

impl Runs {
    pub(super) fn put(&mut self, run: Run, version: u64) {
        self.version = version;
        self.all.insert(run.id.clone(), run);
    }

    pub(super) fn put_lever(&mut self, lever: Lever, version: u64) {
        self.version = version;
        self.lever = lever;
    }

    pub(super) fn put_playbooks(&mut self, playbooks: Vec<PlaybookStatus>, version: u64) {
        if self.playbooks != playbooks {
            self.playbooks = playbooks;
            self.playbooks_version = version;
        }
    }

    /// A snapshot replaces what was known; playbooks are told apart from it.
    pub(super) fn clear(&mut self, version: u64) {
        self.version = version;
        self.all.clear();
        self.lever = Lever::default();
    }

    /// Forgets what has been over for longer than it is of use. A run whose review is owed stays.
    pub(super) fn forget_old(&mut self, hub_now: Timestamp, version: u64) {
        let before = self.all.len();
        self.all
            .retain(|_, run| run.is_open() || hub_now.since(run.updated_at) <= KEPT_MS);
        if self.all.len() != before {
            self.version = version;
        }
    }

    /// Those under way first, then the newest.
    pub(super) fn section(&self, ack: u64) -> Option<RunsSection> {
        if self.version <= ack {
            return None;
        }
        let mut shown: Vec<&Run> = self.all.values().collect();
        shown.sort_by_key(|run| {
            let newest = std::cmp::Reverse(run.requested_at);
            (run.state.is_final(), newest, &run.id)
        });
        Some(RunsSection {
            lever: self.lever.clone(),
            total: shown.len() as u32,
            runs: shown.into_iter().take(SHOWN_MAX).cloned().collect(),
        })
    }

    pub(super) fn playbooks(&self, ack: u64) -> Option<Vec<PlaybookStatus>> {
        (self.playbooks_version > ack).then(|| self.playbooks.clone())
    }
}
