//! Reads and writes what a bridge says, events apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BridgeFrame, CommandResult, Hello, ResultState};
use crate::error::{ErrorCode, WireError};
use crate::wire::{read, wrong};

/// The longest source that is accepted, in bytes: a kind, and the name of a host or a pod.
const SOURCE_BYTES_MAX: usize = 256;

/// The longest epoch that is accepted, in bytes: a UUID has 36.
const EPOCH_BYTES_MAX: usize = 64;

/// The longest heartbeat that makes sense, in seconds. A bridge that is silent for a minute is
/// stale by any measure.
const HEARTBEAT_SECS_MAX: f64 = 60.0;

/// The shortest heartbeat that makes sense, in seconds.
const HEARTBEAT_SECS_MIN: f64 = 0.1;

/// Reads the control frame of type `kind` in `text`, whose limits were checked.
pub(crate) fn parse_control(kind: &str, text: &str) -> Result<BridgeFrame, WireError> {
    match kind {
        "hello" => {
            let hello: Hello = read("hello", "", text)?;
            check_hello(&hello)?;
            Ok(BridgeFrame::Hello(hello))
        }
        "result" => {
            let result: CommandResult = read("result", "", text)?;
            check_result(&result)?;
            Ok(BridgeFrame::Result(result))
        }
        "pong" => {
            let Pong { nonce } = read("pong", "", text)?;
            Ok(BridgeFrame::Pong { nonce })
        }
        _ => Err(WireError::new(
            ErrorCode::UnknownFrameType,
            "a bridge may send hello, result, pong and events; the frame has another type and was \
             ignored",
        )),
    }
}

/// Writes a control frame of a bridge.
pub fn write_bridge_frame(frame: &BridgeFrame) -> String {
    let frame = match frame {
        BridgeFrame::Hello(hello) => Written::Hello(hello),
        BridgeFrame::Result(result) => Written::Result(result),
        BridgeFrame::Pong { nonce } => Written::Pong { nonce: *nonce },
    };
    serde_json::to_string(&frame).expect("strings, numbers and lists always become JSON")
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Pong {
    nonce: u64,
}

/// Every control frame, for the JSON Schema.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "Control")]
#[expect(dead_code, reason = "it only describes")]
pub(crate) enum FromBridge {
    /// The first frame.
    Hello(Hello),
    /// How a command stands.
    Result(CommandResult),
    /// The answer to a ping.
    Pong(Pong),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Written<'a> {
    Hello(&'a Hello),
    Result(&'a CommandResult),
    Pong { nonce: u64 },
}

fn check_hello(hello: &Hello) -> Result<(), WireError> {
    let limits = [
        ("source", hello.source.len(), SOURCE_BYTES_MAX),
        ("epoch", hello.epoch.len(), EPOCH_BYTES_MAX),
    ];
    for (field, bytes, bytes_max) in limits {
        if !(1..=bytes_max).contains(&bytes) {
            return Err(wrong(
                "hello",
                field,
                &format!("must have 1 to {bytes_max} bytes"),
            ));
        }
    }
    if !(HEARTBEAT_SECS_MIN..=HEARTBEAT_SECS_MAX).contains(&hello.heartbeat_secs) {
        return Err(wrong(
            "hello",
            "heartbeat_secs",
            &format!("must be from {HEARTBEAT_SECS_MIN} to {HEARTBEAT_SECS_MAX}"),
        ));
    }
    Ok(())
}

fn check_result(result: &CommandResult) -> Result<(), WireError> {
    match result.state {
        ResultState::Rejected | ResultState::Failed if result.kind.is_none() => Err(wrong(
            "result",
            "kind",
            "is missing: rejected and failed say why",
        )),
        ResultState::Applied if result.read_back.is_none() => Err(wrong(
            "result",
            "read_back",
            "is missing: applied says what the platform reads back",
        )),
        ResultState::Accepted
        | ResultState::Applied
        | ResultState::Rejected
        | ResultState::Failed
        | ResultState::Expired => Ok(()),
    }
}
