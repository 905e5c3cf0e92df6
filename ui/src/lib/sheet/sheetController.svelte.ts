/**
 * The sheet of one act: choose, see whom it touches, confirm, watch what comes of it.
 *
 * ```text
 * choosing -> asking -> shown -> sending -> acting
 *     ^          |        |         |
 *     +----------+--------+---------+--> refused
 * ```
 *
 * Nothing is shown as done before the records say so.
 */
import type { Backend } from "$lib/backend/backend";
import type { FrameController } from "$lib/frame/frameController.svelte";
import type {
  ActId,
  ActPreview,
  ActVerb,
  ActView,
  CallId,
  CauseId,
  CauseReach,
  Excluded,
  FaultOffer,
  FaultScope,
  Handoff,
  HandoffId,
  Refusal,
  SourceId,
  Target,
} from "$lib/generated";
import { assertNever } from "$lib/state/assertNever";
import { refusalOf } from "$lib/state/errors";

import { type ActionName, actionWords, type Choice, verbOf } from "./actions";

/** What the sheet is about. */
export type Subject =
  | { readonly type: "calls"; readonly action: ActionName; readonly calls: readonly CallId[] }
  | { readonly type: "cause"; readonly action: ActionName; readonly cause: CauseId }
  | { readonly type: "allCalls"; readonly action: ActionName }
  | { readonly type: "startFault"; readonly source: SourceId; readonly fault: FaultOffer }
  | {
      readonly type: "stopFault";
      readonly source: SourceId;
      /** null for all. */
      readonly id: string | null;
      readonly title: string;
    };

export type Stage =
  | { readonly type: "choosing" }
  | { readonly type: "asking" }
  | { readonly type: "shown"; readonly preview: ActPreview }
  | { readonly type: "sending"; readonly preview: ActPreview }
  | {
      readonly type: "acting";
      readonly act: ActId;
      readonly expected: number;
      readonly handoffs: readonly HandoffId[];
      readonly excluded: readonly Excluded[];
    }
  | { readonly type: "refused"; readonly refusal: Refusal };

const NO_CHOICE: Choice = { layer: "llm", to: null, tools: [], text: "" };

export class SheetController {
  readonly #backend: Backend;
  readonly #frames: FrameController;
  readonly #newActId: () => ActId;

  #subject = $state.raw<Subject | null>(null);
  #choice = $state.raw<Choice>(NO_CHOICE);
  #scope = $state.raw<FaultScope>({});
  #reach = $state.raw<CauseReach>("failing");
  #stage = $state.raw<Stage>({ type: "choosing" });

  /** Counts questions, so that an answer to an older one is thrown away. */
  #question = 0;

  constructor(backend: Backend, frames: FrameController, newActId: () => ActId) {
    this.#backend = backend;
    this.#frames = frames;
    this.#newActId = newActId;
  }

  get subject(): Subject | null {
    return this.#subject;
  }
  get choice(): Choice {
    return this.#choice;
  }
  get scope(): FaultScope {
    return this.#scope;
  }
  /** Which calls of a cause group the act is for. */
  get reach(): CauseReach {
    return this.#reach;
  }
  get stage(): Stage {
    return this.#stage;
  }
  get isOpen(): boolean {
    return this.#subject !== null;
  }

  get title(): string {
    const subject = this.#subject;
    if (subject === null) return "";
    switch (subject.type) {
      case "calls":
      case "cause":
      case "allCalls":
        return actionWords[subject.action].title;
      case "startFault":
        return `Start fault: ${subject.fault.title}`;
      case "stopFault":
        return subject.title;
      default:
        return assertNever(subject);
    }
  }

  /** The preview that is on screen, also while the act is being sent. */
  get preview(): ActPreview | null {
    const stage = this.#stage;
    return stage.type === "shown" || stage.type === "sending" ? stage.preview : null;
  }

