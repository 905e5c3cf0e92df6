//! What the fleet teaches: how long each step takes, by service and language.
//!
//! It is one more input that is folded: the same facts teach the same, and it is part of a
//! checkpoint. A call remembers the numbers of its own cells, so that an event costs no search.

mod drift;
mod sketch;

use std::collections::BTreeMap;

use holdfast_domain::{DurationMs, EventId, SignalKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calls::{Step, evidence};
use crate::concerns::{Concern, ConcernId, Reach, service_words};
use crate::config::Learning;
use crate::{Engine, words};
use drift::Drift;
pub(crate) use sketch::Sketch;

/// The most things that are learnt about; later ones keep the fixed limits. A large platform has
/// tens of services in tens of languages, and some hundred tools.
const CELLS_MAX: usize = 8_192;

/// What takes its time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct StepKey {
    pub(crate) step: Step,
    /// Who does it; for a tool its name.
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) language: String,
}

/// The number of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct CellId(u32);

/// What is known of one step of one service.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cell {
    key: StepKey,
    /// The cell that knows the same less exactly: of the model in any language, of the vendor, of
    /// the step. It learns with this one, and speaks for it while too little is known.
    parent: Option<CellId>,
    sketch: Sketch,
    /// The quantile times the margin, as computed last; None while too little is known.
    deadline_ms: Option<DurationMs>,
    /// Samples since then.
    fresh: u32,
    /// Whether it became slower than it was.
    #[serde(default)]
    drift: Drift,
}

/// Everything that is learnt.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Cell>", into = "Vec<Cell>")]
pub(crate) struct Learnt {
    cells: Vec<Cell>,
    index: BTreeMap<StepKey, CellId>,
    /// Those that became slower, or as they were; empty between inputs.
    turned: Vec<CellId>,
}

impl From<Vec<Cell>> for Learnt {
    fn from(cells: Vec<Cell>) -> Self {
        let numbered = cells.iter().zip(0..);
        let index = numbered.map(|(cell, n)| (cell.key.clone(), CellId(n)));
        Self {
            index: index.collect(),
            cells,
            turned: Vec::new(),
        }
    }
}

impl From<Learnt> for Vec<Cell> {
    fn from(learnt: Learnt) -> Self {
        learnt.cells
    }
}

impl StepKey {
    /// The same step, known less exactly; None for a step of anybody, and for a tool: tools differ
    /// too much to speak for each other.
    fn coarser(&self) -> Option<Self> {
        if self.step == Step::Tool || self.provider.is_empty() {
            return None;
        }
        let mut coarser = self.clone();
        if !coarser.language.is_empty() {
            coarser.language.clear();
        } else if !coarser.model.is_empty() {
            coarser.model.clear();
        } else {
            coarser.provider.clear();
        }
        Some(coarser)
    }
}

impl Cell {
    fn took(&mut self, ms: DurationMs, config: &Learning) {
        if self.sketch.total() >= config.halve_at {
            self.sketch.halve();
        }
        self.sketch.add(ms);
        self.fresh += 1;
        let is_known = self.sketch.total() >= config.samples_min;
        if is_known && (self.deadline_ms.is_none() || self.fresh >= config.refresh_every) {
            let quantile = self.sketch.quantile(config.quantile_permille);
            let margin = DurationMs::from(config.margin_percent);
            self.deadline_ms = quantile.map(|ms| ms * margin / 100);
            self.fresh = 0;
        }
    }
}

impl Learnt {
    /// The cell of `key`, made if there is room.
    pub(crate) fn cell(&mut self, key: StepKey) -> Option<CellId> {
        if let Some(id) = self.index.get(&key) {
            return Some(*id);
        }
        if self.cells.len() >= CELLS_MAX {
            return None;
        }
        let parent = key.coarser().and_then(|coarser| self.cell(coarser));
        if self.cells.len() >= CELLS_MAX {
            return parent;
        }
        let id = CellId(self.cells.len() as u32);
        self.index.insert(key.clone(), id);
        self.cells.push(Cell {
            key,
            parent,
            sketch: Sketch::default(),
            deadline_ms: None,
            fresh: 0,
            drift: Drift::default(),
        });
        Some(id)
    }

