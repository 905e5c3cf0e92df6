//! What is exported keeps the draft's rules and is read back; what is hostile is refused by name.

use holdfast_domain::{
    AgentId, CallId, CardField, Handoff, HandoffCard, HandoffFailure, HandoffId, HandoffReason,
    HandoffState, HandoffStep, Timestamp, Utterance, UtteranceRole,
};
use serde_json::{Value, json};

use super::*;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_764_000_000_000 + secs * 1_000)
}

fn utterance(role: UtteranceRole, secs: i64, text: &str, unspoken: &str) -> Utterance {
    Utterance {
        role,
        text: text.to_owned(),
        unspoken: unspoken.to_owned(),
        at: at(secs),
        turn: Some(1),
        is_final: true,
        interrupted: false,
    }
}

fn card() -> HandoffCard {
    HandoffCard {
        customer: Some("Ana Ruiz".into()),
        queue: "billing".into(),
        language: "es".into(),
        ask: CardField::FromPlatform {
            text: "Refund, 5 < 6".into(),
        },
        summary: CardField::Extracted {
            text: "A charge is wrong.".into(),
        },
        intent: CardField::Missing,
        slots: Vec::new(),
        identity: None,
        sentiment: vec![-0.5],
        tools: Vec::new(),
        promises: Vec::new(),
        failure: None,
        last_turns: Vec::new(),
        disclosure: Some(true),
        consent: None,
        recording: Some("paused".into()),
        silence_ms: 3,
        prior_transfers: 0,
        say_first: CardField::Missing,
        gaps: Vec::new(),
        as_of: at(60),
    }
}

fn handoff(state: HandoffState) -> Handoff {
    Handoff {
        id: HandoffId::new("h-1"),
        call: CallId::new("call-1"),
        reason: HandoffReason::CallerAsked,
        requested_by: "caller".into(),
        requested_at: at(20),
        state,
        transfer: None,
        refused_by: Vec::new(),
        steps: vec![HandoffStep {
            text: "the human is on the call".into(),
            at: at(30),
        }],
        card: card(),
    }
}

fn exported(handoffs: &[&Handoff]) -> Value {
    export(&Export {
        call: &CallId::new("call-1"),
        created_at: at(60),
        host: "hub.example",
        transcript: &[
            utterance(UtteranceRole::Caller, 1, "I was charged twice.", ""),
            utterance(UtteranceRole::Agent, 5, "I refund it now.", " it now."),
            utterance(UtteranceRole::Agent, 6, "Never heard.", "Never heard."),
            utterance(UtteranceRole::Agent, 40, "Hello, this is Abe.", ""),
        ],
        card: &card(),
        handoffs,
    })
}

fn of_type<'a>(vcon: &'a Value, kind: &str) -> Vec<&'a Value> {
    let dialog = vcon["dialog"].as_array().unwrap().iter();
    dialog.filter(|one| one["type"] == kind).collect()
}

#[test]
fn an_export_is_read_back_with_its_card() {
    let bridged = handoff(HandoffState::Confirmed {
        agent: AgentId::new("abe"),
    });
    let vcon = exported(&[&bridged]);
    let read = import(&vcon.to_string()).unwrap();
    assert_eq!(read.card.as_deref(), Some(&card()));
    assert_eq!(read.subject.as_deref(), Some("Refund, 5 < 6"));
    let names: Vec<_> = read.parties.iter().map(Option::as_deref).collect();
    assert_eq!(names, [Some("Ana Ruiz"), Some("AI agent"), Some("abe")]);
    let words: Vec<_> = read
        .words
        .iter()
        .map(|words| (words.party.unwrap(), words.text.as_str()))
        .collect();
    assert_eq!(
        words,
        [
            (0, "I was charged twice."),
            (1, "I refund"),
            (2, "Hello, this is Abe."),
        ]
    );
    assert_eq!(read.words[0].at, at(1));
    assert_eq!(
        exported(&[&bridged]),
        vcon,
        "the same values, the same file"
    );
}

