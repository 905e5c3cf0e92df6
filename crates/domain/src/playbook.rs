//! A playbook: what is done to which calls when a known thing fails, written down beforehand.
//!
//! The names and spellings here are those of the file (TOML), so that a file, the journal and the
//! window speak of the same values. A reader refuses a file that is not complete; whoever holds a
//! [`Playbook`] need not check it again.
//! Deliberately absent: a run of a playbook, and any judgement about calls.

mod action;
mod approval;
mod armed;
mod check;
mod selector;
mod stage;
mod template;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{AnnouncementId, Layer, PlaybookId, StepId};

pub use action::{
    Action, Audience, Overflow, PlaybookStep, RegionTarget, Reversal, RoutedCalls, SwitchTarget,
    ToolChoice,
};
pub use approval::{Approval, BreakGlass};
pub use armed::{ArmedRung, Breaker, FailoverBudget, FailoverPolicy, FailoverReturn};
pub use check::{AbortCondition, Check, Measure, Parity};
pub use selector::{ProtectedCalls, Selector, SelectorScope};
pub use stage::{Rollback, Stage, StageReach, Undo, Verify};
pub use template::{Placeholder, Template, TemplateError, TemplatePart};

/// One playbook, whole and checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Playbook {
    /// Names it; unique among the playbooks of a hub.
    pub id: PlaybookId,
    /// Raised with every change of the file, from 1.
    pub version: u32,
    /// Its name for people.
    pub title: String,
    /// When to run it and what callers will notice, in a sentence or two.
    pub purpose: String,
    /// The team that answers for it.
    pub owner: String,
    /// The layer whose failure it answers.
    pub layer: Layer,
    /// Seconds after its start at which a run ends, whatever it has reached.
    pub ttl_s: u32,
    /// The languages (BCP 47) of its announcements, at least one. Callers in another language hear
    /// the first.
    pub languages: Vec<String>,
    /// Whom it touches.
    pub selector: Selector,
    /// Who must agree.
    pub approval: Approval,
    /// What must be so before the start, and again at the moment of commit.
    pub preconditions: Vec<Check>,
    /// What is done, in order; the steps on calls are done for each stage.
    pub steps: Vec<PlaybookStep>,
    /// How many calls at a time; the last is all of them.
    pub stages: Vec<Stage>,
    /// What stops a run by itself; any one of them is enough.
    pub abort: Vec<AbortCondition>,
    /// How it is undone, and up to which step it can be.
    pub rollback: Rollback,
    /// What callers hear: each sentence in every language of `languages`.
    pub announcements: BTreeMap<AnnouncementId, BTreeMap<String, Template>>,
    /// What is told to each audience; a person sends it.
    pub messages: BTreeMap<Audience, Template>,
    /// What the hub does by itself, for each queue and layer; empty: only people start it.
    #[serde(default)]
    pub armed: Vec<FailoverPolicy>,
}

impl Playbook {
    /// The step with this id.
    pub fn step(&self, id: &StepId) -> Option<&PlaybookStep> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// The steps as a run goes through them: those on calls that follow one another together, each
    /// of the others by itself. A block on calls is done for every stage before the next block.
    pub fn blocks(&self) -> impl Iterator<Item = &[PlaybookStep]> {
        self.steps
            .chunk_by(|a, b| a.action.is_per_call() && b.action.is_per_call())
    }

    /// How a step is undone; None for one that has nothing to undo, or cannot be undone.
    pub fn undo_of(&self, id: &StepId) -> Option<&Undo> {
        self.rollback.undo.iter().find(|undo| undo.step == *id)
    }

    /// A sentence in the caller's language: the same tag, else the same language in another
    /// region, else the playbook's first language.
    pub fn announcement(&self, id: &AnnouncementId, language: &str) -> Option<&Template> {
        let sentences = self.announcements.get(id)?;
        let primary = |tag: &str| {
            let end = tag.find(['-', '_']).unwrap_or(tag.len());
            tag[..end].to_ascii_lowercase()
        };
        let known = |tag: &&String| sentences.contains_key(*tag);
        let same = |tag: &&String| tag.eq_ignore_ascii_case(language);
        let akin = |tag: &&String| primary(tag) == primary(language);
        let tags = || self.languages.iter().filter(known);
        let tag = tags()
            .find(same)
            .or_else(|| tags().find(akin))
            .or_else(|| tags().next())?;
        sentences.get(tag)
    }

    /// The place in `steps` of the first step that cannot be undone; None when all can.
    pub fn first_irreversible(&self) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| step.action.reversal() == Reversal::Irreversible)
    }
}

#[cfg(test)]
mod tests;
