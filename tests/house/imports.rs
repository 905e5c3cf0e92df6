//! What a source may reach for: the core no clock and no outside, the window one seam.

use crate::tree::{File, files};

/// What the core must not name: the outside world, and maps whose order is chance.
const NOT_IN_CORE: &[&str] = &[
    "Instant",
    "SystemTime",
    "HashMap",
    "HashSet",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "async fn",
];

fn complaints(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let is_core = ["crates/domain/src/", "crates/engine/src/"]
            .iter()
            .any(|core| file.path.starts_with(core));
        let is_window = file.path.starts_with("ui/src/") && file.is(&["ts", "svelte"]);
        let is_seam = file.path.starts_with("ui/src/lib/backend/");
        for (place, line) in file.lines() {
            let code = line.split("//").next().unwrap_or_default();
            if is_core {
                // Calls are found by a hash and walked by their ids; see there.
                let is_index = file.path == "crates/engine/src/calls/live.rs";
                let named = NOT_IN_CORE
                    .iter()
                    .filter(|name| has_name(code, name) && !(is_index && **name == "HashMap"));
                complaints.extend(named.map(|name| format!("{place}: {name} in the core")));
            }
            if is_window && !is_seam && code.contains("@tauri-apps") {
                complaints.push(format!("{place}: only ui/src/lib/backend knows Tauri"));
            }
            // In a component the top level is the component's; in a module it is the program's.
            if is_window && file.is(&["ts"]) && is_module_state(line) {
                complaints.push(format!(
                    "{place}: mutable state of a module; put it in a class"
                ));
            }
        }
    }
    complaints
}

fn has_name(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        let is_letter = |letter: Option<char>| {
            letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
        };
        !is_letter(before) && !is_letter(after)
    })
}

fn is_module_state(line: &str) -> bool {
    let declares = ["let ", "const ", "export let ", "export const "];
    line.starts_with("let ")
        || line.starts_with("export let ")
        || (declares.iter().any(|declare| line.starts_with(declare)) && line.contains("= $state"))
}

#[test]
fn sources_reach_only_for_what_they_may() {
    crate::hold(&complaints(files()));
}

#[test]
fn it_bites() {
    for (path, text) in [
        ("crates/engine/src/a.rs", "let now = Instant::now();"),
        ("crates/domain/src/a.rs", "use std::collections::HashMap;"),
        ("crates/engine/src/a/tests.rs", "std::thread::sleep(pause);"),
        (
            "ui/src/components/Row.svelte",
            "import { invoke } from \"@tauri-apps/api/core\";",
        ),
        (
            "ui/src/lib/state/board.svelte.ts",
            "export const board = $state({});",
        ),
        ("ui/src/lib/state/board.svelte.ts", "let last = 0;"),
    ] {
        assert_eq!(
            complaints(&[File::of(path, text)]).len(),
            1,
            "{path}: {text}"
        );
    }
    for (path, text) in [
        ("crates/engine/src/a.rs", "// an Instant is never read here"),
        ("crates/engine/src/a.rs", "let instants = InstantLike;"),
        ("crates/hub/src/a.rs", "let now = Instant::now();"),
        (
            "ui/src/lib/backend/tauri.ts",
            "import { invoke } from \"@tauri-apps/api/core\";",
        ),
        (
            "ui/src/lib/state/board.svelte.ts",
            "  #board = $state.raw(null);",
        ),
        ("ui/src/components/Row.svelte", "let open = $state(false);"),
    ] {
        crate::hold(&complaints(&[File::of(path, text)]));
    }
}
