//! Makes facts of every kind for property tests.

use std::borrow::Cow;

use holdfast_domain::fact::{
    AgentActivity, BeatOf, CallStarted, CallUpdated, Effect, EndedBy, Fact, FactEnvelope,
    LatencyMetric, Speaker, SwitchCause, Text, ToolRef,
};
use holdfast_domain::playbook::Parity;
use holdfast_domain::{
    ActiveFault, AiState, Capability, CardSource, FaultOffer, IdentityLevel, IdentityState, Layer,
    PromiseMade, Protected, Rung, Service, Slot, Timestamp, UtteranceRole,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// An event with an envelope that fits its fact.
pub(crate) fn envelope() -> impl Strategy<Value = FactEnvelope<'static>> {
    let place = (
        text(),
        call_id(),
        any::<bool>(),
        moment(),
        moment(),
        1..=u64::MAX,
    );
    (
        place,
        option::of(layer()),
        layer(),
        option::of(text()),
        fact(),
    )
        .prop_map(
            |((id, call, platform, time, recorded, sequence), some_layer, layer, cause, fact)| {
                let subject = match scope(&fact) {
                    Scope::Platform => Cow::Borrowed("*"),
                    Scope::Service | Scope::Any if platform => Cow::Borrowed("*"),
                    Scope::Call | Scope::Service | Scope::Any => call,
                };
                let needs_layer = matches!(scope(&fact), Scope::Service);
                FactEnvelope {
                    id,
                    subject,
                    time,
                    recorded,
                    sequence,
                    layer: some_layer.or(needs_layer.then_some(layer)),
                    cause,
                    fact,
                }
            },
        )
}

enum Scope {
    Call,
    Platform,
    Service,
    Any,
}

/// What the event may be about, as the table of `docs/protocol/bridge.md` says.
fn scope(fact: &Fact<'_>) -> Scope {
    match fact {
        Fact::StreamSnapshot { .. }
        | Fact::StreamGapDetected { .. }
        | Fact::StreamCaughtUp
        | Fact::BridgeHeartbeat { .. }
        | Fact::Beat { .. }
        | Fact::DrillFaultsChanged { .. } => Scope::Platform,
        Fact::ServiceLatency { .. }
        | Fact::ServiceUsage { .. }
        | Fact::ServiceError { .. }
        | Fact::ServiceAvailabilityChanged { .. }
        | Fact::ServiceSwitched { .. }
        | Fact::ServiceSettingsChanged { .. } => Scope::Service,
        Fact::TransportQuality { .. }
        | Fact::TransportDisconnected { .. }
        | Fact::TransportReconnected { .. }
        | Fact::PipelineStalled { .. }
        | Fact::PipelineIdle { .. }
        | Fact::WorkerRegistered { .. }
        | Fact::WorkerLost { .. } => Scope::Any,
        _ => Scope::Call,
    }
}

/// Any text, with escapes and every plane of Unicode.
fn text() -> BoxedStrategy<Text<'static>> {
    string().prop_map(Cow::Owned).boxed()
}

fn string() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[a-z0-9-]{0,12}",
        1 => any::<String>(),
        1 => Just("\"quoted\" \\ \n\t\u{0} [[[{{{ 🦀".to_owned()),
    ]
    .boxed()
}

fn call_id() -> BoxedStrategy<Text<'static>> {
    "[A-Za-z0-9._:@-]{1,128}".prop_map(Cow::Owned).boxed()
}

fn moment() -> BoxedStrategy<Timestamp> {
    (-62_167_219_200_000_i64..=253_402_207_200_000)
        .prop_map(Timestamp::from_millis)
        .boxed()
}

fn layer() -> BoxedStrategy<Layer> {
    select(Layer::ALL.to_vec()).boxed()
}

/// A length of time within the range of the wire.
fn ms() -> BoxedStrategy<i64> {
    (0..=1_000_000_000_000_i64).boxed()
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<Text<'static>> {
    select(words).prop_map(Cow::Borrowed).boxed()
}

fn recording() -> BoxedStrategy<Text<'static>> {
    words(&["on", "paused", "off"])
}

