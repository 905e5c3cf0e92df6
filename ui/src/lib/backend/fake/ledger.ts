/** The ledger of recoveries of the fake world: the same every time, worked out as the hub does. */
import type { Decider, FaultClass, Ledger, LedgerRow, Recovery, Spread } from "$lib/generated";

import { noise } from "./random";

/** The most that an export has, and that a frame names. */
const KEPT = 500;
const NAMED = 50;

const CLASSES: readonly (readonly [FaultClass, Decider, number])[] = [
  [{ layer: "llm", signal: "serviceError" }, "policy", 210],
  [{ layer: "tts", signal: "expectation" }, "policy", 96],
  [{ layer: "tts", signal: "expectation" }, "person", 38],
  [{ layer: "tools", signal: "toolFailure" }, "person", 12],
  [{ layer: "network", signal: "transport" }, "nobody", 7],
];

/** The typical parts of a recovery in milliseconds: detect, decide, accept, recover. */
const TYPICAL = {
  policy: [240, 4, 60, 1_150],
  person: [1_600, 41_000, 120, 2_300],
  nobody: [1_900, 0, 0, 9_000],
} as const satisfies Record<Decider, readonly number[]>;

export class FakeLedger {
  readonly #all: readonly Recovery[];
  readonly #since: number;

  constructor(epoch: number) {
    this.#since = epoch - 1_500_000;
    let id = 0;
    const all = CLASSES.flatMap(([what, decider, n]) =>
      Array.from({ length: n }, () => recovery((id += 1), what, decider, epoch)),
    );
    this.#all = all.sort((a, b) => b.audioAt - a.audioAt);
  }

  /** What a frame has. */
  get told(): Ledger {
    return { ...this.whole, recoveries: this.#all.slice(0, NAMED) };
  }

  /** What an export has. */
  get whole(): Ledger {
    const rows = CLASSES.map(([what, decider]) => rowOf(this.#all, what, decider));
    return { since: this.#since, rows, recoveries: this.#all.slice(0, KEPT) };
  }
}

function recovery(id: number, what: FaultClass, decider: Decider, epoch: number): Recovery {
  const part = (place: number): number => {
    const typical = TYPICAL[decider][place] ?? 0;
    return Math.round(typical * (0.6 + 1.4 * noise(id, place + 1) ** 3));
  };
  const affectedAt = epoch - 60_000 - Math.floor(noise(id, 9) * 1_200_000);
  const detectedAt = affectedAt + part(0);
  const isDecided = decider !== "nobody";
  const decidedAt = isDecided ? detectedAt + part(1) : null;
  const acceptedAt = decidedAt === null ? null : decidedAt + part(2);
  const audioAt = (acceptedAt ?? detectedAt) + part(3);
  return {
    id,
    call: (0x6b000 + id * 7919).toString(16).slice(-5),
    class: what,
    cause: null,
    decider,
    decisions: isDecided ? (noise(id, 8) < 0.1 ? 2 : 1) : 0,
    onsetAt: noise(id, 7) < 0.5 ? affectedAt - Math.round(noise(id, 6) * 900) : null,
    affectedAt,
    detectedAt,
    decidedAt,
    acceptedAt,
    audioAt,
    shownAt: audioAt + 40,
  };
}

function rowOf(all: readonly Recovery[], what: FaultClass, decider: Decider): LedgerRow {
  const mine = all.filter(
    (one) =>
      one.decider === decider && one.class.layer === what.layer && one.class.signal === what.signal,
  );
  const spread = (part: (one: Recovery) => number | null): Spread => {
    const sorted = mine.flatMap((one) => part(one) ?? []).sort((a, b) => a - b);
    const at = (share: number): number | null =>
      sorted[Math.floor((sorted.length - 1) * share)] ?? null;
    return { n: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95) };
  };
  const between = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : to - from;
  return {
    decider,
    class: what,
    recovered: mine.length,
    lost: decider === "nobody" ? 2 : 0,
    open: decider === "person" ? 1 : 0,
    total: spread((one) => one.audioAt - one.affectedAt),
    onset: spread((one) => between(one.onsetAt, one.affectedAt)),
    detect: spread((one) => one.detectedAt - one.affectedAt),
    decide: spread((one) => between(one.detectedAt, one.decidedAt)),
    accept: spread((one) => between(one.decidedAt, one.acceptedAt)),
    recover: spread((one) => between(one.acceptedAt, one.audioAt)),
    show: spread((one) => between(one.audioAt, one.shownAt)),
  };
}
