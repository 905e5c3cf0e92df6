//! Searches worlds in virtual time, or lives through one of them again.

use std::process::ExitCode;

use crate::step;

/// What the search takes; it explains itself with `--help`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// `--minutes N` searches; `--seed S` lives through one world again.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// The search is a program of its own, built for speed: a minute of it is hours of virtual time.
/// It runs without a limit, because its length is what it was asked for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut command = step::cargo(&["run", "--quiet", "--release", "--package", "holdfast-lab"]);
    command.args(["--bin", "explore", "--"]);
    command.args(&arguments.rest);
    let ended = command.status()?;
    Ok(if ended.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
