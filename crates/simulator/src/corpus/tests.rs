use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::fact::{Fact, Speaker};

use super::*;
use crate::{Platform, PlatformConfig, WorldKind};

fn play(scenario: &Scenario) -> (Vec<Arrival>, Vec<Harm>) {
    let mut run = Run::new(scenario);
    let mut arrivals = Vec::new();
    let mut harms = Vec::new();
    while let Some(arrival) = run.next() {
        arrivals.push(arrival);
        harms.append(&mut run.take_harms());
    }
    harms.append(&mut run.take_harms());
    (arrivals, harms)
}

fn family(name: &str) -> &'static Family {
    families()
        .iter()
        .find(|family| family.name == name)
        .unwrap()
}

#[test]
fn every_fault_of_every_family_can_be_injected_and_means_its_label() {
    for family in families() {
        for seed in 0..40 {
            let scenario = family.scenario(seed);
            let config = PlatformConfig {
                seed,
                calls: 0,
                instance: "t".to_owned(),
                world: WorldKind::Varied,
                noise: false,
            };
            let mut platform = Platform::new(config, START);
            for step in &scenario.steps {
                if let What::Start { fault, target, .. } = &step.what {
                    let injected = platform.inject(fault, (**target).clone());
                    assert!(injected.is_ok(), "{}: {injected:?}", family.name);
                }
            }
        }
    }
}

#[test]
fn every_dimension_and_every_shape_is_asked_for() {
    let labels: Vec<CauseLabel> = families()
        .iter()
        .flat_map(|family| family.scenario(1).labels)
        .collect();
    let dimensions: BTreeSet<_> = labels
        .iter()
        .flat_map(|label| label.traits.iter().map(|one| one.dimension))
        .collect();
    assert_eq!(dimensions.len(), 10, "{dimensions:?}");
    let shapes: BTreeSet<_> = labels.iter().map(|label| label.shape).collect();
    assert_eq!(shapes.len(), 4, "{shapes:?}");
}

#[test]
fn a_rise_is_told_turn_by_turn_from_its_onset() {
    let scenario = family("llm_rate_vendor_50").scenario(1);
    let mut run = Run::new(&scenario);
    while run.next().is_some() {}
    let turns = run.take_turns();
    let label = &scenario.labels[0];
    assert!(turns.iter().all(|turn| label.from <= turn.at));
    let failed = turns.iter().filter(|turn| turn.failed).count();
    let share = failed as f64 / turns.len() as f64;
    assert!(turns.len() > 100, "{}", turns.len());
    assert!((0.42..0.58).contains(&share), "{share} of {}", turns.len());
    // Before the rise 2 % of the same turns failed, as they may on any day.
    let before: Vec<Harm> = run
        .take_harms()
        .into_iter()
        .filter(|harm| harm.from < label.from && harm.layer == label.layer)
        .collect();
    assert!(before.iter().all(|harm| harm.by == HarmBy::Noise));
    assert!((5..60).contains(&before.len()), "{}", before.len());
}

#[test]
fn a_harm_ends_soon_after_its_caller_was_served() {
    let scenario = family("llm_503_flapping").scenario(1);
    let (_, harms) = play(&scenario);
    let label = &scenario.labels[0];
    let by_it = harms.iter().filter(|harm| harm.by == HarmBy::Fault(0));
    for harm in by_it {
        let until = harm.until.unwrap();
        // The last ten seconds of a fault that comes and goes are well.
        assert!(until <= label.until - 10_000 + 50_000, "{harm:?}");
    }
}

