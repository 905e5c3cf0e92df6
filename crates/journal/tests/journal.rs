//! What is appended is there after the next opening, once, in order.

#![expect(clippy::unwrap_used, reason = "this is a test")]

mod support;

use std::fs;
use std::path::Path;

use holdfast_domain::{CallId, Record, Timestamp};
use holdfast_journal::{
    AppendError, Batch, Input, Journal, OpenError, Options, ReadError, RecordKind,
};
use support::{ToyEngine, at, everything, open};

fn numbers(inputs: impl IntoIterator<Item = Result<Input, ReadError>>) -> Vec<u64> {
    inputs.into_iter().map(|input| input.unwrap().n).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".sqlite"))
        .collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path, which: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if which(&entry.file_name().into_string().unwrap()) {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_new_folder_is_empty_and_keeps_its_first_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/inside");
    let (journal, recovered) = open(&path, at(0)).unwrap();
    assert_eq!(recovered.epoch, "first");
    assert_eq!((recovered.seq, recovered.last_seq), (0, 0));
    assert_eq!(recovered.checkpoint, None);
    assert_eq!(numbers(recovered.inputs), [0; 0]);
    drop(journal);
    let (_journal, recovered) = Journal::open(&path, Options::new("second", at(1))).unwrap();
    assert_eq!(recovered.epoch, "first");
}

#[test]
fn a_replay_gives_inputs_in_the_order_in_which_they_were_appended() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    let mut expected = Vec::new();
    // More than one page of the reader.
    for start in (1..20_000).step_by(1_000) {
        let batch = engine.batch(start..start + 1_000);
        journal.append(&batch).unwrap();
        expected.extend(batch.inputs);
    }
    drop(journal);
    let (_journal, recovered) = open(folder.path(), at(30_000)).unwrap();
    assert_eq!(recovered.last_seq, engine.seq);
    let inputs: Vec<Input> = recovered.inputs.map(Result::unwrap).collect();
    assert_eq!(inputs.len(), expected.len());
    for (n, (input, expected)) in (1..).zip(inputs.iter().zip(&expected)) {
        assert_eq!(input.n, n);
        assert_eq!(
            (&input.now, &input.source, &input.payload),
            (&expected.now, &expected.source, &expected.payload)
        );
    }
}

#[test]
fn an_empty_batch_and_a_batch_of_decisions_only_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    journal.append(&Batch::default()).unwrap();
    let mut batch = ToyEngine::default().batch(1..4);
    batch.inputs.clear();
    batch.positions.clear();
    journal.append(&batch).unwrap();
    drop(journal);
    let all = everything(folder.path(), at(1));
    assert!(all.inputs.is_empty() && all.positions.is_empty());
    assert_eq!((all.records.len(), all.entries.len()), (1, 1));
}

#[test]
fn a_record_is_kept_as_it_is_now_whatever_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut version = |seq, done| {
        let record = holdfast_journal::StoredRecord {
            seq,
            at: at(seq as i64),
            record: support::command("c-1", done),
        };
        let batch = Batch {
            records: vec![record.clone()],
            ..Batch::default()
        };
        journal.append(&batch).unwrap();
        record
    };
    let first = version(5, false);
    let second = version(9, true);
    let repeated = version(5, false);
    assert_eq!(first, repeated);
    let reader = journal.reader().unwrap();
    let find = |kind| reader.record(kind, "c-1").unwrap();
    assert_eq!(find(RecordKind::Command), Some(second.clone()));
    assert_eq!(find(RecordKind::Handoff), None);
    assert_eq!(reader.records_since(8, 10).unwrap(), [second]);
    assert_eq!(reader.records_since(9, 10).unwrap(), []);
}

