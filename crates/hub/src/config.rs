//! How a hub is set up: built in code by the desktop, or read from a TOML file by `holdfast-hub`.

mod file;
mod steady;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use holdfast_domain::Timestamp;

use crate::tokens::TokenEntry;

pub use file::{ConfigError, EXAMPLE};
use steady::Steady;

/// Tells the time: the hub's own, which nobody can set, and the wall's, which somebody may.
///
/// The program's own clock begins with the wall's and then counts what passes, sleep included, so
/// that no silence becomes longer or shorter because a clock is set. A test brings its own.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Clock {
    /// A clock that asks `now`, beside a wall clock that shows the same.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let now = Arc::new(now);
        Self {
            wall: now.clone(),
            now,
        }
    }

    /// The same with a wall clock of its own.
    #[must_use]
    pub fn with_wall(self, wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            wall: Arc::new(wall),
            ..self
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(crate) fn wall(&self) -> Timestamp {
        (self.wall)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        let wall = holdfast_protocol::clock::now;
        let (began, steady) = (wall(), Steady::start());
        Self::new(move || began + steady.elapsed_ms()).with_wall(wall)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(..)")
    }
}

/// Everything that a hub needs to know.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// Where it listens. Port 0: any free one.
    pub listen: SocketAddr,
    /// The folder of its journal; made when it does not exist.
    pub data: PathBuf,
    /// A folder of playbooks of its own, beside those that ship.
    pub playbooks: Option<PathBuf>,
    /// The failover policies of the playbooks are carried out by the hub itself.
    pub armed: bool,
    /// Who may come in.
    pub tokens: Vec<TokenEntry>,
    /// It may listen beyond this machine although it speaks no TLS itself, because something in
    /// front of it does.
    pub insecure_plain_text: bool,
    /// What it holds back from growing.
    pub limits: Limits,
    /// Its clock.
    pub clock: Clock,
}

impl HubConfig {
    /// A hub on any free port of this machine only, which lets in the owners of `tokens`.
    pub fn loopback(data: impl Into<PathBuf>, tokens: Vec<TokenEntry>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: data.into(),
            playbooks: None,
            armed: false,
            tokens,
            insecure_plain_text: false,
            limits: Limits::default(),
            clock: Clock::default(),
        }
    }
}

/// Limits that depend on the machine and the house. Those of the protocol are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once, bridges and consoles together. A bridge runs beside each bot process,
    /// so a thousand calls can be a thousand bridges.
    pub connections_max: usize,
    /// Connections that have not yet said who they are: what a stranger can make the hub hold.
    pub unauthenticated_max: usize,
    /// Records that are kept in memory for consoles that resume: about 20 MB at 5 kB each. An
    /// hour in which every tenth of 10,000 calls is switched makes 4,000 versions.
    pub records_kept: usize,
    /// Calls that left the board and are remembered for consoles that resume: an hour of 10,000
    /// calls of 4 minutes is 150,000; five minutes of it are enough for a link that broke.
    pub gone_kept: usize,
    /// When the journal has grown by this many inputs since its last checkpoint, a new one is
    /// written, so that a restart replays at most that many: at 10 us each about 5 s.
    pub checkpoint_inputs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            unauthenticated_max: 64,
            records_kept: 4_096,
            gone_kept: 16_384,
            checkpoint_inputs: 500_000,
        }
    }
}
