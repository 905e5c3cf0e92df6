//! Control frames and console frames survive the wire, and look as they did.

use holdfast_domain::playbook::{
    AbortCondition, Action, Approval, Audience, Check, Measure, PlaybookStep, ProtectedCalls,
    Selector, SelectorScope, Stage, StageReach, Verify,
};
use holdfast_domain::{
    Act, ActId, ActVerb, ActiveFault, AgentId, AiState, BlindReason, Blindness, BridgeStatus,
    CallDetail, CallId, CallPhase, CallSummary, Capability, CardField, CardGap, CardPart,
    CauseDimension, CauseId, CauseReach, CheckResult, Command, CommandId, CommandRecord,
    CommandState, DifferenceKind, ExcludedReason, FailureKind, FaultScope, FeedState, Floor,
    HandoffCard, HandoffId, HumanAgent, HumanCapacity, HumanState, LaneKind, LaneSpan, Layer,
    LayerHealth, Lever, Need, PerLayer, PlaybookId, PlaybookStatus, Progress, ReadBack, Record,
    Refusal, RefusalCode, Reply, Request, Reversibility, Run, RunApproval, RunCall, RunCallState,
    RunComparison, RunDifference, RunEvent, RunEventKind, RunId, RunMessage, RunPreview,
    RunPreviewCall, RunRefusal, RunStage, RunStageState, RunState, RunTally, Rung, Slot, SourceId,
    StepId, Target, Timestamp, Utterance, UtteranceRole,
};
use holdfast_protocol::bridge::{
    BridgeFrame, CommandFrame, CommandResult, Hello, HubFrame, Named, ResultKind, ResultState,
    Welcome, parse_hub_frame, write_bridge_frame, write_hub_frame,
};
use holdfast_protocol::console::{
    ConsoleFrame, HubToConsole, Identity, ResumePoint, Role, parse_console_frame,
    parse_hub_to_console, write_console_frame, write_hub_to_console,
};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::event::{Inbound, parse_bridge_frame};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_795_514_400_000 + ms)
}

fn fault() -> ActiveFault {
    ActiveFault {
        id: "f-1".to_owned(),
        fault: "llm_503".to_owned(),
        layer: Layer::Llm,
        scope: "every call of Vendor A".to_owned(),
        since: at(0),
    }
}

fn record(command: Command, call: Option<&str>, expect_active: Option<&str>) -> CommandRecord {
    CommandRecord {
        id: CommandId::new("c-12"),
        act: ActId::new("act-1"),
        call: call.map(CallId::new),
        source: SourceId::new("//bridges/test/1"),
        command,
        expect_active: expect_active.map(str::to_owned),
        actor: "ana@example".to_owned(),
        issued_at: at(0),
        expires_at: at(10_000),
        progress: vec![Progress {
            state: CommandState::Applied {
                read_back: read_back(),
            },
            at: at(5),
        }],
    }
}

fn read_back() -> ReadBack {
    ReadBack {
        layer: Some(Layer::Llm),
        active: Some("backup-llm".to_owned()),
        retried_turn: Some(true),
        enabled: Some(vec!["lookup".to_owned()]),
        disabled: Some(Vec::new()),
        spoken: Some(false),
        ai: Some(AiState::Paused),
        bridged: Some(true),
        to: Some("ben".to_owned()),
        faults: Some(vec![fault()]),
    }
}

/// Every command, with and without what it can go without.
fn commands() -> Vec<CommandRecord> {
    let tools = || vec!["lookup".to_owned(), "book".to_owned()];
    let call = Some("call-1");
    let scope = FaultScope {
        provider: Some("Vendor A".to_owned()),
        model: Some("large-4".to_owned()),
        region: Some("eu-west".to_owned()),
        tool: Some("book".to_owned()),
        queue: Some("billing".to_owned()),
        call: Some("call-1".to_owned()),
        share: Some(0.25),
    };
    let switch = Command::SwitchModel {
        layer: Layer::Tts,
        to: "voice \"two\"".to_owned(),
        retry_turn: true,
        announcement: Some("One moment.".to_owned()),
    };
    let transfer = |announcement: Option<&str>| Command::Transfer {
        handoff_id: HandoffId::new("h-1"),
        to: "ben".to_owned(),
        announcement: announcement.map(str::to_owned),
        key: "K7".to_owned(),
    };
    let start = |scope| Command::StartFault {
        fault: "llm_503".to_owned(),
        scope,
    };
    let stop = |id: Option<&str>| Command::StopFault {
        id: id.map(str::to_owned),
    };
    let announce = Command::Announce {
        text: "One moment, please.".to_owned(),
        language: "en-GB".to_owned(),
    };
    vec![
        record(switch, call, Some("voice")),
        record(Command::RetryTurn, call, None),
        record(Command::DisableTools { tools: tools() }, call, None),
        record(Command::EnableTools { tools: Vec::new() }, call, None),
        record(announce, call, None),
        record(Command::PauseAi, call, None),
        record(Command::ResumeAi, call, None),
        record(transfer(Some("A colleague will help you.")), call, None),
        record(transfer(None), call, None),
        record(start(scope), None, None),
        record(start(FaultScope::default()), None, None),
        record(stop(Some("f-1")), None, None),
        record(stop(None), None, None),
    ]
}

