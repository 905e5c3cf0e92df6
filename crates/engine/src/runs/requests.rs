//! What people ask of runs. Whatever is refused once a run was asked for is in its timeline.

use holdfast_domain::playbook::{Approval, BreakGlass, SelectorScope};
use holdfast_domain::{
    CauseGroup, CauseId, Lever, Playbook, PlaybookId, Record, Refusal, RefusalCode, Reply, Run,
    RunApproval, RunEventKind, RunId, RunPreview, RunRefusal, RunReview, RunState, RunStop,
    RunTally, Timestamp,
};

use super::course::Course;
use super::preview::fits_cause;
use super::{LOOK_MS, note_event, words};
use crate::words::clip;
use crate::{Engine, Entry, Person};

/// The longest run id in bytes: a UUID has 36.
const RUN_ID_BYTES_MAX: usize = 64;
/// How long a preview stands: long enough to read it, short enough that it is of now.
const PREVIEW_MS: i64 = 300_000;
/// The longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 500;

impl Engine {
    pub(crate) fn preview_run(
        &mut self,
        who: &Person,
        id: &RunId,
        playbook: &PlaybookId,
        cause: Option<&CauseId>,
    ) -> Result<Reply, Refusal> {
        if !who.can_act && !who.can_act_on_all {
            return Err(forbidden(who, "look at what a run would do"));
        }
        if id.as_str().is_empty() || id.as_str().len() > RUN_ID_BYTES_MAX {
            let message = "a run needs an id of 1 to 64 characters";
            return Err(Refusal::new(RefusalCode::Invalid, message));
        }
        let known = self.runs.courses.get(id);
        let is_open = known.is_none_or(|course| {
            course.run.requested_by == who.name
                && matches!(
                    course.run.state,
                    RunState::Previewed { .. } | RunState::AwaitingApproval { .. }
                )
        });
        if !is_open {
            return Err(refuse(RunRefusal::WrongState));
        }
        let is_public = known.is_some_and(|course| course.is_public);
        let timeline = known.map(|course| course.run.timeline.clone());
        let playbook = self.playbooks.get(playbook).cloned().ok_or_else(|| {
            let message = "this playbook is not known; choose one of the library";
            Refusal::new(RefusalCode::NotFound, message)
        })?;
        let group = self.cause_of(&playbook, cause)?;
        let matching = self.matching(&playbook, group.as_ref());
        let set = self.run_set(id, &playbook, group.as_ref(), &matching);
        let preview = self.describe_preview(id, &playbook, group.as_ref(), &matching, &set);
        let expires_at = self.now + PREVIEW_MS;
        let run = previewed(&preview, &playbook, group.as_ref(), who, self.now);
        let mut course = Course {
            group,
            console: who.console,
            place: (set.members.iter().enumerate())
                .map(|(place, member)| (member.call.clone(), place))
                .collect(),
            members: set.members,
            excluded: set.excluded.into_iter().map(|e| e.call).collect(),
            is_public,
            ..Course::new(run, playbook)
        };
        course.run.state = RunState::Previewed { expires_at };
        course.run.timeline = timeline.unwrap_or_default();
        self.tell_run(&mut course, is_public);
        self.runs.courses.insert(id.clone(), course);
        self.look_at_runs_in(PREVIEW_MS);
        let preview = Box::new(preview);
        Ok(Reply::RunPreview { preview })
    }

    /// The cause from which a run is started, without the calls that it names.
    fn cause_of(
        &self,
        playbook: &Playbook,
        cause: Option<&CauseId>,
    ) -> Result<Option<CauseGroup>, Refusal> {
        let needs_cause = matches!(playbook.selector.scope, SelectorScope::Cause { .. });
        let Some(cause) = cause else {
            return if needs_cause {
                let message = "this playbook is started from a cause; choose the cause";
                Err(Refusal::new(RefusalCode::Invalid, message))
            } else {
                Ok(None)
            };
        };
        let Some(group) = self.causes.get(cause) else {
            let message = "this cause is not known any more; look at the board for what fails now";
            return Err(Refusal::new(RefusalCode::NotFound, message));
        };
        if !fits_cause(playbook, group) {
            let message = "the cause is not of the kind that this playbook answers; choose another";
            return Err(Refusal::new(RefusalCode::Invalid, message));
        }
        let mut group = group.clone();
        group.calls.clear();
        group.evidence.clear();
        Ok(Some(group))
    }

