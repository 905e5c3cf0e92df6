import { describe, expect, test } from "vitest";

import { counted, percent, permille } from "./number";
import { capital, heard, listed, serviceOrigin, shortId } from "./text";
import { age, delay, duration, skew, until } from "./time";

describe("times", () => {
  test.each([
    [0, "0:00"],
    [4_999, "0:04"],
    [130_000, "2:10"],
    [3_753_000, "1:02:33"],
    [-500, "0:00"],
  ])("an age of %i ms is %s", (ms, words) => {
    expect(age(1_000, 1_000 + ms)).toBe(words);
  });

  test.each([
    [-20, "0.0 s"],
    [730, "0.7 s"],
    [6_140, "6.1 s"],
    [12_900, "12 s"],
    [130_000, "2:10"],
  ])("a length of %i ms is %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  test("what is due counts down to now", () => {
    expect([until(7_200, 1_000), until(131_000, 1_000), until(1_000, 1_000), until(0, 9)]).toEqual([
      "in 7 s",
      "in 2:10",
      "now",
      "now",
    ]);
  });

  test("short delays are in milliseconds, and a skew has a direction", () => {
    expect(delay(4)).toBe("4 ms");
    expect(delay(1_200)).toBe("1.2 s");
    expect([skew(12), skew(-3), skew(0)]).toEqual(["+12 ms", "-3 ms", "0 ms"]);
  });
});

test("counts carry their word", () => {
  expect([counted(1, "call"), counted(1_248, "call"), counted(2, "reply", "replies")]).toEqual([
    "1 call",
    "1,248 calls",
    "2 replies",
  ]);
  expect([permille(0), permille(4), permille(99), permille(884)]).toEqual([
    "0%",
    "0.4%",
    "9.9%",
    "88%",
  ]);
  expect(percent(0.974)).toBe("97%");
});

describe("what was never heard", () => {
  test("is the tail of the text", () => {
    expect(heard({ text: "I will refund this today", unspoken: " this today" })).toEqual({
      heard: "I will refund",
      unspoken: " this today",
    });
    expect(heard({ text: "All of it", unspoken: "" })).toEqual({
      heard: "All of it",
      unspoken: "",
    });
  });

  test("is shown even when the platform words it otherwise", () => {
    expect(heard({ text: "I will", unspoken: "refund this" })).toEqual({
      heard: "I will ",
      unspoken: "refund this",
    });
  });
});

test("ids are cut at the front, where those of one platform are alike", () => {
  expect(shortId("4f2a")).toBe("4f2a");
  expect(shortId("smwucfjr7-00213")).toBe("00213");
  expect(shortId("0198c5a2-77d0-91bc")).toBe("91bc");
  expect(shortId("0198c5a2-77d0-91bc33aa44bb55cc")).toBe("44bb55cc");
  expect(shortId("contact-2026-11-3")).toBe("026-11-3");
});

test("lists and origins read as prose", () => {
  expect([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])]).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
  expect(serviceOrigin({ provider: "Vendor A", model: "", region: "eu-west" })).toBe(
    "Vendor A, eu-west",
  );
  expect(capital("switch")).toBe("Switch");
});
