//! Who beats and lives: vendors as the platform probes them, and its workers.
//!
//! Silence is counted on the bridge's own clock. A beat is missed only when the bridge has told of a
//! later moment, because a bridge keeps the order of what it tells: what it held up, what lay in the
//! hub's own queue, and a clock that was set are nobody's death. So no clock of ours asks, and it is
//! told as soon as it can be known.
//!
//! ```text
//! beat --> Alive --the bridge tells of a moment beyond the limit, by a beat of another one--> Dead
//!            ^                                                                                 |
//!            +------------------------------------ beat ---------------------------------------+
//! ```
//!
//! When all beats of a bridge stop at once, whoever probes has stopped: nobody is dead. Where only
//! one beats, any word of its bridge is a witness instead.
//! Deliberately absent: how long a silence may be (`pulse`), and who is put on watch (`concerns`).

mod pulse;

use std::cmp::Ordering;

use holdfast_domain::fact::{BeatOf, Fact, FactEnvelope};
use holdfast_domain::{DurationMs, EventId, Layer, SignalKind, SourceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calls::evidence;
use crate::concerns::{Concern, ConcernId, Reach, service_words};
use crate::config::BeatLimits;
use crate::{Engine, words};
pub(crate) use pulse::Pulse;

/// The most that beat: a large platform has tens of vendors in some regions and some thousand
/// workers. Further ones are not judged until others are gone.
const PULSES_MAX: usize = 4_096;
/// The most characters of a name.
const NAME_CHARS_MAX: usize = 200;

/// One that beats.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Beating {
    id: u32,
    source: SourceId,
    of: BeatOf,
    name: String,
    /// What it serves, where the platform probes that apart: a vendor's speech can be dead while
    /// its model lives.
    layer: Option<Layer>,
    region: Option<String>,
    zone: Option<String>,
    pulse: Pulse,
    /// Its newest beat, in one buffer that is written over.
    event: String,
    /// When it was said to be dead, on our clock, and how long it was silent then.
    dead: Option<(Timestamp, DurationMs)>,
}

/// A beat, as it was told.
#[derive(Debug, Clone, Copy)]
struct Beat<'a> {
    source: &'a SourceId,
    of: BeatOf,
    name: &'a str,
    layer: Option<Layer>,
    region: Option<&'a str>,
    zone: Option<&'a str>,
}

/// What is heard of a bridge by one of its words; on its own clock, but for `now`.
#[derive(Debug, Clone, Copy)]
struct Hears<'a> {
    /// When the bridge saw it.
    at: Timestamp,
    /// The moment that it tells of by it.
    told_of: Timestamp,
    /// Since when it tells without a gap.
    awake: Timestamp,
    now: Timestamp,
    limits: &'a BeatLimits,
}

/// The moment that a bridge tells of by a fact, on its own clock: when it saw it, or when it
/// happened. What was held up on its way to the bridge is told in the order in which it happened, so
/// it is a witness of no later moment.
pub(crate) fn told_of(envelope: &FactEnvelope<'_>) -> Timestamp {
    envelope.time.min(envelope.recorded)
}

impl Beating {
    fn is_of(&self, beat: &Beat<'_>) -> Ordering {
        self.source
            .cmp(beat.source)
            .then(self.of.cmp(&beat.of))
            .then(self.name.as_str().cmp(beat.name))
            .then(self.layer.cmp(&beat.layer))
            .then(self.region.as_deref().cmp(&beat.region))
            .then(self.zone.as_deref().cmp(&beat.zone))
    }
}

/// All that beat.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Beats {
    /// In the order of [`Beating::is_of`].
    all: Vec<Beating>,
    count: u32,
}

/// What a beat or a word of a bridge changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turned {
    Dead(u32),
    Alive(u32),
}

