import { describe, expect, test } from "vitest";

import { EPOCH } from "$lib/backend/fake/fake";
import { PLANS } from "$lib/backend/fake/playbooks";
import { Stage } from "$lib/backend/fake/stage";
import type { PlaybookStatus, Run, RunPreview, RunStage } from "$lib/generated";

import { changesOf, setOf } from "./changes";
import {
  abortFragment,
  actionWords,
  approvalInFull,
  checkFragment,
  lasting,
  readiness,
  reversibilityWords,
  selectorWords,
  stageWords,
} from "./playbookWords";
import { isActing, isOver, standing, tallyParts } from "./runWords";

async function underWay(): Promise<{ run: Run; playbook: PlaybookStatus; now: number }> {
  const stage = new Stage({ run: "running" });
  await stage.frame();
  const run = stage.desk.frames.runs[0];
  const playbook = stage.desk.frames.playbooks.find(({ id }) => id === run?.playbook);
  if (run === undefined || playbook === undefined) throw new Error("the fake world has a run");
  return { run, playbook, now: EPOCH };
}

/** The run with one stage in another state. */
function withStage(
  run: Run,
  change: Partial<RunStage>,
  type: "running" | "holding" | "verifying",
): Run {
  const stages = run.stages.map((stage, place) => (place === 1 ? { ...stage, ...change } : stage));
  return { ...run, stages, state: { type, stage: 1 } };
}

