/**
 * One call of the fake world: what is true of it at a moment.
 *
 * A healthy call runs through its script in equal cycles: the caller speaks, the agent answers,
 * the caller thinks. A fault keeps the answer away. Everything follows from seed and time.
 */
import type {
  AiState,
  CallPhase,
  CallSummary,
  CommandRecord,
  Evidence,
  Floor,
  Layer,
  LayerHealth,
  LayerState,
  Need,
  NeedLevel,
  NextStep,
  Protected,
  Rung,
  Service,
} from "$lib/generated";
import { LAYERS } from "$lib/format/words";

import { causeIdOf } from "./causes";
import { noise, pick } from "./random";
import { CUSTOMERS, type Script, SCRIPTS, type ScriptTurn } from "./script";

/** What breaks a call in the fake world. */
export type FaultKind =
  "voiceSilent" | "voiceBackup" | "toolStalled" | "modelSlow" | "hearing" | "line";

export interface Fault {
  readonly kind: FaultKind;
  readonly since: number;
}

const SPEAK_MS = 3_000;
const ANSWER_MS = 5_500;

interface Moment {
  readonly turn: number;
  readonly script: ScriptTurn;
  /** When this cycle began. */
  readonly from: number;
  readonly gapMs: number;
  readonly toolMs: number;
}

/** What is not left to the seed. */
export interface Who {
  readonly script?: Script;
  readonly customer?: string;
  readonly vendor?: string;
  readonly region?: string;
}

export class FakeCall {
  readonly id: string;
  readonly seed: number;
  readonly source: string;
  readonly startedAt: number;
  readonly script: Script;
  readonly customer: string | null;
  readonly highRisk: boolean;
  readonly vendor: string;
  readonly region: string;
  readonly #cycleMs: number;

  fault: Fault | null = null;
  /** It has asked payments.capture for money. */
  usesCapture = false;
  phase: CallPhase = "ai";
  ai: AiState = "active";
  rung: Rung = "primary";
  /** Services that a command made active, by layer. */
  readonly active = new Map<Layer, string>();
  toolsOff: readonly string[] = [];
  command: CommandRecord | null = null;
  handoff: string | null = null;

  constructor(id: string, seed: number, source: string, startedAt: number, who: Who = {}) {
    this.id = id;
    this.seed = seed;
    this.source = source;
    this.startedAt = startedAt;
    this.script = who.script ?? pick(SCRIPTS, seed, 1);
    this.customer = who.customer ?? (noise(seed, 2) < 0.8 ? pick(CUSTOMERS, seed, 3) : null);
    this.highRisk = noise(seed, 4) < 0.06;
    this.vendor = who.vendor ?? (noise(seed, 5) < 0.6 ? "Vendor A" : "Vendor B");
    this.region = who.region ?? (noise(seed, 6) < 0.5 ? "eu-west" : "us-east");
    this.#cycleMs = 13_000 + Math.floor(noise(seed, 7) * 5_000);
  }

