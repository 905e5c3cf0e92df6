//! Whatever arrives, the answer is a frame or a typed error.

#![expect(clippy::unwrap_used, reason = "this is a test")]

mod strategy;

use holdfast_protocol::bridge::parse_hub_frame;
use holdfast_protocol::console::{parse_console_frame, parse_hub_to_console};
use holdfast_protocol::event::{Inbound, parse_bridge_frame, write_batch, write_event};
use proptest::prelude::*;

/// Feeds `text` to every reader. What is read as an event is read again from its own bytes.
fn feed(text: &str) {
    if let Ok(Inbound::Events(events)) = parse_bridge_frame(text) {
        for event in events {
            let Inbound::Events(again) = parse_bridge_frame(event.raw).unwrap() else {
                panic!("an event is an event");
            };
            assert_eq!(again.len(), 1);
            assert_eq!(again[0].sequence, event.sequence);
            assert_eq!(again[0].fact, event.fact, "a replay reads what was read");
        }
    }
    let _ = parse_hub_frame(text);
    let _ = parse_console_frame(text);
    let _ = parse_hub_to_console(text);
}

/// A change of a text.
#[derive(Debug, Clone)]
enum Mutation {
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, String),
    Replace(prop::sample::Index, char),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let insert = prop_oneof![
        "[\\[\\]{}\",:0-9.eE\\\\ntrufalse-]{1,6}",
        any::<String>(),
        Just("1e999".to_owned()),
        Just("\\ud800".to_owned()),
        Just("null".to_owned()),
    ];
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Mutation::Cut),
        (any::<prop::sample::Index>(), 1..20_usize).prop_map(|(at, n)| Mutation::Remove(at, n)),
        (any::<prop::sample::Index>(), insert).prop_map(|(at, s)| Mutation::Insert(at, s)),
        (any::<prop::sample::Index>(), any::<char>()).prop_map(|(at, c)| Mutation::Replace(at, c)),
    ]
}

fn mutate(text: &str, mutations: &[Mutation]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for mutation in mutations {
        if chars.is_empty() {
            break;
        }
        let n_chars = chars.len();
        match mutation {
            Mutation::Cut(at) => chars.truncate(at.index(n_chars)),
            Mutation::Remove(at, n) => {
                let start = at.index(n_chars);
                chars.drain(start..(start + n).min(n_chars));
            }
            Mutation::Insert(at, text) => {
                let start = at.index(n_chars);
                chars.splice(start..start, text.chars());
            }
            Mutation::Replace(at, with) => chars[at.index(n_chars)] = *with,
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text(text in any::<String>()) {
        feed(&text);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        feed(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn brackets_and_quotes(text in "[\\[\\]{}\",:\\\\a1 ]{0,200}") {
        feed(&text);
    }

    #[test]
    fn events_with_mutations(
        envelope in strategy::envelope(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        feed(&mutate(&write_event("//bridges/test/1", "e", &envelope), &mutations));
    }

    #[test]
    fn events_with_one_value_replaced(
        envelope in strategy::envelope(),
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(vec![
            "null", "-1", "1e999", "[]", "{}", "\"\"", "true", "18446744073709551616", "0.5",
        ]),
    ) {
        let event = write_event("//bridges/test/1", "e", &envelope);
        let mut value: serde_json::Value = serde_json::from_str(&event).unwrap();
        let Some(data) = value["data"].as_object_mut() else {
            return Ok(());
        };
        if data.is_empty() {
            return Ok(());
        }
        let key = data.keys().nth(at.index(data.len())).unwrap().clone();
        // A mark stands for the value until the text is written: 1e999 is no value.
        data.insert(key, "the mark".into());
        let text = value.to_string().replace("\"the mark\"", with);
        feed(&text);
    }

    #[test]
    fn batches_with_mutations(
        envelopes in prop::collection::vec(strategy::envelope(), 1..4),
        mutations in prop::collection::vec(mutation(), 1..3),
    ) {
        let events: Vec<String> = envelopes
            .iter()
            .map(|envelope| write_event("//bridges/test/1", "e", envelope))
            .collect();
        feed(&mutate(&write_batch(&events), &mutations));
    }
}
