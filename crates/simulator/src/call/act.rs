//! Commands on a call: what is asked, whether it can be, and what is true afterwards.

use holdfast_domain::fact::{AgentActivity, Fact, SwitchCause, Text};
use holdfast_domain::{AiState, Command, CommandId, HandoffId, Layer, ReadBack, Timestamp};
use holdfast_protocol::bridge::{CommandResult, ResultKind, ResultState};

use super::{AGENT, Call, NEVER, Output, Purpose, PutOff, Speech, Stage, World};
use crate::faults::FaultKind;
use crate::latency::{COMMAND, HUMAN_ANSWERS};

/// How long a command waits for a quiet moment or for the connection to come back.
const WAIT_MS_MAX: i64 = 15_000;

/// How often it looks.
const LOOK_EVERY_MS: i64 = 100;

/// From the human's pick-up to their first word.
const HUMAN_BEGINS_MS: i64 = 700;

/// A command under way on a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: CommandId,
    /// When it is tried next.
    pub(crate) at: Timestamp,
    /// When it came.
    since: Timestamp,
    act: Act,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    Switch {
        layer: Layer,
        to: String,
        retry: bool,
        expect: Option<String>,
        announcement: Option<String>,
    },
    Retry,
    Tools {
        on: bool,
        names: Vec<String>,
    },
    Announce {
        text: String,
    },
    Pause,
    Resume,
    Transfer {
        handoff: HandoffId,
        to: String,
        announcement: Option<String>,
    },
}

impl Act {
    /// The part of a command that a call carries out; None when it is for the whole platform.
    pub(crate) fn of(command: Command, expect: Option<String>) -> Option<Self> {
        Some(match command {
            Command::SwitchModel {
                layer,
                to,
                retry_turn,
                announcement,
            } => Self::Switch {
                layer,
                to,
                retry: retry_turn,
                expect,
                announcement,
            },
            Command::RetryTurn => Self::Retry,
            Command::DisableTools { tools } => Self::Tools {
                on: false,
                names: tools,
            },
            Command::EnableTools { tools } => Self::Tools {
                on: true,
                names: tools,
            },
            Command::Announce { text, language: _ } => Self::Announce { text },
            Command::PauseAi => Self::Pause,
            Command::ResumeAi => Self::Resume,
            Command::Transfer {
                handoff_id,
                to,
                announcement,
                key: _,
            } => Self::Transfer {
                handoff: handoff_id,
                to,
                announcement,
            },
            Command::StartFault { .. } | Command::StopFault { .. } => return None,
        })
    }
}

impl Call {
    /// Takes a command on; it is carried out a moment later.
    pub(crate) fn take_on(&mut self, id: CommandId, act: Act, now: Timestamp) {
        let at = now + COMMAND.draw(&mut self.rng);
        self.acts.push(Request {
            id,
            at,
            since: now,
            act,
        });
    }

    pub(super) fn carry_out(&mut self, request: Request, world: &mut World<'_>) {
        if matches!(self.stage, Stage::Dropped | Stage::WorkerGone) {
            let why = "the call's connection is gone; try again once it is back";
            self.wait_or_fail(request, why, world);
            return;
        }
        let serves_itself = matches!(request.act, Act::Tools { .. });
        if self.human.is_some() && !serves_itself {
            let why = "a human serves this call; the AI does nothing on it any more";
            self.reject(&request, ResultKind::NotCapable, why, world);
            return;
        }
        match request.act.clone() {
            Act::Switch {
                layer,
                to,
                retry,
                expect,
                announcement,
            } => {
                let is_done = self.switch(&request, layer, &to, retry, expect.as_deref(), world);
                if is_done {
                    self.switched(request, retry, announcement, world);
                }
            }
            Act::Retry => {
                let retried_turn = Some(self.retry(world));
                let read_back = ReadBack {
                    retried_turn,
                    ..ReadBack::default()
                };
                applied(&request, read_back, world);
            }
            Act::Tools { on, names } => self.switch_tools(&request, on, &names, world),
            Act::Announce { text } => self.announce(request, text, world),
            Act::Pause => self.pause(&request, world),
            Act::Resume => self.resume(&request, world),
            Act::Transfer {
                to, announcement, ..
            } => self.transfer(request, &to, announcement, world),
        }
    }

