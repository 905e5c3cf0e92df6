//! Vendors and workers that beat, and stop.

use holdfast_domain::fact::{BeatOf, Fact, Speaker};
use holdfast_domain::{
    AnomalyKind, BlindReason, CauseDimension, CauseState, Layer, LayerState, NeedLevel, Record,
    Rung, SignalKind, Timestamp, UtteranceRole,
};

use holdfast_engine::Control;

use crate::script::{BRIDGE, Script, service, started};

const BEAT_MS: i64 = 250;

/// Vendors that beat, each by its region.
struct Vendors {
    script: Script,
    /// Their names, whether they beat, and when they beat next.
    all: Vec<(&'static str, bool, Timestamp)>,
    dice: u64,
    jitter_ms: i64,
}

impl Vendors {
    fn new(names: &[&'static str]) -> Self {
        let script = Script::new();
        let now = script.now();
        let all = names
            .iter()
            .zip(1..)
            .map(|(name, n)| (*name, true, now + 70 * n))
            .collect();
        Self {
            script,
            all,
            dice: 0x2545_F491_4F6C_DD1D,
            jitter_ms: 0,
        }
    }

    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }

    fn stop(&mut self, name: &str) {
        for (known, beats, _) in &mut self.all {
            *beats &= *known != name;
        }
    }

    /// The callers speak all at once, and the beats go on.
    fn caller_speaks(&mut self, calls: &[&str], ms: i64) {
        let actor = Speaker::Caller;
        for call in calls {
            self.script.fact(call, Fact::SpeechStarted { actor });
        }
        self.go_on(ms);
        for call in calls {
            self.script.fact(call, Fact::SpeechStopped { actor });
            let said = "I want to change my order please";
            self.script.transcript(call, UtteranceRole::Caller, said);
        }
    }

    /// Goes on, and beats at the time of each.
    fn go_on(&mut self, ms: i64) {
        let end = self.script.now() + ms;
        while let Some(at) = self.all.iter().map(|(.., at)| *at).min()
            && at <= end
        {
            self.script.wait(at.since(self.script.now()).max(0));
            for n in 0..self.all.len() {
                let (name, beats, next) = self.all[n];
                if next != at {
                    continue;
                }
                if beats {
                    beat(&mut self.script, name);
                }
                let jitter = if self.jitter_ms > 0 {
                    self.roll() as i64 % self.jitter_ms
                } else {
                    0
                };
                self.all[n].2 = at + BEAT_MS + jitter;
            }
        }
        self.script.wait(end.since(self.script.now()));
    }
}

fn beat(script: &mut Script, name: &'static str) {
    script.fact(
        "*",
        Fact::Beat {
            of: BeatOf::Provider,
            name: name.into(),
            region: Some("eu-west".into()),
            zone: None,
        },
    );
}

fn kind(script: &Script, call: &str, layer: Layer) -> Option<SignalKind> {
    script.layer(call, layer).evidence.map(|found| found.kind)
}

/// A call that vendor B serves.
fn other_call(script: &mut Script, call: &str) {
    let mut told = started();
    told.services = vec![service(Layer::Llm, "primary-llm", Rung::Primary, true)];
    "Vendor B".clone_into(&mut told.services[0].provider);
    script.fact(call, Fact::CallStarted(Box::new(told)));
}

#[test]
fn a_dead_vendor_is_told_within_a_second_and_its_return_at_its_first_beat() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    other_call(&mut vendors.script, "other");
    vendors.go_on(5_000);
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
    vendors.stop("Vendor A");
    let died = vendors.script.now();
    vendors.go_on(300);
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
    while kind(&vendors.script, "c", Layer::Llm).is_none() {
        vendors.go_on(10);
        assert!(vendors.script.now().since(died) < 1_000, "it is never told");
    }
    for layer in [Layer::Asr, Layer::Llm, Layer::Tts] {
        assert_eq!(
            kind(&vendors.script, "c", layer),
            Some(SignalKind::Liveness)
        );
        assert_eq!(vendors.script.state("c", layer), LayerState::Degraded);
    }
    let why = vendors.script.why("c", Layer::Llm);
    assert!(
        why.starts_with("the next answer is in danger: Vendor A in eu-west gave no sign of life"),
        "{why}"
    );
    assert!(why.ends_with("usual is one in 250 ms"), "{why}");
    assert_eq!(vendors.script.need("c").level, NeedLevel::Watch);
    assert_eq!(kind(&vendors.script, "other", Layer::Llm), None);
    assert_eq!(vendors.script.anomalies(AnomalyKind::UnknownCall), 0);

