//! Measures and searches: the score of diagnosis, benchmarks, a campaign of crashes, exploration in
//! virtual time.
//!
//! Everything here judges the product from outside: a score is made from labels that the simulator
//! knows because it broke the thing itself, never from what the engine says about itself.
//! Deliberately absent: anything that the product needs to run.

pub mod bench;
pub mod card;
pub mod clock;
pub mod crash;
pub mod diagnosis;
pub mod environment;
pub mod failover;
pub mod fanout;
pub mod handoffs;
pub mod listen;
pub mod masking;
pub mod score;
mod teller;
