//! The hub on real sockets, with a real journal.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and reads best with values"
)]

#[expect(
    dead_code,
    reason = "it is the whole of a small client, of which each test uses a part"
)]
mod support;

mod bad_input;
mod consoles;
mod crash;
mod door;
mod ledger;
mod links;
mod masking;
mod program;
mod runs;
mod write_ahead;
