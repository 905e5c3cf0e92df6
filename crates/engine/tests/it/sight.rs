//! The hub is the slow one: a silence that is its own is nobody's failure, and one that lasts
//! beyond it is.

use std::collections::BTreeSet;

use holdfast_domain::fact::{Fact, Speaker};
use holdfast_domain::{
    AnomalyKind, BlindReason, Blindness, CommandState, FeedState, Layer, LayerState, NeedLevel,
    Record, SourceId,
};
use holdfast_engine::{AnswerState, BridgeChange, Control, Effect, Entry};

use crate::script::{BRIDGE, Script, switch, switched_to};

/// A call that goes well and whose caller has just said something.
fn asked() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.caller_says("c", "and what about the other invoice?");
    script
}

/// What was said of layers so far that are not well.
fn alarms(script: &Script) -> Vec<String> {
    let text = |effect: &Effect| match effect {
        Effect::Append(Entry::Transition {
            to: LayerState::Degraded | LayerState::Failed,
            layer,
            at,
            ..
        }) => Some(format!("{layer:?} at {at:?}")),
        _ => None,
    };
    script.effects.iter().filter_map(text).collect()
}

/// What was said `late_ms` ago is heard now: the agent's answer to [`asked`].
fn answer_from_the_backlog(script: &mut Script, late_ms: i64) {
    script.late_ms = late_ms;
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 40, 0);
    script.late_ms = late_ms - 500;
    script.agent_starts("c");
    script.late_ms = late_ms - 1_500;
    script.agent_stops("c");
    script.late_ms = 0;
}

#[test]
fn a_silence_that_the_hub_slept_through_is_nobodys() {
    let mut script = asked();
    script.sleep(58_000);
    answer_from_the_backlog(&mut script, 57_500);
    script.control(Control::Sees);
    script.wait(30_000);
    assert_eq!(alarms(&script), Vec::<String>::new());
    assert_eq!(script.summary("c").turns, 2);
    assert_eq!(script.summary("c").failed_turns, 0);
    assert_eq!(script.engine.bridges()[0].state, FeedState::Live);

    // The next silence is real.
    script.caller_says("c", "hello, are you still there?");
    script.wait(2_400);
    assert_eq!(alarms(&script), Vec::<String>::new());
    script.wait(700);
    assert_eq!(alarms(&script).len(), 1, "{:?}", alarms(&script));
}

#[test]
fn a_silence_that_goes_on_after_it_alarms_at_once_and_counts_in_full() {
    let mut script = asked();
    let since = script.now();
    script.sleep(20_000);
    script.wait(600);
    script.control(Control::Sees);
    script.wait(999);
    assert_eq!(alarms(&script), Vec::<String>::new());
    script.wait(1);
    assert!(!alarms(&script).is_empty());
    let need = script.need("c");
    assert_eq!((need.level, need.since), (NeedLevel::Critical, Some(since)));
    let told = format!("at {:?}", script.now());
    assert!(
        alarms(&script).iter().all(|alarm| alarm.ends_with(&told)),
        "nothing dates from a time that nobody saw: {:?}",
        alarms(&script)
    );
}

#[test]
fn no_deadline_passes_while_the_hub_is_behind() {
    let mut script = asked();
    script.wait(1_000);
    script.blind(BlindReason::OwnLag);
    script.wait(30_000);
    assert_eq!(alarms(&script), Vec::<String>::new());
    assert_eq!(script.engine.poll_timeout(), None, "nothing is waited for");
    answer_from_the_backlog(&mut script, 30_500);
    script.control(Control::Sees);
    script.wait(10_000);
    assert_eq!(alarms(&script), Vec::<String>::new());
}

#[test]
fn what_was_due_before_it_still_counts() {
    let mut script = asked();
    script.wait_at_once(2_000);
    // Time passed and was judged, but nothing has told the engine so yet when the hub sleeps.
    let begin = script.now();
    script.wait(4_000);
    let before = alarms(&script);
    assert!(!before.is_empty(), "silent since {begin:?}");
    script.sleep(5_000);
    assert_eq!(alarms(&script), before);
}

#[test]
fn a_bridges_silence_counts_from_when_the_hub_sees_again() {
    let mut script = asked();
    let state = |script: &Script| script.engine.bridges()[0].state;
    script.mute(BRIDGE);
    script.sleep(7_200_000);
    script.control(Control::Sees);
    script.wait(2_900);
    assert_eq!(state(&script), FeedState::Resyncing, "not heard since");
    script.wait(100);
    assert_eq!(state(&script), FeedState::Stale);
    assert_eq!(script.engine.call_ids().count(), 1, "its call is kept");
}

#[test]
fn a_call_is_no_ghost_because_the_hub_slept() {
    let mut script = asked();
    script.agent_answers("c", "primary-llm", 500);
    script.sleep(300_000);
    script.wait(500);
    script.control(Control::Sees);
    script.wait(59_000);
    assert_eq!(script.need("c").level, NeedLevel::default());
    script.wait(1_000);
    assert_eq!(
        script.need("c").reason,
        "no news of this call for over 60 s",
        "a real one is"
    );
}

