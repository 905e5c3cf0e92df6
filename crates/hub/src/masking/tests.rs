//! A detail is filled with a secret in every text that can hold personal data, and with plain
//! words in every other: masking takes away all of the first and none of the second.

use holdfast_domain::fact::Effect;
use holdfast_domain::{
    AiState, CallId, CallPhase, CallSummary, CardGap, CardPart, CardSource, Floor, Handoff,
    HandoffId, HandoffReason, HandoffState, IdentityLevel, IdentityState, Need, PerLayer,
    PromiseMade, Rung, Slot, SourceId, Timestamp, ToolEffect, ToolState, UtteranceRole,
};

use super::*;

const SECRET: &str = "secret";

fn secret() -> String {
    SECRET.to_owned()
}

fn utterance() -> Utterance {
    Utterance {
        role: UtteranceRole::Caller,
        text: secret(),
        unspoken: secret(),
        at: Timestamp::default(),
        turn: Some(1),
        is_final: true,
        interrupted: false,
    }
}

fn summary() -> CallSummary {
    CallSummary {
        id: CallId::new("call-1"),
        source: SourceId::new("//bridges/sim/1"),
        phase: CallPhase::Ai,
        ai: AiState::Active,
        queue: "plain-queue".into(),
        language: "en".into(),
        customer: Some(secret()),
        started_at: Timestamp::default(),
        last_fact_at: Timestamp::default(),
        layers: PerLayer::default(),
        rung: Rung::Primary,
        floor: Floor::Unknown,
        response_gap_ms: None,
        caller_said: secret(),
        agent_said: secret(),
        tool_running: None,
        intent: Some("plain-intent".into()),
        protected: None,
        high_risk: false,
        need: Need::default(),
        cause: None,
        next: None,
        command: None,
        handoff: None,
        turns: 1,
        failed_turns: 0,
    }
}

fn card() -> HandoffCard {
    HandoffCard {
        customer: Some(secret()),
        queue: "plain-queue".into(),
        language: "en".into(),
        ask: CardField::FromPlatform { text: secret() },
        summary: CardField::Extracted { text: secret() },
        intent: CardField::FromPlatform {
            text: "plain-intent".into(),
        },
        slots: vec![Slot {
            name: "plain-slot".into(),
            value: secret(),
            confidence: Some(0.5),
            turn: Some(1),
        }],
        identity: Some(IdentityState {
            method: "plain-method".into(),
            level: IdentityLevel::Full,
            at: None,
            valid: true,
        }),
        sentiment: vec![0.5],
        tools: vec![ToolEffect {
            tool: "plain-tool".into(),
            state: ToolState::Failed,
            effect: Effect::Unknown,
            outcome: secret(),
            at: Timestamp::default(),
        }],
        promises: vec![PromiseMade {
            text: secret(),
            turn: Some(2),
            confirmed: false,
            source: CardSource::Platform,
        }],
        failure: None,
        last_turns: vec![utterance()],
        disclosure: Some(true),
        consent: Some(true),
        recording: Some("on".into()),
        silence_ms: 7,
        prior_transfers: 0,
        say_first: CardField::Extracted { text: secret() },
        gaps: vec![CardGap::Missing {
            part: CardPart::Intent,
        }],
        as_of: Timestamp::default(),
    }
}

fn detail() -> CallDetail {
    CallDetail {
        summary: summary(),
        transcript: vec![utterance()],
        lanes: Vec::new(),
        evidence: Vec::new(),
        services: Vec::new(),
        tools_enabled: vec!["plain-tool".into()],
        tools_disabled: Vec::new(),
        capabilities: Vec::new(),
        card: card(),
        commands: Vec::new(),
    }
}

fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

#[test]
fn a_masked_detail_holds_no_secret_and_all_that_is_plain() {
    let mut masked = detail();
    let before = serde_json::to_string(&masked).unwrap();
    mask_detail(&mut masked);
    let after = serde_json::to_string(&masked).unwrap();
    assert_eq!(count(&before, SECRET), 14);
    assert_eq!(count(&after, SECRET), 0, "{after}");
    assert_eq!(count(&after, MASK), 14, "that something is hidden shows");
    assert_eq!(count(&after, "plain"), count(&before, "plain"));
}

#[test]
fn a_masked_handoff_holds_no_secret() {
    let mut record = Record::Handoff {
        handoff: Box::new(Handoff {
            id: HandoffId::new("h-1"),
            call: CallId::new("call-1"),
            reason: HandoffReason::Supervisor,
            requested_by: "ana".into(),
            requested_at: Timestamp::default(),
            state: HandoffState::Requested,
            transfer: None,
            refused_by: Vec::new(),
            steps: Vec::new(),
            card: card(),
        }),
    };
    mask_record(&mut record);
    let after = serde_json::to_string(&record).unwrap();
    assert_eq!(count(&after, SECRET), 0, "{after}");
    assert!(after.contains("plain-queue"));
}

#[test]
fn what_is_empty_or_missing_stays_so() {
    let mut row = summary();
    row.customer = None;
    row.caller_said = String::new();
    mask_summary(&mut row);
    assert_eq!(row.customer, None);
    assert_eq!(row.caller_said, "");
    assert_eq!(row.agent_said, MASK);
}
