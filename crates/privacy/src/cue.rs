//! The words that say what a number is: "card number", "código de seguridad", "order".

mod phrases;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::reading::Token;

/// What a phrase says of the number near it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CueKind {
    /// It is the number of a card.
    CardNumber,
    /// A card is spoken of.
    Card,
    /// It is the code on a card.
    CardCode,
    /// It is a code that holds once.
    OneTime,
    /// It is a PIN.
    Pin,
    /// It is a password.
    Password,
    /// It is what lets a program in.
    Key,
    /// It is a person's number at some authority.
    Identity,
    /// It is a bank account's.
    Bank,
    /// It is the end of a longer number, which may be said.
    LastFour,
    /// It is something else with a number: an order, a phone, an amount.
    Other,
    /// It is a customer's account, which may be anything.
    Account,
}

impl CueKind {
    /// How many words may stand between the phrase and the number.
    pub(crate) const fn reach(self) -> usize {
        match self {
            Self::CardNumber => 12,
            Self::CardCode | Self::OneTime | Self::Bank => 10,
            Self::Card | Self::Identity => 8,
            Self::Pin | Self::LastFour | Self::Password | Self::Key => 6,
            Self::Other | Self::Account => 4,
        }
    }

    /// True when the phrase names something that must not be kept.
    pub(crate) const fn is_sensitive(self) -> bool {
        match self {
            Self::CardNumber
            | Self::CardCode
            | Self::OneTime
            | Self::Pin
            | Self::Password
            | Self::Key
            | Self::Identity
            | Self::Bank => true,
            Self::Card | Self::LastFour | Self::Other | Self::Account => false,
        }
    }
}

/// A phrase in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cue {
    pub(crate) kind: CueKind,
    /// Its first token.
    pub(crate) start: usize,
    /// The token after its last.
    pub(crate) end: usize,
}

/// The words of a phrase after its first, and what it says.
type Rest = (Vec<&'static str>, CueKind);

/// All phrases by their first word, the longest first.
static PHRASES: LazyLock<HashMap<&'static str, Vec<Rest>>> = LazyLock::new(|| {
    let mut phrases: HashMap<&'static str, Vec<Rest>> = HashMap::new();
    for (kind, list) in phrases::ALL {
        for phrase in list.split(',').map(str::trim) {
            let mut words = phrase.split(' ');
            if let Some(first) = words.next() {
                let entry = phrases.entry(first).or_default();
                entry.push((words.collect(), *kind));
                entry.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len()));
            }
        }
    }
    phrases
});

/// The phrases of a text, in order, none inside of another.
pub(crate) fn cues(tokens: &[Token]) -> Vec<Cue> {
    let mut cues = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let found = PHRASES.get(tokens[at].folded()).and_then(|phrases| {
            phrases.iter().find(|(rest, _)| {
                let words = tokens[at + 1..].iter().map(Token::folded);
                rest.len() < tokens.len() - at && rest.iter().copied().eq(words.take(rest.len()))
            })
        });
        if let Some((rest, kind)) = found {
            let end = at + 1 + rest.len();
            cues.push(Cue {
                kind: *kind,
                start: at,
                end,
            });
            at = end;
        } else {
            at += 1;
        }
    }
    cues
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Reading;

    fn check(text: &str, expected: &[CueKind]) {
        let reading = Reading::new(text, None, &[]);
        let kinds: Vec<_> = cues(&reading.tokens).iter().map(|cue| cue.kind).collect();
        assert_eq!(kinds, expected, "{text}");
    }

    #[test]
    fn the_longest_phrase_counts() {
        check("my credit card number is", &[CueKind::CardNumber]);
        check("the card is", &[CueKind::Card]);
        check("¿Y el código de seis cifras?", &[CueKind::OneTime]);
        check("Die Kreditkartennummer", &[CueKind::CardNumber]);
        check(
            r#"{"cardNumber":1,"api_key":2}"#,
            &[CueKind::CardNumber, CueKind::Key],
        );
        check(
            "last four digits of the card",
            &[CueKind::LastFour, CueKind::Card],
        );
        check("bank account number", &[CueKind::Bank]);
        check("account number", &[CueKind::Account]);
    }

    #[test]
    fn phrases_are_written_as_words_are_folded() {
        for (_, list) in phrases::ALL {
            for phrase in list.split(',').map(str::trim) {
                assert_eq!(
                    phrase,
                    crate::fold::fold(&phrase.replace(' ', "\u{1}")).replace('\u{1}', " ")
                );
            }
        }
    }
}
