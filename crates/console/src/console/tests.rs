//! The loop against a fake hub over a real WebSocket in this process.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use holdfast_domain::{
    Act, ActId, ActVerb, CallId, HumanState, Refusal, RefusalCode, Reply, Request, Target,
};
use holdfast_protocol::clock;
use holdfast_protocol::console::{
    ConsoleFrame, HubToConsole, Identity, ResumePoint, Role, parse_console_frame,
    write_hub_to_console,
};
use holdfast_protocol::window::{BoardFilter, Connection};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::*;

/// How long anything may take on a machine with better things to do.
const DEADLINE: Duration = Duration::from_secs(20);

/// A hub that says what the test tells it to say.
struct FakeHub {
    listener: TcpListener,
}

struct Peer {
    socket: WebSocketStream<TcpStream>,
}

impl FakeHub {
    async fn start() -> (Self, Console) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hub_url = format!("ws://{}/v1/console", listener.local_addr().unwrap());
        let console = Console::start(ConsoleConfig {
            hub_url: hub_url.clone(),
            token: Token::new("secret"),
            about: About {
                version: "0.1.0".to_owned(),
                hub_url,
                embedded: false,
                bridge_url: None,
                connection_file: None,
            },
            seed: 1,
        });
        (Self { listener }, console)
    }

    async fn accept(&self) -> Peer {
        let (stream, _) = tokio::time::timeout(DEADLINE, self.listener.accept())
            .await
            .expect("the console connects")
            .unwrap();
        Peer {
            socket: tokio_tungstenite::accept_async(stream).await.unwrap(),
        }
    }

    /// Takes a connection, hears the hello and says welcome.
    async fn welcome(&self, epoch: &str) -> (Peer, Option<ResumePoint>, Vec<CallId>) {
        let mut peer = self.accept().await;
        let ConsoleFrame::Hello {
            protocol,
            token,
            resume,
            detail,
        } = peer.hear().await
        else {
            panic!("a console says hello first")
        };
        assert_eq!((protocol, token), (PROTOCOL_VERSION, None));
        peer.say(&HubToConsole::Welcome {
            protocol: PROTOCOL_VERSION,
            epoch: epoch.to_owned(),
            identity: Identity {
                name: "ana".to_owned(),
                roles: vec![Role::Supervisor, Role::Agent],
            },
            hub_time: clock::now(),
        })
        .await;
        (peer, resume, detail)
    }
}

impl Peer {
    async fn hear(&mut self) -> ConsoleFrame {
        loop {
            let message = tokio::time::timeout(DEADLINE, self.socket.next())
                .await
                .expect("the console says something")
                .expect("the connection stands")
                .unwrap();
            if let Message::Text(text) = message {
                return parse_console_frame(text.as_str()).unwrap();
            }
        }
    }

    async fn say(&mut self, frame: &HubToConsole) {
        self.say_text(write_hub_to_console(frame)).await;
    }

