//! One simulated call: a caller, an AI agent, and the layers between them.
//!
//! A call is a state machine. [`Call::next_due`] says when it wants to be woken, [`Call::wake`]
//! moves it on and tells what happened. Besides its stage it has timers of its own: the tool that
//! runs, the caller's patience, the pulse of its connection, and commands under way.
//!
//! ```text
//!  Connecting -> AwaitAudio -> AgentSpeaks -> CallerThinks -> CallerSpeaks -> AwaitTranscript
//!                    ^                                                             |
//!                    +---- AwaitSentence <- AwaitToken <---------------------------+
//!                              |               ^
//!                              +-> AwaitTool --+          a layer that fails leads to Stuck
//! ```
//!
//! As on Pipecat a failed turn is not tried again by the platform: the caller waits, asks whether
//! anybody is there, says it again, and hangs up in the end, unless somebody acts.

mod act;
mod breakdown;
mod hold;
mod human;
mod listen;
mod noise;
mod retell;
mod speak;
mod think;
mod trouble;

use std::collections::{BTreeSet, VecDeque};

use holdfast_domain::fact::{
    AgentActivity, CallStarted, CallUpdated, EndedBy, Fact, Speaker, Text,
};
use holdfast_domain::{
    AiState, CallId, CommandId, DurationMs, Layer, Service, Timestamp, UtteranceRole,
};
use holdfast_protocol::bridge::CommandResult;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::dialogue::{FLOW_VERSIONS, Story, Tool, version_of};
use crate::faults::{FaultKind, Faults};
use crate::latency::{CALLER_PAUSE, Latency};
use crate::ledger::Ledger;
use crate::platform::{PlatformConfig, WorldKind};
use crate::pools::Pools;
use crate::services::Site;
use crate::truth::ToolTruth;

pub(crate) use act::{Act, Request};

/// A moment that never comes: the due time of what only somebody else can end.
pub(crate) const NEVER: Timestamp = Timestamp::from_millis(i64::MAX / 4);

/// Utterances that a call remembers for being re-told; the wire's own limit.
const TRANSCRIPT_MAX: usize = 50;

/// From the caller's connection to the AI's greeting.
const CONNECT: Latency = Latency::new(500.0, 0.3);

/// One thing that the platform says.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// An event.
    Event(Event),
    /// An answer to a command.
    Answer(CommandResult),
}

/// One event, before the bridge gives it its place in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The call it is about; None for the whole platform.
    pub call: Option<CallId>,
    /// When it happened.
    pub at: Timestamp,
    /// The layer it is about, where the wire asks for one.
    pub layer: Option<Layer>,
    /// The command whose effect it is.
    pub cause: Option<CommandId>,
    /// What happened.
    pub fact: Fact<'static>,
}

/// What a call sees of the world as it moves on.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) now: Timestamp,
    pub(crate) faults: &'a Faults,
    pub(crate) out: &'a mut Vec<Output>,
    /// What broke for whom, for whoever labels a run.
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) pools: &'a mut Pools,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    number: u64,
    rng: ChaCha8Rng,
    story: Story,
    /// Where its worker runs.
    region: &'static str,
    zone: &'static str,
    /// Errors and spikes happen without a fault.
    is_noisy: bool,
    /// The dialogue flow, with its version where a queue has several.
    flow: String,
    worker: String,
    services: Vec<Service>,
    tools_off: BTreeSet<&'static str>,
    started_at: Timestamp,
    /// Everything that was said about the call, for being re-told.
    known: CallUpdated<'static>,
    transcript: VecDeque<Heard>,
    human: Option<String>,
    stage: Stage,
    /// When the stage moves on by itself.
    due: Timestamp,
    turn: Turn,
    /// What the agent has to say next.
    owed: Option<Owed>,
    /// The beat that the caller comes to next.
    beat: usize,
    /// How the tool of the owed beat ended.
    tool_ended: Option<ToolEnding>,
    tool: Option<RunningTool>,
    tools_used: u32,
    /// Tools that came to their end.
    did: Vec<ToolTruth>,
    caller: Caller,
    /// When the connection is looked at next.
    pulse: Timestamp,
    /// A dropped connection does not drop again before this.
    steady_until: Timestamp,
    acts: Vec<Request>,
    /// The stage that an announcement put off.
    put_off: Option<PutOff>,
    /// The framework asked another model for the answer that is under way, and told nobody.
    is_answered_elsewhere: bool,
}

