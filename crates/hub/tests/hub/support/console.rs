//! A console that applies what it is told, as `protocol::console` asks.

use std::collections::BTreeMap;

use holdfast_hub::tokens::Token;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{DEADLINE, TestHub, Ws, last_words, next, next_text, open, open_narrow, send};

/// A console with its picture of the board.
pub(crate) struct Console {
    pub(crate) ws: Ws,
    pub(crate) epoch: String,
    pub(crate) identity: Value,
    /// The last sequence that was applied.
    pub(crate) seq: u64,
    pub(crate) calls: BTreeMap<String, Value>,
    /// The newest version of each record, by its id.
    pub(crate) records: BTreeMap<String, Value>,
    /// Ids of records in the order in which they came one by one.
    pub(crate) told_records: Vec<String>,
    pub(crate) details: BTreeMap<String, Value>,
    pub(crate) bridges: Value,
    pub(crate) humans: Value,
    pub(crate) playbooks: Value,
    pub(crate) ledger: Value,
    pub(crate) lag_ms: i64,
    pub(crate) replies: BTreeMap<u64, Value>,
    pub(crate) errors: Vec<Value>,
    /// Snapshots that began.
    pub(crate) resets: usize,
    /// Bytes of frames that were read.
    pub(crate) bytes: usize,
    next_request: u64,
}

impl Console {
    pub(crate) async fn connect(hub: &TestHub, token: &Token) -> Self {
        Self::connect_with(hub, token, json!({})).await
    }

    /// `more` is added to the hello.
    pub(crate) async fn connect_with(hub: &TestHub, token: &Token, more: Value) -> Self {
        let token = format!("Bearer {}", token.reveal());
        let ws = open(&hub.hub.console_url(), &[("authorization", &token)])
            .await
            .unwrap();
        Self::begin(ws, more).await
    }

    /// A console whose system takes little ahead of what it reads.
    pub(crate) async fn connect_narrow(hub: &TestHub, token: &Token) -> Self {
        let token = format!("Bearer {}", token.reveal());
        let ws = open_narrow(hub, &hub.hub.console_url(), &[("authorization", &token)]).await;
        Self::begin(ws, json!({})).await
    }

    async fn begin(mut ws: Ws, more: Value) -> Self {
        let mut hello = json!({"type": "hello", "protocol": 1});
        for (key, value) in more.as_object().into_iter().flatten() {
            hello[key] = value.clone();
        }
        send(&mut ws, &hello).await;
        let welcome = next(&mut ws).await.expect("the hub welcomes the console");
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        Self {
            ws,
            epoch: welcome["epoch"].as_str().unwrap().to_owned(),
            identity: welcome["identity"].clone(),
            seq: 0,
            calls: BTreeMap::new(),
            records: BTreeMap::new(),
            told_records: Vec::new(),
            details: BTreeMap::new(),
            bridges: Value::Null,
            humans: Value::Null,
            playbooks: Value::Null,
            ledger: Value::Null,
            lag_ms: 0,
            replies: BTreeMap::new(),
            errors: Vec::new(),
            resets: 0,
            bytes: 0,
            next_request: 1,
        }
    }

    /// Connects anew where it left off, with what it knows.
    pub(crate) async fn resume(&mut self, hub: &TestHub, token: &Token) {
        let resume = json!({"resume": {"epoch": self.epoch, "seq": self.seq}});
        let fresh = Self::connect_with(hub, token, resume).await;
        self.ws = fresh.ws;
        self.epoch = fresh.epoch;
    }

    /// Applies one frame.
    pub(crate) async fn step(&mut self) {
        let text = next_text(&mut self.ws)
            .await
            .unwrap_or_else(|code| panic!("the hub closed a console with {code:?}"));
        self.bytes += text.len();
        let frame = serde_json::from_str(&text).unwrap();
        self.apply(&frame);
    }

