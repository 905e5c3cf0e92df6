//! The journal's thread: commits in the order given, so that the core never waits for a disk.
//!
//! After a commit failed the thread ends and gives the journal up: what may or may not be written
//! is found out by opening it again.

use std::sync::mpsc as blocking;
use std::thread;

use holdfast_domain::Timestamp;
use holdfast_journal::{AppendError, Batch, Journal};
use tokio::sync::mpsc;

/// Work and answers that wait: the core never has more than three of either under way.
const QUEUE_MAX: usize = 4;

/// What the journal is asked to do.
#[derive(Debug)]
pub(crate) enum Work {
    /// Make these durable together.
    Commit(Box<Batch>, Timestamp),
    /// Begin a new segment with the engine's state.
    Checkpoint {
        state: Vec<u8>,
        /// The number of the last decision in it.
        decided: u64,
        at: Timestamp,
    },
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Done {
    /// The oldest batch that was given is durable.
    Committed {
        /// The segment is old or large enough to be closed with a checkpoint.
        wants_checkpoint: bool,
    },
    /// Nothing more is written.
    Failed(AppendError),
}

/// Where work is handed to the thread.
#[derive(Debug)]
pub(crate) struct Writer {
    work: Option<blocking::SyncSender<Work>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. Its answers come out of the receiver.
    pub(crate) fn start(journal: Journal) -> (Self, mpsc::Receiver<Done>) {
        let (work, received) = blocking::sync_channel(QUEUE_MAX);
        let (done, answers) = mpsc::channel(QUEUE_MAX);
        let thread = thread::spawn(move || write(journal, &received, &done));
        let writer = Self {
            work: Some(work),
            thread: Some(thread),
        };
        (writer, answers)
    }

    /// Hands over work. A thread that failed has said so and takes no more.
    pub(crate) fn give(&self, work: Work) {
        if let Some(channel) = &self.work
            && channel.try_send(work).is_err()
        {
            tracing::debug!("the journal's thread has ended and takes no more work");
        }
    }

    /// As [`Writer::join`], where nothing else has to go on meanwhile.
    pub(crate) fn end(mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread did not end in order");
        }
    }

    /// Waits until everything that was given is written.
    pub(crate) async fn join(mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the journal's thread did not end in order");
            }
        }
    }
}

fn write(mut journal: Journal, work: &blocking::Receiver<Work>, done: &mpsc::Sender<Done>) {
    while let Ok(work) = work.recv() {
        let answer = match work {
            Work::Commit(batch, now) => match journal.append(&batch) {
                Ok(()) => Done::Committed {
                    wants_checkpoint: journal.needs_rotation(now),
                },
                Err(error) => Done::Failed(error),
            },
            Work::Checkpoint { state, decided, at } => {
                match journal.rotate(&state, decided, at) {
                    Ok(()) => {}
                    // The old segment goes on; a restart replays more of it.
                    Err(error) => tracing::error!(%error, "no checkpoint could be written"),
                }
                continue;
            }
        };
        let is_over = matches!(answer, Done::Failed(_));
        // A core that is gone asks for nothing more.
        if done.blocking_send(answer).is_err() || is_over {
            return;
        }
    }
}
