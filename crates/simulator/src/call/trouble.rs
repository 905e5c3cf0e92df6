//! What goes wrong for a call: whom a fault reaches, and what a healthy platform does wrong.
//!
//! Here is also what counts as a harm. Work that an injected fault reaches is harmed by it, from the
//! moment at which the work was asked for; if the fault only makes it slow, then from
//! [`SLOW_HARM_MS`] on. Without a fault an error is a harm, and so is a silence
//! that a caller hears as trouble: while the agent owes the floor nobody is audible for over
//! [`HEARD_MS`], or over [`HEARD_TOLD_MS`] after the caller was told to wait. So are answers that let
//! the caller wait over [`SLUGGISH_MS`] in two of three turns running, which is what the product
//! warns of. Whatever took the longest in it is blamed. Slow work that nobody hears is no harm.

use holdfast_domain::{DurationMs, Layer, Service, Timestamp};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Call, Stage, World};
use crate::faults::{FaultKind, Faults, Reach};
use crate::ledger::{Hit, Trial};

/// People answer each other within a fraction of a second and forgive an agent two; a longer silence
/// on the telephone makes them ask whether anybody is there.
const HEARD_MS: DurationMs = 2_500;

/// A wait that is forgiven once, and not twice in three turns.
const SLUGGISH_MS: DurationMs = 1_500;

/// Who was told that it takes a moment waits for so long before they wonder.
const HEARD_TOLD_MS: DurationMs = 4_000;

/// The share of a service's work that fails without a fault: three services work on a turn, and
/// 0.4 % of turns fail in the field.
const ERROR_SHARE: f64 = 0.0013;

/// The share of the model's errors that the platform's framework hides: it asks another model, and
/// only the answer's service tells.
const HIDDEN_SHARE: f64 = 0.3;

/// Whom a fault lets wait for a model is harmed from here on: with the usual second of an answer it is
/// a silence of [`HEARD_MS`].
const SLOW_HARM_MS: DurationMs = 1_500;

/// Spikes of the latency beyond its everyday spread: their share, their least, their most. The tail
/// between is a power law, so that one in ten is several times the least.
const SPIKES: [(Layer, f64, f64, f64); 4] = [
    (Layer::Asr, 0.000_5, 1_000.0, 20_000.0),
    (Layer::Llm, 0.002, 1_200.0, 40_000.0),
    (Layer::Tts, 0.000_5, 1_000.0, 20_000.0),
    (Layer::Tools, 0.004, 2_000.0, 40_000.0),
];

/// The tail's exponent: with 1.3 the mean exists and is ruled by the few longest.
const SPIKE_TAIL: f64 = 1.3;

/// An answer that let the caller wait: what took the longest, and from when to when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    layer: Layer,
    from: Timestamp,
    until: Timestamp,
}

/// Since when nobody is audible while the agent owes the floor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hush {
    since: Timestamp,
    /// The caller knows that it takes a moment.
    told: bool,
    /// What took the longest so far: layer, beginning, length.
    slowest: Option<(Layer, Timestamp, DurationMs)>,
    /// A fault or an error is to blame, and was noted.
    is_noted: bool,
}

impl Call {
    /// Nobody is audible from now on, and the agent owes the floor.
    pub(super) fn hush_begins(&mut self, told: bool, world: &World<'_>) {
        self.caller.hush = Some(Hush {
            since: world.now,
            told,
            slowest: None,
            is_noted: false,
        });
    }

    /// A step of the answer is done, or given up.
    pub(super) fn step_took(&mut self, layer: Layer, from: Timestamp, world: &World<'_>) {
        let took = world.now.since(from);
        if let Some(hush) = &mut self.caller.hush
            && hush.slowest.is_none_or(|(_, _, longest)| longest < took)
        {
            hush.slowest = Some((layer, from, took));
        }
    }

    /// Somebody is audible, nobody waits any longer, or nobody looks any longer.
    pub(crate) fn hush_ends(&mut self, world: &mut World<'_>) {
        if let Some((layer, from)) = self.pending_step() {
            self.step_took(layer, from, world);
        }
        let Some(hush) = self.caller.hush.take() else {
            return;
        };
        let until = world.now;
        let silent_ms = until.since(hush.since);
        let slowest = hush.slowest.filter(|_| !hush.is_noted);
        let wait = slowest.map(|(layer, from, _)| Wait { layer, from, until });
        let limit = if hush.told { HEARD_TOLD_MS } else { HEARD_MS };
        if silent_ms > limit {
            self.note_waits(wait, world);
        }
        if hush.told {
            return;
        }
        let waits = &mut self.caller.waits;
        waits.rotate_left(1);
        waits[2] = wait.filter(|_| silent_ms > SLUGGISH_MS);
        let waits = *waits;
        if waits.iter().flatten().count() >= 2 {
            self.note_waits(waits.into_iter().flatten(), world);
        }
    }

