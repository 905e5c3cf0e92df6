//! How long a dead vendor is felt: from a call's refused request to its acknowledged switch.
//!
//! The whole hub runs in virtual time, journal included, beside a simulated platform; every frame
//! takes 20 ms each way. What the hub's own work takes is measured, disk included, and added to
//! virtual time: while it works, what arrives waits. Only the platform's time is simulated.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use holdfast_domain::fact::{Fact, Speaker};
use holdfast_domain::{CallId, Command, FaultScope, Protected, Timestamp};
use holdfast_hub::{Heard, HubConfig, Peer, VirtualHub};
use holdfast_protocol::bridge::{
    BridgeFrame, CommandFrame, Hello, HubFrame, Named, ResultState, parse_hub_frame,
    write_bridge_frame,
};
use holdfast_protocol::event::{write_batch, write_event};
use holdfast_simulator::{Output, Platform, PlatformConfig, WorldKind};

use crate::clock::elapsed;
use crate::teller::Teller;

/// What the network takes each way, in microseconds.
const NETWORK_US: i64 = 20_000;
/// How often vendors say that they live, in milliseconds.
const BEAT_MS: i64 = 250;
/// Virtual time before the fault, so that calls are in every phase of a turn.
const WARM_MS: i64 = 20_000;
/// Calls that meet the dead vendor for so long after its death are counted.
const MET_MS: i64 = 10_000;
/// They have so long to be switched.
const SWITCHED_MS: i64 = 10_000;
/// Steps of the platform before and after the fault.
const STEP_WARM_MS: i64 = 20;
const STEP_MS: i64 = 1;
const HEARTBEAT_MS: i64 = 1_000;
/// The most events in one frame; the protocol's limit.
const BATCH_MAX: usize = 1_024;
const SOURCE: &str = "//bridges/simulator/failover";
const EPOCH: &str = "1";
const BEGAN: Timestamp = Timestamp::from_millis(1_780_000_000_000);
/// The vendor that dies.
pub const VENDOR: &str = "Vendor A";

/// How this is measured, told with the figures.
pub const SETUP: &str = "The whole hub, journal and fsync included, in virtual time beside a \
    simulated platform: 20 ms of network each way, the hub's measured work added to virtual time. \
    The vendor of about a third of the calls refuses every request (503); its beats go on, so that \
    nothing but refusals tells of it. Counted for each call whose request was refused within 10 s of the vendor's death, from \
    that refusal to the switch's acknowledgment in the hub. FailLite's published mean of 175.5 ms \
    is a figure of another setup: real edge servers, heartbeats, and models that are loaded.";

/// One call that met the dead vendor, in microseconds since [`BEGAN`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Met {
    /// Its request was refused.
    pub refused: i64,
    /// The hub took that in.
    pub heard: Option<i64>,
    /// The order that helped left the hub.
    pub ordered: Option<i64>,
    /// The hub took its acknowledgment in.
    pub acked: Option<i64>,
    /// Its caller had stopped to speak.
    stopped: Option<i64>,
    /// The caller heard the agent again.
    audible: Option<i64>,
}

impl Met {
    /// From the refusal to the acknowledged switch, in milliseconds.
    pub fn total_ms(&self) -> Option<f64> {
        Some((self.acked? - self.refused) as f64 / 1_000.0)
    }

    /// Until the hub knew, until it had decided durably, until the platform had switched.
    pub fn split_ms(&self) -> Option<[f64; 3]> {
        let (heard, ordered, acked) = (self.heard?, self.ordered?, self.acked?);
        let steps = [heard - self.refused, ordered - heard, acked - ordered];
        Some(steps.map(|us| us as f64 / 1_000.0))
    }

    /// How long the caller heard nothing.
    pub fn gap_ms(&self) -> Option<f64> {
        Some((self.audible? - self.stopped?) as f64 / 1_000.0)
    }
}

/// What a round showed.
#[derive(Debug, Clone)]
pub struct Round {
    /// Live calls when the vendor died.
    pub calls: usize,
    /// The calls that met it.
    pub met: Vec<Met>,
    /// Of them those that were not switched, in the words of their rows; each with how many.
    pub left: BTreeMap<String, usize>,
    /// Calls in a payment when the vendor died.
    pub in_payment: usize,
    /// Calls that were switched before they met it.
    pub ahead: usize,
    /// The hub's share of the time measured, 0 to 1.
    pub hub_busy: f64,
}

