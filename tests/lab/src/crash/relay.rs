//! Between the hub and everybody who is connected to it: it counts the frames that pass, and kills
//! the hub at the one that it was told to.
//!
//! A frame at which the hub is killed is either lost or passed on, and what the hub had already
//! written is either lost or delivered: all four happen in the field.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use holdfast_domain::CommandId;
use holdfast_protocol::bridge::{CommandFrame, HubFrame, parse_hub_frame};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, connect_async};

/// What kind of frame the hub is killed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Point {
    /// An order on its way to the platform.
    Command,
    /// The platform's answer on its way to the hub.
    Answer,
    /// What happened on calls, on its way to the hub.
    Events,
    /// The hub's word that it has them on its disk.
    Ack,
    /// What a console is told of runs and commands.
    Record,
    /// What a console asks for.
    Request,
}

impl Point {
    pub(super) const ALL: [Self; 6] = [
        Self::Command,
        Self::Answer,
        Self::Events,
        Self::Ack,
        Self::Record,
        Self::Request,
    ];

    /// The most frames that are let pass before: what a run of two dozen calls has of them.
    pub(super) const fn skip_max(self) -> u32 {
        match self {
            Self::Command | Self::Answer => 40,
            Self::Events | Self::Ack | Self::Record => 60,
            Self::Request => 2,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Answer => "answer",
            Self::Events => "events",
            Self::Ack => "ack",
            Self::Record => "record",
            Self::Request => "request",
        }
    }

    const fn is_towards_hub(self) -> bool {
        matches!(self, Self::Answer | Self::Events | Self::Request)
    }
}

/// When the hub is killed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trigger {
    pub(super) point: Point,
    /// Frames of the kind that pass before.
    pub(super) skip: u32,
    /// The frame itself is passed on.
    pub(super) is_passed: bool,
    /// What the hub wrote before its death is delivered.
    pub(super) is_delivered: bool,
}

/// A command as it left the hub.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// The first of its frames.
    pub(super) frame: CommandFrame,
    /// It came again with other words under the same id.
    pub(super) is_changed: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Where the hub is, and its process; None while it is dead.
    hub: Option<(SocketAddr, Pid)>,
    trigger: Option<Trigger>,
    /// The hub that the trigger killed delivers what it wrote.
    is_delivered: bool,
    sent: BTreeMap<CommandId, Sent>,
}

/// Where bridges and consoles connect instead of the hub.
#[derive(Debug, Clone)]
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Told when the trigger fired.
    fired: Arc<Notify>,
    /// Bridges may come in.
    gate: watch::Sender<bool>,
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    On,
    /// The hub died at it: it is the last that is passed on.
    Last,
    /// The hub died at it: it is lost.
    Lost,
}

