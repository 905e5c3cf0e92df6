//! Finds the pieces of numbers among the words, and which of them follow each other.

use std::cmp::Ordering;
use std::ops::Range;

use super::words::{Token, What};
use super::{Atom, Together};
use crate::fold::is_ignorable;
use crate::number_words::{Language, NumberWord, Say, number_word};

/// Sighs that may stand between two pieces of one number, at most.
const FILLERS_MAX: usize = 3;

/// Capital letters that may be a piece of a number, at most: the names in an Italian tax number.
const CAPITALS_MAX: usize = 6;

/// The longest piece with letters and digits, in characters: an IBAN has 34.
const MIXED_MAX: usize = 34;

pub(super) struct Pieces {
    pub(super) atoms: Vec<Atom>,
    pub(super) is_ambiguous: bool,
}

pub(super) fn atoms(
    text: &str,
    tokens: &[Token],
    language: Option<Language>,
    together: Together,
) -> Pieces {
    let mut speech = Speech {
        text,
        tokens,
        language,
        together,
        is_ambiguous: false,
    };
    let mut atoms = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match speech.atom(at) {
            Some(mut atom) => {
                at = atom.tokens.end;
                mark_neighbors(text, tokens, &mut atom);
                atoms.push(atom);
            }
            None => at += 1,
        }
    }
    spread_amounts(text, &mut atoms);
    Pieces {
        atoms,
        is_ambiguous: speech.is_ambiguous,
    }
}

/// True when the first atom stands at the beginning of the text, but for sighs.
pub(super) fn begins_with_number(tokens: &[Token], atoms: &[Atom]) -> bool {
    let Some(first) = atoms.iter().find(|atom| !atom.is_wordlike) else {
        return false;
    };
    let before = &tokens[..first.tokens.start];
    before.len() <= INTRO_MAX
        && before
            .iter()
            .all(|token| token.is_filler() || is_intro(token))
}

/// Words before the rest of a number, at most: "and then the rest is".
const INTRO_MAX: usize = 5;

/// "And then it's ..": words with which somebody goes on with a number.
fn is_intro(token: &Token) -> bool {
    const INTROS: &[&str] = &[
        "it", "s", "its", "is", "the", "rest", "next", "followed", "by", "yes", "yeah", "so",
        "sorry", "es", "sigue", "el", "resto", "si", "ja", "ist", "weiter", "mit", "der", "c",
        "est", "oui", "la", "suite", "sim", "o", "segue", "a",
    ];
    INTROS.contains(&token.folded())
}

/// Parts the atoms into runs. The first `n_before` of them were said before this text.
pub(super) fn runs(
    text: &str,
    tokens: &[Token],
    atoms: &mut [Atom],
    n_before: usize,
) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for at in 1..atoms.len() {
        let gap = match at.cmp(&n_before) {
            Ordering::Less => Gap::Plain,
            Ordering::Equal => Gap::Pause,
            Ordering::Greater => gap(text, tokens, &atoms[at - 1], &atoms[at]),
        };
        match gap {
            Gap::Plain => {}
            Gap::Pause => atoms[at - 1].pause_after = true,
            Gap::Break => {
                runs.push(start..at);
                start = at;
            }
        }
    }
    if start < atoms.len() {
        runs.push(start..atoms.len());
    }
    runs
}

/// What stands between two atoms.
enum Gap {
    /// Blanks or one mark.
    Plain,
    /// A comma, a full stop, a sigh.
    Pause,
    /// Something that parts numbers.
    Break,
}

fn gap(text: &str, tokens: &[Token], left: &Atom, right: &Atom) -> Gap {
    if left.is_amount || right.is_amount || right.is_phone {
        return Gap::Break;
    }
    let between = &tokens[left.tokens.end..right.tokens.start];
    if between.len() > FILLERS_MAX || !between.iter().all(Token::is_filler) {
        return Gap::Break;
    }
    let (Some(left_place), Some(right_place)) = (&left.place, &right.place) else {
        return Gap::Pause;
    };
    let mut is_pause = !between.is_empty();
    for letter in text[left_place.end..right_place.start].chars() {
        match letter {
            '-' | '\u{2010}'..='\u{2014}' | '_' | '(' | ')' | '*' | '\u{b7}' | '.' => {}
            ',' | ';' | '\u{2026}' => is_pause = true,
            '/' if left.text.len() >= 3 && right.text.len() >= 3 && !left.is_spoken => {}
            letter if letter.is_whitespace() || is_ignorable(letter) => {}
            // The letters of the fillers.
            letter if letter.is_alphanumeric() && !between.is_empty() => {}
            '\'' | '\u{2019}' if !between.is_empty() => {}
            _ => return Gap::Break,
        }
    }
    if text[left_place.end..].starts_with(". ") {
        is_pause = true;
    }
    if is_pause { Gap::Pause } else { Gap::Plain }
}

