/**
 * What changed between the preview that a person saw and what the same run would do now.
 *
 * Absent on purpose: a judgement whether it may begin. The hub looks again at the moment of commit.
 */
import { count, counted } from "$lib/format/number";
import { shortId } from "$lib/format/text";
import type { CallId, RunPreview } from "$lib/generated";

/** What was seen: the preview, and what each of its calls shall become where that is known. */
export interface Seen {
  readonly preview: RunPreview;
  /** null while the exact set is not told. */
  readonly calls: ReadonlyMap<CallId, string> | null;
}

export interface Change {
  /** It stands in the way, or makes it worse for callers. */
  readonly isWorse: boolean;
  readonly text: string;
}

/** Ids that are named in one change; the rest is a number. */
const NAMED = 6;

export function setOf(preview: RunPreview): ReadonlyMap<CallId, string> {
  return new Map(preview.calls.map(({ call, becomes }) => [call, becomes]));
}

/** Empty when nothing changed. */
export function changesOf({ preview: seen, calls }: Seen, now: RunPreview): readonly Change[] {
  const changes: Change[] = [];
  if (now.fingerprint !== seen.fingerprint) {
    changes.push(...setChanges(calls, seen, now));
  }
  if (now.failing !== seen.failing) {
    const text = `${count(now.failing)} of its calls fail now; ${count(seen.failing)} did.`;
    changes.push({ isWorse: now.failing > seen.failing, text });
  }
  if (now.protected !== seen.protected) {
    const text = `${counted(now.protected, "call")} in a payment, an identity check or a write now; ${count(seen.protected)} before.`;
    changes.push({ isWorse: false, text });
  }
  changes.push(...humanChanges(seen, now), ...checkChanges(seen, now));
  return changes;
}

function setChanges(calls: Seen["calls"], seen: RunPreview, now: RunPreview): readonly Change[] {
  if (calls === null) {
    const text = `The exact set or its targets are not the same: ${counted(now.nCalls, "call")} now, ${count(seen.nCalls)} before.`;
    return [{ isWorse: false, text }];
  }
  const after = setOf(now);
  const gone = [...calls.keys()].filter((call) => !after.has(call));
  const came = [...after.keys()].filter((call) => !calls.has(call));
  const other = [...after].filter(([call, becomes]) => (calls.get(call) ?? becomes) !== becomes);
  const changes: Change[] = [];
  if (gone.length > 0) {
    const text = `${counted(gone.length, "call")} ${gone.length === 1 ? "is" : "are"} over or no longer ${gone.length === 1 ? "matches" : "match"}, and ${gone.length === 1 ? "is" : "are"} left alone: ${named(gone)}.`;
    changes.push({ isWorse: false, text });
  }
  if (came.length > 0) {
    const text = `${counted(came.length, "call")} ${came.length === 1 ? "matches" : "match"} since, and ${came.length === 1 ? "is" : "are"} left alone unless it is previewed again: ${named(came)}.`;
    changes.push({ isWorse: false, text });
  }
  for (const [call, becomes] of other.slice(0, NAMED)) {
    const before = calls.get(call) ?? "";
    changes.push({
      isWorse: true,
      text: `Call ${shortId(call)} would become ${becomes} now; ${before} was previewed.`,
    });
  }
  if (other.length > NAMED) {
    const text = `${count(other.length - NAMED)} more would become something else.`;
    changes.push({ isWorse: true, text });
  }
  if (changes.length === 0) {
    changes.push({ isWorse: true, text: "The playbook or its parameters are not the same." });
  }
  return changes;
}

function humanChanges(seen: RunPreview, now: RunPreview): readonly Change[] {
  const changes: Change[] = [];
  const [before, after] = [seen.humans, now.humans];
  if (after.free !== before.free) {
    const text = `Humans free: ${count(after.free)} now, ${count(before.free)} before.`;
    changes.push({ isWorse: after.nCalls > 0 && after.free < before.free, text });
  }
  if (after.nCalls > 0 && after.waitS !== before.waitS) {
    const text = `Predicted wait: ${waitWord(after.waitS)} now, ${waitWord(before.waitS)} before.`;
    changes.push({ isWorse: (after.waitS ?? Infinity) > (before.waitS ?? Infinity), text });
  }
  if (after.callbacks !== before.callbacks) {
    const text = `Callbacks owed: ${count(after.callbacks)} now, ${count(before.callbacks)} before.`;
    changes.push({ isWorse: after.callbacks > before.callbacks, text });
  }
  return changes;
}

function waitWord(seconds: number | null): string {
  return seconds === null ? "no human is there" : `${count(seconds)} s`;
}

function checkChanges(seen: RunPreview, now: RunPreview): readonly Change[] {
  return now.checks.flatMap((check) => {
    const key = JSON.stringify(check.check);
    const before = seen.checks.find((one) => JSON.stringify(one.check) === key);
    if (before === undefined || before.holds === check.holds) return [];
    const text = check.holds
      ? `A precondition holds now: ${check.found}.`
      : `A precondition does not hold any more: ${check.found}.`;
    return [{ isWorse: !check.holds, text }];
  });
}

function named(calls: readonly CallId[]): string {
  const shown = calls.slice(0, NAMED).map(shortId).join(", ");
  return calls.length > NAMED ? `${shown} and ${count(calls.length - NAMED)} more` : shown;
}
