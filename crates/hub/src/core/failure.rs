//! The journal failed: what cannot be written down does not happen.
//!
//! ```text
//!   working --- a commit fails ---> failed --- journal opens and replays ---> working
//!                                   |    ^                                   (consoles: reset,
//!                                   +----+ every 2 s                          bridges: resume)
//! ```
//!
//! What the engine folded since the last commit exists nowhere else, so it is forgotten: pending
//! requests are refused, bridges are closed (they keep what was not acknowledged, and send it
//! again), and the engine is built anew from the journal.

use std::time::Duration;

use holdfast_domain::{BlindReason, Refusal, RefusalCode, Reply, Timestamp};
use holdfast_engine::Control;
use holdfast_journal::AppendError;
use holdfast_protocol::error::{ErrorCode, WireError};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch::Batch;
use super::bridges::Bridges;
use super::{Core, RecoverError, Recovered, recover};
use crate::writer::Writer;

/// How often it is tried to open the journal again: soon enough that a full disk that was cleared
/// is not waited for, and rarely enough to leave a sick disk alone.
const RETRY_EVERY: Duration = Duration::from_secs(2);

/// Whether the hub can write down what it decides.
#[derive(Debug)]
pub(crate) enum Health {
    /// It can.
    Working,
    /// It cannot.
    Failed {
        /// Since when.
        since: Timestamp,
        retry_at: Instant,
        /// The attempt that runs, on a thread of its own.
        attempt: Option<oneshot::Receiver<Result<Recovered, RecoverError>>>,
    },
}

const MESSAGE: &str = "the hub cannot write to its journal, so it does not act; its log says why, \
                       and it tries again every 2 s";

impl Health {
    pub(crate) const fn is_working(&self) -> bool {
        matches!(self, Self::Working)
    }

    /// Why a person's request is refused; None when it is not.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        (!self.is_working()).then(|| Refusal::new(RefusalCode::Internal, MESSAGE))
    }

    /// Why a bridge is turned away.
    pub(crate) fn wire_error() -> WireError {
        WireError::new(
            ErrorCode::Internal,
            "the hub cannot write to its journal; what it acknowledged is safe. Keep the rest \
             and connect again",
        )
        .closing()
    }
}

impl Core {
    /// A commit failed: forgets what was not written down.
    pub(super) fn fail(&mut self, error: &AppendError) {
        if !self.health.is_working() {
            return;
        }
        tracing::error!(%error, "the journal failed; nothing is acknowledged and nobody can act");
        self.health = Health::Failed {
            since: self.tell_time(),
            retry_at: Instant::now() + RETRY_EVERY,
            attempt: None,
        };
        self.in_flight.clear();
        self.is_restarting = false;
        self.batch = Batch::default();
        self.bridges.close_all(&Health::wire_error());
        self.bridges = Bridges::default();
        for (session, id) in std::mem::take(&mut self.tickets).into_values() {
            if let Some(refusal) = self.health.refusal() {
                self.consoles.reply(session, id, Reply::Refused { refusal });
            }
        }
    }

    /// Tries to open the journal again, when it failed and it is time.
    pub(super) fn retry_if_failed(&mut self) {
        let Health::Failed {
            retry_at, attempt, ..
        } = &mut self.health
        else {
            return;
        };
        if let Some(running) = attempt {
            match running.try_recv() {
                Ok(Ok(recovered)) => return self.come_back(recovered),
                Ok(Err(error)) => {
                    tracing::error!(%error, "the journal still fails");
                }
                Err(oneshot::error::TryRecvError::Empty) => return,
                Err(oneshot::error::TryRecvError::Closed) => {
                    tracing::error!("the attempt to open the journal was lost");
                }
            }
            *attempt = None;
            *retry_at = Instant::now() + RETRY_EVERY;
        } else if Instant::now() >= *retry_at {
            let (told, running) = oneshot::channel();
            let data = self.config.data.clone();
            let clock = self.clock.clone();
            tokio::task::spawn_blocking(move || {
                // The core may be gone by then; so be it.
                let _ = told.send(recover(&data, &clock));
            });
            *attempt = Some(running);
        }
    }

    fn come_back(&mut self, recovered: Recovered) {
        tracing::warn!("the journal works again; the hub goes on from what it holds");
        (self.writer, self.done) = Writer::start(recovered.journal);
        self.engine = recovered.engine;
        self.now = self.now.max(recovered.at);
        self.bridges = Bridges::new(recovered.positions);
        self.decided = recovered.decided;
        self.inputs_since_checkpoint = recovered.replayed;
        self.health = Health::Working;
        self.restart();
    }

    /// Goes on after a replay: nothing is connected, and consoles see all of it anew.
    pub(super) fn restart(&mut self) {
        self.consoles.set_records(&self.engine.records());
        self.consoles.reset();
        self.fanout.begin_anew();
        // Whatever was due since the engine last judged was due while nobody looked.
        if self.engine.judged_until() > Timestamp::default() {
            self.go_blind(self.sight.blind().unwrap_or(BlindReason::Suspended));
        }
        self.control(&Control::Restarted);
        self.tell_playbooks();
        if let Some(reason) = self.sight.blind() {
            self.go_blind(reason);
        }
        for name in self.consoles.agents() {
            self.presence(name, true);
        }
        self.is_restarting = true;
        self.submit();
    }

    /// The engine that came up knows the playbooks of the journal; those of the files hold.
    fn tell_playbooks(&mut self) {
        let (known, armed) = (self.engine.playbooks(), self.config.armed);
        let is_same = known.len() == self.playbooks.iter().len()
            && known.values().eq(self.playbooks.iter())
            && self.engine.is_armed() == armed;
        if !is_same {
            let playbooks = self.playbooks.iter().cloned().collect();
            self.control(&Control::Playbooks { playbooks, armed });
        }
    }
}
