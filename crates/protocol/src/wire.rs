//! What all codecs of this crate share: limits, readers with typed errors, and wire forms of
//! moments, lengths of time and text.

mod misfit;
mod moment;
mod number;
mod shape;
mod text;

pub(crate) use misfit::{misfit, read, wrong};
pub(crate) use moment::Moment;
pub(crate) use number::{NotNegative, Secs, SecsFine, Share, SignedShare};
pub(crate) use shape::{check_depth, check_size};
pub(crate) use text::{CallName, WireText, closed_text};

use serde::Deserialize;

use crate::error::{ErrorCode, WireError};

/// The one key that is read before anything else.
#[derive(Deserialize)]
struct TypeOnly<'a> {
    #[serde(borrow, rename = "type")]
    kind: WireText<'a>,
}

/// The `type` of the object in `text`, whatever else it holds.
pub(crate) fn type_of(text: &str) -> Result<WireText<'_>, WireError> {
    // serde would also take an array for a struct.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(not_a_frame(text));
    }
    let only: TypeOnly<'_> = serde_json::from_str(text).map_err(|_| not_a_frame(text))?;
    Ok(only.kind)
}

/// The error for text that is no object with a `type`.
pub(crate) fn not_a_frame(text: &str) -> WireError {
    let problem = match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Err(error) => format!(
            "the frame is no JSON (line {}, column {})",
            error.line(),
            error.column()
        ),
        Ok(_) => "the frame is no JSON object with a string as its type".to_owned(),
    };
    WireError::new(
        ErrorCode::Malformed,
        format!("{problem}; it was ignored whole"),
    )
}
