/** The runs, the red lever and the second person of the fake world; refusals are the hub's own. */
import type {
  Lever,
  PlaybookStatus,
  Refusal,
  RefusalCode,
  Reply,
  Request,
  Run,
  RunRefusal,
  RunsSection,
} from "$lib/generated";

import { type Plan, PLANS } from "./playbooks";
import { Course, tallyOf, type Trouble } from "./runCourse";
import {
  fits,
  matching,
  needsCause,
  planned,
  previewOf,
  statusOf,
  type Surroundings,
} from "./runPlan";

/** What the other commander of the fake world does with requests. */
export type Second = "approves" | "refuses" | "silent";

export interface RunOptions {
  readonly me: string;
  readonly isCommander: boolean;
  readonly second: Second;
  readonly trouble: Trouble;
}

type RunRequest = Extract<
  Request,
  {
    type:
      | "previewRun"
      | "startRun"
      | "approveRun"
      | "declineRun"
      | "answerRun"
      | "stopRun"
      | "rollBackRun"
      | "reviewRun"
      | "showRun"
      | "lever";
  }
>;

const OTHER = "ana";
const THIRD = "keiko";
const PREVIEW_MS = 300_000;
/** How long the other commander reads. */
const READS_MS = 6_000;
const SHOWN_MAX = 20;

export class Runs {
  readonly #options: RunOptions;
  readonly #surroundings: () => Omit<Surroundings, "held">;
  readonly #courses = new Map<string, Course>();
  #lever: Lever = { on: false, by: "", reason: "", at: 0 };
  #statuses: PlaybookStatus[] = [];
  #told = "";
  version = 1;
  playbooksVersion = 1;

  constructor(options: RunOptions, surroundings: () => Omit<Surroundings, "held">) {
    this.#options = options;
    this.#surroundings = surroundings;
  }

