/** Drives a desk by hand, without a browser: for tests. Time is an argument. */
import type { Backend } from "$lib/backend/backend";
import { Desk } from "$lib/desk/desk.svelte";

import { FakeBackend, type FakeOptions } from "./fake";

/** One animation frame at sixty a second. */
const FRAME_MS = 16;

export class Stage {
  readonly desk: Desk;
  readonly backend: Backend;
  /** Milliseconds since the world began. */
  time = 0;
  #next: ((time: number) => void)[] = [];

  constructor(
    options: Partial<Omit<FakeOptions, "elapsed">> = {},
    wrap?: (inner: Backend) => Backend,
  ) {
    const fake = new FakeBackend({
      calls: 60,
      mode: "outage",
      ...options,
      elapsed: () => this.time,
    });
    this.backend = wrap?.(fake) ?? fake;
    let acts = 0;
    this.desk = new Desk({
      backend: this.backend,
      schedule: (run) => this.#next.push(run),
      storage: memoryStorage(),
      newActId: () => `act-${(acts += 1).toString()}`,
    });
    this.desk.frames.start();
  }

  /** Frames that wait to be run: one while the loop lives, none while one is in flight. */
  get waiting(): number {
    return this.#next.length;
  }

  /** Runs the frames that wait, `ms` later, and lets every answer arrive. */
  async frame(ms = FRAME_MS): Promise<void> {
    this.time += ms;
    for (const run of this.#next.splice(0)) run(this.time);
    await settled();
  }

  /** Runs frames until `ms` have gone by. */
  async run(ms: number): Promise<void> {
    const end = this.time + ms;
    while (this.time < end) await this.frame(100);
  }
}

/** Lets every promise that is answered already be taken in. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
}

function memoryStorage(): Pick<Storage, "getItem" | "setItem"> {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
  };
}
