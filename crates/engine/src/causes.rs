//! Live calls that fail together, grouped under the smallest cause that they share.

use std::collections::BTreeMap;

use holdfast_domain::{CallId, CauseDimension, CauseGroup, CauseId, CauseReach};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::calls::Call;

/// Every cause group that is not forgotten.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Causes {
    groups: BTreeMap<CauseId, CauseGroup>,
}

impl Causes {
    pub(crate) fn get(&self, cause: &CauseId) -> Option<&CauseGroup> {
        self.groups.get(cause)
    }
}

impl Engine {
    /// The live calls of a cause group, in the order of their ids.
    pub(crate) fn calls_of_cause(&self, group: &CauseGroup, reach: CauseReach) -> Vec<CallId> {
        match reach {
            CauseReach::Failing => group
                .calls
                .iter()
                .filter(|call| self.calls.contains_key(*call))
                .cloned()
                .collect(),
            CauseReach::Exposed => self
                .calls
                .values()
                .filter(|call| has_traits(call, group))
                .map(|call| call.id.clone())
                .collect(),
        }
    }
}

/// The call has every trait of the group, as it is served now.
fn has_traits(call: &Call, group: &CauseGroup) -> bool {
    let service = call.active(group.layer);
    group.traits.iter().all(|wanted| {
        let value = wanted.value.as_str();
        match wanted.dimension {
            CauseDimension::Provider => service.is_some_and(|s| s.provider == value),
            CauseDimension::Model => service.is_some_and(|s| s.model == value),
            CauseDimension::Region => service.is_some_and(|s| s.region == value),
            CauseDimension::Zone => service.is_some_and(|s| s.zone == value),
            CauseDimension::Tool => call.tools.iter().any(|tool| tool.name == value),
            CauseDimension::Queue => call.dialogue.queue == value,
            CauseDimension::Language => call.dialogue.language == value,
            CauseDimension::Flow | CauseDimension::Build | CauseDimension::Worker => false,
        }
    })
}
