//! What a bridge does with what its platform says, in virtual time: it gives events their place in
//! the order, and says that it lives.

use holdfast_domain::fact::{Fact, FactEnvelope, Text};
use holdfast_domain::{DurationMs, Timestamp};
use holdfast_simulator::{Event, Platform};

/// One run of a bridge.
#[derive(Debug)]
pub(crate) struct Teller {
    /// Begins the id of each of its events.
    name: String,
    sequence: u64,
    heartbeat_ms: DurationMs,
    heartbeat_at: Timestamp,
}

impl Teller {
    /// It says at `heartbeat_at` that it lives, and then every `heartbeat_ms`.
    pub(crate) const fn new(
        name: String,
        heartbeat_ms: DurationMs,
        heartbeat_at: Timestamp,
    ) -> Self {
        Self {
            name,
            sequence: 0,
            heartbeat_ms,
            heartbeat_at,
        }
    }

    /// What the platform said, in its place.
    pub(crate) fn event(&mut self, event: Event, now: Timestamp) -> FactEnvelope<'static> {
        let subject = event
            .call
            .map_or(Text::Borrowed("*"), |call| Text::Owned(call.to_string()));
        let mut envelope = self.envelope(subject, event.at, now, event.fact);
        envelope.layer = event.layer;
        envelope.cause = event.cause.map(|cause| Text::Owned(cause.to_string()));
        envelope
    }

    /// That it lives, when it is time to say so.
    pub(crate) fn heartbeat(
        &mut self,
        platform: &Platform,
        now: Timestamp,
    ) -> Option<FactEnvelope<'static>> {
        if now < self.heartbeat_at {
            return None;
        }
        self.heartbeat_at = now + self.heartbeat_ms;
        let fact = Fact::BridgeHeartbeat {
            live_calls: platform.live_calls() as u64,
            buffered: 0,
            unmapped: 0,
        };
        Some(self.envelope(Text::Borrowed("*"), now, now, fact))
    }

    fn envelope(
        &mut self,
        subject: Text<'static>,
        time: Timestamp,
        recorded: Timestamp,
        fact: Fact<'static>,
    ) -> FactEnvelope<'static> {
        self.sequence += 1;
        FactEnvelope {
            id: Text::Owned(format!("{}-{}", self.name, self.sequence)),
            subject,
            time,
            recorded,
            sequence: self.sequence,
            layer: None,
            cause: None,
            fact,
        }
    }
}
