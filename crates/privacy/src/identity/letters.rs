//! Numbers with letters in them, as capital letters and digits in ASCII.

use super::digits::cn_check;
use super::{Alone, Rule, is_date};
use crate::checksum::{modulo, weighted};

const fn rule(length: usize, check: fn(&[u8]) -> bool, alone: Alone) -> Rule {
    Rule {
        length,
        check,
        alone,
    }
}

pub(super) const RULES: &[Rule] = &[
    rule(8, ie_pps, Alone::Always),
    rule(9, ie_pps, Alone::Always),
    rule(9, es_dni, Alone::Always),
    rule(9, es_nie, Alone::Always),
    rule(9, uk_nino, Alone::Always),
    rule(9, sg_nric, Alone::Always),
    rule(9, cl_rut, Alone::Always),
    rule(10, in_pan, Alone::Always),
    rule(10, fi_hetu, Alone::Always),
    rule(13, mx_rfc, Alone::Always),
    rule(15, fr_corsica, Alone::Always),
    rule(16, it_fiscal, Alone::Always),
    rule(18, mx_curp, Alone::Always),
    rule(18, cn_number, Alone::Always),
];

/// The digits of a piece as values; None when another character is among them.
fn digits(text: &[u8]) -> Option<Vec<u8>> {
    text.iter()
        .map(|byte| byte.is_ascii_digit().then(|| byte - b'0'))
        .collect()
}

fn are_letters(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_uppercase)
}

/// The letter of Spain and of nobody else's alphabet.
fn es_letter(number: u64) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize]
}

fn es_dni(text: &[u8]) -> bool {
    digits(&text[..8]).is_some_and(|n| es_letter(modulo(&n, 100_000_000)) == text[8])
}

fn es_nie(text: &[u8]) -> bool {
    let first = match text[0] {
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        _ => return false,
    };
    digits(&text[1..8])
        .is_some_and(|n| es_letter(first * 10_000_000 + modulo(&n, 10_000_000)) == text[8])
}

fn uk_nino(text: &[u8]) -> bool {
    let [first, second, ..] = text else {
        return false;
    };
    let never = b"DFIQUV";
    let prefix = &text[..2];
    are_letters(prefix)
        && !never.contains(first)
        && !never.contains(second)
        && *second != b'O'
        && ![*b"BG", *b"GB", *b"KN", *b"NK", *b"NT", *b"TN", *b"ZZ"]
            .iter()
            .any(|one| one == prefix)
        && digits(&text[2..8]).is_some()
        && matches!(text[8], b'A'..=b'D')
}

fn ie_pps(text: &[u8]) -> bool {
    let Some(n) = digits(&text[..7]) else {
        return false;
    };
    let second = match text.get(8) {
        None => 0,
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A' + 1),
        Some(_) => return false,
    };
    let sum = weighted(&n, &[8, 7, 6, 5, 4, 3, 2]) + second * 9;
    text[7] == b"WABCDEFGHIJKLMNOPQRSTUV"[(sum % 23) as usize]
}

fn sg_nric(text: &[u8]) -> bool {
    let Some(n) = digits(&text[1..8]) else {
        return false;
    };
    let sum = weighted(&n, &[2, 7, 6, 5, 4, 3, 2]);
    let (offset, letters): (u32, &[u8]) = match text[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        _ => return false,
    };
    text[8] == letters[((sum + offset) % 11) as usize]
}

fn cl_rut(text: &[u8]) -> bool {
    digits(&text[..8])
        .is_some_and(|n| text[8] == b'K' && 11 - weighted(&n, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11 == 10)
}

fn in_pan(text: &[u8]) -> bool {
    are_letters(&text[..5])
        && b"ABCFGHJLPT".contains(&text[3])
        && digits(&text[5..9]).is_some()
        && are_letters(&text[9..])
}

fn fi_hetu(text: &[u8]) -> bool {
    let Some(n) = digits(&text[..9]) else {
        return false;
    };
    let letters = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    is_date(n[2] * 10 + n[3], n[0] * 10 + n[1])
        && text[9] == letters[(modulo(&n, 1_000_000_000) % 31) as usize]
}

fn mx_rfc(text: &[u8]) -> bool {
    are_letters(&text[..4])
        && digits(&text[4..10]).is_some_and(|n| is_date(n[2] * 10 + n[3], n[4] * 10 + n[5]))
        && text[10..].iter().all(u8::is_ascii_alphanumeric)
}

fn fr_corsica(text: &[u8]) -> bool {
    // The departments 2A and 2B count as 19 and 18.
    let department = match &text[5..7] {
        b"2A" => [1, 9],
        b"2B" => [1, 8],
        _ => return false,
    };
    let (Some(mut n), Some(tail)) = (digits(&text[..5]), digits(&text[7..])) else {
        return false;
    };
    n.extend(department);
    n.extend(&tail[..6]);
    matches!(n[0], 1 | 2) && 97 - modulo(&n, 97) == modulo(&tail[6..], 100)
}

fn it_fiscal(text: &[u8]) -> bool {
    /// What a character counts in an odd place.
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(usize::from(byte - b'0')),
        b'A'..=b'Z' => Some(usize::from(byte - b'A')),
        _ => None,
    };
    let mut sum = 0;
    for (place, byte) in text[..15].iter().enumerate() {
        let Some(value) = value(*byte) else {
            return false;
        };
        sum += if place % 2 == 0 {
            ODD[value]
        } else {
            value as u32
        };
    }
    are_letters(&text[..6])
        && text[6].is_ascii_alphanumeric()
        && b"ABCDEHLMPRST".contains(&text[8])
        && text[11].is_ascii_uppercase()
        && u32::from(text[15]) == u32::from(b'A') + sum % 26
}

fn mx_curp(text: &[u8]) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        // The letter \u{d1} stands between N and O, and never in a CURP.
        b'A'..=b'N' => u32::from(byte - b'A') + 10,
        _ => u32::from(byte - b'A') + 11,
    };
    if !text.iter().all(u8::is_ascii_alphanumeric) || !text[17].is_ascii_digit() {
        return false;
    }
    let sum: u32 = (0..17).map(|at| value(text[at]) * (18 - at as u32)).sum();
    are_letters(&text[..4])
        && digits(&text[4..10]).is_some_and(|n| is_date(n[2] * 10 + n[3], n[4] * 10 + n[5]))
        && matches!(text[10], b'H' | b'M' | b'X')
        && (10 - sum % 10) % 10 == u32::from(text[17] - b'0')
}

fn cn_number(text: &[u8]) -> bool {
    digits(&text[..17]).is_some_and(|n| text[17] == b'X' && cn_check(&n, 10))
}
