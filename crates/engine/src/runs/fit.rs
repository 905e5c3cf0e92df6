//! Whom a playbook selects, and what a step would be for one call now.

use holdfast_domain::playbook::{
    Action, PlaybookStep, RegionTarget, RoutedCalls, SelectorScope, SwitchTarget, ToolChoice,
};
use holdfast_domain::{
    ActVerb, CallId, CallPhase, CauseGroup, CauseReach, CauseTrait, CommandId, ExcludedReason,
    Layer, LayerState, Playbook,
};

use crate::acts::{self, Planned};
use crate::calls::Call;
use crate::{Engine, acts::is_protected};

/// What a step is for one call.
#[derive(Debug, PartialEq)]
pub(super) struct Fit {
    /// The verbs that carry it out; none for what needs none.
    pub(super) verbs: Vec<ActVerb>,
    /// The services that a switch goes to.
    pub(super) targets: Vec<(Layer, String)>,
    /// In a word.
    pub(super) becomes: String,
}

/// Why a step is nothing for a call now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hindrance {
    /// Not at all.
    Never(ExcludedReason),
    /// Not in this moment: protected, busy, not heard.
    NotNow(ExcludedReason),
}

impl Engine {
    /// The live calls that a playbook selects, in the order of their ids.
    pub(super) fn matching(&self, playbook: &Playbook, group: Option<&CauseGroup>) -> Vec<CallId> {
        let among: Vec<CallId> = match (&playbook.selector.scope, group) {
            (SelectorScope::Cause { .. }, Some(group)) => {
                self.calls_of_cause(group, playbook.selector.reach)
            }
            (SelectorScope::Cause { .. }, None) => Vec::new(),
            (SelectorScope::Traits { .. } | SelectorScope::All, _) => {
                self.calls.ids().cloned().collect()
            }
        };
        among
            .into_iter()
            .filter(|id| {
                self.calls
                    .get(id)
                    .is_some_and(|call| is_selected(call, playbook, group))
            })
            .collect()
    }

    /// What the first step that is something for the call would be, of a block.
    pub(super) fn fit_block(
        &self,
        steps: &[PlaybookStep],
        call: &CallId,
        tool: Option<&str>,
    ) -> Result<Fit, Hindrance> {
        let mut first = None;
        for step in steps {
            match self.fit(&step.action, call, tool, &[], None) {
                Ok(fit) => return Ok(fit),
                Err(hindrance) => {
                    first.get_or_insert(hindrance);
                }
            }
        }
        Err(first.unwrap_or(Hindrance::Never(ExcludedReason::NotCapable)))
    }

    /// What a step is for one call now. `pinned` are the targets that were previewed, `mine` the
    /// run's own command that is under way.
    pub(super) fn fit(
        &self,
        action: &Action,
        id: &CallId,
        tool: Option<&str>,
        pinned: &[(Layer, String)],
        mine: Option<&CommandId>,
    ) -> Result<Fit, Hindrance> {
        let never = |reason| Err(Hindrance::Never(reason));
        let Some(call) = self.calls.get(id) else {
            return never(ExcludedReason::NotLive);
        };
        if call.phase != CallPhase::Ai {
            return never(ExcludedReason::WithHuman);
        }
        if !self.is_heard(call) {
            return Err(Hindrance::NotNow(ExcludedReason::StaleFeed));
        }
        let Some(name) = action.command() else {
            return never(ExcludedReason::NotCapable);
        };
        if !self.is_capable(call, name) {
            return never(ExcludedReason::NotCapable);
        }
        let fit = shape(call, action, tool, pinned).map_err(Hindrance::Never)?;
        // What must not be disturbed is the same for every verb of the step.
        let verb = fit.verbs.first().cloned().unwrap_or(ActVerb::PauseAi);
        if is_protected(call, &verb) {
            return Err(Hindrance::NotNow(ExcludedReason::ProtectedMoment));
        }
        if self.is_busy(call, &verb, mine) {
            return Err(Hindrance::NotNow(ExcludedReason::Busy));
        }
        Ok(fit)
    }
}

