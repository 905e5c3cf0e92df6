//! The seven layers of an AI-assisted call.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One of the seven places where an AI-assisted call can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Speech recognition.
    Asr,
    /// The language model.
    Llm,
    /// Tools and the dependencies behind them.
    Tools,
    /// Speech synthesis.
    Tts,
    /// Dialogue and business logic.
    Orchestration,
    /// The caller's media and the links between services.
    Network,
    /// Workers, zones, regions, GPU pools.
    Infrastructure,
}

impl Layer {
    /// All layers, in the order of the strip on screen: A L T S O N I.
    pub const ALL: [Self; 7] = [
        Self::Asr,
        Self::Llm,
        Self::Tools,
        Self::Tts,
        Self::Orchestration,
        Self::Network,
        Self::Infrastructure,
    ];

    /// The layer's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asr => "asr",
            Self::Llm => "llm",
            Self::Tools => "tools",
            Self::Tts => "tts",
            Self::Orchestration => "orchestration",
            Self::Network => "network",
            Self::Infrastructure => "infrastructure",
        }
    }

    /// The layer that `name` means on the wire.
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.as_str() == name)
    }
}

/// One value for each layer, in the order of [`Layer::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerLayer<T>(pub [T; 7]);

impl<T> PerLayer<T> {
    /// Pairs of layer and value, in the order of the strip.
    pub fn iter(&self) -> impl Iterator<Item = (Layer, &T)> {
        Layer::ALL.into_iter().zip(self.0.iter())
    }
}

impl<T> Index<Layer> for PerLayer<T> {
    type Output = T;

    fn index(&self, layer: Layer) -> &T {
        &self.0[layer as usize]
    }
}

impl<T> IndexMut<Layer> for PerLayer<T> {
    fn index_mut(&mut self, layer: Layer) -> &mut T {
        &mut self.0[layer as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_index_in_strip_order_and_survive_the_wire() {
        let per_layer = PerLayer(Layer::ALL);
        for layer in Layer::ALL {
            assert_eq!(per_layer[layer], layer);
            assert_eq!(Layer::from_wire(layer.as_str()), Some(layer));
        }
        assert_eq!(Layer::from_wire("stt"), None);
    }
}