#[test]
fn open_and_recent_records_are_live_and_old_final_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let record = |seq, ms, id, done| holdfast_journal::StoredRecord {
        seq,
        at: at(ms),
        record: support::command(id, done),
    };
    let hour = 60 * 60 * 1_000;
    let batch = Batch {
        records: vec![
            record(1, 0, "old and open", false),
            record(2, 0, "old and final", true),
            record(3, 10, "recent and final", true),
        ],
        ..Batch::default()
    };
    journal.append(&batch).unwrap();
    drop(journal);
    let (_journal, recovered) = open(folder.path(), at(hour + 5)).unwrap();
    let ids: Vec<&str> = recovered
        .records
        .iter()
        .map(|stored| match &stored.record {
            Record::Command { command } => command.id.as_str(),
            Record::Handoff { handoff } => handoff.id.as_str(),
            Record::Cause { cause } => cause.id.as_str(),
            Record::Run { run } => run.id.as_str(),
            Record::Lever { .. } => "lever",
        })
        .collect();
    assert_eq!(ids, ["old and open", "recent and final"]);
}

#[test]
fn a_crash_between_the_two_files_is_repaired_by_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    journal.append(&engine.batch(1..50)).unwrap();
    let before = engine.seq;
    copy(folder.path(), crashed.path(), |name| {
        name.starts_with("holdfast.sqlite")
    });
    // The second batch reaches the segment of the crashed hub, but not its decisions.
    journal.append(&engine.batch(50..90)).unwrap();
    copy(folder.path(), crashed.path(), |name| {
        name.starts_with("inputs-")
    });
    drop(journal);

    let (mut journal, recovered) = open(crashed.path(), at(100)).unwrap();
    assert_eq!(recovered.last_seq, before);
    let inputs: Vec<Input> = recovered.inputs.map(Result::unwrap).collect();
    assert_eq!(inputs.len(), 89, "the inputs of the torn batch are there");
    let mut engine = ToyEngine { seq: recovered.seq };
    let replayed = engine.replay(&inputs);
    // A careless hub appends everything again.
    journal.append(&replayed).unwrap();
    drop(journal);
    assert_eq!(
        everything(crashed.path(), at(200)),
        everything(folder.path(), at(200)),
    );
}

#[test]
fn a_torn_write_ahead_log_loses_whole_batches_from_the_end_only() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    for start in [1, 11, 21, 31] {
        journal.append(&engine.batch(start..start + 10)).unwrap();
    }
    let log = "inputs-000001.sqlite-wal";
    let whole = fs::read(folder.path().join(log)).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for part in 0..=20 {
        let crashed = tempfile::tempdir().unwrap();
        copy(folder.path(), crashed.path(), |name| {
            name.contains("inputs")
        });
        let keep = whole.len() * part / 20;
        fs::write(crashed.path().join(log), &whole[..keep]).unwrap();
        // The index of the log is rebuilt after a crash of the machine.
        fs::remove_file(crashed.path().join("inputs-000001.sqlite-shm")).unwrap();
        let (_journal, recovered) = open(crashed.path(), at(100)).unwrap();
        let inputs = numbers(recovered.inputs);
        assert_eq!(inputs.len() % 10, 0, "a batch is there or is not");
        assert!(inputs.iter().copied().eq(1..=inputs.len() as u64));
        seen.insert(inputs.len());
    }
    assert!(seen.len() > 2, "{seen:?}: the cuts fell between batches");
}

#[test]
fn a_new_segment_goes_on_from_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    journal.append(&engine.batch(1..11)).unwrap();
    let seq = engine.seq;
    journal.rotate(b"state after ten", seq, at(10)).unwrap();
    journal.append(&engine.batch(11..16)).unwrap();
    drop(journal);

    let (journal, recovered) = open(folder.path(), at(20)).unwrap();
    let checkpoint = recovered.checkpoint.unwrap();
    assert_eq!(checkpoint.state, b"state after ten");
    assert_eq!(checkpoint.at, at(10));
    assert_eq!(recovered.seq, seq);
    assert_eq!(numbers(recovered.inputs), [11, 12, 13, 14, 15]);
    let sequences: Vec<u64> = recovered.positions.iter().map(|p| p.sequence).collect();
    assert_eq!(
        sequences,
        [13, 14, 15],
        "positions go on in the new segment"
    );
    let reader = journal.reader().unwrap();
    let between = |from, to| numbers(reader.inputs_between(at(from), at(to)).unwrap());
    assert_eq!(between(8, 13), [8, 9, 10, 11, 12], "over both segments");
    assert_eq!(between(100, 200), [0; 0]);
}

