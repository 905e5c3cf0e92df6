//! What a run would do: the exact set in its order, who could take calls, and what is in the way.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::playbook::{Action, Approval, PlaybookStep, ProtectedCalls, SelectorScope};
use holdfast_domain::{
    CallId, CauseGroup, CauseId, Excluded, ExcludedReason, HumanCapacity, Layer, Playbook,
    PlaybookStatus, Reversibility, RunId, RunPreview, RunPreviewCall, Rung,
};

use super::course::{Member, tool_of};
use super::fit::{Hindrance, shape};
use super::{NAMED_MAX, words};
use crate::Engine;
use crate::staffing::Staffing;

/// How long a human needs for a call, in seconds, until it is measured: usual in contact centers.
pub(super) const HANDLE_S: u32 = 360;

/// How long callers wait for a human before they leave, in seconds, until it is measured: callers
/// who were told the wait bear some minutes.
const PATIENCE_S: u32 = 180;

/// Halvings of the share of callers who wait longer than a limit: exact to one in a thousand.
const HALVINGS: u32 = 10;

/// The set of a run, and what stays out of it.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) members: Vec<Member>,
    pub(super) excluded: Vec<Excluded>,
}

impl Engine {
    /// The exact set that a run would touch, in the order in which its stages come to it.
    pub(super) fn run_set(
        &self,
        run: &RunId,
        playbook: &Playbook,
        group: Option<&CauseGroup>,
        matching: &[CallId],
    ) -> Set {
        let (first, steps) = first_block(playbook);
        let mut set = Set::default();
        if steps.is_empty() || steps.iter().all(|step| is_only_of_new_calls(&step.action)) {
            return set;
        }
        let tool = tool_of(group);
        for id in matching {
            match self.member(playbook, (first, &steps), id, tool) {
                Ok(member) => set.members.push(member),
                Err(reason) => set.excluded.push(Excluded {
                    call: id.clone(),
                    reason,
                }),
            }
        }
        // The order is by chance and yet the same for whoever works it out: no stage prefers calls
        // by age, queue or name. Protected calls come last.
        set.members.sort_by_cached_key(|member| {
            (
                member.is_protected,
                digest(&[run.as_str(), member.call.as_str()]),
            )
        });
        set
    }

    fn member(
        &self,
        playbook: &Playbook,
        (first, steps): (usize, &[PlaybookStep]),
        id: &CallId,
        tool: Option<&str>,
    ) -> Result<Member, ExcludedReason> {
        let fit = match self.fit_block(steps, id, tool) {
            Ok(fit) => Ok(fit),
            Err(Hindrance::Never(reason)) => return Err(reason),
            Err(Hindrance::NotNow(ExcludedReason::StaleFeed)) => {
                return Err(ExcludedReason::StaleFeed);
            }
            Err(Hindrance::NotNow(reason)) => Err(reason),
        };
        let is_protected = matches!(fit, Err(ExcludedReason::ProtectedMoment));
        if is_protected && playbook.selector.protected == ProtectedCalls::Exclude {
            return Err(ExcludedReason::ProtectedMoment);
        }
        let call = self.calls.get(id).ok_or(ExcludedReason::NotLive)?;
        let mut member = Member::new(id.clone(), String::new(), self.now);
        member.is_protected = is_protected;
        for (n, step) in steps.iter().enumerate() {
            let Ok(shaped) = shape(call, &step.action, tool, &[]) else {
                continue;
            };
            if member.becomes.is_empty() {
                member.becomes = shaped.becomes;
            }
            let targets = shaped.targets.into_iter();
            member
                .targets
                .extend(targets.map(|(layer, name)| (first + n, layer, name)));
        }
        Ok(member)
    }

