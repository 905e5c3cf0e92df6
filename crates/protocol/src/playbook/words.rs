//! The closed lists of words. A test holds each to the type that it spells.

use super::{Form, Word};

const fn word(word: &'static str, doc: &'static str) -> Word {
    Word { word, doc }
}

pub(super) const LAYERS: &[Word] = &[
    word("asr", "speech recognition"),
    word("llm", "the language model"),
    word("tools", "tools and what they depend on"),
    word("tts", "speech synthesis"),
    word("orchestration", "dialogue and business logic"),
    word(
        "network",
        "the caller's media and the links between services",
    ),
    word("infrastructure", "workers, zones, regions"),
];

/// The layers that a service serves, between which a platform can switch.
pub(super) const SWITCHED_LAYERS: &[Word] = &[
    word("asr", "speech recognition"),
    word("llm", "the language model"),
    word("tts", "speech synthesis"),
];

pub(super) const REACHES: &[Word] = &[
    word("failing", "the calls that fail in the layer now"),
    word(
        "exposed",
        "every call in scope: the failing, and those that will fail at their next turn",
    ),
];

pub(super) const PHASES: &[Word] = &[
    word("ai", "the AI serves the call"),
    word("human", "a human agent serves the call"),
];

pub(super) const RUNGS: &[Word] = &[
    word("primary", "as designed"),
    word("retry", "the same model, in another zone or region"),
    word("backup", "another model, fewer dependencies"),
    word(
        "minimal",
        "the minimal flow: scripted, without what is not essential",
    ),
    word("human", "a human agent"),
];

/// The rungs that a service stands on below the primary.
pub(super) const SERVICE_RUNGS: &[Word] = &[
    word("retry", "the same model, in another zone or region"),
    word("backup", "another model, fewer dependencies"),
    word("minimal", "the least that can hold a conversation"),
];

/// The rungs that a call can be moved to: all but the one that it begins on.
pub(super) const ARMED_RUNGS: &[Word] = RUNGS.split_at(1).1;

/// Layer states that start an armed playbook.
pub(super) const ARMED_STATES: &[Word] = &[
    word("degraded", "it works, worse than it should, or it failed"),
    word("failed", "it does not do its work"),
];

pub(super) const PROTECTED: &[Word] = &[
    word("exclude", "they are left alone"),
    word(
        "last",
        "they are touched after the others, once the moment is over",
    ),
];

pub(super) const DIMENSIONS: &[Word] = &[
    word("provider", "the vendor"),
    word("model", "the model or voice"),
    word("region", "where the service runs"),
    word("zone", "the part of the region"),
    word("tool", "a tool, by name"),
    word("flow", "the dialogue flow"),
    word("build", "the build of the AI agent"),
    word("queue", "the queue"),
    word("language", "the caller's language"),
    word("worker", "the worker that runs the call"),
];

const PARITIES: &[Word] = &[
    word("prompt", "the instructions"),
    word("tools", "the tools that it can use"),
    word("voice", "the voice that the caller hears"),
    word("language", "the caller's language"),
    word("recording", "whether the call is recorded"),
    word("consent", "what the caller has agreed to"),
    word("disclosure", "that the caller was told that an AI speaks"),
];

pub(super) const AUDIENCE_WORDS: &[Word] = &[
    word("executive", "who answers for the business"),
    word("front_line", "human agents and their supervisors"),
    word(
        "caller",
        "callers, outside of a call: web page, waiting line",
    ),
    word("provider", "the vendor whose service fails"),
];

pub(super) const ROUTED: &[Word] = &[
    word("new", "calls that begin while the run lasts"),
    word("in_flight", "calls that the AI serves now"),
    word("both", "both"),
];

pub(super) const MEASURES: &[Word] = &[
    word("failed_turns", "turns without a good answer"),
    word("late_answers", "turns whose answer began late"),
    word("ended_abruptly", "calls that ended abruptly"),
];

pub(super) const PARITY: Form = Form::Words(PARITIES);
pub(super) const AUDIENCE: Form = Form::Words(AUDIENCE_WORDS);
pub(super) const DIMENSION: Form = Form::Words(DIMENSIONS);
pub(super) const PHASE: Form = Form::Words(PHASES);
pub(super) const RUNG: Form = Form::Words(RUNGS);
pub(super) const SWITCHED_LAYER: Form = Form::Words(SWITCHED_LAYERS);

pub(super) const NEXT: &[Word] = &[word(
    "next",
    "on each call the next usable one of its ladder",
)];
pub(super) const OTHER: &[Word] = &[word("other", "on each call any usable one other than now")];
pub(super) const TOOL_SETS: &[Word] = &[
    word(
        "cause",
        "the tool that the cause names, from which the run is started",
    ),
    word("all", "all"),
];
pub(super) const STAGE_REACHES: &[Word] = &[
    word("one_call", "one call: the canary"),
    word("all", "all calls in scope"),
];
