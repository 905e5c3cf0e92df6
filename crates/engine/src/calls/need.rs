//! How much a call needs a human eye: harm now x how long x risk, with the reason in words.

use holdfast_domain::{
    AiState, CallPhase, FeedState, HandoffState, Layer, LayerState, Need, NeedLevel, Protected,
    SignalKind, Timestamp,
};

use super::call::Call;
use super::floor::Owes;
use super::view::Around;
use crate::words;

/// Harm per level, in points a second: a lost call outweighs many that are worth a look.
const HARM: [u32; 4] = [0, 10, 30, 100];
/// Seconds that count at most; after ten minutes a call is as bad as it gets.
const SECONDS_MAX: i64 = 600;

/// One thing that is wrong.
struct Harm {
    level: NeedLevel,
    since: Timestamp,
    reason: String,
}

impl Call {
    /// The worst thing that is wrong now. Of equals the one that the caller hears comes first.
    pub(crate) fn need(&self, around: &Around<'_>) -> Need {
        let mut harms = Vec::new();
        if around.feed == FeedState::Live {
            self.harm_by_silence(&mut harms);
            self.harm_by_failing_turns(&mut harms);
            self.harm_by_layers(around, &mut harms);
            self.harm_by_gap(&mut harms);
            self.harm_by_waiting(around, &mut harms);
        } else {
            harms.push(blindness(around));
        }
        let mut worst: Option<Harm> = None;
        for harm in harms {
            if worst.as_ref().is_none_or(|worst| harm.level > worst.level) {
                worst = Some(harm);
            }
        }
        let Some(harm) = worst else {
            return Need::default();
        };
        Need {
            level: harm.level,
            score: self.score(&harm, around.now),
            reason: harm.reason,
            since: Some(harm.since),
        }
    }

    fn score(&self, harm: &Harm, now: Timestamp) -> u32 {
        let seconds = (now.since(harm.since) / 1_000).clamp(0, SECONDS_MAX) as u32;
        let per_second = HARM[harm.level as usize];
        let mut score = per_second * (1 + seconds);
        if self.high_risk {
            score *= 2;
        }
        if self.protected == Some(Protected::Payment) {
            score = score * 3 / 2;
        }
        score
    }

    fn harm_by_silence(&self, harms: &mut Vec<Harm>) {
        if !self.is_silent() || self.floor.level == 0 {
            return;
        }
        let level = match self.floor.level {
            1 => NeedLevel::Watch,
            2 => NeedLevel::Warn,
            _ => NeedLevel::Critical,
        };
        let blamed = self.floor.blamed.map(|(layer, _)| layer);
        let reason = blamed
            .and_then(|layer| self.layers[layer].evidence.as_deref())
            .map_or_else(|| "silent".to_owned(), |found| found.text.clone());
        harms.push(Harm {
            // A caller who already had an unanswered turn does not wait through a second one.
            level: if self.failed_in_row > 1 {
                level.max(NeedLevel::Critical)
            } else {
                level
            },
            since: self.floor.since,
            reason,
        });
    }

    fn harm_by_failing_turns(&self, harms: &mut Vec<Harm>) {
        let (n, Some(since)) = (self.failed_in_row, self.failing_since) else {
            return;
        };
        let level = match n {
            0 => return,
            1 => NeedLevel::Watch,
            2 => NeedLevel::Warn,
            _ => NeedLevel::Critical,
        };
        let turns = if n == 1 {
            "the caller's last turn got no answer".to_owned()
        } else {
            format!("{n} turns in a row got no answer")
        };
        let cause = Layer::ALL
            .into_iter()
            .filter(|layer| self.layers[*layer].state == LayerState::Failed)
            .find_map(|layer| self.layers[layer].evidence.as_deref());
        let reason = match cause {
            Some(found) => format!("{turns}; {}", found.text),
            None => turns,
        };
        harms.push(Harm {
            level,
            since,
            reason,
        });
    }

