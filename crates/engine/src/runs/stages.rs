//! A run goes on: block after block of steps, and each block on calls stage after stage.
//!
//! ```text
//! fill the stage --> change its calls --> hold --> verify --> next stage, next block
//!      ^                 |  (one that must not be disturbed now waits)   |
//!      |                 +--> abort condition true --> rollback          +--> not proven in
//!      +------------------------------------------------------------------    time: rollback
//! ```

use holdfast_domain::playbook::{Action, PlaybookStep, Stage, Verify};
use holdfast_domain::{
    DifferenceKind, DurationMs, RunCallState, RunEventKind, RunMessage, RunStageState, RunState,
    RunStop, RunWait, Timestamp,
};

use super::checks::{Asked, is_share, is_unwell};
use super::course::Course;
use super::preview::is_break_glass;
use super::words::Moment;
use super::{HOLDFAST, leave, note_event, words};
use crate::Engine;

/// How long a call whose stage has come may wait for a moment in which it can be disturbed: a
/// payment by voice takes two to four minutes.
const MOMENT_MS_MAX: DurationMs = 300_000;

/// How a stage stands.
struct Standing {
    /// Commands are under way, or about to be.
    in_flight: bool,
    /// Calls wait for their moment.
    waiting: bool,
    touched: u32,
}

impl Engine {
    /// One look at a run that acts.
    pub(super) fn go_on(&mut self, course: &mut Course) {
        let now = self.now;
        self.poll_members(course);
        if course.run.ends_at.is_some_and(|at| at <= now) {
            return self.time_is_over(course);
        }
        self.follow_new_calls(course);
        Self::compare(course);
        if let Some(why) = self.abort_found(course) {
            return self.begin_rollback(course, why);
        }
        let breaking = course.differences.values();
        let n_calls = breaking.filter(|kind| kind.breaks_the_preview()).count() as u32;
        if n_calls > 0 && !is_break_glass(&course.playbook) {
            let why = RunStop::SetChanged { n_calls };
            let text = words::stop(&why);
            return self.end_run(
                course,
                RunState::Stopped { why },
                RunEventKind::Stopped,
                &text,
            );
        }
        while course.run.state.is_acting() && !course.is_through && self.step_on(course) {}
        self.drain_line(course);
        let is_open = course.follows() || !course.line.is_empty() || has_offers(course);
        if course.is_through && course.run.state.is_acting() && !is_open {
            let text = "every stage is proven";
            self.end_run(course, RunState::Completed, RunEventKind::Completed, text);
        }
    }

    /// A run that only keeps the line of callers is over in time; any other is cut short.
    fn time_is_over(&mut self, course: &mut Course) {
        if course.is_through {
            let text = "every stage is proven, and its time is over";
            return self.end_run(course, RunState::Completed, RunEventKind::Completed, text);
        }
        let text = "its time to live is over: what was done stays, nothing more is done";
        self.end_run(course, RunState::Expired, RunEventKind::Expired, text);
    }

    /// Goes on by one step or stage; false when it has to wait.
    fn step_on(&mut self, course: &mut Course) -> bool {
        let (first, steps) = course.steps();
        let Some(step) = steps.first() else {
            course.is_through = true;
            return false;
        };
        if step.action.is_per_call() {
            return self.stage_on(course, first, &steps);
        }
        self.single_on(course, step)
    }

    fn next_block(course: &mut Course) {
        course.block += 1;
        course.stage = 0;
        course.step_since = None;
        course.answer = None;
    }

    // === steps that are done once ===

