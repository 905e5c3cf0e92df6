//! The words on the wire.
//!
//! - [`bridge`]: what bridge and hub say to each other; `docs/protocol/bridge.md` is its reference.
//! - [`event`]: one event of the catalogue, parsed type-first, and written.
//! - [`console`]: what hub and console say to each other.
//! - [`window`]: what the console gives to the window, once per animation frame.
//! - [`vcon`]: a call with its card as other programs read it, and the reading of theirs.
//! - [`address`]: how a call is named in a link and in a SIP header.
//! - [`error`]: the closed list of what can be wrong, for all three.
//! - [`generate`]: the TypeScript for the window.
//! - [`clock`]: the one place that reads the wall clock.
//!
//! Deliberately absent: sockets, queues, and any decision.

#![deny(missing_docs)]

pub mod address;
pub mod bridge;
pub mod clock;
pub mod console;
pub mod error;
pub mod event;
pub mod generate;
pub mod limits;
pub mod playbook;
mod schema;
pub mod vcon;
pub mod window;
mod wire;

/// The version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 1;
