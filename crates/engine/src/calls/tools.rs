//! Tools: what runs, what ended how, and what is late.

use holdfast_domain::fact::{Effect, Fact, ToolRef};
use holdfast_domain::{DurationMs, LaneKind, Layer, LayerState, SignalKind, Timestamp, ToolState};
use serde::{Deserialize, Serialize};

use super::Cx;
use super::call::{Call, RunningTool};
use super::dialogue::{gist, name, names};
use super::expect::Step;
use super::health::{Note, bit, evidence};
use super::turn::Model;
use crate::words;

/// The most tools that run at once on a call; further ones are kept in the dialogue only.
const RUNNING_MAX: usize = 16;

/// How many tools of a call are remembered by how they did; few calls use more.
const MARKS_MAX: usize = 6;

/// What a tool did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Did {
    Work,
    Fail,
    ComeLate,
}

/// How one tool did on a call, because the next tool says nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToolMark {
    pub(crate) name: String,
    /// When it last did its work.
    pub(crate) good_at: Option<Timestamp>,
    /// When it last failed or was late.
    pub(crate) bad_at: Option<Timestamp>,
    /// It was only late then.
    pub(crate) was_late: bool,
}

/// When a running tool passes its next limit: late at one, failing at the other.
pub(crate) fn deadline(tool: &RunningTool) -> Option<Timestamp> {
    let limit = limit_after(tool)?;
    Some(tool.since + limit)
}

/// The next limit of a running tool; None when it passed both.
fn limit_after(tool: &RunningTool) -> Option<DurationMs> {
    match tool.level {
        0 => Some(tool.limit_ms),
        1 => Some(tool.failed_ms),
        _ => None,
    }
}

impl Call {
    /// Folds a tool fact; other facts are not for here.
    pub(crate) fn fold_tool(&mut self, fact: &Fact<'_>, cx: &mut Cx<'_>) {
        match fact {
            Fact::ToolRequested { tool, .. } | Fact::ToolStarted { tool, .. }
                if self.has_ended(tool, cx.at) => {}
            Fact::ToolRequested { tool, args } => {
                let call = self.dialogue.tool(&tool.id, &tool.name, cx.at);
                if let Some(args) = args {
                    call.args = gist(args);
                    self.judge_tool(tool, args, cx);
                }
                self.tool_began(tool, false, cx);
            }
            Fact::ToolStarted { tool, writes } => {
                let call = self.dialogue.tool(&tool.id, &tool.name, cx.at);
                call.state = ToolState::Running;
                call.writes |= writes;
                self.tool_began(tool, *writes, cx);
            }
            Fact::ToolCompleted {
                tool,
                result,
                effect,
                ..
            } => {
                let outcome = result.as_deref().unwrap_or_default();
                self.learn_tool(&tool.id, cx);
                self.tool_ended(tool, ToolState::Succeeded, *effect, gist(outcome), cx);
                self.tool_succeeded(tool, *effect, cx);
            }
            Fact::ToolFailed {
                tool,
                error_type,
                message,
            } => {
                let outcome = gist(&format!("{error_type}: {message}"));
                self.tool_ended(tool, ToolState::Failed, None, outcome, cx);
                let what = words::error(error_type);
                self.tool_failed(&tool.name, &what, cx);
            }
            Fact::ToolTimedOut { tool, .. } => {
                self.tool_ended(tool, ToolState::TimedOut, None, "timed out".to_owned(), cx);
                self.tool_failed(&tool.name, "timed out", cx);
            }
            Fact::ToolCancelled { tool } => {
                self.tool_ended(tool, ToolState::Cancelled, None, "cancelled".to_owned(), cx);
            }
            Fact::ToolCatalogChanged { enabled, disabled } => {
                self.dialogue.tools_enabled = names(enabled);
                self.dialogue.tools_disabled = names(disabled);
            }
            _ => {}
        }
    }

    /// The tool ended already: news of its beginning is late. A tool that is used again under the same
    /// id begins with its end at the earliest.
    fn has_ended(&self, tool: &ToolRef<'_>, at: Timestamp) -> bool {
        let known = self
            .dialogue
            .tools
            .iter()
            .rfind(|known| known.id == tool.id);
        known.is_some_and(|known| known.ended_at.is_some_and(|ended| at < ended))
    }

    /// A tool says that it worked. Where a write had no effect, only a write that has one heals.
    fn tool_succeeded(&mut self, tool: &ToolRef<'_>, effect: Option<Effect>, cx: &mut Cx<'_>) {
        self.mark_tool(&tool.name, cx.at, Did::Work);
        let writes = self.dialogue.tool(&tool.id, &tool.name, cx.at).writes;
        if writes && effect == Some(Effect::None) {
            self.mark_tool(&tool.name, cx.at, Did::Fail);
            self.succeeded_silently(tool, cx);
            return;
        }
        let is_silent = self.layers[Layer::Tools].signal() == Some(SignalKind::SilentSuccess);
        if !is_silent || writes && effect == Some(Effect::Committed) {
            self.heal(Layer::Tools, cx.at, cx.notes);
        }
        self.progressed(cx);
    }

