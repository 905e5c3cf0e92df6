//! Reads and writes what the hub says to a bridge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::command::{WireCommand, WrittenCommand};
use super::{HubFrame, Welcome};
use crate::error::{ErrorCode, WireError};
use crate::limits::{BRIDGE_FRAME_BYTES_MAX, JSON_DEPTH_MAX};
use crate::wire::{check_depth, check_size, read, type_of};

/// Reads a frame from the hub, as a bridge does.
///
/// A command that cannot be read names its `command_id` in the error's detail, if it has one, so
/// that the bridge can answer it.
pub fn parse_hub_frame(text: &str) -> Result<HubFrame, WireError> {
    check_size(text, BRIDGE_FRAME_BYTES_MAX)?;
    check_depth(text, JSON_DEPTH_MAX)?;
    let kind = type_of(text)?;
    match kind.0.as_ref() {
        "welcome" => Ok(HubFrame::Welcome(read::<Welcome>("welcome", "", text)?)),
        "ack" => {
            let Ack { sequence } = read("ack", "", text)?;
            Ok(HubFrame::Ack { sequence })
        }
        "command" => {
            let command: WireCommand<'_> = read("command", "", text)?;
            Ok(HubFrame::Command(Box::new(command.into_frame()?)))
        }
        "ping" => {
            let Ping { nonce } = read("ping", "", text)?;
            Ok(HubFrame::Ping { nonce })
        }
        "error" => Ok(HubFrame::Error(read("error", "", text)?)),
        _ => Err(WireError::new(
            ErrorCode::UnknownFrameType,
            "a hub sends welcome, ack, command, ping and error; the frame has another type and was \
             ignored",
        )),
    }
}

/// Writes a frame of the hub.
pub fn write_hub_frame(frame: &HubFrame) -> String {
    let frame = match frame {
        HubFrame::Welcome(welcome) => Written::Welcome(welcome),
        HubFrame::Ack { sequence } => Written::Ack {
            sequence: *sequence,
        },
        HubFrame::Command(command) => Written::Command(WrittenCommand::of(command)),
        HubFrame::Ping { nonce } => Written::Ping { nonce: *nonce },
        HubFrame::Error(error) => Written::Error(error),
    };
    serde_json::to_string(&frame).expect("strings, numbers and lists always become JSON")
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Ack {
    sequence: u64,
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Ping {
    nonce: u64,
}

/// Every frame, for the JSON Schema.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "Frame")]
#[expect(dead_code, reason = "it only describes")]
pub(crate) enum FromHub<'a> {
    /// The answer to `hello`.
    Welcome(Welcome),
    /// Everything up to here is durable.
    Ack(Ack),
    /// Please act.
    Command(WireCommand<'a>),
    /// Are you there?
    Ping(Ping),
    /// Something was wrong with a frame.
    Error(WireError),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Written<'a> {
    Welcome(&'a Welcome),
    Ack { sequence: u64 },
    Command(WrittenCommand<'a>),
    Ping { nonce: u64 },
    Error(&'a WireError),
}
