use std::collections::BTreeMap;

use holdfast_domain::{
    Act, ActId, ActVerb, AgentId, AiState, BridgeStatus, CallDetail, CallId, CallPhase,
    CallSummary, CardField, CardGap, CardPart, Command, CommandId, CommandRecord, CommandState,
    FailureKind, FaultScope, FeedState, Floor, Handoff, HandoffCard, HandoffId, HandoffReason,
    HandoffState, Layer, LayerHealth, LayerState, Need, NeedLevel, PerLayer, Progress, ReadBack,
    Rung, SourceId, Target,
};
use holdfast_protocol::console::Role;
use holdfast_protocol::limits::STALE_AFTER_MS;
use holdfast_protocol::window::{BoardFilter, DetailSection, Status};
use proptest::prelude::*;

use super::*;

mod causes;
mod order;
mod records;
mod runs;
mod sight;

/// The hub's clock is ahead of ours by this much.
const AHEAD_MS: i64 = 5_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + ms)
}

fn about() -> About {
    About {
        version: "0.1.0".to_owned(),
        hub_url: "ws://127.0.0.1:4747/v1/console".to_owned(),
        embedded: true,
        bridge_url: None,
        connection_file: None,
    }
}

fn id(n: u32) -> CallId {
    CallId::new(format!("call-{n:04}"))
}

fn call(n: u32) -> CallSummary {
    CallSummary {
        id: id(n),
        source: SourceId::new("//bridges/test/1"),
        phase: CallPhase::Ai,
        ai: AiState::Active,
        queue: "billing".to_owned(),
        language: "en-GB".to_owned(),
        customer: None,
        started_at: at(i64::from(n)),
        last_fact_at: at(0),
        layers: PerLayer(std::array::from_fn(|_| LayerHealth {
            state: LayerState::Healthy,
            ..LayerHealth::default()
        })),
        rung: Rung::Primary,
        floor: Floor::Unknown,
        response_gap_ms: None,
        caller_said: String::new(),
        agent_said: String::new(),
        tool_running: None,
        intent: None,
        protected: None,
        high_risk: false,
        need: Need::default(),
        cause: None,
        next: None,
        command: None,
        handoff: None,
        turns: 0,
        failed_turns: 0,
    }
}

fn needy(n: u32, level: NeedLevel, score: u32) -> CallSummary {
    let mut call = call(n);
    call.need = Need {
        level,
        score,
        reason: "silent for 6.1 s".to_owned(),
        since: Some(at(0)),
    };
    call
}

fn welcome(roles: &[Role]) -> HubToConsole {
    HubToConsole::Welcome {
        protocol: 1,
        epoch: "e1".to_owned(),
        identity: Identity {
            name: "ana".to_owned(),
            roles: roles.to_vec(),
        },
        hub_time: at(AHEAD_MS),
    }
}

fn snapshot(seq: u64, calls: Vec<CallSummary>, records: Vec<Record>) -> HubToConsole {
    HubToConsole::Snapshot {
        seq,
        first: true,
        last: true,
        calls,
        records,
    }
}

fn change(seq: u64, calls: Vec<CallSummary>, gone: Vec<CallId>) -> HubToConsole {
    HubToConsole::Change { seq, calls, gone }
}

fn beat(ms: i64) -> HubToConsole {
    HubToConsole::Beat {
        seq: 0,
        hub_time: at(ms + AHEAD_MS),
        lag_ms: 0,
        blind: None,
        bridges: Vec::new(),
        humans: Vec::new(),
    }
}

fn live(calls: Vec<CallSummary>) -> Replica {
    let mut replica = Replica::new(about());
    replica.apply(
        welcome(&[Role::Supervisor, Role::Commander, Role::Agent]),
        at(0),
    );
    replica.apply(snapshot(1, calls, Vec::new()), at(0));
    replica
}

fn look(ack: u64) -> FrameRequest {
    FrameRequest {
        ack,
        first: 0,
        count: 50,
        frozen: false,
        filter: BoardFilter::default(),
        open: None,
    }
}

fn ids(frame: &Frame) -> Vec<String> {
    let board = frame.board.as_ref().expect("the frame holds the board");
    board.rows.iter().map(|row| row.id.to_string()).collect()
}

fn act_request() -> Request {
    Request::Act {
        act: Act {
            id: ActId::new("a-1"),
            verb: ActVerb::PauseAi,
            target: Target::AllCalls,
        },
    }
}

