import { expect, test } from "vitest";

import type { Evidence, Layer } from "$lib/generated";

import { evidenceKeyed } from "./evidence";

test("a piece of evidence keeps its key when newer ones come, also one like it", () => {
  const piece = (at: number): [Layer, Evidence] => [
    "tts",
    { kind: "deadAir", text: "Silent", at, events: ["e-1"] },
  ];
  const before = evidenceKeyed([piece(2), piece(1)]).map(({ key }) => key);
  const after = evidenceKeyed([piece(2), piece(2), piece(1)]).map(({ key }) => key);
  expect(after.slice(1)).toEqual(before);
  expect(new Set(after).size).toBe(3);
});
