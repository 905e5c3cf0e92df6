//! Playbook files: read with every fault told at its place, shipped, and added to from a folder.
//!
//! ```text
//! text -> syntax (toml) -> form (protocol::playbook) -> rules between keys -> domain::Playbook
//! ```
//!
//! Each pass tells all that it finds, and a later one judges what the earlier left whole, so that a
//! person mends a file once and not once for each fault. A file with a fault does not load.
//! Deliberately absent: running a playbook.

mod fault;
mod form;
mod library;
mod place;
mod read;
mod rules;
mod words;

pub use fault::{CourseFault, Fault, FaultKind, FileFault, FormFault, SentenceFault, StepFault};
pub use library::check_files;
pub use library::{BadFile, Library, SHIPPED};
pub use read::{check_file, read_playbook};

use holdfast_domain::Playbook;

/// A playbook in a line: `stop-all-ai version 1, 3 steps, 2 stages, 5 languages`.
pub fn in_a_line(playbook: &Playbook) -> String {
    let Playbook { id, version, .. } = playbook;
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let (steps, stages) = (playbook.steps.len(), playbook.stages.len());
    format!(
        "{id} version {version}, {}, {}, {}",
        count(steps, "step"),
        count(stages, "stage"),
        count(playbook.languages.len(), "language")
    )
}

#[cfg(test)]
mod tests;