    fn single_on(&mut self, course: &mut Course, step: &PlaybookStep) -> bool {
        let now = self.now;
        let is_new = course.step_since.is_none();
        let since = *course.step_since.get_or_insert(now);
        let done = match &step.action {
            Action::Notify { audiences } => {
                let moment = self.moment(course);
                for audience in audiences {
                    if let Some(template) = course.playbook.messages.get(audience) {
                        let text = words::filled(template, course, &moment);
                        course.run.messages.push(RunMessage {
                            audience: *audience,
                            text,
                            at: now,
                        });
                    }
                }
                true
            }
            Action::WaitUntil { until, timeout_s } => {
                let expires_at = since + i64::from(*timeout_s) * 1_000;
                let matching = self.matching(&course.playbook, course.group.as_ref());
                let asked = Asked {
                    run: &course.run.id,
                    playbook: &course.playbook,
                    group: course.group.as_ref(),
                    matching: &matching,
                    members: &course.members,
                };
                let holds = self.run_check(until, asked).holds;
                if !holds && now >= expires_at {
                    let step = step.id.clone();
                    self.begin_rollback(course, RunStop::StepTimedOut { step });
                    return false;
                }
                if !holds {
                    let step = step.id.clone();
                    set_state(course, RunState::WaitingUntil { step, expires_at });
                }
                holds
            }
            Action::Ask {
                question,
                timeout_s,
            } => {
                let expires_at = since + i64::from(*timeout_s) * 1_000;
                match course.answer.take() {
                    Some((true, _)) => true,
                    Some((false, by)) => {
                        let step = step.id.clone();
                        let why = RunStop::AnsweredNo { step, by };
                        let text = words::stop(&why);
                        let state = RunState::Stopped { why };
                        self.end_run(course, state, RunEventKind::Stopped, &text);
                        return false;
                    }
                    None if now >= expires_at => {
                        let why = RunStop::StepTimedOut {
                            step: step.id.clone(),
                        };
                        let text = words::stop(&why);
                        let state = RunState::Stopped { why };
                        self.end_run(course, state, RunEventKind::Stopped, &text);
                        return false;
                    }
                    None => {
                        let moment = self.moment(course);
                        let question = words::filled(question, course, &moment);
                        if is_new {
                            let kind = RunEventKind::Asked {
                                step: step.id.clone(),
                            };
                            note_event(course, now, HOLDFAST, kind, &question);
                        }
                        let step = step.id.clone();
                        if is_new {
                            set_state(
                                course,
                                RunState::AwaitingAnswer {
                                    step,
                                    question,
                                    expires_at,
                                },
                            );
                        }
                        false
                    }
                }
            }
            // A block of one step is never on calls.
            _ => true,
        };
        if done {
            let kind = RunEventKind::StepDone {
                step: step.id.clone(),
            };
            let text = format!("the step {} is done", step.id);
            note_event(course, now, HOLDFAST, kind, &text);
            Self::next_block(course);
        }
        done
    }

    fn moment(&self, course: &Course) -> Moment {
        let matching = self.matching(&course.playbook, course.group.as_ref());
        let layer = course.playbook.layer;
        let failing = matching
            .iter()
            .filter_map(|id| self.calls.get(id))
            .filter(|call| is_unwell(call, layer))
            .count();
        let capacity = self.human_wait(matching.len() as u32, None);
        Moment {
            in_scope: matching.len() as u32,
            failing: failing as u32,
            humans_free: capacity.free,
            wait_s: capacity.wait_s,
        }
    }

    // === stages ===

    fn stage_on(&mut self, course: &mut Course, first: usize, steps: &[PlaybookStep]) -> bool {
        let now = self.now;
        let Some(stage) = course.playbook.stages.get(course.stage).cloned() else {
            Self::next_block(course);
            return true;
        };
        let is_last = course.stage + 1 == course.playbook.stages.len();
        self.begin_stage(course);
        self.fill_stage(course, &stage);
        let here = course.run_stage as u32;
        for place in 0..course.members.len() {
            let member = &course.members[place];
            if member.stage.is_some_and(|stage| stage <= here) && !member.is_done {
                self.treat(course, place, first, steps);
            }
        }
        self.give_up_waiting(course);
        let standing = standing(course, is_last);
        let since = {
            let stage = &course.run.stages[course.run_stage];
            stage.commanded_at.or(stage.began_at).unwrap_or(now)
        };
        let is_empty = standing.touched == 0 && !standing.waiting && !standing.in_flight;
        let is_blocked =
            standing.in_flight || standing.waiting && (is_last || standing.touched == 0);
        let has_held = is_empty || now >= since + i64::from(stage.hold_s) * 1_000;
        let (is_proven, found) = verify(course, stage.verify);
        if !is_blocked && has_held && is_proven {
            self.stage_proven(course);
            return true;
        }
        let limit_s = stage.verify.within_s().max(stage.hold_s);
        let is_late = now >= since + i64::from(limit_s) * 1_000 && standing.touched > 0;
        if is_late && (!is_proven || standing.in_flight) {
            let stage = here;
            self.begin_rollback(course, RunStop::NotProven { stage, found });
            return false;
        }
        let stage = here;
        let (next, of_stage) = if is_blocked {
            (RunState::Running { stage }, RunStageState::Running)
        } else if has_held {
            (RunState::Verifying { stage }, RunStageState::Verifying)
        } else {
            (RunState::Holding { stage }, RunStageState::Holding)
        };
        course.run.stages[course.run_stage].state = of_stage;
        set_state(course, next);
        false
    }

