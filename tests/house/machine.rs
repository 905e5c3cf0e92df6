//! Nothing that is committed speaks of the machine that it was written on: no path of its owner,
//! no address of a package registry.

use crate::tree::{File, files};

/// Folders of a person or a machine, where a path begins with them.
const FOLDERS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// The home of a person whom nobody is: in examples and in the window's fake.
const NOBODY: &str = concat!("/ho", "me/sam/");

/// How settings and lock files name a registry.
const REGISTRIES: &[&str] = &[
    concat!("index", "-url"),
    concat!("find", "-links"),
    concat!("replace", "-with"),
    concat!("\"resolved\": ", "\"http"),
    concat!("art", "ifactory"),
];

/// The one registry that a lock file may name: cargo writes it, for everybody the same.
const CARGO_SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn complaints(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (place, line) in file.lines() {
            let line_of_somebody = line.replace(NOBODY, "");
            if FOLDERS
                .iter()
                .any(|folder| begins_path(&line_of_somebody, folder))
            {
                complaints.push(format!("{place}: a path of somebody's machine"));
            }
            if REGISTRIES.iter().any(|registry| line.contains(registry)) {
                complaints.push(format!("{place}: the address of a registry"));
            }
            let is_source = file.path == "Cargo.lock" && line.starts_with("source = ");
            if is_source && line != format!("source = \"{CARGO_SOURCE}\"") {
                complaints.push(format!("{place}: not from crates.io"));
            }
        }
    }
    complaints
}

/// Whether a path in the line begins with the folder: nothing of a path stands before it.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._-})$~/".contains(letter))
    })
}

#[test]
fn no_machine_is_spoken_of() {
    crate::hold(&complaints(files()));
}

#[test]
fn it_bites() {
    for (path, text) in [
        ("a.md", format!("run it in {}me", FOLDERS[0])),
        ("a.sh", format!("cd \"{}me\"", FOLDERS[2])),
        (
            ".npmrc",
            format!("{}=https://packages.example", REGISTRIES[0]),
        ),
        (
            "ui/package-lock.json",
            format!("  {}s://packages.example/a.tgz\",", REGISTRIES[3]),
        ),
        (
            "Cargo.lock",
            "source = \"registry+https://packages.example\"".to_owned(),
        ),
    ] {
        assert_eq!(
            complaints(&[File::of(path, &text)]).len(),
            1,
            "{path}: {text}"
        );
    }
    for (path, text) in [
        ("a.rs", format!("docs{}me", FOLDERS[1])),
        ("a.ts", format!("\"{NOBODY}.local\"")),
        ("Cargo.lock", format!("source = \"{CARGO_SOURCE}\"")),
    ] {
        crate::hold(&complaints(&[File::of(path, &text)]));
    }
}
