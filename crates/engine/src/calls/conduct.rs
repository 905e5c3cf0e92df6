//! How the dialogue goes: asking again, talking over, going round in circles.
//!
//! A platform whose every service works can still fail its caller. These signals come from what is
//! said and when, never from errors. Each is healed by what shows that the dialogue goes on.
//! Deliberately absent: what a text means. Texts are compared by their words, in any language.

pub(super) mod gist;

use holdfast_domain::fact::{CallUpdated, EndedBy, Speaker, ToolRef};
use holdfast_domain::{
    DurationMs, EventId, Evidence, Layer, LayerState, SignalKind, Timestamp, Utterance,
    UtteranceRole,
};
use serde::{Deserialize, Serialize};

use self::gist::Gist;
use super::Cx;
use super::call::Call;
use super::health::evidence;
use crate::{Config, words};

/// What is remembered of how the dialogue goes: hashes and counts, no texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Conduct {
    /// The agent's question that is open: asked, and nothing gained since.
    asked: Repeated,
    /// What the caller said last with content.
    said: Repeated,
    /// What the agent said last.
    spoken: Repeated,
    /// The tool that was used last, with its arguments.
    used: ToolUse,
    /// The platform tells when the caller speaks.
    tells_speech: bool,
    /// The caller began to speak and no final transcript arrived since.
    is_transcript_due: bool,
    /// The newest sign of the caller's voice.
    caller_heard: Option<Timestamp>,
    /// The newest final transcript of the caller, and its text's hash.
    transcribed: Option<(Timestamp, u32)>,
    overlap: Option<Overlap>,
    /// Overlaps in which the agent did not yield, since the last clean turn.
    misses: u8,
    /// One of them was in this turn.
    has_missed: bool,
    /// The caller's last turn, and how far turns are apart, averaged; 0 when unknown.
    turned_at: Option<Timestamp>,
    turn_ms: i32,
}

/// Something said, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Repeated {
    gist: Gist,
    n: u8,
    at: Timestamp,
    event: Option<EventId>,
}

/// A tool's use, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct ToolUse {
    /// Of the tool's name and its arguments.
    hash: u32,
    /// Of the use's id.
    id: u32,
    n: u8,
    event: Option<EventId>,
}

/// Both speak at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Overlap {
    since: Timestamp,
    /// Who began while the other spoke.
    by: Speaker,
}

impl Repeated {
    fn new(gist: Gist, cx: &Cx<'_>) -> Self {
        Self {
            gist,
            n: 1,
            at: cx.at,
            event: Some(cx.event_id()),
        }
    }

    /// It was said again; the events behind that.
    fn again(&mut self, gist: Gist, cx: &Cx<'_>) -> Vec<EventId> {
        let mut again = Self::new(gist, cx);
        again.n = self.n.saturating_add(1);
        let before = std::mem::replace(self, again);
        before.event.into_iter().chain([cx.event_id()]).collect()
    }
}

impl Conduct {
    /// The average time from one turn of the caller to the next; None before the second turn.
    pub(crate) fn turn_ms(&self) -> Option<DurationMs> {
        (self.turn_ms > 0).then(|| self.turn_ms.into())
    }

    /// When the caller's last turn ended.
    pub(crate) const fn turned_at(&self) -> Option<Timestamp> {
        self.turned_at
    }

    /// Words may have been missed: what is said next is compared with nothing before.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            tells_speech: self.tells_speech,
            turned_at: self.turned_at,
            turn_ms: self.turn_ms,
            ..Self::default()
        };
    }

    /// A new turn of the caller ended.
    pub(crate) fn turn_taken(&mut self, at: Timestamp) {
        if let Some(before) = self.turned_at.replace(at)
            && let Ok(took) = i32::try_from(at.since(before))
            && took > 0
        {
            // The newest turn counts a third: a call has few turns, and their pace changes.
            self.turn_ms = if self.turn_ms == 0 {
                took
            } else {
                self.turn_ms + (took - self.turn_ms) / 3
            };
        }
    }

    /// The caller's turn was answered; true if the agent yielded wherever it had to.
    pub(crate) fn turn_was_clean(&mut self) -> bool {
        let is_clean = !std::mem::take(&mut self.has_missed);
        if is_clean {
            self.misses = 0;
        }
        is_clean
    }
}

