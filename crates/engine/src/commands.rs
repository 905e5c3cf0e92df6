//! Commands from intent to proof.
//!
//! ```text
//! Requested -> Accepted -> Applied -> Proven
//!     |  \________|___________|-----> Failed
//!     |  \________|-----------------> Rejected
//!     |  \________|-----------------> Expired
//!     +-> Unknown  (the bridge was lost or restarted) -> any of the above, once it answers
//! ```
//!
//! What proves a command: a switch and a retry are proven by the next answered turn. A transfer is
//! proven when the platform says that the human is on the call. All others are proven by what the
//! platform reads back, because their effect is the read-back: tools on or off, the AI paused, the
//! sentence spoken, the fault injected.
//!
//! A command that is sent again keeps its id, so it has one effect. To a bridge process that knows
//! nothing of it (a new epoch) it is not sent again: what the platform then tells decides.

use std::collections::{BTreeMap, VecDeque};

use holdfast_domain::{
    ActId, AiState, AnomalyKind, CallId, CallPhase, Command, CommandId, CommandRecord,
    CommandState, Excluded, FailureKind, FeedState, HandoffId, Layer, Progress, ReadBack, Record,
    RejectionKind, SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::calls::{COMMANDS_MAX, Call};
use crate::timers::{Queued, TimerKey, Timers};
use crate::{Answer, AnswerState, Config, Effect, Engine, Entry};

/// The most closed records that are kept for reading: an act on ten thousand calls, twice.
pub(crate) const CLOSED_MAX: usize = 20_000;

/// A command and what is needed to judge it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cell {
    record: CommandRecord,
    /// An error of the switched layer fell into the turn that should prove it.
    has_error: bool,
    #[serde(skip)]
    queued: Queued,
}

impl Cell {
    fn deadline(&self, config: &Config) -> Option<Timestamp> {
        match self.record.state() {
            CommandState::Requested => Some(self.record.expires_at + config.command_grace_ms),
            CommandState::Accepted => Some(self.record.issued_at + config.command_finish_ms),
            CommandState::Applied { .. }
            | CommandState::Proven { .. }
            | CommandState::Failed { .. }
            | CommandState::Rejected { .. }
            | CommandState::Expired
            | CommandState::Unknown => None,
        }
    }
}

/// What an act became; the same act again gets the same answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ActOutcome {
    pub(crate) commands: Vec<CommandId>,
    pub(crate) handoffs: Vec<HandoffId>,
    pub(crate) excluded: Vec<Excluded>,
}

/// Something that is forgotten some time after it closed.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Closed {
    Command(CommandId),
    Act(ActId),
}

/// All commands that are open or were closed lately.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Commands {
    cells: BTreeMap<CommandId, Cell>,
    acts: BTreeMap<ActId, ActOutcome>,
    closed: VecDeque<(Timestamp, Closed)>,
}

impl Commands {
    pub(crate) fn get(&self, id: &CommandId) -> Option<&CommandRecord> {
        self.cells.get(id).map(|cell| &cell.record)
    }

