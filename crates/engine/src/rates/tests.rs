use super::*;

/// A generator of Marsaglia's (xorshift64*): fixed seeds without a dependency.
struct Dice(u64);

impl Dice {
    fn falls(&mut self, permille: u64) -> bool {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % 1_000_000 < permille * 1_000
    }
}

/// The turn at which the rate is told first, of so many; calls take turns.
fn told_at(seed: u64, permille: u64, turns: u32) -> Option<u32> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (mut rates, limits) = (Rates::default(), RateLimits::default());
    let calls = [CallId::new("a"), CallId::new("b"), CallId::new("c")];
    let key = RateKey::Tool("track_order".to_owned());
    let at = Timestamp::from_millis;
    let id = rates.cell(key, at(0), &limits).expect("there is room");
    (1..=turns).find(|turn| {
        let call = &calls[*turn as usize % calls.len()];
        let failed = dice.falls(permille).then(|| (call, EventId::new("e")));
        let change = rates.tried(id, failed, at(i64::from(*turn) * 1_000), &limits);
        change == Some(Change::Risen)
    })
}

#[test]
fn the_base_rate_of_a_healthy_platform_is_never_told() {
    for seed in 1..=20 {
        assert_eq!(told_at(seed, 4, 100_000), None, "seed {seed}");
    }
}

#[test]
fn two_percent_is_told_by_chance_once_in_tens_of_thousands_of_turns() {
    let runs = 60;
    let waited: u64 = (1..=runs)
        .map(|seed| u64::from(told_at(seed, 20, 400_000).unwrap_or(400_000)))
        .sum();
    let mean = waited / runs;
    assert!((25_000..=90_000).contains(&mean), "once in {mean} turns");
}

#[test]
fn a_half_is_told_in_about_eight_turns() {
    let mut turns: Vec<u32> = (1..=200)
        .map(|seed| told_at(seed, 500, 1_000).expect("it is told"))
        .collect();
    turns.sort_unstable();
    let mean = turns.iter().sum::<u32>() as usize / turns.len();
    assert!((7..=9).contains(&mean), "in the mean {mean}");
    let within_ten = turns.iter().filter(|turns| **turns <= 10).count();
    assert!(within_ten >= 150, "{within_ten} of 200 within ten turns");
    assert!(turns[189] <= 16, "95 % within {}", turns[189]);
}

#[test]
fn one_call_that_fails_again_and_again_is_its_own_trouble() {
    let (mut rates, limits) = (Rates::default(), RateLimits::default());
    let key = RateKey::Flow("refund".to_owned());
    let now = Timestamp::from_millis(0);
    let id = rates.cell(key, now, &limits).expect("there is room");
    let mut fail = |call: &str| {
        let call = CallId::new(call);
        rates.tried(id, Some((&call, EventId::new("e"))), now, &limits)
    };
    for _ in 0..20 {
        assert_eq!(fail("a"), None);
    }
    assert_eq!(fail("b"), Some(Change::Risen));
}

#[test]
fn it_is_over_after_23_good_turns_and_told_again_when_twice_as_many_failed() {
    let (mut rates, limits) = (Rates::default(), RateLimits::default());
    let key = RateKey::Flow("refund".to_owned());
    let now = Timestamp::from_millis(0);
    let id = rates.cell(key, now, &limits).expect("there is room");
    let calls = [CallId::new("a"), CallId::new("b")];
    let mut told = Vec::new();
    for n in 0..8_usize {
        let failed = (&calls[n % 2], EventId::new("e"));
        if rates.tried(id, Some(failed), now, &limits).is_some() {
            told.push(n + 1);
        }
    }
    assert_eq!(told, [4, 8]);
    let good = (1..100).find(|_| rates.tried(id, None, now, &limits).is_some());
    assert_eq!(good, Some(23));
    assert_eq!(rates.deadline(&limits), None);
}

#[test]
fn cells_are_bounded_and_make_room_when_they_are_old() {
    let (mut rates, limits) = (Rates::default(), RateLimits::default());
    let key = |n: usize| RateKey::Tool(format!("tool {n}"));
    let at = Timestamp::from_millis;
    for n in 0..CELLS_MAX {
        assert!(rates.cell(key(n), at(0), &limits).is_some());
    }
    assert_eq!(rates.cell(key(CELLS_MAX), at(1_000), &limits), None);
    let later = at(limits.forget_ms);
    assert!(rates.cell(key(CELLS_MAX), later, &limits).is_some());
    assert_eq!((rates.cells.len(), rates.index.len()), (1, 1));
}

#[test]
fn what_nobody_used_since_is_forgotten() {
    let (mut rates, limits) = (Rates::default(), RateLimits::default());
    let now = Timestamp::from_millis(0);
    let key = RateKey::Flow("refund".to_owned());
    let id = rates.cell(key, now, &limits).expect("there is room");
    for n in 0..4 {
        let call = CallId::new(format!("c{n}"));
        rates.tried(id, Some((&call, EventId::new("e"))), now, &limits);
    }
    let due = rates.deadline(&limits).expect("it is told");
    assert_eq!(due, now + limits.forget_ms);
    assert_eq!(rates.forget(due - 1, &limits), []);
    assert_eq!(rates.forget(due, &limits), [id]);
    assert_eq!(rates.deadline(&limits), None);
}
