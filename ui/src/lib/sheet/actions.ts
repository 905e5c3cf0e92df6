/** What a person can do to calls, by letter, and why they sometimes cannot. */
import type { ActVerb, CallSummary, Capability, CauseGroup, Layer, Platform } from "$lib/generated";

export const ACTION_NAMES = [
  "switchModel",
  "disableTools",
  "enableTools",
  "routeToHumans",
  "announce",
  "pauseAi",
  "resumeAi",
] as const;

export type ActionName = (typeof ACTION_NAMES)[number];

interface ActionWords {
  /** The key that starts it. */
  readonly letter: string;
  /** The button. */
  readonly title: string;
  /** The platform's capability that it needs, by its name on the wire. */
  readonly capability: string;
}

export const actionWords = {
  switchModel: { letter: "S", title: "Switch model", capability: "switch_model" },
  disableTools: { letter: "D", title: "Disable tools", capability: "disable_tools" },
  enableTools: { letter: "E", title: "Enable tools", capability: "enable_tools" },
  routeToHumans: { letter: "H", title: "Human", capability: "transfer" },
  announce: { letter: "Y", title: "Say", capability: "announce" },
  pauseAi: { letter: "P", title: "Pause AI", capability: "pause_ai" },
  resumeAi: { letter: "R", title: "Resume AI", capability: "resume_ai" },
} as const satisfies Record<ActionName, ActionWords>;

/** The action that a letter starts; undefined for every other key. */
export function actionOfLetter(key: string): ActionName | undefined {
  const letter = key.toUpperCase();
  return ACTION_NAMES.find((name) => actionWords[name].letter === letter);
}

/** The layers that a switch can be about. */
export const SWITCHABLE = ["asr", "llm", "tts"] as const satisfies readonly Layer[];
export type SwitchableLayer = (typeof SWITCHABLE)[number];

export function isSwitchable(layer: Layer): layer is SwitchableLayer {
  return SWITCHABLE.some((one) => one === layer);
}

/** The layer that most of the calls fail in; the language model when none of them does. */
export function failingLayer(calls: readonly CallSummary[]): SwitchableLayer {
  const place = { asr: 0, llm: 1, tts: 3 } as const satisfies Record<SwitchableLayer, number>;
  const weight = { failed: 3, degraded: 1, unknown: 0, healthy: 0 } as const;
  let best: SwitchableLayer = "llm";
  let bestWeight = 0;
  for (const layer of SWITCHABLE) {
    const sum = calls.reduce((total, call) => total + weight[call.layers[place[layer]].state], 0);
    if (sum > bestWeight) {
      best = layer;
      bestWeight = sum;
    }
  }
  return best;
}

/** What is known when a person reaches for an action. */
export interface Reach {
  /** Why nobody can act now; null when they can. */
  readonly actionsOff: string | null;
  /** The reader's token lets them act on calls. */
  readonly canAct: boolean;
  /** How many calls are chosen. */
  readonly chosen: number;
  /** Those of them whose rows are in view. */
  readonly calls: readonly CallSummary[];
  readonly platform: Platform | null;
  /** What the one chosen call can do, when its detail is open. */
  readonly capabilities: readonly Capability[] | null;
}

export const NO_RIGHT = "Your token lets you watch, not act.";

/** Why the action is off, in a sentence; null when it can be asked for. */
export function whyOff(action: ActionName, reach: Reach): string | null {
  if (reach.actionsOff !== null) return reach.actionsOff;
  if (!reach.canAct) return NO_RIGHT;
  if (reach.chosen === 0) return "Choose a call first: arrows move, space marks.";
  // Rows out of view are not judged here: the preview lists what the act leaves alone.
  if (reach.calls.length < reach.chosen) return null;
  return whyIncapable(action, reach) ?? whyPointless(action, reach.calls);
}

/** What is known when a person reaches for an action on a cause group. */
export type CauseReachable = Pick<Reach, "actionsOff" | "canAct" | "platform"> & {
  /** undefined once it is forgotten. */
  readonly group: CauseGroup | undefined;
};

/** Why the action on a cause group is off, in a sentence; null when it can be asked for. */
export function whyOffCause(action: ActionName, reach: CauseReachable): string | null {
  const { actionsOff, canAct, group, platform } = reach;
  if (actionsOff !== null) return actionsOff;
  if (!canAct) return NO_RIGHT;
  if (group === undefined || group.state === "closed") return "The cause is over.";
  const { capability } = actionWords[action];
  const canAny = platform?.bridges.some((bridge) =>
    bridge.capabilities.some(({ name, available }) => name === capability && available),
  );
  return canAny === true ? null : "No platform offers it.";
}

/** The action that helps most for a layer that breaks, before the ones that always help. */
export function causeActions(layer: Layer): readonly ActionName[] {
  const first: readonly ActionName[] =
    layer === "tools"
      ? ["disableTools", "routeToHumans", "announce"]
      : isSwitchable(layer) || layer === "infrastructure"
        ? ["switchModel", "routeToHumans", "announce"]
        : ["routeToHumans", "announce", "switchModel"];
  return [...first, ...ACTION_NAMES.filter((name) => !first.includes(name))];
}

function whyIncapable(action: ActionName, reach: Reach): string | null {
  const name = actionWords[action].capability;
  const found =
    reach.capabilities !== null
      ? [reach.capabilities.find((capability) => capability.name === name)]
      : reach.calls.map((call) =>
          reach.platform?.bridges
            .find((bridge) => bridge.source === call.source)
            ?.capabilities.find((capability) => capability.name === name),
        );
  if (found.some((capability) => capability?.available === true)) return null;
  const reason = found.find((capability) => capability?.reason !== undefined)?.reason;
  return reason === undefined
    ? "The call's platform does not offer it."
    : `The call's platform cannot do it: ${reason}.`;
}

function whyPointless(action: ActionName, calls: readonly CallSummary[]): string | null {
  if (calls.every((call) => call.phase === "ended")) return "The call is over.";
  if (calls.every((call) => call.phase === "human")) return "A human serves the call.";
  if (action === "routeToHumans" && calls.every((call) => call.handoff !== null)) {
    return "The call is on its way to a human already.";
  }
  if (action === "pauseAi" && calls.every((call) => call.ai === "paused")) {
    return "The AI is silent already.";
  }
  if (action === "resumeAi" && calls.every((call) => call.ai === "active")) {
    return "The AI speaks already.";
  }
  return null;
}

/** What a person has set on the sheet. */
export interface Choice {
  readonly layer: SwitchableLayer;
  /** The service by name; null for the next usable one of each call's ladder. */
  readonly to: string | null;
  /** Empty for all tools. */
  readonly tools: readonly string[];
  readonly text: string;
}

/** The verb of the action as chosen; null while something is missing. */
export function verbOf(action: ActionName, choice: Choice): ActVerb | null {
  switch (action) {
    case "switchModel":
      return { type: "switchModel", layer: choice.layer, to: choice.to };
    case "disableTools":
      return { type: "disableTools", tools: [...choice.tools] };
    case "enableTools":
      return { type: "enableTools", tools: [...choice.tools] };
    case "routeToHumans":
      return { type: "routeToHumans" };
    case "announce": {
      const text = choice.text.trim();
      return text === "" ? null : { type: "announce", text };
    }
    case "pauseAi":
      return { type: "pauseAi" };
    case "resumeAi":
      return { type: "resumeAi" };
  }
}