impl Beats {
    /// Takes a beat in.
    fn beat(&mut self, beat: &Beat<'_>, event: &str, hears: &Hears<'_>, turned: &mut Vec<Turned>) {
        let (at, limits) = (hears.at, hears.limits);
        let place = match self.all.binary_search_by(|known| known.is_of(beat)) {
            Ok(place) => place,
            Err(place) => {
                self.begin(place, beat, event, at);
                return;
            }
        };
        let known = &mut self.all[place];
        let last_at = known.pulse.last_at();
        let was_blind = hears.awake > last_at || last_at.since(at) >= limits.blind_ms;
        if at <= last_at && !was_blind {
            return;
        }
        let was_dead = known.dead.take().is_some();
        let was_missed = !was_dead && known.pulse.is_beyond(hears.told_of);
        known.event.clear();
        known.event.push_str(event);
        if was_blind {
            known.pulse.resume(at);
        } else if was_dead || known.pulse.is_beyond(at) {
            known.pulse.pause(at);
        } else {
            known.pulse.beat(at, limits);
        }
        if was_dead {
            turned.push(Turned::Alive(known.id));
        }
        if was_blind || was_missed {
            // It was silent, and nobody was there to say that the others were not: they begin anew.
            self.resume_others(beat.source, hears);
        } else {
            self.witness(beat.source, Some(place), hears, turned);
        }
    }

    fn begin(&mut self, place: usize, beat: &Beat<'_>, event: &str, at: Timestamp) {
        let is_too_long = |text: &str| text.chars().nth(NAME_CHARS_MAX).is_some();
        let texts = [Some(beat.name), beat.region, beat.zone];
        if self.all.len() >= PULSES_MAX || texts.into_iter().flatten().any(is_too_long) {
            return;
        }
        self.count += 1;
        let beating = Beating {
            id: self.count,
            source: beat.source.clone(),
            of: beat.of,
            name: beat.name.to_owned(),
            layer: beat.layer,
            region: beat.region.map(str::to_owned),
            zone: beat.zone.map(str::to_owned),
            pulse: Pulse::new(at),
            event: event.to_owned(),
            dead: None,
        };
        self.all.insert(place, beating);
    }

    fn resume_others(&mut self, source: &SourceId, hears: &Hears<'_>) {
        for other in self.of_source(source) {
            if other.dead.is_none() && other.pulse.is_beyond(hears.told_of) {
                other.pulse.resume(hears.at);
            }
        }
    }

    /// The bridge tells of a moment, by the beat at `by` or by another word: who is too long silent
    /// until then is dead.
    fn witness(
        &mut self,
        source: &SourceId,
        by: Option<usize>,
        hears: &Hears<'_>,
        turned: &mut Vec<Turned>,
    ) {
        let by = by.map(|place| self.all[place].id);
        let lives = |beating: &&mut Beating| beating.dead.is_none();
        if by.is_none() && self.of_source(source).filter(lives).count() > 1 {
            return;
        }
        for other in self.of_source(source) {
            let is_dead = other.dead.is_none()
                && by != Some(other.id)
                && other.pulse.is_beyond(hears.told_of);
            if is_dead {
                let silent = hears.told_of.since(other.pulse.last_at());
                other.dead = Some((hears.now, silent));
                turned.push(Turned::Dead(other.id));
            }
        }
    }

    fn of_source<'a>(&'a mut self, source: &'a SourceId) -> impl Iterator<Item = &'a mut Beating> {
        let from = self.all.partition_point(|known| known.source < *source);
        let all = self.all[from..].iter_mut();
        all.take_while(move |known| known.source == *source)
    }

    /// When the one that beats alone on a bridge is missed; None without such a one.
    fn miss_at(&mut self, source: &SourceId) -> Option<Timestamp> {
        let mut living = self.of_source(source).filter(|known| known.dead.is_none());
        let only = living.next()?;
        living.next().is_none().then(|| only.pulse.limit_at())?
    }

    /// When the first that is dead is gone for good.
    pub(crate) fn deadline(&self, limits: &BeatLimits) -> Option<Timestamp> {
        let dead = self.all.iter().filter_map(|known| known.dead);
        dead.min().map(|(at, _)| at + limits.forget_ms)
    }

    fn forget(&mut self, now: Timestamp, limits: &BeatLimits) -> Vec<u32> {
        let mut gone = Vec::new();
        self.all.retain(|known| {
            let is_gone = known
                .dead
                .is_some_and(|(at, _)| now.since(at) >= limits.forget_ms);
            if is_gone {
                gone.push(known.id);
            }
            !is_gone
        });
        gone
    }

    /// Its bridge is another process now, or gone.
    fn forget_source(&mut self, source: &SourceId) -> Vec<u32> {
        let ids = self.of_source(source).map(|known| known.id).collect();
        self.all.retain(|known| known.source != *source);
        ids
    }

