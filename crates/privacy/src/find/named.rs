//! Numbers that a phrase names: codes, PINs, what was misheard.

use std::ops::{Range, RangeInclusive};

use super::Search;
use crate::cue::{Cue, CueKind};
use crate::identity;
use crate::kind::Kind;
use crate::reading::{Atom, Reading, Token};

/// The phrase that names a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) kind: CueKind,
    /// Its place among the phrases; None for what was asked before the text.
    pub(super) at: Option<usize>,
    /// How many words stand between.
    pub(super) distance: usize,
}

/// Words between a number and the phrase after it: "is", "was my".
const AFTER_MAX: usize = 3;

/// The most pieces of a number, digit by digit: an IBAN has 34.
const PIECES_MAX: usize = 34;

impl Search<'_> {
    /// What names a stretch of atoms, if anything does.
    pub(super) fn cue_of(&self, reading: &Reading<'_>, atoms: Range<usize>) -> Option<Near> {
        let first = reading.atoms[atoms.clone()]
            .iter()
            .find(|atom| atom.place.is_some())?;
        let last = &reading.atoms[atoms.end - 1];
        self.cue_before(first.tokens.start)
            .or_else(|| self.cue_after(reading, last.tokens.end))
    }

    /// The phrase before a token that reaches it and says most.
    fn cue_before(&self, token: usize) -> Option<Near> {
        let upto = self.cues.partition_point(|cue| cue.end <= token);
        let mut weak = None;
        for at in (0..upto).rev() {
            let cue = self.cues[at];
            let distance = token - cue.end;
            if distance > CueKind::CardNumber.reach() {
                break;
            }
            if distance > cue.kind.reach() || self.used[at] {
                continue;
            }
            let near = Near {
                kind: cue.kind,
                at: Some(at),
                distance,
            };
            if matches!(cue.kind, CueKind::Card | CueKind::Account) {
                // "The code on my card", "the order on my card": what is said of a card says less
                // than what stands before it, unless that is something else's number.
                weak = weak.or(Some(near));
            } else if cue.kind == CueKind::Other && weak.is_some() {
                return weak;
            } else {
                return Some(near);
            }
        }
        weak.or_else(|| self.asked_before(token))
    }

    /// What was asked for before the text.
    fn asked_before(&self, token: usize) -> Option<Near> {
        let kind = self.before.asked?;
        (!self.asked_used && token <= kind.reach()).then_some(Near {
            kind,
            at: None,
            distance: token,
        })
    }

    /// "4821 is my PIN."
    fn cue_after(&self, reading: &Reading<'_>, token: usize) -> Option<Near> {
        let at = self.cues.partition_point(|cue| cue.start < token);
        let cue = self.cues.get(at)?;
        let between = &reading.tokens[token..cue.start];
        let from = reading.tokens[token.checked_sub(1)?].place.end;
        let is_one_sentence = || {
            let words = &reading.text[from..reading.tokens[cue.start].place.start];
            !words.contains(['.', '?', '!', '"'])
        };
        let is_near = between.len() <= AFTER_MAX && between.iter().all(is_copula);
        (is_near && is_one_sentence()).then_some(Near {
            kind: cue.kind,
            at: Some(at),
            distance: between.len(),
        })
    }

    /// The phrase has named its number.
    fn use_up(&mut self, near: Near) {
        match near.at {
            Some(at) => self.used[at] = true,
            None => self.asked_used = true,
        }
    }

    pub(super) fn named(&mut self, reading: &Reading<'_>) {
        for run in reading.runs.clone() {
            self.named_run(reading, run);
        }
    }

    fn named_run(&mut self, reading: &Reading<'_>, run: Range<usize>) {
        let mut at = run.start;
        while at < run.end {
            let atom = &reading.atoms[at];
            let is_free =
                atom.place.is_some() && !atom.is_wordlike && !self.is_touched(reading, at..at + 1);
            if !is_free {
                at += 1;
                continue;
            }
            let end = self.free_end(reading, at, run.end);
            let taken = self
                .cue_of(reading, at..at + 1)
                .or_else(|| self.cue_of(reading, at..end))
                .and_then(|near| self.take(reading, at..end, near));
            at = taken.unwrap_or(at + 1);
        }
    }

    /// How far a stretch goes on that is not masked.
    fn free_end(&self, reading: &Reading<'_>, start: usize, end: usize) -> usize {
        let end = end.min(start + PIECES_MAX);
        let mut at = start + 1;
        while at < end && !reading.atoms[at].is_wordlike && !self.is_touched(reading, at..at + 1) {
            at += 1;
        }
        at
    }

    /// Masks what the phrase names, if it has the length of such a number. Gives where it ends.
    fn take(&mut self, reading: &Reading<'_>, atoms: Range<usize>, near: Near) -> Option<usize> {
        let (kind, lengths) = match near.kind {
            CueKind::CardNumber => return self.take_card(reading, atoms),
            CueKind::Card if reading.atoms[atoms.start].is_digits => {
                return self.take_misheard_card(reading, atoms);
            }
            CueKind::CardCode => (Kind::CardCode, 3..=4),
            CueKind::OneTime => (Kind::OneTimeCode, 4..=10),
            CueKind::Pin => (Kind::Pin, 4..=8),
            CueKind::Identity => (Kind::Identity, identity::NAMED),
            CueKind::Bank => (Kind::BankAccount, 6..=34),
            CueKind::LastFour => {
                let end = fitting(reading, atoms, &(4..=4))?;
                self.use_up(near);
                return Some(end);
            }
            CueKind::Card
            | CueKind::Password
            | CueKind::Key
            | CueKind::Other
            | CueKind::Account => return None,
        };
        let end = fitting(reading, atoms.clone(), &lengths)?;
        let taken = atoms.start..end;
        let pieces = &reading.atoms[taken.clone()];
        let has_digits = pieces
            .iter()
            .any(|atom| atom.text.iter().any(u8::is_ascii_digit));
        if !has_digits || pieces.iter().any(|atom| atom.is_amount) {
            return None;
        }
        if self.is_last_four(reading, taken.clone()) {
            return Some(end);
        }
        let is_when = match near.kind {
            CueKind::Identity => is_date(reading, taken.clone()),
            // "My PIN does not work since 2024."
            CueKind::Pin | CueKind::OneTime => near.distance > 2 && is_year(pieces),
            _ => false,
        };
        if is_when {
            return Some(end);
        }
        // An account's number follows that of its bank.
        if near.kind != CueKind::Bank {
            self.use_up(near);
        }
        self.mask(reading, taken, kind);
        Some(end)
    }

    /// Four digits that are said to be the last ones.
    pub(super) fn is_last_four(&self, reading: &Reading<'_>, atoms: Range<usize>) -> bool {
        let token = reading.atoms[atoms.start].tokens.start;
        let upto = self.cues.partition_point(|cue| cue.end <= token);
        let is_said = |cue: &Cue| cue.kind == CueKind::LastFour;
        let mut near = self.cues[..upto]
            .iter()
            .rev()
            .take_while(|cue| token - cue.end <= CueKind::CardNumber.reach());
        reading.length(atoms) == 4
            && (near.any(is_said) || self.before.asked == Some(CueKind::LastFour))
    }

    /// What is called a card's number is masked whether its check is right or not: one wrong digit
    /// is what a recognizer makes of a right one. A short piece is left to the pass over pieces.
    fn take_card(&mut self, reading: &Reading<'_>, atoms: Range<usize>) -> Option<usize> {
        let digits = digits_from(reading, atoms)?;
        if self.is_last_four(reading, digits.clone()) {
            return Some(digits.end);
        }
        let end = fitting(reading, digits.clone(), &(7..=crate::card::DIGITS_MAX))?;
        self.mask(reading, digits.start..end, Kind::Card);
        Some(end)
    }

    /// Near the word "card" it must at least look like an issuer's.
    fn take_misheard_card(&mut self, reading: &Reading<'_>, atoms: Range<usize>) -> Option<usize> {
        let digits = digits_from(reading, atoms)?;
        let end = fitting(reading, digits.clone(), &(15..=16))?;
        let values = super::numbers::values(&reading.atoms[digits.start..end]);
        if !crate::card::is_issued(&values) {
            return None;
        }
        self.mask(reading, digits.start..end, Kind::Card);
        Some(end)
    }
}

