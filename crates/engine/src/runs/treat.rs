//! One call of a run: its steps one after the other, one command at a time.
//!
//! ```text
//! Untouched -> Waiting (no moment) -> Intent -> Accepted -> Applied -> Proven
//!                  |                     \_________\___________\----> Failed, Rejected, Expired
//!                  +-> Left (a difference)          \--> Unknown (the bridge is asked)
//! ```

use holdfast_domain::playbook::{Action, PlaybookStep, RoutedCalls};
use holdfast_domain::{
    ActId, ActVerb, AnnouncementId, Command, CommandId, CommandRecord, CommandState, DurationMs,
    ExcludedReason, FailureKind, FeedState, HandoffFailure, HandoffId, HandoffState, Layer,
    Progress, RunCallState, RunWait,
};

use super::commit::difference;
use super::course::{Course, Flight, Part};
use super::fit::{Fit, Hindrance, command_of};
use super::stages::commanded;
use super::{leave, words};
use crate::Engine;
use crate::acts::is_protected;
use crate::calls::Call;

/// A sentence that has not begun after this time holds the switch up no longer.
const SENTENCE_MS_MAX: DurationMs = 3_000;

impl Engine {
    /// Takes in what became of the commands and handoffs that are under way.
    pub(super) fn poll_members(&mut self, course: &mut Course) {
        for place in 0..course.members.len() {
            self.poll_flight(course, place);
            self.poll_proof(course, place);
            self.poll_handoff(course, place);
        }
    }

    fn poll_flight(&mut self, course: &mut Course, place: usize) {
        let now = self.now;
        let member = &course.members[place];
        let Some(flight) = member.flight.clone() else {
            return;
        };
        let state = self.commands.get(&flight.command).map(CommandRecord::state);
        let state = state.cloned().unwrap_or(CommandState::Unknown);
        let is_over = matches!(
            state,
            CommandState::Applied { .. }
                | CommandState::Proven { .. }
                | CommandState::Failed { .. }
                | CommandState::Rejected { .. }
                | CommandState::Expired
        );
        if flight.is_sentence {
            // Whether it was heard is in the command's record; the change does not wait for it.
            if is_over || now.since(flight.at) >= SENTENCE_MS_MAX {
                course.members[place].flight = None;
                course.is_dirty = true;
            }
            return;
        }
        let is_undoing = course.members[place].is_undoing;
        if is_over {
            course.members[place].flight = None;
            count_command(course, &state);
        }
        let worked = matches!(
            state,
            CommandState::Applied { .. } | CommandState::Proven { .. }
        );
        let next = if is_undoing {
            match (&state, is_over) {
                (_, true) if !worked => Some(RunCallState::NotUndone {
                    message: message_of(&state),
                }),
                _ => None,
            }
        } else {
            if worked
                && let Some(step) = course.members[place].step
                && !course.members[place].done.contains(&step)
            {
                course.members[place].done.push(step);
            }
            Some(outcome(&state))
        };
        if is_over && !worked {
            let member = &mut course.members[place];
            member.work.clear();
            member.is_done = true;
            member.is_undone = is_undoing;
        }
        if let Some(next) = next {
            course.set_state(place, next, now);
        }
    }

    /// A switch that was applied is proven by the next turn, or is not.
    fn poll_proof(&mut self, course: &mut Course, place: usize) {
        let member = &course.members[place];
        if member.state != RunCallState::Applied || member.flight.is_some() {
            return;
        }
        let Some(record) = member.command.as_ref().and_then(|id| self.commands.get(id)) else {
            return;
        };
        let state = record.state().clone();
        match &state {
            CommandState::Proven { .. } => {
                course.set_state(place, RunCallState::Proven, self.now);
            }
            CommandState::Failed { kind, .. } => {
                course.commands_failed += u32::from(*kind != FailureKind::CallEnded);
                course.set_state(place, outcome(&state), self.now);
            }
            _ => {}
        }
    }

    fn poll_handoff(&mut self, course: &mut Course, place: usize) {
        let member = &course.members[place];
        if !matches!(member.state, RunCallState::HandedOver { .. }) {
            return;
        }
        let handoff = member.handoff.as_ref().and_then(|id| self.handoffs.get(id));
        let Some(handoff) = handoff else {
            return;
        };
        let next = match &handoff.state {
            HandoffState::Bridged { .. } | HandoffState::Confirmed { .. } => {
                RunCallState::HandedOver { with_human: true }
            }
            HandoffState::Failed { kind, message } => RunCallState::Failed {
                kind: match kind {
                    HandoffFailure::CallerLeft => FailureKind::CallEnded,
                    HandoffFailure::NoAnswer => FailureKind::TimedOut,
                    HandoffFailure::Busy
                    | HandoffFailure::Voicemail
                    | HandoffFailure::TrunkFailed
                    | HandoffFailure::Declined
                    | HandoffFailure::Withdrawn => FailureKind::PlatformError,
                },
                message: message.clone(),
            },
            HandoffState::Requested
            | HandoffState::Offered { .. }
            | HandoffState::Seen { .. }
            | HandoffState::Accepted { .. } => return,
        };
        course.set_state(place, next, self.now);
    }

