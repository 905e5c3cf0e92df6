//! The playbooks that a hub has: those that ship, and those of its house.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use holdfast_domain::{Playbook, PlaybookId};

use super::fault::{Fault, FileFault};
use super::read::{check_file, read_playbook};

/// The playbooks that ship, each with the name of its file.
pub const SHIPPED: [(&str, &str); 8] = [
    (
        "model-vendor-down.toml",
        include_str!("../../../../playbooks/model-vendor-down.toml"),
    ),
    (
        "region-down.toml",
        include_str!("../../../../playbooks/region-down.toml"),
    ),
    (
        "tool-stalled.toml",
        include_str!("../../../../playbooks/tool-stalled.toml"),
    ),
    (
        "tts-silent.toml",
        include_str!("../../../../playbooks/tts-silent.toml"),
    ),
    (
        "asr-failing.toml",
        include_str!("../../../../playbooks/asr-failing.toml"),
    ),
    (
        "runaway-latency.toml",
        include_str!("../../../../playbooks/runaway-latency.toml"),
    ),
    (
        "stop-all-ai.toml",
        include_str!("../../../../playbooks/stop-all-ai.toml"),
    ),
    (
        "planned-vendor-switch.toml",
        include_str!("../../../../playbooks/planned-vendor-switch.toml"),
    ),
];

/// The most files that are read from a folder: more are no library that a person knows.
pub(super) const FILES_MAX: usize = 1_000;

/// The playbooks of a hub, by id.
#[derive(Debug, Clone, Default)]
pub struct Library {
    playbooks: BTreeMap<PlaybookId, Playbook>,
}

/// A file that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFile {
    /// The file.
    pub path: PathBuf,
    /// Everything that is wrong with it.
    pub faults: Vec<Fault>,
}

impl Library {
    /// The playbooks that ship.
    pub fn shipped() -> Self {
        let playbooks = SHIPPED
            .iter()
            .filter_map(|(_, text)| read_playbook(text.as_bytes()).ok())
            .map(|playbook| (playbook.id.clone(), playbook))
            .collect();
        Self { playbooks }
    }

    /// Adds the files of a folder that end in `.toml`, in the order of their names. One with the id
    /// of a playbook that ships takes its place. Files with faults are left out and told.
    pub fn add_folder(&mut self, folder: &Path) -> io::Result<Vec<BadFile>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut bad = Vec::new();
        if paths.len() > FILES_MAX {
            return Err(io::Error::other(format!(
                "it holds {} playbooks, the limit is {FILES_MAX}",
                paths.len()
            )));
        }
        for (path, read) in check_files(&paths) {
            match read {
                Ok(playbook) => {
                    self.playbooks.insert(playbook.id.clone(), playbook);
                }
                Err(faults) => bad.push(BadFile { path, faults }),
            }
        }
        Ok(bad)
    }

    /// One of them.
    pub fn get(&self, id: &PlaybookId) -> Option<&Playbook> {
        self.playbooks.get(id)
    }

    /// All, in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Playbook> {
        self.playbooks.values()
    }

    /// The playbooks that ship and those of a hub's own folder, with what is wrong in it told to
    /// the log: a hub must come up in an outage whatever somebody left in a folder.
    pub(crate) fn open(folder: Option<&Path>) -> Self {
        let mut library = Self::shipped();
        let Some(folder) = folder else {
            return library;
        };
        match library.add_folder(folder) {
            Ok(bad) => {
                for BadFile { path, faults } in bad {
                    let file = path.display().to_string();
                    for fault in faults {
                        tracing::error!("a playbook is left out: {}", fault.told(&file));
                    }
                }
            }
            Err(error) => tracing::error!(
                folder = %folder.display(),
                %error,
                "the folder of playbooks cannot be read; only those that ship are there"
            ),
        }
        tracing::info!(playbooks = library.iter().len(), "playbooks are loaded");
        library
    }
}

/// Checks files, also against each other.
pub fn check_files(files: &[PathBuf]) -> Vec<(PathBuf, Result<Playbook, Vec<Fault>>)> {
    let mut seen = BTreeMap::<PlaybookId, PathBuf>::new();
    let check = |path: &PathBuf| {
        let playbook = check_file(path)?;
        if let Some(other) = seen.get(&playbook.id) {
            return Err(vec![same_id(&playbook.id, other)]);
        }
        seen.insert(playbook.id.clone(), path.clone());
        Ok(playbook)
    };
    let checked: Vec<_> = files.iter().map(check).collect();
    files.iter().cloned().zip(checked).collect()
}

/// The fault of a second file with the same id.
fn same_id(id: &PlaybookId, other: &Path) -> Fault {
    Fault {
        line: 1,
        column: 1,
        kind: FileFault::SameId {
            id: id.to_string(),
            other: other.display().to_string(),
        }
        .into(),
    }
}
