//! What serves a layer, and the ladder of fallbacks.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Layer;
use crate::playbook::Parity;

/// A service that a call can use in one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The layer it serves.
    pub layer: Layer,
    /// Its name on the platform, unique within the call.
    pub name: String,
    /// The vendor behind it; empty when the platform does not say.
    pub provider: String,
    /// The model or voice; empty when the platform does not say.
    pub model: String,
    /// Where it runs; empty when the platform does not say.
    pub region: String,
    /// The part of the region where it runs; empty when the platform does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// It serves the call now.
    pub active: bool,
    /// The platform would let it serve.
    pub usable: bool,
    /// Its place on the failover ladder.
    pub rung: Rung,
    /// In what it is not the equal of the services beside it, as far as the platform says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Parity>>", optional)]
    pub lacks: Vec<Parity>,
}

/// A step of the failover ladder, best first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// As designed.
    #[default]
    Primary,
    /// The same model, in another zone or region.
    Retry,
    /// Another model, fewer dependencies.
    Backup,
    /// Minimal viable conversation: scripted, non-essential steps skipped.
    Minimal,
    /// A human agent.
    Human,
}
