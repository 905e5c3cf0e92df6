//! The files of the checkout, and what cargo says about its packages.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use holdfast_tests::place;
use ignore::WalkBuilder;
use serde_json::Value;

/// A text file, with its path from the root of the checkout.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// A file that does not exist, to show that a rule bites.
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Whether its name ends with one of these, without the dot.
    pub(crate) fn is(&self, endings: &[&str]) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|ending| endings.iter().any(|one| ending == *one))
    }

    /// Its lines with their places, to be shown in a complaint.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (String, &str)> {
        let place = |(index, line)| (format!("{}:{}", self.path, index + 1), line);
        self.text.lines().enumerate().map(place)
    }
}

/// Every text file that is, or could be, committed. Git is not asked, so that a copy of the
/// checkout without its history can be tested too.
pub(crate) fn files() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
        let root = place::root();
        let mut files: Vec<File> = WalkBuilder::new(&root)
            .hidden(false)
            .parents(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .filter_map(|entry| {
                let text = fs::read_to_string(entry.path()).ok()?; // pictures are no text
                let path = entry.path().strip_prefix(&root).unwrap();
                Some(File::of(path.to_str().unwrap(), &text))
            })
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files
    });
    &FILES
}

/// `cargo metadata` without dependencies' own metadata.
pub(crate) fn metadata() -> &'static Value {
    static METADATA: LazyLock<Value> = LazyLock::new(|| {
        let arguments = [
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ];
        serde_json::from_str(&cargo(&arguments)).unwrap()
    });
    &METADATA
}

/// What cargo says.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(place::root())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo {}: {complaint}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_walk_sees_what_is_committed_and_nothing_else() {
    let has = |path: &str| files().iter().any(|file| file.path == path);
    assert!(has("Cargo.toml") && has(".cargo/config.toml") && has("tests/house/tree.rs"));
    assert!(files().iter().all(|file| {
        ["target/", ".git/", "ui/node_modules/", "ui/dist/"]
            .iter()
            .all(|folder| !file.path.starts_with(folder))
    }));
}
