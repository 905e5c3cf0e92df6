//! Who owes the next sound. Speech events and our own clock decide, never errors.

use holdfast_domain::fact::{AgentActivity, Speaker};
use holdfast_domain::{
    DurationMs, Evidence, Floor, LaneKind, Layer, LayerState, SignalKind, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Cx;
use super::call::{Call, ErrorSeen};
use super::expect::Step;
use super::health::{Note, evidence};
use super::turn::{Model, Turn};
use crate::{Config, words};

/// Who owes the next sound while nobody is audible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Owes {
    /// Nothing heard yet.
    #[default]
    Unknown,
    /// The agent.
    Agent,
    /// The caller.
    Caller,
    /// The agent, who said that it will take a while.
    Announced,
}

/// The floor of one call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct FloorState {
    /// The caller is audible since.
    pub(crate) caller: Option<Timestamp>,
    /// The agent is audible since.
    pub(crate) agent: Option<Timestamp>,
    pub(crate) owes: Owes,
    /// When `owes` became so.
    pub(crate) since: Timestamp,
    /// How many limits of silence passed, 0 to 3.
    pub(crate) level: u8,
    /// When the last limit of silence passed.
    pub(crate) told_at: Timestamp,
    /// Where the silence was blamed, and how that layer was before.
    pub(crate) blamed: Option<(Layer, LayerState)>,
    /// The agent announced a wait that is not over.
    pub(crate) has_announced: bool,
    /// The caller cut the agent short in this speech.
    pub(crate) has_interrupted: bool,
    /// A final transcript arrived while the caller spoke.
    pub(crate) is_transcribed: bool,
    /// The newest beginning of agent speech.
    pub(crate) agent_heard: Option<Timestamp>,
}

impl FloorState {
    pub(crate) const fn nobody_speaks(&self) -> bool {
        self.caller.is_none() && self.agent.is_none()
    }

    pub(crate) fn pass(&mut self, owes: Owes, since: Timestamp) {
        self.owes = owes;
        self.since = since;
        self.level = 0;
        self.blamed = None;
    }

    /// The floor as the console sees it.
    pub(crate) fn view(&self) -> Floor {
        if let Some(since) = self.caller {
            return Floor::Speaking {
                who: Speaker::Caller,
                since,
            };
        }
        if let Some(since) = self.agent {
            return Floor::Speaking {
                who: Speaker::Agent,
                since,
            };
        }
        let since = self.since;
        match self.owes {
            Owes::Unknown => Floor::Unknown,
            Owes::Agent => Floor::AgentOwes { since },
            Owes::Caller => Floor::CallerOwes { since },
            Owes::Announced => Floor::Announced { since },
        }
    }
}

/// Who is to blame for a silence.
struct Blame {
    layer: Layer,
    words: String,
    events: Vec<holdfast_domain::EventId>,
}

impl Call {
    pub(crate) fn caller_started(&mut self, cx: &mut Cx<'_>) {
        if self.floor.caller.is_some() {
            return;
        }
        // A turn that is tried again has its own time: the caller who asks whether anybody is there
        // a moment after the switch waited for the try before it.
        let tried_for = self.turn.as_ref().map(|turn| cx.at.since(turn.asked));
        let waited = self.end_silence(cx.at);
        let waited = waited.map(|ms| tried_for.map_or(ms, |tried| ms.min(tried)));
        if waited.is_some_and(|ms| ms >= self.limits.silence.watch_ms) {
            self.fail_turn(cx.at, cx.notes);
        }
        self.floor.caller = Some(cx.at);
        self.floor.has_interrupted = false;
        self.floor.is_transcribed = false;
        self.await_step(Step::Idle, cx.at, None);
        self.floor.has_announced = false;
        if self.disconnected_at.is_none() && self.layers[Layer::Network].evidence.is_none() {
            self.heal(Layer::Network, cx.at, cx.notes);
        }
    }

