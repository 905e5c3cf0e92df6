//! What a hub in virtual time promises to whoever drives it.

use holdfast_domain::{BlindReason, Blindness, FeedState};
use holdfast_protocol::bridge::{HubFrame, Named, parse_hub_frame};
use holdfast_protocol::console::{HubToConsole, Role, parse_hub_to_console};

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
    assert_eq!(state(&hub), FeedState::Live);
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
        assert_eq!(state(&hub), FeedState::Live, "{set}");
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
