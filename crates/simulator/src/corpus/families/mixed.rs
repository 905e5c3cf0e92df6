//! Of several layers at once, and of none.

use holdfast_domain::CauseDimension::{Provider, Queue, Region, Tool};
use holdfast_domain::Layer::{Asr, Llm, Orchestration, Tools, Tts};

use super::{family, hit};
use crate::corpus::Expected::Noise;
use crate::corpus::Family;

pub(super) const FAMILIES: &[Family] = &[
    family(
        "two_llm_and_tts",
        Llm,
        "LLM of one vendor and TTS of another fail at once",
        &[
            hit("llm_503", Llm, &[Provider]),
            hit("tts_error", Tts, &[Provider]).after(5000),
        ],
    )
    .held_out(),
    family(
        "two_vendors_of_llm",
        Llm,
        "a vendor in one region and a queue fail in the same layer",
        &[
            hit("llm_503", Llm, &[Provider, Region]),
            hit("llm_rate_limited", Llm, &[Queue]).after(3000),
        ],
    ),
    family(
        "two_asr_and_tool",
        Asr,
        "ASR of one vendor and a tool fail at once",
        &[
            hit("asr_error", Asr, &[Provider]),
            hit("tool_error", Tools, &[Tool]).after(4000),
        ],
    ),
    family(
        "calm_noise",
        Orchestration,
        "nothing but the noise of a healthy platform",
        &[],
    )
    .is(Noise)
    .held_out(),
];
