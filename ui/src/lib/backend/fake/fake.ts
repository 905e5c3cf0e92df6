/**
 * A backend that makes up its own world: for tests, for work in a browser and for pictures.
 *
 * It never gets into the program: only builds of the modes `development` and `fake` load it.
 */
import type { Backend } from "$lib/backend/backend";
import type {
  ActVerb,
  ActiveFault,
  BridgeStatus,
  Capability,
  Frame,
  FrameRequest,
  Handoff,
  HandoffState,
  HumanAgent,
  Ledger,
  Platform,
  Refusal,
  Reply,
  Request,
  Role,
  Status,
  Target,
} from "$lib/generated";

import { Acts } from "./acts";
import { FakeCall } from "./call";
import { Causes } from "./causes";
import { cardOf, detailOf } from "./detail";
import {
  blindnessOf,
  connectionOf,
  type FakeBlind,
  type FakeLink,
  LAG_MS,
  LAG_REASON,
  offReason,
} from "./link";
import { FakeLedger } from "./ledger";
import type { Trouble } from "./runCourse";
import { Runs, type Second } from "./runs";
import { SCRIPTS } from "./script";
import { type Mode, PIPECAT, rowsOf, SIMULATOR, World } from "./world";

export interface FakeOptions {
  readonly calls: number;
  readonly mode: Mode;
  /** The link to the hub. */
  readonly link?: FakeLink;
  /** What the hub says of its own sight; it sees unless this is named. */
  readonly blind?: FakeBlind;
  /** An offer waits for this person from the beginning. */
  readonly withOffer?: boolean;
  readonly roles?: readonly Role[];
  /** What the other commander does with this person's requests; they approve unless this is named. */
  readonly second?: Second;
  /** `asked`: another commander's request waits. `running`: two others began a run a while ago. */
  readonly run?: "asked" | "running";
  readonly trouble?: Trouble;
  /** Milliseconds since the world began. */
  readonly elapsed: () => number;
}

/** When the fake world begins: 3 November 2026, 14:03:00 UTC. */
export const EPOCH = Date.UTC(2026, 10, 3, 14, 3, 0);

const ME = "sam";
const OFFER_MS = 20_000;
const TICK_MS = 100;
const STALE_MS = 6_300;
/** When the hub went blind, if it did. */
const BLIND_SINCE = EPOCH - 49_000;

export class FakeBackend implements Backend {
  readonly #options: FakeOptions;
  readonly #world: World;
  readonly #acts: Acts;
  readonly #causes = new Causes();
  readonly #runs: Runs;
  readonly #ledger: FakeLedger | null;
  #handoffs: Handoff[] = [];
  #humans: HumanAgent[];
  #faults: ActiveFault[] = [];
  #version = 0;
  #changed = { acts: 1, handoffs: 1, causes: 1, platform: 1, runs: 1, playbooks: 1 };
  #tickedAt = -Infinity;
  #lastBoard = "";
  #handoffNumber = 0;

