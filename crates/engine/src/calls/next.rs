//! What happens if nobody acts: only what is known from our own rules and from what is configured.

use holdfast_domain::{
    Command, CommandState, FeedState, HandoffState, Layer, LayerState, NextKind, NextStep, Service,
    Timestamp,
};

use super::call::Call;
use super::expect::Step;
use super::tools;
use super::view::Around;
use crate::words;

impl Call {
    /// The next thing that will happen by itself; None when nothing is known to come.
    pub(crate) fn next_step(&self, around: &Around<'_>) -> Option<NextStep> {
        if around.feed != FeedState::Live {
            return Some(NextStep {
                kind: NextKind::Unseen,
                text: "nothing can be done on this call until its bridge is heard".to_owned(),
                at: None,
            });
        }
        handoff_step(around)
            .or_else(|| command_step(around))
            .or_else(|| self.ladder_step())
            .or_else(|| self.end_step(around))
            .or_else(|| self.wait_step())
            .or_else(|| self.failure_step())
            .or_else(|| self.ghost_step(around))
    }

    /// Turns failed so often, or the caller is gone so long, that the call ends next.
    fn end_step(&self, around: &Around<'_>) -> Option<NextStep> {
        let kind = NextKind::CallEnds;
        if self.disconnected_at.is_some() && self.ghost_since.is_none() {
            let text = "the call ends unless the caller comes back; when is unknown".to_owned();
            return Some(NextStep {
                kind,
                text,
                at: None,
            });
        }
        let max = around.config.conduct.failed_turns_max;
        if !self.ai_serves() || self.failed_in_row + 1 < max {
            return None;
        }
        if self.failed_in_row >= max {
            let text = format!(
                "{} turns failed in a row: the caller or the flow gives up; when is unknown{}",
                self.failed_in_row,
                self.way_out()
            );
            return Some(NextStep {
                kind,
                text,
                at: None,
            });
        }
        let at = self.next_failure(around);
        let when = if at.is_some() {
            ""
        } else {
            "; when is unknown"
        };
        let text = format!(
            "one more failed turn is number {max} of {max} and ends the call{when}{}",
            self.way_out()
        );
        Some(NextStep { kind, text, at })
    }

    /// About when the next turn fails: the one that waits, else the next by the call's own rhythm.
    fn next_failure(&self, around: &Around<'_>) -> Option<Timestamp> {
        if let Some(at) = self.turn_deadline() {
            return Some(at);
        }
        if self.turn.as_ref().is_some_and(|turn| !turn.is_failed) {
            return None;
        }
        let next_turn = self.conduct.turned_at()? + self.conduct.turn_ms()?;
        // A rhythm that the caller has broken tells nothing.
        let at = next_turn + self.limits.silence.warn_ms;
        (next_turn > around.now).then_some(at)
    }

    /// What the caller's waiting comes to next: a limit of silence, or a step that is due before.
    fn wait_step(&self) -> Option<NextStep> {
        let steps = [self.silence_step(), self.step_due(), self.tool_due()];
        steps.into_iter().flatten().min_by_key(|step| step.at)
    }

    /// What a failover policy waits for, or why it does not act, while something fails.
    fn ladder_step(&self) -> Option<NextStep> {
        let text = self.ladder.as_ref().filter(|_| self.is_failing())?;
        Some(NextStep {
            kind: NextKind::CommandEnds,
            text: text.clone(),
            at: None,
        })
    }

    fn step_due(&self) -> Option<NextStep> {
        if !self.is_silent() {
            return None;
        }
        let at = self.step_deadline()?;
        let limit = words::seconds(at.since(self.pending.since.max(self.floor.since)));
        // What failed already is not also late.
        let layer = self.pending.step.layer();
        if self.layers[layer].state == LayerState::Failed {
            return None;
        }
        let service = self.layer_words(layer);
        let what = match self.pending.step {
            Step::Greeting => format!("if nothing serves the call in {limit} its platform"),
            Step::Transcript => format!("if {service} gives no transcript in {limit} it"),
            Step::Response => format!("if nothing asks the LLM in {limit} the dialogue"),
            Step::Tokens => format!("if {service} gives no token in {limit} it"),
            Step::Audio => format!("if {service} gives no audio in {limit} it"),
            Step::Rerun => format!("if nothing asks the LLM again in {limit} the dialogue"),
            Step::Idle | Step::Empty | Step::Tool => return None,
        };
        Some(NextStep {
            kind: NextKind::StepDue,
            text: format!("{what} counts as late"),
            at: Some(at),
        })
    }

    fn tool_due(&self) -> Option<NextStep> {
        if !self.ai_serves() {
            return None;
        }
        let due = self
            .tools
            .iter()
            .filter_map(|tool| Some((tools::deadline(tool)?, tool)));
        let (at, tool) = due.min_by_key(|(at, _)| *at)?;
        let then = if tool.level == 0 { "late" } else { "failed" };
        Some(NextStep {
            kind: NextKind::StepDue,
            text: format!(
                "if {} has not ended in {} it counts as {then}",
                words::clip(&tool.name, 60),
                words::seconds(at.since(tool.since)),
            ),
            at: Some(at),
        })
    }

