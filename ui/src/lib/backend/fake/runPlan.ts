/** Whom a run of the fake world would touch, worked out as the hub does it. */
import type {
  CauseGroup,
  CheckResult,
  Excluded,
  ExcludedReason,
  HumanCapacity,
  PlaybookStatus,
  RunPreview,
  Rung,
} from "$lib/generated";
import { layerShort } from "$lib/format/words";

import type { FakeCall } from "./call";
import type { Causes } from "./causes";
import type { Plan } from "./playbooks";
import { noise } from "./random";
import type { World } from "./world";

/** What the plan of a run is made from. */
export interface Surroundings {
  readonly world: World;
  readonly causes: Causes;
  readonly humans: { readonly free: number; readonly there: number };
  /** The calls that runs hold, and which run. */
  readonly held: ReadonlyMap<string, string>;
}

export interface Planned {
  readonly call: FakeCall;
  readonly becomes: string;
  readonly isProtected: boolean;
}

export function needsCause(plan: Plan): boolean {
  return plan.selector.scope.by === "cause";
}

export function fits(plan: Plan, group: CauseGroup): boolean {
  const { scope } = plan.selector;
  if (scope.by !== "cause") return true;
  return (
    group.layer === plan.layer &&
    group.traits.some(({ dimension }) => scope.dimensions.includes(dimension))
  );
}

export function matching(plan: Plan, cause: string | null, at: Surroundings): FakeCall[] {
  const { scope, reach, rungs } = plan.selector;
  let calls: readonly FakeCall[] = at.world.calls;
  if (scope.by === "traits") {
    calls = calls.filter((call) => scope.traits.some(({ value }) => value === call.vendor));
  } else if (scope.by === "cause") {
    if (cause === null) return [];
    const failing = new Set(at.causes.group(cause)?.calls);
    calls =
      reach === "failing"
        ? calls.filter(({ id }) => failing.has(id))
        : at.causes.exposed(cause, calls);
  }
  return calls.filter(
    (call) => call.phase === "ai" && (rungs.length === 0 || rungs.includes(call.rung)),
  );
}

export function planned(
  run: string,
  plan: Plan,
  calls: readonly FakeCall[],
): { members: Planned[]; excluded: Excluded[] } {
  const members: Planned[] = [];
  const excluded: Excluded[] = [];
  for (const call of calls) {
    const becomes = becomesOf(plan, call);
    const reason = whyNot(plan, call, becomes);
    if (reason !== null) excluded.push({ call: call.id, reason });
    else members.push({ call, becomes, isProtected: call.protectedNow !== null });
  }
  const chance = ({ call }: Planned): number => noise(call.seed, run.length);
  members.sort((a, b) => Number(a.isProtected) - Number(b.isProtected) || chance(a) - chance(b));
  return { members, excluded };
}

function becomesOf(plan: Plan, call: FakeCall): string {
  for (const { action } of plan.steps) {
    if (action.type === "switch_model") return `backup-${action.layer}`;
    if (action.type === "disable_tools") {
      return `${call.usesCapture ? "payments.capture" : "tools"} off`;
    }
    if (action.type === "pause_ai") return "AI silent";
  }
  return "";
}

function whyNot(plan: Plan, call: FakeCall, becomes: string): ExcludedReason | null {
  if (call.handoff !== null) return "busy";
  const isSwitch = plan.steps.some(({ action }) => action.type === "switch_model");
  if (isSwitch && [...call.active.values()].includes(becomes)) return "noTarget";
  if (plan.selector.protected === "exclude" && call.protectedNow !== null) return "protectedMoment";
  return null;
}