impl Call {
    /// Something was said for good.
    pub(crate) fn judge_words(&mut self, said: &Utterance, cx: &mut Cx<'_>) {
        if !self.ai_serves() {
            return;
        }
        match said.role {
            UtteranceRole::Caller => self.judge_caller(&said.text, cx),
            UtteranceRole::Agent => self.judge_agent(&said.text, cx),
        }
    }

    fn judge_caller(&mut self, text: &str, cx: &mut Cx<'_>) {
        let hash = gist::exact(text);
        let before = self.conduct.transcribed.replace((cx.at, hash));
        let was_due = std::mem::take(&mut self.conduct.is_transcript_due);
        let has_spoken = was_due || !self.conduct.tells_speech || self.floor.caller.is_some();
        if has_spoken {
            self.conduct.caller_heard = Some(cx.at);
        } else if let Some((at, before)) = before {
            if before == hash {
                // The same transcript told twice.
                return;
            }
            let answered = self.floor.agent_heard.filter(|heard| *heard > at);
            if answered.is_some() {
                self.overcaptured(cx);
                return;
            }
        }
        let gist = Gist::of(text);
        if !gist.is_content() {
            return;
        }
        let said = &self.conduct.said;
        let is_same = said.gist.shared_percent(&gist) >= cx.config.conduct.same_percent;
        // Two transcripts of one turn are one time of saying it.
        let is_anew = self.floor.agent_heard.is_some_and(|heard| heard > said.at)
            || self
                .conduct
                .turned_at
                .is_some_and(|turned| turned > said.at);
        if !is_same {
            if gist::is_question(text) {
                // The caller leads elsewhere; the agent may well ask again afterwards.
                self.conduct.asked = Repeated::default();
                self.heal_any(&[SignalKind::Reprompt], cx);
            }
            self.conduct.said = Repeated::new(gist, cx);
            self.heal_repeats(cx);
        } else if is_anew {
            self.caller_repeats(gist, cx);
        }
    }

    /// Speech that nobody directed at the agent, or of a turn that it had answered already.
    fn overcaptured(&mut self, cx: &mut Cx<'_>) {
        let asr = self.layer_words(Layer::Asr);
        let text = format!(
            "the agent may answer what was not meant for it: {asr} gave words of the caller, who \
             had not spoken since the last answer"
        );
        let found = evidence(SignalKind::Overcapture, text, cx.at, vec![cx.event_id()]);
        self.raise(Layer::Asr, LayerState::Degraded, found, cx.notes);
    }

    /// A layer that has failed is why. Else, heard differently each time and asked for again: the
    /// recognizer. Else it was heard, and nothing came of it: the dialogue.
    fn caller_repeats(&mut self, gist: Gist, cx: &mut Cx<'_>) {
        let is_heard_alike = self.conduct.said.gist.is_equal(&gist);
        let is_asked_again =
            self.conduct.asked.n > 1 && self.conduct.asked.at > self.conduct.said.at;
        let events = self.conduct.said.again(gist, cx);
        let n = self.conduct.said.n;
        if n < cx.config.conduct.said_watch {
            return;
        }
        let (layer, why) = if let Some(layer) = self.failed_lately(cx) {
            let failed = self.layer_words(layer);
            (layer, format!("{failed} failed before it came to anything"))
        } else if is_asked_again && !is_heard_alike {
            let asr = self.layer_words(Layer::Asr);
            let why = format!("{asr} heard it differently and the agent asked again");
            (Layer::Asr, why)
        } else {
            (Layer::Orchestration, "nothing came of it before".to_owned())
        };
        let text = format!("the caller said the same {}: {why}", times(n));
        let found = evidence(SignalKind::CallerRepeats, text, cx.at, events);
        self.raise(layer, LayerState::Degraded, found, cx.notes);
    }

