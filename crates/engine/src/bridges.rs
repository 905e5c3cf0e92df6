//! What we know of each bridge: whether it lives, how its clock stands, what it gets wrong.
//!
//! ```text
//!  Lost --connected--> Live <--> Stale        (silent for longer than its limit)
//!   ^                   |  ^
//!   +---disconnected----+  +--caught up-- Resyncing   (gap, snapshot, a new epoch, or not heard
//!                                                      since the hub sees again)
//! ```

use std::collections::BTreeSet;

use holdfast_domain::fact::{Fact, FactEnvelope};
use holdfast_domain::{
    ActiveFault, Anomaly, AnomalyKind, BridgeStatus, CallId, Capability, DurationMs, FeedState,
    SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::beats::Pulse;
use crate::timers::Queued;
use crate::{Config, words};

/// A fact's origin and its bridge may differ by this much; beyond it the origin's clock is not used.
const ORIGIN_APART_MS_MAX: DurationMs = 60_000;
/// A fact that is this much later than the best was held up and says nothing about the clocks.
const LATE_MS: DurationMs = 1_000;
/// So many heartbeats in a row that are late mean that the bridge's clock was set back.
const LATE_BEATS_MAX: u8 = 3;
/// A clock that moves forward by more than this was set.
const JUMP_MS: DurationMs = 300_000;
/// The share by which the estimate follows a slower sample, and how often: follows a drift of one
/// second in an hour, and shrugs off single delays, however many facts were delayed together.
const FOLLOW: DurationMs = 64;
const FOLLOW_EVERY_MS: DurationMs = 1_000;
/// A new bridge process that has sent this many heartbeats and no snapshot knows nothing of the
/// calls of the one before.
const BEATS_WITHOUT_SNAPSHOT: u8 = 3;
/// News is never held up for longer than this: no bridge buffers a day, and a moment before that is
/// no moment of a call that lives.
const HELD_MS_MAX: DurationMs = 86_400_000;
/// The longest example of an anomaly, in characters.
const EXAMPLE_CHARS_MAX: usize = 160;

/// One bridge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bridge {
    pub(crate) source: SourceId,
    pub(crate) platform: String,
    pub(crate) epoch: String,
    pub(crate) heartbeat_ms: DurationMs,
    pub(crate) capabilities: Vec<Capability>,
    pub(crate) is_connected: bool,
    /// Nothing heard for longer than its limit.
    pub(crate) is_silent: bool,
    /// What is true is being told again.
    pub(crate) is_resyncing: bool,
    /// Something that it said may be on its way to us: an event is missing, or we could not hear
    /// for a while. Over with its next word in order.
    #[serde(default)]
    pub(crate) is_missing: bool,
    pub(crate) heard_at: Timestamp,
    /// Its silence before this was the hub's own.
    #[serde(default)]
    pub(crate) seen_from: Timestamp,
    /// The newest moment that it told of, on its own clock, and since when it does so without a gap.
    #[serde(default)]
    told_at: Timestamp,
    #[serde(default)]
    awake_since: Timestamp,
    /// When the one that beats alone on it is missed, on its own clock; None without such a one.
    #[serde(default)]
    pub(crate) miss_at: Option<Timestamp>,
    /// How regularly its heartbeats arrive.
    #[serde(default)]
    pulse: Pulse,
    /// The next heartbeat ends an interval: nothing was kept back since the one before.
    #[serde(default)]
    has_beaten: bool,
    /// The bridge's clock minus ours; None before the first fact.
    skew_ms: Option<DurationMs>,
    /// When the estimate last followed a slower sample.
    #[serde(default)]
    followed_at: Timestamp,
    late_beats: u8,
    pub(crate) faults: Vec<ActiveFault>,
    anomalies: Vec<Anomaly>,
    /// Its live calls.
    pub(crate) calls: BTreeSet<CallId>,
    /// Calls of an earlier epoch that nobody has told again.
    pub(crate) untold: BTreeSet<CallId>,
    /// It counted fewer calls than we, when it last counted.
    pub(crate) is_suspected: bool,
    /// Heartbeats of a new epoch before its snapshot.
    beats_without_snapshot: u8,
    /// Heartbeats in a row that counted fewer calls than we know.
    beats_short: u8,
    #[serde(skip)]
    pub(crate) queued: Queued,
}

impl Bridge {
    pub(crate) fn new(source: SourceId, now: Timestamp) -> Self {
        Self {
            source,
            platform: String::new(),
            epoch: String::new(),
            heartbeat_ms: 0,
            capabilities: Vec::new(),
            is_connected: false,
            is_silent: false,
            is_resyncing: false,
            is_missing: false,
            heard_at: now,
            seen_from: now,
            told_at: now,
            awake_since: now,
            miss_at: None,
            pulse: Pulse::new(now),
            has_beaten: false,
            skew_ms: None,
            followed_at: now,
            late_beats: 0,
            faults: Vec::new(),
            anomalies: Vec::new(),
            calls: BTreeSet::new(),
            untold: BTreeSet::new(),
            is_suspected: false,
            beats_without_snapshot: 0,
            beats_short: 0,
            queued: Queued::default(),
        }
    }

