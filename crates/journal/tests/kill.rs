//! What was acknowledged survives `kill -9`.
//!
//! The test starts itself as a child that appends for as long as it lives, and kills it.

#![expect(clippy::unwrap_used, reason = "this is a test")]
#![expect(
    clippy::print_stdout,
    reason = "test runners read the name of the test there"
)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use holdfast_journal::Input;
use support::{ToyEngine, at, everything, open};

/// The name of the one test in here.
const NAME: &str = "what_was_acknowledged_survives_a_kill";

/// How often the child is killed, and after how many acknowledgements each time: at different
/// places of the write-ahead log, across its checkpoints and across segments.
const KILLS: [usize; 4] = [1, 37, 150, 400];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, folder] = &arguments[..]
        && role == "child"
    {
        append_for_ever(Path::new(folder));
        return;
    }
    // Test runners ask every test binary what is in it.
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("{NAME}: test");
        }
        return;
    }
    what_was_acknowledged_survives_a_kill();
}

fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for after in KILLS {
        acknowledged = kill_after(folder.path(), after).max(acknowledged);
        let all = everything(folder.path(), at(0));
        let numbers: Vec<u64> = all.inputs.iter().map(|input| input.n).collect();
        assert!(
            numbers.len() as u64 >= acknowledged,
            "{acknowledged} inputs were acknowledged, {} are there",
            numbers.len()
        );
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
        for input in &all.inputs {
            let expected = support::input(input.n);
            assert_eq!(
                (&input.source, &input.payload),
                (&expected.source, &expected.payload)
            );
        }
    }
}

/// Starts a child, kills it after so many acknowledgements, and gives the last one.
fn kill_after(folder: &Path, n_acknowledgements: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("child")
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = 0;
    for line in lines.by_ref().take(n_acknowledgements) {
        last = line.unwrap().parse().unwrap();
    }
    child.kill().unwrap(); // SIGKILL on Unix
    child.wait().unwrap();
    // What was still in the pipe was acknowledged too.
    for line in lines {
        if let Some(number) = line.ok().and_then(|line| line.parse().ok()) {
            last = number;
        }
    }
    last
}

/// Goes on where the killed one stopped: repairs, appends, acknowledges.
fn append_for_ever(folder: &Path) {
    let (mut journal, recovered) = open(folder, at(0)).unwrap();
    let mut engine = ToyEngine { seq: recovered.seq };
    let inputs: Vec<Input> = recovered.inputs.map(Result::unwrap).collect();
    let mut repair = engine.replay(&inputs);
    repair
        .records
        .retain(|record| record.seq > recovered.last_seq);
    repair
        .entries
        .retain(|entry| entry.seq > recovered.last_seq);
    journal.append(&repair).unwrap();
    let mut last_n = match inputs.last() {
        Some(input) => input.n,
        None => recovered.checkpoint.map_or(0, |checkpoint| {
            u64::from_be_bytes(checkpoint.state.try_into().unwrap())
        }),
    };
    let mut out = std::io::stdout();
    loop {
        let batch = engine.batch(last_n + 1..last_n + 21);
        journal.append(&batch).unwrap();
        last_n += 20;
        writeln!(out, "{last_n}").unwrap();
        out.flush().unwrap();
        if last_n.is_multiple_of(2_000) {
            journal
                .rotate(&last_n.to_be_bytes(), engine.seq, at(0))
                .unwrap();
        }
    }
}
