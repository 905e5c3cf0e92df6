//! One fact into one call.

use holdfast_domain::fact::{CallUpdated, Fact, Speaker};
use holdfast_domain::{
    AiState, CallPhase, LaneKind, Layer, LayerState, SignalKind, Utterance, UtteranceRole,
};

use super::Cx;
use super::call::Call;
use super::dialogue::name;
use super::expect::Step;
use super::floor::Owes;
use super::health::{Note, bit, evidence};
use super::turn::{Model, Turn};
use crate::words;

impl Call {
    /// Takes a fact in. One that cannot be leaves a note and changes nothing else.
    pub(crate) fn fold(&mut self, fact: &Fact<'_>, cx: &mut Cx<'_>) {
        if let Some(why) = impossible(fact) {
            cx.notes.push(Note::Impossible(why));
            return;
        }
        if self.is_retold && !is_told_in_a_snapshot(fact) {
            return;
        }
        self.ghost_since = None;
        match fact {
            Fact::CallUpdated(updated) => self.updated(updated, cx),
            Fact::TranscriptPartial { role, text } => self.dialogue.guess(*role, text, cx.at),
            Fact::TranscriptFinal {
                role,
                text,
                turn,
                interrupted,
                unspoken,
                ..
            } => {
                let utterance = Utterance {
                    role: *role,
                    text: text.to_string(),
                    unspoken: unspoken.as_deref().unwrap_or_default().to_owned(),
                    at: cx.at,
                    turn: *turn,
                    is_final: true,
                    interrupted: *interrupted,
                };
                self.transcribed(&utterance, cx);
            }
            Fact::SpeechStarted { actor } => self.speech_started(*actor, cx),
            Fact::SpeechStopped { actor } => self.speech_stopped(*actor, cx),
            Fact::SpeechInterrupted { by } => {
                if *by == Speaker::Caller {
                    self.floor.has_interrupted = true;
                    self.judge_overlap(Speaker::Agent, cx);
                }
            }
            Fact::AgentStateChanged { to } => self.agent_state_changed(*to, cx),
            Fact::LlmResponseStarted { service } => self.llm_started(service, cx),
            Fact::LlmResponseEnded {
                chars, tool_calls, ..
            } => self.llm_ended(*chars, *tool_calls, cx),
            Fact::TtsStarted { service } => {
                self.worked(Layer::Tts, service, cx);
                self.text_sent(cx);
            }
            Fact::ToolRequested { .. }
            | Fact::ToolStarted { .. }
            | Fact::ToolCompleted { .. }
            | Fact::ToolFailed { .. }
            | Fact::ToolTimedOut { .. }
            | Fact::ToolCancelled { .. }
            | Fact::ToolCatalogChanged { .. } => self.fold_tool(fact, cx),
            Fact::ServiceError {
                service,
                error_type,
                permanent,
                usable,
                ..
            } => {
                let is_gone = *permanent || *usable == Some(false);
                self.service_error(service, error_type, is_gone, cx);
            }
            Fact::ServiceAvailabilityChanged {
                service, available, ..
            } => self.availability_changed(service, *available, cx),
            Fact::ServiceSwitched { from, to, cause } => {
                self.service_switched(from, to, *cause, cx);
            }
            Fact::TransportQuality { rtt_ms, loss, .. } => self.quality(*rtt_ms, *loss, cx),
            Fact::TransportDisconnected { .. } => self.disconnected(cx),
            Fact::TransportReconnected { .. } => {
                self.disconnected_at = None;
                self.disconnected_is_told = false;
                self.heal(Layer::Network, cx.at, cx.notes);
            }
            Fact::PipelineStalled { secs } => {
                let words = format!(
                    "the platform's pipeline stands still for {}",
                    words::seconds((secs * 1_000.0) as i64)
                );
                let layer = Layer::Orchestration;
                let kind = SignalKind::PipelineStalled;
                self.note_failure(layer, LayerState::Failed, kind, words, cx);
                cx.notes.push(Note::LayerError { layer, at: cx.at });
            }
            Fact::WorkerLost { worker, .. } => self.worker_lost(worker, LayerState::Failed, cx),
            Fact::WorkerRegistered { .. } => self.heal(Layer::Infrastructure, cx.at, cx.notes),
            // They carry nothing that a live call's state needs: latencies and usage are figures,
            // turns are counted from speech, and an idle pipeline has nothing to do.
            Fact::ParticipantJoined { .. }
            | Fact::ParticipantLeft { .. }
            | Fact::TurnStarted { .. }
            | Fact::TurnEnded { .. }
            | Fact::TurnLatency { .. }
            | Fact::AgentReplaced { .. }
            | Fact::TtsStopped { .. }
            | Fact::ServiceLatency { .. }
            | Fact::ServiceUsage { .. }
            | Fact::ServiceSettingsChanged { .. }
            | Fact::PipelineIdle { .. }
            // The engine takes these before they come to a call.
            | Fact::CallStarted(_)
            | Fact::CallEnded { .. }
            | Fact::HandoffRequested { .. }
            | Fact::HandoffCompleted { .. }
            | Fact::HandoffFailed { .. }
            | Fact::StreamSnapshot { .. }
            | Fact::StreamGapDetected { .. }
            | Fact::Beat { .. }
            | Fact::StreamCaughtUp
            | Fact::BridgeHeartbeat { .. }
            | Fact::DrillFaultsChanged { .. } => {}
        }
    }

