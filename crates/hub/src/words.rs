//! The hub's own frames as text, and a console's text as frames.

use holdfast_protocol::bridge::HubFrame;
use holdfast_protocol::console::{ConsoleFrame, HubToConsole};
use holdfast_protocol::error::WireError;

/// A frame for a bridge.
pub(crate) fn to_bridge(frame: &HubFrame) -> String {
    holdfast_protocol::bridge::write_hub_frame(frame)
}

/// A frame for a console.
pub(crate) fn to_console(frame: &HubToConsole) -> String {
    holdfast_protocol::console::write_hub_to_console(frame)
}

/// A frame from a console.
pub(crate) fn from_console(text: &str) -> Result<ConsoleFrame, WireError> {
    holdfast_protocol::console::parse_console_frame(text)
}
