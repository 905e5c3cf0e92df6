/** The evidence of a call, for a list that keeps what is unfolded while newer evidence comes. */
import type { CallDetail, Evidence, Layer } from "$lib/generated";

export interface EvidenceRow {
  readonly key: string;
  readonly layer: Layer;
  readonly evidence: Evidence;
}

/** Each piece with a key that stays with it and that no other has. */
export function evidenceKeyed(list: CallDetail["evidence"]): EvidenceRow[] {
  const seen = new Map<string, number>();
  // From the oldest on: what is counted is counted alike when newer pieces come before it.
  const rows = [...list].reverse().map(([layer, evidence]): EvidenceRow => {
    const base = [layer, evidence.kind, evidence.at, ...evidence.events].join(" ");
    const n = seen.get(base) ?? 0;
    seen.set(base, n + 1);
    return { key: `${base} ${n.toString()}`, layer, evidence };
  });
  return rows.reverse();
}
