//! What can be wrong, as a closed list, with the words for the person who reads it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every kind of error that a peer of the hub can be told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The token is missing or unknown.
    Unauthorized,
    /// The token does not carry the right.
    Forbidden,
    /// The first frame was no `hello`, or none came in time.
    HelloExpected,
    /// The peer speaks another version.
    UnsupportedProtocol,
    /// Another connection of this source is live under another epoch.
    SourceInUse,
    /// No JSON, or no frame of ours.
    Malformed,
    /// Over the size limit.
    TooLarge,
    /// Over the depth limit.
    TooDeep,
    /// A field is missing or has the wrong type.
    WrongType,
    /// The hub does not know this event type.
    UnknownEventType,
    /// The hub does not know this frame type.
    UnknownFrameType,
    /// The sequence skips.
    BadSequence,
    /// An event under another source's name.
    WrongSource,
    /// An event of another epoch.
    WrongEpoch,
    /// The call is not known.
    UnknownCall,
    /// Too much at once.
    RateLimited,
    /// The view is stale; nobody knows what is true.
    Stale,
    /// What was named does not exist (any more).
    NotFound,
    /// It is no longer as the sender believed.
    Conflict,
    /// The hub's own fault; its log says more.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 20] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::HelloExpected,
        Self::UnsupportedProtocol,
        Self::SourceInUse,
        Self::Malformed,
        Self::TooLarge,
        Self::TooDeep,
        Self::WrongType,
        Self::UnknownEventType,
        Self::UnknownFrameType,
        Self::BadSequence,
        Self::WrongSource,
        Self::WrongEpoch,
        Self::UnknownCall,
        Self::RateLimited,
        Self::Stale,
        Self::NotFound,
        Self::Conflict,
        Self::Internal,
    ];

    /// The WebSocket close code for an error that closes the connection: 4000 plus its place in
    /// [`ErrorCode::ALL`].
    pub const fn close_code(self) -> u16 {
        4000 + self as u16
    }
}

/// An error on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    /// What kind.
    pub code: ErrorCode,
    /// What happened, what it means, what to do: one or two sentences.
    pub message: String,
    /// Numbers and names behind the message, for a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
    /// True when the hub closes the connection after it.
    #[serde(default)]
    pub closing: bool,
}

impl WireError {
    /// An error that leaves the connection open.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: None,
            closing: false,
        }
    }

    /// The same error, with numbers and names behind it.
    #[must_use]
    pub fn with_detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The same error, after which the connection closes.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closing = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_follow_the_table() {
        for (place, code) in ErrorCode::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(code.close_code()), 4000 + place, "{code:?}");
        }
    }
}
