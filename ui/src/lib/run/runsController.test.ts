import { describe, expect, test } from "vitest";

import type { Backend } from "$lib/backend/backend";
import type { FakeOptions } from "$lib/backend/fake/fake";
import { settled, Stage } from "$lib/backend/fake/stage";
import type { Reply, Request, Run } from "$lib/generated";

import { runKeyDown } from "./runKeys";

type Options = Partial<Omit<FakeOptions, "elapsed">>;

/** Keeps what was asked; `answer` may answer in the hub's place. */
async function onStage(options: Options = {}, answer?: (request: Request) => Reply | undefined) {
  const requests: Request[] = [];
  const stage = new Stage(options, (inner): Backend => ({
    frame: (request) => inner.frame(request),
    request: (request) => {
      requests.push(request);
      const given = answer?.(request);
      return given === undefined ? inner.request(request) : Promise.resolve(given);
    },
  }));
  await stage.frame();
  const { desk } = stage;
  desk.shell.go("runs");
  const sent = (type: Request["type"]) => requests.filter((request) => request.type === type);
  return { stage, desk, runs: desk.runs, sent };
}

/** A request of this person for a second one. */
async function asked(options: Options = {}) {
  const on = await onStage({ second: "silent", ...options });
  const playbook = on.runs.playbook("tts-silent");
  if (playbook === undefined) throw new Error("the fake world has this playbook");
  on.runs.openPreview(playbook);
  await settled();
  await on.runs.preview.start(true);
  await on.stage.frame();
  return { ...on, run: first(on.runs.waiting, on.desk.frames.runs) };
}

function first(...lists: (readonly Run[])[]): Run {
  const run = lists.flat()[0];
  if (run === undefined) throw new Error("there is no run");
  return run;
}

describe("the list", () => {
  test("begins with what waits for this person, then what is under way, then the library", async () => {
    const { runs } = await onStage({ run: "asked" });
    expect(runs.groups.map(({ name }) => name)).toEqual(["waiting", "playbooks"]);
    expect(runs.chosen).toEqual({ type: "run", id: "run-ana-tts-silent" });
    const under = await onStage({ run: "running" });
    expect(under.runs.groups.map(({ name }) => name)).toEqual(["underWay", "playbooks"]);
  });

  test("names playbooks that could run now before the others", async () => {
    const { runs } = await onStage();
    const ready = runs.playbooks.map(({ wouldFire }) => wouldFire);
    expect(ready).toEqual([...ready].sort((a, b) => Number(b) - Number(a)));
    expect(new Set(ready).size).toBe(2);
  });

  test("moves by keys and stops at its ends", async () => {
    const { runs } = await onStage();
    expect(runs.move(-1)).toBe(false);
    const before = runs.chosen;
    expect(runs.move(1)).toBe(true);
    expect(runs.chosen).not.toEqual(before);
    runs.moveTo("last");
    expect(runs.move(1)).toBe(false);
  });
});