  get section(): RunsSection {
    const runs = [...this.#courses.values()].filter(({ isPublic }) => isPublic);
    runs.sort(
      (a, b) =>
        Number(isFinal(a.run)) - Number(isFinal(b.run)) || b.run.requestedAt - a.run.requestedAt,
    );
    return {
      lever: this.#lever,
      runs: runs.slice(0, SHOWN_MAX).map(({ run }) => run),
      total: runs.length,
    };
  }

  get playbooks(): PlaybookStatus[] {
    return this.#statuses;
  }

  tick(now: number): void {
    for (const course of this.#courses.values()) this.#tickCourse(course, now);
    this.#statuses = PLANS.map((plan) => statusOf(plan, this.#lever.on, this.#at()));
    const told = JSON.stringify(this.#statuses);
    if (told !== this.#told) this.playbooksVersion += 1;
    this.#told = told;
  }

  request(request: RunRequest, now: number): Reply {
    const reply = this.#answer(request, now);
    this.version += 1;
    return reply;
  }

  /** Another commander asks for a run: it waits for this person. */
  askFromElsewhere(playbook: string, now: number): void {
    const cause = this.#surroundings().causes.groups[0]?.id ?? null;
    this.#preview(`run-${OTHER}-${playbook}`, playbook, cause, OTHER, now);
    const course = this.#courses.get(`run-${OTHER}-${playbook}`);
    if (course === undefined) return;
    this.#start(course, OTHER, course.run.preview.fingerprint, null, now);
  }

  /** A run that another two commanders have begun a while ago. */
  runFromElsewhere(playbook: string, from: number, now: number): void {
    this.askFromElsewhere(playbook, from);
    const course = this.#courses.get(`run-${OTHER}-${playbook}`);
    if (course === undefined) return;
    this.#agree(course, THIRD, from + 9_000);
    for (let at = from + 9_000; at <= now; at += 200) course.tick(at);
  }

  #answer(request: RunRequest, now: number): Reply {
    const { me, isCommander } = this.#options;
    if (request.type === "previewRun") {
      return this.#preview(request.run, request.playbook, request.cause, me, now);
    }
    if (request.type === "lever") return this.#moveLever(request.on, request.reason, now);
    const course = this.#courses.get(request.run);
    if (course === undefined) {
      return refused("notFound", "this run is not known any more; preview the playbook again");
    }
    switch (request.type) {
      case "showRun":
        return { type: "runCalls", run: request.run, calls: course.outcomes() };
      case "startRun":
        return this.#start(course, me, request.fingerprint, request.reason, now);
      case "approveRun":
        return this.#approve(course, request.fingerprint, now);
      case "declineRun":
        return this.#decline(course, request.reason, now);
      case "answerRun":
        if (course.run.state.type !== "awaitingAnswer") return refuse({ type: "wrongState" });
        course.note(
          now,
          me,
          { type: "answered", yes: request.yes },
          request.yes ? "answers yes" : "answers no",
        );
        course.answer(request.yes);
        return DONE;
      case "stopRun": {
        if (isFinal(course.run)) return refuse({ type: "wrongState" });
        const { reason } = request;
        const text = reason === "" ? `${me} stopped it` : `${me} stopped it: ${reason}`;
        course.stop({ type: "person", by: me, reason }, text, me, now);
        return DONE;
      }
      case "rollBackRun": {
        if (!isCommander)
          return refused("forbidden", `${me} may not undo a run; ask someone who may`);
        if (this.#lever.on) return refuse({ type: "leverPulled", by: this.#lever.by });
        const { state, startedAt } = course.run;
        if (startedAt === null || state.type === "rollingBack" || state.type === "rolledBack") {
          return refuse({ type: "wrongState" });
        }
        if (!course.isUndoable) return refuse({ type: "pointOfNoReturn" });
        const { reason } = request;
        course.rollBack({ type: "person", by: me, reason }, `${me} stopped it: ${reason}`, now);
        return DONE;
      }
      case "reviewRun": {
        const { review, requestedBy } = course.run;
        if (review === null || review.by !== null) return refuse({ type: "wrongState" });
        if (requestedBy === me)
          return this.#refuse(course, me, { type: "approverIsRequester" }, now);
        course.run = { ...course.run, review: { ...review, by: me, note: request.note } };
        course.note(now, me, { type: "reviewed" }, `reviewed it: ${request.note}`);
        return DONE;
      }
    }
  }

  #at(): Surroundings {
    const held = new Map<string, string>();
    for (const course of this.#courses.values()) {
      if (course.isActing) for (const call of course.calls) held.set(call, course.run.id);
    }
    return { ...this.#surroundings(), held };
  }

  #tickCourse(course: Course, now: number): void {
    const { run } = course;
    const { state } = run;
    const before = course.run;
    if (state.type === "previewed" && now >= state.expiresAt) {
      if (!course.isPublic) this.#courses.delete(run.id);
    } else if (state.type === "awaitingApproval" && now >= state.expiresAt) {
      course.to({ type: "expired" }, now);
      course.note(
        now,
        "holdfast",
        { type: "expired" },
        "nobody approved in time: nothing was changed",
      );
    } else if (state.type === "awaitingApproval" && run.requestedBy === this.#options.me) {
      if (now - run.requestedAt >= READS_MS) this.#secondDecides(course, now);
    } else {
      course.tick(now);
    }
    if (course.run !== before) this.version += 1;
  }

  #secondDecides(course: Course, now: number): void {
    const { second } = this.#options;
    if (second === "approves") {
      this.#agree(course, OTHER, now);
    } else if (second === "refuses") {
      const reason = "wait for the vendor's answer first";
      course.to({ type: "declined", by: OTHER, reason }, now);
      course.note(now, OTHER, { type: "declined" }, `does not agree: ${reason}`);
    }
  }

  #preview(id: string, playbook: string, cause: string | null, who: string, now: number): Reply {
    const known = this.#courses.get(id);
    const isOpen =
      known === undefined ||
      (known.run.requestedBy === who &&
        ["previewed", "awaitingApproval"].includes(known.run.state.type));
    if (!isOpen) return refuse({ type: "wrongState" });
    const plan = PLANS.find((one) => one.id === playbook);
    if (plan === undefined) {
      return refused("notFound", "this playbook is not known; choose one of the library");
    }
    const wrong = this.#wrongCause(plan, cause);
    if (wrong !== null) return wrong;
    const at = this.#at();
    const from = needsCause(plan) ? cause : null;
    const preview = previewOf(id, plan, from, at);
    const { members } = planned(id, plan, matching(plan, from, at));
    const run = runOf(plan, { ...preview, calls: [] }, from, who, now);
    const course = new Course(run, plan, members, who !== this.#options.me, this.#options.trouble);
    course.run = { ...course.run, timeline: known?.run.timeline ?? [] };
    course.isPublic = known?.isPublic ?? false;
    this.#courses.set(id, course);
    return { type: "runPreview", preview };
  }

  #wrongCause(plan: Plan, cause: string | null): Reply | null {
    if (!needsCause(plan)) return null;
    if (cause === null) {
      return refused("invalid", "this playbook is started from a cause; choose the cause");
    }
    const group = this.#surroundings().causes.group(cause);
    if (group === undefined) {
      return refused(
        "notFound",
        "this cause is not known any more; look at the board for what fails now",
      );
    }
    return fits(plan, group)
      ? null
      : refused(
          "invalid",
          "the cause is not of the kind that this playbook answers; choose another",
        );
  }

  #start(
    course: Course,
    who: string,
    fingerprint: string,
    reason: string | null,
    now: number,
  ): Reply {
    course.isPublic = true;
    const { state, preview } = course.run;
    if (who === this.#options.me && !this.#options.isCommander) {
      return this.#refuse(course, who, { type: "rightRevoked", who }, now);
    }
    if (state.type !== "previewed") return this.#refuse(course, who, { type: "wrongState" }, now);
    if (state.expiresAt <= now) return this.#refuse(course, who, { type: "expired" }, now);
    if (fingerprint !== preview.fingerprint) {
      return this.#refuse(course, who, { type: "parametersChanged" }, now);
    }
    const { approval } = course.plan;
    const glass =
      approval.class === "break_glass"
        ? approval
        : approval.class === "two_person" && reason !== null
          ? (approval.break_glass ?? null)
          : null;
    if (glass !== null) {
      const charsMin = Math.max(1, glass.reason_chars_min);
      const text = (reason ?? "").trim();
      if (Array.from(text).length < charsMin) {
        return this.#refuse(course, who, { type: "reasonTooShort", charsMin }, now);
      }
      const blocked = this.#mayBegin(course);
      if (blocked !== null) return this.#refuse(course, who, blocked, now);
      this.#requested(course, who, "asks for the run", now);
      this.#begin(course, now);
      const review = { dueAt: now + glass.review_within_h * 3_600_000, by: null, note: "" };
      course.run = { ...course.run, breakGlass: text, review };
      course.note(now, who, { type: "brokeGlass" }, `goes on alone: ${text}`);
      return DONE;
    }
    const blocked = this.#mayBegin(course);
    if (blocked !== null) return this.#refuse(course, who, blocked, now);
    if (approval.class === "two_person") {
      course.to({ type: "awaitingApproval", expiresAt: now + approval.expires_s * 1_000 }, now);
      this.#requested(course, who, "asks for a second person", now);
    } else {
      this.#requested(course, who, "starts the run", now);
      this.#begin(course, now);
    }
    return DONE;
  }

