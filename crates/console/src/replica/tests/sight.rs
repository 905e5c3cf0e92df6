//! How old the view is, who may act on it, and where the next connection goes on.

use holdfast_domain::{BlindReason, Blindness, PlaybookId, RunId};

use super::*;

fn status(replica: &mut Replica, ms: i64) -> Status {
    replica.frame(&look(0), at(ms)).status
}

fn refused(replica: &Replica, request: &Request, ms: i64) -> Option<RefusalCode> {
    replica.refusal(request, at(ms)).map(|refusal| refusal.code)
}

fn lever(on: bool) -> Request {
    Request::Lever {
        on,
        reason: String::new(),
    }
}

#[test]
fn silence_is_seen_within_two_seconds_and_nobody_acts_in_it() {
    let mut replica = live(vec![call(1)]);
    replica.apply(beat(10_000), at(10_000));
    let mut stale_at = None;
    for ms in (10_000..13_000).step_by(16) {
        let status = status(&mut replica, ms);
        assert_eq!(status.fresh_ms, Some(ms - 10_000));
        assert_eq!(status.stale, status.actions_off.is_some());
        let refusal = refused(&replica, &act_request(), ms);
        assert_eq!(status.stale, refusal == Some(RefusalCode::Stale));
        if status.stale && stale_at.is_none() {
            stale_at = Some(ms);
        }
    }
    let noticed_after = stale_at.expect("three seconds of silence are noticed") - 10_000;
    assert!(
        (STALE_AFTER_MS..2_000).contains(&noticed_after),
        "{noticed_after}"
    );

    replica.apply(beat(13_000), at(13_000));
    assert!(!status(&mut replica, 13_000).stale);
    assert_eq!(refused(&replica, &act_request(), 13_000), None);
}

#[test]
fn a_silent_hub_may_only_be_asked_to_look_or_to_stop() {
    let handoff = || HandoffId::new("h-1");
    let acts = [
        act_request(),
        Request::SeeHandoff { handoff: handoff() },
        Request::AcceptHandoff { handoff: handoff() },
        Request::DeclineHandoff {
            handoff: handoff(),
            reason: "busy".to_owned(),
        },
        Request::SetHumanState {
            state: holdfast_domain::HumanState::Away,
        },
        Request::StartRun {
            run: RunId::new("run-1"),
            fingerprint: "f".to_owned(),
            reason: None,
        },
        Request::ApproveRun {
            run: RunId::new("run-1"),
            fingerprint: "f".to_owned(),
        },
        Request::RollBackRun {
            run: RunId::new("run-1"),
            reason: String::new(),
        },
        lever(false),
    ];
    let harmless = [
        Request::Preview {
            verb: ActVerb::PauseAi,
            target: Target::AllCalls,
        },
        Request::PreviewRun {
            run: RunId::new("run-1"),
            playbook: PlaybookId::new("switch"),
            cause: None,
        },
        Request::ShowRun {
            run: RunId::new("run-1"),
        },
        Request::StopRun {
            run: RunId::new("run-1"),
            reason: String::new(),
        },
        lever(true),
    ];
    let mut replica = live(vec![call(1)]);
    for act in &acts {
        assert_eq!(
            refused(&replica, act, 3_000),
            Some(RefusalCode::Stale),
            "{act:?}"
        );
    }
    for request in &harmless {
        assert_eq!(refused(&replica, request, 3_000), None, "{request:?}");
    }

    replica.link_broke(1, at(3_500), "the connection was lost (reset)".to_owned());
    for act in acts.iter().chain(&harmless) {
        assert_eq!(
            refused(&replica, act, 0),
            Some(RefusalCode::Unreachable),
            "{act:?}"
        );
    }
    let refusal = replica.refusal(&acts[0], at(0)).unwrap();
    assert!(
        refusal.message.starts_with("Nothing was done."),
        "{}",
        refusal.message
    );
    assert!(
        refusal.message.contains("lost (reset)"),
        "{}",
        refusal.message
    );
}

#[test]
fn a_hub_that_is_behind_is_stale_too() {
    let mut replica = live(vec![call(1)]);
    let lagging = |lag_ms| HubToConsole::Beat {
        seq: 1,
        hub_time: at(AHEAD_MS),
        lag_ms,
        blind: None,
        bridges: Vec::new(),
        humans: Vec::new(),
    };
    replica.apply(lagging(STALE_AFTER_MS), at(0));
    assert!(!status(&mut replica, 0).stale);
    replica.apply(lagging(4_200), at(0));
    let behind = status(&mut replica, 0);
    assert!(behind.stale);
    assert!(behind.actions_off.unwrap().contains("4.2 s behind"));
    assert_eq!(
        refused(&replica, &act_request(), 0),
        Some(RefusalCode::Stale)
    );
    replica.apply(lagging(0), at(0));
    assert_eq!(refused(&replica, &act_request(), 0), None);
}

