//! The bridges: who is connected, where each source stands, what it got wrong.
//!
//! ```text
//!           hello, new epoch of a known source: snapshot wanted
//!   absent ----------------------------------> live <--+ hello, same epoch: the old connection
//!     ^  \---- hello, same epoch: resume ------^ |     | is closed (source_in_use)
//!     +------------ connection gone -------------+-----+
//! ```
//!
//! A hello under another epoch while the source is live is refused with `source_in_use`: two
//! bridge processes under one name would overwrite each other's calls. Once the live connection
//! has been silent for [`QUIET_MS`] the newcomer is believed: the old process is dead and its
//! machine did not say so.

mod speech;

use std::collections::BTreeMap;

use holdfast_domain::{SourceId, Timestamp};
use holdfast_engine::{BridgeChange, Control};
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::bridge::{Hello, HubFrame, Welcome};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::limits::{BATCH_EVENTS_MAX, BRIDGE_FRAME_BYTES_MAX};

use super::Core;
use super::batch::Batch;
use super::failure::Health;
use super::output::Output;
use crate::outbox::Outbox;
use crate::sequence::Sequence;
use crate::session::{Face, SessionId, error_frame};
use crate::words;

/// Silence of a live connection after which another epoch of its source is believed, in
/// milliseconds. A live bridge answers a ping every half second, so six are unanswered by then.
const QUIET_MS: i64 = 3_000;

/// Sources that are remembered while they are not connected. A bridge runs beside each bot
/// process under a name of its own, so old names pile up; whoever is forgotten is asked for a
/// snapshot when it comes back.
const ABSENT_MAX: usize = 16_384;

/// How long the engine may not be told that a bridge lives which says nothing else, in
/// milliseconds: a third of the silence after which it would count as stale at the earliest.
const HEARD_EVERY_MS: i64 = 1_000;

/// A heartbeat that is promised less often than this is not believed, in seconds: an hour.
const HEARTBEAT_SECS_MAX: f64 = 3_600.0;

/// Everything about bridges that is not the engine's.
#[derive(Debug, Default)]
pub(crate) struct Bridges {
    sources: BTreeMap<SourceId, Source>,
    sessions: BTreeMap<SessionId, Session>,
    nonce: u64,
}

/// One source, connected or not.
#[derive(Debug)]
struct Source {
    epoch: String,
    sequence: Sequence,
    /// The session whose frames count.
    live: Option<SessionId>,
    /// The session that was welcomed, and so may be written to. It lags behind `live` by the time
    /// that a commit takes.
    welcomed: Option<(SessionId, Outbox)>,
    /// When it was last heard or, while absent, when it left.
    heard: Timestamp,
    /// When the engine was last told something of it.
    told: Timestamp,
}

/// One connection.
#[derive(Debug)]
struct Session {
    source: SourceId,
    outbox: Outbox,
}

impl Bridges {
    /// Where each source stood when the journal was last written.
    pub(crate) fn new(positions: Vec<(SourceId, String, u64)>) -> Self {
        let sources = positions
            .into_iter()
            .map(|(source, epoch, position)| {
                let at = Source {
                    epoch,
                    sequence: Sequence::at(position),
                    live: None,
                    welcomed: None,
                    heard: Timestamp::default(),
                    told: Timestamp::default(),
                };
                (source, at)
            })
            .collect();
        Self {
            sources,
            ..Self::default()
        }
    }

    /// The epoch and the last accepted sequence of a source.
    pub(crate) fn position(&self, source: &SourceId) -> Option<(String, u64)> {
        let source = self.sources.get(source)?;
        Some((source.epoch.clone(), source.sequence.position()))
    }

    /// Adds to a batch that what it holds of each source is durable with it.
    pub(crate) fn add_acks(&self, batch: &mut Batch) {
        let acks: Vec<_> = batch
            .acked()
            .iter()
            .filter_map(|source| Some((source.clone(), self.position(source)?.1)))
            .collect();
        for (source, sequence) in acks {
            batch.push(Output::Ack { source, sequence });
        }
    }

    /// Welcomes a bridge whose hello is durable.
    pub(crate) fn welcome(
        &mut self,
        source: &SourceId,
        session: SessionId,
        outbox: &Outbox,
        welcome: Welcome,
    ) {
        let Some(known) = self.sources.get_mut(source) else {
            return;
        };
        known.welcomed = Some((session, outbox.clone()));
        self.say(source, &HubFrame::Welcome(welcome));
    }

    /// Says something to a source. When it is not connected nothing is lost: the engine sends
    /// commands again at the next hello, and the next welcome tells what is durable.
    pub(crate) fn say(&self, source: &SourceId, frame: &HubFrame) {
        let welcomed = self
            .sources
            .get(source)
            .and_then(|source| source.welcomed.as_ref());
        if let Some((_, outbox)) = welcomed
            && outbox.push(words::to_bridge(frame)).is_err()
        {
            let error = WireError::new(
                ErrorCode::RateLimited,
                "the bridge does not read what the hub writes, so the connection is closed; \
                 connect again and unanswered commands are sent again",
            )
            .closing();
            tracing::warn!(%source, "a bridge does not read and is closed");
            outbox.close(error_frame(Face::Bridge, &error), error.code);
        }
    }

