"""Nothing that goes wrong in the bridge reaches the bot."""

from typing import Any

import pytest
from conftest import RunBot, make_bridge
from fake_hub import FakeHub
from offline_bot import Bot
from offline_services import Faults
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker

from holdfast_pipecat import CallInfo, attach
from holdfast_pipecat.call import Call
from holdfast_pipecat.observe.frames import FrameMapper
from holdfast_pipecat.observe.observer import CallObserver
from holdfast_pipecat.observe.service import ServiceMapper
from holdfast_pipecat.observe.speech import SpeechMapper


def boom(*_: Any, **__: Any) -> None:
    """Fail."""
    raise RuntimeError("a fault of the bridge")


@pytest.mark.parametrize(
    ("part", "method"),
    [(FrameMapper, "on_frame"), (SpeechMapper, "on_speech"), (ServiceMapper, "on_latency")],
)
async def test_a_mapper_that_fails_costs_only_its_own_facts(
    run_bot: RunBot,
    hub: FakeHub,
    notes: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    part: type,
    method: str,
) -> None:
    async with run_bot() as bot:
        with monkeypatch.context() as patched:
            patched.setattr(part, method, boom)
            await bot.say("Hello, this is Maria.")
            # The bot answers, and what the other mappers see is still told.
            await hub.event("turn.latency")
            await hub.event("service.usage", service="primary-llm")
        assert any(note["bot"] == "llm_answer" for note in notes)
        await bot.bot.worker.cancel(reason="over")
        await hub.event("call.ended")


async def test_an_observer_that_fails_goes_on_observing(
    run_bot: RunBot, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_bot() as bot:
        with monkeypatch.context() as patched:
            patched.setattr(CallObserver, "_call_event_handler", boom)
            await bot.say("Hello, this is Maria.")
            await hub.event("turn.latency")
        await bot.say("Where is my order?")
        # Pipecat ends an observer that raises; this one still tells transcripts.
        await hub.event("tool.completed")
        await hub.until(lambda: hub.of("transcript.final", role="caller"))


async def test_an_attach_that_fails_leaves_the_bot_alone(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Call, "__init__", boom)
    attach(Bot(Faults()).worker, bridge=make_bridge(hub))


async def test_attaching_twice_tells_a_call_once(run_bot: RunBot, hub: FakeHub) -> None:
    def twice(bot: Bot) -> None:
        attach(bot.worker, call=CallInfo(queue="first"), bridge=bridge)

    bridge = make_bridge(hub)
    async with run_bot(prepare=twice, info=CallInfo(queue="second"), bridge=bridge):
        pass
    await bridge.stop()
    assert [e["data"]["queue"] for e in hub.of("call.started")] == ["second"]
    assert hub.types().count("participant.joined") == 1


async def test_a_part_of_another_workers_call_is_no_call(hub: FakeHub) -> None:
    bridge = make_bridge(hub)
    worker = PipelineWorker(Pipeline([]), bridged=())
    attach(worker, bridge=bridge)
    assert bridge.next_call_id() == "bot-test-1"


async def test_two_calls_of_one_process_share_a_bridge(run_bot: RunBot, hub: FakeHub) -> None:
    bridge = make_bridge(hub)
    bridge.start()
    async with run_bot(bridge=bridge) as one, run_bot(bridge=bridge):
        assert sorted(bridge.calls) == ["bot-test-1", "bot-test-2"]
        await one.say("Hello, this is Maria.")
        said = await hub.event("transcript.final", role="caller")
        assert said["subject"] == "bot-test-1"
        answer = await hub.command("pause_ai", call="bot-test-2")
        assert answer["state"] == "applied"
        assert bridge.calls["bot-test-1"].state.ai == "active"
    await bridge.stop()
    assert len(hub.hellos) == 1
    assert [e["subject"] for e in hub.of("call.ended")] == ["bot-test-2", "bot-test-1"]
