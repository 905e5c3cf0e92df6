//! A hub is ended at a random moment; what comes up is what was durable then, to the byte.

use std::collections::BTreeMap;

use holdfast_domain::{
    ActId, AnomalyKind, BlindReason, CallId, CommandId, ReadBack, Request, Target,
};
use holdfast_engine::{Answer, AnswerState, BridgeChange, Effect, Person};
use holdfast_journal::Position;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::playbook::Library;

/// How long a hub is down.
const DOWN_MS: i64 = 3_600_000;

const SOURCE: &str = "//bridges/sim/1";

/// What happens to the hub.
#[derive(Debug, Clone)]
enum Step {
    /// Milliseconds pass.
    Wait(i64),
    /// The bridge tells something about a call.
    Fact(u8, &'static str, Value),
    Control(Box<Control>),
    /// What was folded becomes durable.
    Commit,
    /// A checkpoint is taken.
    Checkpoint,
    /// The hub ends and comes up again.
    Crash,
}

/// A hub without sockets.
struct Core {
    folder: tempfile::TempDir,
    journal: Option<Journal>,
    engine: Engine,
    batch: Batch,
    decided: u64,
    sequence: u64,
    now: Timestamp,
    /// What was durable last: the engine's state, the number of its last decision, the sequence.
    durable: (Value, u64, u64),
}

fn options(now: Timestamp) -> Options {
    Options::new("epoch", now)
}

impl Core {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(1_800_000_000_000);
        let (journal, _) = Journal::open(folder.path(), options(now)).unwrap();
        let engine = Engine::new(Config::default());
        let durable = (json!(engine), 0, 0);
        let mut core = Self {
            folder,
            journal: Some(journal),
            engine,
            batch: Batch::default(),
            decided: 0,
            sequence: 0,
            now,
            durable,
        };
        core.control(&connected());
        core.batch.log_position(&SourceId::new(SOURCE));
        core.commit();
        core
    }

    fn take_effects(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            self.batch.take(effect, &mut self.decided);
        }
    }

    fn control(&mut self, control: &Control) {
        self.engine.handle(Input::Control(control), self.now);
        self.batch.log_control(self.now, control);
        self.take_effects();
    }

    fn fact(&mut self, call: u8, kind: &str, data: &Value) {
        self.sequence += 1;
        let time = jiff::Timestamp::from_millisecond(self.now.as_millis()).unwrap();
        let time = time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let subject = if kind.starts_with("stream") {
            "*".to_owned()
        } else {
            format!("call-{call}")
        };
        let raw = json!({
            "specversion": "1.0", "id": format!("e-{}", self.sequence), "source": SOURCE,
            "type": format!("holdfast.{kind}"), "subject": subject, "time": time,
            "recordedtime": time, "sequence": format!("{:020}", self.sequence), "epoch": "e1", "layer": "llm",
            "data": data,
        })
        .to_string();
        let source = SourceId::new(SOURCE);
        let Ok(Inbound::Events(events)) = parse_bridge_frame(&raw) else {
            panic!("{raw} is an event");
        };
        let fact = events[0].fact.as_ref().unwrap();
        let input = Input::Fact {
            source: &source,
            fact,
        };
        self.engine.handle(input, self.now);
        self.batch
            .log_fact(self.now, &source, events[0].raw.to_owned());
        self.take_effects();
    }

    fn wait(&mut self, ms: i64) {
        self.now = self.now + ms;
        self.engine.handle_timeout(self.now);
        self.take_effects();
    }

    fn commit(&mut self) {
        // Timers that are due have fired when a hub commits.
        self.wait(0);
        let sequence = self.sequence;
        let batch = std::mem::take(&mut self.batch);
        let (commit, _) = batch.split(self.now, |_| Some(("e1".to_owned(), sequence)));
        self.journal.as_mut().unwrap().append(&commit).unwrap();
        self.durable = (json!(self.engine), self.decided, self.sequence);
    }

    fn checkpoint(&mut self) {
        self.commit();
        let state = serde_json::to_vec(&self.engine).unwrap();
        let journal = self.journal.as_mut().unwrap();
        journal.rotate(&state, self.decided, self.now).unwrap();
    }

    /// Ends the hub, which comes up again much later; fails unless everything is as it was durable
    /// last.
    fn crash(&mut self, durable_at: Timestamp) {
        drop(self.journal.take());
        self.batch = Batch::default();
        let clock = Clock::new(move || durable_at + DOWN_MS);
        let found = recover(self.folder.path(), &clock).unwrap();
        let (state, decided, sequence) = &self.durable;
        // What timers did after the last decision, and decided nothing by it, comes again.
        let mut then = found.engine.clone();
        then.handle_timeout(durable_at);
        while let Some(effect) = then.poll_effect() {
            assert!(
                matches!(effect, Effect::Show(_)),
                "decided anew: {effect:?}"
            );
        }
        assert_eq!(&json!(then), state);
        assert_eq!(found.decided, *decided);
        let positions = [(SourceId::new(SOURCE), "e1".to_owned(), *sequence)];
        assert_eq!(found.positions, positions);
        self.journal = Some(found.journal);
        self.engine = found.engine;
        self.decided = found.decided;
        self.sequence = *sequence;
        let since = self.engine.judged_until();
        let reason = BlindReason::Suspended;
        self.control(&Control::Blind { reason, since });
        self.control(&Control::Restarted);
        self.control(&connected());
        self.commit();
    }
}

