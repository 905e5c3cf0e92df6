//! The bridge between the simulated platform and a hub: hello, resume, acknowledgements, snapshots
//! and answers, as `docs/protocol/bridge.md` says.
//!
//! ```text
//!   away -- connected: hello --> greeting -- welcome: resume or snapshot --> live
//!    ^                              |                                         |
//!    +---------------- hiccup ------+-----------------------------------------+
//! ```
//!
//! It is a state machine without a clock or a socket, so that a test can be its hub.

mod outbox;
pub(crate) mod shell;

use std::collections::VecDeque;

use holdfast_domain::fact::{Fact, FactEnvelope, Text};
use holdfast_domain::{CommandId, Timestamp};
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::bridge::{
    BridgeFrame, CommandResult, Hello, HubFrame, Named, ResultKind, ResultState, Welcome,
    parse_hub_frame, write_bridge_frame,
};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::event::write_event;
use holdfast_protocol::limits::{BATCH_EVENTS_MAX, BRIDGE_FRAME_BYTES_MAX};

use crate::call::{Event, Output};
use crate::platform::{COMMANDS, Platform};
use outbox::Outbox;

/// How often the bridge says that it lives, in milliseconds.
pub(crate) const HEARTBEAT_MS: i64 = 2_000;

/// Control frames that wait to be written. Answers are two per command, and a command on each of
/// 10,000 calls is the largest act there is; a hub asks again for what it misses.
const CONTROL_MAX: usize = 32_768;

/// Events in one frame: a hundred already cost next to nothing per frame, and a smaller batch is
/// seen sooner.
const BATCH_MAX: usize = 256;

/// A clock that moves on by more than this between two looks belongs to a machine that slept, and
/// nobody had those calls. Well above any pause of a busy machine.
const SLEPT_MS: i64 = 60_000;

const _: () = assert!(BATCH_MAX <= BATCH_EVENTS_MAX);

/// How far the platform goes in one step. A platform that is behind (a snapshot of 10,000 calls
/// takes a while) tells what it has before it goes on.
const STEP_MS: i64 = 250;

/// Where the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Away,
    Greeting,
    Live,
}

/// The bridge's side of the conversation with a hub.
#[derive(Debug)]
pub(crate) struct Bridge {
    platform: Platform,
    source: String,
    epoch: String,
    at: At,
    outbox: Outbox,
    control: VecDeque<String>,
    /// The hub has been told of the calls that were live at the beginning.
    introduced: bool,
    batch_max: usize,
    frame_bytes_max: usize,
    heartbeat_at: Timestamp,
    /// When the platform was last brought up to date.
    seen_at: Timestamp,
}

impl Bridge {
    /// A bridge under its name; `epoch` is new for each.
    pub(crate) fn new(
        platform: Platform,
        calls: usize,
        source: String,
        epoch: String,
        now: Timestamp,
    ) -> Self {
        Self {
            platform,
            source,
            epoch,
            at: At::Away,
            outbox: Outbox::new(calls),
            control: VecDeque::new(),
            introduced: false,
            batch_max: BATCH_MAX,
            frame_bytes_max: BRIDGE_FRAME_BYTES_MAX,
            heartbeat_at: now,
            seen_at: now,
        }
    }

    /// A connection is up.
    pub(crate) fn on_connected(&mut self) {
        self.at = At::Greeting;
        self.control.clear();
        self.say(&BridgeFrame::Hello(Hello {
            protocol: PROTOCOL_VERSION,
            source: self.source.clone(),
            epoch: self.epoch.clone(),
            token: None,
            bridge: Named {
                name: "holdfast-simulator".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            platform: Named {
                name: "simulated".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            heartbeat_secs: HEARTBEAT_MS as f64 / 1_000.0,
            capabilities: Platform::capabilities(),
        }));
    }

    /// The connection is gone. The calls go on.
    pub(crate) fn on_lost(&mut self) {
        self.at = At::Away;
        self.control.clear();
    }

    /// The hub said something.
    pub(crate) fn on_frame(&mut self, text: &str, now: Timestamp) {
        match parse_hub_frame(text) {
            Ok(HubFrame::Welcome(welcome)) => self.on_welcome(&welcome, now),
            Ok(HubFrame::Ack { sequence }) => self.outbox.acked(sequence),
            Ok(HubFrame::Command(command)) => {
                let outputs = self.platform.command(&command, now);
                self.take(outputs, now);
            }
            Ok(HubFrame::Ping { nonce }) => self.say(&BridgeFrame::Pong { nonce }),
            Ok(HubFrame::Error(error)) => self.on_error(&error, now),
            Err(error) => self.on_unreadable(text, &error),
        }
    }

    /// Lets the platform go on up to `now`.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if now.since(self.seen_at) > SLEPT_MS {
            tracing::info!("the machine slept; the calls begin anew");
            let outputs = self.platform.restart(now);
            self.take(outputs, now);
            self.outbox.mark_lost();
        }
        self.seen_at = now;
        let until = now.min(self.platform.now() + STEP_MS);
        let outputs = self.platform.advance(until);
        self.take(outputs, now);
        if self.at == At::Live && now >= self.heartbeat_at {
            self.heartbeat_at = now + HEARTBEAT_MS;
            let live_calls = self.platform.live_calls() as u64;
            let buffered = self.outbox.len() as u64;
            let unmapped = 0;
            self.tell_platform(
                Fact::BridgeHeartbeat {
                    live_calls,
                    buffered,
                    unmapped,
                },
                now,
            );
        }
        if self.at == At::Live && self.outbox.has_dropped() {
            tracing::warn!("the hub does not keep up; it gets a snapshot instead");
            self.tell_all(now);
        }
    }

