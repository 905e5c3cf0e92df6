//! A human serves the call: they speak, the caller answers, and the call ends well.
//!
//! The platform still listens and writes the transcript; model and voice have nothing to do.

use holdfast_domain::fact::{EndedBy, Fact, Speaker};
use holdfast_domain::{Layer, UtteranceRole};
use rand::Rng;

use super::{Call, Stage, World};
use crate::latency::{CALLER_CHARS_PER_SEC, CALLER_PAUSE, speaking_ms};

impl Call {
    pub(super) fn human_begins(&mut self, step: usize, world: &mut World<'_>) {
        let actor = Speaker::Agent;
        self.tell(world, Fact::SpeechStarted { actor });
        self.caller.stopped = None;
        let name = spoken_name(self.human.as_deref().unwrap_or_default());
        let line = self.story.language.human[step].replace("{human}", &name);
        let text = self.story.render(&line);
        let whole_ms = speaking_ms(&text, CALLER_CHARS_PER_SEC);
        self.due = world.now + whole_ms;
        self.stage = Stage::HumanSpeaks {
            step,
            text,
            began: world.now,
            whole_ms,
        };
    }

    pub(super) fn human_ends(&mut self, step: usize, text: &str, world: &mut World<'_>) {
        let actor = Speaker::Agent;
        self.tell(world, Fact::SpeechStopped { actor });
        self.heard(UtteranceRole::Agent, text, None, false, None, world);
        if step + 1 == self.story.language.human.len() {
            self.end("completed", EndedBy::Agent, world);
            return;
        }
        self.due = world.now + CALLER_PAUSE.draw(&mut self.rng);
        self.stage = Stage::CallerPause(step);
    }

    pub(super) fn caller_answers(&mut self, step: usize, world: &mut World<'_>) {
        let actor = Speaker::Caller;
        self.tell(world, Fact::SpeechStarted { actor });
        let text = self.story.render(&self.story.language.to_human[step]);
        self.due = world.now + speaking_ms(&text, CALLER_CHARS_PER_SEC);
        self.stage = Stage::CallerAnswers { step, text };
    }

    pub(super) fn caller_answered(&mut self, step: usize, text: &str, world: &mut World<'_>) {
        let actor = Speaker::Caller;
        self.tell(world, Fact::SpeechStopped { actor });
        // Without speech recognition the human still hears the caller; only the transcript misses.
        if self.fault_of(Layer::Asr, world).is_none() {
            self.heard(UtteranceRole::Caller, text, None, false, None, world);
        }
        let mood = 0.1 + 0.15 * step as f64;
        self.update(world, |news| news.sentiment = Some(mood));
        self.due = world.now + self.rng.random_range(800..2_500);
        self.stage = Stage::HumanPause(step + 1);
    }
}

/// How a person with this identity says their name: `ana.reyes@example` is Ana.
fn spoken_name(identity: &str) -> String {
    let first = identity
        .split(['@', '.', '_', '-', ' ', ':', '/'])
        .find(|part| !part.is_empty())
        .unwrap_or(identity);
    let mut letters = first.chars();
    letters.next().map_or_else(String::new, |initial| {
        initial.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_become_names() {
        for (identity, name) in [
            ("ana@example", "Ana"),
            ("tom.baker", "Tom"),
            ("Élodie", "Élodie"),
            ("", ""),
        ] {
            assert_eq!(spoken_name(identity), name);
        }
    }
}
