//! What really happened to whom, for whoever labels a run: nothing of it is told on the wire.

use holdfast_domain::{CallId, Layer, Timestamp};

/// Everything since it was last taken.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) hits: Vec<Hit>,
    pub(crate) trials: Vec<Trial>,
    /// Calls whose callers were served well again, and when.
    pub(crate) served: Vec<(CallId, Timestamp)>,
}

/// A fault, or noise, reached a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) call: CallId,
    /// Where the call itself is hit.
    pub(crate) layer: Layer,
    /// When its work met what broke.
    pub(crate) from: Timestamp,
    /// Up to when it is known to matter: the same moment, or the end of a silence.
    pub(crate) until: Timestamp,
    /// The number of the injection; None for the noise of a healthy platform.
    pub(crate) injection: Option<u64>,
}

/// A turn met something that fails by chance, and it is known how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trial {
    /// The number of the injection.
    pub(crate) injection: u64,
    /// When the outcome was told.
    pub(crate) at: Timestamp,
    pub(crate) failed: bool,
}

impl Ledger {
    /// Forgets what was over before a moment.
    pub(crate) fn forget(&mut self, before: Timestamp) {
        self.hits.retain(|hit| before <= hit.until);
        self.trials.retain(|trial| before <= trial.at);
        self.served.retain(|(_, at)| before <= *at);
    }

    pub(crate) fn clear(&mut self) {
        self.hits.clear();
        self.trials.clear();
        self.served.clear();
    }
}
