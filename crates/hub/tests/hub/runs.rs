//! Runs of playbooks over real sockets: who may agree, and what a crash leaves of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use holdfast_hub::Clock;
use holdfast_hub::tokens::{Token, TokenEntry};
use holdfast_protocol::clock;
use holdfast_protocol::console::Role;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;
use crate::support::console::Console;
use crate::support::{TestHub, next};

const SOURCE: &str = "//bridges/sim/1";

/// The playbook that ships, but with a second person.
fn stop_all_ai() -> String {
    let shipped = include_str!("../../../../playbooks/stop-all-ai.toml");
    let alone = "class = \"break_glass\"\nreason_chars_min = 10\nreview_within_h = 24";
    assert!(shipped.contains(alone), "the playbook is another");
    shipped.replace(alone, "class = \"two_person\"\nexpires_s = 60")
}

/// A hub with two commanders, carl and dora, and a call.
async fn scene() -> (TestHub, Bridge, Token, tempfile::TempDir) {
    scene_at(Clock::default()).await
}

async fn scene_at(clock: Clock) -> (TestHub, Bridge, Token, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stop.toml"), stop_all_ai()).unwrap();
    let dora = Token::random();
    let hub = TestHub::start_with(|config| {
        config.playbooks = Some(folder.path().to_owned());
        config.clock = clock;
        config.tokens.push(dora.entry("dora", &[Role::Commander]));
    })
    .await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("call-1").await;
    bridge.wait_all_acked().await;
    (hub, bridge, dora, folder)
}

/// Previewed and asked for; the fingerprint.
async fn ask_for(console: &mut Console) -> Value {
    let preview = json!({"type": "previewRun", "run": "run-1", "playbook": "stop-all-ai",
        "cause": null});
    let reply = console.ask(preview).await;
    assert_eq!(reply["type"], "runPreview", "{reply}");
    assert_eq!(reply["preview"]["nCalls"], 1, "{reply}");
    let fingerprint = reply["preview"]["fingerprint"].clone();
    let start = json!({"type": "startRun", "run": "run-1", "fingerprint": fingerprint,
        "reason": null});
    assert_eq!(console.ask(start).await["type"], "done");
    fingerprint
}

fn approve(fingerprint: &Value) -> Value {
    json!({"type": "approveRun", "run": "run-1", "fingerprint": fingerprint})
}

fn run(console: &Console) -> &Value {
    &console.records["run-1"]["run"]
}

/// The kinds of the refusals that the run's story tells, oldest first.
fn refused(console: &Console) -> Vec<String> {
    let told = console.records.get("run-1");
    let events = told.and_then(|record| record["run"]["timeline"].as_array());
    let refusals = events.into_iter().flatten();
    refusals
        .filter(|event| event["kind"]["type"] == "refused")
        .map(|event| {
            let kind = &event["kind"]["refusal"]["type"];
            kind.as_str().unwrap().to_owned()
        })
        .collect()
}

/// What an approval met.
fn why(reply: &Value) -> &str {
    reply["refusal"]["run"]["type"].as_str().unwrap_or("none")
}

/// No command is on its way: an event that is said now is acknowledged before any comes.
async fn nothing_was_sent(bridge: &mut Bridge) {
    bridge.start_call("call-9").await;
    let last = bridge.sequence - 1;
    loop {
        let frame = next(&mut bridge.ws).await.unwrap();
        assert_ne!(frame["type"], "command", "{frame}");
        if frame["type"] == "ack" && frame["sequence"].as_u64() >= Some(last) {
            return;
        }
    }
}

#[tokio::test]
async fn a_second_console_of_the_same_token_is_no_second_person() {
    let (hub, mut bridge, dora, _folder) = scene().await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    let fingerprint = ask_for(&mut carl).await;
    let own = carl.ask(approve(&fingerprint)).await;
    assert_eq!(
        own["refusal"]["run"]["type"], "approverIsRequester",
        "{own}"
    );
    let mut other = Console::connect(&hub, &hub.tokens.commander).await;
    let other = other.ask(approve(&fingerprint)).await;
    assert_eq!(other["refusal"]["run"]["type"], "sameIdentity", "{other}");
    let mut ana = Console::connect(&hub, &hub.tokens.supervisor).await;
    let ana = ana.ask(approve(&fingerprint)).await;
    assert_eq!(ana["refusal"]["run"]["type"], "rightRevoked", "{ana}");
    let mut dora = Console::connect(&hub, &dora).await;
    dora.until("the refusals are told", |console| {
        refused(console) == ["approverIsRequester", "sameIdentity", "rightRevoked"]
    })
    .await;
    assert_eq!(dora.ask(approve(&fingerprint)).await["type"], "done");
    let command = bridge.next_of("command").await;
    assert_eq!(command["call"], "call-1", "{command}");
}

#[tokio::test]
async fn a_yes_that_comes_too_late_is_refused_and_recorded() {
    let ahead = Arc::new(AtomicI64::new(0));
    let shown = Arc::clone(&ahead);
    let clock = Clock::new(move || clock::now() + shown.load(Ordering::Relaxed));
    let (hub, mut bridge, dora, _folder) = scene_at(clock).await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    let fingerprint = ask_for(&mut carl).await;
    ahead.store(61_000, Ordering::Relaxed);
    let mut dora = Console::connect(&hub, &dora).await;
    let late = dora.ask(approve(&fingerprint)).await;
    assert_eq!(why(&late), "expired", "{late}");
    dora.until("the refusal is told", |console| {
        refused(console) == ["expired"]
    })
    .await;
    // A hub whose clock jumped judges nobody for a second.
    dora.until("the run is over", |console| {
        run(console)["state"]["type"] == "expired"
    })
    .await;
    nothing_was_sent(&mut bridge).await;
}

