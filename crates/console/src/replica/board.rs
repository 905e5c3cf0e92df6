//! The board: which calls stand where.
//!
//! Rows change as fast as the hub tells; their order does not, because a person reads and points.
//! - It is worked out anew at most every [`REORDER_MS`], and not at all while the window holds it
//!   frozen (the pointer or the focus is on the list) unless the filter itself changes.
//! - A row only moves for a change of its need that matters (see [`Standing`]).
//! - A call that ends between two orders keeps its place, shown as ended and in need of nothing,
//!   so that no other call slips under a finger; the next free order drops it.
//! - A call that comes while the order is frozen waits for the next one; those that belong above
//!   what is in view are counted, so that the window can say `12 new above`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use holdfast_domain::{
    CallId, CallPhase, CallSummary, DurationMs, Need, NeedLevel, SourceId, Timestamp,
};
use holdfast_protocol::window::{Board, BoardFilter, FrameRequest};

use super::ROWS_IN_VIEW_MAX;
use super::tallies::{Counts, Tallies};

/// The shortest time between two orders: four a second is as fast as an eye follows a list.
pub(super) const REORDER_MS: DurationMs = 250;

/// A score counts as changed when it differs from the one that placed the row by this part of it.
const SCORE_STEP_PART: u32 = 8;

/// All rows and their order.
#[derive(Debug, Default)]
pub(super) struct BoardState {
    rows: BTreeMap<CallId, Row>,
    /// Calls that left and still have a place in the order.
    ended: BTreeMap<CallId, Row>,
    tallies: Tallies,
    order: Vec<CallId>,
    order_version: u64,
    ordered_at: Option<Timestamp>,
    /// Something happened that may change the order.
    disordered: bool,
    view: Option<View>,
    view_version: u64,
    new_above: NewAbove,
}

/// What the window looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct View {
    first: u32,
    count: u32,
    filter: BoardFilter,
}

/// Calls that would stand above the first row in view, worked out as seldom as the order.
#[derive(Debug, Default)]
struct NewAbove {
    count: u32,
    version: u64,
    counted_at: Option<Timestamp>,
    /// Something happened since that may change the count.
    outdated: bool,
}

/// One call.
#[derive(Debug)]
struct Row {
    summary: Box<CallSummary>,
    /// What the order is worked out from. It lies here too, so that ordering ten thousand rows does
    /// not fetch each summary from memory.
    now: Placing,
    version: u64,
    standing: Standing,
    /// It has a place in the order.
    placed: bool,
    /// What the text filter searches, in lower case; made when first searched.
    folded: Option<String>,
}

/// What the place of a call depends on.
#[derive(Debug, Clone, Copy)]
struct Placing {
    is_live: bool,
    need: Standing,
    started_at: Timestamp,
}

/// The need by which a row is placed. It follows the need of the call when the level changes, or
/// when the score has moved by an eighth: a score that grows by the second does not make
/// neighbours trade places with every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Standing {
    level: NeedLevel,
    score: u32,
    since: Option<Timestamp>,
}

/// Where a row stands: the highest score first, then who has needed us longest, then the oldest
/// call; the id makes it the same on every desk.
type Key<'a> = (Reverse<u32>, Timestamp, Timestamp, &'a CallId);

/// Calls without a need come after those with one.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

impl BoardState {
    /// A call as it is now.
    pub(super) fn put(&mut self, summary: CallSummary, version: u64) {
        let id = summary.id.clone();
        if let Some(row) = self.rows.get_mut(&id) {
            if *row.summary == summary {
                return;
            }
            self.disordered = true;
            self.new_above.outdated = true;
            self.tallies.count(&summary, 1, version);
            self.tallies.count(&row.summary, -1, version);
            row.now = Placing::of(&summary);
            *row.summary = summary;
            row.version = version;
            row.folded = None;
            return;
        }
        self.disordered = true;
        self.new_above.outdated = true;
        let came_back = self.ended.remove(&id);
        self.tallies.count(&summary, 1, version);
        let row = Row {
            now: Placing::of(&summary),
            summary: Box::new(summary),
            version,
            standing: came_back
                .as_ref()
                .map_or_else(Standing::default, |row| row.standing),
            placed: came_back.is_some(),
            folded: None,
        };
        self.rows.insert(id, row);
    }