    /// The commands on a call, newest first.
    pub(crate) fn of_call<'a>(
        &'a self,
        call: &'a Call,
    ) -> impl Iterator<Item = &'a CommandRecord> + 'a {
        call.commands.iter().rev().filter_map(|id| self.get(id))
    }

    pub(crate) fn act(&self, id: &ActId) -> Option<&ActOutcome> {
        self.acts.get(id)
    }

    pub(crate) fn remember_act(
        &mut self,
        id: ActId,
        outcome: ActOutcome,
        config: &Config,
        now: Timestamp,
    ) {
        self.acts.insert(id.clone(), outcome);
        self.close(Closed::Act(id), config, now);
    }

    pub(crate) fn records(&self, config: &Config, now: Timestamp) -> Vec<Record> {
        self.cells
            .values()
            .filter(|cell| {
                let last = cell.record.progress.last();
                let is_recent = last.is_some_and(|last| now.since(last.at) <= config.records_ms);
                !cell.record.state().is_final() || is_recent
            })
            .map(|cell| Record::Command {
                command: Box::new(cell.record.clone()),
            })
            .collect()
    }

    pub(crate) fn queue(&mut self, config: &Config, timers: &mut Timers) {
        for (id, cell) in &mut self.cells {
            let deadline = cell.deadline(config);
            timers.arm(|| TimerKey::Command(id.clone()), deadline, &mut cell.queued);
        }
    }

    /// Notes that something closed, and forgets what closed long ago.
    fn close(&mut self, what: Closed, config: &Config, now: Timestamp) {
        self.closed.push_back((now, what));
        while self.closed.len() > CLOSED_MAX
            || self
                .closed
                .front()
                .is_some_and(|(at, _)| now.since(*at) > config.records_ms)
        {
            match self.closed.pop_front() {
                Some((_, Closed::Command(id))) => {
                    self.cells.remove(&id);
                }
                Some((_, Closed::Act(id))) => {
                    self.acts.remove(&id);
                }
                None => break,
            }
        }
    }
}

impl Engine {
    /// Writes a command down and sends it, in this order.
    pub(crate) fn issue(&mut self, record: CommandRecord) {
        let id = record.id.clone();
        if let Some(call) = record.call.as_ref().and_then(|id| self.calls.get_mut(id)) {
            call.commands.push(id.clone());
            if call.commands.len() > COMMANDS_MAX {
                call.commands.remove(0);
            }
            if let Command::SwitchModel { layer, to, .. } = &record.command {
                call.switch_ordered(*layer, to);
            }
            self.out.show_call(&call.id, &mut call.dirty);
        }
        self.append(entry(&record));
        self.ledger_ordered(&record);
        self.out.push(Effect::Send {
            source: record.source.clone(),
            command: Box::new(record.clone()),
        });
        let cell = Cell {
            record,
            has_error: false,
            queued: Queued::default(),
        };
        self.commands.cells.insert(id.clone(), cell);
        self.arm_command(&id);
    }

    /// A bridge answered.
    pub(crate) fn on_answer(&mut self, source: &SourceId, answer: &Answer) {
        self.heard(source);
        let now = self.now;
        let is_ours = self
            .commands
            .get(&answer.command)
            .is_some_and(|record| record.source == *source);
        if !is_ours {
            let bridge = self.bridge(source);
            let example = "a result for a command that was never sent to this bridge";
            bridge.note(AnomalyKind::UnknownCommand, example, now);
            self.out.show_platform();
            return;
        }
        let is_refused = matches!(
            answer.state,
            AnswerState::Rejected(..) | AnswerState::Expired
        );
        let is_applied = self
            .commands
            .get(&answer.command)
            .is_some_and(|record| matches!(record.state(), CommandState::Applied { .. }));
        if is_refused && is_applied {
            // What was read back is true; that it was never begun cannot be.
            let example = "a command that was applied is said to be refused";
            let bridge = self.bridge(source);
            bridge.note(AnomalyKind::Impossible, example, now);
            self.out.show_platform();
            return;
        }
        match &answer.state {
            AnswerState::Accepted => self.accepted(&answer.command),
            AnswerState::Applied(read_back) => self.applied(&answer.command, read_back),
            AnswerState::Rejected(kind, message) => {
                let (kind, message) = (*kind, with_next(message, rejection_next(*kind)));
                self.advance(&answer.command, CommandState::Rejected { kind, message });
            }
            AnswerState::Failed(kind, message) => {
                let (kind, message) = (*kind, with_next(message, failure_next(*kind)));
                self.advance(&answer.command, CommandState::Failed { kind, message });
            }
            AnswerState::Expired => self.advance(&answer.command, CommandState::Expired),
        }
    }

