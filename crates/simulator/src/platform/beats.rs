//! Vendors and workers say that they live, each at its own steady pace.

use holdfast_domain::Timestamp;
use holdfast_domain::fact::{BeatOf, Fact, Text};
use holdfast_domain::{DurationMs, Layer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::WorldKind;
use crate::faults::{FaultKind, Faults, Reach};
use crate::latency::Latency;
use crate::services;

/// How much later than it is due a beat is told: a scheduler's delay, with its tail.
const LATE: Latency = Latency::new(4.0, 1.0);

/// The share of beats that never come: a probe is lost without anybody being ill.
const LOST_SHARE: f64 = 0.000_5;

/// Everybody who beats.
#[derive(Debug)]
pub(super) struct Beats {
    every_ms: DurationMs,
    rng: ChaCha8Rng,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    of: BeatOf,
    /// What a vendor serves.
    layer: Option<Layer>,
    name: String,
    region: &'static str,
    /// Empty where it is not told.
    zone: &'static str,
    /// The pace that lateness does not move.
    due: Timestamp,
}

impl Beats {
    pub(super) fn new(world: WorldKind, every_ms: DurationMs, seed: u64) -> Self {
        let vendors = services::offers(world)
            .into_iter()
            .map(|(layer, vendor, region)| Source {
                of: BeatOf::Provider,
                layer: Some(layer),
                name: vendor.to_owned(),
                region,
                zone: "",
                due: Timestamp::default(),
            });
        let workers = services::workers(world)
            .into_iter()
            .map(|(name, region, zone)| Source {
                of: BeatOf::Worker,
                layer: None,
                name,
                region,
                zone,
                due: Timestamp::default(),
            });
        Self {
            every_ms: every_ms.max(1),
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0xbea7),
            sources: vendors.chain(workers).collect(),
        }
    }

    /// Everybody begins within one period; the answer is when each is due.
    pub(super) fn begin(&mut self, now: Timestamp) -> Vec<(Timestamp, usize)> {
        let (rng, every_ms) = (&mut self.rng, self.every_ms);
        let due = self.sources.iter_mut().enumerate().map(|(place, source)| {
            source.due = now + rng.random_range(0..every_ms);
            (source.due, place)
        });
        due.collect()
    }

    /// What a source says that is due, if it lives, and when it is due again.
    pub(super) fn tell(
        &mut self,
        place: usize,
        faults: &Faults,
    ) -> Option<(Timestamp, Option<Layer>, Option<Fact<'static>>)> {
        let (rng, every_ms) = (&mut self.rng, self.every_ms);
        let source = self.sources.get_mut(place)?;
        let is_lost = rng.random_bool(LOST_SHARE) || source.is_gone(faults);
        source.due = source.due + every_ms;
        let next = source.due + LATE.draw(rng).min(every_ms);
        let beat = Fact::Beat {
            of: source.of,
            name: Text::Owned(source.name.clone()),
            region: Some(source.region.into()),
            zone: (!source.zone.is_empty()).then(|| source.zone.into()),
        };
        Some((next, source.layer, (!is_lost).then_some(beat)))
    }
}

impl Source {
    /// A fault took it away with all that it serves.
    fn is_gone(&self, faults: &Faults) -> bool {
        if faults.is_calm() {
            return false;
        }
        let kinds: &[FaultKind] = match self.layer {
            Some(Layer::Asr) => &[FaultKind::AsrDead, FaultKind::RegionDown],
            Some(Layer::Llm) => &[FaultKind::LlmDead, FaultKind::RegionDown],
            Some(Layer::Tts) => &[FaultKind::TtsDead, FaultKind::RegionDown],
            _ => &[FaultKind::WorkerLost],
        };
        let service = self.layer.map(|layer| holdfast_domain::Service {
            layer,
            name: String::new(),
            provider: self.name.clone(),
            model: String::new(),
            region: self.region.to_owned(),
            zone: String::new(),
            active: true,
            usable: true,
            rung: holdfast_domain::Rung::Primary,
            lacks: Vec::new(),
        });
        let reach = Reach {
            call: "",
            number: 0,
            turn: 0,
            queue: "",
            flow: "",
            build: "",
            language: "",
            worker: if self.layer.is_none() { &self.name } else { "" },
            region: self.region,
            zone: self.zone,
            service: service.as_ref(),
            tool: None,
        };
        faults.takes_away(kinds, &reach)
    }
}