    /// The preview of a set.
    pub(super) fn describe_preview(
        &self,
        run: &RunId,
        playbook: &Playbook,
        group: Option<&CauseGroup>,
        matching: &[CallId],
        set: &Set,
    ) -> RunPreview {
        let mut by_rung: BTreeMap<Rung, u32> = BTreeMap::new();
        let mut becomes: BTreeMap<&str, u32> = BTreeMap::new();
        let mut languages: BTreeSet<&str> = BTreeSet::new();
        let (mut failing, mut protected) = (0, 0);
        for member in &set.members {
            let Some(call) = self.calls.get(&member.call) else {
                continue;
            };
            *by_rung.entry(call.rung()).or_default() += 1;
            *becomes.entry(&member.becomes).or_default() += 1;
            languages.insert(&call.dialogue.language);
            failing += u32::from(call.is_failing());
            protected += u32::from(member.is_protected);
        }
        let mut excluded_by: BTreeMap<ExcludedReason, u32> = BTreeMap::new();
        for excluded in &set.excluded {
            *excluded_by.entry(excluded.reason).or_default() += 1;
        }
        let n_calls = set.members.len() as u32;
        let checks = self.run_checks(run, playbook, group, matching, &set.members);
        let mut preview = RunPreview {
            run: run.clone(),
            fingerprint: fingerprint(playbook, group.map(|group| &group.id), &set.members),
            calls: set.members.iter().map(preview_call).collect(),
            n_calls,
            by_rung: by_rung.into_iter().collect(),
            failing,
            protected,
            becomes: becomes
                .into_iter()
                .map(|(what, n)| (what.to_owned(), n))
                .collect(),
            excluded: set.excluded.iter().take(NAMED_MAX).cloned().collect(),
            excluded_by: excluded_by.into_iter().collect(),
            stages: playbook
                .stages
                .iter()
                .map(|stage| stage.reach.of(n_calls))
                .collect(),
            humans: self.capacity(playbook, n_calls),
            reversibility: reversibility(playbook),
            announcements: words::announcements(playbook, &languages),
            would_fire: checks.iter().all(|check| check.holds),
            checks,
            approval: playbook.approval.clone(),
            sentence: String::new(),
        };
        preview.sentence = words::preview(&preview);
        preview
    }

    /// Who could take `n_calls`, if the playbook sends them to humans.
    pub(super) fn capacity(&self, playbook: &Playbook, n_calls: u32) -> HumanCapacity {
        let overflow = playbook.steps.iter().find_map(|step| match &step.action {
            Action::RouteToHumans { overflow, .. } => Some(overflow),
            _ => None,
        });
        let n_calls = if overflow.is_some() { n_calls } else { 0 };
        let limit = overflow.map(|overflow| overflow.wait_s_max);
        self.human_wait(n_calls, limit)
    }

    /// The wait of so many callers for a human, and how many of them wait longer than `limit_s`.
    pub(super) fn human_wait(&self, n_calls: u32, limit_s: Option<u32>) -> HumanCapacity {
        let there = self.handoffs.there();
        let mut capacity = HumanCapacity {
            free: self.handoffs.free(),
            there,
            n_calls,
            ..HumanCapacity::default()
        };
        if there == 0 {
            capacity.callbacks = limit_s.map_or(0, |_| n_calls);
            return capacity;
        }
        // They are let through over the time of one call, as fast as humans can take them at best.
        let per_hour = f64::from(n_calls) * 3_600.0 / f64::from(HANDLE_S);
        let staffing = Staffing::new(per_hour, f64::from(HANDLE_S), there, f64::from(PATIENCE_S));
        let Ok(staffing) = staffing else {
            return capacity;
        };
        let wait = staffing.predict();
        let within = |share| wait.wait_s_quantile(share).ok().flatten();
        capacity.wait_s = Some(wait.mean_wait_s.ceil() as u32);
        capacity.wait_s_p90 = within(0.9).map(|seconds| seconds.ceil() as u32);
        if let Some(limit) = limit_s.map(f64::from) {
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..HALVINGS {
                let share = f64::midpoint(low, high);
                if within(share).is_some_and(|seconds| seconds <= limit) {
                    low = share;
                } else {
                    high = share;
                }
            }
            // What lies within the last halving is as good as all.
            let over = if high >= 1.0 { 0.0 } else { 1.0 - low };
            capacity.callbacks = (f64::from(n_calls) * over).ceil() as u32;
        }
        capacity
    }

    /// Every playbook of the hub, and whether a run of it could begin now.
    pub fn playbook_statuses(&self) -> Vec<PlaybookStatus> {
        self.playbooks
            .values()
            .map(|playbook| self.playbook_status(playbook))
            .collect()
    }

