//! The families, layer by layer, and the words to write them in.

mod asr;
mod infrastructure;
mod llm;
mod mixed;
mod network;
mod orchestration;
mod tools;
mod tts;

use std::sync::LazyLock;

use holdfast_domain::{CauseDimension, CauseShape, Layer};

use super::{Expected, Family};

/// One injected fault of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    pub(super) fault: &'static str,
    pub(super) layer: Layer,
    /// What the calls that it reaches have in common; which value it is comes from the seed.
    pub(super) dimensions: &'static [CauseDimension],
    /// After the onset.
    pub(super) after_ms: i64,
    /// It comes and goes.
    pub(super) on_off_ms: Option<i64>,
    /// It reaches this share of those calls.
    pub(super) share: Option<f64>,
    pub(super) rise: Option<Rise>,
    pub(super) shape: CauseShape,
}

/// The chance with which a turn fails, before the onset and from then on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rise {
    pub(super) before: f64,
    pub(super) after: f64,
}

/// Every family.
pub fn families() -> &'static [Family] {
    static ALL: LazyLock<Vec<Family>> = LazyLock::new(|| {
        [
            llm::FAMILIES,
            asr::FAMILIES,
            tts::FAMILIES,
            tools::FAMILIES,
            network::FAMILIES,
            orchestration::FAMILIES,
            infrastructure::FAMILIES,
            mixed::FAMILIES,
        ]
        .concat()
    });
    &ALL
}

const fn family(
    name: &'static str,
    layer: Layer,
    about: &'static str,
    faults: &'static [Part],
) -> Family {
    Family {
        name,
        layer,
        about,
        held_out: false,
        kind: Expected::Shared,
        faults,
    }
}

const fn hit(fault: &'static str, layer: Layer, dimensions: &'static [CauseDimension]) -> Part {
    Part {
        fault,
        layer,
        dimensions,
        after_ms: 0,
        on_off_ms: None,
        share: None,
        rise: None,
        shape: CauseShape::Shared,
    }
}

impl Family {
    const fn is(mut self, kind: Expected) -> Self {
        self.kind = kind;
        self
    }

    const fn held_out(mut self) -> Self {
        self.held_out = true;
        self
    }
}

impl Part {
    const fn after(mut self, ms: i64) -> Self {
        self.after_ms = ms;
        self
    }

    const fn on_off(mut self, ms: i64) -> Self {
        self.on_off_ms = Some(ms);
        self
    }

    const fn half(mut self) -> Self {
        self.share = Some(0.5);
        self
    }

    const fn rises(mut self, before: f64, after: f64) -> Self {
        self.rise = Some(Rise { before, after });
        self
    }

    const fn outage(mut self) -> Self {
        self.shape = CauseShape::RegionOutage;
        self
    }

    const fn saturated(mut self) -> Self {
        self.shape = CauseShape::SaturatedPool;
        self
    }

    const fn starved(mut self) -> Self {
        self.shape = CauseShape::StarvedAutoscaling;
        self
    }
}
