//! What was answered to each command, so that the same command twice has one effect.

use std::collections::{BTreeMap, VecDeque};

use holdfast_domain::CommandId;
use holdfast_protocol::bridge::{CommandResult, ResultState};

/// Final answers that are kept. The wire asks for at least 1,024; an act on 10,000 calls leaves a
/// hub that lost its connection asking for as many again.
pub(crate) const FINAL_ANSWERS_MAX: usize = 16_384;

/// The last answer to each command.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    last: BTreeMap<CommandId, CommandResult>,
    /// Commands with a final answer, oldest first. The others are never forgotten.
    ended: VecDeque<CommandId>,
}

impl Answers {
    /// The last answer to a command; None for one that was never heard of.
    pub(crate) fn last(&self, id: &CommandId) -> Option<&CommandResult> {
        self.last.get(id)
    }

    /// Remembers an answer.
    pub(crate) fn remember(&mut self, answer: &CommandResult) {
        let id = answer.command_id.clone();
        let is_final = answer.state != ResultState::Accepted;
        self.last.insert(id.clone(), answer.clone());
        if !is_final {
            return;
        }
        self.ended.push_back(id);
        if self.ended.len() > FINAL_ANSWERS_MAX
            && let Some(oldest) = self.ended.pop_front()
        {
            self.last.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: usize, state: ResultState) -> CommandResult {
        CommandResult {
            command_id: CommandId::new(format!("c-{id}")),
            state,
            kind: None,
            message: None,
            read_back: None,
        }
    }

    #[test]
    fn final_answers_are_forgotten_oldest_first_and_open_ones_never() {
        let mut answers = Answers::default();
        answers.remember(&answer(0, ResultState::Accepted));
        for id in 1..=FINAL_ANSWERS_MAX + 1 {
            answers.remember(&answer(id, ResultState::Accepted));
            answers.remember(&answer(id, ResultState::Expired));
        }
        let state = |id: usize| {
            answers
                .last(&CommandId::new(format!("c-{id}")))
                .map(|answer| answer.state)
        };
        assert_eq!(state(0), Some(ResultState::Accepted));
        assert_eq!(state(1), None);
        assert_eq!(state(2), Some(ResultState::Expired));
        assert_eq!(state(FINAL_ANSWERS_MAX + 1), Some(ResultState::Expired));
    }
}
