//! Finds what is sensitive in one text, given what was said before it.
//!
//! Passes go from what proves itself to what only words tell, and a later pass never undoes an
//! earlier one: keys and passwords, bank accounts, cards, identity numbers, values that were masked
//! before on this call, numbers that a phrase names, and the pieces of a number that goes on.
//! Each pass looks at every atom once, and from it at as many as the longest number has.

mod named;
mod numbers;
mod pieces;

use std::ops::Range;

use crate::cue::{Cue, CueKind, cues};
use crate::kind::{Found, Kind};
use crate::number_words::Language;
use crate::reading::{Atom, Reading, Together};
use crate::secret;

/// What is known before a text is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before<'a> {
    pub(crate) language: Option<Language>,
    /// What the text answers, or goes on with.
    pub(crate) asked: Option<CueKind>,
    /// The number with which the same person's last words ended.
    pub(crate) number: &'a [Atom],
    /// What that number is believed to be, when it was masked.
    pub(crate) dictated: Option<Kind>,
    /// Digits that were masked before on this call.
    pub(crate) known: &'a [(Kind, Vec<u8>)],
    /// The caller is paying: a number as long as a card's is one.
    pub(crate) is_paying: bool,
    /// It is a guess: what is still being said is held back.
    pub(crate) is_guess: bool,
}

/// What a text holds.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// In order, none overlapping another.
    pub(crate) found: Vec<Found>,
    /// The number with which the text ends, with what of it was said before.
    pub(crate) number: Vec<Atom>,
    /// What that number is believed to be, when it is masked and not whole.
    pub(crate) dictated: Option<Kind>,
    /// The last phrase of the text, when no number followed it.
    pub(crate) asks: Option<CueKind>,
    /// The digits of what was found whole.
    pub(crate) digits: Vec<(Kind, Vec<u8>)>,
    /// How many words it has.
    pub(crate) n_words: usize,
}

/// Digits that are remembered to be masked again, at least.
const KNOWN_MIN: usize = 6;

/// Looks at a text.
pub(crate) fn find(text: &str, before: &Before<'_>) -> Seen {
    let reading = Reading::new(text, before.language, before.number);
    let cues = cues(&reading.tokens);
    let secrets = secret::secrets(text, &reading.tokens, &cues, before.asked);
    let mut search = Search {
        before,
        cues: &cues,
        spans: Vec::new(),
        digits: Vec::new(),
        masked: vec![false; reading.tokens.len()],
        used: vec![false; cues.len()],
        asked_used: false,
    };
    for secret in secrets {
        search.add(&reading, secret);
    }
    search.look(&reading);
    let end = pieces::end(&reading, &search);
    let is_ambiguous = reading.is_ambiguous;
    let n_words = reading.tokens.len();
    let asks = search.open_cue(&reading);
    if is_ambiguous {
        let hyphened = reading.again(before.language, before.number, Together::Hyphened);
        search.numbers(&hyphened);
        let flat = hyphened.again(before.language, before.number, Together::Nothing);
        search.numbers(&flat);
    }
    Seen {
        found: in_order(search.spans),
        number: end.number,
        dictated: end.dictated,
        asks,
        digits: search.digits,
        n_words,
    }
}

/// Everything that one search knows.
pub(crate) struct Search<'a> {
    pub(crate) before: &'a Before<'a>,
    pub(crate) cues: &'a [Cue],
    pub(crate) spans: Vec<Found>,
    pub(crate) digits: Vec<(Kind, Vec<u8>)>,
    /// Which tokens are masked.
    masked: Vec<bool>,
    /// Phrases that have named their number.
    pub(crate) used: Vec<bool>,
    /// The number that was asked for before this text was given.
    pub(crate) asked_used: bool,
}

impl Search<'_> {
    fn look(&mut self, reading: &Reading<'_>) {
        self.numbers(reading);
        self.named(reading);
        self.pieces(reading);
    }

    fn add(&mut self, reading: &Reading<'_>, found: Found) {
        let tokens = &reading.tokens;
        let from = tokens.partition_point(|token| token.place.end <= found.start);
        let upto = tokens.partition_point(|token| token.place.start < found.end);
        for at in from..upto {
            self.masked[at] = true;
        }
        self.spans.push(found);
    }

    /// True when a part of a stretch is masked already, or all of it was said before this text.
    pub(crate) fn is_touched(&self, reading: &Reading<'_>, atoms: Range<usize>) -> bool {
        let mut is_here = false;
        for atom in &reading.atoms[atoms] {
            if atom.place.is_some() {
                is_here = true;
                if self.masked[atom.tokens.clone()].contains(&true) {
                    return true;
                }
            }
        }
        !is_here
    }

    /// Masks a stretch of atoms; what of it was said before is gone already.
    pub(crate) fn mask(&mut self, reading: &Reading<'_>, atoms: Range<usize>, kind: Kind) {
        let Some(place) = reading.place(atoms.clone()) else {
            return;
        };
        let mut found = Found::new(kind, place.start, place.end);
        let text: Vec<u8> = reading.atoms[atoms]
            .iter()
            .flat_map(|atom| atom.text.iter().copied())
            .collect();
        if kind == Kind::Card && text.len() >= crate::card::DIGITS_MIN {
            let values: Vec<u8> = text.iter().map(|byte| byte.wrapping_sub(b'0')).collect();
            if crate::card::is_number(&values) {
                found.last_four = text.last_chunk::<4>().copied();
            }
        }
        if text.len() >= KNOWN_MIN && text.iter().all(u8::is_ascii_digit) {
            self.digits.push((kind, text));
        }
        self.add(reading, found);
    }

    /// The last phrase, when nothing was found after it: the next words may be its number.
    fn open_cue(&self, reading: &Reading<'_>) -> Option<CueKind> {
        let strongest = self.cues.iter().enumerate().rev().find(|(_, cue)| {
            // "The last four of your card": the card does not make it the whole number.
            !matches!(cue.kind, CueKind::Card | CueKind::Account)
        });
        let (at, cue) = strongest.or_else(|| self.cues.iter().enumerate().next_back())?;
        let from = reading.tokens[cue.end - 1].place.end;
        let is_answered = self.used[at] || self.spans.iter().any(|span| span.start >= from);
        (!is_answered).then_some(cue.kind)
    }
}

/// Spans in order; what overlaps becomes one, of the kind that was found first.
fn in_order(spans: Vec<Found>) -> Vec<Found> {
    let mut ranked: Vec<(usize, Found)> = spans.into_iter().enumerate().collect();
    ranked.sort_by_key(|(rank, span)| (span.start, span.end, *rank));
    let mut merged: Vec<(usize, Found)> = Vec::with_capacity(ranked.len());
    for (rank, span) in ranked {
        if span.start >= span.end {
            continue;
        }
        match merged.last_mut() {
            Some((first, last)) if span.start < last.end => {
                let end = last.end.max(span.end);
                let start = last.start;
                if rank < *first {
                    *last = span;
                    *first = rank;
                }
                last.start = start;
                last.end = end;
            }
            _ => merged.push((rank, span)),
        }
    }
    merged.into_iter().map(|(_, span)| span).collect()
}

#[cfg(test)]
mod tests;