    pub(crate) fn start_run(
        &mut self,
        who: &Person,
        id: &RunId,
        fingerprint: &str,
        reason: Option<&str>,
    ) -> Result<Reply, Refusal> {
        self.with_run(id, |engine, course| {
            let result = engine.begin(who, course, fingerprint, reason);
            if let Err(refusal) = &result {
                note_refusal(course, engine.now, who, refusal);
            }
            result
        })
    }

    fn begin(
        &mut self,
        who: &Person,
        course: &mut Course,
        fingerprint: &str,
        reason: Option<&str>,
    ) -> Result<(), RunRefusal> {
        course.is_public = true;
        course.is_news = true;
        if !who.can_act_on_all {
            let who = who.name.clone();
            return Err(RunRefusal::RightRevoked { who });
        }
        let RunState::Previewed { expires_at } = course.run.state else {
            return Err(RunRefusal::WrongState);
        };
        if expires_at <= self.now {
            return Err(RunRefusal::Expired);
        }
        if fingerprint != course.run.preview.fingerprint {
            return Err(RunRefusal::ParametersChanged);
        }
        course.run.requested_by.clone_from(&who.name);
        course.console = who.console;
        self.runs.rights.insert(who.name.clone(), true);
        let reason = reason.map(|reason| clip(reason.trim(), REASON_CHARS_MAX));
        match course.playbook.approval.clone() {
            Approval::None | Approval::Confirm => {
                self.requested(course, who, "starts the run");
                self.commit_run(course)
            }
            Approval::BreakGlass(glass) => self.break_glass(course, who, reason, glass),
            Approval::TwoPerson {
                expires_s,
                break_glass,
            } => {
                if let (Some(reason), Some(glass)) = (reason, break_glass) {
                    return self.break_glass(course, who, Some(reason), glass);
                }
                self.may_begin(course)?;
                let expires_at = self.now + i64::from(expires_s) * 1_000;
                course.run.state = RunState::AwaitingApproval { expires_at };
                self.requested(course, who, "asks for a second person");
                self.look_at_runs_in(LOOK_MS);
                Ok(())
            }
        }
    }

    /// One person goes on alone.
    fn break_glass(
        &mut self,
        course: &mut Course,
        who: &Person,
        reason: Option<String>,
        glass: BreakGlass,
    ) -> Result<(), RunRefusal> {
        let reason = reason.unwrap_or_default();
        let chars_min = glass.reason_chars_min.max(1);
        if reason.chars().count() < chars_min as usize {
            return Err(RunRefusal::ReasonTooShort { chars_min });
        }
        self.requested(course, who, "asks for the run");
        self.commit_run(course)?;
        let due_at = self.now + i64::from(glass.review_within_h) * 3_600_000;
        course.run.review = Some(RunReview {
            due_at,
            by: None,
            note: String::new(),
        });
        let text = format!("goes on alone: {reason}");
        course.run.break_glass = Some(reason);
        note_event(course, self.now, &who.name, RunEventKind::BrokeGlass, &text);
        Ok(())
    }

    fn requested(&self, course: &mut Course, who: &Person, text: &str) {
        course.run.requested_at = self.now;
        note_event(course, self.now, &who.name, RunEventKind::Requested, text);
    }

