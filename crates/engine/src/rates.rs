//! The share of turns with a fault, of each service, tool and flow that calls use.
//!
//! One call has few turns; what serves it has many. Each turn of a caller is one trial of each
//! layer that worked in it: failed by a failure of that layer's own, else good. A fault that is told
//! counts at once, because many more turns begin until a silent one is over; silence and good work
//! count when the turn ends.
//! Deliberately absent: the chart itself (`cusum`), and who is put on watch (`concerns`).

mod cusum;

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use holdfast_domain::{CallId, EventId, Layer, SignalKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calls::{Call, bit, evidence};
use crate::concerns::{Concern, ConcernId, Reach, service_words};
use crate::config::RateLimits;
use crate::{Engine, words};
use cusum::Cusum;

/// The most services, tools and flows that are counted; later ones are not, until others were not
/// used for a while. A large platform has tens of services in some regions and some hundred tools.
const CELLS_MAX: usize = 4_096;
/// The most events that are kept of one cell: as many as evidence names.
const EVENTS_MAX: usize = 4;
/// Beyond so many turns the older half counts half, so that the share is that of now.
const TURNS_MAX: u32 = 64;

/// The layers that turns are trials of. The network and the infrastructure are not used by turns.
const TRIED: [Layer; 5] = [
    Layer::Asr,
    Layer::Llm,
    Layer::Tools,
    Layer::Tts,
    Layer::Orchestration,
];

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum RateKey {
    Service {
        layer: Layer,
        provider: String,
        model: String,
        region: String,
    },
    Tool(String),
    Flow(String),
}

/// The number of a cell; never used twice. Not zero, so that a call keeps few bytes for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RateId(NonZeroU32);

/// What is known of one service, tool or flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cell {
    id: RateId,
    key: RateKey,
    cusum: Cusum,
    /// Turns since the sum left zero, and the failed ones among them.
    turns: u32,
    failed: u32,
    /// The call that failed first of these, and whether another one did: one call that fails again
    /// and again is that call's trouble.
    first: Option<CallId>,
    has_several: bool,
    /// The newest events behind it.
    events: VecDeque<EventId>,
    last_at: Timestamp,
    /// Told with so many failed turns.
    told: Option<u32>,
}

/// All that is counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(crate) struct Rates {
    cells: BTreeMap<RateId, Cell>,
    index: BTreeMap<RateKey, RateId>,
    /// How many cells there ever were.
    count: u32,
    /// How many are told.
    told: usize,
}

/// The same as a checkpoint has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    cells: Vec<Cell>,
    count: u32,
}

impl From<Kept> for Rates {
    fn from(kept: Kept) -> Self {
        let index = kept.cells.iter().map(|cell| (cell.key.clone(), cell.id));
        Self {
            index: index.collect(),
            told: kept.cells.iter().filter(|cell| cell.told.is_some()).count(),
            cells: kept.cells.into_iter().map(|cell| (cell.id, cell)).collect(),
            count: kept.count,
        }
    }
}

impl From<Rates> for Kept {
    fn from(rates: Rates) -> Self {
        Self {
            cells: rates.cells.into_values().collect(),
            count: rates.count,
        }
    }
}

/// What a trial changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// The rate has risen, or is told with twice as many failed turns.
    Risen,
    /// It came down again.
    Fell,
}

impl Rates {
    /// The cell of `key`, made if there is room.
    fn cell(&mut self, key: RateKey, now: Timestamp, limits: &RateLimits) -> Option<RateId> {
        if let Some(id) = self.index.get(&key) {
            return Some(*id);
        }
        if self.cells.len() >= CELLS_MAX {
            self.cells.retain(|_, cell| {
                cell.told.is_some() || now.since(cell.last_at) < limits.forget_ms
            });
            let cells = &self.cells;
            self.index.retain(|_, id| cells.contains_key(id));
        }
        if self.cells.len() >= CELLS_MAX {
            return None;
        }
        let id = RateId(NonZeroU32::MIN.saturating_add(self.count));
        self.count += 1;
        self.index.insert(key.clone(), id);
        self.cells.insert(
            id,
            Cell {
                id,
                key,
                cusum: Cusum::default(),
                turns: 0,
                failed: 0,
                first: None,
                has_several: false,
                events: VecDeque::new(),
                last_at: now,
                told: None,
            },
        );
        Some(id)
    }

