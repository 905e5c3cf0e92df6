//! Writes the JSON Schemas of the bridge face from the structs that read it.

use std::path::Path;
use std::{fs, io};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::bridge::{FromBridge, FromHub, command};
use crate::event::data;
use crate::event::envelope::Envelope;
use crate::event::kind::{EventKind, Scope};
use crate::limits::BATCH_EVENTS_MAX;
use crate::schema::{AnyObject, LayerName};

/// The names of the files that [`json_schema`] writes.
pub const JSON_SCHEMA_FILES: [&str; 3] = [
    "bridge-to-hub.schema.json",
    "event.schema.json",
    "hub-to-bridge.schema.json",
];

/// Writes the JSON Schemas of what bridge and hub say to each other into `folder`, which must
/// exist: one file for each name in [`JSON_SCHEMA_FILES`].
pub fn json_schema(folder: &Path) -> io::Result<()> {
    for (name, schema) in
        JSON_SCHEMA_FILES
            .into_iter()
            .zip([bridge_to_hub(), event(), hub_to_bridge()])
    {
        fs::write(folder.join(name), format!("{schema:#}\n"))?;
    }
    Ok(())
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// One event.
fn event() -> Value {
    let mut generator = generator();
    let root = event_in(&mut generator);
    document(
        generator,
        "An event of a bridge",
        "One event of the catalogue. bridge.md is its reference.",
        root,
    )
}

/// Every frame that a bridge may send.
fn bridge_to_hub() -> Value {
    let mut generator = generator();
    let control = schema_of::<FromBridge>(&mut generator);
    let event = event_in(&mut generator);
    generator
        .definitions_mut()
        .insert("Event".to_owned(), event);
    let root = object([(
        "anyOf",
        json!([
            control,
            { "$ref": "#/$defs/Event" },
            {
                "type": "array",
                "items": { "$ref": "#/$defs/Event" },
                "maxItems": BATCH_EVENTS_MAX,
                "description": "A batch."
            }
        ]),
    )]);
    document(
        generator,
        "A frame from a bridge",
        "Everything that a bridge may send. bridge.md is its reference.",
        root,
    )
}

/// Every frame that a hub sends.
fn hub_to_bridge() -> Value {
    let mut generator = generator();
    let frame = schema_of::<FromHub<'static>>(&mut generator);
    let commands = command::schemas(&mut generator)
        .into_iter()
        .map(|(name, args)| json!({ "properties": { "name": { "const": name }, "args": args } }))
        .collect::<Vec<Value>>();
    let is_command = json!({ "properties": { "type": { "const": "command" } } });
    let root = object([
        ("allOf", json!([frame])),
        ("if", is_command),
        ("then", json!({ "oneOf": commands })),
    ]);
    document(
        generator,
        "A frame from the hub",
        "Everything that a hub sends to a bridge. bridge.md is its reference.",
        root,
    )
}

/// The envelope, and for each type what its data and its envelope must hold.
fn event_in(generator: &mut SchemaGenerator) -> Value {
    let envelope = schema_of::<Envelope<'static, Option<AnyObject>>>(generator);
    let types: Vec<Value> = EventKind::ALL
        .into_iter()
        .map(|kind| {
            let mut properties = object([
                ("type", json!({ "const": kind.as_str() })),
                ("data", data_of(kind, generator)),
            ]);
            match kind.scope() {
                Scope::Platform => insert(&mut properties, "subject", json!({ "const": "*" })),
                Scope::Call => {
                    insert(
                        &mut properties,
                        "subject",
                        json!({ "not": { "const": "*" } }),
                    );
                }
                Scope::Any => {}
            }
            let mut required = vec!["type"];
            if kind != EventKind::StreamCaughtUp && kind != EventKind::CallUpdated {
                required.push("data");
            }
            if kind.needs_layer() {
                required.push("layer");
                insert(&mut properties, "layer", schema_of::<LayerName>(generator));
            }
            json!({ "properties": properties, "required": required })
        })
        .collect();
    json!({ "allOf": [envelope], "oneOf": types })
}

fn data_of(kind: EventKind, generator: &mut SchemaGenerator) -> Value {
    match kind {
        EventKind::CallStarted => schema_of::<data::CallStarted<'static>>(generator),
        EventKind::CallUpdated => schema_of::<Option<data::CallUpdated<'static>>>(generator),
        EventKind::CallEnded => schema_of::<data::CallEnded<'static>>(generator),
        EventKind::ParticipantJoined | EventKind::ParticipantLeft => {
            schema_of::<data::Participant<'static>>(generator)
        }
        EventKind::TransportQuality => schema_of::<data::TransportQuality>(generator),
        EventKind::TransportDisconnected | EventKind::TransportReconnected => {
            schema_of::<data::TransportLink<'static>>(generator)
        }
        EventKind::TurnStarted => schema_of::<data::TurnStarted>(generator),
        EventKind::TurnEnded => schema_of::<data::TurnEnded>(generator),
        EventKind::TurnLatency => schema_of::<data::TurnLatency>(generator),
        EventKind::SpeechStarted | EventKind::SpeechStopped => {
            schema_of::<data::SpeechActor>(generator)
        }
        EventKind::SpeechInterrupted => schema_of::<data::SpeechInterrupted>(generator),
        EventKind::TranscriptPartial => schema_of::<data::TranscriptPartial<'static>>(generator),
        EventKind::TranscriptFinal => schema_of::<data::TranscriptFinal<'static>>(generator),
        EventKind::AgentStateChanged => schema_of::<data::AgentStateChanged>(generator),
        EventKind::AgentReplaced => schema_of::<data::AgentReplaced<'static>>(generator),
        EventKind::LlmResponseStarted => schema_of::<data::LlmStarted<'static>>(generator),
        EventKind::LlmResponseEnded => schema_of::<data::LlmEnded<'static>>(generator),
        EventKind::TtsStarted | EventKind::TtsStopped => schema_of::<data::Tts<'static>>(generator),
        EventKind::ToolRequested => schema_of::<data::ToolRequested<'static>>(generator),
        EventKind::ToolStarted => schema_of::<data::ToolStarted<'static>>(generator),
        EventKind::ToolCompleted => schema_of::<data::ToolCompleted<'static>>(generator),
        EventKind::ToolFailed => schema_of::<data::ToolFailed<'static>>(generator),
        EventKind::ToolTimedOut | EventKind::ToolCancelled => {
            schema_of::<data::ToolStopped<'static>>(generator)
        }
        EventKind::ToolCatalogChanged => schema_of::<data::ToolCatalogChanged<'static>>(generator),
        EventKind::ServiceLatency => schema_of::<data::ServiceLatency<'static>>(generator),
        EventKind::ServiceUsage => schema_of::<data::ServiceUsage<'static>>(generator),
        EventKind::ServiceError => schema_of::<data::ServiceError<'static>>(generator),
        EventKind::ServiceAvailabilityChanged => {
            schema_of::<data::ServiceAvailability<'static>>(generator)
        }
        EventKind::ServiceSwitched => schema_of::<data::ServiceSwitched<'static>>(generator),
        EventKind::ServiceSettingsChanged => schema_of::<data::ServiceSettings<'static>>(generator),
        EventKind::PipelineStalled | EventKind::PipelineIdle => {
            schema_of::<data::Pipeline>(generator)
        }
        EventKind::WorkerRegistered | EventKind::WorkerLost => {
            schema_of::<data::Worker<'static>>(generator)
        }
        EventKind::Beat => schema_of::<data::Beat<'static>>(generator),
        EventKind::HandoffRequested => schema_of::<data::HandoffRequested<'static>>(generator),
        EventKind::HandoffCompleted => schema_of::<data::HandoffCompleted<'static>>(generator),
        EventKind::HandoffFailed => schema_of::<data::HandoffFailed<'static>>(generator),
        EventKind::StreamSnapshot => schema_of::<data::StreamSnapshot<'static>>(generator),
        EventKind::StreamGapDetected => schema_of::<data::StreamGap>(generator),
        EventKind::StreamCaughtUp => schema_of::<Option<data::Nothing>>(generator),
        EventKind::BridgeHeartbeat => schema_of::<data::Heartbeat>(generator),
        EventKind::DrillFaultsChanged => schema_of::<data::DrillFaultsChanged>(generator),
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// A whole document around `root`, with what it refers to.
fn document(mut generator: SchemaGenerator, title: &str, description: &str, root: Value) -> Value {
    let mut document = object([
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", json!(title)),
        ("description", json!(description)),
    ]);
    if let (Value::Object(document), Value::Object(root)) = (&mut document, root) {
        document.extend(root);
    }
    insert(
        &mut document,
        "$defs",
        Value::Object(generator.take_definitions(true)),
    );
    document
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    Value::Object(Map::from_iter(entries))
}

fn insert(object: &mut Value, key: &str, value: Value) {
    object[key] = value;
}
