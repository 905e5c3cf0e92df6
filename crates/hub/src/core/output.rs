//! What is let out once it is durable, in the order in which it was folded.

use holdfast_domain::{CommandRecord, Record, SourceId};
use holdfast_engine::Shown;
use holdfast_protocol::bridge::{CommandFrame, HubFrame, Welcome};

use super::Core;
use super::batch::InFlight;
use crate::outbox::Outbox;
use crate::session::SessionId;

/// One thing that waits for the journal.
#[derive(Debug)]
pub(crate) enum Output {
    /// A bridge may begin.
    Welcome {
        source: SourceId,
        session: SessionId,
        outbox: Outbox,
        welcome: Welcome,
    },
    /// A source's events are durable up to here.
    Ack { source: SourceId, sequence: u64 },
    /// A bridge is asked to act.
    Send {
        source: SourceId,
        command: Box<CommandRecord>,
    },
    /// Consoles are shown a record.
    Record(Record),
    /// Consoles are shown something else.
    Show(Shown),
}

impl Core {
    /// Lets out what waited for a batch that is durable now.
    pub(super) fn carry_out(&mut self, flight: InFlight) {
        let mut has_records = false;
        for output in flight.outputs {
            match output {
                Output::Welcome {
                    source,
                    session,
                    outbox,
                    welcome,
                } => self.bridges.welcome(&source, session, &outbox, welcome),
                Output::Ack { source, sequence } => {
                    self.bridges.say(&source, &HubFrame::Ack { sequence });
                }
                Output::Send { source, command } => {
                    let frame = HubFrame::Command(Box::new(CommandFrame::from_record(&command)));
                    self.bridges.say(&source, &frame);
                }
                Output::Record(record) => {
                    self.consoles.keep_record(&record);
                    self.fanout.record(record);
                    has_records = true;
                }
                Output::Show(Shown::Call(call)) => self.fanout.mark(call),
                Output::Show(Shown::Gone(call)) => self.fanout.mark_gone(call),
                Output::Show(Shown::Recovered(recovery)) => self.recoveries.push(recovery),
                // Bridges and humans are told whole with every beat.
                Output::Show(Shown::Platform) => {}
                Output::Show(Shown::Reply { ticket, reply }) => {
                    if let Some((session, id)) = self.tickets.remove(&ticket) {
                        self.consoles.reply(session, id, reply);
                    }
                }
            }
        }
        if has_records {
            self.follow();
        }
    }
}
