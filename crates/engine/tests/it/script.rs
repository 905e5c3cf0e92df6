//! A script: virtual time, facts in few words, and checks that hold for every script.
//!
//! When a script ends, what it did is replayed without its timeouts, and from a checkpoint in the
//! middle: states and effects must come out the same, byte for byte.

use std::collections::BTreeSet;

use holdfast_domain::fact::{
    AgentActivity, CallStarted, CallUpdated, EndedBy, Fact, FactEnvelope, Speaker, SwitchCause,
    ToolRef,
};
use holdfast_domain::{
    Act, ActId, ActVerb, BlindReason, CallDetail, CallId, CallSummary, Capability, CommandId,
    CommandRecord, CommandState, FaultOffer, Handoff, HandoffId, HumanState, Layer, LayerHealth,
    LayerState, Need, ReadBack, Record, Reply, Request, Rung, Service, SourceId, Target, Timestamp,
    UtteranceRole,
};
use holdfast_engine::{
    Answer, AnswerState, BridgeChange, Config, Control, Effect, Engine, Entry, Input, Person, Shown,
};

/// Where virtual time begins.
const BEGIN: i64 = 1_800_000_000_000;

/// The bridge of most scripts.
pub(crate) const BRIDGE: &str = "//bridges/test/1";

/// What callers and agents say in turns of which only the course matters. In a good dialogue
/// nobody says the same again.
const CALLER_SAYS: [&str; 4] = [
    "I want to change my order please",
    "The address on it should be the new one",
    "Can you tell me about last month's invoice",
    "Somebody charged my card for shipping twice",
];
const AGENT_SAYS: [&str; 4] = [
    "Certainly, let me see to that.",
    "All of it is noted, thank you very much.",
    "Our office sends these every Monday morning.",
    "Two payments are listed, one was returned.",
];

/// One input, kept for the replay.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Fact(SourceId, Box<FactEnvelope<'static>>),
    Control(Box<Control>),
}

pub(crate) struct Script {
    pub(crate) engine: Engine,
    config: Config,
    now: i64,
    sequence: u64,
    /// Bridges that are heard twice a second while time passes.
    living: BTreeSet<SourceId>,
    pub(crate) effects: Vec<Effect>,
    inputs: Vec<(Told, Timestamp)>,
    appended: BTreeSet<CommandId>,
    tickets: u64,
    acts: u32,
    /// What a fact is told to be late by, in milliseconds.
    pub(crate) late_ms: i64,
    /// What a fact's origin is before its bridge, in milliseconds.
    pub(crate) apart_ms: i64,
    heartbeat_ms: i64,
    turns: usize,
    answers: usize,
    /// What every event's id begins with.
    pub(crate) event_prefix: String,
}

impl Script {
    /// A bridge that can do everything is connected.
    pub(crate) fn new() -> Self {
        let mut script = Self::empty();
        script.connect(BRIDGE, "epoch-1");
        script
    }

    pub(crate) fn with_heartbeat(heartbeat_ms: i64) -> Self {
        let mut script = Self::empty();
        script.heartbeat_ms = heartbeat_ms;
        script.connect(BRIDGE, "epoch-1");
        script
    }

    pub(crate) fn with_config(config: Config) -> Self {
        let mut script = Self::empty();
        script.engine = Engine::new(config.clone());
        script.config = config;
        script.connect(BRIDGE, "epoch-1");
        script
    }

