//! Who knows whom is exactly what `docs/architecture.md` says, and the core knows nothing outside.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::tree::{File, cargo, files, metadata};

/// The document whose table of rooms is held.
const MAP: &str = "docs/architecture.md";

/// Crates of others that only these packages may depend on.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("rusqlite", &["holdfast-journal"]),
    ("tauri", &["holdfast"]),
    ("tauri-build", &["holdfast"]),
    // The lab measures a fan-out over a socket of its own.
    (
        "tokio-tungstenite",
        &["holdfast-hub", "holdfast-lab", "holdfast-link"],
    ),
    ("ts-rs", &["holdfast-domain", "holdfast-protocol"]),
    ("schemars", &["holdfast-protocol"]),
];

/// Everything that the core may depend on directly, beside rooms of ours.
const CORE_KNOWS: &[(&str, &[&str])] = &[
    ("holdfast-domain", &["serde", "ts-rs"]),
    ("holdfast-engine", &["rustc-hash", "serde"]),
    ("holdfast-privacy", &[]),
];

/// What the core must not depend on even through others: IO, runtimes, windows, clocks, chance.
const NOT_IN_CORE: &[&str] = &[
    "async-std",
    "chrono",
    "futures",
    "getrandom",
    "hyper",
    "jiff",
    "mio",
    "rand",
    "rusqlite",
    "smol",
    "socket2",
    "tauri",
    "time",
    "tokio",
    "tracing",
];

/// The packages of the workspace: each name with its folder and what it depends on.
type Packages = BTreeMap<String, Package>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Package {
    folder: String,
    /// Without those for tests.
    knows: BTreeSet<String>,
    /// Only those for tests.
    knows_in_tests: BTreeSet<String>,
}

fn packages(metadata: &Value) -> Packages {
    let root = metadata["workspace_root"].as_str().unwrap();
    let mut packages = Packages::new();
    for told in metadata["packages"].as_array().unwrap() {
        let manifest = told["manifest_path"].as_str().unwrap();
        let folder = manifest
            .strip_prefix(root)
            .unwrap()
            .trim_end_matches("Cargo.toml");
        let mut package = Package {
            folder: folder.trim_matches('/').to_owned(),
            ..Package::default()
        };
        for dependency in told["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap().to_owned();
            if dependency["kind"] == "dev" {
                package.knows_in_tests.insert(name);
            } else {
                package.knows.insert(name);
            }
        }
        packages.insert(told["name"].as_str().unwrap().to_owned(), package);
    }
    packages
}

/// The table of the map: each row is a folder, a sentence, and the rooms that it knows.
fn map(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut rows = BTreeMap::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [folder, _, knows] = cells[..]
            && let Some(folder) = folder
                .strip_prefix('`')
                .and_then(|rest| rest.strip_suffix('`'))
        {
            let knows = knows
                .split(", ")
                .map(|name| name.trim_matches('`').to_owned());
            rows.insert(
                folder.to_owned(),
                knows.filter(|name| name != "-").collect(),
            );
        }
    }
    rows
}

fn about_map(packages: &Packages, map: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut complaints = Vec::new();
    // Rooms are called by the last part of their folder, in the map.
    let room = |package: &Package| package.folder.rsplit('/').next().unwrap_or("").to_owned();
    let rooms_among = |names: &BTreeSet<String>| -> BTreeSet<String> {
        names
            .iter()
            .filter_map(|name| packages.get(name))
            .map(room)
            .collect()
    };
    for (name, package) in packages {
        let Some(may) = map.get(&package.folder) else {
            complaints.push(format!("{MAP}: does not name {} ({name})", package.folder));
            continue;
        };
        // What runs the whole may know all of it.
        if may.contains("any") {
            continue;
        }
        let does = rooms_among(&package.knows);
        for room in does.difference(may) {
            complaints.push(format!("{name} knows {room}; {MAP} does not say so"));
        }
        for room in may.difference(&does) {
            complaints.push(format!("{MAP} says that {name} knows {room}; it does not"));
        }
        // Every test may speak of values; what else it knows, the room itself must know.
        for room in rooms_among(&package.knows_in_tests).difference(may) {
            complaints.push(format!(
                "{name} knows {room} in its tests; {MAP} does not say so"
            ));
        }
    }
    complaints
}

