//! What must be true of calls and bridges, told from what was said alone.
//!
//! It is written from `docs/protocol/bridge.md` and `docs/architecture.md`, not from the engine, and
//! it is small on purpose: which bridges are heard, which calls are live, which facts speak of work,
//! what was wrong with what a bridge said.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::fact::{Fact, FactEnvelope};
use holdfast_domain::{AnomalyKind, CallId, FeedState, SourceId, Timestamp};
use holdfast_engine::{BridgeChange, Config};

/// So many heartbeats of a new epoch without a snapshot mean that none comes.
const BEATS_WITHOUT_SNAPSHOT: u8 = 3;

/// One bridge, as the protocol says.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    is_connected: bool,
    is_silent: bool,
    epoch: String,
    heard_at: Timestamp,
    limit_ms: i64,
    is_resyncing: bool,
    /// An event of it is missing, or it was not heard since the hub sees again.
    is_missing: bool,
    /// Calls of the epoch before that nobody has told again.
    untold: BTreeSet<CallId>,
    beats: u8,
    pub(crate) anomalies: BTreeMap<AnomalyKind, u64>,
}

/// One live call.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) source: SourceId,
    /// A fact about work of some layer was heard since the call began, was told again, or facts
    /// were lost.
    pub(crate) has_worked: bool,
}

/// The reference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    config: Config,
    pub(crate) feeds: BTreeMap<SourceId, Feed>,
    pub(crate) calls: BTreeMap<CallId, Live>,
    /// Every event that was taken in, and what it was about.
    pub(crate) events: BTreeMap<String, String>,
}

impl Feed {
    pub(crate) fn state(&self) -> FeedState {
        if !self.is_connected {
            FeedState::Lost
        } else if self.is_silent {
            FeedState::Stale
        } else if self.is_resyncing || self.is_missing {
            FeedState::Resyncing
        } else {
            FeedState::Live
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.is_connected
    }

    fn count(&mut self, kind: AnomalyKind, n: u64) {
        *self.anomalies.entry(kind).or_default() += n;
    }
}

impl Model {
    pub(crate) fn feed(&self, source: &SourceId) -> FeedState {
        self.feeds.get(source).map_or(FeedState::Lost, Feed::state)
    }

    pub(crate) fn calls_of(&self, source: &SourceId) -> BTreeSet<CallId> {
        let of_source = |(_, live): &(&CallId, &Live)| live.source == *source;
        let mine = self.calls.iter().filter(of_source);
        mine.map(|(id, _)| id.clone()).collect()
    }

    /// Time passes: bridges fall silent, calls are given up, bridges are forgotten.
    pub(crate) fn pass(&mut self, now: Timestamp) {
        let sources: Vec<SourceId> = self.feeds.keys().cloned().collect();
        for source in sources {
            let has_calls = !self.calls_of(&source).is_empty();
            let Some(feed) = self.feeds.get_mut(&source) else {
                continue;
            };
            let silence = now.since(feed.heard_at);
            feed.is_silent |= feed.is_connected && silence >= feed.limit_ms;
            let is_heard = feed.is_connected && !feed.is_silent;
            let is_lost = !feed.is_connected;
            if !is_heard && has_calls && silence >= self.config.lost_calls_ms {
                self.calls.retain(|_, live| live.source != source);
            }
            let is_empty = self.calls_of(&source).is_empty();
            if is_lost && is_empty && silence >= self.config.forget_bridge_ms {
                self.feeds.remove(&source);
            }
        }
    }

    /// The hub came up again: nothing is connected.
    pub(crate) fn restarted(&mut self) {
        for feed in self.feeds.values_mut() {
            feed.is_connected = false;
        }
    }

    /// Something changed about a bridge.
    pub(crate) fn bridge(&mut self, source: &SourceId, change: &BridgeChange, now: Timestamp) {
        let limit = |heartbeat_ms: i64| {
            (heartbeat_ms * self.config.stale_heartbeats).max(self.config.stale_ms_min)
        };
        let feed = self.feeds.entry(source.clone()).or_insert_with(|| Feed {
            is_connected: false,
            is_silent: false,
            epoch: String::new(),
            heard_at: now,
            limit_ms: limit(0),
            is_resyncing: false,
            is_missing: false,
            untold: BTreeSet::new(),
            beats: 0,
            anomalies: BTreeMap::new(),
        });
        match change {
            BridgeChange::Connected {
                epoch,
                heartbeat_ms,
                ..
            } => {
                feed.is_connected = true;
                feed.is_missing = false;
                feed.limit_ms = limit(*heartbeat_ms);
                if feed.epoch != *epoch {
                    feed.epoch.clone_from(epoch);
                    feed.beats = 0;
                    let mine = |(_, live): &(&CallId, &Live)| live.source == *source;
                    let mine = self.calls.iter().filter(mine);
                    feed.untold = mine.map(|(id, _)| id.clone()).collect();
                    feed.is_resyncing = !feed.untold.is_empty();
                }
                self.hear(source, now);
            }
            BridgeChange::Disconnected => feed.is_connected = false,
            BridgeChange::Heard => {
                feed.is_missing = false;
                self.hear(source, now);
            }
            BridgeChange::Anomaly { kind, .. } => {
                feed.count(*kind, 1);
                feed.is_missing |= *kind == AnomalyKind::SequenceGap;
            }
        }
    }

