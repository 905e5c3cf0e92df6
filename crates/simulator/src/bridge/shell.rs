//! The clock and the connection around the bridge.

use std::time::Duration;

use holdfast_domain::FaultScope;
use holdfast_link::{ClosedReason, Link, LinkConfig, LinkEvent, SendError, Token};
use holdfast_protocol::clock;
use holdfast_protocol::limits::BRIDGE_FRAME_BYTES_MAX;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Bridge;
use crate::effects::EffectCount;
use crate::faults::FaultError;
use crate::platform::{Platform, PlatformConfig};

/// Events of so many milliseconds go out together: nobody sees a fortieth of a second, and ten
/// thousand calls become forty frames a second.
const TICK_MS: u64 = 25;

/// How often vendors and workers say that they live. A live demonstration has no need to see a death
/// within the second, and its journal keeps each beat.
const BEAT_MS: i64 = 1_000;

/// How to run a simulated platform.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// The hub's bridge face: `ws://HOST:PORT/v1/bridge`; the path may be left out.
    pub url: String,
    /// A token with the role `bridge`.
    pub token: Token,
    /// Concurrent calls.
    pub calls: usize,
    /// Everything random about the calls comes from it.
    pub seed: u64,
    /// Faults that are injected from the beginning.
    pub faults: Vec<(String, FaultScope)>,
}

/// Starts simulated platforms.
#[derive(Debug)]
pub struct Simulator;

/// A platform that runs. Dropping it stops it.
#[derive(Debug)]
pub struct RunningSimulator {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<ClosedReason>,
}

impl Simulator {
    /// Starts a platform and connects it to a hub; both go on until they are shut down, through
    /// every loss of the connection. Must be called inside a tokio runtime.
    pub fn start(config: SimulatorConfig) -> Result<RunningSimulator, FaultError> {
        Self::begin(config, None)
    }

    /// The same, which counts in `effects` what commands do.
    pub fn start_counted(
        config: SimulatorConfig,
        effects: EffectCount,
    ) -> Result<RunningSimulator, FaultError> {
        Self::begin(config, Some(effects))
    }

    fn begin(
        config: SimulatorConfig,
        effects: Option<EffectCount>,
    ) -> Result<RunningSimulator, FaultError> {
        let now = clock::now();
        // Two runs must not share ids: the start's milliseconds tell them apart.
        let instance = format!("s{}", base36(now.as_millis().unsigned_abs()));
        let platform_config = PlatformConfig {
            seed: config.seed,
            calls: config.calls,
            instance: instance.clone(),
            world: crate::WorldKind::Pods,
            noise: false,
        };
        let mut platform = Platform::new(platform_config, now).beating(BEAT_MS);
        if let Some(effects) = effects {
            platform = platform.counting(effects);
        }
        for (fault, scope) in &config.faults {
            platform.start_fault(fault, scope)?;
        }
        let source = format!("//bridges/simulator/seed-{}", config.seed);
        let bridge = Bridge::new(platform, config.calls, source, instance, now);
        let url = bridge_url(&config.url);
        let link_config =
            LinkConfig::new(url, Some(config.token), BRIDGE_FRAME_BYTES_MAX).seeded(config.seed);
        let link = Link::start(link_config);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(bridge, link, stopped));
        Ok(RunningSimulator {
            stop: Some(stop),
            task,
        })
    }
}

impl RunningSimulator {
    /// Stops the calls and closes the connection.
    pub async fn shutdown(mut self) {
        self.stop.take();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the simulator did not stop in order");
        }
    }

    /// Waits until the hub refuses the simulator for good, and tells why. Does not end otherwise.
    pub async fn refused(&mut self) -> ClosedReason {
        match (&mut self.task).await {
            Ok(reason) => reason,
            Err(error) => {
                tracing::error!(%error, "the simulator broke");
                ClosedReason::Stopped
            }
        }
    }
}

async fn run(
    mut bridge: Bridge,
    mut link: Link,
    mut stopped: oneshot::Receiver<()>,
) -> ClosedReason {
    let mut now = clock::now();
    loop {
        // Behind: no pause but for the connection.
        let tick = if bridge.is_behind(now) { 0 } else { TICK_MS };
        let wait = bridge
            .next_wake()
            .map_or(TICK_MS, |wake| (wake.since(now).max(0) as u64).max(tick));
        tokio::select! {
            // A sender that is gone means the same as a word from it.
            _ = &mut stopped => return ClosedReason::Stopped,
            event = link.next() => match event {
                LinkEvent::Connected => bridge.on_connected(),
                LinkEvent::Message(text) => bridge.on_frame(&text, now),
                LinkEvent::Hiccup { retry_in, reason, .. } => {
                    tracing::warn!(%reason, ?retry_in, "not connected");
                    bridge.on_lost();
                }
                LinkEvent::Closed { reason } => return reason,
            },
            () = tokio::time::sleep(Duration::from_millis(wait)) => {}
        }
        // The platform's time never goes back, whatever the wall clock does.
        now = now.max(clock::now());
        bridge.advance(now);
        write_all(&mut bridge, &link);
    }
}

/// Writes what the link takes; the rest waits for the next tick.
fn write_all(bridge: &mut Bridge, link: &Link) {
    // Nobody else writes to the link, so a frame that there is room for is taken.
    while link.room() > 0 {
        let Some(frame) = bridge.next_frame() else {
            return;
        };
        match link.try_send(frame) {
            Ok(()) => {}
            // The connection is gone, and its hiccup is on its way. Events stay in the outbox until
            // they are acknowledged, and the hub asks again for answers.
            Err(SendError::NotConnected | SendError::Full) => return,
        }
    }
}

fn bridge_url(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if rest.trim_end_matches('/').contains('/') {
        url.to_owned()
    } else {
        format!("{}/v1/bridge", url.trim_end_matches('/'))
    }
}

/// A short word for a number.
fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize]);
        number /= 36;
        if number == 0 {
            break;
        }
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(*digit))
        .collect()
}
