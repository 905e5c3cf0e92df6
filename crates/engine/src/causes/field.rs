//! What calls have in common, by number, and how each of it fared lately.
//!
//! Comparing all calls costs a look at each of them. Whether it is worth that look is answered
//! here, from two counts for each trait and layer that every outcome adds to: on a platform where
//! one turn in two hundred fails by chance, nothing is compared.

use std::collections::BTreeMap;

use holdfast_domain::{
    CauseDimension, CauseTrait, DurationMs, Layer, PerLayer, Service, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::calls::Call;

/// The number of a trait.
pub(super) type FieldId = u32;

/// Not known, or one too many.
pub(super) const NO_TRAIT: FieldId = FieldId::MAX;

/// The most traits that have a number: some thousand on a large platform, and each new worker of a
/// day. Later ones cannot be told as a cause.
const TRAITS_MAX: usize = 32_768;

/// Counts are halved after this time: three failures of one cause come within it.
const HALF_LIFE_MS: f32 = 30_000.0;

/// So many failures, and so large a share of them, are worth a comparison. The share is a quarter
/// of what an explanation needs, because the cause may be a part of what this trait covers.
const FAILING_MIN: f32 = 1.9;
const SHARE_MIN: f32 = 0.04;

/// The failing share without a fault and the evidence against it, in nats, that are worth it: two
/// failures of two, or half of what an explanation needs.
const BASE_RATE: f32 = 0.01;
const NATS_MIN: f32 = 7.5;

/// Calls are compared for so long after the last failure that was worth it.
const HOT_MS: DurationMs = 60_000;

/// What all layers of a call share, in the order in which they are kept.
const OF_CALL: [CauseDimension; 6] = [
    CauseDimension::Zone,
    CauseDimension::Flow,
    CauseDimension::Build,
    CauseDimension::Queue,
    CauseDimension::Language,
    CauseDimension::Worker,
];

/// What belongs to the service of a layer.
const OF_SERVICE: [CauseDimension; 4] = [
    CauseDimension::Provider,
    CauseDimension::Model,
    CauseDimension::Region,
    CauseDimension::Zone,
];

/// The numbers of one call's traits, as it is served now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallTraits {
    call: [FieldId; OF_CALL.len()],
    services: PerLayer<[FieldId; OF_SERVICE.len()]>,
}

impl CallTraits {
    /// The numbers of one layer.
    pub(super) fn of(&self, layer: Layer) -> impl Iterator<Item = FieldId> {
        self.served(self.services[layer])
    }

    /// The numbers of one layer as `services` has them.
    pub(super) fn served(
        &self,
        services: [FieldId; OF_SERVICE.len()],
    ) -> impl Iterator<Item = FieldId> {
        // The zone of the service, where it has one, is where the work is done.
        let zone = services[OF_SERVICE.len() - 1];
        let own = self.call.into_iter().skip(usize::from(zone != NO_TRAIT));
        services.into_iter().chain(own).filter(|id| *id != NO_TRAIT)
    }
}

/// How a trait fared in a layer: outcomes that fade.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Fare {
    bad: f32,
    all: f32,
    at: Timestamp,
}

impl Fare {
    fn see(&mut self, is_bad: bool, now: Timestamp) {
        let passed = now.since(self.at).max(0) as f32;
        if passed > 0.0 {
            let kept = (-passed / HALF_LIFE_MS).exp2();
            self.bad *= kept;
            self.all *= kept;
            self.at = now;
        }
        self.bad += f32::from(u8::from(is_bad));
        self.all += 1.0;
    }

    fn is_worth_a_look(&self) -> bool {
        let (bad, all) = (self.bad, self.all);
        if bad < FAILING_MIN || bad < SHARE_MIN * all {
            return false;
        }
        let share = bad / all;
        let good = (all - bad).max(0.0);
        let of_good = if good > 0.0 {
            good * ((1.0 - share) / (1.0 - BASE_RATE)).ln()
        } else {
            0.0
        };
        bad * (share / BASE_RATE).ln() + of_good >= NATS_MIN
    }
}

/// Every trait, and how it fares.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct Field {
    names: Vec<CauseTrait>,
    ids: BTreeMap<CauseDimension, BTreeMap<String, FieldId>>,
    /// In the order of `names`.
    fares: PerLayer<Vec<Fare>>,
    /// Of all calls.
    whole: PerLayer<Fare>,
    hot_until: PerLayer<Option<Timestamp>>,
}