    /// A step took `ms` to its first useful output, which came at `at`.
    pub(crate) fn took(&mut self, id: CellId, ms: DurationMs, at: Timestamp, config: &Learning) {
        let mut next = Some(id);
        while let Some(cell) = next.and_then(|id| self.cells.get_mut(id.0 as usize)) {
            cell.took(ms, config);
            next = cell.parent;
        }
        let Some(cell) = self.cells.get_mut(id.0 as usize) else {
            return;
        };
        let turned = cell.drift.take(ms, at, &config.drift);
        if turned.is_some() {
            self.turned.push(id);
        }
    }

    /// A service became slower since this was asked last, or as it was.
    pub(crate) const fn has_turned(&self) -> bool {
        !self.turned.is_empty()
    }

    /// The learnt deadline, not clamped, of the most exact cell that knows enough; None while none
    /// does.
    pub(crate) fn deadline_ms(&self, id: CellId) -> Option<DurationMs> {
        let mut next = Some(id);
        while let Some(cell) = next.and_then(|id| self.cells.get(id.0 as usize)) {
            if cell.deadline_ms.is_some() {
                return cell.deadline_ms;
            }
            next = cell.parent;
        }
        None
    }
}

impl Learnt {
    /// When the first of those that are told to be slow is forgotten.
    pub(crate) fn slow_deadline(&self, forget_ms: DurationMs) -> Option<Timestamp> {
        let told = self.cells.iter().filter_map(|cell| cell.drift.told_at());
        told.map(|at| at + forget_ms).min()
    }

    /// Those that were told to be slow and that nobody used since.
    fn forget_slow(&mut self, now: Timestamp, forget_ms: DurationMs) -> Vec<CellId> {
        let is_over = |cell: &Cell| {
            let told = cell.drift.told_at();
            told.is_some_and(|at| now.since(at) >= forget_ms)
        };
        let mut over = Vec::new();
        for (cell, n) in self.cells.iter_mut().zip(0..) {
            if is_over(cell) {
                cell.drift.forget();
                over.push(CellId(n));
            }
        }
        over
    }

    /// What there is to say of a slow cell; None for one that is not.
    fn concern(&self, id: CellId, event: &str, now: Timestamp) -> Option<Concern> {
        let cell = self.cells.get(id.0 as usize)?;
        cell.drift.told_at()?;
        let (key, layer) = (&cell.key, cell.key.step.layer());
        let what = match key.step {
            Step::Tool => format!("tool {}", words::clip(&key.provider, 60)),
            Step::Response | Step::Rerun | Step::Idle | Step::Greeting => "the dialogue".to_owned(),
            Step::Transcript | Step::Tokens | Step::Empty | Step::Audio => {
                service_words(layer, &key.provider, &key.model, "")
            }
        };
        let text = format!(
            "{what} answers in {}, usually {}",
            words::seconds(cell.drift.now_ms()),
            words::seconds(cell.drift.usual_ms())
        );
        let reach = match key.step {
            Step::Tool => Reach::Tool(key.provider.clone()),
            Step::Response | Step::Rerun | Step::Idle | Step::Greeting => Reach::Dialogue {
                language: key.language.clone(),
            },
            Step::Transcript | Step::Tokens | Step::Empty | Step::Audio => Reach::Served {
                layer,
                provider: key.provider.clone(),
                model: key.model.clone(),
                region: None,
                language: Some(key.language.clone()),
            },
        };
        let events = vec![EventId::new(event)];
        Some(Concern {
            reach,
            found: evidence(SignalKind::LatencyDrift, text, now, events),
        })
    }
}

impl Engine {
    /// Tells of the services that the last event showed to be slower, or as they were.
    pub(crate) fn pace_turned(&mut self, event: &str) {
        for id in std::mem::take(&mut self.learnt.turned) {
            match self.learnt.concern(id, event, self.now) {
                Some(concern) => self.raise_concern(ConcernId::Pace(id), concern),
                None => self.drop_concern(ConcernId::Pace(id)),
            }
        }
        self.arm_watch();
    }

    /// How slow something was that nobody used for long says nothing.
    pub(crate) fn forget_slow(&mut self) {
        let forget_ms = self.config.fault_rate.forget_ms;
        for id in self.learnt.forget_slow(self.now, forget_ms) {
            self.drop_concern(ConcernId::Pace(id));
        }
    }
}
