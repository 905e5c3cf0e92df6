/**
 * The pull loop: one frame for each animation frame, one in flight.
 *
 * Sections are replaced whole and never mutated, so that nothing deep is tracked and a board of
 * live cells costs one assignment.
 */
import type { Backend } from "$lib/backend/backend";
import type {
  About,
  ActView,
  Board,
  BoardFilter,
  CallDetail,
  CallId,
  CauseGroup,
  Frame,
  FrameRequest,
  Handoff,
  Ledger,
  Lever,
  Platform,
  PlaybookStatus,
  Run,
  Status,
} from "$lib/generated";

/** What the window looks at now. */
export type View = Omit<FrameRequest, "ack">;

/** Runs something at the next animation frame, with that frame's time in milliseconds. */
export type Schedule = (run: (time: number) => void) => void;

/** A look at other rows than the ones in view: for the palette, and to mark more than is in view. */
interface Query {
  readonly filter: BoardFilter;
  readonly first: number;
  readonly count: number;
  readonly resolve: (board: Board) => void;
  readonly reject: (error: unknown) => void;
}

/** The call that is told in full. */
interface Opened {
  readonly id: CallId;
  /** undefined until it is told, null when it is gone. */
  readonly call: CallDetail | null | undefined;
  /** When it was first asked for, on the hub's clock. */
  readonly since: number;
}

/** The lever before anybody has moved it. */
const RELEASED: Lever = { on: false, by: "", reason: "", at: 0 };

/** After a frame that failed, the time until the next is asked for. */
export const RETRY_MS = 500;

/** Ages on screen move this often: digits that change faster are noise, not information. */
export const CLOCK_STEP_MS = 250;

export class FrameController {
  readonly #backend: Backend;
  readonly #schedule: Schedule;
  readonly #view: () => View;

  #status = $state.raw<Status | null>(null);
  #board = $state.raw<Board | null>(null);
  #open = $state.raw<Opened | null>(null);
  #acts = $state.raw<readonly ActView[]>([]);
  #handoffs = $state.raw<readonly Handoff[]>([]);
  #causes = $state.raw<readonly CauseGroup[]>([]);
  #runs = $state.raw<readonly Run[]>([]);
  #runsTotal = $state.raw(0);
  #lever = $state.raw<Lever>(RELEASED);
  #playbooks = $state.raw<readonly PlaybookStatus[]>([]);
  #ledger = $state.raw<Ledger | null>(null);
  #platform = $state.raw<Platform | null>(null);
  #about = $state.raw<About | null>(null);
  #clock = $state.raw(0);
  #fault = $state.raw<string | null>(null);

  #ack = 0;
  #now = 0;
  #retryAt = 0;
  #running = false;
  #queries: Query[] = [];

  constructor(backend: Backend, schedule: Schedule, view: () => View) {
    this.#backend = backend;
    this.#schedule = schedule;
    this.#view = view;
  }

  get status(): Status | null {
    return this.#status;
  }
  get board(): Board | null {
    return this.#board;
  }
  get acts(): readonly ActView[] {
    return this.#acts;
  }
  get handoffs(): readonly Handoff[] {
    return this.#handoffs;
  }
  /** Shared causes behind failing calls, in the hub's order. */
  get causes(): readonly CauseGroup[] {
    return this.#causes;
  }
  /** Runs of playbooks, those under way first, then the newest. */
  get runs(): readonly Run[] {
    return this.#runs;
  }
  /** How many runs the console knows, also those that are not in `runs`. */
  get runsTotal(): number {
    return this.#runsTotal;
  }
  get lever(): Lever {
    return this.#lever;
  }
  /** The playbooks of the hub; empty until they are told, and for who does not see the board. */
  get playbooks(): readonly PlaybookStatus[] {
    return this.#playbooks;
  }
  /** How long recoveries took; null until it is told, and for who does not see the board. */
  get ledger(): Ledger | null {
    return this.#ledger;
  }
  get platform(): Platform | null {
    return this.#platform;
  }
  get about(): About | null {
    return this.#about;
  }

  /** The hub's time in steps: what ages on screen count to. */
  get clock(): number {
    return this.#clock;
  }

  /** Why the program behind the window does not answer; null while it does. */
  get fault(): string | null {
    return this.#fault;
  }