    beat(&mut vendors.script, "Vendor A");
    assert_eq!(vendors.script.state("c", Layer::Llm), LayerState::Unknown);
    assert_eq!(vendors.script.need("c").level, NeedLevel::Calm);
}

#[test]
fn a_caller_who_waits_on_a_dead_vendor_has_a_failed_layer() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.caller_speaks(&["c"], 1_000);
    vendors.script.llm_starts("c", "primary-llm");
    vendors.stop("Vendor A");
    vendors.go_on(900);
    assert_eq!(vendors.script.state("c", Layer::Llm), LayerState::Failed);
    let why = vendors.script.why("c", Layer::Llm);
    assert!(
        why.starts_with("the caller waits for an answer: Vendor A"),
        "{why}"
    );
    assert_eq!(vendors.script.state("c", Layer::Asr), LayerState::Degraded);
    assert_eq!(vendors.script.need("c").level, NeedLevel::Warn);
}

#[test]
fn work_proves_more_than_beats() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.script.call("idle");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    vendors.go_on(1_000);
    assert_eq!(
        kind(&vendors.script, "c", Layer::Llm),
        Some(SignalKind::Liveness)
    );
    vendors.script.good_turn("c");
    vendors.script.call("new");
    assert_eq!(vendors.script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(
        kind(&vendors.script, "idle", Layer::Llm),
        Some(SignalKind::Liveness)
    );
    assert_eq!(
        kind(&vendors.script, "new", Layer::Llm),
        Some(SignalKind::Liveness)
    );
}

#[test]
fn the_calls_of_a_dead_vendor_are_one_cause_at_once() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    let others = ["b0", "b1", "b2", "b3", "b4"];
    for (n, other) in others.into_iter().enumerate() {
        vendors.script.call(&format!("a{n}"));
        other_call(&mut vendors.script, other);
    }
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    vendors.caller_speaks(&others, 900);
    for other in others {
        vendors.script.llm_starts(other, "primary-llm");
        vendors.script.llm_ends(other, 40, 0);
        vendors.script.agent_starts(other);
    }
    vendors.go_on(600);
    let causes: Vec<_> = vendors
        .script
        .engine
        .records()
        .into_iter()
        .filter_map(|record| match record {
            Record::Cause { cause } if cause.layer == Layer::Llm => Some(cause),
            _ => None,
        })
        .collect();
    assert_eq!(causes.len(), 1, "{causes:#?}");
    assert_eq!(
        (causes[0].state, causes[0].failing),
        (CauseState::Active, 5)
    );
    let of = |one: &holdfast_domain::CauseTrait| one.dimension == CauseDimension::Provider;
    assert!(causes[0].traits.iter().any(of), "{:?}", causes[0].traits);
}

#[test]
fn jitter_and_single_lost_beats_are_nobodys_death() {
    for seed in 1..=20_u64 {
        let mut vendors = Vendors::new(&["Vendor A", "Vendor B", "Vendor C"]);
        vendors.dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        vendors.jitter_ms = 60;
        vendors.script.call("c");
        for n in 0..60 {
            // Each fourth second a beat of vendor A is lost.
            vendors.all[0].1 = n % 4 != 3;
            vendors.go_on(280);
            vendors.all[0].1 = true;
            vendors.go_on(720);
            vendors.script.fact("c", Fact::TurnStarted { turn: 1 });
            let found = kind(&vendors.script, "c", Layer::Llm);
            assert_eq!(found, None, "seed {seed}, second {n}");
        }
    }
}

#[test]
fn when_all_beats_stop_at_once_whoever_probes_has_stopped() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    vendors.stop("Vendor B");
    for _ in 0..20 {
        vendors.go_on(250);
        vendors.script.fact("c", Fact::TurnStarted { turn: 1 });
    }
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
    // B is back, and A is given its time to beat as well.
    vendors.all[1].1 = true;
    vendors.go_on(400);
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
    vendors.go_on(900);
    assert_eq!(
        kind(&vendors.script, "c", Layer::Llm),
        Some(SignalKind::Liveness)
    );
}