    /// True when the other service serves from now on.
    fn switch(
        &mut self,
        request: &Request,
        layer: Layer,
        to: &str,
        retry: bool,
        expect: Option<&str>,
        world: &mut World<'_>,
    ) -> bool {
        if !matches!(layer, Layer::Asr | Layer::Llm | Layer::Tts) {
            let why = "only asr, llm and tts have services to switch to";
            self.reject(request, ResultKind::InvalidArgs, why, world);
            return false;
        }
        let from = self.active(layer).name.clone();
        if let Some(expect) = expect
            && expect != from
        {
            let why = format!(
                "the active {} service is {from}, not {expect}",
                layer.as_str()
            );
            self.reject(request, ResultKind::ExpectationFailed, &why, world);
            return false;
        }
        let target = self
            .services
            .iter()
            .find(|service| service.layer == layer && service.name == to);
        let Some(target) = target else {
            let why = format!("this call has no {} service {to}", layer.as_str());
            self.reject(request, ResultKind::TargetUnknown, &why, world);
            return false;
        };
        if world
            .faults
            .hit(FaultKind::RegionDown, &self.reach_of(target))
        {
            let why = format!("{to} cannot serve; the platform reads back {from}");
            self.reject(request, ResultKind::TargetUnusable, &why, world);
            return false;
        }
        for service in self.services.iter_mut().filter(|s| s.layer == layer) {
            service.active = service.name == to;
        }
        let retried_turn = retry && self.can_retry();
        let read_back = ReadBack {
            layer: Some(layer),
            active: Some(self.active(layer).name.clone()),
            retried_turn: Some(retried_turn),
            ..ReadBack::default()
        };
        applied(request, read_back, world);
        if from != to {
            let switched = Fact::ServiceSwitched {
                from: Text::Owned(from),
                to: Text::Owned(to.to_owned()),
                cause: SwitchCause::Manual,
            };
            self.tell_layer(world, Some(layer), Some(request.id.clone()), switched);
        }
        true
    }

    /// After a switch: the caller hears what was ordered with it, then the failed turn is tried
    /// again.
    fn switched(
        &mut self,
        request: Request,
        retry: bool,
        announcement: Option<String>,
        world: &mut World<'_>,
    ) {
        let retries = retry && self.can_retry();
        // An announcement that would talk over somebody is left out: the switch is what helps.
        if let Some(text) = announcement.filter(|_| self.is_quiet()) {
            self.put_off(world);
            let purpose = Purpose::Announcement(Box::new(request));
            self.speak(Speech { text, purpose }, world);
        }
        if retries {
            self.retry(world);
        }
    }

    /// True if the agent owes an answer that will not come by itself, or not in time.
    fn can_retry(&self) -> bool {
        let stage = self
            .put_off
            .as_ref()
            .map_or(&self.stage, |put_off| &put_off.stage);
        let failed = match stage {
            Stage::Stuck { .. } | Stage::Stalled { .. } => true,
            Stage::AwaitTranscript { trouble, .. }
            | Stage::AwaitToken { trouble, .. }
            | Stage::AwaitAudio { trouble, .. } => trouble.is_some(),
            Stage::Connecting
            | Stage::CallerThinks(_)
            | Stage::CallerSpeaks { .. }
            | Stage::AwaitSentence(_)
            | Stage::AwaitTool
            | Stage::AgentSpeaks { .. }
            | Stage::Paused
            | Stage::Dropped
            | Stage::WorkerGone
            | Stage::OnHold
            | Stage::WaitsForHuman
            | Stage::Rings(_)
            | Stage::HumanPause(_)
            | Stage::HumanSpeaks { .. }
            | Stage::CallerPause(_)
            | Stage::CallerAnswers { .. }
            | Stage::Over => false,
        };
        failed && self.owed.is_some()
    }

