//! The hub as a program of its own, and tokens for those who may come in.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use crate::place;
use crate::program::Program;

/// How long a hub may take to come up on a slow and busy machine.
const START: Duration = Duration::from_mins(1);

/// Starts a hub with a configuration; it listens at the address.
pub fn start(config: &Path) -> anyhow::Result<(Program, SocketAddr)> {
    let mut hub = Program::start(
        "holdfast-hub",
        Command::new(place::binary("holdfast-hub")?)
            .arg("--config")
            .arg(config),
    )?;
    let line = hub.wait_for("\"listening\"", START)?;
    let said: serde_json::Value = serde_json::from_str(&line)?;
    let address = said["listening"]
        .as_str()
        .and_then(|url| url.strip_prefix("ws://"))
        .context("the hub names its address")?
        .parse()?;
    Ok((hub, address))
}

/// A new token from the hub's own command: the token, and the entry for the configuration.
pub fn token(name: &str, roles: &[&str]) -> anyhow::Result<(String, String)> {
    let mut command = Command::new(place::binary("holdfast-hub")?);
    command.args(["token", name]);
    for role in roles {
        command.args(["--role", role]);
    }
    let output = command.output()?;
    // The lines to add go to the configuration, the token itself to the person.
    let entry = String::from_utf8(output.stdout)?;
    let shown = String::from_utf8(output.stderr)?;
    let token = shown.lines().last().context("the hub shows a token")?;
    Ok((token.trim().to_owned(), entry))
}
