//! The documents are short, and what they point at exists.

use holdfast_tests::place;

use crate::tree::{File, files};

/// The map of the house.
const MAP: &str = "docs/architecture.md";

/// The most lines of the map: more is not read in one go.
const MAP_LINES_MAX: usize = 250;

fn about_map(text: &str, folders: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    let length = text.lines().count();
    if length > MAP_LINES_MAX {
        complaints.push(format!(
            "{MAP}: {length} lines, the limit is {MAP_LINES_MAX}"
        ));
    }
    for folder in folders {
        if !text.contains(&format!("`{folder}`")) {
            complaints.push(format!("{MAP}: does not name `{folder}`"));
        }
    }
    let mut is_code = false;
    for (place, line) in File::of(MAP, text).lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        let is_prose = !is_code && !line.starts_with('|');
        if is_prose && has_two_sentences(line) {
            complaints.push(format!("{place}: more than one sentence on a line"));
        }
    }
    complaints
}

/// A full stop and then a capital letter; the number of a list's item is no sentence.
fn has_two_sentences(line: &str) -> bool {
    let line = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let line = line.strip_prefix(". ").unwrap_or(line);
    line.match_indices(". ").any(|(at, stop)| {
        let next = line[at + stop.len()..].chars().next();
        next.is_some_and(char::is_uppercase)
    })
}

/// Links in `[words](target)` to files of ours that are not there.
fn about_links(file: &File, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut complaints = Vec::new();
    for (place, line) in file.lines() {
        for (at, open) in line.match_indices("](") {
            let target = &line[at + open.len()..];
            let target = target.split([')', '#']).next().unwrap_or_default();
            let is_ours = !target.is_empty() && !target.contains("://");
            if is_ours && !exists(&format!("{folder}/{target}")) {
                complaints.push(format!("{place}: {target} does not exist"));
            }
        }
    }
    complaints
}

#[test]
fn the_map_is_short_and_names_every_room() {
    let text = &files().iter().find(|file| file.path == MAP).unwrap().text;
    let mut folders: Vec<String> = files()
        .iter()
        .filter_map(|file| {
            let parts: Vec<&str> = file.path.split('/').collect();
            match parts[..] {
                ["crates" | "bridges", room, _, ..] => Some(format!("{}/{room}", parts[0])),
                [room, _, ..] => Some(room.to_owned()),
                _ => None,
            }
        })
        .filter(|folder| folder != ".cargo")
        .collect();
    folders.dedup();
    crate::hold(&about_map(text, &folders));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = place::root();
    let exists = |path: &str| root.join(path.trim_start_matches('/')).exists();
    let documents = files().iter().filter(|file| file.is(&["md"]));
    let complaints: Vec<String> = documents
        .flat_map(|file| about_links(file, &exists))
        .collect();
    crate::hold(&complaints);
}

#[test]
fn it_bites() {
    let text = format!(
        "One. Two.\n```text\nOne. Two.\n```\n{}",
        "`tests`\n".repeat(250)
    );
    assert_eq!(
        about_map(&text, &["tests".to_owned(), "crates/hub".to_owned()]),
        [
            "docs/architecture.md: 254 lines, the limit is 250",
            "docs/architecture.md: does not name `crates/hub`",
            "docs/architecture.md:1: more than one sentence on a line",
        ]
    );
    let file = File::of(
        "docs/a.md",
        "[here](b.md#part), [gone](c.md), [web](https://a.example)\n",
    );
    let exists = |path: &str| path == "docs/b.md";
    assert_eq!(
        about_links(&file, &exists),
        ["docs/a.md:1: c.md does not exist"]
    );
}
