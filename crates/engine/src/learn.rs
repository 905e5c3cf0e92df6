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

impl Learnt {
    /// The cell of `key`, made if there is room.
    pub(crate) fn cell(&mut self, key: StepKey) -> Option<CellId> {
        if let Some(id) = self.index.get(&key) {
            return Some(*id);
        }
        if self.cells.len() >= CELLS_MAX {
            return None;
        }
        let id = CellId(self.cells.len() as u32);
        self.index.insert(key.clone(), id);
        self.cells.push(Cell {
            key,
            sketch: Sketch::default(),
            deadline_ms: None,
            fresh: 0,
        });
        Some(id)
    }

    /// A step took `ms` to its first useful output.
    pub(crate) fn took(&mut self, id: CellId, ms: DurationMs, config: &Learning) {
        let Some(cell) = self.cells.get_mut(id.0 as usize) else {
            return;
        };
        if cell.sketch.total() >= config.halve_at {
            cell.sketch.halve();
        }
        cell.sketch.add(ms);
        cell.fresh += 1;
        let is_known = cell.sketch.total() >= config.samples_min;
        if is_known && (cell.deadline_ms.is_none() || cell.fresh >= config.refresh_every) {
            let quantile = cell.sketch.quantile(config.quantile_permille);
            let margin = DurationMs::from(config.margin_percent);
            cell.deadline_ms = quantile.map(|ms| ms * margin / 100);
            cell.fresh = 0;
        }
    }

    /// The learnt deadline, not clamped; None while too little is known.
    pub(crate) fn deadline_ms(&self, id: CellId) -> Option<DurationMs> {
        self.cells.get(id.0 as usize)?.deadline_ms
    }
}
