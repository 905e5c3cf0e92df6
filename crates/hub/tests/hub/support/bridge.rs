//! A bridge that keeps what is not acknowledged, as `docs/protocol/bridge.md` asks.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{DEADLINE, TestHub, Ws, last_words, next, next_of, open, send, send_text};

/// A bridge with one connection.
pub(crate) struct Bridge {
    pub(crate) ws: Ws,
    pub(crate) source: String,
    pub(crate) epoch: String,
    pub(crate) welcome: Value,
    /// The sequence of the next event.
    pub(crate) sequence: u64,
    /// What is not yet acknowledged.
    pub(crate) unacked: VecDeque<(u64, Value)>,
}

pub(crate) fn hello(source: &str, epoch: &str) -> Value {
    json!({
        "type": "hello", "protocol": 1, "source": source, "epoch": epoch,
        "bridge": {"name": "test", "version": "1"}, "platform": {"name": "sim", "version": "2"},
        "heartbeat_secs": 2.0,
        "capabilities": [
            {"name": "pause_ai", "available": true}, {"name": "resume_ai", "available": true},
            {"name": "transfer", "available": true}, {"name": "announce", "available": true},
        ],
    })
}

/// The present, as events write it.
pub(crate) fn now() -> String {
    let now = holdfast_protocol::clock::now().as_millis();
    let now = jiff::Timestamp::from_millisecond(now).unwrap();
    now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

impl Bridge {
    pub(crate) async fn open(hub: &TestHub) -> Ws {
        let token = format!("Bearer {}", hub.tokens.bridge.reveal());
        open(&hub.hub.bridge_url(), &[("authorization", &token)])
            .await
            .unwrap()
    }

    pub(crate) async fn connect(hub: &TestHub, source: &str, epoch: &str) -> Self {
        let mut ws = Self::open(hub).await;
        send(&mut ws, &hello(source, epoch)).await;
        let welcome = next_of(&mut ws, "welcome").await;
        Self {
            ws,
            source: source.to_owned(),
            epoch: epoch.to_owned(),
            welcome,
            sequence: 1,
            unacked: VecDeque::new(),
        }
    }

    /// Connects anew under the same epoch and sends again what the hub does not have.
    pub(crate) async fn reconnect(&mut self, hub: &TestHub) {
        let mut ws = Self::open(hub).await;
        send(&mut ws, &hello(&self.source, &self.epoch)).await;
        self.welcome = next_of(&mut ws, "welcome").await;
        self.ws = ws;
        let after = self.welcome["resume_after"].as_u64().unwrap();
        self.unacked.retain(|(sequence, _)| *sequence > after);
        for (_, event) in self.unacked.clone() {
            send(&mut self.ws, &event).await;
        }
    }

    /// An event under a sequence, as it would be sent.
    pub(crate) fn event_at(&self, sequence: u64, kind: &str, subject: &str, data: Value) -> Value {
        json!({
            "specversion": "1.0", "id": format!("{}-{sequence}", self.epoch),
            "source": self.source, "type": format!("holdfast.{kind}"), "subject": subject,
            "time": now(), "recordedtime": now(), "sequence": format!("{sequence:020}"),
            "epoch": self.epoch, "data": data,
        })
    }

    /// The next event, kept until it is acknowledged.
    pub(crate) fn event(&mut self, kind: &str, subject: &str, data: Value) -> Value {
        let event = self.event_at(self.sequence, kind, subject, data);
        self.unacked.push_back((self.sequence, event.clone()));
        self.sequence += 1;
        event
    }

    pub(crate) async fn say(&mut self, kind: &str, subject: &str, data: Value) {
        let event = self.event(kind, subject, data);
        send(&mut self.ws, &event).await;
    }

    pub(crate) async fn start_call(&mut self, call: &str) {
        self.say("call.started", call, call_started(call)).await;
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        send(&mut self.ws, frame).await;
    }

    pub(crate) async fn send_text(&mut self, text: impl Into<String>) {
        send_text(&mut self.ws, text).await;
    }

    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        next_of(&mut self.ws, kind).await
    }

    /// Reads until everything up to `sequence` is acknowledged.
    pub(crate) async fn wait_acked(&mut self, sequence: u64) {
        let waited = timeout(DEADLINE, async {
            while self.unacked.front().is_some_and(|(at, _)| *at <= sequence) {
                let ack = self.next_of("ack").await["sequence"].as_u64().unwrap();
                self.unacked.retain(|(unacked, _)| *unacked > ack);
            }
        });
        assert!(waited.await.is_ok(), "{sequence} is acknowledged");
    }

    /// Reads until everything that was said is acknowledged.
    pub(crate) async fn wait_all_acked(&mut self) {
        self.wait_acked(self.sequence - 1).await;
    }

    pub(crate) async fn next_error(&mut self, code: &str) -> Value {
        let error = self.next_of("error").await;
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().len() > 10, "{error}");
        error
    }

    pub(crate) async fn last_words(&mut self) -> (Value, Option<u16>) {
        last_words(&mut self.ws).await
    }

    /// The next frame that is neither a ping nor an acknowledgment.
    pub(crate) async fn next_but_routine(&mut self) -> Value {
        loop {
            let frame = next(&mut self.ws).await.unwrap();
            if frame["type"] != "ping" && frame["type"] != "ack" {
                return frame;
            }
        }
    }

    pub(crate) async fn answer(&mut self, command: &Value, state: &str, more: Value) {
        let mut result = json!({
            "type": "result", "command_id": command["command_id"], "state": state,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            result[key] = value.clone();
        }
        send(&mut self.ws, &result).await;
    }
}

pub(crate) fn call_started(customer: &str) -> Value {
    json!({
        "direction": "inbound", "agent": "bot", "queue": "billing", "language": "en-US",
        "pii.customer": format!("Customer {customer}"),
        "services": [
            {"layer": "llm", "name": "primary-llm", "active": true, "usable": true},
            {"layer": "llm", "name": "backup-llm", "active": false, "usable": true,
             "rung": "backup"},
        ],
    })
}
