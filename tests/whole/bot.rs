//! A real Pipecat bot as a process: the bridge's own example, which knows nothing of Holdfast.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_tests::place;
use holdfast_tests::program::Program;
use serde_json::Value;

/// How long Python and Pipecat may take to come up on a slow and busy machine.
const START: Duration = Duration::from_mins(2);

/// A running bot with one call.
#[derive(Debug)]
pub(crate) struct Bot {
    program: Program,
}

impl Bot {
    pub(crate) fn start(
        call: &str,
        hub: SocketAddr,
        token: &str,
        home: &Path,
    ) -> anyhow::Result<Self> {
        let examples = place::root().join("bridges/pipecat/examples");
        let setup = place::root().join("bridges/pipecat/holdfast_pipecat/setup_file.py");
        let telephony = examples.join("offline_telephony.py");
        let mut command = Command::new(place::python()?);
        command
            .arg(examples.join("offline_bot.py"))
            .arg("--quiet-caller")
            .env("PIPECAT_SETUP_FILES", setup)
            .env("HOLDFAST_HUB", format!("ws://{hub}/v1/bridge"))
            .env("HOLDFAST_TOKEN", token)
            .env("HOLDFAST_CALL_ID", call)
            .env("HOLDFAST_INSTANCE", call)
            .env("HOLDFAST_QUEUE", "orders")
            .env(
                "HOLDFAST_ON_TRANSFER",
                format!("{}:transfer", telephony.display()),
            )
            .env("PYTHONPATH", examples)
            .env("HOME", home);
        let mut program = Program::start("the bot", &mut command)?;
        program.wait_for("\"ready\"", START)?;
        Ok(Self { program })
    }

    /// Begins or ends a fault.
    pub(crate) fn fault(&mut self, fault: &str, on: bool, target: &str) -> anyhow::Result<()> {
        let word = if on { "on" } else { "off" };
        self.program
            .tell(&format!("fault {fault} {word} {target}"))?;
        self.until("the fault", |line| {
            line["bot"] == "fault" && line["fault"] == fault && line["on"] == on
        })?;
        Ok(())
    }

    /// The caller says a line.
    pub(crate) fn caller_says(&mut self, text: &str) -> anyhow::Result<()> {
        self.program.tell(&format!("caller say \"{text}\""))
    }

    /// Waits for a line of the bot's own journal, the newest that fits.
    pub(crate) fn until(&self, what: &str, fits: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        holdfast_tests::patience::until(what, Duration::from_secs(20), || {
            Ok(self.journal().into_iter().rev().find(&fits))
        })
        .with_context(|| format!("the bot said:\n{}", self.program.said()))
    }

    /// How many lines of its journal fit.
    pub(crate) fn count(&self, fits: impl Fn(&Value) -> bool) -> usize {
        self.journal().into_iter().filter(fits).count()
    }

    /// What the bot says really happened in it, oldest first.
    pub(crate) fn journal(&self) -> Vec<Value> {
        self.program
            .said()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Everything that it wrote, for a failed test.
    pub(crate) fn said(&self) -> String {
        self.program.said()
    }
}
