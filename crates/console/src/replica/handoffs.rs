//! Calls on their way to a human.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{DurationMs, Handoff, HandoffId, Timestamp};

/// The most handoffs in one frame.
const SHOWN_MAX: usize = 50;

/// How long a handoff that is over stays on the desk: as long as the hub tells it in a snapshot.
const KEPT_MS: DurationMs = 60 * 60 * 1_000;

/// The most handoffs kept. An hour in which one call a second goes to a human stays under it;
/// beyond, the oldest that are over go first.
const KEPT_MAX: usize = 5_000;

/// Every handoff under way and of late.
#[derive(Debug, Default)]
pub(super) struct Handoffs {
    all: BTreeMap<HandoffId, Handoff>,
    version: u64,
}

impl Handoffs {
    pub(super) fn put(&mut self, handoff: Handoff, version: u64) {
        self.version = version;
        self.all.insert(handoff.id.clone(), handoff);
        if self.all.len() > KEPT_MAX {
            self.drop_oldest();
        }
    }

    pub(super) fn clear(&mut self, version: u64) {
        self.version = version;
        self.all.clear();
    }

    /// Forgets what has been over for longer than it is of use.
    pub(super) fn forget_old(&mut self, hub_now: Timestamp, version: u64) {
        let before = self.all.len();
        self.all.retain(|_, handoff| {
            !handoff.state.is_final() || hub_now.since(last_step(handoff)) <= KEPT_MS
        });
        if self.all.len() != before {
            self.version = version;
        }
    }

    /// Those that this agent is asked to take or has taken, and that are not over.
    pub(super) fn of_agent(&self, agent: &str) -> impl Iterator<Item = &Handoff> {
        self.all.values().filter(move |handoff| {
            !handoff.state.is_final()
                && handoff.state.agent().is_some_and(|id| id.as_str() == agent)
        })
    }

    /// Newest first. When there are too many, this agent's own come before others', those under
    /// way before those that are over, and among those under way who waits longest.
    pub(super) fn section(&self, ack: u64, agent: Option<&str>) -> Option<Vec<Handoff>> {
        if self.version <= ack {
            return None;
        }
        let mut shown: Vec<&Handoff> = self.all.values().collect();
        if shown.len() > SHOWN_MAX {
            let mine: BTreeSet<&HandoffId> = agent
                .into_iter()
                .flat_map(|agent| self.of_agent(agent))
                .map(|handoff| &handoff.id)
                .collect();
            shown.sort_by_key(|handoff| {
                let over = handoff.state.is_final();
                let asked = handoff.requested_at.as_millis();
                let order = if over { -asked } else { asked };
                (!mine.contains(&handoff.id), over, order, &handoff.id)
            });
            shown.truncate(SHOWN_MAX);
        }
        shown.sort_by(|a, b| (b.requested_at, &b.id).cmp(&(a.requested_at, &a.id)));
        Some(shown.into_iter().cloned().collect())
    }

    fn drop_oldest(&mut self) {
        let oldest = self
            .all
            .values()
            .min_by_key(|handoff| (!handoff.state.is_final(), last_step(handoff), &handoff.id))
            .map(|handoff| handoff.id.clone());
        if let Some(id) = oldest {
            self.all.remove(&id);
        }
    }
}

fn last_step(handoff: &Handoff) -> Timestamp {
    handoff
        .steps
        .last()
        .map_or(handoff.requested_at, |step| step.at)
}