#[tokio::test]
async fn a_yes_to_what_is_no_more_so_is_refused_and_recorded() {
    let (hub, mut bridge, dora, _folder) = scene().await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    let seen = ask_for(&mut carl).await;
    // What dora looks at is what carl asked for first; since then he asked for two calls.
    bridge.start_call("call-2").await;
    bridge.wait_all_acked().await;
    let anew = json!({"type": "previewRun", "run": "run-1", "playbook": "stop-all-ai",
        "cause": null});
    let anew = carl.ask(anew).await["preview"]["fingerprint"].clone();
    assert_ne!(anew, seen);
    let start = json!({"type": "startRun", "run": "run-1", "fingerprint": anew, "reason": null});
    assert_eq!(carl.ask(start).await["type"], "done");
    let mut dora = Console::connect(&hub, &dora).await;
    let old = dora.ask(approve(&seen)).await;
    assert_eq!(why(&old), "parametersChanged", "{old}");
    // And when the set is another although nobody asked anew.
    let ended = json!({"reason": "done", "ended_by": "caller"});
    bridge.say("call.ended", "call-2", ended).await;
    bridge.wait_all_acked().await;
    dora.until("the refusal is told", |console| {
        refused(console) == ["parametersChanged"]
    })
    .await;
    nothing_was_sent(&mut bridge).await;
}

#[tokio::test]
async fn a_yes_to_whoever_lost_the_right_is_refused_and_recorded_over_a_crash() {
    let (mut hub, mut bridge, dora, _folder) = scene().await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    let fingerprint = ask_for(&mut carl).await;
    // The hub comes up again with a carl who is no commander any more.
    let is_carl = |token: &TokenEntry| token.name == "carl";
    hub.config.tokens.retain(|token| !is_carl(token));
    let demoted = hub.tokens.commander.entry("carl", &[Role::Supervisor]);
    hub.config.tokens.push(demoted);
    let hub = hub.crash_and_start().await;
    bridge.reconnect(&hub).await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    let own = carl.ask(approve(&fingerprint)).await;
    assert_eq!(why(&own), "rightRevoked", "{own}");
    let mut dora = Console::connect(&hub, &dora).await;
    let void = dora.ask(approve(&fingerprint)).await;
    assert_eq!(why(&void), "rightRevoked", "{void}");
    assert_eq!(void["refusal"]["run"]["who"], "carl", "{void}");
    let hub = hub.crash_and_start().await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    carl.until("both refusals are still told", |console| {
        refused(console) == ["rightRevoked", "rightRevoked"]
    })
    .await;
    bridge.reconnect(&hub).await;
    nothing_was_sent(&mut bridge).await;
}

#[tokio::test]
async fn a_run_survives_a_crash_and_its_command_is_not_given_twice() {
    let (hub, mut bridge, dora, _folder) = scene().await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    let fingerprint = ask_for(&mut carl).await;
    let mut dora = Console::connect(&hub, &dora).await;
    dora.until("the run is told", |console| {
        console.records.contains_key("run-1")
    })
    .await;
    assert_eq!(dora.ask(approve(&fingerprint)).await["type"], "done");
    let sent = bridge.next_of("command").await;
    let hub = hub.crash_and_start().await;
    bridge.reconnect(&hub).await;
    let again = bridge.next_of("command").await;
    assert_eq!(again["command_id"], sent["command_id"], "the same command");
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    carl.until("the run is told", |console| {
        console.records.contains_key("run-1")
    })
    .await;
    assert_eq!(run(&carl)["state"]["type"], "running", "{}", run(&carl));
}

#[tokio::test]
async fn the_lever_is_told_to_all_and_survives_a_restart() {
    let (hub, _bridge, _dora, _folder) = scene().await;
    let mut ana = Console::connect(&hub, &hub.tokens.supervisor).await;
    let lever = |on| json!({"type": "lever", "on": on, "reason": "it insults"});
    assert_eq!(ana.ask(lever(true)).await["type"], "done");
    let back = ana.ask(lever(false)).await;
    assert_eq!(back["refusal"]["code"], "forbidden", "{back}");
    let hub = hub.stop_and_start().await;
    let mut carl = Console::connect(&hub, &hub.tokens.commander).await;
    carl.until("the lever is told", |console| {
        console.records.contains_key("lever")
    })
    .await;
    assert_eq!(carl.records["lever"]["lever"]["on"], true);
}

#[tokio::test]
async fn the_board_is_told_which_playbooks_could_run() {
    let (hub, _bridge, _dora, _folder) = scene().await;
    let mut ana = Console::connect(&hub, &hub.tokens.supervisor).await;
    ana.until("the playbooks are told", |console| {
        console.playbooks.is_array()
    })
    .await;
    let playbooks = ana.playbooks.as_array().unwrap();
    let stop = playbooks
        .iter()
        .find(|known| known["id"] == "stop-all-ai")
        .unwrap();
    assert_eq!(
        (&stop["wouldFire"], &stop["nCalls"]),
        (&json!(true), &json!(1))
    );
    let down = playbooks
        .iter()
        .find(|known| known["id"] == "model-vendor-down")
        .unwrap();
    assert_eq!(down["wouldFire"], false, "no cause is active");
}
