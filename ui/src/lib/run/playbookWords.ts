/** What a playbook says, in the words of the desk. */
import { count, counted } from "$lib/format/number";
import { listed } from "$lib/format/text";
import { causeDimensionWord, layerShort, rungWord } from "$lib/format/words";
import type {
  AbortCondition,
  Action,
  Approval,
  Audience,
  BreakGlass,
  Check,
  Measure,
  Parity,
  PlaybookStatus,
  Reversibility,
  Selector,
  Stage,
  StageReach,
  SwitchTarget,
  ToolChoice,
  Verify,
} from "$lib/generated";

export const audienceWord = {
  executive: "executives",
  front_line: "the front line",
  caller: "callers",
  provider: "the vendor",
} as const satisfies Record<Audience, string>;

export const measureWord = {
  failed_turns: "turns without a good answer",
  late_answers: "late answers",
  ended_abruptly: "calls that end abruptly",
} as const satisfies Record<Measure, string>;

const parityWord = {
  prompt: "instructions",
  tools: "tools",
  voice: "voice",
  language: "language",
  recording: "recording",
  consent: "consent",
  disclosure: "disclosure",
} as const satisfies Record<Parity, string>;

/** `90 s`, `15 min`, `24 h`: a length of time that somebody has set. */
export function lasting(seconds: number): string {
  if (seconds < 120) return `${count(seconds)} s`;
  if (seconds % 3600 === 0) return `${count(seconds / 3600)} h`;
  return seconds % 60 === 0
    ? `${count(seconds / 60)} min`
    : `${count(Math.floor(seconds / 60))} min ${count(seconds % 60)} s`;
}

/** Who must agree, in two or three words. */
export function approvalShort(approval: Approval): string {
  switch (approval.class) {
    case "none":
      return "nobody else";
    case "confirm":
      return "confirm";
    case "two_person":
      return "two people";
    case "break_glass":
      return "break-glass";
  }
}

/** Who must agree, in full. */
export function approvalInFull(approval: Approval): string {
  switch (approval.class) {
    case "none":
      return "Whoever starts it sees the preview and starts it.";
    case "confirm":
      return "Whoever starts it confirms the preview.";
    case "two_person": {
      const { expires_s, break_glass } = approval;
      const second = `A second person agrees within ${lasting(expires_s)}, never the one who asks.`;
      return break_glass === undefined
        ? `${second} Nobody can go on alone.`
        : `${second} One person can go on alone with ${owed(break_glass)}.`;
    }
    case "break_glass":
      return `One person alone, with ${owed(approval)}.`;
  }
}

function owed({ reason_chars_min, review_within_h }: BreakGlass): string {
  return `a reason of ${counted(reason_chars_min, "character")} or more, and a review by somebody else within ${count(review_within_h)} h`;
}

/** What one person owes who goes on alone; null where nobody can. */
export function breakGlassOf(approval: Approval): BreakGlass | null {
  switch (approval.class) {
    case "none":
    case "confirm":
      return null;
    case "two_person":
      return approval.break_glass ?? null;
    case "break_glass":
      return approval;
  }
}

/** Whom it touches. */
export function selectorWords({ scope, reach, phases, rungs, protected: kept }: Selector): string {
  const failing = reach === "failing" ? "that fail now" : "the failing and the exposed";
  let who: string;
  switch (scope.by) {
    case "cause": {
      const named = scope.dimensions.map((dimension) => causeDimensionWord[dimension]);
      const by = named.length === 0 ? "" : ` that names ${orListed(named)}`;
      who = `Calls with what a shared cause${by} has in common`;
      break;
    }
    case "traits":
      who = `Calls with ${listed(scope.traits.map(({ dimension, value }) => `${causeDimensionWord[dimension]} ${value}`))}`;
      break;
    case "all":
      who = "Every live call";
      break;
  }
  const served = phases.map((phase) => (phase === "human" ? "a human" : "the AI"));
  const where = rungs.length === 0 ? "" : `, on ${orListed(rungs.map((rung) => rungWord[rung]))}`;
  const moment =
    kept === "last"
      ? "Calls in a payment or an identity check come last, once the moment is over."
      : "Calls in a payment or an identity check are left alone.";
  return `${who}, ${failing}, served by ${orListed(served)}${where}. ${moment}`;
}

/** Whether and how far it can be undone. */
export function reversibilityWords(
  reversibility: Reversibility,
  steps: PlaybookStatus["steps"] = [],
): string {
  switch (reversibility.type) {
    case "full":
      return "Each step can be undone.";
    case "upTo": {
      const place = steps.findIndex(({ id }) => id === reversibility.step);
      const which =
        place === -1 ? reversibility.step : `${(place + 1).toString()}, ${reversibility.step}`;
      return `Point of no return: a call that reached step ${which} is not changed back.`;
    }
  }
}

/** `one call`, `5%`, `all`. */
export function reachWord(reach: StageReach): string {
  if (reach === "one_call") return "one call";
  return reach === "all" ? "all" : `${count(reach.percent)}%`;
}

/** What must be so before the next stage. */
export function verifyWords(verify: Verify): string {
  switch (verify.probe) {
    case "good_turns":
      return `${count(verify.percent_min)}% of at least ${counted(verify.turns_min, "turn")} good within ${lasting(verify.within_s)}`;
    case "read_back":
      return `read back on ${count(verify.percent_min)}% of its calls within ${lasting(verify.within_s)}`;
    case "human_on_call":
      return `a human or a callback on ${count(verify.percent_min)}% of its calls within ${lasting(verify.within_s)}`;
  }
}

export function stageWords({ hold_s, verify }: Stage): string {
  const hold = hold_s === 0 ? "" : `waits ${lasting(hold_s)}, then `;
  return `${hold}${verifyWords(verify)}, or it stops and rolls back`;
}

