//! Every fault, by an edit of a file that ships: what is changed, where the fault stands, what it
//! says, and whether the schema sees it too.

use super::{faults, schema, shipped};

/// The form is broken: the schema refuses it as well.
const FORM: bool = true;
/// A rule between keys is broken, of which the schema knows nothing.
const RULE: bool = false;

struct Edit {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// The fault stands where this stands first in the edited text.
    at: &'static str,
    what: &'static str,
    is_form: bool,
}

const fn edit(
    file: &'static str,
    [from, to]: [&'static str; 2],
    at: &'static str,
    what: &'static str,
    is_form: bool,
) -> Edit {
    Edit {
        file,
        from,
        to,
        at,
        what,
        is_form,
    }
}

const VENDOR: &str = "model-vendor-down.toml";
const TOOL: &str = "tool-stalled.toml";
const STOP: &str = "stop-all-ai.toml";
const PLANNED: &str = "planned-vendor-switch.toml";

const EDITS: &[Edit] = &[
    // === the form ===
    edit(
        VENDOR,
        ["protected =", "protcted = \"last\"\nprotected ="],
        "protcted",
        "unknown key \"protcted\" in a selector",
        FORM,
    ),
    edit(
        VENDOR,
        ["ttl_s = 900\n", ""],
        "#",
        "a playbook lacks ttl_s",
        FORM,
    ),
    edit(
        VENDOR,
        ["ttl_s = 900", "ttl_s = \"900\""],
        "\"900\"",
        "ttl_s is text",
        FORM,
    ),
    edit(
        VENDOR,
        ["ttl_s = 900", "ttl_s = 0x1_0000_0000"],
        "0x1",
        "ttl_s is 0x100000000",
        FORM,
    ),
    edit(
        VENDOR,
        ["ttl_s = 900", "ttl_s = 900.5"],
        "900.5",
        "ttl_s is a number with a fraction",
        FORM,
    ),
    edit(
        VENDOR,
        ["expires_s = 120\n", ""],
        "[approval]",
        "two_person lacks expires_s",
        FORM,
    ),
    edit(
        VENDOR,
        ["expires_s = 120", "expires_s = 5"],
        "5\n",
        "expires_s is 5",
        FORM,
    ),
    edit(
        VENDOR,
        ["layer = \"llm\"", "layer = \"lmm\""],
        "\"lmm\"",
        "layer knows no \"lmm\"",
        FORM,
    ),
    edit(
        VENDOR,
        ["id = \"model-vendor-down\"", "id = \"Model\""],
        "\"Model\"",
        "id cannot be \"Model\"",
        FORM,
    ),
    edit(
        VENDOR,
        ["owner = \"Platform team\"", "owner = \"\""],
        "\"\"",
        "owner cannot be \"\"",
        FORM,
    ),
    edit(
        VENDOR,
        ["to = \"next\"", "to = \"nxt\""],
        "\"nxt\"",
        "to knows no \"nxt\"",
        FORM,
    ),
    edit(
        VENDOR,
        [
            "to = \"next\"",
            "to = { rung = \"backup\", provider = \"B\" }",
        ],
        "{ rung = \"backup\", p",
        "to does not hold exactly one of its keys",
        FORM,
    ),
    edit(
        VENDOR,
        ["to = \"next\"", "to = \"provider\""],
        "\"provider\"\nann",
        "to does not hold exactly one of its keys",
        FORM,
    ),
    edit(
        VENDOR,
        ["to = \"next\"", "to = { provider = 3 }"],
        "3 }",
        "provider is a whole number",
        FORM,
    ),
    edit(
        VENDOR,
        ["type = \"switch_model\"", "type = \"switch_modl\""],
        "\"switch_modl\"",
        "type knows no \"switch_modl\"",
        FORM,
    ),
    edit(
        VENDOR,
        ["type = \"switch_model\"\n", ""],
        "[steps.action]",
        "an action lacks type",
        FORM,
    ),
    edit(
        VENDOR,
        ["type = \"switch_model\"\n", "type = 1\n"],
        "1\nlayer",
        "type is a whole number",
        FORM,
    ),
    edit(
        VENDOR,
        ["announcement = \"switch\"\nretry", "retry"],
        "[steps.action]",
        "switch_model lacks announcement",
        FORM,
    ),
    edit(
        VENDOR,
        ["retry_turn = true", "retry_turn = \"yes\""],
        "\"yes\"",
        "retry_turn is text",
        FORM,
    ),
    edit(
        VENDOR,
        ["parity = [\"prompt\"", "parity = [\"promt\""],
        "\"promt\"",
        "parity knows no \"promt\"",
        FORM,
    ),
    edit(
        VENDOR,
        ["languages = [", "languages = [\"english\", "],
        "\"english\"",
        "languages cannot be \"english\"",
        FORM,
    ),
    edit(
        VENDOR,
        [
            "[announcements.switch]\nen",
            "[announcements.switch]\nen_GB = \"Hello.\"\nen",
        ],
        "en_GB",
        "a key of announcements.switch cannot be \"en_GB\"",
        FORM,
    ),
    // === sentences ===
    edit(
        VENDOR,
        ["{calls_failing}", "{calls_faling}"],
        "calls_faling",
        "there is no value {calls_faling}",
        RULE,
    ),
    edit(
        VENDOR,
        ["Thank you", "Thank { you"],
        "{ you",
        "a brace { or } stands alone",
        RULE,
    ),
    edit(
        VENDOR,
        ["Thank you", "Thank } you"],
        "} you",
        "a brace { or } stands alone",
        RULE,
    ),
    edit(
        VENDOR,
        ["Thank you", "In {stage} thank you"],
        "stage} thank",
        "callers are not told {stage}",
        RULE,
    ),
    edit(
        VENDOR,
        [
            "announcement = \"switch\"\nretry",
            "announcement = \"swich\"\nretry",
        ],
        "\"swich\"",
        "there is no announcement \"swich\"",
        RULE,
    ),
    edit(
        VENDOR,
        ["announcement = \"back\"", "announcement = \"gone\""],
        "\"gone\"",
        "there is no announcement \"gone\"",
        RULE,
    ),
    edit(
        STOP,
        ["announcement = \"callback\"", "announcement = \"recall\""],
        "\"recall\"",
        "there is no announcement \"recall\"",
        RULE,
    ),
    edit(
        VENDOR,
        [", announcement = \"back\" }", " }"],
        "back]\nen",
        "nothing says the announcement \"back\"",
        RULE,
    ),
    edit(
        VENDOR,
        ["fr = \"Merci", "fr-CA = \"Merci"],
        "back]\nen",
        "the announcement \"back\" lacks the language \"fr\"",
        RULE,
    ),
    edit(
        VENDOR,
        ["fr = \"Merci", "it = \"Grazie.\"\nfr = \"Merci"],
        "it = ",
        "the announcement \"back\" has a sentence in \"it\", which languages does not name",
        RULE,
    ),
    edit(
        VENDOR,
        ["languages = [\"en\", ", "languages = [\"en\", \"en\", "],
        "\"en\", \"es\"",
        "the language \"en\" stands twice",
        RULE,
    ),
    // === steps ===
    edit(
        TOOL,
        ["id = \"again\"", "id = \"say\""],
        "\"say\"\n\n[steps.action]\ntype = \"retry",
        "the step \"say\" stands twice",
        RULE,
    ),
    edit(
        VENDOR,
        ["{ step = \"switch\",", "{ step = \"swich\","],
        "\"swich\"",
        "there is no step \"swich\"",
        RULE,
    ),
    edit(
        VENDOR,
        ["    { step = \"switch\", announcement = \"back\" },\n", ""],
        "[\n]",
        "the rollback does not say how \"switch\" is undone",
        RULE,
    ),
    edit(
        VENDOR,
        [
            "    { step = \"switch\",",
            "    { step = \"switch\" },\n    { step = \"switch\",",
        ],
        "\"switch\", ann",
        "the undo of \"switch\" stands twice",
        RULE,
    ),
    edit(
        TOOL,
        [
            "    { step = \"switch-off\" },",
            "    { step = \"switch-off\" },\n    { step = \"say\" },",
        ],
        "\"say\" }",
        "\"say\" leaves nothing behind to undo",
        RULE,
    ),
    edit(
        STOP,
        [
            "    { step = \"stop\",",
            "    { step = \"to-humans\" },\n    { step = \"stop\",",
        ],
        "\"to-humans\" }",
        "\"to-humans\" cannot be undone",
        RULE,
    ),
    edit(
        STOP,
        ["point_of_no_return = \"stop\"\n", ""],
        "[rollback]",
        "\"to-humans\" cannot be undone, and there is no point of no return",
        RULE,
    ),
    edit(
        STOP,
        [
            "point_of_no_return = \"stop\"",
            "point_of_no_return = \"tell\"",
        ],
        "\"tell\"\n\n# What",
        "the point of no return \"tell\" comes after \"to-humans\", which cannot be undone",
        RULE,
    ),
    edit(
        STOP,
        [
            "point_of_no_return = \"stop\"",
            "point_of_no_return = \"halt\"",
        ],
        "\"halt\"",
        "there is no step \"halt\"",
        RULE,
    ),
    edit(
        VENDOR,
        [
            "[announcements.switch]",
            "[rollback.x]\n\n[announcements.switch]",
        ],
        "x]",
        "unknown key \"x\" in a rollback",
        FORM,
    ),
    edit(
        TOOL,
        [
            "# What callers hear.",
            "point_of_no_return = \"say\"\n\n# What",
        ],
        "\"say\"\n\n# What",
        "\"say\" is the point of no return, and every step can be undone",
        RULE,
    ),
    // === the course ===
    edit(
        VENDOR,
        ["percent = 25", "percent = 5"],
        "{ percent = 5 }\nhold_s = 20",
        "this stage does not reach further than the one before",
        RULE,
    ),
    edit(
        VENDOR,
        ["reach = \"all\"", "reach = { percent = 99 }"],
        "{ percent = 99",
        "the last stage does not reach all calls",
        RULE,
    ),
    edit(
        VENDOR,
        ["hold_s = 5", "hold_s = 61"],
        "60 }",
        "the probe must be true within 60 s, and the stage holds 61 s",
        RULE,
    ),
    edit(
        VENDOR,
        ["ttl_s = 900", "ttl_s = 329"],
        "329",
        "stages and steps can take 330 s, and the run ends after 329 s",
        RULE,
    ),
    edit(
        TOOL,
        ["ttl_s = 5400", "ttl_s = 3600"],
        "3600",
        "stages and steps can take 3930 s, and the run ends after 3600 s",
        RULE,
    ),
    edit(
        VENDOR,
        [
            "{ by = \"cause\", dimensions = [\"provider\", \"model\"] }",
            "{ by = \"all\" }",
        ],
        "[[preconditions]]",
        "the check cause_active needs a cause, and the scope is not by cause",
        RULE,
    ),
    edit(
        TOOL,
        [
            "dimensions = [\"tool\"]",
            "dimensions = [\"tool\", \"queue\"]",
        ],
        "\"cause\"\n\n[[steps]]\nid = \"say\"",
        "the tool of the cause is meant, and the cause need not name a tool",
        RULE,
    ),
    edit(
        STOP,
        [
            "preconditions = []",
            "preconditions = [{ check = \"target_healthy\", percent_max = 5 }]",
        ],
        "{ check",
        "target_healthy looks at the targets of a switch, and no step switches",
        RULE,
    ),
    edit(
        STOP,
        [
            "[approval]\nclass = \"break_glass\"\nreason_chars_min = 10\nreview_within_h = 24",
            "[approval]\nclass = \"none\"",
        ],
        "[approval]",
        "\"to-humans\" cannot be undone, and nobody must agree",
        RULE,
    ),
    edit(
        STOP,
        [
            "when = \"human_wait\"\nwait_s_over = 3600",
            "when = \"worse_than_untouched\"\nmeasure = \"failed_turns\"\npoints_over = 5\ncalls_min = 5",
        ],
        "[[abort]]\nwhen = \"worse",
        "with one stage no call stays untouched to compare with",
        RULE,
    ),
    edit(
        VENDOR,
        ["rung = \"retry\"", "rung = \"backup\""],
        "\"backup\", deadline_ms = 2500",
        "this rung does not come after the one before",
        RULE,
    ),
    edit(
        VENDOR,
        ["rung = \"retry\"", "rung = \"primary\""],
        "\"primary\"",
        "rung knows no \"primary\"",
        FORM,
    ),
    edit(
        PLANNED,
        ["dimension = \"provider\"", "dimension = \"vendor\""],
        "\"vendor\"",
        "dimension knows no \"vendor\"",
        FORM,
    ),
    edit(
        STOP,
        [
            "type = \"pause_ai\"\nannouncement = \"stop\"",
            "type = \"disable_tools\"\ntools = \"cause\"",
        ],
        "\"cause\"",
        "the tool of the cause needs a cause",
        RULE,
    ),
    edit(
        STOP,
        [
            "id = \"tell\"\naction = {",
            "id = \"wait\"\naction = { type = \"wait_until\", timeout_s = 60, until = { check = \"cause_active\" } }\n\n[[steps]]\nid = \"tell\"\naction = {",
        ],
        "{ check",
        "the check cause_active needs a cause",
        RULE,
    ),
    edit(
        STOP,
        [
            "id = \"tell\"\naction = {",
            "id = \"wait\"\naction = { type = \"wait_until\", timeout_s = 60, until = { check = \"target_healthy\", percent_max = 5 } }\n\n[[steps]]\nid = \"tell\"\naction = {",
        ],
        "{ check",
        "target_healthy looks at the targets of a switch",
        RULE,
    ),
];

#[test]
fn every_fault_is_found_at_its_place() {
    let schema = schema();
    for edit in EDITS {
        let before = shipped(edit.file);
        let text = before.replacen(edit.from, edit.to, 1);
        assert_ne!(text, before, "{:?} is not in {}", edit.from, edit.file);
        let at = text.find(edit.at);
        let at = at.unwrap_or_else(|| panic!("{:?} is not in the edited text", edit.at));
        let place = crate::playbook::place::line_and_column(&text, at);
        let found: Vec<_> = faults(&text)
            .into_iter()
            .map(|fault| ((fault.line, fault.column), fault.kind.what()))
            .collect();
        let is_there = found
            .iter()
            .any(|(found, what)| *found == place && what.contains(edit.what));
        assert!(is_there, "{place:?} {}: found {found:?}", edit.what);
        if let Ok(value) = toml::from_str::<serde_json::Value>(&text) {
            assert_eq!(schema.is_valid(&value), !edit.is_form, "{}", edit.what);
        }
    }
}

/// Longer than a test can write down.
#[test]
fn what_is_too_long_or_too_many_is_refused() {
    let schema = schema();
    for (from, to, what) in [
        (
            "owner = \"Platform team\"".to_owned(),
            format!("owner = \"{}\"", "é".repeat(81)),
            "owner has 81 characters, the limit is 80",
        ),
        (
            "languages = [".to_owned(),
            format!("languages = [{}", "\"fi\", ".repeat(40)),
            "languages has 45 entries",
        ),
        (
            "[announcements.switch]\n".to_owned(),
            (0..41).fold("[announcements.switch]\n".to_owned(), |text, n| {
                format!("{text}xa-a{n:02} = \"a\"\n")
            }),
            "announcements.switch has 46 entries",
        ),
    ] {
        let text = shipped(VENDOR).replacen(&from, &to, 1);
        let found: Vec<String> = faults(&text)
            .iter()
            .map(|fault| fault.kind.what())
            .collect();
        assert!(found.iter().any(|found| found == what), "{what}: {found:?}");
        let value: serde_json::Value = toml::from_str(&text).unwrap();
        assert!(!schema.is_valid(&value));
    }
    let no_abort = shipped(STOP);
    let (before, rest) = no_abort.split_once("# A run that stops").unwrap();
    let (_, after) = rest.split_once("[rollback]").unwrap();
    let empty = format!("abort = []\n{before}[rollback]{after}");
    let found: Vec<String> = faults(&empty)
        .iter()
        .map(|fault| fault.kind.what())
        .collect();
    assert_eq!(found, ["abort has 0 entries"]);
    let armed = shipped(VENDOR);
    let policy = &armed[armed.find("[[armed]]").unwrap()..];
    let found = faults(&format!("{armed}\n{policy}"));
    assert_eq!(
        found[0].kind.what(),
        "\"every queue\" is armed twice for llm"
    );
    let waits = shipped(TOOL)
        .replace("disable_tools", "ask")
        .replace("enable_tools", "ask");
    assert!(!faults(&waits).is_empty());
}

#[test]
fn a_playbook_that_touches_no_call_is_refused() {
    let text = shipped(STOP);
    let (before, rest) = text.split_once("[[steps]]").unwrap();
    let (_, after) = rest.split_once("[[steps]]\nid = \"tell\"").unwrap();
    let only_tells = format!("{before}[[steps]]\nid = \"tell\"{after}");
    let found: Vec<String> = faults(&only_tells)
        .iter()
        .map(|fault| fault.kind.what())
        .collect();
    assert!(
        found.contains(&"no step does anything on a call".to_owned()),
        "{found:?}"
    );
}
