//! What stops a run by itself: conditions of its own, and how its calls do against the untouched.

use holdfast_domain::playbook::{AbortCondition, Measure};
use holdfast_domain::{CallId, RunCallState, RunComparison, RunStop, Timestamp};

use super::course::{Course, Member};
use super::preview::HANDLE_S;
use crate::{Engine, words as said};

impl Engine {
    /// How the touched calls do against the untouched.
    pub(super) fn compare(course: &mut Course) {
        let mut measures: Vec<Measure> = course
            .playbook
            .abort
            .iter()
            .filter_map(|condition| match condition {
                AbortCondition::WorseThanUntouched { measure, .. } => Some(*measure),
                _ => None,
            })
            .collect();
        measures.sort_unstable();
        measures.dedup();
        let began = course
            .run
            .stages
            .get(course.run_stage)
            .and_then(|stage| stage.began_at);
        let comparison: Vec<RunComparison> = measures
            .into_iter()
            .map(|measure| comparison(course, measure, began))
            .collect();
        if course.run.comparison != comparison {
            course.run.comparison = comparison;
            course.is_dirty = true;
        }
    }

    /// An abort condition that is true now.
    pub(super) fn abort_found(&self, course: &Course) -> Option<RunStop> {
        course.playbook.abort.iter().find_map(|condition| {
            let found = self.is_true(course, condition)?;
            Some(RunStop::Abort {
                condition: condition.clone(),
                found,
            })
        })
    }

    fn is_true(&self, course: &Course, condition: &AbortCondition) -> Option<String> {
        match condition {
            AbortCondition::CommandsFailed {
                percent_over,
                commands_min,
            } => {
                let (all, failed) = (course.commands, course.commands_failed);
                let is_so = all >= *commands_min && is_over(failed, all, *percent_over);
                is_so.then(|| format!("{failed} of {all} commands did not work"))
            }
            AbortCondition::OutcomesUnknown { calls_over } => {
                let unknown = count(course, |member| member.state == RunCallState::Unknown);
                (unknown > *calls_over)
                    .then(|| format!("of {unknown} calls nobody knows what happened"))
            }
            AbortCondition::NewlyFailing { calls_over } => {
                let failing = count(course, |member| {
                    is_touched(member)
                        && !member.was_failing
                        && member.ended_at.is_none()
                        && self
                            .calls
                            .get(&member.call)
                            .is_some_and(crate::calls::Call::is_failing)
                });
                (failing > *calls_over)
                    .then(|| format!("{failing} calls that were well fail since they were touched"))
            }
            AbortCondition::EndedAbruptly {
                percent_over,
                calls_min,
            } => {
                let touched = count(course, is_touched);
                let abrupt = count(course, |member| is_touched(member) && member.is_abrupt);
                let is_so = touched >= *calls_min && is_over(abrupt, touched, *percent_over);
                is_so.then(|| format!("{abrupt} of {touched} touched calls ended abruptly"))
            }
            AbortCondition::HumanWait { wait_s_over } => {
                let wait = self.line_wait_s(course)?;
                (wait > *wait_s_over).then(|| format!("callers wait {wait} s for a human"))
            }
            AbortCondition::FeedStale { age_ms_over } => {
                let touched: Vec<CallId> = course
                    .members
                    .iter()
                    .filter(|member| is_touched(member) && member.ended_at.is_none())
                    .map(|member| member.call.clone())
                    .collect();
                let (source, age) = self.oldest_feed(&touched)?;
                (age > i64::from(*age_ms_over))
                    .then(|| format!("{source} was not heard for {}", said::seconds(age)))
            }
            AbortCondition::WorseThanUntouched {
                measure,
                points_over,
                calls_min,
            } => {
                let mut told = course.run.comparison.iter();
                let told = told.find(|told| told.measure == *measure)?;
                let (touched, untouched) = (told.touched_permille?, told.untouched_permille?);
                let is_judged = told.touched >= *calls_min && told.untouched >= *calls_min;
                let is_worse = touched > untouched + u32::from(*points_over) * 10;
                (is_judged && is_worse).then(|| {
                    format!(
                        "{} {} of the touched calls against {} of the untouched",
                        words(*measure),
                        percent(touched),
                        percent(untouched)
                    )
                })
            }
        }
    }

    /// How long the caller who waits longest has waited, or the last in line will wait.
    fn line_wait_s(&self, course: &Course) -> Option<u32> {
        let waited = course
            .line
            .iter()
            .filter_map(|place| course.members.get(*place))
            .map(|member| self.now.since(member.at).max(0) / 1_000)
            .max()?;
        let there = self.handoffs.there();
        // With nobody there only the real wait is known.
        let predicted = match there {
            0 => 0,
            there => (course.line.len() as u32).div_ceil(there) * HANDLE_S,
        };
        Some(u32::try_from(waited).unwrap_or(u32::MAX).max(predicted))
    }
}

pub(super) fn is_touched(member: &Member) -> bool {
    member.touched_at.is_some() && !member.is_left()
}

fn comparison(course: &Course, measure: Measure, began: Option<Timestamp>) -> RunComparison {
    let touched = course.members.iter().filter(|member| is_touched(member));
    let untouched = course
        .members
        .iter()
        .filter(|member| member.touched_at.is_none() && !member.is_left())
        // Those that ended before the stage began were compared with the stages before.
        .filter(|member| {
            member
                .ended_at
                .is_none_or(|at| began.is_some_and(|began| at >= began))
        });
    let (touched, touched_permille) = share(touched, measure);
    let (untouched, untouched_permille) = share(untouched, measure);
    RunComparison {
        measure,
        touched,
        touched_permille,
        untouched,
        untouched_permille,
    }
}

/// How many calls are judged, and their share in thousandths.
fn share<'a>(members: impl Iterator<Item = &'a Member>, measure: Measure) -> (u32, Option<u32>) {
    let (mut calls, mut bad, mut all) = (0_u32, 0_u64, 0_u64);
    for member in members {
        let (n, of) = match measure {
            Measure::FailedTurns => (member.turns.saturating_sub(member.good_turns), member.turns),
            Measure::LateAnswers => (member.late_turns, member.turns),
            Measure::EndedAbruptly => (u32::from(member.is_abrupt), 1),
        };
        calls += u32::from(of > 0);
        bad += u64::from(n);
        all += u64::from(of);
    }
    // A share of at most one, in thousandths, fits.
    let permille = (bad * 1_000)
        .checked_div(all)
        .map(|permille| permille as u32);
    (calls, permille)
}

fn count(course: &Course, is_so: impl Fn(&Member) -> bool) -> u32 {
    course.members.iter().filter(|member| is_so(member)).count() as u32
}

/// `part` of `all` is over `percent`.
fn is_over(part: u32, all: u32, percent: u8) -> bool {
    u64::from(part) * 100 > u64::from(all) * u64::from(percent)
}

const fn words(measure: Measure) -> &'static str {
    match measure {
        Measure::FailedTurns => "turns without a good answer:",
        Measure::LateAnswers => "late answers:",
        Measure::EndedAbruptly => "abrupt ends:",
    }
}

fn percent(permille: u32) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}
