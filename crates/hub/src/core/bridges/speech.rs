//! What a bridge says once it is connected.

use holdfast_domain::fact::Fact;
use holdfast_domain::{AnomalyKind, FailureKind, RejectionKind, SourceId, Timestamp};
use holdfast_engine::{Answer, AnswerState, BridgeChange, Control};
use holdfast_privacy::Conversation;
use holdfast_protocol::bridge::{BridgeFrame, CommandResult, HubFrame, ResultKind, ResultState};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::event::{Inbound, InboundEvent, parse_bridge_frame, write_event};
use serde_json::json;

use super::HEARD_EVERY_MS;
use crate::core::Core;
use crate::sequence::{News, Verdict};
use crate::session::SessionId;
use crate::words;

/// Errors that were told for the frame at hand: one of each code is enough for its author, and a
/// thousand would drown what else the hub has to say.
#[derive(Default)]
struct Told(Vec<ErrorCode>);

impl Core {
    pub(in crate::core) fn on_bridge_text(&mut self, session: SessionId, text: &str) {
        let now = self.tell_time();
        let Some(source) = self.hear(session, now) else {
            return;
        };
        match parse_bridge_frame(text) {
            Ok(Inbound::Control(BridgeFrame::Result(result))) => self.on_result(source, result),
            Ok(Inbound::Control(BridgeFrame::Pong { .. })) => self.on_pong(source, now),
            Ok(Inbound::Control(BridgeFrame::Hello(_))) => {
                let error = WireError::new(
                    ErrorCode::UnknownFrameType,
                    "`hello` is said once, as the first frame; it was ignored",
                );
                self.object(session, &source, AnomalyKind::Malformed, &error);
            }
            Ok(Inbound::Events(events)) => {
                let mut told = Told::default();
                for event in events {
                    self.on_event(session, &source, event, now, &mut told);
                }
            }
            Err(error) => self.object(session, &source, anomaly_of(error.code), &error),
        }
    }

    /// A frame that its session did not even read.
    pub(in crate::core) fn on_bridge_misfit(&mut self, session: SessionId, error: &WireError) {
        let now = self.tell_time();
        if let Some(source) = self.hear(session, now) {
            self.object(session, &source, anomaly_of(error.code), error);
        }
    }

    /// The source of a session whose frames count, which is hereby heard.
    fn hear(&mut self, session: SessionId, now: Timestamp) -> Option<SourceId> {
        let id = &self.bridges.sessions.get(&session)?.source;
        let source = self.bridges.sources.get_mut(id)?;
        if source.live != Some(session) {
            return None;
        }
        source.heard = now;
        Some(id.clone())
    }

    /// A sign of life; every fact is one too, so that it need not be written down each time.
    ///
    /// A bridge whose events are ignored because one is missing is not heard, however well it
    /// answers: what it says of its calls is not known, and must not look as if it were.
    fn on_pong(&mut self, source: SourceId, now: Timestamp) {
        if let Some(known) = self.bridges.sources.get_mut(&source)
            && !known.sequence.is_in_gap()
            && now.since(known.told) >= HEARD_EVERY_MS
        {
            known.told = now;
            self.control(&Control::Bridge {
                source,
                change: BridgeChange::Heard,
            });
        }
    }

    fn on_event(
        &mut self,
        session: SessionId,
        source: &SourceId,
        event: InboundEvent<'_>,
        now: Timestamp,
        told: &mut Told,
    ) {
        let Some(known) = self.bridges.sources.get_mut(source) else {
            return;
        };
        if event.source != source.as_str() {
            let error = WireError::new(
                ErrorCode::WrongSource,
                format!(
                    "an event names the source {:?} on the connection of {source}; it was \
                     ignored. Send each source's events on its own connection",
                    short(&event.source)
                ),
            );
            return self.object_once(session, source, AnomalyKind::WrongSource, &error, told);
        }
        if event.epoch != known.epoch {
            let error = WireError::new(
                ErrorCode::WrongEpoch,
                format!(
                    "an event names the epoch {:?} on a connection whose hello named {:?}; it \
                     was ignored. Say hello anew with a new epoch",
                    short(&event.epoch),
                    known.epoch
                ),
            );
            return self.object_once(session, source, AnomalyKind::WrongSource, &error, told);
        }
        let restarts = matches!(
            &event.fact,
            Ok(fact) if matches!(
                fact.fact,
                Fact::StreamSnapshot { .. } | Fact::StreamGapDetected { .. }
            )
        );
        match known.sequence.judge(event.sequence, restarts, now) {
            Verdict::Accept => {
                known.told = now;
                self.accept(session, source, event, now, told);
            }
            Verdict::Duplicate => {
                let example = format!("sequence {} was heard before", event.sequence);
                self.count(source, AnomalyKind::DuplicateSequence, example);
            }
            Verdict::Gap { expected, news } => {
                let error = bad_sequence(expected, event.sequence);
                match news {
                    News::First => {
                        self.object(session, source, AnomalyKind::SequenceGap, &error);
                    }
                    News::Lasts => self.tell(session, error),
                    News::Nothing => {}
                }
            }
        }
    }