  #requested(course: Course, who: string, text: string, now: number): void {
    course.run = { ...course.run, requestedAt: now };
    course.note(now, who, { type: "requested" }, text);
  }

  #begin(course: Course, now: number): void {
    const { world } = this.#surroundings();
    course.begin(now, (call) => world.call(call) !== undefined);
  }

  #mayBegin(course: Course): RunRefusal | null {
    if (this.#lever.on) return { type: "leverPulled", by: this.#lever.by };
    const at = this.#at();
    const holder = course.calls.map((call) => at.held.get(call)).find((run) => run !== undefined);
    const isGlass = course.plan.approval.class === "break_glass";
    if (holder !== undefined && holder !== course.run.id && !isGlass) {
      return { type: "scopeHeld", run: holder };
    }
    const now = previewOf(course.run.id, course.plan, course.run.cause, at);
    const failed = now.checks.filter(({ holds }) => !holds);
    if (failed.length > 0) return { type: "preconditionsFailed", failed };
    return course.calls.some((call) => at.world.call(call) !== undefined)
      ? null
      : { type: "nothingToDo" };
  }

  #approve(course: Course, fingerprint: string, now: number): Reply {
    const { me, isCommander } = this.#options;
    const { state, requestedBy, preview } = course.run;
    let why: RunRefusal | null = null;
    if (state.type === "expired" || (state.type === "awaitingApproval" && now >= state.expiresAt)) {
      why = { type: "expired" };
    } else if (state.type === "previewed" && fingerprint !== preview.fingerprint) {
      why = { type: "parametersChanged" };
    } else if (state.type !== "awaitingApproval") {
      why = { type: "wrongState" };
    } else if (!isCommander) {
      why = { type: "rightRevoked", who: me };
    } else if (requestedBy.trim().toLowerCase() === me.toLowerCase()) {
      why = { type: course.isElsewhere ? "sameIdentity" : "approverIsRequester" };
    } else if (fingerprint !== preview.fingerprint) {
      why = { type: "parametersChanged" };
    }
    why ??= this.#mayBegin(course);
    if (why !== null) return this.#refuse(course, me, why, now);
    this.#agree(course, me, now);
    return DONE;
  }

  #agree(course: Course, by: string, now: number): void {
    const { fingerprint } = course.run.preview;
    this.#begin(course, now);
    const approvals = [
      ...course.run.approvals,
      { by, at: now, approved: true, fingerprint, reason: "" },
    ];
    course.run = { ...course.run, approvals };
    course.note(now, by, { type: "approved" }, "agrees, as the second person");
  }

  #decline(course: Course, reason: string, now: number): Reply {
    const { me, isCommander } = this.#options;
    if (!isCommander) return this.#refuse(course, me, { type: "rightRevoked", who: me }, now);
    if (course.run.state.type !== "awaitingApproval") {
      return this.#refuse(course, me, { type: "wrongState" }, now);
    }
    course.to({ type: "declined", by: me, reason }, now);
    course.note(now, me, { type: "declined" }, `does not agree: ${reason}`);
    return DONE;
  }

  #moveLever(on: boolean, reason: string, now: number): Reply {
    const { me, isCommander } = this.#options;
    if (!isCommander && !on) {
      return refused("forbidden", `${me} may not move the red lever; ask someone who may`);
    }
    this.#lever = { on, by: me, reason, at: now };
    if (!on) return DONE;
    for (const course of this.#courses.values()) {
      if (!course.isActing && course.run.state.type !== "awaitingApproval") continue;
      course.stop({ type: "lever", by: me }, `${me} pulled the red lever`, me, now);
    }
    return DONE;
  }

  /** A refusal is in the run's timeline. */
  #refuse(course: Course, who: string, refusal: RunRefusal, now: number): Reply {
    course.isPublic = true;
    const reply = refuse(refusal);
    const text = reply.type === "refused" ? reply.refusal.message : "";
    course.note(now, who, { type: "refused", refusal }, text);
    return reply;
  }
}

