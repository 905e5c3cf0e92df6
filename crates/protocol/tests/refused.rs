//! What is refused, with which code and in which words.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use holdfast_protocol::bridge::parse_hub_frame;
use holdfast_protocol::console::{parse_console_frame, parse_hub_to_console};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::event::{Inbound, parse_bridge_frame, write_batch};
use holdfast_protocol::limits::{BATCH_EVENTS_MAX, BRIDGE_FRAME_BYTES_MAX, JSON_DEPTH_MAX};

/// A good event, with `change` made to its text.
fn event(change: impl FnOnce(String) -> String) -> String {
    change(
        r#"{"specversion":"1.0","id":"7","source":"//bridges/test/1","type":"holdfast.turn.ended","subject":"call-1","time":"2026-11-24T10:00:00.120Z","recordedtime":"2026-11-24T10:00:00.121Z","sequence":"00000000000000000007","epoch":"e-1","data":{"turn":1,"duration_secs":2.5,"interrupted":false}}"#
            .to_owned(),
    )
}

fn replaced(from: &str, to: &str) -> String {
    event(|text| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// The whole frame is refused.
fn refused(frame: &str, code: ErrorCode, words: &str) -> WireError {
    let error = parse_bridge_frame(frame).unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.message.contains(words), "{error}");
    error
}

/// The event uses up its place, and says why it cannot be read.
fn unread(frame: &str, code: ErrorCode, words: &str) {
    let Inbound::Events(events) = parse_bridge_frame(frame).unwrap() else {
        panic!("{frame} is no event");
    };
    let [event] = &events[..] else {
        panic!("{frame} is no single event");
    };
    assert_eq!(
        (&*event.source, &*event.epoch, event.sequence),
        ("//bridges/test/1", "e-1", 7)
    );
    let error = event.fact.as_ref().unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.message.contains(words), "{error}");
}

#[test]
fn the_good_event_is_good() {
    let text = event(|text| text);
    let Inbound::Events(events) = parse_bridge_frame(&text).unwrap() else {
        panic!("it is an event");
    };
    events[0].fact.as_ref().unwrap();
}

#[test]
fn frames_that_are_none_of_ours_are_malformed() {
    use ErrorCode::Malformed;
    for frame in [
        "",
        " ",
        "null",
        "17",
        "\"hello\"",
        "{}",
        "{\"type\":null}",
        "{\"type\":5}",
        "{\"type\":\"pong\",\"nonce\":1",
        "{\"type\":\"pong\",\"nonce\":1} trailing",
        "[1]",
        "[[]]",
        "[{}]",
        "[null]",
        "[",
        "[{\"type\":\"pong\",\"nonce\":1}]",
        "[\"holdfast.turn.started\"]",
        "\u{feff}{\"type\":\"pong\",\"nonce\":1}",
    ] {
        let error = parse_bridge_frame(frame).unwrap_err();
        assert_eq!(error.code, Malformed, "{frame}: {error}");
        assert!(error.message.contains("ignored"), "{error}");
    }
}

#[test]
fn a_frame_that_is_too_large_is_refused_before_it_is_read() {
    let pong = r#"{"type":"pong","nonce":1}"#;
    let padded = |bytes: usize| format!("{pong}{}", " ".repeat(bytes - pong.len()));
    parse_bridge_frame(&padded(BRIDGE_FRAME_BYTES_MAX)).unwrap();
    let error = refused(
        &padded(BRIDGE_FRAME_BYTES_MAX + 1),
        ErrorCode::TooLarge,
        "1048577 bytes, 1048576 are allowed",
    );
    assert_eq!(error.detail.unwrap()["bytes_max"], BRIDGE_FRAME_BYTES_MAX);
}

#[test]
fn a_batch_that_is_too_long_is_refused_whole() {
    let events = |count| vec![event(|text| text); count];
    let longest = write_batch(&events(BATCH_EVENTS_MAX));
    let Inbound::Events(read) = parse_bridge_frame(&longest).unwrap() else {
        panic!("a batch holds events");
    };
    assert_eq!(read.len(), BATCH_EVENTS_MAX);
    refused(
        &write_batch(&events(BATCH_EVENTS_MAX + 1)),
        ErrorCode::TooLarge,
        "more than 1024 events",
    );
}

