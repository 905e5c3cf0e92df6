//! What is known of one run and of each of its calls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use holdfast_domain::playbook::{Action, PlaybookStep, RoutedCalls};
use holdfast_domain::{
    ActVerb, AnnouncementId, CallId, CauseGroup, CommandId, DifferenceKind, HandoffId, Layer,
    Playbook, Run, RunCall, RunCallState, RunWait, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::SETTLE_MS;

/// A run and what is needed to go on with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) run: Run,
    /// The playbook as it was previewed.
    pub(super) playbook: Playbook,
    /// The cause from which it is started, as it was then.
    pub(super) group: Option<CauseGroup>,
    /// The console of the requester.
    pub(super) console: u64,
    /// The exact set, in the order in which the stages come to it.
    pub(super) members: Vec<Member>,
    pub(super) place: BTreeMap<CallId, usize>,
    /// Calls that matched at the preview and are left alone.
    pub(super) excluded: BTreeSet<CallId>,
    pub(super) differences: BTreeMap<CallId, DifferenceKind>,
    /// The place of the block of steps that is being done.
    pub(super) block: usize,
    /// The place of the stage within the playbook's stages.
    pub(super) stage: usize,
    /// The place of the stage within the run's stages.
    pub(super) run_stage: usize,
    /// When the step that is done once began.
    pub(super) step_since: Option<Timestamp>,
    pub(super) answer: Option<(bool, String)>,
    /// Every block is done; the line of callers, or new calls, keep the run.
    pub(super) is_through: bool,
    /// Commands that ended, and of them those that did not work.
    pub(super) commands: u32,
    pub(super) commands_failed: u32,
    /// Callers in line for a human: places in `members`.
    pub(super) line: Vec<usize>,
    /// When rolling back began.
    pub(super) undo_since: Option<Timestamp>,
    /// When it was over.
    pub(super) ended_at: Option<Timestamp>,
    /// Somebody asked for more than a preview: it is in the records.
    pub(super) is_public: bool,
    /// Something happened that is told at once.
    pub(super) is_news: bool,
    /// A call's outcome changed.
    pub(super) is_dirty: bool,
    pub(super) told_at: Timestamp,
}

/// One call of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) call: CallId,
    pub(super) becomes: String,
    /// The services to which each step switches it, as previewed: step, layer, name.
    pub(super) targets: Vec<(usize, Layer, String)>,
    /// It was in a moment that must not be disturbed when it was previewed.
    pub(super) is_protected: bool,
    /// It was failing when it was touched.
    pub(super) was_failing: bool,
    pub(super) state: RunCallState,
    pub(super) at: Timestamp,
    /// The place in the run's stages.
    pub(super) stage: Option<u32>,
    /// The step that is being done: its place in the playbook.
    pub(super) step: Option<usize>,
    /// What is left to be done of it.
    pub(super) work: VecDeque<Part>,
    /// The command that is under way.
    pub(super) flight: Option<Flight>,
    /// The newest command that changes something.
    pub(super) command: Option<CommandId>,
    pub(super) commands: u32,
    /// Of them those of the rollback.
    pub(super) undo_commands: u32,
    pub(super) handoff: Option<HandoffId>,
    /// It was touched at all, in the first block that did.
    pub(super) touched_at: Option<Timestamp>,
    /// Steps whose effect was read back.
    pub(super) done: Vec<usize>,
    /// The services and steps as they were before: step, layer, name.
    pub(super) before: Vec<(usize, Layer, String)>,
    /// Nothing is left to be done in this block.
    pub(super) is_done: bool,
    /// Since when its moment does not come, and why.
    pub(super) waits: Option<(RunWait, Timestamp)>,
    /// The caller in line was told.
    pub(super) is_told: bool,
    pub(super) is_undone: bool,
    /// What it takes to change it back was worked out.
    pub(super) is_undoing: bool,
    /// Turns since it was touched; of untouched calls since the stage began.
    pub(super) turns: u32,
    pub(super) good_turns: u32,
    pub(super) late_turns: u32,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) is_abrupt: bool,
    /// It began while the run lasted, and the playbook sends such calls to humans.
    pub(super) is_follower: bool,
}

/// A command that is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Flight {
    pub(super) command: CommandId,
    /// Only a sentence: what comes after it does not depend on it.
    pub(super) is_sentence: bool,
    pub(super) at: Timestamp,
}

/// One command of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Part {
    /// The caller hears a sentence, which is all of the step or goes with a change.
    Say {
        announcement: AnnouncementId,
        is_step: bool,
    },
    /// Something changes; with a switch the caller hears a sentence in the same command.
    Do {
        verb: ActVerb,
        retry_turn: bool,
        said: Option<AnnouncementId>,
    },
    /// The failed turn is tried again.
    Retry,
    /// The telephony moves the call.
    Transfer(String),
    /// The call gets in line for a human.
    Human,
    /// A step of a rollback ends here.
    UndoneStep(usize),
}