#[test]
fn a_segment_that_is_done_leaves_nothing_in_its_log_although_somebody_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    journal.append(&engine.batch(1..11)).unwrap();
    let reader = rusqlite::Connection::open(folder.path().join("inputs-000001.sqlite")).unwrap();
    let read: i64 = reader
        .query_row("SELECT count(*) FROM inputs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(read, 10);
    let log = folder.path().join("inputs-000001.sqlite-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    let seq = engine.seq;
    journal.rotate(b"state after ten", seq, at(10)).unwrap();
    assert_eq!(fs::metadata(&log).unwrap().len(), 0);
}

#[test]
fn a_segment_whose_creation_was_interrupted_is_no_segment() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    journal.append(&ToyEngine::default().batch(1..4)).unwrap();
    drop(journal);
    // A file that was created, and nothing more.
    fs::write(folder.path().join("inputs-000002.sqlite"), b"").unwrap();
    let (mut journal, recovered) = open(folder.path(), at(5)).unwrap();
    assert_eq!(numbers(recovered.inputs), [1, 2, 3]);
    journal.rotate(b"state", 4, at(6)).unwrap();
    assert_eq!(
        files(folder.path()),
        [
            "holdfast.sqlite",
            "inputs-000001.sqlite",
            "inputs-000002.sqlite"
        ]
    );
}

#[test]
fn the_ring_turns_by_time_and_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        segment_ms: 100,
        segment_bytes: 10_000,
        ..Options::new("first", at(0))
    };
    let (mut journal, _) = Journal::open(folder.path(), options).unwrap();
    assert!(!journal.needs_rotation(at(99)));
    assert!(journal.needs_rotation(at(100)));
    journal.append(&ToyEngine::default().batch(1..100)).unwrap();
    assert!(journal.needs_rotation(at(1)), "by its size");
    journal.rotate(b"", 1, at(1)).unwrap();
    assert!(!journal.needs_rotation(at(1)));
}

#[test]
fn old_inputs_go_as_whole_files_and_the_newest_checkpoint_stays() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        keep_ms: 250,
        ..Options::new("first", at(0))
    };
    let (mut journal, _) = Journal::open(folder.path(), options.clone()).unwrap();
    let mut engine = ToyEngine::default();
    for turn in 1..=5_u64 {
        journal
            .append(&engine.batch(turn * 10..turn * 10 + 10))
            .unwrap();
        journal
            .rotate(b"state", engine.seq, at(turn as i64 * 100))
            .unwrap();
    }
    // At 500 the segments that ended at 100 and 200 are older than 250 ms.
    let left = [
        "holdfast.sqlite",
        "inputs-000003.sqlite",
        "inputs-000004.sqlite",
        "inputs-000005.sqlite",
        "inputs-000006.sqlite",
    ];
    assert_eq!(files(folder.path()), left);
    // However old it is, the newest segment stays, and the one that only now ended.
    journal
        .rotate(b"latest", engine.seq, at(9_000_000))
        .unwrap();
    assert_eq!(
        files(folder.path()),
        [
            "holdfast.sqlite",
            "inputs-000006.sqlite",
            "inputs-000007.sqlite"
        ]
    );
    drop(journal);
    let (journal, recovered) = Journal::open(folder.path(), options).unwrap();
    assert_eq!(recovered.checkpoint.unwrap().state, b"latest");
    let reader = journal.reader().unwrap();
    let entries = reader
        .entries_for_call(&CallId::new("call-1"), u32::MAX)
        .unwrap();
    assert_eq!(entries.len(), 25, "decisions are not part of the ring");
    let of_hub = reader.entries_of_hub(u32::MAX).unwrap();
    assert_eq!(of_hub.len(), 25);
    assert!(of_hub.is_sorted_by(|newer, older| newer.seq > older.seq));
    assert_eq!(reader.entries_of_hub(1).unwrap(), of_hub[..1]);
}

