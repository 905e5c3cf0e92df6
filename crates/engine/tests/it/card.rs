//! The handoff card: from the platform, from the caller's own words, or missing.

use holdfast_domain::fact::{CallUpdated, Fact};
use holdfast_domain::{
    CardField, CardGap, CardPart, CardSource, IdentityLevel, IdentityState, Layer, PromiseMade,
    Slot, UtteranceRole,
};

use crate::script::Script;

fn slot(name: &str, value: &str, confidence: f64) -> Slot {
    Slot {
        name: name.to_owned(),
        value: value.to_owned(),
        confidence: Some(confidence),
        turn: Some(1),
    }
}

#[test]
fn an_empty_card_says_what_is_missing() {
    let mut script = Script::new();
    script.call("c");
    let card = script.detail("c").card;
    assert_eq!(card.ask, CardField::Missing);
    assert_eq!(card.summary, CardField::Missing);
    assert_eq!(card.intent, CardField::Missing);
    assert_eq!(card.identity, None);
    assert_eq!(card.failure, None);
    assert_eq!(card.customer.as_deref(), Some("Maria G."));
    assert_eq!(
        card.say_first.text(),
        Some("Maria G., ahora le atiendo yo. Disculpe la espera.")
    );
}

#[test]
fn what_the_platform_says_comes_first() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.update(
        "c",
        CallUpdated {
            ask: Some("dispute a double charge".into()),
            summary: Some("charged twice on 3 November".into()),
            intent: Some("billing.dispute".into()),
            sentiment: Some(-0.25),
            slots: vec![slot("amount", "84", 0.5)],
            identity: Some(IdentityState {
                method: "phone".to_owned(),
                level: IdentityLevel::Full,
                at: None,
                valid: true,
            }),
            promises: Some(vec![PromiseMade {
                text: "I will refund this today".to_owned(),
                turn: Some(2),
                confirmed: false,
                source: CardSource::Platform,
            }]),
            ..Default::default()
        },
    );
    script.update(
        "c",
        CallUpdated {
            sentiment: Some(0.123_456),
            slots: vec![
                slot("amount", "84.20", 0.912_345),
                slot("date", "3 Nov", 1.0),
            ],
            ..Default::default()
        },
    );
    let card = script.detail("c").card;
    assert_eq!(
        card.ask,
        CardField::FromPlatform {
            text: "dispute a double charge".to_owned()
        }
    );
    assert_eq!(
        card.say_first.text(),
        Some("Maria G., tengo aquí su solicitud: «dispute a double charge». Disculpe la espera.")
    );
    let amounts: Vec<&str> = card.slots.iter().map(|slot| slot.value.as_str()).collect();
    assert_eq!(
        amounts,
        ["84.20", "3 Nov"],
        "merged by name, in the order collected"
    );
    assert_eq!(card.slots[0].confidence, Some(0.912));
    assert_eq!(card.sentiment, [-0.25, 0.123]);
    assert_eq!(card.identity.expect("proved").at, Some(script.now()));
    assert_eq!(card.promises.len(), 1);
}

#[test]
fn without_the_platform_the_callers_own_words_are_taken_and_marked() {
    let mut script = Script::new();
    script.call("c");
    script.caller_says("c", "hi there");
    script.agent_answers("c", "primary-llm", 300);
    script.caller_says("c", "I was charged twice on my card");
    let card = script.detail("c").card;
    assert_eq!(
        card.ask,
        CardField::Extracted {
            text: "I was charged twice on my card".to_owned()
        }
    );
    assert_eq!(
        card.summary,
        CardField::Extracted {
            text: "caller: “hi there” … agent: “Certainly, let me see to that.” … caller: “I was \
                   charged twice on my card”"
                .to_owned()
        }
    );
}

#[test]
fn the_last_three_turns_are_word_for_word_with_what_was_never_spoken() {
    let mut script = Script::new();
    script.call("c");
    for _ in 0..4 {
        script.good_turn("c");
    }
    script.fact(
        "c",
        Fact::TranscriptFinal {
            role: UtteranceRole::Agent,
            text: "It arrives on Friday".into(),
            language: None,
            turn: Some(4),
            interrupted: true,
            unspoken: Some("on Friday".into()),
        },
    );
    let turns = script.detail("c").card.last_turns;
    assert_eq!(turns.len(), 7);
    assert_eq!(turns[0].role, UtteranceRole::Caller);
    assert_eq!(turns[6].unspoken, "on Friday");
}