  constructor(options: FakeOptions) {
    this.#options = options;
    this.#world = new World(options.calls, options.mode, EPOCH);
    this.#acts = new Acts(this.#world);
    this.#humans = ["ana", "jonas", "keiko", ME].map((id, place) => ({
      id,
      state: place === 1 ? "onCall" : "free",
      since: EPOCH - 90_000 * (place + 1),
    }));
    this.#ledger = options.mode === "calm" ? null : new FakeLedger(EPOCH);
    this.#runs = new Runs(
      {
        me: ME,
        isCommander: this.#roles.includes("commander"),
        second: options.second ?? "approves",
        trouble: options.trouble ?? "none",
      },
      () => ({
        world: this.#world,
        causes: this.#causes,
        humans: {
          free: this.#humans.filter(({ state }) => state === "free").length,
          there: this.#humans.filter(({ state }) => state !== "away").length,
        },
      }),
    );
    this.#causes.tick(this.#world.calls, EPOCH);
    this.#runs.tick(EPOCH);
    if (options.run === "asked") this.#runs.askFromElsewhere("tts-silent", EPOCH - 17_000);
    if (options.run === "running") {
      this.#runs.runFromElsewhere("tts-silent", EPOCH - 58_000, EPOCH);
    }
    if (options.withOffer === true) this.#offerMaria();
  }

  frame(request: FrameRequest): Promise<Frame> {
    const now = this.#now();
    if (!this.#isDown) this.#tick(now);
    this.#version += 1;
    const isFull = request.ack === 0;
    const isTold = this.#options.link !== "connecting";
    return Promise.resolve({
      version: this.#version,
      now,
      status: this.#status(now),
      board: isTold ? this.#boardSection(request, now) : null,
      detail: request.open === null || !isTold ? null : this.#detailSection(request.open, now),
      acts: isFull || this.#changed.acts > request.ack ? this.#acts.views() : null,
      handoffs: isFull || this.#changed.handoffs > request.ack ? [...this.#handoffs] : null,
      causes: isFull || this.#changed.causes > request.ack ? this.#causes.groups : null,
      ...(isFull || this.#changed.runs > request.ack ? { runs: this.#runs.section } : {}),
      ...(isFull || this.#changed.playbooks > request.ack
        ? { playbooks: this.#runs.playbooks }
        : {}),
      ...(isFull ? { ledger: this.#ledger?.told ?? NO_LEDGER } : {}),
      platform: isFull || this.#changed.platform > request.ack ? this.#platform(now) : null,
      about: isFull
        ? {
            version: "0.1.0",
            hubUrl: "ws://127.0.0.1:4650/v1/console",
            embedded: true,
            bridgeUrl: "ws://127.0.0.1:4650/v1/bridge",
            connectionFile: "/home/sam/.local/share/holdfast/connection.json",
          }
        : null,
    });
  }

  request(request: Request): Promise<Reply> {
    const now = this.#now();
    if (this.#isDown)
      return Promise.resolve(
        refused("unreachable", "There is no connection to the hub. Nothing was done."),
      );
    switch (request.type) {
      case "preview":
        return Promise.resolve(this.#preview(request.verb, request.target, now));
      case "act":
        return Promise.resolve(this.#act(request.act, now));
      case "seeHandoff":
        return Promise.resolve(this.#see(request.handoff, now));
      case "acceptHandoff":
        return Promise.resolve(this.#accept(request.handoff, now));
      case "declineHandoff":
        return Promise.resolve(this.#decline(request.handoff, request.reason, now));
      case "setHumanState":
        this.#setHuman(ME, request.state, now);
        return Promise.resolve({ type: "done" });
      case "showLedger":
        return Promise.resolve({ type: "ledger", ledger: this.#ledger?.whole ?? NO_LEDGER });
      case "previewRun":
      case "startRun":
      case "approveRun":
      case "declineRun":
      case "answerRun":
      case "stopRun":
      case "rollBackRun":
      case "reviewRun":
      case "showRun":
      case "lever":
        return Promise.resolve(this.#askRuns(request, now));
    }
  }

  get #roles(): readonly Role[] {
    return this.#options.roles ?? ["agent", "supervisor", "commander"];
  }

  #askRuns(request: Parameters<Runs["request"]>[0], now: number): Reply {
    const reply = this.#runs.request(request, now);
    this.#changed.runs = this.#version + 1;
    return reply;
  }

  get #isDown(): boolean {
    const link = this.#options.link ?? "live";
    return link !== "live";
  }

  #now(): number {
    return EPOCH + Math.floor(this.#options.elapsed());
  }

  #tick(now: number): void {
    if (now - this.#tickedAt < TICK_MS) return;
    this.#tickedAt = now;
    const { version } = this.#acts;
    this.#world.tick(now);
    this.#acts.tick(now);
    this.#tickHandoffs(now);
    if (this.#acts.version !== version) this.#changed.acts = this.#version + 1;
    this.#causes.tick(this.#world.calls, now);
    this.#changed.causes = this.#version + 1;
    this.#changed.platform = this.#version + 1;
    const runs = { of: this.#runs.version, playbooks: this.#runs.playbooksVersion };
    this.#runs.tick(now);
    if (this.#runs.version !== runs.of) this.#changed.runs = this.#version + 1;
    if (this.#runs.playbooksVersion !== runs.playbooks) this.#changed.playbooks = this.#version + 1;
  }

  #status(now: number): Status {
    const link = this.#options.link ?? "live";
    const { needYou, failing } = this.#world.counts(now);
    const offers = this.#handoffs.filter((handoff) => isOfferTo(handoff.state, ME)).length;
    const isConnecting = link === "connecting";
    const age = link === "live" ? 180 : STALE_MS + Math.floor(this.#options.elapsed());
    const { blind } = this.#options;
    const isBehind = blind === "ownLag";
    const lagReason = isBehind ? LAG_REASON : null;
    return {
      connection: connectionOf(link, now),
      freshMs: isConnecting ? null : age,
      staleAfterMs: 1_600,
      stale: link !== "live" || isBehind,
      actionsOff: link === "live" ? lagReason : offReason(link),
      hubLagMs: isBehind ? LAG_MS : 4,
      blind: blind === undefined ? null : blindnessOf(blind, BLIND_SINCE, now),
      live: isConnecting ? 0 : this.#world.calls.length,
      needYou: isConnecting ? 0 : needYou,
      failing: isConnecting ? 0 : failing,
      unseen: 0,
      offers,
      identity: isConnecting ? null : { name: ME, roles: [...this.#roles] },
    };
  }

  #boardSection(request: FrameRequest, now: number): Frame["board"] {
    const { first, count, filter, frozen } = request;
    const at = this.#isDown ? EPOCH : now;
    const key = JSON.stringify([
      first,
      count,
      filter,
      frozen,
      Math.floor(at / 200),
      this.#acts.version,
    ]);
    if (request.ack !== 0 && key === this.#lastBoard) return null;
    this.#lastBoard = key;
    const order = this.#world.order(filter, frozen, at);
    const top = order[first];
    const sorted = frozen ? this.#world.sorted(filter, at) : order;
    const shown = new Set(order.slice(0, first + 1));
    const above =
      top === undefined
        ? 0
        : sorted.slice(0, sorted.indexOf(top)).filter((call) => !shown.has(call)).length;
    return {
      total: order.length,
      first,
      rows: rowsOf(order, first, Math.min(count, 200), at, false),
      newAbove: frozen ? above : 0,
      queues: [...new Set(this.#world.calls.map((call) => call.script.queue))].sort(),
    };
  }

  #detailSection(open: string, now: number): Frame["detail"] {
    const call = this.#world.call(open);
    if (call === undefined) return { call: null };
    const at = this.#isDown ? EPOCH : now;
    return {
      call: detailOf(call, at, false, capabilitiesOf(call.source), this.#acts.commandsOf(open)),
    };
  }

  #platform(now: number): Platform {
    const bridge = (source: string, platform: string, skew: number): BridgeStatus => ({
      source,
      platform,
      state: this.#isDown ? "stale" : "live",
      heardAt: now - 210,
      liveCalls: this.#world.calls.filter((call) => call.source === source).length,
      clockSkewMs: skew,
      capabilities: capabilitiesOf(source),
      faults: source === SIMULATOR ? [...this.#faults] : [],
      anomalies:
        source === PIPECAT
          ? [
              {
                kind: "unknownEventType",
                count: 14,
                lastAt: EPOCH - 41_000,
                example: "holdfast.pipeline.warmed is not in this hub's catalogue",
              },
            ]
          : [],
    });
    return {
      bridges: [
        bridge(PIPECAT, "pipecat 1.14.0", 12),
        bridge(SIMULATOR, "holdfast-simulator 0.1.0", 0),
      ],
      humans: [...this.#humans],
    };
  }

  #callsOf(target: Target): string[] {
    switch (target.type) {
      case "calls":
        return target.calls;
      case "cause":
        return target.reach === "failing"
          ? (this.#causes.group(target.cause)?.calls ?? [])
          : this.#causes.exposed(target.cause, this.#world.calls).map((call) => call.id);
      case "allCalls":
        return this.#world.calls.map((call) => call.id);
      case "platform":
        return [];
    }
  }

  #preview(verb: ActVerb, target: Target, now: number): Reply {
    if (verb.type === "announce" && verb.text.length > 240) {
      return refused(
        "invalid",
        "The sentence is longer than 240 characters; callers would not hear its end. Shorten it.",
      );
    }
    const free = this.#humans.filter((human) => human.state === "free").length;
    return { type: "preview", preview: this.#acts.preview(verb, this.#callsOf(target), free, now) };
  }

  #act(act: Extract<Request, { type: "act" }>["act"], now: number): Reply {
    const free = this.#humans.filter((human) => human.state === "free").length;
    const { calls, excluded } = this.#acts.preview(act.verb, this.#callsOf(act.target), free, now);
    if (act.verb.type === "routeToHumans") {
      const handoffs = calls.map((call) => this.#requestHandoff(call, now).id);
      this.#acts.start(act, [], null, now);
      this.#changed.acts = this.#version + 1;
      return { type: "acting", commands: [], handoffs, excluded };
    }
    this.#switchFaults(act.verb, now);
    const source = act.target.type === "platform" ? act.target.source : null;
    const made = this.#acts.start(act, calls, source, now);
    this.#changed.acts = this.#version + 1;
    return { type: "acting", commands: made.map((record) => record.id), handoffs: [], excluded };
  }

  #switchFaults(verb: ActVerb, now: number): void {
    if (verb.type === "startFault") {
      const offer = FAULTS.find((fault) => fault.id === verb.fault);
      const scope = Object.values(verb.scope).map(String).join(", ");
      this.#faults.push({
        id: `f-${(this.#faults.length + 1).toString()}`,
        fault: verb.fault,
        layer: offer?.layer ?? "infrastructure",
        scope: scope === "" ? "all calls" : scope,
        since: now,
      });
    }
    if (verb.type === "stopFault")
      this.#faults = this.#faults.filter((f) => verb.id !== null && f.id !== verb.id);
  }

  // Handoffs.

  #offerMaria(): void {
    const maria = new FakeCall("4f2a", 9, SIMULATOR, EPOCH - 252_000, {
      customer: "Maria G.",
      script: SCRIPTS[0],
    });
    maria.fault = { kind: "voiceSilent", since: EPOCH - 11_000 };
    this.#world.add(maria);
    const handoff = this.#requestHandoff(maria.id, EPOCH - 2_000);
    this.#setHuman(ME, "offered", EPOCH + 1_000);
    this.#move(
      handoff.id,
      { type: "offered", agent: ME, expiresAt: EPOCH + 1_000 + OFFER_MS },
      "offered to sam",
      EPOCH,
    );
  }

  #requestHandoff(call: string, now: number): Handoff {
    const found = this.#world.call(call);
    if (found === undefined) throw new Error(`the fake world has no call ${call}`);
    this.#handoffNumber += 1;
    const handoff: Handoff = {
      id: `h-${this.#handoffNumber.toString()}`,
      call,
      reason: "supervisor",
      requestedBy: ME,
      requestedAt: now,
      state: { type: "requested" },
      transfer: null,
      refusedBy: [],
      steps: [{ text: "sam sent the call to humans", at: now }],
      card: cardOf(found, now),
    };
    found.handoff = handoff.id;
    this.#handoffs.unshift(handoff);
    this.#changed.handoffs = this.#version + 1;
    return handoff;
  }

  #move(id: string, state: HandoffState, text: string, now: number): void {
    this.#handoffs = this.#handoffs.map((handoff) =>
      handoff.id === id
        ? { ...handoff, state, steps: [...handoff.steps, { text, at: now }] }
        : handoff,
    );
    this.#changed.handoffs = this.#version + 1;
    const handoff = this.#handoffs.find((one) => one.id === id);
    const call = handoff === undefined ? undefined : this.#world.call(handoff.call);
    if (call !== undefined && (state.type === "bridged" || state.type === "confirmed")) {
      call.phase = "human";
      call.rung = "human";
      call.fault = null;
    }
  }

  #setHuman(id: string, state: HumanAgent["state"], now: number): void {
    this.#humans = this.#humans.map((human) =>
      human.id === id ? { id, state, since: now } : human,
    );
  }

  #tickHandoffs(now: number): void {
    for (const { id, state, steps, refusedBy } of this.#handoffs) {
      const since = now - (steps.at(-1)?.at ?? now);
      if (state.type === "requested" && since > 600) this.#offerNext(id, refusedBy, now);
      else if (state.type === "offered" || state.type === "seen") {
        if (state.agent !== ME && since > 2_500) this.#take(id, state.agent, now);
        else if (now > state.expiresAt)
          this.#refuse(id, state.agent, `${state.agent} did not answer`, now);
      } else if (state.type === "accepted" && since > 1_600) {
        this.#move(
          id,
          { type: "bridged", agent: state.agent },
          `${state.agent} is on the call`,
          now,
        );
      } else if (state.type === "bridged" && since > 4_000) {
        this.#move(
          id,
          { type: "confirmed", agent: state.agent },
          `${state.agent} and the caller speak`,
          now,
        );
      }
    }
  }

  #offerNext(id: string, refusedBy: readonly string[], now: number): void {
    const next = this.#humans.find(
      (human) => human.state === "free" && !refusedBy.includes(human.id),
    );
    if (next === undefined) return;
    this.#setHuman(next.id, "offered", now);
    this.#move(
      id,
      { type: "offered", agent: next.id, expiresAt: now + OFFER_MS },
      `offered to ${next.id}`,
      now,
    );
  }

  #take(id: string, agent: string, now: number): void {
    this.#setHuman(agent, "onCall", now);
    this.#move(id, { type: "accepted", agent }, `${agent} takes the call`, now);
  }

  #refuse(id: string, agent: string, text: string, now: number): void {
    this.#setHuman(agent, "free", now);
    this.#handoffs = this.#handoffs.map((handoff) =>
      handoff.id === id ? { ...handoff, refusedBy: [...handoff.refusedBy, agent] } : handoff,
    );
    this.#move(id, { type: "requested" }, text, now);
  }

  #mine(id: string): Handoff | undefined {
    return this.#handoffs.find((handoff) => handoff.id === id && isOfferTo(handoff.state, ME));
  }

  #see(id: string, now: number): Reply {
    const handoff = this.#mine(id);
    if (handoff?.state.type !== "offered") return GONE;
    this.#move(id, { ...handoff.state, type: "seen" }, "sam has the card on screen", now);
    return { type: "done" };
  }

  #accept(id: string, now: number): Reply {
    if (this.#mine(id) === undefined) return GONE;
    this.#take(id, ME, now);
    return { type: "done" };
  }

  #decline(id: string, reason: string, now: number): Reply {
    if (this.#mine(id) === undefined) return GONE;
    this.#refuse(id, ME, `sam declined: ${reason}`, now);
    return { type: "done" };
  }
}

