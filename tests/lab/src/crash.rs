//! The hub is killed at moments by chance while runs are under way, and comes up again.
//!
//! ```text
//! simulator --ws--> relay --ws--> holdfast-hub (a process)
//! consoles  --ws-->   |  counts frames, and sends SIGKILL at the one that the seed chose
//! ```
//!
//! After each restart, before a bridge may say anything, everything that was told or sent before is
//! still known and whatever has no outcome is listed as unknown. At the end every record is held
//! against what the simulated platform really did.
//! Deliberately absent: a clock. Nothing here waits for time to pass.

mod books;
mod desk;
mod relay;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use holdfast_domain::{CommandId, CommandState, PlaybookId, Reply, Request, Run, RunId, RunState};
use holdfast_simulator::{EffectCount, RunningSimulator, Simulator, SimulatorConfig, Token};
use holdfast_tests::place;
use holdfast_tests::program::Program;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustix::process::Pid;
use tempfile::TempDir;
use tokio::time::timeout;

use books::BOOKS;
use desk::{Desk, Told};
use relay::{Point, Relay, Trigger};

pub use verdict::Faults;

/// How long anything may take that must come: a campaign that waits this long has failed. A call
/// pays for minutes, and a run waits for it.
const PATIENCE: Duration = Duration::from_secs(150);

/// How long the hub may take to come up.
const START: Duration = Duration::from_mins(1);

/// So often the hub's state is written down: a run sees several, and some are cut short.
const CHECKPOINT_INPUTS: u64 = 500;

/// What is done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often the hub is killed.
    pub kills: u32,
    /// The moments come from it.
    pub seed: u64,
    /// Concurrent calls.
    pub calls: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How often the hub was killed, by the kind of frame at which.
    pub kills: BTreeMap<String, u32>,
    /// Runs, by how they ended.
    pub runs: BTreeMap<String, u32>,
    /// Kills while a run was acting.
    pub mid_run: u32,
    /// Commands that were written down.
    pub intents: usize,
    /// Of them those that the platform carried out.
    pub effects: usize,
    /// Commands that the platform was asked for again, and did not repeat.
    pub asked_again: usize,
    /// Commands that were listed as unknown after a restart.
    pub unknown_listed: usize,
    /// Of them those whose outcome the platform told later.
    pub unknown_resolved: usize,
    /// From the start of the process until it listens, in milliseconds, one for each restart.
    pub restart_ms: Vec<u64>,
    /// What must not be.
    pub faults: Faults,
}

/// Carries a plan out.
pub fn campaign(plan: Plan, mut tell: impl FnMut(&str)) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let mut scene = Scene::begin(plan).await?;
        while scene.n_killed() < plan.kills {
            let point = scene.kill_once().await?;
            tell(&format!(
                "{} of {}: {} at {}",
                scene.n_killed(),
                plan.kills,
                scene.what(),
                point.name()
            ));
        }
        scene.finish().await
    })
}

struct Scene {
    rng: ChaCha8Rng,
    folder: TempDir,
    config: PathBuf,
    hub: Program,
    relay: Relay,
    simulator: RunningSimulator,
    effects: EffectCount,
    carl: String,
    dora: String,
    desk: Desk,
    /// Runs that were asked for so far.
    n_runs: u32,
    /// The place in the list of the playbook that is run next.
    book: usize,
    /// Runs that shall be undone when their second stage began.
    to_undo: BTreeSet<RunId>,
    unknown: BTreeSet<CommandId>,
    /// Why the newest run was refused.
    refused: String,
    report: Report,
}