#[test]
fn the_card_names_the_layer_that_failed_and_the_silence_that_was_borne() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(5_100);
    let card = script.detail("c").card;
    let failure = card.failure.expect("it failed");
    assert_eq!(failure.layer, Layer::Llm);
    assert_eq!(
        failure.text,
        "silent for over 5 s: LLM primary-llm answered 503, no retry"
    );
    assert_eq!(card.silence_ms, 5_000);
    script.wait(900);
    script.caller_says("c", "hello?");
    script.wait(1_000);
    assert_eq!(script.detail("c").card.silence_ms, 6_000);
}

#[test]
fn a_failure_that_is_over_still_says_why_the_human_is_here() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.caller_says("c", "are you there?");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.agent_answers("c", "primary-llm", 300);
    script.good_turn("c");
    assert_eq!(
        script.detail("c").card.failure.expect("it was").layer,
        Layer::Llm
    );
}

#[test]
fn the_transcript_keeps_the_newest_two_hundred_and_one_guess() {
    let mut script = Script::new();
    script.call("c");
    for n in 0..205 {
        let text: &'static str = Box::leak(format!("utterance {n}").into_boxed_str());
        script.transcript("c", UtteranceRole::Caller, text);
    }
    for text in ["I wa", "I want to"] {
        let role = UtteranceRole::Caller;
        script.fact(
            "c",
            Fact::TranscriptPartial {
                role,
                text: text.into(),
            },
        );
    }
    let transcript = script.detail("c").transcript;
    assert_eq!(transcript.len(), 201);
    assert_eq!(transcript[0].text, "utterance 5");
    assert!(!transcript[200].is_final);
    assert_eq!(script.summary("c").caller_said, "I want to");
    script.transcript("c", UtteranceRole::Caller, "I want to cancel");
    let transcript = script.detail("c").transcript;
    assert!(transcript.iter().all(|utterance| utterance.is_final));
}

#[test]
fn the_timeline_shows_who_worked_when_and_forgets_after_three_minutes() {
    use holdfast_domain::LaneKind;
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    let lanes: Vec<LaneKind> = script
        .detail("c")
        .lanes
        .iter()
        .map(|span| span.lane)
        .collect();
    assert_eq!(
        lanes,
        [
            LaneKind::Caller,
            LaneKind::Asr,
            LaneKind::Silence,
            LaneKind::Llm,
            LaneKind::Tts
        ]
    );
    assert!(
        script
            .detail("c")
            .lanes
            .iter()
            .all(|span| span.to.is_some())
    );
    script.tool_starts("c", "t1", false);
    script.tool_fails("c", "t1");
    let tool = script.detail("c").lanes.pop().expect("a span");
    assert_eq!(
        (tool.lane, tool.failed, tool.label.as_str()),
        (LaneKind::Tools, true, "track_order")
    );
    script.wait(181_000);
    assert!(script.detail("c").lanes.is_empty());
}

#[test]
fn a_summary_quotes_only_what_was_heard() {
    let mut script = Script::new();
    script.call("c");
    script.caller_says("c", "where is my parcel please");
    let say = |text: &'static str, unspoken: &'static str| Fact::TranscriptFinal {
        role: UtteranceRole::Agent,
        text: text.into(),
        language: None,
        turn: None,
        interrupted: true,
        unspoken: Some(unspoken.into()),
    };
    script.fact("c", say("It arrives on Friday", "on Friday"));
    script.fact("c", say("By noon", "By noon"));
    assert_eq!(
        script.detail("c").card.summary.text(),
        Some("caller: “where is my parcel please” … agent: “It arrives”")
    );
}

#[test]
fn names_lists_and_promises_are_bounded() {
    let mut script = Script::new();
    script.call("c");
    let promise = PromiseMade {
        text: "p".repeat(1_000),
        turn: None,
        confirmed: false,
        source: CardSource::Platform,
    };
    script.update(
        "c",
        CallUpdated {
            queue: Some("q".repeat(1_000).into()),
            promises: Some(vec![promise; 50]),
            ..Default::default()
        },
    );
    script.fact(
        "c",
        Fact::ToolCatalogChanged {
            enabled: (0..300).map(|n| format!("tool-{n}").into()).collect(),
            disabled: Vec::new(),
        },
    );
    let detail = script.detail("c");
    assert_eq!(detail.summary.queue.chars().count(), 200);
    assert_eq!(detail.card.promises.len(), 32);
    assert_eq!(detail.card.promises[0].text.chars().count(), 300);
    assert_eq!(detail.tools_enabled.len(), 256);
}

fn missing(part: CardPart) -> CardGap {
    CardGap::Missing { part }
}

