//! What the call holds, for whoever judges a handoff card.

use holdfast_domain::UtteranceRole;

use super::{Call, Heard, ToolEnding};
use crate::truth::{AskTruth, CallTruth, PromiseTruth, ToolTruth, Went};

impl Call {
    pub(crate) fn truth(&self) -> CallTruth {
        let running = self.tool.iter().map(|running| ToolTruth {
            tool: running.tool.name,
            writes: running.tool.writes,
            went: Went::Running,
        });
        CallTruth {
            call: self.id.clone(),
            ask: self.known.ask.is_some().then(|| AskTruth {
                line: self.story.ask(),
                words: self.story.caller_line(0),
            }),
            intent: self
                .known
                .intent
                .is_some()
                .then(|| self.story.plot.intent.to_owned()),
            slots: self.known.slots.clone(),
            identity: self
                .known
                .identity
                .as_ref()
                .map(|proved| (proved.method.clone(), proved.level)),
            tools: self.did.iter().copied().chain(running).collect(),
            promises: self.promises(),
            unspoken: self
                .said_by_the_agent()
                .filter_map(|heard| Some((heard.at, heard.unspoken.clone()?)))
                .collect(),
            with_human: self.human.is_some(),
        }
    }

    /// Each answer that commits the agent to something, where the caller heard it.
    fn promises(&self) -> Vec<PromiseTruth> {
        let commits = self.story.plot.beats.iter().enumerate();
        let commits = commits.filter(|(_, plan)| plan.promise || plan.commits);
        commits
            .filter_map(|(beat, plan)| {
                let words = self.story.agent_line(beat);
                // What went wrong was said again: the best that was heard counts.
                let heard = self
                    .said_by_the_agent()
                    .filter(|heard| heard.text.ends_with(&words))
                    .min_by_key(|heard| heard.unspoken.is_some())?;
                Some(PromiseTruth {
                    line: plan.promise.then(|| self.story.promise()),
                    turn: heard.turn,
                    is_whole: heard.unspoken.is_none(),
                    words,
                })
            })
            .collect()
    }

    fn said_by_the_agent(&self) -> impl Iterator<Item = &Heard> {
        let said = self.transcript.iter();
        said.filter(|heard| heard.role == UtteranceRole::Agent)
    }

    /// A tool came to its end.
    pub(super) fn note_tool(
        &mut self,
        tool: &'static crate::dialogue::Tool,
        ended: Option<ToolEnding>,
    ) {
        self.did.push(ToolTruth {
            tool: tool.name,
            writes: tool.writes,
            went: match ended {
                Some(ToolEnding::Completed) => Went::Completed,
                Some(ToolEnding::Failed) => Went::Failed,
                Some(ToolEnding::TimedOut) => Went::TimedOut,
                None => Went::Cancelled,
            },
        });
    }
}
