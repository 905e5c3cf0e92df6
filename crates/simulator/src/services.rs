//! The services that the simulated platform runs on: vendors, models, regions, and the ladder.

use holdfast_domain::{Layer, Rung, Service};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

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

/// The vendors' names, for checking a fault's scope.
pub(crate) const PROVIDERS: [&str; 3] = ["Vendor A", "Vendor B", "Vendor C"];

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
    pub(crate) services: Vec<Service>,
}

/// The zones of each region in the varied world.
const ZONES: [&str; 2] = ["a", "b"];

/// The layers that services serve.
const SERVED: [Layer; 3] = [Layer::Asr, Layer::Llm, Layer::Tts];

/// Two models of each vendor in each layer of the varied world; the first of each is a model of the
/// pods, so that a fault's scope can name it.
const MODELS: [(Layer, [[&str; 2]; 3]); 3] = [
    (
        Layer::Asr,
        [
            ["listen-1", "listen-2"],
            ["hear-2", "hear-3"],
            ["scribe-1", "scribe-2"],
        ],
    ),
    (
        Layer::Llm,
        [
            ["large-4", "large-5"],
            ["medium-3", "medium-4"],
            ["small-2", "small-3"],
        ],
    ),
    (
        Layer::Tts,
        [
            ["speak-2", "speak-3"],
            ["say-1", "say-2"],
            ["voice-5", "voice-6"],
        ],
    ),
];

impl Site {
    pub(crate) fn of_pod(number: u64) -> Self {
        let pod = Pod::of(number);
        Self {
            region: pod.region,
            zone: "",
            services: pod.services(),
        }
    }

    /// Everything is drawn by itself.
    pub(crate) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let place = |rng: &mut ChaCha8Rng| {
            let region = PODS[rng.random_range(0..PODS.len())].region;
            (region, ZONES[rng.random_range(0..ZONES.len())])
        };
        let (region, zone) = place(rng);
        let mut services = Vec::new();
        for layer in SERVED {
            let vendor = rng.random_range(0..PROVIDERS.len());
            for (rung, vendor) in [
                (Rung::Primary, vendor),
                (Rung::Backup, (vendor + 1) % PROVIDERS.len()),
            ] {
                let models = MODELS.iter().find(|(of, _)| *of == layer);
                let models = models.map_or([""; 2], |(_, models)| models[vendor]);
                let model = models[rng.random_range(0..models.len())];
                let (region, zone) = place(rng);
                services.push(Service {
                    layer,
                    name: format!("{model}@{region}-{zone}"),
                    provider: PROVIDERS[vendor].to_owned(),
                    model: model.to_owned(),
                    region: region.to_owned(),
                    zone: zone.to_owned(),
                    active: rung == Rung::Primary,
                    usable: true,
                    rung,
                });
            }
        }
        Self {
            region,
            zone,
            services,
        }
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
            })
            .collect()
    }
}

/// The models of a layer in the varied world, vendor by vendor.
pub(crate) fn models(layer: Layer) -> Vec<&'static str> {
    MODELS
        .iter()
        .filter(|(of, _)| *of == layer)
        .flat_map(|(_, vendors)| vendors.iter().flatten().copied())
        .collect()
}

/// True if some call can be served by this model.
pub(crate) fn knows_model(model: &str) -> bool {
    PODS.iter()
        .any(|pod| pod.ladder.iter().any(|rated| rated.model == model))
        || MODELS
            .iter()
            .any(|(_, vendors)| vendors.iter().flatten().any(|known| *known == model))
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