    /// Goes on with a call's steps as far as possible now.
    pub(super) fn treat(
        &mut self,
        course: &mut Course,
        place: usize,
        first: usize,
        steps: &[PlaybookStep],
    ) {
        loop {
            let member = &course.members[place];
            if member.is_done || member.flight.is_some() {
                return;
            }
            if member.ended_at.is_some() || !self.calls.contains(&member.call) {
                return self.is_gone(course, place);
            }
            if let Some(part) = course.members[place].work.front().cloned() {
                if !self.do_part(course, place, &part) {
                    return;
                }
                course.members[place].work.pop_front();
                continue;
            }
            let next = match course.members[place].step {
                None => first,
                Some(step) => step + 1,
            };
            let Some(step) = steps.get(next - first) else {
                return self.steps_done(course, place);
            };
            if !self.begin_step(course, place, next, step) {
                return;
            }
        }
    }

    fn is_gone(&mut self, course: &mut Course, place: usize) {
        let now = self.now;
        if course.members[place].touched_at.is_some() {
            let member = &mut course.members[place];
            member.work.clear();
            member.is_done = true;
        } else {
            leave(course, place, holdfast_domain::DifferenceKind::Ended, now);
        }
    }

    /// The steps of the block are done. A call for which none was anything is as it should be.
    fn steps_done(&mut self, course: &mut Course, place: usize) {
        let now = self.now;
        let member = &mut course.members[place];
        member.is_done = true;
        member.waits = None;
        if member.touched_at.is_none() {
            leave(
                course,
                place,
                holdfast_domain::DifferenceKind::AlreadySo,
                now,
            );
        }
    }

    /// Works out what a step is for the call; false when the call has to wait or is left alone.
    fn begin_step(
        &mut self,
        course: &mut Course,
        place: usize,
        at: usize,
        step: &PlaybookStep,
    ) -> bool {
        let now = self.now;
        let action = for_member(&step.action, course.members[place].is_follower);
        let member = &course.members[place];
        let pinned = member.targets_of(at);
        let fit = self.fit(&action, &member.call, course.tool(), &pinned, None);
        let hindrance = match fit {
            Ok(fit) if self.is_quiet_enough(course, place, &action) => {
                self.take_up(course, place, at, &action, &fit);
                return true;
            }
            Ok(_) => return self.wait_for(course, place, RunWait::Speaking),
            Err(hindrance) => hindrance,
        };
        match hindrance {
            Hindrance::NotNow(reason) => {
                let is_excluded = course.playbook.selector.protected
                    == holdfast_domain::playbook::ProtectedCalls::Exclude
                    && reason == ExcludedReason::ProtectedMoment
                    && course.members[place].touched_at.is_none();
                if is_excluded {
                    leave(course, place, difference(reason), now);
                    return false;
                }
                self.wait_for(course, place, wait(reason))
            }
            Hindrance::Never(ExcludedReason::AlreadySo) => {
                course.members[place].step = Some(at);
                true
            }
            Hindrance::Never(reason) => {
                if course.members[place].touched_at.is_some() {
                    // An earlier step touched it: what follows is nothing for it.
                    course.members[place].step = Some(at);
                    return true;
                }
                leave(course, place, difference(reason), now);
                false
            }
        }
    }

    /// Nobody is cut short. To silence an AI that speaks is the purpose of pausing it, and whoever
    /// gets in line for a human hears nothing yet.
    fn is_quiet_enough(&self, course: &Course, place: usize, action: &Action) -> bool {
        let call = self.calls.get(&course.members[place].call);
        matches!(
            action,
            Action::PauseAi { .. } | Action::RouteToHumans { .. }
        ) || call.is_some_and(|call| call.floor.nobody_speaks())
    }

    fn wait_for(&mut self, course: &mut Course, place: usize, why: RunWait) -> bool {
        let now = self.now;
        let member = &mut course.members[place];
        member.waits = match member.waits {
            Some((_, since)) => Some((why, since)),
            None => Some((why, now)),
        };
        if member.touched_at.is_none() {
            course.set_state(place, RunCallState::Waiting { why }, now);
        }
        false
    }