  /** Why Enter does nothing now, in a sentence; null when it confirms. */
  get whyNotYet(): string | null {
    const off = this.#frames.actionsOff;
    if (off !== null) return off;
    switch (this.#stage.type) {
      case "choosing":
        return "Write first what callers shall hear.";
      case "asking":
        return "Asking the hub whom it touches.";
      case "sending":
        return "Asking the hub to do it.";
      case "shown":
        return this.#isFleetWide || this.#stage.preview.calls.length > 0
          ? null
          : "It would touch no call.";
      case "acting":
        return "It is under way.";
      case "refused":
        return "It was refused.";
      default:
        return assertNever(this.#stage);
    }
  }

  /** The act as the hub tells it; null until it does. */
  get act(): ActView | null {
    const stage = this.#stage;
    if (stage.type !== "acting") return null;
    return this.#frames.acts.find((act) => act.id === stage.act) ?? null;
  }

  /** The handoffs that the act became. */
  get handoffs(): readonly Handoff[] {
    const stage = this.#stage;
    if (stage.type !== "acting" || stage.handoffs.length === 0) return [];
    return this.#frames.handoffs.filter((handoff) => stage.handoffs.includes(handoff.id));
  }

  open(subject: Subject, choice: Partial<Choice> = {}): void {
    this.#subject = subject;
    this.#choice = { ...NO_CHOICE, ...choice };
    this.#scope = {};
    this.#reach = "failing";
    void this.#ask();
  }

  choose(change: Partial<Choice>): void {
    this.#choice = { ...this.#choice, ...change };
    void this.#ask();
  }

  setScope(scope: FaultScope): void {
    this.#scope = scope;
    void this.#ask();
  }

  setReach(reach: CauseReach): void {
    this.#reach = reach;
    void this.#ask();
  }

  /** Asks again after a refusal. */
  retry(): void {
    void this.#ask();
  }

  close(): void {
    this.#question += 1;
    this.#subject = null;
    this.#stage = { type: "choosing" };
  }

  async confirm(): Promise<void> {
    const stage = this.#stage;
    const verb = this.#verb();
    const target = this.#target();
    if (this.whyNotYet !== null || stage.type !== "shown" || verb === null || target === null) {
      return;
    }
    this.#stage = { type: "sending", preview: stage.preview };
    const question = (this.#question += 1);
    const id = this.#newActId();
    const next = await this.#sent(id, verb, target);
    if (question === this.#question) this.#stage = next;
  }

  get #isFleetWide(): boolean {
    return this.#subject?.type === "startFault" || this.#subject?.type === "stopFault";
  }

  async #sent(id: ActId, verb: ActVerb, target: Target): Promise<Stage> {
    try {
      const reply = await this.#backend.request({ type: "act", act: { id, verb, target } });
      if (reply.type === "refused") return { type: "refused", refusal: reply.refusal };
      const told = reply.type === "acting" ? reply : { commands: [], handoffs: [], excluded: [] };
      return {
        type: "acting",
        act: id,
        expected: told.commands.length,
        handoffs: told.handoffs,
        excluded: told.excluded,
      };
    } catch (error) {
      return { type: "refused", refusal: refusalOf(error) };
    }
  }

  async #ask(): Promise<void> {
    const question = (this.#question += 1);
    const verb = this.#verb();
    const target = this.#target();
    if (verb === null || target === null) {
      this.#stage = { type: "choosing" };
      return;
    }
    this.#stage = { type: "asking" };
    const next = await this.#asked(verb, target);
    if (question === this.#question) this.#stage = next;
  }

  async #asked(verb: ActVerb, target: Target): Promise<Stage> {
    try {
      const reply = await this.#backend.request({ type: "preview", verb, target });
      if (reply.type === "preview") return { type: "shown", preview: reply.preview };
      if (reply.type === "refused") return { type: "refused", refusal: reply.refusal };
      return {
        type: "refused",
        refusal: {
          code: "internal",
          message: "The hub answered with something else than a preview.",
        },
      };
    } catch (error) {
      return { type: "refused", refusal: refusalOf(error) };
    }
  }

  #verb(): ActVerb | null {
    const subject = this.#subject;
    if (subject === null) return null;
    switch (subject.type) {
      case "calls":
      case "cause":
      case "allCalls":
        return verbOf(subject.action, this.#choice);
      case "startFault":
        return { type: "startFault", fault: subject.fault.id, scope: this.#scope };
      case "stopFault":
        return { type: "stopFault", id: subject.id };
      default:
        return assertNever(subject);
    }
  }

  #target(): Target | null {
    const subject = this.#subject;
    if (subject === null) return null;
    switch (subject.type) {
      case "calls":
        return { type: "calls", calls: [...subject.calls] };
      case "cause":
        return { type: "cause", cause: subject.cause, reach: this.#reach };
      case "allCalls":
        return { type: "allCalls" };
      case "startFault":
      case "stopFault":
        return { type: "platform", source: subject.source };
      default:
        return assertNever(subject);
    }
  }
}
