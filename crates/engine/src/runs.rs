//! Runs of playbooks: whom they touch, in which order, and when they stop by themselves.
//!
//! ```text
//! preview -> start -> (second person) -> commit -> stage -> hold, verify -> next stage -> ... end
//!                                          |         |          |
//!                                          |         +----------+--> abort -> rollback
//!                                          +--> refused: nothing changed, and that is recorded
//! ```
//!
//! A run holds the exact set of calls that was previewed. Each of them is changed as previewed or
//! is a difference with its reason; no other call is touched, unless the playbook sends new calls
//! to humans. While runs live they are looked at every [`LOOK_MS`]; between two looks a person's
//! request and the red lever act at once.
//! Deliberately absent: failover that needs no person.

mod checks;
mod commit;
mod course;
mod fit;
mod line;
mod preview;
mod requests;
mod stages;
mod treat;
mod undo;
mod watch;
mod words;

use std::collections::BTreeMap;

use holdfast_domain::{
    CallId, DifferenceKind, DurationMs, Lever, Record, RunCallState, RunDifference, RunEvent,
    RunEventKind, RunId, RunState, RunTally, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::timers::{Queued, TimerKey, Timers};
use crate::{Config, Engine, Entry, Person};
use course::Course;

/// How often a run is looked at while it lives: five times a second no step waits for long, and a
/// look at ten thousand calls costs a few milliseconds.
const LOOK_MS: DurationMs = 200;

/// How often a run's counts are told while nothing else about it changes.
const TELL_MS: DurationMs = 500;

/// The most calls, differences and events that a record names.
const NAMED_MAX: usize = 200;

/// How long after a run's end the outcomes of its last commands are still waited for: longer than
/// a command may take.
const SETTLE_MS: DurationMs = 60_000;

/// The most runs that are known; beyond, the oldest that are over go. A bad day has some dozen.
const RUNS_MAX: usize = 500;

/// Who acts when no person does.
const HOLDFAST: &str = "holdfast";

/// All runs that live or were over lately, and the red lever.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Runs {
    courses: BTreeMap<RunId, Course>,
    lever: Lever,
    /// Whether each person who asked for a run may still do so, as their newest request showed.
    rights: BTreeMap<String, bool>,
    /// The calls of runs that act.
    holds: BTreeMap<CallId, RunId>,
    /// Calls that began while a run sends new calls to humans, and were not looked at yet.
    newborn: Vec<CallId>,
    /// Bridges were not heard before this because the hub was not there.
    feeds_from: Timestamp,
    look_at: Option<Timestamp>,
    #[serde(skip)]
    queued: Queued,
}

impl Runs {
    /// The red lever is pulled: nothing is done automatically.
    pub(crate) fn lever_is_pulled(&self) -> bool {
        self.lever.on
    }

    /// Runs that live, those that were over lately, and the lever once it was moved.
    pub(crate) fn records(&self, config: &Config, now: Timestamp) -> Vec<Record> {
        let told = self.courses.values().filter(|course| {
            let run = &course.run;
            let is_recent = now.since(run.updated_at) <= config.records_ms;
            course.is_public && (run.is_open() || is_recent)
        });
        let lever = (!self.lever.by.is_empty()).then(|| Record::Lever {
            lever: self.lever.clone(),
        });
        told.map(|course| Record::Run {
            run: Box::new(course.run.clone()),
        })
        .chain(lever)
        .collect()
    }

    /// A turn of a call was answered, late or in time; None where it had failed before, and counts
    /// as that.
    pub(crate) fn turn_answered(&mut self, call: &CallId, late: Option<bool>) {
        if let (Some(is_late), Some(member)) = (late, self.held(call)) {
            member.turns += 1;
            member.good_turns += 1;
            member.late_turns += u32::from(is_late);
        }
    }

    /// A turn of a call got no good answer.
    pub(crate) fn turn_failed(&mut self, call: &CallId) {
        if let Some(member) = self.held(call) {
            member.turns += 1;
            member.late_turns += 1;
        }
    }

