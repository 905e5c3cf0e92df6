//! When what is known of services, vendors and workers grows old.

use holdfast_domain::Timestamp;

use crate::Engine;
use crate::timers::TimerKey;

impl Engine {
    /// When the first of it is too old.
    fn watch_deadline(&self) -> Option<Timestamp> {
        let limits = &self.config.fault_rate;
        let deadlines = [
            self.rates.deadline(limits),
            self.beats.deadline(&self.config.beats),
            self.learnt.slow_deadline(limits.forget_ms),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub(crate) fn arm_watch(&mut self) {
        let deadline = self.watch_deadline();
        let queued = &mut self.watch_queued;
        self.timers.arm(|| TimerKey::Watch, deadline, queued);
    }

    pub(crate) fn fire_watch(&mut self, due: Timestamp) {
        self.watch_queued.pop(due);
        if self.watch_deadline().is_some_and(|at| at <= due) {
            self.pass_to(due);
            self.forget_rates();
            self.forget_beats();
            self.forget_slow();
        }
        self.arm_watch();
    }
}
