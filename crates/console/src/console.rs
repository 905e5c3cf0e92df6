//! The loop that owns link, replica and the requests that wait for an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_domain::{CallId, Refusal, RefusalCode, Reply, Request};
use holdfast_link::{Link, LinkConfig, LinkEvent, SendError, Token};
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::console::{
    ConsoleFrame, HubToConsole, parse_hub_to_console, write_console_frame,
};
use holdfast_protocol::error::ErrorCode;
use holdfast_protocol::limits::CONSOLE_FRAME_BYTES_MAX;
use holdfast_protocol::window::{About, Frame, FrameRequest};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::clock::SteadyClock;
use crate::replica::{Applied, Replica};

/// Questions of the window that wait for the loop. A window has one frame in flight and a person
/// has two hands; beyond this the window waits.
const ASKS_MAX: usize = 64;

/// Requests that wait for the hub. More than a person can have under way with a hub that answers
/// within [`REPLY_MAX`].
const PENDING_MAX: usize = 64;

/// How long the hub may take to answer a request. It answers once the intent is written, which
/// takes milliseconds; a person who waited this long wants to know.
const REPLY_MAX: Duration = Duration::from_secs(10);

/// How long the console waits before it connects anew to a hub that it did not understand. What was
/// not understood will be said again; a person who watches wants to read why.
const RELINK_AFTER: Duration = Duration::from_secs(2);

/// What a console needs to know.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// `ws://HOST:PORT/v1/console`.
    pub hub_url: String,
    /// Who this console speaks for.
    pub token: Token,
    /// What the window tells about the program.
    pub about: About,
    /// Seeds the jitter of reconnects; different on each desk.
    pub seed: u64,
}

/// A running console. Clones share it; it ends when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Console {
    asks: mpsc::Sender<Ask>,
}

/// The console's loop has ended, which only happens when the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the console has stopped; start the program again")]
pub struct Gone;

#[derive(Debug)]
enum Ask {
    Frame {
        request: FrameRequest,
        answer: oneshot::Sender<Frame>,
    },
    Request {
        request: Request,
        answer: oneshot::Sender<Reply>,
    },
}

impl Console {
    /// Starts to connect. Must be called inside a tokio runtime.
    pub fn start(config: ConsoleConfig) -> Self {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        tokio::spawn(Loop::new(config, asked).run());
        Self { asks }
    }

    /// What the window paints next.
    pub async fn frame(&self, request: FrameRequest) -> Result<Frame, Gone> {
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Frame { request, answer };
        self.asks.send(ask).await.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }

    /// Asks the hub for something. Every outcome is a reply: what cannot be asked, and what got
    /// no answer, is refused with its reason.
    pub async fn request(&self, request: Request) -> Reply {
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Request { request, answer };
        let gone = || refused(RefusalCode::Unreachable, Gone.to_string());
        if self.asks.send(ask).await.is_err() {
            return gone();
        }
        answered.await.unwrap_or_else(|_| gone())
    }
}

#[derive(Debug)]
struct Loop {
    asked: mpsc::Receiver<Ask>,
    link_config: LinkConfig,
    link: LinkState,
    replica: Replica,
    clock: SteadyClock,
    pending: BTreeMap<u64, Pending>,
    next_id: u64,
    /// What the hub was last told on this connection; None while it has not welcomed us.
    detail_told: Option<Vec<CallId>>,
}

/// Whether there is a link to listen to.
#[derive(Debug)]
enum LinkState {
    /// It connects, lives or heals itself.
    Up(Link),
    /// We closed it; a new one starts then.
    Resting(Instant),
    /// It gave up for good.
    Closed,
}

/// A request that the hub has, or will never have.
#[derive(Debug)]
struct Pending {
    answer: oneshot::Sender<Reply>,
    until: Instant,
    /// It changes nothing, so that its loss needs no care.
    harmless: bool,
}

impl Loop {
    fn new(config: ConsoleConfig, asked: mpsc::Receiver<Ask>) -> Self {
        let link_config =
            LinkConfig::new(config.hub_url, Some(config.token), CONSOLE_FRAME_BYTES_MAX)
                .seeded(config.seed);
        Self {
            asked,
            link: LinkState::Up(Link::start(link_config.clone())),
            link_config,
            replica: Replica::new(config.about),
            clock: SteadyClock::start(),
            pending: BTreeMap::new(),
            next_id: 1,
            detail_told: None,
        }
    }

    async fn run(mut self) {
        loop {
            let overdue = self.pending.values().map(|pending| pending.until).min();
            tokio::select! {
                event = self.link.next() => self.on_link(event),
                ask = self.asked.recv() => match ask {
                    Some(ask) => self.on_ask(ask),
                    None => return,
                },
                () = tokio::time::sleep_until(overdue.unwrap_or_else(Instant::now)),
                    if overdue.is_some() => self.give_up_overdue(Instant::now()),
            }
            self.tell_detail();
        }
    }

    fn on_link(&mut self, event: Option<LinkEvent>) {
        let Some(event) = event else {
            self.link = LinkState::Up(Link::start(self.link_config.clone()));
            return;
        };
        match event {
            LinkEvent::Connected => self.say_hello(),
            LinkEvent::Message(text) => self.on_message(&text),
            LinkEvent::Hiccup {
                attempt,
                retry_in,
                reason,
            } => {
                tracing::info!(attempt, ?retry_in, %reason, "the link to the hub broke");
                let retry_at = self.clock.now() + retry_in.as_millis() as i64;
                self.replica
                    .link_broke(attempt, retry_at, reason.to_string());
                self.forget_connection();
            }
            LinkEvent::Closed { reason } => {
                tracing::error!(%reason, "the link to the hub is closed");
                self.link = LinkState::Closed;
                self.replica.link_closed(reason.to_string());
                self.forget_connection();
            }
        }
    }

