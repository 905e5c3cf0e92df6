//! Whom an act touches, whom it leaves alone and why, and what a preview says.

use holdfast_domain::fact::{CallUpdated, Fact};
use holdfast_domain::{
    Act, ActId, ActVerb, AiState, CallId, Capability, ExcludedReason, FaultScope, Layer, Protected,
    RefusalCode, Reply, Request, Rung, SourceId, Target,
};
use holdfast_engine::Person;

use crate::script::{BRIDGE, Script, calls, started, supervisor, switch};

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

fn excluded(script: &Script, verb: &ActVerb, call: &str) -> Option<ExcludedReason> {
    let preview = script
        .engine
        .preview(verb, &calls(&[call]), &supervisor())
        .expect("it may be asked");
    assert_eq!(preview.calls.len() + preview.excluded.len(), 1);
    preview.excluded.first().map(|excluded| excluded.reason)
}

fn refused(script: &Script, verb: &ActVerb, target: &Target, who: &Person) -> RefusalCode {
    let refusal = script
        .engine
        .preview(verb, target, who)
        .expect_err("refused");
    assert!(!refusal.message.is_empty());
    refusal.code
}

#[test]
fn a_call_that_is_over_is_left_alone() {
    let script = good_call();
    assert_eq!(
        excluded(&script, &switch(None), "gone"),
        Some(ExcludedReason::NotLive)
    );
}

#[test]
fn a_call_with_a_human_is_left_alone() {
    let mut script = good_call();
    script.fact(
        "c",
        Fact::HandoffCompleted {
            handoff_id: None,
            to: "ana".into(),
        },
    );
    assert_eq!(
        excluded(&script, &switch(None), "c"),
        Some(ExcludedReason::WithHuman)
    );
    let all = script
        .engine
        .preview(&switch(None), &Target::AllCalls, &supervisor())
        .expect("it may be asked");
    assert_eq!(
        (all.calls.len(), all.excluded.len()),
        (0, 0),
        "all means all of the AI"
    );
}

#[test]
fn payments_identity_checks_and_writes_are_not_disturbed() {
    for protected in [Protected::Payment, Protected::Identity] {
        let mut script = good_call();
        script.update(
            "c",
            CallUpdated {
                protected: Some(Some(protected)),
                ..Default::default()
            },
        );
        for verb in [switch(None), ActVerb::PauseAi, ActVerb::RouteToHumans] {
            let reason = excluded(&script, &verb, "c");
            assert_eq!(reason, Some(ExcludedReason::ProtectedMoment), "{verb:?}");
        }
        let tools = Vec::new();
        assert_eq!(
            excluded(&script, &ActVerb::EnableTools { tools }, "c"),
            None
        );
        script.update(
            "c",
            CallUpdated {
                protected: Some(None),
                ..Default::default()
            },
        );
        assert_eq!(excluded(&script, &switch(None), "c"), None);
    }
    let mut script = good_call();
    script.tool_starts("c", "t1", true);
    assert_eq!(
        excluded(&script, &switch(None), "c"),
        Some(ExcludedReason::ProtectedMoment)
    );
    script.wait(10_100);
    assert_eq!(
        excluded(&script, &switch(None), "c"),
        None,
        "it is long overdue"
    );
}

#[test]
fn what_a_call_cannot_do_is_not_asked_of_it() {
    let mut script = Script::new();
    let mut told = started();
    told.capabilities = Some(vec![Capability {
        name: "switch_model".to_owned(),
        available: false,
        reason: Some("one model only".to_owned()),
        faults: Vec::new(),
    }]);
    script.fact("c", Fact::CallStarted(Box::new(told)));
    assert_eq!(
        excluded(&script, &switch(None), "c"),
        Some(ExcludedReason::NotCapable)
    );
    assert_eq!(
        excluded(&script, &ActVerb::PauseAi, "c"),
        Some(ExcludedReason::NotCapable)
    );
}

#[test]
fn a_switch_needs_a_target_that_does_not_serve_already() {
    let script = good_call();
    let tts = ActVerb::SwitchModel {
        layer: Layer::Tts,
        to: None,
    };
    assert_eq!(excluded(&script, &tts, "c"), Some(ExcludedReason::NoTarget));
    let unknown = switch(Some("nobody"));
    assert_eq!(
        excluded(&script, &unknown, "c"),
        Some(ExcludedReason::NoTarget)
    );
    let same = switch(Some("primary-llm"));
    assert_eq!(
        excluded(&script, &same, "c"),
        Some(ExcludedReason::AlreadySo)
    );
    assert_eq!(excluded(&script, &switch(Some("backup-llm")), "c"), None);
}