  /** The turn that runs at `now`. */
  momentAt(now: number): Moment {
    return this.moment(Math.max(0, Math.floor((now - this.startedAt) / this.#cycleMs)));
  }

  moment(turn: number): Moment {
    const script = this.script.turns[turn % this.script.turns.length] ?? this.script.turns[0];
    const toolMs =
      script.tool === undefined ? 0 : 900 + Math.floor(noise(this.seed, turn + 40) * 1_400);
    return {
      turn,
      script,
      from: this.startedAt + turn * this.#cycleMs,
      gapMs:
        550 +
        Math.floor(noise(this.seed, turn + 20) * 500) +
        (this.fault?.kind === "modelSlow" ? 2_300 : 0),
      toolMs,
    };
  }

  get protectedNow(): Protected | null {
    return noise(this.seed, 8) < 0.03 ? "payment" : null;
  }

  /** Since when the caller of a broken call has heard nothing; the silence breaks when they ask. */
  silentSince(now: number): number | null {
    const fault = this.fault;
    if (fault === null || (fault.kind !== "voiceSilent" && fault.kind !== "toolStalled"))
      return null;
    if (this.ai === "paused" || this.phase !== "ai") return null;
    const period = 14_000;
    return fault.since + Math.floor((now - fault.since) / period) * period;
  }

  floorAt(now: number): Floor {
    if (this.phase === "human")
      return { type: "speaking", who: "agent", since: this.momentAt(now).from };
    const silent = this.silentSince(now);
    if (silent !== null) {
      return this.fault?.kind === "toolStalled"
        ? { type: "announced", since: silent }
        : { type: "agentOwes", since: silent };
    }
    const { from, gapMs, toolMs } = this.momentAt(now);
    const into = now - from;
    if (into < SPEAK_MS) return { type: "speaking", who: "caller", since: from };
    const answer = SPEAK_MS + gapMs + toolMs;
    if (into < answer) return { type: "agentOwes", since: from + SPEAK_MS };
    if (into < answer + ANSWER_MS) return { type: "speaking", who: "agent", since: from + answer };
    return { type: "callerOwes", since: from + answer + ANSWER_MS };
  }

  toolAt(now: number): [string, number] | null {
    if (this.fault?.kind === "toolStalled") {
      return ["payments.capture", this.silentSince(now) ?? this.fault.since];
    }
    const { script, from, gapMs, toolMs } = this.momentAt(now);
    if (script.tool === undefined || this.silentSince(now) !== null) return null;
    const start = from + SPEAK_MS + Math.floor(gapMs / 2);
    return now >= start && now < start + toolMs ? [script.tool, start] : null;
  }

  services(): Service[] {
    const list: readonly [Layer, string, string, string, string, Rung][] = [
      ["asr", "primary-asr", this.vendor, "nova-3", this.region, "primary"],
      ["asr", "backup-asr", "Vendor C", "whisper-l", this.region, "backup"],
      ["llm", "primary-llm", this.vendor, "large-4", this.region, "primary"],
      ["llm", "retry-llm", this.vendor, "large-4", "eu-north", "retry"],
      ["llm", "backup-llm", "Vendor B", "mini-2", "eu-north", "backup"],
      ["tts", "primary-tts", this.vendor, "aria-2", this.region, "primary"],
      ["tts", "backup-tts", "Vendor C", "plain-1", "eu-north", "backup"],
    ];
    return list.map(([layer, name, provider, model, region, rung]) => ({
      layer,
      name,
      provider,
      model,
      region,
      active: this.activeService(layer) === name,
      usable: !(
        name === "primary-tts" &&
        (this.fault?.kind === "voiceSilent" || this.fault?.kind === "voiceBackup")
      ),
      rung,
    }));
  }

  activeService(layer: Layer): string {
    const switched = this.active.get(layer);
    if (switched !== undefined) return switched;
    if (layer === "asr" || layer === "llm" || layer === "tts") return `primary-${layer}`;
    return "";
  }

  layersAt(now: number, isStale: boolean): CallSummary["layers"] {
    const services = this.services();
    const layer = (name: Layer): LayerHealth => {
      const service = services.find((one) => one.layer === name && one.active);
      const evidence = isStale ? null : evidenceOf(this, name, now);
      return {
        state: isStale ? "unknown" : (evidence?.[0] ?? "healthy"),
        since: evidence?.[1].at ?? this.startedAt,
        service: name === "tools" ? (this.toolAt(now)?.[0] ?? "") : (service?.name ?? ""),
        provider: service?.provider ?? "",
        model: service?.model ?? "",
        region: service?.region ?? this.region,
        evidence: evidence?.[1] ?? null,
      };
    };
    const [asr, llm, tools, tts, orchestration, network, infrastructure] = LAYERS;
    return [
      layer(asr),
      layer(llm),
      layer(tools),
      layer(tts),
      layer(orchestration),
      layer(network),
      layer(infrastructure),
    ];
  }

  /** Why its layers are unwell. */
  evidence(now: number): Evidence[] {
    return LAYERS.flatMap((layer) => evidenceOf(this, layer, now)?.[1] ?? []);
  }

  needAt(now: number): Need {
    const fault = this.fault;
    if (fault === null || this.phase !== "ai")
      return { level: "calm", score: 0, reason: "", since: null };
    const { level, reason, base } = needOf[fault.kind];
    const score = base + Math.floor((now - fault.since) / 1000) + (this.highRisk ? 200 : 0);
    return { level, score, reason, since: fault.since };
  }

  nextAt(now: number): NextStep | null {
    const since = this.silentSince(now);
    if (since === null) return null;
    return this.fault?.kind === "toolStalled"
      ? {
          kind: "stepDue",
          text: "The tool call runs out of time; the AI then says that it cannot be done now",
          at: since + 14_000,
        }
      : {
          kind: "turnFails",
          text: "A third failed turn moves the call to a human unless you act",
          at: since + 14_000,
        };
  }

  summary(now: number, isStale: boolean): CallSummary {
    const { script, turn, gapMs } = this.momentAt(now);
    const silent = this.silentSince(now);
    const asked = silent === null ? script.caller : "Hello? Are you there?";
    const previous = this.moment(Math.max(0, turn - 1)).script;
    const floor = this.floorAt(now);
    const agentSpoke =
      floor.type === "callerOwes" || (floor.type === "speaking" && floor.who === "agent");
    return {
      id: this.id,
      source: this.source,
      phase: this.phase,
      ai: this.ai,
      queue: this.script.queue,
      language: this.script.language,
      customer: this.customer,
      startedAt: this.startedAt,
      lastFactAt: now - Math.floor(noise(this.seed, 9) * 900),
      layers: this.layersAt(now, isStale),
      rung: this.rung,
      floor: isStale ? { type: "unknown" } : floor,
      responseGapMs: turn === 0 ? null : gapMs,
      callerSaid: asked,
      agentSaid: agentSpoke ? script.agent : previous.agent,
      toolRunning: isStale ? null : this.toolAt(now),
      intent: this.script.intent,
      protected: this.protectedNow,
      highRisk: this.highRisk,
      need: this.needAt(now),
      cause: causeIdOf(this),
      next: this.nextAt(now),
      command: this.command,
      handoff: this.handoff,
      turns: turn + 1,
      failedTurns:
        this.fault === null ? 0 : Math.min(2, Math.floor((now - this.fault.since) / 14_000)),
    };
  }
}

const needOf: Record<FaultKind, { level: NeedLevel; reason: string; base: number }> = {
  voiceSilent: {
    level: "critical",
    reason: "Silent: the voice of the AI does not come",
    base: 900,
  },
  toolStalled: { level: "warn", reason: "Waits: the payment gives no answer", base: 500 },
  line: { level: "warn", reason: "Breaks up: one word in five is lost", base: 420 },
  modelSlow: { level: "warn", reason: "Waits long: answers come after 3 s", base: 300 },
  hearing: { level: "watch", reason: "Repeats: asked for the same thing twice", base: 120 },
  voiceBackup: { level: "watch", reason: "Hears another voice than before", base: 60 },
};

/** The evidence that a layer of the call is unwell. */
function evidenceOf(call: FakeCall, layer: Layer, now: number): [LayerState, Evidence] | null {
  const fault = call.fault;
  if (fault === null) return null;
  const seconds = ((now - (call.silentSince(now) ?? fault.since)) / 1000).toFixed(1);
  const found: Record<FaultKind, readonly [Layer, LayerState, Evidence["kind"], string]> = {
    voiceSilent: [
      "tts",
      "failed",
      "expectation",
      `The caller hears nothing: text was sent to the voice, no audio for ${seconds} s (due 0.9 s).`,
    ],
    voiceBackup: [
      "tts",
      "degraded",
      "serviceUnavailable",
      "The caller hears another voice: primary-tts became unavailable, backup-tts speaks.",
    ],
    toolStalled: [
      "tools",
      "degraded",
      "expectation",
      `The caller waits: payments.capture began and has not ended for ${seconds} s (due 1.4 s).`,
    ],
    modelSlow: [
      "llm",
      "degraded",
      "responseGap",
      "The caller waits: 3.1 s from their last word to the first sound (median of three turns).",
    ],
    hearing: [
      "asr",
      "degraded",
      "unansweredTurn",
      "The caller repeats: two turns ended without a final transcript.",
    ],
    line: [
      "network",
      "degraded",
      "transport",
      "The caller breaks up: 21% of packets lost, 180 ms jitter.",
    ],
  };
  const [where, state, kind, text] = found[fault.kind];
  if (where !== layer) return null;
  const event = Math.floor(fault.since / 7)
    .toString(16)
    .slice(-6);
  return [
    state,
    {
      kind,
      text,
      at: call.silentSince(now) ?? fault.since,
      events: [`ev-${event}`, `ev-${event}b`],
    },
  ];
}

export { ANSWER_MS, SPEAK_MS };
