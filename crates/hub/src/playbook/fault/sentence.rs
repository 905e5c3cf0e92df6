//! What can be wrong with what callers hear and audiences read.

use super::{Words, words};
use crate::playbook::words::quoted;

/// What is wrong with what callers hear and audiences read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is told in words below")]
pub enum SentenceFault {
    OpenBrace,
    UnknownPlaceholder {
        word: String,
        nearest: Option<String>,
        known: String,
    },
    UnspokenPlaceholder {
        word: String,
        known: String,
    },
    NoSuchAnnouncement {
        name: String,
        nearest: Option<String>,
    },
    UnusedAnnouncement {
        name: String,
    },
    LanguageMissing {
        announcement: String,
        language: String,
    },
    LanguageUnnamed {
        announcement: String,
        language: String,
    },
}

impl SentenceFault {
    pub(super) fn words(&self) -> Words {
        match self {
            Self::OpenBrace => words(
                "a brace { or } stands alone",
                "Braces hold the name of a value, and callers would hear or read the brace.",
                "Close it, or take it out.",
            ),
            Self::UnknownPlaceholder {
                word,
                nearest,
                known,
            } => words(
                format!("there is no value {{{}}}", word.escape_debug()),
                "Its place would stay empty when the sentence is used.",
                match nearest {
                    Some(nearest) => format!("Did you mean {{{nearest}}}? There are: {known}."),
                    None => format!("Use one of: {known}."),
                },
            ),
            Self::UnspokenPlaceholder { word, known } => words(
                format!("callers are not told {{{word}}}"),
                "It is about the business, or has no spoken form in the caller's language.",
                format!("In announcements use only: {known}."),
            ),
            Self::NoSuchAnnouncement { name, nearest } => words(
                format!("there is no announcement {}", quoted(name)),
                "Callers would hear nothing about what happens to them.",
                match nearest {
                    Some(nearest) => {
                        format!("Did you mean \"{nearest}\"? Else add it under [announcements].")
                    }
                    None => "Add it under [announcements], in every language.".to_owned(),
                },
            ),
            Self::UnusedAnnouncement { name } => words(
                format!("nothing says the announcement {}", quoted(name)),
                "Whoever wrote it believes that callers hear it.",
                "Name it in a step, an undo or an armed rung, or take it out.",
            ),
            Self::LanguageMissing {
                announcement,
                language,
            } => words(
                format!(
                    "the announcement {} lacks the language {}",
                    quoted(announcement),
                    quoted(language)
                ),
                "The playbook promises the language, and its callers would hear another.",
                "Add the sentence, or take the language out of languages.",
            ),
            Self::LanguageUnnamed {
                announcement,
                language,
            } => words(
                format!(
                    "the announcement {} has a sentence in {}, which languages does not name",
                    quoted(announcement),
                    quoted(language)
                ),
                "It would never be said.",
                "Add the language to languages, or take the sentence out.",
            ),
        }
    }
}
