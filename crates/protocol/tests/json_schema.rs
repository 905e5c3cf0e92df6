//! The committed JSON Schemas are what the Rust types say, and say what the reader does.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_protocol::event::{Inbound, parse_bridge_frame};
use holdfast_protocol::generate::{JSON_SCHEMA_FILES, json_schema};
use jsonschema::Validator;
use serde_json::{Value, json};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol")
}

fn validator(name: &str) -> Validator {
    let schema = fs::read_to_string(committed().join(name)).unwrap();
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&serde_json::from_str(&schema).unwrap())
        .unwrap()
}

/// Each sample as an event.
fn events() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut events = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let platform = ["stream.", "bridge.", "drill.", "infra.beat"];
        let is_platform = platform.iter().any(|prefix| name.starts_with(prefix));
        let data: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        events.push(json!({
            "specversion": "1.0",
            "id": "1",
            "source": "//bridges/test/1",
            "type": format!("holdfast.{name}"),
            "subject": if is_platform { "*" } else { "call-1" },
            "time": "2026-11-24T10:00:00.120Z",
            "recordedtime": "2026-11-24T10:00:00.120Z",
            "sequence": "00000000000000000001",
            "epoch": "e",
            "layer": "llm",
            "data": data,
        }));
    }
    assert!(events.len() > 40);
    events
}

/// The envelope, or the object `inside` it.
fn object_of<'a>(event: &'a mut Value, inside: &str) -> &'a mut Value {
    if inside.is_empty() {
        event
    } else {
        &mut event[inside]
    }
}

fn is_read(frame: &Value) -> bool {
    match parse_bridge_frame(&frame.to_string()) {
        Ok(Inbound::Events(events)) => events.iter().all(|event| event.fact.is_ok()),
        Ok(Inbound::Control(_)) => true,
        Err(_) => false,
    }
}

#[test]
fn the_committed_schemas_are_current() {
    let fresh = tempfile::tempdir().unwrap();
    json_schema(fresh.path()).unwrap();
    for name in JSON_SCHEMA_FILES {
        let read = |folder: &Path| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(
            read(fresh.path()),
            read(&committed()),
            "{name} is old: run `cargo xtask generate` and commit"
        );
    }
}

#[test]
fn what_the_schema_allows_is_read_and_what_it_refuses_is_not() {
    let schema = validator("event.schema.json");
    let frames = validator("bridge-to-hub.schema.json");
    for event in events() {
        let say = |problem| format!("{problem}: {event}");
        assert!(schema.is_valid(&event), "{}", say("refused by the schema"));
        assert!(frames.is_valid(&event), "{}", say("refused as a frame"));
        assert!(
            frames.is_valid(&json!([event, event])),
            "{}",
            say("refused as a batch")
        );
        assert!(is_read(&event), "{}", say("not read"));
        let parts = [
            Value::Null,
            json!(-1),
            json!(1.5),
            json!([[]]),
            json!("?"),
            json!({}),
        ];
        let data: Vec<String> = event["data"].as_object().unwrap().keys().cloned().collect();
        let fields = data.iter().map(|key| ("data", key.as_str()));
        let envelope = [
            "id", "subject", "time", "sequence", "epoch", "layer", "type", "data",
        ];
        for (inside, key) in fields.chain(envelope.map(|key| ("", key))) {
            for part in &parts {
                let mut changed = event.clone();
                object_of(&mut changed, inside)[key] = part.clone();
                assert_eq!(schema.is_valid(&changed), is_read(&changed), "{changed}");
            }
            let mut changed = event.clone();
            let object = object_of(&mut changed, inside).as_object_mut().unwrap();
            object.remove(key);
            assert_eq!(schema.is_valid(&changed), is_read(&changed), "{changed}");
        }
    }
}

#[test]
fn every_frame_of_the_snapshots_is_allowed_by_its_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for (snapshot, schema) in [
        ("frames__bridge_to_hub.snap", "bridge-to-hub.schema.json"),
        ("frames__hub_to_bridge.snap", "hub-to-bridge.schema.json"),
        ("frames__commands.snap", "hub-to-bridge.schema.json"),
    ] {
        let schema = validator(schema);
        let lines = fs::read_to_string(folder.join(snapshot)).unwrap();
        let frames: Vec<Value> = lines
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(frames.len() >= 5, "{snapshot}");
        for frame in frames {
            assert!(schema.is_valid(&frame), "{frame}");
            let mut without_type = frame.clone();
            without_type.as_object_mut().unwrap().remove("type");
            assert!(!schema.is_valid(&without_type), "{without_type}");
            if frame["type"] == "command" {
                let mut other = frame.clone();
                other["args"] = json!({ "tools": 7, "layer": "?", "text": 1, "handoff_id": [], "fault": 1, "id": 1 });
                let takes_none = ["retry_turn", "pause_ai", "resume_ai"];
                let is_one = takes_none.contains(&frame["name"].as_str().unwrap());
                assert_eq!(schema.is_valid(&other), is_one, "{other}");
            }
        }
    }
}
