import { describe, expect, test } from "vitest";

import { HOLD_MS } from "$lib/board/attended.svelte";
import { Stage } from "$lib/backend/fake/stage";
import type { CauseGroup, FrameRequest, Request } from "$lib/generated";

import { comparison, comparisonInFull, failingPermille, nameOf, spoken } from "./causeWords";

const VOICE = "cause-voice";
const CAPTURE = "cause-capture";

/** A desk whose hub tells what `change` makes of the causes. */
async function onStage(options: ConstructorParameters<typeof Stage>[0] = {}) {
  const frames: FrameRequest[] = [];
  const requests: Request[] = [];
  const told = { change: (groups: CauseGroup[]): CauseGroup[] => groups };
  const stage = new Stage(options, (inner) => ({
    frame: async (request) => {
      frames.push(request);
      const frame = await inner.frame(request);
      return { ...frame, causes: frame.causes === null ? null : told.change(frame.causes) };
    },
    request: (request) => {
      requests.push(request);
      return inner.request(request);
    },
  }));
  await stage.run(300);
  const { board, causes, sheet } = stage.desk;
  const ids = () => causes.rows.map(({ id }) => id);
  return { stage, frames, requests, told, board, causes, sheet, ids };
}

describe("the rows of causes", () => {
  test("stand in the hub's order, and there is none when all is well", async () => {
    const { ids, told, stage } = await onStage();
    expect(ids()).toEqual([VOICE, CAPTURE]);
    told.change = (groups) => [...groups].reverse();
    await stage.run(300);
    expect(ids()).toEqual([CAPTURE, VOICE]);
    expect((await onStage({ mode: "calm" })).ids()).toEqual([]);
  });

  test.each(["pointer", "focus", "calls"] as const)(
    "keep still while somebody is there: %s",
    async (where) => {
      const { stage, told, causes, board, ids } = await onStage();
      const stay = (isIn: boolean) => {
        if (where === "pointer") causes.setPointer(isIn);
        else if (where === "focus") causes.setFocus(isIn);
        else board.setPointer(isIn);
      };
      told.change = (groups) => groups.filter(({ id }) => id === CAPTURE);
      stay(true);
      await stage.run(300);
      expect(ids()).toEqual([VOICE, CAPTURE]);
      expect(causes.rows[0]).toMatchObject({ state: "closed", failing: 0 });
      expect(causes.rows[1]).toMatchObject({ state: "active", failing: 5 });
      stay(false);
      await stage.run(300);
      expect(ids()).toEqual([CAPTURE]);
    },
  );

  test("count what is new while they keep still, and take it when it is asked for", async () => {
    const { stage, told, causes, board, ids } = await onStage();
    told.change = (groups) => groups.filter(({ id }) => id === CAPTURE);
    await stage.run(300);
    board.setPointer(true);
    told.change = (groups) => groups;
    await stage.run(300);
    expect(ids()).toEqual([CAPTURE]);
    expect(causes.waiting.map(({ id }) => id)).toEqual([VOICE]);
    causes.refreshOrder();
    await stage.run(300);
    expect(ids()).toEqual([VOICE, CAPTURE]);
    expect(causes.waiting).toEqual([]);
  });

  test("are free again when nobody stirred for a while", async () => {
    const { stage, told, causes, ids } = await onStage();
    causes.setFocus(true);
    told.change = (groups) => groups.slice(1);
    await stage.run(HOLD_MS + 1_000);
    expect(ids()).toEqual([CAPTURE]);
  });

  test("hand the focus to the calls below the last, and keep it above the first", async () => {
    const { causes } = await onStage();
    expect(causes.cursorId).toBe(VOICE);
    expect(causes.move(-1)).toBe(true);
    expect(causes.cursorId).toBe(VOICE);
    expect(causes.move(1)).toBe(true);
    expect([causes.cursorId, causes.reveal?.id]).toEqual([CAPTURE, CAPTURE]);
    expect(causes.move(1)).toBe(false);
  });
});