#[test]
fn before_the_first_picture_nothing_is_stale_and_nobody_acts() {
    let mut replica = Replica::new(about());
    let connecting = status(&mut replica, 0);
    assert_eq!(connecting.connection, Connection::Connecting);
    assert_eq!((connecting.stale, connecting.fresh_ms), (false, None));
    assert!(connecting.actions_off.is_some());

    replica.apply(welcome(&[Role::Supervisor]), at(0));
    replica.apply(beat(0), at(0));
    let welcomed = status(&mut replica, 0);
    assert_eq!(welcomed.connection, Connection::Live);
    assert!(!welcomed.stale && welcomed.actions_off.is_some());
    assert_eq!(
        refused(&replica, &act_request(), 0),
        Some(RefusalCode::Stale)
    );

    replica.apply(snapshot(1, vec![call(1)], Vec::new()), at(0));
    assert_eq!(status(&mut replica, 0).actions_off, None);
}

#[test]
fn a_connection_that_comes_back_is_fresh_only_when_it_has_caught_up() {
    let mut replica = live(vec![call(1)]);
    replica.apply(change(7, vec![call(2)], Vec::new()), at(0));
    replica.link_broke(2, at(900), "the hub cannot be reached".to_owned());
    let broken = status(&mut replica, 100);
    assert!(broken.stale);
    let Connection::Reconnecting {
        attempt, retry_at, ..
    } = broken.connection
    else {
        panic!("the link is down: {:?}", broken.connection)
    };
    assert_eq!(
        (attempt, retry_at),
        (2, at(900 + AHEAD_MS)),
        "on the hub's clock"
    );
    let point = replica.resume_point().unwrap();
    assert_eq!((point.epoch.as_str(), point.seq), ("e1", 7));

    replica.apply(welcome(&[Role::Supervisor]), at(1_000));
    assert!(status(&mut replica, 1_000).stale, "a welcome is no picture");
    replica.apply(change(9, vec![call(3)], Vec::new()), at(1_000));
    assert!(status(&mut replica, 1_000).stale, "more may follow");
    replica.apply(beat(1_000), at(1_000));
    assert!(!status(&mut replica, 1_000).stale);
    assert_eq!(status(&mut replica, 1_000).live, 3);
    assert_eq!(replica.resume_point().unwrap().seq, 9);
}

#[test]
fn a_hub_that_began_anew_is_stale_until_its_snapshot() {
    let mut replica = live(vec![call(1)]);
    replica.link_broke(1, at(0), "gone".to_owned());
    replica.apply(
        HubToConsole::Welcome {
            protocol: 1,
            epoch: "e2".to_owned(),
            identity: Identity {
                name: "ana".to_owned(),
                roles: vec![Role::Supervisor],
            },
            hub_time: at(AHEAD_MS),
        },
        at(100),
    );
    replica.apply(beat(100), at(100));
    assert!(
        status(&mut replica, 100).stale,
        "this picture is of another epoch"
    );
    replica.apply(change(2, vec![call(2)], Vec::new()), at(100));
    assert_eq!(
        status(&mut replica, 100).live,
        1,
        "two epochs are not mixed"
    );
    assert_eq!(replica.resume_point().unwrap().epoch, "e1");
    replica.apply(snapshot(3, Vec::new(), Vec::new()), at(100));
    assert!(!status(&mut replica, 100).stale);
    let point = replica.resume_point().unwrap();
    assert_eq!(
        (point.epoch.as_str(), point.seq),
        ("e2", 3),
        "sequences begin anew too"
    );
}

#[test]
fn a_link_that_breaks_within_a_snapshot_keeps_what_was_known() {
    let mut replica = live(vec![call(1)]);
    let part = HubToConsole::Snapshot {
        seq: 50,
        first: true,
        last: false,
        calls: vec![call(2)],
        records: Vec::new(),
    };
    replica.apply(part, at(0));
    replica.link_broke(1, at(0), "gone".to_owned());
    assert_eq!(replica.resume_point().unwrap().seq, 1);
    assert_eq!(ids(&replica.frame(&look(0), at(0))), ["call-0001"]);
    replica.apply(welcome(&[Role::Supervisor]), at(100));
    replica.apply(beat(100), at(100));
    assert!(!status(&mut replica, 100).stale);
}

#[test]
fn who_may_only_look_is_told_so() {
    let mut replica = Replica::new(about());
    replica.apply(welcome(&[Role::Observer]), at(0));
    replica.apply(snapshot(1, Vec::new(), Vec::new()), at(0));
    let status = status(&mut replica, 0);
    assert!(!status.stale);
    assert!(status.actions_off.unwrap().contains("may look but not act"));
}

