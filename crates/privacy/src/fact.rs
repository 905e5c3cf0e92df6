//! Where free text is in a fact.

use std::borrow::Cow;

use holdfast_domain::fact::{CallStarted, CallUpdated, Fact, Text};
use holdfast_domain::{Protected, UtteranceRole};

use crate::conversation::{Conversation, Masked};

/// Masks every free text of a fact, and remembers what the next one needs. Gives how many spans
/// were found. Only a fact with text that somebody said or wrote, or that changes how such text is
/// read, asks for its `conversation`.
///
/// The names of services, tools, workers, queues and reasons come from configuration and from code;
/// they are looked at where a platform may put words of a person into them.
pub(crate) fn mask<'a>(
    conversation: impl FnOnce() -> &'a mut Conversation,
    fact: &mut Fact<'_>,
) -> usize {
    let pen = || Pen {
        conversation: conversation(),
        n_found: 0,
    };
    match fact {
        Fact::CallStarted(call) => pen().started(call),
        Fact::CallUpdated(call) => pen().updated(call),
        Fact::TranscriptPartial { role, text } => pen().guessed(*role, text),
        Fact::TranscriptFinal {
            role,
            text,
            language,
            unspoken,
            ..
        } => pen().said(*role, text, language.as_deref(), unspoken.as_mut()),
        Fact::ToolRequested { args: text, .. }
        | Fact::ToolCompleted { result: text, .. }
        | Fact::ServiceAvailabilityChanged { reason: text, .. } => pen().texts(text),
        Fact::ToolFailed {
            error_type,
            message,
            ..
        }
        | Fact::ServiceError {
            error_type,
            message,
            ..
        } => pen().texts([error_type, message]),
        Fact::CallEnded { reason, .. }
        | Fact::TransportDisconnected { reason }
        | Fact::TransportReconnected { reason }
        | Fact::HandoffFailed { reason, .. } => pen().texts([reason]),
        Fact::HandoffRequested { to, reason } => pen().texts([to, reason]),
        Fact::ParticipantJoined { identity, .. } | Fact::ParticipantLeft { identity, .. } => {
            pen().texts([identity])
        }
        Fact::TransportQuality { .. }
        | Fact::TurnStarted { .. }
        | Fact::TurnEnded { .. }
        | Fact::TurnLatency { .. }
        | Fact::SpeechStarted { .. }
        | Fact::SpeechStopped { .. }
        | Fact::SpeechInterrupted { .. }
        | Fact::AgentStateChanged { .. }
        | Fact::AgentReplaced { .. }
        | Fact::LlmResponseStarted { .. }
        | Fact::LlmResponseEnded { .. }
        | Fact::TtsStarted { .. }
        | Fact::TtsStopped { .. }
        | Fact::ToolStarted { .. }
        | Fact::ToolTimedOut { .. }
        | Fact::ToolCancelled { .. }
        | Fact::ToolCatalogChanged { .. }
        | Fact::ServiceLatency { .. }
        | Fact::ServiceUsage { .. }
        | Fact::ServiceSwitched { .. }
        | Fact::ServiceSettingsChanged { .. }
        | Fact::PipelineStalled { .. }
        | Fact::PipelineIdle { .. }
        | Fact::WorkerRegistered { .. }
        | Fact::WorkerLost { .. }
        | Fact::Beat { .. }
        | Fact::HandoffCompleted { .. }
        | Fact::StreamSnapshot { .. }
        | Fact::StreamGapDetected { .. }
        | Fact::StreamCaughtUp
        | Fact::BridgeHeartbeat { .. }
        | Fact::DrillFaultsChanged { .. } => 0,
    }
}

/// Writes marks, and counts. Each thing that it does ends with what it found.
struct Pen<'a> {
    conversation: &'a mut Conversation,
    n_found: usize,
}

impl Pen<'_> {
    fn put(&mut self, text: &mut Text<'_>, masked: Masked) {
        if !masked.found.is_empty() {
            self.n_found += masked.found.len();
            *text = Cow::Owned(masked.text);
        }
    }

    fn text(&mut self, text: &mut Text<'_>) {
        let masked = self.conversation.text(text);
        self.put(text, masked);
    }

    fn texts<'t, 'f: 't>(mut self, texts: impl IntoIterator<Item = &'t mut Text<'f>>) -> usize {
        texts.into_iter().for_each(|text| self.text(text));
        self.n_found
    }

    fn option(&mut self, text: Option<&mut Text<'_>>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn string(&mut self, text: &mut String) {
        let masked = self.conversation.text(text);
        self.put_string(text, masked);
    }

    fn put_string(&mut self, text: &mut String, masked: Masked) {
        if !masked.found.is_empty() {
            self.n_found += masked.found.len();
            *text = masked.text;
        }
    }

    fn guessed(mut self, role: UtteranceRole, text: &mut Text<'_>) -> usize {
        let masked = self.conversation.guess(role, text, None);
        self.put(text, masked);
        self.n_found
    }

    fn started(self, call: &mut CallStarted<'_>) -> usize {
        self.conversation.set_language(&call.language);
        self.texts(&mut call.customer)
    }

    fn updated(mut self, call: &mut CallUpdated<'_>) -> usize {
        if let Some(language) = &call.language {
            self.conversation.set_language(language);
        }
        if let Some(protected) = call.protected {
            self.conversation
                .set_paying(protected == Some(Protected::Payment));
        }
        self.option(call.intent.as_mut());
        self.option(call.ask.as_mut());
        self.option(call.summary.as_mut());
        for slot in &mut call.slots {
            let masked = self.conversation.value(&slot.name, &slot.value);
            self.put_string(&mut slot.value, masked);
        }
        if let Some(identity) = &mut call.identity {
            self.string(&mut identity.method);
        }
        for promise in call.promises.iter_mut().flatten() {
            self.string(&mut promise.text);
        }
        self.n_found
    }

    /// The tail that was never heard is the tail of the masked words too: where the voice broke off
    /// inside of a mark, the whole mark was not heard.
    fn said(
        mut self,
        role: UtteranceRole,
        text: &mut Text<'_>,
        language: Option<&str>,
        unspoken: Option<&mut Text<'_>>,
    ) -> usize {
        let masked = self.conversation.words(role, text, language);
        if let Some(unspoken) = unspoken {
            match text.len().checked_sub(unspoken.len()) {
                Some(cut) if text.ends_with(unspoken.as_ref()) => {
                    let in_tail = masked.found.iter().filter(|span| span.end > cut);
                    if in_tail.clone().next().is_some() {
                        *unspoken = Cow::Owned(tail(text, cut, in_tail));
                    }
                }
                Some(_) | None => self.text(unspoken),
            }
        }
        self.put(text, masked);
        self.n_found
    }
}

/// What follows `cut`, with marks. A span that `cut` parts is in it as a whole.
fn tail<'a>(text: &str, cut: usize, found: impl Iterator<Item = &'a crate::kind::Found>) -> String {
    let mut tail = String::new();
    let mut done = cut;
    for span in found {
        tail.push_str(&text[done.min(span.start).max(cut)..span.start.max(cut)]);
        tail.push_str(&span.mark());
        done = span.end;
    }
    tail.push_str(&text[done..]);
    tail
}

#[cfg(test)]
mod tests;