#[test]
fn a_frame_that_is_too_deep_is_refused_in_a_batch_and_alone() {
    let nested = |levels: usize| {
        let value = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        replaced("\"turn\":1", &format!("\"extra\":{value},\"turn\":1"))
    };
    // The event and its data are two levels.
    let alone = nested(JSON_DEPTH_MAX - 2);
    parse_bridge_frame(&alone).unwrap();
    refused(&nested(JSON_DEPTH_MAX - 1), ErrorCode::TooDeep, "32 levels");
    let error = refused(
        &write_batch(&[event(|text| text), alone]),
        ErrorCode::TooDeep,
        "31 levels",
    );
    assert_eq!(error.detail.unwrap()["index"], 1);
    refused(&"[".repeat(100_000), ErrorCode::Malformed, "no JSON");
    refused(&"{\"a\":".repeat(100_000), ErrorCode::TooDeep, "32 levels");
}

#[test]
fn an_unknown_type_uses_up_its_place() {
    use ErrorCode::UnknownEventType;
    unread(
        &replaced("turn.ended", "turn.exploded"),
        UnknownEventType,
        "\"holdfast.turn.exploded\" is not in this hub's catalogue",
    );
    let long = replaced("turn.ended", &"x".repeat(10_000));
    unread(&long, UnknownEventType, "\"holdfast.xxx");
}

#[test]
fn wrong_data_uses_up_its_place() {
    use ErrorCode::WrongType;
    for (from, to, words) in [
        ("\"turn\":1,", "", "field data.turn is missing"),
        (
            "\"turn\":1,",
            "\"turn\":null,",
            "field data.turn is not u32",
        ),
        ("\"turn\":1,", "\"turn\":-1,", "field data.turn is not u32"),
        ("\"turn\":1,", "\"turn\":1.5,", "field data.turn is not u32"),
        (
            "\"turn\":1,",
            "\"turn\":4294967296,",
            "field data.turn is not u32",
        ),
        (
            "\"turn\":1,",
            "\"turn\":1,\"turn\":2,",
            "turn is there twice",
        ),
        (
            "2.5",
            "-0.001",
            "field data.duration_secs is not seconds from 0 to 1e9",
        ),
        ("2.5", "1e400", "field data.duration_secs is not valid JSON"),
        (
            "2.5",
            "1e10",
            "field data.duration_secs is not seconds from 0 to 1e9",
        ),
        ("2.5", "\"2.5\"", "field data.duration_secs is not f64"),
        ("false", "\"no\"", "field data.interrupted is not a boolean"),
        ("{\"turn\":1,", "[{\"turn\":1,", "no JSON"),
    ] {
        let frame = replaced(from, to);
        if words == "no JSON" {
            refused(&frame, ErrorCode::Malformed, words);
        } else {
            unread(&frame, WrongType, words);
        }
    }
    let data = "{\"turn\":1,\"duration_secs\":2.5,\"interrupted\":false}";
    for other in ["[1,2.5,false]", "\"text\"", "7"] {
        unread(
            &replaced(data, other),
            WrongType,
            "field data is not an object",
        );
    }
    for none in ["null", "{}"] {
        unread(
            &replaced(data, none),
            WrongType,
            "field data.turn is missing",
        );
    }
    unread(
        &replaced(&format!(",\"data\":{data}"), ""),
        WrongType,
        "field data.turn is missing",
    );
}

