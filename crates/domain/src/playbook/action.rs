//! What a playbook does.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Check, Parity, Template};
use crate::{AnnouncementId, CommandName, Layer, Rung, StepId};

/// One step of a playbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PlaybookStep {
    /// Names it within the playbook.
    pub id: StepId,
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Another service serves a layer. The caller hears of it in the same step.
    SwitchModel {
        /// The layer: asr, llm or tts.
        layer: Layer,
        /// Which service.
        to: SwitchTarget,
        /// What the caller hears.
        announcement: AnnouncementId,
        /// The failed turn is tried again.
        retry_turn: bool,
        /// In what the target must be the equal of the service before.
        parity: Vec<Parity>,
    },
    /// The same layers are served from another region. The caller hears of it in the same step.
    SwitchRegion {
        /// The layers: asr, llm, tts.
        layers: Vec<Layer>,
        /// Which region.
        to: RegionTarget,
        /// What the caller hears.
        announcement: AnnouncementId,
        /// The failed turn is tried again.
        retry_turn: bool,
        /// In what the target must be the equal of the service before.
        parity: Vec<Parity>,
    },
    /// The failed turn is tried again.
    RetryTurn,
    /// Tools are switched off.
    DisableTools {
        /// Which.
        tools: ToolChoice,
    },
    /// Tools are switched on.
    EnableTools {
        /// Which.
        tools: ToolChoice,
    },
    /// The call goes on with the minimal flow: scripted, without what is not essential.
    MinimalFlow {
        /// What the caller hears.
        announcement: AnnouncementId,
    },
    /// The caller hears a sentence.
    Announce {
        /// Which.
        announcement: AnnouncementId,
    },
    /// Calls go to human agents, at the rate that they can take: by risk, then by who has waited.
    RouteToHumans {
        /// Which of the calls in scope.
        calls: RoutedCalls,
        /// What the caller hears.
        announcement: AnnouncementId,
        /// What becomes of those for whom the wait is too long.
        overflow: Overflow,
    },
    /// The AI is silent. The caller hears why in the same step.
    PauseAi {
        /// What the caller hears first.
        announcement: AnnouncementId,
    },
    /// The AI speaks again.
    ResumeAi {
        /// What the caller hears first; None for nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        announcement: Option<AnnouncementId>,
    },
    /// The call is moved by the telephony to a fixed place.
    Transfer {
        /// The queue or number, as the platform names it.
        to: String,
        /// What the caller hears first.
        announcement: AnnouncementId,
    },
    /// A callback is promised, and the call ends.
    Callback {
        /// Minutes within which the caller is called back.
        within_min: u32,
        /// The promise that the caller hears.
        announcement: AnnouncementId,
    },
    /// The messages to these audiences are filled and put before a person who sends them.
    Notify {
        /// To whom.
        audiences: Vec<Audience>,
    },
    /// The run goes on when a check holds.
    WaitUntil {
        /// The check.
        until: Check,
        /// Seconds after which the run stops because it did not hold.
        timeout_s: u32,
    },
    /// The commander is asked, and the run goes on with a yes.
    Ask {
        /// The question; answered with yes or no.
        question: Template,
        /// Seconds without an answer after which the run stops.
        timeout_s: u32,
    },
}

/// What can be done about a step afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Reversal {
    /// It changes how a call is served, and that can be changed back.
    Reversible,
    /// It leaves nothing behind that could be changed back: a sentence, a question, a wait.
    NothingToUndo,
    /// What it did stays done: a human has the call, a callback is promised.
    Irreversible,
}

/// Which service a switch goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SwitchTarget {
    /// On each call the next usable one of its ladder.
    Next,
    /// On each call the usable one of this rung.
    Rung(Rung),
    /// On each call a usable one of this vendor.
    Provider(String),
    /// The one of this name.
    Service(String),
}

/// Which region a switch goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RegionTarget {
    /// On each call any usable one other than now.
    Other,
    /// This one.
    Region(String),
}

/// Which tools a step is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The tool that the cause names, from which the run is started.
    Cause,
    /// All.
    All,
    /// These.
    Names(Vec<String>),
}

