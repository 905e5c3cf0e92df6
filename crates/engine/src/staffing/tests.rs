use proptest::prelude::*;

use super::*;

fn staffing(arrivals_per_hour: f64, handle_s: f64, humans: u32, patience_s: f64) -> Staffing {
    Staffing::new(arrivals_per_hour, handle_s, humans, patience_s).unwrap()
}

fn close(found: f64, expected: f64, relative: f64) {
    let off = (found - expected).abs();
    assert!(
        off <= expected.abs() * relative + 1e-12,
        "{found} is not {expected}"
    );
}

/// The probability of waiting and of leaving, from the equilibrium of the birth and death chain
/// itself, state by state.
fn chain(arrivals_per_hour: f64, handle_s: f64, humans: u32, patience_s: f64) -> (f64, f64) {
    let arrive = arrivals_per_hour / 3_600.0;
    let (mut term, mut total, mut waits, mut queue) = (1.0_f64, 0.0, 0.0, 0.0);
    for n in 0..200_000_u32 {
        total += term;
        let waiting = f64::from(n.saturating_sub(humans));
        if n >= humans {
            waits += term;
            queue += term * waiting;
        }
        let served = f64::from((n + 1).min(humans)) / handle_s;
        let left = f64::from((n + 1).saturating_sub(humans)) / patience_s;
        term *= arrive / (served + left);
        if term > 1e200 {
            (term, total, waits, queue) =
                (term / 1e200, total / 1e200, waits / 1e200, queue / 1e200);
        }
        if n > humans && term < total * 1e-18 {
            break;
        }
    }
    (waits / total, queue / total / patience_s / arrive)
}

/// Garnett, Mandelbaum and Reiman, "Designing a call center with impatient customers" (2002): 48
/// calls a minute of one minute, 50 agents, patience of two minutes give 3.1 % abandoned, a mean
/// wait of 3.7 s, 93 % busy; and 20.8 s and 96 % with callers who never leave.
#[test]
fn it_gives_the_published_values() {
    let found = staffing(48.0 * 60.0, 60.0, 50, 120.0).predict();
    close(found.abandoned_share, 0.031, 0.005);
    close(found.mean_wait_s, 3.7, 0.005);
    close(found.occupancy, 0.93, 0.005);
    let patient = staffing(48.0 * 60.0, 60.0, 50, SECONDS_MAX).predict();
    close(patient.mean_wait_s, 20.8, 0.03);
    close(patient.occupancy, 0.96, 0.005);
}

/// Computed from the chain with 60 decimal digits.
#[test]
fn it_gives_values_computed_another_way() {
    for (arrivals, handle, humans, patience, [wait, mean, abandoned]) in [
        (
            2_880.0,
            60.0,
            50,
            120.0,
            [
                0.467_774_068_553_790_4,
                3.709_469_899_463_186,
                0.030_912_249_162_193_216,
            ],
        ),
        (
            3_000.0,
            240.0,
            150,
            90.0,
            [
                0.988_605_902_811_087_4,
                22.518_346_136_007_217,
                0.250_203_845_955_635_7,
            ],
        ),
        (
            120.0,
            300.0,
            8,
            180.0,
            [
                0.707_617_280_876_361_4,
                47.001_584_257_546_69,
                0.261_119_912_541_926,
            ],
        ),
        (
            60.0,
            300.0,
            100,
            60.0,
            [
                5.979_498_384_823_691e-91,
                1.785_402_028_406_854_7e-90,
                2.975_670_044_734_758e-92,
            ],
        ),
        (
            36_000.0,
            180.0,
            1_800,
            120.0,
            [
                0.452_946_516_025_030_1,
                1.242_298_063_380_094_2,
                0.010_352_483_861_500_785,
            ],
        ),
        (
            36_000.0,
            300.0,
            2_500,
            60.0,
            [
                0.999_987_223_140_162_9,
                10.000_001_501_265_906,
                0.166_666_691_687_765_1,
            ],
        ),
        (
            100.0,
            600.0,
            1,
            30.0,
            [
                0.973_753_490_180_581,
                28.247_243_717_674_955,
                0.941_574_790_589_165_2,
            ],
        ),
        (
            20_000.0,
            420.0,
            2_400,
            150.0,
            [
                0.069_373_200_176_697_11,
                0.200_582_919_220_584_58,
                0.001_337_219_461_470_564,
            ],
        ),
        (
            1_200.0,
            180.0,
            60,
            86_400.0,
            [
                0.957_791_763_283_085_5,
                388.460_898_745_114_8,
                0.004_496_075_216_957_347,
            ],
        ),
    ] {
        let found = staffing(arrivals, handle, humans, patience).predict();
        close(found.wait_probability, wait, 1e-9);
        close(found.mean_wait_s, mean, 1e-9);
        close(found.abandoned_share, abandoned, 1e-9);
    }
}

