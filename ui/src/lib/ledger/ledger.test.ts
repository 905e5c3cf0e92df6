import { expect, test } from "vitest";

import { settled, Stage } from "$lib/backend/fake/stage";
import type { Ledger, Recovery } from "$lib/generated";

import { csvOf, measured, PARTS, partsOf } from "./ledgerWords";

const RECOVERY: Recovery = {
  id: 7,
  call: 'a,"1"',
  class: { layer: "llm", signal: "serviceError" },
  cause: null,
  decider: "policy",
  decisions: 1,
  onsetAt: null,
  affectedAt: 1_000,
  detectedAt: 1_300,
  decidedAt: 1_310,
  acceptedAt: 1_400,
  audioAt: 2_600,
  shownAt: null,
};

test("the parts of a recovery add up to its total, and what is not known is not zero", () => {
  const parts = partsOf(RECOVERY);
  expect(parts).toMatchObject({
    total: 1_600,
    detect: 300,
    decide: 10,
    accept: 90,
    recover: 1_200,
  });
  expect([parts.onset, parts.show]).toEqual([null, null]);
  expect(measured(parts.show)).toBe("–");
});

test("what nobody decided has no time of a decision", () => {
  const alone = partsOf({ ...RECOVERY, decider: "nobody", decidedAt: null, acceptedAt: null });
  expect([alone.decide, alone.accept, alone.recover]).toEqual([null, null, null]);
  expect(alone.total).toBe(1_600);
});

test("an export quotes what needs it and leaves empty what is not known", () => {
  const ledger: Ledger = { since: 0, rows: [], recoveries: [RECOVERY] };
  const [head, line] = csvOf(ledger).split("\r\n");
  expect(head?.split(",").slice(0, 4)).toEqual(["id", "call", "layer", "signal"]);
  expect(line).toBe(
    '7,"a,""1""",llm,serviceError,,policy,1,,1970-01-01T00:00:01.000Z,1970-01-01T00:00:01.300Z,1970-01-01T00:00:01.310Z,1970-01-01T00:00:01.400Z,1970-01-01T00:00:02.600Z,,1600',
  );
});

test("the desk tells the distributions apart by who decided, and exports more than it shows", async () => {
  const stage = new Stage();
  await stage.frame();
  const { frames, ledger } = stage.desk;
  const told = frames.ledger;
  expect(new Set(told?.rows.map(({ decider }) => decider)).size).toBe(3);
  for (const row of told?.rows ?? []) {
    expect(PARTS.every((part) => row[part].n <= row.recovered)).toBe(true);
  }
  await ledger.ask("csv");
  await settled();
  const shown = ledger.export;
  if (shown.type !== "shown") throw new Error(shown.type);
  expect(shown.n).toBeGreaterThan(told?.recoveries.length ?? Infinity);
  expect(shown.text.split("\r\n")).toHaveLength(shown.n + 1);
  await ledger.ask("json");
  expect(ledger.export).toMatchObject({ type: "shown", format: "json" });
  ledger.close();
  expect(ledger.export.type).toBe("closed");
});

test("an export that nobody answers says so", async () => {
  const stage = new Stage({ link: "reconnecting" });
  await stage.frame();
  await stage.desk.ledger.ask("csv");
  expect(stage.desk.ledger.export).toMatchObject({
    type: "refused",
    refusal: { code: "unreachable" },
  });
});
