/**
 * Keeps asking what a run would do now, so that a person who decides on a preview sees what changed
 * since. It looks under an id of its own: what the person decides on stays as it was shown.
 */
import type { Backend } from "$lib/backend/backend";
import type { FrameController } from "$lib/frame/frameController.svelte";
import type { CauseId, PlaybookId, Refusal, RunId, RunPreview } from "$lib/generated";
import { refusalOf } from "$lib/state/errors";

import { type Change, changesOf, type Seen } from "./changes";

/** Between two looks: a person who reads sees the last of them, and the hub has little to do. */
export const LOOK_MS = 4_000;

/** What is looked at again. */
export interface Subject {
  readonly playbook: PlaybookId;
  readonly cause: CauseId | null;
}

export class LookController {
  readonly #backend: Backend;
  readonly #frames: () => FrameController;
  readonly #newId: () => RunId;

  #subject: Subject | null = null;
  #id: RunId = "";
  #isAsking = false;
  #question = 0;

  #seen = $state.raw<Seen | null>(null);
  #now = $state.raw<RunPreview | null>(null);
  #at = $state.raw(0);
  #refusal = $state.raw<Refusal | null>(null);

  constructor(backend: Backend, frames: () => FrameController, newId: () => RunId) {
    this.#backend = backend;
    this.#frames = frames;
    this.#newId = newId;
  }

  /** What the run would do now; null before the first look. */
  get now(): RunPreview | null {
    return this.#now;
  }
  /** When it was looked at last, on the hub's clock; 0 before the first look. */
  get at(): number {
    return this.#at;
  }
  /** Why it could not be looked at; null when it could. */
  get refusal(): Refusal | null {
    return this.#refusal;
  }

  /** What changed since it was seen; null before the first look. */
  readonly changes: readonly Change[] | null = $derived.by(() => {
    if (this.#seen === null || this.#now === null) return null;
    return changesOf(this.#seen, this.#now);
  });

  start(subject: Subject, seen: Seen): void {
    this.stop();
    this.#subject = subject;
    this.#seen = seen;
    this.#id = this.#newId();
    this.#at = this.#frames().clock;
  }

  /** The exact set is told later than the preview. */
  see(seen: Seen): void {
    this.#seen = seen;
  }

  stop(): void {
    this.#question += 1;
    this.#subject = null;
    this.#seen = null;
    this.#now = null;
    this.#refusal = null;
    this.#isAsking = false;
    this.#at = 0;
  }

  /** Looks when it is time. Called before each frame is asked for. */
  settle(): void {
    const subject = this.#subject;
    const { clock, actionsOff } = this.#frames();
    if (subject === null || this.#isAsking || actionsOff !== null) return;
    if (clock - this.#at < LOOK_MS) return;
    void this.#look(subject);
  }

  async #look({ playbook, cause }: Subject): Promise<void> {
    const question = (this.#question += 1);
    this.#isAsking = true;
    const reply = await this.#backend
      .request({ type: "previewRun", run: this.#id, playbook, cause })
      .catch((error: unknown) => ({ type: "refused" as const, refusal: refusalOf(error) }));
    if (question !== this.#question) return;
    this.#isAsking = false;
    this.#at = this.#frames().clock;
    if (reply.type === "runPreview") {
      this.#now = reply.preview;
      this.#refusal = null;
    } else if (reply.type === "refused") {
      this.#refusal = reply.refusal;
    }
  }
}
