/** The words on screen for every closed list. A new variant does not compile until it has a word. */
import type {
  AnomalyKind,
  CardPart,
  CauseDimension,
  CauseReach,
  CauseShape,
  CauseState,
  Command,
  CommandState,
  Effect,
  ExcludedReason,
  FeedState,
  HandoffFailure,
  HandoffReason,
  HandoffState,
  HumanState,
  IdentityLevel,
  LaneKind,
  Layer,
  LayerState,
  NeedLevel,
  NextKind,
  Protected,
  Role,
  Rung,
  SignalKind,
  ToolState,
} from "$lib/generated";

import { listed } from "./text";

/** The strip's order: A L T S O N I. */
export const LAYERS = [
  "asr",
  "llm",
  "tools",
  "tts",
  "orchestration",
  "network",
  "infrastructure",
] as const satisfies readonly Layer[];

/** The strip's letter; S is for speech synthesis, since T is for tools. */
export const layerLetter = {
  asr: "A",
  llm: "L",
  tools: "T",
  tts: "S",
  orchestration: "O",
  network: "N",
  infrastructure: "I",
} as const satisfies Record<Layer, string>;

export const layerName = {
  asr: "Speech recognition (ASR)",
  llm: "Language model (LLM)",
  tools: "Tools",
  tts: "Speech synthesis (TTS)",
  orchestration: "Orchestration",
  network: "Network",
  infrastructure: "Infrastructure",
} as const satisfies Record<Layer, string>;

export const layerShort = {
  asr: "ASR",
  llm: "LLM",
  tools: "Tools",
  tts: "TTS",
  orchestration: "Orchestration",
  network: "Network",
  infrastructure: "Infrastructure",
} as const satisfies Record<Layer, string>;

export const layerStateWord = {
  healthy: "healthy",
  degraded: "degraded",
  failed: "failed",
  unknown: "unknown",
} as const satisfies Record<LayerState, string>;

export const needWord = {
  calm: "calm",
  watch: "watch",
  warn: "warn",
  critical: "critical",
} as const satisfies Record<NeedLevel, string>;

export const needMeaning = {
  calm: "Nothing to do.",
  watch: "Worth a look.",
  warn: "The caller is being harmed.",
  critical: "The call is being lost.",
} as const satisfies Record<NeedLevel, string>;

/** What was seen, in the fewest words: the sentence beside it says the rest. */
export const signalWord = {
  serviceError: "service error",
  serviceUnavailable: "service unavailable",
  deadAir: "dead air",
  unansweredTurn: "unanswered turn",
  expectation: "late step",
  responseGap: "slow answer",
  toolFailure: "tool failure",
  truncated: "speech cut short",
  emptyAnswer: "empty answer",
  misheard: "misheard",
  transport: "poor line",
  pipelineStalled: "pipeline stalled",
  workerLost: "worker lost",
  ghost: "no word of the call",
  staleFeed: "silent bridge",
  liveness: "beats stopped",
  faultRate: "more faults",
  latencyDrift: "slower than before",
  reprompt: "asks again",
  callerRepeats: "caller repeats",
  talkOver: "talks over the caller",
  bargeInMissed: "does not yield",
  overcapture: "hears others",
  loop: "goes in circles",
  escalationDrift: "more ask for a human",
  silentSuccess: "success without effect",
  endedAbruptly: "ended after a fault",
} as const satisfies Record<SignalKind, string>;

/** What kind of thing is about to happen, for a row. */
export const nextWord = {
  stepDue: "step due",
  silenceLimit: "silence limit",
  turnFails: "turn fails",
  callEnds: "call ends",
  ghost: "call is given up",
  unseen: "nobody knows",
  commandEnds: "command ends",
  handoff: "handoff",
} as const satisfies Record<NextKind, string>;

export const causeShapeWord = {
  shared: "shared cause",
  regionOutage: "region outage",
  saturatedPool: "saturated pool",
  starvedAutoscaling: "starved autoscaling",
} as const satisfies Record<CauseShape, string>;

export const causeShapeMeaning = {
  shared: "One layer fails for calls that have this in common.",
  regionOutage: "Layers of several vendors fail at once in one place.",
  saturatedPool:
    "One model in one place became slower with the load, then refused: its pool is full.",
  starvedAutoscaling:
    "New calls wait for their worker while those under way are well: no new workers come.",
} as const satisfies Record<CauseShape, string>;

