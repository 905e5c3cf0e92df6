//! Descriptions for the JSON Schema of values whose types live in `domain`, which knows nothing of
//! schemas. A test holds each list of words to the type that it describes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Makes a stand-in that describes a closed list of words.
macro_rules! words {
    ($($name:ident: [$($word:literal),+],)+) => {$(
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }

        #[cfg(test)]
        impl $name {
            const WORDS: &'static [&'static str] = &[$($word),+];
        }
    )+};
}

words! {
    LayerName: ["asr", "llm", "tools", "tts", "orchestration", "network", "infrastructure"],
    RungName: ["primary", "retry", "backup", "minimal", "human"],
    ParityName: ["prompt", "tools", "voice", "language", "recording", "consent", "disclosure"],
    SpeakerName: ["caller", "agent"],
    EndedByName: ["caller", "agent", "platform"],
    AgentActivityName: ["listening", "thinking", "speaking", "tools", "holding"],
    EffectName: ["committed", "none", "unknown"],
    LatencyMetricName: ["ttfb", "ttfa", "ttft", "e2e"],
    BeatOfName: ["provider", "worker"],
    SwitchCauseName: ["manual", "failover", "recovery"],
    ProtectedName: ["payment", "identity"],
    IdentityLevelName: ["none", "partial", "full"],
    AiStateName: ["active", "paused"],
    SwitchLayerName: ["asr", "llm", "tts"],
    CommandNameForm: [
        "switch_model", "retry_turn", "disable_tools", "enable_tools", "announce", "pause_ai",
        "resume_ai", "transfer", "start_fault", "stop_fault"
    ],
}

/// An object with any keys.
pub(crate) struct AnyObject;

impl JsonSchema for AnyObject {
    fn schema_name() -> Cow<'static, str> {
        "AnyObject".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// What a platform can do, for all calls or for one.
#[derive(JsonSchema)]
#[schemars(rename = "Capability")]
#[expect(dead_code, reason = "it only describes holdfast_domain::Capability")]
pub(crate) struct CapabilityForm {
    /// The command's name.
    name: String,
    /// It works.
    available: bool,
    /// Why it does not; shown on the disabled button.
    reason: Option<String>,
    /// With `start_fault`: the faults that can be injected.
    faults: Option<Vec<FaultOfferForm>>,
}

/// A fault that a simulator can inject.
#[derive(JsonSchema)]
#[schemars(rename = "FaultOffer")]
#[expect(dead_code, reason = "it only describes holdfast_domain::FaultOffer")]
pub(crate) struct FaultOfferForm {
    id: String,
    #[schemars(with = "LayerName")]
    layer: String,
    title: String,
}

/// A fault that is injected now.
#[derive(JsonSchema)]
#[schemars(rename = "ActiveFault")]
#[expect(dead_code, reason = "it only describes holdfast_domain::ActiveFault")]
pub(crate) struct ActiveFaultForm {
    id: String,
    fault: String,
    #[schemars(with = "LayerName")]
    layer: String,
    /// Whom it reaches, in words.
    scope: String,
    /// Milliseconds since the Unix epoch.
    since: i64,
}

/// Whom an injected fault reaches: calls that match every given field.
#[derive(JsonSchema)]
#[schemars(rename = "FaultScope")]
#[expect(dead_code, reason = "it only describes holdfast_domain::FaultScope")]
pub(crate) struct FaultScopeForm {
    provider: Option<String>,
    model: Option<String>,
    region: Option<String>,
    tool: Option<String>,
    queue: Option<String>,
    call: Option<String>,
    share: Option<crate::wire::Share>,
}

/// What the platform reads back as true after a command.
#[derive(JsonSchema)]
#[schemars(rename = "ReadBack")]
#[expect(dead_code, reason = "it only describes holdfast_domain::ReadBack")]
pub(crate) struct ReadBackForm {
    #[schemars(with = "Option<LayerName>")]
    layer: Option<String>,
    active: Option<String>,
    retried_turn: Option<bool>,
    enabled: Option<Vec<String>>,
    disabled: Option<Vec<String>>,
    spoken: Option<bool>,
    #[schemars(with = "Option<AiStateName>")]
    ai: Option<String>,
    bridged: Option<bool>,
    to: Option<String>,
    faults: Option<Vec<ActiveFaultForm>>,
}

#[cfg(test)]
mod tests {
    use holdfast_domain::fact::{
        AgentActivity, BeatOf, Effect, EndedBy, LatencyMetric, Speaker, SwitchCause,
    };
    use holdfast_domain::{
        AiState, CommandName, IdentityLevel, Layer, Protected, Rung, UtteranceRole,
    };
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    /// Each of `words` is a `T`, and no other word is.
    fn check<T: Serialize + DeserializeOwned>(words: &[&str]) {
        for word in words {
            let value: T = serde_json::from_value((*word).into()).unwrap();
            assert_eq!(serde_json::to_value(&value).unwrap(), *word);
        }
        let error = serde_json::from_value::<T>("no such word".into())
            .err()
            .unwrap()
            .to_string();
        let expected = error.rsplit(", expected ").next().unwrap();
        let n_known = expected.matches('`').count() / 2;
        assert_eq!(n_known, words.len(), "{expected}");
    }

    #[test]
    fn words_are_those_of_their_types() {
        check::<Layer>(LayerName::WORDS);
        check::<Rung>(RungName::WORDS);
        check::<holdfast_domain::playbook::Parity>(ParityName::WORDS);
        check::<Speaker>(SpeakerName::WORDS);
        check::<UtteranceRole>(SpeakerName::WORDS);
        check::<EndedBy>(EndedByName::WORDS);
        check::<AgentActivity>(AgentActivityName::WORDS);
        check::<Effect>(EffectName::WORDS);
        check::<LatencyMetric>(LatencyMetricName::WORDS);
        check::<SwitchCause>(SwitchCauseName::WORDS);
        check::<BeatOf>(BeatOfName::WORDS);
        check::<Protected>(ProtectedName::WORDS);
        check::<IdentityLevel>(IdentityLevelName::WORDS);
        check::<AiState>(AiStateName::WORDS);
        check::<CommandName>(CommandNameForm::WORDS);
        for layer in SwitchLayerName::WORDS {
            assert!(Layer::from_wire(layer).is_some(), "{layer}");
        }
    }
}
