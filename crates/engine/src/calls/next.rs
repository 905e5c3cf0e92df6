//! What happens if nobody acts: only what is known from our own rules and from what is configured.

use holdfast_domain::{
    Command, CommandState, FeedState, HandoffState, Layer, LayerState, NextKind, NextStep, Service,
};

use super::call::Call;
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
            .or_else(|| self.silence_step(around))
            .or_else(|| self.failure_step())
    }

    fn silence_step(&self, around: &Around<'_>) -> Option<NextStep> {
        if !self.is_silent() || self.floor.level == 0 {
            return None;
        }
        let limit = around.config.silence.after(self.floor.level)?;
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
