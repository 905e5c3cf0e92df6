/** What the window does with each kind of refusal. The message says what happened; this says what to do. */
import type { Refusal, RefusalCode } from "$lib/generated";

interface RefusalWords {
  /** What it means, in a few words. */
  readonly title: string;
  /** What the person can do. */
  readonly next: string;
  /** Asking the same again can succeed. */
  readonly canRetry: boolean;
}

export const refusalWords = {
  forbidden: {
    title: "Not your right",
    next: "Ask someone whose token carries it.",
    canRetry: false,
  },
  notFound: {
    title: "No longer there",
    next: "It has ended or was never known here. Nothing is left to do.",
    canRetry: false,
  },
  conflict: {
    title: "Changed in the meantime",
    next: "Look at it again, then decide anew.",
    canRetry: true,
  },
  invalid: {
    title: "Makes no sense as asked",
    next: "Change what you ask for.",
    canRetry: false,
  },
  stale: {
    title: "The view is stale",
    next: "Wait until the board is fresh. Nobody acts while blind.",
    canRetry: true,
  },
  unreachable: {
    title: "No connection to the hub",
    next: "Calls go on without us. Try again when the connection is back.",
    canRetry: true,
  },
  internal: {
    title: "The hub did nothing",
    next: "It could not write the act down. Its log says why.",
    canRetry: true,
  },
} as const satisfies Record<RefusalCode, RefusalWords>;

/** A rejected promise of the backend in the form of a refusal: one way to show both. */
export function refusalOf(error: unknown): Refusal {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    code: "unreachable",
    message: `The program behind the window did not answer (${reason}). Nobody knows whether it was done.`,
  };
}
