//! Numbers with their check digits, made from the published rules of each.

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use super::digits;

/// First digits and lengths of issuers.
const ISSUERS: &[(&str, usize)] = &[
    ("4", 16),
    ("4", 16),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("2720", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("65", 16),
    ("3530", 16),
    ("62", 16),
];

fn with_luhn(mut body: String) -> String {
    for check in '0'..='9' {
        body.push(check);
        if is_luhn(&body) {
            break;
        }
        body.pop();
    }
    body
}

fn is_luhn(text: &str) -> bool {
    let mut sum = 0;
    for (place, digit) in text
        .chars()
        .rev()
        .filter_map(|one| one.to_digit(10))
        .enumerate()
    {
        let times = if place % 2 == 1 { digit * 2 } else { digit };
        sum += times / 10 + times % 10;
    }
    sum % 10 == 0
}

pub(super) fn card(rng: &mut ChaCha8Rng) -> String {
    let (prefix, length) = *ISSUERS.choose(rng).unwrap_or(&("4", 16));
    let body = format!("{prefix}{}", digits(rng, length - 1 - prefix.len()));
    with_luhn(body)
}

/// Sixteen digits that are no card's: an issuer's, and the check digit wrong.
pub(super) fn wrong_card(rng: &mut ChaCha8Rng) -> String {
    loop {
        let number = format!("4{}", digits(rng, 15));
        if !is_luhn(&number) {
            return number;
        }
    }
}

pub(super) fn grouped_card(rng: &mut ChaCha8Rng, number: &str) -> String {
    let sign = ["", " ", "-", ", "].choose(rng).copied().unwrap_or("");
    let lengths: &[usize] = if number.len() == 15 {
        &[4, 6, 5]
    } else {
        &[4, 4, 4, 4]
    };
    grouped(number, lengths, sign)
}

fn grouped(number: &str, lengths: &[usize], sign: &str) -> String {
    let mut parts = Vec::new();
    let mut at = 0;
    for length in lengths {
        parts.push(&number[at..at + length]);
        at += length;
    }
    parts.join(sign)
}

fn numbers(text: &str) -> Vec<u32> {
    text.chars().filter_map(|one| one.to_digit(10)).collect()
}

fn weigh(text: &str, weights: impl Iterator<Item = u32>) -> u32 {
    numbers(text)
        .into_iter()
        .zip(weights)
        .map(|(a, b)| a * b)
        .sum()
}

/// A person's number, with its name where only the name says what it is.
pub(super) fn identity(rng: &mut ChaCha8Rng) -> (Option<&'static str>, String) {
    match rng.random_range(0..12) {
        0 => (None, ssn(rng, "-")),
        1 => (Some("social security number"), ssn(rng, "")),
        2 => (None, nino(rng)),
        3 => (None, dni(rng)),
        4 => (None, nie(rng)),
        5 => (None, nir(rng)),
        6 => (Some("Steuer-ID"), german_tax(rng)),
        7 => (None, cpf(rng)),
        8 => (None, aadhaar(rng)),
        9 => (Some("BSN"), bsn(rng)),
        10 => (None, pesel(rng)),
        _ => {
            let letter = char::from(b'A' + rng.random_range(0..26));
            (
                Some("passport number"),
                format!("{letter}{}", digits(rng, 8)),
            )
        }
    }
}

fn ssn(rng: &mut ChaCha8Rng, sign: &str) -> String {
    let area = rng.random_range(1..666);
    let group = rng.random_range(1..100);
    let serial = rng.random_range(1..10_000);
    format!("{area:03}{sign}{group:02}{sign}{serial:04}")
}

fn nino(rng: &mut ChaCha8Rng) -> String {
    let letter = |rng: &mut ChaCha8Rng| char::from(*b"ABCEHJLMPRSWXY".choose(rng).unwrap_or(&b'A'));
    let (first, second) = (letter(rng), letter(rng));
    let last = char::from(b'A' + rng.random_range(0..4));
    let body = digits(rng, 6);
    format!("{first}{second} {} {last}", grouped(&body, &[2, 2, 2], " "))
}

fn spanish_letter(number: u64) -> char {
    char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize])
}

fn dni(rng: &mut ChaCha8Rng) -> String {
    let number: u64 = rng.random_range(1_000_000..100_000_000);
    let sign = ["", " ", "-"].choose(rng).copied().unwrap_or("");
    format!("{number:08}{sign}{}", spanish_letter(number))
}

fn nie(rng: &mut ChaCha8Rng) -> String {
    let first = rng.random_range(0..3_u64);
    let number: u64 = rng.random_range(0..10_000_000);
    let letter = spanish_letter(first * 10_000_000 + number);
    format!("{}{number:07}{letter}", ['X', 'Y', 'Z'][first as usize])
}

fn nir(rng: &mut ChaCha8Rng) -> String {
    let body = format!(
        "{}{}{:02}{:02}{}",
        rng.random_range(1..3),
        digits(rng, 2),
        rng.random_range(1..13),
        rng.random_range(1..96),
        digits(rng, 6)
    );
    let number: u64 = body.parse().unwrap_or_default();
    let text = format!("{body}{:02}", 97 - number % 97);
    if rng.random_bool(0.5) {
        grouped(&text, &[1, 2, 2, 2, 3, 3, 2], " ")
    } else {
        text
    }
}

