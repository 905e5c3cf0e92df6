/** Times for people: ages while live, clock times in records. All input is milliseconds. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function two(n: number): string {
  return n.toString().padStart(2, "0");
}

/** `0:04`, `2:10`, `1:02:33`: the time from `since` to `now`, never negative. */
export function age(since: number, now: number): string {
  const ms = Math.max(0, now - since);
  const hours = Math.floor(ms / HOUR);
  const minutes = Math.floor(ms / MINUTE) % 60;
  const seconds = Math.floor(ms / SECOND) % 60;
  return hours > 0
    ? `${hours.toString()}:${two(minutes)}:${two(seconds)}`
    : `${minutes.toString()}:${two(seconds)}`;
}

/** `0.7 s`, `12 s`, `2:10`: a measured length of time. */
export function duration(ms: number): string {
  const positive = Math.max(0, ms);
  if (positive < 10 * SECOND) return `${(positive / SECOND).toFixed(1)} s`;
  if (positive < 2 * MINUTE) return `${Math.floor(positive / SECOND).toString()} s`;
  return age(0, positive);
}

/** `in 6 s`, `in 2:10`, `now`: the time that is left until `at`, in whole seconds. */
export function until(at: number, now: number): string {
  const left = Math.ceil((at - now) / SECOND) * SECOND;
  if (left <= 0) return "now";
  return `in ${left < 2 * MINUTE ? `${(left / SECOND).toString()} s` : age(0, left)}`;
}

/** `4 ms`, `1.2 s`: a delay, which is mostly short. */
export function delay(ms: number): string {
  return Math.abs(ms) < SECOND ? `${Math.round(ms).toString()} ms` : duration(ms);
}

/** `+12 ms`, `-3 ms`: a difference that has a direction. */
export function skew(ms: number): string {
  return ms > 0 ? `+${delay(ms)}` : ms < 0 ? `-${delay(-ms)}` : "0 ms";
}

/** `14:02:11`: a moment in a record, in the reader's own time zone. */
export function clock(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `14:02`: a moment for which seconds do not matter. */
export function clockMinutes(at: number): string {
  return clock(at).slice(0, 5);
}