fn connected() -> Control {
    let capability = |name: &str| holdfast_domain::Capability {
        name: name.to_owned(),
        available: true,
        reason: None,
        faults: Vec::new(),
    };
    Control::Bridge {
        source: SourceId::new(SOURCE),
        change: BridgeChange::Connected {
            platform: "sim 1".to_owned(),
            epoch: "e1".to_owned(),
            heartbeat_ms: 2_000,
            capabilities: ["pause_ai", "transfer", "announce"].map(capability).into(),
        },
    }
}

fn person(request: Request) -> Control {
    Control::Person {
        ticket: 1,
        who: Person {
            console: 1,
            name: "ana".to_owned(),
            can_act: true,
            can_act_on_all: true,
            can_receive: true,
        },
        request,
    }
}

fn act(number: u8, verb: holdfast_domain::ActVerb) -> Control {
    person(Request::Act {
        act: holdfast_domain::Act {
            id: ActId::new(format!("act-{number}")),
            verb,
            target: Target::Calls {
                calls: vec![CallId::new(format!("call-{}", number % 3))],
            },
        },
    })
}

fn fact() -> impl Strategy<Value = (&'static str, Value)> {
    let call = json!({
        "direction": "inbound", "agent": "bot", "queue": "billing", "language": "en",
        "services": [{"layer": "llm", "name": "llm-1", "active": true, "usable": true}],
    });
    let error = json!({"service": "llm-1", "error.type": "http_503", "message": "no"});
    let latency = json!({"service": "llm-1", "metric": "ttft", "seconds": 0.123_456_789});
    prop_oneof![
        Just(("call.started", call)),
        Just((
            "call.ended",
            json!({"reason": "done", "ended_by": "caller"})
        )),
        Just(("speech.started", json!({"actor": "caller"}))),
        Just(("speech.stopped", json!({"actor": "caller"}))),
        Just(("speech.started", json!({"actor": "agent"}))),
        Just(("speech.stopped", json!({"actor": "agent"}))),
        Just((
            "transcript.final",
            json!({"role": "caller", "pii.text": "hello there"})
        )),
        Just(("turn.latency", json!({"total_secs": 1.7}))),
        Just((
            "call.updated",
            json!({"sentiment": -0.1, "intent": "refund"})
        )),
        Just(("service.error", error)),
        Just(("service.latency", latency)),
        Just((
            "handoff.requested",
            json!({"to": "billing", "reason": "caller"})
        )),
        Just(("stream.snapshot", json!({"calls": ["call-1"]}))),
        Just(("stream.caught_up", json!({}))),
    ]
}

