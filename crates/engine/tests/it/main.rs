//! What the engine does, told as scripts of timed facts.

mod acts;
mod bad_input;
mod card;
mod causes;
mod commands;
mod conduct;
mod drift;
mod failover;
mod feed;
mod handoffs;
mod layers;
mod learning;
mod liveness;
mod next;
mod props;
mod rates;
mod runs;
mod runs_floor;
mod runs_line;
mod runs_people;
mod runs_props;
mod script;
mod sight;
mod silence;
mod traps;
mod waits;
