//! Live calls that fail together: which cause they share, and what can be done to them.

use holdfast_domain::fact::{Fact, Speaker, SwitchCause, ToolRef};
use holdfast_domain::{
    ActVerb, CauseDimension, CauseGroup, CauseReach, CauseShape, CauseState, Layer, Record, Rung,
    Service, Target, UtteranceRole,
};

use holdfast_engine::{Effect, Entry};

use crate::script::{Script, started};

/// A call's model and where it runs.
pub(crate) struct Place {
    pub(crate) provider: &'static str,
    pub(crate) region: &'static str,
    queue: &'static str,
}

const fn place(provider: &'static str, region: &'static str, queue: &'static str) -> Place {
    Place {
        provider,
        region,
        queue,
    }
}

/// Half of the calls are with Vendor A; vendors, regions and queues are no aliases of each other.
const PLACES: [Place; 8] = [
    place("Vendor A", "eu-west", "billing"),
    place("Vendor A", "us-east", "billing"),
    place("Vendor B", "eu-west", "billing"),
    place("Vendor B", "us-east", "billing"),
    place("Vendor A", "eu-west", "orders"),
    place("Vendor A", "us-east", "orders"),
    place("Vendor C", "eu-west", "orders"),
    place("Vendor C", "us-east", "orders"),
];

const CALLS: usize = 32;

fn id(n: usize) -> String {
    format!("c{n:02}")
}

fn of(n: usize) -> &'static Place {
    &PLACES[n % PLACES.len()]
}

fn served(layer: Layer, name: &str, rung: Rung, place: &Place) -> Service {
    Service {
        layer,
        name: name.to_owned(),
        provider: place.provider.to_owned(),
        model: format!("model of {}", place.provider),
        region: place.region.to_owned(),
        zone: String::new(),
        active: rung == Rung::Primary,
        usable: true,
        rung,
        lacks: Vec::new(),
    }
}

pub(crate) fn platform() -> Script {
    let mut script = Script::new();
    for n in 0..CALLS {
        let place = of(n);
        let mut told = started();
        told.queue = place.queue.into();
        told.services = vec![
            served(Layer::Asr, "primary-asr", Rung::Primary, place),
            served(Layer::Llm, "primary-llm", Rung::Primary, place),
            served(Layer::Llm, "backup-llm", Rung::Backup, place),
            served(Layer::Tts, "primary-tts", Rung::Primary, place),
        ];
        script.fact(&id(n), Fact::CallStarted(Box::new(told)));
    }
    script
}

/// Every call has a turn; it fails in the model where `fails` says so. Those come first and the
/// healthy ones after them, so that their work is of the same moment.
pub(crate) fn round(script: &mut Script, fails: impl Fn(usize, &Place) -> bool) {
    for n in (0..CALLS).filter(|n| fails(*n, of(*n))) {
        fail(script, &id(n));
    }
    for n in (0..CALLS).filter(|n| !fails(*n, of(*n))) {
        script.good_turn(&id(n));
        // The callers who wait are still there.
        if n % 8 == 7 {
            for n in (0..CALLS).filter(|n| fails(*n, of(*n))) {
                script.fact(&id(n), Fact::TurnStarted { turn: 1 });
            }
        }
    }
    script.wait(600);
}

fn fail(script: &mut Script, call: &str) {
    script.caller_says(call, "hello?");
    script.llm_starts(call, "primary-llm");
    script.error(call, Layer::Llm, "primary-llm", "http_503");
}

fn causes(script: &Script) -> Vec<CauseGroup> {
    let of_record = |record| match record {
        Record::Cause { cause } => Some(*cause),
        _ => None,
    };
    script
        .engine
        .records()
        .into_iter()
        .filter_map(of_record)
        .collect()
}

fn alive(script: &Script) -> Vec<CauseGroup> {
    let mut all = causes(script);
    all.retain(|cause| cause.state != CauseState::Closed);
    all
}

fn traits(cause: &CauseGroup) -> Vec<(CauseDimension, &str)> {
    cause
        .traits
        .iter()
        .map(|found| (found.dimension, found.value.as_str()))
        .collect()
}

