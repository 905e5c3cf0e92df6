use std::io;

use holdfast_protocol::error::ErrorCode;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Asked, Response};
use tokio_tungstenite::{accept_async, accept_hdr_async};

use super::*;
use crate::{Link, SendError, Timing, Token};

const URL: &str = "ws://hub.example:9/v1/bridge";

/// Hands out byte streams that the test made.
struct TestDial(mpsc::Receiver<io::Result<DuplexStream>>);

impl Dial for TestDial {
    type Stream = DuplexStream;

    async fn dial(&mut self, _host: &str, _port: u16) -> io::Result<DuplexStream> {
        match self.0.recv().await {
            Some(stream) => stream,
            None => std::future::pending().await,
        }
    }
}

/// The other end of everything that a link dials.
struct Hub(mpsc::Sender<io::Result<DuplexStream>>);

type Socket = WebSocketStream<DuplexStream>;

fn config() -> LinkConfig {
    LinkConfig::new(URL, Some(Token::new("secret-1")), 64 * 1024)
}

fn start(config: LinkConfig) -> (Link, Hub) {
    let (streams, dial) = mpsc::channel(8);
    (Link::start_with(config, TestDial(dial)), Hub(streams))
}

impl Hub {
    async fn accept(&self) -> Socket {
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        self.0.send(Ok(theirs)).await.unwrap();
        accept_async(ours).await.unwrap()
    }

    async fn refuse(&self) {
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        self.0.send(Err(error)).await.unwrap();
    }
}

async fn connected(link: &mut Link, hub: &Hub) -> Socket {
    let (socket, event) = tokio::join!(hub.accept(), link.next());
    assert_eq!(event, LinkEvent::Connected);
    socket
}

async fn next_text(socket: &mut Socket) -> String {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return text.as_str().to_owned(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?} instead of a text frame"),
        }
    }
}

async fn hiccup(link: &mut Link) -> (u32, Duration, HiccupReason) {
    match link.next().await {
        LinkEvent::Hiccup {
            attempt,
            retry_in,
            reason,
        } => (attempt, retry_in, reason),
        other => panic!("{other:?} instead of a hiccup"),
    }
}

