//! Numbers that have a range on the wire.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest length of time that is believed, in seconds: about 30 years. It keeps every sum of
/// milliseconds far from overflow.
const SECS_MAX: f64 = 1e9;

/// A length of time: seconds on the wire, whole milliseconds inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Secs(pub(crate) i64);

impl<'de> Deserialize<'de> for Secs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secs = within(deserializer, 0.0, SECS_MAX, "seconds from 0 to 1e9")?;
        Ok(Self((secs * 1_000.0).round() as i64))
    }
}

impl Serialize for Secs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1_000.0)
    }
}

/// A measured length of time: seconds on the wire, milliseconds with three decimals inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SecsFine(pub(crate) f64);

impl<'de> Deserialize<'de> for SecsFine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secs = within(deserializer, 0.0, SECS_MAX, "seconds from 0 to 1e9")?;
        Ok(Self((secs * 1e6).round() / 1e3))
    }
}

impl Serialize for SecsFine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 / 1e3)
    }
}

/// Makes a number type that is the same on the wire and inside, within a range.
macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $low:expr, $high:expr, $words:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) f64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                within(deserializer, $low, $high, $words).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "number", "minimum": $low, "maximum": $high })
            }
        }
    };
}

ranged! {
    /// From 0 up. The limit is far above anything that can be measured on a call.
    NotNegative, 0.0, 1e9, "a number from 0 to 1e9"
}
ranged! {
    /// A share of a whole.
    Share, 0.0, 1.0, "a number from 0 to 1"
}
ranged! {
    /// From bad to good.
    SignedShare, -1.0, 1.0, "a number from -1 to 1"
}

/// Both lengths of time are plain seconds in a schema.
macro_rules! secs_schema {
    ($($name:ident),*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                "Seconds".into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "number", "minimum": 0, "maximum": SECS_MAX })
            }
        }
    )*};
}

secs_schema!(Secs, SecsFine);

/// A number from `low` to `high`; `words` say so. JSON has no NaN, and a comparison refuses it.
fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    low: f64,
    high: f64,
    words: &'static str,
) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number >= low && number <= high {
        return Ok(number);
    }
    Err(D::Error::invalid_value(Unexpected::Float(number), &words))
}
