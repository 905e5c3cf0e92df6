//! One word per idea, names that say something, and no way around a lint or a test.

use crate::tree::{File, files};

/// Endings of type names that say nothing, whatever stands before them.
const EMPTY_WORDS: &[&str] = &["Manager", "Service", "Helper", "Util", "Utils", "Processor"];

/// Names of files that gather what has no place.
const EMPTY_FILES: &[&str] = &[
    "imp.rs",
    "utils.rs",
    "util.rs",
    "common.rs",
    "types.rs",
    "helpers.rs",
    "utils.ts",
    "helpers.ts",
    "common.ts",
    "types.ts",
];

/// What serves a layer of a call is a `Service` of ours, and on the wire a `WireService`.
const OUR_SERVICE: &[&str] = &["Service", "WireService"];

/// Words of platforms, that only a bridge may use (and what is written about the platforms).
const PLATFORM_WORDS: &[(&str, &str)] = &[
    ("Stt", "Asr"),
    ("BargeIn", "Interruption"),
    ("Fallback", "Failover, or Rung"),
    ("Escalation", "Handoff"),
];

/// Ways around a lint or a test, where they stand at the beginning of a line, and what to do.
const AROUND: &[(&str, &[&str], &str)] = &[
    ("#[allow", &["rs"], "use #[expect(.., reason = \"..\")]"),
    ("#![allow", &["rs"], "use #![expect(.., reason = \"..\")]"),
    (
        "#[ignore",
        &["rs"],
        "a test that does not run proves nothing",
    ),
    (
        "it.skip",
        &["ts"],
        "a test that does not run proves nothing",
    ),
    (
        "test.skip",
        &["ts"],
        "a test that does not run proves nothing",
    ),
    ("it.only", &["ts"], "it silences every other test"),
    ("test.only", &["ts"], "it silences every other test"),
    (
        "// @ts-ignore",
        &["ts", "svelte"],
        "use @ts-expect-error with a reason",
    ),
    ("// @ts-nocheck", &["ts", "svelte"], "type it"),
    (
        "@pytest.mark.skip",
        &["py"],
        "a test that does not run proves nothing",
    ),
];

/// Marks of unfinished work. They are welcome with the number of an issue.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("HA", "CK"),
    concat!("XX", "X"),
];

fn complaints(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        // Cargo asks for mod.rs where tests of a crate share something.
        let is_mod = name == "mod.rs" && !file.path.contains("/tests/");
        if is_mod || EMPTY_FILES.contains(&name) {
            complaints.push(format!("{}: the name says nothing", file.path));
        }
        for (place, line) in file.lines() {
            if let Some(name) = type_name(file, line) {
                complaints.extend(about_type(file, name).map(|why| format!("{place}: {why}")));
            }
            for (way, endings, instead) in AROUND {
                if file.is(endings) && line.trim_start().starts_with(way) {
                    complaints.push(format!("{place}: {way}: {instead}"));
                }
            }
            if UNFINISHED.iter().any(|mark| has_word(line, mark)) && !names_issue(line) {
                complaints.push(format!("{place}: unfinished work without an issue (#123)"));
            }
        }
    }
    complaints
}

/// The name of the type that a line declares.
fn type_name<'a>(file: &File, line: &'a str) -> Option<&'a str> {
    let keywords: &[&str] = if file.is(&["rs"]) {
        &["struct", "enum", "trait", "type"]
    } else if file.is(&["ts", "svelte"]) {
        &["class", "interface", "type", "enum"]
    } else {
        return None;
    };
    let mut words = line.split_whitespace();
    let keyword = words.find(|word| !is_before_type(word))?;
    let name = words.next()?;
    let end = name
        .find(|letter: char| !letter.is_alphanumeric())
        .unwrap_or(name.len());
    let is_type = keywords.contains(&keyword) && name.starts_with(char::is_uppercase);
    is_type.then_some(&name[..end])
}

fn is_before_type(word: &str) -> bool {
    word.starts_with("pub") || ["export", "default", "declare", "abstract"].contains(&word)
}

fn about_type(file: &File, name: &str) -> impl Iterator<Item = String> {
    let is_empty = EMPTY_WORDS
        .iter()
        .any(|word| name.ends_with(word) && !OUR_SERVICE.contains(&name));
    let empty = is_empty.then(|| format!("{name}: the last word says nothing"));
    let is_bridge = file.path.starts_with("bridges/");
    let foreign = PLATFORM_WORDS
        .iter()
        .filter(|(word, _)| !is_bridge && name.contains(word))
        .map(|(word, ours)| format!("{name}: {word} is a platform's word, ours is {ours}"))
        .collect::<Vec<_>>();
    empty.into_iter().chain(foreign)
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        !is_letter(before) && !is_letter(after)
    })
}

fn names_issue(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| {
        let after = line[at + 1..].chars().next();
        after.is_some_and(|letter| letter.is_ascii_digit())
    })
}

#[test]
fn names_say_something_and_nothing_goes_around() {
    crate::hold(&complaints(files()));
}

#[test]
fn it_bites() {
    let unfinished = |rest: &str| format!("// {}{rest}\n", UNFINISHED[0]);
    for (path, text) in [
        ("a/src/utils.rs", ""),
        ("a/src/one/mod.rs", ""),
        ("a/src/a.rs", "pub(crate) struct CallManager {"),
        ("a/src/a.rs", "enum RetryHelper<T> {"),
        ("a/src/a.rs", "pub struct LlmService(u8);"),
        ("ui/src/a.ts", "export class BoardUtil {"),
        ("a/src/a.rs", "struct SttHealth;"),
        ("a/src/a.rs", "    #[allow(dead_code)]"),
        ("a/src/a.rs", "#[ignore = \"slow\"]"),
        ("ui/src/a.test.ts", "  it.only(\"a\", () => {});"),
        ("b/tests/test_a.py", "@pytest.mark.skip(reason=\"slow\")"),
        ("a/src/a.rs", &unfinished(": later")),
    ] {
        let complaints = complaints(&[File::of(path, text)]);
        assert_eq!(complaints.len(), 1, "{path}: {text}: {complaints:?}");
    }
    for (path, text) in [
        ("a/src/a.rs", "pub struct Service {"),
        ("a/tests/strategy/mod.rs", ""),
        ("a/src/a.rs", "// the struct CallManager of others"),
        ("a/src/a.rs", "#[expect(dead_code, reason = \"..\")]"),
        ("bridges/pipecat/a.py", "class FakeSTTService(STTService):"),
        ("a/src/a.rs", &unfinished("(#12): later")),
        ("a/src/a.rs", &unfinished("S are none")),
    ] {
        crate::hold(&complaints(&[File::of(path, text)]));
    }
}
