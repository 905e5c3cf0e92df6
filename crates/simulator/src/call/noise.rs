//! What happens on a healthy platform and harms nobody, however odd it looks.

use holdfast_domain::fact::{Fact, LatencyMetric, Text};
use holdfast_domain::{DurationMs, Layer};
use rand::Rng;

use super::{Call, World};

/// The share of a caller's pauses in which they look for something or ask somebody.
const THINKS_SHARE: f64 = 0.03;
const THINKS_MS: std::ops::Range<i64> = 5_000..30_000;

/// The share of answers before which the agent asks the caller to hold the line, and for how long.
const HOLD_SHARE: f64 = 0.004;
pub(super) const HOLD_MS: std::ops::Range<i64> = 5_000..20_000;

/// The share of measured latencies beside which a framework tells a second one of the same turn: a
/// probe of a service that failed before.
const PROBE_SHARE: f64 = 0.01;
const PROBE_MS: std::ops::Range<i64> = 80..6_000;

/// The share of measured latencies beside which a framework tells a zero, as it does when it resets
/// its meter.
const ZERO_SHARE: f64 = 0.01;

impl Call {
    /// How much longer than usual the caller takes before they speak.
    pub(super) fn thinks_ms(&mut self) -> DurationMs {
        if self.is_noisy && self.rng.random_bool(THINKS_SHARE) {
            self.rng.random_range(THINKS_MS)
        } else {
            0
        }
    }

    /// True if the agent asks the caller to hold the line.
    pub(super) fn asks_to_hold(&mut self) -> bool {
        self.is_noisy && self.rng.random_bool(HOLD_SHARE)
    }

    /// What a framework tells beside a latency that it measured.
    pub(super) fn tell_odd_latency(&mut self, layer: Layer, world: &mut World<'_>) {
        if !self.is_noisy {
            return;
        }
        if self.rng.random_bool(PROBE_SHARE) {
            let other = self.services.iter().find(|s| s.layer == layer && !s.active);
            if let Some(other) = other {
                let service = Text::Owned(other.name.clone());
                let ms = self.rng.random_range(PROBE_MS) as f64;
                self.tell_latency(layer, service, ms, true, world);
            }
        }
        if self.rng.random_bool(ZERO_SHARE) {
            let service = self.active_name(layer);
            self.tell_latency(layer, service, 0.0, false, world);
        }
    }

    fn tell_latency(
        &self,
        layer: Layer,
        service: Text<'static>,
        ms: f64,
        probe: bool,
        world: &mut World<'_>,
    ) {
        let latency = Fact::ServiceLatency {
            service,
            metric: LatencyMetric::Ttfb,
            ms,
            probe,
        };
        self.tell_service(world, layer, latency);
    }
}