/// Where a call is.
#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Connecting,
    CallerThinks(Line),
    CallerSpeaks {
        line: Line,
        text: String,
        began: Timestamp,
        ends: Timestamp,
    },
    AwaitTranscript {
        line: Line,
        text: String,
        trouble: Option<FaultKind>,
    },
    AwaitToken {
        asked: Timestamp,
        trouble: Option<FaultKind>,
    },
    AwaitSentence(Reply),
    AwaitTool,
    AwaitAudio {
        speech: Speech,
        asked: Timestamp,
        trouble: Option<FaultKind>,
    },
    AgentSpeaks {
        speech: Speech,
        began: Timestamp,
        whole_ms: DurationMs,
        ending: Ending,
    },
    /// A layer failed, and nothing more comes of this turn. With speech recognition it is what
    /// the caller said that was not understood.
    Stuck {
        unheard: Option<(Line, String)>,
    },
    Stalled {
        since: Timestamp,
        told: u32,
    },
    Paused,
    /// The caller's connection is gone.
    Dropped,
    WorkerGone,
    /// The agent asked the caller to hold the line.
    OnHold,
    /// The caller asked for a human and waits for one.
    WaitsForHuman,
    /// A human's phone rings.
    Rings(Request),
    HumanPause(usize),
    HumanSpeaks {
        step: usize,
        text: String,
        began: Timestamp,
        whole_ms: DurationMs,
    },
    CallerPause(usize),
    CallerAnswers {
        step: usize,
        text: String,
    },
    Over,
}

/// A stage that goes on after an announcement.
#[derive(Debug)]
struct PutOff {
    stage: Stage,
    /// How long it still had to go; None when nothing would have come by itself.
    left_ms: Option<DurationMs>,
    /// The failed turn is to be tried again instead.
    retry: bool,
}

/// What a caller says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Beat(usize),
    AreYouThere,
    Repeat,
    CutOut,
    WantsHuman,
    Thanks,
}

/// What the agent has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    Greeting,
    Beat(usize),
    Connecting,
    Goodbye,
}

/// What the language model came up with.
#[derive(Debug, Clone, PartialEq)]
enum Reply {
    Say(Speech),
    UseTool {
        tool: &'static Tool,
        filler: Option<Speech>,
    },
}

/// Something for the synthetic voice to say.
#[derive(Debug, Clone, PartialEq)]
struct Speech {
    text: String,
    purpose: Purpose,
}

#[derive(Debug, Clone, PartialEq)]
enum Purpose {
    /// The answer that is owed.
    Answer,
    Filler,
    /// Asks the caller to hold the line.
    Hold,
    Reprompt,
    NoHuman,
    /// Said because of a command.
    Announcement(Box<Request>),
}

/// How an utterance of the agent will end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    /// The audio stops before its text does.
    Truncated,
    /// The caller speaks over it.
    Interrupted,
}

#[derive(Debug)]
struct RunningTool {
    tool: &'static Tool,
    id: String,
    began: Timestamp,
    due: Timestamp,
    ending: ToolEnding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ToolEnding {
    Completed,
    Failed,
    TimedOut,
}

#[derive(Debug)]
struct Turn {
    number: u32,
    open: bool,
    began: Timestamp,
    /// The layers of which it is known how they served it.
    tried: BTreeSet<Layer>,
}

/// The human at the other end.
#[derive(Debug)]
struct Caller {
    /// When they stopped to speak; None once they were answered.
    stopped: Option<Timestamp>,
    /// When they will not wait any longer in silence.
    patience: Timestamp,
    /// How often they asked whether anybody is there, since they last got an answer.
    prompts: u32,
    /// After so many they hang up.
    prompts_max: u32,
    /// They heard half a sentence.
    cut_out: bool,
    /// What was understood of their last words makes no sense.
    garbled: bool,
    /// Nobody is audible to them, and the agent owes the floor.
    hush: Option<trouble::Hush>,
    /// The last three answers, where they let the caller wait.
    waits: [Option<trouble::Wait>; 3],
}

/// One utterance as it was told.
#[derive(Debug, Clone)]
struct Heard {
    at: Timestamp,
    role: UtteranceRole,
    text: String,
    turn: Option<u32>,
    interrupted: bool,
    unspoken: Option<String>,
}

/// The builds of the agent that are live side by side.
pub(crate) const BUILDS: [&str; 3] = ["2026.11.3", "2026.11.4", "2026.11.4"];

impl Call {
    /// A call that begins now.
    pub(crate) fn start(
        id: CallId,
        number: u64,
        config: &PlatformConfig,
        world: &mut World<'_>,
    ) -> Self {
        let seed = config.seed;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        let story = Story::draw(&mut rng);
        let (site, flow) = match config.world {
            WorldKind::Pods => (Site::of_pod(number, &mut rng), story.plot.flow.to_owned()),
            WorldKind::Varied => (
                Site::draw(&mut rng),
                version_of(story.plot.flow, rng.random_range(1..=FLOW_VERSIONS)),
            ),
        };
        let now = world.now;
        let mut call = Self {
            id,
            number,
            story,
            region: site.region,
            zone: site.zone,
            worker: site.worker,
            services: site.services,
            is_noisy: config.noise,
            flow,
            tools_off: BTreeSet::new(),
            started_at: now,
            known: CallUpdated::default(),
            transcript: VecDeque::new(),
            human: None,
            stage: Stage::Connecting,
            due: now + CONNECT.draw(&mut rng),
            turn: Turn {
                number: 0,
                open: false,
                began: now,
                tried: BTreeSet::new(),
            },
            owed: None,
            beat: 0,
            tool_ended: None,
            tool: None,
            tools_used: 0,
            did: Vec::new(),
            caller: Caller {
                stopped: None,
                patience: NEVER,
                prompts: 0,
                prompts_max: rng.random_range(3..=6),
                cut_out: false,
                garbled: false,
                hush: None,
                waits: [None; 3],
            },
            pulse: now + rng.random_range(2_000..10_000),
            steady_until: now + 5_000,
            acts: Vec::new(),
            put_off: None,
            is_answered_elsewhere: false,
            rng,
        };
        call.mark_usable(world.faults);
        let begun = call.begun(None);
        call.tell(world, Fact::CallStarted(Box::new(begun)));
        for (identity, kind) in [("caller", "caller"), (AGENT, "ai")] {
            let (identity, kind) = (identity.into(), kind.into());
            call.tell(world, Fact::ParticipantJoined { identity, kind });
        }
        if call.story.plot.high_risk {
            call.update(world, |known| known.high_risk = Some(true));
        }
        call.wait_for_worker(world);
        call
    }

