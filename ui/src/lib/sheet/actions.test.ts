import { describe, expect, test } from "vitest";

import { Stage } from "$lib/backend/fake/stage";
import type { BridgeStatus, CallSummary } from "$lib/generated";

import {
  ACTION_NAMES,
  actionOfLetter,
  actionWords,
  failingLayer,
  type Reach,
  verbOf,
  whyOff,
} from "./actions";

async function reach(change: Partial<Reach> = {}): Promise<Reach> {
  const stage = new Stage();
  await stage.frame();
  const call = stage.desk.board.rowAt(0);
  if (call === undefined) throw new Error("the stage has rows");
  return {
    actionsOff: null,
    canAct: true,
    chosen: 1,
    calls: [call],
    platform: stage.desk.frames.platform,
    capabilities: null,
    ...change,
  };
}

function withCall(from: Reach, change: Partial<CallSummary>): Reach {
  return { ...from, calls: from.calls.map((call) => ({ ...call, ...change })) };
}

function withBridges(from: Reach, change: Partial<BridgeStatus>): Reach {
  const platform = from.platform;
  if (platform === null) throw new Error("the stage has a platform");
  const bridges = platform.bridges.map((bridge) => ({ ...bridge, ...change }));
  return { ...from, platform: { ...platform, bridges } };
}

test("every action has a letter of its own, in both cases", () => {
  const letters = ACTION_NAMES.map((name) => actionWords[name].letter);
  expect(new Set(letters).size).toBe(ACTION_NAMES.length);
  expect(actionOfLetter("s")).toBe("switchModel");
  expect(actionOfLetter("H")).toBe("routeToHumans");
  expect(actionOfLetter("q")).toBeUndefined();
});

describe("an action is off, and says why", () => {
  test("is on otherwise", async () => {
    expect(whyOff("switchModel", await reach())).toBeNull();
  });

  test("when nobody can act", async () => {
    expect(whyOff("switchModel", await reach({ actionsOff: "blind" }))).toBe("blind");
  });

  test("when the token does not let one act", async () => {
    expect(whyOff("announce", await reach({ canAct: false }))).toContain("watch, not act");
  });

  test("when no call is chosen", async () => {
    expect(whyOff("announce", await reach({ chosen: 0, calls: [] }))).toContain("Choose a call");
  });

  test("when the platform cannot do it, with its reason", async () => {
    const capabilities = [{ name: "pause_ai", available: false, reason: "no input gate" }];
    const off = whyOff("pauseAi", withBridges(await reach(), { capabilities }));
    expect(off).toBe("The call's platform cannot do it: no input gate.");
    expect(whyOff("announce", withBridges(await reach(), { capabilities }))).toContain(
      "does not offer it",
    );
  });

  test("when the open call itself cannot do it, whatever its bridge says", async () => {
    expect(whyOff("announce", await reach({ capabilities: [] }))).toContain("does not offer it");
  });

  test("when it would change nothing", async () => {
    const base = await reach();
    expect(
      whyOff("pauseAi", withCall(base, { ai: "paused", source: base.calls[0]?.source ?? "" })),
    ).not.toBeNull();
    expect(whyOff("routeToHumans", withCall(base, { handoff: "h-1" }))).toContain("on its way");
    expect(whyOff("announce", withCall(base, { handoff: "h-1" }))).toBeNull();
    expect(whyOff("resumeAi", withCall(base, { ai: "active" }))).toContain("speaks already");
    expect(whyOff("switchModel", withCall(base, { phase: "human" }))).toContain("human serves");
    expect(whyOff("switchModel", withCall(base, { phase: "ended" }))).toContain("over");
  });

  test("but not for rows that are out of view: the preview judges those", async () => {
    expect(whyOff("resumeAi", await reach({ chosen: 40 }))).toBeNull();
  });
});

test("a switch is about the layer that most calls fail in", async () => {
  const { calls } = await reach();
  expect(failingLayer(calls)).toBe("tts");
  expect(failingLayer([])).toBe("llm");
});

test("an announcement without words is no verb", () => {
  const choice = { layer: "llm", to: null, tools: [], text: "  " } as const;
  expect(verbOf("announce", choice)).toBeNull();
  expect(verbOf("announce", { ...choice, text: " Hello " })).toEqual({
    type: "announce",
    text: "Hello",
  });
  expect(verbOf("disableTools", { ...choice, tools: ["a"] })).toEqual({
    type: "disableTools",
    tools: ["a"],
  });
});
