//! What commands really did, for whoever checks that none was done twice: nothing of it is told on
//! the wire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_domain::{CallId, CommandId};

/// Commands that are counted at most: beyond it [`EffectCount::uncounted`] tells how many are not.
/// A day of runs against 300 calls has some ten thousand.
pub const EFFECTS_MAX: usize = 65_536;

/// A count of effects that its owner can read while the platform runs.
#[derive(Debug, Clone, Default)]
pub struct EffectCount(Arc<Mutex<Counted>>);

/// What one command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// On which call; None on the whole platform.
    pub call: Option<CallId>,
    /// How often the platform was asked, whether or not that had an effect.
    pub asked: u32,
    /// How often it was carried out: whatever the hub sends, never more than once.
    pub times: u32,
}

#[derive(Debug, Default)]
struct Counted {
    effects: BTreeMap<CommandId, Effect>,
    uncounted: u64,
}

impl EffectCount {
    /// Everything that was counted so far.
    pub fn all(&self) -> BTreeMap<CommandId, Effect> {
        self.lock().effects.clone()
    }

    /// How many commands came after [`EFFECTS_MAX`].
    pub fn uncounted(&self) -> u64 {
        self.lock().uncounted
    }

    /// A command came.
    pub(crate) fn asked(&self, id: &CommandId, call: Option<&CallId>) {
        let mut counted = self.lock();
        if let Some(effect) = counted.effects.get_mut(id) {
            effect.asked += 1;
        } else if counted.effects.len() < EFFECTS_MAX {
            let call = call.cloned();
            let (asked, times) = (1, 0);
            let effect = Effect { call, asked, times };
            counted.effects.insert(id.clone(), effect);
        } else {
            counted.uncounted += 1;
        }
    }

    /// A command was carried out.
    pub(crate) fn done(&self, id: &CommandId) {
        if let Some(effect) = self.lock().effects.get_mut(id) {
            effect.times += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_it_is_told_what_is_not_counted() {
        let count = EffectCount::default();
        for n in 0..EFFECTS_MAX + 2 {
            count.asked(&CommandId::new(format!("c-{n}")), None);
        }
        let first = CommandId::new("c-0");
        count.asked(&first, None);
        count.done(&first);
        assert_eq!(count.uncounted(), 2);
        let all = count.all();
        assert_eq!(all.len(), EFFECTS_MAX);
        assert_eq!((all[&first].asked, all[&first].times), (2, 1));
    }
}
