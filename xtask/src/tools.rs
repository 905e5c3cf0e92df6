//! What has to be on the machine before anything else: Rust, Node.js with npm, Python.
//!
//! They are not installed for anybody: how they come onto a machine is its owner's decision.

use anyhow::bail;

use crate::step;

/// A tool with the oldest version that works.
struct Tool {
    name: &'static str,
    program: &'static str,
    oldest: (u32, u32),
    why: &'static str,
    get: &'static str,
}

const RUST: Tool = Tool {
    name: "Rust",
    program: "rustc",
    oldest: (1, 95),
    why: "the workspace says so (rust-version in Cargo.toml)",
    get: "run `rustup update stable`, or see https://rustup.rs",
};
const NODE: Tool = Tool {
    name: "Node.js",
    program: "node",
    oldest: (20, 19),
    why: "Vite needs it to build the window",
    get: "see https://nodejs.org",
};
const NPM: Tool = Tool {
    name: "npm",
    program: "npm",
    oldest: (9, 0),
    why: "it reads the window's package-lock.json",
    get: "it comes with Node.js: see https://nodejs.org",
};
const PYTHON: Tool = Tool {
    name: "Python",
    program: "python3",
    oldest: (3, 11),
    why: "the bridge for Pipecat needs it",
    get: "on Debian 12 or later: apt-get install python3 python3-venv",
};

/// What the window needs. Python is only needed for the bridge and its tests.
pub(crate) fn check_for_console() -> anyhow::Result<()> {
    check(&[RUST, NODE, NPM])
}

/// What every test needs.
pub(crate) fn check_for_tests() -> anyhow::Result<()> {
    check(&[RUST, NODE, NPM, PYTHON])
}

fn check(tools: &[Tool]) -> anyhow::Result<()> {
    let complaints: Vec<String> = tools
        .iter()
        .filter_map(|tool| complaint(tool, step::output(tool.program, &["--version"]).as_deref()))
        .collect();
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n       "));
    }
    Ok(())
}

/// What is wrong with the version that the tool says it has, in a sentence; None when it is good.
fn complaint(tool: &Tool, said: Option<&str>) -> Option<String> {
    let (major, minor) = tool.oldest;
    let Tool { name, why, get, .. } = tool;
    let Some(version) = said.and_then(version) else {
        return Some(format!(
            "{name} is missing. Version {major}.{minor} or later is needed: {why}. To get it: {get}."
        ));
    };
    if version < tool.oldest {
        return Some(format!(
            "{name} is too old: {}.{} is installed, {major}.{minor} or later is needed: {why}. \
             To get it: {get}.",
            version.0, version.1
        ));
    }
    None
}

/// The first two numbers in "rustc 1.95.0 (..)", "v20.20.2", "Python 3.11.7".
fn version(said: &str) -> Option<(u32, u32)> {
    let from = said.find(|character: char| character.is_ascii_digit())?;
    let mut numbers = said[from..].split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_tools_say_them() {
        for (said, expected) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", Some((1, 95))),
            ("v20.20.2\n", Some((20, 20))),
            ("11.19.1", Some((11, 19))),
            ("Python 3.11.7", Some((3, 11))),
            ("none here", None),
        ] {
            assert_eq!(version(said), expected, "{said}");
        }
    }

    #[test]
    fn a_missing_or_old_tool_is_a_sentence_that_says_what_to_do() {
        assert_eq!(complaint(&NODE, Some("v20.19.0")), None);
        let old = complaint(&NODE, Some("v18.20.4")).unwrap();
        assert!(
            old.contains("18.20 is installed") && old.contains("nodejs.org"),
            "{old}"
        );
        let missing = complaint(&PYTHON, None).unwrap();
        assert!(missing.contains("Python is missing"), "{missing}");
    }
}
