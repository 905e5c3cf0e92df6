//! A hub as a process, with cables to it that can be cut.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_tests::cable::Cable;
use holdfast_tests::place;
use holdfast_tests::program::Program;
use tempfile::TempDir;

use crate::bot::Bot;
use crate::desk::Desk;

/// How long a program may take to come up on a slow and busy machine.
const START: Duration = Duration::from_mins(1);

/// A hub, its folder, and the tokens of those who may come in.
#[derive(Debug)]
pub(crate) struct Scene {
    folder: TempDir,
    hub: Program,
    address: SocketAddr,
    config: PathBuf,
    bridge_token: String,
    console_token: String,
}

impl Scene {
    /// A fresh hub with an empty journal.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Self::with("")
    }

    /// A fresh hub that runs armed playbooks by itself.
    pub(crate) fn armed() -> anyhow::Result<Self> {
        Self::with("armed = true\n")
    }

    fn with(settings: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (bridge_token, bridge_entry) = token("pipecat", &["bridge"])?;
        let (console_token, console_entry) =
            token("ana@example", &["supervisor", "commander", "agent"])?;
        let config = folder.path().join("hub.toml");
        let port = place::free_port()?; // the same one again when the hub comes back
        fs::write(
            &config,
            format!(
                "listen = \"127.0.0.1:{port}\"\ndata = \"journal\"\n{settings}\
                 {bridge_entry}\n{console_entry}\n"
            ),
        )?;
        let (hub, address) = start_hub(&config)?;
        Ok(Self {
            folder,
            hub,
            address,
            config,
            bridge_token,
            console_token,
        })
    }

    /// Kills the hub as a crash would.
    pub(crate) fn kill_hub(&mut self) -> anyhow::Result<()> {
        self.hub.kill()
    }

    /// Starts the hub again, on the same journal and the same port.
    pub(crate) fn restart_hub(&mut self) -> anyhow::Result<()> {
        (self.hub, self.address) = start_hub(&self.config)?;
        Ok(())
    }

    /// A cable to the hub.
    pub(crate) fn cable(&self) -> anyhow::Result<Cable> {
        Cable::to(self.address)
    }

    /// A desk that is wired straight to the hub.
    pub(crate) fn desk(&self) -> anyhow::Result<Desk> {
        Desk::at(self.address, &self.console_token)
    }

    /// A desk at the end of a cable.
    pub(crate) fn desk_behind(&self, cable: &Cable) -> anyhow::Result<Desk> {
        Desk::at(cable.end(), &self.console_token)
    }

    /// A bot that is wired straight to the hub and carries `call`.
    pub(crate) fn bot(&self, call: &str) -> anyhow::Result<Bot> {
        Bot::start(call, self.address, &self.bridge_token, self.folder.path())
    }

    /// A bot at the end of a cable.
    pub(crate) fn bot_behind(&self, cable: &Cable, call: &str) -> anyhow::Result<Bot> {
        Bot::start(call, cable.end(), &self.bridge_token, self.folder.path())
    }
}

fn start_hub(config: &Path) -> anyhow::Result<(Program, SocketAddr)> {
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
fn token(name: &str, roles: &[&str]) -> anyhow::Result<(String, String)> {
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
