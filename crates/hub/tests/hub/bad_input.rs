//! What a bridge gets wrong is told to it, counted where people see it, and hurts nobody else.

use serde_json::{Value, json};

use crate::support::bridge::{Bridge, call_started, hello};
use crate::support::console::Console;
use crate::support::{TestHub, next_of, send};

const BAD: &str = "//bridges/sim/bad";

/// A hub with a bridge that will err, another one, and a supervisor who looks on.
struct Scene {
    hub: TestHub,
    bad: Bridge,
    good: Bridge,
    console: Console,
}

impl Scene {
    async fn new() -> Self {
        let hub = TestHub::start().await;
        let bad = Bridge::connect(&hub, BAD, "e1").await;
        let good = Bridge::connect(&hub, "//bridges/sim/good", "e1").await;
        let console = Console::connect(&hub, &hub.tokens.supervisor).await;
        Self {
            hub,
            bad,
            good,
            console,
        }
    }

    /// Sends a frame and expects this error, which does not close the connection.
    async fn expect_error(&mut self, frame: impl Into<String>, code: &str) -> Value {
        self.bad.send_text(frame).await;
        let error = self.bad.next_error(code).await;
        assert_eq!(error["closing"], false, "{error}");
        error
    }

    /// The anomaly is on the console, both bridges still work, and no sequence was used up.
    async fn expect_harmless(&mut self, anomalies: &[(&str, u64)]) {
        self.console
            .until("a beat came", |console| console.bridges.is_array())
            .await;
        for (kind, count) in anomalies {
            self.console
                .until(&format!("{count} of {kind} are counted"), |console| {
                    console.anomalies(BAD, kind) == *count
                })
                .await;
        }
        self.bad.start_call("call-bad").await;
        self.good.start_call("call-good").await;
        self.bad.wait_all_acked().await;
        self.good.wait_all_acked().await;
        self.console
            .until("both calls are on the board", |console| {
                console.calls.contains_key("call-bad") && console.calls.contains_key("call-good")
            })
            .await;
        let other = self.console.bridges.as_array().unwrap().iter();
        for bridge in other.filter(|bridge| bridge["source"] != BAD) {
            assert_eq!(bridge["anomalies"], json!([]));
        }
    }
}

#[tokio::test]
async fn frames_that_are_none() {
    let mut scene = Scene::new().await;
    for frame in ["", "{", "nonsense", "[1]", "{\"a\":1}", "\"text\"", "null"] {
        scene.bad.send_text(frame).await;
        let error = scene.bad.next_of("error").await;
        let code = error["code"].as_str().unwrap();
        assert!(
            ["malformed", "wrong_type"].contains(&code),
            "{frame:?}: {error}"
        );
    }
    let mut counted = 0;
    for kind in ["malformed", "wrongType"] {
        scene
            .console
            .until("a beat came", |console| {
                console.anomalies(BAD, "malformed") + console.anomalies(BAD, "wrongType") == 7
            })
            .await;
        counted += scene.console.anomalies(BAD, kind);
    }
    assert_eq!(counted, 7);
    scene.expect_harmless(&[]).await;
}