impl Course {
    /// What is not known before a run is previewed.
    pub(super) fn new(run: Run, playbook: Playbook) -> Self {
        Self {
            run,
            playbook,
            group: None,
            console: 0,
            members: Vec::new(),
            place: BTreeMap::new(),
            excluded: BTreeSet::new(),
            differences: BTreeMap::new(),
            block: 0,
            stage: 0,
            run_stage: 0,
            step_since: None,
            answer: None,
            is_through: false,
            commands: 0,
            commands_failed: 0,
            line: Vec::new(),
            undo_since: None,
            ended_at: None,
            is_public: false,
            is_news: false,
            is_dirty: false,
            told_at: Timestamp::default(),
        }
    }

    /// The steps of the block that is being done, with the place of the first.
    pub(super) fn steps(&self) -> (usize, Vec<PlaybookStep>) {
        let mut first = 0;
        for (n, block) in self.playbook.blocks().enumerate() {
            if n == self.block {
                return (first, block.to_vec());
            }
            first += block.len();
        }
        (first, Vec::new())
    }

    /// New calls go to humans while the run lasts.
    pub(super) fn follows(&self) -> bool {
        self.run.state.is_acting()
            && self.undo_since.is_none()
            && self.playbook.steps.iter().any(|step| {
                matches!(
                    step.action,
                    Action::RouteToHumans {
                        calls: RoutedCalls::New | RoutedCalls::Both,
                        ..
                    }
                )
            })
    }

    /// It is over, and outcomes of its last commands may still come.
    pub(super) fn is_settling(&self, now: Timestamp) -> bool {
        self.ended_at.is_some_and(|at| now.since(at) <= SETTLE_MS)
            && self.members.iter().any(Member::is_open)
    }

    /// The tool that the cause names.
    pub(super) fn tool(&self) -> Option<&str> {
        tool_of(self.group.as_ref())
    }

    /// What the tally says has to be told anew.
    pub(super) fn set_state(&mut self, place: usize, state: RunCallState, now: Timestamp) {
        if let Some(member) = self.members.get_mut(place)
            && member.set_state(state, now)
        {
            self.is_dirty = true;
        }
    }
}

/// The tool that a cause names.
pub(super) fn tool_of(group: Option<&CauseGroup>) -> Option<&str> {
    let traits = &group?.traits;
    let tool = traits
        .iter()
        .find(|found| found.dimension == holdfast_domain::CauseDimension::Tool)?;
    Some(&tool.value)
}

impl Member {
    pub(super) fn new(call: CallId, becomes: String, now: Timestamp) -> Self {
        Self {
            call,
            becomes,
            targets: Vec::new(),
            is_protected: false,
            was_failing: false,
            state: RunCallState::Untouched,
            at: now,
            stage: None,
            step: None,
            work: VecDeque::new(),
            flight: None,
            command: None,
            commands: 0,
            undo_commands: 0,
            handoff: None,
            touched_at: None,
            done: Vec::new(),
            before: Vec::new(),
            is_done: false,
            waits: None,
            is_told: false,
            is_undone: false,
            is_undoing: false,
            turns: 0,
            good_turns: 0,
            late_turns: 0,
            ended_at: None,
            is_abrupt: false,
            is_follower: false,
        }
    }

    pub(super) fn is_left(&self) -> bool {
        matches!(self.state, RunCallState::Left { .. })
    }

    /// Its outcome can still change.
    pub(super) fn is_open(&self) -> bool {
        self.flight.is_some() || self.state == RunCallState::Applied && self.ended_at.is_none()
    }

    pub(super) fn forget_turns(&mut self) {
        (self.turns, self.good_turns, self.late_turns) = (0, 0, 0);
    }

    /// True when it was another.
    pub(super) fn set_state(&mut self, state: RunCallState, now: Timestamp) -> bool {
        let is_news = self.state != state;
        if is_news {
            // Whoever is told in line keeps their place, and goes on waiting.
            let is_in_line = |state: &RunCallState| matches!(state, RunCallState::Queued { .. });
            if !(is_in_line(&self.state) && is_in_line(&state)) {
                self.at = now;
            }
            self.state = state;
        }
        is_news
    }

    pub(super) fn view(&self) -> RunCall {
        RunCall {
            call: self.call.clone(),
            stage: self.stage,
            becomes: self.becomes.clone(),
            state: self.state.clone(),
            command: self.command.clone(),
            handoff: self.handoff.clone(),
            at: self.at,
        }
    }
}