/// What the hub's own work takes in virtual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// What it takes really, on this machine and under its load.
    Measured,
    /// Nothing: a round comes out the same on every machine.
    Free,
}

/// A platform, a hub, and what is on the way between them.
struct Bench {
    work: Work,
    hub: VirtualHub,
    peer: Peer,
    platform: Platform,
    _data: tempfile::TempDir,
    now: Timestamp,
    teller: Teller,
    /// Frames to the hub, by when they arrive.
    to_hub: BTreeMap<(i64, u64), (String, Vec<Seen>)>,
    to_platform: BTreeMap<(i64, u64), CommandFrame>,
    frames: u64,
    /// The hub works until then.
    busy_until: i64,
    worked_us: i64,
    died: Option<i64>,
    met: BTreeMap<CallId, Met>,
    stopped: BTreeMap<CallId, i64>,
    /// Switches that were ordered: of which call, when, and whether the target lives.
    orders: BTreeMap<String, (CallId, i64)>,
    /// Calls whose switch was ordered.
    ordered: BTreeSet<CallId>,
    ahead: usize,
    in_payment: BTreeSet<CallId>,
}

/// What a frame tells that is counted when the hub takes it in.
enum Seen {
    Refused(CallId),
    Applied(String),
}

/// One round: a hub that is armed, `calls` live calls, and the death of one vendor.
pub fn round(calls: usize, seed: u64, work: Work) -> anyhow::Result<Round> {
    let mut bench = Bench::start(calls, seed, work)?;
    bench.run_until(BEGAN + WARM_MS, STEP_WARM_MS)?;
    let live = bench.platform.live_calls();
    let vendor = FaultScope {
        provider: Some(VENDOR.to_owned()),
        ..FaultScope::default()
    };
    let fault = bench.platform.start_fault("llm_503", &vendor);
    fault.map_err(|error| anyhow::anyhow!("the vendor does not die: {error:?}"))?;
    let in_payment = bench.in_payment.len();
    let died = us(BEGAN + WARM_MS);
    bench.died = Some(died);
    let (worked, from) = (bench.worked_us, died);
    bench.run_until(BEGAN + WARM_MS + MET_MS + SWITCHED_MS, STEP_MS)?;
    let took = MET_MS + SWITCHED_MS;
    let is_counted = |met: &Met| met.refused < from + MET_MS * 1_000;
    let met: Vec<(CallId, Met)> = std::mem::take(&mut bench.met)
        .into_iter()
        .filter(|(_, met)| is_counted(met))
        .collect();
    let mut left = BTreeMap::new();
    for (call, _) in met.iter().filter(|(_, met)| met.acked.is_none()) {
        *left.entry(bench.row_says(call)).or_default() += 1;
    }
    Ok(Round {
        calls: live,
        met: met.into_iter().map(|(_, met)| met).collect(),
        left,
        in_payment,
        ahead: bench.ahead,
        hub_busy: (bench.worked_us - worked) as f64 / (took * 1_000) as f64,
    })
}

impl Bench {
    fn start(calls: usize, seed: u64, work: Work) -> anyhow::Result<Self> {
        let data = tempfile::tempdir().context("make a folder for the journal")?;
        let config = HubConfig {
            armed: true,
            ..HubConfig::loopback(data.path(), Vec::new())
        };
        let mut hub = VirtualHub::start(config, "run-1", BEGAN).context("start the hub")?;
        let named = |name: &str| Named {
            name: name.to_owned(),
            version: "1".to_owned(),
        };
        let peer = hub.bridge(Hello {
            protocol: 1,
            source: SOURCE.to_owned(),
            epoch: EPOCH.to_owned(),
            token: None,
            bridge: named("bench"),
            platform: named("simulator"),
            heartbeat_secs: HEARTBEAT_MS as f64 / 1_000.0,
            capabilities: Platform::capabilities(),
        });
        let config = PlatformConfig {
            seed,
            calls,
            instance: "b".to_owned(),
            world: WorldKind::Varied,
            noise: false,
        };
        let mut bench = Self {
            work,
            hub,
            peer,
            platform: Platform::new(config, BEGAN).beating(BEAT_MS),
            _data: data,
            now: BEGAN,
            teller: Teller::new("b".to_owned(), HEARTBEAT_MS, BEGAN),
            to_hub: BTreeMap::new(),
            to_platform: BTreeMap::new(),
            frames: 0,
            busy_until: 0,
            worked_us: 0,
            died: None,
            met: BTreeMap::new(),
            stopped: BTreeMap::new(),
            orders: BTreeMap::new(),
            ordered: BTreeSet::new(),
            ahead: 0,
            in_payment: BTreeSet::new(),
        };
        let snapshot = bench.platform.snapshot();
        bench.leave(BEGAN, snapshot);
        Ok(bench)
    }

