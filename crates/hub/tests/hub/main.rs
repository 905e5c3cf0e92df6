//! The hub on real sockets, with a real journal.

#[expect(
    dead_code,
    reason = "it is the whole of a small client, of which each test uses a part"
)]
mod support;

mod bad_input;
mod consoles;
mod crash;
mod door;
mod links;
mod program;
mod write_ahead;
