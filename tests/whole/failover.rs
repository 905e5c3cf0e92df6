//! The hub moves a real bot to its backup by itself, where Pipecat does nothing.
//!
//! Pipecat's own failover switches on rejected credentials and unknown models alone. On the four
//! faults below it leaves the caller in silence.

use anyhow::Context as _;
use holdfast_domain::{Command, CommandRecord, CommandState, Layer, LayerState, Rung, Timestamp};
use serde_json::Value;

use crate::desk::{Desk, LIMIT};
use crate::pipecat::{ASK, CALL, asked, calm_in};
use crate::scene::Scene;

/// From the failed request in the bot to the moment at which the bot accepted the order: below
/// 10 ms on a quiet machine. The limit is for one that does ten other things.
const ACCEPTED_MS: i64 = 3_000;

/// What the shipped playbook says to callers in English, as it changes the model.
const SORRY: &str = "I am changing to another system";

#[test]
fn a_503_is_failed_over_by_itself() {
    println!("{}", fails_over("llm_503", "503").unwrap());
}

#[test]
fn a_429_is_failed_over_by_itself() {
    println!("{}", fails_over("llm_429", "429").unwrap());
}

#[test]
fn a_timeout_is_failed_over_by_itself() {
    println!("{}", fails_over("llm_timeout", "timeout").unwrap());
}

#[test]
fn a_refused_connection_is_failed_over_by_itself() {
    println!("{}", fails_over("llm_refused", "refused").unwrap());
}

/// The story of one fault, and its times in milliseconds from t1, the failed request in the bot.
fn fails_over(fault: &str, error: &str) -> anyhow::Result<String> {
    let (_scene, desk, mut bot) = calm_in(Scene::armed()?)?;
    bot.fault(fault, true, "primary-llm")?;
    bot.caller_says(ASK)?;
    let failed = bot.until("the failed request", |line| line["bot"] == "llm_error")?;
    let said = failed["error"].as_str().unwrap_or_default();
    assert!(said.contains(error), "{failed}");

    let record = proven(&desk).with_context(|| bot.said())?;
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
    desk.until_row(CALL, "the call well again", LIMIT, |row| {
        let llm = &row.layers[Layer::Llm];
        (row.rung == Rung::Backup && llm.state == LayerState::Healthy).then_some(())
    })?;

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

    let failed_at = at(&failed)?;
    let since = |at: Timestamp| at.since(failed_at);
    let accepted = since(record.progress[1].at);
    assert!((0..ACCEPTED_MS).contains(&accepted), "{accepted} ms");
    Ok(format!(
        "{fault}: t2 detected and t3 decided {} ms, t4 accepted {accepted} ms, first sound {} ms, \
         switched and retried {} ms, t5 good audio {} ms",
        since(record.issued_at),
        since(at(&after[sounds])?),
        since(record.progress[2].at),
        since(record.progress[3].at),
    ))
}

/// The policy's order, once a good turn has proven it.
fn proven(desk: &Desk) -> anyhow::Result<CommandRecord> {
    desk.until("a policy's switch, proven", LIMIT, |frame| {
        let acts = frame.acts.as_ref()?;
        let mut orders = acts.iter().flat_map(|act| &act.commands);
        let order = orders.find(|order| order.actor == "policy model-vendor-down")?;
        order.state().is_final().then(|| order.clone())
    })
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

fn at(line: &Value) -> anyhow::Result<Timestamp> {
    let at = line["at"].as_i64().context("every line has its time")?;
    Ok(Timestamp::from_millis(at))
}
