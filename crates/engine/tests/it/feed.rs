//! Bridges: stale feeds, snapshots, gaps, ghosts, clocks, and facts that are not theirs to tell.

use holdfast_domain::fact::Fact;
use holdfast_domain::{
    AnomalyKind, BridgeStatus, CallId, ExcludedReason, FeedState, Floor, Layer, LayerState,
    NeedLevel, SourceId, UtteranceRole,
};
use holdfast_engine::{BridgeChange, Control, Effect, Entry, Shown};

use crate::script::{BRIDGE, Script, calls, started, supervisor, switch};

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

fn bridge(script: &Script) -> BridgeStatus {
    script.engine.bridges().remove(0)
}

fn heartbeat(live_calls: u64) -> Fact<'static> {
    Fact::BridgeHeartbeat {
        live_calls,
        buffered: 0,
        unmapped: 0,
    }
}

fn snapshot(script: &mut Script, ids: &[&'static str]) {
    let calls = ids.iter().map(|id| (*id).into()).collect();
    script.fact("*", Fact::StreamSnapshot { calls });
}

fn retell(script: &mut Script, id: &str) {
    let mut told = started();
    told.resumed = true;
    script.fact(id, Fact::CallStarted(Box::new(told)));
}

fn ended(script: &Script, id: &str) -> Option<String> {
    script.effects.iter().find_map(|effect| match effect {
        Effect::Append(Entry::CallEnded { call, reason, .. }) if call.as_str() == id => {
            Some(reason.clone())
        }
        _ => None,
    })
}

#[test]
fn a_silent_bridge_leaves_nothing_green_and_says_since_when() {
    let mut script = good_call();
    let heard_at = bridge(&script).heard_at;
    script.mute(BRIDGE);
    script.wait(2_900);
    assert_eq!(bridge(&script).state, FeedState::Live);
    script.effects.clear();
    script.wait(200);
    assert_eq!(bridge(&script).state, FeedState::Stale);
    let shown = Effect::Show(Shown::Call(CallId::new("c")));
    assert!(
        script.effects.contains(&shown),
        "the row turns grey by itself"
    );
    let summary = script.summary("c");
    for (layer, health) in summary.layers.iter() {
        assert_eq!(health.state, LayerState::Unknown, "{layer:?}");
    }
    assert_eq!(summary.need.level, NeedLevel::Watch);
    assert_eq!(summary.need.reason, "no news for 3 s: the bridge is silent");
    assert_eq!(summary.need.since, Some(heard_at));
    assert_eq!(
        script.next("c"),
        "nothing can be done on this call until its bridge is heard"
    );
    // The effects were cleared above; a replay would tell the whole story.
    std::mem::forget(script);
}

#[test]
fn nobody_acts_while_blind() {
    let mut script = good_call();
    script.mute(BRIDGE);
    script.wait(4_000);
    let preview = script
        .engine
        .preview(&switch(None), &calls(&["c"]), &supervisor())
        .expect("it may be asked");
    assert_eq!(preview.excluded[0].reason, ExcludedReason::StaleFeed);
}

#[test]
fn alarms_sleep_while_nothing_is_heard_and_news_comes_before_them() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.disconnect(BRIDGE);
    script.wait(20_000);
    assert_eq!(
        script.summary("c").failed_turns,
        0,
        "nobody knows whether it was answered"
    );
    assert!(script.detail("c").evidence.is_empty());
    script.connect(BRIDGE, "epoch-1");
    // What was buffered arrives: the answer, nearly twenty seconds old.
    script.wait(300);
    script.late_ms = 19_800;
    script.llm_starts("c", "primary-llm");
    script.agent_starts("c");
    script.agent_stops("c");
    script.late_ms = 0;
    script.wait(8_000);
    assert_eq!(script.summary("c").failed_turns, 0);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    assert_eq!(script.summary("c").response_gap_ms, Some(500));
}

#[test]
fn after_the_return_a_silence_that_goes_on_is_told() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.disconnect(BRIDGE);
    script.wait(20_000);
    script.connect(BRIDGE, "epoch-1");
    script.wait(1_500);
    assert_eq!(script.need("c").level, NeedLevel::Critical);
}

