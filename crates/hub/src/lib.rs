//! The hub: bridges in, consoles out, one order, one journal, one picture for everybody.
//!
//! ```text
//! listener -> session (token, right) -> core (sequence, engine) -> journal thread
//!                 ^                       |                            | durable
//!                 +------- outbox <-------+-------- outputs <----------+
//! ```
//!
//! - Nothing leaves before it is durable: commands, acknowledgments, replies, records.
//! - Whatever waits is bounded; past the bound a console is reset and a bridge resumes.
//! - One connection's mistakes are its own: a typed error, a count, and the others go on.
//!
//! Deliberately absent: TLS (put a terminator in front), and any decision about calls (the engine).

#![deny(missing_docs)]

mod config;
mod core;
mod fanout;
pub mod ledger;
mod listener;
mod masking;
mod outbox;
pub mod playbook;
mod sequence;
mod session;
pub mod tokens;
mod words;
mod writer;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use crate::core::{Heard, Peer, RecoverError, VirtualHub};
pub use config::{Clock, ConfigError, EXAMPLE, HubConfig, Limits};
pub use masking::{MASK, mask_card, mask_detail, mask_record, mask_summary};

use crate::core::{Core, INPUTS_MAX};
use crate::session::Door;
use crate::tokens::TokenTable;

/// Starts hubs.
#[derive(Debug)]
pub struct Hub;

/// A hub that runs. Dropping it stops it without the last checkpoint, as a crash would.
#[derive(Debug)]
pub struct RunningHub {
    /// Where it listens.
    pub address: SocketAddr,
    /// Names this run: a console that resumes under another epoch gets a snapshot.
    pub epoch: String,
    /// The playbooks that it loaded.
    pub playbooks: Arc<playbook::Library>,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    core: JoinHandle<()>,
}

/// Why a hub could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It would be open to everybody.
    #[error(
        "listening on {0} would send tokens and callers' words over the network in the clear; \
         listen on 127.0.0.1, or put a TLS terminator in front and set insecure_plain_text = true"
    )]
    PlainText(SocketAddr),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}; is another hub running there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The journal cannot be used.
    #[error("the journal in {} cannot be used: {source}", data.display())]
    Recover {
        /// The folder.
        data: PathBuf,
        /// Why.
        source: RecoverError,
    },
    /// The runtime ended while the journal was being read.
    #[error("the hub was stopped while it read its journal")]
    Interrupted,
}

impl Hub {
    /// Opens the journal, replays it, and listens. Must be called inside a tokio runtime.
    pub async fn start(config: HubConfig) -> Result<RunningHub, StartError> {
        if !listener::may_listen(config.listen, config.insecure_plain_text) {
            return Err(StartError::PlainText(config.listen));
        }
        // Taken before the replay, so that a second hub fails before it touches the journal.
        let listen_error = |source| StartError::Listen {
            address: config.listen,
            source,
        };
        let socket = listener::bind(config.listen).await.map_err(listen_error)?;
        let address = socket.local_addr().map_err(listen_error)?;

        let (data, clock) = (config.data.clone(), config.clock.clone());
        let recovered = tokio::task::spawn_blocking(move || crate::core::recover(&data, &clock))
            .await
            .map_err(|_| StartError::Interrupted)?
            .map_err(|source| StartError::Recover {
                data: config.data.clone(),
                source,
            })?;

        let folder = config.playbooks.clone();
        let playbooks =
            tokio::task::spawn_blocking(move || playbook::Library::open(folder.as_deref()))
                .await
                .map_err(|_| StartError::Interrupted)?;
        let playbooks = Arc::new(playbooks);

        let epoch = new_epoch();
        let (stop, stopped) = watch::channel(false);
        let (to_core, inputs) = mpsc::channel(INPUTS_MAX);
        let tokens = TokenTable::new(config.tokens.clone());
        let door = Arc::new(Door::new(tokens, to_core, config.clock.clone()));
        let limits = config.limits;
        let core = Core::new(config, Arc::clone(&playbooks), epoch.clone(), recovered);
        let core = tokio::spawn(core.run(inputs, stopped.clone()));
        let listener = tokio::spawn(listener::run(socket, door, limits, stopped));
        tracing::info!(%address, epoch, "the hub listens");
        Ok(RunningHub {
            address,
            epoch,
            playbooks,
            stop,
            listener,
            core,
        })
    }
}

impl RunningHub {
    /// Where bridges connect.
    pub fn bridge_url(&self) -> String {
        format!("ws://{}/v1/bridge", self.address)
    }

    /// Where consoles connect.
    pub fn console_url(&self) -> String {
        format!("ws://{}/v1/console", self.address)
    }

    /// Stops in order: nothing new comes in, what came in becomes durable, a checkpoint is
    /// written, and every peer is told.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in [&mut self.listener, &mut self.core] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the hub did not end in order");
            }
        }
    }
}

impl Drop for RunningHub {
    fn drop(&mut self) {
        self.listener.abort();
        self.core.abort();
    }
}

/// A name that no earlier run had.
fn new_epoch() -> String {
    format!("{:032x}", rand::random::<u128>())
}
