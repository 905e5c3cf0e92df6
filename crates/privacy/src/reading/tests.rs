use super::*;

fn check(language: Option<Language>, text: &str, expected: &[&str]) {
    let reading = Reading::new(text, language, &[]);
    let runs: Vec<String> = reading
        .digit_runs()
        .into_iter()
        .map(|run| {
            let pieces = reading.atoms[run].iter();
            let pieces = pieces.map(|atom| String::from_utf8(atom.text.clone()).unwrap());
            pieces.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(runs, expected, "{text}");
}

#[test]
fn numbers_are_read_as_they_are_said() {
    use Language::{De, En, Es, Fr, Pt};
    check(
        Some(En),
        "four one double one, triple five oh",
        &["4 1 11 555 0"],
    );
    check(
        Some(En),
        "forty one eleven twenty oh six",
        &["41 11 20 0 6"],
    );
    check(Some(En), "two hundred and five, six hundred", &["205 600"]);
    check(
        Some(Es),
        "cuatro uno treinta y dos ciento veintitrés",
        &["4 1 32 123"],
    );
    check(
        Some(De),
        "vier einundzwanzig fünf dreißig hundertelf",
        &["4 21 5 30"],
    );
    check(Some(De), "vier null null doppel drei", &["4 0 0 33"]);
    check(
        Some(Fr),
        "quatre-vingt-dix-sept soixante-douze vingt et un dix-huit six",
        &["97 72 21 18 6"],
    );
    check(
        Some(Pt),
        "quarenta e um meia cento e vinte e três",
        &["41 6 123"],
    );
    check(None, "cuatro uno, four one", &["4 1 4 1"]);
}

#[test]
fn sighs_join_and_other_words_part() {
    check(None, "4111 um 1111, uh, 11-11", &["4111 1111 11 11"]);
    check(None, "4111 for 1111", &["4111", "1111"]);
    check(None, "at 10:30 on 12/11", &["10", "30", "12", "11"]);
    check(None, "call +44 20 7946", &["44 20 7946"]);
    check(None, "order 12 +44 20", &["12", "44 20"]);
}

#[test]
fn money_is_no_part_of_a_number() {
    check(None, "pay $1,234.56 4111", &["1", "234", "56", "4111"]);
    check(None, "4111 1.234,56 \u{20ac}", &["4111", "1", "234", "56"]);
    check(None, "4111 50 dollars", &["4111", "50"]);
}

#[test]
fn digits_of_other_scripts_and_without_width_are_read() {
    check(None, "\u{ff14}\u{ff11}11", &["4111"]);
    check(None, "41\u{200b}11", &["4111"]);
}
