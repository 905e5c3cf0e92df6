//! A real bot fails; the hub names the layer; a supervisor acts; the bot recovers.

use std::time::{Duration, Instant};

use holdfast_domain::{
    ActVerb, CallPhase, CommandState, Floor, HandoffState, HumanState, Layer, LayerState,
    RejectionKind, Reply, Request, Rung, SignalKind, UtteranceRole,
};
use serde_json::Value;

use crate::bot::Bot;
use crate::desk::{Desk, LIMIT};
use crate::scene::Scene;

pub(crate) const CALL: &str = "call-1";
pub(crate) const ASK: &str = "Where is my order 8841?";

/// The promise of the first delivery: from the failed request to the layer on the screen.
const NAMED: Duration = Duration::from_secs(1);

/// A bot in a call that has heard its greeting, seen on a desk.
fn calm() -> anyhow::Result<(Scene, Desk, Bot)> {
    calm_in(Scene::new()?)
}

pub(crate) fn calm_in(scene: Scene) -> anyhow::Result<(Scene, Desk, Bot)> {
    let desk = scene.desk()?;
    let bot = scene.bot(CALL)?;
    desk.until_row(CALL, "the greeting on the desk", LIMIT, |row| {
        (row.phase == CallPhase::Ai && row.agent_said.contains("How can I help")).then_some(())
    })?;
    bot.until("the greeting to end", |line| {
        line["bot"] == "agent_speaking" && line["on"] == false
    })?;
    Ok((scene, desk, bot))
}

pub(crate) fn asked(line: &Value, service: &str) -> bool {
    line["bot"] == "llm_request" && line["service"] == service
}

fn switch() -> ActVerb {
    ActVerb::SwitchModel {
        layer: Layer::Llm,
        to: None,
    }
}

#[test]
fn a_503_is_named_within_a_second_and_the_switch_is_proven_by_the_retried_turn() {
    let (_scene, desk, mut bot) = calm().unwrap();
    bot.fault("llm_503", true, "primary-llm").unwrap();
    bot.caller_says(ASK).unwrap();
    bot.until("the request that fails", |line| asked(line, "primary-llm"))
        .unwrap();
    let failed_at = Instant::now();

    let health = desk
        .until_row(CALL, "the failed layer", LIMIT, |row| {
            let llm = &row.layers[Layer::Llm];
            (llm.state == LayerState::Failed).then(|| llm.clone())
        })
        .unwrap();
    assert!(
        failed_at.elapsed() < NAMED,
        "named after {:?}",
        failed_at.elapsed()
    );
    let evidence = health.evidence.unwrap();
    assert_eq!(evidence.kind, SignalKind::ServiceError, "{evidence:?}");
    assert!(evidence.text.contains("503"), "{evidence:?}");
    assert!(!evidence.events.is_empty(), "{evidence:?}");
    assert_eq!(health.service, "primary-llm");

    // Pipecat does not fail over on 503: the caller waits, and the desk says so.
    desk.until_row(CALL, "the caller waiting", LIMIT, |row| {
        (matches!(row.floor, Floor::AgentOwes { .. }) && row.need.reason.contains("silent"))
            .then_some(())
    })
    .unwrap();
    assert_eq!(bot.count(|line| asked(line, "backup-llm")), 0);

    let command = desk.command("act-1", switch(), CALL).unwrap();
    let record = desk
        .until_command(&command, "proof of the switch", |record| {
            record.state().is_final().then(|| record.clone())
        })
        .unwrap();
    let states: Vec<_> = record.progress.iter().map(|step| &step.state).collect();
    let [
        CommandState::Requested,
        CommandState::Accepted,
        CommandState::Applied { read_back },
        CommandState::Proven { .. },
    ] = states[..]
    else {
        panic!("{states:#?}\n{}", bot.said());
    };
    assert_eq!(read_back.active.as_deref(), Some("backup-llm"));
    assert_eq!(read_back.retried_turn, Some(true));
    assert_eq!(record.expect_active.as_deref(), Some("primary-llm"));

    // It happened in the bot, once: the failed turn was answered by the other model.
    bot.until("an answer that is heard", |line| {
        line["bot"] == "agent_speaking" && line["on"] == true
    })
    .unwrap();
    assert_eq!(bot.count(|line| line["bot"] == "caller_said"), 1);
    desk.until_row(CALL, "the call well again", LIMIT, |row| {
        let llm = &row.layers[Layer::Llm];
        (row.rung == Rung::Backup
            && llm.state == LayerState::Healthy
            && llm.service == "backup-llm")
            .then_some(())
    })
    .unwrap();
    desk.until_detail(CALL, "the answer in the transcript", LIMIT, |detail| {
        let caller = detail.transcript.iter().position(|said| said.text == ASK)?;
        detail.transcript[caller..]
            .iter()
            .find(|said| said.role == UtteranceRole::Agent && said.is_final)
            .map(|_| ())
    })
    .unwrap();
}

#[test]
fn a_tool_that_fails_is_shown_in_the_tools_layer_and_not_in_the_models() {
    let (_scene, desk, mut bot) = calm().unwrap();
    bot.fault("tool_failure", true, "track_order").unwrap();
    bot.caller_says(ASK).unwrap();
    let (evidence, llm) = desk
        .until_row(CALL, "the failed tool", LIMIT, |row| {
            let tools = &row.layers[Layer::Tools];
            (tools.state == LayerState::Failed)
                .then(|| (tools.evidence.clone(), row.layers[Layer::Llm].state))
        })
        .unwrap();
    let evidence = evidence.unwrap();
    assert_eq!(evidence.kind, SignalKind::ToolFailure, "{evidence:?}");
    assert!(evidence.text.contains("track_order"), "{evidence:?}");
    assert_ne!(llm, LayerState::Failed);
}

