//! Words of a file in messages about it.

/// The most characters of a file's text that a message repeats.
const QUOTED_CHARS_MAX: usize = 60;

/// Text of a file between quotes, clipped, with nothing in it that could steer a terminal.
pub(super) fn quoted(text: &str) -> String {
    let clipped: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    let mark = if clipped.len() < text.len() {
        "…"
    } else {
        ""
    };
    format!("\"{}{mark}\"", clipped.escape_debug())
}

/// The known word that was probably meant; None if none is near.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > QUOTED_CHARS_MAX {
        return None;
    }
    known
        .into_iter()
        .map(|known| (distance(word, known), known))
        // Two letters or a third of them may be wrong, but not all; beyond it a guess misleads.
        .filter(|(off, known)| {
            let longest = length.max(known.chars().count());
            *off <= (longest / 3).max(2) && *off < longest.min(length)
        })
        .min_by_key(|(off, _)| *off)
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out, changed or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let change = last[j] + usize::from(left != right);
            let mut off = change.min(last[j + 1] + 1).min(row[j] + 1);
            let is_swap = i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right;
            if is_swap {
                off = off.min(before_last[j - 1] + 1);
            }
            row.push(off);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not_guessed() {
        let keys = ["languages", "layer", "ttl_s", "id"];
        for (word, found) in [
            ("langauges", Some("languages")),
            ("language", Some("languages")),
            ("lyaer", Some("layer")),
            ("ttl", Some("ttl_s")),
            ("di", Some("id")),
            ("xx", None),
            ("owner", None),
            ("", None),
            ("xyz", None),
        ] {
            assert_eq!(nearest(word, keys), found, "{word}");
        }
        assert_eq!(nearest(&"l".repeat(100_000), keys), None);
    }

    #[test]
    fn what_a_file_says_cannot_steer_a_terminal() {
        assert_eq!(quoted("a\u{1b}[31m\"b"), "\"a\\u{1b}[31m\\\"b\"");
        assert_eq!(quoted(&"é".repeat(61)).chars().count(), 63);
    }
}
