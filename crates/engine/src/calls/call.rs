//! One live call: what detection needs on each event, and boxed apart what a reader needs.

use holdfast_domain::{
    AiState, CallId, CallPhase, Capability, CauseId, CommandId, EventId, Evidence, HandoffId,
    Layer, LayerState, PerLayer, Protected, Rung, Service, SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::conduct::Conduct;
use super::dialogue::Dialogue;
use super::expect::{Pending, Response, Step, Unheard, Waited};
use super::floor::{FloorState, Owes};
use super::gaps::Gaps;
use super::health::{LayerCell, Outcomes};
use super::pace::Cells;
use super::services::Ordered;
use super::tools::ToolMark;
use super::turn::{Model, Turn};
use crate::Config;
use crate::causes::CallTraits;
use crate::config::CallLimits;
use crate::rates::Trials;
use crate::timers::Queued;

/// The most commands that a call's detail names; the console shows as many.
pub(crate) const COMMANDS_MAX: usize = 20;

/// A tool that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunningTool {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) since: Timestamp,
    /// Late after this time.
    pub(crate) limit_ms: holdfast_domain::DurationMs,
    /// Failing after this time.
    pub(crate) failed_ms: holdfast_domain::DurationMs,
    pub(crate) writes: bool,
    /// How many of its limits passed: 1 late, 2 failing.
    pub(crate) level: u8,
    pub(crate) event: EventId,
}

/// The newest explicit error, until its layer works again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorSeen {
    pub(crate) layer: Layer,
    /// The technical cause in words: `LLM primary-llm answered 503`.
    pub(crate) words: String,
    pub(crate) at: Timestamp,
    pub(crate) event: EventId,
}

/// One live call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) source: SourceId,
    pub(crate) phase: CallPhase,
    pub(crate) ai: AiState,
    pub(crate) minimal_flow: bool,
    pub(crate) high_risk: bool,
    pub(crate) protected: Option<Protected>,
    pub(crate) started_at: Timestamp,
    /// The newest fact, on its origin's clock corrected to ours.
    pub(crate) last_fact_at: Timestamp,
    /// When the last fact arrived, on our clock.
    pub(crate) heard_at: Timestamp,
    /// The last fact's id; one buffer that is written over.
    pub(crate) last_event: String,
    pub(crate) layers: PerLayer<LayerCell>,
    pub(crate) services: Vec<Service>,
    pub(crate) capabilities: Option<Vec<Capability>>,
    pub(crate) floor: FloorState,
    /// The caller's turn that waits for its answer.
    pub(crate) turn: Option<Turn>,
    pub(crate) pending: Pending,
    #[serde(default)]
    pub(crate) response: Response,
    /// The newest late step that is over.
    #[serde(default)]
    pub(crate) waited: Option<Waited>,
    /// The filler that was sent to speech while tools run, and is not audible.
    pub(crate) unheard: Option<Unheard>,
    /// As its queue has them and as is learnt.
    pub(crate) limits: CallLimits,
    /// The numbers of its traits; None until they are needed after one changed.
    pub(crate) traits: Option<Box<CallTraits>>,
    /// What was not counted yet.
    pub(crate) outcomes: Outcomes,
    /// Where its steps are learnt; None until the next step after a service or the language changed.
    pub(crate) cells: Option<Cells>,
    pub(crate) error: Option<Box<ErrorSeen>>,
    pub(crate) tools: Vec<RunningTool>,
    /// How its tools did, the one used last at the end.
    pub(crate) tool_marks: Vec<ToolMark>,
    pub(crate) gaps: Gaps,
    pub(crate) turns: u32,
    pub(crate) failed_turns: u32,
    /// Failed turns since the last good one.
    pub(crate) failed_in_row: u32,
    pub(crate) failing_since: Option<Timestamp>,
    /// When a turn was answered last.
    pub(crate) answered_at: Option<Timestamp>,
    /// When another service began to serve, and in which layer, last.
    pub(crate) switched: Option<(Layer, Timestamp)>,
    /// The newest switch that we ordered and that is not over.
    #[serde(default)]
    pub(crate) ordered: Option<Box<Ordered>>,
    /// The platform told of the model's responses on this call.
    pub(crate) tells_llm: bool,
    /// The platform told final transcripts of the caller on this call.
    pub(crate) tells_transcripts: bool,
    /// When it became a ghost.
    pub(crate) ghost_since: Option<Timestamp>,
    /// Its platform counts fewer calls than we: any quiet call may be a ghost.
    pub(crate) ghost_suspected: bool,
    pub(crate) disconnected_at: Option<Timestamp>,
    /// The long disconnection was told.
    pub(crate) disconnected_is_told: bool,
    /// What arrives is re-told from before, no news.
    pub(crate) is_retold: bool,
    /// No deadline fires before this: late news is still arriving.
    pub(crate) not_before: Timestamp,
    /// Newest last.
    pub(crate) commands: Vec<CommandId>,
    pub(crate) handoff: Option<HandoffId>,
    /// The shared cause by which it fails.
    pub(crate) cause: Option<CauseId>,
    /// Where its turns are counted.
    #[serde(default)]
    pub(crate) trials: Trials,
    /// What is known of the things that serve it, the worst of a layer first.
    #[serde(default)]
    pub(crate) concerns: Vec<(Layer, Evidence)>,
    /// What a failover policy does on it now, or why it does not.
    #[serde(default)]
    pub(crate) ladder: Option<String>,
    pub(crate) dialogue: Box<Dialogue>,
    pub(crate) conduct: Box<Conduct>,
    /// The timer entry that is queued.
    #[serde(skip)]
    pub(crate) queued: Queued,
    /// Its row is in the outbox.
    #[serde(skip)]
    pub(crate) dirty: bool,
}