/// The call has what the playbook selects; of a cause's traits the caller has looked already.
pub(super) fn is_selected(call: &Call, playbook: &Playbook, group: Option<&CauseGroup>) -> bool {
    let selector = &playbook.selector;
    if !selector.phases.contains(&call.phase) {
        return false;
    }
    if !selector.rungs.is_empty() && !selector.rungs.contains(&call.rung()) {
        return false;
    }
    let is_failing = || call.layers[playbook.layer].state >= LayerState::Degraded;
    match &selector.scope {
        SelectorScope::Cause { .. } => group.is_some(),
        SelectorScope::Traits { traits } => {
            has_all(call, playbook.layer, traits)
                && (selector.reach == CauseReach::Exposed || is_failing())
        }
        SelectorScope::All => selector.reach == CauseReach::Exposed || is_failing(),
    }
}

/// Of the same dimension one, of different dimensions each.
fn has_all(call: &Call, layer: Layer, traits: &[CauseTrait]) -> bool {
    traits.iter().all(|wanted| {
        traits
            .iter()
            .filter(|other| other.dimension == wanted.dimension)
            .any(|other| crate::causes::has_trait(call, layer, other))
    })
}

/// What a step is for a call, whatever the moment.
pub(super) fn shape(
    call: &Call,
    action: &Action,
    tool: Option<&str>,
    pinned: &[(Layer, String)],
) -> Result<Fit, ExcludedReason> {
    let verb = match action {
        Action::SwitchModel { layer, to, .. } => {
            let target = pinned_or(call, *layer, pinned, || by_choice(call, *layer, to))?;
            return Ok(switch(vec![(*layer, target)]));
        }
        Action::SwitchRegion { layers, to, .. } => return shape_region(call, layers, to, pinned),
        Action::DisableTools { tools } => ActVerb::DisableTools {
            tools: names(tools, tool)?,
        },
        Action::EnableTools { tools } => ActVerb::EnableTools {
            tools: names(tools, tool)?,
        },
        Action::PauseAi { .. } => ActVerb::PauseAi,
        Action::ResumeAi { .. } => ActVerb::ResumeAi,
        Action::RouteToHumans { calls, .. } => {
            if *calls == RoutedCalls::New {
                return Err(ExcludedReason::AlreadySo);
            }
            return Ok(Fit {
                verbs: vec![ActVerb::RouteToHumans],
                ..plain("human")
            });
        }
        Action::RetryTurn => {
            let has_failed = call.has_failing_turn(Layer::Llm);
            return if has_failed {
                Ok(plain("turn tried again"))
            } else {
                Err(ExcludedReason::AlreadySo)
            };
        }
        Action::Announce { .. } => return Ok(plain("hears the announcement")),
        Action::Transfer { to, .. } => return Ok(plain(to)),
        Action::MinimalFlow { .. }
        | Action::Callback { .. }
        | Action::Notify { .. }
        | Action::WaitUntil { .. }
        | Action::Ask { .. } => return Err(ExcludedReason::NotCapable),
    };
    let planned = acts::plan_verb(call, &verb)?;
    Ok(Fit {
        becomes: acts::outcome_word(&planned),
        verbs: vec![verb],
        targets: Vec::new(),
    })
}

fn shape_region(
    call: &Call,
    layers: &[Layer],
    to: &RegionTarget,
    pinned: &[(Layer, String)],
) -> Result<Fit, ExcludedReason> {
    let mut targets = Vec::new();
    let mut worst = ExcludedReason::AlreadySo;
    for layer in layers {
        match pinned_or(call, *layer, pinned, || in_region(call, *layer, to)) {
            Ok(target) => targets.push((*layer, target)),
            // A layer that the call does not use holds nothing up.
            Err(_) if call.active(*layer).is_none() => {}
            Err(ExcludedReason::AlreadySo) => {}
            Err(reason) => worst = reason,
        }
    }
    if targets.is_empty() || worst != ExcludedReason::AlreadySo {
        return Err(worst);
    }
    Ok(switch(targets))
}