/// Which calls go to humans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RoutedCalls {
    /// Calls that begin while the run lasts.
    New,
    /// Calls that the AI serves now.
    InFlight,
    /// Both.
    Both,
}

/// What becomes of callers for whom the wait for a human is too long: they are offered a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Overflow {
    /// The longest predicted wait in seconds; callers above it are offered a callback.
    pub wait_s_max: u32,
    /// Minutes within which they are called back.
    pub callback_within_min: u32,
    /// What they hear.
    pub announcement: AnnouncementId,
}

/// Who is told about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Who answers for the business.
    Executive,
    /// Human agents and their supervisors.
    FrontLine,
    /// Callers, outside of a call: web page, waiting line.
    Caller,
    /// The vendor whose service fails.
    Provider,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Self; 4] = [
        Self::Executive,
        Self::FrontLine,
        Self::Caller,
        Self::Provider,
    ];

    /// The name in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Executive => "executive",
            Self::FrontLine => "front_line",
            Self::Caller => "caller",
            Self::Provider => "provider",
        }
    }
}

impl Action {
    /// What can be done about it afterwards.
    pub const fn reversal(&self) -> Reversal {
        match self {
            Self::SwitchModel { .. }
            | Self::SwitchRegion { .. }
            | Self::DisableTools { .. }
            | Self::EnableTools { .. }
            | Self::MinimalFlow { .. }
            | Self::PauseAi { .. }
            | Self::ResumeAi { .. }
            | Self::RouteToHumans {
                calls: RoutedCalls::New,
                ..
            } => Reversal::Reversible,
            Self::RouteToHumans { .. } | Self::Transfer { .. } | Self::Callback { .. } => {
                Reversal::Irreversible
            }
            Self::RetryTurn
            | Self::Announce { .. }
            | Self::Notify { .. }
            | Self::WaitUntil { .. }
            | Self::Ask { .. } => Reversal::NothingToUndo,
        }
    }

    /// True for what is done to each call of a stage; false for what is done once in a run.
    pub const fn is_per_call(&self) -> bool {
        !matches!(
            self,
            Self::Notify { .. } | Self::WaitUntil { .. } | Self::Ask { .. }
        )
    }

    /// The command that a platform must know for it. None: it needs none, or none is known yet
    /// (minimal flow, callback).
    pub const fn command(&self) -> Option<CommandName> {
        match self {
            Self::SwitchModel { .. } | Self::SwitchRegion { .. } => Some(CommandName::SwitchModel),
            Self::RetryTurn => Some(CommandName::RetryTurn),
            Self::DisableTools { .. } => Some(CommandName::DisableTools),
            Self::EnableTools { .. } => Some(CommandName::EnableTools),
            Self::Announce { .. } => Some(CommandName::Announce),
            Self::PauseAi { .. } => Some(CommandName::PauseAi),
            Self::ResumeAi { .. } => Some(CommandName::ResumeAi),
            Self::RouteToHumans { .. } | Self::Transfer { .. } => Some(CommandName::Transfer),
            Self::MinimalFlow { .. }
            | Self::Callback { .. }
            | Self::Notify { .. }
            | Self::WaitUntil { .. }
            | Self::Ask { .. } => None,
        }
    }

    /// The sentences that callers hear by it.
    pub fn announcements(&self) -> Vec<&AnnouncementId> {
        match self {
            Self::SwitchModel { announcement, .. }
            | Self::SwitchRegion { announcement, .. }
            | Self::MinimalFlow { announcement }
            | Self::Announce { announcement }
            | Self::PauseAi { announcement }
            | Self::Transfer { announcement, .. }
            | Self::Callback { announcement, .. } => vec![announcement],
            Self::RouteToHumans {
                announcement,
                overflow,
                ..
            } => vec![announcement, &overflow.announcement],
            Self::ResumeAi { announcement } => announcement.iter().collect(),
            Self::RetryTurn
            | Self::DisableTools { .. }
            | Self::EnableTools { .. }
            | Self::Notify { .. }
            | Self::WaitUntil { .. }
            | Self::Ask { .. } => Vec::new(),
        }
    }
}
