/**
 * What a supervisor looks at and has chosen: the rows in view, the cursor, the marks, the filter.
 *
 * The order is the console's; this holds it still while somebody's pointer or focus is on it and
 * moves.
 */
import type { FrameController, View } from "$lib/frame/frameController.svelte";
import type { BoardFilter, CallId, CallSummary } from "$lib/generated";

import { Attended } from "./attended.svelte";
import { NO_FILTER } from "./filter";

/** Rows asked for beyond each edge of the view, so that a scroll step shows no blank row. */
const OVERSCAN = 8;

/** The most rows that one frame carries, by the contract. */
export const ROWS_MAX = 200;

interface Cursor {
  /** Where it stands. */
  readonly index: number;
  /** On which call; null until the row there is told. */
  readonly id: CallId | null;
}

export class BoardController extends Attended {
  readonly #frames: () => FrameController;

  #top = $state.raw(0);
  #inView = $state.raw(40);
  #filter = $state.raw(NO_FILTER);
  #held = $state.raw(false);
  #cursor = $state.raw<Cursor | null>(null);
  #marks = $state.raw<ReadonlySet<CallId>>(new Set());
  #isOpen = $state.raw(false);
  #markNote = $state.raw<string | null>(null);

  #anchor: number | null = null;
  #thawOnce = false;

  /** `frames` is a closure, because the frames ask this controller what is in view. */
  constructor(frames: () => FrameController) {
    super(() => frames().clock);
    this.#frames = frames;
  }

  // What is in view.

  get filter(): BoardFilter {
    return this.#filter;
  }
  get total(): number {
    return this.#frames().board?.total ?? 0;
  }
  get isFrozen(): boolean {
    return this.#held || this.isAttended;
  }
  get isFiltered(): boolean {
    const { queue, text, cause, needAtLeast } = this.#filter;
    return queue !== null || text !== "" || cause !== null || needAtLeast !== "calm";
  }

  /** The first row index to paint and how many, at most {@link ROWS_MAX}. */
  get window(): { first: number; count: number } {
    const first = Math.max(0, this.#top - OVERSCAN);
    return { first, count: Math.min(ROWS_MAX, this.#inView + 2 * OVERSCAN) };
  }

  /** The part of the next frame request that the board decides. */
  takeView(): Omit<View, "open"> {
    const frozen = this.isFrozen && !this.#thawOnce;
    this.#thawOnce = false;
    return { ...this.window, frozen, filter: this.#filter };
  }

  rowAt(index: number): CallSummary | undefined {
    const board = this.#frames().board;
    return board === null ? undefined : board.rows[index - board.first];
  }

  /** The row of a call that is in view. */
  rowOf(id: CallId): CallSummary | undefined {
    return this.#frames().board?.rows.find((row) => row.id === id);
  }

  setViewport(top: number, inView: number): void {
    this.#top = top;
    this.#inView = inView;
  }

  /** Holds the order for as long as a sheet speaks of what was chosen. */
  setHeld(isHeld: boolean): void {
    this.#held = isHeld;
  }

  /** Takes the newest order once, although somebody is on the list. */
  refreshOrder(): void {
    this.#thawOnce = true;
    this.#cursor = null;
    this.#anchor = null;
  }

  setFilter(change: Partial<BoardFilter>): void {
    this.#filter = { ...this.#filter, ...change };
    this.#thawOnce = true;
    this.#top = 0;
    this.#cursor = this.#isOpen ? this.#cursor : null;
    this.#anchor = null;
  }

  clearFilter(): void {
    this.setFilter(NO_FILTER);
  }

  // The cursor.

  /** The place of the cursor: its call's, or where it was left when the call is not in view. */
  get cursorIndex(): number | null {
    const cursor = this.#cursor;
    if (cursor === null) return null;
    const board = this.#frames().board;
    if (board === null || cursor.id === null) return cursor.index;
    const place = board.rows.findIndex((row) => row.id === cursor.id);
    return place < 0 ? cursor.index : board.first + place;
  }

  /** The call under the cursor. */
  get cursorId(): CallId | null {
    const cursor = this.#cursor;
    return cursor === null ? null : (cursor.id ?? this.rowAt(cursor.index)?.id ?? null);
  }

  /** The call whose detail is open: always the one under the cursor, so that a letter acts on it. */
  get openId(): CallId | null {
    return this.#isOpen ? this.cursorId : null;
  }

  /** Moves by `delta` rows; with `extend` everything from the anchor to there is marked. */
  move(delta: number, extend = false): void {
    const from = this.cursorIndex;
    this.moveTo(from === null ? (delta > 0 ? 0 : this.total - 1) : from + delta, extend);
  }

  moveTo(index: number, extend = false): void {
    if (this.total === 0) return;
    const to = Math.min(Math.max(0, index), this.total - 1);
    if (extend) {
      this.#anchor ??= this.cursorIndex ?? to;
      this.#markRange(this.#anchor, to);
    } else {
      this.#anchor = null;
    }
    this.#cursor = { index: to, id: this.rowAt(to)?.id ?? null };
  }

  open(): void {
    if (this.#cursor === null) this.move(1);
    this.#isOpen = this.#cursor !== null;
  }

  /** Opens a call by its id, wherever it stands. */
  openCall(id: CallId): void {
    const board = this.#frames().board;
    const place = board?.rows.findIndex((row) => row.id === id) ?? -1;
    this.#cursor = { index: place < 0 || board === null ? 0 : board.first + place, id };
    this.#isOpen = true;
  }

  close(): void {
    this.#isOpen = false;
  }

  /**
   * One step back: the detail, then the marks, then the cause, then the rest of the filter. False
   * when nothing was left.
   */
  back(): boolean {
    if (this.#isOpen) this.close();
    else if (this.#marks.size > 0) this.clearMarks();
    else if (this.#filter.cause !== null) this.setFilter({ cause: null });
    else if (this.isFiltered) this.clearFilter();
    else return false;
    return true;
  }

  // Marks.

  get marks(): ReadonlySet<CallId> {
    return this.#marks;
  }

  /** What marking everything did not reach; null when there is nothing to say. */
  get markNote(): string | null {
    return this.#markNote;
  }

  /** The calls that a letter acts on: the marked ones, else the one under the cursor. */
  get chosen(): readonly CallId[] {
    if (this.#marks.size > 0) return [...this.#marks];
    const id = this.cursorId;
    return id === null ? [] : [id];
  }

  toggleMark(id: CallId | null = this.cursorId): void {
    if (id === null) return;
    const marks = new Set(this.#marks);
    if (!marks.delete(id)) marks.add(id);
    this.#setMarks(marks);
  }

  clearMarks(): void {
    this.#setMarks(new Set());
    this.#anchor = null;
  }

  /** Marks every call under the filter, up to {@link ROWS_MAX} in order of need. */
  async markAll(): Promise<void> {
    const board = await this.#frames().query(this.#filter, 0, ROWS_MAX);
    this.#setMarks(new Set(board.rows.map((row) => row.id)));
    if (board.total > board.rows.length) {
      this.#markNote = `the first ${board.rows.length.toString()} by need, of ${board.total.toString()}`;
    }
  }

  #markRange(a: number, b: number): void {
    const marks = new Set(this.#marks);
    for (let index = Math.min(a, b); index <= Math.max(a, b); index += 1) {
      const row = this.rowAt(index);
      if (row !== undefined) marks.add(row.id);
    }
    this.#setMarks(marks);
  }

  #setMarks(marks: ReadonlySet<CallId>): void {
    this.#marks = marks;
    this.#markNote = null;
  }
}
