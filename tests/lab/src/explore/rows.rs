//! What must be true of everything that can be read from the engine, whenever nothing is going on.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    AnomalyKind, CallId, CallPhase, CallSummary, FeedState, Floor, HandoffState, HumanState,
    LayerState, NeedLevel, Record, Timestamp,
};
use holdfast_engine::{Effect, Engine, Shown};

use crate::model::{Live, Model};
use crate::records::{Records, check_evidence};
use crate::{Wrong, wrong};

/// The rows as a console has them: those that were shown, as they were when they were last shown.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    rows: BTreeMap<CallId, CallSummary>,
    dirty: BTreeSet<CallId>,
}

impl Rows {
    pub(crate) fn shown(&mut self, effect: &Effect) {
        match effect {
            Effect::Show(Shown::Call(id)) => {
                self.dirty.insert(id.clone());
            }
            Effect::Show(Shown::Gone(id)) => {
                self.rows.remove(id);
                self.dirty.remove(id);
            }
            _ => {}
        }
    }

    pub(crate) fn check(
        &mut self,
        engine: &Engine,
        model: &Model,
        records: &Records,
        is_thorough: bool,
    ) -> Result<(), Wrong> {
        let known: Vec<&CallId> = engine.call_ids().collect();
        let live: Vec<&CallId> = model.calls.keys().collect();
        if known != live {
            return wrong(format!("live are {live:?}, the engine knows {known:?}"));
        }
        if !records.begun.keys().eq(model.calls.keys()) {
            return wrong("calls are written down as begun that are not live");
        }
        for (id, live) in &model.calls {
            let Some(row) = engine.summary(id) else {
                return wrong(format!("{id} has no row"));
            };
            check_row(&row, live, engine.now(), model, records)?;
            // While a feed is not live its calls are unknown as a whole, and that was shown.
            if !self.dirty.contains(id) && model.feed(&live.source) == FeedState::Live {
                match self.rows.get(id) {
                    None => return wrong(format!("{id} was never shown")),
                    Some(shown) => check_same(shown, &row)?,
                }
            }
            self.rows.insert(id.clone(), row);
        }
        self.dirty.clear();
        if let Some(id) = self.rows.keys().find(|id| !model.calls.contains_key(*id)) {
            return wrong(format!("{id} is over and still on the board"));
        }
        check_feeds(engine, model)?;
        if is_thorough {
            check_records(engine, model, records)?;
            check_humans(engine, model, records)?;
        }
        Ok(())
    }
}

/// What a person decides by is on the board as it is. Ages and times move on by themselves.
fn check_same(shown: &CallSummary, row: &CallSummary) -> Result<(), Wrong> {
    let states = |row: &CallSummary| row.layers.0.clone().map(|health| health.state);
    let is_same = shown.phase == row.phase
        && shown.ai == row.ai
        && states(shown) == states(row)
        && shown.rung == row.rung
        && shown.floor == row.floor
        && shown.need.level == row.need.level
        && shown.need.reason == row.need.reason
        && shown.next.as_ref().map(|next| next.kind) == row.next.as_ref().map(|next| next.kind)
        && shown.protected == row.protected
        && shown.command == row.command
        && shown.handoff == row.handoff
        && shown.cause == row.cause
        && (shown.turns, shown.failed_turns) == (row.turns, row.failed_turns);
    if is_same {
        return Ok(());
    }
    let brief = |row: &CallSummary| {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {}",
            row.phase,
            row.ai,
            states(row),
            row.floor,
            row.need,
            row.next,
            row.command.as_ref().map(|command| command.state().clone()),
            row.handoff,
            row.cause,
            row.turns,
            row.failed_turns
        )
    };
    let id = &row.id;
    wrong(format!(
        "{id} was not shown again: {} is now {}",
        brief(shown),
        brief(row)
    ))
}

/// What must be true of one row, whatever happened before.
pub(crate) fn check_row(
    row: &CallSummary,
    live: &Live,
    now: Timestamp,
    model: &Model,
    records: &Records,
) -> Result<(), Wrong> {
    let id = &row.id;
    let fail = |what: &str| wrong(format!("{id} {what}: {row:?}"));
    if row.source != live.source || row.phase == CallPhase::Ended {
        return fail("belongs to another bridge, or is over");
    }
    let floor_since = match row.floor {
        Floor::AgentOwes { since }
        | Floor::Speaking { since, .. }
        | Floor::CallerOwes { since }
        | Floor::Announced { since } => since,
        Floor::Unknown => now,
    };
    if floor_since > now || row.started_at > now || row.last_fact_at > now {
        return fail("has a past that lies in the future");
    }
    let need = &row.need;
    let is_calm = need.level == NeedLevel::Calm;
    if is_calm != (need.score == 0) || is_calm != need.reason.is_empty() {
        return fail("needs someone for no reason");
    }
    if row.next.as_ref().is_some_and(|next| next.text.is_empty()) {
        return fail("says what happens next without words");
    }
    if row.failed_turns > row.turns {
        return fail("had more failed turns than turns");
    }
    let feed = model.feed(&live.source);
    for (layer, health) in row.layers.iter() {
        if health.since > now {
            return fail("has a layer from the future");
        }
        match (health.state, &health.evidence) {
            (LayerState::Unknown, None) => {}
            (LayerState::Healthy, None) if live.has_worked => {}
            (LayerState::Degraded | LayerState::Failed, Some(evidence)) => {
                check_evidence(evidence, Some(id), model)?;
            }
            _ => return fail(&format!("has a {layer:?} that it cannot have")),
        }
        if feed != FeedState::Live && health.state != LayerState::Unknown {
            return fail(&format!("shows {layer:?} while its feed is {feed:?}"));
        }
        if feed == FeedState::Live && health.state != records.layer(id, layer) {
            return fail(&format!("shows {layer:?} as it was not written down"));
        }
    }
    if let Some(handoff) = &row.handoff {
        let open = records.handoffs.get(handoff);
        if open.is_none_or(|open| open.state.is_final() || open.call != *id) {
            return fail("has a handoff that is over or of another call");
        }
    }
    match &row.command {
        Some(command) if records.commands.get(&command.id) != Some(command) => {
            fail("shows a command that was not written down so")
        }
        _ => Ok(()),
    }
}

