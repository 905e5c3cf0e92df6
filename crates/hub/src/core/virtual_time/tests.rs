//! What a hub in virtual time promises to whoever drives it.

use holdfast_domain::{BlindReason, Blindness, FeedState, LayerState};
use holdfast_engine::Entry;
use holdfast_protocol::bridge::{HubFrame, Named, parse_hub_frame};
use holdfast_protocol::console::{HubToConsole, Role, parse_hub_to_console};

use tokio::sync::{mpsc, watch};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn hello() -> Hello {
    let named = |name: &str| Named {
        name: name.to_owned(),
        version: "1".to_owned(),
    };
    Hello {
        protocol: 1,
        source: "//bridges/test/1".to_owned(),
        epoch: "e1".to_owned(),
        token: None,
        bridge: named("test"),
        platform: named("sim"),
        heartbeat_secs: 2.0,
        capabilities: Vec::new(),
    }
}

fn heartbeat(sequence: u64) -> String {
    serde_json::json!({
        "specversion": "1.0", "id": format!("e{sequence}"), "source": "//bridges/test/1",
        "type": "holdfast.bridge.heartbeat", "subject": "*", "time": "2027-01-15T08:00:00.000Z",
        "recordedtime": "2027-01-15T08:00:00.000Z", "sequence": format!("{sequence:020}"),
        "epoch": "e1", "data": {"live_calls": 0, "buffered": 0, "unmapped": 0},
    })
    .to_string()
}

fn told(hub: &mut VirtualHub, peer: Peer) -> Vec<HubFrame> {
    let frame = |heard| match heard {
        Heard::Frame(text) => parse_hub_frame(&text).unwrap(),
        Heard::Closed(code) => panic!("it was closed: {code:?}"),
    };
    hub.heard(peer).into_iter().map(frame).collect()
}

/// Time passes from `from` to `to`, in milliseconds since [`NOW`], as it does for a hub that runs.
fn pass(hub: &mut VirtualHub, from: i64, to: i64) {
    for ms in (from..to).step_by(50) {
        hub.advance(NOW + ms);
    }
    hub.advance(NOW + to);
}

/// What the last beat said of the hub's own sight.
fn last_blind(hub: &mut VirtualHub, console: Peer) -> Option<Blindness> {
    assert!(hub.settle());
    let mut beats = hub.heard(console).into_iter().filter_map(|heard| {
        let Heard::Frame(text) = heard else {
            panic!("the console was closed: {heard:?}")
        };
        match parse_hub_to_console(&text).unwrap() {
            HubToConsole::Beat { blind, .. } => Some(blind),
            _ => None,
        }
    });
    beats.next_back().expect("it beats twice a second")
}

fn observer(hub: &mut VirtualHub) -> Peer {
    let identity = Identity {
        name: "olga".to_owned(),
        roles: vec![Role::Observer],
    };
    hub.console(identity, None, Vec::new())
}

#[test]
fn nothing_is_let_out_before_it_is_written_and_a_crash_keeps_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let config = HubConfig::loopback(folder.path(), Vec::new());
    let mut hub = VirtualHub::start(config.clone(), "first", NOW).unwrap();
    let peer = hub.bridge(hello());
    assert_eq!(told(&mut hub, peer), []);
    assert!(hub.settle());
    let welcome = told(&mut hub, peer);
    assert!(
        matches!(&welcome[..], [HubFrame::Welcome(welcome)] if welcome.resume_after == 0),
        "{welcome:?}"
    );
    hub.bridge_text(peer, &heartbeat(1));
    assert_eq!(told(&mut hub, peer), []);
    assert!(hub.settle());
    assert_eq!(told(&mut hub, peer), [HubFrame::Ack { sequence: 1 }]);
    hub.crash();

    let mut hub = VirtualHub::start(config, "second", NOW + 1_000).unwrap();
    let peer = hub.bridge(hello());
    assert!(hub.settle());
    let welcome = told(&mut hub, peer);
    assert!(
        matches!(&welcome[..], [HubFrame::Welcome(welcome)] if welcome.resume_after == 1),
        "{welcome:?}"
    );
    hub.crash();
}

