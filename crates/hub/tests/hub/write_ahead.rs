//! Nothing leaves before it is durable, and what cannot be written down does not happen.

use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use crate::support::TestHub;
use crate::support::bridge::{Bridge, call_started};
use crate::support::console::{Console, pause};

const SOURCE: &str = "//bridges/sim/1";

/// Another program that has the file of inputs open.
fn intruder(data: &Path) -> Connection {
    Connection::open(data.join("inputs-000001.sqlite")).unwrap()
}

async fn scene() -> (TestHub, Bridge, Console) {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    bridge.start_call("call-1").await;
    bridge.wait_all_acked().await;
    console
        .until("the call is on the board", |console| {
            !console.calls.is_empty()
        })
        .await;
    (hub, bridge, console)
}

#[tokio::test]
async fn while_a_commit_waits_nothing_is_sent_and_the_lag_shows() {
    let (hub, mut bridge, mut console) = scene().await;
    let intruder = intruder(&hub.data);
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();

    let request = console.ask_only(pause("act-1", "call-1")).await;
    bridge.start_call("call-2").await;
    let event = bridge.sequence - 1;
    let is_late = console.until("the lag shows", |console| console.lag_ms >= 700);
    tokio::select! {
        frame = bridge.next_of("command") => panic!("before it was durable: {frame}"),
        () = is_late => {}
    }
    assert!(console.replies.is_empty(), "{:?}", console.replies);
    assert!(console.told_records.is_empty());

    intruder.execute_batch("ROLLBACK").unwrap();
    bridge.next_of("command").await;
    bridge.wait_acked(event).await;
    console
        .until("the reply and the record came", |console| {
            console.replies.contains_key(&request) && console.told_records.len() == 1
        })
        .await;
    console
        .until("the lag is gone", |console| console.lag_ms < 700)
        .await;
}

#[tokio::test]
async fn an_acknowledgment_waits_for_the_commit() {
    let (hub, mut bridge, mut console) = scene().await;
    let intruder = intruder(&hub.data);
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    bridge.start_call("call-2").await;
    let is_late = console.until("the lag shows", |console| console.lag_ms >= 700);
    tokio::select! {
        frame = bridge.next_of("ack") => panic!("before it was durable: {frame}"),
        () = is_late => {}
    }
    intruder.execute_batch("ROLLBACK").unwrap();
    bridge.wait_all_acked().await;
}

#[tokio::test]
async fn a_journal_that_fails_stops_every_act_and_a_mended_one_goes_on() {
    let (hub, mut bridge, mut console) = scene().await;
    let intruder = intruder(&hub.data);
    intruder
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON inputs
             BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END",
        )
        .unwrap();

    // The act that meets the failure is refused, and so are those after it.
    for act in ["act-1", "act-2"] {
        let reply = console.ask(pause(act, "call-1")).await;
        assert_eq!(reply["type"], "refused", "{reply}");
        assert_eq!(reply["refusal"]["code"], "internal");
        let message = reply["refusal"]["message"].as_str().unwrap();
        assert!(message.contains("journal"), "{message}");
    }
    assert!(console.told_records.is_empty());
    // Whatever the bridge was sent before its end, it was no command.
    loop {
        match crate::support::next(&mut bridge.ws).await {
            Ok(frame) if frame["type"] == "error" => {
                assert_eq!(frame["code"], "internal");
                assert_eq!(frame["closing"], true);
            }
            Ok(frame) => assert_ne!(frame["type"], "command", "{frame}"),
            Err(code) => {
                assert_eq!(code, Some(4019));
                break;
            }
        }
    }
    // An event that was never acknowledged stays with the bridge.
    bridge.event("call.started", "call-2", call_started("call-2"));
    console
        .until("the hub says how far it is behind", |console| {
            console.lag_ms >= 500
        })
        .await;

    intruder.execute_batch("DROP TRIGGER broken").unwrap();
    let resets = console.resets;
    console
        .until("the picture is told anew", |console| {
            console.resets > resets
        })
        .await;
    bridge.reconnect(&hub).await;
    assert_eq!(bridge.welcome["resume_after"], 1);
    bridge.wait_all_acked().await;
    let reply = console.ask(pause("act-3", "call-1")).await;
    assert_eq!(reply["type"], "acting", "{reply}");
    let command = bridge.next_of("command").await;
    assert_eq!(reply["commands"], json!([command["command_id"]]));
    console
        .until("nothing of the refused acts is there", |console| {
            console.records.len() == 1 && console.calls.contains_key("call-2")
        })
        .await;
}

#[tokio::test]
async fn a_bridge_that_comes_while_the_journal_fails_is_turned_away() {
    let (hub, mut bridge, mut console) = scene().await;
    let intruder = intruder(&hub.data);
    intruder
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON inputs
             BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END",
        )
        .unwrap();
    console.ask(pause("act-1", "call-1")).await;
    bridge.last_words().await;
    let mut ws = Bridge::open(&hub).await;
    crate::support::send(&mut ws, &crate::support::bridge::hello(SOURCE, "e1")).await;
    let (error, code) = crate::support::last_words(&mut ws).await;
    assert_eq!(error["code"], "internal", "{error}");
    assert_eq!(code, Some(4019));
}
