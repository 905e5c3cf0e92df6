//! A bridge and a console as a test drives them: raw frames, a deadline on every wait.

pub(crate) mod bridge;
pub(crate) mod console;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use holdfast_hub::tokens::Token;
use holdfast_hub::{Hub, HubConfig, RunningHub};
use holdfast_protocol::console::Role;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

/// Long enough for a busy machine; a test that waits this long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) type Ws = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A hub on a free port with its journal in a temporary folder.
pub(crate) struct TestHub {
    pub(crate) hub: RunningHub,
    pub(crate) tokens: Tokens,
    pub(crate) data: PathBuf,
    /// What a hub that comes up again is given too.
    pub(crate) config: HubConfig,
    /// Removed with the last test hub that uses it.
    folder: Option<tempfile::TempDir>,
}

/// One token of each role.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) bridge: Token,
    pub(crate) observer: Token,
    pub(crate) agent: Token,
    pub(crate) supervisor: Token,
    pub(crate) commander: Token,
}

impl Tokens {
    pub(crate) fn random() -> Self {
        Self {
            bridge: Token::random(),
            observer: Token::random(),
            agent: Token::random(),
            supervisor: Token::random(),
            commander: Token::random(),
        }
    }

    pub(crate) fn config(&self, data: &Path) -> HubConfig {
        HubConfig::loopback(
            data,
            vec![
                self.bridge.entry("bot", &[Role::Bridge]),
                self.observer.entry("olga", &[Role::Observer]),
                self.agent.entry("abe", &[Role::Agent]),
                self.supervisor.entry("ana", &[Role::Supervisor]),
                self.commander.entry("carl", &[Role::Commander]),
            ],
        )
    }
}

impl TestHub {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut HubConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let tokens = Tokens::random();
        let mut config = tokens.config(&data);
        change(&mut config);
        let hub = Hub::start(config.clone()).await.unwrap();
        Self {
            hub,
            tokens,
            data,
            config,
            folder: Some(folder),
        }
    }

    /// Ends the hub as a crash would, and starts another one on the same journal.
    pub(crate) async fn crash_and_start(mut self) -> Self {
        let folder = self.folder.take();
        drop(self.hub);
        Self::start_again(self.tokens, self.config, folder).await
    }

    /// Ends the hub in order, and starts another one on the same journal.
    pub(crate) async fn stop_and_start(mut self) -> Self {
        let folder = self.folder.take();
        self.hub.shutdown().await;
        Self::start_again(self.tokens, self.config, folder).await
    }

    async fn start_again(
        tokens: Tokens,
        config: HubConfig,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        // The journal's thread ends on its own after a crash, so its lock may be held a little
        // longer.
        let hub = timeout(DEADLINE, async {
            loop {
                match Hub::start(config.clone()).await {
                    Ok(hub) => return hub,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        })
        .await
        .expect("the hub starts again");
        Self {
            hub,
            tokens,
            data: config.data.clone(),
            config,
            folder,
        }
    }
}

fn request(url: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// Opens a WebSocket with these headers.
pub(crate) async fn open(url: &str, headers: &[(&'static str, &str)]) -> Result<Ws, Error> {
    let (ws, _) = timeout(DEADLINE, connect_async(request(url, headers)))
        .await
        .unwrap()?;
    Ok(ws)
}

/// Opens a WebSocket whose system takes little ahead of what is read.
pub(crate) async fn open_narrow(hub: &TestHub, url: &str, headers: &[(&'static str, &str)]) -> Ws {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(128 * 1024).unwrap();
    let stream = socket.connect(hub.hub.address).await.unwrap();
    let request = request(url, headers);
    let stream = MaybeTlsStream::Plain(stream);
    client_async(request, stream).await.unwrap().0
}

pub(crate) async fn send(ws: &mut Ws, frame: &Value) {
    send_text(ws, frame.to_string()).await;
}

pub(crate) async fn send_text(ws: &mut Ws, text: impl Into<String>) {
    let message = Message::Text(text.into().into());
    timeout(DEADLINE, ws.send(message)).await.unwrap().unwrap();
}

/// The next text frame; an Err with the close code when the hub closed instead.
pub(crate) async fn next(ws: &mut Ws) -> Result<Value, Option<u16>> {
    let text = next_text(ws).await?;
    Ok(serde_json::from_str(&text).unwrap())
}

/// The same, as it came.
pub(crate) async fn next_text(ws: &mut Ws) -> Result<Utf8Bytes, Option<u16>> {
    loop {
        let message = timeout(DEADLINE, ws.next())
            .await
            .expect("the hub says something before the deadline");
        match message {
            Some(Ok(Message::Text(text))) => return Ok(text),
            Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(None),
        }
    }
}

/// Reads on until a frame of this type.
pub(crate) async fn next_of(ws: &mut Ws, kind: &str) -> Value {
    let waited = timeout(DEADLINE, async {
        loop {
            let frame = next(ws).await.unwrap_or_else(|code| {
                panic!("the hub closed with {code:?} before it said {kind}");
            });
            if frame["type"] == kind {
                return frame;
            }
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("the hub did not say {kind}"))
}

/// Reads on until the hub closes; the last error that it said, and the close code.
pub(crate) async fn last_words(ws: &mut Ws) -> (Value, Option<u16>) {
    let mut error = Value::Null;
    let waited = timeout(DEADLINE, async {
        loop {
            match next(ws).await {
                Ok(frame) if frame["type"] == "error" => error = frame,
                Ok(_) => {}
                Err(code) => return code,
            }
        }
    });
    let code = waited.await.expect("the hub closes the connection");
    (error, code)
}
