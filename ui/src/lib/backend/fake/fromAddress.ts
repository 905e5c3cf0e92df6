/**
 * Reads from the page's address which fake world is wanted: `?mode=outage&calls=10000&link=stale`,
 * `?blind=ownLag`, `?run=running&worse`.
 */
import { FakeBackend, type FakeOptions } from "./fake";

const LINKS = ["live", "stale", "connecting", "reconnecting", "closed"] as const;
const SECOND = ["approves", "refuses", "silent"] as const;
const RUN = ["asked", "running"] as const;
const BLIND = ["ownLag", "clockJump", "suspended", "over"] as const;

export function fakeFromAddress(search: string): FakeBackend {
  const wanted = new URLSearchParams(search);
  const link = LINKS.find((one) => one === wanted.get("link"));
  const blind = BLIND.find((one) => one === wanted.get("blind"));
  const roles = (["agent", "supervisor", "commander", "observer"] as const).filter((role) =>
    wanted.getAll("role").includes(role),
  );
  const second = SECOND.find((one) => one === wanted.get("second"));
  const run = RUN.find((one) => one === wanted.get("run"));
  const options: FakeOptions = {
    calls: Number(wanted.get("calls") ?? "640"),
    mode: wanted.get("mode") === "calm" ? "calm" : "outage",
    elapsed: () => performance.now(),
    withOffer: wanted.has("offer"),
    ...(wanted.has("worse") ? { trouble: "worse" as const } : {}),
    ...(second === undefined ? {} : { second }),
    ...(run === undefined ? {} : { run }),
    ...(link === undefined ? {} : { link }),
    ...(blind === undefined ? {} : { blind }),
    ...(roles.length === 0 ? {} : { roles }),
  };
  return new FakeBackend(options);
}