#[test]
fn every_command_survives_the_wire() {
    let mut lines = Vec::new();
    for record in commands() {
        let frame = CommandFrame::from_record(&record);
        assert_eq!(frame.command_id, record.id);
        assert_eq!(frame.call, record.call);
        assert_eq!(frame.command, record.command);
        assert_eq!(frame.actor, record.actor);
        assert_eq!(frame.issued_at, record.issued_at);
        assert_eq!(frame.expires_at, record.expires_at);
        assert_eq!(frame.expect_active, record.expect_active);
        let frame = HubFrame::Command(Box::new(frame));
        let written = write_hub_frame(&frame);
        assert_eq!(parse_hub_frame(&written), Ok(frame));
        lines.push(written);
    }
    insta::assert_snapshot!("commands", lines.join("\n"));
}

#[test]
fn every_frame_of_the_hub_survives_the_wire() {
    let frames = [
        HubFrame::Welcome(Welcome {
            protocol: 1,
            resume_after: 1_482,
            snapshot: true,
            max_frame_bytes: 1_048_576,
            max_batch: 1_024,
        }),
        HubFrame::Ack { sequence: u64::MAX },
        HubFrame::Ping { nonce: 17 },
        HubFrame::Error(WireError::new(ErrorCode::RateLimited, "slow down").closing()),
        HubFrame::Error(
            WireError::new(ErrorCode::BadSequence, "12 was expected")
                .with_detail(serde_json::json!({ "expected": 12 })),
        ),
    ];
    let mut lines = Vec::new();
    for frame in frames {
        let written = write_hub_frame(&frame);
        assert_eq!(parse_hub_frame(&written), Ok(frame));
        lines.push(written);
    }
    insta::assert_snapshot!("hub_to_bridge", lines.join("\n"));
}

#[test]
fn every_frame_of_a_bridge_survives_the_wire() {
    let named = |name: &str| Named {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
    };
    let result = |state, kind, message: Option<&str>, read_back| CommandResult {
        command_id: CommandId::new("c-12"),
        state,
        kind,
        message: message.map(str::to_owned),
        read_back,
    };
    let hello = Hello {
        protocol: 1,
        source: "//bridges/test/1".to_owned(),
        epoch: "e-1".to_owned(),
        token: None,
        bridge: named("holdfast-test"),
        platform: named("test"),
        heartbeat_secs: 2.5,
        capabilities: vec![Capability {
            name: "pause_ai".to_owned(),
            available: false,
            reason: Some("this bot has no input gate".to_owned()),
            faults: Vec::new(),
        }],
    };
    let frames = [
        BridgeFrame::Hello(hello),
        BridgeFrame::Result(result(ResultState::Accepted, None, None, None)),
        BridgeFrame::Result(result(ResultState::Applied, None, None, Some(read_back()))),
        BridgeFrame::Result(result(
            ResultState::Rejected,
            Some(ResultKind::TargetUnusable),
            Some("backup-llm is down"),
            None,
        )),
        BridgeFrame::Result(result(
            ResultState::Failed,
            Some(ResultKind::NotApplied),
            None,
            Some(ReadBack::default()),
        )),
        BridgeFrame::Result(result(ResultState::Expired, None, None, None)),
        BridgeFrame::Pong { nonce: u64::MAX },
    ];
    let mut lines = Vec::new();
    for frame in frames {
        let written = write_bridge_frame(&frame);
        let Inbound::Control(read) = parse_bridge_frame(&written).unwrap() else {
            panic!("{written}");
        };
        assert_eq!(read, frame);
        lines.push(written);
    }
    insta::assert_snapshot!("bridge_to_hub", lines.join("\n"));
}

