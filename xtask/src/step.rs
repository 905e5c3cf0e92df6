//! Runs one program as one step: says what begins, shows what it says, says how long it took.
//! A step that does not end is ended, so that whoever started a task gets its summary.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How long a step may take. The longest honest one is the first build of the app, which takes
/// several minutes on two cores; a test that hangs takes for ever.
const LIMIT: Duration = Duration::from_mins(30);

/// How a step ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The program said that all is well.
    pub(crate) succeeded: bool,
    /// What it wrote to its standard output, without colors.
    pub(crate) text: String,
    /// How long it took.
    pub(crate) took: Duration,
}

/// A program with its arguments, to run in `folder`.
pub(crate) fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    command
}

/// Cargo, in the root of the checkout.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    command(&crate::place::root(), &cargo, arguments)
}

/// Runs it; its standard output is both shown and kept. An error means that it did not start.
pub(crate) fn run(title: &str, command: &mut Command) -> anyhow::Result<Outcome> {
    run_within(LIMIT, title, command)
}

fn run_within(limit: Duration, title: &str, command: &mut Command) -> anyhow::Result<Outcome> {
    say(&format!("\n==> {title}\n    {}", line_of(command)));
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", command.get_program().display()))?;
    let stdout = child.stdout.take().context("its output was not captured")?;
    let (ended, guard) = mpsc::channel::<()>();
    let id = child.id();
    let guard = thread::spawn(move || {
        let is_late = guard.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if is_late {
            say(&format!(
                "    did not end within {:.0} s, so it is ended",
                limit.as_secs_f64()
            ));
            end_with_descendants(id);
        }
    });
    let mut text = String::new();
    let mut lines = BufReader::new(stdout);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let shown = String::from_utf8_lossy(&line);
        print!("{shown}");
        text.push_str(&without_colors(&shown));
        line.clear();
    }
    let succeeded = child.wait()?.success();
    drop(ended);
    // It ends at once, now that nobody can tell it anything; a panic in it is its own affair.
    let _ = guard.join();
    let took = began.elapsed();
    let word = if succeeded { "done" } else { "FAILED" };
    say(&format!("    {word}: {title}, {:.1} s", took.as_secs_f64()));
    Ok(Outcome {
        succeeded,
        text,
        took,
    })
}

/// Runs it; an error when it fails.
pub(crate) fn must(title: &str, command: &mut Command) -> anyhow::Result<()> {
    if !run(title, command)?.succeeded {
        bail!("{title} failed; what it said stands above");
    }
    Ok(())
}

/// Ends a program and all that it started: a test that hangs is a grandchild of ours, and holds our
/// pipe open. Steps stay in our own process group, so that Ctrl-C reaches them.
fn end_with_descendants(id: u32) {
    let processes: Vec<(u32, u32)> = output("ps", &["-e", "-o", "pid=,ppid="])
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect();
    let mut ids = vec![id];
    let mut next = 0;
    while let Some(&parent) = ids.get(next) {
        ids.extend(
            processes
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(child, _)| child),
        );
        next += 1;
    }
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    // An error means that one of them has ended by itself.
    let _ = Command::new("kill")
        .arg("-KILL")
        .args(&ids)
        .stderr(Stdio::null())
        .status();
}

/// What a program says on its standard output; None when it is missing or fails.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Says a line. Steps' own output goes to the same place, so the order is what happened.
pub(crate) fn say(text: &str) {
    println!("{text}");
    // A reader that has gone away is no reason to stop a build.
    let _ = std::io::stdout().flush();
}

/// Asks a yes-or-no question; no when nobody can answer.
pub(crate) fn agrees(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

fn line_of(command: &Command) -> String {
    // The program's name will do: where it lies is the machine's affair.
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let mut line = name.display().to_string();
    for argument in command.get_args() {
        // Writing to a string cannot fail.
        let _ = write!(line, " {}", argument.display());
    }
    line
}

/// The same text without the escape sequences that color it.
fn without_colors(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // Up to the letter that ends the sequence: ESC [ 3 2 m.
            for inside in characters.by_ref() {
                if inside.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_taken_out() {
        assert_eq!(
            without_colors("\u{1b}[1m\u{1b}[32m 38 passed\u{1b}[39m (38)"),
            " 38 passed (38)"
        );
    }

    #[test]
    fn a_failing_program_is_told_from_one_that_succeeds() {
        let here = Path::new(".");
        let failed = run("fail", &mut command(here, "sh", &["-c", "echo no; exit 3"])).unwrap();
        assert!(!failed.succeeded);
        assert_eq!(failed.text, "no\n");
        assert!(
            run("succeed", &mut command(here, "true", &[]))
                .unwrap()
                .succeeded
        );
        assert!(must("fail", &mut command(here, "false", &[])).is_err());
        assert!(run("start", &mut command(here, "no-such-program", &[])).is_err());
    }

    #[test]
    fn what_hangs_is_ended_with_what_it_started() {
        // The shell's child holds the pipe open: ending the shell alone would wait for it.
        let script = "sleep 600 & sleep 600; echo never";
        let mut hangs = command(Path::new("."), "sh", &["-c", script]);
        let outcome = run_within(Duration::from_millis(200), "hang", &mut hangs).unwrap();
        assert!(!outcome.succeeded && outcome.took < Duration::from_mins(1));
        assert_eq!(outcome.text, "");
    }
}