#[test]
fn time_passes_only_when_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = HubConfig::loopback(folder.path(), Vec::new());
    let mut hub = VirtualHub::start(config, "first", NOW).unwrap();
    let peer = hub.bridge(hello());
    let state = |hub: &VirtualHub| hub.engine().bridges()[0].state;
    pass(&mut hub, 0, 5_900);
    assert_eq!(state(&hub), holdfast_domain::FeedState::Live);
    assert!(hub.next_wake() > NOW + 5_900);
    hub.advance(NOW + 6_000);
    assert_eq!(state(&hub), holdfast_domain::FeedState::Stale);
    hub.hang_up(peer);
    assert_eq!(state(&hub), holdfast_domain::FeedState::Lost);
    assert!(hub.settle());
    hub.crash();
}

#[test]
fn a_hub_that_slept_says_so_and_blames_no_bridge() {
    let folder = tempfile::tempdir().unwrap();
    let config = HubConfig::loopback(folder.path(), Vec::new());
    let mut hub = VirtualHub::start(config.clone(), "first", NOW).unwrap();
    hub.bridge(hello());
    let console = observer(&mut hub);
    let state = |hub: &VirtualHub| hub.engine().bridges()[0].state;
    pass(&mut hub, 0, 1_000);
    assert_eq!(last_blind(&mut hub, console), None);

    hub.advance(NOW + 61_000);
    let blind = last_blind(&mut hub, console).unwrap();
    assert_eq!(blind.reason, BlindReason::Suspended);
    assert_eq!((blind.since, blind.lasted_ms), (NOW + 1_000, 60_000));
    assert!(!blind.is_over);
    pass(&mut hub, 61_050, 62_000);
    let blind = last_blind(&mut hub, console).unwrap();
    assert_eq!((blind.lasted_ms, blind.is_over), (61_000, true));
    pass(&mut hub, 62_050, 67_950);
    assert_eq!(state(&hub), FeedState::Resyncing, "not heard since");
    pass(&mut hub, 68_000, 68_000);
    assert_eq!(state(&hub), FeedState::Stale, "six seconds of silence");
    pass(&mut hub, 68_050, 92_500);
    assert_eq!(last_blind(&mut hub, console), None);

    // The journal knows it, too: a hub that comes up from it has not judged that minute either.
    let live = hub.engine().bridges();
    hub.crash();
    let hub = VirtualHub::start(config, "second", NOW + 93_000).unwrap();
    assert_eq!(hub.engine().bridges()[0].heard_at, live[0].heard_at);
    assert_eq!(state(&hub), FeedState::Lost);
    hub.crash();
}

#[test]
fn a_clock_that_is_set_is_told_and_moves_no_deadline() {
    for set in [3_600_000, -3_600_000] {
        let folder = tempfile::tempdir().unwrap();
        let config = HubConfig::loopback(folder.path(), Vec::new());
        let mut hub = VirtualHub::start(config, "first", NOW).unwrap();
        hub.bridge(hello());
        let console = observer(&mut hub);
        pass(&mut hub, 0, 1_000);
        hub.set_wall(set);
        pass(&mut hub, 1_050, 1_500);
        let blind = last_blind(&mut hub, console).unwrap();
        assert_eq!(blind.reason, BlindReason::ClockJump, "{set}");
        assert_eq!(blind.since, NOW + 1_000, "{set}");
        let state = |hub: &VirtualHub| hub.engine().bridges()[0].state;
        // Over at 2,050; six seconds of silence count from there.
        pass(&mut hub, 1_550, 8_000);
        assert_eq!(state(&hub), FeedState::Resyncing, "{set}: not heard since");
        pass(&mut hub, 8_050, 8_050);
        assert_eq!(state(&hub), FeedState::Stale, "{set}");
        hub.crash();
    }
}

#[test]
fn a_hub_that_is_behind_says_so_before_it_takes_what_waited() {
    let folder = tempfile::tempdir().unwrap();
    let config = HubConfig::loopback(folder.path(), Vec::new());
    let mut hub = VirtualHub::start(config, "first", NOW).unwrap();
    let bridge = hub.bridge(hello());
    let console = observer(&mut hub);
    pass(&mut hub, 0, 5_000);
    let room = hub.room();
    hub.take(Input::BridgeText {
        session: bridge.0,
        text: heartbeat(1).into(),
        arrived: NOW + 3_900,
        room,
    });
    assert_eq!(hub.core.sight.blind(), Some(BlindReason::OwnLag));
    pass(&mut hub, 5_050, 5_500);
    let blind = last_blind(&mut hub, console).unwrap();
    assert_eq!(blind.reason, BlindReason::OwnLag);
    assert_eq!((blind.since, blind.is_over), (NOW + 3_900, false));
    pass(&mut hub, 5_550, 6_500);
    assert!(last_blind(&mut hub, console).unwrap().is_over);
    hub.crash();
}

