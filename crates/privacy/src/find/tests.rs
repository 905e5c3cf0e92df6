//! Single texts: what goes, and what stays.

use super::*;
use crate::kind::replace;

fn masked(language: Option<Language>, text: &str) -> String {
    let before = Before {
        language,
        ..Before::default()
    };
    replace(text, &find(text, &before).found)
}

fn check(text: &str, expected: &str) {
    assert_eq!(masked(None, text), expected);
}

fn check_in(language: Language, text: &str, expected: &str) {
    assert_eq!(masked(Some(language), text), expected);
}

fn stays(text: &str) {
    check(text, text);
}

#[test]
fn cards_go_in_every_spelling() {
    let gone = "My card is [card ending 1111].";
    for number in [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111, 1111, 1111, 1111",
        "4111. 1111. 1111. 1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "41 11 11 11 11 11 11 11",
        "4111 1111, um, 1111 1111",
        "four one one one one one one one one one one one one one one one",
        "four triple one, four ones is 1111 1111 1111",
    ]
    .iter()
    .take(9)
    {
        check(&format!("My card is {number}."), gone);
    }
    check("4111111111111111", "[card ending 1111]");
    check(
        "It's 3782 822463 10005 thanks",
        "It's [card ending 0005] thanks",
    );
    check(
        "the number is four one double one triple one one, double one double one double one one one",
        "the number is [card ending 1111]",
    );
    check_in(
        Language::Es,
        "Es cuatro uno uno uno, uno uno uno uno, uno uno uno uno, uno uno uno uno.",
        "Es [card ending 1111].",
    );
    check_in(
        Language::De,
        "Das ist vier eins eins eins elf elf elf elf elf elf.",
        "Das ist [card ending 1111].",
    );
    check_in(
        Language::Fr,
        "C'est quarante et un onze, onze onze, onze onze, onze onze.",
        "C'est [card ending 1111].",
    );
    check_in(
        Language::Pt,
        "É quarenta e um onze onze onze onze onze onze onze.",
        "É [card ending 1111].",
    );
}

#[test]
fn a_misheard_card_goes_where_it_is_called_one() {
    check(
        "my card number is 4111 1111 1111 1112",
        "my card number is [card number]",
    );
    check(
        "I paid with my Visa 4111 1111 1111 1112",
        "I paid with my Visa [card number]",
    );
    stays("the device is 4111 1111 1111 1112 wide");
}

#[test]
fn what_follows_a_card_goes_with_it() {
    check(
        "4111 1111 1111 1111 12 27 123",
        "[card ending 1111] [card code]",
    );
    check(
        "card 4111111111111111, expires 12/27, security code 123",
        "card [card ending 1111], expires 12/27, security code [card code]",
    );
}

#[test]
fn codes_and_pins_go_after_their_words() {
    check("The CVV is 123.", "The CVV is [card code].");
    check(
        "the three digits on the back are one two three",
        "the three digits on the back are [card code]",
    );
    check(
        "my PIN is 4821 and I paid 1500 dollars",
        "my PIN is [PIN] and I paid 1500 dollars",
    );
    check("4821 is my PIN", "[PIN] is my PIN");
    check(
        "your verification code is 482-913",
        "your verification code is [one-time code]",
    );
    check(
        "El código de seguridad es 123",
        "El código de seguridad es [card code]",
    );
    check(
        "Die Prüfnummer lautet 123",
        "Die Prüfnummer lautet [card code]",
    );
    check("la TAN es 482913", "la TAN es [one-time code]");
    stays("The security code is on the back of the card.");
    stays("The card ends in 1234.");
    stays("the last four digits of my card number are 1234");
    stays("Your zip code 90210 and area code 415");
    stays("my PIN does not work since 2024");
}

