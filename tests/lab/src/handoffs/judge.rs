//! What must hold on a floor.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_domain::{
    CallId, CallPhase, CardField, CardGap, CardPart, Handoff, HandoffCard, HandoffId, HandoffState,
    HumanState, Record,
};

use super::floor::Floor;

/// A handoff that humans could take stands still no longer than an offer and the pause after it.
const STILL_MS_MAX: i64 = 45_000;
/// An offer that ended is passed on within this; a look comes once a second.
const LATE_MS_MAX: i64 = 1_000;

impl Floor {
    /// What is missing on a card is marked.
    pub(super) fn judge_card(&mut self, card: &HandoffCard) {
        let marked: BTreeSet<CardPart> = card.gaps.iter().map(CardGap::part).collect();
        let lacks = [
            (card.customer.is_none(), CardPart::Customer),
            (card.ask == CardField::Missing, CardPart::Ask),
            (card.summary == CardField::Missing, CardPart::Summary),
            (card.intent == CardField::Missing, CardPart::Intent),
            (card.slots.is_empty(), CardPart::Slots),
            (card.identity.is_none(), CardPart::Identity),
            (card.last_turns.is_empty(), CardPart::LastTurns),
            (card.disclosure.is_none(), CardPart::Disclosure),
            (card.consent.is_none(), CardPart::Consent),
            (card.recording.is_none(), CardPart::Recording),
        ];
        let unmarked = lacks
            .iter()
            .filter(|(lacks, part)| *lacks && !marked.contains(part));
        for (_, part) in unmarked {
            self.outcome.unmarked += 1;
            self.outcome
                .wrong(|| format!("a card lacks {part:?} and does not say so"));
        }
    }

    /// What holds at every moment at which the hub sees.
    pub(super) fn judge(&mut self) {
        self.judge_offers();
        let (Some(hub), Some(_)) = (&self.hub, self.bridge) else {
            return;
        };
        let engine = hub.engine();
        let humans: BTreeSet<CallId> = self
            .platform
            .truths()
            .filter(|truth| truth.with_human)
            .map(|truth| truth.call)
            .collect();
        for id in engine.call_ids() {
            let Some(row) = engine.summary(id) else {
                continue;
            };
            // A human serves it as far as the hub knows, and nobody is there.
            let is_left = row.phase == CallPhase::Human
                && !humans.contains(id)
                && self.platform.call_ids().any(|live| live == id);
            if is_left {
                self.outcome.stateless += 1;
                self.outcome
                    .wrong(|| format!("{id} is with a human as the hub says, and with nobody"));
            }
        }
    }

    /// An offer ends when it says, and a free human is asked.
    fn judge_offers(&mut self) {
        let Some(hub) = &self.hub else { return };
        let humans = hub.engine().humans();
        let is_free = |handoff: &Handoff| {
            humans.iter().any(|human| {
                human.state == HumanState::Free && !handoff.refused_by.contains(&human.id)
            })
        };
        let mut still = BTreeSet::new();
        for record in hub.engine().records() {
            let Record::Handoff { handoff } = record else {
                continue;
            };
            let stands = match &handoff.state {
                HandoffState::Offered { expires_at, .. }
                | HandoffState::Seen { expires_at, .. } => {
                    self.now.since(*expires_at) > LATE_MS_MAX
                }
                HandoffState::Requested => is_free(&handoff),
                HandoffState::Accepted { .. }
                | HandoffState::Bridged { .. }
                | HandoffState::Confirmed { .. }
                | HandoffState::Failed { .. } => false,
            };
            if stands {
                still.insert(handoff.id.clone());
            }
        }
        // Seen twice in a row: what happens between two looks is under way.
        for id in still.intersection(&self.still) {
            if self.stuck.insert(id.clone()) {
                self.outcome.lost += 1;
                self.outcome
                    .wrong(|| format!("handoff {id} stands still though a human could take it"));
            }
        }
        self.still = still;
    }

    /// In the end every handoff that anybody was told of is known and decided, or waits because no
    /// human is free.
    pub(super) fn judge_end(&mut self) {
        let Some(hub) = &self.hub else { return };
        let known: BTreeMap<HandoffId, Handoff> = hub
            .engine()
            .records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Handoff { handoff } => Some((handoff.id.clone(), *handoff)),
                _ => None,
            })
            .collect();
        let is_free = hub
            .engine()
            .humans()
            .iter()
            .any(|human| human.state == HumanState::Free);
        for (id, (last, at)) in &self.told {
            self.outcome.handoffs += 1;
            let now = known.get(id).unwrap_or(last);
            match &now.state {
                HandoffState::Confirmed { .. } => self.outcome.confirmed += 1,
                HandoffState::Failed { message, .. } if !message.is_empty() => {
                    self.outcome.failed += 1;
                }
                state => {
                    let is_still = self.now.since(*at) > STILL_MS_MAX
                        && (is_free || *state != HandoffState::Requested);
                    if !known.contains_key(id) || is_still {
                        self.outcome.lost += 1;
                        let text =
                            format!("handoff {id} was told as {:?}, is {state:?}", last.state);
                        self.outcome.wrong(|| text);
                    }
                }
            }
        }
    }
}
