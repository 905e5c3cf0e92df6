//! What the console knows, and the frames that it gives to the window. No IO, no clock.
//!
//! ```text
//! HubToConsole --apply--> board, records, details, platform --frame--> what changed since `ack`
//! ```
//!
//! Each thing that the window can see carries the version at which it last changed, so a frame is
//! built from what is newer than the version that the window acknowledges, and a frame that got
//! lost costs nothing: the next one holds what it held.
//!
//! A snapshot is staged and takes effect with its last part, as a difference to what was known: a
//! reader never sees half a picture, and rows keep their places.
//!
//! Deliberately absent: a memory on disk. A stored replica is restored by applying what it stored
//! as one `Snapshot` and going on from [`Replica::resume_point`]; nothing else enters a replica.

mod acts;
mod board;
mod causes;
mod details;
mod freshness;
mod handoffs;
mod ledger;
mod runs;
mod status;
mod tallies;
mod title;

use std::collections::BTreeMap;

use holdfast_domain::{
    BridgeStatus, CallId, CallSummary, HumanAgent, Record, Refusal, RefusalCode, Reply, Request,
    Timestamp,
};
use holdfast_protocol::console::{HubToConsole, Identity, ResumePoint};
use holdfast_protocol::limits::DETAIL_CALLS_MAX;
use holdfast_protocol::window::{About, Connection, Frame, FrameRequest, Platform};

use acts::Acts;
use board::BoardState;
use causes::Causes;
use details::Details;
use freshness::Freshness;
use handoffs::Handoffs;
use ledger::Ledger;
use runs::Runs;

/// The most rows in one frame: more than any screen shows.
pub const ROWS_IN_VIEW_MAX: u32 = 200;

/// Everything that the console knows of the hub.
#[derive(Debug)]
pub struct Replica {
    about: About,
    version: u64,
    freshness: Freshness,
    identity: Option<Identity>,
    picture: Option<ResumePoint>,
    epoch: String,
    staged: Option<Staged>,
    board: BoardState,
    acts: Acts,
    handoffs: Handoffs,
    causes: Causes,
    runs: Runs,
    ledger: Ledger,
    platform: PlatformState,
    details: Details,
}

/// A snapshot whose last part has not arrived yet.
#[derive(Debug, Default)]
struct Staged {
    seq: u64,
    calls: BTreeMap<CallId, CallSummary>,
    records: Vec<Record>,
}

/// What the last beat said of the platform.
#[derive(Debug, Default)]
struct PlatformState {
    /// None before the first beat: then nothing is known of any feed.
    bridges: Option<Vec<BridgeStatus>>,
    humans: Vec<HumanAgent>,
    version: u64,
}

/// What applying a frame asks of whoever owns the replica.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// Nothing more.
    Nothing,
    /// This request has its answer.
    Reply {
        /// The request's id within the connection.
        id: u64,
        /// The answer.
        reply: Reply,
    },
}

impl Replica {
    /// A replica that knows nothing yet.
    pub fn new(about: About) -> Self {
        Self {
            about,
            version: 1,
            freshness: Freshness::default(),
            identity: None,
            picture: None,
            epoch: String::new(),
            staged: None,
            board: BoardState::default(),
            acts: Acts::default(),
            handoffs: Handoffs::default(),
            causes: Causes::default(),
            runs: Runs::default(),
            ledger: Ledger::default(),
            platform: PlatformState::default(),
            details: Details::default(),
        }
    }

    /// Takes in one frame of the hub, in the order in which they arrived.
    pub fn apply(&mut self, frame: HubToConsole, now: Timestamp) -> Applied {
        self.version += 1;
        self.freshness.heard(now);
        match frame {
            HubToConsole::Welcome {
                epoch,
                identity,
                hub_time,
                ..
            } => {
                self.freshness.hub_clock(hub_time, now);
                self.freshness.set_connection(Connection::Live);
                self.epoch = epoch;
                self.identity = Some(identity);
                self.staged = None;
            }
            HubToConsole::Snapshot {
                seq,
                first,
                last,
                calls,
                records,
            } => self.apply_snapshot(seq, (first, last), calls, records),
            HubToConsole::Change { seq, calls, gone } => self.apply_change(seq, calls, gone),
            HubToConsole::Record { seq, record } => self.apply_record(seq, record),
            HubToConsole::Detail { detail } => {
                if self.detail_wanted().contains(&detail.summary.id) {
                    self.details.put(detail, self.version);
                }
            }
            HubToConsole::Beat {
                seq,
                hub_time,
                lag_ms,
                blind,
                bridges,
                humans,
            } => {
                self.freshness.beat(hub_time, lag_ms, blind, now);
                self.compare_with_hub(seq, now);
                self.apply_platform(bridges, humans);
                let hub_now = self.freshness.hub_now(now);
                self.acts.forget_old(hub_now);
                self.handoffs.forget_old(hub_now, self.version);
                self.causes.forget_old(hub_now, self.version);
                self.runs.forget_old(hub_now, self.version);
            }
            HubToConsole::Playbooks { playbooks } => {
                self.runs.put_playbooks(playbooks, self.version);
            }
            HubToConsole::Ledger { ledger } => self.ledger.put(ledger, self.version),
            HubToConsole::Reply { id, reply } => return Applied::Reply { id, reply },
            HubToConsole::Error { error } => {
                tracing::warn!(code = ?error.code, closing = error.closing, "the hub said an error");
            }
        }
        Applied::Nothing
    }

