//! Whatever is appended, opened again and turned, the same is read back.

#![expect(clippy::unwrap_used, reason = "this is a test")]

mod support;

use holdfast_journal::{Input, Journal};
use proptest::prelude::*;
use support::{ToyEngine, at, everything, open};

/// What a hub does to its journal.
#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Rotate,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..40_u64).prop_map(Step::Append),
        1 => Just(Step::Rotate),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 0..25)
}

/// Opens, replays, and holds the replay to what was there before.
fn recover(folder: &std::path::Path, before: &ToyEngine, checkpoint_n: u64) -> (Journal, u64) {
    let (journal, recovered) = open(folder, at(0)).unwrap();
    let inputs: Vec<Input> = recovered.inputs.map(Result::unwrap).collect();
    let mut replayed = ToyEngine { seq: recovered.seq };
    replayed.replay(&inputs);
    assert_eq!(
        replayed.seq, before.seq,
        "the replay ends where the hub was"
    );
    assert_eq!(recovered.last_seq, before.seq);
    assert!(
        inputs
            .iter()
            .map(|input| input.n)
            .eq(checkpoint_n + 1..=checkpoint_n + inputs.len() as u64)
    );
    (journal, checkpoint_n + inputs.len() as u64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_appended_is_read_back(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let once = tempfile::tempdir().unwrap();
        let mut engine = ToyEngine::default();
        let (mut journal, _) = open(folder.path(), at(0)).unwrap();
        let (mut last_n, mut checkpoint_n) = (0, 0);
        for step in steps {
            match step {
                Step::Append(count) => {
                    journal.append(&engine.batch(last_n + 1..last_n + 1 + count)).unwrap();
                    last_n += count;
                }
                Step::Rotate => {
                    journal.rotate(b"state", engine.seq, at(0)).unwrap();
                    checkpoint_n = last_n;
                }
                Step::Reopen => {
                    drop(journal);
                    let replayed_n;
                    (journal, replayed_n) = recover(folder.path(), &engine, checkpoint_n);
                    prop_assert_eq!(replayed_n, last_n);
                }
            }
        }
        drop(journal);
        // One batch into one segment, never opened again, holds the same.
        let (mut journal, _) = open(once.path(), at(0)).unwrap();
        journal.append(&ToyEngine::default().batch(1..last_n + 1)).unwrap();
        drop(journal);
        prop_assert_eq!(everything(folder.path(), at(0)), everything(once.path(), at(0)));
    }
}
