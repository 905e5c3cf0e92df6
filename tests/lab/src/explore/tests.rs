//! Worlds of fixed seeds go well, reach what they are for, and a checker that sees wrong says so.

use std::collections::BTreeSet;

use holdfast_domain::fact::{EndedBy, Fact};
use holdfast_domain::{
    AnomalyKind, CallId, CallPhase, CallSummary, CommandState, EventId, Evidence, HandoffId,
    HandoffState, Layer, LayerState, Record, SignalKind, SourceId, Timestamp,
};
use holdfast_engine::{BridgeChange, Control, Effect, Entry, Input};

use super::*;
use crate::blind::check_seen;
use crate::model::{Feed, Live, Model};
use crate::records::Records;
use crate::rows::check_row;

fn with_all_habits(seed: u64) -> Plan {
    let mut plan = Plan::of_seed(seed);
    plan.steps = 1_200;
    plan.bridges = 2;
    plan.calls = 4;
    plan.habits = Habit::ALL.into_iter().collect();
    plan
}

/// What was reached in a world, in words.
fn reached(world: &World) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    for record in world.records.commands.values() {
        for progress in &record.progress {
            let state = match &progress.state {
                CommandState::Requested => "requested",
                CommandState::Accepted => "accepted",
                CommandState::Applied { .. } => "applied",
                CommandState::Proven { .. } => "proven",
                CommandState::Failed { .. } => "failed",
                CommandState::Rejected { .. } => "rejected",
                CommandState::Expired => "expired",
                CommandState::Unknown => "unknown",
            };
            reached.insert(format!("command {state}"));
        }
    }
    for handoff in world.records.handoffs.values() {
        let state = match &handoff.state {
            HandoffState::Confirmed { .. } => "confirmed",
            HandoffState::Failed { .. } => "failed",
            _ => "open",
        };
        reached.insert(format!("handoff {state}"));
    }
    for feed in world.model.feeds.values() {
        reached.extend(feed.anomalies.keys().map(|kind| format!("{kind:?}")));
    }
    for id in world.engine.call_ids() {
        let Some(detail) = world.engine.detail(id) else {
            continue;
        };
        let signals = detail.evidence.iter();
        reached.extend(signals.map(|(layer, evidence)| format!("{layer:?} {:?}", evidence.kind)));
    }
    reached
}

#[test]
fn a_world_with_an_irregular_bridge_goes_well() {
    let mut world = World::new(with_all_habits(57));
    let mut was_given_more = false;
    while world.steps < world.plan.steps {
        world.steps += 1;
        let outcome = world.step().and_then(|()| world.look());
        assert_eq!(outcome, Ok(()), "step {}", world.steps);
        was_given_more |= world.model.feeds.values().any(Feed::is_irregular);
    }
    assert!(was_given_more, "every bridge was regular");
}

#[test]
fn worlds_of_fixed_seeds_go_well_and_are_worth_living_in() {
    let mut all = BTreeSet::new();
    for seed in [0, 1, 2, 4, 5, 6, 8, 9, 17, 19, 20, 22] {
        let mut world = World::new(with_all_habits(seed));
        if let Err(found) = world.live() {
            panic!("seed {seed}, step {}: {}", world.steps, found.0);
        }
        all.extend(reached(&world));
    }
    for wanted in [
        "command proven",
        "command failed",
        "command rejected",
        "command expired",
        "command unknown",
        "handoff confirmed",
        "handoff failed",
        "Impossible",
        "UnknownCall",
        "UnknownCommand",
        "DuplicateSequence",
        "SequenceGap",
        "Malformed",
    ] {
        assert!(all.contains(wanted), "nobody reached {wanted:?}: {all:?}");
    }
}

#[test]
fn whole_hubs_of_fixed_seeds_keep_what_they_promised() {
    let (mut promised, mut runs) = (0, 0);
    for seed in [3, 7] {
        let mut plan = with_all_habits(seed);
        plan.steps = 2_000;
        let mut whole = Whole::new(plan).unwrap();
        if let Err(found) = whole.live() {
            panic!("seed {seed}, step {}: {}", whole.steps, found.0);
        }
        promised += whole.n_promised();
        runs += whole.n_runs();
    }
    assert!(promised > 0, "nobody was promised anything");
    assert!(runs > 2, "the power never went");
}

