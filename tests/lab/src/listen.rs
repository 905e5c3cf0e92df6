//! Lets an engine hear one run of the simulator in virtual time, and keeps what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_domain::fact::{CallStarted, Fact, FactEnvelope, Speaker, Text};
use holdfast_domain::{
    CallId, CauseDimension, CauseTrait, Layer, LayerState, NeedLevel, Record, SignalKind, SourceId,
    Timestamp,
};
use holdfast_engine::{
    BridgeChange, Clamps, ConductLimits, Config, Control, DriftLimits, Effect, Engine, Entry,
    Expectations, Input, Learning, Levels, Shown,
};
use holdfast_simulator::corpus::{HarmBy, Run};

use crate::score::{Aim, Alarm, Cause, GroupSeen, Harm, Heard, Level, Silence, Truth, Work};

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The engine as it is shipped.
    Engine,
    /// The engine with its detectors off: no limit is ever reached, and nothing that tells of
    /// trouble by itself is heard. What it still gets right, nobody detected.
    Deaf,
    /// Nobody: says nothing at all.
    Nobody,
}

/// A limit that no run reaches: a hundred years.
const NEVER_MS: i64 = 100 * 365 * 86_400_000;

/// Runs a scenario to its end before a listener.
pub fn listen(run: &mut Run, aim: Aim, listener: Listener) -> (Truth, Heard) {
    let config = match listener {
        Listener::Engine | Listener::Nobody => Config::default(),
        Listener::Deaf => without_limits(),
    };
    let silence_ms = Config::default().silence.watch_ms;
    let mut ear = (listener != Listener::Nobody).then(|| Ear::new(config));
    let mut facts = Facts::new(aim, !run.labels().is_empty());
    let mut turns = vec![Vec::new(); run.labels().len()];
    let mut began = None;
    while let Some(arrival) = run.next() {
        if began.is_none() {
            began = Some(arrival.at);
            if let Some(ear) = &mut ear {
                ear.connect(run.source(), run.heartbeat_ms(), arrival.at);
            }
        }
        facts.hear(&arrival.envelope);
        if let Some(ear) = &mut ear
            && (listener == Listener::Engine || !tells_of_trouble(&arrival.envelope.fact))
        {
            ear.hear(run.source(), &arrival.envelope, arrival.at);
        }
    }
    for turn in run.take_turns() {
        turns[turn.cause].push(turn.at);
    }
    let end = run.end();
    facts.end(end);
    let mut heard = ear.map(|ear| ear.end(end)).unwrap_or_default();
    heard.silence_ms = silence_ms;
    let causes: Vec<Cause> = run
        .labels()
        .iter()
        .map(|label| Cause {
            from: label.from,
            until: label.until,
            layer: label.layer,
            traits: label.traits.clone(),
            shape: label.shape,
        })
        .collect();
    let harms = run
        .take_harms()
        .into_iter()
        .map(|harm| {
            let cause = match harm.by {
                HarmBy::Fault(cause) => Some(cause),
                HarmBy::Noise => None,
            };
            // Nothing harms a call that is over.
            let ended = facts.ended.get(&harm.call).copied();
            let until = harm.until.into_iter().chain(ended).min();
            Harm {
                call: harm.call,
                layer: harm.layer,
                from: harm.from,
                until,
                cause,
            }
        })
        .collect();
    facts.silences.sort_by_key(|silence| silence.from);
    let truth = Truth {
        aim,
        harms,
        turns,
        work: facts.work,
        silences: facts.silences,
        causes,
        began: began.unwrap_or(end),
        end,
    };
    (truth, heard)
}

