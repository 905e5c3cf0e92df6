//! A scenario, played in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use holdfast_domain::fact::{BeatOf, Fact, FactEnvelope, Text};
use holdfast_domain::{CallId, Layer, SourceId, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{CauseLabel, Harm, HarmBy, Scenario, Step};
use crate::services::{PODS, PROVIDERS};
use crate::{Event, Output, Platform, PlatformConfig, WorldKind};

/// How often the bridge says that it lives.
const HEARTBEAT_MS: i64 = 1_000;

/// How long an event is under way to the hub.
const ON_THE_WAY_MS: std::ops::Range<i64> = 5..40;

/// The share of events that are held up before the bridge sees them, and for how long.
const HELD_UP_SHARE: f64 = 0.001;
const HELD_UP_MS: std::ops::Range<i64> = 100..600;

/// How long a hit leaves its trace: the caller waits, asks whether anybody is there, and says it
/// again, all within this time. A further hit within it is the same harm.
const TRACE_MS: i64 = 30_000;

/// An event as the hub hears it.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// When the hub hears it.
    pub at: Timestamp,
    /// The event.
    pub envelope: FactEnvelope<'static>,
}

/// What is told next besides the platform's own events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Step,
    Heartbeat,
    Beats,
}

/// A scenario under way.
#[derive(Debug)]
pub struct Run {
    source: SourceId,
    end: Timestamp,
    platform: Platform,
    rng: ChaCha8Rng,
    steps: VecDeque<Step>,
    labels: Vec<CauseLabel>,
    /// Which label each injection is of.
    injections: BTreeMap<u64, usize>,
    injected: u64,
    agenda: BinaryHeap<Reverse<(Timestamp, Due)>>,
    beat_ms: i64,
    ready: VecDeque<Arrival>,
    sequence: u64,
    arrived: Timestamp,
    /// What is being told of each call and layer, so that one harm is told once.
    open: BTreeMap<HarmKey, Open>,
    swept_at: Timestamp,
    harms: Vec<Harm>,
}

impl Run {
    /// Begins: the first arrivals tell the calls that are live.
    pub fn new(scenario: &Scenario) -> Self {
        let config = PlatformConfig {
            seed: scenario.seed,
            calls: scenario.calls,
            instance: "s".to_owned(),
            world: WorldKind::Varied,
            noise: true,
        };
        let platform = Platform::new(config, scenario.from);
        let mut run = Self {
            source: SourceId::new("//bridges/simulator/corpus"),
            end: scenario.end,
            platform,
            rng: ChaCha8Rng::seed_from_u64(scenario.seed ^ 0x5eed),
            steps: scenario.steps.iter().cloned().collect(),
            labels: scenario.labels.clone(),
            injections: BTreeMap::new(),
            injected: 0,
            agenda: BinaryHeap::new(),
            beat_ms: scenario.beat_ms,
            ready: VecDeque::new(),
            sequence: 0,
            arrived: scenario.from,
            open: BTreeMap::new(),
            swept_at: scenario.from,
            harms: Vec::new(),
        };
        for step in &scenario.steps {
            run.agenda.push(Reverse((step.at, Due::Step)));
        }
        run.agenda.push(Reverse((scenario.from, Due::Heartbeat)));
        run.agenda.push(Reverse((scenario.from, Due::Beats)));
        let snapshot = run.platform.snapshot();
        run.take(snapshot);
        run
    }

