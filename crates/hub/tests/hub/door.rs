//! Who comes in, and what the others are told.

use holdfast_hub::{Hub, HubConfig, StartError};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

use crate::support::bridge::{Bridge, hello};
use crate::support::console::Console;
use crate::support::{TestHub, Ws, last_words, open, send, send_text};

/// Opens a face with a token in the header, and tells how the hub ended it.
async fn turned_away(url: &str, token: Option<&str>, first: &str) -> (String, u16) {
    let header = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = header
        .iter()
        .map(|value| ("authorization", value.as_str()))
        .collect();
    let mut ws = open(url, &headers).await.unwrap();
    send_text(&mut ws, first).await;
    words(&mut ws).await
}

async fn words(ws: &mut Ws) -> (String, u16) {
    let (error, code) = last_words(ws).await;
    // A console's errors are wrapped, a bridge's are not.
    let error = error.get("error").unwrap_or(&error);
    assert_eq!(error["closing"], true, "{error}");
    assert!(error["message"].as_str().unwrap().len() > 20, "{error}");
    (error["code"].as_str().unwrap().to_owned(), code.unwrap())
}

#[tokio::test]
async fn whoever_may_not_come_in_is_told_why() {
    let hub = TestHub::start().await;
    let (bridge, console) = (hub.hub.bridge_url(), hub.hub.console_url());
    let bot = hub.tokens.bridge.reveal();
    let ana = hub.tokens.supervisor.reveal();
    let bridge_hello = hello("//bridges/sim/1", "e1").to_string();
    let console_hello = json!({"type": "hello", "protocol": 1}).to_string();
    let old_bridge = bridge_hello.replace("\"protocol\":1", "\"protocol\":9");
    let old_console = json!({"type": "hello", "protocol": 9}).to_string();
    let wrong_in_hello = json!({"type": "hello", "protocol": 1, "token": "no"}).to_string();
    for (url, token, first, code, close) in [
        (&bridge, None, bridge_hello.as_str(), "unauthorized", 4000),
        (&bridge, Some("wrong"), &bridge_hello, "unauthorized", 4000),
        (&console, None, &console_hello, "unauthorized", 4000),
        (&console, None, &wrong_in_hello, "unauthorized", 4000),
        (&bridge, Some(ana), &bridge_hello, "forbidden", 4001),
        (&console, Some(bot), &console_hello, "forbidden", 4001),
        (&bridge, Some(bot), "[]", "hello_expected", 4002),
        (
            &bridge,
            Some(bot),
            r#"{"type":"pong","nonce":1}"#,
            "hello_expected",
            4002,
        ),
        (
            &console,
            Some(ana),
            r#"{"type":"detail","calls":[]}"#,
            "hello_expected",
            4002,
        ),
        (
            &bridge,
            Some(bot),
            &old_bridge,
            "unsupported_protocol",
            4003,
        ),
        (
            &console,
            Some(ana),
            &old_console,
            "unsupported_protocol",
            4003,
        ),
        (&bridge, Some(bot), "{", "malformed", 4005),
        (&console, Some(ana), "{", "malformed", 4005),
    ] {
        let told = turned_away(url, token, first).await;
        assert_eq!(told, (code.to_owned(), close), "{url} {first}");
    }
}

#[tokio::test]
async fn a_token_may_stand_in_the_hello() {
    let hub = TestHub::start().await;
    let mut ws = open(&hub.hub.bridge_url(), &[]).await.unwrap();
    let mut frame = hello("//bridges/sim/1", "e1");
    frame["token"] = json!(hub.tokens.bridge.reveal());
    send(&mut ws, &frame).await;
    crate::support::next_of(&mut ws, "welcome").await;
}

#[tokio::test]
async fn browsers_and_strange_paths_get_no_websocket() {
    let hub = TestHub::start().await;
    let token = format!("Bearer {}", hub.tokens.supervisor.reveal());
    let origin = [
        ("origin", "https://evil.example"),
        ("authorization", &token),
    ];
    let strange = format!("ws://{}/v2/console", hub.hub.address);
    for (url, headers, status) in [
        (&hub.hub.console_url(), &origin[..], 403),
        (&hub.hub.bridge_url(), &origin[..], 403),
        (&strange, &origin[1..], 404),
    ] {
        match open(url, headers).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            other => panic!("{url} gave {other:?}"),
        }
    }
    Console::connect(&hub, &hub.tokens.supervisor).await;
}

#[tokio::test]
async fn strangers_are_few_and_do_not_stay() {
    let hub = TestHub::start_with(|config| config.limits.unauthenticated_max = 1).await;
    let mut silent = open(&hub.hub.bridge_url(), &[]).await.unwrap();
    let mut refused = TcpStream::connect(hub.hub.address).await.unwrap();
    refused
        .write_all(b"GET /v1/bridge HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    refused.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");

    let told = words(&mut silent).await;
    assert_eq!(told, ("hello_expected".to_owned(), 4002));
    drop(silent);
    // The stranger's place is free again, and whoever shows a token takes up none.
    let _first = Bridge::connect(&hub, "//bridges/sim/1", "e1").await;
    Bridge::connect(&hub, "//bridges/sim/2", "e1").await;
}

#[tokio::test]
async fn beyond_this_machine_only_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = HubConfig::loopback(folder.path(), Vec::new());
    config.listen = "0.0.0.0:0".parse().unwrap();
    let error = Hub::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::PlainText(_)));
    assert!(error.to_string().contains("insecure_plain_text = true"));
    config.insecure_plain_text = true;
    Hub::start(config).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_second_hub_does_not_touch_the_journal_of_the_first() {
    let hub = TestHub::start().await;
    let config = hub.tokens.config(&hub.data);
    let error = Hub::start(config).await.unwrap_err();
    assert!(error.to_string().contains("another hub uses it"), "{error}");
}
