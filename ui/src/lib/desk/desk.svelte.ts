/** Everything behind the window, put together once and given to components by context. */
import { createContext } from "svelte";

import { AgentController } from "$lib/agent/agentController.svelte";
import type { Backend } from "$lib/backend/backend";
import { BoardController } from "$lib/board/boardController.svelte";
import { CausesController } from "$lib/cause/causesController.svelte";
import { FrameController, type Schedule } from "$lib/frame/frameController.svelte";
import type { CallId, CauseId, RunId } from "$lib/generated";
import {
  type ActionName,
  failingLayer,
  isSwitchable,
  NO_RIGHT,
  type Reach,
  whyOff,
  whyOffCause,
} from "$lib/sheet/actions";
import { LedgerController } from "$lib/ledger/ledgerController.svelte";
import { LeverController } from "$lib/run/leverController.svelte";
import { RunsController } from "$lib/run/runsController.svelte";
import { SheetController, type Subject } from "$lib/sheet/sheetController.svelte";
import {
  canAct,
  canActOnAll,
  ShellController,
  type Storage,
  type ViewName,
  viewsOf,
} from "$lib/shell/shellController.svelte";

/** What the desk needs of the world outside. */
export interface Outside {
  readonly backend: Backend;
  readonly schedule: Schedule;
  readonly storage: Storage;
  /** Makes the id of an act; ids never repeat. */
  readonly newActId: () => string;
}

export class Desk {
  readonly frames: FrameController;
  readonly board: BoardController;
  readonly causes: CausesController;
  readonly sheet: SheetController;
  readonly agent: AgentController;
  readonly runs: RunsController;
  readonly lever: LeverController;
  readonly ledger: LedgerController;
  readonly shell: ShellController;

  constructor({ backend, schedule, storage, newActId }: Outside) {
    this.board = new BoardController(() => this.frames);
    this.causes = new CausesController(() => this.frames, this.board);
    this.frames = new FrameController(backend, schedule, () => {
      this.causes.settle();
      this.runs.settle(this.view === "runs");
      return { ...this.board.takeView(), open: this.openId };
    });
    this.sheet = new SheetController(backend, this.frames, newActId);
    this.agent = new AgentController(backend, this.frames);
    this.runs = new RunsController(
      backend,
      () => this.frames,
      newActId,
      () => ({
        name: this.frames.status?.identity?.name ?? "",
        canAct: this.canAct,
        canActOnAll: this.canActOnAll,
      }),
    );
    this.ledger = new LedgerController(backend);
    this.lever = new LeverController(backend, () => this.frames);
    this.shell = new ShellController(storage);
  }

  /** The views that this person's token opens. */
  get views(): readonly ViewName[] {
    return viewsOf(this.frames.status?.identity ?? null);
  }

  /** The view on screen: the chosen one, or the first that the token opens. */
  get view(): ViewName {
    const { views } = this;
    return views.includes(this.shell.view) ? this.shell.view : (views[0] ?? "now");
  }

  /** The one call that is told in full. */
  get openId(): CallId | null {
    if (this.view === "agent") return this.agent.openId;
    return this.board.openId ?? this.#sheetCall;
  }

  get canAct(): boolean {
    return canAct(this.frames.status?.identity ?? null);
  }

  get canActOnAll(): boolean {
    return canActOnAll(this.frames.status?.identity ?? null);
  }

