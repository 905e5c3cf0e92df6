//! The harness for tests of Holdfast as a whole.
//!
//! - [`program`]: a program of ours that runs, whose words are kept, and that ends with its guard.
//! - [`hub`]: the hub as a program, and tokens for it.
//! - [`cable`]: a network cable that can be cut and mended.
//! - [`desk`]: a console without its window, and what it would paint.
//! - [`desktop`]: a display in memory, with a session bus.
//! - [`window`]: the app's real window on such a display, driven over WebDriver.
//! - [`patience`]: waiting for something with a deadline.
//! - [`place`]: where the built programs are, and free ports.
//!
//! Deliberately absent: knowledge of what Holdfast does. That is the tests' own.

pub mod cable;
pub mod desk;
pub mod desktop;
pub mod hub;
pub mod patience;
pub mod place;
pub mod program;
pub mod window;
