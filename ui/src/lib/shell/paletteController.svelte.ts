/** Finds any call, action, view or setting from a few letters. */
import { NO_FILTER } from "$lib/board/filter";
import type { Desk } from "$lib/desk/desk.svelte";
import { shortId } from "$lib/format/text";
import { needWord } from "$lib/format/words";
import type { CallSummary, NeedLevel } from "$lib/generated";
import { readiness } from "$lib/run/playbookWords";
import { runShort } from "$lib/run/runWords";
import { ACTION_NAMES, actionWords } from "$lib/sheet/actions";

import { viewTitle } from "./shellController.svelte";

export interface PaletteItem {
  readonly key: string;
  readonly kind: "call" | "act" | "all" | "playbook" | "run" | "lever" | "view" | "filter" | "look";
  readonly title: string;
  readonly hint: string;
  /** Why it cannot be chosen; null when it can. */
  readonly off: string | null;
  readonly run: () => void;
}

/** Calls that are listed for one search: more are not read, the search is narrowed. */
const CALLS_MAX = 8;

export class PaletteController {
  readonly #desk: Desk;

  #text = $state.raw("");
  #calls = $state.raw<readonly CallSummary[]>([]);
  #cursor = $state.raw(0);
  #search = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  readonly items: readonly PaletteItem[] = $derived.by(() => {
    const words = this.#text
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    const fixed = this.#fixed().filter((item) => {
      const text = `${item.kind} ${item.title}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const calls = this.#calls.map((call) => this.#callItem(call));
    return words.length === 0 ? [...fixed, ...calls] : [...calls, ...fixed];
  });

  get cursor(): number {
    return Math.min(this.#cursor, Math.max(0, this.items.length - 1));
  }

  /** Looks for `text` in everything that is named, and asks for the calls that hold it. */
  search(text: string): void {
    this.#text = text;
    this.#cursor = 0;
    const search = (this.#search += 1);
    // Every search orders the board anew, so nothing is asked for before there is a word to find.
    if (text.trim() === "") {
      this.#calls = [];
      return;
    }
    const filter = { ...NO_FILTER, text: text.trim() };
    this.#desk.frames.query(filter, 0, CALLS_MAX).then(
      (board) => {
        if (search === this.#search) this.#calls = board.rows;
      },
      () => {
        if (search === this.#search) this.#calls = [];
      },
    );
  }

  move(delta: number): void {
    const n = this.items.length;
    if (n > 0) this.#cursor = (this.cursor + delta + n) % n;
  }

  point(place: number): void {
    this.#cursor = place;
  }

  choose(place = this.cursor): void {
    const item = this.items[place];
    if (item === undefined || item.off !== null) return;
    this.#desk.shell.closePalette();
    item.run();
  }

  #callItem(call: CallSummary): PaletteItem {
    const need = call.need.level === "calm" ? "" : `${needWord[call.need.level]}, `;
    return {
      key: `call ${call.id}`,
      kind: "call",
      title: `${shortId(call.id)}  ${call.customer ?? "caller not known"}`,
      hint: `${need}${call.queue}, ${call.intent ?? call.language}`,
      off: null,
      run: () => this.#desk.showCall(call.id),
    };
  }

  #fixed(): PaletteItem[] {
    return [
      ...this.#actions(),
      ...this.#runs(),
      ...this.#views(),
      ...this.#filters(),
      ...this.#looks(),
    ];
  }

  #actions(): PaletteItem[] {
    const desk = this.#desk;
    if (!desk.views.includes("now")) return [];
    const n = desk.board.chosen.length;
    const one = ACTION_NAMES.map((name): PaletteItem => {
      const { title, letter } = actionWords[name];
      return {
        key: `act ${name}`,
        kind: "act",
        title,
        hint: `${letter} on ${n === 1 ? `call ${shortId(desk.board.chosen[0] ?? "")}` : `${n.toString()} marked`}`,
        off: desk.whyOff(name),
        run: () => {
          desk.shell.go("now");
          desk.act(name);
        },
      };
    });
    if (!desk.canActOnAll) return one;
    const all = (["switchModel", "disableTools", "announce", "pauseAi", "resumeAi"] as const).map(
      (name): PaletteItem => ({
        key: `all ${name}`,
        kind: "all",
        title: `${actionWords[name].title} on every live call`,
        hint: "with a preview first",
        off: desk.frames.actionsOff,
        run: () => {
          desk.shell.go("now");
          desk.actOnAll(name);
        },
      }),
    );
    return [...one, ...all];
  }

  #runs(): PaletteItem[] {
    const desk = this.#desk;
    if (!desk.views.includes("runs")) return [];
    const { runs, lever } = desk;
    const isOn = lever.lever.on;
    const red: PaletteItem = {
      key: "lever",
      kind: "lever",
      title: isOn ? "Release the red lever" : "Pull the red lever: stop all automation",
      hint: "Ctrl L",
      off: null,
      run: () => lever.open(),
    };
    const under = [...runs.waiting, ...runs.acting].map((run): PaletteItem => ({
      key: `run ${run.id}`,
      kind: "run",
      title: run.title,
      hint: runShort(run, desk.frames.clock),
      off: null,
      run: () => desk.showRun(run.id),
    }));
    const playbooks = desk.frames.playbooks.map((playbook): PaletteItem => ({
      key: `playbook ${playbook.id}`,
      kind: "playbook",
      title: playbook.title,
      hint: readiness(playbook),
      off: null,
      run: () => {
        desk.shell.go("runs");
        runs.setCause(null);
        runs.choose({ type: "playbook", id: playbook.id });
      },
    }));
    const byKey = new Map([...under, red, ...playbooks].map((item) => [item.key, item]));
    return [...byKey.values()];
  }

  #views(): PaletteItem[] {
    return this.#desk.views.map((view, place) => ({
      key: `view ${view}`,
      kind: "view",
      title: viewTitle[view],
      hint: (place + 1).toString(),
      off: null,
      run: () => this.#desk.shell.go(view),
    }));
  }

  #filters(): PaletteItem[] {
    const { board, frames, shell, views } = this.#desk;
    if (!views.includes("now")) return [];
    const go = (change: Parameters<typeof board.setFilter>[0]) => () => {
      shell.go("now");
      board.setFilter(change);
    };
    const levels = (["warn", "critical"] as const satisfies readonly NeedLevel[]).map(
      (level): PaletteItem => ({
        key: `filter ${level}`,
        kind: "filter",
        title: level === "warn" ? "Only calls that need you" : "Only critical calls",
        hint: "",
        off: null,
        run: go({ needAtLeast: level }),
      }),
    );
    const queues = (frames.board?.queues ?? []).map((queue): PaletteItem => ({
      key: `queue ${queue}`,
      kind: "filter",
      title: `Queue ${queue}`,
      hint: "",
      off: null,
      run: go({ queue }),
    }));
    const all: PaletteItem = {
      key: "filter all",
      kind: "filter",
      title: "All calls",
      hint: "",
      off: board.isFiltered ? null : "No filter is set.",
      run: go(NO_FILTER),
    };
    return [...levels, ...queues, all];
  }

  #looks(): PaletteItem[] {
    const { shell } = this.#desk;
    const look = (key: string, title: string, isOn: boolean, run: () => void): PaletteItem => ({
      key: `look ${key}`,
      kind: "look",
      title,
      hint: isOn ? "as it is" : "",
      off: null,
      run,
    });
    return [
      look("dark", "Dark", shell.theme === "dark", () => shell.setTheme("dark")),
      look("light", "Light", shell.theme === "light", () => shell.setTheme("light")),
      look("system", "As the system", shell.theme === "system", () => shell.setTheme("system")),
      look("compact", "Compact rows", shell.density === "compact", () =>
        shell.setDensity("compact"),
      ),
      look("normal", "Normal rows", shell.density === "normal", () => shell.setDensity("normal")),
    ];
  }
}
