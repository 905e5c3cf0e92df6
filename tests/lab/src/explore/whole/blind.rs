//! The hub is kept from its work, or its clock is set.

use holdfast_domain::Timestamp;
use holdfast_hub::Peer;
use rand::Rng;

use super::{Due, Whole};
use crate::Wrong;

/// The hub does nothing for a while: it is busy, starved, or its machine sleeps.
#[derive(Debug)]
pub(super) struct Stuck {
    until: Timestamp,
    waiting: Vec<Waiting>,
}

/// A frame that arrived meanwhile.
#[derive(Debug)]
struct Waiting {
    line: usize,
    peer: Peer,
    text: String,
    sequences: Vec<(u64, bool)>,
    arrived: Timestamp,
}

impl Stuck {
    pub(super) const fn until(&self) -> Timestamp {
        self.until
    }
}

impl Whole {
    pub(super) fn go_blind(&mut self) -> Result<(), Wrong> {
        match self.rng.random_range(0..4) {
            0 => {
                let ahead_ms = self.rng.random_range(-4_000_000..4_000_000);
                self.hub()?.set_wall(ahead_ms);
            }
            1 => self.gets_stuck(100..1_000),
            2 => self.gets_stuck(1_000..2_000),
            _ => self.gets_stuck(2_000..20_000),
        }
        Ok(())
    }

    fn gets_stuck(&mut self, ms: std::ops::Range<i64>) {
        let ms = self.rng.random_range(ms);
        self.stuck = Some(Stuck {
            until: self.now + ms,
            waiting: Vec::new(),
        });
        self.schedule(ms, Due::Wake);
    }

    /// What is due now, or None if it has to wait for the hub.
    pub(super) fn unless_stuck(&mut self, due: Due) -> Option<Due> {
        let Some(stuck) = &mut self.stuck else {
            return Some(due);
        };
        match due {
            Due::ToHub(line, peer, text, sequences) => {
                if self.peers[line] == Some(peer) {
                    stuck.waiting.push(Waiting {
                        line,
                        peer,
                        text,
                        sequences,
                        arrived: self.now,
                    });
                }
                None
            }
            Due::Connect(_) | Due::Habit(_) => {
                let after = stuck.until.since(self.now);
                self.schedule(after, due);
                None
            }
            Due::ToPlatform(..) | Due::Wake => Some(due),
        }
    }

    /// The hub goes on: what waited for it is taken first.
    pub(super) fn wake(&mut self) -> Result<(), Wrong> {
        let Some(stuck) = self.stuck.take() else {
            return Ok(());
        };
        let mut waited = Vec::new();
        for frame in stuck.waiting {
            for sequence in frame.sequences {
                self.orders[frame.line].judge(sequence);
            }
            waited.push((frame.peer, frame.text, frame.arrived));
        }
        let now = self.now;
        self.hub()?.wake(now, waited);
        Ok(())
    }
}
