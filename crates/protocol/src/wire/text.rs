//! Text that is borrowed from the frame unless JSON escapes stand in the way.

use std::borrow::Cow;
use std::fmt;

use holdfast_domain::CallId;
use holdfast_domain::fact::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A string of the wire. Unlike a `Cow` it borrows inside an `Option` and a `Vec` too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct WireText<'a>(pub(crate) Cow<'a, str>);

impl<'a> WireText<'a> {
    /// The same text, borrowed.
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The same text, borrowed, if there is one.
    pub(crate) fn of_option(text: Option<&'a Text<'_>>) -> Option<Self> {
        text.map(|text| Self::of(text))
    }
}

impl<'a> From<WireText<'a>> for Text<'a> {
    fn from(text: WireText<'a>) -> Self {
        text.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for WireText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text))
            }
        }

        deserializer.deserialize_str(TextVisitor).map(WireText)
    }
}

impl JsonSchema for WireText<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// The id of a call, checked for form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct CallName<'a>(pub(crate) WireText<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for CallName<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = WireText::deserialize(deserializer)?;
        if CallId::is_valid(&text.0) {
            return Ok(Self(text));
        }
        let other = Unexpected::Other("another string");
        Err(D::Error::invalid_value(
            other,
            &"a call id (1 to 128 of A-Z a-z 0-9 . _ : @ -)",
        ))
    }
}

impl JsonSchema for CallName<'_> {
    fn schema_name() -> Cow<'static, str> {
        "CallId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9._:@-]{1,128}$",
            "description": "Names one call."
        })
    }
}

/// Makes a text type that may only be one of a few words. It stays text, because that is what the
/// domain keeps, and borrows like every other text.
macro_rules! closed_text {
    ($(#[$doc:meta])* $name:ident, $words:literal, [$($word:literal),+]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(transparent)]
        pub(crate) struct $name<'a>(pub(crate) $crate::wire::WireText<'a>);

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = $crate::wire::WireText::deserialize(deserializer)?;
                if [$($word),+].contains(&text.0.as_ref()) {
                    return Ok(Self(text));
                }
                let other = serde::de::Unexpected::Other("another word");
                Err(serde::de::Error::invalid_value(other, &$words))
            }
        }

        impl schemars::JsonSchema for $name<'_> {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    };
}

pub(crate) use closed_text;
