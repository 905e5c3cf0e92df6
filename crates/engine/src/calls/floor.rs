//! Who owes the next sound. Speech events and our own clock decide, never errors.

use holdfast_domain::fact::{AgentActivity, Speaker};
use holdfast_domain::{DurationMs, Floor, LaneKind, Layer, LayerState, SignalKind, Timestamp};
use serde::{Deserialize, Serialize};

use super::Cx;
use super::call::Call;
use super::expect::{Step, Unheard};
use super::health::{Note, evidence};
use super::turn::{Model, Turn};
use crate::words;

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

/// Why the caller was told to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Announced {
    /// Nobody told so.
    #[default]
    Nothing,
    /// Tools run: it is over when they are done.
    Tools,
    /// The platform holds the call: it is over when the platform says so.
    Hold,
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
    /// The step that took longest of the silence so far and is over, and how long it took.
    #[serde(default)]
    pub(crate) spent: Option<(Step, DurationMs)>,
    /// Where the silence was blamed, and how that layer was before.
    pub(crate) blamed: Option<(Layer, LayerState)>,
    /// The wait that the agent announced and that is not over.
    pub(crate) announced: Announced,
    /// The caller cut the agent short in this speech.
    pub(crate) has_interrupted: bool,
    /// Somebody stopped to speak who was not heard to begin: the beginning may be told late.
    #[serde(default)]
    pub(crate) stopped_unheard: Option<(Speaker, Timestamp)>,
    /// A final transcript arrived while the caller spoke.
    pub(crate) is_transcribed: bool,
    /// The newest beginning of agent speech.
    pub(crate) agent_heard: Option<Timestamp>,
}

impl FloorState {
    pub(crate) const fn nobody_speaks(&self) -> bool {
        self.caller.is_none() && self.agent.is_none()
    }

    pub(crate) const fn is_speaking(&self, who: Speaker) -> bool {
        match who {
            Speaker::Caller => self.caller.is_some(),
            Speaker::Agent => self.agent.is_some(),
        }
    }