#[test]
fn calls_that_fail_together_are_one_group_with_what_they_share() {
    let mut script = platform();
    let hit = |_: usize, place: &Place| place.provider == "Vendor A" && place.region == "eu-west";
    round(&mut script, |_, _| false);
    assert_eq!(causes(&script), []);
    round(&mut script, hit);

    let found = alive(&script);
    assert_eq!(found.len(), 1, "{found:#?}");
    let cause = &found[0];
    assert_eq!(cause.layer, Layer::Llm);
    assert_eq!(
        traits(cause),
        [
            (CauseDimension::Provider, "Vendor A"),
            (CauseDimension::Region, "eu-west")
        ]
    );
    assert_eq!((cause.failing, cause.exposed), (8, 8));
    assert_eq!(cause.elsewhere_permille, 0);
    assert!(
        cause
            .sentence
            .ends_with("LLM fails with Vendor A in eu-west"),
        "{}",
        cause.sentence
    );
    assert!(!cause.evidence.is_empty() && cause.evidence[0].text.contains("503"));
    for n in 0..CALLS {
        let row = script.summary(&id(n));
        assert_eq!(row.cause.is_some(), hit(n, of(n)), "{}", row.id);
    }
}

#[test]
fn a_big_vendor_is_not_blamed_for_a_queue() {
    let mut script = platform();
    round(&mut script, |_, place| place.queue == "orders");
    let found = alive(&script);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(traits(&found[0]), [(CauseDimension::Queue, "orders")]);
}

#[test]
fn two_causes_at_once_are_two_groups() {
    let mut script = platform();
    round(&mut script, |_, place| {
        place.provider == "Vendor C" || place.provider == "Vendor A" && place.region == "us-east"
    });
    round(&mut script, |_, place| {
        place.provider == "Vendor C" || place.provider == "Vendor A" && place.region == "us-east"
    });
    let found = alive(&script);
    let mut named: Vec<_> = found.iter().map(traits).collect();
    named.sort();
    assert_eq!(
        named,
        [
            vec![
                (CauseDimension::Provider, "Vendor A"),
                (CauseDimension::Region, "us-east")
            ],
            vec![(CauseDimension::Provider, "Vendor C")],
        ]
    );
}

#[test]
fn several_vendors_in_one_region_are_an_outage_of_the_region() {
    let mut script = platform();
    round(&mut script, |_, place| place.region == "us-east");
    let found = alive(&script);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].shape, CauseShape::RegionOutage);
    assert_eq!(found[0].layer, Layer::Infrastructure);
    assert_eq!(traits(&found[0]), [(CauseDimension::Region, "us-east")]);
}

#[test]
fn single_failures_share_no_cause() {
    let mut script = platform();
    round(&mut script, |n, _| n == 3 || n == 21);
    assert_eq!(causes(&script), []);
}

#[test]
fn a_group_recovers_and_closes_and_keeps_its_id_meanwhile() {
    let mut script = platform();
    let hit = |place: &Place| place.provider == "Vendor B";
    round(&mut script, |_, place| hit(place));
    let first = alive(&script);
    round(&mut script, |_, place| hit(place));
    let again = alive(&script);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].id, again[0].id);
    assert_eq!(first[0].since, again[0].since);
    round(&mut script, |_, _| false);
    script.wait(25_000);
    let closed = causes(&script);
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].state, CauseState::Closed);
    assert_eq!(closed[0].failing, 0);
    assert_eq!(script.summary(&id(2)).cause, None);
    script.check_replay();
}

#[test]
fn counts_that_change_right_after_they_were_told_are_told_a_second_later() {
    let mut script = platform();
    round(&mut script, |_, place| place.provider == "Vendor B");
    let told = |script: &Script| {
        let of_effect = |effect: &Effect| match effect {
            Effect::Append(Entry::Record(Record::Cause { cause })) => Some(cause.failing),
            _ => None,
        };
        script.effects.iter().rev().find_map(of_effect)
    };
    assert_eq!(told(&script), Some(8));
    // Each is seen by a look that comes too soon after the last word to be told by itself.
    script.end(&id(2));
    script.wait(300);
    script.end(&id(3));
    script.wait(300);
    script.wait(1_500);
    assert_eq!(told(&script), Some(6));
}

