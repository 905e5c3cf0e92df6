//! Scores and benchmarks: programs of `tests/lab`, built as what is shipped is built.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;

use crate::{place, step};

/// What the program is given as it stands, `--help` included.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// What to measure, and how: `--help` tells.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "WHAT"
    )]
    rest: Vec<String>,
}

/// Builds the lab's programs and runs the first one. It has standard output to itself from then on:
/// the last line of it may be what another program reads.
pub(crate) fn run(programs: &[&str], arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut build = step::cargo(&["build", "--release", "--package", "holdfast-lab"]);
    for program in programs {
        build.args(["--bin", program]);
    }
    step::must("Build what measures", &mut build)?;
    let program = place::target().join("release").join(programs[0]);
    let status = Command::new(&program)
        .current_dir(place::root())
        .args(&arguments.rest)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("start {}", program.display()))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    enum Task {
        Score(Arguments),
    }

    #[test]
    fn the_program_hears_everything_that_follows_its_name() {
        for rest in [
            ["diagnosis", "--json", "--seeds", "2"].as_slice(),
            &["diagnosis", "--help"],
            &["--help"],
        ] {
            let line = ["xtask", "score"].iter().chain(rest);
            let Task::Score(arguments) = Task::try_parse_from(line).unwrap();
            assert_eq!(arguments.rest, rest);
        }
    }
}
