//! The configuration file of `holdfast-hub`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use holdfast_protocol::console::Role;
use serde::Deserialize;

use super::{Clock, HubConfig, Limits};
use crate::tokens::{Token, TokenEntry, TokenHash};

/// The documented example that ships with the hub.
pub const EXAMPLE: &str = include_str!("../../holdfast-hub.example.toml");

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{} cannot be read: {source}; name an existing file with --config", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no TOML, or says something that the hub does not know.
    #[error("{} is not a configuration of the hub\n{message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong.
        message: String,
    },
    /// A token says nothing, or says it twice.
    #[error("{}, token {name:?}: {problem}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// Whose.
        name: String,
        /// What is wrong.
        problem: TokenProblem,
    },
}

/// What is wrong with a token of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum TokenProblem {
    /// Neither a hash nor a file.
    #[error("give either token_sha256 or token_file")]
    NoSecret,
    /// Both a hash and a file.
    #[error("give token_sha256 or token_file, not both")]
    TwoSecrets,
    /// No hash.
    #[error("{0}")]
    Hash(#[from] crate::tokens::BadTokenHash),
    /// No role.
    #[error("give at least one role: bridge, observer, agent, supervisor or commander")]
    NoRole,
    /// A bridge is no person.
    #[error("bridge cannot be combined with another role; make a second token")]
    MixedRoles,
    /// Two tokens under one name.
    #[error("the name stands twice; names tell people and bridges apart")]
    SameName,
    /// The file could not be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is empty.
    #[error("{} is empty; put the token into it", .0.display())]
    EmptyFile(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConfig {
    #[serde(default = "default_listen")]
    listen: SocketAddr,
    #[serde(default = "default_data")]
    data: PathBuf,
    playbooks: Option<PathBuf>,
    #[serde(default)]
    armed: bool,
    #[serde(default)]
    insecure_plain_text: bool,
    #[serde(default)]
    limits: FileLimits,
    #[serde(default, rename = "token")]
    tokens: Vec<FileToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToken {
    name: String,
    roles: Vec<Role>,
    token_sha256: Option<String>,
    token_file: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FileLimits {
    connections_max: Option<usize>,
    unauthenticated_max: Option<usize>,
    records_kept: Option<usize>,
    gone_kept: Option<usize>,
    checkpoint_inputs: Option<u64>,
}

/// The port has no meaning beyond being free on most machines.
fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7420))
}

fn default_data() -> PathBuf {
    PathBuf::from("holdfast-data")
}

impl HubConfig {
    /// Reads a configuration file. Relative paths in it are relative to the file's folder.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(&text, path)
    }

    /// Reads a configuration; `path` names it in errors and is where its relative paths begin.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let file: FileConfig = toml::from_str(text).map_err(|error| ConfigError::Form {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut tokens: Vec<TokenEntry> = Vec::new();
        for token in &file.tokens {
            let entry =
                read_token(token, folder, &tokens).map_err(|problem| ConfigError::Token {
                    path: path.to_owned(),
                    name: token.name.clone(),
                    problem,
                })?;
            tokens.push(entry);
        }
        Ok(Self {
            listen: file.listen,
            data: folder.join(file.data),
            playbooks: file.playbooks.map(|playbooks| folder.join(playbooks)),
            armed: file.armed,
            tokens,
            insecure_plain_text: file.insecure_plain_text,
            limits: file.limits.into_limits(),
            clock: Clock::default(),
        })
    }

    /// The configuration as a file would say it, with every default written out and no secret.
    pub fn to_toml(&self) -> String {
        let Limits {
            connections_max,
            unauthenticated_max,
            records_kept,
            gone_kept,
            checkpoint_inputs,
        } = self.limits;
        let mut text = format!(
            "listen = {}\ndata = {}\ninsecure_plain_text = {}\narmed = {}\n\n[limits]\n\
             connections_max = {connections_max}\nunauthenticated_max = {unauthenticated_max}\n\
             records_kept = {records_kept}\ngone_kept = {gone_kept}\n\
             checkpoint_inputs = {checkpoint_inputs}\n",
            quoted(&self.listen.to_string()),
            quoted(&self.data.display().to_string()),
            self.insecure_plain_text,
            self.armed,
        );
        if let Some(folder) = &self.playbooks {
            // Before the first table, or it would belong to that.
            let line = format!("playbooks = {}\n", quoted(&folder.display().to_string()));
            text.insert_str(0, &line);
        }
        for entry in &self.tokens {
            text.push('\n');
            text.push_str(&entry.to_toml());
        }
        text
    }
}

impl TokenEntry {
    /// The lines that let this token in, for a configuration file.
    pub fn to_toml(&self) -> String {
        let mut roles = String::new();
        for (place, role) in self.roles.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(roles, "{comma}{}", quoted(role_name(*role)))
                .expect("writing to a string cannot fail");
        }
        format!(
            "[[token]]\nname = {}\nroles = [{roles}]\ntoken_sha256 = \"{}\"\n",
            quoted(&self.name),
            self.hash
        )
    }
}

/// A role's name in configuration and on the command line.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Bridge => "bridge",
        Role::Observer => "observer",
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Commander => "commander",
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn read_token(
    token: &FileToken,
    folder: &Path,
    before: &[TokenEntry],
) -> Result<TokenEntry, TokenProblem> {
    if before.iter().any(|entry| entry.name == token.name) {
        return Err(TokenProblem::SameName);
    }
    if token.roles.is_empty() {
        return Err(TokenProblem::NoRole);
    }
    if token.roles.contains(&Role::Bridge) && token.roles.len() > 1 {
        return Err(TokenProblem::MixedRoles);
    }
    let hash: TokenHash = match (&token.token_sha256, &token.token_file) {
        (Some(hash), None) => hash.parse()?,
        (None, Some(file)) => {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).map_err(|source| TokenProblem::File {
                path: path.clone(),
                source,
            })?;
            let secret = Token::new(text);
            if secret.reveal().is_empty() {
                return Err(TokenProblem::EmptyFile(path));
            }
            secret.hash()
        }
        (None, None) => return Err(TokenProblem::NoSecret),
        (Some(_), Some(_)) => return Err(TokenProblem::TwoSecrets),
    };
    Ok(TokenEntry {
        name: token.name.clone(),
        roles: token.roles.clone(),
        hash,
    })
}

impl FileLimits {
    fn into_limits(self) -> Limits {
        let default = Limits::default();
        Limits {
            connections_max: self.connections_max.unwrap_or(default.connections_max),
            unauthenticated_max: self
                .unauthenticated_max
                .unwrap_or(default.unauthenticated_max),
            records_kept: self.records_kept.unwrap_or(default.records_kept),
            gone_kept: self.gone_kept.unwrap_or(default.gone_kept),
            checkpoint_inputs: self.checkpoint_inputs.unwrap_or(default.checkpoint_inputs),
        }
    }
}

#[cfg(test)]
mod tests;
