use holdfast_domain::fact::{Speaker, ToolRef};
use holdfast_domain::{PromiseMade, Slot};

use super::*;

const CARD: &str = "4111 1111 1111 1111";
const MARK: &str = "[card ending 1111]";

fn said(text: &'static str, unspoken: Option<&'static str>) -> Fact<'static> {
    Fact::TranscriptFinal {
        role: UtteranceRole::Agent,
        text: text.into(),
        language: None,
        turn: None,
        interrupted: false,
        unspoken: unspoken.map(Into::into),
    }
}

fn tool() -> ToolRef<'static> {
    ToolRef {
        name: "pay".into(),
        id: "1".into(),
    }
}

/// Every fact that can carry words of a person, filled with a card's number in each of them.
fn facts() -> Vec<Fact<'static>> {
    let card = || Cow::Borrowed(CARD);
    vec![
        said(CARD, Some(CARD)),
        Fact::TranscriptPartial {
            role: UtteranceRole::Caller,
            text: card(),
        },
        Fact::CallUpdated(Box::new(CallUpdated {
            intent: Some(card()),
            ask: Some(card()),
            summary: Some(card()),
            slots: vec![Slot {
                name: "thing".into(),
                value: CARD.into(),
                confidence: None,
                turn: None,
            }],
            identity: Some(holdfast_domain::IdentityState {
                method: CARD.into(),
                level: holdfast_domain::IdentityLevel::None,
                at: None,
                valid: false,
            }),
            promises: Some(vec![PromiseMade {
                text: CARD.into(),
                turn: None,
                confirmed: false,
                source: holdfast_domain::CardSource::Platform,
            }]),
            ..CallUpdated::default()
        })),
        Fact::ToolRequested {
            tool: tool(),
            args: Some(card()),
        },
        Fact::ToolCompleted {
            tool: tool(),
            duration_ms: 1,
            result: Some(card()),
            effect: None,
        },
        Fact::ToolFailed {
            tool: tool(),
            error_type: card(),
            message: card(),
        },
        Fact::ServiceError {
            service: "llm".into(),
            error_type: card(),
            message: card(),
            permanent: false,
            usable: None,
        },
        Fact::ServiceAvailabilityChanged {
            service: "llm".into(),
            available: false,
            reason: Some(card()),
        },
        Fact::HandoffRequested {
            to: card(),
            reason: card(),
        },
        Fact::HandoffFailed {
            handoff_id: None,
            reason: card(),
        },
        Fact::ParticipantJoined {
            identity: card(),
            kind: "caller".into(),
        },
        Fact::CallEnded {
            reason: card(),
            ended_by: holdfast_domain::fact::EndedBy::Caller,
        },
    ]
}

#[test]
fn every_text_of_every_fact_is_masked() {
    for mut fact in facts() {
        let before = format!("{fact:?}").matches(CARD).count();
        let mut conversation = Conversation::default();
        let (conversation, mut has_text) = (&mut conversation, false);
        let asked = || {
            has_text = true;
            conversation
        };
        mask(asked, &mut fact);
        assert!(before > 0 && has_text);
        let after = format!("{fact:?}");
        assert!(!after.contains("1111 1111"), "{after}");
        let marks = after.matches(MARK).count() + after.matches("[number]").count();
        assert_eq!(marks, before, "{after}");
    }
}

#[test]
fn the_unspoken_tail_stays_the_tail() {
    let text = "I have 4111 1111 1111 1111 on file, right?";
    for (unspoken, expected) in [
        (" on file, right?", " on file, right?"),
        (
            " 1111 1111 on file, right?",
            "[card ending 1111] on file, right?",
        ),
        (
            "4111 1111 1111 1111 on file, right?",
            "[card ending 1111] on file, right?",
        ),
        ("right?", "right?"),
        (
            "have 4111 1111 1111 1111 on file, right?",
            "have [card ending 1111] on file, right?",
        ),
    ] {
        let mut fact = said(text, Some(unspoken));
        let mut conversation = Conversation::default();
        mask(|| &mut conversation, &mut fact);
        let Fact::TranscriptFinal {
            text,
            unspoken: Some(unspoken),
            ..
        } = fact
        else {
            panic!("it stays what it is");
        };
        assert_eq!(unspoken, expected);
        assert!(text.ends_with(unspoken.as_ref()), "{text} {unspoken}");
    }
}

#[test]
fn facts_without_words_are_left_alone() {
    let mut fact = Fact::SpeechStarted {
        actor: Speaker::Caller,
    };
    let asked = || panic!("it has no text");
    assert_eq!(mask(asked, &mut fact), 0);
}
