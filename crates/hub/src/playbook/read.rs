//! From bytes to a playbook, or to everything that is wrong with them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use holdfast_domain::Playbook;
use holdfast_protocol::playbook::{DEPTH_MAX, FILE_BYTES_MAX, PLAYBOOK};
use serde::Deserialize as _;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::fault::{Fault, FaultKind, FileFault};
use super::form::{Found, Walk};
use super::place::{Value, line_and_column};
use super::rules;

/// Reads a file and says everything that is wrong with it.
pub fn check_file(path: &Path) -> Result<Playbook, Vec<Fault>> {
    let bytes = read_bytes(path).map_err(|error| {
        vec![Fault {
            line: 1,
            column: 1,
            kind: FileFault::Unreadable {
                reason: error.to_string(),
            }
            .into(),
        }]
    })?;
    read_playbook(&bytes)
}

/// Reads a playbook and says everything that is wrong with it, in the order of the file.
pub fn read_playbook(bytes: &[u8]) -> Result<Playbook, Vec<Fault>> {
    let text = match as_text(bytes) {
        Ok(text) => text,
        Err((line, column, kind)) => return Err(vec![Fault { line, column, kind }]),
    };
    let mut found = Found::new();
    match parse(text, &mut found) {
        Some(playbook) if found.is_empty() => Ok(playbook),
        _ => {
            found.sort_by_key(|(byte, _)| *byte);
            found.dedup();
            let faults = found.into_iter().map(|(byte, kind)| {
                let (line, column) = line_and_column(text, byte);
                Fault { line, column, kind }
            });
            Err(faults.collect())
        }
    }
}

/// No more than what shows that it is too large.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn as_text(bytes: &[u8]) -> Result<&str, (usize, usize, FaultKind)> {
    if bytes.len() > FILE_BYTES_MAX {
        let kind = FileFault::TooLarge {
            bytes_max: FILE_BYTES_MAX,
        };
        return Err((1, 1, kind.into()));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let read = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let (line, column) = line_and_column(read, read.len());
        (line, column, FileFault::NoText.into())
    })
}

/// None: nothing could be made of it, and `found` says why. Otherwise `found` is empty, or the
/// playbook is not whole.
fn parse(text: &str, found: &mut Found) -> Option<Playbook> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        found.extend(errors.iter().map(|error| {
            let kind = FileFault::Syntax {
                message: error.message().to_owned(),
            };
            (error.span().map_or(0, |span| span.start), kind.into())
        }));
        return None;
    }
    if let Some(byte) = root.get_ref().values().find_map(|value| deep(value, 1)) {
        let kind = FileFault::TooDeep {
            depth_max: DEPTH_MAX,
        };
        found.push((byte, kind.into()));
        return None;
    }
    let mut walk = Walk::new(text);
    walk.table(root.get_ref(), 0, PLAYBOOK.fields, PLAYBOOK.name, None);
    found.append(&mut walk.found);
    rules::hold(root.get_ref(), found);
    if !found.is_empty() {
        return None;
    }
    let span = root.span();
    let whole = toml::Spanned::new(span, DeValue::Table(root.into_inner()));
    match Playbook::deserialize(ValueDeserializer::from(whole)) {
        Ok(playbook) => Some(playbook),
        Err(error) => {
            let kind = FileFault::NotLoaded {
                message: error.message().to_owned(),
            };
            found.push((error.span().map_or(0, |span| span.start), kind.into()));
            None
        }
    }
}

/// Where a value lies too deep. The parser stops itself long before a stack ends.
fn deep(value: &Value<'_>, depth: usize) -> Option<usize> {
    if depth > DEPTH_MAX {
        return Some(value.span().start);
    }
    match value.get_ref() {
        DeValue::Table(table) => table.values().find_map(|value| deep(value, depth + 1)),
        DeValue::Array(list) => list.iter().find_map(|value| deep(value, depth + 1)),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    }
}
