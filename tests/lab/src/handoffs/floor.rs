//! The floor: what fails on it, and what its people do.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use holdfast_domain::{
    Act, ActId, ActVerb, CallId, FaultScope, Handoff, HandoffId, HandoffState, HumanState, Record,
    Request, Target, Timestamp,
};
use holdfast_hub::{Heard, HubConfig, Peer, VirtualHub};
use holdfast_protocol::PROTOCOL_VERSION;
use holdfast_protocol::bridge::{
    BridgeFrame, Hello, HubFrame, Named, parse_hub_frame, write_bridge_frame,
};
use holdfast_protocol::console::{
    ConsoleFrame, HubToConsole, Identity, Role, parse_hub_to_console,
};
use holdfast_protocol::event::{write_batch, write_event};
use holdfast_simulator::{Output, Platform, PlatformConfig, WorldKind};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{BEGAN, Outcome};
use crate::teller::Teller;

const SOURCE: &str = "//bridges/simulator/floor";
/// Live calls: enough that some wait, few enough that a floor is over in a moment.
const CALLS: usize = 8;
/// Human agents; fewer than calls that come to them.
const AGENTS: [&str; 3] = ["ana", "ben", "eve"];
const STEP_MS: i64 = 200;
const HEARTBEAT_MS: i64 = 1_000;
/// How often the calls are compared with what the hub says of them.
const LOOK_MS: i64 = 1_000;

/// What happens to the floor.
#[derive(Debug, Clone, Copy)]
enum Blow {
    EngineDies,
    EngineLives,
    BridgeGoes,
    BridgeComes,
    HubCrashes,
    HubComes,
    ConsoleCrashes(usize),
    ConsoleComes(usize),
    Supervisor,
}

pub(super) struct Agent {
    name: &'static str,
    peer: Option<Peer>,
    /// What the agent will do about an offer, once.
    plans: BTreeMap<HandoffId, Vec<(Timestamp, Request)>>,
}

pub(super) struct Floor {
    rng: ChaCha8Rng,
    pub(super) now: Timestamp,
    data: tempfile::TempDir,
    pub(super) hub: Option<VirtualHub>,
    runs: u64,
    pub(super) platform: Platform,
    pub(super) bridge: Option<Peer>,
    epoch: u64,
    teller: Teller,
    agents: Vec<Agent>,
    supervisor: Option<Peer>,
    fault: Option<String>,
    requests: u64,
    blows: BTreeMap<(Timestamp, u64), Blow>,
    /// Every handoff that somebody was told of, as it was told last, and when that was.
    pub(super) told: BTreeMap<HandoffId, (Handoff, Timestamp)>,
    /// Handoffs that stood still at the last look, and those that were counted as lost for it.
    pub(super) still: BTreeSet<HandoffId>,
    pub(super) stuck: BTreeSet<HandoffId>,
    pub(super) outcome: Outcome,
}