    /// When the call wants to be woken.
    pub(crate) fn next_due(&self) -> Timestamp {
        let tool = self.tool.as_ref().map_or(NEVER, |tool| tool.due);
        let acts = self.acts.iter().map(|act| act.at).min().unwrap_or(NEVER);
        self.due
            .min(tool)
            .min(acts)
            .min(self.caller.patience)
            .min(self.pulse)
    }

    /// Moves on everything that is due, in a fixed order.
    pub(crate) fn wake(&mut self, world: &mut World<'_>) {
        while !self.is_over() && self.next_due() <= world.now {
            if let Some(i) = self.acts.iter().position(|act| act.at <= world.now) {
                let request = self.acts.remove(i);
                self.carry_out(request, world);
            } else if self.tool.as_ref().is_some_and(|tool| tool.due <= world.now) {
                self.end_tool(world);
            } else if self.due <= world.now {
                self.move_on(world);
            } else if self.caller.patience <= world.now {
                self.run_out_of_patience(world);
            } else {
                self.feel_pulse(world);
            }
        }
    }

    /// True once it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    fn move_on(&mut self, world: &mut World<'_>) {
        self.due = NEVER;
        match std::mem::replace(&mut self.stage, Stage::Paused) {
            Stage::Connecting => self.greet(world),
            Stage::CallerThinks(line) => self.caller_begins(line, world),
            Stage::CallerSpeaks {
                line,
                text,
                began,
                ends,
            } => self.caller_goes_on(line, text, began, ends, world),
            Stage::AwaitTranscript {
                line,
                text,
                trouble,
            } => self.transcript_comes(line, text, trouble, world),
            Stage::AwaitToken { asked, trouble } => self.token_comes(asked, trouble, world),
            Stage::AwaitSentence(reply) => self.reply_is_whole(reply, world),
            Stage::AwaitAudio {
                speech,
                asked,
                trouble,
            } => self.audio_comes(speech, asked, trouble, world),
            Stage::AgentSpeaks {
                speech,
                began,
                whole_ms,
                ending,
            } => self.agent_ends(speech, began, whole_ms, ending, world),
            Stage::Stalled { since, told } => self.stalls(since, told, world),
            Stage::Dropped => self.come_back_or_end(false, world),
            Stage::WorkerGone => self.come_back_or_end(true, world),
            Stage::OnHold => {
                self.hush_begins(true, world);
                self.think(world);
            }
            Stage::WaitsForHuman => self.nobody_came(world),
            Stage::Rings(request) => self.human_picks_up(&request, world),
            Stage::HumanPause(step) => self.human_begins(step, world),
            Stage::HumanSpeaks { step, text, .. } => self.human_ends(step, &text, world),
            Stage::CallerPause(step) => self.caller_answers(step, world),
            Stage::CallerAnswers { step, text } => self.caller_answered(step, &text, world),
            // These wait for somebody else; they have no due time.
            still @ (Stage::AwaitTool | Stage::Stuck { .. } | Stage::Paused | Stage::Over) => {
                self.stage = still;
            }
        }
    }