#[test]
fn a_switch_of_a_group_reaches_its_calls_and_no_other() {
    let mut script = platform();
    let hit = |_: usize, place: &Place| place.provider == "Vendor A" && place.region == "eu-west";
    round(&mut script, hit);
    let cause = alive(&script)[0].id.clone();
    let switch = ActVerb::SwitchModel {
        layer: Layer::Llm,
        to: None,
    };
    let target = Target::Cause {
        cause,
        reach: CauseReach::Failing,
    };
    let commands = script.act(switch, target);
    let mut touched: Vec<String> = commands
        .iter()
        .map(|command| script.command(command).call.unwrap().to_string())
        .collect();
    touched.sort();
    let expected: Vec<String> = (0..CALLS).filter(|n| hit(*n, of(*n))).map(id).collect();
    assert_eq!(touched, expected);
}

#[test]
fn a_call_whose_bridge_is_silent_is_neither_failing_nor_well() {
    let mut script = platform();
    round(&mut script, |_, place| place.provider == "Vendor B");
    assert_eq!(alive(&script).len(), 1);
    script.disconnect(crate::script::BRIDGE);
    script.wait(70_000);
    assert_eq!(alive(&script), []);
}

/// Vendor A's model fails and each platform moves to Vendor D's by itself.
fn failover(fail: impl Fn(&mut Script, &str)) -> Vec<CauseGroup> {
    let mut script = Script::new();
    for n in 0..12 {
        let place = of(n);
        let mut told = started();
        let backup = Place {
            provider: "Vendor D",
            region: place.region,
            queue: place.queue,
        };
        told.services = vec![
            served(Layer::Llm, "primary-llm", Rung::Primary, place),
            served(Layer::Llm, "backup-llm", Rung::Backup, &backup),
        ];
        script.fact(&id(n), Fact::CallStarted(Box::new(told)));
    }
    let (hit, well): (Vec<usize>, Vec<usize>) = (0..12).partition(|n| n % 4 < 2);
    for n in hit {
        script.caller_says(&id(n), "hello?");
        fail(&mut script, &id(n));
        // The new service answers: what comes later is not its silence.
        script.agent_starts(&id(n));
        script.agent_stops(&id(n));
    }
    // Turns of a second, so that all of it is of one moment.
    for n in well {
        script.caller_says(&id(n), "where is it?");
        script.llm_starts(&id(n), "primary-llm");
        script.llm_ends(&id(n), 40, 0);
        script.agent_starts(&id(n));
        script.agent_stops(&id(n));
    }
    script.wait(300);
    alive(&script)
}

fn is_of_vendor_a(found: &[CauseGroup]) {
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(traits(&found[0]), [(CauseDimension::Provider, "Vendor A")]);
}

#[test]
fn a_failover_is_blamed_on_the_service_that_failed() {
    is_of_vendor_a(&failover(|script, call| {
        script.switched(call, "primary-llm", "backup-llm", SwitchCause::Failover);
    }));
}

#[test]
fn an_error_after_its_failover_is_blamed_on_the_service_that_failed() {
    is_of_vendor_a(&failover(|script, call| {
        script.switched(call, "primary-llm", "backup-llm", SwitchCause::Recovery);
        script.error(call, Layer::Llm, "primary-llm", "http_503");
    }));
}

#[test]
fn a_failover_that_nobody_told_is_blamed_on_the_service_that_failed() {
    is_of_vendor_a(&failover(|script, call| {
        script.llm_starts(call, "backup-llm");
    }));
}

/// Each call uses both of its tools; those of calls that `fails` names fail in the first.
fn tools_round(script: &mut Script, tools: [&'static str; 2], fails: impl Fn(usize) -> bool) {
    for n in 0..CALLS {
        let call = id(n);
        script.caller_says(&call, "please look it up");
        for (place, tool) in tools.into_iter().enumerate() {
            script.llm_starts(&call, "primary-llm");
            script.llm_ends(&call, 0, 1);
            let tool = ToolRef {
                name: tool.into(),
                id: tool.into(),
            };
            let writes = false;
            let begins = Fact::ToolStarted {
                tool: tool.clone(),
                writes,
            };
            script.layer_fact(&call, Some(Layer::Tools), begins);
            let ends = if place == 0 && fails(n) {
                Fact::ToolFailed {
                    tool,
                    error_type: "timeout".into(),
                    message: "no answer".into(),
                }
            } else {
                Fact::ToolCompleted {
                    tool,
                    duration_ms: 10,
                    result: None,
                    effect: None,
                }
            };
            script.layer_fact(&call, Some(Layer::Tools), ends);
        }
        script.agent_answers(&call, "primary-llm", 300);
    }
    script.wait(600);
}

#[test]
fn a_tool_that_works_is_not_blamed_for_the_one_before_it() {
    let mut script = platform();
    tools_round(&mut script, ["crm.lookup", "orders.track"], |_| true);
    let found = alive(&script);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].layer, Layer::Tools);
    assert_eq!(traits(&found[0]), [(CauseDimension::Tool, "crm.lookup")]);
}

