//! Programs of ours together: the hub as a process, a real Pipecat bot as a process, and the
//! console's core.

mod bot;
mod cuts;
mod desk;
mod failover;
mod pipecat;
mod scene;