#[test]
fn the_next_usable_service_is_the_target_and_a_named_one_is_tried() {
    let mut script = good_call();
    script.layer_fact(
        "c",
        Some(Layer::Llm),
        Fact::ServiceAvailabilityChanged {
            service: "backup-llm".into(),
            available: false,
            reason: None,
        },
    );
    assert_eq!(
        excluded(&script, &switch(None), "c"),
        Some(ExcludedReason::NoTarget)
    );
    assert_eq!(excluded(&script, &switch(Some("backup-llm")), "c"), None);
}

#[test]
fn what_is_already_so_is_left_alone() {
    let mut script = good_call();
    assert_eq!(
        excluded(&script, &ActVerb::ResumeAi, "c"),
        Some(ExcludedReason::AlreadySo)
    );
    script.update(
        "c",
        CallUpdated {
            ai: Some(AiState::Paused),
            ..Default::default()
        },
    );
    assert_eq!(
        excluded(&script, &ActVerb::PauseAi, "c"),
        Some(ExcludedReason::AlreadySo)
    );
    script.fact(
        "c",
        Fact::ToolCatalogChanged {
            enabled: vec!["pay".into()],
            disabled: vec!["track".into()],
        },
    );
    let off = |tool: &str| ActVerb::DisableTools {
        tools: vec![tool.to_owned()],
    };
    assert_eq!(
        excluded(&script, &off("track"), "c"),
        Some(ExcludedReason::AlreadySo)
    );
    assert_eq!(
        excluded(&script, &off("nothing"), "c"),
        Some(ExcludedReason::NoTarget)
    );
    assert_eq!(excluded(&script, &off("pay"), "c"), None);
}

#[test]
fn a_call_with_a_command_under_way_is_busy_until_it_is_applied() {
    let mut script = good_call();
    let id = script.act_on(switch(None), "c");
    assert_eq!(
        excluded(&script, &ActVerb::PauseAi, "c"),
        Some(ExcludedReason::Busy)
    );
    script.answer(&id, crate::script::switched_to("backup-llm", false));
    assert_eq!(excluded(&script, &ActVerb::PauseAi, "c"), None);
}

#[test]
fn a_handoff_that_waits_keeps_off_another_but_not_a_repair() {
    let mut script = good_call();
    script.act(ActVerb::RouteToHumans, calls(&["c"]));
    assert_eq!(
        excluded(&script, &ActVerb::RouteToHumans, "c"),
        Some(ExcludedReason::Busy)
    );
    assert_eq!(excluded(&script, &switch(None), "c"), None);
}

#[test]
fn rights_are_checked_for_preview_and_act_alike() {
    let mut script = good_call();
    let nobody = Person {
        can_act: false,
        can_act_on_all: false,
        ..supervisor()
    };
    let single = Person {
        can_act_on_all: false,
        ..supervisor()
    };
    let one = calls(&["c"]);
    let fault = ActVerb::StartFault {
        fault: "llm_503".to_owned(),
        scope: FaultScope::default(),
    };
    let platform = Target::Platform {
        source: SourceId::new(BRIDGE),
    };
    assert_eq!(
        refused(&script, &switch(None), &one, &nobody),
        RefusalCode::Forbidden
    );
    let all = Target::AllCalls;
    assert_eq!(
        refused(&script, &switch(None), &all, &single),
        RefusalCode::Forbidden
    );
    assert_eq!(
        refused(&script, &fault, &platform, &single),
        RefusalCode::Forbidden
    );
    assert!(script.engine.preview(&switch(None), &one, &single).is_ok());
    let act = Act {
        id: ActId::new("a"),
        verb: switch(None),
        target: Target::AllCalls,
    };
    let reply = script.ask(&single, Request::Act { act });
    assert!(matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::Forbidden));
    assert!(script.engine.records().is_empty());
}

