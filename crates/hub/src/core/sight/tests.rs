use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + ms)
}

/// Looks every 50 ms from `from` until `to`, both included, with nothing in the way.
fn calm(sight: &mut Sight, from: i64, to: i64) -> Vec<(i64, Change)> {
    (from..=to)
        .step_by(50)
        .filter_map(|ms| Some((ms, sight.look(at(ms), at(ms), None)?)))
        .collect()
}

#[test]
fn a_hub_that_keeps_up_sees() {
    let mut sight = Sight::default();
    for ms in (0..60_000).step_by(50) {
        // The wall clock gains a millisecond a second, and inputs wait for a while.
        let wall = at(ms + ms / 1_000);
        assert_eq!(sight.look(at(ms), wall, Some(at(ms - 900))), None);
    }
    assert_eq!(sight.told(at(60_000)), None);
}

#[test]
fn an_input_that_waited_blinds_until_the_backlog_is_gone() {
    let mut sight = Sight::default();
    assert_eq!(calm(&mut sight, 0, 100), []);
    let late = |sight: &mut Sight, ms, arrived| sight.look(at(ms), at(ms), Some(at(arrived)));
    assert_eq!(
        late(&mut sight, 150, -1_000),
        Some(Change::Blind(BlindReason::OwnLag))
    );
    assert_eq!(late(&mut sight, 200, -900), None, "it is told once");
    let told = sight.told(at(200)).unwrap();
    assert_eq!((told.since, told.lasted_ms), (at(-1_000), 1_200));
    assert!(!told.is_over);
    assert_eq!(calm(&mut sight, 250, 1_150), []);
    assert_eq!(late(&mut sight, 1_190, 100), None, "it swings");
    assert_eq!(
        calm(&mut sight, 1_240, 2_400),
        [(2_190, Change::Sees)],
        "a second after the last late input"
    );
    assert_eq!(sight.blind(), None);
}

#[test]
fn a_look_that_comes_late_means_that_the_machine_slept() {
    let mut sight = Sight::default();
    calm(&mut sight, 0, 100);
    assert_eq!(sight.look(at(2_100), at(2_100), None), None, "only busy");
    assert_eq!(
        sight.look(at(62_100), at(62_100), Some(at(2_000))),
        Some(Change::Blind(BlindReason::Suspended))
    );
    let told = sight.told(at(62_100)).unwrap();
    assert_eq!((told.since, told.lasted_ms), (at(2_100), 60_000));
    // What waited meanwhile is its consequence.
    assert_eq!(sight.look(at(62_150), at(62_150), Some(at(2_000))), None);
    assert_eq!(sight.blind(), Some(BlindReason::Suspended));
}

#[test]
fn a_wall_clock_that_is_set_blinds_in_both_directions() {
    for set in [3_600_000, -3_600_000] {
        let mut sight = Sight::default();
        calm(&mut sight, 0, 100);
        assert_eq!(
            sight.look(at(150), at(150 + set), None),
            Some(Change::Blind(BlindReason::ClockJump)),
            "{set}"
        );
        assert_eq!(sight.look(at(200), at(200 + set), None), None, "{set}");
        assert_eq!(sight.told(at(200)).unwrap().since, at(100), "{set}");
    }
}

#[test]
fn a_clock_that_is_set_after_a_sleep_is_still_told() {
    let mut sight = Sight::default();
    calm(&mut sight, 0, 100);
    sight.look(at(9_000), at(9_000), None);
    assert_eq!(
        sight.look(at(9_050), at(14_050), None),
        Some(Change::Blind(BlindReason::ClockJump))
    );
    let told = sight.told(at(9_050)).unwrap();
    assert_eq!(told.reason, BlindReason::Suspended, "it explains more");
    // And both at once.
    let mut sight = Sight::default();
    calm(&mut sight, 0, 100);
    assert_eq!(
        sight.look(at(9_000), at(14_000), None),
        Some(Change::Blind(BlindReason::ClockJump))
    );
}

#[test]
fn sleep_explains_more_than_lag() {
    let mut sight = Sight::default();
    sight.look(at(0), at(0), Some(at(-2_000)));
    assert_eq!(
        sight.look(at(9_000), at(9_000), None),
        Some(Change::Blind(BlindReason::Suspended))
    );
    assert_eq!(sight.told(at(9_000)).unwrap().since, at(-2_000));
}

#[test]
fn a_blindness_that_is_over_is_told_for_half_a_minute() {
    let mut sight = Sight::default();
    sight.look(at(0), at(0), Some(at(-2_000)));
    assert_eq!(calm(&mut sight, 50, 1_000), [(1_000, Change::Sees)]);
    let told = sight.told(at(30_999)).unwrap();
    assert_eq!((told.lasted_ms, told.is_over), (3_000, true));
    assert_eq!(sight.told(at(31_000)), None);
}
