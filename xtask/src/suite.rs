//! A list of steps that all run, and the sum at the end.
//!
//! A step that fails does not stop the others, so that one run tells everything that is wrong.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::counts::{Counts, Runner};
use crate::step::{self, Outcome};

/// What has run so far.
#[derive(Debug)]
pub(crate) struct Suite {
    began: Instant,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    title: String,
    took: Duration,
    /// None for a step that runs no tests, such as a lint.
    counts: Option<Counts>,
    /// Why the step as a whole is bad.
    wrong: Option<String>,
}

impl Suite {
    /// Nothing has run yet.
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Runs a step without tests. True when it is good.
    pub(crate) fn check(&mut self, title: &str, command: &mut Command) -> bool {
        let outcome = step::run(title, command);
        self.add(title, None, outcome)
    }

    /// Runs a step whose tests count. True when it is good.
    pub(crate) fn tests(&mut self, title: &str, runner: Runner, command: &mut Command) -> bool {
        let outcome = step::run(title, command);
        self.add(title, Some(runner), outcome)
    }

    /// Does something that other steps need. True when it is good.
    pub(crate) fn prepare(&mut self, title: &str, work: fn() -> anyhow::Result<()>) -> bool {
        let began = Instant::now();
        let outcome = work().map(|()| Outcome {
            succeeded: true,
            text: String::new(),
            took: began.elapsed(),
        });
        self.add(title, None, outcome)
    }

    /// Notes a step that could not run.
    pub(crate) fn skip(&mut self, title: &str, because: &str) {
        self.steps.push(Step {
            title: title.to_owned(),
            took: Duration::ZERO,
            counts: None,
            wrong: Some(format!("did not run, because {because} failed")),
        });
    }

    fn add(
        &mut self,
        title: &str,
        runner: Option<Runner>,
        outcome: anyhow::Result<Outcome>,
    ) -> bool {
        let step = match outcome {
            Ok(outcome) => {
                let counts = runner.map(|runner| runner.counts(&outcome.text));
                Step {
                    title: title.to_owned(),
                    took: outcome.took,
                    counts,
                    wrong: wrong(outcome.succeeded, counts),
                }
            }
            Err(error) => Step {
                title: title.to_owned(),
                took: Duration::ZERO,
                counts: runner.map(|_| Counts::default()),
                wrong: Some(format!("{error:#}")),
            },
        };
        if let Some(wrong) = &step.wrong {
            step::say(&format!("    {title}: {wrong}"));
        }
        let good = step.wrong.is_none();
        self.steps.push(step);
        good
    }

    /// Says how each step went and, as the last line, the sum of all tests.
    pub(crate) fn finish(self) -> ExitCode {
        step::say(&format!(
            "\nSummary, after {:.0} s:",
            self.began.elapsed().as_secs_f64()
        ));
        for step in &self.steps {
            step::say(&step.line());
        }
        let sum = self.sum();
        step::say(&format!("\n{} passed, {} failed", sum.passed, sum.failed));
        if sum.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Passed: tests. Failed: tests, and each step that is bad without naming a failed test.
    fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        for step in &self.steps {
            let counts = step.counts.unwrap_or_default();
            sum += counts;
            if step.wrong.is_some() && counts.failed == 0 {
                sum.failed += 1;
            }
        }
        sum
    }
}

/// Why a step is bad: a runner must succeed, run at least one test, and leave none out.
fn wrong(succeeded: bool, counts: Option<Counts>) -> Option<String> {
    let Some(counts) = counts else {
        return (!succeeded).then(|| "failed".to_owned());
    };
    if !succeeded || counts.failed > 0 {
        return Some("failed".to_owned());
    }
    if counts.passed == 0 {
        return Some("ran no test at all, which proves nothing".to_owned());
    }
    if counts.skipped > 0 {
        return Some("left tests out; a test that does not run proves nothing".to_owned());
    }
    None
}

impl Step {
    fn line(&self) -> String {
        let word = if self.wrong.is_some() { "FAILED" } else { "ok" };
        let mut remarks = Vec::new();
        if let Some(counts) = self.counts {
            remarks.push(format!(
                "{} passed, {} failed",
                counts.passed, counts.failed
            ));
            if counts.skipped > 0 {
                remarks.push(format!("{} skipped", counts.skipped));
            }
        }
        if let Some(wrong) = &self.wrong {
            remarks.push(format!("({wrong})"));
        }
        format!(
            "  {word:<6} {:<42} {:>6.1} s  {}",
            self.title,
            self.took.as_secs_f64(),
            remarks.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(suite: &mut Suite, script: &str) -> bool {
        let mut command = step::command(std::path::Path::new("."), "sh", &["-c", script]);
        suite.tests("tests", Runner::Pytest, &mut command)
    }

    #[test]
    fn tests_are_summed_over_runners() {
        let mut suite = Suite::begin();
        assert!(run(&mut suite, "echo '== 3 passed in 1s =='"));
        assert!(run(&mut suite, "echo '== 4 passed in 1s =='"));
        assert_eq!((suite.sum().passed, suite.sum().failed), (7, 0));
        assert_eq!(suite.finish(), ExitCode::SUCCESS);
    }

    #[test]
    fn a_runner_that_fails_runs_nothing_or_leaves_out_is_a_failure() {
        for script in [
            "echo '== 3 passed in 1s =='; exit 1",
            "echo '== no tests ran in 1s =='",
            "echo '== 3 passed, 1 skipped in 1s =='",
            "true",
        ] {
            let mut suite = Suite::begin();
            assert!(!run(&mut suite, script), "{script}");
            assert_eq!(suite.sum().failed, 1, "{script}");
            assert_eq!(suite.finish(), ExitCode::FAILURE);
        }
    }

    #[test]
    fn failed_tests_count_one_by_one_and_not_once_more_for_their_step() {
        let mut suite = Suite::begin();
        assert!(!run(
            &mut suite,
            "echo '== 2 failed, 3 passed in 1s =='; exit 1"
        ));
        assert_eq!((suite.sum().passed, suite.sum().failed), (3, 2));
    }

    #[test]
    fn a_lint_that_fails_and_a_step_that_cannot_run_are_failures() {
        let mut suite = Suite::begin();
        let here = std::path::Path::new(".");
        assert!(!suite.check("lint", &mut step::command(here, "false", &[])));
        assert!(!suite.check("lint", &mut step::command(here, "no-such-program", &[])));
        suite.skip("tests", "the build");
        assert_eq!(suite.sum().failed, 3);
    }
}
