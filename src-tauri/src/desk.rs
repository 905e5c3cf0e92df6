//! What stands behind the window: a console, and without a team's hub also a hub and a simulated
//! platform of our own. Both are spoken to over the same WebSocket as a team's.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use holdfast_console::{Console, ConsoleConfig};
use holdfast_hub::tokens::Token;
use holdfast_hub::{Hub, HubConfig, RunningHub, StartError};
use holdfast_protocol::console::Role;
use holdfast_protocol::window::About;
use holdfast_simulator::{RunningSimulator, Simulator, SimulatorConfig};

use crate::arguments::Arguments;
use crate::connection_file::ConnectionFile;

/// The port of the hub of this app, so that bridges can be told one address.
const PORT: u16 = 4747;

/// The hub of this app, and what belongs to it.
#[derive(Debug)]
pub(crate) struct OwnHub {
    hub: RunningHub,
    simulator: Option<RunningSimulator>,
    file: ConnectionFile,
}

/// Starts what the arguments ask for. Must be called inside a tokio runtime.
pub(crate) async fn open(arguments: &Arguments) -> anyhow::Result<(Console, Option<OwnHub>)> {
    let (Some(hub_url), Some(token_file)) = (&arguments.hub, &arguments.token_file) else {
        let (console, own) = open_own(arguments).await?;
        return Ok((console, Some(own)));
    };
    let token = fs::read_to_string(token_file)
        .with_context(|| format!("read the token in {}", token_file.display()))?;
    Ok((console(about(hub_url), &token), None))
}

async fn open_own(arguments: &Arguments) -> anyhow::Result<(Console, OwnHub)> {
    let folder = arguments.data_folder()?;
    make_private_folder(&folder).with_context(|| format!("make {}", folder.display()))?;
    let [person, bridge, simulated] = [Token::random(), Token::random(), Token::random()];
    let everything = [Role::Supervisor, Role::Commander, Role::Agent];
    let tokens = vec![
        person.entry(local_person(), &everything),
        bridge.entry("bridge on this machine", &[Role::Bridge]),
        simulated.entry("simulator", &[Role::Bridge]),
    ];
    let hub = start_hub(HubConfig::loopback(&folder, tokens), arguments.port).await?;
    let file = ConnectionFile::write(&folder, &hub.bridge_url(), &bridge)?;
    let simulated = SimulatorConfig {
        url: hub.bridge_url(),
        token: holdfast_simulator::Token::new(simulated.reveal()),
        calls: arguments.calls.into(),
        seed: arguments.seed,
        faults: Vec::new(),
    };
    let wanted = (!arguments.no_simulator).then_some(simulated);
    let simulator = wanted.map(Simulator::start).transpose()?;
    let about = About {
        embedded: true,
        bridge_url: Some(hub.bridge_url()),
        connection_file: Some(file.path.display().to_string()),
        ..about(&hub.console_url())
    };
    let console = console(about, person.reveal());
    Ok((
        console,
        OwnHub {
            hub,
            simulator,
            file,
        },
    ))
}

impl OwnHub {
    /// Ends everything in order. The console learns it from the hub.
    pub(crate) async fn close(self) {
        drop(self.file);
        if let Some(simulator) = self.simulator {
            simulator.shutdown().await;
        }
        self.hub.shutdown().await;
    }
}

async fn start_hub(config: HubConfig, port: Option<u16>) -> anyhow::Result<RunningHub> {
    let config = |port| HubConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        ..config.clone()
    };
    let started = match Hub::start(config(port.unwrap_or(PORT))).await {
        Err(StartError::Listen { .. }) if port.is_none() => {
            tracing::info!(PORT, "the port is taken; the hub takes a free one");
            Hub::start(config(0)).await
        }
        started => started,
    };
    started.context("start the hub of this app")
}

fn console(about: About, token: &str) -> Console {
    Console::start(ConsoleConfig {
        hub_url: about.hub_url.clone(),
        token: holdfast_console::Token::new(token),
        about,
        seed: u64::from(std::process::id()),
    })
}

fn about(hub_url: &str) -> About {
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hub_url: hub_url.to_owned(),
        embedded: false,
        bridge_url: None,
        connection_file: None,
    }
}

/// Who sits here, as the system calls them.
fn local_person() -> String {
    let named = |name| std::env::var(name).ok().filter(|name| !name.is_empty());
    named("USER")
        .or_else(|| named("USERNAME"))
        .unwrap_or_else(|| "local user".to_owned())
}

/// Callers' words are in there: nobody else on the machine reads them.
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