    fn begin_stage(&mut self, course: &mut Course) {
        let now = self.now;
        let Some(stage) = course.run.stages.get_mut(course.run_stage) else {
            return;
        };
        if stage.began_at.is_some() {
            return;
        }
        stage.began_at = Some(now);
        stage.state = RunStageState::Running;
        if course.stage == 0 {
            // A new block: every call that is still there is done anew, in the same order.
            for member in &mut course.members {
                if !member.is_left() {
                    (member.stage, member.step, member.is_done) = (None, None, false);
                }
            }
        }
        for member in &mut course.members {
            // Untouched calls are compared from here on.
            if member.touched_at.is_none() {
                member.forget_turns();
            }
        }
        let stage = course.run_stage as u32;
        let text = format!("stage {} begins", stage + 1);
        let kind = RunEventKind::StageBegan { stage };
        note_event(course, now, HOLDFAST, kind, &text);
        set_state(course, RunState::Running { stage });
    }

    /// Gives the stage its calls: the next in the order that can be touched at all.
    fn fill_stage(&mut self, course: &mut Course, stage: &Stage) {
        let now = self.now;
        let all = course.members.iter().filter(|m| !m.is_follower).count() as u32;
        let wanted = stage.reach.of(all);
        let here = course.run_stage as u32;
        let taken = |m: &super::course::Member| m.stage.is_some() && !m.is_left() && !m.is_follower;
        let mut n = course.members.iter().filter(|m| taken(m)).count() as u32;
        for place in 0..course.members.len() {
            let member = &course.members[place];
            if member.is_follower {
                if stage.reach == holdfast_domain::playbook::StageReach::All
                    && member.stage.is_none()
                {
                    course.members[place].stage = Some(here);
                }
                continue;
            }
            if n >= wanted {
                break;
            }
            if member.stage.is_some() || member.is_left() {
                continue;
            }
            if !self.calls.contains(&member.call) {
                leave(course, place, DifferenceKind::Ended, now);
                continue;
            }
            course.members[place].stage = Some(here);
            n += 1;
        }
    }

    /// A call whose moment does not come is left alone, with the reason.
    fn give_up_waiting(&mut self, course: &mut Course) {
        let now = self.now;
        for place in 0..course.members.len() {
            let Some((why, since)) = course.members[place].waits else {
                continue;
            };
            if now.since(since) < MOMENT_MS_MAX {
                continue;
            }
            let member = &mut course.members[place];
            member.waits = None;
            if member.touched_at.is_none() {
                leave(course, place, gave_up(why), now);
            } else {
                // What was done to it stands, what is left of its steps is not done.
                member.work.clear();
                member.is_done = true;
            }
        }
    }

    fn stage_proven(&mut self, course: &mut Course) {
        let now = self.now;
        let stage = course.run_stage as u32;
        if let Some(proven) = course.run.stages.get_mut(course.run_stage) {
            proven.state = RunStageState::Proven;
            proven.proven_at = Some(now);
        }
        let kind = RunEventKind::StageProven { stage };
        let text = format!("stage {} is proven", stage + 1);
        note_event(course, now, HOLDFAST, kind, &text);
        course.run_stage += 1;
        course.stage += 1;
        if course.stage >= course.playbook.stages.len() {
            Self::next_block(course);
        }
    }

    /// It is over: what was not done is a difference, and nobody is asked any more.
    pub(super) fn end_run(
        &mut self,
        course: &mut Course,
        state: RunState,
        kind: RunEventKind,
        text: &str,
    ) {
        let now = self.now;
        self.leave_line(course);
        if course.run.started_at.is_some() {
            for place in 0..course.members.len() {
                let member = &course.members[place];
                // Whoever only heard a sentence was not changed.
                let is_unchanged = member.touched_at.is_none()
                    || member.command.is_none()
                        && matches!(
                            member.state,
                            RunCallState::Intent | RunCallState::Waiting { .. }
                        );
                if is_unchanged && !member.is_left() && !member.is_follower {
                    let why = if member.ended_at.is_some() {
                        DifferenceKind::Ended
                    } else {
                        DifferenceKind::RunEnded
                    };
                    leave(course, place, why, now);
                }
                let member = &mut course.members[place];
                member.work.clear();
                member.is_done = true;
                member.waits = None;
            }
        }
        for stage in &mut course.run.stages {
            if !matches!(stage.state, RunStageState::Proven | RunStageState::Pending) {
                stage.state = RunStageState::Ended;
            }
        }
        self.release_calls(course);
        course.ended_at = Some(now);
        course.run.state = state;
        note_event(course, now, HOLDFAST, kind, text);
        self.look_at_runs_in(super::LOOK_MS);
    }