#[test]
fn every_frame_of_a_console_survives_the_wire() {
    let act = Act {
        id: ActId::new("act-1"),
        verb: ActVerb::SwitchModel {
            layer: Layer::Llm,
            to: None,
        },
        target: Target::Calls {
            calls: vec![CallId::new("call-1")],
        },
    };
    let frames = [
        ConsoleFrame::Hello {
            protocol: 1,
            token: Some("secret".to_owned()),
            resume: Some(ResumePoint {
                epoch: "e".to_owned(),
                seq: 7,
            }),
            detail: vec![CallId::new("call-1")],
        },
        ConsoleFrame::Hello {
            protocol: 1,
            token: None,
            resume: None,
            detail: Vec::new(),
        },
        ConsoleFrame::Detail { calls: Vec::new() },
        ConsoleFrame::Request {
            id: 3,
            request: Request::Act { act },
        },
        ConsoleFrame::Request {
            id: 4,
            request: Request::PreviewRun {
                run: RunId::new("run-1"),
                playbook: PlaybookId::new("model-vendor-down"),
                cause: Some(CauseId::new("cause-1")),
            },
        },
        ConsoleFrame::Request {
            id: 5,
            request: Request::StartRun {
                run: RunId::new("run-1"),
                fingerprint: "00ff".to_owned(),
                reason: None,
            },
        },
        ConsoleFrame::Request {
            id: 6,
            request: Request::Lever {
                on: true,
                reason: "it insults".to_owned(),
            },
        },
    ];
    let mut lines = Vec::new();
    for frame in frames {
        let written = write_console_frame(&frame);
        assert_eq!(parse_console_frame(&written), Ok(frame));
        lines.push(written);
    }
    insta::assert_snapshot!("console_to_hub", lines.join("\n"));
    let shortest = r#"{"type":"hello","protocol":1}"#;
    assert!(parse_console_frame(shortest).is_ok());
}

fn summary() -> CallSummary {
    CallSummary {
        id: CallId::new("call-1"),
        source: SourceId::new("//bridges/test/1"),
        phase: CallPhase::Ai,
        ai: AiState::Active,
        queue: "billing".to_owned(),
        language: "en-GB".to_owned(),
        customer: None,
        started_at: at(0),
        last_fact_at: at(900),
        layers: PerLayer::<LayerHealth>::default(),
        rung: Rung::Primary,
        floor: Floor::AgentOwes { since: at(800) },
        response_gap_ms: Some(420),
        caller_said: "hello?".to_owned(),
        agent_said: String::new(),
        tool_running: Some(("lookup".to_owned(), at(850))),
        intent: None,
        protected: None,
        high_risk: false,
        need: Need::default(),
        cause: None,
        next: None,
        command: Some(record(Command::RetryTurn, Some("call-1"), None)),
        handoff: None,
        turns: 3,
        failed_turns: 1,
    }
}

fn detail() -> CallDetail {
    let missing = || CardField::Missing;
    let card = HandoffCard {
        customer: Some("Ana".to_owned()),
        queue: "billing".to_owned(),
        language: "en-GB".to_owned(),
        ask: CardField::FromPlatform {
            text: "cancel the contract".to_owned(),
        },
        summary: missing(),
        intent: missing(),
        slots: vec![Slot {
            name: "contract".to_owned(),
            value: "4711".to_owned(),
            confidence: Some(0.1 + 0.2),
            turn: None,
        }],
        identity: None,
        sentiment: vec![-0.3, 1.0 / 3.0],
        tools: Vec::new(),
        promises: Vec::new(),
        failure: None,
        last_turns: Vec::new(),
        disclosure: Some(true),
        consent: None,
        recording: Some("on".to_owned()),
        silence_ms: 4_200,
        prior_transfers: 0,
        say_first: missing(),
        gaps: vec![CardGap::Missing {
            part: CardPart::Summary,
        }],
        as_of: at(900),
    };
    CallDetail {
        summary: summary(),
        transcript: vec![Utterance {
            role: UtteranceRole::Agent,
            text: "one moment".to_owned(),
            unspoken: "moment".to_owned(),
            at: at(3),
            turn: Some(1),
            is_final: true,
            interrupted: true,
        }],
        lanes: vec![LaneSpan {
            lane: LaneKind::Tts,
            from: at(3),
            to: None,
            failed: false,
            label: "voice".to_owned(),
        }],
        evidence: Vec::new(),
        services: Vec::new(),
        tools_enabled: vec!["lookup".to_owned()],
        tools_disabled: Vec::new(),
        capabilities: Vec::new(),
        card,
        commands: vec![record(Command::RetryTurn, Some("call-1"), None)],
    }
}

