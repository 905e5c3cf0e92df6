//! What a console's roles let it see.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{AgentId, CallDetail, CallId, CallSummary, Handoff, HandoffId, Record};
use holdfast_protocol::console::{Identity, Role};

use crate::masking::{mask_detail, mask_record, mask_summary};

/// What a console sees.
#[derive(Debug)]
pub(crate) enum Scope {
    /// The whole board.
    Board {
        /// Without personal data.
        masked: bool,
    },
    /// The handoffs that were offered to an agent or that the agent holds, and their calls. It is
    /// rebuilt with each snapshot, which is why such a console never resumes.
    Agent {
        agent: AgentId,
        held: BTreeMap<HandoffId, CallId>,
    },
}

/// What an agent's console is told about a record.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    /// Nothing.
    No,
    /// The record; the call that comes into view with it.
    Comes(CallId),
    /// The record, of a handoff that was in view before.
    Stays,
    /// The record without personal data, for the last time; its call leaves the view.
    Leaves(CallId),
}

impl Scope {
    pub(crate) fn of(identity: &Identity) -> Self {
        if identity.can_see_board() {
            let sees_people = identity
                .roles
                .iter()
                .any(|role| matches!(role, Role::Supervisor | Role::Commander));
            return Self::Board {
                masked: !sees_people,
            };
        }
        Self::Agent {
            agent: AgentId::new(identity.name.as_str()),
            held: BTreeMap::new(),
        }
    }

    pub(crate) const fn is_board(&self) -> bool {
        matches!(self, Self::Board { .. })
    }

    /// The agent whose handoffs these are, when that is all that is seen.
    pub(crate) const fn agent(&self) -> Option<&AgentId> {
        match self {
            Self::Board { .. } => None,
            Self::Agent { agent, .. } => Some(agent),
        }
    }

    pub(crate) fn sees_call(&self, call: &CallId) -> bool {
        match self {
            Self::Board { .. } => true,
            Self::Agent { held, .. } => held.values().any(|held| held == call),
        }
    }

    /// The calls in view, of those on the board.
    pub(crate) fn calls(&self, on_board: impl Iterator<Item = CallId>) -> Vec<CallId> {
        match self {
            Self::Board { .. } => on_board.collect(),
            Self::Agent { held, .. } => {
                let held: BTreeSet<_> = held.values().collect();
                on_board.filter(|call| held.contains(call)).collect()
            }
        }
    }

    /// Starts over before a snapshot.
    pub(crate) fn clear(&mut self) {
        if let Self::Agent { held, .. } = self {
            held.clear();
        }
    }

    /// Takes note of a record, and tells what an agent's console is told about it.
    pub(crate) fn note(&mut self, record: &Record) -> Seen {
        let Self::Agent { agent, held } = self else {
            return Seen::Stays;
        };
        let Record::Handoff { handoff } = record else {
            return Seen::No;
        };
        if is_with(handoff, agent) {
            let before = held.insert(handoff.id.clone(), handoff.call.clone());
            return match before {
                Some(_) => Seen::Stays,
                None => Seen::Comes(handoff.call.clone()),
            };
        }
        match held.remove(&handoff.id) {
            Some(call) => Seen::Leaves(call),
            None => Seen::No,
        }
    }

    pub(crate) fn show_summary(&self, mut row: CallSummary) -> CallSummary {
        if matches!(self, Self::Board { masked: true }) {
            mask_summary(&mut row);
        }
        row
    }

    pub(crate) fn show_detail(&self, mut detail: CallDetail) -> CallDetail {
        if matches!(self, Self::Board { masked: true }) {
            mask_detail(&mut detail);
        }
        detail
    }

    pub(crate) fn show_record(&self, mut record: Record, seen: &Seen) -> Record {
        let masked = matches!(self, Self::Board { masked: true });
        if masked || matches!(seen, Seen::Leaves(_)) {
            mask_record(&mut record);
        }
        record
    }
}

/// The handoff is offered to the agent, or the agent holds it.
fn is_with(handoff: &Handoff, agent: &AgentId) -> bool {
    handoff.state.agent() == Some(agent)
}
