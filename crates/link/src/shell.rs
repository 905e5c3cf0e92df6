//! The task that owns the socket.
//!
//! Reading and writing go on side by side, so that a peer that only talks cannot block what we
//! say, nor the other way round.

use std::future::{self, Future};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use holdfast_domain::Timestamp;
use holdfast_protocol::clock;
use holdfast_protocol::error::WireError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{self, Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::backoff::Backoff;
use crate::config::LinkConfig;
use crate::event::{ClosedReason, ConfigFault, HiccupReason, LinkEvent};
use crate::verdict::{error_in, error_of_close, is_fatal};

/// Frames written before a flush: a flush per frame costs ten times the frames themselves.
const FLUSH_AFTER: usize = 64;

/// A frame to write, and the connection that it belongs to.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) connection: u64,
    pub(crate) text: String,
}

/// When the peer was last heard, shared with the owner.
#[derive(Debug)]
pub(crate) struct Heard {
    wall_ms: AtomicI64,
    steady_ms: AtomicI64,
    origin: Instant,
}

/// Where the shell gets its byte streams from: TCP, or a test's own.
pub(crate) trait Dial: Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send;

    fn dial(
        &mut self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

/// Plain TCP.
#[derive(Debug)]
pub(crate) struct TcpDial;

/// The task's state.
pub(crate) struct Shell<D> {
    config: LinkConfig,
    dial: D,
    events: mpsc::Sender<(u64, LinkEvent)>,
    out: mpsc::Receiver<Outgoing>,
    heard: Arc<Heard>,
    backoff: Backoff,
    connection: u64,
}

/// How a connection, or an attempt at one, ended.
enum End {
    Retry(HiccupReason),
    Final(ClosedReason),
}

impl<D: Dial> Shell<D> {
    pub(crate) fn new(
        config: LinkConfig,
        dial: D,
        events: mpsc::Sender<(u64, LinkEvent)>,
        out: mpsc::Receiver<Outgoing>,
        heard: Arc<Heard>,
    ) -> Self {
        Self {
            backoff: Backoff::new(&config.timing, config.seed),
            config,
            dial,
            events,
            out,
            heard,
            connection: 0,
        }
    }

    pub(crate) async fn run(mut self) {
        let reason = self.keep_connected().await;
        tracing::info!(%reason, "link closed");
        // An owner that is gone needs no last word.
        let _ = self
            .events
            .send((self.connection, LinkEvent::Closed { reason }))
            .await;
    }

    async fn keep_connected(&mut self) -> ClosedReason {
        let (request, host, port) = match target(&self.config) {
            Ok(target) => target,
            Err(fault) => return ClosedReason::BadConfig(fault),
        };
        loop {
            self.connection += 1;
            let reason = match self.connect(&request, &host, port).await {
                Ok(socket) => match self.serve(socket).await {
                    End::Retry(reason) => reason,
                    End::Final(reason) => return reason,
                },
                Err(End::Retry(reason)) => reason,
                Err(End::Final(reason)) => return reason,
            };
            let (attempt, retry_in) = self.backoff.fail();
            tracing::info!(attempt, ?retry_in, %reason, "link hiccup");
            let hiccup = LinkEvent::Hiccup {
                attempt,
                retry_in,
                reason,
            };
            let wait = async {
                let _ = self.events.send((self.connection, hiccup)).await;
                time::sleep(retry_in).await;
            };
            tokio::select! {
                () = wait => {}
                () = discard(&mut self.out) => return ClosedReason::Stopped,
            }
        }
    }

    /// One attempt.
    async fn connect(
        &mut self,
        request: &Request,
        host: &str,
        port: u16,
    ) -> Result<WebSocketStream<D::Stream>, End> {
        let limit = self.config.frame_bytes_max;
        let web_socket = WebSocketConfig::default()
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit));
        let attempt = async {
            let stream = self
                .dial
                .dial(host, port)
                .await
                .map_err(|error| HiccupReason::Unreachable(error.to_string()))
                .map_err(End::Retry)?;
            let (socket, _) = client_async_with_config(request.clone(), stream, Some(web_socket))
                .await
                .map_err(refused_handshake)?;
            Ok(socket)
        };
        let connect_max = self.config.timing.connect_max;
        tokio::select! {
            socket = attempt => socket,
            () = time::sleep(connect_max) => {
                Err(End::Retry(HiccupReason::ConnectTimedOut(connect_max)))
            }
            () = discard(&mut self.out) => Err(End::Final(ClosedReason::Stopped)),
        }
    }

    /// One connection, from its first frame to its end.
    async fn serve(&mut self, mut socket: WebSocketStream<D::Stream>) -> End {
        self.heard.touch();
        let connected = self.events.send((self.connection, LinkEvent::Connected));
        let is_owned = tokio::select! {
            told = connected => told.is_ok(),
            () = discard(&mut self.out) => false,
        };
        if !is_owned {
            // A goodbye is polite, not necessary.
            let _ = time::timeout(self.config.timing.write_max, socket.close(None)).await;
            return End::Final(ClosedReason::Stopped);
        }
        let (sink, stream) = socket.split();
        let timing = self.config.timing;
        let mut reader = Reader {
            connection: self.connection,
            stream,
            events: &self.events,
            heard: &self.heard,
            silence_max: timing.silence_max,
            live_since: None,
            last_error: None,
        };
        let mut writer = Writer {
            connection: self.connection,
            sink,
            out: &mut self.out,
            ping_every: timing.ping_every,
            write_max: timing.write_max,
        };
        let end = tokio::select! {
            end = reader.run() => end,
            end = writer.run() => end,
        };
        if let Some(since) = reader.live_since
            && since.elapsed() >= timing.live_min
        {
            self.backoff.reset();
        }
        end
    }
}