    async fn say_text(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn snapshot(&mut self, seq: u64) {
        self.say(&HubToConsole::Snapshot {
            seq,
            first: true,
            last: true,
            calls: Vec::new(),
            records: Vec::new(),
        })
        .await;
    }

    async fn beat(&mut self) {
        self.say(&HubToConsole::Beat {
            seq: 0,
            hub_time: clock::now(),
            lag_ms: 0,
            blind: None,
            bridges: Vec::new(),
            humans: Vec::new(),
        })
        .await;
    }
}

fn look(open: Option<&str>) -> FrameRequest {
    FrameRequest {
        ack: 0,
        first: 0,
        count: 10,
        frozen: false,
        filter: BoardFilter::default(),
        open: open.map(CallId::new),
    }
}

/// Pulls frames, as the window does, until one is as wanted.
async fn frame_when(console: &Console, wanted: impl Fn(&Frame) -> bool) -> Frame {
    let pull = async {
        loop {
            let frame = console.frame(look(None)).await.unwrap();
            if wanted(&frame) {
                return frame;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, pull)
        .await
        .expect("the frame comes")
}

fn acts_are_on(frame: &Frame) -> bool {
    frame.status.actions_off.is_none()
}

fn act() -> Request {
    Request::Act {
        act: Act {
            id: ActId::new("a-1"),
            verb: ActVerb::PauseAi,
            target: Target::AllCalls,
        },
    }
}

fn refusal(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused { refusal } => refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn requests_go_to_the_hub_and_its_answers_come_back() {
    let (hub, console) = FakeHub::start().await;
    let early = refusal(console.request(act()).await);
    assert_eq!(early.code, RefusalCode::Unreachable);

    let (mut peer, resume, detail) = hub.welcome("e1").await;
    assert_eq!((resume, detail), (None, Vec::new()));
    peer.snapshot(1).await;
    frame_when(&console, acts_are_on).await;

    let (first, second) = (console.clone(), console.clone());
    let first = tokio::spawn(async move { first.request(act()).await });
    let ConsoleFrame::Request {
        id: first_id,
        request,
    } = peer.hear().await
    else {
        panic!("the act goes to the hub")
    };
    assert_eq!(request, act());
    let away = Request::SetHumanState {
        state: HumanState::Away,
    };
    let second = tokio::spawn(async move { second.request(away).await });
    let ConsoleFrame::Request { id: second_id, .. } = peer.hear().await else {
        panic!("so does the other")
    };
    assert_ne!(first_id, second_id);
    let not_found = Reply::Refused {
        refusal: Refusal::new(RefusalCode::NotFound, "no such call"),
    };
    peer.say(&HubToConsole::Reply {
        id: second_id,
        reply: Reply::Done,
    })
    .await;
    peer.say(&HubToConsole::Reply {
        id: first_id,
        reply: not_found.clone(),
    })
    .await;
    assert_eq!(second.await.unwrap(), Reply::Done);
    assert_eq!(first.await.unwrap(), not_found);
}

#[tokio::test]
async fn a_broken_link_is_said_is_survived_and_goes_on_where_it_was() {
    let (hub, console) = FakeHub::start().await;
    let (mut peer, ..) = hub.welcome("e1").await;
    peer.snapshot(41).await;
    frame_when(&console, acts_are_on).await;

    let asking = console.clone();
    let asked = tokio::spawn(async move { asking.request(act()).await });
    peer.hear().await;
    drop(peer);
    let unanswered = refusal(asked.await.unwrap());
    assert_eq!(unanswered.code, RefusalCode::Unreachable);
    assert!(
        unanswered.message.contains("may or may not have arrived"),
        "{}",
        unanswered.message
    );

    let broken = frame_when(&console, |frame| frame.status.stale).await;
    assert!(matches!(
        broken.status.connection,
        Connection::Reconnecting { .. }
    ));
    let blind = refusal(console.request(act()).await);
    assert_eq!(blind.code, RefusalCode::Unreachable);
    assert!(
        blind.message.starts_with("Nothing was done."),
        "{}",
        blind.message
    );

    console.frame(look(Some("call-7"))).await.unwrap();
    let (mut peer, resume, detail) = hub.welcome("e1").await;
    let resume = resume.expect("it knows where it was");
    assert_eq!((resume.epoch.as_str(), resume.seq), ("e1", 41));
    assert_eq!(detail, [CallId::new("call-7")]);
    peer.beat().await;
    frame_when(&console, acts_are_on).await;
}

#[tokio::test]
async fn the_hub_is_told_which_call_is_open_once_for_each_change() {
    let (hub, console) = FakeHub::start().await;
    let (mut peer, ..) = hub.welcome("e1").await;
    peer.snapshot(1).await;
    frame_when(&console, acts_are_on).await;
    for open in [Some("call-1"), Some("call-1"), Some("call-2"), None] {
        console.frame(look(open)).await.unwrap();
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        let ConsoleFrame::Detail { calls } = peer.hear().await else {
            panic!("the open call is told")
        };
        told.push(calls);
    }
    let calls = |id| vec![CallId::new(id)];
    assert_eq!(told, [calls("call-1"), calls("call-2"), Vec::new()]);
}

#[tokio::test]
async fn a_hub_that_falls_silent_is_stale_within_two_seconds_though_the_link_stands() {
    let (hub, console) = FakeHub::start().await;
    let (mut peer, ..) = hub.welcome("e1").await;
    peer.snapshot(1).await;
    frame_when(&console, acts_are_on).await;
    let stale = frame_when(&console, |frame| frame.status.stale).await;
    assert_eq!(stale.status.connection, Connection::Live);
    let age = stale.status.fresh_ms.unwrap();
    assert!(age > stale.status.stale_after_ms, "{age}");
    assert_eq!(
        refusal(console.request(act()).await).code,
        RefusalCode::Stale
    );
    peer.beat().await;
    frame_when(&console, acts_are_on).await;
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_gives_the_picture_up() {
    let (hub, console) = FakeHub::start().await;
    let (mut peer, ..) = hub.welcome("e1").await;
    peer.snapshot(1).await;
    frame_when(&console, acts_are_on).await;
    // A kind of a later version can be done without.
    peer.say_text(r#"{"type":"fanfare","loud":true}"#.to_owned())
        .await;
    peer.beat().await;
    let frame = console.frame(look(None)).await.unwrap();
    assert!(acts_are_on(&frame));
    // A change that cannot be read cannot.
    peer.say_text(r#"{"type":"change","seq":"two"}"#.to_owned())
        .await;
    let frame = frame_when(&console, |frame| frame.status.stale).await;
    assert!(frame.status.actions_off.unwrap().contains("same version"));
    let (mut peer, resume, _) = hub.welcome("e1").await;
    assert_eq!(resume, None, "it asks for all of it");
    peer.beat().await;
    peer.snapshot(9).await;
    frame_when(&console, acts_are_on).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_answers_is_given_up() {
    let (asks, asked) = mpsc::channel(ASKS_MAX);
    drop(asks);
    let mut idle = Loop::new(
        ConsoleConfig {
            hub_url: "ws://127.0.0.1:1/v1/console".to_owned(),
            token: Token::new("secret"),
            about: About {
                version: String::new(),
                hub_url: String::new(),
                embedded: false,
                bridge_url: None,
                connection_file: None,
            },
            seed: 1,
        },
        asked,
    );
    let wait = |harmless| {
        let (answer, answered) = oneshot::channel();
        let until = Instant::now() + REPLY_MAX;
        (
            Pending {
                answer,
                until,
                harmless,
            },
            answered,
        )
    };
    let (act, mut act_answered) = wait(false);
    let (preview, mut preview_answered) = wait(true);
    idle.pending.insert(1, act);
    idle.pending.insert(2, preview);

    idle.give_up_overdue(Instant::now());
    assert!(act_answered.try_recv().is_err(), "there is time yet");
    tokio::time::advance(REPLY_MAX).await;
    idle.give_up_overdue(Instant::now());
    let given_up = refusal(act_answered.try_recv().unwrap());
    assert!(
        given_up.message.contains("may or may not have arrived"),
        "{}",
        given_up.message
    );
    let given_up = refusal(preview_answered.try_recv().unwrap());
    assert!(
        given_up.message.ends_with("Ask again."),
        "{}",
        given_up.message
    );
    assert!(idle.pending.is_empty());
}
