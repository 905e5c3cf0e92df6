//! The services that the simulated platform runs on: vendors, models, regions, and the ladder.

use std::collections::BTreeSet;

use holdfast_domain::{Layer, Rung, Service};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::platform::WorldKind;

/// A group of calls that are served from one region, with the same ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pod {
    /// The region that the calls' workers run in.
    pub(crate) region: &'static str,
    /// Every service, in ladder order within each layer.
    ladder: &'static [Rated],
}

/// A service and its place on the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rated {
    layer: Layer,
    rung: Rung,
    provider: &'static str,
    model: &'static str,
    region: &'static str,
}

const fn rated(
    layer: Layer,
    rung: Rung,
    provider: &'static str,
    model: &'static str,
    region: &'static str,
) -> Rated {
    Rated {
        layer,
        rung,
        provider,
        model,
        region,
    }
}

/// Half of the calls run in eu-west, the rest in the other two regions: a fault of one vendor, one
/// model and one region each reach a different set of calls.
pub(crate) const PODS: [Pod; 3] = [
    Pod {
        region: "eu-west",
        ladder: &[
            rated(Layer::Asr, Rung::Primary, "Vendor B", "hear-2", "eu-west"),
            rated(
                Layer::Asr,
                Rung::Backup,
                "Vendor C",
                "scribe-1",
                "eu-central",
            ),
            rated(Layer::Llm, Rung::Primary, "Vendor A", "large-4", "eu-west"),
            rated(Layer::Llm, Rung::Retry, "Vendor A", "large-4", "eu-central"),
            rated(Layer::Llm, Rung::Backup, "Vendor B", "medium-3", "us-east"),
            rated(Layer::Tts, Rung::Primary, "Vendor C", "voice-5", "eu-west"),
            rated(
                Layer::Tts,
                Rung::Backup,
                "Vendor A",
                "speak-2",
                "eu-central",
            ),
        ],
    },
    Pod {
        region: "eu-central",
        ladder: &[
            rated(
                Layer::Asr,
                Rung::Primary,
                "Vendor C",
                "scribe-1",
                "eu-central",
            ),
            rated(Layer::Asr, Rung::Backup, "Vendor B", "hear-2", "eu-west"),
            rated(
                Layer::Llm,
                Rung::Primary,
                "Vendor A",
                "large-4",
                "eu-central",
            ),
            rated(Layer::Llm, Rung::Retry, "Vendor A", "large-4", "eu-west"),
            rated(Layer::Llm, Rung::Backup, "Vendor C", "small-2", "us-east"),
            rated(
                Layer::Tts,
                Rung::Primary,
                "Vendor A",
                "speak-2",
                "eu-central",
            ),
            rated(Layer::Tts, Rung::Backup, "Vendor C", "voice-5", "eu-west"),
        ],
    },
    Pod {
        region: "us-east",
        ladder: &[
            rated(Layer::Asr, Rung::Primary, "Vendor B", "hear-2", "us-east"),
            rated(
                Layer::Asr,
                Rung::Backup,
                "Vendor C",
                "scribe-1",
                "eu-central",
            ),
            rated(Layer::Llm, Rung::Primary, "Vendor B", "medium-3", "us-east"),
            rated(Layer::Llm, Rung::Retry, "Vendor B", "medium-3", "eu-west"),
            rated(
                Layer::Llm,
                Rung::Backup,
                "Vendor A",
                "large-4",
                "eu-central",
            ),
            rated(Layer::Tts, Rung::Primary, "Vendor C", "voice-5", "us-east"),
            rated(
                Layer::Tts,
                Rung::Backup,
                "Vendor A",
                "speak-2",
                "eu-central",
            ),
        ],
    },
];

/// Where one call is served, and by what.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) region: &'static str,
    /// Empty where the world has no zones.
    pub(crate) zone: &'static str,
    pub(crate) worker: String,
    pub(crate) services: Vec<Service>,
}

/// The zones of each region in the varied world, in the order of [`PODS`].
const ZONES: [[&str; 2]; 3] = [
    ["eu-west-a", "eu-west-b"],
    ["eu-central-a", "eu-central-b"],
    ["us-east-a", "us-east-b"],
];

