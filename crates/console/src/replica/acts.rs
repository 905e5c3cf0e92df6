//! Acts: what people did, each with the commands that it became and how far they are.

use std::collections::BTreeMap;

use holdfast_domain::{
    ActId, Command, CommandId, CommandName, CommandRecord, CommandState, DurationMs, Timestamp,
};
use holdfast_protocol::window::ActView;

use super::title::{deed, is_same_deed};

/// The most acts in one frame.
const SHOWN_MAX: usize = 20;

/// The most commands of one act in one frame.
const COMMANDS_SHOWN_MAX: usize = 200;

/// How long a command that is over stays: as long as the hub tells it in a snapshot.
const KEPT_MS: DurationMs = 60 * 60 * 1_000;

/// The most commands kept: five acts on all of 10,000 calls. Beyond, whole acts go, the oldest
/// that are over first.
const COMMANDS_KEPT_MAX: usize = 50_000;

/// The shortest time between two tellings of the acts to the window. A command on 10,000 calls
/// changes thousands of records a second; ten pictures of that a second are enough.
const RELEASE_MS: DurationMs = 100;

/// Every act under way and of late.
#[derive(Debug, Default)]
pub(super) struct Acts {
    all: BTreeMap<ActId, Act>,
    n_commands: usize,
    changed: bool,
    version: u64,
    released_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Act {
    /// When its first command was issued, and who asked.
    began: Option<(Timestamp, String)>,
    commands: BTreeMap<CommandId, CommandRecord>,
    counts: Counts,
    kinds: BTreeMap<CommandName, Kind>,
}

/// What the commands of one name in an act have in common.
#[derive(Debug)]
struct Kind {
    first: Command,
    all_the_same: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    under_way: u32,
    applied: u32,
    proven: u32,
    failed: u32,
    unknown: u32,
}

impl Acts {
    pub(super) fn put(&mut self, record: CommandRecord) {
        self.changed = true;
        let act = self.all.entry(record.act.clone()).or_default();
        if act.put(record) {
            self.n_commands += 1;
        }
        while self.n_commands > COMMANDS_KEPT_MAX && self.drop_oldest() {}
    }

    pub(super) fn clear(&mut self) {
        self.changed = true;
        self.all.clear();
        self.n_commands = 0;
    }

    /// Forgets commands that have been over for longer than they are of use.
    pub(super) fn forget_old(&mut self, hub_now: Timestamp) {
        let before = self.n_commands;
        for act in self.all.values_mut() {
            act.forget_old(hub_now);
        }
        self.all.retain(|_, act| !act.commands.is_empty());
        self.n_commands = self.all.values().map(|act| act.commands.len()).sum();
        self.changed |= self.n_commands != before;
    }

    /// Lets the window see what changed, if it is time to.
    pub(super) fn release(&mut self, now: Timestamp, version: &mut u64) {
        let due = self
            .released_at
            .is_none_or(|last| !(0..RELEASE_MS).contains(&now.since(last)));
        if self.changed && due {
            *version += 1;
            self.version = *version;
            self.released_at = Some(now);
            self.changed = false;
        }
    }

    pub(super) fn section(&self, ack: u64) -> Option<Vec<ActView>> {
        if self.version <= ack {
            return None;
        }
        let mut newest: Vec<(Timestamp, &ActId, &Act)> = self
            .all
            .iter()
            .filter_map(|(id, act)| Some((act.began.as_ref()?.0, id, act)))
            .collect();
        newest.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)));
        newest.truncate(SHOWN_MAX);
        Some(
            newest
                .into_iter()
                .filter_map(|(_, id, act)| act.view(id))
                .collect(),
        )
    }

    /// Drops the act that is best done without: one that is over, then the oldest. False when
    /// there is nothing to drop.
    fn drop_oldest(&mut self) -> bool {
        let oldest = self
            .all
            .iter()
            .min_by_key(|(id, act)| (!act.is_over(), act.began.as_ref().map(|began| began.0), *id))
            .map(|(id, _)| id.clone());
        let dropped = oldest.and_then(|id| self.all.remove(&id));
        if let Some(act) = &dropped {
            self.n_commands -= act.commands.len();
        }
        dropped.is_some()
    }
}

