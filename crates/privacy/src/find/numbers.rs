//! Numbers that prove themselves: bank accounts, cards, identity numbers, and what was masked
//! before.

use std::ops::Range;

use super::Search;
use crate::cue::CueKind;
use crate::kind::Kind;
use crate::reading::{Atom, Reading, What};
use crate::{card, checksum, identity};

/// The most digits of a piece, when a card's number is said in pieces and nothing names it. Groups
/// that people make have two to six.
const PIECE_MAX: usize = 8;

/// From this length on a card's number is believed without a word: shorter ones (old Visa, Diners,
/// Maestro) are as long as phone numbers and times.
const ALONE_MIN: usize = 15;

/// How long an IBAN is, by country.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

impl Search<'_> {
    pub(super) fn numbers(&mut self, reading: &Reading<'_>) {
        self.ibans(reading);
        let stretches = reading.digit_runs();
        for stretch in &stretches {
            self.cards(reading, stretch.clone());
        }
        for run in reading.runs.clone() {
            self.identities_with_letters(reading, run);
        }
        for stretch in stretches {
            self.identities(reading, stretch.clone());
            self.known(reading, stretch);
        }
    }

    /// An IBAN says where it begins and how long it is; its pieces may be anything, so it is
    /// searched among the words and not in the runs.
    fn ibans(&mut self, reading: &Reading<'_>) {
        let mut at = 0;
        while at < reading.atoms.len() {
            if let Some(end) = iban_at(reading, at) {
                self.mask(reading, at..end, Kind::BankAccount);
                at = end;
            } else {
                at += 1;
            }
        }
    }

    fn cards(&mut self, reading: &Reading<'_>, stretch: Range<usize>) {
        let mut at = stretch.start;
        while at < stretch.end {
            let ends = ends(reading, at, stretch.end, card::DIGITS_MAX);
            let found = ends.into_iter().rev().find(|end| {
                let digits = values(&reading.atoms[at..*end]);
                card::is_number(&digits) && self.is_card(reading, at..*end, digits.len())
            });
            if let Some(end) = found {
                self.mask(reading, at..end, Kind::Card);
                self.after_card(reading, end..stretch.end);
                at = end;
            } else {
                at += 1;
            }
        }
    }

    /// Whether what could be a card's number is taken for one, here.
    fn is_card(&self, reading: &Reading<'_>, atoms: Range<usize>, length: usize) -> bool {
        let pieces = &reading.atoms[atoms.clone()];
        if pieces.iter().any(|atom| atom.is_amount) {
            return false;
        }
        let cue = self.cue_of(reading, atoms).map(|near| near.kind);
        match cue {
            Some(CueKind::CardNumber | CueKind::Card | CueKind::CardCode) => true,
            // Written as cards are, it is one, whatever it is called.
            Some(CueKind::Other) => is_grouped_as_card(pieces),
            _ if pieces[0].is_phone => false,
            _ => {
                let fits = pieces.len() == 1
                    || pieces.iter().all(|atom| atom.text.len() <= PIECE_MAX)
                        && (pieces.len() != 2 || length == card::DIGITS_MAX);
                fits && (length >= ALONE_MIN || is_grouped_as_card(pieces)) || self.before.is_paying
            }
        }
    }

    /// What follows a card's number in one breath: when it ends, and its code.
    fn after_card(&mut self, reading: &Reading<'_>, rest: Range<usize>) {
        // The month, the year and the code, digit by digit.
        const PIECES_MAX: usize = 8;
        if rest.len() <= PIECES_MAX && matches!(reading.length(rest.clone()), 3 | 4 | 7 | 8) {
            self.mask(reading, rest, Kind::CardCode);
        }
    }

    fn identities(&mut self, reading: &Reading<'_>, stretch: Range<usize>) {
        self.search_identities(reading, stretch, &identity::DIGITS, |atoms, is_named| {
            identity::is_digits(&values(atoms), &groups(atoms), is_named)
        });
    }

    fn identities_with_letters(&mut self, reading: &Reading<'_>, run: Range<usize>) {
        self.search_identities(reading, run, &identity::LETTERS, |atoms, is_named| {
            let has_letters = atoms.iter().any(|atom| !atom.is_digits);
            let has_digits = atoms
                .iter()
                .any(|atom| atom.text.iter().any(u8::is_ascii_digit));
            let text: Vec<u8> = atoms.iter().flat_map(|atom| atom.text.clone()).collect();
            has_letters && has_digits && identity::is_letters(&text, &groups(atoms), is_named)
        });
    }

    fn search_identities(
        &mut self,
        reading: &Reading<'_>,
        stretch: Range<usize>,
        lengths: &std::ops::RangeInclusive<usize>,
        is_identity: impl Fn(&[Atom], bool) -> bool,
    ) {
        let mut at = stretch.start;
        while at < stretch.end {
            let ends = ends(reading, at, stretch.end, *lengths.end());
            let found = ends.into_iter().rev().find(|end| {
                let atoms = &reading.atoms[at..*end];
                let length = reading.length(at..*end);
                if !lengths.contains(&length) || self.is_touched(reading, at..*end) {
                    return false;
                }
                // Most are none whatever is near; only the others are looked at more closely.
                if !is_identity(atoms, true) {
                    return false;
                }
                // A piece of what is read out in groups of four is no number of three groups, and a
                // card that was misheard has pieces that are somebody's by chance.
                let is_piece = is_piece_of_more(reading, &stretch, at..*end)
                    || (self.before.dictated == Some(Kind::Card) && atoms[0].place.is_none());
                match self.cue_of(reading, at..*end).map(|near| near.kind) {
                    Some(CueKind::Identity) => true,
                    Some(CueKind::Other | CueKind::CardNumber) => false,
                    _ => !is_piece && !atoms[0].is_phone && is_identity(atoms, false),
                }
            });
            if let Some(end) = found {
                self.mask(reading, at..end, Kind::Identity);
                at = end;
            } else {
                at += 1;
            }
        }
    }

    /// What was masked once on this call is masked again, whatever stands near it.
    fn known(&mut self, reading: &Reading<'_>, stretch: Range<usize>) {
        let Some(longest) = self.before.known.iter().map(|(_, text)| text.len()).max() else {
            return;
        };
        let mut at = stretch.start;
        while at < stretch.end {
            let ends = ends(reading, at, stretch.end, longest);
            let found = ends.into_iter().rev().find_map(|end| {
                let text: Vec<u8> = reading.atoms[at..end]
                    .iter()
                    .flat_map(|atom| atom.text.clone())
                    .collect();
                let mut known = self.before.known.iter();
                let (kind, _) = known.find(|(_, one)| *one == text)?;
                (!self.is_touched(reading, at..end)).then_some((end, *kind))
            });
            if let Some((end, kind)) = found {
                self.mask(reading, at..end, kind);
                at = end;
            } else {
                at += 1;
            }
        }
    }
}

