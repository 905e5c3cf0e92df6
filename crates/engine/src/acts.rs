//! A person's act: whom it touches, whom it leaves alone and why, and what it becomes.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    Act, ActId, ActPreview, ActVerb, AiState, CallId, CallPhase, Capability, Command, CommandId,
    CommandName, CommandRecord, CommandState, Excluded, ExcludedReason, FeedState, HandoffId,
    HandoffReason, Layer, Progress, Refusal, RefusalCode, Reply, Request, Rung, SourceId, Target,
};

use crate::calls::Call;
use crate::commands::ActOutcome;
use crate::{Engine, Person, words};

/// The most calls that one act names one by one; more are an act on all calls.
const CALLS_MAX: usize = 10_000;
/// The longest announcement in characters: half a minute of speech.
const ANNOUNCEMENT_CHARS_MAX: usize = 500;
/// The longest act id in bytes: a UUID has 36.
const ACT_ID_BYTES_MAX: usize = 64;
/// The most tools that one act names.
const TOOLS_MAX: usize = 64;

/// What becomes of one call.
pub(crate) enum Planned {
    /// A command, and the active service that it expects.
    Command(Box<Command>, Option<String>),
    /// A handoff.
    Handoff,
}

/// What an act would do.
#[derive(Default)]
struct Plan {
    calls: Vec<(CallId, Planned)>,
    excluded: Vec<Excluded>,
    /// A command on a whole platform.
    platform: Option<(SourceId, Command)>,
}

impl Engine {
    pub(crate) fn on_request(&mut self, who: &Person, request: &Request) -> Reply {
        self.runs.note_rights(who);
        let done = match request {
            Request::Preview { verb, target } => self
                .preview_act(verb, target, who)
                .map(|preview| Reply::Preview { preview }),
            Request::Act { act } => self.act(who, act),
            Request::SeeHandoff { handoff } => self.see_handoff(who, handoff),
            Request::AcceptHandoff { handoff } => self.accept_handoff(who, handoff),
            Request::DeclineHandoff { handoff, reason } => {
                self.decline_handoff(who, handoff, reason)
            }
            Request::SetHumanState { state } => self.set_human_state(who, *state),
            Request::PreviewRun {
                run,
                playbook,
                cause,
            } => self.preview_run(who, run, playbook, cause.as_ref()),
            Request::StartRun {
                run,
                fingerprint,
                reason,
            } => self.start_run(who, run, fingerprint, reason.as_deref()),
            Request::ApproveRun { run, fingerprint } => self.approve_run(who, run, fingerprint),
            Request::DeclineRun { run, reason, .. } => self.decline_run(who, run, reason),
            Request::AnswerRun { run, yes } => self.answer_run(who, run, *yes),
            Request::StopRun { run, reason } => self.stop_run(who, run, reason),
            Request::RollBackRun { run, reason } => self.roll_back_run(who, run, reason),
            Request::ReviewRun { run, note } => self.review_run(who, run, note),
            Request::ShowRun { run } => self.show_run(who, run),
            Request::ShowLedger => self.show_ledger(who),
            Request::Lever { on, reason } => self.move_lever(who, *on, reason),
        };
        done.unwrap_or_else(|refusal| Reply::Refused { refusal })
    }

