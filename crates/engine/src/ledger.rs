//! The ledger: how long each affected call took from its first affected turn to the first good
//! answer, and who decided what helped.
//!
//! ```text
//!        a layer is unwell           decided, taken on          answered, or a human
//!  well -----------------> waiting <-------------------> tried ----------------------> recovered
//!                            |  |                            \--> waiting (it did not work)
//!                            |  +--> well by itself: nobody decided
//!                            +-----> ended first: lost; unseen: not measured
//! ```
//!
//! Pure accumulation: a replay of the same inputs gives the same ledger, byte for byte. It is
//! bounded by live calls, by the classes that there are, and by [`KEPT_MAX`].
//! Deliberately absent: any influence on what is done.

mod rows;

use std::collections::{BTreeMap, VecDeque};

use holdfast_domain::{
    CallId, CallPhase, Command, CommandId, CommandRecord, CommandState, Decider, Evidence,
    FaultClass, Handoff, HandoffId, HandoffReason, HandoffState, Layer, LayerState, Recovery,
    Refusal, RefusalCode, Reply, SignalKind, SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::calls::Call;
use crate::{Effect, Engine, Person, Shown};

use rows::Rows;

/// The newest recoveries are kept one by one: those of an outage that reaches five hundred calls.
/// The distributions have all of them.
const KEPT_MAX: usize = 500;

/// So many of them go with every telling; a person looks at the newest.
const TOLD_MAX: usize = 50;

/// Every call that waits, and what was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    since: Option<Timestamp>,
    open: BTreeMap<CallId, Episode>,
    rows: Rows,
    /// Oldest first.
    kept: VecDeque<Recovery>,
    count: u64,
}

/// A call that is affected.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Episode {
    class: FaultClass,
    worst: LayerState,
    onset_at: Option<Timestamp>,
    affected_at: Timestamp,
    detected_at: Timestamp,
    decisions: u32,
    attempt: Option<Attempt>,
    /// The first good answer since it was affected last, or since the newest decision.
    answered_at: Option<Timestamp>,
}

/// What was decided last.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Attempt {
    decider: Decider,
    what: What,
    decided_at: Timestamp,
    accepted_at: Option<Timestamp>,
    /// The platform reads back that it is so.
    is_in_effect: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    Command(CommandId),
    Handoff(HandoffId),
}

impl Engine {
    /// How long recoveries took so far, with the newest one by one.
    pub fn ledger(&self) -> holdfast_domain::Ledger {
        self.ledger.tell(TOLD_MAX)
    }

    /// The same with every recovery that is kept.
    pub fn whole_ledger(&self) -> holdfast_domain::Ledger {
        self.ledger.tell(KEPT_MAX)
    }

    pub(crate) fn show_ledger(&self, who: &Person) -> Result<Reply, Refusal> {
        if !who.can_act && !who.can_act_on_all {
            return Err(Refusal::new(
                RefusalCode::Forbidden,
                format!("{} may not export the ledger; ask a supervisor", who.name),
            ));
        }
        let ledger = Box::new(self.whole_ledger());
        Ok(Reply::Ledger { ledger })
    }

    /// A layer of a call became unwell.
    pub(crate) fn ledger_fell(
        &mut self,
        id: &CallId,
        layer: Layer,
        to: LayerState,
        why: &Evidence,
    ) {
        if !is_trouble(why.kind) {
            return;
        }
        let (now, signal) = (self.now, why.kind);
        let class = FaultClass { layer, signal };
        if let Some(episode) = self.ledger.open.get_mut(id) {
            // What is worst names it; what came first, where that is equal.
            if to > episode.worst {
                (episode.class, episode.worst) = (class, to);
            }
            episode.answered_at = None;
            return;
        }
        let Some(call) = self.calls.get(id).filter(|call| call.ai_serves()) else {
            return;
        };
        // The caller began to wait with their own last word; without one, with what was seen.
        let asked = call.turn.as_ref().map(|turn| turn.stopped);
        let affected_at = asked.unwrap_or(why.at).min(now);
        let onset_at = self.fault_onset(&call.source, layer, affected_at);
        self.ledger.since.get_or_insert(now);
        let episode = Episode {
            class,
            worst: to,
            onset_at,
            affected_at,
            detected_at: now,
            decisions: 0,
            attempt: None,
            answered_at: None,
        };
        self.ledger.open.insert(id.clone(), episode);
    }

