//! Services of the speech and language layers.

use std::collections::BTreeMap;

use holdfast_domain::fact::{LatencyMetric, SwitchCause};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::schema;
use crate::wire::{NotNegative, SecsFine, WireText};

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ServiceLatency<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
    #[schemars(with = "schema::LatencyMetricName")]
    pub(crate) metric: LatencyMetric,
    pub(crate) seconds: SecsFine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) probe: Option<bool>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ServiceUsage<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) characters: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audio_seconds: Option<NotNegative>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ServiceError<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
    #[serde(borrow, rename = "error.type")]
    pub(crate) error_type: WireText<'a>,
    #[serde(borrow)]
    pub(crate) message: WireText<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permanent: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recoverable: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usable: Option<bool>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ServiceAvailability<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
    pub(crate) available: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<WireText<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ServiceSwitched<'a> {
    #[serde(borrow)]
    pub(crate) from: WireText<'a>,
    #[serde(borrow)]
    pub(crate) to: WireText<'a>,
    #[schemars(with = "schema::SwitchCauseName")]
    pub(crate) cause: SwitchCause,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ServiceSettings<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::AnyObject>")]
    pub(crate) changed: Option<BTreeMap<WireText<'a>, &'a RawValue>>,
}