    /// One turn more; `failed` by which call and event, None for a good one.
    fn tried(
        &mut self,
        id: RateId,
        failed: Option<(&CallId, EventId)>,
        now: Timestamp,
        limits: &RateLimits,
    ) -> Option<Change> {
        let cell = self.cells.get_mut(&id)?;
        if now.since(cell.last_at) >= limits.forget_ms {
            cell.start_over();
        }
        cell.last_at = now;
        cell.cusum.take(failed.is_some(), limits);
        if cell.cusum.is_zero() && cell.told.is_none() {
            cell.start_over();
            return None;
        }
        cell.turns += 1;
        if cell.turns > TURNS_MAX {
            cell.turns /= 2;
            cell.failed /= 2;
        }
        let Some((by, event)) = failed else {
            if cell.told.is_some() && cell.cusum.is_clear(limits) {
                cell.told = None;
                self.told -= 1;
                cell.start_over();
                return Some(Change::Fell);
            }
            return None;
        };
        cell.failed += 1;
        cell.has_several |= cell.first.get_or_insert_with(|| by.clone()) != by;
        cell.events.push_back(event);
        if cell.events.len() > EVENTS_MAX {
            cell.events.pop_front();
        }
        let is_news = match cell.told {
            None => cell.cusum.has_risen(limits) && cell.has_several,
            Some(told) => cell.failed >= told.saturating_mul(2),
        };
        if !is_news {
            return None;
        }
        self.told += usize::from(cell.told.is_none());
        cell.told = Some(cell.failed);
        Some(Change::Risen)
    }

    /// When the first of those that are told is forgotten.
    pub(crate) fn deadline(&self, limits: &RateLimits) -> Option<Timestamp> {
        if self.told == 0 {
            return None;
        }
        let told = self.cells.values().filter(|cell| cell.told.is_some());
        told.map(|cell| cell.last_at + limits.forget_ms).min()
    }

    /// Those that were told and that nobody used since.
    fn forget(&mut self, now: Timestamp, limits: &RateLimits) -> Vec<RateId> {
        let is_over =
            |cell: &&mut Cell| cell.told.is_some() && now.since(cell.last_at) >= limits.forget_ms;
        let over: Vec<RateId> = self
            .cells
            .values_mut()
            .filter(is_over)
            .map(|cell| {
                cell.told = None;
                cell.start_over();
                cell.id
            })
            .collect();
        self.told -= over.len();
        over
    }

    fn concern(&self, id: RateId, now: Timestamp) -> Option<Concern> {
        let cell = self.cells.get(&id)?;
        let text = cell.words();
        let events = cell.events.iter().cloned().collect();
        Some(Concern {
            reach: cell.reach(),
            found: evidence(SignalKind::FaultRate, text, now, events),
        })
    }
}

impl Cell {
    fn start_over(&mut self) {
        self.cusum = Cusum::default();
        self.turns = 0;
        self.failed = 0;
        self.first = None;
        self.has_several = false;
        self.events.clear();
    }

    fn reach(&self) -> Reach {
        match &self.key {
            RateKey::Service {
                layer,
                provider,
                model,
                region,
            } => Reach::Served {
                layer: *layer,
                provider: provider.clone(),
                model: model.clone(),
                region: Some(region.clone()),
                language: None,
            },
            RateKey::Tool(name) => Reach::Tool(name.clone()),
            RateKey::Flow(name) => Reach::Flow(name.clone()),
        }
    }

    fn words(&self) -> String {
        let with = match &self.key {
            RateKey::Service {
                layer,
                provider,
                model,
                region,
            } => format!("with {}", service_words(*layer, provider, model, region)),
            RateKey::Tool(name) => format!("with tool {}", words::clip(name, 60)),
            RateKey::Flow(name) => format!("in flow {}", words::clip(name, 60)),
        };
        // Rounded to the nearest whole number of turns for each failed one.
        let each = (self.turns + self.failed / 2) / self.failed.max(1);
        let how_many = match each {
            0 | 1 => "nearly every turn".to_owned(),
            2 => "every second turn".to_owned(),
            3 => "every third turn".to_owned(),
            n => format!("one turn in {n}"),
        };
        format!(
            "{how_many} {with} fails, {} of the last {}",
            self.failed, self.turns
        )
    }
}

/// What the turn of a call does to the rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A layer said that it failed.
    Error(Layer),
    /// The turn was answered, or counts as failed.
    Ended,
    /// The call is over.
    Over,
}

/// Where the turns of a call are counted, and what was counted of the one under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Trials {
    /// The cells of the layers of [`TRIED`], tools apart; None until the call is placed.
    places: Option<[Option<RateId>; TRIED.len()]>,
    /// Layers that failed since the last turn ended, and those of them that are counted.
    pub(crate) failed: u8,
    counted: u8,
    /// The number of the turn that ended last, and when.
    turn: u32,
    at: Timestamp,
}

impl Trials {
    /// Something else serves the call now.
    pub(crate) fn replace(&mut self) {
        self.places = None;
    }

    pub(crate) const fn is_placed(&self) -> bool {
        self.places.is_some()
    }
}

