//! Every task of a developer's day; CI runs the same ones.
//!
//! One module per task, on top of [`step`] (run a program, say what and how long) and of what a
//! task needs to be there: [`tools`], [`packages`], [`ui`], [`python`].

#![expect(
    clippy::print_stdout,
    reason = "a task speaks to the person who started it"
)]

mod app;
mod check;
mod console;
mod counts;
mod crash;
mod explore;
mod generate;
mod lab;
mod packages;
mod place;
mod python;
mod step;
mod suite;
mod test;
mod tools;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Every task of a developer's day; CI runs the same ones")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the console and open its window, with a hub and a simulated call platform inside.
    Console(console::Arguments),
    /// Install what is missing, then run every test: Rust, window, Python, whole system.
    Test,
    /// The quick checks before a commit: format, lints, house rules, unit tests in Rust.
    Check,
    /// Search worlds in virtual time for one in which the engine does what it must not.
    Explore(explore::Arguments),
    /// Write what is generated from the Rust types: TypeScript for the window, JSON Schema for bridges.
    Generate,
    /// Score what the product does against labels: `score diagnosis`, `score handoff`.
    Score(lab::Arguments),
    /// Measure what things cost: `bench engine`, `bench failover`, `bench fanout`.
    Bench(lab::Arguments),
    /// Kill the hub at moments by chance while runs are under way: `crash --kills 200 --seed 1`.
    Crash(lab::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Console(arguments) => console::run(&arguments),
        Task::Test => test::run(),
        Task::Check => check::run(),
        Task::Explore(arguments) => explore::run(&arguments),
        Task::Generate => generate::run(),
        Task::Score(arguments) => lab::run(&["holdfast-score"], &arguments),
        Task::Bench(arguments) => lab::run(&["holdfast-bench", "holdfast-weigh"], &arguments),
        Task::Crash(arguments) => crash::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            step::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
