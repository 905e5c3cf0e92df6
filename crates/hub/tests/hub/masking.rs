//! What must be kept nowhere is planted in every place where a bridge can put words, and then looked
//! for in every file of the hub, in its log, and in every frame that any console got.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use holdfast_hub::tokens::Token;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::bridge::Bridge;
use crate::support::{DEADLINE, TestHub, Ws, next_text, open, send};

const SOURCE: &str = "//bridges/sim/1";

/// Numbers of the card networks' own tests, and others that are as valid and nobody's.
const CANARIES: &[&str] = &[
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "3530111333300000",
    "4012888888881881",
    "5105105105105100",
    "4000056655665556",
    "52998224725",
    "078051120",
    "DE89370400440532013000",
    "hunter2correcthorse",
    "482913",
    "skprojabcdefghij0123456789",
    "4242424242424242",
    "6200000000000005",
    "5200828282828210",
];

/// What our rooms log in this process from the first use on, at their most talkative.
fn log() -> Arc<Mutex<Vec<u8>>> {
    static LOG: std::sync::OnceLock<Arc<Mutex<Vec<u8>>>> = std::sync::OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log = Arc::<Mutex<Vec<u8>>>::default();
        let pen = Arc::clone(&log);
        tracing_subscriber::fmt()
            .with_env_filter("holdfast_hub=trace,holdfast_journal=trace,holdfast_engine=trace")
            .with_writer(move || Pen(Arc::clone(&pen)))
            .init();
        log
    });
    Arc::clone(log)
}

struct Pen(Arc<Mutex<Vec<u8>>>);

impl io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A console that keeps every frame as it came.
async fn console(hub: &TestHub, token: &Token) -> Ws {
    let token = format!("Bearer {}", token.reveal());
    let mut ws = open(&hub.hub.console_url(), &[("authorization", &token)])
        .await
        .unwrap();
    send(
        &mut ws,
        &json!({"type": "hello", "protocol": 1, "detail": ["call-1"]}),
    )
    .await;
    ws
}

/// Reads what comes until the hub has told all of these.
async fn frames(ws: &mut Ws, told: &[&str]) -> String {
    let mut text = String::new();
    let waited = timeout(DEADLINE, async {
        while !told.iter().all(|word| text.contains(word)) {
            text.push_str(&next_text(ws).await.unwrap());
        }
    });
    assert!(waited.await.is_ok(), "{told:?} is told: {text}");
    text
}

/// Letters and digits only, so that no grouping hides a number.
fn bare(text: &[u8]) -> String {
    text.iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| char::from(*byte))
        .collect()
}

fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

