//! The moment in which a run begins: everything that was true when it was previewed is looked at
//! again, and each difference is explained.

use std::collections::BTreeSet;

use holdfast_domain::{
    CallId, CauseReach, CheckResult, DifferenceKind, ExcludedReason, RunEventKind, RunId,
    RunRefusal, RunStage, RunStageState, RunState, RunStop, StepId,
};

use super::course::Course;
use super::fit::Hindrance;
use super::preview::{is_break_glass, reversibility};
use super::{HOLDFAST, NAMED_MAX, leave, note_event, words};
use crate::Engine;

impl Engine {
    /// Why a run may not begin now; the set is not looked at.
    pub(super) fn may_begin(&self, course: &Course) -> Result<(), RunRefusal> {
        if self.runs.lever.on {
            let by = self.runs.lever.by.clone();
            return Err(RunRefusal::LeverPulled { by });
        }
        if self.sight.is_blind() {
            return Err(RunRefusal::FeedStale { source: None });
        }
        if self.playbooks.get(&course.playbook.id) != Some(&course.playbook) {
            return Err(RunRefusal::ParametersChanged);
        }
        let set: Vec<CallId> = course.members.iter().map(|m| m.call.clone()).collect();
        if !is_break_glass(&course.playbook) {
            if let Some(run) = self.other_run(&course.run.id, &set) {
                return Err(RunRefusal::ScopeHeld { run });
            }
            if let Some(source) = self.stale_source(set.iter()) {
                let source = Some(source);
                return Err(RunRefusal::FeedStale { source });
            }
        }
        let matching = self.matching(&course.playbook, course.group.as_ref());
        let checks = self.run_checks(
            &course.run.id,
            &course.playbook,
            course.group.as_ref(),
            &matching,
            &course.members,
        );
        let failed: Vec<CheckResult> = checks.into_iter().filter(|check| !check.holds).collect();
        if !failed.is_empty() {
            return Err(RunRefusal::PreconditionsFailed { failed });
        }
        Ok(())
    }

    /// Begins the run, or tells why not; then nothing was changed.
    pub(super) fn commit_run(&mut self, course: &mut Course) -> Result<(), RunRefusal> {
        self.may_begin(course)?;
        let differences = self.differences(course);
        let breaks = |kind: &DifferenceKind| kind.breaks_the_preview();
        let is_broken = differences.iter().any(|(_, kind)| breaks(kind));
        if is_broken && !is_break_glass(&course.playbook) {
            return Err(RunRefusal::ParametersChanged);
        }
        let follows_only = course.members.is_empty() && has_new_calls(course);
        if differences.len() >= course.members.len() && !follows_only {
            return Err(RunRefusal::NothingToDo);
        }
        self.supersede_runs(course);
        let now = self.now;
        for (place, kind) in differences {
            leave(course, place, kind, now);
        }
        for call in self.newly_matching(course) {
            course
                .differences
                .insert(call, DifferenceKind::NewlyMatching);
        }
        for member in &course.members {
            let held = self.runs.holds.entry(member.call.clone());
            held.or_insert_with(|| course.run.id.clone());
        }
        course.run.stages = stages(course);
        course.run.started_at = Some(now);
        course.run.ends_at = Some(now + i64::from(course.playbook.ttl_s) * 1_000);
        course.run.state = RunState::Running { stage: 0 };
        let text = format!(
            "begins with {} calls; {} are not as they were previewed",
            course.members.len() as u32 - left(course),
            course.differences.len()
        );
        note_event(course, now, HOLDFAST, RunEventKind::Started, &text);
        self.go_on(course);
        self.look_at_runs_in(super::LOOK_MS);
        Ok(())
    }

    /// What became of the previewed calls since: those that cannot be changed as previewed.
    fn differences(&self, course: &Course) -> Vec<(usize, DifferenceKind)> {
        let still: Option<BTreeSet<CallId>> =
            (course.playbook.selector.reach == CauseReach::Failing).then(|| {
                let matching = self.matching(&course.playbook, course.group.as_ref());
                matching.into_iter().collect()
            });
        let (first, steps) = course.steps_on_calls();
        let mut found = Vec::new();
        for (place, member) in course.members.iter().enumerate() {
            let is_gone = !self.calls.contains(&member.call);
            if !is_gone
                && still
                    .as_ref()
                    .is_some_and(|still| !still.contains(&member.call))
            {
                found.push((place, DifferenceKind::MatchesNoMore));
                continue;
            }
            let mut reasons = Vec::new();
            for (n, step) in steps.iter().enumerate() {
                let pinned = member.targets_of(first + n);
                match self.fit(&step.action, &member.call, course.tool(), &pinned, None) {
                    // What has no moment now has one later.
                    Ok(_) | Err(Hindrance::NotNow(_)) => {
                        reasons.clear();
                        break;
                    }
                    Err(Hindrance::Never(reason)) => reasons.push(reason),
                }
            }
            if let Some(reason) = reasons.first() {
                found.push((place, difference(*reason)));
            }
        }
        found
    }

