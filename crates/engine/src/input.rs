//! What goes in.

use holdfast_domain::fact::FactEnvelope;
use holdfast_domain::{
    AnomalyKind, BlindReason, Capability, CommandId, FailureKind, Playbook, ReadBack,
    RejectionKind, Request, SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};

/// One input.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A platform event, already checked for form, source, epoch and sequence.
    Fact {
        /// The bridge that told it.
        source: &'a SourceId,
        /// The event.
        fact: &'a FactEnvelope<'a>,
    },
    /// Everything else. It is owned and serializable, so that the journal can keep it.
    Control(&'a Control),
}

/// An input that is not a platform event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Control {
    /// Something changed about a bridge.
    Bridge {
        /// The bridge.
        source: SourceId,
        /// What.
        change: BridgeChange,
    },
    /// A bridge answered a command.
    Answer {
        /// The bridge.
        source: SourceId,
        /// The answer.
        answer: Answer,
    },
    /// A person asks for something. Previews are not inputs: see `Engine::preview`.
    Person {
        /// Comes back in [`crate::Shown::Reply`]; the shell's own number.
        ticket: u64,
        /// Who.
        who: Person,
        /// What.
        request: Request,
    },
    /// The first console of a human agent appeared, or the last one vanished.
    Presence {
        /// The agent's name.
        name: String,
        /// True when there is at least one.
        present: bool,
    },
    /// The hub cannot see from here on: facts are folded, and no deadline passes.
    Blind {
        /// Why.
        reason: BlindReason,
        /// Up to when deadlines were judged; see `Engine::judged_until`. Those that were due
        /// later wait, also when this is told late.
        since: Timestamp,
    },
    /// The playbooks of the hub, whole; they replace those of before.
    Playbooks {
        /// Each with its own id.
        playbooks: Vec<Playbook>,
        /// Their failover policies are carried out; the operator's choice.
        armed: bool,
    },
    /// Consoles were sent how the calls of these recoveries stand; see [`crate::Shown::Recovered`].
    Shown {
        /// Their numbers.
        recoveries: Vec<u64>,
    },
    /// The hub sees again, and has taken in what had piled up: deadlines are judged soon.
    Sees,
    /// The hub came up again after the inputs so far were replayed: nothing is connected now, and
    /// commands that are not final are unknown until their bridge answers again.
    Restarted,
}

/// What changed about a bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum BridgeChange {
    /// It said hello and was welcomed. Commands without a final answer are sent to it again.
    Connected {
        /// The platform's name and version.
        platform: String,
        /// New each time the bridge process starts.
        epoch: String,
        /// How often it promised a heartbeat, in milliseconds.
        heartbeat_ms: i64,
        /// What it can do.
        capabilities: Vec<Capability>,
    },
    /// Its connection is gone.
    Disconnected,
    /// It lives (a pong), without a fact.
    Heard,
    /// It said something that cannot be used.
    Anomaly {
        /// What.
        kind: AnomalyKind,
        /// In a sentence, without personal data.
        example: String,
    },
}

/// A bridge's answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The command.
    pub command: CommandId,
    /// How it stands.
    pub state: AnswerState,
}

/// How a command stands, as its bridge says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AnswerState {
    /// It has the command.
    Accepted,
    /// The platform reads back that it is so.
    Applied(ReadBack),
    /// It refused; nothing changed.
    Rejected(RejectionKind, String),
    /// It tried; it did not work.
    Failed(FailureKind, String),
    /// It came too late.
    Expired,
}

/// A person with their rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name in their token; also the agent's id.
    pub name: String,
    /// Which of their consoles asks. Two consoles of one name are one person.
    #[serde(default)]
    pub console: u64,
    /// May act on single calls.
    pub can_act: bool,
    /// May act on all calls and inject faults.
    pub can_act_on_all: bool,
    /// Can receive calls.
    pub can_receive: bool,
}