    pub(crate) const fn state(&self) -> FeedState {
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

    /// The longest silence of a living bridge: what it promised, and up to twice that for one whose
    /// heartbeats come irregularly.
    pub(crate) fn limit_ms(&self, config: &Config) -> DurationMs {
        let by_heartbeat = self.heartbeat_ms.saturating_mul(config.stale_heartbeats);
        let promised = by_heartbeat.max(config.stale_ms_min);
        let learnt = self.pulse.silence_ms().unwrap_or(promised);
        learnt.clamp(promised, promised.saturating_mul(2))
    }

    /// A heartbeat arrived: learns how regularly they do, if `hub_sees`. What the line or the hub
    /// kept back says nothing of it.
    pub(crate) fn beats(&mut self, config: &Config, now: Timestamp, hub_sees: bool) {
        let counts = hub_sees && self.state() == FeedState::Live;
        if counts && self.has_beaten {
            self.pulse.beat(now, &config.beats);
        } else {
            self.pulse.resume(now);
        }
        self.has_beaten = counts;
    }

    /// An event of it is missing: what it says is not taken in before that one.
    pub(crate) const fn misses_event(&mut self) {
        self.is_missing = true;
        self.has_beaten = false;
    }

    /// The hub sees again, and was blind since `since`: its silence counts from `now`, and what it
    /// said may be on its way.
    pub(crate) fn is_seen(&mut self, since: Timestamp, now: Timestamp) {
        self.seen_from = now;
        self.has_beaten = false;
        self.is_missing |= self.heard_at <= since;
    }

    /// When the bridge falls silent, when its calls are given up, or when it is forgotten.
    pub(crate) fn deadline(&self, config: &Config) -> Option<Timestamp> {
        let heard = self.heard_at.max(self.seen_from);
        match self.state() {
            FeedState::Live | FeedState::Resyncing => Some(heard + self.limit_ms(config)),
            FeedState::Stale | FeedState::Lost if !self.calls.is_empty() => {
                Some(heard + config.lost_calls_ms)
            }
            FeedState::Lost => Some(heard + config.forget_bridge_ms),
            // Its connection still stands; the hub closes it if it stays silent.
            FeedState::Stale => None,
        }
    }

    pub(crate) const fn heard(&mut self, now: Timestamp) {
        self.heard_at = now;
        self.is_silent = false;
    }

    /// It saw something at this moment of its own clock. After a gap, or when its clock was set, it
    /// says nothing about what it did not tell meanwhile.
    pub(crate) fn tells(&mut self, recorded: Timestamp, blind_ms: DurationMs) {
        // Two of its heartbeats are never so far apart.
        let blind_ms = blind_ms.max(self.heartbeat_ms.saturating_mul(3) / 2);
        let passed = recorded.since(self.told_at);
        if passed.saturating_abs() >= blind_ms {
            self.awake_since = recorded;
            self.told_at = recorded;
        }
        self.told_at = self.told_at.max(recorded);
    }

    /// It lives and says nothing else; the moment of its own clock.
    pub(crate) fn pongs(&mut self, blind_ms: DurationMs, now: Timestamp) -> Timestamp {
        let recorded = now + self.skew_ms.unwrap_or(0);
        self.tells(recorded, blind_ms);
        recorded
    }

    /// Since when it tells without a gap, and we hear it, on its own clock.
    pub(crate) fn awake_since(&self) -> Timestamp {
        let seen_from = self.seen_from + self.skew_ms.unwrap_or(0);
        self.awake_since.max(seen_from)
    }

    /// It told of a moment of its own clock at which the one that beats alone may be missing.
    pub(crate) fn may_miss(&self, recorded: Timestamp) -> bool {
        self.miss_at.is_some_and(|at| at <= recorded)
    }

    /// A connection with a welcome.
    pub(crate) fn connected(
        &mut self,
        platform: &str,
        epoch: &str,
        heartbeat_ms: DurationMs,
        capabilities: &[Capability],
        now: Timestamp,
    ) -> bool {
        let is_new_epoch = self.epoch != epoch;
        platform.clone_into(&mut self.platform);
        self.heartbeat_ms = heartbeat_ms;
        self.capabilities = capabilities.to_vec();
        self.is_connected = true;
        // Its connection resumes after the last event that came.
        self.is_missing = false;
        self.has_beaten = false;
        if is_new_epoch {
            epoch.clone_into(&mut self.epoch);
            self.pulse = Pulse::new(now);
            self.skew_ms = None;
            self.late_beats = 0;
            self.faults.clear();
            self.untold.clone_from(&self.calls);
            self.is_resyncing = !self.calls.is_empty();
            self.beats_without_snapshot = 0;
        }
        self.heard(now);
        is_new_epoch
    }

    /// A snapshot begins: what it does not name has ended.
    pub(crate) fn snapshot_began(&mut self) {
        self.is_resyncing = true;
        self.untold.clear();
    }

    /// The bridge has told all that it knows.
    pub(crate) fn caught_up(&mut self) {
        self.is_resyncing = false;
        self.untold.clear();
    }

    /// A heartbeat: true if a new process has now said often enough that it tells no snapshot, so
    /// that its untold calls are over.
    pub(crate) fn beat_without_snapshot(&mut self) -> bool {
        if self.untold.is_empty() {
            return false;
        }
        self.beats_without_snapshot += 1;
        self.beats_without_snapshot >= BEATS_WITHOUT_SNAPSHOT
    }

    /// A heartbeat counts the platform's live calls: true if it misses some of ours, twice in a
    /// row, because a call may end between two of its events.
    pub(crate) fn misses_calls(&mut self, told: u64) -> bool {
        if told < self.calls.len() as u64 && !self.is_resyncing {
            self.beats_short = self.beats_short.saturating_add(1);
        } else {
            self.beats_short = 0;
        }
        self.beats_short >= 2
    }

    /// Our clock was set: nothing is known of how its clock stands to ours.
    pub(crate) const fn forget_clock(&mut self) {
        self.skew_ms = None;
        self.late_beats = 0;
    }

    /// When a fact happened, on our clock. Learns how the bridge's clock stands.
    ///
    /// A fact arrives late or in time, never early: so the sample with the least delay is the best.
    /// While `is_blind`, being late says nothing about the bridge's clock: we hear it late.
    pub(crate) fn place(
        &mut self,
        fact: &FactEnvelope<'_>,
        now: Timestamp,
        is_blind: bool,
    ) -> Timestamp {
        let sample = fact.recorded.since(now);
        let skew = match self.skew_ms {
            None => sample,
            Some(skew) if sample >= skew => {
                if sample.saturating_sub(skew) > JUMP_MS {
                    self.note(AnomalyKind::ClockJump, "its clock moved forward", now);
                }
                sample
            }
            Some(skew) if is_blind => skew,
            Some(skew) if skew.saturating_sub(sample) <= LATE_MS => {
                self.late_beats = 0;
                if now.since(self.followed_at) >= FOLLOW_EVERY_MS {
                    self.followed_at = now;
                    skew - (skew - sample) / FOLLOW
                } else {
                    skew
                }
            }
            Some(skew) => self.late_sample(skew, sample, &fact.fact, now),
        };
        self.skew_ms = Some(skew);
        let apart = fact.time.since(fact.recorded).saturating_abs();
        let origin = if apart <= ORIGIN_APART_MS_MAX {
            fact.time
        } else {
            fact.recorded
        };
        let at = (origin - skew).min(now);
        if now.since(at) > HELD_MS_MAX {
            let example = "a fact from more than a day ago, taken as of now";
            self.note(AnomalyKind::Impossible, example, now);
            return now;
        }
        at
    }

    fn late_sample(
        &mut self,
        skew: DurationMs,
        sample: DurationMs,
        fact: &Fact<'_>,
        now: Timestamp,
    ) -> DurationMs {
        if !matches!(fact, Fact::BridgeHeartbeat { .. }) {
            return skew;
        }
        self.late_beats += 1;
        if self.late_beats < LATE_BEATS_MAX {
            return skew;
        }
        self.late_beats = 0;
        self.note(AnomalyKind::ClockJump, "its clock was set back", now);
        sample
    }

    /// Counts something that cannot be used.
    pub(crate) fn note(&mut self, kind: AnomalyKind, example: &str, now: Timestamp) {
        self.note_many(kind, 1, example, now);
    }

    pub(crate) fn note_many(&mut self, kind: AnomalyKind, n: u64, example: &str, now: Timestamp) {
        let example = words::clip(example, EXAMPLE_CHARS_MAX);
        match self
            .anomalies
            .binary_search_by_key(&kind, |known| known.kind)
        {
            Ok(at) => {
                let known = &mut self.anomalies[at];
                known.count = known.count.saturating_add(n);
                known.last_at = now;
                known.example = example;
            }
            Err(at) => self.anomalies.insert(
                at,
                Anomaly {
                    kind,
                    count: n,
                    last_at: now,
                    example,
                },
            ),
        }
    }

    pub(crate) fn status(&self) -> BridgeStatus {
        BridgeStatus {
            source: self.source.clone(),
            platform: self.platform.clone(),
            state: self.state(),
            heard_at: self.heard_at,
            live_calls: self.calls.len() as u32,
            clock_skew_ms: self.skew_ms.unwrap_or(0),
            capabilities: self.capabilities.clone(),
            faults: self.faults.clone(),
            anomalies: self.anomalies.clone(),
        }
    }
}
