//! A run of a playbook with two people: one in the window, the other at a console of their own.

use std::fs;
use std::time::Duration;

use holdfast_domain::{
    PlaybookId, RefusalCode, Reply, Request, RunCallState, RunId, RunRefusal, RunStageState,
    RunState, RunStop,
};
use holdfast_tests::place;
use holdfast_tests::window::key;
use serde_json::json;

use crate::sight::{LIMIT, ask, click, go, id, read, start_fault};
use crate::team::Team;

/// A run over some dozen calls waits for a turn of each: callers speak every ten to twenty seconds.
const RUN: Duration = Duration::from_mins(4);

/// The playbook that ships, without waiting where a real floor waits, and not done by the hub alone.
fn model_vendor_down() -> String {
    let file = place::root().join("playbooks/model-vendor-down.toml");
    let text = fs::read_to_string(file).unwrap();
    let (by_people, _armed) = text.split_once("# The hub does this by itself").unwrap();
    // Only the armed part says this sentence, and a sentence that nobody says is a fault.
    let (start, rest) = by_people.split_once("[announcements.human]").unwrap();
    let (_, messages) = rest.split_once("[messages]").unwrap();
    let mut quick = format!("{start}[messages]{messages}");
    for hold in ["hold_s = 5", "hold_s = 15", "hold_s = 20", "hold_s = 30"] {
        assert!(quick.contains(hold), "the file that ships has changed");
        quick = quick.replace(&format!("{hold}\n"), "hold_s = 1\n");
    }
    // Callers whom the fault annoyed hang up, and some dozen calls are too few to tell why.
    let abrupt = "[[abort]]\nwhen = \"ended_abruptly\"\npercent_over = 5\ncalls_min = 20\n";
    assert!(quick.contains(abrupt), "the file that ships has changed");
    let quick = quick.replace(abrupt, "");
    // Whatever the calls of the fault have in common, this answers it.
    let named = r#"dimensions = ["provider", "model"]"#;
    assert!(quick.contains(named), "the file that ships has changed");
    quick.replace(named, "dimensions = []")
}

/// A playbook whose first stage lasts until somebody stops it.
fn everybody_hears() -> String {
    let file = place::root().join("playbooks/model-vendor-down.toml");
    let text = fs::read_to_string(file).unwrap();
    let (_, spoken) = text.split_once("[announcements.switch]").unwrap();
    let (spoken, rest) = spoken.split_once("[announcements.back]").unwrap();
    let (_, messages) = rest.split_once("[messages]").unwrap();
    let (messages, _) = messages
        .split_once("# The hub does this by itself")
        .unwrap();
    format!(
        r#"
id = "everybody-hears"
version = 1
title = "Everybody hears"
purpose = "Callers hear a sentence."
owner = "Platform team"
layer = "llm"
ttl_s = 3600
languages = ["en", "es", "de", "fr", "pt"]
preconditions = []

[selector]
scope = {{ by = "all" }}
reach = "exposed"
phases = ["ai"]
protected = "exclude"

[approval]
class = "two_person"
expires_s = 300

[[steps]]
id = "say"
action = {{ type = "announce", announcement = "switch" }}

[[stages]]
reach = "one_call"
hold_s = 600
verify = {{ probe = "read_back", percent_min = 100, within_s = 900 }}

[[stages]]
reach = "all"
hold_s = 0
verify = {{ probe = "read_back", percent_min = 100, within_s = 900 }}

[[abort]]
when = "outcomes_unknown"
calls_over = 20

[rollback]
undo = []

[announcements.switch]
{spoken}
[messages]
{messages}
"#
    )
}