    pub(crate) fn empty() -> Self {
        Self {
            config: Config::default(),
            engine: Engine::new(Config::default()),
            now: BEGIN,
            sequence: 0,
            living: BTreeSet::new(),
            effects: Vec::new(),
            inputs: Vec::new(),
            appended: BTreeSet::new(),
            tickets: 0,
            acts: 0,
            late_ms: 0,
            apart_ms: 0,
            heartbeat_ms: 1_000,
            turns: 0,
            answers: 0,
            event_prefix: String::new(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    // === time ===

    /// Time passes; living bridges are heard twice a second.
    pub(crate) fn wait(&mut self, ms: i64) {
        let end = self.now + ms;
        while self.now + 500 <= end {
            self.now += 500;
            self.heard();
        }
        self.now = end;
        self.timeout();
    }

    pub(crate) fn heard(&mut self) {
        let change = BridgeChange::Heard;
        for source in self.living.clone() {
            let change = change.clone();
            self.control(Control::Bridge { source, change });
        }
    }

    /// Time passes without a word of anybody.
    pub(crate) fn wait_at_once(&mut self, ms: i64) {
        self.now += ms;
        self.timeout();
    }

    /// The hub sleeps: it neither hears nor judges, and knows so when it wakes.
    pub(crate) fn sleep(&mut self, ms: i64) {
        let since = self.engine.judged_until();
        self.now += ms;
        let reason = BlindReason::Suspended;
        self.control(Control::Blind { reason, since });
    }

    /// The hub cannot see from now on.
    pub(crate) fn blind(&mut self, reason: BlindReason) {
        let since = self.engine.judged_until();
        self.control(Control::Blind { reason, since });
    }

    /// The bridge is heard no more.
    pub(crate) fn mute(&mut self, source: &str) {
        self.living.remove(source);
    }

    fn timeout(&mut self) {
        self.engine.handle_timeout(self.now());
        self.drain();
        if let Some((due, _)) = self.engine.poll_timeout() {
            assert!(due > self.now(), "a deadline that has passed did not fire");
        }
    }

    // === inputs ===

    pub(crate) fn tell(&mut self, told: Told) {
        let now = self.now();
        match &told {
            Told::Fact(source, fact) => self.engine.handle(Input::Fact { source, fact }, now),
            Told::Control(control) => self.engine.handle(Input::Control(control), now),
        }
        self.inputs.push((told, now));
        self.drain();
    }

    pub(crate) fn control(&mut self, control: Control) {
        self.tell(Told::Control(Box::new(control)));
    }

    pub(crate) fn connect(&mut self, source: &str, epoch: &str) {
        self.living.insert(SourceId::new(source));
        self.control(Control::Bridge {
            source: SourceId::new(source),
            change: BridgeChange::Connected {
                platform: "test 1".to_owned(),
                epoch: epoch.to_owned(),
                heartbeat_ms: self.heartbeat_ms,
                capabilities: capabilities(),
            },
        });
    }

    pub(crate) fn disconnect(&mut self, source: &str) {
        self.living.remove(source);
        self.control(Control::Bridge {
            source: SourceId::new(source),
            change: BridgeChange::Disconnected,
        });
    }

    pub(crate) fn fact(&mut self, call: &str, fact: Fact<'static>) {
        self.layer_fact(call, None, fact);
    }

    pub(crate) fn layer_fact(&mut self, call: &str, layer: Option<Layer>, fact: Fact<'static>) {
        self.fact_from(BRIDGE, call, layer, fact);
    }

    pub(crate) fn fact_from(
        &mut self,
        source: &str,
        call: &str,
        layer: Option<Layer>,
        fact: Fact<'static>,
    ) {
        self.sequence += 1;
        let recorded = Timestamp::from_millis(self.now - self.late_ms);
        let envelope = FactEnvelope {
            id: format!("{}e{}", self.event_prefix, self.sequence).into(),
            subject: call.to_owned().into(),
            time: recorded - self.apart_ms,
            recorded,
            sequence: self.sequence,
            layer,
            cause: None,
            fact,
        };
        self.tell(Told::Fact(SourceId::new(source), Box::new(envelope)));
    }

    pub(crate) fn ask(&mut self, who: &Person, request: Request) -> Reply {
        self.tickets += 1;
        let ticket = self.tickets;
        self.control(Control::Person {
            ticket,
            who: who.clone(),
            request,
        });
        self.effects
            .iter()
            .rev()
            .find_map(|effect| match effect {
                Effect::Show(Shown::Reply { ticket: of, reply }) if *of == ticket => {
                    Some(reply.clone())
                }
                _ => None,
            })
            .expect("every request is replied to")
    }

    /// A supervisor acts; the command ids.
    pub(crate) fn act(&mut self, verb: ActVerb, target: Target) -> Vec<CommandId> {
        self.acts += 1;
        let act = Act {
            id: ActId::new(format!("act-{}", self.acts)),
            verb,
            target,
        };
        match self.ask(&supervisor(), Request::Act { act }) {
            Reply::Acting { commands, .. } => commands,
            other => panic!("the act was not done: {other:?}"),
        }
    }

    pub(crate) fn act_on(&mut self, verb: ActVerb, call: &str) -> CommandId {
        let commands = self.act(verb, calls(&[call]));
        commands.first().cloned().expect("the act touches the call")
    }

    pub(crate) fn answer(&mut self, command: &CommandId, state: AnswerState) {
        self.answer_from(BRIDGE, command, state);
    }

    pub(crate) fn answer_from(&mut self, source: &str, command: &CommandId, state: AnswerState) {
        self.control(Control::Answer {
            source: SourceId::new(source),
            answer: Answer {
                command: command.clone(),
                state,
            },
        });
    }

    // === a call in few words ===

    pub(crate) fn call(&mut self, id: &str) {
        self.fact(id, Fact::CallStarted(Box::new(started())));
    }

    pub(crate) fn end(&mut self, id: &str) {
        self.fact(
            id,
            Fact::CallEnded {
                reason: "hang-up".into(),
                ended_by: EndedBy::Caller,
            },
        );
    }

    /// The caller speaks for a second; the turn is the agent's afterwards.
    pub(crate) fn caller_says(&mut self, call: &str, text: &'static str) {
        self.caller_sounds(call, 1_000);
        self.transcript(call, UtteranceRole::Caller, text);
    }

    pub(crate) fn caller_sounds(&mut self, call: &str, ms: i64) {
        let actor = Speaker::Caller;
        self.fact(call, Fact::SpeechStarted { actor });
        self.wait(ms);
        self.fact(call, Fact::SpeechStopped { actor });
    }

    pub(crate) fn transcript(&mut self, call: &str, role: UtteranceRole, text: &'static str) {
        self.fact(
            call,
            Fact::TranscriptFinal {
                role,
                text: text.into(),
                language: None,
                turn: None,
                interrupted: false,
                unspoken: None,
            },
        );
    }

    pub(crate) fn llm_starts(&mut self, call: &str, service: &'static str) {
        let service = service.into();
        self.layer_fact(call, Some(Layer::Llm), Fact::LlmResponseStarted { service });
    }

    pub(crate) fn llm_ends(&mut self, call: &str, chars: u32, tool_calls: u32) {
        self.layer_fact(
            call,
            Some(Layer::Llm),
            Fact::LlmResponseEnded {
                service: "primary-llm".into(),
                chars,
                tool_calls,
            },
        );
    }

    pub(crate) fn agent_starts(&mut self, call: &str) {
        let actor = Speaker::Agent;
        self.fact(call, Fact::SpeechStarted { actor });
    }

    pub(crate) fn agent_stops(&mut self, call: &str) {
        let actor = Speaker::Agent;
        self.fact(call, Fact::SpeechStopped { actor });
    }

    /// The model answers after `ms` and the agent speaks for a second.
    pub(crate) fn agent_answers(&mut self, call: &str, service: &'static str, ms: i64) {
        self.llm_starts(call, service);
        self.wait(ms);
        self.llm_ends(call, 40, 0);
        self.agent_starts(call);
        self.wait(1_000);
        self.agent_stops(call);
        let said = AGENT_SAYS[self.answers % AGENT_SAYS.len()];
        self.answers += 1;
        self.transcript(call, UtteranceRole::Agent, said);
    }

    pub(crate) fn good_turn(&mut self, call: &str) {
        self.good_turn_by(call, "primary-llm");
    }

    pub(crate) fn good_turn_by(&mut self, call: &str, service: &'static str) {
        let said = CALLER_SAYS[self.turns % CALLER_SAYS.len()];
        self.turns += 1;
        self.caller_says(call, said);
        self.wait(100);
        self.agent_answers(call, service, 500);
        self.wait(500);
    }

    pub(crate) fn error(
        &mut self,
        call: &str,
        layer: Layer,
        service: &'static str,
        kind: &'static str,
    ) {
        self.layer_fact(
            call,
            Some(layer),
            Fact::ServiceError {
                service: service.into(),
                error_type: kind.into(),
                message: "Maria Garcia's request failed".into(),
                permanent: false,
                usable: None,
            },
        );
    }

    pub(crate) fn switched(
        &mut self,
        call: &str,
        from: &'static str,
        to: &'static str,
        cause: SwitchCause,
    ) {
        self.layer_fact(
            call,
            Some(Layer::Llm),
            Fact::ServiceSwitched {
                from: from.into(),
                to: to.into(),
                cause,
            },
        );
    }

    pub(crate) fn agent_is(&mut self, call: &str, to: AgentActivity) {
        self.fact(call, Fact::AgentStateChanged { to });
    }

    pub(crate) fn tool_starts(&mut self, call: &str, id: &'static str, writes: bool) {
        let tool = tool(id);
        self.layer_fact(call, Some(Layer::Tools), Fact::ToolStarted { tool, writes });
    }

    pub(crate) fn tool_completes(&mut self, call: &str, id: &'static str) {
        self.layer_fact(
            call,
            Some(Layer::Tools),
            Fact::ToolCompleted {
                tool: tool(id),
                duration_ms: 10,
                result: Some("found".into()),
                effect: None,
            },
        );
    }

    pub(crate) fn tool_fails(&mut self, call: &str, id: &'static str) {
        self.layer_fact(
            call,
            Some(Layer::Tools),
            Fact::ToolFailed {
                tool: tool(id),
                error_type: "timeout".into(),
                message: "no answer".into(),
            },
        );
    }

    pub(crate) fn update(&mut self, call: &str, updated: CallUpdated<'static>) {
        self.fact(call, Fact::CallUpdated(Box::new(updated)));
    }

    // === humans ===

    pub(crate) fn human(&mut self, name: &str) {
        self.control(Control::Presence {
            name: name.to_owned(),
            present: true,
        });
        let state = HumanState::Free;
        self.ask(&agent(name), Request::SetHumanState { state });
    }

    /// The one handoff that was begun last.
    pub(crate) fn handoff(&self) -> Handoff {
        self.handoffs().pop().expect("there is a handoff")
    }

    pub(crate) fn handoffs(&self) -> Vec<Handoff> {
        self.engine
            .records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Handoff { handoff } => Some(*handoff),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn human_state(&self, name: &str) -> HumanState {
        self.engine
            .humans()
            .into_iter()
            .find(|human| human.id.as_str() == name)
            .map(|human| human.state)
            .expect("the human is known")
    }

    // === what can be read ===

    pub(crate) fn summary(&self, call: &str) -> CallSummary {
        self.engine
            .summary(&CallId::new(call))
            .expect("the call is live")
    }

    pub(crate) fn detail(&self, call: &str) -> CallDetail {
        self.engine
            .detail(&CallId::new(call))
            .expect("the call is live")
    }

    pub(crate) fn layer(&self, call: &str, layer: Layer) -> LayerHealth {
        self.summary(call).layers[layer].clone()
    }

    pub(crate) fn state(&self, call: &str, layer: Layer) -> LayerState {
        self.layer(call, layer).state
    }

    /// The evidence of a layer that is unwell.
    pub(crate) fn why(&self, call: &str, layer: Layer) -> String {
        self.layer(call, layer)
            .evidence
            .unwrap_or_else(|| panic!("{layer:?} has evidence"))
            .text
    }

    pub(crate) fn need(&self, call: &str) -> Need {
        self.summary(call).need
    }

    pub(crate) fn next(&self, call: &str) -> String {
        self.summary(call)
            .next
            .map_or(String::new(), |next| next.text)
    }

    pub(crate) fn command(&self, id: &CommandId) -> CommandRecord {
        self.engine
            .records()
            .into_iter()
            .find_map(|record| match record {
                Record::Command { command } if command.id == *id => Some(*command),
                _ => None,
            })
            .expect("the command is known")
    }

    pub(crate) fn command_state(&self, id: &CommandId) -> CommandState {
        self.command(id).state().clone()
    }

    /// How often a command was sent.
    pub(crate) fn sent(&self, id: &CommandId) -> usize {
        self.effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Send { command, .. } if command.id == *id))
            .count()
    }

    /// The commands that were sent, in order.
    pub(crate) fn sent_ids(&self) -> Vec<CommandId> {
        let sent = self.effects.iter().filter_map(|effect| match effect {
            Effect::Send { command, .. } => Some(command.id.clone()),
            Effect::Append(_) | Effect::Show(_) => None,
        });
        sent.collect()
    }

    pub(crate) fn summaries(&self) -> Vec<CallSummary> {
        let ids = self.engine.call_ids();
        ids.filter_map(|id| self.engine.summary(id)).collect()
    }

    pub(crate) fn anomalies(&self, kind: holdfast_domain::AnomalyKind) -> u64 {
        self.engine
            .bridges()
            .into_iter()
            .flat_map(|bridge| bridge.anomalies)
            .filter(|anomaly| anomaly.kind == kind)
            .map(|anomaly| anomaly.count)
            .sum()
    }

    // === what holds for every script ===

    fn drain(&mut self) {
        let mut shown = BTreeSet::new();
        while let Some(effect) = self.engine.poll_effect() {
            match &effect {
                Effect::Append(Entry::Record(Record::Command { command })) => {
                    self.appended.insert(command.id.clone());
                }
                Effect::Append(Entry::Transition { to, evidence, .. }) => {
                    let is_unwell = *to >= LayerState::Degraded;
                    let has_events = evidence.as_ref().is_some_and(|e| !e.events.is_empty());
                    assert_eq!(is_unwell, has_events, "{effect:?}");
                }
                Effect::Send { command, .. } => {
                    assert!(
                        self.appended.contains(&command.id),
                        "{} left before it was written down",
                        command.id
                    );
                }
                Effect::Show(Shown::Call(id)) => {
                    assert!(shown.insert(id.clone()), "{id} is shown twice in one drain");
                }
                Effect::Append(_) | Effect::Show(_) => {}
            }
            self.effects.push(effect);
        }
        let ids: Vec<CallId> = self.engine.call_ids().cloned().collect();
        for id in ids {
            let summary = self.engine.summary(&id).expect("it is live");
            for (layer, health) in summary.layers.iter() {
                let is_unwell = health.state >= LayerState::Degraded;
                let events = health.evidence.as_ref().map_or(0, |e| e.events.len());
                assert_eq!(is_unwell, events > 0, "{layer:?} of {id}: {health:?}");
                assert!(events <= 4);
            }
        }
    }

    /// Replays the script without its timeouts, and once from a checkpoint in the middle.
    pub(crate) fn check_replay(&self) {
        let now = self.now();
        // The last input can make something due at this very moment; then both fire it.
        let mut engine = self.engine.clone();
        engine.handle_timeout(now);
        let mut live_effects = self.effects.clone();
        live_effects.extend(std::iter::from_fn(|| engine.poll_effect()));
        let live = serde_json::to_string(&engine).expect("an engine serializes");
        let mut replayed = Engine::new(self.config.clone());
        let mut effects = Vec::new();
        for (n, (told, at)) in self.inputs.iter().enumerate() {
            if n == self.inputs.len() / 2 {
                let checkpoint = serde_json::to_string(&replayed).expect("it serializes");
                replayed = serde_json::from_str(&checkpoint).expect("it loads");
                let again = serde_json::to_string(&replayed).expect("it serializes");
                assert_eq!(checkpoint, again, "a checkpoint is not read back as it was");
            }
            match told {
                Told::Fact(source, fact) => replayed.handle(Input::Fact { source, fact }, *at),
                Told::Control(control) => replayed.handle(Input::Control(control), *at),
            }
            effects.extend(std::iter::from_fn(|| replayed.poll_effect()));
        }
        replayed.handle_timeout(now);
        effects.extend(std::iter::from_fn(|| replayed.poll_effect()));
        let again = serde_json::to_string(&replayed).expect("an engine serializes");
        assert_eq!(live, again, "a replay ends in another state");
        let kept = |effects: &[Effect]| -> Vec<Effect> {
            let is_kept = |effect: &&Effect| !matches!(effect, Effect::Show(_));
            effects.iter().filter(is_kept).cloned().collect()
        };
        assert_eq!(kept(&live_effects), kept(&effects), "other effects");
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_replay();
        }
    }
}

// === values ===

pub(crate) fn supervisor() -> Person {
    Person {
        name: "sam".to_owned(),
        console: 1,
        can_act: true,
        can_act_on_all: true,
        can_receive: false,
    }
}

pub(crate) fn agent(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        console: 2,
        can_act: false,
        can_act_on_all: false,
        can_receive: true,
    }
}

