//! A console without its window, as a test of a single call sits at it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

use anyhow::{Context as _, bail};
use holdfast_domain::{
    Act, ActId, ActVerb, CallDetail, CallId, CallSummary, CommandId, CommandRecord, Reply, Request,
    Target,
};
use holdfast_protocol::window::Frame;
use holdfast_tests::desk;
use holdfast_tests::patience::until;

/// How long something that takes a second or two may take on a slow and busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A console of somebody who watches one call.
#[derive(Debug)]
pub(crate) struct Desk(desk::Desk);

impl Deref for Desk {
    type Target = desk::Desk;

    fn deref(&self) -> &desk::Desk {
        &self.0
    }
}

impl Desk {
    pub(crate) fn at(hub: SocketAddr, token: &str) -> anyhow::Result<Self> {
        Ok(Self(desk::Desk::at(hub, token)?))
    }

    /// Waits until a call's row shows something.
    pub(crate) fn until_row<T>(
        &self,
        call: &str,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&CallSummary) -> Option<T>,
    ) -> anyhow::Result<T> {
        self.until(what, limit, |frame| look(row(frame, call)?))
    }

    /// Waits until an open call's detail shows something.
    pub(crate) fn until_detail<T>(
        &self,
        call: &str,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&CallDetail) -> Option<T>,
    ) -> anyhow::Result<T> {
        until(what, limit, || {
            let frame = self.frame(Some(call))?;
            let detail = frame.detail.and_then(|section| section.call);
            Ok(detail
                .filter(|detail| detail.summary.id.as_str() == call)
                .and_then(|d| look(&d)))
        })
        .with_context(|| format!("the desk shows {:#?}", self.frame(Some(call))))
    }

    /// Waits until a command shows something.
    pub(crate) fn until_command<T>(
        &self,
        id: &CommandId,
        what: &str,
        mut look: impl FnMut(&CommandRecord) -> Option<T>,
    ) -> anyhow::Result<T> {
        self.until(what, LIMIT, |frame| {
            let acts = frame.acts.as_ref()?;
            look(
                acts.iter()
                    .flat_map(|act| &act.commands)
                    .find(|command| command.id == *id)?,
            )
        })
    }

    /// Acts on one call.
    pub(crate) fn act(&self, id: &str, verb: ActVerb, call: &str) -> Reply {
        let target = Target::Calls {
            calls: vec![CallId::new(call)],
        };
        self.ask(Request::Act {
            act: Act {
                id: ActId::new(id),
                verb,
                target,
            },
        })
    }

    /// Acts on one call, and gives back the one command that it became.
    pub(crate) fn command(&self, id: &str, verb: ActVerb, call: &str) -> anyhow::Result<CommandId> {
        match self.act(id, verb, call) {
            Reply::Acting { commands, .. } if commands.len() == 1 => Ok(commands[0].clone()),
            reply => bail!("an act on one call becomes one command, not {reply:?}"),
        }
    }
}

/// A call's row.
pub(crate) fn row<'a>(frame: &'a Frame, call: &str) -> Option<&'a CallSummary> {
    frame
        .board
        .as_ref()?
        .rows
        .iter()
        .find(|row| row.id.as_str() == call)
}