/// Workers in each region.
const WORKERS: u8 = 8;

/// A vendor of the varied world and its models in its layer. As in the field, most vendors do one
/// thing, so that a vendor's beats tell of one layer.
type Vendor = (&'static str, [&'static str; 2]);

/// The vendors of each layer of the varied world.
const VENDORS: [(Layer, [Vendor; 3]); 3] = [
    (
        Layer::Asr,
        [
            ("Vendor D", ["listen-1", "listen-2"]),
            ("Vendor E", ["hear-2", "hear-3"]),
            ("Vendor F", ["scribe-1", "scribe-2"]),
        ],
    ),
    (
        Layer::Llm,
        [
            ("Vendor A", ["large-4", "large-5"]),
            ("Vendor B", ["medium-3", "medium-4"]),
            ("Vendor C", ["small-2", "small-3"]),
        ],
    ),
    (
        Layer::Tts,
        [
            ("Vendor G", ["speak-2", "speak-3"]),
            ("Vendor H", ["say-1", "say-2"]),
            ("Vendor I", ["voice-5", "voice-6"]),
        ],
    ),
];

impl Site {
    pub(crate) fn of_pod(number: u64, rng: &mut ChaCha8Rng) -> Self {
        let pod = Pod::of(number);
        Self {
            region: pod.region,
            zone: "",
            worker: worker(pod.region, rng.random_range(1..=WORKERS)),
            services: pod.services(),
        }
    }

    /// Vendor, model and zone of each layer are drawn by themselves. A call is served in the region
    /// of its worker, as latency asks for, and its backup is elsewhere.
    pub(crate) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let home = rng.random_range(0..PODS.len());
        let number = rng.random_range(1..=WORKERS);
        let mut services = Vec::new();
        for (layer, vendors) in VENDORS {
            let vendor = rng.random_range(0..vendors.len());
            let abroad = (home + rng.random_range(1..PODS.len())) % PODS.len();
            for (rung, vendor, place) in [
                (Rung::Primary, vendor, home),
                (Rung::Backup, (vendor + 1) % vendors.len(), abroad),
            ] {
                let (provider, models) = vendors[vendor];
                let model = models[rng.random_range(0..models.len())];
                let zone = ZONES[place][rng.random_range(0..ZONES[place].len())];
                services.push(Service {
                    layer,
                    name: format!("{model}@{zone}"),
                    provider: provider.to_owned(),
                    model: model.to_owned(),
                    region: PODS[place].region.to_owned(),
                    zone: zone.to_owned(),
                    active: rung == Rung::Primary,
                    usable: true,
                    rung,
                    lacks: Vec::new(),
                });
            }
        }
        Self {
            region: PODS[home].region,
            zone: zone_of_worker(home, number),
            worker: worker(PODS[home].region, number),
            services,
        }
    }
}

/// One of a region's workers.
pub(crate) fn any_worker(region: &str, rng: &mut ChaCha8Rng) -> String {
    worker(region, rng.random_range(1..=WORKERS))
}

fn worker(region: &str, number: u8) -> String {
    format!("{region}-w{number}")
}

/// A region's machines stand in its zones by turns.
fn zone_of_worker(region: usize, number: u8) -> &'static str {
    ZONES[region][usize::from(number) % ZONES[region].len()]
}

/// The workers of a world: name, region, and zone, which is empty where there are none.
pub(crate) fn workers(world: WorldKind) -> Vec<(String, &'static str, &'static str)> {
    let mut all = Vec::new();
    for (place, pod) in PODS.iter().enumerate() {
        for number in 1..=WORKERS {
            let zone = match world {
                WorldKind::Pods => "",
                WorldKind::Varied => zone_of_worker(place, number),
            };
            all.push((worker(pod.region, number), pod.region, zone));
        }
    }
    all
}

