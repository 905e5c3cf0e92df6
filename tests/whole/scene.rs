//! A hub as a process, with cables to it that can be cut.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use holdfast_tests::cable::Cable;
use holdfast_tests::program::Program;
use holdfast_tests::{hub, place};
use tempfile::TempDir;

use crate::bot::Bot;
use crate::desk::Desk;

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
        let (bridge_token, bridge_entry) = hub::token("pipecat", &["bridge"])?;
        let (console_token, console_entry) =
            hub::token("ana@example", &["supervisor", "commander", "agent"])?;
        let config = folder.path().join("hub.toml");
        let port = place::free_port()?; // the same one again when the hub comes back
        fs::write(
            &config,
            format!(
                "listen = \"127.0.0.1:{port}\"\ndata = \"journal\"\n{settings}\
                 {bridge_entry}\n{console_entry}\n"
            ),
        )?;
        let (hub, address) = hub::start(&config)?;
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
        (self.hub, self.address) = hub::start(&self.config)?;
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
