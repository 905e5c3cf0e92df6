//! Calls go to humans: who is asked, who sees, who takes, and what becomes of it.
//!
//! ```text
//! Requested -> Offered -> Seen -> Accepted -> Bridged -> Confirmed
//!     ^           |         |         |
//!     |           +---------+---------+--> back to Requested (declined, no answer, not connected)
//!     +--- Failed (caller left; not connected for the last time)
//! ```
//!
//! The longest free human is asked first. One who declined or did not answer is asked again for
//! the same handoff only when no other human is there, and then after a pause.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use holdfast_domain::{
    ActId, AgentId, CallId, CallPhase, Command, CommandId, CommandName, CommandRecord,
    CommandState, FeedState, Handoff, HandoffFailure, HandoffId, HandoffReason, HandoffState,
    HandoffStep, HumanAgent, HumanState, Progress, Record, Refusal, RefusalCode, Reply, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::commands::CLOSED_MAX;
use crate::timers::{Queued, TimerKey, Timers};
use crate::{Config, Engine, Person, acts, card, words};

/// How often one handoff is tried to be connected. Three different lines that fail are no chance.
const TRANSFERS_MAX: u32 = 3;
/// The longest key that fits into SIP User-to-User, in bytes.
const KEY_BYTES_MAX: usize = 128;
/// The most steps that are kept of one handoff.
const STEPS_MAX: usize = 100;
/// The most humans that are known: the largest floor that the product promises.
const HUMANS_MAX: usize = 10_000;

/// A handoff and what is needed to go on with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cell {
    handoff: Handoff,
    /// Nobody is asked before this.
    not_before: Option<Timestamp>,
    transfers: u32,
    /// It was told that nobody is free.
    is_wait_told: bool,
    /// The platform moves the call by itself; nobody is asked here.
    is_platforms_own: bool,
    #[serde(skip)]
    queued: Queued,
}

impl Cell {
    fn deadline(&self) -> Option<Timestamp> {
        match &self.handoff.state {
            HandoffState::Offered { expires_at, .. } | HandoffState::Seen { expires_at, .. } => {
                Some(*expires_at)
            }
            HandoffState::Requested => self.not_before,
            HandoffState::Accepted { .. }
            | HandoffState::Bridged { .. }
            | HandoffState::Confirmed { .. }
            | HandoffState::Failed { .. } => None,
        }
    }
}

/// A human agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Human {
    state: HumanState,
    since: Timestamp,
    is_present: bool,
    /// Wants to be away once the call is over.
    wants_away: bool,
}

/// All handoffs that are open or were closed lately, and the humans.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Handoffs {
    cells: BTreeMap<HandoffId, Cell>,
    /// Those that wait for a human, oldest first.
    waiting: BTreeSet<(Timestamp, HandoffId)>,
    humans: BTreeMap<AgentId, Human>,
    closed: VecDeque<(Timestamp, HandoffId)>,
}

impl Handoffs {
    pub(crate) fn get(&self, id: &HandoffId) -> Option<&Handoff> {
        self.cells.get(id).map(|cell| &cell.handoff)
    }

    pub(crate) fn humans(&self) -> Vec<HumanAgent> {
        self.humans
            .iter()
            .filter(|(_, human)| human.is_present || human.state == HumanState::OnCall)
            .map(|(id, human)| HumanAgent {
                id: id.clone(),
                state: human.state,
                since: human.since,
            })
            .collect()
    }

    /// About how many minutes the next caller waits for a human: at once while one is free, else
    /// those who wait share the humans who are there. None when nobody is there.
    pub(crate) fn wait_minutes(&self) -> Option<u32> {
        /// How long a human serves one call, in minutes: that of a contact center's textbook.
        const HANDLE_MINUTES: u32 = 5;
        if self.free() > 0 {
            return Some(1);
        }
        let there = |human: &&Human| human.is_present && human.state != HumanState::Away;
        let there = self.humans.values().filter(there).count() as u32;
        let ahead = self.waiting.len() as u32;
        (there > 0).then(|| ((ahead + 1) * HANDLE_MINUTES).div_ceil(there).max(1))
    }

    /// Humans who could be asked now.
    pub(crate) fn free(&self) -> u32 {
        self.humans
            .values()
            .filter(|human| human.is_present && human.state == HumanState::Free)
            .count() as u32
    }

