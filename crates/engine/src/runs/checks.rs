//! Preconditions: what a machine checks from what it knows of the calls. Unknown counts as not so.

use holdfast_domain::playbook::{Check, Parity};
use holdfast_domain::{
    CallId, CauseGroup, CauseState, CheckResult, DurationMs, FeedState, Layer, LayerState,
    Playbook, RunId, SourceId,
};

use super::course::Member;
use super::preview::fits_cause;
use crate::calls::Call;
use crate::{Engine, words as said};

/// What a check is made of.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) run: &'a RunId,
    pub(super) playbook: &'a Playbook,
    pub(super) group: Option<&'a CauseGroup>,
    /// Every call that matches.
    pub(super) matching: &'a [CallId],
    /// Those of them that would be touched; empty where nobody has worked that out.
    pub(super) members: &'a [Member],
}

impl Engine {
    /// The preconditions of a playbook as they are now.
    pub(super) fn run_checks(
        &self,
        run: &RunId,
        playbook: &Playbook,
        group: Option<&CauseGroup>,
        matching: &[CallId],
        members: &[Member],
    ) -> Vec<CheckResult> {
        let asked = Asked {
            run,
            playbook,
            group,
            matching,
            members,
        };
        playbook
            .preconditions
            .iter()
            .map(|check| self.run_check(check, asked))
            .collect()
    }

    /// One check as it is now.
    pub(super) fn run_check(&self, check: &Check, asked: Asked<'_>) -> CheckResult {
        let (holds, found) = match check {
            Check::CauseActive => self.cause_active(asked),
            Check::LayerFailing {
                percent_min,
                calls_min,
            } => self.layer_failing(asked, *percent_min, *calls_min),
            Check::LayerWell { percent_max, for_s } => self.layer_well(asked, *percent_max, *for_s),
            Check::TargetHealthy { percent_max } => self.target_healthy(asked, *percent_max),
            Check::TargetParity { require } => self.target_parity(asked, require),
            Check::HumansFree { min } => {
                let free = self.handoffs.free();
                (free >= *min, format!("{free} human agents are free"))
            }
            Check::HumanWait { wait_s_max } => {
                let capacity = self.human_wait(asked.matching.len() as u32, None);
                match capacity.wait_s {
                    Some(wait) => (wait <= *wait_s_max, format!("a caller would wait {wait} s")),
                    None => (false, "no human agent is there".to_owned()),
                }
            }
            Check::NoOtherRun => match self.other_run(asked.run, asked.matching) {
                Some(other) => (false, format!("run {other} holds some of the calls")),
                None => (true, "no other run holds any of the calls".to_owned()),
            },
            Check::FeedFresh { age_ms_max } => self.feed_fresh(asked, i64::from(*age_ms_max)),
        };
        CheckResult {
            check: check.clone(),
            holds,
            found,
        }
    }

    fn cause_active(&self, asked: Asked<'_>) -> (bool, String) {
        let Some(cause) = asked.group else {
            return (false, "the run is not started from a cause".to_owned());
        };
        let Some(group) = self.causes.get(&cause.id) else {
            return (false, "the cause is over".to_owned());
        };
        if !fits_cause(asked.playbook, group) {
            return (
                false,
                "the cause is not of the kind that this playbook answers".to_owned(),
            );
        }
        let holds = group.state == CauseState::Active && group.failing > 0;
        (holds, format!("{} calls fail by it now", group.failing))
    }

    fn layer_failing(&self, asked: Asked<'_>, percent_min: u8, calls_min: u32) -> (bool, String) {
        let layer = asked.playbook.layer;
        let failing = self.count(asked.matching, |call| is_unwell(call, layer));
        let all = asked.matching.len() as u32;
        let holds = failing >= calls_min.max(1) && is_share(failing, all, percent_min);
        let name = said::layer(layer);
        (holds, format!("{name} fails in {failing} of {all} calls"))
    }

    fn layer_well(&self, asked: Asked<'_>, percent_max: u8, for_s: u32) -> (bool, String) {
        let layer = asked.playbook.layer;
        let since = self.now - i64::from(for_s) * 1_000;
        let failing = self.count(asked.matching, |call| {
            is_unwell(call, layer) || call.layers[layer].bad_at.is_some_and(|at| at > since)
        });
        let all = asked.matching.len() as u32;
        let holds = all > 0 && u64::from(failing) * 100 <= u64::from(all) * u64::from(percent_max);
        let name = said::layer(layer);
        let found = format!("{name} failed in {failing} of {all} calls within {for_s} s");
        (holds, found)
    }