    fn updated(&mut self, updated: &CallUpdated<'_>, cx: &mut Cx<'_>) {
        self.judge_update(updated, cx);
        let dialogue = &mut self.dialogue;
        let set = |field: &mut String, value: &Option<holdfast_domain::fact::Text<'_>>| {
            if let Some(value) = value {
                *field = name(value);
            }
        };
        if let Some(queue) = &updated.queue {
            self.limits = cx.config.limits_of(queue);
        }
        if updated.language.is_some() {
            self.cells = None;
        }
        if updated.language.is_some() || updated.queue.is_some() {
            self.traits = None;
        }
        set(&mut dialogue.queue, &updated.queue);
        set(&mut dialogue.language, &updated.language);
        let keep = |field: &mut Option<String>, value: &Option<holdfast_domain::fact::Text<'_>>| {
            if let Some(value) = value {
                *field = Some(words::clip(value, 1_000));
            }
        };
        keep(&mut dialogue.intent, &updated.intent);
        keep(&mut dialogue.ask, &updated.ask);
        keep(&mut dialogue.summary, &updated.summary);
        keep(&mut dialogue.recording, &updated.recording);
        dialogue.merge_slots(&updated.slots);
        if let Some(sentiment) = updated.sentiment {
            dialogue.feel(sentiment);
        }
        if let Some(identity) = &updated.identity {
            let mut identity = identity.clone();
            let was_proved = identity.level != holdfast_domain::IdentityLevel::None;
            identity.at = identity.at.or(was_proved.then_some(cx.at));
            dialogue.identity = Some(identity);
        }
        if let Some(promises) = &updated.promises {
            dialogue.promise(promises);
        }
        if let Some(protected) = updated.protected {
            self.protected = protected;
        }
        if let Some(high_risk) = updated.high_risk {
            self.high_risk = high_risk;
        }
        if let Some(minimal) = updated.minimal_flow {
            self.minimal_flow = minimal;
        }
        if let Some(ai) = updated.ai {
            self.set_ai(ai, cx.at);
        }
    }

    /// The AI was told to be silent, or to speak again.
    pub(crate) fn set_ai(&mut self, ai: AiState, at: holdfast_domain::Timestamp) {
        if self.ai == ai {
            return;
        }
        self.end_silence(at);
        self.ai = ai;
        self.await_step(Step::Idle, at, None);
        self.floor.pass(self.floor.owes, at);
    }

    /// A human serves the call from now on: nothing of the AI is waited for any more.
    pub(crate) fn human_took_over(
        &mut self,
        at: holdfast_domain::Timestamp,
        notes: &mut Vec<Note>,
    ) {
        if self.phase != CallPhase::Ai {
            return;
        }
        self.end_silence(at);
        self.phase = CallPhase::Human;
        self.turn = None;
        self.await_step(Step::Idle, at, None);
        self.failed_in_row = 0;
        self.failing_since = None;
        for layer in [
            Layer::Asr,
            Layer::Llm,
            Layer::Tools,
            Layer::Tts,
            Layer::Orchestration,
        ] {
            self.forget(layer, at, notes);
        }
        self.error = None;
        self.dialogue.prior_transfers += 1;
    }

    fn transcribed(&mut self, utterance: &Utterance, cx: &mut Cx<'_>) {
        let (role, interrupted) = (utterance.role, utterance.interrupted);
        let has_unspoken = !utterance.unspoken.is_empty();
        let has_text = !utterance.text.trim().is_empty();
        let doubt = self.doubt(utterance);
        self.dialogue.say(utterance.clone(), self.is_retold);
        if self.is_retold || self.phase != CallPhase::Ai {
            return;
        }
        if !has_text {
            self.misheard(doubt, cx);
            return;
        }
        match role {
            UtteranceRole::Caller => {
                self.tells_transcripts = true;
                self.floor.is_transcribed = true;
                if doubt.is_none() {
                    self.heal(Layer::Asr, cx.at, cx.notes);
                }
                self.dialogue
                    .close_span(LaneKind::Asr, cx.at, doubt.is_some());
                if let Some(turn) = &mut self.turn {
                    turn.is_transcribed = true;
                }
                if self.pending.step == Step::Transcript {
                    self.learn_step(cx);
                    self.await_step(Step::Response, cx.at, Some(cx.event_id()));
                }
            }
            UtteranceRole::Agent if has_unspoken && !interrupted => {
                let text = "the caller heard only a part: speech ended before its text".to_owned();
                let events = vec![cx.event_id()];
                let found = evidence(SignalKind::Truncated, text, cx.at, events);
                self.raise(Layer::Tts, LayerState::Degraded, found, cx.notes);
            }
            UtteranceRole::Agent => {
                if !has_unspoken && self.layers[Layer::Tts].signal() == Some(SignalKind::Truncated)
                {
                    self.heal(Layer::Tts, cx.at, cx.notes);
                }
            }
        }
        self.misheard(doubt, cx);
        self.judge_words(utterance, cx);
    }

    fn speech_started(&mut self, actor: Speaker, cx: &mut Cx<'_>) {
        self.dialogue
            .close_span(LaneKind::Silence, cx.at, self.floor.level >= 2);
        self.judge_voice(actor, cx);
        match actor {
            Speaker::Caller => {
                self.caller_started(cx);
                self.dialogue.open_span(LaneKind::Caller, cx.at, "");
            }
            Speaker::Agent => {
                self.agent_started(cx);
                let label = self
                    .active(Layer::Tts)
                    .map(|service| service.name.clone())
                    .unwrap_or_default();
                self.dialogue.open_span(LaneKind::Tts, cx.at, &label);
            }
        }
        let stopped = self.floor.stopped_unheard.take();
        if let Some((_, at)) = stopped.filter(|(who, at)| *who == actor && *at >= cx.at) {
            self.speech_stopped(actor, &mut cx.at_moment(at));
        }
    }

    fn speech_stopped(&mut self, actor: Speaker, cx: &mut Cx<'_>) {
        if !self.floor.is_speaking(actor) {
            self.floor.stopped_unheard = Some((actor, cx.at));
            return;
        }
        self.judge_overlap(actor, cx);
        match actor {
            Speaker::Caller => {
                self.dialogue.close_span(LaneKind::Caller, cx.at, false);
                self.caller_stopped(cx);
                if self.pending.step == Step::Transcript {
                    let label = self.active(Layer::Asr).map(|asr| asr.name.clone());
                    let label = label.unwrap_or_default();
                    self.dialogue.open_span(LaneKind::Asr, cx.at, &label);
                }
            }
            Speaker::Agent => {
                self.dialogue.close_span(LaneKind::Tts, cx.at, false);
                self.agent_stopped(cx);
            }
        }
        if self.floor.owes == Owes::Agent && self.floor.nobody_speaks() {
            self.dialogue.open_span(LaneKind::Silence, cx.at, "");
        }
    }

    fn llm_started(&mut self, service: &str, cx: &mut Cx<'_>) {
        self.tells_llm = true;
        self.worked(Layer::Llm, service, cx);
        self.served(cx);
        if self.pending.step == Step::Response {
            self.learn_step(cx);
        }
        self.take_pace(cx);
        if self.is_answered_since(cx) {
            return;
        }
        if let Some(turn) = &mut self.turn {
            turn.model = Model::Answering;
        }
        if self.tools.is_empty() {
            self.announced_wait_ended(cx.at);
        }
        self.await_step(Step::Tokens, cx.at, Some(cx.event_id()));
        self.dialogue.open_span(LaneKind::Llm, cx.at, service);
    }

    /// News of the beginning of a response is late: its end came before, or its answer is heard.
    fn is_answered_since(&mut self, cx: &mut Cx<'_>) -> bool {
        let began = cx.at;
        let is_silent = |turn: &Turn| turn.model == Model::Silent;
        let heard = self.floor.agent_heard.filter(|heard| *heard > began);
        if let Some(heard) = heard.filter(|_| self.turn.as_ref().is_some_and(is_silent)) {
            self.turn_answered(&mut cx.at_moment(heard));
            return true;
        }
        let ended = self.response.ended_untold.take();
        let is_over = ended.is_some_and(|ended| ended >= began);
        self.response.is_open = !is_over;
        is_over
    }

    fn llm_ended(&mut self, chars: u32, tool_calls: u32, cx: &mut Cx<'_>) {
        if !std::mem::take(&mut self.response.is_open) {
            self.response.ended_untold = Some(cx.at);
        }
        let failed = self
            .turn
            .as_ref()
            .is_some_and(|turn| turn.model == Model::Failed);
        let is_empty = chars == 0 && tool_calls == 0;
        self.dialogue
            .close_span(LaneKind::Llm, cx.at, failed || is_empty);
        if !is_empty {
            self.heal_llm(cx);
        }
        let began = self.pending.since;
        let is_audible = self.floor.agent.is_some()
            || self.floor.agent_heard.is_some_and(|heard| heard >= began);
        if is_empty {
            // After an error the empty end is only its echo; when the caller talks over it, giving
            // nothing is right.
            if !failed && self.pending.step == Step::Tokens {
                self.answered_with_nothing(cx);
            }
            return;
        }
        if self.pending.step == Step::Tokens && chars > 0 {
            self.learn_step(cx);
        }
        let step = if tool_calls > 0 {
            if let Some(turn) = &mut self.turn {
                turn.model = Model::CallsTools;
                turn.used_tools = true;
            }
            Step::Tool
        } else if is_audible {
            Step::Idle
        } else {
            // Also where news of its beginning is still to come.
            if let Some(turn) = self
                .turn
                .as_mut()
                .filter(|turn| turn.model == Model::Silent)
            {
                turn.model = Model::Answering;
            }
            Step::Audio
        };
        // Tools may have begun, and even ended, before the end of the response is told.
        let is_past = matches!(self.pending.step, Step::Tool | Step::Rerun);
        if !(step == Step::Tool && is_past) {
            self.await_step(step, cx.at, Some(cx.event_id()));
        }
    }

    /// The model gave text or asked for tools: it works, unless an error of this turn says that
    /// the next one has to decide.
    fn heal_llm(&mut self, cx: &mut Cx<'_>) {
        let is_gap = self.layers[Layer::Llm].signal() == Some(SignalKind::ResponseGap);
        let had_error = self
            .turn
            .as_ref()
            .is_some_and(|turn| turn.errors & bit(Layer::Llm) != 0);
        if !is_gap && !had_error {
            self.heal(Layer::Llm, cx.at, cx.notes);
        }
    }

    fn answered_with_nothing(&mut self, cx: &mut Cx<'_>) {
        if let Some(turn) = &mut self.turn {
            turn.model = Model::Failed;
            turn.errors |= bit(Layer::Llm);
        }
        let words = format!("{} answered with nothing", self.layer_words(Layer::Llm));
        let kind = SignalKind::EmptyAnswer;
        self.note_failure(Layer::Llm, LayerState::Failed, kind, words, cx);
        cx.notes.push(Note::LayerError {
            layer: Layer::Llm,
            at: cx.at,
        });
        self.await_step(Step::Empty, cx.at, Some(cx.event_id()));
    }

    fn quality(&mut self, rtt_ms: f64, loss: f64, cx: &mut Cx<'_>) {
        let permille = (loss * 1_000.0).round() as u32;
        let rtt = rtt_ms.round() as u32;
        if permille < cx.config.loss_permille && rtt < cx.config.rtt_ms {
            if self.disconnected_at.is_none() {
                self.heal(Layer::Network, cx.at, cx.notes);
            }
            return;
        }
        let state = if permille >= cx.config.loss_permille_bad {
            LayerState::Failed
        } else {
            LayerState::Degraded
        };
        let text = format!(
            "the caller hears gaps or delay: {}.{} % of packets lost, round trip {rtt} ms",
            permille / 10,
            permille % 10
        );
        let events = vec![cx.event_id()];
        let found = evidence(SignalKind::Transport, text, cx.at, events);
        if state == LayerState::Degraded && self.disconnected_at.is_none() {
            self.ease(Layer::Network, cx.at, cx.notes);
        }
        self.raise(Layer::Network, state, found, cx.notes);
    }

    fn disconnected(&mut self, cx: &mut Cx<'_>) {
        self.disconnected_at.get_or_insert(cx.at);
        let words = "the caller's connection is gone".to_owned();
        let text = "the caller hears nothing: their connection is gone".to_owned();
        let events = vec![cx.event_id()];
        let found = evidence(SignalKind::Transport, text, cx.at, events);
        self.raise(Layer::Network, LayerState::Failed, found, cx.notes);
        cx.notes.push(Note::LayerError {
            layer: Layer::Network,
            at: cx.at,
        });
        self.note_error(Layer::Network, words, cx);
    }

    /// A worker is gone: this call's own, or one that may be.
    pub(crate) fn worker_lost(&mut self, worker: &str, state: LayerState, cx: &mut Cx<'_>) {
        let own = if state == LayerState::Failed {
            "the worker of this call"
        } else {
            "a worker of its platform, maybe of this call,"
        };
        let words = format!("{own} is lost ({})", words::clip(worker, 60));
        let layer = Layer::Infrastructure;
        self.note_failure(layer, state, SignalKind::WorkerLost, words, cx);
        if state == LayerState::Failed {
            cx.notes.push(Note::LayerError { layer, at: cx.at });
        }
    }
}

