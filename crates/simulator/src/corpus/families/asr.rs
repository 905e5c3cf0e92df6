//! Of speech recognition.

use holdfast_domain::CauseDimension::{Language, Model, Provider, Queue, Region, Zone};
use holdfast_domain::Layer::Asr;

use super::{family, hit};
use crate::corpus::Expected::{AliveButEmpty, DeadProvider, FaultRate};
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "asr_silent_vendor",
        Asr,
        "speech goes in, no transcript comes out, of one vendor",
        &[hit("asr_silent", Asr, &[Provider])],
    )
    .is(AliveButEmpty)
    .held_out(),
    family(
        "asr_silent_model",
        Asr,
        "speech goes in, no transcript comes out, of one model",
        &[hit("asr_silent", Asr, &[Model])],
    )
    .is(AliveButEmpty),
    family(
        "asr_silent_vendor_region",
        Asr,
        "speech goes in, no transcript comes out, of one vendor in one region",
        &[hit("asr_silent", Asr, &[Provider, Region])],
    )
    .is(AliveButEmpty),
    family(
        "asr_silent_queue",
        Asr,
        "speech goes in, no transcript comes out, for one queue",
        &[hit("asr_silent", Asr, &[Queue])],
    )
    .is(AliveButEmpty)
    .held_out(),
    family(
        "asr_error_vendor",
        Asr,
        "speech recognition reports errors, of one vendor",
        &[hit("asr_error", Asr, &[Provider])],
    ),
    family(
        "asr_error_model",
        Asr,
        "speech recognition reports errors, of one model",
        &[hit("asr_error", Asr, &[Model])],
    ),
    family(
        "asr_error_vendor_region",
        Asr,
        "speech recognition reports errors, of one vendor in one region",
        &[hit("asr_error", Asr, &[Provider, Region])],
    )
    .held_out(),
    family(
        "asr_error_queue",
        Asr,
        "speech recognition reports errors, for one queue",
        &[hit("asr_error", Asr, &[Queue])],
    ),
    family(
        "asr_silent_half",
        Asr,
        "speech goes in, no transcript comes out, for half of the calls of one vendor",
        &[hit("asr_silent", Asr, &[Provider]).half()],
    ),
    family(
        "asr_error_half",
        Asr,
        "speech recognition reports errors, for half of the calls of one vendor",
        &[hit("asr_error", Asr, &[Provider]).half()],
    ),
    family(
        "asr_silent_zone",
        Asr,
        "speech goes in, no transcript comes out, in one zone of one vendor",
        &[hit("asr_silent", Asr, &[Provider, Zone])],
    )
    .is(AliveButEmpty),
    family(
        "asr_error_language",
        Asr,
        "speech recognition reports errors, in one language",
        &[hit("asr_error", Asr, &[Language])],
    ),
    family(
        "asr_garbled_vendor",
        Asr,
        "transcripts are empty or make no sense, of one vendor",
        &[hit("asr_garbled", Asr, &[Provider])],
    ),
    family(
        "asr_garbled_language",
        Asr,
        "transcripts are empty or make no sense, in one language",
        &[hit("asr_garbled", Asr, &[Language])],
    )
    .held_out(),
    family(
        "asr_dead_vendor",
        Asr,
        "a vendor of speech recognition dies, with its beats",
        &[hit("asr_dead", Asr, &[Provider])],
    )
    .is(DeadProvider)
    .held_out(),
    family(
        "asr_dead_vendor_region",
        Asr,
        "a vendor of speech recognition dies in one region, with its beats",
        &[hit("asr_dead", Asr, &[Provider, Region])],
    )
    .is(DeadProvider),
    family(
        "asr_rate_vendor_35",
        Asr,
        "2 % of turns fail, then 35 %, of one vendor",
        &[hit("asr_error", Asr, &[Provider]).rises(0.02, 0.35)],
    )
    .is(FaultRate),
];