    /// Humans who are free and whom no waiting handoff will be offered to next.
    pub(crate) fn unclaimed(&self) -> u32 {
        self.free().saturating_sub(self.waiting.len() as u32)
    }

    /// Humans who are there: free, asked or on a call.
    pub(crate) fn there(&self) -> u32 {
        self.humans
            .values()
            .filter(|human| human.is_present && human.state != HumanState::Away)
            .count() as u32
    }

    pub(crate) fn records(&self, config: &Config, now: Timestamp) -> Vec<Record> {
        self.cells
            .values()
            .filter(|cell| {
                let last = cell.handoff.steps.last();
                let is_recent = last.is_some_and(|step| now.since(step.at) <= config.records_ms);
                !cell.handoff.state.is_final() || is_recent
            })
            .map(|cell| Record::Handoff {
                handoff: Box::new(cell.handoff.clone()),
            })
            .collect()
    }

    pub(crate) fn queue(&mut self, timers: &mut Timers) {
        for (id, cell) in &mut self.cells {
            let deadline = cell.deadline();
            timers.arm(|| TimerKey::Handoff(id.clone()), deadline, &mut cell.queued);
        }
    }

    fn close(&mut self, id: &HandoffId, config: &Config, now: Timestamp) {
        self.closed.push_back((now, id.clone()));
        while self.closed.len() > CLOSED_MAX
            || self
                .closed
                .front()
                .is_some_and(|(at, _)| now.since(*at) > config.records_ms)
        {
            if let Some((_, id)) = self.closed.pop_front() {
                self.cells.remove(&id);
            }
        }
    }
}

impl Engine {
    // === requests ===

    /// A call shall go to a human.
    pub(crate) fn request_handoff(
        &mut self,
        call: &CallId,
        id: HandoffId,
        reason: HandoffReason,
        by: &str,
    ) {
        let now = self.now;
        let is_heard = self.calls.get(call).is_some_and(|call| self.is_heard(call));
        let Some(live) = self.calls.get_mut(call) else {
            return;
        };
        live.handoff = Some(id.clone());
        self.out.show_call(&live.id, &mut live.dirty);
        let text = match reason {
            HandoffReason::Supervisor => format!("{by} sends the call to a human"),
            HandoffReason::CallerAsked => "the caller asked for a human".to_owned(),
            HandoffReason::AiAsked => "the AI asked for a human".to_owned(),
            HandoffReason::LadderEnded => "nothing is left that could serve the call".to_owned(),
        };
        let handoff = Handoff {
            id: id.clone(),
            call: call.clone(),
            reason,
            requested_by: by.to_owned(),
            requested_at: now,
            state: HandoffState::Requested,
            transfer: None,
            refused_by: Vec::new(),
            steps: vec![HandoffStep { text, at: now }],
            card: card::of(live, is_heard),
        };
        self.out.append_handoff(&handoff);
        self.ledger_human_asked(&handoff);
        let asked = Cell {
            handoff,
            not_before: None,
            transfers: 0,
            is_wait_told: false,
            is_platforms_own: false,
            queued: Queued::default(),
        };
        self.handoffs.waiting.insert((now, id.clone()));
        self.handoffs.cells.insert(id, asked);
    }

    /// A handoff that no human was asked for is taken back: the call stays where it is.
    pub(crate) fn withdraw_handoff(&mut self, id: &HandoffId, why: &str) {
        let is_waiting = self
            .handoffs
            .get(id)
            .is_some_and(|handoff| handoff.state == HandoffState::Requested);
        if is_waiting {
            let kind = HandoffFailure::Withdrawn;
            let message = format!("{why}; send the call to a human again if it needs one");
            self.move_handoff(id, HandoffState::Failed { kind, message }, why.to_owned());
        }
    }

