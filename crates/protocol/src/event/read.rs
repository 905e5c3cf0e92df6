//! Reads the data of an event, once its type is known.

use holdfast_domain::Timestamp;
use holdfast_domain::fact::{Fact, Text};
use serde::Deserialize;

use super::data;
use super::kind::EventKind;
use crate::error::WireError;
use crate::wire::{WireText, read};

/// The fact of type `kind` in `json`. `time` is the event's own.
pub(super) fn fact(kind: EventKind, json: &str, time: Timestamp) -> Result<Fact<'_>, WireError> {
    let place = Data { kind, json };
    Ok(match kind {
        EventKind::CallStarted => {
            let data: data::CallStarted<'_> = place.read()?;
            Fact::CallStarted(Box::new(data.into_fact()))
        }
        EventKind::CallUpdated => {
            let data: data::CallUpdated<'_> = place.read()?;
            Fact::CallUpdated(Box::new(data.into_fact(time)))
        }
        EventKind::CallEnded => {
            let data: data::CallEnded<'_> = place.read()?;
            Fact::CallEnded {
                reason: data.reason.0,
                ended_by: data.ended_by,
            }
        }
        EventKind::ParticipantJoined => {
            let data: data::Participant<'_> = place.read()?;
            Fact::ParticipantJoined {
                identity: data.identity.0,
                kind: data.kind.0.0,
            }
        }
        EventKind::ParticipantLeft => {
            let data: data::Participant<'_> = place.read()?;
            Fact::ParticipantLeft {
                identity: data.identity.0,
                kind: data.kind.0.0,
            }
        }
        EventKind::TransportQuality => {
            let data: data::TransportQuality = place.read()?;
            Fact::TransportQuality {
                rtt_ms: data.rtt_ms.0,
                jitter_ms: data.jitter_ms.0,
                loss: data.loss.0,
            }
        }
        EventKind::TransportDisconnected => {
            let data: data::TransportLink<'_> = place.read()?;
            Fact::TransportDisconnected {
                reason: data.reason.0,
            }
        }
        EventKind::TransportReconnected => {
            let data: data::TransportLink<'_> = place.read()?;
            Fact::TransportReconnected {
                reason: data.reason.0,
            }
        }
        EventKind::TurnStarted => {
            let data: data::TurnStarted = place.read()?;
            Fact::TurnStarted { turn: data.turn }
        }
        EventKind::TurnEnded => {
            let data: data::TurnEnded = place.read()?;
            Fact::TurnEnded {
                turn: data.turn,
                duration_ms: data.duration_secs.0,
                interrupted: data.interrupted,
            }
        }
        EventKind::TurnLatency => {
            let data: data::TurnLatency = place.read()?;
            Fact::TurnLatency {
                total_ms: data.total_secs.0,
            }
        }
        EventKind::SpeechStarted => {
            let data: data::SpeechActor = place.read()?;
            Fact::SpeechStarted { actor: data.actor }
        }
        EventKind::SpeechStopped => {
            let data: data::SpeechActor = place.read()?;
            Fact::SpeechStopped { actor: data.actor }
        }
        EventKind::SpeechInterrupted => {
            let data: data::SpeechInterrupted = place.read()?;
            Fact::SpeechInterrupted { by: data.by }
        }
        EventKind::TranscriptPartial => {
            let data: data::TranscriptPartial<'_> = place.read()?;
            Fact::TranscriptPartial {
                role: data.role,
                text: data.text.0,
            }
        }
        EventKind::TranscriptFinal => {
            let data: data::TranscriptFinal<'_> = place.read()?;
            Fact::TranscriptFinal {
                role: data.role,
                text: data.text.0,
                language: data.language.map(Into::into),
                turn: data.turn,
                interrupted: data.interrupted.unwrap_or(false),
                unspoken: data.unspoken.map(Into::into),
            }
        }
        EventKind::AgentStateChanged => {
            let data: data::AgentStateChanged = place.read()?;
            Fact::AgentStateChanged { to: data.to }
        }
        EventKind::AgentReplaced => {
            let data: data::AgentReplaced<'_> = place.read()?;
            Fact::AgentReplaced {
                from: data.from.0,
                to: data.to.0,
            }
        }
        EventKind::LlmResponseStarted => {
            let data: data::LlmStarted<'_> = place.read()?;
            Fact::LlmResponseStarted {
                service: data.service.0,
            }
        }
        EventKind::LlmResponseEnded => {
            let data: data::LlmEnded<'_> = place.read()?;
            Fact::LlmResponseEnded {
                service: data.service.0,
                chars: data.chars,
                tool_calls: data.tool_calls,
            }
        }
        EventKind::TtsStarted => {
            let data: data::Tts<'_> = place.read()?;
            Fact::TtsStarted {
                service: data.service.0,
            }
        }
        EventKind::TtsStopped => {
            let data: data::Tts<'_> = place.read()?;
            Fact::TtsStopped {
                service: data.service.0,
            }
        }
        EventKind::ToolRequested => {
            let mut data: data::ToolRequested<'_> = place.read()?;
            Fact::ToolRequested {
                tool: data.tool(),
                args: data.args.map(Into::into),
            }
        }
        EventKind::ToolStarted => {
            let mut data: data::ToolStarted<'_> = place.read()?;
            Fact::ToolStarted {
                tool: data.tool(),
                writes: data.writes.unwrap_or(false),
            }
        }
        EventKind::ToolCompleted => {
            let mut data: data::ToolCompleted<'_> = place.read()?;
            Fact::ToolCompleted {
                tool: data.tool(),
                duration_ms: data.duration_secs.0,
                result: data.result.map(Into::into),
                effect: data.effect,
            }
        }
        EventKind::ToolFailed => {
            let mut data: data::ToolFailed<'_> = place.read()?;
            Fact::ToolFailed {
                tool: data.tool(),
                error_type: data.error_type.0,
                message: data.message.0,
            }
        }
        EventKind::ToolTimedOut => {
            let mut data: data::ToolStopped<'_> = place.read()?;
            Fact::ToolTimedOut {
                tool: data.tool(),
                deadline_ms: data.deadline_secs.map(|secs| secs.0),
            }
        }
        EventKind::ToolCancelled => {
            let mut data: data::ToolStopped<'_> = place.read()?;
            Fact::ToolCancelled { tool: data.tool() }
        }
        EventKind::ToolCatalogChanged => {
            let data: data::ToolCatalogChanged<'_> = place.read()?;
            Fact::ToolCatalogChanged {
                enabled: texts(data.enabled),
                disabled: texts(data.disabled),
            }
        }
        EventKind::ServiceLatency => {
            let data: data::ServiceLatency<'_> = place.read()?;
            Fact::ServiceLatency {
                service: data.service.0,
                metric: data.metric,
                ms: data.seconds.0,
                probe: data.probe.unwrap_or(false),
            }
        }
        EventKind::ServiceUsage => {
            let data: data::ServiceUsage<'_> = place.read()?;
            Fact::ServiceUsage {
                service: data.service.0,
            }
        }
        EventKind::ServiceError => {
            let data: data::ServiceError<'_> = place.read()?;
            Fact::ServiceError {
                service: data.service.0,
                error_type: data.error_type.0,
                message: data.message.0,
                permanent: data.permanent.unwrap_or(false),
                usable: data.usable,
            }
        }
        EventKind::ServiceAvailabilityChanged => {
            let data: data::ServiceAvailability<'_> = place.read()?;
            Fact::ServiceAvailabilityChanged {
                service: data.service.0,
                available: data.available,
                reason: data.reason.map(Into::into),
            }
        }
        EventKind::ServiceSwitched => {
            let data: data::ServiceSwitched<'_> = place.read()?;
            Fact::ServiceSwitched {
                from: data.from.0,
                to: data.to.0,
                cause: data.cause,
            }
        }
        EventKind::ServiceSettingsChanged => {
            let data: data::ServiceSettings<'_> = place.read()?;
            Fact::ServiceSettingsChanged {
                service: data.service.0,
            }
        }
        EventKind::PipelineStalled => {
            let data: data::Pipeline = place.read()?;
            Fact::PipelineStalled { secs: data.secs.0 }
        }
        EventKind::PipelineIdle => {
            let data: data::Pipeline = place.read()?;
            Fact::PipelineIdle { secs: data.secs.0 }
        }
        EventKind::WorkerRegistered => {
            let data: data::Worker<'_> = place.read()?;
            Fact::WorkerRegistered {
                worker: data.name.0,
                region: data.region.map(Into::into),
            }
        }
        EventKind::WorkerLost => {
            let data: data::Worker<'_> = place.read()?;
            Fact::WorkerLost {
                worker: data.name.0,
                region: data.region.map(Into::into),
            }
        }
        EventKind::Beat => {
            let data: data::Beat<'_> = place.read()?;
            Fact::Beat {
                of: data.of,
                name: data.name.0,
                region: data.region.map(Into::into),
                zone: data.zone.map(Into::into),
            }
        }
        EventKind::HandoffRequested => {
            let data: data::HandoffRequested<'_> = place.read()?;
            Fact::HandoffRequested {
                to: data.to.0,
                reason: data.reason.0,
            }
        }
        EventKind::HandoffCompleted => {
            let data: data::HandoffCompleted<'_> = place.read()?;
            Fact::HandoffCompleted {
                handoff_id: data.handoff_id.map(Into::into),
                to: data.to.0,
            }
        }
        EventKind::HandoffFailed => {
            let data: data::HandoffFailed<'_> = place.read()?;
            Fact::HandoffFailed {
                handoff_id: data.handoff_id.map(Into::into),
                reason: data.reason.0.0,
            }
        }
        EventKind::StreamSnapshot => {
            let data: data::StreamSnapshot<'_> = place.read()?;
            Fact::StreamSnapshot {
                calls: data.calls.into_iter().map(|call| call.0.0).collect(),
            }
        }
        EventKind::StreamGapDetected => {
            let data: data::StreamGap = place.read()?;
            Fact::StreamGapDetected {
                from_seq: data.from_seq,
                to_seq: data.to_seq,
                missing: data.missing,
            }
        }
        EventKind::StreamCaughtUp => {
            let data::Nothing {} = place.read()?;
            Fact::StreamCaughtUp
        }
        EventKind::BridgeHeartbeat => {
            let data: data::Heartbeat = place.read()?;
            Fact::BridgeHeartbeat {
                live_calls: data.live_calls,
                buffered: data.buffered,
                unmapped: data.unmapped,
            }
        }
        EventKind::DrillFaultsChanged => {
            let data: data::DrillFaultsChanged = place.read()?;
            Fact::DrillFaultsChanged {
                active: data.active,
            }
        }
    })
}

/// The data of an event of one type.
struct Data<'a> {
    kind: EventKind,
    json: &'a str,
}

impl<'a> Data<'a> {
    fn read<T: Deserialize<'a>>(&self) -> Result<T, WireError> {
        read(self.kind.as_str(), "data", self.json)
    }
}

fn texts(wire: Vec<WireText<'_>>) -> Vec<Text<'_>> {
    wire.into_iter().map(Into::into).collect()
}