    /// Nothing is heard of the call, while its platform counts fewer calls than we.
    fn ghost_step(&self, around: &Around<'_>) -> Option<NextStep> {
        if self.ghost_since.is_some() {
            return Some(NextStep {
                kind: NextKind::Ghost,
                text: "leaves the board when its bridge says that it ended; when is unknown"
                    .to_owned(),
                at: None,
            });
        }
        let limit = self.quiet_limit_ms(around.config)?;
        self.ghost_suspected.then(|| NextStep {
            kind: NextKind::Ghost,
            text: format!(
                "believed gone if nothing is heard of it for {}",
                words::seconds(limit)
            ),
            at: Some(self.heard_at + limit),
        })
    }

    fn silence_step(&self) -> Option<NextStep> {
        if !self.is_silent() || self.floor.level == 0 {
            return None;
        }
        let limit = self.limits.silence.after(self.floor.level)?;
        let turn_is_failed = self.turn.as_ref().is_some_and(|turn| turn.is_failed);
        let (kind, what) = if self.floor.level == 1 && self.turn.is_some() && !turn_is_failed {
            let which = match self.failed_in_row {
                0 => "this turn counts as failed".to_owned(),
                n => format!("this turn counts as failed, {} in a row", n + 1),
            };
            let what = format!("at {} of silence {which}", words::seconds(limit));
            (NextKind::TurnFails, what)
        } else {
            let what = format!("critical at {} of silence", words::seconds(limit));
            (NextKind::SilenceLimit, what)
        };
        Some(NextStep {
            kind,
            text: format!("{what}{}", self.way_out()),
            at: Some(self.floor.since + limit),
        })
    }

    /// A layer has failed and nothing of ours or told to us will mend it.
    fn failure_step(&self) -> Option<NextStep> {
        if !self.ai_serves() {
            return None;
        }
        let layer = [Layer::Asr, Layer::Llm, Layer::Tts]
            .into_iter()
            .find(|layer| self.layers[*layer].state == LayerState::Failed)?;
        let active = self.active(layer)?;
        Some(NextStep {
            kind: NextKind::TurnFails,
            text: format!("the next turn uses {} again{}", active.name, self.way_out()),
            at: None,
        })
    }

    /// The switch that would be possible for a layer that has failed, in half a sentence.
    fn way_out(&self) -> String {
        let failing = [Layer::Asr, Layer::Llm, Layer::Tts]
            .into_iter()
            .find(|layer| self.layers[*layer].state >= LayerState::Degraded);
        match failing.and_then(|layer| self.fallback(layer)) {
            Some(service) => format!("; {} could be switched to", service.name),
            None => String::new(),
        }
    }

    /// The next usable service of a layer's ladder: after the active one, else the best before it.
    pub(crate) fn fallback(&self, layer: Layer) -> Option<&Service> {
        let of_layer = || {
            self.services
                .iter()
                .filter(move |service| service.layer == layer)
        };
        let active = of_layer().position(|service| service.active);
        of_layer()
            .skip(active.map_or(0, |active| active + 1))
            .chain(of_layer())
            .find(|service| !service.active && service.usable)
    }
}

fn handoff_step(around: &Around<'_>) -> Option<NextStep> {
    let handoff = around.handoff?;
    let (text, at) = match &handoff.state {
        HandoffState::Requested => ("waits for the next free human".to_owned(), None),
        HandoffState::Offered { agent, expires_at } => (
            format!("offered to {agent}; goes to the next free human without an answer"),
            Some(*expires_at),
        ),
        HandoffState::Seen { agent, expires_at } => (
            format!("{agent} reads the card; goes to the next free human without an answer"),
            Some(*expires_at),
        ),
        HandoffState::Accepted { agent } => (format!("is being connected to {agent}"), None),
        HandoffState::Bridged { .. }
        | HandoffState::Confirmed { .. }
        | HandoffState::Failed { .. } => return None,
    };
    Some(NextStep {
        kind: NextKind::Handoff,
        text,
        at,
    })
}

fn command_step(around: &Around<'_>) -> Option<NextStep> {
    let command = around.command?;
    let what = match &command.command {
        Command::SwitchModel { to, .. } => format!("switch to {to}"),
        other => other.name().as_str().replace('_', " "),
    };
    let (text, at) = match command.state() {
        CommandState::Requested | CommandState::Accepted => {
            (format!("{what} is under way"), Some(command.expires_at))
        }
        CommandState::Applied { .. } => (
            format!("{what} is applied; the next turn proves it or fails it"),
            None,
        ),
        CommandState::Unknown => (
            format!("{what} may or may not have happened; its bridge is asked"),
            None,
        ),
        CommandState::Proven { .. }
        | CommandState::Failed { .. }
        | CommandState::Rejected { .. }
        | CommandState::Expired => return None,
    };
    Some(NextStep {
        kind: NextKind::CommandEnds,
        text,
        at,
    })
}
