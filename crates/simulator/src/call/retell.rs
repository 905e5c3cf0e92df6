//! Tells a live call again, for a hub that has lost sight of it.

use holdfast_domain::UtteranceRole;
use holdfast_domain::fact::{CallUpdated, Fact, Text};

use super::{Call, Event, Heard, Output, World};

impl Call {
    /// Everything that is known of the call, as the events of a snapshot.
    pub(crate) fn retell(&self, world: &mut World<'_>) {
        let begun = self.begun(Some(self.started_at));
        self.tell(world, Fact::CallStarted(Box::new(begun)));
        if self.known != CallUpdated::default() {
            self.tell(world, Fact::CallUpdated(Box::new(self.known.clone())));
        }
        for heard in &self.transcript {
            world.out.push(Output::Event(Event {
                call: Some(self.id.clone()),
                at: heard.at,
                layer: None,
                cause: None,
                fact: self.transcript_fact(heard),
            }));
        }
        let catalog = self.catalog();
        self.tell(world, catalog);
        if let Some(human) = &self.human {
            let joined = Fact::ParticipantJoined {
                identity: Text::Owned(human.clone()),
                kind: "human".into(),
            };
            self.tell(world, joined);
        }
    }

    pub(super) fn transcript_fact(&self, heard: &Heard) -> Fact<'static> {
        let language = match heard.role {
            UtteranceRole::Caller => Some(Text::Owned(self.story.language.tag.clone())),
            UtteranceRole::Agent => None,
        };
        Fact::TranscriptFinal {
            role: heard.role,
            text: Text::Owned(heard.text.clone()),
            language,
            turn: heard.turn,
            interrupted: heard.interrupted,
            unspoken: heard.unspoken.clone().map(Text::Owned),
        }
    }

    /// Tools that are switched on, and tools that are switched off.
    pub(super) fn tool_names(&self) -> (Vec<String>, Vec<String>) {
        self.story
            .plot
            .tools()
            .into_iter()
            .map(str::to_owned)
            .partition(|name| !self.tools_off.contains(name.as_str()))
    }

    pub(super) fn catalog(&self) -> Fact<'static> {
        let (enabled, disabled) = self.tool_names();
        let texts = |names: Vec<String>| names.into_iter().map(Text::Owned).collect();
        Fact::ToolCatalogChanged {
            enabled: texts(enabled),
            disabled: texts(disabled),
        }
    }
}

/// Adds news to what is known, as a hub does that hears them one by one.
pub(super) fn merge(known: &mut CallUpdated<'static>, news: &CallUpdated<'static>) {
    macro_rules! replace {
        ($($field:ident),*) => {
            $(if news.$field.is_some() {
                known.$field = news.$field.clone();
            })*
        };
    }
    replace!(
        queue,
        language,
        intent,
        ask,
        summary,
        sentiment,
        protected,
        high_risk,
        identity,
        promises,
        recording,
        minimal_flow,
        ai
    );
    for slot in &news.slots {
        match known.slots.iter_mut().find(|old| old.name == slot.name) {
            Some(old) => *old = slot.clone(),
            None => known.slots.push(slot.clone()),
        }
    }
}
