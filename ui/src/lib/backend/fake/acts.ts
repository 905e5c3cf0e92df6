/** What comes of acts in the fake world: commands that take their time, and some that fail. */
import type {
  Act,
  ActPreview,
  ActVerb,
  ActView,
  Command,
  CommandRecord,
  CommandState,
  Excluded,
  ExcludedReason,
  Rung,
} from "$lib/generated";
import { commandWords, layerShort } from "$lib/format/words";

import type { FakeCall } from "./call";
import type { World } from "./world";

interface Running {
  record: CommandRecord;
  readonly call: FakeCall | null;
  readonly plan: { at: number; state: CommandState }[];
  readonly effect: () => void;
}

const SENTENCES: Partial<Record<ActVerb["type"], string>> = {
  switchModel: "One moment please, I am still with you.",
  routeToHumans: "I am getting a colleague for you now. You do not have to repeat anything.",
};

export class Acts {
  readonly #world: World;
  #running: Running[] = [];
  #views: { view: Omit<ActView, keyof Counts | "commands">; commands: string[] }[] = [];
  readonly #records = new Map<string, CommandRecord>();
  #number = 0;
  version = 1;

  constructor(world: World) {
    this.#world = world;
  }

  preview(verb: ActVerb, calls: readonly string[], humansFree: number, now: number): ActPreview {
    const touched: FakeCall[] = [];
    const excluded: Excluded[] = [];
    for (const id of calls) {
      const call = this.#world.call(id);
      const reason = whyExcluded(verb, call);
      if (call === undefined || reason !== null)
        excluded.push({ call: id, reason: reason ?? "notLive" });
      else touched.push(call);
    }
    const byRung = new Map<Rung, number>();
    for (const call of touched) byRung.set(call.rung, (byRung.get(call.rung) ?? 0) + 1);
    const becomes = verb.type === "switchModel" ? (verb.to ?? `backup-${verb.layer}`) : null;
    const failing = touched.filter((call) => call.needAt(now).level !== "calm").length;
    const announcement = verb.type === "announce" ? verb.text : (SENTENCES[verb.type] ?? null);
    return {
      calls: touched.map((call) => call.id),
      byRung: [...byRung],
      failing,
      becomes: becomes === null ? [] : [[becomes, touched.length]],
      excluded,
      humansFree,
      announcement,
      sentence: sentenceOf(verb, touched.length, calls.length, becomes, humansFree),
    };
  }

  start(act: Act, calls: readonly string[], source: string | null, now: number): CommandRecord[] {
    const made = calls.map((id, place) => this.#command(act, id, place, now));
    if (source !== null) made.push(this.#platformCommand(act, source, now));
    this.#views.unshift({
      view: { id: act.id, actor: "sam", at: now, title: titleOf(act.verb) },
      commands: made.map((record) => record.id),
    });
    this.version += 1;
    return made;
  }

  tick(now: number): void {
    for (const running of this.#running) {
      for (
        let step = running.plan[0];
        step !== undefined && step.at <= now;
        step = running.plan[0]
      ) {
        running.plan.shift();
        if (step.state.type === "applied") running.effect();
        running.record = {
          ...running.record,
          progress: [...running.record.progress, { state: step.state, at: step.at }],
        };
        this.#store(running.record, running.call);
      }
    }
    this.#running = this.#running.filter((running) => running.plan.length > 0);
  }

  commandsOf(call: string): CommandRecord[] {
    return [...this.#records.values()].filter((record) => record.call === call).reverse();
  }

  views(): ActView[] {
    return this.#views.slice(0, 20).map(({ view, commands }) => {
      const records = commands.flatMap((id) => this.#records.get(id) ?? []);
      records.sort((a, b) => Number(isFailure(b)) - Number(isFailure(a)));
      return {
        ...view,
        total: commands.length,
        ...countStates(records),
        commands: records.slice(0, 200),
      };
    });
  }

  #command(act: Act, id: string, place: number, now: number): CommandRecord {
    const call = this.#world.call(id) ?? null;
    const command = commandOf(act.verb, call?.script.language ?? "en-US");
    const record = this.#record(act, command, id, call?.source ?? "", now);
    const effect = () => {
      if (call !== null) applyTo(call, command);
    };
    this.#running.push({ record, call, effect, plan: planOf(command, this.#number, place, now) });
    this.#store(record, call);
    return record;
  }

  #platformCommand(act: Act, source: string, now: number): CommandRecord {
    const command = commandOf(act.verb, "");
    const record = this.#record(act, command, null, source, now);
    this.#running.push({
      record,
      call: null,
      effect: () => undefined,
      plan: planOf(command, 0, 0, now),
    });
    this.#store(record, null);
    return record;
  }

  #record(
    act: Act,
    command: Command,
    call: string | null,
    source: string,
    now: number,
  ): CommandRecord {
    this.#number += 1;
    return {
      id: `cmd-${this.#number.toString()}`,
      act: act.id,
      call,
      source,
      command,
      expectActive: null,
      actor: "sam",
      issuedAt: now,
      expiresAt: now + 10_000,
      progress: [{ state: { type: "requested" }, at: now }],
    };
  }

  #store(record: CommandRecord, call: FakeCall | null): void {
    this.#records.set(record.id, record);
    if (call !== null) call.command = record;
    this.version += 1;
  }
}