impl Act {
    /// Takes in a record; true when it is a new one.
    fn put(&mut self, record: CommandRecord) -> bool {
        self.kinds
            .entry(record.command.name())
            .and_modify(|kind| kind.all_the_same &= is_same_deed(&kind.first, &record.command))
            .or_insert_with(|| Kind {
                first: record.command.clone(),
                all_the_same: true,
            });
        let began = self.began.as_ref().map(|began| began.0);
        if began.is_none_or(|began| record.issued_at < began) {
            self.began = Some((record.issued_at, record.actor.clone()));
        }
        *self.counts.of(record.state()) += 1;
        let before = self.commands.insert(record.id.clone(), record);
        if let Some(before) = &before {
            *self.counts.of(before.state()) -= 1;
        }
        before.is_none()
    }

    fn forget_old(&mut self, hub_now: Timestamp) {
        let counts = &mut self.counts;
        self.commands.retain(|_, record| {
            let at = record
                .progress
                .last()
                .map_or(record.issued_at, |last| last.at);
            let kept = !record.state().is_final() || hub_now.since(at) <= KEPT_MS;
            if !kept {
                *counts.of(record.state()) -= 1;
            }
            kept
        });
    }

    fn is_over(&self) -> bool {
        let Counts {
            under_way,
            applied,
            unknown,
            ..
        } = self.counts;
        under_way + applied + unknown == 0
    }

    fn view(&self, id: &ActId) -> Option<ActView> {
        let (at, actor) = self.began.clone()?;
        Some(ActView {
            id: id.clone(),
            actor,
            at,
            title: self.title(),
            total: self.commands.len() as u32,
            under_way: self.counts.under_way,
            applied: self.counts.applied,
            proven: self.counts.proven,
            failed: self.counts.failed,
            unknown: self.counts.unknown,
            commands: self.shown().into_iter().cloned().collect(),
        })
    }

    /// Failures first, then the newest.
    fn shown(&self) -> Vec<&CommandRecord> {
        let mut shown: Vec<&CommandRecord> = self.commands.values().collect();
        let order = |record: &&CommandRecord| {
            let at = record
                .progress
                .last()
                .map_or(record.issued_at, |last| last.at);
            (
                !has_failed(record.state()),
                -at.as_millis(),
                record.id.clone(),
            )
        };
        if shown.len() > COMMANDS_SHOWN_MAX {
            shown.select_nth_unstable_by_key(COMMANDS_SHOWN_MAX, order);
            shown.truncate(COMMANDS_SHOWN_MAX);
        }
        shown.sort_by_cached_key(order);
        shown
    }

    fn title(&self) -> String {
        let words: Vec<String> = self
            .kinds
            .values()
            .map(|kind| deed(&kind.first, kind.all_the_same))
            .collect();
        words.join("; ")
    }
}

impl Counts {
    fn of(&mut self, state: &CommandState) -> &mut u32 {
        match state {
            CommandState::Requested | CommandState::Accepted => &mut self.under_way,
            CommandState::Applied { .. } => &mut self.applied,
            CommandState::Proven { .. } => &mut self.proven,
            CommandState::Failed { .. } | CommandState::Rejected { .. } | CommandState::Expired => {
                &mut self.failed
            }
            CommandState::Unknown => &mut self.unknown,
        }
    }
}

const fn has_failed(state: &CommandState) -> bool {
    match state {
        CommandState::Failed { .. } | CommandState::Rejected { .. } | CommandState::Expired => true,
        CommandState::Requested
        | CommandState::Accepted
        | CommandState::Applied { .. }
        | CommandState::Proven { .. }
        | CommandState::Unknown => false,
    }
}
