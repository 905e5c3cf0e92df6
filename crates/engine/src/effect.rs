//! What comes out.

use holdfast_domain::{
    Blindness, CallId, CommandRecord, Evidence, Layer, LayerState, PlaybookId, Record, Reply,
    SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};

/// One effect. The shell makes every `Append` of a batch durable before it carries out the batch's
/// first `Send`, and carries out effects in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write it down. A record is also shown to every console that may see it.
    Append(Entry),
    /// Send a command to a bridge. Its record was appended before.
    Send {
        /// The bridge.
        source: SourceId,
        /// The command.
        command: Box<CommandRecord>,
    },
    /// Something on screen is no longer true.
    Show(Shown),
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A command or a handoff, as it is now; replaces its earlier versions.
    Record(Record),
    /// A layer of a call changed its state.
    Transition {
        /// The call.
        call: CallId,
        /// The layer.
        layer: Layer,
        /// Before.
        from: LayerState,
        /// After.
        to: LayerState,
        /// Why; None when it is well again.
        evidence: Option<Evidence>,
        /// When.
        at: Timestamp,
    },
    /// What a failover policy does on a call, or does not do, and why.
    Ladder {
        /// The call.
        call: CallId,
        /// The layer that fails.
        layer: Layer,
        /// The playbook whose policy it is.
        policy: PlaybookId,
        /// In a sentence.
        text: String,
        /// When.
        at: Timestamp,
    },
    /// The hub cannot see, or sees again. What was due in that time was judged after it.
    Blindness(Blindness),
    /// A call began.
    CallStarted {
        /// The call.
        call: CallId,
        /// Its bridge.
        source: SourceId,
        /// When.
        at: Timestamp,
    },
    /// A call ended.
    CallEnded {
        /// The call.
        call: CallId,
        /// Why, as the platform says.
        reason: String,
        /// When.
        at: Timestamp,
        /// The fault that it ended soon after; None for an end that nothing explains as one.
        #[serde(default)]
        after: Option<Evidence>,
    },
}

/// What is no longer true on screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// The call's row.
    Call(CallId),
    /// The call left the board.
    Gone(CallId),
    /// A call is heard again: its row, which is told apart, shows the recovery of this number.
    Recovered(u64),
    /// The bridges or the human agents.
    Platform,
    /// The answer to a person's request.
    Reply {
        /// The number of the request.
        ticket: u64,
        /// The answer.
        reply: Reply,
    },
}
