//! How the world misbehaves, one habit at a time.

use holdfast_domain::fact::{CallUpdated, EndedBy, Fact, LatencyMetric, Speaker, ToolRef};
use holdfast_domain::{
    Act, ActId, ActVerb, AnomalyKind, CallId, Command, CommandId, FailureKind, FaultScope,
    HandoffState, HumanState, Layer, RejectionKind, Reply, Request, Target, UtteranceRole,
};
use holdfast_engine::{Answer, AnswerState, BridgeChange, Control, Effect, Person};
use holdfast_protocol::bridge::{CommandFrame, CommandResult, ResultKind, ResultState};
use holdfast_simulator::FaultKind;
use rand::Rng;
use rand::seq::IndexedRandom;

use crate::line::Frame;
use crate::plan::Habit;
use crate::world::{Due, Told, World};
use crate::{Wrong, wrong};

/// Who receives calls.
const AGENTS: [&str; 3] = ["ana", "bob", "cleo"];

impl World {
    /// A habit shows, and is put on the agenda again.
    pub(crate) fn misbehave(&mut self, habit: Habit) -> Result<(), Wrong> {
        let pause = match habit {
            Habit::Faults => 2_000..30_000,
            Habit::Line | Habit::Answers => 60_000..120_000,
            Habit::Reconnects => 5_000..60_000,
            Habit::Clocks => 5_000..90_000,
            Habit::Nonsense => 200..6_000,
            Habit::People => 200..5_000,
            Habit::Restarts | Habit::Blind => 10_000..120_000,
            Habit::Sleep => 300_000..3_000_000,
        };
        let at = self.now + self.rng.random_range(pause);
        self.schedule(at, Due::Habit(habit));
        let n = self.rng.random_range(0..self.lines.len());
        match habit {
            Habit::Faults => self.fault(n),
            // They show wherever a frame or an answer travels.
            Habit::Line | Habit::Answers => {}
            Habit::Reconnects => {
                let away = self.rng.random_range(20..20_000);
                self.disconnect(n, away)?;
                if self.rng.random_bool(0.4) {
                    self.lines[n].reborn();
                    if self.rng.random_bool(0.3) {
                        drop(self.lines[n].platform.restart(self.now));
                    }
                }
            }
            Habit::Clocks => self.lines[n].clock_ms += self.rng.random_range(-400_000..400_000),
            Habit::Nonsense => self.nonsense(n)?,
            Habit::People => self.person()?,
            Habit::Restarts => self.restart()?,
            Habit::Sleep => {
                let away = self.rng.random_range(400_000..5_000_000);
                self.disconnect(n, away)?;
            }
            Habit::Blind => self.go_blind()?,
        }
        Ok(())
    }

    fn fault(&mut self, n: usize) {
        let now = self.now;
        if self.rng.random_bool(0.4) {
            let frame = CommandFrame {
                command_id: CommandId::new(format!("platform-{}", self.steps)),
                call: None,
                command: Command::StopFault { id: None },
                actor: "platform".to_owned(),
                issued_at: now,
                expires_at: now + 1_000,
                expect_active: None,
            };
            let outputs = self.lines[n].platform.command(&frame, now);
            let mut frames = self.lines[n].take(outputs, now);
            // The platform's own people asked, so nobody here is answered.
            frames.retain(|frame| matches!(frame, Frame::Events(_)));
            return self.send(n, frames);
        }
        let Some(kind) = FaultKind::ALL.choose(&mut self.rng) else {
            return;
        };
        let share = self.rng.random_bool(0.5).then_some(0.6);
        let scope = FaultScope {
            share,
            ..FaultScope::default()
        };
        let region = FaultScope {
            region: Some("eu-west".to_owned()),
            ..FaultScope::default()
        };
        // Some faults need a region, and some have none.
        let platform = &mut self.lines[n].platform;
        if platform.start_fault(kind.id(), &scope).is_err() {
            drop(platform.start_fault(kind.id(), &region));
        }
    }

    // === nonsense ===