    /// A call left the board.
    pub(super) fn leave(&mut self, id: &CallId, version: u64) {
        let Some(mut row) = self.rows.remove(id) else {
            return;
        };
        self.tallies.count(&row.summary, -1, version);
        self.disordered = true;
        self.new_above.outdated = true;
        if row.placed {
            row.summary.phase = CallPhase::Ended;
            row.summary.need = Need::default();
            row.summary.next = None;
            row.now = Placing::of(&row.summary);
            row.version = version;
            self.ended.insert(id.clone(), row);
        }
    }

    /// Lets all calls leave that `stays` does not name.
    pub(super) fn keep_only(&mut self, stays: impl Fn(&CallId) -> bool, version: u64) {
        let leaving: Vec<CallId> = self.rows.keys().filter(|id| !stays(id)).cloned().collect();
        for id in leaving {
            self.leave(&id, version);
        }
    }

    pub(super) fn has(&self, id: &CallId) -> bool {
        self.rows.contains_key(id)
    }

    pub(super) const fn counts(&self) -> Counts {
        self.tallies.counts
    }

    pub(super) fn live_of(&self, source: &SourceId) -> u32 {
        self.tallies.by_source.get(source).copied().unwrap_or(0)
    }

    /// Takes in where the window looks, and works out the order if it is time to.
    pub(super) fn look(&mut self, request: &FrameRequest, now: Timestamp, version: &mut u64) {
        let view = View {
            first: request.first,
            count: request.count.min(ROWS_IN_VIEW_MAX),
            filter: request.filter.clone(),
        };
        let filter_changed = self
            .view
            .as_ref()
            .is_none_or(|before| before.filter != view.filter);
        if self.view.as_ref() != Some(&view) {
            *version += 1;
            self.view_version = *version;
            self.new_above.outdated = true;
            self.view = Some(view);
        }
        let free = !request.frozen && self.disordered && is_due(self.ordered_at, now);
        if filter_changed || free {
            self.ordered_at = Some(now);
            self.disordered = false;
            self.reorder(&request.filter, version);
        }
        self.count_new_above(request, now, version);
    }

    /// The rows in view, if anything about them changed since `ack`.
    pub(super) fn section(&self, ack: u64) -> Option<Board> {
        let view = self.view.as_ref()?;
        let total = self.order.len() as u32;
        let first = self.first_in_view(view);
        let in_view: Vec<&Row> = self
            .order
            .iter()
            .skip(first as usize)
            .take(view.count as usize)
            .filter_map(|id| self.placed_row(id))
            .collect();
        let newest = in_view
            .iter()
            .map(|row| row.version)
            .chain([
                self.order_version,
                self.view_version,
                self.tallies.queues_version,
                self.new_above.version,
            ])
            .max()
            .unwrap_or(0);
        (newest > ack).then(|| Board {
            total,
            first,
            rows: in_view.iter().map(|row| (*row.summary).clone()).collect(),
            new_above: self.new_above.count,
            queues: self.tallies.by_queue.keys().cloned().collect(),
        })
    }

    fn reorder(&mut self, filter: &BoardFilter, version: &mut u64) {
        let needle = filter.text.trim().to_lowercase();
        let mut keys: Vec<Key> = Vec::with_capacity(self.rows.len());
        for (id, row) in &mut self.rows {
            row.placed = row.matches(filter, &needle);
            if row.placed {
                row.standing = row.standing.follow(row.now.need);
                keys.push(key(id, row.standing, row.now.started_at));
            }
        }
        keys.sort_unstable();
        let unchanged = keys.len() == self.order.len()
            && keys.iter().zip(&self.order).all(|(key, id)| key.3 == id);
        if !unchanged {
            self.order = keys.into_iter().map(|key| key.3.clone()).collect();
            *version += 1;
            self.order_version = *version;
        }
        self.ended.clear();
    }