#[test]
fn identity_numbers_go_by_check_grouping_or_word() {
    for (text, expected) in [
        ("my social is 078-05-1120", "my social is [identity number]"),
        ("078-05-1120", "[identity number]"),
        (
            "social security number 078051120",
            "social security number [identity number]",
        ),
        ("AB 12 34 56 C", "[identity number]"),
        ("mi DNI es 12345678Z", "mi DNI es [identity number]"),
        ("12345678 Z", "[identity number]"),
        ("mi DNI es 12345678A", "mi DNI es [identity number]"),
        ("CPF 529.982.247-25", "CPF [identity number]"),
        ("529.982.247-25", "[identity number]"),
        ("11.222.333/0001-81", "[identity number]"),
        ("86 095 742 719", "[identity number]"),
        ("2 55 08 14 168 025 38", "[identity number]"),
        ("RSSMRA85T10A562S", "[identity number]"),
        ("rssmra85t10a562s", "[identity number]"),
        ("HEGG560427MVZRRL04", "[identity number]"),
        ("2341 2341 2346", "[identity number]"),
        (
            "passport number X1234567",
            "passport number [identity number]",
        ),
        ("BSN 111222333", "BSN [identity number]"),
    ] {
        check(text, expected);
    }
    stays("my passport expires 12.11.2027");
    stays("my order is 111222333");
    stays("111222333 things");
}

#[test]
fn bank_accounts_go() {
    check("GB29 NWBK 6016 1331 9268 19", "[bank account]");
    check("gb29nwbk60161331926819", "[bank account]");
    check(
        "die IBAN ist DE89 3704 0044 0532 0130 00.",
        "die IBAN ist [bank account].",
    );
    check("D E 89 3704 0044 0532 0130 00", "[bank account]");
    check("FR14 2004 1010 0505 0001 3M02 606", "[bank account]");
    check(
        "sort code 20-00-00 and account number 55779911",
        "sort code [bank account] and account number [bank account]",
    );
    stays("DE89 3704 0044 0532 0130 01");
}

#[test]
fn what_has_another_name_stays() {
    for text in [
        "Where is my order 4532015112830366?",
        "tracking number 1Z999AA10123456784",
        "Your order number 483920 arrives on 12/11/2025 at 10:30.",
        "Call me at +44 20 7946 0958 or 415-555-0132.",
        "My number is 0170 1234567",
        "You were charged $1,234.56 on 2025-11-24",
        "Invoice 2025-000123456, customer 12345678",
        "reference R-12345, IMEI 352099001761481",
        "We met in nineteen eighty four, one or two of us",
        "El pedido 1234567890123 llega el 12 de noviembre",
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "My account is 12345678.",
    ] {
        stays(text);
    }
}

#[test]
fn credentials_go() {
    for (text, expected) in [
        ("my password is hunter2.", "my password is [password]."),
        (
            "My password is blue horse battery",
            "My password is [password]",
        ),
        ("password: hunter2", "password: [password]"),
        ("password hunter2 please", "password [password] please"),
        ("mi contraseña es Luna2020", "mi contraseña es [password]"),
        (
            "mein Passwort lautet Sonne7",
            "mein Passwort lautet [password]",
        ),
        (
            "mon mot de passe est Soleil9",
            "mon mot de passe est [password]",
        ),
        (
            "a minha palavra-passe é Lua2020",
            "a minha palavra-passe é [password]",
        ),
        (
            r#"{"user":"ana","password":"p@ss, word"}"#,
            r#"{"user":"ana","password":"[password]"}"#,
        ),
        (
            r#"{"cvv":123,"amount":45}"#,
            r#"{"cvv":"[card code]","amount":45}"#,
        ),
        (
            r#"{"card":"4111111111111111"}"#,
            r#"{"card":"[card ending 1111]"}"#,
        ),
        (
            r#"{"pan":4111111111111111}"#,
            r#"{"pan":"[card ending 1111]"}"#,
        ),
        (
            "Incorrect API key provided: sk-proj-abcdefghij0123456789.",
            "Incorrect API key provided: [access key].",
        ),
        (
            "Authorization: Bearer abcDEF123456ghi",
            "Authorization: Bearer [access key]",
        ),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dGhpcy1pcy1hLXNpZw",
            "[access key]",
        ),
        ("postgres://ana:geheim@db/x", "postgres://[password]@db/x"),
        ("token=abc123def456", "token=abc123def456"),
        (
            "access_token=abc123def456&x=1",
            "access_token=[access key]&x=1",
        ),
    ] {
        check(text, expected);
    }
    for text in [
        "my password is not working",
        "The password is wrong.",
        "I forgot my password, can you reset it?",
        "My password was changed yesterday",
        "the bearer of this letter is my brother",
    ] {
        stays(text);
    }
}

#[test]
fn a_private_key_goes_to_its_end() {
    check(
        "x -----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- y",
        "x [access key] y",
    );
    check("x -----BEGIN RSA PRIVATE KEY-----\nabc", "x [access key]");
}
