//! Who is to blame for a silence: the error that explains it, else the step that is waited for,
//! else what lies beneath every step.

use holdfast_domain::{DurationMs, Evidence, Layer, LayerState, SignalKind, Timestamp};

use super::Cx;
use super::call::{Call, ErrorSeen};
use super::expect::Step;
use super::health::{Note, bit, evidence};
use crate::{Config, words};

/// Who is to blame for a silence.
struct Blame {
    layer: Layer,
    words: String,
    events: Vec<holdfast_domain::EventId>,
}

impl Call {
    /// A limit of silence passed.
    pub(crate) fn silence_passed(&mut self, at: Timestamp, config: &Config, notes: &mut Vec<Note>) {
        if self.limits.silence.after(self.floor.level).is_none() {
            return;
        }
        self.floor.level += 1;
        self.floor.told_at = at;
        self.blame_silence(at, config, notes);
    }

    /// The silence that passed a limit is told, by whom it is now thought to be.
    fn blame_silence(&mut self, at: Timestamp, config: &Config, notes: &mut Vec<Note>) {
        let blame = self.blame(config);
        if self
            .floor
            .blamed
            .is_some_and(|(layer, _)| layer != blame.layer)
        {
            self.acquit(at, notes);
        }
        if self.floor.blamed.is_none() {
            self.floor.blamed = Some((blame.layer, self.layers[blame.layer].state));
        }
        let is_answer_owed = self.turn.as_ref().is_some_and(|turn| !turn.had_filler);
        let kind = if is_answer_owed {
            SignalKind::UnansweredTurn
        } else {
            SignalKind::DeadAir
        };
        let passed = self.limits.silence.after(self.floor.level - 1).unwrap_or(0);
        let text = format!(
            "silent for over {}: {}",
            words::seconds(passed),
            blame.words
        );
        let state = if self.floor.level >= 2 {
            LayerState::Failed
        } else {
            LayerState::Degraded
        };
        // What the caller bears comes first, also on a layer that said itself that it failed.
        let state = state.max(self.layers[blame.layer].state);
        self.raise(
            blame.layer,
            state,
            evidence(kind, text, at, blame.events),
            notes,
        );
    }

    /// Another layer turned out to be the cause: the first one goes back to what it was.
    fn acquit(&mut self, at: Timestamp, notes: &mut Vec<Note>) {
        let Some((layer, before)) = self.floor.blamed.take() else {
            return;
        };
        if !self.layers[layer].is_by_waiting() {
            return;
        }
        // It was blamed by a guess: it neither failed nor did it any work.
        let good_at = self.layers[layer].good_at;
        self.layers[layer].bad_at = None;
        self.trials.failed &= !bit(layer);
        match before {
            LayerState::Healthy => self.heal(layer, at, notes),
            LayerState::Unknown => self.forget(layer, at, notes),
            // It was unwell before the silence; the silence is no evidence for it any more.
            LayerState::Degraded | LayerState::Failed => self.ease(layer, at, notes),
        }
        self.layers[layer].good_at = good_at;
    }

    /// An explicit error arrived after its effect: the silence that was blamed on a guess is its.
    pub(crate) fn error_explains_silence(&mut self, cx: &mut Cx<'_>) {
        if self.floor.level == 0 || !self.is_silent() {
            return;
        }
        self.blame_silence(cx.at, cx.config, cx.notes);
    }

    fn blame(&self, config: &Config) -> Blame {
        let mut events = Vec::new();
        if let Some(turn) = &self.turn {
            events.push(turn.event.clone());
        }
        if let Some(error) = self.recent_error(config) {
            events.push(error.event.clone());
            let retry = if error.layer == Layer::Llm {
                ", no retry"
            } else {
                ""
            };
            return Blame {
                layer: error.layer,
                words: format!("{}{retry}", error.words),
                events,
            };
        }
        events.extend(self.pending.event.clone());
        if events.is_empty() {
            events.push(holdfast_domain::EventId::new(self.last_event.as_str()));
        }
        let beneath = self.beneath(self.floor.told_at, config);
        if beneath.is_none()
            && let Some((step, took)) = self.spent()
        {
            let layer = step.layer();
            let words = format!(
                "{} took {} of it",
                self.layer_words(layer),
                words::seconds(took)
            );
            return Blame {
                layer,
                words,
                events,
            };
        }
        let step = self.missing();
        let layer = beneath.unwrap_or(step.layer());
        Blame {
            layer,
            words: self.step_words(step, layer),
            events,
        }
    }

