//! Hand-made runs: each wrong in one way, so that no way of being wrong is counted as right.

use holdfast_domain::{CauseDimension, CauseShape, CauseTrait, LayerState};

use std::sync::Arc;

use super::super::{Figures, Level, SETTLE_SHAPE_MS, Silence, Work};
use super::*;

const LIMIT_MS: i64 = 3_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn vendor(value: &str) -> CauseTrait {
    CauseTrait {
        dimension: CauseDimension::Provider,
        value: value.to_owned(),
    }
}

fn region(value: &str) -> CauseTrait {
    CauseTrait {
        dimension: CauseDimension::Region,
        value: value.to_owned(),
    }
}

fn call(n: i64) -> CallId {
    CallId::new(format!("c{n}"))
}

/// Six calls lose their speech synthesis, one each second from 10 s on.
fn truth(aim: Aim) -> Truth {
    Truth {
        aim,
        causes: vec![Cause {
            from: at(10_000),
            until: at(60_000),
            layer: Layer::Tts,
            traits: vec![vendor("A"), region("eu")],
            shape: CauseShape::Shared,
        }],
        harms: (0..6)
            .map(|n| harm(n, Layer::Tts, 10_000 + 1_000 * n, Some(0)))
            .collect(),
        silences: (0..6)
            .map(|n| Silence {
                call: call(n),
                from: at(10_000 + 1_000 * n),
                until: at(18_000 + 1_000 * n),
            })
            .collect(),
        turns: vec![(0..20).map(|n| at(10_500 + 1_000 * n)).collect()],
        work: Vec::new(),
        began: at(0),
        end: at(120_000),
    }
}

fn harm(n: i64, layer: Layer, from: i64, cause: Option<usize>) -> Harm {
    Harm {
        call: call(n),
        layer,
        from: at(from),
        until: Some(at(from + 8_000)),
        cause,
    }
}

fn alarm(n: i64, layer: Layer, ms: i64) -> Alarm {
    Alarm {
        call: call(n),
        layer,
        to: LayerState::Degraded,
        kind: Some(SignalKind::Expectation),
        at: at(ms),
    }
}

fn group(id: &str, layer: Layer, traits: Vec<CauseTrait>, ms: i64) -> GroupSeen {
    GroupSeen {
        at: at(ms),
        group: CauseGroup {
            id: CauseId::new(id),
            state: CauseState::Active,
            layer,
            traits,
            shape: CauseShape::Shared,
            sentence: String::new(),
            since: at(ms),
            updated_at: at(ms),
            failing: 5,
            healthy: 0,
            exposed: 5,
            waiting: 0,
            elsewhere_permille: 0,
            calls: Vec::new(),
            evidence: Vec::new(),
        },
    }
}

/// Everything is said, rightly, a second after it began.
fn perfect() -> Heard {
    Heard {
        alarms: (0..6)
            .map(|n| alarm(n, Layer::Tts, 11_000 + 1_000 * n))
            .collect(),
        levels: vec![Level {
            call: call(0),
            blamed: vec![(Layer::Tts, Some(SignalKind::DeadAir))],
            at: at(14_000),
        }],
        groups: vec![group(
            "g",
            Layer::Tts,
            vec![region("eu"), vendor("A")],
            15_000,
        )],
        silence_ms: LIMIT_MS,
    }
}

#[test]
fn a_perfect_listener_is_right_in_everything() {
    let tally = judge(&truth(Aim::DeadAir), &perfect());
    assert_eq!(
        Figures::of(&tally),
        Figures {
            layer_accuracy: Some(1.0),
            cause_precision: Some(1.0),
            cause_recall: Some(1.0),
            delay_ms_p50: Some(1_000),
            delay_ms_p95: Some(1_000),
            false_alarms_per_day: Some(0.0),
        }
    );
    assert_eq!(tally.cause_delays_ms, [1_000]);
    assert_eq!(tally.over_limit_ms, [0; 6]);
}

#[test]
fn silence_is_wrong_and_not_left_out() {
    for aim in [Aim::DeadAir, Aim::DeadProvider, Aim::FaultRate] {
        let silent = Heard {
            silence_ms: LIMIT_MS,
            ..Heard::default()
        };
        let tally = judge(&truth(aim), &silent);
        let figures = Figures::of(&tally);
        assert_eq!(figures.layer_accuracy, Some(0.0));
        assert_eq!((tally.missed, tally.harmed), (6, 6));
        assert_eq!(figures.cause_recall, Some(0.0));
        assert_eq!(figures.cause_precision, None);
        match aim {
            Aim::DeadAir => assert_eq!(tally.over_limit_ms, [5_000; 6]),
            Aim::DeadProvider => assert_eq!(tally.provider_delays_ms, [50_000]),
            _ => assert_eq!(tally.rate_turns, [20]),
        }
    }
}