fn german_tax(rng: &mut ChaCha8Rng) -> String {
    // Ten digits, one of them twice and one of them never.
    let mut pool: Vec<u8> = (0..10).collect();
    let gone = pool.remove(rng.random_range(0..pool.len()));
    let twice = pool[rng.random_range(0..pool.len())];
    pool.push(twice);
    debug_assert!(!pool.contains(&gone));
    for at in (1..pool.len()).rev() {
        pool.swap(at, rng.random_range(0..=at));
    }
    if pool[0] == 0 {
        let other = pool.iter().position(|digit| *digit != 0).unwrap_or(0);
        pool.swap(0, other);
    }
    let mut product = 10;
    for digit in &pool {
        let sum = (u32::from(*digit) + product) % 10;
        product = (if sum == 0 { 10 } else { sum } * 2) % 11;
    }
    let text: String = pool.iter().map(|digit| char::from(b'0' + digit)).collect();
    format!("{text}{}", (11 - product) % 10)
}

fn cpf(rng: &mut ChaCha8Rng) -> String {
    let mut text = digits(rng, 9);
    for top in [10, 11] {
        let rest = weigh(&text, (2..=top).rev()) * 10 % 11 % 10;
        text.push_str(&rest.to_string());
    }
    if rng.random_bool(0.7) {
        format!("{}-{}", grouped(&text[..9], &[3, 3, 3], "."), &text[9..])
    } else {
        text
    }
}

/// The tables of Verhoeff's paper.
const TIMES: [[usize; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
const MOVED: [[usize; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

fn aadhaar(rng: &mut ChaCha8Rng) -> String {
    let body = format!("{}{}", rng.random_range(2..10), digits(rng, 10));
    let mut check = 0;
    for (place, digit) in numbers(&body).into_iter().rev().enumerate() {
        check = TIMES[check][MOVED[(place + 1) % 8][digit as usize]];
    }
    let last = TIMES[check]
        .iter()
        .position(|product| *product == 0)
        .unwrap_or(0);
    grouped(&format!("{body}{last}"), &[4, 4, 4], " ")
}

fn bsn(rng: &mut ChaCha8Rng) -> String {
    loop {
        let body = digits(rng, 8);
        let rest = weigh(&body, (2..=9).rev()) % 11;
        if rest < 10 && body != "00000000" {
            return format!("{body}{rest}");
        }
    }
}

fn pesel(rng: &mut ChaCha8Rng) -> String {
    let body = format!(
        "{}{:02}{:02}{}",
        digits(rng, 2),
        rng.random_range(1..13),
        rng.random_range(1..29),
        digits(rng, 4)
    );
    let sum = weigh(&body, [1, 3, 7, 9].into_iter().cycle());
    format!("{body}{}", (10 - sum % 10) % 10)
}

pub(super) fn iban(rng: &mut ChaCha8Rng) -> String {
    let (country, body) = match rng.random_range(0..4) {
        0 => ("DE", digits(rng, 18)),
        1 => ("ES", digits(rng, 20)),
        2 => ("PT", digits(rng, 21)),
        _ => ("GB", format!("NWBK{}", digits(rng, 14))),
    };
    let mut rest = 0;
    for letter in format!("{body}{country}00").chars() {
        let value = letter.to_digit(36).unwrap_or(0);
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    let text = format!("{country}{:02}{body}", 98 - rest);
    if rng.random_bool(0.5) {
        return text;
    }
    let parts: Vec<String> = text
        .as_bytes()
        .chunks(4)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    parts.join(" ")
}

pub(super) fn phone(rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..5) {
        0 => format!("+1 415 555 {}", digits(rng, 4)),
        1 => format!("415-555-{}", digits(rng, 4)),
        2 => format!("+44 20 7946 {}", digits(rng, 4)),
        3 => format!("0170 {}", digits(rng, 7)),
        _ => format!("+34 612 {} {}", digits(rng, 3), digits(rng, 3)),
    }
}

pub(super) fn amount(rng: &mut ChaCha8Rng) -> String {
    format!(
        "{}.{:02}",
        rng.random_range(1..5_000),
        rng.random_range(0..100)
    )
}

pub(super) fn date(rng: &mut ChaCha8Rng) -> String {
    let (day, month) = (rng.random_range(1..29), rng.random_range(1..13));
    match rng.random_range(0..3) {
        0 => format!("{day:02}/{month:02}/2025"),
        1 => format!("2025-{month:02}-{day:02}"),
        _ => format!("{day:02}.{month:02}.2025"),
    }
}

pub(super) fn imei(rng: &mut ChaCha8Rng) -> String {
    with_luhn(format!("35{}", digits(rng, 12)))
}

pub(super) fn uuid(rng: &mut ChaCha8Rng) -> String {
    let text = format!("{:032x}", rng.random::<u128>());
    grouped(&text, &[8, 4, 4, 4, 12], "-")
}