#[test]
fn too_many_bytes_shorten_the_past() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        keep_bytes: 100_000,
        ..Options::new("first", at(0))
    };
    let (mut journal, _) = Journal::open(folder.path(), options).unwrap();
    let mut engine = ToyEngine::default();
    for turn in 0..10_u64 {
        journal
            .append(&engine.batch(turn * 300 + 1..turn * 300 + 301))
            .unwrap();
        journal
            .rotate(b"state", engine.seq, at(turn as i64 + 1))
            .unwrap();
    }
    let bytes: u64 = files(folder.path())
        .iter()
        .filter(|name| name.starts_with("inputs-"))
        .map(|name| fs::metadata(folder.path().join(name)).unwrap().len())
        .sum();
    assert!(bytes <= 150_000, "{bytes} bytes");
    assert!(files(folder.path()).len() > 2, "not everything is gone");
}

#[test]
fn bridges_that_are_gone_for_long_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        keep_ms: 1_000,
        ..Options::new("first", at(0))
    };
    let (mut journal, _) = Journal::open(folder.path(), options).unwrap();
    let mut engine = ToyEngine::default();
    journal.append(&engine.batch(1..2)).unwrap();
    journal.append(&engine.batch(900..903)).unwrap();
    journal.rotate(b"state", engine.seq, at(1_500)).unwrap();
    drop(journal);
    let sequences: Vec<u64> = everything(folder.path(), at(1_500))
        .positions
        .iter()
        .map(|position| position.sequence)
        .collect();
    assert_eq!(sequences, [901, 902]);
}

#[test]
fn after_a_segment_was_moved_away_the_sequence_goes_on_above_the_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    journal.append(&engine.batch(1..10)).unwrap();
    drop(journal);
    for name in files(folder.path()) {
        if name.starts_with("inputs-") {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
    let (_journal, recovered) = open(folder.path(), at(20)).unwrap();
    assert_eq!(recovered.seq, engine.seq);
    assert_eq!(recovered.last_seq, engine.seq);
    assert_eq!(numbers(recovered.inputs), [0; 0]);
}

#[test]
fn two_hubs_cannot_have_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path(), at(0)).unwrap();
    let error = open(folder.path(), at(0)).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    drop(journal);
    open(folder.path(), at(0)).unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub");
    let (mut journal, _) = open(&path, at(0)).unwrap();
    journal.append(&ToyEngine::default().batch(1..4)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let mut n_files = 0;
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        n_files += 1;
    }
    assert_eq!(n_files, 7, "a lock, and two databases with their logs");
}

#[test]
fn a_file_of_a_newer_program_is_refused() {
    for (name, knows) in [("holdfast.sqlite", 2), ("inputs-000001.sqlite", 1)] {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), at(0)).unwrap());
        let newer = rusqlite::Connection::open(folder.path().join(name)).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        drop(newer);
        let error = open(folder.path(), at(0)).unwrap_err();
        assert!(
            matches!(
                error,
                OpenError::Newer {
                    found: 99,
                    known,
                    ..
                } if known == knows
            ),
            "{error}"
        );
        assert!(error.to_string().contains("start the newer program"));
    }
}

