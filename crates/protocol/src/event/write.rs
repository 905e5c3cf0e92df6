//! Writes an event.

use holdfast_domain::fact::{Fact, FactEnvelope, Text};
use serde::Serialize;

use super::data;
use super::envelope::{Envelope, Sequence, SpecVersion, Subject};
use super::kind::EventKind;
use crate::wire::{CallName, Moment, NotNegative, Secs, SecsFine, Share, WireText};

/// One event as JSON, for the bridge `source` in its `epoch`. What it writes is read back as the
/// same envelope, as long as numbers keep to the ranges of the wire.
pub fn write_event(source: &str, epoch: &str, envelope: &FactEnvelope<'_>) -> String {
    let event = Event {
        source,
        epoch,
        envelope,
    };
    match &envelope.fact {
        Fact::CallStarted(call) => event.write(EventKind::CallStarted, data::CallStarted::of(call)),
        Fact::CallUpdated(call) => event.write(EventKind::CallUpdated, data::CallUpdated::of(call)),
        Fact::CallEnded { reason, ended_by } => event.write(
            EventKind::CallEnded,
            data::CallEnded {
                reason: WireText::of(reason),
                ended_by: *ended_by,
            },
        ),
        Fact::ParticipantJoined { identity, kind } => event.write(
            EventKind::ParticipantJoined,
            data::Participant::of(identity, kind),
        ),
        Fact::ParticipantLeft { identity, kind } => event.write(
            EventKind::ParticipantLeft,
            data::Participant::of(identity, kind),
        ),
        Fact::TransportQuality {
            rtt_ms,
            jitter_ms,
            loss,
        } => event.write(
            EventKind::TransportQuality,
            data::TransportQuality {
                rtt_ms: NotNegative(*rtt_ms),
                jitter_ms: NotNegative(*jitter_ms),
                loss: Share(*loss),
            },
        ),
        Fact::TransportDisconnected { reason } => event.write(
            EventKind::TransportDisconnected,
            data::TransportLink {
                reason: WireText::of(reason),
            },
        ),
        Fact::TransportReconnected { reason } => event.write(
            EventKind::TransportReconnected,
            data::TransportLink {
                reason: WireText::of(reason),
            },
        ),
        Fact::TurnStarted { turn } => {
            event.write(EventKind::TurnStarted, data::TurnStarted { turn: *turn })
        }
        Fact::TurnEnded {
            turn,
            duration_ms,
            interrupted,
        } => event.write(
            EventKind::TurnEnded,
            data::TurnEnded {
                turn: *turn,
                duration_secs: Secs(*duration_ms),
                interrupted: *interrupted,
            },
        ),
        Fact::TurnLatency { total_ms } => event.write(
            EventKind::TurnLatency,
            data::TurnLatency {
                turn: None,
                total_secs: Secs(*total_ms),
            },
        ),
        Fact::SpeechStarted { actor } => event.write(
            EventKind::SpeechStarted,
            data::SpeechActor { actor: *actor },
        ),
        Fact::SpeechStopped { actor } => event.write(
            EventKind::SpeechStopped,
            data::SpeechActor { actor: *actor },
        ),
        Fact::SpeechInterrupted { by } => event.write(
            EventKind::SpeechInterrupted,
            data::SpeechInterrupted { by: *by },
        ),
        Fact::TranscriptPartial { role, text } => event.write(
            EventKind::TranscriptPartial,
            data::TranscriptPartial {
                role: *role,
                text: WireText::of(text),
                language: None,
                turn: None,
            },
        ),
        Fact::TranscriptFinal {
            role,
            text,
            language,
            turn,
            interrupted,
            unspoken,
        } => event.write(
            EventKind::TranscriptFinal,
            data::TranscriptFinal {
                role: *role,
                text: WireText::of(text),
                language: WireText::of_option(language.as_ref()),
                turn: *turn,
                interrupted: interrupted.then_some(true),
                unspoken: WireText::of_option(unspoken.as_ref()),
            },
        ),
        Fact::AgentStateChanged { to } => event.write(
            EventKind::AgentStateChanged,
            data::AgentStateChanged {
                from: None,
                to: *to,
            },
        ),
        Fact::AgentReplaced { from, to } => event.write(
            EventKind::AgentReplaced,
            data::AgentReplaced {
                from: WireText::of(from),
                to: WireText::of(to),
            },
        ),
        Fact::LlmResponseStarted { service } => event.write(
            EventKind::LlmResponseStarted,
            data::LlmStarted {
                service: WireText::of(service),
            },
        ),
        Fact::LlmResponseEnded {
            service,
            chars,
            tool_calls,
        } => event.write(
            EventKind::LlmResponseEnded,
            data::LlmEnded {
                service: WireText::of(service),
                chars: *chars,
                tool_calls: *tool_calls,
            },
        ),
        Fact::TtsStarted { service } => event.write(
            EventKind::TtsStarted,
            data::Tts {
                service: WireText::of(service),
                chars: None,
            },
        ),
        Fact::TtsStopped { service } => event.write(
            EventKind::TtsStopped,
            data::Tts {
                service: WireText::of(service),
                chars: None,
            },
        ),
        Fact::ToolRequested { tool, args } => {
            let mut data = data::ToolRequested::of(tool);
            data.args = WireText::of_option(args.as_ref());
            event.write(EventKind::ToolRequested, data)
        }
        Fact::ToolStarted { tool, writes } => event.write(
            EventKind::ToolStarted,
            data::ToolStarted::of(tool, None, writes.then_some(true)),
        ),
        Fact::ToolCompleted {
            tool,
            duration_ms,
            result,
            effect,
        } => event.write(
            EventKind::ToolCompleted,
            data::ToolCompleted::of(
                tool,
                Secs(*duration_ms),
                WireText::of_option(result.as_ref()),
                *effect,
            ),
        ),
        Fact::ToolFailed {
            tool,
            error_type,
            message,
        } => event.write(
            EventKind::ToolFailed,
            data::ToolFailed::of(tool, WireText::of(error_type), WireText::of(message)),
        ),
        Fact::ToolTimedOut { tool, deadline_ms } => event.write(
            EventKind::ToolTimedOut,
            data::ToolStopped::of(tool, deadline_ms.map(Secs)),
        ),
        Fact::ToolCancelled { tool } => {
            event.write(EventKind::ToolCancelled, data::ToolStopped::of(tool, None))
        }
        Fact::ToolCatalogChanged { enabled, disabled } => event.write(
            EventKind::ToolCatalogChanged,
            data::ToolCatalogChanged {
                enabled: texts(enabled),
                disabled: texts(disabled),
                cause: None,
            },
        ),
        Fact::ServiceLatency {
            service,
            metric,
            ms,
            probe,
        } => event.write(
            EventKind::ServiceLatency,
            data::ServiceLatency {
                service: WireText::of(service),
                metric: *metric,
                seconds: SecsFine(*ms),
                probe: probe.then_some(true),
            },
        ),
        Fact::ServiceUsage { service } => event.write(
            EventKind::ServiceUsage,
            data::ServiceUsage {
                service: WireText::of(service),
                tokens: None,
                characters: None,
                audio_seconds: None,
            },
        ),
        Fact::ServiceError {
            service,
            error_type,
            message,
            permanent,
            usable,
        } => event.write(
            EventKind::ServiceError,
            data::ServiceError {
                service: WireText::of(service),
                error_type: WireText::of(error_type),
                message: WireText::of(message),
                permanent: Some(*permanent),
                recoverable: None,
                usable: *usable,
            },
        ),
        Fact::ServiceAvailabilityChanged {
            service,
            available,
            reason,
        } => event.write(
            EventKind::ServiceAvailabilityChanged,
            data::ServiceAvailability {
                service: WireText::of(service),
                available: *available,
                reason: WireText::of_option(reason.as_ref()),
            },
        ),
        Fact::ServiceSwitched { from, to, cause } => event.write(
            EventKind::ServiceSwitched,
            data::ServiceSwitched {
                from: WireText::of(from),
                to: WireText::of(to),
                cause: *cause,
            },
        ),
        Fact::ServiceSettingsChanged { service } => event.write(
            EventKind::ServiceSettingsChanged,
            data::ServiceSettings {
                service: WireText::of(service),
                changed: None,
            },
        ),
        Fact::PipelineStalled { secs } => event.write(
            EventKind::PipelineStalled,
            data::Pipeline {
                secs: NotNegative(*secs),
            },
        ),
        Fact::PipelineIdle { secs } => event.write(
            EventKind::PipelineIdle,
            data::Pipeline {
                secs: NotNegative(*secs),
            },
        ),
        Fact::WorkerRegistered { worker, region } => event.write(
            EventKind::WorkerRegistered,
            data::Worker {
                name: WireText::of(worker),
                host: None,
                region: WireText::of_option(region.as_ref()),
            },
        ),
        Fact::WorkerLost { worker, region } => event.write(
            EventKind::WorkerLost,
            data::Worker {
                name: WireText::of(worker),
                host: None,
                region: WireText::of_option(region.as_ref()),
            },
        ),
        Fact::Beat {
            of,
            name,
            region,
            zone,
        } => event.write(
            EventKind::Beat,
            data::Beat {
                of: *of,
                name: WireText::of(name),
                region: WireText::of_option(region.as_ref()),
                zone: WireText::of_option(zone.as_ref()),
            },
        ),
        Fact::HandoffRequested { to, reason } => event.write(
            EventKind::HandoffRequested,
            data::HandoffRequested {
                to: WireText::of(to),
                reason: WireText::of(reason),
            },
        ),
        Fact::HandoffCompleted { handoff_id, to } => event.write(
            EventKind::HandoffCompleted,
            data::HandoffCompleted {
                handoff_id: WireText::of_option(handoff_id.as_ref()),
                to: WireText::of(to),
                wait_secs: None,
            },
        ),
        Fact::HandoffFailed { handoff_id, reason } => event.write(
            EventKind::HandoffFailed,
            data::HandoffFailed::of(handoff_id.as_ref(), reason),
        ),
        Fact::StreamSnapshot { calls } => event.write(
            EventKind::StreamSnapshot,
            data::StreamSnapshot {
                calls: calls
                    .iter()
                    .map(|call| CallName(WireText::of(call)))
                    .collect(),
            },
        ),
        Fact::StreamGapDetected {
            from_seq,
            to_seq,
            missing,
        } => event.write(
            EventKind::StreamGapDetected,
            data::StreamGap {
                from_seq: *from_seq,
                to_seq: *to_seq,
                missing: *missing,
            },
        ),
        Fact::StreamCaughtUp => event.write(EventKind::StreamCaughtUp, data::Nothing {}),
        Fact::BridgeHeartbeat {
            live_calls,
            buffered,
            unmapped,
        } => event.write(
            EventKind::BridgeHeartbeat,
            data::Heartbeat {
                live_calls: *live_calls,
                buffered: *buffered,
                unmapped: *unmapped,
            },
        ),
        Fact::DrillFaultsChanged { active } => event.write(
            EventKind::DrillFaultsChanged,
            data::DrillFaultsChanged {
                active: active.clone(),
            },
        ),
    }
}

