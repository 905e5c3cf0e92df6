//! The families, and where each strikes.

use holdfast_domain::Layer::{self, Asr, Infrastructure, Llm, Network, Orchestration, Tools, Tts};
use holdfast_domain::{CauseDimension, CauseShape, CauseTrait, FaultScope};

use super::Expected::{self, AliveButEmpty, DeadAir, Latency, Noise, Shared};
use super::Family;
use crate::{dialogue, services};

/// One injected fault of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    pub(super) fault: &'static str,
    pub(super) layer: Layer,
    pub(super) place: Place,
    /// After the onset.
    pub(super) after_ms: i64,
    /// It comes and goes.
    pub(super) on_off_ms: Option<i64>,
    pub(super) shape: CauseShape,
}

/// Whom a fault reaches; which one of many comes from the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A vendor of the layer.
    Provider(Layer),
    /// Half of its calls.
    HalfProvider(Layer),
    /// A model of the layer.
    Model(Layer),
    /// A vendor in a region.
    ProviderRegion(Layer),
    /// A queue.
    Queue,
    /// A tool.
    Tool,
    /// A region.
    Region,
    /// Every call.
    Everything,
}

impl Place {
    /// The scope that is injected and the traits that its calls share.
    pub(super) fn resolve(self, seed: u64) -> (FaultScope, Vec<CauseTrait>) {
        let pick = |all: &[&'static str]| all[(seed % all.len() as u64) as usize].to_owned();
        let mut scope = FaultScope::default();
        match self {
            Self::Provider(_) => scope.provider = Some(pick(&services::PROVIDERS)),
            Self::HalfProvider(_) => {
                scope.provider = Some(pick(&services::PROVIDERS));
                scope.share = Some(0.5);
            }
            Self::Model(layer) => scope.model = Some(pick(&services::models(layer))),
            Self::ProviderRegion(_) => {
                scope.provider = Some(pick(&services::PROVIDERS));
                scope.region = Some(services::PODS[(seed / 3 % 3) as usize].region.to_owned());
            }
            Self::Queue => scope.queue = Some(pick(&dialogue::queues())),
            Self::Tool => scope.tool = Some(pick(&TOOLS)),
            Self::Region => {
                scope.region = Some(services::PODS[(seed % 3) as usize].region.to_owned());
            }
            Self::Everything => {}
        }
        let named = [
            (CauseDimension::Provider, &scope.provider),
            (CauseDimension::Model, &scope.model),
            (CauseDimension::Region, &scope.region),
            (CauseDimension::Tool, &scope.tool),
            (CauseDimension::Queue, &scope.queue),
        ];
        let traits = named
            .into_iter()
            .filter_map(|(dimension, value)| {
                let value = value.clone()?;
                Some(CauseTrait { dimension, value })
            })
            .collect();
        (scope, traits)
    }
}

/// Tools that calls use early and often enough to be seen within a minute.
const TOOLS: [&str; 2] = ["crm.lookup", "track_order"];

/// Every family.
pub fn families() -> &'static [Family] {
    FAMILIES
}

const fn hit(fault: &'static str, layer: Layer, place: Place) -> Part {
    Part {
        fault,
        layer,
        place,
        after_ms: 0,
        on_off_ms: None,
        shape: CauseShape::Shared,
    }
}

impl Family {
    /// No limit was chosen by looking at it.
    const fn held_out(mut self) -> Self {
        self.held_out = true;
        self
    }
}

impl Part {
    const fn after(mut self, ms: i64) -> Self {
        self.after_ms = ms;
        self
    }

    const fn on_off(mut self, ms: i64) -> Self {
        self.on_off_ms = Some(ms);
        self
    }

    const fn outage(mut self) -> Self {
        self.shape = CauseShape::RegionOutage;
        self
    }
}

const fn family(
    name: &'static str,
    layer: Layer,
    kind: Expected,
    about: &'static str,
    faults: &'static [Part],
) -> Family {
    Family {
        name,
        layer,
        about,
        held_out: false,
        kind,
        faults,
    }
}

