/** The shared causes of the fake world: which calls fail together, and what they have in common. */
import type { CauseGroup, CauseId, CauseState } from "$lib/generated";

import type { FakeCall, FaultKind } from "./call";

/** Where the voice is broken in an outage. */
export const BROKEN_VOICE = { vendor: "Vendor A", region: "eu-west" } as const;

/** A group whose last call is well again is told of for so long, then closed, then forgotten. */
const RECOVERING_MS = 12_000;
const CLOSED_MS = 24_000;

type Told = Pick<CauseGroup, "id" | "layer" | "traits" | "shape" | "elsewherePermille">;

interface Known extends Told {
  readonly kinds: readonly FaultKind[];
  /** The call has the traits of the group. */
  readonly has: (call: FakeCall) => boolean;
  readonly sentence: (waiting: number) => string;
}

const KNOWN: readonly Known[] = [
  {
    id: "cause-voice",
    layer: "tts",
    traits: [
      { dimension: "provider", value: BROKEN_VOICE.vendor },
      { dimension: "region", value: BROKEN_VOICE.region },
    ],
    shape: "regionOutage",
    elsewherePermille: 4,
    kinds: ["voiceSilent", "voiceBackup"],
    has: ({ vendor, region }) => vendor === BROKEN_VOICE.vendor && region === BROKEN_VOICE.region,
    sentence: (waiting) =>
      waiting > 0
        ? "Callers hear silence or another voice: the voice of Vendor A in eu-west gives no audio."
        : "Callers hear another voice than before: the voice of Vendor A in eu-west gives no audio.",
  },
  {
    id: "cause-capture",
    layer: "tools",
    traits: [{ dimension: "tool", value: "payments.capture" }],
    shape: "shared",
    elsewherePermille: 0,
    kinds: ["toolStalled"],
    has: (call) => call.usesCapture,
    sentence: () => "Callers wait while they pay: payments.capture begins and does not end.",
  },
];

/** The group by which the call fails. */
export function causeIdOf(call: FakeCall): CauseId | null {
  const kind = call.fault?.kind;
  if (kind === undefined || call.phase !== "ai") return null;
  return KNOWN.find((known) => known.kinds.includes(kind))?.id ?? null;
}

export class Causes {
  #groups: { group: CauseGroup; wellAt: number | null }[] = [];

  get groups(): CauseGroup[] {
    return this.#groups.map(({ group }) => group);
  }

  group(id: CauseId): CauseGroup | undefined {
    return this.groups.find((group) => group.id === id);
  }

  /** Every live call with the traits of a group. */
  exposed(id: CauseId, calls: readonly FakeCall[]): FakeCall[] {
    const known = KNOWN.find((one) => one.id === id);
    return known === undefined ? [] : calls.filter((call) => known.has(call));
  }

  tick(calls: readonly FakeCall[], now: number): void {
    const before = new Map(this.#groups.map((one) => [one.group.id, one]));
    const next = KNOWN.flatMap((known) => {
      const failing = calls.filter((call) => causeIdOf(call) === known.id);
      const told = before.get(known.id);
      if (failing.length === 0 && told === undefined) return [];
      const wellAt = failing.length > 0 ? null : (told?.wellAt ?? now);
      if (wellAt !== null && now - wellAt > CLOSED_MS) return [];
      return [{ group: groupOf(known, calls, failing, told?.group, wellAt, now), wellAt }];
    });
    next.sort(
      (a, b) => RANK[a.group.state] - RANK[b.group.state] || b.group.failing - a.group.failing,
    );
    this.#groups = next;
  }
}

const RANK = { active: 0, recovering: 1, closed: 2 } as const satisfies Record<CauseState, number>;

function groupOf(
  known: Known,
  calls: readonly FakeCall[],
  failing: readonly FakeCall[],
  told: CauseGroup | undefined,
  wellAt: number | null,
  now: number,
): CauseGroup {
  const { id, layer, traits, shape, elsewherePermille } = known;
  const exposed = calls.filter((call) => known.has(call));
  const waiting = failing.filter((call) => call.silentSince(now) !== null).length;
  const state: CauseState =
    wellAt === null ? "active" : now - wellAt < RECOVERING_MS ? "recovering" : "closed";
  const byNeed = [...failing].sort((a, b) => b.needAt(now).score - a.needAt(now).score);
  return {
    id,
    state,
    layer,
    traits,
    shape,
    sentence: failing.length > 0 ? known.sentence(waiting) : (told?.sentence ?? ""),
    since: Math.min(...failing.map((call) => call.fault?.since ?? now), told?.since ?? now),
    updatedAt: now,
    failing: failing.length,
    healthy: exposed.length - failing.length,
    exposed: exposed.length,
    waiting,
    elsewherePermille,
    calls: byNeed.slice(0, 200).map((call) => call.id),
    evidence: byNeed.slice(0, 4).flatMap((call) => call.evidence(now)),
  };
}
