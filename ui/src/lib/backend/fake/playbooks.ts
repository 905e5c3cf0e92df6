/** The playbooks of the fake world: some of those that ship, word for word where it matters. */
import type {
  AbortCondition,
  Approval,
  Audience,
  PlaybookStatus,
  PlaybookStep,
  Stage,
} from "$lib/generated";

export type Plan = Omit<
  PlaybookStatus,
  "causes" | "nCalls" | "checks" | "wouldFire" | "needsCause"
> & {
  readonly preconditions: PlaybookStatus["checks"][number]["check"][];
  readonly announcements: readonly (readonly [string, string])[];
  readonly messages: readonly (readonly [Audience, string])[];
};

const TWO_PERSON: Approval = {
  class: "two_person",
  expires_s: 120,
  break_glass: { reason_chars_min: 20, review_within_h: 24 },
};

const STAGES: Stage[] = [
  stage("one_call", 5, 100, 1, 60),
  stage({ percent: 5 }, 15, 90, 5, 60),
  stage({ percent: 25 }, 20, 90, 20, 90),
  stage("all", 30, 90, 50, 120),
];

const ABORT: AbortCondition[] = [
  { when: "commands_failed", percent_over: 10, commands_min: 10 },
  { when: "outcomes_unknown", calls_over: 20 },
  { when: "newly_failing", calls_over: 5 },
  { when: "ended_abruptly", percent_over: 5, calls_min: 20 },
  { when: "feed_stale", age_ms_over: 5000 },
  { when: "worse_than_untouched", measure: "failed_turns", points_over: 10, calls_min: 20 },
];

const LANGUAGES = ["en", "es", "de", "fr", "pt"];

const TELL: PlaybookStep = {
  id: "tell",
  action: { type: "notify", audiences: ["executive", "front_line", "provider"] },
};

const CAUSE_CHECKS: Plan["preconditions"] = [
  { check: "cause_active" },
  { check: "layer_failing", percent_min: 20, calls_min: 3 },
  { check: "target_healthy", percent_max: 10 },
  { check: "no_other_run" },
  { check: "feed_fresh", age_ms_max: 3000 },
];

function stage(
  reach: Stage["reach"],
  hold_s: number,
  percent_min: number,
  turns_min: number,
  within_s: number,
): Stage {
  return { reach, hold_s, verify: { probe: "good_turns", percent_min, turns_min, within_s } };
}

