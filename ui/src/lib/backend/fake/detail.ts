/** Everything behind a row of the fake world. */
import type {
  Capability,
  CallDetail,
  CommandRecord,
  HandoffCard,
  LaneSpan,
  Utterance,
} from "$lib/generated";
import { LAYERS } from "$lib/format/words";

import { ANSWER_MS, type FakeCall, SPEAK_MS } from "./call";

const TIMELINE_MS = 180_000;
const TURNS_MAX = 40;

export function detailOf(
  call: FakeCall,
  now: number,
  isStale: boolean,
  capabilities: readonly Capability[],
  commands: readonly CommandRecord[],
): CallDetail {
  const summary = call.summary(now, isStale);
  const tools = [...new Set(call.script.turns.flatMap((turn) => turn.tool ?? []))];
  return {
    summary,
    transcript: transcriptOf(call, now),
    lanes: lanesOf(call, now),
    evidence: LAYERS.flatMap((layer, place) => {
      const evidence = summary.layers[place]?.evidence;
      return evidence === null || evidence === undefined ? [] : [[layer, evidence]];
    }),
    services: call.services(),
    toolsEnabled: tools.filter((tool) => !call.toolsOff.includes(tool)),
    toolsDisabled: [...call.toolsOff],
    capabilities: [...capabilities],
    card: cardOf(call, now),
    commands: [...commands],
  };
}

export function transcriptOf(call: FakeCall, now: number): Utterance[] {
  const out: Utterance[] = [];
  const silent = call.silentSince(now);
  const last = call.momentAt(silent === null ? now : (call.fault?.since ?? now)).turn;
  for (let turn = Math.max(0, last - TURNS_MAX); turn <= last; turn += 1) {
    const { script, from, gapMs, toolMs } = call.moment(turn);
    const base = { turn, interrupted: false, unspoken: "" };
    if (from > now) break;
    const partial = now < from + SPEAK_MS && turn === last && silent === null;
    const share = Math.max(0.3, (now - from) / SPEAK_MS);
    const callerText = partial
      ? script.caller.slice(0, Math.ceil(script.caller.length * Math.min(1, share)))
      : script.caller;
    out.push({ ...base, role: "caller", text: callerText, at: from, isFinal: !partial });
    const answerAt = from + SPEAK_MS + gapMs + toolMs;
    if (partial || now < answerAt || (silent !== null && turn === last)) continue;
    const wasCut = turn % 5 === 2;
    const words = script.agent.split(" ");
    const unspoken = wasCut ? ` ${words.slice(Math.ceil(words.length * 0.6)).join(" ")}` : "";
    const speaking = now < answerAt + ANSWER_MS && turn === last;
    out.push({
      ...base,
      role: "agent",
      text: script.agent,
      unspoken,
      interrupted: wasCut,
      at: answerAt,
      isFinal: !speaking,
    });
  }
  if (silent !== null && call.fault !== null)
    out.push(...silentTurns(call, call.fault.since, now, last));
  return out;
}

/** What is said while the voice or a tool of the call is gone: the caller asks, nothing is heard. */
function silentTurns(call: FakeCall, since: number, now: number, last: number): Utterance[] {
  const out: Utterance[] = [];
  const base = { interrupted: false, unspoken: "", isFinal: true } as const;
  const { script } = call.moment(last);
  for (let at = since, turn = last; at <= now; at += 14_000, turn += 1) {
    if (turn > last)
      out.push({ ...base, turn, role: "caller", text: "Hello? Are you there?", at: at - 1_200 });
    if (call.fault?.kind === "voiceSilent" && at + 900 < now) {
      const text = turn === last ? script.agent : "Yes, I am here. Sorry for the wait.";
      out.push({ ...base, turn, role: "agent", text, unspoken: text, at: at + 900 });
    }
  }
  return out;
}

