//! What consoles see, at their own pace and by their rights.

use holdfast_hub::MASK;
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, call_started};
use crate::support::console::{Console, pause};
use crate::support::{TestHub, next};

const SOURCE: &str = "//bridges/sim/1";

async fn scene() -> (TestHub, Bridge) {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    bridge.start_call("call-1").await;
    bridge.start_call("call-2").await;
    let words = json!({"role": "caller", "pii.text": "my card is 4111", "turn": 1});
    bridge.say("transcript.final", "call-1", words).await;
    let update = json!({
        "intent": "refund", "pii.ask": "refund my card", "slots": [
            {"name": "card", "pii.value": "4111", "confidence": 0.9, "turn": 1},
        ],
    });
    bridge.say("call.updated", "call-1", update).await;
    bridge.wait_all_acked().await;
    (hub, bridge)
}

fn route(id: &str, call: &str) -> Value {
    json!({"type": "act", "act": {
        "id": id, "verb": {"type": "routeToHumans"}, "target": {"type": "calls", "calls": [call]},
    }})
}

async fn with_detail(hub: &TestHub, token: &holdfast_hub::tokens::Token) -> Console {
    let mut console = Console::connect_with(hub, token, json!({"detail": ["call-1"]})).await;
    console
        .until("the call is open", |console| {
            console.details.contains_key("call-1") && console.calls.len() == 2
        })
        .await;
    console
}

