//! What can be wrong with what is done and undone.

use super::{Words, words};
use crate::playbook::words::quoted;

/// What is wrong with what is done and undone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is told in words below")]
pub enum StepFault {
    Twice {
        what: &'static str,
        name: String,
    },
    NoSuchStep {
        name: String,
        nearest: Option<String>,
    },
    UndoMissing {
        step: String,
    },
    NothingToUndo {
        step: String,
        is_irreversible: bool,
    },
    NoPointOfNoReturn {
        step: String,
    },
    PointTooLate {
        point: String,
        first: String,
    },
    PointNotNeeded {
        point: String,
    },
    NoCallTouched,
    WeakApproval {
        step: String,
    },
}

impl StepFault {
    pub(super) fn words(&self) -> Words {
        match self {
            Self::Twice { what, name } => words(
                format!("{what} {} stands twice", quoted(name)),
                "The two could not be told apart, or one of them says nothing.",
                "Rename or remove one.",
            ),
            Self::NoSuchStep { name, nearest } => words(
                format!("there is no step {}", quoted(name)),
                "What refers to it would never happen.",
                match nearest {
                    Some(nearest) => format!("Did you mean \"{nearest}\"?"),
                    None => "Name a step by its id.".to_owned(),
                },
            ),
            Self::UndoMissing { step } => words(
                format!("the rollback does not say how {} is undone", quoted(step)),
                "A run that goes wrong would leave calls half way.",
                format!("Add to the rollback's undo: {{ step = {} }}.", quoted(step)),
            ),
            Self::NothingToUndo {
                step,
                is_irreversible: true,
            } => words(
                format!("{} cannot be undone", quoted(step)),
                "The rollback promises what nobody can keep.",
                "Take it out of undo; name the step as point_of_no_return.",
            ),
            Self::NothingToUndo {
                step,
                is_irreversible: false,
            } => words(
                format!("{} leaves nothing behind to undo", quoted(step)),
                "A sentence, a question or a wait cannot be taken back, and need not be.",
                "Take it out of undo.",
            ),
            Self::NoPointOfNoReturn { step } => words(
                format!(
                    "{} cannot be undone, and there is no point of no return",
                    quoted(step)
                ),
                "Who approves the run must know up to where it can be taken back.",
                format!("Add point_of_no_return = {} to the rollback.", quoted(step)),
            ),
            Self::PointTooLate { point, first } => words(
                format!(
                    "the point of no return {} comes after {}, which cannot be undone",
                    quoted(point),
                    quoted(first)
                ),
                "Who approves the run would believe that it can be taken back when it cannot.",
                format!("Name {}, or a step before it.", quoted(first)),
            ),
            Self::PointNotNeeded { point } => words(
                format!(
                    "{} is the point of no return, and every step can be undone",
                    quoted(point)
                ),
                "A run that goes wrong would not be rolled back although it could be.",
                "Take point_of_no_return out.",
            ),
            Self::NoCallTouched => words(
                "no step does anything on a call",
                "The playbook would only wait and tell.",
                "Add a step that acts on calls.",
            ),
            Self::WeakApproval { step } => words(
                format!("{} cannot be undone, and nobody must agree", quoted(step)),
                "A slip of the hand could not be taken back.",
                "Ask for class \"confirm\" or \"two_person\".",
            ),
        }
    }
}
