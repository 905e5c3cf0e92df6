//! Of the language model.

use holdfast_domain::CauseDimension::{
    Build, Flow, Language, Model, Provider, Queue, Region, Worker, Zone,
};
use holdfast_domain::Layer::Llm;

use super::{family, hit};
use crate::corpus::Expected::{AliveButEmpty, DeadProvider, FaultRate, Latency};
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "llm_503_vendor",
        Llm,
        "LLM answers 503, of one vendor",
        &[hit("llm_503", Llm, &[Provider])],
    ),
    family(
        "llm_503_model",
        Llm,
        "LLM answers 503, of one model",
        &[hit("llm_503", Llm, &[Model])],
    ),
    family(
        "llm_503_vendor_region",
        Llm,
        "LLM answers 503, of one vendor in one region",
        &[hit("llm_503", Llm, &[Provider, Region])],
    )
    .held_out(),
    family(
        "llm_503_queue",
        Llm,
        "LLM answers 503, for one queue",
        &[hit("llm_503", Llm, &[Queue])],
    ),
    family(
        "llm_rate_limited_vendor",
        Llm,
        "LLM refuses, of one vendor",
        &[hit("llm_rate_limited", Llm, &[Provider])],
    ),
    family(
        "llm_rate_limited_model",
        Llm,
        "LLM refuses, of one model",
        &[hit("llm_rate_limited", Llm, &[Model])],
    )
    .held_out(),
    family(
        "llm_rate_limited_vendor_region",
        Llm,
        "LLM refuses, of one vendor in one region",
        &[hit("llm_rate_limited", Llm, &[Provider, Region])],
    ),
    family(
        "llm_rate_limited_queue",
        Llm,
        "LLM refuses, for one queue",
        &[hit("llm_rate_limited", Llm, &[Queue])],
    ),
    family(
        "llm_hang_vendor",
        Llm,
        "LLM begins and says nothing, of one vendor",
        &[hit("llm_hang", Llm, &[Provider])],
    )
    .is(AliveButEmpty)
    .held_out(),
    family(
        "llm_hang_model",
        Llm,
        "LLM begins and says nothing, of one model",
        &[hit("llm_hang", Llm, &[Model])],
    )
    .is(AliveButEmpty),
    family(
        "llm_hang_vendor_region",
        Llm,
        "LLM begins and says nothing, of one vendor in one region",
        &[hit("llm_hang", Llm, &[Provider, Region])],
    )
    .is(AliveButEmpty),
    family(
        "llm_hang_queue",
        Llm,
        "LLM begins and says nothing, for one queue",
        &[hit("llm_hang", Llm, &[Queue])],
    )
    .is(AliveButEmpty)
    .held_out(),
    family(
        "llm_empty_vendor",
        Llm,
        "LLM answers with nothing, of one vendor",
        &[hit("llm_empty", Llm, &[Provider])],
    )
    .is(AliveButEmpty),
    family(
        "llm_empty_model",
        Llm,
        "LLM answers with nothing, of one model",
        &[hit("llm_empty", Llm, &[Model])],
    )
    .is(AliveButEmpty),
    family(
        "llm_empty_vendor_region",
        Llm,
        "LLM answers with nothing, of one vendor in one region",
        &[hit("llm_empty", Llm, &[Provider, Region])],
    )
    .is(AliveButEmpty)
    .held_out(),
    family(
        "llm_empty_queue",
        Llm,
        "LLM answers with nothing, for one queue",
        &[hit("llm_empty", Llm, &[Queue])],
    )
    .is(AliveButEmpty),
    family(
        "llm_slow_vendor",
        Llm,
        "LLM takes seconds to begin, of one vendor",
        &[hit("llm_slow", Llm, &[Provider])],
    )
    .is(Latency),
    family(
        "llm_slow_model",
        Llm,
        "LLM takes seconds to begin, of one model",
        &[hit("llm_slow", Llm, &[Model])],
    )
    .is(Latency)
    .held_out(),
    family(
        "llm_slow_vendor_region",
        Llm,
        "LLM takes seconds to begin, of one vendor in one region",
        &[hit("llm_slow", Llm, &[Provider, Region])],
    )
    .is(Latency),
    family(
        "llm_slow_queue",
        Llm,
        "LLM takes seconds to begin, for one queue",
        &[hit("llm_slow", Llm, &[Queue])],
    )
    .is(Latency),
    family(
        "llm_503_half",
        Llm,
        "LLM answers 503, for half of the calls of one vendor",
        &[hit("llm_503", Llm, &[Provider]).half()],
    ),
    family(
        "llm_rate_limited_half",
        Llm,
        "LLM refuses, for half of the calls of one vendor",
        &[hit("llm_rate_limited", Llm, &[Provider]).half()],
    )
    .held_out(),
    family(
        "llm_503_flapping",
        Llm,
        "LLM answers 503, ten seconds on and ten off, of one vendor",
        &[hit("llm_503", Llm, &[Provider]).on_off(10000)],
    ),
    family(
        "llm_503_zone",
        Llm,
        "LLM answers 503, in one zone of one vendor",
        &[hit("llm_503", Llm, &[Provider, Zone])],
    ),
    family(
        "llm_503_flow",
        Llm,
        "LLM answers 503, for one dialogue flow",
        &[hit("llm_503", Llm, &[Flow])],
    )
    .held_out(),
    family(
        "llm_empty_build",
        Llm,
        "LLM answers with nothing, for one build of the agent",
        &[hit("llm_empty", Llm, &[Build])],
    )
    .is(AliveButEmpty),
    family(
        "llm_empty_language",
        Llm,
        "LLM answers with nothing, in one language",
        &[hit("llm_empty", Llm, &[Language])],
    )
    .is(AliveButEmpty)
    .held_out(),
    family(
        "llm_503_worker",
        Llm,
        "LLM answers 503, to one worker",
        &[hit("llm_503", Llm, &[Worker])],
    ),
    family(
        "llm_hang_model_build",
        Llm,
        "LLM begins and says nothing, of one model for one build",
        &[hit("llm_hang", Llm, &[Model, Build])],
    )
    .is(AliveButEmpty),
    family(
        "llm_sluggish_model",
        Llm,
        "LLM takes five times as long, of one model",
        &[hit("llm_sluggish", Llm, &[Model])],
    )
    .is(Latency),
    family(
        "llm_sluggish_vendor_region",
        Llm,
        "LLM takes five times as long, of one vendor in one region",
        &[hit("llm_sluggish", Llm, &[Provider, Region])],
    )
    .is(Latency)
    .held_out(),
    family(
        "llm_dead_vendor",
        Llm,
        "an LLM vendor dies, with its beats",
        &[hit("llm_dead", Llm, &[Provider])],
    )
    .is(DeadProvider),
    family(
        "llm_dead_vendor_region",
        Llm,
        "an LLM vendor dies in one region, with its beats",
        &[hit("llm_dead", Llm, &[Provider, Region])],
    )
    .is(DeadProvider)
    .held_out(),
    family(
        "llm_rate_vendor_50",
        Llm,
        "2 % of turns fail, then 50 %, of one vendor",
        &[hit("llm_503", Llm, &[Provider]).rises(0.02, 0.5)],
    )
    .is(FaultRate),
    family(
        "llm_rate_model_20",
        Llm,
        "2 % of turns fail, then 20 %, of one model",
        &[hit("llm_503", Llm, &[Model]).rises(0.02, 0.2)],
    )
    .is(FaultRate)
    .held_out(),
    family(
        "llm_rate_flow_50",
        Llm,
        "2 % of turns fail, then 50 %, in one dialogue flow",
        &[hit("llm_503", Llm, &[Flow]).rises(0.02, 0.5)],
    )
    .is(FaultRate),
    family(
        "llm_pool_model_region",
        Llm,
        "one model in one region has too few machines",
        &[hit("llm_pool_full", Llm, &[Model, Region]).saturated()],
    )
    .is(Latency),
    family(
        "llm_pool_vendor_zone",
        Llm,
        "one vendor in one zone has too few machines",
        &[hit("llm_pool_full", Llm, &[Provider, Zone]).saturated()],
    )
    .is(Latency)
    .held_out(),
];