describe("the board of one cause", () => {
  test("has its calls alone, says whose they are, and there is a way back", async () => {
    const { stage, causes, board, frames } = await onStage({ calls: 200 });
    const all = board.total;
    causes.toggleFilter(CAPTURE);
    await stage.run(300);
    expect(frames.at(-1)?.filter.cause).toBe(CAPTURE);
    expect(board.total).toBe(5);
    expect(board.rowAt(0)?.cause).toBe(CAPTURE);
    expect(causes.filterName).toBe("Tools, payments.capture");
    expect(board.back()).toBe(true);
    await stage.run(300);
    expect([board.filter.cause, causes.filterName, board.total]).toEqual([null, null, all]);
  });

  test("is all calls again by the same key, and back leaves the rest of the filter", async () => {
    const { causes, board } = await onStage();
    causes.toggleFilter(VOICE);
    causes.toggleFilter(VOICE);
    expect(board.isFiltered).toBe(false);
    board.setFilter({ queue: "billing" });
    causes.toggleFilter(VOICE);
    expect(board.back()).toBe(true);
    expect(board.filter).toMatchObject({ queue: "billing", cause: null });
  });

  test("keeps its name when the cause is forgotten", async () => {
    const { stage, told, causes } = await onStage();
    causes.toggleFilter(CAPTURE);
    told.change = () => [];
    await stage.run(300);
    expect(causes.rows).toEqual([]);
    expect(causes.filterName).toBe("Tools, payments.capture");
  });
});

describe("an act on a cause", () => {
  test("is for the failing calls, or for all exposed ones, each with its preview", async () => {
    const { stage, sheet, requests } = await onStage();
    stage.desk.actOnCause("announce", VOICE);
    sheet.choose({ text: "One moment please." });
    await stage.run(100);
    const target = { type: "cause", cause: VOICE } as const;
    expect(requests.at(-1)).toMatchObject({ target: { ...target, reach: "failing" } });
    expect(sheet.preview?.calls).toHaveLength(38);
    sheet.setReach("exposed");
    expect(sheet.whyNotYet).not.toBeNull();
    await stage.run(100);
    expect(sheet.preview?.calls).toHaveLength(43);
    await sheet.confirm();
    expect(requests.at(-1)).toMatchObject({
      type: "act",
      act: { target: { ...target, reach: "exposed" } },
    });
    expect(sheet.stage.type).toBe("acting");
  });

  test("begins with the failing calls each time, and with the layer or tool that broke", async () => {
    const { stage, sheet } = await onStage();
    stage.desk.actOnCause("switchModel", VOICE);
    expect(sheet.choice.layer).toBe("tts");
    sheet.setReach("exposed");
    stage.desk.actOnCause("disableTools", CAPTURE);
    expect([sheet.reach, sheet.choice.tools]).toEqual(["failing", ["payments.capture"]]);
  });

  test("holds the order of the calls while the sheet is open", async () => {
    const { stage, board } = await onStage();
    stage.desk.actOnCause("pauseAi", VOICE);
    expect(board.isFrozen).toBe(true);
    stage.desk.closeSheet();
    expect(board.isFrozen).toBe(false);
  });

  test("is off, and says why", async () => {
    const { stage, told, sheet } = await onStage();
    const off = () => stage.desk.whyOffCause("pauseAi", VOICE);
    expect(off()).toBeNull();
    told.change = (groups) => groups.map((group) => ({ ...group, state: "closed" }));
    await stage.run(300);
    expect(off()).toBe("The cause is over.");
    stage.desk.actOnCause("pauseAi", VOICE);
    expect(sheet.isOpen).toBe(false);
    expect(stage.desk.whyOffCause("pauseAi", "no-such")).toBe("The cause is over.");
    const observer = await onStage({ roles: ["observer"] });
    expect(observer.stage.desk.whyOffCause("pauseAi", VOICE)).toContain("watch, not act");
  });

  test("helps: the group recovers, is closed, and goes", async () => {
    const { stage, sheet, causes } = await onStage();
    const state = () => causes.group(CAPTURE)?.state;
    stage.desk.actOnCause("disableTools", CAPTURE);
    await stage.run(100);
    await sheet.confirm();
    stage.desk.closeSheet();
    await stage.run(3_000);
    expect(state()).toBe("recovering");
    await stage.run(12_000);
    expect(state()).toBe("closed");
    await stage.run(14_000);
    expect(state()).toBeUndefined();
  });
});

test("a cause is said with what it is compared with", async () => {
  const { causes } = await onStage();
  const group = causes.group(VOICE);
  if (group === undefined) throw new Error("the stage has an outage");
  expect(nameOf(group)).toBe("TTS, Vendor A, eu-west");
  expect(comparison(group)).toBe("88% fail here, 0.4% elsewhere");
  expect(comparisonInFull(group)).toBe(
    "With vendor Vendor A, region eu-west: 38 of 43 calls fail (88%). Without: 0.4% fail in TTS.",
  );
  expect(spoken(group)).toContain(
    "38 failing, 7 waiting in silence, 5 healthy, 43 exposed. 88% fail here, 0.4% elsewhere",
  );
  expect(failingPermille({ ...group, failing: 9, exposed: 3 })).toBe(1_000);
  expect(failingPermille({ ...group, failing: 0, exposed: 0 })).toBe(0);
  expect(nameOf({ layer: "llm", traits: [] })).toBe("LLM, every call");
});
