/** The desk of a human agent: free or away, the offer on screen, the call that was taken. */
import type { Backend } from "$lib/backend/backend";
import type { FrameController } from "$lib/frame/frameController.svelte";
import type {
  CallDetail,
  CallId,
  Handoff,
  HandoffId,
  HumanAgent,
  Refusal,
  Request,
} from "$lib/generated";
import { refusalOf } from "$lib/state/errors";

/** The reasons that are offered for a decline, each with its letter. */
export const DECLINE_REASONS = [
  { letter: "B", text: "Busy with something that cannot wait" },
  { letter: "L", text: "I do not speak the language" },
  { letter: "S", text: "Not my skill" },
  { letter: "T", text: "Technical trouble on my side" },
  { letter: "K", text: "I know the caller" },
] as const;

/** An offer with the agent's own deadline. */
export interface Offer {
  readonly handoff: Handoff;
  readonly expiresAt: number;
  /** How long it lasts in all, in milliseconds; null while the hub has not said when it began. */
  readonly wholeMs: number | null;
}

type Pending = "accept" | "decline" | "state";

export class AgentController {
  readonly #backend: Backend;
  readonly #frames: FrameController;

  #pending = $state.raw<Pending | null>(null);
  #refusal = $state.raw<Refusal | null>(null);
  #takenId = $state.raw<HandoffId | null>(null);
  #isDeclining = $state.raw(false);
  #seen = new Set<HandoffId>();

  constructor(backend: Backend, frames: FrameController) {
    this.#backend = backend;
    this.#frames = frames;
  }

  get name(): string | null {
    return this.#frames.status?.identity?.name ?? null;
  }

  /** How the hub sees this agent; null while it does not know them. */
  get human(): HumanAgent | null {
    const name = this.name;
    return this.#frames.platform?.humans.find((human) => human.id === name) ?? null;
  }

  /** The offer that waits for this agent. */
  get offer(): Offer | null {
    const name = this.name;
    for (const handoff of this.#frames.handoffs) {
      const { state } = handoff;
      if ((state.type === "offered" || state.type === "seen") && state.agent === name) {
        const { human } = this;
        const wholeMs = human?.state === "offered" ? state.expiresAt - human.since : null;
        return { handoff, expiresAt: state.expiresAt, wholeMs };
      }
    }
    return null;
  }

  /** The handoff that this agent took: under way, bridged, or failed after it was taken. */
  get taken(): Handoff | null {
    const name = this.name;
    const { handoffs } = this.#frames;
    const live = handoffs.find(
      ({ state }) =>
        (state.type === "accepted" || state.type === "bridged" || state.type === "confirmed") &&
        state.agent === name,
    );
    return live ?? handoffs.find((handoff) => handoff.id === this.#takenId) ?? null;
  }

  /** The call to tell in full: the one that was taken. */
  get openId(): CallId | null {
    return this.taken?.call ?? null;
  }

  /** The taken call in full: null when it is over, undefined while it is not told yet. */
  get call(): CallDetail | null | undefined {
    const id = this.openId;
    return id === null ? undefined : this.#frames.detail(id);
  }

  get pending(): Pending | null {
    return this.#pending;
  }
  get refusal(): Refusal | null {
    return this.#refusal;
  }
  get isDeclining(): boolean {
    return this.#isDeclining;
  }

  /** Why nothing can be asked now; null when it can. */
  get off(): string | null {
    return this.#frames.actionsOff;
  }

  /** The card of an offer is on screen: the read receipt, once. */
  async markSeen(handoff: HandoffId): Promise<void> {
    if (this.#seen.has(handoff)) return;
    this.#seen.add(handoff);
    const refusal = await this.#ask({ type: "seeHandoff", handoff });
    // The next paint of the card says it again.
    if (refusal?.code === "unreachable") this.#seen.delete(handoff);
  }

  async accept(): Promise<void> {
    const offer = this.offer;
    if (offer === null || this.#pending !== null || this.off !== null) return;
    this.#takenId = offer.handoff.id;
    const isDone = await this.#run("accept", { type: "acceptHandoff", handoff: offer.handoff.id });
    if (!isDone) this.#takenId = null;
  }

  startDecline(): void {
    if (this.offer !== null) this.#isDeclining = true;
  }

  cancelDecline(): void {
    this.#isDeclining = false;
  }

  async decline(reason: string): Promise<void> {
    const offer = this.offer;
    const text = reason.trim();
    if (offer === null || text === "" || this.#pending !== null || this.off !== null) return;
    this.#isDeclining = false;
    await this.#run("decline", {
      type: "declineHandoff",
      handoff: offer.handoff.id,
      reason: text,
    });
  }

  async setState(state: "free" | "away"): Promise<void> {
    if (this.#pending !== null || this.off !== null) return;
    await this.#run("state", { type: "setHumanState", state });
  }

  async #run(pending: Pending, request: Request): Promise<boolean> {
    this.#pending = pending;
    this.#refusal = await this.#ask(request);
    this.#pending = null;
    return this.#refusal === null;
  }

  async #ask(request: Request): Promise<Refusal | null> {
    try {
      const reply = await this.#backend.request(request);
      return reply.type === "refused" ? reply.refusal : null;
    } catch (error) {
      return refusalOf(error);
    }
  }
}
