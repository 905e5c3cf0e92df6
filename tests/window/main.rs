//! The built app in its real window, driven as a person would.

mod failover;
mod handoff;
mod sight;
mod smoke;
