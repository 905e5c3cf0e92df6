//! What holds for any sequence of inputs, however senseless.
//!
//! The script itself checks: nothing panics, every layer that is unwell has evidence with events,
//! no command leaves before it is written down, and a replay with a checkpoint in the middle ends
//! in the same state with the same effects.

use holdfast_domain::fact::{
    AgentActivity, CallUpdated, EndedBy, Fact, LatencyMetric, Speaker, SwitchCause,
};
use holdfast_domain::{
    ActVerb, AiState, FailureKind, HumanState, Layer, LayerState, Protected, ReadBack,
    RejectionKind, Request, Target, UtteranceRole,
};
use holdfast_engine::{AnswerState, Control};
use proptest::prelude::*;

use crate::script::{BRIDGE, Script, agent, calls, started, switch, switched_to, tool};

const CALLS: [&str; 3] = ["a", "b", "c"];
const OTHER: &str = "//bridges/test/2";

/// One thing that may happen.
#[derive(Debug, Clone)]
enum Happening {
    Wait(i64),
    /// A fact (by number) about a call, told so late.
    Fact(usize, usize, i64),
    /// A fact told by a bridge that the call does not belong to.
    Foreign(usize, usize),
    Start(usize, bool),
    Snapshot(bool),
    CaughtUp,
    Gap,
    Heartbeat(u64),
    Mute,
    Disconnect,
    Connect(bool),
    Restart,
    Act(usize, usize),
    /// An answer (by number) to the command that was sent as the n-th from the end.
    Answer(usize, usize),
    Human(usize, usize),
    /// The failover policies are armed, or not any more.
    Arm(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    prop_oneof![
        6 => (0_i64..4_000).prop_map(H::Wait),
        1 => (0_i64..80_000).prop_map(H::Wait),
        24 => (0..CALLS.len(), 0..FACTS, prop_oneof![8 => Just(0_i64), 1 => -500_i64..9_000])
            .prop_map(|(call, fact, late)| H::Fact(call, fact, late)),
        1 => (0..CALLS.len(), 0..FACTS).prop_map(|(call, fact)| H::Foreign(call, fact)),
        2 => (0..CALLS.len(), any::<bool>()).prop_map(|(call, resumed)| H::Start(call, resumed)),
        1 => any::<bool>().prop_map(H::Snapshot),
        1 => Just(H::CaughtUp),
        1 => Just(H::Gap),
        1 => (0_u64..4).prop_map(H::Heartbeat),
        1 => Just(H::Mute),
        1 => Just(H::Disconnect),
        2 => any::<bool>().prop_map(H::Connect),
        1 => Just(H::Restart),
        4 => (0_usize..8, 0..CALLS.len()).prop_map(|(verb, call)| H::Act(verb, call)),
        6 => (0_usize..9, 0_usize..3).prop_map(|(answer, command)| H::Answer(answer, command)),
        3 => (0_usize..7, 0_usize..2).prop_map(|(what, who)| H::Human(what, who)),
        2 => prop_oneof![3 => Just(true), 1 => Just(false)].prop_map(H::Arm),
    ]
}

/// How many kinds of facts [`fact`] knows.
const FACTS: usize = 41;

fn fact(n: usize) -> (Option<Layer>, Fact<'static>) {
    let llm = Some(Layer::Llm);
    let tools = Some(Layer::Tools);
    let (caller, speech) = (Speaker::Caller, Speaker::Agent);
    let error = |service: &'static str, kind: &'static str| Fact::ServiceError {
        service: service.into(),
        error_type: kind.into(),
        message: "m".into(),
        permanent: kind == "gone",
        usable: None,
    };
    let said = |role, text: &'static str, unspoken: Option<&'static str>| Fact::TranscriptFinal {
        role,
        text: text.into(),
        language: None,
        turn: None,
        interrupted: false,
        unspoken: unspoken.map(Into::into),
    };
    let switched = |from: &'static str, to: &'static str, cause| Fact::ServiceSwitched {
        from: from.into(),
        to: to.into(),
        cause,
    };
    let update = |updated| (None, Fact::CallUpdated(Box::new(updated)));
    match n {
        0 => (None, Fact::SpeechStarted { actor: caller }),
        1 => (None, Fact::SpeechStopped { actor: caller }),
        2 => (None, Fact::SpeechStarted { actor: speech }),
        3 => (None, Fact::SpeechStopped { actor: speech }),
        4 => (None, said(UtteranceRole::Caller, "I want a refund", None)),
        5 => (None, said(UtteranceRole::Agent, "you get it", Some("it"))),
        6 => (None, said(UtteranceRole::Agent, "certainly", None)),
        7 => (
            llm,
            Fact::LlmResponseStarted {
                service: "primary-llm".into(),
            },
        ),
        8 => (
            llm,
            Fact::LlmResponseStarted {
                service: "backup-llm".into(),
            },
        ),
        9 => (llm, ended(40, 0)),
        10 => (llm, ended(0, 1)),
        11 => (llm, ended(0, 0)),
        12 => (llm, error("primary-llm", "http_503")),
        13 => (llm, error("backup-llm", "timeout")),
        14 => (llm, error("primary-llm", "application")),
        15 => (llm, error("nobody", "gone")),
        16 => (Some(Layer::Tts), error("primary-tts", "gone")),
        17 => (
            llm,
            switched("primary-llm", "backup-llm", SwitchCause::Failover),
        ),
        18 => (
            llm,
            switched("backup-llm", "primary-llm", SwitchCause::Manual),
        ),
        19 => (
            tools,
            Fact::ToolStarted {
                tool: tool("t1"),
                writes: true,
            },
        ),
        20 => (
            tools,
            Fact::ToolStarted {
                tool: tool("t2"),
                writes: false,
            },
        ),
        21 => (tools, completed(5)),
        22 => (tools, Fact::ToolCancelled { tool: tool("t2") }),
        23 => (
            tools,
            Fact::ToolTimedOut {
                tool: tool("t1"),
                deadline_ms: None,
            },
        ),
        24 => (
            None,
            Fact::AgentStateChanged {
                to: AgentActivity::Holding,
            },
        ),
        25 => (
            None,
            Fact::AgentStateChanged {
                to: AgentActivity::Listening,
            },
        ),
        26 => (
            None,
            Fact::AgentStateChanged {
                to: AgentActivity::Thinking,
            },
        ),
        27 => (None, quality(0.0)),
        28 => (None, quality(0.3)),
        29 => (None, quality(f64::NAN)),
        30 => (None, Fact::TransportDisconnected { reason: "x".into() }),
        31 => (None, Fact::TransportReconnected { reason: "x".into() }),
        32 => (None, Fact::PipelineStalled { secs: 3.0 }),
        33 => (
            None,
            Fact::WorkerLost {
                worker: "w".into(),
                region: None,
            },
        ),
        34 => (llm, latency()),
        35 => (None, Fact::SpeechInterrupted { by: caller }),
        36 => update(CallUpdated {
            ai: Some(AiState::Paused),
            ..Default::default()
        }),
        37 => update(CallUpdated {
            ai: Some(AiState::Active),
            protected: Some(None),
            sentiment: Some(1.0 / 3.0),
            ..Default::default()
        }),
        38 => update(CallUpdated {
            protected: Some(Some(Protected::Payment)),
            ..Default::default()
        }),
        39 => (None, handoff_asked()),
        _ => (
            None,
            Fact::CallEnded {
                reason: "x".into(),
                ended_by: EndedBy::Caller,
            },
        ),
    }
}

fn ended(chars: u32, tool_calls: u32) -> Fact<'static> {
    Fact::LlmResponseEnded {
        service: "primary-llm".into(),
        chars,
        tool_calls,
    }
}