/// In this world what a bridge sends again, because something got lost, gets lost as well.
#[test]
fn a_hub_hears_a_bridge_again_after_what_it_asked_for_got_lost() {
    let mut plan = Plan::of_seed(471_762_939);
    plan.habits.remove(&Habit::Blind);
    let outcome = live(&plan);
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn a_world_is_the_same_again() {
    let ends = |seed| {
        let mut world = World::new(with_all_habits(seed));
        let outcome = world.live();
        (
            outcome,
            world.age_ms(),
            serde_json::to_string(&world.engine).unwrap(),
        )
    };
    assert_eq!(ends(1), ends(1));
    assert_ne!(ends(1), ends(2));
}

#[test]
fn a_whole_hub_is_the_same_again() {
    let ends = |seed| {
        let mut plan = with_all_habits(seed);
        plan.steps = 400;
        let mut whole = Whole::new(plan).unwrap();
        (whole.live(), whole.age_ms(), whole.state())
    };
    assert_eq!(ends(3), ends(3));
}

// === checkers that see wrong ===

fn transition(to: LayerState, events: &[&str]) -> Effect {
    let evidence = Evidence {
        kind: SignalKind::DeadAir,
        text: "silence".to_owned(),
        at: Timestamp::default(),
        events: events.iter().map(|id| EventId::new(*id)).collect(),
    };
    Effect::Append(Entry::Transition {
        call: CallId::new("c"),
        layer: Layer::Llm,
        from: LayerState::Unknown,
        to,
        evidence: (!events.is_empty()).then_some(evidence),
        at: Timestamp::default(),
    })
}

#[test]
fn an_alarm_needs_evidence_that_was_told() {
    let mut model = Model::default();
    model.events.insert("e1".to_owned(), "c".to_owned());
    model.events.insert("e2".to_owned(), "other".to_owned());
    let check = |effect: &Effect| Records::default().take(effect, &model);
    assert_eq!(check(&transition(LayerState::Failed, &["e1"])), Ok(()));
    assert!(check(&transition(LayerState::Failed, &[])).is_err());
    assert!(check(&transition(LayerState::Failed, &["never"])).is_err());
    assert!(check(&transition(LayerState::Failed, &["e2"])).is_err());
    assert!(check(&transition(LayerState::Failed, &["e1"; 5])).is_err());
    assert!(check(&transition(LayerState::Healthy, &["e1"])).is_err());
    assert!(check(&transition(LayerState::Unknown, &[])).is_err());
}

#[test]
fn an_alarm_by_a_time_that_nobody_saw_is_seen() {
    let at = Timestamp::from_millis;
    let alarm = transition(LayerState::Failed, &["e1"]);
    let mut model = Model::default();
    assert_eq!(check_seen(&alarm, &model), Ok(()));
    model.blind(at(-10));
    sees(check_seen(&alarm, &model), "nobody saw");
    model.sees(at(-500));
    sees(check_seen(&alarm, &model), "nobody saw");
    // One that dates from before it, and one that was raised once the hub could judge again.
    model.blind(at(0));
    assert_eq!(check_seen(&alarm, &model), Ok(()));
    let mut model = Model::default();
    model.blind(at(-2_000));
    model.sees(at(-1_000));
    assert_eq!(check_seen(&alarm, &model), Ok(()));
}

#[test]
fn a_bridge_that_may_be_silent_for_too_long_is_seen() {
    let mut world = quiet();
    world.model.pass(world.now + 30_000);
    sees(world.look(), "its feed is Stale");
}

/// Everything that a world wrote down and sent, in order.
fn effects_of_a_world() -> (World, Vec<Effect>) {
    let mut plan = with_all_habits(1);
    plan.habits = [Habit::People].into_iter().collect();
    let mut world = World::new(plan);
    world.live().unwrap();
    let commands = world.records.commands.values().cloned();
    let effects = commands.map(|mut command| {
        command.progress.truncate(1);
        let source = command.source.clone();
        let command = Box::new(command);
        Effect::Send { source, command }
    });
    let effects = effects.collect();
    (world, effects)
}

#[test]
fn a_command_leaves_after_it_was_written_down_and_to_somebody() {
    let (world, sends) = effects_of_a_world();
    let send = sends.first().expect("people acted");
    let Effect::Send { source, command } = send else {
        panic!("these are commands that leave");
    };
    let mut records = Records::default();
    assert!(
        records.take(send, &world.model).is_err(),
        "not written down"
    );
    records
        .commands
        .insert(command.id.clone(), (**command).clone());
    assert_eq!(records.take(send, &world.model), Ok(()));
    let mut model = world.model.clone();
    model.bridge(source, &BridgeChange::Disconnected, world.now);
    assert!(records.take(send, &model).is_err(), "sent to nobody");
}

#[test]
fn a_command_that_is_over_stays_so_and_is_asked_for() {
    let (world, sends) = effects_of_a_world();
    let Some(Effect::Send { command, .. }) = sends.first() else {
        panic!("people acted");
    };
    let mut records = Records::default();
    let append = |states: &[CommandState]| {
        let mut command = command.clone();
        let at = command.issued_at;
        let progress = states.iter().cloned();
        command.progress = progress
            .map(|state| holdfast_domain::Progress { state, at })
            .collect();
        Effect::Append(Entry::Record(Record::Command { command }))
    };
    let (requested, expired) = (CommandState::Requested, CommandState::Expired);
    records
        .commands
        .insert(command.id.clone(), (**command).clone());
    let over = append(&[requested.clone(), expired.clone()]);
    assert_eq!(records.take(&over, &world.model), Ok(()));
    let again = append(&[requested.clone(), expired, CommandState::Accepted]);
    assert!(records.take(&again, &world.model).is_err());
    let unasked = append(&[requested]);
    let unasked = Records::default().take(&unasked, &world.model);
    assert!(unasked.is_err(), "nobody asked for it");
}

/// A world in which nothing misbehaves, lived in for a while.
fn quiet() -> World {
    let mut plan = with_all_habits(1);
    plan.habits.clear();
    plan.steps = 600;
    let mut world = World::new(plan);
    world.live().unwrap();
    assert_eq!(world.look(), Ok(()));
    world
}

fn sees(outcome: Result<(), Wrong>, words: &str) {
    let Err(Wrong(seen)) = outcome else {
        panic!("nothing was seen, not even {words:?}");
    };
    assert!(seen.contains(words), "{seen}");
}

#[test]
fn a_call_that_is_lost_is_missed() {
    let mut world = quiet();
    let id = world.model.calls.keys().next().cloned().unwrap();
    let now = world.now;
    let fact = Fact::CallEnded {
        reason: "lost".into(),
        ended_by: EndedBy::Platform,
    };
    let (source, fact) = {
        let line = &mut world.lines[0];
        (line.source.clone(), line.place(Some(&id), now, fact, now))
    };
    // The engine hears that it ended, and nobody said so.
    let input = Input::Fact {
        source: &source,
        fact: &fact,
    };
    world.engine.handle(input, now);
    sees(world.look(), "live are");
}

#[test]
fn a_call_that_is_over_and_still_known_is_seen() {
    let mut world = quiet();
    let id = world.model.calls.keys().next().cloned().unwrap();
    world.model.calls.remove(&id);
    sees(world.look(), "live are");
}

#[test]
fn a_replay_that_ends_otherwise_is_seen() {
    let told_of_nothing = |world: &World| Control::Bridge {
        source: world.lines[0].source.clone(),
        change: BridgeChange::Anomaly {
            kind: AnomalyKind::Malformed,
            example: "said on purpose".to_owned(),
        },
    };
    let mut world = quiet();
    let control = told_of_nothing(&world);
    world.engine.handle(Input::Control(&control), world.now);
    sees(world.check_replay(), "another state");

    let mut world = quiet();
    let control = told_of_nothing(&world);
    world.told.push((world::Told::Control(control), world.now));
    sees(world.check_replay(), "another state");

    let mut world = quiet();
    while world.kept.is_empty() {
        world.step().unwrap();
    }
    let kept = world.kept.pop().unwrap();
    sees(world.check_replay(), "says something else");
    world.kept.extend([kept.clone(), kept]);
    sees(world.check_replay(), "does not say");
}

#[test]
fn a_row_that_cannot_be_is_seen() {
    let mut world = quiet();
    let of_healthy = |world: &World| {
        let rows = world.model.calls.iter();
        let rows = rows.map(|(id, live)| (world.engine.summary(id).unwrap(), live.clone()));
        let is_healthy = |row: &CallSummary| {
            let states = row.layers.iter().map(|(_, health)| health.state);
            states.into_iter().any(|state| state == LayerState::Healthy)
        };
        rows.into_iter().find(|(row, _)| is_healthy(row))
    };
    while of_healthy(&world).is_none() {
        world.step().unwrap();
    }
    let (row, live) = of_healthy(&world).unwrap();
    let now = world.engine.now();
    let check = |row: &CallSummary| check_row(row, &live, now, &world.model, &world.records);
    assert_eq!(check(&row), Ok(()));
    let spoil = |how: &dyn Fn(&mut CallSummary), words: &str| {
        let mut row = row.clone();
        how(&mut row);
        sees(check(&row), words);
    };
    spoil(&|row| row.phase = CallPhase::Ended, "is over");
    spoil(&|row| row.source = SourceId::new("other"), "another bridge");
    spoil(&|row| row.started_at = now + 1, "future");
    spoil(&|row| row.failed_turns = row.turns + 1, "failed turns");
    spoil(&|row| row.need.reason.push('!'), "for no reason");
    spoil(&|row| row.layers.0[0].since = now + 1, "future");
    let failed = LayerState::Failed;
    spoil(&|row| row.layers.0[0].state = failed, "cannot have");
    let never = HandoffId::new("never");
    spoil(&|row| row.handoff = Some(never.clone()), "handoff");

    let idle = Live {
        has_worked: false,
        ..live.clone()
    };
    let idle = check_row(&row, &idle, now, &world.model, &world.records);
    sees(idle, "cannot have");
    let unwritten = check_row(&row, &live, now, &world.model, &Records::default());
    sees(unwritten, "not written down");
    let mut lost = world.model.clone();
    lost.bridge(&live.source, &BridgeChange::Disconnected, now);
    let lost = check_row(&row, &live, now, &lost, &world.records);
    sees(lost, "while its feed is");
}
