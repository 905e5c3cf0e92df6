//! What repeats over many calls of a queue: requests for a human, and ends soon after a fault.
//!
//! The requests of each hour of the day (UTC) are averaged over the days. Few requests in an hour
//! follow a Poisson distribution, so an hour drifts when so many are too unlikely by chance.
//! Deliberately absent: causes. That more callers want a human says only that something is wrong.

use std::collections::BTreeMap;

use holdfast_domain::{CallId, Layer, LayerState, SignalKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calls::evidence;
use crate::{Engine, words};

const HOUR_MS: i64 = 3_600_000;
/// The most queues that are remembered; a large platform has some dozens.
const QUEUES_MAX: usize = 256;
/// An hour is compared once it was seen on so many days.
const DAYS_MIN: u8 = 3;
/// The newest day counts one in so many: a week ago still counts a little.
const DAYS_AVERAGED: i64 = 4;
/// After so many hours without a request nobody knows whether any were missed.
const HOURS_UNSEEN_MAX: i64 = 24;
/// So unlikely must an hour be: one false alarm in a year of hours of one queue (8,760) and less.
const CHANCE_MAX: f64 = 1e-4;
/// Some quiet days do not prove that nobody ever asks: half a request an hour is always usual.
const USUAL_MIN: f64 = 0.5;

/// What is known of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePattern {
    /// The queue.
    pub queue: String,
    /// Requests for a human in the hour of the newest one.
    pub asked: u32,
    /// Usual requests in that hour of the day, in thousandths; None before three days.
    pub usual_thousandths: Option<i64>,
    /// So many are too unlikely by chance.
    pub drifts: bool,
    /// Calls that ended soon after a fault, since the beginning.
    pub ended_abruptly: u64,
}

/// All queues.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Patterns {
    queues: BTreeMap<String, Queue>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Queue {
    /// The hour of the newest request, since the epoch.
    hour: i64,
    asked: u32,
    /// By hour of the day: the average in thousandths, and over how many days.
    usual: [(i64, u8); 24],
    ended_abruptly: u64,
}

impl Patterns {
    fn queue(&mut self, name: &str) -> Option<&mut Queue> {
        if !self.queues.contains_key(name) {
            if self.queues.len() == QUEUES_MAX {
                return None;
            }
            self.queues.insert(name.to_owned(), Queue::default());
        }
        self.queues.get_mut(name)
    }

    fn read(&self) -> impl Iterator<Item = QueuePattern> {
        self.queues.iter().map(|(name, queue)| QueuePattern {
            queue: name.clone(),
            asked: queue.asked,
            usual_thousandths: queue.usual(),
            drifts: queue.drifts(),
            ended_abruptly: queue.ended_abruptly,
        })
    }
}

impl Queue {
    fn asked(&mut self, at: Timestamp) {
        let hour = at.as_millis().div_euclid(HOUR_MS);
        if self.asked > 0 && hour > self.hour {
            self.learn(self.hour, self.asked);
            if hour - self.hour <= HOURS_UNSEEN_MAX {
                for quiet in self.hour + 1..hour {
                    self.learn(quiet, 0);
                }
            }
            self.asked = 0;
        }
        self.hour = self.hour.max(hour);
        self.asked = self.asked.saturating_add(1);
    }

    fn learn(&mut self, hour: i64, asked: u32) {
        let (usual, days) = &mut self.usual[hour_of_day(hour)];
        let asked = i64::from(asked) * 1_000;
        // The first days are averaged evenly, so that the very first one weighs no more.
        let share = i64::from(*days + 1).min(DAYS_AVERAGED);
        *usual += (asked - *usual) / share;
        *days = days.saturating_add(1).min(u8::MAX - 1);
    }

    fn usual(&self) -> Option<i64> {
        let (usual, days) = self.usual[hour_of_day(self.hour)];
        (days >= DAYS_MIN).then_some(usual)
    }