    /// The link broke; `retry_at` is on the console's clock.
    pub fn link_broke(&mut self, attempt: u32, retry_at: Timestamp, reason: String) {
        self.staged = None;
        self.freshness.set_connection(Connection::Reconnecting {
            attempt,
            retry_at,
            reason,
        });
    }

    /// The link gave up.
    pub fn link_closed(&mut self, reason: String) {
        self.staged = None;
        self.freshness.set_connection(Connection::Closed { reason });
    }

    /// Where the next connection goes on; None: from a snapshot.
    pub fn resume_point(&self) -> Option<ResumePoint> {
        self.picture.clone()
    }

    /// The picture cannot be trusted: it is shown as stale until a snapshot replaces it.
    pub fn forget_resume_point(&mut self) {
        self.picture = None;
        self.freshness.out_of_sync();
    }

    /// The calls whose detail the hub should send now: the open one, then those of the handoffs
    /// that are offered to this person or in their hands, so that their card opens filled.
    pub fn detail_wanted(&self) -> Vec<CallId> {
        let mut wanted: Vec<CallId> = self.details.open().cloned().collect();
        if let Some(identity) = &self.identity {
            for handoff in self.handoffs.of_agent(&identity.name) {
                if !wanted.contains(&handoff.call) {
                    wanted.push(handoff.call.clone());
                }
            }
        }
        wanted.truncate(DETAIL_CALLS_MAX);
        wanted
    }

    /// Why this request must not go out now; None when it may. Nobody acts while blind: only what
    /// looks, which the hub answers from its own view and which changes nothing, and what stops a
    /// run or all automation may be asked for while the view is stale.
    pub fn refusal(&self, request: &Request, now: Timestamp) -> Option<Refusal> {
        let blind = self.freshness.blind(now)?;
        let code = if blind.is_unreachable() {
            RefusalCode::Unreachable
        } else {
            RefusalCode::Stale
        };
        let looks_or_stops = matches!(
            request,
            Request::Preview { .. }
                | Request::PreviewRun { .. }
                | Request::ShowRun { .. }
                | Request::ShowLedger
                | Request::StopRun { .. }
                | Request::Lever { on: true, .. }
        );
        (!looks_or_stops || code != RefusalCode::Stale)
            .then(|| Refusal::new(code, format!("Nothing was done. {}", blind.sentence())))
    }

    /// What the window paints next: the sections that changed since `request.ack`.
    pub fn frame(&mut self, request: &FrameRequest, now: Timestamp) -> Frame {
        let ack = if request.ack > self.version {
            0 // acknowledges a frame that this replica never made
        } else {
            request.ack
        };
        self.details.look(request.open.as_ref(), &mut self.version);
        let wanted = self.detail_wanted();
        self.details.forget_all_but(&wanted);
        self.board.look(request, now, &mut self.version);
        self.acts.release(now, &mut self.version);
        let agent = self
            .identity
            .as_ref()
            .map(|identity| identity.name.as_str());
        Frame {
            version: self.version,
            now: self.freshness.hub_now(now),
            status: self.status(now),
            board: self.board.section(ack),
            detail: self.details.section(ack),
            acts: self.acts.section(ack),
            handoffs: self.handoffs.section(ack, agent),
            causes: self.causes.section(ack),
            runs: self.runs.section(ack),
            playbooks: self.runs.playbooks(ack),
            ledger: self.ledger.section(ack),
            platform: (self.platform.version > ack).then(|| Platform {
                bridges: self.platform.bridges.clone().unwrap_or_default(),
                humans: self.platform.humans.clone(),
            }),
            about: (ack == 0).then(|| self.about.clone()),
        }
    }