const FAULTS = [
  { id: "tts_silent", layer: "tts", title: "TTS takes text and gives no audio" },
  { id: "llm_503", layer: "llm", title: "LLM answers 503" },
  { id: "llm_slow", layer: "llm", title: "LLM needs 4 s to its first token" },
  { id: "asr_silent", layer: "asr", title: "ASR gives no final transcript" },
  { id: "tool_hang", layer: "tools", title: "A tool never answers" },
  { id: "network_loss", layer: "network", title: "One packet in five is lost" },
  { id: "worker_lost", layer: "infrastructure", title: "A worker dies" },
] as const;

/** Nothing was affected yet. */
const NO_LEDGER: Ledger = { since: null, rows: [], recoveries: [] };

const GONE = refused(
  "conflict",
  "The offer is over: somebody else has it, or its time ran out. The caller is being looked after.",
);

function refused(code: Refusal["code"], message: string): Reply {
  return { type: "refused", refusal: { code, message } };
}

function isOfferTo(state: HandoffState, agent: string): boolean {
  return (state.type === "offered" || state.type === "seen") && state.agent === agent;
}

function capabilitiesOf(source: string): Capability[] {
  const names = [
    "switch_model",
    "retry_turn",
    "disable_tools",
    "enable_tools",
    "announce",
    "transfer",
    "resume_ai",
  ];
  const list: Capability[] = names.map((name) => ({ name, available: true }));
  if (source === SIMULATOR) {
    list.push({ name: "pause_ai", available: true });
    list.push({ name: "start_fault", available: true, faults: [...FAULTS] });
    list.push({ name: "stop_fault", available: true });
  } else {
    list.push({ name: "pause_ai", available: false, reason: "this bot has no input gate" });
  }
  return list;
}
