//! Whom a fault reaches, drawn from a seed.

use holdfast_domain::{CauseDimension, CauseTrait, Layer};

use crate::call::BUILDS;
use crate::dialogue::{self, Language};
use crate::faults::Target;
use crate::platform::WorldKind;
use crate::services;

/// Tools that calls use early and often enough to be seen within a minute.
const TOOLS: [&str; 2] = ["crm.lookup", "track_order"];

/// The target of a fault in a layer, and the traits that its calls share.
pub(super) fn resolve(
    layer: Layer,
    dimensions: &[CauseDimension],
    seed: u64,
) -> (Target, Vec<CauseTrait>) {
    let mut target = Target::default();
    let mut traits = Vec::new();
    let mut rest = seed;
    for dimension in dimensions.iter().copied() {
        let values = values(layer, dimension);
        let n = values.len() as u64;
        let value = values[(rest % n) as usize].clone();
        // So that seeds which follow each other differ in each dimension, and pairs are not tied.
        rest = rest / n + rest % n;
        *field(&mut target, dimension) = Some(value.clone());
        traits.push(CauseTrait { dimension, value });
    }
    (target, traits)
}

fn field(target: &mut Target, dimension: CauseDimension) -> &mut Option<String> {
    match dimension {
        CauseDimension::Provider => &mut target.scope.provider,
        CauseDimension::Model => &mut target.scope.model,
        CauseDimension::Region => &mut target.scope.region,
        CauseDimension::Zone => &mut target.zone,
        CauseDimension::Tool => &mut target.scope.tool,
        CauseDimension::Flow => &mut target.flow,
        CauseDimension::Build => &mut target.build,
        CauseDimension::Queue => &mut target.scope.queue,
        CauseDimension::Language => &mut target.language,
        CauseDimension::Worker => &mut target.worker,
    }
}

/// What there is of a dimension; never empty where a family asks.
fn values(layer: Layer, dimension: CauseDimension) -> Vec<String> {
    let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
    match dimension {
        CauseDimension::Provider => {
            let vendors = services::vendors(layer).iter();
            owned(vendors.map(|(vendor, _)| *vendor).collect())
        }
        CauseDimension::Model => owned(services::models(layer)),
        CauseDimension::Region => owned(services::PODS.iter().map(|pod| pod.region).collect()),
        CauseDimension::Zone => owned(services::zones()),
        CauseDimension::Tool => owned(TOOLS.to_vec()),
        CauseDimension::Flow => dialogue::flows(),
        CauseDimension::Build => {
            let mut builds = BUILDS.to_vec();
            builds.dedup();
            owned(builds)
        }
        CauseDimension::Queue => owned(dialogue::queues()),
        CauseDimension::Language => {
            let languages = Language::all().iter();
            languages.map(|language| language.tag.clone()).collect()
        }
        CauseDimension::Worker => {
            let workers = services::workers(WorldKind::Varied).into_iter();
            workers.map(|(name, _, _)| name).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_value_comes_up_and_pairs_are_not_tied() {
        let dimensions = [CauseDimension::Provider, CauseDimension::Region];
        let pairs: BTreeSet<_> = (0..40)
            .map(|seed| resolve(Layer::Llm, &dimensions, seed).1)
            .collect();
        assert_eq!(pairs.len(), 9, "{pairs:?}");
    }

    #[test]
    fn the_target_names_what_the_traits_say() {
        let dimensions = [CauseDimension::Model, CauseDimension::Build];
        let (target, traits) = resolve(Layer::Tts, &dimensions, 5);
        assert_eq!(target.scope.model.as_ref(), Some(&traits[0].value));
        assert_eq!(target.build.as_ref(), Some(&traits[1].value));
        assert_eq!(target.scope.provider, None);
    }
}