#[test]
fn another_layer_is_wrong_even_when_the_right_one_follows() {
    let mut heard = perfect();
    for n in 0..6 {
        heard
            .alarms
            .insert(0, alarm(n, Layer::Llm, 10_500 + 1_000 * n));
    }
    for seen in &mut heard.groups {
        seen.group.layer = Layer::Llm;
    }
    let tally = judge(&truth(Aim::Nothing), &heard);
    assert_eq!((tally.layer_right, tally.missed), (0, 0));
    let blamed = (Layer::Llm, Some(SignalKind::Expectation));
    assert_eq!(tally.blamed, BTreeMap::from([(blamed, 6)]));
    assert_eq!((tally.causes_found, tally.groups_right), (0, 0));
    assert_eq!(tally.wrong_groups, ["llm Shared [Region eu, Provider A]"]);
}

#[test]
fn an_alarm_that_is_owed_to_another_harm_is_passed_over() {
    let mut truth = truth(Aim::Nothing);
    truth.harms.push(harm(0, Layer::Llm, 9_000, None));
    let mut heard = perfect();
    heard.alarms.insert(0, alarm(0, Layer::Llm, 10_500));
    assert_eq!(judge(&truth, &heard).layer_right, 6);
    // Without the alarm that it is passed over for, nothing was said of the harm.
    heard.alarms.remove(1);
    assert_eq!(judge(&truth, &heard).missed, 1);
}

#[test]
fn an_alarm_before_the_harm_or_long_after_it_says_nothing_of_it() {
    for ms in [9_999, 10_000 + 8_000 + LATE_MS + 1] {
        let mut heard = perfect();
        heard.alarms[0].at = at(ms);
        heard.alarms.sort_by_key(|alarm| alarm.at);
        let tally = judge(&truth(Aim::Nothing), &heard);
        assert_eq!((tally.layer_right, tally.missed), (5, 1), "{ms}");
    }
}

#[test]
fn a_layer_that_is_shown_as_unwell_for_an_earlier_harm_needs_no_second_alarm() {
    let mut truth = truth(Aim::Nothing);
    let mut heard = perfect();
    heard.alarms[0].at = at(6_000);
    assert_eq!(judge(&truth, &heard).missed, 1);
    truth.harms.push(harm(0, Layer::Tts, 5_000, None));
    assert_eq!(judge(&truth, &heard).layer_right, 6);
    // It does once the layer was shown as well in between.
    heard.alarms.insert(
        1,
        Alarm {
            to: LayerState::Healthy,
            ..alarm(0, Layer::Tts, 7_000)
        },
    );
    assert_eq!(judge(&truth, &heard).missed, 1);
}

#[test]
fn what_is_said_after_the_cause_began_and_before_the_call_is_hit_is_early() {
    // The cause begins at 10 s; the last call is hit at 15 s.
    for (ms, is_right) in [(9_999, 0), (10_000, 1), (14_999, 1)] {
        let mut heard = perfect();
        heard.alarms[5].at = at(ms);
        heard.alarms.sort_by_key(|alarm| alarm.at);
        heard.levels[0].call = call(5);
        heard.levels[0].at = at(ms);
        let tally = judge(&truth(Aim::Nothing), &heard);
        assert_eq!(tally.layer_right, 5 + is_right, "{ms}");
        assert_eq!(tally.false_levels, 1 - is_right, "{ms}");
    }
}

#[test]
fn a_later_harm_of_the_same_cause_is_not_a_second_chance() {
    let mut truth = truth(Aim::Nothing);
    truth.harms.push(harm(0, Layer::Tts, 40_000, Some(0)));
    let mut heard = perfect();
    heard.alarms[0].at = at(41_000);
    heard.alarms.sort_by_key(|alarm| alarm.at);
    let tally = judge(&truth, &heard);
    assert_eq!((tally.harmed, tally.layer_right, tally.missed), (6, 5, 1));
}

