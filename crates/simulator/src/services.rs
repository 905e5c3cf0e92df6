//! The services that the simulated platform runs on: vendors, models, regions, and the ladder.

use holdfast_domain::{Layer, Rung, Service};

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

/// True if some call can be served by this model.
pub(crate) fn knows_model(model: &str) -> bool {
    PODS.iter()
        .any(|pod| pod.ladder.iter().any(|rated| rated.model == model))
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
