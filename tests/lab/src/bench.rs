//! What one event and one call cost the engine, with every detector on.
//!
//! The events are those of simulated platforms on a day on which nothing is broken but what breaks
//! on any day. They are made before they are timed: only the engine's own work counts, which is taking an event in,
//! firing what was due before it, and handing every effect out.

use std::time::Duration;

use holdfast_domain::fact::FactEnvelope;
use holdfast_domain::{SourceId, Timestamp};
use holdfast_engine::{BridgeChange, Config, Control, Engine, Input};
use holdfast_simulator::{Output, Platform, PlatformConfig, WorldKind};

use crate::clock::worked;
use crate::teller::Teller;

/// Calls on one platform. More of them are more platforms, as it would be.
const CALLS_PER_PLATFORM: usize = 10_000;

/// Virtual time that passes before anything is measured: most calls take several turns in it, so
/// that what is learnt of them is there.
const WARM_MS: i64 = 60_000;

/// How often a platform sends what has happened.
const TICK_MS: i64 = 100;

/// How often a bridge says that it lives.
pub(crate) const HEARTBEAT_MS: i64 = 2_000;

/// Events in a round. At 10,000 calls they are what comes within about 20 s, so that a round has
/// its share of timers.
pub const EVENTS: usize = 200_000;

/// Some moment in 2026: it means nothing, except that it is not the beginning of time.
const BEGAN: Timestamp = Timestamp::from_millis(1_780_000_000_000);

/// An engine with the wanted number of calls, and the platforms that go on telling of them.
#[derive(Debug)]
pub struct Warm {
    engine: Engine,
    lines: Lines,
}

/// The platforms that an engine hears.
#[derive(Debug)]
pub struct Lines {
    now: Timestamp,
    all: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    source: SourceId,
    platform: Platform,
    teller: Teller,
}

/// An event as it arrives: when, from which line, what.
pub(crate) type Arrival = (Timestamp, usize, FactEnvelope<'static>);

/// What a round took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Events taken in.
    pub events: usize,
    /// The processor's time for all of them: a machine that does other things too does not count.
    pub time: Duration,
    /// Live calls when it ended.
    pub calls: usize,
}

impl Took {
    /// For one event.
    pub fn ns_per_event(&self) -> f64 {
        self.time.as_nanos() as f64 / self.events.max(1) as f64
    }
}

impl Warm {
    /// Fills an engine with `calls` calls and lets them talk for a while.
    pub fn up(calls: usize, seed: u64) -> Self {
        let mut warm = Self {
            engine: Engine::new(Config::default()),
            lines: Lines::new(calls, seed),
        };
        for n in 0..warm.lines.all.len() {
            let connected = Control::Bridge {
                source: warm.lines.all[n].source.clone(),
                change: BridgeChange::Connected {
                    platform: "simulator".to_owned(),
                    epoch: "1".to_owned(),
                    heartbeat_ms: HEARTBEAT_MS,
                    capabilities: Platform::capabilities(),
                },
            };
            warm.engine.handle(Input::Control(&connected), BEGAN);
            let snapshot = warm.lines.snapshot(n);
            warm.take(&snapshot);
        }
        while warm.lines.now < BEGAN + WARM_MS {
            let arrivals = warm.lines.tick();
            warm.take(&arrivals);
        }
        warm
    }

    /// Takes the next events in, at least `events` of them, and times that.
    pub fn round(&mut self, events: usize) -> Took {
        let mut arrivals = Vec::with_capacity(events + events / 10);
        while arrivals.len() < events {
            arrivals.append(&mut self.lines.tick());
        }
        let began = worked();
        self.take(&arrivals);
        Took {
            events: arrivals.len(),
            time: worked().saturating_sub(began),
            calls: self.calls(),
        }
    }

    /// Live calls.
    pub fn calls(&self) -> usize {
        self.engine.call_ids().count()
    }

    /// Gives the engine up, and leaves what made its events.
    pub fn into_lines(self) -> Lines {
        self.lines
    }

    fn take(&mut self, arrivals: &[Arrival]) {
        for (at, n, fact) in arrivals {
            let source = &self.lines.all[*n].source;
            self.engine.handle(Input::Fact { source, fact }, *at);
            while self.engine.poll_effect().is_some() {}
        }
    }
}

impl Lines {
    pub(crate) fn new(calls: usize, seed: u64) -> Self {
        let platforms = calls.div_ceil(CALLS_PER_PLATFORM);
        let all = (0..platforms)
            .map(|n| {
                let config = PlatformConfig {
                    seed: seed.wrapping_add(n as u64),
                    calls: calls / platforms,
                    instance: format!("p{n}"),
                    world: WorldKind::Varied,
                    noise: true,
                };
                let source = SourceId::new(format!("//bridges/simulator/{n}"));
                let first = BEGAN + HEARTBEAT_MS;
                Line {
                    teller: Teller::new(source.to_string(), HEARTBEAT_MS, first),
                    source,
                    platform: Platform::new(config, BEGAN),
                }
            })
            .collect();
        Self { now: BEGAN, all }
    }

    pub(crate) fn snapshot(&mut self, n: usize) -> Vec<Arrival> {
        let outputs = self.all[n].platform.snapshot();
        let mut arrivals = Vec::new();
        self.put(n, outputs, &mut arrivals);
        arrivals
    }

    /// What all platforms tell of the next piece of time.
    pub(crate) fn tick(&mut self) -> Vec<Arrival> {
        self.now = self.now + TICK_MS;
        let mut arrivals = Vec::new();
        for n in 0..self.all.len() {
            let outputs = self.all[n].platform.advance(self.now);
            self.put(n, outputs, &mut arrivals);
            let line = &mut self.all[n];
            if let Some(envelope) = line.teller.heartbeat(&line.platform, self.now) {
                arrivals.push((self.now, n, envelope));
            }
        }
        arrivals
    }

    /// The moment up to which everything was told.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The only platform of a small number of calls.
    pub(crate) fn platform(&mut self) -> &mut Platform {
        &mut self.all[0].platform
    }

    /// Its bridge.
    pub(crate) fn source(&self) -> &SourceId {
        &self.all[0].source
    }

    fn put(&mut self, n: usize, outputs: Vec<Output>, arrivals: &mut Vec<Arrival>) {
        let now = self.now;
        for output in outputs {
            // Nobody asks the platform for anything, so it answers nothing.
            let Output::Event(event) = output else {
                continue;
            };
            let envelope = self.all[n].teller.event(event, now);
            arrivals.push((now, n, envelope));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_timed_is_an_engine_full_of_calls_that_talk() {
        let mut warm = Warm::up(40, 1);
        let took = warm.round(500);
        assert!((500..1_000).contains(&took.events), "{took:?}");
        // Calls end and others take their place a moment later.
        assert!((36..=40).contains(&took.calls), "{took:?}");
        let bridges = warm.engine.bridges();
        assert!(bridges[0].anomalies.is_empty(), "{bridges:?}");
        assert!(took.ns_per_event() > 0.0);
    }
}
