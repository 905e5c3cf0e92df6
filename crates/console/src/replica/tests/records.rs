//! Acts and handoffs.

use super::*;

pub(super) fn command(act: u32, n: u32, state: CommandState) -> CommandRecord {
    let issued_at = at(i64::from(act) * 10);
    CommandRecord {
        id: CommandId::new(format!("c-{n:05}")),
        act: ActId::new(format!("a-{act:03}")),
        call: Some(id(n)),
        source: SourceId::new("//bridges/test/1"),
        command: Command::SwitchModel {
            layer: Layer::Llm,
            to: "backup-llm".to_owned(),
            retry_turn: true,
            announcement: None,
        },
        expect_active: None,
        actor: "ana".to_owned(),
        issued_at,
        expires_at: issued_at + 10_000,
        progress: vec![Progress {
            state,
            at: issued_at + i64::from(n),
        }],
    }
}

fn record(command: CommandRecord) -> HubToConsole {
    HubToConsole::Record {
        seq: 2,
        record: Record::Command {
            command: Box::new(command),
        },
    }
}

fn handoff(n: u32, state: HandoffState) -> Handoff {
    Handoff {
        id: HandoffId::new(format!("h-{n:03}")),
        call: id(n),
        reason: HandoffReason::Supervisor,
        requested_by: "ana".to_owned(),
        requested_at: at(i64::from(n)),
        state,
        transfer: None,
        refused_by: Vec::new(),
        steps: Vec::new(),
        card: card(),
    }
}

fn offered(agent: &str) -> HandoffState {
    HandoffState::Offered {
        agent: AgentId::new(agent),
        expires_at: at(20_000),
    }
}

fn failed() -> HandoffState {
    HandoffState::Failed {
        kind: holdfast_domain::HandoffFailure::CallerLeft,
        message: "the caller hung up".to_owned(),
    }
}

fn apply_handoff(replica: &mut Replica, handoff: Handoff) {
    let record = Record::Handoff {
        handoff: Box::new(handoff),
    };
    replica.apply(HubToConsole::Record { seq: 2, record }, at(0));
}

#[test]
fn an_act_counts_its_commands_and_shows_failures_first() {
    let mut replica = live(Vec::new());
    for n in 0..5 {
        replica.apply(record(command(1, n, CommandState::Requested)), at(0));
    }
    replica.apply(record(command(1, 0, CommandState::Accepted)), at(0));
    for (n, to) in [(1, 1), (2, 2), (3, 3), (4, 4)] {
        replica.apply(record(command(1, n, state(to))), at(0));
    }
    let acts = replica.frame(&look(0), at(0)).acts.unwrap();
    let [act] = acts.as_slice() else {
        panic!("one act: {acts:?}")
    };
    assert_eq!(
        (act.actor.as_str(), act.title.as_str()),
        ("ana", "Switch llm to backup-llm")
    );
    assert_eq!((act.total, act.under_way, act.applied), (5, 1, 1));
    assert_eq!((act.proven, act.failed, act.unknown), (1, 1, 1));
    let order: Vec<&str> = act.commands.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(
        order,
        ["c-00004", "c-00003", "c-00002", "c-00001", "c-00000"]
    );
}

#[test]
fn acts_are_limited_newest_first_and_so_are_their_commands() {
    let mut replica = live(Vec::new());
    for act in 0..30 {
        replica.apply(record(command(act, act, CommandState::Requested)), at(0));
    }
    for n in 1_000..1_300 {
        replica.apply(record(command(40, n, state(2))), at(0));
    }
    replica.apply(record(command(40, 999, state(4))), at(0));
    let acts = replica.frame(&look(0), at(0)).acts.unwrap();
    assert_eq!(acts.len(), 20);
    assert_eq!(
        (acts[0].id.as_str(), acts[1].id.as_str()),
        ("a-040", "a-029")
    );
    assert_eq!((acts[0].total, acts[0].commands.len()), (301, 200));
    assert_eq!(acts[0].commands[0].id.as_str(), "c-00999");
    assert_eq!(acts[0].commands[1].id.as_str(), "c-01299");
}

#[test]
fn a_flood_of_records_reaches_the_window_ten_times_a_second_and_whole() {
    let mut replica = live(Vec::new());
    let mut ack = replica.frame(&look(0), at(0)).version;
    let (mut told, mut last) = (0, Vec::new());
    for ms in 1..=1_000 {
        replica.apply(
            record(command(1, ms, CommandState::Requested)),
            at(i64::from(ms)),
        );
        let frame = replica.frame(&look(ack), at(i64::from(ms)));
        ack = frame.version;
        if let Some(acts) = frame.acts {
            told += 1;
            last = acts;
        }
    }
    assert!((9..=11).contains(&told), "{told}");
    let frame = replica.frame(&look(ack), at(1_200));
    let end = frame.acts.unwrap_or(last);
    assert_eq!(end[0].total, 1_000, "the last change is told too");
}

