//! Measures how long the console takes to build a frame of 60 rows from 10,000 calls:
//! `cargo run --release -p holdfast-console --example frame_speed`.

use std::io::Write;
use std::time::{Duration, Instant};

use holdfast_console::Replica;
use holdfast_domain::{
    AiState, CallId, CallPhase, CallSummary, Floor, LayerHealth, LayerState, Need, NeedLevel,
    PerLayer, Rung, SourceId, Timestamp,
};
use holdfast_protocol::console::{HubToConsole, Identity, Role};
use holdfast_protocol::window::{About, BoardFilter, FrameRequest};

const CALLS: u32 = 10_000;
const FRAMES: u32 = 600;
/// Rows that change between two frames: 6,000 a second.
const CHANGES: u32 = 100;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{CALLS} calls, 60 rows in view, {CHANGES} rows changed between two frames"
    )?;
    for (name, text, frozen) in [
        ("free order", "", false),
        ("frozen order", "", true),
        ("text filter", "order", false),
    ] {
        let mut spent = run(text, frozen);
        spent.sort_unstable();
        let part = |share: usize| spent[(spent.len() - 1) * share / 100];
        writeln!(
            out,
            "{name:13} frame p50 {:?}, p99 {:?}, longest {:?}",
            part(50),
            part(99),
            part(100)
        )?;
    }
    Ok(())
}

fn run(text: &str, frozen: bool) -> Vec<Duration> {
    let mut replica = filled();
    let mut request = FrameRequest {
        ack: 0,
        first: 0,
        count: 60,
        frozen: false,
        filter: BoardFilter {
            text: text.to_owned(),
            ..BoardFilter::default()
        },
        open: None,
    };
    let mut spent = Vec::new();
    for frame in 0..FRAMES {
        let now = Timestamp::from_millis(i64::from(frame) * 16);
        let calls = (0..CHANGES)
            .map(|n| call((frame * 977 + n * 13) % CALLS, frame + 1))
            .collect();
        replica.apply(
            HubToConsole::Change {
                seq: u64::from(frame) + 2,
                calls,
                gone: Vec::new(),
            },
            now,
        );
        let begun = Instant::now();
        let frame = replica.frame(&request, now);
        spent.push(begun.elapsed());
        request.ack = frame.version;
        request.frozen = frozen;
    }
    spent
}

fn filled() -> Replica {
    let start = Timestamp::from_millis(0);
    let mut replica = Replica::new(About {
        version: String::new(),
        hub_url: String::new(),
        embedded: false,
        bridge_url: None,
        connection_file: None,
    });
    replica.apply(
        HubToConsole::Welcome {
            protocol: 1,
            epoch: "e".to_owned(),
            identity: Identity {
                name: "ana".to_owned(),
                roles: vec![Role::Supervisor],
            },
            hub_time: start,
        },
        start,
    );
    replica.apply(
        HubToConsole::Snapshot {
            seq: 1,
            first: true,
            last: true,
            calls: (0..CALLS).map(|n| call(n, 0)).collect(),
            records: Vec::new(),
        },
        start,
    );
    replica
}

fn call(n: u32, round: u32) -> CallSummary {
    let score = n.wrapping_mul(2_654_435_761).wrapping_add(round * 131) % 1_000;
    CallSummary {
        id: CallId::new(format!("call-{n:05}")),
        source: SourceId::new("//bridges/speed/1"),
        phase: CallPhase::Ai,
        ai: AiState::Active,
        queue: ["billing", "orders", "claims"][n as usize % 3].to_owned(),
        language: "en-GB".to_owned(),
        customer: Some(format!("Customer {n}")),
        started_at: Timestamp::from_millis(i64::from(n)),
        last_fact_at: Timestamp::from_millis(i64::from(round)),
        layers: PerLayer(std::array::from_fn(|_| LayerHealth {
            state: LayerState::Healthy,
            service: "primary-llm".to_owned(),
            provider: "Vendor A".to_owned(),
            model: "large-4".to_owned(),
            region: "eu-west".to_owned(),
            ..LayerHealth::default()
        })),
        rung: Rung::Primary,
        floor: Floor::Unknown,
        response_gap_ms: Some(700),
        caller_said: "Where is my order? It was promised for yesterday.".to_owned(),
        agent_said: "Let me look that up for you, one moment please.".to_owned(),
        tool_running: None,
        intent: Some("track_order".to_owned()),
        protected: None,
        high_risk: false,
        need: Need {
            level: if score > 700 {
                NeedLevel::Warn
            } else {
                NeedLevel::Calm
            },
            score: if score > 700 { score } else { 0 },
            reason: "silent for 6.1 s".to_owned(),
            since: None,
        },
        cause: None,
        next: None,
        command: None,
        handoff: None,
        turns: round,
        failed_turns: 0,
    }
}
