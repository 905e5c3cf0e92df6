//! The envelope of an event.

use std::borrow::Cow;
use std::fmt;

use holdfast_domain::{CallId, Layer};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema;
use crate::wire::{Moment, WireText, closed_text};

/// One event: its envelope, and data that is read or written as `D`.
///
/// It is read with raw data: what the data must look like is known only after the type.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(bound(deserialize = "'de: 'a, D: Deserialize<'de>"))]
#[schemars(rename = "Envelope")]
pub(crate) struct Envelope<'a, D> {
    #[serde(borrow)]
    pub(crate) specversion: SpecVersion<'a>,
    /// Unique within the source.
    #[serde(borrow)]
    pub(crate) id: WireText<'a>,
    /// The running bridge.
    #[serde(borrow)]
    pub(crate) source: WireText<'a>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: WireText<'a>,
    #[serde(borrow)]
    pub(crate) subject: Subject<'a>,
    /// When it happened at its origin.
    pub(crate) time: Moment,
    /// When the bridge saw it.
    pub(crate) recordedtime: Moment,
    pub(crate) sequence: Sequence,
    /// New each time the bridge process starts.
    #[serde(borrow)]
    pub(crate) epoch: WireText<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::LayerName>")]
    pub(crate) layer: Option<Layer>,
    /// The command whose effect it is.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) causationid: Option<WireText<'a>>,
    pub(crate) data: D,
}

/// What must be known of an event so that it can use up its place in the order, even when the rest
/// of it cannot be read.
#[derive(Deserialize)]
pub(crate) struct Place<'a> {
    #[serde(borrow)]
    pub(crate) source: WireText<'a>,
    #[serde(borrow)]
    pub(crate) epoch: WireText<'a>,
    pub(crate) sequence: Sequence,
}

closed_text! {
    /// The version of CloudEvents.
    SpecVersion, "\"1.0\"", ["1.0"]
}

/// A call id, or `*` for the whole platform.
#[derive(Serialize, Clone)]
#[serde(transparent)]
pub(crate) struct Subject<'a>(pub(crate) WireText<'a>);

impl Subject<'_> {
    /// True for the whole platform.
    pub(crate) fn is_platform(&self) -> bool {
        self.0.0 == "*"
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Subject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = WireText::deserialize(deserializer)?;
        if text.0 == "*" || CallId::is_valid(&text.0) {
            return Ok(Self(text));
        }
        let other = Unexpected::Other("another string");
        let wanted = "a call id (1 to 128 of A-Z a-z 0-9 . _ : @ -) or *";
        Err(D::Error::invalid_value(other, &wanted))
    }
}

impl JsonSchema for Subject<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Subject".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([A-Za-z0-9._:@-]{1,128}|\\*)$",
            "description": "The call, or * for the whole platform."
        })
    }
}

/// How many digits a sequence is written with, so that its text sorts as its number does: as many
/// as the largest `u64` has.
const SEQUENCE_DIGITS: usize = 20;

/// A place in a source's order: digits in a string on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence(pub(crate) u64);

impl Serialize for Sequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:0SEQUENCE_DIGITS$}", self.0))
    }
}

impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SequenceVisitor;

        impl Visitor<'_> for SequenceVisitor {
            type Value = Sequence;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string of up to 20 digits, from 1")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Sequence, E> {
                let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
                match text.parse() {
                    Ok(number) if number > 0 && all_digits && text.len() <= SEQUENCE_DIGITS => {
                        Ok(Sequence(number))
                    }
                    _ => Err(E::invalid_value(Unexpected::Other("another string"), &self)),
                }
            }
        }

        deserializer.deserialize_str(SequenceVisitor)
    }
}

impl JsonSchema for Sequence {
    fn schema_name() -> Cow<'static, str> {
        "Sequence".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^0*[1-9][0-9]*$",
            "maxLength": SEQUENCE_DIGITS,
            "description": "Contiguous within an epoch, from 1, padded to 20 digits."
        })
    }
}
