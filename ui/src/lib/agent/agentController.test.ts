import { describe, expect, test } from "vitest";

import type { Backend } from "$lib/backend/backend";
import { Stage } from "$lib/backend/fake/stage";
import type { Reply, Request } from "$lib/generated";

async function onStage(
  options: ConstructorParameters<typeof Stage>[0] = { withOffer: true },
  answer?: (request: Request) => Promise<Reply> | undefined,
) {
  const requests: Request[] = [];
  const stage = new Stage(options, (inner): Backend => ({
    frame: (request) => inner.frame(request),
    request: (request) => {
      requests.push(request);
      return answer?.(request) ?? inner.request(request);
    },
  }));
  await stage.frame();
  return { stage, requests, agent: stage.desk.agent };
}

describe("an offer", () => {
  test("is this person's alone, with its card", async () => {
    const { agent, stage } = await onStage();
    expect(agent.offer?.handoff.card.customer).toBe("Maria G.");
    expect(agent.offer?.wholeMs).toBe(20_000);
    expect(stage.desk.frames.status?.offers).toBe(1);
    const { stage: other } = await onStage({});
    expect(other.desk.agent.offer).toBeNull();
  });

  test("is receipted once when its card is on screen", async () => {
    const { agent, stage, requests } = await onStage();
    const id = agent.offer?.handoff.id ?? "";
    await agent.markSeen(id);
    await agent.markSeen(id);
    expect(requests).toEqual([{ type: "seeHandoff", handoff: id }]);
    await stage.frame();
    expect(agent.offer?.handoff.state.type).toBe("seen");
  });

  test("is receipted again when the hub could not be reached", async () => {
    const { agent, requests } = await onStage({ withOffer: true }, () =>
      Promise.reject(new Error("gone")),
    );
    await agent.markSeen("h-1");
    await agent.markSeen("h-1");
    expect(requests).toHaveLength(2);
  });

  test("that is taken is told up to its confirmation", async () => {
    const { agent, stage } = await onStage();
    stage.desk.shell.go("agent");
    await agent.accept();
    await stage.frame();
    expect(agent.offer).toBeNull();
    expect(agent.taken?.state.type).toBe("accepted");
    expect(agent.openId).toBe("4f2a");
    await stage.run(2_000);
    expect(agent.taken?.state.type).toBe("bridged");
    expect(agent.call?.summary.phase).toBe("human");
    await stage.run(5_000);
    expect(agent.taken?.state.type).toBe("confirmed");
  });

  test("is declined with a reason, never without", async () => {
    const { agent, stage, requests } = await onStage();
    agent.startDecline();
    await agent.decline("   ");
    expect(requests).toHaveLength(0);
    await agent.decline("Not my skill");
    expect(requests).toEqual([{ type: "declineHandoff", handoff: "h-1", reason: "Not my skill" }]);
    expect(agent.isDeclining).toBe(false);
    await stage.frame();
    expect(agent.offer).toBeNull();
  });

  test("that somebody else has is refused, and said so", async () => {
    const refusal = { code: "conflict", message: "It is over." } as const;
    const { agent, stage } = await onStage({ withOffer: true }, (request) =>
      request.type === "acceptHandoff" ? Promise.resolve({ type: "refused", refusal }) : undefined,
    );
    await agent.accept();
    expect(agent.refusal).toEqual(refusal);
    expect(agent.pending).toBeNull();
    await stage.frame();
    expect(agent.taken).toBeNull();
  });

  test("is asked for once, however often Enter is pressed", async () => {
    const { agent, requests } = await onStage();
    await Promise.all([agent.accept(), agent.accept()]);
    expect(requests.filter((request) => request.type === "acceptHandoff")).toHaveLength(1);
  });
});

test("free and away are what the hub says, not what was pressed", async () => {
  const { agent, stage } = await onStage({});
  expect(agent.human?.state).toBe("free");
  await agent.setState("away");
  expect(agent.human?.state).toBe("free");
  await stage.run(300);
  expect(agent.human?.state).toBe("away");
});

test("nothing is asked while blind", async () => {
  const { agent, requests } = await onStage({ link: "stale", withOffer: true });
  await agent.accept();
  await agent.setState("away");
  await agent.decline("Not my skill");
  expect(requests).toHaveLength(0);
  expect(agent.off).not.toBeNull();
});