#[test]
fn titles_are_in_words() {
    let check = |commands: &[Command], title: &str| {
        let mut replica = live(Vec::new());
        for (n, command_) in commands.iter().enumerate() {
            let mut record_ = command(1, n as u32, CommandState::Requested);
            record_.command = command_.clone();
            replica.apply(record(record_), at(0));
        }
        assert_eq!(replica.frame(&look(0), at(0)).acts.unwrap()[0].title, title);
    };
    let switch = |to: &str| Command::SwitchModel {
        layer: Layer::Tts,
        to: to.to_owned(),
        retry_turn: true,
        announcement: None,
    };
    let say = |text: &str, language: &str| Command::Announce {
        text: text.to_owned(),
        language: language.to_owned(),
    };
    let transfer = |to: &str| Command::Transfer {
        handoff_id: HandoffId::new("h-1"),
        to: to.to_owned(),
        announcement: None,
        key: "k".to_owned(),
    };
    let tools = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    check(&[switch("b"), switch("b")], "Switch tts to b");
    check(
        &[switch("b"), switch("c")],
        "Switch each call to its next service",
    );
    check(&[Command::PauseAi], "Pause the AI");
    check(&[Command::ResumeAi], "Let the AI speak again");
    check(&[Command::RetryTurn], "Try the failed turn again");
    check(
        &[Command::DisableTools { tools: tools(&[]) }],
        "Disable all tools",
    );
    check(
        &[Command::EnableTools {
            tools: tools(&["a"]),
        }],
        "Enable the tool a",
    );
    check(
        &[Command::DisableTools {
            tools: tools(&["a", "b"]),
        }],
        "Disable the tools a, b",
    );
    check(
        &[say("One moment.", "en"), switch("b")],
        "Switch tts to b; Say “One moment.”",
    );
    check(
        &[say("One moment.", "en"), say("Un momento.", "es")],
        "Say a sentence in each caller's language",
    );
    check(
        &[say(&"x".repeat(61), "en")],
        &format!("Say “{}…”", "x".repeat(60)),
    );
    check(&[transfer("ben")], "Transfer to ben");
    check(&[transfer("ben"), transfer("eva")], "Transfer to humans");
    let scope = FaultScope {
        provider: Some("Vendor A".to_owned()),
        region: Some("eu-west".to_owned()),
        share: Some(0.5),
        ..FaultScope::default()
    };
    check(
        &[Command::StartFault {
            fault: "llm_503".to_owned(),
            scope,
        }],
        "Drill: start llm_503 for Vendor A, eu-west, 50 %",
    );
    check(
        &[Command::StartFault {
            fault: "llm_503".to_owned(),
            scope: FaultScope::default(),
        }],
        "Drill: start llm_503 for all calls",
    );
    check(&[Command::StopFault { id: None }], "Drill: stop all faults");
    check(
        &[Command::StopFault {
            id: Some("f-1".to_owned()),
        }],
        "Drill: stop f-1",
    );
}

#[test]
fn what_is_over_for_an_hour_is_forgotten_and_what_is_not_is_kept() {
    let mut replica = live(Vec::new());
    replica.apply(record(command(1, 1, state(2))), at(0));
    replica.apply(record(command(2, 2, CommandState::Unknown)), at(0));
    apply_handoff(&mut replica, handoff(1, failed()));
    apply_handoff(&mut replica, handoff(2, HandoffState::Requested));
    let hour = 3_600_000;
    replica.apply(beat(hour - AHEAD_MS - 1_000), at(hour - AHEAD_MS - 1_000));
    let frame = replica.frame(&look(0), at(hour - AHEAD_MS - 1_000));
    assert_eq!(
        (frame.acts.unwrap().len(), frame.handoffs.unwrap().len()),
        (2, 2)
    );
    replica.apply(beat(hour), at(hour));
    let frame = replica.frame(&look(0), at(hour));
    let acts = frame.acts.unwrap();
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].id.as_str(), "a-002");
    let handoffs = frame.handoffs.unwrap();
    assert_eq!(handoffs.len(), 1);
    assert_eq!(handoffs[0].id.as_str(), "h-002");
}

#[test]
fn offers_to_this_person_are_counted_and_their_calls_are_told() {
    let mut replica = live(vec![call(1), call(2), call(3)]);
    apply_handoff(&mut replica, handoff(1, offered("ana")));
    apply_handoff(&mut replica, handoff(2, offered("ben")));
    apply_handoff(
        &mut replica,
        handoff(
            3,
            HandoffState::Accepted {
                agent: AgentId::new("ana"),
            },
        ),
    );
    let frame = replica.frame(&look(0), at(0));
    assert_eq!(frame.status.offers, 1);
    let order: Vec<String> = frame
        .handoffs
        .unwrap()
        .iter()
        .map(|handoff| handoff.id.to_string())
        .collect();
    assert_eq!(order, ["h-003", "h-002", "h-001"]);

    let mut request = look(0);
    request.open = Some(id(2));
    replica.frame(&request, at(0));
    assert_eq!(
        replica.detail_wanted(),
        [id(2), id(1), id(3)],
        "the open one first"
    );

    for n in 10..30 {
        apply_handoff(&mut replica, handoff(n, offered("ana")));
    }
    assert_eq!(replica.detail_wanted().len(), DETAIL_CALLS_MAX);
    apply_handoff(&mut replica, handoff(1, failed()));
    assert!(!replica.detail_wanted().contains(&id(1)));
}

#[test]
fn of_too_many_handoffs_ones_own_and_the_longest_waiting_are_shown() {
    let mut replica = live(Vec::new());
    apply_handoff(&mut replica, handoff(900, offered("ana")));
    for n in 0..60 {
        apply_handoff(&mut replica, handoff(n, HandoffState::Requested));
        apply_handoff(&mut replica, handoff(100 + n, failed()));
    }
    let shown = replica.frame(&look(0), at(0)).handoffs.unwrap();
    assert_eq!(shown.len(), 50);
    assert_eq!(shown[0].id.as_str(), "h-900");
    assert_eq!(shown[1].id.as_str(), "h-048");
    assert_eq!(shown[49].id.as_str(), "h-000");
}
