//! What to run before a commit: everything that tells something within a minute or so.

use std::process::ExitCode;

use crate::counts::Runner;
use crate::suite::Suite;
use crate::{app, step, tools, ui};

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    tools::check_for_console()?;
    let mut suite = Suite::begin();
    suite.check(
        "Rust: format",
        &mut step::cargo(&["fmt", "--all", "--check"]),
    );
    // The app embeds the window's files, so they have to be there before it compiles.
    if suite.prepare("Window: packages", ui::install) {
        suite.check("Window: lint", &mut ui::npm(&["run", "--silent", "lint"]));
        suite.check("Window: types", &mut ui::npm(&["run", "--silent", "check"]));
        suite.prepare("Window: build", ui::build);
    }
    suite.check("Rust: lints", &mut clippy());
    suite.tests(
        "Rust: unit tests and house rules",
        Runner::Cargo,
        &mut step::cargo(&[
            "test",
            "--workspace",
            "--no-fail-fast",
            "--features",
            app::EMBEDDED,
            "--lib",
            "--bins",
            "--test",
            "house",
        ]),
    );
    Ok(suite.finish())
}

/// Every warning is an error. The features are those of the tests, so that both share artifacts.
pub(crate) fn clippy() -> std::process::Command {
    step::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        app::EMBEDDED,
        "--",
        "--deny",
        "warnings",
    ])
}
