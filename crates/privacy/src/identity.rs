//! The numbers by which states and authorities know people, each with the check that it carries.
//!
//! A number whose own check is strong, or whose usual grouping is its own, is found wherever it
//! stands; a weak one (nine digits with one check digit are also every tenth phone number) only
//! where the words around it say what it is.

mod digits;
mod letters;

/// Whether a number is believed without a word that says what it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Alone {
    /// Its check is strong enough.
    Always,
    /// Written in one of these groups it is.
    Grouped(&'static [&'static [usize]]),
    /// It is not.
    Never,
}

/// One country's number.
pub(crate) struct Rule {
    pub(crate) length: usize,
    pub(crate) check: fn(&[u8]) -> bool,
    pub(crate) alone: Alone,
}

/// The lengths of numbers of digits.
pub(crate) const DIGITS: std::ops::RangeInclusive<usize> = 9..=18;

/// The lengths of numbers with letters in them.
pub(crate) const LETTERS: std::ops::RangeInclusive<usize> = 8..=18;

/// How many digits a number has that somebody calls an identity number, be its check right or not:
/// one that was misheard is as sensitive.
pub(crate) const NAMED: std::ops::RangeInclusive<usize> = 7..=18;

/// True when the digits (as values from 0 to 9) are somebody's number. `groups` are the lengths in
/// which they were written, `is_named` says that a word before or after them names such a number.
pub(crate) fn is_digits(digits: &[u8], groups: &[usize], is_named: bool) -> bool {
    is_any(digits::RULES, digits, groups, is_named)
}

/// The same for capital letters and digits in ASCII.
pub(crate) fn is_letters(text: &[u8], groups: &[usize], is_named: bool) -> bool {
    is_any(letters::RULES, text, groups, is_named)
}

fn is_any(rules: &[Rule], text: &[u8], groups: &[usize], is_named: bool) -> bool {
    rules.iter().any(|rule| {
        let is_believed = is_named
            || match rule.alone {
                Alone::Always => true,
                Alone::Grouped(all) => all.contains(&groups),
                Alone::Never => false,
            };
        rule.length == text.len() && is_believed && (rule.check)(text)
    })
}

/// True when day and month are ones of a calendar.
fn is_date(month: u8, day: u8) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

#[cfg(test)]
mod tests;