/// What the hub objected to, as the sequence that it expects.
fn asked_for(hub: &mut VirtualHub, peer: Peer) -> Vec<u64> {
    let expected = |frame| match frame {
        HubFrame::Error(error) if error.code == ErrorCode::BadSequence => {
            error.detail?.get("expected")?.as_u64()
        }
        _ => None,
    };
    told(hub, peer).into_iter().filter_map(expected).collect()
}

#[test]
fn a_bridge_is_asked_again_for_what_is_still_missing() {
    let folder = tempfile::tempdir().unwrap();
    let config = HubConfig::loopback(folder.path(), Vec::new());
    let mut hub = VirtualHub::start(config, "first", NOW).unwrap();
    let peer = hub.bridge(hello());
    let mut say = |ms, sequence| {
        hub.advance(NOW + ms);
        hub.bridge_text(peer, &heartbeat(sequence));
        asked_for(&mut hub, peer)
    };
    assert_eq!(say(0, 1), [0; 0]);
    assert_eq!(say(100, 3), [2]);
    // What was sent again got lost: 2 is still missing.
    assert_eq!(say(200, 4), [0; 0]);
    assert_eq!(say(2_099, 5), [0; 0]);
    assert_eq!(say(2_100, 6), [2]);
    assert_eq!(say(2_200, 7), [0; 0]);
    assert_eq!(say(2_300, 2), [0; 0]);
    assert_eq!(say(2_400, 4), [3]);
    let status = &hub.engine().bridges()[0];
    let gaps: Vec<u64> = status.anomalies.iter().map(|at| at.count).collect();
    assert_eq!(gaps, [2], "a gap counts once: {status:?}");
    hub.crash();
}

#[test]
fn a_bridge_that_answers_in_a_gap_is_not_heard() {
    let state_after = |last: u64| {
        let folder = tempfile::tempdir().unwrap();
        let config = HubConfig::loopback(folder.path(), Vec::new());
        let mut hub = VirtualHub::start(config, "first", NOW).unwrap();
        let peer = hub.bridge(hello());
        hub.bridge_text(peer, &heartbeat(1));
        hub.bridge_text(peer, &heartbeat(last));
        for second in 1..=10 {
            hub.advance(NOW + second * 1_000);
            hub.bridge_text(peer, r#"{"type":"pong","nonce":1}"#);
        }
        let state = hub.engine().bridges()[0].state;
        hub.crash();
        state
    };
    assert_eq!(state_after(2), holdfast_domain::FeedState::Live);
    assert_eq!(state_after(3), holdfast_domain::FeedState::Stale);
}

#[test]
fn the_engine_knows_the_playbooks_of_this_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |armed, epoch| {
        let config = HubConfig {
            armed,
            ..HubConfig::loopback(folder.path(), Vec::new())
        };
        VirtualHub::start(config, epoch, NOW).unwrap()
    };
    let shipped = Library::shipped();
    let mut hub = start(false, "run-1");
    assert!(hub.engine().playbooks().values().eq(shipped.iter()));
    assert!(!hub.engine().is_armed());
    assert!(hub.settle());
    hub.crash();

    let mut hub = start(true, "run-2");
    assert!(
        hub.engine().is_armed(),
        "the configuration holds, not the journal"
    );
    assert!(hub.settle());
    hub.crash();

    let clock = Clock::new(|| NOW);
    let replayed = recover(folder.path(), &clock).unwrap().engine;
    assert!(replayed.playbooks().values().eq(shipped.iter()));
    assert!(replayed.is_armed());
}

fn event(sequence: u64, kind: &str, at: &str, data: &serde_json::Value) -> String {
    serde_json::json!({
        "specversion": "1.0", "id": format!("e{sequence}"), "source": "//bridges/test/1",
        "type": format!("holdfast.{kind}"), "subject": "call-1", "time": at, "recordedtime": at,
        "sequence": format!("{sequence:020}"), "epoch": "e1", "data": data,
    })
    .to_string()
}

/// A caller has spoken up to 1 s after [`NOW`], and the agent answers at 3.45 s: in time, because
/// nothing counts as late before 3.5 s. The second frame is the answer.
fn question_and_answer() -> ([String; 3], String) {
    let at = |ms: &str| format!("2027-01-15T08:00:0{ms}Z");
    let started = serde_json::json!({
        "direction": "inbound", "agent": "bot", "queue": "q", "language": "en", "services": [],
    });
    let (caller, agent) = (
        serde_json::json!({"actor": "caller"}),
        serde_json::json!({"actor": "agent"}),
    );
    let question = [
        event(1, "call.started", &at("0.000"), &started),
        event(2, "speech.started", &at("0.500"), &caller),
        event(3, "speech.stopped", &at("1.000"), &caller),
    ];
    (question, event(4, "speech.started", &at("3.450"), &agent))
}

