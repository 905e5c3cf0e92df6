//! Worlds whose hub cannot see: it is behind, its machine sleeps, its clock is set.

use holdfast_domain::{BlindReason, LayerState, SignalKind, Timestamp};
use holdfast_engine::{Control, Effect, Entry};
use rand::Rng;

use crate::model::Model;
use crate::world::{Due, Told, World};
use crate::{Wrong, wrong};

/// The hub sees again after it kept up for this long.
const KEEPS_UP_MS: std::ops::Range<i64> = 1_000..2_500;

impl World {
    /// The hub cannot see from now on, or goes to sleep.
    pub(crate) fn go_blind(&mut self) -> Result<(), Wrong> {
        match self.rng.random_range(0..3) {
            0 => {
                // What bridges say lies in front of it for a while.
                let until = self.now + self.rng.random_range(1_000..15_000);
                for line in &mut self.lines {
                    line.hold_up(until);
                }
                self.cannot_see(BlindReason::OwnLag)?;
                self.will_see(until);
            }
            1 => {
                self.cannot_see(BlindReason::ClockJump)?;
                self.will_see(self.now);
            }
            _ => {
                let until = self.now + self.rng.random_range(2_000..300_000);
                self.asleep_until = Some(until);
                self.schedule(until, Due::Wake);
            }
        }
        Ok(())
    }

    /// The hub wakes; what waited for it is taken in after it knows that it slept.
    pub(crate) fn wake(&mut self) -> Result<(), Wrong> {
        self.asleep_until = None;
        self.cannot_see(BlindReason::Suspended)?;
        self.will_see(self.now);
        Ok(())
    }

    pub(crate) fn cannot_see(&mut self, reason: BlindReason) -> Result<(), Wrong> {
        let since = self.engine.judged_until();
        self.tell(Told::Control(Control::Blind { reason, since }))?;
        Ok(())
    }

    fn will_see(&mut self, from: Timestamp) {
        let at = from + self.rng.random_range(KEEPS_UP_MS);
        self.sees_at = self.sees_at.max(at);
        self.schedule(at, Due::Sees);
    }

    /// The hub has kept up, unless something else kept it from seeing meanwhile.
    pub(crate) fn keeps_up(&mut self) -> Result<(), Wrong> {
        if self.now >= self.sees_at {
            self.tell(Told::Control(Control::Sees))?;
        }
        Ok(())
    }
}

/// No alarm that depends on time dates from a time that nobody saw.
pub(crate) fn check_seen(effect: &Effect, model: &Model) -> Result<(), Wrong> {
    let Effect::Append(Entry::Transition {
        to: LayerState::Degraded | LayerState::Failed,
        evidence: Some(evidence),
        call,
        ..
    }) = effect
    else {
        return Ok(());
    };
    let depends_on_time = matches!(
        evidence.kind,
        SignalKind::DeadAir
            | SignalKind::UnansweredTurn
            | SignalKind::Expectation
            | SignalKind::Ghost
            | SignalKind::StaleFeed
    );
    if depends_on_time && model.is_unseen(evidence.at) {
        return wrong(format!(
            "{call} is judged by a time that nobody saw: {evidence:?}"
        ));
    }
    Ok(())
}