pub(crate) fn calls(ids: &[&str]) -> Target {
    Target::Calls {
        calls: ids.iter().map(|id| CallId::new(*id)).collect(),
    }
}

pub(crate) fn handoff_id(id: &str) -> HandoffId {
    HandoffId::new(id)
}

pub(crate) fn tool(id: &'static str) -> ToolRef<'static> {
    ToolRef {
        name: "track_order".into(),
        id: id.into(),
    }
}

pub(crate) fn service(layer: Layer, name: &str, rung: Rung, active: bool) -> Service {
    Service {
        layer,
        name: name.to_owned(),
        provider: "Vendor A".to_owned(),
        model: "large-4".to_owned(),
        region: "eu-west".to_owned(),
        zone: String::new(),
        active,
        usable: true,
        rung,
        lacks: Vec::new(),
    }
}

pub(crate) fn started() -> CallStarted<'static> {
    CallStarted {
        outbound: false,
        agent: "aria".into(),
        queue: "billing".into(),
        language: "es-MX".into(),
        flow: None,
        build: None,
        worker: None,
        zone: None,
        services: vec![
            service(Layer::Asr, "primary-asr", Rung::Primary, true),
            service(Layer::Llm, "primary-llm", Rung::Primary, true),
            service(Layer::Llm, "backup-llm", Rung::Backup, false),
            service(Layer::Tts, "primary-tts", Rung::Primary, true),
        ],
        capabilities: None,
        resumed: false,
        started_at: None,
        customer: Some("Maria G.".into()),
        disclosure: Some(true),
        consent: None,
        recording: None,
    }
}

pub(crate) fn capabilities() -> Vec<Capability> {
    let names = [
        "switch_model",
        "retry_turn",
        "disable_tools",
        "enable_tools",
        "announce",
        "pause_ai",
        "resume_ai",
        "transfer",
        "start_fault",
        "stop_fault",
    ];
    names
        .into_iter()
        .map(|name| Capability {
            name: name.to_owned(),
            available: true,
            reason: None,
            faults: if name == "start_fault" {
                vec![FaultOffer {
                    id: "llm_503".to_owned(),
                    layer: Layer::Llm,
                    title: "LLM answers 503".to_owned(),
                }]
            } else {
                Vec::new()
            },
        })
        .collect()
}

pub(crate) fn switch(to: Option<&str>) -> ActVerb {
    ActVerb::SwitchModel {
        layer: Layer::Llm,
        to: to.map(str::to_owned),
    }
}

pub(crate) fn switched_to(active: &str, retried: bool) -> AnswerState {
    AnswerState::Applied(ReadBack {
        layer: Some(Layer::Llm),
        active: Some(active.to_owned()),
        retried_turn: Some(retried),
        ..ReadBack::default()
    })
}
