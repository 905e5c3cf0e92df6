//! Cuts a text into words and numbers.

use std::ops::Range;

use crate::fold::{digit, fold, is_ignorable};

/// A word or a number of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// In bytes of the text.
    pub(crate) place: Range<usize>,
    pub(crate) what: What,
    /// An apostrophe touches it: `c'est`, `it's`.
    pub(crate) is_elided: bool,
    /// Written in capital letters of ASCII only.
    pub(crate) is_capital: bool,
}

/// What a token is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Letters, folded.
    Word(String),
    /// Digits, as ASCII.
    Digits(String),
    /// Letters and digits, folded.
    Mixed(String),
}

impl Token {
    /// Its folded letters and digits.
    pub(crate) fn folded(&self) -> &str {
        match &self.what {
            What::Word(text) | What::Digits(text) | What::Mixed(text) => text,
        }
    }

    /// A sigh, an "and", a spoken separator: it may stand inside of a number.
    pub(crate) fn is_filler(&self) -> bool {
        match &self.what {
            What::Word(word) => FILLERS.contains(&word.as_str()) && !self.is_spelled(),
            What::Digits(_) | What::Mixed(_) => false,
        }
    }

    /// A capital letter by itself: somebody spells.
    pub(crate) fn is_spelled(&self) -> bool {
        self.is_capital && !self.is_elided && self.place.len() == 1
    }
}

/// Sorted by language, not by frequency; all are short lists.
const FILLERS: &[&str] = &[
    "um",
    "uh",
    "er",
    "erm",
    "eh",
    "ehm",
    "ah",
    "hm",
    "hmm",
    "mm",
    "mhm",
    "and",
    "then",
    "dash",
    "hyphen",
    "space",
    "dot",
    "point",
    "comma",
    "y",
    "e",
    "luego",
    "guion",
    "espacio",
    "punto",
    "coma",
    "und",
    "dann",
    "strich",
    "bindestrich",
    "punkt",
    "komma",
    "et",
    "puis",
    "euh",
    "tiret",
    "espace",
    "virgule",
    "depois",
    "traco",
    "hifen",
    "espaco",
    "ponto",
    "virgula",
    "please",
    "okay",
    "ok",
    "bitte",
];

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = None;
    let mut previous = None;
    for (at, letter) in text.char_indices() {
        let is_inside = letter.is_alphanumeric() || digit(letter).is_some();
        // cardNumber is two words; so is what follows an underscore, which is no letter.
        let is_hump = letter.is_uppercase() && previous.is_some_and(char::is_lowercase);
        if let Some(from) = start
            && ((!is_inside && !is_ignorable(letter)) || is_hump)
        {
            push(text, from..at, &mut tokens);
            start = None;
        }
        if is_inside && start.is_none() {
            start = Some(at);
        }
        previous = Some(letter);
    }
    if let Some(from) = start {
        push(text, from..text.len(), &mut tokens);
    }
    tokens
}

/// The longest word that is looked up, in bytes: no phrase, number word or number with letters in it
/// comes near it, so a longer one is not even folded.
const WORD_BYTES_MAX: usize = 64;

fn push(text: &str, place: Range<usize>, tokens: &mut Vec<Token>) {
    let piece = &text[place.clone()];
    let is_long = piece.len() > WORD_BYTES_MAX && !piece.bytes().all(|byte| byte.is_ascii_digit());
    if is_long {
        tokens.push(Token {
            place,
            what: What::Word(String::new()),
            is_elided: false,
            is_capital: false,
        });
        return;
    }
    let mut n_digits = 0;
    let mut n_letters = 0;
    for letter in piece.chars() {
        if digit(letter).is_some() {
            n_digits += 1;
        } else if !is_ignorable(letter) {
            n_letters += 1;
        }
    }
    let what = if n_letters == 0 {
        What::Digits(as_digits(piece))
    } else if n_digits == 0 {
        What::Word(fold(piece))
    } else {
        What::Mixed(fold(piece))
    };
    let is_apostrophe = |letter: char| matches!(letter, '\'' | '\u{2019}');
    let is_elided = text[..place.start]
        .chars()
        .next_back()
        .is_some_and(is_apostrophe)
        || text[place.end..].chars().next().is_some_and(is_apostrophe);
    let is_capital = piece.bytes().all(|byte| byte.is_ascii_uppercase());
    tokens.push(Token {
        place,
        what,
        is_elided,
        is_capital,
    });
}

fn as_digits(piece: &str) -> String {
    piece
        .chars()
        .filter_map(digit)
        .map(|digit| char::from(b'0' + digit))
        .collect()
}
