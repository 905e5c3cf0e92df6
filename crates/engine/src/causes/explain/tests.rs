use super::*;

/// Vendors are 0 to 2, regions 10 to 12, queues 20 to 25; half of the calls are with vendor 0.
fn world(calls: usize, fails: impl Fn(usize, &[TraitId]) -> bool) -> Vec<Sample> {
    (0..calls)
        .map(|n| {
            let vendor = [0, 0, 1, 2][n % 4];
            let traits = vec![vendor, 10 + (n / 4 % 3) as u32, 20 + (n / 12 % 6) as u32];
            Sample {
                is_failing: fails(n, &traits),
                traits,
            }
        })
        .collect()
}

/// Every value is named, so the last one tells how many there are.
fn explain(samples: &[Sample]) -> Vec<Explanation> {
    let last = samples.iter().flat_map(|sample| &sample.traits).max();
    super::explain(samples, last.map_or(0, |last| *last as usize + 1))
}

fn causes(samples: &[Sample]) -> Vec<Vec<TraitId>> {
    explain(samples)
        .into_iter()
        .map(|found| found.traits)
        .collect()
}

#[test]
fn one_vendor_is_named_and_its_calls_are_its() {
    let samples = world(120, |_, traits| traits[0] == 1);
    let found = explain(&samples);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].traits, [1]);
    assert_eq!(found[0].failing.len(), 30);
    assert_eq!(found[0].elsewhere, (0, 90));
}

#[test]
fn a_pair_is_named_when_each_of_the_two_alone_is_well_elsewhere() {
    let samples = world(240, |_, traits| traits[0] == 0 && traits[1] == 11);
    assert_eq!(causes(&samples), [vec![0, 11]]);
}

#[test]
fn two_causes_at_once_are_told_apart() {
    let samples = world(360, |_, traits| traits[0] == 2 || traits[2] == 23);
    let mut found = causes(&samples);
    found.sort();
    assert_eq!(found, [vec![2], vec![23]]);
}

#[test]
fn two_pairs_that_share_a_trait_are_not_blamed_on_the_trait() {
    let samples = world(720, |_, traits| {
        traits[0] == 0 && (traits[1] == 10 || traits[2] == 25)
    });
    let mut found = causes(&samples);
    found.sort();
    assert_eq!(found, [vec![0, 10], vec![0, 25]]);
}

#[test]
fn a_big_vendor_is_not_blamed_for_being_big() {
    // A queue fails, and half of its calls are with the big vendor.
    let samples = world(240, |_, traits| traits[2] == 21);
    assert_eq!(causes(&samples), [vec![21]]);
}

#[test]
fn a_partial_fault_is_found_by_its_rate() {
    let samples = world(600, |n, traits| traits[0] == 1 && n % 3 == 2 * (n / 12 % 2));
    let share = samples.iter().filter(|sample| sample.is_failing).count();
    assert!((30..=100).contains(&share), "{share}");
    assert_eq!(causes(&samples)[0][0], 1);
}

#[test]
fn what_fails_everywhere_has_no_narrower_cause() {
    let samples = world(60, |_, _| true);
    assert_eq!(causes(&samples), [Vec::<TraitId>::new()]);
}

#[test]
fn single_failures_are_chance() {
    // Seven scattered failures among a thousand: what 0.4 % of turns make in twenty seconds.
    let samples = world(1_000, |n, _| n % 143 == 5);
    assert_eq!(causes(&samples), Vec::<Vec<TraitId>>::new());
    let three = world(8, |n, _| n < 3);
    assert_eq!(causes(&three), Vec::<Vec<TraitId>>::new());
}

#[test]
fn nothing_is_no_cause() {
    assert_eq!(explain(&[]), []);
    assert_eq!(causes(&world(40, |_, _| false)), Vec::<Vec<TraitId>>::new());
}
