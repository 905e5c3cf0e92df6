//! Builds the console and opens its window.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::packages::{self, Needs};
use crate::{app, place, step, tools, ui};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Open the window without a display, save a picture of it once it shows live calls, and stop.
    #[arg(long, value_name = "FILE.png")]
    snapshot: Option<PathBuf>,
    /// Build it as it is shipped: faster once it runs, and more than twice as long to build.
    #[arg(long)]
    release: bool,
    /// What the app itself is given, after `--`.
    #[arg(last = true)]
    app: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.snapshot.is_none() && !has_display() {
        bail!(
            "there is no display to open the window on (neither DISPLAY nor WAYLAND_DISPLAY is \
             set). Run it on a desktop, or take a picture of it with \
             `cargo xtask console --snapshot window.png`"
        );
    }
    tools::check_for_console()?;
    packages::ensure(match arguments.snapshot {
        Some(_) => Needs::DrivenWindow,
        None => Needs::Window,
    })?;
    ui::install()?;
    ui::build()?;
    build(arguments.release)?;
    let program = app::program(arguments.release);
    match &arguments.snapshot {
        Some(picture) => snapshot(picture, &program, &arguments.app),
        None => open(&program, &arguments.app),
    }
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .into_iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Without optimization by default, because the first start is what people wait for: on two cores
/// it takes 2 minutes instead of 4.5, and the tests share what it builds. It serves 2,000
/// simulated calls on half a core.
fn build(release: bool) -> anyhow::Result<()> {
    let mut command = step::cargo(&[
        "build",
        "--package",
        "holdfast",
        "--features",
        app::EMBEDDED,
    ]);
    if release {
        command.arg("--release");
    }
    step::must("Build the app", &mut command)
}

fn open(program: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    step::say(&format!("\n==> Open the window\n    {}", program.display()));
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("start {}", program.display()))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The picture is taken by the same harness that tests the window.
fn snapshot(picture: &Path, app: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let picture = std::path::absolute(picture)?;
    let mut command = step::cargo(&["run", "--quiet", "--package", "holdfast-tests"]);
    command
        .args(["--bin", "holdfast-snapshot", "--"])
        .arg(&picture)
        .arg(app)
        .args(arguments)
        .current_dir(place::root());
    step::must("Take a picture of the window", &mut command)?;
    step::say(&format!("    saved {}", picture.display()));
    Ok(ExitCode::SUCCESS)
}
