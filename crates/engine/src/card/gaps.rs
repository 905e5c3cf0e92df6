//! What a card lacks, and what of it may not be so.

use holdfast_domain::fact::Effect;
use holdfast_domain::{
    CardField, CardGap, CardPart, CardSource, HandoffCard, IdentityLevel, ToolState,
};

/// A slot that was heard with less confidence than this is in doubt: at 0.6 a recognizer is right
/// about as often as it is wrong on names and numbers, and those are what slots hold.
const CONFIDENCE_MIN: f64 = 0.6;

/// The gaps of a card, in the order of [`CardPart`]; `promises_by` is who tells of promises.
pub(super) fn of(
    card: &HandoffCard,
    promises_by: Option<CardSource>,
    is_heard: bool,
) -> Vec<CardGap> {
    let mut gaps = Vec::new();
    let mut missing = |is_missing: bool, part: CardPart| {
        if is_missing {
            gaps.push(CardGap::Missing { part });
        }
    };
    missing(card.customer.is_none(), CardPart::Customer);
    missing(card.ask == CardField::Missing, CardPart::Ask);
    missing(card.summary == CardField::Missing, CardPart::Summary);
    missing(card.intent == CardField::Missing, CardPart::Intent);
    missing(card.slots.is_empty(), CardPart::Slots);
    missing(card.identity.is_none(), CardPart::Identity);
    missing(promises_by.is_none(), CardPart::Promises);
    missing(card.last_turns.is_empty(), CardPart::LastTurns);
    missing(card.disclosure.is_none(), CardPart::Disclosure);
    missing(card.consent.is_none(), CardPart::Consent);
    missing(card.recording.is_none(), CardPart::Recording);
    missing(!is_heard, CardPart::Newest);
    if promises_by == Some(CardSource::Extracted) {
        gaps.push(CardGap::Doubtful {
            part: CardPart::Promises,
            why: "the platform tells of none; only the words of the call were searched".to_owned(),
        });
    }
    gaps.extend(doubts(card));
    gaps.sort_by_key(CardGap::part);
    gaps
}

fn doubts(card: &HandoffCard) -> impl Iterator<Item = CardGap> {
    let doubt = |part: CardPart, why: String| CardGap::Doubtful { part, why };
    let slots = card.slots.iter().filter_map(move |slot| {
        let confidence = slot.confidence.filter(|share| *share < CONFIDENCE_MIN)?;
        let why = format!("{}: heard with {confidence:.2} of 1", slot.name);
        Some(doubt(CardPart::Slots, why))
    });
    let identity = card.identity.iter().filter_map(move |identity| {
        let is_void = identity.level != IdentityLevel::None && !identity.valid;
        is_void.then(|| {
            doubt(
                CardPart::Identity,
                "it was proved and no longer holds".into(),
            )
        })
    });
    let tools = card.tools.iter().filter_map(move |tool| {
        let is_open = matches!(tool.state, ToolState::Requested | ToolState::Running);
        let why = match tool.effect {
            _ if is_open => "has not answered",
            Effect::Unknown => "ended, and nobody knows with what effect",
            Effect::Committed | Effect::None => return None,
        };
        Some(doubt(CardPart::Tools, format!("{}: {why}", tool.tool)))
    });
    slots.chain(identity).chain(tools)
}
