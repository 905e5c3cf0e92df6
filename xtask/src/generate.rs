//! Writes what is generated from the Rust types. Tests hold the committed files to them.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::place;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let folder = place::ui().join("src/lib/generated");
    holdfast_protocol::generate::typescript(&folder)
        .with_context(|| format!("write {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