    fn newly_matching(&self, course: &Course) -> Vec<CallId> {
        let matching = self.matching(&course.playbook, course.group.as_ref());
        matching
            .into_iter()
            .filter(|call| !course.place.contains_key(call) && !course.excluded.contains(call))
            .take(NAMED_MAX)
            .collect()
    }

    /// What nothing may hold up takes the calls of other runs over; those stop.
    fn supersede_runs(&mut self, course: &Course) {
        if !is_break_glass(&course.playbook) {
            return;
        }
        let mut others: Vec<RunId> = course
            .members
            .iter()
            .filter_map(|member| self.runs.holds.get(&member.call))
            .filter(|other| **other != course.run.id)
            .cloned()
            .collect();
        others.sort();
        others.dedup();
        for id in others {
            let Some(mut other) = self.runs.courses.remove(&id) else {
                continue;
            };
            let run = course.run.id.clone();
            let why = RunStop::Superseded { run };
            let text = words::stop(&why);
            let state = RunState::Stopped { why };
            self.end_run(&mut other, state, RunEventKind::Stopped, &text);
            self.tell_run(&mut other, true);
            self.runs.courses.insert(id, other);
        }
    }
}

impl Course {
    /// The first block of steps on calls, with the place of its first step.
    fn steps_on_calls(&self) -> (usize, Vec<holdfast_domain::playbook::PlaybookStep>) {
        let mut first = 0;
        for block in self.playbook.blocks() {
            if block.iter().any(|step| step.action.is_per_call()) {
                return (first, block.to_vec());
            }
            first += block.len();
        }
        (first, Vec::new())
    }
}

impl super::course::Member {
    /// The services to which this step switches the call, as previewed.
    pub(super) fn targets_of(&self, step: usize) -> Vec<(holdfast_domain::Layer, String)> {
        self.targets
            .iter()
            .filter(|(of, _, _)| *of == step)
            .map(|(_, layer, name)| (*layer, name.clone()))
            .collect()
    }
}

/// Every block of steps on calls goes through all stages.
fn stages(course: &Course) -> Vec<RunStage> {
    let mut stages = Vec::new();
    for block in course.playbook.blocks() {
        if !block.iter().all(|step| step.action.is_per_call()) {
            continue;
        }
        let steps: Vec<StepId> = block.iter().map(|step| step.id.clone()).collect();
        stages.extend(course.playbook.stages.iter().map(|stage| RunStage {
            steps: steps.clone(),
            reach: stage.reach,
            n_calls: 0,
            state: RunStageState::Pending,
            began_at: None,
            commanded_at: None,
            proven_at: None,
            tally: holdfast_domain::RunTally::default(),
            turns: 0,
            good_turns: 0,
        }));
    }
    stages
}

fn has_new_calls(course: &Course) -> bool {
    use holdfast_domain::playbook::{Action, RoutedCalls};
    course.playbook.steps.iter().any(|step| {
        matches!(
            step.action,
            Action::RouteToHumans {
                calls: RoutedCalls::New | RoutedCalls::Both,
                ..
            }
        )
    })
}

fn left(course: &Course) -> u32 {
    course
        .members
        .iter()
        .filter(|member| member.is_left())
        .count() as u32
}

/// A call that a step is nothing for, as a difference to the preview.
pub(super) const fn difference(reason: ExcludedReason) -> DifferenceKind {
    match reason {
        ExcludedReason::NotLive => DifferenceKind::Ended,
        ExcludedReason::WithHuman => DifferenceKind::WithHuman,
        ExcludedReason::ProtectedMoment => DifferenceKind::Protected,
        ExcludedReason::NotCapable => DifferenceKind::NotCapable,
        ExcludedReason::NoTarget => DifferenceKind::NoTarget,
        ExcludedReason::AlreadySo => DifferenceKind::AlreadySo,
        ExcludedReason::Busy => DifferenceKind::Busy,
        ExcludedReason::StaleFeed => DifferenceKind::StaleFeed,
    }
}

/// The place in the playbook's steps from which a call is not changed back any more.
pub(super) fn point_of_no_return(course: &Course) -> Option<usize> {
    match reversibility(&course.playbook) {
        holdfast_domain::Reversibility::Full => None,
        holdfast_domain::Reversibility::UpTo { step } => {
            let mut steps = course.playbook.steps.iter();
            steps.position(|known| known.id == step)
        }
    }
}
