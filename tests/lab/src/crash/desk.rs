//! A commander's console: it keeps every record that it was told, and notices when one is told
//! worse than before.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, anyhow, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use holdfast_domain::{CommandId, CommandRecord, Record, Reply, Request, Run, RunId};
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::console::{
    ConsoleFrame, HubToConsole, parse_hub_to_console, write_console_frame,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What was told of commands and runs, over all connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) commands: BTreeMap<CommandId, CommandRecord>,
    pub(super) runs: BTreeMap<RunId, Run>,
}

impl Told {
    fn take(&mut self, record: Record) {
        match record {
            Record::Command { command } => {
                self.commands.insert(command.id.clone(), *command);
            }
            Record::Run { run } => {
                self.runs.insert(run.id.clone(), *run);
            }
            Record::Handoff { .. } | Record::Cause { .. } | Record::Lever { .. } => {}
        }
    }
}

/// One connection of a commander.
#[derive(Debug)]
pub(super) struct Desk {
    ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(super) told: Told,
    pub(super) n_calls: usize,
    replies: BTreeMap<u64, Reply>,
    is_whole: bool,
    next_id: u64,
}

impl Desk {
    /// Connects, and waits for the whole picture.
    pub(super) async fn open(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let mut request = format!("ws://{address}/v1/console").into_client_request()?;
        let bearer = format!("Bearer {token}");
        request
            .headers_mut()
            .insert("authorization", bearer.parse()?);
        let (ws, _) = connect_async(request).await.context("open a console")?;
        let mut desk = Self {
            ws,
            told: Told::default(),
            n_calls: 0,
            replies: BTreeMap::new(),
            is_whole: false,
            next_id: 1,
        };
        desk.say(&ConsoleFrame::Hello {
            protocol: PROTOCOL_VERSION,
            token: None,
            resume: None,
            detail: Vec::new(),
        })
        .await?;
        while !desk.is_whole {
            desk.step().await?;
        }
        Ok(desk)
    }

    async fn say(&mut self, frame: &ConsoleFrame) -> anyhow::Result<()> {
        let text = write_console_frame(frame);
        self.ws.send(Message::text(text)).await?;
        Ok(())
    }

    /// Takes one frame in. An error is the end of the connection.
    pub(super) async fn step(&mut self) -> anyhow::Result<()> {
        let message = self.ws.next().await.context("the console was cut off")??;
        let Message::Text(text) = message else {
            return match message {
                Message::Close(_) => Err(anyhow!("the console was closed")),
                _ => Ok(()),
            };
        };
        match parse_hub_to_console(&text).map_err(|error| anyhow!("read a frame: {error:?}"))? {
            HubToConsole::Snapshot {
                first,
                last,
                calls,
                records,
                ..
            } => {
                if first {
                    self.told = Told::default();
                    self.n_calls = 0;
                }
                self.n_calls += calls.len();
                for record in records {
                    self.told.take(record);
                }
                self.is_whole |= last;
            }
            HubToConsole::Record { record, .. } => self.told.take(record),
            HubToConsole::Reply { id, reply } => {
                self.replies.insert(id, reply);
            }
            HubToConsole::Error { error } => bail!("the hub says: {}", error.message),
            _ => {}
        }
        Ok(())
    }

    /// Asks, and waits for the reply.
    pub(super) async fn ask(&mut self, request: Request) -> anyhow::Result<Reply> {
        let id = self.next_id;
        self.next_id += 1;
        self.say(&ConsoleFrame::Request { id, request }).await?;
        loop {
            if let Some(reply) = self.replies.remove(&id) {
                return Ok(reply);
            }
            self.step().await?;
        }
    }
}
