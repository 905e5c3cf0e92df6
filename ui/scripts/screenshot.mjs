/**
 * Pictures of the window with a made-up world, for people to judge: `npm run screenshot [folder]`.
 *
 * It builds the fake mode, serves it on loopback and drives the Chromium of the machine
 * (`CHROMIUM`, by default /usr/bin/chromium).
 */
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";
import { build, preview } from "vite";

const only = process.argv.slice(3);
const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), "holdfast-pictures-")));
await mkdir(folder, { recursive: true });
const outDir = join(folder, "site");
await build({ mode: "fake", logLevel: "warn", build: { outDir, emptyOutDir: true } });
const server = await preview({
  logLevel: "warn",
  build: { outDir },
  preview: { port: 4173, strictPort: false, host: "127.0.0.1" },
});
const address = server.resolvedUrls?.local[0] ?? "http://127.0.0.1:4173/";
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

const row = (n) => `[data-index="${n}"]`;

/** Each picture: its name, the world, the window, and what a person does before it is taken. */
const PICTURES = [
  { name: "calm", query: "mode=calm&calls=412" },
  { name: "outage" },
  { name: "outage-light", colorScheme: "light" },
  { name: "ten-thousand", query: "calls=10000" },
  {
    name: "detail",
    act: async (page) => {
      await page.click(`${row(0)} .id`);
      await page.mouse.move(5, 500);
      await page.waitForTimeout(2_500);
    },
  },
  {
    name: "detail-light",
    colorScheme: "light",
    act: async (page) => {
      await page.click(`${row(1)} .id`);
      await page.waitForTimeout(1_200);
    },
  },
  {
    name: "selection",
    act: async (page) => {
      await page.keyboard.press("ArrowDown");
      for (let n = 0; n < 4; n += 1) await page.keyboard.press("Shift+ArrowDown");
      await page.waitForTimeout(300);
    },
  },
  {
    name: "explain",
    act: async (page) => {
      await page.hover(`${row(2)} [data-layer="tts"]`);
      await page.waitForTimeout(300);
    },
  },
  { name: "sheet-switch", act: (page) => sheet(page, 30, "s") },
  { name: "sheet-switch-light", colorScheme: "light", act: (page) => sheet(page, 30, "s") },
  { name: "sheet-human", act: (page) => sheet(page, 6, "h") },
  {
    name: "sheet-say",
    act: async (page) => {
      await sheet(page, 3, "y");
      await page.keyboard.type("Sorry for the silence, I am here with you.");
      await page.waitForTimeout(300);
    },
  },
  {
    name: "sheet-progress",
    act: async (page) => {
      await sheet(page, 30, "s");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(3_600);
    },
  },
  {
    name: "sheet-one-call",
    act: async (page) => {
      await page.click(`${row(0)} .id`);
      await page.keyboard.press("s");
      await page.waitForTimeout(500);
    },
  },
  {
    name: "acts",
    act: async (page) => {
      await sheet(page, 12, "s");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(400);
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      await sheet(page, 4, "h");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(3_500);
      await page.keyboard.press("Escape");
      await page.keyboard.press("3");
      await page.waitForTimeout(300);
    },
  },
  { name: "palette", act: (page) => find(page, "mar") },
  { name: "palette-empty", act: (page) => find(page, "") },
  { name: "agent-offer", query: "offer", act: (page) => page.keyboard.press("2") },
  {
    name: "agent-offer-light",
    query: "offer",
    colorScheme: "light",
    act: (page) => page.keyboard.press("2"),
  },
  {
    name: "agent-decline",
    query: "offer",
    act: async (page) => {
      await page.keyboard.press("2");
      await page.keyboard.press("x");
    },
  },
  {
    name: "agent-taken",
    query: "offer",
    act: async (page) => {
      await page.keyboard.press("2");
      await page.waitForTimeout(400);
      await page.keyboard.press("Enter");
      await page.waitForTimeout(3_500);
    },
  },
  { name: "agent-none", act: (page) => page.keyboard.press("2") },
  { name: "platform", act: (page) => page.keyboard.press("6") },
  {
    name: "platform-fault",
    act: async (page) => {
      await page.keyboard.press("6");
      await page.click('[data-testid="start-fault"][data-fault="llm_503"]');
      await page.waitForTimeout(300);
    },
  },
  { name: "runs-library", act: (page) => runs(page) },
  { name: "runs-library-light", colorScheme: "light", act: (page) => runs(page) },
  { name: "runs-calm", query: "mode=calm&calls=412", act: (page) => runs(page) },
  { name: "runs-preview", act: (page) => previewRun(page, "tts-silent") },
  {
    name: "runs-preview-light",
    colorScheme: "light",
    act: (page) => previewRun(page, "tts-silent"),
  },
  {
    name: "runs-preview-alone",
    act: async (page) => {
      await previewRun(page, "stop-all-ai");
      await page.keyboard.press("Tab");
      await page.fill('[data-testid="run-reason"]', "It insults callers");
    },
  },
  {
    name: "runs-own-request",
    query: "second=silent",
    act: async (page) => {
      await previewRun(page, "tts-silent");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(1_200);
    },
  },
  { name: "runs-arriving", query: "run=asked", act: (page) => page.mouse.move(5, 500) },
  {
    name: "runs-approval",
    query: "run=asked",
    act: async (page) => {
      await page.keyboard.press("v");
      await page.waitForTimeout(4_600);
    },
  },
  { name: "runs-running", query: "run=running", act: (page) => runs(page) },
  {
    name: "runs-running-light",
    query: "run=running",
    colorScheme: "light",
    act: (page) => runs(page),
  },
  {
    name: "runs-worse",
    query: "run=running&worse",
    act: async (page) => {
      await runs(page);
      await page.waitForTimeout(1_500);
    },
  },
  { name: "runs-narrow", query: "run=running", width: 900, height: 720, act: (page) => runs(page) },
  {
    name: "runs-preview-narrow",
    width: 900,
    height: 720,
    act: (page) => previewRun(page, "tts-silent"),
  },
  { name: "runs-wide", query: "run=running", width: 1920, height: 1080, act: (page) => runs(page) },
  { name: "runs-stale", query: "link=stale&run=running", act: (page) => runs(page) },
  { name: "lever", query: "run=running", act: (page) => page.keyboard.press("Control+l") },
  {
    name: "lever-light",
    query: "run=running",
    colorScheme: "light",
    act: (page) => page.keyboard.press("Control+l"),
  },
  {
    name: "lever-pulled",
    query: "run=running",
    act: async (page) => {
      await page.keyboard.press("Control+l");
      await page.keyboard.type("the new voice insults callers");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(600);
    },
  },
  {
    name: "runs-stopped",
    query: "run=running",
    act: async (page) => {
      await page.keyboard.press("Control+l");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(300);
      await runs(page);
    },
  },
  { name: "recovery", act: (page) => page.keyboard.press("5") },
  { name: "recovery-light", colorScheme: "light", act: (page) => page.keyboard.press("5") },
  {
    name: "recovery-export",
    act: async (page) => {
      await page.keyboard.press("5");
      await page.click('[data-testid="export-csv"]');
      await page.waitForTimeout(300);
    },
  },
  { name: "recovery-none", query: "mode=calm", act: (page) => page.keyboard.press("5") },
  {
    name: "recovery-narrow",
    width: 900,
    height: 720,
    act: (page) => page.keyboard.press("5"),
  },
  { name: "palette-runs", query: "run=running", act: (page) => find(page, "tts") },
  { name: "stale", query: "link=stale" },
  { name: "stale-light", query: "link=stale", colorScheme: "light" },
  {
    name: "stale-detail",
    query: "link=stale",
    act: async (page) => {
      await page.click(`${row(0)} .id`);
      await page.waitForTimeout(400);
    },
  },
  { name: "blind-behind", query: "blind=ownLag" },
  { name: "blind-behind-light", query: "blind=ownLag", colorScheme: "light" },
  { name: "blind-clock", query: "mode=calm&blind=clockJump" },
  { name: "blind-slept", query: "mode=calm&blind=suspended" },
  { name: "blind-over", query: "mode=calm&blind=over" },
  { name: "blind-over-narrow", query: "blind=over", width: 900, height: 720 },
  { name: "reconnecting", query: "link=reconnecting" },
  { name: "connecting", query: "link=connecting" },
  { name: "closed", query: "link=closed" },
  { name: "narrow", width: 900, height: 720 },
  {
    name: "narrow-detail",
    width: 900,
    height: 720,
    act: async (page) => {
      await page.click(`${row(0)} .id`);
      await page.waitForTimeout(400);
    },
  },
  {
    name: "narrow-offer",
    query: "offer",
    width: 900,
    height: 720,
    act: (page) => page.keyboard.press("2"),
  },
  { name: "wide", width: 1920, height: 1080 },
  {
    name: "wide-detail",
    width: 1920,
    height: 1080,
    act: async (page) => {
      await page.click(`${row(0)} .id`);
      await page.waitForTimeout(400);
    },
  },
];

async function sheet(page, marked, letter) {
  await page.keyboard.press("ArrowDown");
  for (let n = 1; n < marked; n += 1) await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press(letter);
  await page.waitForTimeout(500);
}

async function runs(page) {
  await page.keyboard.press("4");
  await page.waitForTimeout(500);
}

async function previewRun(page, playbook) {
  await runs(page);
  await page.click(`[role="option"][data-playbook="${playbook}"]`);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(5_000);
}

async function find(page, text) {
  await page.keyboard.press("Control+k");
  await page.keyboard.type(text);
  await page.waitForTimeout(400);
}

for (const {
  name,
  query = "",
  width = 1280,
  height = 800,
  colorScheme = "dark",
  act,
} of PICTURES) {
  if (only.length > 0 && !only.some((one) => name.startsWith(one))) continue;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  page.on("pageerror", (error) => console.error(`${name}: ${error.stack}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("404"))
      console.error(`${name}: ${message.text()}`);
  });
  await page.goto(`${address}?${query}`);
  await page.waitForTimeout(900);
  await act?.(page);
  await page.waitForTimeout(150);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.close();
}

await browser.close();
await server.close();
console.log(folder);