    fn accepted(&mut self, id: &CommandId) {
        let is_news = self.commands.get(id).is_some_and(|record| {
            matches!(
                record.state(),
                CommandState::Requested | CommandState::Unknown
            )
        });
        if is_news {
            self.advance(id, CommandState::Accepted);
        }
    }

    /// The platform reads something back. It is true, even if the answer comes too late.
    fn applied(&mut self, id: &CommandId, read_back: &ReadBack) {
        let Some(record) = self.commands.get(id).cloned() else {
            return;
        };
        if let CommandState::Applied { .. } | CommandState::Proven { .. } = record.state() {
            return;
        }
        self.believe(&record, read_back);
        if let Err(found) = check(&record.command, read_back) {
            let kind = FailureKind::NotApplied;
            let message = with_next(&found, failure_next(kind));
            self.advance(id, CommandState::Failed { kind, message });
            return;
        }
        self.supersede(&record);
        let read_back = read_back.clone();
        self.advance(id, CommandState::Applied { read_back });
        self.prove_by_read_back(id);
    }

    /// Another switch of the same layer took effect: nobody will ever know of the earlier one.
    fn supersede(&mut self, by: &CommandRecord) {
        let (Some(call), Command::SwitchModel { layer, to, .. }) = (&by.call, &by.command) else {
            return;
        };
        for id in self.commands_of(call) {
            if id == by.id {
                continue;
            }
            let waits = self.commands.get(&id).is_some_and(|record| {
                matches!(record.state(), CommandState::Applied { .. })
                    && matches!(&record.command, Command::SwitchModel { layer: other, .. } if other == layer)
            });
            if waits {
                let message = format!("switched on to {to} before a turn proved it");
                let kind = FailureKind::NotProven;
                self.advance(&id, CommandState::Failed { kind, message });
            }
        }
    }

    /// What was read back becomes what is shown.
    fn believe(&mut self, record: &CommandRecord, read_back: &ReadBack) {
        let now = self.now;
        if let Some(faults) = &read_back.faults {
            self.bridge(&record.source).faults.clone_from(faults);
            self.out.show_platform();
        }
        let Some(call) = record.call.as_ref().and_then(|id| self.calls.get_mut(id)) else {
            return;
        };
        if let (Some(layer), Some(active)) = (read_back.layer, &read_back.active) {
            call.set_active(layer, active, now);
        }
        if read_back.retried_turn == Some(true) {
            call.turn_retried(now, record.issued_at);
        }
        if let Some(enabled) = &read_back.enabled {
            call.dialogue.tools_enabled.clone_from(enabled);
        }
        if let Some(disabled) = &read_back.disabled {
            call.dialogue.tools_disabled.clone_from(disabled);
        }
        if let Some(ai) = read_back.ai {
            call.set_ai(ai, now);
        }
        if read_back.bridged == Some(true) {
            call.human_took_over(now, &mut self.notes);
        }
        self.out.show_call(&call.id, &mut call.dirty);
        let id = call.id.clone();
        self.settle(&id);
    }

    fn prove_by_read_back(&mut self, id: &CommandId) {
        let Some(record) = self.commands.get(id) else {
            return;
        };
        let is_proven = match &record.command {
            Command::SwitchModel { layer, to, .. } => {
                // The answer of the new service can be heard before the bridge tells of the switch.
                record.call.as_ref().is_some_and(|call| {
                    self.calls.get(call).is_some_and(|call| {
                        call.switched.is_some_and(|(switched, at)| {
                            switched == *layer
                                && call.answered_at.is_some_and(|answered| answered > at)
                                && call.active(*layer).is_some_and(|active| active.name == *to)
                        })
                    })
                })
            }
            Command::RetryTurn => false,
            Command::Transfer { .. } => record.call.as_ref().is_some_and(|call| {
                let call = self.calls.get(call);
                let handoff = call.and_then(|call| call.handoff.as_ref());
                // The handoff is over already: the platform said so before it answered.
                handoff.is_none() && call.is_some_and(|call| call.phase == CallPhase::Human)
            }),
            Command::DisableTools { .. }
            | Command::EnableTools { .. }
            | Command::Announce { .. }
            | Command::PauseAi
            | Command::ResumeAi
            | Command::StartFault { .. }
            | Command::StopFault { .. } => true,
        };
        if is_proven {
            self.prove(id);
        }
    }

