//! The score of diagnosis in short: a few families, one seed. The whole is `cargo xtask score
//! diagnosis`, which CI has no time for.

use holdfast_lab::diagnosis;
use holdfast_lab::listen::Listener;
use holdfast_lab::score::{Figures, Tally};
use holdfast_simulator::corpus::{self, Family};

const SEED: u64 = 1;

/// An error that says so, a silence without an error, a dialogue that does not move on.
const FAMILIES: [&str; 3] = ["llm_503_vendor", "asr_silent_model", "stall_queue"];

/// The engine was right in every call of these when this was written; what may come later is a
/// label that is drawn anew.
const FLOOR: f64 = 0.95;

fn families() -> Vec<&'static Family> {
    let all = corpus::families();
    let named = FAMILIES.map(|name| all.iter().find(|family| family.name == name));
    named
        .map(|family| family.expect("it is in the corpus"))
        .to_vec()
}

fn tally(listener: Listener) -> Tally {
    let rounds = diagnosis::rounds(&families(), &[SEED], listener, |_| {});
    diagnosis::sum(rounds.iter())
}

fn layer_accuracy(tally: &Tally) -> f64 {
    Figures::of(tally).layer_accuracy.expect("calls are harmed")
}

#[test]
fn the_engine_names_layers_that_nobody_names_without_detectors() {
    let (engine, deaf) = (tally(Listener::Engine), tally(Listener::Deaf));
    assert!(layer_accuracy(&engine) > FLOOR, "{engine:?}");
    assert!(layer_accuracy(&deaf) < 0.05, "{deaf:?}");
    assert!(layer_accuracy(&tally(Listener::Nobody)) == 0.0);
}

#[test]
fn a_dead_vendor_and_a_risen_rate_that_nobody_tells_count_with_all_of_their_time() {
    let all = corpus::families().iter();
    let few: Vec<&'static Family> = all
        .filter(|family| ["tts_dead_vendor", "llm_rate_model_20"].contains(&family.name))
        .collect();
    let rounds = diagnosis::rounds(&few, &[SEED], Listener::Nobody, |_| {});
    let tally = diagnosis::sum(rounds.iter());
    assert_eq!(tally.provider_delays_ms, [60_000]);
    assert_eq!(tally.rate_turns.len(), 1);
    assert!(tally.rate_turns[0] > 50, "{:?}", tally.rate_turns);
    assert_eq!((tally.causes, tally.causes_found), (2, 0));
}

#[test]
fn the_same_seed_gives_the_same_score() {
    let few = &families()[..1];
    let score = || {
        let rounds = diagnosis::rounds(few, &[SEED], Listener::Engine, |_| {});
        diagnosis::sum(rounds.iter())
    };
    assert_eq!(score(), score());
}
