//! The line of callers for humans: it is drained as fast as humans can take calls, those at most
//! risk first. Whoever was not offered yet stays with the AI when the run stops.

use std::cmp::Reverse;

use holdfast_domain::playbook::Action;
use holdfast_domain::{
    AnnouncementId, Command, CommandId, CommandName, CommandRecord, CommandState, FeedState,
    HandoffId, HandoffReason, Progress, RunCallState, Timestamp,
};

use super::course::{Course, Member, Part};
use super::fit::is_selected;
use super::preview::HANDLE_S;
use super::words;
use crate::Engine;
use crate::acts::is_protected;

impl Engine {
    /// Offers as many callers of the line as humans are free, and tells the others how long it
    /// takes.
    pub(super) fn drain_line(&mut self, course: &mut Course) {
        let now = self.now;
        self.sort_line(course);
        let mut free = self.handoffs.unclaimed();
        let mut rest = Vec::new();
        for place in std::mem::take(&mut course.line) {
            if free == 0 || !self.offer_to_humans(course, place, now) {
                rest.push(place);
            } else {
                free -= 1;
            }
        }
        course.line = rest;
        self.match_handoffs();
        for ahead in 0..course.line.len() {
            let place = course.line[ahead];
            self.tell_the_wait(course, place, ahead as u32);
        }
    }

    /// Those that are gone leave the line; the others stand by risk, then by who has waited
    /// longest. Those that must not be disturbed now stand last.
    fn sort_line(&self, course: &mut Course) {
        let members = &course.members;
        course.line.retain(|place| {
            members.get(*place).is_some_and(|member| {
                member.ended_at.is_none()
                    && self
                        .calls
                        .get(&member.call)
                        .is_some_and(|call| call.phase == holdfast_domain::CallPhase::Ai)
            })
        });
        course.line.sort_by_cached_key(|place| {
            let member = &members[*place];
            let call = self.calls.get(&member.call);
            let verb = holdfast_domain::ActVerb::RouteToHumans;
            let is_protected = call.is_some_and(|call| is_protected(call, &verb));
            let is_at_risk = call.is_some_and(|call| call.high_risk);
            let is_failing = call.is_some_and(crate::calls::Call::is_failing);
            let waits_since: Timestamp = call
                .and_then(|call| call.failing_since)
                .unwrap_or(member.at);
            (
                is_protected,
                Reverse(is_at_risk),
                Reverse(is_failing),
                waits_since,
                member.call.clone(),
            )
        });
    }

    /// False when this is no moment for the call.
    fn offer_to_humans(&mut self, course: &mut Course, place: usize, now: Timestamp) -> bool {
        let member = &course.members[place];
        let Some(call) = self.calls.get(&member.call) else {
            return false;
        };
        let verb = holdfast_domain::ActVerb::RouteToHumans;
        let is_moment = self.feed(&call.source) == FeedState::Live
            && !is_protected(call, &verb)
            && !self.is_busy(call, &verb, None);
        if !is_moment {
            return false;
        }
        let id = HandoffId::new(format!("{}.{}", course.run.id, place + 1));
        let (call, by) = (member.call.clone(), course.run.requested_by.clone());
        course.members[place].handoff = Some(id.clone());
        let state = RunCallState::HandedOver { with_human: false };
        course.set_state(place, state, now);
        self.request_handoff(&call, id, HandoffReason::Supervisor, &by);
        true
    }

    /// A caller who has to wait hears how long, or is offered a callback; once.
    fn tell_the_wait(&mut self, course: &mut Course, place: usize, ahead: u32) {
        let there = self.handoffs.there();
        let wait_s = (there > 0).then(|| (ahead + 1).div_ceil(there) * HANDLE_S);
        let Some((announcement, overflow)) = sentences(course) else {
            return;
        };
        let (overflow_s, overflow) = overflow;
        let is_over = wait_s.is_none_or(|wait| wait > overflow_s);
        let member = &course.members[place];
        if member.is_told {
            return;
        }
        let Some(call) = self.calls.get(&member.call) else {
            return;
        };
        let verb = holdfast_domain::ActVerb::PauseAi;
        let is_moment = self.feed(&call.source) == FeedState::Live
            && call.floor.nobody_speaks()
            && !is_protected(call, &verb)
            && !self.is_busy(call, &verb, None)
            && self.is_capable(call, CommandName::Announce);
        if !is_moment {
            return;
        }
        let said = if is_over { overflow } else { announcement };
        let language = call.dialogue.language.clone();
        let Some(template) = course.playbook.announcement(&said, &language) else {
            return;
        };
        let text = words::spoken(template, wait_s, words::callback_min(&course.playbook));
        self.say_in_line(course, place, text, language);
        if is_over {
            course.run.callbacks += 1;
            let state = RunCallState::Queued { callback: true };
            course.set_state(place, state, self.now);
        }
    }

