//! The types of the catalogue, and what their envelopes must hold.

/// What an event may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One call.
    Call,
    /// The whole platform: `*`.
    Platform,
    /// Either.
    Any,
}

/// One type of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EventKind {
    CallStarted,
    CallUpdated,
    CallEnded,
    ParticipantJoined,
    ParticipantLeft,
    TransportQuality,
    TransportDisconnected,
    TransportReconnected,
    TurnStarted,
    TurnEnded,
    TurnLatency,
    SpeechStarted,
    SpeechStopped,
    SpeechInterrupted,
    TranscriptPartial,
    TranscriptFinal,
    AgentStateChanged,
    AgentReplaced,
    LlmResponseStarted,
    LlmResponseEnded,
    TtsStarted,
    TtsStopped,
    ToolRequested,
    ToolStarted,
    ToolCompleted,
    ToolFailed,
    ToolTimedOut,
    ToolCancelled,
    ToolCatalogChanged,
    ServiceLatency,
    ServiceUsage,
    ServiceError,
    ServiceAvailabilityChanged,
    ServiceSwitched,
    ServiceSettingsChanged,
    PipelineStalled,
    PipelineIdle,
    WorkerRegistered,
    WorkerLost,
    Beat,
    HandoffRequested,
    HandoffCompleted,
    HandoffFailed,
    StreamSnapshot,
    StreamGapDetected,
    StreamCaughtUp,
    BridgeHeartbeat,
    DrillFaultsChanged,
}

impl EventKind {
    /// Every type, in the order of the table in `docs/protocol/bridge.md`.
    pub(crate) const ALL: [Self; 48] = [
        Self::CallStarted,
        Self::CallUpdated,
        Self::CallEnded,
        Self::ParticipantJoined,
        Self::ParticipantLeft,
        Self::TransportQuality,
        Self::TransportDisconnected,
        Self::TransportReconnected,
        Self::TurnStarted,
        Self::TurnEnded,
        Self::TurnLatency,
        Self::SpeechStarted,
        Self::SpeechStopped,
        Self::SpeechInterrupted,
        Self::TranscriptPartial,
        Self::TranscriptFinal,
        Self::AgentStateChanged,
        Self::AgentReplaced,
        Self::LlmResponseStarted,
        Self::LlmResponseEnded,
        Self::TtsStarted,
        Self::TtsStopped,
        Self::ToolRequested,
        Self::ToolStarted,
        Self::ToolCompleted,
        Self::ToolFailed,
        Self::ToolTimedOut,
        Self::ToolCancelled,
        Self::ToolCatalogChanged,
        Self::ServiceLatency,
        Self::ServiceUsage,
        Self::ServiceError,
        Self::ServiceAvailabilityChanged,
        Self::ServiceSwitched,
        Self::ServiceSettingsChanged,
        Self::PipelineStalled,
        Self::PipelineIdle,
        Self::WorkerRegistered,
        Self::WorkerLost,
        Self::Beat,
        Self::HandoffRequested,
        Self::HandoffCompleted,
        Self::HandoffFailed,
        Self::StreamSnapshot,
        Self::StreamGapDetected,
        Self::StreamCaughtUp,
        Self::BridgeHeartbeat,
        Self::DrillFaultsChanged,
    ];

