//! A hub without sockets and without a clock of its own, for searches and tests.
//!
//! It is the same core on the same journal: whoever drives it says what arrives, what time it is,
//! when the disk has written, and when the power goes. The same calls give the same frames.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::FutureExt as _;
use holdfast_domain::{CallId, Timestamp};
use holdfast_engine::Engine;
use holdfast_protocol::bridge::Hello;
use holdfast_protocol::console::{ConsoleFrame, Identity, ResumePoint};
use holdfast_protocol::error::ErrorCode;
use holdfast_protocol::limits::BEAT_MS;
use tokio::sync::Semaphore;

use super::{ConsoleHello, Core, Input, RecoverError, TICK, recover};
use crate::config::{Clock, HubConfig};
use crate::outbox::{Outbox, Outgoing};
use crate::playbook::Library;
use crate::session::{Face, Room, SessionId};

/// What may wait for one peer; that of a real connection.
const OUTBOX_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One connection to a [`VirtualHub`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer(SessionId);

/// What a peer hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A frame.
    Frame(String),
    /// The hub closed the connection. Nothing follows.
    Closed(ErrorCode),
}

/// A hub that is moved on step by step.
#[derive(Debug)]
pub struct VirtualHub {
    core: Core,
    clock: Arc<AtomicI64>,
    wall_ahead: Arc<AtomicI64>,
    peers: BTreeMap<Peer, (Face, Outbox)>,
    next_peer: u64,
    room: Arc<Semaphore>,
    tick_at: Timestamp,
    beat_at: Timestamp,
}

impl VirtualHub {
    /// Comes up from the journal of `config.data`; the clock of `config` is not asked. `epoch`
    /// names this run and must be new.
    pub fn start(mut config: HubConfig, epoch: &str, now: Timestamp) -> Result<Self, RecoverError> {
        let clock = Arc::new(AtomicI64::new(now.as_millis()));
        let read = Arc::clone(&clock);
        let now_ms = move || Timestamp::from_millis(read.load(Ordering::Relaxed));
        let wall_ahead = Arc::new(AtomicI64::new(0));
        let (wall, ahead) = (now_ms.clone(), Arc::clone(&wall_ahead));
        config.clock = Clock::new(now_ms).with_wall(move || wall() + ahead.load(Ordering::Relaxed));
        let recovered = recover(&config.data, &config.clock)?;
        let playbooks = Library::open(config.playbooks.as_deref());
        Ok(Self {
            core: Core::new(config, Arc::new(playbooks), epoch.to_owned(), recovered),
            clock,
            wall_ahead,
            peers: BTreeMap::new(),
            next_peer: 1,
            room: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            tick_at: now,
            beat_at: now,
        })
    }

    /// What the hub knows.
    pub fn engine(&self) -> &Engine {
        &self.core.engine
    }

    /// When the hub does something by itself.
    pub fn next_wake(&self) -> Timestamp {
        let timer = self.core.engine.poll_timeout().map(|(due, _)| due);
        let own = self.tick_at.min(self.beat_at);
        timer.map_or(own, |timer| timer.min(own))
    }

    /// Somebody sets the machine's clock: it is so far ahead of the hub's own from now on.
    pub fn set_wall(&mut self, ahead_ms: i64) {
        self.wall_ahead.store(ahead_ms, Ordering::Relaxed);
    }

    /// It is `now`: what is due happens. A hub that is not moved on for over two seconds finds that
    /// it slept.
    pub fn advance(&mut self, now: Timestamp) {
        self.clock.store(now.as_millis(), Ordering::Relaxed);
        self.core.look(None);
        self.core.on_timer();
        if self.beat_at <= now {
            self.beat_at = now + BEAT_MS as i64;
            self.core.on_beat();
        }
        if self.tick_at <= now {
            self.tick_at = now + TICK.as_millis() as i64;
            self.core.on_tick();
        }
        self.core.submit();
    }