    fn note_waits(&self, waits: impl IntoIterator<Item = Wait>, world: &mut World<'_>) {
        for wait in waits {
            world.ledger.hits.push(Hit {
                call: self.id.clone(),
                layer: wait.layer,
                from: wait.from,
                until: world.now.max(wait.until),
                injection: None,
            });
        }
    }

    /// What the caller waits for.
    fn pending_step(&self) -> Option<(Layer, Timestamp)> {
        match &self.stage {
            Stage::AwaitTranscript { .. } => Some((Layer::Asr, self.caller.stopped?)),
            Stage::AwaitToken { asked, .. } => Some((Layer::Llm, *asked)),
            Stage::AwaitAudio { asked, .. } => Some((Layer::Tts, *asked)),
            Stage::AwaitTool => Some((Layer::Tools, self.tool.as_ref()?.began)),
            Stage::Connecting
            | Stage::CallerThinks(_)
            | Stage::CallerSpeaks { .. }
            | Stage::AwaitSentence(_)
            | Stage::AgentSpeaks { .. }
            | Stage::OnHold
            | Stage::Stuck { .. }
            | Stage::Stalled { .. }
            | Stage::Paused
            | Stage::Dropped
            | Stage::WorkerGone
            | Stage::WaitsForHuman
            | Stage::Rings(_)
            | Stage::HumanPause(_)
            | Stage::HumanSpeaks { .. }
            | Stage::CallerPause(_)
            | Stage::CallerAnswers { .. }
            | Stage::Over => None,
        }
    }

    /// What is wrong with the service that serves a layer, now that it is to do its work.
    pub(super) fn trouble(&mut self, layer: Layer, world: &mut World<'_>) -> Option<FaultKind> {
        let fault = self.fault_of(layer, world);
        if let Some((kind, number)) = fault {
            // Whether slow work harms who asks for it is known once it is known how slow it is.
            if !matches!(kind, FaultKind::LlmPoolFull | FaultKind::LlmSluggish) {
                self.note_hit(layer, Some(number), world);
            }
            return Some(kind);
        }
        if !self.is_noisy || !self.rng.random_bool(ERROR_SHARE) {
            return None;
        }
        let noise = match layer {
            Layer::Asr => FaultKind::AsrError,
            Layer::Llm => FaultKind::LlmUnavailable,
            _ => FaultKind::TtsError,
        };
        if layer == Layer::Llm && self.rng.random_bool(HIDDEN_SHARE) {
            self.is_answered_elsewhere = true;
            return None;
        }
        self.note_hit(layer, None, world);
        Some(noise)
    }

    /// A model takes so long for its first word because of a fault.
    pub(super) fn note_sluggish(&mut self, ms: DurationMs, world: &mut World<'_>) {
        let reach = self.reach_of(self.active(Layer::Llm));
        let number = world.faults.hit_by(FaultKind::LlmSluggish, &reach);
        if number.is_some() && ms >= SLOW_HARM_MS {
            self.note_hit(Layer::Llm, number, world);
        }
    }

    /// True if the call's model is served from the pool that an injection makes too small.
    pub(crate) fn uses_pool(&self, injection: u64, faults: &Faults) -> bool {
        let reach = self.reach_of(self.active(Layer::Llm));
        faults.hit_by(FaultKind::LlmPoolFull, &reach) == Some(injection)
    }

    /// A pool that is too small is asked; the answer is what the call has of it.
    pub(super) fn ask_pool(&mut self, world: &mut World<'_>) -> (Option<FaultKind>, DurationMs) {
        let reach = self.reach_of(self.active(Layer::Llm));
        let Some(number) = world.faults.hit_by(FaultKind::LlmPoolFull, &reach) else {
            return (None, 0);
        };
        let waits_ms = world.pools.ask(number, world.now);
        if waits_ms.is_none_or(|ms| ms >= SLOW_HARM_MS) {
            self.note_hit(Layer::Llm, Some(number), world);
        }
        match waits_ms {
            Some(ms) => (None, ms),
            None => (Some(FaultKind::LlmPoolFull), 0),
        }
    }