#[test]
fn a_damaged_file_is_named_with_what_to_do() {
    for (name, consequence) in [
        ("holdfast.sqlite", "the history of commands and handoffs"),
        ("inputs-000001.sqlite", "an older checkpoint"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), at(0)).unwrap());
        fs::write(folder.path().join(name), [b'x'; 8_192]).unwrap();
        let error = open(folder.path(), at(0)).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
        let words = error.to_string();
        assert!(
            words.contains(name) && words.contains(consequence),
            "{words}"
        );
        assert!(words.contains("restore it from a backup"), "{words}");
    }
}

#[test]
fn damage_in_the_middle_of_a_segment_ends_the_replay_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    journal.append(&engine.batch(1..8_000)).unwrap();
    drop(journal);
    let file = folder.path().join("inputs-000001.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 65_536].fill(0xAB);
    fs::write(&file, bytes).unwrap();
    let (_journal, recovered) = open(folder.path(), at(0)).unwrap();
    let mut replay = recovered.inputs;
    let error = replay.find_map(Result::err).unwrap();
    assert!(matches!(error, ReadError::Damaged { .. }), "{error}");
    assert!(replay.next().is_none(), "nothing comes after an error");
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    fs::write(&file, b"").unwrap();
    let error = open(&file, at(0)).unwrap_err();
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
}

#[test]
fn a_batch_that_cannot_be_written_leaves_nothing_and_can_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    let batch = engine.batch(1..10);
    // A trigger stands for a disk that fails at the last row.
    let other = rusqlite::Connection::open(folder.path().join("inputs-000001.sqlite")).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER fails BEFORE INSERT ON positions
             BEGIN SELECT raise(ABORT, 'no more'); END;",
        )
        .unwrap();
    let error = journal.append(&batch).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("nothing of the batch was written")
    );
    other.execute_batch("DROP TRIGGER fails;").unwrap();
    drop(other);
    journal.append(&batch).unwrap();
    drop(journal);
    let all = everything(folder.path(), at(1));
    assert!(all.inputs.iter().map(|input| input.n).eq(1..10));
    assert_eq!(all.records.len(), 3);
    assert_eq!(all.entries.len(), 4);
}

#[test]
fn a_batch_that_is_torn_stops_the_journal_until_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut engine = ToyEngine::default();
    // A constraint that is checked at the commit stands for a disk that fails there.
    let other = rusqlite::Connection::open(folder.path().join("holdfast.sqlite")).unwrap();
    other
        .execute_batch(
            "CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE children (
                 parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER fails AFTER INSERT ON entries
             BEGIN INSERT INTO children VALUES (1); END;",
        )
        .unwrap();
    let error = journal.append(&engine.batch(1..10)).unwrap_err();
    assert!(matches!(error, AppendError::Torn { .. }), "{error}");
    other.execute_batch("DROP TRIGGER fails;").unwrap();
    drop(other);
    let error = journal.append(&engine.batch(10..20)).unwrap_err();
    assert!(matches!(error, AppendError::TornBefore), "{error}");
    let error = journal.rotate(b"state", 1, at(1)).unwrap_err();
    assert!(matches!(error, AppendError::TornBefore), "{error}");
    drop(journal);

    let (mut journal, recovered) = open(folder.path(), at(1)).unwrap();
    assert_eq!(recovered.last_seq, 0);
    let inputs: Vec<Input> = recovered.inputs.map(Result::unwrap).collect();
    assert_eq!(inputs.len(), 9);
    journal
        .append(&ToyEngine::default().replay(&inputs))
        .unwrap();
    assert_eq!(
        journal
            .reader()
            .unwrap()
            .records_since(0, 10)
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn time_has_no_order_that_the_journal_relies_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(folder.path(), at(0)).unwrap();
    let mut batch = ToyEngine::default().batch(1..4);
    batch.inputs[1].now = Timestamp::from_millis(0);
    journal.append(&batch).unwrap();
    drop(journal);
    let (_journal, recovered) = open(folder.path(), at(0)).unwrap();
    assert_eq!(numbers(recovered.inputs), [1, 2, 3]);
}