/// Limits that nothing reaches.
fn without_limits() -> Config {
    let never = Levels {
        watch_ms: NEVER_MS,
        warn_ms: NEVER_MS,
        critical_ms: NEVER_MS,
    };
    let late = Expectations {
        transcript_ms: NEVER_MS,
        response_ms: NEVER_MS,
        tokens_ms: NEVER_MS,
        audio_ms: NEVER_MS,
        tool_ms: NEVER_MS,
    };
    Config {
        silence: never,
        response_gap: never,
        expectations: late,
        clamps: Clamps {
            min: late,
            max: late,
        },
        conduct: ConductLimits {
            // No two texts share more than all of their words.
            same_percent: 101,
            asked_watch: u8::MAX,
            asked_warn: u8::MAX,
            said_watch: u8::MAX,
            loop_warn: u8::MAX,
            overlap_ms: NEVER_MS,
            yield_ms: NEVER_MS,
            misses_warn: u8::MAX,
            // The other way round: no call ends within no time.
            explained_ms: 0,
            abrupt_ms: 0,
            failed_turns_max: u32::MAX,
        },
        learning: Learning {
            drift: DriftLimits {
                slower_ms_min: NEVER_MS,
                ..DriftLimits::default()
            },
            ..Learning::default()
        },
        stale_ms_min: NEVER_MS,
        ghost_ms: NEVER_MS,
        quiet_ms: NEVER_MS,
        disconnected_ms: NEVER_MS,
        loss_permille: u32::MAX,
        loss_permille_bad: u32::MAX,
        rtt_ms: u32::MAX,
        ..Config::default()
    }
}

/// A fact in which the platform itself says that something is wrong. The engine takes its word, so
/// no limit can switch that off.
fn tells_of_trouble(fact: &Fact<'_>) -> bool {
    match fact {
        Fact::ServiceError { .. }
        | Fact::ServiceAvailabilityChanged { .. }
        | Fact::ServiceSwitched { .. }
        | Fact::ToolFailed { .. }
        | Fact::ToolTimedOut { .. }
        | Fact::ToolCancelled { .. }
        | Fact::TransportDisconnected { .. }
        | Fact::TransportQuality { .. }
        | Fact::PipelineStalled { .. }
        | Fact::WorkerLost { .. }
        | Fact::Beat { .. } => true,
        Fact::LlmResponseEnded {
            chars, tool_calls, ..
        } => *chars == 0 && *tool_calls == 0,
        Fact::TranscriptFinal { unspoken, .. } => unspoken.is_some(),
        _ => false,
    }
}

/// An engine, and what it has said.
struct Ear {
    engine: Engine,
    heard: Heard,
    /// The layers of calls that are unwell: only these calls can need a human.
    unwell: BTreeMap<CallId, BTreeMap<Layer, (LayerState, Option<SignalKind>)>>,
    /// The calls that need a human at least at the level of warning.
    warned: BTreeSet<CallId>,
}

impl Ear {
    fn new(config: Config) -> Self {
        Self {
            engine: Engine::new(config),
            heard: Heard::default(),
            unwell: BTreeMap::new(),
            warned: BTreeSet::new(),
        }
    }

    fn connect(&mut self, source: &SourceId, heartbeat_ms: i64, now: Timestamp) {
        let connected = Control::Bridge {
            source: source.clone(),
            change: BridgeChange::Connected {
                platform: "simulator".to_owned(),
                epoch: "1".to_owned(),
                heartbeat_ms,
                capabilities: Vec::new(),
            },
        };
        self.engine.handle(Input::Control(&connected), now);
        self.drain(now);
    }

    fn hear(&mut self, source: &SourceId, fact: &FactEnvelope<'_>, now: Timestamp) {
        self.pass_to(now);
        self.engine.handle(Input::Fact { source, fact }, now);
        self.drain(now);
    }

    /// Wakes the engine at each moment that it asked for, so that what it says has that moment.
    fn pass_to(&mut self, now: Timestamp) {
        while let Some((due, _)) = self.engine.poll_timeout()
            && due <= now
        {
            self.engine.handle_timeout(due);
            self.drain(due.max(self.engine.now()));
        }
    }

    fn end(mut self, end: Timestamp) -> Heard {
        self.pass_to(end);
        self.heard
    }

