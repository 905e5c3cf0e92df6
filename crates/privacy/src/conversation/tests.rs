//! Numbers that are said in pieces, and answers to questions.

use super::*;

const CALLER: UtteranceRole = UtteranceRole::Caller;
const AGENT: UtteranceRole = UtteranceRole::Agent;

/// Plays final words and holds what becomes of each.
fn play(turns: &[(UtteranceRole, &str, &str)]) {
    let mut conversation = Conversation::default();
    conversation.set_language("en-US");
    for (role, text, expected) in turns {
        let masked = conversation.words(*role, text, None);
        assert_eq!(masked.text, *expected, "{text}");
    }
}

#[test]
fn a_card_over_two_turns_goes() {
    play(&[
        (
            CALLER,
            "My number is 4111 1111",
            "My number is [card number]",
        ),
        (AGENT, "Go on.", "Go on."),
        (CALLER, "1111 1111", "[card ending 1111]"),
        (CALLER, "And I have 2 cats", "And I have 2 cats"),
    ]);
    play(&[
        (
            AGENT,
            "What is your card number?",
            "What is your card number?",
        ),
        (CALLER, "4111", "[card number]"),
        (AGENT, "Mhm", "Mhm"),
        (CALLER, "then it's 1111", "then it's [card number]"),
        (CALLER, "1111", "[card number]"),
        (CALLER, "and 1111", "and [card ending 1111]"),
        (CALLER, "12 27", "12 27"),
    ]);
}

#[test]
fn a_phone_number_in_pieces_stays() {
    play(&[
        (AGENT, "And your phone number?", "And your phone number?"),
        (CALLER, "It's 4155 5501", "It's 4155 5501"),
        (CALLER, "32", "32"),
    ]);
}

#[test]
fn an_answer_is_what_was_asked_for() {
    play(&[
        (
            AGENT,
            "Thank you. And the six digit code that your app shows now?",
            "Thank you. And the six digit code that your app shows now?",
        ),
        (
            CALLER,
            "Wait, it says 482913.",
            "Wait, it says [one-time code].",
        ),
        (
            AGENT,
            "Your order 482917 is blocked.",
            "Your order 482917 is blocked.",
        ),
        (AGENT, "I heard 482913.", "I heard [one-time code]."),
    ]);
    play(&[
        (AGENT, "And the security code?", "And the security code?"),
        (CALLER, "One two three.", "[card code]."),
        (CALLER, "One two three apples.", "One two three apples."),
    ]);
    play(&[
        (
            AGENT,
            "What are the last four digits of the card on file?",
            "What are the last four digits of the card on file?",
        ),
        (CALLER, "1234.", "1234."),
        (AGENT, "Your password, please?", "Your password, please?"),
        (CALLER, "Blue horse", "[password]"),
    ]);
}

#[test]
fn what_was_masked_once_is_masked_when_it_comes_back_without_its_name() {
    let mut conversation = Conversation::default();
    conversation.words(AGENT, "And the code that your app shows?", None);
    conversation.words(CALLER, "482913", None);
    assert_eq!(
        conversation
            .text(r#"{"value":"482913","other":"482914"}"#)
            .text,
        r#"{"value":"[one-time code]","other":"482914"}"#
    );
    assert_eq!(conversation.value("code", "482913").text, "[one-time code]");
}

#[test]
fn a_slot_is_what_its_name_says() {
    let mut conversation = Conversation::default();
    for (name, value, expected) in [
        ("cvv", "123", "[card code]"),
        ("card_number", "4111111111111112", "[card number]"),
        ("cardNumber", "4111 1111", "[card number]"),
        ("password", "blue", "[password]"),
        ("last4", "1234", "1234"),
        ("account", "12345678", "12345678"),
        ("ssn", "078051120", "[identity number]"),
        ("amount", "45.00", "45.00"),
    ] {
        assert_eq!(conversation.value(name, value).text, expected, "{name}");
    }
}

#[test]
fn a_guess_holds_back_a_number_that_is_still_being_said() {
    let mut conversation = Conversation::default();
    let guess =
        |conversation: &Conversation, text: &str| conversation.guess(CALLER, text, None).text;
    assert_eq!(guess(&conversation, "it is 4111 1"), "it is [number]");
    assert_eq!(guess(&conversation, "it is 4111"), "it is 4111");
    assert_eq!(guess(&conversation, "order 12345 came"), "order 12345 came");
    assert_eq!(guess(&conversation, "my PIN is 48"), "my PIN is [number]");
    conversation.words(CALLER, "it is 4111 1111", None);
    assert_eq!(guess(&conversation, "11"), "[card number]");
    assert_eq!(guess(&conversation, "1111 1111"), "[card ending 1111]");
    // What is only guessed is not remembered.
    assert_eq!(
        conversation.words(CALLER, "1111 1111", None).text,
        "[card ending 1111]"
    );
}

#[test]
fn while_the_caller_pays_an_old_card_needs_no_word() {
    let mut conversation = Conversation::default();
    assert_eq!(conversation.text("4222222222222").text, "4222222222222");
    conversation.set_paying(true);
    assert_eq!(
        conversation.text("4222222222222").text,
        "[card ending 2222]"
    );
}

#[test]
fn nothing_of_what_is_remembered_can_be_shown() {
    let mut conversation = Conversation::default();
    conversation.words(CALLER, "4111 1111 1111 1111", None);
    assert!(!format!("{conversation:?}").contains('1'));
}
