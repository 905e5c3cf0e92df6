//! Reads and writes the frames between hub and console.

use holdfast_domain::{
    Blindness, BridgeStatus, CallDetail, CallId, CallSummary, HumanAgent, Ledger, PlaybookStatus,
    Record, Reply, Request, Timestamp,
};
use serde::Deserialize;

use super::{ConsoleFrame, HubToConsole, Identity, ResumePoint};
use crate::error::{ErrorCode, WireError};
use crate::limits::{CONSOLE_DEPTH_MAX, CONSOLE_FRAME_BYTES_MAX, DETAIL_CALLS_MAX};
use crate::wire::{check_depth, check_size, read, type_of};

/// Reads a frame of a console, as the hub does.
pub fn parse_console_frame(text: &str) -> Result<ConsoleFrame, WireError> {
    let kind = frame_type(text)?;
    let frame = match kind.as_str() {
        "hello" => {
            let Hello {
                protocol,
                token,
                resume,
                detail,
            } = read("hello", "", text)?;
            ConsoleFrame::Hello {
                protocol,
                token,
                resume,
                detail,
            }
        }
        "detail" => {
            let OpenCalls { calls } = read("detail", "", text)?;
            ConsoleFrame::Detail { calls }
        }
        "request" => {
            let Asked { id, request } = read("request", "", text)?;
            ConsoleFrame::Request { id, request }
        }
        _ => return Err(unknown("a console sends hello, detail and request")),
    };
    if let ConsoleFrame::Hello { detail: calls, .. } | ConsoleFrame::Detail { calls } = &frame
        && calls.len() > DETAIL_CALLS_MAX
    {
        return Err(WireError::new(
            ErrorCode::WrongType,
            format!(
                "{kind}: {} calls are open, {DETAIL_CALLS_MAX} are allowed; it was ignored",
                calls.len()
            ),
        ));
    }
    Ok(frame)
}

/// Reads a frame of the hub, as a console does.
pub fn parse_hub_to_console(text: &str) -> Result<HubToConsole, WireError> {
    let kind = frame_type(text)?;
    Ok(match kind.as_str() {
        "welcome" => {
            let Welcome {
                protocol,
                epoch,
                identity,
                hub_time,
            } = read("welcome", "", text)?;
            HubToConsole::Welcome {
                protocol,
                epoch,
                identity,
                hub_time,
            }
        }
        "snapshot" => {
            let Snapshot {
                seq,
                first,
                last,
                calls,
                records,
            } = read("snapshot", "", text)?;
            HubToConsole::Snapshot {
                seq,
                first,
                last,
                calls,
                records,
            }
        }
        "change" => {
            let Change { seq, calls, gone } = read("change", "", text)?;
            HubToConsole::Change { seq, calls, gone }
        }
        "record" => {
            let Recorded { seq, record } = read("record", "", text)?;
            HubToConsole::Record { seq, record }
        }
        "detail" => {
            let Detail { detail } = read("detail", "", text)?;
            HubToConsole::Detail { detail }
        }
        "beat" => {
            let Beat {
                seq,
                hub_time,
                lag_ms,
                blind,
                bridges,
                humans,
            } = read("beat", "", text)?;
            HubToConsole::Beat {
                seq,
                hub_time,
                lag_ms,
                blind,
                bridges,
                humans,
            }
        }
        "ledger" => {
            let Recoveries { ledger } = read("ledger", "", text)?;
            HubToConsole::Ledger { ledger }
        }
        "playbooks" => {
            let Library { playbooks } = read("playbooks", "", text)?;
            HubToConsole::Playbooks { playbooks }
        }
        "reply" => {
            let Answered { id, reply } = read("reply", "", text)?;
            HubToConsole::Reply { id, reply }
        }
        "error" => {
            let Wrong { error } = read("error", "", text)?;
            HubToConsole::Error { error }
        }
        _ => return Err(unknown("this hub sends frames of another version")),
    })
}

/// Writes a frame of a console.
pub fn write_console_frame(frame: &ConsoleFrame) -> String {
    serde_json::to_string(frame).expect("strings, numbers and lists always become JSON")
}

/// Writes a frame of the hub.
pub fn write_hub_to_console(frame: &HubToConsole) -> String {
    serde_json::to_string(frame).expect("strings, numbers and lists always become JSON")
}

/// Checks the limits and gives the frame's type.
fn frame_type(text: &str) -> Result<String, WireError> {
    check_size(text, CONSOLE_FRAME_BYTES_MAX)?;
    check_depth(text, CONSOLE_DEPTH_MAX)?;
    Ok(type_of(text)?.0.into_owned())
}

fn unknown(known: &str) -> WireError {
    WireError::new(
        ErrorCode::UnknownFrameType,
        format!("{known}; the frame has another type and was ignored"),
    )
}

// The fields of each frame. They are read type-first through these structs and not through the
// enums, because an internally tagged enum buffers the whole frame, which costs a snapshot several
// times its size, and loses the path to a field that does not fit.

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hello {
    protocol: u32,
    token: Option<String>,
    resume: Option<ResumePoint>,
    #[serde(default)]
    detail: Vec<CallId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenCalls {
    calls: Vec<CallId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    id: u64,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Welcome {
    protocol: u32,
    epoch: String,
    identity: Identity,
    hub_time: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    seq: u64,
    first: bool,
    last: bool,
    calls: Vec<CallSummary>,
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    seq: u64,
    calls: Vec<CallSummary>,
    gone: Vec<CallId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    seq: u64,
    record: Record,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    detail: Box<CallDetail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Beat {
    seq: u64,
    hub_time: Timestamp,
    lag_ms: i64,
    blind: Option<Blindness>,
    bridges: Vec<BridgeStatus>,
    humans: Vec<HumanAgent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recoveries {
    ledger: Ledger,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Library {
    playbooks: Vec<PlaybookStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    id: u64,
    reply: Reply,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrong {
    error: WireError,
}