  /** What is on screen is not what is true now. */
  get isStale(): boolean {
    return this.#fault !== null || (this.#status?.stale ?? true);
  }

  /** Why nobody can act now, in a sentence; null when acts are on. */
  get actionsOff(): string | null {
    if (this.#fault !== null) {
      return `The program behind the window does not answer: ${this.#fault}`;
    }
    if (this.#status === null) return "Nothing has been heard from the hub yet.";
    if (this.#status.actionsOff !== null) return this.#status.actionsOff;
    return this.#status.stale ? "The view is stale: nobody acts while blind." : null;
  }

  /** The call `id` in full: null when it is gone, undefined while it is not told yet. */
  detail(id: CallId): CallDetail | null | undefined {
    return this.#open?.id === id ? this.#open.call : undefined;
  }

  /** How long the call `id` was asked for in vain, in milliseconds; 0 once it is told. */
  waitedFor(id: CallId): number {
    const open = this.#open;
    return open?.id === id && open.call === undefined ? this.#clock - open.since : 0;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    for (const query of this.#queries.splice(0)) query.reject(new Error("the window closes"));
  }

  /** Rows that are not in view. It takes the place of one frame, so the loop stays one in flight. */
  query(filter: BoardFilter, first: number, count: number): Promise<Board> {
    return new Promise((resolve, reject) => {
      this.#queries.push({ filter, first, count, resolve, reject });
    });
  }

  #arm(): void {
    this.#schedule((time) => void this.#turn(time));
  }

  async #turn(time: number): Promise<void> {
    if (!this.#running) return;
    if (time >= this.#retryAt) {
      const query = this.#queries.shift();
      try {
        await (query === undefined ? this.#pull() : this.#answer(query));
        this.#fault = null;
      } catch (error) {
        this.#fault = error instanceof Error ? error.message : String(error);
        this.#ack = 0;
        this.#retryAt = time + RETRY_MS;
        query?.reject(error);
      }
    }
    this.#arm();
  }

  async #pull(): Promise<void> {
    const view = this.#view();
    const frame = await this.#backend.frame({ ack: this.#ack, ...view });
    if (frame.board !== null) this.#board = frame.board;
    this.#applyDetail(view.open, frame);
    this.#applyCommon(frame);
    this.#ack = frame.version;
  }

  async #answer(query: Query): Promise<void> {
    const { filter, first, count } = query;
    const frame = await this.#backend.frame({ ...this.#view(), ack: 0, filter, first, count });
    this.#applyCommon(frame);
    // What was answered is not what is on screen: the next frame begins anew.
    this.#ack = 0;
    query.resolve(frame.board ?? { total: 0, first, rows: [], newAbove: 0, queues: [] });
  }

  #applyDetail(id: CallId | null, frame: Frame): void {
    if (id === null) {
      if (this.#open !== null) this.#open = null;
      return;
    }
    const before = this.#open?.id === id ? this.#open : { id, call: undefined, since: frame.now };
    // Until it was told once, nothing told means not yet; after that it means gone.
    const told = frame.detail?.call ?? (before.call === undefined ? undefined : null);
    const call = frame.detail === null ? before.call : told;
    if (before !== this.#open || call !== before.call) this.#open = { ...before, call };
  }

  #applyCommon(frame: Frame): void {
    this.#status = frame.status;
    if (frame.acts !== null) this.#acts = frame.acts;
    if (frame.handoffs !== null) this.#handoffs = frame.handoffs;
    if (frame.causes !== null) this.#causes = frame.causes;
    if (frame.runs !== undefined) {
      this.#runs = frame.runs.runs;
      this.#runsTotal = frame.runs.total;
      this.#lever = frame.runs.lever;
    }
    if (frame.playbooks !== undefined) this.#playbooks = frame.playbooks;
    if (frame.ledger !== undefined) this.#ledger = frame.ledger;
    if (frame.platform !== null) this.#platform = frame.platform;
    if (frame.about !== null) this.#about = frame.about;
    this.#now = Math.max(this.#now, frame.now);
    const step = Math.floor(this.#now / CLOCK_STEP_MS) * CLOCK_STEP_MS;
    if (step !== this.#clock) this.#clock = step;
  }
}