#[test]
fn calls_that_a_snapshot_does_not_name_have_ended_unseen() {
    let mut script = good_call();
    script.call("d");
    script.disconnect(BRIDGE);
    script.connect(BRIDGE, "epoch-2");
    assert_eq!(bridge(&script).state, FeedState::Resyncing);
    snapshot(&mut script, &["c"]);
    assert_eq!(ended(&script, "d").as_deref(), Some("ended unseen"));
    assert_eq!(ended(&script, "c"), None);
    assert!(
        script
            .effects
            .contains(&Effect::Show(Shown::Gone(CallId::new("d"))))
    );
}

#[test]
fn a_call_that_is_told_again_keeps_its_story_and_proves_nothing() {
    let mut script = good_call();
    script.caller_says("c", "hello?");
    script.disconnect(BRIDGE);
    script.connect(BRIDGE, "epoch-2");
    snapshot(&mut script, &["c"]);
    retell(&mut script, "c");
    script.transcript(
        "c",
        UtteranceRole::Caller,
        "I want to change my order please",
    );
    script.transcript("c", UtteranceRole::Caller, "and one more thing");
    script.agent_starts("c");
    script.fact("*", Fact::StreamCaughtUp);
    assert_eq!(bridge(&script).state, FeedState::Live);
    let detail = script.detail("c");
    let said: Vec<&str> = detail.transcript.iter().map(|u| u.text.as_str()).collect();
    assert_eq!(
        said,
        [
            "I want to change my order please",
            "Certainly, let me see to that.",
            "hello?",
            "and one more thing"
        ]
    );
    for (layer, health) in detail.summary.layers.iter() {
        assert_eq!(
            health.state,
            LayerState::Unknown,
            "{layer:?}: nothing worked since"
        );
    }
    assert_eq!(detail.summary.floor, Floor::Unknown);
    let starts = |effect: &&Effect| matches!(effect, Effect::Append(Entry::CallStarted { .. }));
    assert_eq!(script.effects.iter().filter(starts).count(), 1);
    script.good_turn("c");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(script.summary("c").turns, 3, "the turn of before is over");
}

#[test]
fn a_snapshot_can_tell_a_call_that_is_new_here() {
    let mut script = Script::new();
    snapshot(&mut script, &["c"]);
    let mut told = started();
    told.resumed = true;
    told.started_at = Some(script.now() - 60_000);
    script.fact("c", Fact::CallStarted(Box::new(told)));
    script.fact("*", Fact::StreamCaughtUp);
    assert_eq!(script.summary("c").started_at, script.now() - 60_000);
}

#[test]
fn a_new_process_without_a_snapshot_knows_nothing_of_the_old_calls() {
    let mut script = good_call();
    script.disconnect(BRIDGE);
    script.connect(BRIDGE, "epoch-2");
    for _ in 0..2 {
        script.fact("*", heartbeat(0));
    }
    assert_eq!(ended(&script, "c"), None, "its snapshot may still come");
    script.fact("*", heartbeat(0));
    assert_eq!(ended(&script, "c").as_deref(), Some("ended unseen"));
    assert_eq!(bridge(&script).state, FeedState::Live);
}

#[test]
fn after_a_gap_nobody_knows_until_the_bridge_caught_up() {
    let mut script = good_call();
    script.fact(
        "*",
        Fact::StreamGapDetected {
            from_seq: 10,
            to_seq: 16,
            missing: 7,
        },
    );
    assert_eq!(script.anomalies(AnomalyKind::Dropped), 7);
    assert_eq!(bridge(&script).state, FeedState::Resyncing);
    assert!(script.need("c").reason.starts_with("catching up"));
    script.fact("*", Fact::StreamCaughtUp);
    assert_eq!(bridge(&script).state, FeedState::Live);
    assert_eq!(
        script.state("c", Layer::Llm),
        LayerState::Unknown,
        "what happened was lost"
    );
}

