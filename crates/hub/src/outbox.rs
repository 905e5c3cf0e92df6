//! What waits to be written to one connection: a bounded queue that the core fills without ever
//! waiting and one writer empties.
//!
//! The core looks at [`Outbox::bytes`] before it pushes what can wait; what cannot wait and does
//! not fit closes the connection, so that a peer that does not read costs a bounded amount.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_protocol::error::ErrorCode;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// One connection's outbound queue. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Outbox(Arc<Shared>);

/// What the writer does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// Write these, then flush.
    Frames(Vec<Utf8Bytes>),
    /// Close with this reason. Nothing follows.
    Close(ErrorCode),
    /// Close: the hub shuts down. Nothing follows.
    GoAway,
}

/// The queue cannot take the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

#[derive(Debug)]
struct Shared {
    bytes_max: usize,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Utf8Bytes>,
    /// What waits, together with what the writer has taken and not yet written.
    bytes: usize,
    taken: usize,
    /// The last word, after the frames.
    end: Option<End>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Error(ErrorCode),
    GoAway,
}

impl Outbox {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Shared {
            bytes_max,
            queue: Mutex::new(Queue::default()),
            wake: Notify::new(),
        }))
    }

    /// Bytes that are not yet written.
    pub(crate) fn bytes(&self) -> usize {
        self.queue().bytes
    }

    /// Queues a frame. After [`Outbox::close`] it is thrown away: nobody will read it.
    pub(crate) fn push(&self, frame: impl Into<Utf8Bytes>) -> Result<(), Full> {
        let frame = frame.into();
        let mut queue = self.queue();
        if queue.end.is_some() {
            return Ok(());
        }
        if queue.bytes.saturating_add(frame.len()) > self.0.bytes_max {
            return Err(Full);
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.0.wake.notify_one();
        Ok(())
    }

    /// Ends the connection with a last frame, which does not wait for room.
    pub(crate) fn close(&self, last: impl Into<Utf8Bytes>, code: ErrorCode) {
        self.end(Some(last.into()), End::Error(code));
    }

    /// Ends the connection because the hub shuts down.
    pub(crate) fn go_away(&self) {
        self.end(None, End::GoAway);
    }

    fn end(&self, last: Option<Utf8Bytes>, end: End) {
        let mut queue = self.queue();
        if queue.end.is_none() {
            queue.bytes += last.as_ref().map_or(0, |frame| frame.len());
            queue.frames.extend(last);
            queue.end = Some(end);
        }
        drop(queue);
        self.0.wake.notify_one();
    }

    /// Waits for what to write next; only the one writer calls it. It may be dropped while it
    /// waits; nothing is lost.
    pub(crate) async fn next(&self) -> Outgoing {
        {
            let mut queue = self.queue();
            queue.bytes -= queue.taken;
            queue.taken = 0;
        }
        loop {
            {
                let mut queue = self.queue();
                if !queue.frames.is_empty() {
                    queue.taken = queue.bytes;
                    return Outgoing::Frames(queue.frames.drain(..).collect());
                }
                match queue.end {
                    Some(End::Error(code)) => return Outgoing::Close(code),
                    Some(End::GoAway) => return Outgoing::GoAway,
                    None => {}
                }
            }
            self.0.wake.notified().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while the lock is held, so what a poisoned lock guards is still whole.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_keep_their_order_and_the_end_comes_last() {
        let outbox = Outbox::new(100);
        outbox.push("a").unwrap();
        outbox.push("b").unwrap();
        outbox.close("bye", ErrorCode::Forbidden);
        outbox.push("never").unwrap();
        outbox.close("never", ErrorCode::Internal);
        let Outgoing::Frames(frames) = outbox.next().await else {
            panic!("frames come first");
        };
        assert_eq!(frames, ["a", "b", "bye"]);
        assert_eq!(outbox.next().await, Outgoing::Close(ErrorCode::Forbidden));
    }

    #[tokio::test]
    async fn a_full_outbox_refuses_until_it_is_read() {
        let outbox = Outbox::new(10);
        outbox.push("12345678").unwrap();
        assert_eq!(outbox.push("123"), Err(Full));
        assert_eq!(outbox.bytes(), 8);
        outbox.next().await;
        assert_eq!(
            outbox.push("123"),
            Err(Full),
            "what is being written still counts"
        );
        // The writer comes back for more: what it took is written.
        tokio::select! {
            biased;
            _ = outbox.next() => panic!("nothing more waits"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(outbox.bytes(), 0);
        outbox.push("123").unwrap();
    }
}