    fn act(&mut self, who: &Person, act: &Act) -> Result<Reply, Refusal> {
        if let Some(outcome) = self.commands.act(&act.id) {
            return Ok(acting(outcome.clone()));
        }
        if act.id.as_str().is_empty() || act.id.as_str().len() > ACT_ID_BYTES_MAX {
            return Err(invalid("an act needs an id of 1 to 64 characters"));
        }
        let plan = self.plan(&act.verb, &act.target, who)?;
        let mut outcome = ActOutcome {
            excluded: plan.excluded,
            ..ActOutcome::default()
        };
        if let Some((source, command)) = plan.platform {
            let record = self.record(&act.id, 1, None, source, command, None, who);
            outcome.commands.push(record.id.clone());
            self.issue(record);
        }
        for (n, (call, planned)) in (1..).zip(plan.calls) {
            match planned {
                Planned::Command(command, expect) => {
                    let Some(source) = self.calls.get(&call).map(|call| call.source.clone()) else {
                        continue;
                    };
                    let record = self.record(&act.id, n, Some(call), source, *command, expect, who);
                    outcome.commands.push(record.id.clone());
                    self.issue(record);
                }
                Planned::Handoff => {
                    let id = HandoffId::new(format!("{}.{n}", act.id));
                    outcome.handoffs.push(id.clone());
                    self.request_handoff(&call, id, HandoffReason::Supervisor, &who.name);
                }
            }
        }
        let now = self.now;
        self.commands
            .remember_act(act.id.clone(), outcome.clone(), &self.config, now);
        self.match_handoffs();
        Ok(acting(outcome))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "they are the fields of a record that differ from act to act"
    )]
    fn record(
        &self,
        act: &ActId,
        n: usize,
        call: Option<CallId>,
        source: SourceId,
        command: Command,
        expect_active: Option<String>,
        who: &Person,
    ) -> CommandRecord {
        CommandRecord {
            id: CommandId::new(format!("{act}.{n}")),
            act: act.clone(),
            call,
            source,
            command,
            expect_active,
            actor: who.name.clone(),
            issued_at: self.now,
            expires_at: self.now + self.config.command_ttl_ms,
            progress: vec![Progress {
                state: CommandState::Requested,
                at: self.now,
            }],
        }
    }

    // === planning ===

    fn plan(&self, verb: &ActVerb, target: &Target, who: &Person) -> Result<Plan, Refusal> {
        check_rights(verb, target, who)?;
        check_form(verb)?;
        let calls: Vec<CallId> = match target {
            Target::Platform { source } => return self.plan_platform(verb, source),
            Target::Calls { calls } if calls.is_empty() => {
                return Err(invalid("no call was named; mark at least one"));
            }
            Target::Calls { calls } if calls.len() > CALLS_MAX => {
                return Err(invalid(&format!(
                    "more than {CALLS_MAX} calls were named; act on all calls instead"
                )));
            }
            // A call that is named twice is touched once.
            Target::Calls { calls } => {
                let mut seen = BTreeSet::new();
                calls
                    .iter()
                    .filter(|call| seen.insert(*call))
                    .cloned()
                    .collect()
            }
            Target::Cause { cause, reach } => {
                let Some(group) = self.causes.get(cause) else {
                    return Err(Refusal::new(
                        RefusalCode::NotFound,
                        "this cause is not known any more; look at the board for what fails now",
                    ));
                };
                self.calls_of_cause(group, *reach)
            }
            Target::AllCalls => self.calls.ids().cloned().collect(),
        };
        if matches!(verb, ActVerb::StartFault { .. } | ActVerb::StopFault { .. }) {
            return Err(invalid(
                "faults are injected into a platform, not into calls",
            ));
        }
        let mut plan = Plan::default();
        for id in calls {
            match self.plan_call(verb, &id, matches!(target, Target::AllCalls)) {
                Ok(Some(planned)) => plan.calls.push((id, planned)),
                Ok(None) => {}
                Err(reason) => plan.excluded.push(Excluded { call: id, reason }),
            }
        }
        Ok(plan)
    }

    /// What becomes of one call. None: it is not part of the target at all.
    fn plan_call(
        &self,
        verb: &ActVerb,
        id: &CallId,
        is_all: bool,
    ) -> Result<Option<Planned>, ExcludedReason> {
        let call = self.calls.get(id).ok_or(ExcludedReason::NotLive)?;
        if call.phase != CallPhase::Ai {
            // All calls means every call that the AI serves.
            return if is_all {
                Ok(None)
            } else {
                Err(ExcludedReason::WithHuman)
            };
        }
        if !self.is_heard(call) {
            return Err(ExcludedReason::StaleFeed);
        }
        let name = command_name(verb);
        if !self.is_capable(call, name) {
            return Err(ExcludedReason::NotCapable);
        }
        if self.is_busy(call, verb, None) {
            return Err(ExcludedReason::Busy);
        }
        if is_protected(call, verb) {
            return Err(ExcludedReason::ProtectedMoment);
        }
        plan_verb(call, verb).map(Some)
    }

    pub(crate) fn is_capable(&self, call: &Call, name: CommandName) -> bool {
        let of_bridge = self.bridges.get(&call.source);
        let of_bridge = of_bridge.map_or(&[][..], |bridge| &bridge.capabilities);
        let capabilities = call.capabilities.as_deref().unwrap_or(of_bridge);
        is_available(capabilities, name)
    }

    /// Another command than `mine` is under way, or a handoff that this would disturb.
    pub(crate) fn is_busy(&self, call: &Call, verb: &ActVerb, mine: Option<&CommandId>) -> bool {
        let has_command = self.commands.of_call(call).any(|record| {
            Some(&record.id) != mine
                && matches!(
                    record.state(),
                    CommandState::Requested | CommandState::Accepted | CommandState::Unknown
                )
        });
        let handoff = call
            .handoff
            .as_ref()
            .and_then(|handoff| self.handoffs.get(handoff));
        let is_routed = handoff.is_some_and(|handoff| {
            // While nobody has accepted, the AI still serves the caller and can be mended.
            matches!(verb, ActVerb::RouteToHumans)
                || matches!(
                    handoff.state,
                    holdfast_domain::HandoffState::Accepted { .. }
                        | holdfast_domain::HandoffState::Bridged { .. }
                )
        });
        has_command || is_routed
    }

    fn plan_platform(&self, verb: &ActVerb, source: &SourceId) -> Result<Plan, Refusal> {
        let Some(bridge) = self.bridges.get(source) else {
            return Err(Refusal::new(
                RefusalCode::NotFound,
                format!("no bridge {source} is known; choose one of the list"),
            ));
        };
        if bridge.state() != FeedState::Live {
            return Err(Refusal::new(
                RefusalCode::Stale,
                format!("{source} is not heard now; nobody knows what is true there"),
            ));
        }
        let offers = |name: CommandName| {
            bridge
                .capabilities
                .iter()
                .find(|capability| capability.name == name.as_str() && capability.available)
        };
        let command = match verb {
            ActVerb::StartFault { fault, scope } => {
                let offer = offers(CommandName::StartFault);
                let is_known =
                    offer.is_some_and(|offer| offer.faults.iter().any(|known| known.id == *fault));
                if !is_known {
                    return Err(invalid(&format!("{source} cannot inject {fault}")));
                }
                let mut scope = scope.clone();
                if let Some(share) = scope.share {
                    if !(0.0..=1.0).contains(&share) {
                        return Err(invalid("a share lies between 0 and 1"));
                    }
                    scope.share = Some((share * 1_000.0).round() / 1_000.0);
                }
                let fault = fault.clone();
                Command::StartFault { fault, scope }
            }
            ActVerb::StopFault { id } => {
                if offers(CommandName::StopFault).is_none() {
                    return Err(invalid(&format!("{source} cannot stop faults")));
                }
                Command::StopFault { id: id.clone() }
            }
            _ => return Err(invalid("only faults act on a whole platform")),
        };
        Ok(Plan {
            platform: Some((source.clone(), command)),
            ..Plan::default()
        })
    }

    // === preview ===

    pub(crate) fn preview_act(
        &self,
        verb: &ActVerb,
        target: &Target,
        who: &Person,
    ) -> Result<ActPreview, Refusal> {
        let plan = self.plan(verb, target, who)?;
        let mut by_rung: BTreeMap<Rung, u32> = BTreeMap::new();
        let mut becomes: BTreeMap<String, u32> = BTreeMap::new();
        let mut languages: BTreeSet<&str> = BTreeSet::new();
        let mut failing = 0;
        for (id, planned) in &plan.calls {
            let Some(call) = self.calls.get(id) else {
                continue;
            };
            *by_rung.entry(call.rung()).or_default() += 1;
            failing += u32::from(call.is_failing());
            languages.insert(&call.dialogue.language);
            *becomes.entry(outcome_word(planned)).or_default() += 1;
        }
        let announcement = match verb {
            ActVerb::Announce { text } => Some(text.clone()),
            ActVerb::RouteToHumans => languages
                .first()
                .map(|language| words::transfer_announcement(language).to_owned()),
            _ => None,
        };
        let humans_free = self.handoffs.free();
        let becomes: Vec<(String, u32)> = becomes.into_iter().collect();
        let sentence = sentence(verb, &plan, &becomes, humans_free, target);
        Ok(ActPreview {
            calls: plan.calls.into_iter().map(|(id, _)| id).collect(),
            by_rung: by_rung.into_iter().collect(),
            failing,
            becomes,
            excluded: plan.excluded,
            humans_free,
            announcement,
            sentence,
        })
    }
}

