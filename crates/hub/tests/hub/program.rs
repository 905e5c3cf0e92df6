//! The program, as an operator meets it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use holdfast_hub::tokens::Token;
use serde_json::{Value, json};

use crate::support::{next_of, open, send};

const PROGRAM: &str = env!("CARGO_BIN_EXE_holdfast-hub");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A program that is killed with its test.
struct Running {
    child: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(config: &Path) -> Running {
    let mut child = Command::new(PROGRAM)
        .arg("--config")
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = ready["listening"].as_str().unwrap().to_owned();
    Running { child, url }
}

async fn see_calls(url: &str, token: &str) -> usize {
    let bearer = format!("Bearer {token}");
    let url = format!("{url}/v1/console");
    let mut ws = open(&url, &[("authorization", &bearer)]).await.unwrap();
    send(&mut ws, &json!({"type": "hello", "protocol": 1})).await;
    let snapshot = next_of(&mut ws, "snapshot").await;
    snapshot["calls"].as_array().unwrap().len()
}

#[tokio::test]
async fn from_a_token_to_a_running_hub_and_over_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hub.toml");
    let mut lines = "listen = \"127.0.0.1:0\"\n".to_owned();
    let mut tokens = Vec::new();
    for (name, role) in [("ana", "supervisor"), ("bot", "bridge")] {
        let made = run(&["token", name, "--role", role]);
        assert!(made.status.success());
        lines.push_str(&text(&made.stdout));
        let said = text(&made.stderr);
        let token = said.lines().last().unwrap().to_owned();
        assert!(!lines.contains(&token), "only the hash is stored");
        assert!(lines.contains(&Token::new(&token).hash().to_string()));
        tokens.push(token);
    }
    std::fs::write(&config, lines).unwrap();

    let hub = start(&config);
    let bearer = format!("Bearer {}", tokens[1]);
    let url = format!("{}/v1/bridge", hub.url);
    let mut ws = open(&url, &[("authorization", &bearer)]).await.unwrap();
    let hello = crate::support::bridge::hello("//bridges/sim/1", "e1");
    send(&mut ws, &hello).await;
    next_of(&mut ws, "welcome").await;
    let now = crate::support::bridge::now();
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "//bridges/sim/1",
        "type": "holdfast.call.started", "subject": "call-1", "time": now, "recordedtime": now,
        "sequence": "00000000000000000001", "epoch": "e1",
        "data": crate::support::bridge::call_started("x"),
    });
    send(&mut ws, &event).await;
    next_of(&mut ws, "ack").await;
    assert_eq!(see_calls(&hub.url, &tokens[0]).await, 1);

    // SIGKILL: nobody is asked, nothing is tidied up.
    drop(hub);
    let mut hub = start(&config);
    assert_eq!(see_calls(&hub.url, &tokens[0]).await, 1);

    // SIGTERM: an orderly end.
    let pid = hub.child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(hub.child.wait().unwrap().success());
    assert!(
        folder
            .path()
            .join("holdfast-data/inputs-000002.sqlite")
            .exists()
    );
    let hub = start(&config);
    assert_eq!(see_calls(&hub.url, &tokens[0]).await, 1);
}

#[test]
fn help_explains_itself() {
    let help = text(&run(&["--help"]).stdout);
    for word in [
        "--config",
        "--print-config",
        "token",
        "Example",
        "listening",
    ] {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
}

#[test]
fn the_configuration_is_printed_whole() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hub.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:1\"").unwrap();
    let printed = run(&["--config", config.to_str().unwrap(), "--print-config"]);
    assert!(printed.status.success());
    let printed = text(&printed.stdout);
    assert!(printed.contains("listen = \"127.0.0.1:1\""), "{printed}");
    assert!(printed.contains("checkpoint_inputs = 500000"), "{printed}");
}

