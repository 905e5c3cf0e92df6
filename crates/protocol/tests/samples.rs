//! One sample of each event type: what it is read as, and how it is written.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::path::Path;

use holdfast_protocol::event::{Inbound, InboundEvent, parse_bridge_frame, write_event};

/// Each sample by the name of its type, in alphabetical order.
fn samples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut samples: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    samples.sort();
    samples
}

/// The sample as an event of call-1, or of the platform where it must be.
fn event(name: &str, data: &str) -> String {
    let platform = ["stream.", "bridge.", "drill.", "infra.beat"];
    let subject = if platform.iter().any(|prefix| name.starts_with(prefix)) {
        "*"
    } else {
        "call-1"
    };
    format!(
        r#"{{"specversion":"1.0","id":"bot-1-17","source":"//bridges/test/1","type":"holdfast.{name}","subject":"{subject}","time":"2026-11-24T10:00:00.120Z","recordedtime":"2026-11-24T10:00:00.121Z","sequence":"00000000000000000017","epoch":"e-1","layer":"llm","causationid":"c-12","severitynumber":17,"somethingnew":[1],"data":{data}}}"#
    )
}

fn read(frame: &str) -> InboundEvent<'_> {
    let Inbound::Events(mut events) = parse_bridge_frame(frame).unwrap() else {
        panic!("{frame}");
    };
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn every_sample_is_read_and_written_as_before() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, data) in samples() {
            let text = event(&name, &data);
            let fact = read(&text).fact.unwrap();
            let written = write_event("//bridges/test/1", "e-1", &fact);
            assert_eq!(read(&written).fact.unwrap(), fact, "{name}");
            let pretty: serde_json::Value = serde_json::from_str(&written).unwrap();
            insta::assert_snapshot!(name, format!("{:#?}\n\n{pretty:#}", fact.fact));
        }
    });
}

#[test]
fn every_field_of_a_sample_is_in_the_reference() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/bridge.md");
    let reference = fs::read_to_string(reference).unwrap();
    for (name, data) in samples() {
        let data: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&data).unwrap();
        for key in data.keys() {
            assert!(reference.contains(&format!("`{key}`")), "{key} of {name}");
        }
    }
}

/// Every field that a sample could go without is tried without it, with null, and as something
/// else: it is either fine or a typed error that names the field.
#[test]
fn every_field_is_optional_or_named_when_it_is_wrong() {
    for (name, data) in samples() {
        let data: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&data).unwrap();
        for key in data.keys() {
            let mut without = data.clone();
            without.remove(key);
            let text = event(&name, &serde_json::to_string(&without).unwrap());
            if let Err(error) = read(&text).fact {
                let place = format!("data.{key}");
                assert_eq!(error.detail.unwrap()["field"], place, "{name}");
                assert!(error.message.contains("is missing"), "{}", error.message);
            }
            // No field of the catalogue takes a list of lists.
            let mut wrong = data.clone();
            wrong.insert(key.clone(), serde_json::json!([["what?"]]));
            let text = event(&name, &serde_json::to_string(&wrong).unwrap());
            let error = read(&text).fact.unwrap_err();
            let field = error.detail.unwrap()["field"].as_str().unwrap().to_owned();
            assert!(field.starts_with(&format!("data.{key}")), "{name}: {field}");
            assert!(!error.message.contains("what?"), "{}", error.message);
        }
    }
}
