/** Where a run and each of its calls stand, in the words of the desk. */
import { count, counted } from "$lib/format/number";
import { age, until } from "$lib/format/time";
import type {
  DifferenceKind,
  PlaybookStatus,
  Run,
  RunCallState,
  RunRefusal,
  RunStage,
  RunStageState,
  RunState,
  RunStop,
  RunTally,
  RunWait,
} from "$lib/generated";

import { abortFragment, lasting, reachWord } from "./playbookWords";

export type RunShape = "busy" | "applied" | "proven" | "failed" | "unknown" | "watch" | "calm";

export const runStateWord = {
  previewed: "previewed",
  awaitingApproval: "waits for approval",
  running: "running",
  holding: "holding",
  verifying: "waits for proof",
  awaitingAnswer: "asks",
  waitingUntil: "waits",
  completed: "proven",
  aborted: "aborted",
  stopped: "stopped",
  rollingBack: "rolling back",
  rolledBack: "rolled back",
  expired: "expired",
  declined: "refused",
  failed: "failed",
} as const satisfies Record<RunState["type"], string>;

export const runStateShape = {
  previewed: "calm",
  awaitingApproval: "watch",
  running: "busy",
  holding: "busy",
  verifying: "busy",
  awaitingAnswer: "watch",
  waitingUntil: "busy",
  completed: "proven",
  aborted: "failed",
  stopped: "failed",
  rollingBack: "busy",
  rolledBack: "failed",
  expired: "unknown",
  declined: "unknown",
  failed: "failed",
} as const satisfies Record<RunState["type"], RunShape>;

export const stageStateWord = {
  pending: "to come",
  running: "changing its calls",
  holding: "holding",
  verifying: "waits for proof",
  proven: "proven",
  ended: "ended here",
} as const satisfies Record<RunStageState, string>;

export const stageStateShape = {
  pending: "calm",
  running: "busy",
  holding: "busy",
  verifying: "applied",
  proven: "proven",
  ended: "failed",
} as const satisfies Record<RunStageState, RunShape>;

export const callStateWord = {
  untouched: "untouched",
  waiting: "waits for its moment",
  intent: "written down",
  accepted: "accepted",
  applied: "applied",
  proven: "proven",
  failed: "failed",
  rejected: "refused",
  expired: "expired",
  unknown: "unknown",
  queued: "in line",
  handedOver: "human asked",
  left: "left alone",
  undoing: "changing back",
  undone: "changed back",
  notUndone: "not changed back",
} as const satisfies Record<RunCallState["type"], string>;

export const callStateShape = {
  untouched: "calm",
  waiting: "watch",
  intent: "busy",
  accepted: "busy",
  applied: "applied",
  proven: "proven",
  failed: "failed",
  rejected: "failed",
  expired: "failed",
  unknown: "unknown",
  queued: "busy",
  handedOver: "applied",
  left: "calm",
  undoing: "busy",
  undone: "proven",
  notUndone: "failed",
} as const satisfies Record<RunCallState["type"], RunShape>;

const waitWord = {
  speaking: "somebody speaks",
  protected: "a payment, an identity check or a write of a tool",
  busy: "another command or handoff is under way",
  staleFeed: "its bridge is not heard",
} as const satisfies Record<RunWait, string>;

export const differenceWord = {
  ended: "ended before",
  withHuman: "a human serves them",
  alreadySo: "had become so by other means",
  matchesNoMore: "no longer match",
  protected: "in a payment, an identity check or a write",
  speaking: "somebody spoke the whole time",
  newlyMatching: "began to match after the preview, left alone",
  runEnded: "the run ended before it came to them",
  noTarget: "nothing left to switch to as previewed",
  notCapable: "their platform cannot do it",
  busy: "another command or handoff the whole time",
  staleFeed: "their bridge was not heard",
} as const satisfies Record<DifferenceKind, string>;

/** What is known of a call's outcome beyond its word, with the next step. */
export function callStory(state: RunCallState): string {
  switch (state.type) {
    case "waiting":
      return `No moment for it: ${waitWord[state.why]}.`;
    case "failed":
    case "rejected":
    case "notUndone":
      return state.message;
    case "expired":
      return "Nobody answered in time. Look at the call before you ask again.";
    case "unknown":
      return "It may or may not have happened; the platform is being asked.";
    case "queued":
      return state.callback
        ? "The wait is too long: a callback was offered."
        : "Waits until a human can take it.";
    case "handedOver":
      return state.withHuman ? "A human is on the call." : "A human is asked.";
    case "left":
      return `Not changed as previewed: ${differenceWord[state.why]}.`;
    case "untouched":
    case "intent":
    case "accepted":
    case "applied":
    case "proven":
    case "undoing":
    case "undone":
      return "";
  }
}