    fn apply_snapshot(
        &mut self,
        seq: u64,
        (first, last): (bool, bool),
        calls: Vec<CallSummary>,
        records: Vec<Record>,
    ) {
        if first {
            self.staged = Some(Staged::default());
            self.freshness.out_of_sync();
        }
        let Some(staged) = &mut self.staged else {
            tracing::warn!(
                seq,
                "a part of a snapshot without its beginning was ignored"
            );
            return;
        };
        staged.seq = staged.seq.max(seq);
        staged
            .calls
            .extend(calls.into_iter().map(|call| (call.id.clone(), call)));
        staged.records.extend(records);
        if last && let Some(staged) = self.staged.take() {
            self.swap_in(staged);
        }
    }

    fn swap_in(&mut self, staged: Staged) {
        let version = self.version;
        self.board
            .keep_only(|id| staged.calls.contains_key(id), version);
        for call in staged.calls.into_values() {
            self.board.put(call, version);
        }
        self.acts.clear();
        self.handoffs.clear(version);
        self.causes.clear(version);
        self.runs.clear(version);
        for record in staged.records {
            self.keep_record(record);
        }
        if self.identity.as_ref().is_some_and(Identity::can_see_board) {
            self.details.keep_only(|id| self.board.has(id), version);
        }
        self.applied(staged.seq);
        self.freshness.synced();
    }

    fn apply_change(&mut self, seq: u64, calls: Vec<CallSummary>, gone: Vec<CallId>) {
        if let Some(staged) = &mut self.staged {
            staged.seq = staged.seq.max(seq);
            staged
                .calls
                .extend(calls.into_iter().map(|call| (call.id.clone(), call)));
            for id in gone {
                staged.calls.remove(&id);
            }
            return;
        }
        if !self.has_picture_of_this_epoch() {
            tracing::warn!(seq, "a change before any snapshot was ignored");
            return;
        }
        for call in calls {
            self.board.put(call, self.version);
        }
        for id in gone {
            self.board.leave(&id, self.version);
            self.details.gone(&id, self.version);
        }
        self.applied(seq);
    }

    fn apply_record(&mut self, seq: u64, record: Record) {
        if let Some(staged) = &mut self.staged {
            staged.seq = staged.seq.max(seq);
            staged.records.push(record);
            return;
        }
        if !self.has_picture_of_this_epoch() {
            tracing::warn!(seq, "a record before any snapshot was ignored");
            return;
        }
        self.keep_record(record);
        self.applied(seq);
    }

    fn keep_record(&mut self, record: Record) {
        match record {
            Record::Command { command } => self.acts.put(*command),
            Record::Handoff { handoff } => self.handoffs.put(*handoff, self.version),
            Record::Cause { cause } => self.causes.put(*cause, self.version),
            Record::Run { run } => self.runs.put(*run, self.version),
            Record::Lever { lever } => self.runs.put_lever(lever, self.version),
        }
    }

    fn apply_platform(&mut self, bridges: Vec<BridgeStatus>, humans: Vec<HumanAgent>) {
        let platform = &mut self.platform;
        if platform.bridges.as_ref() != Some(&bridges) || platform.humans != humans {
            platform.bridges = Some(bridges);
            platform.humans = humans;
            platform.version = self.version;
        }
    }

    fn applied(&mut self, seq: u64) {
        let newest = match &self.picture {
            Some(point) if point.epoch == self.epoch => point.seq.max(seq),
            _ => seq,
        };
        self.freshness.applied(newest);
        self.picture = Some(ResumePoint {
            epoch: self.epoch.clone(),
            seq: newest,
        });
    }

    /// A beat overtakes nothing that we are told, so whoever sees the board has applied all up to
    /// the beat's number, unless the hub holds changes back because we read too slowly. An agent
    /// without the board is not told every number, so the beat itself is the sign.
    fn compare_with_hub(&mut self, hub_seq: u64, now: Timestamp) {
        if self.staged.is_some() || !self.has_picture_of_this_epoch() {
            return;
        }
        let sees_all = self.identity.as_ref().is_some_and(Identity::can_see_board);
        let ours = self.picture.as_ref().map_or(0, |point| point.seq);
        if sees_all && ours < hub_seq {
            self.freshness.behind(hub_seq, now);
        } else {
            self.freshness.synced();
        }
    }

    fn has_picture_of_this_epoch(&self) -> bool {
        self.picture
            .as_ref()
            .is_some_and(|point| point.epoch == self.epoch)
    }
}

#[cfg(test)]
mod tests;
