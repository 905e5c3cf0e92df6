//! A service that became slower than it was.

use holdfast_domain::{Layer, LayerState, NeedLevel, SignalKind};

use crate::learning::turn;
use crate::script::Script;

/// Enough turns that the usual latency is known.
const WARM: usize = 220;

fn warm() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.call("calm");
    for _ in 0..WARM {
        turn(&mut script, "c", 600);
    }
    script
}

fn is_slow(script: &Script, call: &str) -> bool {
    let found = script.layer(call, Layer::Llm).evidence;
    found.is_some_and(|found| found.kind == SignalKind::LatencyDrift)
}

#[test]
fn a_model_that_takes_twice_as_long_puts_its_calls_on_watch_in_words() {
    let mut script = warm();
    let turns = (1..40).find(|_| {
        // Below the gap that harms by itself.
        turn(&mut script, "c", 1_150);
        is_slow(&script, "calm")
    });
    assert!(
        turns.is_some_and(|turns| (6..=20).contains(&turns)),
        "{turns:?}"
    );
    let why = script.why("calm", Layer::Llm);
    assert!(
        why.starts_with("answers come later than usual: LLM of Vendor A, large-4 answers in 0.9 s"),
        "{why}"
    );
    assert!(why.ends_with("usually 0.6 s"), "{why}");
    assert_eq!(script.state("calm", Layer::Llm), LayerState::Degraded);
    assert_eq!(script.need("calm").level, NeedLevel::Watch);

    for _ in 0..20 {
        turn(&mut script, "c", 600);
    }
    assert!(!is_slow(&script, "calm"));
    assert_eq!(
        script.state("calm", Layer::Llm),
        LayerState::Unknown,
        "it had no turn yet"
    );
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
}

#[test]
fn a_long_tail_is_no_drift() {
    let mut script = warm();
    for n in 0..100 {
        turn(&mut script, "c", if n % 8 == 0 { 2_900 } else { 600 });
        assert!(!is_slow(&script, "calm"), "turn {n}");
    }
}

#[test]
fn a_service_in_another_language_is_another_one() {
    let mut script = warm();
    script.call("german");
    script.update(
        "german",
        holdfast_domain::fact::CallUpdated {
            language: Some("de".into()),
            ..holdfast_domain::fact::CallUpdated::default()
        },
    );
    for _ in 0..20 {
        turn(&mut script, "c", 1_150);
    }
    assert!(is_slow(&script, "calm"));
    assert!(!is_slow(&script, "german"));
}
