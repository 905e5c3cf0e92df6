//! Everything behind the rows of the calls that are open.

use std::collections::BTreeMap;

use holdfast_domain::{CallDetail, CallId};
use holdfast_protocol::window::DetailSection;

/// The calls whose detail was told, and the one that the window shows.
#[derive(Debug, Default)]
pub(super) struct Details {
    told: BTreeMap<CallId, Told>,
    open: Option<CallId>,
    open_version: u64,
}

#[derive(Debug)]
struct Told {
    /// None when the call is gone.
    detail: Option<Box<CallDetail>>,
    version: u64,
}

impl Details {
    /// The call that the window shows.
    pub(super) fn open(&self) -> impl Iterator<Item = &CallId> {
        self.open.iter()
    }

    /// The window shows this call now.
    pub(super) fn look(&mut self, open: Option<&CallId>, version: &mut u64) {
        if self.open.as_ref() != open {
            *version += 1;
            self.open = open.cloned();
            self.open_version = *version;
        }
    }

    pub(super) fn put(&mut self, detail: Box<CallDetail>, version: u64) {
        let id = detail.summary.id.clone();
        let detail = Some(detail);
        self.told.insert(id, Told { detail, version });
    }

    pub(super) fn gone(&mut self, id: &CallId, version: u64) {
        if let Some(told) = self.told.get_mut(id) {
            let detail = None;
            *told = Told { detail, version };
        }
    }

    /// All calls but those that `stays` names are gone.
    pub(super) fn keep_only(&mut self, stays: impl Fn(&CallId) -> bool, version: u64) {
        for (id, told) in &mut self.told {
            if !stays(id) {
                let detail = None;
                *told = Told { detail, version };
            }
        }
    }

    /// Forgets calls that nobody looks at any more.
    pub(super) fn forget_all_but(&mut self, wanted: &[CallId]) {
        self.told.retain(|id, _| wanted.contains(id));
    }

    /// The call that the window shows, if anything about it changed since `ack`.
    pub(super) fn section(&self, ack: u64) -> Option<DetailSection> {
        let told = self.told.get(self.open.as_ref()?);
        let version = told.map_or(0, |told| told.version).max(self.open_version);
        (version > ack).then(|| DetailSection {
            call: told.and_then(|told| told.detail.clone()),
        })
    }
}
