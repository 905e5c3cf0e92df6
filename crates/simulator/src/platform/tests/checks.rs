//! What every stream of events must keep to, whatever happens. Written from the wire's reference.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::fact::{Fact, Speaker};
use holdfast_domain::{CallId, CommandId, Timestamp, UtteranceRole};
use holdfast_protocol::bridge::ResultState;

use crate::{Event, Output};

/// Reads a stream and panics at the first thing that cannot be.
#[derive(Debug, Default)]
pub(crate) struct WellFormed {
    calls: BTreeMap<CallId, Seen>,
    ended: BTreeSet<CallId>,
    answers: BTreeMap<CommandId, ResultState>,
    now: Option<Timestamp>,
    retelling: bool,
}

#[derive(Debug, Default)]
struct Seen {
    turn: u32,
    turn_open: bool,
    /// None: nothing heard since the call was re-told in the middle.
    audible: [Option<bool>; 2],
    tools_open: BTreeSet<String>,
    tools_ended: BTreeSet<String>,
    connected: Option<bool>,
    resumed: bool,
}

impl WellFormed {
    pub(crate) fn read_all(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Event(event) => self.read(event),
                Output::Answer(answer) => {
                    let before = self.answers.insert(answer.command_id.clone(), answer.state);
                    let ok = match before {
                        None => answer.state == ResultState::Accepted,
                        Some(ResultState::Accepted) => answer.state != ResultState::Accepted,
                        Some(before) => before == answer.state,
                    };
                    assert!(ok, "{before:?}, then {answer:?}");
                }
            }
        }
    }

    pub(crate) fn every_command_is_answered(&self) {
        for (id, state) in &self.answers {
            assert_ne!(*state, ResultState::Accepted, "{id} has no outcome");
        }
    }

    fn read(&mut self, event: &Event) {
        match &event.fact {
            Fact::StreamSnapshot { .. } => self.retelling = true,
            Fact::StreamCaughtUp => self.retelling = false,
            _ => {}
        }
        if !self.retelling {
            assert!(self.now <= Some(event.at), "time goes back: {event:?}");
            self.now = Some(event.at);
        }
        let Some(id) = &event.call else { return };
        assert!(!self.ended.contains(id), "after its end: {event:?}");
        if let Fact::CallStarted(started) = &event.fact {
            let seen = Seen {
                resumed: started.resumed,
                ..Seen::default()
            };
            let before = self.calls.insert(id.clone(), seen);
            assert!(before.is_none() || started.resumed, "twice: {event:?}");
            return;
        }
        // Calls that were live before the first snapshot are known from then on.
        let seen = self.calls.entry(id.clone()).or_insert_with(|| Seen {
            resumed: true,
            ..Seen::default()
        });
        if !self.retelling {
            seen.read(event);
        }
        if matches!(event.fact, Fact::CallEnded { .. }) {
            seen.is_closed(event);
            self.calls.remove(id);
            self.ended.insert(id.clone());
        }
    }
}

impl Seen {
    fn read(&mut self, event: &Event) {
        match &event.fact {
            Fact::TurnStarted { turn } => {
                assert!(!self.turn_open, "two turns at once: {event:?}");
                let next = self.turn == 0 && self.resumed || *turn == self.turn + 1;
                assert!(next, "after turn {}: {event:?}", self.turn);
                self.turn = *turn;
                self.turn_open = true;
            }
            Fact::TurnEnded {
                turn, duration_ms, ..
            } => {
                assert!(
                    self.turn_open || self.turn == 0 && self.resumed,
                    "{event:?}"
                );
                assert!(*turn == self.turn || self.turn == 0, "{event:?}");
                assert!(*duration_ms >= 0, "{event:?}");
                self.turn = *turn;
                self.turn_open = false;
            }
            Fact::SpeechStarted { actor } => self.speech(*actor, true, event),
            Fact::SpeechStopped { actor } => self.speech(*actor, false, event),
            Fact::ToolStarted { tool, .. } => {
                let id = tool.id.to_string();
                assert!(!self.tools_ended.contains(&id), "{event:?}");
                assert!(self.tools_open.insert(id), "started twice: {event:?}");
            }
            Fact::ToolCompleted { tool, .. }
            | Fact::ToolFailed { tool, .. }
            | Fact::ToolTimedOut { tool, .. }
            | Fact::ToolCancelled { tool } => {
                let id = tool.id.to_string();
                let open = self.tools_open.remove(&id);
                assert!(open || self.resumed, "never started: {event:?}");
                assert!(self.tools_ended.insert(id), "ended twice: {event:?}");
            }
            Fact::TransportDisconnected { .. } => {
                assert_ne!(self.connected, Some(false), "{event:?}");
                self.connected = Some(false);
                self.is_silent(event);
            }
            Fact::TransportReconnected { .. } => {
                assert_ne!(self.connected, Some(true), "{event:?}");
                self.connected = Some(true);
            }
            Fact::TranscriptFinal {
                text,
                unspoken,
                role,
                ..
            } => {
                let tail = unspoken.as_deref().unwrap_or_default();
                assert!(text.ends_with(tail), "{event:?}");
                // Of a caller nothing may be understood; an agent always says something.
                let may_be_empty = *role == UtteranceRole::Caller;
                assert!(may_be_empty || !text.is_empty(), "{event:?}");
                assert!(!text.contains('{'), "{event:?}");
            }
            Fact::TurnLatency { total_ms } => assert!(*total_ms >= 0, "{event:?}"),
            _ => {}
        }
    }

    fn speech(&mut self, actor: Speaker, begins: bool, event: &Event) {
        let audible = &mut self.audible[usize::from(actor == Speaker::Agent)];
        let ok = audible.map_or(begins || self.resumed, |was| was != begins);
        assert!(ok, "{event:?}");
        *audible = Some(begins);
    }

    fn is_silent(&self, event: &Event) {
        assert!(!self.audible.contains(&Some(true)), "audible at {event:?}");
    }

    fn is_closed(&self, event: &Event) {
        self.is_silent(event);
        assert!(!self.turn_open, "an open turn at {event:?}");
        assert!(self.tools_open.is_empty(), "a running tool at {event:?}");
    }
}
