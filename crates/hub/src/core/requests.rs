//! What consoles say: hello, which calls are open, what a person asks for.

use holdfast_domain::{Refusal, RefusalCode, Reply, Request};
use holdfast_engine::{Control, Person};
use holdfast_privacy::Conversation;
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::console::{ConsoleFrame, HubToConsole, Identity};

use super::consoles::Console;
use super::{ConsoleHello, Core};
use crate::session::SessionId;

impl Core {
    pub(super) fn on_console_hello(&mut self, hello: ConsoleHello) {
        let ConsoleHello {
            session,
            identity,
            resume,
            detail,
            outbox,
        } = hello;
        let hub_time = self.clock_now();
        let resume = resume
            .filter(|resume| resume.epoch == self.epoch)
            .map(|resume| resume.seq);
        let console = Console::begin(identity.clone(), outbox, resume, detail);
        console.must_say(&HubToConsole::Welcome {
            protocol: PROTOCOL_VERSION,
            epoch: self.epoch.clone(),
            identity: identity.clone(),
            hub_time,
        });
        self.consoles.add(session, console);
        self.follow();
        if identity.can_receive() && self.consoles.count_agent(&identity.name) == 1 {
            self.presence(identity.name, true);
        }
    }

    pub(super) fn on_console_gone(&mut self, session: SessionId) {
        if let Some(identity) = self.consoles.remove(session)
            && identity.can_receive()
            && self.consoles.count_agent(&identity.name) == 0
        {
            self.presence(identity.name, false);
        }
    }

    /// While the journal fails nothing can be told to the engine; the restart that mends it tells
    /// who is present.
    pub(super) fn presence(&mut self, name: String, present: bool) {
        if self.health.is_working() {
            self.control(&Control::Presence { name, present });
        }
    }

    pub(super) fn on_console_frame(&mut self, session: SessionId, frame: ConsoleFrame) {
        match frame {
            // The session lets only the first one through.
            ConsoleFrame::Hello { .. } => {}
            ConsoleFrame::Detail { calls } => {
                self.consoles.open_details(session, calls);
                self.follow();
            }
            ConsoleFrame::Request { id, request } => self.on_request(session, id, request),
        }
    }

    fn on_request(&mut self, session: SessionId, id: u64, mut request: Request) {
        let Some(identity) = self.consoles.identity(session) else {
            return;
        };
        let who = person(identity, session);
        if let Request::Preview { verb, target } = &request {
            let reply = if self.consoles.may_see_board(session) {
                match self.engine.preview(verb, target, &who) {
                    Ok(preview) => Reply::Preview { preview },
                    Err(refusal) => Reply::Refused { refusal },
                }
            } else {
                refused(
                    RefusalCode::Forbidden,
                    "your token does not show you the board, so there is nothing to preview",
                )
            };
            return self.consoles.reply(session, id, reply);
        }
        if let Some(refusal) = self.health.refusal() {
            return self.consoles.reply(session, id, Reply::Refused { refusal });
        }
        if let Some(words) = request.own_words_mut() {
            *words = Conversation::default().text(words).text;
        }
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        self.tickets.insert(ticket, (session, id));
        self.control(&Control::Person {
            ticket,
            who,
            request,
        });
    }
}

/// A person with the rights of their token.
fn person(identity: &Identity, session: SessionId) -> Person {
    Person {
        name: identity.name.clone(),
        console: session.0,
        can_act: identity.can_act(),
        can_act_on_all: identity.can_act_on_all(),
        can_receive: identity.can_receive(),
    }
}

fn refused(code: RefusalCode, message: &str) -> Reply {
    Reply::Refused {
        refusal: Refusal::new(code, message),
    }
}