    fn drain(&mut self, now: Timestamp) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Append(Entry::Transition {
                    call,
                    layer,
                    to,
                    evidence,
                    ..
                }) => {
                    let kind = evidence.map(|evidence| evidence.kind);
                    self.changed(Alarm {
                        call,
                        layer,
                        to,
                        kind,
                        at: now,
                    });
                }
                Effect::Append(Entry::Record(Record::Cause { cause })) => {
                    self.heard.groups.push(GroupSeen {
                        at: now,
                        group: *cause,
                    });
                }
                Effect::Show(Shown::Call(call)) => self.shown(call, now),
                Effect::Show(Shown::Gone(call)) => {
                    self.unwell.remove(&call);
                    self.warned.remove(&call);
                }
                _ => {}
            }
        }
    }

    /// Keeps alarms and their ends, but not that a layer is well that was never unwell: that is
    /// nearly everything that is said.
    fn changed(&mut self, alarm: Alarm) {
        if matches!(alarm.to, LayerState::Degraded | LayerState::Failed) {
            let layers = self.unwell.entry(alarm.call.clone()).or_default();
            layers.insert(alarm.layer, (alarm.to, alarm.kind));
            self.heard.alarms.push(alarm);
        } else if let Some(layers) = self.unwell.get_mut(&alarm.call)
            && layers.remove(&alarm.layer).is_some()
        {
            self.heard.alarms.push(alarm);
        }
    }

    fn shown(&mut self, call: CallId, now: Timestamp) {
        let Some(layers) = self.unwell.get(&call) else {
            return;
        };
        let level = self
            .engine
            .summary(&call)
            .map_or(NeedLevel::Calm, |summary| summary.need.level);
        if level < NeedLevel::Warn {
            self.warned.remove(&call);
            return;
        }
        if !self.warned.insert(call.clone()) {
            return;
        }
        let worst = layers.values().map(|(state, _)| *state).max();
        let blamed = layers
            .iter()
            .filter(|(_, (state, _))| Some(*state) == worst)
            .map(|(layer, (_, kind))| (*layer, *kind))
            .collect();
        self.heard.levels.push(Level {
            call,
            blamed,
            at: now,
        });
    }
}

/// What the facts themselves tell of calls, whoever listens.
#[derive(Debug)]
struct Facts {
    aim: Aim,
    /// A run without a cause has no work that could show one.
    has_causes: bool,
    ended: BTreeMap<CallId, Timestamp>,
    calls: BTreeMap<CallId, OneCall>,
    work: Vec<Work>,
    /// For silences: since when a caller waits.
    waits: BTreeMap<CallId, Timestamp>,
    silences: Vec<Silence>,
}

/// What a call has in common with others.
#[derive(Debug)]
struct OneCall {
    started: CallStarted<'static>,
    /// In each layer that it used.
    traits: BTreeMap<(Layer, Option<String>), Arc<BTreeSet<CauseTrait>>>,
    since: Timestamp,
}

/// Layers that are not used at moments: a call has them for as long as it lives.
const LIVED_IN: [Layer; 3] = [Layer::Network, Layer::Infrastructure, Layer::Orchestration];

impl Facts {
    fn new(aim: Aim, has_causes: bool) -> Self {
        Self {
            aim,
            has_causes,
            ended: BTreeMap::new(),
            calls: BTreeMap::new(),
            work: Vec::new(),
            waits: BTreeMap::new(),
            silences: Vec::new(),
        }
    }

    fn hear(&mut self, envelope: &FactEnvelope<'static>) {
        let call = || CallId::new(envelope.subject.as_ref());
        if let Fact::CallEnded { .. } = &envelope.fact {
            self.ended.insert(call(), envelope.time);
        }
        if self.has_causes {
            self.hear_work(envelope);
        }
        if self.aim == Aim::DeadAir {
            self.hear_silences(envelope);
        }
    }