fn service() -> BoxedStrategy<Service> {
    let rung = select(vec![
        Rung::Primary,
        Rung::Retry,
        Rung::Backup,
        Rung::Minimal,
        Rung::Human,
    ]);
    let lacks = proptest::sample::subsequence(vec![Parity::Tools, Parity::Voice], 0..=2);
    (
        layer(),
        string(),
        string(),
        string(),
        (string(), string()),
        any::<(bool, bool)>(),
        (rung, lacks),
    )
        .prop_map(
            |(layer, name, provider, model, (region, zone), (active, usable), (rung, lacks))| {
                Service {
                    layer,
                    name,
                    provider,
                    model,
                    region,
                    zone,
                    active,
                    usable,
                    rung,
                    lacks,
                }
            },
        )
        .boxed()
}

fn capability() -> BoxedStrategy<Capability> {
    let offer = (string(), layer(), string()).prop_map(|(id, layer, title)| FaultOffer {
        id,
        layer,
        title,
    });
    let faults = prop::collection::vec(offer, 0..3);
    (string(), any::<bool>(), option::of(string()), faults)
        .prop_map(|(name, available, reason, faults)| Capability {
            name,
            available,
            reason,
            faults,
        })
        .boxed()
}

fn call_started() -> BoxedStrategy<Fact<'static>> {
    let names = (
        text(),
        text(),
        text(),
        (
            option::of(text()),
            option::of(text()),
            option::of(text()),
            option::of(text()),
        ),
    );
    let lists = (
        prop::collection::vec(service(), 0..4),
        option::of(prop::collection::vec(capability(), 0..3)),
    );
    let flags = any::<(bool, bool, Option<bool>, Option<bool>)>();
    let rest = (
        option::of(moment()),
        option::of(text()),
        option::of(recording()),
    );
    (names, lists, flags, rest)
        .prop_map(|(names, lists, flags, rest)| {
            let (agent, queue, language, (flow, build, worker, zone)) = names;
            let (services, capabilities) = lists;
            let (outbound, resumed, disclosure, consent) = flags;
            let (started_at, customer, recording) = rest;
            Fact::CallStarted(Box::new(CallStarted {
                outbound,
                agent,
                queue,
                language,
                flow,
                build,
                worker,
                zone,
                services,
                capabilities,
                resumed,
                started_at,
                customer,
                disclosure,
                consent,
                recording,
            }))
        })
        .boxed()
}

fn identity() -> BoxedStrategy<IdentityState> {
    let proved = (
        select(vec![IdentityLevel::Partial, IdentityLevel::Full]),
        moment().prop_map(Some),
    );
    let level = prop_oneof![Just((IdentityLevel::None, None)), proved];
    (string(), level, any::<bool>())
        .prop_map(|(method, (level, at), valid)| IdentityState {
            method,
            level,
            at,
            valid,
        })
        .boxed()
}

fn call_updated() -> BoxedStrategy<Fact<'static>> {
    let texts = (
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(text()),
    );
    let slot = (
        string(),
        string(),
        option::of(0.0..=1.0),
        any::<Option<u32>>(),
    )
        .prop_map(|(name, value, confidence, turn)| Slot {
            name,
            value,
            confidence,
            turn,
        });
    let promise =
        (string(), any::<Option<u32>>(), any::<bool>()).prop_map(|(text, turn, confirmed)| {
            PromiseMade {
                text,
                turn,
                confirmed,
                source: CardSource::Platform,
            }
        });
    let lists = (
        prop::collection::vec(slot, 0..3),
        option::of(prop::collection::vec(promise, 0..3)),
    );
    let protected = option::of(option::of(select(vec![
        Protected::Payment,
        Protected::Identity,
    ])));
    let ai = option::of(select(vec![AiState::Active, AiState::Paused]));
    let rest = (
        option::of(-1.0..=1.0),
        protected,
        any::<(Option<bool>, Option<bool>)>(),
        option::of(identity()),
        option::of(recording()),
        ai,
    );
    (texts, lists, rest)
        .prop_map(|(texts, lists, rest)| {
            let (queue, language, intent, ask, summary) = texts;
            let (slots, promises) = lists;
            let (sentiment, protected, (high_risk, minimal_flow), identity, recording, ai) = rest;
            Fact::CallUpdated(Box::new(CallUpdated {
                queue,
                language,
                intent,
                ask,
                summary,
                sentiment,
                protected,
                high_risk,
                slots,
                identity,
                promises,
                recording,
                minimal_flow,
                ai,
            }))
        })
        .boxed()
}