    fn tool_began(&mut self, tool: &ToolRef<'_>, writes: bool, cx: &mut Cx<'_>) {
        if let Some(turn) = &mut self.turn {
            turn.model = Model::CallsTools;
            turn.used_tools = true;
        }
        if self.pending.step != Step::Tool {
            self.await_step(Step::Tool, cx.at, Some(cx.event_id()));
        }
        if let Some(running) = self.running_tool(&tool.id) {
            running.writes |= writes;
            return;
        }
        if self.tools.len() < RUNNING_MAX {
            let limit_ms = self.tool_limit_ms(&tool.name, cx);
            self.dialogue.open_span(LaneKind::Tools, cx.at, &tool.name);
            self.tools.push(RunningTool {
                id: tool.id.to_string(),
                name: name(&tool.name),
                since: cx.at,
                limit_ms,
                failed_ms: self.limits.tool_failed_ms(limit_ms),
                writes,
                level: 0,
                event: cx.event_id(),
            });
        }
    }

    fn tool_ended(
        &mut self,
        tool: &ToolRef<'_>,
        state: ToolState,
        effect: Option<Effect>,
        outcome: String,
        cx: &mut Cx<'_>,
    ) {
        let call = self.dialogue.tool(&tool.id, &tool.name, cx.at);
        call.state = state;
        call.ended_at = Some(cx.at);
        call.outcome = outcome;
        call.effect = match effect {
            Some(effect) => effect,
            // A tool that only reads has no effect; a write that did not end well may have one.
            None if !call.writes => Effect::None,
            None => Effect::Unknown,
        };
        self.tools.retain(|running| running.id != tool.id.as_ref());
        let failed = matches!(state, ToolState::Failed | ToolState::TimedOut);
        self.dialogue.close_span(LaneKind::Tools, cx.at, failed);
        if self.tools.is_empty() {
            if self.pending.step == Step::Tool {
                self.await_step(Step::Rerun, cx.at, Some(cx.event_id()));
            }
            self.announced_wait_ended(cx.at);
        }
    }

    /// A tool said that it failed; also when the error came under the model's name.
    pub(crate) fn tool_failed(&mut self, name: &str, what: &str, cx: &mut Cx<'_>) {
        let words = format!("tool {} {what}", words::clip(name, 60));
        let text = format!("the caller's request is not done: {words}");
        let mut events = Vec::new();
        if let Some(turn) = &mut self.turn {
            turn.errors |= bit(Layer::Tools);
            events.push(turn.event.clone());
        }
        events.push(cx.event_id());
        let found = evidence(SignalKind::ToolFailure, text, cx.at, events);
        self.mark_tool(name, cx.at, Did::Fail);
        self.raise(Layer::Tools, LayerState::Failed, found, cx.notes);
        cx.notes.push(Note::LayerError {
            layer: Layer::Tools,
            at: cx.at,
        });
        self.note_error(Layer::Tools, words, cx);
    }

    /// Notes how a tool did last; the one that was used longest ago makes room.
    fn mark_tool(&mut self, tool: &str, at: Timestamp, did: Did) {
        let place = self.tool_marks.iter().position(|mark| mark.name == tool);
        let mut mark = match place {
            Some(place) => self.tool_marks.remove(place),
            None => ToolMark {
                name: name(tool),
                good_at: None,
                bad_at: None,
                was_late: false,
            },
        };
        if did == Did::Work {
            mark.good_at = Some(at);
        } else {
            mark.bad_at = Some(at);
            mark.was_late = did == Did::ComeLate;
        }
        if self.tool_marks.len() >= MARKS_MAX {
            self.tool_marks.remove(0);
        }
        self.tool_marks.push(mark);
    }

    /// Limits of running tools that passed by `now`.
    pub(crate) fn tools_passed(&mut self, at: Timestamp, notes: &mut Vec<Note>) {
        let Some(tool) = self
            .tools
            .iter_mut()
            .find(|tool| deadline(tool).is_some_and(|due| due <= at))
        else {
            return;
        };
        let over = limit_after(tool).unwrap_or(tool.failed_ms);
        tool.level += 1;
        let tool_name = tool.name.clone();
        let text = format!(
            "the caller waits for a tool: {} has not ended for over {}",
            words::clip(&tool.name, 60),
            words::seconds(over)
        );
        let state = if tool.level >= 2 {
            LayerState::Failed
        } else {
            LayerState::Degraded
        };
        let events = vec![tool.event.clone()];
        let found = evidence(SignalKind::Expectation, text, at, events);
        self.mark_tool(&tool_name, at, Did::ComeLate);
        self.raise(Layer::Tools, state, found, notes);
    }
}