fn check_feeds(engine: &Engine, model: &Model) -> Result<(), Wrong> {
    let told = engine.bridges();
    if told.len() != model.feeds.len() {
        return wrong(format!(
            "bridges: {told:?}, heard of were {:?}",
            model.feeds
        ));
    }
    for status in told {
        let source = &status.source;
        let Some(feed) = model.feeds.get(source) else {
            return wrong(format!("{source} is known and was forgotten"));
        };
        if status.state != feed.state() {
            return wrong(format!(
                "{source} is {:?}, not {:?}",
                feed.state(),
                status.state
            ));
        }
        let calls = model.calls_of(source).len();
        if status.live_calls as usize != calls {
            return wrong(format!(
                "{source} has {calls} calls, told are {}",
                status.live_calls
            ));
        }
        // What a clock does is judged by the bridge's own clock, which the model does not follow.
        let counted: BTreeMap<AnomalyKind, u64> = status
            .anomalies
            .iter()
            .filter(|anomaly| anomaly.kind != AnomalyKind::ClockJump)
            .map(|anomaly| (anomaly.kind, anomaly.count))
            .collect();
        if counted != feed.anomalies {
            let expected = &feed.anomalies;
            return wrong(format!(
                "{source} did wrong {expected:?}, counted are {counted:?}"
            ));
        }
    }
    Ok(())
}

fn check_records(engine: &Engine, model: &Model, records: &Records) -> Result<(), Wrong> {
    let mut commands = BTreeMap::new();
    let mut handoffs = BTreeMap::new();
    for record in engine.records() {
        match record {
            Record::Command { command } => {
                commands.insert(command.id.clone(), *command);
            }
            Record::Handoff { handoff } => {
                handoffs.insert(handoff.id.clone(), *handoff);
            }
            Record::Cause { .. } | Record::Run { .. } | Record::Lever { .. } => {}
        }
    }
    for (id, written) in &records.commands {
        let known = commands.get(id);
        if known.is_some_and(|known| known != written) {
            return wrong(format!("{id} is {known:?}, written down is {written:?}"));
        }
        if written.state().is_final() {
            continue;
        }
        if known.is_none() {
            return wrong(format!("{id} is open and lost"));
        }
        let is_over = match &written.call {
            Some(call) => !model.calls.contains_key(call),
            None => !model.feeds.contains_key(&written.source),
        };
        if is_over {
            return wrong(format!("{id} is open, and what it is for is over"));
        }
    }
    if let Some(id) = commands
        .keys()
        .find(|id| !records.commands.contains_key(*id))
    {
        return wrong(format!("{id} was never written down"));
    }
    for (id, written) in &records.handoffs {
        let known = handoffs.get(id);
        if known.is_some_and(|known| known.state != written.state) {
            return wrong(format!("{id} is {known:?}, written down is {written:?}"));
        }
        if written.state.is_final() {
            continue;
        }
        let named = engine.summary(&written.call).and_then(|row| row.handoff);
        if known.is_none() || named.as_ref() != Some(id) {
            return wrong(format!("{id} is open and its call has {named:?}"));
        }
    }
    Ok(())
}

/// Humans are asked for one call at a time, and are free again when they are not needed.
fn check_humans(engine: &Engine, model: &Model, records: &Records) -> Result<(), Wrong> {
    let mut asked = BTreeMap::new();
    let mut busy = BTreeSet::new();
    for handoff in records.handoffs.values() {
        match &handoff.state {
            HandoffState::Offered { agent, .. } | HandoffState::Seen { agent, .. } => {
                let other = asked.insert(agent.clone(), &handoff.id);
                other.map_or(Ok(()), |other| {
                    let id = &handoff.id;
                    wrong(format!("{agent} is asked for {other} and {id} at once"))
                })?;
            }
            HandoffState::Accepted { agent } | HandoffState::Bridged { agent } => {
                busy.insert(agent.clone());
            }
            HandoffState::Confirmed { agent } if model.calls.contains_key(&handoff.call) => {
                busy.insert(agent.clone());
            }
            _ => {}
        }
    }
    for human in engine.humans() {
        let (is_asked, is_busy) = (asked.contains_key(&human.id), busy.contains(&human.id));
        let fits = match human.state {
            HumanState::Offered => is_asked,
            HumanState::OnCall => is_busy,
            HumanState::Free | HumanState::Away => !is_asked,
        };
        if !fits {
            return wrong(format!("{human:?}, asked {is_asked}, on a call {is_busy}"));
        }
    }
    Ok(())
}
