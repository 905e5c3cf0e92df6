/** The made-up link to the hub, in every state that a desk must show. */
import type { Blindness, Connection } from "$lib/generated";

export type FakeLink = "live" | "stale" | "connecting" | "reconnecting" | "closed";

export function connectionOf(link: FakeLink, now: number): Connection {
  switch (link) {
    case "live":
    case "stale":
      return { type: "live" };
    case "connecting":
      return { type: "connecting" };
    case "reconnecting":
      return {
        type: "reconnecting",
        attempt: 3,
        retryAt: now + 4_000 - (now % 4_000),
        reason: "The hub at 127.0.0.1:4650 closed the connection without a word",
      };
    case "closed":
      return { type: "closed", reason: "The hub refused the token: it has been revoked" };
  }
}

export function offReason(link: FakeLink): string {
  if (link === "stale")
    return "The view is 6 s old and the limit is 1.6 s. Nobody acts while blind; wait until it is fresh.";
  if (link === "closed")
    return "The hub refused us. Calls go on without this console; ask for a new token.";
  return "There is no connection to the hub. Calls go on without us; acts are on again when it is back.";
}

/** Why the made-up hub cannot see, or that it could not until just now. */
export type FakeBlind = Blindness["reason"] | "over";

/** How far a hub is behind that says so. */
export const LAG_MS = 4_200;

export const LAG_REASON =
  "The hub is 4.2 s behind its bridges: what you see may be over. Actions come back when it has caught up.";

export function blindnessOf(blind: FakeBlind, since: number, now: number): Blindness {
  return blind === "over"
    ? { reason: "suspended", since, lastedMs: 49_000, isOver: true }
    : { reason: blind, since, lastedMs: now - since, isOver: false };
}