#[test]
fn a_transfer_has_roles_and_no_parties() {
    let bridged = handoff(HandoffState::Bridged {
        agent: AgentId::new("abe"),
    });
    let vcon = exported(&[&bridged]);
    let transfers = of_type(&vcon, "transfer");
    let [transfer] = transfers[..] else {
        panic!("{vcon}");
    };
    for key in ["parties", "originator", "mediatype", "body", "encoding"] {
        assert!(transfer.get(key).is_none(), "{transfer}");
    }
    assert_eq!(transfer["transferee"], 0);
    assert_eq!(transfer["transferor"], 1);
    assert_eq!(transfer["transfer_target"], 2);
    assert_eq!(transfer["original"], json!([0, 1]));
    assert_eq!(transfer["target_dialog"], json!([2]));
}

#[test]
fn a_handoff_that_reached_nobody_is_incomplete_with_its_disposition() {
    for (kind, expected) in [
        (HandoffFailure::NoAnswer, "no-answer"),
        (HandoffFailure::Busy, "busy"),
        (HandoffFailure::Voicemail, "voicemail-no-message"),
        (HandoffFailure::CallerLeft, "hung-up"),
        (HandoffFailure::TrunkFailed, "failed"),
        (HandoffFailure::Declined, "failed"),
        (HandoffFailure::Withdrawn, "failed"),
    ] {
        let failed = handoff(HandoffState::Failed {
            kind,
            message: String::new(),
        });
        let vcon = exported(&[&failed]);
        assert_eq!(of_type(&vcon, "incomplete")[0]["disposition"], expected);
        assert_eq!(of_type(&vcon, "transfer")[0]["target_dialog"], json!([3]));
        assert_eq!(import(&vcon.to_string()).unwrap().dispositions, [expected]);
    }
    let waiting = handoff(HandoffState::Requested);
    assert!(of_type(&exported(&[&waiting]), "transfer").is_empty());
}

#[test]
fn bodies_say_how_they_are_encoded_and_a_json_body_is_a_value() {
    let vcon = exported(&[]);
    assert_eq!(vcon["vcon"], "0.4.0");
    assert_eq!(vcon["uuid"].as_str().unwrap().as_bytes()[14], b'8');
    assert!(vcon["analysis"][0]["body"].is_object());
    assert_eq!(vcon["analysis"][0]["encoding"], "json");
    for list in ["dialog", "analysis"] {
        for one in vcon[list].as_array().unwrap() {
            assert_eq!(one.get("body").is_some(), one.get("encoding").is_some());
        }
    }
}

/// An export with one value changed.
fn changed(place: &str, value: Value) -> String {
    let failed = handoff(HandoffState::Failed {
        kind: HandoffFailure::Busy,
        message: String::new(),
    });
    let mut vcon = exported(&[&failed]);
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = vcon.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        _ => parent[key] = value,
    }
    vcon.to_string()
}

