/** How a shared cause is said. */
import { count, counted, permille } from "$lib/format/number";
import { causeDimensionWord, causeShapeWord, causeStateWord, layerShort } from "$lib/format/words";
import type { CauseGroup } from "$lib/generated";

/** `Vendor A, eu-west`: what its calls have in common. */
export function traitsOf({ traits }: Pick<CauseGroup, "traits">): string {
  return traits.length === 0 ? "every call" : traits.map(({ value }) => value).join(", ");
}

/** `vendor Vendor A, region eu-west`: the same with what each value is. */
export function traitsInFull({ traits }: Pick<CauseGroup, "traits">): string {
  return traits
    .map(({ dimension, value }) => `${causeDimensionWord[dimension]} ${value}`)
    .join(", ");
}

/** `TTS, Vendor A, eu-west`: the name under which people speak of it. */
export function nameOf(group: Pick<CauseGroup, "layer" | "traits">): string {
  return `${layerShort[group.layer]}, ${traitsOf(group)}`;
}

/**
 * How many of the calls with its traits fail, in thousandths. Failing calls count at least as
 * exposed, so that it is never more than all.
 */
export function failingPermille({ failing, exposed }: CauseGroup): number {
  const all = Math.max(failing, exposed);
  return all === 0 ? 0 : Math.round((failing * 1000) / all);
}

/** `88% fail here, 0.4% elsewhere`: why this is the cause. */
export function comparison(group: CauseGroup): string {
  return `${permille(failingPermille(group))} fail here, ${permille(group.elsewherePermille)} elsewhere`;
}

/** What the comparison compares, in a sentence. */
export function comparisonInFull(group: CauseGroup): string {
  const { failing, exposed, layer } = group;
  const where = group.traits.length === 0 ? "Of every call" : `With ${traitsInFull(group)}`;
  return `${where}: ${count(failing)} of ${counted(Math.max(failing, exposed), "call")} fail (${permille(failingPermille(group))}). Without: ${permille(group.elsewherePermille)} fail in ${layerShort[layer]}.`;
}

/** All of a group in sentences, for a reader who does not see it. */
export function spoken(group: CauseGroup): string {
  const { failing, waiting, healthy, exposed, state, shape, sentence } = group;
  return [
    `${counted(failing, "call")}: ${nameOf(group)}`,
    `${causeShapeWord[shape]}, ${causeStateWord[state]}`,
    sentence.replace(/[.]$/, ""),
    `${count(failing)} failing, ${count(waiting)} waiting in silence, ${count(healthy)} healthy, ${count(exposed)} exposed`,
    comparison(group),
  ].join(". ");
}

/** For tests and for styles: `provider=Vendor A;region=eu-west`. */
export function traitsKey({ traits }: Pick<CauseGroup, "traits">): string {
  return traits.map(({ dimension, value }) => `${dimension}=${value}`).join(";");
}
