//! The rules between keys, judged on whatever of a file keeps to the form.

mod armed;
mod sentences;
mod steps;

use holdfast_domain::playbook::{
    AbortCondition, Action, Check, PlaybookStep, Selector, SelectorScope, Stage, StageReach,
    ToolChoice,
};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::fault::{CourseFault, FaultKind};
use super::form::Found;
use super::place::{Value, byte_of, find};

/// A file, as far as it keeps to the form.
struct Draft<'a, 'i> {
    root: &'a DeTable<'i>,
    selector: Option<Selector>,
    preconditions: Vec<Option<Check>>,
    steps: Vec<Option<PlaybookStep>>,
    stages: Vec<Option<Stage>>,
    abort: Vec<Option<AbortCondition>>,
}

/// Adds what breaks a rule.
pub(super) fn hold(root: &DeTable<'_>, found: &mut Found) {
    let draft = Draft {
        root,
        selector: root.get("selector").and_then(typed),
        preconditions: entries(root, "preconditions"),
        steps: entries(root, "steps"),
        stages: entries(root, "stages"),
        abort: entries(root, "abort"),
    };
    draft.stages(found);
    draft.untouched(found);
    draft.course(found);
    draft.causes(found);
    draft.targets(found);
    sentences::hold(&draft, found);
    steps::hold(&draft, found);
    armed::hold(&draft, found);
}

impl Draft<'_, '_> {
    fn fault(&self, found: &mut Found, path: &[&str], kind: impl Into<FaultKind>) {
        found.push((byte_of(self.root, path), kind.into()));
    }

    fn stages(&self, found: &mut Found) {
        let mut before = 0;
        for (n, stage) in self.stages.iter().enumerate() {
            let Some(stage) = stage else { continue };
            let n = n.to_string();
            let reach = height(stage.reach);
            if reach <= before {
                self.fault(found, &["stages", &n, "reach"], CourseFault::StageNotRising);
            }
            before = before.max(reach);
            let within_s = stage.verify.within_s();
            let hold_s = stage.hold_s;
            if within_s < hold_s {
                self.fault(
                    found,
                    &["stages", &n, "verify", "within_s"],
                    CourseFault::VerifyBeforeHold { within_s, hold_s },
                );
            }
        }
        if let Some(Some(last)) = self.stages.last()
            && last.reach != StageReach::All
        {
            let n = (self.stages.len() - 1).to_string();
            self.fault(
                found,
                &["stages", &n, "reach"],
                CourseFault::LastStageNotAll,
            );
        }
    }

    /// What compares with untouched calls needs some.
    fn untouched(&self, found: &mut Found) {
        if self.stages.len() != 1 {
            return;
        }
        for (n, condition) in self.abort.iter().enumerate() {
            if condition.as_ref().is_some_and(AbortCondition::is_relative) {
                let path = ["abort", &n.to_string()];
                self.fault(found, &path, CourseFault::NothingUntouched);
            }
        }
    }

    /// The run must be able to end before its time is over.
    fn course(&self, found: &mut Found) {
        let Some(ttl_s) = self.root.get("ttl_s").and_then(typed::<u32>) else {
            return;
        };
        let stages = self
            .stages
            .iter()
            .flatten()
            .map(|stage| stage.verify.within_s());
        let steps = self.steps.iter().flatten().map(|step| match step.action {
            Action::WaitUntil { timeout_s, .. } | Action::Ask { timeout_s, .. } => timeout_s,
            _ => 0,
        });
        let stages_s: u64 = stages.chain(steps).map(u64::from).sum();
        if stages_s > u64::from(ttl_s) {
            self.fault(
                found,
                &["ttl_s"],
                CourseFault::StagesOutliveRun { stages_s, ttl_s },
            );
        }
    }

