//! The ledger over real sockets: what a console is told, when it was told, and what a crash leaves.

use serde_json::{Value, json};

use crate::support::TestHub;
use crate::support::bridge::Bridge;
use crate::support::console::Console;

const SOURCE: &str = "//bridges/sim/1";

/// The caller asks, and the model refuses.
async fn refused(bridge: &mut Bridge, call: &str) {
    let caller = json!({"actor": "caller"});
    bridge.say("speech.started", call, caller.clone()).await;
    bridge.say("speech.stopped", call, caller).await;
    let error = json!({
        "service": "primary-llm", "error.type": "http_503", "message": "overloaded",
        "permanent": false,
    });
    let mut event = bridge.event("service.error", call, error);
    event["layer"] = json!("llm");
    bridge.send(&event).await;
}

/// The caller asks again, and is answered.
async fn answered(bridge: &mut Bridge, call: &str) {
    let caller = json!({"actor": "caller"});
    bridge.say("speech.started", call, caller.clone()).await;
    bridge.say("speech.stopped", call, caller).await;
    let service = json!({"service": "primary-llm"});
    bridge.say("llm.response_started", call, service).await;
    let ended = json!({"service": "primary-llm", "chars": 40, "tool_calls": 0});
    bridge.say("llm.response_ended", call, ended).await;
    let agent = json!({"actor": "agent"});
    bridge.say("speech.started", call, agent).await;
}

fn newest(console: &Console) -> &Value {
    &console.ledger["recoveries"][0]
}

#[tokio::test]
async fn a_recovery_is_told_with_the_moment_in_which_it_was_seen_and_outlives_a_crash() {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("call-1").await;
    refused(&mut bridge, "call-1").await;
    bridge.wait_all_acked().await;
    // Nobody who sees the board looks yet; between two beats rows go out.
    answered(&mut bridge, "call-1").await;
    bridge.wait_all_acked().await;
    let mut abe = Console::connect(&hub, &hub.tokens.agent).await;
    for _ in 0..2 {
        abe.humans = Value::Null;
        abe.until("the hub beats", |console| console.humans.is_array())
            .await;
    }
    let mut ana = Console::connect(&hub, &hub.tokens.supervisor).await;
    ana.until("the recovery is told", |console| {
        newest(console).is_object()
    })
    .await;
    assert_eq!(newest(&ana)["shownAt"], Value::Null, "nobody saw it");
    refused(&mut bridge, "call-1").await;
    answered(&mut bridge, "call-1").await;
    ana.until("the second one was seen", |console| {
        newest(console)["id"] == 2 && newest(console)["shownAt"].is_number()
    })
    .await;
    let told = newest(&ana).clone();
    assert!(
        told["shownAt"].as_i64() >= told["audioAt"].as_i64(),
        "{told}"
    );
    assert_eq!(told["decider"], "nobody", "{told}");
    let row = &ana.ledger["rows"][0];
    assert_eq!(row["recovered"], 2, "{row}");
    assert_eq!(row["show"]["n"], 1, "{row}");

    let hub = hub.crash_and_start().await;
    let mut ana = Console::connect(&hub, &hub.tokens.supervisor).await;
    ana.until("it is told again", |console| newest(console).is_object())
        .await;
    assert_eq!(newest(&ana), &told);
    let whole = ana.ask(json!({"type": "showLedger"})).await;
    assert_eq!(whole["ledger"]["recoveries"][0], told, "{whole}");
    let mut olga = Console::connect(&hub, &hub.tokens.observer).await;
    let refused = olga.ask(json!({"type": "showLedger"})).await;
    assert_eq!(refused["refusal"]["code"], "forbidden", "{refused}");
}
