//! A bridge's connection: hello, then text to the core and frames from it.

use std::sync::Arc;

use holdfast_protocol::bridge::{BridgeFrame, Hello};
use holdfast_protocol::console::{Identity, Role};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::event::{Inbound, parse_bridge_frame};
use tokio::sync::Semaphore;

use super::socket::{Ear, End, Heard, Socket};
use super::{
    Door, Face, INBOUND_FRAMES_MAX, Knock, Room, SessionId, check_version, no_hello_in_time,
    refusal, turn_away,
};
use crate::core::Input;
use crate::outbox::Outbox;

/// What may wait to be written to one bridge, in bytes: 10,000 commands of about 400 bytes at once
/// are 4 MB. A bridge that does not take them is closed; when it comes back, what it has not
/// answered is sent again.
const OUTBOX_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The longest name of a source or an epoch, in bytes. `//bridges/<kind>/<instance>` with a host
/// name and a UUID is about 120.
const NAME_BYTES_MAX: usize = 256;

pub(super) async fn run(mut socket: Socket, knock: Knock, door: &Arc<Door>) {
    let heard = socket.first(knock.deadline).await;
    let hello = match heard.map_or_else(|| Err(no_hello_in_time()), read_hello) {
        Ok(hello) => hello,
        Err(error) => return turn_away(socket, Face::Bridge, &error).await,
    };
    let identity = match admit(&knock, door, &hello) {
        Ok(identity) => identity,
        Err(error) => return turn_away(socket, Face::Bridge, &error).await,
    };
    drop(knock.stranger);

    let session = door.next_session();
    let outbox = Outbox::new(OUTBOX_BYTES_MAX);
    tracing::info!(
        session = session.0,
        source = hello.source,
        name = identity.name,
        "a bridge"
    );
    let arrived = Input::BridgeHello {
        session,
        hello: Box::new(hello),
        outbox: outbox.clone(),
    };
    if door.core.send(arrived).await.is_err() {
        return;
    }
    let (mut ear, mut mouth) = socket.halves();
    let end = tokio::select! {
        end = read(&mut ear, session, door) => Some(end),
        () = mouth.speak(&outbox) => None,
        () = door.core.closed() => {
            outbox.go_away();
            None
        }
    };
    tracing::info!(session = session.0, ?end, "a bridge is gone");
    // The core learns it before the peer does: a bridge that comes back at once finds its place.
    let _ = door.core.send(Input::BridgeGone { session }).await;
    socket.finish(Face::Bridge, &outbox, end).await;
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
    match parse_bridge_frame(&text).map_err(WireError::closing)? {
        Inbound::Control(BridgeFrame::Hello(hello)) => Ok(hello),
        Inbound::Control(_) | Inbound::Events(_) => Err(refusal(
            ErrorCode::HelloExpected,
            "the first frame must be `hello`; nothing of this one was used",
        )),
    }
}

/// Checks that the peer may come in as this source.
fn admit(knock: &Knock, door: &Door, hello: &Hello) -> Result<Identity, WireError> {
    let identity = door.identify(knock, hello.token.as_deref())?;
    if !identity.roles.contains(&Role::Bridge) {
        return Err(refusal(
            ErrorCode::Forbidden,
            "this token is not a bridge's; it opens the console face (/v1/console)",
        ));
    }
    check_version(hello.protocol)?;
    for (field, name) in [("source", &hello.source), ("epoch", &hello.epoch)] {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(refusal(
                ErrorCode::WrongType,
                &format!("`{field}` of `hello` must have 1 to {NAME_BYTES_MAX} bytes"),
            ));
        }
    }
    Ok(identity)
}

async fn read(ear: &mut Ear<'_>, session: SessionId, door: &Door) -> End {
    let frames = Arc::new(Semaphore::new(INBOUND_FRAMES_MAX));
    loop {
        let input = match ear.hear().await {
            Heard::Text(text) => {
                let room = Room::take(door, &frames, text.len()).await;
                Input::BridgeText {
                    session,
                    text,
                    arrived: door.clock.now(),
                    room,
                }
            }
            Heard::Misfit(error) => Input::BridgeMisfit { session, error },
            Heard::End(end) => {
                if end == End::Unreadable {
                    let error = WireError::new(ErrorCode::TooLarge, "a frame too large to read");
                    let _ = door.core.send(Input::BridgeMisfit { session, error }).await;
                }
                return end;
            }
        };
        if door.core.send(input).await.is_err() {
            return End::Closed;
        }
    }
}
