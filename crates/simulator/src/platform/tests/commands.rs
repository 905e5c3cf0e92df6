use holdfast_domain::fact::Speaker;
use holdfast_domain::{AiState, HandoffId};

use super::*;

pub(super) fn frame(
    id: &str,
    call: Option<&CallId>,
    command: Command,
    now: Timestamp,
) -> CommandFrame {
    CommandFrame {
        command_id: CommandId::new(id),
        call: call.cloned(),
        command,
        actor: "ana@example".to_owned(),
        issued_at: now,
        expires_at: now + 10_000,
        expect_active: None,
    }
}

/// One of many things that can be done to a platform.
pub(super) fn some_step(
    platform: &mut Platform,
    i: usize,
    what: usize,
    whom: usize,
) -> Vec<Output> {
    let ids: Vec<_> = platform.call_ids().cloned().collect();
    let call = ids.get(whom % ids.len().max(1));
    let id = format!("c-{i}");
    let now = platform.now;
    let llm = "medium-3@us-east".to_owned();
    let command = match what {
        0..17 => {
            let kind = FaultKind::ALL[what];
            let scope = FaultScope {
                region: (kind == FaultKind::RegionDown).then(|| "eu-west".to_owned()),
                share: whom.is_multiple_of(2).then_some(0.6),
                ..FaultScope::default()
            };
            let command = Command::StartFault {
                fault: kind.id().to_owned(),
                scope,
            };
            return platform.command(&frame(&id, None, command, now), now);
        }
        17 | 18 => {
            let command = Command::StopFault { id: None };
            return platform.command(&frame(&id, None, command, now), now);
        }
        19 | 20 => Command::SwitchModel {
            layer: Layer::Llm,
            to: llm,
            retry_turn: true,
            announcement: (what == 20).then(|| "One moment.".to_owned()),
        },
        21 => Command::RetryTurn,
        22 => Command::DisableTools { tools: vec![] },
        23 => Command::EnableTools { tools: vec![] },
        24 | 25 => Command::Announce {
            text: "One moment, we are changing the line.".to_owned(),
            language: "en".to_owned(),
        },
        26 => Command::PauseAi,
        27 => Command::ResumeAi,
        _ => Command::Transfer {
            handoff_id: HandoffId::new("h-1"),
            to: "ana@example".to_owned(),
            announcement: (what == 28).then(|| "I'll connect you to a colleague.".to_owned()),
            key: "k".to_owned(),
        },
    };
    platform.command(&frame(&id, call, command, now), now)
}

/// Sends a command and lets the platform go on until its outcome is there.
fn outcome(platform: &mut Platform, frame: &CommandFrame) -> (CommandResult, Vec<Output>) {
    let mut told = platform.command(frame, platform.now);
    for _ in 0..400 {
        let outcome = told.iter().find_map(|output| match output {
            Output::Answer(answer)
                if answer.command_id == frame.command_id
                    && answer.state != ResultState::Accepted =>
            {
                Some(answer.clone())
            }
            _ => None,
        });
        if let Some(outcome) = outcome {
            let accepted = told.iter().find_map(|output| match output {
                Output::Answer(answer) => Some(answer.state),
                Output::Event(_) => None,
            });
            assert_eq!(accepted, Some(ResultState::Accepted));
            return (outcome, told);
        }
        told.extend(run(platform, 100));
    }
    panic!("no outcome of {frame:?}");
}

fn read_back(result: CommandResult) -> ReadBack {
    assert_eq!(result.state, ResultState::Applied, "{result:?}");
    result.read_back.unwrap()
}

fn refusal(result: &CommandResult) -> Option<ResultKind> {
    assert_eq!(result.state, ResultState::Rejected, "{result:?}");
    assert!(
        result
            .message
            .as_ref()
            .is_some_and(|words| words.len() > 10)
    );
    result.kind
}

/// Lets a platform go on until a call shows a fact, and names that call.
fn wait_for(platform: &mut Platform, shows: impl Fn(&Event) -> bool) -> CallId {
    for _ in 0..2_000 {
        let told = run(platform, 50);
        let found = events(&told).find(|event| shows(event));
        if let Some(call) = found.and_then(|event| event.call.clone())
            && platform.ids.contains_key(&call)
        {
            return call;
        }
    }
    panic!("it never happened");
}

fn of_call<'a>(told: &'a [Output], call: &'a CallId) -> impl Iterator<Item = &'a Event> {
    events(told).filter(move |event| event.call.as_ref() == Some(call))
}

