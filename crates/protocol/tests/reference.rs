//! `docs/protocol/bridge.md` is what a bridge author reads; everything that it shows is read here.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use holdfast_domain::fact::Fact;
use holdfast_domain::{CommandName, Layer, Rung};
use holdfast_protocol::bridge::{
    BridgeFrame, HubFrame, ResultState, parse_hub_frame, write_bridge_frame, write_hub_frame,
};
use holdfast_protocol::error::ErrorCode;
use holdfast_protocol::event::{Inbound, parse_bridge_frame};

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/bridge.md");
    fs::read_to_string(path).unwrap()
}

/// The JSON values of all blocks of JSON under the heading `section`.
fn examples(section: &str) -> Vec<String> {
    let text = reference();
    let start = text.find(&format!("## {section}\n")).unwrap();
    let rest = &text[start + 3..];
    let section = &rest[..rest.find("\n## ").unwrap_or(rest.len())];
    let mut found = Vec::new();
    for block in section.split("```json\n").skip(1) {
        let block = &block[..block.find("```").unwrap()];
        let values = serde_json::Deserializer::from_str(block).into_iter::<serde_json::Value>();
        found.extend(values.map(|value| value.unwrap().to_string()));
    }
    found
}

/// The first cells of the rows of the table under the heading `section`, without their ticks.
fn first_cells(section: &str) -> BTreeSet<String> {
    let text = reference();
    let start = text.find(&format!("## {section}\n")).unwrap();
    let rest = &text[start + 3..];
    rest[..rest.find("\n## ").unwrap_or(rest.len())]
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap().split(','))
        .map(|cell| cell.trim().trim_matches('`').to_owned())
        .collect()
}

fn control(text: &str) -> BridgeFrame {
    let Inbound::Control(frame) = parse_bridge_frame(text).unwrap() else {
        panic!("{text} is no control frame");
    };
    assert_eq!(
        parse_bridge_frame(&write_bridge_frame(&frame))
            .map(|again| matches!(again, Inbound::Control(again) if again == frame)),
        Ok(true),
        "{text} survives the wire"
    );
    frame
}

#[test]
fn frames_of_a_bridge_are_as_shown() {
    let frames: Vec<BridgeFrame> = examples("Control frames, bridge to hub")
        .iter()
        .map(|text| control(text))
        .collect();
    let [
        BridgeFrame::Hello(hello),
        BridgeFrame::Result(accepted),
        BridgeFrame::Result(applied),
        BridgeFrame::Result(rejected),
        BridgeFrame::Pong { nonce: 17 },
    ] = &frames[..]
    else {
        panic!("{frames:?}");
    };
    assert_eq!(hello.capabilities.len(), 2);
    assert_eq!(hello.token.as_deref(), Some("optional"));
    assert_eq!(accepted.state, ResultState::Accepted);
    let read_back = applied.read_back.as_ref().unwrap();
    assert_eq!(read_back.layer, Some(Layer::Llm));
    assert_eq!(read_back.active.as_deref(), Some("backup-llm"));
    assert_eq!(read_back.retried_turn, Some(true));
    assert_eq!(rejected.state, ResultState::Rejected);
}

#[test]
fn frames_of_the_hub_are_as_shown() {
    let frames: Vec<HubFrame> = examples("Control frames, hub to bridge")
        .iter()
        .map(|text| {
            let frame = parse_hub_frame(text).unwrap();
            assert_eq!(parse_hub_frame(&write_hub_frame(&frame)), Ok(frame.clone()));
            // What is shown is also what is written, key for key.
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(&write_hub_frame(&frame)), value(text));
            frame
        })
        .collect();
    let [
        HubFrame::Welcome(welcome),
        HubFrame::Ack { sequence: 1_500 },
        HubFrame::Command(command),
        HubFrame::Ping { nonce: 17 },
        HubFrame::Error(error),
    ] = &frames[..]
    else {
        panic!("{frames:?}");
    };
    assert_eq!(welcome.resume_after, 1_482);
    assert_eq!(command.expect_active.as_deref(), Some("primary-llm"));
    assert_eq!(command.command.name(), CommandName::SwitchModel);
    assert_eq!(error.code, ErrorCode::BadSequence);
}

