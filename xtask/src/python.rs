//! The bridge for Pipecat: its virtual environment, and the tools inside it.

use std::fs;
use std::process::Command;

use anyhow::Context as _;

use crate::{place, step};

/// A program of the virtual environment, in the bridge's folder.
pub(crate) fn tool(name: &str, arguments: &[&str]) -> Command {
    let program = place::pipecat().join(".venv/bin").join(name);
    let mut command = Command::new(program);
    command.current_dir(place::pipecat()).args(arguments);
    command
}

/// Makes the virtual environment when its description is not the one that it was made from.
pub(crate) fn install() -> anyhow::Result<()> {
    let folder = place::pipecat();
    let mut described = String::new();
    for name in ["pyproject.toml", "constraints.txt"] {
        let path = folder.join(name);
        described +=
            &fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    }
    let stamp = folder.join(".venv/holdfast-made-from.txt");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == described) {
        return Ok(());
    }
    step::must(
        "Make a Python environment",
        &mut step::command(&folder, "python3", &["-m", "venv", "--clear", ".venv"]),
    )?;
    step::must(
        "Install the bridge and its packages",
        &mut tool(
            "python",
            &[
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--constraint",
                "constraints.txt",
                "--editable",
                ".[test]",
            ],
        ),
    )?;
    fs::write(&stamp, described).with_context(|| format!("write {}", stamp.display()))?;
    Ok(())
}
