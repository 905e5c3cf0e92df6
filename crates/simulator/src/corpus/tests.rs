use std::collections::BTreeSet;

use super::*;

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
    let turns = arrivals
        .iter()
        .filter(|arrival| {
            matches!(
                arrival.envelope.fact,
                holdfast_domain::fact::Fact::TurnEnded { .. }
            )
        })
        .count();
    let share = harms.len() as f64 / turns as f64;
    assert!((0.002..0.009).contains(&share), "{share} of {turns} turns");
}

#[test]
fn arrivals_are_in_order_and_their_sequence_has_no_gap() {
    let (arrivals, _) = play(&family("region_down").scenario(2));
    for (n, pair) in arrivals.windows(2).enumerate() {
        assert!(pair[0].at <= pair[1].at);
        assert_eq!(pair[1].envelope.sequence, n as u64 + 2);
    }
}
