//! What can be broken on purpose, where, and for whom.

use std::fmt;

use holdfast_domain::{ActiveFault, FaultOffer, FaultScope, Layer, Service, Timestamp};

use crate::dialogue;
use crate::services;

/// The most faults that are injected at once: far more than a person can tell apart, and each is
/// looked at whenever a turn moves on.
pub const FAULTS_MAX: usize = 32;

macro_rules! faults {
    ($($kind:ident, $id:literal, $layer:ident, $title:literal, [$($field:ident),*];)*) => {
        /// One way in which the platform can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FaultKind {
            $(#[doc = $title] $kind,)*
        }

        impl FaultKind {
            /// Every fault, by layer.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its id on the wire.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$kind => $id,)* }
            }

            /// The layer that it breaks.
            pub const fn layer(self) -> Layer {
                match self { $(Self::$kind => Layer::$layer,)* }
            }

            /// Its name for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// What its scope can name besides the queue, the call and the share.
            const fn fields(self) -> &'static [Field] {
                match self { $(Self::$kind => &[$(Field::$field),*],)* }
            }
        }
    };
}

/// A field of a scope that only some faults have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Provider,
    Model,
    Region,
    Tool,
}

faults! {
    LlmUnavailable, "llm_503", Llm, "LLM answers 503", [Provider, Model, Region];
    LlmRateLimited, "llm_rate_limited", Llm, "LLM refuses for too many requests", [Provider, Model, Region];
    LlmHangs, "llm_hang", Llm, "LLM begins and says nothing", [Provider, Model, Region];
    LlmEmpty, "llm_empty", Llm, "LLM answers with nothing", [Provider, Model, Region];
    LlmSlow, "llm_slow", Llm, "LLM takes seconds to begin", [Provider, Model, Region];
    AsrSilent, "asr_silent", Asr, "Speech goes in, no transcript comes out", [Provider, Model, Region];
    AsrError, "asr_error", Asr, "Speech recognition reports an error", [Provider, Model, Region];
    TtsSilent, "tts_silent", Tts, "Text goes in, no audio comes out", [Provider, Model, Region];
    TtsError, "tts_error", Tts, "Speech synthesis reports an error", [Provider, Model, Region];
    TtsTruncated, "tts_truncated", Tts, "Audio stops before its text does", [Provider, Model, Region];
    ToolTimeout, "tool_timeout", Tools, "A tool does not answer in time", [Tool, Region];
    ToolError, "tool_error", Tools, "A tool fails", [Tool, Region];
    NetworkDrop, "network_drop", Network, "Callers lose their connection", [Region];
    NetworkPoor, "network_poor", Network, "Callers have a bad connection", [Region];
    RegionDown, "region_down", Infrastructure, "A whole region is unreachable", [Region];
    OrchestrationStall, "orchestration_stall", Orchestration, "The dialogue does not move on", [Region];
    WorkerLost, "worker_lost", Infrastructure, "The workers of calls die", [Region];
}

/// What a fault is held against: the thing that is about to be used, on whose behalf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach<'a> {
    /// The call's id.
    pub(crate) call: &'a str,
    /// The call's number, for the share.
    pub(crate) number: u64,
    /// The call's queue.
    pub(crate) queue: &'a str,
    /// Where it runs: the service's region, or the worker's.
    pub(crate) region: &'a str,
    /// The service, for a fault of one.
    pub(crate) service: Option<&'a Service>,
    /// The tool, for a fault of one.
    pub(crate) tool: Option<&'a str>,
}

/// Why a fault cannot be injected or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such fault.
    #[error("there is no fault {0:?}; the bridge's capability start_fault lists what there is")]
    UnknownFault(String),
    /// The scope names something that the fault does not have.
    #[error("the fault {fault} cannot be limited by {field}; leave that out")]
    NotLimitable {
        /// The fault's id.
        fault: &'static str,
        /// The scope's field.
        field: &'static str,
    },
    /// The scope names something that does not exist here.
    #[error("there is no {field} {value:?} on this platform; nothing would be reached")]
    NoSuch {
        /// The scope's field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// The share is no share.
    #[error("a share is a number above 0 and up to 1")]
    Share,
    /// Too many at once.
    #[error("{FAULTS_MAX} faults are injected already; stop some first")]
    TooMany,
    /// No such injection.
    #[error("no fault is injected under the id {0:?}; it may have been stopped already")]
    UnknownInjection(String),
    /// A whole region must be named.
    #[error("name the region that is down: eu-west, eu-central or us-east")]
    RegionNeeded,
}

/// The faults that are injected now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    active: Vec<Injection>,
    injected: u64,
}

#[derive(Debug, Clone)]
struct Injection {
    id: String,
    number: u64,
    kind: FaultKind,
    scope: FaultScope,
    since: Timestamp,
}

impl FaultKind {
    /// The fault with this id.
    pub fn from_wire(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// Every fault, as the capability lists them.
    pub fn offers() -> Vec<FaultOffer> {
        Self::ALL
            .iter()
            .map(|kind| FaultOffer {
                id: kind.id().to_owned(),
                layer: kind.layer(),
                title: kind.title().to_owned(),
            })
            .collect()
    }
}

impl Faults {
    /// Injects a fault; the answer is the injection's id.
    pub(crate) fn start(
        &mut self,
        fault: &str,
        scope: &FaultScope,
        now: Timestamp,
    ) -> Result<String, FaultError> {
        let kind = FaultKind::from_wire(fault)
            .ok_or_else(|| FaultError::UnknownFault(fault.to_owned()))?;
        check_scope(kind, scope)?;
        if self.active.len() >= FAULTS_MAX {
            return Err(FaultError::TooMany);
        }
        self.injected += 1;
        let id = format!("fault-{}", self.injected);
        self.active.push(Injection {
            id: id.clone(),
            number: self.injected,
            kind,
            scope: scope.clone(),
            since: now,
        });
        Ok(id)
    }