/// A hub whose only caller has asked something, and who was there at 3.4 s last.
fn asked(folder: &std::path::Path) -> (VirtualHub, Peer, String) {
    let config = HubConfig::loopback(folder, Vec::new());
    let mut hub = VirtualHub::start(config, "first", NOW).unwrap();
    let bridge = hub.bridge(hello());
    let (question, answer) = question_and_answer();
    for (event, ms) in question.iter().zip([0, 500, 1_000]) {
        hub.advance(NOW + ms);
        hub.bridge_text(bridge, event);
    }
    pass(&mut hub, 1_000, 3_400);
    (hub, bridge, answer)
}

fn answer_arrived(hub: &VirtualHub, bridge: Peer, answer: &str) -> Input {
    Input::BridgeText {
        session: bridge.0,
        text: answer.into(),
        arrived: NOW + 3_450,
        room: hub.room(),
    }
}

/// What is written down of the hub itself and of the only call, newest first.
fn written(folder: &std::path::Path) -> (Vec<Entry>, Vec<Entry>) {
    let options = holdfast_journal::Options::new("reader", NOW);
    let (journal, _) = holdfast_journal::Journal::open(folder, options).unwrap();
    let reader = journal.reader().unwrap();
    let read = |entries: Vec<holdfast_journal::Entry>| {
        let entries = entries.into_iter();
        entries
            .map(|entry| serde_json::from_str(&entry.json).unwrap())
            .collect()
    };
    let call = CallId::new("call-1");
    (
        read(reader.entries_of_hub(100).unwrap()),
        read(reader.entries_for_call(&call, 100).unwrap()),
    )
}

/// What was said to be not well with the only call.
fn alarms(folder: &std::path::Path) -> Vec<Entry> {
    let is_alarm = |entry: &Entry| matches!(entry, Entry::Transition { to, .. } if *to >= LayerState::Degraded);
    written(folder).1.into_iter().filter(is_alarm).collect()
}

/// Ends the hub when everything is written down.
fn end(mut hub: VirtualHub) {
    assert!(hub.settle());
    hub.crash();
}

#[test]
fn what_waited_in_the_hub_is_folded_as_of_when_it_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, bridge, answer) = asked(folder.path());
    let input = answer_arrived(&hub, bridge, &answer);
    // Busy, but not behind by enough to be called blind.
    hub.clock
        .store((NOW + 4_400).as_millis(), Ordering::Relaxed);
    hub.take(input);
    assert_eq!(hub.core.sight.blind(), None);
    pass(&mut hub, 4_400, 5_000);
    end(hub);
    assert_eq!(alarms(folder.path()), []);

    let folder = tempfile::tempdir().unwrap();
    let (mut hub, ..) = asked(folder.path());
    pass(&mut hub, 3_400, 5_000);
    end(hub);
    let late = alarms(folder.path());
    assert!(!late.is_empty(), "without the answer it is late");
}

#[test]
fn what_does_not_say_when_it_arrived_makes_nobody_late() {
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, bridge, answer) = asked(folder.path());
    let other = |hub: &mut VirtualHub, source: &str| {
        let source = format!("//bridges/test/{source}");
        let hello = Hello { source, ..hello() };
        let session = hub.bridge(hello).0;
        Input::BridgeGone { session }
    };
    let heard = Input::BridgeText {
        session: bridge.0,
        text: r#"{"type":"pong","nonce":1}"#.into(),
        arrived: NOW + 3_420,
        room: hub.room(),
    };
    let (before, behind) = (other(&mut hub, "before"), other(&mut hub, "behind"));
    let answer = answer_arrived(&hub, bridge, &answer);
    hub.clock
        .store((NOW + 4_400).as_millis(), Ordering::Relaxed);
    // More than is taken at once: the answer still waits when the last of the others is folded.
    hub.core.take(&mut vec![before, heard, behind]);
    hub.core.take(&mut vec![answer]);
    end(hub);
    assert_eq!(alarms(folder.path()), []);
}