export const PLANS: readonly Plan[] = [
  {
    id: "tts-silent",
    version: 1,
    title: "TTS silent",
    purpose:
      "Speech synthesis takes text and gives no sound: callers hear nothing although the AI believes that it speaks. Calls go to another voice.",
    owner: "Platform team",
    layer: "tts",
    approval: TWO_PERSON,
    selector: {
      scope: { by: "cause", dimensions: ["provider", "model", "region"] },
      reach: "exposed",
      phases: ["ai"],
      rungs: [],
      protected: "last",
    },
    preconditions: CAUSE_CHECKS,
    steps: [
      TELL,
      {
        id: "switch",
        action: {
          type: "switch_model",
          layer: "tts",
          to: "next",
          announcement: "voice",
          retry_turn: true,
          parity: ["language", "recording", "consent", "disclosure"],
        },
      },
    ],
    stages: STAGES,
    abort: ABORT,
    languages: LANGUAGES,
    ttlS: 900,
    reversibility: { type: "full" },
    armed: true,
    announcements: [
      [
        "en-US",
        "Sorry, you could not hear me for a moment. I am speaking to you with another voice now.",
      ],
      ["es-MX", "Disculpe, por un momento no me ha podido oír. Ahora le hablo con otra voz."],
    ],
    messages: [
      [
        "executive",
        "TTS silent: {failing} of {all} live calls fail since 14:02 UTC. Callers hear silence or another voice.\n{touched} calls are moved, {proven} of them proven well. Platform team leads.\nNext message in 15 minutes.",
      ],
      [
        "front_line",
        "Callers could not hear the AI. We move calls to another voice, stage 1 of 4: {touched} moved, {proven} proven well.\nCards mark what was never spoken.",
      ],
      [
        "provider",
        "Since 14:02 UTC we see failures of your service in our speech synthesis layer: {failing} live calls fail now.\nWe are moving calls away from it. Please tell us the state and when you expect it to be well.",
      ],
    ],
  },
  {
    id: "tool-stalled",
    version: 1,
    title: "Tool dependency stalled",
    purpose:
      "A system behind a tool does not answer: callers wait in the middle of their request. The tool is switched off, callers are told, and it comes back when somebody says so.",
    owner: "Integrations team",
    layer: "tools",
    approval: { class: "confirm" },
    selector: {
      scope: { by: "cause", dimensions: ["tool"] },
      reach: "failing",
      phases: ["ai"],
      rungs: [],
      protected: "last",
    },
    preconditions: [{ check: "cause_active" }, { check: "no_other_run" }],
    steps: [
      TELL,
      { id: "off", action: { type: "disable_tools", tools: "cause" } },
      { id: "say", action: { type: "announce", announcement: "stalled" } },
      { id: "again", action: { type: "retry_turn" } },
      {
        id: "is-well",
        action: {
          type: "ask",
          question: "Does the system behind the tool answer again?",
          timeout_s: 3600,
        },
      },
      { id: "on", action: { type: "enable_tools", tools: "cause" } },
    ],
    stages: STAGES,
    abort: ABORT.slice(0, 3),
    languages: LANGUAGES,
    ttlS: 7200,
    reversibility: { type: "full" },
    armed: false,
    announcements: [["en-US", "One of our systems does not answer. I go on without it."]],
    messages: [["front_line", "A tool is switched off on {touched} calls."]],
  },
  {
    id: "model-vendor-down",
    version: 1,
    title: "Model vendor down",
    purpose:
      "The vendor of the language model fails: callers speak and get no answer. Calls go to the next usable model, and the failed turn is tried again.",
    owner: "Platform team",
    layer: "llm",
    approval: TWO_PERSON,
    selector: {
      scope: { by: "cause", dimensions: ["provider", "model"] },
      reach: "exposed",
      phases: ["ai"],
      rungs: [],
      protected: "last",
    },
    preconditions: CAUSE_CHECKS,
    steps: [
      TELL,
      {
        id: "switch",
        action: {
          type: "switch_model",
          layer: "llm",
          to: "next",
          announcement: "switch",
          retry_turn: true,
          parity: ["prompt", "tools", "language", "recording", "consent", "disclosure"],
        },
      },
    ],
    stages: STAGES,
    abort: ABORT,
    languages: LANGUAGES,
    ttlS: 900,
    reversibility: { type: "full" },
    armed: true,
    announcements: [["en-US", "One moment, I am changing to another system."]],
    messages: [],
  },
  {
    id: "planned-vendor-switch",
    version: 1,
    title: "Planned vendor switch",
    purpose: "A change of vendor on purpose, in a quiet hour. Callers hear one short sentence.",
    owner: "Platform team",
    layer: "llm",
    approval: { class: "two_person", expires_s: 300 },
    selector: {
      scope: { by: "traits", traits: [{ dimension: "provider", value: "Vendor A" }] },
      reach: "exposed",
      phases: ["ai"],
      rungs: ["primary", "retry"],
      protected: "exclude",
    },
    preconditions: [
      { check: "layer_well", percent_max: 5, for_s: 300 },
      { check: "target_parity", require: ["prompt", "tools", "voice"] },
      { check: "no_other_run" },
    ],
    steps: [
      {
        id: "switch",
        action: {
          type: "switch_model",
          layer: "llm",
          to: { provider: "Vendor B" },
          announcement: "switch",
          retry_turn: false,
          parity: ["prompt", "tools", "voice"],
        },
      },
    ],
    stages: STAGES,
    abort: ABORT,
    languages: LANGUAGES,
    ttlS: 7200,
    reversibility: { type: "full" },
    armed: false,
    announcements: [["en-US", "One moment please."]],
    messages: [],
  },
  {
    id: "stop-all-ai",
    version: 1,
    title: "Stop all AI",
    purpose:
      "The AI says unsafe things. It is silent at once on every call, and callers go to humans or are called back.",
    owner: "Incident commander",
    layer: "orchestration",
    approval: { class: "break_glass", reason_chars_min: 10, review_within_h: 24 },
    selector: {
      scope: { by: "all" },
      reach: "exposed",
      phases: ["ai"],
      rungs: [],
      protected: "last",
    },
    preconditions: [],
    steps: [
      { id: "stop", action: { type: "pause_ai", announcement: "stop" } },
      {
        id: "route",
        action: {
          type: "route_to_humans",
          calls: "both",
          announcement: "human",
          overflow: { wait_s_max: 300, callback_within_min: 60, announcement: "callback" },
        },
      },
      {
        id: "tell",
        action: { type: "notify", audiences: ["executive", "front_line", "caller", "provider"] },
      },
    ],
    stages: [
      {
        reach: "all",
        hold_s: 0,
        verify: { probe: "read_back", percent_min: 100, within_s: 60 },
      },
    ],
    abort: [{ when: "outcomes_unknown", calls_over: 1000 }],
    languages: LANGUAGES,
    ttlS: 7200,
    reversibility: { type: "upTo", step: "route" },
    armed: false,
    announcements: [
      ["en-US", "I have to stop here. A colleague takes over, who sees what you have told me."],
      ["es-MX", "Tengo que parar aquí. Sigue un compañero, que ve lo que me ha contado."],
    ],
    messages: [["executive", "All AI is silent on {touched} calls."]],
  },
];
