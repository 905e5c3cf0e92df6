//! Runs the labelled corpus before a listener, and adds the counts up.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use holdfast_simulator::corpus::{self, Expected, Family, Run};

use crate::listen::{Listener, listen};
use crate::score::{Aim, Tally, judge};

/// How many callers are on the line in the calm that false alarms are counted in.
pub const CALM_CALLS: usize = 1_000;

/// One run of one family.
#[derive(Debug, Clone)]
pub struct Round {
    /// The family.
    pub family: &'static Family,
    /// The seed.
    pub seed: u64,
    /// What came of it.
    pub tally: Tally,
}

/// Each family with each seed, on all cores; the order does not depend on who was faster. `told`
/// hears of each as it is done.
pub fn rounds(
    families: &[&'static Family],
    seeds: &[u64],
    listener: Listener,
    told: impl Fn(&Round),
) -> Vec<Round> {
    let jobs: Vec<(&'static Family, u64)> = families
        .iter()
        .flat_map(|family| seeds.iter().map(|seed| (*family, *seed)))
        .collect();
    let next = AtomicUsize::new(0);
    let mut done = BTreeMap::new();
    thread::scope(|scope| {
        let (tell, hear) = mpsc::channel();
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        for _ in 0..workers.min(jobs.len()) {
            let (tell, next, jobs) = (tell.clone(), &next, &jobs);
            scope.spawn(move || {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    let Some((family, seed)) = jobs.get(job) else {
                        break;
                    };
                    // The one that listens has gone only if it panicked, which ends the scope.
                    let _ = tell.send((job, round(family, *seed, listener)));
                }
            });
        }
        drop(tell);
        for (job, round) in hear {
            told(&round);
            done.insert(job, round);
        }
    });
    done.into_values().collect()
}

fn round(family: &'static Family, seed: u64, listener: Listener) -> Round {
    let mut run = Run::new(&family.scenario(seed));
    let (truth, heard) = listen(&mut run, aim(family), listener);
    Round {
        family,
        seed,
        tally: judge(&truth, &heard),
    }
}

fn aim(family: &Family) -> Aim {
    match family.kind {
        Expected::AliveButEmpty => Aim::AliveButEmpty,
        Expected::DeadAir => Aim::DeadAir,
        Expected::DeadProvider => Aim::DeadProvider,
        Expected::FaultRate => Aim::FaultRate,
        Expected::Latency | Expected::Shared | Expected::Noise => Aim::Nothing,
    }
}

/// A day on which nothing is broken but what breaks on any day.
pub fn calm(seed: u64, hours: f64, listener: Listener) -> Tally {
    let duration_ms = (hours * 3_600_000.0) as i64;
    let mut run = Run::new(&corpus::calm(seed, CALM_CALLS, duration_ms));
    let (truth, heard) = listen(&mut run, Aim::Nothing, listener);
    judge(&truth, &heard)
}

/// The counts of all rounds that are wanted.
pub fn sum<'a>(rounds: impl Iterator<Item = &'a Round>) -> Tally {
    let mut sum = Tally::default();
    for round in rounds {
        sum.add(&round.tally);
    }
    sum
}
