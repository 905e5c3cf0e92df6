//! What can be wrong with how a run goes on.

use super::{Words, words};
use crate::playbook::words::quoted;

/// What is wrong with how a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is told in words below")]
pub enum CourseFault {
    StageNotRising,
    LastStageNotAll,
    VerifyBeforeHold { within_s: u32, hold_s: u32 },
    StagesOutliveRun { stages_s: u64, ttl_s: u32 },
    NeedsCause { what: &'static str },
    NeedsToolCause,
    NothingUntouched,
    NeedsSwitch { check: &'static str },
    RungOrder,
    ArmedTwice { queue: String, layer: &'static str },
}

impl CourseFault {
    pub(super) fn words(&self) -> Words {
        match self {
            Self::StageNotRising => words(
                "this stage does not reach further than the one before",
                "It would touch no call, and prove nothing.",
                "Let each stage reach more calls: one_call, then rising percentages, then all.",
            ),
            Self::LastStageNotAll => words(
                "the last stage does not reach all calls",
                "Some calls would be left as they are, and the run would never be done.",
                "End with a stage whose reach is \"all\".",
            ),
            Self::VerifyBeforeHold { within_s, hold_s } => words(
                format!(
                    "the probe must be true within {within_s} s, and the stage holds {hold_s} s"
                ),
                "The run would be judged before it has looked.",
                "Make within_s at least hold_s.",
            ),
            Self::StagesOutliveRun { stages_s, ttl_s } => words(
                format!("stages and steps can take {stages_s} s, and the run ends after {ttl_s} s"),
                "The run could end half way.",
                "Raise ttl_s, or shorten within_s of the stages and timeout_s of the steps.",
            ),
            Self::NeedsCause { what } => words(
                format!("{what} needs a cause, and the scope is not by cause"),
                "There would be no cause to look at.",
                "Write scope = { by = \"cause\", .. }, or leave this out.",
            ),
            Self::NeedsToolCause => words(
                "the tool of the cause is meant, and the cause need not name a tool",
                "The step would not know which tool to switch.",
                "Write dimensions = [\"tool\"] in the scope, or name the tools.",
            ),
            Self::NothingUntouched => words(
                "with one stage no call stays untouched to compare with",
                "The condition would never be judged.",
                "Add a stage before the last, or take the condition out.",
            ),
            Self::NeedsSwitch { check } => words(
                format!("{check} looks at the targets of a switch, and no step switches"),
                "There would be nothing to look at, and unknown counts as not so.",
                "Leave it out, or add a step that switches.",
            ),
            Self::RungOrder => words(
                "this rung does not come after the one before",
                "The ladder only goes down: retry, backup, minimal, human.",
                "Put the rungs in that order, each once.",
            ),
            Self::ArmedTwice { queue, layer } => words(
                format!("{} is armed twice for {layer}", quoted(queue)),
                "The hub could not tell which of the two holds.",
                "Leave one of them out, or name other queues.",
            ),
        }
    }
}
