//! Shared causes: which are shown, in which order, and the rows of one of them.

use holdfast_domain::{CauseDimension, CauseGroup, CauseId, CauseShape, CauseState, CauseTrait};

use super::*;

const HOUR_MS: i64 = 3_600_000;

fn cause(n: u32, state: CauseState, failing: u32) -> CauseGroup {
    CauseGroup {
        id: CauseId::new(format!("cause-{n}")),
        state,
        layer: Layer::Tts,
        traits: vec![CauseTrait {
            dimension: CauseDimension::Provider,
            value: "Vendor A".to_owned(),
        }],
        shape: CauseShape::Shared,
        sentence: "38 callers wait in silence: TTS fails with Vendor A".to_owned(),
        since: at(AHEAD_MS),
        updated_at: at(AHEAD_MS),
        failing,
        healthy: 1,
        exposed: failing + 1,
        waiting: failing,
        elsewhere_permille: 4,
        calls: vec![id(1)],
        evidence: Vec::new(),
    }
}

fn told(cause: CauseGroup) -> HubToConsole {
    HubToConsole::Record {
        seq: 2,
        record: Record::Cause {
            cause: Box::new(cause),
        },
    }
}

fn shown(frame: &Frame) -> Vec<String> {
    let causes = frame.causes.as_ref().expect("the section is sent");
    causes.iter().map(|cause| cause.id.to_string()).collect()
}

#[test]
fn causes_are_sent_when_one_changed_and_the_newest_version_of_each() {
    let mut replica = live(vec![call(1)]);
    replica.apply(told(cause(1, CauseState::Active, 5)), at(0));
    replica.apply(told(cause(1, CauseState::Active, 9)), at(0));
    let frame = replica.frame(&look(0), at(0));
    let causes = frame.causes.as_ref().expect("it is new");
    assert_eq!((causes.len(), causes[0].failing), (1, 9));
    let ack = frame.version;
    assert_eq!(replica.frame(&look(ack), at(0)).causes, None, "nothing new");
    replica.apply(told(cause(1, CauseState::Recovering, 2)), at(0));
    assert_eq!(shown(&replica.frame(&look(ack), at(0))), ["cause-1"]);
}

#[test]
fn what_is_active_and_hits_most_callers_comes_first() {
    let mut replica = live(vec![call(1)]);
    for cause in [
        cause(1, CauseState::Closed, 90),
        cause(2, CauseState::Active, 5),
        cause(3, CauseState::Recovering, 50),
        cause(4, CauseState::Active, 7),
    ] {
        replica.apply(told(cause), at(0));
    }
    assert_eq!(
        shown(&replica.frame(&look(0), at(0))),
        ["cause-4", "cause-2", "cause-3", "cause-1"]
    );
}

#[test]
fn a_cause_that_is_over_is_forgotten_after_an_hour_and_an_active_one_is_not() {
    let mut replica = live(vec![call(1)]);
    replica.apply(told(cause(1, CauseState::Closed, 0)), at(0));
    replica.apply(told(cause(2, CauseState::Active, 5)), at(0));
    replica.apply(beat(HOUR_MS), at(HOUR_MS));
    assert_eq!(
        shown(&replica.frame(&look(0), at(HOUR_MS))),
        ["cause-2", "cause-1"]
    );
    replica.apply(beat(HOUR_MS + 1), at(HOUR_MS + 1));
    assert_eq!(
        shown(&replica.frame(&look(0), at(HOUR_MS + 1))),
        ["cause-2"]
    );
}

#[test]
fn a_snapshot_replaces_the_causes() {
    let mut replica = live(vec![call(1)]);
    replica.apply(told(cause(1, CauseState::Active, 5)), at(0));
    let other = Record::Cause {
        cause: Box::new(cause(2, CauseState::Active, 5)),
    };
    replica.apply(snapshot(9, vec![call(1)], vec![other]), at(0));
    assert_eq!(shown(&replica.frame(&look(0), at(0))), ["cause-2"]);
}

#[test]
fn the_rows_of_a_cause_are_its_failing_calls() {
    let mut failing = call(2);
    failing.cause = Some(CauseId::new("cause-1"));
    let mut other = call(3);
    other.cause = Some(CauseId::new("cause-2"));
    let mut replica = live(vec![call(1), failing, other]);
    let mut request = look(0);
    request.filter.cause = Some(CauseId::new("cause-1"));
    assert_eq!(ids(&replica.frame(&request, at(0))), ["call-0002"]);
    request.filter.cause = None;
    assert_eq!(ids(&replica.frame(&request, at(0))).len(), 3);
}
