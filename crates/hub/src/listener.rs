//! The door: one TCP listener, two paths, no browsers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_protocol::limits::HELLO_MS_MAX;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};

use crate::config::Limits;
use crate::session::socket::{Socket, websocket_config};
use crate::session::{self, Door, Face, Knock};

const BRIDGE_PATH: &str = "/v1/bridge";
const CONSOLE_PATH: &str = "/v1/console";

/// How long the listener waits after the system refused it a connection (no file descriptors): it
/// goes on by itself when connections end.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How long a hub that stops waits for its peers to hear so.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// What is said to a connection for which there is no room, before any WebSocket.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\
    Content-Type: text/plain\r\nRetry-After: 1\r\nContent-Length: 54\r\n\r\n\
    The hub has no room for one more connection right now.";

/// Whether a hub may listen here.
pub(crate) fn may_listen(address: SocketAddr, insecure_plain_text: bool) -> bool {
    address.ip().is_loopback() || insecure_plain_text
}

/// Accepts connections until `stop` turns true, then waits for those that are open to end.
pub(crate) async fn run(
    listener: TcpListener,
    door: Arc<Door>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    let strangers = Arc::new(Semaphore::new(limits.unauthenticated_max));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
        };
        let room = Arc::clone(&connections)
            .try_acquire_owned()
            .and_then(|place| Ok((place, Arc::clone(&strangers).try_acquire_owned()?)));
        if let Ok((place, stranger)) = room {
            tokio::spawn(welcome(stream, place, stranger, Arc::clone(&door)));
        } else {
            tracing::warn!("a connection is refused: there is no room for one more");
            tokio::spawn(send_away(stream));
        }
    }
    drop(listener);
    let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    // Peers that do not say goodbye in time are left behind.
    let _ = timeout(GOODBYE_MAX, connections.acquire_many(all)).await;
}

/// Ends when the hub stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could say so is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn send_away(mut stream: TcpStream) {
    let deadline = Instant::now() + Duration::from_secs(1);
    let said = timeout_at(deadline, async {
        stream.write_all(NO_ROOM).await?;
        stream.shutdown().await
    });
    if let Ok(Err(error)) = said.await {
        tracing::debug!(%error, "a connection without room left first");
    }
}

async fn welcome(
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
    stranger: OwnedSemaphorePermit,
    door: Arc<Door>,
) {
    let deadline = Instant::now() + Duration::from_millis(HELLO_MS_MAX);
    let mut came = None;
    #[expect(
        clippy::result_large_err,
        reason = "the callback's type is tungstenite's"
    )]
    let callback = |request: &Request, response: Response| {
        came = Some(read_request(request)?);
        Ok(response)
    };
    let accepted =
        accept_hdr_async_with_config(without_delay(stream), callback, Some(websocket_config()));
    let stream = match timeout_at(deadline, accepted).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a connection did not become a WebSocket");
            return;
        }
        Err(_) => {
            tracing::warn!("a connection did not become a WebSocket in time");
            return;
        }
    };
    let Some((face, bearer)) = came else {
        return;
    };
    let knock = Knock {
        face,
        bearer,
        deadline,
        stranger,
    };
    session::run(Socket::new(stream), knock, door).await;
}

/// Frames are written whole and flushed once a batch; waiting for more only adds delay.
fn without_delay(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    stream
}

/// Which face is asked for, and with which token.
#[expect(clippy::result_large_err, reason = "the error's type is tungstenite's")]
fn read_request(request: &Request) -> Result<(Face, Option<String>), ErrorResponse> {
    if request.headers().contains_key(header::ORIGIN) {
        tracing::warn!("a browser is refused");
        return Err(http_error(
            StatusCode::FORBIDDEN,
            "Browsers have no business here: a request with an Origin header is refused.",
        ));
    }
    let face = match request.uri().path() {
        BRIDGE_PATH => Face::Bridge,
        CONSOLE_PATH => Face::Console,
        _ => {
            return Err(http_error(
                StatusCode::NOT_FOUND,
                "Bridges connect to /v1/bridge and consoles to /v1/console.",
            ));
        }
    };
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .map(|value| bearer_token(value.as_bytes()));
    Ok((face, bearer))
}

/// The token of an `Authorization` header; empty, which no token is, when it has another form.
fn bearer_token(value: &[u8]) -> String {
    let value = std::str::from_utf8(value).unwrap_or("");
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        Some(_) | None => String::new(),
    }
}

fn http_error(status: StatusCode, text: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(text.to_owned()));
    *response.status_mut() = status;
    response
}

/// Binds the listener.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_this_machine_needs_a_word() {
        for (address, insecure, allowed) in [
            ("127.0.0.1:0", false, true),
            ("[::1]:7420", false, true),
            ("0.0.0.0:7420", false, false),
            ("192.0.2.1:7420", false, false),
            ("[::]:7420", false, false),
            ("0.0.0.0:7420", true, true),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(
                may_listen(address, insecure),
                allowed,
                "{address} {insecure}"
            );
        }
    }

    #[test]
    fn only_bearer_tokens_are_read() {
        for (value, token) in [
            ("Bearer abc", "abc"),
            ("bearer  abc ", "abc"),
            ("Basic abc", ""),
            ("abc", ""),
            ("", ""),
        ] {
            assert_eq!(bearer_token(value.as_bytes()), token, "{value:?}");
        }
    }

    #[test]
    fn the_word_for_no_room_has_the_length_that_it_says() {
        let text = std::str::from_utf8(NO_ROOM).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