#[test]
fn patient_callers_are_those_of_erlang_c() {
    for (load, humans) in [(8.0, 10), (45.0, 50), (1_900.0, 2_000)] {
        let handle_s = 1.0;
        let found = staffing(load * 3_600.0 / handle_s, handle_s, humans, SECONDS_MAX).predict();
        let blocked = erlang_b(humans, load);
        let busy = load / f64::from(humans);
        let wait = blocked / (1.0 - busy * (1.0 - blocked));
        close(found.wait_probability, wait, 1e-3);
        close(
            found.mean_wait_s,
            wait * handle_s / (f64::from(humans) - load),
            2e-3,
        );
        // The wait of those who wait is exponential.
        let share = 1.0 - wait / 2.0;
        let median = found.wait_s_quantile(share).unwrap().unwrap();
        close(
            median,
            2_f64.ln() * handle_s / (f64::from(humans) - load),
            2e-3,
        );
    }
}

#[test]
fn nobody_waits_where_humans_are_plenty_and_everybody_leaves_where_there_are_none() {
    let plenty = staffing(600.0, 300.0, HUMANS_MAX, 60.0).predict();
    close(plenty.wait_probability, 0.0, 0.0);
    close(plenty.abandoned_share, 0.0, 0.0);
    assert_eq!(plenty.wait_s_quantile(0.99).unwrap(), Some(0.0));
    let none = staffing(600.0, 300.0, 0, 60.0).predict();
    close(none.abandoned_share, 1.0, 0.0);
    close(none.mean_wait_s, 60.0, 0.0);
    assert_eq!(none.wait_s_quantile(0.5).unwrap(), None);
    let quiet = staffing(0.0, 300.0, 3, 60.0).predict();
    close(quiet.wait_probability, 0.0, 0.0);
    assert_eq!(quiet.wait_s_quantile(0.5).unwrap(), Some(0.0));
}

#[test]
fn a_flood_on_thousands_of_humans_is_finite() {
    let flood = staffing(ARRIVALS_PER_HOUR_MAX, 600.0, 5_000, SECONDS_MAX).predict();
    // What humans cannot take leaves: the fluid limit.
    let load = ARRIVALS_PER_HOUR_MAX / 3_600.0 * 600.0;
    close(flood.abandoned_share, 1.0 - 5_000.0 / load, 1e-6);
    close(flood.wait_probability, 1.0, 1e-9);
    close(flood.occupancy, 1.0, 1e-6);
    let median = flood.wait_s_quantile(0.5).unwrap().unwrap();
    let fluid = (load / 5_000.0).ln() * SECONDS_MAX;
    close(median, fluid, 1e-2);
}

