//! `cargo xtask score ...`: scores from labels, as a table or as one JSON object.

#![expect(clippy::print_stdout, reason = "it speaks to who started it")]
#![expect(
    clippy::print_stderr,
    reason = "progress goes where no figure is read from"
)]

mod handoff;

use anyhow::bail;
use clap::{Parser, Subcommand};
use holdfast_domain::DurationMs;
use holdfast_lab::diagnosis::{self, CALM_CALLS, CALM_RUNS, Round};
use holdfast_lab::environment::Environment;
use holdfast_lab::listen::Listener;
use holdfast_lab::score::{Figures, Tally, percentile};
use holdfast_simulator::corpus::{self, Expected, Family};
use serde_json::{Map, Value, json};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask score",
    about = "Scores of what the product does, from labels"
)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run the simulator's fault corpus in virtual time and hold what the engine says against what
    /// was really broken.
    Diagnosis(Diagnosis),
    /// Hold the handoff cards of simulated calls against what the calls really hold.
    Handoff(handoff::Arguments),
}

#[derive(Debug, clap::Args)]
struct Diagnosis {
    /// Print one JSON object as the last line, instead of a table.
    #[arg(long)]
    json: bool,
    /// How many seeds each family is run with.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed; the others follow it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these families.
    #[arg(long, value_delimiter = ',')]
    families: Vec<String>,
    /// Only the families that nobody looked at while building.
    #[arg(long, conflicts_with = "families")]
    held_out: bool,
    /// Simulated hours of calm in which false alarms are counted; 0 leaves it out.
    #[arg(long, default_value_t = 24.0)]
    hours: f64,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Diagnosis(arguments) => diagnose(&arguments),
        What::Handoff(arguments) => handoff::run(&arguments),
    }
}

fn diagnose(arguments: &Diagnosis) -> anyhow::Result<()> {
    let families = chosen(arguments)?;
    if !(0.0..=1_000.0).contains(&arguments.hours) {
        bail!("--hours is a number from 0 to 1000");
    }
    let environment = Environment::begin();
    let score = Score::of(arguments, &families);
    if arguments.json {
        println!("{}", score.told(arguments, &environment));
    } else {
        score.print();
    }
    Ok(())
}

fn chosen(arguments: &Diagnosis) -> anyhow::Result<Vec<&'static Family>> {
    let all = corpus::families();
    if let Some(unknown) = arguments
        .families
        .iter()
        .find(|name| !all.iter().any(|family| family.name == name.as_str()))
    {
        let names: Vec<&str> = all.iter().map(|family| family.name).collect();
        bail!(
            "there is no family {unknown:?}; there are: {}",
            names.join(", ")
        );
    }
    let chosen = all.iter().filter(|family| {
        if arguments.held_out {
            family.held_out
        } else {
            arguments.families.is_empty()
                || arguments.families.iter().any(|name| name == family.name)
        }
    });
    Ok(chosen.collect())
}

/// Everything that was counted.
struct Score {
    families: Vec<&'static Family>,
    rounds: Vec<Round>,
    /// The engine with its detectors off, on the first seed.
    deaf: Tally,
    /// Nobody, on the first seed.
    nobody: Tally,
    calm: Option<Tally>,
}