    fn hear_silences(&mut self, envelope: &FactEnvelope<'static>) {
        let call = CallId::new(envelope.subject.as_ref());
        match &envelope.fact {
            Fact::SpeechStopped {
                actor: Speaker::Caller,
            } => {
                self.waits.insert(call, envelope.time);
            }
            Fact::SpeechStarted { .. } | Fact::CallEnded { .. } => {
                if let Some(from) = self.waits.remove(&call) {
                    self.silences.push(Silence {
                        call,
                        from,
                        until: envelope.time,
                    });
                }
            }
            _ => {}
        }
    }

    fn hear_work(&mut self, envelope: &FactEnvelope<'static>) {
        let call = || CallId::new(envelope.subject.as_ref());
        let (layer, tool) = match &envelope.fact {
            Fact::CallStarted(started) => {
                let one = OneCall {
                    started: (**started).clone(),
                    traits: BTreeMap::new(),
                    since: envelope.time,
                };
                self.calls.insert(call(), one);
                return;
            }
            Fact::CallEnded { .. } => {
                if let Some(one) = self.calls.remove(&call()) {
                    self.lived(one, envelope.time);
                }
                return;
            }
            Fact::SpeechStopped {
                actor: Speaker::Caller,
            } => (Layer::Asr, None),
            Fact::LlmResponseStarted { .. } => (Layer::Llm, None),
            Fact::TtsStarted { .. } => (Layer::Tts, None),
            Fact::ToolStarted { tool, .. } => (Layer::Tools, Some(tool.name.to_string())),
            _ => return,
        };
        if let Some(one) = self.calls.get_mut(&call()) {
            let traits = one.traits(layer, tool);
            self.work.push(Work {
                layer,
                from: envelope.time,
                until: envelope.time,
                traits,
            });
        }
    }

    fn lived(&mut self, mut one: OneCall, until: Timestamp) {
        for layer in LIVED_IN {
            let traits = one.traits(layer, None);
            self.work.push(Work {
                layer,
                from: one.since,
                until,
                traits,
            });
        }
    }

    /// The work of calls that are still live is done up to now.
    fn end(&mut self, end: Timestamp) {
        for one in std::mem::take(&mut self.calls).into_values() {
            self.lived(one, end);
        }
    }
}

impl OneCall {
    fn traits(&mut self, layer: Layer, tool: Option<String>) -> Arc<BTreeSet<CauseTrait>> {
        let started = &self.started;
        let traits = self.traits.entry((layer, tool.clone()));
        let traits = traits.or_insert_with(|| Arc::new(traits_of(started, layer, tool)));
        Arc::clone(traits)
    }
}

/// What a call says of itself that others can share. It is where its model is.
fn traits_of(
    started: &CallStarted<'_>,
    layer: Layer,
    tool: Option<String>,
) -> BTreeSet<CauseTrait> {
    let active = |layer: Layer| {
        let mut services = started.services.iter();
        services.find(|service| service.layer == layer && service.active)
    };
    let service = active(layer);
    let owned = |text: &Option<Text<'_>>| text.as_deref().map(str::to_owned);
    let place = service.or_else(|| active(Layer::Llm));
    let zone = service.map(|service| service.zone.clone());
    [
        (
            CauseDimension::Provider,
            service.map(|service| service.provider.clone()),
        ),
        (
            CauseDimension::Model,
            service.map(|service| service.model.clone()),
        ),
        (
            CauseDimension::Region,
            place.map(|service| service.region.clone()),
        ),
        (CauseDimension::Zone, zone.or_else(|| owned(&started.zone))),
        (CauseDimension::Tool, tool),
        (CauseDimension::Flow, owned(&started.flow)),
        (CauseDimension::Build, owned(&started.build)),
        (CauseDimension::Queue, Some(started.queue.to_string())),
        (CauseDimension::Language, Some(started.language.to_string())),
        (CauseDimension::Worker, owned(&started.worker)),
    ]
    .into_iter()
    .filter_map(|(dimension, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(CauseTrait { dimension, value })
    })
    .collect()
}
