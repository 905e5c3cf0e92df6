//! `cargo xtask score handoff`: what the cards of simulated calls are worth, and the masks.

use anyhow::Context as _;
use holdfast_lab::card::{self, Found, Tally};
use holdfast_lab::environment::Environment;
use holdfast_lab::handoffs::{self, Outcome};
use holdfast_lab::masking;
use serde_json::{Map, Value, json};

/// What the goals are: facts that events carry, and what is taken from words.
const GOAL_TOLD: f64 = 0.98;
const GOAL_FROM_WORDS: f64 = 0.9;
/// How much of what must be kept nowhere goes, and how much of what goes is that.
const GOAL_MASK_RECALL: f64 = 0.999;
const GOAL_MASK_PRECISION: f64 = 0.98;

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
    /// How many texts with planted numbers and decoys each round masks.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    texts: u64,
    /// Floors on which everything fails while calls go to humans, each a seed; about two seconds
    /// each.
    #[arg(long, default_value_t = 1_000)]
    floors: u64,
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
    let mut floors = Outcome::default();
    for n in 0..arguments.floors {
        let seed = arguments.seed.wrapping_add(n);
        let outcome = handoffs::floor(seed).with_context(|| format!("floor {seed}"))?;
        if let Some(example) = &outcome.example {
            eprintln!("  floor {seed}: {example}");
        } else if seed.is_multiple_of(50) {
            eprintln!("  floor {seed}");
        }
        floors.add(&outcome);
    }
    let mut sum = Tally::default();
    for (_, tally) in &rounds {
        sum.add(tally);
    }
    let mut masks = masking::Tally::default();
    for (seed, _) in &rounds {
        masks.add(&masking::run(arguments.texts, *seed));
    }
    if arguments.json {
        let scores = Scores {
            rounds,
            sum,
            floors,
            masks,
        };
        println!("{}", told(arguments, &scores, &environment));
    } else {
        print(&sum);
        print_floors(&floors, arguments.floors);
        print_masks(&masks);
    }
    Ok(())
}

/// Everything that was counted.
struct Scores {
    rounds: Vec<(u64, Tally)>,
    sum: Tally,
    floors: Outcome,
    masks: masking::Tally,
}

fn told(arguments: &Arguments, scores: &Scores, environment: &Environment) -> Value {
    let Scores {
        rounds,
        sum,
        floors,
        masks,
    } = scores;
    let also = [
        ("seed", json!(arguments.seed)),
        ("rounds", json!(arguments.rounds)),
        ("calls", json!(arguments.calls)),
        ("minutes", json!(arguments.minutes)),
        ("texts", json!(arguments.texts)),
        ("floors", json!(arguments.floors)),
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
        "lost": floors.lost,
        "incomplete_unmarked": sum.unmarked + floors.unmarked,
        "stateless": floors.stateless,
        "floors": {
            "handoffs": floors.handoffs,
            "confirmed": floors.confirmed,
            "failed": floors.failed,
            "crashes": floors.crashes,
            "example": floors.example,
        },
        "examples": sum.examples,
        "masking": masking_told(masks),
        "environment": environment.end(also.collect()),
        "raw": raw.collect::<Vec<Value>>(),
    })
}

fn masking_told(masks: &masking::Tally) -> Value {
    let shares = |count: &masking::Count| {
        json!({
            "recall": count.recall(),
            "precision": count.precision(),
            "planted": count.planted,
            "gone": count.gone,
            "masked": count.masked,
            "needless": count.needless,
        })
    };
    let families: Map<String, Value> = masks
        .families
        .iter()
        .map(|(family, count)| ((*family).to_owned(), shares(count)))
        .collect();
    let mut told = shares(&masks.total());
    told["families"] = json!(families);
    told["examples"] = json!(masks.examples);
    told
}

fn print_masks(masks: &masking::Tally) {
    println!(
        "\n{:20} {:>8} {:>10} {:>8} {:>8} {:>8} {:>8}",
        "masking", "recall", "precision", "planted", "gone", "masked", "needless"
    );
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |s| format!("{s:.4}"));
    let total = masks.total();
    let families = masks.families.iter().map(|(name, count)| (*name, *count));
    for (name, count) in families.chain([("total", total)]) {
        println!(
            "{name:20} {:>8} {:>10} {:>8} {:>8} {:>8} {:>8}",
            share(count.recall()),
            share(count.precision()),
            count.planted,
            count.gone,
            count.masked,
            count.needless
        );
    }
    println!("goal: recall {GOAL_MASK_RECALL}, precision {GOAL_MASK_PRECISION}");
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

fn print_floors(floors: &Outcome, n: u64) {
    println!(
        "{n} floors, {} power cuts: {} handoffs, {} confirmed, {} ended otherwise; {} lost, {} cards \
         unmarked, {} callers in no state (goal 0 each)",
        floors.crashes,
        floors.handoffs,
        floors.confirmed,
        floors.failed,
        floors.lost,
        floors.unmarked,
        floors.stateless,
    );
    if let Some(example) = &floors.example {
        println!("first: {example}");
    }
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