    /// Counts the live calls out of sight that a free order would put above the first row in
    /// view. That row is held to the need that placed it: its own recovery makes nothing else new.
    fn count_new_above(&mut self, request: &FrameRequest, now: Timestamp, version: &mut u64) {
        let count = if request.frozen {
            if !self.new_above.outdated || !is_due(self.new_above.counted_at, now) {
                return;
            }
            self.new_above.counted_at = Some(now);
            self.new_above.outdated = false;
            self.would_stand_above(&request.filter)
        } else {
            self.new_above.outdated = true;
            0
        };
        if self.new_above.count != count {
            *version += 1;
            self.new_above.count = count;
            self.new_above.version = *version;
        }
    }

    fn would_stand_above(&mut self, filter: &BoardFilter) -> u32 {
        let Some(view) = &self.view else { return 0 };
        let first = self.first_in_view(view) as usize;
        let seen = self.order.len().min(first + view.count as usize);
        let Some(top) = self.order.get(first).and_then(|id| self.placed_row(id)) else {
            return 0;
        };
        let (top_id, started_at) = (top.summary.id.clone(), top.now.started_at);
        let limit = key(&top_id, top.standing, started_at);
        let in_sight: std::collections::BTreeSet<&CallId> = self.order[..seen].iter().collect();
        let needle = filter.text.trim().to_lowercase();
        let mut count = 0;
        for (id, row) in &mut self.rows {
            let standing = row.standing.follow(row.now.need);
            let above = key(id, standing, row.now.started_at) < limit;
            if above && !in_sight.contains(id) && row.matches(filter, &needle) {
                count += 1;
            }
        }
        count
    }

    /// The window's first row, moved up when the list has become shorter than that.
    fn first_in_view(&self, view: &View) -> u32 {
        view.first
            .min((self.order.len() as u32).saturating_sub(view.count))
    }

    fn placed_row(&self, id: &CallId) -> Option<&Row> {
        self.rows.get(id).or_else(|| self.ended.get(id))
    }
}

impl Row {
    fn matches(&mut self, filter: &BoardFilter, needle: &str) -> bool {
        if !self.now.is_live || self.now.need.level < filter.need_at_least {
            return false;
        }
        let call = &self.summary;
        filter
            .queue
            .as_ref()
            .is_none_or(|queue| *queue == call.queue)
            && (filter.cause.is_none() || filter.cause == call.cause)
            && (needle.is_empty()
                || self
                    .folded
                    .get_or_insert_with(|| searched_text(call))
                    .contains(needle))
    }
}

impl Placing {
    fn of(call: &CallSummary) -> Self {
        Self {
            is_live: call.phase != CallPhase::Ended,
            need: Standing {
                level: call.need.level,
                score: call.need.score,
                since: call.need.since,
            },
            started_at: call.started_at,
        }
    }
}

impl Standing {
    /// Where a row stands whose call has this need now.
    fn follow(self, need: Self) -> Self {
        let step = (self.score / SCORE_STEP_PART).max(1);
        let stays = need.level == self.level && need.score.abs_diff(self.score) < step;
        if stays { self } else { need }
    }
}

fn key(id: &CallId, standing: Standing, started_at: Timestamp) -> Key<'_> {
    (
        Reverse(standing.score),
        standing.since.unwrap_or(NEVER),
        started_at,
        id,
    )
}

/// Id, customer, intent and last words, one on each line so that no search runs across two.
fn searched_text(call: &CallSummary) -> String {
    [
        call.id.as_str(),
        call.customer.as_deref().unwrap_or_default(),
        call.intent.as_deref().unwrap_or_default(),
        &call.caller_said,
        &call.agent_said,
    ]
    .join("\n")
    .to_lowercase()
}

/// True when at least [`REORDER_MS`] went by since `last`, or the clock went backwards.
fn is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| !(0..REORDER_MS).contains(&now.since(last)))
}