    /// The newest injected fault of the layer that began before the caller was affected.
    fn fault_onset(&self, source: &SourceId, layer: Layer, before: Timestamp) -> Option<Timestamp> {
        let faults = &self.bridges.get(source)?.faults;
        let mut since = faults.iter().filter(|fault| fault.layer == layer);
        let first = since.next()?.since;
        let newest = since.fold(first, |newest, fault| newest.max(fault.since));
        (newest <= before).then_some(newest)
    }

    /// A command was written down.
    pub(crate) fn ledger_ordered(&mut self, record: &CommandRecord) {
        let is_ours = self.failovers.ordered(record);
        let decider = if is_ours {
            Decider::Policy
        } else {
            Decider::Person
        };
        let Some(episode) = record
            .call
            .as_ref()
            .and_then(|id| self.ledger.open.get_mut(id))
        else {
            return;
        };
        // The transfer of a handoff was decided with the handoff.
        let is_of_handoff = matches!(record.command, Command::Transfer { .. })
            && episode
                .attempt
                .as_ref()
                .is_some_and(|attempt| matches!(attempt.what, What::Handoff(_)));
        if !is_of_handoff && can_help(&record.command) {
            episode.decide(decider, What::Command(record.id.clone()), self.now);
        }
    }

    /// A command came a step further.
    pub(crate) fn ledger_advanced(&mut self, record: &CommandRecord) {
        let Some(id) = &record.call else { return };
        let now = self.now;
        let Some(episode) = self.ledger.open.get_mut(id) else {
            return;
        };
        let what = What::Command(record.id.clone());
        let Some(attempt) = episode.attempt.as_mut().filter(|of| of.what == what) else {
            return;
        };
        match record.state() {
            CommandState::Accepted => attempt.accepted_at = Some(now),
            CommandState::Applied { .. } | CommandState::Proven { .. } => {
                attempt.accepted_at.get_or_insert(now);
                attempt.is_in_effect = true;
                let is_human = matches!(record.command, Command::Transfer { .. });
                // The answer of the new service can be heard before its bridge tells of it.
                let heard = episode.answered_at.filter(|at| *at >= attempt.decided_at);
                let heard = if is_human { Some(now) } else { heard };
                if let Some(at) = heard {
                    self.recovered(id, at);
                }
            }
            CommandState::Failed { .. } | CommandState::Rejected { .. } | CommandState::Expired => {
                episode.attempt = None;
            }
            CommandState::Requested | CommandState::Unknown => {}
        }
    }

    /// A human was asked for.
    pub(crate) fn ledger_human_asked(&mut self, handoff: &Handoff) {
        let now = self.now;
        let decider = match handoff.reason {
            HandoffReason::LadderEnded => Decider::Policy,
            HandoffReason::Supervisor => Decider::Person,
            // Nobody of ours decided it; it can help all the same.
            HandoffReason::CallerAsked | HandoffReason::AiAsked => Decider::Nobody,
        };
        if let Some(episode) = self.ledger.open.get_mut(&handoff.call) {
            episode.decide(decider, What::Handoff(handoff.id.clone()), now);
        }
    }

    /// A handoff came a step further.
    pub(crate) fn ledger_handoff(&mut self, handoff: &Handoff) {
        let now = self.now;
        let Some(episode) = self.ledger.open.get_mut(&handoff.call) else {
            return;
        };
        let what = What::Handoff(handoff.id.clone());
        let Some(attempt) = episode.attempt.as_mut().filter(|of| of.what == what) else {
            return;
        };
        match handoff.state {
            HandoffState::Accepted { .. } => {
                attempt.accepted_at.get_or_insert(now);
            }
            HandoffState::Bridged { .. } | HandoffState::Confirmed { .. } => {
                attempt.accepted_at.get_or_insert(now);
                self.recovered(&handoff.call, now);
            }
            HandoffState::Failed { .. } => episode.attempt = None,
            HandoffState::Requested | HandoffState::Offered { .. } | HandoffState::Seen { .. } => {}
        }
    }

    /// The agent answered a turn of the caller; its first sound was `at`.
    pub(crate) fn ledger_answered(&mut self, id: &CallId, at: Timestamp) {
        let Some(episode) = self.ledger.open.get_mut(id) else {
            return;
        };
        episode.answered_at.get_or_insert(at);
        if episode.attempt.as_ref().is_some_and(|of| of.is_in_effect) {
            self.recovered(id, at);
        }
    }

