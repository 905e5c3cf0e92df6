//! The handoff card against what the simulated calls really hold.
//!
//! Half of the calls are on a platform that tells little: what its events say of ask, intent,
//! summary and promises is taken out before the engine hears them, so that the card has to find
//! them in the words. Layers are broken meanwhile, so that words are cut and tools leave doubt.

use std::collections::BTreeMap;

use anyhow::Context as _;
use holdfast_domain::fact::{Effect, Fact};
use holdfast_domain::{
    CallId, CardField, CardGap, CardPart, CardSource, FaultScope, HandoffCard, ToolEffect,
    ToolState, UtteranceRole,
};
use holdfast_engine::{BridgeChange, Config, Control, Engine, Input};
use holdfast_simulator::{CallTruth, Platform, PromiseTruth, ToolTruth, Went};

use crate::bench::{Arrival, HEARTBEAT_MS, Lines};

/// How often every card is looked at. A turn takes about 12 s.
const LOOK_MS: i64 = 5_000;
/// What is broken, one after the other, each for so long: words that are cut, tools that fail and
/// that do not answer, a model that is silent.
const FAULTS: [&str; 4] = ["tts_truncated", "tool_error", "tool_timeout", "llm_503"];
/// How long each fault lasts, and the quiet after it.
const FAULT_MS: i64 = 40_000;
/// The most examples that are kept of what is wrong.
const EXAMPLES_MAX: usize = 40;

/// How one kind of field was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// On the card and true.
    pub right: u64,
    /// On the card and not true.
    pub wrong: u64,
    /// True and not on the card.
    pub missed: u64,
}

impl Found {
    /// The share of what is true that the card holds; None when nothing was to be found.
    pub fn recall(self) -> Option<f64> {
        share(self.right, self.missed)
    }

    /// The share of what the card holds that is true; None when it holds nothing.
    pub fn precision(self) -> Option<f64> {
        share(self.right, self.wrong)
    }

    fn add(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }

    /// One value that is or is not there, on the card and in truth.
    fn one(is_on_card: bool, is_true: bool, is_right: bool) -> Self {
        Self {
            right: u64::from(is_on_card && is_right),
            wrong: u64::from(is_on_card && !is_right),
            missed: u64::from(is_true && !(is_on_card && is_right)),
        }
    }
}

fn share(right: u64, other: u64) -> Option<f64> {
    let all = right + other;
    (all > 0).then(|| right as f64 / all as f64)
}

/// What the cards of a run were worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By the name of the field.
    pub fields: BTreeMap<&'static str, Found>,
    /// Cards looked at.
    pub cards: u64,
    /// Parts of cards on which something true was missing, and neither a gap nor a source said so.
    pub unmarked: u64,
    /// What was wrong first, for whoever looks for the reason; bounded.
    pub examples: Vec<String>,
    /// The parts of the card looked at that are marked: missing, in doubt, or taken from words.
    marked: Vec<CardPart>,
}

impl Tally {
    /// All fields together.
    pub fn total(&self) -> Found {
        let mut total = Found::default();
        self.fields.values().for_each(|found| total.add(*found));
        total
    }

    /// Takes another tally in.
    pub fn add(&mut self, other: &Self) {
        for (field, found) in &other.fields {
            self.fields.entry(field).or_default().add(*found);
        }
        self.cards += other.cards;
        self.unmarked += other.unmarked;
        let room = EXAMPLES_MAX.saturating_sub(self.examples.len());
        self.examples
            .extend(other.examples.iter().take(room).cloned());
    }

