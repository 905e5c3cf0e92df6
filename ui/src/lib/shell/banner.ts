/** What stands above everything else: why what is on screen may not be what is true now. */
import { assertNever } from "$lib/state/assertNever";
import { clock, duration } from "$lib/format/time";
import type { BlindReason, Blindness, Status } from "$lib/generated";

/** What the banner is made from. */
export interface BannerView {
  readonly status: Status | null;
  /** Why the program behind the window does not answer. */
  readonly fault: string | null;
  /** The hub's time in steps. */
  readonly clock: number;
}

export interface Banner {
  /** `note` tells what is over, and asks nothing of anybody. */
  readonly level: "note" | "warn" | "bad";
  /** `view`: we cannot see the hub. `hub`: the hub cannot see the calls. */
  readonly about: "view" | "hub";
  readonly what: string;
  readonly then: string;
  /** What is read aloud: it changes when something happens, not with every digit. */
  readonly aloud: string;
}

const LAST_KNOWN = "What you see is the last that was known. Actions are off.";
const UNTIL = "No alarms are raised until it sees again.";

/** The banner of this moment; null when what is on screen is true. */
export function bannerOf({ status, fault, clock: now }: BannerView): Banner | null {
  if (fault !== null) {
    return view(
      "bad",
      `The program behind this window does not answer (${fault}).`,
      "Calls go on without it. What you see is the last that was known; it asks again by itself.",
    );
  }
  if (status === null) return null;
  const { connection } = status;
  switch (connection.type) {
    case "live":
      return liveBanner(status);
    case "connecting":
      return view("warn", "Connecting to the hub.", "Calls go on meanwhile.");
    case "reconnecting":
      return view(
        "warn",
        `${connection.reason}.`,
        `Attempt ${(connection.attempt + 1).toString()} begins in ${duration(connection.retryAt - now)}. ${status.actionsOff ?? ""}`,
      );
    case "closed":
      return view("bad", `${connection.reason}.`, status.actionsOff ?? "");
    default:
      return assertNever(connection);
  }
}

function view(level: Banner["level"], what: string, then: string): Banner {
  return { level, about: "view", what, then, aloud: LAST_KNOWN };
}

function liveBanner(status: Status): Banner | null {
  const { blind, freshMs, stale, staleAfterMs } = status;
  // What a silent hub last said of its own sight is as old as all the rest.
  if (stale && (freshMs ?? Infinity) > staleAfterMs) {
    return view(
      "bad",
      `Nothing heard from the hub for ${duration(freshMs ?? 0)}.`,
      status.actionsOff ?? "The board shows the last that was known; actions are off.",
    );
  }
  if (blind !== null && !blind.isOver) return blindBanner(blind, status);
  if (stale) return view("bad", "What you see may be over.", status.actionsOff ?? "");
  return blind === null ? null : overBanner(blind);
}

/** The hub cannot see: a calm board is no proof of anything now. */
function blindBanner(blind: Blindness, { hubLagMs, stale }: Status): Banner {
  const since = clock(blind.since);
  return {
    level: stale ? "bad" : "warn",
    about: "hub",
    what: blindWords[blind.reason].now(since, hubLagMs, blind.lastedMs),
    then: stale ? `What you see may be over; actions are off. ${UNTIL}` : UNTIL,
    aloud: `Holdfast itself cannot see, since ${since}. ${UNTIL}`,
  };
}

function overBanner(blind: Blindness): Banner {
  const span = `${duration(blind.lastedMs)} from ${clock(blind.since)}`;
  return {
    level: "note",
    about: "hub",
    what: `Holdfast sees again. It could not for ${span}: ${blindWords[blind.reason].because}.`,
    then: "No alarms were raised in that time; what still fails is told now.",
    aloud: "Holdfast sees again.",
  };
}

interface BlindWords {
  readonly now: (since: string, lagMs: number, lastedMs: number) => string;
  readonly because: string;
}

const blindWords = {
  ownLag: {
    // Once the backlog is gone the lag is next to nothing, and the last second of waiting is left.
    now: (since, lagMs) =>
      lagMs < 1_000
        ? `Holdfast itself was behind, since ${since}, and has just caught up.`
        : `Holdfast itself is behind by ${duration(lagMs)}, since ${since}.`,
    because: "it was behind what it had received",
  },
  clockJump: {
    now: (since) => `The clock of Holdfast's own machine was set, at ${since}.`,
    because: "the clock of its machine was set",
  },
  suspended: {
    now: (since, _, lastedMs) =>
      `Holdfast's own machine slept or stood still, for ${duration(lastedMs)} since ${since}.`,
    because: "its machine slept or stood still",
  },
} as const satisfies Record<BlindReason, BlindWords>;
