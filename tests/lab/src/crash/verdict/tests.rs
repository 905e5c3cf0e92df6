use holdfast_domain::{
    ActId, CallId, Command, Progress, ReadBack, RejectionKind, SourceId, Timestamp,
};

use super::*;

const REQUESTED: CommandState = CommandState::Requested;

fn applied() -> CommandState {
    CommandState::Applied {
        read_back: ReadBack::default(),
    }
}

fn rejected() -> CommandState {
    CommandState::Rejected {
        kind: RejectionKind::Busy,
        message: "busy".to_owned(),
    }
}

fn command(id: &str, states: &[CommandState]) -> CommandRecord {
    let progress = states.iter().map(|state| Progress {
        state: state.clone(),
        at: Timestamp::from_millis(1),
    });
    CommandRecord {
        id: CommandId::new(id),
        act: ActId::new("r-1"),
        call: Some(CallId::new("c-1")),
        source: SourceId::new("//bridges/sim/1"),
        command: Command::PauseAi,
        expect_active: None,
        actor: "carl".to_owned(),
        issued_at: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(2),
        progress: progress.collect(),
    }
}

fn told(commands: &[CommandRecord]) -> Told {
    let commands = commands.iter().cloned();
    Told {
        commands: commands.map(|known| (known.id.clone(), known)).collect(),
        ..Told::default()
    }
}

fn effects(times: &[(&str, u32)]) -> BTreeMap<CommandId, Effect> {
    let effects = times.iter().map(|(id, times)| {
        let effect = Effect {
            call: Some(CallId::new("c-1")),
            asked: 1,
            times: *times,
        };
        (CommandId::new(*id), effect)
    });
    effects.collect()
}

fn restarted(before: &Told, sent: &[&str], now: &Told) -> (BTreeSet<CommandId>, Faults) {
    let sent = sent.iter().map(|id| CommandId::new(*id)).collect();
    let mut faults = Faults::default();
    let unknown = after_restart(before, &sent, now, &mut faults);
    (unknown, faults)
}

#[test]
fn a_command_that_is_gone_or_shorter_was_lost() {
    let whole = told(&[command("a", &[REQUESTED, applied()])]);
    let (_, faults) = restarted(&whole, &["a"], &whole);
    assert!(faults.is_empty(), "{faults:?}");
    let (_, faults) = restarted(&whole, &[], &Told::default());
    assert_eq!(faults.lost.len(), 1, "told and gone: {faults:?}");
    let (_, faults) = restarted(&Told::default(), &["a"], &Told::default());
    assert_eq!(faults.lost.len(), 1, "sent and gone: {faults:?}");
    let shorter = told(&[command("a", &[REQUESTED, CommandState::Unknown])]);
    let (_, faults) = restarted(&whole, &["a"], &shorter);
    assert_eq!(faults.lost.len(), 1, "its outcome is gone: {faults:?}");
}

#[test]
fn whatever_has_no_outcome_is_listed_as_unknown() {
    let listed = told(&[command("a", &[REQUESTED, CommandState::Unknown])]);
    let (unknown, faults) = restarted(&Told::default(), &["a"], &listed);
    assert_eq!((unknown.len(), faults.is_empty()), (1, true), "{faults:?}");
    let claimed = told(&[command("a", &[REQUESTED, CommandState::Accepted])]);
    let (unknown, faults) = restarted(&Told::default(), &["a"], &claimed);
    assert_eq!((unknown.len(), faults.unlisted.len()), (0, 1), "{faults:?}");
}

#[test]
fn an_effect_twice_is_found_by_its_command_and_by_its_call() {
    let end = |told: &Told, times: &[(&str, u32)]| {
        let mut faults = Faults::default();
        at_the_end(told, &BTreeMap::new(), &effects(times), &mut faults);
        faults
    };
    let one = told(&[command("a", &[REQUESTED, applied()])]);
    assert!(end(&one, &[("a", 1)]).is_empty());
    assert_eq!(end(&one, &[("a", 2)]).doubled.len(), 1);
    // Another command that changes the same call in the same run.
    let two = told(&[
        command("a", &[REQUESTED, applied()]),
        command("b", &[REQUESTED, applied()]),
    ]);
    assert_eq!(end(&two, &[("a", 1), ("b", 1)]).doubled.len(), 1);
    assert_eq!(end(&Told::default(), &[("a", 1)]).lost.len(), 1);
}

#[test]
fn a_record_says_what_the_platform_did() {
    for (states, times, is_true) in [
        (vec![REQUESTED, applied()], 1, true),
        (vec![REQUESTED, applied()], 0, false),
        (vec![REQUESTED, rejected()], 0, true),
        (vec![REQUESTED, rejected()], 1, false),
        (vec![REQUESTED, CommandState::Expired], 1, false),
        (vec![REQUESTED, CommandState::Unknown], 0, false),
    ] {
        let told = told(&[command("a", &states)]);
        let mut faults = Faults::default();
        at_the_end(
            &told,
            &BTreeMap::new(),
            &effects(&[("a", times)]),
            &mut faults,
        );
        assert_eq!(faults.untrue.is_empty(), is_true, "{states:?} {times}");
    }
}
