//! Of speech synthesis.

use holdfast_domain::CauseDimension::{Flow, Language, Model, Provider, Queue, Region, Zone};
use holdfast_domain::Layer::Tts;

use super::{family, hit};
use crate::corpus::Expected::{AliveButEmpty, DeadProvider, FaultRate};
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "tts_silent_vendor",
        Tts,
        "text goes in, no audio comes out, of one vendor",
        &[hit("tts_silent", Tts, &[Provider])],
    )
    .is(AliveButEmpty),
    family(
        "tts_silent_model",
        Tts,
        "text goes in, no audio comes out, of one model",
        &[hit("tts_silent", Tts, &[Model])],
    )
    .is(AliveButEmpty)
    .held_out(),
    family(
        "tts_silent_vendor_region",
        Tts,
        "text goes in, no audio comes out, of one vendor in one region",
        &[hit("tts_silent", Tts, &[Provider, Region])],
    )
    .is(AliveButEmpty),
    family(
        "tts_silent_queue",
        Tts,
        "text goes in, no audio comes out, for one queue",
        &[hit("tts_silent", Tts, &[Queue])],
    )
    .is(AliveButEmpty),
    family(
        "tts_error_vendor",
        Tts,
        "speech synthesis reports errors, of one vendor",
        &[hit("tts_error", Tts, &[Provider])],
    )
    .held_out(),
    family(
        "tts_error_model",
        Tts,
        "speech synthesis reports errors, of one model",
        &[hit("tts_error", Tts, &[Model])],
    ),
    family(
        "tts_error_vendor_region",
        Tts,
        "speech synthesis reports errors, of one vendor in one region",
        &[hit("tts_error", Tts, &[Provider, Region])],
    ),
    family(
        "tts_error_queue",
        Tts,
        "speech synthesis reports errors, for one queue",
        &[hit("tts_error", Tts, &[Queue])],
    )
    .held_out(),
    family(
        "tts_truncated_vendor",
        Tts,
        "audio stops before its text does, of one vendor",
        &[hit("tts_truncated", Tts, &[Provider])],
    ),
    family(
        "tts_truncated_model",
        Tts,
        "audio stops before its text does, of one model",
        &[hit("tts_truncated", Tts, &[Model])],
    ),
    family(
        "tts_truncated_vendor_region",
        Tts,
        "audio stops before its text does, of one vendor in one region",
        &[hit("tts_truncated", Tts, &[Provider, Region])],
    )
    .held_out(),
    family(
        "tts_truncated_queue",
        Tts,
        "audio stops before its text does, for one queue",
        &[hit("tts_truncated", Tts, &[Queue])],
    ),
    family(
        "tts_silent_half",
        Tts,
        "text goes in, no audio comes out, for half of the calls of one vendor",
        &[hit("tts_silent", Tts, &[Provider]).half()],
    )
    .held_out(),
    family(
        "tts_error_half",
        Tts,
        "speech synthesis reports errors, for half of the calls of one vendor",
        &[hit("tts_error", Tts, &[Provider]).half()],
    ),
    family(
        "tts_silent_flapping",
        Tts,
        "no audio, ten seconds on and ten off, of one vendor",
        &[hit("tts_silent", Tts, &[Provider]).on_off(10000)],
    )
    .held_out(),
    family(
        "tts_silent_zone",
        Tts,
        "text goes in, no audio comes out, in one zone of one vendor",
        &[hit("tts_silent", Tts, &[Provider, Zone])],
    )
    .is(AliveButEmpty),
    family(
        "tts_error_language",
        Tts,
        "speech synthesis reports errors, in one language",
        &[hit("tts_error", Tts, &[Language])],
    )
    .held_out(),
    family(
        "tts_truncated_flow",
        Tts,
        "audio stops before its text does, for one dialogue flow",
        &[hit("tts_truncated", Tts, &[Flow])],
    ),
    family(
        "tts_dead_vendor",
        Tts,
        "a vendor of speech synthesis dies, with its beats",
        &[hit("tts_dead", Tts, &[Provider])],
    )
    .is(DeadProvider),
    family(
        "tts_dead_vendor_region",
        Tts,
        "a vendor of speech synthesis dies in one region, with its beats",
        &[hit("tts_dead", Tts, &[Provider, Region])],
    )
    .is(DeadProvider)
    .held_out(),
    family(
        "tts_rate_vendor_50",
        Tts,
        "2 % of turns fail, then 50 %, of one vendor",
        &[hit("tts_error", Tts, &[Provider]).rises(0.02, 0.5)],
    )
    .is(FaultRate)
    .held_out(),
];
