//! Every task of a developer's day; CI runs the same ones.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Every task of a developer's day; CI runs the same ones")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write the TypeScript types of the window from the Rust types.
    Generate,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Generate => generate(),
    }
}

fn generate() -> anyhow::Result<()> {
    let folder = root().join("ui/src/lib/generated");
    holdfast_protocol::generate::typescript(&folder)
        .with_context(|| format!("write {}", folder.display()))?;
    Ok(())
}

/// The root of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