export const causeStateWord = {
  active: "active",
  recovering: "recovering",
  closed: "closed",
} as const satisfies Record<CauseState, string>;

export const causeStateMeaning = {
  active: "Calls fail by it now.",
  recovering: "No new failure; some calls have not yet shown that they are well.",
  closed: "Over. It leaves the board shortly.",
} as const satisfies Record<CauseState, string>;

export const causeDimensionWord = {
  provider: "vendor",
  model: "model",
  region: "region",
  zone: "zone",
  tool: "tool",
  flow: "flow",
  build: "build",
  queue: "queue",
  language: "language",
  worker: "worker",
} as const satisfies Record<CauseDimension, string>;

export const causeReachWord = {
  failing: "failing now",
  exposed: "all exposed",
} as const satisfies Record<CauseReach, string>;

export const causeReachMeaning = {
  failing: "The calls that fail by it now.",
  exposed: "The failing, and those that would fail at their next turn.",
} as const satisfies Record<CauseReach, string>;

export const rungWord = {
  primary: "primary",
  retry: "retry",
  backup: "backup",
  minimal: "minimal",
  human: "human",
} as const satisfies Record<Rung, string>;

export const laneName = {
  caller: "Caller",
  asr: "ASR",
  llm: "LLM",
  tools: "Tools",
  tts: "TTS",
  silence: "Silence",
} as const satisfies Record<LaneKind, string>;

export const commandStateWord = {
  requested: "requested",
  accepted: "accepted",
  applied: "applied",
  proven: "proven",
  failed: "failed",
  rejected: "refused",
  expired: "expired",
  unknown: "unknown",
} as const satisfies Record<CommandState["type"], string>;

export const commandStateMeaning = {
  requested: "Written down, on its way to the bridge.",
  accepted: "The bridge has it.",
  applied: "The platform reads back that it is so. The next good turn will prove it.",
  proven: "The platform reads back that it is so, and its effect was seen.",
  failed: "It was tried and did not work.",
  rejected: "It was refused; nothing changed.",
  expired: "Nobody answered in time. Look at the call before you ask again.",
  unknown: "It may or may not have happened; the platform is being asked.",
} as const satisfies Record<CommandState["type"], string>;

export const excludedReasonWord = {
  notLive: "over, or not known any more",
  withHuman: "with a human already",
  protectedMoment: "in a payment or identity check, not to be disturbed",
  notCapable: "on a platform that cannot do it",
  noTarget: "without another usable service",
  alreadySo: "already as asked",
  busy: "with another command or handoff under way",
  staleFeed: "on a stale feed: nobody knows what is true",
} as const satisfies Record<ExcludedReason, string>;

export const protectedWord = {
  payment: "paying now",
  identity: "identity check now",
} as const satisfies Record<Protected, string>;

/** The same for a row, where space is short. */
export const protectedShort = {
  payment: "paying",
  identity: "identity",
} as const satisfies Record<Protected, string>;

export const handoffStateWord = {
  requested: "waits for a free human",
  offered: "offered",
  seen: "card read",
  accepted: "accepted",
  bridged: "bridged",
  confirmed: "confirmed",
  failed: "failed",
} as const satisfies Record<HandoffState["type"], string>;

/** Where a handoff stands, with whom: `offered to ana`. */
export function handoffStanding(state: HandoffState): string {
  switch (state.type) {
    case "requested":
    case "failed":
      return handoffStateWord[state.type];
    case "offered":
      return `offered to ${state.agent}`;
    case "seen":
      return `card read by ${state.agent}`;
    case "accepted":
      return `taken by ${state.agent}`;
    case "bridged":
      return `bridged to ${state.agent}`;
    case "confirmed":
      return `confirmed with ${state.agent}`;
  }
}

export const handoffReasonWord = {
  supervisor: "a supervisor sent the call",
  callerAsked: "the caller asked for a human",
  aiAsked: "the AI gave up",
  ladderEnded: "no other service was left",
} as const satisfies Record<HandoffReason, string>;