const FAMILIES: &[Family] = &[
    family(
        "llm_503_vendor",
        Llm,
        Shared,
        "LLM answers 503, of one vendor",
        &[hit("llm_503", Llm, Place::Provider(Llm))],
    ),
    family(
        "llm_503_model",
        Llm,
        Shared,
        "LLM answers 503, of one model",
        &[hit("llm_503", Llm, Place::Model(Llm))],
    ),
    family(
        "llm_503_vendor_region",
        Llm,
        Shared,
        "LLM answers 503, of one vendor in one region",
        &[hit("llm_503", Llm, Place::ProviderRegion(Llm))],
    )
    .held_out(),
    family(
        "llm_503_queue",
        Llm,
        Shared,
        "LLM answers 503, for one queue",
        &[hit("llm_503", Llm, Place::Queue)],
    ),
    family(
        "llm_rate_limited_vendor",
        Llm,
        Shared,
        "LLM refuses, of one vendor",
        &[hit("llm_rate_limited", Llm, Place::Provider(Llm))],
    ),
    family(
        "llm_rate_limited_model",
        Llm,
        Shared,
        "LLM refuses, of one model",
        &[hit("llm_rate_limited", Llm, Place::Model(Llm))],
    )
    .held_out(),
    family(
        "llm_rate_limited_vendor_region",
        Llm,
        Shared,
        "LLM refuses, of one vendor in one region",
        &[hit("llm_rate_limited", Llm, Place::ProviderRegion(Llm))],
    ),
    family(
        "llm_rate_limited_queue",
        Llm,
        Shared,
        "LLM refuses, for one queue",
        &[hit("llm_rate_limited", Llm, Place::Queue)],
    ),
    family(
        "llm_hang_vendor",
        Llm,
        AliveButEmpty,
        "LLM begins and says nothing, of one vendor",
        &[hit("llm_hang", Llm, Place::Provider(Llm))],
    )
    .held_out(),
    family(
        "llm_hang_model",
        Llm,
        AliveButEmpty,
        "LLM begins and says nothing, of one model",
        &[hit("llm_hang", Llm, Place::Model(Llm))],
    ),
    family(
        "llm_hang_vendor_region",
        Llm,
        AliveButEmpty,
        "LLM begins and says nothing, of one vendor in one region",
        &[hit("llm_hang", Llm, Place::ProviderRegion(Llm))],
    ),
    family(
        "llm_hang_queue",
        Llm,
        AliveButEmpty,
        "LLM begins and says nothing, for one queue",
        &[hit("llm_hang", Llm, Place::Queue)],
    )
    .held_out(),
    family(
        "llm_empty_vendor",
        Llm,
        AliveButEmpty,
        "LLM answers with nothing, of one vendor",
        &[hit("llm_empty", Llm, Place::Provider(Llm))],
    ),
    family(
        "llm_empty_model",
        Llm,
        AliveButEmpty,
        "LLM answers with nothing, of one model",
        &[hit("llm_empty", Llm, Place::Model(Llm))],
    ),
    family(
        "llm_empty_vendor_region",
        Llm,
        AliveButEmpty,
        "LLM answers with nothing, of one vendor in one region",
        &[hit("llm_empty", Llm, Place::ProviderRegion(Llm))],
    )
    .held_out(),
    family(
        "llm_empty_queue",
        Llm,
        AliveButEmpty,
        "LLM answers with nothing, for one queue",
        &[hit("llm_empty", Llm, Place::Queue)],
    ),
    family(
        "llm_slow_vendor",
        Llm,
        Latency,
        "LLM takes seconds to begin, of one vendor",
        &[hit("llm_slow", Llm, Place::Provider(Llm))],
    ),
    family(
        "llm_slow_model",
        Llm,
        Latency,
        "LLM takes seconds to begin, of one model",
        &[hit("llm_slow", Llm, Place::Model(Llm))],
    )
    .held_out(),
    family(
        "llm_slow_vendor_region",
        Llm,
        Latency,
        "LLM takes seconds to begin, of one vendor in one region",
        &[hit("llm_slow", Llm, Place::ProviderRegion(Llm))],
    ),
    family(
        "llm_slow_queue",
        Llm,
        Latency,
        "LLM takes seconds to begin, for one queue",
        &[hit("llm_slow", Llm, Place::Queue)],
    ),
    family(
        "asr_silent_vendor",
        Asr,
        AliveButEmpty,
        "speech goes in, no transcript comes out, of one vendor",
        &[hit("asr_silent", Asr, Place::Provider(Asr))],
    )
    .held_out(),
    family(
        "asr_silent_model",
        Asr,
        AliveButEmpty,
        "speech goes in, no transcript comes out, of one model",
        &[hit("asr_silent", Asr, Place::Model(Asr))],
    ),
    family(
        "asr_silent_vendor_region",
        Asr,
        AliveButEmpty,
        "speech goes in, no transcript comes out, of one vendor in one region",
        &[hit("asr_silent", Asr, Place::ProviderRegion(Asr))],
    ),
    family(
        "asr_silent_queue",
        Asr,
        AliveButEmpty,
        "speech goes in, no transcript comes out, for one queue",
        &[hit("asr_silent", Asr, Place::Queue)],
    )
    .held_out(),
    family(
        "asr_error_vendor",
        Asr,
        Shared,
        "speech recognition reports errors, of one vendor",
        &[hit("asr_error", Asr, Place::Provider(Asr))],
    ),
    family(
        "asr_error_model",
        Asr,
        Shared,
        "speech recognition reports errors, of one model",
        &[hit("asr_error", Asr, Place::Model(Asr))],
    ),
    family(
        "asr_error_vendor_region",
        Asr,
        Shared,
        "speech recognition reports errors, of one vendor in one region",
        &[hit("asr_error", Asr, Place::ProviderRegion(Asr))],
    )
    .held_out(),
    family(
        "asr_error_queue",
        Asr,
        Shared,
        "speech recognition reports errors, for one queue",
        &[hit("asr_error", Asr, Place::Queue)],
    ),
    family(
        "tts_silent_vendor",
        Tts,
        AliveButEmpty,
        "text goes in, no audio comes out, of one vendor",
        &[hit("tts_silent", Tts, Place::Provider(Tts))],
    ),
    family(
        "tts_silent_model",
        Tts,
        AliveButEmpty,
        "text goes in, no audio comes out, of one model",
        &[hit("tts_silent", Tts, Place::Model(Tts))],
    )
    .held_out(),
    family(
        "tts_silent_vendor_region",
        Tts,
        AliveButEmpty,
        "text goes in, no audio comes out, of one vendor in one region",
        &[hit("tts_silent", Tts, Place::ProviderRegion(Tts))],
    ),
    family(
        "tts_silent_queue",
        Tts,
        AliveButEmpty,
        "text goes in, no audio comes out, for one queue",
        &[hit("tts_silent", Tts, Place::Queue)],
    ),
    family(
        "tts_error_vendor",
        Tts,
        Shared,
        "speech synthesis reports errors, of one vendor",
        &[hit("tts_error", Tts, Place::Provider(Tts))],
    )
    .held_out(),
    family(
        "tts_error_model",
        Tts,
        Shared,
        "speech synthesis reports errors, of one model",
        &[hit("tts_error", Tts, Place::Model(Tts))],
    ),
    family(
        "tts_error_vendor_region",
        Tts,
        Shared,
        "speech synthesis reports errors, of one vendor in one region",
        &[hit("tts_error", Tts, Place::ProviderRegion(Tts))],
    ),
    family(
        "tts_error_queue",
        Tts,
        Shared,
        "speech synthesis reports errors, for one queue",
        &[hit("tts_error", Tts, Place::Queue)],
    )
    .held_out(),
    family(
        "tts_truncated_vendor",
        Tts,
        Shared,
        "audio stops before its text does, of one vendor",
        &[hit("tts_truncated", Tts, Place::Provider(Tts))],
    ),
    family(
        "tts_truncated_model",
        Tts,
        Shared,
        "audio stops before its text does, of one model",
        &[hit("tts_truncated", Tts, Place::Model(Tts))],
    ),
    family(
        "tts_truncated_vendor_region",
        Tts,
        Shared,
        "audio stops before its text does, of one vendor in one region",
        &[hit("tts_truncated", Tts, Place::ProviderRegion(Tts))],
    )
    .held_out(),
    family(
        "tts_truncated_queue",
        Tts,
        Shared,
        "audio stops before its text does, for one queue",
        &[hit("tts_truncated", Tts, Place::Queue)],
    ),
    family(
        "llm_503_half",
        Llm,
        Shared,
        "LLM answers 503, for half of the calls of one vendor",
        &[hit("llm_503", Llm, Place::HalfProvider(Llm))],
    ),
    family(
        "llm_rate_limited_half",
        Llm,
        Shared,
        "LLM refuses, for half of the calls of one vendor",
        &[hit("llm_rate_limited", Llm, Place::HalfProvider(Llm))],
    )
    .held_out(),
    family(
        "asr_silent_half",
        Asr,
        Shared,
        "speech goes in, no transcript comes out, for half of the calls of one vendor",
        &[hit("asr_silent", Asr, Place::HalfProvider(Asr))],
    ),
    family(
        "asr_error_half",
        Asr,
        Shared,
        "speech recognition reports errors, for half of the calls of one vendor",
        &[hit("asr_error", Asr, Place::HalfProvider(Asr))],
    ),
    family(
        "tts_silent_half",
        Tts,
        Shared,
        "text goes in, no audio comes out, for half of the calls of one vendor",
        &[hit("tts_silent", Tts, Place::HalfProvider(Tts))],
    )
    .held_out(),
    family(
        "tts_error_half",
        Tts,
        Shared,
        "speech synthesis reports errors, for half of the calls of one vendor",
        &[hit("tts_error", Tts, Place::HalfProvider(Tts))],
    ),
    family(
        "llm_503_flapping",
        Llm,
        Shared,
        "LLM answers 503, ten seconds on and ten off, of one vendor",
        &[hit("llm_503", Llm, Place::Provider(Llm)).on_off(10000)],
    ),
    family(
        "tts_silent_flapping",
        Tts,
        Shared,
        "no audio, ten seconds on and ten off, of one vendor",
        &[hit("tts_silent", Tts, Place::Provider(Tts)).on_off(10000)],
    )
    .held_out(),
    family(
        "tool_timeout_tool",
        Tools,
        Shared,
        "a tool does not answer in time",
        &[hit("tool_timeout", Tools, Place::Tool)],
    ),
    family(
        "tool_error_tool",
        Tools,
        Shared,
        "a tool fails",
        &[hit("tool_error", Tools, Place::Tool)],
    ),
    family(
        "network_drop_queue",
        Network,
        Shared,
        "callers of one queue lose their connection",
        &[hit("network_drop", Network, Place::Queue)],
    )
    .held_out(),
    family(
        "network_poor_queue",
        Network,
        Shared,
        "callers of one queue have a bad connection",
        &[hit("network_poor", Network, Place::Queue)],
    ),
    family(
        "stall_queue",
        Orchestration,
        DeadAir,
        "the dialogue of one queue does not move on",
        &[hit("orchestration_stall", Orchestration, Place::Queue)],
    ),
    family(
        "stall_all",
        Orchestration,
        DeadAir,
        "no dialogue moves on",
        &[hit("orchestration_stall", Orchestration, Place::Everything)],
    )
    .held_out(),
    family(
        "workers_lost_queue",
        Infrastructure,
        Shared,
        "the workers of one queue die",
        &[hit("worker_lost", Infrastructure, Place::Queue)],
    ),
    family(
        "region_down",
        Infrastructure,
        Shared,
        "a whole region is unreachable",
        &[hit("region_down", Infrastructure, Place::Region).outage()],
    ),
    family(
        "two_llm_and_tts",
        Llm,
        Shared,
        "LLM of one vendor and TTS of another fail at once",
        &[
            hit("llm_503", Llm, Place::Provider(Llm)),
            hit("tts_error", Tts, Place::Provider(Tts)).after(5000),
        ],
    )
    .held_out(),
    family(
        "two_vendors_of_llm",
        Llm,
        Shared,
        "a vendor in one region and a queue fail in the same layer",
        &[
            hit("llm_503", Llm, Place::ProviderRegion(Llm)),
            hit("llm_rate_limited", Llm, Place::Queue).after(3000),
        ],
    ),
    family(
        "two_asr_and_tool",
        Asr,
        Shared,
        "ASR of one vendor and a tool fail at once",
        &[
            hit("asr_error", Asr, Place::Provider(Asr)),
            hit("tool_error", Tools, Place::Tool).after(4000),
        ],
    ),
    family(
        "calm_noise",
        Orchestration,
        Noise,
        "nothing but the noise of a healthy platform",
        &[],
    )
    .held_out(),
];