/** Why a run does not go on, as a sentence without its end. */
export function stopWords(why: RunStop): string {
  switch (why.type) {
    case "abort":
      return `It stopped by itself because ${abortFragment(why.condition)}: ${why.found}`;
    case "notProven":
      return `Stage ${count(why.stage + 1)} was not proven in time: ${why.found}`;
    case "setChanged":
      return `${counted(why.nCalls, "call")} cannot be changed as previewed; each is listed below`;
    case "stepTimedOut":
      return `The step ${why.step} took longer than it may`;
    case "answeredNo":
      return `${why.by} answered no to ${why.step}`;
    case "person":
      return why.reason === "" ? `${why.by} stopped it` : `${why.by} stopped it: ${why.reason}`;
    case "lever":
      return `${why.by} pulled the red lever`;
    case "superseded":
      return `Run ${why.run}, which nothing may hold up, took its calls over`;
  }
}

/** The order in which a person looks at calls: failures, unknown, the rest, untouched. */
export function callRank({ type }: RunCallState): number {
  if (type === "failed" || type === "rejected" || type === "expired" || type === "notUndone") {
    return 0;
  }
  if (type === "unknown") return 1;
  return type === "untouched" || type === "left" ? 3 : 2;
}

/** The parts of a tally that are not zero, worst first. */
export function tallyParts(tally: RunTally): readonly (readonly [RunCallState["type"], number])[] {
  const parts = [
    ["failed", tally.failed],
    ["unknown", tally.unknown],
    ["notUndone", tally.notUndone],
    ["waiting", tally.waiting],
    ["intent", tally.intent],
    ["accepted", tally.accepted],
    ["undoing", tally.undoing],
    ["queued", tally.queued],
    ["applied", tally.applied],
    ["handedOver", tally.handedOver],
    ["proven", tally.proven],
    ["undone", tally.undone],
    ["left", tally.left],
    ["untouched", tally.untouched],
  ] as const;
  return parts.filter(([, n]) => n > 0);
}

/** The run's stage names its place among all stages and how far it reaches. */
export function stageName(run: Run, place: number): string {
  const stage = run.stages[place];
  const of = `Stage ${count(place + 1)} of ${count(run.stages.length)}`;
  return stage === undefined ? of : `${of} (${reachWord(stage.reach)})`;
}

/** What the playbook says of a stage of a run: blocks of steps go through the same stages. */
export function stageRule(run: Run, playbook: PlaybookStatus | undefined, place: number) {
  if (playbook === undefined || playbook.version !== run.version || playbook.stages.length === 0) {
    return undefined;
  }
  return playbook.stages[place % playbook.stages.length];
}

/** Where a run stands and why, in a sentence: the largest words of its page. */
export function standing(run: Run, playbook: PlaybookStatus | undefined, now: number): string {
  const { state } = run;
  switch (state.type) {
    case "previewed":
      return `Previewed by ${run.requestedBy}, and not asked for again. It is forgotten ${until(state.expiresAt, now)}.`;
    case "awaitingApproval":
      return `${run.requestedBy} asks for a second person. The request expires ${until(state.expiresAt, now)}.`;
    case "running":
    case "holding":
    case "verifying":
      return `${stageName(run, state.stage)} ${stageWaits(run, playbook, state.stage, now)}`;
    case "awaitingAnswer":
      return `It asks, and stops ${until(state.expiresAt, now)} without an answer.`;
    case "waitingUntil": {
      const step = playbook?.steps.find(({ id }) => id === state.step);
      const what = step?.action.type === "wait_until" ? `step ${state.step}` : state.step;
      return `It waits in ${what}, and stops ${until(state.expiresAt, now)} if that does not come true.`;
    }
    case "completed":
      return "Every stage is proven.";
    case "aborted":
      return `${stopWords(state.why)}. What it did stays.`;
    case "stopped":
      return `${stopWords(state.why)}. What it did stays.`;
    case "rollingBack":
      return `${stopWords(state.why)}. The calls that it touched are being changed back.`;
    case "rolledBack":
      return `${stopWords(state.why)}. The calls that it touched are changed back as far as that is possible.`;
    case "expired":
      return run.startedAt === null
        ? "Nobody approved in time. Nothing was changed."
        : "Its time to live is over. What it did stays.";
    case "declined":
      return state.reason === ""
        ? `${state.by} did not agree. Nothing was changed.`
        : `${state.by} did not agree: ${state.reason}. Nothing was changed.`;
    case "failed":
      return state.message;
  }
}

