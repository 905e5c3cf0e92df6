/** How long recoveries took, in words and as a table for other programs. */
import { delay } from "$lib/format/time";
import { layerShort, signalWord } from "$lib/format/words";
import type { Decider, FaultClass, Ledger, LedgerRow, Recovery, Spread } from "$lib/generated";

/** The order in which they stand; they are never added up. */
export const DECIDERS = ["policy", "person", "nobody"] as const satisfies readonly Decider[];

export const deciderTitle = {
  policy: "By the hub itself",
  person: "By a person",
  nobody: "Nobody decided",
} as const satisfies Record<Decider, string>;

export const deciderMeaning = {
  policy: "A failover policy moved the call; nobody was asked.",
  person: "An act or a run that a person asked for.",
  nobody: "It got well by itself, or the call ended before anything was decided.",
} as const satisfies Record<Decider, string>;

export const deciderShort = {
  policy: "hub",
  person: "person",
  nobody: "nobody",
} as const satisfies Record<Decider, string>;

/** The part of a row that is a distribution. */
type Part = {
  [Key in keyof LedgerRow]: LedgerRow[Key] extends Spread ? Key : never;
}[keyof LedgerRow];

interface PartWords {
  readonly title: string;
  readonly meaning: string;
}

/** The parts of a recovery, in the order in which they follow one another. */
export const PARTS = [
  "onset",
  "detect",
  "decide",
  "accept",
  "recover",
  "show",
] as const satisfies readonly Part[];

export const partWords = {
  total: {
    title: "total",
    meaning: "From the first affected turn to the first good answer (t1 to t5).",
  },
  onset: {
    title: "onset",
    meaning:
      "From the fault's begin to the first affected turn (t0 to t1). Known of injected faults only.",
  },
  detect: { title: "detect", meaning: "Until the hub saw it (t1 to t2)." },
  decide: {
    title: "decide",
    meaning: "Until what helped was decided, earlier attempts included (t2 to t3).",
  },
  accept: { title: "accept", meaning: "Until the platform took it on (t3 to t4)." },
  recover: { title: "recover", meaning: "Until the caller heard a good answer (t4 to t5)." },
  show: { title: "show", meaning: "Until a console was sent it (t5 to t6)." },
} as const satisfies Record<Part, PartWords>;

/** `LLM, service error`. */
export function classWords({ layer, signal }: FaultClass): string {
  return `${layerShort[layer]}, ${signalWord[signal]}`;
}

export function classKey({ layer, signal }: FaultClass): string {
  return `${layer} ${signal}`;
}

/** A measured length, or that there is none. */
export function measured(ms: number | null): string {
  return ms === null ? "–" : delay(ms);
}

function between(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}

/** How long each part of one recovery took; null where it is not known or did not happen. */
export function partsOf(
  recovery: Recovery,
): Readonly<Record<(typeof PARTS)[number] | "total", number | null>> {
  const { onsetAt, affectedAt, detectedAt, decidedAt, acceptedAt, audioAt, shownAt } = recovery;
  return {
    total: audioAt - affectedAt,
    onset: between(onsetAt, affectedAt),
    detect: detectedAt - affectedAt,
    decide: between(detectedAt, decidedAt),
    accept: between(decidedAt, acceptedAt),
    recover: between(acceptedAt, audioAt),
    show: between(audioAt, shownAt),
  };
}

const COLUMNS = [
  "id",
  "call",
  "layer",
  "signal",
  "cause",
  "decider",
  "decisions",
  "onset_at",
  "affected_at",
  "detected_at",
  "decided_at",
  "accepted_at",
  "audio_at",
  "shown_at",
  "total_ms",
] as const;

/** One line for each recovery, times in UTC; empty where nothing is known (RFC 4180). */
export function csvOf({ recoveries }: Ledger): string {
  const lines = recoveries.map((one) =>
    [
      one.id.toString(),
      one.call,
      one.class.layer,
      one.class.signal,
      one.cause ?? "",
      one.decider,
      one.decisions.toString(),
      utc(one.onsetAt),
      utc(one.affectedAt),
      utc(one.detectedAt),
      utc(one.decidedAt),
      utc(one.acceptedAt),
      utc(one.audioAt),
      utc(one.shownAt),
      (one.audioAt - one.affectedAt).toString(),
    ]
      .map(quoted)
      .join(","),
  );
  return [COLUMNS.join(","), ...lines].join("\r\n");
}

function utc(at: number | null): string {
  return at === null ? "" : new Date(at).toISOString();
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
