//! Whatever is said, nothing breaks.

use holdfast_domain::UtteranceRole;
use holdfast_privacy::Conversation;
use proptest::prelude::*;

/// Text in which something is nearly found: digits, number words, phrases, marks.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[0-9]{1,19}",
        "[ .,;:/\"'{}\\\\+$%-]{1,3}",
        Just("card number".to_owned()),
        Just("password is".to_owned()),
        Just("\"password\":".to_owned()),
        Just("PIN".to_owned()),
        Just("IBAN DE89".to_owned()),
        Just("four double".to_owned()),
        Just("quatre-vingt-dix".to_owned()),
        Just("cento e".to_owned()),
        Just("einundzwanzig".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("https://a:".to_owned()),
        Just("Bearer ".to_owned()),
        "[a-zA-Z\u{e9}\u{301}\u{200b}\u{ff14}\u{1f600}]{1,6}",
        "\\PC{1,4}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

fn role(is_caller: bool) -> UtteranceRole {
    if is_caller {
        UtteranceRole::Caller
    } else {
        UtteranceRole::Agent
    }
}

proptest! {
    #[test]
    fn spans_are_in_order_on_boundaries_and_marked(
        turns in prop::collection::vec((any::<bool>(), any::<bool>(), nearly()), 1..6),
        tag in prop::sample::select(vec!["en", "es", "de", "fr", "pt-BR", "xx"]),
    ) {
        let mut conversation = Conversation::default();
        conversation.set_language(tag);
        for (is_caller, is_guess, text) in turns {
            let masked = if is_guess {
                conversation.guess(role(is_caller), &text, None)
            } else {
                conversation.words(role(is_caller), &text, None)
            };
            let mut expected = text.clone();
            let mut end = text.len();
            for span in masked.found.iter().rev() {
                prop_assert!(span.start < span.end && span.end <= end, "{:?}", masked.found);
                end = span.start;
                // What bare numbers of JSON become is held elsewhere.
                expected.replace_range(span.start..span.end, &span.mark());
            }
            prop_assert_eq!(expected.replace('"', ""), masked.text.replace('"', ""));
        }
    }

    #[test]
    fn the_same_words_give_the_same_marks(turns in prop::collection::vec(nearly(), 1..4)) {
        let mut one = Conversation::default();
        let mut other = Conversation::default();
        for text in &turns {
            prop_assert_eq!(
                one.words(UtteranceRole::Caller, text, None),
                other.words(UtteranceRole::Caller, text, None)
            );
        }
    }

    #[test]
    fn marks_are_not_masked_again(text in nearly()) {
        let once = Conversation::default().text(&text).text;
        let twice = Conversation::default().text(&once);
        for span in twice.found {
            let part = &once[span.start..span.end];
            prop_assert!(!part.contains("[card ending"), "{once} -> {part}");
        }
    }

    #[test]
    fn any_text_at_all_is_read(text in "\\PC{0,200}") {
        Conversation::default().text(&text);
    }
}

/// A text that is hard in every way takes time in proportion to its length: ten times as much takes
/// far less than a hundred times as long.
#[test]
fn time_grows_with_the_length_of_the_text_and_not_with_its_square() {
    for piece in [
        "4111 1111 1111 1111 ",
        "1 ",
        "4111111111111111",
        "card number ",
        "password=",
        "password is a.",
        "\"password\":\"x",
        "DE89 ",
        "quatre vingt ",
        "AB 12 34 ",
        "https://a:b@",
        "Bearer ",
        "order 123456 ",
        "last four ",
    ] {
        // The fastest of several, so that what else the machine does counts little.
        let fastest = |n: usize| {
            let text = piece.repeat(n);
            let times = (0..3).map(|_| {
                let started = std::time::Instant::now();
                Conversation::default().text(&text);
                started.elapsed()
            });
            times.min().unwrap_or_default()
        };
        let (short, long) = (fastest(300), fastest(3_000));
        let limit = short * 40 + std::time::Duration::from_millis(50);
        assert!(long < limit, "{piece:?}: {short:?} then {long:?}");
    }
}
