use holdfast_domain::playbook::{
    AbortCondition, Action, Approval, Audience, Check, Measure, Parity, ProtectedCalls,
    RegionTarget, RoutedCalls, SelectorScope, StageReach, SwitchTarget, ToolChoice, Verify,
};
use holdfast_domain::{CallPhase, CauseDimension, CauseReach, Layer, LayerState, Rung};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;

/// The words that a type knows, from its refusal of one that it does not.
fn known<T: DeserializeOwned>(unknown: &serde_json::Value) -> Vec<String> {
    let error = serde_json::from_value::<T>(unknown.clone())
        .err()
        .unwrap()
        .to_string();
    let expected = error.split("expected").nth(1).unwrap();
    let mut words: Vec<String> = expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

/// Every word is a `T`; `T` knows no other, or those in `beyond`.
fn check<T: Serialize + DeserializeOwned>(words: &[Word], beyond: &[&str]) {
    let mut all: Vec<String> = words.iter().map(|word| word.word.to_owned()).collect();
    for word in &all {
        let value: T = serde_json::from_value(word.as_str().into()).unwrap();
        assert_eq!(serde_json::to_value(&value).unwrap(), word.as_str());
    }
    all.extend(beyond.iter().map(|word| (*word).to_owned()));
    all.sort();
    assert_eq!(known::<T>(&"no such word".into()), all);
}

/// The words behind a tag are the variants of `T`.
fn check_tagged<T: DeserializeOwned>(form: &TaggedForm) {
    let mut words: Vec<String> = form
        .variants
        .iter()
        .map(|variant| variant.word.to_owned())
        .collect();
    words.sort();
    assert_eq!(
        known::<T>(&serde_json::json!({ form.tag: "no such word" })),
        words
    );
}

#[test]
fn words_are_those_of_their_types() {
    check::<Layer>(words::LAYERS, &[]);
    check::<Layer>(
        words::SWITCHED_LAYERS,
        &["tools", "orchestration", "network", "infrastructure"],
    );
    check::<CauseReach>(words::REACHES, &[]);
    check::<CallPhase>(words::PHASES, &["ended"]);
    check::<Rung>(words::RUNGS, &[]);
    check::<Rung>(words::SERVICE_RUNGS, &["primary", "human"]);
    check::<Rung>(words::ARMED_RUNGS, &["primary"]);
    check::<LayerState>(words::ARMED_STATES, &["unknown", "healthy"]);
    check::<ProtectedCalls>(words::PROTECTED, &[]);
    check::<CauseDimension>(words::DIMENSIONS, &[]);
    check::<Audience>(words::AUDIENCE_WORDS, &[]);
    check::<RoutedCalls>(words::ROUTED, &[]);
    check::<Measure>(words::MEASURES, &[]);
    let Form::Words(parities) = words::PARITY else {
        panic!("parity is a list of words");
    };
    check::<Parity>(parities, &[]);
    check::<SwitchTarget>(words::NEXT, &["rung", "provider", "service"]);
    check::<RegionTarget>(words::OTHER, &["region"]);
    check::<ToolChoice>(words::TOOL_SETS, &["names"]);
    check::<StageReach>(words::STAGE_REACHES, &["percent"]);
    let audiences: Vec<&str> = Audience::ALL.map(Audience::as_str).to_vec();
    let words: Vec<&str> = words::AUDIENCE_WORDS.iter().map(|word| word.word).collect();
    assert_eq!(audiences, words);
}

#[test]
fn tags_are_those_of_their_types() {
    check_tagged::<Action>(&act::ACTION);
    check_tagged::<Check>(&act::CHECK);
    check_tagged::<AbortCondition>(&act::ABORT);
    check_tagged::<Verify>(&act::VERIFY);
    for field in PLAYBOOK.fields {
        match (&field.form, field.key) {
            (Form::Tagged(form), "approval") => check_tagged::<Approval>(form),
            (Form::Table(form), "selector") => {
                let Form::Tagged(scope) = &form.fields[0].form else {
                    panic!("the scope has a tag");
                };
                check_tagged::<SelectorScope>(scope);
            }
            _ => {}
        }
    }
}

#[test]
fn kinds_of_text_are_told_apart() {
    for (kind, good, bad) in [
        (
            TextKind::Id,
            &["a", "a-1", "tts-silent"][..],
            &["", "1a", "A", "a_b", "é"][..],
        ),
        (
            TextKind::Language,
            &["en", "pt-BR", "zh-Hant-TW", "fil"],
            &["", "e", "english", "en_GB", "en-", "e1", "en-x"],
        ),
        (TextKind::Line, &["a b", "é"], &["", "  ", "a\nb", "a\u{7}"]),
        (TextKind::Message, &["a\nb"], &["\n", "a\u{7}"]),
    ] {
        for text in good {
            assert!(kind.fits(text), "{kind:?} {text:?}");
        }
        for text in bad {
            assert!(!kind.fits(text), "{kind:?} {text:?}");
        }
    }
}
