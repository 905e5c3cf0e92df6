//! One call at a time: facts and deadlines in, a new state and notes for the rest out.

mod blame;
mod call;
mod conduct;
mod dialogue;
mod expect;
mod floor;
mod fold;
mod gaps;
mod health;
mod hearing;
mod lanes;
mod late;
mod live;
mod need;
mod next;
mod pace;
mod services;
mod snapshot;
mod tools;
mod turn;
mod view;

use holdfast_domain::{EventId, Layer, Timestamp};

use crate::Config;
use crate::learn::Learnt;

pub(crate) use call::{COMMANDS_MAX, Call};
pub(crate) use dialogue::Dialogue;
pub(crate) use expect::Step;
pub(crate) use health::{Note, bit, evidence};
pub(crate) use live::Calls;
pub(crate) use view::Around;

/// What folding one fact needs besides the call.
pub(crate) struct Cx<'a> {
    pub(crate) config: &'a Config,
    /// When it happened, on our clock.
    pub(crate) at: Timestamp,
    /// The fact's id.
    pub(crate) event: &'a str,
    /// The layer that the bridge names.
    pub(crate) layer: Option<Layer>,
    pub(crate) learnt: &'a mut Learnt,
    pub(crate) notes: &'a mut Vec<Note>,
}

impl Cx<'_> {
    /// The same fact, told of another moment.
    pub(crate) fn at_moment(&mut self, at: Timestamp) -> Cx<'_> {
        Cx {
            config: self.config,
            at,
            event: self.event,
            layer: self.layer,
            learnt: self.learnt,
            notes: self.notes,
        }
    }

    pub(crate) fn event_id(&self) -> EventId {
        EventId::new(self.event)
    }
}