    /// Tries the failed turn again: what was heard is transcribed or answered once more.
    fn retry(&mut self, world: &mut World<'_>) -> bool {
        if !self.can_retry() {
            return false;
        }
        if let Some(put_off) = &mut self.put_off {
            put_off.retry = true;
            return true;
        }
        self.caller.cut_out = false;
        let stage = std::mem::replace(&mut self.stage, Stage::Paused);
        match stage {
            Stage::Stuck {
                unheard: Some((line, text)),
            }
            | Stage::AwaitTranscript { line, text, .. } => self.transcribe(line, text, world),
            _ => self.think(world),
        }
        true
    }

    fn switch_tools(
        &mut self,
        request: &Request,
        on: bool,
        names: &[String],
        world: &mut World<'_>,
    ) {
        let all = self.story.plot.tools();
        if let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) {
            let why = format!("this call has no tool {unknown}");
            self.reject(request, ResultKind::TargetUnknown, &why, world);
            return;
        }
        for tool in all {
            if !names.is_empty() && !names.iter().any(|name| name == tool) {
                continue;
            }
            if on {
                self.tools_off.remove(tool);
            } else {
                self.tools_off.insert(tool);
            }
        }
        let (enabled, disabled) = self.tool_names();
        let read_back = ReadBack {
            enabled: Some(enabled),
            disabled: Some(disabled),
            ..ReadBack::default()
        };
        applied(request, read_back, world);
        let catalog = self.catalog();
        self.tell_of(world, Some(request.id.clone()), catalog);
    }

    fn announce(&mut self, request: Request, text: String, world: &mut World<'_>) {
        if text.trim().is_empty() {
            let why = "the announcement has no words";
            self.reject(&request, ResultKind::InvalidArgs, why, world);
            return;
        }
        if !self.is_quiet() {
            let why = "nobody fell silent for long enough to say it";
            self.wait_or_fail(request, why, world);
            return;
        }
        self.put_off(world);
        let purpose = Purpose::Announcement(Box::new(request));
        self.speak(Speech { text, purpose }, world);
    }

    /// True if an announcement would talk over nobody, and cut nothing off.
    fn is_quiet(&self) -> bool {
        match self.stage {
            Stage::CallerThinks(_)
            | Stage::AwaitTranscript { .. }
            | Stage::AwaitToken { .. }
            | Stage::AwaitSentence(_)
            | Stage::AwaitTool
            | Stage::Stuck { .. }
            | Stage::Stalled { .. }
            | Stage::Paused
            | Stage::OnHold
            | Stage::WaitsForHuman => true,
            Stage::Connecting
            | Stage::CallerSpeaks { .. }
            | Stage::AwaitAudio { .. }
            | Stage::AgentSpeaks { .. }
            | Stage::Dropped
            | Stage::WorkerGone
            | Stage::Rings(_)
            | Stage::HumanPause(_)
            | Stage::HumanSpeaks { .. }
            | Stage::CallerPause(_)
            | Stage::CallerAnswers { .. }
            | Stage::Over => false,
        }
    }

    fn put_off(&mut self, world: &World<'_>) {
        let left_ms = (self.due != NEVER).then(|| self.due.since(world.now).max(0));
        self.put_off = Some(PutOff {
            stage: std::mem::replace(&mut self.stage, Stage::Paused),
            left_ms,
            retry: false,
        });
        self.stop_waiting();
    }

    /// Goes on where an announcement broke in. A caller who was spoken to waits anew.
    fn go_on(&mut self, world: &mut World<'_>) {
        let Some(put_off) = self.put_off.take() else {
            return;
        };
        self.stage = put_off.stage;
        self.due = put_off.left_ms.map_or(NEVER, |ms| world.now + ms);
        if self.owed.is_some() && !matches!(self.stage, Stage::CallerThinks(_)) {
            self.wait(world);
        }
        if put_off.retry {
            self.retry(world);
        } else if self.stage == Stage::AwaitTool && self.tool.is_none() {
            self.think(world);
        }
    }

    pub(super) fn announcement_is_heard(request: &Request, world: &mut World<'_>) {
        if matches!(request.act, Act::Announce { .. }) {
            let read_back = ReadBack {
                spoken: Some(true),
                ..ReadBack::default()
            };
            applied(request, read_back, world);
        }
    }

    pub(super) fn announcement_is_over(&mut self, request: Request, world: &mut World<'_>) {
        if matches!(request.act, Act::Transfer { .. }) {
            self.ring(request, world);
        } else {
            self.go_on(world);
        }
    }

    pub(super) fn announcement_failed(
        &mut self,
        request: Request,
        trouble: FaultKind,
        world: &mut World<'_>,
    ) {
        match request.act {
            Act::Transfer { .. } => {
                // The caller hears nothing first, and the human still comes.
                self.ring(request, world);
                return;
            }
            // The switch holds and was answered; only its sentence was not heard.
            Act::Switch { .. } => return self.go_on(world),
            _ => {}
        }
        let (kind, why) = if matches!(trouble, FaultKind::TtsSilent | FaultKind::TtsDead) {
            let why = "speech synthesis took the text and no audio came; switch the voice first";
            (ResultKind::TimedOut, why)
        } else {
            let why = "speech synthesis reported an error; switch the voice first";
            (ResultKind::PlatformError, why)
        };
        failed(&request, kind, why, world);
        self.go_on(world);
    }

    fn pause(&mut self, request: &Request, world: &mut World<'_>) {
        self.set_ai(request, AiState::Paused, world);
        match self.stage {
            Stage::AgentSpeaks { .. }
            | Stage::AwaitAudio { .. }
            | Stage::AwaitSentence(_)
            | Stage::AwaitToken { .. }
            | Stage::AwaitTool
            | Stage::Stalled { .. }
            | Stage::OnHold
            | Stage::Connecting => {
                self.abandon(world);
                self.stage = Stage::Paused;
                self.due = NEVER;
                self.wait(world);
            }
            // The caller, or what hears the caller, goes on; the answer is what stays away.
            Stage::CallerThinks(_)
            | Stage::CallerSpeaks { .. }
            | Stage::AwaitTranscript { .. }
            | Stage::Stuck { .. }
            | Stage::Paused
            | Stage::Dropped
            | Stage::WorkerGone
            | Stage::WaitsForHuman
            | Stage::Rings(_)
            | Stage::HumanPause(_)
            | Stage::HumanSpeaks { .. }
            | Stage::CallerPause(_)
            | Stage::CallerAnswers { .. }
            | Stage::Over => {}
        }
    }

    fn resume(&mut self, request: &Request, world: &mut World<'_>) {
        self.set_ai(request, AiState::Active, world);
        if self.stage == Stage::Paused {
            if self.turn.number == 0 && self.owed.is_none() {
                self.greet(world);
            } else if self.owed.is_some() {
                self.think(world);
            } else {
                self.caller_thinks(self.next_line(), world);
            }
        }
    }

    fn set_ai(&mut self, request: &Request, ai: AiState, world: &mut World<'_>) {
        let read_back = ReadBack {
            ai: Some(ai),
            ..ReadBack::default()
        };
        applied(request, read_back, world);
        let news = super::CallUpdated {
            ai: Some(ai),
            ..super::CallUpdated::default()
        };
        super::retell::merge(&mut self.known, &news);
        let cause = Some(request.id.clone());
        self.tell_of(world, cause, Fact::CallUpdated(Box::new(news)));
    }

    fn transfer(
        &mut self,
        request: Request,
        to: &str,
        announcement: Option<String>,
        world: &mut World<'_>,
    ) {
        if to.trim().is_empty() {
            let why = "a transfer needs an agent or a queue to go to";
            self.reject(&request, ResultKind::InvalidArgs, why, world);
            return;
        }
        if matches!(self.stage, Stage::Rings(_)) {
            let why = "another human is being called for this call already";
            self.reject(&request, ResultKind::NotCapable, why, world);
            return;
        }
        if matches!(self.stage, Stage::CallerSpeaks { .. } | Stage::Connecting) {
            let why = "the caller did not stop speaking";
            self.wait_or_fail(request, why, world);
            return;
        }
        self.abandon(world);
        self.stop_waiting();
        match announcement.filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                let purpose = Purpose::Announcement(Box::new(request));
                self.speak(Speech { text, purpose }, world);
            }
            None => self.ring(request, world),
        }
    }

    fn ring(&mut self, request: Request, world: &mut World<'_>) {
        self.stop_waiting();
        self.activity(AgentActivity::Holding, world);
        self.due = world.now + HUMAN_ANSWERS.draw(&mut self.rng);
        self.stage = Stage::Rings(request);
    }

    pub(super) fn human_picks_up(&mut self, request: &Request, world: &mut World<'_>) {
        let Act::Transfer { handoff, to, .. } = &request.act else {
            return;
        };
        let identity = Text::Owned(to.clone());
        self.end_turn(true, world);
        self.owed = None;
        let kind = "human".into();
        let joined = Fact::ParticipantJoined {
            identity: identity.clone(),
            kind,
        };
        self.tell(world, joined);
        let read_back = ReadBack {
            bridged: Some(true),
            to: Some(to.clone()),
            ..ReadBack::default()
        };
        applied(request, read_back, world);
        let completed = Fact::HandoffCompleted {
            handoff_id: Some(Text::Owned(handoff.as_str().to_owned())),
            to: identity.clone(),
        };
        self.tell_of(world, Some(request.id.clone()), completed);
        let replaced = Fact::AgentReplaced {
            from: AGENT.into(),
            to: identity,
        };
        self.tell(world, replaced);
        let (identity, kind) = (AGENT.into(), "ai".into());
        self.tell(world, Fact::ParticipantLeft { identity, kind });
        self.human = Some(to.clone());
        self.due = world.now + HUMAN_BEGINS_MS;
        self.stage = Stage::HumanPause(0);
    }

    /// Everything that is said or about to be said comes to nothing, and so do commands that live
    /// in the stage.
    pub(super) fn abandon(&mut self, world: &mut World<'_>) {
        let lost = match &self.stage {
            Stage::Rings(request) => Some(request.clone()),
            Stage::AwaitAudio { speech, .. } => match &speech.purpose {
                Purpose::Announcement(request) => Some((**request).clone()),
                _ => None,
            },
            Stage::AgentSpeaks { speech, .. } => match &speech.purpose {
                // A plain announcement was answered when its audio began.
                Purpose::Announcement(request) if matches!(request.act, Act::Transfer { .. }) => {
                    Some((**request).clone())
                }
                _ => None,
            },
            _ => None,
        };
        self.hush(world);
        self.put_off = None;
        if let Some(request) = lost {
            let why = "something else came between; the platform did not finish it";
            failed(&request, ResultKind::PlatformError, why, world);
        }
    }

    /// The call is over, and with it every command on it.
    pub(super) fn fail_acts(&mut self, world: &mut World<'_>) {
        for request in std::mem::take(&mut self.acts) {
            let why = "the call ended before it was done";
            failed(&request, ResultKind::CallEnded, why, world);
        }
    }

    fn wait_or_fail(&mut self, mut request: Request, why: &'static str, world: &mut World<'_>) {
        if world.now.since(request.since) >= WAIT_MS_MAX {
            failed(&request, ResultKind::TimedOut, why, world);
            return;
        }
        request.at = world.now + LOOK_EVERY_MS;
        self.acts.push(request);
    }

    #[expect(
        clippy::unused_self,
        reason = "reads as what the call does, like its neighbors"
    )]
    fn reject(&self, request: &Request, kind: ResultKind, why: &str, world: &mut World<'_>) {
        answer(
            request,
            ResultState::Rejected,
            Some((kind, why)),
            None,
            world,
        );
    }
}

fn applied(request: &Request, read_back: ReadBack, world: &mut World<'_>) {
    answer(request, ResultState::Applied, None, Some(read_back), world);
}

fn failed(request: &Request, kind: ResultKind, why: &str, world: &mut World<'_>) {
    answer(request, ResultState::Failed, Some((kind, why)), None, world);
}

fn answer(
    request: &Request,
    state: ResultState,
    why: Option<(ResultKind, &str)>,
    read_back: Option<ReadBack>,
    world: &mut World<'_>,
) {
    world.out.push(Output::Answer(CommandResult {
        command_id: request.id.clone(),
        state,
        kind: why.map(|(kind, _)| kind),
        message: why.map(|(_, message)| message.to_owned()),
        read_back,
    }));
}