    /// An applied command is proven with what was read back.
    pub(crate) fn prove(&mut self, id: &CommandId) {
        let state = self.commands.get(id).map(CommandRecord::state);
        if let Some(CommandState::Applied { read_back }) = state {
            let read_back = read_back.clone();
            self.advance(id, CommandState::Proven { read_back });
        }
    }

    /// A command reaches a state, unless nothing further can happen to it.
    pub(crate) fn advance(&mut self, id: &CommandId, state: CommandState) {
        let now = self.now;
        let Some(cell) = self.commands.cells.get_mut(id) else {
            return;
        };
        if cell.record.state().is_final() || *cell.record.state() == state {
            return;
        }
        cell.record.progress.push(Progress { state, at: now });
        let record = cell.record.clone();
        self.append(entry(&record));
        if let Some(call) = record.call.as_ref().and_then(|id| self.calls.get_mut(id)) {
            if let Command::SwitchModel { layer, to, .. } = &record.command
                && (record.state().is_final()
                    || matches!(record.state(), CommandState::Applied { .. }))
            {
                let is_refused = matches!(record.state(), CommandState::Rejected { .. });
                call.order_is_over(*layer, to, is_refused, now);
            }
            self.out.show_call(&call.id, &mut call.dirty);
        }
        if record.state().is_final() {
            let closed = Closed::Command(id.clone());
            self.commands.close(closed, &self.config, now);
        } else {
            self.arm_command(id);
        }
        self.transfer_advanced(&record);
        self.ladder_advanced(&record);
        self.ledger_advanced(&record);
    }

    // === proof by turns ===

    /// Switches and retries on a call that wait for the turn that proves them.
    fn waiting_for_turn(&self, call: &CallId) -> Vec<CommandId> {
        let mut waiting = self.commands_of(call);
        waiting.retain(|id| {
            self.commands.get(id).is_some_and(|record| {
                matches!(record.state(), CommandState::Applied { .. })
                    && matches!(
                        record.command,
                        Command::SwitchModel { .. } | Command::RetryTurn
                    )
            })
        });
        waiting
    }

    pub(crate) fn turn_answered(&mut self, call: &CallId, _at: Timestamp) {
        for id in self.waiting_for_turn(call) {
            let Some(waiting) = self.commands.cells.get_mut(&id) else {
                continue;
            };
            if std::mem::take(&mut waiting.has_error) {
                // Answered in spite of an error: the next turn decides.
                continue;
            }
            let moved = match &waiting.record.command {
                Command::SwitchModel { layer, to, .. } => self
                    .calls
                    .get(call)
                    .and_then(|call| call.active(*layer))
                    .filter(|active| active.name != *to)
                    .map(|active| (to.clone(), active.name.clone())),
                _ => None,
            };
            match moved {
                None => self.prove(&id),
                Some((to, active)) => {
                    let kind = FailureKind::NotProven;
                    let message = format!(
                        "the next turn was answered by {active}, not by {to}: the platform moved \
                         on by itself; nothing needs to be done unless {active} fails"
                    );
                    self.advance(&id, CommandState::Failed { kind, message });
                }
            }
        }
    }

    pub(crate) fn turn_failed(&mut self, call: &CallId, _at: Timestamp) {
        for id in self.waiting_for_turn(call) {
            let layer = match self.commands.get(&id).map(|record| &record.command) {
                Some(Command::SwitchModel { layer, .. }) => *layer,
                _ => Layer::Llm,
            };
            let fallback = self
                .calls
                .get(call)
                .and_then(|call| call.fallback(layer))
                .map(|service| format!("switch to {} or ", service.name))
                .unwrap_or_default();
            let kind = FailureKind::NotProven;
            let message =
                format!("applied, and the next turn failed too; {fallback}route to humans");
            self.advance(&id, CommandState::Failed { kind, message });
        }
    }