struct Reader<'a, S> {
    connection: u64,
    stream: SplitStream<WebSocketStream<S>>,
    events: &'a mpsc::Sender<(u64, LinkEvent)>,
    heard: &'a Heard,
    silence_max: Duration,
    /// Since when frames that are no errors arrive.
    live_since: Option<Instant>,
    /// The error after which the peer said that it closes.
    last_error: Option<WireError>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reader<'_, S> {
    async fn run(&mut self) -> End {
        loop {
            // Room first: while the owner is behind nothing is read, and that is not silence.
            let Ok(room) = self.events.reserve().await else {
                // The owner is gone, and so its frames are: the writer ends, with a goodbye.
                return future::pending().await;
            };
            let Ok(read) = time::timeout(self.silence_max, self.stream.next()).await else {
                return End::Retry(HiccupReason::Silent(self.silence_max));
            };
            let message = match read {
                None => return End::Retry(self.lost("closed without a goodbye")),
                Some(Err(error)) => return End::Retry(self.lost(&error.to_string())),
                Some(Ok(message)) => message,
            };
            self.heard.touch();
            match message {
                Message::Text(text) => {
                    let text = text.as_str();
                    match error_in(text) {
                        Some(error) if is_fatal(error.code) => {
                            return End::Final(ClosedReason::Refused(error));
                        }
                        Some(error) if error.closing => self.last_error = Some(error),
                        Some(_) => {}
                        None => {
                            self.live_since.get_or_insert_with(Instant::now);
                        }
                    }
                    room.send((self.connection, LinkEvent::Message(text.to_owned())));
                }
                Message::Close(frame) => {
                    let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                        (frame.code.into(), frame.reason.to_string())
                    });
                    return self.closed_by_peer(code, &reason);
                }
                Message::Binary(_) => {
                    return End::Retry(self.lost("a binary frame, which is no frame of ours"));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    fn closed_by_peer(&mut self, code: u16, reason: &str) -> End {
        match error_of_close(code, reason) {
            Some(error) if is_fatal(error.code) => End::Final(ClosedReason::Refused(error)),
            Some(error) => {
                let error = self.last_error.take().unwrap_or(error);
                End::Retry(HiccupReason::Refused(error))
            }
            None => End::Retry(self.lost(&format!("closed with code {code} {reason}"))),
        }
    }

    /// The reason for a lost connection: what the peer said last, if it said that it closes.
    fn lost(&mut self, how: &str) -> HiccupReason {
        self.last_error
            .take()
            .map_or_else(|| HiccupReason::Lost(how.to_owned()), HiccupReason::Refused)
    }
}

struct Writer<'a, S> {
    connection: u64,
    sink: SplitSink<WebSocketStream<S>, Message>,
    out: &'a mut mpsc::Receiver<Outgoing>,
    ping_every: Duration,
    write_max: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Writer<'_, S> {
    async fn run(&mut self) -> End {
        let mut ping = time::interval(self.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                frame = self.out.recv() => match frame {
                    Some(frame) if frame.connection == self.connection => {
                        Message::text(frame.text)
                    }
                    Some(_) => continue,
                    None => {
                        // The owner is gone; a goodbye is polite, not necessary.
                        let _ = time::timeout(self.write_max, self.sink.close()).await;
                        return End::Final(ClosedReason::Stopped);
                    }
                },
                _ = ping.tick() => Message::Ping(Vec::new().into()),
            };
            let write_max = self.write_max;
            match time::timeout(write_max, self.write(first)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return End::Retry(HiccupReason::Lost(error.to_string())),
                Err(_) => return End::Retry(HiccupReason::WriteTimedOut(write_max)),
            }
        }
    }

    /// Writes one frame and what waits behind it, then flushes once.
    async fn write(&mut self, first: Message) -> Result<(), WsError> {
        self.sink.feed(first).await?;
        for _ in 1..FLUSH_AFTER {
            let Ok(frame) = self.out.try_recv() else {
                break;
            };
            if frame.connection == self.connection {
                self.sink.feed(Message::text(frame.text)).await?;
            }
        }
        self.sink.flush().await?;
        Ok(())
    }
}

