/** Reads from the page's address which fake world is wanted: `?mode=outage&calls=10000&link=stale`, `?blind=ownLag`. */
import { FakeBackend, type FakeOptions } from "./fake";

const LINKS = ["live", "stale", "connecting", "reconnecting", "closed"] as const;
const BLIND = ["ownLag", "clockJump", "suspended", "over"] as const;

export function fakeFromAddress(search: string): FakeBackend {
  const wanted = new URLSearchParams(search);
  const link = LINKS.find((one) => one === wanted.get("link"));
  const blind = BLIND.find((one) => one === wanted.get("blind"));
  const roles = (["agent", "supervisor", "commander", "observer"] as const).filter((role) =>
    wanted.getAll("role").includes(role),
  );
  const options: FakeOptions = {
    calls: Number(wanted.get("calls") ?? "640"),
    mode: wanted.get("mode") === "calm" ? "calm" : "outage",
    elapsed: () => performance.now(),
    withOffer: wanted.has("offer"),
    ...(link === undefined ? {} : { link }),
    ...(blind === undefined ? {} : { blind }),
    ...(roles.length === 0 ? {} : { roles }),
  };
  return new FakeBackend(options);
}
