//! Of callers' connections.

use holdfast_domain::CauseDimension::{Queue, Region, Zone};
use holdfast_domain::Layer::Network;

use super::{family, hit};
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "network_drop_queue",
        Network,
        "callers of one queue lose their connection",
        &[hit("network_drop", Network, &[Queue])],
    )
    .held_out(),
    family(
        "network_poor_queue",
        Network,
        "callers of one queue have a bad connection",
        &[hit("network_poor", Network, &[Queue])],
    ),
    family(
        "network_drop_region",
        Network,
        "callers of one region lose their connection",
        &[hit("network_drop", Network, &[Region])],
    ),
    family(
        "network_poor_zone",
        Network,
        "callers of one zone have a bad connection",
        &[hit("network_poor", Network, &[Zone])],
    )
    .held_out(),
];
