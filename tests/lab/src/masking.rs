//! The masks against planted text.
//!
//! What is planted is made here, with check digits and number words of its own, so that the finder
//! is held against numbers that it did not make. Decoys are as long, as grouped and as near to the
//! same words as what must go. A label is where a number was put, and nothing else.

mod values;
mod voice;

use std::collections::BTreeMap;
use std::ops::Range;

use holdfast_domain::UtteranceRole;
use holdfast_privacy::Conversation;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use voice::Voice;

/// The most examples that are kept of what went wrong.
const EXAMPLES_MAX: usize = 40;

/// One text, and where in it is what must go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who says it.
    pub role: UtteranceRole,
    /// What is said.
    pub text: String,
    /// Places in bytes.
    pub planted: Vec<Range<usize>>,
}

/// A few turns of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What it is about.
    pub family: &'static str,
    /// BCP 47.
    pub language: &'static str,
    /// In order.
    pub turns: Vec<Turn>,
}

/// What was found and what not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Places that had to go.
    pub planted: u64,
    /// Of them, those of which nothing is left.
    pub gone: u64,
    /// Spans that were masked.
    pub masked: u64,
    /// Of them, those that hold nothing that had to go.
    pub needless: u64,
}

impl Count {
    /// The share of what had to go that is gone; None when nothing was planted.
    pub fn recall(self) -> Option<f64> {
        (self.planted > 0).then(|| self.gone as f64 / self.planted as f64)
    }

    /// The share of what was masked that had to go; None when nothing was masked.
    pub fn precision(self) -> Option<f64> {
        (self.masked > 0).then(|| (self.masked - self.needless) as f64 / self.masked as f64)
    }

    fn add(&mut self, other: Self) {
        self.planted += other.planted;
        self.gone += other.gone;
        self.masked += other.masked;
        self.needless += other.needless;
    }
}

/// Counts by family, and what went wrong first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By family.
    pub families: BTreeMap<&'static str, Count>,
    /// What was wrong, bounded. All of it is made up.
    pub examples: Vec<String>,
}

impl Tally {
    /// All families together.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        for count in self.families.values() {
            total.add(*count);
        }
        total
    }

    /// Takes another tally in.
    pub fn add(&mut self, other: &Self) {
        for (family, count) in &other.families {
            self.families.entry(family).or_default().add(*count);
        }
        let room = EXAMPLES_MAX.saturating_sub(self.examples.len());
        self.examples
            .extend(other.examples.iter().take(room).cloned());
    }

    fn judge(&mut self, case: &Case) {
        let mut conversation = Conversation::default();
        conversation.set_language(case.language);
        for turn in &case.turns {
            let masked = conversation.words(turn.role, &turn.text, None);
            let is_gone = |place: &Range<usize>| {
                place.clone().all(|at| {
                    !turn.text.as_bytes()[at].is_ascii_alphanumeric()
                        || masked
                            .found
                            .iter()
                            .any(|span| span.start <= at && at < span.end)
                })
            };
            let count = Count {
                planted: turn.planted.len() as u64,
                gone: turn.planted.iter().filter(|place| is_gone(place)).count() as u64,
                masked: masked.found.len() as u64,
                needless: masked
                    .found
                    .iter()
                    .filter(|span| {
                        !turn
                            .planted
                            .iter()
                            .any(|place| span.start < place.end && place.start < span.end)
                    })
                    .count() as u64,
            };
            let is_wrong = count.gone < count.planted || count.needless > 0;
            if is_wrong && self.examples.len() < EXAMPLES_MAX {
                self.examples.push(format!(
                    "{}: {:?} -> {:?}",
                    case.family, turn.text, masked.text
                ));
            }
            self.families.entry(case.family).or_default().add(count);
        }
    }
}

/// Judges `n` cases of a seed.
pub fn run(n: u64, seed: u64) -> Tally {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for _ in 0..n {
        tally.judge(&case(&mut rng));
    }
    tally
}

/// Draws the turns of a family.
type Maker = fn(&mut ChaCha8Rng, Voice) -> Vec<Turn>;