#[test]
fn what_a_bridge_held_up_is_nobodys_death() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    // The hub hears nothing for 2.5 s, then everything in its order.
    for (name, beats, next) in &mut vendors.all {
        let _ = name;
        *beats = true;
        *next = *next + 2_500;
    }
    vendors.script.wait_at_once(2_500);
    for late_ms in [2_250, 2_000, 1_750, 1_500, 1_250, 1_000, 750, 500, 250] {
        vendors.script.late_ms = late_ms;
        for name in ["Vendor A", "Vendor B"] {
            beat(&mut vendors.script, name);
            assert_eq!(
                kind(&vendors.script, "c", Layer::Llm),
                None,
                "{late_ms} ms late"
            );
        }
    }
    vendors.script.late_ms = 0;
    vendors.go_on(2_000);
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
}

#[test]
fn a_clock_that_is_set_is_nobodys_death() {
    for jump_ms in [-7_200_000, 3_000, 7_200_000] {
        let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
        vendors.script.call("c");
        vendors.go_on(5_000);
        // The bridge's clock; what it tells is late or early by so much from now on.
        vendors.script.late_ms = jump_ms;
        for _ in 0..20 {
            vendors.go_on(250);
            vendors.script.fact(
                "*",
                Fact::BridgeHeartbeat {
                    live_calls: 1,
                    buffered: 0,
                    unmapped: 0,
                },
            );
            let found = kind(&vendors.script, "c", Layer::Llm);
            assert_eq!(found, None, "{jump_ms} ms");
        }
    }
}

#[test]
fn one_that_beats_alone_is_missed_by_the_words_of_its_bridge() {
    let mut vendors = Vendors::new(&["Vendor A"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    for _ in 0..9 {
        vendors.go_on(100);
        vendors.script.fact("c", Fact::TurnStarted { turn: 1 });
    }
    assert_eq!(
        kind(&vendors.script, "c", Layer::Llm),
        Some(SignalKind::Liveness)
    );
}

#[test]
fn one_that_beats_alone_is_not_missed_by_a_bridge_that_slept() {
    let mut vendors = Vendors::new(&["Vendor A"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    vendors.script.mute(BRIDGE);
    vendors.script.wait_at_once(2_000);
    vendors.script.fact("c", Fact::TurnStarted { turn: 1 });
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
}

#[test]
fn a_new_process_of_a_bridge_knows_nobody_yet() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    vendors.go_on(1_000);
    assert_eq!(
        kind(&vendors.script, "c", Layer::Llm),
        Some(SignalKind::Liveness)
    );
    vendors.script.connect(BRIDGE, "epoch-2");
    vendors
        .script
        .fact("*", Fact::StreamSnapshot { calls: Vec::new() });
    vendors.script.fact("*", Fact::StreamCaughtUp);
    vendors.script.call("new");
    assert_eq!(kind(&vendors.script, "new", Layer::Llm), None);
    vendors.go_on(5_000);
    assert_eq!(kind(&vendors.script, "new", Layer::Llm), None);
}

#[test]
fn what_is_dead_for_long_is_gone_for_good() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    for _ in 0..32 {
        vendors.go_on(20_000);
        vendors.script.fact("c", Fact::TurnStarted { turn: 1 });
    }
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
}

#[test]
fn a_dead_worker_is_the_infrastructure_of_its_calls() {
    let mut script = Script::new();
    for (call, worker) in [("a", "w1"), ("b", "w2")] {
        let mut told = started();
        told.worker = Some(worker.into());
        script.fact(call, Fact::CallStarted(Box::new(told)));
    }
    let beat = |script: &mut Script, name: &'static str| {
        script.fact(
            "*",
            Fact::Beat {
                of: BeatOf::Worker,
                name: name.into(),
                region: None,
                zone: None,
            },
        );
    };
    for n in 0..30 {
        if n < 24 {
            beat(&mut script, "w1");
        }
        beat(&mut script, "w2");
        script.wait(250);
    }
    assert_eq!(
        kind(&script, "a", Layer::Infrastructure),
        Some(SignalKind::Liveness)
    );
    assert!(
        script
            .why("a", Layer::Infrastructure)
            .contains("worker w1 gave no sign of life")
    );
    assert_eq!(kind(&script, "b", Layer::Infrastructure), None);
}

#[test]
fn a_beat_that_is_told_late_makes_nobody_older() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_080);
    vendors.script.late_ms = 400;
    beat(&mut vendors.script, "Vendor A");
    vendors.script.late_ms = 0;
    // A single one is lost.
    vendors.all[0].1 = false;
    vendors.go_on(300);
    vendors.all[0].1 = true;
    for _ in 0..10 {
        assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
        vendors.go_on(50);
    }
}