#[tokio::test(start_paused = true)]
async fn frames_go_both_ways_under_a_bearer_token() {
    let (mut link, hub) = start(config());
    let (ours, theirs) = tokio::io::duplex(16 * 1024);
    hub.0.send(Ok(theirs)).await.unwrap();
    let mut seen = None;
    #[expect(
        clippy::result_large_err,
        reason = "the type of the handshake callback is tungstenite's"
    )]
    let look = |asked: &Asked, answer: Response| {
        let token = asked.headers().get(header::AUTHORIZATION);
        seen = token.map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(asked.uri().path(), "/v1/bridge");
        Ok(answer)
    };
    let (socket, event) = tokio::join!(accept_hdr_async(ours, look), link.next());
    assert_eq!(event, LinkEvent::Connected);
    assert_eq!(seen.as_deref(), Some("Bearer secret-1"));

    let mut socket = socket.unwrap();
    link.send("hello".to_owned()).await.unwrap();
    assert_eq!(next_text(&mut socket).await, "hello");
    socket.send(Message::text("welcome")).await.unwrap();
    assert_eq!(link.next().await, LinkEvent::Message("welcome".to_owned()));
    assert!(link.last_heard().is_some());
    assert!(link.silent_for().unwrap() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn it_comes_back_and_says_nothing_of_the_old_connection() {
    let (mut link, hub) = start(config());
    assert_eq!(
        link.send("too early".to_owned()).await,
        Err(SendError::NotConnected)
    );
    let socket = connected(&mut link, &hub).await;
    drop(socket);
    // The owner has not seen the loss yet: this belongs to the first connection.
    link.send("of the old connection".to_owned()).await.unwrap();
    let (attempt, _, reason) = hiccup(&mut link).await;
    assert_eq!(attempt, 1);
    assert!(matches!(reason, HiccupReason::Lost(_)), "{reason:?}");
    assert_eq!(
        link.try_send("while away".to_owned()),
        Err(SendError::NotConnected)
    );
    let mut socket = connected(&mut link, &hub).await;
    link.send("hello again".to_owned()).await.unwrap();
    assert_eq!(next_text(&mut socket).await, "hello again");
}

#[tokio::test(start_paused = true)]
async fn frames_queued_for_a_lost_connection_are_not_sent_on_the_next() {
    let (mut link, hub) = start(config());
    let socket = connected(&mut link, &hub).await;
    drop(socket);
    let (_, _, _) = hiccup(&mut link).await;
    // As if queued at the very moment of the change: the shell must look at the number.
    let stale = Outgoing {
        connection: 1,
        text: "stale".to_owned(),
    };
    let (mut socket, event) = tokio::join!(hub.accept(), link.next());
    assert_eq!(event, LinkEvent::Connected);
    link.out.send(stale).await.unwrap();
    link.send("fresh".to_owned()).await.unwrap();
    assert_eq!(next_text(&mut socket).await, "fresh");
}

#[tokio::test(start_paused = true)]
async fn attempts_back_off_and_start_anew_after_a_live_connection() {
    let (mut link, hub) = start(config());
    for expected in 1..=4 {
        hub.refuse().await;
        let (attempt, retry_in, reason) = hiccup(&mut link).await;
        assert_eq!(attempt, expected);
        assert!(retry_in <= Timing::default().backoff_max);
        assert!(matches!(reason, HiccupReason::Unreachable(_)));
    }
    // Up, but gone before it was live for long enough: the count goes on.
    let mut socket = connected(&mut link, &hub).await;
    socket.send(Message::text("welcome")).await.unwrap();
    link.next().await;
    drop(socket);
    assert_eq!(hiccup(&mut link).await.0, 5);
    // Live for long enough: a first attempt again.
    let mut socket = connected(&mut link, &hub).await;
    socket.send(Message::text("welcome")).await.unwrap();
    link.next().await;
    time::sleep(Duration::from_secs(3)).await;
    drop(socket);
    assert_eq!(hiccup(&mut link).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn a_final_error_ends_it_with_a_sentence() {
    for code in ["unauthorized", "forbidden", "unsupported_protocol"] {
        let (mut link, hub) = start(config());
        let mut socket = connected(&mut link, &hub).await;
        let frame = format!(r#"{{"type":"error","code":"{code}","message":"No.","closing":true}}"#);
        socket.send(Message::text(frame)).await.unwrap();
        for _ in 0..2 {
            let LinkEvent::Closed { reason } = link.next().await else {
                panic!("not closed");
            };
            assert_eq!(
                reason.to_string(),
                "the hub refused this connection: No.",
                "{code}"
            );
        }
        assert_eq!(link.send(String::new()).await, Err(SendError::NotConnected));
    }
}

#[tokio::test(start_paused = true)]
async fn other_errors_are_tried_again_and_told() {
    let (mut link, hub) = start(config());
    let mut socket = connected(&mut link, &hub).await;
    let frame = r#"{"type":"error","code":"source_in_use","message":"Two of you.","closing":true}"#;
    socket.send(Message::text(frame)).await.unwrap();
    assert_eq!(link.next().await, LinkEvent::Message(frame.to_owned()));
    drop(socket);
    let (_, _, reason) = hiccup(&mut link).await;
    let HiccupReason::Refused(error) = reason else {
        panic!("{reason:?}");
    };
    assert_eq!(error.code, ErrorCode::SourceInUse);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_dead_and_one_that_answers_pings_is_not() {
    let (mut link, hub) = start(config());
    let socket = connected(&mut link, &hub).await;
    let began = Instant::now();
    let (_, _, reason) = hiccup(&mut link).await;
    let silence = Timing::default().silence_max;
    assert_eq!(reason, HiccupReason::Silent(silence));
    assert!(began.elapsed() >= silence && began.elapsed() < silence * 2);
    assert!(link.silent_for().unwrap() >= silence);
    drop(socket);

    let mut socket = connected(&mut link, &hub).await;
    let answering = async { while socket.next().await.is_some() {} };
    tokio::select! {
        () = answering => panic!("the link hung up"),
        event = link.next() => panic!("{event:?}"),
        () = time::sleep(Duration::from_mins(1)) => {}
    }
    assert!(link.silent_for().unwrap() <= Timing::default().ping_every);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_times_out() {
    let (mut link, hub) = start(config());
    let (_, _, reason) = hiccup(&mut link).await;
    assert_eq!(
        reason,
        HiccupReason::ConnectTimedOut(Duration::from_secs(5))
    );
    // TCP is up and the handshake hangs.
    let (_ours, theirs) = tokio::io::duplex(1024);
    hub.0.send(Ok(theirs)).await.unwrap();
    let (attempt, _, reason) = hiccup(&mut link).await;
    assert_eq!(attempt, 2);
    assert_eq!(
        reason,
        HiccupReason::ConnectTimedOut(Duration::from_secs(5))
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_owner_loses_nothing_and_is_no_silence() {
    const N: usize = crate::IN_FRAMES_MAX * 3;
    let (mut link, hub) = start(config());
    let mut socket = connected(&mut link, &hub).await;
    let talk = tokio::spawn(async move {
        for i in 0..N {
            socket.send(Message::text(i.to_string())).await.unwrap();
        }
        socket
    });
    time::sleep(Duration::from_mins(2)).await;
    for i in 0..N {
        assert_eq!(link.next().await, LinkEvent::Message(i.to_string()));
    }
    talk.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_lost_after_a_while_and_never_blocks_try_send() {
    let mut config = config();
    config.timing.silence_max = Duration::from_hours(1);
    let (mut link, hub) = start(config);
    let _socket = connected(&mut link, &hub).await;
    let big = "x".repeat(4_096);
    let full = loop {
        if let Err(error) = link.try_send(big.clone()) {
            break error;
        }
    };
    assert_eq!(full, SendError::Full);
    assert_eq!(link.room(), 0);
    let (_, _, reason) = hiccup(&mut link).await;
    assert_eq!(
        reason,
        HiccupReason::WriteTimedOut(Timing::default().write_max)
    );
}

#[tokio::test(start_paused = true)]
async fn a_frame_over_the_limit_ends_the_connection() {
    let (mut link, hub) = start(config());
    let mut socket = connected(&mut link, &hub).await;
    let too_large = "x".repeat(64 * 1024 + 1);
    let (_, event) = tokio::join!(socket.send(Message::text(too_large)), link.next());
    let LinkEvent::Hiccup { reason, .. } = event else {
        panic!("{event:?}");
    };
    assert!(matches!(reason, HiccupReason::Lost(_)), "{reason:?}");
}

// In real time: a paused clock runs ahead whenever a socket makes everybody wait, and so past the
// limit of the goodbye.
#[tokio::test]
async fn a_dropped_link_says_goodbye() {
    let (mut link, hub) = start(config());
    let mut socket = connected(&mut link, &hub).await;
    drop(link);
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(_))) => break,
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("{other:?} instead of a goodbye"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_cannot_work_closes_at_once() {
    let check = async |url: &str, token: &str, words: &str| {
        let (mut link, _hub) = start(LinkConfig::new(url, Some(Token::new(token)), 1024));
        let LinkEvent::Closed { reason } = link.next().await else {
            panic!("{url} is not refused");
        };
        let told = reason.to_string();
        assert!(told.contains(words), "{told}");
    };
    check("no address", "t", "not an address").await;
    check("http://hub/v1/bridge", "t", "not an address").await;
    check("wss://hub/v1/bridge", "t", "TLS").await;
    check(URL, "to\nken", "token").await;
}

#[tokio::test]
async fn over_tcp_it_finds_a_hub_that_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut link = Link::start(LinkConfig::new(
        format!("ws://{address}/v1/console"),
        None,
        1024,
    ));
    let accept = async |listener: &TcpListener| {
        let (stream, _) = listener.accept().await.unwrap();
        accept_async(stream).await.unwrap()
    };
    let (socket, event) = tokio::join!(accept(&listener), link.next());
    assert_eq!(event, LinkEvent::Connected);
    drop((socket, listener));
    let (attempt, _, _) = hiccup(&mut link).await;
    assert_eq!(attempt, 1);

    let listener = TcpListener::bind(address).await.unwrap();
    let mut socket = accept(&listener).await;
    while link.next().await != LinkEvent::Connected {}
    link.send("hello".to_owned()).await.unwrap();
    let frame = socket.next().await.unwrap().unwrap();
    assert!(
        frame.is_ping() || frame == Message::text("hello"),
        "{frame:?}"
    );
}

#[tokio::test]
async fn over_tcp_a_refused_token_is_final() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1/console", listener.local_addr().unwrap());
    let mut link = Link::start(LinkConfig::new(url, Some(Token::new("old")), 1024));
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut asked = [0; 1024];
    assert!(stream.read(&mut asked).await.unwrap() > 0);
    let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    assert_eq!(
        link.next().await,
        LinkEvent::Closed {
            reason: ClosedReason::TokenRefused(401)
        }
    );
}
