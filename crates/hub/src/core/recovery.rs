//! Coming up: the checkpoint, the inputs since, and the same state and numbers as before.
//!
//! A replay gives what the engine decided the same numbers again. What has a higher number than
//! the newest that is written down got lost between the two commits of its batch, and is written
//! now; nothing is sent, because whoever is not connected is told when it connects.

use std::path::Path;

use holdfast_domain::{SourceId, Timestamp};
use holdfast_engine::{Config, Control, Engine, Input};
use holdfast_journal::{AppendError, Journal, OpenError, Options, ReadError};
use holdfast_protocol::error::WireError;
use holdfast_protocol::event::{Inbound, parse_bridge_frame};

use super::batch::Batch;
use crate::config::Clock;

/// What a hub goes on from.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) journal: Journal,
    pub(crate) engine: Engine,
    /// Where each source stands: epoch and last sequence.
    pub(crate) positions: Vec<(SourceId, String, u64)>,
    /// The latest moment that the engine was told.
    pub(crate) at: Timestamp,
    /// The number of the last thing that the engine had written down.
    pub(crate) decided: u64,
    /// How many inputs were replayed.
    pub(crate) replayed: u64,
}

/// Why a hub could not come up from its journal.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal could not be opened.
    #[error("cannot {0}")]
    Open(#[from] OpenError),
    /// The inputs could not be read.
    #[error("cannot {0}")]
    Read(#[from] ReadError),
    /// What was lost in a crash could not be written.
    #[error("cannot {0}")]
    Append(#[from] AppendError),
    /// The checkpoint is not what this program writes.
    #[error(
        "the checkpoint was written by another version ({0}); start the program that wrote it, or \
         move the folder away to begin anew"
    )]
    Checkpoint(#[source] serde_json::Error),
    /// An event of the journal is none for this program.
    #[error(
        "input {n} is an event that this version does not read ({source}); start the program that \
         wrote it, or move the folder away to begin anew"
    )]
    Event {
        /// The input's number.
        n: u64,
        /// Why.
        source: WireError,
    },
    /// An input of the journal is none for this program.
    #[error(
        "input {n} was written by another version ({source}); start the program that wrote it, or \
         move the folder away to begin anew"
    )]
    Control {
        /// The input's number.
        n: u64,
        /// Why.
        source: serde_json::Error,
    },
}

/// Opens the journal in `data` and brings the engine to where it was. It blocks.
pub(crate) fn recover(data: &Path, clock: &Clock) -> Result<Recovered, RecoverError> {
    let options = Options::new(crate::new_epoch(), clock.now());
    let (mut journal, found) = Journal::open(data, options)?;
    let mut engine = match &found.checkpoint {
        Some(checkpoint) => {
            serde_json::from_slice(&checkpoint.state).map_err(RecoverError::Checkpoint)?
        }
        None => Engine::new(Config::default()),
    };
    let mut decided = found.seq;
    let mut replayed = 0;
    let mut lost = Batch::default();
    for input in found.inputs {
        let input = input?;
        feed(&mut engine, &input)?;
        take_lost(&mut engine, &mut lost, &mut decided, found.last_seq);
        replayed += 1;
    }
    let at = engine.now().max(clock.now());
    // Timers that fired after the last input fire again, as far as they decided something. What
    // was due later was due while nobody was there to see, so nobody is late by it.
    while decided < found.last_seq
        && let Some((due, _)) = engine.poll_timeout().filter(|(due, _)| *due <= at)
    {
        engine.handle_timeout(due);
        take_lost(&mut engine, &mut lost, &mut decided, found.last_seq);
    }
    let lost = lost.into_commit();
    if !lost.is_empty() {
        tracing::warn!(
            records = lost.records.len(),
            entries = lost.entries.len(),
            "decisions of an interrupted batch are written now"
        );
        journal.append(&lost)?;
    }
    if decided < found.last_seq {
        tracing::warn!("inputs are missing; numbers go on after those of the decisions");
        decided = found.last_seq;
        let state = serde_json::to_vec(&engine).map_err(RecoverError::Checkpoint)?;
        journal.rotate(&state, decided, at)?;
        replayed = 0;
    }
    tracing::info!(replayed, decided, "the journal is replayed");
    Ok(Recovered {
        journal,
        engine,
        positions: found
            .positions
            .into_iter()
            .map(|at| (at.source, at.epoch, at.sequence))
            .collect(),
        at,
        decided,
        replayed,
    })
}

fn feed(engine: &mut Engine, input: &holdfast_journal::Input) -> Result<(), RecoverError> {
    let n = input.n;
    let Some(source) = &input.source else {
        let control: Control = serde_json::from_str(&input.payload)
            .map_err(|source| RecoverError::Control { n, source })?;
        engine.handle(Input::Control(&control), input.now);
        return Ok(());
    };
    let not_an_event = |source| RecoverError::Event { n, source };
    match parse_bridge_frame(&input.payload).map_err(not_an_event)? {
        Inbound::Events(events) => {
            for event in events {
                let fact = &event.fact.map_err(not_an_event)?;
                engine.handle(Input::Fact { source, fact }, input.now);
            }
            Ok(())
        }
        Inbound::Control(_) => Err(not_an_event(WireError::new(
            holdfast_protocol::error::ErrorCode::UnknownEventType,
            "it is a control frame",
        ))),
    }
}

/// Numbers what the engine decided, and keeps what is not yet written down.
fn take_lost(engine: &mut Engine, lost: &mut Batch, decided: &mut u64, last_seq: u64) {
    while let Some(effect) = engine.poll_effect() {
        if *decided < last_seq {
            // Written down already: only its number counts.
            Batch::default().take(effect, decided);
        } else {
            lost.take(effect, decided);
        }
    }
}

#[cfg(test)]
mod tests;
