//! How many tests passed and failed, as the runners themselves say.

use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Who runs tests, and so how their sum is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runner {
    Cargo,
    Vitest,
    Pytest,
}

impl Runner {
    /// The sum over everything that the runner said, without colors.
    pub(crate) fn counts(self, text: &str) -> Counts {
        let mut sum = Counts::default();
        for line in text.lines().map(str::trim) {
            let told = match self {
                // One line for each test program: test result: ok. 5 passed; 0 failed; 0 ignored; ..
                Self::Cargo => line.strip_prefix("test result: "),
                //       Tests  1 failed | 38 passed | 2 skipped (41)
                Self::Vitest => line.strip_prefix("Tests  "),
                // ===== 2 failed, 38 passed, 1 skipped, 3 warnings in 1.23s =====
                Self::Pytest => line
                    .strip_prefix("=")
                    .map(|line| line.trim_matches([' ', '=']))
                    .filter(|line| line.contains(" in ")),
            };
            if let Some(told) = told {
                sum += numbers(told);
            }
        }
        sum
    }
}

/// Reads "N word" pairs, whatever stands between them.
fn numbers(told: &str) -> Counts {
    let mut counts = Counts::default();
    let words: Vec<&str> = told.split_whitespace().collect();
    for pair in words.windows(2) {
        let Ok(number) = pair[0].parse::<u32>() else {
            continue;
        };
        match pair[1].trim_end_matches([',', ';', '.']) {
            "passed" => counts.passed += number,
            "failed" | "error" | "errors" | "xpassed" => counts.failed += number,
            "ignored" | "skipped" | "todo" | "xfailed" | "deselected" => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(runner: Runner, text: &str, passed: u32, failed: u32, skipped: u32) {
        let expected = Counts {
            passed,
            failed,
            skipped,
        };
        assert_eq!(runner.counts(text), expected, "{text}");
    }

    #[test]
    fn cargo_tells_one_sum_for_each_program() {
        check(
            Runner::Cargo,
            "running 6 tests\ntest a ... ok\n\
             test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished\n\
             running 2 tests\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; x\n",
            6,
            1,
            1,
        );
    }

    #[test]
    fn vitest_tells_tests_and_files_and_only_tests_count() {
        check(
            Runner::Vitest,
            " Test Files  1 failed | 3 passed (4)\n      Tests  1 failed | 38 passed (39)\n",
            38,
            1,
            0,
        );
        check(
            Runner::Vitest,
            "      Tests  38 passed | 2 skipped (40)\n",
            38,
            0,
            2,
        );
    }

    #[test]
    fn pytest_tells_one_sum_and_errors_count_as_failures() {
        check(
            Runner::Pytest,
            "tests/test_a.py ...\n===== 38 passed in 1.23s =====\n",
            38,
            0,
            0,
        );
        check(
            Runner::Pytest,
            "=== FAILURES ===\n== 2 failed, 36 passed, 1 skipped, 3 warnings, 1 error in 0.5s ==\n",
            36,
            3,
            1,
        );
        check(Runner::Pytest, "==== no tests ran in 0.01s ====\n", 0, 0, 0);
    }

    #[test]
    fn a_test_that_only_talks_about_sums_does_not_count() {
        check(Runner::Cargo, "note: 7 passed; 3 failed\n", 0, 0, 0);
    }
}