export const handoffFailureWord = {
  noAnswer: "nobody answered",
  busy: "line busy",
  voicemail: "a machine answered",
  callerLeft: "the caller left",
  trunkFailed: "the platform could not connect",
  declined: "declined on the platform",
  withdrawn: "taken back",
} as const satisfies Record<HandoffFailure, string>;

export const humanStateWord = {
  free: "free",
  offered: "has an offer",
  onCall: "on a call",
  away: "away",
} as const satisfies Record<HumanState, string>;

export const feedStateWord = {
  live: "live",
  resyncing: "resyncing",
  stale: "stale",
  lost: "lost",
} as const satisfies Record<FeedState, string>;

export const feedStateMeaning = {
  live: "Facts or heartbeats arrive in time.",
  resyncing: "Connected, re-telling its calls.",
  stale: "Nothing heard for longer than its limit. Its calls are shown as last known.",
  lost: "Its connection is gone. Its calls go on without us; they are shown as last known.",
} as const satisfies Record<FeedState, string>;

export const anomalyWord = {
  malformed: "Frames that are not readable",
  tooLarge: "Frames over the limit",
  wrongType: "Fields of the wrong type",
  unknownEventType: "Event types this hub does not know",
  duplicateSequence: "Sequences heard before",
  sequenceGap: "Sequences that skip",
  wrongSource: "Events under another name",
  unknownCall: "Events about calls that never started",
  foreignCall: "Events about another bridge's call",
  impossible: "Facts that cannot be",
  clockJump: "Clock jumps",
  unknownCommand: "Results for commands never sent",
  dropped: "Events the bridge had to drop",
} as const satisfies Record<AnomalyKind, string>;

export const toolStateWord = {
  requested: "asked for",
  running: "running",
  succeeded: "done",
  failed: "failed",
  timedOut: "no answer",
  cancelled: "cancelled",
} as const satisfies Record<ToolState, string>;

/** A part of the handoff card. */
export const cardPartWord = {
  customer: "the customer’s name",
  ask: "what they ask",
  summary: "a summary",
  intent: "the intent",
  slots: "what was collected",
  identity: "who they are",
  tools: "what tools did",
  promises: "what was promised",
  lastTurns: "the last words",
  disclosure: "whether they know that an AI spoke",
  consent: "consent to recording",
  recording: "whether it is recorded",
  newest: "whatever happened since the platform fell silent",
} as const satisfies Record<CardPart, string>;

export const effectWord = {
  committed: "took effect",
  none: "changed nothing",
  unknown: "effect in doubt",
} as const satisfies Record<Effect, string>;

export const identityLevelWord = {
  none: "not verified",
  partial: "partly verified",
  full: "verified",
} as const satisfies Record<IdentityLevel, string>;

export const roleWord = {
  bridge: "bridge",
  observer: "observer",
  agent: "agent",
  supervisor: "supervisor",
  commander: "commander",
} as const satisfies Record<Role, string>;

/** A command in a few words: `switch LLM to backup-llm`. */
export function commandWords(command: Command): string {
  switch (command.type) {
    case "switchModel":
      return `switch ${layerShort[command.layer]} to ${command.to}`;
    case "retryTurn":
      return "retry the turn";
    case "disableTools":
      return `disable ${toolsOrAll(command.tools)}`;
    case "enableTools":
      return `enable ${toolsOrAll(command.tools)}`;
    case "announce":
      return `say “${command.text}”`;
    case "pauseAi":
      return "pause the AI";
    case "resumeAi":
      return "resume the AI";
    case "transfer":
      return `bridge to ${command.to}`;
    case "startFault":
      return `start fault ${command.fault}`;
    case "stopFault":
      return command.id === null ? "stop all faults" : "stop the fault";
  }
}

/** A command in one word, for a row. */
export const commandShort = {
  switchModel: "switch",
  retryTurn: "retry",
  disableTools: "tools off",
  enableTools: "tools on",
  announce: "say",
  pauseAi: "pause",
  resumeAi: "resume",
  transfer: "bridge",
  startFault: "fault",
  stopFault: "stop fault",
} as const satisfies Record<Command["type"], string>;

function toolsOrAll(tools: readonly string[]): string {
  return tools.length === 0 ? "all tools" : listed(tools);
}