/// One case, drawn.
pub fn case(rng: &mut ChaCha8Rng) -> Case {
    let families: [(&'static str, Maker); 14] = [
        ("card", card),
        ("card_spoken", card_spoken),
        ("card_misheard", card_misheard),
        ("card_in_turns", card_in_turns),
        ("card_code", card_code),
        ("identity", identity),
        ("iban", iban),
        ("one_time_code", one_time_code),
        ("pin", pin),
        ("password", password),
        ("tool", tool),
        ("decoy", decoy),
        ("decoy_answer", decoy_answer),
        ("decoy_tool", decoy_tool),
    ];
    // Half of what is said on calls has numbers that must stay.
    let place = if rng.random_bool(0.5) {
        rng.random_range(0..11)
    } else {
        rng.random_range(11..14)
    };
    let (family, make) = families[place];
    let voice = *voice::ALL.choose(rng).expect("there are five voices");
    Case {
        family,
        language: voice.tag(),
        turns: make(rng, voice),
    }
}

/// A template whose `#` is where the number goes.
fn plant(role: UtteranceRole, template: &str, value: &str) -> Turn {
    let at = template.find('#').unwrap_or(template.len());
    Turn {
        role,
        text: template.replacen('#', value, 1),
        planted: std::iter::once(at..at + value.len()).collect(),
    }
}

/// The same with nothing that must go.
fn keep(role: UtteranceRole, template: &str, value: &str) -> Turn {
    Turn {
        planted: Vec::new(),
        ..plant(role, template, value)
    }
}

fn caller(template: &str, value: &str) -> Turn {
    plant(UtteranceRole::Caller, template, value)
}

fn pick<'a>(rng: &mut ChaCha8Rng, from: &[&'a str]) -> &'a str {
    from.choose(rng).copied().unwrap_or("#")
}

fn card(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let number = values::card(rng);
    let text = values::grouped_card(rng, &number);
    let template = pick(
        rng,
        &[voice.card_is(), "#", "#.", voice.its(), voice.card_is()],
    );
    vec![caller(template, &text)]
}

fn card_spoken(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let number = values::card(rng);
    let text = voice.say(rng, &number);
    let template = pick(rng, &[voice.card_is(), "#.", voice.its()]);
    vec![caller(template, &text)]
}

fn card_misheard(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let mut number = values::card(rng).into_bytes();
    let at = rng.random_range(6..number.len());
    number[at] = b'0' + (number[at] - b'0' + 1) % 10;
    let number = String::from_utf8(number).expect("digits are text");
    let text = values::grouped_card(rng, &number);
    vec![
        keep(UtteranceRole::Agent, voice.asks_card(), ""),
        caller("#", &text),
    ]
}

fn card_in_turns(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let number = loop {
        let number = values::card(rng);
        if number.len() == 16 {
            break number;
        }
    };
    let groups = [&number[..4], &number[4..8], &number[8..12], &number[12..]];
    let (first, second) = (groups[..2].join(" "), groups[2..].join(" "));
    let go_on = keep(UtteranceRole::Agent, "Mhm.", "");
    if rng.random_bool(0.5) {
        return vec![
            caller(voice.number_is(), &first),
            go_on,
            caller("#", &second),
        ];
    }
    let mut turns = vec![keep(UtteranceRole::Agent, voice.asks_card(), "")];
    for group in groups {
        turns.push(caller("#", group));
        turns.push(go_on.clone());
    }
    turns
}

fn digits(rng: &mut ChaCha8Rng, n: usize) -> String {
    (0..n)
        .map(|_| char::from(b'0' + rng.random_range(0..10)))
        .collect()
}

/// Digits as they are written, or said one by one.
fn any_digits(rng: &mut ChaCha8Rng, voice: Voice, n: usize) -> String {
    let digits = digits(rng, n);
    if rng.random_bool(0.4) {
        voice.one_by_one(&digits)
    } else {
        digits
    }
}

fn card_code(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let n = rng.random_range(3..=4);
    let code = any_digits(rng, voice, n);
    if rng.random_bool(0.5) {
        return vec![caller(voice.code_is(), &code)];
    }
    vec![
        keep(UtteranceRole::Agent, voice.asks_code(), ""),
        caller("#.", &code),
    ]
}

fn identity(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let (name, value) = values::identity(rng);
    let template = match (name, rng.random_bool(0.5)) {
        // What proves itself needs no name.
        (None, _) | (Some(_), true) => match name {
            Some(name) => format!("{name} #"),
            None => pick(rng, &["#", "#.", voice.its()]).to_owned(),
        },
        (Some(name), false) => format!("My {name} is #."),
    };
    vec![caller(&template, &value)]
}

fn iban(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let value = values::iban(rng);
    vec![caller(pick(rng, &["#", "IBAN: #", voice.its()]), &value)]
}

fn one_time_code(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let code = any_digits(rng, voice, 6);
    let mut turns = vec![keep(UtteranceRole::Agent, voice.asks_one_time(), "")];
    turns.push(caller(pick(rng, &["#.", voice.its()]), &code));
    turns
}

fn pin(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let code = any_digits(rng, voice, 4);
    vec![caller(voice.pin_is(), &code)]
}

fn password(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let word = pick(rng, &["Sunrise", "hunter", "P@ss", "Caballo", "Regen"]);
    let value = format!("{word}{}", digits(rng, 3));
    vec![caller(voice.password_is(), &value)]
}

