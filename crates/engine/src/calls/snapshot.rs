//! A call that begins, or is told again inside a snapshot.

use holdfast_domain::fact::CallStarted;
use holdfast_domain::{CallId, SourceId, Timestamp};

use super::Cx;
use super::call::Call;
use super::dialogue::name;
use super::expect::Step;
use super::floor::FloorState;
use super::health::Note;
use crate::Config;

/// The most services of one call: seven layers with a ladder of a few each.
const SERVICES_MAX: usize = 64;

impl Call {
    /// A call as its platform tells of it for the first time.
    pub(crate) fn started(
        id: CallId,
        source: SourceId,
        told: &CallStarted<'_>,
        at: Timestamp,
        now: Timestamp,
        config: &Config,
    ) -> Self {
        let started_at = told.started_at.unwrap_or(at).min(now);
        let mut call = Self::new(id, source, started_at, now, config);
        call.last_fact_at = at;
        call.is_retold = told.resumed;
        call.describe(told, config);
        call
    }

    /// A call that we know is told again. What the layers did since we last heard is unknown, and
    /// so is who speaks; what was said before stays.
    pub(crate) fn resumed(
        &mut self,
        told: &CallStarted<'_>,
        at: Timestamp,
        config: &Config,
        notes: &mut Vec<Note>,
    ) {
        self.describe(told, config);
        self.is_retold = true;
        self.forget_all(at, notes);
        self.floor = FloorState::default();
        self.turn = None;
        self.tools.clear();
        self.ghost_since = None;
        self.disconnected_at = None;
        self.await_step(Step::Idle, at, None);
        for lane in [
            holdfast_domain::LaneKind::Caller,
            holdfast_domain::LaneKind::Asr,
            holdfast_domain::LaneKind::Llm,
            holdfast_domain::LaneKind::Tools,
            holdfast_domain::LaneKind::Tts,
            holdfast_domain::LaneKind::Silence,
        ] {
            self.dialogue.close_span(lane, at, false);
        }
    }

    fn describe(&mut self, told: &CallStarted<'_>, config: &Config) {
        self.services = told.services.iter().take(SERVICES_MAX).cloned().collect();
        self.capabilities.clone_from(&told.capabilities);
        self.limits = config.limits_of(&told.queue);
        self.cells = None;
        self.traits = None;
        self.trials.replace();
        let dialogue = &mut self.dialogue;
        dialogue.queue = name(&told.queue);
        dialogue.language = name(&told.language);
        for (place, told) in [
            (&mut dialogue.flow, &told.flow),
            (&mut dialogue.build, &told.build),
            (&mut dialogue.worker, &told.worker),
            (&mut dialogue.zone, &told.zone),
        ] {
            if let Some(told) = told {
                *place = name(told);
            }
        }
        if let Some(customer) = &told.customer {
            dialogue.customer = Some(name(customer));
        }
        dialogue.disclosure = told.disclosure.or(dialogue.disclosure);
        dialogue.consent = told.consent.or(dialogue.consent);
        if let Some(recording) = &told.recording {
            dialogue.recording = Some(name(recording));
        }
    }

    /// What follows is news again.
    pub(crate) fn caught_up(&mut self, cx: &mut Cx<'_>) {
        self.is_retold = false;
        self.floor.pass(self.floor.owes, cx.at);
    }
}
