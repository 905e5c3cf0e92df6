//! `cargo xtask crash`: the hub is killed while runs are under way, as a table or as one JSON
//! object.

#![expect(clippy::print_stdout, reason = "it speaks to who started it")]
#![expect(
    clippy::print_stderr,
    reason = "progress goes where no figure is read from"
)]

use std::process::ExitCode;

use clap::Parser;
use holdfast_lab::crash::{Plan, Report, campaign};
use holdfast_lab::environment::Environment;
use serde_json::{Value, json};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask crash",
    about = "Kill the hub with SIGKILL while runs are under way, start it again, and hold every \
             record against what the simulated platform really did"
)]
struct Arguments {
    /// Print one JSON object as the last line, instead of a table.
    #[arg(long)]
    json: bool,
    /// How often the hub is killed.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// The moments come from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Concurrent calls.
    #[arg(long, default_value_t = 24)]
    calls: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let environment = Environment::begin();
    let plan = Plan {
        kills: arguments.kills,
        seed: arguments.seed,
        calls: arguments.calls,
    };
    let report = campaign(plan, |line| eprintln!("{line}"))?;
    let also = [
        ("seed", json!(arguments.seed)),
        ("rounds", json!(arguments.kills)),
    ];
    let also = also.map(|(key, value)| (key.to_owned(), value)).into_iter();
    let mut told = told(&report);
    told["environment"] = environment.end(also.collect());
    for fault in report.faults.all() {
        eprintln!("fault: {fault}");
    }
    if arguments.json {
        println!("{told}");
    } else {
        for (key, value) in told.as_object().into_iter().flatten() {
            println!("{key:>18}: {value}");
        }
    }
    Ok(if report.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn told(report: &Report) -> Value {
    let mut restarts = report.restart_ms.clone();
    restarts.sort_unstable();
    let faults = &report.faults;
    json!({
        "kills": report.kills.values().sum::<u32>(),
        "kills_at": report.kills,
        "kills_mid_run": report.mid_run,
        "runs": report.runs.values().sum::<u32>(),
        "runs_ended": report.runs,
        "intents": report.intents,
        "effects": report.effects,
        "asked_again": report.asked_again,
        "unknown_listed": report.unknown_listed,
        "unknown_resolved": report.unknown_resolved,
        "intents_lost": faults.lost.len(),
        "effects_doubled": faults.doubled.len(),
        "unknown_unlisted": faults.unlisted.len(),
        "outcomes_untrue": faults.untrue.len(),
        "restart_ms_p50": restarts.get(restarts.len() / 2),
        "restart_ms_max": restarts.last(),
        "raw": {"restart_ms": report.restart_ms, "faults": faults.all().collect::<Vec<_>>()},
    })
}
