use super::*;

fn promised(language: &str, sentence: &str) -> bool {
    is_promise(sentence, lexicon::of(language).expect("a table"))
}

fn split(text: &str) -> Vec<&str> {
    sentences(text).collect()
}

fn asked(language: &str, text: &str) -> Option<String> {
    let said = Utterance {
        role: UtteranceRole::Caller,
        text: text.to_owned(),
        unspoken: String::new(),
        at: holdfast_domain::Timestamp::default(),
        turn: None,
        is_final: true,
        interrupted: false,
    };
    request(&said, lexicon::of(language))
}

#[test]
fn sentences_end_at_their_marks_and_not_within_titles_or_numbers() {
    assert_eq!(
        split("It is 84.20. Dr. Reed calls at 9.30! No. Why? ok"),
        [
            "It is 84.20.",
            "Dr. Reed calls at 9.30!",
            "No.",
            "Why?",
            "ok"
        ]
    );
    assert_eq!(split("Où est-il ? Là."), ["Où est-il ?", "Là."]);
    assert_eq!(split("  "), [""; 0]);
}

#[test]
fn a_promise_says_what_will_be_and_by_when_or_that_something_never_will() {
    for (language, sentence) in [
        ("en", "You will hear from us within ten days."),
        ("en", "It will be there on Friday."),
        ("en-GB", "There will be no further charges."),
        ("es-MX", "Le enviaremos el recibo mañana."),
        ("de", "Das Paket kommt am Dienstag."),
        ("fr", "Vous recevrez une réponse sous dix jours."),
        ("pt", "Recebe um aviso uma hora antes."),
        ("it", "Riceverà una risposta entro tre giorni."),
        ("nl", "U krijgt binnen drie dagen antwoord."),
    ] {
        assert!(promised(language, sentence), "{sentence}");
    }
}

#[test]
fn questions_fillers_and_what_is_only_told_commit_nobody() {
    for (language, sentence) in [
        ("en", "Will you be there on Friday?"),
        ("en", "One moment, I will look at that today."),
        ("en", "I can book a delivery for Friday."),
        ("en", "It will be fine."),
        ("en", "You will hear from us within"),
        ("de", "Der Fahrer war am Dienstag da."),
        ("es", "El repartidor pasó el lunes."),
        ("fr", "Le colis est au dépôt depuis lundi."),
    ] {
        assert!(!promised(language, sentence), "{sentence}");
    }
    assert!(lexicon::of("xx").is_none());
}

#[test]
fn phrases_are_whole_words() {
    assert!(!has_any(" part of it ", &["art"]));
    assert!(has_any(" i said so ", &["i said"]));
    assert!(!has_any(&plain("partout"), &["part"]));
    assert_eq!(plain("I'll — go!"), " i ll go ");
}

#[test]
fn the_request_begins_where_the_caller_leaves_greetings_and_the_line() {
    assert_eq!(
        asked("en", "Good morning. My parcel never came. What now?").as_deref(),
        Some("My parcel never came. What now?")
    );
    assert_eq!(asked("en", "Hello? Are you still there?"), None);
    assert_eq!(
        asked("en", "Can you hear me now? I want my money back.").as_deref(),
        Some("I want my money back.")
    );
    assert_eq!(
        asked("en", "I would rather talk to a person, please."),
        None
    );
    assert_eq!(asked("de", "Hallo? Hören Sie mich?"), None);
    assert_eq!(
        asked("xx", "foo bar baz qux").as_deref(),
        Some("foo bar baz qux"),
        "a language without a table"
    );
}