    pub(crate) fn caller_stopped(&mut self, cx: &mut Cx<'_>) {
        let Some(began) = self.floor.caller.take() else {
            return;
        };
        let is_noise =
            cx.at.since(began) < cx.config.utterance_ms_min && !self.floor.is_transcribed;
        let is_aside = self.floor.agent.is_some() && !self.floor.has_interrupted;
        if is_noise || is_aside {
            // The floor stays with whom it was; silence is counted afresh.
            self.floor.pass(self.floor.owes, cx.at);
            return;
        }
        self.take_pace(cx);
        let is_transcribed = self.floor.is_transcribed;
        match &mut self.turn {
            Some(turn) if !turn.is_failed => {
                turn.stopped = cx.at;
                turn.asked = cx.at;
                turn.event = cx.event_id();
                turn.is_transcribed = is_transcribed;
                turn.model = Model::Silent;
            }
            _ => {
                self.turns = self.turns.saturating_add(1);
                self.conduct.turn_taken(cx.at);
                self.turn = Some(Turn {
                    began,
                    stopped: cx.at,
                    asked: cx.at,
                    event: cx.event_id(),
                    is_transcribed,
                    model: Model::Silent,
                    had_filler: false,
                    filler_at: None,
                    is_failed: false,
                    is_counted: false,
                    errors: 0,
                    slowest: Step::Idle,
                    slowest_ms: 0,
                });
            }
        }
        self.floor.pass(Owes::Agent, cx.at);
        let step = if is_transcribed || !self.expects_transcript() {
            Step::Response
        } else {
            Step::Transcript
        };
        self.await_step(step, cx.at, Some(cx.event_id()));
    }

    /// The platform can be waited on for a transcript.
    fn expects_transcript(&self) -> bool {
        self.tells_transcripts || self.active(Layer::Asr).is_some()
    }

    pub(crate) fn agent_started(&mut self, cx: &mut Cx<'_>) {
        if self.floor.agent.is_some() {
            return;
        }
        self.end_silence(cx.at);
        if matches!(self.pending.step, Step::Tokens | Step::Audio) && self.is_answer() {
            self.learn_step(cx);
        }
        self.floor.agent = Some(cx.at);
        self.floor.agent_heard = Some(cx.at);
        if self.phase != holdfast_domain::CallPhase::Ai {
            self.turn = None;
            return;
        }
        if self.layers[Layer::Tts].signal() != Some(SignalKind::Truncated) {
            self.heal(Layer::Tts, cx.at, cx.notes);
        }
        if self.is_answer() {
            self.turn_answered(cx);
        } else if let Some(turn) = &mut self.turn {
            turn.had_filler = true;
            if turn.model == Model::CallsTools {
                turn.filler_at.get_or_insert(cx.at);
            }
        }
        if matches!(self.pending.step, Step::Audio) || self.turn.is_none() {
            self.await_step(Step::Idle, cx.at, None);
        }
    }