#[test]
fn the_event_is_as_shown() {
    let events = examples("Events");
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    let Inbound::Events(read) = parse_bridge_frame(event).unwrap() else {
        panic!("{event}");
    };
    let fact = read[0].fact.as_ref().unwrap();
    assert_eq!(read[0].sequence, 17);
    assert_eq!(fact.layer, Some(Layer::Llm));
    assert_eq!(
        fact.fact,
        Fact::ServiceError {
            service: "primary-llm".into(),
            error_type: "http_503".into(),
            message: "upstream unavailable".into(),
            permanent: false,
            usable: Some(true),
        }
    );
}

#[test]
fn the_table_of_events_is_the_catalogue() {
    let shown: BTreeSet<String> = first_cells("Events");
    assert!(shown.len() > 40, "{shown:?}");
    for name in &shown {
        let event = format!(
            r#"{{"specversion":"1.0","id":"1","source":"s","epoch":"e","sequence":"1","type":"holdfast.{name}","subject":"c","time":"2026-11-24T10:00:00.120Z","recordedtime":"2026-11-24T10:00:00.120Z"}}"#
        );
        let Inbound::Events(read) = parse_bridge_frame(&event).unwrap() else {
            panic!("{event}");
        };
        if let Err(error) = &read[0].fact {
            assert_ne!(error.code, ErrorCode::UnknownEventType, "{name}");
        }
    }
    let samples =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")).unwrap();
    let names: BTreeSet<String> = samples
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .collect();
    assert_eq!(names, shown, "one sample for each row, and no other");
}

#[test]
fn the_table_of_commands_is_the_list() {
    let known: BTreeSet<String> = [
        CommandName::SwitchModel,
        CommandName::RetryTurn,
        CommandName::DisableTools,
        CommandName::EnableTools,
        CommandName::Announce,
        CommandName::PauseAi,
        CommandName::ResumeAi,
        CommandName::Transfer,
        CommandName::StartFault,
        CommandName::StopFault,
    ]
    .map(|name| name.as_str().to_owned())
    .into();
    assert_eq!(first_cells("Commands"), known);
}

#[test]
fn the_list_of_codes_is_the_list() {
    let text = reference();
    let line = text
        .lines()
        .find(|line| line.starts_with("Error codes are closed:"))
        .unwrap();
    let shown: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
    let known: Vec<String> = ErrorCode::ALL
        .iter()
        .map(|code| {
            serde_json::to_value(code)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(shown, known);
}

#[test]
fn services_without_a_rung_get_one_as_described() {
    let service = |name: &str, provider: &str| {
        format!(
            r#"{{"layer":"llm","name":"{name}","gen_ai.provider.name":"{provider}","gen_ai.request.model":"m","active":true,"usable":true}}"#
        )
    };
    let event = format!(
        r#"{{"specversion":"1.0","id":"1","source":"s","epoch":"e","sequence":"1","type":"holdfast.call.started","subject":"c","time":"2026-11-24T10:00:00.120Z","recordedtime":"2026-11-24T10:00:00.120Z","data":{{"direction":"inbound","agent":"a","queue":"q","language":"en","services":[{},{},{}]}}}}"#,
        service("one", "A"),
        service("two", "A"),
        service("three", "B"),
    );
    let Inbound::Events(mut read) = parse_bridge_frame(&event).unwrap() else {
        panic!("{event}");
    };
    let Fact::CallStarted(call) = read.remove(0).fact.unwrap().fact else {
        panic!("{event}");
    };
    let rungs: Vec<Rung> = call.services.iter().map(|service| service.rung).collect();
    assert_eq!(rungs, [Rung::Primary, Rung::Retry, Rung::Backup]);
}
