//! A floor of calls, a playbook in a few words, and a platform that answers what runs ask of it.

use std::collections::BTreeSet;

use holdfast_domain::fact::CallUpdated;
use holdfast_domain::{
    AiState, CallId, CauseId, Command, CommandRecord, Layer, Playbook, PlaybookId, Protected,
    ReadBack, Record, Refusal, Reply, Request, Run, RunCall, RunId, RunPreview, RunRefusal,
    RunState,
};
use holdfast_engine::{AnswerState, Control, Effect, Person};
use serde_json::{Value, json};

use crate::script::{Script, supervisor};

/// A commander at a console.
pub(crate) fn commander(name: &str, console: u64) -> Person {
    Person {
        name: name.to_owned(),
        console,
        ..supervisor()
    }
}

pub(crate) fn sam() -> Person {
    commander("sam", 1)
}

pub(crate) fn eve() -> Person {
    commander("eve", 7)
}

/// A switch of the model over one call, a quarter, all; `changes` replace what is there.
pub(crate) fn switch_book(changes: impl Into<Value>) -> Playbook {
    let changes = changes.into();
    let mut book = json!({
        "id": "switch", "version": 1, "title": "Model vendor down", "purpose": "p",
        "owner": "Platform team", "layer": "llm", "ttl_s": 900, "languages": ["en", "es"],
        "selector": {
            "scope": {"by": "all"}, "reach": "exposed", "phases": ["ai"], "rungs": [],
            "protected": "last"
        },
        "approval": {"class": "confirm"},
        "preconditions": [],
        "steps": [{"id": "switch", "action": {
            "type": "switch_model", "layer": "llm", "to": "next", "announcement": "said",
            "retry_turn": true, "parity": []
        }}],
        "stages": [
            stage("one_call", 1, 60),
            stage(json!({"percent": 25}), 1, 60),
            stage("all", 1, 60),
        ],
        "abort": [],
        "rollback": {"undo": [{"step": "switch"}]},
        "announcements": {
            "said": {"en": "One moment.", "es": "Un momento."},
            "wait": {"en": "Wait {wait_minutes} minutes.", "es": "Espere {wait_minutes} minutos."},
            "callback": {"en": "We call you back.", "es": "Le llamamos."}
        },
        "messages": {"front_line": "{title}: {calls_touched} moved."}
    });
    for (key, value) in changes.as_object().expect("changes are an object") {
        book[key] = value.clone();
    }
    serde_json::from_value(book).expect("the playbook is whole")
}

/// A stage whose proof is the read-back.
pub(crate) fn stage(reach: impl Into<Value>, hold_s: u32, within_s: u32) -> Value {
    json!({"reach": reach.into(), "hold_s": hold_s,
        "verify": {"probe": "read_back", "percent_min": 90, "within_s": within_s}})
}

/// A playbook that sends all calls to humans.
pub(crate) fn humans_book(calls: &str) -> Playbook {
    switch_book(json!({
        "id": "humans",
        "steps": [{"id": "route", "action": {
            "type": "route_to_humans", "calls": calls, "announcement": "wait",
            "overflow": {"wait_s_max": 600, "callback_within_min": 60, "announcement": "callback"}
        }}],
        "stages": [stage("all", 0, 60)],
        "rollback": {"undo": [], "point_of_no_return": "route"}
    }))
}

/// Runs on a script, and a platform that answers its commands.
pub(crate) struct Floor {
    pub(crate) script: Script,
    /// Effects before this were looked at.
    seen: usize,
    /// The platform is silent.
    pub(crate) is_mute: bool,
    /// Calls whose switch fails.
    pub(crate) broken: BTreeSet<String>,
}

impl Floor {
    /// So many calls, each with a turn behind it, and this playbook.
    pub(crate) fn new(n_calls: usize, book: Playbook) -> Self {
        let mut script = Script::new();
        for n in 0..n_calls {
            script.call(&name(n));
        }
        let mut floor = Self {
            script,
            seen: 0,
            is_mute: false,
            broken: BTreeSet::new(),
        };
        floor.library(vec![book]);
        floor
    }

    pub(crate) fn library(&mut self, playbooks: Vec<Playbook>) {
        self.script.control(Control::Playbooks {
            playbooks,
            armed: false,
        });
    }

    pub(crate) fn preview(&mut self, run: &str, book: &str) -> RunPreview {
        self.preview_of(run, book, None)
    }

    pub(crate) fn preview_of(
        &mut self,
        run: &str,
        book: &str,
        cause: Option<CauseId>,
    ) -> RunPreview {
        let request = Request::PreviewRun {
            run: RunId::new(run),
            playbook: PlaybookId::new(book),
            cause,
        };
        match self.script.ask(&sam(), request) {
            Reply::RunPreview { preview } => *preview,
            other => panic!("no preview: {other:?}"),
        }
    }

    pub(crate) fn start(
        &mut self,
        who: &Person,
        preview: &RunPreview,
        reason: Option<&str>,
    ) -> Reply {
        let request = Request::StartRun {
            run: preview.run.clone(),
            fingerprint: preview.fingerprint.clone(),
            reason: reason.map(str::to_owned),
        };
        self.script.ask(who, request)
    }

    pub(crate) fn approve(&mut self, who: &Person, preview: &RunPreview) -> Reply {
        let request = Request::ApproveRun {
            run: preview.run.clone(),
            fingerprint: preview.fingerprint.clone(),
        };
        self.script.ask(who, request)
    }

