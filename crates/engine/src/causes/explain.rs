//! The smallest cause that failing calls share and healthy calls of the same moment do not.
//!
//! Two questions, asked in this order:
//!
//! 1. Is anything wrong at all? For a set of calls, the log-likelihood ratio of its own failing
//!    rate against the base rate of the field (Wald's sequential test). Chance makes single
//!    failures; it does not make four of four.
//! 2. Which set is it? The partition of all calls into explained sets and a rest that describes
//!    the outcomes in the fewest nats, with a price for each trait (minimum description length).
//!    A big provider is not blamed for being big, because its healthy calls cost as much as its
//!    failing ones win.
//!
//! Pure: no call, no clock, no configuration beyond its arguments.

use std::collections::BTreeMap;

/// A trait value, interned; its order is the order of preference between equal explanations.
pub(super) type TraitId = u32;

/// The failing share of turns on a platform without a fault, at most. The field measures about
/// 0.4 %; 1 % leaves room for a platform that is worse.
const BASE_RATE: f64 = 0.01;

/// Nats of evidence against the base rate that an explanation needs. Four of four failing calls
/// give 18, three of three 14; with a few hundred candidate sets and a few thousand independent
/// moments a day, 15 keeps chance alarms below one in a hundred days.
const ALARM_NATS: f64 = 15.0;

/// An explanation covers at least so many failing calls.
pub(super) const FAILING_MIN: u32 = 3;

/// An explained set fails at least at this rate: p1 of the fault flags' CUSUM, so that a partial
/// fault is grouped and a worse luck than usual is not.
const RATE_MIN: f64 = 0.15;

/// The most separate causes in one layer; more than three at once were never told of.
const CAUSES_MAX: usize = 3;

/// How many first choices are followed to their end.
const BEAM: usize = 4;

/// One call's last word on a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// Its traits, ascending.
    pub(super) traits: Vec<TraitId>,
    /// It fails; else it did the same work well at the same time.
    pub(super) is_failing: bool,
}

/// A set of calls that fail for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Explanation {
    /// At most two, ascending; empty for every call.
    pub(super) traits: Vec<TraitId>,
    /// Places of its failing samples.
    pub(super) failing: Vec<usize>,
    /// Failing and all samples outside of every explanation.
    pub(super) elsewhere: (u32, u32),
}

/// Failing and all samples of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    failing: u32,
    all: u32,
}

impl Tally {
    fn see(&mut self, sample: &Sample) {
        self.failing += u32::from(sample.is_failing);
        self.all += 1;
    }

    fn without(self, other: Self) -> Self {
        Self {
            failing: self.failing - other.failing,
            all: self.all - other.all,
        }
    }

    fn rate(self) -> f64 {
        if self.all == 0 {
            0.0
        } else {
            f64::from(self.failing) / f64::from(self.all)
        }
    }

    /// The log-likelihood of the outcomes under their own rate: 0 when all are alike.
    fn nats(self) -> f64 {
        let (k, n) = (f64::from(self.failing), f64::from(self.all));
        let part = |count: f64| {
            if count > 0.0 {
                count * (count / n).ln()
            } else {
                0.0
            }
        };
        part(k) + part(n - k)
    }

    /// How much better its own rate explains it than the base rate.
    fn alarm_nats(self) -> f64 {
        let (k, n) = (f64::from(self.failing), f64::from(self.all));
        self.nats() - k * BASE_RATE.ln() - (n - k) * (1.0 - BASE_RATE).ln()
    }

    fn is_alarming(self) -> bool {
        self.failing >= FAILING_MIN && self.rate() >= RATE_MIN && self.alarm_nats() >= ALARM_NATS
    }
}

/// The causes behind `samples`, in the order in which they explain most; empty when chance
/// explains them. `n_values` is how many trait values the failing calls have in all: samples need
/// to name only those that [`FAILING_MIN`] failing calls share, because no other can be a cause.
pub(super) fn explain(samples: &[Sample], n_values: usize) -> Vec<Explanation> {
    let all: Vec<usize> = (0..samples.len()).collect();
    let mut whole = Tally::default();
    for sample in samples {
        whole.see(sample);
    }
    // What each trait costs: naming one of the values that occur.
    let price = (n_values as f64).ln().max(1.0) + 0.5 * f64::from(whole.all.max(1)).ln();
    let mut best: Option<(f64, Vec<Vec<TraitId>>)> = None;
    // Everything fails alike: no trait is needed.
    if whole.is_alarming() {
        best = Some((whole.nats(), vec![Vec::new()]));
    }
    for first in candidates(samples, &all, price).into_iter().take(BEAM) {
        let (worth, sets) = follow(samples, &all, first, price);
        if best.as_ref().is_none_or(|(most, _)| worth > *most + 1e-9) {
            best = Some((worth, sets));
        }
    }
    best.map_or_else(Vec::new, |(_, sets)| carve(samples, sets))
}

