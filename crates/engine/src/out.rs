//! Effects that wait to be fetched.

use std::collections::VecDeque;

use holdfast_domain::{CallId, Handoff, Record, Reply};

use crate::{Effect, Entry, Shown};

/// Effects in order, then the calls and the platform that need to be shown again, each once.
///
/// Not bounded: the shell drains it after every input, and one input makes at most a few effects
/// for each call that it touches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    effects: VecDeque<Effect>,
    calls: VecDeque<CallId>,
    platform: bool,
}

impl Outbox {
    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    pub(crate) fn append(&mut self, entry: Entry) {
        self.push(Effect::Append(entry));
    }

    pub(crate) fn append_handoff(&mut self, handoff: &Handoff) {
        self.append(Entry::Record(Record::Handoff {
            handoff: Box::new(handoff.clone()),
        }));
    }

    pub(crate) fn reply(&mut self, ticket: u64, reply: Reply) {
        self.push(Effect::Show(Shown::Reply { ticket, reply }));
    }

    /// Shows a call once in this drain; `dirty` is the call's own mark.
    pub(crate) fn show_call(&mut self, call: &CallId, dirty: &mut bool) {
        if !*dirty {
            *dirty = true;
            self.calls.push_back(call.clone());
        }
    }

    pub(crate) fn show_platform(&mut self) {
        self.platform = true;
    }

    /// The next effect that is no call row.
    pub(crate) fn pop(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The next call whose row is no longer true.
    pub(crate) fn pop_call(&mut self) -> Option<CallId> {
        self.calls.pop_front()
    }

    pub(crate) fn pop_platform(&mut self) -> Option<Effect> {
        std::mem::take(&mut self.platform).then_some(Effect::Show(Shown::Platform))
    }
}
