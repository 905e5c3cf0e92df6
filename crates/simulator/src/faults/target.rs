//! Whom an injection reaches.

use std::fmt;

use holdfast_domain::{FaultScope, Service};

/// A scope as it comes over the wire, and what only a labelled run asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Target {
    pub(crate) scope: FaultScope,
    /// The zone of the service, or of the worker for a fault of the call itself.
    pub(crate) zone: Option<String>,
    pub(crate) flow: Option<String>,
    pub(crate) build: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) worker: Option<String>,
    /// The chance with which it reaches each turn, above 0 and up to 1; None for every turn.
    pub(crate) chance: Option<f64>,
}

/// What a fault is held against: the thing that is about to be used, on whose behalf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach<'a> {
    /// The call's id.
    pub(crate) call: &'a str,
    /// The call's number, for the share.
    pub(crate) number: u64,
    /// The call's turn, for the chance.
    pub(crate) turn: u32,
    pub(crate) queue: &'a str,
    pub(crate) flow: &'a str,
    pub(crate) build: &'a str,
    pub(crate) language: &'a str,
    pub(crate) worker: &'a str,
    /// Where it runs: the service's region, or the worker's.
    pub(crate) region: &'a str,
    /// The service's zone, or the worker's.
    pub(crate) zone: &'a str,
    /// The service, for a fault of one.
    pub(crate) service: Option<&'a Service>,
    /// The tool, for a fault of one.
    pub(crate) tool: Option<&'a str>,
}

impl From<&FaultScope> for Target {
    fn from(scope: &FaultScope) -> Self {
        Self {
            scope: scope.clone(),
            ..Self::default()
        }
    }
}

impl Target {
    /// It reaches the thing in this turn, under the injection's number.
    pub(super) fn reaches(&self, injection: u64, reach: &Reach<'_>) -> bool {
        self.covers(reach)
            && self
                .scope
                .share
                .is_none_or(|share| place(injection, reach.number) < share)
            && self.chance.is_none_or(|chance| {
                let turn = u64::from(reach.turn).wrapping_mul(0xa24b_aed4_963e_e407);
                place(injection, reach.number.wrapping_add(turn)) < chance
            })
    }

    /// The thing is of those that it can reach.
    pub(super) fn covers(&self, reach: &Reach<'_>) -> bool {
        let named = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let (scope, service) = (&self.scope, reach.service);
        named(&scope.provider, service.map(|s| s.provider.as_str()))
            && named(&scope.model, service.map(|s| s.model.as_str()))
            && named(&scope.region, Some(reach.region))
            && named(&scope.tool, reach.tool)
            && named(&scope.queue, Some(reach.queue))
            && named(&scope.call, Some(reach.call))
            && named(&self.zone, Some(reach.zone))
            && named(&self.flow, Some(reach.flow))
            && named(&self.build, Some(reach.build))
            && named(&self.language, Some(reach.language))
            && named(&self.worker, Some(reach.worker))
    }

    /// It reaches all that it can reach, in every turn.
    pub(super) fn is_whole(&self) -> bool {
        self.scope.share.is_none() && self.chance.is_none()
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

/// A target in words.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = &self.scope;
        let fields = [
            ("provider", &scope.provider),
            ("model", &scope.model),
            ("region", &scope.region),
            ("zone", &self.zone),
            ("tool", &scope.tool),
            ("flow", &self.flow),
            ("build", &self.build),
            ("queue", &scope.queue),
            ("language", &self.language),
            ("worker", &self.worker),
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
        if let Some(chance) = self.chance {
            write!(f, ", {:.0} % of turns", chance * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_in_words() {
        let check = |scope: FaultScope, words: &str| {
            assert_eq!(Target::from(&scope).to_string(), words);
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
        let of_turns = Target {
            flow: Some("billing-v3".to_owned()),
            chance: Some(0.5),
            ..Target::default()
        };
        assert_eq!(of_turns.to_string(), "flow billing-v3, 50 % of turns");
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

    #[test]
    fn a_chance_is_drawn_for_each_turn_and_holds_for_the_whole_turn() {
        let target = Target {
            chance: Some(0.3),
            ..Target::default()
        };
        let reach = |number, turn| Reach {
            call: "c",
            number,
            turn,
            queue: "",
            flow: "",
            build: "",
            language: "",
            worker: "",
            region: "",
            zone: "",
            service: None,
            tool: None,
        };
        let turns = |number| -> Vec<u32> {
            (0..2_000)
                .filter(|turn| target.reaches(1, &reach(number, *turn)))
                .collect()
        };
        let hit = turns(7);
        assert!((520..680).contains(&hit.len()), "{}", hit.len());
        assert_eq!(hit, turns(7));
        assert_ne!(hit, turns(8));
    }
}