    /// Ends the call and everything that runs on it.
    fn end(&mut self, reason: &'static str, ended_by: EndedBy, world: &mut World<'_>) {
        self.hush_ends(world);
        self.abandon(world);
        self.cancel_tool(world);
        self.end_turn(true, world);
        let reason = reason.into();
        self.tell(world, Fact::CallEnded { reason, ended_by });
        self.fail_acts(world);
        self.stage = Stage::Over;
        self.due = NEVER;
    }

    /// Everybody who is audible falls silent, in the middle of what they say.
    fn hush(&mut self, world: &mut World<'_>) {
        match std::mem::replace(&mut self.stage, Stage::Paused) {
            Stage::AgentSpeaks {
                speech,
                began,
                whole_ms,
                ..
            } => self.cut_agent(&speech, world.now.since(began), whole_ms, true, world),
            Stage::HumanSpeaks {
                text,
                began,
                whole_ms,
                ..
            } => {
                let actor = Speaker::Agent;
                self.tell(world, Fact::SpeechStopped { actor });
                let (_, unspoken) = split_spoken(&text, world.now.since(began), whole_ms);
                let unspoken = Some(unspoken.to_owned()).filter(|tail| !tail.is_empty());
                self.heard(UtteranceRole::Agent, &text, None, true, unspoken, world);
            }
            Stage::CallerSpeaks { .. } | Stage::CallerAnswers { .. } => {
                let actor = Speaker::Caller;
                self.tell(world, Fact::SpeechStopped { actor });
            }
            silent => self.stage = silent,
        }
    }

    fn begin_turn(&mut self, world: &mut World<'_>) {
        self.end_turn(true, world);
        self.turn = Turn {
            number: self.turn.number + 1,
            open: true,
            began: world.now,
            tried: BTreeSet::new(),
        };
        let turn = self.turn.number;
        self.tell(world, Fact::TurnStarted { turn });
    }

    fn end_turn(&mut self, interrupted: bool, world: &mut World<'_>) {
        if !std::mem::take(&mut self.turn.open) {
            return;
        }
        let ended = Fact::TurnEnded {
            turn: self.turn.number,
            duration_ms: world.now.since(self.turn.began),
            interrupted,
        };
        self.tell(world, ended);
    }

    /// The caller takes the next line, after a pause.
    fn caller_thinks(&mut self, line: Line, world: &World<'_>) {
        self.due = world.now + CALLER_PAUSE.draw(&mut self.rng) + self.thinks_ms();
        self.stage = Stage::CallerThinks(line);
    }

    /// What the caller says next in the plot.
    fn next_line(&self) -> Line {
        if self.beat < self.story.beats() {
            Line::Beat(self.beat)
        } else {
            Line::Thanks
        }
    }

    /// The caller waits from now on.
    fn wait(&mut self, world: &World<'_>) {
        let span = if self.known.ai == Some(AiState::Paused) {
            20_000..30_000
        } else if self.tool.is_some() {
            14_000..18_000
        } else if self.caller.cut_out {
            2_500..4_000
        } else if self.caller.prompts == 0 {
            6_000..9_500
        } else {
            5_000..8_000
        };
        self.caller.patience = world.now + self.rng.random_range(span);
    }

    /// Nobody has to wait now.
    fn stop_waiting(&mut self) {
        self.caller.patience = NEVER;
    }

    /// The service that serves a layer.
    fn active(&self, layer: Layer) -> &Service {
        self.services
            .iter()
            .find(|service| service.layer == layer && service.active)
            .expect("every ladder begins with an active service, and a switch keeps one active")
    }