/// The services of a call in a layer: name, and whether it serves.
fn services(platform: &mut Platform, call: &CallId, layer: Layer) -> Vec<(String, bool)> {
    let told = platform.snapshot();
    of_call(&told, call)
        .find_map(|event| match &event.fact {
            Fact::CallStarted(started) => Some(started.services.clone()),
            _ => None,
        })
        .unwrap()
        .into_iter()
        .filter(|service| service.layer == layer)
        .map(|service| (service.name, service.active))
        .collect()
}

fn caller_waits(event: &Event) -> bool {
    matches!(event.fact, Fact::ServiceError { .. })
}

fn switch(layer: Layer, to: &str) -> Command {
    Command::SwitchModel {
        layer,
        to: to.to_owned(),
        retry_turn: true,
        announcement: None,
    }
}

#[test]
fn a_switch_retries_the_failed_turn_and_the_caller_gets_the_answer() {
    let mut platform = platform(5, 30);
    let vendor = FaultScope {
        provider: Some("Vendor A".to_owned()),
        ..FaultScope::default()
    };
    platform.start_fault("llm_503", &vendor).unwrap();
    let call = wait_for(&mut platform, caller_waits);
    let ladder = services(&mut platform, &call, Layer::Llm);
    assert!(ladder[0].1);
    let (from, to) = (&ladder[0].0, &ladder[2].0);

    let mut asked = frame("c-1", Some(&call), switch(Layer::Llm, to), platform.now);
    asked.expect_active = Some(from.clone());
    let (result, mut told) = outcome(&mut platform, &asked);
    told.extend(run(&mut platform, 4_000));
    let read_back = read_back(result);
    assert_eq!(read_back.layer, Some(Layer::Llm));
    assert_eq!(read_back.active.as_ref(), Some(to));
    assert_eq!(read_back.retried_turn, Some(true));
    let switched = of_call(&told, &call)
        .find(|event| matches!(event.fact, Fact::ServiceSwitched { .. }))
        .unwrap();
    assert_eq!(switched.cause, Some(CommandId::new("c-1")));
    assert_eq!(switched.layer, Some(Layer::Llm));
    // Without the caller saying another word, the answer is spoken.
    let spoken: Vec<_> = of_call(&told, &call)
        .filter_map(|event| match event.fact {
            Fact::SpeechStarted { actor } => Some(actor),
            _ => None,
        })
        .collect();
    assert_eq!(spoken.first(), Some(&Speaker::Agent));
    assert!(services(&mut platform, &call, Layer::Llm)[2].1);
}

