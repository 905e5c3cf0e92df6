//! A program that runs beside the test, and ends with its guard.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::patience::until;

/// How many lines are kept: a chatty program's last minutes, at most a few megabytes.
const LINES_MAX: usize = 10_000;

/// How long a program may take to end after it was asked to.
const END: Duration = Duration::from_secs(3);

/// A running program. Dropping it ends the program and everything that it started.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    said: Arc<Mutex<VecDeque<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Program {
    /// Starts it. What it writes, to either output, is kept line by line.
    pub fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name} ({})", command.get_program().display()))?;
        let said = Arc::default();
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(keep(stdout, Arc::clone(&said)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(keep(stderr, Arc::clone(&said)));
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            said,
            readers,
        })
    }

    /// What it has written so far.
    pub fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for line in said.iter() {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Says a line to the program.
    pub fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self
            .child
            .stdin
            .as_mut()
            .context("its input is open until it ends")?;
        writeln!(stdin, "{line}").with_context(|| format!("tell {} {line:?}", self.name))?;
        Ok(())
    }

    /// Waits for a line that contains `words`, and gives it back. An error when the program ends
    /// before, or says nothing of the kind within `limit`.
    pub fn wait_for(&mut self, words: &str, limit: Duration) -> anyhow::Result<String> {
        let what = format!("{} to say {words:?}", self.name);
        until(&what, limit, || {
            // Asked first: a line that was written before the end counts.
            let ended = self.child.try_wait()?;
            if ended.is_some() {
                self.hear_out();
            }
            let said = self.said();
            if let Some(line) = said.lines().find(|line| line.contains(words)) {
                return Ok(Some(line.to_owned()));
            }
            match ended {
                Some(status) => Err(anyhow!("{} ended ({status})", self.name)),
                None => Ok(None),
            }
        })
        .with_context(|| format!("{} said:\n{}", self.name, self.said()))
    }

    /// Once it has ended: waits until its last words are read, unless something that it started
    /// still holds its outputs open.
    fn hear_out(&self) {
        let is_read = || {
            Ok(self
                .readers
                .iter()
                .all(JoinHandle::is_finished)
                .then_some(()))
        };
        let _ = until("its last words", END, is_read);
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        until(&format!("{} to end", self.name), limit, || {
            Ok(self.child.try_wait()?)
        })
        .with_context(|| format!("{} said:\n{}", self.name, self.said()))
    }

    /// Ends it without a chance to clean up, as a crash or a power cut would.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::KILL);
        self.child.wait()?;
        Ok(())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // An error means that nobody is left in the group, which is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let ended = until("its end", END, || Ok(self.child.try_wait()?)).is_ok();
        // Also when it ended: what it started may still be there.
        self.signal(Signal::KILL);
        if !ended {
            let _ = self.child.wait();
        }
    }
}

fn keep(output: impl Read + Send + 'static, said: Arc<Mutex<VecDeque<String>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        // An error is the end of the pipe: the program is gone.
        while lines
            .read_until(b'\n', &mut line)
            .is_ok_and(|length| length > 0)
        {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() == LINES_MAX {
                said.pop_front();
            }
            said.push_back(text);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Program {
        Program::start("a shell", Command::new("sh").args(["-c", script])).unwrap()
    }

    /// Whether a process runs; one that ended and is not yet collected by its parent does not.
    fn runs(id: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn both_outputs_are_kept() {
        let mut program = shell("echo one; echo two >&2; sleep 60");
        assert_eq!(program.wait_for("one", LIMIT).unwrap(), "one");
        assert_eq!(program.wait_for("two", LIMIT).unwrap(), "two");
    }

    #[test]
    fn a_program_hears_what_it_is_told() {
        let mut program = shell("while read line; do echo \"heard $line\"; done");
        program.tell("rain").unwrap();
        assert_eq!(program.wait_for("heard", LIMIT).unwrap(), "heard rain");
    }

    #[test]
    fn a_program_that_ends_early_is_an_error_with_what_it_said() {
        let mut program = shell("echo no token; exit 3");
        let error = format!("{:#}", program.wait_for("listening", LIMIT).unwrap_err());
        assert!(
            error.contains("no token") && error.contains("exit status: 3"),
            "{error}"
        );
    }

    #[test]
    fn the_guard_ends_the_program_and_what_it_started() {
        // The shell ignores the polite request, and so does its child.
        let mut program = shell("trap '' TERM; sleep 600 & echo child $!; wait; sleep 600");
        let line = program.wait_for("child ", LIMIT).unwrap();
        let child = line.trim_start_matches("child ").to_owned();
        let own = program.id().to_string();
        assert!(runs(&child) && runs(&own));
        drop(program);
        until("both to end", LIMIT, || {
            Ok((!runs(&child) && !runs(&own)).then_some(()))
        })
        .unwrap();
    }

    #[test]
    fn a_killed_program_is_gone_at_once() {
        let mut program = shell("echo here; sleep 600");
        program.wait_for("here", LIMIT).unwrap();
        program.kill().unwrap();
        assert!(!runs(&program.id().to_string()));
    }
}