fn control() -> impl Strategy<Value = Control> {
    let source = || SourceId::new(SOURCE);
    prop_oneof![
        (0..9_u8).prop_map(|number| act(number, holdfast_domain::ActVerb::PauseAi)),
        (0..9_u8).prop_map(|number| act(number, holdfast_domain::ActVerb::RouteToHumans)),
        Just(person(Request::SetHumanState {
            state: holdfast_domain::HumanState::Free
        })),
        any::<bool>().prop_map(|present| Control::Presence {
            name: "ana".to_owned(),
            present
        }),
        Just(Control::Bridge {
            source: source(),
            change: BridgeChange::Disconnected
        }),
        Just(connected()),
        (0..3_usize, any::<bool>()).prop_map(|(kept, armed)| Control::Playbooks {
            playbooks: Library::shipped().iter().take(kept).cloned().collect(),
            armed,
        }),
        Just(Control::Bridge {
            source: source(),
            change: BridgeChange::Anomaly {
                kind: AnomalyKind::Malformed,
                example: "no JSON".to_owned()
            }
        }),
        (0..20_u8).prop_map(move |number| Control::Answer {
            source: source(),
            answer: Answer {
                command: CommandId::new(format!("c-{number}")),
                state: AnswerState::Applied(ReadBack::default()),
            },
        }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..8_000_i64).prop_map(Step::Wait),
        20 => (0..3_u8, fact()).prop_map(|(call, (kind, data))| Step::Fact(call, kind, data)),
        6 => control().prop_map(|control| Step::Control(Box::new(control))),
        6 => Just(Step::Commit),
        1 => Just(Step::Checkpoint),
        2 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_replay_is_what_was_durable(steps in steps()) {
        let mut core = Core::new();
        let mut durable_at = core.now;
        for step in steps {
            match step {
                Step::Wait(ms) => core.wait(ms),
                Step::Fact(call, kind, data) => core.fact(call, kind, &data),
                Step::Control(control) => core.control(&control),
                Step::Commit => core.commit(),
                Step::Checkpoint => core.checkpoint(),
                Step::Crash => core.crash(durable_at),
            }
            if core.batch.is_empty() {
                durable_at = core.now;
                core.durable.0 = json!(core.engine);
            }
        }
        core.crash(durable_at);
    }
}

/// The journal has two files; a crash can fall between their commits.
#[test]
fn decisions_that_got_lost_are_written_again_under_their_numbers() {
    let mut core = Core::new();
    core.fact(
        1,
        "call.started",
        &json!({
            "direction": "inbound", "agent": "bot", "queue": "q", "language": "en", "services": [],
        }),
    );
    core.control(&act(1, holdfast_domain::ActVerb::PauseAi));
    core.wait(0);
    let whole = std::mem::take(&mut core.batch).into_commit();
    assert!(!whole.records.is_empty() && !whole.entries.is_empty());
    let torn = holdfast_journal::Batch {
        inputs: whole.inputs.clone(),
        positions: vec![Position {
            source: SourceId::new(SOURCE),
            epoch: "e1".to_owned(),
            sequence: core.sequence,
            at: core.now,
        }],
        ..holdfast_journal::Batch::default()
    };
    core.journal.as_mut().unwrap().append(&torn).unwrap();
    core.durable = (json!(core.engine), core.decided, core.sequence);
    core.crash(core.now);

    let reader = core.journal.as_ref().unwrap().reader().unwrap();
    let by_number: BTreeMap<u64, _> = reader
        .records_since(0, 100)
        .unwrap()
        .into_iter()
        .map(|stored| (stored.seq, stored))
        .collect();
    let entries = reader
        .entries_for_call(&CallId::new("call-1"), 100)
        .unwrap();
    assert!(
        entries.iter().any(|entry| *entry == whole.entries[0]),
        "{entries:?}"
    );
    let id = |record: &holdfast_domain::Record| match record {
        holdfast_domain::Record::Command { command } => command.id.clone(),
        other => panic!("only a command was made, not {other:?}"),
    };
    // Coming up made a newer version of the command: nobody knows what became of it.
    let newest = by_number.values().last().unwrap();
    assert_eq!(id(&newest.record), id(&whole.records[0].record));
    assert!(newest.seq > whole.records[0].seq);
}

#[test]
fn a_folder_of_something_else_is_refused_with_words() {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millis(1_000);
    let (mut journal, _) = Journal::open(folder.path(), options(now)).unwrap();
    let input = |source: Option<&str>, payload: &str| holdfast_journal::Batch {
        inputs: vec![holdfast_journal::NewInput {
            now,
            source: source.map(SourceId::new),
            payload: payload.to_owned(),
        }],
        ..holdfast_journal::Batch::default()
    };
    journal
        .append(&input(None, "{\"type\":\"tomorrow\"}"))
        .unwrap();
    drop(journal);
    let error = recover(folder.path(), &Clock::new(move || now)).unwrap_err();
    assert!(
        matches!(error, RecoverError::Control { n: 1, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("another version"), "{error}");
}
