//! What a live call really holds, for whoever judges a handoff card: nothing of it is told on the
//! wire in this form.

use holdfast_domain::{CallId, IdentityLevel, Slot, Timestamp};

/// One call as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct CallTruth {
    /// The call.
    pub call: CallId,
    /// What the caller asks; None until they were understood.
    pub ask: Option<AskTruth>,
    /// The intent, once it is known.
    pub intent: Option<String>,
    /// What the caller gave and was understood, with the turn of each.
    pub slots: Vec<Slot>,
    /// How the caller proved who they are, and how far.
    pub identity: Option<(String, IdentityLevel)>,
    /// Tools that were used, in their order.
    pub tools: Vec<ToolTruth>,
    /// What the caller was promised and heard.
    pub promises: Vec<PromiseTruth>,
    /// What the caller never heard of the agent's words: when they were cut, and the ending; oldest
    /// first.
    pub unspoken: Vec<(Timestamp, String)>,
    /// A human serves the call.
    pub with_human: bool,
}

/// What a caller asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskTruth {
    /// In one line, as a platform tells it.
    pub line: String,
    /// In the caller's words.
    pub words: String,
}

/// One use of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolTruth {
    /// The tool.
    pub tool: &'static str,
    /// It changes something in the world.
    pub writes: bool,
    /// How it went.
    pub went: Went,
}

/// How a use of a tool went, as far as anybody outside of the tool can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Went {
    /// It runs.
    Running,
    /// It ended well.
    Completed,
    /// It answered with an error.
    Failed,
    /// It did not answer.
    TimedOut,
    /// The platform called it off.
    Cancelled,
}

/// What a caller was promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseTruth {
    /// The agent's words that hold it.
    pub words: String,
    /// In one line, where a platform tells it.
    pub line: Option<String>,
    /// The turn, where the platform counts it.
    pub turn: Option<u32>,
    /// The caller heard all of the words.
    pub is_whole: bool,
}
