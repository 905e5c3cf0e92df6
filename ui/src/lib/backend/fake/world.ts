/** The calls of the fake world: who lives, who is broken, in which order they stand. */
import type { BoardFilter, CallSummary, NeedLevel } from "$lib/generated";

import { FakeCall, type Fault, type Who } from "./call";
import { BROKEN_VOICE, causeIdOf } from "./causes";
import { noise } from "./random";

export type Mode = "calm" | "outage";

export const PIPECAT = "//bridges/pipecat/bot-7f3a";
export const SIMULATOR = "//bridges/simulator/fleet";

const NEED_ORDER: readonly NeedLevel[] = ["calm", "watch", "warn", "critical"];
/** The order of rows changes at most this often. */
const SORT_MS = 250;
/** Calls last from two to eleven minutes. */
const LIFE_MS = [120_000, 540_000] as const;

export class World {
  readonly mode: Mode;
  readonly #epoch: number;
  readonly #calls: FakeCall[] = [];
  readonly #byId = new Map<string, FakeCall>();
  readonly #generation: number[] = [];
  #order: FakeCall[] = [];
  #orderKey = "";
  #sortedAt = -Infinity;

  constructor(size: number, mode: Mode, epoch: number) {
    this.mode = mode;
    this.#epoch = epoch;
    for (let slot = 0; slot < size; slot += 1) {
      this.#generation.push(0);
      const age = slot < 70 ? 60_000 + slot * 3_100 : noise(slot, 30) * this.#lifeOf(slot);
      this.#put(slot, epoch - Math.floor(age));
    }
  }

  get calls(): readonly FakeCall[] {
    return this.#calls;
  }

  call(id: string): FakeCall | undefined {
    return this.#byId.get(id);
  }

  /** Ends calls whose life is over and lets others begin. Broken ones stay, for people to act on. */
  tick(now: number): void {
    this.#calls.forEach((call, slot) => {
      const isOld = now - call.startedAt > this.#lifeOf(slot);
      if (!isOld || call.fault !== null || call.handoff !== null || call.command !== null) return;
      this.#byId.delete(call.id);
      this.#generation[slot] = (this.#generation[slot] ?? 0) + 1;
      this.#put(slot, now);
    });
  }

  /** Adds a call beside the generated ones. */
  add(call: FakeCall): void {
    this.#calls.push(call);
    this.#generation.push(0);
    this.#byId.set(call.id, call);
    this.#sortedAt = -Infinity;
  }

  /** The rows under a filter, in order of need, held still while frozen. */
  order(filter: BoardFilter, isFrozen: boolean, now: number): readonly FakeCall[] {
    const key = JSON.stringify(filter);
    if (key === this.#orderKey && now - this.#sortedAt < SORT_MS) return this.#order;
    if (isFrozen && key === this.#orderKey) {
      const live = this.#order.filter((call) => this.#byId.get(call.id) === call);
      const known = new Set(live);
      const fresh = this.sorted(filter, now).filter((call) => !known.has(call));
      this.#order = [...live, ...fresh];
    } else {
      this.#order = this.sorted(filter, now);
    }
    this.#orderKey = key;
    this.#sortedAt = now;
    return this.#order;
  }

  sorted(filter: BoardFilter, now: number): FakeCall[] {
    const least = NEED_ORDER.indexOf(filter.needAtLeast);
    const text = filter.text.toLowerCase();
    const scored = this.#calls
      .filter((call) => filter.queue === null || call.script.queue === filter.queue)
      .filter((call) => filter.cause === null || causeIdOf(call) === filter.cause)
      .filter((call) => text === "" || searchable(call, now).includes(text))
      .map((call) => ({ call, need: call.needAt(now) }))
      .filter(({ need }) => NEED_ORDER.indexOf(need.level) >= least);
    scored.sort((a, b) => b.need.score - a.need.score || a.call.seed - b.call.seed);
    return scored.map(({ call }) => call);
  }

  counts(now: number): { needYou: number; failing: number } {
    let needYou = 0;
    let failing = 0;
    for (const call of this.#calls) {
      const { level } = call.needAt(now);
      if (level === "warn" || level === "critical") needYou += 1;
      if (call.fault?.kind === "voiceSilent" && call.phase === "ai") failing += 1;
    }
    return { needYou, failing };
  }

  #lifeOf(slot: number): number {
    return LIFE_MS[0] + noise(slot, 31) * LIFE_MS[1];
  }

  #put(slot: number, startedAt: number): void {
    const generation = this.#generation[slot] ?? 0;
    const id = this.#freeId(slot, generation);
    const source = noise(slot, 32) < 0.25 ? PIPECAT : SIMULATOR;
    const kind = generation === 0 ? faultOf(this.mode, slot) : null;
    const place = placeOf(this.mode, slot, kind);
    const call = new FakeCall(id, slot + generation * 100_003, source, startedAt, place);
    if (kind !== null) this.#break(call, slot, kind);
    call.usesCapture = kind === "toolStalled" || (generation === 0 && slot === 60);
    this.#calls[slot] = call;
    this.#byId.set(id, call);
  }

  #break(call: FakeCall, slot: number, kind: Fault["kind"]): void {
    call.fault = { kind, since: this.#epoch - 8_000 - Math.floor(noise(slot, 33) * 33_000) };
    if (kind === "voiceBackup") {
      call.rung = "backup";
      call.active.set("tts", "backup-tts");
    }
  }

  #freeId(slot: number, generation: number): string {
    for (let step = 0; ; step += 1) {
      const number = (0x4f2a1 + slot * 7919 + generation * 104_729 + step) % 0x100000;
      const id = number.toString(16).padStart(5, "0");
      if (!this.#byId.has(id)) return id;
    }
  }
}

function faultOf(mode: Mode, slot: number): Fault["kind"] | null {
  if (mode === "calm") return slot === 3 ? "hearing" : null;
  if (slot < 7) return "voiceSilent";
  if (slot < 12) return "toolStalled";
  if (slot < 15) return "modelSlow";
  if (slot < 17) return "line";
  if (slot < 20) return "hearing";
  return slot < 51 ? "voiceBackup" : null;
}

/** Calls that run in the broken place though nothing is wrong with them: the cause's comparison. */
const WELL_IN_PLACE = 5;

/** In an outage one vendor's voice is broken in one region, and few calls are well there. */
function placeOf(mode: Mode, slot: number, kind: Fault["kind"] | null): Who {
  if (mode === "calm") return {};
  const isVoice = kind === "voiceSilent" || kind === "voiceBackup";
  if (isVoice || (slot >= 51 && slot < 51 + WELL_IN_PLACE)) return BROKEN_VOICE;
  return { region: "us-east" };
}

function searchable(call: FakeCall, now: number): string {
  const { script } = call.momentAt(now);
  return `${call.id} ${call.customer ?? ""} ${call.script.intent} ${script.caller} ${script.agent}`.toLowerCase();
}

export function rowsOf(
  calls: readonly FakeCall[],
  first: number,
  count: number,
  now: number,
  isStale: boolean,
): CallSummary[] {
  return calls.slice(first, first + count).map((call) => call.summary(now, isStale));
}