/// Takes `first` out and explains the rest the same way, greedily. The worth is the likelihood of
/// the whole partition less the price of its traits.
fn follow(
    samples: &[Sample],
    all: &[usize],
    first: Vec<TraitId>,
    price: f64,
) -> (f64, Vec<Vec<TraitId>>) {
    let mut rest = all.to_vec();
    let mut worth = 0.0;
    let mut sets: Vec<Vec<TraitId>> = Vec::new();
    let mut next = Some(first);
    while let Some(set) = next.take() {
        let mut inside = Tally::default();
        rest.retain(|place| {
            let is_inside = contains(&samples[*place], &set);
            if is_inside {
                inside.see(&samples[*place]);
            }
            !is_inside
        });
        worth += inside.nats() - price * set.len() as f64;
        sets.push(set);
        if sets.len() < CAUSES_MAX {
            next = candidates(samples, &rest, price).into_iter().next();
        }
    }
    let mut left = Tally::default();
    for place in rest {
        left.see(&samples[place]);
    }
    (worth + left.nats(), sets)
}

/// The sets that fail as chance does not, those that explain `places` best first.
fn candidates(samples: &[Sample], places: &[usize], price: f64) -> Vec<Vec<TraitId>> {
    let mut of_failing: BTreeMap<TraitId, u32> = BTreeMap::new();
    let mut whole = Tally::default();
    for place in places {
        let sample = &samples[*place];
        whole.see(sample);
        if sample.is_failing {
            for id in &sample.traits {
                *of_failing.entry(*id).or_default() += 1;
            }
        }
    }
    of_failing.retain(|_, failing| *failing >= FAILING_MIN);
    let ids: Vec<TraitId> = of_failing.into_keys().collect();
    let n = ids.len();
    // Singles on the diagonal, pairs above it.
    let mut tallies = vec![Tally::default(); n * n];
    let mut has: Vec<usize> = Vec::new();
    for place in places {
        let sample = &samples[*place];
        has.clear();
        has.extend(
            sample
                .traits
                .iter()
                .filter_map(|id| ids.binary_search(id).ok()),
        );
        for (at, one) in has.iter().enumerate() {
            for other in &has[at..] {
                tallies[one * n + other].see(sample);
            }
        }
    }
    let base = whole.nats();
    let mut found: Vec<(f64, Vec<TraitId>)> = Vec::new();
    for one in 0..n {
        for other in one..n {
            let inside = tallies[one * n + other];
            let outside = whole.without(inside);
            if !inside.is_alarming() || inside.rate() <= outside.rate() {
                continue;
            }
            let set = if one == other {
                vec![ids[one]]
            } else {
                vec![ids[one], ids[other]]
            };
            let worth = inside.nats() + outside.nats() - base - price * set.len() as f64;
            if worth > 0.0 {
                found.push((worth, set));
            }
        }
    }
    // Equal worth: fewer traits, then those that come first.
    found.sort_by(|(a, left), (b, right)| {
        b.total_cmp(a)
            .then(left.len().cmp(&right.len()))
            .then(left.cmp(right))
    });
    found.into_iter().map(|(_, set)| set).collect()
}

fn contains(sample: &Sample, set: &[TraitId]) -> bool {
    set.iter().all(|id| sample.traits.binary_search(id).is_ok())
}

/// Gives each failing sample to the first set that has it.
fn carve(samples: &[Sample], sets: Vec<Vec<TraitId>>) -> Vec<Explanation> {
    let mut outside = Tally::default();
    let mut found: Vec<Explanation> = sets
        .into_iter()
        .map(|traits| Explanation {
            traits,
            failing: Vec::new(),
            elsewhere: (0, 0),
        })
        .collect();
    for (place, sample) in samples.iter().enumerate() {
        match found.iter_mut().find(|set| contains(sample, &set.traits)) {
            Some(set) if sample.is_failing => set.failing.push(place),
            Some(_) => {}
            None => outside.see(sample),
        }
    }
    for set in &mut found {
        set.elsewhere = (outside.failing, outside.all);
    }
    found
}

#[cfg(test)]
mod tests;