    fn take_up(
        &mut self,
        course: &mut Course,
        place: usize,
        at: usize,
        action: &Action,
        fit: &Fit,
    ) {
        let now = self.now;
        let call = self.calls.get(&course.members[place].call);
        let before: Vec<(usize, Layer, String)> = fit
            .targets
            .iter()
            .filter_map(|(layer, _)| {
                let active = call?.active(*layer)?;
                Some((at, *layer, active.name.clone()))
            })
            .collect();
        let is_failing = call.is_some_and(crate::calls::Call::is_failing);
        let member = &mut course.members[place];
        // Turns are judged since the first step of the block.
        if member.step.is_none() || member.touched_at.is_none() {
            member.forget_turns();
        }
        member.waits = None;
        member.step = Some(at);
        member.before.extend(before);
        if member.touched_at.is_none() {
            member.touched_at = Some(now);
            member.was_failing = is_failing;
        }
        member.work = parts(action, fit).into();
    }

    /// Does one part; false when it is under way and the next has to wait.
    pub(super) fn do_part(&mut self, course: &mut Course, place: usize, part: &Part) -> bool {
        let now = self.now;
        let call = course.members[place].call.clone();
        let Some(known) = self.calls.get(&call) else {
            return true;
        };
        if let Some(why) = self.is_no_moment(known, part) {
            return self.wait_for(course, place, why);
        }
        course.members[place].waits = None;
        let (command, expect, is_sentence) = match part {
            Part::Say {
                announcement,
                is_step,
            } => {
                let Some(text) = self.run_sentence(course, &call, announcement) else {
                    return true;
                };
                let is_able = self.is_capable(known, holdfast_domain::CommandName::Announce);
                if !is_able {
                    return true;
                }
                let language = known.dialogue.language.clone();
                (Command::Announce { text, language }, None, !is_step)
            }
            Part::Do {
                verb,
                retry_turn,
                said,
            } => {
                let said = said
                    .as_ref()
                    .and_then(|said| self.run_sentence(course, &call, said));
                let Some((mut command, expect)) = command_of(known, verb, *retry_turn) else {
                    return self.is_so_already(course, place);
                };
                if let Command::SwitchModel { announcement, .. } = &mut command {
                    *announcement = said;
                }
                (command, expect, false)
            }
            Part::Retry => (Command::RetryTurn, None, false),
            Part::Transfer(to) => {
                let handoff_id = HandoffId::new(format!("{}.{}", course.run.id, place + 1));
                let key = handoff_id.to_string();
                let command = Command::Transfer {
                    handoff_id,
                    to: to.clone(),
                    announcement: None,
                    key,
                };
                (command, None, false)
            }
            Part::Human => {
                course.line.push(place);
                let state = RunCallState::Queued { callback: false };
                course.set_state(place, state, now);
                commanded(course, place, now);
                return true;
            }
            Part::UndoneStep(step) => {
                course.members[place].done.retain(|done| done != step);
                return true;
            }
        };
        let source = known.source.clone();
        let member = &mut course.members[place];
        member.commands += 1;
        member.undo_commands += u32::from(member.is_undoing);
        let id = CommandId::new(format!(
            "{}.{}.{}",
            course.run.id,
            place + 1,
            member.commands
        ));
        let record = CommandRecord {
            id: id.clone(),
            act: ActId::new(course.run.id.as_str()),
            call: Some(call),
            source,
            command,
            expect_active: expect,
            actor: course.run.requested_by.clone(),
            issued_at: now,
            expires_at: now + self.config.command_ttl_ms,
            progress: vec![Progress {
                state: CommandState::Requested,
                at: now,
            }],
        };
        member.flight = Some(Flight {
            command: id.clone(),
            is_sentence,
            at: now,
        });
        let is_first_word = matches!(
            member.state,
            RunCallState::Untouched | RunCallState::Waiting { .. }
        );
        let state = if member.is_undoing {
            RunCallState::Undoing
        } else {
            RunCallState::Intent
        };
        if !is_sentence {
            member.command = Some(id);
        }
        if !is_sentence || is_first_word {
            course.set_state(place, state, now);
        }
        commanded(course, place, now);
        self.issue(record);
        // The part is taken from the work; what follows waits for the flight.
        true
    }

    /// It became so while the sentence was spoken, or somebody else changed it back.
    fn is_so_already(&self, course: &mut Course, place: usize) -> bool {
        let member = &course.members[place];
        if member.is_undoing || member.command.is_some() {
            return true;
        }
        let why = holdfast_domain::DifferenceKind::AlreadySo;
        leave(course, place, why, self.now);
        false
    }

