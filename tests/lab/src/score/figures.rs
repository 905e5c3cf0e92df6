//! Counts as figures: shares, percentiles, and what a day would bring.

use std::collections::BTreeMap;

use holdfast_domain::DurationMs;
use serde_json::{Map, Value, json};

use super::judge::{Blamed, Tally};

const DAY_MS: f64 = 86_400_000.0;

/// The figures of a tally. None where there was nothing to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Right layers among harmed calls.
    pub layer_accuracy: Option<f64>,
    /// Right groups among groups.
    pub cause_precision: Option<f64>,
    /// Causes found among causes that harmed five calls.
    pub cause_recall: Option<f64>,
    /// Median delay of an alarm.
    pub delay_ms_p50: Option<DurationMs>,
    /// 95 of 100 alarms came within this delay.
    pub delay_ms_p95: Option<DurationMs>,
    /// False alarms in a day, from the time that was listened.
    pub false_alarms_per_day: Option<f64>,
}

impl Figures {
    /// The figures of a tally.
    pub fn of(tally: &Tally) -> Self {
        let false_alarms = tally.false_groups + tally.false_levels;
        let days = tally.simulated_ms as f64 / DAY_MS;
        Self {
            layer_accuracy: share(tally.layer_right, tally.harmed),
            cause_precision: share(tally.groups_right, tally.groups),
            cause_recall: share(tally.causes_found, tally.causes),
            delay_ms_p50: percentile(&tally.delays_ms, 50),
            delay_ms_p95: percentile(&tally.delays_ms, 95),
            false_alarms_per_day: (days > 0.0).then(|| false_alarms as f64 / days),
        }
    }

    /// The keys that every score of diagnosis has.
    pub fn keys(&self) -> Map<String, Value> {
        let Self {
            layer_accuracy,
            cause_precision,
            cause_recall,
            delay_ms_p50,
            delay_ms_p95,
            false_alarms_per_day,
        } = self;
        [
            ("layer_accuracy", json!(layer_accuracy)),
            ("cause_precision", json!(cause_precision)),
            ("cause_recall", json!(cause_recall)),
            ("delay_ms_p50", json!(delay_ms_p50)),
            ("delay_ms_p95", json!(delay_ms_p95)),
            ("false_alarms_per_day", json!(false_alarms_per_day)),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }
}

impl Tally {
    /// The keys of its figures, and the counts behind them.
    pub fn told(&self) -> Value {
        let mut keys = Figures::of(self).keys();
        let blamed = told_blamed(self.blamed.iter().map(|(blamed, n)| (Some(*blamed), *n)));
        let false_blamed = told_blamed(self.false_blamed.iter().map(|(blamed, n)| (*blamed, *n)));
        let counts = json!({
            "harmed": self.harmed,
            "layer_right": self.layer_right,
            "missed": self.missed,
            "blamed": blamed,
            "causes": self.causes,
            "causes_found": self.causes_found,
            "cause_delay_ms_p50": percentile(&self.cause_delays_ms, 50),
            "cause_delay_ms_p95": percentile(&self.cause_delays_ms, 95),
            "groups": self.groups,
            "groups_right": self.groups_right,
            "wrong_groups": self.wrong_groups,
            "false_groups": self.false_groups,
            "false_levels": self.false_levels,
            "false_blamed": false_blamed,
            "simulated_hours": self.simulated_ms as f64 / 3_600_000.0,
        });
        if let Value::Object(counts) = counts {
            keys.extend(counts);
        }
        Value::Object(keys)
    }
}

fn told_blamed(blamed: impl Iterator<Item = (Option<Blamed>, u64)>) -> BTreeMap<String, u64> {
    blamed
        .map(|(blamed, count)| {
            let words = match blamed {
                None => "no layer".to_owned(),
                Some((layer, None)) => layer.as_str().to_owned(),
                Some((layer, Some(kind))) => format!("{} {kind:?}", layer.as_str()),
            };
            (words, count)
        })
        .collect()
}

/// A share; None of nothing.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The smallest value that `percent` of 100 values do not exceed; None of nothing.
pub fn percentile<T: Copy + Ord>(values: &[T], percent: usize) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<i64> = (1..=100).rev().collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 95), Some(95));
        assert_eq!(percentile(&hundred, 100), Some(100));
        assert_eq!(percentile(&[7], 5), Some(7));
        assert_eq!(percentile::<i64>(&[], 50), None);
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        let figures = Figures::of(&Tally::default());
        assert!(
            figures.keys().values().all(Value::is_null),
            "{:?}",
            figures.keys()
        );
    }

    #[test]
    fn false_alarms_are_told_for_a_day() {
        let tally = Tally {
            false_groups: 1,
            false_levels: 2,
            simulated_ms: 43_200_000,
            ..Tally::default()
        };
        assert_eq!(Figures::of(&tally).false_alarms_per_day, Some(6.0));
    }
}