    /// A target that serves no call yet has failed none: the canary is the first to show it.
    fn target_healthy(&self, asked: Asked<'_>, percent_max: u8) -> (bool, String) {
        let mut targets: Vec<(Layer, &str)> = asked
            .members
            .iter()
            .flat_map(|member| &member.targets)
            .map(|(_, layer, name)| (*layer, name.as_str()))
            .collect();
        targets.sort_unstable();
        targets.dedup();
        let (mut served, mut failing) = (0_u32, 0_u32);
        for call in self.calls.iter() {
            for (layer, name) in &targets {
                if call
                    .active(*layer)
                    .is_some_and(|active| active.name == *name)
                {
                    served += 1;
                    failing += u32::from(is_unwell(call, *layer));
                }
            }
        }
        let holds = u64::from(failing) * 100 <= u64::from(served) * u64::from(percent_max);
        let found = if served == 0 {
            "the targets serve no call yet".to_owned()
        } else {
            format!("of {served} calls that the targets serve {failing} fail")
        };
        (holds, found)
    }

    fn target_parity(&self, asked: Asked<'_>, require: &[Parity]) -> (bool, String) {
        let unequal = asked.members.iter().find_map(|member| {
            let call = self.calls.get(&member.call)?;
            let mut targets = member.targets.iter();
            let (_, layer, name) = targets.find(|(_, layer, name)| {
                !require
                    .iter()
                    .all(|parity| has_parity(call, *layer, name, *parity))
            })?;
            Some(format!(
                "{name} is not the equal of what serves {} now",
                said::layer(*layer)
            ))
        });
        match unequal {
            Some(found) => (false, found),
            None => (
                true,
                "the targets are the equal of what serves now".to_owned(),
            ),
        }
    }

    fn feed_fresh(&self, asked: Asked<'_>, age_ms_max: DurationMs) -> (bool, String) {
        match self.oldest_feed(asked.matching) {
            None => (true, "no bridge is concerned".to_owned()),
            Some((source, age)) => (
                age <= age_ms_max,
                format!("{source} was heard {} ago", said::seconds(age)),
            ),
        }
    }

    /// The bridge of these calls that was heard least lately, and how long ago.
    pub(super) fn oldest_feed(&self, calls: &[CallId]) -> Option<(SourceId, DurationMs)> {
        let mut sources: Vec<&SourceId> = calls
            .iter()
            .filter_map(|id| self.calls.get(id))
            .map(|call| &call.source)
            .collect();
        sources.sort_unstable();
        sources.dedup();
        sources
            .into_iter()
            .map(|source| (source.clone(), self.feed_age(source)))
            .max_by_key(|(_, age)| *age)
    }

    /// How long a bridge was not heard. The time in which the hub was not there does not count.
    pub(super) fn feed_age(&self, source: &SourceId) -> DurationMs {
        let heard = self.bridges.get(source).map(|bridge| {
            let heard = bridge
                .heard_at
                .max(bridge.seen_from)
                .max(self.runs.feeds_from);
            self.now.since(heard).max(0)
        });
        heard.unwrap_or(DurationMs::MAX)
    }

    /// A bridge of these calls that is not live.
    pub(super) fn stale_source<'a>(
        &self,
        calls: impl Iterator<Item = &'a CallId>,
    ) -> Option<SourceId> {
        calls
            .filter_map(|id| self.calls.get(id))
            .find(|call| self.feed(&call.source) != FeedState::Live)
            .map(|call| call.source.clone())
    }

    /// Another run that holds one of these calls.
    pub(super) fn other_run(&self, run: &RunId, calls: &[CallId]) -> Option<RunId> {
        let holders = calls.iter().filter_map(|call| self.runs.holds.get(call));
        holders.filter(|other| *other != run).min().cloned()
    }

    fn count(&self, calls: &[CallId], is_so: impl Fn(&Call) -> bool) -> u32 {
        let calls = calls.iter().filter_map(|id| self.calls.get(id));
        calls.filter(|call| is_so(call)).count() as u32
    }
}

pub(super) fn is_unwell(call: &Call, layer: Layer) -> bool {
    call.layers[layer].state >= LayerState::Degraded
}

/// `part` of `all` is at least `percent`.
pub(super) fn is_share(part: u32, all: u32, percent: u8) -> bool {
    u64::from(part) * 100 >= u64::from(all) * u64::from(percent)
}

/// Whether a service is the equal of what serves now. Instructions, tools, recording, consent and
/// disclosure belong to the bot and its call: they stay when one of its services is changed. That
/// a service speaks the caller's language is what its platform says by calling it usable here. A
/// voice is the model of the speech synthesis.
pub(super) fn has_parity(call: &Call, layer: Layer, target: &str, parity: Parity) -> bool {
    let Some(target) = call
        .services
        .iter()
        .find(|service| service.layer == layer && service.name == target)
    else {
        return false;
    };
    match parity {
        Parity::Prompt
        | Parity::Tools
        | Parity::Recording
        | Parity::Consent
        | Parity::Disclosure => true,
        Parity::Language => target.usable,
        Parity::Voice => {
            layer != Layer::Tts
                || call
                    .active(layer)
                    .is_some_and(|now| now.model == target.model)
        }
    }
}