    /// A call is over.
    pub(crate) fn call_ended(&mut self, call: &CallId, is_abrupt: bool, now: Timestamp) {
        if let Some(member) = self.held(call) {
            member.ended_at = Some(now);
            member.is_abrupt = is_abrupt;
        }
    }

    /// A call began.
    pub(crate) fn call_began(&mut self, call: &CallId) {
        if self.courses.values().any(Course::follows) {
            self.newborn.push(call.clone());
        }
    }

    fn held(&mut self, call: &CallId) -> Option<&mut course::Member> {
        let run = self.holds.get(call)?;
        let course = self.courses.get_mut(run)?;
        let place = *course.place.get(call)?;
        course.members.get_mut(place)
    }

    /// The hub came up again: no bridge could be heard until now.
    pub(crate) fn restarted(&mut self, now: Timestamp) {
        self.feeds_from = now;
    }

    /// What a person may do can change while their request is open.
    pub(crate) fn note_rights(&mut self, who: &Person) {
        if let Some(may) = self.rights.get_mut(&who.name) {
            *may = who.can_act_on_all;
        }
    }

    pub(crate) fn queue(&mut self, timers: &mut Timers) {
        timers.arm(|| TimerKey::Runs, self.look_at, &mut self.queued);
    }
}

impl Engine {
    /// The red lever is pulled: failover and runs do nothing.
    pub fn lever_is_pulled(&self) -> bool {
        self.runs.lever_is_pulled()
    }

    pub(crate) fn fire_runs(&mut self, due: Timestamp) {
        self.runs.queued.pop(due);
        if self.runs.look_at.is_none_or(|at| at > due) {
            self.runs.queue(&mut self.timers);
            return;
        }
        let now = self.pass_to(due);
        self.runs.look_at = None;
        let ids: Vec<RunId> = self.runs.courses.keys().cloned().collect();
        for id in &ids {
            self.look_at_run(id);
        }
        self.runs.newborn.clear();
        self.forget_runs();
        let courses = self.runs.courses.values();
        let next = courses.filter_map(|course| next_look(course, now)).min();
        if let Some(next) = next {
            self.look_at_runs_in(next.since(now).max(1));
        }
    }

    /// Looks at the runs before long.
    fn look_at_runs_in(&mut self, ms: DurationMs) {
        let at = self.now + ms;
        if self.runs.look_at.is_none_or(|known| at < known) {
            self.runs.look_at = Some(at);
        }
        self.runs.queue(&mut self.timers);
    }

    fn look_at_run(&mut self, id: &RunId) {
        // Taken out while it acts on the engine: nothing else may change it meanwhile.
        let Some(mut course) = self.runs.courses.remove(id) else {
            return;
        };
        let now = self.now;
        let state = course.run.state.clone();
        let is_over = state.expires_at().is_some_and(|at| at <= now);
        match state {
            RunState::Previewed { .. } if is_over && !course.is_public => return,
            RunState::Previewed { .. } | RunState::AwaitingApproval { .. } if is_over => {
                let text = "nobody approved in time: nothing was changed";
                self.end_run(&mut course, RunState::Expired, RunEventKind::Expired, text);
            }
            RunState::RollingBack { why } => self.roll_on(&mut course, &why),
            state if state.is_acting() => self.go_on(&mut course),
            _ if course.is_settling(now) => self.poll_members(&mut course),
            _ => {}
        }
        self.tell_run(&mut course, false);
        self.runs.courses.insert(id.clone(), course);
    }

    /// Writes a run down: at once when something happened to it, else when its counts are due.
    fn tell_run(&mut self, course: &mut Course, at_once: bool) {
        let now = self.now;
        let is_due = now.since(course.told_at) >= TELL_MS;
        if !course.is_public || !(at_once || course.is_news || course.is_dirty && is_due) {
            return;
        }
        (course.is_news, course.is_dirty, course.told_at) = (false, false, now);
        course.run.updated_at = now;
        describe(course);
        self.append(Entry::Record(Record::Run {
            run: Box::new(course.run.clone()),
        }));
    }