    pub(crate) fn approve_run(
        &mut self,
        who: &Person,
        id: &RunId,
        fingerprint: &str,
    ) -> Result<Reply, Refusal> {
        self.with_run(id, |engine, course| {
            let agreed = engine
                .may_agree(who, course, fingerprint)
                .and_then(|()| engine.commit_run(course));
            match &agreed {
                Ok(()) => {
                    course.run.approvals.push(RunApproval {
                        by: who.name.clone(),
                        at: engine.now,
                        approved: true,
                        fingerprint: fingerprint.to_owned(),
                        reason: String::new(),
                    });
                    let text = "agrees, as the second person";
                    note_event(course, engine.now, &who.name, RunEventKind::Approved, text);
                }
                Err(refusal) => note_refusal(course, engine.now, who, refusal),
            }
            agreed
        })
    }

    /// Whether this person's yes counts.
    fn may_agree(
        &self,
        who: &Person,
        course: &Course,
        fingerprint: &str,
    ) -> Result<(), RunRefusal> {
        match course.run.state {
            RunState::AwaitingApproval { expires_at } if self.now < expires_at => {}
            RunState::AwaitingApproval { .. } | RunState::Expired
                if course.run.started_at.is_none() =>
            {
                return Err(RunRefusal::Expired);
            }
            RunState::Previewed { .. } if fingerprint != course.run.preview.fingerprint => {
                return Err(RunRefusal::ParametersChanged);
            }
            _ => return Err(RunRefusal::WrongState),
        }
        if !who.can_act_on_all {
            let who = who.name.clone();
            return Err(RunRefusal::RightRevoked { who });
        }
        if is_same_person(&who.name, &course.run.requested_by) {
            return Err(if who.console == course.console {
                RunRefusal::ApproverIsRequester
            } else {
                RunRefusal::SameIdentity
            });
        }
        if self.runs.rights.get(&course.run.requested_by) == Some(&false) {
            let who = course.run.requested_by.clone();
            return Err(RunRefusal::RightRevoked { who });
        }
        if fingerprint != course.run.preview.fingerprint {
            return Err(RunRefusal::ParametersChanged);
        }
        Ok(())
    }

    pub(crate) fn decline_run(
        &mut self,
        who: &Person,
        id: &RunId,
        reason: &str,
    ) -> Result<Reply, Refusal> {
        self.with_run(id, |engine, course| {
            let may = if !who.can_act_on_all {
                let who = who.name.clone();
                Err(RunRefusal::RightRevoked { who })
            } else if matches!(course.run.state, RunState::AwaitingApproval { .. }) {
                Ok(())
            } else {
                Err(RunRefusal::WrongState)
            };
            if let Err(refusal) = &may {
                note_refusal(course, engine.now, who, refusal);
                return may;
            }
            let reason = clip(reason.trim(), REASON_CHARS_MAX);
            course.run.approvals.push(RunApproval {
                by: who.name.clone(),
                at: engine.now,
                approved: false,
                fingerprint: course.run.preview.fingerprint.clone(),
                reason: reason.clone(),
            });
            let text = format!("does not agree: {reason}");
            let by = who.name.clone();
            course.run.state = RunState::Declined { by, reason };
            note_event(course, engine.now, &who.name, RunEventKind::Declined, &text);
            Ok(())
        })
    }

    pub(crate) fn answer_run(
        &mut self,
        who: &Person,
        id: &RunId,
        yes: bool,
    ) -> Result<Reply, Refusal> {
        if !who.can_act_on_all {
            return Err(forbidden(who, "answer for a run"));
        }
        self.with_run(id, |engine, course| {
            if !matches!(course.run.state, RunState::AwaitingAnswer { .. }) {
                return Err(RunRefusal::WrongState);
            }
            course.answer = Some((yes, who.name.clone()));
            let kind = RunEventKind::Answered { yes };
            let text = if yes { "answers yes" } else { "answers no" };
            note_event(course, engine.now, &who.name, kind, text);
            engine.go_on(course);
            Ok(())
        })
    }

