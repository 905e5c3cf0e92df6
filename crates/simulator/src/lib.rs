//! A simulated call platform that is worth looking at: real dialogues in several languages, the
//! layers that serve them, faults to break them with, and every command of the bridge face.
//!
//! It exists so that Holdfast can be shown, rehearsed and tested without a telephone: it connects
//! to a hub as any other bridge does, over a real WebSocket.
//!
//! - [`Platform`] is the pure core: time in, events and answers out, the same for the same seed.
//! - [`Simulator`] is the core with a clock and a connection.

#![deny(missing_docs)]

mod answers;
mod bridge;
mod call;
pub mod corpus;
mod dialogue;
mod effects;
mod faults;
mod latency;
mod ledger;
mod platform;
mod pools;
mod services;
mod truth;

pub use bridge::shell::{RunningSimulator, Simulator, SimulatorConfig};
pub use call::{Event, Output};
pub use effects::{EFFECTS_MAX, Effect, EffectCount};
pub use faults::{FAULTS_MAX, FaultError, FaultKind};
pub use holdfast_domain::FaultScope;
pub use holdfast_link::{ClosedReason, Token};
pub use platform::{CALLS_MAX, Platform, PlatformConfig, WorldKind};
pub use truth::{AskTruth, CallTruth, PromiseTruth, ToolTruth, Went};
