//! Media, pipelines, workers, and the bridge's own stream.

use holdfast_domain::ActiveFault;
use holdfast_domain::fact::BeatOf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;
use crate::wire::{CallName, NotNegative, Share, WireText};

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TransportQuality {
    pub(crate) rtt_ms: NotNegative,
    pub(crate) jitter_ms: NotNegative,
    pub(crate) loss: Share,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TransportLink<'a> {
    #[serde(borrow)]
    pub(crate) reason: WireText<'a>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Pipeline {
    pub(crate) secs: NotNegative,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Worker<'a> {
    #[serde(borrow, rename = "worker")]
    pub(crate) name: WireText<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<WireText<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Beat<'a> {
    #[schemars(with = "schema::BeatOfName")]
    pub(crate) of: BeatOf,
    #[serde(borrow)]
    pub(crate) name: WireText<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<WireText<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct StreamSnapshot<'a> {
    #[serde(borrow)]
    pub(crate) calls: Vec<CallName<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct StreamGap {
    pub(crate) from_seq: u64,
    pub(crate) to_seq: u64,
    pub(crate) missing: u64,
}

/// No field.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Heartbeat {
    pub(crate) live_calls: u64,
    pub(crate) buffered: u64,
    pub(crate) unmapped: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct DrillFaultsChanged {
    #[schemars(with = "Vec<schema::ActiveFaultForm>")]
    pub(crate) active: Vec<ActiveFault>,
}
