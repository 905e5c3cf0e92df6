//! What breaks around a call: services that report errors, connections that drop, workers that die.

use holdfast_domain::Layer;
use holdfast_domain::fact::{EndedBy, Fact, Text};
use rand::Rng;

use super::{Call, Line, Owed, Stage, World};
use crate::faults::FaultKind;
use crate::services::{PODS, any_worker};

/// How often the quality of a connection is told.
const QUALITY_EVERY_MS: std::ops::Range<i64> = 8_000..12_000;

/// How often the quality of a bad connection is told.
const POOR_QUALITY_EVERY_MS: std::ops::Range<i64> = 2_000..4_000;

/// A connection that came back stays for so long.
const STEADY_MS: i64 = 60_000;

/// The share of dropped connections that come back.
const COMES_BACK_SHARE: f64 = 0.6;

/// The share of calls that another worker can take over.
const TAKEN_OVER_SHARE: f64 = 0.7;

/// While autoscaling starves, new workers come late, in batches this far apart.
const BATCH_OF_WORKERS_MS: i64 = 12_000;

/// How much longer each batch lets a new call wait than the one before.
const WAIT_PER_BATCH_MS: i64 = 4_000;

/// The longest wait for a worker: by then callers have hung up and the queue is no longer.
const WAIT_FOR_WORKER_MS_MAX: i64 = 24_000;

impl Call {
    /// Faults have changed: the call looks at its connection soon, and tells what became usable.
    pub(crate) fn stir(&mut self, world: &mut World<'_>) {
        for (layer, service, available) in self.mark_usable(world.faults) {
            let changed = Fact::ServiceAvailabilityChanged {
                service: Text::Owned(service),
                available,
                reason: (!available).then(|| "its region is unreachable".into()),
            };
            self.tell_service(world, layer, changed);
        }
        let soon = world.now + self.rng.random_range(100..4_000);
        self.pulse = self.pulse.min(soon);
    }

    /// Before anybody answers the call needs a worker; where no new ones come it waits for its turn,
    /// the longer the longer that lasts: each batch of workers that comes late leaves more calls
    /// for the next.
    pub(super) fn wait_for_worker(&mut self, world: &mut World<'_>) {
        let reach = self.reach(self.region);
        let number = world.faults.hit_by(FaultKind::WorkersStarved, &reach);
        let Some(since) = number.and_then(|number| world.faults.since(number)) else {
            return;
        };
        self.note_fault(FaultKind::WorkersStarved, world);
        let batches = world.now.since(since) / BATCH_OF_WORKERS_MS + 1;
        let wait_ms = (batches * WAIT_PER_BATCH_MS).min(WAIT_FOR_WORKER_MS_MAX);
        self.due = self.due + wait_ms + self.rng.random_range(0..WAIT_PER_BATCH_MS);
        self.caller.patience = world.now + self.rng.random_range(15_000..40_000);
    }

    /// The platform under the call is gone.
    pub(crate) fn break_down(&mut self, world: &mut World<'_>) {
        self.end("the platform went away", EndedBy::Platform, world);
    }

    pub(super) fn feel_pulse(&mut self, world: &mut World<'_>) {
        let poor = self.is_hit(FaultKind::NetworkPoor, world);
        let every = if poor {
            POOR_QUALITY_EVERY_MS
        } else {
            QUALITY_EVERY_MS
        };
        self.pulse = world.now + self.rng.random_range(every);
        if matches!(self.stage, Stage::Dropped | Stage::WorkerGone) {
            return;
        }
        if world.now >= self.steady_until && self.human.is_none() {
            if self.is_hit(FaultKind::WorkerLost, world) {
                self.note_fault(FaultKind::WorkerLost, world);
                self.lose_worker(world);
                return;
            }
            if self.is_hit(FaultKind::NetworkDrop, world) {
                self.note_fault(FaultKind::NetworkDrop, world);
                self.drop_connection(world);
                return;
            }
        }
        if poor {
            self.note_fault(FaultKind::NetworkPoor, world);
        }
        let quality = if poor {
            Fact::TransportQuality {
                rtt_ms: f64::from(self.rng.random_range(350..700_u16)),
                jitter_ms: f64::from(self.rng.random_range(60..140_u16)),
                loss: f64::from(self.rng.random_range(80..220_u16)) / 1_000.0,
            }
        } else {
            Fact::TransportQuality {
                rtt_ms: f64::from(self.rng.random_range(35..90_u16)),
                jitter_ms: f64::from(self.rng.random_range(1..9_u16)),
                loss: f64::from(self.rng.random_range(0..8_u16)) / 1_000.0,
            }
        };
        self.tell(world, quality);
    }