    /// The core was kept from its work until `now`: what bridges said meanwhile, and when it
    /// arrived, is taken in first, as in a hub with sockets.
    pub fn wake(&mut self, now: Timestamp, waited: Vec<(Peer, String, Timestamp)>) {
        self.clock.store(now.as_millis(), Ordering::Relaxed);
        self.core.look(None);
        let input = |(peer, text, arrived): (Peer, String, Timestamp)| Input::BridgeText {
            session: peer.0,
            text: text.into(),
            arrived,
            room: self.room(),
        };
        let mut inputs: Vec<Input> = waited.into_iter().map(input).collect();
        self.core.take(&mut inputs);
        self.core.submit();
        self.advance(now);
    }

    /// A bridge that showed its token says hello.
    pub fn bridge(&mut self, hello: Hello) -> Peer {
        let (peer, outbox) = self.connect(Face::Bridge);
        self.take(Input::BridgeHello {
            session: peer.0,
            hello: Box::new(hello),
            outbox,
        });
        peer
    }

    /// A bridge says something.
    pub fn bridge_text(&mut self, peer: Peer, text: &str) {
        let (arrived, room) = (self.core.clock.now(), self.room());
        self.take(Input::BridgeText {
            session: peer.0,
            text: text.to_owned().into(),
            arrived,
            room,
        });
    }

    /// A console that showed its token says hello.
    pub fn console(
        &mut self,
        identity: Identity,
        resume: Option<ResumePoint>,
        detail: Vec<CallId>,
    ) -> Peer {
        let (peer, outbox) = self.connect(Face::Console);
        self.take(Input::ConsoleHello(Box::new(ConsoleHello {
            session: peer.0,
            identity,
            resume,
            detail,
            outbox,
        })));
        peer
    }

    /// A console says something.
    pub fn console_frame(&mut self, peer: Peer, frame: ConsoleFrame) {
        let (arrived, room) = (self.core.clock.now(), self.room());
        self.take(Input::ConsoleFrame {
            session: peer.0,
            frame: Box::new(frame),
            arrived,
            room,
        });
    }

    /// A peer is gone.
    pub fn hang_up(&mut self, peer: Peer) {
        let session = peer.0;
        match self.peers.remove(&peer) {
            Some((Face::Bridge, _)) => self.take(Input::BridgeGone { session }),
            Some((Face::Console, _)) => self.take(Input::ConsoleGone { session }),
            None => {}
        }
    }

    /// What the peer was told since it was last asked.
    pub fn heard(&mut self, peer: Peer) -> Vec<Heard> {
        let mut heard = Vec::new();
        let Some((_, outbox)) = self.peers.get(&peer) else {
            return heard;
        };
        while let Some(outgoing) = outbox.next().now_or_never() {
            match outgoing {
                Outgoing::Frames(frames) => {
                    heard.extend(frames.iter().map(|text| Heard::Frame(text.to_string())));
                }
                Outgoing::Close(code) => {
                    heard.push(Heard::Closed(code));
                    break;
                }
                Outgoing::GoAway => break,
            }
        }
        heard
    }

    /// Waits until the journal has written everything that was folded so far, and lets out what
    /// waited for that. True if it could be written.
    pub fn settle(&mut self) -> bool {
        self.core.submit();
        while !self.core.in_flight.is_empty() && self.core.health.is_working() {
            let Some(done) = self.core.done.blocking_recv() else {
                return false;
            };
            self.core.on_done(done);
            self.core.submit();
        }
        self.core.health.is_working()
    }

    /// The power goes: what was not handed to the journal is lost, and nobody is told anything.
    /// What was handed over is written, because a disk does not stop in the middle of a batch.
    pub fn crash(self) {
        // In this order: the journal's thread stops at once when nobody wants to hear its answers.
        self.core.writer.end();
        drop(self.core.done);
    }

    fn connect(&mut self, face: Face) -> (Peer, Outbox) {
        let peer = Peer(SessionId(self.next_peer));
        self.next_peer += 1;
        let outbox = Outbox::new(OUTBOX_BYTES_MAX);
        self.peers.insert(peer, (face, outbox.clone()));
        (peer, outbox)
    }

    fn take(&mut self, input: Input) {
        self.core.take(&mut vec![input]);
        self.core.submit();
    }

    fn room(&self) -> Room {
        let permit = || {
            Arc::clone(&self.room)
                .try_acquire_owned()
                .expect("a batch is bounded, and far smaller than the most permits")
        };
        Room::of(permit(), permit())
    }
}

#[cfg(test)]
mod tests;