    /// What looks at a cause needs one.
    fn causes(&self, found: &mut Found) {
        let Some(selector) = &self.selector else {
            return;
        };
        let names_tool = match &selector.scope {
            SelectorScope::Cause { dimensions } => {
                let tool = holdfast_domain::CauseDimension::Tool;
                Some(!dimensions.is_empty() && dimensions.iter().all(|named| *named == tool))
            }
            SelectorScope::Traits { .. } | SelectorScope::All => None,
        };
        if names_tool.is_none() {
            for (n, check) in self.preconditions.iter().enumerate() {
                if matches!(check, Some(Check::CauseActive)) {
                    let what = "the check cause_active";
                    let path = ["preconditions", &n.to_string()];
                    self.fault(found, &path, CourseFault::NeedsCause { what });
                }
            }
        }
        for (n, step) in self.steps.iter().enumerate() {
            let Some(step) = step else { continue };
            let n = n.to_string();
            let path = ["steps", &n, "action", "tools"];
            match (&step.action, names_tool) {
                (
                    Action::DisableTools {
                        tools: ToolChoice::Cause,
                    }
                    | Action::EnableTools {
                        tools: ToolChoice::Cause,
                    },
                    None,
                ) => {
                    let what = "the tool of the cause";
                    self.fault(found, &path, CourseFault::NeedsCause { what });
                }
                (
                    Action::DisableTools {
                        tools: ToolChoice::Cause,
                    }
                    | Action::EnableTools {
                        tools: ToolChoice::Cause,
                    },
                    Some(false),
                ) => self.fault(found, &path, CourseFault::NeedsToolCause),
                (
                    Action::WaitUntil {
                        until: Check::CauseActive,
                        ..
                    },
                    None,
                ) => {
                    let what = "the check cause_active";
                    let path = ["steps", &n, "action", "until"];
                    self.fault(found, &path, CourseFault::NeedsCause { what });
                }
                _ => {}
            }
        }
    }

    /// What looks at the targets of a switch needs a switch.
    fn targets(&self, found: &mut Found) {
        let is_switch = |step: &PlaybookStep| {
            matches!(
                step.action,
                Action::SwitchModel { .. } | Action::SwitchRegion { .. }
            )
        };
        let is_known = self.steps.iter().all(Option::is_some);
        if !is_known || self.steps.iter().flatten().any(is_switch) {
            return;
        }
        for (n, check) in self.preconditions.iter().enumerate() {
            if let Some(check) = check.as_ref().and_then(target_check) {
                let path = ["preconditions", &n.to_string()];
                self.fault(found, &path, CourseFault::NeedsSwitch { check });
            }
        }
        for (n, step) in self.steps.iter().enumerate() {
            if let Some(Action::WaitUntil { until, .. }) = step.as_ref().map(|step| &step.action)
                && let Some(check) = target_check(until)
            {
                let path = ["steps", &n.to_string(), "action", "until"];
                self.fault(found, &path, CourseFault::NeedsSwitch { check });
            }
        }
    }
}

const fn target_check(check: &Check) -> Option<&'static str> {
    match check {
        Check::TargetHealthy { .. } => Some("target_healthy"),
        Check::TargetParity { .. } => Some("target_parity"),
        Check::CauseActive
        | Check::LayerFailing { .. }
        | Check::LayerWell { .. }
        | Check::HumansFree { .. }
        | Check::HumanWait { .. }
        | Check::NoOtherRun
        | Check::FeedFresh { .. } => None,
    }
}

/// A stage's place among stages, from 1.
const fn height(reach: StageReach) -> u8 {
    match reach {
        StageReach::OneCall => 1,
        StageReach::Percent(percent) => percent.saturating_add(1),
        StageReach::All => u8::MAX,
    }
}

/// A value as its type; None if it does not keep to the form.
fn typed<T: DeserializeOwned>(value: &Value<'_>) -> Option<T> {
    T::deserialize(ValueDeserializer::from(value.clone())).ok()
}

/// The entries of a list, each as its type.
fn entries<T: DeserializeOwned>(root: &DeTable<'_>, key: &str) -> Vec<Option<T>> {
    match root.get(key).map(toml::Spanned::get_ref) {
        Some(DeValue::Array(list)) => list.iter().map(typed).collect(),
        _ => Vec::new(),
    }
}

/// A text with its byte; None for what is none.
fn text<'a>(value: &'a Value<'_>) -> Option<(&'a str, usize)> {
    value
        .get_ref()
        .as_str()
        .map(|text| (text, value.span().start))
}

/// What stands twice among texts, each later one with its byte.
fn twice<'a>(texts: impl IntoIterator<Item = (&'a str, usize)>) -> Vec<(&'a str, usize)> {
    let mut seen = std::collections::BTreeSet::new();
    texts
        .into_iter()
        .filter(|(text, _)| !seen.insert(*text))
        .collect()
}
