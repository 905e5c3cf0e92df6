"""What a supervisor can do to a live call, and what is true afterwards."""

import asyncio
import time
from types import MethodType
from typing import Any

import pytest
from conftest import RunBot, Running
from fake_hub import DEADLINE_SECS, FakeHub
from offline_bot import Bot
from offline_telephony import transfer
from pipecat.pipeline.llm_switcher import LLMSwitcher
from pipecat.pipeline.service_switcher import ServiceSwitcher, ServiceSwitcherStrategy

from holdfast_pipecat import TransferRequest
from holdfast_pipecat.commands.pipeline import handled
from holdfast_pipecat.envelope import rfc3339

Notes = list[dict[str, Any]]

TO_BACKUP = {"layer": "llm", "to": "backup-llm", "retry_turn": True}


def switcher(bot: Running) -> ServiceSwitcher[Any]:
    """The bot's switcher of models, found without the bridge's help."""
    inner = bot.bot.worker.pipeline.processors
    found = [p for group in inner for p in [group, *group.processors]]
    return next(p for p in found if isinstance(p, LLMSwitcher))


async def test_a_switch_runs_the_failed_turn_again(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        await bot.failed_turn("llm_503", "http_503")
        answer = await hub.command(
            "switch_model", TO_BACKUP, command_id="c-1", expect={"active": "primary-llm"}
        )
        assert answer["state"] == "applied"
        assert answer["read_back"] == {
            "layer": "llm",
            "active": "backup-llm",
            "retried_turn": True,
        }
        assert switcher(bot).strategy.active_service.name == "backup-llm"
        await hub.event("transcript.final", role="agent", turn=2)
    assert hub.states("c-1") == ["accepted", "applied"]
    # The caller gets the answer to what they had asked, from the other model.
    requests = [n["service"] for n in notes if n["bot"] == "llm_request"]
    assert requests == ["primary-llm", "backup-llm"]
    switched = hub.of("service.switched")
    assert [e["data"] for e in switched] == [
        {"from": "primary-llm", "to": "backup-llm", "cause": "manual"}
    ]
    assert switched[0]["causationid"] == "c-1"


async def test_a_model_that_hangs_is_left_and_cannot_answer_later(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        bot.faults.set("llm_hang", True)
        await bot.say("Hello, this is Maria.")
        await hub.event("llm.response_started", service="primary-llm")
        answer = await hub.command("switch_model", TO_BACKUP)
        assert answer["read_back"]["retried_turn"] is True
        # The request that hung was given up, not left to answer into the call.
        assert hub.of("llm.response_ended", service="primary-llm")[0]["data"]["interrupted"]
        await hub.event("transcript.final", role="agent", turn=2)
    assert [n["service"] for n in notes if n["bot"] == "llm_answer"] == ["backup-llm"]


async def test_a_switch_without_retry_asks_no_model(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        await bot.failed_turn("llm_503", "http_503")
        answer = await hub.command("switch_model", {"layer": "llm", "to": "backup-llm"})
        assert answer["read_back"]["retried_turn"] is False
    assert [n["service"] for n in notes if n["bot"] == "llm_request"] == ["primary-llm"]


async def test_the_announcement_of_a_switch_is_said_before_the_answer(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        await bot.failed_turn("llm_503", "http_503")
        heard = {**TO_BACKUP, "announcement": "I change to another system."}
        answer = await hub.command("switch_model", heard)
        assert answer["read_back"]["retried_turn"] is True
        await hub.until(lambda: len(hub.of("transcript.final", role="agent")) > 2)
    said = [n["text"] for n in notes if n["bot"] == "tts_request"]
    assert said[1] == "I change to another system."
    assert len(said) > 2


async def test_a_switch_that_expects_something_else_changes_nothing(
    run_bot: RunBot, hub: FakeHub
) -> None:
    async with run_bot() as bot:
        answer = await hub.command("switch_model", TO_BACKUP, expect={"active": "third-llm"})
        assert (answer["state"], answer["kind"]) == ("rejected", "expectation_failed")
        assert answer["message"] == "the active service is primary-llm, not third-llm"
        assert switcher(bot).strategy.active_service.name == "primary-llm"
    assert not hub.of("service.switched")


async def test_a_target_that_rejects_us_for_good_is_unusable_and_undone(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        bot.faults.set("llm_401", True, "backup-llm")
        await bot.failed_turn("llm_503", "http_503")
        answer = await hub.command("switch_model", TO_BACKUP)
        assert (answer["state"], answer["kind"]) == ("rejected", "target_unusable")
        assert "primary-llm is active again" in answer["message"]
        assert switcher(bot).strategy.active_service.name == "primary-llm"
        bot.faults.set("llm_503", False)
        await bot.say("Hello? Are you there?")
        await hub.event("transcript.final", role="agent", turn=2)
    # It was really tried, and nothing is told to have switched.
    assert "backup-llm" in [n["service"] for n in notes if n["bot"] == "llm_request"]
    assert not hub.of("service.switched", to="backup-llm")


def without_failover(bot: Bot) -> None:
    """Make the bot's model switcher leave every error to the application."""
    for group in bot.worker.pipeline.processors:
        for processor in [group, *group.processors]:
            if isinstance(processor, LLMSwitcher):
                strategy: Any = processor.strategy
                strategy.handle_error = MethodType(ServiceSwitcherStrategy.handle_error, strategy)


async def test_without_a_failover_of_the_platform_the_bridge_switches_back(
    run_bot: RunBot, hub: FakeHub
) -> None:
    async with run_bot(prepare=without_failover) as bot:
        bot.faults.set("llm_401", True, "backup-llm")
        await bot.failed_turn("llm_503", "http_503")
        answer = await hub.command("switch_model", TO_BACKUP)
        assert (answer["state"], answer["kind"]) == ("rejected", "target_unusable")
        assert switcher(bot).strategy.active_service.name == "primary-llm"
    assert not hub.of("service.switched")


async def test_a_target_that_is_marked_unusable_is_tried_all_the_same(
    run_bot: RunBot, hub: FakeHub
) -> None:
    async with run_bot() as bot:
        members = {m.name: m for m in switcher(bot).services}
        await members["backup-llm"].set_usable(False)
        await bot.failed_turn("llm_503", "http_503")
        answer = await hub.command("switch_model", TO_BACKUP)
        assert answer["state"] == "applied"
        assert members["backup-llm"].is_usable
    told = [e["data"]["available"] for e in hub.of("service.availability_changed")]
    assert told == [False, True]


def stubborn(bot: Bot) -> None:
    """Make the bot's model switcher ignore orders, as a strategy of the application's own may."""
    for group in bot.worker.pipeline.processors:
        for processor in [group, *group.processors]:
            if isinstance(processor, LLMSwitcher):
                strategy: Any = processor.strategy
                strategy.handle_frame = MethodType(ServiceSwitcherStrategy.handle_frame, strategy)


async def test_a_switch_that_the_platform_ignores_is_rejected(
    run_bot: RunBot, hub: FakeHub
) -> None:
    async with run_bot(prepare=stubborn) as bot:
        backup = next(m for m in switcher(bot).services if m.name == "backup-llm")
        await backup.set_usable(False)
        answer = await hub.command("switch_model", {"layer": "llm", "to": "backup-llm"})
        assert (answer["state"], answer["kind"]) == ("rejected", "target_unusable")
        assert switcher(bot).strategy.active_service.name == "primary-llm"
        # What was tried is undone.
        assert not backup.is_usable
    assert not hub.of("service.switched")


CANNOT: list[tuple[str, dict[str, Any], str]] = [
    ("make_coffee", {}, "unknown_command"),
    ("switch_model", {"layer": "llm"}, "invalid_args"),
    ("switch_model", {"layer": "ears", "to": "backup-llm"}, "invalid_args"),
    ("switch_model", {"layer": "llm", "to": "backup-llm", "retry_turn": 1}, "invalid_args"),
    ("switch_model", {"layer": "llm", "to": "third-llm"}, "target_unknown"),
    ("switch_model", {"layer": "asr", "to": "primary-stt"}, "not_capable"),
    ("disable_tools", {"tools": ["make_coffee"]}, "target_unknown"),
    ("disable_tools", {"tools": "track_order"}, "invalid_args"),
    ("announce", {"text": " ", "language": "en"}, "invalid_args"),
    ("retry_turn", {}, "not_applied"),
    ("transfer", {"to": "ana", "handoff_id": "h-1", "key": "k"}, "not_capable"),
]


async def test_what_cannot_be_done_is_rejected_with_its_kind(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot():
        for number, (name, args, kind) in enumerate(CANNOT):
            answer = await hub.command(name, args, command_id=f"c-{number}")
            assert (answer["state"], answer["kind"]) == ("rejected", kind), (name, args)
            assert answer["message"]
            assert hub.states(f"c-{number}") == ["accepted", "rejected"]


async def test_commands_for_no_call_or_an_ended_one_are_rejected(
    run_bot: RunBot, hub: FakeHub
) -> None:
    async with run_bot() as bot:
        call = hub.call_id()
        answer = await hub.command("pause_ai", call="call-9")
        assert (answer["state"], answer["kind"]) == ("rejected", "unknown_call")
        await bot.bot.worker.cancel(reason="over")
        await hub.event("call.ended")
        answer = await hub.command("pause_ai", call=call)
        assert (answer["state"], answer["kind"]) == ("rejected", "call_ended")


async def test_an_expired_command_is_not_done(run_bot: RunBot, hub: FakeHub, notes: Notes) -> None:
    async with run_bot(on_transfer=transfer) as bot:
        answer = await hub.command(
            "switch_model", TO_BACKUP, command_id="c-1", expires_at="2020-01-01T00:00:00.000Z"
        )
        assert answer["state"] == "expired"
        assert hub.states("c-1") == ["accepted", "expired"]
        assert "kind" not in answer
        human = {"handoff_id": "h-1", "to": "ana", "key": ""}
        answer = await hub.command("transfer", human, expires_at="2020-01-01T00:00:00.000Z")
        assert answer["state"] == "expired"
        assert switcher(bot).strategy.active_service.name == "primary-llm"
    assert not [n for n in notes if n["bot"] == "telephony"]


async def test_a_command_that_waits_behind_another_can_expire(
    run_bot: RunBot, hub: FakeHub
) -> None:
    async with run_bot() as bot:
        soon = rfc3339(time.time() + 0.3)
        async with bot.bridge.calls[hub.call_id()].lock:
            task = asyncio.create_task(hub.command("pause_ai", expires_at=soon))
            await asyncio.sleep(0.5)
            assert not task.done()
        assert (await task)["state"] == "expired"
        assert bot.bridge.calls[hub.call_id()].state.ai == "active"


async def test_a_switch_that_comes_too_late_does_not_come_at_all(
    run_bot: RunBot, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handled, "__defaults__", (0.2,))
    async with run_bot() as bot:
        await switcher(bot).pause_processing_frames()
        answer = await hub.command("switch_model", {"layer": "llm", "to": "backup-llm"})
        assert (answer["state"], answer["kind"]) == ("failed", "timed_out")
        await switcher(bot).resume_processing_frames()
        # The order reaches the switcher now, after we said that it did not.
        await bot.say("Hello, this is Maria.")
        await hub.event("llm.response_started", service="primary-llm")
        assert switcher(bot).strategy.active_service.name == "primary-llm"


async def test_the_same_command_twice_has_one_effect(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot():
        args = {"text": "One moment, please.", "language": "en"}
        await hub.command("announce", args, command_id="c-1")
        before = len(hub.results)
        await hub.command("announce", args, command_id="c-1")
        await hub.until(lambda: len(hub.results) > before)
        assert hub.results[-1] == hub.final("c-1")
        await hub.command("pause_ai", command_id="c-2")
    said = [n for n in notes if n["bot"] == "tts_request" and n["text"] == args["text"]]
    assert len(said) == 1
    assert hub.states("c-1") == ["accepted", "applied", "applied"]


async def test_a_command_cut_off_in_the_middle_is_answered_when_it_comes_again(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot(on_transfer=transfer):
        frame = {
            "type": "command",
            "command_id": "c-1",
            "call": hub.call_id(),
            "name": "transfer",
            "args": {"handoff_id": "h-1", "to": "ana@example", "key": "k"},
            "expires_at": "2999-01-01T00:00:00.000Z",
        }
        await hub.send(frame)
        await hub.until(lambda: hub.states("c-1") == ["accepted"])
        await hub.cut()
        await hub.send(frame)
        await hub.until(lambda: hub.final("c-1") is not None)
        await hub.event("handoff.completed")
    assert hub.states("c-1")[0] == "accepted"
    assert hub.states("c-1")[-1] == "applied"
    assert set(hub.states("c-1")) == {"accepted", "applied"}
    assert [n["step"] for n in notes if n["bot"] == "telephony"] == ["ringing", "bridged"]
    assert hub.types().count("handoff.completed") == 1


async def test_a_turn_can_be_run_again_on_the_same_model(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        await bot.failed_turn("llm_503", "http_503")
        bot.faults.set("llm_503", False)
        answer = await hub.command("retry_turn")
        assert answer["read_back"] == {"retried_turn": True}
        await hub.event("transcript.final", role="agent", turn=2)
    assert [n["bot"] for n in notes if n["bot"].startswith("llm_")] == [
        "llm_request",
        "llm_error",
        "llm_request",
        "llm_answer",
    ]


async def test_an_answer_that_nobody_heard_is_said_again_by_the_other_voice(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        bot.faults.set("tts_silent", True)
        await bot.say("Hello, this is Maria.")
        silent = await hub.event("transcript.final", role="agent", turn=2)
        answer = await hub.command(
            "switch_model", {"layer": "tts", "to": "backup-tts", "retry_turn": True}
        )
        assert answer["read_back"] == {
            "layer": "tts",
            "active": "backup-tts",
            "retried_turn": True,
        }
    # The model had answered; it is not asked for a second answer.
    assert len([n for n in notes if n["bot"] == "llm_request"]) == 1
    again = [n["text"] for n in notes if n["bot"] == "tts_request" and n["service"] == "backup-tts"]
    assert again == [silent["data"]["pii.text"]]


async def test_tools_are_taken_away_and_given_back(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        answer = await hub.command("disable_tools", {"tools": ["track_order"]}, command_id="c-1")
        assert answer["read_back"] == {"enabled": ["open_refund"], "disabled": ["track_order"]}
        changed = await hub.event("tool.catalog_changed", cause="command")
        assert changed["causationid"] == "c-1"
        await bot.say("Where is my order?")
        said = await hub.event("transcript.final", role="agent", turn=2)
        assert "cannot look into the order system" in said["data"]["pii.text"]
        answer = await hub.command("disable_tools", {"tools": []})
        assert answer["read_back"] == {"enabled": [], "disabled": ["track_order", "open_refund"]}
        answer = await hub.command("enable_tools", {"tools": []})
        assert answer["read_back"] == {"enabled": ["track_order", "open_refund"], "disabled": []}
        assert not [n for n in notes if n["bot"] == "tool_call"]
        await bot.say("Where is my order?")
        await hub.event("tool.completed")
    assert [n["tool"] for n in notes if n["bot"] == "tool_result"] == ["track_order"]
    causes = [e["data"]["cause"] for e in hub.of("tool.catalog_changed")]
    assert causes == ["started", "command", "command", "command"]


async def test_an_announcement_is_heard_and_is_not_the_models_answer(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    text = "Sorry, something is slow here. I am on it."
    async with run_bot() as bot:
        await bot.failed_turn("llm_503", "http_503")
        answer = await hub.command("announce", {"text": text, "language": "en"})
        assert answer["read_back"] == {"spoken": True}
        assert hub.of("transcript.final", role="agent")[-1]["data"]["pii.text"] == text
        await hub.until(lambda: len(hub.of("speech.stopped", actor="agent")) == 2)
        context = bot.bridge.calls[hub.call_id()].inventory.context()
        assert context is not None
        assert text not in str(context.get_messages())
        # The turn that is still owed is run again after it.
        answer = await hub.command("switch_model", TO_BACKUP)
        assert answer["read_back"]["retried_turn"] is True
    assert len([n for n in notes if n["bot"] == "tts_request" and n["text"] == text]) == 1


async def test_an_announcement_that_makes_no_sound_has_failed(
    run_bot: RunBot, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    import holdfast_pipecat.commands.voice as voice

    monkeypatch.setattr(voice.say, "__defaults__", (None, 1.0))
    async with run_bot() as bot:
        bot.faults.set("tts_silent", True)
        answer = await hub.command("announce", {"text": "One moment.", "language": "en"})
        assert (answer["state"], answer["kind"]) == ("failed", "not_applied")


async def test_a_paused_ai_listens_and_does_not_answer(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot() as bot:
        await bot.say("Hello, this is Maria.")
        await hub.until(lambda: len(hub.of("speech.started", actor="agent")) == 2)
        answer = await hub.command("pause_ai")
        assert answer["read_back"] == {"ai": "paused"}
        # It was speaking, and has stopped.
        await hub.until(lambda: len(hub.of("speech.stopped", actor="agent")) == 2)
        assert hub.of("call.updated", ai="paused")
        await bot.say("Where is my order?")
        await hub.event("transcript.final", role="caller", turn=3)
        # A human speaks meanwhile through an announcement, and it is heard.
        announced = await hub.command("announce", {"text": "Ana here.", "language": "en"})
        assert announced["state"] == "applied"
        assert len([n for n in notes if n["bot"] == "llm_request"]) == 1
        answer = await hub.command("resume_ai")
        assert answer["read_back"] == {"ai": "active"}
        # The caller's question was withheld, and is answered now.
        await hub.event("tool.completed")
    assert hub.of("call.updated", ai="active")


async def test_a_transfer_keeps_the_ai_until_the_human_is_there(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    taken: list[TransferRequest] = []
    may_bridge = asyncio.Event()

    async def telephony(request: TransferRequest) -> None:
        taken.append(request)
        await may_bridge.wait()

    async with run_bot(on_transfer=telephony) as bot:
        await bot.say("I want a human.")
        await hub.until(lambda: len(hub.of("speech.stopped", actor="agent")) == 2)
        task = asyncio.create_task(
            hub.command(
                "transfer",
                {
                    "handoff_id": "h-1",
                    "to": "ana@example",
                    "key": "card-1",
                    "announcement": "I am getting Ana for you.",
                },
                command_id="c-1",
            )
        )
        await hub.event(
            "transcript.final", DEADLINE_SECS, **{"pii.text": "I am getting Ana for you."}
        )
        await hub.until(lambda: len(taken) > 0 or hub.final("c-1"))
        # The human is not there yet: the AI still answers.
        await bot.say("Thank you.")
        await hub.until(lambda: len([n for n in notes if n["bot"] == "llm_answer"]) == 2)
        assert hub.states("c-1") == ["accepted"]
        may_bridge.set()
        answer = await task
        assert answer["read_back"] == {"bridged": True, "to": "ana@example"}
        await hub.event("handoff.completed", handoff_id="h-1", to="ana@example")
        await bot.say("Hello Ana.")
        await hub.event("transcript.final", DEADLINE_SECS, **{"pii.text": "Hello Ana."})
        # The call lives on with the human, and the AI holds its tongue.
        assert not hub.of("call.ended")
        assert bot.bridge.calls[hub.call_id()].state.ai == "paused"
    assert taken[0].key == "card-1"
    assert any("I want a human." in str(message) for message in taken[0].messages)
    assert len([n for n in notes if n["bot"] == "llm_request"]) == 2
    assert hub.of("handoff.completed")[0]["causationid"] == "c-1"


async def test_a_human_who_does_not_answer_leaves_the_ai_in_charge(
    run_bot: RunBot, hub: FakeHub, notes: Notes
) -> None:
    async with run_bot(on_transfer=transfer) as bot:
        answer = await hub.command(
            "transfer", {"handoff_id": "h-1", "to": "nobody@example", "key": ""}
        )
        assert (answer["state"], answer["kind"]) == ("failed", "platform_error")
        assert answer["message"] == "nobody@example did not answer"
        failed = await hub.event("handoff.failed")
        assert failed["data"] == {"handoff_id": "h-1", "reason": "no_answer"}
        await bot.say("Hello? Are you there?")
        await hub.event("transcript.final", role="agent", turn=2)
    assert not hub.of("handoff.completed")


async def test_capabilities_say_what_cannot_be_done_and_why(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot():
        pass
    capabilities = {c["name"]: c for c in hub.of("call.started")[0]["data"]["capabilities"]}
    assert capabilities["switch_model"] == {
        "name": "switch_model",
        "available": True,
        "layers": ["llm", "tts"],
    }
    assert capabilities["transfer"]["available"] is False
    assert "on_transfer" in capabilities["transfer"]["reason"]
    hello = {c["name"]: c for c in hub.hellos[0]["capabilities"]}
    assert list(hello) == list(capabilities)
    assert hello["transfer"]["available"] is False