#[test]
fn a_wrong_envelope_uses_up_its_place_if_that_can_be_read() {
    use ErrorCode::WrongType;
    for (from, to, words) in [
        (
            "\"specversion\":\"1.0\",",
            "",
            "field specversion is missing",
        ),
        ("\"1.0\"", "\"0.3\"", "field specversion is not \"1.0\""),
        ("\"id\":\"7\",", "", "field id is missing"),
        ("\"id\":\"7\"", "\"id\":7", "field id is not a string"),
        ("call-1", "", "field subject is not a call id"),
        ("call-1", "call 1", "field subject is not a call id"),
        ("call-1", "call\u{e9}", "field subject is not a call id"),
        ("call-1", "*", "field subject names no call"),
        (
            "2026-11-24T10:00:00.120Z",
            "yesterday",
            "field time is not a moment as RFC 3339",
        ),
        (
            "2026-11-24T10:00:00.120Z",
            "2026-02-30T10:00:00.120Z",
            "field time is not a moment",
        ),
        (
            "\"2026-11-24T10:00:00.121Z\"",
            "1795514400121",
            "field recordedtime is not a moment",
        ),
        (
            "\"epoch\"",
            "\"layer\":\"stt\",\"epoch\"",
            "field layer is not one of `asr`, `llm`",
        ),
        ("turn.ended", "service.usage", "field layer is missing"),
        ("turn.ended", "bridge.heartbeat", "field subject is not *"),
        (
            "\"epoch\"",
            "\"causationid\":1,\"epoch\"",
            "field causationid is not a string",
        ),
    ] {
        unread(&replaced(from, to), WrongType, words);
    }
    // The type is known, so the words name it.
    unread(
        &replaced("\"id\":\"7\",", ""),
        WrongType,
        "holdfast.turn.ended: field id",
    );
}

#[test]
fn an_event_without_a_place_refuses_its_frame() {
    use ErrorCode::Malformed;
    for (from, to, words) in [
        (
            "\"source\":\"//bridges/test/1\",",
            "",
            "field source is missing",
        ),
        ("\"epoch\":\"e-1\",", "", "field epoch is missing"),
        (
            "\"epoch\":\"e-1\"",
            "\"epoch\":1",
            "field epoch is not a string",
        ),
        (
            "\"sequence\":\"00000000000000000007\",",
            "",
            "field sequence is missing",
        ),
        (
            "\"00000000000000000007\"",
            "7",
            "field sequence is not a string of up to 20 digits",
        ),
        (
            "00000000000000000007",
            "",
            "field sequence is not a string of up to 20 digits",
        ),
        ("00000000000000000007", "0", "from 1"),
        ("00000000000000000007", "+7", "field sequence is not"),
        ("00000000000000000007", "-7", "field sequence is not"),
        (
            "00000000000000000007",
            "000000000000000000007",
            "field sequence is not",
        ),
        (
            "00000000000000000007",
            "18446744073709551616",
            "field sequence is not",
        ),
    ] {
        let bad = replaced(from, to);
        refused(&bad, Malformed, words);
        let error = refused(&write_batch(&[event(|text| text), bad]), Malformed, words);
        assert_eq!(error.detail.unwrap()["index"], 1);
    }
}

#[test]
fn a_bad_event_does_not_harm_its_neighbors() {
    let batch = write_batch(&[
        event(|text| text),
        replaced("2.5", "-2.5"),
        replaced("turn.ended", "turn.exploded"),
        event(|text| text),
    ]);
    let Inbound::Events(events) = parse_bridge_frame(&batch).unwrap() else {
        panic!("a batch holds events");
    };
    let good: Vec<bool> = events.iter().map(|event| event.fact.is_ok()).collect();
    assert_eq!(good, [true, false, false, true]);
}