    /// The fault that reaches the service which serves a layer, and its injection.
    pub(super) fn fault_of(&self, layer: Layer, world: &World<'_>) -> Option<(FaultKind, u64)> {
        if world.faults.is_calm() {
            return None;
        }
        let service = self.active(layer);
        let reach = self.reach_of(service);
        FaultKind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.layer() == layer || *kind == FaultKind::RegionDown)
            .find_map(|kind| Some((kind, world.faults.hit_by(kind, &reach)?)))
    }

    /// How much longer than usual work takes now and then without a fault.
    pub(super) fn spike_ms(&mut self, layer: Layer) -> DurationMs {
        let spike = SPIKES.iter().find(|(of, ..)| *of == layer);
        match spike {
            Some((_, share, least_ms, most_ms)) if self.is_noisy => {
                tail_ms(*share, *least_ms, *most_ms, &mut self.rng)
            }
            _ => 0,
        }
    }

    /// Notes that the call is hit now.
    pub(super) fn note_hit(&mut self, layer: Layer, injection: Option<u64>, world: &mut World<'_>) {
        if let Some(hush) = &mut self.caller.hush {
            hush.is_noted = true;
        }
        world.ledger.hits.push(Hit {
            call: self.id.clone(),
            layer,
            from: world.now,
            until: world.now,
            injection,
        });
    }

    /// Notes that a fault of the call itself, not of a service, reached it.
    pub(super) fn note_fault(&mut self, kind: FaultKind, world: &mut World<'_>) {
        let number = world.faults.hit_by(kind, &self.reach(self.region));
        self.note_hit(kind.layer(), number, world);
    }

    /// Notes how work went that was asked for at `asked`, for faults that reach some turns.
    pub(super) fn note_trial(
        &mut self,
        layer: Layer,
        tool: Option<&str>,
        asked: Timestamp,
        failed: bool,
        world: &mut World<'_>,
    ) {
        // What it says of the turn is said once, however often the turn asks.
        if world.faults.is_calm() || !self.turn.tried.insert(layer) {
            return;
        }
        let served = matches!(layer, Layer::Asr | Layer::Llm | Layer::Tts);
        let reach = if served {
            self.reach_of(self.active(layer))
        } else {
            Reach {
                tool,
                ..self.reach(self.region)
            }
        };
        for (injection, since) in world.faults.by_chance(layer, &reach) {
            if since <= asked {
                world.ledger.trials.push(Trial {
                    injection,
                    at: world.now,
                    failed,
                });
            }
        }
    }

    /// True if a fault reaches the call itself: its connection, its worker, its dialogue.
    pub(super) fn is_hit(&self, kind: FaultKind, world: &World<'_>) -> bool {
        !world.faults.is_calm() && world.faults.hit(kind, &self.reach(self.region))
    }

    pub(super) fn reach<'a>(&'a self, region: &'a str) -> Reach<'a> {
        Reach {
            call: self.id.as_str(),
            number: self.number,
            turn: self.turn.number,
            queue: self.story.plot.queue,
            flow: &self.flow,
            build: self.build(),
            language: &self.story.language.tag,
            worker: &self.worker,
            region,
            zone: self.zone,
            service: None,
            tool: None,
        }
    }

    pub(super) fn reach_of<'a>(&'a self, service: &'a Service) -> Reach<'a> {
        Reach {
            service: Some(service),
            zone: &service.zone,
            ..self.reach(&service.region)
        }
    }

    /// Marks which services the platform would let serve; the answer is what changed.
    pub(super) fn mark_usable(&mut self, faults: &Faults) -> Vec<(Layer, String, bool)> {
        let usable: Vec<bool> = self
            .services
            .iter()
            .map(|service| !faults.hit(FaultKind::RegionDown, &self.reach_of(service)))
            .collect();
        let mut changed = Vec::new();
        for (service, usable) in self.services.iter_mut().zip(usable) {
            if std::mem::replace(&mut service.usable, usable) != usable {
                changed.push((service.layer, service.name.clone(), usable));
            }
        }
        changed
    }
}

/// Nothing as a rule; with the chance `share` a draw from a power law's tail.
fn tail_ms(share: f64, least_ms: f64, most_ms: f64, rng: &mut ChaCha8Rng) -> DurationMs {
    if !rng.random_bool(share) {
        return 0;
    }
    let rest: f64 = rng.random_range(0.000_01..1.0);
    (least_ms * rest.powf(-1.0 / SPIKE_TAIL)).min(most_ms) as DurationMs
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn spikes_are_rare_and_reach_tens_of_seconds() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let draws: Vec<_> = (0..1_000_000)
            .map(|_| tail_ms(0.002, 1_200.0, 40_000.0, &mut rng))
            .collect();
        let spikes = draws.iter().filter(|ms| **ms > 0).count();
        assert!((1_800..2_200).contains(&spikes), "{spikes}");
        let long = draws.iter().filter(|ms| **ms > 10_000).count();
        assert!((80..200).contains(&long), "{long}");
        assert_eq!(draws.iter().max(), Some(&40_000));
    }
}
