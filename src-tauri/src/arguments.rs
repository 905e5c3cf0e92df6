//! How the app is started.

use std::env;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::RangedI64ValueParser;
use holdfast_simulator::CALLS_MAX;

/// Keeps hold of live AI-assisted calls when the AI engine fails.
///
/// Without arguments it runs a hub and a simulated call platform of its own on this machine.
#[derive(Debug, Clone, PartialEq, Eq, clap::Parser)]
#[command(name = "holdfast", version)]
pub(crate) struct Arguments {
    /// Connects to a team's hub at this address: ws://HOST:PORT/v1/console
    #[arg(long, value_name = "URL", requires = "token_file",
        conflicts_with_all = ["data", "port", "calls", "seed", "no_simulator"])]
    pub(crate) hub: Option<String>,

    /// The file that holds the token for the team's hub
    #[arg(long, value_name = "FILE", requires = "hub")]
    pub(crate) token_file: Option<PathBuf>,

    /// Where the hub of this app keeps its journal and the connection file for bridges
    /// [default: holdfast in this person's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// The port of the hub of this app; 0 for any free one [default: 4747, or a free one when that
    /// is taken]
    #[arg(long)]
    pub(crate) port: Option<u16>,

    /// How many calls the simulated platform has at a time
    #[arg(long, value_name = "N", default_value_t = 240, value_parser = calls_range())]
    pub(crate) calls: u16,

    /// What the simulated platform draws its calls from; the same seed gives the same calls
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Starts no simulated platform: only bridges that connect bring calls
    #[arg(long, conflicts_with_all = ["calls", "seed"])]
    pub(crate) no_simulator: bool,
}

impl Arguments {
    /// The folder of the hub of this app.
    pub(crate) fn data_folder(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.data {
            return Ok(folder.clone());
        }
        let folder = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        data_folder(folder("XDG_DATA_HOME"), folder("HOME"))
            .context("neither XDG_DATA_HOME nor HOME is set; name a folder with --data")
    }
}

fn data_folder(data_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let base = data_home
        .filter(|folder| folder.is_absolute()) // others are to be ignored, says the standard
        .or_else(|| home.map(|home| home.join(".local/share")))?;
    Some(base.join("holdfast"))
}

fn calls_range() -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=CALLS_MAX as i64)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["holdfast"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn a_hub_of_ones_own_needs_nothing_and_a_teams_a_token() {
        for right in [
            "",
            "--hub ws://h/v1/console --token-file t",
            "--calls 20000 --port 0",
        ] {
            assert!(parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "--hub ws://h/v1/console",
            "--token-file t",
            "--hub ws://h/v1/console --token-file t --data d",
            "--hub ws://h/v1/console --token-file t --calls 5",
            "--hub ws://h/v1/console --token-file t --no-simulator",
            "--no-simulator --calls 5",
            "--calls 0",
            "--calls 20001",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn data_lies_where_the_desktop_says() {
        for (data_home, home, folder) in [
            (Some("/d"), Some("/h"), Some("/d/holdfast")),
            (Some("d"), Some("/h"), Some("/h/.local/share/holdfast")),
            (None, Some("/h"), Some("/h/.local/share/holdfast")),
            (None, None, None),
        ] {
            let named = data_folder(data_home.map(PathBuf::from), home.map(PathBuf::from));
            assert_eq!(named, folder.map(PathBuf::from));
        }
    }
}
