//! The language model thinks, and uses tools.

use holdfast_domain::fact::{AgentActivity, Effect, Fact, LatencyMetric, Text, ToolRef};
use holdfast_domain::{AiState, Layer, Timestamp};
use rand::Rng;

use super::{Call, NEVER, Owed, Purpose, Reply, RunningTool, Speech, Stage, ToolEnding, World};
use crate::dialogue::{Beat, Tool};
use crate::faults::{FaultKind, Reach};
use crate::latency::{LLM_SENTENCE, LLM_TOKEN, Latency, TOOL_READ, TOOL_WRITE};

/// A model that answers 503 takes its time to do so.
const LLM_REFUSES: Latency = Latency::new(380.0, 0.4);

/// How many times as long as usual a sluggish model takes.
const SLUGGISH_TIMES: i64 = 5;

/// What a tool call may take before the platform gives up on it.
const TOOL_DEADLINE_MS: i64 = 10_000;

/// A stalled pipeline is noticed after so long, and told again every so often.
const STALL_TOLD_MS: i64 = 5_000;

/// How often a stalled dialogue looks whether it can go on.
const STALL_LOOK_MS: i64 = 1_000;

impl Call {
    /// The dialogue decides what to do with what was heard: as a rule it asks the model.
    pub(super) fn think(&mut self, world: &mut World<'_>) {
        self.due = NEVER;
        if self.known.ai == Some(AiState::Paused) {
            self.stage = Stage::Paused;
            return;
        }
        if self.tool.is_some() {
            self.stage = Stage::AwaitTool;
            return;
        }
        if self.is_hit(FaultKind::OrchestrationStall, world) {
            self.note_fault(FaultKind::OrchestrationStall, world);
            self.due = world.now + STALL_LOOK_MS;
            self.stage = Stage::Stalled {
                since: world.now,
                told: 0,
            };
            return;
        }
        let service = self.active_name(Layer::Llm);
        self.tell(world, Fact::LlmResponseStarted { service });
        self.is_answered_elsewhere = false;
        let mut trouble = self.trouble(Layer::Llm, world);
        let mut late_ms = 0;
        if trouble == Some(FaultKind::LlmPoolFull) {
            (trouble, late_ms) = self.ask_pool(world);
        } else if self.is_answered_elsewhere {
            late_ms = LLM_REFUSES.draw(&mut self.rng);
        }
        let token = LLM_TOKEN.draw(&mut self.rng);
        self.due = match trouble {
            None => world.now + token + late_ms + self.spike_ms(Layer::Llm),
            Some(FaultKind::LlmEmpty) => world.now + token,
            Some(FaultKind::LlmSlow) => world.now + token + self.rng.random_range(3_000..8_000),
            Some(FaultKind::LlmSluggish) => {
                self.note_sluggish(token * SLUGGISH_TIMES, world);
                world.now + token * SLUGGISH_TIMES
            }
            Some(FaultKind::LlmHangs | FaultKind::LlmDead) => NEVER,
            Some(_) => world.now + LLM_REFUSES.draw(&mut self.rng),
        };
        self.stage = Stage::AwaitToken {
            asked: world.now,
            trouble,
        };
    }

    pub(super) fn stalls(&mut self, since: Timestamp, told: u32, world: &mut World<'_>) {
        if !self.is_hit(FaultKind::OrchestrationStall, world) {
            self.think(world);
            return;
        }
        let stalled_ms = world.now.since(since);
        let mut told = told;
        if stalled_ms >= STALL_TOLD_MS * i64::from(told + 1) {
            told += 1;
            let secs = stalled_ms as f64 / 1_000.0;
            self.tell(world, Fact::PipelineStalled { secs });
        }
        self.due = world.now + STALL_LOOK_MS;
        self.stage = Stage::Stalled { since, told };
    }

