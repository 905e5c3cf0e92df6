use super::*;

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

#[test]
fn templates_are_taken_apart_filled_and_written_back() {
    let text = "About {wait_minutes} minutes, {cause}{stage}.";
    let parsed = template(text);
    assert_eq!(parsed.to_string(), text);
    assert_eq!(
        parsed.placeholders().collect::<Vec<_>>(),
        [
            Placeholder::WaitMinutes,
            Placeholder::Cause,
            Placeholder::Stage
        ]
    );
    assert_eq!(
        parsed.fill(|value| value.as_str().len().to_string()),
        "About 12 minutes, 55."
    );
    assert_eq!(template("").parts(), []);
    for value in Placeholder::ALL {
        assert_eq!(Placeholder::from_name(value.as_str()), Some(value));
    }
}

#[test]
fn what_is_no_template_is_told_with_its_place() {
    for (text, error) in [
        ("ä { b", TemplateError::Unclosed { at: 3 }),
        ("{stage {stage}", TemplateError::Unclosed { at: 0 }),
        ("a } b", TemplateError::Unopened { at: 2 }),
        ("{stage}}", TemplateError::Unopened { at: 7 }),
        (
            "ä {name}",
            TemplateError::Unknown {
                at: 4,
                word: "name".to_owned(),
            },
        ),
        (
            "{}",
            TemplateError::Unknown {
                at: 1,
                word: String::new(),
            },
        ),
    ] {
        assert_eq!(Template::parse(text), Err(error), "{text}");
    }
    assert!(serde_json::from_str::<Template>("\"{name}\"").is_err());
}

#[test]
fn stages_reach_at_least_one_call_and_never_more_than_there_are() {
    assert_eq!(StageReach::OneCall.of(0), 0);
    assert_eq!(StageReach::OneCall.of(500), 1);
    assert_eq!(StageReach::Percent(5).of(0), 0);
    assert_eq!(StageReach::Percent(5).of(3), 1);
    assert_eq!(StageReach::Percent(5).of(1_000), 50);
    assert_eq!(StageReach::Percent(99).of(u32::MAX), 4_252_017_623);
    assert_eq!(StageReach::All.of(7), 7);
}

#[test]
fn what_can_be_undone_follows_from_the_action() {
    let announcement = AnnouncementId::new("a");
    let route = |calls| Action::RouteToHumans {
        calls,
        announcement: announcement.clone(),
        overflow: Overflow {
            wait_s_max: 1,
            callback_within_min: 1,
            announcement: AnnouncementId::new("b"),
        },
    };
    assert_eq!(route(RoutedCalls::New).reversal(), Reversal::Reversible);
    assert_eq!(route(RoutedCalls::Both).reversal(), Reversal::Irreversible);
    assert_eq!(route(RoutedCalls::Both).announcements().len(), 2);
    assert_eq!(Action::RetryTurn.reversal(), Reversal::NothingToUndo);
    assert!(Action::RetryTurn.is_per_call());
    let resume = Action::ResumeAi { announcement: None };
    assert_eq!(resume.reversal(), Reversal::Reversible);
    assert_eq!(resume.announcements(), Vec::<&AnnouncementId>::new());
}

#[test]
fn callers_hear_their_language_or_the_first() {
    let sentences = |texts: [(&str, &str); 3]| {
        texts
            .map(|(tag, text)| (tag.to_owned(), template(text)))
            .into()
    };
    let id = AnnouncementId::new("wait");
    let announcements = BTreeMap::from([(
        id.clone(),
        sentences([("en", "one"), ("pt", "two"), ("pt-BR", "three")]),
    )]);
    let playbook = Playbook {
        languages: ["en", "pt", "pt-BR"].map(str::to_owned).to_vec(),
        announcements,
        ..serde_json::from_str(PLAIN).unwrap()
    };
    for (language, text) in [
        ("pt-BR", "three"),
        ("PT-br", "three"),
        ("pt-PT", "two"),
        ("pt", "two"),
        ("fi", "one"),
        ("", "one"),
    ] {
        let found = playbook
            .announcement(&id, language)
            .map(Template::to_string);
        assert_eq!(found.as_deref(), Some(text), "{language}");
    }
    assert_eq!(
        playbook.announcement(&AnnouncementId::new("gone"), "en"),
        None
    );
}

#[test]
fn a_playbook_survives_json_and_finds_its_steps() {
    let playbook: Playbook = serde_json::from_str(PLAIN).unwrap();
    let again = serde_json::to_string(&playbook).unwrap();
    assert_eq!(serde_json::from_str::<Playbook>(&again).unwrap(), playbook);
    let step = StepId::new("pause");
    assert!(playbook.step(&step).is_some());
    assert!(playbook.undo_of(&step).is_some());
    assert_eq!(playbook.first_irreversible(), Some(1));
    assert!(!playbook.abort[0].is_relative());
}

#[test]
fn steps_on_calls_go_through_the_stages_together() {
    let step = |id: &str, action| PlaybookStep {
        id: StepId::new(id),
        action,
    };
    let notify = || Action::Notify {
        audiences: vec![Audience::Executive],
    };
    let playbook = Playbook {
        steps: vec![
            step("a", notify()),
            step("b", notify()),
            step("c", Action::RetryTurn),
            step("d", Action::RetryTurn),
            step("e", notify()),
            step("f", Action::RetryTurn),
        ],
        ..serde_json::from_str(PLAIN).unwrap()
    };
    let blocks: Vec<Vec<&str>> = playbook
        .blocks()
        .map(|block| block.iter().map(|step| step.id.as_str()).collect())
        .collect();
    assert_eq!(
        blocks,
        [vec!["a"], vec!["b"], vec!["c", "d"], vec!["e"], vec!["f"]]
    );
}

/// A playbook as small as the types allow, smaller than a reader lets pass.
const PLAIN: &str = r#"{
    "id": "p", "version": 1, "title": "t", "purpose": "w", "owner": "o", "layer": "llm",
    "ttl_s": 60, "languages": ["en"],
    "selector": {
        "scope": { "by": "all" }, "reach": "failing", "phases": ["ai"], "protected": "last"
    },
    "approval": { "class": "two_person", "expires_s": 60 },
    "preconditions": [{ "check": "no_other_run" }],
    "steps": [
        { "id": "pause", "action": { "type": "pause_ai", "announcement": "wait" } },
        {
            "id": "move",
            "action": { "type": "transfer", "to": "desk", "announcement": "wait" }
        }
    ],
    "stages": [{
        "reach": { "percent": 5 }, "hold_s": 1,
        "verify": { "probe": "read_back", "percent_min": 90, "within_s": 5 }
    }],
    "abort": [{ "when": "outcomes_unknown", "calls_over": 2 }],
    "rollback": { "undo": [{ "step": "pause" }], "point_of_no_return": "move" },
    "announcements": { "wait": { "en": "One moment." } },
    "messages": { "executive": "{calls_failing} fail." }
}"#;
