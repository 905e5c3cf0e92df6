//! What it costs to order ten thousand calls at once: an intent on the disk for each, the orders
//! over a real WebSocket, and an answer to every one.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use holdfast_domain::{
    ActId, CallId, Command, CommandId, CommandRecord, CommandState, Layer, Progress, Record,
    SourceId, Timestamp,
};
use holdfast_journal::{Batch, Journal, Options, StoredRecord};
use holdfast_protocol::bridge::{CommandFrame, HubFrame, write_hub_frame};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, accept_async, connect_async_with_config};

use crate::clock::elapsed;

/// How this is measured, told with the figures.
pub const SETUP: &str = "One batch of intents is written in one transaction of the hub's journal, \
    with its fsync, then each order is a frame over a loopback WebSocket to a peer that answers \
    each. The bare loop writes the same frames, made before, over the same socket to the same peer, \
    and waits for the same answers.";

const BEGAN: Timestamp = Timestamp::from_millis(1_780_000_000_000);

/// What one round took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// From the decided orders to the last answer, intents on the disk before the first byte.
    pub all_acked: Duration,
    /// Of it the journal.
    pub journal: Duration,
    /// The same frames without intents.
    pub bare: Duration,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Rounds of `commands` orders each.
pub fn rounds(commands: usize, rounds: u32) -> anyhow::Result<Vec<Took>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(measure(commands, rounds))
}

async fn measure(commands: usize, rounds: u32) -> anyhow::Result<Vec<Took>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let peer = tokio::spawn(answer_all(listener));
    let (mut socket, _) = connect_async_with_config(url, None, true)
        .await
        .context("connect to the peer")?;
    let data = tempfile::tempdir().context("make a folder for the journal")?;
    let options = Options::new("bench", BEGAN);
    let (mut journal, _) = Journal::open(data.path(), options).context("open a journal")?;
    let mut took = Vec::new();
    for round in 0..rounds {
        let records: Vec<CommandRecord> = (0..commands).map(|n| record(round, n)).collect();
        let frames: Vec<String> = records.iter().map(frame).collect();
        let began = elapsed();
        write_and_wait(&mut socket, frames).await?;
        let bare = elapsed().saturating_sub(began);

        let began = elapsed();
        let first = u64::from(round) * commands as u64 + 1;
        let stored = records
            .iter()
            .zip(first..)
            .map(|(record, seq)| StoredRecord {
                seq,
                at: BEGAN,
                record: Record::Command {
                    command: Box::new(record.clone()),
                },
            });
        let batch = Batch {
            records: stored.collect(),
            ..Batch::default()
        };
        journal.append(&batch).context("write the intents")?;
        let written = elapsed().saturating_sub(began);
        let frames = records.iter().map(frame).collect();
        write_and_wait(&mut socket, frames).await?;
        took.push(Took {
            all_acked: elapsed().saturating_sub(began),
            journal: written,
            bare,
        });
    }
    socket.close(None).await.context("leave the peer")?;
    peer.await.context("the peer ends")??;
    Ok(took)
}

/// Writes every frame, and reads as many answers.
async fn write_and_wait(socket: &mut Socket, frames: Vec<String>) -> anyhow::Result<()> {
    let awaited = frames.len();
    let (mut sink, mut stream) = socket.split();
    let write = async {
        for frame in frames {
            sink.feed(Message::text(frame)).await?;
        }
        sink.flush().await
    };
    let read = async {
        let mut answers = 0;
        while answers < awaited {
            match stream.next().await {
                Some(Ok(Message::Text(_))) => answers += 1,
                other => bail!("{answers} of {awaited} orders were answered, then {other:?}"),
            }
        }
        Ok(())
    };
    let (written, answered) = tokio::join!(write, read);
    written.context("write the orders")?;
    answered
}

/// A peer that answers each order and does nothing else.
async fn answer_all(listener: TcpListener) -> anyhow::Result<()> {
    let (connection, _) = listener.accept().await?;
    connection.set_nodelay(true)?;
    let socket = accept_async(connection).await?;
    let (mut sink, mut stream) = socket.split();
    loop {
        // What is there is answered before the answers are pushed out.
        let message = if let Some(message) = stream.next().now_or_never() {
            message
        } else {
            sink.flush().await?;
            stream.next().await
        };
        let Some(message) = message else { break };
        match message? {
            Message::Text(text) => {
                let id = id_of(&text).context("an order without an id")?;
                let answer =
                    format!(r#"{{"type":"result","command_id":"{id}","state":"accepted"}}"#);
                sink.feed(Message::text(answer)).await?;
            }
            Message::Close(_) => break,
            _ => {}
        }
    }
    Ok(())
}

fn id_of(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(r#""command_id":""#)?;
    rest.split_once('"').map(|(id, _)| id)
}

fn record(round: u32, n: usize) -> CommandRecord {
    CommandRecord {
        id: CommandId::new(format!("policy-{round}.{n:06}")),
        act: ActId::new(format!("policy-{round}")),
        call: Some(CallId::new(format!("call-{n:06}"))),
        source: SourceId::new("//bridges/bench/1"),
        command: Command::SwitchModel {
            layer: Layer::Llm,
            to: "medium-3@us-east".to_owned(),
            retry_turn: true,
            announcement: Some("One moment, I am changing to another system.".to_owned()),
        },
        expect_active: Some("large-4@eu-west".to_owned()),
        actor: "policy model-vendor-down".to_owned(),
        issued_at: BEGAN,
        expires_at: BEGAN + 2_500,
        progress: vec![Progress {
            state: CommandState::Requested,
            at: BEGAN,
        }],
    }
}

fn frame(record: &CommandRecord) -> String {
    write_hub_frame(&HubFrame::Command(Box::new(CommandFrame {
        command_id: record.id.clone(),
        call: record.call.clone(),
        command: record.command.clone(),
        actor: record.actor.clone(),
        issued_at: record.issued_at,
        expires_at: record.expires_at,
        expect_active: record.expect_active.clone(),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_written_down_and_answered() {
        let took = rounds(200, 2).unwrap();
        assert_eq!(took.len(), 2);
        for took in took {
            assert!(took.journal > Duration::ZERO && took.bare > Duration::ZERO);
            assert!(took.all_acked > took.journal, "{took:?}");
        }
    }
}
