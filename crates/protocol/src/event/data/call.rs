//! Calls, participants and handoffs.

use holdfast_domain::fact::{self, EndedBy, Text};
use holdfast_domain::playbook::Parity;
use holdfast_domain::{
    AiState, Capability, CardSource, IdentityLevel, IdentityState, Layer, PromiseMade, Protected,
    Rung, Service, Slot, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::schema;
use crate::wire::{Moment, Secs, Share, SignedShare, WireText, closed_text};

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Inbound,
    Outbound,
}

closed_text! {
    /// Whether the call is recorded.
    Recording, "on, paused or off", ["on", "paused", "off"]
}
closed_text! {
    /// What a participant is.
    ParticipantKind, "caller, ai or human", ["caller", "ai", "human"]
}
closed_text! {
    /// Why no human is on the call.
    HandoffFailedReason,
    "no_answer, busy, declined, voicemail, caller_left or trunk_failed",
    ["no_answer", "busy", "declined", "voicemail", "caller_left", "trunk_failed"]
}

/// A service that the call can use, in ladder order within its layer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Service")]
pub(crate) struct WireService<'a> {
    #[schemars(with = "schema::LayerName")]
    layer: Layer,
    #[serde(borrow)]
    name: WireText<'a>,
    #[serde(
        borrow,
        rename = "gen_ai.provider.name",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    provider: Option<WireText<'a>>,
    #[serde(
        borrow,
        rename = "gen_ai.request.model",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    model: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    region: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    zone: Option<WireText<'a>>,
    active: bool,
    usable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::RungName>")]
    rung: Option<Rung>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<schema::ParityName>")]
    lacks: Vec<Parity>,
}

impl<'a> WireService<'a> {
    fn of(service: &'a Service) -> Self {
        let unless_empty = |text: &'a String| (!text.is_empty()).then(|| WireText::of(text));
        Self {
            layer: service.layer,
            name: WireText::of(&service.name),
            provider: unless_empty(&service.provider),
            model: unless_empty(&service.model),
            region: unless_empty(&service.region),
            zone: unless_empty(&service.zone),
            active: service.active,
            usable: service.usable,
            rung: Some(service.rung),
            lacks: service.lacks.clone(),
        }
    }
}

/// The services with the rung of each. Where the bridge names none: the first of a layer is the
/// primary, the same model again is a retry elsewhere, anything else a backup.
fn services(wire: Vec<WireService<'_>>) -> Vec<Service> {
    let owned = |text: Option<WireText<'_>>| text.map_or_else(String::new, |t| t.0.into_owned());
    let mut services: Vec<Service> = Vec::with_capacity(wire.len());
    for service in wire {
        let (provider, model) = (owned(service.provider), owned(service.model));
        let first = services.iter().find(|other| other.layer == service.layer);
        let rung = service.rung.unwrap_or(match first {
            None => Rung::Primary,
            Some(first) if first.provider == provider && first.model == model => Rung::Retry,
            Some(_) => Rung::Backup,
        });
        services.push(Service {
            layer: service.layer,
            name: service.name.0.into_owned(),
            provider,
            model,
            region: owned(service.region),
            zone: owned(service.zone),
            active: service.active,
            usable: service.usable,
            rung,
            lacks: service.lacks,
        });
    }
    services
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct CallStarted<'a> {
    direction: Direction,
    #[serde(borrow)]
    agent: WireText<'a>,
    #[serde(borrow)]
    queue: WireText<'a>,
    #[serde(borrow)]
    language: WireText<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    flow: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    build: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    worker: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    zone: Option<WireText<'a>>,
    #[serde(borrow)]
    services: Vec<WireService<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<schema::CapabilityForm>>")]
    capabilities: Option<Vec<Capability>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resumed: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<Moment>,
    #[serde(
        borrow,
        rename = "pii.customer",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    customer: Option<WireText<'a>>,
    #[serde(
        borrow,
        rename = "pii.from",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    from: Option<WireText<'a>>,
    #[serde(
        borrow,
        rename = "pii.to",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    to: Option<WireText<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disclosure: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consent: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    recording: Option<Recording<'a>>,
}

