//! The checks that numbers carry in themselves. All take digits as values from 0 to 9.

/// Luhn: cards, and identity numbers of several countries.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match place % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The sum of each digit times its weight; digits without a weight do not count.
pub(crate) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum()
}

/// The number that digits write, modulo `by`.
pub(crate) fn modulo(digits: &[u8], by: u64) -> u64 {
    digits
        .iter()
        .fold(0, |rest, digit| (rest * 10 + u64::from(*digit)) % by)
}

/// ISO 7064 mod 97-10 over letters and digits, as an IBAN has it: its first four characters count
/// as the last.
pub(crate) fn iban(text: &[u8]) -> bool {
    let Some((head, tail)) = text.split_at_checked(4) else {
        return false;
    };
    let mut rest: u32 = 0;
    for byte in tail.iter().chain(head) {
        rest = match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            b'A'..=b'Z' => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
            _ => return false,
        };
    }
    rest == 1
}

/// ISO 7064 mod 11,10: the German tax number.
pub(crate) fn iso_mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let mut product = 10;
    for digit in body {
        let mut sum = (u32::from(*digit) + product) % 10;
        if sum == 0 {
            sum = 10;
        }
        product = (sum * 2) % 11;
    }
    (11 - product) % 10 == u32::from(*check)
}

/// Verhoeff: Aadhaar.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    /// Multiplication in the dihedral group of ten elements.
    fn times(a: u8, b: u8) -> u8 {
        match (a < 5, b < 5) {
            (true, true) => (a + b) % 5,
            (true, false) => 5 + (a + b - 5) % 5,
            (false, true) => 5 + (a - 5 + 5 - b) % 5,
            (false, false) => (a - 5 + 5 - (b - 5)) % 5,
        }
    }
    const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let mut digit = *digit % 10;
        for _ in 0..place % 8 {
            digit = PERMUTED[usize::from(digit)];
        }
        check = times(check, digit);
    }
    check == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    /// A check that finds every single wrong digit, as all of these do, accepts one digit in ten.
    fn check_finds_each_wrong_digit(good: &str, check: fn(&[u8]) -> bool) {
        let good = digits(good);
        assert!(check(&good), "{good:?}");
        for place in 0..good.len() {
            for digit in (0..10).filter(|digit| *digit != good[place]) {
                let mut bad = good.clone();
                bad[place] = digit;
                assert!(!check(&bad), "{bad:?}");
            }
        }
    }

    #[test]
    fn published_examples_pass_and_every_wrong_digit_is_found() {
        check_finds_each_wrong_digit("4111111111111111", luhn);
        check_finds_each_wrong_digit("378282246310005", luhn);
        check_finds_each_wrong_digit("236", verhoeff);
        check_finds_each_wrong_digit("86095742719", iso_mod_11_10);
    }

    #[test]
    fn ibans_of_the_registry_pass() {
        for good in [
            "GB29NWBK60161331926819",
            "DE89370400440532013000",
            "FR1420041010050500013M02606",
            "ES9121000418450200051332",
            "NO9386011117947",
        ] {
            assert!(iban(good.as_bytes()), "{good}");
            let mut bad = good.replacen('1', "2", 1);
            assert!(!iban(bad.as_bytes()), "{bad}");
            bad.insert(3, '\u{e9}');
            assert!(!iban(bad.as_bytes()), "{bad}");
        }
        assert!(!iban(b"GB"));
    }
}
