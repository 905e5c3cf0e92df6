//! Moments on the wire: RFC 3339, written in UTC with milliseconds.

use std::borrow::Cow;
use std::fmt;

use holdfast_domain::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, as RFC 3339 on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

/// The milliseconds of 0000-01-01, because RFC 3339 has four digits for a year, and of the last
/// moment that jiff can hold, in the last days of 9999.
const MILLIS_MIN: i64 = -62_167_219_200_000;
const MILLIS_MAX: i64 = 253_402_207_200_000;

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}", Rfc3339(self.0)))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MomentVisitor;

        impl Visitor<'_> for MomentVisitor {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment as RFC 3339")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
                parse(text)
                    .map(Moment)
                    .ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
            }
        }

        deserializer.deserialize_str(MomentVisitor)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Writes a moment. One outside [`MILLIS_MIN`] to [`MILLIS_MAX`] is written as the nearest within.
struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis().clamp(MILLIS_MIN, MILLIS_MAX);
        let moment = jiff::Timestamp::from_millisecond(millis)
            .expect("four-digit years are within what jiff can hold");
        write!(f, "{moment:.3}")
    }
}

/// Reads RFC 3339: our own form by hand, every other one with jiff.
fn parse(text: &str) -> Option<Timestamp> {
    let millis = match parse_millis_utc(text.as_bytes()) {
        Some(millis) => millis,
        None => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
    };
    (MILLIS_MIN..=MILLIS_MAX)
        .contains(&millis)
        .then(|| Timestamp::from_millis(millis))
}

/// Reads `YYYY-MM-DDTHH:MM:SS.mmmZ`, which is what bridges are asked to write.
fn parse_millis_utc(text: &[u8]) -> Option<i64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let separators = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (23, b'Z'),
    ];
    if separators.iter().any(|&(at, byte)| text[at] != byte) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        text[range].iter().try_fold(0_i64, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i64::from(byte - b'0'))
        })
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let millis = number(20..23)?;
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None; // also a leap second: jiff knows what to do with it
    }
    if day < 1 || day > days_of(year, month) {
        return None;
    }
    let days = days_since_epoch(year, month, day);
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000 + millis)
}

/// How many days a month has.
const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01. The year is taken to begin in March, so that the leap day is its last and
/// the lengths of the months before it follow one line: (153 m + 2) / 5.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month > 2 { year } else { year - 1 };
    let march_month = (month + 9) % 12;
    let leap_days =
        march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    march_year * 365 + leap_days + (153 * march_month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_of_rfc_3339_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00.5+01:00", 500),
            ("2026-11-24T10:00:00.120Z", 1_795_514_400_120),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
        ] {
            assert_eq!(parse(text), Some(Timestamp::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00.000Z",
            "2026-02-30T00:00:00.000Z",
            "2025-02-29T00:00:00.000Z",
            "2026-11-24T24:00:00.000Z",
            "2026-11-24T10:00:00.120",
            "2026-11-24",
            "1795514400120",
            "2026-11-24T10:00:0\u{661}.00Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn moments_out_of_range_are_written_as_the_nearest() {
        let write = |millis| Rfc3339(Timestamp::from_millis(millis)).to_string();
        assert_eq!(write(i64::MAX), "9999-12-30T22:00:00.000Z");
        assert_eq!(write(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(write(-1), "1969-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_by_hand_and_as_jiff_reads_it(
            millis in MILLIS_MIN..=MILLIS_MAX,
        ) {
            let text = Rfc3339(Timestamp::from_millis(millis)).to_string();
            let by_hand = parse_millis_utc(text.as_bytes());
            prop_assert_eq!(by_hand, Some(millis), "{}", text);
            let jiff: jiff::Timestamp = text.parse().unwrap();
            prop_assert_eq!(jiff.as_millisecond(), millis);
        }
    }
}
