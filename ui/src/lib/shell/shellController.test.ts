import { describe, expect, test } from "vitest";

import { Stage } from "$lib/backend/fake/stage";

import { PaletteController } from "./paletteController.svelte";
import { ShellController, viewsOf } from "./shellController.svelte";

test.each([
  [["agent"], ["agent"]],
  [["observer"], ["now", "acts", "runs", "recovery", "platform"]],
  [["supervisor"], ["now", "acts", "runs", "recovery", "platform"]],
  [
    ["agent", "commander"],
    ["now", "agent", "acts", "runs", "recovery", "platform"],
  ],
] as const)("a token with %o opens %o", (roles, views) => {
  expect(viewsOf({ name: "sam", roles: [...roles] })).toEqual(views);
});

test("an agent without the board begins at their desk", async () => {
  const stage = new Stage({ roles: ["agent"] });
  await stage.frame();
  expect(stage.desk.view).toBe("agent");
});

test("the look is kept", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const before = new ShellController(storage);
  expect(before.theme).toBe("system");
  before.setTheme("light");
  before.setDensity("compact");
  const after = new ShellController(storage);
  expect([after.theme, after.density, after.rowHeight]).toEqual(["light", "compact", 24]);
});

describe("the palette", () => {
  async function search(text: string) {
    const stage = new Stage({ calls: 200 });
    await stage.frame();
    stage.desk.board.move(1);
    const palette = new PaletteController(stage.desk);
    palette.search(text);
    await stage.frame();
    await stage.frame();
    return { stage, palette };
  }

  test("finds calls by the words of their caller and opens them", async () => {
    const { stage, palette } = await search("maria");
    const first = palette.items[0];
    expect(first?.kind).toBe("call");
    stage.desk.shell.go("platform");
    palette.choose();
    expect(stage.desk.view).toBe("now");
    expect(`call ${stage.desk.board.openId ?? ""}`).toBe(first?.key);
  });

  test("finds actions and starts them", async () => {
    const { stage, palette } = await search("switch model");
    const place = palette.items.findIndex((item) => item.key === "act switchModel");
    palette.choose(place);
    expect(stage.desk.sheet.title).toBe("Switch model");
  });

  test("does not run what is off", async () => {
    const { stage, palette } = await search("resume");
    const place = palette.items.findIndex((item) => item.key === "act resumeAi");
    expect(palette.items[place]?.off).toContain("speaks already");
    palette.choose(place);
    expect(stage.desk.sheet.isOpen).toBe(false);
  });

  test("finds views and looks", async () => {
    const { stage, palette } = await search("platform");
    palette.choose(palette.items.findIndex((item) => item.kind === "view"));
    expect(stage.desk.view).toBe("platform");
    palette.search("light");
    palette.choose(palette.items.findIndex((item) => item.key === "look light"));
    expect(stage.desk.shell.theme).toBe("light");
  });

  test("keeps the cursor within what was found", async () => {
    const { palette } = await search("");
    palette.move(-1);
    expect(palette.cursor).toBe(palette.items.length - 1);
    palette.move(1);
    expect(palette.cursor).toBe(0);
  });
});