/// The same without what follows from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    names: Vec<CauseTrait>,
    fares: PerLayer<Vec<Fare>>,
    whole: PerLayer<Fare>,
    hot_until: PerLayer<Option<Timestamp>>,
}

impl From<Stored> for Field {
    fn from(stored: Stored) -> Self {
        let mut ids: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (name, id) in stored.names.iter().zip(0..) {
            let of = ids.entry(name.dimension).or_default();
            of.insert(name.value.clone(), id);
        }
        Self {
            names: stored.names,
            ids,
            fares: stored.fares,
            whole: stored.whole,
            hot_until: stored.hot_until,
        }
    }
}

impl From<Field> for Stored {
    fn from(field: Field) -> Self {
        Self {
            names: field.names,
            fares: field.fares,
            whole: field.whole,
            hot_until: field.hot_until,
        }
    }
}

impl Field {
    /// The trait with this number.
    pub(super) fn name(&self, id: FieldId) -> Option<&CauseTrait> {
        self.names.get(id as usize)
    }

    /// How many traits there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The number of a value; of an empty one there is none.
    pub(super) fn id(&mut self, dimension: CauseDimension, value: &str) -> FieldId {
        if value.is_empty() {
            return NO_TRAIT;
        }
        let known = self.ids.entry(dimension).or_default();
        if let Some(id) = known.get(value) {
            return *id;
        }
        if self.names.len() >= TRAITS_MAX {
            return NO_TRAIT;
        }
        let id = self.names.len() as FieldId;
        known.insert(value.to_owned(), id);
        self.names.push(CauseTrait {
            dimension,
            value: value.to_owned(),
        });
        id
    }

    /// The numbers of a service, or of a layer that none serves.
    pub(super) fn of_service(
        &mut self,
        service: Option<&Service>,
        region: &str,
    ) -> [FieldId; OF_SERVICE.len()] {
        OF_SERVICE.map(|dimension| {
            let value = match (dimension, service) {
                (CauseDimension::Provider, Some(service)) => &service.provider,
                (CauseDimension::Model, Some(service)) => &service.model,
                (CauseDimension::Zone, Some(service)) => &service.zone,
                (CauseDimension::Region, Some(service)) if !service.region.is_empty() => {
                    &service.region
                }
                (CauseDimension::Region, _) => region,
                _ => "",
            };
            self.id(dimension, value)
        })
    }

    /// Works out the numbers of a call's traits, once until they change.
    pub(super) fn number(&mut self, call: &mut Call) {
        if call.traits.is_some() {
            return;
        }
        let dialogue = &call.dialogue;
        let of_call = OF_CALL.map(|dimension| {
            let value = match dimension {
                CauseDimension::Zone => &dialogue.zone,
                CauseDimension::Flow => &dialogue.flow,
                CauseDimension::Build => &dialogue.build,
                CauseDimension::Queue => &dialogue.queue,
                CauseDimension::Language => &dialogue.language,
                _ => &dialogue.worker,
            };
            self.id(dimension, value)
        });
        let mut services = PerLayer::default();
        for layer in Layer::ALL {
            services[layer] = self.of_service(call.active(layer), call.region());
        }
        call.traits = Some(Box::new(CallTraits {
            call: of_call,
            services,
        }));
    }

    /// A layer of a call did its work, or did not.
    pub(super) fn saw(&mut self, call: &mut Call, layer: Layer, is_bad: bool, now: Timestamp) {
        self.number(call);
        let Some(traits) = call.traits.as_deref() else {
            return;
        };
        let tool = (layer == Layer::Tools)
            .then(|| call.tool_marks.last())
            .flatten()
            .map_or(NO_TRAIT, |mark| self.id(CauseDimension::Tool, &mark.name));
        let fares = &mut self.fares[layer];
        let whole = &mut self.whole[layer];
        whole.see(is_bad, now);
        let mut is_hot = is_bad && whole.is_worth_a_look();
        for id in traits.of(layer).chain([tool]) {
            let place = id as usize;
            if id == NO_TRAIT {
                continue;
            }
            if fares.len() <= place {
                fares.resize(place + 1, Fare::default());
            }
            fares[place].see(is_bad, now);
            is_hot |= is_bad && fares[place].is_worth_a_look();
        }
        if is_hot {
            self.hot_until[layer] = Some(now + HOT_MS);
        }
    }

    /// Calls are worth comparing in this layer.
    pub(super) fn is_hot(&self, layer: Layer, now: Timestamp) -> bool {
        self.hot_until[layer].is_some_and(|until| now <= until)
    }
}
