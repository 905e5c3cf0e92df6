/**
 * The playbooks of the hub and the runs of them: which stands where, which one is open, and what a
 * person says to it.
 */
import type { Backend } from "$lib/backend/backend";
import type { FrameController } from "$lib/frame/frameController.svelte";
import type {
  CauseId,
  PlaybookId,
  PlaybookStatus,
  Refusal,
  Reply,
  Request,
  Run,
  RunCall,
  RunId,
} from "$lib/generated";
import { refusalOf } from "$lib/state/errors";

import { LookController } from "./lookController.svelte";
import { PreviewController } from "./previewController.svelte";
import { callRank, isActing, isOver } from "./runWords";

/** What the open pane is about. */
export type Chosen =
  | { readonly type: "playbook"; readonly id: PlaybookId }
  | { readonly type: "run"; readonly id: RunId };

export interface Group {
  readonly name: "waiting" | "underWay" | "playbooks" | "over";
  readonly items: readonly Chosen[];
}

/** Every call of a run, as it was told when it was asked for. */
interface Whole {
  readonly run: RunId;
  readonly calls: readonly RunCall[];
  /** When, on the hub's clock. */
  readonly at: number;
}

/** Between two looks at every call of a run that changes. */
const CALLS_MS = 2_000;

/** What is being written to a run before it is sent. */
export type Saying = "refuse" | "stop" | "rollBack" | "review";

export interface Person {
  readonly name: string;
  readonly canAct: boolean;
  readonly canActOnAll: boolean;
}

export class RunsController {
  readonly #backend: Backend;
  readonly #frames: () => FrameController;
  readonly #person: () => Person;
  readonly preview: PreviewController;
  /** What changed since the request that waits for approval was previewed. */
  readonly look: LookController;

  #chosen = $state.raw<Chosen | null>(null);
  #cause = $state.raw<CauseId | null>(null);
  #picked = $state.raw<CauseId | null>(null);
  #saying = $state.raw<Saying | null>(null);
  #reason = $state.raw("");
  #isSending = $state.raw(false);
  #refusal = $state.raw<Refusal | null>(null);
  #calls = $state.raw<Whole | null>(null);
  #isAskingCalls = false;
  #seen = $state.raw<{ readonly run: RunId; readonly fingerprint: string } | null>(null);
  #looksAt: RunId | null = null;

  constructor(
    backend: Backend,
    frames: () => FrameController,
    newId: () => RunId,
    person: () => Person,
  ) {
    this.#backend = backend;
    this.#frames = frames;
    this.#person = person;
    this.preview = new PreviewController(backend, frames, newId, (id) =>
      this.choose({ type: "run", id }),
    );
    this.look = new LookController(backend, frames, newId);
  }

  /** What stands in the list, in order. */
  readonly groups: readonly Group[] = $derived.by(() => {
    const { runs } = this.#frames();
    const waiting = runs.filter((run) => this.waitsForMe(run));
    const others = runs.filter((run) => !waiting.includes(run));
    const all: Group[] = [
      { name: "waiting", items: waiting.map(itemOf) },
      { name: "underWay", items: others.filter(({ state }) => !isOver(state)).map(itemOf) },
      {
        name: "playbooks",
        items: this.playbooks.map(({ id }) => ({ type: "playbook", id })),
      },
      { name: "over", items: others.filter(({ state }) => isOver(state)).map(itemOf) },
    ];
    return all.filter(({ items, name }) => items.length > 0 || name === "playbooks");
  });