function lanesOf(call: FakeCall, now: number): LaneSpan[] {
  const out: LaneSpan[] = [];
  const start = now - TIMELINE_MS;
  const silent = call.silentSince(now);
  const faultAt = silent === null ? now : (call.fault?.since ?? now);
  const add = (lane: LaneSpan["lane"], from: number, to: number, label: string, failed = false) => {
    if (from >= now || to <= start) return;
    out.push({ lane, from: Math.max(from, start), to: to > now ? null : to, failed, label });
  };
  for (let { turn } = call.momentAt(start); ; turn += 1) {
    const { script, from, gapMs, toolMs } = call.moment(turn);
    if (from > now || from > faultAt) break;
    const spoken = from + SPEAK_MS;
    add("caller", from, spoken, "caller");
    add("asr", from + 150, spoken + 120, call.activeService("asr"));
    add("llm", spoken + 120, spoken + gapMs - 120, call.activeService("llm"));
    if (script.tool !== undefined)
      add("tools", spoken + gapMs / 2, spoken + gapMs / 2 + toolMs, script.tool);
    if (gapMs + toolMs > 1_500) add("silence", spoken, spoken + gapMs + toolMs, "waits");
    add(
      "tts",
      spoken + gapMs + toolMs,
      spoken + gapMs + toolMs + ANSWER_MS,
      call.activeService("tts"),
    );
  }
  if (silent !== null) {
    for (let at = faultAt; at <= now; at += 14_000) {
      add("caller", at - 1_200, at, "caller");
      add("asr", at - 1_100, at + 120, call.activeService("asr"));
      add("llm", at + 120, at + 900, call.activeService("llm"));
      if (call.fault?.kind === "toolStalled")
        add("tools", at + 900, at + 12_800, "payments.capture", true);
      else add("tts", at + 900, at + 2_800, call.activeService("tts"), true);
      add("silence", at, at + 12_800, "silent");
    }
  }
  return out;
}

export function cardOf(call: FakeCall, now: number): HandoffCard {
  const spoken = transcriptOf(call, now).filter((utterance) => utterance.isFinal);
  const isDispute = call.script.intent === "dispute_charge";
  const silent = call.silentSince(now);
  const layer = call.fault?.kind === "toolStalled" ? "tools" : "tts";
  const name = call.customer?.split(" ")[0] ?? null;
  return {
    customer: call.customer,
    queue: call.script.queue,
    language: call.script.language,
    ask: { type: "fromPlatform", text: call.script.ask },
    summary: isDispute
      ? {
          type: "extracted",
          text: "Two charges of 84.20 on 3 Nov; the second has no order behind it.",
        }
      : { type: "missing" },
    intent: { type: "fromPlatform", text: call.script.intent },
    slots: [
      { name: "phone_last_four", value: "4419", confidence: 0.97, turn: 1 },
      { name: "amount", value: "84.20", confidence: 0.92, turn: 2 },
      { name: "charge", value: "#8841", confidence: null, turn: null },
    ].slice(0, isDispute ? 3 : 1),
    identity: isDispute
      ? { method: "phone and last four", level: "full", at: call.startedAt + 31_000, valid: true }
      : null,
    sentiment: [0.2, 0.1, 0, -0.2, -0.5],
    tools: isDispute
      ? [
          {
            tool: "billing.find_charges",
            state: "succeeded",
            effect: "none",
            outcome: "charge found (#8841)",
            at: call.startedAt + 40_000,
          },
          {
            tool: "billing.refund",
            state: "timedOut",
            effect: "unknown",
            outcome: "refund requested, no answer",
            at: call.startedAt + 66_000,
          },
        ]
      : [],
    promises: isDispute
      ? [{ text: "I will refund this today", turn: 2, confirmed: false, source: "extracted" }]
      : [],
    failure:
      silent === null
        ? null
        : {
            layer,
            text: "the voice of the AI failed twice; the caller waited 11 s in silence",
            at: call.fault?.since ?? now,
          },
    lastTurns: spoken.slice(-6),
    disclosure: true,
    consent: isDispute ? true : null,
    recording: "on",
    silenceMs: silent === null ? 0 : now - (call.fault?.since ?? now),
    priorTransfers: 0,
    sayFirst:
      isDispute && name !== null
        ? {
            type: "extracted",
            text: `${name}, I have your double charge here, sorry for the wait.`,
          }
        : { type: "missing" },
    gaps: isDispute
      ? [
          { type: "doubtful", part: "tools", why: "billing.refund: has not answered" },
          { type: "doubtful", part: "promises", why: "only the words of the call were searched" },
        ]
      : [
          { type: "missing", part: "summary" },
          { type: "missing", part: "identity" },
          { type: "missing", part: "consent" },
        ],
    asOf: now,
  };
}
