//! What folding a fact or a deadline into a call tells the rest of the engine.
//!
//! Deliberately absent: the folding itself.

use holdfast_domain::{AnomalyKind, CallId, LayerState};

use crate::calls::Note;
use crate::rates::Moment;
use crate::{Engine, Entry};

impl Engine {
    /// Spreads a call's notes and queues its next deadline.
    pub(crate) fn settle(&mut self, id: &CallId) {
        let mut notes = std::mem::take(&mut self.notes);
        for note in notes.drain(..) {
            self.spread(id, note);
        }
        self.notes = notes;
        self.count_outcomes(id);
        self.arm_call(id);
        self.ladder(id);
        self.ledger_settled(id);
    }

    pub(crate) fn spread(&mut self, id: &CallId, note: Note) {
        match note {
            Note::Transition {
                layer,
                from,
                to,
                evidence,
                at,
            } => {
                if to >= LayerState::Degraded {
                    self.look_for_causes();
                }
                let evidence = evidence.map(|evidence| *evidence);
                if let Some(why) = evidence.as_ref().filter(|_| to >= LayerState::Degraded) {
                    self.ledger_fell(id, layer, to, why);
                }
                self.append(Entry::Transition {
                    call: id.clone(),
                    layer,
                    from,
                    to,
                    evidence,
                    at,
                });
            }
            Note::TurnAnswered { at, late } => {
                self.count_turn(id, Moment::Ended);
                self.turn_answered(id, at);
                self.ledger_answered(id, at);
                self.ladder_worked(id);
                self.runs.turn_answered(id, late);
            }
            Note::TurnFailed { at } => {
                self.count_turn(id, Moment::Ended);
                self.turn_failed(id, at);
                self.runs.turn_failed(id);
            }
            Note::LayerError { layer, at } => {
                self.count_turn(id, Moment::Error(layer));
                self.layer_error(id, layer, at);
                self.ladder_error(id, layer);
            }
            Note::Impossible(why) => {
                let (now, call) = (self.now, self.calls.get(id));
                if let Some(source) = call.map(|call| call.source.clone()) {
                    self.bridge(&source).note(AnomalyKind::Impossible, why, now);
                    self.out.show_platform();
                }
            }
        }
    }
}
