//! A platform, its bridge and the line to the hub: sequence numbers, a buffer of what is not yet
//! acknowledged, and everything that a line can do to frames.
//!
//! The hub's end of the line is here, too: it judges sequences as `docs/protocol/bridge.md` says.

use std::collections::VecDeque;

use holdfast_domain::fact::{Fact, FactEnvelope, Text};
use holdfast_domain::{CallId, SourceId, Timestamp};
use holdfast_protocol::bridge::CommandResult;
use holdfast_simulator::{Event, Output, Platform, PlatformConfig, WorldKind};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How often a bridge promises to say that it lives.
pub(crate) const HEARTBEAT_MS: i64 = 2_000;
/// Events that a bridge holds; small, so that a longer absence needs a snapshot.
const BUFFER_MAX: usize = 400;
/// How long a frame travels.
const TRAVEL_MS: std::ops::Range<i64> = 1..60;

/// What travels to the hub.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    Events(Vec<FactEnvelope<'static>>),
    Result(CommandResult),
}

/// How the hub's end judges an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Duplicate,
    /// Something is missing; `first` if it was not told yet.
    Gap {
        first: bool,
    },
}

/// One platform with its bridge.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) platform: Platform,
    pub(crate) source: SourceId,
    pub(crate) number: usize,
    epoch: u64,
    /// The connection that stands, by number.
    pub(crate) connection: Option<u64>,
    pub(crate) connections: u64,
    sequence: u64,
    buffer: VecDeque<FactEnvelope<'static>>,
    /// Something that the hub never acknowledged had to go.
    has_dropped: u64,
    is_introduced: bool,
    pub(crate) heartbeat_at: Timestamp,
    /// The bridge's clock minus the true one.
    pub(crate) clock_ms: i64,
    /// Frames do not overtake each other.
    last_arrival: Timestamp,
    /// The hub's end: the last sequence that was taken in.
    position: u64,
    in_gap: bool,
}

impl Line {
    pub(crate) fn new(number: usize, calls: usize, seed: u64, now: Timestamp) -> Self {
        let config = PlatformConfig {
            seed: seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            calls,
            instance: format!("p{number}"),
            world: if (seed >> 2).is_multiple_of(2) {
                WorldKind::Pods
            } else {
                WorldKind::Varied
            },
            noise: (seed >> 3).is_multiple_of(2),
        };
        Self {
            platform: Platform::new(config, now),
            source: SourceId::new(format!("//bridges/explore/{number}")),
            number,
            epoch: 1,
            connection: None,
            connections: 0,
            sequence: 0,
            buffer: VecDeque::new(),
            has_dropped: 0,
            is_introduced: false,
            heartbeat_at: now,
            clock_ms: 0,
            last_arrival: now,
            position: 0,
            in_gap: false,
        }
    }

    pub(crate) fn epoch(&self) -> String {
        format!("epoch-{}", self.epoch)
    }

    /// The platform goes on to `now`: the frames that this makes, the heartbeat among them. None
    /// without a connection.
    pub(crate) fn advance(&mut self, now: Timestamp) -> Option<Vec<Frame>> {
        self.connection?;
        let outputs = self.platform.advance(now);
        let mut frames = self.take(outputs, now);
        if self.heartbeat_at <= now {
            frames.push(self.heartbeat(now));
        }
        Some(frames)
    }

    /// The bridge process starts anew: it knows nothing of what it said.
    pub(crate) fn reborn(&mut self) {
        self.epoch += 1;
        self.sequence = 0;
        self.buffer.clear();
        self.has_dropped = 0;
        self.is_introduced = false;
        self.position = 0;
        self.in_gap = false;
    }

    /// A connection stands; what is to be said first.
    pub(crate) fn connected(&mut self, now: Timestamp) -> Vec<Frame> {
        self.connections += 1;
        self.connection = Some(self.connections);
        self.heartbeat_at = now;
        self.in_gap = false;
        self.last_arrival = now;
        if self.is_introduced {
            self.rewind(self.position + 1, now)
        } else {
            self.tell_all(now)
        }
    }

    /// A real hub welcomes the bridge: it has everything up to `resume_after`.
    pub(crate) fn welcomed(
        &mut self,
        resume_after: u64,
        wants_snapshot: bool,
        now: Timestamp,
    ) -> Vec<Frame> {
        self.connections += 1;
        self.connection = Some(self.connections);
        self.heartbeat_at = now;
        self.last_arrival = now;
        self.acknowledged(resume_after);
        if self.is_introduced && !wants_snapshot {
            self.rewind(resume_after + 1, now)
        } else {
            self.tell_all(now)
        }
    }

    /// A real hub has made everything up to `sequence` durable.
    pub(crate) fn acknowledged(&mut self, sequence: u64) {
        self.position = self.position.max(sequence);
        self.acknowledge();
    }

