//! The map's table of signals names every signal, with the limits that the engine really has.

use holdfast_engine::Config;

use crate::tree::files;

const MAP: &str = "docs/architecture.md";

/// Every signal, as the window's generated types have them.
const SIGNALS: &str = "ui/src/lib/generated/SignalKind.ts";

fn complaints(map: &str, signals: &[&str], config: &Config) -> Vec<String> {
    let row = |signal: &str| {
        let start = format!("| `{signal}` |");
        map.lines()
            .find(|line| line.starts_with(&start))
            .unwrap_or_default()
    };
    let mut complaints = Vec::new();
    for signal in signals {
        if row(signal).is_empty() {
            complaints.push(format!(
                "{MAP}: the table of signals does not name `{signal}`"
            ));
        }
    }
    for (signal, limit) in limits(config) {
        if !row(signal).contains(&limit) {
            complaints.push(format!(
                "{MAP}: the row of `{signal}` does not say {limit:?}"
            ));
        }
    }
    complaints
}

/// What the rows must say.
fn limits(config: &Config) -> Vec<(&'static str, String)> {
    let (silence, gap) = (config.silence, config.response_gap);
    let steps = config.expectations;
    let conduct = config.conduct;
    let (rate, drift, beats) = (config.fault_rate, config.learning.drift, config.beats);
    let overlap = format!(
        "overlap over {} s and {} s to yield; any / {}",
        seconds(conduct.overlap_ms),
        seconds(conduct.yield_ms),
        conduct.misses_warn
    );
    let three =
        |one, two, three| format!("{} / {} / {} s", seconds(one), seconds(two), seconds(three));
    vec![
        (
            "deadAir",
            three(silence.watch_ms, silence.warn_ms, silence.critical_ms),
        ),
        ("unansweredTurn", format!("{} s", seconds(silence.warn_ms))),
        (
            "responseGap",
            three(gap.watch_ms, gap.warn_ms, gap.critical_ms),
        ),
        (
            "expectation",
            format!("transcript {} s", seconds(steps.transcript_ms)),
        ),
        (
            "expectation",
            format!("response {} s", seconds(steps.response_ms)),
        ),
        (
            "expectation",
            format!("tokens {} s", seconds(steps.tokens_ms)),
        ),
        (
            "expectation",
            format!("audio {} s", seconds(steps.audio_ms)),
        ),
        ("expectation", format!("tool {} s", seconds(steps.tool_ms))),
        (
            "toolFailure",
            format!("{} s without an end", seconds(2 * steps.tool_ms)),
        ),
        ("transport", format!("loss {} %", config.loss_permille / 10)),
        ("transport", format!("{} %,", config.loss_permille_bad / 10)),
        (
            "transport",
            format!("round trip {} s", seconds(i64::from(config.rtt_ms))),
        ),
        (
            "transport",
            format!("gone for {} s", seconds(config.disconnected_ms)),
        ),
        ("ghost", format!("{} s when", seconds(config.ghost_ms))),
        (
            "ghost",
            format!("{} s in any case", seconds(config.quiet_ms)),
        ),
        (
            "staleFeed",
            format!("at least {} s", seconds(config.stale_ms_min)),
        ),
        (
            "reprompt",
            format!(
                "asked {} / {} times",
                conduct.asked_watch, conduct.asked_warn
            ),
        ),
        (
            "callerRepeats",
            format!("said {} times", conduct.said_watch),
        ),
        ("talkOver", overlap.clone()),
        ("bargeInMissed", overlap),
        ("loop", format!("{} times", conduct.loop_warn)),
        (
            "endedAbruptly",
            format!("within {} s", seconds(conduct.abrupt_ms)),
        ),
        (
            "faultRate",
            format!(
                "{} % against {} %, told at {} nats",
                rate.usual_permille / 10,
                rate.bad_permille / 10,
                seconds(i64::from(rate.alarm_millinats))
            ),
        ),
        (
            "faultRate",
            format!(
                "over after {:.1} less",
                f64::from(rate.clear_millinats) / 1_000.0
            ),
        ),
        (
            "latencyDrift",
            format!(
                "weight {} %, beyond {} deviations, {} times and {} s slower for {} s",
                drift.weight_percent,
                drift.sigmas,
                f64::from(drift.ratio_percent) / 100.0,
                seconds(drift.slower_ms_min),
                seconds(drift.hold_ms)
            ),
        ),
        (
            "liveness",
            format!(
                "phi {} over the last {} intervals, deviation at least {} %",
                beats.phi, beats.window, beats.deviation_percent_min
            ),
        ),
    ]
}

/// "3" or "1.2".
fn seconds(ms: i64) -> String {
    (ms as f64 / 1_000.0).to_string()
}

#[test]
fn the_table_of_signals_is_what_the_engine_does() {
    let text = |path: &str| &files().iter().find(|file| file.path == path).unwrap().text;
    let signals: Vec<&str> = text(SIGNALS).split('"').skip(1).step_by(2).collect();
    assert!(
        signals.contains(&"deadAir"),
        "{SIGNALS} is no list of words: {signals:?}"
    );
    crate::hold(&complaints(text(MAP), &signals, &Config::default()));
}

#[test]
fn it_bites() {
    let map = &files().iter().find(|file| file.path == MAP).unwrap().text;
    let mut config = Config::default();
    config.response_gap.watch_ms = 1_300;
    assert_eq!(
        complaints(map, &["newSignal"], &config),
        [
            "docs/architecture.md: the table of signals does not name `newSignal`",
            "docs/architecture.md: the row of `responseGap` does not say \"1.3 / 1.5 / 2.5 s\"",
        ]
    );
}
