//! The ledger of recoveries as files that other programs read.

use std::fmt::Write as _;

use holdfast_domain::{Ledger, LedgerRow, Recovery, Spread, Timestamp};

use crate::HubConfig;
use crate::core::{RecoverError, recover};

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Everything, as one JSON object.
    Json,
    /// The distributions as comma-separated lines, one for each decider and class.
    Classes,
    /// The newest recoveries as comma-separated lines, oldest first, moments in milliseconds since
    /// 1970.
    Calls,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal was not read.
    #[error("the ledger is in the journal, and that cannot be read: {0}")]
    Journal(#[from] RecoverError),
    /// It has no form as JSON.
    #[error("the ledger cannot be written as JSON ({0}); export it as lines instead")]
    Json(#[from] serde_json::Error),
}

/// Reads the ledger from the journal of a hub that does not run, and writes it down. What a crash
/// left half written is mended first, as at a start.
pub fn export(config: &HubConfig, form: Form) -> Result<String, ExportError> {
    let recovered = recover(&config.data, &config.clock)?;
    write(&recovered.engine.whole_ledger(), form)
}

/// Writes a ledger down.
pub fn write(ledger: &Ledger, form: Form) -> Result<String, ExportError> {
    Ok(match form {
        Form::Json => format!("{}\n", serde_json::to_string(ledger)?),
        Form::Classes => classes(ledger),
        Form::Calls => calls(ledger),
    })
}

/// The steps of a recovery, in the order of time.
const STEPS: [&str; 7] = [
    "total", "onset", "detect", "decide", "accept", "recover", "show",
];

fn classes(ledger: &Ledger) -> String {
    let mut text = "decider,layer,signal,recovered,lost,open".to_owned();
    for step in STEPS {
        put(
            &mut text,
            format_args!(",{step}_n,{step}_ms_p50,{step}_ms_p95"),
        );
    }
    text.push('\n');
    for row in &ledger.rows {
        let LedgerRow {
            recovered,
            lost,
            open,
            ..
        } = row;
        let (decider, layer, signal) = (
            word(&row.decider),
            word(&row.class.layer),
            word(&row.class.signal),
        );
        put(
            &mut text,
            format_args!("{decider},{layer},{signal},{recovered},{lost},{open}"),
        );
        let steps = [
            row.total,
            row.onset,
            row.detect,
            row.decide,
            row.accept,
            row.recover,
            row.show,
        ];
        for Spread { n, p50_ms, p95_ms } in steps {
            let (p50, p95) = (number(p50_ms), number(p95_ms));
            put(&mut text, format_args!(",{n},{p50},{p95}"));
        }
        text.push('\n');
    }
    text
}

fn calls(ledger: &Ledger) -> String {
    let mut text = "id,call,cause,decider,layer,signal,decisions,onset_at,affected_at,detected_at,\
                    decided_at,accepted_at,audio_at,shown_at\n"
        .to_owned();
    for of in ledger.recoveries.iter().rev() {
        let Recovery { id, decisions, .. } = of;
        let cause = of.cause.as_ref().map_or("", |cause| cause.as_str());
        let (call, cause) = (field(of.call.as_str()), field(cause));
        let (decider, layer, signal) = (
            word(&of.decider),
            word(&of.class.layer),
            word(&of.class.signal),
        );
        put(
            &mut text,
            format_args!("{id},{call},{cause},{decider},{layer},{signal},{decisions}"),
        );
        for at in [
            of.onset_at,
            Some(of.affected_at),
            Some(of.detected_at),
            of.decided_at,
            of.accepted_at,
            Some(of.audio_at),
            of.shown_at,
        ] {
            put(
                &mut text,
                format_args!(",{}", number(at.map(Timestamp::as_millis))),
            );
        }
        text.push('\n');
    }
    text
}

/// Writing to a string cannot fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}

/// Empty where there is none.
fn number(number: Option<i64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// A value of a closed list, as it is spelled on the wire.
fn word(value: &impl serde::Serialize) -> String {
    let told = serde_json::to_value(value).unwrap_or_default();
    told.as_str().unwrap_or_default().to_owned()
}

/// A name that somebody else chose: quoted where it would break the line.
fn field(name: &str) -> String {
    if name.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use holdfast_domain::{CallId, Decider, FaultClass, Layer, SignalKind};

    use super::*;

    fn ledger() -> Ledger {
        let class = FaultClass {
            layer: Layer::Llm,
            signal: SignalKind::ServiceError,
        };
        let at = Timestamp::from_millis;
        let spread = |ms| Spread {
            n: 1,
            p50_ms: Some(ms),
            p95_ms: Some(ms),
        };
        Ledger {
            since: Some(at(1_000)),
            rows: vec![LedgerRow {
                decider: Decider::Policy,
                class,
                recovered: 1,
                lost: 2,
                open: 3,
                total: spread(800),
                onset: Spread::default(),
                detect: spread(100),
                decide: spread(0),
                accept: spread(50),
                recover: spread(650),
                show: Spread::default(),
            }],
            recoveries: vec![Recovery {
                id: 7,
                call: CallId::new("a,\"b\""),
                class,
                cause: None,
                decider: Decider::Policy,
                decisions: 1,
                onset_at: None,
                affected_at: at(1_000),
                detected_at: at(1_100),
                decided_at: Some(at(1_100)),
                accepted_at: Some(at(1_150)),
                audio_at: at(1_800),
                shown_at: None,
            }],
        }
    }

    #[test]
    fn each_form_has_everything_in_its_place() {
        let classes = write(&ledger(), Form::Classes).unwrap();
        let mut lines = classes.lines();
        let head: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row: Vec<&str> = lines.next().unwrap().split(',').collect();
        assert_eq!(head.len(), row.len());
        let of = |name: &str| row[head.iter().position(|head| *head == name).unwrap()];
        for (name, value) in [
            ("decider", "policy"),
            ("layer", "llm"),
            ("signal", "serviceError"),
            ("lost", "2"),
            ("open", "3"),
            ("total_ms_p95", "800"),
            ("onset_n", "0"),
            ("onset_ms_p50", ""),
            ("recover_ms_p50", "650"),
        ] {
            assert_eq!(of(name), value, "{name}");
        }
        let calls = write(&ledger(), Form::Calls).unwrap();
        assert_eq!(
            calls.lines().nth(1),
            Some("7,\"a,\"\"b\"\"\",,policy,llm,serviceError,1,,1000,1100,1100,1150,1800,")
        );
        let json = write(&ledger(), Form::Json).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger());
    }
}
