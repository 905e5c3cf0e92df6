/** Text is readable: 4.5 to 1 against each surface that it stands on, in both themes (WCAG AA). */
import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");

function theme(name: "dark" | "light"): Record<string, string> {
  const start = css.indexOf(`:root[data-theme="${name}"]`);
  const block = css.slice(start, css.indexOf("}", start));
  const colors: Record<string, string> = {};
  for (const [, token = "", color = ""] of block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)) {
    colors[token] = color;
  }
  return colors;
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["ground", "surface", "raised", "hover", "accent-ground"];
const PAIRS: readonly (readonly [string, readonly string[]])[] = [
  ["text", [...GROUNDS, "field", "warn-ground", "bad-ground"]],
  ["text-soft", [...GROUNDS, "bad-ground", "warn-ground", "drill-ground"]],
  ["text-faint", GROUNDS],
  ["accent", GROUNDS],
  ["warn", [...GROUNDS, "warn-ground"]],
  ["bad", [...GROUNDS, "bad-ground"]],
  ["busy", [...GROUNDS, "busy-ground"]],
  ["drill", ["surface", "raised", "drill-ground"]],
  ["on-accent", ["accent"]],
];

describe.each(["dark", "light"] as const)("%s", (name) => {
  const colors = theme(name);
  const cases = PAIRS.flatMap(([text, grounds]) =>
    grounds.map((ground) => [text, ground] as const),
  );

  test.each(cases)("%s on %s", (text, ground) => {
    const ratio = contrast(colors[text] ?? "", colors[ground] ?? "");
    expect(ratio).toBeGreaterThanOrEqual(4.5);
  });
});
