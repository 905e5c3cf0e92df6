//! Links are cut in the middle of events and of a command: nothing is lost, nothing happens twice.

use std::time::{Duration, Instant};

use holdfast_domain::{
    ActVerb, CommandState, FeedState, HumanState, Layer, LayerState, RefusalCode, Reply, Request,
    UtteranceRole,
};
use holdfast_protocol::window::Connection;

use crate::desk::{LIMIT, row};
use crate::scene::Scene;

const CALL: &str = "call-1";

/// The promise to the supervisor: a view that is older than this says so.
const STALE: Duration = Duration::from_secs(2);

const LINES: [&str; 3] = [
    "Where is my order 8841?",
    "Is anybody there?",
    "Thank you for that.",
];

#[test]
fn events_that_were_cut_off_arrive_once_and_in_order() {
    let scene = Scene::new().unwrap();
    let desk = scene.desk().unwrap();
    let cable = scene.cable().unwrap();
    let mut bot = scene.bot_behind(&cable, CALL).unwrap();
    desk.until_row(CALL, "the greeting", LIMIT, |row| {
        (!row.agent_said.is_empty()).then_some(())
    })
    .unwrap();
    for line in LINES {
        // Somewhere in the middle of the events of this turn, in the middle of a frame.
        cable.cut_after(700);
        bot.caller_says(line).unwrap();
        bot.until("the caller to finish", |said| {
            said["bot"] == "caller_said" && said["text"] == line
        })
        .unwrap();
        bot.until("the break", |_| cable.is_cut()).unwrap();
        cable.mend();
        desk.until_row(CALL, "the line that was cut off", LIMIT, |row| {
            (row.caller_said == line).then_some(())
        })
        .unwrap();
    }
    desk.until("the feed to be live again", LIMIT, |frame| {
        let bridges = &frame.platform.as_ref()?.bridges;
        bridges
            .iter()
            .all(|bridge| bridge.state == FeedState::Live)
            .then_some(())
    })
    .unwrap();
    let heard: Vec<String> = desk
        .until_detail(CALL, "the transcript", LIMIT, |detail| {
            Some(
                detail
                    .transcript
                    .iter()
                    .filter(|said| said.role == UtteranceRole::Caller && said.is_final)
                    .map(|said| said.text.clone())
                    .collect(),
            )
        })
        .unwrap();
    assert_eq!(heard, LINES, "{}", bot.said());
    let frame = desk.frame(None).unwrap();
    let anomalies: Vec<_> = frame
        .platform
        .unwrap()
        .bridges
        .into_iter()
        .flat_map(|bridge| bridge.anomalies)
        .collect();
    assert!(
        anomalies.iter().all(|anomaly| {
            // What was sent twice is counted as such; nothing else may have gone wrong.
            anomaly.kind == holdfast_domain::AnomalyKind::DuplicateSequence
        }),
        "{anomalies:?}\n{}",
        bot.said()
    );
}

#[test]
fn a_command_that_was_cut_off_is_applied_once() {
    let scene = Scene::new().unwrap();
    let desk = scene.desk().unwrap();
    let cable = scene.cable().unwrap();
    let mut bot = scene.bot_behind(&cable, CALL).unwrap();
    desk.until_row(CALL, "the greeting", LIMIT, |row| {
        (!row.agent_said.is_empty()).then_some(())
    })
    .unwrap();
    bot.fault("llm_503", true, "primary-llm").unwrap();
    bot.caller_says(LINES[0]).unwrap();
    desk.until_row(CALL, "the failed layer", LIMIT, |row| {
        (row.layers[Layer::Llm].state == LayerState::Failed).then_some(())
    })
    .unwrap();

    // The command arrives; its answer does not: the cable breaks with the first byte back.
    cable.cut_after(0);
    let switch = ActVerb::SwitchModel {
        layer: Layer::Llm,
        to: None,
    };
    let command = desk.command("act-1", switch, CALL).unwrap();
    bot.until("the switch in the bot", |line| {
        line["bot"] == "llm_request" && line["service"] == "backup-llm"
    })
    .unwrap();
    bot.until("the break", |_| cable.is_cut()).unwrap();
    cable.mend();

    let state = desk
        .until_command(&command, "the end of the command", |record| {
            record.state().is_final().then(|| record.state().clone())
        })
        .unwrap();
    assert!(
        matches!(state, CommandState::Proven { .. }),
        "{state:?}\n{}",
        bot.said()
    );
    let asked =
        |line: &serde_json::Value| line["bot"] == "llm_request" && line["service"] == "backup-llm";
    // One request that calls the tool, one with its result: the turn was retried once.
    let tool_calls = bot.count(|line| line["bot"] == "tool_call");
    assert!(tool_calls <= 1, "{}", bot.said());
    assert_eq!(bot.count(asked), 1 + tool_calls, "{}", bot.said());
}

