/** Where in the window a person is, and how it looks to them. */
import type { Identity } from "$lib/generated";

export const VIEWS = ["now", "agent", "acts", "runs", "recovery", "platform"] as const;
export type ViewName = (typeof VIEWS)[number];

export const viewTitle = {
  now: "Now",
  agent: "Agent",
  acts: "Acts",
  runs: "Runs",
  recovery: "Recovery",
  platform: "Platform",
} as const satisfies Record<ViewName, string>;

export type Theme = "system" | "dark" | "light";
export type Density = "normal" | "compact";

/** Row heights in pixels. */
export const ROW_HEIGHT = { normal: 28, compact: 24 } as const satisfies Record<Density, number>;

/** The part of the browser's storage that is used. */
export type Storage = Pick<globalThis.Storage, "getItem" | "setItem">;

export class ShellController {
  readonly #storage: Storage;

  #view = $state.raw<ViewName>("now");
  #theme = $state.raw<Theme>("system");
  #density = $state.raw<Density>("normal");
  #isPaletteOpen = $state.raw(false);

  constructor(storage: Storage) {
    this.#storage = storage;
    const theme = storage.getItem("theme");
    if (theme === "dark" || theme === "light") this.#theme = theme;
    if (storage.getItem("density") === "compact") this.#density = "compact";
  }

  get view(): ViewName {
    return this.#view;
  }
  get theme(): Theme {
    return this.#theme;
  }
  get density(): Density {
    return this.#density;
  }
  get rowHeight(): number {
    return ROW_HEIGHT[this.#density];
  }
  get isPaletteOpen(): boolean {
    return this.#isPaletteOpen;
  }

  go(view: ViewName): void {
    this.#view = view;
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#storage.setItem("theme", theme);
  }

  setDensity(density: Density): void {
    this.#density = density;
    this.#storage.setItem("density", density);
  }

  openPalette(): void {
    this.#isPaletteOpen = true;
  }

  closePalette(): void {
    this.#isPaletteOpen = false;
  }
}

/** The views that a person's token opens. Before the hub's welcome, the board alone. */
export function viewsOf(identity: Identity | null): readonly ViewName[] {
  const roles = identity?.roles ?? ["observer"];
  const seesBoard = roles.some(
    (role) => role === "observer" || role === "supervisor" || role === "commander",
  );
  return VIEWS.filter((view) => (view === "agent" ? roles.includes("agent") : seesBoard));
}

/** One of the person's roles lets them act on single calls. */
export function canAct(identity: Identity | null): boolean {
  return identity?.roles.some((role) => role === "supervisor" || role === "commander") ?? false;
}

/** One of the person's roles lets them act on all calls and inject faults. */
export function canActOnAll(identity: Identity | null): boolean {
  return identity?.roles.includes("commander") ?? false;
}
