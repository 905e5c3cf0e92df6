/**
 * The preview of a run, from the question to its start.
 *
 * ```text
 * closed -> asking -> shown -> starting -> closed (the run is told from here on)
 *             ^         |          |
 *             +---------+----------+--> refused
 * ```
 *
 * What a person starts is what they saw: the fingerprint goes with the start, and what changed
 * since is shown beside it.
 */
import type { Backend } from "$lib/backend/backend";
import type { FrameController } from "$lib/frame/frameController.svelte";
import type {
  CauseId,
  PlaybookId,
  PlaybookStatus,
  Refusal,
  RunId,
  RunPreview,
} from "$lib/generated";
import { assertNever } from "$lib/state/assertNever";
import { refusalOf } from "$lib/state/errors";

import { setOf } from "./changes";
import { LookController } from "./lookController.svelte";
import { breakGlassOf } from "./playbookWords";

export type PreviewStage =
  | { readonly type: "asking" }
  | { readonly type: "shown"; readonly preview: RunPreview }
  | { readonly type: "starting"; readonly preview: RunPreview }
  | {
      readonly type: "refused";
      readonly refusal: Refusal;
      /** What was seen before the start was refused; null when the question itself was. */
      readonly preview: RunPreview | null;
    };

interface Asked {
  readonly run: RunId;
  readonly playbook: PlaybookId;
  readonly cause: CauseId | null;
}

export class PreviewController {
  readonly #backend: Backend;
  readonly #frames: () => FrameController;
  readonly #newId: () => RunId;
  readonly #started: (run: RunId) => void;
  readonly look: LookController;

  #asked = $state.raw<Asked | null>(null);
  #stage = $state.raw<PreviewStage>({ type: "asking" });
  #isAlone = $state.raw(false);
  #reason = $state.raw("");
  #question = 0;

  constructor(
    backend: Backend,
    frames: () => FrameController,
    newId: () => RunId,
    started: (run: RunId) => void,
  ) {
    this.#backend = backend;
    this.#frames = frames;
    this.#newId = newId;
    this.#started = started;
    this.look = new LookController(backend, frames, newId);
  }

  get isOpen(): boolean {
    return this.#asked !== null;
  }
  get playbook(): PlaybookId | null {
    return this.#asked?.playbook ?? null;
  }
  get cause(): CauseId | null {
    return this.#asked?.cause ?? null;
  }
  get stage(): PreviewStage {
    return this.#stage;
  }
  /** One person goes on alone instead of asking a second. */
  get isAlone(): boolean {
    return this.#isAlone;
  }
  get reason(): string {
    return this.#reason;
  }

  /** The preview on screen; null while none was told. */
  get preview(): RunPreview | null {
    return this.#stage.type === "asking" ? null : this.#stage.preview;
  }

  /** The fewest characters of the reason; null when none is needed. */
  get reasonMin(): number | null {
    const { preview } = this;
    if (preview === null) return null;
    const isAlone = this.#isAlone || preview.approval.class === "break_glass";
    return isAlone ? (breakGlassOf(preview.approval)?.reason_chars_min ?? null) : null;
  }

  /** One person may go on alone although the playbook asks for two. */
  get canGoAlone(): boolean {
    const approval = this.preview?.approval;
    return approval?.class === "two_person" && approval.break_glass !== undefined;
  }

  open(playbook: PlaybookStatus, cause: CauseId | null): void {
    this.#ask({ run: this.#newId(), playbook: playbook.id, cause });
  }

  /** Asks anew, under the same id: what was seen before cannot be started any more. */
  again(): void {
    if (this.#asked !== null) this.#ask(this.#asked);
  }

  close(): void {
    this.#question += 1;
    this.#asked = null;
    this.#stage = { type: "asking" };
    this.#isAlone = false;
    this.#reason = "";
    this.look.stop();
  }

  setAlone(isAlone: boolean): void {
    this.#isAlone = isAlone && this.canGoAlone;
  }

  setReason(reason: string): void {
    this.#reason = reason;
  }

  /** Why it cannot be started now, in a sentence; null when it can. */
  whyNotYet(canStart: boolean): string | null {
    const { actionsOff, lever } = this.#frames();
    if (actionsOff !== null) return actionsOff;
    switch (this.#stage.type) {
      case "asking":
        return "Asking the hub what it would do.";
      case "starting":
        return "Asking the hub to begin.";
      case "refused":
        return this.#stage.preview === null ? "The hub refused." : "Preview it again first.";
      case "shown":
        break;
      default:
        return assertNever(this.#stage);
    }
    if (!canStart) return "Only a commander begins a run; you can look.";
    if (lever.on) return `${lever.by} pulled the red lever: no run begins until it is released.`;
    const { preview } = this.#stage;
    if (!preview.wouldFire) return "Preconditions do not hold, as the list says.";
    const min = this.reasonMin;
    const left = min === null ? 0 : Math.max(min, 1) - Array.from(this.#reason.trim()).length;
    return left > 0
      ? `Write why: ${left.toString()} more ${left === 1 ? "character" : "characters"}.`
      : null;
  }

  async start(canStart: boolean): Promise<void> {
    const stage = this.#stage;
    const asked = this.#asked;
    if (asked === null || stage.type !== "shown" || this.whyNotYet(canStart) !== null) return;
    const { preview } = stage;
    const { run } = asked;
    const reason = this.reasonMin === null ? null : this.#reason.trim();
    this.#stage = { type: "starting", preview };
    const question = (this.#question += 1);
    const reply = await this.#backend
      .request({ type: "startRun", run, fingerprint: preview.fingerprint, reason })
      .catch((error: unknown) => ({ type: "refused" as const, refusal: refusalOf(error) }));
    if (question !== this.#question) return;
    if (reply.type === "refused") {
      this.#stage = { type: "refused", refusal: reply.refusal, preview };
      return;
    }
    this.close();
    this.#started(run);
  }

  #ask(asked: Asked): void {
    this.#asked = asked;
    this.#stage = { type: "asking" };
    this.look.stop();
    void this.#preview(asked, (this.#question += 1));
  }

  async #preview({ run, playbook, cause }: Asked, question: number): Promise<void> {
    const reply = await this.#backend
      .request({ type: "previewRun", run, playbook, cause })
      .catch((error: unknown) => ({ type: "refused" as const, refusal: refusalOf(error) }));
    if (question !== this.#question) return;
    if (reply.type === "runPreview") {
      const { preview } = reply;
      this.#stage = { type: "shown", preview };
      this.look.start({ playbook, cause }, { preview, calls: setOf(preview) });
      return;
    }
    const refusal =
      reply.type === "refused"
        ? reply.refusal
        : ({
            code: "internal",
            message: "The hub answered with something else than a preview.",
          } as const);
    this.#stage = { type: "refused", refusal, preview: null };
  }
}