export function previewOf(
  run: string,
  plan: Plan,
  cause: string | null,
  at: Surroundings,
): RunPreview {
  const found = matching(plan, cause, at);
  const { members, excluded } = planned(run, plan, found);
  const byRung = new Map<Rung, number>();
  const becomes = new Map<string, number>();
  const excludedBy = new Map<ExcludedReason, number>();
  for (const { call, becomes: what } of members) {
    byRung.set(call.rung, (byRung.get(call.rung) ?? 0) + 1);
    becomes.set(what, (becomes.get(what) ?? 0) + 1);
  }
  for (const { reason } of excluded) excludedBy.set(reason, (excludedBy.get(reason) ?? 0) + 1);
  const checks = checksOf(run, plan, cause, found, members, at);
  const preview: RunPreview = {
    run,
    fingerprint: fingerprintOf(plan, cause, members),
    calls: members.map(({ call, becomes: what, isProtected }) => ({
      call: call.id,
      becomes: what,
      protected: isProtected,
    })),
    nCalls: members.length,
    byRung: [...byRung],
    failing: members.filter(({ call }) => call.fault !== null).length,
    protected: members.filter(({ isProtected }) => isProtected).length,
    becomes: [...becomes],
    excluded: excluded.slice(0, 200),
    excludedBy: [...excludedBy],
    stages: plan.stages.map(({ reach }) => reachOf(reach, members.length)),
    humans: capacityOf(plan, members.length, at.humans),
    reversibility: plan.reversibility,
    announcements: plan.announcements.map(([language, text]) => [language, text]),
    checks,
    wouldFire: checks.every(({ holds }) => holds),
    approval: plan.approval,
    sentence: "",
  };
  return { ...preview, sentence: sentenceOf(preview) };
}

export function reachOf(reach: Plan["stages"][number]["reach"], n: number): number {
  if (reach === "all") return n;
  return reach === "one_call" ? Math.min(1, n) : Math.ceil((n * reach.percent) / 100);
}

