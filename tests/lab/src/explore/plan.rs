//! What a seed stands for: how large its world is, and in which ways it misbehaves.

use std::collections::BTreeSet;
use std::fmt;

use clap::ValueEnum;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One way in which the world misbehaves. Each can be left out, so that a failure can be narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Habit {
    /// Faults of the platforms begin and end.
    Faults,
    /// Frames are lost, doubled, held up and swapped.
    Line,
    /// Connections break, and bridges start anew under new epochs.
    Reconnects,
    /// Clocks of bridges and of the hub jump.
    Clocks,
    /// Bridges tell what cannot be.
    Nonsense,
    /// People act, and humans take calls or do not.
    People,
    /// Answers are lost, doubled, or say that it failed.
    Answers,
    /// The hub comes up again from a checkpoint and what was written down since.
    Restarts,
    /// Nobody does anything for an hour and longer.
    Sleep,
    /// The hub cannot see: it is behind, its machine sleeps, its clock is set.
    Blind,
}

impl Habit {
    pub(crate) const ALL: [Self; 10] = [
        Self::Faults,
        Self::Line,
        Self::Reconnects,
        Self::Clocks,
        Self::Nonsense,
        Self::People,
        Self::Answers,
        Self::Restarts,
        Self::Sleep,
        Self::Blind,
    ];
}

impl fmt::Display for Habit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", format!("{self:?}").to_ascii_lowercase())
    }
}

/// One world, wholly decided by its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) bridges: usize,
    /// Concurrent calls of each bridge.
    pub(crate) calls: usize,
    /// How many steps it lives.
    pub(crate) steps: u64,
    pub(crate) habits: BTreeSet<Habit>,
    /// A whole hub lives in it, not an engine alone.
    pub(crate) is_whole: bool,
}

impl Plan {
    /// The world of a seed. Most worlds have most habits, because failures come from their meeting.
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let has = |_: &Habit| rng.random_bool(0.75);
        let (blind, others) = Habit::ALL.split_last().expect("there are habits");
        let mut habits: BTreeSet<Habit> = others.iter().copied().filter(has).collect();
        let (bridges, calls) = (rng.random_range(1..=3), rng.random_range(1..=5));
        let steps = rng.random_range(500..3_000);
        // Last, and rarer: a hub that sees finds more.
        habits.extend(rng.random_bool(0.5).then_some(*blind));
        Self {
            seed,
            bridges,
            calls,
            steps,
            habits,
            // A world with a disk in it is slower, so there are fewer of them.
            is_whole: seed % 4 == 3,
        }
    }

    pub(crate) fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }
}