#[test]
fn mistakes_are_told_to_people() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hub.toml");
    let path = config.to_str().unwrap();
    for (lines, expected) in [
        ("listen = 7", "line 1, column 10"),
        ("listen = \"0.0.0.0:0\"", "insecure_plain_text"),
        (
            "listen = \"192.0.2.1:1\"\ninsecure_plain_text = true",
            "cannot listen",
        ),
        ("data = \"hub.toml\"", "hub.toml"),
    ] {
        std::fs::write(&config, lines).unwrap();
        let output = run(&["--config", path]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{lines}: {said}");
        assert!(said.contains(expected), "{lines}: {said}");
        assert!(output.stdout.is_empty());
    }
    let missing = run(&["--config", "no-such-file.toml"]);
    assert!(text(&missing.stderr).contains("no-such-file.toml cannot be read"));
    let mixed = run(&["token", "x", "--role", "bridge", "--role", "agent"]);
    assert_eq!(mixed.status.code(), Some(1));
    let none = run(&["token", "x"]);
    assert!(!none.status.success());
}

#[test]
fn playbook_check_tells_every_fault_and_fails_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = include_str!("../../../../playbooks/tts-silent.toml");
    let good = folder.path().join("good.toml");
    std::fs::write(&good, shipped).unwrap();
    let good = good.to_str().unwrap();
    let bad = folder.path().join("bad.toml");
    let wrong = shipped
        .replace("ttl_s = 900", "ttl = 900")
        .replace("percent = 25", "percent = 125");
    std::fs::write(&bad, wrong).unwrap();
    let bad = bad.to_str().unwrap();

    let output = run(&["playbook", "check", good]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        format!("{good}: good: tts-silent version 1, 2 steps, 4 stages, 5 languages\n")
    );
    assert_eq!(text(&output.stderr), "");

    let output = run(&["playbook", "check", bad, good]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with(&format!("{good}: good")));
    let told = text(&output.stderr);
    for expected in [
        "bad.toml:1:1: a playbook lacks ttl_s\n",
        "bad.toml:9:1: unknown key \"ttl\" in a playbook\n",
        "percent is 125\n    That is outside of what is safe or possible.\n    Write a whole \
         number from 1 to 99 (percent).\n",
        "3 faults",
    ] {
        assert!(told.contains(expected), "{expected:?} is not in {told}");
    }

    assert_eq!(
        run(&["playbook", "check", good, good]).status.code(),
        Some(1)
    );
    assert_eq!(
        run(&["playbook", "check", "gone.toml"]).status.code(),
        Some(1)
    );
    assert_eq!(run(&["playbook", "check"]).status.code(), Some(2));
}

#[test]
fn a_bad_playbook_is_told_at_the_start_and_the_hub_starts() {
    let folder = tempfile::tempdir().unwrap();
    let playbooks = folder.path().join("own");
    std::fs::create_dir(&playbooks).unwrap();
    std::fs::write(playbooks.join("bad.toml"), "id = 7").unwrap();
    let config = folder.path().join("hub.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\nplaybooks = \"own\"").unwrap();
    let mut child = Command::new(PROGRAM)
        .arg("--config")
        .arg(&config)
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(ready.contains("listening"), "{ready}");
    let told = text(&output.stderr);
    assert!(
        told.contains("bad.toml:1:6: id is a whole number"),
        "{told}"
    );
    assert!(told.contains("playbooks=8"), "{told}");
}

#[tokio::test]
async fn the_ledger_of_a_hub_that_stopped_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hub.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\n").unwrap();
    let hub = start(&config);
    let path = config.to_str().unwrap();
    let busy = run(&["ledger", "export", "--config", path]);
    assert!(!busy.status.success(), "its journal is in use");
    assert!(
        text(&busy.stderr).contains("journal"),
        "{}",
        text(&busy.stderr)
    );
    drop(hub);
    for (form, begins) in [
        ("json", "{\"since\":null,\"rows\":[],\"recoveries\":[]}"),
        ("classes", "decider,layer,signal,"),
        ("calls", "id,call,cause,"),
    ] {
        let told = run(&["--config", path, "ledger", "export", "--form", form]);
        assert!(told.status.success(), "{}", text(&told.stderr));
        assert!(
            text(&told.stdout).starts_with(begins),
            "{}",
            text(&told.stdout)
        );
    }
}
