/** What is shipped: no made-up world, and nothing that the content security policy refuses. */
import { fileURLToPath } from "node:url";

import { build, type Rolldown } from "vite";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

async function bundle(mode: string): Promise<Rolldown.RolldownOutput["output"]> {
  const built = await build({ root, mode, logLevel: "error", build: { write: false } });
  const [first] = Array.isArray(built) ? built : [built];
  if (first === undefined || !("output" in first)) throw new Error("vite built nothing");
  return first.output;
}

function modules(output: Rolldown.RolldownOutput["output"]): string[] {
  return output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
}

function isFake(id: string): boolean {
  return id.includes("/backend/fake/");
}

describe("the program's window", () => {
  const shipped = bundle("production");

  test("holds no made-up world", async () => {
    expect(modules(await shipped).filter(isFake)).toEqual([]);
  }, 60_000);

  test("runs under a policy that allows no inline script, no inline style and no eval", async () => {
    const output = await shipped;
    const page = output.find((file) => file.fileName === "index.html");
    const html = page?.type === "asset" ? page.source.toString() : "";
    expect(html).toContain('<script type="module"');
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
    for (const file of output) {
      if (file.type !== "chunk") continue;
      expect(file.code).not.toMatch(/\beval\(|new Function\(/);
    }
  }, 60_000);
});

test("the browser's window does hold it: the check can fail", async () => {
  expect(modules(await bundle("fake")).some(isFake)).toBe(true);
}, 60_000);