fn about_others(packages: &Packages) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, package) in packages {
        for (other, may) in KEPT_TO {
            if package.knows.contains(*other) && !may.contains(&name.as_str()) {
                complaints.push(format!(
                    "{name} depends on {other}, which is kept to {may:?}"
                ));
            }
        }
    }
    for (name, may) in CORE_KNOWS {
        let Some(package) = packages.get(*name) else {
            complaints.push(format!("{name} is not there"));
            continue;
        };
        for other in &package.knows {
            if !may.contains(&other.as_str()) && !packages.contains_key(other) {
                complaints.push(format!("{name} is core and depends on {other}"));
            }
        }
    }
    complaints
}

/// `tree` is what `cargo tree --prefix none` says: one "name version" a line.
fn about_core(name: &str, tree: &str) -> Vec<String> {
    let depends = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    depends
        .filter(|other| NOT_IN_CORE.iter().any(|one| one == other))
        .map(|other| format!("{name} is core and depends on {other} through others"))
        .collect()
}

#[test]
fn rooms_know_whom_the_map_says() {
    let document = files().iter().find(|file| file.path == MAP).unwrap();
    crate::hold(&about_map(&packages(metadata()), &map(&document.text)));
}

#[test]
fn crates_of_others_are_kept_to_their_rooms() {
    crate::hold(&about_others(&packages(metadata())));
}

#[test]
fn the_core_depends_on_nothing_outside() {
    for (name, _) in CORE_KNOWS {
        let tree = cargo(&[
            "tree",
            "--package",
            name,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--offline",
        ]);
        assert!(
            tree.contains("serde"),
            "cargo tree said nothing of use: {tree}"
        );
        crate::hold(&about_core(name, &tree));
    }
}

#[test]
fn every_package_states_the_lints_of_the_house() {
    for (name, package) in packages(metadata()) {
        let path = format!("{}/Cargo.toml", package.folder);
        let manifest = files().iter().find(|file| file.path == path).unwrap();
        assert!(
            states_lints(&manifest.text),
            "{name} does not state `[lints] workspace = true`"
        );
    }
}

fn states_lints(manifest: &str) -> bool {
    manifest.contains("[lints]\nworkspace = true")
}

#[test]
fn it_bites() {
    let package = |folder: &str, knows: &[&str], in_tests: &[&str]| Package {
        folder: folder.to_owned(),
        knows: knows.iter().map(ToString::to_string).collect(),
        knows_in_tests: in_tests.iter().map(ToString::to_string).collect(),
    };
    let packages: Packages = [
        (
            "holdfast-domain",
            package("crates/domain", &["serde", "rand"], &[]),
        ),
        (
            "holdfast-engine",
            package("crates/engine", &["holdfast-domain", "rusqlite"], &[]),
        ),
        (
            "holdfast-hub",
            package("crates/hub", &["holdfast-engine"], &["holdfast-link"]),
        ),
        ("holdfast-link", package("crates/link", &[], &[])),
        ("holdfast-tests", package("tests", &["holdfast-hub"], &[])),
    ]
    .map(|(name, package)| (name.to_owned(), package))
    .into();
    let document = File::of(
        MAP,
        "| Room | Is | Knows |\n|---|---|---|\n| `crates/domain` | values | - |\n\
         | `crates/engine` | core | - |\n| `crates/hub` | authority | `engine`, `domain` |\n\
         | `tests` | the whole | any |\n",
    );
    assert_eq!(
        about_map(&packages, &map(&document.text)),
        [
            "holdfast-engine knows domain; docs/architecture.md does not say so",
            "docs/architecture.md says that holdfast-hub knows domain; it does not",
            "holdfast-hub knows link in its tests; docs/architecture.md does not say so",
            "docs/architecture.md: does not name crates/link (holdfast-link)",
        ]
    );
    assert_eq!(
        about_others(&packages),
        [
            "holdfast-engine depends on rusqlite, which is kept to [\"holdfast-journal\"]",
            "holdfast-domain is core and depends on rand",
            "holdfast-engine is core and depends on rusqlite",
            "holdfast-privacy is not there",
        ]
    );
    let tree = "holdfast-engine v0.1.0\nserde v1.0.0\ntokio v1.0.0\n";
    assert_eq!(
        about_core("holdfast-engine", tree),
        ["holdfast-engine is core and depends on tokio through others"]
    );
    assert!(!states_lints("[package]\nname = \"a\"\n"));
}
