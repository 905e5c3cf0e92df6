//! Every Rust file is a target of cargo or a module of one.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_tests::place;

use crate::tree::{File, files, metadata};

/// The files that `roots` do not reach, and the modules that have no file.
fn complaints(files: &[File], roots: &[String]) -> Vec<String> {
    let sources: BTreeMap<&str, &str> = files
        .iter()
        .filter(|file| file.is(&["rs"]))
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let mut complaints = Vec::new();
    let mut reached = BTreeSet::new();
    let mut to_read: Vec<(String, String)> = roots
        .iter()
        .map(|root| (root.clone(), folder_of(root).to_owned()))
        .collect();
    while let Some((path, folder)) = to_read.pop() {
        let Some(text) = sources.get(path.as_str()) else {
            complaints.push(format!("{path}: declared, and does not exist"));
            continue;
        };
        for module in modules(text) {
            let inside = format!("{folder}/{module}");
            let as_mod = format!("{inside}/mod.rs");
            let file = if sources.contains_key(as_mod.as_str()) {
                as_mod
            } else {
                format!("{inside}.rs")
            };
            to_read.push((file, inside));
        }
        reached.insert(path);
    }
    let dead = sources.keys().filter(|path| !reached.contains(**path));
    complaints.extend(dead.map(|path| format!("{path}: dead, no module or target declares it")));
    complaints
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The names in `mod name;`, whatever their visibility.
fn modules(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let declared = line.trim().strip_suffix(';')?;
        let (before, name) = declared.rsplit_once("mod ").unwrap_or(("", ""));
        let is_visibility = before.is_empty() || before.starts_with("pub");
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        (is_visibility && is_name).then_some(name)
    })
}

#[test]
fn no_file_is_dead() {
    let root = place::root();
    let roots: Vec<String> = metadata()["packages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|package| package["targets"].as_array().unwrap())
        .map(|target| target["src_path"].as_str().unwrap())
        .map(|path| path.strip_prefix(root.to_str().unwrap()).unwrap())
        .map(|path| path.trim_start_matches('/').to_owned())
        .collect();
    crate::hold(&complaints(files(), &roots));
}

#[test]
fn it_bites() {
    let files = [
        File::of(
            "a/src/lib.rs",
            "//! mod prose;\nmod one;\npub(crate) mod two;\nmod tests {\n}\n",
        ),
        File::of("a/tests/all.rs", "mod shared;\n"),
        File::of("a/tests/shared/mod.rs", ""),
        File::of("a/src/one.rs", "#[cfg(test)]\nmod tests;\n"),
        File::of("a/src/one/tests.rs", ""),
        File::of("a/src/three.rs", ""),
    ];
    assert_eq!(
        complaints(
            &files,
            &["a/src/lib.rs".to_owned(), "a/tests/all.rs".to_owned()]
        ),
        [
            "a/src/two.rs: declared, and does not exist",
            "a/src/three.rs: dead, no module or target declares it",
        ]
    );
}