    /// What the row of a call says of the ladder.
    fn row_says(&self, call: &CallId) -> String {
        let row = self.hub.engine().summary(call);
        let next = row.map(|row| row.next.map(|next| next.text));
        next.map_or_else(
            || "the call is over".to_owned(),
            |next| next.unwrap_or_else(|| "nothing".to_owned()),
        )
    }

    fn run_until(&mut self, end: Timestamp, step_ms: i64) -> anyhow::Result<()> {
        while self.now < end {
            self.now = self.now + step_ms;
            let now = self.now;
            let orders = take_due(&mut self.to_platform, us(now));
            let mut told = self.platform.advance(now);
            for order in orders {
                told.extend(self.platform.command(&order, now));
            }
            self.leave(now, told);
            self.hub_works(us(now))?;
        }
        Ok(())
    }

    /// What the platform says leaves for the hub.
    fn leave(&mut self, now: Timestamp, told: Vec<Output>) {
        let mut events = Vec::new();
        let mut seen = Vec::new();
        let mut results = Vec::new();
        for output in told {
            match output {
                Output::Event(event) => {
                    self.watch(event.call.as_ref(), &event.fact, us(event.at), &mut seen);
                    let envelope = self.teller.event(event, now);
                    events.push(write_event(SOURCE, EPOCH, &envelope));
                }
                Output::Answer(result) => results.push(result),
            }
        }
        if let Some(envelope) = self.teller.heartbeat(&self.platform, now) {
            events.push(write_event(SOURCE, EPOCH, &envelope));
        }
        let arrives = us(now) + NETWORK_US;
        for events in events.chunks(BATCH_MAX) {
            // All of one step arrive together: it does not matter with which of its frames.
            self.send(arrives, write_batch(events), std::mem::take(&mut seen));
        }
        for result in results {
            let is_applied = result.state == ResultState::Applied;
            let id = result.command_id.to_string();
            let seen = is_applied
                .then_some(Seen::Applied(id))
                .into_iter()
                .collect();
            let text = write_bridge_frame(&BridgeFrame::Result(result));
            self.send(arrives, text, seen);
        }
    }

    fn send(&mut self, arrives: i64, text: String, seen: Vec<Seen>) {
        self.frames += 1;
        self.to_hub.insert((arrives, self.frames), (text, seen));
    }

    fn watch(
        &mut self,
        call: Option<&CallId>,
        fact: &Fact<'static>,
        at: i64,
        seen: &mut Vec<Seen>,
    ) {
        let Some(call) = call else { return };
        match fact {
            Fact::SpeechStopped {
                actor: Speaker::Caller,
            } => {
                self.stopped.insert(call.clone(), at);
            }
            Fact::SpeechStarted {
                actor: Speaker::Agent,
            } => {
                if let Some(met) = self.met.get_mut(call) {
                    met.audible.get_or_insert(at);
                }
            }
            Fact::CallUpdated(news) if news.protected == Some(Some(Protected::Payment)) => {
                self.in_payment.insert(call.clone());
            }
            Fact::CallUpdated(news) if news.protected == Some(None) => {
                self.in_payment.remove(call);
            }
            Fact::CallEnded { .. } => {
                self.in_payment.remove(call);
            }
            Fact::ServiceError { .. } if self.died.is_some() && !self.met.contains_key(call) => {
                let met = Met {
                    refused: at,
                    stopped: self.stopped.get(call).copied(),
                    ..Met::default()
                };
                self.met.insert(call.clone(), met);
                seen.push(Seen::Refused(call.clone()));
            }
            _ => {}
        }
    }