impl Call {
    /// A call of which only its name is known.
    pub(crate) fn new(
        id: CallId,
        source: SourceId,
        started_at: Timestamp,
        now: Timestamp,
        config: &Config,
    ) -> Self {
        Self {
            id,
            source,
            phase: CallPhase::Ai,
            ai: AiState::Active,
            minimal_flow: false,
            high_risk: false,
            protected: None,
            started_at,
            last_fact_at: started_at,
            heard_at: now,
            last_event: String::new(),
            layers: PerLayer::default(),
            services: Vec::new(),
            capabilities: None,
            floor: FloorState::default(),
            turn: None,
            pending: Pending::default(),
            response: Response::default(),
            waited: None,
            unheard: None,
            limits: config.limits_of(""),
            traits: None,
            outcomes: Outcomes::default(),
            cells: None,
            error: None,
            tools: Vec::new(),
            tool_marks: Vec::new(),
            gaps: Gaps::default(),
            turns: 0,
            failed_turns: 0,
            failed_in_row: 0,
            failing_since: None,
            answered_at: None,
            switched: None,
            ordered: None,
            tells_llm: false,
            tells_transcripts: false,
            ghost_since: None,
            ghost_suspected: false,
            disconnected_at: None,
            disconnected_is_told: false,
            is_retold: false,
            not_before: started_at,
            commands: Vec::new(),
            handoff: None,
            cause: None,
            trials: Trials::default(),
            concerns: Vec::new(),
            ladder: None,
            dialogue: Box::default(),
            conduct: Box::default(),
            queued: Queued::default(),
            dirty: false,
        }
    }

    /// The AI serves the call and is not told to be silent: its layers can be blamed.
    pub(crate) fn ai_serves(&self) -> bool {
        self.phase == CallPhase::Ai && self.ai == AiState::Active
    }

    /// Silence now counts: the agent owes the floor and nobody is audible.
    pub(crate) fn is_silent(&self) -> bool {
        self.floor.owes == Owes::Agent && self.floor.nobody_speaks() && self.ai_serves()
    }

    /// The silence that lasts now and passed its first limit, up to the newest fact or limit.
    pub(crate) fn silence_now_ms(&self) -> holdfast_domain::DurationMs {
        if !self.is_silent() || self.floor.level == 0 {
            return 0;
        }
        self.floor.told_at.since(self.floor.since).max(0)
    }

    /// The service that serves `layer` now.
    pub(crate) fn active(&self, layer: Layer) -> Option<&Service> {
        self.services
            .iter()
            .find(|service| service.layer == layer && service.active)
    }

    /// The service that served `layer` when it last failed, else the one that serves it now.
    pub(crate) fn served_at_failure(&self, layer: Layer) -> Option<&Service> {
        let place = self.layers[layer].bad_service;
        let failed = place.and_then(|place| self.services.get(usize::from(place)));
        failed
            .filter(|service| service.layer == layer)
            .or_else(|| self.active(layer))
    }

    /// A tool writes. A write that is long overdue protects nothing any more.
    pub(crate) fn has_write_under_way(&self) -> bool {
        self.tools.iter().any(|tool| tool.writes && tool.level < 2)
    }

    /// Where it is served: the region of its model, else of whatever serves it.
    pub(crate) fn region(&self) -> &str {
        let active = || self.services.iter().filter(|service| service.active);
        active()
            .find(|service| service.layer == Layer::Llm)
            .or_else(|| active().next())
            .map_or("", |service| service.region.as_str())
    }

    /// `LLM primary-llm`, or the layer alone when its service is not known.
    pub(crate) fn layer_words(&self, layer: Layer) -> String {
        let name = crate::words::layer(layer);
        if layer == Layer::Tools {
            return match self.tools.first() {
                Some(tool) => format!("tool {}", tool.name),
                None => "a tool".to_owned(),
            };
        }
        match self.active(layer) {
            Some(service) => format!("{name} {}", service.name),
            None => name.to_owned(),
        }
    }

