//! Reads a text frame from a bridge, type-first: limits, then the envelope with the data left raw,
//! then the data as the struct of its one type.

use std::fmt;

use holdfast_domain::fact::FactEnvelope;
use serde::Deserializer;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::envelope::{Envelope, Place};
use super::kind::{EventKind, Scope};
use super::{Inbound, InboundEvent, read};
use crate::bridge::parse_control;
use crate::error::{ErrorCode, WireError};
use crate::limits::{BATCH_EVENTS_MAX, BRIDGE_FRAME_BYTES_MAX, JSON_DEPTH_MAX};
use crate::wire::{check_depth, check_size, misfit, not_a_frame, type_of, wrong};

/// What the type of every event begins with. Frames of any other type are control frames.
const EVENT_PREFIX: &str = "holdfast.";

/// An envelope whose data is not read yet.
type RawEnvelope<'a> = Envelope<'a, Option<&'a RawValue>>;

/// Reads one text frame from a bridge.
///
/// An error refuses the frame whole. An event that can be placed in its source's order but not
/// understood is no error here: it comes back with one as its `fact`.
pub fn parse_bridge_frame(text: &str) -> Result<Inbound<'_>, WireError> {
    check_size(text, BRIDGE_FRAME_BYTES_MAX)?;
    let text = text.trim_ascii();
    if text.starts_with('[') {
        return parse_batch(text).map(Inbound::Events);
    }
    check_depth(text, JSON_DEPTH_MAX)?;
    if let Some(event) = good_event(text) {
        return Ok(Inbound::Events(vec![event]));
    }
    let kind = type_of(text)?;
    if kind.0.starts_with(EVENT_PREFIX) {
        return Ok(Inbound::Events(vec![unreadable(&kind.0, text)?]));
    }
    parse_control(&kind.0, text).map(Inbound::Control)
}

/// Reads a batch. Its events are cut apart first, so that each is checked and read on its own.
fn parse_batch(text: &str) -> Result<Vec<InboundEvent<'_>>, WireError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parts = deserializer
        .deserialize_seq(BatchVisitor)
        .and_then(|parts| deserializer.end().map(|()| parts))
        .map_err(|_| not_a_frame(text))?;
    let Some(parts) = parts else {
        let message =
            format!("the batch has more than {BATCH_EVENTS_MAX} events; send smaller batches");
        return Err(WireError::new(ErrorCode::TooLarge, message)
            .with_detail(serde_json::json!({ "events_max": BATCH_EVENTS_MAX })));
    };
    let mut events = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        let event = parse_part(part.get())
            .map_err(|error| error.with_detail(serde_json::json!({ "index": index })))?;
        events.push(event);
    }
    Ok(events)
}

/// Reads one event of a batch.
fn parse_part(text: &str) -> Result<InboundEvent<'_>, WireError> {
    check_depth(text, JSON_DEPTH_MAX - 1)?;
    if let Some(event) = good_event(text) {
        return Ok(event);
    }
    let kind = type_of(text)?;
    if !kind.0.starts_with(EVENT_PREFIX) {
        return Err(WireError::new(
            ErrorCode::Malformed,
            "a batch holds something else than events; it was ignored whole",
        ));
    }
    unreadable(&kind.0, text)
}

/// The event in `raw` if its envelope is good; None if it is not, or if it is no event.
fn good_event(raw: &str) -> Option<InboundEvent<'_>> {
    if !raw.starts_with('{') {
        return None; // serde would also take an array for a struct
    }
    let envelope: RawEnvelope<'_> = serde_json::from_str(raw).ok()?;
    if !envelope.kind.0.starts_with(EVENT_PREFIX) {
        return None;
    }
    Some(InboundEvent {
        raw,
        sequence: envelope.sequence.0,
        source: envelope.source.0.clone(),
        epoch: envelope.epoch.0.clone(),
        fact: fact_envelope(envelope),
    })
}

/// An event whose envelope is not good: it keeps its place in the order if that can be read, and
/// the frame is refused if not.
fn unreadable<'a>(kind: &str, raw: &'a str) -> Result<InboundEvent<'a>, WireError> {
    let place: Place<'a> = serde_json::from_str(raw).map_err(|_| {
        let mut error = misfit::<Place<'_>>("an event", "", raw);
        error.code = ErrorCode::Malformed;
        error
    })?;
    let what = EventKind::from_wire(kind).map_or("an event of an unknown type", EventKind::as_str);
    Ok(InboundEvent {
        raw,
        sequence: place.sequence.0,
        source: place.source.0,
        epoch: place.epoch.0,
        fact: Err(misfit::<RawEnvelope<'_>>(what, "", raw)),
    })
}

fn fact_envelope(envelope: RawEnvelope<'_>) -> Result<FactEnvelope<'_>, WireError> {
    let Some(kind) = EventKind::from_wire(&envelope.kind.0) else {
        return Err(unknown_type(&envelope.kind.0));
    };
    check_subject(kind, &envelope)?;
    if kind.needs_layer() && envelope.layer.is_none() {
        return Err(wrong(kind.as_str(), "layer", "is missing"));
    }
    // A key that is not there, or null, is data without any field.
    let json = envelope.data.map_or("{}", RawValue::get);
    Ok(FactEnvelope {
        fact: read::fact(kind, json, envelope.time.0)?,
        id: envelope.id.0,
        subject: envelope.subject.0.0,
        time: envelope.time.0,
        recorded: envelope.recordedtime.0,
        sequence: envelope.sequence.0,
        layer: envelope.layer,
        cause: envelope.causationid.map(Into::into),
    })
}

fn check_subject(kind: EventKind, envelope: &RawEnvelope<'_>) -> Result<(), WireError> {
    match (kind.scope(), envelope.subject.is_platform()) {
        (Scope::Call, true) => Err(wrong(kind.as_str(), "subject", "names no call")),
        (Scope::Platform, false) => Err(wrong(kind.as_str(), "subject", "is not *")),
        (Scope::Any, _) | (Scope::Call, false) | (Scope::Platform, true) => Ok(()),
    }
}

/// The longest part of an unknown type that is repeated, in characters: the longest type of the
/// catalogue has 37.
const TYPE_ECHO_CHARS_MAX: usize = 64;

fn unknown_type(kind: &str) -> WireError {
    let kind: String = kind.chars().take(TYPE_ECHO_CHARS_MAX).collect();
    WireError::new(
        ErrorCode::UnknownEventType,
        format!("the event type {kind:?} is not in this hub's catalogue; it was ignored"),
    )
    .with_detail(serde_json::json!({ "type": kind }))
}

/// Cuts a batch apart, and keeps nothing of one that has too many events.
struct BatchVisitor;

impl<'de> Visitor<'de> for BatchVisitor {
    /// None when there are too many.
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut batch: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = batch.next_element::<&'de RawValue>()? {
            if parts.len() == BATCH_EVENTS_MAX {
                while batch.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            parts.push(part);
        }
        Ok(Some(parts))
    }
}
