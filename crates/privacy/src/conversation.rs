//! One call's texts in their order, with what must be remembered between them.

use std::collections::VecDeque;

use holdfast_domain::UtteranceRole;

use crate::cue::{CueKind, cues};
use crate::find::{Before, Seen, find};
use crate::kind::{Found, Kind, replace};
use crate::number_words::Language;
use crate::reading::{Atom, Reading};

/// Digits of this many numbers are masked again when they come back on the same call: what a caller
/// says comes back in slots and in what tools are told, and is not always named there.
const KNOWN_MAX: usize = 16;

/// Words after which a question no longer waits for its number.
const ANSWER_WORDS_MAX: usize = 12;

/// Words that are more than "mhm, go on".
const SAYS_SOMETHING: usize = 4;

/// A text with marks in place of what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Masked {
    /// The text.
    pub text: String,
    /// What was found, with its place in the text as it was given, in order.
    pub found: Vec<Found>,
}

/// What is remembered of one call, so that a number that is said in pieces is found.
///
/// It holds what was masked, in memory only: it cannot be written or shown.
#[derive(Default)]
pub struct Conversation {
    language: Option<Language>,
    is_paying: bool,
    caller: Side,
    agent: Side,
    known: VecDeque<(Kind, Vec<u8>)>,
}

/// One party's side of the conversation.
#[derive(Default)]
struct Side {
    /// The number with which its last words ended.
    number: Vec<Atom>,
    /// What that number is believed to be, when it was masked and is not whole.
    dictated: Option<Kind>,
    /// What its own last words named without a number.
    open: Option<CueKind>,
    /// What the other one asked for.
    asked: Option<CueKind>,
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").finish_non_exhaustive()
    }
}

impl Conversation {
    /// The language that is spoken, as a BCP 47 tag.
    pub fn set_language(&mut self, tag: &str) {
        self.language = Language::of_tag(tag);
    }

    /// Whether the caller is paying now: a number as long as a card's is one then.
    pub fn set_paying(&mut self, is_paying: bool) {
        self.is_paying = is_paying;
    }

    /// The final words of a party.
    pub fn words(&mut self, role: UtteranceRole, text: &str, language: Option<&str>) -> Masked {
        let seen = self.look(role, text, language, false);
        let (own, other) = match role {
            UtteranceRole::Caller => (&mut self.caller, &mut self.agent),
            UtteranceRole::Agent => (&mut self.agent, &mut self.caller),
        };
        let is_answered = !seen.found.is_empty() && seen.dictated.is_none();
        if is_answered || seen.n_words > ANSWER_WORDS_MAX {
            own.asked = None;
        }
        own.open = seen.asks;
        if seen.asks.is_some() || seen.n_words >= SAYS_SOMETHING {
            other.asked = seen.asks;
        }
        own.number = seen.number;
        own.dictated = seen.dictated;
        masked(text, seen.found, &mut self.known, seen.digits)
    }

    /// A guess of what a party is saying; it changes nothing of what is remembered.
    pub fn guess(&self, role: UtteranceRole, text: &str, language: Option<&str>) -> Masked {
        let seen = self.look(role, text, language, true);
        masked(text, seen.found, &mut VecDeque::new(), Vec::new())
    }

    fn look(
        &self,
        role: UtteranceRole,
        text: &str,
        language: Option<&str>,
        is_guess: bool,
    ) -> Seen {
        let side = match role {
            UtteranceRole::Caller => &self.caller,
            UtteranceRole::Agent => &self.agent,
        };
        let (known, rest) = self.known.as_slices();
        debug_assert!(rest.is_empty(), "it is made contiguous when it changes");
        let before = Before {
            language: language.map_or(self.language, Language::of_tag),
            asked: side.open.or(side.asked),
            number: &side.number,
            dictated: side.dictated,
            known,
            is_paying: self.is_paying,
            is_guess,
        };
        find(text, &before)
    }

    /// A text that nobody said: arguments, results, summaries, errors.
    pub fn text(&mut self, text: &str) -> Masked {
        self.text_after(text, None)
    }

    /// A value with a name, as slots have it.
    pub fn value(&mut self, name: &str, value: &str) -> Masked {
        let reading = Reading::new(name, None, &[]);
        let named = cues(&reading.tokens).last().map(|cue| cue.kind);
        let whole = match named {
            Some(CueKind::Password) => Some(Kind::Password),
            Some(CueKind::Key) => Some(Kind::AccessKey),
            _ => None,
        };
        match whole {
            Some(kind) if !value.is_empty() && !value.starts_with('[') => Masked {
                text: Found::new(kind, 0, value.len()).mark(),
                found: vec![Found::new(kind, 0, value.len())],
            },
            _ => self.text_after(value, named),
        }
    }

    fn text_after(&mut self, text: &str, asked: Option<CueKind>) -> Masked {
        let (known, _) = self.known.as_slices();
        let before = Before {
            language: self.language,
            asked,
            known,
            is_paying: self.is_paying,
            ..Before::default()
        };
        let seen = find(text, &before);
        masked(text, seen.found, &mut self.known, seen.digits)
    }
}

fn masked(
    text: &str,
    found: Vec<Found>,
    known: &mut VecDeque<(Kind, Vec<u8>)>,
    digits: Vec<(Kind, Vec<u8>)>,
) -> Masked {
    for one in digits {
        if !known.iter().any(|(_, text)| *text == one.1) {
            known.push_back(one);
        }
    }
    while known.len() > KNOWN_MAX {
        known.pop_front();
    }
    known.make_contiguous();
    Masked {
        text: replace(text, &found),
        found,
    }
}

#[cfg(test)]
mod tests;