describe("a preview", () => {
  test("changes nothing, and what is started is what was seen", async () => {
    const { stage, desk, runs, sent } = await onStage();
    expect(runKeyDown(desk, "Enter", false)).toBe(true);
    await settled();
    const { preview } = runs.preview;
    expect(preview?.sentence).toMatch(/^Touches \d+ of \d+ calls/);
    await stage.frame();
    expect(desk.frames.runs).toEqual([]);

    runKeyDown(desk, "Enter", false);
    await stage.frame();
    expect(sent("startRun")).toEqual([
      { type: "startRun", run: preview?.run, fingerprint: preview?.fingerprint, reason: null },
    ]);
    await stage.frame();
    expect(first(desk.frames.runs).state.type).toBe("awaitingApproval");
    expect(runs.chosen).toEqual({ type: "run", id: preview?.run });
    expect(runs.preview.isOpen).toBe(false);
  });

  test("is looked at again under another id, and says what changed", async () => {
    let failing = 0;
    const { stage, runs, sent } = await onStage();
    const playbook = runs.playbook("tts-silent");
    if (playbook === undefined) throw new Error("the fake world has this playbook");
    runs.openPreview(playbook);
    await settled();
    const { preview } = runs.preview;
    failing = preview?.failing ?? 0;
    expect(runs.preview.look.changes).toBeNull();
    await stage.run(4_500);
    const looks = sent("previewRun");
    expect(looks).toHaveLength(2);
    expect(looks[1]).not.toMatchObject({ run: preview?.run });
    expect(runs.preview.look.changes).not.toBeNull();

    // A call of it is moved by hand meanwhile.
    const call = preview?.calls[0]?.call ?? "";
    await stage.backend.request({
      type: "act",
      act: {
        id: "act-by-hand",
        verb: { type: "switchModel", layer: "tts", to: null },
        target: { type: "calls", calls: [call] },
      },
    });
    await stage.run(9_000);
    const texts = runs.preview.look.changes?.map(({ text }) => text).join(" ") ?? "";
    expect(texts).toContain(call);
    expect(texts).toContain("left alone");
    expect(runs.preview.preview?.failing).toBe(failing);
  });

  test("cannot be started by who may not, while the lever is pulled, or against a check", async () => {
    const supervisor = await onStage({ roles: ["supervisor"] });
    runKeyDown(supervisor.desk, "Enter", false);
    await settled();
    expect(supervisor.runs.preview.whyNotYet(supervisor.desk.canActOnAll)).toContain("commander");
    runKeyDown(supervisor.desk, "Enter", false);
    expect(supervisor.sent("startRun")).toEqual([]);

    const { stage, desk, runs } = await onStage();
    runKeyDown(desk, "Enter", false);
    await settled();
    expect(runs.preview.whyNotYet(true)).toBeNull();
    await stage.backend.request({ type: "lever", on: true, reason: "" });
    await stage.frame();
    expect(runs.preview.whyNotYet(true)).toContain("red lever");
    await runs.preview.start(true);
    await stage.frame();
    expect(desk.frames.runs).toEqual([]);

    const planned = await onStage({ mode: "outage" });
    const playbook = planned.runs.playbook("planned-vendor-switch");
    if (playbook === undefined) throw new Error("the fake world has this playbook");
    expect(playbook.wouldFire).toBe(false);
    planned.runs.openPreview(playbook);
    await settled();
    expect(planned.runs.preview.whyNotYet(true)).toContain("Preconditions");
  });

  test("that the hub refuses to start stays on screen with the reason, and can be asked again", async () => {
    let refuse = true;
    const { stage, desk, runs, sent } = await onStage({}, (request) =>
      request.type === "startRun" && refuse
        ? {
            type: "refused",
            refusal: {
              code: "conflict",
              message: "the calls are not those that were previewed",
              run: { type: "parametersChanged" },
            },
          }
        : undefined,
    );
    runKeyDown(desk, "Enter", false);
    await settled();
    await runs.preview.start(true);
    expect(runs.preview.stage).toMatchObject({ type: "refused", refusal: { code: "conflict" } });
    expect(runs.preview.preview).not.toBeNull();
    await runs.preview.start(true);
    expect(sent("startRun")).toHaveLength(1);

    refuse = false;
    runs.preview.again();
    await settled();
    await runs.preview.start(true);
    await stage.frame();
    expect(desk.frames.runs).toHaveLength(1);
  });

  test("of what one person does alone needs a written reason of its length", async () => {
    const { stage, desk, runs, sent } = await onStage();
    const playbook = runs.playbook("stop-all-ai");
    if (playbook === undefined) throw new Error("the fake world has this playbook");
    runs.openPreview(playbook);
    await settled();
    expect(runs.preview.reasonMin).toBe(10);
    runs.preview.setReason("too short");
    expect(runs.preview.whyNotYet(true)).toBe("Write why: 1 more character.");
    await runs.preview.start(true);
    expect(sent("startRun")).toEqual([]);
    runs.preview.setReason("It insults callers");
    await runs.preview.start(true);
    await stage.frame();
    const run = first(desk.frames.runs);
    expect(run.breakGlass).toBe("It insults callers");
    expect(run.review?.by).toBeNull();
    expect(runs.whyNot("review", run)).toContain("somebody else");
  });

  test("of a two-person playbook can go on alone where the playbook lets it", async () => {
    const { runs, sent } = await onStage();
    const playbook = runs.playbook("tts-silent");
    if (playbook === undefined) throw new Error("the fake world has this playbook");
    runs.openPreview(playbook);
    await settled();
    expect(runs.preview.reasonMin).toBeNull();
    runs.preview.setAlone(true);
    expect(runs.preview.reasonMin).toBe(20);
    runs.preview.setReason("Nobody else is here to agree");
    await runs.preview.start(true);
    expect(sent("startRun")[0]).toMatchObject({ reason: "Nobody else is here to agree" });
  });
});

