//! Runs, the red lever and the playbooks: which are shown, in which order, and for how long.

use holdfast_domain::playbook::{Approval, ProtectedCalls, Selector, SelectorScope};
use holdfast_domain::{
    CallPhase, CauseReach, CheckResult, HumanCapacity, Layer, Lever, PlaybookId, PlaybookStatus,
    Reversibility, Run, RunId, RunPreview, RunReview, RunState, RunTally,
};

use super::*;

const HOUR_MS: i64 = 3_600_000;

fn run(n: i64, state: RunState) -> Run {
    let id = RunId::new(format!("run-{n}"));
    Run {
        preview: RunPreview {
            run: id.clone(),
            fingerprint: "f".to_owned(),
            calls: Vec::new(),
            n_calls: 0,
            by_rung: Vec::new(),
            failing: 0,
            protected: 0,
            becomes: Vec::new(),
            excluded: Vec::new(),
            excluded_by: Vec::new(),
            stages: Vec::new(),
            humans: HumanCapacity::default(),
            reversibility: Reversibility::Full,
            announcements: Vec::new(),
            checks: Vec::<CheckResult>::new(),
            would_fire: true,
            approval: Approval::Confirm,
            sentence: String::new(),
        },
        id,
        playbook: PlaybookId::new("switch"),
        version: 1,
        title: "Switch".to_owned(),
        cause: None,
        requested_by: "sam".to_owned(),
        requested_at: at(AHEAD_MS + n),
        updated_at: at(AHEAD_MS + n),
        state,
        started_at: None,
        ends_at: None,
        approvals: Vec::new(),
        break_glass: None,
        review: None,
        stages: Vec::new(),
        tally: RunTally::default(),
        comparison: Vec::new(),
        differences_total: 0,
        differences: Vec::new(),
        calls: Vec::new(),
        callbacks: 0,
        messages: Vec::new(),
        timeline: Vec::new(),
    }
}

fn told(run: Run) -> HubToConsole {
    HubToConsole::Record {
        seq: 2,
        record: Record::Run { run: Box::new(run) },
    }
}

fn shown(frame: &Frame) -> Vec<String> {
    let section = frame.runs.as_ref().expect("the section is sent");
    section.runs.iter().map(|run| run.id.to_string()).collect()
}

#[test]
fn runs_under_way_come_first_then_the_newest() {
    let mut replica = live(vec![call(1)]);
    replica.apply(told(run(1, RunState::Running { stage: 0 })), at(0));
    replica.apply(told(run(2, RunState::Completed)), at(0));
    replica.apply(told(run(3, RunState::Completed)), at(0));
    let frame = replica.frame(&look(0), at(0));
    assert_eq!(shown(&frame), ["run-1", "run-3", "run-2"]);
    assert_eq!(frame.runs.as_ref().unwrap().total, 3);
    let ack = frame.version;
    assert_eq!(replica.frame(&look(ack), at(0)).runs, None, "nothing new");
    replica.apply(told(run(1, RunState::Completed)), at(0));
    assert_eq!(shown(&replica.frame(&look(ack), at(0)))[0], "run-3");
}

#[test]
fn runs_that_are_not_shown_are_counted() {
    let mut replica = live(vec![call(1)]);
    for n in 0..25 {
        replica.apply(told(run(n, RunState::Completed)), at(0));
    }
    let section = replica.frame(&look(0), at(0)).runs.unwrap();
    assert_eq!((section.runs.len(), section.total), (20, 25));
}

#[test]
fn a_run_that_is_over_leaves_after_an_hour_unless_its_review_is_owed() {
    let mut replica = live(vec![call(1)]);
    replica.apply(told(run(1, RunState::Completed)), at(0));
    let review = RunReview {
        due_at: at(AHEAD_MS),
        by: None,
        note: String::new(),
    };
    let owed = Run {
        review: Some(review),
        ..run(2, RunState::Completed)
    };
    replica.apply(told(owed), at(0));
    replica.apply(beat(HOUR_MS - 1_000), at(HOUR_MS - 1_000));
    assert_eq!(shown(&replica.frame(&look(0), at(0))).len(), 2);
    replica.apply(beat(HOUR_MS + 1_000), at(HOUR_MS + 1_000));
    assert_eq!(shown(&replica.frame(&look(0), at(0))), ["run-2"]);
}

#[test]
fn the_lever_is_told_and_a_snapshot_replaces_what_was_known() {
    let mut replica = live(vec![call(1)]);
    let lever = Lever {
        on: true,
        by: "eve".to_owned(),
        reason: String::new(),
        at: at(AHEAD_MS),
    };
    let pulled = Record::Lever { lever };
    let record = pulled.clone();
    replica.apply(HubToConsole::Record { seq: 2, record }, at(0));
    replica.apply(told(run(1, RunState::Completed)), at(0));
    let on = |replica: &mut Replica| {
        let frame = replica.frame(&look(0), at(0));
        frame.runs.expect("the section is sent").lever.on
    };
    assert!(on(&mut replica));
    replica.apply(snapshot(3, vec![call(1)], vec![pulled]), at(0));
    assert!(on(&mut replica), "it is part of the snapshot");
    assert_eq!(shown(&replica.frame(&look(0), at(0))), Vec::<String>::new());
    replica.apply(snapshot(4, vec![call(1)], Vec::new()), at(0));
    assert!(!on(&mut replica));
}

#[test]
fn playbooks_are_sent_when_they_changed() {
    let status = |would_fire| PlaybookStatus {
        id: PlaybookId::new("switch"),
        version: 1,
        title: "Switch".to_owned(),
        purpose: "p".to_owned(),
        owner: "Platform team".to_owned(),
        layer: Layer::Llm,
        approval: Approval::Confirm,
        selector: Selector {
            scope: SelectorScope::All,
            reach: CauseReach::Exposed,
            phases: vec![CallPhase::Ai],
            rungs: Vec::new(),
            protected: ProtectedCalls::Last,
        },
        steps: Vec::new(),
        stages: Vec::new(),
        abort: Vec::new(),
        languages: vec!["en".to_owned()],
        ttl_s: 900,
        needs_cause: false,
        causes: Vec::new(),
        n_calls: 3,
        checks: Vec::new(),
        would_fire,
        reversibility: Reversibility::Full,
        armed: false,
    };
    let mut replica = live(vec![call(1)]);
    let tell = |replica: &mut Replica, would_fire| {
        let playbooks = vec![status(would_fire)];
        replica.apply(HubToConsole::Playbooks { playbooks }, at(0));
    };
    tell(&mut replica, false);
    let frame = replica.frame(&look(0), at(0));
    assert_eq!(frame.playbooks.as_ref().map(Vec::len), Some(1));
    let ack = frame.version;
    tell(&mut replica, false);
    assert_eq!(
        replica.frame(&look(ack), at(0)).playbooks,
        None,
        "the same again"
    );
    tell(&mut replica, true);
    let playbooks = replica.frame(&look(ack), at(0)).playbooks;
    assert!(playbooks.expect("it changed")[0].would_fire);
}