    /// After everything that changed the call: is it well again, or can nobody know?
    pub(crate) fn ledger_settled(&mut self, id: &CallId) {
        let Some(episode) = self.ledger.open.get(id) else {
            return;
        };
        let Some(call) = self.calls.get(id) else {
            return;
        };
        if call.phase == CallPhase::Human {
            // The handoff tells of it as well, a moment later or not at all.
            return self.recovered(id, self.now);
        }
        if call
            .layers
            .iter()
            .all(|(_, cell)| cell.state == LayerState::Unknown)
        {
            // Facts were lost, or it is told anew: when it got well was seen by nobody.
            self.ledger.open.remove(id);
            return;
        }
        let is_tried = episode.attempt.is_some();
        if !is_tried && !is_unwell(call) {
            let at = episode.answered_at.unwrap_or(self.now);
            self.recovered(id, at);
        }
    }

    /// The call is over.
    pub(crate) fn ledger_ended(&mut self, id: &CallId) {
        if let Some(episode) = self.ledger.open.remove(id) {
            self.ledger.rows.lost(episode.decider(), episode.class);
        }
    }

    /// Consoles were sent what the calls of these recoveries look like now.
    pub(crate) fn ledger_shown(&mut self, recoveries: &[u64]) {
        let now = self.now;
        for id in recoveries {
            // The newest are at the end.
            let kept = self.ledger.kept.iter_mut().rev();
            let recovery = kept.take_while(|known| known.id >= *id).last();
            let Some(recovery) = recovery.filter(|known| known.id == *id) else {
                continue;
            };
            if recovery.shown_at.is_none() {
                recovery.shown_at = Some(now);
                self.ledger.rows.shown(recovery, now);
            }
        }
    }

    fn recovered(&mut self, id: &CallId, at: Timestamp) {
        let Some(episode) = self.ledger.open.remove(id) else {
            return;
        };
        let cause = self.calls.get(id).and_then(|call| call.cause.clone());
        let decider = episode.decider();
        let attempt = episode.attempt.filter(|_| decider != Decider::Nobody);
        self.ledger.count += 1;
        let recovery = Recovery {
            id: self.ledger.count,
            call: id.clone(),
            class: episode.class,
            cause,
            decider,
            decisions: episode.decisions,
            onset_at: episode.onset_at,
            affected_at: episode.affected_at,
            detected_at: episode.detected_at,
            decided_at: attempt.as_ref().map(|attempt| attempt.decided_at),
            accepted_at: attempt.and_then(|attempt| attempt.accepted_at),
            audio_at: at,
            shown_at: None,
        };
        self.ledger.rows.recovered(&recovery);
        self.out
            .push(Effect::Show(Shown::Recovered(self.ledger.count)));
        self.ledger.kept.push_back(recovery);
        if self.ledger.kept.len() > KEPT_MAX {
            self.ledger.kept.pop_front();
        }
    }
}

impl Ledger {
    fn tell(&self, n: usize) -> holdfast_domain::Ledger {
        let open = self.open.values();
        holdfast_domain::Ledger {
            since: self.since,
            rows: self.rows.tell(open.map(|of| (of.decider(), of.class))),
            recoveries: self.kept.iter().rev().take(n).cloned().collect(),
        }
    }
}

impl Episode {
    fn decide(&mut self, decider: Decider, what: What, now: Timestamp) {
        self.decisions += u32::from(decider != Decider::Nobody);
        self.answered_at = None;
        self.attempt = Some(Attempt {
            decider,
            what,
            decided_at: now,
            accepted_at: None,
            is_in_effect: false,
        });
    }

    fn decider(&self) -> Decider {
        let attempt = self.attempt.as_ref();
        attempt.map_or(Decider::Nobody, |attempt| attempt.decider)
    }
}

/// A signal by which the caller is affected. What is known of a vendor, or of the feed, is not yet
/// the caller's.
const fn is_trouble(kind: SignalKind) -> bool {
    !crate::concerns::is_concern(kind)
        && !matches!(
            kind,
            SignalKind::Ghost
                | SignalKind::StaleFeed
                | SignalKind::EscalationDrift
                | SignalKind::EndedAbruptly
        )
}

/// A layer is unwell by a signal that affects the caller.
fn is_unwell(call: &Call) -> bool {
    call.layers
        .iter()
        .any(|(_, cell)| cell.state >= LayerState::Degraded && cell.signal().is_none_or(is_trouble))
}

/// A command that can bring a caller a good answer.
const fn can_help(command: &Command) -> bool {
    match command {
        Command::SwitchModel { .. }
        | Command::RetryTurn
        | Command::DisableTools { .. }
        | Command::EnableTools { .. }
        | Command::ResumeAi
        | Command::Transfer { .. } => true,
        Command::Announce { .. }
        | Command::PauseAi
        | Command::StartFault { .. }
        | Command::StopFault { .. } => false,
    }
}