/// A re-told call consists of these; they are no evidence of work now.
const fn is_told_in_a_snapshot(fact: &Fact<'_>) -> bool {
    matches!(
        fact,
        Fact::CallUpdated(_) | Fact::TranscriptFinal { .. } | Fact::ToolCatalogChanged { .. }
    )
}

/// Why a fact cannot be; None for one that can.
fn impossible(fact: &Fact<'_>) -> Option<&'static str> {
    let within =
        |value: f64, low: f64, high: f64| value.is_finite() && value >= low && value <= high;
    match fact {
        Fact::TurnEnded { duration_ms, .. } | Fact::ToolCompleted { duration_ms, .. } => {
            (*duration_ms < 0).then_some("a negative duration")
        }
        Fact::TurnLatency { total_ms } => (*total_ms < 0).then_some("a negative latency"),
        Fact::ServiceLatency { ms, .. } => {
            (!within(*ms, 0.0, f64::MAX)).then_some("a latency that is no positive number")
        }
        Fact::TransportQuality {
            rtt_ms,
            jitter_ms,
            loss,
        } => {
            let fits = within(*rtt_ms, 0.0, 3_600_000.0)
                && within(*jitter_ms, 0.0, 3_600_000.0)
                && within(*loss, 0.0, 1.0);
            (!fits).then_some("a transport quality out of range")
        }
        Fact::PipelineStalled { secs } | Fact::PipelineIdle { secs } => {
            (!within(*secs, 0.0, 1e9)).then_some("a stall that is no positive time")
        }
        Fact::CallUpdated(updated) => {
            let feels = updated
                .sentiment
                .is_none_or(|value| within(value, -1.0, 1.0));
            let sure = updated.slots.iter().all(|slot| {
                slot.confidence
                    .is_none_or(|confidence| within(confidence, 0.0, 1.0))
            });
            (!(feels && sure)).then_some("a sentiment or a confidence out of range")
        }
        _ => None,
    }
}