/// What each vendor offers in a world, region by region.
pub(crate) fn offers(world: WorldKind) -> BTreeSet<(Layer, &'static str, &'static str)> {
    match world {
        WorldKind::Pods => PODS
            .iter()
            .flat_map(|pod| pod.ladder)
            .map(|rated| (rated.layer, rated.provider, rated.region))
            .collect(),
        WorldKind::Varied => VENDORS
            .iter()
            .flat_map(|(layer, vendors)| vendors.iter().map(|(vendor, _)| (*layer, *vendor)))
            .flat_map(|(layer, vendor)| PODS.map(|pod| (layer, vendor, pod.region)))
            .collect(),
    }
}

impl Pod {
    /// The pod of the call with this number: every other call in the first.
    pub(crate) fn of(number: u64) -> Self {
        PODS[match number % 4 {
            0 | 2 => 0,
            1 => 1,
            _ => 2,
        }]
    }

    /// The services of a new call: the primaries are active, and everything is usable.
    pub(crate) fn services(self) -> Vec<Service> {
        self.ladder
            .iter()
            .map(|rated| Service {
                layer: rated.layer,
                name: format!("{}@{}", rated.model, rated.region),
                provider: rated.provider.to_owned(),
                model: rated.model.to_owned(),
                region: rated.region.to_owned(),
                zone: String::new(),
                active: rated.rung == Rung::Primary,
                usable: true,
                rung: rated.rung,
                lacks: Vec::new(),
            })
            .collect()
    }
}

/// The vendors of a layer in the varied world, with their models.
pub(crate) fn vendors(layer: Layer) -> &'static [Vendor] {
    VENDORS
        .iter()
        .find(|(of, _)| *of == layer)
        .map_or(&[], |(_, vendors)| vendors)
}

/// The models of a layer in the varied world, vendor by vendor.
pub(crate) fn models(layer: Layer) -> Vec<&'static str> {
    let vendors = vendors(layer).iter();
    vendors.flat_map(|(_, models)| models).copied().collect()
}

/// The zones of the varied world, region by region.
pub(crate) fn zones() -> Vec<&'static str> {
    ZONES.as_flattened().to_vec()
}

/// True if some call can be served by this vendor.
pub(crate) fn knows_provider(provider: &str) -> bool {
    PODS.iter()
        .flat_map(|pod| pod.ladder)
        .any(|rated| rated.provider == provider)
        || all_vendors().any(|(vendor, _)| *vendor == provider)
}

/// True if some call can be served by this model.
pub(crate) fn knows_model(model: &str) -> bool {
    PODS.iter()
        .flat_map(|pod| pod.ladder)
        .any(|rated| rated.model == model)
        || all_vendors().any(|(_, models)| models.contains(&model))
}

fn all_vendors() -> impl Iterator<Item = &'static Vendor> {
    VENDORS.iter().flat_map(|(_, vendors)| vendors)
}

/// True if some service or worker runs in this region.
pub(crate) fn knows_region(region: &str) -> bool {
    PODS.iter().any(|pod| pod.region == region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ladder_has_one_active_primary_a_layer_and_unique_names() {
        for pod in PODS {
            let services = pod.services();
            for layer in [Layer::Asr, Layer::Llm, Layer::Tts] {
                let of_layer: Vec<_> = services.iter().filter(|s| s.layer == layer).collect();
                assert!(of_layer[0].active && of_layer[0].rung == Rung::Primary);
                assert_eq!(of_layer.iter().filter(|s| s.active).count(), 1);
                assert!(of_layer.len() >= 2);
            }
            let mut names: Vec<_> = services.iter().map(|s| &s.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), services.len());
        }
    }

    #[test]
    fn the_llm_ladder_retries_the_same_model_elsewhere() {
        for pod in PODS {
            let llms: Vec<_> = pod
                .services()
                .into_iter()
                .filter(|s| s.layer == Layer::Llm)
                .collect();
            assert_eq!(llms[1].rung, Rung::Retry);
            assert_eq!(llms[0].model, llms[1].model);
            assert_ne!(llms[0].region, llms[1].region);
            assert_ne!(llms[0].provider, llms[2].provider);
        }
    }
}
