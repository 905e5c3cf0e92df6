//! Published examples of each number, and that a wrong character makes it none.

use super::*;

fn values(text: &str) -> Vec<u8> {
    text.bytes().map(|byte| byte - b'0').collect()
}

fn is_number(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        is_digits(&values(text), &[text.len()], true)
    } else {
        is_letters(text.as_bytes(), &[text.len()], true)
    }
}

#[test]
fn published_examples_are_numbers() {
    for good in [
        "078051120",          // US
        "912701234",          // US, taxpayer
        "046454286",          // CA
        "111222333",          // NL
        "123456789",          // PT
        "123456782",          // AU
        "9434765919",         // UK, NHS
        "8112189876",         // SE
        "86095742719",        // DE
        "52998224725",        // BR, person
        "11222333000181",     // BR, firm
        "44051401359",        // PL
        "93051822361",        // BE
        "10000000146",        // TR
        "234123412346",       // IN
        "123456789018",       // JP
        "8001015009087",      // ZA
        "7569217076985",      // CH
        "255081416802538",    // FR
        "11010519491231002X", // CN
        "12345678Z",          // ES
        "X1234567L",          // ES, foreigner
        "AB123456C",          // UK
        "1234567T",           // IE
        "1234567FA",          // IE
        "S1234567D",          // SG
        "ABCPE1234F",         // IN, tax
        "131052308T",         // FI
        "RSSMRA85T10A562S",   // IT
        "HEGG560427MVZRRL04", // MX
        "10000013K",          // CL
    ] {
        assert!(is_number(good), "{good}");
    }
}

#[test]
fn a_wrong_character_makes_it_none() {
    for (good, bad) in [
        ("86095742719", "86095742718"),
        ("52998224725", "52998224726"),
        ("44051401359", "44051401358"),
        ("255081416802538", "255081416802539"),
        ("12345678Z", "12345678A"),
        ("X1234567L", "Y1234567L"),
        ("1234567T", "1234567U"),
        ("RSSMRA85T10A562S", "RSSMRA85T10A562T"),
        ("HEGG560427MVZRRL04", "HEGG560427MVZRRL05"),
        ("7569217076985", "7579217076985"),
        ("AB123456C", "AB123456E"),
        ("AB123456C", "DB123456C"),
    ] {
        assert!(is_number(good) && !is_number(bad), "{bad}");
    }
}

#[test]
fn a_weak_number_is_none_without_a_word_or_its_grouping() {
    assert!(is_digits(&values("078051120"), &[3, 2, 4], false));
    assert!(!is_digits(&values("078051120"), &[9], false));
    assert!(!is_digits(&values("123456789"), &[3, 3, 3], false));
    assert!(!is_digits(&values("666051120"), &[3, 2, 4], false));
    assert!(!is_digits(&values("078001120"), &[3, 2, 4], false));
}
