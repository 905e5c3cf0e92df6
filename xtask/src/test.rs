//! Every test that there is, in one run.
//!
//! First what is quick to fail, then what needs a build.
//! The workspace is built once, with every target and the features of the shipped app; the tests
//! of the whole system and of the real window use the programs of that same build.

use std::process::ExitCode;

use crate::counts::Runner;
use crate::packages::{self, Needs};
use crate::suite::Suite;
use crate::{app, check, python, step, tools, ui};

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    tools::check_for_tests()?;
    packages::ensure(Needs::Everything)?;

    let mut suite = Suite::begin();
    suite.check(
        "Rust: format",
        &mut step::cargo(&["fmt", "--all", "--check"]),
    );
    let window = test_window(&mut suite);
    let bridge = test_bridge(&mut suite);
    test_rust(&mut suite, window, bridge);
    Ok(suite.finish())
}

/// The window's sources. True when their built files are there.
fn test_window(suite: &mut Suite) -> bool {
    if !suite.prepare("Window: packages", ui::install) {
        suite.skip(
            "Window: lint, types, tests, build",
            "the installation of its packages",
        );
        return false;
    }
    suite.check("Window: lint", &mut ui::npm(&["run", "--silent", "lint"]));
    suite.check("Window: types", &mut ui::npm(&["run", "--silent", "check"]));
    suite.tests(
        "Window: tests",
        Runner::Vitest,
        &mut ui::npm(&["run", "--silent", "test"]),
    );
    suite.prepare("Window: build", ui::build)
}

/// The bridge for Pipecat. True when its environment is there.
fn test_bridge(suite: &mut Suite) -> bool {
    if !suite.prepare("Bridge: packages", python::install) {
        suite.skip(
            "Bridge: lint, types, tests",
            "the installation of its packages",
        );
        return false;
    }
    suite.check("Bridge: lint", &mut python::tool("ruff", &["check", "."]));
    suite.check(
        "Bridge: format",
        &mut python::tool("ruff", &["format", "--check", "."]),
    );
    suite.check("Bridge: types", &mut python::tool("mypy", &[]));
    suite.tests(
        "Bridge: tests",
        Runner::Pytest,
        &mut python::tool("pytest", &["--color=no"]),
    );
    true
}

fn test_rust(suite: &mut Suite, window: bool, bridge: bool) {
    if !window {
        suite.skip(
            "Rust: lints, build, tests",
            "the build of the window, which the app embeds,",
        );
        return;
    }
    suite.check("Rust: lints", &mut check::clippy());
    let build = [
        "build",
        "--workspace",
        "--all-targets",
        "--features",
        app::EMBEDDED,
    ];
    if !suite.check("Rust: build", &mut step::cargo(&build)) {
        suite.skip("Rust: tests", "the build");
        return;
    }
    let mut test = step::cargo(&[
        "test",
        "--workspace",
        "--no-fail-fast",
        "--features",
        app::EMBEDDED,
    ]);
    suite.tests(
        "Rust: tests, whole system, real window",
        Runner::Cargo,
        &mut test,
    );
    if !bridge {
        suite.skip(
            "Whole system: with the bridge",
            "the installation of its packages",
        );
    }
}
