//! What the fleet teaches: how long each step takes, by service and language.
//!
//! It is one more input that is folded: the same facts teach the same, and it is part of a
//! checkpoint. A call remembers the numbers of its own cells, so that an event costs no search.

mod sketch;

use std::collections::BTreeMap;

use holdfast_domain::DurationMs;
use serde::{Deserialize, Serialize};

use crate::calls::Step;
use crate::config::Learning;
use sketch::Sketch;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// Everything that is learnt.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Cell>", into = "Vec<Cell>")]
pub(crate) struct Learnt {
    cells: Vec<Cell>,
    index: BTreeMap<StepKey, CellId>,
}

impl From<Vec<Cell>> for Learnt {
    fn from(cells: Vec<Cell>) -> Self {
        let numbered = cells.iter().zip(0..);
        let index = numbered.map(|(cell, n)| (cell.key.clone(), CellId(n)));
        Self {
            index: index.collect(),
            cells,
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
        });
        Some(id)
    }

    /// A step took `ms` to its first useful output.
    pub(crate) fn took(&mut self, id: CellId, ms: DurationMs, config: &Learning) {
        let mut next = Some(id);
        while let Some(cell) = next.and_then(|id| self.cells.get_mut(id.0 as usize)) {
            cell.took(ms, config);
            next = cell.parent;
        }
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