    fn judge_agent(&mut self, text: &str, cx: &mut Cx<'_>) {
        let gist = Gist::of(text);
        // Whoever asks a silent caller "are you still there?" again does not go in circles.
        let is_heard_since = |at| self.conduct.caller_heard.is_some_and(|heard| heard > at);
        let was_heard = is_heard_since(self.conduct.spoken.at);
        let was_answered = is_heard_since(self.conduct.asked.at);
        if gist.is_content() {
            if !self.conduct.spoken.gist.is_equal(&gist) {
                self.conduct.spoken = Repeated::new(gist, cx);
                self.heal_any(&[SignalKind::Loop], cx);
            } else if was_heard {
                let events = self.conduct.spoken.again(gist, cx);
                self.looped(self.conduct.spoken.n, "said the same sentence", events, cx);
            }
        }
        let Some(question) = gist::question(text).map(Gist::of).filter(Gist::is_content) else {
            return;
        };
        let same = self.conduct.asked.gist.shared_percent(&question);
        if same < cx.config.conduct.same_percent {
            self.conduct.asked = Repeated::new(question, cx);
            self.heal_any(&[SignalKind::Reprompt], cx);
        } else if was_answered {
            let events = self.conduct.asked.again(question, cx);
            self.asked_again(events, cx);
        }
    }

    fn asked_again(&mut self, events: Vec<EventId>, cx: &mut Cx<'_>) {
        let (n, limits) = (self.conduct.asked.n, cx.config.conduct);
        if n < limits.asked_watch {
            return;
        }
        let state = if n >= limits.asked_warn {
            LayerState::Failed
        } else {
            LayerState::Degraded
        };
        let (layer, why) = self.stuck_in(cx);
        let text = format!(
            "the caller was asked the same {}: nothing was noted from the answers{why}",
            times(n)
        );
        let found = evidence(SignalKind::Reprompt, text, cx.at, events);
        self.raise(layer, state, found, cx.notes);
    }

    /// A tool is used; with the same arguments again and again it is a loop.
    pub(crate) fn judge_tool(&mut self, tool: &ToolRef<'_>, args: &str, cx: &mut Cx<'_>) {
        let id = gist::exact(&tool.id);
        let hash = gist::exact(&tool.name).rotate_left(7) ^ gist::exact(args);
        let used = &mut self.conduct.used;
        if used.n > 0 && used.id == id {
            return;
        }
        let is_same = used.n > 0 && used.hash == hash;
        let n = if is_same { used.n.saturating_add(1) } else { 1 };
        let event = Some(cx.event_id());
        let before = std::mem::replace(used, ToolUse { hash, id, n, event });
        if is_same {
            let events = before.event.into_iter().chain([cx.event_id()]).collect();
            let what = format!(
                "used {} with the same arguments",
                words::clip(&tool.name, 60)
            );
            self.looped(n, &what, events, cx);
        } else {
            self.heal_any(&[SignalKind::Loop], cx);
        }
    }

    fn looped(&mut self, n: u8, what: &str, events: Vec<EventId>, cx: &mut Cx<'_>) {
        if n < cx.config.conduct.loop_warn {
            return;
        }
        let (layer, why) = self.stuck_in(cx);
        let text = format!(
            "the caller gets nowhere: the agent {what} {}{why}",
            times(n)
        );
        let found = evidence(SignalKind::Loop, text, cx.at, events);
        self.raise(layer, LayerState::Failed, found, cx.notes);
    }