#[test]
fn ranges_and_lists_are_kept() {
    let typed = |kind: &str, data: &str| {
        let old = "{\"turn\":1,\"duration_secs\":2.5,\"interrupted\":false}";
        replaced("turn.ended", kind)
            .replacen(old, data, 1)
            .replacen("\"epoch\"", "\"layer\":\"llm\",\"epoch\"", 1)
    };
    let wrong = |kind, data, words| unread(&typed(kind, data), ErrorCode::WrongType, words);
    wrong(
        "transport.quality",
        r#"{"rtt_ms":1,"jitter_ms":1,"loss":1.01}"#,
        "field data.loss is not a number from 0 to 1",
    );
    wrong(
        "transport.quality",
        r#"{"rtt_ms":-1,"jitter_ms":1,"loss":0}"#,
        "field data.rtt_ms is not a number from 0 to 1e9",
    );
    wrong(
        "call.updated",
        r#"{"sentiment":-1.5}"#,
        "field data.sentiment is not a number from -1 to 1",
    );
    wrong(
        "call.updated",
        r#"{"slots":[{"name":"a","pii.value":"b"},{"name":"a","pii.value":"b","confidence":2}]}"#,
        "field data.slots[1].confidence is not a number from 0 to 1",
    );
    wrong(
        "call.updated",
        r#"{"recording":"maybe"}"#,
        "field data.recording is not on, paused or off",
    );
    wrong(
        "participant.joined",
        r#"{"identity":"x","kind":"robot"}"#,
        "field data.kind is not caller, ai or human",
    );
    wrong(
        "handoff.failed",
        r#"{"reason":"because"}"#,
        "field data.reason is not no_answer, busy,",
    );
    wrong(
        "service.latency",
        r#"{"service":"x","metric":"ttfx","seconds":1}"#,
        "field data.metric is not one of `ttfb`, `ttfa`, `ttft`, `e2e`",
    );
    wrong(
        "tool.failed",
        r#"{"gen_ai.tool.name":"x","gen_ai.tool.call.id":"y","message":"z"}"#,
        "field data.error.type is missing",
    );
}

