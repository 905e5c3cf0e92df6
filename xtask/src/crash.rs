//! Kills the hub at moments by chance: the hub as what is shipped, and the campaign beside it.

use std::process::ExitCode;

use crate::{lab, step};

/// Builds the hub and runs the campaign.
pub(crate) fn run(arguments: &lab::Arguments) -> anyhow::Result<ExitCode> {
    let mut build = step::cargo(&["build", "--release", "--package", "holdfast-hub"]);
    build.args(["--bin", "holdfast-hub"]);
    step::must("Build the hub that is killed", &mut build)?;
    lab::run(&["holdfast-crash"], arguments)
}