    fn say_hello(&mut self) {
        self.detail_told = None;
        let hello = ConsoleFrame::Hello {
            protocol: PROTOCOL_VERSION,
            token: None, // it is in the header
            resume: self.replica.resume_point(),
            detail: self.replica.detail_wanted(),
        };
        if let Err(error) = self.say(&hello) {
            // The hub closes a connection without a hello, and the link makes another.
            tracing::warn!(%error, "the hello was not taken");
        }
    }

    fn on_message(&mut self, text: &str) {
        let frame = match parse_hub_to_console(text) {
            Ok(frame) => frame,
            Err(error) => {
                self.on_not_understood(error.code, text.len());
                return;
            }
        };
        let welcomed = matches!(frame, HubToConsole::Welcome { .. });
        let now = self.clock.now();
        match self.replica.apply(frame, now) {
            Applied::Nothing => {}
            Applied::Reply { id, reply } => {
                if let Some(pending) = self.pending.remove(&id) {
                    pending.answer(reply);
                }
            }
        }
        if welcomed {
            self.detail_told = Some(Vec::new());
        }
    }

    /// A kind of frame that this version does not know can be done without. One that it knows and
    /// cannot read may be a change, so that nobody knows what is true: the picture is given up.
    fn on_not_understood(&mut self, code: ErrorCode, bytes: usize) {
        // Its content stays out of the log: it may hold a caller's words.
        tracing::error!(?code, bytes, "a frame of the hub was not understood");
        if code == ErrorCode::UnknownFrameType {
            return;
        }
        self.link = LinkState::Resting(Instant::now() + RELINK_AFTER);
        self.replica.forget_resume_point();
        let retry_at = self.clock.now() + RELINK_AFTER.as_millis() as i64;
        let reason = "the hub said something that this console cannot read; are both of the same \
                      version?";
        self.replica.link_broke(1, retry_at, reason.to_owned());
        self.forget_connection();
    }

    fn on_ask(&mut self, ask: Ask) {
        let now = self.clock.now();
        match ask {
            Ask::Frame { request, answer } => {
                // An answer that nobody waits for any more is of no use to anybody.
                let _ = answer.send(self.replica.frame(&request, now));
            }
            Ask::Request { request, answer } => {
                let refusal = self.replica.refusal(&request, now);
                let pending = Pending {
                    answer,
                    until: Instant::now() + REPLY_MAX,
                    harmless: matches!(request, Request::Preview { .. }),
                };
                match refusal {
                    Some(refusal) => pending.answer(Reply::Refused { refusal }),
                    None => self.pass_on(request, pending),
                }
            }
        }
    }

    fn pass_on(&mut self, request: Request, pending: Pending) {
        if self.pending.len() >= PENDING_MAX {
            let why = "Nothing was done. Too many requests wait for the hub's answer; try again \
                       when some are answered.";
            pending.answer(refused(RefusalCode::Unreachable, why));
            return;
        }
        let id = self.next_id;
        self.next_id += 1;
        match self.say(&ConsoleFrame::Request { id, request }) {
            Ok(()) => {
                self.pending.insert(id, pending);
            }
            Err(error) => pending.answer(refused(
                RefusalCode::Unreachable,
                format!("Nothing was done. The hub could not be told: {error}. Try again."),
            )),
        }
    }

    fn give_up_overdue(&mut self, now: Instant) {
        for (_, overdue) in self
            .pending
            .extract_if(.., |_, pending| pending.until <= now)
        {
            let reply = overdue.unanswered("The hub has not answered in 10 s");
            overdue.answer(reply);
        }
    }

    /// What belonged to the connection ends with it.
    fn forget_connection(&mut self) {
        self.detail_told = None;
        for pending in std::mem::take(&mut self.pending).into_values() {
            let reply = pending.unanswered("The connection broke before the hub answered");
            pending.answer(reply);
        }
    }

    /// Tells the hub which calls are open, if it does not know yet.
    fn tell_detail(&mut self) {
        let Some(told) = &self.detail_told else {
            return;
        };
        let calls = self.replica.detail_wanted();
        if *told != calls {
            // A queue that is full now has room again before the window's next frame.
            let frame = ConsoleFrame::Detail {
                calls: calls.clone(),
            };
            if self.say(&frame).is_ok() {
                self.detail_told = Some(calls);
            }
        }
    }

    fn say(&self, frame: &ConsoleFrame) -> Result<(), SendError> {
        match &self.link {
            LinkState::Up(link) => link.try_send(write_console_frame(frame)),
            LinkState::Resting(_) | LinkState::Closed => Err(SendError::NotConnected),
        }
    }
}

impl LinkState {
    /// The next thing that happened to the link; None when it is time for a new one. It may be
    /// dropped while it waits.
    async fn next(&mut self) -> Option<LinkEvent> {
        match self {
            Self::Up(link) => Some(link.next().await),
            Self::Resting(until) => {
                tokio::time::sleep_until(*until).await;
                None
            }
            Self::Closed => std::future::pending().await,
        }
    }
}

impl Pending {
    fn answer(self, reply: Reply) {
        // A window that was closed waits for nothing.
        let _ = self.answer.send(reply);
    }

    /// The honest answer when there is none.
    fn unanswered(&self, what_happened: &str) -> Reply {
        let rest = if self.harmless {
            "Ask again."
        } else {
            "It may or may not have arrived; its record will tell. Look before you do it again."
        };
        refused(RefusalCode::Unreachable, format!("{what_happened}. {rest}"))
    }
}

fn refused(code: RefusalCode, message: impl Into<String>) -> Reply {
    Reply::Refused {
        refusal: Refusal::new(code, message),
    }
}

#[cfg(test)]
mod tests;