    fn nonsense(&mut self, n: usize) -> Result<(), Wrong> {
        if self.lines[n].connection.is_none() {
            return Ok(());
        }
        if self.rng.random_bool(0.2) {
            let kinds = [
                AnomalyKind::Malformed,
                AnomalyKind::WrongType,
                AnomalyKind::WrongSource,
                AnomalyKind::TooLarge,
            ];
            let kind = kinds.choose(&mut self.rng).copied();
            return self.anomaly(n, kind.unwrap_or(AnomalyKind::Malformed));
        }
        if self.rng.random_bool(0.05) {
            return self.bridge(n, BridgeChange::Heard);
        }
        if self.rng.random_bool(0.05) {
            let command = CommandId::new("never-sent");
            let state = AnswerState::Accepted;
            return self.answer(n, Answer { command, state });
        }
        let call = match self.rng.random_range(0..6) {
            0 => Some(CallId::new("nobody")),
            1 => Some(CallId::new("no call/at all")),
            _ => self.some_call(),
        };
        let Some(call) = call else { return Ok(()) };
        let (layer, fact) = self.senseless();
        let now = self.now;
        let at = now + self.rng.random_range(-20_000..5_000);
        let mut event = self.lines[n].place(Some(&call), at, fact, now);
        event.layer = layer;
        self.send(n, vec![Frame::Events(vec![event])]);
        Ok(())
    }

    fn senseless(&mut self) -> (Option<Layer>, Fact<'static>) {
        let llm = Some(Layer::Llm);
        let tools = Some(Layer::Tools);
        let tool = || ToolRef {
            name: "refund".into(),
            id: "t1".into(),
        };
        let speakers = [Speaker::Caller, Speaker::Agent];
        let actor = speakers[self.rng.random_range(0..2)];
        match self.rng.random_range(0..22) {
            0 => (None, Fact::SpeechStarted { actor }),
            1 => (None, Fact::SpeechStopped { actor }),
            2 => (None, ended()),
            3 => (None, Fact::TurnLatency { total_ms: -1 }),
            4 => (llm, latency(f64::NAN)),
            5 => (llm, latency(0.0)),
            6 => (tools, completed(tool(), -5)),
            7 => (tools, completed(tool(), 5)),
            8 => {
                let writes = self.rng.random_bool(0.5);
                let tool = tool();
                (tools, Fact::ToolStarted { tool, writes })
            }
            9 => (None, quality(3.0)),
            10 => (None, quality(0.2)),
            11 => (None, transcript(UtteranceRole::Caller)),
            12 => (None, transcript(UtteranceRole::Agent)),
            13 => (None, Fact::PipelineStalled { secs: 4.0 }),
            14 => (llm, model_ended(0)),
            15 => (llm, model_ended(30)),
            16 => (None, Fact::CallUpdated(Box::new(updated()))),
            17 => (llm, latency(-1.0)),
            18 => (None, handoff(0)),
            19 => (None, handoff(1)),
            20 => (None, handoff(2)),
            _ => (None, Fact::SpeechInterrupted { by: actor }),
        }
    }

    // === answers ===

    /// A bridge's answer arrives, or what became of it on its way.
    pub(crate) fn answered(&mut self, n: usize, result: CommandResult) -> Result<(), Wrong> {
        let mut state = match result.state {
            ResultState::Accepted => AnswerState::Accepted,
            ResultState::Applied => AnswerState::Applied(result.read_back.unwrap_or_default()),
            ResultState::Rejected => {
                let kind = result
                    .kind
                    .map_or(RejectionKind::NotCapable, ResultKind::as_rejection);
                AnswerState::Rejected(kind, result.message.unwrap_or_default())
            }
            ResultState::Failed => {
                let kind = result
                    .kind
                    .map_or(FailureKind::PlatformError, ResultKind::as_failure);
                AnswerState::Failed(kind, result.message.unwrap_or_default())
            }
            ResultState::Expired => AnswerState::Expired,
        };
        let command = result.command_id;
        let result_id = command.clone();
        let mut copies = 1;
        if self.plan.has(Habit::Answers) {
            match self.rng.random_range(0..24) {
                0 => copies = 0,
                1 => copies = 2,
                2 => state = AnswerState::Failed(FailureKind::PlatformError, "no".to_owned()),
                3 => state = AnswerState::Expired,
                4 => state = AnswerState::Applied(holdfast_domain::ReadBack::default()),
                5 => {
                    // First one thing, then another.
                    self.answer(n, Answer { command, state })?;
                    let kind = RejectionKind::TargetUnusable;
                    return self.answer(
                        n,
                        Answer {
                            command: result_id,
                            state: AnswerState::Rejected(kind, "on second thought".to_owned()),
                        },
                    );
                }
                _ => {}
            }
        }
        for _ in 0..copies {
            let (command, state) = (command.clone(), state.clone());
            self.answer(n, Answer { command, state })?;
        }
        Ok(())
    }