#[test]
fn a_switch_to_an_unusable_service_ends_as_rejected_and_changes_nothing() {
    let (_scene, desk, mut bot) = calm().unwrap();
    bot.fault("llm_503", true, "primary-llm").unwrap();
    bot.fault("llm_401", true, "backup-llm").unwrap();
    bot.caller_says(ASK).unwrap();
    desk.until_row(CALL, "the failed layer", LIMIT, |row| {
        (row.layers[Layer::Llm].state == LayerState::Failed).then_some(())
    })
    .unwrap();
    let to_backup = ActVerb::SwitchModel {
        layer: Layer::Llm,
        to: Some("backup-llm".to_owned()),
    };
    let command = desk.command("act-1", to_backup, CALL).unwrap();
    let state = desk
        .until_command(&command, "the end of the switch", |record| {
            record.state().is_final().then(|| record.state().clone())
        })
        .unwrap();
    let CommandState::Rejected { kind, message } = state else {
        panic!("{state:?}\n{}", bot.said());
    };
    assert_eq!(kind, RejectionKind::TargetUnusable, "{message}");
    desk.until_row(CALL, "the former service in place", LIMIT, |row| {
        (row.layers[Layer::Llm].service == "primary-llm" && row.rung == Rung::Primary).then_some(())
    })
    .unwrap();
}

#[test]
fn tools_are_switched_off_and_on_and_the_ai_is_paused() {
    let (_scene, desk, _bot) = calm().unwrap();
    let all = || Vec::new();
    let proven = |id: &str, verb: ActVerb| {
        let command = desk.command(id, verb, CALL).unwrap();
        desk.until_command(&command, id, |record| match record.state() {
            CommandState::Proven { read_back } => Some(read_back.clone()),
            state if state.is_final() => panic!("{id}: {state:?}"),
            _ => None,
        })
        .unwrap()
    };
    let off = proven("off", ActVerb::DisableTools { tools: all() });
    assert_eq!(off.enabled.as_deref(), Some(&[][..]));
    assert!(!off.disabled.as_ref().unwrap().is_empty());
    desk.until_detail(CALL, "the tools off", LIMIT, |detail| {
        (detail.tools_enabled.is_empty() && !detail.tools_disabled.is_empty()).then_some(())
    })
    .unwrap();
    let on = proven("on", ActVerb::EnableTools { tools: all() });
    assert_eq!(on.disabled.as_deref(), Some(&[][..]));
    let paused = proven("pause", ActVerb::PauseAi);
    assert_eq!(paused.ai, Some(holdfast_domain::AiState::Paused));
    let resumed = proven("resume", ActVerb::ResumeAi);
    assert_eq!(resumed.ai, Some(holdfast_domain::AiState::Active));
    let said = proven(
        "say",
        ActVerb::Announce {
            text: "One moment please.".to_owned(),
        },
    );
    assert_eq!(said.spoken, Some(true));
}

#[test]
fn a_call_reaches_a_human_with_its_card() {
    let (_scene, desk, mut bot) = calm().unwrap();
    bot.caller_says(ASK).unwrap();
    desk.until_row(CALL, "the question", LIMIT, |row| {
        (row.caller_said == ASK).then_some(())
    })
    .unwrap();
    assert_eq!(
        desk.ask(Request::SetHumanState {
            state: HumanState::Free
        }),
        Reply::Done
    );
    let Reply::Acting { handoffs, .. } = desk.act("act-1", ActVerb::RouteToHumans, CALL) else {
        panic!("the act is under way");
    };
    let handoff = handoffs[0].clone();
    let offered = desk
        .until("the offer", LIMIT, |frame| {
            let handoffs = frame.handoffs.as_ref()?;
            handoffs
                .iter()
                .find(|h| h.id == handoff && matches!(h.state, HandoffState::Offered { .. }))
                .cloned()
        })
        .unwrap();
    assert!(
        offered.card.last_turns.iter().any(|said| said.text == ASK),
        "{:?}",
        offered.card
    );

    assert_eq!(
        desk.ask(Request::SeeHandoff {
            handoff: handoff.clone()
        }),
        Reply::Done
    );
    assert_eq!(
        desk.ask(Request::AcceptHandoff {
            handoff: handoff.clone()
        }),
        Reply::Done
    );
    desk.until("the human on the call", LIMIT, |frame| {
        let handoffs = frame.handoffs.as_ref()?;
        let handoff = handoffs.iter().find(|h| h.id == handoff)?;
        matches!(handoff.state, HandoffState::Confirmed { .. }).then_some(())
    })
    .unwrap();
    let bridged = bot
        .until("the platform to bridge", |line| {
            line["bot"] == "telephony" && line["step"] == "bridged"
        })
        .unwrap();
    assert_eq!(bridged["to"], "ana@example");
    desk.until_row(CALL, "the call with a human", LIMIT, |row| {
        (row.phase == CallPhase::Human && row.rung == Rung::Human).then_some(())
    })
    .unwrap();
}
