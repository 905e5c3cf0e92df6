//! All calls that are under way, each with what is remembered of it.

use std::collections::BTreeMap;

use holdfast_domain::fact::{Fact, FactEnvelope};

use crate::conversation::Conversation;
use crate::fact::mask;

/// Calls that are remembered at once: ten times the calls of the largest hub. Each takes a few
/// hundred bytes, so all of them some 100 MB. Beyond it the calls that were heard longest ago are
/// forgotten, which costs no more than that a number in pieces is not found on them.
const CALLS_MAX: usize = 131_072;

/// What is remembered of every call.
#[derive(Debug, Default)]
pub struct Conversations {
    calls: BTreeMap<String, Remembered>,
    /// Counts texts, to tell which call was heard longest ago.
    clock: u64,
}

#[derive(Debug, Default)]
struct Remembered {
    conversation: Conversation,
    heard: u64,
}

impl Conversations {
    /// Masks every free text of a fact. Gives how many spans were found.
    ///
    /// Facts of one call are given in their order. The fact of a call that ends makes room.
    pub fn mask(&mut self, envelope: &mut FactEnvelope<'_>) -> usize {
        let FactEnvelope { subject, fact, .. } = envelope;
        let ends = matches!(fact, Fact::CallEnded { .. });
        let n_found = mask(|| self.conversation(subject), fact);
        if ends {
            self.calls.remove(subject.as_ref());
        }
        n_found
    }

    fn conversation(&mut self, call: &str) -> &mut Conversation {
        self.clock += 1;
        if !self.calls.contains_key(call) {
            self.make_room();
            self.calls.insert(call.to_owned(), Remembered::default());
        }
        let call = self.calls.get_mut(call);
        let call = call.expect("it was known, or has just been put there");
        call.heard = self.clock;
        &mut call.conversation
    }

    /// How many calls are remembered.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// True when no call is remembered.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Forgets an eighth of the calls when there are too many, so that it is not done for each.
    fn make_room(&mut self) {
        if self.calls.len() < CALLS_MAX {
            return;
        }
        let mut heard: Vec<u64> = self.calls.values().map(|call| call.heard).collect();
        heard.sort_unstable();
        let limit = heard[heard.len() / 8];
        self.calls.retain(|_, call| call.heard > limit);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use holdfast_domain::Timestamp;
    use holdfast_domain::fact::EndedBy;

    use super::*;

    fn envelope(subject: &str, fact: Fact<'static>) -> FactEnvelope<'static> {
        FactEnvelope {
            id: "1".into(),
            subject: Cow::Owned(subject.to_owned()),
            time: Timestamp::default(),
            recorded: Timestamp::default(),
            sequence: 1,
            layer: None,
            cause: None,
            fact,
        }
    }

    fn asked(subject: &str) -> FactEnvelope<'static> {
        let fact = Fact::ToolFailed {
            tool: holdfast_domain::fact::ToolRef {
                name: "pay".into(),
                id: "1".into(),
            },
            error_type: "refused".into(),
            message: "card 4111 1111 1111 1111 refused".into(),
        };
        envelope(subject, fact)
    }

    #[test]
    fn a_call_that_ended_is_forgotten() {
        let mut all = Conversations::default();
        assert_eq!(all.mask(&mut asked("a")), 1);
        assert_eq!(all.len(), 1);
        all.mask(&mut envelope(
            "a",
            Fact::CallEnded {
                reason: "done".into(),
                ended_by: EndedBy::Caller,
            },
        ));
        assert!(all.is_empty());
    }

    #[test]
    fn more_calls_than_fit_drop_those_heard_longest_ago() {
        let mut all = Conversations::default();
        for n in 0..CALLS_MAX {
            let call = Remembered {
                heard: n as u64,
                ..Remembered::default()
            };
            all.calls.insert(format!("{n:06}"), call);
        }
        all.clock = CALLS_MAX as u64;
        all.mask(&mut asked("new"));
        assert!(all.len() < CALLS_MAX);
        assert!(all.calls.contains_key("new") && all.calls.contains_key("131071"));
        assert!(!all.calls.contains_key("000000"));
    }

    #[test]
    fn facts_without_text_are_not_remembered() {
        let mut all = Conversations::default();
        assert_eq!(
            all.mask(&mut envelope("a", Fact::TurnStarted { turn: 1 })),
            0
        );
        assert!(all.is_empty());
    }
}