    /// Where it stands on the failover ladder: the worst rung that serves it.
    pub(crate) fn rung(&self) -> Rung {
        if self.phase == CallPhase::Human {
            return Rung::Human;
        }
        let services = self
            .services
            .iter()
            .filter(|service| service.active)
            .map(|service| service.rung)
            .max()
            .unwrap_or_default();
        if self.minimal_flow {
            services.max(Rung::Minimal)
        } else {
            services
        }
    }

    /// The caller's turn is in trouble, maybe by `layer`: it is worth another try. A turn that goes
    /// well is not tried again, or the caller would hear two answers.
    pub(crate) fn has_failing_turn(&self, layer: Layer) -> bool {
        self.turn.as_ref().is_some_and(|turn| {
            turn.model == Model::Failed
                || turn.is_failed
                || self.floor.level > 0
                || self.layers[layer].state >= LayerState::Degraded
                    && !self.is_only_a_concern(layer)
        })
    }

    /// The model said that it failed, and the turn still waits for its answer.
    pub(crate) fn has_refused_turn(&self) -> bool {
        self.turn
            .as_ref()
            .is_some_and(|turn| turn.model == Model::Failed)
    }

    /// One of its layers has failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.layers
            .iter()
            .any(|(_, cell)| cell.state == LayerState::Failed)
    }

    /// The tool call with this id runs.
    pub(crate) fn running_tool(&mut self, id: &str) -> Option<&mut RunningTool> {
        self.tools.iter_mut().find(|tool| tool.id == id)
    }

    /// Begins to wait for `step`.
    pub(crate) fn await_step(&mut self, step: Step, since: Timestamp, event: Option<EventId>) {
        self.measure_step(since);
        if !matches!(step, Step::Tool | Step::Rerun) {
            self.unheard = None;
        }
        self.pending = Pending {
            step,
            since,
            is_late: false,
            event,
        };
    }

    /// The pending step ends at `at`: notes how long it took of the silence and of the caller's turn.
    pub(crate) fn measure_step(&mut self, at: Timestamp) {
        if self.is_silent() && self.pending.step != Step::Idle {
            let took = at.since(self.pending.since.max(self.floor.since));
            let spent = &mut self.floor.spent;
            if spent.is_none_or(|(_, longest)| took > longest) {
                *spent = Some((self.pending.step, took));
            }
        }
        let took = at.since(self.pending.since);
        if self.pending.is_late {
            self.waited = Some(Waited {
                layer: self.pending.step.layer(),
                asked: self.pending.since,
                ms: took,
            });
        }
        let Some(turn) = &mut self.turn else { return };
        if self.pending.step != Step::Idle && took > turn.slowest_ms {
            turn.slowest = self.pending.step;
            turn.slowest_ms = took;
        }
    }

    /// How long nothing may be heard of the call. With a human the platform may have nothing to
    /// tell for long; then only its own count can say that the call is gone.
    pub(crate) fn quiet_limit_ms(&self, config: &Config) -> Option<holdfast_domain::DurationMs> {
        if self.ghost_suspected {
            Some(config.ghost_ms)
        } else if self.phase == CallPhase::Human {
            None
        } else {
            Some(config.quiet_ms)
        }
    }

    /// When the filler that was sent to speech is late.
    pub(crate) fn unheard_deadline(&self) -> Option<Timestamp> {
        let unheard = self.unheard.as_ref().filter(|unheard| !unheard.is_late)?;
        Some(unheard.since + self.limits.steps.audio_ms)
    }

    /// The next moment at which something about the call is late.
    pub(crate) fn deadline(&self, config: &Config) -> Option<Timestamp> {
        let mut next = Earliest::default();
        if self.ghost_since.is_none() {
            next.see(self.quiet_limit_ms(config).map(|ms| self.heard_at + ms));
        }
        if self.ghost_since.is_none() && !self.is_retold {
            if self.is_silent() {
                let limit = self.limits.silence.after(self.floor.level);
                next.see(limit.map(|ms| self.floor.since + ms));
                next.see(self.turn_deadline());
            }
            if self.ai_serves() {
                next.see(self.step_deadline());
                next.see(self.unheard_deadline());
                for tool in &self.tools {
                    next.see(super::tools::deadline(tool));
                }
            }
            if !self.disconnected_is_told {
                next.see(self.disconnected_at.map(|at| at + config.disconnected_ms));
            }
        }
        next.0.map(|at| at.max(self.not_before))
    }
}

/// The earliest of the moments that it saw.
#[derive(Debug, Default)]
struct Earliest(Option<Timestamp>);

impl Earliest {
    fn see(&mut self, at: Option<Timestamp>) {
        self.0 = match (self.0, at) {
            (Some(best), Some(at)) => Some(best.min(at)),
            (best, at) => best.or(at),
        };
    }
}