#[test]
fn what_waits_for_the_core_is_taken_before_anybody_is_late() {
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, bridge, answer) = asked(folder.path());
    assert!(hub.settle());
    let input = answer_arrived(&hub, bridge, &answer);
    // The core was kept from running for a while: the deadline has passed, the answer is there.
    hub.clock
        .store((NOW + 4_400).as_millis(), Ordering::Relaxed);
    let (say, inputs) = mpsc::channel(8);
    say.try_send(input).unwrap();
    drop(say);
    let (_stop, stop) = watch::channel(false);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    runtime.block_on(hub.core.run(inputs, stop));
    assert_eq!(alarms(folder.path()), []);
}

#[test]
fn what_was_due_while_the_hub_was_down_is_nobodys_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, _, answer) = asked(folder.path());
    end(hub);

    let config = HubConfig::loopback(folder.path(), Vec::new());
    let mut hub = VirtualHub::start(config, "second", NOW + 120_000).unwrap();
    assert_eq!(hub.engine().call_ids().count(), 1, "its call is kept");
    pass(&mut hub, 120_000, 123_000);
    // What the bridge said meanwhile comes after its hello.
    let bridge = hub.bridge(hello());
    pass(&mut hub, 123_000, 123_900);
    hub.bridge_text(bridge, &answer);
    pass(&mut hub, 123_900, 126_000);
    end(hub);
    assert_eq!(alarms(folder.path()), []);
    let blind = |lasted_ms, is_over| {
        Entry::Blindness(Blindness {
            reason: BlindReason::Suspended,
            // The last input that was judged.
            since: NOW + 1_000,
            lasted_ms,
            is_over,
        })
    };
    assert_eq!(
        written(folder.path()).0,
        [blind(119_000, true), blind(119_000, false)]
    );
}

#[test]
fn a_console_that_comes_first_after_a_crash_is_told_that_nobody_knows() {
    let folder = tempfile::tempdir().unwrap();
    let config = HubConfig::loopback(folder.path(), Vec::new());
    let mut hub = VirtualHub::start(config.clone(), "first", NOW).unwrap();
    let capabilities = vec![holdfast_domain::Capability {
        name: "start_fault".to_owned(),
        available: true,
        reason: None,
        faults: vec![holdfast_domain::FaultOffer {
            id: "llm_503".to_owned(),
            layer: holdfast_domain::Layer::Llm,
            title: "The model refuses".to_owned(),
        }],
    }];
    let bridge = hub.bridge(Hello {
        capabilities,
        ..hello()
    });
    hub.bridge_text(bridge, &heartbeat(1));
    assert!(hub.settle());
    let carl = commander(&mut hub);
    let fault = holdfast_domain::Request::Act {
        act: serde_json::from_value(serde_json::json!({
            "id": "a-1", "target": {"type": "platform", "source": "//bridges/test/1"},
            "verb": {"type": "startFault", "fault": "llm_503", "scope": {}},
        }))
        .unwrap(),
    };
    let request = ConsoleFrame::Request {
        id: 1,
        request: fault,
    };
    hub.console_frame(carl, request);
    assert!(hub.settle());
    assert_eq!(states(&mut hub, carl), ["requested"]);
    hub.crash();

    // The first word of the hub that came up again is already the truth.
    let mut hub = VirtualHub::start(config, "second", NOW + 1_000).unwrap();
    let carl = commander(&mut hub);
    hub.advance(NOW + 1_100);
    assert_eq!(states(&mut hub, carl), [""; 0], "nothing is durable yet");
    assert!(hub.settle());
    assert_eq!(states(&mut hub, carl), ["unknown"]);
    hub.crash();
}

fn commander(hub: &mut VirtualHub) -> Peer {
    let identity = Identity {
        name: "carl".to_owned(),
        roles: vec![Role::Commander],
    };
    hub.console(identity, None, Vec::new())
}

/// The states of commands that a console was told of, in the order in which they came.
fn states(hub: &mut VirtualHub, console: Peer) -> Vec<String> {
    let mut states = Vec::new();
    for heard in hub.heard(console) {
        let Heard::Frame(text) = heard else {
            panic!("the console was closed: {heard:?}")
        };
        let records = match parse_hub_to_console(&text).unwrap() {
            HubToConsole::Snapshot { records, .. } => records,
            HubToConsole::Record { record, .. } => vec![record],
            _ => Vec::new(),
        };
        for record in records {
            if let holdfast_domain::Record::Command { command } = record {
                let state = serde_json::to_value(command.state()).unwrap();
                states.push(state["type"].as_str().unwrap().to_owned());
            }
        }
    }
    states
}
