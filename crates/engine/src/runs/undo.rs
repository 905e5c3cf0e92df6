//! A run is undone: the calls that it touched go back, each by its own steps backwards. No other
//! call is touched, and none that passed the point of no return.

use holdfast_domain::playbook::{Action, Undo};
use holdfast_domain::{
    ActVerb, AiState, CallId, DurationMs, RunCallState, RunEventKind, RunRefusal, RunState,
    RunStop, RunWait,
};

use super::commit::point_of_no_return;
use super::course::{Course, Part, tool_of};
use super::stages::set_state;
use super::watch::is_touched;
use super::{HOLDFAST, LOOK_MS, note_event, words};
use crate::Engine;
use crate::acts::is_protected;
use crate::calls::Call;

/// How long a call's moment is waited for in a rollback: a payment by voice, and a bridge that
/// comes back.
const MOMENT_MS_MAX: DurationMs = 300_000;

impl Engine {
    /// The run stops by itself, and what can be undone is.
    pub(super) fn begin_rollback(&mut self, course: &mut Course, why: RunStop) {
        let text = words::stop(&why);
        let has_undo = (0..course.members.len()).any(|place| is_undoable(course, place));
        if !has_undo {
            let state = RunState::Aborted { why };
            return self.end_run(course, state, RunEventKind::Stopped, &text);
        }
        let was = course.run.state.clone();
        self.end_run(course, was, RunEventKind::Stopped, &text);
        self.take_back(course, &why);
    }

    /// A person asks for a run to be undone.
    pub(super) fn roll_back_by_person(
        &mut self,
        course: &mut Course,
        why: &RunStop,
    ) -> Result<(), RunRefusal> {
        if self.runs.lever.on {
            let by = self.runs.lever.by.clone();
            return Err(RunRefusal::LeverPulled { by });
        }
        let state = &course.run.state;
        let is_possible = course.run.started_at.is_some()
            && !matches!(
                state,
                RunState::RollingBack { .. } | RunState::RolledBack { .. }
            );
        if !is_possible {
            return Err(RunRefusal::WrongState);
        }
        let touched: Vec<CallId> = course
            .members
            .iter()
            .filter(|member| is_touched(member))
            .map(|member| member.call.clone())
            .collect();
        if let Some(run) = self.other_run(&course.run.id, &touched) {
            return Err(RunRefusal::ScopeHeld { run });
        }
        if let Some(source) = self.stale_source(touched.iter()) {
            let source = Some(source);
            return Err(RunRefusal::FeedStale { source });
        }
        self.poll_members(course);
        if !(0..course.members.len()).any(|place| is_undoable(course, place)) {
            return Err(RunRefusal::PointOfNoReturn);
        }
        if course.run.state.is_acting() {
            let text = words::stop(why);
            let was = course.run.state.clone();
            self.end_run(course, was, RunEventKind::Stopped, &text);
        }
        self.take_back(course, why);
        Ok(())
    }

    fn take_back(&mut self, course: &mut Course, why: &RunStop) {
        let now = self.now;
        for member in &course.members {
            if is_touched(member) {
                let held = self.runs.holds.entry(member.call.clone());
                held.or_insert_with(|| course.run.id.clone());
            }
        }
        course.undo_since = Some(now);
        course.ended_at = None;
        let text = format!("is undone: {}", words::stop(why));
        note_event(course, now, HOLDFAST, RunEventKind::RollbackBegan, &text);
        set_state(course, RunState::RollingBack { why: why.clone() });
        self.roll_on(course, why);
        self.look_at_runs_in(LOOK_MS);
    }

    /// One look at a run that is undone.
    pub(super) fn roll_on(&mut self, course: &mut Course, why: &RunStop) {
        let now = self.now;
        self.poll_members(course);
        let since = course.undo_since.unwrap_or(now);
        let is_late = now.since(since) >= MOMENT_MS_MAX;
        let mut is_open = false;
        for place in 0..course.members.len() {
            if course.members[place].is_undone || !is_touched(&course.members[place]) {
                continue;
            }
            if is_late {
                self.give_up(course, place);
            } else if !self.undo(course, place) {
                is_open = true;
            }
        }
        if !is_open {
            let why = why.clone();
            let text = "every call that can be changed back is as it was";
            self.end_run(
                course,
                RunState::RolledBack { why },
                RunEventKind::RolledBack,
                text,
            );
        }
    }

    /// Goes on with one call; true when nothing is left to be done for it.
    fn undo(&mut self, course: &mut Course, place: usize) -> bool {
        let now = self.now;
        if course.members[place].flight.is_some() {
            return course.members[place].ended_at.is_some();
        }
        if course.members[place].ended_at.is_some() {
            course.members[place].is_undone = true;
            return true;
        }
        if !course.members[place].is_undoing {
            if !is_undoable(course, place) {
                course.members[place].is_undone = true;
                return true;
            }
            let call = self.calls.get(&course.members[place].call);
            let work = call.map(|call| undo_parts(course, place, call));
            let member = &mut course.members[place];
            member.is_undoing = true;
            member.work = work.unwrap_or_default().into();
            course.set_state(place, RunCallState::Undoing, now);
        }
        loop {
            let member = &course.members[place];
            if member.flight.is_some() || member.is_undone {
                return member.is_undone;
            }
            let Some(part) = member.work.front().cloned() else {
                break;
            };
            if self.is_disturbing(course, place, &part) || !self.do_part(course, place, &part) {
                return course.members[place].is_left();
            }
            course.members[place].work.pop_front();
        }
        course.members[place].is_undone = true;
        if course.members[place].state == RunCallState::Undoing {
            course.set_state(place, RunCallState::Undone, now);
        }
        true
    }

