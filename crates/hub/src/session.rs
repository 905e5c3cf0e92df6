//! One connection from its first frame to its end, whatever its face.
//!
//! ```text
//! hello in time -> token -> right -> version -> the face's own loop -> close, linger
//!       |            |        |         |
//!       +------------+--------+---------+-> error frame, close code 4000+n
//! ```

pub(crate) mod bridge;
pub(crate) mod console;
pub(crate) mod socket;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::console::Identity;
use holdfast_protocol::error::{ErrorCode, WireError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use crate::config::Clock;
use crate::core::Input;
use crate::tokens::TokenTable;
use socket::Socket;

/// Text that is received and not yet durable, over all connections, in bytes: 64 of the largest
/// frames. Past it a connection is simply not read, and TCP holds its peer back.
const INBOUND_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Frames of one connection that are received and not yet durable, so that one peer that floods
/// leaves room in the core's queue for the others.
const INBOUND_FRAMES_MAX: usize = 256;

/// One connection, for as long as the hub runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionId(pub(crate) u64);

/// Which of the two faces of the hub a connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Bridge,
    Console,
}

/// What every connection shares.
#[derive(Debug)]
pub(crate) struct Door {
    tokens: TokenTable,
    core: mpsc::Sender<Input>,
    inbound: Arc<Semaphore>,
    clock: Clock,
    sessions: AtomicU64,
}

/// How a connection came in.
#[derive(Debug)]
pub(crate) struct Knock {
    pub(crate) face: Face,
    /// The token of its `Authorization` header.
    pub(crate) bearer: Option<String>,
    /// Until when it must have said hello.
    pub(crate) deadline: Instant,
    /// Its place among the strangers; given back once it has shown a token.
    pub(crate) stranger: OwnedSemaphorePermit,
}

/// Room that a received frame takes up until it is durable. Dropping it makes room.
#[derive(Debug)]
pub(crate) struct Room {
    _bytes: OwnedSemaphorePermit,
    _frame: OwnedSemaphorePermit,
}

impl Door {
    pub(crate) fn new(tokens: TokenTable, core: mpsc::Sender<Input>, clock: Clock) -> Self {
        Self {
            tokens,
            core,
            inbound: Arc::new(Semaphore::new(INBOUND_BYTES_MAX)),
            clock,
            sessions: AtomicU64::new(1),
        }
    }

    fn next_session(&self) -> SessionId {
        SessionId(self.sessions.fetch_add(1, Ordering::Relaxed))
    }

    /// Whose token it is: that of the header, or else that of the hello.
    fn identify(&self, knock: &Knock, in_hello: Option<&str>) -> Result<Identity, WireError> {
        let token = knock.bearer.as_deref().or(in_hello).ok_or_else(|| {
            refusal(
                ErrorCode::Unauthorized,
                "there is no token; send it as `Authorization: Bearer TOKEN` or in `hello`",
            )
        })?;
        self.tokens.identify(token).ok_or_else(|| {
            refusal(
                ErrorCode::Unauthorized,
                "this hub does not know the token; ask whoever runs it for a new one",
            )
        })
    }
}

impl Room {
    /// Room that was made elsewhere.
    pub(crate) fn of(bytes: OwnedSemaphorePermit, frame: OwnedSemaphorePermit) -> Self {
        Self {
            _bytes: bytes,
            _frame: frame,
        }
    }

    /// Waits until there is room for a frame of `bytes`.
    async fn take(door: &Door, frames: &Arc<Semaphore>, bytes: usize) -> Self {
        let bytes = u32::try_from(bytes.min(INBOUND_BYTES_MAX)).unwrap_or(u32::MAX);
        let frame = Arc::clone(frames).acquire_owned().await;
        let bytes = Arc::clone(&door.inbound).acquire_many_owned(bytes).await;
        Self {
            _bytes: bytes.expect("this semaphore is never closed"),
            _frame: frame.expect("this semaphore is never closed"),
        }
    }
}

/// Serves one connection to its end.
pub(crate) async fn run(socket: Socket, knock: Knock, door: Arc<Door>) {
    match knock.face {
        Face::Bridge => bridge::run(socket, knock, &door).await,
        Face::Console => console::run(socket, knock, &door).await,
    }
}

/// Ends a connection before it became a session.
async fn turn_away(socket: Socket, face: Face, error: &WireError) {
    tracing::warn!(?face, code = ?error.code, "a connection is refused: {}", error.message);
    socket.refuse(face, error).await;
}

/// An error that ends the connection.
fn refusal(code: ErrorCode, message: &str) -> WireError {
    WireError::new(code, message).closing()
}

fn check_version(protocol: u32) -> Result<(), WireError> {
    if protocol != PROTOCOL_VERSION {
        return Err(refusal(
            ErrorCode::UnsupportedProtocol,
            &format!(
                "the hub speaks version {PROTOCOL_VERSION} of the protocol and the peer \
                 {protocol}; update the older of the two"
            ),
        ));
    }
    Ok(())
}

fn no_hello_in_time() -> WireError {
    refusal(
        ErrorCode::HelloExpected,
        "no `hello` came within 5 s of connecting; send it as the first frame",
    )
}

/// The error, as the face writes it.
pub(crate) fn error_frame(face: Face, error: &WireError) -> String {
    match face {
        Face::Bridge => {
            crate::words::to_bridge(&holdfast_protocol::bridge::HubFrame::Error(error.clone()))
        }
        Face::Console => {
            crate::words::to_console(&holdfast_protocol::console::HubToConsole::Error {
                error: error.clone(),
            })
        }
    }
}