    /// The platform tells that the AI or the caller asks for a human.
    pub(crate) fn handoff_asked(&mut self, call: &CallId, event: &str, to: &str, reason: &str) {
        let Some(known) = self.calls.get(call) else {
            return;
        };
        if known.phase != CallPhase::Ai || known.handoff.is_some() {
            return;
        }
        let of_bridge = self.bridges.get(&known.source);
        let of_bridge = of_bridge.map_or(&[][..], |bridge| &bridge.capabilities);
        let capabilities = known.capabilities.as_deref().unwrap_or(of_bridge);
        let is_ours = acts::is_available(capabilities, CommandName::Transfer);
        let id = HandoffId::new(format!("h-{event}"));
        let (reason, by) = if reason.to_ascii_lowercase().contains("caller") {
            (HandoffReason::CallerAsked, "caller")
        } else {
            (HandoffReason::AiAsked, "ai")
        };
        self.request_handoff(call, id.clone(), reason, by);
        if is_ours {
            self.match_handoffs();
        } else if let Some(cell) = self.handoffs.cells.get_mut(&id) {
            cell.is_platforms_own = true;
            self.handoffs
                .waiting
                .remove(&(cell.handoff.requested_at, id.clone()));
            let to = words::clip(to, 60);
            let text = format!(
                "the platform moves the call itself, to {to}: it lets nobody else transfer it"
            );
            self.step(&id, text);
        }
    }

    pub(crate) fn see_handoff(&mut self, who: &Person, id: &HandoffId) -> Result<Reply, Refusal> {
        let agent = self.offered_to(who, id)?;
        let state = self.handoffs.get(id).map(|handoff| handoff.state.clone());
        if let Some(HandoffState::Offered { expires_at, .. }) = state {
            let text = format!("{agent} has the card on screen");
            self.move_handoff(id, HandoffState::Seen { agent, expires_at }, text);
        }
        Ok(Reply::Done)
    }

    pub(crate) fn accept_handoff(
        &mut self,
        who: &Person,
        id: &HandoffId,
    ) -> Result<Reply, Refusal> {
        let agent = self.offered_to(who, id)?;
        let Some(call) = self.handoffs.get(id).map(|handoff| handoff.call.clone()) else {
            return Err(gone());
        };
        let Some(known) = self.calls.get(&call) else {
            return Err(gone());
        };
        if self.feed(&known.source) != FeedState::Live {
            return Err(Refusal::new(
                RefusalCode::Stale,
                "the call's bridge is not heard now, so it cannot be connected; try again when it \
                 is back",
            ));
        }
        let (source, language) = (known.source.clone(), known.dialogue.language.clone());
        let transfers = self.handoffs.cells.get_mut(id).map_or(1, |cell| {
            cell.transfers += 1;
            cell.transfers
        });
        let now = self.now;
        let record = CommandRecord {
            id: CommandId::new(format!("{id}.t{transfers}")),
            act: ActId::new(id.as_str()),
            call: Some(call),
            source,
            command: Command::Transfer {
                handoff_id: id.clone(),
                to: agent.to_string(),
                announcement: Some(words::transfer_announcement(&language).to_owned()),
                key: key(id),
            },
            expect_active: None,
            actor: who.name.clone(),
            issued_at: now,
            expires_at: now + self.config.command_ttl_ms,
            progress: vec![Progress {
                state: CommandState::Requested,
                at: now,
            }],
        };
        if let Some(cell) = self.handoffs.cells.get_mut(id) {
            cell.handoff.transfer = Some(record.id.clone());
        }
        self.set_human(&agent, HumanState::OnCall);
        let text = format!("{agent} takes the call");
        self.move_handoff(id, HandoffState::Accepted { agent }, text);
        self.issue(record);
        Ok(Reply::Done)
    }

    pub(crate) fn decline_handoff(
        &mut self,
        who: &Person,
        id: &HandoffId,
        reason: &str,
    ) -> Result<Reply, Refusal> {
        let agent = self.offered_to(who, id)?;
        let reason = words::clip(reason.trim(), 120);
        let text = if reason.is_empty() {
            format!("{agent} declined")
        } else {
            format!("{agent} declined: {reason}")
        };
        self.set_human(&agent, HumanState::Free);
        self.back_to_queue(id, Some(agent), text);
        self.match_handoffs();
        Ok(Reply::Done)
    }