async fn plant(bridge: &mut Bridge) {
    bridge.start_call("call-1").await;
    let said = |role: &str, text: &str| json!({"role": role, "pii.text": text, "turn": 1});
    for (role, text) in [
        ("caller", "My card number is 5555 5555 5555 4444."),
        (
            "agent",
            "I read back three seven eight two, eight two two four six three, one double oh oh five.",
        ),
        ("caller", "It's 6011 1111"),
        ("agent", "Go on."),
        ("caller", "1111 1117"),
        (
            "caller",
            "My CPF is 529.982.247-25 and my social is 078-05-1120.",
        ),
        ("caller", "The IBAN is DE89 3704 0044 0532 0130 00."),
        ("caller", "My password is hunter2correcthorse."),
        ("agent", "And the code that your app shows?"),
        ("caller", "482913"),
    ] {
        bridge
            .say("transcript.partial", "call-1", said(role, text))
            .await;
        bridge
            .say("transcript.final", "call-1", said(role, text))
            .await;
    }
    let cut = json!({"role": "agent", "pii.text": "Your card 3530 1113 3330 0000 is fine",
        "pii.unspoken": " 3330 0000 is fine", "interrupted": true});
    bridge.say("transcript.final", "call-1", cut).await;
    let update = json!({
        "intent": "refund", "pii.ask": "refund to 4012888888881881",
        "pii.summary": "Paid with 5105 1051 0510 5100.",
        "slots": [{"name": "card", "pii.value": "4000056655665556"},
            {"name": "code", "pii.value": "482913"}],
        "promises": [{"pii.text": "refund to 4242424242424242", "confirmed": false}],
        // A bridge may say more than the catalogue knows.
        "note": "the other card is 6200000000000005", "pii.from": "5200828282828210",
    });
    bridge.say("call.updated", "call-1", update).await;
    let tool = |more: Value| {
        let mut data = json!({"gen_ai.tool.name": "pay", "gen_ai.tool.call.id": "t1"});
        for (key, value) in more.as_object().into_iter().flatten() {
            data[key] = value.clone();
        }
        data
    };
    let args = r#"{"pan":"4012888888881881","cvv":"123","code":"482913"}"#;
    bridge
        .say("tool.requested", "call-1", tool(json!({"pii.args": args})))
        .await;
    let result = json!({"duration_secs": 0.1, "pii.result": r#"{"charged":5105105105105100}"#});
    bridge.say("tool.completed", "call-1", tool(result)).await;
    let failure = json!({"error.type": "declined", "message": "4000 0566 5566 5556 declined"});
    bridge.say("tool.failed", "call-1", tool(failure)).await;
    let error = json!({"service": "primary-llm", "error.type": "auth",
        "message": "Incorrect API key provided: sk-proj-abcdefghij0123456789"});
    let mut error = bridge.event("service.error", "call-1", error);
    error["layer"] = json!("llm");
    bridge.send(&error).await;
}

#[tokio::test]
async fn nothing_that_must_not_be_kept_is_in_a_file_a_log_or_a_frame() {
    let log = log();
    let hub = TestHub::start().await;
    let mut bridge = Bridge::connect(&hub, SOURCE, "e1").await;
    let mut watching = Vec::new();
    for token in [
        &hub.tokens.observer,
        &hub.tokens.agent,
        &hub.tokens.supervisor,
        &hub.tokens.commander,
    ] {
        watching.push(console(&hub, token).await);
    }
    plant(&mut bridge).await;
    let decline = json!({"type": "lever", "on": false, "reason": "4242 4242 4242 4242"});
    send(
        &mut watching[3],
        &json!({"type": "request", "id": 1, "request": decline}),
    )
    .await;
    bridge.start_call("call-last").await;
    bridge.wait_all_acked().await;

    // That something was said shows to whoever may see the caller's words, and nobody sees what.
    let marks = [
        "call-last",
        "[card ending 4444]",
        "[identity number]",
        "[bank account]",
    ];
    let mut late = console(&hub, &hub.tokens.supervisor).await;
    let mut places = BTreeMap::new();
    for (who, ws, told) in [
        ("observer", 0, &marks[..1]),
        ("supervisor", 2, &marks[..1]),
        ("commander", 3, &marks[..1]),
    ] {
        let text = frames(&mut watching[ws], told).await;
        places.insert(who.to_owned(), text.into_bytes());
    }
    let text = frames(&mut late, &marks).await;
    places.insert("late supervisor".to_owned(), text.into_bytes());
    let data = hub.data.clone();
    let hub = hub.stop_and_start().await;
    files(&data, &mut places);
    assert!(places.len() > 4, "the journal has files");
    let journal: Vec<u8> = places.values().flatten().copied().collect();
    assert!(
        bare(&journal).contains("cardending4444"),
        "the journal holds the marks"
    );
    places.insert("log".to_owned(), log.lock().unwrap().clone());
    for (place, bytes) in &places {
        let text = bare(bytes);
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} is in {place}");
        }
    }

    // What is replayed is what was shown.
    let mut again = console(&hub, &hub.tokens.supervisor).await;
    let text = frames(&mut again, &marks).await;
    for canary in CANARIES {
        assert!(!bare(text.as_bytes()).contains(canary), "{canary}");
    }
}
