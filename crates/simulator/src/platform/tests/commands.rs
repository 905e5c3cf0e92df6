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
                share: (whom % 2 == 0).then_some(0.6),
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
            handoff_id: holdfast_domain::HandoffId::new("h-1"),
            to: "ana@example".to_owned(),
            announcement: (what == 28).then(|| "I'll connect you to a colleague.".to_owned()),
            key: "k".to_owned(),
        },
    };
    platform.command(&frame(&id, call, command, now), now)
}