    /// An event in its place: the engine gets it, or it is counted.
    ///
    /// What must be kept nowhere is masked first. The journal gets the fact as the engine got it,
    /// written anew, so that a replay folds the same, and so that nothing is written down that
    /// nobody has looked at.
    fn accept(
        &mut self,
        session: SessionId,
        source: &SourceId,
        event: InboundEvent<'_>,
        now: Timestamp,
        told: &mut Told,
    ) {
        match event.fact {
            Ok(mut fact) => {
                self.conversations.mask(&mut fact);
                let fact = &fact;
                self.engine
                    .handle(holdfast_engine::Input::Fact { source, fact }, now);
                let payload = write_event(&event.source, &event.epoch, fact);
                self.batch.log_fact(now, source, payload);
                self.take_effects();
            }
            Err(error) => {
                self.batch.log_event(source);
                self.object_once(session, source, anomaly_of(error.code), &error, told);
            }
        }
    }

    fn on_result(&mut self, source: SourceId, result: CommandResult) {
        let answer = Answer {
            command: result.command_id,
            state: answer_state(result.state, result.kind, result.message, result.read_back),
        };
        self.control(&Control::Answer { source, answer });
    }

    /// Tells the bridge what was wrong, and counts it where people see it.
    fn object(
        &mut self,
        session: SessionId,
        source: &SourceId,
        kind: AnomalyKind,
        error: &WireError,
    ) {
        self.count(source, kind, error.message.clone());
        self.tell(session, error.clone());
    }

    fn tell(&self, session: SessionId, error: WireError) {
        if let Some(at) = self.bridges.sessions.get(&session) {
            // No room means that nobody reads there; `Bridges::say` closes such a connection.
            let _ = at.outbox.push(words::to_bridge(&HubFrame::Error(error)));
        }
    }

    fn object_once(
        &mut self,
        session: SessionId,
        source: &SourceId,
        kind: AnomalyKind,
        error: &WireError,
        told: &mut Told,
    ) {
        if told.0.contains(&error.code) {
            self.count(source, kind, error.message.clone());
        } else {
            told.0.push(error.code);
            self.object(session, source, kind, error);
        }
    }

    fn count(&mut self, source: &SourceId, kind: AnomalyKind, example: String) {
        self.control(&Control::Bridge {
            source: source.clone(),
            change: BridgeChange::Anomaly { kind, example },
        });
    }
}

fn bad_sequence(expected: u64, got: u64) -> WireError {
    WireError::new(
        ErrorCode::BadSequence,
        format!("sequence {expected} was expected, {got} arrived; resume from {expected}"),
    )
    .with_detail(json!({"expected": expected, "got": got}))
}

/// A peer's name as it is quoted back: enough to recognize it.
fn short(name: &str) -> String {
    const CHARS_MAX: usize = 80;
    name.chars().take(CHARS_MAX).collect()
}

/// As what an error counts where people see it.
fn anomaly_of(code: ErrorCode) -> AnomalyKind {
    match code {
        ErrorCode::TooLarge | ErrorCode::TooDeep => AnomalyKind::TooLarge,
        ErrorCode::WrongType => AnomalyKind::WrongType,
        ErrorCode::UnknownEventType => AnomalyKind::UnknownEventType,
        ErrorCode::WrongSource | ErrorCode::WrongEpoch => AnomalyKind::WrongSource,
        ErrorCode::BadSequence => AnomalyKind::SequenceGap,
        ErrorCode::UnknownCall => AnomalyKind::UnknownCall,
        ErrorCode::Unauthorized
        | ErrorCode::Forbidden
        | ErrorCode::HelloExpected
        | ErrorCode::UnsupportedProtocol
        | ErrorCode::SourceInUse
        | ErrorCode::Malformed
        | ErrorCode::UnknownFrameType
        | ErrorCode::RateLimited
        | ErrorCode::Stale
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::Internal => AnomalyKind::Malformed,
    }
}

/// An answer as the engine reads it. A rejection or a failure without a kind still is one.
fn answer_state(
    state: ResultState,
    kind: Option<ResultKind>,
    message: Option<String>,
    read_back: Option<holdfast_domain::ReadBack>,
) -> AnswerState {
    let message = Conversation::default()
        .text(&message.unwrap_or_default())
        .text;
    match state {
        ResultState::Accepted => AnswerState::Accepted,
        ResultState::Applied => AnswerState::Applied(read_back.unwrap_or_default()),
        ResultState::Rejected => AnswerState::Rejected(
            kind.map_or(RejectionKind::NotCapable, ResultKind::as_rejection),
            message,
        ),
        ResultState::Failed => AnswerState::Failed(
            kind.map_or(FailureKind::PlatformError, ResultKind::as_failure),
            message,
        ),
        ResultState::Expired => AnswerState::Expired,
    }
}
