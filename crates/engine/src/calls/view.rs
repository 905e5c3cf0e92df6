//! A call as the console reads it.

use holdfast_domain::{
    CallDetail, CallSummary, Capability, CommandRecord, FeedState, Handoff, Layer, LayerHealth,
    LayerState, PerLayer, Timestamp, UtteranceRole,
};

use super::call::Call;
use crate::{Config, card, words};

/// The most characters of the last words on a row; the domain's limit.
const SAID_CHARS_MAX: usize = 120;

/// What a view of a call needs from outside of the call.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
    pub(crate) feed: FeedState,
    /// When anything was last heard of the call's bridge.
    pub(crate) feed_heard_at: Timestamp,
    /// The newest command on the call.
    pub(crate) command: Option<&'a CommandRecord>,
    /// The handoff under way.
    pub(crate) handoff: Option<&'a Handoff>,
    /// What the call's bridge can do.
    pub(crate) capabilities: &'a [Capability],
}

impl Call {
    pub(crate) fn summary(&self, around: &Around<'_>) -> CallSummary {
        let dialogue = &self.dialogue;
        let said = |role| words::clip(dialogue.last_words(role), SAID_CHARS_MAX);
        CallSummary {
            id: self.id.clone(),
            source: self.source.clone(),
            phase: self.phase,
            ai: self.ai,
            queue: dialogue.queue.clone(),
            language: dialogue.language.clone(),
            customer: dialogue.customer.clone(),
            started_at: self.started_at,
            last_fact_at: self.last_fact_at,
            layers: self.layer_views(around),
            rung: self.rung(),
            floor: self.floor.view(),
            response_gap_ms: self.gaps.median(),
            caller_said: said(UtteranceRole::Caller),
            agent_said: said(UtteranceRole::Agent),
            tool_running: self
                .tools
                .first()
                .map(|tool| (tool.name.clone(), tool.since)),
            intent: dialogue.intent.clone(),
            protected: self.protected,
            high_risk: self.high_risk,
            need: self.need(around),
            cause: self.cause.clone(),
            next: self.next_step(around),
            command: around.command.cloned(),
            handoff: self.handoff.clone(),
            turns: self.turns,
            failed_turns: self.failed_turns,
        }
    }

    /// The layers; all unknown while the feed is not live, because nobody knows.
    fn layer_views(&self, around: &Around<'_>) -> PerLayer<LayerHealth> {
        PerLayer(Layer::ALL.map(|layer| {
            let mut health = self.layer_health(layer);
            if around.feed != FeedState::Live {
                health.state = LayerState::Unknown;
                health.since = around.feed_heard_at;
                health.evidence = None;
            }
            health
        }))
    }

    /// `commands` newest first.
    pub(crate) fn detail(&self, around: &Around<'_>, commands: Vec<CommandRecord>) -> CallDetail {
        let dialogue = &self.dialogue;
        CallDetail {
            summary: self.summary(around),
            transcript: dialogue
                .utterances
                .iter()
                .chain(&dialogue.partial)
                .cloned()
                .collect(),
            lanes: dialogue.timeline(around.now),
            evidence: dialogue.evidence.iter().cloned().collect(),
            services: self.services.clone(),
            tools_enabled: dialogue.tools_enabled.clone(),
            tools_disabled: dialogue.tools_disabled.clone(),
            capabilities: self
                .capabilities
                .clone()
                .unwrap_or_else(|| around.capabilities.to_vec()),
            card: card::of(
                self,
                around.feed == FeedState::Live && self.ghost_since.is_none(),
            ),
            commands,
        }
    }
}
