/** The filter that filters nothing. */
import type { BoardFilter } from "$lib/generated";

export const NO_FILTER: BoardFilter = { queue: null, text: "", cause: null, needAtLeast: "calm" };
