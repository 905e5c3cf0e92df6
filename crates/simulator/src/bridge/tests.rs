use holdfast_domain::fact::Fact;
use holdfast_domain::{CallId, Command, FaultScope};
use holdfast_protocol::bridge::{CommandFrame, write_hub_frame};
use holdfast_protocol::event::{Inbound, parse_bridge_frame};
use proptest::prelude::*;

use super::*;
use crate::WorldKind;
use crate::platform::PlatformConfig;

const MORNING: Timestamp = Timestamp::from_millis(1_795_514_400_000);

fn new_platform(calls: usize) -> Platform {
    let config = PlatformConfig {
        seed: 9,
        calls,
        instance: "t".to_owned(),
        world: WorldKind::Pods,
        noise: false,
    };
    Platform::new(config, MORNING)
}

/// A hub as the wire's reference describes it, and the wire to it.
struct Hub {
    bridge: Bridge,
    now: Timestamp,
    /// Events as they were accepted: sequence, type of fact, and what the fact says.
    accepted: Vec<(u64, String)>,
    position: u64,
    gaps: u64,
    snapshots: usize,
    answers: Vec<CommandResult>,
    pongs: Vec<u64>,
    hellos: Vec<Hello>,
}

impl Hub {
    fn new(calls: usize) -> Self {
        let bridge = Bridge::new(
            new_platform(calls),
            calls,
            "//bridges/simulator/test".to_owned(),
            "e-1".to_owned(),
            MORNING,
        );
        Self {
            bridge,
            now: MORNING,
            accepted: Vec::new(),
            position: 0,
            gaps: 0,
            snapshots: 0,
            answers: Vec::new(),
            pongs: Vec::new(),
            hellos: Vec::new(),
        }
    }

    fn say(&mut self, frame: &HubFrame) {
        self.bridge.on_frame(&write_hub_frame(frame), self.now);
    }

    fn connect(&mut self) {
        self.bridge.on_connected();
        self.read(usize::MAX);
        let known = self.hellos.len() > 1;
        self.say(&HubFrame::Welcome(Welcome {
            protocol: PROTOCOL_VERSION,
            resume_after: self.position,
            snapshot: !known,
            max_frame_bytes: 64 * 1024,
            max_batch: 100,
        }));
    }

    /// Reads so many frames.
    fn read(&mut self, frames: usize) {
        for _ in 0..frames {
            let Some(text) = self.bridge.next_frame() else {
                return;
            };
            assert!(text.len() <= 64 * 1024, "a frame of {} bytes", text.len());
            match parse_bridge_frame(&text).unwrap() {
                Inbound::Control(BridgeFrame::Hello(hello)) => self.hellos.push(hello),
                Inbound::Control(BridgeFrame::Result(answer)) => self.answers.push(answer),
                Inbound::Control(BridgeFrame::Pong { nonce }) => self.pongs.push(nonce),
                Inbound::Events(events) => {
                    assert!(events.len() <= 100);
                    for event in events {
                        let fact = event.fact.unwrap().fact;
                        self.judge(event.sequence, &fact);
                    }
                }
            }
        }
    }

    fn judge(&mut self, sequence: u64, fact: &Fact<'_>) {
        let restarts = matches!(
            fact,
            Fact::StreamSnapshot { .. } | Fact::StreamGapDetected { .. }
        );
        self.snapshots += usize::from(matches!(fact, Fact::StreamSnapshot { .. }));
        if let Fact::StreamGapDetected { missing, .. } = fact {
            self.gaps += missing;
        }
        let expected = self.position + 1;
        if sequence < expected {
            return;
        }
        assert!(
            sequence == expected || restarts,
            "{expected} was expected, {sequence} came"
        );
        self.position = sequence;
        self.accepted.push((sequence, format!("{fact:?}")));
    }

    fn run(&mut self, ms: i64) {
        self.now = self.now + ms;
        self.bridge.advance(self.now);
        while self.bridge.is_behind(self.now) {
            self.bridge.advance(self.now);
        }
    }

    /// What was accepted of the calls: everything but the bridge's own heartbeats.
    fn story(&self) -> Vec<&str> {
        self.accepted
            .iter()
            .map(|(_, fact)| fact.as_str())
            .filter(|fact| !fact.starts_with("BridgeHeartbeat"))
            .collect()
    }

