//! Searches worlds in virtual time for one in which the engine does what it must not.
//!
//! A world follows from its seed alone, so whatever is found is found again with one command.

#![expect(
    clippy::print_stdout,
    reason = "a search speaks to the person who started it"
)]

mod blind;
mod habits;
mod line;
mod model;
mod plan;
mod records;
mod rows;
mod whole;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use clap::Parser;
use holdfast_protocol::clock;

use plan::{Habit, Plan};
use whole::Whole;
use world::World;

/// What a checker found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong(pub(crate) String);

/// Says that something is wrong.
pub(crate) fn wrong<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong(what.into()))
}

#[derive(Debug, Parser)]
#[command(about = "Searches worlds in virtual time for one in which the engine does wrong")]
struct Arguments {
    /// Search for so long.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Live through this one world instead.
    #[arg(long)]
    seed: Option<u64>,
    /// Stop after so many steps.
    #[arg(long, requires = "seed")]
    steps: Option<u64>,
    /// Leave these habits out.
    #[arg(long, requires = "seed", value_delimiter = ',')]
    without: Vec<Habit>,
}

/// A world that went wrong.
#[derive(Debug, Clone)]
struct Found {
    plan: Plan,
    step: u64,
    age_ms: i64,
    wrong: Wrong,
}

/// What worlds amounted to.
#[derive(Debug, Clone, Copy, Default)]
struct Lived {
    worlds: u64,
    steps: u64,
    age_ms: i64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => replay(seed, &arguments),
        None => search(arguments.minutes),
    }
}

fn replay(seed: u64, arguments: &Arguments) -> ExitCode {
    let mut plan = Plan::of_seed(seed);
    if let Some(steps) = arguments.steps {
        plan.steps = steps;
    }
    plan.habits
        .retain(|habit| !arguments.without.contains(habit));
    match live(&plan) {
        Ok(lived) => {
            println!(
                "seed {seed}: {} steps, {} s, all well",
                lived.steps,
                lived.age_ms / 1_000
            );
            ExitCode::SUCCESS
        }
        Err(found) => {
            tell(&found);
            ExitCode::FAILURE
        }
    }
}

/// Lives through new worlds on every core until the time is over or one goes wrong.
fn search(minutes: f64) -> ExitCode {
    let first: u32 = rand::random();
    let next = AtomicU64::new(u64::from(first));
    let (ended, ends) = mpsc::channel();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    println!("searching for {minutes} minutes from seed {first} on {threads} cores");
    let mut sum = Lived::default();
    let stop = AtomicBool::new(false);
    let over = clock::now() + (minutes * 60_000.0) as i64;
    let found = thread::scope(|scope| {
        for _ in 0..threads {
            let (ended, next, stop) = (ended.clone(), &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && clock::now() < over {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if ended.send(live(&Plan::of_seed(seed))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(ended);
        let mut found = None;
        for end in ends {
            match end {
                Ok(lived) => {
                    sum.worlds += 1;
                    sum.steps += lived.steps;
                    sum.age_ms += lived.age_ms;
                }
                Err(one) => {
                    stop.store(true, Ordering::Relaxed);
                    found = Some(one);
                }
            }
        }
        found
    });
    println!(
        "{} worlds, {} steps, {:.1} hours of their time",
        sum.worlds,
        sum.steps,
        sum.age_ms as f64 / 3_600_000.0
    );
    match found {
        None => ExitCode::SUCCESS,
        Some(found) => {
            tell(&narrow(*found));
            ExitCode::FAILURE
        }
    }
}

fn live(plan: &Plan) -> Result<Lived, Box<Found>> {
    let (outcome, steps, age_ms) = if plan.is_whole {
        match Whole::new(plan.clone()) {
            Ok(mut whole) => (guard(|| whole.live()), whole.steps, whole.age_ms()),
            Err(wrong) => (Err(wrong), 0, 0),
        }
    } else {
        let mut world = World::new(plan.clone());
        (guard(|| world.live()), world.steps, world.age_ms())
    };
    match outcome {
        Ok(()) => Ok(Lived {
            worlds: 1,
            steps,
            age_ms,
        }),
        Err(wrong) => Err(Box::new(Found {
            plan: plan.clone(),
            step: steps,
            age_ms,
            wrong,
        })),
    }
}

/// A panic is a find like any other.
fn guard(live: impl FnOnce() -> Result<(), Wrong>) -> Result<(), Wrong> {
    catch_unwind(AssertUnwindSafe(live)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        wrong(format!("panic: {}", words.unwrap_or("without words")))
    })
}

/// Leaves out one habit after the other, as long as something still goes wrong.
fn narrow(found: Found) -> Found {
    let mut found = found;
    for habit in Habit::ALL {
        let mut plan = found.plan.clone();
        plan.steps = found.step.max(1) * 2;
        if plan.habits.remove(&habit)
            && let Err(narrower) = live(&plan)
        {
            found = *narrower;
        }
    }
    found
}

fn tell(found: &Found) {
    let Found {
        plan,
        step,
        age_ms,
        wrong,
    } = found;
    let of_seed = Plan::of_seed(plan.seed).habits;
    let left_out: Vec<String> = of_seed
        .difference(&plan.habits)
        .map(Habit::to_string)
        .collect();
    println!(
        "seed {} goes wrong in step {step}, after {age_ms} ms:",
        plan.seed
    );
    println!("  {}", wrong.0);
    println!("again: cargo xtask explore --seed {}", plan.seed);
    if !left_out.is_empty() {
        println!(
            "less:  cargo xtask explore --seed {} --steps {step} --without {}",
            plan.seed,
            left_out.join(",")
        );
    }
}

#[cfg(test)]
mod tests;
