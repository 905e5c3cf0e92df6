//! The hub as a server, for a team.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use holdfast_hub::tokens::Token;
use holdfast_hub::{Hub, HubConfig, ledger, playbook};
use holdfast_protocol::console::Role;
use tracing_subscriber::EnvFilter;

/// The authority of Holdfast: bridges tell it what happens on live calls, consoles see it and act.
#[derive(Debug, Parser)]
#[command(
    name = "holdfast-hub",
    version,
    after_help = "Example, from nothing to a running hub:\n\
        \n  holdfast-hub token ana --role supervisor --role agent >> hub.toml   # prints the token\n  \
        holdfast-hub token my-bot --role bridge >> hub.toml\n  \
        holdfast-hub --config hub.toml\n\
        \nThe tokens go to their owners, on standard error; only their hashes go into the file.\n\
        When the hub is ready it prints one line of JSON on standard output:\n  \
        {\"listening\":\"ws://127.0.0.1:7420\"}\n\
        Its log goes to standard error; RUST_LOG=debug says more."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The configuration file (TOML). Every key is documented in holdfast-hub.example.toml.
    #[arg(long, value_name = "FILE", env = "HOLDFAST_HUB_CONFIG", global = true)]
    config: Option<PathBuf>,

    /// Print the configuration with all defaults, and stop.
    #[arg(long)]
    print_config: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new token: the token on standard error, the lines for the configuration on standard
    /// output.
    Token {
        /// Who it belongs to: a person's name, or a bridge's.
        name: String,
        /// What its owner may do; can be given more than once.
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<RoleName>,
    },
    /// Work with the ledger: how long it took until callers were heard again.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Work with playbook files.
    Playbook {
        #[command(subcommand)]
        command: PlaybookCommand,
    },
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Write the ledger of the hub's journal on standard output. The hub must not run: while it
    /// does, a console exports the same.
    Export {
        /// What is written.
        #[arg(long, value_enum, default_value_t = LedgerForm::Json)]
        form: LedgerForm,
    },
}

/// What is written of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LedgerForm {
    /// Everything, as one JSON object.
    Json,
    /// CSV: the distributions, one line for each decider and class.
    Classes,
    /// CSV: the newest 500 recoveries with each of their moments.
    Calls,
}

#[derive(Debug, Subcommand)]
enum PlaybookCommand {
    /// Say everything that is wrong with playbook files, each fault with its line and column, on standard
    /// error. Exit code 1 if there is one. Without a fault one line a file on standard output.
    Check {
        /// The files.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// A role, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Says what happens on a platform and executes commands; sees nothing.
    Bridge,
    /// Sees the board without personal data, does nothing.
    Observer,
    /// Receives calls: handoffs and their cards.
    Agent,
    /// Sees everything, acts on calls.
    Supervisor,
    /// A supervisor who also acts on all calls at once and injects faults.
    Commander,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&format!("holdfast-hub: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Some(Command::Token { name, roles }) => return make_token(name, roles),
        Some(Command::Playbook {
            command: PlaybookCommand::Check { files },
        }) => return check_playbooks(files),
        Some(Command::Ledger {
            command: LedgerCommand::Export { form },
        }) => {
            let config = read_config(arguments.config.as_deref())?;
            return say(&ledger::export(&config, form.form())?);
        }
        None => {}
    }
    let config = read_config(arguments.config.as_deref())?;
    if arguments.print_config {
        return say(&config.to_toml());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")?;
    runtime.block_on(serve(config))
}

fn read_config(file: Option<&Path>) -> anyhow::Result<HubConfig> {
    let config = match file {
        Some(file) => HubConfig::from_file(file)?,
        None => HubConfig::from_toml("", Path::new("(no file)"))?,
    };
    Ok(config)
}

async fn serve(config: HubConfig) -> anyhow::Result<()> {
    if config.tokens.is_empty() {
        tracing::warn!(
            "no token is configured, so nobody can come in; see `holdfast-hub token --help`"
        );
    }
    let mut stop = std::pin::pin!(stop_signal()?);
    let hub = tokio::select! {
        hub = Hub::start(config) => hub?,
        () = &mut stop => return Ok(()),
    };
    say(&format!(
        "{}\n",
        serde_json::json!({"listening": format!("ws://{}", hub.address)})
    ))?;
    stop.await;
    tracing::info!("the hub stops");
    hub.shutdown().await;
    Ok(())
}

/// Ends when the process is asked to stop.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends when the process is asked to stop.
#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler for it ctrl-c ends the process anyway.
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn make_token(name: &str, roles: &[RoleName]) -> anyhow::Result<()> {
    let roles: Vec<Role> = roles.iter().map(|role| role.role()).collect();
    anyhow::ensure!(
        !roles.contains(&Role::Bridge) || roles.len() == 1,
        "bridge cannot be combined with another role; make a second token"
    );
    let token = Token::random();
    say(&format!("\n{}", token.entry(name, &roles).to_toml()))?;
    say_error(&format!(
        "The token of {name}, shown only now:\n{}",
        token.reveal()
    ));
    Ok(())
}

fn check_playbooks(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut n_faults = 0;
    for (file, checked) in playbook::check_files(files) {
        let name = file.display().to_string();
        match checked {
            Ok(playbook) => say(&format!(
                "{name}: good: {}\n",
                playbook::in_a_line(&playbook)
            ))?,
            Err(faults) => {
                n_faults += faults.len();
                for fault in faults {
                    say_error(&fault.told(&name));
                }
            }
        }
    }
    anyhow::ensure!(
        n_faults == 0,
        "{n_faults} faults; a playbook with a fault does not load"
    );
    Ok(())
}

impl LedgerForm {
    const fn form(self) -> ledger::Form {
        match self {
            Self::Json => ledger::Form::Json,
            Self::Classes => ledger::Form::Classes,
            Self::Calls => ledger::Form::Calls,
        }
    }
}

impl RoleName {
    const fn role(self) -> Role {
        match self {
            Self::Bridge => Role::Bridge,
            Self::Observer => Role::Observer,
            Self::Agent => Role::Agent,
            Self::Supervisor => Role::Supervisor,
            Self::Commander => Role::Commander,
        }
    }
}

/// Standard output is for what programs read: the one line, the configuration.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("standard output is closed")?;
    Ok(())
}

/// Standard error is for people.
fn say_error(text: &str) {
    // There is no one left to tell that this could not be told.
    let _ = writeln!(std::io::stderr(), "{text}");
}
