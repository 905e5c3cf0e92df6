//! Of regions, zones and workers.

use holdfast_domain::CauseDimension::{Queue, Region, Zone};
use holdfast_domain::Layer::Infrastructure;

use super::{family, hit};
use crate::corpus::Expected::Latency;
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "workers_lost_queue",
        Infrastructure,
        "the workers of one queue die",
        &[hit("worker_lost", Infrastructure, &[Queue])],
    ),
    family(
        "region_down",
        Infrastructure,
        "a whole region is unreachable",
        &[hit("region_down", Infrastructure, &[Region]).outage()],
    ),
    family(
        "workers_lost_zone",
        Infrastructure,
        "the workers of one zone die",
        &[hit("worker_lost", Infrastructure, &[Zone])],
    )
    .held_out(),
    family(
        "starved_region",
        Infrastructure,
        "no new workers come in one region",
        &[hit("workers_starved", Infrastructure, &[Region]).starved()],
    )
    .is(Latency),
    family(
        "starved_zone",
        Infrastructure,
        "no new workers come in one zone",
        &[hit("workers_starved", Infrastructure, &[Zone]).starved()],
    )
    .is(Latency)
    .held_out(),
];