    /// The call's record is about to change; true progress closes what was asked and said.
    pub(crate) fn judge_update(&mut self, updated: &CallUpdated<'_>, cx: &mut Cx<'_>) {
        let dialogue = &self.dialogue;
        let is_filled = updated.slots.iter().any(|slot| {
            let known = dialogue.slots.iter().find(|known| known.name == slot.name);
            !slot.value.is_empty() && known.is_none_or(|known| known.value != slot.value)
        });
        let is_other = |old: &Option<String>, new: &Option<holdfast_domain::fact::Text<'_>>| {
            new.as_deref()
                .is_some_and(|new| old.as_deref() != Some(new))
        };
        let is_reproved = updated
            .identity
            .as_ref()
            .is_some_and(|new| dialogue.identity.as_ref().map(|old| old.level) != Some(new.level));
        if is_filled || is_reproved || is_other(&dialogue.intent, &updated.intent) {
            self.progressed(cx);
        }
    }

    /// Something was gained: a slot, an intent, an identity, a tool's success.
    pub(crate) fn progressed(&mut self, cx: &mut Cx<'_>) {
        if self.is_retold {
            return;
        }
        self.conduct.asked = Repeated::default();
        self.conduct.said = Repeated::default();
        self.heal_any(&[SignalKind::Reprompt], cx);
        self.heal_repeats(cx);
    }

    fn heal_repeats(&mut self, cx: &mut Cx<'_>) {
        self.heal_any(&[SignalKind::CallerRepeats], cx);
    }

    /// Every layer that is unwell by one of these signals is well again.
    fn heal_any(&mut self, kinds: &[SignalKind], cx: &mut Cx<'_>) {
        for layer in Layer::ALL {
            self.heal_if(layer, kinds, cx);
        }
    }

    /// The layer whose failure explains that the dialogue goes in circles: an agent whose tool does
    /// not answer says so again, and a caller who heard half a sentence asks again. None when
    /// nothing failed lately.
    fn failed_lately(&self, cx: &Cx<'_>) -> Option<Layer> {
        let others = Layer::ALL
            .into_iter()
            .filter(|layer| *layer != Layer::Orchestration);
        let failed = others.filter_map(|layer| {
            let cell = &self.layers[layer];
            let is_failing = cell.state == LayerState::Failed;
            let at = cell
                .bad_at
                .filter(|at| is_failing || cx.at.since(*at) <= cx.config.conduct.explained_ms)?;
            Some((is_failing, at, layer))
        });
        failed
            .max_by_key(|(is_failing, at, _)| (*is_failing, *at))
            .map(|(_, _, layer)| layer)
    }

    /// Where the dialogue is stuck, and the words for it.
    fn stuck_in(&self, cx: &Cx<'_>) -> (Layer, String) {
        match self.failed_lately(cx) {
            Some(layer) => {
                let failed = self.layer_words(layer);
                (layer, format!("; {failed} failed before"))
            }
            None => (Layer::Orchestration, String::new()),
        }
    }

    /// The layer is well again if it is one of these signals by which it is not.
    fn heal_if(&mut self, layer: Layer, kinds: &[SignalKind], cx: &mut Cx<'_>) {
        if self.layers[layer]
            .signal()
            .is_some_and(|kind| kinds.contains(&kind))
        {
            self.heal(layer, cx.at, cx.notes);
        }
    }

    /// Somebody begins to speak; the floor is still as it was before.
    pub(crate) fn judge_voice(&mut self, actor: Speaker, cx: &Cx<'_>) {
        let (is_speaking, is_other_speaking) = match actor {
            Speaker::Caller => (self.floor.caller.is_some(), self.floor.agent.is_some()),
            Speaker::Agent => (self.floor.agent.is_some(), self.floor.caller.is_some()),
        };
        if actor == Speaker::Caller {
            self.conduct.tells_speech = true;
            self.conduct.is_transcript_due = true;
            self.conduct.caller_heard = Some(cx.at);
        }
        if !is_speaking && is_other_speaking && self.ai_serves() {
            let since = cx.at;
            self.conduct.overlap = Some(Overlap { since, by: actor });
        }
    }

    /// Somebody stops to speak, or the agent was cut short: an overlap is over.
    pub(crate) fn judge_overlap(&mut self, stopped: Speaker, cx: &mut Cx<'_>) {
        let Some(overlap) = self.conduct.overlap.take() else {
            return;
        };
        if !self.ai_serves() {
            return;
        }
        let limits = cx.config.conduct;
        let lasted = cx.at.since(overlap.since);
        if lasted <= limits.overlap_ms + limits.yield_ms {
            if stopped == Speaker::Agent {
                let kinds = [SignalKind::TalkOver, SignalKind::BargeInMissed];
                self.conduct.misses = 0;
                self.heal_if(Layer::Orchestration, &kinds, cx);
            }
            return;
        }
        self.conduct.has_missed = true;
        self.conduct.misses = self.conduct.misses.saturating_add(1);
        let n = self.conduct.misses;
        let how_long = words::seconds(lasted);
        let (kind, what) = match overlap.by {
            Speaker::Caller => (
                SignalKind::BargeInMissed,
                format!("the caller tried to interrupt and the agent talked on for {how_long}"),
            ),
            Speaker::Agent => (
                SignalKind::TalkOver,
                format!("the agent talked over the caller for {how_long}"),
            ),
        };
        let (state, text) = if n >= limits.misses_warn {
            (LayerState::Failed, format!("{what}, {} in short", times(n)))
        } else {
            (LayerState::Degraded, what)
        };
        let found = evidence(kind, text, cx.at, vec![cx.event_id()]);
        self.raise(Layer::Orchestration, state, found, cx.notes);
    }

    /// A write said that it worked, and that nothing changed.
    pub(crate) fn succeeded_silently(&mut self, tool: &ToolRef<'_>, cx: &mut Cx<'_>) {
        let text = format!(
            "the caller may be told of something that did not happen: {} says ok, its effect is \
             absent",
            words::clip(&tool.name, 60)
        );
        let found = evidence(SignalKind::SilentSuccess, text, cx.at, vec![cx.event_id()]);
        self.raise(Layer::Tools, LayerState::Failed, found, cx.notes);
    }

    /// Why the end of the call is no good one; None when it is.
    pub(crate) fn abrupt_end(
        &self,
        by: EndedBy,
        at: Timestamp,
        event: &str,
        config: &Config,
    ) -> Option<Evidence> {
        let who = match by {
            EndedBy::Caller => "the caller hung up",
            EndedBy::Platform => "the platform ended the call",
            EndedBy::Agent => return None,
        };
        let fault = self.newest_fault(at, config.conduct.abrupt_ms)?;
        let text = format!(
            "{who} {} after a fault: {}",
            words::seconds(at.since(fault.at)),
            fault.text
        );
        let events = fault.events.iter().cloned();
        let events = events.chain([EventId::new(event)]).collect();
        Some(evidence(SignalKind::EndedAbruptly, text, at, events))
    }

    /// The newest thing that went wrong within `within_ms` before `at`, or that is wrong still.
    fn newest_fault(&self, at: Timestamp, within_ms: DurationMs) -> Option<&Evidence> {
        let is_fault =
            |found: &&Evidence| !matches!(found.kind, SignalKind::Ghost | SignalKind::StaleFeed);
        let failed = Layer::ALL
            .into_iter()
            .map(|layer| &self.layers[layer])
            .filter(|cell| cell.state == LayerState::Failed)
            .filter_map(|cell| cell.evidence.as_deref())
            .filter(is_fault)
            .max_by_key(|found| found.at);
        failed.or_else(|| {
            let recent = self.dialogue.evidence.iter().map(|(_, found)| found);
            recent
                .filter(is_fault)
                .filter(|found| at.since(found.at) <= within_ms)
                .max_by_key(|found| found.at)
        })
    }
}

/// "twice", "3 times".
fn times(n: u8) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}
