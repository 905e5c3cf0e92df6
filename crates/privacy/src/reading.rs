//! A text as it is searched: its words, the pieces of numbers among them, and which pieces follow
//! each other closely enough to be one number.
//!
//! ```text
//! text    "it's 4111 double one, um, eleven 11 11 11 please"
//! words    it's 4111 double one  um  eleven 11 11 11 please
//! atoms         4111 11              11     11 11 11
//! runs          |------------------------------|
//! ```

mod atoms;
mod words;

use std::ops::Range;

pub(crate) use words::{Token, What};

use crate::number_words::Language;
use words::tokens;

/// A piece of a number, as it was written or said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Atom {
    /// Digits and capital letters of ASCII.
    pub(crate) text: Vec<u8>,
    /// All of it is digits.
    pub(crate) is_digits: bool,
    /// It was said in words.
    pub(crate) is_spoken: bool,
    /// Letters that may as well be a word.
    pub(crate) is_wordlike: bool,
    /// Money, a share, a count of something: never a part of a longer number.
    pub(crate) is_amount: bool,
    /// A phone number begins here.
    pub(crate) is_phone: bool,
    /// Where it is in the text, in bytes. What was said before this text has no place in it.
    pub(crate) place: Option<Range<usize>>,
    /// Its first token, and the one after its last.
    pub(crate) tokens: Range<usize>,
    /// Something parts it from the next atom: a comma, a full stop, a sigh.
    pub(crate) pause_after: bool,
}

/// Which number words are taken together. French and English say 60 11 and 71 alike, or nearly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Together {
    /// All that can be: "eighty one" is 81.
    All,
    /// Those that a hyphen joins, or an "and": "eighty-one" is 81, "eighty one" is 80 1.
    Hyphened,
    /// None: each word counts for itself.
    Nothing,
}

/// A text, read.
#[derive(Debug)]
pub(crate) struct Reading<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: Vec<Token>,
    pub(crate) atoms: Vec<Atom>,
    /// Each run of atoms that follow each other.
    pub(crate) runs: Vec<Range<usize>>,
    /// Some numbers can be understood in another way.
    pub(crate) is_ambiguous: bool,
}

impl<'t> Reading<'t> {
    /// Reads a text. `before` is the number that the same person had begun to say: when the text
    /// begins with more of it, both are one run.
    pub(crate) fn new(text: &'t str, language: Option<Language>, before: &[Atom]) -> Self {
        let tokens = tokens(text);
        Self::of_tokens(text, tokens, language, before, Together::All)
    }

    /// The same text with other words taken together.
    pub(crate) fn again(
        self,
        language: Option<Language>,
        before: &[Atom],
        together: Together,
    ) -> Self {
        Self::of_tokens(self.text, self.tokens, language, before, together)
    }

    fn of_tokens(
        text: &'t str,
        tokens: Vec<Token>,
        language: Option<Language>,
        before: &[Atom],
        together: Together,
    ) -> Self {
        let mut found = atoms::atoms(text, &tokens, language, together);
        let joins = atoms::begins_with_number(&tokens, &found.atoms);
        let joins = joins && !before.is_empty();
        let mut atoms = if joins { before.to_vec() } else { Vec::new() };
        let n_before = atoms.len();
        let n_intro = found
            .atoms
            .iter()
            .take_while(|atom| joins && atom.is_wordlike)
            .count();
        atoms.extend(found.atoms.drain(n_intro..));
        let runs = atoms::runs(text, &tokens, &mut atoms, n_before);
        Self {
            text,
            tokens,
            atoms,
            runs,
            is_ambiguous: found.is_ambiguous,
        }
    }

    /// The stretches of a run that are digits only.
    pub(crate) fn digit_runs(&self) -> Vec<Range<usize>> {
        let mut stretches = Vec::new();
        for run in &self.runs {
            let mut start = run.start;
            for at in run.clone() {
                if !self.atoms[at].is_digits {
                    if start < at {
                        stretches.push(start..at);
                    }
                    start = at + 1;
                }
            }
            if start < run.end {
                stretches.push(start..run.end);
            }
        }
        stretches
    }

    /// How many characters a stretch of atoms has.
    pub(crate) fn length(&self, atoms: Range<usize>) -> usize {
        self.atoms[atoms].iter().map(|atom| atom.text.len()).sum()
    }

    /// Where a stretch of atoms is in the text; None when all of it was said before.
    pub(crate) fn place(&self, atoms: Range<usize>) -> Option<Range<usize>> {
        let mut places = self.atoms[atoms]
            .iter()
            .filter_map(|atom| atom.place.clone());
        let first = places.next()?;
        let end = places.next_back().map_or(first.end, |last| last.end);
        Some(first.start..end)
    }

    /// True when nothing but sighs and marks follows an atom.
    pub(crate) fn ends_with(&self, atom: usize) -> bool {
        self.tokens[self.atoms[atom].tokens.end..]
            .iter()
            .all(Token::is_filler)
    }
}

#[cfg(test)]
mod tests;