    pub(crate) fn pass(&mut self, owes: Owes, since: Timestamp) {
        self.owes = owes;
        self.since = since;
        self.level = 0;
        self.spent = None;
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
        self.unheard = None;
        self.floor.announced = Announced::Nothing;
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
                    used_tools: false,
                    is_failed: false,
                    is_counted: false,
                    errors: 0,
                    slowest: Step::Idle,
                    slowest_ms: 0,
                });
            }
        }
        self.floor.pass(Owes::Agent, cx.at);
        if self.is_at_work_since(cx.at) {
            return;
        }
        let step = if is_transcribed || !self.expects_transcript() {
            Step::Response
        } else {
            Step::Transcript
        };
        self.await_step(step, cx.at, Some(cx.event_id()));
    }

    /// The end of the caller's speech is told late: the answer to it is under way, and goes on.
    fn is_at_work_since(&mut self, stopped: Timestamp) -> bool {
        let model = match self.pending.step {
            Step::Tokens | Step::Audio => Model::Answering,
            Step::Tool | Step::Rerun => Model::CallsTools,
            Step::Idle | Step::Greeting | Step::Transcript | Step::Response | Step::Empty => {
                return false;
            }
        };
        let is_at_work = self.pending.since > stopped;
        if let Some(turn) = self.turn.as_mut().filter(|_| is_at_work) {
            turn.model = model;
            turn.used_tools |= model == Model::CallsTools;
        }
        is_at_work
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
        self.served(cx);
        self.unheard = None;
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

    pub(crate) fn turn_answered(&mut self, cx: &mut Cx<'_>) {
        self.measure_step(cx.at);
        let Some(turn) = self.turn.take() else { return };
        let gap = cx.at.since(turn.stopped);
        self.answered_at = Some(cx.at);
        self.failed_in_row = 0;
        self.failing_since = None;
        self.heal_by_turn(turn.errors, cx.at, cx.notes);
        // With tools the model is asked twice, and the tools have limits of their own: such a turn
        // says nothing about how fast answers are.
        if !turn.used_tools {
            self.gaps.push(gap);
            self.judge_gap(&turn, gap, cx);
        }
        let asked = cx.at.since(turn.asked);
        cx.notes.push(Note::TurnAnswered {
            at: cx.at,
            late: (!turn.is_failed).then(|| self.limits.response_gap.reached(asked) >= 2),
        });
    }

    /// Answers that come late degrade the layer that took longest to give its first output. An answer
    /// in time tells nothing new of those before it.
    fn judge_gap(&mut self, turn: &Turn, gap: DurationMs, cx: &mut Cx<'_>) {
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
        if limits.reached(gap) < 2 {
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
            _ if self.floor.announced != Announced::Nothing => Owes::Announced,
            Some(turn) if turn.had_filler && !self.tools.is_empty() => Owes::Announced,
            Some(_) => Owes::Agent,
            None => Owes::Caller,
        };
        self.floor.pass(owes, cx.at);
    }

    pub(crate) fn agent_state_changed(&mut self, to: AgentActivity, cx: &mut Cx<'_>) {
        match to {
            // The tools that this speaks of are done: the state is told again after a filler.
            AgentActivity::Tools if self.tools.is_empty() && self.pending.step == Step::Rerun => {}
            AgentActivity::Tools | AgentActivity::Holding => {
                self.floor.announced = match to {
                    AgentActivity::Holding => Announced::Hold,
                    _ => Announced::Tools,
                };
                if self.floor.nobody_speaks() {
                    self.end_silence(cx.at);
                    self.dialogue.close_span(LaneKind::Silence, cx.at, false);
                    self.floor.pass(Owes::Announced, cx.at);
                }
            }
            AgentActivity::Thinking | AgentActivity::Listening | AgentActivity::Speaking => {
                self.floor.announced = Announced::Nothing;
                if self.floor.owes == Owes::Announced {
                    let is_owed = self.turn.is_some() || to == AgentActivity::Thinking;
                    let owes = if is_owed { Owes::Agent } else { Owes::Caller };
                    self.floor.pass(owes, cx.at);
                }
            }
        }
    }

    /// The tools are done, or the model works on their results: the wait that they explained is
    /// over.
    pub(crate) fn announced_wait_ended(&mut self, at: Timestamp) {
        if self.floor.announced == Announced::Tools {
            self.floor.announced = Announced::Nothing;
        }
        if self.floor.owes == Owes::Announced
            && self.floor.announced == Announced::Nothing
            && self.turn.is_some()
        {
            self.floor.pass(Owes::Agent, at);
        }
    }

    /// Text was sent to speech. Of the agent's own accord, as a greeting is, it owes sound from now
    /// on; in a turn the model's own end says the same. A filler while tools run is waited for
    /// beside them.
    pub(crate) fn text_sent(&mut self, cx: &mut Cx<'_>) {
        if !self.floor.nobody_speaks() || !self.ai_serves() {
            return;
        }
        self.served(cx);
        if matches!(self.pending.step, Step::Tool | Step::Rerun) {
            self.unheard = Some(Unheard {
                since: cx.at,
                is_late: false,
                event: cx.event_id(),
            });
            return;
        }
        let is_unasked = self.turn.is_none() && self.pending.step == Step::Idle;
        if !is_unasked {
            return;
        }
        self.take_pace(cx);
        if self.floor.owes == Owes::Unknown {
            self.floor.pass(Owes::Agent, cx.at);
        }
        self.await_step(Step::Audio, cx.at, Some(cx.event_id()));
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
            // What was spent on the try before says nothing of this one.
            self.floor.spent = None;
        }
    }

    /// When the pending step is late. While somebody is audible or a wait was announced, the caller
    /// does not wait for it; afterwards it has its whole time again.
    pub(crate) fn step_deadline(&self) -> Option<Timestamp> {
        if !self.floor.nobody_speaks() || self.floor.owes == Owes::Announced {
            return None;
        }
        // What the tools gave is taken up once the filler was said: until then speech is waited for.
        if self.pending.step == Step::Rerun && self.unheard.is_some() {
            return None;
        }
        let since = self.pending.since.max(self.floor.since);
        self.pending.limit_ms(&self.limits).map(|ms| since + ms)
    }

    /// When the caller's turn counts as failed, if the silence lasts.
    pub(crate) fn turn_deadline(&self) -> Option<Timestamp> {
        let turn = self.turn.as_ref().filter(|turn| !turn.is_failed)?;
        let since = turn.asked.max(self.floor.since);
        self.is_silent()
            .then(|| since + self.limits.silence.warn_ms)
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
