//! A hub in small: what it hears becomes inputs, and the same inputs always become the same
//! decisions.

use std::path::Path;

use holdfast_domain::{
    ActId, CallId, Command, CommandId, CommandRecord, CommandState, Progress, ReadBack, Record,
    SourceId, Timestamp,
};
use holdfast_journal::{
    Batch, Entry, Input, Journal, NewInput, OpenError, Options, Position, Recovered, StoredRecord,
};

/// A moment of the test.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_795_514_400_000 + ms)
}

/// Opens with the defaults, and the epoch `first`.
pub(crate) fn open(folder: &Path, now: Timestamp) -> Result<(Journal, Recovered), OpenError> {
    Journal::open(folder, Options::new("first", now))
}

/// An input of one of three bridges.
pub(crate) fn input(number: u64) -> NewInput {
    NewInput {
        now: at(number as i64),
        source: (!number.is_multiple_of(4)).then(|| source(number)),
        payload: format!("{{\"number\":{number},\"text\":\"Grüße \\\"\\u0000\\\" 🦀\"}}"),
    }
}

pub(crate) fn source(number: u64) -> SourceId {
    SourceId::new(format!("//bridges/test/{}", number % 4))
}

/// A command that is final when `done`.
pub(crate) fn command(id: &str, done: bool) -> Record {
    let mut progress = vec![Progress {
        state: CommandState::Requested,
        at: at(0),
    }];
    if done {
        progress.push(Progress {
            state: CommandState::Proven {
                read_back: ReadBack::default(),
            },
            at: at(1),
        });
    }
    Record::Command {
        command: Box::new(CommandRecord {
            id: CommandId::new(id),
            act: ActId::new("act-1"),
            call: Some(CallId::new("call-1")),
            source: source(1),
            command: Command::RetryTurn,
            expect_active: None,
            actor: "ana".to_owned(),
            issued_at: at(0),
            expires_at: at(10_000),
            progress,
        }),
    }
}

/// What an engine would decide: every input is an entry, every third one a command, which is final
/// when its number is even.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToyEngine {
    pub(crate) seq: u64,
}

impl ToyEngine {
    pub(crate) fn handle(&mut self, n: u64, input: &NewInput, batch: &mut Batch) {
        self.seq += 1;
        batch.entries.push(Entry {
            seq: self.seq,
            at: input.now,
            call: n.is_multiple_of(2).then(|| CallId::new("call-1")),
            kind: "heard".to_owned(),
            json: format!("{{\"n\":{n},\"payload\":{:?}}}", input.payload.len()),
        });
        if n.is_multiple_of(3) {
            self.seq += 1;
            batch.records.push(StoredRecord {
                seq: self.seq,
                at: input.now,
                record: command(&format!("c-{}", n % 9), n.is_multiple_of(2)),
            });
        }
    }

    /// The batch that the inputs `numbers` become.
    pub(crate) fn batch(&mut self, numbers: std::ops::Range<u64>) -> Batch {
        let mut batch = Batch::default();
        for n in numbers {
            let input = input(n);
            self.handle(n, &input, &mut batch);
            if let Some(source) = &input.source {
                batch
                    .positions
                    .retain(|position| &position.source != source);
                batch.positions.push(Position {
                    source: source.clone(),
                    epoch: "e-1".to_owned(),
                    sequence: n,
                    at: input.now,
                });
            }
            batch.inputs.push(input);
        }
        batch
    }

    /// The decisions of a replay, from the numbers that a journal gave back.
    pub(crate) fn replay(&mut self, inputs: &[Input]) -> Batch {
        let mut batch = Batch::default();
        for input in inputs {
            let again = NewInput {
                now: input.now,
                source: input.source.clone(),
                payload: input.payload.clone(),
            };
            self.handle(input.n, &again, &mut batch);
        }
        batch
    }
}

/// Everything that can be read of a journal.
#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    pub(crate) inputs: Vec<Input>,
    pub(crate) records: Vec<StoredRecord>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) positions: Vec<Position>,
}

/// Reads all of a folder by opening it.
pub(crate) fn everything(folder: &Path, now: Timestamp) -> Everything {
    let (journal, recovered) = open(folder, now).expect("the folder opens");
    let reader = journal.reader().expect("the folder can be read");
    let all_inputs = reader
        .inputs_between(Timestamp::from_millis(0), at(i64::from(i32::MAX)))
        .expect("the segments can be listed");
    Everything {
        inputs: all_inputs
            .collect::<Result<_, _>>()
            .expect("the segments can be read"),
        records: reader
            .records_since(0, u32::MAX)
            .expect("records can be read"),
        entries: reader
            .entries_for_call(&CallId::new("call-1"), u32::MAX)
            .expect("entries can be read"),
        positions: recovered.positions,
    }
}