#[test]
fn what_is_left_of_a_cause_is_no_new_one() {
    let mut script = platform();
    round(&mut script, |_, place| place.provider == "Vendor A");
    let before = causes(&script).len();
    // Vendor A works again; the calls of one queue recover later than the others.
    for n in (0..CALLS).filter(|n| of(*n).queue == "billing") {
        script.good_turn(&id(n));
        script.wait(200);
    }
    script.wait(40_000);
    let found = causes(&script);
    assert_eq!(found.len(), before, "{found:#?}");
}

#[test]
fn new_calls_that_nothing_serves_are_a_want_of_machines() {
    let mut script = platform();
    for n in 0..60 {
        let call = format!("warm{n}");
        script.fact(&call, Fact::CallStarted(Box::new(started())));
        script.wait(400);
        script.agent_starts(&call);
        script.wait(100);
        script.agent_stops(&call);
        script.end(&call);
    }
    for n in 0..8 {
        script.fact(&format!("new{n}"), Fact::CallStarted(Box::new(started())));
        script.wait(100);
    }
    script.wait(3_000);
    let found = alive(&script);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].layer, Layer::Infrastructure);
    assert_eq!(found[0].shape, CauseShape::StarvedAutoscaling);
    assert!(
        found[0].sentence.contains("find no machine"),
        "{}",
        found[0].sentence
    );
}

/// Every call asks its model once, one `every_ms` after the other; those of Vendor A have their answer after
/// `wait_ms` of their place among them, the others after half a second.
fn asks(script: &mut Script, every_ms: i64, wait_ms: impl Fn(i64) -> i64) {
    let is_hit = |n: usize| of(n).provider == "Vendor A";
    let actor = Speaker::Caller;
    let mut steps = Vec::new();
    let (mut hit, mut well) = (0, 0);
    for n in 0..CALLS {
        script.fact(&id(n), Fact::SpeechStarted { actor });
        let place = if is_hit(n) { &mut hit } else { &mut well };
        let asked = 1_000 + *place * every_ms;
        let took = if is_hit(n) { wait_ms(*place) } else { 500 };
        *place += 1;
        steps.push((asked, n, false));
        steps.push((asked + took, n, true));
    }
    steps.sort_unstable();
    let mut now = 0;
    for (at, n, is_answered) in steps {
        script.wait(at - now);
        now = at;
        if is_answered {
            script.llm_ends(&id(n), 40, 0);
            script.agent_starts(&id(n));
        } else {
            script.fact(&id(n), Fact::SpeechStopped { actor });
            script.transcript(&id(n), UtteranceRole::Caller, "where is my order");
            script.llm_starts(&id(n), "primary-llm");
        }
    }
}

#[test]
fn a_wait_that_climbs_is_a_pool_that_is_too_small() {
    let mut script = platform();
    asks(&mut script, 700, |place| 4_500 + 900 * place);
    let found = alive(&script);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(traits(&found[0]), [(CauseDimension::Provider, "Vendor A")]);
    assert_eq!(found[0].shape, CauseShape::SaturatedPool);
    let sentence = &found[0].sentence;
    assert!(sentence.contains("waits longer and longer"), "{sentence}");
}

#[test]
fn work_that_is_late_and_comes_is_one_cause_until_a_turn_has_passed() {
    let mut script = platform();
    asks(&mut script, 20, |_| 4_600);
    script.wait(5_000);
    let found = alive(&script);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].shape, CauseShape::Shared, "it does not climb");
    assert_eq!(found[0].state, CauseState::Recovering);
    script.wait(20_000);
    assert_eq!(alive(&script), []);
}