/// The first atoms of a stretch that are digits only.
fn digits_from(reading: &Reading<'_>, atoms: Range<usize>) -> Option<Range<usize>> {
    let n = reading.atoms[atoms.clone()]
        .iter()
        .take_while(|atom| atom.is_digits)
        .count();
    (n > 0).then(|| atoms.start..atoms.start + n)
}

/// Where a stretch must end to have a fitting length: the whole of it if that fits, or else where
/// somebody paused, or else the longest that fits.
fn fitting(
    reading: &Reading<'_>,
    atoms: Range<usize>,
    lengths: &RangeInclusive<usize>,
) -> Option<usize> {
    let mut length = 0;
    let mut paused = None;
    let mut longest = None;
    for at in atoms.clone() {
        length += reading.atoms[at].text.len();
        if length > *lengths.end() {
            break;
        }
        if lengths.contains(&length) {
            longest = Some(at + 1);
            if reading.atoms[at].pause_after || at + 1 == atoms.end {
                paused = Some(at + 1);
            }
        }
    }
    paused.or(longest)
}

/// 12.11.2027, 2027-11-12: when a passport ends is not its number.
fn is_date(reading: &Reading<'_>, atoms: Range<usize>) -> bool {
    let lengths: Vec<usize> = reading.atoms[atoms]
        .iter()
        .map(|atom| atom.text.len())
        .collect();
    matches!(lengths[..], [1 | 2, 2, 4] | [2, 1, 4] | [4, 2, 2])
}

fn is_year(atoms: &[Atom]) -> bool {
    matches!(atoms, [one] if one.text.len() == 4 && matches!(&one.text[..2], b"19" | b"20"))
}

fn is_copula(token: &Token) -> bool {
    const WORDS: &[&str] = &[
        "is", "was", "s", "as", "for", "my", "the", "your", "a", "es", "mi", "su", "la", "el",
        "como", "ist", "meine", "mein", "die", "der", "das", "als", "est", "c", "mon", "ma", "le",
        "e", "o", "meu", "minha",
    ];
    WORDS.contains(&token.folded())
}