#[test]
fn the_announcement_of_a_switch_is_heard_before_the_answer() {
    let mut platform = platform(5, 30);
    let vendor = FaultScope {
        provider: Some("Vendor A".to_owned()),
        ..FaultScope::default()
    };
    platform.start_fault("llm_503", &vendor).unwrap();
    let call = wait_for(&mut platform, caller_waits);
    let to = services(&mut platform, &call, Layer::Llm)[2].0.clone();
    let command = Command::SwitchModel {
        layer: Layer::Llm,
        to,
        retry_turn: true,
        announcement: Some("I change to another system.".to_owned()),
    };
    let asked = frame("c-1", Some(&call), command, platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    assert_eq!(read_back(result).retried_turn, Some(true));
    told.extend(run(&mut platform, 15_000));
    let said: Vec<String> = of_call(&told, &call)
        .filter_map(|event| match &event.fact {
            Fact::TranscriptFinal {
                role: holdfast_domain::UtteranceRole::Agent,
                text,
                ..
            } => Some(text.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(said[0], "I change to another system.");
    assert!(said.len() > 1, "the answer follows by itself: {said:?}");
}

#[test]
fn no_call_fails_any_more_once_it_is_switched_away_from_the_fault() {
    let mut platform = platform(5, 60);
    let model = FaultScope {
        model: Some("large-4".to_owned()),
        region: Some("eu-west".to_owned()),
        ..FaultScope::default()
    };
    platform.start_fault("llm_503", &model).unwrap();
    run(&mut platform, 30_000);
    let mut told = Vec::new();
    for (i, call) in platform
        .call_ids()
        .cloned()
        .collect::<Vec<_>>()
        .iter()
        .enumerate()
    {
        let command = switch(Layer::Llm, "large-4@eu-central");
        let asked = frame(&format!("c-{i}"), Some(call), command, platform.now);
        told.extend(platform.command(&asked, platform.now));
    }
    told.extend(run(&mut platform, 40_000));
    let mut switched = BTreeSet::new();
    for event in events(&told) {
        match &event.fact {
            Fact::ServiceSwitched { .. } => {
                switched.insert(event.call.clone());
            }
            Fact::ServiceError { .. }
            | Fact::LlmResponseEnded {
                chars: 0,
                tool_calls: 0,
                ..
            } => {
                assert!(!switched.contains(&event.call), "{event:?}");
            }
            _ => {}
        }
    }
    assert!(switched.len() > 20, "{}", switched.len());
}

#[test]
fn a_switch_of_the_recognizer_hears_what_was_not_understood() {
    let mut platform = platform(5, 30);
    let vendor = FaultScope {
        provider: Some("Vendor B".to_owned()),
        ..FaultScope::default()
    };
    platform.start_fault("asr_error", &vendor).unwrap();
    let call = wait_for(&mut platform, caller_waits);
    let to = services(&mut platform, &call, Layer::Asr)[1].0.clone();
    let asked = frame("c-1", Some(&call), switch(Layer::Asr, &to), platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    told.extend(run(&mut platform, 1_000));
    assert_eq!(read_back(result).retried_turn, Some(true));
    assert!(of_call(&told, &call).any(|event| matches!(
        event.fact,
        Fact::TranscriptFinal {
            role: UtteranceRole::Caller,
            ..
        }
    )));
}

#[test]
fn a_switch_of_the_voice_is_heard() {
    let mut platform = platform(5, 30);
    let vendor = FaultScope {
        provider: Some("Vendor C".to_owned()),
        ..FaultScope::default()
    };
    platform.start_fault("tts_error", &vendor).unwrap();
    let call = wait_for(&mut platform, caller_waits);
    let to = services(&mut platform, &call, Layer::Tts)[1].0.clone();
    let asked = frame("c-1", Some(&call), switch(Layer::Tts, &to), platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    told.extend(run(&mut platform, 4_000));
    assert_eq!(read_back(result).active, Some(to));
    assert!(of_call(&told, &call).any(|event| matches!(
        event.fact,
        Fact::SpeechStarted {
            actor: Speaker::Agent
        }
    )));
}

#[test]
fn a_retry_tries_the_failed_turn_again_and_a_good_turn_is_left_alone() {
    let mut platform = platform(5, 30);
    let id = platform
        .start_fault("llm_503", &FaultScope::default())
        .unwrap();
    let call = wait_for(&mut platform, caller_waits);
    platform.faults.stop(Some(&id)).unwrap();
    let asked = frame("c-1", Some(&call), Command::RetryTurn, platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    told.extend(run(&mut platform, 4_000));
    assert_eq!(read_back(result).retried_turn, Some(true));
    assert!(of_call(&told, &call).any(|event| matches!(
        event.fact,
        Fact::SpeechStarted {
            actor: Speaker::Agent
        }
    )));

    let call = wait_for(&mut platform, |event| {
        matches!(
            event.fact,
            Fact::TurnEnded {
                interrupted: false,
                ..
            }
        )
    });
    let asked = frame("c-2", Some(&call), Command::RetryTurn, platform.now);
    let (result, _) = outcome(&mut platform, &asked);
    assert_eq!(read_back(result).retried_turn, Some(false));
}

#[test]
fn a_switch_that_cannot_be_changes_nothing() {
    let mut platform = platform(5, 30);
    let region = FaultScope {
        region: Some("us-east".to_owned()),
        ..FaultScope::default()
    };
    platform.start_fault("region_down", &region).unwrap();
    // Not itself in the region that is down.
    let call = wait_for(
        &mut platform,
        |event| matches!(&event.fact, Fact::LlmResponseStarted { service } if service == "large-4@eu-west"),
    );
    let before = services(&mut platform, &call, Layer::Llm);
    let mut n = 0;
    let mut refused = |platform: &mut Platform, command: Command, expect: Option<&str>| {
        n += 1;
        let mut asked = frame(&format!("c-{n}"), Some(&call), command, platform.now);
        asked.expect_active = expect.map(str::to_owned);
        refusal(&outcome(platform, &asked).0)
    };
    assert_eq!(
        refused(&mut platform, switch(Layer::Llm, "medium-3@us-east"), None),
        Some(ResultKind::TargetUnusable)
    );
    assert_eq!(
        refused(&mut platform, switch(Layer::Llm, "tiny-1@mars"), None),
        Some(ResultKind::TargetUnknown)
    );
    assert_eq!(
        refused(
            &mut platform,
            switch(Layer::Tools, "large-4@eu-central"),
            None
        ),
        Some(ResultKind::InvalidArgs)
    );
    let back = switch(Layer::Llm, "large-4@eu-central");
    assert_eq!(
        refused(&mut platform, back, Some("medium-3@us-east")),
        Some(ResultKind::ExpectationFailed)
    );
    assert_eq!(services(&mut platform, &call, Layer::Llm), before);
}

#[test]
fn tools_go_off_and_on_and_the_dialogue_is_honest_about_it() {
    let mut platform = platform(5, 30);
    let call = wait_for(&mut platform, |event| {
        matches!(event.fact, Fact::ParticipantJoined { .. })
    });
    let off = Command::DisableTools { tools: vec![] };
    let asked = frame("c-1", Some(&call), off, platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    let read = read_back(result);
    assert_eq!(read.enabled, Some(vec![]));
    let all = read.disabled.unwrap();
    assert!(!all.is_empty());
    told.extend(run(&mut platform, 150_000));
    assert!(of_call(&told, &call).any(|event| event.cause == Some(CommandId::new("c-1"))
        && matches!(&event.fact, Fact::ToolCatalogChanged { enabled, .. } if enabled.is_empty())));
    let facts: Vec<_> = of_call(&told, &call).map(|event| &event.fact).collect();
    assert!(
        !facts
            .iter()
            .any(|fact| matches!(fact, Fact::ToolStarted { .. }))
    );
    assert!(
        facts
            .iter()
            .any(|fact| matches!(fact, Fact::CallEnded { reason, .. }
        if reason == "completed"))
    );

    let call = wait_for(&mut platform, |event| {
        matches!(event.fact, Fact::ParticipantJoined { .. })
    });
    let all = {
        let on = Command::EnableTools { tools: vec![] };
        let asked = frame("c-2", Some(&call), on, platform.now);
        read_back(outcome(&mut platform, &asked).0).enabled.unwrap()
    };
    let one = Command::DisableTools {
        tools: vec![all[0].clone()],
    };
    let asked = frame("c-3", Some(&call), one, platform.now);
    let read = read_back(outcome(&mut platform, &asked).0);
    assert_eq!(read.disabled, Some(vec![all[0].clone()]));
    assert_eq!(read.enabled.unwrap(), all[1..]);
    let unknown = Command::DisableTools {
        tools: vec!["teapot".to_owned()],
    };
    let asked = frame("c-4", Some(&call), unknown, platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::TargetUnknown)
    );
}

fn announcement(text: &str) -> Command {
    Command::Announce {
        text: text.to_owned(),
        language: "en".to_owned(),
    }
}

#[test]
fn an_announcement_is_heard_and_the_turn_goes_on_after_it() {
    let mut platform = platform(5, 30);
    let id = platform
        .start_fault("llm_hang", &FaultScope::default())
        .unwrap();
    let call = wait_for(&mut platform, |event| {
        matches!(event.fact, Fact::LlmResponseStarted { .. })
    });
    platform.faults.stop(Some(&id)).unwrap();
    let words = "Thank you for waiting, I am with you in a moment.";
    let asked = frame("c-1", Some(&call), announcement(words), platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    assert_eq!(read_back(result).spoken, Some(true));
    // The switch and the sentence are one step: a retry in the middle of it comes after it.
    let retry = frame("c-2", Some(&call), Command::RetryTurn, platform.now);
    let (result, more) = outcome(&mut platform, &retry);
    assert_eq!(read_back(result).retried_turn, Some(true));
    told.extend(more);
    told.extend(run(&mut platform, 12_000));
    let said: Vec<_> = of_call(&told, &call)
        .filter_map(|event| match &event.fact {
            Fact::TranscriptFinal { text, unspoken, .. } => Some((text.as_ref(), unspoken)),
            _ => None,
        })
        .collect();
    assert_eq!(said[0], (words, &None));
    assert!(said.len() >= 2, "the turn did not go on: {said:?}");
    assert!(of_call(&told, &call).any(|event| matches!(event.fact, Fact::LlmResponseEnded { .. })));
}

#[test]
fn an_announcement_that_is_not_heard_is_not_called_spoken() {
    for (fault, kind) in [
        ("tts_silent", ResultKind::TimedOut),
        ("tts_error", ResultKind::PlatformError),
    ] {
        let mut platform = platform(5, 30);
        platform.start_fault(fault, &FaultScope::default()).unwrap();
        let call = wait_for(&mut platform, |event| {
            matches!(event.fact, Fact::TtsStarted { .. })
        });
        let asked = frame("c-1", Some(&call), announcement("Hello."), platform.now);
        let (result, _) = outcome(&mut platform, &asked);
        assert_eq!(result.state, ResultState::Failed, "{fault}: {result:?}");
        assert_eq!(result.kind, Some(kind), "{fault}");
    }
    let mut platform = platform(5, 30);
    let call = platform.call_ids().next().cloned();
    let asked = frame("c-1", call.as_ref(), announcement(" "), platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::InvalidArgs)
    );
}

#[test]
fn a_paused_ai_is_silent_until_it_is_resumed() {
    let mut platform = platform(5, 30);
    let call = wait_for(&mut platform, |event| {
        matches!(
            event.fact,
            Fact::SpeechStarted {
                actor: Speaker::Agent
            }
        )
    });
    let asked = frame("c-1", Some(&call), Command::PauseAi, platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    assert_eq!(read_back(result).ai, Some(AiState::Paused));
    told.extend(run(&mut platform, 10_000));
    let agent_begins = |told: &[Output]| {
        of_call(told, &call).any(|event| {
            matches!(
                event.fact,
                Fact::SpeechStarted {
                    actor: Speaker::Agent
                }
            )
        })
    };
    assert!(!agent_begins(&told));
    assert!(of_call(&told, &call).any(|event| matches!(
        event.fact,
        Fact::TranscriptFinal {
            interrupted: true,
            unspoken: Some(_),
            ..
        }
    )));
    let asked = frame("c-2", Some(&call), Command::ResumeAi, platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    assert_eq!(read_back(result).ai, Some(AiState::Active));
    told.extend(run(&mut platform, 5_000));
    assert!(agent_begins(&told));
}

fn transfer(announcement: Option<&str>) -> Command {
    Command::Transfer {
        handoff_id: HandoffId::new("h-1"),
        to: "ana@example".to_owned(),
        announcement: announcement.map(str::to_owned),
        key: "k-1".to_owned(),
    }
}

#[test]
fn a_transfer_is_announced_bridged_and_goes_on_with_the_human() {
    let mut platform = platform(5, 30);
    // The model is gone; the human needs no model.
    platform
        .start_fault("llm_503", &FaultScope::default())
        .unwrap();
    let call = wait_for(&mut platform, caller_waits);
    let words = "I am connecting you to a colleague now.";
    let asked = frame("c-1", Some(&call), transfer(Some(words)), platform.now);
    let (result, mut told) = outcome(&mut platform, &asked);
    let read = read_back(result);
    assert_eq!(read.bridged, Some(true));
    assert_eq!(read.to.as_deref(), Some("ana@example"));
    // The AI does nothing any more.
    let asked = frame("c-2", Some(&call), announcement("Hello."), platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::NotCapable)
    );
    told.extend(run(&mut platform, 90_000));

    let facts: Vec<_> = of_call(&told, &call).map(|event| &event.fact).collect();
    let place = |wanted: &dyn Fn(&Fact<'static>) -> bool| {
        facts.iter().position(|fact| wanted(fact)).unwrap()
    };
    let announced = place(&|f| matches!(f, Fact::TranscriptFinal { text, .. } if text == words));
    let joined = place(
        &|f| matches!(f, Fact::ParticipantJoined { kind, identity } if kind == "human" && identity == "ana@example"),
    );
    let completed =
        place(&|f| matches!(f, Fact::HandoffCompleted { handoff_id: Some(id), .. } if id == "h-1"));
    let human_spoke =
        place(&|f| matches!(f, Fact::TranscriptFinal { text, .. } if text.contains("Ana")));
    let ended = place(&|f| matches!(f, Fact::CallEnded { reason, .. } if reason == "completed"));
    assert!(announced < joined && joined < completed);
    assert!(completed < human_spoke && human_spoke < ended);
    assert!(
        facts[completed..]
            .iter()
            .all(|f| !matches!(f, Fact::LlmResponseStarted { .. } | Fact::TtsStarted { .. }))
    );
    let completed = of_call(&told, &call)
        .find(|event| matches!(event.fact, Fact::HandoffCompleted { .. }))
        .unwrap();
    assert_eq!(completed.cause, Some(CommandId::new("c-1")));
}

#[test]
fn a_transfer_works_without_a_voice_and_needs_somebody_to_go_to() {
    for fault in ["tts_silent", "tts_error"] {
        let mut platform = platform(5, 30);
        platform.start_fault(fault, &FaultScope::default()).unwrap();
        let call = wait_for(&mut platform, |event| {
            matches!(event.fact, Fact::TtsStarted { .. })
        });
        let asked = frame("c-1", Some(&call), transfer(Some("Hold on.")), platform.now);
        let (result, _) = outcome(&mut platform, &asked);
        assert_eq!(read_back(result).bridged, Some(true), "{fault}");
    }
    let mut platform = platform(5, 30);
    let call = platform.call_ids().next().cloned();
    let nobody = Command::Transfer {
        handoff_id: HandoffId::new("h-2"),
        to: String::new(),
        announcement: None,
        key: String::new(),
    };
    let asked = frame("c-1", call.as_ref(), nobody, platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::InvalidArgs)
    );
}

#[test]
fn faults_are_read_back_and_told() {
    let mut platform = platform(5, 5);
    let start = |fault: &str| Command::StartFault {
        fault: fault.to_owned(),
        scope: FaultScope::default(),
    };
    let asked = frame("c-1", None, start("llm_503"), platform.now);
    let (result, told) = outcome(&mut platform, &asked);
    let faults = read_back(result).faults.unwrap();
    assert_eq!(Some(&faults), active(&told));
    assert_eq!(faults[0].fault, "llm_503");
    let stop = Command::StopFault {
        id: Some(faults[0].id.clone()),
    };
    let asked = frame("c-2", None, stop.clone(), platform.now);
    assert_eq!(
        read_back(outcome(&mut platform, &asked).0).faults,
        Some(vec![])
    );
    for (id, command) in [("c-3", stop), ("c-4", start("llm_504"))] {
        let asked = frame(id, None, command, platform.now);
        assert_eq!(
            refusal(&outcome(&mut platform, &asked).0),
            Some(ResultKind::InvalidArgs)
        );
    }
    let call = platform.call_ids().next().cloned();
    let asked = frame("c-5", call.as_ref(), start("llm_503"), platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::InvalidArgs)
    );
}

#[test]
fn the_same_command_has_one_effect() {
    let effects = EffectCount::default();
    let mut platform = platform(5, 5).counting(effects.clone());
    let start = Command::StartFault {
        fault: "llm_slow".to_owned(),
        scope: FaultScope::default(),
    };
    let asked = frame("c-1", None, start, platform.now);
    let (first, _) = outcome(&mut platform, &asked);
    let again = platform.command(&asked, platform.now + 60_000);
    assert_eq!(again.last(), Some(&Output::Answer(first)));
    assert_eq!(platform.faults.tell().len(), 1);
    let counted = effects.all();
    let counted = counted.values().map(|effect| (effect.asked, effect.times));
    assert_eq!(counted.collect::<Vec<_>>(), [(2, 1)]);
}

#[test]
fn commands_that_come_too_late_or_to_nobody_are_answered() {
    let mut platform = platform(5, 20);
    let call = platform.call_ids().next().cloned().unwrap();
    let mut late = frame("c-1", Some(&call), Command::PauseAi, platform.now);
    late.expires_at = platform.now - 1;
    assert_eq!(outcome(&mut platform, &late).0.state, ResultState::Expired);

    let nobody = CallId::new("nobody");
    let asked = frame("c-2", Some(&nobody), Command::PauseAi, platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::UnknownCall)
    );
    let asked = frame("c-3", None, Command::PauseAi, platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::InvalidArgs)
    );
    run(&mut platform, 400_000);
    assert!(!platform.ids.contains_key(&call));
    let asked = frame("c-4", Some(&call), Command::PauseAi, platform.now);
    assert_eq!(
        refusal(&outcome(&mut platform, &asked).0),
        Some(ResultKind::CallEnded)
    );
}

#[test]
fn a_restart_answers_what_was_under_way_and_begins_new_calls() {
    let mut platform = platform(5, 20);
    let call = platform.call_ids().next().cloned().unwrap();
    let asked = frame("c-1", Some(&call), transfer(None), platform.now);
    platform.command(&asked, platform.now);
    let old: Vec<_> = platform.call_ids().cloned().collect();
    let told = platform.restart(platform.now + 3_600_000);
    assert!(matches!(
        told.as_slice(),
        [Output::Answer(CommandResult {
            kind: Some(ResultKind::CallEnded),
            ..
        })]
    ));
    assert!(platform.live_calls() >= 17);
    assert!(platform.call_ids().all(|id| !old.contains(id)));
}
