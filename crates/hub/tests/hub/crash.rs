//! The hub ends without a word, at any moment, and comes up again.

use serde_json::json;

use crate::support::TestHub;
use crate::support::bridge::Bridge;
use crate::support::console::{Console, pause};

const SOURCE: &str = "//bridges/sim/1";

#[tokio::test]
async fn events_around_a_crash_arrive_once_each() {
    let mut hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("call-1").await;
    let mut turn = 0;
    // Each time the hub ends a little further into what is under way.
    for round in 0..8 {
        for _ in 0..20 {
            turn += 1;
            let words = json!({"role": "caller", "pii.text": format!("word {turn}"), "turn": turn});
            bridge.say("transcript.final", "call-1", words).await;
        }
        let before = bridge.sequence - 1;
        bridge.wait_acked(before - round * 2).await;
        hub = hub.crash_and_start().await;
        bridge.reconnect(&hub).await;
        let resumed = bridge.welcome["resume_after"].as_u64().unwrap();
        assert!(
            resumed >= before - round * 2,
            "what was acknowledged is there"
        );
        assert_eq!(bridge.welcome["snapshot"], false);
    }
    bridge.wait_all_acked().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    console
        .send(&json!({"type": "detail", "calls": ["call-1"]}))
        .await;
    console
        .until("every word arrived", |console| {
            let detail = console.details.get("call-1");
            detail.is_some_and(|detail| {
                let transcript = detail["transcript"].as_array().unwrap();
                transcript.last().unwrap()["text"] == format!("word {turn}")
            })
        })
        .await;
    let words: Vec<_> = console.details["call-1"]["transcript"]
        .as_array()
        .unwrap()
        .iter()
        .map(|utterance| utterance["text"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = (1..=turn).map(|turn| format!("word {turn}")).collect();
    assert_eq!(words, expected);
}

#[tokio::test]
async fn a_command_under_way_is_asked_for_again_and_not_repeated_blindly() {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    bridge.start_call("call-1").await;
    bridge.wait_all_acked().await;
    console.ask(pause("act-1", "call-1")).await;
    let command = bridge.next_of("command").await;

    let hub = hub.crash_and_start().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    let id = command["command_id"].as_str().unwrap();
    let state = |console: &Console| {
        let progress = console.records.get(id)?["command"]["progress"].as_array()?;
        Some(progress.last()?["state"]["type"].as_str()?.to_owned())
    };
    console
        .until("nobody knows what became of it", |console| {
            state(console).as_deref() == Some("unknown")
        })
        .await;
    bridge.reconnect(&hub).await;
    let again = bridge.next_of("command").await;
    assert_eq!(again["command_id"], command["command_id"]);
    bridge
        .answer(&again, "applied", json!({"read_back": {"ai": "paused"}}))
        .await;
    console
        .until("the platform read it back", |console| {
            state(console).as_deref() == Some("proven")
        })
        .await;
}

#[tokio::test]
async fn an_orderly_end_leaves_a_checkpoint_and_everything_comes_back() {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    for call in 0..50 {
        bridge.start_call(&format!("call-{call}")).await;
    }
    bridge.wait_all_acked().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    console.ask(pause("act-1", "call-1")).await;
    let epoch = console.epoch.clone();
    let hub = hub.stop_and_start().await;

    let (error, code) = console.last_words().await;
    assert_eq!(code, Some(1001), "told that the hub stops: {error}");
    let segments = std::fs::read_dir(&hub.data)
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            let name = name.to_str().unwrap().to_owned();
            name.starts_with("inputs-") && name.ends_with(".sqlite")
        })
        .count();
    assert_eq!(segments, 2, "the second one begins with the checkpoint");

    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    console
        .until("everything is back", |console| {
            console.calls.len() == 50 && console.records.len() == 1
        })
        .await;
    assert_ne!(console.epoch, epoch);
    bridge.reconnect(&hub).await;
    assert_eq!(bridge.welcome["resume_after"], 50);
    assert_eq!(bridge.welcome["snapshot"], false);
}

#[tokio::test]
async fn checkpoints_are_taken_along_the_way() {
    let hub = TestHub::start_with(|config| config.limits.checkpoint_inputs = 20).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    for call in 0..100 {
        bridge.start_call(&format!("call-{call}")).await;
        bridge.wait_all_acked().await;
    }
    let hub = hub.crash_and_start().await;
    assert!(hub.data.join("inputs-000003.sqlite").exists());
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    console
        .until("everything is back", |console| console.calls.len() == 100)
        .await;
    bridge.reconnect(&hub).await;
    assert_eq!(bridge.welcome["resume_after"], 100);
}

#[tokio::test]
async fn a_console_of_the_hub_before_starts_over() {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("call-1").await;
    let supervisor = hub.tokens.supervisor.clone();
    let mut console = Console::connect(&hub, &supervisor).await;
    console
        .until("the call is on the board", |console| {
            console.calls.len() == 1
        })
        .await;
    bridge
        .say(
            "call.ended",
            "call-1",
            json!({"reason": "done", "ended_by": "caller"}),
        )
        .await;
    bridge.start_call("call-2").await;
    bridge.wait_all_acked().await;
    let hub = hub.crash_and_start().await;
    console.resume(&hub, &supervisor).await;
    console
        .until("it has the new picture", |console| {
            console.calls.keys().eq(["call-2"].iter().copied())
        })
        .await;
}