    /// Ends one injection, or all.
    pub(crate) fn stop(&mut self, id: Option<&str>) -> Result<(), FaultError> {
        let Some(id) = id else {
            self.active.clear();
            return Ok(());
        };
        let before = self.active.len();
        self.active.retain(|injection| injection.id != id);
        if self.active.len() == before {
            return Err(FaultError::UnknownInjection(id.to_owned()));
        }
        Ok(())
    }

    /// True if a fault of this kind reaches the thing that is about to be used.
    pub(crate) fn hit(&self, kind: FaultKind, reach: &Reach<'_>) -> bool {
        self.hit_by(kind, reach).is_some()
    }

    /// The number of the injection that reaches it.
    pub(crate) fn hit_by(&self, kind: FaultKind, reach: &Reach<'_>) -> Option<u64> {
        self.active
            .iter()
            .find(|injection| injection.kind == kind && injection.reaches(reach))
            .map(|injection| injection.number)
    }

    /// True if nothing is injected.
    pub(crate) fn is_calm(&self) -> bool {
        self.active.is_empty()
    }

    /// The injections, for the console.
    pub(crate) fn tell(&self) -> Vec<ActiveFault> {
        self.active
            .iter()
            .map(|injection| ActiveFault {
                id: injection.id.clone(),
                fault: injection.kind.id().to_owned(),
                layer: injection.kind.layer(),
                scope: Words(&injection.scope).to_string(),
                since: injection.since,
            })
            .collect()
    }
}

impl Injection {
    fn reaches(&self, reach: &Reach<'_>) -> bool {
        let named = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let service = reach.service;
        named(&self.scope.provider, service.map(|s| s.provider.as_str()))
            && named(&self.scope.model, service.map(|s| s.model.as_str()))
            && named(&self.scope.region, Some(reach.region))
            && named(&self.scope.tool, reach.tool)
            && named(&self.scope.queue, Some(reach.queue))
            && named(&self.scope.call, Some(reach.call))
            && self
                .scope
                .share
                .is_none_or(|share| place(self.number, reach.number) < share)
    }
}

/// Where a call stands in an injection's share: the same for as long as both live, 0 to 1.
fn place(injection: u64, call: u64) -> f64 {
    // SplitMix64: neighbors in, strangers out.
    let mut z = injection
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(call.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

fn check_scope(kind: FaultKind, scope: &FaultScope) -> Result<(), FaultError> {
    type Knows = fn(&str) -> bool;
    let named: [(&'static str, &Option<String>, Field, Knows); 4] = [
        ("provider", &scope.provider, Field::Provider, |value| {
            services::PROVIDERS.contains(&value)
        }),
        ("model", &scope.model, Field::Model, services::knows_model),
        (
            "region",
            &scope.region,
            Field::Region,
            services::knows_region,
        ),
        ("tool", &scope.tool, Field::Tool, dialogue::knows_tool),
    ];
    for (field, value, needs, knows) in named {
        let Some(value) = value else { continue };
        if !kind.fields().contains(&needs) {
            return Err(FaultError::NotLimitable {
                fault: kind.id(),
                field,
            });
        }
        if !knows(value) {
            return Err(FaultError::NoSuch {
                field,
                value: value.clone(),
            });
        }
    }
    if let Some(queue) = &scope.queue
        && !dialogue::knows_queue(queue)
    {
        return Err(FaultError::NoSuch {
            field: "queue",
            value: queue.clone(),
        });
    }
    if scope
        .share
        .is_some_and(|share| !(share > 0.0 && share <= 1.0))
    {
        return Err(FaultError::Share);
    }
    if kind == FaultKind::RegionDown && scope.region.is_none() {
        return Err(FaultError::RegionNeeded);
    }
    Ok(())
}

/// A scope in words.
struct Words<'a>(&'a FaultScope);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = self.0;
        let fields = [
            ("provider", &scope.provider),
            ("model", &scope.model),
            ("region", &scope.region),
            ("tool", &scope.tool),
            ("queue", &scope.queue),
            ("call", &scope.call),
        ];
        let mut said = false;
        for (field, value) in fields {
            let Some(value) = value else { continue };
            let comma = if said { ", " } else { "" };
            write!(f, "{comma}{field} {value}")?;
            said = true;
        }
        if !said {
            f.write_str("every call")?;
        }
        if let Some(share) = scope.share {
            write!(f, ", {:.0} % of them", share * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_the_wire_and_are_unique() {
        for kind in FaultKind::ALL {
            assert_eq!(FaultKind::from_wire(kind.id()), Some(*kind));
        }
        assert_eq!(FaultKind::from_wire("llm_504"), None);
    }

    #[test]
    fn scopes_are_told_in_words() {
        let check = |scope: FaultScope, words: &str| {
            assert_eq!(Words(&scope).to_string(), words);
        };
        check(FaultScope::default(), "every call");
        check(
            FaultScope {
                provider: Some("Vendor A".to_owned()),
                region: Some("eu-west".to_owned()),
                share: Some(0.25),
                ..FaultScope::default()
            },
            "provider Vendor A, region eu-west, 25 % of them",
        );
    }

    #[test]
    fn places_in_a_share_are_spread_evenly_and_differ_between_injections() {
        let below = (0..10_000).filter(|call| place(1, *call) < 0.3).count();
        assert!((2_800..3_200).contains(&below), "{below}");
        let in_both = (0..10_000)
            .filter(|call| place(1, *call) < 0.3 && place(2, *call) < 0.3)
            .count();
        assert!((750..1_050).contains(&in_both), "{in_both}");
    }
}