/// Whether an atom is money, a share or a count, or begins a phone number.
fn mark_neighbors(text: &str, tokens: &[Token], atom: &mut Atom) {
    let Some(place) = atom.place.clone() else {
        return;
    };
    let before = text[..place.start].trim_end_matches([' ', '\u{a0}']);
    let after = text[place.end..].trim_start_matches([' ', '\u{a0}']);
    let is_money = |letter: char| {
        matches!(
            letter,
            '$' | '\u{20ac}' | '\u{a3}' | '\u{a5}' | '\u{20b9}' | '%' | '\u{b0}'
        )
    };
    let unit = tokens.get(atom.tokens.end).is_some_and(|token| {
        UNITS.contains(&token.folded())
            && text[place.end..token.place.start]
                .chars()
                .all(char::is_whitespace)
    });
    atom.is_amount = atom.is_digits
        && (unit
            || before.chars().next_back().is_some_and(is_money)
            || after.chars().next().is_some_and(is_money));
    atom.is_phone = text[..place.start].ends_with('+');
}

/// What is counted after a number, folded.
const UNITS: &[&str] = &[
    "dollars",
    "dollar",
    "bucks",
    "euros",
    "euro",
    "pounds",
    "pound",
    "quid",
    "cents",
    "pence",
    "percent",
    "usd",
    "eur",
    "gbp",
    "brl",
    "mxn",
    "chf",
    "dolares",
    "pesos",
    "reais",
    "real",
    "libras",
    "centimos",
    "centavos",
    "pfund",
    "franken",
    "prozent",
    "livres",
    "francs",
    "centimes",
    "minutes",
    "minuten",
    "minutos",
    "hours",
    "heures",
    "horas",
    "stunden",
    "days",
    "dias",
    "tage",
    "jours",
    "months",
    "meses",
    "monate",
    "mois",
    "years",
    "anos",
    "jahre",
    "gigabytes",
    "gigas",
    "gb",
    "mb",
    "items",
    "times",
    "miles",
    "km",
    "kilos",
    "kg",
    "o'clock",
];

/// 1,234.56 is one amount, whichever part the sign stands at.
fn spread_amounts(text: &str, atoms: &mut [Atom]) {
    let is_glued = |left: &Atom, right: &Atom| match (&left.place, &right.place) {
        (Some(left), Some(right)) => {
            matches!(&text[left.end..right.start], "." | "," | "'" | "\u{2019}")
        }
        _ => false,
    };
    for at in 1..atoms.len() {
        if atoms[at - 1].is_amount && is_glued(&atoms[at - 1], &atoms[at]) {
            atoms[at].is_amount = true;
        }
    }
    for at in (1..atoms.len()).rev() {
        if atoms[at].is_amount && is_glued(&atoms[at - 1], &atoms[at]) {
            atoms[at - 1].is_amount = true;
        }
    }
}

/// Understands number words.
struct Speech<'t> {
    text: &'t str,
    tokens: &'t [Token],
    language: Option<Language>,
    together: Together,
    is_ambiguous: bool,
}

/// A number below a hundred, how many digits it is said with, and the token after it.
struct Small {
    value: u8,
    n_digits: usize,
    end: usize,
}