#[test]
fn two_that_stop_at_once_are_not_missed_because_one_of_another_bridge_is() {
    const OTHER: &str = "//bridges/test/2";
    let mut script = Script::new();
    script.connect(OTHER, "epoch-1");
    let mut told = started();
    told.services.truncate(2);
    script.fact_from(OTHER, "c", None, Fact::CallStarted(Box::new(told)));
    let beat_from = |script: &mut Script, source: &str, name: &'static str| {
        let fact = Fact::Beat {
            of: BeatOf::Provider,
            name: name.into(),
            region: None,
            zone: None,
        };
        script.fact_from(source, "*", None, fact);
    };
    for n in 0..28 {
        if n < 20 {
            beat_from(&mut script, BRIDGE, "Vendor C");
            beat_from(&mut script, OTHER, "Vendor A");
            beat_from(&mut script, OTHER, "Vendor B");
        }
        script.wait(250);
        script.fact_from(OTHER, "c", None, Fact::TurnStarted { turn: 1 });
        assert_eq!(kind(&script, "c", Layer::Asr), None, "{n}");
    }
}

#[test]
fn nobody_is_dead_while_the_hub_cannot_see() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    vendors.script.blind(BlindReason::OwnLag);
    vendors.go_on(3_000);
    vendors.script.control(Control::Sees);
    vendors.go_on(900);
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
    vendors.go_on(1_500);
    assert_eq!(
        kind(&vendors.script, "c", Layer::Llm),
        Some(SignalKind::Liveness)
    );
}

#[test]
fn a_vendor_whose_speech_is_dead_may_have_a_living_model() {
    let mut script = Script::new();
    script.call("c");
    for n in 0..26 {
        for layer in [Layer::Llm, Layer::Tts] {
            let fact = Fact::Beat {
                of: BeatOf::Provider,
                name: "Vendor A".into(),
                region: Some("eu-west".into()),
                zone: None,
            };
            if layer == Layer::Llm || n < 22 {
                script.layer_fact("*", Some(layer), fact);
            }
            script.wait(125);
        }
    }
    assert_eq!(kind(&script, "c", Layer::Tts), Some(SignalKind::Liveness));
    let why = script.why("c", Layer::Tts);
    assert!(
        why.contains("TTS of Vendor A in eu-west gave no sign"),
        "{why}"
    );
    assert_eq!(kind(&script, "c", Layer::Llm), None);
    assert_eq!(kind(&script, "c", Layer::Asr), None);
}

#[test]
fn a_beat_that_was_held_up_on_its_way_is_no_witness_of_later_moments() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    // One beat of vendor A is lost, and the one of vendor B before its next is held up.
    vendors.all[0].1 = false;
    vendors.go_on(250);
    vendors.all[0].1 = true;
    vendors.all[1].1 = false;
    vendors.go_on(160);
    vendors.script.wait(600);
    vendors.script.apart_ms = 600;
    beat(&mut vendors.script, "Vendor B");
    assert_eq!(kind(&vendors.script, "c", Layer::Llm), None);
}

#[test]
fn a_beat_that_was_held_up_gives_the_dead_no_more_time() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B", "Vendor C"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    vendors.all[1].1 = false;
    vendors.go_on(250);
    vendors.script.apart_ms = 200;
    vendors.go_on(300);
    // It beat in time, and the bridge sees it late.
    vendors.script.apart_ms = 500;
    beat(&mut vendors.script, "Vendor B");
    vendors.script.apart_ms = 0;
    vendors.go_on(350);
    assert_eq!(
        kind(&vendors.script, "c", Layer::Llm),
        Some(SignalKind::Liveness)
    );
}

#[test]
fn one_that_beats_more_slowly_from_now_on_is_alive_once_that_is_known() {
    let mut vendors = Vendors::new(&["Vendor A", "Vendor B"]);
    vendors.script.call("c");
    vendors.go_on(5_000);
    vendors.stop("Vendor A");
    let mut deaths = 0;
    for n in 0..30 {
        vendors.go_on(1_900);
        let is_dead = kind(&vendors.script, "c", Layer::Llm) == Some(SignalKind::Liveness);
        deaths += usize::from(is_dead);
        assert!(n < 15 || !is_dead, "beat {n}");
        beat(&mut vendors.script, "Vendor A");
    }
    assert!((1..=5).contains(&deaths), "{deaths}");
}
