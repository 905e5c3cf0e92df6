//! What was heard in one run, each with the moment at which a person could have seen it.

use holdfast_domain::{CallId, CauseGroup, DurationMs, Layer, LayerState, SignalKind, Timestamp};

/// A layer of a call became unwell, worse, or well again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The call.
    pub call: CallId,
    /// The layer.
    pub layer: Layer,
    /// What it became. Only Degraded and Failed are alarms; the others end one.
    pub to: LayerState,
    /// By what.
    pub kind: Option<SignalKind>,
    /// When it was told.
    pub at: Timestamp,
}

/// A call came to need a human at least at the level of warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The call.
    pub call: CallId,
    /// The layers that are blamed, and by what: those that failed, or those that are degraded when
    /// none did.
    pub blamed: Vec<(Layer, Option<SignalKind>)>,
    /// When it was told.
    pub at: Timestamp,
}

/// A cause group as it was told at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSeen {
    /// When it was told.
    pub at: Timestamp,
    /// The group.
    pub group: CauseGroup,
}

/// All of it, each list in the order of its moments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// Of layers of calls.
    pub alarms: Vec<Alarm>,
    /// Of calls.
    pub levels: Vec<Level>,
    /// Of shared causes.
    pub groups: Vec<GroupSeen>,
    /// The limit of silence at which dead air is to be told, as it was configured.
    pub silence_ms: DurationMs,
}

impl Alarm {
    pub(super) const fn is_unwell(&self) -> bool {
        matches!(self.to, LayerState::Degraded | LayerState::Failed)
    }
}
