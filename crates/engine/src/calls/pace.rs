//! How long this call's steps take, and may take.

use holdfast_domain::{DurationMs, Layer, Timestamp};
use serde::{Deserialize, Serialize};

use super::Cx;
use super::call::Call;
use super::expect::Step;
use super::health::bit;
use crate::config::Expectations;
use crate::learn::{CellId, StepKey};

/// The steps whose deadline is kept with the call. The model is asked again after a tool as it is
/// after a transcript.
const STEPS: [Step; 4] = [Step::Transcript, Step::Response, Step::Tokens, Step::Audio];

/// How long the first sign of service takes, on any call.
const GREETING: StepKey = StepKey {
    step: Step::Greeting,
    provider: String::new(),
    model: String::new(),
    language: String::new(),
};

/// Bounds of what is learnt of it: a caller hears half a ring in the one, and hangs up after the
/// other. While nothing is learnt it is not judged, because there are agents that wait for the
/// caller to speak.
const GREETING_MS_MIN: DurationMs = 1_500;
const GREETING_MS_MAX: DurationMs = 8_000;

/// The cells of this call's steps in the order of [`STEPS`], as its services and its language name
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Cells([Option<CellId>; 4]);

impl Call {
    /// Takes over what was learnt since, for the steps that begin from now on.
    pub(crate) fn take_pace(&mut self, cx: &mut Cx<'_>) {
        let cells = self.cells(cx).0;
        let cold = cx.config.expectations;
        let limit = |at: usize, of: fn(&Expectations) -> DurationMs| {
            let learnt = cells[at].and_then(|cell| cx.learnt.deadline_ms(cell));
            self.limits.clamp(learnt.unwrap_or_else(|| of(&cold)), of)
        };
        self.limits.steps = Expectations {
            transcript_ms: limit(0, |of| of.transcript_ms),
            response_ms: limit(1, |of| of.response_ms),
            tokens_ms: limit(2, |of| of.tokens_ms),
            audio_ms: limit(3, |of| of.audio_ms),
            tool_ms: self.limits.steps.tool_ms,
        };
    }

    /// How long `tool` may take.
    pub(crate) fn tool_limit_ms(&self, tool: &str, cx: &mut Cx<'_>) -> DurationMs {
        let learnt = cx
            .learnt
            .cell(tool_key(tool))
            .and_then(|cell| cx.learnt.deadline_ms(cell));
        let ms = learnt.unwrap_or(cx.config.expectations.tool_ms);
        self.limits.clamp(ms, |of| of.tool_ms)
    }

    /// The pending step gave its first useful output.
    ///
    /// It teaches only what the caller waited for with nobody audible, in a turn without an error
    /// of that layer, and when neither its beginning nor its end was late news.
    pub(crate) fn learn_step(&mut self, cx: &mut Cx<'_>) {
        let (step, since) = (self.pending.step, self.pending.since);
        let is_clean = self
            .turn
            .as_ref()
            .is_some_and(|turn| turn.errors & bit(step.layer()) == 0);
        let is_waited_for = self.floor.nobody_speaks() && self.floor.since <= since;
        if !is_clean || !is_waited_for || self.is_held_up(since) {
            return;
        }
        let Some(at) = STEPS.iter().position(|known| *known == step) else {
            return;
        };
        if let Some(cell) = self.cells(cx).0[at] {
            cx.learnt
                .took(cell, cx.at.since(since), cx.at, &cx.config.learning);
        }
    }

    /// The call began: somebody serves it soon, if the platform's calls are known for that.
    pub(crate) fn await_greeting(&mut self, cx: &mut Cx<'_>) {
        let cell = cx.learnt.cell(GREETING);
        let learnt = cell.and_then(|cell| cx.learnt.deadline_ms(cell));
        self.limits.greeting_ms = learnt.map(|ms| ms.clamp(GREETING_MS_MIN, GREETING_MS_MAX));
        self.await_step(Step::Greeting, self.started_at, Some(cx.event_id()));
    }

    /// Something serves the call: what was said of nobody doing so is over.
    pub(crate) fn served(&mut self, cx: &mut Cx<'_>) {
        if self.pending.step != Step::Greeting {
            return;
        }
        if !self.is_held_up(self.pending.since)
            && let Some(cell) = cx.learnt.cell(GREETING)
        {
            let took = cx.at.since(self.pending.since);
            cx.learnt.took(cell, took, cx.at, &cx.config.learning);
        }
        if self.layers[Layer::Infrastructure].is_by_waiting() {
            self.heal(Layer::Infrastructure, cx.at, cx.notes);
        }
        self.await_step(Step::Idle, cx.at, None);
    }

    /// A tool ended well.
    pub(crate) fn learn_tool(&mut self, id: &str, cx: &mut Cx<'_>) {
        let Some(tool) = self.tools.iter().find(|tool| tool.id == id) else {
            return;
        };
        if self.is_held_up(tool.since) {
            return;
        }
        if let Some(cell) = cx.learnt.cell(tool_key(&tool.name)) {
            cx.learnt
                .took(cell, cx.at.since(tool.since), cx.at, &cx.config.learning);
        }
    }

    /// What began then may have been told late, or is told late now.
    fn is_held_up(&self, since: Timestamp) -> bool {
        self.is_retold || since < self.not_before
    }

    fn cells(&mut self, cx: &mut Cx<'_>) -> Cells {
        if let Some(cells) = self.cells {
            return cells;
        }
        let cells = Cells(STEPS.map(|step| cx.learnt.cell(self.step_key(step))));
        self.cells = Some(cells);
        cells
    }

    fn step_key(&self, step: Step) -> StepKey {
        let service = self.active(step.layer());
        let named = |of: fn(&holdfast_domain::Service) -> &String| {
            service.map(of).cloned().unwrap_or_default()
        };
        StepKey {
            step,
            provider: named(|service| &service.provider),
            model: named(|service| &service.model),
            language: self.dialogue.language.clone(),
        }
    }
}

fn tool_key(name: &str) -> StepKey {
    StepKey {
        step: Step::Tool,
        provider: name.to_owned(),
        model: String::new(),
        language: String::new(),
    }
}
