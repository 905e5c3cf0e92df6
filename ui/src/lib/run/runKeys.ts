/** The letters of the runs' page, wherever the focus is there unless somebody writes. */
import type { Desk } from "$lib/desk/desk.svelte";
import type { Run } from "$lib/generated";

import { isOver } from "./runWords";

/** What a letter is for on a page of a run. */
type Letter = (desk: Desk, run: Run) => boolean;

const LETTERS: Readonly<Record<string, Letter>> = {
  A: ({ runs }, run) => {
    if (run.state.type !== "awaitingApproval") return false;
    void runs.approve(run);
    return true;
  },
  X: ({ runs }, run) => {
    if (run.state.type !== "awaitingApproval" || runs.isMine(run)) return false;
    if (runs.whyNot("refuse", run) === null) runs.say("refuse");
    return true;
  },
  Y: ({ runs }, run) => answer(runs, run, true),
  N: ({ runs }, run) => answer(runs, run, false),
  T: ({ runs }, run) => {
    const isTheirs = run.state.type === "awaitingApproval" && !runs.isMine(run);
    if (isOver(run.state) || isTheirs) return false;
    if (runs.whyNot("stop", run) === null) runs.say("stop");
    return true;
  },
  B: ({ runs }, run) => {
    if (run.startedAt === null) return false;
    if (runs.whyNot("rollBack", run) === null) runs.say("rollBack");
    return true;
  },
  W: ({ runs }, run) => {
    if (run.review === null || run.review.by !== null) return false;
    if (runs.whyNot("review", run) === null) runs.say("review");
    return true;
  },
};

function answer(runs: Desk["runs"], run: Run, yes: boolean): boolean {
  if (run.state.type !== "awaitingAnswer") return false;
  void runs.answer(run, yes);
  return true;
}

/** True when the key did something. */
export function runKeyDown(desk: Desk, key: string, isOnButton: boolean): boolean {
  const { runs } = desk;
  const { chosen } = runs;
  if (runs.preview.isOpen) {
    if (key === "Escape") runs.preview.close();
    else if (key === "Enter" && !isOnButton) void runs.preview.start(desk.canActOnAll);
    else return false;
    return true;
  }
  if (key === "Escape" && runs.saying !== null) {
    runs.say(null);
    return true;
  }
  if (key === "Escape" && runs.cause !== null) {
    runs.setCause(null);
    return true;
  }
  if (chosen === null) return false;
  if (chosen.type === "playbook") {
    const playbook = runs.playbook(chosen.id);
    if (key !== "Enter" || isOnButton || playbook === undefined) return false;
    runs.openPreview(playbook);
    return true;
  }
  const run = runs.run(chosen.id);
  return run !== undefined && (LETTERS[key.toUpperCase()]?.(desk, run) ?? false);
}
