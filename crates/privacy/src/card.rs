//! Whose number a card's number can be.

use crate::checksum::luhn;

/// The fewest digits of a card's number.
pub(crate) const DIGITS_MIN: usize = 13;

/// The most digits of a card's number.
pub(crate) const DIGITS_MAX: usize = 19;

/// From which to which first digits an issuer's numbers go, and how long they are.
struct Range {
    from: u32,
    to: u32,
    lengths: &'static [usize],
}

const fn range(from: u32, to: u32, lengths: &'static [usize]) -> Range {
    Range { from, to, lengths }
}

const LONG: &[usize] = &[16, 17, 18, 19];
const MAESTRO: &[usize] = &[13, 14, 15, 16, 17, 18, 19];
const DINERS: &[usize] = &[14, 16, 17, 18, 19];

/// Issuers by their first digits, padded to six with zeros and nines.
const RANGES: &[Range] = &[
    range(400_000, 499_999, &[13, 16, 19]), // Visa
    range(510_000, 559_999, &[16]),         // Mastercard
    range(222_100, 272_099, &[16]),         // Mastercard
    range(340_000, 349_999, &[15]),         // American Express
    range(370_000, 379_999, &[15]),         // American Express
    range(300_000, 305_999, DINERS),        // Diners Club
    range(309_500, 309_599, DINERS),        // Diners Club
    range(360_000, 369_999, DINERS),        // Diners Club
    range(380_000, 399_999, DINERS),        // Diners Club
    range(352_800, 358_999, LONG),          // JCB
    range(601_100, 601_199, LONG),          // Discover
    range(644_000, 659_999, LONG),          // Discover
    range(620_000, 629_999, LONG),          // UnionPay
    range(810_000, 819_999, LONG),          // UnionPay, RuPay
    range(220_000, 220_499, LONG),          // Mir
    range(508_000, 508_999, &[16]),         // RuPay
    range(606_282, 606_282, &[16]),         // Hipercard
    range(979_200, 979_299, &[16]),         // Troy
    range(506_099, 506_198, &[16, 18, 19]), // Verve
    range(500_000, 509_999, MAESTRO),       // Maestro, Dankort, Elo
    range(560_000, 589_999, MAESTRO),       // Maestro
    range(600_000, 619_999, MAESTRO),       // Maestro, RuPay
    range(630_000, 639_999, MAESTRO),       // Maestro, Elo
    range(670_000, 679_999, MAESTRO),       // Maestro
];

/// True when an issuer has such numbers.
pub(crate) fn is_issued(digits: &[u8]) -> bool {
    head(digits).is_some_and(|head| {
        RANGES.iter().any(|range| {
            (range.from..=range.to).contains(&head) && range.lengths.contains(&digits.len())
        })
    })
}

/// True when it is a card's number: an issuer's, and without a wrong digit.
pub(crate) fn is_number(digits: &[u8]) -> bool {
    is_issued(digits) && luhn(digits)
}

/// True when a card's number can begin so. At least four digits tell.
pub(crate) fn can_begin(digits: &[u8]) -> bool {
    if digits.len() < 4 || digits.len() > DIGITS_MAX {
        return false;
    }
    let shown = digits.len().min(6);
    let low = number(&digits[..shown]) * 10_u32.pow((6 - shown) as u32);
    let high = low + 10_u32.pow((6 - shown) as u32) - 1;
    RANGES
        .iter()
        .any(|range| low <= range.to && high >= range.from)
}

fn head(digits: &[u8]) -> Option<u32> {
    digits.get(..6).map(number)
}

fn number(digits: &[u8]) -> u32 {
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + u32::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    #[test]
    fn the_networks_own_test_numbers_are_cards() {
        for good in [
            "4111111111111111",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "30569309025904",
            "36227206271667",
            "3530111333300000",
            "6011111111111117",
            "6200000000000005",
        ] {
            assert!(is_number(&digits(good)), "{good}");
            assert!(can_begin(&digits(&good[..8])), "{good}");
        }
    }

    #[test]
    fn a_wrong_digit_length_or_issuer_is_no_card() {
        for bad in [
            "4111111111111112",
            "411111111111111",
            "1234567812345670",
            "411",
        ] {
            assert!(!is_number(&digits(bad)), "{bad}");
        }
        assert!(!can_begin(&digits("1234")));
        assert!(!can_begin(&digits("411")));
    }
}