    /// Previewed and begun.
    pub(crate) fn begin(&mut self, book: &str) -> RunPreview {
        let preview = self.preview("r", book);
        assert_eq!(self.start(&sam(), &preview, None), Reply::Done);
        preview
    }

    pub(crate) fn run(&self, id: &str) -> Run {
        self.script
            .engine
            .records()
            .into_iter()
            .find_map(|record| match record {
                Record::Run { run } if run.id.as_str() == id => Some(*run),
                _ => None,
            })
            .expect("the run is recorded")
    }

    pub(crate) fn state(&self) -> RunState {
        self.run("r").state
    }

    pub(crate) fn calls(&mut self, id: &str) -> Vec<RunCall> {
        let run = RunId::new(id);
        match self.script.ask(&sam(), Request::ShowRun { run }) {
            Reply::RunCalls { calls, .. } => calls,
            other => panic!("not shown: {other:?}"),
        }
    }

    pub(crate) fn stop(&mut self, who: &Person, reason: &str) -> Reply {
        let (run, reason) = (RunId::new("r"), reason.to_owned());
        self.script.ask(who, Request::StopRun { run, reason })
    }

    pub(crate) fn undo(&mut self) -> Reply {
        let (run, reason) = (RunId::new("r"), "worse".to_owned());
        self.script
            .ask(&sam(), Request::RollBackRun { run, reason })
    }

    pub(crate) fn lever(&mut self, on: bool) -> Reply {
        let reason = "stop".to_owned();
        self.script.ask(&sam(), Request::Lever { on, reason })
    }

    /// The commands that were sent, each once, without the sentences.
    pub(crate) fn changes(&self) -> Vec<CommandRecord> {
        let mut known = BTreeSet::new();
        self.script
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { command, .. } => Some((**command).clone()),
                _ => None,
            })
            .filter(|record| !matches!(record.command, Command::Announce { .. }))
            .filter(|record| known.insert(record.id.clone()))
            .collect()
    }

    /// The calls that were changed, each once.
    pub(crate) fn touched(&self) -> BTreeSet<CallId> {
        let changes = self.changes();
        changes
            .into_iter()
            .filter_map(|record| record.call)
            .collect()
    }

    /// Time passes, and the platform answers what it was asked.
    pub(crate) fn pass(&mut self, ms: i64) {
        let end = self.script.now() + ms;
        while self.script.now() < end {
            self.serve();
            let left = end.since(self.script.now());
            self.script.wait(left.min(100));
            self.script.heard();
        }
        self.serve();
    }

    pub(crate) fn serve(&mut self) {
        let sent: Vec<CommandRecord> = self.script.effects[self.seen..]
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { command, .. } => Some((**command).clone()),
                _ => None,
            })
            .collect();
        self.seen = self.script.effects.len();
        if self.is_mute {
            return;
        }
        for record in sent {
            let is_broken = record
                .call
                .as_ref()
                .is_some_and(|call| self.broken.contains(call.as_str()));
            self.script.answer(&record.id, does(&record, is_broken));
        }
    }

    pub(crate) fn protect(&mut self, call: &str, moment: Option<Protected>) {
        let updated = CallUpdated {
            protected: Some(moment),
            ..Default::default()
        };
        self.script.update(call, updated);
    }

    pub(crate) fn active(&self, call: &str) -> String {
        let services = self.script.detail(call).services;
        let mut serving = services
            .into_iter()
            .filter(|s| s.layer == Layer::Llm && s.active);
        serving.next().expect("something serves").name
    }
}

/// What a platform answers.
fn does(record: &CommandRecord, is_broken: bool) -> AnswerState {
    let mut read_back = ReadBack::default();
    match &record.command {
        Command::SwitchModel { layer, to, .. } => {
            let to = if is_broken { "primary-llm" } else { to };
            (read_back.layer, read_back.active) = (Some(*layer), Some(to.to_owned()));
        }
        Command::Announce { .. } => read_back.spoken = Some(true),
        Command::PauseAi => read_back.ai = Some(AiState::Paused),
        Command::ResumeAi => read_back.ai = Some(AiState::Active),
        Command::RetryTurn => read_back.retried_turn = Some(true),
        Command::DisableTools { tools } => {
            read_back.disabled = Some(tools.clone());
            read_back.enabled = Some(Vec::new());
        }
        Command::EnableTools { tools } => {
            read_back.enabled = Some(tools.clone());
            read_back.disabled = Some(Vec::new());
        }
        Command::Transfer { to, .. } => {
            (read_back.bridged, read_back.to) = (Some(true), Some(to.clone()));
        }
        Command::StartFault { .. } | Command::StopFault { .. } => {}
    }
    AnswerState::Applied(read_back)
}

/// The name of the call at this place.
pub(crate) fn name(n: usize) -> String {
    format!("c{n:02}")
}

/// Why a request about a run was refused.
pub(crate) fn refusal(reply: Reply) -> RunRefusal {
    match reply {
        Reply::Refused {
            refusal:
                Refusal {
                    run: Some(run),
                    message,
                    ..
                },
        } => {
            assert!(!message.is_empty());
            run
        }
        other => panic!("not refused for a run's reason: {other:?}"),
    }
}