    pub(crate) fn hear(&mut self, source: &SourceId, now: Timestamp) {
        if let Some(feed) = self.feeds.get_mut(source) {
            feed.heard_at = now;
            feed.is_silent = false;
        }
    }

    pub(crate) fn count(&mut self, source: &SourceId, kind: AnomalyKind, n: u64) {
        if let Some(feed) = self.feeds.get_mut(source) {
            feed.count(kind, n);
        }
    }

    /// A fact in its place.
    pub(crate) fn fact(&mut self, source: &SourceId, told: &FactEnvelope<'_>, now: Timestamp) {
        self.hear(source, now);
        if let Some(feed) = self.feeds.get_mut(source) {
            feed.is_missing = false;
        }
        self.events
            .insert(told.id.to_string(), told.subject.to_string());
        match &told.fact {
            Fact::StreamSnapshot { calls } => {
                let named: BTreeSet<&str> = calls.iter().map(AsRef::as_ref).collect();
                self.calls
                    .retain(|id, live| live.source != *source || named.contains(id.as_str()));
                self.resync(source, true);
            }
            Fact::StreamGapDetected { missing, .. } => {
                self.count(source, AnomalyKind::Dropped, (*missing).max(1));
                if let Some(feed) = self.feeds.get_mut(source) {
                    feed.is_resyncing = true;
                }
                for live in self.calls.values_mut().filter(|at| at.source == *source) {
                    live.has_worked = false;
                }
            }
            Fact::StreamCaughtUp => self.resync(source, false),
            Fact::BridgeHeartbeat { .. } => self.beat(source),
            Fact::DrillFaultsChanged { .. } | Fact::Beat { .. } => {}
            Fact::WorkerLost { .. } | Fact::WorkerRegistered { .. } if told.subject == "*" => {}
            Fact::CallStarted(started) => self.started(source, &told.subject, started.resumed),
            fact => self.call_fact(source, &told.subject, fact),
        }
    }

    fn resync(&mut self, source: &SourceId, begins: bool) {
        if let Some(feed) = self.feeds.get_mut(source) {
            feed.is_resyncing = begins;
            feed.untold.clear();
        }
    }

    fn beat(&mut self, source: &SourceId) {
        let Some(feed) = self.feeds.get_mut(source) else {
            return;
        };
        if feed.untold.is_empty() {
            return;
        }
        feed.beats += 1;
        if feed.beats >= BEATS_WITHOUT_SNAPSHOT {
            let over = std::mem::take(&mut feed.untold);
            feed.is_resyncing = false;
            self.calls.retain(|id, _| !over.contains(id));
        }
    }

    fn started(&mut self, source: &SourceId, id: &str, resumed: bool) {
        if !CallId::is_valid(id) {
            return self.count(source, AnomalyKind::Impossible, 1);
        }
        let id = CallId::new(id);
        if let Some(feed) = self.feeds.get_mut(source)
            && resumed
        {
            feed.untold.remove(&id);
        }
        match self.calls.get_mut(&id) {
            Some(live) if live.source != *source => {
                self.count(source, AnomalyKind::ForeignCall, 1);
            }
            Some(_) if !resumed => self.count(source, AnomalyKind::Impossible, 1),
            Some(live) => live.has_worked = false,
            None => {
                let source = source.clone();
                let has_worked = false;
                self.calls.insert(id, Live { source, has_worked });
            }
        }
    }

    fn call_fact(&mut self, source: &SourceId, id: &str, fact: &Fact<'_>) {
        match self.calls.get_mut(id) {
            None => self.count(source, AnomalyKind::UnknownCall, 1),
            Some(live) if live.source != *source => {
                self.count(source, AnomalyKind::ForeignCall, 1);
            }
            Some(_) if is_impossible(fact) => self.count(source, AnomalyKind::Impossible, 1),
            Some(_) if matches!(fact, Fact::CallEnded { .. }) => {
                if let Some(feed) = self.feeds.get_mut(source) {
                    feed.untold.remove(id);
                }
                self.calls.remove(id);
            }
            Some(live) => live.has_worked |= is_work(fact),
        }
    }
}

/// A fact that no platform can mean.
fn is_impossible(fact: &Fact<'_>) -> bool {
    match fact {
        Fact::TurnEnded { duration_ms, .. } | Fact::ToolCompleted { duration_ms, .. } => {
            *duration_ms < 0
        }
        Fact::TurnLatency { total_ms } => *total_ms < 0,
        Fact::ServiceLatency { ms, .. } => !ms.is_finite() || *ms < 0.0,
        Fact::TransportQuality { loss, rtt_ms, .. } => {
            let is_share = (0.0..=1.0).contains(loss);
            !is_share || !rtt_ms.is_finite() || *rtt_ms < 0.0
        }
        _ => false,
    }
}

/// A fact that shows that some layer did its work: the only reason why one may be healthy.
fn is_work(fact: &Fact<'_>) -> bool {
    !matches!(
        fact,
        Fact::CallUpdated(_)
            | Fact::ParticipantJoined { .. }
            | Fact::ParticipantLeft { .. }
            | Fact::TransportDisconnected { .. }
            | Fact::ServiceError { .. }
            | Fact::ServiceUsage { .. }
            | Fact::ServiceSettingsChanged { .. }
            | Fact::PipelineStalled { .. }
            | Fact::PipelineIdle { .. }
            | Fact::WorkerLost { .. }
            | Fact::HandoffRequested { .. }
            | Fact::HandoffFailed { .. }
    )
}
