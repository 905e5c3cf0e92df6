//! What a text says, as far as it can be compared with another: hashes of its words, no copy.
//!
//! Language-neutral: words are lowered and cut at everything that is no letter or digit; scripts
//! without spaces are cut into pairs of characters. A word weighs as much as it is long, because in
//! most languages the short words are those that any sentence has.
//! Deliberately absent: lists of stop words, stemming, meaning.

use serde::{Deserialize, Serialize};

/// The most words that are kept: a question has fewer. Of a longer text those with the smallest
/// hashes are kept, a fair sample that is the same in every text.
const WORDS_MAX: usize = 24;
/// The lowest bits of a word's number hold its weight.
const WEIGHT_MASK: u32 = 0xF;
/// A text of fewer words than this only acknowledges: "yes", "no thanks".
const CONTENT_WORDS_MIN: usize = 3;
/// A text of fewer letters than this only acknowledges: "I do so".
const CONTENT_WEIGHT_MIN: u32 = 12;
/// A text that weighs less than this part of the other, in percent, is a part of it at best.
const SIZE_PERCENT_MIN: u32 = 40;

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Gist {
    /// Hash and weight of each distinct word, ascending.
    words: Box<[u32]>,
    /// The hash of all words in their order.
    whole: u32,
    /// Words were left out.
    is_sample: bool,
}

impl Gist {
    pub(crate) fn of(text: &str) -> Self {
        let mut words = Vec::new();
        let mut whole = SEED;
        each_word(text, |hash, weight| {
            whole = mix(whole, hash);
            words.push((hash & !WEIGHT_MASK) | weight.min(WEIGHT_MASK));
        });
        words.sort_unstable();
        words.dedup();
        let is_sample = words.len() > WORDS_MAX;
        words.truncate(WORDS_MAX);
        Self {
            words: words.into(),
            whole,
            is_sample,
        }
    }

    /// It says more than that somebody listens.
    pub(crate) fn is_content(&self) -> bool {
        self.words.len() >= CONTENT_WORDS_MIN && weight(&self.words) >= CONTENT_WEIGHT_MIN
    }

    /// The same words in the same order.
    pub(crate) const fn is_equal(&self, other: &Self) -> bool {
        self.whole == other.whole && self.words.len() == other.words.len()
    }

    /// How much of the shorter text is in the longer one, in percent; 0 when the shorter one is
    /// too short to be the same.
    pub(crate) fn shared_percent(&self, other: &Self) -> u32 {
        // Both samples are compared where neither left words out.
        let end = self.sampled_to().min(other.sampled_to());
        let within = |words: &[u32]| words.partition_point(|word| *word <= end);
        let a = &self.words[..within(&self.words)];
        let b = &other.words[..within(&other.words)];
        let (short, long) = (weight(a).min(weight(b)), weight(a).max(weight(b)));
        if short == 0 || short * 100 < long * SIZE_PERCENT_MIN {
            return 0;
        }
        let shared = a.iter().filter(|word| b.binary_search(word).is_ok());
        shared.map(|word| word & WEIGHT_MASK).sum::<u32>() * 100 / short
    }

    fn sampled_to(&self) -> u32 {
        match self.words.last() {
            Some(last) if self.is_sample => *last,
            _ => u32::MAX,
        }
    }
}

/// How much of each of two texts the words make up that both have in the same order, in percent.
pub(crate) fn in_order_percent(one: &str, other: &str) -> (u32, u32) {
    let (one, other) = (weighed(one), weighed(other));
    let whole = |words: &[(u32, u32)]| words.iter().map(|(_, weight)| weight).sum::<u32>();
    // The heaviest common sequence, a row for each word of the one.
    let mut row = vec![0; other.len() + 1];
    for (hash, weight) in &one {
        let mut before = 0;
        for (at, (of_other, _)) in other.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if hash == of_other {
                before + weight
            } else {
                above.max(row[at])
            };
            before = above;
        }
    }
    let shared = row.last().copied().unwrap_or(0);
    let percent = |words: &[(u32, u32)]| shared * 100 / whole(words).max(1);
    (percent(&one), percent(&other))
}

/// Hash and weight of the first words of a text.
fn weighed(text: &str) -> Vec<(u32, u32)> {
    let mut words = Vec::new();
    each_word(text, |hash, weight| {
        if words.len() < WORDS_MAX {
            words.push((hash, weight));
        }
    });
    words
}

/// The last question of a text; None when it asks nothing.
pub(crate) fn question(text: &str) -> Option<&str> {
    text.split_inclusive(['.', '!', '?', '…', '。', '！', '？', '؟', '\u{37e}', '\n'])
        .rfind(|sentence| is_question(sentence))
}

