//! The bar at the top of the window.

use holdfast_domain::{FeedState, HandoffState, Timestamp};
use holdfast_protocol::limits::STALE_AFTER_MS;
use holdfast_protocol::window::Status;

use super::Replica;
use super::freshness::Blind;

impl Replica {
    pub(super) fn status(&self, now: Timestamp) -> Status {
        let blind = self.freshness.blind(now);
        let agent = self
            .identity
            .as_ref()
            .map(|identity| identity.name.as_str());
        let counts = self.board.counts();
        Status {
            connection: self.freshness.connection(),
            fresh_ms: self.freshness.fresh_ms(now),
            stale_after_ms: STALE_AFTER_MS,
            stale: blind.is_some() && self.freshness.ever_synced(),
            actions_off: blind
                .as_ref()
                .map(Blind::sentence)
                .or_else(|| self.without_rights()),
            hub_lag_ms: self.freshness.hub_lag_ms(),
            blind: self.freshness.hub_blind().cloned(),
            live: counts.live,
            need_you: counts.need_you,
            failing: counts.failing,
            unseen: self.unseen(),
            offers: agent.map_or(0, |agent| {
                let offered = |state: &HandoffState| {
                    matches!(
                        state,
                        HandoffState::Offered { .. } | HandoffState::Seen { .. }
                    )
                };
                self.handoffs
                    .of_agent(agent)
                    .filter(|handoff| offered(&handoff.state))
                    .count() as u32
            }),
            identity: self.identity.clone(),
        }
    }

    /// Live calls of feeds that are stale or lost, and of feeds that the hub does not name.
    fn unseen(&self) -> u32 {
        let Some(bridges) = &self.platform.bridges else {
            return 0;
        };
        let seen: u32 = bridges
            .iter()
            .filter(|bridge| matches!(bridge.state, FeedState::Live | FeedState::Resyncing))
            .map(|bridge| self.board.live_of(&bridge.source))
            .sum();
        self.board.counts().live.saturating_sub(seen)
    }

    fn without_rights(&self) -> Option<String> {
        let identity = self.identity.as_ref()?;
        (!identity.can_act() && !identity.can_act_on_all() && !identity.can_receive()).then(|| {
            format!(
                "{} may look but not act: the token carries neither the supervisor's nor the \
                 agent's role.",
                identity.name
            )
        })
    }
}
