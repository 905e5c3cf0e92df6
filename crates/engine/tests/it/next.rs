//! What happens if nobody acts: each kind of step, when it is told and about when it comes.

use holdfast_domain::fact::Fact;
use holdfast_domain::{NextKind, NextStep};

use crate::script::Script;

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

fn next(script: &Script) -> NextStep {
    script.summary("c").next.expect("something is known")
}

/// From now until the step, in milliseconds.
fn comes_in(script: &Script, step: &NextStep) -> Option<i64> {
    step.at.map(|at| at.since(script.now()))
}

/// The caller speaks and nobody answers for six seconds.
fn failed_turn(script: &mut Script, said: &'static str) {
    script.caller_says("c", said);
    script.wait(6_000);
}

#[test]
fn of_a_calm_call_nothing_is_known() {
    assert_eq!(good_call().summary("c").next, None);
}

#[test]
fn the_step_that_is_pending_is_due() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    let step = next(&script);
    assert_eq!(step.kind, NextKind::StepDue);
    assert_eq!(
        step.text,
        "if nothing asks the LLM in 2.5 s the dialogue counts as late"
    );
    script.wait(200);
    script.llm_starts("c", "primary-llm");
    script.wait(300);
    let step = next(&script);
    assert_eq!(
        step.text,
        "if LLM primary-llm gives no token in 4 s it counts as late"
    );
    assert_eq!(comes_in(&script, &step), Some(3_700));
    script.llm_ends("c", 40, 0);
    assert_eq!(
        next(&script).text,
        "if TTS primary-tts gives no audio in 2.5 s it counts as late"
    );
    script.agent_starts("c");
    assert_eq!(script.summary("c").next, None, "the caller hears it");
}

#[test]
fn what_comes_first_is_told_first() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.wait(3_200);
    // Silence passed its first limit; the token is due at 4 s, before the turn fails at 5 s.
    assert_eq!(next(&script).kind, NextKind::StepDue);
    script.wait(1_000);
    assert_eq!(next(&script).kind, NextKind::TurnFails);
    script.wait(1_000);
    assert_eq!(next(&script).kind, NextKind::SilenceLimit);
}

#[test]
fn a_tool_that_runs_is_due_twice() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.tool_starts("c", "t1", false);
    let step = next(&script);
    assert_eq!(
        step.text,
        "if track_order has not ended in 5 s it counts as late"
    );
    assert_eq!(comes_in(&script, &step), Some(5_000));
    script.agent_is("c", holdfast_domain::fact::AgentActivity::Tools);
    script.wait(5_100);
    let step = next(&script);
    assert_eq!(
        step.text,
        "if track_order has not ended in 10 s it counts as failed"
    );
    assert_eq!(comes_in(&script, &step), Some(4_900));
}

#[test]
fn the_third_failed_turn_of_three_ends_the_call_about_when_the_rhythm_says() {
    let mut script = good_call();
    failed_turn(&mut script, "where is my order");
    assert_ne!(next(&script).kind, NextKind::CallEnds, "one is bearable");
    failed_turn(&mut script, "anything known of it yet");
    let step = next(&script);
    assert_eq!(step.kind, NextKind::CallEnds);
    assert!(
        step.text
            .starts_with("one more failed turn is number 3 of 3 and ends the call"),
        "{}",
        step.text
    );
    // Turns were 3.1 s and 7 s apart: about 4.4 s. The last one is 6 s ago: the rhythm is broken.
    assert_eq!(step.at, None);
    assert!(step.text.contains("when is unknown"), "{}", step.text);
    script.caller_says("c", "is anybody still with me");
    let step = next(&script);
    assert_eq!(
        (step.kind, comes_in(&script, &step)),
        (NextKind::CallEnds, Some(5_000)),
        "this very turn"
    );
    script.wait(6_000);
    let step = next(&script);
    assert_eq!((step.kind, step.at), (NextKind::CallEnds, None));
    assert!(step.text.starts_with("3 turns failed in a row"));
    script.agent_answers("c", "primary-llm", 100);
    script.good_turn("c");
    assert_eq!(script.summary("c").next, None, "answers end it");
}

#[test]
fn between_turns_the_calls_own_rhythm_tells_when() {
    let mut script = good_call();
    script.wait(20_000);
    failed_turn(&mut script, "where is my order");
    script.caller_says("c", "anything known of it yet");
    // The caller waits no longer than the limit, and the agent says something that is no answer.
    script.llm_starts("c", "primary-llm");
    script.error("c", holdfast_domain::Layer::Llm, "primary-llm", "http_503");
    script.wait(5_100);
    let step = next(&script);
    assert_eq!(step.kind, NextKind::CallEnds);
    // Turns were 24.1 s and 7 s apart: 24.1 - 17.1 / 3 = 18.4 s, less the 5.1 s that passed, and
    // then the 5 s after which a turn fails.
    let comes_in = comes_in(&script, &step).expect("the rhythm is known");
    assert!((17_500..19_000).contains(&comes_in), "{comes_in}");
}

#[test]
fn a_caller_who_is_gone_ends_the_call_and_a_way_out_is_named() {
    let mut script = good_call();
    let reason = "ice".into();
    script.fact("c", Fact::TransportDisconnected { reason });
    let step = next(&script);
    assert_eq!((step.kind, step.at), (NextKind::CallEnds, None));
    let reason = "ice".into();
    script.fact("c", Fact::TransportReconnected { reason });
    assert_eq!(script.summary("c").next, None);
}

#[test]
fn a_call_that_its_platform_does_not_count_is_believed_gone_next() {
    let mut script = good_call();
    let beat = || Fact::BridgeHeartbeat {
        live_calls: 0,
        buffered: 0,
        unmapped: 0,
    };
    for _ in 0..3 {
        script.fact("*", beat());
        script.wait(1_000);
    }
    let step = next(&script);
    assert_eq!(step.kind, NextKind::Ghost);
    let left = comes_in(&script, &step).expect("its limit is ours");
    assert!((1..10_000).contains(&left), "{left}");
    script.wait(left + 100);
    let step = next(&script);
    assert_eq!((step.kind, step.at), (NextKind::Ghost, None));
}
