//! Where and when a figure was measured: without this a figure cannot be compared with another.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Map, Value, json};

/// Begun before a measurement, ended after it.
#[derive(Debug)]
pub struct Environment {
    load_before: Option<[f64; 3]>,
}

impl Environment {
    /// Notes how busy the machine is before the measurement.
    pub fn begin() -> Self {
        Self {
            load_before: load_average(),
        }
    }

    /// The object of keys that every measurement tells, with those of `also` beside them.
    pub fn end(&self, also: Map<String, Value>) -> Value {
        let mut told = Map::new();
        told.insert(
            "cores".to_owned(),
            json!(thread::available_parallelism().map_or(0, usize::from)),
        );
        told.insert("load_before".to_owned(), json!(self.load_before));
        told.insert("load_after".to_owned(), json!(load_average()));
        told.insert("commit".to_owned(), json!(commit()));
        told.insert("optimized".to_owned(), json!(!cfg!(debug_assertions)));
        told.extend(also);
        Value::Object(told)
    }
}

/// The kernel's load averages over 1, 5 and 15 minutes; None where the system does not tell them.
fn load_average() -> Option<[f64; 3]> {
    loads(&fs::read_to_string("/proc/loadavg").ok()?)
}

fn loads(text: &str) -> Option<[f64; 3]> {
    let mut words = text.split_whitespace().map(str::parse);
    Some([
        words.next()?.ok()?,
        words.next()?.ok()?,
        words.next()?.ok()?,
    ])
}

/// The checkout's commit, with a `+` when files differ from it; None outside a checkout.
fn commit() -> Option<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changed.is_empty() { "" } else { "+" };
    Some(format!("{commit}{mark}"))
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_averages_are_read_as_the_kernel_writes_them() {
        assert_eq!(
            loads("0.52 0.58 0.59 2/812 12345\n"),
            Some([0.52, 0.58, 0.59])
        );
        assert_eq!(loads("none\n"), None);
    }

    #[test]
    fn what_was_measured_stands_beside_where_it_was_measured() {
        let also = Map::from_iter([("rounds".to_owned(), json!(3))]);
        let told = Environment::begin().end(also);
        assert_eq!(told["rounds"], 3);
        assert!(told["cores"].as_u64() > Some(0), "{told}");
    }
}