fn acting(outcome: ActOutcome) -> Reply {
    Reply::Acting {
        commands: outcome.commands,
        handoffs: outcome.handoffs,
        excluded: outcome.excluded,
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(RefusalCode::Invalid, message)
}

fn check_rights(verb: &ActVerb, target: &Target, who: &Person) -> Result<(), Refusal> {
    let forbidden = |what: &str| {
        Err(Refusal::new(
            RefusalCode::Forbidden,
            format!("{} may not {what}; ask someone who may", who.name),
        ))
    };
    let is_fault = matches!(verb, ActVerb::StartFault { .. } | ActVerb::StopFault { .. });
    if is_fault && !who.can_act_on_all {
        return forbidden("inject faults");
    }
    if matches!(target, Target::AllCalls) && !who.can_act_on_all {
        return forbidden("act on all calls");
    }
    if !who.can_act && !who.can_act_on_all {
        return forbidden("act on calls");
    }
    Ok(())
}

fn check_form(verb: &ActVerb) -> Result<(), Refusal> {
    match verb {
        ActVerb::SwitchModel { layer, .. } => {
            if !matches!(layer, Layer::Asr | Layer::Llm | Layer::Tts) {
                return Err(invalid("only ASR, LLM and TTS can be switched"));
            }
        }
        ActVerb::Announce { text } => {
            let length = text.trim().chars().count();
            if length == 0 || length > ANNOUNCEMENT_CHARS_MAX {
                return Err(invalid("an announcement has 1 to 500 characters"));
            }
        }
        ActVerb::DisableTools { tools } | ActVerb::EnableTools { tools } => {
            if tools.len() > TOOLS_MAX {
                return Err(invalid("at most 64 tools can be named; name none for all"));
            }
        }
        ActVerb::PauseAi
        | ActVerb::ResumeAi
        | ActVerb::RouteToHumans
        | ActVerb::StartFault { .. }
        | ActVerb::StopFault { .. } => {}
    }
    Ok(())
}

const fn command_name(verb: &ActVerb) -> CommandName {
    match verb {
        ActVerb::SwitchModel { .. } => CommandName::SwitchModel,
        ActVerb::DisableTools { .. } => CommandName::DisableTools,
        ActVerb::EnableTools { .. } => CommandName::EnableTools,
        ActVerb::Announce { .. } => CommandName::Announce,
        ActVerb::PauseAi => CommandName::PauseAi,
        ActVerb::ResumeAi => CommandName::ResumeAi,
        ActVerb::RouteToHumans => CommandName::Transfer,
        ActVerb::StartFault { .. } => CommandName::StartFault,
        ActVerb::StopFault { .. } => CommandName::StopFault,
    }
}

pub(crate) fn is_available(capabilities: &[Capability], name: CommandName) -> bool {
    is_offered(capabilities, name.as_str())
}

pub(crate) fn is_offered(capabilities: &[Capability], name: &str) -> bool {
    capabilities
        .iter()
        .any(|capability| capability.name == name && capability.available)
}

/// A payment, an identity check or a write of a tool must not be disturbed. Giving tools or the
/// voice back disturbs nothing.
pub(crate) fn is_protected(call: &Call, verb: &ActVerb) -> bool {
    match verb {
        ActVerb::EnableTools { .. } | ActVerb::ResumeAi => false,
        ActVerb::SwitchModel { .. }
        | ActVerb::DisableTools { .. }
        | ActVerb::Announce { .. }
        | ActVerb::PauseAi
        | ActVerb::RouteToHumans
        | ActVerb::StartFault { .. }
        | ActVerb::StopFault { .. } => call.protected.is_some() || call.has_write_under_way(),
    }
}

pub(crate) fn plan_verb(call: &Call, verb: &ActVerb) -> Result<Planned, ExcludedReason> {
    let command = match verb {
        ActVerb::SwitchModel { layer, to } => return plan_switch(call, *layer, to.as_deref()),
        ActVerb::DisableTools { tools } => {
            let (on, off) = (&call.dialogue.tools_enabled, &call.dialogue.tools_disabled);
            plan_tools(tools, on, off)?;
            Command::DisableTools {
                tools: tools.clone(),
            }
        }
        ActVerb::EnableTools { tools } => {
            let (on, off) = (&call.dialogue.tools_enabled, &call.dialogue.tools_disabled);
            plan_tools(tools, off, on)?;
            Command::EnableTools {
                tools: tools.clone(),
            }
        }
        ActVerb::Announce { text } => Command::Announce {
            text: text.trim().to_owned(),
            language: call.dialogue.language.clone(),
        },
        ActVerb::PauseAi if call.ai == AiState::Paused => return Err(ExcludedReason::AlreadySo),
        ActVerb::PauseAi => Command::PauseAi,
        ActVerb::ResumeAi if call.ai == AiState::Active => return Err(ExcludedReason::AlreadySo),
        ActVerb::ResumeAi => Command::ResumeAi,
        ActVerb::RouteToHumans => return Ok(Planned::Handoff),
        ActVerb::StartFault { .. } | ActVerb::StopFault { .. } => {
            return Err(ExcludedReason::NotCapable);
        }
    };
    Ok(Planned::Command(Box::new(command), None))
}

fn plan_switch(call: &Call, layer: Layer, to: Option<&str>) -> Result<Planned, ExcludedReason> {
    let target = match to {
        Some(name) => call
            .services
            .iter()
            .find(|service| service.layer == layer && service.name == name),
        None => call.fallback(layer),
    };
    let target = target.ok_or(ExcludedReason::NoTarget)?;
    if target.active {
        return Err(ExcludedReason::AlreadySo);
    }
    let command = Command::SwitchModel {
        layer,
        to: target.name.clone(),
        retry_turn: call.has_failing_turn(layer),
        announcement: None,
    };
    let expect = call.active(layer).map(|active| active.name.clone());
    Ok(Planned::Command(Box::new(command), expect))
}

/// Tools move from `here` to `there`; empty for all.
fn plan_tools(tools: &[String], here: &[String], there: &[String]) -> Result<(), ExcludedReason> {
    if here.is_empty() && there.is_empty() {
        // The platform has not told its tools: it decides.
        return Ok(());
    }
    if tools.is_empty() {
        return if here.is_empty() {
            Err(ExcludedReason::AlreadySo)
        } else {
            Ok(())
        };
    }
    if tools.iter().any(|tool| here.contains(tool)) {
        Ok(())
    } else if tools.iter().any(|tool| there.contains(tool)) {
        Err(ExcludedReason::AlreadySo)
    } else {
        Err(ExcludedReason::NoTarget)
    }
}

/// What a call becomes, in a word.
pub(crate) fn outcome_word(planned: &Planned) -> String {
    match planned {
        Planned::Handoff => "human".to_owned(),
        Planned::Command(command, _) => match &**command {
            Command::SwitchModel { to, .. } => to.clone(),
            Command::DisableTools { .. } => "tools off".to_owned(),
            Command::EnableTools { .. } => "tools on".to_owned(),
            Command::Announce { .. } => "hears the announcement".to_owned(),
            Command::PauseAi => "AI paused".to_owned(),
            Command::ResumeAi => "AI active".to_owned(),
            Command::RetryTurn
            | Command::Transfer { .. }
            | Command::StartFault { .. }
            | Command::StopFault { .. } => command.name().as_str().replace('_', " "),
        },
    }
}

/// The preview in a sentence, before it is a table.
fn sentence(
    verb: &ActVerb,
    plan: &Plan,
    becomes: &[(String, u32)],
    humans_free: u32,
    target: &Target,
) -> String {
    if let (Some((source, command)), Target::Platform { .. }) = (&plan.platform, target) {
        return match command {
            Command::StartFault { fault, .. } => format!("Injects {fault} into {source}."),
            Command::StopFault { id: Some(id) } => format!("Stops the fault {id} in {source}."),
            _ => format!("Stops all faults in {source}."),
        };
    }
    let (n, all) = (plan.calls.len(), plan.calls.len() + plan.excluded.len());
    let becomes = becomes
        .iter()
        .map(|(what, n)| format!("{what}: {n}"))
        .collect::<Vec<_>>()
        .join(", ");
    let mut sentences = vec![match (n, all) {
        (0, 1) => "Does not touch the call.".to_owned(),
        (0, _) => format!("Touches none of {all} calls."),
        (1, 1) => format!("Touches this one call ({becomes})."),
        _ => format!("Touches {n} of {all} calls ({becomes})."),
    }];
    let mut left: BTreeMap<ExcludedReason, usize> = BTreeMap::new();
    for excluded in &plan.excluded {
        *left.entry(excluded.reason).or_default() += 1;
    }
    for (reason, n) in left {
        sentences.push(format!("{n} {}.", words::reason(reason, n == 1)));
    }
    if matches!(verb, ActVerb::RouteToHumans) {
        sentences.push(format!("Humans free: {humans_free}."));
    }
    sentences.join(" ")
}