fn switch(targets: Vec<(Layer, String)>) -> Fit {
    let verbs = targets
        .iter()
        .map(|(layer, name)| ActVerb::SwitchModel {
            layer: *layer,
            to: Some(name.clone()),
        })
        .collect();
    let names: Vec<&str> = targets.iter().map(|(_, name)| name.as_str()).collect();
    let becomes = names.join(", ");
    Fit {
        verbs,
        targets,
        becomes,
    }
}

fn plain(becomes: &str) -> Fit {
    Fit {
        verbs: Vec::new(),
        targets: Vec::new(),
        becomes: becomes.to_owned(),
    }
}

/// The target that was previewed for a layer, if it still can serve; else the chosen one.
fn pinned_or(
    call: &Call,
    layer: Layer,
    pinned: &[(Layer, String)],
    choose: impl FnOnce() -> Result<String, ExcludedReason>,
) -> Result<String, ExcludedReason> {
    let Some((_, name)) = pinned.iter().find(|(of, _)| *of == layer) else {
        return choose();
    };
    let target = call
        .services
        .iter()
        .find(|service| service.layer == layer && service.name == *name)
        .ok_or(ExcludedReason::NoTarget)?;
    if target.active {
        return Err(ExcludedReason::AlreadySo);
    }
    if !target.usable {
        return Err(ExcludedReason::NoTarget);
    }
    Ok(target.name.clone())
}

fn by_choice(call: &Call, layer: Layer, to: &SwitchTarget) -> Result<String, ExcludedReason> {
    let wanted = |service: &&holdfast_domain::Service| match to {
        SwitchTarget::Next => true,
        SwitchTarget::Rung(rung) => service.rung == *rung,
        SwitchTarget::Provider(provider) => service.provider == *provider,
        SwitchTarget::Service(name) => service.name == *name,
    };
    if *to == SwitchTarget::Next {
        // The next of a ladder is never one above: a run that is done twice must not undo itself.
        let now = call.active(layer).map(|active| active.rung);
        let next = call
            .fallback(layer)
            .filter(|next| now.is_none_or(|now| next.rung >= now));
        return Ok(next.ok_or(ExcludedReason::NoTarget)?.name.clone());
    }
    if call.active(layer).as_ref().is_some_and(wanted) {
        return Err(ExcludedReason::AlreadySo);
    }
    usable(call, layer, wanted)
}

fn in_region(call: &Call, layer: Layer, to: &RegionTarget) -> Result<String, ExcludedReason> {
    let now = call
        .active(layer)
        .map_or("", |service| service.region.as_str());
    match to {
        RegionTarget::Other => usable(call, layer, |service| service.region != now),
        RegionTarget::Region(region) if region == now => Err(ExcludedReason::AlreadySo),
        RegionTarget::Region(region) => usable(call, layer, |service| service.region == *region),
    }
}

/// The first usable service of a layer, in ladder order.
fn usable(
    call: &Call,
    layer: Layer,
    wanted: impl Fn(&&holdfast_domain::Service) -> bool,
) -> Result<String, ExcludedReason> {
    call.services
        .iter()
        .filter(|service| service.layer == layer && service.usable && !service.active)
        .find(wanted)
        .map(|service| service.name.clone())
        .ok_or(ExcludedReason::NoTarget)
}

fn names(tools: &ToolChoice, tool: Option<&str>) -> Result<Vec<String>, ExcludedReason> {
    match tools {
        ToolChoice::All => Ok(Vec::new()),
        ToolChoice::Names(names) => Ok(names.clone()),
        ToolChoice::Cause => {
            let tool = tool.ok_or(ExcludedReason::NoTarget)?;
            Ok(vec![tool.to_owned()])
        }
    }
}

/// What a verb becomes as a command; None where the call changed meanwhile.
pub(super) fn command_of(
    call: &Call,
    verb: &ActVerb,
    retry_turn: bool,
) -> Option<(holdfast_domain::Command, Option<String>)> {
    match acts::plan_verb(call, verb).ok()? {
        Planned::Command(mut command, expect) => {
            if let holdfast_domain::Command::SwitchModel {
                retry_turn: retry, ..
            } = &mut *command
            {
                *retry &= retry_turn;
            }
            Some((*command, expect))
        }
        Planned::Handoff => None,
    }
}
