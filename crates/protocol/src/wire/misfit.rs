//! Turns a JSON value that does not fit into words: the field, and what was expected there.
//!
//! The value itself never gets into the words, because it may be personal data.

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::{ErrorCode, WireError};

/// Reads `json` as a `T`. `what` names the frame and `at` the place of `json` in it (empty for the
/// frame itself).
pub(crate) fn read<'a, T: Deserialize<'a>>(
    what: &str,
    at: &str,
    json: &'a str,
) -> Result<T, WireError> {
    // serde would also take an array for a struct, field after field.
    if !json.trim_ascii_start().starts_with('{') {
        return Err(wrong(what, at, "is not an object"));
    }
    serde_json::from_str(json).map_err(|_| misfit::<T>(what, at, json))
}

/// The error for a field that is read but cannot be.
pub(crate) fn wrong(what: &str, field: &str, problem: &str) -> WireError {
    let message = if field.is_empty() {
        format!("{what}: {problem}; it was ignored")
    } else {
        format!("{what}: field {field} {problem}; it was ignored")
    };
    WireError::new(ErrorCode::WrongType, message)
        .with_detail(serde_json::json!({ "what": what, "field": field }))
}

/// Why `json` does not fit a `T`. It is read a second time, with care for the path instead of the
/// speed.
pub(crate) fn misfit<'a, T: Deserialize<'a>>(what: &str, at: &str, json: &'a str) -> WireError {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let (path, error) = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => (String::new(), None),
        Err(error) => {
            let path = error.path().to_string();
            (path, Some(error.into_inner()))
        }
    };
    let expectation = error.as_ref().map_or_else(
        || Expectation::Of("one JSON value and nothing after it".to_owned()),
        expectation,
    );
    let mut place = at.to_owned();
    let missing = match &expectation {
        Expectation::Field(name) => name.as_str(),
        Expectation::Of(_) | Expectation::Twice(_) => "",
    };
    for part in [path.as_str(), missing] {
        if part.is_empty() || part == "." {
            continue;
        }
        if !place.is_empty() && !part.starts_with('[') {
            place.push('.');
        }
        place.push_str(part);
    }
    match expectation {
        Expectation::Field(_) => wrong(what, &place, "is missing"),
        Expectation::Twice(name) => wrong(what, &name, "is there twice"),
        Expectation::Of(words) => wrong(what, &place, &format!("is not {words}")),
    }
}

/// What a deserializer wanted.
enum Expectation {
    /// A field of this name.
    Field(String),
    /// A field of this name, once.
    Twice(String),
    /// A value like this.
    Of(String),
}

/// Takes the expectation out of serde's words and leaves the value behind.
fn expectation(error: &serde_json::Error) -> Expectation {
    let words = error.to_string();
    let words = words
        .rfind(" at line ")
        .map_or(words.as_str(), |end| &words[..end]);
    let quoted = |prefix: &str| {
        let name = words.strip_prefix(prefix)?.strip_suffix('`')?;
        Some(name.to_owned())
    };
    if let Some(name) = quoted("missing field `") {
        return Expectation::Field(name);
    }
    if let Some(name) = quoted("duplicate field `") {
        return Expectation::Twice(name);
    }
    // The value stands before the expectation and may hold anything, so the last one counts.
    if let Some(start) = words.rfind(", expected ") {
        return Expectation::Of(words[start + ", expected ".len()..].to_owned());
    }
    match error.classify() {
        // These words are serde_json's own and hold no part of the value.
        Category::Syntax | Category::Eof => Expectation::Of(format!("valid JSON ({words})")),
        Category::Data | Category::Io => Expectation::Of("another value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read to see it fail")]
    struct Sample {
        #[serde(rename = "error.type")]
        kind: String,
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read to see it fail")]
    struct Inner {
        turn: u32,
    }

    fn check(json: &str, expected: &str) {
        let error = read::<Sample>("holdfast.x", "data", json).unwrap_err();
        assert_eq!(error.code, ErrorCode::WrongType);
        assert_eq!(error.message, expected, "{json}");
    }

    #[test]
    fn words_name_the_field_and_the_expectation() {
        check(
            r#"{"list":[]}"#,
            "holdfast.x: field data.error.type is missing; it was ignored",
        );
        check(
            r#"{"error.type":"a","list":[{"turn":1},{"turn":-1}]}"#,
            "holdfast.x: field data.list[1].turn is not u32; it was ignored",
        );
        check(
            r#"{"error.type":"a","list":[{}]}"#,
            "holdfast.x: field data.list[0].turn is missing; it was ignored",
        );
        check(
            r#"{"error.type":"a","error.type":"b","list":[]}"#,
            "holdfast.x: field error.type is there twice; it was ignored",
        );
        check(
            r#"["a",[]]"#,
            "holdfast.x: field data is not an object; it was ignored",
        );
    }

    #[test]
    fn words_hold_no_part_of_the_value() {
        for json in [
            r#"{"error.type":"a","list":"Ana, expected secret"}"#,
            r#"{"error.type":"a","list":[{"turn":"secret"}]}"#,
            r#"{"error.type":"\ud800secret","list":[]}"#,
            r#""secret""#,
        ] {
            let error = read::<Sample>("holdfast.x", "data", json).unwrap_err();
            assert!(!error.message.contains("secret"), "{error}");
        }
    }
}
