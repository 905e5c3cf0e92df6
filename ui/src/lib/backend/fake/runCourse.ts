/** One run of the fake world, from its preview to its end: stage after stage, as the hub does it. */
import type {
  CallId,
  Run,
  RunCall,
  RunCallState,
  RunEventKind,
  RunStage,
  RunState,
  RunStop,
  RunTally,
} from "$lib/generated";

import type { FakeCall } from "./call";
import type { Plan } from "./playbooks";
import { type Planned, reachOf } from "./runPlan";

/** What goes wrong with a run on purpose. */
export type Trouble = "none" | "worse";

interface Member {
  readonly call: FakeCall;
  readonly becomes: string;
  readonly isProtected: boolean;
  readonly number: number;
  state: RunCallState;
  at: number;
  stage: number | null;
  /** What comes of it, and when. */
  plan: { readonly at: number; readonly state: RunCallState }[];
  readonly before: string | undefined;
}

const TELLS_MS = { accepted: 180, applied: 820, proven: 4_200, undone: 900 } as const;
/** How long a payment of the fake world lasts. */
const MOMENT_MS = 9_000;

export class Course {
  run: Run;
  readonly plan: Plan;
  readonly #members: Member[];
  readonly #trouble: Trouble;
  /** The console of who asked. */
  readonly isElsewhere: boolean;
  isPublic = false;
  #block = 0;
  #stage = 0;
  #runStage = 0;
  #answer: boolean | null = null;
  #asksUntil: number | null = null;

