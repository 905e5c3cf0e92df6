//! The caller speaks, and speech recognition listens.

use holdfast_domain::fact::{AgentActivity, EndedBy, Fact, LatencyMetric, Speaker, Text};
use holdfast_domain::{Layer, Slot, Timestamp, UtteranceRole};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Call, Line, Owed, Stage, World, split_spoken};
use crate::faults::FaultKind;
use crate::latency::{ASR_FINAL, CALLER_CHARS_PER_SEC, Latency, speaking_ms};

/// Speech recognition says that it cannot.
const ASR_REFUSES: Latency = Latency::new(260.0, 0.3);

/// How often interim transcripts come, in milliseconds.
const PARTIAL_EVERY_MS: i64 = 1_400;

impl Call {
    pub(super) fn caller_begins(&mut self, line: Line, world: &mut World<'_>) {
        match line {
            Line::Beat(beat) => self.owe(Owed::Beat(beat)),
            Line::Thanks => self.owe(Owed::Goodbye),
            Line::WantsHuman => self.owe(Owed::Connecting),
            Line::AreYouThere | Line::Repeat | Line::CutOut => {}
        }
        self.stop_waiting();
        self.begin_turn(world);
        let actor = Speaker::Caller;
        self.tell(world, Fact::SpeechStarted { actor });
        let text = self.words(line);
        let ends = world.now + speaking_ms(&text, CALLER_CHARS_PER_SEC);
        self.due = ends.min(world.now + PARTIAL_EVERY_MS);
        self.stage = Stage::CallerSpeaks {
            line,
            text,
            began: world.now,
            ends,
        };
    }

    pub(super) fn caller_goes_on(
        &mut self,
        line: Line,
        text: String,
        began: Timestamp,
        ends: Timestamp,
        world: &mut World<'_>,
    ) {
        if world.now < ends {
            let fault = self.fault_of(Layer::Asr, world);
            if fault.is_none_or(|(kind, _)| kind == FaultKind::AsrGarbled) {
                let (so_far, _) = split_spoken(&text, world.now.since(began), ends.since(began));
                if !so_far.is_empty() {
                    let partial = Fact::TranscriptPartial {
                        role: UtteranceRole::Caller,
                        text: Text::Owned(so_far.trim_end().to_owned()),
                    };
                    self.tell(world, partial);
                }
            }
            self.due = ends.min(world.now + PARTIAL_EVERY_MS);
            self.stage = Stage::CallerSpeaks {
                line,
                text,
                began,
                ends,
            };
            return;
        }
        let actor = Speaker::Caller;
        self.tell(world, Fact::SpeechStopped { actor });
        self.caller.stopped = Some(world.now);
        self.hush_begins(false, world);
        self.wait(world);
        self.transcribe(line, text, world);
    }

    /// What was said goes to speech recognition, for the first time or again.
    pub(super) fn transcribe(&mut self, line: Line, text: String, world: &mut World<'_>) {
        let trouble = self.trouble(Layer::Asr, world);
        self.due = match trouble {
            Some(FaultKind::AsrSilent | FaultKind::AsrDead) => {
                self.due = super::NEVER;
                self.stage = Stage::Stuck {
                    unheard: Some((line, text)),
                };
                return;
            }
            None | Some(FaultKind::AsrGarbled) => {
                let times = if self.is_hit(FaultKind::NetworkPoor, world) {
                    4
                } else {
                    1
                };
                let usual = ASR_FINAL.draw(&mut self.rng) * times;
                world.now + usual + self.spike_ms(Layer::Asr)
            }
            Some(_) => world.now + ASR_REFUSES.draw(&mut self.rng),
        };
        self.stage = Stage::AwaitTranscript {
            line,
            text,
            trouble,
        };
    }

    pub(super) fn transcript_comes(
        &mut self,
        line: Line,
        text: String,
        trouble: Option<FaultKind>,
        world: &mut World<'_>,
    ) {
        let stopped = self.caller.stopped.unwrap_or(world.now);
        self.step_took(Layer::Asr, stopped, world);
        self.note_trial(Layer::Asr, None, stopped, trouble.is_some(), world);
        if let Some(kind) = trouble.filter(|kind| *kind != FaultKind::AsrGarbled) {
            self.tell_service_error(Layer::Asr, kind, world);
            self.stage = Stage::Stuck {
                unheard: Some((line, text)),
            };
            return;
        }
        let latency = Fact::ServiceLatency {
            service: self.active_name(Layer::Asr),
            metric: LatencyMetric::Ttfb,
            ms: world.now.since(stopped).max(1) as f64,
            probe: false,
        };
        self.tell_service(world, Layer::Asr, latency);
        self.tell_odd_latency(Layer::Asr, world);
        let turn = Some(self.turn.number);
        if trouble.is_some() {
            self.caller.garbled = true;
            self.caller.prompts += 1;
            let text = garbled(&text, &mut self.rng);
            self.heard(UtteranceRole::Caller, &text, turn, false, None, world);
            if self.caller.prompts > self.caller.prompts_max {
                self.end("the caller hung up", EndedBy::Caller, world);
                return;
            }
        } else {
            self.heard(UtteranceRole::Caller, &text, turn, false, None, world);
            self.understand(line, world);
        }
        self.activity(AgentActivity::Thinking, world);
        self.think(world);
    }

