/**
 * Rows that hold still while somebody's pointer or focus is on them and moves.
 */

/**
 * How long rows are held after the last key or pointer move on them, in milliseconds. Long enough
 * to read a row and reach for a key; rows that are only left in focus go on.
 */
export const HOLD_MS = 10_000;

export abstract class Attended {
  readonly #clock: () => number;

  #hasPointer = $state.raw(false);
  #hasFocus = $state.raw(false);
  #stirredAt = $state.raw(0);

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Somebody is on the rows and moved lately. */
  get isAttended(): boolean {
    const isThere = this.#hasPointer || this.#hasFocus;
    return isThere && this.#clock() - this.#stirredAt < HOLD_MS;
  }

  setPointer(isIn: boolean): void {
    this.#hasPointer = isIn;
    this.stir();
  }

  setFocus(isIn: boolean): void {
    this.#hasFocus = isIn;
    this.stir();
  }

  /** Somebody pressed a key or moved the pointer on the rows. */
  stir(): void {
    this.#stirredAt = this.#clock();
  }
}