fn tool() -> BoxedStrategy<ToolRef<'static>> {
    (text(), text())
        .prop_map(|(name, id)| ToolRef { name, id })
        .boxed()
}

fn texts() -> BoxedStrategy<Vec<Text<'static>>> {
    prop::collection::vec(text(), 0..4).boxed()
}

/// One fact of any kind.
fn fact() -> BoxedStrategy<Fact<'static>> {
    prop_oneof![call(), speech(), tools(), services(), platform()].boxed()
}

fn call() -> BoxedStrategy<Fact<'static>> {
    let kind = || words(&["caller", "ai", "human"]);
    let ended_by = select(vec![EndedBy::Caller, EndedBy::Agent, EndedBy::Platform]);
    let failed = words(&[
        "no_answer",
        "busy",
        "declined",
        "voicemail",
        "caller_left",
        "trunk_failed",
    ]);
    prop_oneof![
        call_started(),
        call_updated(),
        (text(), ended_by).prop_map(|(reason, ended_by)| Fact::CallEnded { reason, ended_by }),
        (text(), kind()).prop_map(|(identity, kind)| Fact::ParticipantJoined { identity, kind }),
        (text(), kind()).prop_map(|(identity, kind)| Fact::ParticipantLeft { identity, kind }),
        (text(), text()).prop_map(|(to, reason)| Fact::HandoffRequested { to, reason }),
        (option::of(text()), text())
            .prop_map(|(handoff_id, to)| Fact::HandoffCompleted { handoff_id, to }),
        (option::of(text()), failed)
            .prop_map(|(handoff_id, reason)| Fact::HandoffFailed { handoff_id, reason }),
    ]
    .boxed()
}

fn speech() -> BoxedStrategy<Fact<'static>> {
    let speaker = || select(vec![Speaker::Caller, Speaker::Agent]);
    let role = || select(vec![UtteranceRole::Caller, UtteranceRole::Agent]);
    let activity = select(vec![
        AgentActivity::Listening,
        AgentActivity::Thinking,
        AgentActivity::Speaking,
        AgentActivity::Tools,
        AgentActivity::Holding,
    ]);
    let said = (
        role(),
        text(),
        option::of(text()),
        any::<(Option<u32>, bool)>(),
        option::of(text()),
    );
    prop_oneof![
        any::<u32>().prop_map(|turn| Fact::TurnStarted { turn }),
        (any::<u32>(), ms(), any::<bool>()).prop_map(|(turn, duration_ms, interrupted)| {
            Fact::TurnEnded {
                turn,
                duration_ms,
                interrupted,
            }
        }),
        ms().prop_map(|total_ms| Fact::TurnLatency { total_ms }),
        speaker().prop_map(|actor| Fact::SpeechStarted { actor }),
        speaker().prop_map(|actor| Fact::SpeechStopped { actor }),
        speaker().prop_map(|by| Fact::SpeechInterrupted { by }),
        (role(), text()).prop_map(|(role, text)| Fact::TranscriptPartial { role, text }),
        said.prop_map(|(role, text, language, (turn, interrupted), unspoken)| {
            Fact::TranscriptFinal {
                role,
                text,
                language,
                turn,
                interrupted,
                unspoken,
            }
        }),
        activity.prop_map(|to| Fact::AgentStateChanged { to }),
        (text(), text()).prop_map(|(from, to)| Fact::AgentReplaced { from, to }),
        text().prop_map(|service| Fact::LlmResponseStarted { service }),
        (text(), any::<(u32, u32)>()).prop_map(|(service, (chars, tool_calls))| {
            Fact::LlmResponseEnded {
                service,
                chars,
                tool_calls,
            }
        }),
        text().prop_map(|service| Fact::TtsStarted { service }),
        text().prop_map(|service| Fact::TtsStopped { service }),
    ]
    .boxed()
}

