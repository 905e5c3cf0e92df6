/** The export of the ledger of recoveries: everything that the hub keeps, as text to take away. */
import type { Backend } from "$lib/backend/backend";
import type { Ledger, Refusal } from "$lib/generated";
import { refusalOf } from "$lib/state/errors";

import { csvOf } from "./ledgerWords";

export type Format = "csv" | "json";

export type Export =
  | { readonly type: "closed" }
  | { readonly type: "asking"; readonly format: Format }
  | { readonly type: "shown"; readonly format: Format; readonly n: number; readonly text: string }
  | { readonly type: "refused"; readonly refusal: Refusal };

export class LedgerController {
  readonly #backend: Backend;
  #export = $state.raw<Export>({ type: "closed" });
  #question = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get export(): Export {
    return this.#export;
  }

  /** Asks for everything that is kept, which is more than is on screen. */
  async ask(format: Format): Promise<void> {
    const question = (this.#question += 1);
    this.#export = { type: "asking", format };
    const reply = await this.#backend
      .request({ type: "showLedger" })
      .catch((error: unknown) => ({ type: "refused" as const, refusal: refusalOf(error) }));
    if (question !== this.#question) return;
    if (reply.type === "ledger") {
      const { ledger } = reply;
      const text = textOf(ledger, format);
      this.#export = { type: "shown", format, n: ledger.recoveries.length, text };
    } else if (reply.type === "refused") {
      this.#export = { type: "refused", refusal: reply.refusal };
    }
  }

  close(): void {
    this.#question += 1;
    this.#export = { type: "closed" };
  }
}

function textOf(ledger: Ledger, format: Format): string {
  return format === "csv" ? csvOf(ledger) : JSON.stringify(ledger, null, 2);
}