#[test]
fn every_frame_to_a_console_survives_the_wire() {
    let command = || Record::Command {
        command: Box::new(record(Command::PauseAi, Some("call-1"), None)),
    };
    let bridge = BridgeStatus {
        source: SourceId::new("//bridges/test/1"),
        platform: "test 1".to_owned(),
        state: FeedState::Live,
        heard_at: at(0),
        live_calls: 1,
        clock_skew_ms: -12,
        capabilities: Vec::new(),
        faults: vec![fault()],
        anomalies: Vec::new(),
    };
    let human = HumanAgent {
        id: AgentId::new("ben"),
        state: HumanState::Free,
        since: at(0),
    };
    let frames = [
        HubToConsole::Welcome {
            protocol: 1,
            epoch: "e".to_owned(),
            identity: Identity {
                name: "ana".to_owned(),
                roles: vec![Role::Supervisor, Role::Agent],
            },
            hub_time: at(0),
        },
        HubToConsole::Snapshot {
            seq: 7,
            first: true,
            last: false,
            calls: vec![summary()],
            records: vec![command()],
        },
        HubToConsole::Change {
            seq: 8,
            calls: vec![summary()],
            gone: vec![CallId::new("call-2")],
        },
        HubToConsole::Record {
            seq: 9,
            record: command(),
        },
        HubToConsole::Detail {
            detail: Box::new(detail()),
        },
        HubToConsole::Beat {
            seq: 9,
            hub_time: at(1),
            lag_ms: 3,
            blind: Some(Blindness {
                reason: BlindReason::OwnLag,
                since: at(0),
                lasted_ms: 1_400,
                is_over: false,
            }),
            bridges: vec![bridge],
            humans: vec![human],
        },
        HubToConsole::Record {
            seq: 10,
            record: Record::Run {
                run: Box::new(run()),
            },
        },
        HubToConsole::Record {
            seq: 11,
            record: Record::Lever {
                lever: Lever {
                    on: true,
                    by: "eve".to_owned(),
                    reason: "it insults".to_owned(),
                    at: at(2),
                },
            },
        },
        HubToConsole::Playbooks {
            playbooks: vec![playbook_status()],
        },
        HubToConsole::Reply {
            id: 3,
            reply: Reply::Refused {
                refusal: Refusal::new(RefusalCode::Stale, "the view is stale"),
            },
        },
        HubToConsole::Reply {
            id: 4,
            reply: Reply::RunPreview {
                preview: Box::new(run_preview()),
            },
        },
        HubToConsole::Reply {
            id: 5,
            reply: Reply::Refused {
                refusal: Refusal {
                    run: Some(RunRefusal::LeverPulled {
                        by: "eve".to_owned(),
                    }),
                    ..Refusal::new(RefusalCode::Conflict, "eve pulled the red lever")
                },
            },
        },
        HubToConsole::Error {
            error: WireError::new(ErrorCode::Forbidden, "an observer may not act"),
        },
    ];
    let mut lines = Vec::new();
    for frame in frames {
        let written = write_hub_to_console(&frame);
        assert_eq!(parse_hub_to_console(&written), Ok(frame));
        lines.push(written);
    }
    insta::assert_snapshot!("hub_to_console", lines.join("\n"));
}

