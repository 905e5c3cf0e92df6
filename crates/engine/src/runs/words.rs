//! Sentences about runs: the callers before the technique.

use std::collections::BTreeSet;

use holdfast_domain::playbook::{Placeholder, Template};
use holdfast_domain::{ExcludedReason, Playbook, RunPreview, RunRefusal, RunStop};

use super::course::Course;
use super::preview::HANDLE_S;
use crate::words::{clip, layer, reason};

/// Minutes until the next message to an audience.
const NEXT_UPDATE_MIN: u32 = 15;

/// What callers hear, by language: the sentences of the steps in their order.
pub(super) fn announcements(
    playbook: &Playbook,
    languages: &BTreeSet<&str>,
) -> Vec<(String, String)> {
    let ids: Vec<_> = playbook
        .steps
        .iter()
        .flat_map(|step| step.action.announcements())
        .collect();
    let mut told = Vec::new();
    for language in languages {
        let mut sentences: Vec<String> = Vec::new();
        for id in &ids {
            if let Some(template) = playbook.announcement(id, language) {
                let text = template.to_string();
                if !sentences.contains(&text) {
                    sentences.push(text);
                }
            }
        }
        if !sentences.is_empty() {
            told.push(((*language).to_owned(), sentences.join(" / ")));
        }
    }
    told
}

/// The preview in a sentence, before it is a table.
pub(super) fn preview(preview: &RunPreview) -> String {
    let left: u32 = preview.excluded_by.iter().map(|(_, n)| n).sum();
    let all = preview.n_calls + left;
    let becomes: Vec<String> = preview
        .becomes
        .iter()
        .map(|(what, n)| format!("{what}: {n}"))
        .collect();
    let mut sentences = vec![match preview.n_calls {
        0 => format!("Touches none of {all} calls."),
        n => format!("Touches {n} of {all} calls ({}).", becomes.join(", ")),
    }];
    if preview.protected > 0 {
        let n = preview.protected;
        let are = reason(ExcludedReason::ProtectedMoment, n == 1);
        sentences.push(format!("{n} {are} and come last."));
    }
    for (why, n) in &preview.excluded_by {
        sentences.push(format!("{n} {}.", reason(*why, *n == 1)));
    }
    let humans = preview.humans;
    if humans.n_calls > 0 {
        sentences.push(match humans.wait_s {
            Some(wait) => format!(
                "Humans there: {}, free: {}. Predicted wait {wait} s; {} are offered a callback.",
                humans.there, humans.free, humans.callbacks
            ),
            None => "No human is there: all are offered a callback.".to_owned(),
        });
    }
    let missing = preview.checks.iter().filter(|check| !check.holds);
    for check in missing {
        sentences.push(format!("In the way: {}.", check.found));
    }
    if let holdfast_domain::Reversibility::UpTo { step } = &preview.reversibility {
        sentences.push(format!("From the step {step} on it cannot be undone."));
    }
    sentences.join(" ")
}

/// A spoken sentence with its values.
pub(super) fn spoken(template: &Template, wait_s: Option<u32>, callback_min: u32) -> String {
    template.fill(|value| match value {
        Placeholder::WaitMinutes => wait_s.unwrap_or(HANDLE_S).div_ceil(60).max(1).to_string(),
        Placeholder::CallbackMinutes => callback_min.to_string(),
        // A reader of playbooks lets no other value into what callers hear.
        _ => String::new(),
    })
}

/// What a message needs to know of the moment.
pub(super) struct Moment {
    pub(super) in_scope: u32,
    pub(super) failing: u32,
    pub(super) humans_free: u32,
    pub(super) wait_s: Option<u32>,
}

/// A message to an audience, or a question, with its values.
pub(super) fn filled(template: &Template, course: &Course, moment: &Moment) -> String {
    let run = &course.run;
    let touched = course.members.iter().filter(|m| m.touched_at.is_some());
    let proven = course
        .members
        .iter()
        .filter(|m| m.state == holdfast_domain::RunCallState::Proven);
    template.fill(|value| match value {
        Placeholder::WaitMinutes => moment
            .wait_s
            .unwrap_or(HANDLE_S)
            .div_ceil(60)
            .max(1)
            .to_string(),
        Placeholder::CallbackMinutes => callback_min(&course.playbook).to_string(),
        Placeholder::Title => course.playbook.title.clone(),
        Placeholder::Owner => course.playbook.owner.clone(),
        Placeholder::Layer => layer(course.playbook.layer).to_owned(),
        Placeholder::Cause => course.group.as_ref().map_or_else(
            || "No cause is known yet.".to_owned(),
            |group| group.sentence.clone(),
        ),
        Placeholder::Since => {
            let since = course.group.as_ref().map_or(run.requested_at, |g| g.since);
            time_of_day(since.as_millis())
        }
        Placeholder::CallsInScope => moment.in_scope.to_string(),
        Placeholder::CallsFailing => moment.failing.to_string(),
        Placeholder::CallsTouched => touched.clone().count().to_string(),
        Placeholder::CallsProven => proven.clone().count().to_string(),
        Placeholder::HumansFree => moment.humans_free.to_string(),
        Placeholder::CallbacksPromised => run.callbacks.to_string(),
        Placeholder::Stage => (course.run_stage + 1).to_string(),
        Placeholder::Stages => run.stages.len().max(1).to_string(),
        Placeholder::NextUpdateMinutes => NEXT_UPDATE_MIN.to_string(),
    })
}