#[tokio::test]
async fn an_observer_sees_the_board_and_no_person() {
    let (hub, _bridge) = scene().await;
    let mut supervisor = with_detail(&hub, &hub.tokens.supervisor).await;
    let observer = with_detail(&hub, &hub.tokens.observer).await;
    supervisor.ask(route("act-1", "call-1")).await;
    let mut fresh = Console::connect(&hub, &hub.tokens.observer).await;
    fresh
        .until("the handoff is told", |console| !console.records.is_empty())
        .await;
    supervisor
        .until("the handoff is told", |console| !console.records.is_empty())
        .await;

    let seen = |console: &Console| {
        json!([console.calls["call-1"], console.details.get("call-1")]).to_string()
    };
    let told = |console: &Console| json!(console.records).to_string();
    for text in [seen(&supervisor), told(&supervisor)] {
        assert!(
            text.contains("4111") || text.contains("refund my card"),
            "{text}"
        );
        assert!(text.contains("Customer call-1"), "{text}");
        assert!(!text.contains(MASK));
    }
    for text in [seen(&observer), told(&fresh), seen(&fresh)] {
        for secret in ["4111", "refund my card", "Customer"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        assert!(text.contains(MASK), "{text}");
    }
    assert_eq!(
        fresh.calls["call-1"]["intent"], "refund",
        "what is no secret stays"
    );
}

#[tokio::test]
async fn an_observer_does_nothing() {
    let (hub, mut bridge) = scene().await;
    let mut observer = Console::connect(&hub, &hub.tokens.observer).await;
    let reply = observer.ask(pause("act-1", "call-1")).await;
    assert_eq!(reply["refusal"]["code"], "forbidden", "{reply}");
    bridge.send(&json!({"type": "x"})).await;
    assert_eq!(
        bridge.next_but_routine().await["type"],
        "error",
        "no command was sent"
    );
}

#[tokio::test]
async fn only_a_commander_acts_on_all() {
    let (hub, mut bridge) = scene().await;
    let all = |id: &str| {
        json!({"type": "act", "act": {
            "id": id, "verb": {"type": "pauseAi"}, "target": {"type": "allCalls"},
        }})
    };
    let mut supervisor = Console::connect(&hub, &hub.tokens.supervisor).await;
    let reply = supervisor.ask(all("act-1")).await;
    assert_eq!(reply["refusal"]["code"], "forbidden", "{reply}");
    let mut commander = Console::connect(&hub, &hub.tokens.commander).await;
    let reply = commander.ask(all("act-2")).await;
    assert_eq!(reply["commands"].as_array().unwrap().len(), 2, "{reply}");
    bridge.next_of("command").await;
}

#[tokio::test]
async fn a_preview_changes_nothing() {
    let (hub, _bridge) = scene().await;
    let preview = json!({
        "type": "preview", "verb": {"type": "pauseAi"},
        "target": {"type": "calls", "calls": ["call-1"]},
    });
    let mut supervisor = Console::connect(&hub, &hub.tokens.supervisor).await;
    let reply = supervisor.ask(preview.clone()).await;
    assert_eq!(reply["preview"]["calls"], json!(["call-1"]), "{reply}");
    assert!(supervisor.told_records.is_empty());
    let mut agent = Console::connect(&hub, &hub.tokens.agent).await;
    let reply = agent.ask(preview).await;
    assert_eq!(reply["refusal"]["code"], "forbidden", "{reply}");
}

#[tokio::test]
async fn an_agent_sees_what_is_offered_and_nothing_else() {
    let (hub, _bridge) = scene().await;
    let mut supervisor = Console::connect(&hub, &hub.tokens.supervisor).await;
    let open = json!({"detail": ["call-1", "call-2"]});
    let mut agent = Console::connect_with(&hub, &hub.tokens.agent, open).await;
    agent
        .until("an empty board", |agent| {
            agent.resets == 1 && agent.humans.is_array()
        })
        .await;
    let free = json!({"type": "setHumanState", "state": "free"});
    assert_eq!(agent.ask(free).await["type"], "done");
    assert!(agent.calls.is_empty() && agent.records.is_empty());

    let reply = supervisor.ask(route("act-1", "call-1")).await;
    let handoff = reply["handoffs"][0].as_str().unwrap().to_owned();
    agent
        .until("the offer, its row and its detail came", |agent| {
            let offered = agent.records.get(&handoff);
            offered.is_some_and(|record| record["handoff"]["state"]["type"] == "offered")
                && agent.calls.contains_key("call-1")
                && agent.details.contains_key("call-1")
        })
        .await;
    let card = agent.records[&handoff]["handoff"]["card"].to_string();
    assert!(card.contains("refund my card"), "{card}");
    assert_eq!(agent.calls.len(), 1);
    assert_eq!(agent.details.len(), 1);
    assert_eq!(agent.bridges, json!([]));

    let decline = json!({"type": "declineHandoff", "handoff": handoff, "reason": "busy"});
    assert_eq!(agent.ask(decline).await["type"], "done");
    agent
        .until("the call leaves the view", |agent| agent.calls.is_empty())
        .await;
    let last = &agent.records[&handoff];
    assert_ne!(
        last["handoff"]["state"]["type"], "offered",
        "the end of the offer is told"
    );
    assert!(!last.to_string().contains("refund my card"), "{last}");

    // After that the agent is told nothing more about the call.
    supervisor.ask(pause("act-2", "call-1")).await;
    supervisor
        .until("the command is told", |console| {
            console
                .records
                .values()
                .any(|record| record["type"] == "command")
        })
        .await;
    let beats = agent.humans.clone();
    agent
        .until("a later beat", |agent| {
            agent.humans != beats || agent.seq > 0
        })
        .await;
    assert!(agent.calls.is_empty());
    assert_eq!(agent.records.len(), 1);
}

#[tokio::test]
async fn an_agent_is_present_while_there_is_a_console() {
    let (hub, _bridge) = scene().await;
    let mut supervisor = Console::connect(&hub, &hub.tokens.supervisor).await;
    let is_here = |console: &Console| {
        let humans = console.humans.as_array();
        humans.is_some_and(|humans| humans.iter().any(|human| human["id"] == "abe"))
    };
    let mut first = Console::connect(&hub, &hub.tokens.agent).await;
    let mut second = Console::connect(&hub, &hub.tokens.agent).await;
    second.until("a snapshot", |agent| agent.resets == 1).await;
    supervisor.until("the agent is here", is_here).await;
    first.ws.close(None).await.unwrap();
    // One of two consoles is gone; the other still acts.
    let free = json!({"type": "setHumanState", "state": "free"});
    assert_eq!(second.ask(free).await["type"], "done");
    supervisor.until("the agent is here", is_here).await;
    second.ws.close(None).await.unwrap();
    supervisor
        .until("the agent is gone", |console| !is_here(console))
        .await;
}

#[tokio::test]
async fn a_large_board_comes_in_parts() {
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    let n_calls = 1_100;
    let mut events = Vec::new();
    for call in 0..n_calls {
        events.push(bridge.event("call.started", &format!("call-{call}"), call_started("x")));
    }
    for batch in events.chunks(500) {
        bridge.send(&json!(batch)).await;
    }
    bridge.wait_all_acked().await;

    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    let mut parts = Vec::new();
    let mut rows = 0;
    while parts.last() != Some(&(false, true)) {
        let frame = next(&mut console.ws).await.unwrap();
        if frame["type"] == "snapshot" {
            let calls = frame["calls"].as_array().unwrap().len();
            assert!(calls <= 500);
            rows += calls;
            let flag = |name: &str| frame[name].as_bool().unwrap();
            parts.push((flag("first"), flag("last")));
        }
    }
    assert_eq!(parts, [(true, false), (false, false), (false, true)]);
    assert_eq!(rows, n_calls);
}

#[tokio::test]
async fn many_changes_of_a_call_are_told_as_few() {
    let (hub, mut bridge) = scene().await;
    let mut console = Console::connect(&hub, &hub.tokens.supervisor).await;
    let n_events = 1_000;
    let mut events = Vec::new();
    for turn in 0..n_events {
        let intent = json!({"intent": format!("intent {turn}")});
        events.push(bridge.event("call.updated", "call-1", intent));
    }
    bridge.send(&json!(events)).await;
    let last = format!("intent {}", n_events - 1);
    let mut changes = 0;
    loop {
        let frame = next(&mut console.ws).await.unwrap();
        if frame["type"] == "change" {
            changes += 1;
            if frame["calls"][0]["intent"] == last {
                break;
            }
        }
    }
    assert!(
        changes < n_events / 10,
        "{changes} changes for {n_events} events"
    );
}

/// Nearly twice what the outbox (4 MiB and one frame) and the system (about 4 MB) hold.
const TOLD_BYTES: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn a_console_that_does_not_read_is_reset_and_makes_nothing_grow() {
    let hub = TestHub::start_with(|config| config.limits.records_kept = 4).await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    let n_calls = 400;
    let calls: Vec<_> = (0..n_calls).map(|call| format!("call-{call}")).collect();
    let started: Vec<_> = calls
        .iter()
        .map(|call| bridge.event("call.started", call, call_started(call)))
        .collect();
    bridge.send(&json!(started)).await;
    bridge.wait_all_acked().await;
    let mut slow = Console::connect_narrow(&hub, &hub.tokens.supervisor).await;
    let mut quick = Console::connect(&hub, &hub.tokens.supervisor).await;
    slow.until("its first picture", |console| {
        console.calls.len() == n_calls
    })
    .await;
    quick
        .until("its first picture", |console| {
            console.calls.len() == n_calls
        })
        .await;
    assert_eq!(slow.resets, 1);

    // More is told than the sockets and the outbox hold, in less time than that after which a
    // console that takes nothing counts as dead: so in few, long rows.
    let mut last = String::new();
    for round in 0.. {
        if quick.bytes > TOLD_BYTES {
            break;
        }
        last = format!("{round} {}", "\u{1d535}".repeat(150));
        let events: Vec<_> = calls
            .iter()
            .map(|call| bridge.event("call.updated", call, json!({"intent": last})))
            .collect();
        for batch in events.chunks(200) {
            bridge.send(&json!(batch)).await;
        }
        quick
            .until("the round is told", |console| {
                console.calls.values().all(|call| call["intent"] == last)
            })
            .await;
    }
    for (act, call) in calls.iter().take(6).enumerate() {
        let reply = quick.ask(pause(&format!("act-{act}"), call)).await;
        assert_eq!(reply["type"], "acting", "{reply}");
    }
    quick
        .until("the records are told", |console| console.records.len() == 6)
        .await;

    slow.bytes = 0;
    slow.until("it has the same picture", |console| {
        console.records.len() == 6 && console.calls.values().all(|call| call["intent"] == last)
    })
    .await;
    assert_eq!(
        slow.resets, 2,
        "it was told to start over: {} bytes of {}",
        slow.bytes, quick.bytes
    );
    assert!(
        slow.bytes < TOLD_BYTES * 3 / 4,
        "what waited for it was bounded: {} bytes of {}",
        slow.bytes,
        quick.bytes
    );
}

/// Every call of one model fails at once: the engine finds their shared cause.
#[tokio::test]
async fn a_shared_cause_is_told_to_who_sees_the_board_and_to_no_agent() {
    let (hub, mut bridge) = scene().await;
    let is_told = |console: &Console| {
        let mut records = console.records.values();
        records.any(|record| record["type"] == "cause")
    };
    let mut supervisor = Console::connect(&hub, &hub.tokens.supervisor).await;
    let mut observer = Console::connect(&hub, &hub.tokens.observer).await;
    let mut agent = Console::connect(&hub, &hub.tokens.agent).await;
    let free = json!({"type": "setHumanState", "state": "free"});
    assert_eq!(agent.ask(free).await["type"], "done");
    for n in 1..=6 {
        let call = format!("call-{n}");
        if n > 2 {
            bridge.start_call(&call).await;
        }
        let error = json!({
            "service": "primary-llm", "error.type": "http_503", "message": "overloaded",
            "permanent": false,
        });
        let mut event = bridge.event("service.error", &call, error);
        event["layer"] = json!("llm");
        bridge.send(&event).await;
    }
    supervisor.until("the cause is told", is_told).await;
    observer.until("the cause is told", is_told).await;
    let mut fresh = Console::connect(&hub, &hub.tokens.observer).await;
    fresh.until("the cause is in the snapshot", is_told).await;

    supervisor.ask(route("act-1", "call-1")).await;
    agent
        .until("the offer came, after the cause", |agent| {
            agent.calls.contains_key("call-1")
        })
        .await;
    assert!(!is_told(&agent), "{:?}", agent.records);
    let mut late = Console::connect(&hub, &hub.tokens.agent).await;
    late.until("the offer is in the snapshot", |late| {
        late.calls.contains_key("call-1")
    })
    .await;
    assert!(!is_told(&late), "{:?}", late.records);
}