#[tokio::test]
async fn frames_of_unknown_type_and_a_second_hello() {
    let mut scene = Scene::new().await;
    scene
        .expect_error(r#"{"type":"greetings"}"#, "unknown_frame_type")
        .await;
    let again = hello(BAD, "e1").to_string();
    scene.expect_error(again, "unknown_frame_type").await;
    scene.expect_harmless(&[("malformed", 2)]).await;
}

#[tokio::test]
async fn events_of_wrong_type_use_up_their_sequence() {
    let mut scene = Scene::new().await;
    let wrong = scene
        .bad
        .event("turn.ended", "call-1", json!({"turn": "one"}));
    scene.expect_error(wrong.to_string(), "wrong_type").await;
    let unknown = scene.bad.event("weather.changed", "call-1", json!({}));
    scene
        .expect_error(unknown.to_string(), "unknown_event_type")
        .await;
    scene.bad.wait_all_acked().await;
    scene
        .expect_harmless(&[("wrongType", 1), ("unknownEventType", 1)])
        .await;
}

#[tokio::test]
async fn one_error_a_frame_however_many_events_are_wrong() {
    let mut scene = Scene::new().await;
    let events: Vec<_> = (0..100)
        .map(|_| scene.bad.event("weather.changed", "call-1", json!({})))
        .collect();
    scene
        .expect_error(json!(events).to_string(), "unknown_event_type")
        .await;
    scene.bad.wait_all_acked().await;
    scene.bad.send(&json!({"type": "x"})).await;
    scene.bad.next_error("unknown_frame_type").await;
    scene.expect_harmless(&[("unknownEventType", 100)]).await;
}

#[tokio::test]
async fn duplicates_are_counted_and_not_told() {
    let mut scene = Scene::new().await;
    scene.bad.start_call("call-1").await;
    scene
        .bad
        .say(
            "call.ended",
            "call-1",
            json!({"reason": "done", "ended_by": "caller"}),
        )
        .await;
    let again = scene
        .bad
        .event_at(1, "call.started", "call-1", call_started("again"));
    scene.bad.send(&again).await;
    scene.bad.wait_all_acked().await;
    scene.expect_harmless(&[("duplicateSequence", 1)]).await;
    assert!(
        !scene.console.calls.contains_key("call-1"),
        "it did not begin twice"
    );
    // The next thing that the bridge hears is about another frame.
    scene.expect_error("{", "malformed").await;
}

#[tokio::test]
async fn a_gap_is_told_once_and_closed_by_going_back() {
    let mut scene = Scene::new().await;
    scene.bad.start_call("call-1").await;
    let missing = scene
        .bad
        .event("turn.started", "call-1", json!({"turn": 1}));
    let early: Vec<_> = (2..5)
        .map(|turn| {
            scene
                .bad
                .event("turn.started", "call-1", json!({"turn": turn}))
        })
        .collect();
    scene.bad.send(&json!(early)).await;
    let error = scene.bad.next_error("bad_sequence").await;
    assert_eq!(error["detail"], json!({"expected": 2, "got": 3}));
    scene.bad.send(&missing).await;
    scene.bad.send(&json!(early)).await;
    scene.bad.wait_acked(5).await;
    scene.expect_harmless(&[("sequenceGap", 1)]).await;
    // The gap was told once: the next error is about another frame.
    scene.expect_error("{", "malformed").await;
}

#[tokio::test]
async fn a_gap_is_closed_by_a_snapshot() {
    let mut scene = Scene::new().await;
    scene.bad.start_call("call-1").await;
    scene.bad.start_call("call-2").await;
    scene.bad.sequence = 50;
    scene
        .bad
        .say(
            "stream.gap_detected",
            "*",
            json!({"from_seq": 3, "to_seq": 49, "missing": 47}),
        )
        .await;
    scene
        .bad
        .say("stream.snapshot", "*", json!({"calls": ["call-2"]}))
        .await;
    let mut started = call_started("call-2");
    started["resumed"] = json!(true);
    scene.bad.say("call.started", "call-2", started).await;
    scene.bad.say("stream.caught_up", "*", json!({})).await;
    scene.bad.wait_acked(53).await;
    scene
        .console
        .until("the unseen end is seen", |console| {
            console.calls.contains_key("call-2") && !console.calls.contains_key("call-1")
        })
        .await;
    scene.expect_harmless(&[("sequenceGap", 0)]).await;
}

#[tokio::test]
async fn events_under_another_name() {
    let mut scene = Scene::new().await;
    let mut event = scene
        .bad
        .event_at(1, "call.started", "call-1", call_started("x"));
    event["source"] = json!("//bridges/sim/good");
    scene.expect_error(event.to_string(), "wrong_source").await;
    event["source"] = json!(BAD);
    event["epoch"] = json!("e2");
    scene.expect_error(event.to_string(), "wrong_epoch").await;
    scene.expect_harmless(&[("wrongSource", 2)]).await;
    assert!(!scene.console.calls.contains_key("call-1"));
}

#[tokio::test]
async fn frames_too_large_and_too_deep() {
    let mut scene = Scene::new().await;
    let limit = holdfast_protocol::limits::BRIDGE_FRAME_BYTES_MAX;
    scene.expect_error("x".repeat(limit + 1), "too_large").await;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    scene.expect_error(deep, "too_deep").await;
    scene.expect_harmless(&[("tooLarge", 2)]).await;
}

#[tokio::test]
async fn a_batch_too_large() {
    let mut scene = Scene::new().await;
    let events: Vec<_> = (0..1_025)
        .map(|_| json!({"type": "holdfast.stream.caught_up"}))
        .collect();
    scene
        .expect_error(json!(events).to_string(), "too_large")
        .await;
    scene.expect_harmless(&[("tooLarge", 1)]).await;
}

#[tokio::test]
async fn a_frame_so_large_that_it_is_not_read_closes_with_a_word() {
    let mut scene = Scene::new().await;
    let huge = "x".repeat(8 * holdfast_protocol::limits::BRIDGE_FRAME_BYTES_MAX);
    scene.bad.send_text(huge).await;
    let (error, code) = scene.bad.last_words().await;
    assert_eq!(error["code"], "too_large", "{error}");
    assert_eq!(error["closing"], true);
    assert_eq!(code, Some(4006));
    scene.bad.reconnect(&scene.hub).await;
    scene.expect_harmless(&[("tooLarge", 1)]).await;
}

#[tokio::test]
async fn a_call_id_that_cannot_be_and_an_answer_to_nothing() {
    let mut scene = Scene::new().await;
    let event = scene
        .bad
        .event("call.started", "not a call", call_started("x"));
    scene.bad.send(&event).await;
    scene.bad.next_of("error").await;
    scene
        .bad
        .send(&json!({"type": "result", "command_id": "c-never", "state": "accepted"}))
        .await;
    scene
        .console
        .until("the answer is counted", |console| {
            console.anomalies(BAD, "unknownCommand") == 1
        })
        .await;
    assert!(scene.console.calls.is_empty());
}

#[tokio::test]
async fn what_a_console_gets_wrong() {
    let mut scene = Scene::new().await;
    for (frame, code) in [
        (json!({"type": "greetings"}), "unknown_frame_type"),
        (
            json!({"type": "hello", "protocol": 1}),
            "unknown_frame_type",
        ),
        (json!({"type": "request", "id": 1}), "wrong_type"),
        (
            json!({"type": "detail", "calls": vec!["c"; 9]}),
            "wrong_type",
        ),
    ] {
        let before = scene.console.errors.len();
        scene.console.send(&frame).await;
        scene
            .console
            .until("an error came", |console| console.errors.len() > before)
            .await;
        let error = scene.console.errors.last().unwrap();
        assert_eq!(error["code"], code, "{frame}: {error}");
        assert_eq!(error["closing"], false);
    }
    scene.expect_harmless(&[]).await;
}

#[tokio::test]
async fn two_processes_under_one_name() {
    let mut scene = Scene::new().await;
    scene.bad.start_call("call-1").await;
    scene.bad.wait_all_acked().await;
    let mut second = Bridge::open(&scene.hub).await;
    send(&mut second, &hello(BAD, "e2")).await;
    let (error, code) = crate::support::last_words(&mut second).await;
    assert_eq!(error["code"], "source_in_use");
    assert_eq!(code, Some(4004));
    scene.expect_harmless(&[]).await;

    // Under the same epoch it is the same process, which has lost its older connection.
    let mut again = Bridge::open(&scene.hub).await;
    send(&mut again, &hello(BAD, "e1")).await;
    let welcome = next_of(&mut again, "welcome").await;
    assert_eq!(welcome["resume_after"], 2);
    let (error, code) = scene.bad.last_words().await;
    assert_eq!(error["code"], "source_in_use");
    assert_eq!(code, Some(4004));
}