    fn command(&mut self, id: &str, call: Option<CallId>, command: Command) {
        let frame = CommandFrame {
            command_id: CommandId::new(id),
            call,
            command,
            actor: "ana@example".to_owned(),
            issued_at: self.now,
            expires_at: self.now + 10_000,
            expect_active: None,
        };
        self.say(&HubFrame::Command(Box::new(frame)));
    }
}

#[test]
fn it_says_hello_and_then_where_its_calls_are() {
    let mut hub = Hub::new(5);
    hub.run(1_000);
    assert_eq!(
        hub.bridge.next_frame(),
        None,
        "nothing without a connection"
    );
    hub.connect();
    hub.read(usize::MAX);
    let hello = &hub.hellos[0];
    assert_eq!(hello.source, "//bridges/simulator/test");
    assert!(hello.token.is_none());
    let faults = hello
        .capabilities
        .iter()
        .find(|capability| capability.name == "start_fault")
        .map(|capability| capability.faults.len());
    assert_eq!(faults, Some(crate::FaultKind::ALL.len()));
    assert_eq!(hello.capabilities.len(), 10);
    assert!(
        hello
            .capabilities
            .iter()
            .all(|capability| capability.available)
    );
    assert_eq!(hub.accepted[0].0, 1);
    assert!(hub.accepted[0].1.starts_with("StreamSnapshot"));
    assert!(hub.story().last().unwrap().starts_with("StreamCaughtUp"));
    assert_eq!(hub.gaps, 0);
}

#[test]
fn it_lives_audibly() {
    let mut hub = Hub::new(3);
    hub.connect();
    for _ in 0..100 {
        hub.run(100);
    }
    hub.say(&HubFrame::Ping { nonce: 17 });
    hub.read(usize::MAX);
    assert_eq!(hub.pongs, [17]);
    let beats = hub
        .accepted
        .iter()
        .filter(|(_, fact)| fact.starts_with("BridgeHeartbeat"));
    assert!((5..=6).contains(&beats.count()));
}

#[test]
fn every_fault_and_everything_else_is_valid_on_the_wire() {
    // `read` panics at any event that the protocol cannot read.
    let mut hub = Hub::new(30);
    hub.connect();
    for (i, kind) in crate::FaultKind::ALL.iter().enumerate() {
        let scope = FaultScope {
            region: Some("eu-west".to_owned()),
            ..FaultScope::default()
        };
        let fault = kind.id().to_owned();
        hub.command(
            &format!("start-{i}"),
            None,
            Command::StartFault { fault, scope },
        );
        hub.run(30_000);
        hub.command(&format!("stop-{i}"), None, Command::StopFault { id: None });
        hub.read(usize::MAX);
        let sequence = hub.position;
        hub.say(&HubFrame::Ack { sequence });
    }
    assert!(hub.accepted.len() > 5_000);
    assert_eq!(hub.bridge.outbox.len(), 0);
}

#[test]
fn a_buffer_that_overflowed_ends_in_a_gap_and_a_snapshot() {
    let mut hub = Hub::new(3);
    hub.connect();
    hub.read(usize::MAX);
    let before = hub.position;
    hub.bridge.on_lost();
    hub.bridge.outbox = Outbox::new(0);
    while !hub.bridge.outbox.has_dropped() {
        hub.run(SLEPT_MS);
    }
    hub.connect();
    hub.read(usize::MAX);
    assert!(hub.position > before);
    assert!(hub.gaps > 0);
    assert_eq!(hub.snapshots, 2);
}

#[test]
fn a_platform_that_is_behind_tells_what_it_has_before_it_goes_on() {
    let mut hub = Hub::new(20);
    hub.connect();
    hub.read(usize::MAX);
    let before = hub.position;
    hub.now = hub.now + 20_000;
    hub.bridge.advance(hub.now);
    assert!(hub.bridge.is_behind(hub.now));
    hub.read(usize::MAX);
    let first = hub.position - before;
    hub.run(0);
    hub.read(usize::MAX);
    let all = hub.position - before;
    assert!(
        first * 10 < all,
        "{first} of {all} events in the first step"
    );
    assert!(!hub.bridge.is_behind(hub.now));
}

#[test]
fn a_machine_that_slept_tells_its_new_calls() {
    let mut hub = Hub::new(3);
    hub.connect();
    hub.run(10_000);
    hub.read(usize::MAX);
    let (before, facts) = (hub.snapshots, hub.accepted.len());
    hub.run(8 * 3_600_000);
    hub.read(usize::MAX);
    assert_eq!(hub.snapshots, before + 1);
    assert!(hub.accepted.len() - facts < 1_000, "eight hours were told");
}

