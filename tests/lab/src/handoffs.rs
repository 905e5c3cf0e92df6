//! Floors on which everything fails while calls go to humans: the AI engine, the bridge, the hub,
//! consoles, agents who refuse, callers who hang up. No handoff may be lost on the way.
//!
//! The whole hub runs in virtual time on its own journal, beside a simulated platform; a crash is
//! the power going. Time, randomness and order are inputs: a seed gives the same floor again.

mod floor;
mod judge;

use holdfast_domain::Timestamp;

use self::floor::Floor;

const BEGAN: Timestamp = Timestamp::from_millis(1_780_000_000_000);
/// How long things fail, and how long it is calm afterwards, until everything is decided.
const WILD_MS: i64 = 90_000;
const CALM_MS: i64 = 100_000;

/// What became of the handoffs of one floor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Handoffs that somebody was told of.
    pub handoffs: u64,
    /// Of them those after which a human was confirmed on the call.
    pub confirmed: u64,
    /// Of them those that ended otherwise, with their next step.
    pub failed: u64,
    /// Of them those that nobody knows any more, or that stood still though humans were free.
    pub lost: u64,
    /// Parts of cards that were missing, and no gap said so.
    pub unmarked: u64,
    /// Live calls with neither the AI nor a human nor a handoff.
    pub stateless: u64,
    /// How often the hub's power went.
    pub crashes: u64,
    /// What was wrong first, in a sentence.
    pub example: Option<String>,
}

impl Outcome {
    /// Takes another floor in.
    pub fn add(&mut self, other: &Self) {
        self.handoffs += other.handoffs;
        self.confirmed += other.confirmed;
        self.failed += other.failed;
        self.lost += other.lost;
        self.unmarked += other.unmarked;
        self.stateless += other.stateless;
        self.crashes += other.crashes;
        if self.example.is_none() {
            self.example.clone_from(&other.example);
        }
    }

    fn wrong(&mut self, what: impl FnOnce() -> String) {
        if self.example.is_none() {
            self.example = Some(what());
        }
    }
}

/// One floor, from its seed.
pub fn floor(seed: u64) -> anyhow::Result<Outcome> {
    let mut floor = Floor::start(seed)?;
    floor.run_until(BEGAN + WILD_MS)?;
    floor.mend_everything()?;
    floor.run_until(BEGAN + WILD_MS + CALM_MS)?;
    floor.judge_end();
    Ok(floor.outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_handoff_is_lost_whatever_fails() {
        let mut sum = Outcome::default();
        for seed in 1..=2 {
            sum.add(&floor(seed).expect("it runs"));
        }
        assert_eq!(
            (sum.lost, sum.unmarked, sum.stateless, sum.example.clone()),
            (0, 0, 0, None),
            "{sum:?}"
        );
        assert!(sum.confirmed > 0 && sum.failed > 0, "{sum:?}");
        assert!(sum.crashes > 2, "{sum:?}");
    }

    #[test]
    fn a_seed_gives_the_same_floor_again() {
        assert_eq!(floor(2).expect("it runs"), floor(2).expect("it runs"));
    }
}