interface Counts {
  total: number;
  underWay: number;
  applied: number;
  proven: number;
  failed: number;
  unknown: number;
}

function stateOf(record: CommandRecord): CommandState["type"] {
  return record.progress.at(-1)?.state.type ?? "requested";
}

function isFailure(record: CommandRecord): boolean {
  return ["failed", "rejected", "expired"].includes(stateOf(record));
}

function countStates(records: readonly CommandRecord[]): Omit<Counts, "total"> {
  const counts = { underWay: 0, applied: 0, proven: 0, failed: 0, unknown: 0 };
  for (const record of records) {
    const state = stateOf(record);
    if (state === "requested" || state === "accepted") counts.underWay += 1;
    else if (state === "applied" || state === "proven" || state === "unknown") counts[state] += 1;
    else counts.failed += 1;
  }
  return counts;
}

function whyExcluded(verb: ActVerb, call: FakeCall | undefined): ExcludedReason | null {
  if (call === undefined || call.phase === "ended") return "notLive";
  if (call.phase === "human") return "withHuman";
  if (call.handoff !== null) return "busy";
  if (call.protectedNow !== null && verb.type !== "announce") return "protectedMoment";
  if (
    verb.type === "switchModel" &&
    call.activeService(verb.layer) === (verb.to ?? `backup-${verb.layer}`)
  ) {
    return "alreadySo";
  }
  if (verb.type === "pauseAi" && call.ai === "paused") return "alreadySo";
  if (verb.type === "resumeAi" && call.ai === "active") return "alreadySo";
  return null;
}

function planOf(command: Command, number: number, place: number, now: number) {
  const jitter = (number % 5) * 90 + Math.min(place, 40) * 15;
  const plan: { at: number; state: CommandState }[] = [
    { at: now + 140 + jitter, state: { type: "accepted" } },
  ];
  if (number % 8 === 4 && command.type === "switchModel") {
    const message = `The platform still serves primary-${command.layer}. Nothing changed for the caller. Send the call to a human.`;
    plan.push({
      at: now + 1_300 + jitter,
      state: { type: "failed", kind: "not_applied", message },
    });
    return plan;
  }
  const readBack =
    command.type === "switchModel" ? { layer: command.layer, active: command.to } : {};
  plan.push({ at: now + 800 + jitter, state: { type: "applied", readBack } });
  plan.push({ at: now + 4_200 + jitter * 6, state: { type: "proven", readBack } });
  return plan;
}

function commandOf(verb: ActVerb, language: string): Command {
  switch (verb.type) {
    case "switchModel":
      return { ...verb, to: verb.to ?? `backup-${verb.layer}`, retryTurn: true };
    case "announce":
      return { ...verb, language };
    case "routeToHumans":
      return { type: "transfer", handoffId: "", to: "", announcement: null, key: "" };
    case "disableTools":
    case "enableTools":
    case "pauseAi":
    case "resumeAi":
    case "startFault":
    case "stopFault":
      return verb;
  }
}

function applyTo(call: FakeCall, command: Command): void {
  if (command.type === "switchModel") {
    call.active.set(command.layer, command.to);
    call.rung = "backup";
    if (command.layer === "tts" && call.fault?.kind === "voiceSilent") call.fault = null;
    if (command.layer === "llm" && call.fault?.kind === "modelSlow") call.fault = null;
    if (command.layer === "asr" && call.fault?.kind === "hearing") call.fault = null;
  }
  if (command.type === "disableTools") {
    call.toolsOff =
      command.tools.length > 0 ? command.tools : call.script.turns.flatMap((t) => t.tool ?? []);
    if (call.fault?.kind === "toolStalled") call.fault = null;
  }
  if (command.type === "enableTools") call.toolsOff = [];
  if (command.type === "pauseAi") call.ai = "paused";
  if (command.type === "resumeAi") call.ai = "active";
}

function titleOf(verb: ActVerb): string {
  if (verb.type === "routeToHumans") return "Route to humans";
  if (verb.type === "switchModel" && verb.to === null) {
    return `Switch ${layerShort[verb.layer]} to the next usable service`;
  }
  const words = commandWords(commandOf(verb, ""));
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function sentenceOf(
  verb: ActVerb,
  touched: number,
  asked: number,
  becomes: string | null,
  humansFree: number,
): string {
  const calls = `${touched.toString()} of ${asked.toString()} ${asked === 1 ? "call" : "calls"}`;
  switch (verb.type) {
    case "switchModel":
      return `Moves ${calls} to ${becomes ?? ""} and tries the failed turn again.`;
    case "disableTools":
      return `Switches ${verb.tools.length === 0 ? "all tools" : verb.tools.join(", ")} off on ${calls}.`;
    case "enableTools":
      return `Switches ${verb.tools.length === 0 ? "all tools" : verb.tools.join(", ")} on again on ${calls}.`;
    case "announce":
      return `${touched === 1 ? "One caller hears" : `${touched.toString()} callers hear`} the sentence.`;
    case "pauseAi":
      return `The AI is silent on ${calls} until somebody resumes it.`;
    case "resumeAi":
      return `The AI speaks again on ${calls}.`;
    case "routeToHumans":
      return `Sends ${calls} to humans, each with its card. ${humansFree.toString()} free now.`;
    case "startFault":
      return `Injects ${verb.fault} into the simulator.`;
    case "stopFault":
      return "Ends the injected fault.";
  }
}