    pub(crate) fn layer_error(&mut self, call: &CallId, layer: Layer, _at: Timestamp) {
        for id in self.waiting_for_turn(call) {
            if let Some(cell) = self.commands.cells.get_mut(&id) {
                let is_of_layer = match &cell.record.command {
                    Command::SwitchModel {
                        layer: switched, ..
                    } => *switched == layer,
                    _ => true,
                };
                cell.has_error |= is_of_layer;
            }
        }
    }

    // === time, loss and return ===

    fn arm_command(&mut self, id: &CommandId) {
        if let Some(cell) = self.commands.cells.get_mut(id) {
            let deadline = cell.deadline(&self.config);
            let key = || TimerKey::Command(id.clone());
            self.timers.arm(key, deadline, &mut cell.queued);
        }
    }

    pub(crate) fn fire_command(&mut self, id: &CommandId, due: Timestamp) {
        let Some(cell) = self.commands.cells.get_mut(id) else {
            return;
        };
        cell.queued.pop(due);
        let is_due = cell
            .deadline(&self.config)
            .is_some_and(|deadline| deadline <= due);
        if !is_due {
            self.arm_command(id);
            return;
        }
        let source = cell.record.source.clone();
        let was_accepted = matches!(cell.record.state(), CommandState::Accepted);
        self.pass_to(due);
        let state = if !matches!(self.feed(&source), FeedState::Live | FeedState::Resyncing) {
            // The answer may be lost on its way; the bridge is asked when it is back.
            CommandState::Unknown
        } else if was_accepted {
            let kind = FailureKind::TimedOut;
            let message = with_next("the platform did not finish in time", failure_next(kind));
            CommandState::Failed { kind, message }
        } else {
            CommandState::Expired
        };
        self.advance(id, state);
    }

    /// The hub came up again: what was under way may or may not have happened.
    pub(crate) fn forget_commands(&mut self) {
        for id in self.open_commands(|_| true) {
            let is_sent = self.commands.get(&id).is_some_and(|record| {
                matches!(
                    record.state(),
                    CommandState::Requested | CommandState::Accepted
                )
            });
            if is_sent {
                self.advance(&id, CommandState::Unknown);
            }
        }
    }

    /// A bridge is back. The same process gets its unanswered commands again, under the same ids.
    /// A new process knows nothing of them: they are unknown until it has told what is so.
    pub(crate) fn resume_commands(&mut self, source: &SourceId, is_new_epoch: bool) {
        for id in self.open_commands(|record| record.source == *source) {
            let Some(record) = self.commands.get(&id) else {
                continue;
            };
            if matches!(record.state(), CommandState::Applied { .. }) {
                continue;
            }
            if is_new_epoch {
                self.advance(&id, CommandState::Unknown);
                continue;
            }
            let command = Box::new(record.clone());
            let source = source.clone();
            self.out.push(Effect::Send { source, command });
        }
        if is_new_epoch && self.feed(source) == FeedState::Live {
            // It has no calls of before to tell again: nothing more will be learnt.
            self.resolve_commands(source);
        }
    }