#[test]
fn a_group_is_judged_when_it_had_time_to_settle() {
    // The fifth call is harmed at 14 s, so the group is judged at 19 s.
    let narrow = group("g", Layer::Tts, vec![vendor("A")], 15_000);
    for (refined_at, is_right) in [(19_000, 1), (19_001, 0)] {
        let mut heard = perfect();
        heard.groups.insert(0, narrow.clone());
        heard.groups[1].at = at(refined_at);
        let tally = judge(&truth(Aim::Nothing), &heard);
        assert_eq!(
            (tally.causes_found, tally.groups, tally.groups_right),
            (is_right, 1, is_right),
            "refined at {refined_at}"
        );
    }
}

#[test]
fn a_pattern_in_time_is_judged_when_it_had_time_to_show() {
    let mut truth = truth(Aim::Nothing);
    truth.causes[0].shape = CauseShape::SaturatedPool;
    let mut heard = perfect();
    let mut seen = heard.groups[0].clone();
    seen.group.shape = CauseShape::SaturatedPool;
    // The fifth call is harmed at 14 s.
    for (told_at, is_found) in [(14_000 + SETTLE_SHAPE_MS, 1), (14_001 + SETTLE_SHAPE_MS, 0)] {
        seen.at = at(told_at);
        heard.groups = vec![perfect().groups[0].clone(), seen.clone()];
        assert_eq!(judge(&truth, &heard).causes_found, is_found, "{told_at}");
    }
}

/// Calls of vendor A in one region or the other, in a queue of their own or not, speak at a moment.
fn work(region_is: &str, queue: &str, ms: i64) -> Work {
    let queue = CauseTrait {
        dimension: CauseDimension::Queue,
        value: queue.to_owned(),
    };
    Work {
        layer: Layer::Tts,
        from: at(ms),
        until: at(ms),
        traits: Arc::new([vendor("A"), region(region_is), queue].into()),
    }
}

#[test]
fn other_words_are_right_when_nobody_could_tell_and_wrong_when_somebody_could() {
    let queue = |value: &str| CauseTrait {
        dimension: CauseDimension::Queue,
        value: value.to_owned(),
    };
    let mut truth = truth(Aim::Nothing);
    // All of the region's calls are in one queue, which no other call is in.
    truth.work = vec![work("eu", "orders", 11_000), work("us", "billing", 11_000)];
    let check = |truth: &Truth, traits: Vec<CauseTrait>, is_right: u64| {
        let mut heard = perfect();
        heard.groups = vec![group("g", Layer::Tts, traits, 15_000)];
        let tally = judge(truth, &heard);
        assert_eq!(
            (tally.causes_found, tally.groups_right),
            (is_right, is_right)
        );
    };
    check(&truth, vec![queue("orders")], 1);
    check(&truth, vec![vendor("A"), queue("orders")], 1);
    check(&truth, vec![queue("billing")], 0);
    // More words than are needed are none of the smallest.
    check(&truth, vec![vendor("A"), region("eu"), queue("orders")], 0);
    // Work of another layer, or from before the cause or after the judgement, tells nobody.
    truth.work.push(Work {
        layer: Layer::Llm,
        ..work("us", "orders", 11_000)
    });
    truth.work.push(work("us", "orders", 9_000));
    truth.work.push(work("us", "orders", 19_001));
    check(&truth, vec![queue("orders")], 1);
    truth.work.push(work("us", "orders", 19_000));
    check(&truth, vec![queue("orders")], 0);
}

#[test]
fn a_group_that_closed_before_it_is_judged_found_nothing() {
    let mut heard = perfect();
    let mut closed = heard.groups[0].clone();
    closed.at = at(16_000);
    closed.group.state = CauseState::Closed;
    heard.groups.push(closed);
    assert_eq!(judge(&truth(Aim::Nothing), &heard).causes_found, 0);
}

#[test]
fn a_cause_that_harmed_four_calls_asks_for_no_group_but_bears_one() {
    let mut truth = truth(Aim::Nothing);
    truth.harms.truncate(4);
    let tally = judge(&truth, &perfect());
    assert_eq!((tally.causes, tally.causes_found), (0, 0));
    assert_eq!((tally.groups, tally.groups_right), (1, 1));
}

#[test]
fn two_groups_for_one_cause_split_what_is_one() {
    let mut heard = perfect();
    let mut second = heard.groups[0].clone();
    second.group.id = CauseId::new("h");
    heard.groups.push(second);
    let tally = judge(&truth(Aim::Nothing), &heard);
    assert_eq!((tally.groups, tally.groups_right), (2, 1));
    assert_eq!(tally.causes_found, 1);
}

