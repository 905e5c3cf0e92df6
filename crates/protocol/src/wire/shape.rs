//! Size and depth of a frame, checked before anything is built from it.

use crate::error::{ErrorCode, WireError};

/// Refuses a frame that is larger than `bytes_max`.
pub(crate) fn check_size(text: &str, bytes_max: usize) -> Result<(), WireError> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    Err(WireError::new(
        ErrorCode::TooLarge,
        format!(
            "the frame has {} bytes, {bytes_max} are allowed; send smaller batches",
            text.len()
        ),
    )
    .with_detail(serde_json::json!({ "bytes": text.len(), "bytes_max": bytes_max })))
}

/// Refuses JSON that is nested deeper than `depth_max`.
///
/// Text that does not hold more opening brackets than are allowed cannot be too deep, wherever
/// they stand: that first look is one pass of vector instructions and settles nearly every event.
pub(crate) fn check_depth(text: &str, depth_max: usize) -> Result<(), WireError> {
    let opening = text.bytes().filter(|byte| matches!(byte, b'[' | b'{'));
    if opening.count() <= depth_max || depth(text) <= depth_max {
        return Ok(());
    }
    Err(WireError::new(
        ErrorCode::TooDeep,
        format!("the frame is nested deeper than {depth_max} levels; it was ignored whole"),
    )
    .with_detail(serde_json::json!({ "depth_max": depth_max })))
}

/// How deep arrays and objects are nested, brackets inside strings left out. For text that is no
/// JSON the answer means nothing, and the parser refuses it afterwards.
fn depth(text: &str) -> usize {
    let (mut now, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        for (text, expected) in [
            ("1", 0),
            ("{}", 1),
            (r#"[{"a":[1]},{"b":2}]"#, 3),
            (r#"{"a":"[[[[{{{"}"#, 1),
            (r#"{"a":"\"[[[","b":"\\","c":[]}"#, 2),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }

    #[test]
    fn brackets_inside_strings_do_not_make_a_frame_too_deep() {
        let many = format!(r#"{{"a":"{}"}}"#, "[".repeat(100));
        assert_eq!(check_depth(&many, 32), Ok(()));
        let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
        assert_eq!(check_depth(&deep, 32).unwrap_err().code, ErrorCode::TooDeep);
        let fits = format!("{}1{}", "[".repeat(32), "]".repeat(32));
        assert_eq!(check_depth(&fits, 32), Ok(()));
    }

    #[test]
    fn size_is_checked_to_the_byte() {
        assert_eq!(check_size("1234", 4), Ok(()));
        let error = check_size("12345", 4).unwrap_err();
        assert_eq!(error.code, ErrorCode::TooLarge);
        assert!(error.message.contains("5 bytes"), "{error}");
    }
}