    /// A bridge process that never heard of our commands has told what is so: that decides.
    pub(crate) fn resolve_commands(&mut self, source: &SourceId) {
        let unknown = self.open_commands(|record| {
            record.source == *source && matches!(record.state(), CommandState::Unknown)
        });
        for id in unknown {
            let Some(record) = self.commands.get(&id).cloned() else {
                continue;
            };
            match self.what_is_so(&record) {
                Some(read_back) if check(&record.command, &read_back).is_ok() => {
                    self.advance(&id, CommandState::Applied { read_back });
                    self.prove_by_read_back(&id);
                }
                Some(read_back) => {
                    let found = check(&record.command, &read_back).err().unwrap_or_default();
                    let kind = FailureKind::NotApplied;
                    let message = with_next(
                        &format!("the bridge restarted, and {found}"),
                        failure_next(kind),
                    );
                    self.advance(&id, CommandState::Failed { kind, message });
                }
                None => {
                    let kind = FailureKind::PlatformError;
                    let message = "the bridge restarted before it answered, and nobody can tell \
                                   whether it was done; look at the call before you act again"
                        .to_owned();
                    self.advance(&id, CommandState::Failed { kind, message });
                }
            }
        }
    }

    /// What a read-back of the command would say now, from what the platform has told; None where
    /// the platform's state does not show it.
    fn what_is_so(&self, record: &CommandRecord) -> Option<ReadBack> {
        let call = record.call.as_ref().and_then(|id| self.calls.get(id));
        let mut read_back = ReadBack::default();
        match &record.command {
            Command::SwitchModel { layer, .. } => {
                read_back.layer = Some(*layer);
                read_back.active = Some(call?.active(*layer)?.name.clone());
            }
            Command::DisableTools { .. } | Command::EnableTools { .. } => {
                read_back.enabled = Some(call?.dialogue.tools_enabled.clone());
                read_back.disabled = Some(call?.dialogue.tools_disabled.clone());
            }
            Command::PauseAi | Command::ResumeAi => read_back.ai = Some(call?.ai),
            Command::StartFault { .. } | Command::StopFault { .. } => {
                read_back.faults = Some(self.bridges.get(&record.source)?.faults.clone());
            }
            Command::Transfer { to, .. } if call?.phase == CallPhase::Human => {
                read_back.bridged = Some(true);
                read_back.to = Some(to.clone());
            }
            Command::Transfer { .. } | Command::RetryTurn | Command::Announce { .. } => {
                return None;
            }
        }
        Some(read_back)
    }

    /// A call ended: what was under way on it will not happen.
    pub(crate) fn commands_ended_with(&mut self, call: &CallId) {
        for id in self.commands_of(call) {
            let kind = FailureKind::CallEnded;
            let message = "the call ended before it was done; nothing is left to do".to_owned();
            self.advance(&id, CommandState::Failed { kind, message });
        }
    }

    /// A bridge is forgotten: nobody will ever know what became of its commands.
    pub(crate) fn commands_gone_with(&mut self, source: &SourceId) {
        for id in self.open_commands(|record| record.source == *source) {
            let kind = FailureKind::PlatformError;
            let message = "its bridge is gone and did not say what became of it".to_owned();
            self.advance(&id, CommandState::Failed { kind, message });
        }
    }

    fn open_commands(&self, wanted: impl Fn(&CommandRecord) -> bool) -> Vec<CommandId> {
        self.commands
            .cells
            .iter()
            .filter(|(_, cell)| !cell.record.state().is_final() && wanted(&cell.record))
            .map(|(id, _)| id.clone())
            .collect()
    }
}

fn entry(record: &CommandRecord) -> Entry {
    Entry::Record(Record::Command {
        command: Box::new(record.clone()),
    })
}

