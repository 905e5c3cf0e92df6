import { describe, expect, test } from "vitest";

import { Stage } from "$lib/backend/fake/stage";
import type { FrameRequest } from "$lib/generated";

import { HOLD_MS } from "./attended.svelte";
import { ROWS_MAX } from "./boardController.svelte";

async function onStage(options: ConstructorParameters<typeof Stage>[0] = {}) {
  const requests: FrameRequest[] = [];
  const stage = new Stage(options, (inner) => ({
    frame: (request) => {
      requests.push(request);
      return inner.frame(request);
    },
    request: (request) => inner.request(request),
  }));
  await stage.frame();
  return { stage, requests, board: stage.desk.board, last: () => requests.at(-1) };
}

describe("the order of rows", () => {
  test("is held while the pointer, the focus or a sheet is on the list", async () => {
    const { stage, board, last } = await onStage();
    expect(last()?.frozen).toBe(false);
    for (const hold of ["setPointer", "setFocus", "setHeld"] as const) {
      board[hold](true);
      await stage.frame();
      expect(last()?.frozen, hold).toBe(true);
      board[hold](false);
      await stage.frame();
      expect(last()?.frozen, hold).toBe(false);
    }
  });

  test("is free again when the list was only left in focus, and held from the next key on", async () => {
    const { stage, board, last } = await onStage();
    board.setFocus(true);
    await stage.run(HOLD_MS + 1_000);
    expect(last()?.frozen).toBe(false);
    board.stir();
    await stage.frame();
    expect(last()?.frozen).toBe(true);
  });

  test("is taken anew once when it is asked for", async () => {
    const { stage, board, last } = await onStage();
    board.setFocus(true);
    board.refreshOrder();
    await stage.frame();
    expect(last()?.frozen).toBe(false);
    await stage.frame();
    expect(last()?.frozen).toBe(true);
  });

  test("stays as it was while calls recover", async () => {
    const { stage, board } = await onStage();
    board.setFocus(true);
    const before = [0, 1, 2].map((index) => board.rowAt(index)?.id);
    board.move(1);
    board.moveTo(2, true);
    stage.desk.act("switchModel");
    await stage.frame();
    await stage.desk.sheet.confirm();
    await stage.run(3_000);
    expect([0, 1, 2].map((index) => board.rowAt(index)?.id)).toEqual(before);
    expect(board.rowAt(0)?.need.level).toBe("calm");
    expect(stage.desk.frames.board?.newAbove).toBeGreaterThan(0);
  });
});

describe("what is asked for", () => {
  test("is the view with a few rows around it, and never more than a frame may carry", async () => {
    const { stage, board, last } = await onStage({ calls: 1_000 });
    board.setViewport(100, 20);
    await stage.frame();
    expect(last()).toMatchObject({ first: 92, count: 36 });
    board.setViewport(0, 900);
    await stage.frame();
    expect(last()).toMatchObject({ first: 0, count: ROWS_MAX });
  });

  test("follows the filter", async () => {
    const { stage, board, last } = await onStage();
    board.setFilter({ needAtLeast: "critical" });
    await stage.frame();
    expect(last()?.filter.needAtLeast).toBe("critical");
    expect(board.total).toBe(7);
    expect(board.isFiltered).toBe(true);
    board.clearFilter();
    await stage.frame();
    expect(board.total).toBe(60);
  });
});

describe("the cursor", () => {
  test("stays within the list", async () => {
    const { board } = await onStage();
    expect(board.cursorIndex).toBeNull();
    board.move(1);
    expect(board.cursorIndex).toBe(0);
    board.move(-1);
    expect(board.cursorIndex).toBe(0);
    board.moveTo(1_000);
    expect(board.cursorIndex).toBe(59);
  });

  test("stays on its call when the order changes", async () => {
    const { stage, board } = await onStage();
    board.moveTo(3);
    const id = board.cursorId;
    board.setFilter({ queue: board.rowAt(3)?.queue ?? null });
    board.openCall(id ?? "");
    await stage.frame();
    expect(board.cursorId).toBe(id);
    expect(board.rowAt(board.cursorIndex ?? -1)?.id).toBe(id);
  });

  test("is the call whose detail is open, so that a letter acts on what is read", async () => {
    const { stage, board, last } = await onStage();
    board.move(1);
    expect(board.openId).toBeNull();
    board.open();
    expect(board.openId).toBe(board.cursorId);
    board.move(1);
    expect(board.openId).toBe(board.rowAt(1)?.id);
    await stage.frame();
    expect(last()?.open).toBe(board.cursorId);
    expect(board.chosen).toEqual([board.cursorId]);
  });
});

describe("marks", () => {
  test("are what a letter acts on, before the cursor", async () => {
    const { board } = await onStage();
    board.move(1);
    board.toggleMark();
    board.move(1);
    board.toggleMark();
    board.move(1);
    expect(board.chosen).toEqual([board.rowAt(0)?.id, board.rowAt(1)?.id]);
    board.toggleMark(board.rowAt(0)?.id);
    expect(board.chosen).toEqual([board.rowAt(1)?.id]);
  });

  test("grow from the anchor with shift", async () => {
    const { board } = await onStage();
    board.moveTo(2);
    board.move(1, true);
    board.move(1, true);
    expect([...board.marks]).toEqual([2, 3, 4].map((index) => board.rowAt(index)?.id));
  });

  test("reach every call under the filter", async () => {
    const { stage, board } = await onStage();
    board.setFilter({ needAtLeast: "warn" });
    const marked = board.markAll();
    await stage.frame();
    await marked;
    expect(board.marks.size).toBe(17);
    expect(board.markNote).toBeNull();
  });

  test("say what they did not reach", async () => {
    const { stage, board } = await onStage({ calls: 500 });
    const marked = board.markAll();
    await stage.frame();
    await marked;
    expect(board.marks.size).toBe(ROWS_MAX);
    expect(board.markNote).toBe("the first 200 by need, of 500");
    board.toggleMark();
    board.clearMarks();
    expect(board.markNote).toBeNull();
  });
});

test("back goes one step at a time: detail, marks, filter", async () => {
  const { board } = await onStage();
  board.setFilter({ needAtLeast: "watch" });
  board.move(1);
  board.toggleMark();
  board.open();
  expect(board.back()).toBe(true);
  expect(board.openId).toBeNull();
  expect(board.marks.size).toBe(1);
  expect(board.back()).toBe(true);
  expect(board.marks.size).toBe(0);
  expect(board.back()).toBe(true);
  expect(board.isFiltered).toBe(false);
  expect(board.back()).toBe(false);
});
