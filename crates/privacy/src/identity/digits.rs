//! Numbers of digits only.

use super::{Alone, Rule, is_date};
use crate::checksum::{iso_mod_11_10, luhn, modulo, verhoeff, weighted};

const fn rule(length: usize, check: fn(&[u8]) -> bool, alone: Alone) -> Rule {
    Rule {
        length,
        check,
        alone,
    }
}

pub(super) const RULES: &[Rule] = &[
    rule(9, us_ssn, Alone::Grouped(&[&[3, 2, 4]])),
    rule(9, luhn, Alone::Never),   // Canada, SIN
    rule(9, nl_bsn, Alone::Never), // Netherlands
    rule(9, pt_nif, Alone::Never), // Portugal
    rule(9, au_tfn, Alone::Never), // Australia
    rule(9, cl_rut, Alone::Grouped(&[&[2, 3, 3, 1]])),
    rule(10, uk_nhs, Alone::Never),
    rule(10, se_pin, Alone::Grouped(&[&[6, 4]])),
    rule(10, dk_cpr, Alone::Grouped(&[&[6, 4]])),
    rule(10, cz_number, Alone::Grouped(&[&[6, 4]])),
    rule(11, de_tax, Alone::Always),
    rule(11, br_cpf, Alone::Always),
    rule(11, pl_pesel, Alone::Always),
    rule(11, be_number, Alone::Always),
    rule(11, no_number, Alone::Always),
    rule(11, tr_number, Alone::Always),
    rule(11, ar_cuit, Alone::Grouped(&[&[2, 8, 1]])),
    rule(12, in_aadhaar, Alone::Grouped(&[&[4, 4, 4]])),
    rule(12, my_number, Alone::Grouped(&[&[6, 2, 4]])),
    rule(12, jp_number, Alone::Never),
    rule(12, se_long, Alone::Grouped(&[&[8, 4]])),
    rule(13, za_number, Alone::Always),
    rule(13, kr_number, Alone::Grouped(&[&[6, 7]])),
    rule(13, ch_ahv, Alone::Always),
    rule(14, br_cnpj, Alone::Always),
    rule(15, fr_nir, Alone::Always),
    rule(18, cn_number, Alone::Always),
];

/// Two digits as a number.
fn two(digits: &[u8], at: usize) -> u8 {
    digits[at] * 10 + digits[at + 1]
}

fn all_same(digits: &[u8]) -> bool {
    digits.iter().all(|digit| *digit == digits[0])
}

fn us_ssn(n: &[u8]) -> bool {
    let area = modulo(&n[..3], 1_000);
    let group = two(n, 3);
    let serial = modulo(&n[5..], 10_000);
    // From 900 on it is a taxpayer's number (ITIN), which has groups of its own.
    let is_area = match area {
        0 | 666 => false,
        900.. => matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99),
        _ => true,
    };
    is_area && group != 0 && serial != 0
}

fn nl_bsn(n: &[u8]) -> bool {
    let sum = weighted(n, &[9, 8, 7, 6, 5, 4, 3, 2]);
    !all_same(n) && (sum + 11 - u32::from(n[8])).is_multiple_of(11)
}