    pub(crate) fn set_human_state(
        &mut self,
        who: &Person,
        state: HumanState,
    ) -> Result<Reply, Refusal> {
        receives(who)?;
        let agent = AgentId::new(who.name.as_str());
        self.know_human(&agent, true);
        let known = self.handoffs.humans.get(&agent);
        let now_is = known.map_or(HumanState::Away, |human| human.state);
        match (state, now_is) {
            (HumanState::Offered | HumanState::OnCall, _) => {
                return Err(Refusal::new(
                    RefusalCode::Invalid,
                    "only free and away can be chosen; the rest follows from what happens",
                ));
            }
            (HumanState::Free, HumanState::OnCall) => {
                self.wants_away(&agent, false);
            }
            (HumanState::Away, HumanState::OnCall) => {
                self.wants_away(&agent, true);
            }
            (HumanState::Away, HumanState::Offered) => {
                self.set_human(&agent, HumanState::Away);
                for id in self.offers_of(&agent) {
                    let text = format!("{agent} went away");
                    self.back_to_queue(&id, Some(agent.clone()), text);
                }
            }
            (HumanState::Free, HumanState::Offered) => {}
            (HumanState::Free | HumanState::Away, HumanState::Free | HumanState::Away) => {
                if state != now_is {
                    self.set_human(&agent, state);
                }
            }
        }
        self.match_handoffs();
        Ok(Reply::Done)
    }

    pub(crate) fn on_presence(&mut self, name: &str, present: bool) {
        let agent = AgentId::new(name);
        self.know_human(&agent, present);
        if let Some(human) = self.handoffs.humans.get_mut(&agent) {
            human.is_present = present;
            // Nobody keeps a name that is neither here nor needed.
            if !present && human.state == HumanState::Away {
                self.handoffs.humans.remove(&agent);
            }
        }
        self.out.show_platform();
        self.match_handoffs();
    }

    pub(crate) fn forget_presence(&mut self) {
        for human in self.handoffs.humans.values_mut() {
            human.is_present = false;
        }
        self.out.show_platform();
    }

    // === what the platform tells ===

    pub(crate) fn handoff_completed(
        &mut self,
        call: &CallId,
        named: Option<&str>,
        to: &str,
        at: Timestamp,
    ) {
        let Some(known) = self.calls.get_mut(call) else {
            return;
        };
        known.human_took_over(at, &mut self.notes);
        let open = known.handoff.clone();
        self.settle(call);
        let Some(id) = open.filter(|id| named.is_none_or(|named| named == id.as_str())) else {
            return;
        };
        let Some(state) = self.handoffs.get(&id).map(|handoff| handoff.state.clone()) else {
            return;
        };
        let agent = match state.agent() {
            // The platform may know the human who accepted by another name.
            Some(agent) if agent.as_str() == to || !is_asked(&state) => agent.clone(),
            _ => AgentId::new(words::clip(to, 60)),
        };
        if let Some(asked) = state
            .agent()
            .filter(|asked| is_asked(&state) && **asked != agent)
        {
            // Somebody else has the call: the offer is void and held against nobody.
            let asked = asked.clone();
            self.set_human(&asked, HumanState::Free);
        }
        if self.handoffs.humans.contains_key(&agent) {
            self.set_human(&agent, HumanState::OnCall);
            // Whoever is on a call answers no other offer.
            for other in self.offers_of(&agent) {
                if other != id {
                    let text = format!("{agent} is on another call");
                    self.back_to_queue(&other, Some(agent.clone()), text);
                }
            }
        }
        let text = format!("{agent} is on the call, the platform confirms");
        self.move_handoff(&id, HandoffState::Confirmed { agent }, text);
        let transfer = self.handoffs.get(&id).and_then(|h| h.transfer.clone());
        if let Some(transfer) = transfer {
            self.prove(&transfer);
        }
        self.match_handoffs();
    }

    pub(crate) fn handoff_failed(&mut self, call: &CallId, named: Option<&str>, reason: &str) {
        let open = self.calls.get(call).and_then(|call| call.handoff.clone());
        let Some(id) = open.filter(|id| named.is_none_or(|named| named == id.as_str())) else {
            return;
        };
        let kind = match reason {
            "no_answer" => HandoffFailure::NoAnswer,
            "busy" => HandoffFailure::Busy,
            "declined" => HandoffFailure::Declined,
            "voicemail" => HandoffFailure::Voicemail,
            "caller_left" => HandoffFailure::CallerLeft,
            _ => HandoffFailure::TrunkFailed,
        };
        self.not_connected(&id, kind);
    }