    fn answer(&mut self, n: usize, answer: Answer) -> Result<(), Wrong> {
        let source = self.lines[n].source.clone();
        self.tell(Told::Control(Control::Answer { source, answer }))?;
        Ok(())
    }

    // === people ===

    fn person(&mut self) -> Result<(), Wrong> {
        match self.rng.random_range(0..12) {
            0..=5 => self.act(),
            6 => self.presence(),
            _ => self.agent(),
        }
    }

    fn presence(&mut self) -> Result<(), Wrong> {
        let name = AGENTS[self.rng.random_range(0..AGENTS.len())].to_owned();
        let present = !self.present.remove(&name);
        if present {
            self.present.insert(name.clone());
        }
        self.tell(Told::Control(Control::Presence { name, present }))?;
        Ok(())
    }

    fn agent(&mut self) -> Result<(), Wrong> {
        let name = AGENTS[self.rng.random_range(0..AGENTS.len())];
        if self.present.insert(name.to_owned()) {
            let name = name.to_owned();
            let present = true;
            self.tell(Told::Control(Control::Presence { name, present }))?;
        }
        let offered = self.records.handoffs.values().find(|handoff| {
            let is_asked = matches!(
                handoff.state,
                HandoffState::Offered { .. } | HandoffState::Seen { .. }
            );
            let is_mine = handoff
                .state
                .agent()
                .is_some_and(|agent| agent.as_str() == name);
            is_asked && is_mine
        });
        let any = self.records.handoffs.keys().last().cloned();
        let handoff = offered.map(|handoff| handoff.id.clone()).or(any);
        let request = match (self.rng.random_range(0..8), handoff) {
            (0, _) | (_, None) => {
                let states = [
                    HumanState::Free,
                    HumanState::Free,
                    HumanState::Away,
                    HumanState::OnCall,
                ];
                let state = states[self.rng.random_range(0..states.len())];
                Request::SetHumanState { state }
            }
            (1, Some(handoff)) => {
                let reason = "at lunch".to_owned();
                Request::DeclineHandoff { handoff, reason }
            }
            (2..=4, Some(handoff)) => Request::SeeHandoff { handoff },
            (_, Some(handoff)) => Request::AcceptHandoff { handoff },
        };
        let who = Person {
            console: 1,
            name: name.to_owned(),
            can_act: false,
            can_act_on_all: false,
            can_receive: true,
        };
        self.ask(who, request)?;
        Ok(())
    }

    /// A person asks, and is answered at once.
    fn ask(&mut self, who: Person, request: Request) -> Result<(Reply, Vec<Effect>), Wrong> {
        self.tickets += 1;
        let ticket = self.tickets;
        let control = Control::Person {
            ticket,
            who,
            request,
        };
        let effects = self.tell(Told::Control(control))?;
        match self.replies.remove(&ticket) {
            Some(reply) => Ok((reply, effects)),
            None => wrong(format!("request {ticket} was not answered")),
        }
    }

    fn act(&mut self) -> Result<(), Wrong> {
        let n = self.rng.random_range(0..self.lines.len());
        let verb = self.verb();
        let is_fault = matches!(verb, ActVerb::StartFault { .. } | ActVerb::StopFault { .. });
        let target = match self.rng.random_range(0..5) {
            _ if is_fault => Target::Platform {
                source: self.lines[n].source.clone(),
            },
            0 => Target::AllCalls,
            _ => {
                let mut calls: Vec<CallId> = Vec::new();
                for _ in 0..self.rng.random_range(1..4) {
                    calls.extend(self.some_call());
                }
                if self.rng.random_bool(0.1) {
                    calls.push(CallId::new("nobody"));
                }
                Target::Calls { calls }
            }
        };
        let (can_act, can_act_on_all) = match self.rng.random_range(0..10) {
            0 => (false, false),
            1 => (true, false),
            _ => (true, true),
        };
        let who = Person {
            console: 1,
            name: "sam".to_owned(),
            can_act,
            can_act_on_all,
            can_receive: false,
        };
        let id = ActId::new(format!("act-{}", self.tickets));
        self.records
            .acts
            .insert(id.clone(), (who.name.clone(), verb.clone()));
        self.pass_time()?;
        let preview = self.engine.preview(&verb, &target, &who);
        let act = Act { id, verb, target };
        let asked = Request::Act { act: act.clone() };
        let (reply, effects) = self.ask(who.clone(), asked)?;
        match (&preview, &reply) {
            (Err(promised), Reply::Refused { refusal }) if promised == refusal => {}
            (
                Ok(preview),
                Reply::Acting {
                    commands,
                    handoffs,
                    excluded,
                },
            ) => {
                let platform = usize::from(is_fault);
                let touched = commands.len() + handoffs.len();
                if touched != preview.calls.len() + platform || *excluded != preview.excluded {
                    return wrong(format!("promised was {preview:?}, done was {reply:?}"));
                }
                let sent = effects
                    .iter()
                    .filter(|effect| matches!(effect, Effect::Send { .. }));
                if sent.count() != commands.len() {
                    return wrong(format!("not every command of {reply:?} was sent"));
                }
            }
            _ => return wrong(format!("promised was {preview:?}, done was {reply:?}")),
        }
        if matches!(reply, Reply::Acting { .. }) && self.rng.random_bool(0.2) {
            self.act_again(who, act, &reply)?;
        }
        Ok(())
    }

