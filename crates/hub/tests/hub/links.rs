//! Links that break: nothing lost, nothing twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::TestHub;
use crate::support::bridge::Bridge;
use crate::support::console::{Console, pause};

const SOURCE: &str = "//bridges/sim/1";

#[tokio::test]
async fn events_over_a_link_that_breaks_arrive_once_each() {
    let hub = TestHub::start().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    assert_eq!(bridge.welcome["resume_after"], 0);
    assert_eq!(
        bridge.welcome["snapshot"], false,
        "there is nothing to tell again"
    );
    bridge.start_call("call-1").await;
    let mut turn = 0;
    for _ in 0..10 {
        for _ in 0..20 {
            turn += 1;
            bridge
                .say("turn.started", "call-1", json!({"turn": turn}))
                .await;
            let words = json!({"role": "caller", "pii.text": format!("word {turn}"), "turn": turn});
            bridge.say("transcript.final", "call-1", words).await;
        }
        // The connection is dropped with events and acknowledgments under way.
        bridge.reconnect(&hub).await;
        assert_eq!(bridge.welcome["snapshot"], false);
    }
    bridge.wait_all_acked().await;
    console
        .send(&json!({"type": "detail", "calls": ["call-1"]}))
        .await;
    console
        .until("every word arrived", |console| {
            let detail = console.details.get("call-1");
            detail.is_some_and(|detail| detail["transcript"].as_array().unwrap().len() >= 200)
        })
        .await;
    let transcript = console.details["call-1"]["transcript"].as_array().unwrap();
    let words: Vec<_> = transcript
        .iter()
        .map(|utterance| utterance["text"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = (1..=200).map(|turn| format!("word {turn}")).collect();
    assert_eq!(words, expected);
    assert_eq!(console.anomalies(SOURCE, "sequenceGap"), 0);
}

#[tokio::test]
async fn a_command_over_a_link_that_breaks_is_sent_again_under_its_id() {
    let hub = TestHub::start().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("call-1").await;
    bridge.wait_all_acked().await;
    let reply = console.ask(pause("act-1", "call-1")).await;
    assert_eq!(reply["type"], "acting", "{reply}");

    let command = bridge.next_of("command").await;
    assert_eq!(command["name"], "pause_ai");
    bridge.reconnect(&hub).await;
    let again = bridge.next_of("command").await;
    assert_eq!(again["command_id"], command["command_id"]);

    bridge.answer(&again, "accepted", json!({})).await;
    bridge.reconnect(&hub).await;
    let third = bridge.next_of("command").await;
    assert_eq!(
        third["command_id"], command["command_id"],
        "accepted is not the end"
    );
    bridge
        .answer(&third, "applied", json!({"read_back": {"ai": "paused"}}))
        .await;
    let id = command["command_id"].as_str().unwrap();
    console
        .until("the command is proven", |console| {
            console
                .records
                .get(id)
                .is_some_and(|record| state(record) == "proven")
        })
        .await;

    bridge.reconnect(&hub).await;
    bridge.send(&json!({"type": "x"})).await;
    let next = bridge.next_but_routine().await;
    assert_eq!(
        next["type"], "error",
        "what is answered is not sent again: {next}"
    );
}

fn state(record: &Value) -> &str {
    let progress = record["command"]["progress"].as_array().unwrap();
    progress.last().unwrap()["state"]["type"].as_str().unwrap()
}

#[tokio::test]
async fn the_same_act_twice_is_one() {
    let hub = TestHub::start().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("call-1").await;
    bridge.wait_all_acked().await;
    let first = console.ask(pause("act-1", "call-1")).await;
    let second = console.ask(pause("act-1", "call-1")).await;
    assert_eq!(first["commands"], second["commands"]);
    bridge.next_of("command").await;
    bridge.send(&json!({"type": "x"})).await;
    let next = bridge.next_but_routine().await;
    assert_eq!(next["type"], "error", "no second command: {next}");
}

#[tokio::test]
async fn a_console_that_comes_back_learns_what_it_missed_and_no_more() {
    let hub = TestHub::start().await;
    let supervisor = hub.tokens.supervisor.clone();
    let mut console = Console::connect(&hub, &supervisor).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    for call in ["stays", "ends", "changes"] {
        bridge.start_call(call).await;
    }
    console
        .until("three calls are on the board", |console| {
            console.calls.len() == 3
        })
        .await;
    let before = console.calls["stays"].clone();
    console.ws.close(None).await.unwrap();

    let mut other = Console::connect(&hub, &supervisor).await;
    bridge
        .say(
            "call.ended",
            "ends",
            json!({"reason": "done", "ended_by": "caller"}),
        )
        .await;
    bridge
        .say("call.updated", "changes", json!({"intent": "refund"}))
        .await;
    bridge.start_call("comes").await;
    other.ask(pause("act-1", "stays")).await;
    bridge.next_of("command").await;
    other
        .until("the others see it all", |other| {
            other.calls.contains_key("comes")
                && !other.calls.contains_key("ends")
                && other.calls["changes"]["intent"] == "refund"
                && other.records.len() == 1
        })
        .await;

    let resets = console.resets;
    console.resume(&hub, &supervisor).await;
    console
        .until("it is where the others are", |console| {
            console.seq >= other.seq
        })
        .await;
    assert_eq!(console.resets, resets, "no snapshot was needed");
    assert_eq!(console.records, other.records);
    let rows = |console: &Console| -> BTreeMap<String, Value> { console.calls.clone() };
    assert_eq!(rows(&console), rows(&other));
    assert_ne!(console.calls["stays"], before, "its row shows the command");
}

#[tokio::test]
async fn a_console_that_was_away_too_long_starts_over() {
    let hub = TestHub::start_with(|config| config.limits.gone_kept = 1).await;
    let supervisor = hub.tokens.supervisor.clone();
    let mut console = Console::connect(&hub, &supervisor).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    for call in ["a", "b", "c"] {
        bridge.start_call(call).await;
    }
    console
        .until("three calls are on the board", |console| {
            console.calls.len() == 3
        })
        .await;
    console.ws.close(None).await.unwrap();
    let mut other = Console::connect(&hub, &supervisor).await;
    for call in ["a", "b"] {
        let end = json!({"reason": "done", "ended_by": "caller"});
        bridge.say("call.ended", call, end).await;
        other
            .until("the call is gone", |other| !other.calls.contains_key(call))
            .await;
    }
    let resets = console.resets;
    console.resume(&hub, &supervisor).await;
    console
        .until("it has the new picture", |console| {
            console.calls.keys().eq(["c"].iter().copied())
        })
        .await;
    assert_eq!(console.resets, resets + 1);
}

#[tokio::test]
async fn a_new_epoch_is_asked_for_a_snapshot() {
    let hub = TestHub::start().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("old").await;
    bridge.wait_all_acked().await;
    bridge.ws.close(None).await.unwrap();
    console
        .until("the feed is lost", |console| {
            console.bridges[0]["state"] == "lost"
        })
        .await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e2").await;
    assert_eq!(bridge.welcome["resume_after"], 0);
    assert_eq!(bridge.welcome["snapshot"], true);
    bridge
        .say("stream.snapshot", "*", json!({"calls": []}))
        .await;
    bridge.say("stream.caught_up", "*", json!({})).await;
    bridge.wait_all_acked().await;
    console
        .until("the old call ended unseen", |console| {
            console.calls.is_empty()
        })
        .await;
}

#[tokio::test]
async fn a_dead_link_is_noticed_and_a_living_one_is_pinged() {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    let ping = bridge.next_of("ping").await;
    bridge
        .send(&json!({"type": "pong", "nonce": ping["nonce"]}))
        .await;
    let next = bridge.next_of("ping").await;
    assert!(next["nonce"].as_u64() > ping["nonce"].as_u64());
}
