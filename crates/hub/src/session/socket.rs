//! A WebSocket as the sessions use it: text in, text out, typed ends, no silent death.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::limits::BRIDGE_FRAME_BYTES_MAX;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message, Utf8Bytes};

use super::{Face, error_frame};
use crate::outbox::{Outbox, Outgoing};

/// The largest frame that is read into memory at all, from a bridge or from a console (whose
/// largest honest frame, an act on 10,000 named calls, is about 430 kB). Up to it a frame over the protocol's limit is
/// refused and the connection goes on; past it nobody knows where the next frame begins.
const READ_BYTES_MAX: usize = 2 * BRIDGE_FRAME_BYTES_MAX;

/// How often a connection is pinged. Console and bridge libraries answer by themselves.
const PING_EVERY: Duration = Duration::from_secs(2);

/// Silence after which a connection is dead: five pings are unanswered by then.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// How long a peer may take over one frame before the connection is dead. It is for each frame, so
/// that a slow line that moves gets all of a snapshot in the end.
const WRITE_MAX: Duration = Duration::from_secs(10);

/// How long the hub reads on after its last word, so that the peer gets to see that word: closing
/// a TCP connection with unread data throws away what the peer has not yet read.
const LINGER_MAX: Duration = Duration::from_secs(2);

/// The WebSocket close code of a server that shuts down (RFC 6455, 7.4.1).
const GOING_AWAY: u16 = 1001;

/// A WebSocket that was accepted.
#[derive(Debug)]
pub(crate) struct Socket {
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    stream: SplitStream<WebSocketStream<TcpStream>>,
}

/// What arrived.
#[derive(Debug)]
pub(crate) enum Heard {
    Text(Utf8Bytes),
    /// A frame that is refused; the connection goes on.
    Misfit(WireError),
    End(End),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The peer closed it, or it broke.
    Closed,
    /// A frame so large that it was not read; what follows cannot be told from it.
    Unreadable,
    /// Nothing was heard for too long.
    Silent,
}

/// The reading half.
#[derive(Debug)]
pub(crate) struct Ear<'a>(&'a mut SplitStream<WebSocketStream<TcpStream>>);

/// The connection broke, or its peer takes nothing any more.
#[derive(Debug)]
struct Unsaid;

/// The writing half.
#[derive(Debug)]
pub(crate) struct Mouth<'a>(&'a mut SplitSink<WebSocketStream<TcpStream>, Message>);

/// How sockets are configured: small buffers, because there are many of them.
pub(crate) fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(64 * 1024)
        .max_message_size(Some(READ_BYTES_MAX))
        .max_frame_size(Some(READ_BYTES_MAX))
}

impl Socket {
    pub(crate) fn new(stream: WebSocketStream<TcpStream>) -> Self {
        let (sink, stream) = stream.split();
        Self { sink, stream }
    }

    /// The first frame; None when none came in time or the peer left.
    pub(crate) async fn first(&mut self, deadline: Instant) -> Option<Heard> {
        let mut ear = Ear(&mut self.stream);
        match timeout_at(deadline, ear.hear()).await {
            Ok(Heard::End(End::Closed)) | Err(_) => None,
            Ok(heard) => Some(heard),
        }
    }

    /// The two halves, to be used at once.
    pub(crate) fn halves(&mut self) -> (Ear<'_>, Mouth<'_>) {
        (Ear(&mut self.stream), Mouth(&mut self.sink))
    }

    /// Ends the connection with an error before it has an outbox.
    pub(crate) async fn refuse(self, face: Face, error: &WireError) {
        let outbox = Outbox::new(usize::MAX);
        outbox.close(error_frame(face, error), error.code);
        self.finish(face, &outbox, None).await;
    }

    /// Ends the connection. `end` tells how reading ended; None when it was writing that ended, or
    /// when the last word is still in the outbox.
    pub(crate) async fn finish(mut self, face: Face, outbox: &Outbox, end: Option<End>) {
        match end {
            Some(End::Closed | End::Silent) => return,
            Some(End::Unreadable) => {
                let error = WireError::new(
                    ErrorCode::TooLarge,
                    format!(
                        "a frame is over {READ_BYTES_MAX} bytes and was not read, so what follows \
                         cannot be told from it; connect again and send frames of at most \
                         {BRIDGE_FRAME_BYTES_MAX} bytes"
                    ),
                )
                .closing();
                outbox.close(error_frame(face, &error), error.code);
            }
            None => {}
        }
        // A write that fails has no one left to tell.
        let _ = timeout(WRITE_MAX, Mouth(&mut self.sink).speak(outbox)).await;
        let _ = timeout(LINGER_MAX, self.linger()).await;
    }

    /// Reads until the peer closes, so that it gets to read the hub's last word.
    async fn linger(mut self) {
        while let Some(Ok(_)) = self.stream.next().await {}
        let Ok(mut whole) = self.stream.reunite(self.sink) else {
            return;
        };
        let mut unread = vec![0_u8; 16 * 1024];
        while let Ok(1..) = whole.get_mut().read(&mut unread).await {}
    }
}

impl Ear<'_> {
    /// Waits for the next frame that matters.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let Ok(next) = timeout(SILENCE_MAX, self.0.next()).await else {
                return Heard::End(End::Silent);
            };
            match next {
                Some(Ok(Message::Text(text))) if text.len() > BRIDGE_FRAME_BYTES_MAX => {
                    return Heard::Misfit(WireError::new(
                        ErrorCode::TooLarge,
                        format!(
                            "a frame of {} bytes is over the limit of {BRIDGE_FRAME_BYTES_MAX} and \
                             was not read; send smaller batches",
                            text.len()
                        ),
                    ));
                }
                Some(Ok(Message::Text(text))) => return Heard::Text(text),
                Some(Ok(Message::Binary(_))) => {
                    return Heard::Misfit(WireError::new(
                        ErrorCode::Malformed,
                        "a binary frame was not read; send text frames of JSON",
                    ));
                }
                Some(Ok(
                    Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_),
                )) => {}
                Some(Err(WsError::Capacity(_))) => return Heard::End(End::Unreadable),
                Some(Err(_)) | None => return Heard::End(End::Closed),
            }
        }
    }
}

impl Mouth<'_> {
    /// Writes what comes into `outbox`, until its last word is said or the peer takes no more.
    pub(crate) async fn speak(&mut self, outbox: &Outbox) {
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let said = tokio::select! {
                outgoing = outbox.next() => match outgoing {
                    Outgoing::Frames(frames) => self.write(frames).await,
                    Outgoing::Close(code) => {
                        self.close(code.close_code(), &format!("{code:?}")).await;
                        return;
                    }
                    Outgoing::GoAway => {
                        self.close(GOING_AWAY, "the hub shuts down").await;
                        return;
                    }
                },
                _ = ping.tick() => {
                    let ping = Message::Ping(Bytes::new());
                    in_time(self.0.send(ping)).await
                }
            };
            if said.is_err() {
                return;
            }
        }
    }

    async fn write(&mut self, frames: Vec<Utf8Bytes>) -> Result<(), Unsaid> {
        for frame in frames {
            in_time(self.0.feed(Message::Text(frame))).await?;
        }
        in_time(self.0.flush()).await
    }

    async fn close(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        // A write that fails has no one left to tell.
        let _ = in_time(self.0.send(Message::Close(Some(frame)))).await;
    }
}

async fn in_time(write: impl Future<Output = Result<(), WsError>>) -> Result<(), Unsaid> {
    match timeout(WRITE_MAX, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Unsaid),
    }
}