#[test]
fn a_frame_holds_what_changed_since_it_was_acknowledged() {
    let mut replica = live(vec![call(1), call(2)]);
    let first = replica.frame(&look(0), at(0));
    assert_eq!(ids(&first), ["call-0001", "call-0002"]);
    assert_eq!(first.about, Some(about()));
    assert!(first.acts.is_some() && first.handoffs.is_some());

    let idle = replica.frame(&look(first.version), at(10));
    assert_eq!(idle.version, first.version);
    assert_eq!((idle.board, idle.about, idle.acts), (None, None, None));
    assert_eq!(
        (idle.handoffs, idle.platform, idle.detail),
        (None, None, None)
    );

    let mut louder = call(2);
    louder.caller_said = "are you there?".to_owned();
    replica.apply(change(2, vec![louder], Vec::new()), at(20));
    let second = replica.frame(&look(idle.version), at(20));
    let board = second.board.clone().unwrap();
    assert_eq!(board.rows[1].caller_said, "are you there?");
    assert_eq!((second.acts, second.handoffs), (None, None));

    // The second frame was lost: the window still acknowledges the first.
    let again = replica.frame(&look(first.version), at(30));
    assert_eq!(again.board, Some(board));
    // A window that acknowledges what never was gets everything.
    let everything = replica.frame(&look(u64::MAX), at(40));
    assert!(everything.board.is_some() && everything.about.is_some());
}

#[test]
fn only_rows_in_view_are_sent_and_only_they_wake_the_window() {
    let mut replica = live((0..1_000).map(call).collect());
    let mut request = look(0);
    (request.first, request.count) = (100, 20);
    let frame = replica.frame(&request, at(0));
    let board = frame.board.unwrap();
    assert_eq!(
        (board.total, board.first, board.rows.len()),
        (1_000, 100, 20)
    );
    assert_eq!(board.rows[0].id, id(100));

    let mut changed = call(500);
    changed.turns = 9;
    replica.apply(change(2, vec![changed], Vec::new()), at(10));
    request.ack = frame.version;
    let frame = replica.frame(&request, at(300));
    assert_eq!(frame.board, None, "row 500 is out of view");

    // Past the end, the last page is shown; and never more rows than the limit.
    (request.first, request.count) = (5_000, 20);
    let board = replica.frame(&request, at(310)).board.unwrap();
    assert_eq!((board.first, board.rows.len()), (980, 20));
    (request.first, request.count) = (0, 5_000);
    let board = replica.frame(&request, at(320)).board.unwrap();
    assert_eq!(board.rows.len(), ROWS_IN_VIEW_MAX as usize);
}

#[test]
fn a_snapshot_takes_effect_with_its_last_part() {
    let mut replica = live(vec![call(1), call(2)]);
    let part = |first, last, calls| HubToConsole::Snapshot {
        seq: 9,
        first,
        last,
        calls,
        records: Vec::new(),
    };
    replica.apply(part(true, false, vec![call(2)]), at(0));
    let half = replica.frame(&look(0), at(0));
    assert_eq!(ids(&half), ["call-0001", "call-0002"]);
    assert!(half.status.stale, "half a picture is no picture");
    assert_eq!(replica.resume_point().unwrap().seq, 1);

    // What changes between the parts is not lost.
    replica.apply(change(10, vec![call(4)], vec![id(2)]), at(0));
    replica.apply(part(false, true, vec![call(3)]), at(0));
    let frame = replica.frame(&look(0), at(300));
    assert_eq!(ids(&frame), ["call-0003", "call-0004"]);
    assert!(!frame.status.stale);
    assert_eq!(replica.resume_point().unwrap().seq, 10);

    // A part without its beginning belongs to nothing.
    replica.apply(part(false, true, vec![call(7)]), at(300));
    assert_eq!(replica.frame(&look(0), at(600)).status.live, 2);
}

