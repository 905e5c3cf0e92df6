//! Is an error worth another attempt?

use holdfast_protocol::error::{ErrorCode, WireError};
use serde_json::Value;

/// True for errors that the same hello with the same token would meet again.
pub(crate) const fn is_fatal(code: ErrorCode) -> bool {
    match code {
        ErrorCode::Unauthorized | ErrorCode::Forbidden | ErrorCode::UnsupportedProtocol => true,
        ErrorCode::HelloExpected
        | ErrorCode::SourceInUse
        | ErrorCode::Malformed
        | ErrorCode::TooLarge
        | ErrorCode::TooDeep
        | ErrorCode::WrongType
        | ErrorCode::UnknownEventType
        | ErrorCode::UnknownFrameType
        | ErrorCode::BadSequence
        | ErrorCode::WrongSource
        | ErrorCode::WrongEpoch
        | ErrorCode::UnknownCall
        | ErrorCode::RateLimited
        | ErrorCode::Stale
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::Internal => false,
    }
}

/// The error that a frame carries, if it is an error frame of either face. Only frames that begin
/// like one are parsed: the hub writes `type` first, and snapshots are large.
pub(crate) fn error_in(text: &str) -> Option<WireError> {
    let head = text.trim_start().strip_prefix('{')?.trim_start();
    let head = head.strip_prefix("\"type\"")?.trim_start();
    let head = head.strip_prefix(':')?.trim_start();
    head.strip_prefix("\"error\"")?;
    let mut frame: Value = serde_json::from_str(text).ok()?;
    // The console face nests the error, the bridge face writes its fields into the frame.
    let nested = frame.get_mut("error").map(Value::take);
    serde_json::from_value(nested.unwrap_or(frame)).ok()
}

/// The error that a WebSocket close code stands for, if it is one of the hub's.
pub(crate) fn error_of_close(code: u16, reason: &str) -> Option<WireError> {
    let code = ErrorCode::ALL
        .into_iter()
        .find(|known| known.close_code() == code)?;
    let message = if reason.is_empty() {
        format!("the hub gave no reason beyond its code {code:?}")
    } else {
        reason.to_owned()
    };
    Some(WireError::new(code, message).closing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_both_faces_are_seen() {
        let bridge = r#"{"type":"error","code":"unauthorized","message":"no","closing":true}"#;
        let console = r#"{ "type" : "error","error":{"code":"stale","message":"old"}}"#;
        assert_eq!(
            error_in(bridge),
            Some(WireError::new(ErrorCode::Unauthorized, "no").closing())
        );
        assert_eq!(
            error_in(console),
            Some(WireError::new(ErrorCode::Stale, "old"))
        );
    }

    #[test]
    fn other_frames_are_no_errors() {
        for text in [
            "",
            "{",
            "no json",
            r#"{"type":"welcome","error":{"code":"stale","message":"x"}}"#,
            r#"{"type":"error"}"#,
            r#"{"type":"error","code":"an unheard-of code","message":"x"}"#,
        ] {
            assert_eq!(error_in(text), None, "{text}");
        }
    }

    #[test]
    fn close_codes_speak_for_the_hub() {
        let error = error_of_close(ErrorCode::Forbidden.close_code(), "not a bridge").unwrap();
        assert_eq!(error.code, ErrorCode::Forbidden);
        assert_eq!(error.message, "not a bridge");
        assert_eq!(error_of_close(1000, "bye"), None);
        assert_eq!(error_of_close(4999, "bye"), None);
    }

    #[test]
    fn only_three_errors_are_final() {
        let fatal: Vec<_> = ErrorCode::ALL
            .into_iter()
            .filter(|c| is_fatal(*c))
            .collect();
        assert_eq!(
            fatal,
            [
                ErrorCode::Unauthorized,
                ErrorCode::Forbidden,
                ErrorCode::UnsupportedProtocol
            ]
        );
    }
}
