//! The agent speaks: text goes to speech synthesis, audio comes out.

use holdfast_domain::fact::{AgentActivity, EndedBy, Fact, LatencyMetric, Speaker, Text};
use holdfast_domain::{
    CardSource, DurationMs, IdentityState, Layer, PromiseMade, Protected, Timestamp, UtteranceRole,
};
use rand::Rng;

use super::noise::HOLD_MS;
use super::{Call, Ending, Line, NEVER, Owed, Purpose, Speech, Stage, World, split_spoken};
use crate::faults::FaultKind;
use crate::latency::{AGENT_CHARS_PER_SEC, Latency, TTS_AUDIO, speaking_ms};

/// Speech synthesis says that it cannot.
const TTS_REFUSES: Latency = Latency::new(280.0, 0.3);

/// After so long without audio the platform gives up on an announcement.
const ANNOUNCEMENT_MS_MAX: i64 = 8_000;

/// The share of answers that callers speak over.
const INTERRUPTED_SHARE: f64 = 0.05;

/// The share of answers after which a caller asks for a human: about one call in forty.
const WANTS_HUMAN_SHARE: f64 = 0.004;

/// How long a caller who asked for a human waits for one.
const HUMAN_WAIT_MS: i64 = 45_000;

impl Call {
    pub(super) fn greet(&mut self, world: &mut World<'_>) {
        self.owed = Some(Owed::Greeting);
        self.hush_begins(false, world);
        let greeting = &self.story.language.greeting;
        let text = self.story.pick(greeting, &mut self.rng);
        self.wait(world);
        let purpose = Purpose::Answer;
        self.speak(Speech { text, purpose }, world);
    }

    /// Text goes to speech synthesis.
    pub(super) fn speak(&mut self, speech: Speech, world: &mut World<'_>) {
        let service = self.active_name(Layer::Tts);
        self.tell(world, Fact::TtsStarted { service });
        let trouble = self
            .trouble(Layer::Tts, world)
            .filter(|kind| *kind != FaultKind::TtsTruncated);
        self.due = match (trouble, &speech.purpose) {
            (None, _) => world.now + TTS_AUDIO.draw(&mut self.rng) + self.spike_ms(Layer::Tts),
            (Some(FaultKind::TtsSilent | FaultKind::TtsDead), Purpose::Announcement(_)) => {
                world.now + ANNOUNCEMENT_MS_MAX
            }
            (Some(FaultKind::TtsSilent | FaultKind::TtsDead), Purpose::Filler) => {
                self.due = NEVER;
                self.stage = Stage::AwaitTool;
                if self.tool.is_none() {
                    self.think(world);
                }
                return;
            }
            (Some(FaultKind::TtsSilent | FaultKind::TtsDead), _) => {
                self.due = NEVER;
                self.stage = Stage::Stuck { unheard: None };
                return;
            }
            (Some(_), _) => world.now + TTS_REFUSES.draw(&mut self.rng),
        };
        self.stage = Stage::AwaitAudio {
            speech,
            asked: world.now,
            trouble,
        };
    }

    pub(super) fn audio_comes(
        &mut self,
        speech: Speech,
        asked: Timestamp,
        trouble: Option<FaultKind>,
        world: &mut World<'_>,
    ) {
        self.step_took(Layer::Tts, asked, world);
        self.note_trial(Layer::Tts, None, asked, trouble.is_some(), world);
        if let Some(kind) = trouble {
            if !matches!(kind, FaultKind::TtsSilent | FaultKind::TtsDead) {
                self.tell_service_error(Layer::Tts, kind, world);
            }
            match speech.purpose {
                Purpose::Filler => {
                    self.stage = Stage::AwaitTool;
                    if self.tool.is_none() {
                        self.think(world);
                    }
                }
                Purpose::Announcement(request) => self.announcement_failed(*request, kind, world),
                Purpose::Answer | Purpose::Hold | Purpose::Reprompt | Purpose::NoHuman => {
                    self.stage = Stage::Stuck { unheard: None };
                }
            }
            return;
        }
        let latency = Fact::ServiceLatency {
            service: self.active_name(Layer::Tts),
            metric: LatencyMetric::Ttfb,
            ms: world.now.since(asked) as f64,
            probe: false,
        };
        self.tell_service(world, Layer::Tts, latency);
        self.tell_odd_latency(Layer::Tts, world);
        self.hush_ends(world);
        let actor = Speaker::Agent;
        self.tell(world, Fact::SpeechStarted { actor });
        self.activity(AgentActivity::Speaking, world);
        if let Some(stopped) = self.caller.stopped.take() {
            let total_ms = world.now.since(stopped);
            self.tell(world, Fact::TurnLatency { total_ms });
        }
        let partial = Fact::TranscriptPartial {
            role: UtteranceRole::Agent,
            text: Text::Owned(speech.text.clone()),
        };
        self.tell(world, partial);
        self.stop_waiting();
        if let Purpose::Announcement(request) = &speech.purpose {
            Self::announcement_is_heard(request, world);
        }
        let whole_ms = speaking_ms(&speech.text, AGENT_CHARS_PER_SEC);
        let (ending, ms) = self.ending(&speech, whole_ms, world);
        self.due = world.now + ms;
        self.stage = Stage::AgentSpeaks {
            speech,
            began: world.now,
            whole_ms,
            ending,
        };
    }

