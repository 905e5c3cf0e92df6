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

/// In how many runs the calm is parted, so that more cores have something to do.
pub const CALM_RUNS: u64 = 4;

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
    on_all_cores(&jobs, |(family, seed)| round(family, *seed, listener), told)
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

/// Hours on which nothing is broken but what breaks on any day: [`CALM_RUNS`] runs side by side,
/// with the seeds from `seed` on, that make up the hours together.
pub fn calm(seed: u64, hours: f64, listener: Listener) -> Tally {
    let duration_ms = (hours / CALM_RUNS as f64 * 3_600_000.0) as i64;
    let seeds: Vec<u64> = (0..CALM_RUNS).map(|n| seed.wrapping_add(n)).collect();
    let tallies = on_all_cores(
        &seeds,
        |seed| {
            let mut run = Run::new(&corpus::calm(*seed, CALM_CALLS, duration_ms));
            let (truth, heard) = listen(&mut run, Aim::Nothing, listener);
            judge(&truth, &heard)
        },
        |_| {},
    );
    let mut sum = Tally::default();
    for tally in &tallies {
        sum.add(tally);
    }
    sum
}

/// Does all jobs, as many at once as there are cores; the order of what comes of them does not depend
/// on who was faster. `told` hears of each as it is done.
fn on_all_cores<J: Sync, T: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> T + Sync,
    told: impl Fn(&T),
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut done = BTreeMap::new();
    thread::scope(|scope| {
        let (tell, hear) = mpsc::channel();
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        for _ in 0..workers.min(jobs.len()) {
            let (tell, next, work) = (tell.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(place) else {
                        break;
                    };
                    // The one that listens has gone only if it panicked, which ends the scope.
                    let _ = tell.send((place, work(job)));
                }
            });
        }
        drop(tell);
        for (place, of_job) in hear {
            told(&of_job);
            done.insert(place, of_job);
        }
    });
    done.into_values().collect()
}

/// The counts of all rounds that are wanted.
pub fn sum<'a>(rounds: impl Iterator<Item = &'a Round>) -> Tally {
    let mut sum = Tally::default();
    for round in rounds {
        sum.add(&round.tally);
    }
    sum
}