    fn apply(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "snapshot" => {
                if frame["first"] == true {
                    self.calls.clear();
                    self.records.clear();
                    self.resets += 1;
                }
                self.apply_calls(&frame["calls"]);
                for record in frame["records"].as_array().unwrap() {
                    self.records.insert(record_id(record), record.clone());
                }
                if frame["last"] == true {
                    self.seq = frame["seq"].as_u64().unwrap();
                }
            }
            "change" => {
                self.move_to(frame);
                self.apply_calls(&frame["calls"]);
                for call in frame["gone"].as_array().unwrap() {
                    self.calls.remove(call.as_str().unwrap());
                }
            }
            "record" => {
                self.move_to(frame);
                let record = &frame["record"];
                self.told_records.push(record_id(record));
                self.records.insert(record_id(record), record.clone());
            }
            "detail" => {
                let detail = &frame["detail"];
                let call = detail["summary"]["id"].as_str().unwrap().to_owned();
                self.details.insert(call, detail.clone());
            }
            "beat" => {
                self.bridges = frame["bridges"].clone();
                self.humans = frame["humans"].clone();
                self.lag_ms = frame["lagMs"].as_i64().unwrap();
            }
            "playbooks" => self.playbooks = frame["playbooks"].clone(),
            "ledger" => self.ledger = frame["ledger"].clone(),
            "reply" => {
                let id = frame["id"].as_u64().unwrap();
                let before = self.replies.insert(id, frame["reply"].clone());
                assert_eq!(before, None, "one reply a request");
            }
            "error" => self.errors.push(frame["error"].clone()),
            other => panic!("a console is not told {other}"),
        }
    }

    /// The hub's numbers never go back. (An agent's call comes under its record's number.)
    fn move_to(&mut self, frame: &Value) {
        let seq = frame["seq"].as_u64().unwrap();
        assert!(seq >= self.seq, "{seq} after {}", self.seq);
        self.seq = seq;
    }

    fn apply_calls(&mut self, calls: &Value) {
        for call in calls.as_array().unwrap() {
            self.calls
                .insert(call["id"].as_str().unwrap().to_owned(), call.clone());
        }
    }

    /// Applies frames until `is_so`.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let waited = timeout(DEADLINE, async {
            while !is_so(self) {
                self.step().await;
            }
        });
        assert!(waited.await.is_ok(), "this did not come true: {what}");
    }

    /// Asks, and waits for the reply.
    pub(crate) async fn ask(&mut self, request: Value) -> Value {
        let id = self.ask_only(request).await;
        self.until("a reply came", |console| console.replies.contains_key(&id))
            .await;
        self.replies[&id].clone()
    }

    pub(crate) async fn ask_only(&mut self, request: Value) -> u64 {
        let id = self.next_request;
        self.next_request += 1;
        let frame = json!({"type": "request", "id": id, "request": request});
        send(&mut self.ws, &frame).await;
        id
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        send(&mut self.ws, frame).await;
    }

    pub(crate) async fn last_words(&mut self) -> (Value, Option<u16>) {
        last_words(&mut self.ws).await
    }

    /// How often a bridge got this wrong, as the newest beat says.
    pub(crate) fn anomalies(&self, source: &str, kind: &str) -> u64 {
        let bridges = self.bridges.as_array().into_iter().flatten();
        let anomalies = bridges
            .filter(|bridge| bridge["source"] == source)
            .flat_map(|bridge| bridge["anomalies"].as_array().into_iter().flatten());
        anomalies
            .filter(|anomaly| anomaly["kind"] == kind)
            .map(|anomaly| anomaly["count"].as_u64().unwrap())
            .sum()
    }
}

fn record_id(record: &Value) -> String {
    let inner = match record["type"].as_str().unwrap() {
        "command" => &record["command"],
        "handoff" => &record["handoff"],
        "cause" => &record["cause"],
        "run" => &record["run"],
        "lever" => return "lever".to_owned(),
        other => panic!("{other} is no record"),
    };
    inner["id"].as_str().unwrap().to_owned()
}

pub(crate) fn pause(id: &str, call: &str) -> Value {
    json!({"type": "act", "act": {
        "id": id, "verb": {"type": "pauseAi"}, "target": {"type": "calls", "calls": [call]},
    }})
}
