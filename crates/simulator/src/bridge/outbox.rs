//! Events that the hub has not yet made durable, in their order.

use std::collections::VecDeque;

use holdfast_protocol::event::write_batch;

/// Room besides the snapshot: 300 calls tell about 400 events a second, so this is well over two
/// minutes without a hub; after that a snapshot tells more than old events do.
const EVENTS_BESIDES: usize = 65_536;

/// Events that one call has in a snapshot at most, rounded up: 50 utterances and five more.
const EVENTS_PER_CALL: usize = 64;

/// A bounded buffer of events, each under its sequence.
#[derive(Debug)]
pub(super) struct Outbox {
    events: VecDeque<String>,
    /// The sequence of the oldest event that is held.
    first: u64,
    /// The sequence of the next event that is to be sent.
    unsent: u64,
    events_max: usize,
    /// Events that were never acknowledged and had to go, with the range that they were in.
    dropped: Option<Dropped>,
}

/// Events that the hub will never hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) missing: u64,
}

impl Outbox {
    /// An empty buffer with room for a snapshot of so many calls.
    pub(super) fn new(calls: usize) -> Self {
        Self::holding(EVENTS_BESIDES + EVENTS_PER_CALL * calls)
    }

    fn holding(events_max: usize) -> Self {
        Self {
            events: VecDeque::new(),
            first: 1,
            unsent: 1,
            events_max,
            dropped: None,
        }
    }

    /// The sequence that the next event gets.
    pub(super) fn next_sequence(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Takes an event that was written under [`Outbox::next_sequence`].
    pub(super) fn push(&mut self, event: String) {
        if self.events.len() == self.events_max {
            self.events.pop_front();
            self.drop_range(self.first, self.first, 1);
            self.first += 1;
            self.unsent = self.unsent.max(self.first);
        }
        self.events.push_back(event);
    }

    /// Everything up to `sequence` is durable and may be forgotten.
    pub(super) fn acked(&mut self, sequence: u64) {
        while self.first <= sequence && self.events.pop_front().is_some() {
            self.first += 1;
        }
        self.unsent = self.unsent.max(self.first);
    }

    /// Sends again from `sequence` on. False if that is no longer, or not yet, held.
    pub(super) fn rewind(&mut self, sequence: u64) -> bool {
        if self.dropped.is_some() || !(self.first..=self.next_sequence()).contains(&sequence) {
            return false;
        }
        self.acked(sequence.saturating_sub(1));
        self.unsent = sequence;
        true
    }

    /// Gives everything up that was not acknowledged, before a snapshot says it all anew.
    pub(super) fn give_up(&mut self) -> Option<Dropped> {
        let held = self.events.len() as u64;
        if held > 0 {
            self.drop_range(self.first, self.first + held - 1, held);
        }
        self.first += held;
        self.unsent = self.first;
        self.events.clear();
        self.dropped.take().filter(|dropped| dropped.missing > 0)
    }

    /// What is held tells no whole story any more.
    pub(super) fn mark_lost(&mut self) {
        let next = self.next_sequence();
        self.drop_range(next, next, 0);
    }

    /// True if something that the hub has not heard is gone: only a snapshot helps.
    pub(super) const fn has_dropped(&self) -> bool {
        self.dropped.is_some()
    }

    /// Events that wait for the hub.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// The next frame of events, within the hub's limits; None when all is sent.
    pub(super) fn next_frame(&mut self, events_max: usize, bytes_max: usize) -> Option<String> {
        let from = usize::try_from(self.unsent - self.first).ok()?;
        let mut bytes = 2;
        let batch: Vec<String> = self
            .events
            .range(from..)
            .take(events_max.max(1))
            .enumerate()
            .take_while(|(i, event)| {
                bytes += event.len() + 1;
                *i == 0 || bytes <= bytes_max
            })
            .map(|(_, event)| event.clone())
            .collect();
        if batch.is_empty() {
            return None;
        }
        self.unsent += batch.len() as u64;
        Some(write_batch(&batch))
    }

    fn drop_range(&mut self, from: u64, to: u64, missing: u64) {
        let dropped = self.dropped.get_or_insert(Dropped {
            from,
            to,
            missing: 0,
        });
        dropped.to = to;
        dropped.missing += missing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(events: std::ops::RangeInclusive<u64>) -> Outbox {
        let mut outbox = Outbox::holding(10);
        for sequence in events {
            assert_eq!(outbox.next_sequence(), sequence);
            outbox.push(sequence.to_string());
        }
        outbox
    }

    fn frame(outbox: &mut Outbox) -> Option<String> {
        outbox.next_frame(3, 1_000)
    }

    #[test]
    fn events_leave_in_order_and_stay_until_they_are_durable() {
        let mut outbox = outbox(1..=5);
        assert_eq!(frame(&mut outbox).as_deref(), Some("[1,2,3]"));
        assert_eq!(frame(&mut outbox).as_deref(), Some("[4,5]"));
        assert_eq!(frame(&mut outbox), None);
        outbox.acked(2);
        assert_eq!(outbox.len(), 3);
        assert!(outbox.rewind(3));
        assert_eq!(frame(&mut outbox).as_deref(), Some("[3,4,5]"));
        assert!(!outbox.rewind(2), "2 was acknowledged and is gone");
        assert!(!outbox.rewind(7), "7 was never written");
        assert!(outbox.rewind(6), "nothing is left to send");
        assert_eq!(frame(&mut outbox), None);
    }

    #[test]
    fn an_ack_of_what_was_not_sent_again_skips_it() {
        let mut outbox = outbox(1..=5);
        outbox.acked(4);
        assert_eq!(frame(&mut outbox).as_deref(), Some("[5]"));
        outbox.acked(99);
        assert_eq!((outbox.len(), outbox.next_sequence()), (0, 6));
    }

    #[test]
    fn frames_keep_to_the_byte_limit_but_never_stall() {
        let mut outbox = outbox(1..=4);
        assert_eq!(outbox.next_frame(10, 6).as_deref(), Some("[1,2]"));
        assert_eq!(outbox.next_frame(10, 1).as_deref(), Some("[3]"));
    }

    #[test]
    fn what_does_not_fit_is_counted_and_asks_for_a_snapshot() {
        let mut outbox = outbox(1..=12);
        assert!(outbox.has_dropped());
        assert!(!outbox.rewind(3), "after a loss only a snapshot helps");
        let dropped = outbox.give_up();
        assert_eq!(
            dropped,
            Some(Dropped {
                from: 1,
                to: 12,
                missing: 12
            })
        );
        assert!(!outbox.has_dropped());
        assert_eq!(outbox.next_sequence(), 13);
        assert_eq!(outbox.give_up(), None);
    }
}