/// Whether what was read back is what was asked for; if not, what was found instead.
fn check(command: &Command, read_back: &ReadBack) -> Result<(), String> {
    let silent = || "the platform reads nothing back".to_owned();
    match command {
        Command::SwitchModel { layer, to, .. } => {
            let active = read_back.active.as_ref().ok_or_else(silent)?;
            if active != to || read_back.layer.is_some_and(|told| told != *layer) {
                return Err(format!("{active} serves the layer, not {to}"));
            }
        }
        Command::RetryTurn => {
            if read_back.retried_turn != Some(true) {
                return Err("the turn was not tried again".to_owned());
            }
        }
        Command::DisableTools { tools } => {
            let disabled = read_back.disabled.as_ref().ok_or_else(silent)?;
            let enabled = read_back.enabled.as_deref().unwrap_or_default();
            if let Some(tool) = tools.iter().find(|tool| !disabled.contains(tool)) {
                return Err(format!("{tool} is still on"));
            }
            if tools.is_empty() && !enabled.is_empty() {
                return Err(format!("{} is still on", enabled[0]));
            }
        }
        Command::EnableTools { tools } => {
            let enabled = read_back.enabled.as_ref().ok_or_else(silent)?;
            let disabled = read_back.disabled.as_deref().unwrap_or_default();
            if let Some(tool) = tools.iter().find(|tool| !enabled.contains(tool)) {
                return Err(format!("{tool} is still off"));
            }
            if tools.is_empty() && !disabled.is_empty() {
                return Err(format!("{} is still off", disabled[0]));
            }
        }
        Command::Announce { .. } => {
            if read_back.spoken != Some(true) {
                return Err("the sentence was not spoken".to_owned());
            }
        }
        Command::PauseAi => is_ai(read_back, AiState::Paused)?,
        Command::ResumeAi => is_ai(read_back, AiState::Active)?,
        Command::Transfer { .. } => {
            if read_back.bridged != Some(true) {
                return Err("no human is on the call".to_owned());
            }
        }
        Command::StartFault { fault, .. } => {
            let faults = read_back.faults.as_ref().ok_or_else(silent)?;
            if !faults.iter().any(|active| active.fault == *fault) {
                return Err(format!("{fault} is not injected"));
            }
        }
        Command::StopFault { id } => {
            let faults = read_back.faults.as_ref().ok_or_else(silent)?;
            let left = match id {
                Some(id) => faults.iter().find(|active| active.id == *id),
                None => faults.first(),
            };
            if let Some(left) = left {
                return Err(format!("{} is still injected", left.fault));
            }
        }
    }
    Ok(())
}

fn is_ai(read_back: &ReadBack, wanted: AiState) -> Result<(), String> {
    match read_back.ai {
        Some(ai) if ai == wanted => Ok(()),
        Some(AiState::Active) => Err("the AI still speaks".to_owned()),
        Some(AiState::Paused) => Err("the AI is still paused".to_owned()),
        None => Err("the platform reads nothing back".to_owned()),
    }
}

/// A platform's message with the next step.
fn with_next(message: &str, next: &str) -> String {
    let message = crate::words::clip(message.trim().trim_end_matches('.'), 200);
    if message.is_empty() {
        next.to_owned()
    } else {
        format!("{message}; {next}")
    }
}

const fn failure_next(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::NotApplied => "nothing was repeated: choose another target or route to humans",
        FailureKind::PlatformError => "look at the call, then act again or route to humans",
        FailureKind::TimedOut => "it may still happen: look at the call before you act again",
        FailureKind::CallEnded => "nothing is left to do",
        FailureKind::NotProven => "choose another target or route to humans",
    }
}

const fn rejection_next(kind: RejectionKind) -> &'static str {
    match kind {
        RejectionKind::UnknownCommand | RejectionKind::NotCapable => {
            "nothing changed: this platform cannot do it, choose another act"
        }
        RejectionKind::InvalidArgs | RejectionKind::TargetUnknown => {
            "nothing changed: choose another target"
        }
        RejectionKind::TargetUnusable => {
            "nothing changed: choose another target or route to humans"
        }
        RejectionKind::UnknownCall | RejectionKind::CallEnded => "the call is over",
        RejectionKind::ExpectationFailed => {
            "nothing changed: look at what serves the call now, then decide again"
        }
        RejectionKind::StaleFeed => "nothing changed: act again when the bridge is heard",
        RejectionKind::ProtectedMoment => "nothing changed: act again when the moment is over",
        RejectionKind::Busy => "nothing changed: wait for the command that is under way",
    }
}