#[test]
fn a_call_that_its_platform_does_not_count_becomes_a_ghost() {
    let mut script = good_call();
    script.fact("*", heartbeat(0));
    script.fact("*", heartbeat(0));
    script.wait(9_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    script.wait(1_000);
    let summary = script.summary("c");
    assert_eq!(summary.need.reason, "no news of this call for over 10 s");
    assert_eq!(summary.layers[Layer::Llm].state, LayerState::Unknown);
    script.good_turn("c");
    assert_eq!(
        script.state("c", Layer::Llm),
        LayerState::Healthy,
        "it was alive after all"
    );
}

#[test]
fn a_call_that_is_quiet_for_a_minute_is_a_ghost_in_any_case() {
    let mut script = good_call();
    script.fact("*", heartbeat(1));
    script.fact("*", heartbeat(1));
    script.wait(58_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    script.wait(3_000);
    assert_eq!(
        script.need("c").reason,
        "no news of this call for over 60 s"
    );
}

#[test]
fn nobody_acts_on_a_ghost() {
    let mut script = good_call();
    script.wait(61_000);
    let preview = script
        .engine
        .preview(&switch(None), &calls(&["c"]), &supervisor())
        .expect("it may be asked");
    assert_eq!(preview.excluded[0].reason, ExcludedReason::StaleFeed);
}

#[test]
fn one_short_count_is_no_suspicion() {
    let mut script = good_call();
    script.fact("*", heartbeat(0));
    script.fact("*", heartbeat(1));
    script.fact("*", heartbeat(0));
    script.wait(15_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
}

#[test]
fn the_calls_of_a_bridge_that_stays_away_are_given_up_in_the_end() {
    let mut script = good_call();
    script.disconnect(BRIDGE);
    script.wait(3_590_000);
    assert_eq!(ended(&script, "c"), None);
    script.wait(20_000);
    assert_eq!(
        ended(&script, "c").as_deref(),
        Some("given up: its bridge is gone")
    );
}

#[test]
fn facts_about_unknown_and_foreign_calls_change_nothing() {
    let mut script = good_call();
    script.connect("//bridges/test/2", "epoch-1");
    script.end("never-begun");
    assert_eq!(script.anomalies(AnomalyKind::UnknownCall), 1);
    let end = Fact::CallEnded {
        reason: "hang-up".into(),
        ended_by: holdfast_domain::fact::EndedBy::Caller,
    };
    script.fact_from("//bridges/test/2", "c", None, end);
    let start = Fact::CallStarted(Box::new(started()));
    script.fact_from("//bridges/test/2", "c", None, start);
    assert_eq!(script.anomalies(AnomalyKind::ForeignCall), 2);
    script.call("c");
    script.call("not a valid id");
    assert_eq!(script.anomalies(AnomalyKind::Impossible), 2);
    assert_eq!(script.summary("c").source.as_str(), BRIDGE);
    assert_eq!(script.summary("c").turns, 1, "it did not begin anew");
    assert_eq!(script.engine.call_ids().count(), 1);
}

#[test]
fn what_the_hub_finds_wrong_is_counted_by_kind() {
    let mut script = Script::new();
    for example in ["first", "second"] {
        script.control(Control::Bridge {
            source: SourceId::new(BRIDGE),
            change: holdfast_engine::BridgeChange::Anomaly {
                kind: AnomalyKind::Malformed,
                example: example.to_owned(),
            },
        });
    }
    let anomalies = bridge(&script).anomalies;
    assert_eq!(anomalies.len(), 1);
    assert_eq!(
        (anomalies[0].count, anomalies[0].example.as_str()),
        (2, "second")
    );
}

#[test]
fn a_bridge_whose_clock_is_not_ours_is_read_on_our_clock() {
    for late_ms in [-7_000, 7_000] {
        let mut script = Script::new();
        script.late_ms = late_ms;
        script.call("c");
        script.caller_says("c", "hello");
        assert_eq!(bridge(&script).clock_skew_ms, -late_ms);
        let Floor::AgentOwes { since } = script.summary("c").floor else {
            panic!("the agent owes");
        };
        assert_eq!(since, script.now());
        script.wait(2_900);
        assert_eq!(script.need("c").level, NeedLevel::Watch, "a step is late");
        assert_eq!(script.summary("c").failed_turns, 0);
    }
}

#[test]
fn an_origin_whose_clock_is_far_off_is_not_believed() {
    // An hour before its bridge, and some seconds after it: neither can be.
    for apart_ms in [3_600_000, -5_000] {
        let mut script = good_call();
        script.apart_ms = apart_ms;
        script.caller_says("c", "hello");
        let Floor::AgentOwes { since } = script.summary("c").floor else {
            panic!("the agent owes");
        };
        assert_eq!(since, script.now());
    }
}

#[test]
fn news_that_was_held_up_says_nothing_about_the_clocks() {
    let mut script = good_call();
    script.late_ms = 5_000;
    for _ in 0..5 {
        script.transcript("c", UtteranceRole::Agent, "as I said");
    }
    assert_eq!(bridge(&script).clock_skew_ms, 0);
}

#[test]
fn news_that_was_held_up_comes_together_before_it_alarms() {
    let mut script = good_call();
    script.wait(9_000);
    script.late_ms = 7_000;
    script.caller_says("c", "hello");
    script.wait(100);
    script.llm_starts("c", "primary-llm");
    script.agent_starts("c");
    script.agent_stops("c");
    script.late_ms = 0;
    assert!(script.detail("c").evidence.is_empty());
    assert_eq!(script.summary("c").failed_turns, 0);
}

#[test]
fn a_feed_is_stale_after_three_heartbeats_and_never_before_three_seconds() {
    for (heartbeat_ms, limit_ms) in [(2_000, 6_000), (500, 3_000)] {
        let mut script = Script::with_heartbeat(heartbeat_ms);
        script.mute(BRIDGE);
        script.wait(limit_ms - 100);
        assert_eq!(bridge(&script).state, FeedState::Live);
        script.wait(200);
        assert_eq!(bridge(&script).state, FeedState::Stale);
    }
}

#[test]
fn a_count_while_catching_up_is_no_suspicion() {
    let mut script = good_call();
    script.fact(
        "*",
        Fact::StreamGapDetected {
            from_seq: 10,
            to_seq: 16,
            missing: 7,
        },
    );
    script.fact("*", heartbeat(0));
    script.fact("*", heartbeat(0));
    script.fact("*", Fact::StreamCaughtUp);
    script.wait(15_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
}

#[test]
fn a_bridge_that_is_gone_and_empty_is_forgotten_with_its_commands() {
    let mut script = Script::new();
    let target = holdfast_domain::Target::Platform {
        source: SourceId::new(BRIDGE),
    };
    let id = script
        .act(holdfast_domain::ActVerb::StopFault { id: None }, target)
        .remove(0);
    script.disconnect(BRIDGE);
    script.wait(590_000);
    assert_eq!(script.engine.bridges().len(), 1);
    assert_eq!(
        script.command_state(&id),
        holdfast_domain::CommandState::Unknown
    );
    script.wait(11_000);
    assert!(script.engine.bridges().is_empty());
    assert!(script.command_state(&id).is_final());
}

#[test]
fn a_clock_that_is_set_back_is_noticed_by_heartbeats_and_followed() {
    let mut script = Script::new();
    script.call("c");
    script.late_ms = 3_600_000;
    for _ in 0..3 {
        script.fact("*", heartbeat(1));
    }
    assert_eq!(script.anomalies(AnomalyKind::ClockJump), 1);
    script.caller_says("c", "hello");
    assert!(
        script.need("c").level <= NeedLevel::Calm,
        "no hour of silence"
    );
    script.late_ms = 0;
    script.fact("*", heartbeat(1));
    assert_eq!(
        script.anomalies(AnomalyKind::ClockJump),
        2,
        "and forward again"
    );
}

#[test]
fn a_shell_clock_that_goes_back_is_held() {
    let mut script = good_call();
    let now = script.now();
    script.engine.handle_timeout(now - 5_000);
    assert_eq!(script.engine.clock_jumps(), 1);
    let control = Control::Presence {
        name: "ana".to_owned(),
        present: true,
    };
    script
        .engine
        .handle(holdfast_engine::Input::Control(&control), now - 5_000);
    assert_eq!(script.engine.now(), now);
    std::mem::forget(script);
}

#[test]
fn an_ended_call_is_gone() {
    let mut script = good_call();
    script.end("c");
    assert_eq!(ended(&script, "c").as_deref(), Some("hang-up (caller)"));
    assert!(script.engine.summary(&CallId::new("c")).is_none());
    assert_eq!(script.engine.call_ids().count(), 0);
    assert_eq!(bridge(&script).live_calls, 0);
}

/// How long a bridge may be silent from now on until it is stale.
fn silence_ms(script: &mut Script) -> i64 {
    let last = script.now();
    while script.engine.bridges()[0].state == FeedState::Live {
        script.wait_at_once(100);
        assert!(script.now().since(last) < 20_000, "it is never stale");
    }
    script.now().since(last)
}

/// Heartbeats at these intervals, again and again; then how long until the bridge is stale.
fn stale_after(intervals: &[i64]) -> i64 {
    let mut script = Script::new();
    script.mute(BRIDGE);
    for _ in 0..20 {
        for ms in intervals {
            script.wait_at_once(*ms);
            script.fact("*", heartbeat(0));
        }
    }
    silence_ms(&mut script)
}

#[test]
fn a_bridge_whose_heartbeats_come_irregularly_is_given_its_time_up_to_a_limit() {
    assert_eq!(stale_after(&[1_000]), 3_000);
    assert_eq!(stale_after(&[700, 1_300, 1_500, 500]), 3_600);
    assert_eq!(stale_after(&[100, 2_600]), 6_000);
}

#[test]
fn what_the_line_or_the_hub_kept_back_is_no_irregular_heartbeat() {
    let line_breaks = |script: &mut Script| {
        script.disconnect(BRIDGE);
        script.wait_at_once(5_000);
        script.connect(BRIDGE, "epoch-1");
        script.mute(BRIDGE);
    };
    let event_is_lost = |script: &mut Script| {
        script.control(Control::Bridge {
            source: SourceId::new(BRIDGE),
            change: BridgeChange::Anomaly {
                kind: AnomalyKind::SequenceGap,
                example: "sequence 7 was expected, 8 arrived; resume from 7".to_owned(),
            },
        });
        script.wait_at_once(2_500);
    };
    let hub_sleeps = |script: &mut Script| {
        script.sleep(5_000);
        script.control(Control::Sees);
        script.wait_at_once(500);
        script.fact("*", heartbeat(0));
        script.wait_at_once(1_500);
    };
    let hub_naps = |script: &mut Script| {
        script.sleep(5_000);
        script.control(Control::Sees);
        script.wait_at_once(1_000);
    };
    let is_told_anew = |script: &mut Script| {
        let (from_seq, to_seq, missing) = (10, 16, 7);
        let gap = Fact::StreamGapDetected {
            from_seq,
            to_seq,
            missing,
        };
        script.fact("*", gap);
        for _ in 0..5 {
            script.wait_at_once(10);
            script.fact("*", heartbeat(0));
        }
        script.fact("*", Fact::StreamCaughtUp);
    };
    let kept_back: [&dyn Fn(&mut Script); 5] = [
        &line_breaks,
        &event_is_lost,
        &hub_sleeps,
        &hub_naps,
        &is_told_anew,
    ];
    for (n, kept_back) in kept_back.into_iter().enumerate() {
        let mut script = Script::new();
        script.mute(BRIDGE);
        for _ in 0..6 {
            kept_back(&mut script);
            for _ in 0..3 {
                script.wait_at_once(1_000);
                script.fact("*", heartbeat(0));
            }
        }
        assert_eq!(silence_ms(&mut script), 3_000, "{n}");
    }
}

#[test]
fn a_call_is_no_ghost_because_its_bridge_was_gone() {
    let mut script = good_call();
    script.disconnect(BRIDGE);
    script.wait(55_000);
    script.connect(BRIDGE, "epoch-1");
    script.wait(59_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    script.wait(1_000);
    let reason = script.need("c").reason;
    assert_eq!(reason, "no news of this call for over 60 s");
}
