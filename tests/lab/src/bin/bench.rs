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
use holdfast_lab::failover::{Met, Work};
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
    /// From a dead vendor's refusal to the acknowledged switch, at 10,000 live calls.
    Failover(Failover),
    /// 10,000 orders, each with a durable intent, until all are answered; beside a bare loop.
    Fanout(Fanout),
}

#[derive(Debug, clap::Args)]
struct Fanout {
    /// Print one JSON object as the last line, instead of a table.
    #[arg(long)]
    json: bool,
    /// How many times; the medians are told.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Orders in a round.
    #[arg(long, default_value_t = 10_000)]
    commands: usize,
}

#[derive(Debug, clap::Args)]
struct Failover {
    /// Print one JSON object as the last line, instead of a table.
    #[arg(long)]
    json: bool,
    /// How many times the vendor dies, each with a seed of its own.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The first seed of the simulator.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Live calls.
    #[arg(long, default_value_t = 10_000)]
    calls: usize,
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
    match Arguments::parse().what {
        What::Engine(arguments) => engine(&arguments),
        What::Failover(arguments) => failover(&arguments),
        What::Fanout(arguments) => fanout(&arguments),
    }
}

fn fanout(arguments: &Fanout) -> anyhow::Result<()> {
    let environment = Environment::begin();
    let took = holdfast_lab::fanout::rounds(arguments.commands, arguments.rounds)?;
    let ms = |of: fn(&holdfast_lab::fanout::Took) -> std::time::Duration| {
        let mut all: Vec<f64> = took
            .iter()
            .map(|took| of(took).as_secs_f64() * 1e3)
            .collect();
        all.sort_by(f64::total_cmp);
        at_share(&all, 0.5).unwrap_or(f64::NAN)
    };
    let (all_acked, journal, bare) = (
        ms(|took| took.all_acked),
        ms(|took| took.journal),
        ms(|took| took.bare),
    );
    let raw: Vec<Value> = took
        .iter()
        .map(|took| {
            let ms = |of: std::time::Duration| of.as_secs_f64() * 1e3;
            json!({
                "all_acked_ms": ms(took.all_acked), "journal_ms": ms(took.journal),
                "bare_loop_ms": ms(took.bare),
            })
        })
        .collect();
    let also = Map::from_iter([
        ("rounds".to_owned(), json!(arguments.rounds)),
        // Nothing in it is random.
        ("seed".to_owned(), Value::Null),
    ]);
    let told = json!({
        "all_acked_ms": all_acked,
        "journal_ms": journal,
        "bare_loop_ms": bare,
        "ratio": all_acked / bare,
        "commands": arguments.commands,
        "setup": holdfast_lab::fanout::SETUP,
        "environment": environment.end(also),
        "raw": raw,
    });
    if arguments.json {
        println!("{told}");
        return Ok(());
    }
    for key in [
        "commands",
        "all_acked_ms",
        "journal_ms",
        "bare_loop_ms",
        "ratio",
        "setup",
    ] {
        println!("{key:>12}: {}", told[key]);
    }
    Ok(())
}

fn failover(arguments: &Failover) -> anyhow::Result<()> {
    let environment = Environment::begin();
    let mut rounds = Vec::new();
    for n in 0..arguments.rounds {
        eprintln!("round {} of {}", n + 1, arguments.rounds);
        let seed = arguments.seed.wrapping_add(u64::from(n));
        let round = holdfast_lab::failover::round(arguments.calls, seed, Work::Measured)?;
        rounds.push(round);
    }
    let met: Vec<Met> = rounds.iter().flat_map(|round| round.met.clone()).collect();
    let mut totals: Vec<f64> = met.iter().filter_map(Met::total_ms).collect();
    totals.sort_by(f64::total_cmp);
    let mut gaps: Vec<f64> = met.iter().filter_map(Met::gap_ms).collect();
    gaps.sort_by(f64::total_cmp);
    let splits: Vec<[f64; 3]> = met.iter().filter_map(Met::split_ms).collect();
    let split = |n: usize| mean(&splits.iter().map(|split| split[n]).collect::<Vec<_>>());
    let raw: Vec<Value> = rounds
        .iter()
        .map(|round| {
            json!({
                "calls": round.calls, "met": round.met.len(), "ahead": round.ahead,
                "left": round.left, "in_payment": round.in_payment,
                "hub_busy_share": round.hub_busy,
                "total_ms": round.met.iter().map(Met::total_ms).collect::<Vec<_>>(),
            })
        })
        .collect();
    let also = [
        ("seed", json!(arguments.seed)),
        ("rounds", json!(arguments.rounds)),
    ];
    let also = also.map(|(key, value)| (key.to_owned(), value)).into_iter();
    let told = json!({
        "mean_ms": mean(&totals),
        "p50_ms": at_share(&totals, 0.5),
        "p95_ms": at_share(&totals, 0.95),
        "max_ms": totals.last(),
        "recovered_share": totals.len() as f64 / met.len().max(1) as f64,
        "split": {"detect_ms": split(0), "decide_ms": split(1), "apply_ms": split(2)},
        "caller_gap_ms_p95": at_share(&gaps, 0.95),
        "calls": rounds.iter().map(|round| round.calls).min(),
        "affected": met.len(),
        "switched_ahead": rounds.iter().map(|round| round.ahead).sum::<usize>(),
        "setup": holdfast_lab::failover::SETUP,
        "environment": environment.end(also.collect()),
        "raw": raw,
    });
    if arguments.json {
        println!("{told}");
        return Ok(());
    }
    for key in [
        "calls",
        "affected",
        "switched_ahead",
        "mean_ms",
        "p50_ms",
        "p95_ms",
        "max_ms",
        "recovered_share",
        "split",
        "caller_gap_ms_p95",
        "setup",
    ] {
        println!("{key:>18}: {}", told[key]);
    }
    Ok(())
}

fn mean(all: &[f64]) -> Option<f64> {
    (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

/// The value below which this share of the sorted ones lies.
fn at_share(sorted: &[f64], share: f64) -> Option<f64> {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}

fn engine(arguments: &Engine) -> anyhow::Result<()> {
    let environment = Environment::begin();
    let mut medians = Map::new();
    let mut raw = Map::new();
    for calls in CALLS {
        eprintln!("{calls} calls");
        let rounds = timed(calls, arguments);
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
