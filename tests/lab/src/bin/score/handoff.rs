//! `cargo xtask score handoff`: what the cards of simulated calls are worth.

use anyhow::Context as _;
use holdfast_lab::card::{self, Found, Tally};
use holdfast_lab::environment::Environment;
use serde_json::{Map, Value, json};

/// What the goals are: facts that events carry, and what is taken from words.
const GOAL_TOLD: f64 = 0.98;
const GOAL_FROM_WORDS: f64 = 0.9;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one JSON object as the last line, instead of a table.
    #[arg(long)]
    json: bool,
    /// How many calls are live at a time.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    calls: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rounds: u64,
    /// The first seed; the others follow it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated minutes of each round; in eight every fault comes by.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(i64).range(1..=600))]
    minutes: i64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let environment = Environment::begin();
    let calls = usize::try_from(arguments.calls).context("so many calls fit into no memory")?;
    let mut rounds = Vec::new();
    for n in 0..arguments.rounds {
        let seed = arguments.seed.wrapping_add(n);
        eprintln!("  seed {seed}");
        rounds.push((seed, card::run(calls, seed, arguments.minutes * 60_000)?));
    }
    let mut sum = Tally::default();
    for (_, tally) in &rounds {
        sum.add(tally);
    }
    if arguments.json {
        println!("{}", told(arguments, &rounds, &sum, &environment));
    } else {
        print(&sum);
    }
    Ok(())
}

fn told(
    arguments: &Arguments,
    rounds: &[(u64, Tally)],
    sum: &Tally,
    environment: &Environment,
) -> Value {
    let also = [
        ("seed", json!(arguments.seed)),
        ("rounds", json!(arguments.rounds)),
        ("calls", json!(arguments.calls)),
        ("minutes", json!(arguments.minutes)),
    ];
    let also = also.map(|(key, value)| (key.to_owned(), value)).into_iter();
    let raw = rounds.iter().map(|(seed, tally)| {
        let mut told = json!({"seed": seed, "cards": tally.cards, "fields": fields(tally)});
        told["incomplete_unmarked"] = json!(tally.unmarked);
        told
    });
    json!({
        "total": shares(sum.total()),
        "fields": fields(sum),
        "cards": sum.cards,
        "incomplete_unmarked": sum.unmarked,
        "examples": sum.examples,
        "environment": environment.end(also.collect()),
        "raw": raw.collect::<Vec<Value>>(),
    })
}

fn fields(tally: &Tally) -> Map<String, Value> {
    let fields = tally.fields.iter();
    fields
        .map(|(name, found)| ((*name).to_owned(), shares(*found)))
        .collect()
}

fn shares(found: Found) -> Value {
    json!({
        "recall": found.recall(),
        "precision": found.precision(),
        "right": found.right,
        "wrong": found.wrong,
        "missed": found.missed,
    })
}

fn print(sum: &Tally) {
    println!(
        "{:20} {:>8} {:>10} {:>8} {:>7} {:>7} {:>6}",
        "field", "recall", "precision", "right", "wrong", "missed", "goal"
    );
    for (name, found) in &sum.fields {
        let goal = if name.ends_with("_extracted") {
            GOAL_FROM_WORDS
        } else {
            GOAL_TOLD
        };
        print_row(name, *found, goal);
    }
    print_row("total", sum.total(), GOAL_TOLD);
    println!(
        "{} cards; {} parts incomplete and not marked (goal 0)",
        sum.cards, sum.unmarked
    );
}

fn print_row(name: &str, found: Found, goal: f64) {
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |s| format!("{s:.4}"));
    println!(
        "{name:20} {:>8} {:>10} {:>8} {:>7} {:>7} {goal:>6}",
        share(found.recall()),
        share(found.precision()),
        found.right,
        found.wrong,
        found.missed,
    );
}
