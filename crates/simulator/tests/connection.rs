//! The simulator over a real WebSocket, against a hub of a few lines.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows tests by their attribute; the helpers here are test code too"
)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use holdfast_domain::fact::Fact;
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::bridge::{BridgeFrame, Hello, HubFrame, Welcome, write_hub_frame};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::event::{Inbound, parse_bridge_frame};
use holdfast_simulator::{ClosedReason, FaultError, FaultScope, RunningSimulator};
use holdfast_simulator::{Simulator, SimulatorConfig, Token};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

const SOON: Duration = Duration::from_secs(20);

fn start(listener: &TcpListener) -> RunningSimulator {
    let address = listener.local_addr().unwrap();
    Simulator::start(SimulatorConfig {
        url: format!("ws://{address}"),
        token: Token::new("secret-1"),
        calls: 20,
        seed: 7,
        faults: Vec::new(),
    })
    .unwrap()
}

struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        Self(accept_async(stream).await.unwrap())
    }

    async fn text(&mut self) -> Option<String> {
        loop {
            match tokio::time::timeout(SOON, self.0.next())
                .await
                .unwrap()?
                .ok()?
            {
                Message::Text(text) => return Some(text.as_str().to_owned()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    async fn hello(&mut self) -> Hello {
        let text = self.text().await.unwrap();
        match parse_bridge_frame(&text).unwrap() {
            Inbound::Control(BridgeFrame::Hello(hello)) => hello,
            other => panic!("{other:?} instead of hello"),
        }
    }

    async fn say(&mut self, frame: &HubFrame) {
        let text = write_hub_frame(frame);
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// Reads events until one matches; the answer is the last sequence that was read, and the
    /// first.
    async fn events_until(&mut self, wanted: impl Fn(&Fact<'_>) -> bool) -> (u64, u64) {
        let mut first = None;
        loop {
            let text = self.text().await.unwrap();
            let Inbound::Events(events) = parse_bridge_frame(&text).unwrap() else {
                continue;
            };
            for event in events {
                let first = *first.get_or_insert(event.sequence);
                if wanted(&event.fact.unwrap().fact) {
                    return (first, event.sequence);
                }
            }
        }
    }
}

fn welcome(resume_after: u64, snapshot: bool) -> HubFrame {
    HubFrame::Welcome(Welcome {
        protocol: PROTOCOL_VERSION,
        resume_after,
        snapshot,
        max_frame_bytes: 1024 * 1024,
        max_batch: 1024,
    })
}

#[tokio::test]
async fn it_introduces_itself_resumes_and_stops() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = start(&listener);
    let mut peer = Peer::accept(&listener).await;
    let first_hello = peer.hello().await;
    peer.say(&welcome(0, true)).await;
    let caught_up = |fact: &Fact<'_>| matches!(fact, Fact::StreamCaughtUp);
    let (first, last) = peer.events_until(caught_up).await;
    assert_eq!(first, 1);
    drop(peer);

    let mut peer = Peer::accept(&listener).await;
    let hello = peer.hello().await;
    assert_eq!(hello.epoch, first_hello.epoch);
    peer.say(&welcome(last, false)).await;
    let beat = |fact: &Fact<'_>| matches!(fact, Fact::BridgeHeartbeat { live_calls, .. } if *live_calls > 10);
    let (first, _) = peer.events_until(beat).await;
    assert_eq!(first, last + 1, "it goes on where the hub was");

    running.shutdown().await;
    while peer.text().await.is_some() {}
}

#[tokio::test]
async fn a_hub_that_refuses_it_ends_it_with_a_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut running = start(&listener);
    let mut peer = Peer::accept(&listener).await;
    peer.hello().await;
    let error = WireError::new(ErrorCode::Unauthorized, "This token is unknown.").closing();
    peer.say(&HubFrame::Error(error.clone())).await;
    let reason = tokio::time::timeout(SOON, running.refused()).await.unwrap();
    assert_eq!(reason, ClosedReason::Refused(error));
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_refused_before_it_starts() {
    let started = Simulator::start(SimulatorConfig {
        url: "ws://127.0.0.1:1".to_owned(),
        token: Token::new("secret-1"),
        calls: 1,
        seed: 7,
        faults: vec![("llm_504".to_owned(), FaultScope::default())],
    });
    assert!(matches!(started, Err(FaultError::UnknownFault(_))));
}
