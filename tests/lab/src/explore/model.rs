//! What must be true of calls and bridges, told from what was said alone.
//!
//! It is written from `docs/protocol/bridge.md` and `docs/architecture.md`, not from the engine, and
//! it is small on purpose: which bridges are heard, which calls are live, which facts speak of work,
//! what was wrong with what a bridge said, and when the hub may judge at all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use holdfast_domain::fact::{Fact, FactEnvelope};
use holdfast_domain::{AnomalyKind, BridgeStatus, CallId, FeedState, SourceId, Timestamp};
use holdfast_engine::{BridgeChange, Config};

/// So many heartbeats of a new epoch without a snapshot mean that none comes.
const BEATS_WITHOUT_SNAPSHOT: u8 = 3;
/// Once the hub sees again, deadlines wait for so long.
const SETTLE_MS: i64 = 1_000;
/// So many intervals between heartbeats are looked at, and so many must be known.
const INTERVALS_MAX: usize = 64;
const INTERVALS_MIN: usize = 8;
/// A longer interval is no interval.
const INTERVAL_MS_MAX: i64 = 10_000;
/// How many deviations beyond the mean are phi 12: four beats a second, which are taken to deviate
/// by a quarter, may be silent for 0.64 s.
const DEVIATIONS: f64 = (640.0 - 250.0) / (0.25 * 250.0);
/// What whole milliseconds make of a deviation; within it an irregular bridge may be stale or not.
const LIMIT_APART_MS: f64 = 60.0;

/// One bridge, as the protocol says.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    is_connected: bool,
    is_silent: bool,
    epoch: String,
    heard_at: Timestamp,
    /// Its silence before this was the hub's own.
    seen_from: Timestamp,
    /// How long it may be silent at least, as it promised.
    promised_ms: i64,
    /// When its last heartbeat came, if nothing was kept back since.
    beat_at: Option<Timestamp>,
    /// How far its last heartbeats lay apart.
    intervals: VecDeque<i64>,
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

/// Whether the hub may judge.
#[derive(Debug, Clone, Copy, Default)]
struct Sight {
    is_blind: bool,
    /// Since when it cannot see, or could not the last time.
    since: Timestamp,
    /// No deadline passes before this.
    not_before: Timestamp,
}