impl Scene {
    async fn begin(plan: Plan) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let books = folder.path().join("playbooks");
        fs::create_dir(&books)?;
        for (id, text) in books::files() {
            fs::write(books.join(format!("{id}.toml")), text)?;
        }
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"journal\"\nplaybooks = \"playbooks\"\n\
             [limits]\ncheckpoint_inputs = {CHECKPOINT_INPUTS}\n"
        );
        let mut tokens = Vec::new();
        for (name, role) in [
            ("sim", "bridge"),
            ("carl", "commander"),
            ("dora", "commander"),
        ] {
            let (token, entry) = token(name, role)?;
            text.push_str(&entry);
            tokens.push(token);
        }
        let config = folder.path().join("hub.toml");
        fs::write(&config, text)?;
        let relay = Relay::start().await?;
        let (hub, _) = start_hub(&config, &relay)?;
        let effects = EffectCount::default();
        let simulator = SimulatorConfig {
            url: format!("ws://{}", relay.address),
            token: Token::new(tokens[0].clone()),
            calls: plan.calls,
            seed: plan.seed,
            faults: Vec::new(),
        };
        let simulator = Simulator::start_counted(simulator, effects.clone())?;
        let mut desk = Desk::open(relay.address, &tokens[1]).await?;
        // Snapshots tell the board as it is: a console that comes later sees the calls.
        let board = async {
            while desk.n_calls < plan.calls {
                desk = Desk::open(relay.address, &tokens[1]).await?;
                desk.step().await?;
            }
            anyhow::Ok(desk)
        };
        let desk = timeout(PATIENCE, board).await.context("no calls came")??;
        Ok(Self {
            rng: ChaCha8Rng::seed_from_u64(plan.seed),
            folder,
            config,
            hub,
            relay,
            simulator,
            effects,
            carl: tokens[1].clone(),
            dora: tokens[2].clone(),
            desk,
            n_runs: 0,
            book: 0,
            to_undo: BTreeSet::new(),
            unknown: BTreeSet::new(),
            refused: String::new(),
            report: Report::default(),
        })
    }

    fn n_killed(&self) -> u32 {
        self.report.kills.values().sum()
    }

    /// What was under way when the hub died last.
    fn what(&self) -> String {
        match open_run(&self.desk.told) {
            Some(run) => format!("{} {}", run.id, word(&run.state)),
            None => format!("no run, refused: {:?}", self.refused),
        }
    }

    /// Goes on with runs until the hub is killed, and looks at what came up again.
    async fn kill_once(&mut self) -> anyhow::Result<Point> {
        let point = Point::ALL[self.rng.random_range(0..Point::ALL.len())];
        self.relay.arm(Trigger {
            point,
            skip: self.rng.random_range(0..=point.skip_max()),
            is_passed: self.rng.random(),
            is_delivered: self.rng.random(),
        });
        let relay = self.relay.clone();
        let going = async {
            tokio::select! {
                () = relay.fired() => Ok(()),
                gone = self.go_on() => {
                    // A console may notice the end of the hub before the relay has told of it.
                    let gone = gone.err().context("runs go on for ever")?;
                    let fired = timeout(Duration::from_secs(5), relay.fired()).await;
                    fired.map_err(|_| gone.context("the hub ended by itself"))
                }
            }
        };
        let waited = timeout(PATIENCE, going).await;
        waited
            .with_context(|| format!("no frame came for {}; {}", point.name(), self.what()))??;
        *self
            .report
            .kills
            .entry(point.name().to_owned())
            .or_default() += 1;
        self.report.mid_run +=
            u32::from(open_run(&self.desk.told).is_some_and(|run| run.state.is_acting()));
        self.restart().await?;
        // Every third time the next kill may come before all is known again.
        if self.rng.random_range(0..3_u8) > 0 {
            self.resolve().await?;
        }
        Ok(point)
    }

    /// Asks for runs, agrees, undoes. Ends only when the connection does.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        loop {
            let Some(run) = open_run(&self.desk.told) else {
                self.ask_for_run().await?;
                continue;
            };
            let (id, fingerprint) = (run.id.clone(), run.preview.fingerprint.clone());
            let is_far = run
                .stages
                .get(1)
                .is_some_and(|stage| stage.began_at.is_some());
            let is_rolling = matches!(run.state, RunState::RollingBack { .. });
            if matches!(run.state, RunState::AwaitingApproval { .. }) {
                let mut dora = Desk::open(self.relay.address, &self.dora).await?;
                let request = Request::ApproveRun {
                    run: id.clone(),
                    fingerprint,
                };
                if let Reply::Refused { refusal } = dora.ask(request).await? {
                    // Calls ended since it was asked for: it is asked for anew.
                    let reason = refusal.message;
                    self.desk
                        .ask(Request::StopRun {
                            run: id.clone(),
                            reason,
                        })
                        .await?;
                }
            } else if is_far && !is_rolling && self.to_undo.remove(&id) {
                let reason = "the crash test undoes it".to_owned();
                let run = id.clone();
                self.desk.ask(Request::RollBackRun { run, reason }).await?;
            }
            self.desk.step().await?;
        }
    }

    async fn ask_for_run(&mut self) -> anyhow::Result<()> {
        self.n_runs += 1;
        let run = RunId::new(format!("crash-{:04}", self.n_runs));
        let playbook = PlaybookId::new(BOOKS[self.book % BOOKS.len()]);
        self.book += 1;
        let preview = Request::PreviewRun {
            run: run.clone(),
            playbook,
            cause: None,
        };
        let fingerprint = match self.desk.ask(preview).await? {
            Reply::RunPreview { preview } => preview.fingerprint,
            // The bridge is not heard yet, or nothing is to be done: the next word may change it.
            Reply::Refused { refusal } => {
                self.refused = refusal.message;
                return self.desk.step().await;
            }
            other => bail!("no preview: {other:?}"),
        };
        if self.rng.random_range(0..3_u8) == 0 {
            self.to_undo.insert(run.clone());
        }
        let start = Request::StartRun {
            run: run.clone(),
            fingerprint,
            reason: None,
        };
        match self.desk.ask(start).await? {
            Reply::Refused { refusal } => self.refused = refusal.message,
            // The record comes before the reply or right after it.
            _ => {
                while !self.desk.told.runs.contains_key(&run) {
                    self.desk.step().await?;
                }
            }
        }
        Ok(())
    }

    /// The hub comes up again, and is looked at before a bridge may say anything.
    async fn restart(&mut self) -> anyhow::Result<()> {
        tokio::task::block_in_place(|| self.hub.kill())?;
        self.relay.let_bridges_in(false);
        let (hub, took) = start_hub(&self.config, &self.relay)?;
        self.hub = hub;
        self.report.restart_ms.push(took);
        let desk = Desk::open(self.relay.address, &self.carl);
        let mut desk = timeout(PATIENCE, desk).await.context("no picture came")??;
        std::mem::swap(&mut self.desk, &mut desk);
        let before = desk.told;
        let unknown = verdict::after_restart(
            &before,
            &self.relay.sent_ids(),
            &self.desk.told,
            &mut self.report.faults,
        );
        // One that was still unknown when the hub died again is the same one.
        self.report.unknown_listed += unknown.difference(&self.unknown).count();
        let known = |id: &&CommandId| !unknown.contains(*id);
        self.report.unknown_resolved += self.unknown.iter().filter(known).count();
        self.unknown = unknown;
        self.relay.let_bridges_in(true);
        Ok(())
    }

    /// Waits until the platform has told what became of everything that was unknown.
    async fn resolve(&mut self) -> anyhow::Result<()> {
        let n = self.unknown.len();
        let resolving = async {
            loop {
                self.unknown.retain(|id| {
                    let told = self.desk.told.commands.get(id);
                    told.is_none_or(|told| matches!(told.state(), CommandState::Unknown))
                });
                if self.unknown.is_empty() {
                    return anyhow::Ok(());
                }
                self.desk.step().await?;
            }
        };
        let resolved = timeout(PATIENCE, resolving).await;
        resolved.with_context(|| format!("still unknown: {:?}", self.unknown))??;
        self.report.unknown_resolved += n;
        Ok(())
    }

    /// Lets the last run end, waits for every outcome, and holds the records against the platform.
    async fn finish(mut self) -> anyhow::Result<Report> {
        self.resolve().await?;
        if let Some(run) = open_run(&self.desk.told) {
            let reason = "the campaign is over".to_owned();
            let run = run.id.clone();
            self.desk.ask(Request::StopRun { run, reason }).await?;
        }
        let settling = async {
            while !is_settled(&self.desk.told) {
                self.desk.step().await?;
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, settling)
            .await
            .context("outcomes stay open")??;
        let effects = self.effects.all();
        let told = &self.desk.told;
        let report = &mut self.report;
        verdict::at_the_end(told, &self.relay.sent(), &effects, &mut report.faults);
        if self.effects.uncounted() > 0 {
            bail!("the simulator does not count so many commands: kill less often");
        }
        report.runs = verdict::end_of(&told.runs);
        report.intents = told.commands.len();
        report.effects = effects.values().filter(|effect| effect.times > 0).count();
        report.asked_again = effects.values().filter(|effect| effect.asked > 1).count();
        self.simulator.shutdown().await;
        drop(self.folder);
        Ok(self.report)
    }
}

