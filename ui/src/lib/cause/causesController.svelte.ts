/**
 * The shared causes above the calls: their rows, the cursor among them, and the board filtered to
 * the calls of one.
 *
 * The hub orders them. While somebody's pointer or focus is on them or on the calls below, no row
 * comes, goes or changes its place: what is new is counted, what is gone stays as closed.
 */
import { Attended } from "$lib/board/attended.svelte";
import type { BoardController } from "$lib/board/boardController.svelte";
import type { FrameController } from "$lib/frame/frameController.svelte";
import type { CauseGroup, CauseId } from "$lib/generated";

import { nameOf } from "./causeWords";

/** A row that asks for the focus; a new object for each time that it is asked for. */
export interface Reveal {
  readonly id: CauseId;
}

export class CausesController extends Attended {
  readonly #frames: () => FrameController;
  readonly #board: BoardController;

  #rows = $state.raw<readonly CauseGroup[]>([]);
  #cursor = $state.raw<CauseId | null>(null);
  #reveal = $state.raw<Reveal | null>(null);
  #filterName = $state.raw("");

  #told: readonly CauseGroup[] = [];
  #thawOnce = false;

  constructor(frames: () => FrameController, board: BoardController) {
    super(() => frames().clock);
    this.#frames = frames;
    this.#board = board;
  }

  /** What is painted, in order. */
  get rows(): readonly CauseGroup[] {
    return this.#rows;
  }

  /** Groups that are told and wait for a place, because the rows are held still. */
  get waiting(): readonly CauseGroup[] {
    const shown = new Set(this.#rows.map(({ id }) => id));
    return this.#frames().causes.filter(({ id, state }) => !shown.has(id) && state !== "closed");
  }

  get isHeld(): boolean {
    return this.isAttended || this.#board.isFrozen;
  }

  /** Takes what was told last into the rows. Called before each frame is asked for. */
  settle(): void {
    const told = this.#frames().causes;
    const isHeld = this.isHeld && !this.#thawOnce;
    if (told === this.#told && (isHeld || this.#rows === told)) return;
    this.#told = told;
    this.#thawOnce = false;
    this.#rows = isHeld ? held(this.#rows, told) : told;
  }

  /** Takes the hub's order once, although somebody is here. */
  refreshOrder(): void {
    this.#thawOnce = true;
    this.#told = [];
  }

  /** The group as it was told last, or as it is still shown. */
  group(id: CauseId): CauseGroup | undefined {
    return (
      this.#frames().causes.find((group) => group.id === id) ??
      this.#rows.find((group) => group.id === id)
    );
  }

  // The cursor.

  /** The row that Tab reaches: the last one that was on, else the first. */
  get cursorId(): CauseId | null {
    const first = this.#rows[0]?.id ?? null;
    return this.#rows.some(({ id }) => id === this.#cursor) ? this.#cursor : first;
  }

  /** The row that asks for the focus. */
  get reveal(): Reveal | null {
    return this.#reveal;
  }

  moveTo(id: CauseId): void {
    this.#cursor = id;
  }

  /** Moves the focus by `delta` rows. False beyond the last: the calls begin there. */
  move(delta: number): boolean {
    const from = this.#rows.findIndex(({ id }) => id === this.cursorId);
    const to = Math.max(0, from + delta);
    const row = this.#rows[to];
    if (row === undefined) return false;
    this.focus(row.id);
    return true;
  }

  /** Asks for the focus on a row; on one that waits for its place, too. */
  focus(id: CauseId): void {
    if (!this.#rows.some((row) => row.id === id)) {
      if (this.group(id) === undefined) return;
      this.refreshOrder();
      this.settle();
    }
    this.#cursor = id;
    this.#reveal = { id };
  }

  // The board.

  isFilter(id: CauseId): boolean {
    return this.#board.filter.cause === id;
  }

  /** The name of the cause to which the board is filtered; null when it is not. */
  get filterName(): string | null {
    const { cause } = this.#board.filter;
    if (cause === null) return null;
    const group = this.group(cause);
    return group === undefined ? this.#filterName : nameOf(group);
  }

  /** Shows only the calls of a group, or all again. */
  toggleFilter(id: CauseId): void {
    const group = this.group(id);
    if (this.isFilter(id) || group === undefined) {
      this.#board.setFilter({ cause: null });
      return;
    }
    this.#filterName = nameOf(group);
    this.#board.setFilter({ cause: id });
  }
}

/** The rows as they stand, with what is new of each. One that is no longer told is closed. */
function held(rows: readonly CauseGroup[], told: readonly CauseGroup[]): readonly CauseGroup[] {
  return rows.map((row) => {
    const now = told.find(({ id }) => id === row.id);
    return now ?? { ...row, state: "closed", failing: 0, waiting: 0, calls: [] };
  });
}