impl<'a> CallStarted<'a> {
    pub(crate) fn of(call: &'a fact::CallStarted<'_>) -> Self {
        Self {
            direction: if call.outbound {
                Direction::Outbound
            } else {
                Direction::Inbound
            },
            agent: WireText::of(&call.agent),
            queue: WireText::of(&call.queue),
            language: WireText::of(&call.language),
            flow: WireText::of_option(call.flow.as_ref()),
            build: WireText::of_option(call.build.as_ref()),
            worker: WireText::of_option(call.worker.as_ref()),
            zone: WireText::of_option(call.zone.as_ref()),
            services: call.services.iter().map(WireService::of).collect(),
            capabilities: call.capabilities.clone(),
            resumed: call.resumed.then_some(true),
            started_at: call.started_at.map(Moment),
            customer: WireText::of_option(call.customer.as_ref()),
            from: None,
            to: None,
            disclosure: call.disclosure,
            consent: call.consent,
            recording: WireText::of_option(call.recording.as_ref()).map(Recording),
        }
    }

    pub(crate) fn into_fact(self) -> fact::CallStarted<'a> {
        fact::CallStarted {
            outbound: self.direction == Direction::Outbound,
            agent: self.agent.0,
            queue: self.queue.0,
            language: self.language.0,
            flow: self.flow.map(Into::into),
            build: self.build.map(Into::into),
            worker: self.worker.map(Into::into),
            zone: self.zone.map(Into::into),
            services: services(self.services),
            capabilities: self.capabilities,
            resumed: self.resumed.unwrap_or(false),
            started_at: self.started_at.map(|moment| moment.0),
            customer: self.customer.map(Into::into),
            disclosure: self.disclosure,
            consent: self.consent,
            recording: self.recording.map(|word| word.0.0),
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Risk {
    Normal,
    High,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FlowMode {
    Full,
    Minimal,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Slot")]
pub(crate) struct WireSlot<'a> {
    #[serde(borrow)]
    name: WireText<'a>,
    #[serde(borrow, rename = "pii.value")]
    value: WireText<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Identity")]
pub(crate) struct WireIdentity<'a> {
    #[serde(borrow)]
    method: WireText<'a>,
    #[schemars(with = "schema::IdentityLevelName")]
    level: IdentityLevel,
    valid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Moment>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Promise")]
pub(crate) struct WirePromise<'a> {
    #[serde(borrow, rename = "pii.text")]
    text: WireText<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<u32>,
    confirmed: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[expect(
    clippy::option_option,
    reason = "a moment that is over (null) is not one that is not spoken of"
)]
pub(crate) struct CallUpdated<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    queue: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    language: Option<WireText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    intent: Option<WireText<'a>>,
    #[serde(
        borrow,
        rename = "pii.ask",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    ask: Option<WireText<'a>>,
    #[serde(
        borrow,
        rename = "pii.summary",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    summary: Option<WireText<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sentiment: Option<SignedShare>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "null_is_a_value"
    )]
    #[schemars(with = "Option<schema::ProtectedName>")]
    protected: Option<Option<Protected>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    risk: Option<Risk>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    slots: Vec<WireSlot<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    identity: Option<WireIdentity<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    promises: Option<Vec<WirePromise<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    recording: Option<Recording<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flow_mode: Option<FlowMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::AiStateName>")]
    ai: Option<AiState>,
}

impl<'a> CallUpdated<'a> {
    pub(crate) fn of(call: &'a fact::CallUpdated<'_>) -> Self {
        Self {
            queue: WireText::of_option(call.queue.as_ref()),
            language: WireText::of_option(call.language.as_ref()),
            intent: WireText::of_option(call.intent.as_ref()),
            ask: WireText::of_option(call.ask.as_ref()),
            summary: WireText::of_option(call.summary.as_ref()),
            sentiment: call.sentiment.map(SignedShare),
            protected: call.protected,
            risk: call
                .high_risk
                .map(|high| if high { Risk::High } else { Risk::Normal }),
            slots: call.slots.iter().map(slot_of).collect(),
            identity: call.identity.as_ref().map(|identity| WireIdentity {
                method: WireText::of(&identity.method),
                level: identity.level,
                valid: identity.valid,
                at: identity.at.map(Moment),
            }),
            promises: call
                .promises
                .as_ref()
                .map(|promises| promises.iter().map(promise_of).collect()),
            recording: WireText::of_option(call.recording.as_ref()).map(Recording),
            flow_mode: call.minimal_flow.map(|minimal| {
                if minimal {
                    FlowMode::Minimal
                } else {
                    FlowMode::Full
                }
            }),
            ai: call.ai,
        }
    }