    fn note(
        &mut self,
        (field, part): (&'static str, CardPart),
        found: Found,
        example: impl FnOnce() -> String,
    ) {
        self.fields.entry(field).or_default().add(found);
        self.unmarked += u64::from(found.missed > 0 && !self.marked.contains(&part));
        if found.wrong + found.missed > 0 && self.examples.len() < EXAMPLES_MAX {
            self.examples.push(format!("{field}: {}", example()));
        }
    }
}

/// Looks at the card of every call for `ms` of virtual time.
pub fn run(calls: usize, seed: u64, ms: i64) -> anyhow::Result<Tally> {
    let mut lines = Lines::new(calls, seed);
    let mut engine = Engine::new(Config::default());
    let connected = Control::Bridge {
        source: lines.source().clone(),
        change: BridgeChange::Connected {
            platform: "simulator".to_owned(),
            epoch: "1".to_owned(),
            heartbeat_ms: HEARTBEAT_MS,
            capabilities: Platform::capabilities(),
        },
    };
    engine.handle(Input::Control(&connected), lines.now());
    let snapshot = lines.snapshot(0);
    // Of calls that were live before, tools and promises of before are not told: they do not count.
    let known: Vec<CallId> = lines.platform().call_ids().cloned().collect();
    hear(&mut engine, &lines, snapshot);
    let (began, mut look_at, mut tally) = (lines.now(), lines.now(), Tally::default());
    let (mut broken, mut injected): (Option<usize>, Option<String>) = (None, None);
    while lines.now().since(began) < ms {
        let step = usize::try_from(lines.now().since(began) / FAULT_MS).unwrap_or_default();
        if broken != Some(step) {
            broken = Some(step);
            if let Some(id) = injected.take() {
                lines.platform().end_injection(&id);
            }
            if step % 2 == 1 {
                let fault = FAULTS[step / 2 % FAULTS.len()];
                let started = lines.platform().start_fault(fault, &FaultScope::default());
                injected = Some(started.context("the simulator knows its faults")?);
            }
        }
        let arrivals = lines.tick();
        hear(&mut engine, &lines, arrivals);
        if lines.now() >= look_at {
            look_at = lines.now() + LOOK_MS;
            let truths: Vec<CallTruth> = lines.platform().truths().collect();
            for truth in truths.iter().filter(|truth| !known.contains(&truth.call)) {
                if truth.with_human {
                    continue;
                }
                let detail = engine
                    .detail(&truth.call)
                    .with_context(|| format!("the engine knows {}", truth.call))?;
                judge(&detail.card, truth, &mut tally);
            }
        }
    }
    Ok(tally)
}

fn hear(engine: &mut Engine, lines: &Lines, arrivals: Vec<Arrival>) {
    for (at, _, mut envelope) in arrivals {
        if is_taciturn(&envelope.subject)
            && let Fact::CallUpdated(news) = &mut envelope.fact
        {
            (news.ask, news.intent, news.summary, news.promises) = (None, None, None, None);
        }
        let source = lines.source();
        let fact = &envelope;
        engine.handle(Input::Fact { source, fact }, at);
        while engine.poll_effect().is_some() {}
    }
}

/// Every other call is on the platform that tells little.
fn is_taciturn(call: &str) -> bool {
    call.bytes().last().is_some_and(|last| last % 2 == 1)
}

fn judge(card: &HandoffCard, truth: &CallTruth, tally: &mut Tally) {
    let told = !is_taciturn(truth.call.as_str());
    tally.marked = card.gaps.iter().map(CardGap::part).collect();
    // What was taken from the words says so, and is relied on less.
    if matches!(card.ask, CardField::Extracted { .. }) {
        tally.marked.push(CardPart::Ask);
    }
    judge_ask(card, truth, told, tally);
    if told {
        let found = Found::one(
            card.intent != CardField::Missing,
            truth.intent.is_some(),
            card.intent.text() == truth.intent.as_deref(),
        );
        tally.note(("intent", CardPart::Intent), found, || {
            format!("{:?} for {:?}", card.intent, truth.intent)
        });
    }
    judge_slots(card, truth, tally);
    let identity = card.identity.as_ref();
    let identity = identity.map(|proved| (proved.method.clone(), proved.level));
    let found = Found::one(
        identity.is_some(),
        truth.identity.is_some(),
        identity == truth.identity,
    );
    tally.note(("identity", CardPart::Identity), found, || {
        format!("{identity:?} for {:?}", truth.identity)
    });
    judge_tools(card, truth, tally);
    judge_promises(card, truth, told, tally);
    judge_unspoken(card, truth, tally);
    tally.cards += 1;
}

fn judge_ask(card: &HandoffCard, truth: &CallTruth, told: bool, tally: &mut Tally) {
    let is_right = match (&card.ask, &truth.ask) {
        (CardField::FromPlatform { text }, Some(ask)) => told && *text == ask.line,
        // Quoted: a part of the caller's own words, and at least half of them.
        (CardField::Extracted { text }, Some(ask)) => {
            let quote = text.trim_end_matches('…');
            ask.words.contains(quote) && quote.chars().count() * 2 >= ask.words.chars().count()
        }
        (CardField::Missing, _) | (_, None) => false,
    };
    // Words that were heard and not yet understood by the platform are no error of the card.
    let is_early = truth.ask.is_none() && matches!(card.ask, CardField::Extracted { .. });
    if is_early {
        return;
    }
    let is_on_card = card.ask != CardField::Missing;
    let found = Found::one(is_on_card, truth.ask.is_some(), is_right);
    let field = if told { "ask" } else { "ask_extracted" };
    tally.note((field, CardPart::Ask), found, || {
        format!("{:?} for {:?}", card.ask, truth.ask)
    });
}

/// A slot counts with its value and its source turn.
fn judge_slots(card: &HandoffCard, truth: &CallTruth, tally: &mut Tally) {
    let same = |a: &holdfast_domain::Slot, b: &holdfast_domain::Slot| {
        (&a.name, &a.value, a.turn) == (&b.name, &b.value, b.turn)
    };
    let right = truth
        .slots
        .iter()
        .filter(|slot| card.slots.iter().any(|on_card| same(on_card, slot)))
        .count() as u64;
    let found = Found {
        right,
        wrong: card.slots.len() as u64 - right,
        missed: truth.slots.len() as u64 - right,
    };
    tally.note(("slots", CardPart::Slots), found, || {
        format!("{:?} for {:?}", card.slots, truth.slots)
    });
}

/// Tools in their order: the step, and what is known of its effect.
fn judge_tools(card: &HandoffCard, truth: &CallTruth, tally: &mut Tally) {
    let (mut steps, mut effects) = (Found::default(), Found::default());
    for place in 0..card.tools.len().max(truth.tools.len()) {
        let (on_card, really) = (card.tools.get(place), truth.tools.get(place));
        let is_step = on_card
            .zip(really)
            .is_some_and(|(on_card, really)| is_step(on_card, *really));
        steps.add(Found::one(on_card.is_some(), really.is_some(), is_step));
        let is_effect = on_card
            .zip(really)
            .is_some_and(|(on_card, really)| is_step && on_card.effect == effect(*really));
        effects.add(Found::one(on_card.is_some(), really.is_some(), is_effect));
    }
    let example = || format!("{:?} for {:?}", card.tools, truth.tools);
    tally.note(("steps", CardPart::Tools), steps, example);
    tally.note(("tool_effects", CardPart::Tools), effects, example);
}

fn is_step(on_card: &ToolEffect, really: ToolTruth) -> bool {
    let state = match really.went {
        Went::Running => ToolState::Running,
        Went::Completed => ToolState::Succeeded,
        Went::Failed => ToolState::Failed,
        Went::TimedOut => ToolState::TimedOut,
        Went::Cancelled => ToolState::Cancelled,
    };
    on_card.tool == really.tool && on_card.state == state
}

/// What anybody outside of the tool can know: a write that did not end well may have happened.
fn effect(really: ToolTruth) -> Effect {
    match (really.writes, really.went) {
        (true, Went::Completed) => Effect::Committed,
        (true, _) | (false, Went::Running) => Effect::Unknown,
        (false, _) => Effect::None,
    }
}

fn judge_promises(card: &HandoffCard, truth: &CallTruth, told: bool, tally: &mut Tally) {
    let (field, due): (_, Vec<&PromiseTruth>) = if told {
        // The platform tells the plot's promise once it was said to its end.
        let due = truth.promises.iter();
        let due = due.filter(|made| made.line.is_some() && made.is_whole);
        ("promises", due.collect())
    } else {
        let due = truth.promises.iter().filter(|made| made.is_whole);
        ("promises_extracted", due.collect())
    };
    let is_of = |text: &str, made: &PromiseTruth| {
        made.line.as_deref() == Some(text) || made.words.contains(text.trim_end_matches('…'))
    };
    let is_from_platform = |source| source == CardSource::Platform;
    let on_card = card
        .promises
        .iter()
        .filter(|promise| told == is_from_platform(promise.source));
    let (mut right, mut wrong) = (vec![false; due.len()], 0);
    for promise in on_card {
        // Two sentences of one answer are one promise; one that was cut counts neither way.
        match due.iter().position(|made| is_of(&promise.text, made)) {
            Some(place) => right[place] = true,
            None if truth.promises.iter().any(|made| is_of(&promise.text, made)) => {}
            None => wrong += 1,
        }
    }
    let n_right = right.iter().filter(|is_right| **is_right).count() as u64;
    let found = Found {
        right: n_right,
        wrong,
        missed: due.len() as u64 - n_right,
    };
    tally.note((field, CardPart::Promises), found, || {
        format!("{:?} for {:?}", card.promises, truth.promises)
    });
}

/// Of the turns that the card shows word for word: what the caller never heard of them.
fn judge_unspoken(card: &HandoffCard, truth: &CallTruth, tally: &mut Tally) {
    let shown = card.last_turns.iter();
    let mut found = Found::default();
    for said in shown.filter(|said| said.role == UtteranceRole::Agent) {
        let really = truth.unspoken.iter().find(|(at, _)| *at == said.at);
        let really = really.map(|(_, unspoken)| unspoken.as_str());
        let marked = (!said.unspoken.is_empty()).then_some(said.unspoken.as_str());
        found.add(Found::one(
            marked.is_some(),
            really.is_some(),
            marked == really,
        ));
    }
    tally.note(("unspoken", CardPart::LastTurns), found, || {
        format!("{:?} for {:?}", card.last_turns, truth.unspoken)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_hold_what_the_calls_hold() {
        let tally = run(60, 3, 240_000).expect("it runs");
        let total = tally.total();
        assert!(tally.cards > 500, "{}", tally.cards);
        for (field, found) in &tally.fields {
            assert!(found.right > 0, "{field} was never to be found");
        }
        assert!(total.recall() >= Some(0.95), "{tally:#?}");
        assert!(total.precision() >= Some(0.95), "{tally:#?}");
        assert_eq!(tally.unmarked, 0, "{tally:#?}");
    }
}
