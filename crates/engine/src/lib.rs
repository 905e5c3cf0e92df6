//! The sans-IO core: facts, people's requests and outcomes in; effects out.
//!
//! The engine cannot fail: bad input becomes a counted anomaly or a refusal.
//! Deliberately absent: a clock (time is an argument), sockets, SQL, JSON, threads, randomness.
//! Same inputs, same effects, byte for byte.
//!
//! ```text
//! handle(Input, now) ----+
//!                        +--> state of calls, bridges, commands, handoffs --> poll_effect()
//! handle_timeout(now) ---+                                               --> poll_timeout()
//! ```
//!
//! Timers fire with the moment at which they were due, before the input that comes later: so the
//! effects do not depend on how punctually the shell calls.

#![deny(missing_docs)]

mod acts;
mod beats;
mod bridges;
mod calls;
mod card;
mod causes;
mod commands;
mod concerns;
mod config;
mod effect;
mod engine;
mod facts;
mod failover;
mod handoffs;
mod input;
mod learn;
mod ledger;
mod notes;
mod out;
mod patterns;
mod rates;
mod runs;
mod sight;
pub mod staffing;
mod timers;
mod watch;
mod words;

pub use config::{
    BeatLimits, Clamps, ConductLimits, Config, DriftLimits, Expectations, Learning, Levels,
    QueueLimits, RateLimits,
};
pub use effect::{Effect, Entry, Shown};
pub use engine::Engine;
pub use input::{Answer, AnswerState, BridgeChange, Control, Input, Person};
pub use patterns::QueuePattern;