fn tools() -> BoxedStrategy<Fact<'static>> {
    let effect = option::of(select(vec![
        Effect::Committed,
        Effect::None,
        Effect::Unknown,
    ]));
    prop_oneof![
        (tool(), option::of(text())).prop_map(|(tool, args)| Fact::ToolRequested { tool, args }),
        (tool(), any::<bool>()).prop_map(|(tool, writes)| Fact::ToolStarted { tool, writes }),
        (tool(), ms(), option::of(text()), effect).prop_map(
            |(tool, duration_ms, result, effect)| Fact::ToolCompleted {
                tool,
                duration_ms,
                result,
                effect,
            }
        ),
        (tool(), text(), text()).prop_map(|(tool, error_type, message)| Fact::ToolFailed {
            tool,
            error_type,
            message,
        }),
        (tool(), option::of(ms()))
            .prop_map(|(tool, deadline_ms)| Fact::ToolTimedOut { tool, deadline_ms }),
        tool().prop_map(|tool| Fact::ToolCancelled { tool }),
        (texts(), texts())
            .prop_map(|(enabled, disabled)| Fact::ToolCatalogChanged { enabled, disabled }),
    ]
    .boxed()
}

fn services() -> BoxedStrategy<Fact<'static>> {
    let metric = select(vec![
        LatencyMetric::Ttfb,
        LatencyMetric::Ttfa,
        LatencyMetric::Ttft,
        LatencyMetric::E2e,
    ]);
    let cause = select(vec![
        SwitchCause::Manual,
        SwitchCause::Failover,
        SwitchCause::Recovery,
    ]);
    // Milliseconds keep three decimals on the wire.
    let fine_ms = (0..=1_000_000_000_000_u64).prop_map(|micros| micros as f64 / 1e3);
    prop_oneof![
        (text(), metric, fine_ms, any::<bool>()).prop_map(|(service, metric, ms, probe)| {
            Fact::ServiceLatency {
                service,
                metric,
                ms,
                probe,
            }
        }),
        text().prop_map(|service| Fact::ServiceUsage { service }),
        (text(), text(), text(), any::<(bool, Option<bool>)>()).prop_map(
            |(service, error_type, message, (permanent, usable))| Fact::ServiceError {
                service,
                error_type,
                message,
                permanent,
                usable,
            }
        ),
        (text(), any::<bool>(), option::of(text())).prop_map(|(service, available, reason)| {
            Fact::ServiceAvailabilityChanged {
                service,
                available,
                reason,
            }
        }),
        (text(), text(), cause).prop_map(|(from, to, cause)| Fact::ServiceSwitched {
            from,
            to,
            cause,
        }),
        text().prop_map(|service| Fact::ServiceSettingsChanged { service }),
    ]
    .boxed()
}

fn platform() -> BoxedStrategy<Fact<'static>> {
    let fault = (string(), string(), layer(), string(), moment()).prop_map(
        |(id, fault, layer, scope, since)| ActiveFault {
            id,
            fault,
            layer,
            scope,
            since,
        },
    );
    prop_oneof![
        (0.0..1e9, 0.0..1e9, 0.0..=1.0).prop_map(|(rtt_ms, jitter_ms, loss)| {
            Fact::TransportQuality {
                rtt_ms,
                jitter_ms,
                loss,
            }
        }),
        text().prop_map(|reason| Fact::TransportDisconnected { reason }),
        text().prop_map(|reason| Fact::TransportReconnected { reason }),
        (0.0..1e9).prop_map(|secs| Fact::PipelineStalled { secs }),
        (0.0..1e9).prop_map(|secs| Fact::PipelineIdle { secs }),
        (text(), option::of(text()))
            .prop_map(|(worker, region)| Fact::WorkerRegistered { worker, region }),
        (text(), option::of(text()))
            .prop_map(|(worker, region)| Fact::WorkerLost { worker, region }),
        (
            select(vec![BeatOf::Provider, BeatOf::Worker]),
            text(),
            proptest::option::of(text()),
            proptest::option::of(text()),
        )
            .prop_map(|(of, name, region, zone)| Fact::Beat {
                of,
                name,
                region,
                zone,
            }),
        prop::collection::vec(call_id(), 0..4).prop_map(|calls| Fact::StreamSnapshot { calls }),
        any::<(u64, u64, u64)>().prop_map(|(from_seq, to_seq, missing)| Fact::StreamGapDetected {
            from_seq,
            to_seq,
            missing,
        }),
        Just(Fact::StreamCaughtUp),
        any::<(u64, u64, u64)>().prop_map(|(live_calls, buffered, unmapped)| {
            Fact::BridgeHeartbeat {
                live_calls,
                buffered,
                unmapped,
            }
        }),
        prop::collection::vec(fault, 0..3).prop_map(|active| Fact::DrillFaultsChanged { active }),
    ]
    .boxed()
}