    fn say_in_line(&mut self, course: &mut Course, place: usize, text: String, language: String) {
        let now = self.now;
        let member = &mut course.members[place];
        member.is_told = true;
        member.commands += 1;
        let call = member.call.clone();
        let Some(source) = self.calls.get(&call).map(|call| call.source.clone()) else {
            return;
        };
        let id = CommandId::new(format!(
            "{}.{}.{}",
            course.run.id,
            place + 1,
            member.commands
        ));
        self.issue(CommandRecord {
            id,
            act: holdfast_domain::ActId::new(course.run.id.as_str()),
            call: Some(call),
            source,
            command: Command::Announce { text, language },
            expect_active: None,
            actor: course.run.requested_by.clone(),
            issued_at: now,
            expires_at: now + self.config.command_ttl_ms,
            progress: vec![Progress {
                state: CommandState::Requested,
                at: now,
            }],
        });
    }

    /// Calls that began since the last look go the same way, where the playbook says so.
    pub(super) fn follow_new_calls(&mut self, course: &mut Course) {
        if !course.follows() || self.runs.newborn.is_empty() {
            return;
        }
        let now = self.now;
        for id in self.runs.newborn.clone() {
            let is_new = !course.place.contains_key(&id) && !self.runs.holds.contains_key(&id);
            let Some(call) = self.calls.get(&id).filter(|_| is_new) else {
                continue;
            };
            let group = course.group.as_ref();
            let is_exposed = group.is_none_or(|group| Self::is_exposed(call, group));
            if !is_exposed || !is_selected(call, &course.playbook, group) {
                continue;
            }
            let mut member = Member::new(id.clone(), "human".to_owned(), now);
            member.is_follower = true;
            let place = course.members.len();
            course.members.push(member);
            course.place.insert(id.clone(), place);
            self.runs.holds.insert(id, course.run.id.clone());
            if course.is_through {
                // Its block is over: it gets in line at once.
                let member = &mut course.members[place];
                (member.touched_at, member.is_done) = (Some(now), true);
                let stage = course.run.stages.len().saturating_sub(1) as u32;
                member.stage = Some(stage);
                self.do_part(course, place, &Part::Human);
            }
            course.is_dirty = true;
        }
    }

    /// The run ends: those that no human was asked for stay where they are.
    pub(super) fn leave_line(&mut self, course: &mut Course) {
        let now = self.now;
        for place in std::mem::take(&mut course.line) {
            if let Some(member) = course.members.get_mut(place) {
                // Nothing was done to it but that it waited, or what was done stands.
                if member.done.is_empty() {
                    super::leave(
                        course,
                        place,
                        holdfast_domain::DifferenceKind::RunEnded,
                        now,
                    );
                } else {
                    course.set_state(place, RunCallState::Applied, now);
                }
            }
        }
        let waiting: Vec<HandoffId> = course
            .members
            .iter()
            .filter(|member| member.state == RunCallState::HandedOver { with_human: false })
            .filter_map(|member| member.handoff.clone())
            .collect();
        for id in waiting {
            self.withdraw_handoff(&id, "the run that sent the call to a human ended");
        }
    }
}

/// What callers in line hear: the wait, and above so many seconds the offer of a callback.
fn sentences(course: &Course) -> Option<(AnnouncementId, (u32, AnnouncementId))> {
    course
        .playbook
        .steps
        .iter()
        .find_map(|step| match &step.action {
            Action::RouteToHumans {
                announcement,
                overflow,
                ..
            } => Some((
                announcement.clone(),
                (overflow.wait_s_max, overflow.announcement.clone()),
            )),
            _ => None,
        })
}