    pub(crate) fn stop_run(
        &mut self,
        who: &Person,
        id: &RunId,
        reason: &str,
    ) -> Result<Reply, Refusal> {
        if !who.can_act && !who.can_act_on_all {
            return Err(forbidden(who, "stop a run"));
        }
        self.with_run(id, |engine, course| {
            if course.run.state.is_final() {
                return Err(RunRefusal::WrongState);
            }
            let why = RunStop::Person {
                by: who.name.clone(),
                reason: clip(reason.trim(), REASON_CHARS_MAX),
            };
            engine.stop_cell(course, why, &who.name);
            Ok(())
        })
    }

    pub(crate) fn roll_back_run(
        &mut self,
        who: &Person,
        id: &RunId,
        reason: &str,
    ) -> Result<Reply, Refusal> {
        if !who.can_act_on_all {
            return Err(forbidden(who, "undo a run"));
        }
        self.with_run(id, |engine, course| {
            let why = RunStop::Person {
                by: who.name.clone(),
                reason: clip(reason.trim(), REASON_CHARS_MAX),
            };
            let rolled = engine.roll_back_by_person(course, &why);
            if let Err(refusal) = &rolled {
                note_refusal(course, engine.now, who, refusal);
            }
            rolled
        })
    }

    pub(crate) fn review_run(
        &mut self,
        who: &Person,
        id: &RunId,
        note: &str,
    ) -> Result<Reply, Refusal> {
        if !who.can_act && !who.can_act_on_all {
            return Err(forbidden(who, "review a run"));
        }
        self.with_run(id, |engine, course| {
            let is_same = is_same_person(&who.name, &course.run.requested_by);
            let owed = course
                .run
                .review
                .as_mut()
                .filter(|review| review.by.is_none());
            let Some(review) = owed else {
                return Err(RunRefusal::WrongState);
            };
            if is_same {
                let refusal = RunRefusal::ApproverIsRequester;
                note_refusal(course, engine.now, who, &refusal);
                return Err(refusal);
            }
            review.by = Some(who.name.clone());
            review.note = clip(note.trim(), REASON_CHARS_MAX);
            let text = format!("reviewed it: {}", review.note);
            note_event(course, engine.now, &who.name, RunEventKind::Reviewed, &text);
            Ok(())
        })
    }

    pub(crate) fn show_run(&self, who: &Person, id: &RunId) -> Result<Reply, Refusal> {
        if !who.can_act && !who.can_act_on_all {
            return Err(forbidden(who, "look at a run's calls"));
        }
        let course = self.runs.courses.get(id).ok_or_else(unknown)?;
        let calls = course.members.iter().take(CALLS_SHOWN_MAX);
        Ok(Reply::RunCalls {
            run: id.clone(),
            calls: calls.map(super::course::Member::view).collect(),
        })
    }

    pub(crate) fn move_lever(
        &mut self,
        who: &Person,
        on: bool,
        reason: &str,
    ) -> Result<Reply, Refusal> {
        // Whoever may act on a call may stop what acts on calls; only a commander lets it go on.
        if !(who.can_act_on_all || on && who.can_act) {
            return Err(forbidden(who, "move the red lever"));
        }
        self.runs.lever = Lever {
            on,
            by: who.name.clone(),
            reason: clip(reason.trim(), REASON_CHARS_MAX),
            at: self.now,
        };
        self.append(Entry::Record(Record::Lever {
            lever: self.runs.lever.clone(),
        }));
        if on {
            self.stop_all_runs(&who.name);
        }
        Ok(Reply::Done)
    }

    fn stop_all_runs(&mut self, by: &str) {
        let open = self.runs.courses.iter().filter(|(_, course)| {
            let state = &course.run.state;
            state.is_acting() || matches!(state, RunState::AwaitingApproval { .. })
        });
        let open: Vec<RunId> = open.map(|(id, _)| id.clone()).collect();
        for id in open {
            let Some(mut course) = self.runs.courses.remove(&id) else {
                continue;
            };
            let why = RunStop::Lever { by: by.to_owned() };
            self.stop_cell(&mut course, why, by);
            self.tell_run(&mut course, true);
            self.runs.courses.insert(id, course);
        }
    }

