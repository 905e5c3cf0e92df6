//! Where things stand in a file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value of a file with its place.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// A byte as line and column, both from 1; columns count characters.
pub(super) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}

/// The value at a path of keys and of places in lists; None if it is not there.
pub(super) fn find<'a, 'i>(root: &'a DeTable<'i>, path: &[&str]) -> Option<&'a Value<'i>> {
    let (first, rest) = path.split_first()?;
    let mut value = root.get(*first)?;
    for part in rest {
        value = match value.get_ref() {
            DeValue::Table(table) => table.get(*part)?,
            DeValue::Array(list) => list.get(part.parse::<usize>().ok()?)?,
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => return None,
        };
    }
    Some(value)
}

/// The byte where the value at a path begins, or what is around it if it is not there.
pub(super) fn byte_of(root: &DeTable<'_>, path: &[&str]) -> usize {
    (0..=path.len())
        .rev()
        .find_map(|n| find(root, &path[..n]))
        .map_or(0, |value| value.span().start)
}

/// What a value is, for people.
pub(super) fn told(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