#[test]
fn the_open_call_is_told_and_is_gone_when_it_ends() {
    let mut replica = live(vec![call(1), call(2)]);
    let mut request = look(0);
    request.open = Some(id(2));
    let frame = replica.frame(&request, at(0));
    assert_eq!(frame.detail, Some(DetailSection { call: None }));
    assert_eq!(replica.detail_wanted(), [id(2)]);

    let told = |n| HubToConsole::Detail {
        detail: Box::new(detail(n)),
    };
    replica.apply(told(1), at(10)); // comes late for a call that was closed
    replica.apply(told(2), at(10));
    request.ack = frame.version;
    let frame = replica.frame(&request, at(10));
    let shown = frame.detail.unwrap().call.unwrap();
    assert_eq!(shown.summary.id, id(2));
    request.ack = frame.version;
    assert_eq!(replica.frame(&request, at(20)).detail, None);

    replica.apply(change(2, Vec::new(), vec![id(2)]), at(30));
    let frame = replica.frame(&request, at(30));
    assert_eq!(frame.detail, Some(DetailSection { call: None }));

    // A call that ended while the link was down is gone with the snapshot that omits it.
    replica.apply(change(3, vec![call(2)], Vec::new()), at(40));
    replica.apply(told(2), at(40));
    assert!(
        replica
            .frame(&request, at(40))
            .detail
            .unwrap()
            .call
            .is_some()
    );
    replica.apply(snapshot(4, vec![call(1)], Vec::new()), at(50));
    let frame = replica.frame(&request, at(50));
    assert_eq!(frame.detail, Some(DetailSection { call: None }));
}

#[test]
fn the_bar_counts_live_calls() {
    let mut failing = needy(1, NeedLevel::Critical, 900);
    failing.layers[Layer::Tts].state = LayerState::Failed;
    let mut ended = call(5);
    ended.phase = CallPhase::Ended;
    let mut other = call(4);
    other.source = SourceId::new("//bridges/test/2");
    other.queue = "orders".to_owned();
    let mut replica = live(vec![
        failing,
        needy(2, NeedLevel::Warn, 300),
        needy(3, NeedLevel::Watch, 100),
        other,
        ended,
    ]);
    let frame = replica.frame(&look(0), at(0));
    let status = &frame.status;
    assert_eq!((status.live, status.need_you, status.failing), (4, 2, 1));
    assert_eq!(
        status.unseen, 0,
        "before a beat nothing is known of the feeds"
    );
    assert_eq!(frame.board.unwrap().queues, ["billing", "orders"]);

    // The hub names only the second bridge, and that one is live.
    let HubToConsole::Beat {
        seq,
        hub_time,
        lag_ms,
        humans,
        ..
    } = beat(0)
    else {
        unreachable!("beat() makes a beat")
    };
    let bridges = vec![BridgeStatus {
        source: SourceId::new("//bridges/test/2"),
        platform: "test 1".to_owned(),
        state: FeedState::Live,
        heard_at: at(0),
        live_calls: 1,
        clock_skew_ms: 0,
        capabilities: Vec::new(),
        faults: Vec::new(),
        anomalies: Vec::new(),
    }];
    let named = |state| {
        let mut bridges = bridges.clone();
        bridges[0].state = state;
        HubToConsole::Beat {
            seq,
            hub_time,
            lag_ms,
            blind: None,
            bridges,
            humans: humans.clone(),
        }
    };
    replica.apply(named(FeedState::Live), at(0));
    assert_eq!(replica.frame(&look(0), at(0)).status.unseen, 3);
    replica.apply(named(FeedState::Stale), at(0));
    assert_eq!(replica.frame(&look(0), at(0)).status.unseen, 4);

    replica.apply(change(2, vec![call(1)], vec![id(2), id(4)]), at(0));
    let frame = replica.frame(&look(0), at(300));
    let status = &frame.status;
    assert_eq!((status.live, status.need_you, status.failing), (2, 0, 0));
    assert_eq!(frame.board.unwrap().queues, ["billing"]);
}

/// One step of the life of a hub with a handful of calls and commands.
#[derive(Debug, Clone)]
enum Step {
    Put {
        n: u32,
        score: u32,
        queue: bool,
        ended: bool,
    },
    Gone {
        n: u32,
    },
    Record {
        n: u32,
        state: u8,
    },
    Frame {
        frozen: bool,
        after_ms: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8u32, 0..1_000u32, any::<bool>(), any::<bool>())
            .prop_map(|(n, score, queue, ended)| Step::Put { n, score, queue, ended: ended && score > 900 }),
        2 => (0..8u32).prop_map(|n| Step::Gone { n }),
        2 => (0..6u32, 0..5u8).prop_map(|(n, state)| Step::Record { n, state }),
        2 => (any::<bool>(), 0..400i64)
            .prop_map(|(frozen, after_ms)| Step::Frame { frozen, after_ms }),
    ]
}

fn put(n: u32, score: u32, queue: bool, ended: bool) -> CallSummary {
    let level = match score {
        0..200 => NeedLevel::Calm,
        200..400 => NeedLevel::Watch,
        400..700 => NeedLevel::Warn,
        _ => NeedLevel::Critical,
    };
    let mut call = needy(n, level, score);
    if queue {
        call.queue = "orders".to_owned();
    }
    if ended {
        call.phase = CallPhase::Ended;
    }
    if score.is_multiple_of(3) {
        call.layers[Layer::Llm].state = LayerState::Failed;
    }
    call
}