    fn harm_by_layers(&self, around: &Around<'_>, harms: &mut Vec<Harm>) {
        for layer in Layer::ALL {
            let cell = &self.layers[layer];
            let Some(found) = cell.evidence.as_deref() else {
                continue;
            };
            let waits = self.is_silent();
            let level = match (cell.state, found.kind) {
                (_, SignalKind::Transport) if self.disconnected_at.is_some() => {
                    let is_long = self.disconnected_is_told
                        || self.disconnected_at.is_some_and(|at| {
                            around.now.since(at) >= around.config.disconnected_ms
                        });
                    if is_long {
                        NeedLevel::Critical
                    } else {
                        NeedLevel::Warn
                    }
                }
                (LayerState::Failed, SignalKind::Transport) => NeedLevel::Warn,
                (LayerState::Failed, _) if waits => NeedLevel::Warn,
                // Nobody is silent, and the caller gets nowhere all the same.
                (
                    LayerState::Failed,
                    SignalKind::Reprompt
                    | SignalKind::Loop
                    | SignalKind::TalkOver
                    | SignalKind::BargeInMissed
                    | SignalKind::SilentSuccess,
                ) => NeedLevel::Warn,
                // The gap has its own harm; a tool that failed is talked around by now.
                (LayerState::Degraded, SignalKind::ResponseGap | SignalKind::ToolFailure) => {
                    continue;
                }
                (LayerState::Failed | LayerState::Degraded, _) => NeedLevel::Watch,
                (LayerState::Unknown | LayerState::Healthy, _) => continue,
            };
            harms.push(Harm {
                level,
                since: cell.since,
                reason: found.text.clone(),
            });
        }
    }

    fn harm_by_gap(&self, harms: &mut Vec<Harm>) {
        let Some(median) = self.gaps.median_of_three() else {
            return;
        };
        let level = match self.limits.response_gap.reached(median) {
            0 => return,
            1 => NeedLevel::Watch,
            2 => NeedLevel::Warn,
            _ => NeedLevel::Critical,
        };
        if !self.ai_serves() {
            return;
        }
        let is_told = |layer: &Layer| self.layers[*layer].signal() == Some(SignalKind::ResponseGap);
        let told = Layer::ALL.into_iter().find(is_told);
        // The last answer was in time: what was before it is worth a look at most.
        let level = if told.is_none() {
            level.min(NeedLevel::Watch)
        } else {
            level
        };
        let since = told.map_or(self.last_fact_at, |layer| self.layers[layer].since);
        harms.push(Harm {
            level,
            since,
            reason: format!(
                "the caller waits {} for each answer (median of the last three turns)",
                words::seconds(median)
            ),
        });
    }

    fn harm_by_waiting(&self, around: &Around<'_>, harms: &mut Vec<Harm>) {
        if let Some(since) = self.ghost_since {
            harms.push(Harm {
                level: NeedLevel::Watch,
                since: self.heard_at,
                reason: format!(
                    "no news of this call for over {}",
                    words::seconds(since.since(self.heard_at))
                ),
            });
        }
        if self.phase == CallPhase::Ai && self.ai == AiState::Paused {
            harms.push(Harm {
                level: NeedLevel::Watch,
                since: self.floor.since,
                reason: if self.floor.owes == Owes::Agent {
                    "the caller waits: the AI is paused".to_owned()
                } else {
                    "the AI is paused: nobody would answer the caller".to_owned()
                },
            });
        }
        if let Some(handoff) = around.handoff
            && handoff.state == HandoffState::Requested
        {
            harms.push(Harm {
                level: NeedLevel::Watch,
                since: handoff.requested_at,
                reason: "the caller waits for a human: nobody is free".to_owned(),
            });
        }
    }
}

/// Nothing is known of the call, because nothing is heard of its bridge.
fn blindness(around: &Around<'_>) -> Harm {
    let silent = around.now.since(around.feed_heard_at).max(0);
    let reason = match around.feed {
        FeedState::Resyncing => "catching up: what happened meanwhile is not known yet".to_owned(),
        FeedState::Lost => {
            format!("no news for {}: the bridge is gone", words::seconds(silent))
        }
        FeedState::Stale | FeedState::Live => {
            format!(
                "no news for {}: the bridge is silent",
                words::seconds(silent)
            )
        }
    };
    Harm {
        level: NeedLevel::Watch,
        since: around.feed_heard_at,
        reason,
    }
}