    pub(super) fn release_calls(&mut self, course: &Course) {
        for member in &course.members {
            if self.runs.holds.get(&member.call) == Some(&course.run.id) {
                self.runs.holds.remove(&member.call);
            }
        }
    }
}

/// Humans are asked for calls of the run, and none is on them yet.
fn has_offers(course: &Course) -> bool {
    course.members.iter().any(|member| {
        member.ended_at.is_none() && member.state == RunCallState::HandedOver { with_human: false }
    })
}

/// Sets where a run stands; a change is told at once.
pub(super) fn set_state(course: &mut Course, state: RunState) {
    if course.run.state != state {
        course.run.state = state;
        course.is_news = true;
    }
}

const fn gave_up(why: RunWait) -> DifferenceKind {
    match why {
        RunWait::Speaking => DifferenceKind::Speaking,
        RunWait::Protected => DifferenceKind::Protected,
        RunWait::Busy => DifferenceKind::Busy,
        RunWait::StaleFeed => DifferenceKind::StaleFeed,
    }
}

/// The calls of the stage that is being done.
fn of_stage(course: &Course) -> impl Iterator<Item = &super::course::Member> {
    let here = course.run_stage as u32;
    course
        .members
        .iter()
        .filter(move |member| member.stage == Some(here))
}

fn standing(course: &Course, is_last: bool) -> Standing {
    let mut standing = Standing {
        in_flight: false,
        waiting: false,
        touched: 0,
    };
    let here = course.run_stage as u32;
    let is_here = |stage: u32| stage == here || is_last && stage < here;
    let members = course.members.iter();
    for member in members.filter(|member| member.stage.is_some_and(is_here)) {
        standing.touched += u32::from(is_touched(member));
        if member.ended_at.is_some() || member.is_left() {
            continue;
        }
        if member.waits.is_some() {
            standing.waiting = true;
        } else if !member.is_done || member.flight.is_some() {
            standing.in_flight = true;
        }
    }
    standing
}

fn is_touched(member: &super::course::Member) -> bool {
    member.touched_at.is_some() && !member.is_left()
}

/// Whether the stage is proven, and what was found.
fn verify(course: &Course, verify: Verify) -> (bool, String) {
    let touched: Vec<_> = of_stage(course)
        .filter(|member| is_touched(member))
        .collect();
    let alive: Vec<_> = touched
        .iter()
        .filter(|member| member.ended_at.is_none())
        .collect();
    let share = |is_so: &dyn Fn(&RunCallState) -> bool, percent: u8, what: &str| {
        let n = alive.iter().filter(|member| is_so(&member.state)).count() as u32;
        let all = alive.len() as u32;
        (
            is_share(n, all, percent),
            format!("{n} of {all} calls {what}"),
        )
    };
    match verify {
        Verify::GoodTurns {
            percent_min,
            turns_min,
            ..
        } => {
            let turns: u32 = touched.iter().map(|member| member.turns).sum();
            let good: u32 = touched.iter().map(|member| member.good_turns).sum();
            // Where there are fewer calls than turns are wanted, a turn of each is enough.
            let needed = turns_min.min(alive.len() as u32);
            let found = format!("{good} of {turns} turns were good, {needed} are judged at least");
            (turns >= needed && is_share(good, turns, percent_min), found)
        }
        Verify::ReadBack { percent_min, .. } => share(
            &|state| {
                matches!(
                    state,
                    RunCallState::Applied
                        | RunCallState::Proven
                        | RunCallState::Queued { .. }
                        | RunCallState::HandedOver { .. }
                )
            },
            percent_min,
            "are read back as changed",
        ),
        Verify::HumanOnCall { percent_min, .. } => share(
            &|state| matches!(state, RunCallState::HandedOver { with_human: true }),
            percent_min,
            "have a human",
        ),
    }
}

/// The last command of a stage was written down.
pub(super) fn commanded(course: &mut Course, place: usize, now: Timestamp) {
    let Some(stage) = course.members[place].stage else {
        return;
    };
    if let Some(stage) = course.run.stages.get_mut(stage as usize) {
        stage.commanded_at = Some(now);
    }
}