    /// `time` is the event's: an identity that does not say when it was proved was proved now.
    pub(crate) fn into_fact(self, time: Timestamp) -> fact::CallUpdated<'a> {
        fact::CallUpdated {
            queue: self.queue.map(Into::into),
            language: self.language.map(Into::into),
            intent: self.intent.map(Into::into),
            ask: self.ask.map(Into::into),
            summary: self.summary.map(Into::into),
            sentiment: self.sentiment.map(|sentiment| sentiment.0),
            protected: self.protected,
            high_risk: self.risk.map(|risk| risk == Risk::High),
            slots: self.slots.into_iter().map(slot).collect(),
            identity: self.identity.map(|identity| identity_state(identity, time)),
            promises: self
                .promises
                .map(|promises| promises.into_iter().map(promise).collect()),
            recording: self.recording.map(|word| word.0.0),
            minimal_flow: self.flow_mode.map(|mode| mode == FlowMode::Minimal),
            ai: self.ai,
        }
    }
}

fn slot_of(slot: &Slot) -> WireSlot<'_> {
    WireSlot {
        name: WireText::of(&slot.name),
        value: WireText::of(&slot.value),
        confidence: slot.confidence.map(Share),
        turn: slot.turn,
    }
}

fn slot(wire: WireSlot<'_>) -> Slot {
    Slot {
        name: wire.name.0.into_owned(),
        value: wire.value.0.into_owned(),
        confidence: wire.confidence.map(|share| share.0),
        turn: wire.turn,
    }
}

fn promise_of(promise: &PromiseMade) -> WirePromise<'_> {
    WirePromise {
        text: WireText::of(&promise.text),
        turn: promise.turn,
        confirmed: promise.confirmed,
    }
}

fn promise(wire: WirePromise<'_>) -> PromiseMade {
    PromiseMade {
        text: wire.text.0.into_owned(),
        turn: wire.turn,
        confirmed: wire.confirmed,
        source: CardSource::Platform,
    }
}

fn identity_state(wire: WireIdentity<'_>, time: Timestamp) -> IdentityState {
    let proved = wire.level != IdentityLevel::None;
    IdentityState {
        method: wire.method.0.into_owned(),
        level: wire.level,
        at: wire.at.map(|moment| moment.0).or(proved.then_some(time)),
        valid: wire.valid,
    }
}

/// Tells a key with the value null from a key that is not there.
#[expect(clippy::option_option, reason = "see CallUpdated")]
fn null_is_a_value<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Protected>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct CallEnded<'a> {
    #[serde(borrow)]
    pub(crate) reason: WireText<'a>,
    #[schemars(with = "schema::EndedByName")]
    pub(crate) ended_by: EndedBy,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Participant<'a> {
    #[serde(borrow)]
    pub(crate) identity: WireText<'a>,
    #[serde(borrow)]
    pub(crate) kind: ParticipantKind<'a>,
}

impl<'a> Participant<'a> {
    pub(crate) fn of(identity: &'a Text<'_>, kind: &'a Text<'_>) -> Self {
        Self {
            identity: WireText::of(identity),
            kind: ParticipantKind(WireText::of(kind)),
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct HandoffRequested<'a> {
    #[serde(borrow)]
    pub(crate) to: WireText<'a>,
    #[serde(borrow)]
    pub(crate) reason: WireText<'a>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct HandoffCompleted<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) handoff_id: Option<WireText<'a>>,
    #[serde(borrow)]
    pub(crate) to: WireText<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait_secs: Option<Secs>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct HandoffFailed<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) handoff_id: Option<WireText<'a>>,
    #[serde(borrow)]
    pub(crate) reason: HandoffFailedReason<'a>,
}

impl<'a> HandoffFailed<'a> {
    pub(crate) fn of(handoff_id: Option<&'a Text<'_>>, reason: &'a Text<'_>) -> Self {
        Self {
            handoff_id: WireText::of_option(handoff_id),
            reason: HandoffFailedReason(WireText::of(reason)),
        }
    }
}