    /// Nobody is cut short by a rollback either.
    fn is_disturbing(&self, course: &mut Course, place: usize, part: &Part) -> bool {
        if matches!(part, Part::UndoneStep(_)) || course.members[place].commands_of_undo() {
            return false;
        }
        let Some(call) = self.calls.get(&course.members[place].call) else {
            return false;
        };
        let verb = match part {
            Part::Do { verb, .. } => verb.clone(),
            _ => ActVerb::PauseAi,
        };
        let why = if is_protected(call, &verb) {
            Some(RunWait::Protected)
        } else if self.is_busy(call, &verb, None) {
            Some(RunWait::Busy)
        } else if !call.floor.nobody_speaks() {
            Some(RunWait::Speaking)
        } else {
            None
        };
        if let Some(why) = why {
            course.members[place].waits.get_or_insert((why, self.now));
        }
        why.is_some()
    }

    fn give_up(&self, course: &mut Course, place: usize) {
        let member = &mut course.members[place];
        member.is_undone = true;
        member.flight = None;
        member.work.clear();
        let message = "its moment did not come, or nobody knows what is so; look at the call and \
                       change it back by hand"
            .to_owned();
        course.set_state(place, RunCallState::NotUndone { message }, self.now);
    }
}

impl super::course::Member {
    /// A command of the rollback was sent already: what follows belongs to it.
    fn commands_of_undo(&self) -> bool {
        self.is_undoing && !self.work.is_empty() && self.waits.is_none() && self.undo_commands > 0
    }
}

/// Something was read back as changed, and the call has not passed the point of no return.
fn is_undoable(course: &Course, place: usize) -> bool {
    let member = &course.members[place];
    if !is_touched(member) || member.ended_at.is_some() || member.is_undone {
        return false;
    }
    let limit = point_of_no_return(course);
    let is_past = |step: &usize| limit.is_some_and(|limit| *step >= limit);
    let reached = member.done.iter().chain(&member.step).any(is_past);
    let is_changed = !member.done.is_empty() || member.flight.is_some();
    is_changed && !reached && has_undo(course, place)
}

fn has_undo(course: &Course, place: usize) -> bool {
    let member = &course.members[place];
    member.done.iter().chain(&member.step).any(|step| {
        let step = course.playbook.steps.get(*step);
        step.is_some_and(|step| course.playbook.undo_of(&step.id).is_some())
    })
}

/// The steps that were done, backwards.
fn undo_parts(course: &Course, place: usize, call: &Call) -> Vec<Part> {
    let member = &course.members[place];
    let mut parts = Vec::new();
    for at in member.done.iter().rev() {
        let Some(step) = course.playbook.steps.get(*at) else {
            continue;
        };
        let Some(undo) = course.playbook.undo_of(&step.id) else {
            continue;
        };
        let verbs = undo_verbs(course, place, *at, &step.action, call);
        if verbs.is_empty() {
            continue;
        }
        parts.extend(said_and_done(undo, verbs));
        parts.push(Part::UndoneStep(*at));
    }
    parts
}

/// A switch carries its sentence; of any other change the caller hears before it.
fn said_and_done(undo: &Undo, verbs: Vec<ActVerb>) -> Vec<Part> {
    let mut said = undo.announcement.clone();
    let is_switch = matches!(verbs.first(), Some(ActVerb::SwitchModel { .. }));
    let says = said.clone().filter(|_| !is_switch);
    let says = says.map(|announcement| Part::Say {
        announcement,
        is_step: false,
    });
    let does = verbs.into_iter().map(|verb| Part::Do {
        verb,
        retry_turn: false,
        said: said.take().filter(|_| is_switch),
    });
    says.into_iter().chain(does).collect()
}

/// How a step is taken back on a call. What somebody else changed since stays.
fn undo_verbs(
    course: &Course,
    place: usize,
    at: usize,
    action: &Action,
    call: &Call,
) -> Vec<ActVerb> {
    let member = &course.members[place];
    match action {
        Action::SwitchModel { .. } | Action::SwitchRegion { .. } => member
            .before
            .iter()
            .filter(|(step, layer, _)| {
                let ours = member
                    .targets
                    .iter()
                    .find(|(of, on, _)| of == step && on == layer);
                *step == at
                    && ours.is_none_or(|(_, _, name)| {
                        call.active(*layer)
                            .is_some_and(|active| active.name == *name)
                    })
            })
            .map(|(_, layer, name)| ActVerb::SwitchModel {
                layer: *layer,
                to: Some(name.clone()),
            })
            .collect(),
        Action::DisableTools { tools } => vec![ActVerb::EnableTools {
            tools: tools_of(course, tools),
        }],
        Action::EnableTools { tools } => vec![ActVerb::DisableTools {
            tools: tools_of(course, tools),
        }],
        Action::PauseAi { .. } if call.ai == AiState::Paused => vec![ActVerb::ResumeAi],
        Action::ResumeAi { .. } if call.ai == AiState::Active => vec![ActVerb::PauseAi],
        _ => Vec::new(),
    }
}

fn tools_of(course: &Course, tools: &holdfast_domain::playbook::ToolChoice) -> Vec<String> {
    use holdfast_domain::playbook::ToolChoice;
    match tools {
        ToolChoice::All => Vec::new(),
        ToolChoice::Names(names) => names.clone(),
        ToolChoice::Cause => tool_of(course.group.as_ref())
            .map(str::to_owned)
            .into_iter()
            .collect(),
    }
}
