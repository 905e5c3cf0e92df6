//! A console's connection: hello, then requests to the core and frames from it.

use std::sync::Arc;

use holdfast_domain::CallId;
use holdfast_protocol::console::{ConsoleFrame, Identity, ResumePoint, Role};
use holdfast_protocol::error::{ErrorCode, WireError};
use tokio::sync::Semaphore;

use super::socket::{Ear, End, Heard, Socket};
use super::{
    Door, Face, INBOUND_FRAMES_MAX, Knock, Room, SessionId, check_version, error_frame,
    no_hello_in_time, refusal, turn_away,
};
use crate::core::{ConsoleHello, Input};
use crate::outbox::Outbox;

/// What may wait to be written to one console, in bytes. The core adds view frames only while less
/// than a few MB wait, and a frame is at most 8 MB; the rest is room for
/// replies. A console that does not even take those is closed.
const OUTBOX_BYTES_MAX: usize = 16 * 1024 * 1024;

struct Hello {
    protocol: u32,
    token: Option<String>,
    resume: Option<ResumePoint>,
    detail: Vec<CallId>,
}

pub(super) async fn run(mut socket: Socket, knock: Knock, door: &Arc<Door>) {
    let heard = socket.first(knock.deadline).await;
    let hello = match heard.map_or_else(|| Err(no_hello_in_time()), read_hello) {
        Ok(hello) => hello,
        Err(error) => return turn_away(socket, Face::Console, &error).await,
    };
    let identity = match admit(&knock, door, &hello) {
        Ok(identity) => identity,
        Err(error) => return turn_away(socket, Face::Console, &error).await,
    };
    drop(knock.stranger);

    let session = door.next_session();
    let outbox = Outbox::new(OUTBOX_BYTES_MAX);
    tracing::info!(session = session.0, name = identity.name, "a console");
    let arrived = Input::ConsoleHello(Box::new(ConsoleHello {
        session,
        identity,
        resume: hello.resume,
        detail: hello.detail,
        outbox: outbox.clone(),
    }));
    if door.core.send(arrived).await.is_err() {
        return;
    }
    let (mut ear, mut mouth) = socket.halves();
    let end = tokio::select! {
        end = read(&mut ear, session, door, &outbox) => Some(end),
        () = mouth.speak(&outbox) => None,
        () = door.core.closed() => {
            outbox.go_away();
            None
        }
    };
    tracing::info!(session = session.0, ?end, "a console is gone");
    let _ = door.core.send(Input::ConsoleGone { session }).await;
    socket.finish(Face::Console, &outbox, end).await;
}

fn read_hello(heard: Heard) -> Result<Hello, WireError> {
    let text = match heard {
        Heard::Text(text) => text,
        Heard::Misfit(error) => return Err(error.closing()),
        Heard::End(_) => {
            return Err(refusal(
                ErrorCode::TooLarge,
                "the first frame is far too large for a `hello`; it was not read",
            ));
        }
    };
    match crate::words::from_console(&text).map_err(WireError::closing)? {
        ConsoleFrame::Hello {
            protocol,
            token,
            resume,
            detail,
        } => Ok(Hello {
            protocol,
            token,
            resume,
            detail,
        }),
        ConsoleFrame::Detail { .. } | ConsoleFrame::Request { .. } => Err(refusal(
            ErrorCode::HelloExpected,
            "the first frame must be a hello; nothing of this one was used",
        )),
    }
}

fn admit(knock: &Knock, door: &Door, hello: &Hello) -> Result<Identity, WireError> {
    let identity = door.identify(knock, hello.token.as_deref())?;
    if identity.roles.iter().all(|role| *role == Role::Bridge) {
        return Err(refusal(
            ErrorCode::Forbidden,
            "this token is a bridge's; it opens the bridge face (/v1/bridge) only",
        ));
    }
    check_version(hello.protocol)?;
    Ok(identity)
}

async fn read(ear: &mut Ear<'_>, session: SessionId, door: &Door, outbox: &Outbox) -> End {
    let frames = Arc::new(Semaphore::new(INBOUND_FRAMES_MAX));
    loop {
        let misfit = match ear.hear().await {
            Heard::Text(text) => match read_frame(&text) {
                Ok(frame) => {
                    let input = Input::ConsoleFrame {
                        session,
                        frame: Box::new(frame),
                        arrived: door.clock.now(),
                        room: Room::take(door, &frames, text.len()).await,
                    };
                    if door.core.send(input).await.is_err() {
                        return End::Closed;
                    }
                    continue;
                }
                Err(error) => error,
            },
            Heard::Misfit(error) => error,
            Heard::End(end) => return end,
        };
        // No room for an error means that nobody reads errors there.
        if outbox.push(error_frame(Face::Console, &misfit)).is_err() {
            return End::Silent;
        }
    }
}

fn read_frame(text: &str) -> Result<ConsoleFrame, WireError> {
    let frame = crate::words::from_console(text)?;
    match &frame {
        ConsoleFrame::Hello { .. } => Err(WireError::new(
            ErrorCode::UnknownFrameType,
            "hello is said once, as the first frame; it was ignored",
        )),
        ConsoleFrame::Detail { .. } | ConsoleFrame::Request { .. } => Ok(frame),
    }
}