    /// The hub takes in what has arrived, unless it still works on what came before.
    fn hub_works(&mut self, now: i64) -> anyhow::Result<()> {
        if self.busy_until > now {
            return Ok(());
        }
        let due = take_due(&mut self.to_hub, now);
        if due.is_empty() && self.hub.next_wake() > BEGAN + us_to_ms(now) {
            return Ok(());
        }
        let began = elapsed_us();
        self.hub.advance(BEGAN + us_to_ms(now));
        let mut seen = Vec::new();
        for (text, of_frame) in due {
            self.hub.bridge_text(self.peer, &text);
            seen.extend(of_frame);
        }
        if !self.hub.settle() {
            bail!("the journal cannot be written");
        }
        let heard = self.hub.heard(self.peer);
        let worked = match self.work {
            Work::Measured => elapsed_us() - began,
            Work::Free => 0,
        };
        self.worked_us += worked;
        let done = now + worked;
        self.busy_until = done;
        for what in seen {
            match what {
                Seen::Refused(call) => {
                    if let Some(met) = self.met.get_mut(&call) {
                        // It is known when its frame is taken in; what follows is deciding.
                        met.heard = Some(now);
                    }
                }
                Seen::Applied(id) => self.acked(&id, done),
            }
        }
        for heard in heard {
            let Heard::Frame(text) = heard else {
                bail!("the hub closed the connection: {heard:?}");
            };
            self.hub_says(&text, done)?;
        }
        Ok(())
    }

    fn acked(&mut self, id: &str, at: i64) {
        let Some((call, ordered)) = self.orders.get(id) else {
            return;
        };
        match self.met.get_mut(call) {
            Some(met) if met.acked.is_none() => {
                // One that was on its way as the request was refused helps as well: nothing of the
                // time from the refusal is then spent on deciding.
                met.ordered = Some((*ordered).max(met.heard.unwrap_or(met.refused)));
                met.acked = Some(at);
            }
            Some(_) => {}
            None => self.ahead += 1,
        }
    }

    fn hub_says(&mut self, text: &str, at: i64) -> anyhow::Result<()> {
        let frame = parse_hub_frame(text).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        match frame {
            HubFrame::Command(command) => {
                if let (Some(call), Command::SwitchModel { .. }) = (&command.call, &command.command)
                {
                    let id = command.command_id.to_string();
                    self.ordered.insert(call.clone());
                    self.orders.insert(id, (call.clone(), at));
                }
                self.frames += 1;
                let key = (at + NETWORK_US, self.frames);
                self.to_platform.insert(key, *command);
            }
            HubFrame::Ping { nonce } => {
                let pong = write_bridge_frame(&BridgeFrame::Pong { nonce });
                self.send(at + 2 * NETWORK_US, pong, Vec::new());
            }
            HubFrame::Error(error) => bail!("the hub refuses a frame: {error:?}"),
            HubFrame::Welcome(_) | HubFrame::Ack { .. } => {}
        }
        Ok(())
    }
}

fn take_due<T>(queue: &mut BTreeMap<(i64, u64), T>, now: i64) -> Vec<T> {
    let later = queue.split_off(&(now + 1, 0));
    let due = std::mem::replace(queue, later);
    due.into_values().collect()
}

fn us(at: Timestamp) -> i64 {
    at.since(BEGAN) * 1_000
}

const fn us_to_ms(us: i64) -> i64 {
    us.div_euclid(1_000)
}

/// The real clock: the hub's thread, the journal's thread and the disk.
fn elapsed_us() -> i64 {
    i64::try_from(elapsed().as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_vendor_is_met_and_left() {
        let round = round(300, 1, Work::Free).unwrap();
        assert!(round.calls > 250 && round.met.len() > 20, "{round:?}");
        // A payment ends, and so does what a caller says: everybody is switched.
        assert_eq!(round.left, BTreeMap::new(), "{round:?}");
        let mut totals = Vec::new();
        for met in &round.met {
            let total = met.total_ms().unwrap();
            let split: f64 = met.split_ms().unwrap().iter().sum();
            assert!(total >= 60.0, "three ways of 20 ms: {met:?}");
            assert!((split - total).abs() < 0.01, "{met:?}");
            totals.push(total);
        }
        totals.sort_by(f64::total_cmp);
        let mean = totals.iter().sum::<f64>() / totals.len() as f64;
        let p95 = totals[totals.len() * 95 / 100];
        // The goals, of which the network takes 60 ms and the platform 60 ms as a rule.
        assert!(mean < 175.5 && p95 < 400.0, "{mean} {p95}");
    }

    #[test]
    fn what_the_hub_does_takes_its_time() {
        let round = round(20, 1, Work::Measured).unwrap();
        assert!(round.hub_busy > 0.0, "{round:?}");
    }
}
