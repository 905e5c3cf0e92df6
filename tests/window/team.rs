//! A team's hub with a simulated platform, a window of one commander and the console of another.

use std::fs;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use holdfast_domain::Run;
use holdfast_tests::desk::Desk;
use holdfast_tests::program::Program;
use holdfast_tests::window::{Opening, Window};
use holdfast_tests::{hub, place};
use tempfile::TempDir;

use crate::sight::LIMIT;

/// The hub, its simulated platform and its files.
#[derive(Debug)]
pub(crate) struct Team {
    address: SocketAddr,
    eve: String,
    sam: String,
    folder: TempDir,
    // In this order they end: first the platform, then the hub.
    _simulator: Program,
    _hub: Program,
}

/// A console without a window.
#[derive(Debug)]
pub(crate) struct Second(Desk);

impl Deref for Second {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.0
    }
}

impl Team {
    /// A hub with these playbooks beside those that ship, and `calls` simulated calls.
    pub(crate) fn new(playbooks: &[(&str, String)], calls: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let own = folder.path().join("playbooks");
        fs::create_dir(&own)?;
        for (name, text) in playbooks {
            fs::write(own.join(name), text)?;
        }
        let (bridge, bridge_entry) = hub::token("simulator", &["bridge"])?;
        let (sam, sam_entry) = hub::token("sam", &["supervisor", "commander"])?;
        let (eve, eve_entry) = hub::token("eve", &["supervisor", "commander"])?;
        let port = place::free_port()?;
        let config = folder.path().join("hub.toml");
        let text = format!(
            "listen = \"127.0.0.1:{port}\"\ndata = \"journal\"\nplaybooks = \"playbooks\"\n\
             {bridge_entry}\n{sam_entry}\n{eve_entry}\n"
        );
        fs::write(&config, text)?;
        let (hub, address) = hub::start(&config)?;
        let simulator = Program::start(
            "holdfast-simulator",
            Command::new(place::binary("holdfast-simulator")?)
                .arg(format!("--hub=ws://{address}"))
                .arg(format!("--calls={calls}"))
                .env("HOLDFAST_TOKEN", bridge),
        )?;
        Ok(Self {
            address,
            eve,
            sam,
            folder,
            _simulator: simulator,
            _hub: hub,
        })
    }

    /// The window of sam, once its board shows calls.
    pub(crate) fn window(&self) -> anyhow::Result<Window> {
        let token: PathBuf = self.folder.path().join("sam.token");
        fs::write(&token, &self.sam)?;
        let window = Opening::of(place::binary("holdfast")?)
            .argument(format!("--hub=ws://{}/v1/console", self.address))
            .argument(format!("--token-file={}", token.display()))
            .open()?;
        window.find("[role=row][data-call]", LIMIT)?;
        Ok(window)
    }

    /// A console of eve.
    pub(crate) fn eve(&self) -> anyhow::Result<Second> {
        Second::at(self.address, &self.eve)
    }

    /// Another console of sam, who has the window.
    pub(crate) fn sam(&self) -> anyhow::Result<Second> {
        Second::at(self.address, &self.sam)
    }
}

impl Second {
    fn at(hub: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let second = Self(Desk::at(hub, token)?);
        second.until("a fresh view", LIMIT, |frame| {
            (frame.status.actions_off.is_none() && !frame.status.stale).then_some(())
        })?;
        Ok(second)
    }

    /// Waits until the newest run is in a state.
    pub(crate) fn until_run(
        &self,
        what: &str,
        limit: Duration,
        mut fits: impl FnMut(&Run) -> bool,
    ) -> anyhow::Result<Run> {
        self.until(what, limit, |frame| {
            let runs = &frame.runs.as_ref()?.runs;
            runs.first().filter(|run| fits(run)).cloned()
        })
    }
}
