//! One event of the catalogue: parsed type-first, and written.

pub(crate) mod data;
pub(crate) mod envelope;
pub(crate) mod kind;
mod parse;
mod read;
mod write;

pub use parse::parse_bridge_frame;
pub use write::{write_batch, write_event};

use std::borrow::Cow;

use holdfast_domain::fact::FactEnvelope;

use crate::bridge::BridgeFrame;
use crate::error::WireError;

/// What one text frame from a bridge holds.
#[derive(Debug)]
pub enum Inbound<'a> {
    /// A control frame.
    Control(BridgeFrame),
    /// One event, or a batch.
    Events(Vec<InboundEvent<'a>>),
}

/// One event as it came.
#[derive(Debug)]
pub struct InboundEvent<'a> {
    /// The bridge that it names.
    pub source: Cow<'a, str>,
    /// The epoch that it names.
    pub epoch: Cow<'a, str>,
    /// Its place in the source's order.
    pub sequence: u64,
    /// What it says; or why it cannot be read, in which case it still uses up its sequence.
    pub fact: Result<FactEnvelope<'a>, WireError>,
    /// Its own JSON, byte for byte.
    pub raw: &'a str,
}