/// The text ends as a question does.
pub(crate) fn is_question(text: &str) -> bool {
    text.trim_end().ends_with(['?', '？', '؟', '\u{37e}'])
}

/// The hash of a text as it is, spaces apart: for arguments of tools.
pub(crate) fn exact(text: &str) -> u32 {
    let visible = text.chars().filter(|char| !char.is_whitespace());
    visible.fold(SEED, |hash, char| mix(hash, char as u32))
}

const SEED: u32 = 0x811C_9DC5;

/// One step of FNV-1a, spread afterwards: the upper bits are kept, and it stirs them least.
const fn mix(hash: u32, next: u32) -> u32 {
    let hash = (hash ^ next).wrapping_mul(0x0100_0193);
    hash ^ (hash >> 15)
}

fn weight(words: &[u32]) -> u32 {
    words.iter().map(|word| word & WEIGHT_MASK).sum()
}

/// Tells the hash and the number of characters of each word.
fn each_word(text: &str, mut tell: impl FnMut(u32, u32)) {
    let (mut hash, mut len) = (SEED, 0);
    let mut before: Option<char> = None;
    let mut end = |hash: &mut u32, len: &mut u32| {
        if *len > 0 {
            tell(*hash, *len);
        }
        (*hash, *len) = (SEED, 0);
    };
    for char in text.chars().flat_map(char::to_lowercase) {
        if is_unspaced(char) {
            end(&mut hash, &mut len);
            if let Some(before) = before {
                (hash, len) = (mix(mix(SEED, before as u32), char as u32), 2);
                end(&mut hash, &mut len);
            }
            before = Some(char);
            continue;
        }
        before = None;
        if char.is_alphanumeric() {
            (hash, len) = (mix(hash, char as u32), len + 1);
        } else {
            end(&mut hash, &mut len);
        }
    }
    end(&mut hash, &mut len);
}

/// A letter of a script that puts no spaces between words: Thai, Lao, Burmese, Khmer, Chinese,
/// Japanese.
const fn is_unspaced(char: char) -> bool {
    matches!(char as u32,
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3041..=0x30FF | 0x3400..=0x9FFF
        | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: &str, b: &str) -> u32 {
        Gist::of(a).shared_percent(&Gist::of(b))
    }

    #[test]
    fn the_same_question_in_other_words_is_the_same_and_another_is_not() {
        let birth = "What is your date of birth?";
        assert_eq!(
            shared(birth, "Could you tell me your date of birth, please?"),
            71
        );
        assert_eq!(shared(birth, "What is your order number?"), 47);
        assert_eq!(shared(birth, "WHAT is your date of birth"), 100);
        assert_eq!(
            shared(
                "¿Cuál es su número de pedido?",
                "¿cuál es su número de pedido"
            ),
            100
        );
        let long = "Thank you for that. I have noted it. What is your name, as it is on the card \
                    that you paid with last week?";
        assert_eq!(shared("your name", long), 0, "a part is not the whole");
    }

    #[test]
    fn scripts_without_spaces_are_compared_too() {
        let order = "您的订单号是多少？";
        assert_eq!(shared(order, "请问您的订单号是多少？"), 100);
        assert!(shared(order, "您的出生日期是哪天？") < 50);
        assert!(Gist::of(order).is_content());
    }

    #[test]
    fn acknowledgements_are_no_content() {
        for text in [
            "yes",
            "no thanks",
            "Sí, claro",
            "mhm",
            "",
            "?!",
            "好的",
            "I do so",
        ] {
            assert!(!Gist::of(text).is_content(), "{text}");
        }
        assert!(Gist::of("I want a refund").is_content());
    }

    #[test]
    fn long_texts_are_compared_by_a_sample() {
        let words: Vec<String> = (0..200).map(|n| format!("word{n}")).collect();
        let a = words[..150].join(" ");
        let b = words[..149].join(" ");
        let c = words[150..].join(" ");
        assert!(Gist::of(&a).words.len() <= WORDS_MAX);
        assert!(shared(&a, &b) > 90);
        assert!(shared(&a, &c) < 10);
    }

    #[test]
    fn the_last_question_is_found() {
        assert_eq!(
            question("Sorry. What is your name? I can wait.").map(str::trim),
            Some("What is your name?")
        );
        assert_eq!(question("One moment, please."), None);
    }

    #[test]
    fn order_tells_equal_from_alike() {
        let gist = Gist::of("a refund for my order");
        assert!(gist.is_equal(&Gist::of("A refund, for my order!")));
        assert!(!gist.is_equal(&Gist::of("my order for a refund")));
        assert_eq!(exact("{\"id\": 4}"), exact("{\"id\":4}"));
        assert_ne!(exact("{\"id\": 4}"), exact("{\"id\": 5}"));
    }
}
