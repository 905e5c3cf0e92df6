//! A call with its card as a vCon, in the form of the IETF's draft core-04 (syntax 0.4.0).
//!
//! Each final utterance is a `text` dialog with what was heard of it; a handoff that reached a human
//! is a `transfer`, which has roles and no parties, and one that did not is a `transfer` to an
//! `incomplete` dialog with its disposition. The card is an analysis whose body is a JSON value.
//!
//! An import trusts nothing: it is refused with the reason when it is too large or too deep, when
//! something has the wrong form or points where nothing is, and when any text in it could be taken
//! for markup. What comes out of it is plain values.
//!
//! Deliberately absent: recordings, files that are stored elsewhere, signed and encrypted forms.

mod export;
mod import;

pub use export::{Export, export};
pub use import::{Imported, ImportedWords, VconError, import};

/// The version of the syntax.
const SYNTAX: &str = "0.4.0";

/// Who makes the analysis that holds the card.
const VENDOR: &str = "Holdfast";

/// The type of that analysis.
const CARD_TYPE: &str = "handoff-card";

/// The schema of its body.
const CARD_SCHEMA: &str = "urn:holdfast:handoff-card:1";

#[cfg(test)]
mod tests;