    fn active_name(&self, layer: Layer) -> Text<'static> {
        Text::Owned(self.active(layer).name.clone())
    }

    /// The build of the agent.
    fn build(&self) -> &'static str {
        BUILDS[self.number as usize % BUILDS.len()]
    }

    fn activity(&mut self, to: AgentActivity, world: &mut World<'_>) {
        self.tell(world, Fact::AgentStateChanged { to });
    }

    /// Tells a change of what is known of the call, and remembers it.
    fn update(&mut self, world: &mut World<'_>, change: impl FnOnce(&mut CallUpdated<'static>)) {
        let mut news = CallUpdated::default();
        change(&mut news);
        retell::merge(&mut self.known, &news);
        self.tell(world, Fact::CallUpdated(Box::new(news)));
    }

    /// Tells a final utterance, and remembers it.
    fn heard(
        &mut self,
        role: UtteranceRole,
        text: &str,
        turn: Option<u32>,
        interrupted: bool,
        unspoken: Option<String>,
        world: &mut World<'_>,
    ) {
        let heard = Heard {
            at: world.now,
            role,
            text: text.to_owned(),
            turn,
            interrupted,
            unspoken,
        };
        let fact = self.transcript_fact(&heard);
        self.tell(world, fact);
        if self.transcript.len() == TRANSCRIPT_MAX {
            self.transcript.pop_front();
        }
        self.transcript.push_back(heard);
    }

    fn tell(&self, world: &mut World<'_>, fact: Fact<'static>) {
        self.tell_of(world, None, fact);
    }

    fn tell_of(&self, world: &mut World<'_>, cause: Option<CommandId>, fact: Fact<'static>) {
        let layer = layer_of(&fact);
        self.tell_layer(world, layer, cause, fact);
    }

    /// Tells something about a service, which has a layer.
    fn tell_service(&self, world: &mut World<'_>, layer: Layer, fact: Fact<'static>) {
        self.tell_layer(world, Some(layer), None, fact);
    }

    fn tell_layer(
        &self,
        world: &mut World<'_>,
        layer: Option<Layer>,
        cause: Option<CommandId>,
        fact: Fact<'static>,
    ) {
        world.out.push(Output::Event(Event {
            call: Some(self.id.clone()),
            at: world.now,
            layer,
            cause,
            fact,
        }));
    }

    fn begun(&self, resumed_at: Option<Timestamp>) -> CallStarted<'static> {
        CallStarted {
            outbound: false,
            agent: AGENT.into(),
            queue: self.story.plot.queue.into(),
            language: Text::Owned(self.story.language.tag.clone()),
            flow: Some(Text::Owned(self.flow.clone())),
            build: Some(self.build().into()),
            worker: Some(Text::Owned(self.worker.clone())),
            zone: (!self.zone.is_empty()).then(|| self.zone.into()),
            services: self.services.clone(),
            capabilities: None,
            resumed: resumed_at.is_some(),
            started_at: resumed_at,
            customer: Some(Text::Owned(self.story.value("customer").to_owned())),
            disclosure: Some(true),
            consent: Some(true),
            recording: Some("on".into()),
        }
    }
}

/// The AI agent's name on every call.
const AGENT: &str = "nora-voice";

/// What of `text` was heard after `ms` of `whole_ms`, and what was not; cut between two words.
fn split_spoken(text: &str, ms: DurationMs, whole_ms: DurationMs) -> (&str, &str) {
    if ms >= whole_ms {
        return (text, "");
    }
    let share = ms.max(0) as f64 / whole_ms.max(1) as f64;
    let until = (text.len() as f64 * share) as usize;
    let cut = text
        .char_indices()
        .filter(|(i, c)| *i <= until && *c == ' ')
        .map(|(i, _)| i + 1)
        .next_back()
        .unwrap_or(0);
    text.split_at(cut)
}

/// The layer of a fact that has one of its own.
fn layer_of(fact: &Fact<'_>) -> Option<Layer> {
    match fact {
        Fact::ToolRequested { .. }
        | Fact::ToolStarted { .. }
        | Fact::ToolCompleted { .. }
        | Fact::ToolFailed { .. }
        | Fact::ToolTimedOut { .. }
        | Fact::ToolCancelled { .. }
        | Fact::ToolCatalogChanged { .. } => Some(Layer::Tools),
        Fact::LlmResponseStarted { .. } | Fact::LlmResponseEnded { .. } => Some(Layer::Llm),
        Fact::TtsStarted { .. } | Fact::TtsStopped { .. } => Some(Layer::Tts),
        Fact::TransportQuality { .. }
        | Fact::TransportDisconnected { .. }
        | Fact::TransportReconnected { .. } => Some(Layer::Network),
        Fact::WorkerRegistered { .. } | Fact::WorkerLost { .. } => Some(Layer::Infrastructure),
        Fact::PipelineStalled { .. } => Some(Layer::Orchestration),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_words() {
        let check = |ms, heard, tail| {
            assert_eq!(split_spoken("Où est la gare ?", ms, 1_000), (heard, tail));
        };
        check(0, "", "Où est la gare ?");
        check(500, "Où est ", "la gare ?");
        check(1_000, "Où est la gare ?", "");
        check(-5, "", "Où est la gare ?");
        assert_eq!(split_spoken("", 1, 0), ("", ""));
    }
}
