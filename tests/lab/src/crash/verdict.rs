//! What was found: intents that were lost, effects that were doubled, outcomes that are not true.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{CommandId, CommandRecord, CommandState, FailureKind, Run, RunId};
use holdfast_simulator::Effect;

use super::desk::Told;
use super::relay::Sent;

/// Everything that must not be, one line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// A command that left the hub, or that a console was told of, is not known after the restart;
    /// or a part of its story is not; or a run is gone.
    pub lost: BTreeSet<String>,
    /// A command was carried out twice, or a call was changed twice by one step of a run.
    pub doubled: BTreeSet<String>,
    /// A command's state after the restart claims to know what nobody knows yet.
    pub unlisted: BTreeSet<String>,
    /// The record says something else than what the platform did.
    pub untrue: BTreeSet<String>,
}

impl Faults {
    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        let lost = self.lost.iter().chain(&self.doubled);
        lost.chain(&self.unlisted).chain(&self.untrue)
    }
}

/// Right after a restart, before a bridge could say anything: what was told or sent before is all
/// there, and whatever has no outcome is unknown. Tells which are.
pub(super) fn after_restart(
    before: &Told,
    sent: &BTreeSet<CommandId>,
    now: &Told,
    faults: &mut Faults,
) -> BTreeSet<CommandId> {
    for id in sent {
        if !now.commands.contains_key(id) {
            faults
                .lost
                .insert(format!("{id} left the hub and is not known"));
        }
    }
    for (id, command) in &before.commands {
        let Some(known) = now.commands.get(id) else {
            faults
                .lost
                .insert(format!("{id} was told and is not known"));
            continue;
        };
        if !known.progress.starts_with(&command.progress) {
            faults.lost.insert(format!(
                "{id} was {:?} and is {:?}",
                command.state(),
                known.state()
            ));
        }
    }
    for (id, run) in &before.runs {
        match now.runs.get(id) {
            None => {
                faults.lost.insert(format!("the run {id} is not known"));
            }
            Some(known) if !is_further(run, known) => {
                faults
                    .lost
                    .insert(format!("the run {id} went back to {:?}", known.state));
            }
            Some(_) => {}
        }
    }
    let mut unknown = BTreeSet::new();
    for (id, command) in &now.commands {
        match command.state() {
            CommandState::Unknown => {
                unknown.insert(id.clone());
            }
            CommandState::Requested | CommandState::Accepted => {
                faults
                    .unlisted
                    .insert(format!("{id} is {:?}", command.state()));
            }
            _ => {}
        }
    }
    unknown
}

/// A run never goes back: not from its end, and not to an earlier stage.
fn is_further(before: &Run, now: &Run) -> bool {
    let proven = |run: &Run| {
        let stages = run.stages.iter();
        stages.filter(|stage| stage.proven_at.is_some()).count()
    };
    let is_back = before.state.is_final() && before.state != now.state
        || before.started_at.is_some() && before.started_at != now.started_at;
    !is_back && proven(now) >= proven(before) && now.timeline.len() >= before.timeline.len()
}

/// At the end, when every outcome is known: each record against what the platform did.
pub(super) fn at_the_end(
    told: &Told,
    sent: &BTreeMap<CommandId, Sent>,
    effects: &BTreeMap<CommandId, Effect>,
    faults: &mut Faults,
) {
    for (id, sent) in sent {
        if sent.is_changed {
            faults
                .doubled
                .insert(format!("{id} was sent with other words"));
        }
    }
    let mut of_steps: BTreeMap<String, BTreeSet<&CommandId>> = BTreeMap::new();
    for (id, effect) in effects {
        if effect.times > 1 {
            let times = effect.times;
            faults
                .doubled
                .insert(format!("{id} was carried out {times} times"));
        }
        let Some(command) = told.commands.get(id) else {
            faults
                .lost
                .insert(format!("{id} reached the platform and is not known"));
            continue;
        };
        if effect.times > 0 {
            of_steps.entry(step(command)).or_default().insert(id);
        }
    }
    for (step, commands) in of_steps {
        if commands.len() > 1 {
            faults.doubled.insert(format!("{step}: {commands:?}"));
        }
    }
    for (id, command) in &told.commands {
        let times = effects.get(id).map_or(0, |effect| effect.times);
        if let Some(why) = untruth(command, times) {
            faults.untrue.insert(format!("{id}: {why}"));
        }
    }
}

/// The same change of the same call by the same run.
fn step(command: &CommandRecord) -> String {
    let mut what = command.command.clone();
    if let holdfast_domain::Command::SwitchModel { announcement, .. } = &mut what {
        *announcement = None;
    }
    let call = command.call.as_ref().map_or("", |call| call.as_str());
    format!("{} changes {call} by {what:?}", command.act)
}

/// What a record says that is not so.
fn untruth(command: &CommandRecord, times: u32) -> Option<String> {
    let says_applied = command.progress.iter().any(|progress| {
        matches!(
            progress.state,
            CommandState::Applied { .. } | CommandState::Proven { .. }
        )
    });
    let was_applied = times > 0;
    match command.state() {
        CommandState::Requested | CommandState::Accepted | CommandState::Unknown => {
            Some(format!("its outcome is open: {:?}", command.state()))
        }
        // The call is over: nobody can be asked any more, and nothing follows from it.
        CommandState::Failed {
            kind: FailureKind::CallEnded,
            ..
        } => None,
        _ if says_applied == was_applied => None,
        state => Some(format!(
            "it says {state:?}, the platform carried it out {times} times"
        )),
    }
}

/// How a run stands, in a word.
pub(super) fn end_of(runs: &BTreeMap<RunId, Run>) -> BTreeMap<String, u32> {
    let mut ends = BTreeMap::new();
    for run in runs.values() {
        let told = serde_json::to_value(&run.state).unwrap_or_default();
        let name = told["type"].as_str().unwrap_or("?").to_owned();
        *ends.entry(name).or_default() += 1;
    }
    ends
}

#[cfg(test)]
mod tests;