impl Call {
    /// The layers of which this moment decides a trial: failed ones, and good ones.
    fn take_trials(&mut self, moment: Moment, at: Timestamp) -> (u8, u8) {
        let open = self.trials.failed & !self.trials.counted;
        match moment {
            Moment::Error(layer) => {
                let failed = open & bit(layer);
                self.trials.counted |= failed;
                (failed, 0)
            }
            Moment::Over => (open, 0),
            Moment::Ended => {
                // A turn that failed and is answered after all was counted.
                if self.turns == self.trials.turn {
                    return (0, 0);
                }
                let since = self.trials.at;
                let good = TRIED
                    .into_iter()
                    .filter(|layer| self.layers[*layer].good_at.is_some_and(|at| at > since))
                    .fold(0, |bits, layer| bits | bit(layer))
                    & !self.trials.failed;
                self.trials.turn = self.turns;
                self.trials.at = at;
                self.trials.failed = 0;
                self.trials.counted = 0;
                (open, good)
            }
        }
    }

    /// What the layer's newest failure was of, or what serves it now.
    fn rate_key(&self, layer: Layer, at_failure: bool) -> Option<RateKey> {
        match layer {
            Layer::Tools => {
                let last = self.tool_marks.last()?;
                Some(RateKey::Tool(last.name.clone()))
            }
            Layer::Orchestration => {
                let flow = &self.dialogue.flow;
                (!flow.is_empty()).then(|| RateKey::Flow(flow.clone()))
            }
            Layer::Asr | Layer::Llm | Layer::Tts | Layer::Network | Layer::Infrastructure => {
                let service = if at_failure {
                    self.served_at_failure(layer)?
                } else {
                    self.active(layer)?
                };
                Some(RateKey::Service {
                    layer,
                    provider: service.provider.clone(),
                    model: service.model.clone(),
                    region: service.region.clone(),
                })
            }
        }
    }

    /// The newest event behind the layer's failure.
    fn failed_by(&self, layer: Layer) -> EventId {
        let evidence = self.layers[layer].evidence.as_ref();
        let last = evidence.and_then(|found| found.events.last());
        last.cloned()
            .unwrap_or_else(|| EventId::new(self.last_event.as_str()))
    }
}

impl Engine {
    /// A call is new, or something else serves it: finds the cells of its turns, and what is known
    /// of them.
    pub(crate) fn place_call(&mut self, id: &CallId) {
        let (now, limits) = (self.now, self.config.fault_rate);
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        let places = TRIED.map(|layer| {
            let key = call
                .rate_key(layer, false)
                .filter(|_| layer != Layer::Tools);
            self.rates.cell(key?, now, &limits)
        });
        call.trials.places = Some(places);
        self.settle_concerns(id);
    }

    /// A moment of a call's turn that the rates are counted at.
    pub(crate) fn count_turn(&mut self, id: &CallId, moment: Moment) {
        let (now, limits) = (self.now, self.config.fault_rate);
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        let (failed, good) = call.take_trials(moment, now);
        let mut changed: Vec<(RateId, Change)> = Vec::new();
        for (at, layer) in TRIED.into_iter().enumerate() {
            if (failed | good) & bit(layer) == 0 {
                continue;
            }
            let is_failed = failed & bit(layer) != 0;
            let placed = call.trials.places.and_then(|places| places[at]);
            let place = match placed.filter(|_| !is_failed) {
                Some(place) => Some(place),
                None => call
                    .rate_key(layer, is_failed)
                    .and_then(|key| self.rates.cell(key, now, &limits)),
            };
            let Some(place) = place else { continue };
            let by = is_failed.then(|| (id, call.failed_by(layer)));
            if let Some(change) = self.rates.tried(place, by, now, &limits) {
                changed.push((place, change));
            }
        }
        for (place, change) in changed {
            self.rate_changed(place, change);
        }
        if moment == Moment::Ended && !self.concerns.is_empty() {
            // It may use another tool by now.
            self.settle_concerns(id);
        }
    }

    fn rate_changed(&mut self, id: RateId, change: Change) {
        let concern = match change {
            Change::Risen => self.rates.concern(id, self.now),
            Change::Fell => None,
        };
        match concern {
            Some(concern) => self.raise_concern(ConcernId::Rate(id), concern),
            None => self.drop_concern(ConcernId::Rate(id)),
        }
        self.arm_watch();
    }

    /// What nobody used for long is not known to be bad any more.
    pub(crate) fn forget_rates(&mut self) {
        for id in self.rates.forget(self.now, &self.config.fault_rate) {
            self.drop_concern(ConcernId::Rate(id));
        }
    }
}

#[cfg(test)]
mod tests;