/// Where stretches from an atom on can end, so that none is longer than `length_max` characters.
/// What was said before this text never makes a number by itself.
fn ends(reading: &Reading<'_>, start: usize, end: usize, length_max: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut length = 0;
    for at in start..end {
        length += reading.atoms[at].text.len();
        if length > length_max {
            break;
        }
        if reading.atoms[at].place.is_some() {
            ends.push(at + 1);
        }
    }
    ends
}

/// True when a piece as long as its neighbor stands before or after a stretch of several pieces.
fn is_piece_of_more(reading: &Reading<'_>, all: &Range<usize>, part: Range<usize>) -> bool {
    let length = |at: usize| reading.atoms[at].text.len();
    let is_written = !reading.atoms[part.start].is_spoken && part.len() > 1;
    let before = part.start > all.start && length(part.start - 1) == length(part.start);
    let after = part.end < all.end && length(part.end) == length(part.end - 1);
    is_written && length(part.start) > 2 && (before || after)
}

/// Digits as values from 0 to 9.
pub(super) fn values(atoms: &[Atom]) -> Vec<u8> {
    atoms
        .iter()
        .flat_map(|atom| atom.text.iter().map(|byte| byte.wrapping_sub(b'0')))
        .collect()
}

fn groups(atoms: &[Atom]) -> Vec<usize> {
    atoms.iter().map(|atom| atom.text.len()).collect()
}

/// 4-4-4-4, 4-6-5 and the like: as cards carry their numbers.
pub(super) fn is_grouped_as_card(atoms: &[Atom]) -> bool {
    matches!(
        groups(atoms)[..],
        [4, 4, 4, 4] | [4, 4, 4, 4, 3] | [4, 6, 4 | 5] | [4, 3, 3, 3]
    )
}

/// The atom after an IBAN that begins at an atom.
fn iban_at(reading: &Reading<'_>, start: usize) -> Option<usize> {
    let first = &reading.atoms[start];
    if first.is_digits || first.place.is_none() {
        return None;
    }
    let mut text: Vec<u8> = Vec::with_capacity(34);
    let mut token = first.tokens.start;
    let mut length = None;
    let mut at = start;
    loop {
        // Words of letters among the pieces are pieces too: a bank's code.
        let atom = reading.atoms.get(at);
        let piece = atom.filter(|atom| atom.tokens.start == token);
        if let Some(atom) = piece {
            text.extend_from_slice(&atom.text);
            token = atom.tokens.end;
            at += 1;
        } else {
            let word = reading.tokens.get(token)?;
            let What::Word(letters) = &word.what else {
                return None;
            };
            let is_code = letters.len() <= 6 && letters.is_ascii() && text.len() >= 4;
            if word.is_filler() {
                // A sigh is no piece.
            } else if is_code {
                text.extend(letters.bytes().map(|byte| byte.to_ascii_uppercase()));
            } else {
                return None;
            }
            token += 1;
        }
        if text.len() >= 4 && length.is_none() {
            let is_shaped = text[..2].iter().all(u8::is_ascii_uppercase)
                && text[2..4].iter().all(u8::is_ascii_digit);
            let country: [u8; 2] = [text[0], text[1]];
            let (_, known) = IBAN_LENGTHS
                .iter()
                .find(|(one, _)| is_shaped && **one == country)?;
            length = Some(*known);
        }
        match length {
            Some(length) if text.len() == length => {
                let is_end = at > start && reading.atoms[at - 1].tokens.end == token;
                return (is_end && checksum::iban(&text)).then_some(at);
            }
            Some(length) if text.len() > length => return None,
            None if text.len() > 4 => return None,
            _ => {}
        }
    }
}