function targetWords(to: SwitchTarget): string {
  if (to === "next") return "the next usable service of each call's ladder";
  if ("rung" in to) return `the ${rungWord[to.rung]} of each call's ladder`;
  return "provider" in to ? to.provider : to.service;
}

function toolsWords(tools: ToolChoice): string {
  if (tools === "cause") return "the tool that the cause names";
  return tools === "all" ? "all tools" : listed(tools.names);
}

function parityOf(parity: readonly Parity[]): string {
  return parity.length === 0 ? "" : `, equal in ${listed(parity.map((one) => parityWord[one]))}`;
}

/** A step in a sentence without its end. */
export function actionWords(action: Action): string {
  switch (action.type) {
    case "switch_model":
      return `Switches ${layerShort[action.layer]} to ${targetWords(action.to)}${retries(action.retry_turn)}${parityOf(action.parity)}`;
    case "switch_region": {
      const to = action.to === "other" ? "another region" : action.to.region;
      return `Switches ${listed(action.layers.map((layer) => layerShort[layer]))} to ${to}${retries(action.retry_turn)}${parityOf(action.parity)}`;
    }
    case "retry_turn":
      return "Tries the failed turn again, so that nobody repeats it";
    case "disable_tools":
      return `Switches off ${toolsWords(action.tools)}`;
    case "enable_tools":
      return `Switches on ${toolsWords(action.tools)}`;
    case "minimal_flow":
      return "Goes on with the minimal flow: scripted, without what is not essential";
    case "announce":
      return "Callers hear a sentence";
    case "route_to_humans": {
      const which = {
        new: "New calls",
        in_flight: "Calls in flight",
        both: "New calls and calls in flight",
      };
      const { wait_s_max, callback_within_min } = action.overflow;
      return `${which[action.calls]} go to humans as fast as humans can take them; who would wait over ${lasting(wait_s_max)} is offered a callback within ${count(callback_within_min)} min`;
    }
    case "pause_ai":
      return "The AI is silent, and callers hear why";
    case "resume_ai":
      return "The AI speaks again";
    case "transfer":
      return `The telephony moves the call to ${action.to}`;
    case "callback":
      return `Promises a callback within ${count(action.within_min)} min, and the call ends`;
    case "notify":
      return `Fills the messages to ${listed(action.audiences.map((one) => audienceWord[one]))}; a person sends them`;
    case "wait_until":
      return `Waits at most ${lasting(action.timeout_s)} until ${checkFragment(action.until)}`;
    case "ask":
      return `Asks the commander for at most ${lasting(action.timeout_s)}: “${action.question.trim()}”`;
  }
}

function retries(retry: boolean): string {
  return retry ? " and tries the failed turn again" : "";
}

/** A check as the end of a sentence: `human agents are free, at least 2`. */
export function checkFragment(check: Check): string {
  switch (check.check) {
    case "cause_active":
      return "calls fail by the cause now";
    case "layer_failing":
      return `at least ${count(check.percent_min)}% of the calls in scope fail in its layer, ${count(check.calls_min)} or more`;
    case "layer_well":
      return `at most ${count(check.percent_max)}% of the calls in scope have failed in its layer for ${lasting(check.for_s)}`;
    case "target_healthy":
      return `at most ${count(check.percent_max)}% of the calls on the target fail`;
    case "target_parity":
      return `the target is equal in ${listed(check.require.map((one) => parityWord[one]))}`;
    case "humans_free":
      return `${counted(check.min, "human agent")} or more ${check.min === 1 ? "is" : "are"} free`;
    case "human_wait":
      return `the wait for a human is at most ${lasting(check.wait_s_max)}`;
    case "no_other_run":
      return "no other run holds any of the calls";
    case "feed_fresh":
      return `every bridge was heard within ${count(check.age_ms_max / 1000)} s`;
  }
}

/** What stops a run by itself, as the end of a sentence. */
export function abortFragment(condition: AbortCondition): string {
  switch (condition.when) {
    case "commands_failed":
      return `over ${count(condition.percent_over)}% of its commands fail, judged from ${count(condition.commands_min)} on`;
    case "outcomes_unknown":
      return `of over ${counted(condition.calls_over, "call")} nobody knows what happened`;
    case "newly_failing":
      return `over ${counted(condition.calls_over, "call")} that ${condition.calls_over === 1 ? "was" : "were"} well fail after it touched them`;
    case "ended_abruptly":
      return `over ${count(condition.percent_over)}% of the touched calls end abruptly, judged from ${count(condition.calls_min)} on`;
    case "human_wait":
      return `callers wait over ${lasting(condition.wait_s_over)} for a human`;
    case "feed_stale":
      return `a bridge of a touched call is silent for over ${count(condition.age_ms_over / 1000)} s`;
    case "worse_than_untouched":
      return `touched calls have over ${count(condition.points_over)} points more ${measureWord[condition.measure]} than untouched ones, judged from ${count(condition.calls_min)} on each side`;
  }
}

function orListed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}

/** Whether a run of it could begin now, in a few words. */
export function readiness(playbook: PlaybookStatus): string {
  const { wouldFire, nCalls, needsCause, causes, checks } = playbook;
  if (needsCause && causes.length === 0) return "no cause of its kind now";
  if (wouldFire) return `could run now, ${counted(nCalls, "call")}`;
  const failed = checks.filter(({ holds }) => !holds).length;
  if (failed > 0)
    return `${count(failed)} of ${counted(checks.length, "precondition")} ${failed === 1 ? "does" : "do"} not hold`;
  return nCalls === 0 ? "no call matches now" : "no run begins now";
}
