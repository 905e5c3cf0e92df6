//! The distributions: one row for each decider and class, one sketch for each step.

use std::collections::BTreeMap;

use holdfast_domain::{Decider, DurationMs, FaultClass, LedgerRow, Recovery, Spread, Timestamp};
use serde::{Deserialize, Serialize};

use crate::learn::Sketch;

/// A row for each decider and class that there was. There are as many classes as layers times
/// signals, so it is bounded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Rows(Vec<Row>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    decider: Decider,
    class: FaultClass,
    recovered: u32,
    lost: u32,
    total: Sketch,
    onset: Sketch,
    detect: Sketch,
    decide: Sketch,
    accept: Sketch,
    recover: Sketch,
    show: Sketch,
}

impl Rows {
    fn of(&mut self, decider: Decider, class: FaultClass) -> &mut Row {
        let key = |row: &Row| (row.decider, row.class);
        let place = self.0.binary_search_by_key(&(decider, class), key);
        let place = place.unwrap_or_else(|place| {
            self.0.insert(place, Row::new(decider, class));
            place
        });
        &mut self.0[place]
    }

    pub(super) fn lost(&mut self, decider: Decider, class: FaultClass) {
        self.of(decider, class).lost += 1;
    }

    pub(super) fn recovered(&mut self, of: &Recovery) {
        let row = self.of(of.decider, of.class);
        row.recovered += 1;
        row.total.add(took(of.affected_at, of.audio_at));
        if let Some(onset) = of.onset_at {
            row.onset.add(took(onset, of.affected_at));
        }
        row.detect.add(took(of.affected_at, of.detected_at));
        if let Some(decided) = of.decided_at {
            row.decide.add(took(of.detected_at, decided));
        }
        if let (Some(decided), Some(accepted)) = (of.decided_at, of.accepted_at) {
            row.accept.add(took(decided, accepted));
        }
        if let Some(accepted) = of.accepted_at {
            row.recover.add(took(accepted, of.audio_at));
        }
    }

    pub(super) fn shown(&mut self, of: &Recovery, at: Timestamp) {
        let show = took(of.audio_at, at);
        self.of(of.decider, of.class).show.add(show);
    }

    /// Every row, also those of calls that still wait.
    pub(super) fn tell(&self, open: impl Iterator<Item = (Decider, FaultClass)>) -> Vec<LedgerRow> {
        let mut waiting: BTreeMap<(Decider, FaultClass), u32> = BTreeMap::new();
        for key in open {
            *waiting.entry(key).or_default() += 1;
        }
        let mut rows: Vec<LedgerRow> = self.0.iter().map(Row::tell).collect();
        for ((decider, class), n) in waiting {
            let known = rows.iter_mut();
            let mut known = known.filter(|row| row.decider == decider && row.class == class);
            if let Some(row) = known.next() {
                row.open = n;
            } else {
                let mut row = Row::new(decider, class).tell();
                row.open = n;
                rows.push(row);
            }
        }
        rows.sort_by_key(|row| (row.decider, row.class));
        rows
    }
}

impl Row {
    fn new(decider: Decider, class: FaultClass) -> Self {
        Self {
            decider,
            class,
            recovered: 0,
            lost: 0,
            total: Sketch::default(),
            onset: Sketch::default(),
            detect: Sketch::default(),
            decide: Sketch::default(),
            accept: Sketch::default(),
            recover: Sketch::default(),
            show: Sketch::default(),
        }
    }

    fn tell(&self) -> LedgerRow {
        LedgerRow {
            decider: self.decider,
            class: self.class,
            recovered: self.recovered,
            lost: self.lost,
            open: 0,
            total: spread(&self.total),
            onset: spread(&self.onset),
            detect: spread(&self.detect),
            decide: spread(&self.decide),
            accept: spread(&self.accept),
            recover: spread(&self.recover),
            show: spread(&self.show),
        }
    }
}

fn spread(sketch: &Sketch) -> Spread {
    Spread {
        n: sketch.total(),
        p50_ms: sketch.quantile(500),
        p95_ms: sketch.quantile(950),
    }
}

/// The platform's moments are on a corrected clock: one can lie a little before what it followed.
fn took(from: Timestamp, to: Timestamp) -> DurationMs {
    to.since(from).max(0)
}