impl Relay {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("listen for bridges and consoles")?;
        let relay = Self {
            address: listener.local_addr()?,
            state: Arc::default(),
            fired: Arc::default(),
            gate: watch::Sender::new(true),
        };
        let own = relay.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let own = own.clone();
                // A connection that breaks is what is tested; both ends notice by themselves.
                tokio::spawn(async move {
                    let _ = own.carry(near).await;
                });
            }
        });
        Ok(relay)
    }

    /// A hub is there.
    pub(super) fn hub_is_at(&self, address: SocketAddr, process: Pid) {
        self.lock().hub = Some((address, process));
    }

    /// Kills the hub when this comes.
    pub(super) fn arm(&self, trigger: Trigger) {
        self.lock().trigger = Some(trigger);
    }

    /// Waits until the hub was killed.
    pub(super) async fn fired(&self) {
        self.fired.notified().await;
    }

    /// Lets bridges in, or has them wait.
    pub(super) fn let_bridges_in(&self, may: bool) {
        self.gate.send_replace(may);
    }

    /// Every command that left the hub.
    pub(super) fn sent(&self) -> BTreeMap<CommandId, Sent> {
        self.lock().sent.clone()
    }

    pub(super) fn sent_ids(&self) -> BTreeSet<CommandId> {
        self.lock().sent.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(&self, near: TcpStream) -> anyhow::Result<()> {
        near.set_nodelay(true)?;
        let (mut near, asked) = accept(near).await?;
        let is_bridge = asked.path.ends_with("/bridge");
        if is_bridge {
            let mut gate = self.gate.subscribe();
            gate.wait_for(|may| *may)
                .await
                .context("the campaign is over")?;
        }
        let Some((address, _)) = self.lock().hub else {
            bail!("no hub is there");
        };
        let mut request = format!("ws://{address}{}", asked.path).into_client_request()?;
        if let Some(token) = asked.token {
            request
                .headers_mut()
                .insert("authorization", token.parse().context("read a token")?);
        }
        let (mut far, _) = connect_async(request).await.context("connect to the hub")?;
        loop {
            tokio::select! {
                heard = near.next() => {
                    let Some(Ok(message)) = heard else { break };
                    match self.pass(true, is_bridge, &message) {
                        Pass::On => far.send(message).await?,
                        Pass::Last => {
                            // It is dead or dying: whether it still reads this is its chance.
                            let _ = far.send(message).await;
                            break;
                        }
                        Pass::Lost => break,
                    }
                }
                heard = far.next() => {
                    let Some(Ok(message)) = heard else { break };
                    match self.pass(false, is_bridge, &message) {
                        Pass::On => near.send(message).await?,
                        Pass::Last => {
                            near.send(message).await?;
                            break;
                        }
                        Pass::Lost => break,
                    }
                }
            }
        }
        if self.lock().is_delivered {
            while let Some(Ok(message)) = far.next().await {
                self.note(is_bridge, &message);
                near.send(message).await?;
            }
        }
        Ok(())
    }

    /// Counts a frame, and kills the hub when it is the one.
    fn pass(&self, is_towards_hub: bool, is_bridge: bool, message: &Message) -> Pass {
        if !is_towards_hub {
            self.note(is_bridge, message);
        }
        let Message::Text(text) = message else {
            return Pass::On;
        };
        let mut state = self.lock();
        let Some((_, process)) = state.hub else {
            // It was killed at a frame of another connection.
            return Pass::Lost;
        };
        let Some(trigger) = &mut state.trigger else {
            return Pass::On;
        };
        let is_it = trigger.point.is_towards_hub() == is_towards_hub
            && kind(is_towards_hub, is_bridge, text) == Some(trigger.point);
        if !is_it {
            return Pass::On;
        }
        if trigger.skip > 0 {
            trigger.skip -= 1;
            return Pass::On;
        }
        let (is_passed, is_delivered) = (trigger.is_passed, trigger.is_delivered);
        // An error means that it is dead already, which is found out by whoever waits for it.
        let _ = kill_process(process, Signal::KILL);
        state.hub = None;
        state.trigger = None;
        state.is_delivered = is_delivered;
        drop(state);
        self.fired.notify_one();
        if is_passed { Pass::Last } else { Pass::Lost }
    }

    /// A command that left the hub may have an effect, whether or not it arrives.
    fn note(&self, is_bridge: bool, message: &Message) {
        let Message::Text(text) = message else { return };
        if !is_bridge || !text.contains(r#""type":"command""#) {
            return;
        }
        let Ok(HubFrame::Command(frame)) = parse_hub_frame(text) else {
            return;
        };
        let mut state = self.lock();
        if let Some(sent) = state.sent.get_mut(&frame.command_id) {
            sent.is_changed |= sent.frame.call != frame.call || sent.frame.command != frame.command;
            return;
        }
        let sent = Sent {
            frame: *frame,
            is_changed: false,
        };
        state.sent.insert(sent.frame.command_id.clone(), sent);
    }
}

/// What a frame is, by its type.
fn kind(is_towards_hub: bool, is_bridge: bool, text: &str) -> Option<Point> {
    // An event has no type of ours, and a batch of them is a list.
    if is_towards_hub && is_bridge && text.starts_with('[') {
        return Some(Point::Events);
    }
    let frame: Value = serde_json::from_str(text).ok()?;
    match (frame["type"].as_str()?, is_towards_hub, is_bridge) {
        ("result", true, true) => Some(Point::Answer),
        (kind, true, true) if kind == "batch" || kind.starts_with("holdfast.") => {
            Some(Point::Events)
        }
        ("command", false, true) => Some(Point::Command),
        ("ack", false, true) => Some(Point::Ack),
        ("record", false, false) => Some(Point::Record),
        ("request", true, false) => Some(Point::Request),
        _ => None,
    }
}

struct Asked {
    path: String,
    token: Option<String>,
}

async fn accept(near: TcpStream) -> anyhow::Result<(WebSocketStream<TcpStream>, Asked)> {
    let mut asked = Asked {
        path: String::new(),
        token: None,
    };
    #[expect(
        clippy::result_large_err,
        reason = "the library's own signature for a refusal, which never happens here"
    )]
    let look = |request: &Request, response: Response| {
        request.uri().path().clone_into(&mut asked.path);
        let token = request.headers().get("authorization");
        asked.token = token
            .and_then(|token| token.to_str().ok())
            .map(str::to_owned);
        Ok(response)
    };
    let socket = accept_hdr_async(near, look).await.context("shake hands")?;
    Ok((socket, asked))
}
