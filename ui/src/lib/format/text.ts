/** Shapes of text that more than one component needs. */
import type { CallId, Utterance } from "$lib/generated";

/** Characters of a call id that fit a row. */
const SHORT_ID = 8;

/** A last part that is shorter than this does not tell calls apart. */
const PART_MIN = 4;

/** The last part of an id, where ids of one platform differ; the whole of a short one. */
export function shortId(id: CallId): string {
  if (id.length <= SHORT_ID) return id;
  const part = id.split(/[-._:@]/).at(-1) ?? id;
  return (part.length < PART_MIN ? id : part).slice(-SHORT_ID);
}

/** The part of an utterance that was heard, and the part that never was. */
export function heard(utterance: Pick<Utterance, "text" | "unspoken">): {
  heard: string;
  unspoken: string;
} {
  const { text, unspoken } = utterance;
  if (unspoken === "") return { heard: text, unspoken: "" };
  return text.endsWith(unspoken)
    ? { heard: text.slice(0, text.length - unspoken.length), unspoken }
    : { heard: `${text} `, unspoken };
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

/** The first letter as a capital: a fragment becomes a sentence's beginning. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** A vendor, model and region in one line, without what the platform did not say. */
export function serviceOrigin(service: {
  provider: string;
  model: string;
  region: string;
}): string {
  return [service.provider, service.model, service.region].filter((part) => part !== "").join(", ");
}