/// A run in its second stage.
fn run() -> Run {
    let mut tally = RunTally::default();
    for state in [
        RunCallState::Proven,
        RunCallState::Intent,
        RunCallState::Untouched,
    ] {
        tally.count(&state);
    }
    Run {
        id: RunId::new("run-1"),
        playbook: PlaybookId::new("model-vendor-down"),
        version: 1,
        title: "Model vendor down".to_owned(),
        cause: Some(CauseId::new("cause-1")),
        requested_by: "sam".to_owned(),
        requested_at: at(1),
        updated_at: at(9),
        state: RunState::Running { stage: 1 },
        preview: run_preview(),
        started_at: Some(at(2)),
        ends_at: Some(at(900_000)),
        approvals: vec![RunApproval {
            by: "eve".to_owned(),
            at: at(2),
            approved: true,
            fingerprint: "00ff".to_owned(),
            reason: String::new(),
        }],
        break_glass: None,
        review: None,
        stages: vec![RunStage {
            steps: vec![StepId::new("switch")],
            reach: StageReach::Percent(25),
            n_calls: 3,
            state: RunStageState::Running,
            began_at: Some(at(3)),
            commanded_at: Some(at(4)),
            proven_at: None,
            tally,
            turns: 2,
            good_turns: 1,
        }],
        tally,
        comparison: vec![RunComparison {
            measure: Measure::FailedTurns,
            touched: 2,
            touched_permille: Some(500),
            untouched: 0,
            untouched_permille: None,
        }],
        differences_total: 1,
        differences: vec![RunDifference {
            call: CallId::new("call-9"),
            kind: DifferenceKind::NoTarget,
        }],
        calls: vec![RunCall {
            call: CallId::new("call-1"),
            stage: Some(1),
            becomes: "backup-llm".to_owned(),
            state: RunCallState::Failed {
                kind: FailureKind::NotProven,
                message: "applied, and the next turn failed too".to_owned(),
            },
            command: Some(CommandId::new("run-1.1.2")),
            handoff: None,
            at: at(5),
        }],
        callbacks: 0,
        messages: vec![RunMessage {
            audience: Audience::FrontLine,
            text: "We move calls.".to_owned(),
            at: at(3),
        }],
        timeline: vec![RunEvent {
            at: at(2),
            by: "sam".to_owned(),
            kind: RunEventKind::Refused {
                refusal: RunRefusal::ApproverIsRequester,
            },
            text: "who asked cannot approve".to_owned(),
        }],
    }
}

fn run_preview() -> RunPreview {
    RunPreview {
        run: RunId::new("run-1"),
        fingerprint: "00ff".to_owned(),
        calls: vec![RunPreviewCall {
            call: CallId::new("call-1"),
            becomes: "backup-llm".to_owned(),
            protected: false,
        }],
        n_calls: 1,
        by_rung: vec![(Rung::Primary, 1)],
        failing: 1,
        protected: 0,
        becomes: vec![("backup-llm".to_owned(), 1)],
        excluded: Vec::new(),
        excluded_by: vec![(ExcludedReason::NoTarget, 2)],
        stages: vec![1],
        humans: HumanCapacity::default(),
        reversibility: Reversibility::UpTo {
            step: StepId::new("switch"),
        },
        announcements: vec![("en".to_owned(), "One moment.".to_owned())],
        checks: vec![check()],
        would_fire: false,
        approval: Approval::Confirm,
        sentence: "Touches 1 of 3 calls (backup-llm: 1).".to_owned(),
    }
}

fn check() -> CheckResult {
    CheckResult {
        check: Check::HumansFree { min: 2 },
        holds: false,
        found: "1 human agents are free".to_owned(),
    }
}

fn playbook_status() -> PlaybookStatus {
    PlaybookStatus {
        id: PlaybookId::new("model-vendor-down"),
        version: 1,
        title: "Model vendor down".to_owned(),
        purpose: "p".to_owned(),
        owner: "Platform team".to_owned(),
        layer: Layer::Llm,
        approval: Approval::Confirm,
        selector: Selector {
            scope: SelectorScope::Cause {
                dimensions: vec![CauseDimension::Provider],
            },
            reach: CauseReach::Exposed,
            phases: vec![CallPhase::Ai],
            rungs: Vec::new(),
            protected: ProtectedCalls::Last,
        },
        steps: vec![PlaybookStep {
            id: StepId::new("tell"),
            action: Action::Notify {
                audiences: vec![Audience::FrontLine],
            },
        }],
        stages: vec![Stage {
            reach: StageReach::Percent(5),
            hold_s: 15,
            verify: Verify::GoodTurns {
                percent_min: 90,
                turns_min: 5,
                within_s: 60,
            },
        }],
        abort: vec![AbortCondition::OutcomesUnknown { calls_over: 20 }],
        languages: vec!["en".to_owned()],
        ttl_s: 900,
        needs_cause: true,
        causes: vec![CauseId::new("cause-1")],
        n_calls: 3,
        checks: vec![check()],
        would_fire: false,
        reversibility: Reversibility::Full,
        armed: true,
    }
}
