//! A scenario, played in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use holdfast_domain::fact::{Fact, FactEnvelope, Text};
use holdfast_domain::{CallId, Layer, SourceId, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{CauseLabel, Harm, HarmBy, Scenario, Step, TurnLabel, What};
use crate::ledger::{Hit, Ledger};
use crate::{Event, Output, Platform, PlatformConfig, WorldKind};

/// How often the bridge says that it lives.
const HEARTBEAT_MS: i64 = 1_000;

/// How long an event is under way to the hub.
const ON_THE_WAY_MS: std::ops::Range<i64> = 5..40;

/// The share of events that are held up before the bridge sees them, and for how long.
const HELD_UP_SHARE: f64 = 0.001;
const HELD_UP_MS: std::ops::Range<i64> = 100..600;

/// The share of a call's events that the bridge sees after later ones of the same call, and how much
/// later.
const LATE_SHARE: f64 = 0.001;
const LATE_MS: std::ops::Range<i64> = 50..400;

/// The share of events whose origin's clock is behind the others', and by how much.
const SKEWED_SHARE: f64 = 0.01;
const SKEWED_MS: std::ops::Range<i64> = 1..40;

/// How long a hit leaves its trace while the caller is not served again: they wait, ask whether
/// anybody is there, and say it again, all within this time. A further hit within it is the same
/// harm.
const TRACE_MS: i64 = 30_000;

/// How long a harm leaves its trace once the caller was served: what is told of the last three turns
/// still tells of it in the next two, of about ten seconds each.
const SERVED_MS: i64 = 20_000;

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
    /// Which label each injection is of, by its number on the platform; None for none.
    injections: BTreeMap<u64, Option<usize>>,
    injected: u64,
    /// The platform's ids of injections, by their key.
    ids: BTreeMap<usize, String>,
    agenda: BinaryHeap<Reverse<(Timestamp, Due)>>,
    /// Events that the bridge does not yet see, by when it will.
    late: BTreeMap<(Timestamp, u64), Event>,
    delayed: u64,
    ready: VecDeque<Arrival>,
    sequence: u64,
    arrived: Timestamp,
    /// What is being told of each call and layer, so that one harm is told once.
    open: BTreeMap<HarmKey, Open>,
    swept_at: Timestamp,
    harms: Vec<Harm>,
    turns: Vec<TurnLabel>,
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
        let platform = Platform::new(config, scenario.from).beating(scenario.beat_ms);
        let mut run = Self {
            source: SourceId::new("//bridges/simulator/corpus"),
            end: scenario.end,
            platform,
            rng: ChaCha8Rng::seed_from_u64(scenario.seed ^ 0x5eed),
            steps: scenario.steps.iter().cloned().collect(),
            labels: scenario.labels.clone(),
            injections: BTreeMap::new(),
            injected: 0,
            ids: BTreeMap::new(),
            agenda: BinaryHeap::new(),
            late: BTreeMap::new(),
            delayed: 0,
            ready: VecDeque::new(),
            sequence: 0,
            arrived: scenario.from,
            open: BTreeMap::new(),
            swept_at: scenario.from,
            harms: Vec::new(),
            turns: Vec::new(),
        };
        for step in &scenario.steps {
            run.agenda.push(Reverse((step.at, Due::Step)));
        }
        run.agenda.push(Reverse((scenario.from, Due::Heartbeat)));
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
            let late = self.late.first_key_value().map(|((at, _), _)| *at);
            let at = agenda.into_iter().chain(wake).chain(late).min()?;
            if at > self.end {
                self.platform.note_waits();
                self.note_harms();
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
            while let Some(late) = self.late.first_entry()
                && late.key().0 <= at
            {
                let event = late.remove();
                self.tell(event, at);
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

    /// The turns that met a cause which fails turns by chance, since this was last asked.
    pub fn take_turns(&mut self) -> Vec<TurnLabel> {
        std::mem::take(&mut self.turns)
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
                let heartbeat = Event {
                    call: None,
                    at,
                    layer: None,
                    cause: None,
                    fact: Fact::BridgeHeartbeat {
                        live_calls: self.platform.live_calls() as u64,
                        buffered: 0,
                        unmapped: 0,
                    },
                };
                self.tell(heartbeat, at);
                self.agenda.push(Reverse((at + HEARTBEAT_MS, what)));
            }
            Due::Step => self.step(),
        }
    }

    fn step(&mut self) {
        let Some(step) = self.steps.pop_front() else {
            return;
        };
        match step.what {
            What::Stop { key } => {
                if let Some(id) = self.ids.remove(&key) {
                    self.platform.end_injection(&id);
                }
            }
            What::Start {
                key,
                fault,
                target,
                label,
            } => {
                let id = self.platform.inject(fault, *target);
                let id = id.expect("a test injects every fault of every family");
                self.ids.insert(key, id);
                self.injected += 1;
                self.injections.insert(self.injected, label);
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
                Output::Event(event) => self.see(event),
            }
        }
    }

    /// The bridge sees an event, now or later.
    fn see(&mut self, event: Event) {
        let may_be_late = event.call.is_some()
            && !matches!(event.fact, Fact::CallStarted(_) | Fact::CallEnded { .. });
        if may_be_late && self.rng.random_bool(LATE_SHARE) {
            let at = event.at + self.rng.random_range(LATE_MS);
            self.delayed += 1;
            self.late.insert((at, self.delayed), event);
            return;
        }
        let at = event.at;
        self.tell(event, at);
    }

    fn note_harms(&mut self) {
        let Ledger {
            hits,
            trials,
            served,
        } = self.platform.take_ledger();
        for hit in hits {
            self.note_hit(hit);
        }
        for (call, at) in served {
            let of_call = self.open.iter_mut().filter(|((of, ..), _)| *of == call);
            for (_, open) in of_call {
                // Later it has nothing to do with the harm any more.
                let is_soon = open.last < at && at <= open.last + TRACE_MS;
                if open.served.is_none() && is_soon {
                    open.served = Some(at);
                }
            }
        }
        for trial in trials {
            if let Some(Some(cause)) = self.injections.get(&trial.injection) {
                self.turns.push(TurnLabel {
                    cause: *cause,
                    at: trial.at,
                    failed: trial.failed,
                });
            }
        }
        let now = self.platform.now();
        if now >= self.swept_at + TRACE_MS {
            self.swept_at = now;
            self.close(|open| now > open.until());
        }
    }

    fn note_hit(&mut self, hit: Hit) {
        let label = hit
            .injection
            .and_then(|number| self.injections.get(&number));
        let by = label
            .copied()
            .flatten()
            .map_or(HarmBy::Noise, HarmBy::Fault);
        let key = (hit.call, hit.layer, by);
        let mut open = Open {
            first: hit.from,
            last: hit.until,
            served: None,
        };
        if let Some(before) = self.open.get(&key) {
            if hit.from <= before.until() {
                open.first = before.first.min(hit.from);
                open.last = before.last.max(hit.until);
            } else {
                let over = harm(&key, before);
                self.harms.push(over);
            }
        }
        self.open.insert(key, open);
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

    /// Tells the hub what the bridge sees at `seen`.
    fn tell(&mut self, event: Event, seen: Timestamp) {
        let held_up = if self.rng.random_bool(HELD_UP_SHARE) {
            self.rng.random_range(HELD_UP_MS)
        } else {
            0
        };
        let skew = if self.rng.random_bool(SKEWED_SHARE) {
            self.rng.random_range(SKEWED_MS)
        } else {
            0
        };
        self.sequence += 1;
        let recorded = seen + held_up;
        // A connection keeps the order: what comes after waits for what was held up.
        self.arrived = self
            .arrived
            .max(recorded + self.rng.random_range(ON_THE_WAY_MS));
        let subject = event.call.as_ref().map_or("*", CallId::as_str);
        self.ready.push_back(Arrival {
            at: self.arrived,
            envelope: FactEnvelope {
                id: Text::Owned(format!("e{}", self.sequence)),
                subject: Text::Owned(subject.to_owned()),
                time: event.at - skew,
                recorded,
                sequence: self.sequence,
                layer: event.layer,
                cause: None,
                fact: event.fact,
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
    /// When the caller was served again.
    served: Option<Timestamp>,
}

impl Open {
    /// When its trace is over, as far as is known.
    fn until(&self) -> Timestamp {
        self.served
            .map_or(self.last + TRACE_MS, |served| served + SERVED_MS)
    }
}

fn harm((call, layer, by): &HarmKey, open: &Open) -> Harm {
    Harm {
        call: call.clone(),
        layer: *layer,
        from: open.first,
        until: Some(open.until()),
        by: *by,
    }
}