    /// The transfer command of a handoff reached a state.
    pub(crate) fn transfer_advanced(&mut self, record: &CommandRecord) {
        let Command::Transfer { handoff_id, .. } = &record.command else {
            return;
        };
        let id = handoff_id.clone();
        let Some(handoff) = self.handoffs.get(&id) else {
            return;
        };
        if handoff.transfer.as_ref() != Some(&record.id) {
            return;
        }
        let HandoffState::Accepted { agent } = handoff.state.clone() else {
            return;
        };
        match record.state() {
            CommandState::Applied { .. } => {
                let text = format!("the platform connected {agent}");
                self.move_handoff(&id, HandoffState::Bridged { agent }, text);
            }
            CommandState::Failed { .. } | CommandState::Rejected { .. } | CommandState::Expired => {
                self.not_connected(&id, HandoffFailure::TrunkFailed);
            }
            CommandState::Requested
            | CommandState::Accepted
            | CommandState::Unknown
            | CommandState::Proven { .. } => {}
        }
    }

    /// The call is over.
    pub(crate) fn handoff_ended_with(&mut self, call: &CallId) {
        if let Some(id) = self.calls.get(call).and_then(|call| call.handoff.clone()) {
            let agent = self
                .handoffs
                .get(&id)
                .and_then(|handoff| handoff.state.agent().cloned());
            let kind = HandoffFailure::CallerLeft;
            let message = "the call ended before a human was confirmed on it; consider calling \
                           the customer back"
                .to_owned();
            let text = "the call ended".to_owned();
            self.move_handoff(&id, HandoffState::Failed { kind, message }, text);
            if let Some(agent) = agent {
                self.release(&agent, call);
            }
        }
        let served: Vec<AgentId> = self
            .handoffs
            .cells
            .values()
            .filter(|cell| cell.handoff.call == *call)
            .filter_map(|cell| match &cell.handoff.state {
                HandoffState::Confirmed { agent } => Some(agent.clone()),
                _ => None,
            })
            .collect();
        for agent in served {
            self.release(&agent, call);
        }
        self.match_handoffs();
    }

    // === moving on ===

    /// Asks free humans for the handoffs that wait, oldest first.
    pub(crate) fn match_handoffs(&mut self) {
        let waiting: Vec<HandoffId> = self
            .handoffs
            .waiting
            .iter()
            .map(|(_, id)| id.clone())
            .collect();
        for id in waiting {
            // With nobody free there is news only for those that have not been told.
            let cell = self.handoffs.cells.get(&id);
            let is_told = cell.is_some_and(|cell| cell.is_wait_told);
            if !is_told || self.handoffs.free() > 0 {
                self.offer(&id);
            }
        }
    }

    fn offer(&mut self, id: &HandoffId) {
        let now = self.now;
        let Some(cell) = self.handoffs.cells.get(id) else {
            return;
        };
        let refused = &cell.handoff.refused_by;
        let candidate = self
            .handoffs
            .humans
            .iter()
            .filter(|(agent, human)| {
                human.is_present && human.state == HumanState::Free && !refused.contains(agent)
            })
            .min_by_key(|(agent, human)| (human.since, (*agent).clone()))
            .map(|(agent, _)| agent.clone());
        if let Some(agent) = candidate {
            let expires_at = now + self.config.offer_ms;
            self.set_human(&agent, HumanState::Offered);
            let text = format!("offered to {agent}");
            self.move_handoff(id, HandoffState::Offered { agent, expires_at }, text);
            return;
        }
        let others_are_there = self.handoffs.humans.iter().any(|(agent, human)| {
            human.is_present && human.state != HumanState::Away && !refused.contains(agent)
        });
        let pause = cell.not_before;
        if !refused.is_empty() && !others_are_there {
            match pause {
                Some(at) if at <= now => {
                    if let Some(cell) = self.handoffs.cells.get_mut(id) {
                        cell.handoff.refused_by.clear();
                        cell.not_before = None;
                    }
                    let text = "nobody else is there: those who refused are asked again";
                    self.step(id, text.to_owned());
                    self.offer(id);
                    return;
                }
                Some(_) => {}
                None => {
                    if let Some(cell) = self.handoffs.cells.get_mut(id) {
                        cell.not_before = Some(now + self.config.reoffer_ms);
                    }
                    self.arm_handoff(id);
                }
            }
        }
        self.tell_wait(id);
    }

    fn tell_wait(&mut self, id: &HandoffId) {
        let Some(cell) = self.handoffs.cells.get_mut(id) else {
            return;
        };
        if !std::mem::replace(&mut cell.is_wait_told, true) {
            self.step(
                id,
                "nobody is free: waits for the next free human".to_owned(),
            );
        }
    }