    /// The type on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CallStarted => "holdfast.call.started",
            Self::CallUpdated => "holdfast.call.updated",
            Self::CallEnded => "holdfast.call.ended",
            Self::ParticipantJoined => "holdfast.participant.joined",
            Self::ParticipantLeft => "holdfast.participant.left",
            Self::TransportQuality => "holdfast.transport.quality",
            Self::TransportDisconnected => "holdfast.transport.disconnected",
            Self::TransportReconnected => "holdfast.transport.reconnected",
            Self::TurnStarted => "holdfast.turn.started",
            Self::TurnEnded => "holdfast.turn.ended",
            Self::TurnLatency => "holdfast.turn.latency",
            Self::SpeechStarted => "holdfast.speech.started",
            Self::SpeechStopped => "holdfast.speech.stopped",
            Self::SpeechInterrupted => "holdfast.speech.interrupted",
            Self::TranscriptPartial => "holdfast.transcript.partial",
            Self::TranscriptFinal => "holdfast.transcript.final",
            Self::AgentStateChanged => "holdfast.agent.state_changed",
            Self::AgentReplaced => "holdfast.agent.replaced",
            Self::LlmResponseStarted => "holdfast.llm.response_started",
            Self::LlmResponseEnded => "holdfast.llm.response_ended",
            Self::TtsStarted => "holdfast.tts.started",
            Self::TtsStopped => "holdfast.tts.stopped",
            Self::ToolRequested => "holdfast.tool.requested",
            Self::ToolStarted => "holdfast.tool.started",
            Self::ToolCompleted => "holdfast.tool.completed",
            Self::ToolFailed => "holdfast.tool.failed",
            Self::ToolTimedOut => "holdfast.tool.timed_out",
            Self::ToolCancelled => "holdfast.tool.cancelled",
            Self::ToolCatalogChanged => "holdfast.tool.catalog_changed",
            Self::ServiceLatency => "holdfast.service.latency",
            Self::ServiceUsage => "holdfast.service.usage",
            Self::ServiceError => "holdfast.service.error",
            Self::ServiceAvailabilityChanged => "holdfast.service.availability_changed",
            Self::ServiceSwitched => "holdfast.service.switched",
            Self::ServiceSettingsChanged => "holdfast.service.settings_changed",
            Self::PipelineStalled => "holdfast.pipeline.stalled",
            Self::PipelineIdle => "holdfast.pipeline.idle",
            Self::WorkerRegistered => "holdfast.infra.worker_registered",
            Self::WorkerLost => "holdfast.infra.worker_lost",
            Self::Beat => "holdfast.infra.beat",
            Self::HandoffRequested => "holdfast.handoff.requested",
            Self::HandoffCompleted => "holdfast.handoff.completed",
            Self::HandoffFailed => "holdfast.handoff.failed",
            Self::StreamSnapshot => "holdfast.stream.snapshot",
            Self::StreamGapDetected => "holdfast.stream.gap_detected",
            Self::StreamCaughtUp => "holdfast.stream.caught_up",
            Self::BridgeHeartbeat => "holdfast.bridge.heartbeat",
            Self::DrillFaultsChanged => "holdfast.drill.faults_changed",
        }
    }

    /// The type that `name` means on the wire.
    pub(crate) fn from_wire(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("holdfast.")? {
            "call.started" => Self::CallStarted,
            "call.updated" => Self::CallUpdated,
            "call.ended" => Self::CallEnded,
            "participant.joined" => Self::ParticipantJoined,
            "participant.left" => Self::ParticipantLeft,
            "transport.quality" => Self::TransportQuality,
            "transport.disconnected" => Self::TransportDisconnected,
            "transport.reconnected" => Self::TransportReconnected,
            "turn.started" => Self::TurnStarted,
            "turn.ended" => Self::TurnEnded,
            "turn.latency" => Self::TurnLatency,
            "speech.started" => Self::SpeechStarted,
            "speech.stopped" => Self::SpeechStopped,
            "speech.interrupted" => Self::SpeechInterrupted,
            "transcript.partial" => Self::TranscriptPartial,
            "transcript.final" => Self::TranscriptFinal,
            "agent.state_changed" => Self::AgentStateChanged,
            "agent.replaced" => Self::AgentReplaced,
            "llm.response_started" => Self::LlmResponseStarted,
            "llm.response_ended" => Self::LlmResponseEnded,
            "tts.started" => Self::TtsStarted,
            "tts.stopped" => Self::TtsStopped,
            "tool.requested" => Self::ToolRequested,
            "tool.started" => Self::ToolStarted,
            "tool.completed" => Self::ToolCompleted,
            "tool.failed" => Self::ToolFailed,
            "tool.timed_out" => Self::ToolTimedOut,
            "tool.cancelled" => Self::ToolCancelled,
            "tool.catalog_changed" => Self::ToolCatalogChanged,
            "service.latency" => Self::ServiceLatency,
            "service.usage" => Self::ServiceUsage,
            "service.error" => Self::ServiceError,
            "service.availability_changed" => Self::ServiceAvailabilityChanged,
            "service.switched" => Self::ServiceSwitched,
            "service.settings_changed" => Self::ServiceSettingsChanged,
            "pipeline.stalled" => Self::PipelineStalled,
            "pipeline.idle" => Self::PipelineIdle,
            "infra.worker_registered" => Self::WorkerRegistered,
            "infra.worker_lost" => Self::WorkerLost,
            "infra.beat" => Self::Beat,
            "handoff.requested" => Self::HandoffRequested,
            "handoff.completed" => Self::HandoffCompleted,
            "handoff.failed" => Self::HandoffFailed,
            "stream.snapshot" => Self::StreamSnapshot,
            "stream.gap_detected" => Self::StreamGapDetected,
            "stream.caught_up" => Self::StreamCaughtUp,
            "bridge.heartbeat" => Self::BridgeHeartbeat,
            "drill.faults_changed" => Self::DrillFaultsChanged,
            _ => return None,
        })
    }

    /// What it may be about.
    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::CallStarted
            | Self::CallUpdated
            | Self::CallEnded
            | Self::ParticipantJoined
            | Self::ParticipantLeft
            | Self::TurnStarted
            | Self::TurnEnded
            | Self::TurnLatency
            | Self::SpeechStarted
            | Self::SpeechStopped
            | Self::SpeechInterrupted
            | Self::TranscriptPartial
            | Self::TranscriptFinal
            | Self::AgentStateChanged
            | Self::AgentReplaced
            | Self::LlmResponseStarted
            | Self::LlmResponseEnded
            | Self::TtsStarted
            | Self::TtsStopped
            | Self::ToolRequested
            | Self::ToolStarted
            | Self::ToolCompleted
            | Self::ToolFailed
            | Self::ToolTimedOut
            | Self::ToolCancelled
            | Self::ToolCatalogChanged
            | Self::HandoffRequested
            | Self::HandoffCompleted
            | Self::HandoffFailed => Scope::Call,
            Self::TransportQuality
            | Self::TransportDisconnected
            | Self::TransportReconnected
            | Self::ServiceLatency
            | Self::ServiceUsage
            | Self::ServiceError
            | Self::ServiceAvailabilityChanged
            | Self::ServiceSwitched
            | Self::ServiceSettingsChanged
            | Self::PipelineStalled
            | Self::PipelineIdle
            | Self::WorkerRegistered
            | Self::WorkerLost => Scope::Any,
            Self::Beat
            | Self::StreamSnapshot
            | Self::StreamGapDetected
            | Self::StreamCaughtUp
            | Self::BridgeHeartbeat
            | Self::DrillFaultsChanged => Scope::Platform,
        }
    }

    /// Its envelope must name the layer of the service that it is about.
    pub(crate) fn needs_layer(self) -> bool {
        matches!(
            self,
            Self::ServiceLatency
                | Self::ServiceUsage
                | Self::ServiceError
                | Self::ServiceAvailabilityChanged
                | Self::ServiceSwitched
                | Self::ServiceSettingsChanged
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_in_the_reference() {
        let reference = include_str!("../../../../docs/protocol/bridge.md");
        for kind in EventKind::ALL {
            let name = kind.as_str().trim_start_matches("holdfast.");
            let is_row = |line: &str| {
                let first = line.split('|').nth(1).unwrap_or_default();
                line.starts_with("| `") && first.contains(&format!("`{name}`"))
            };
            assert!(reference.lines().any(is_row), "{name}");
        }
    }

    #[test]
    fn every_type_survives_the_wire() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_wire(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::from_wire("holdfast.call.exploded"), None);
        assert_eq!(EventKind::from_wire("call.started"), None);
    }
}
