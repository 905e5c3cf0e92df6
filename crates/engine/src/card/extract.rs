//! What the card takes from the words of the call where the platform says nothing.
//!
//! [`Writer`] is the seam: a text that a model writes comes through it one day, with a source of
//! its own. [`Extractive`] quotes, and invents nothing: the same words give the same card.

use holdfast_domain::{CardField, CardSource, PromiseMade, Utterance, UtteranceRole};

use super::lexicon::{self, Lexicon};
use crate::calls::Dialogue;
use crate::words;

/// The most characters of the ask: one line.
const ASK_CHARS_MAX: usize = 140;
/// The most characters of each utterance in an extracted summary.
const QUOTE_CHARS_MAX: usize = 160;
/// The fewest words of a request: "where is my order" is one, "good morning" is none.
const ASK_WORDS_MIN: usize = 4;
/// The most characters of one promise; the same limit as for those that platforms tell.
const PROMISE_CHARS_MAX: usize = 300;
/// The most promises; the same limit as for those that platforms tell.
const PROMISES_MAX: usize = 32;

/// Whoever writes what the platform does not say.
pub(super) trait Writer {
    /// What the caller asks, in one line.
    fn ask(&self, talk: &Dialogue) -> CardField;
    /// How the conversation began and where it stands.
    fn summary(&self, talk: &Dialogue) -> CardField;
    /// What the caller was promised and heard; None where that cannot be told.
    fn promises(&self, talk: &Dialogue) -> Option<Vec<PromiseMade>>;
    /// The human's first sentence.
    fn say_first(&self, talk: &Dialogue, ask: Option<&str>) -> CardField;
}

/// Quotes the speakers.
pub(super) struct Extractive;

impl Writer for Extractive {
    fn ask(&self, talk: &Dialogue) -> CardField {
        let lexicon = lexicon::of(&talk.language);
        let ask = said_by(talk, UtteranceRole::Caller).find_map(|said| request(said, lexicon));
        extracted(ask.map(|ask| words::clip(&ask, ASK_CHARS_MAX)))
    }

    fn summary(&self, talk: &Dialogue) -> CardField {
        extracted(summary(talk))
    }

    fn promises(&self, talk: &Dialogue) -> Option<Vec<PromiseMade>> {
        let lexicon = lexicon::of(&talk.language)?;
        let mut promises: Vec<PromiseMade> = Vec::new();
        for said in said_by(talk, UtteranceRole::Agent) {
            for sentence in sentences(heard(said)) {
                if !is_promise(sentence, lexicon) {
                    continue;
                }
                let text = words::clip(sentence, PROMISE_CHARS_MAX);
                // Said again after a failure it is still one promise.
                if promises.len() < PROMISES_MAX && promises.iter().all(|made| made.text != text) {
                    promises.push(PromiseMade {
                        text,
                        turn: said.turn,
                        confirmed: false,
                        source: CardSource::Extracted,
                    });
                }
            }
        }
        Some(promises)
    }

    fn say_first(&self, talk: &Dialogue, ask: Option<&str>) -> CardField {
        CardField::Extracted {
            text: words::say_first(&talk.language, talk.customer.as_deref(), ask),
        }
    }
}

fn extracted(text: Option<String>) -> CardField {
    text.map_or(CardField::Missing, |text| CardField::Extracted { text })
}

fn said_by(talk: &Dialogue, role: UtteranceRole) -> impl Iterator<Item = &Utterance> {
    talk.utterances
        .iter()
        .filter(move |utterance| utterance.role == role)
}

