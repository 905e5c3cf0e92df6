//! The playbooks that are run while the hub is killed: two pairs, each undoing the other, so that
//! there is always something to do.

/// In the order in which they are run.
pub(super) const BOOKS: [&str; 4] = [
    "crash-backup",
    "crash-tools-off",
    "crash-retry",
    "crash-tools-on",
];

/// Each book with its file. The first has a second person asked.
pub(super) fn files() -> Vec<(&'static str, String)> {
    let switch = |rung: &str| {
        format!(
            "[[steps]]\nid = \"switch\"\n\n[steps.action]\ntype = \"switch_model\"\nlayer = \"llm\"\n\
             to = {{ rung = \"{rung}\" }}\nannouncement = \"said\"\nretry_turn = true\nparity = []\n"
        )
    };
    let tools = |kind: &str| {
        format!("[[steps]]\nid = \"switch\"\naction = {{ type = \"{kind}\", tools = \"all\" }}\n")
    };
    let two = "class = \"two_person\"\nexpires_s = 300";
    let confirm = "class = \"confirm\"";
    vec![
        (BOOKS[0], book(BOOKS[0], "llm", two, &switch("backup"))),
        (
            BOOKS[1],
            book(BOOKS[1], "tools", confirm, &tools("disable_tools")),
        ),
        (BOOKS[2], book(BOOKS[2], "llm", confirm, &switch("retry"))),
        (
            BOOKS[3],
            book(BOOKS[3], "tools", confirm, &tools("enable_tools")),
        ),
    ]
}

fn book(id: &str, layer: &str, approval: &str, steps: &str) -> String {
    format!(
        r#"id = "{id}"
version = 1
title = "Crash test"
purpose = "Something is under way while the hub is killed."
owner = "Platform team"
layer = "{layer}"
ttl_s = 120
languages = ["en", "es", "de", "fr", "pt"]

[selector]
scope = {{ by = "all" }}
reach = "exposed"
phases = ["ai"]
protected = "exclude"

[approval]
{approval}

[[preconditions]]
check = "no_other_run"

{steps}
[[stages]]
reach = "one_call"
hold_s = 0
verify = {{ probe = "read_back", percent_min = 1, within_s = 40 }}

[[stages]]
reach = {{ percent = 50 }}
hold_s = 1
verify = {{ probe = "read_back", percent_min = 1, within_s = 40 }}

[[stages]]
reach = "all"
hold_s = 0
verify = {{ probe = "read_back", percent_min = 1, within_s = 40 }}

[[abort]]
when = "commands_failed"
percent_over = 99
commands_min = 100000

[rollback]
undo = [
    {{ step = "switch", announcement = "said" }},
]

[announcements.said]
en = "One moment please."
es = "Un momento, por favor."
de = "Einen Moment bitte."
fr = "Un instant, s'il vous plaît."
pt = "Um momento, por favor."

[messages]
executive = "{{title}}."
front_line = "{{title}}."
caller = "We will be back."
provider = "{{title}}."
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_book_loads() {
        let folder = tempfile::tempdir().unwrap();
        for (id, text) in files() {
            let path = folder.path().join(format!("{id}.toml"));
            std::fs::write(&path, text).unwrap();
            let checked = holdfast_hub::playbook::check_files(&[path]);
            for (file, checked) in checked {
                let faults = checked.err().unwrap_or_default();
                let told: Vec<String> = faults.iter().map(|fault| fault.told(id)).collect();
                assert!(told.is_empty(), "{}: {told:?}", file.display());
            }
        }
    }
}