#[test]
fn an_answer_that_waited_is_taken_before_its_command_runs_out() {
    let mut script = asked();
    let id = script.act_on(switch(None), "c");
    script.sleep(60_000);
    script.answer(&id, switched_to("backup-llm", true));
    script.control(Control::Sees);
    script.wait(1_500);
    let state = script.command_state(&id);
    assert!(matches!(state, CommandState::Applied { .. }), "{state:?}");

    let id = script.act_on(switch(Some("primary-llm")), "c");
    script.answer(&id, AnswerState::Accepted);
    script.sleep(60_000);
    script.control(Control::Sees);
    script.wait(1_500);
    let state = script.command_state(&id);
    assert!(
        matches!(state, CommandState::Failed { .. }),
        "without an answer it is over: {state:?}"
    );
}

#[test]
fn a_bridge_that_is_heard_late_by_us_has_no_clock_to_blame() {
    let beats = |script: &mut Script| {
        for _ in 0..4 {
            script.wait(500);
            script.fact("*", beat());
        }
        script.anomalies(AnomalyKind::ClockJump)
    };
    let mut script = asked();
    script.blind(BlindReason::OwnLag);
    script.late_ms = 5_000;
    assert_eq!(beats(&mut script), 0);
    script.control(Control::Sees);
    assert_eq!(beats(&mut script), 1, "now it is the bridge's own");
}

#[test]
fn a_clock_that_is_set_is_not_held_against_the_bridges() {
    let mut script = asked();
    script.blind(BlindReason::ClockJump);
    script.control(Control::Sees);
    // The bridge runs on the machine whose clock was set forward by an hour.
    script.late_ms = -3_600_000;
    script.fact("*", beat());
    assert_eq!(script.anomalies(AnomalyKind::ClockJump), 0);
    script.agent_answers("c", "primary-llm", 500);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    script.late_ms = -7_200_000;
    script.fact("*", beat());
    assert_eq!(script.anomalies(AnomalyKind::ClockJump), 1, "this one is");
}

#[test]
fn a_hub_that_comes_up_again_is_not_blind_for_ever() {
    let mut script = asked();
    script.blind(BlindReason::OwnLag);
    script.control(Control::Restarted);
    script.connect(BRIDGE, "epoch-1");
    script.wait(5_000);
    assert!(!alarms(&script).is_empty());
}

fn beat() -> Fact<'static> {
    Fact::BridgeHeartbeat {
        live_calls: 1,
        buffered: 0,
        unmapped: 0,
    }
}

#[test]
fn nobody_is_judged_before_their_bridge_was_heard_again() {
    let mut script = asked();
    script.mute(BRIDGE);
    script.sleep(30_000);
    script.control(Control::Sees);
    // Its connection stands, and what it said meanwhile is still on its way.
    script.wait(2_800);
    assert_eq!(alarms(&script), Vec::<String>::new());
    assert_eq!(script.engine.bridges()[0].state, FeedState::Resyncing);
    script.fact("*", beat());
    assert_eq!(script.engine.bridges()[0].state, FeedState::Live);
    answer_from_the_backlog(&mut script, 32_000);
    script.wait(2_500);
    assert_eq!(alarms(&script), Vec::<String>::new());
    assert_eq!(script.summary("c").failed_turns, 0);
}

const OTHER: &str = "//bridges/test/2";

/// An event of a bridge is missing: the hub takes nothing of it in until it was sent again.
fn gap(script: &mut Script, source: &str) {
    script.mute(source);
    script.control(Control::Bridge {
        source: SourceId::new(source),
        change: BridgeChange::Anomaly {
            kind: AnomalyKind::SequenceGap,
            example: "sequence 7 was expected, 8 arrived; resume from 7".to_owned(),
        },
    });
}

#[test]
fn a_gap_of_one_bridge_leaves_its_calls_unjudged_and_no_other() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.connect(OTHER, "epoch-1");
    let actor = Speaker::Caller;
    let started = Fact::CallStarted(Box::new(crate::script::started()));
    script.fact_from(OTHER, "d", None, started);
    script.fact_from(OTHER, "d", None, Fact::SpeechStarted { actor });
    // Both callers have said something after this.
    script.caller_says("c", "and what about the other invoice?");
    script.fact_from(OTHER, "d", None, Fact::SpeechStopped { actor });
    gap(&mut script, BRIDGE);
    let state = |script: &Script| {
        let bridges = script.engine.bridges();
        bridges.iter().map(|at| at.state).collect::<Vec<_>>()
    };
    // Just before the bridge counts as silent: the callers' silence is over its limit by then.
    script.wait(2_990);
    assert_eq!(state(&script), [FeedState::Resyncing, FeedState::Live]);
    assert_eq!(
        alarmed(&script),
        ["d"],
        "only the other bridge's call is judged"
    );

    // What was missing comes, and with it what shows that nothing was late.
    answer_from_the_backlog(&mut script, 2_900);
    assert_eq!(state(&script), [FeedState::Live; 2]);
    script.wait(3_000);
    assert_eq!(alarmed(&script), ["d"]);
}