export function fingerprintOf(
  plan: Plan,
  cause: string | null,
  members: readonly Planned[],
): string {
  const words = [plan.id, plan.version.toString(), cause ?? ""];
  words.push(...members.map(({ call, becomes }) => `${call.id} ${becomes}`).sort());
  let digest = 0x811c9dc5;
  for (const letter of words.join("|")) {
    digest = Math.imul(digest ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  }
  return digest.toString(16).padStart(8, "0");
}

export function checksOf(
  run: string,
  plan: Plan,
  cause: string | null,
  found: readonly FakeCall[],
  members: readonly Planned[],
  at: Surroundings,
): CheckResult[] {
  const group = cause === null ? undefined : at.causes.group(cause);
  const failing = found.filter((call) => call.fault !== null).length;
  const all = found.length.toString();
  const name = layerShort[plan.layer];
  const holder = found.map(({ id }) => at.held.get(id)).find((one) => one !== undefined);
  return plan.preconditions.map((check): CheckResult => {
    switch (check.check) {
      case "cause_active": {
        if (group === undefined) {
          return { check, holds: false, found: "the run is not started from a cause" };
        }
        const holds = group.state === "active" && group.failing > 0;
        return { check, holds, found: `${group.failing.toString()} calls fail by it now` };
      }
      case "layer_failing": {
        const share = found.length === 0 ? 0 : (failing * 100) / found.length;
        const holds = failing >= check.calls_min && share >= check.percent_min;
        return { check, holds, found: `${name} fails in ${failing.toString()} of ${all} calls` };
      }
      case "layer_well": {
        const holds = found.length > 0 && failing * 100 <= found.length * check.percent_max;
        return {
          check,
          holds,
          found: `${name} failed in ${failing.toString()} of ${all} calls within ${check.for_s.toString()} s`,
        };
      }
      case "target_healthy":
        return {
          check,
          holds: true,
          found:
            members.length === 0
              ? "the targets serve no call yet"
              : "of 31 calls that the targets serve 0 fail",
        };
      case "no_other_run":
        return holder === undefined || holder === run
          ? { check, holds: true, found: "no other run holds any of the calls" }
          : { check, holds: false, found: `run ${holder} holds some of the calls` };
      case "feed_fresh":
        return { check, holds: true, found: "every bridge was heard within 0.2 s" };
      case "target_parity":
        return { check, holds: true, found: "the targets are equal in all of it" };
      case "humans_free": {
        const { free } = at.humans;
        return {
          check,
          holds: free >= check.min,
          found: `${free.toString()} human agents are free`,
        };
      }
      case "human_wait": {
        const wait = capacityOf(plan, found.length, at.humans).waitS;
        return wait === null
          ? { check, holds: false, found: "no human agent is there" }
          : {
              check,
              holds: wait <= check.wait_s_max,
              found: `a caller would wait ${wait.toString()} s`,
            };
      }
    }
  });
}

function capacityOf(plan: Plan, n: number, { free, there }: Surroundings["humans"]): HumanCapacity {
  const isRouted = plan.steps.some(({ action }) => action.type === "route_to_humans");
  const nCalls = isRouted ? n : 0;
  if (there === 0) {
    return { free, there, nCalls, waitS: null, waitSP90: null, callbacks: nCalls };
  }
  // As if every human took a call each six minutes and callers gave up after five.
  const waitS = Math.min(300, Math.max(0, Math.ceil(((nCalls - free) / there) * 360)));
  const callbacks = Math.max(0, nCalls - free - there);
  return { free, there, nCalls, waitS, waitSP90: Math.min(300, waitS * 2), callbacks };
}

const LEFT_ALONE: Readonly<Partial<Record<ExcludedReason, string>>> = {
  noTarget: "have no other usable service",
  busy: "have another command or handoff under way",
  protectedMoment: "are in a payment or an identity check",
};

function sentenceOf(preview: RunPreview): string {
  const { nCalls, excludedBy, humans, checks } = preview;
  const all = nCalls + excludedBy.reduce((sum, [, n]) => sum + n, 0);
  const becomes = preview.becomes.map(([what, n]) => `${what}: ${n.toString()}`).join(", ");
  const sentences = [
    nCalls === 0
      ? `Touches none of ${all.toString()} calls.`
      : `Touches ${nCalls.toString()} of ${all.toString()} calls (${becomes}).`,
  ];
  if (preview.protected > 0) {
    sentences.push(
      `${preview.protected.toString()} ${preview.protected === 1 ? "is" : "are"} in a payment or an identity check and come last.`,
    );
  }
  for (const [reason, n] of excludedBy) {
    sentences.push(`${n.toString()} ${LEFT_ALONE[reason] ?? reason}.`);
  }
  if (humans.nCalls > 0) {
    sentences.push(
      humans.waitS === null
        ? "No human is there: all are offered a callback."
        : `Humans there: ${humans.there.toString()}, free: ${humans.free.toString()}. Predicted wait ${humans.waitS.toString()} s; ${humans.callbacks.toString()} are offered a callback.`,
    );
  }
  for (const { found } of checks.filter(({ holds }) => !holds)) {
    sentences.push(`In the way: ${found}.`);
  }
  if (preview.reversibility.type === "upTo") {
    sentences.push(`From the step ${preview.reversibility.step} on it cannot be undone.`);
  }
  return sentences.join(" ");
}

export function statusOf(plan: Plan, isLeverOn: boolean, at: Surroundings): PlaybookStatus {
  const { preconditions: _checks, announcements: _said, messages: _told, ...told } = plan;
  const isFromCause = needsCause(plan);
  const fitting = at.causes.groups.filter((group) => group.state === "active" && fits(plan, group));
  const cause = isFromCause ? (fitting[0]?.id ?? null) : null;
  const found = matching(plan, cause, at);
  const checks = checksOf("", plan, cause, found, [], at);
  return {
    ...told,
    needsCause: isFromCause,
    causes: fitting.map(({ id }) => id),
    nCalls: found.length,
    checks,
    wouldFire:
      (!isFromCause || cause !== null) &&
      !isLeverOn &&
      found.length > 0 &&
      checks.every(({ holds }) => holds),
  };
}