    /// An agent did not take the call, or could not be connected.
    fn back_to_queue(&mut self, id: &HandoffId, refused: Option<AgentId>, text: String) {
        let Some(cell) = self.handoffs.cells.get_mut(id) else {
            return;
        };
        if let Some(agent) = refused
            && !cell.handoff.refused_by.contains(&agent)
        {
            cell.handoff.refused_by.push(agent);
        }
        cell.not_before = None;
        cell.is_wait_told = false;
        self.move_handoff(id, HandoffState::Requested, text);
    }

    fn not_connected(&mut self, id: &HandoffId, kind: HandoffFailure) {
        let Some(cell) = self.handoffs.cells.get(id) else {
            return;
        };
        let agent = cell.handoff.state.agent().cloned();
        let of_call = cell.handoff.call.clone();
        let (words, tries) = (failure_words(kind), cell.transfers);
        if kind == HandoffFailure::CallerLeft || tries >= TRANSFERS_MAX || cell.is_platforms_own {
            let next = match kind {
                HandoffFailure::CallerLeft => "consider calling the customer back",
                _ => "mend the call with another act, or send it to a human again",
            };
            let message = format!("{words}; {next}");
            self.move_handoff(id, HandoffState::Failed { kind, message }, words.to_owned());
            if let Some(agent) = agent {
                self.release(&agent, &of_call);
            }
        } else {
            if let Some(agent) = &agent {
                self.release(agent, &of_call);
            }
            let text = format!("{words}; the next human is asked");
            self.back_to_queue(id, agent, text);
        }
        self.match_handoffs();
    }

    pub(crate) fn fire_handoff(&mut self, id: &HandoffId, due: Timestamp) {
        let Some(cell) = self.handoffs.cells.get_mut(id) else {
            return;
        };
        cell.queued.pop(due);
        if cell.deadline().is_none_or(|deadline| deadline > due) {
            self.arm_handoff(id);
            return;
        }
        let asked = cell.handoff.state.agent().cloned();
        self.pass_to(due);
        if let Some(agent) = asked {
            self.set_human(&agent, HumanState::Free);
            let text = format!("{agent} did not answer");
            self.back_to_queue(id, Some(agent), text);
        }
        self.match_handoffs();
    }

    /// A handoff reaches a state: written down with the card as of now.
    fn move_handoff(&mut self, id: &HandoffId, state: HandoffState, text: String) {
        let now = self.now;
        let is_heard = self
            .handoffs
            .get(id)
            .and_then(|handoff| self.calls.get(&handoff.call))
            .is_some_and(|call| self.is_heard(call));
        let Some(cell) = self.handoffs.cells.get_mut(id) else {
            return;
        };
        let place = (cell.handoff.requested_at, id.clone());
        if state == HandoffState::Requested {
            self.handoffs.waiting.insert(place);
        } else {
            self.handoffs.waiting.remove(&place);
        }
        cell.handoff.state = state;
        if let Some(call) = self.calls.get_mut(&cell.handoff.call) {
            cell.handoff.card = card::of(call, is_heard);
            if cell.handoff.state.is_final() && call.handoff.as_ref() == Some(id) {
                call.handoff = None;
            }
            self.out.show_call(&call.id, &mut call.dirty);
        }
        let is_final = cell.handoff.state.is_final();
        let moved = cell.handoff.clone();
        self.ledger_handoff(&moved);
        self.step(id, text);
        self.arm_handoff(id);
        if is_final {
            self.handoffs.close(id, &self.config, now);
        }
    }

    /// Adds a step to a handoff's story and writes it down.
    fn step(&mut self, id: &HandoffId, text: String) {
        let at = self.now;
        let Some(cell) = self.handoffs.cells.get_mut(id) else {
            return;
        };
        cell.handoff.steps.push(HandoffStep { text, at });
        if cell.handoff.steps.len() > STEPS_MAX {
            // The request stays, the oldest of what followed goes.
            cell.handoff.steps.remove(1);
        }
        self.out.append_handoff(&cell.handoff);
    }

    fn arm_handoff(&mut self, id: &HandoffId) {
        if let Some(cell) = self.handoffs.cells.get_mut(id) {
            let deadline = cell.deadline();
            let key = || TimerKey::Handoff(id.clone());
            self.timers.arm(key, deadline, &mut cell.queued);
        }
    }

    // === humans ===

