//! The desktop without a window.
//!
//! ```text
//! hub <--WebSocket--> link --> replica --Frame--> window
//!                      ^                            |
//!                      +---------- Request ---------+
//! ```
//!
//! - [`Replica`] is the pure part: what the hub said, how old it is, what changed since the window
//!   last painted.
//! - [`Console`] is the loop around it: it owns the link, the replica and the requests that wait
//!   for an answer.
//!
//! The window pulls; nothing is pushed at it, so a slow window costs nothing. The console never
//! acts while it is blind: a request is refused here when the view is stale.
//!
//! Deliberately absent: painting, configuration files, and any decision about a call.

#![deny(missing_docs)]

mod clock;
mod console;
mod replica;

pub use console::{Console, ConsoleConfig, Gone};
pub use holdfast_link::Token;
pub use replica::{Applied, ROWS_IN_VIEW_MAX, Replica};
