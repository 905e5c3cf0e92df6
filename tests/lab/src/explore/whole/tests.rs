//! What is wrong with a whole hub is seen.

use holdfast_domain::{AnomalyKind, SourceId};
use holdfast_engine::{BridgeChange, Control, Input};

use super::*;

/// A whole hub with one bridge that was lived with for a while; nothing misbehaves.
fn quiet() -> Whole {
    let mut plan = Plan::of_seed(3);
    (plan.bridges, plan.calls) = (1, 3);
    plan.habits.clear();
    let mut whole = Whole::new(plan).unwrap();
    for _ in 0..300 {
        whole.step().unwrap();
    }
    whole.agree().unwrap();
    whole
}

fn sees<T: std::fmt::Debug>(outcome: Result<T, Wrong>, words: &str) {
    let Err(Wrong(seen)) = outcome else {
        panic!("nothing was seen, not even {words:?}");
    };
    assert!(seen.contains(words), "{seen}");
}

#[test]
fn a_call_that_the_hub_was_never_told_of_is_missed() {
    let mut whole = quiet();
    let ids = |whole: &Whole| -> BTreeSet<CallId> {
        whole.lines[0].platform.call_ids().cloned().collect()
    };
    let before = ids(&whole);
    let mut now = whole.now;
    while ids(&whole).is_subset(&before) {
        now = whole.lines[0].platform.next_wake().unwrap().max(now);
        drop(whole.lines[0].platform.advance(now));
    }
    let difference = whole.difference();
    assert!(
        difference.is_some_and(|words| words.starts_with("live are")),
        "a call is lost"
    );
}

#[test]
fn what_was_acknowledged_and_is_forgotten_is_missed() {
    let mut whole = quiet();
    whole.acked[0].1 += 1_000;
    whole.disconnect(0, 10).unwrap();
    let outcome = (0..200).try_for_each(|_| whole.step());
    sees(outcome, "was acknowledged");
}

#[test]
fn a_command_that_somebody_was_told_of_and_is_forgotten_is_missed() {
    let mut whole = quiet();
    whole.crash(false).unwrap();
    whole.promised.insert(CommandId::new("never written down"));
    sees(whole.crash(false), "is forgotten");
}

#[test]
fn a_replay_of_the_journal_that_ends_otherwise_is_seen() {
    let mut whole = quiet();
    let mut expected = whole.settled(0).unwrap();
    whole.crash(false).unwrap();
    assert_eq!(whole.check_replay(&expected), Ok(()));
    // One input that is not in the journal.
    let change = BridgeChange::Anomaly {
        kind: AnomalyKind::Malformed,
        example: "said on purpose".to_owned(),
    };
    let source = SourceId::new(whole.lines[0].source.as_str());
    let control = Control::Bridge { source, change };
    expected.handle(Input::Control(&control), whole.now);
    sees(whole.check_replay(&expected), "another state");
}

#[test]
fn a_gap_that_is_not_counted_is_seen() {
    let mut whole = quiet();
    assert_eq!(whole.check_told(), Ok(()));
    whole.orders[0].gaps += 1;
    sees(whole.check_told(), "counted are");
}

#[test]
fn what_a_bridge_never_said_and_is_counted_is_seen() {
    let mut whole = quiet();
    let peer = whole.peers[0].unwrap();
    whole.hub().unwrap().bridge_text(peer, "{}");
    sees(whole.check_told(), "told no nonsense");
}