fn completed(duration_ms: i64) -> Fact<'static> {
    Fact::ToolCompleted {
        tool: tool("t1"),
        duration_ms,
        result: None,
        effect: None,
    }
}

fn quality(loss: f64) -> Fact<'static> {
    Fact::TransportQuality {
        rtt_ms: 20.0,
        jitter_ms: 1.0,
        loss,
    }
}

fn latency() -> Fact<'static> {
    Fact::ServiceLatency {
        service: "primary-llm".into(),
        metric: LatencyMetric::Ttft,
        ms: 0.0,
        probe: false,
    }
}

fn handoff_asked() -> Fact<'static> {
    Fact::HandoffRequested {
        to: "billing".into(),
        reason: "caller".into(),
    }
}

fn verb(n: usize) -> ActVerb {
    match n {
        0 => switch(None),
        1 => switch(Some("primary-llm")),
        2 => ActVerb::PauseAi,
        3 => ActVerb::ResumeAi,
        4 => ActVerb::DisableTools { tools: Vec::new() },
        5 => ActVerb::Announce {
            text: "One moment".to_owned(),
        },
        _ => ActVerb::RouteToHumans,
    }
}

fn answer(n: usize) -> AnswerState {
    match n {
        0 => AnswerState::Accepted,
        1 => switched_to("backup-llm", true),
        2 => switched_to("primary-llm", false),
        3 => AnswerState::Applied(ReadBack {
            bridged: Some(true),
            spoken: Some(true),
            ..ReadBack::default()
        }),
        4 => AnswerState::Applied(ReadBack {
            ai: Some(AiState::Paused),
            ..ReadBack::default()
        }),
        5 => AnswerState::Rejected(RejectionKind::TargetUnusable, "no".to_owned()),
        6 => AnswerState::Failed(FailureKind::PlatformError, "no".to_owned()),
        7 => AnswerState::Expired,
        _ => AnswerState::Applied(ReadBack::default()),
    }
}

