//! How old the view is, whether anyone may act on it, and what time it is at the hub.

use std::collections::VecDeque;

use holdfast_domain::{Blindness, DurationMs, Timestamp};
use holdfast_protocol::limits::STALE_AFTER_MS;
use holdfast_protocol::window::Connection;

/// How many readings of the hub's clock count: eight seconds of beats. The latest of them in
/// relation to our clock is the one that travelled fastest, hence the nearest to the truth.
const CLOCK_READINGS: usize = 16;

/// A reading that is further than this from the estimate means that a clock jumped, in
/// milliseconds; no honest network delays one beat against the next by so much while the view
/// still counts as fresh.
const CLOCK_JUMP_MS: DurationMs = 2_000;

/// What is known of our sight of the hub.
#[derive(Debug)]
pub(super) struct Freshness {
    connection: Connection,
    heard_at: Option<Timestamp>,
    hub_lag_ms: DurationMs,
    hub_blind: Option<Blindness>,
    in_sync: bool,
    ever_synced: bool,
    /// The hub's sequence that we have not reached, and since when we know that.
    behind: Option<(u64, Timestamp)>,
    /// The hub's clock minus ours, newest last.
    offsets: VecDeque<DurationMs>,
}

/// Why nobody can see what is true now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Blind {
    /// The first connection is being made.
    Connecting,
    /// The link broke.
    Broken { reason: String },
    /// The hub refused us for good.
    Refused { reason: String },
    /// The hub is there, its picture is not complete yet.
    Syncing,
    /// Nothing was heard for so long.
    Silent { ms: DurationMs },
    /// The hub itself is behind.
    Lagging { ms: DurationMs },
    /// What the hub says does not get through to us fast enough.
    Behind { ms: DurationMs },
}

impl Blind {
    /// True when there is no connection that could carry a request.
    pub(super) const fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Connecting | Self::Broken { .. } | Self::Refused { .. }
        )
    }

    /// What it is and what to do, for a person.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Connecting => "Not connected to the hub yet: actions come on with its first \
                                 picture."
                .to_owned(),
            Self::Broken { reason } => format!(
                "No connection to the hub: {reason}. What you see may be over; actions come back \
                 with the connection, which is being tried again."
            ),
            Self::Refused { reason } => format!(
                "The hub is closed to this console: {reason}. Start again once that is mended."
            ),
            Self::Syncing => "The hub is still telling what is true now: actions come on when its \
                              picture is complete."
                .to_owned(),
            Self::Silent { ms } => format!(
                "Nothing was heard from the hub for {}: what you see may be over. Actions come \
                 back with its next word.",
                seconds(*ms)
            ),
            Self::Lagging { ms } => format!(
                "The hub is {} behind its bridges: what you see may be over. Actions come back \
                 when it has caught up.",
                seconds(*ms)
            ),
            Self::Behind { ms } => format!(
                "The hub has told more than this console has read, for {}: what you see may be \
                 over. Actions come back when it has caught up.",
                seconds(*ms)
            ),
        }
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            connection: Connection::Connecting,
            heard_at: None,
            hub_lag_ms: 0,
            hub_blind: None,
            in_sync: false,
            ever_synced: false,
            behind: None,
            offsets: VecDeque::with_capacity(CLOCK_READINGS),
        }
    }
}

impl Freshness {
    /// Why nobody may act now; None when the view is fresh.
    pub(super) fn blind(&self, now: Timestamp) -> Option<Blind> {
        match &self.connection {
            Connection::Connecting => return Some(Blind::Connecting),
            Connection::Reconnecting { reason, .. } => {
                return Some(Blind::Broken {
                    reason: reason.clone(),
                });
            }
            Connection::Closed { reason } => {
                return Some(Blind::Refused {
                    reason: reason.clone(),
                });
            }
            Connection::Live => {}
        }
        match self.fresh_ms(now) {
            Some(ms) if ms > STALE_AFTER_MS => Some(Blind::Silent { ms }),
            _ if !self.in_sync => Some(Blind::Syncing),
            _ if self.hub_lag_ms > STALE_AFTER_MS => Some(Blind::Lagging {
                ms: self.hub_lag_ms,
            }),
            _ => self
                .behind
                .map(|(_, since)| now.since(since))
                .filter(|ms| *ms > STALE_AFTER_MS)
                .map(|ms| Blind::Behind { ms }),
        }
    }

    /// The age of what was last heard; never negative.
    pub(super) fn fresh_ms(&self, now: Timestamp) -> Option<DurationMs> {
        self.heard_at.map(|at| now.since(at).max(0))
    }

    /// The hub's clock now, as nearly as it is known; ours before its first word.
    pub(super) fn hub_now(&self, now: Timestamp) -> Timestamp {
        now + self.offset()
    }

    /// The connection, with its next attempt on the hub's clock like all else in a frame.
    pub(super) fn connection(&self) -> Connection {
        match &self.connection {
            Connection::Reconnecting {
                attempt,
                retry_at,
                reason,
            } => Connection::Reconnecting {
                attempt: *attempt,
                retry_at: *retry_at + self.offset(),
                reason: reason.clone(),
            },
            other => other.clone(),
        }
    }

    pub(super) const fn hub_lag_ms(&self) -> DurationMs {
        self.hub_lag_ms
    }

    /// What the hub's last beat said of its own sight.
    pub(super) const fn hub_blind(&self) -> Option<&Blindness> {
        self.hub_blind.as_ref()
    }

    pub(super) const fn ever_synced(&self) -> bool {
        self.ever_synced
    }

    pub(super) fn set_connection(&mut self, connection: Connection) {
        self.in_sync = false;
        self.behind = None;
        self.hub_blind = None;
        self.connection = connection;
    }

    pub(super) fn heard(&mut self, now: Timestamp) {
        self.heard_at = Some(now);
    }

    pub(super) fn beat(
        &mut self,
        hub_time: Timestamp,
        lag_ms: DurationMs,
        blind: Option<Blindness>,
        now: Timestamp,
    ) {
        self.hub_lag_ms = lag_ms;
        self.hub_blind = blind;
        self.hub_clock(hub_time, now);
    }

    pub(super) fn hub_clock(&mut self, hub_time: Timestamp, now: Timestamp) {
        let reading = hub_time.since(now);
        if reading.abs_diff(self.offset()) > CLOCK_JUMP_MS.unsigned_abs() {
            self.offsets.clear();
        }
        if self.offsets.len() == CLOCK_READINGS {
            self.offsets.pop_front();
        }
        self.offsets.push_back(reading);
    }

    /// The hub has got further than we have.
    pub(super) fn behind(&mut self, hub_seq: u64, now: Timestamp) {
        self.behind.get_or_insert((hub_seq, now));
    }

    /// We have got so far. Whoever reaches what the hub had when it was asked has caught up.
    pub(super) fn applied(&mut self, seq: u64) {
        if self.behind.is_some_and(|(target, _)| target <= seq) {
            self.synced();
        }
    }

    pub(super) fn synced(&mut self) {
        self.behind = None;
        self.in_sync = true;
        self.ever_synced = true;
    }

    pub(super) fn out_of_sync(&mut self) {
        self.in_sync = false;
    }

    fn offset(&self) -> DurationMs {
        self.offsets.iter().copied().max().unwrap_or(0)
    }
}

fn seconds(ms: DurationMs) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}
