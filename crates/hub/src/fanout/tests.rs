use holdfast_domain::{ActId, Command, CommandId, CommandRecord, SourceId, Timestamp};
use proptest::prelude::*;

use super::*;

fn call(name: &str) -> CallId {
    CallId::new(name)
}

fn record(id: u64) -> Record {
    Record::Command {
        command: Box::new(CommandRecord {
            id: CommandId::new(id.to_string()),
            act: ActId::new("act"),
            call: None,
            source: SourceId::new("s"),
            command: Command::PauseAi,
            expect_active: None,
            actor: "ana".into(),
            issued_at: Timestamp::default(),
            expires_at: Timestamp::default(),
            progress: Vec::new(),
        }),
    }
}

/// What a console that reads on from `cursor` learns: changed calls, gone calls, record ids.
fn read_on(fanout: &Fanout, mut cursor: u64) -> Option<(Vec<String>, Vec<String>, Vec<String>)> {
    let (mut calls, mut left, mut records) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match fanout.after(cursor) {
            Next::UpToDate => return Some((calls, left, records)),
            Next::Reset => return None,
            Next::Item(seq, item) => {
                assert!(seq > cursor, "numbers only grow");
                cursor = seq;
                match item {
                    Item::Calls { changed, gone } => {
                        calls.extend(changed.iter().map(CallId::to_string));
                        left.extend(gone.iter().map(CallId::to_string));
                    }
                    Item::Record(record) => {
                        let Record::Command { command } = record.as_ref() else {
                            unreachable!("only commands are added here");
                        };
                        records.push(command.id.to_string());
                    }
                }
            }
        }
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_call_that_changes_often_is_told_once() {
    let mut fanout = Fanout::new(10, 10);
    for _ in 0..3 {
        fanout.mark(call("a"));
        fanout.mark(call("b"));
        fanout.tick();
    }
    fanout.mark(call("b"));
    fanout.tick();
    let all = read_on(&fanout, 0).unwrap();
    assert_eq!(all, (strings(&["a", "b"]), vec![], vec![]));
    let newest = read_on(&fanout, 3).unwrap();
    assert_eq!(newest, (strings(&["b"]), vec![], vec![]));
}

#[test]
fn records_are_all_told_in_their_order() {
    let mut fanout = Fanout::new(10, 10);
    for id in 0..5 {
        fanout.record(record(id % 2));
    }
    let (_, _, records) = read_on(&fanout, 1).unwrap();
    assert_eq!(records, ["1", "0", "1", "0"]);
}

#[test]
fn what_is_forgotten_makes_a_console_start_over() {
    let mut fanout = Fanout::new(2, 2);
    for id in 0..3 {
        fanout.record(record(id));
    }
    assert_eq!(read_on(&fanout, 0), None, "record 0 is forgotten");
    assert!(read_on(&fanout, 1).is_some());

    let head = fanout.head();
    for name in ["a", "b", "c"] {
        fanout.mark_gone(call(name));
        fanout.tick();
    }
    assert_eq!(read_on(&fanout, head), None, "that a left is forgotten");
    let (_, gone, _) = read_on(&fanout, head + 1).unwrap();
    assert_eq!(gone, ["b", "c"]);
}

#[test]
fn a_cursor_from_another_log_starts_over() {
    let fanout = Fanout::new(2, 2);
    assert_eq!(fanout.after(7), Next::Reset);
    assert_eq!(fanout.after(0), Next::UpToDate);
}

#[test]
fn after_a_new_beginning_everybody_starts_over() {
    let mut fanout = Fanout::new(2, 2);
    fanout.mark(call("a"));
    fanout.tick();
    fanout.record(record(1));
    fanout.mark(call("b"));
    let head = fanout.head();
    fanout.begin_anew();
    fanout.tick();
    assert_eq!(fanout.after(head), Next::Reset);
    assert_eq!(fanout.after(fanout.head()), Next::UpToDate);
}

#[test]
fn many_calls_at_once_get_numbers_of_their_own() {
    let mut fanout = Fanout::new(2, 2);
    for number in 0..=SNAPSHOT_CALLS_MAX {
        fanout.mark(call(&number.to_string()));
    }
    fanout.tick();
    assert_eq!(
        fanout.head(),
        2,
        "a link that breaks between the parts misses none"
    );
}

#[derive(Debug, Clone)]
enum Step {
    Mark(u8),
    Gone(u8),
    Record,
    Tick,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..20_u8).prop_map(Step::Mark),
        2 => (0..20_u8).prop_map(Step::Gone),
        1 => Just(Step::Record),
        3 => Just(Step::Tick),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    /// Wherever a console stops reading, it later learns every call that changed or left since,
    /// in its last state, and every record since; or it starts over. And the log stays bounded.
    #[test]
    fn nothing_is_missed(steps in steps(), stop in 0..200_usize) {
        let mut fanout = Fanout::new(5, 5);
        let mut cursor = 0;
        let mut since: BTreeMap<CallId, bool> = BTreeMap::new();
        let mut pending: BTreeMap<CallId, bool> = BTreeMap::new();
        let mut records = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            if place == stop {
                cursor = fanout.head();
                since.clear();
                records.clear();
            }
            match step {
                Step::Mark(name) => {
                    fanout.mark(call(&name.to_string()));
                    pending.insert(call(&name.to_string()), true);
                }
                Step::Gone(name) => {
                    fanout.mark_gone(call(&name.to_string()));
                    pending.insert(call(&name.to_string()), false);
                }
                Step::Record => {
                    fanout.record(record(place as u64));
                    records.push(place.to_string());
                }
                Step::Tick => {
                    fanout.tick();
                    since.append(&mut pending);
                }
            }
        }
        prop_assert!(fanout.log.len() <= 20 + 5, "one place a call, and the records");
        prop_assert!(fanout.gone.len() <= 5 || !pending.is_empty());
        if let Some((calls, gone, told)) = read_on(&fanout, cursor) {
            let mut learned: BTreeMap<CallId, bool> =
                calls.iter().map(|name| (call(name), true)).collect();
            learned.extend(gone.iter().map(|name| (call(name), false)));
            prop_assert_eq!(calls.len() + gone.len(), learned.len(), "each call once");
            prop_assert_eq!(learned, since);
            prop_assert_eq!(told, records);
        }
    }
}