impl Floor {
    pub(super) fn start(seed: u64) -> anyhow::Result<Self> {
        let config = PlatformConfig {
            seed,
            calls: CALLS,
            instance: format!("f{seed}"),
            world: WorldKind::Varied,
            noise: true,
        };
        let mut floor = Self {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0xf100),
            now: BEGAN,
            data: tempfile::tempdir().context("make a folder for the journal")?,
            hub: None,
            runs: 0,
            platform: Platform::new(config, BEGAN),
            bridge: None,
            epoch: 0,
            teller: Teller::new("0".to_owned(), HEARTBEAT_MS, BEGAN),
            agents: AGENTS
                .iter()
                .map(|name| Agent {
                    name,
                    peer: None,
                    plans: BTreeMap::new(),
                })
                .collect(),
            supervisor: None,
            fault: None,
            requests: 0,
            blows: BTreeMap::new(),
            told: BTreeMap::new(),
            still: BTreeSet::new(),
            stuck: BTreeSet::new(),
            outcome: Outcome::default(),
        };
        floor.hub_comes()?;
        for blow in [
            Blow::EngineDies,
            Blow::BridgeGoes,
            Blow::HubCrashes,
            Blow::ConsoleCrashes(0),
            Blow::ConsoleCrashes(1),
            Blow::Supervisor,
        ] {
            let after = floor.rng.random_range(2_000..30_000);
            floor.plan(after, blow);
        }
        Ok(floor)
    }

    fn plan(&mut self, after_ms: i64, blow: Blow) {
        self.requests += 1;
        let at = (self.now + after_ms, self.requests);
        self.blows.insert(at, blow);
    }

    pub(super) fn run_until(&mut self, end: Timestamp) -> anyhow::Result<()> {
        while self.now < end {
            self.now = self.now + STEP_MS;
            while let Some((&at, &blow)) = self.blows.first_key_value()
                && at.0 <= self.now
            {
                self.blows.remove(&at);
                self.strike(blow)?;
            }
            let outputs = self.platform.advance(self.now);
            self.leave(outputs);
            self.hub_works()?;
            self.agents_act();
            if self.now.since(BEGAN) % LOOK_MS == 0 {
                self.judge();
            }
        }
        Ok(())
    }

    fn strike(&mut self, blow: Blow) -> anyhow::Result<()> {
        let lasts = self.rng.random_range(2_000..14_000);
        let again = self.rng.random_range(10_000..30_000);
        match blow {
            Blow::EngineDies => {
                let fault = ["llm_503", "llm_hang", "tts_silent"][self.rng.random_range(0..3)];
                let started = self.platform.start_fault(fault, &FaultScope::default());
                self.fault = Some(started.context("the simulator knows its faults")?);
                self.plan(lasts * 2, Blow::EngineLives);
            }
            Blow::EngineLives => {
                if let Some(fault) = self.fault.take() {
                    self.platform.end_injection(&fault);
                }
                self.plan(again, Blow::EngineDies);
            }
            Blow::BridgeGoes => {
                self.bridge_goes();
                self.plan(lasts, Blow::BridgeComes);
            }
            Blow::BridgeComes => {
                self.bridge_comes();
                self.plan(again, Blow::BridgeGoes);
            }
            Blow::HubCrashes => {
                if let Some(hub) = self.hub.take() {
                    hub.crash();
                    self.outcome.crashes += 1;
                }
                self.bridge = None;
                self.supervisor = None;
                self.agents.iter_mut().for_each(|agent| agent.peer = None);
                self.plan(lasts / 2, Blow::HubComes);
            }
            Blow::HubComes => {
                self.hub_comes()?;
                self.plan(again, Blow::HubCrashes);
            }
            Blow::ConsoleCrashes(n) => {
                let peer = self.agents[n].peer.take();
                if let (Some(hub), Some(peer)) = (&mut self.hub, peer) {
                    hub.hang_up(peer);
                }
                self.agents[n].plans.clear();
                self.plan(lasts, Blow::ConsoleComes(n));
            }
            Blow::ConsoleComes(n) => {
                self.agent_comes(n);
                self.plan(again, Blow::ConsoleCrashes(n));
            }
            Blow::Supervisor => {
                self.send_to_humans();
                self.plan(lasts, Blow::Supervisor);
            }
        }
        Ok(())
    }

    /// Nothing fails any more.
    pub(super) fn mend_everything(&mut self) -> anyhow::Result<()> {
        self.blows.clear();
        if let Some(fault) = self.fault.take() {
            self.platform.end_injection(&fault);
        }
        if self.hub.is_none() {
            self.hub_comes()?;
        }
        self.bridge_comes();
        (0..AGENTS.len()).for_each(|n| self.agent_comes(n));
        Ok(())
    }

    fn hub_comes(&mut self) -> anyhow::Result<()> {
        self.runs += 1;
        let config = HubConfig::loopback(self.data.path(), Vec::new());
        let epoch = format!("run-{}", self.runs);
        let hub = VirtualHub::start(config, &epoch, self.now).context("the hub comes up")?;
        self.hub = Some(hub);
        self.bridge_comes();
        (0..AGENTS.len()).for_each(|n| self.agent_comes(n));
        let Some(hub) = &mut self.hub else {
            return Ok(());
        };
        self.supervisor = Some(hub.console(identity("sam", Role::Supervisor), None, Vec::new()));
        Ok(())
    }

    fn agent_comes(&mut self, n: usize) {
        let agent = &mut self.agents[n];
        let (Some(hub), None) = (&mut self.hub, agent.peer) else {
            return;
        };
        let peer = hub.console(identity(agent.name, Role::Agent), None, Vec::new());
        agent.peer = Some(peer);
        self.requests += 1;
        let state = HumanState::Free;
        let request = Request::SetHumanState { state };
        let id = self.requests;
        hub.console_frame(peer, ConsoleFrame::Request { id, request });
    }

    fn bridge_goes(&mut self) {
        if let (Some(hub), Some(peer)) = (&mut self.hub, self.bridge.take()) {
            hub.hang_up(peer);
        }
    }

    /// A bridge process that begins anew: it knows nothing of what it said, and tells everything.
    fn bridge_comes(&mut self) {
        let (Some(hub), None) = (&mut self.hub, self.bridge) else {
            return;
        };
        self.epoch += 1;
        self.teller = Teller::new(self.epoch.to_string(), HEARTBEAT_MS, self.now);
        let named = |name: &str| Named {
            name: name.to_owned(),
            version: "1".to_owned(),
        };
        self.bridge = Some(hub.bridge(Hello {
            protocol: PROTOCOL_VERSION,
            source: SOURCE.to_owned(),
            epoch: self.epoch.to_string(),
            token: None,
            bridge: named("floor"),
            platform: named("simulator"),
            heartbeat_secs: HEARTBEAT_MS as f64 / 1_000.0,
            capabilities: Platform::capabilities(),
        }));
        let snapshot = self.platform.snapshot();
        self.leave(snapshot);
    }

    fn send_to_humans(&mut self) {
        let (Some(hub), Some(peer)) = (&mut self.hub, self.supervisor) else {
            return;
        };
        let calls: Vec<CallId> = hub.engine().call_ids().cloned().collect();
        if calls.is_empty() {
            return;
        }
        self.requests += 1;
        let call = calls[self.rng.random_range(0..calls.len())].clone();
        let act = Act {
            id: ActId::new(format!("act-{}", self.requests)),
            verb: ActVerb::RouteToHumans,
            target: Target::Calls { calls: vec![call] },
        };
        let id = self.requests;
        let request = Request::Act { act };
        hub.console_frame(peer, ConsoleFrame::Request { id, request });
    }

    /// What the platform says goes to the hub at once; without a bridge nobody hears it.
    fn leave(&mut self, outputs: Vec<Output>) {
        let (Some(hub), Some(peer)) = (&mut self.hub, self.bridge) else {
            return;
        };
        let mut events = Vec::new();
        let epoch = self.epoch.to_string();
        for output in outputs {
            match output {
                Output::Event(event) => {
                    let told = self.teller.event(event, self.now);
                    events.push(write_event(SOURCE, &epoch, &told));
                }
                Output::Answer(result) => {
                    // Answers keep their place among events.
                    for batch in events.chunks(100) {
                        hub.bridge_text(peer, &write_batch(batch));
                    }
                    events.clear();
                    hub.bridge_text(peer, &write_bridge_frame(&BridgeFrame::Result(result)));
                }
            }
        }
        if let Some(told) = self.teller.heartbeat(&self.platform, self.now) {
            events.push(write_event(SOURCE, &epoch, &told));
        }
        for batch in events.chunks(100) {
            hub.bridge_text(peer, &write_batch(batch));
        }
    }

    fn hub_works(&mut self) -> anyhow::Result<()> {
        let Some(hub) = &mut self.hub else {
            return Ok(());
        };
        hub.advance(self.now);
        if !hub.settle() {
            bail!("the journal of the floor could not be written");
        }
        let Some(peer) = self.bridge else {
            return Ok(());
        };
        let mut orders = Vec::new();
        for heard in hub.heard(peer) {
            if let Heard::Frame(text) = heard
                && let HubFrame::Command(order) = parse_hub_frame(&text).context("a frame")?
            {
                orders.push(order);
            }
        }
        for order in orders {
            let outputs = self.platform.command(&order, self.now);
            self.leave(outputs);
        }
        Ok(())
    }

    /// Agents and the supervisor read what they are told; agents decide about offers.
    fn agents_act(&mut self) {
        for n in 0..self.agents.len() {
            let Some(peer) = self.agents[n].peer else {
                continue;
            };
            for handoff in self.read(peer) {
                let name = self.agents[n].name;
                let is_mine = matches!(
                    &handoff.state,
                    HandoffState::Offered { agent, .. } if agent.as_str() == name
                );
                if is_mine && !self.agents[n].plans.contains_key(&handoff.id) {
                    let plan = self.decide(&handoff.id);
                    self.agents[n].plans.insert(handoff.id.clone(), plan);
                } else if !is_mine {
                    let is_seen = matches!(handoff.state, HandoffState::Seen { .. });
                    if !is_seen {
                        self.agents[n].plans.remove(&handoff.id);
                    }
                }
            }
            let now = self.now;
            let mut due = Vec::new();
            for plan in self.agents[n].plans.values_mut() {
                while plan.first().is_some_and(|(at, _)| *at <= now) {
                    due.push(plan.remove(0).1);
                }
            }
            for request in due {
                self.requests += 1;
                let id = self.requests;
                if let Some(hub) = &mut self.hub {
                    hub.console_frame(peer, ConsoleFrame::Request { id, request });
                }
            }
        }
        if let Some(peer) = self.supervisor {
            self.read(peer);
        }
    }

    fn decide(&mut self, id: &HandoffId) -> Vec<(Timestamp, Request)> {
        let handoff = || id.clone();
        let seen = self.now + self.rng.random_range(200..4_000);
        let then = seen + self.rng.random_range(200..6_000);
        let see = (seen, Request::SeeHandoff { handoff: handoff() });
        match self.rng.random_range(0..10) {
            // Not there.
            0 => Vec::new(),
            // Looks, and is called away.
            1 => vec![see],
            2 | 3 => {
                let reason = "on another matter".to_owned();
                let decline = Request::DeclineHandoff {
                    handoff: handoff(),
                    reason,
                };
                vec![see, (then, decline)]
            }
            _ => vec![see, (then, Request::AcceptHandoff { handoff: handoff() })],
        }
    }

    /// Handoffs that a console is told of now.
    fn read(&mut self, peer: Peer) -> Vec<Handoff> {
        let Some(hub) = &mut self.hub else {
            return Vec::new();
        };
        let mut told = Vec::new();
        for heard in hub.heard(peer) {
            let Heard::Frame(text) = heard else { continue };
            let records = match parse_hub_to_console(&text) {
                Ok(HubToConsole::Record { record, .. }) => vec![record],
                Ok(HubToConsole::Snapshot { records, .. }) => records,
                _ => continue,
            };
            told.extend(records.into_iter().filter_map(|record| match record {
                Record::Handoff { handoff } => Some(*handoff),
                _ => None,
            }));
        }
        for handoff in &told {
            self.judge_card(&handoff.card);
            let known = self.told.get(&handoff.id);
            let is_news = known.is_none_or(|(known, _)| known.state != handoff.state);
            if is_news {
                let news = (handoff.clone(), self.now);
                self.told.insert(handoff.id.clone(), news);
            }
        }
        told
    }
}

fn identity(name: &str, role: Role) -> Identity {
    Identity {
        name: name.to_owned(),
        roles: vec![role],
    }
}
