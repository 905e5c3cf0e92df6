//! The Debian packages that Holdfast needs, in one place, and how they get onto the machine.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::step;

/// To build the window and to open it on a desktop.
const TO_BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "libwebkit2gtk-4.1-dev", // the web view
];

/// To open the window without a display, and to drive it.
const TO_DRIVE: &[&str] = &[
    "xvfb",              // a display in memory
    "dbus-daemon",       // a session bus of its own
    "at-spi2-core",      // what GTK asks that bus for
    "webkit2gtk-driver", // WebDriver for the web view
    "fonts-dejavu-core", // without any font the window shows boxes
    "procps",            // to end what hangs
];

/// To make Python's virtual environments, where Python is Debian's own.
const PYTHON_VENV: &str = "python3-venv";

/// What the task at hand needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Build the window and open it.
    Window,
    /// Also drive it without a display.
    DrivenWindow,
    /// Also make a virtual environment.
    Everything,
}

/// Makes sure that the packages are there.
pub(crate) fn ensure(needs: Needs) -> anyhow::Result<()> {
    let wanted = wanted(needs);
    if !Path::new("/usr/bin/dpkg-query").exists() {
        return without_debian(&wanted);
    }
    let missing = missing(&wanted, &installed(&wanted));
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if step::output("id", &["-u"]).is_some_and(|id| id.trim() == "0") {
        return install(&missing, &[]);
    }
    step::say(&format!("These Debian packages are missing: {list}"));
    if !step::agrees("Install them with sudo now?")? {
        bail!("packages are missing; install them with: sudo apt-get install {list}");
    }
    install(&missing, &["sudo"])
}

fn wanted(needs: Needs) -> Vec<&'static str> {
    let mut wanted = TO_BUILD.to_vec();
    if needs != Needs::Window {
        wanted.extend(TO_DRIVE);
    }
    // A Python from elsewhere brings its own venv, and Debian's package would not help it.
    if needs == Needs::Everything
        && step::output("python3", &["-c", "import ensurepip, venv"]).is_none()
    {
        wanted.push(PYTHON_VENV);
    }
    wanted
}

/// What dpkg says of the wanted packages, one "status name" a line.
fn installed(wanted: &[&str]) -> String {
    // It fails when one is unknown, and still names the others: so the status is not looked at.
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status} ${Package}\n"])
        .args(wanted)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

fn missing<'a>(wanted: &[&'a str], installed: &str) -> Vec<&'a str> {
    wanted
        .iter()
        .copied()
        .filter(|package| {
            !installed
                .lines()
                .any(|line| line == format!("installed {package}"))
        })
        .collect()
}

fn install(missing: &[&str], before: &[&str]) -> anyhow::Result<()> {
    let apt = |arguments: &[&str]| {
        let mut words: Vec<&str> = before.to_vec();
        words.extend([
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "--quiet",
        ]);
        words.extend(arguments);
        step::command(&crate::place::root(), words[0], &words[1..])
    };
    step::must("Look up Debian packages", &mut apt(&["update"]))?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(missing);
    step::must("Install Debian packages", &mut apt(&arguments))
}

/// Elsewhere: the packages have other names, so say what is meant.
fn without_debian(wanted: &[&str]) -> anyhow::Result<()> {
    if step::output("pkg-config", &["--exists", "webkit2gtk-4.1"]).is_some() {
        return Ok(());
    }
    bail!(
        "this is no Debian, so nothing was installed. Please install what these Debian packages \
         hold: {}. (Tauri lists their names per system: https://v2.tauri.app/start/prerequisites)",
        wanted.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_fully_installed_counts() {
        let said = "installed xvfb\nconfig-files dbus-daemon\nnot-installed at-spi2-core\n";
        assert_eq!(
            missing(&["xvfb", "dbus-daemon", "at-spi2-core", "pkg-config"], said),
            ["dbus-daemon", "at-spi2-core", "pkg-config"]
        );
    }

    #[test]
    fn a_driven_window_needs_more_than_an_open_one() {
        assert!(!wanted(Needs::Window).contains(&"xvfb"));
        assert!(wanted(Needs::DrivenWindow).contains(&"xvfb"));
        assert!(wanted(Needs::Everything).contains(&"libwebkit2gtk-4.1-dev"));
    }
}
