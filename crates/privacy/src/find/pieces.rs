//! Pieces of a number that goes on in the next words of the same person, or went on from the last.

use std::ops::Range;

use super::Search;
use super::numbers::values;
use crate::card;
use crate::cue::CueKind;
use crate::kind::Kind;
use crate::reading::{Atom, Reading};

/// A guess holds back a number at its end from this length on: a year has four digits.
const HELD_BACK_MIN: usize = 5;

/// A number that ends a text is believed to be the beginning of a card's from this length on. The
/// first six digits name the issuer and not the card.
const BEGINNING_MIN: usize = 7;

/// The shortest piece of a number that is called a card's: "I have two".
const PIECE_MIN: usize = 3;

/// The longest number that is remembered, in characters: an IBAN has 34.
const REMEMBERED_MAX: usize = 34;

/// What goes on in the next words.
pub(super) struct End {
    pub(super) number: Vec<Atom>,
    pub(super) dictated: Option<Kind>,
}

impl Search<'_> {
    pub(super) fn pieces(&mut self, reading: &Reading<'_>) {
        self.go_on(reading);
        let Some(last) = last_stretch(reading) else {
            return;
        };
        let free = self.free_part(reading, last.clone());
        if free.is_empty() {
            return;
        }
        let kind = self.piece_kind(reading, &last, &free);
        if let Some(kind) = kind {
            self.mask(reading, free, kind);
        }
    }

    /// The beginning of the text, when the number before it was masked and was not whole.
    fn go_on(&mut self, reading: &Reading<'_>) {
        let Some(kind) = self.before.dictated else {
            return;
        };
        let n_before = reading
            .atoms
            .iter()
            .take_while(|atom| atom.place.is_none())
            .count();
        if n_before == 0 {
            return;
        }
        let Some(run) = reading.runs.first().filter(|run| run.end > n_before) else {
            return;
        };
        let most = match kind {
            Kind::Card => card::DIGITS_MAX,
            _ => REMEMBERED_MAX,
        };
        let mut length = reading.length(0..n_before);
        let mut end = n_before;
        for at in n_before..run.end {
            length += reading.atoms[at].text.len();
            if length > most || !reading.atoms[at].is_digits {
                break;
            }
            end = at + 1;
        }
        let free = self.free_part(reading, n_before..end);
        if !free.is_empty() {
            self.mask(reading, free, kind);
        }
    }

    /// What the number at the end of the text is taken for, if it must go.
    fn piece_kind(
        &self,
        reading: &Reading<'_>,
        last: &Range<usize>,
        free: &Range<usize>,
    ) -> Option<Kind> {
        let near = self.cue_of(reading, free.clone()).map(|near| near.kind);
        let length = reading.length(last.clone());
        let atoms = &reading.atoms[last.clone()];
        if atoms.iter().any(|atom| atom.is_amount) {
            return None;
        }
        let is_last_four = near == Some(CueKind::LastFour) && length <= 4;
        if is_last_four || self.is_last_four(reading, last.clone()) {
            return None;
        }
        match near {
            Some(CueKind::CardNumber) if (PIECE_MIN..=card::DIGITS_MAX).contains(&length) => {
                return Some(Kind::Card);
            }
            Some(kind) if self.before.is_guess && kind.is_sensitive() => {
                return Some(Kind::Unfinished);
            }
            _ => {}
        }
        if self.before.is_guess && length >= HELD_BACK_MIN {
            return Some(Kind::Unfinished);
        }
        let is_other = matches!(near, Some(CueKind::Other | CueKind::Account));
        (!is_other && begins_card(atoms)).then_some(Kind::Card)
    }

    /// The part of a stretch, from its end backwards, that is not masked.
    fn free_part(&self, reading: &Reading<'_>, stretch: Range<usize>) -> Range<usize> {
        let mut start = stretch.end;
        while start > stretch.start {
            let at = start - 1;
            if reading.atoms[at].place.is_none() || self.is_touched(reading, at..at + 1) {
                break;
            }
            start = at;
        }
        start..stretch.end
    }
}

/// The digits with which the text ends.
fn last_stretch(reading: &Reading<'_>) -> Option<Range<usize>> {
    let last = reading.digit_runs().pop()?;
    reading.ends_with(last.end - 1).then_some(last)
}

/// Groups of four from an issuer's first digits on: as cards are read out, and hardly anything
/// else.
fn begins_card(atoms: &[Atom]) -> bool {
    let length: usize = atoms.iter().map(|atom| atom.text.len()).sum();
    let is_grouped = atoms.len() > 1 && atoms.iter().all(|atom| atom.text.len() == 4);
    let is_amex =
        matches!(atoms, [first, second] if first.text.len() == 4 && second.text.len() == 6);
    let is_spoken = atoms.len() > BEGINNING_MIN && atoms.iter().all(|atom| atom.text.len() == 1);
    (BEGINNING_MIN..card::DIGITS_MAX).contains(&length)
        && (is_grouped || is_amex || (is_spoken && length >= 12))
        && !atoms[0].is_phone
        && card::can_begin(&values(atoms))
}

/// The number with which the text ends, for the next words of the same person.
pub(super) fn end(reading: &Reading<'_>, search: &Search<'_>) -> End {
    let nothing = End {
        number: Vec::new(),
        dictated: None,
    };
    let Some(run) = reading.runs.last() else {
        return nothing;
    };
    if !reading.ends_with(run.end - 1) || reading.atoms[run.end - 1].is_wordlike {
        return nothing;
    }
    let atoms = &reading.atoms[run.clone()];
    let length: usize = atoms.iter().map(|atom| atom.text.len()).sum();
    if length > REMEMBERED_MAX || atoms.iter().any(|atom| atom.is_amount) {
        return nothing;
    }
    let is_whole = card::is_number(&values(atoms));
    let kind = reading
        .place(run.end - 1..run.end)
        .and_then(|place| {
            let mut spans = search.spans.iter();
            spans.find(|span| span.start < place.end && place.start < span.end)
        })
        .map(|span| (span.kind, span.last_four.is_some()));
    match kind {
        // What is whole does not go on.
        Some((_, true)) => nothing,
        Some(_) if is_whole => nothing,
        Some((kind @ Kind::Card, false)) => End {
            number: said(atoms),
            dictated: Some(kind),
        },
        Some(_) => nothing,
        None => End {
            number: said(atoms),
            dictated: None,
        },
    }
}

/// Atoms that have no place in the next text.
fn said(atoms: &[Atom]) -> Vec<Atom> {
    atoms
        .iter()
        .map(|atom| Atom {
            place: None,
            tokens: 0..0,
            ..atom.clone()
        })
        .collect()
}