    /// The hub misses events from `expected` on.
    pub(crate) fn rewind(&mut self, expected: u64, now: Timestamp) -> Vec<Frame> {
        self.buffer.retain(|event| event.sequence >= expected);
        let first = self.buffer.front().map(|event| event.sequence);
        let is_whole = first.unwrap_or(self.sequence + 1) == expected;
        if self.has_dropped > 0 || !is_whole {
            return self.tell_all(now);
        }
        let events: Vec<_> = self.buffer.iter().cloned().collect();
        vec![Frame::Events(events)]
    }

    /// A snapshot, after a word about what is lost for good.
    pub(crate) fn tell_all(&mut self, now: Timestamp) -> Vec<Frame> {
        let outputs = self.platform.advance(now);
        let mut frames = self.take(outputs, now);
        let missing = self.buffer.len() as u64 + std::mem::take(&mut self.has_dropped);
        self.buffer.clear();
        if self.is_introduced && missing > 0 {
            // What was just told is among what is given up.
            frames.retain(|frame| matches!(frame, Frame::Result(_)));
            let gap = Fact::StreamGapDetected {
                from_seq: self.position + 1,
                to_seq: self.sequence,
                missing,
            };
            let gap = self.place(None, now, gap, now);
            frames.push(Frame::Events(vec![gap]));
        }
        self.is_introduced = true;
        let outputs = self.platform.snapshot();
        frames.extend(self.take(outputs, now));
        frames
    }

    /// The bridge tells nothing of before, and goes on.
    pub(crate) fn introduce_nobody(&mut self) {
        self.is_introduced = true;
    }

    pub(crate) fn heartbeat(&mut self, now: Timestamp) -> Frame {
        self.heartbeat_at = now + HEARTBEAT_MS;
        let fact = Fact::BridgeHeartbeat {
            live_calls: self.platform.live_calls() as u64,
            buffered: self.buffer.len() as u64,
            unmapped: 0,
        };
        Frame::Events(vec![self.place(None, now, fact, now)])
    }

    /// What the platform said, as frames.
    pub(crate) fn take(&mut self, outputs: Vec<Output>, now: Timestamp) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut events = Vec::new();
        for output in outputs {
            match output {
                Output::Answer(answer) => frames.push(Frame::Result(answer)),
                Output::Event(_) if !self.is_introduced => {}
                Output::Event(event) => {
                    let Event { call, at, fact, .. } = event;
                    let mut placed = self.place(call.as_ref(), at, fact, now);
                    placed.layer = event.layer;
                    placed.cause = event.cause.map(|id| Text::Owned(id.as_str().to_owned()));
                    if let Some(kept) = self.buffer.back_mut() {
                        *kept = placed.clone();
                    }
                    events.push(placed);
                }
            }
        }
        if !events.is_empty() {
            frames.push(Frame::Events(events));
        }
        frames
    }

    /// Gives an event its place in the order, and keeps it until it is acknowledged.
    pub(crate) fn place(
        &mut self,
        call: Option<&CallId>,
        at: Timestamp,
        fact: Fact<'static>,
        now: Timestamp,
    ) -> FactEnvelope<'static> {
        self.sequence += 1;
        let event = FactEnvelope {
            id: Text::Owned(format!("{}/{}/{}", self.number, self.epoch, self.sequence)),
            subject: call.map_or(Text::Borrowed("*"), |id| Text::Owned(id.to_string())),
            time: at + self.clock_ms,
            recorded: now + self.clock_ms,
            sequence: self.sequence,
            layer: None,
            cause: None,
            fact,
        };
        if self.buffer.len() == BUFFER_MAX {
            self.buffer.pop_front();
            self.has_dropped += 1;
        }
        self.buffer.push_back(event.clone());
        event
    }

    /// When a frame that leaves now arrives.
    pub(crate) fn arrival(&mut self, now: Timestamp, rng: &mut ChaCha8Rng) -> Timestamp {
        let at = (now + rng.random_range(TRAVEL_MS)).max(self.last_arrival);
        self.last_arrival = at;
        at
    }

    /// The line stands still; nothing arrives before `until`.
    pub(crate) fn hold_up(&mut self, until: Timestamp) {
        self.last_arrival = self.last_arrival.max(until);
    }

    // === the hub's end ===

    pub(crate) fn judge(&mut self, event: &FactEnvelope<'_>) -> Verdict {
        let restarts = matches!(
            event.fact,
            Fact::StreamSnapshot { .. } | Fact::StreamGapDetected { .. }
        );
        if event.sequence <= self.position {
            return Verdict::Duplicate;
        }
        if event.sequence > self.position + 1 && !restarts {
            let first = !std::mem::replace(&mut self.in_gap, true);
            return Verdict::Gap { first };
        }
        self.position = event.sequence;
        self.in_gap = false;
        Verdict::Accept
    }

    pub(crate) fn expected(&self) -> u64 {
        self.position + 1
    }

    /// The hub says that everything up to here is durable.
    pub(crate) fn acknowledge(&mut self) {
        let position = self.position;
        self.buffer.retain(|event| event.sequence > position);
    }
}
