import { describe, expect, test } from "vitest";

import { EPOCH } from "$lib/backend/fake/fake";
import { Stage } from "$lib/backend/fake/stage";
import { clock } from "$lib/format/time";
import type { BlindReason, Status } from "$lib/generated";

import { type Banner, bannerOf } from "./banner";

const SINCE = clock(EPOCH - 49_000);
const NO_ALARMS = "No alarms are raised until it sees again.";

async function told(options: ConstructorParameters<typeof Stage>[0]): Promise<Status> {
  const stage = new Stage(options);
  await stage.frame();
  const { status } = stage.desk.frames;
  if (status === null) throw new Error("the fake tells a status with its first frame");
  return status;
}

function banner(status: Status | null, fault: string | null = null): Banner | null {
  return bannerOf({ status, fault, clock: EPOCH });
}

describe("a hub that cannot see", () => {
  test("says by how much it is behind and since when, and that nobody is blamed", async () => {
    expect(banner(await told({ blind: "ownLag" }))).toEqual({
      level: "bad",
      about: "hub",
      what: `Holdfast itself is behind by 4.2 s, since ${SINCE}.`,
      then: `What you see may be over; actions are off. ${NO_ALARMS}`,
      aloud: `Holdfast itself cannot see, since ${SINCE}. ${NO_ALARMS}`,
    });
  });

  test("does not claim to be behind once its backlog is gone", async () => {
    const status = { ...(await told({ blind: "ownLag" })), hubLagMs: 4, stale: false };
    expect(banner(status)).toMatchObject({
      level: "warn",
      what: `Holdfast itself was behind, since ${SINCE}, and has just caught up.`,
      then: NO_ALARMS,
    });
  });

  test.each([
    ["clockJump", `The clock of Holdfast's own machine was set, at ${SINCE}.`],
    ["suspended", `Holdfast's own machine slept or stood still, for 49 s since ${SINCE}.`],
  ] as const)("names what keeps it from seeing: %s", async (blind, what) => {
    expect(banner(await told({ blind }))).toMatchObject({ level: "warn", what, then: NO_ALARMS });
  });

  test("says once it is over how long it lasted, without a color", async () => {
    const status = await told({ blind: "over" });
    expect(banner(status)).toEqual({
      level: "note",
      about: "hub",
      what: `Holdfast sees again. It could not for 49 s from ${SINCE}: its machine slept or stood still.`,
      then: "No alarms were raised in that time; what still fails is told now.",
      aloud: "Holdfast sees again.",
    });
  });

  test("is read aloud once, whatever its digits do", async () => {
    for (const reason of ["ownLag", "clockJump", "suspended"] satisfies BlindReason[]) {
      const stage = new Stage({ blind: reason });
      const aloud = new Set<string | undefined>();
      for (let n = 0; n < 5; n += 1) {
        await stage.frame(1_000);
        aloud.add(banner(stage.desk.frames.status)?.aloud);
      }
      expect([...aloud]).toHaveLength(1);
    }
  });
});

describe("what hides a hub's word about its own sight", () => {
  test("is a hub that says nothing any more: its word is as old as all the rest", async () => {
    const status = await told({ blind: "suspended", link: "stale" });
    expect(banner(status)?.what).toMatch(/^Nothing heard from the hub for 6\.\d s\.$/);
  });

  test("is a connection that is gone", async () => {
    const status = await told({ blind: "suspended", link: "reconnecting" });
    expect(banner(status)).toMatchObject({ about: "view", level: "warn" });
    expect(banner(status)?.then).toContain("Attempt 4");
  });

  test("is a program that does not answer", async () => {
    const status = await told({ blind: "suspended" });
    expect(banner(status, "it is gone")?.what).toContain("it is gone");
  });
});

describe("a hub that sees", () => {
  test("has nothing to say", async () => {
    expect(banner(await told({}))).toBeNull();
    expect(banner(null)).toBeNull();
  });

  test("is not called silent when it was heard and only the view is behind", async () => {
    const status = { ...(await told({})), stale: true, actionsOff: "The hub is still telling." };
    expect(banner(status)).toMatchObject({
      level: "bad",
      what: "What you see may be over.",
      then: "The hub is still telling.",
    });
  });

  test.each(["connecting", "closed"] as const)("and a link that is %s", async (link) => {
    expect(banner(await told({ link }))).toMatchObject({ about: "view" });
  });
});
