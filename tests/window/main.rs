//! The built app in its real window, driven as a person would.

#![expect(
    clippy::unwrap_used,
    reason = "a step that cannot be taken is a failed test"
)]

mod cause;
mod failover;
mod handoff;
mod run;
mod sight;
mod smoke;
mod team;
