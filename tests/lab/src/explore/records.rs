//! What every record, every change of a layer and every command that leaves must keep to.

use std::collections::BTreeMap;

use holdfast_domain::{
    ActId, ActVerb, CallId, Command, CommandId, CommandRecord, CommandState, Evidence, FeedState,
    Handoff, HandoffId, HandoffState, Layer, LayerState, Record, SignalKind, Timestamp,
};
use holdfast_engine::{Effect, Entry};

use crate::model::Model;
use crate::{Wrong, wrong};

/// The most events behind one evidence; `domain::Evidence` says so.
const EVENTS_MAX: usize = 4;

/// Everything that was written down, as last written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    pub(crate) commands: BTreeMap<CommandId, CommandRecord>,
    pub(crate) handoffs: BTreeMap<HandoffId, Handoff>,
    /// Acts that people asked for.
    pub(crate) acts: BTreeMap<ActId, (String, ActVerb)>,
    layers: BTreeMap<(CallId, Layer), LayerState>,
    /// Calls that were written down as begun and not as ended.
    pub(crate) begun: BTreeMap<CallId, Timestamp>,
}

impl Records {
    /// Takes an effect in; `model` knows the input that caused it already.
    pub(crate) fn take(&mut self, effect: &Effect, model: &Model) -> Result<(), Wrong> {
        match effect {
            Effect::Append(Entry::Record(Record::Command { command })) => {
                self.command(command, model)?;
            }
            Effect::Append(Entry::Record(Record::Handoff { handoff })) => self.handoff(handoff)?,
            Effect::Append(Entry::Record(Record::Cause { cause })) => {
                for evidence in &cause.evidence {
                    check_evidence(evidence, None, model)?;
                }
                if cause.traits.len() > 2 || cause.calls.len() > 200 {
                    return wrong(format!("a cause with too much of something: {cause:?}"));
                }
            }
            Effect::Append(Entry::Transition {
                call,
                layer,
                from,
                to,
                evidence,
                ..
            }) => self.transition(call, *layer, (*from, *to), evidence.as_ref(), model)?,
            Effect::Append(Entry::CallStarted { call, at, .. }) => {
                let known = self.begun.insert(call.clone(), *at);
                return known.map_or(Ok(()), |_| wrong(format!("{call} began twice")));
            }
            Effect::Append(Entry::CallEnded { call, .. }) => {
                self.layers.retain(|(of, _), _| of != call);
                let known = self.begun.remove(call);
                let never = || wrong(format!("{call} ended and had not begun"));
                return known.map_or_else(never, |_| Ok(()));
            }
            Effect::Send { source, command } => {
                let Some(written) = self.commands.get(&command.id) else {
                    return wrong(format!("{} left before it was written down", command.id));
                };
                if *written != **command {
                    return wrong(format!(
                        "{} left other than it was written down",
                        command.id
                    ));
                }
                if *source != command.source {
                    return wrong(format!("{} went to {source}", command.id));
                }
                let feed = model.feeds.get(source);
                if !feed.is_some_and(crate::model::Feed::is_connected) {
                    return wrong(format!("{} was sent to nobody", command.id));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn transition(
        &mut self,
        call: &CallId,
        layer: Layer,
        (from, to): (LayerState, LayerState),
        evidence: Option<&Evidence>,
        model: &Model,
    ) -> Result<(), Wrong> {
        let known = self.layers.insert((call.clone(), layer), to);
        let known = known.unwrap_or(LayerState::Unknown);
        if known != from || from == to {
            return wrong(format!(
                "{layer:?} of {call} went {from:?} -> {to:?}, was {known:?}"
            ));
        }
        match (to, evidence) {
            (LayerState::Unknown | LayerState::Healthy, None) => Ok(()),
            (LayerState::Degraded | LayerState::Failed, Some(evidence)) => {
                check_evidence(evidence, Some(call), model)
            }
            (_, evidence) => wrong(format!("{layer:?} of {call} is {to:?} by {evidence:?}")),
        }
    }

    /// The state of a layer as the written changes leave it.
    pub(crate) fn layer(&self, call: &CallId, layer: Layer) -> LayerState {
        let key = (call.clone(), layer);
        self.layers
            .get(&key)
            .copied()
            .unwrap_or(LayerState::Unknown)
    }

    // === commands ===

    fn command(&mut self, record: &CommandRecord, model: &Model) -> Result<(), Wrong> {
        let id = &record.id;
        let before = self.commands.insert(id.clone(), record.clone());
        let Some(before) = before else {
            return self.new_command(record, model);
        };
        let n = before.progress.len();
        if record.progress.len() != n + 1 || record.progress[..n] != before.progress[..] {
            return wrong(format!("the story of {id} was rewritten: {record:?}"));
        }
        if (&before.command, &before.call, &before.source)
            != (&record.command, &record.call, &record.source)
        {
            return wrong(format!("{id} is another command now: {record:?}"));
        }
        let (from, to) = (before.state(), record.state());
        if record.progress[n].at < before.progress[n - 1].at || !may_follow(from, to) {
            return wrong(format!("{id} went {from:?} -> {to:?}"));
        }
        Ok(())
    }

    fn new_command(&self, record: &CommandRecord, model: &Model) -> Result<(), Wrong> {
        let id = &record.id;
        if record.progress.len() != 1 || *record.state() != CommandState::Requested {
            return wrong(format!("{id} begins as {:?}", record.progress));
        }
        if model.feed(&record.source) != FeedState::Live {
            return wrong(format!("{id} was made while its bridge was not heard"));
        }
        if let Some(call) = &record.call {
            let live = model.calls.get(call);
            if live.is_none_or(|live| live.source != record.source) {
                return wrong(format!("{id} is for {call}, which is not live there"));
            }
        }
        if let Command::Transfer { handoff_id, to, .. } = &record.command {
            let handoff = self.handoffs.get(handoff_id);
            let agent = handoff.and_then(|handoff| match &handoff.state {
                HandoffState::Accepted { agent } => Some(agent.as_str()),
                _ => None,
            });
            if agent != Some(to) || record.actor != *to {
                return wrong(format!("{id} transfers what nobody accepted"));
            }
            return Ok(());
        }
        match self.acts.get(&record.act) {
            Some((who, verb)) if *who == record.actor && is_of(verb, &record.command) => Ok(()),
            asked => wrong(format!("{id} was not asked for: {record:?} by {asked:?}")),
        }
    }

    // === handoffs ===

    fn handoff(&mut self, handoff: &Handoff) -> Result<(), Wrong> {
        use HandoffState as H;
        let id = &handoff.id;
        let before = self.handoffs.insert(id.clone(), handoff.clone());
        if handoff.steps.is_empty() || handoff.steps.iter().any(|step| step.text.is_empty()) {
            return wrong(format!("{id} has a story without words"));
        }
        let Some(before) = before else {
            return if handoff.state == H::Requested {
                Ok(())
            } else {
                wrong(format!("{id} begins as {:?}", handoff.state))
            };
        };
        if before.call != handoff.call || before.requested_at != handoff.requested_at {
            return wrong(format!("{id} is another handoff now"));
        }
        let same_agent = before.state.agent() == handoff.state.agent();
        let is_over = before.state.is_final();
        // A step of the story can come without a change of state.
        let may_go = matches!(
            (&before.state, &handoff.state),
            (_, H::Confirmed { .. } | H::Failed { .. })
                | (H::Requested, H::Requested | H::Offered { .. })
                | (
                    H::Offered { .. } | H::Seen { .. } | H::Accepted { .. },
                    H::Requested
                )
        );
        let may_go_on = matches!(
            (&before.state, &handoff.state),
            (H::Offered { .. }, H::Seen { .. } | H::Accepted { .. })
                | (H::Seen { .. }, H::Accepted { .. })
                | (H::Accepted { .. }, H::Bridged { .. })
        );
        let may = !is_over && (may_go || (may_go_on && same_agent));
        if may {
            Ok(())
        } else {
            let (from, to) = (&before.state, &handoff.state);
            wrong(format!("{id} went {from:?} -> {to:?}"))
        }
    }
}

/// Evidence has words, and one to four events that were really told about this call; of what the
/// call shares with others (a vendor, a tool, a flow) about any of them.
pub(crate) fn check_evidence(
    evidence: &Evidence,
    call: Option<&CallId>,
    model: &Model,
) -> Result<(), Wrong> {
    if evidence.text.trim().is_empty() {
        return wrong(format!("evidence without words: {evidence:?}"));
    }
    if evidence.events.is_empty() || evidence.events.len() > EVENTS_MAX {
        return wrong(format!("evidence by no or too many events: {evidence:?}"));
    }
    let is_shared = matches!(
        evidence.kind,
        SignalKind::FaultRate | SignalKind::LatencyDrift | SignalKind::Liveness
    );
    for event in &evidence.events {
        let about = model.events.get(event.as_str());
        let fits = about.is_some_and(|about| {
            about == "*" || is_shared || call.is_none_or(|call| call.as_str() == about.as_str())
        });
        if !fits {
            return wrong(format!(
                "evidence by {event}, told about {about:?}: {evidence:?}"
            ));
        }
    }
    Ok(())
}

/// The diagram of a command's states.
fn may_follow(from: &CommandState, to: &CommandState) -> bool {
    use CommandState as C;
    match (from, to) {
        (C::Applied { .. }, to) => matches!(to, C::Proven { .. } | C::Failed { .. }),
        (C::Accepted, C::Accepted)
        | (C::Unknown, C::Unknown)
        | (_, C::Requested | C::Proven { .. }) => false,
        (from, _) => !from.is_final(),
    }
}

/// Whether a command is what the verb asks for.
fn is_of(verb: &ActVerb, command: &Command) -> bool {
    match (verb, command) {
        (ActVerb::SwitchModel { layer, .. }, Command::SwitchModel { layer: told, .. }) => {
            layer == told
        }
        (ActVerb::DisableTools { tools }, Command::DisableTools { tools: told })
        | (ActVerb::EnableTools { tools }, Command::EnableTools { tools: told }) => tools == told,
        (ActVerb::Announce { text }, Command::Announce { text: told, .. }) => text.trim() == told,
        (ActVerb::PauseAi, Command::PauseAi)
        | (ActVerb::ResumeAi, Command::ResumeAi)
        | (ActVerb::StartFault { .. }, Command::StartFault { .. })
        | (ActVerb::StopFault { .. }, Command::StopFault { .. }) => true,
        _ => false,
    }
}