/// P(V > t) of one human whom everybody waits for is known in closed form.
#[test]
fn the_quantile_of_one_patient_human_is_known() {
    // M/M/1 with busy 0.5: P(V > t) = 0.5 e^(-(1 - 0.5) t / handle).
    let found = staffing(6.0, 300.0, 1, SECONDS_MAX).predict();
    let ninety = found.wait_s_quantile(0.9).unwrap().unwrap();
    close(ninety, 5_f64.ln() * 300.0 / 0.5, 2e-2);
}

#[test]
fn what_is_no_queue_is_refused_with_its_reason() {
    let nan = f64::NAN;
    assert!(Staffing::new(nan, 300.0, 1, 60.0).is_err());
    for (result, words) in [
        (Staffing::new(-1.0, 300.0, 1, 60.0), "calls an hour"),
        (
            Staffing::new(f64::INFINITY, 300.0, 1, 60.0),
            "calls an hour",
        ),
        (Staffing::new(1.0, nan, 1, 60.0), "handling time"),
        (Staffing::new(1.0, 0.0, 1, 60.0), "handling time"),
        (Staffing::new(1.0, 300.0, 1, nan), "patience"),
        (Staffing::new(1.0, 300.0, 1, 1e9), "patience"),
        (Staffing::new(1.0, 300.0, u32::MAX, 60.0), "too many"),
    ] {
        let said = result.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    let found = staffing(60.0, 300.0, 1, 60.0).predict();
    for share in [nan, -0.1, 1.0, f64::INFINITY] {
        assert!(found.wait_s_quantile(share).is_err());
    }
}

proptest! {
    #[test]
    fn it_agrees_with_the_chain(
        load in 0.01_f64..120.0,
        handle in 10_f64..2_000.0,
        humans in 1_u32..100,
        patience in 5_f64..2_000.0,
    ) {
        let arrivals = load * 3_600.0 / handle;
        let found = staffing(arrivals, handle, humans, patience).predict();
        let (wait, abandoned) = chain(arrivals, handle, humans, patience);
        close(found.wait_probability, wait, 1e-7);
        close(found.abandoned_share, abandoned, 1e-7);
    }

    #[test]
    fn no_input_panics_and_shares_are_shares(
        arrivals in any::<f64>(),
        handle in prop_oneof![any::<f64>(), Just(SECONDS_MIN), Just(SECONDS_MAX)],
        humans in prop_oneof![any::<u32>(), 0_u32..3, Just(HUMANS_MAX)],
        patience in prop_oneof![any::<f64>(), Just(SECONDS_MIN), Just(SECONDS_MAX)],
        rate in 0.0..ARRIVALS_PER_HOUR_MAX,
        share in any::<f64>(),
    ) {
        for arrivals in [arrivals, rate, 1e-300] {
            let Ok(staffing) = Staffing::new(arrivals, handle, humans, patience) else {
                continue;
            };
            let found = staffing.predict();
            for value in [found.wait_probability, found.abandoned_share, found.occupancy] {
                prop_assert!((0.0..=1.0).contains(&value), "{staffing:?} {found:?}");
            }
            prop_assert!(found.mean_wait_s >= 0.0 && found.mean_wait_s <= SECONDS_MAX);
            for share in [share, 0.9] {
                if let Ok(Some(seconds)) = found.wait_s_quantile(share) {
                    prop_assert!(seconds.is_finite() && seconds >= 0.0);
                }
            }
        }
    }

    #[test]
    fn more_humans_never_mean_more_waiting(
        load in 0.5_f64..300.0,
        humans in 1_u32..300,
        patience in 10_f64..600.0,
    ) {
        let of = |humans| staffing(load * 12.0, 300.0, humans, patience).predict();
        let (few, more) = (of(humans), of(humans + 1));
        prop_assert!(more.wait_probability <= few.wait_probability + 1e-12);
        prop_assert!(more.mean_wait_s <= few.mean_wait_s + 1e-9);
        let ninety = |found: PredictedWait| found.wait_s_quantile(0.9).unwrap().unwrap();
        prop_assert!(ninety(more) <= ninety(few) + 1e-6);
    }
}