describe("an approval", () => {
  test("cannot be given by who asked, and the hub would refuse it too", async () => {
    const { stage, runs, run, sent } = await asked();
    expect(runs.isMine(run)).toBe(true);
    expect(runs.waiting).toEqual([]);
    expect(runs.whyNot("approve", run)).toContain("second person");
    await runs.approve(run);
    expect(sent("approveRun")).toEqual([]);
    const reply = await stage.backend.request({
      type: "approveRun",
      run: run.id,
      fingerprint: run.preview.fingerprint,
    });
    expect(reply).toMatchObject({ refusal: { run: { type: "approverIsRequester" } } });
  });

  test("of another's request names what was seen, and the run goes through its stages to proof", async () => {
    const { stage, desk, runs, sent } = await onStage({ run: "asked" });
    const run = first(runs.waiting);
    expect(runs.whyNot("approve", run)).toBeNull();
    expect(runKeyDown(desk, "a", false)).toBe(true);
    await stage.frame();
    expect(sent("approveRun")).toEqual([
      { type: "approveRun", run: run.id, fingerprint: run.preview.fingerprint },
    ]);
    await stage.run(1_000);
    const running = first(runs.acting);
    expect(running.stages.map(({ state }) => state)[0]).not.toBe("pending");
    expect(running.approvals).toMatchObject([{ by: "sam", approved: true }]);
    await stage.run(90_000);
    const over = first(desk.frames.runs);
    expect(over.state.type).toBe("completed");
    expect(over.stages.every(({ state }) => state === "proven")).toBe(true);
    expect(over.tally.proven).toBeGreaterThan(0);
  });

  test("says what changed since the preview, by the exact set that the hub holds", async () => {
    const { stage, runs, sent } = await onStage({ run: "asked" });
    await stage.run(4_600);
    expect(sent("showRun")).toHaveLength(1);
    expect(runs.look.changes).not.toBeNull();
    const texts = runs.look.changes?.map(({ text }) => text) ?? [];
    expect(texts.some((text) => text.startsWith("The exact set"))).toBe(false);
  });

  test("is held up when it was previewed anew while somebody reads it", async () => {
    const { stage, runs } = await onStage({ run: "asked" });
    await stage.run(300);
    const run = first(runs.waiting);
    expect(runs.hasMoved(run)).toBe(false);
    const moved: Run = { ...run, preview: { ...run.preview, fingerprint: "another" } };
    expect(runs.hasMoved(moved)).toBe(true);
    runs.seeAsItIs(moved);
    expect(runs.hasMoved(moved)).toBe(false);
  });

  test("is refused with a reason, which is required", async () => {
    const { stage, desk, runs, sent } = await onStage({ run: "asked" });
    const run = first(runs.waiting);
    expect(runKeyDown(desk, "x", false)).toBe(true);
    expect(runs.saying).toBe("refuse");
    await runs.sendWords(run);
    expect(sent("declineRun")).toEqual([]);
    runs.setReason("wait for the vendor");
    await runs.sendWords(run);
    await stage.frame();
    expect(first(desk.frames.runs).state).toEqual({
      type: "declined",
      by: "sam",
      reason: "wait for the vendor",
    });
    expect(runs.saying).toBeNull();
  });

  test("that comes too late is refused by the hub, and it says so", async () => {
    const { stage, desk, runs } = await onStage({ run: "asked" });
    const run = first(runs.waiting);
    await stage.run(104_000);
    expect(first(desk.frames.runs).state.type).toBe("expired");
    await runs.approve(run);
    expect(runs.refusal?.run).toEqual({ type: "expired" });
  });

  test("arrives without moving anybody: the view and what is open stay", async () => {
    const { stage, desk } = await onStage({ run: "asked" });
    desk.shell.go("now");
    await stage.run(500);
    expect(desk.view).toBe("now");
    expect(desk.runs.waiting).toHaveLength(1);
    desk.showWaiting();
    expect(desk.view).toBe("runs");
    expect(desk.runs.chosen).toEqual({ type: "run", id: "run-ana-tts-silent" });
  });

  test("is not for a supervisor", async () => {
    const { runs, desk } = await onStage({ run: "asked", roles: ["supervisor"] });
    expect(runs.waiting).toEqual([]);
    expect(runs.whyNot("approve", first(desk.frames.runs))).toContain("commander");
  });
});