#[test]
fn a_run_is_previewed_approved_at_a_second_console_and_proven_in_stages() {
    let team = Team::new(&[("down.toml", model_vendor_down())], 80).unwrap();
    let window = team.window().unwrap();
    let eve = team.eve().unwrap();
    start_fault(&window, "llm_503", "Vendor A", "eu-west");

    // From the cause to the playbooks that answer it, and to the preview of one.
    go(&window, "now");
    let cause = "[data-testid=cause][data-layer=llm] [data-testid=cause-run][aria-disabled=false]";
    click(&window, cause);
    click(&window, "[role=option][data-playbook=model-vendor-down]");
    let ready = "[role=option][data-playbook=model-vendor-down][data-ready=true]";
    window.find(ready, LIMIT).unwrap();
    click(&window, "[data-testid=preview-run][aria-disabled=false]");
    let sentence = read(&window, &id("preview-sentence"));
    assert!(sentence.starts_with("Touches "), "{sentence}");
    let facts = read(&window, &id("preview-facts"));
    assert!(
        facts.contains("Humans") && facts.contains("Callers hear"),
        "{facts}"
    );
    assert!(
        eve.until("nothing of a preview at another console", LIMIT, |frame| {
            frame.runs.as_ref().map(|section| section.runs.is_empty())
        })
        .unwrap()
    );

    // Asked for in the window; nobody alone can approve it, not even at another console.
    click(&window, "[data-testid=start-run][aria-disabled=false]");
    window
        .find(
            "[data-testid=run-detail][data-state=awaitingApproval]",
            LIMIT,
        )
        .unwrap();
    window
        .find("[data-testid=approve-run][aria-disabled=true]", LIMIT)
        .unwrap();
    let is_asked =
        |run: &holdfast_domain::Run| matches!(run.state, RunState::AwaitingApproval { .. });
    let asked = eve
        .until_run("the request at eve's console", LIMIT, is_asked)
        .unwrap();
    assert_eq!(asked.requested_by, "sam");
    let approve = || Request::ApproveRun {
        run: asked.id.clone(),
        fingerprint: asked.preview.fingerprint.clone(),
    };
    let Reply::Refused { refusal } = team.sam().unwrap().ask(approve()) else {
        panic!("one person at two consoles approved their own request");
    };
    assert_eq!(refusal.code, RefusalCode::Forbidden);
    assert_eq!(refusal.run, Some(RunRefusal::SameIdentity));
    let refused = "[data-testid=run-timeline] [data-kind=refused]";
    window.find(refused, LIMIT).unwrap();

    assert_eq!(eve.ask(approve()), Reply::Done);

    // Stage after stage, and each proven, in the window.
    for stage in 0..4 {
        let proven = format!("[data-testid=run-stages] [data-stage='{stage}'][data-state=proven]");
        window.find(&proven, RUN).unwrap();
    }
    window
        .find("[data-testid=run-detail][data-state=completed]", RUN)
        .unwrap();
    window
        .find("[data-testid=run-calls] [data-call-state=proven]", LIMIT)
        .unwrap();

    // The other console tells the same, and what was previewed is what was done.
    let over = |run: &holdfast_domain::Run| run.state == RunState::Completed;
    let run = eve.until_run("the end of the run", LIMIT, over).unwrap();
    assert!(
        run.stages
            .iter()
            .all(|stage| stage.state == RunStageState::Proven)
    );
    assert!(run.tally.proven > 0, "{:?}", run.tally);
    assert_eq!(run.tally.n_calls, asked.preview.n_calls);
    let proven = run
        .calls
        .iter()
        .find(|call| call.state == RunCallState::Proven);
    let proven = proven.unwrap();
    let shown = format!("[data-testid=run-calls] [data-call='{}']", proven.call);
    assert!(
        !window.all(&shown).unwrap().is_empty() || run.calls.len() > 20,
        "a call that is proven is not in the window"
    );
}

#[test]
fn a_request_of_another_arrives_in_the_window_and_the_lever_stops_what_was_approved() {
    let team = Team::new(&[("hears.toml", everybody_hears())], 30).unwrap();
    let window = team.window().unwrap();
    let eve = team.eve().unwrap();
    // Somebody works on the board: what arrives must not take them away from it.
    window.press([key::DOWN]).unwrap();
    let focused = "return document.activeElement.dataset.focus ?? null;";
    assert_eq!(ask(&window, focused, &[]), json!("list"));

    let run = RunId::new("run-of-eve");
    let asked = eve.ask(Request::PreviewRun {
        run: run.clone(),
        playbook: PlaybookId::new("everybody-hears"),
        cause: None,
    });
    let Reply::RunPreview { preview } = asked else {
        panic!("no preview: {asked:?}");
    };
    let started = eve.ask(Request::StartRun {
        run,
        fingerprint: preview.fingerprint.clone(),
        reason: None,
    });
    assert_eq!(started, Reply::Done);

    window.find(&id("runs-bar"), LIMIT).unwrap();
    let bar = "return document.querySelector('[data-testid=runs-bar]').innerText;";
    let said = ask(&window, bar, &[]);
    let said = said.as_str().unwrap();
    assert!(
        said.contains("eve asks") && said.contains("expires in"),
        "{said}"
    );
    assert_eq!(ask(&window, focused, &[]), json!("list"), "the focus stays");
    window.press(['v']).unwrap();
    window
        .find(
            "[data-testid=run-detail][data-state=awaitingApproval]",
            LIMIT,
        )
        .unwrap();
    // What changed since the preview comes from the hub before the yes is given.
    window
        .find("[data-testid=run-changes][data-changes]", LIMIT)
        .unwrap();
    window.press(['a']).unwrap();
    let acting = "[data-testid=run-stages] [data-stage='0']:not([data-state=pending])";
    window.find(acting, LIMIT).unwrap();
    let run = eve
        .until_run("the run under way", LIMIT, |run| run.state.is_acting())
        .unwrap();
    assert_eq!(run.approvals.len(), 1);
    assert_eq!(run.approvals[0].by, "sam");

    // The lever, by keys: it asks first, and everybody sees it.
    window.chord([key::CONTROL, 'l']).unwrap();
    let panel = read(&window, &id("lever-panel"));
    assert!(panel.contains("1 run under way"), "{panel}");
    let on = |section: &holdfast_protocol::window::RunsSection| section.lever.on;
    let is_on = eve.until("a lever", LIMIT, |frame| frame.runs.as_ref().map(on));
    assert!(!is_on.unwrap(), "asking pulls nothing");
    window.press("enough\u{E007}".chars()).unwrap();
    window.find(&id("lever-bar"), LIMIT).unwrap();
    window
        .find("[data-testid=run-detail][data-state=stopped]", LIMIT)
        .unwrap();
    let stopped = eve
        .until_run("the stop", LIMIT, |run| run.state.is_final())
        .unwrap();
    let by = "sam".to_owned();
    let why = RunStop::Lever { by };
    assert_eq!(stopped.state, RunState::Stopped { why });
    let lever = eve.until("the lever", LIMIT, |frame| {
        let section = frame.runs.as_ref()?;
        section.lever.on.then(|| section.lever.clone())
    });
    assert_eq!(lever.unwrap().reason, "enough");
}
