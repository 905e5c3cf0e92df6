//! Deadlines of one call that passed.

use holdfast_domain::{DurationMs, EventId, Layer, LayerState, SignalKind, Timestamp};

use super::call::Call;
use super::expect::{Step, deadline_ms};
use super::floor::Owes;
use super::health::{Note, evidence};
use crate::{Config, words};

impl Call {
    /// Everything that was due by `at`, with `at` as the moment at which it is told.
    pub(crate) fn fire(&mut self, at: Timestamp, config: &Config, notes: &mut Vec<Note>) {
        let quiet_ms = self.quiet_limit_ms(config);
        if let Some(limit) = quiet_ms.filter(|ms| self.heard_at + *ms <= at)
            && self.ghost_since.is_none()
        {
            self.became_ghost(at, limit, notes);
            return;
        }
        if self.ghost_since.is_some() || self.is_retold {
            return;
        }
        if self.ai_serves() {
            if self.step_deadline().is_some_and(|due| due <= at) {
                self.step_is_late(at, config, notes);
            }
            if self.unheard_deadline().is_some_and(|due| due <= at) {
                self.filler_is_late(at, notes);
            }
            self.tools_passed(at, notes);
        }
        if self.is_silent()
            && self
                .limits
                .silence
                .after(self.floor.level)
                .is_some_and(|ms| self.floor.since + ms <= at)
        {
            self.silence_passed(at, config, notes);
        }
        if self.turn_deadline().is_some_and(|due| due <= at) {
            self.fail_turn(at, notes);
        }
        if self
            .disconnected_at
            .is_some_and(|since| since + config.disconnected_ms <= at)
        {
            self.disconnected_is_told = true;
        }
    }

    fn step_is_late(&mut self, at: Timestamp, config: &Config, notes: &mut Vec<Note>) {
        self.pending.is_late = true;
        let step = self.pending.step;
        let Some(limit) = deadline_ms(step, &self.limits) else {
            return;
        };
        if step == Step::Greeting && self.floor.owes == Owes::Unknown {
            // Calls of this platform are greeted: the silence since it began is the agent's.
            self.floor.pass(Owes::Agent, self.pending.since);
        }
        // What failed already is not also late.
        let layer = self.beneath(at, config).unwrap_or(step.layer());
        if self.layers[layer].state == LayerState::Failed {
            return;
        }
        let missing = self.step_words(step, layer);
        if self.is_silent() && self.floor.blamed.is_none() {
            self.floor.blamed = Some((layer, self.layers[layer].state));
        }
        let event = self.pending.event.clone();
        self.raise_late(layer, limit, &missing, event, at, notes);
    }

    /// What is waited for longer than `limit` is told on its layer.
    fn raise_late(
        &mut self,
        layer: Layer,
        limit: DurationMs,
        missing: &str,
        event: Option<EventId>,
        at: Timestamp,
        notes: &mut Vec<Note>,
    ) {
        let text = format!(
            "the caller waits for over {}: {missing}",
            words::seconds(limit)
        );
        let events = event.into_iter().collect();
        let found = evidence(SignalKind::Expectation, text, at, events);
        self.raise(layer, LayerState::Degraded, found, notes);
    }

    /// The filler while tools run is not audible: speech does not work, whatever the tools do.
    fn filler_is_late(&mut self, at: Timestamp, notes: &mut Vec<Note>) {
        let Some(unheard) = &mut self.unheard else {
            return;
        };
        unheard.is_late = true;
        let event = unheard.event.clone();
        if self.layers[Layer::Tts].state == LayerState::Failed {
            return;
        }
        let (layer, limit) = (Layer::Tts, self.limits.steps.audio_ms);
        let missing = Step::Audio.words(&self.layer_words(layer));
        self.raise_late(layer, limit, &missing, Some(event), at, notes);
    }

    fn became_ghost(&mut self, at: Timestamp, limit: i64, notes: &mut Vec<Note>) {
        self.ghost_since = Some(at);
        let counted = if self.ghost_suspected {
            "; its platform counts fewer calls than are shown"
        } else {
            ""
        };
        let text = format!(
            "no news of this call for over {}{counted}",
            words::seconds(limit)
        );
        let events = vec![holdfast_domain::EventId::new(self.last_event.as_str())];
        let found = evidence(SignalKind::Ghost, text, at, events);
        self.dialogue
            .remember_evidence(Layer::Orchestration, &found);
        self.await_step(Step::Idle, at, None);
        self.forget_all(at, notes);
    }
}
