//! What the owner of a link is told.

use std::time::Duration;

use holdfast_protocol::error::WireError;

/// One thing that happened to a link.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// A connection is up: say hello.
    Connected,
    /// A text frame.
    Message(String),
    /// The connection is gone or could not be made; the next attempt follows by itself.
    Hiccup {
        /// Attempts since the link was last live, from 1.
        attempt: u32,
        /// How long until the next attempt.
        retry_in: Duration,
        /// Why.
        reason: HiccupReason,
    },
    /// It is over; nothing is tried any more.
    Closed {
        /// Why.
        reason: ClosedReason,
    },
}

/// Why a connection is gone, or could not be made. Each is tried again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HiccupReason {
    /// No connection could be made.
    #[error("the hub cannot be reached ({0})")]
    Unreachable(String),
    /// The attempt took too long.
    #[error("the hub did not answer within {} s", .0.as_secs_f32())]
    ConnectTimedOut(Duration),
    /// The other side answered the request for a WebSocket with something else.
    #[error("the hub answered HTTP {0} instead of opening a WebSocket")]
    NoWebSocket(u16),
    /// The other side said an error and closed.
    #[error("the hub closed the connection: {0}")]
    Refused(WireError),
    /// The connection broke or was closed.
    #[error("the connection was lost ({0})")]
    Lost(String),
    /// Nothing was heard, not even the answer to a ping.
    #[error("the hub has been silent for {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// The other side does not read.
    #[error("the hub has not taken a frame for {} s", .0.as_secs_f32())]
    WriteTimedOut(Duration),
}

/// Why a link gave up.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClosedReason {
    /// The hub said an error that trying again cannot mend.
    #[error("the hub refused this connection: {0}")]
    Refused(WireError),
    /// The request for a WebSocket was answered with 401 or 403.
    #[error("the hub does not accept this token (HTTP {0}); check the token and start again")]
    TokenRefused(u16),
    /// The address or the token cannot be used.
    #[error("{0}")]
    BadConfig(ConfigFault),
    /// The link was stopped on this side.
    #[error("the link was stopped")]
    Stopped,
}

/// What is wrong with a link's configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// The address is no WebSocket address.
    #[error("{0:?} is not an address of the form ws://HOST:PORT/PATH")]
    Address(String),
    /// The address asks for TLS.
    #[error("{0:?} asks for TLS, which this program does not speak; use ws:// through a tunnel")]
    Tls(String),
    /// The token has characters that a header cannot carry.
    #[error("the token has characters that an HTTP header cannot carry; copy it again")]
    Token,
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no connection; say it again after `Connected`.
    #[error("there is no connection")]
    NotConnected,
    /// The peer does not keep up.
    #[error("the connection does not keep up")]
    Full,
}