    fn concern(&self, id: u32) -> Option<Concern> {
        let known = self.all.iter().find(|known| known.id == id)?;
        let (dead_at, silent_ms) = known.dead?;
        let mut who = match known.of {
            BeatOf::Provider => match known.layer {
                Some(layer) => service_words(layer, &known.name, "", ""),
                None => words::clip(&known.name, 60),
            },
            BeatOf::Worker => format!("worker {}", words::clip(&known.name, 60)),
        };
        for (before, place) in [(" in ", &known.region), (" zone ", &known.zone)] {
            if let Some(place) = place {
                who.push_str(before);
                who.push_str(&words::clip(place, 60));
            }
        }
        let text = format!(
            "{who} gave no sign of life for {}, usual is one in {}",
            words::seconds(silent_ms),
            interval_words(known.pulse.mean_ms())
        );
        let reach = match known.of {
            BeatOf::Provider => Reach::Provider {
                source: known.source.clone(),
                name: known.name.clone(),
                layer: known.layer,
                region: known.region.clone(),
                zone: known.zone.clone(),
            },
            BeatOf::Worker => Reach::Worker {
                source: known.source.clone(),
                name: known.name.clone(),
            },
        };
        let events = vec![EventId::new(known.event.as_str())];
        Some(Concern {
            reach,
            found: evidence(SignalKind::Liveness, text, dead_at, events),
        })
    }
}

/// A short interval in milliseconds, because `0.2 s` hides a quarter of it.
fn interval_words(ms: DurationMs) -> String {
    if ms < 1_000 {
        format!("{ms} ms")
    } else {
        words::seconds(ms)
    }
}

impl Engine {
    /// A vendor or a worker lives; other facts are not for here.
    pub(crate) fn on_beat(&mut self, source: &SourceId, envelope: &FactEnvelope<'_>) {
        let Fact::Beat {
            of,
            name,
            region,
            zone,
        } = &envelope.fact
        else {
            return;
        };
        let beat = Beat {
            source,
            of: *of,
            name,
            layer: envelope.layer,
            region: region.as_deref(),
            zone: zone.as_deref(),
        };
        let limits = self.config.beats;
        let hears = Hears {
            at: envelope.recorded,
            told_of: told_of(envelope),
            awake: self.hears_since(source, envelope.recorded),
            now: self.now,
            limits: &limits,
        };
        let mut turned = Vec::new();
        self.beats.beat(&beat, &envelope.id, &hears, &mut turned);
        self.beats_turned(source, &turned);
    }

    /// A bridge told of a moment, on its own clock, at which one that beats alone may be missing.
    pub(crate) fn miss_beats(&mut self, source: &SourceId, at: Timestamp) {
        let limits = self.config.beats;
        let hears = Hears {
            at,
            told_of: at,
            awake: self.hears_since(source, at),
            now: self.now,
            limits: &limits,
        };
        let mut turned = Vec::new();
        for known in self.beats.of_source(source) {
            if known.pulse.last_at() < hears.awake {
                known.pulse.resume(hears.awake);
            }
        }
        self.beats.witness(source, None, &hears, &mut turned);
        self.beats_turned(source, &turned);
    }

    /// Since when a bridge tells without a gap, on its own clock; while the hub cannot see, from
    /// `at` on.
    fn hears_since(&mut self, source: &SourceId, at: Timestamp) -> Timestamp {
        if self.sight.judges(self.now) {
            self.bridge(source).awake_since()
        } else {
            at
        }
    }

    fn beats_turned(&mut self, source: &SourceId, turned: &[Turned]) {
        let miss_at = self.beats.miss_at(source);
        self.bridge(source).miss_at = miss_at;
        for turned in turned {
            let id = match turned {
                Turned::Dead(id) | Turned::Alive(id) => *id,
            };
            match self.beats.concern(id) {
                Some(concern) => self.raise_concern(ConcernId::Beat(id), concern),
                None => self.drop_concern(ConcernId::Beat(id)),
            }
        }
        if !turned.is_empty() {
            self.arm_watch();
        }
    }

    /// Those that are dead for so long are gone for good.
    pub(crate) fn forget_beats(&mut self) {
        for id in self.beats.forget(self.now, &self.config.beats) {
            self.drop_concern(ConcernId::Beat(id));
        }
    }

    /// What another process of the bridge told says nothing of who beats now.
    pub(crate) fn forget_beats_of(&mut self, source: &SourceId) {
        for id in self.beats.forget_source(source) {
            self.drop_concern(ConcernId::Beat(id));
        }
    }
}
