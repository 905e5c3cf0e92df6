/** The red lever: one press asks, one press pulls it, and its release needs a reason. */
import type { Backend } from "$lib/backend/backend";
import type { FrameController } from "$lib/frame/frameController.svelte";
import type { Lever, Refusal } from "$lib/generated";
import { refusalOf } from "$lib/state/errors";

import { isActing } from "./runWords";

/** What the lever would stop, as far as it is told. */
export interface Stops {
  readonly acting: number;
  readonly waiting: number;
  readonly armed: number;
}

export class LeverController {
  readonly #backend: Backend;
  readonly #frames: () => FrameController;

  #isOpen = $state.raw(false);
  #reason = $state.raw("");
  #isSending = $state.raw(false);
  #refusal = $state.raw<Refusal | null>(null);

  constructor(backend: Backend, frames: () => FrameController) {
    this.#backend = backend;
    this.#frames = frames;
  }

  get lever(): Lever {
    return this.#frames().lever;
  }
  get isOpen(): boolean {
    return this.#isOpen;
  }
  get reason(): string {
    return this.#reason;
  }
  get isSending(): boolean {
    return this.#isSending;
  }
  get refusal(): Refusal | null {
    return this.#refusal;
  }

  get stops(): Stops {
    const { runs, playbooks } = this.#frames();
    return {
      acting: runs.filter(({ state }) => isActing(state)).length,
      waiting: runs.filter(({ state }) => state.type === "awaitingApproval").length,
      armed: playbooks.filter(({ armed }) => armed).length,
    };
  }

  toggle(): void {
    if (this.#isOpen) this.close();
    else this.open();
  }

  open(): void {
    this.#isOpen = true;
    this.#reason = "";
    this.#refusal = null;
  }

  close(): void {
    this.#isOpen = false;
  }

  setReason(reason: string): void {
    this.#reason = reason;
  }

  /** Why it cannot be moved, in a sentence; null when it can. A stale view does not hold it up. */
  whyNot({ canPull, canRelease }: { canPull: boolean; canRelease: boolean }): string | null {
    if (this.#isSending) return "Asking the hub.";
    if (!this.lever.on) return canPull ? null : "Only a supervisor or a commander pulls it.";
    if (!canRelease) return "Only a commander releases it.";
    const { actionsOff } = this.#frames();
    if (actionsOff !== null) return actionsOff;
    return this.#reason.trim() === "" ? "Write why automation may go on." : null;
  }

  /** Pulls it, or releases it. */
  async move(rights: { canPull: boolean; canRelease: boolean }): Promise<void> {
    if (!this.#isOpen || this.whyNot(rights) !== null) return;
    const on = !this.lever.on;
    this.#isSending = true;
    this.#refusal = null;
    const reply = await this.#backend
      .request({ type: "lever", on, reason: this.#reason.trim() })
      .catch((error: unknown) => ({ type: "refused" as const, refusal: refusalOf(error) }));
    this.#isSending = false;
    if (reply.type === "refused") this.#refusal = reply.refusal;
    else this.close();
  }
}