#[test]
fn there_are_forty_families_over_all_layers_and_a_third_is_held_out() {
    let names: BTreeSet<_> = families().iter().map(|family| family.name).collect();
    assert_eq!(names.len(), families().len());
    assert!(names.len() >= 40, "{}", names.len());
    for layer in Layer::ALL {
        assert!(families().iter().any(|family| family.layer == layer));
    }
    let held_out = families().iter().filter(|family| family.held_out).count();
    assert!(held_out * 4 >= names.len(), "{held_out}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let scenario = family("llm_503_vendor").scenario(3);
    assert_eq!(play(&scenario), play(&scenario));
    let other = family("llm_503_vendor").scenario(4);
    assert_ne!(play(&scenario).0, play(&other).0);
}

#[test]
fn a_family_harms_five_calls_and_none_before_its_onset() {
    // A sample over all layers: a run takes seconds without optimization.
    for family in families().iter().step_by(9) {
        let scenario = family.scenario(1);
        let (_, harms) = play(&scenario);
        for (place, label) in scenario.labels.iter().enumerate() {
            let by_it: BTreeSet<&CallId> = harms
                .iter()
                .filter(|harm| harm.by == HarmBy::Fault(place))
                .map(|harm| &harm.call)
                .collect();
            assert!(by_it.len() >= 5, "{}: {} calls", family.name, by_it.len());
            assert!(
                harms
                    .iter()
                    .filter(|harm| harm.by == HarmBy::Fault(place))
                    .all(|harm| harm.from >= label.from && harm.from <= label.until),
                "{}",
                family.name
            );
        }
    }
}

#[test]
fn a_calm_run_has_the_fields_share_of_errors_and_nothing_else() {
    let scenario = calm(5, 200, 600_000);
    let (arrivals, harms) = play(&scenario);
    assert!(harms.iter().all(|harm| harm.by == HarmBy::Noise));
    let count = |is_meant: fn(&Fact<'static>) -> bool| {
        let facts = arrivals.iter().map(|arrival| &arrival.envelope.fact);
        facts.filter(|fact| is_meant(fact)).count() as f64
    };
    let turns = count(|fact| matches!(fact, Fact::TurnEnded { .. }));
    let errors = count(|fact| matches!(fact, Fact::ServiceError { .. })) / turns;
    assert!(
        (0.002..0.006).contains(&errors),
        "{errors} of {turns} turns"
    );
    // Beside the errors there are the waits that callers hear.
    let harmed = harms.len() as f64 / turns;
    assert!(
        (errors..0.03).contains(&harmed),
        "{harmed} of {turns} turns"
    );
}

#[test]
fn every_long_silence_of_a_calm_run_is_labelled_as_a_harm() {
    let scenario = calm(7, 200, 900_000);
    let (arrivals, harms) = play(&scenario);
    let mut waits: BTreeMap<CallId, Timestamp> = BTreeMap::new();
    let mut silences = Vec::new();
    for arrival in &arrivals {
        let envelope = &arrival.envelope;
        let call = CallId::new(envelope.subject.as_ref());
        match &envelope.fact {
            Fact::SpeechStopped {
                actor: Speaker::Caller,
            } => {
                waits.insert(call, envelope.time);
            }
            Fact::SpeechStarted { .. } | Fact::CallEnded { .. } => {
                if let Some(from) = waits.remove(&call) {
                    silences.push((call, from, envelope.time));
                }
            }
            _ => {}
        }
    }
    // Callers who wait at the end.
    silences.extend(
        waits
            .into_iter()
            .map(|(call, from)| (call, from, scenario.end)),
    );
    // What is told has a clock that may be 40 ms behind, and may come 400 ms late.
    silences.retain(|(_, from, until)| until.since(*from) > 3_000);
    assert!(silences.len() > 10, "{silences:?}");
    for (call, from, until) in &silences {
        let is_labelled = harms.iter().any(|harm| {
            harm.call == *call
                && harm.from <= *until
                && harm.until.is_none_or(|harm_until| *from <= harm_until)
        });
        assert!(is_labelled, "{call} from {from:?} to {until:?}");
    }
    // What callers still feel of the time before the run is known too.
    assert!(harms.iter().any(|harm| harm.from < scenario.from));
    // In each layer, since each has its spikes.
    let layers: BTreeSet<Layer> = harms.iter().map(|harm| harm.layer).collect();
    let all = [Layer::Asr, Layer::Llm, Layer::Tts, Layer::Tools];
    assert_eq!(layers, BTreeSet::from(all));
}

#[test]
fn arrivals_are_in_order_and_their_sequence_has_no_gap() {
    let (arrivals, _) = play(&family("region_down").scenario(2));
    for (n, pair) in arrivals.windows(2).enumerate() {
        assert!(pair[0].at <= pair[1].at);
        assert!(pair[0].envelope.time <= pair[0].at);
        assert_eq!(pair[1].envelope.sequence, n as u64 + 2);
    }
}
