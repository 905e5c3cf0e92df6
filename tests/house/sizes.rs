//! No file grows beyond what a reader holds in the head.

use crate::tree::{File, files};

/// The most lines for each ending. Files aim at well under this; here is where it is no longer a
/// matter of taste.
const LIMITS: &[(&str, usize)] = &[
    ("rs", 600),
    ("svelte", 400),
    ("ts", 600),
    ("css", 500),
    ("py", 500),
];

/// The most lines for a file of tests: they are read one test at a time.
const TESTS: usize = 800;

/// Files that may be longer, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "crates/engine/src/commands.rs",
        "the life of a command: one state machine, read beside its diagram",
    ),
    (
        "crates/engine/src/handoffs.rs",
        "the life of a handoff: one state machine, read beside its diagram",
    ),
    (
        "crates/simulator/src/call.rs",
        "the stages of a call: one state machine, read beside its diagram",
    ),
    (
        "crates/simulator/src/call/act.rs",
        "every command beside its read-back, so that a missing one is seen",
    ),
];

fn complaints(files: &[File], exceptions: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let limit = LIMITS.iter().find(|(ending, _)| file.is(&[ending]));
        let Some((_, limit)) = limit else { continue };
        let limit = if is_tests(&file.path) { TESTS } else { *limit };
        let length = file.text.lines().count();
        let is_excepted = exceptions.iter().any(|(path, _)| *path == file.path);
        if length > limit && !is_excepted {
            complaints.push(format!(
                "{}: {length} lines, the limit is {limit}: is it two rooms?",
                file.path
            ));
        }
        if length <= limit && is_excepted {
            complaints.push(format!("{}: needs its exception no longer", file.path));
        }
    }
    for (path, _) in exceptions {
        if files.iter().all(|file| file.path != *path) {
            complaints.push(format!("{path}: excepted, and does not exist"));
        }
    }
    complaints
}

fn is_tests(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with(".test.ts")
}

#[test]
fn files_are_short_enough() {
    crate::hold(&complaints(files(), EXCEPTIONS));
}

#[test]
fn it_bites() {
    let long = "x\n".repeat(601);
    let files = [
        File::of("a/src/lib.rs", &long),
        File::of("a/src/one/tests.rs", &long),
        File::of("a/src/short.rs", "x\n"),
        File::of("a/notes.md", &long),
    ];
    assert_eq!(
        complaints(&files, &[]),
        ["a/src/lib.rs: 601 lines, the limit is 600: is it two rooms?"]
    );
    let exceptions = [
        ("a/src/lib.rs", "one table"),
        ("a/src/short.rs", "was long"),
        ("a/gone.rs", "was long"),
    ];
    assert_eq!(
        complaints(&files, &exceptions),
        [
            "a/src/short.rs: needs its exception no longer",
            "a/gone.rs: excepted, and does not exist",
        ]
    );
}
