//! What can be wrong with what stands at a place.

use super::{Words, words};
use crate::playbook::words::quoted;

/// What is wrong with what stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is told in words below")]
pub enum FormFault {
    UnknownKey {
        key: String,
        inside: &'static str,
        nearest: Option<String>,
        keys: String,
    },
    MissingKey {
        key: &'static str,
        inside: &'static str,
        doc: &'static str,
        is: String,
    },
    WrongType {
        key: String,
        found: &'static str,
        expected: String,
    },
    OutOfRange {
        key: String,
        found: String,
        expected: String,
    },
    UnknownWord {
        key: String,
        word: String,
        nearest: Option<String>,
        words: String,
    },
    WrongText {
        key: String,
        text: String,
        expected: String,
    },
    TooLong {
        key: String,
        chars: usize,
        chars_max: usize,
    },
    WrongCount {
        key: String,
        found: usize,
        min: usize,
        max: usize,
    },
    NotOneKey {
        key: String,
        expected: String,
    },
}

impl FormFault {
    pub(super) fn words(&self) -> Words {
        match self {
            Self::UnknownKey {
                key,
                inside,
                nearest,
                keys,
            } => words(
                format!("unknown key {} in {inside}", quoted(key)),
                "It would be ignored, so the playbook would not do what its author believes.",
                match nearest {
                    Some(nearest) => format!("Did you mean {nearest}? Else take it out."),
                    None => format!("Take it out, or use one of: {keys}."),
                },
            ),
            Self::MissingKey {
                key,
                inside,
                doc,
                is,
            } => words(
                format!("{inside} lacks {key}"),
                "A playbook does not load unless it is complete: nobody decides what is missing in \
                 the middle of an outage.",
                format!("Add {key}: {is}. {doc}"),
            ),
            Self::WrongType {
                key,
                found,
                expected,
            } => words(
                format!("{key} is {found}"),
                "The hub cannot tell what is meant.",
                format!("Write {expected}."),
            ),
            Self::OutOfRange {
                key,
                found,
                expected,
            } => words(
                format!("{key} is {found}"),
                "That is outside of what is safe or possible.",
                format!("Write {expected}."),
            ),
            Self::UnknownWord {
                key,
                word,
                nearest,
                words: known,
            } => words(
                format!("{key} knows no {}", quoted(word)),
                "The hub does not guess what is meant.",
                match nearest {
                    Some(nearest) => format!("Did you mean \"{nearest}\"? It knows {known}."),
                    None => format!("Write one of {known}."),
                },
            ),
            Self::WrongText {
                key,
                text,
                expected,
            } => words(
                format!("{key} cannot be {}", quoted(text)),
                "It could not be shown, spoken or found.",
                format!("Write {expected}."),
            ),
            Self::TooLong {
                key,
                chars,
                chars_max,
            } => words(
                format!("{key} has {chars} characters, the limit is {chars_max}"),
                "It would not fit on the screen, or be spoken for longer than a caller listens.",
                "Shorten it.",
            ),
            Self::WrongCount {
                key,
                found,
                min,
                max,
            } => words(
                format!("{key} has {found} entries"),
                if found < min {
                    "A playbook does not load unless it is complete."
                } else {
                    "Nobody oversees that many."
                },
                format!("Give it {min} to {max}."),
            ),
            Self::NotOneKey { key, expected } => words(
                format!("{key} does not hold exactly one of its keys"),
                "The hub cannot tell which is meant.",
                format!("Write {expected}."),
            ),
        }
    }
}
