//! Weighs the engine: prints the bytes on the heap for each live call, as a number.
//!
//! Its own program, because counting what is allocated would slow down what the benchmark times.

#![expect(clippy::print_stdout, reason = "its one number is what it is for")]

use std::alloc;

use cap::Cap;
use clap::Parser;
use holdfast_lab::bench::{EVENTS, Warm};

#[global_allocator]
static HEAP: Cap<alloc::System> = Cap::new(alloc::System, usize::MAX);

#[derive(Debug, Parser)]
struct Arguments {
    /// How many calls are live.
    #[arg(long)]
    calls: usize,
    /// The simulator's seed.
    #[arg(long)]
    seed: u64,
}

fn main() {
    let arguments = Arguments::parse();
    let mut warm = Warm::up(arguments.calls, arguments.seed);
    warm.round(EVENTS);
    let calls = warm.calls();
    let before = HEAP.allocated();
    // What is given back when the engine goes is exactly what it held; the lines stay.
    let lines = warm.into_lines();
    let held = before.saturating_sub(HEAP.allocated());
    drop(lines);
    println!("{}", held as f64 / calls.max(1) as f64);
}
