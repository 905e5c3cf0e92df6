//! What the engine does, told as scripts of timed facts.

mod acts;
mod card;
mod commands;
mod conduct;
mod feed;
mod handoffs;
mod layers;
mod props;
mod script;
mod silence;
mod traps;
