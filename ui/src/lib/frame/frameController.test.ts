import { describe, expect, test } from "vitest";

import type { Backend } from "$lib/backend/backend";
import { settled, Stage } from "$lib/backend/fake/stage";
import type { Frame, FrameRequest } from "$lib/generated";

import { CLOCK_STEP_MS, RETRY_MS } from "./frameController.svelte";

/** Keeps what was asked, and answers when the test says so. */
function recording(requests: FrameRequest[], hold?: (frame: Promise<Frame>) => Promise<Frame>) {
  return (inner: Backend): Backend => ({
    frame: (request) => {
      requests.push(request);
      const frame = inner.frame(request);
      return hold === undefined ? frame : hold(frame);
    },
    request: (request) => inner.request(request),
  });
}

describe("the pull loop", () => {
  test("asks for one frame at a time, however long it takes", async () => {
    const requests: FrameRequest[] = [];
    const release: (() => void)[] = [];
    const stage = new Stage(
      {},
      recording(requests, (frame) => new Promise((done) => release.push(() => done(frame)))),
    );
    await stage.frame();
    expect(requests).toHaveLength(1);
    expect(stage.waiting).toBe(0);

    await stage.frame();
    await stage.frame();
    expect(requests).toHaveLength(1);

    release[0]?.();
    await settled();
    expect(stage.waiting).toBe(1);
    await stage.frame();
    expect(requests).toHaveLength(2);
  });

  test("acknowledges what it painted, and keeps sections that did not change", async () => {
    const requests: FrameRequest[] = [];
    const stage = new Stage({}, recording(requests));
    await stage.frame();
    const { board, about } = stage.desk.frames;
    expect(requests[0]?.ack).toBe(0);
    expect(board?.rows.length).toBeGreaterThan(0);

    await stage.frame(1);
    expect(requests[1]?.ack).toBe(1);
    expect(stage.desk.frames.board).toBe(board);
    expect(stage.desk.frames.about).toBe(about);
  });

  test("says that the program is silent, waits, and begins anew", async () => {
    const requests: FrameRequest[] = [];
    let isBroken = false;
    const stage = new Stage(
      {},
      recording(requests, (frame) => (isBroken ? Promise.reject(new Error("it is gone")) : frame)),
    );
    await stage.frame();
    isBroken = true;
    await stage.frame();
    expect(stage.desk.frames.fault).toBe("it is gone");
    expect(stage.desk.frames.isStale).toBe(true);
    expect(stage.desk.frames.actionsOff).toContain("it is gone");

    isBroken = false;
    const asked = requests.length;
    await stage.frame(RETRY_MS - 20);
    expect(requests).toHaveLength(asked);
    await stage.frame(40);
    expect(requests.at(-1)?.ack).toBe(0);
    expect(stage.desk.frames.fault).toBeNull();
    expect(stage.desk.frames.actionsOff).toBeNull();
  });

  test("looks at other rows without painting them", async () => {
    const requests: FrameRequest[] = [];
    const stage = new Stage({}, recording(requests));
    await stage.frame();
    const before = stage.desk.frames.board;
    const filter = { queue: null, text: "maria", cause: null, needAtLeast: "calm" } as const;
    const found = stage.desk.frames.query(filter, 0, 5);
    await stage.frame(1);
    const { rows } = await found;
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThanOrEqual(5);
    expect(stage.desk.frames.board).toBe(before);
    expect(requests.at(-1)).toMatchObject({ ack: 0, filter, first: 0, count: 5 });

    await stage.frame(1);
    expect(requests.at(-1)).toMatchObject({ ack: 0, filter: { text: "" } });
  });

  test("moves ages in steps", async () => {
    const stage = new Stage();
    await stage.frame(CLOCK_STEP_MS);
    const { clock } = stage.desk.frames;
    await stage.frame(CLOCK_STEP_MS - 1);
    expect(stage.desk.frames.clock).toBe(clock);
    await stage.frame(1);
    expect(stage.desk.frames.clock).toBe(clock + CLOCK_STEP_MS);
  });

  test("stops when it is told to", async () => {
    const requests: FrameRequest[] = [];
    const stage = new Stage({}, recording(requests));
    await stage.frame();
    stage.desk.frames.stop();
    await stage.frame();
    expect(requests).toHaveLength(1);
    expect(stage.waiting).toBe(0);
  });
});

describe("the call that is open", () => {
  test("is not told, told, and gone, in this order", async () => {
    let tell: "nothing" | "all" = "nothing";
    const stage = new Stage({}, (inner) => ({
      frame: async (request) => {
        const frame = await inner.frame(request);
        return tell === "nothing" && request.open !== null
          ? { ...frame, detail: { call: null } }
          : frame;
      },
      request: (request) => inner.request(request),
    }));
    const { board, frames } = stage.desk;
    await stage.frame();
    const id = board.rowAt(0)?.id ?? "";
    board.openCall(id);
    await stage.run(600);
    expect(frames.detail(id)).toBeUndefined();
    expect(frames.waitedFor(id)).toBeGreaterThan(0);

    tell = "all";
    await stage.frame();
    expect(frames.detail(id)?.summary.id).toBe(id);
    expect(frames.waitedFor(id)).toBe(0);

    tell = "nothing";
    await stage.frame();
    expect(frames.detail(id)).toBeNull();

    board.close();
    await stage.frame();
    expect(frames.detail(id)).toBeUndefined();
  });
});

describe("a stale view", () => {
  test.each(["stale", "connecting", "reconnecting", "closed"] as const)(
    "turns acts off with a reason: %s",
    async (link) => {
      const stage = new Stage({ link });
      await stage.frame();
      expect(stage.desk.frames.isStale).toBe(true);
      expect(stage.desk.frames.actionsOff).not.toBeNull();
      stage.desk.board.move(1);
      stage.desk.act("switchModel");
      expect(stage.desk.sheet.isOpen).toBe(false);
      expect(stage.desk.whyOff("switchModel")).toBe(stage.desk.frames.actionsOff);
    },
  );

  test("is what a window is that has heard nothing", () => {
    const stage = new Stage();
    expect(stage.desk.frames.isStale).toBe(true);
    expect(stage.desk.frames.actionsOff).toContain("Nothing has been heard");
  });
});
