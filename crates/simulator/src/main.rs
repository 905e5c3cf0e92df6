//! `holdfast-simulator`: a simulated call platform, connected to a hub as its bridge.

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use holdfast_simulator::{FaultKind, FaultScope, Simulator, SimulatorConfig, Token};

/// A simulated call platform, to look at, to rehearse on, and to test with.
///
/// It holds a number of concurrent calls with real dialogues in five languages, tells a hub about
/// them as any platform's bridge does, and carries out the hub's commands. Faults can be injected
/// here or from the console.
#[derive(Debug, Parser)]
#[command(version, after_long_help = after_help())]
struct Arguments {
    /// The hub: ws://HOST:PORT (the path /v1/bridge is added)
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:7420")]
    hub: String,

    /// A file that holds the bridge's token
    #[arg(long, value_name = "FILE", conflicts_with = "token_env")]
    token_file: Option<PathBuf>,

    /// The environment variable that holds the bridge's token
    #[arg(long, value_name = "VARIABLE", default_value = "HOLDFAST_TOKEN")]
    token_env: String,

    /// Concurrent calls
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = calls)]
    calls: usize,

    /// The seed of everything random: the same seed tells the same calls
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,

    /// A fault from the beginning: FAULT or FAULT:FIELD=VALUE,FIELD=VALUE (may be repeated)
    #[arg(long = "fault", value_name = "FAULT", value_parser = fault)]
    faults: Vec<(String, FaultScope)>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let token = token(&arguments)?;
    let config = SimulatorConfig {
        url: arguments.hub,
        token,
        calls: arguments.calls,
        seed: arguments.seed,
        faults: arguments.faults,
    };
    tracing::info!(hub = %config.url, calls = config.calls, seed = config.seed, "starting");
    let mut running = Simulator::start(config).context("starting the simulated platform")?;
    tokio::select! {
        reason = running.refused() => anyhow::bail!("{reason}"),
        stop = tokio::signal::ctrl_c() => stop.context("waiting for Ctrl-C")?,
    }
    running.shutdown().await;
    Ok(())
}

fn token(arguments: &Arguments) -> anyhow::Result<Token> {
    if let Some(file) = &arguments.token_file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("reading the token from {}", file.display()))?;
        return Ok(Token::new(text));
    }
    let text = std::env::var(&arguments.token_env).with_context(|| {
        format!(
            "no token: give --token-file, or put the token into the environment variable {}",
            arguments.token_env
        )
    })?;
    Ok(Token::new(text))
}

fn calls(text: &str) -> Result<usize, String> {
    let most = holdfast_simulator::CALLS_MAX;
    match text.parse() {
        Ok(calls) if (1..=most).contains(&calls) => Ok(calls),
        _ => Err(format!("a number from 1 to {most} is needed")),
    }
}

/// Reads `llm_503:provider=Vendor A,share=0.5`.
fn fault(text: &str) -> Result<(String, FaultScope), String> {
    let (name, fields) = text.split_once(':').unwrap_or((text, ""));
    let kind = FaultKind::from_wire(name)
        .ok_or_else(|| format!("there is no fault {name:?}; --help lists them"))?;
    let mut scope = FaultScope::default();
    for field in fields.split(',').filter(|field| !field.is_empty()) {
        let (field, value) = field
            .split_once('=')
            .ok_or_else(|| format!("{field:?} is not of the form FIELD=VALUE"))?;
        let place = match field {
            "provider" => &mut scope.provider,
            "model" => &mut scope.model,
            "region" => &mut scope.region,
            "tool" => &mut scope.tool,
            "queue" => &mut scope.queue,
            "call" => &mut scope.call,
            "share" => {
                let share = value.parse();
                scope.share = Some(share.map_err(|_| format!("{value:?} is no share"))?);
                continue;
            }
            _ => return Err(format!("a scope has no field {field:?}")),
        };
        *place = Some(value.to_owned());
    }
    Ok((kind.id().to_owned(), scope))
}

fn after_help() -> String {
    use std::fmt::Write;
    let mut help = "Faults, by layer:\n".to_owned();
    for kind in FaultKind::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(
            help,
            "  {:<20} {:<15} {}",
            kind.id(),
            kind.layer().as_str(),
            kind.title()
        );
    }
    help.push_str(
        "\nA scope limits a fault to a provider (Vendor A, Vendor B, Vendor C), a model, a region\n\
         (eu-west, eu-central, us-east), a tool, a queue, a call, or a share of calls (0 to 1).\n\
         \nExample:\n  holdfast-simulator --calls 300 --fault 'llm_503:provider=Vendor A,share=0.5'",
    );
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_with_their_scope() {
        let (name, scope) = fault("llm_503:provider=Vendor A,region=eu-west,share=0.5").unwrap();
        assert_eq!(name, "llm_503");
        assert_eq!(scope.provider.as_deref(), Some("Vendor A"));
        assert_eq!(scope.region.as_deref(), Some("eu-west"));
        assert_eq!(scope.share, Some(0.5));
        assert_eq!(fault("tts_silent").unwrap().1, FaultScope::default());
        for bad in [
            "",
            "llm_504",
            "llm_503:provider",
            "llm_503:color=red",
            "llm_503:share=x",
        ] {
            assert!(fault(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_help_names_every_fault() {
        let help = after_help();
        for kind in FaultKind::ALL {
            assert!(help.contains(kind.id()), "{kind:?}");
        }
    }
}