impl Dial for TcpDial {
    type Stream = TcpStream;

    async fn dial(&mut self, host: &str, port: u16) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            wall_ms: AtomicI64::new(0),
            steady_ms: AtomicI64::new(-1),
            origin: Instant::now(),
        }
    }
}

impl Heard {
    fn touch(&self) {
        let steady = self.origin.elapsed().as_millis() as i64;
        self.wall_ms
            .store(clock::now().as_millis(), Ordering::Relaxed);
        self.steady_ms.store(steady, Ordering::Release);
    }

    pub(crate) fn at(&self) -> Option<Timestamp> {
        (self.steady_ms.load(Ordering::Acquire) >= 0)
            .then(|| Timestamp::from_millis(self.wall_ms.load(Ordering::Relaxed)))
    }

    pub(crate) fn silent_for(&self) -> Option<Duration> {
        let heard_at = self.at()?;
        let steady =
            self.origin.elapsed().as_millis() as i64 - self.steady_ms.load(Ordering::Acquire);
        let wall = clock::now().since(heard_at);
        Some(Duration::from_millis(steady.max(wall).max(0) as u64))
    }
}

/// Takes and drops frames of connections that are gone. Ends when the owner is gone.
async fn discard(out: &mut mpsc::Receiver<Outgoing>) {
    while out.recv().await.is_some() {}
}

/// The handshake's request, and where to dial.
fn target(config: &LinkConfig) -> Result<(Request, String, u16), ConfigFault> {
    let bad = || ConfigFault::Address(config.url.clone());
    let mut request = config
        .url
        .as_str()
        .into_client_request()
        .map_err(|_| bad())?;
    match request.uri().scheme_str() {
        Some("ws") => {}
        Some("wss") => return Err(ConfigFault::Tls(config.url.clone())),
        _ => return Err(bad()),
    }
    let host = request.uri().host().ok_or_else(bad)?;
    // An IPv6 address stands in brackets in an address of a page, and without them for a socket.
    let host = host.trim_matches(['[', ']']).to_owned();
    let port = request.uri().port_u16().unwrap_or(80);
    if let Some(token) = &config.token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
            .map_err(|_| ConfigFault::Token)?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok((request, host, port))
}

fn refused_handshake(error: WsError) -> End {
    match error {
        WsError::Http(response) => match response.status().as_u16() {
            status @ (401 | 403) => End::Final(ClosedReason::TokenRefused(status)),
            status => End::Retry(HiccupReason::NoWebSocket(status)),
        },
        other => End::Retry(HiccupReason::Unreachable(other.to_string())),
    }
}

#[cfg(test)]
mod tests;