#[test]
fn acts_that_make_no_sense_are_refused() {
    let script = good_call();
    let one = calls(&["c"]);
    let who = supervisor();
    let network = ActVerb::SwitchModel {
        layer: Layer::Network,
        to: None,
    };
    let empty = ActVerb::Announce {
        text: "  ".to_owned(),
    };
    let long = ActVerb::Announce {
        text: "a".repeat(501),
    };
    for verb in [network, empty, long] {
        assert_eq!(
            refused(&script, &verb, &one, &who),
            RefusalCode::Invalid,
            "{verb:?}"
        );
    }
    assert_eq!(
        refused(&script, &switch(None), &calls(&[]), &who),
        RefusalCode::Invalid
    );
    let too_many = Target::Calls {
        calls: (0..10_001).map(|n| CallId::new(format!("c{n}"))).collect(),
    };
    assert_eq!(
        refused(&script, &switch(None), &too_many, &who),
        RefusalCode::Invalid
    );
    let platform = |source: &str| Target::Platform {
        source: SourceId::new(source),
    };
    let fault = |fault: &str, share| ActVerb::StartFault {
        fault: fault.to_owned(),
        scope: FaultScope {
            share,
            ..FaultScope::default()
        },
    };
    let known = fault("llm_503", None);
    assert_eq!(refused(&script, &known, &one, &who), RefusalCode::Invalid);
    assert_eq!(
        refused(&script, &known, &platform("//no"), &who),
        RefusalCode::NotFound
    );
    let unknown = fault("flood", None);
    assert_eq!(
        refused(&script, &unknown, &platform(BRIDGE), &who),
        RefusalCode::Invalid
    );
    let share = fault("llm_503", Some(1.5));
    assert_eq!(
        refused(&script, &share, &platform(BRIDGE), &who),
        RefusalCode::Invalid
    );
    let switch_all = refused(&script, &switch(None), &platform(BRIDGE), &who);
    assert_eq!(switch_all, RefusalCode::Invalid);
}

#[test]
fn a_preview_counts_whom_it_touches_and_says_it_in_a_sentence() {
    let mut script = good_call();
    script.call("d");
    script.call("e");
    script.update(
        "e",
        CallUpdated {
            protected: Some(Some(Protected::Payment)),
            ..Default::default()
        },
    );
    script.caller_says("c", "hello");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.human("ana");
    let preview = script
        .engine
        .preview(&switch(None), &Target::AllCalls, &supervisor())
        .expect("it may be asked");
    assert_eq!(preview.calls, [CallId::new("c"), CallId::new("d")]);
    assert_eq!(preview.failing, 1);
    assert_eq!(preview.by_rung, [(Rung::Primary, 2)]);
    assert_eq!(preview.becomes, [("backup-llm".to_owned(), 2)]);
    assert_eq!(preview.announcement, None);
    assert_eq!(
        preview.sentence,
        "Touches 2 of 3 calls (backup-llm: 2). 1 is in a payment, an identity check or a write."
    );
    let preview = script
        .engine
        .preview(&ActVerb::RouteToHumans, &calls(&["c"]), &supervisor())
        .expect("it may be asked");
    assert_eq!(preview.humans_free, 1);
    assert!(
        preview
            .announcement
            .expect("they hear it")
            .starts_with("Un momento")
    );
    assert_eq!(
        preview.sentence,
        "Touches this one call (human: 1). Humans free: 1."
    );
}

#[test]
fn a_preview_can_be_asked_for_as_a_request_and_does_nothing() {
    let mut script = good_call();
    let reply = script.ask(
        &supervisor(),
        Request::Preview {
            verb: switch(None),
            target: calls(&["c", "c"]),
        },
    );
    let Reply::Preview { preview } = reply else {
        panic!("a preview: {reply:?}");
    };
    assert_eq!(
        preview.calls.len(),
        1,
        "a call that is named twice is one call"
    );
    assert!(script.engine.records().is_empty());
}

#[test]
fn an_act_needs_an_id_and_few_tools() {
    let mut script = good_call();
    for id in [String::new(), "x".repeat(65)] {
        let act = Act {
            id: ActId::new(id),
            verb: switch(None),
            target: calls(&["c"]),
        };
        let reply = script.ask(&supervisor(), Request::Act { act });
        assert!(
            matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::Invalid)
        );
    }
    let tools = vec!["t".to_owned(); 65];
    let verb = ActVerb::DisableTools { tools };
    let code = refused(&script, &verb, &calls(&["c"]), &supervisor());
    assert_eq!(code, RefusalCode::Invalid);
}

#[test]
fn nobody_injects_faults_while_blind() {
    let mut script = good_call();
    script.mute(BRIDGE);
    script.wait(4_000);
    let platform = Target::Platform {
        source: SourceId::new(BRIDGE),
    };
    let verb = ActVerb::StopFault { id: None };
    let code = refused(&script, &verb, &platform, &supervisor());
    assert_eq!(code, RefusalCode::Stale);
}
