//! How long it took until callers were heard again, as the hub told it last.

use holdfast_domain::Ledger as Told;

/// The ledger.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    told: Option<Told>,
    version: u64,
}

impl Ledger {
    pub(super) fn put(&mut self, told: Told, version: u64) {
        if self.told.as_ref() != Some(&told) {
            self.told = Some(told);
            self.version = version;
        }
    }

    /// The whole of it, when it changed since `ack`.
    pub(super) fn section(&self, ack: u64) -> Option<Told> {
        self.told.clone().filter(|_| self.version > ack)
    }
}