/// The calls of which something was said that is not well.
fn alarmed(script: &Script) -> Vec<String> {
    let call = |effect: &Effect| match effect {
        Effect::Append(Entry::Transition {
            to: LayerState::Degraded | LayerState::Failed,
            call,
            ..
        }) => Some(call.to_string()),
        _ => None,
    };
    let calls: BTreeSet<String> = script.effects.iter().filter_map(call).collect();
    calls.into_iter().collect()
}

#[test]
fn no_shared_cause_is_named_while_the_hub_cannot_see() {
    let causes = |script: &Script| {
        let records = script.engine.records();
        let is_cause = |record: &&Record| matches!(record, Record::Cause { .. });
        records.iter().filter(is_cause).count()
    };
    let mut script = Script::new();
    let calls = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"];
    for call in calls {
        script.call(call);
        script.good_turn(call);
    }
    let actor = Speaker::Caller;
    for call in calls {
        script.fact(call, Fact::SpeechStarted { actor });
    }
    script.wait(1_000);
    for call in calls {
        script.fact(call, Fact::SpeechStopped { actor });
    }
    script.blind(BlindReason::OwnLag);
    for call in calls {
        // What a platform says itself is no guess.
        script.llm_starts(call, "primary-llm");
        script.error(call, Layer::Llm, "primary-llm", "http_503");
    }
    assert_eq!(alarmed(&script).len(), calls.len());
    script.wait(10_000);
    assert_eq!(causes(&script), 0);
    script.control(Control::Sees);
    script.wait(999);
    assert_eq!(causes(&script), 0);
    script.wait(1_000);
    assert_eq!(causes(&script), 1, "now it is");
}

#[test]
fn a_blindness_is_kept_with_its_reason_and_its_length() {
    let mut script = asked();
    let since = script.now();
    script.blind(BlindReason::OwnLag);
    script.wait(2_000);
    script.blind(BlindReason::Suspended);
    script.wait(1_000);
    script.control(Control::Sees);
    script.control(Control::Sees);
    let kept = |effect: &Effect| match effect {
        Effect::Append(Entry::Blindness(blind)) => Some(blind.clone()),
        _ => None,
    };
    let kept: Vec<Blindness> = script.effects.iter().filter_map(kept).collect();
    let blind = |reason, lasted_ms, is_over| Blindness {
        reason,
        since,
        lasted_ms,
        is_over,
    };
    assert_eq!(
        kept,
        [
            blind(BlindReason::OwnLag, 0, false),
            blind(BlindReason::Suspended, 2_000, false),
            blind(BlindReason::Suspended, 3_000, true),
        ]
    );
}

#[test]
fn time_that_nobody_saw_makes_nothing_worse_on_the_board() {
    let mut script = asked();
    script.agent_answers("c", "primary-llm", 500);
    let reason = "ice".into();
    script.fact("c", Fact::TransportDisconnected { reason });
    script.wait(2_000);
    let level = |script: &Script| script.need("c").level;
    assert_eq!(level(&script), NeedLevel::Warn);
    script.blind(BlindReason::OwnLag);
    script.wait(30_000);
    assert_eq!(level(&script), NeedLevel::Warn);
    script.control(Control::Sees);
    script.wait(999);
    assert_eq!(level(&script), NeedLevel::Warn);
    script.wait(1);
    assert_eq!(level(&script), NeedLevel::Critical, "gone for over 10 s");
}

#[test]
fn only_a_word_in_its_place_closes_a_gap() {
    let mut script = asked();
    let state = |script: &Script| script.engine.bridges()[0].state;
    let id = script.act_on(switch(None), "c");
    gap(&mut script, BRIDGE);
    script.answer(&id, AnswerState::Accepted);
    assert_eq!(state(&script), FeedState::Resyncing);
    script.fact("*", beat());
    assert_eq!(state(&script), FeedState::Live);

    // A connection resumes after the last event that came, so nothing is missing on it.
    gap(&mut script, BRIDGE);
    script.disconnect(BRIDGE);
    script.connect(BRIDGE, "epoch-1");
    assert_eq!(state(&script), FeedState::Live);
}

#[test]
fn a_call_of_which_nothing_was_heard_before_is_not_heard_by_seeing_again() {
    let mut script = asked();
    script.agent_answers("c", "primary-llm", 500);
    script.wait(60_000);
    let reason = |script: &Script| script.need("c").reason;
    assert_eq!(reason(&script), "no news of this call for over 60 s");
    script.sleep(5_000);
    script.control(Control::Sees);
    script.heard();
    assert_eq!(reason(&script), "no news of this call for over 60 s");
}