/// The reference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    config: Config,
    sight: Sight,
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

    fn silence_ms(&self, now: Timestamp) -> i64 {
        now.since(self.heard_at.max(self.seen_from))
    }

    /// How long a silence must be for a stale bridge, and from when on it is stale in any case:
    /// what it promised, up to twice that where its heartbeats are known to come irregularly.
    fn limits_ms(&self) -> (i64, i64) {
        let promised = self.promised_ms;
        if self.intervals.len() < INTERVALS_MIN {
            return (promised, promised);
        }
        let n = self.intervals.len() as f64;
        let mean = self.intervals.iter().sum::<i64>() as f64 / n;
        let square = |ms: &i64| (*ms as f64 - mean).powi(2);
        let deviation = (self.intervals.iter().map(square).sum::<f64>() / n).sqrt();
        let limit = mean + DEVIATIONS * deviation.max(0.25 * mean);
        let clamp = |ms: f64| (ms as i64).clamp(promised, 2 * promised);
        (clamp(limit - LIMIT_APART_MS), clamp(limit + LIMIT_APART_MS))
    }

    /// Its heartbeats come irregularly, so that it may be silent for longer than it promised.
    #[cfg(test)]
    pub(crate) fn is_irregular(&self) -> bool {
        self.limits_ms().0 > self.promised_ms
    }

    fn is_in_doubt(&self, now: Timestamp) -> bool {
        self.is_connected && !self.is_silent && self.silence_ms(now) >= self.limits_ms().0
    }

    /// A heartbeat came while its feed is as it is.
    fn beats(&mut self, now: Timestamp, hub_sees: bool) {
        if !hub_sees || self.state() != FeedState::Live {
            self.beat_at = None;
            return;
        }
        let interval = self.beat_at.replace(now).map(|before| now.since(before));
        if let Some(interval) = interval.filter(|ms| *ms <= INTERVAL_MS_MAX) {
            self.intervals.push_back(interval);
            while self.intervals.len() > INTERVALS_MAX {
                self.intervals.pop_front();
            }
        }
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

    // === the hub's own sight ===

    /// Whether a deadline may pass.
    pub(crate) fn judges(&self, now: Timestamp) -> bool {
        !self.sight.is_blind && self.sight.not_before <= now
    }

    /// The hub cannot see what was due after `since`.
    pub(crate) fn blind(&mut self, since: Timestamp) {
        if !std::mem::replace(&mut self.sight.is_blind, true) {
            self.sight.since = since;
        }
    }

    /// The hub sees again: silences count from now, and who was not heard meanwhile may have said
    /// something that is on its way.
    pub(crate) fn sees(&mut self, now: Timestamp) {
        if !std::mem::take(&mut self.sight.is_blind) {
            return;
        }
        let since = self.sight.since;
        self.sight.not_before = now + SETTLE_MS;
        for feed in self.feeds.values_mut() {
            feed.seen_from = now;
            feed.beat_at = None;
            feed.is_missing |= feed.heard_at <= since;
        }
    }

    /// Whether nobody saw what was at `at`, when it was.
    pub(crate) fn is_unseen(&self, at: Timestamp) -> bool {
        self.sight.since < at && (self.sight.is_blind || at < self.sight.not_before)
    }

    // === time ===

    /// Some bridge is at the limit of what it may be silent for, so that both is right.
    pub(crate) fn is_in_doubt(&self, now: Timestamp) -> bool {
        self.judges(now) && self.feeds.values().any(|feed| feed.is_in_doubt(now))
    }

    /// Where both is right, what the engine says holds.
    pub(crate) fn adopt(&mut self, told: &[BridgeStatus], now: Timestamp) {
        for status in told {
            if let Some(feed) = self.feeds.get_mut(&status.source)
                && feed.is_in_doubt(now)
            {
                feed.is_silent = status.state == FeedState::Stale;
            }
        }
    }

    /// Time passes: bridges fall silent, calls are given up, bridges are forgotten.
    pub(crate) fn pass(&mut self, now: Timestamp) {
        if !self.judges(now) {
            return;
        }
        let sources: Vec<SourceId> = self.feeds.keys().cloned().collect();
        for source in sources {
            let has_calls = !self.calls_of(&source).is_empty();
            let Some(feed) = self.feeds.get_mut(&source) else {
                continue;
            };
            let silence = feed.silence_ms(now);
            feed.is_silent |= feed.is_connected && silence >= feed.limits_ms().1;
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

    /// The hub came up again: nothing is connected, and it sees.
    pub(crate) fn restarted(&mut self, now: Timestamp) {
        for feed in self.feeds.values_mut() {
            feed.is_connected = false;
        }
        self.sees(now);
    }

    /// Something changed about a bridge.
    pub(crate) fn bridge(&mut self, source: &SourceId, change: &BridgeChange, now: Timestamp) {
        let promised = |heartbeat_ms: i64| {
            (heartbeat_ms * self.config.stale_heartbeats).max(self.config.stale_ms_min)
        };
        let feed = self.feeds.entry(source.clone()).or_insert_with(|| Feed {
            is_connected: false,
            is_silent: false,
            epoch: String::new(),
            heard_at: now,
            seen_from: now,
            promised_ms: promised(0),
            beat_at: None,
            intervals: VecDeque::new(),
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
                feed.beat_at = None;
                feed.promised_ms = promised(*heartbeat_ms);
                if feed.epoch != *epoch {
                    feed.intervals.clear();
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
                if *kind == AnomalyKind::SequenceGap {
                    feed.is_missing = true;
                    feed.beat_at = None;
                }
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
            Fact::BridgeHeartbeat { .. } => self.beat(source, now),
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

    fn beat(&mut self, source: &SourceId, now: Timestamp) {
        let hub_sees = self.judges(now);
        let Some(feed) = self.feeds.get_mut(source) else {
            return;
        };
        feed.beats(now, hub_sees);
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
