import { describe, expect, test } from "vitest";

import type { Backend } from "$lib/backend/backend";
import { settled, Stage } from "$lib/backend/fake/stage";
import type { Reply, Request } from "$lib/generated";

/** Keeps what was asked; `answer` may answer in the backend's place. */
async function onStage(answer?: (request: Request) => Promise<Reply> | undefined) {
  const requests: Request[] = [];
  const stage = new Stage({}, (inner): Backend => ({
    frame: (request) => inner.frame(request),
    request: (request) => {
      requests.push(request);
      return answer?.(request) ?? inner.request(request);
    },
  }));
  await stage.frame();
  const { board, sheet } = stage.desk;
  board.move(1);
  return { stage, requests, board, sheet };
}

describe("a sheet", () => {
  test("shows whom an act touches before it can be confirmed", async () => {
    const { stage, sheet, board, requests } = await onStage();
    board.moveTo(2, true);
    stage.desk.act("switchModel");
    expect(sheet.stage.type).toBe("asking");
    expect(sheet.whyNotYet).not.toBeNull();
    await sheet.confirm();
    expect(requests.map((request) => request.type)).toEqual(["preview"]);

    await settled();
    expect(sheet.preview?.calls).toHaveLength(3);
    expect(sheet.preview?.sentence).toContain("3 of 3 calls");
    expect(sheet.whyNotYet).toBeNull();
    expect(requests[0]).toMatchObject({ verb: { type: "switchModel", layer: "tts", to: null } });
  });

  test("tells each call's progress from the records, up to proof", async () => {
    const { stage, sheet } = await onStage();
    stage.desk.act("switchModel");
    await settled();
    await sheet.confirm();
    expect(sheet.stage).toMatchObject({ type: "acting", act: "act-1", expected: 1 });
    expect(sheet.act).toBeNull();

    await stage.frame();
    expect(sheet.act).toMatchObject({ total: 1, underWay: 1, proven: 0 });
    await stage.run(1_200);
    expect(sheet.act).toMatchObject({ applied: 1, proven: 0 });
    await stage.run(5_000);
    expect(sheet.act).toMatchObject({ proven: 1 });
  });

  test("sends an act once, however often it is confirmed", async () => {
    const { stage, sheet, requests } = await onStage();
    stage.desk.act("pauseAi");
    await settled();
    await Promise.all([sheet.confirm(), sheet.confirm()]);
    await sheet.confirm();
    expect(requests.filter((request) => request.type === "act")).toHaveLength(1);
  });

  test("asks anew when the choice changes, and keeps only the last answer", async () => {
    const answers: (() => void)[] = [];
    const { stage, sheet } = await onStage((request) => {
      if (request.type !== "preview" || request.verb.type !== "switchModel") return undefined;
      const sentence = request.verb.layer;
      const preview = {
        calls: ["a"],
        byRung: [],
        failing: 0,
        becomes: [],
        excluded: [],
        humansFree: 0,
        announcement: null,
        sentence,
      };
      return new Promise((resolve) => answers.push(() => resolve({ type: "preview", preview })));
    });
    stage.desk.act("switchModel");
    sheet.choose({ layer: "asr" });
    answers[1]?.();
    await settled();
    expect(sheet.preview?.sentence).toBe("asr");
    answers[0]?.();
    await settled();
    expect(sheet.preview?.sentence).toBe("asr");
  });

  test("waits for words before it asks what callers would hear", async () => {
    const { stage, sheet, requests } = await onStage();
    stage.desk.act("announce");
    expect(sheet.stage.type).toBe("choosing");
    expect(requests).toHaveLength(0);
    sheet.choose({ text: "One moment please." });
    await settled();
    expect(sheet.preview?.announcement).toBe("One moment please.");
  });

  test("shows a refusal and can ask again", async () => {
    let isRefused = true;
    const { stage, sheet } = await onStage((request) =>
      request.type === "act" && isRefused
        ? Promise.resolve({ type: "refused", refusal: { code: "conflict", message: "It moved." } })
        : undefined,
    );
    stage.desk.act("pauseAi");
    await settled();
    await sheet.confirm();
    expect(sheet.stage).toEqual({
      type: "refused",
      refusal: { code: "conflict", message: "It moved." },
    });
    isRefused = false;
    sheet.retry();
    await settled();
    await sheet.confirm();
    expect(sheet.stage.type).toBe("acting");
  });

  test("says so when the program does not answer, and does not claim that nothing happened", async () => {
    const { stage, sheet } = await onStage((request) =>
      request.type === "act" ? Promise.reject(new Error("broken pipe")) : undefined,
    );
    stage.desk.act("pauseAi");
    await settled();
    await sheet.confirm();
    expect(sheet.stage).toMatchObject({ type: "refused", refusal: { code: "unreachable" } });
    expect(JSON.stringify(sheet.stage)).toContain("Nobody knows whether it was done");
  });

  test("does nothing on calls that it would not touch", async () => {
    const { stage, sheet, requests } = await onStage();
    stage.desk.openSheet({ type: "calls", action: "pauseAi", calls: ["gone"] });
    await settled();
    expect(sheet.preview?.excluded).toEqual([{ call: "gone", reason: "notLive" }]);
    expect(sheet.whyNotYet).toContain("no call");
    await sheet.confirm();
    expect(requests.filter((request) => request.type === "act")).toHaveLength(0);
  });

  test("forgets an answer that comes after it was closed", async () => {
    const { stage, sheet, board } = await onStage();
    stage.desk.act("switchModel");
    expect(board.isFrozen).toBe(true);
    stage.desk.closeSheet();
    await settled();
    expect(sheet.isOpen).toBe(false);
    expect(sheet.stage.type).toBe("choosing");
    expect(board.isFrozen).toBe(false);
  });

  test("acts on all calls only for a commander", async () => {
    const stage = new Stage({ roles: ["supervisor"] });
    await stage.frame();
    stage.desk.actOnAll("pauseAi");
    expect(stage.desk.sheet.isOpen).toBe(false);
  });

  test("injects a fault into a platform, within a scope", async () => {
    const { stage, sheet, requests } = await onStage();
    const bridge = stage.desk.frames.platform?.bridges.find((one) =>
      one.source.includes("simulator"),
    );
    const fault = bridge?.capabilities.find((one) => one.name === "start_fault")?.faults?.[0];
    if (bridge === undefined || fault === undefined) throw new Error("the stage has a simulator");
    stage.desk.openSheet({ type: "startFault", source: bridge.source, fault });
    sheet.setScope({ queue: "billing" });
    await settled();
    await sheet.confirm();
    expect(requests.at(-1)).toMatchObject({
      act: {
        verb: { type: "startFault", fault: fault.id, scope: { queue: "billing" } },
        target: { type: "platform", source: bridge.source },
      },
    });
    await stage.frame();
    await stage.run(200);
    const after = stage.desk.frames.platform?.bridges.find((one) => one.source === bridge.source);
    expect(after?.faults).toHaveLength(1);
  });
});