    pub(super) fn token_comes(
        &mut self,
        asked: Timestamp,
        trouble: Option<FaultKind>,
        world: &mut World<'_>,
    ) {
        self.step_took(Layer::Llm, asked, world);
        let failed = match trouble {
            None | Some(FaultKind::LlmSlow | FaultKind::LlmSluggish) => false,
            Some(_) => true,
        };
        self.note_trial(Layer::Llm, None, asked, failed, world);
        match trouble {
            None | Some(FaultKind::LlmSlow | FaultKind::LlmSluggish) => {}
            Some(kind) => {
                // As Pipecat does: the error, then the end of a response without a character.
                if kind != FaultKind::LlmEmpty {
                    self.tell_service_error(Layer::Llm, kind, world);
                }
                self.response_ends(0, 0, world);
                self.stage = Stage::Stuck { unheard: None };
                return;
            }
        }
        let latency = Fact::ServiceLatency {
            service: self.answering_name(),
            metric: LatencyMetric::Ttft,
            ms: world.now.since(asked) as f64,
            probe: false,
        };
        self.tell_service(world, Layer::Llm, latency);
        self.tell_odd_latency(Layer::Llm, world);
        let reply = self.reply(world);
        let times = if trouble == Some(FaultKind::LlmSluggish) {
            SLUGGISH_TIMES
        } else {
            1
        };
        self.due = world.now + LLM_SENTENCE.draw(&mut self.rng) * times;
        self.stage = Stage::AwaitSentence(reply);
    }

    pub(super) fn reply_is_whole(&mut self, reply: Reply, world: &mut World<'_>) {
        match reply {
            Reply::Say(speech) => {
                self.response_ends(speech.text.chars().count() as u32, 0, world);
                self.speak(speech, world);
            }
            Reply::UseTool { tool, filler } => {
                let chars = filler
                    .as_ref()
                    .map_or(0, |speech| speech.text.chars().count());
                self.response_ends(chars as u32, 1, world);
                self.start_tool(tool, world);
                match filler {
                    Some(speech) => self.speak(speech, world),
                    None => self.stage = Stage::AwaitTool,
                }
            }
        }
    }

    /// What the model comes up with for what is owed.
    fn reply(&mut self, world: &World<'_>) -> Reply {
        let language = self.story.language;
        let garbled = std::mem::take(&mut self.caller.garbled);
        let is_asked = matches!(self.owed, Some(Owed::Beat(_))) && self.tool_ended.is_none();
        let holds = is_asked && !garbled && self.asks_to_hold();
        let (text, purpose) = match self.owed {
            _ if garbled => {
                let text = self.story.pick(&language.reprompt, &mut self.rng);
                (text, Purpose::Reprompt)
            }
            _ if holds => {
                let text = self.story.pick(&language.filler, &mut self.rng);
                (text, Purpose::Hold)
            }
            Some(Owed::Beat(_))
                if self.tool_ended.is_none()
                    && self.is_hit(FaultKind::NetworkPoor, world)
                    && self.rng.random_bool(0.25) =>
            {
                let text = self.story.pick(&language.reprompt, &mut self.rng);
                (text, Purpose::Reprompt)
            }
            Some(Owed::Beat(beat)) => match self.beat_reply(beat) {
                Ok(text) => (text, Purpose::Answer),
                Err(use_tool) => return use_tool,
            },
            Some(Owed::Greeting) | None => {
                let text = self.story.pick(&language.greeting, &mut self.rng);
                (text, Purpose::Answer)
            }
            Some(Owed::Connecting) => {
                let text = self.story.pick(&language.connecting, &mut self.rng);
                (text, Purpose::Answer)
            }
            Some(Owed::Goodbye) => {
                let text = self.story.pick(&language.goodbye, &mut self.rng);
                (text, Purpose::Answer)
            }
        };
        let text = if self.caller.prompts > 0 && purpose == Purpose::Answer {
            let sorry = self.story.pick(&language.sorry_wait, &mut self.rng);
            format!("{sorry} {text}")
        } else {
            text
        };
        Reply::Say(Speech { text, purpose })
    }

    /// The answer of a beat, or first the tool that it needs.
    fn beat_reply(&mut self, beat: usize) -> Result<String, Reply> {
        let plan: &'static Beat = &self.story.plot.beats[beat];
        let Some(tool) = &plan.tool else {
            return Ok(self.story.agent_line(beat));
        };
        let no_tool = |call: &mut Self| {
            let language = call.story.language;
            call.story.pick(&language.no_tool, &mut call.rng)
        };
        match self.tool_ended {
            Some(ToolEnding::Completed) => Ok(self.story.agent_line(beat)),
            Some(ToolEnding::Failed | ToolEnding::TimedOut) => Ok(no_tool(self)),
            None if self.tools_off.contains(tool.name) => Ok(no_tool(self)),
            None => {
                let says_so = tool.writes || self.rng.random_bool(0.85);
                let filler = says_so.then(|| Speech {
                    text: self.story.pick(&self.story.language.filler, &mut self.rng),
                    purpose: Purpose::Filler,
                });
                Err(Reply::UseTool { tool, filler })
            }
        }
    }