    /// How the audio that begins now will end, and when.
    fn ending(
        &mut self,
        speech: &Speech,
        whole_ms: DurationMs,
        world: &World<'_>,
    ) -> (Ending, DurationMs) {
        let part = |call: &mut Self, from: f64, to: f64| {
            (whole_ms as f64 * call.rng.random_range(from..to)) as DurationMs
        };
        if self
            .fault_of(Layer::Tts, world)
            .is_some_and(|(kind, _)| kind == FaultKind::TtsTruncated)
        {
            return (Ending::Truncated, part(self, 0.3, 0.7));
        }
        let may_be_interrupted =
            speech.purpose == Purpose::Answer && matches!(self.owed, Some(Owed::Beat(_)));
        if may_be_interrupted && whole_ms > 3_000 && self.rng.random_bool(INTERRUPTED_SHARE) {
            return (Ending::Interrupted, part(self, 0.5, 0.9));
        }
        (Ending::Whole, whole_ms)
    }

    pub(super) fn agent_ends(
        &mut self,
        speech: Speech,
        began: Timestamp,
        whole_ms: DurationMs,
        ending: Ending,
        world: &mut World<'_>,
    ) {
        if ending == Ending::Interrupted {
            let by = Speaker::Caller;
            self.tell(world, Fact::SpeechInterrupted { by });
        }
        let interrupted = ending == Ending::Interrupted;
        self.cut_agent(
            &speech,
            world.now.since(began),
            whole_ms,
            interrupted,
            world,
        );
        match speech.purpose {
            Purpose::Filler => {
                self.stage = Stage::AwaitTool;
                self.activity(AgentActivity::Tools, world);
                self.hush_begins(true, world);
                self.wait(world);
                if self.tool.is_none() {
                    self.think(world);
                }
            }
            Purpose::Hold => {
                self.activity(AgentActivity::Holding, world);
                self.due = world.now + self.rng.random_range(HOLD_MS);
                self.stage = Stage::OnHold;
            }
            Purpose::Announcement(request) => self.announcement_is_over(*request, world),
            Purpose::Reprompt => {
                self.end_turn(false, world);
                self.activity(AgentActivity::Listening, world);
                self.caller_thinks(Line::Repeat, world);
            }
            Purpose::NoHuman => {
                self.activity(AgentActivity::Listening, world);
                self.caller_thinks(self.next_line(), world);
            }
            Purpose::Answer if ending == Ending::Truncated => {
                self.end_turn(false, world);
                self.activity(AgentActivity::Listening, world);
                self.caller.cut_out = true;
                self.wait(world);
                self.stage = Stage::Stuck { unheard: None };
            }
            Purpose::Answer => self.answered(interrupted, world),
        }
    }

    /// The agent's audio ends after `ms` of `whole_ms`.
    pub(super) fn cut_agent(
        &mut self,
        speech: &Speech,
        ms: DurationMs,
        whole_ms: DurationMs,
        interrupted: bool,
        world: &mut World<'_>,
    ) {
        let service = self.active_name(Layer::Tts);
        self.tell(world, Fact::TtsStopped { service });
        let actor = Speaker::Agent;
        self.tell(world, Fact::SpeechStopped { actor });
        let (_, tail) = split_spoken(&speech.text, ms, whole_ms);
        let unspoken = Some(tail.to_owned()).filter(|tail| !tail.is_empty());
        let turn = self.turn.open.then_some(self.turn.number);
        let interrupted = interrupted && unspoken.is_some();
        self.heard(
            UtteranceRole::Agent,
            &speech.text,
            turn,
            interrupted,
            unspoken,
            world,
        );
    }

