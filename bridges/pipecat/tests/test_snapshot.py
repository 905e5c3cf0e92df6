"""What is told again when the hub has lost us."""

from conftest import RunBot
from fake_hub import FakeHub


async def test_a_snapshot_tells_a_live_call_again(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.failed_turn("llm_503", "http_503")
        await hub.command("switch_model", {"layer": "llm", "to": "backup-llm", "retry_turn": True})
        await hub.event("transcript.final", role="agent", turn=2)
        await hub.command("disable_tools", {"tools": ["track_order"]})
        await hub.command("pause_ai")
        told = [e["data"] for e in hub.of("transcript.final")]
        call = hub.call_id()
        hub.wants_snapshot = True
        await hub.cut()
        await hub.event("stream.caught_up")
    types = hub.types()
    begin, end = types.index("stream.snapshot"), types.index("stream.caught_up")
    snapshot = [e for e in hub.events[begin:end] if e["type"] != "holdfast.bridge.heartbeat"]
    assert snapshot[0]["data"] == {"calls": [call]}
    again = [e["type"].removeprefix("holdfast.") for e in snapshot[1:]]
    assert again == [
        "call.started",
        "call.updated",
        *["transcript.final"] * len(told),
        "tool.catalog_changed",
    ]
    started = snapshot[1]["data"]
    assert started["resumed"] is True
    assert started["started_at"].endswith("Z")
    active = [s["name"] for s in started["services"] if s["active"]]
    assert active == ["primary-stt", "backup-llm", "primary-tts"]
    assert snapshot[2]["data"]["ai"] == "paused"
    assert [e["data"] for e in snapshot[3:-1]] == told
    assert snapshot[-1]["data"]["disabled"] == ["track_order"]


async def test_a_cut_in_the_middle_of_a_turn_loses_no_fact(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.say("Where is my order?")
        await hub.event("tool.requested")
        await hub.cut()
        await hub.event("transcript.final", role="agent", turn=2)
    assert [int(e["sequence"]) for e in hub.events] == list(range(1, len(hub.events) + 1))
    assert not hub.of("stream.gap_detected")
    for once in ("tool.requested", "tool.started", "tool.completed"):
        assert hub.types().count(once) == 1