#[test]
fn a_refused_console_says_what_to_do() {
    let mut replica = live(vec![call(1)]);
    replica.link_closed("the hub does not accept this token (HTTP 401)".to_owned());
    let status = status(&mut replica, 0);
    assert!(status.stale);
    assert!(
        status
            .actions_off
            .unwrap()
            .contains("does not accept this token")
    );
    assert_eq!(
        refused(&replica, &act_request(), 0),
        Some(RefusalCode::Unreachable)
    );
}

#[test]
fn the_hub_clock_follows_the_beat_that_travelled_fastest() {
    let mut replica = live(vec![call(1)]);
    let hub_now = |replica: &mut Replica, ms| replica.frame(&look(0), at(ms)).now;
    // Said at 1,000, arrived 300 ms later.
    replica.apply(beat(1_000), at(1_300));
    assert_eq!(hub_now(&mut replica, 1_300), at(1_300 + AHEAD_MS));
    // The hub's clock is set forward by an hour.
    let set = HubToConsole::Beat {
        seq: 1,
        hub_time: at(3_600_000),
        lag_ms: 0,
        blind: None,
        bridges: Vec::new(),
        humans: Vec::new(),
    };
    replica.apply(set, at(1_500));
    assert_eq!(hub_now(&mut replica, 1_600), at(3_600_100));
    // And set back.
    replica.apply(beat(2_000), at(2_000));
    assert_eq!(hub_now(&mut replica, 2_000), at(2_000 + AHEAD_MS));
}

#[test]
fn a_console_that_reads_too_slowly_is_stale_too() {
    let ahead = |seq, ms| {
        let HubToConsole::Beat { hub_time, .. } = beat(ms) else {
            unreachable!("beat() makes a beat")
        };
        HubToConsole::Beat {
            seq,
            hub_time,
            lag_ms: 0,
            blind: None,
            bridges: Vec::new(),
            humans: Vec::new(),
        }
    };
    let mut replica = live(vec![call(1)]);
    for ms in (0..2_000).step_by(500) {
        replica.apply(ahead(5 + ms as u64, ms), at(ms));
        assert!(!status(&mut replica, ms).stale, "{ms}");
    }
    replica.apply(ahead(900, 2_000), at(2_000));
    let behind = status(&mut replica, 2_000);
    assert!(
        behind.actions_off.unwrap().contains("2.0 s"),
        "counted from the first beat"
    );
    assert_eq!(
        refused(&replica, &act_request(), 2_000),
        Some(RefusalCode::Stale)
    );
    // What the first of those beats stood for has arrived.
    replica.apply(change(5, vec![call(2)], Vec::new()), at(2_000));
    assert!(!status(&mut replica, 2_000).stale);

    // After a reconnect the same: it is fresh when all that was missed has arrived.
    replica.link_broke(1, at(2_000), "gone".to_owned());
    replica.apply(welcome(&[Role::Supervisor]), at(2_000));
    replica.apply(ahead(7, 2_000), at(2_000));
    assert!(status(&mut replica, 2_000).stale);
    replica.apply(change(6, vec![call(3)], Vec::new()), at(2_000));
    assert!(status(&mut replica, 2_000).stale);
    replica.apply(change(7, vec![call(3)], Vec::new()), at(2_000));
    assert!(!status(&mut replica, 2_000).stale);
}

#[test]
fn an_agent_without_the_board_is_not_told_every_number() {
    let mut replica = Replica::new(about());
    replica.apply(welcome(&[Role::Agent]), at(0));
    replica.apply(snapshot(1, Vec::new(), Vec::new()), at(0));
    replica.link_broke(1, at(0), "gone".to_owned());
    replica.apply(welcome(&[Role::Agent]), at(100));
    let far = HubToConsole::Beat {
        seq: 500,
        hub_time: at(AHEAD_MS),
        lag_ms: 0,
        blind: None,
        bridges: Vec::new(),
        humans: Vec::new(),
    };
    replica.apply(far, at(100));
    assert!(!status(&mut replica, 100).stale);
}

#[test]
fn what_the_hub_says_of_its_own_sight_stands_in_the_bar() {
    let mut replica = live(vec![call(1)]);
    let told = |blind| HubToConsole::Beat {
        seq: 1,
        hub_time: at(AHEAD_MS),
        lag_ms: 0,
        blind,
        bridges: Vec::new(),
        humans: Vec::new(),
    };
    let blind = Blindness {
        reason: BlindReason::Suspended,
        since: at(-9_000),
        lasted_ms: 9_000,
        is_over: true,
    };
    assert_eq!(status(&mut replica, 0).blind, None);
    replica.apply(told(Some(blind.clone())), at(0));
    assert_eq!(status(&mut replica, 0).blind, Some(blind.clone()));
    replica.apply(told(None), at(0));
    assert_eq!(status(&mut replica, 0).blind, None);

    // Of a hub that we do not reach we know nothing.
    replica.apply(told(Some(blind)), at(0));
    replica.link_broke(1, at(2_000), "gone".to_owned());
    assert_eq!(status(&mut replica, 0).blind, None);
}