    /// What was owed was said, whole or until the caller spoke over it.
    fn answered(&mut self, interrupted: bool, world: &mut World<'_>) {
        let owed = self.owed.take();
        world.ledger.served.push((self.id.clone(), world.now));
        self.caller.prompts = 0;
        self.caller.cut_out = false;
        self.end_turn(interrupted, world);
        match owed {
            Some(Owed::Beat(beat)) => {
                self.beat_is_done(beat, world);
                self.beat = beat + 1;
            }
            Some(Owed::Goodbye) => {
                let by = if self.rng.random_bool(0.7) {
                    EndedBy::Caller
                } else {
                    EndedBy::Agent
                };
                self.end("completed", by, world);
                return;
            }
            Some(Owed::Connecting) => {
                self.ask_for_human(world);
                return;
            }
            Some(Owed::Greeting) | None => {}
        }
        self.activity(AgentActivity::Listening, world);
        self.protect_next(world);
        let line = self.next_line();
        if interrupted {
            self.caller_begins(line, world);
        } else if owed != Some(Owed::Greeting) && self.rng.random_bool(WANTS_HUMAN_SHARE) {
            self.caller_thinks(Line::WantsHuman, world);
        } else {
            self.caller_thinks(line, world);
        }
    }

    fn beat_is_done(&mut self, beat: usize, world: &mut World<'_>) {
        let plan = &self.story.plot.beats[beat];
        if plan.tool.is_none() {
            self.prove_identity(beat, world);
        }
        let kept = self.tool_ended == Some(super::ToolEnding::Completed);
        let promise = (plan.promise && kept).then(|| PromiseMade {
            text: self.story.promise(),
            turn: Some(self.turn.number),
            confirmed: true,
            source: CardSource::Platform,
        });
        let over = plan.protected == Some(Protected::Identity);
        // Once the caller's wish is clear, the conversation can be told in short.
        let summary = (beat == 1).then(|| self.story.summary());
        if promise.is_none() && summary.is_none() && !over {
            return;
        }
        self.update(world, |news| {
            news.promises = promise.map(|promise| vec![promise]);
            news.summary = summary.map(Text::Owned);
            news.protected = over.then_some(None);
        });
    }

    /// The agent's question opens an identity check, until it is answered. A payment that is talked
    /// of has not begun.
    fn protect_next(&mut self, world: &mut World<'_>) {
        let next = self.story.plot.beats.get(self.beat);
        if next.and_then(|plan| plan.protected) == Some(Protected::Identity) {
            self.update(world, |news| {
                news.protected = Some(Some(Protected::Identity));
            });
        }
    }

    /// A payment lasts for as long as the system that makes it is at work: no model has a part in
    /// it meanwhile.
    pub(super) fn payment_begins(&mut self, world: &mut World<'_>) {
        let Some(Owed::Beat(beat)) = self.owed else {
            return;
        };
        if self.story.plot.beats[beat].protected == Some(Protected::Payment) {
            self.update(world, |news| {
                news.protected = Some(Some(Protected::Payment));
            });
        }
    }

    pub(super) fn payment_ends(&mut self, world: &mut World<'_>) {
        if self.known.protected == Some(Some(Protected::Payment)) {
            self.update(world, |news| news.protected = Some(None));
        }
    }

    pub(super) fn prove_identity(&mut self, beat: usize, world: &mut World<'_>) {
        if let Some((method, level)) = self.story.plot.beats[beat].identity {
            let at = Some(world.now);
            self.update(world, |news| {
                news.identity = Some(IdentityState {
                    method: method.to_owned(),
                    level,
                    at,
                    valid: true,
                });
            });
        }
    }

    fn ask_for_human(&mut self, world: &mut World<'_>) {
        let wish = Fact::HandoffRequested {
            to: self.story.plot.queue.into(),
            reason: "the caller asked for a human".into(),
        };
        self.tell(world, wish);
        self.activity(AgentActivity::Holding, world);
        self.due = world.now + HUMAN_WAIT_MS;
        self.stage = Stage::WaitsForHuman;
    }

    pub(super) fn nobody_came(&mut self, world: &mut World<'_>) {
        let failed = Fact::HandoffFailed {
            handoff_id: None,
            reason: "no_answer".into(),
        };
        self.tell(world, failed);
        let no_human = &self.story.language.no_human;
        let text = self.story.pick(no_human, &mut self.rng);
        self.wait(world);
        let purpose = Purpose::NoHuman;
        self.speak(Speech { text, purpose }, world);
    }
}
