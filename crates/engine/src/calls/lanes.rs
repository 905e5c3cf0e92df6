//! The timeline of the last three minutes: spans per lane, opened and closed by facts.

use std::collections::VecDeque;

use holdfast_domain::{DurationMs, LaneKind, LaneSpan, Timestamp};

use super::dialogue::Dialogue;

/// How far back the timeline reaches; the domain's limit.
const WINDOW_MS: DurationMs = 180_000;
/// The most spans: three minutes of brisk talk are about 40 turns of five spans.
const SPANS_MAX: usize = 240;

impl Dialogue {
    /// A span begins. One that was never closed on the same lane ends here.
    pub(crate) fn open_span(&mut self, lane: LaneKind, from: Timestamp, label: &str) {
        self.close_span(lane, from, false);
        self.lanes.push_back(LaneSpan {
            lane,
            from,
            to: None,
            failed: false,
            label: label.to_owned(),
        });
        prune(&mut self.lanes, from);
    }

    /// The open span of a lane ends, if there is one.
    pub(crate) fn close_span(&mut self, lane: LaneKind, to: Timestamp, failed: bool) {
        let open = self
            .lanes
            .iter_mut()
            .rev()
            .find(|span| span.lane == lane && span.to.is_none());
        if let Some(span) = open {
            span.to = Some(to.max(span.from));
            span.failed |= failed;
        }
    }

    /// The spans of the last three minutes, in the order in which they began.
    pub(crate) fn timeline(&self, now: Timestamp) -> Vec<LaneSpan> {
        let mut spans: Vec<LaneSpan> = self
            .lanes
            .iter()
            .filter(|span| span.to.is_none_or(|to| to >= now - WINDOW_MS))
            .cloned()
            .collect();
        spans.sort_by_key(|span| (span.from, span.lane));
        spans
    }
}

fn prune(lanes: &mut VecDeque<LaneSpan>, now: Timestamp) {
    while lanes.len() > SPANS_MAX
        || lanes
            .front()
            .is_some_and(|span| span.to.is_some_and(|to| to < now - WINDOW_MS))
    {
        lanes.pop_front();
    }
}
