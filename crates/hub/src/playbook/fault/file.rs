//! What can be wrong with the file as a whole.

use super::{Words, words};
use crate::playbook::words::quoted;

/// What is wrong with the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is told in words below")]
pub enum FileFault {
    Unreadable { reason: String },
    NoText,
    TooLarge { bytes_max: usize },
    TooDeep { depth_max: usize },
    Syntax { message: String },
    SameId { id: String, other: String },
    NotLoaded { message: String },
}

impl FileFault {
    pub(super) fn words(&self) -> Words {
        match self {
            Self::Unreadable { reason } => words(
                format!("the file cannot be read: {reason}"),
                "Nothing of it is known.",
                "Check the path and who may read it.",
            ),
            Self::NoText => words(
                "the file is not text (UTF-8)",
                "What stands behind this place cannot be read.",
                "Save it as UTF-8.",
            ),
            Self::TooLarge { bytes_max } => words(
                format!("the file has more than {bytes_max} bytes"),
                "It is not read: no playbook needs that much.",
                "Check that it is the right file; split what answers several failures.",
            ),
            Self::TooDeep { depth_max } => words(
                format!("tables or lists lie more than {depth_max} deep in one another"),
                "Nothing of a playbook lies that deep, so the file is not read further.",
                "Check the brackets and dots around this place.",
            ),
            Self::Syntax { message } => words(
                format!("this is not TOML: {message}"),
                "What stands here cannot be understood, and what follows perhaps neither.",
                "Mend it, then check again; more may be found behind it.",
            ),
            Self::SameId { id, other } => words(
                format!("the id {} is also that of {other}", quoted(id)),
                "Two playbooks under one name could not be told apart.",
                "Give this one another id.",
            ),
            Self::NotLoaded { message } => words(
                format!("it does not load: {message}"),
                "The file keeps to the form, and still is not what the hub expects.",
                "Report this with the file: it is an error of ours.",
            ),
        }
    }
}