describe("a playbook in words", () => {
  test.each(PLANS.map((plan) => [plan.id, plan] as const))("%s says all of it", (_id, plan) => {
    const texts = [
      approvalInFull(plan.approval),
      selectorWords(plan.selector),
      reversibilityWords(plan.reversibility, plan.steps),
      ...plan.steps.map(({ action }) => actionWords(action)),
      ...plan.stages.map(stageWords),
      ...plan.abort.map(abortFragment),
      ...plan.preconditions.map(checkFragment),
    ];
    for (const text of texts) {
      expect(text).not.toMatch(/undefined|NaN|\[object|_/);
      expect(text.length).toBeGreaterThan(5);
    }
  });

  test.each([
    [45, "45 s"],
    [119, "119 s"],
    [120, "2 min"],
    [150, "2 min 30 s"],
    [3_600, "1 h"],
    [86_400, "24 h"],
  ])("%i s last %s", (seconds, text) => {
    expect(lasting(seconds)).toBe(text);
  });

  test("the point of no return names its step by its place", () => {
    const plan = PLANS.find(({ id }) => id === "stop-all-ai");
    expect(reversibilityWords({ type: "upTo", step: "route" }, plan?.steps)).toContain("2, route");
  });

  test("readiness never says that it could run when it could not", async () => {
    const { playbook } = await underWay();
    expect(readiness({ ...playbook, wouldFire: true, nCalls: 3 })).toBe("could run now, 3 calls");
    expect(readiness({ ...playbook, wouldFire: false, causes: [] })).toContain("no cause");
    expect(readiness({ ...playbook, wouldFire: false })).toMatch(/precondition/);
    const blocked = { ...playbook, wouldFire: false, checks: [], nCalls: 3 };
    expect(readiness(blocked)).toBe("no run begins now");
  });
});

describe("where a run stands", () => {
  test("a stage that holds says when its proof is judged", async () => {
    const { run, playbook, now } = await underWay();
    const held = withStage(run, { state: "holding", commandedAt: now - 5_000 }, "holding");
    expect(standing(held, playbook, now)).toBe(
      "Stage 2 of 4 (5%) is changed, and holds: its proof is judged in 10 s.",
    );
  });

  test("a stage that waits for its proof says what it has and by when it must", async () => {
    const { run, playbook, now } = await underWay();
    const change = { commandedAt: now - 20_000, turns: 4, goodTurns: 3, nCalls: 4 };
    const waits = withStage(run, { state: "verifying", ...change }, "verifying");
    expect(standing(waits, playbook, now)).toBe(
      "Stage 2 of 4 (5%) waits for its proof: 3 of 4 turns good; it has 40 s left, then the run rolls back.",
    );
  });

  test("no limit is told where the playbook is another version than the run's", async () => {
    const { run, playbook, now } = await underWay();
    const held = withStage(run, { state: "holding", commandedAt: now - 5_000 }, "holding");
    const other = { ...playbook, version: playbook.version + 1 };
    expect(standing(held, other, now)).toContain("as long as the playbook says");
  });

  test("a stage that changes its calls says what it waits for", async () => {
    const { run, playbook, now } = await underWay();
    const tally = { ...run.tally, intent: 1, accepted: 1, waiting: 2, queued: 0 };
    const text = standing(withStage(run, { state: "running", tally }, "running"), playbook, now);
    expect(text).toContain("2 commands under way");
    expect(text).toContain("2 calls wait for a moment in which nobody is disturbed");
  });

  test("a run that stopped says why, and whether what it did stays", async () => {
    const { run, playbook, now } = await underWay();
    const why = {
      type: "abort",
      condition: { when: "outcomes_unknown", calls_over: 20 },
      found: "21 calls are unknown",
    } as const;
    const aborted = standing({ ...run, state: { type: "rolledBack", why } }, playbook, now);
    expect(aborted).toContain("of over 20 calls nobody knows what happened: 21 calls are unknown");
    expect(aborted).toContain("changed back");
    const lever = { type: "lever", by: "eve" } as const;
    const stopped = standing({ ...run, state: { type: "stopped", why: lever } }, playbook, now);
    expect(stopped).toBe("eve pulled the red lever. What it did stays.");
  });

  test("failures come first in a tally, and nothing that is zero is named", async () => {
    const { run } = await underWay();
    const parts = tallyParts(run.tally);
    expect(parts[0]?.[0]).toBe("failed");
    expect(parts.every(([, n]) => n > 0)).toBe(true);
    expect(parts.reduce((sum, [, n]) => sum + n, 0)).toBe(run.tally.nCalls);
  });

  test("a request is neither acting nor over", () => {
    const asked = { type: "awaitingApproval", expiresAt: 1 } as const;
    expect([isActing(asked), isOver(asked)]).toEqual([false, false]);
    expect(isActing({ type: "rollingBack", why: { type: "lever", by: "eve" } })).toBe(true);
    expect(isOver({ type: "completed" })).toBe(true);
  });
});

describe("what changed since a preview", () => {
  const preview: RunPreview = {
    run: "r",
    fingerprint: "one",
    calls: [
      { call: "a1", becomes: "backup-llm", protected: false },
      { call: "b2", becomes: "backup-llm", protected: false },
    ],
    nCalls: 2,
    byRung: [],
    failing: 1,
    protected: 0,
    becomes: [],
    excluded: [],
    excludedBy: [],
    stages: [],
    humans: { free: 3, there: 4, nCalls: 2, waitS: 40, waitSP90: 90, callbacks: 0 },
    reversibility: { type: "full" },
    announcements: [],
    checks: [{ check: { check: "humans_free", min: 2 }, holds: true, found: "3 are free" }],
    wouldFire: true,
    approval: { class: "confirm" },
    sentence: "",
  };
  const seen = { preview, calls: setOf(preview) };

  test("is nothing when nothing changed", () => {
    expect(changesOf(seen, { ...preview, run: "look" })).toEqual([]);
  });

  test("names calls that left, came, and would become something else", () => {
    const now = {
      ...preview,
      fingerprint: "two",
      calls: [
        { call: "b2", becomes: "other-llm", protected: false },
        { call: "c3", becomes: "backup-llm", protected: false },
      ],
    };
    const texts = changesOf(seen, now).map(({ text }) => text);
    expect(texts[0]).toContain("a1");
    expect(texts[0]).toContain("left alone");
    expect(texts[1]).toContain("c3");
    expect(texts[2]).toBe("Call b2 would become other-llm now; backup-llm was previewed.");
  });

  test("says that the set is not the same where it is not told", () => {
    const now = { ...preview, fingerprint: "two", nCalls: 5 };
    expect(changesOf({ preview, calls: null }, now)[0]?.text).toContain("5 calls now, 2 before");
  });

  test("says that the playbook changed when the same calls have another fingerprint", () => {
    const [change] = changesOf(seen, { ...preview, fingerprint: "two" });
    expect(change).toEqual({
      isWorse: true,
      text: "The playbook or its parameters are not the same.",
    });
  });

  test("says which preconditions turned, how many fail, and how long callers would wait", () => {
    const now = {
      ...preview,
      failing: 2,
      humans: { ...preview.humans, free: 1, waitS: 95, callbacks: 1 },
      checks: [
        { check: { check: "humans_free", min: 2 }, holds: false, found: "1 is free" } as const,
      ],
    };
    const changes = changesOf(seen, now);
    expect(changes.map(({ text }) => text)).toEqual([
      "2 of its calls fail now; 1 did.",
      "Humans free: 1 now, 3 before.",
      "Predicted wait: 95 s now, 40 s before.",
      "Callbacks owed: 1 now, 0 before.",
      "A precondition does not hold any more: 1 is free.",
    ]);
    expect(changes.every(({ isWorse }) => isWorse)).toBe(true);
  });
});
