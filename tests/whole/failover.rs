//! The hub moves a real bot to its backup by itself, where Pipecat does nothing.
//!
//! Pipecat's own failover switches on rejected credentials and unknown models alone. On the four
//! faults below it leaves the caller in silence.

use holdfast_domain::{Command, CommandRecord, CommandState, Layer, LayerState, Rung, Timestamp};
use serde_json::Value;

use crate::bot::Bot;
use crate::desk::{Desk, LIMIT};
use crate::pipecat::{ASK, CALL, asked, calm_in};
use crate::scene::Scene;

/// How long a caller may be left without a word by the hub's own part of it: from the failure in
/// the bot to the moment at which the bot has accepted the order. It is 20 to 40 ms on a quiet
/// machine; the limit is for one that is busy with other tests.
const ACCEPTED_MS: i64 = 1_000;

/// What the shipped playbook says to callers in English, as it changes the model.
const SORRY: &str = "I am changing to another system";

#[test]
fn a_503_is_failed_over_by_itself() {
    fails_over("llm_503", "503");
}

#[test]
fn a_429_is_failed_over_by_itself() {
    fails_over("llm_429", "429");
}

#[test]
fn a_timeout_is_failed_over_by_itself() {
    fails_over("llm_timeout", "timeout");
}

#[test]
fn a_refused_connection_is_failed_over_by_itself() {
    fails_over("llm_refused", "refused");
}

fn fails_over(fault: &str, error: &str) {
    let (_scene, desk, mut bot) = calm_in(Scene::armed().unwrap()).unwrap();
    bot.fault(fault, true, "primary-llm").unwrap();
    bot.caller_says(ASK).unwrap();
    let failed = bot
        .until("the failed request", |line| line["bot"] == "llm_error")
        .unwrap();
    assert!(
        failed["error"].as_str().unwrap().contains(error),
        "{failed}"
    );

    let record = proven(&desk, &bot);
    assert_eq!(record.expect_active.as_deref(), Some("primary-llm"));
    let Command::SwitchModel {
        layer: Layer::Llm,
        to,
        retry_turn: true,
        announcement: Some(announcement),
    } = &record.command
    else {
        panic!("{:?}", record.command);
    };
    assert_eq!(to, "backup-llm");
    assert!(announcement.contains(SORRY), "{announcement}");
    let [
        CommandState::Requested,
        CommandState::Accepted,
        CommandState::Applied { read_back },
        CommandState::Proven { .. },
    ] = &record
        .progress
        .iter()
        .map(|step| step.state.clone())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{:#?}\n{}", record.progress, bot.said());
    };
    assert_eq!(read_back.active.as_deref(), Some("backup-llm"));
    assert_eq!(read_back.retried_turn, Some(true));
    let evidence = desk.until_row(CALL, "the call well again", LIMIT, |row| {
        let llm = &row.layers[Layer::Llm];
        (row.rung == Rung::Backup && llm.state == LayerState::Healthy).then_some(())
    });
    evidence.unwrap();

    // What happened in the bot: the caller said it once, heard first that the system changes, and
    // then the answer of the other model.
    let journal = bot.journal();
    let since = place(&journal, |line| line["bot"] == "llm_error");
    let after = &journal[since..];
    assert_eq!(bot.count(|line| line["bot"] == "caller_said"), 1);
    let sorry = place(after, |line| is_said(line, announcement));
    let retried = place(after, |line| asked(line, "backup-llm"));
    let first_said = place(after, |line| line["bot"] == "tts_request");
    assert_eq!(sorry, first_said, "{after:#?}");
    assert!(sorry < retried, "{after:#?}");
    let sounds = place(after, |line| {
        line["bot"] == "agent_speaking" && line["on"] == true
    });
    assert!(sorry < sounds, "{after:#?}");

    let failed_at = at(&failed);
    let since = |at: Timestamp| at.since(failed_at);
    let accepted = since(record.progress[1].at);
    // In milliseconds from t1, the failed request in the bot.
    println!(
        "{fault}: t2 detected and t3 decided {} ms, t4 accepted {accepted} ms, first sound {} ms, \
         switched and retried {} ms, t5 good audio {} ms",
        since(record.issued_at),
        since(at(&after[sounds])),
        since(record.progress[2].at),
        since(record.progress[3].at),
    );
    assert!((0..ACCEPTED_MS).contains(&accepted), "{accepted} ms");
}

/// The policy's order, once a good turn has proven it.
fn proven(desk: &Desk, bot: &Bot) -> CommandRecord {
    desk.until("a policy's switch, proven", LIMIT, |frame| {
        let acts = frame.acts.as_ref()?;
        let mut orders = acts.iter().flat_map(|act| &act.commands);
        let order = orders.find(|order| order.actor == "policy model-vendor-down")?;
        order.state().is_final().then(|| order.clone())
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", bot.said()))
}

fn place(journal: &[Value], fits: impl Fn(&Value) -> bool) -> usize {
    let found = journal.iter().position(fits);
    found.unwrap_or_else(|| panic!("it is not in {journal:#?}"))
}

/// The voice is asked for the text or its beginning: long ones go to it by the sentence.
fn is_said(line: &Value, text: &str) -> bool {
    let said = line["text"].as_str().unwrap_or_default().trim();
    line["bot"] == "tts_request" && !said.is_empty() && text.starts_with(said)
}

fn at(line: &Value) -> Timestamp {
    Timestamp::from_millis(line["at"].as_i64().expect("every line has its time"))
}
