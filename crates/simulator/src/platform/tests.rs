mod checks;
mod commands;
mod faults;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::fact::{EndedBy, Fact};
use holdfast_domain::{ActiveFault, Protected, UtteranceRole};
use proptest::prelude::*;

use super::*;
use crate::WorldKind;
use checks::WellFormed;

/// A Tuesday morning.
pub(super) const MORNING: Timestamp = Timestamp::from_millis(1_795_514_400_000);

pub(super) fn platform(seed: u64, calls: usize) -> Platform {
    let config = PlatformConfig {
        seed,
        calls,
        instance: "t".to_owned(),
        world: WorldKind::Pods,
        noise: false,
    };
    Platform::new(config, MORNING)
}

pub(super) fn run(platform: &mut Platform, ms: i64) -> Vec<Output> {
    platform.advance(platform.now + ms)
}

pub(super) fn events(outputs: &[Output]) -> impl Iterator<Item = &Event> {
    outputs.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event),
        Output::Answer(_) => None,
    })
}

pub(super) fn facts(outputs: &[Output]) -> impl Iterator<Item = &Fact<'static>> {
    events(outputs).map(|event| &event.fact)
}

pub(super) fn count(outputs: &[Output], matches: impl Fn(&Fact<'static>) -> bool) -> usize {
    facts(outputs).filter(|fact| matches(fact)).count()
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tell = |seed| {
        let mut platform = platform(seed, 20);
        let mut told = platform.snapshot();
        told.extend(run(&mut platform, 120_000));
        told
    };
    assert_eq!(tell(7), tell(7));
    assert_ne!(tell(7), tell(8));
}

#[test]
fn it_does_not_matter_how_often_it_is_asked() {
    let mut one = platform(7, 20);
    let mut many = platform(7, 20);
    let at_once = run(&mut one, 60_000);
    let mut bit_by_bit = Vec::new();
    for _ in 0..60_000 / 50 {
        bit_by_bit.extend(run(&mut many, 50));
    }
    assert_eq!(at_once, bit_by_bit);
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let mut platform = platform(7, 5);
    run(&mut platform, 10_000);
    assert_eq!(platform.advance(MORNING), []);
    assert_eq!(platform.now, MORNING + 10_000);
}

#[test]
fn calls_are_in_the_middle_of_things_at_once_and_their_number_holds() {
    let mut platform = platform(7, 100);
    assert!(platform.live_calls() >= 90, "{}", platform.live_calls());
    let told = platform.snapshot();
    let spoken = count(&told, |fact| matches!(fact, Fact::TranscriptFinal { .. }));
    assert!(spoken > 300, "only {spoken} utterances in 100 calls");
    for _ in 0..30 {
        run(&mut platform, 20_000);
        let live = platform.live_calls();
        assert!((92..=100).contains(&live), "{live} calls are live");
    }
}

#[test]
fn a_healthy_platform_is_calm() {
    let mut platform = platform(7, 300);
    let told = run(&mut platform, 600_000);
    let mut checks = WellFormed::default();
    checks.read_all(&told);

    let of = |matches: fn(&Fact<'static>) -> bool| count(&told, matches);
    assert_eq!(of(|fact| matches!(fact, Fact::ServiceError { .. })), 0);
    assert_eq!(of(|fact| matches!(fact, Fact::ToolFailed { .. })), 0);
    assert_eq!(of(|fact| matches!(fact, Fact::ToolTimedOut { .. })), 0);
    assert_eq!(of(|fact| matches!(fact, Fact::PipelineStalled { .. })), 0);
    assert_eq!(
        of(|fact| matches!(fact, Fact::TransportDisconnected { .. })),
        0
    );
    assert!(
        facts(&told).all(|fact| !matches!(fact, Fact::CallEnded { reason, .. }
            if reason != "completed")),
        "somebody hung up on a healthy platform"
    );

    let mut gaps: Vec<i64> = facts(&told)
        .filter_map(|fact| match fact {
            Fact::TurnLatency { total_ms } => Some(*total_ms),
            _ => None,
        })
        .collect();
    gaps.sort_unstable();
    let share_over = |ms| {
        let over = gaps.iter().filter(|gap| **gap > ms).count();
        over as f64 / gaps.len() as f64
    };
    assert!(gaps.len() > 5_000, "{} answers", gaps.len());
    let median = gaps[gaps.len() / 2];
    assert!((700..1_100).contains(&median), "{median} ms");
    assert!(share_over(1_500) < 0.05, "{}", share_over(1_500));
    assert!(share_over(2_500) < 0.02, "{}", share_over(2_500));
    assert!(gaps.last().is_some_and(|gap| *gap < 6_000), "{gaps:?}");

    let ended = of(|fact| matches!(fact, Fact::CallEnded { .. }));
    assert!(ended > 600, "{ended} calls ended in ten minutes");
    let failed = of(|fact| matches!(fact, Fact::HandoffFailed { .. }));
    assert!(
        failed < ended / 20,
        "{failed} callers waited for a human in vain"
    );
}

#[test]
fn calls_differ_in_language_queue_and_words() {
    let mut platform = platform(7, 300);
    let told = platform.snapshot();
    let mut languages = BTreeSet::new();
    let mut queues = BTreeSet::new();
    let mut customers = BTreeSet::new();
    for fact in facts(&told) {
        if let Fact::CallStarted(started) = fact {
            languages.insert(started.language.clone());
            queues.insert(started.queue.clone());
            customers.insert(started.customer.clone());
        }
    }
    assert_eq!(languages.len(), 5, "{languages:?}");
    assert_eq!(queues.len(), 6, "{queues:?}");
    assert!(customers.len() > 150, "{}", customers.len());
}

#[test]
fn a_snapshot_tells_every_live_call_and_what_was_said() {
    let mut platform = platform(7, 50);
    let before = run(&mut platform, 90_000);
    let told = platform.snapshot();
    let Some(Output::Event(first)) = told.first() else {
        panic!("an empty snapshot");
    };
    let Fact::StreamSnapshot { calls } = &first.fact else {
        panic!("{:?}", first.fact);
    };
    let ids: Vec<_> = platform.call_ids().map(CallId::as_str).collect();
    assert_eq!(calls, &ids);
    assert!(matches!(
        told.last(),
        Some(Output::Event(Event {
            fact: Fact::StreamCaughtUp,
            ..
        }))
    ));
    let retold: Vec<_> = events(&told)
        .filter(|event| matches!(&event.fact, Fact::CallStarted(started) if started.resumed))
        .filter_map(|event| event.call.as_ref())
        .collect();
    assert_eq!(retold, platform.call_ids().collect::<Vec<_>>());

    // What was said live is what is told again, word for word and at its own time.
    for id in platform.call_ids() {
        let said = |outputs: &[Output]| {
            events(outputs)
                .filter(|event| event.call.as_ref() == Some(id))
                .filter(|event| matches!(event.fact, Fact::TranscriptFinal { .. }))
                .cloned()
                .collect::<Vec<_>>()
        };
        let (live, again) = (said(&before), said(&told));
        assert!(again.ends_with(&live), "{id}");
    }
}

#[test]
fn a_call_goes_through_its_whole_dialogue() {
    let mut platform = platform(11, 40);
    let told = run(&mut platform, 400_000);
    // A call that began and ended within what was told.
    let whole = events(&told)
        .filter(|event| {
            matches!(&event.fact, Fact::CallEnded { ended_by, .. }
            if *ended_by != EndedBy::Platform)
        })
        .filter_map(|event| event.call.clone())
        .find(|id| {
            events(&told).any(|event| {
                event.call.as_ref() == Some(id) && matches!(event.fact, Fact::CallStarted(_))
            })
        })
        .unwrap();
    let of_call: Vec<_> = events(&told)
        .filter(|event| event.call.as_ref() == Some(&whole))
        .collect();
    let has =
        |matches: fn(&Fact<'static>) -> bool| of_call.iter().any(|event| matches(&event.fact));
    assert!(has(|fact| matches!(fact, Fact::ToolCompleted { .. })));
    assert!(has(|fact| matches!(
        fact,
        Fact::LlmResponseEnded { tool_calls: 1, .. }
    )));
    assert!(has(|fact| matches!(fact, Fact::ServiceLatency { .. })));
    assert!(has(|fact| matches!(fact, Fact::TransportQuality { .. })));
    assert!(has(|fact| matches!(fact, Fact::TranscriptPartial { .. })));
    assert!(has(
        |fact| matches!(fact, Fact::CallUpdated(news) if news.identity.is_some())
    ));
    assert!(has(
        |fact| matches!(fact, Fact::CallUpdated(news) if news.protected == Some(None))
    ));
    assert!(has(
        |fact| matches!(fact, Fact::CallUpdated(news) if !news.slots.is_empty())
    ));
    assert!(has(
        |fact| matches!(fact, Fact::CallUpdated(news) if news.promises.is_some())
    ));
    let by_caller = of_call.iter().filter(|event| {
        matches!(
            event.fact,
            Fact::TranscriptFinal {
                role: UtteranceRole::Caller,
                ..
            }
        )
    });
    assert!(by_caller.count() >= 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever breaks and whatever is commanded, what is told makes sense.
    #[test]
    fn the_stream_is_well_formed_under_faults_and_commands(
        seed in 0..1_000_u64,
        steps in proptest::collection::vec((0..30_usize, 0..40_usize, 500..9_000_i64), 1..40),
    ) {
        let mut platform = platform(seed, 12);
        let mut checks = WellFormed::default();
        checks.read_all(&platform.snapshot());
        for (i, (what, whom, ms)) in steps.into_iter().enumerate() {
            checks.read_all(&commands::some_step(&mut platform, i, what, whom));
            checks.read_all(&run(&mut platform, ms));
        }
        checks.read_all(&run(&mut platform, 240_000));
        checks.every_command_is_answered();
    }
}

#[test]
fn a_payment_lasts_while_its_tool_writes_and_no_longer() {
    let mut platform = platform(11, 40);
    let told = run(&mut platform, 200_000);
    let mut paying = BTreeMap::new();
    let mut payments = 0;
    for event in events(&told) {
        let Some(call) = &event.call else { continue };
        match &event.fact {
            Fact::CallUpdated(news) if news.protected == Some(Some(Protected::Payment)) => {
                assert!(paying.insert(call, false).is_none(), "{event:?}");
            }
            Fact::CallUpdated(news) if news.protected == Some(None) => {
                let wrote = paying.remove(call);
                assert_ne!(wrote, Some(false), "nothing was paid: {event:?}");
                payments += usize::from(wrote.is_some());
            }
            Fact::ToolStarted { writes: true, .. } => {
                paying.entry(call).and_modify(|wrote| *wrote = true);
            }
            Fact::LlmResponseStarted { .. } => {
                assert!(!paying.contains_key(call), "the model is asked: {event:?}");
            }
            _ => {}
        }
    }
    assert!(payments > 10, "{payments}");
}

fn active(outputs: &[Output]) -> Option<&Vec<ActiveFault>> {
    facts(outputs)
        .filter_map(|fact| match fact {
            Fact::DrillFaultsChanged { active } => Some(active),
            _ => None,
        })
        .last()
}
