//! What a hub in virtual time promises to whoever drives it.

use holdfast_protocol::bridge::{HubFrame, Named, parse_hub_frame};

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
    hub.advance(NOW + 5_900);
    assert_eq!(state(&hub), holdfast_domain::FeedState::Live);
    assert!(hub.next_wake() > NOW + 5_900);
    hub.advance(NOW + 6_000);
    assert_eq!(state(&hub), holdfast_domain::FeedState::Stale);
    hub.hang_up(peer);
    assert_eq!(state(&hub), holdfast_domain::FeedState::Lost);
    assert!(hub.settle());
    hub.crash();
}