fn tool(rng: &mut ChaCha8Rng, _: Voice) -> Vec<Turn> {
    let number = values::card(rng);
    let code = digits(rng, 3);
    let key: String = (0..24)
        .map(|_| {
            char::from(
                *b"abcdefghjkmnpqrstuvwxyzABCDEFGH23456789"
                    .choose(rng)
                    .unwrap_or(&b'a'),
            )
        })
        .collect();
    let agent = UtteranceRole::Agent;
    vec![match rng.random_range(0..4) {
        0 => plant(
            agent,
            r##"{"amount":"45.20","card_number":"#","currency":"EUR"}"##,
            &number,
        ),
        1 => plant(agent, r#"{"pan":#,"amount":4520}"#, &number),
        2 => plant(agent, r##"{"order":"123456","cvv":"#"}"##, &code),
        _ => plant(
            agent,
            "Incorrect API key provided: #. Find yours in the settings.",
            &format!("sk-{key}"),
        ),
    }]
}

fn decoy(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let (template, value) = match rng.random_range(0..14) {
        0 => {
            let n = rng.random_range(6..=16);
            (voice.order_is(), digits(rng, n))
        }
        1 => ("Tracking number #", format!("1Z{}", digits(rng, 16))),
        2 => (voice.phone_is(), values::phone(rng)),
        3 => ("#", values::phone(rng)),
        4 => ("I was charged $# on my card.", values::amount(rng)),
        5 => (voice.costs(), values::amount(rng)),
        6 => ("It was on # at 10:30.", values::date(rng)),
        7 => (voice.ends_in(), digits(rng, 4)),
        8 => (
            voice.account_is(),
            format!("{}{}", rng.random_range(1..10), digits(rng, 7)),
        ),
        9 => (
            "Invoice # from last month",
            format!("2025-{}", digits(rng, 6)),
        ),
        10 => ("The IMEI is #.", values::imei(rng)),
        11 => ("#", values::wrong_card(rng)),
        12 => (
            "We have # people and it takes 20 minutes",
            voice.one_by_one(&digits(rng, 1)),
        ),
        _ => ("id #", values::uuid(rng)),
    };
    vec![keep(UtteranceRole::Caller, template, &value)]
}

fn decoy_answer(rng: &mut ChaCha8Rng, voice: Voice) -> Vec<Turn> {
    let (question, value) = match rng.random_range(0..3) {
        0 => (voice.asks_last_four(), digits(rng, 4)),
        1 => ("What is your order number?", digits(rng, 12)),
        _ => ("Could I have a phone number?", values::phone(rng)),
    };
    vec![
        keep(UtteranceRole::Agent, question, ""),
        keep(
            UtteranceRole::Caller,
            pick(rng, &["#.", voice.its()]),
            &value,
        ),
    ]
}

fn decoy_tool(rng: &mut ChaCha8Rng, _: Voice) -> Vec<Turn> {
    let value = match rng.random_range(0..3) {
        0 => format!(r#"{{"account":"{}","months":6}}"#, digits(rng, 8)),
        1 => format!(
            r#"{{"order":"{}","total":{},"at":"2025-11-24T16:35:04Z"}}"#,
            digits(rng, 6),
            values::amount(rng)
        ),
        _ => format!(
            r#"{{"last4":"{}","status":"blocked","ms":{}}}"#,
            digits(rng, 4),
            digits(rng, 3)
        ),
    };
    vec![keep(UtteranceRole::Agent, "#", &value)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_where_the_numbers_are() {
        let turn = caller("it is #.", "123");
        assert_eq!(&turn.text[turn.planted[0].clone()], "123");
        assert!(
            keep(UtteranceRole::Agent, "it is #.", "123")
                .planted
                .is_empty()
        );
    }

    #[test]
    fn a_number_that_is_left_and_a_mark_too_many_are_counted() {
        let mut tally = Tally::default();
        let role = UtteranceRole::Caller;
        for turn in [
            plant(role, "nothing to find: #", "12"),
            keep(role, "#", "4111 1111 1111 1111"),
            plant(role, "#", "4111 1111 1111 1111"),
        ] {
            tally.judge(&Case {
                family: "one",
                language: "en",
                turns: vec![turn],
            });
        }
        let total = tally.total();
        assert_eq!((total.planted, total.gone), (2, 1));
        assert_eq!((total.masked, total.needless), (2, 1));
        assert_eq!(total.recall(), Some(0.5));
        assert_eq!(total.precision(), Some(0.5));
        assert_eq!(tally.examples.len(), 2);
    }

    #[test]
    fn the_goals_are_met_on_planted_text() {
        let tally = run(20_000, 1);
        let total = tally.total();
        let examples = tally.examples.join("\n");
        assert!(total.recall() >= Some(0.999), "{total:?}\n{examples}");
        assert!(total.precision() >= Some(0.98), "{total:?}\n{examples}");
    }
}