  constructor(
    run: Run,
    plan: Plan,
    members: readonly Planned[],
    isElsewhere: boolean,
    trouble: Trouble,
  ) {
    this.run = run;
    this.plan = plan;
    this.isElsewhere = isElsewhere;
    this.#trouble = trouble;
    this.#members = members.map(({ call, becomes, isProtected }, number) => ({
      call,
      becomes,
      isProtected,
      number,
      state: { type: "untouched" },
      at: run.requestedAt,
      stage: null,
      plan: [],
      before: call.active.get(plan.layer),
    }));
  }

  get isActing(): boolean {
    return ["running", "holding", "verifying", "awaitingAnswer", "rollingBack"].includes(
      this.run.state.type,
    );
  }

  get calls(): readonly CallId[] {
    return this.#members.map(({ call }) => call.id);
  }

  get isUndoable(): boolean {
    const back = this.plan.reversibility.type === "full";
    return back && this.#members.some(({ state }) => isDone(state));
  }

  note(at: number, by: string, kind: RunEventKind, text: string): void {
    const timeline = [...this.run.timeline, { at, by, kind, text }];
    this.run = { ...this.run, timeline, updatedAt: at };
  }

  to(state: RunState, at: number): void {
    this.run = { ...this.run, state, updatedAt: at };
  }

  begin(now: number, isLive: (call: CallId) => boolean): void {
    for (const member of this.#members) {
      if (!isLive(member.call.id)) this.#leave(member, now);
    }
    const left = this.#members.filter(({ state }) => state.type === "left");
    const blocks = blocksOf(this.plan).filter((block) => block.isOnCalls);
    const stages = blocks.flatMap(({ steps }) =>
      this.plan.stages.map(({ reach }): RunStage => ({
        steps,
        reach,
        nCalls: 0,
        state: "pending",
        beganAt: null,
        commandedAt: null,
        provenAt: null,
        tally: tallyOf([]),
        turns: 0,
        goodTurns: 0,
      })),
    );
    this.run = {
      ...this.run,
      stages,
      startedAt: now,
      endsAt: now + this.plan.ttlS * 1_000,
      state: { type: "running", stage: 0 },
      differences: left.map(({ call }) => ({ call: call.id, kind: "ended" })),
      differencesTotal: left.length,
    };
    const n = this.#members.length - left.length;
    this.note(
      now,
      "holdfast",
      { type: "started" },
      `begins with ${n.toString()} calls; ${left.length.toString()} are not as they were previewed`,
    );
    this.tick(now);
  }

  answer(yes: boolean): void {
    this.#answer = yes;
  }

  /** It stops where it stands. */
  stop(why: RunStop, text: string, by: string, now: number): void {
    this.#end({ type: "stopped", why }, { type: "stopped" }, text, by, now);
  }

  rollBack(why: RunStop, text: string, now: number): void {
    this.note(now, "holdfast", { type: "stopped" }, text);
    this.note(
      now,
      "holdfast",
      { type: "rollbackBegan" },
      "the calls that it touched are changed back",
    );
    for (const member of this.#members) {
      if (!isDone(member.state)) continue;
      this.#set(member, { type: "undoing" }, now);
      member.plan = [{ at: now + TELLS_MS.undone + member.number * 30, state: { type: "undone" } }];
    }
    this.#endStages();
    this.to({ type: "rollingBack", why }, now);
    this.#count();
  }

  tick(now: number): void {
    if (this.run.startedAt === null) return;
    this.#play(now);
    const { state, endsAt } = this.run;
    if (state.type === "rollingBack") {
      if (this.#members.every(({ plan }) => plan.length === 0)) {
        this.to({ type: "rolledBack", why: state.why }, now);
        this.note(
          now,
          "holdfast",
          { type: "rolledBack" },
          "the calls that it touched are as before",
        );
      }
    } else if (this.isActing) {
      if (endsAt !== null && now >= endsAt) {
        const text = "its time to live is over: what was done stays, nothing more is done";
        this.#end({ type: "expired" }, { type: "expired" }, text, "holdfast", now);
      } else {
        this.#stepOn(now);
      }
    }
    this.#count();
  }

  outcomes(): RunCall[] {
    return this.#members.map((member) => ({
      call: member.call.id,
      stage: member.stage,
      becomes: member.becomes,
      state: member.state,
      command: member.stage === null ? null : `${this.run.id}.${member.number.toString()}`,
      handoff: null,
      at: member.at,
    }));
  }

  #end(state: RunState, kind: RunEventKind, text: string, by: string, now: number): void {
    this.#endStages();
    this.to(state, now);
    this.note(now, by, kind, text);
    this.#count();
  }

  #endStages(): void {
    const stages = this.run.stages.map((stage): RunStage =>
      stage.state === "proven" || stage.state === "pending" ? stage : { ...stage, state: "ended" },
    );
    this.run = { ...this.run, stages };
  }

  #stepOn(now: number): void {
    const block = blocksOf(this.plan)[this.#block];
    if (block === undefined) {
      const text = "every stage is proven";
      this.to({ type: "completed" }, now);
      this.note(now, "holdfast", { type: "completed" }, text);
    } else if (block.isOnCalls) {
      this.#stageOn(now);
    } else {
      this.#onceOn(block.steps[0] ?? "", now);
    }
  }

  #onceOn(id: string, now: number): void {
    const action = this.plan.steps.find((step) => step.id === id)?.action;
    if (action?.type === "ask") {
      if (this.#answer === null) {
        if (this.#asksUntil === null) {
          this.#asksUntil = now + action.timeout_s * 1_000;
          const { question } = action;
          this.note(now, "holdfast", { type: "asked", step: id }, question);
          const expiresAt = this.#asksUntil;
          this.to({ type: "awaitingAnswer", step: id, question, expiresAt }, now);
        }
        return;
      }
      if (!this.#answer) {
        const by = "sam";
        this.stop({ type: "answeredNo", step: id, by }, `${by} answered no to ${id}`, by, now);
        return;
      }
    }
    if (action?.type === "notify") {
      const tally = this.run.tally;
      const touched = tally.nCalls - tally.untouched - tally.left;
      const messages = this.plan.messages.map(([audience, text]) => ({
        audience,
        text: text
          .replace("{failing}", this.run.preview.failing.toString())
          .replace("{all}", this.run.preview.nCalls.toString())
          .replace("{touched}", touched.toString())
          .replace("{proven}", tally.proven.toString()),
        at: now,
      }));
      this.run = { ...this.run, messages: [...this.run.messages, ...messages] };
    }
    this.note(now, "holdfast", { type: "stepDone", step: id }, `the step ${id} is done`);
    this.#block += 1;
    this.#stage = 0;
  }

  #stageOn(now: number): void {
    const place = this.#runStage;
    const rule = this.plan.stages[this.#stage];
    const stage = this.run.stages[place];
    if (rule === undefined || stage === undefined) {
      this.#block += 1;
      this.#stage = 0;
      return;
    }
    if (stage.beganAt === null) {
      this.#beginStage(place, now);
      return;
    }
    const mine = this.#members.filter((member) => member.stage === place);
    const isBusy = mine.some(({ state }) => ["intent", "accepted", "waiting"].includes(state.type));
    const since = stage.commandedAt ?? stage.beganAt;
    const [turns, goodTurns] = this.#turnsOf(mine, place);
    this.#edit(place, { turns, goodTurns });
    if (isBusy) return;
    const isHeld = now >= since + rule.hold_s * 1_000;
    const isSettled = mine.every(({ state }) => state.type !== "applied");
    const isGood =
      rule.verify.probe !== "good_turns" || goodTurns * 100 >= turns * rule.verify.percent_min;
    if (isHeld && isSettled && isGood) {
      this.#edit(place, { state: "proven", provenAt: now });
      const text = `stage ${(place + 1).toString()} is proven`;
      this.note(now, "holdfast", { type: "stageProven", stage: place }, text);
      this.#stage += 1;
      this.#runStage += 1;
    } else if (isHeld && now >= since + rule.verify.within_s * 250) {
      const found = `${goodTurns.toString()} of ${turns.toString()} turns were good`;
      const why: RunStop = { type: "notProven", stage: place, found };
      this.rollBack(why, `stage ${(place + 1).toString()} was not proven: ${found}`, now);
    } else {
      const type = isHeld ? "verifying" : "holding";
      if (stage.state !== type) this.#edit(place, { state: type });
      if (this.run.state.type !== type) this.to({ type, stage: place }, now);
    }
  }

  /** A call whose command failed is served as before: it is no turn of what was changed. */
  #turnsOf(mine: readonly Member[], place: number): [number, number] {
    const turns = mine.filter(({ state }) => state.type === "proven").length;
    const bad = this.#trouble === "worse" && place > 0 ? Math.ceil(turns / 2) : 0;
    return [turns, turns - bad];
  }

  #beginStage(place: number, now: number): void {
    const rule = this.plan.stages[this.#stage];
    if (rule === undefined) return;
    if (this.#stage === 0 && place > 0) {
      for (const member of this.#members) {
        if (member.state.type !== "left") member.stage = null;
      }
    }
    const open = this.#members.filter(({ state }) => state.type !== "left");
    const wanted = reachOf(rule.reach, open.length);
    const taken = open.filter(({ stage }) => stage !== null).length;
    const fresh = open.filter(({ stage }) => stage === null).slice(0, Math.max(0, wanted - taken));
    for (const [n, member] of fresh.entries()) {
      member.stage = place;
      this.#send(member, n, now);
    }
    const last = fresh.reduce((at, member) => Math.max(at, member.plan[0]?.at ?? at), now);
    this.#edit(place, {
      state: "running",
      beganAt: now,
      commandedAt: Math.max(now, last - TELLS_MS.accepted),
      nCalls: fresh.length,
    });
    this.to({ type: "running", stage: place }, now);
    const text = `stage ${(place + 1).toString()} begins`;
    this.note(now, "holdfast", { type: "stageBegan", stage: place }, text);
  }

  #send(member: Member, n: number, now: number): void {
    const at = now + n * 40 + (member.isProtected ? MOMENT_MS : 0);
    if (member.isProtected) this.#set(member, { type: "waiting", why: "protected" }, now);
    const accepted = at + TELLS_MS.accepted;
    const plan: Member["plan"] = [
      { at, state: { type: "intent" } },
      { at: accepted, state: { type: "accepted" } },
    ];
    if (member.number % 19 === 7) {
      const message =
        "the platform still serves the service from before; nothing changed for the caller; send the call to a human";
      plan.push({ at: at + 1_900, state: { type: "failed", kind: "not_applied", message } });
    } else if (member.number % 23 === 9) {
      plan.push({ at: at + 2_000, state: { type: "unknown" } });
      plan.push({ at: at + 14_000, state: { type: "proven" } });
    } else {
      plan.push({ at: at + TELLS_MS.applied, state: { type: "applied" } });
      plan.push({ at: at + TELLS_MS.proven + (n % 7) * 400, state: { type: "proven" } });
    }
    member.plan = plan;
  }

  #play(now: number): void {
    for (const member of this.#members) {
      for (let next = member.plan[0]; next !== undefined && next.at <= now; next = member.plan[0]) {
        member.plan = member.plan.slice(1);
        this.#set(member, next.state, next.at);
        if (next.state.type === "applied" || next.state.type === "proven") this.#change(member);
        if (next.state.type === "undone") this.#changeBack(member);
      }
    }
  }

  #change({ call, becomes }: Member): void {
    if (this.plan.layer === "tools") call.toolsOff = ["payments.capture"];
    else if (becomes === "AI silent") call.ai = "paused";
    else {
      call.active.set(this.plan.layer, becomes);
      call.rung = "backup";
    }
    if (becomes !== "AI silent") call.fault = null;
  }

  #changeBack({ call, before }: Member): void {
    if (before === undefined) call.active.delete(this.plan.layer);
    else call.active.set(this.plan.layer, before);
    call.rung = "primary";
    call.toolsOff = [];
  }

  #leave(member: Member, now: number): void {
    this.#set(member, { type: "left", why: "ended" }, now);
  }

  #set(member: Member, state: RunCallState, at: number): void {
    member.state = state;
    member.at = at;
  }

  #edit(place: number, change: Partial<RunStage>): void {
    const stages = this.run.stages.map((stage, n) =>
      n === place ? { ...stage, ...change } : stage,
    );
    this.run = { ...this.run, stages };
  }

  #count(): void {
    const stages = this.run.stages.map((stage, place) => {
      const mine = this.#members.filter((member) => member.stage === place);
      return mine.length === 0
        ? stage
        : { ...stage, tally: tallyOf(mine.map(({ state }) => state)) };
    });
    const calls = this.outcomes();
    calls.sort((a, b) => rank(a.state) - rank(b.state) || b.at - a.at);
    const touched = this.#members.filter(({ stage }) => stage !== null);
    const untouched = this.#members.filter(({ stage }) => stage === null);
    const share = (members: readonly Member[]): number | null =>
      members.length === 0
        ? null
        : Math.round(
            (members.filter(({ call, state }) => call.fault !== null || state.type === "failed")
              .length *
              1_000) /
              members.length,
          );
    this.run = {
      ...this.run,
      updatedAt: this.#members.reduce((at, one) => Math.max(at, one.at), this.run.updatedAt),
      stages,
      tally: tallyOf(this.#members.map(({ state }) => state)),
      calls: calls.slice(0, 200),
      comparison:
        touched.length === 0
          ? []
          : [
              {
                measure: "failed_turns",
                touched: touched.length,
                touchedPermille: share(touched),
                untouched: untouched.length,
                untouchedPermille: share(untouched),
              },
            ],
    };
  }
}

