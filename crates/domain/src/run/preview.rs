//! What a run would do, before it does it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::playbook::{AbortCondition, Approval, Check, PlaybookStep, Selector, Stage};
use crate::{
    Actor, CallId, CauseId, Excluded, ExcludedReason, Layer, PlaybookId, RunId, Rung, StepId,
};

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunPreview {
    /// The run that would do it.
    pub run: RunId,
    /// Names the exact set, the playbook's version and the parameters. Whoever starts or approves
    /// names it too: when one of them changes, so does it.
    pub fingerprint: String,
    /// The exact set, in the order in which the stages come to it. Left out of a run's record.
    pub calls: Vec<RunPreviewCall>,
    /// How many they are.
    pub n_calls: u32,
    /// How many of them stand on which rung.
    pub by_rung: Vec<(Rung, u32)>,
    /// How many of them fail now.
    pub failing: u32,
    /// How many of them are in a payment, an identity check or a write: they come last.
    pub protected: u32,
    /// What would become of them: `backup-llm` and how many.
    pub becomes: Vec<(String, u32)>,
    /// Calls that match and would not be touched, at most 200.
    pub excluded: Vec<Excluded>,
    /// All of those, by reason.
    pub excluded_by: Vec<(ExcludedReason, u32)>,
    /// How many calls are touched by the end of each stage.
    pub stages: Vec<u32>,
    /// Who could take calls, and how long callers would wait.
    pub humans: HumanCapacity,
    /// Whether it can be undone.
    pub reversibility: Reversibility,
    /// What callers hear, by language.
    pub announcements: Vec<(String, String)>,
    /// The preconditions as they are now.
    pub checks: Vec<CheckResult>,
    /// Every precondition holds.
    pub would_fire: bool,
    /// Who must agree.
    pub approval: Approval,
    /// All of it in a sentence or two.
    pub sentence: String,
}

/// One call of the set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunPreviewCall {
    /// The call.
    pub call: CallId,
    /// What it shall become, in a word.
    pub becomes: String,
    /// It is in a moment that must not be disturbed now.
    pub protected: bool,
}

/// Who could take calls, and how long callers would wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HumanCapacity {
    /// Human agents who are free now.
    pub free: u32,
    /// Human agents who are there: free, asked or on a call.
    pub there: u32,
    /// Calls that the run would send to them.
    pub n_calls: u32,
    /// The mean wait in seconds, predicted by Erlang A; None when nobody is there.
    pub wait_s: Option<u32>,
    /// The seconds within which nine of ten are answered; None when nobody is there.
    pub wait_s_p90: Option<u32>,
    /// Callers for whom the wait would be longer than the playbook's limit: they are offered a
    /// callback.
    pub callbacks: u32,
}

/// Whether a run can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Reversibility {
    /// Each step.
    Full,
    /// A call that reached this step is not changed back any more.
    UpTo {
        /// The point of no return.
        step: StepId,
    },
}

/// One check as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// It holds. What is not known does not.
    pub holds: bool,
    /// What was found, in a sentence.
    pub found: String,
}

/// A playbook of the hub, and whether a run of it could begin now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlaybookStatus {
    /// The playbook.
    pub id: PlaybookId,
    /// Its version.
    pub version: u32,
    /// Its name for people.
    pub title: String,
    /// When to run it and what callers will notice.
    pub purpose: String,
    /// The team that answers for it.
    pub owner: Actor,
    /// The layer whose failure it answers.
    pub layer: Layer,
    /// Who must agree.
    pub approval: Approval,
    /// Whom it touches.
    pub selector: Selector,
    /// What is done, in order.
    pub steps: Vec<PlaybookStep>,
    /// How many calls at a time, how long it waits after each and what proves it.
    pub stages: Vec<Stage>,
    /// What stops a run by itself; any one of them is enough.
    pub abort: Vec<AbortCondition>,
    /// The languages in which it speaks to callers.
    pub languages: Vec<String>,
    /// Seconds after its start at which a run ends, whatever it has reached.
    pub ttl_s: u32,
    /// It is started from a shared cause.
    pub needs_cause: bool,
    /// The causes of now that it fits, the worst first.
    pub causes: Vec<CauseId>,
    /// Calls that match now: with the first of the causes, where it needs one.
    pub n_calls: u32,
    /// Its preconditions as they are now.
    pub checks: Vec<CheckResult>,
    /// A run could begin now.
    pub would_fire: bool,
    /// Whether a run of it can be undone.
    pub reversibility: Reversibility,
    /// The hub also does it by itself, for some queues.
    pub armed: bool,
}
