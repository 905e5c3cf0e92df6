//! What callers hear is there, in every language, and is heard.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::{Draft, Found, Value, find, text, twice};
use crate::playbook::fault::{SentenceFault, StepFault};
use crate::playbook::words::nearest;

pub(super) fn hold(draft: &Draft<'_, '_>, found: &mut Found) {
    let languages = languages(draft.root);
    for (language, byte) in twice(languages.iter().copied()) {
        let (what, name) = ("the language", language.to_owned());
        found.push((byte, StepFault::Twice { what, name }.into()));
    }
    let announcements = tables(find(draft.root, &["announcements"]));
    for (name, (byte, sentences)) in &announcements {
        in_every_language(name, *byte, sentences, &languages, found);
    }
    let mut said = Vec::new();
    for part in ["steps", "rollback", "armed"] {
        if let Some(value) = draft.root.get(part) {
            names(value, &mut said);
        }
    }
    for (name, byte) in &said {
        if !announcements.contains_key(name) {
            let near = nearest(name, announcements.keys().copied());
            let fault = SentenceFault::NoSuchAnnouncement {
                name: (*name).to_owned(),
                nearest: near.map(str::to_owned),
            };
            found.push((*byte, fault.into()));
        }
    }
    let said: BTreeSet<&str> = said.into_iter().map(|(name, _)| name).collect();
    for (name, (byte, _)) in &announcements {
        if !said.contains(name) {
            let name = (*name).to_owned();
            found.push((*byte, SentenceFault::UnusedAnnouncement { name }.into()));
        }
    }
}

fn languages<'a>(root: &'a DeTable<'_>) -> Vec<(&'a str, usize)> {
    match root.get("languages").map(toml::Spanned::get_ref) {
        Some(DeValue::Array(list)) => list.iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

/// The tables in a table, each with the byte of its name.
fn tables<'a, 'i>(value: Option<&'a Value<'i>>) -> BTreeMap<&'a str, (usize, &'a DeTable<'i>)> {
    let Some(DeValue::Table(table)) = value.map(toml::Spanned::get_ref) else {
        return BTreeMap::new();
    };
    table
        .iter()
        .filter_map(|(name, value)| match value.get_ref() {
            DeValue::Table(inside) => {
                let key: &str = name.get_ref();
                Some((key, (name.span().start, inside)))
            }
            _ => None,
        })
        .collect()
}

fn in_every_language(
    name: &str,
    byte: usize,
    sentences: &DeTable<'_>,
    languages: &[(&str, usize)],
    found: &mut Found,
) {
    let named: BTreeSet<&str> = languages.iter().map(|(language, _)| *language).collect();
    for language in &named {
        if !sentences.contains_key(*language) {
            let fault = SentenceFault::LanguageMissing {
                announcement: name.to_owned(),
                language: (*language).to_owned(),
            };
            found.push((byte, fault.into()));
        }
    }
    for language in sentences.keys() {
        if !named.is_empty() && !named.contains(&**language.get_ref()) {
            let fault = SentenceFault::LanguageUnnamed {
                announcement: name.to_owned(),
                language: language.get_ref().to_string(),
            };
            found.push((language.span().start, fault.into()));
        }
    }
}

/// Every announcement that is named in a value, in the order of the keys.
fn names<'a>(value: &'a Value<'_>, said: &mut Vec<(&'a str, usize)>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (key, value) in table {
                if key.get_ref() == "announcement" {
                    said.extend(text(value));
                } else {
                    names(value, said);
                }
            }
        }
        DeValue::Array(list) => list.iter().for_each(|value| names(value, said)),
        _ => {}
    }
}