/// A batch of events that were written one by one.
pub fn write_batch(events: &[String]) -> String {
    let bytes: usize = events.iter().map(|event| event.len() + 1).sum();
    let mut batch = String::with_capacity(bytes + 1);
    batch.push('[');
    for (place, event) in events.iter().enumerate() {
        if place > 0 {
            batch.push(',');
        }
        batch.push_str(event);
    }
    batch.push(']');
    batch
}

/// An event on its way to the wire.
struct Event<'a> {
    source: &'a str,
    epoch: &'a str,
    envelope: &'a FactEnvelope<'a>,
}

impl Event<'_> {
    fn write<D: Serialize>(&self, kind: EventKind, data: D) -> String {
        let Self {
            source,
            epoch,
            envelope,
        } = self;
        let event = Envelope {
            specversion: SpecVersion(WireText::of("1.0")),
            id: WireText::of(&envelope.id),
            source: WireText::of(source),
            kind: WireText::of(kind.as_str()),
            subject: Subject(WireText::of(&envelope.subject)),
            time: Moment(envelope.time),
            recordedtime: Moment(envelope.recorded),
            sequence: Sequence(envelope.sequence),
            epoch: WireText::of(epoch),
            layer: envelope.layer,
            causationid: WireText::of_option(envelope.cause.as_ref()),
            data,
        };
        serde_json::to_string(&event).expect("strings, numbers and lists always become JSON")
    }
}

fn texts<'a>(texts: &'a [Text<'_>]) -> Vec<WireText<'a>> {
    texts.iter().map(|text| WireText::of(text)).collect()
}