#[test]
fn what_is_raised_for_nothing_is_counted() {
    let mut truth = truth(Aim::Nothing);
    truth.causes.clear();
    truth.harms.clear();
    let tally = judge(&truth, &perfect());
    assert_eq!((tally.false_groups, tally.false_levels), (1, 1));
    let blamed = Some((Layer::Tts, Some(SignalKind::DeadAir)));
    assert_eq!(tally.false_blamed, BTreeMap::from([(blamed, 1)]));
    assert_eq!(Figures::of(&tally).false_alarms_per_day, Some(1_440.0));
    assert_eq!((tally.groups, tally.groups_right), (1, 0));
}

#[test]
fn a_warning_is_covered_by_a_harm_of_that_call_and_layer_only() {
    for (n, layer, ms, is_false) in [
        (0, Layer::Tts, 10_000, 0),
        (0, Layer::Tts, 18_000 + LATE_MS, 0),
        (0, Layer::Tts, 9_999, 1),
        (0, Layer::Tts, 18_001 + LATE_MS, 1),
        (0, Layer::Llm, 14_000, 1),
        (9, Layer::Tts, 14_000, 1),
    ] {
        let mut heard = perfect();
        heard.levels = vec![Level {
            call: call(n),
            blamed: vec![(layer, None)],
            at: at(ms),
        }];
        let tally = judge(&truth(Aim::Nothing), &heard);
        assert_eq!(tally.false_levels, is_false, "c{n} {layer:?} {ms}");
    }
}

#[test]
fn the_layer_below_which_the_cause_lies_is_right_too() {
    let mut truth = truth(Aim::Nothing);
    truth.causes[0].layer = Layer::Infrastructure;
    let mut heard = perfect();
    assert_eq!(judge(&truth, &heard).layer_right, 6);
    for alarm in &mut heard.alarms {
        alarm.layer = Layer::Infrastructure;
    }
    assert_eq!(judge(&truth, &heard).layer_right, 6);
}

#[test]
fn a_silence_of_a_call_that_is_shown_as_unwell_needs_no_second_alarm() {
    let mut heard = perfect();
    heard.alarms.insert(0, alarm(0, Layer::Llm, 9_000));
    let tally = judge(&truth(Aim::DeadAir), &heard);
    assert_eq!(tally.over_limit_ms, [0; 5]);
    heard.alarms.insert(
        1,
        Alarm {
            to: LayerState::Healthy,
            ..alarm(0, Layer::Llm, 9_500)
        },
    );
    let tally = judge(&truth(Aim::DeadAir), &heard);
    assert_eq!(tally.over_limit_ms, [0; 6]);
}

#[test]
fn a_silence_within_its_limit_is_none_to_be_told() {
    let mut truth = truth(Aim::DeadAir);
    truth.silences[0].until = at(13_000);
    assert_eq!(judge(&truth, &perfect()).over_limit_ms, [0; 5]);
}

#[test]
fn a_word_about_something_else_is_none_about_a_provider() {
    // A turn that failed on any day, and a group about another vendor.
    let mut heard = perfect();
    heard.groups[0].group.traits = vec![vendor("B")];
    let tally = judge(&truth(Aim::DeadProvider), &heard);
    assert_eq!(tally.provider_delays_ms, [50_000]);
    heard.alarms[0].kind = Some(SignalKind::Liveness);
    let tally = judge(&truth(Aim::DeadProvider), &heard);
    assert_eq!(tally.provider_delays_ms, [1_000]);
}

#[test]
fn late_is_late() {
    let mut heard = perfect();
    for alarm in &mut heard.alarms {
        alarm.at = alarm.at + 2_500;
        alarm.kind = Some(SignalKind::FaultRate);
    }
    heard.groups.clear();
    let tally = judge(&truth(Aim::DeadAir), &heard);
    assert_eq!(tally.over_limit_ms, [500; 6]);
    assert_eq!(Figures::of(&tally).delay_ms_p95, Some(3_500));
    // The first word is at 13.5 s, and turns ended at 10.5, 11.5, 12.5 and 13.5 s.
    let tally = judge(&truth(Aim::FaultRate), &heard);
    assert_eq!(tally.rate_turns, [4]);
}

#[test]
fn the_counts_of_two_runs_add_up() {
    let one = judge(&truth(Aim::DeadAir), &perfect());
    let mut two = one;
    two.add(&judge(&truth(Aim::Nothing), &Heard::default()));
    assert_eq!((two.harmed, two.layer_right, two.missed), (12, 6, 6));
    assert_eq!((two.causes, two.causes_found), (2, 1));
    assert_eq!(Figures::of(&two).layer_accuracy, Some(0.5));
    assert_eq!(two.simulated_ms, 240_000);
}
