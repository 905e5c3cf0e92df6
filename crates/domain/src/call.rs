//! One live call, as the console sees it: a row, and everything behind the row.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::fact::{Effect, Speaker};
use crate::{
    CallId, Capability, CauseId, CommandRecord, DurationMs, Evidence, HandoffCard, HandoffId,
    Layer, LayerHealth, PerLayer, Rung, Service, SourceId, Timestamp,
};

/// Where a call is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum CallPhase {
    /// The AI agent serves it.
    Ai,
    /// A human agent serves it.
    Human,
    /// It ended.
    Ended,
}

/// Whether the AI speaks on the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum AiState {
    /// It serves the call.
    #[default]
    Active,
    /// It was told to be silent.
    Paused,
}

/// A moment in which a call must not be disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Protected {
    /// The caller is paying.
    Payment,
    /// The caller is proving who they are.
    Identity,
}

/// Who owes the next sound, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Floor {
    /// The agent owes an answer and nobody is audible.
    AgentOwes {
        /// When the silence began.
        since: Timestamp,
    },
    /// Somebody is audible.
    Speaking {
        /// Who.
        who: Speaker,
        /// Since when.
        since: Timestamp,
    },
    /// The caller owes the next word: their silence is theirs.
    CallerOwes {
        /// When the silence began.
        since: Timestamp,
    },
    /// The agent announced a wait (hold, a tool with a filler): silence is expected.
    Announced {
        /// Since when.
        since: Timestamp,
    },
    /// Not known: nothing heard yet.
    Unknown,
}

/// How much a human eye is needed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "lowercase")]
pub enum NeedLevel {
    /// Nothing to do.
    #[default]
    Calm,
    /// Worth a look.
    Watch,
    /// The caller is being harmed.
    Warn,
    /// The call is being lost.
    Critical,
}

/// How much a call needs a human, and why: harm now x how long x risk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// For people.
    pub level: NeedLevel,
    /// For sorting; higher first. 0 when calm.
    pub score: u32,
    /// Why, in one short sentence that begins with the caller's experience. Empty when calm.
    pub reason: String,
    /// When what the reason tells began; ages are counted from here.
    pub since: Option<Timestamp>,
}

/// What kind of thing happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum NextKind {
    /// A step's first output is due: its layer is late after that.
    StepDue,
    /// The silence passes its next limit.
    SilenceLimit,
    /// The caller's turn counts as failed.
    TurnFails,
    /// The call ends: turns failed once more than the platform bears, or the caller is gone.
    CallEnds,
    /// The call is believed gone.
    Ghost,
    /// Nobody knows: the feed is stale.
    Unseen,
    /// A command ends, by itself or by its time limit.
    CommandEnds,
    /// A handoff goes on or lapses.
    Handoff,
}

/// What will happen if nobody acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NextStep {
    /// What kind of step; the window decides by it.
    pub kind: NextKind,
    /// One sentence.
    pub text: String,
    /// About when; None when it has no time.
    pub at: Option<Timestamp>,
}

/// One row of the board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallSummary {
    /// The call.
    pub id: CallId,
    /// The bridge that tells us about it.
    pub source: SourceId,
    /// Where it is in its life.
    pub phase: CallPhase,
    /// Whether the AI speaks.
    pub ai: AiState,
    /// The queue.
    pub queue: String,
    /// BCP 47 tag.
    pub language: String,
    /// The customer's name, if known and visible to the reader.
    pub customer: Option<String>,
    /// When the call began.
    pub started_at: Timestamp,
    /// The time of the newest fact about it.
    pub last_fact_at: Timestamp,
    /// The seven layers.
    #[ts(as = "[LayerHealth; 7]")]
    pub layers: PerLayer<LayerHealth>,
    /// Where it stands on the failover ladder.
    pub rung: Rung,
    /// Who owes the next sound.
    pub floor: Floor,
    /// Median response gap of the last three turns; None before the first.
    pub response_gap_ms: Option<DurationMs>,
    /// The caller's last words, at most 120 characters.
    pub caller_said: String,
    /// The agent's last words, at most 120 characters.
    pub agent_said: String,
    /// The tool that runs now: name and since when.
    pub tool_running: Option<(String, Timestamp)>,
    /// The intent, if known.
    pub intent: Option<String>,
    /// A moment that must not be disturbed.
    pub protected: Option<Protected>,
    /// Of high risk.
    pub high_risk: bool,
    /// How much a human is needed.
    pub need: Need,
    /// The shared cause by which it fails, if it is one of several.
    pub cause: Option<CauseId>,
    /// What happens next.
    pub next: Option<NextStep>,
    /// The newest command on the call, while it is under way or for its result.
    pub command: Option<CommandRecord>,
    /// The handoff under way.
    pub handoff: Option<HandoffId>,
    /// Turns that the caller took.
    pub turns: u32,
    /// Turns that got no good answer.
    pub failed_turns: u32,
}

/// Who said an utterance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum UtteranceRole {
    /// The customer.
    Caller,
    /// The agent, AI or human.
    Agent,
}

/// One utterance of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Utterance {
    /// Who said it.
    pub role: UtteranceRole,
    /// What was meant to be heard.
    pub text: String,
    /// The tail of `text` that was never heard; empty when all was.
    pub unspoken: String,
    /// When.
    pub at: Timestamp,
    /// The turn, if the platform counts turns.
    pub turn: Option<u32>,
    /// False while it is still an interim guess.
    pub is_final: bool,
    /// The other side cut it short.
    pub interrupted: bool,
}

/// How a tool call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ToolState {
    /// The model asked for it.
    Requested,
    /// It runs.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// It did not end in time.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    /// This use of the tool.
    pub id: String,
    /// The tool.
    pub name: String,
    /// How it stands.
    pub state: ToolState,
    /// It changes the outside world.
    pub writes: bool,
    /// What is known of its effect.
    pub effect: Effect,
    /// The arguments, as the platform wrote them; empty if not told.
    pub args: String,
    /// The result or the error, in short; empty while it runs.
    pub outcome: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What a span on the timeline shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LaneKind {
    /// The caller is audible.
    Caller,
    /// Speech recognition works.
    Asr,
    /// The language model works.
    Llm,
    /// A tool runs.
    Tools,
    /// Speech synthesis works: the agent is audible.
    Tts,
    /// The agent owes the floor and nobody is audible.
    Silence,
}

/// One span on one lane of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LaneSpan {
    /// The lane.
    pub lane: LaneKind,
    /// Its beginning.
    pub from: Timestamp,
    /// Its end; None while it lasts.
    pub to: Option<Timestamp>,
    /// It ended in failure.
    pub failed: bool,
    /// A word for it: the service or the tool.
    pub label: String,
}

/// Everything behind a row, for a call that is open on screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallDetail {
    /// The row.
    pub summary: CallSummary,
    /// The ordered utterances, oldest first, at most 200.
    pub transcript: Vec<Utterance>,
    /// The timeline of the last three minutes, oldest first.
    pub lanes: Vec<LaneSpan>,
    /// Signals seen, newest first, with the layer of each, at most 20.
    pub evidence: Vec<(Layer, Evidence)>,
    /// Everything that the call can use, in ladder order within each layer.
    pub services: Vec<Service>,
    /// Tools that are switched on.
    pub tools_enabled: Vec<String>,
    /// Tools that are switched off.
    pub tools_disabled: Vec<String>,
    /// What can really be done on the call.
    pub capabilities: Vec<Capability>,
    /// The handoff card as it would be sent now.
    pub card: HandoffCard,
    /// Commands on the call, newest first, at most 20.
    pub commands: Vec<CommandRecord>,
}