#[test]
fn a_desk_that_is_cut_off_says_so_within_two_seconds_and_misses_nothing() {
    let scene = Scene::new().unwrap();
    let cable = scene.cable().unwrap();
    let blind = scene.desk_behind(&cable).unwrap();
    let other = scene.desk().unwrap();
    let _bot = scene.bot(CALL).unwrap();
    blind
        .until("actions to be on", LIMIT, |frame| {
            (row(frame, CALL).is_some() && frame.status.actions_off.is_none()).then_some(())
        })
        .unwrap();

    cable.cut();
    let cut_at = Instant::now();
    let age = blind
        .until("the desk to say stale", LIMIT, |frame| {
            frame.status.stale.then_some(frame.status.fresh_ms)
        })
        .unwrap();
    assert!(
        cut_at.elapsed() < STALE,
        "said so after {:?}",
        cut_at.elapsed()
    );
    assert!(age.is_some(), "a stale desk says how old its view is");
    let frame = blind.frame(None).unwrap();
    assert!(frame.status.actions_off.is_some());
    assert!(
        matches!(frame.status.connection, Connection::Reconnecting { .. }),
        "{frame:?}"
    );
    assert!(row(&frame, CALL).is_some(), "the last view stays readable");
    let reply = blind.act("blind-act", ActVerb::PauseAi, CALL);
    let Reply::Refused { refusal } = reply else {
        panic!("{reply:?}")
    };
    assert!(
        matches!(refusal.code, RefusalCode::Stale | RefusalCode::Unreachable),
        "{refusal:?}"
    );

    // Meanwhile others act.
    assert_eq!(
        other.ask(Request::SetHumanState {
            state: HumanState::Away
        }),
        Reply::Done
    );
    let command = other.command("seen-act", ActVerb::PauseAi, CALL).unwrap();
    other
        .until_command(&command, "the other desk's act", |record| {
            record.state().is_final().then_some(())
        })
        .unwrap();

    cable.mend();
    let state = blind
        .until_command(&command, "the act that was missed", |record| {
            Some(record.state().clone())
        })
        .unwrap();
    assert!(matches!(state, CommandState::Proven { .. }), "{state:?}");
    blind
        .until("actions to be on again", LIMIT, |frame| {
            (!frame.status.stale && frame.status.actions_off.is_none()).then_some(())
        })
        .unwrap();
    let acts = blind.frame(None).unwrap().acts.unwrap();
    assert!(
        acts.iter().all(|act| act.id.as_str() != "blind-act"),
        "it was never asked: {acts:?}"
    );
}

#[test]
fn a_hub_that_is_killed_comes_back_with_everything() {
    let mut scene = Scene::new().unwrap();
    let mut bot = scene.bot(CALL).unwrap();
    let desk = scene.desk().unwrap();
    bot.caller_says(LINES[0]).unwrap();
    desk.until_row(CALL, "the question", LIMIT, |row| {
        (row.caller_said == LINES[0]).then_some(())
    })
    .unwrap();
    let command = desk.command("act-1", ActVerb::PauseAi, CALL).unwrap();
    desk.until_command(&command, "the pause", |record| {
        record.state().is_final().then_some(())
    })
    .unwrap();

    scene.kill_hub().unwrap();
    bot.caller_says(LINES[1]).unwrap();
    bot.until("the caller to finish", |said| said["text"] == LINES[1])
        .unwrap();
    scene.restart_hub().unwrap();

    desk.until_row(CALL, "what was said while the hub was away", LIMIT, |row| {
        (row.caller_said == LINES[1]).then_some(())
    })
    .unwrap();
    let state = desk
        .until_command(&command, "the command from before", |record| {
            Some(record.state().clone())
        })
        .unwrap();
    assert!(matches!(state, CommandState::Proven { .. }), "{state:?}");
}
