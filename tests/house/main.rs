//! The rules of the house that a compiler and a linter do not hold.
//!
//! Each rule is a function from the files (or cargo's metadata) to complaints.
//! It has two tests: one that the house keeps it, and one that it bites.

#![expect(
    clippy::unwrap_used,
    reason = "a rule that cannot be looked at is a failed test"
)]

mod dead_files;
mod docs;
mod imports;
mod machine;
mod rooms;
mod signals;
mod sizes;
mod tree;
mod words;

/// Fails with every complaint, one a line.
#[track_caller]
fn hold(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