#[test]
fn what_is_hostile_is_refused_with_the_place_and_the_reason() {
    assert!(import(&changed("/subject", json!("fine"))).is_ok());
    for (place, value, expected) in [
        ("/vcon", json!("0.0.1"), "vcon is another version"),
        ("/uuid", json!("x"), "uuid is no UUID"),
        ("/uuid", json!(7), "uuid is no string"),
        ("/created_at", json!("yesterday"), "created_at is no moment"),
        ("/parties", json!({}), "parties is no array"),
        ("/parties/0", json!("Ana"), "parties[0] is no object"),
        (
            "/parties/0/name",
            json!(["x"]),
            "parties[0].name is no string",
        ),
        (
            "/dialog/0/type",
            json!("speech"),
            "dialog[0].type is none of",
        ),
        ("/dialog/0/start", json!(5), "dialog[0].start is no moment"),
        (
            "/dialog/0/originator",
            json!(9),
            "dialog[0].originator points to",
        ),
        (
            "/dialog/0/parties",
            json!([0, -1]),
            "dialog[0].parties is no index",
        ),
        (
            "/dialog/0/encoding",
            json!("base64url"),
            "dialog[0].encoding is not none",
        ),
        (
            "/dialog/0/mediatype",
            json!("text/html"),
            "dialog[0].mediatype is not plain",
        ),
        (
            "/dialog/3/disposition",
            json!("sulked"),
            "dialog[3].disposition is none",
        ),
        ("/dialog/3/body", json!("x"), "dialog[3] has content"),
        (
            "/dialog/4/parties",
            json!([0]),
            "dialog[4] is a transfer and has parties",
        ),
        (
            "/dialog/4/original",
            json!(4),
            "dialog[4].original points to a transfer, in a circle",
        ),
        (
            "/dialog/4/target_dialog",
            json!([99]),
            "dialog[4].target_dialog points to what is not",
        ),
        (
            "/analysis/0/vendor",
            json!(null),
            "analysis[0].vendor is missing",
        ),
        (
            "/analysis/0/dialog",
            json!(12),
            "analysis[0].dialog points to what is not",
        ),
        (
            "/analysis/0/body",
            json!("{}"),
            "analysis[0].body is no handoff card",
        ),
        (
            "/analysis/0/encoding",
            json!("none"),
            "analysis[0].encoding is not json",
        ),
        (
            "/analysis/0/body/silenceMs",
            json!(-1),
            "the silence is less than none",
        ),
        (
            "/analysis/0/body/sentiment",
            json!([7]),
            "a sentiment is not between",
        ),
        (
            "/subject",
            json!("<script>x</script>"),
            "subject holds markup",
        ),
        (
            "/dialog/0/body",
            json!("hi <img src=x onerror=y>"),
            "dialog holds markup",
        ),
        (
            "/parties/0/name",
            json!("Ana\u{202e}zuR"),
            "parties holds markup",
        ),
        (
            "/subject",
            json!(" JavaScript:alert(1)"),
            "subject holds markup",
        ),
        ("/signatures", json!([]), "is signed or encrypted"),
    ] {
        let error = import(&changed(place, value.clone())).unwrap_err();
        let words = error.to_string();
        assert!(words.contains(expected), "{place} {value}: {words}");
    }
    let slot = json!([{"name": "a", "value": "b", "confidence": null, "turn": 0}]);
    let error = import(&changed("/analysis/0/body/slots", slot)).unwrap_err();
    assert!(matches!(error, VconError::Card { .. }), "{error}");
    let late = json!([{"role": "caller", "text": "x", "unspoken": "", "at": 9_999_999_999_999_i64,
        "turn": 1, "isFinal": true, "interrupted": false}]);
    let error = import(&changed("/analysis/0/body/lastTurns", late)).unwrap_err();
    assert!(matches!(error, VconError::Card { .. }), "{error}");
}

#[test]
fn a_vcon_that_amends_itself_is_refused() {
    let mut vcon = exported(&[]);
    vcon["amended"] = json!({"uuid": vcon["uuid"]});
    let error = import(&vcon.to_string()).unwrap_err();
    assert!(matches!(error, VconError::Reference { .. }), "{error}");
}

#[test]
fn what_is_too_large_or_too_deep_or_no_object_is_not_even_read() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(import(&deep), Err(VconError::TooDeep));
    let large = " ".repeat(9 * 1024 * 1024);
    assert!(matches!(import(&large), Err(VconError::TooLarge { .. })));
    for text in ["", "[]", "{", "null"] {
        assert_eq!(import(text), Err(VconError::NotJson), "{text}");
    }
    let many: Vec<Value> = vec![json!({}); 10_001];
    let error = import(&changed("/parties", json!(many))).unwrap_err();
    assert!(matches!(error, VconError::Form { .. }), "{error}");
}