  /** Why an action on the chosen calls is off, in a sentence; null when it can be asked for. */
  whyOff(action: ActionName): string | null {
    return whyOff(action, this.#reach);
  }

  /** Opens the sheet of an action on the chosen calls, unless it is off. */
  act(action: ActionName): void {
    if (this.whyOff(action) !== null) return;
    const calls = this.board.chosen;
    this.openSheet({ type: "calls", action, calls }, { layer: failingLayer(this.#reach.calls) });
  }

  /** Why an action on a cause group is off, in a sentence; null when it can be asked for. */
  whyOffCause(action: ActionName, id: CauseId): string | null {
    return whyOffCause(action, {
      actionsOff: this.frames.actionsOff,
      canAct: this.canAct,
      group: this.causes.group(id),
      platform: this.frames.platform,
    });
  }

  /** Opens the sheet of an action on the calls of a cause group, unless it is off. */
  actOnCause(action: ActionName, id: CauseId): void {
    const group = this.causes.group(id);
    if (group === undefined || this.whyOffCause(action, id) !== null) return;
    const calls = group.calls.flatMap((call) => this.board.rowOf(call) ?? []);
    this.openSheet(
      { type: "cause", action, cause: id },
      {
        layer: isSwitchable(group.layer) ? group.layer : failingLayer(calls),
        tools: group.traits.flatMap(({ dimension, value }) =>
          dimension === "tool" ? [value] : [],
        ),
      },
    );
  }

  /** Opens the sheet of an action on every live call that the AI serves. */
  actOnAll(action: ActionName): void {
    if (this.frames.actionsOff !== null || !this.canActOnAll) return;
    this.openSheet({ type: "allCalls", action });
  }

  openSheet(subject: Subject, choice?: Parameters<SheetController["open"]>[1]): void {
    this.board.setHeld(subject.type !== "startFault" && subject.type !== "stopFault");
    this.sheet.open(subject, choice);
  }

  closeSheet(): void {
    this.sheet.close();
    this.board.setHeld(false);
  }

  /** Goes to the board and opens a call there. */
  showCall(id: CallId): void {
    this.shell.go("now");
    this.board.openCall(id);
  }

  /** Goes to the board and to a cause group there. */
  showCause(id: CauseId): void {
    this.shell.go("now");
    this.causes.focus(id);
  }

  /** Goes to a run. */
  showRun(id: RunId): void {
    this.shell.go("runs");
    this.runs.choose({ type: "run", id });
  }

  /** Goes to the run that waits for this person the longest. */
  showWaiting(): void {
    const run = this.runs.waiting.at(-1);
    if (run !== undefined && this.views.includes("runs")) this.showRun(run.id);
  }

  /** Why no run can be begun from a cause, in a sentence; null when one can be looked at. */
  whyNoRun(id: CauseId): string | null {
    if (this.frames.actionsOff !== null) return this.frames.actionsOff;
    if (!this.canAct) return NO_RIGHT;
    const group = this.causes.group(id);
    if (group === undefined || group.state === "closed") return "The cause is over.";
    return this.runs.answering(id).length === 0 ? "No playbook answers this cause." : null;
  }

  /** Goes to the playbooks that answer a cause, unless there is none. */
  runFromCause(id: CauseId): void {
    if (this.whyNoRun(id) !== null) return;
    this.shell.go("runs");
    this.runs.beginFrom(id);
  }

  /** Who may move the red lever. */
  get leverRights(): { readonly canPull: boolean; readonly canRelease: boolean } {
    return { canPull: this.canAct, canRelease: this.canActOnAll };
  }

  get #sheetCall(): CallId | null {
    const { subject } = this.sheet;
    return subject?.type === "calls" && subject.calls.length === 1
      ? (subject.calls[0] ?? null)
      : null;
  }

  get #reach(): Reach {
    const { chosen } = this.board;
    const only = chosen.length === 1 ? chosen[0] : undefined;
    const detail = only === undefined ? undefined : this.frames.detail(only);
    return {
      actionsOff: this.frames.actionsOff,
      canAct: this.canAct,
      chosen: chosen.length,
      calls: chosen.flatMap(
        (id) => this.board.rowOf(id) ?? (id === only ? (detail?.summary ?? []) : []),
      ),
      platform: this.frames.platform,
      capabilities: detail?.capabilities ?? null,
    };
  }
}

export const [getDesk, setDesk] = createContext<Desk>();