function isDone({ type }: RunCallState): boolean {
  return type === "applied" || type === "proven" || type === "unknown";
}

function rank({ type }: RunCallState): number {
  return ["failed", "rejected", "expired", "notUndone"].includes(type)
    ? 0
    : type === "unknown"
      ? 1
      : type === "untouched"
        ? 3
        : 2;
}

interface Block {
  readonly steps: string[];
  readonly isOnCalls: boolean;
}

/** Steps on calls that follow one another together, each of the others by itself. */
function blocksOf(plan: Plan): readonly Block[] {
  const blocks: Block[] = [];
  for (const { id, action } of plan.steps) {
    const isOnCalls = !["notify", "ask", "wait_until"].includes(action.type);
    const last = blocks.at(-1);
    if (isOnCalls && last?.isOnCalls === true) last.steps.push(id);
    else blocks.push({ steps: [id], isOnCalls });
  }
  return blocks;
}

export function tallyOf(states: readonly RunCallState[]): RunTally {
  const tally: RunTally = {
    nCalls: states.length,
    untouched: 0,
    waiting: 0,
    intent: 0,
    accepted: 0,
    applied: 0,
    proven: 0,
    failed: 0,
    unknown: 0,
    queued: 0,
    handedOver: 0,
    left: 0,
    undoing: 0,
    undone: 0,
    notUndone: 0,
  };
  for (const { type } of states) {
    if (type === "rejected" || type === "expired") tally.failed += 1;
    else tally[type] += 1;
  }
  return tally;
}
