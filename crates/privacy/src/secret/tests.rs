use super::*;
use crate::cue::cues;
use crate::reading::Reading;

fn found(text: &str, asked: Option<CueKind>) -> Vec<&str> {
    let reading = Reading::new(text, None, &[]);
    let cues = cues(&reading.tokens);
    let found = secrets(text, &reading.tokens, &cues, asked);
    found.iter().map(|one| &text[one.start..one.end]).collect()
}

#[test]
fn an_asked_password_is_the_whole_answer() {
    let asked = Some(CueKind::Password);
    assert_eq!(found("It's hunter two", asked), ["hunter two"]);
    assert_eq!(found("hunter2!", asked), ["hunter2"]);
    assert!(found("I don't know.", asked).is_empty());
    assert!(found("Which one?", asked).is_empty());
    assert!(found("hunter two", None).is_empty());
}

#[test]
fn vendors_keys_are_known_by_their_beginning() {
    for (prefix, length) in PREFIXES {
        let key = format!("{prefix}{}", "aB3".repeat(*length));
        assert_eq!(found(&format!("x {key}, y"), None), [key.as_str()]);
        let short = format!("{prefix}{}", "a".repeat(length - 1));
        assert!(found(&short, None).is_empty(), "{short}");
    }
}

#[test]
fn a_quote_inside_of_json_in_json_ends_with_its_escape() {
    assert_eq!(found(r#"{\"password\":\"ab c\",\"x\":1}"#, None), ["ab c"]);
}
