import { expect, test } from "vitest";

import { boardMove, type KeyPress } from "./boardKeys";

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
}

test.each([
  [press("ArrowDown"), { type: "by", rows: 1, extend: false }],
  [press("ArrowUp", { shiftKey: true }), { type: "by", rows: -1, extend: true }],
  [press("PageDown"), { type: "by", rows: 20, extend: false }],
  [press("PageUp"), { type: "by", rows: -20, extend: false }],
  [press("Home"), { type: "first", extend: false }],
  [press("End", { shiftKey: true }), { type: "last", extend: true }],
  [press(" "), { type: "mark" }],
  [press("Enter"), { type: "open" }],
  [press("Escape"), { type: "back" }],
  [press("?", { shiftKey: true }), { type: "explain" }],
  [press("a", { ctrlKey: true }), { type: "markAll" }],
  [press("A", { metaKey: true }), { type: "markAll" }],
  [press("s"), null],
  [press("s", { ctrlKey: true }), null],
  [press("ArrowDown", { altKey: true }), null],
  [press("Enter", { ctrlKey: true }), null],
] as const)("%o means %o", (key, move) => {
  expect(boardMove(key, 20)).toEqual(move);
});