    /// What the platform makes of a line of the plot.
    fn understand(&mut self, line: Line, world: &mut World<'_>) {
        let Line::Beat(beat) = line else {
            if self.caller.prompts > 0 {
                let mood = -0.35 - 0.15 * f64::from(self.caller.prompts.min(4));
                self.update(world, |news| news.sentiment = Some(mood));
            }
            return;
        };
        let plan = &self.story.plot.beats[beat];
        let turn = Some(self.turn.number);
        let slots: Vec<Slot> = plan
            .slots
            .iter()
            .map(|name| Slot {
                name: (*name).to_owned(),
                value: self.story.value(name).to_owned(),
                confidence: Some(f64::from(self.rng.random_range(80..100_u8)) / 100.0),
                turn,
            })
            .collect();
        let mood = plan.mood + f64::from(self.rng.random_range(-10..=10_i8)) / 100.0;
        let first = (beat == 0).then(|| (self.story.plot.intent, self.story.ask()));
        self.update(world, |news| {
            news.slots = slots;
            news.sentiment = Some((mood * 100.0).round() / 100.0);
            if let Some((intent, ask)) = first {
                news.intent = Some(intent.into());
                news.ask = Some(Text::Owned(ask));
            }
        });
    }

    pub(super) fn run_out_of_patience(&mut self, world: &mut World<'_>) {
        self.stop_waiting();
        match self.stage {
            // Nobody ever answered.
            Stage::Connecting => {
                self.end("the caller hung up", EndedBy::Caller, world);
                return;
            }
            // Somebody speaks, or the caller knows that they have to wait.
            Stage::CallerThinks(_)
            | Stage::CallerSpeaks { .. }
            | Stage::AgentSpeaks { .. }
            | Stage::OnHold
            | Stage::WaitsForHuman
            | Stage::Rings(_)
            | Stage::HumanPause(_)
            | Stage::HumanSpeaks { .. }
            | Stage::CallerPause(_)
            | Stage::CallerAnswers { .. }
            | Stage::Over => return,
            // Nobody hears them.
            Stage::Dropped | Stage::WorkerGone => {
                self.end("the caller gave up", EndedBy::Caller, world);
                return;
            }
            Stage::AwaitTranscript { .. }
            | Stage::AwaitToken { .. }
            | Stage::AwaitSentence(_)
            | Stage::AwaitTool
            | Stage::AwaitAudio { .. }
            | Stage::Stuck { .. }
            | Stage::Stalled { .. }
            | Stage::Paused => {}
        }
        if self.caller.prompts >= self.caller.prompts_max {
            self.end("the caller hung up", EndedBy::Caller, world);
            return;
        }
        self.caller.prompts += 1;
        self.hush_ends(world);
        let line = if std::mem::take(&mut self.caller.cut_out) {
            Line::CutOut
        } else if self.caller.prompts.is_multiple_of(2) && matches!(self.owed, Some(Owed::Beat(_)))
        {
            Line::Repeat
        } else {
            Line::AreYouThere
        };
        self.abandon(world);
        self.caller_begins(line, world);
    }

    fn words(&mut self, line: Line) -> String {
        let language = self.story.language;
        match line {
            Line::Beat(beat) => self.story.caller_line(beat),
            Line::AreYouThere => self.story.pick(&language.are_you_there, &mut self.rng),
            Line::Repeat => {
                let said = match self.owed {
                    Some(Owed::Beat(beat)) => self.story.caller_line(beat),
                    _ => String::new(),
                };
                let wording = self.story.pick(&language.repeat, &mut self.rng);
                wording.replace("{line}", &said)
            }
            Line::CutOut => self.story.pick(&language.cut_out, &mut self.rng),
            Line::WantsHuman => self.story.pick(&language.wants_human, &mut self.rng),
            Line::Thanks => self.story.pick(&language.thanks, &mut self.rng),
        }
    }

    fn owe(&mut self, owed: Owed) {
        self.owed = Some(owed);
        self.tool_ended = None;
    }
}

/// What is left of a text when it was recognized badly: nothing, or some of its words.
fn garbled(text: &str, rng: &mut ChaCha8Rng) -> String {
    if rng.random_bool(0.5) {
        return String::new();
    }
    let words: Vec<&str> = text.split(' ').rev().step_by(3).collect();
    words.join(" ")
}