    fn know_human(&mut self, agent: &AgentId, is_present: bool) {
        let now = self.now;
        if !self.handoffs.humans.contains_key(agent) && self.handoffs.humans.len() < HUMANS_MAX {
            let human = Human {
                state: HumanState::Away,
                since: now,
                is_present,
                wants_away: false,
            };
            self.handoffs.humans.insert(agent.clone(), human);
        }
    }

    fn set_human(&mut self, agent: &AgentId, state: HumanState) {
        let now = self.now;
        if let Some(human) = self.handoffs.humans.get_mut(agent) {
            human.state = state;
            human.since = now;
            human.wants_away = false;
        }
        self.out.show_platform();
    }

    fn wants_away(&mut self, agent: &AgentId, wants_away: bool) {
        if let Some(human) = self.handoffs.humans.get_mut(agent) {
            human.wants_away = wants_away;
        }
    }

    /// The agent is no longer needed on this call, and is free unless another call needs them.
    fn release(&mut self, agent: &AgentId, call: &CallId) {
        let (mut is_needed, mut has_offer) = (false, false);
        for cell in self.handoffs.cells.values() {
            let handoff = &cell.handoff;
            if handoff.state.agent() != Some(agent) || handoff.call == *call {
                continue;
            }
            has_offer |= is_asked(&handoff.state);
            let is_on_call = matches!(
                handoff.state,
                HandoffState::Accepted { .. }
                    | HandoffState::Bridged { .. }
                    | HandoffState::Confirmed { .. }
            );
            is_needed |= is_on_call && self.calls.contains(&handoff.call);
        }
        let Some(human) = self.handoffs.humans.get(agent) else {
            return;
        };
        if !matches!(human.state, HumanState::OnCall | HumanState::Offered) {
            return;
        }
        // A call that was thought to be over and was told again still needs its human, who was asked
        // for this one meanwhile.
        let state = if has_offer {
            HumanState::Offered
        } else if is_needed {
            HumanState::OnCall
        } else if human.wants_away {
            HumanState::Away
        } else {
            HumanState::Free
        };
        if state != human.state {
            self.set_human(agent, state);
        }
    }

    /// The person, if this handoff is offered to them now.
    fn offered_to(&self, who: &Person, id: &HandoffId) -> Result<AgentId, Refusal> {
        receives(who)?;
        let handoff = self.handoffs.get(id).ok_or_else(gone)?;
        match &handoff.state {
            HandoffState::Offered { agent, .. } | HandoffState::Seen { agent, .. }
                if agent.as_str() == who.name =>
            {
                Ok(agent.clone())
            }
            _ => Err(Refusal::new(
                RefusalCode::Conflict,
                "this call is not offered to you any more; the next offer comes by itself",
            )),
        }
    }

    fn offers_of(&self, agent: &AgentId) -> Vec<HandoffId> {
        self.handoffs
            .cells
            .iter()
            .filter(|(_, cell)| {
                is_asked(&cell.handoff.state) && cell.handoff.state.agent() == Some(agent)
            })
            .map(|(id, _)| id.clone())
            .collect()
    }
}

/// An agent is asked and has not answered.
const fn is_asked(state: &HandoffState) -> bool {
    matches!(
        state,
        HandoffState::Offered { .. } | HandoffState::Seen { .. }
    )
}

fn receives(who: &Person) -> Result<(), Refusal> {
    if who.can_receive {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::Forbidden,
        format!("{} does not receive calls", who.name),
    ))
}

fn gone() -> Refusal {
    Refusal::new(
        RefusalCode::NotFound,
        "this handoff is over; nothing is left to do",
    )
}

const fn failure_words(kind: HandoffFailure) -> &'static str {
    match kind {
        HandoffFailure::NoAnswer => "nobody answered the transfer",
        HandoffFailure::Busy => "the line was busy",
        HandoffFailure::Voicemail => "a machine answered",
        HandoffFailure::CallerLeft => "the caller left",
        HandoffFailure::TrunkFailed => "the platform could not connect",
        HandoffFailure::Declined => "the transfer was declined",
        HandoffFailure::Withdrawn => "the handoff was withdrawn",
    }
}

/// The key by which the card is fetched at the other end: the handoff's id, or a digest of one that
/// does not fit.
fn key(id: &HandoffId) -> String {
    if id.as_str().len() <= KEY_BYTES_MAX {
        return id.to_string();
    }
    // FNV-1a, 64 bit: short and the same on every machine; it names, it does not protect.
    let digest = id
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("h-{digest:016x}")
}
