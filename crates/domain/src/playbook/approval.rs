//! Who must agree before a playbook runs.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who must agree. In every class the approval is for the exact set, parameters and version that
/// were shown; when one of them changes it is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Approval {
    /// Nobody: the person who starts it sees the preview and starts it.
    None,
    /// The person who starts it confirms the preview.
    Confirm,
    /// A second person, never the one who asked.
    TwoPerson {
        /// Seconds after which the approval is void.
        expires_s: u32,
        /// How one person can go on alone; None: not at all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        break_glass: Option<BreakGlass>,
    },
    /// One person alone, with a written reason and a review afterwards.
    BreakGlass(BreakGlass),
}

/// What one person owes who goes on without a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BreakGlass {
    /// The fewest characters of the written reason; at least 1, a reason is always required.
    pub reason_chars_min: u32,
    /// Hours within which the run must be reviewed by somebody else.
    pub review_within_h: u32,
}