    /// Agent audio that begins now answers the caller's turn: the model worked on it. A filler
    /// while tools run, an apology after an error and an announcement do not.
    fn is_answer(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| match turn.model {
            Model::Answering => true,
            Model::CallsTools | Model::Failed => false,
            Model::Silent => !self.tells_llm,
        })
    }

    fn turn_answered(&mut self, cx: &mut Cx<'_>) {
        self.measure_step(cx.at);
        let Some(turn) = self.turn.take() else { return };
        // A filler while tools run is the first that the caller hears; an apology is no answer.
        let gap = turn.filler_at.unwrap_or(cx.at).since(turn.stopped);
        self.answered_at = Some(cx.at);
        self.gaps.push(gap);
        self.failed_in_row = 0;
        self.failing_since = None;
        self.heal_by_turn(turn.errors, cx.at, cx.notes);
        self.judge_gap(&turn, cx);
        cx.notes.push(Note::TurnAnswered { at: cx.at });
    }

    /// Answers that come late degrade the layer that took longest to give its first output.
    fn judge_gap(&mut self, turn: &Turn, cx: &mut Cx<'_>) {
        let limits = self.limits.response_gap;
        let median = self.gaps.median_of_three().unwrap_or(0);
        if limits.reached(median) < 2 {
            for layer in Layer::ALL {
                if self.layers[layer].signal() == Some(SignalKind::ResponseGap) {
                    self.heal(layer, cx.at, cx.notes);
                }
            }
            return;
        }
        let layer = turn.slowest.layer();
        let text = format!(
            "answers take {} (median of the last three turns); of the last, {} took {}",
            words::seconds(median),
            self.layer_words(layer),
            words::seconds(turn.slowest_ms),
        );
        let events = vec![turn.event.clone(), cx.event_id()];
        let found = evidence(SignalKind::ResponseGap, text, cx.at, events);
        self.raise(layer, LayerState::Degraded, found, cx.notes);
    }

    pub(crate) fn agent_stopped(&mut self, cx: &mut Cx<'_>) {
        if self.floor.agent.take().is_none() {
            return;
        }
        let owes = match &self.turn {
            _ if self.floor.has_announced => Owes::Announced,
            Some(turn) if turn.had_filler && !self.tools.is_empty() => Owes::Announced,
            Some(_) => Owes::Agent,
            None => Owes::Caller,
        };
        self.floor.pass(owes, cx.at);
    }

    pub(crate) fn agent_state_changed(&mut self, to: AgentActivity, cx: &mut Cx<'_>) {
        match to {
            AgentActivity::Tools | AgentActivity::Holding => {
                self.floor.has_announced = true;
                if self.floor.nobody_speaks() {
                    self.end_silence(cx.at);
                    self.dialogue.close_span(LaneKind::Silence, cx.at, false);
                    self.floor.pass(Owes::Announced, cx.at);
                }
            }
            AgentActivity::Thinking | AgentActivity::Listening | AgentActivity::Speaking => {
                self.floor.has_announced = false;
                if self.floor.owes == Owes::Announced {
                    let is_owed = self.turn.is_some() || to == AgentActivity::Thinking;
                    let owes = if is_owed { Owes::Agent } else { Owes::Caller };
                    self.floor.pass(owes, cx.at);
                }
            }
        }
    }

    /// The tools are done: the wait that they explained is over.
    pub(crate) fn announced_wait_ended(&mut self, at: Timestamp) {
        if self.floor.owes == Owes::Announced && !self.floor.has_announced && self.turn.is_some() {
            self.floor.pass(Owes::Agent, at);
        }
    }

    /// The failed turn is tried again. The caller's silence goes on; only the time after which the
    /// turn fails counts from here. Work that began since `asked_for` is that of the new try.
    pub(crate) fn turn_retried(&mut self, at: Timestamp, asked_for: Timestamp) {
        let is_under_way = self.pending.since >= asked_for
            && matches!(
                self.pending.step,
                Step::Tokens | Step::Audio | Step::Tool | Step::Rerun
            );
        let Some(turn) = &mut self.turn else { return };
        turn.asked = at;
        turn.errors = 0;
        turn.is_failed = false;
        if !is_under_way {
            turn.model = Model::Silent;
            let event = turn.event.clone();
            self.await_step(Step::Response, at, Some(event));
        }
    }

    /// When the pending step is late. While somebody is audible or a wait was announced, the caller
    /// does not wait for it; afterwards it has its whole time again.
    pub(crate) fn step_deadline(&self) -> Option<Timestamp> {
        if !self.floor.nobody_speaks() || self.floor.owes == Owes::Announced {
            return None;
        }
        let since = self.pending.since.max(self.floor.since);
        self.pending
            .limit_ms(&self.limits.steps)
            .map(|ms| since + ms)
    }

    /// When the caller's turn counts as failed, if the silence lasts.
    pub(crate) fn turn_deadline(&self) -> Option<Timestamp> {
        let turn = self.turn.as_ref().filter(|turn| !turn.is_failed)?;
        let since = turn.asked.max(self.floor.since);
        self.is_silent()
            .then(|| since + self.limits.silence.warn_ms)
    }

    /// A limit of silence passed.
    pub(crate) fn silence_passed(&mut self, at: Timestamp, config: &Config, notes: &mut Vec<Note>) {
        let Some(limit) = self.limits.silence.after(self.floor.level) else {
            return;
        };
        self.floor.level += 1;
        self.floor.told_at = at;
        let state = if self.floor.level >= 2 {
            LayerState::Failed
        } else {
            LayerState::Degraded
        };
        let how_long = format!("over {}", words::seconds(limit));
        self.blame_silence(at, &how_long, state, config, notes);
    }

    fn blame_silence(
        &mut self,
        at: Timestamp,
        how_long: &str,
        state: LayerState,
        config: &Config,
        notes: &mut Vec<Note>,
    ) {
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
        let text = format!("silent for {how_long}: {}", blame.words);
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
        let is_by_silence = self.layers[layer].signal().is_some_and(|kind| {
            matches!(
                kind,
                SignalKind::UnansweredTurn | SignalKind::DeadAir | SignalKind::Expectation
            )
        });
        if !is_by_silence {
            return;
        }
        // It was blamed by a guess: it neither failed nor did it any work.
        let good_at = self.layers[layer].good_at;
        self.layers[layer].bad_at = None;
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
        let state = if self.floor.level >= 2 {
            LayerState::Failed
        } else {
            LayerState::Degraded
        };
        let limit = self.limits.silence.after(self.floor.level - 1).unwrap_or(0);
        let how_long = format!("over {}", words::seconds(limit));
        self.blame_silence(cx.at, &how_long, state, cx.config, cx.notes);
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
        let layer = self.pending.step.layer();
        Blame {
            layer,
            words: self.pending.step.words(&self.layer_words(layer)),
            events,
        }
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

    /// Somebody is audible again, or silence is now announced. Tells how long it lasted.
    pub(crate) fn end_silence(&mut self, at: Timestamp) -> Option<DurationMs> {
        if !self.is_silent() {
            return None;
        }
        let lasted = at.since(self.floor.since);
        if self.floor.level > 0 {
            let silence_ms = &mut self.dialogue.silence_ms;
            *silence_ms = silence_ms.saturating_add(lasted.max(0));
            if let Some((layer, _)) = self.floor.blamed {
                self.tell_exact_silence(layer, lasted);
            }
        }
        self.floor.level = 0;
        self.floor.blamed = None;
        Some(lasted)
    }

    fn tell_exact_silence(&mut self, layer: Layer, lasted: DurationMs) {
        let Some(found) = &mut self.layers[layer].evidence else {
            return;
        };
        if let Some(cause) = silence_cause(found) {
            found.text = format!("silent for {}: {cause}", words::seconds(lasted));
            let found = Evidence::clone(found);
            self.dialogue.remember_evidence(layer, &found);
        }
    }

    /// The caller's turn got no good answer.
    pub(crate) fn fail_turn(&mut self, at: Timestamp, notes: &mut Vec<Note>) {
        let Some(turn) = &mut self.turn else { return };
        if turn.is_failed {
            return;
        }
        turn.is_failed = true;
        notes.push(Note::TurnFailed { at });
        // A turn that is tried again and fails again is still one turn of the caller.
        if !std::mem::replace(&mut turn.is_counted, true) {
            let since = turn.asked;
            self.failed_turns = self.failed_turns.saturating_add(1);
            self.failed_in_row = self.failed_in_row.saturating_add(1);
            self.failing_since.get_or_insert(since);
        }
    }
}

/// The cause in evidence that tells a silence.
fn silence_cause(found: &Evidence) -> Option<String> {
    let rest = found.text.strip_prefix("silent for ")?;
    rest.split_once(": ").map(|(_, cause)| cause.to_owned())
}