impl Speech<'_> {
    fn atom(&mut self, at: usize) -> Option<Atom> {
        let token = &self.tokens[at];
        let written = |text: Vec<u8>, is_digits, is_wordlike| Atom {
            text,
            is_digits,
            is_spoken: false,
            is_wordlike,
            is_amount: false,
            is_phone: false,
            place: Some(token.place.clone()),
            tokens: at..at + 1,
            pause_after: false,
        };
        match &token.what {
            What::Digits(digits) => Some(written(digits.as_bytes().to_vec(), true, false)),
            What::Mixed(text) => {
                let is_piece = text.is_ascii() && text.len() <= MIXED_MAX;
                is_piece.then(|| written(text.to_ascii_uppercase().into_bytes(), false, false))
            }
            What::Word(word) => {
                if let Some((text, end)) = self.spoken(at) {
                    let place = token.place.start..self.tokens[end - 1].place.end;
                    return Some(Atom {
                        is_spoken: true,
                        place: Some(place),
                        tokens: at..end,
                        ..written(text, true, false)
                    });
                }
                let length = word.len();
                let is_small_word = length <= 2 && !token.is_elided && !token.is_filler();
                let is_piece = word.is_ascii()
                    && (is_small_word || (token.is_capital && length <= CAPITALS_MAX));
                // "I" and its like are words more often than letters of a number.
                let is_pronoun = matches!(word.as_str(), "i" | "o" | "e" | "y");
                let is_wordlike = !token.is_capital || token.is_elided || is_pronoun;
                is_piece
                    .then(|| written(word.to_ascii_uppercase().into_bytes(), false, is_wordlike))
            }
        }
    }

    fn say(&self, at: usize) -> Option<NumberWord> {
        match &self.tokens.get(at)?.what {
            What::Word(word) if !self.tokens[at].is_elided => number_word(word, self.language),
            What::Word(_) | What::Digits(_) | What::Mixed(_) => None,
        }
    }

    /// The digits that the words from `at` on say, and the token after them.
    fn spoken(&mut self, at: usize) -> Option<(Vec<u8>, usize)> {
        let word = self.say(at)?;
        match word.say {
            Say::Times(times) => {
                let digit = match &self.tokens.get(at + 1)?.what {
                    What::Digits(digits) if digits.len() == 1 => digits.as_bytes()[0],
                    _ => match self.say(at + 1)?.say {
                        Say::Unit(unit) => b'0' + unit,
                        _ => return None,
                    },
                };
                Some((vec![digit; usize::from(times)], at + 2))
            }
            Say::Hundred | Say::Hundreds(_) if self.together == Together::Nothing => {
                let hundreds = match word.say {
                    Say::Hundreds(hundreds) => hundreds,
                    _ => 1,
                };
                Some((written(u32::from(hundreds) * 100, 3), at + 1))
            }
            Say::Hundred => Some(self.hundreds(1, at + 1)),
            Say::Hundreds(hundreds) => Some(self.hundreds(hundreds, at + 1)),
            Say::Unit(unit)
                if unit > 0 && self.is_hundred(at + 1) && self.together == Together::All =>
            {
                Some(self.hundreds(unit, at + 2))
            }
            Say::Unit(_) | Say::Teen(_) | Say::Tens(_) | Say::Whole(_) => {
                let small = self.small(at)?;
                Some((written(u32::from(small.value), small.n_digits), small.end))
            }
        }
    }

    fn is_hundred(&self, at: usize) -> bool {
        self.say(at).is_some_and(|word| word.say == Say::Hundred)
    }

    fn hundreds(&mut self, hundreds: u8, after: usize) -> (Vec<u8>, usize) {
        self.is_ambiguous = true;
        let start = self.after_and(after);
        let rest = self.small(start);
        let (value, end) = rest.map_or((0, after), |small| (small.value, small.end));
        (
            written(u32::from(hundreds) * 100 + u32::from(value), 3),
            end,
        )
    }

    /// The place after an "and" between parts of one number, if one stands there.
    fn after_and(&self, at: usize) -> usize {
        let is_and = self
            .tokens
            .get(at)
            .is_some_and(|token| matches!(token.folded(), "and" | "y" | "e" | "et" | "und"));
        if is_and { at + 1 } else { at }
    }

    fn small(&mut self, at: usize) -> Option<Small> {
        let (value, n_digits) = match self.say(at)?.say {
            Say::Unit(unit) => (unit, 1),
            Say::Teen(value) | Say::Tens(value) | Say::Whole(value) => (value, 2),
            Say::Hundred | Say::Hundreds(_) | Say::Times(_) => return None,
        };
        let alone = Small {
            value,
            n_digits,
            end: at + 1,
        };
        if self.together == Together::Nothing {
            return Some(alone);
        }
        // Quatre-vingts is eighty.
        let is_eighty = value == 4 && self.is_word(at + 1, &["vingt", "vingts"]);
        let (value, end) = if is_eighty && self.joins(at + 1) {
            (80, at + 2)
        } else {
            (value, at + 1)
        };
        let start = self.after_and(end);
        let next = self
            .say(start)
            .filter(|_| start > end || self.joins(end))
            .map(|word| word.say);
        let whole = match (value, next) {
            (20.., Some(Say::Unit(unit @ 1..))) if value % 10 == 0 => (value + unit, start + 1),
            // Soixante-dix, quatre-vingt-dix-sept.
            (60 | 80, Some(Say::Teen(teen))) if self.is_french(start) => {
                let (teen, end) = self.dix(teen, start);
                (value + teen, end)
            }
            (10, _) if n_digits == 2 && self.is_french(at) => self.dix(10, at),
            _ => (value, end),
        };
        self.is_ambiguous |= whole.1 > at + 1;
        Some(Small {
            value: whole.0,
            n_digits: if whole.1 > at + 1 { 2 } else { n_digits },
            end: whole.1,
        })
    }

    /// Dix-sept, dix-huit and dix-neuf are said in two words.
    fn dix(&self, teen: u8, at: usize) -> (u8, usize) {
        match self.say(at + 1).map(|word| word.say) {
            Some(Say::Unit(unit @ 7..=9))
                if teen == 10
                    && self.joins(at + 1)
                    && self.is_word(at + 1, &["sept", "huit", "neuf"]) =>
            {
                (teen + unit, at + 2)
            }
            _ => (teen, at + 1),
        }
    }

    /// True when a word is taken together with the one before it.
    fn joins(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else {
            return false;
        };
        match self.together {
            Together::All => true,
            Together::Hyphened => {
                self.text[..token.place.start].ends_with(['-', '\u{2010}', '\u{2011}'])
            }
            Together::Nothing => false,
        }
    }

    fn is_french(&self, at: usize) -> bool {
        const TEENS: &[&str] = &[
            "dix", "onze", "douze", "treize", "quatorze", "quinze", "seize",
        ];
        self.language
            .is_none_or(|language| language == Language::Fr)
            && self.is_word(at, TEENS)
    }

    fn is_word(&self, at: usize, words: &[&str]) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| words.contains(&token.folded()))
    }
}

/// A number with leading zeros.
fn written(value: u32, n_digits: usize) -> Vec<u8> {
    format!("{value:0n_digits$}").into_bytes()
}