    /// It stops here, and what it did stays.
    fn stop_cell(&mut self, course: &mut Course, why: RunStop, by: &str) {
        let text = words::stop(&why);
        self.end_run(
            course,
            RunState::Stopped { why },
            RunEventKind::Stopped,
            &text,
        );
        if let Some(event) = course.run.timeline.last_mut() {
            by.clone_into(&mut event.by);
        }
    }

    /// Does something with a run, writes it down, and answers.
    fn with_run(
        &mut self,
        id: &RunId,
        act: impl FnOnce(&mut Self, &mut Course) -> Result<(), RunRefusal>,
    ) -> Result<Reply, Refusal> {
        let mut course = self.runs.courses.remove(id).ok_or_else(unknown)?;
        let done = act(self, &mut course);
        self.tell_run(&mut course, false);
        self.runs.courses.insert(id.clone(), course);
        match done {
            Ok(()) => Ok(Reply::Done),
            Err(refusal) => Err(refuse(refusal)),
        }
    }
}

/// The most calls in one answer: the largest run that the product promises.
const CALLS_SHOWN_MAX: usize = 10_000;

/// A run that was previewed. What is shown to all leaves the long lists out.
fn previewed(
    preview: &RunPreview,
    playbook: &Playbook,
    group: Option<&CauseGroup>,
    who: &Person,
    now: Timestamp,
) -> Run {
    let mut preview = preview.clone();
    preview.calls.clear();
    Run {
        id: preview.run.clone(),
        playbook: playbook.id.clone(),
        version: playbook.version,
        title: playbook.title.clone(),
        cause: group.map(|group| group.id.clone()),
        requested_by: who.name.clone(),
        requested_at: now,
        updated_at: now,
        state: RunState::Previewed { expires_at: now },
        preview,
        started_at: None,
        ends_at: None,
        approvals: Vec::new(),
        break_glass: None,
        review: None,
        stages: Vec::new(),
        tally: RunTally::default(),
        comparison: Vec::new(),
        differences_total: 0,
        differences: Vec::new(),
        calls: Vec::new(),
        callbacks: 0,
        messages: Vec::new(),
        timeline: Vec::new(),
    }
}

fn note_refusal(course: &mut Course, at: Timestamp, who: &Person, refusal: &RunRefusal) {
    course.is_public = true;
    let kind = RunEventKind::Refused {
        refusal: refusal.clone(),
    };
    note_event(course, at, &who.name, kind, &words::refusal(refusal));
}

/// Names that differ in case or in white space are one person's.
fn is_same_person(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn refuse(refusal: RunRefusal) -> Refusal {
    let code = match &refusal {
        RunRefusal::ApproverIsRequester
        | RunRefusal::SameIdentity
        | RunRefusal::RightRevoked { .. } => RefusalCode::Forbidden,
        RunRefusal::FeedStale { .. } => RefusalCode::Stale,
        RunRefusal::ReasonTooShort { .. } => RefusalCode::Invalid,
        RunRefusal::Expired
        | RunRefusal::ParametersChanged
        | RunRefusal::PreconditionsFailed { .. }
        | RunRefusal::ScopeHeld { .. }
        | RunRefusal::LeverPulled { .. }
        | RunRefusal::WrongState
        | RunRefusal::NothingToDo
        | RunRefusal::PointOfNoReturn => RefusalCode::Conflict,
    };
    let message = words::refusal(&refusal);
    Refusal {
        run: Some(refusal),
        ..Refusal::new(code, message)
    }
}

fn forbidden(who: &Person, what: &str) -> Refusal {
    Refusal::new(
        RefusalCode::Forbidden,
        format!("{} may not {what}; ask someone who may", who.name),
    )
}

fn unknown() -> Refusal {
    Refusal::new(
        RefusalCode::NotFound,
        "this run is not known any more; preview the playbook again",
    )
}
