"""The link: nothing lost, nothing twice, and an honest gap where something was lost."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from conftest import make_bridge
from fake_hub import DEADLINE_SECS, TOKEN, FakeHub

import holdfast_pipecat.bridge
import holdfast_pipecat.link
from holdfast_pipecat.bridge import Bridge
from holdfast_pipecat.buffer import EventBuffer
from holdfast_pipecat.config import HubAddress, NotConfigured


def say(bridge: Bridge, first: int, last: int) -> None:
    """Say numbered facts."""
    for number in range(first, last + 1):
        bridge.emit("turn.started", "call-1", {"turn": number})


async def settled(holds: Callable[[], bool]) -> None:
    """Wait for something of the bridge that tells nobody when it changes."""
    async with asyncio.timeout(DEADLINE_SECS):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def turns(hub: FakeHub) -> list[int]:
    """The numbered facts that arrived."""
    return [e["data"]["turn"] for e in hub.of("turn.started")]


@pytest.fixture
async def bridge(hub: FakeHub) -> AsyncIterator[Bridge]:
    """A bridge that is started."""
    bridge = make_bridge(hub)
    bridge.start()
    yield bridge
    await bridge.stop()


async def test_hello_describes_the_bridge(bridge: Bridge, hub: FakeHub) -> None:
    await hub.until(lambda: hub.hellos)
    hello = hub.hellos[0]
    assert hello["type"] == "hello"
    assert hello["protocol"] == 1
    assert hello["source"] == "//bridges/pipecat/bot-test"
    assert hello["token"] == TOKEN
    assert hello["bridge"] == {"name": "holdfast-pipecat", "version": "0.1.0"}
    assert hello["platform"] == {"name": "pipecat", "version": "1.14.0"}
    assert hello["heartbeat_secs"] == 2.0


async def test_what_was_said_before_the_hub_came_is_not_lost() -> None:
    hub = FakeHub()
    await hub.start()
    await hub.stop()
    bridge = make_bridge(hub)
    bridge.start()
    say(bridge, 1, 300)
    await asyncio.sleep(0.1)  # a few refused attempts
    await hub.start()
    await hub.until(lambda: len(turns(hub)) == 300)
    assert turns(hub) == list(range(1, 301))
    await bridge.stop()
    await hub.stop()


async def test_a_cut_loses_nothing_and_repeats_nothing(bridge: Bridge, hub: FakeHub) -> None:
    say(bridge, 1, 500)
    await hub.until(lambda: hub.durable >= 100)
    await hub.cut()
    say(bridge, 501, 1_000)
    await hub.until(lambda: len(turns(hub)) == 1_000)
    assert turns(hub) == list(range(1, 1_001))
    assert hub.hellos[0]["epoch"] == hub.hellos[1]["epoch"]


async def test_what_the_hub_has_not_made_durable_is_sent_again(hub: FakeHub) -> None:
    hub.acks = False
    bridge = make_bridge(hub)
    bridge.start()
    say(bridge, 1, 50)
    await hub.until(lambda: len(turns(hub)) == 50)
    # The hub dies with what it had in memory, and comes back with what it had on disk.
    hub.durable = hub.expected = 20
    hub.events = hub.events[:20]
    await hub.cut()
    hub.acks = True
    await hub.until(lambda: hub.durable >= 50)
    assert [int(e["sequence"]) for e in hub.events[:50]] == list(range(1, 51))
    await bridge.stop()


async def test_a_hub_that_misses_one_gets_it_again(bridge: Bridge, hub: FakeHub) -> None:
    hub.acks = False
    say(bridge, 1, 30)
    await hub.until(lambda: len(turns(hub)) == 30)
    hub.expected = 11
    hub.events = hub.events[:10]
    say(bridge, 31, 31)
    await hub.until(lambda: 31 in turns(hub))
    assert turns(hub) == list(range(1, 32))
    assert hub.gaps >= 1


async def test_acknowledged_events_leave_the_buffer(bridge: Bridge, hub: FakeHub) -> None:
    say(bridge, 1, 400)
    await hub.until(lambda: hub.durable >= 400)
    await settled(lambda: bridge.buffer.acked >= 400)
    assert len(bridge.buffer) <= 1  # a heartbeat may be on its way


async def test_an_overflow_is_told_as_a_gap_and_a_snapshot() -> None:
    hub = FakeHub()
    await hub.start()
    bridge = make_bridge(hub, EventBuffer(events_max=100))
    bridge.start()
    say(bridge, 1, 10)
    await hub.until(lambda: hub.durable >= 10)
    await hub.stop()
    hub.events.clear()
    before = bridge.buffer.last
    say(bridge, 11, 500)
    after = bridge.buffer.last
    await hub.start()
    await hub.event("stream.caught_up")
    gap = hub.of("stream.gap_detected")[0]["data"]
    assert gap["from_seq"] == hub_from(gap, before)
    assert gap["to_seq"] == after
    assert gap["missing"] == gap["to_seq"] - gap["from_seq"] + 1
    assert hub.types()[:3] == ["stream.gap_detected", "stream.snapshot", "stream.caught_up"]
    assert hub.of("stream.snapshot")[0]["data"] == {"calls": []}
    say(bridge, 501, 501)
    await hub.until(lambda: turns(hub) == [501])
    assert hub.gaps == 0
    await bridge.stop()
    await hub.stop()


def hub_from(gap: dict[str, int], before: int) -> int:
    """The gap begins after the last event that the hub has; a heartbeat may lie between."""
    assert before - 1 <= gap["from_seq"] <= before + 1
    return gap["from_seq"]


async def test_a_slow_hub_cannot_make_the_buffer_grow(hub: FakeHub) -> None:
    bridge = make_bridge(hub, EventBuffer(events_max=100))
    bridge.start()
    await hub.until(lambda: bridge.link.live)
    # All at once: the sender gets no chance to send in between.
    say(bridge, 1, 5_000)
    assert len(bridge.buffer) == 100
    await hub.event("stream.caught_up")
    gap = hub.of("stream.gap_detected")[0]["data"]
    assert gap["missing"] == gap["to_seq"] - gap["from_seq"] + 1 >= 4_999
    # It is told on the same connection.
    assert len(hub.hellos) == 1
    await bridge.stop()


async def test_a_snapshot_is_sent_when_the_hub_asks(hub: FakeHub) -> None:
    hub.wants_snapshot = True
    bridge = make_bridge(hub)
    bridge.start()
    await hub.event("stream.caught_up")
    assert hub.types()[:2] == ["stream.snapshot", "stream.caught_up"]
    await bridge.stop()


async def test_an_event_that_the_hub_never_takes_does_not_stop_the_rest(
    bridge: Bridge, hub: FakeHub
) -> None:
    say(bridge, 1, 5)
    await hub.until(lambda: hub.durable >= 5)
    for _ in range(holdfast_pipecat.link.REFUSALS_MAX + 1):
        await hub.send(
            {"type": "error", "code": "bad_sequence", "message": "", "detail": {"expected": 6}}
        )
    await hub.event("stream.caught_up")


async def test_ping_is_answered(bridge: Bridge, hub: FakeHub) -> None:
    await hub.send({"type": "ping", "nonce": 17})
    await hub.until(lambda: hub.pongs == [17])


async def test_frames_that_are_not_for_us_are_ignored(bridge: Bridge, hub: FakeHub) -> None:
    await hub.send({"type": "surprise"})
    await hub.send({"type": "ack", "sequence": "many"})
    await hub.send({"type": "ack", "sequence": None})
    await hub.send({"type": "command", "name": "pause_ai"})
    await hub.send({"type": "error", "code": "rate_limited", "message": "slower"})
    say(bridge, 1, 1)
    await hub.until(lambda: turns(hub) == [1])
    assert len(hub.hellos) == 1


async def test_heartbeats_come_and_only_while_somebody_listens(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdfast_pipecat.bridge, "HEARTBEAT_SECS", 0.1)
    bridge = make_bridge(hub)
    bridge.start()
    await hub.until(lambda: len(hub.of("bridge.heartbeat")) >= 2)
    beat = await hub.event("bridge.heartbeat")
    assert beat["subject"] == "*"
    assert beat["data"]["live_calls"] == 0
    await hub.stop()
    await settled(lambda: not bridge.link.live)
    before = bridge.buffer.last
    await asyncio.sleep(3 * holdfast_pipecat.bridge.HEARTBEAT_SECS)
    assert bridge.buffer.last == before
    await bridge.stop()


async def test_a_hub_that_refuses_us_is_asked_seldom(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.refuses = "unauthorized"
    bridge = make_bridge(hub)
    bridge.start()
    await hub.until(lambda: hub.hellos)
    await asyncio.sleep(0.3)
    assert len(hub.hellos) == 1
    await bridge.stop()


async def test_a_hub_that_hangs_is_left(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdfast_pipecat.link, "WELCOME_SECS", 0.1)
    hub.answers_hello = False
    bridge = make_bridge(hub)
    bridge.start()
    await hub.until(lambda: len(hub.hellos) >= 2)
    hub.answers_hello = True
    say(bridge, 1, 1)
    await hub.until(lambda: turns(hub) == [1])
    await bridge.stop()


async def test_a_console_that_starts_again_elsewhere_is_found(hub: FakeHub) -> None:
    other = await FakeHub().start()
    where: list[HubAddress | NotConfigured] = [HubAddress(hub.url, TOKEN)]
    bridge = Bridge("bot-test", lambda: where[0])
    bridge.start()
    say(bridge, 1, 1)
    await hub.until(lambda: turns(hub) == [1])
    where[0] = NotConfigured("the console is gone")
    await hub.stop()
    where[0] = HubAddress(other.url, TOKEN)
    # The other console knows nothing of us, and what the first one had is no longer buffered.
    await other.event("stream.caught_up")
    say(bridge, 2, 2)
    await other.until(lambda: turns(other) == [2])
    await bridge.stop()
    await other.stop()


def test_waits_grow_are_spread_and_end_at_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdfast_pipecat.link, "BACKOFF_SECS_MIN", 0.25)
    monkeypatch.setattr(holdfast_pipecat.link, "BACKOFF_SECS_MAX", 15.0)

    def waits(jitter: float) -> list[float]:
        bridge = make_bridge(FakeHub())
        link = holdfast_pipecat.link.Link(
            lambda: NotConfigured(""), EventBuffer(), bridge, jitter=lambda: jitter
        )
        return [link._backoff(attempt) for attempt in range(10)]

    assert waits(1.0)[:4] == [0.25, 0.5, 1.0, 2.0]
    assert waits(1.0)[-1] == 15.0
    assert waits(0.0)[:4] == [0.125, 0.25, 0.5, 1.0]
