/** What the board explains beside a cell. */
import type { CallSummary, Layer } from "$lib/generated";

/** A layer of a call, or its need when `layer` is null. */
export interface RowNote {
  readonly call: CallSummary;
  readonly layer: Layer | null;
  /** Where the explained cell is on screen. */
  readonly box: DOMRect;
}
