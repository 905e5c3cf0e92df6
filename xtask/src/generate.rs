//! Writes what is generated from the Rust types. Tests hold the committed files to them.

use std::process::ExitCode;

use crate::{place, step};

/// The generator is a program of the protocol's: linked into this one, it would have everybody who
/// only wants to open the window build the protocol twice.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut command = step::cargo(&["run", "--quiet", "--package", "holdfast-protocol"]);
    command
        .args(["--example", "generate", "--"])
        .arg(place::root());
    step::must("Generate from the Rust types", &mut command)?;
    Ok(ExitCode::SUCCESS)
}