    /// Asks every bridge whether it is there.
    pub(crate) fn ping(&mut self) {
        self.nonce += 1;
        let ping = HubFrame::Ping { nonce: self.nonce };
        for source in self.sources.keys() {
            self.say(source, &ping);
        }
    }

    /// Ends every connection because the hub stops.
    pub(crate) fn go_away(&self) {
        for session in self.sessions.values() {
            session.outbox.go_away();
        }
    }

    /// Ends every connection with an error; nobody is connected any more.
    pub(crate) fn close_all(&mut self, error: &WireError) {
        for session in std::mem::take(&mut self.sessions).into_values() {
            session
                .outbox
                .close(error_frame(Face::Bridge, error), error.code);
        }
    }

    /// Forgets the source that has been absent for longest, when there are too many.
    fn forget_absent(&mut self) {
        let absent = self.sources.iter().filter(|(_, at)| at.live.is_none());
        if absent.clone().count() > ABSENT_MAX
            && let Some(oldest) = absent
                .min_by_key(|(_, at)| at.heard)
                .map(|(id, _)| id.clone())
        {
            self.sources.remove(&oldest);
        }
    }
}

impl Core {
    pub(super) fn on_bridge_hello(&mut self, session: SessionId, hello: Hello, outbox: Outbox) {
        if !self.health.is_working() {
            let error = Health::wire_error();
            outbox.close(error_frame(Face::Bridge, &error), error.code);
            return;
        }
        let now = self.tell_time();
        let source = SourceId::new(hello.source.as_str());
        let known = self.bridges.sources.get(&source);
        let old = known.and_then(|known| known.live);
        let is_resume = known.is_some_and(|known| known.epoch == hello.epoch);
        if let (Some(_), false, Some(known)) = (old, is_resume, known)
            && now.since(known.heard) < QUIET_MS
        {
            let error = in_use(
                "another process is connected under this source; give each running bridge a \
                 source of its own, or wait until the other is gone",
            );
            outbox.close(error_frame(Face::Bridge, &error), error.code);
            return;
        }
        if let Some(old) = old.and_then(|old| self.bridges.sessions.remove(&old)) {
            let error = in_use("this source connected again, so its older connection is closed");
            old.outbox
                .close(error_frame(Face::Bridge, &error), error.code);
        }

        let is_reborn = known.is_some() && !is_resume;
        let sequence = match known {
            Some(known) if is_resume => Sequence::at(known.sequence.position()),
            Some(_) | None => Sequence::at(0),
        };
        let welcomed = self
            .bridges
            .sources
            .remove(&source)
            .and_then(|known| known.welcomed);
        let at = Source {
            epoch: hello.epoch.clone(),
            sequence,
            live: Some(session),
            welcomed,
            heard: now,
            told: now,
        };
        self.bridges.sources.insert(source.clone(), at);
        self.bridges.sessions.insert(
            session,
            Session {
                source: source.clone(),
                outbox: outbox.clone(),
            },
        );
        // The welcome waits for everything before it, so what it says is durable.
        self.batch.log_position(&source);
        self.batch.push(Output::Welcome {
            source: source.clone(),
            session,
            outbox,
            welcome: Welcome {
                protocol: PROTOCOL_VERSION,
                resume_after: sequence.position(),
                // A source that was never heard tells everything from its first event, or sends a
                // snapshot of its own accord when it has forgotten that one.
                snapshot: is_reborn,
                max_frame_bytes: BRIDGE_FRAME_BYTES_MAX,
                max_batch: BATCH_EVENTS_MAX,
            },
        });
        self.control(&Control::Bridge {
            source,
            change: BridgeChange::Connected {
                platform: format!("{} {}", hello.platform.name, hello.platform.version),
                epoch: hello.epoch,
                heartbeat_ms: heartbeat_ms(hello.heartbeat_secs),
                capabilities: hello.capabilities,
            },
        });
    }

    pub(super) fn on_bridge_gone(&mut self, session: SessionId) {
        let Some(gone) = self.bridges.sessions.remove(&session) else {
            return;
        };
        let now = self.tell_time();
        let Some(source) = self.bridges.sources.get_mut(&gone.source) else {
            return;
        };
        if source.live != Some(session) {
            return;
        }
        source.live = None;
        source.welcomed = None;
        source.heard = now;
        self.bridges.forget_absent();
        self.control(&Control::Bridge {
            source: gone.source,
            change: BridgeChange::Disconnected,
        });
    }
}

fn in_use(message: &str) -> WireError {
    WireError::new(ErrorCode::SourceInUse, message).closing()
}

/// What a bridge promises, in whole milliseconds between 1 and an hour.
fn heartbeat_ms(secs: f64) -> i64 {
    if secs.is_finite() && secs > 0.0 {
        ((secs.min(HEARTBEAT_SECS_MAX) * 1_000.0) as i64).max(1)
    } else {
        // A promise that makes no sense is not believed; this is what the reference bridges use.
        2_000
    }
}