/** Why a stage waits, with what it has and by when it must. */
function stageWaits(
  run: Run,
  playbook: PlaybookStatus | undefined,
  place: number,
  now: number,
): string {
  const stage = run.stages[place];
  if (stage === undefined) return "is under way.";
  const rule = stageRule(run, playbook, place);
  const since = stage.commandedAt ?? stage.beganAt;
  switch (stage.state) {
    case "pending":
      return "is to come.";
    case "running":
      return `changes its calls: ${changing(stage)}.`;
    case "holding":
      return rule === undefined || since === null
        ? "is changed, and holds as long as the playbook says."
        : `is changed, and holds: its proof is judged ${until(since + rule.hold_s * 1000, now)}.`;
    case "verifying": {
      const has = proofOf(stage);
      return rule === undefined || since === null
        ? `waits for its proof: ${has}.`
        : `waits for its proof: ${has}; it has ${left(since + rule.verify.within_s * 1000, now)}, then the run rolls back.`;
    }
    case "proven":
      return "is proven.";
    case "ended":
      return "ended here.";
  }
}

/** What a stage has of its proof so far. */
export function proofOf({ goodTurns, turns, tally, nCalls, state }: RunStage): string {
  if (nCalls === 0 && state !== "running") return "no call of its own";
  if (turns > 0) return `${count(goodTurns)} of ${counted(turns, "turn")} good`;
  const done = tally.applied + tally.proven;
  return done > 0 ? `no turn yet, read back on ${counted(done, "call")}` : "nothing read back yet";
}

function changing({ tally }: RunStage): string {
  const flying = tally.intent + tally.accepted;
  const parts = [
    flying > 0 ? `${counted(flying, "command")} under way` : "",
    tally.waiting > 0
      ? `${counted(tally.waiting, "call")} wait for a moment in which nobody is disturbed`
      : "",
    tally.queued > 0 ? `${counted(tally.queued, "caller")} in line for a human` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "the next command is being written down" : parts.join(", ");
}

function left(at: number, now: number): string {
  return at <= now ? "no time left" : `${lasting(Math.ceil((at - now) / 1000))} left`;
}

/** The run's place in a list, in a few words. */
export function runShort(run: Run, now: number): string {
  const { state } = run;
  switch (state.type) {
    case "awaitingApproval":
      return `by ${run.requestedBy}, expires ${until(state.expiresAt, now)}`;
    case "running":
    case "holding":
    case "verifying":
      return `stage ${count(state.stage + 1)} of ${count(run.stages.length)}, ${runStateWord[state.type]}, ${count(run.tally.proven)} of ${count(run.tally.nCalls)} proven`;
    case "rollingBack":
      return `rolling back, ${count(run.tally.undone)} changed back`;
    case "awaitingAnswer":
    case "waitingUntil":
      return `step ${state.step}, ${runStateWord[state.type]}`;
    case "previewed":
      return `previewed by ${run.requestedBy}`;
    case "completed":
    case "aborted":
    case "stopped":
    case "rolledBack":
    case "expired":
    case "declined":
    case "failed":
      return `${runStateWord[state.type]}, ${count(run.tally.proven)} of ${count(run.tally.nCalls)} proven, ${age(run.updatedAt, now)} ago`;
  }
}

/** What a refusal about a run means, and what to do. */
export function runRefusalNext(refusal: RunRefusal): string {
  switch (refusal.type) {
    case "approverIsRequester":
    case "sameIdentity":
      return "Ask another commander to look at it on their console.";
    case "expired":
    case "parametersChanged":
      return "Preview it again and decide on what you see then.";
    case "rightRevoked":
      return "Ask a commander.";
    case "preconditionsFailed":
      return "Wait until they hold, or choose another playbook.";
    case "scopeHeld":
      return "Look at that run: stop it, or wait for its end.";
    case "leverPulled":
      return "Release the lever first, or act on calls by hand.";
    case "feedStale":
      return "Wait until it is heard again.";
    case "reasonTooShort":
      return "Write a longer reason.";
    case "wrongState":
      return "Look at where it stands now.";
    case "nothingToDo":
      return "Look at the board: the calls are gone or already so.";
    case "pointOfNoReturn":
      return "Act on the calls by hand.";
  }
}

/** True when nothing further happens to the run by itself. */
export function isOver(state: RunState): boolean {
  switch (state.type) {
    case "completed":
    case "aborted":
    case "stopped":
    case "rolledBack":
    case "expired":
    case "declined":
    case "failed":
      return true;
    case "previewed":
    case "awaitingApproval":
    case "running":
    case "holding":
    case "verifying":
    case "awaitingAnswer":
    case "waitingUntil":
    case "rollingBack":
      return false;
  }
}

/** True while the run changes calls, or will as soon as it may. */
export function isActing(state: RunState): boolean {
  return !isOver(state) && state.type !== "previewed" && state.type !== "awaitingApproval";
}