const DONE: Reply = { type: "done" };

function isFinal({ state }: Run): boolean {
  return [
    "completed",
    "aborted",
    "stopped",
    "rolledBack",
    "expired",
    "declined",
    "failed",
  ].includes(state.type);
}

function runOf(
  plan: Plan,
  preview: Run["preview"],
  cause: string | null,
  who: string,
  now: number,
): Run {
  return {
    id: preview.run,
    playbook: plan.id,
    version: plan.version,
    title: plan.title,
    cause,
    requestedBy: who,
    requestedAt: now,
    updatedAt: now,
    state: { type: "previewed", expiresAt: now + PREVIEW_MS },
    preview,
    startedAt: null,
    endsAt: null,
    approvals: [],
    breakGlass: null,
    review: null,
    stages: [],
    tally: tallyOf([]),
    comparison: [],
    differencesTotal: 0,
    differences: [],
    calls: [],
    callbacks: 0,
    messages: [],
    timeline: [],
  };
}

function refused(code: RefusalCode, message: string): Reply {
  const refusal: Refusal = { code, message };
  return { type: "refused", refusal };
}

function refuse(run: RunRefusal): Reply {
  const [code, message] = wordsOf(run);
  return { type: "refused", refusal: { code, message, run } };
}

function wordsOf(refusal: RunRefusal): [RefusalCode, string] {
  switch (refusal.type) {
    case "approverIsRequester":
      return ["forbidden", "who asked for the run cannot approve it; a second person must"];
    case "sameIdentity":
      return [
        "forbidden",
        "the run was asked for under this name at another console: two consoles are one person; a second person must approve",
      ];
    case "expired":
      return [
        "conflict",
        "the time in which it could be approved is over; preview it again and ask again",
      ];
    case "parametersChanged":
      return [
        "conflict",
        "the calls, the playbook or the parameters are not those that were previewed; look at the new preview and decide again",
      ];
    case "rightRevoked":
      return [
        "forbidden",
        `${refusal.who} may not run playbooks; a commander must ask and another approve`,
      ];
    case "preconditionsFailed": {
      const found = refusal.failed.map((check) => check.found).join("; ");
      return ["conflict", `preconditions do not hold: ${found}; nothing was changed`];
    }
    case "scopeHeld":
      return [
        "conflict",
        `run ${refusal.run} holds some of the calls; stop it or wait for its end`,
      ];
    case "leverPulled":
      return ["conflict", `${refusal.by} pulled the red lever: no run begins until it is put back`];
    case "feedStale":
      return ["stale", "the hub itself cannot see now; wait until it does"];
    case "reasonTooShort":
      return [
        "invalid",
        `who goes on alone must write why, in ${refusal.charsMin.toString()} characters or more`,
      ];
    case "wrongState":
      return ["conflict", "the run is not where this could be asked of it; look at its state"];
    case "nothingToDo":
      return ["conflict", "no call is left that it would change; nothing needs to be done"];
    case "pointOfNoReturn":
      return ["conflict", "what it did cannot be undone: every call passed the point of no return"];
  }
}