    /// What the caller waits for: the pending step, or the filler that is to be heard before it.
    fn missing(&self) -> Step {
        let is_unheard = self.unheard.as_ref().is_some_and(|unheard| unheard.is_late);
        match self.pending.step {
            Step::Rerun if is_unheard => Step::Audio,
            Step::Tool if is_unheard && !self.has_late_tool() => Step::Audio,
            step => step,
        }
    }

    /// The step on which the silence was spent, if it is over and what is waited for now is in time
    /// and began later than that: who waited five seconds for the model does not wait for speech.
    fn spent(&self) -> Option<(Step, DurationMs)> {
        let pending = &self.pending;
        let is_late = pending.is_late
            || pending.step == Step::Empty
            || self.missing() != pending.step
            || pending.step == Step::Tool && self.has_late_tool();
        let since = pending.since.max(self.floor.since);
        let waited = self.floor.told_at.since(since);
        let spent = self.floor.spent.filter(|_| !is_late);
        spent.filter(|(_, took)| *took > waited)
    }

    fn has_late_tool(&self) -> bool {
        self.tools.iter().any(|tool| tool.level > 0)
    }

    /// What is missing, and what lies beneath it.
    pub(crate) fn step_words(&self, step: Step, layer: Layer) -> String {
        let words = step.words(&self.layer_words(step.layer()));
        if layer == step.layer() {
            words
        } else {
            format!("{words}; {} is unwell", words::layer(layer))
        }
    }

    /// The line or the machine beneath every step, if it failed lately: words that were never
    /// carried are not the recognizer's fault.
    pub(crate) fn beneath(&self, at: Timestamp, config: &Config) -> Option<Layer> {
        [Layer::Infrastructure, Layer::Network]
            .into_iter()
            .find(|layer| {
                let cell = &self.layers[*layer];
                let is_unwell = cell.state >= LayerState::Degraded;
                cell.bad_at
                    .is_some_and(|bad| is_unwell || at.since(bad) <= config.attribution_window_ms)
            })
    }

    /// The explicit error that may be the cause of the silence now. Work that began after it means
    /// that the caller waits for something else by now; a connection that is gone is gone.
    fn recent_error(&self, config: &Config) -> Option<&ErrorSeen> {
        let error = self.error.as_deref()?;
        if error.layer == Layer::Network && self.disconnected_at.is_some() {
            return Some(error);
        }
        let is_recent = self.floor.since.since(error.at) <= config.attribution_window_ms;
        let is_worked_around = self.pending.since > error.at
            && self.pending.step != Step::Idle
            && self.pending.step.layer() != error.layer
            || self.pending.step == Step::Tokens && self.pending.since > error.at;
        let is_of_a_step = matches!(
            error.layer,
            Layer::Asr | Layer::Llm | Layer::Tools | Layer::Tts
        );
        (is_recent && !(is_of_a_step && is_worked_around)).then_some(error)
    }

    /// The silence is over: its evidence tells how long it was.
    pub(crate) fn tell_exact_silence(&mut self, layer: Layer, lasted: DurationMs) {
        let Some(found) = &mut self.layers[layer].evidence else {
            return;
        };
        if let Some(cause) = silence_cause(found) {
            found.text = format!("silent for {}: {cause}", words::seconds(lasted));
            let found = Evidence::clone(found);
            self.dialogue.remember_evidence(layer, &found);
        }
    }
}

/// The cause in evidence that tells a silence.
fn silence_cause(found: &Evidence) -> Option<String> {
    let rest = found.text.strip_prefix("silent for ")?;
    rest.split_once(": ").map(|(_, cause)| cause.to_owned())
}