fn state(n: u8) -> CommandState {
    match n {
        0 => CommandState::Requested,
        1 => CommandState::Applied {
            read_back: ReadBack::default(),
        },
        2 => CommandState::Proven {
            read_back: ReadBack::default(),
        },
        3 => CommandState::Unknown,
        _ => CommandState::Failed {
            kind: FailureKind::TimedOut,
            message: "the platform did not finish in time".to_owned(),
        },
    }
}

proptest! {
    /// Whatever a console lived through, it shows what a console shows that comes fresh.
    #[test]
    fn changes_lead_to_the_same_view_as_a_fresh_snapshot(steps in prop::collection::vec(step(), 1..80)) {
        let mut lived = live(Vec::new());
        let mut calls = BTreeMap::new();
        let mut commands = BTreeMap::new();
        let (mut now, mut seq, mut ack) = (0, 1, 0);
        for step in steps {
            seq += u64::from(!matches!(step, Step::Frame { .. }));
            match step {
                Step::Put { n, score, queue, ended } => {
                    let call = put(n, score, queue, ended);
                    calls.insert(call.id.clone(), call.clone());
                    lived.apply(change(seq, vec![call], Vec::new()), at(now));
                }
                Step::Gone { n } => {
                    calls.remove(&id(n));
                    lived.apply(change(seq, Vec::new(), vec![id(n)]), at(now));
                }
                Step::Record { n, state: to } => {
                    let command = records::command(n / 3, n, state(to));
                    commands.insert(command.id.clone(), command.clone());
                    let record = Record::Command { command: Box::new(command) };
                    lived.apply(HubToConsole::Record { seq, record }, at(now));
                }
                Step::Frame { frozen, after_ms } => {
                    now += after_ms;
                    let mut request = look(ack);
                    request.frozen = frozen;
                    ack = lived.frame(&request, at(now)).version;
                }
            }
        }
        let mut fresh = live(Vec::new());
        let records = commands
            .into_values()
            .map(|command| Record::Command { command: Box::new(command) })
            .collect();
        fresh.apply(snapshot(seq, calls.into_values().collect(), records), at(now));
        prop_assert_eq!(lived.resume_point(), fresh.resume_point());

        let settled = now + REORDER_SETTLED_MS;
        lived.apply(beat(settled), at(settled));
        fresh.apply(beat(settled), at(settled));
        let (lived, fresh) = (lived.frame(&look(0), at(settled)), fresh.frame(&look(0), at(settled)));
        prop_assert_eq!(&lived.status, &fresh.status);
        prop_assert_eq!(&lived.acts, &fresh.acts);
        prop_assert_eq!(&lived.handoffs, &fresh.handoffs);
        let by_id = |frame: &Frame| {
            let mut board = frame.board.clone().unwrap();
            // Hysteresis remembers: neighbours within an eighth may stand either way.
            board.rows.sort_by(|a, b| a.id.cmp(&b.id));
            board
        };
        prop_assert_eq!(by_id(&lived), by_id(&fresh));
    }
}

/// Long enough for an order to be due.
const REORDER_SETTLED_MS: i64 = 1_000;

fn detail(n: u32) -> CallDetail {
    CallDetail {
        summary: call(n),
        transcript: Vec::new(),
        lanes: Vec::new(),
        evidence: Vec::new(),
        services: Vec::new(),
        tools_enabled: Vec::new(),
        tools_disabled: Vec::new(),
        capabilities: Vec::new(),
        card: card(),
        commands: Vec::new(),
    }
}

fn card() -> HandoffCard {
    HandoffCard {
        customer: None,
        queue: "billing".to_owned(),
        language: "en-GB".to_owned(),
        ask: CardField::Missing,
        summary: CardField::Missing,
        intent: CardField::Missing,
        slots: Vec::new(),
        identity: None,
        sentiment: Vec::new(),
        tools: Vec::new(),
        promises: Vec::new(),
        failure: None,
        last_turns: Vec::new(),
        disclosure: None,
        consent: None,
        recording: None,
        silence_ms: 0,
        prior_transfers: 0,
        say_first: CardField::Missing,
        gaps: vec![CardGap::Missing {
            part: CardPart::Summary,
        }],
        as_of: at(0),
    }
}