    /// The model that answers, whoever was asked.
    fn answering_name(&self) -> Text<'static> {
        let backup = self
            .services
            .iter()
            .find(|service| service.layer == Layer::Llm && !service.active)
            .filter(|_| self.is_answered_elsewhere);
        backup.map_or_else(
            || self.active_name(Layer::Llm),
            |service| Text::Owned(service.name.clone()),
        )
    }

    fn response_ends(&mut self, chars: u32, tool_calls: u32, world: &mut World<'_>) {
        let ended = Fact::LlmResponseEnded {
            service: self.answering_name(),
            chars,
            tool_calls,
        };
        self.tell(world, ended);
    }

    fn start_tool(&mut self, tool: &'static Tool, world: &mut World<'_>) {
        self.tools_used += 1;
        let id = format!("tool-{}", self.tools_used);
        let used = ToolRef {
            name: tool.name.into(),
            id: Text::Owned(id.clone()),
        };
        let requested = Fact::ToolRequested {
            tool: used.clone(),
            args: Some(Text::Owned(self.story.render(tool.args))),
        };
        self.tell(world, requested);
        self.payment_begins(world);
        let started = Fact::ToolStarted {
            tool: used,
            writes: tool.writes,
        };
        self.tell(world, started);
        self.activity(AgentActivity::Tools, world);
        let hit = |kind| {
            let reach = Reach {
                tool: Some(tool.name),
                ..self.reach(self.region)
            };
            world.faults.hit_by(kind, &reach)
        };
        let (late, failing) = (hit(FaultKind::ToolTimeout), hit(FaultKind::ToolError));
        if let Some(number) = late.or(failing) {
            self.note_hit(Layer::Tools, Some(number), world);
        }
        let (ending, ms) = if late.is_some() {
            (ToolEnding::TimedOut, TOOL_DEADLINE_MS)
        } else if failing.is_some() {
            (ToolEnding::Failed, TOOL_READ.draw(&mut self.rng))
        } else {
            let usual = if tool.writes { TOOL_WRITE } else { TOOL_READ };
            let ms = usual.draw(&mut self.rng) + self.spike_ms(Layer::Tools);
            if ms < TOOL_DEADLINE_MS {
                (ToolEnding::Completed, ms)
            } else {
                self.note_hit(Layer::Tools, None, world);
                (ToolEnding::TimedOut, TOOL_DEADLINE_MS)
            }
        };
        self.tool = Some(RunningTool {
            tool,
            id,
            began: world.now,
            due: world.now + ms,
            ending,
        });
        if self.caller.patience != NEVER {
            self.wait(world);
        }
    }

    pub(super) fn end_tool(&mut self, world: &mut World<'_>) {
        let Some(running) = self.tool.take() else {
            return;
        };
        self.step_took(Layer::Tools, running.began, world);
        let failed = running.ending != ToolEnding::Completed;
        let name = Some(running.tool.name);
        self.note_trial(Layer::Tools, name, running.began, failed, world);
        self.note_tool(running.tool, Some(running.ending));
        let tool = ToolRef {
            name: running.tool.name.into(),
            id: Text::Owned(running.id),
        };
        let fact = match running.ending {
            ToolEnding::Completed => Fact::ToolCompleted {
                tool,
                duration_ms: world.now.since(running.began),
                result: Some(Text::Owned(self.story.render(running.tool.result))),
                effect: Some(if running.tool.writes {
                    Effect::Committed
                } else {
                    Effect::None
                }),
            },
            ToolEnding::Failed => Fact::ToolFailed {
                tool,
                error_type: "http_500".into(),
                message: "the system behind the tool answered with an error".into(),
            },
            ToolEnding::TimedOut => Fact::ToolTimedOut {
                tool,
                deadline_ms: Some(TOOL_DEADLINE_MS),
            },
        };
        self.tell(world, fact);
        self.payment_ends(world);
        self.tool_ended = Some(running.ending);
        if running.ending == ToolEnding::Completed
            && let Some(Owed::Beat(beat)) = self.owed
        {
            self.prove_identity(beat, world);
        }
        if self.stage == Stage::AwaitTool {
            self.think(world);
        }
    }

    pub(super) fn cancel_tool(&mut self, world: &mut World<'_>) {
        if let Some(running) = self.tool.take() {
            self.note_tool(running.tool, None);
            let tool = ToolRef {
                name: running.tool.name.into(),
                id: Text::Owned(running.id),
            };
            self.tell(world, Fact::ToolCancelled { tool });
            self.payment_ends(world);
        }
    }
}