    /// The same act again is the same act.
    fn act_again(&mut self, who: Person, act: Act, first: &Reply) -> Result<(), Wrong> {
        let (again, effects) = self.ask(who, Request::Act { act })?;
        let did = |effect: &&Effect| !matches!(effect, Effect::Show(_));
        match effects.iter().find(did) {
            Some(effect) => wrong(format!("the same act again did {effect:?}")),
            None if again != *first => wrong(format!("the same act again is {again:?}")),
            None => Ok(()),
        }
    }

    fn verb(&mut self) -> ActVerb {
        match self.rng.random_range(0..12) {
            0..=2 => {
                let layers = [Layer::Llm, Layer::Tts, Layer::Asr, Layer::Network];
                let layer = layers[self.rng.random_range(0..layers.len())];
                ActVerb::SwitchModel { layer, to: None }
            }
            3 => ActVerb::DisableTools { tools: Vec::new() },
            4 => ActVerb::EnableTools { tools: Vec::new() },
            5 => ActVerb::Announce {
                text: "One moment, please.".to_owned(),
            },
            6 => ActVerb::PauseAi,
            7 => ActVerb::ResumeAi,
            8 => ActVerb::StartFault {
                fault: "llm_hang".to_owned(),
                scope: FaultScope::default(),
            },
            9 => ActVerb::StopFault { id: None },
            _ => ActVerb::RouteToHumans,
        }
    }
}

fn ended() -> Fact<'static> {
    Fact::CallEnded {
        reason: "hangup".into(),
        ended_by: EndedBy::Caller,
    }
}

fn latency(ms: f64) -> Fact<'static> {
    Fact::ServiceLatency {
        service: "primary-llm".into(),
        metric: LatencyMetric::Ttft,
        ms,
        probe: false,
    }
}

fn completed(tool: ToolRef<'static>, duration_ms: i64) -> Fact<'static> {
    Fact::ToolCompleted {
        tool,
        duration_ms,
        result: None,
        effect: None,
    }
}

fn quality(loss: f64) -> Fact<'static> {
    Fact::TransportQuality {
        rtt_ms: 20.0,
        jitter_ms: 1.0,
        loss,
    }
}

fn transcript(role: UtteranceRole) -> Fact<'static> {
    Fact::TranscriptFinal {
        role,
        text: "I said so".into(),
        language: None,
        turn: None,
        interrupted: false,
        unspoken: None,
    }
}

fn model_ended(chars: u32) -> Fact<'static> {
    Fact::LlmResponseEnded {
        service: String::new().into(),
        chars,
        tool_calls: 0,
    }
}

fn updated() -> CallUpdated<'static> {
    CallUpdated {
        sentiment: Some(-1.0 / 3.0),
        high_risk: Some(true),
        ..CallUpdated::default()
    }
}

fn handoff(n: u8) -> Fact<'static> {
    match n {
        0 => Fact::HandoffRequested {
            to: "billing".into(),
            reason: "caller".into(),
        },
        1 => Fact::HandoffCompleted {
            handoff_id: None,
            to: "dora".into(),
        },
        _ => Fact::HandoffFailed {
            handoff_id: None,
            reason: "busy".into(),
        },
    }
}
