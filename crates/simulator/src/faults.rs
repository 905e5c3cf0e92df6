//! What can be broken on purpose, where, and for whom.

mod target;

use holdfast_domain::{ActiveFault, FaultOffer, FaultScope, Layer, Timestamp};

use crate::dialogue;
use crate::services;

pub(crate) use target::{Reach, Target};

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
    LlmSluggish, "llm_sluggish", Llm, "LLM takes five times as long", [Provider, Model, Region];
    LlmPoolFull, "llm_pool_full", Llm, "LLM has too few machines for its load", [Provider, Model, Region];
    LlmDead, "llm_dead", Llm, "LLM's vendor is gone, with its beats", [Provider, Region];
    AsrSilent, "asr_silent", Asr, "Speech goes in, no transcript comes out", [Provider, Model, Region];
    AsrError, "asr_error", Asr, "Speech recognition reports an error", [Provider, Model, Region];
    AsrGarbled, "asr_garbled", Asr, "Transcripts are empty or make no sense", [Provider, Model, Region];
    AsrDead, "asr_dead", Asr, "Speech recognition's vendor is gone, with its beats", [Provider, Region];
    TtsSilent, "tts_silent", Tts, "Text goes in, no audio comes out", [Provider, Model, Region];
    TtsError, "tts_error", Tts, "Speech synthesis reports an error", [Provider, Model, Region];
    TtsTruncated, "tts_truncated", Tts, "Audio stops before its text does", [Provider, Model, Region];
    TtsDead, "tts_dead", Tts, "Speech synthesis's vendor is gone, with its beats", [Provider, Region];
    ToolTimeout, "tool_timeout", Tools, "A tool does not answer in time", [Tool, Region];
    ToolError, "tool_error", Tools, "A tool fails", [Tool, Region];
    NetworkDrop, "network_drop", Network, "Callers lose their connection", [Region];
    NetworkPoor, "network_poor", Network, "Callers have a bad connection", [Region];
    RegionDown, "region_down", Infrastructure, "A whole region is unreachable", [Region];
    OrchestrationStall, "orchestration_stall", Orchestration, "The dialogue does not move on", [Region];
    WorkerLost, "worker_lost", Infrastructure, "The workers of calls die", [Region];
    WorkersStarved, "workers_starved", Infrastructure, "New calls wait for a worker", [Region];
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
    target: Target,
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
        target: Target,
        now: Timestamp,
    ) -> Result<String, FaultError> {
        let kind = FaultKind::from_wire(fault)
            .ok_or_else(|| FaultError::UnknownFault(fault.to_owned()))?;
        check_scope(kind, &target.scope)?;
        if self.active.len() >= FAULTS_MAX {
            return Err(FaultError::TooMany);
        }
        self.injected += 1;
        let id = format!("fault-{}", self.injected);
        self.active.push(Injection {
            id: id.clone(),
            number: self.injected,
            kind,
            target,
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

    /// The injections that reach some turns of a layer and leave others alone, if this thing is of
    /// those that they can reach; each with its beginning.
    pub(crate) fn by_chance<'a>(
        &'a self,
        layer: Layer,
        reach: &'a Reach<'_>,
    ) -> impl Iterator<Item = (u64, Timestamp)> {
        self.active
            .iter()
            .filter(move |injection| {
                injection.target.chance.is_some()
                    && injection.kind.layer() == layer
                    && injection.target.covers(reach)
            })
            .map(|injection| (injection.number, injection.since))
    }

    /// True if a fault of these kinds takes the whole of this thing away.
    pub(crate) fn takes_away(&self, kinds: &[FaultKind], reach: &Reach<'_>) -> bool {
        self.active.iter().any(|injection| {
            kinds.contains(&injection.kind)
                && injection.target.is_whole()
                && injection.target.covers(reach)
        })
    }

    /// The number and the kind of what was injected last, if it lasts.
    pub(crate) fn newest(&self) -> Option<(u64, FaultKind)> {
        let newest = self.active.last()?;
        Some((newest.number, newest.kind))
    }

    /// Since when an injection lasts.
    pub(crate) fn since(&self, number: u64) -> Option<Timestamp> {
        let injection = self.active.iter().find(|one| one.number == number)?;
        Some(injection.since)
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
                scope: injection.target.to_string(),
                since: injection.since,
            })
            .collect()
    }
}

impl Injection {
    fn reaches(&self, reach: &Reach<'_>) -> bool {
        self.target.reaches(self.number, reach)
    }
}

fn check_scope(kind: FaultKind, scope: &FaultScope) -> Result<(), FaultError> {
    type Knows = fn(&str) -> bool;
    let named: [(&'static str, &Option<String>, Field, Knows); 4] = [
        ("provider", &scope.provider, Field::Provider, |value| {
            services::knows_provider(value)
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
}