describe("a run under way", () => {
  test("is stopped where it stands, also while the view is stale", async () => {
    const { stage, desk, runs } = await onStage({ run: "running" });
    const run = first(runs.acting);
    expect(runKeyDown(desk, "t", false)).toBe(true);
    await runs.sendWords(run);
    await stage.frame();
    expect(first(desk.frames.runs).state).toMatchObject({
      type: "stopped",
      why: { type: "person", by: "sam" },
    });
    expect(runs.whyNot("stop", first(desk.frames.runs))).toContain("over");

    const stale = await onStage({ run: "running", link: "stale" });
    const still = first(stale.runs.acting);
    expect(stale.runs.whyNot("stop", still)).toBeNull();
    expect(stale.runs.whyNot("rollBack", still)).toContain("blind");
  });

  test("is rolled back with a reason, and each call is told", async () => {
    const { stage, desk, runs, sent } = await onStage({ run: "running" });
    const run = first(runs.acting);
    runKeyDown(desk, "b", false);
    await runs.sendWords(run);
    expect(sent("rollBackRun")).toEqual([]);
    runs.setReason("worse than before");
    await runs.sendWords(run);
    await stage.frame();
    expect(first(desk.frames.runs).state.type).toBe("rollingBack");
    await stage.run(4_000);
    const over = first(desk.frames.runs);
    expect(over.state.type).toBe("rolledBack");
    expect(over.tally.undone).toBeGreaterThan(0);
    expect(runs.whyNot("rollBack", over)).toContain("undone");
  });

  test("that gets worse rolls back by itself", async () => {
    const { desk } = await onStage({ run: "running", trouble: "worse" });
    const run = first(desk.frames.runs);
    expect(run.state).toMatchObject({ type: "rolledBack", why: { type: "notProven" } });
    expect(run.stages.at(-1)?.state).toBe("pending");
  });

  test("is asked for every call, which the record does not name", async () => {
    const { runs, sent } = await onStage({ run: "running" });
    const told = first(runs.acting);
    const cut: Run = { ...told, calls: told.calls.slice(0, 1) };
    expect(runs.isWhole(cut)).toBe(false);
    await runs.showCalls(cut);
    expect(sent("showRun").length).toBeGreaterThan(0);
    expect(runs.callsOf(cut)).toHaveLength(told.tally.nCalls);
    expect(runs.isWhole(cut)).toBe(true);
  });

  test("keeps every call true while it changes, and names failures first", async () => {
    const { stage, desk, runs, sent } = await onStage({ run: "asked" });
    const waiting = first(runs.waiting);
    await stage.frame();
    await runs.approve(waiting);
    await stage.run(300);
    await runs.showCalls(first(runs.acting));
    const before = sent("showRun").length;
    await stage.run(60_000);
    expect(sent("showRun").length).toBeGreaterThan(before);
    const run = first(desk.frames.runs);
    const cut: Run = { ...run, calls: [] };
    const states = runs.callsOf(cut).map(({ state }) => state.type);
    expect(states.filter((type) => type === "proven")).toHaveLength(run.tally.proven);
    expect(states.indexOf("failed")).toBe(run.tally.failed > 0 ? 0 : -1);
  });

  test("that asks a question waits for a commander's answer", async () => {
    const { stage, desk, runs, sent } = await onStage();
    const playbook = runs.playbook("tool-stalled");
    if (playbook === undefined) throw new Error("the fake world has this playbook");
    runs.openPreview(playbook);
    await settled();
    await runs.preview.start(true);
    await stage.run(120_000);
    const run = first(runs.waiting);
    expect(run.state.type).toBe("awaitingAnswer");
    expect(runKeyDown(desk, "y", false)).toBe(true);
    await stage.run(400);
    expect(sent("answerRun")).toEqual([{ type: "answerRun", run: run.id, yes: true }]);
    expect(first(desk.frames.runs).state.type).not.toBe("awaitingAnswer");
  });
});

describe("a run from a cause", () => {
  test("begins with the playbook that answers it, and the cause is set", async () => {
    const { stage, desk, runs, sent } = await onStage();
    desk.shell.go("now");
    expect(desk.whyNoRun("cause-voice")).toBeNull();
    desk.runFromCause("cause-voice");
    expect(desk.view).toBe("runs");
    expect(runs.playbooks.map(({ id }) => id)).toEqual(["tts-silent"]);
    await stage.frame();
    expect(sent("previewRun")).toMatchObject([{ playbook: "tts-silent", cause: "cause-voice" }]);
    expect(runs.preview.preview?.nCalls).toBeGreaterThan(0);
    runs.setCause(null);
    expect(runs.playbooks.length).toBeGreaterThan(1);
  });

  test("is off where no playbook answers, and for who may only watch", async () => {
    const { desk } = await onStage();
    expect(desk.whyNoRun("cause-of-nothing")).toContain("over");
    const observer = await onStage({ roles: ["observer"] });
    expect(observer.desk.whyNoRun("cause-voice")).toContain("watch");
  });
});