#[test]
fn a_hub_that_missed_something_gets_it_again() {
    let mut hub = Hub::new(5);
    hub.connect();
    hub.read(usize::MAX);
    hub.run(20_000);
    let lost = hub.bridge.next_frame();
    assert!(lost.is_some());
    let expected = hub.position + 1;
    let error = WireError::new(ErrorCode::BadSequence, "resume")
        .with_detail(serde_json::json!({ "expected": expected, "got": expected + 9 }));
    hub.say(&HubFrame::Error(error));
    hub.read(usize::MAX);
    assert_eq!(hub.snapshots, 1, "it was still in the buffer");
    assert!(hub.position > expected);

    hub.say(&HubFrame::Ack {
        sequence: hub.position,
    });
    let error = WireError::new(ErrorCode::BadSequence, "resume")
        .with_detail(serde_json::json!({ "expected": 2, "got": 9 }));
    hub.say(&HubFrame::Error(error));
    hub.read(usize::MAX);
    assert_eq!(hub.snapshots, 2, "it was forgotten");
}

#[test]
fn a_command_across_a_reconnect_has_one_effect_and_is_answered() {
    let mut hub = Hub::new(5);
    hub.connect();
    hub.read(usize::MAX);
    let start = Command::StartFault {
        fault: "llm_slow".to_owned(),
        scope: FaultScope::default(),
    };
    hub.command("c-1", None, start.clone());
    // The connection breaks before the answer is out.
    hub.bridge.on_lost();
    assert_eq!(hub.bridge.next_frame(), None);
    hub.connect();
    hub.command("c-1", None, start);
    hub.read(usize::MAX);
    let states: Vec<_> = hub.answers.iter().map(|answer| answer.state).collect();
    assert_eq!(states, [ResultState::Applied]);
    let faults = hub.answers[0].read_back.as_ref().unwrap().faults.as_ref();
    assert_eq!(faults.map(Vec::len), Some(1));
}

#[test]
fn a_command_that_cannot_be_read_is_answered() {
    let mut hub = Hub::new(1);
    hub.connect();
    for (name, args, kind) in [
        ("make_tea", "{}", ResultKind::UnknownCommand),
        ("switch_model", r#"{"layer":7}"#, ResultKind::InvalidArgs),
    ] {
        let text = format!(
            r#"{{"type":"command","command_id":"c-{name}","call":"t-1","name":"{name}",
                "args":{args},"actor":"ana","issued_at":"2026-11-24T10:00:00.000Z",
                "expires_at":"2026-11-24T10:00:10.000Z"}}"#
        );
        hub.bridge.on_frame(&text, hub.now);
        hub.read(usize::MAX);
        let answer = hub.answers.last().unwrap();
        assert_eq!(answer.command_id, CommandId::new(format!("c-{name}")));
        assert_eq!(answer.state, ResultState::Rejected);
        assert_eq!(answer.kind, Some(kind));
    }
    hub.bridge.on_frame("no json", hub.now);
    hub.read(usize::MAX);
    assert_eq!(hub.answers.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However often the connection is cut, and wherever, nothing is lost, doubled or reordered.
    #[test]
    fn a_cut_loses_nothing(
        cuts in proptest::collection::vec((1..8_000_i64, 0..6_usize, any::<bool>()), 1..20),
    ) {
        let mut cut = Hub::new(5);
        let mut whole = Hub::new(5);
        cut.connect();
        whole.connect();
        cut.read(usize::MAX);
        for (ms, frames, ack) in cuts {
            cut.run(ms);
            cut.read(frames);
            if ack {
                let sequence = cut.position;
                cut.say(&HubFrame::Ack { sequence });
            }
            cut.bridge.on_lost();
            cut.run(ms);
            cut.connect();
        }
        cut.read(usize::MAX);
        whole.run(cut.now.since(MORNING).min(SLEPT_MS));
        while whole.now < cut.now {
            whole.run(cut.now.since(whole.now).min(SLEPT_MS));
        }
        whole.read(usize::MAX);
        let (cut_story, whole_story) = (cut.story(), whole.story());
        let same = cut_story.iter().zip(&whole_story).take_while(|(a, b)| a == b).count();
        prop_assert_eq!(
            (cut_story.get(same), cut_story.len()),
            (whole_story.get(same), whole_story.len())
        );
        prop_assert_eq!(cut.snapshots, 1);
        prop_assert_eq!(cut.gaps, 0);
    }
}