#[test]
fn an_error_repeats_no_part_of_what_was_said() {
    let secret = "4929 1234 5678 9012";
    for frame in [
        replaced("\"turn\":1", &format!("\"turn\":\"{secret}\"")),
        replaced("call-1", secret),
        replaced("2026-11-24T10:00:00.120Z", secret),
        replaced("\"1.0\"", &format!("\"{secret}, expected {secret}\"")),
    ] {
        let Inbound::Events(events) = parse_bridge_frame(&frame).unwrap() else {
            panic!("it is an event");
        };
        let error = events[0].fact.as_ref().unwrap_err();
        assert!(!format!("{error:?}").contains("4929"), "{error:?}");
    }
    let error = parse_bridge_frame(&format!(r#"{{"type":"{secret}"}}"#)).unwrap_err();
    assert!(!format!("{error:?}").contains("4929"), "{error:?}");
}

#[test]
fn control_frames_are_checked() {
    use ErrorCode::{UnknownFrameType, WrongType};
    refused(
        r#"{"type":"helo"}"#,
        UnknownFrameType,
        "hello, result, pong and events",
    );
    refused(
        r#"{"type":"pong"}"#,
        WrongType,
        "pong: field nonce is missing",
    );
    refused(
        r#"{"type":"pong","nonce":-1}"#,
        WrongType,
        "pong: field nonce is not u64",
    );
    let hello = |source: &str, epoch: &str, heartbeat: &str| {
        format!(
            r#"{{"type":"hello","protocol":1,"source":"{source}","epoch":"{epoch}","bridge":{{"name":"b","version":"1"}},"platform":{{"name":"p","version":"1"}},"heartbeat_secs":{heartbeat}}}"#
        )
    };
    parse_bridge_frame(&hello("s", "e", "2")).unwrap();
    refused(
        &hello("", "e", "2"),
        WrongType,
        "field source must have 1 to 256 bytes",
    );
    refused(
        &hello("s", &"e".repeat(65), "2"),
        WrongType,
        "field epoch must have 1 to 64 bytes",
    );
    refused(
        &hello("s", "e", "0"),
        WrongType,
        "heartbeat_secs must be from 0.1 to 60",
    );
    refused(
        &hello("s", "e", "61"),
        WrongType,
        "heartbeat_secs must be from 0.1 to 60",
    );
    refused(
        &hello("s", "e", "-1"),
        WrongType,
        "heartbeat_secs must be from 0.1 to 60",
    );
    let result = |rest: &str| format!(r#"{{"type":"result","command_id":"c","state":{rest}}}"#);
    parse_bridge_frame(&result(r#""expired""#)).unwrap();
    refused(
        &result(r#""done""#),
        WrongType,
        "field state is not one of `accepted`",
    );
    refused(&result(r#""rejected""#), WrongType, "field kind is missing");
    refused(&result(r#""failed""#), WrongType, "field kind is missing");
    refused(
        &result(r#""applied""#),
        WrongType,
        "field read_back is missing",
    );
    refused(
        &result(r#""failed","kind":"bad_luck""#),
        WrongType,
        "field kind is not one of `unknown_command`",
    );
}

#[test]
fn a_bridge_is_told_what_is_wrong_with_a_command() {
    let command = |name: &str, call: &str, args: &str| {
        format!(
            r#"{{"type":"command","command_id":"c-1","call":"{call}","name":"{name}","args":{args},"actor":"ana","issued_at":"2026-11-24T10:00:00.000Z","expires_at":"2026-11-24T10:00:10.000Z"}}"#
        )
    };
    parse_hub_frame(&command("retry_turn", "call-1", "{}")).unwrap();
    for (name, call, args, words) in [
        (
            "fly",
            "call-1",
            "{}",
            "answer it with rejected, unknown_command",
        ),
        (
            "announce",
            "call-1",
            "{}",
            "announce: field args.text is missing",
        ),
        (
            "announce",
            "call-1",
            "[]",
            "announce: field args is not an object",
        ),
        (
            "switch_model",
            "call-1",
            r#"{"layer":"llm","to":"x","retry_turn":1}"#,
            "switch_model: field args.retry_turn is not a boolean",
        ),
    ] {
        let error = parse_hub_frame(&command(name, call, args)).unwrap_err();
        assert_eq!(error.code, ErrorCode::WrongType);
        assert!(error.message.contains(words), "{error}");
        assert_eq!(error.detail.unwrap()["command_id"], "c-1");
    }
    let error = parse_hub_frame(&command("retry_turn", "call 1", "{}")).unwrap_err();
    assert!(
        error.message.contains("field call is not a call id"),
        "{error}"
    );
    let error = parse_hub_frame(r#"{"type":"hello"}"#).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownFrameType);
    let error = parse_hub_frame("nonsense").unwrap_err();
    assert_eq!(error.code, ErrorCode::Malformed);
}

#[test]
fn console_frames_are_checked() {
    use ErrorCode::{Malformed, TooDeep, UnknownFrameType, WrongType};
    let deep = format!("{{\"type\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    for (frame, code, words) in [
        ("nonsense", Malformed, "no JSON"),
        ("[]", Malformed, "no JSON object"),
        (deep.as_str(), TooDeep, "32 levels"),
        (
            r#"{"type":"goodbye"}"#,
            UnknownFrameType,
            "hello, detail and request",
        ),
        (
            r#"{"type":"hello"}"#,
            WrongType,
            "hello: field protocol is missing",
        ),
        (
            r#"{"type":"detail","calls":5}"#,
            WrongType,
            "detail: field calls is not a sequence",
        ),
        (
            r#"{"type":"detail","calls":["1","2","3","4","5","6","7","8","9"]}"#,
            WrongType,
            "9 calls are open, 8 are allowed",
        ),
        (
            r#"{"type":"hello","protocol":1,"detail":["1","2","3","4","5","6","7","8","9"]}"#,
            WrongType,
            "9 calls are open, 8 are allowed",
        ),
        (
            r#"{"type":"request","id":1,"request":{"type":"dance"}}"#,
            WrongType,
            "request: field request",
        ),
    ] {
        let error = parse_console_frame(frame).unwrap_err();
        assert_eq!(error.code, code, "{frame}: {error}");
        assert!(error.message.contains(words), "{error}");
    }
    for (frame, code, words) in [
        ("nonsense", Malformed, "no JSON"),
        (r#"{"type":"hello"}"#, UnknownFrameType, "another type"),
        (
            r#"{"type":"beat"}"#,
            WrongType,
            "beat: field seq is missing",
        ),
        (
            r#"{"type":"snapshot","seq":1,"first":true,"last":true,"calls":[{}],"records":[]}"#,
            WrongType,
            "snapshot: field calls[0].id is missing",
        ),
    ] {
        let error = parse_hub_to_console(frame).unwrap_err();
        assert_eq!(error.code, code, "{frame}: {error}");
        assert!(error.message.contains(words), "{error}");
    }
}
