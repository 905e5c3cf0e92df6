//! A connection that heals itself: the WebSocket client of the console and of the simulator.
//!
//! It exists so that no owner has to know about sockets, backoff or dead peers: the owner sees a
//! stream of [`LinkEvent`]s that ends only with `Closed`, and never silently.
//!
//! ```text
//!            +--------------- backoff over ----------------+
//!            v                                             |
//!       connecting -- accepted --> connected -- lost --> waiting
//!            |                         |
//!            +---- refused for good ---+--> closed
//! ```
//!
//! The owner says `hello` each time it sees [`LinkEvent::Connected`]. What it sends belongs to
//! that connection: frames of an earlier one are thrown away, never sent after a new hello.
//!
//! Deliberately absent: what the frames mean (only errors are looked at), and the rule by which a
//! view counts as stale (the owner has [`Link::silent_for`]).

#![deny(missing_docs)]

mod backoff;
mod config;
mod event;
mod shell;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use holdfast_domain::Timestamp;
use tokio::sync::mpsc;

pub use config::{LinkConfig, Timing, Token};
pub use event::{ClosedReason, ConfigFault, HiccupReason, LinkEvent, SendError};

use shell::{Heard, Outgoing, TcpDial};

/// Frames that wait to be taken by the owner. The reader stops at the limit and TCP holds the peer
/// back, so this only has to cover one scheduling hiccup: at 10,000 events a second in batches of
/// about 100, 256 frames are over two seconds.
pub const IN_FRAMES_MAX: usize = 256;

/// Frames that wait to be written. An owner that finds it full has a peer that does not read; it
/// keeps its own bounded buffer and tries again.
pub const OUT_FRAMES_MAX: usize = 256;

/// One connection to a hub, kept up by a task. Dropping it closes the connection.
#[derive(Debug)]
pub struct Link {
    events: mpsc::Receiver<(u64, LinkEvent)>,
    out: mpsc::Sender<Outgoing>,
    heard: Arc<Heard>,
    connection: Option<u64>,
    closed: Option<ClosedReason>,
}

impl Link {
    /// Starts to connect, and keeps at it until it is dropped or refused for good. Must be called
    /// inside a tokio runtime.
    pub fn start(config: LinkConfig) -> Self {
        Self::start_with(config, TcpDial)
    }

    fn start_with(config: LinkConfig, dial: impl shell::Dial) -> Self {
        let (events_in, events) = mpsc::channel(IN_FRAMES_MAX);
        let (out, outgoing) = mpsc::channel(OUT_FRAMES_MAX);
        let heard = Arc::new(Heard::default());
        let shell = shell::Shell::new(config, dial, events_in, outgoing, Arc::clone(&heard));
        tokio::spawn(shell.run());
        Self {
            events,
            out,
            heard,
            connection: None,
            closed: None,
        }
    }

    /// The next thing that happened. After [`LinkEvent::Closed`] it answers `Closed` again at
    /// once, each time. It may be dropped while it waits; nothing is lost.
    pub async fn next(&mut self) -> LinkEvent {
        if let Some(reason) = &self.closed {
            return LinkEvent::Closed {
                reason: reason.clone(),
            };
        }
        let (connection, event) = self.events.recv().await.unwrap_or((
            0,
            LinkEvent::Closed {
                reason: ClosedReason::Stopped,
            },
        ));
        match &event {
            LinkEvent::Connected => self.connection = Some(connection),
            LinkEvent::Message(_) => {}
            LinkEvent::Hiccup { .. } => self.connection = None,
            LinkEvent::Closed { reason } => {
                self.connection = None;
                self.closed = Some(reason.clone());
            }
        }
        event
    }

    /// Hands over one text frame for the connection that the owner last saw come up. Waits while
    /// the peer does not read; that wait ends at the latest when the write times out.
    pub async fn send(&self, text: String) -> Result<(), SendError> {
        let frame = self.outgoing(text)?;
        self.out
            .send(frame)
            .await
            .map_err(|_| SendError::NotConnected)?;
        Ok(())
    }

    /// The same without waiting: [`SendError::Full`] when the peer does not keep up.
    pub fn try_send(&self, text: String) -> Result<(), SendError> {
        let frame = self.outgoing(text)?;
        self.out.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::NotConnected,
        })?;
        Ok(())
    }

    /// How many frames [`Link::try_send`] would take now.
    pub fn room(&self) -> usize {
        self.out.capacity()
    }

    /// When anything was last heard from the peer, pongs included, on this machine's clock. None
    /// before the first time. It survives reconnects: what was heard stays heard.
    pub fn last_heard(&self) -> Option<Timestamp> {
        self.heard.at()
    }

    /// For how long nothing was heard: by the steady clock or by the wall clock, whichever is
    /// longer, so that a machine that slept counts as silent.
    pub fn silent_for(&self) -> Option<Duration> {
        self.heard.silent_for()
    }

    fn outgoing(&self, text: String) -> Result<Outgoing, SendError> {
        let connection = self.connection.ok_or(SendError::NotConnected)?;
        Ok(Outgoing { connection, text })
    }
}
