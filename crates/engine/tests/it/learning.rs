//! Deadlines that are learnt from the fleet, and limits of one queue.

use holdfast_domain::fact::{CallUpdated, Fact, LatencyMetric};
use holdfast_domain::{Layer, LayerState, SignalKind, SourceId, UtteranceRole};
use holdfast_engine::{BridgeChange, Clamps, Config, Control, Expectations, Levels, QueueLimits};

use crate::script::{BRIDGE, Script, started};

/// Enough turns for every step of the call's services to be learnt.
const WARM: usize = 220;

/// A call whose steps take `ms` each, often enough.
fn warm(ms: i64, turns: usize) -> Script {
    let mut script = Script::new();
    script.call("c");
    for _ in 0..turns {
        turn(&mut script, "c", ms);
    }
    script
}

/// A turn whose model takes `ms` to its first audio.
pub(crate) fn turn(script: &mut Script, call: &str, ms: i64) {
    script.caller_sounds(call, 400);
    script.wait(100);
    script.transcript(call, UtteranceRole::Caller, "and my order");
    script.llm_starts(call, "primary-llm");
    script.wait(ms);
    script.agent_starts(call);
    script.llm_ends(call, 40, 0);
    script.wait(400);
    script.agent_stops(call);
    script.wait(100);
}

/// How long the model may keep silent before its layer is late, to 100 ms.
fn late_after(script: &mut Script, call: &str) -> i64 {
    script.caller_sounds(call, 400);
    script.transcript(call, UtteranceRole::Caller, "hello");
    script.llm_starts(call, "primary-llm");
    let mut waited = 0;
    let is_late = |script: &Script| {
        let found = script.layer(call, Layer::Llm).evidence;
        found.is_some_and(|found| found.kind == SignalKind::Expectation)
    };
    while !is_late(script) {
        script.wait(100);
        waited += 100;
        // Shorter waits than half a second do not let the bridge be heard by themselves.
        script.control(Control::Bridge {
            source: SourceId::new(BRIDGE),
            change: BridgeChange::Heard,
        });
        assert!(waited < 6_000, "it is never late");
    }
    waited
}

#[test]
fn a_model_that_begins_and_gives_nothing_is_seen_as_soon_as_its_pace_is_known() {
    let mut script = warm(600, WARM);
    assert_eq!(
        late_after(&mut script, "c"),
        1_000,
        "p97 times 1.5, at least 1 s"
    );
    assert!(
        script
            .why("c", Layer::Llm)
            .contains("began an answer and gave nothing")
    );
}

#[test]
fn until_enough_is_known_the_fixed_limit_stands() {
    let mut script = warm(600, 40);
    assert_eq!(late_after(&mut script, "c"), 4_000);
}

#[test]
fn a_slow_model_is_given_its_time() {
    let mut script = warm(1_400, WARM);
    let late = late_after(&mut script, "c");
    // The quantile is right to 2 %, and the time is looked at each 100 ms.
    assert!((2_100..=2_200).contains(&late), "{late} ms");
}

#[test]
fn another_call_of_the_same_service_knows_it_and_another_language_goes_by_it_until_known() {
    let mut script = warm(600, WARM);
    script.call("d");
    assert_eq!(late_after(&mut script, "d"), 1_000);
    script.call("e");
    script.update(
        "e",
        CallUpdated {
            language: Some("de".into()),
            ..CallUpdated::default()
        },
    );
    assert_eq!(late_after(&mut script, "e"), 1_000);
}

#[test]
fn a_turn_that_only_calls_tools_a_probe_and_an_error_teach_nothing() {
    let mut script = Script::new();
    script.call("c");
    for _ in 0..WARM {
        script.caller_sounds("c", 400);
        script.transcript("c", UtteranceRole::Caller, "and my order");
        script.llm_starts("c", "primary-llm");
        script.layer_fact(
            "c",
            Some(Layer::Llm),
            Fact::ServiceLatency {
                service: "primary-llm".into(),
                metric: LatencyMetric::Ttft,
                ms: 20.0,
                probe: true,
            },
        );
        script.wait(100);
        script.llm_ends("c", 0, 1);
        script.llm_starts("c", "primary-llm");
        script.error("c", Layer::Llm, "primary-llm", "http_503");
        script.llm_ends("c", 12, 0);
    }
    script.call("d");
    assert_eq!(late_after(&mut script, "d"), 4_000);
}

#[test]
fn what_is_told_late_teaches_nothing() {
    let mut script = Script::new();
    script.call("c");
    turn(&mut script, "c", 600);
    script.late_ms = 1_500;
    for _ in 0..WARM {
        turn(&mut script, "c", 100);
    }
    script.late_ms = 0;
    script.wait(2_000);
    assert_eq!(late_after(&mut script, "c"), 4_000);
}

#[test]
fn each_tool_has_its_own_time() {
    let mut script = Script::new();
    script.call("c");
    for _ in 0..WARM {
        script.tool_starts("c", "t", false);
        script.wait(200);
        script.tool_completes("c", "t");
    }
    script.tool_starts("c", "t2", false);
    script.wait(1_400);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Healthy);
    script.wait(200);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Degraded);
    script.wait(8_200);
    assert_eq!(
        script.state("c", Layer::Tools),
        LayerState::Degraded,
        "a fast one has only become slow"
    );
    script.wait(300);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Failed);
}

/// Billing waits longer for everything.
fn patient() -> Config {
    let patient = QueueLimits {
        silence: Some(Levels {
            watch_ms: 6_000,
            warn_ms: 8_000,
            critical_ms: 12_000,
        }),
        response_gap: Some(Levels {
            watch_ms: 5_000,
            warn_ms: 6_000,
            critical_ms: 7_000,
        }),
        clamps: Some(Clamps {
            min: Expectations {
                tokens_ms: 5_000,
                ..Clamps::default().min
            },
            max: Expectations {
                tokens_ms: 5_000,
                ..Clamps::default().max
            },
        }),
        ..QueueLimits::default()
    };
    Config {
        queues: [("billing".to_owned(), patient)].into(),
        ..Config::default()
    }
}

#[test]
fn a_queue_has_its_own_limits() {
    let mut script = Script::with_config(patient());
    script.call("c");
    let mut other = started();
    other.queue = "sales".into();
    script.fact_from(BRIDGE, "d", None, Fact::CallStarted(Box::new(other)));
    for call in ["c", "d"] {
        script.caller_says(call, "hello");
    }
    script.wait(4_000);
    assert!(
        script.need("d").reason.starts_with("silent for over 3"),
        "{:?}",
        script.need("d")
    );
    assert!(
        !script.need("c").reason.starts_with("silent"),
        "{:?}",
        script.need("c")
    );
    script.wait(2_500);
    assert!(
        script.need("c").reason.starts_with("silent for over 6"),
        "{:?}",
        script.need("c")
    );
}

#[test]
fn a_call_that_changes_its_queue_takes_its_limits() {
    let mut script = Script::with_config(patient());
    script.call("c");
    assert_eq!(late_after(&mut script, "c"), 5_000);
    script.agent_starts("c");
    script.agent_stops("c");
    script.update(
        "c",
        CallUpdated {
            queue: Some("sales".into()),
            ..CallUpdated::default()
        },
    );
    assert_eq!(late_after(&mut script, "c"), 4_000);
}