    fn drop_connection(&mut self, world: &mut World<'_>) {
        self.break_off(world);
        let reason = "the caller's media stopped".into();
        self.tell(world, Fact::TransportDisconnected { reason });
        self.due = world.now + self.rng.random_range(2_000..9_000);
        self.stage = Stage::Dropped;
    }

    fn lose_worker(&mut self, world: &mut World<'_>) {
        self.break_off(world);
        let lost = Fact::WorkerLost {
            worker: Text::Owned(self.worker.clone()),
            region: Some(self.region.into()),
        };
        self.tell(world, lost);
        self.due = world.now + self.rng.random_range(6_000..15_000);
        self.stage = Stage::WorkerGone;
    }

    /// Nothing on the call goes on; what was owed stays owed.
    fn break_off(&mut self, world: &mut World<'_>) {
        self.abandon(world);
        self.cancel_tool(world);
        self.caller.patience = world.now + self.rng.random_range(9_000..16_000);
        self.steady_until = world.now + STEADY_MS;
    }

    pub(super) fn come_back_or_end(&mut self, worker_gone: bool, world: &mut World<'_>) {
        let share = if worker_gone {
            TAKEN_OVER_SHARE
        } else {
            COMES_BACK_SHARE
        };
        if !self.rng.random_bool(share) {
            let reason = if worker_gone {
                "the worker was lost"
            } else {
                "the connection was lost"
            };
            self.end(reason, EndedBy::Platform, world);
            return;
        }
        if worker_gone {
            let others: Vec<_> = PODS
                .iter()
                .filter(|pod| pod.region != self.region)
                .collect();
            self.region = others[self.rng.random_range(0..others.len())].region;
            self.worker = any_worker(self.region, &mut self.rng);
            let registered = Fact::WorkerRegistered {
                worker: Text::Owned(self.worker.clone()),
                region: Some(self.region.into()),
            };
            self.tell(world, registered);
        } else {
            let reason = "the caller's media is back".into();
            self.tell(world, Fact::TransportReconnected { reason });
        }
        self.stop_waiting();
        // A caller who was not answered says it again; otherwise they go on where they were.
        let line = match self.owed {
            Some(Owed::Beat(_)) => Line::Repeat,
            Some(Owed::Greeting | Owed::Connecting | Owed::Goodbye) => Line::AreYouThere,
            None => self.next_line(),
        };
        self.caller_thinks(line, world);
    }

    /// A service says that it cannot, in the words of the fault that was injected.
    pub(super) fn tell_service_error(
        &mut self,
        layer: Layer,
        kind: FaultKind,
        world: &mut World<'_>,
    ) {
        let (error_type, message) = error_words(kind);
        let error = Fact::ServiceError {
            service: self.active_name(layer),
            error_type: error_type.into(),
            message: message.into(),
            permanent: false,
            usable: Some(self.active(layer).usable),
        };
        self.tell_service(world, layer, error);
    }
}

/// The error that a service answers with under a fault.
fn error_words(kind: FaultKind) -> (&'static str, &'static str) {
    match kind {
        FaultKind::LlmRateLimited => ("rate_limited", "too many requests, try again later"),
        FaultKind::AsrError => ("http_500", "recognition failed"),
        FaultKind::TtsError => ("http_500", "synthesis failed"),
        FaultKind::RegionDown => ("connection_refused", "the region does not answer"),
        FaultKind::LlmPoolFull => ("overloaded", "no machine is free, try again later"),
        _ => ("http_503", "upstream unavailable"),
    }
}