/// The caller's request within an utterance, word for word from where it begins: what is said of
/// the line, and the wish for a person, are left out.
fn request(said: &Utterance, lexicon: Option<&Lexicon>) -> Option<String> {
    let about_the_call = |sentence: &str| {
        let plain = plain(sentence);
        lexicon
            .is_some_and(|lexicon| has_any(&plain, lexicon.line) || has_any(&plain, lexicon.human))
    };
    let words = |sentence: &&str| sentence.split_whitespace().count();
    let request: Vec<&str> = sentences(&said.text)
        .filter(|sentence| !about_the_call(sentence))
        .skip_while(|sentence| words(sentence) < ASK_WORDS_MIN)
        .collect();
    (!request.is_empty()).then(|| request.join(" "))
}

/// How the conversation began and where it stands, in the speakers' own words.
fn summary(talk: &Dialogue) -> Option<String> {
    let quote = |who: &str, utterance: &Utterance| {
        format!(
            "{who}: “{}”",
            words::clip(heard(utterance), QUOTE_CHARS_MAX)
        )
    };
    let first = said_by(talk, UtteranceRole::Caller).next()?;
    let last = said_by(talk, UtteranceRole::Caller).last()?;
    let agent = said_by(talk, UtteranceRole::Agent)
        .filter(|utterance| !heard(utterance).is_empty())
        .last();
    let mut parts = vec![quote("caller", first)];
    if let Some(agent) = agent {
        parts.push(quote("agent", agent));
    }
    if !std::ptr::eq(first, last) {
        parts.push(quote("caller", last));
    }
    Some(parts.join(" … "))
}

/// What was really heard of an utterance.
pub(super) fn heard(utterance: &Utterance) -> &str {
    utterance
        .text
        .strip_suffix(&utterance.unspoken)
        .unwrap_or(&utterance.text)
        .trim()
}

/// A sentence that commits somebody: it says what will be, and by when or under which reference;
/// or that something will not be again. A question commits nobody, nor does a plea for patience.
fn is_promise(sentence: &str, lexicon: &Lexicon) -> bool {
    let is_whole = sentence.ends_with(['.', '!', '…']);
    if !is_whole {
        return false;
    }
    let plain = plain(sentence);
    if has_any(&plain, lexicon.fillers) {
        return false;
    }
    let has_anchor =
        || has_any(&plain, lexicon.anchors) || plain.chars().any(|char| char.is_ascii_digit());
    has_any(&plain, lexicon.settles) || (has_any(&plain, lexicon.commits) && has_anchor())
}

/// The sentences of a text with their marks. A mark between digits, or after a title of one or two
/// letters (`Dr.`), ends none.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .char_indices()
            .find(|(at, char)| {
                let after = &rest[at + char.len_utf8()..];
                matches!(char, '.' | '!' | '?' | '…' | '。' | '！' | '？')
                    && (after.is_empty() || after.starts_with(char::is_whitespace))
                    && !(*char == '.' && is_title(&rest[..*at]))
            })
            .map_or(rest.len(), |(at, char)| at + char.len_utf8());
        let (sentence, after) = rest.split_at(end);
        // French puts a space before its marks.
        rest = after.trim_start();
        Some(sentence.trim())
    })
}

/// The text ends with a title: `Dr`, `Mr`, `Sr`.
fn is_title(text: &str) -> bool {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase)
        && chars.next().is_some_and(char::is_lowercase)
        && chars.next().is_none()
        // "No." is an answer.
        && word != "No"
}

/// Lower case, words apart by one space each, a space at both ends.
fn plain(sentence: &str) -> String {
    let mut plain = String::with_capacity(sentence.len() + 2);
    plain.push(' ');
    for char in sentence.chars().flat_map(char::to_lowercase) {
        if char.is_alphanumeric() {
            plain.push(char);
        } else if !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    if !plain.ends_with(' ') {
        plain.push(' ');
    }
    plain
}

/// One of these phrases stands in the plain text, as whole words.
fn has_any(plain: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| {
        plain.match_indices(phrase).any(|(at, found)| {
            plain[..at].ends_with(' ') && plain[at + found.len()..].starts_with(' ')
        })
    })
}

#[cfg(test)]
mod tests;