    /// What the hub hears next; None when the run is over.
    #[expect(
        clippy::should_implement_trait,
        reason = "a run is stepped beside its labels, not iterated"
    )]
    pub fn next(&mut self) -> Option<Arrival> {
        loop {
            if let Some(arrival) = self.ready.pop_front() {
                return Some(arrival);
            }
            let agenda = self.agenda.peek().map(|Reverse((at, _))| *at);
            let wake = self.platform.next_wake();
            let at = match (agenda, wake) {
                (Some(a), Some(b)) => a.min(b),
                (Some(a), None) => a,
                (None, Some(b)) => b,
                (None, None) => return None,
            };
            if at > self.end {
                self.close(|_| true);
                return None;
            }
            let told = self.platform.advance(at);
            self.take(told);
            while let Some(Reverse((due, what))) = self.agenda.peek().copied()
                && due <= at
            {
                self.agenda.pop();
                self.act(due, what);
            }
        }
    }

    /// What was broken.
    pub fn labels(&self) -> &[CauseLabel] {
        &self.labels
    }

    /// The harms whose trace ended since this was last asked; after the end of the run, all others.
    pub fn take_harms(&mut self) -> Vec<Harm> {
        std::mem::take(&mut self.harms)
    }

    /// The bridge that tells it.
    pub fn source(&self) -> &SourceId {
        &self.source
    }

    /// How often that bridge says that it lives.
    pub fn heartbeat_ms(&self) -> i64 {
        HEARTBEAT_MS
    }

    /// When it is over.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    fn act(&mut self, at: Timestamp, what: Due) {
        match what {
            Due::Heartbeat => {
                let beat = Fact::BridgeHeartbeat {
                    live_calls: self.platform.live_calls() as u64,
                    buffered: 0,
                    unmapped: 0,
                };
                self.tell(at, None, None, beat);
                self.agenda.push(Reverse((at + HEARTBEAT_MS, what)));
            }
            Due::Beats => {
                for provider in PROVIDERS {
                    for pod in PODS {
                        let beat = Fact::Beat {
                            of: BeatOf::Provider,
                            name: provider.into(),
                            region: Some(pod.region.into()),
                            zone: None,
                        };
                        self.tell(at, None, None, beat);
                    }
                }
                self.agenda.push(Reverse((at + self.beat_ms, what)));
            }
            Due::Step => self.step(),
        }
    }

    fn step(&mut self) {
        let Some(step) = self.steps.pop_front() else {
            return;
        };
        match step.fault {
            None => {
                self.platform.stop_faults();
            }
            Some(fault) => {
                if self.platform.start_fault(fault, &step.scope).is_ok() {
                    self.injected += 1;
                    self.injections.insert(self.injected, step.label);
                }
            }
        }
        let told = self.platform.advance(self.platform.now());
        self.take(told);
    }

    fn take(&mut self, told: Vec<Output>) {
        self.note_harms();
        for output in told {
            match output {
                // What is injected is no news for a diagnosis.
                Output::Event(Event {
                    fact: Fact::DrillFaultsChanged { .. },
                    ..
                })
                | Output::Answer(_) => {}
                Output::Event(event) => {
                    let subject = event.call.as_ref().map(CallId::as_str);
                    self.tell(event.at, subject, event.layer, event.fact);
                }
            }
        }
    }

    fn note_harms(&mut self) {
        for hit in self.platform.take_hits() {
            let by = match hit.injection {
                None => HarmBy::Noise,
                Some(number) => match self.injections.get(&number) {
                    Some(label) => HarmBy::Fault(*label),
                    None => continue,
                },
            };
            let key = (hit.call, hit.layer, by);
            let first = match self.open.get(&key) {
                Some(open) if hit.at.since(open.last) < TRACE_MS => open.first,
                Some(open) => {
                    let over = harm(&key, open);
                    self.harms.push(over);
                    hit.at
                }
                None => hit.at,
            };
            let last = hit.at;
            self.open.insert(key, Open { first, last });
        }
        let now = self.platform.now();
        if now >= self.swept_at + TRACE_MS {
            self.swept_at = now;
            self.close(|open| now.since(open.last) >= TRACE_MS);
        }
    }

    /// Tells the harms whose trace is over.
    fn close(&mut self, is_over: impl Fn(&Open) -> bool) {
        let harms = &mut self.harms;
        self.open.retain(|key, open| {
            let is_over = is_over(open);
            if is_over {
                harms.push(harm(key, open));
            }
            !is_over
        });
    }

    fn tell(
        &mut self,
        at: Timestamp,
        subject: Option<&str>,
        layer: Option<Layer>,
        fact: Fact<'static>,
    ) {
        let held_up = if self.rng.random_bool(HELD_UP_SHARE) {
            self.rng.random_range(HELD_UP_MS)
        } else {
            0
        };
        self.sequence += 1;
        let recorded = at + held_up;
        // A connection keeps the order: what comes after waits for what was held up.
        self.arrived = self
            .arrived
            .max(recorded + self.rng.random_range(ON_THE_WAY_MS));
        self.ready.push_back(Arrival {
            at: self.arrived,
            envelope: FactEnvelope {
                id: Text::Owned(format!("e{}", self.sequence)),
                subject: Text::Owned(subject.unwrap_or("*").to_owned()),
                time: at,
                recorded,
                sequence: self.sequence,
                layer,
                cause: None,
                fact,
            },
        });
    }
}

type HarmKey = (CallId, Layer, HarmBy);

/// A harm under way.
#[derive(Debug)]
struct Open {
    first: Timestamp,
    last: Timestamp,
}

fn harm((call, layer, by): &HarmKey, open: &Open) -> Harm {
    Harm {
        call: call.clone(),
        layer: *layer,
        from: open.first,
        until: Some(open.last + TRACE_MS),
        by: *by,
    }
}