    fn playbook_status(&self, playbook: &Playbook) -> PlaybookStatus {
        let needs_cause = matches!(playbook.selector.scope, SelectorScope::Cause { .. });
        let mut fitting = self.active_causes();
        fitting.retain(|group| fits_cause(playbook, group));
        let group = fitting.first().copied().filter(|_| needs_cause);
        let matching = self.matching(playbook, group);
        // A status names no run; no run has the empty id.
        let run = RunId::new("");
        let checks = self.run_checks(&run, playbook, group, &matching, &[]);
        let has_cause = !needs_cause || group.is_some();
        PlaybookStatus {
            id: playbook.id.clone(),
            version: playbook.version,
            title: playbook.title.clone(),
            purpose: playbook.purpose.clone(),
            owner: playbook.owner.clone(),
            layer: playbook.layer,
            approval: playbook.approval.clone(),
            selector: playbook.selector.clone(),
            steps: playbook.steps.clone(),
            stages: playbook.stages.clone(),
            abort: playbook.abort.clone(),
            languages: playbook.languages.clone(),
            ttl_s: playbook.ttl_s,
            needs_cause,
            causes: fitting.iter().map(|group| group.id.clone()).collect(),
            n_calls: matching.len() as u32,
            would_fire: has_cause
                && !self.runs.lever_is_pulled()
                && !matching.is_empty()
                && checks.iter().all(|check| check.holds),
            checks,
            reversibility: reversibility(playbook),
            armed: self.is_armed && !playbook.armed.is_empty(),
        }
    }
}

/// The cause is one that the playbook answers.
pub(super) fn fits_cause(playbook: &Playbook, group: &CauseGroup) -> bool {
    let SelectorScope::Cause { dimensions } = &playbook.selector.scope else {
        return true;
    };
    let is_of_layer = group.layer == playbook.layer || group.layer == Layer::Infrastructure;
    let is_named = |dimension| {
        group
            .traits
            .iter()
            .any(|found| found.dimension == dimension)
    };
    is_of_layer
        && (dimensions.is_empty() || dimensions.iter().any(|dimension| is_named(*dimension)))
}

/// The first block of steps on calls, with the place of its first step.
fn first_block(playbook: &Playbook) -> (usize, Vec<PlaybookStep>) {
    let mut first = 0;
    for block in playbook.blocks() {
        if block.iter().any(|step| step.action.is_per_call()) {
            return (first, block.to_vec());
        }
        first += block.len();
    }
    (first, Vec::new())
}

fn is_only_of_new_calls(action: &Action) -> bool {
    use holdfast_domain::playbook::RoutedCalls;
    matches!(
        action,
        Action::RouteToHumans {
            calls: RoutedCalls::New,
            ..
        }
    )
}

fn preview_call(member: &Member) -> RunPreviewCall {
    RunPreviewCall {
        call: member.call.clone(),
        becomes: member.becomes.clone(),
        protected: member.is_protected,
    }
}

pub(super) fn reversibility(playbook: &Playbook) -> Reversibility {
    let by_file = playbook.rollback.point_of_no_return.clone();
    let by_action = playbook
        .first_irreversible()
        .and_then(|place| playbook.steps.get(place))
        .map(|step| step.id.clone());
    match by_file.or(by_action) {
        Some(step) => Reversibility::UpTo { step },
        None => Reversibility::Full,
    }
}

/// True for the approval that nothing may hold up.
pub(super) const fn is_break_glass(playbook: &Playbook) -> bool {
    matches!(playbook.approval, Approval::BreakGlass(_))
}

/// Names the set, the playbook's version and the parameters. It names, it does not protect: the
/// run itself holds the set.
pub(super) fn fingerprint(
    playbook: &Playbook,
    cause: Option<&CauseId>,
    members: &[Member],
) -> String {
    let version = playbook.version.to_string();
    let mut words = vec![playbook.id.as_str(), &version];
    words.push(cause.map_or("", CauseId::as_str));
    let mut calls: Vec<&Member> = members.iter().collect();
    calls.sort_by(|a, b| a.call.cmp(&b.call));
    for member in calls {
        words.push(member.call.as_str());
        words.push(&member.becomes);
        words.extend(member.targets.iter().map(|(_, _, name)| name.as_str()));
    }
    format!("{:016x}", digest(&words))
}

/// FNV-1a of 64 bits, mixed once more so that ids that differ in their last letter lie apart: the
/// same on every machine.
pub(super) fn digest(words: &[&str]) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for word in words {
        for byte in word.bytes().chain([0xff]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    digest ^= digest >> 33;
    digest = digest.wrapping_mul(0xff51_afd7_ed55_8ccd);
    digest ^ (digest >> 33)
}
