import { describe, expect, test } from "vitest";

import { Stage } from "$lib/backend/fake/stage";

describe("the red lever", () => {
  test("names what it stops, and stops it when it is confirmed", async () => {
    const stage = new Stage({ run: "running" });
    await stage.frame();
    const { desk } = stage;
    const { lever } = desk;
    expect(lever.stops).toMatchObject({ acting: 1, waiting: 0, armed: 2 });
    await lever.move(desk.leverRights);
    await stage.frame();
    expect(lever.lever.on).toBe(false);

    lever.open();
    lever.setReason("it insults callers");
    await lever.move(desk.leverRights);
    await stage.run(200);
    expect(lever.lever).toMatchObject({ on: true, by: "sam", reason: "it insults callers" });
    expect(lever.isOpen).toBe(false);
    expect(desk.frames.runs[0]?.state).toMatchObject({ type: "stopped", why: { type: "lever" } });
    expect(desk.frames.playbooks.some(({ wouldFire }) => wouldFire)).toBe(false);
  });

  test("is released with a reason, by a commander", async () => {
    const stage = new Stage();
    await stage.frame();
    const { desk } = stage;
    desk.lever.open();
    await desk.lever.move(desk.leverRights);
    await stage.frame();
    desk.lever.open();
    expect(desk.lever.whyNot(desk.leverRights)).toContain("Write why");
    await desk.lever.move(desk.leverRights);
    await stage.frame();
    expect(desk.lever.lever.on).toBe(true);
    desk.lever.setReason("the vendor is well again");
    await desk.lever.move(desk.leverRights);
    await stage.frame();
    expect(desk.lever.lever).toMatchObject({ on: false, reason: "the vendor is well again" });
  });

  test("is pulled by a supervisor, who cannot release it", async () => {
    const stage = new Stage({ roles: ["supervisor"] });
    await stage.frame();
    const { desk } = stage;
    desk.lever.open();
    await desk.lever.move(desk.leverRights);
    await stage.frame();
    expect(desk.lever.lever.on).toBe(true);
    desk.lever.open();
    desk.lever.setReason("well again");
    expect(desk.lever.whyNot(desk.leverRights)).toContain("commander");
    const reply = await stage.backend.request({ type: "lever", on: false, reason: "well" });
    expect(reply).toMatchObject({ type: "refused", refusal: { code: "forbidden" } });
  });

  test("is not for who may only watch", async () => {
    const stage = new Stage({ roles: ["observer"] });
    await stage.frame();
    stage.desk.lever.open();
    expect(stage.desk.lever.whyNot(stage.desk.leverRights)).toContain("supervisor");
    await stage.desk.lever.move(stage.desk.leverRights);
    await stage.frame();
    expect(stage.desk.lever.lever.on).toBe(false);
  });

  test("can be pulled while the view is stale, and says so when nobody hears it", async () => {
    const stage = new Stage({ link: "stale" });
    await stage.frame();
    const { desk } = stage;
    desk.lever.open();
    expect(desk.lever.whyNot(desk.leverRights)).toBeNull();
    await desk.lever.move(desk.leverRights);
    expect(desk.lever.refusal?.code).toBe("unreachable");
    expect(desk.lever.isOpen).toBe(true);
  });
});