fn play(script: &mut Script, happening: &Happening) {
    match happening {
        Happening::Wait(ms) => script.wait(*ms),
        Happening::Fact(call, n, late) => {
            let (layer, fact) = fact(*n);
            script.late_ms = *late;
            script.layer_fact(CALLS[*call], layer, fact);
            script.late_ms = 0;
        }
        Happening::Foreign(call, n) => {
            let (layer, fact) = fact(*n);
            script.fact_from(OTHER, CALLS[*call], layer, fact);
        }
        Happening::Start(call, resumed) => {
            let mut told = started();
            told.resumed = *resumed;
            script.fact(CALLS[*call], Fact::CallStarted(Box::new(told)));
        }
        Happening::Snapshot(whole) => {
            let named = if *whole { &CALLS[..] } else { &CALLS[..1] };
            let calls = named.iter().map(|call| (*call).into()).collect();
            script.fact("*", Fact::StreamSnapshot { calls });
        }
        Happening::CaughtUp => script.fact("*", Fact::StreamCaughtUp),
        Happening::Gap => script.fact(
            "*",
            Fact::StreamGapDetected {
                from_seq: 1,
                to_seq: 2,
                missing: 2,
            },
        ),
        Happening::Heartbeat(live_calls) => script.fact(
            "*",
            Fact::BridgeHeartbeat {
                live_calls: *live_calls,
                buffered: 0,
                unmapped: 0,
            },
        ),
        Happening::Mute => script.mute(BRIDGE),
        Happening::Disconnect => script.disconnect(BRIDGE),
        Happening::Connect(is_new) => {
            let epoch = if *is_new { "epoch-2" } else { "epoch-1" };
            script.connect(BRIDGE, epoch);
        }
        Happening::Restart => script.control(Control::Restarted),
        Happening::Act(n, call) => {
            let target = if *n == 7 {
                Target::AllCalls
            } else {
                calls(&[CALLS[*call]])
            };
            script.act(verb(*n), target);
        }
        Happening::Answer(n, back) => {
            let sent = script.sent_ids();
            if let Some(command) = sent.iter().rev().nth(*back).cloned() {
                script.answer(&command, answer(*n));
            }
        }
        Happening::Arm(armed) => script.control(Control::Playbooks {
            playbooks: vec![crate::failover::playbook(|_| {})],
            armed: *armed,
        }),
        Happening::Human(what, who) => human(script, *what, ["ana", "bob"][*who]),
    }
}

fn human(script: &mut Script, what: usize, name: &str) {
    let handoff = script.handoffs().pop().map(|handoff| handoff.id);
    match (what, handoff) {
        (0, _) => script.human(name),
        (1, _) => script.control(Control::Presence {
            name: name.to_owned(),
            present: false,
        }),
        (2, _) => {
            let state = HumanState::Away;
            script.ask(&agent(name), Request::SetHumanState { state });
        }
        (3, Some(handoff)) => {
            script.ask(&agent(name), Request::SeeHandoff { handoff });
        }
        (4, Some(handoff)) => {
            let reason = String::new();
            script.ask(&agent(name), Request::DeclineHandoff { handoff, reason });
        }
        (_, Some(handoff)) => {
            script.ask(&agent(name), Request::AcceptHandoff { handoff });
        }
        (_, None) => {}
    }
}

/// Facts of a layer's own work, or of a turn that needed it; a call without any is never green.
fn is_work(happening: &Happening) -> bool {
    // Speech, transcripts, the ends of responses and tools, a good line, a line that is back.
    const WORK: [usize; 9] = [0, 2, 4, 6, 9, 10, 21, 27, 31];
    matches!(happening, Happening::Fact(_, n, _) if WORK.contains(n))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_sequence_is_survived_and_replays_the_same(
        happenings in prop::collection::vec(happening(), 1..160)
    ) {
        let mut script = Script::new();
        script.connect(OTHER, "epoch-1");
        for call in CALLS {
            script.call(call);
        }
        for happening in &happenings {
            play(&mut script, happening);
        }
        script.check_replay();
    }

    #[test]
    fn nothing_turns_green_without_work(
        happenings in prop::collection::vec(
            happening().prop_filter("work", |happening| !is_work(happening)), 1..120)
    ) {
        let mut script = Script::new();
        script.connect(OTHER, "epoch-1");
        for call in CALLS {
            script.call(call);
        }
        for happening in &happenings {
            play(&mut script, happening);
            for summary in script.summaries() {
                for (layer, health) in summary.layers.iter() {
                    prop_assert_ne!(health.state, LayerState::Healthy, "{:?}", layer);
                }
            }
        }
    }

    #[test]
    fn a_handoff_that_is_open_belongs_to_a_live_call_and_a_closed_one_to_none(
        happenings in prop::collection::vec(happening(), 1..160)
    ) {
        let mut script = Script::new();
        script.connect(OTHER, "epoch-1");
        for name in ["ana", "bob"] {
            script.human(name);
        }
        for call in CALLS {
            script.call(call);
        }
        for happening in &happenings {
            play(&mut script, happening);
            for handoff in script.handoffs() {
                let live = script.engine.summary(&handoff.call);
                let is_named = live.is_some_and(|live| live.handoff == Some(handoff.id.clone()));
                prop_assert_eq!(is_named, !handoff.state.is_final(), "{:?}", handoff);
            }
        }
    }
}
