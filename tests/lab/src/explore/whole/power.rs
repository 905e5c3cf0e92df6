//! The power goes, and the hub comes up from its journal.

use std::collections::BTreeSet;

use holdfast_domain::{BlindReason, CommandId, Record};
use holdfast_engine::{Control, Engine, Input};
use holdfast_hub::{HubConfig, VirtualHub};
use holdfast_protocol::console::{Identity, Role};
use rand::Rng;

use super::{Due, Whole};
use crate::plan::Habit;
use crate::world::{difference, serialize};
use crate::{Wrong, wrong};

/// Inputs between two checkpoints in every second world: few, so that a hub also comes up from a
/// checkpoint and what followed. The others come up from the first input of all.
const CHECKPOINT_INPUTS: u64 = 150;

impl Whole {
    pub(super) fn start(&mut self) -> Result<(), Wrong> {
        self.runs += 1;
        let mut config = HubConfig::loopback(self.data.path(), Vec::new());
        if (self.plan.seed >> 4).is_multiple_of(2) {
            config.limits.checkpoint_inputs = CHECKPOINT_INPUTS;
        }
        let hub = VirtualHub::start(config, &format!("run-{}", self.runs), self.now);
        let hub = hub.map_err(|error| Wrong(format!("the hub does not come up: {error}")))?;
        self.hub = Some(hub);
        Ok(())
    }

    /// The power goes, and is back at once or after a while. If `is_settled`, everything is on the
    /// disk by then, and the hub that comes up is the same to the byte.
    pub(super) fn crash(&mut self, is_settled: bool) -> Result<(), Wrong> {
        let is_long = self.plan.has(Habit::Blind) && self.rng.random_bool(0.5);
        let down_ms = if is_long {
            self.rng.random_range(0..120_000)
        } else {
            0
        };
        let expected = if is_settled {
            Some(self.settled(down_ms)?)
        } else {
            None
        };
        self.now = self.now + down_ms;
        if let Some(hub) = self.hub.take() {
            hub.crash();
        }
        self.console = None;
        // What was on its way is gone with its connection.
        self.agenda
            .retain(|_, due| !matches!(due, Due::ToHub(..) | Due::ToPlatform(..)));
        self.start()?;
        for n in 0..self.lines.len() {
            self.peers[n] = None;
            self.lines[n].connection = None;
            let away = self.rng.random_range(10..5_000);
            self.schedule(away, Due::Connect(n));
        }
        if let Some(expected) = expected {
            self.check_replay(&expected)?;
        }
        self.check_promises()
    }

    /// Everything is on the disk: the engine as it is then, once it is told that it was down for so
    /// long and came up again.
    pub(super) fn settled(&mut self, down_ms: i64) -> Result<Engine, Wrong> {
        let now = self.now + down_ms;
        let hub = self.hub()?;
        // A last input: what timers did after one, and decided nothing by it, comes again with the
        // next, and so is not there after a replay.
        let agent = Identity {
            name: "last".to_owned(),
            roles: vec![Role::Agent],
        };
        hub.console(agent, None, Vec::new());
        if !hub.settle() {
            return wrong("the journal could not be written");
        }
        let state = serialize(hub.engine())?;
        let mut engine: Engine = serde_json::from_slice(&state)
            .map_err(|error| Wrong(format!("an engine is not read back: {error}")))?;
        let blind = Control::Blind {
            reason: BlindReason::Suspended,
            since: engine.judged_until(),
        };
        engine.handle(Input::Control(&blind), now);
        engine.handle(Input::Control(&Control::Restarted), now);
        while engine.poll_effect().is_some() {}
        Ok(engine)
    }

    /// The replay of the journal ended in the same state.
    pub(super) fn check_replay(&mut self, expected: &Engine) -> Result<(), Wrong> {
        let (expected, replayed) = (serialize(expected)?, serialize(self.hub()?.engine())?);
        if expected == replayed {
            return Ok(());
        }
        wrong(format!(
            "a replay of the journal ends in another state: {}",
            difference(&expected, &replayed)
        ))
    }

    /// Whatever somebody was told of is still known.
    fn check_promises(&mut self) -> Result<(), Wrong> {
        let records = self.hub()?.engine().records();
        let kept: BTreeSet<CommandId> = records
            .into_iter()
            .filter_map(|record| match record {
                Record::Command { command } => Some(command.id),
                Record::Handoff { .. }
                | Record::Cause { .. }
                | Record::Run { .. }
                | Record::Lever { .. } => None,
            })
            .collect();
        match self.promised.iter().find(|id| !kept.contains(*id)) {
            Some(id) if self.age_ms() < 3_600_000 => {
                wrong(format!("{id} was told of, and is forgotten after a crash"))
            }
            _ => Ok(()),
        }
    }
}