/// The run that is asked for or under way; there is at most one. One that was only previewed was
/// refused when it should begin.
fn open_run(told: &Told) -> Option<&Run> {
    told.runs
        .values()
        .find(|run| !run.state.is_final() && !matches!(run.state, RunState::Previewed { .. }))
}

/// No run is open, and every command has an outcome.
fn is_settled(told: &Told) -> bool {
    let mut commands = told.commands.values();
    open_run(told).is_none()
        && commands.all(|command| {
            let state = command.state();
            state.is_final() || matches!(state, CommandState::Applied { .. })
        })
}

fn word(state: &RunState) -> String {
    let told = serde_json::to_value(state).unwrap_or_default();
    told["type"].as_str().unwrap_or("?").to_owned()
}

/// Starts the hub on its journal, tells the relay where it is, and tells how long it took in
/// milliseconds.
fn start_hub(config: &PathBuf, relay: &Relay) -> anyhow::Result<(Program, u64)> {
    tokio::task::block_in_place(|| {
        let began = Instant::now();
        let mut command = Command::new(place::binary("holdfast-hub")?);
        command.arg("--config").arg(config);
        let mut hub = Program::start("holdfast-hub", &mut command)?;
        let line = hub.wait_for("\"listening\"", START)?;
        let took = began.elapsed().as_millis() as u64;
        let said: serde_json::Value = serde_json::from_str(&line)?;
        let address: SocketAddr = said["listening"]
            .as_str()
            .and_then(|url| url.strip_prefix("ws://"))
            .context("the hub names its address")?
            .parse()?;
        let process = i32::try_from(hub.id()).ok().and_then(Pid::from_raw);
        relay.hub_is_at(address, process.context("the hub has a process id")?);
        Ok((hub, took))
    })
}

/// A new token from the hub's own command: the token, and its entry in the configuration.
fn token(name: &str, role: &str) -> anyhow::Result<(String, String)> {
    let mut command = Command::new(place::binary("holdfast-hub")?);
    let output = command.args(["token", name, "--role", role]).output()?;
    let entry = String::from_utf8(output.stdout)?;
    let shown = String::from_utf8(output.stderr)?;
    let token = shown.lines().last().context("the hub shows a token")?;
    Ok((token.trim().to_owned(), entry))
}
