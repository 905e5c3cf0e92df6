//! `cargo xtask bench ...`: what things cost, as a table or as one JSON object.

#![expect(clippy::print_stdout, reason = "it speaks to who started it")]
#![expect(
    clippy::print_stderr,
    reason = "progress goes where no figure is read from"
)]

use std::process::Command;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use holdfast_lab::bench::{EVENTS, Took, Warm};
use holdfast_lab::environment::Environment;
use serde_json::{Map, Value, json};

/// How many calls the engine is measured with.
const CALLS: [usize; 2] = [10_000, 100_000];

/// How many calls it is weighed with.
const CALLS_WEIGHED: usize = 10_000;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", about = "What things cost")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Time for an event at 10,000 and 100,000 calls, and memory for a call, all detectors on.
    Engine(Engine),
}

#[derive(Debug, clap::Args)]
struct Engine {
    /// Print one JSON object as the last line, instead of a table.
    #[arg(long)]
    json: bool,
    /// How many rounds of events are timed for each number of calls; the median is told.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The simulator's seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let What::Engine(arguments) = Arguments::parse().what;
    let environment = Environment::begin();
    let mut medians = Map::new();
    let mut raw = Map::new();
    for calls in CALLS {
        eprintln!("{calls} calls");
        let rounds = timed(calls, &arguments);
        medians.insert(calls.to_string(), json!(median(&rounds).round()));
        let rounds: Vec<Value> = rounds
            .iter()
            .map(|took| json!({"ns_per_event": took.ns_per_event(), "calls": took.calls}))
            .collect();
        raw.insert(calls.to_string(), json!(rounds));
    }
    eprintln!("weighing {CALLS_WEIGHED} calls");
    let bytes = weighed(arguments.seed)?.round();
    if !arguments.json {
        for (calls, ns) in &medians {
            println!(
                "{calls:>7} calls: {ns} ns an event (median of {} rounds)",
                arguments.rounds
            );
        }
        println!("{CALLS_WEIGHED:>7} calls: {bytes} bytes a call");
        return Ok(());
    }
    let also = [
        ("seed", json!(arguments.seed)),
        ("rounds", json!(arguments.rounds)),
        ("events_per_round", json!(EVENTS)),
    ];
    let also = also.map(|(key, value)| (key.to_owned(), value)).into_iter();
    let told = json!({
        "ns_per_event": medians,
        "bytes_per_call": {CALLS_WEIGHED.to_string(): bytes},
        "environment": environment.end(also.collect()),
        "raw": raw,
    });
    println!("{told}");
    Ok(())
}

fn timed(calls: usize, arguments: &Engine) -> Vec<Took> {
    let mut warm = Warm::up(calls, arguments.seed);
    (0..arguments.rounds).map(|_| warm.round(EVENTS)).collect()
}

fn median(rounds: &[Took]) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(Took::ns_per_event).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Asks the program beside this one, which counts what is allocated.
fn weighed(seed: u64) -> anyhow::Result<f64> {
    let program = std::env::current_exe()?.with_file_name("holdfast-weigh");
    let output = Command::new(&program)
        .args(["--calls", &CALLS_WEIGHED.to_string()])
        .args(["--seed", &seed.to_string()])
        .output()
        .with_context(|| format!("start {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "weighing failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().context("read the weight of a call")
}
