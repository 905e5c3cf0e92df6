/**
 * The one seam between the window and the program behind it.
 *
 * The window pulls: it asks for a frame when it is ready to paint one, and nothing is pushed at it.
 * Absent on purpose: events, caches and errors as exceptions for refusals. A refusal is a `Reply`.
 */
import type { Frame, FrameRequest, Reply, Request } from "$lib/generated";

export interface Backend {
  /** What to paint next. Rejects only when the program behind the window does not answer. */
  frame(request: FrameRequest): Promise<Frame>;
  /** What comes of a person's request. */
  request(request: Request): Promise<Reply>;
}