    /// Forgets what was over long ago, and the oldest beyond the limit.
    fn forget_runs(&mut self) {
        let (now, kept_ms) = (self.now, self.config.records_ms);
        self.runs.courses.retain(|_, course| {
            let run = &course.run;
            run.is_open() || now.since(run.updated_at) <= kept_ms
        });
        while self.runs.courses.len() > RUNS_MAX {
            let over = self.runs.courses.values().filter(|course| {
                course.run.state.is_final()
                    || matches!(course.run.state, RunState::Previewed { .. })
            });
            let Some(oldest) = over.min_by_key(|course| course.run.updated_at) else {
                break;
            };
            let id = oldest.run.id.clone();
            self.runs.courses.remove(&id);
        }
    }
}

/// When a run is looked at next; None when nothing more happens to it by itself.
fn next_look(course: &Course, now: Timestamp) -> Option<Timestamp> {
    let state = &course.run.state;
    if state.is_acting() || course.is_settling(now) || course.is_dirty && course.is_public {
        return Some(now + LOOK_MS);
    }
    state.expires_at()
}

/// Adds an event to a run's story.
fn note_event(course: &mut Course, at: Timestamp, by: &str, kind: RunEventKind, text: &str) {
    let by = by.to_owned();
    let text = crate::words::clip(text, 300);
    course.run.timeline.push(RunEvent { at, by, kind, text });
    if course.run.timeline.len() > NAMED_MAX {
        // The request stays, the oldest of what followed goes.
        course.run.timeline.remove(1);
    }
    course.is_news = true;
}

/// Counts and names the calls of a run as they are now.
fn describe(course: &mut Course) {
    let mut tally = RunTally::default();
    // The stages of earlier blocks stand as they ended.
    let first = course.run_stage.saturating_sub(course.stage);
    for stage in course.run.stages.iter_mut().skip(first) {
        stage.tally = RunTally::default();
        (stage.turns, stage.good_turns) = (0, 0);
    }
    for member in &course.members {
        tally.count(&member.state);
        if let Some(stage) = member
            .stage
            .filter(|stage| *stage as usize >= first)
            .and_then(|stage| course.run.stages.get_mut(stage as usize))
        {
            stage.tally.count(&member.state);
            stage.turns += member.turns;
            stage.good_turns += member.good_turns;
        }
    }
    for stage in &mut course.run.stages {
        stage.n_calls = stage.tally.n_calls;
    }
    course.run.tally = tally;
    course.run.differences_total = course.differences.len() as u32;
    course.run.differences = course
        .differences
        .iter()
        .take(NAMED_MAX)
        .map(|(call, kind)| RunDifference {
            call: call.clone(),
            kind: *kind,
        })
        .collect();
    let mut named: Vec<&course::Member> = course.members.iter().collect();
    named.sort_by_key(|member| (urgency(&member.state), std::cmp::Reverse(member.at)));
    course.run.calls = named
        .into_iter()
        .take(NAMED_MAX)
        .map(course::Member::view)
        .collect();
}

/// What a person looks at first.
const fn urgency(state: &RunCallState) -> u8 {
    match state {
        RunCallState::Failed { .. }
        | RunCallState::Rejected { .. }
        | RunCallState::Expired
        | RunCallState::NotUndone { .. } => 0,
        RunCallState::Unknown => 1,
        RunCallState::Left { why } if why.breaks_the_preview() => 2,
        RunCallState::Waiting { .. } => 3,
        RunCallState::Intent
        | RunCallState::Accepted
        | RunCallState::Queued { .. }
        | RunCallState::Undoing => 4,
        RunCallState::Applied
        | RunCallState::Proven
        | RunCallState::HandedOver { .. }
        | RunCallState::Undone => 5,
        RunCallState::Left { .. } => 6,
        RunCallState::Untouched => 7,
    }
}

/// A call is not changed as previewed.
fn leave(course: &mut Course, place: usize, why: DifferenceKind, now: Timestamp) {
    let Some(member) = course.members.get_mut(place) else {
        return;
    };
    member.work.clear();
    member.flight = None;
    member.is_done = true;
    member.set_state(RunCallState::Left { why }, now);
    course.differences.insert(member.call.clone(), why);
    course.is_dirty = true;
}