fn agent_says(script: &mut Script, text: &'static str, unspoken: &'static str) {
    let said = Fact::TranscriptFinal {
        role: UtteranceRole::Agent,
        text: text.into(),
        language: None,
        turn: Some(3),
        interrupted: !unspoken.is_empty(),
        unspoken: (!unspoken.is_empty()).then(|| unspoken.into()),
    };
    script.fact("c", said);
}

fn in_english(script: &mut Script) {
    let language = Some("en-US".into());
    script.update(
        "c",
        CallUpdated {
            language,
            ..Default::default()
        },
    );
}

#[test]
fn promises_are_taken_from_what_the_caller_heard_of_the_agents_words() {
    let mut script = Script::new();
    script.call("c");
    in_english(&mut script);
    agent_says(
        &mut script,
        "Done. You will get a letter within ten days. Is there anything else?",
        "",
    );
    // Said again after a failure it is one promise; what was never spoken is none.
    agent_says(&mut script, "You will get a letter within ten days.", "");
    let unspoken = "We will call you today.";
    agent_says(
        &mut script,
        "I have noted it. We will call you today.",
        unspoken,
    );
    let promises = script.detail("c").card.promises;
    assert_eq!(
        promises,
        [PromiseMade {
            text: "You will get a letter within ten days.".to_owned(),
            turn: Some(3),
            confirmed: false,
            source: CardSource::Extracted,
        }]
    );
}

#[test]
fn promises_that_the_platform_tells_come_alone() {
    let mut script = Script::new();
    script.call("c");
    in_english(&mut script);
    agent_says(&mut script, "You will get a letter within ten days.", "");
    let told = PromiseMade {
        text: "letter in ten days".to_owned(),
        turn: Some(1),
        confirmed: true,
        source: CardSource::Platform,
    };
    script.update(
        "c",
        CallUpdated {
            promises: Some(vec![told.clone()]),
            ..Default::default()
        },
    );
    assert_eq!(script.detail("c").card.promises, [told]);
}

#[test]
fn a_card_lists_what_nobody_said() {
    let mut script = Script::new();
    script.call("c");
    let gaps = script.detail("c").card.gaps;
    for part in [
        CardPart::Ask,
        CardPart::Summary,
        CardPart::Intent,
        CardPart::Slots,
        CardPart::Identity,
        CardPart::LastTurns,
    ] {
        assert!(gaps.contains(&missing(part)), "{part:?}");
    }
    assert!(!gaps.contains(&missing(CardPart::Customer)));
    let is_doubt = |gap: &CardGap| matches!(gap, CardGap::Doubtful { part, .. } if *part == CardPart::Promises);
    assert!(gaps.iter().any(is_doubt), "nobody told of promises");
    assert!(!gaps.contains(&missing(CardPart::Newest)));
    assert!(gaps.is_sorted_by_key(CardGap::part));
    // In a language without a table nobody can say whether something was promised.
    let language = Some("fi".into());
    script.update(
        "c",
        CallUpdated {
            language,
            ..Default::default()
        },
    );
    let gaps = script.detail("c").card.gaps;
    assert!(gaps.contains(&missing(CardPart::Promises)));
}

#[test]
fn a_card_lists_what_may_not_be_so() {
    let mut script = Script::new();
    script.call("c");
    script.update(
        "c",
        CallUpdated {
            slots: vec![slot("amount", "84.20", 0.42), slot("day", "3 Nov", 0.9)],
            identity: Some(IdentityState {
                method: "phone".to_owned(),
                level: IdentityLevel::Full,
                at: None,
                valid: false,
            }),
            ..Default::default()
        },
    );
    script.tool_starts("c", "t1", true);
    let doubts: Vec<(CardPart, String)> = script
        .detail("c")
        .card
        .gaps
        .into_iter()
        .filter_map(|gap| match gap {
            CardGap::Doubtful { part, why } if part != CardPart::Promises => Some((part, why)),
            CardGap::Doubtful { .. } | CardGap::Missing { .. } => None,
        })
        .collect();
    assert_eq!(
        doubts,
        [
            (CardPart::Slots, "amount: heard with 0.42 of 1".to_owned()),
            (
                CardPart::Identity,
                "it was proved and no longer holds".to_owned()
            ),
            (CardPart::Tools, "track_order: has not answered".to_owned()),
        ]
    );
}

#[test]
fn a_card_of_a_bridge_that_is_not_heard_says_that_the_newest_is_missing() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.disconnect(crate::script::BRIDGE);
    let card = script.detail("c").card;
    assert!(card.gaps.contains(&missing(CardPart::Newest)));
    assert!(!card.last_turns.is_empty(), "what was told stays");
}