    fn drifts(&self) -> bool {
        self.usual().is_some_and(|usual| {
            let usual = (usual as f64 / 1_000.0).max(USUAL_MIN);
            chance(self.asked, usual) < CHANCE_MAX
        })
    }
}

const fn hour_of_day(hour: i64) -> usize {
    hour.rem_euclid(24) as usize
}

/// How likely `asked` or more are where `usual` are expected.
fn chance(asked: u32, usual: f64) -> f64 {
    // Beyond this the terms below are too small for numbers; four deviations are as unlikely.
    if usual > 500.0 {
        let is_rare = f64::from(asked) > 4.0_f64.mul_add(usual.sqrt(), usual);
        return if is_rare { 0.0 } else { 1.0 };
    }
    let mut term = (-usual).exp();
    let mut fewer = 0.0;
    for n in 1..=asked {
        fewer += term;
        if f64::from(n) > usual && term < 1e-12 {
            break;
        }
        term *= usual / f64::from(n);
    }
    (1.0 - fewer).max(0.0)
}

impl Engine {
    /// What is known of the queues, in the order of their names.
    pub fn queue_patterns(&self) -> Vec<QueuePattern> {
        self.patterns.read().collect()
    }

    /// A call ends soon after a fault.
    pub(crate) fn ended_abruptly(&mut self, id: &CallId) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        if let Some(queue) = self.patterns.queue(&call.dialogue.queue) {
            queue.ended_abruptly = queue.ended_abruptly.saturating_add(1);
        }
    }

    /// A call that the AI serves asks for a human. When too many do, this call says so.
    pub(crate) fn human_asked(&mut self, id: &CallId, event: &str, at: Timestamp) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        if !call.ai_serves() || call.handoff.is_some() {
            return;
        }
        let name = call.dialogue.queue.clone();
        let Some(queue) = self.patterns.queue(&name) else {
            return;
        };
        queue.asked(at);
        if !queue.drifts() {
            return;
        }
        let usual = queue.usual().unwrap_or_default();
        let text = format!(
            "callers of {} want a human: {} asked within this hour, usual are {}.{}",
            words::clip(&name, 60),
            queue.asked,
            usual / 1_000,
            usual % 1_000 / 100,
        );
        let events = vec![holdfast_domain::EventId::new(event)];
        let found = evidence(SignalKind::EscalationDrift, text, at, events);
        let layer = Layer::Orchestration;
        call.raise(layer, LayerState::Degraded, found, &mut self.notes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_that_of_poisson() {
        assert!((chance(0, 2.0) - 1.0).abs() < 1e-9);
        assert!((chance(1, 2.0) - 0.864_664_7).abs() < 1e-6);
        assert!((chance(9, 2.0) - 0.000_237_4).abs() < 1e-6);
        assert!(chance(10, 2.0) < CHANCE_MAX);
        assert!(chance(1_100, 1_000.0) > CHANCE_MAX);
        assert!(chance(1_200, 1_000.0) < CHANCE_MAX);
    }

    #[test]
    fn an_hour_is_compared_with_the_same_hour_of_other_days() {
        let at = |day: i64, hour: i64| Timestamp::from_millis((day * 24 + hour) * HOUR_MS);
        let mut queue = Queue::default();
        for day in 0..4 {
            for _ in 0..2 {
                queue.asked(at(day, 9));
            }
            for _ in 0..20 {
                queue.asked(at(day, 17));
            }
            assert!(!queue.drifts(), "day {day}");
        }
        for _ in 0..9 {
            queue.asked(at(4, 9));
            assert!(!queue.drifts());
        }
        queue.asked(at(4, 9));
        assert_eq!((queue.usual(), queue.drifts()), (Some(2_000), true));
        for _ in 0..20 {
            queue.asked(at(4, 17));
        }
        assert!(!queue.drifts(), "20 are usual in the evening");
        queue.asked(at(40, 9));
        assert!(!queue.drifts());
    }
}