    /// A payment can begin, and a bridge fall silent, between a sentence and its switch.
    fn is_no_moment(&self, call: &Call, part: &Part) -> Option<RunWait> {
        let verb = match part {
            Part::Do { verb, .. } => verb.clone(),
            Part::Say { .. } | Part::Retry | Part::Transfer(_) => ActVerb::PauseAi,
            Part::Human | Part::UndoneStep(_) => return None,
        };
        if self.feed(&call.source) != FeedState::Live {
            return Some(RunWait::StaleFeed);
        }
        is_protected(call, &verb).then_some(RunWait::Protected)
    }

    /// What the caller hears, in their language.
    fn run_sentence(
        &self,
        course: &Course,
        call: &holdfast_domain::CallId,
        announcement: &AnnouncementId,
    ) -> Option<String> {
        let language = &self.calls.get(call)?.dialogue.language;
        let template = course.playbook.announcement(announcement, language)?;
        let callback_min = words::callback_min(&course.playbook);
        let wait_s = self.human_wait(course.line.len() as u32 + 1, None).wait_s;
        Some(words::spoken(template, wait_s, callback_min))
    }
}

/// Calls that begin while a run lasts go to humans as those in flight do.
fn for_member(action: &Action, is_follower: bool) -> Action {
    let mut action = action.clone();
    if let Action::RouteToHumans { calls, .. } = &mut action
        && is_follower
    {
        *calls = RoutedCalls::Both;
    }
    action
}

/// A step as commands in their order. A switch carries its sentence; of any other change the
/// caller hears before it.
fn parts(action: &Action, fit: &Fit) -> Vec<Part> {
    let says = action.announcements();
    let (retry_turn, mut said) = match action {
        Action::SwitchModel { retry_turn, .. } | Action::SwitchRegion { retry_turn, .. } => {
            (*retry_turn, says.first().copied().cloned())
        }
        _ => (false, None),
    };
    let is_switch = said.is_some();
    let does: Vec<Part> = fit
        .verbs
        .iter()
        .map(|verb| Part::Do {
            verb: verb.clone(),
            retry_turn,
            said: said.take(),
        })
        .collect();
    match action {
        Action::RetryTurn => vec![Part::Retry],
        Action::Announce { announcement } => vec![say(announcement, true)],
        Action::RouteToHumans { .. } => vec![Part::Human],
        Action::Transfer { to, announcement } => {
            vec![say(announcement, false), Part::Transfer(to.clone())]
        }
        _ if is_switch => does,
        _ => says
            .into_iter()
            .map(|id| say(id, false))
            .chain(does)
            .collect(),
    }
}

fn say(announcement: &AnnouncementId, is_step: bool) -> Part {
    Part::Say {
        announcement: announcement.clone(),
        is_step,
    }
}

const fn wait(reason: ExcludedReason) -> RunWait {
    match reason {
        ExcludedReason::ProtectedMoment => RunWait::Protected,
        ExcludedReason::StaleFeed => RunWait::StaleFeed,
        ExcludedReason::NotLive
        | ExcludedReason::WithHuman
        | ExcludedReason::NotCapable
        | ExcludedReason::NoTarget
        | ExcludedReason::AlreadySo
        | ExcludedReason::Busy => RunWait::Busy,
    }
}

/// A command that ended because its call did says nothing about the run.
fn count_command(course: &mut Course, state: &CommandState) {
    let (counts, failed) = match state {
        CommandState::Failed { kind, .. } => {
            let counts = *kind != FailureKind::CallEnded;
            (counts, counts)
        }
        CommandState::Rejected { .. } | CommandState::Expired => (true, true),
        _ => (true, false),
    };
    course.commands += u32::from(counts);
    course.commands_failed += u32::from(failed);
}

fn outcome(state: &CommandState) -> RunCallState {
    match state {
        CommandState::Requested => RunCallState::Intent,
        CommandState::Accepted => RunCallState::Accepted,
        CommandState::Applied { .. } => RunCallState::Applied,
        CommandState::Proven { .. } => RunCallState::Proven,
        CommandState::Failed { kind, message } => RunCallState::Failed {
            kind: *kind,
            message: message.clone(),
        },
        CommandState::Rejected { kind, message } => RunCallState::Rejected {
            kind: *kind,
            message: message.clone(),
        },
        CommandState::Expired => RunCallState::Expired,
        CommandState::Unknown => RunCallState::Unknown,
    }
}

fn message_of(state: &CommandState) -> String {
    match state {
        CommandState::Failed { message, .. } | CommandState::Rejected { message, .. } => {
            message.clone()
        }
        CommandState::Expired => "nobody answered before it ran out; act on the call".to_owned(),
        CommandState::Requested
        | CommandState::Accepted
        | CommandState::Applied { .. }
        | CommandState::Proven { .. }
        | CommandState::Unknown => {
            "nobody knows whether it was undone; look at the call".to_owned()
        }
    }
}
