/** The rules that hold the window's rooms apart bite: each is shown what it forbids. */
import { ESLint } from "eslint";
import { expect, test } from "vitest";

const eslint = new ESLint({ cwd: new URL("..", import.meta.url).pathname });

async function rulesBroken(path: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: path });
  return (result?.messages ?? []).map((message) => message.ruleId ?? message.message);
}

const FILE = "src/lib/frame/frameController.svelte.ts";
const COMPONENT = "src/components/shared/Shape.svelte";

test.each([
  [
    "Tauri outside the backend",
    FILE,
    'import { invoke } from "@tauri-apps/api/core";\nvoid invoke;\n',
  ],
  ["a component in lib", FILE, 'import App from "$components/board/Board.svelte";\nvoid App;\n'],
  [
    "the made-up world in lib",
    FILE,
    'import { FakeBackend } from "$lib/backend/fake/fake";\nvoid FakeBackend;\n',
  ],
  ["a climb", FILE, 'import { age } from "../format/time";\nvoid age;\n'],
  [
    "a domain in what is shared",
    COMPONENT,
    '<script lang="ts">\n  import Board from "$components/board/Board.svelte";\n</script>\n\n<Board />\n',
  ],
  [
    "Tauri in a component",
    COMPONENT,
    '<script lang="ts">\n  import { invoke } from "@tauri-apps/api/core";\n  void invoke("frame");\n</script>\n',
  ],
])(
  "no import of %s",
  async (_what, path, code) => {
    expect(await rulesBroken(path, code)).toContain("no-restricted-imports");
  },
  60_000,
);

test("no any", async () => {
  const broken = await rulesBroken(FILE, "export const x: any = 1;\n");
  expect(broken).toContain("@typescript-eslint/no-explicit-any");
}, 60_000);

test("the one file that knows Tauri may", async () => {
  const code = 'import { invoke } from "@tauri-apps/api/core";\n\nexport const ask = invoke;\n';
  expect(await rulesBroken("src/lib/backend/tauri.ts", code)).not.toContain(
    "no-restricted-imports",
  );
}, 60_000);

test("no cycle of imports", async () => {
  const code = 'import { refusalOf } from "$lib/state/errors";\n\nexport const x = refusalOf;\n';
  const ring =
    'import type { Desk } from "$lib/desk/desk.svelte";\nimport { Desk as D } from "$lib/desk/desk.svelte";\n\nexport const y: Desk | typeof D = D;\n';
  expect(await rulesBroken("src/lib/board/boardKeys.ts", code)).not.toContain("import-x/no-cycle");
  expect(await rulesBroken("src/lib/board/boardController.svelte.ts", ring)).toContain(
    "import-x/no-cycle",
  );
}, 60_000);