fn pt_nif(n: &[u8]) -> bool {
    let rest = weighted(n, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    n[0] != 0 && check == u32::from(n[8])
}

fn au_tfn(n: &[u8]) -> bool {
    !all_same(n) && weighted(n, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

fn cl_rut(n: &[u8]) -> bool {
    let check = (11 - weighted(n, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    check == u32::from(n[8])
}

fn uk_nhs(n: &[u8]) -> bool {
    let check = 11 - weighted(n, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    !all_same(n) && check % 11 == u32::from(n[9]) && check != 10
}

fn se_pin(n: &[u8]) -> bool {
    // A number that somebody got while waiting for one has 60 added to the day.
    let day = if n[4] >= 6 { two(n, 4) - 60 } else { two(n, 4) };
    is_date(two(n, 2), day) && luhn(n)
}

fn se_long(n: &[u8]) -> bool {
    matches!(two(n, 0), 18..=20) && se_pin(&n[2..])
}

fn dk_cpr(n: &[u8]) -> bool {
    is_date(two(n, 2), two(n, 0))
}

fn cz_number(n: &[u8]) -> bool {
    // Women have 50 added to the month, and 20 more when a day's numbers ran out.
    let month = two(n, 2) % 50;
    let month = if month > 20 { month - 20 } else { month };
    is_date(month, two(n, 4)) && modulo(n, 11) == 0
}

fn de_tax(n: &[u8]) -> bool {
    // Of the first ten digits one stands there twice or thrice, and the others once at most.
    let mut times = [0_u8; 10];
    for digit in &n[..10] {
        times[usize::from(*digit)] += 1;
    }
    let repeated = times.iter().filter(|times| **times > 1).count();
    let is_shaped = repeated == 1 && times.iter().all(|times| *times <= 3);
    n[0] != 0 && is_shaped && iso_mod_11_10(n)
}

/// One check digit of Brazil: the weighted sum modulo 11, where 0 and 1 give 0.
fn br_check(digits: &[u8], weights: &[u32]) -> u8 {
    match weighted(digits, weights) % 11 {
        0 | 1 => 0,
        rest => (11 - rest) as u8,
    }
}

fn br_cpf(n: &[u8]) -> bool {
    !all_same(n)
        && n[9] == br_check(&n[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2])
        && n[10] == br_check(&n[..10], &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn br_cnpj(n: &[u8]) -> bool {
    !all_same(n)
        && n[12] == br_check(&n[..12], &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
        && n[13] == br_check(&n[..13], &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn pl_pesel(n: &[u8]) -> bool {
    // The month carries the century in steps of 20.
    let sum = weighted(n, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    is_date(two(n, 2) % 20, two(n, 4)) && sum.is_multiple_of(10)
}

fn be_number(n: &[u8]) -> bool {
    let check = u64::from(two(n, 9));
    let born_before_2000 = modulo(&n[..9], 97);
    let after = (2_000_000_000 + modulo(&n[..9], 1_000_000_000)) % 97;
    let month = two(n, 2) % 20;
    is_date(month, two(n, 4)) && (97 - born_before_2000 == check || 97 - after == check)
}

fn no_number(n: &[u8]) -> bool {
    let first = weighted(n, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    let second = weighted(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    // A number for guests has 40 added to the day.
    let day = if n[0] >= 4 { two(n, 0) - 40 } else { two(n, 0) };
    is_date(two(n, 2), day) && first.is_multiple_of(11) && second.is_multiple_of(11)
}

fn tr_number(n: &[u8]) -> bool {
    let odd: u32 = [0, 2, 4, 6, 8].iter().map(|at| u32::from(n[*at])).sum();
    let even: u32 = [1, 3, 5, 7].iter().map(|at| u32::from(n[*at])).sum();
    let sum: u32 = n[..10].iter().map(|digit| u32::from(*digit)).sum();
    n[0] != 0 && (odd * 7 + 100 - even) % 10 == u32::from(n[9]) && sum % 10 == u32::from(n[10])
}

fn ar_cuit(n: &[u8]) -> bool {
    let check = (11 - weighted(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    matches!(two(n, 0), 20 | 23 | 24 | 25 | 26 | 27 | 30 | 33 | 34) && check == u32::from(n[10])
}

fn in_aadhaar(n: &[u8]) -> bool {
    n[0] >= 2 && verhoeff(n)
}

fn my_number(n: &[u8]) -> bool {
    is_date(two(n, 2), two(n, 4))
}

fn jp_number(n: &[u8]) -> bool {
    let rest = weighted(n, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest <= 1 { 0 } else { 11 - rest };
    check == u32::from(n[11])
}

fn za_number(n: &[u8]) -> bool {
    is_date(two(n, 2), two(n, 4)) && n[10] <= 2 && luhn(n)
}

fn kr_number(n: &[u8]) -> bool {
    is_date(two(n, 2), two(n, 4)) && (1..=8).contains(&n[6])
}

fn ch_ahv(n: &[u8]) -> bool {
    let sum = weighted(n, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    n[..3] == [7, 5, 6] && sum.is_multiple_of(10)
}

fn fr_nir(n: &[u8]) -> bool {
    let month = two(n, 3);
    let is_month = matches!(month, 1..=12 | 20..=42 | 50..=99);
    let key = modulo(&n[13..], 100);
    matches!(n[0], 1..=4 | 7 | 8) && is_month && 97 - modulo(&n[..13], 97) == key
}

/// The first 17 digits of a Chinese number, and the value of its last character.
pub(super) fn cn_check(body: &[u8], last: u32) -> bool {
    let sum = weighted(body, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let is_year = matches!(two(body, 6), 18..=20);
    body[0] != 0 && is_year && is_date(two(body, 10), two(body, 12)) && (12 - sum % 11) % 11 == last
}

fn cn_number(n: &[u8]) -> bool {
    cn_check(&n[..17], u32::from(n[17]))
}