/// Minutes within which the playbook promises a callback.
pub(super) fn callback_min(playbook: &Playbook) -> u32 {
    use holdfast_domain::playbook::Action;
    let promised = playbook.steps.iter().find_map(|step| match &step.action {
        Action::RouteToHumans { overflow, .. } => Some(overflow.callback_within_min),
        Action::Callback { within_min, .. } => Some(*within_min),
        _ => None,
    });
    promised.unwrap_or(0)
}

/// `14:02 UTC`.
fn time_of_day(ms: i64) -> String {
    let minutes = ms.div_euclid(60_000).rem_euclid(24 * 60);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// Why a request is refused: what happened, what it means, what to do.
pub(super) fn refusal(refusal: &RunRefusal) -> String {
    match refusal {
        RunRefusal::ApproverIsRequester => {
            "who asked for the run cannot approve it; a second person must".to_owned()
        }
        RunRefusal::SameIdentity => {
            "the run was asked for under this name at another console: two \
                                     consoles are one person; a second person must approve"
                .to_owned()
        }
        RunRefusal::Expired => {
            "the time in which it could be approved is over; preview it again and ask again"
                .to_owned()
        }
        RunRefusal::ParametersChanged => "the calls, the playbook or the parameters are not those \
                                          that were previewed; look at the new preview and decide \
                                          again"
            .to_owned(),
        RunRefusal::RightRevoked { who } => {
            format!("{who} may not run playbooks; a commander must ask and another approve")
        }
        RunRefusal::PreconditionsFailed { failed } => {
            let found: Vec<&str> = failed.iter().map(|check| check.found.as_str()).collect();
            let found = found.join("; ");
            format!("preconditions do not hold: {found}; nothing was changed")
        }
        RunRefusal::ScopeHeld { run } => {
            format!("run {run} holds some of the calls; stop it or wait for its end")
        }
        RunRefusal::LeverPulled { by } => {
            format!("{by} pulled the red lever: no run begins until it is put back")
        }
        RunRefusal::FeedStale {
            source: Some(source),
        } => {
            format!("{source} is not heard now: nobody knows what is true there; wait for it")
        }
        RunRefusal::FeedStale { source: None } => {
            "the hub itself cannot see now; wait until it does".to_owned()
        }
        RunRefusal::ReasonTooShort { chars_min } => {
            format!("who goes on alone must write why, in {chars_min} characters or more")
        }
        RunRefusal::WrongState => {
            "the run is not where this could be asked of it; look at its state".to_owned()
        }
        RunRefusal::NothingToDo => {
            "no call is left that it would change; nothing needs to be done".to_owned()
        }
        RunRefusal::PointOfNoReturn => {
            "what it did cannot be undone: every call passed the point of no return".to_owned()
        }
    }
}

/// Why a run does not go on, in a sentence.
pub(super) fn stop(why: &RunStop) -> String {
    let text = match why {
        RunStop::Abort { found, .. } => format!("it stopped by itself: {found}"),
        RunStop::NotProven { stage, found } => {
            format!("stage {} was not proven: {found}", stage + 1)
        }
        RunStop::SetChanged { n_calls } => format!(
            "{n_calls} calls cannot be changed as they were previewed; each is among the \
             differences"
        ),
        RunStop::StepTimedOut { step } => format!("the step {step} took longer than it may"),
        RunStop::AnsweredNo { step, by } => format!("{by} answered no to {step}"),
        RunStop::Person { by, reason } if reason.is_empty() => format!("{by} stopped it"),
        RunStop::Person { by, reason } => format!("{by} stopped it: {reason}"),
        RunStop::Lever { by } => format!("{by} pulled the red lever"),
        RunStop::Superseded { run } => format!("run {run} took its calls over"),
    };
    clip(&text, 280)
}