  /** Those that answer the cause from which a run is begun, or all; those that could run first. */
  readonly playbooks: readonly PlaybookStatus[] = $derived.by(() => {
    const cause = this.#cause;
    const listed = this.#frames().playbooks.filter(
      (playbook) => cause === null || answers(playbook, cause),
    );
    return [...listed].sort((a, b) => Number(b.wouldFire) - Number(a.wouldFire));
  });

  /** Runs that wait for this person's yes, answer or review. */
  readonly waiting: readonly Run[] = $derived.by(() =>
    this.#frames().runs.filter((run) => this.waitsForMe(run)),
  );

  /** Runs that change calls now. */
  readonly acting: readonly Run[] = $derived.by(() =>
    this.#frames().runs.filter(({ state }) => isActing(state)),
  );

  /** What the open pane is about; the first of the list until somebody chooses. */
  get chosen(): Chosen | null {
    const chosen = this.#chosen;
    if (chosen !== null && (chosen.type === "run" || this.playbook(chosen.id) !== undefined)) {
      return chosen;
    }
    return this.groups[0]?.items[0] ?? null;
  }
  /** The cause from which a run is begun; null for none. */
  get cause(): CauseId | null {
    return this.#cause;
  }
  get saying(): Saying | null {
    return this.#saying;
  }
  get reason(): string {
    return this.#reason;
  }
  get isSending(): boolean {
    return this.#isSending;
  }
  /** Why the last thing that was asked of the open run was refused. */
  get refusal(): Refusal | null {
    return this.#refusal;
  }

  run(id: RunId): Run | undefined {
    return this.#frames().runs.find((run) => run.id === id);
  }

  playbook(id: PlaybookId): PlaybookStatus | undefined {
    return this.#frames().playbooks.find((playbook) => playbook.id === id);
  }

  /**
   * Every call of the run where it was asked for, else those that its record names; failures
   * first, then what is unknown, then what changed last.
   */
  callsOf(run: Run): readonly RunCall[] {
    if (this.#calls?.run !== run.id) return run.calls;
    // The record is newer for those that it names.
    const newer = new Map(run.calls.map((call) => [call.call, call]));
    const whole = this.#calls.calls.map((call) => newer.get(call.call) ?? call);
    return whole.sort((a, b) => callRank(a.state) - callRank(b.state) || b.at - a.at);
  }

  isWhole(run: Run): boolean {
    return this.#calls?.run === run.id || run.calls.length >= run.tally.nCalls;
  }

  /** It waits for this person and nobody else's word is enough: a yes, an answer, a review. */
  waitsForMe(run: Run): boolean {
    const me = this.#person();
    if (run.state.type === "awaitingApproval") return me.canActOnAll && !this.isMine(run);
    if (run.state.type === "awaitingAnswer") return me.canActOnAll;
    return run.review !== null && run.review.by === null && me.canAct && !this.isMine(run);
  }

  /** Two consoles of one name are one person. */
  isMine(run: Run): boolean {
    return folded(run.requestedBy) === folded(this.#person().name);
  }

  choose(chosen: Chosen): void {
    if (same(chosen, this.chosen) && this.#chosen !== null) return;
    this.preview.close();
    this.#chosen = chosen;
    this.#forgetWords();
    this.#calls = null;
  }

  /** Moves the cursor of the list; false at its ends. */
  move(delta: number): boolean {
    const items = this.groups.flatMap((group) => group.items);
    const place = items.findIndex((item) => same(item, this.chosen));
    const next = items[Math.min(items.length - 1, Math.max(0, place + delta))];
    if (next === undefined || items.indexOf(next) === place) return false;
    this.choose(next);
    return true;
  }

  moveTo(end: "first" | "last"): void {
    const items = this.groups.flatMap((group) => group.items);
    const item = end === "first" ? items[0] : items.at(-1);
    if (item !== undefined) this.choose(item);
  }

  /** The one of several causes from which a playbook would be started. */
  pickCause(cause: CauseId): void {
    this.#picked = cause;
  }

  /** Only the playbooks that answer a cause; null for all. */
  setCause(cause: CauseId | null): void {
    this.#cause = cause;
    this.#picked = null;
    this.preview.close();
  }

  /** The playbooks that answer a cause, those that could run first. */
  answering(cause: CauseId): readonly PlaybookStatus[] {
    return this.#frames()
      .playbooks.filter((playbook) => answers(playbook, cause))
      .sort((a, b) => Number(b.wouldFire) - Number(a.wouldFire));
  }

  /** Begins with a cause: its playbooks, and the preview at once when there is only one. */
  beginFrom(cause: CauseId): void {
    this.setCause(cause);
    const [first, second] = this.answering(cause);
    if (first === undefined) return;
    this.choose({ type: "playbook", id: first.id });
    if (second === undefined) this.preview.open(first, cause);
  }

  /** The cause from which a playbook would be started: the chosen one, else the worst that fits. */
  causeFor(playbook: PlaybookStatus): CauseId | null {
    if (!playbook.needsCause) return null;
    const wanted = [this.#picked, this.#cause];
    const named = wanted.find((cause) => cause !== null && playbook.causes.includes(cause));
    return named ?? playbook.causes[0] ?? null;
  }

  /** Why a playbook cannot be previewed now, in a sentence; null when it can. */
  whyNoPreview(playbook: PlaybookStatus): string | null {
    const { actionsOff } = this.#frames();
    if (actionsOff !== null) return actionsOff;
    if (!this.#person().canAct) return "Your token lets you watch, not act.";
    return playbook.needsCause && this.causeFor(playbook) === null
      ? "It begins from a shared cause, and none of its kind is on the board."
      : null;
  }

  openPreview(playbook: PlaybookStatus): void {
    if (this.whyNoPreview(playbook) !== null) return;
    this.choose({ type: "playbook", id: playbook.id });
    this.preview.open(playbook, this.causeFor(playbook));
  }

  say(saying: Saying | null): void {
    this.#saying = saying;
    this.#reason = "";
    this.#refusal = null;
  }

  setReason(reason: string): void {
    this.#reason = reason;
  }

  /** Why something cannot be said to a run now, in a sentence; null when it can. */
  whyNot(what: Saying | "approve" | "answer", run: Run): string | null {
    if (this.#isSending) return "Asking the hub.";
    const { actionsOff, lever } = this.#frames();
    // What stops a run may be said while the view is stale.
    if (actionsOff !== null && (what !== "stop" || this.#frames().fault !== null))
      return actionsOff;
    const me = this.#person();
    switch (what) {
      case "approve":
      case "refuse":
        if (!me.canActOnAll) return "Only a commander approves.";
        if (what === "refuse") return null;
        if (this.isMine(run)) return "You asked for it: a second person approves, not you.";
        return lever.on ? `${lever.by} pulled the red lever: no run begins.` : null;
      case "answer":
        return me.canActOnAll ? null : "Only a commander answers.";
      case "stop":
        if (!me.canAct) return "Your token lets you watch, not act.";
        return isOver(run.state) ? "It is over." : null;
      case "rollBack":
        return this.#whyNoRollback(run);
      case "review":
        if (!me.canAct) return "Your token lets you watch, not act.";
        return this.isMine(run) ? "You began it: somebody else reviews it." : null;
    }
  }

  #whyNoRollback({ startedAt, state }: Run): string | null {
    const { lever } = this.#frames();
    if (!this.#person().canActOnAll) return "Only a commander undoes a run.";
    if (startedAt === null) return "It has changed nothing.";
    if (state.type === "rollingBack") return "It is being undone.";
    if (state.type === "rolledBack") return "It is undone as far as possible.";
    return lever.on ? `${lever.by} pulled the red lever: nothing is changed by itself.` : null;
  }

  /** It was previewed anew while this person looked at it: they look at what it is now first. */
  hasMoved(run: Run): boolean {
    return this.#seen?.run === run.id && this.#seen.fingerprint !== run.preview.fingerprint;
  }

  /** They have seen what it is now. */
  seeAsItIs(run: Run): void {
    this.#seen = { run: run.id, fingerprint: run.preview.fingerprint };
    this.#looksAt = null;
  }

  async approve(run: Run): Promise<void> {
    if (this.whyNot("approve", run) !== null || this.hasMoved(run)) return;
    const { fingerprint } = run.preview;
    await this.#send({ type: "approveRun", run: run.id, fingerprint });
  }

  async answer(run: Run, yes: boolean): Promise<void> {
    if (this.whyNot("answer", run) !== null) return;
    await this.#send({ type: "answerRun", run: run.id, yes });
  }

  /** Sends what is being written. */
  async sendWords(run: Run): Promise<void> {
    const saying = this.#saying;
    if (saying === null || this.whyNot(saying, run) !== null) return;
    const reason = this.#reason.trim();
    if (reason === "" && saying !== "stop") return;
    const id = run.id;
    const request: Request = {
      refuse: {
        type: "declineRun",
        run: id,
        fingerprint: run.preview.fingerprint,
        reason,
      } as const,
      stop: { type: "stopRun", run: id, reason } as const,
      rollBack: { type: "rollBackRun", run: id, reason } as const,
      review: { type: "reviewRun", run: id, note: reason } as const,
    }[saying];
    if (await this.#send(request)) this.say(null);
  }

  /** Asks for every call of a run, and again while it changes. */
  async showCalls(run: Run): Promise<void> {
    const reply = await this.#askCalls(run.id);
    if (reply.type === "runCalls") this.#keepCalls(reply.run, reply.calls);
    else if (reply.type === "refused") this.#refusal = reply.refusal;
  }

  #askCalls(run: RunId): Promise<Reply> {
    return this.#backend
      .request({ type: "showRun", run })
      .catch((error: unknown) => ({ type: "refused", refusal: refusalOf(error) }));
  }

  #keepCalls(run: RunId, calls: readonly RunCall[]): void {
    if (this.#chosen?.type === "run" && this.#chosen.id !== run) return;
    this.#calls = { run, calls, at: this.#frames().clock };
  }

  /** What was asked for once is kept true while the run changes. */
  async #followCalls(run: Run): Promise<void> {
    const { clock, actionsOff } = this.#frames();
    const known = this.#calls;
    if (known?.run !== run.id || this.#isAskingCalls || actionsOff !== null) return;
    if (run.updatedAt <= known.at || clock - known.at < CALLS_MS) return;
    this.#isAskingCalls = true;
    const reply = await this.#askCalls(run.id);
    this.#isAskingCalls = false;
    if (reply.type === "runCalls") this.#keepCalls(reply.run, reply.calls);
  }

  /** Follows what is open. Called before each frame is asked for. */
  settle(isOnScreen: boolean): void {
    const { chosen } = this;
    const run = isOnScreen && chosen?.type === "run" ? this.run(chosen.id) : undefined;
    const asked = run?.state.type === "awaitingApproval" && this.#person().canAct ? run : undefined;
    if ((asked?.id ?? null) !== this.#looksAt) this.#lookAt(asked);
    if (run !== undefined) void this.#followCalls(run);
    this.look.settle();
    if (isOnScreen) this.preview.look.settle();
  }

  #lookAt(run: Run | undefined): void {
    this.look.stop();
    this.#looksAt = run?.id ?? null;
    if (run === undefined) return;
    const { id, playbook, cause, preview } = run;
    if (this.#seen?.run !== id) this.#seen = { run: id, fingerprint: preview.fingerprint };
    this.look.start({ playbook, cause }, { preview, calls: null });
    void this.#seeSet(run);
  }

  /** The exact set is not in the record: it is asked for. */
  async #seeSet({ id, preview }: Run): Promise<void> {
    const reply = await this.#askCalls(id);
    if (reply.type !== "runCalls" || this.#looksAt !== id) return;
    const calls = new Map(reply.calls.map(({ call, becomes }) => [call, becomes]));
    this.look.see({ preview, calls });
  }

  /** True when it was taken. */
  async #send(request: Request): Promise<boolean> {
    this.#isSending = true;
    this.#refusal = null;
    const reply = await this.#backend
      .request(request)
      .catch((error: unknown) => ({ type: "refused" as const, refusal: refusalOf(error) }));
    this.#isSending = false;
    if (reply.type !== "refused") return true;
    this.#refusal = reply.refusal;
    return false;
  }

  #forgetWords(): void {
    this.#saying = null;
    this.#reason = "";
    this.#refusal = null;
  }
}

export function same(a: Chosen, b: Chosen | null): boolean {
  return b !== null && a.type === b.type && a.id === b.id;
}

function itemOf(run: Run): Chosen {
  return { type: "run", id: run.id };
}

function answers(playbook: PlaybookStatus, cause: CauseId): boolean {
  return playbook.needsCause && playbook.causes.includes(cause);
}

function folded(name: string): string {
  return name.trim().toLowerCase();
}