    /// True if the platform has not come to `now`.
    pub(crate) fn is_behind(&self, now: Timestamp) -> bool {
        self.platform.now() < now
    }

    /// When the bridge has something to do by itself.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let heartbeat = (self.at == At::Live).then_some(self.heartbeat_at);
        self.platform.next_wake().into_iter().chain(heartbeat).min()
    }

    /// The next frame to send; None when everything is said.
    pub(crate) fn next_frame(&mut self) -> Option<String> {
        if let Some(frame) = self.control.pop_front() {
            return Some(frame);
        }
        if self.at != At::Live {
            return None;
        }
        self.outbox.next_frame(self.batch_max, self.frame_bytes_max)
    }

    fn on_welcome(&mut self, welcome: &Welcome, now: Timestamp) {
        self.at = At::Live;
        self.heartbeat_at = now;
        self.batch_max = welcome.max_batch.clamp(1, BATCH_MAX);
        self.frame_bytes_max = welcome.max_frame_bytes.min(BRIDGE_FRAME_BYTES_MAX);
        let resumes =
            self.introduced && !welcome.snapshot && self.outbox.rewind(welcome.resume_after + 1);
        if resumes {
            tracing::info!(after = welcome.resume_after, "resumed");
        } else {
            self.tell_all(now);
        }
    }

    fn on_error(&mut self, error: &WireError, now: Timestamp) {
        let expected = error
            .detail
            .as_ref()
            .and_then(|detail| detail.get("expected"))
            .and_then(serde_json::Value::as_u64);
        match (error.code, expected) {
            (ErrorCode::BadSequence, Some(expected)) if self.outbox.rewind(expected) => {
                tracing::info!(expected, "the hub missed events; they are sent again");
            }
            (ErrorCode::BadSequence, _) if self.at == At::Live => self.tell_all(now),
            _ => tracing::warn!(code = ?error.code, message = %error.message, "the hub objects"),
        }
    }

    /// A command that cannot be read is answered all the same.
    fn on_unreadable(&mut self, text: &str, error: &WireError) {
        let id = error
            .detail
            .as_ref()
            .and_then(|detail| detail.get("command_id"))
            .and_then(serde_json::Value::as_str);
        let Some(id) = id else {
            tracing::warn!(code = ?error.code, message = %error.message, "unreadable frame");
            return;
        };
        let kind = if is_known_command(text) {
            ResultKind::InvalidArgs
        } else {
            ResultKind::UnknownCommand
        };
        self.say(&BridgeFrame::Result(CommandResult {
            command_id: CommandId::new(id),
            state: ResultState::Rejected,
            kind: Some(kind),
            message: Some(error.message.clone()),
            read_back: None,
        }));
    }

    /// A snapshot, after a word about what is lost for good.
    fn tell_all(&mut self, now: Timestamp) {
        let outputs = self.platform.advance(now);
        self.take(outputs, now);
        if let Some(dropped) = self.outbox.give_up()
            && self.introduced
        {
            self.tell_platform(
                Fact::StreamGapDetected {
                    from_seq: dropped.from,
                    to_seq: dropped.to,
                    missing: dropped.missing,
                },
                now,
            );
        }
        self.introduced = true;
        let outputs = self.platform.snapshot();
        self.take(outputs, now);
        tracing::info!(calls = self.platform.live_calls(), "told every live call");
    }

    /// Answers go out as control frames, events get their place in the order.
    fn take(&mut self, outputs: Vec<Output>, now: Timestamp) {
        for output in outputs {
            match output {
                Output::Answer(answer) => self.say(&BridgeFrame::Result(answer)),
                Output::Event(event) => self.tell(event, now),
            }
        }
    }

    fn tell_platform(&mut self, fact: Fact<'static>, now: Timestamp) {
        let event = Event {
            call: None,
            at: now,
            layer: None,
            cause: None,
            fact,
        };
        self.tell(event, now);
    }

    fn tell(&mut self, event: Event, now: Timestamp) {
        // Before the first hub there is nobody to tell, and a snapshot will say it all.
        if !self.introduced {
            return;
        }
        let sequence = self.outbox.next_sequence();
        let subject = event.call.as_ref().map_or("*", |call| call.as_str());
        let envelope = FactEnvelope {
            id: Text::Owned(format!("{}-{sequence}", self.epoch)),
            subject: Text::Borrowed(subject),
            time: event.at,
            recorded: now,
            sequence,
            layer: event.layer,
            cause: event.cause.as_ref().map(|id| Text::Borrowed(id.as_str())),
            fact: event.fact,
        };
        self.outbox
            .push(write_event(&self.source, &self.epoch, &envelope));
    }

    fn say(&mut self, frame: &BridgeFrame) {
        // Without a hub there is nobody to answer: it asks again when it is back.
        if self.at == At::Away {
            return;
        }
        if self.control.len() == CONTROL_MAX {
            tracing::warn!("the hub does not take answers; the oldest is dropped");
            self.control.pop_front();
        }
        self.control.push_back(write_bridge_frame(frame));
    }
}

/// True if a command's frame names a command of this protocol, whatever is wrong with the rest.
fn is_known_command(text: &str) -> bool {
    let frame: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let name = frame.as_ref().and_then(|frame| frame.get("name")?.as_str());
    name.is_some_and(|name| COMMANDS.iter().any(|known| known.as_str() == name))
}

#[cfg(test)]
mod tests;