impl Score {
    fn of(arguments: &Diagnosis, families: &[&'static Family]) -> Self {
        let seeds: Vec<u64> = (0..arguments.seeds)
            .map(|n| arguments.seed.wrapping_add(n))
            .collect();
        let first = &seeds[..1];
        let told = |round: &Round| eprintln!("  {} seed {}", round.family.name, round.seed);
        let run = |seeds, listener| {
            eprintln!("{listener:?}");
            diagnosis::rounds(families, seeds, listener, told)
        };
        let rounds = run(&seeds, Listener::Engine);
        let deaf = diagnosis::sum(run(first, Listener::Deaf).iter());
        let nobody = diagnosis::sum(run(first, Listener::Nobody).iter());
        let calm = (arguments.hours > 0.0).then(|| {
            eprintln!("calm, {CALM_CALLS} calls for {} h", arguments.hours);
            diagnosis::calm(arguments.seed, arguments.hours, Listener::Engine)
        });
        Self {
            families: families.to_vec(),
            rounds,
            deaf,
            nobody,
            calm,
        }
    }

    fn sum(&self, is_meant: impl Fn(&Family) -> bool) -> Tally {
        diagnosis::sum(self.rounds.iter().filter(|round| is_meant(round.family)))
    }

    /// The figures of a sum, with false alarms from the calm: those of a run in which much is
    /// broken say nothing of a day.
    fn total(&self, is_meant: impl Fn(&Family) -> bool) -> Value {
        let mut told = self.sum(is_meant).told();
        told["false_alarms_per_day"] = json!(self.false_alarms_per_day());
        told
    }

    fn false_alarms_per_day(&self) -> Option<f64> {
        Figures::of(self.calm.as_ref()?).false_alarms_per_day
    }

    fn empty_delay_ms_p95(&self) -> Option<DurationMs> {
        let tally = self.sum(|family| matches!(family.kind, Expected::AliveButEmpty));
        percentile(&tally.delays_ms, 95)
    }

    fn over_limit_ms(&self, percent: usize) -> Option<DurationMs> {
        let tally = self.sum(|family| matches!(family.kind, Expected::DeadAir));
        percentile(&tally.over_limit_ms, percent)
    }

    fn provider_delay_ms_p95(&self) -> Option<DurationMs> {
        let tally = self.sum(|family| matches!(family.kind, Expected::DeadProvider));
        percentile(&tally.provider_delays_ms, 95)
    }

    fn rate_turns_p95(&self) -> Option<u64> {
        let tally = self.sum(|family| matches!(family.kind, Expected::FaultRate));
        percentile(&tally.rate_turns, 95)
    }

    fn told(&self, arguments: &Diagnosis, environment: &Environment) -> Value {
        let families: Map<String, Value> = self
            .families
            .iter()
            .map(|family| {
                let mut told = self.sum(|one| one.name == family.name).told();
                told["layer"] = json!(family.layer.as_str());
                told["held_out"] = json!(family.held_out);
                (family.name.to_owned(), told)
            })
            .collect();
        let held_out: Vec<&str> = self
            .families
            .iter()
            .filter(|family| family.held_out)
            .map(|family| family.name)
            .collect();
        let raw: Vec<Value> = self
            .rounds
            .iter()
            .map(|round| {
                let mut told = round.tally.told();
                told["family"] = json!(round.family.name);
                told["seed"] = json!(round.seed);
                told
            })
            .collect();
        let deaf = Figures::of(&self.deaf);
        let nobody = Figures::of(&self.nobody);
        let calm = self.calm.as_ref().map(|tally| {
            let mut told = tally.told();
            told["calls"] = json!(CALM_CALLS);
            told["runs"] = json!(CALM_RUNS);
            // Figures for a day that are not from a whole day say so.
            told["extrapolated"] = json!(arguments.hours < 24.0);
            told
        });
        let also = [
            ("seed", json!(arguments.seed)),
            ("seeds", json!(arguments.seeds)),
            ("rounds", json!(self.rounds.len())),
            ("calm_hours", json!(arguments.hours)),
        ];
        let also = also.map(|(key, value)| (key.to_owned(), value)).into_iter();
        json!({
            "total": self.total(|_| true),
            "held_out_total": self.total(|family| family.held_out),
            "families": families,
            "held_out": held_out,
            "control": {
                "layer_accuracy": deaf.layer_accuracy,
                "cause_recall": deaf.cause_recall,
                "nobody": {"layer_accuracy": nobody.layer_accuracy, "cause_recall": nobody.cause_recall},
            },
            "calm": calm,
            "alive_but_empty": {"delay_ms_p95": self.empty_delay_ms_p95()},
            "dead_air": {
                "over_limit_ms_max": self.over_limit_ms(100),
                "over_limit_ms_p95": self.over_limit_ms(95),
            },
            "dead_provider": {"delay_ms_p95": self.provider_delay_ms_p95()},
            "fault_rate": {"turns_p95": self.rate_turns_p95()},
            "environment": environment.end(also.collect()),
            "raw": raw,
        })
    }

    fn print(&self) {
        println!(
            "{:32} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>6}",
            "family", "harmed", "layer", "cause p", "cause r", "p50 ms", "p95 ms", "false"
        );
        for family in &self.families {
            let mark = if family.held_out { "*" } else { "" };
            let tally = self.sum(|one| one.name == family.name);
            print_row(&format!("{}{mark}", family.name), &tally);
        }
        print_row("total", &self.sum(|_| true));
        print_row("held out (*)", &self.sum(|family| family.held_out));
        print_row("control: detectors off", &self.deaf);
        print_row("control: nobody", &self.nobody);
        println!();
        print_target(
            "alive but empty, delay p95",
            self.empty_delay_ms_p95(),
            "ms",
            1_500,
        );
        print_target(
            "dead air, over its limit, max",
            self.over_limit_ms(100),
            "ms",
            250,
        );
        print_target(
            "dead provider, delay p95",
            self.provider_delay_ms_p95(),
            "ms",
            1_000,
        );
        let turns = self.rate_turns_p95().map(|turns| turns as i64);
        print_target("risen fault rate, turns p95", turns, "turns", 10);
        if let (Some(calm), Some(per_day)) = (&self.calm, self.false_alarms_per_day()) {
            println!(
                "{:32} {per_day:.1} a day with {CALM_CALLS} calls ({} groups, {} calls in {:.1} h of \
                 {CALM_RUNS} runs)",
                "false alarms",
                calm.false_groups,
                calm.false_levels,
                calm.simulated_ms as f64 / 3_600_000.0
            );
        }
    }
}

fn print_row(name: &str, tally: &Tally) {
    let figures = Figures::of(tally);
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}", share * 100.0))
    };
    let ms = |ms: Option<DurationMs>| ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
    println!(
        "{name:32} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>6}",
        tally.harmed,
        percent(figures.layer_accuracy),
        percent(figures.cause_precision),
        percent(figures.cause_recall),
        ms(figures.delay_ms_p50),
        ms(figures.delay_ms_p95),
        tally.false_groups + tally.false_levels,
    );
}

fn print_target(name: &str, value: Option<i64>, unit: &str, target: i64) {
    let value = value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    println!("{name:32} {value} {unit} (target {target})");
}
