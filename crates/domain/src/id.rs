//! Identifiers: strings that cannot be mistaken for one another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Makes one identifier type: a cheap-to-clone string that only compares with its own kind.
macro_rules! make_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[ts(type = "string")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a string that names one of these.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// The identifier as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &self.0)
            }
        }
    };
}

make_id! {
    /// One customer contact by voice. Unique over all platforms that a hub serves.
    CallId
}
make_id! {
    /// One running bridge: `//bridges/<kind>/<instance>`.
    SourceId
}
make_id! {
    /// One event of one source.
    EventId
}
make_id! {
    /// One command on one call. It is also the idempotency key: the same id twice has one effect.
    CommandId
}
make_id! {
    /// One act of a person, on one call or on many; its commands carry it.
    ActId
}
make_id! {
    /// One change of who serves the customer.
    HandoffId
}
make_id! {
    /// One shared cause behind failing calls.
    CauseId
}
make_id! {
    /// One human agent who can receive calls: the name in their token.
    AgentId
}
make_id! {
    /// One playbook, whatever its version.
    PlaybookId
}
make_id! {
    /// One run of a playbook; the act of its commands.
    RunId
}
make_id! {
    /// One step of a playbook, unique within it.
    StepId
}
make_id! {
    /// One sentence of a playbook that callers hear, in every language; unique within it.
    AnnouncementId
}

/// The longest call id that is accepted, in bytes. Platform ids seen in the field (UUIDs, SIP
/// Call-IDs with a host) stay under 100.
pub const CALL_ID_BYTES_MAX: usize = 128;

impl CallId {
    /// True if `id` may name a call: 1 to [`CALL_ID_BYTES_MAX`] characters of `A-Z a-z 0-9 . _ : @ -`.
    pub fn is_valid(id: &str) -> bool {
        !id.is_empty()
            && id.len() <= CALL_ID_BYTES_MAX
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._:@-".contains(&b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_ids_are_checked() {
        for good in [
            "a",
            "call-1",
            "7f:3@host.example",
            &"x".repeat(CALL_ID_BYTES_MAX),
        ] {
            assert!(CallId::is_valid(good), "{good:?}");
        }
        for bad in [
            "",
            "*",
            "a b",
            "é",
            "a/b",
            &"x".repeat(CALL_ID_BYTES_MAX + 1),
        ] {
            assert!(!CallId::is_valid(bad), "{bad:?}");
        }
    }
}
