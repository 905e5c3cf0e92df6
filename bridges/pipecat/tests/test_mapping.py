"""What a supervisor sees of a real Pipecat pipeline."""

import json

import pytest
from conftest import RunBot
from fake_hub import DEADLINE_SECS, FakeHub
from pipecat.frames.frames import (
    LLMSetToolsFrame,
    LLMUpdateSettingsFrame,
    ManuallySwitchServiceFrame,
    TTSSpeakFrame,
    UserBackchannelFrame,
)
from pipecat.services.settings import LLMSettings
from pipecat.utils.types import NOT_GIVEN

from holdfast_pipecat import CallInfo


async def test_a_call_is_told_from_its_start_to_its_end(run_bot: RunBot, hub: FakeHub) -> None:
    info = CallInfo(agent="iris", queue="billing", flow="refunds", customer="Maria Gomez")
    async with run_bot(info=info):
        pass
    started = hub.of("call.started")[0]["data"]
    assert started["direction"] == "inbound"
    assert started["agent"] == "iris"
    assert started["queue"] == "billing"
    assert started["language"] == "en"
    assert started["flow"] == "refunds"
    assert started["pii.customer"] == "Maria Gomez"
    assert "resumed" not in started
    ended = await hub.event("call.ended")
    assert ended["data"] == {"reason": "the test is over", "ended_by": "platform"}
    assert hub.types().count("call.started") == 1
    assert hub.types().count("call.ended") == 1


async def test_services_are_found_by_walking_the_pipeline(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot():
        pass
    services = {s["name"]: s for s in hub.of("call.started")[0]["data"]["services"]}
    assert list(services) == [
        "primary-stt",
        "primary-llm",
        "backup-llm",
        "primary-tts",
        "backup-tts",
    ]
    assert services["primary-llm"] == {
        "layer": "llm",
        "name": "primary-llm",
        "gen_ai.provider.name": "Northwind",
        "gen_ai.request.model": "large-4",
        "region": "",
        "active": True,
        "usable": True,
        "rung": "primary",
    }
    assert services["backup-llm"]["gen_ai.provider.name"] == "Contoso"
    assert services["backup-llm"]["active"] is False
    assert services["backup-llm"]["rung"] == "backup"
    # The same vendor and model in another place is a retry, not a backup.
    assert services["backup-tts"]["rung"] == "retry"
    assert services["primary-stt"]["layer"] == "asr"


async def test_a_turn_is_told_once_in_each_of_its_parts(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        before = len(hub.events)
        await bot.say("Hello, this is Maria.")
        await hub.event("transcript.final", role="agent", turn=2)
        await hub.until(lambda: len(hub.of("speech.stopped", actor="agent")) == 2)
    turn = hub.events[before:]
    types = [e["type"].removeprefix("holdfast.") for e in turn]
    # Speaking frames are broadcast in both directions; each is one fact.
    for once in (
        "turn.started",
        "turn.latency",
        "llm.response_started",
        "llm.response_ended",
        "tts.started",
        "tts.stopped",
        "transcript.partial",
    ):
        assert types.count(once) == 1, once
    speech = [(e["type"], e["data"]["actor"]) for e in turn if ".speech." in e["type"]]
    assert speech == [
        ("holdfast.speech.started", "caller"),
        ("holdfast.speech.stopped", "caller"),
        ("holdfast.speech.started", "agent"),
        ("holdfast.speech.stopped", "agent"),
    ]
    caller, agent = (e["data"] for e in turn if e["type"] == "holdfast.transcript.final")
    assert caller == {
        "role": "caller",
        "pii.text": "Hello, this is Maria.",
        "language": "en",
        "turn": 2,
    }
    assert agent["role"] == "agent"
    assert agent["pii.text"].startswith("Hello, this is Iris. I am an AI assistant.")
    assert "pii.unspoken" not in agent
    response = hub.of("llm.response_ended")[0]["data"]
    assert response == {
        "service": "primary-llm",
        "chars": len(agent["pii.text"]),
        "tool_calls": 0,
    }
    latency = hub.of("turn.latency")[-1]["data"]
    assert 0.1 < latency["total_secs"] < 5.0
    assert latency["turn"] == 2


async def test_turn_1_is_told_when_somebody_speaks(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot():
        pass
    types = hub.types()
    # Pipecat starts turn 1 with the pipeline; here it starts with the greeting.
    assert types.index("turn.started") > types.index("participant.joined")
    assert types.index("turn.started") < types.index("speech.started")


async def test_a_tool_call_is_told_and_is_no_empty_answer(run_bot: RunBot, hub: FakeHub) -> None:
    info = CallInfo(writing_tools=frozenset({"open_refund"}))
    async with run_bot(info=info) as bot:
        await bot.say("I would like a refund please.")
        await hub.event("transcript.final", role="agent", turn=2)
    requested, started, completed = (
        hub.of(f"tool.{name}")[0]["data"] for name in ("requested", "started", "completed")
    )
    assert requested["gen_ai.tool.name"] == "open_refund"
    assert requested["pii.args"] == '{"charge":"8841"}'
    assert started["blocking"] is True
    assert started["writes"] is True
    assert completed["gen_ai.tool.call.id"] == requested["gen_ai.tool.call.id"]
    assert 0.1 < completed["duration_secs"] < 5.0
    assert completed["effect"] == "committed"
    assert json.loads(completed["pii.result"])["refund"] == "R-77"
    only_tools = hub.of("llm.response_ended")[0]["data"]
    assert (only_tools["chars"], only_tools["tool_calls"]) == (0, 1)
    states = [e["data"]["to"] for e in hub.of("agent.state_changed")]
    assert states[-4:] == ["thinking", "tools", "thinking", "speaking"] or states[-5:-1] == [
        "thinking",
        "tools",
        "thinking",
        "speaking",
    ]


async def test_metrics_of_nothing_are_dropped(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.say("Hello, this is Maria.")
        await hub.event("turn.latency")
        await hub.event("service.usage", service="primary-llm")
    latencies = hub.of("service.latency")
    # Pipecat begins with a 0.0 for every service.
    assert all(e["data"]["seconds"] > 0.0 for e in latencies)
    told = {(e["layer"], e["data"]["service"], e["data"]["metric"]) for e in latencies}
    assert ("llm", "primary-llm", "ttfb") in told
    assert ("tts", "primary-tts", "ttfb") in told
    assert ("asr", "primary-stt", "ttfb") in told
    usage = hub.of("service.usage", service="primary-llm")[0]
    assert usage["layer"] == "llm"
    assert usage["data"]["tokens"] > 0
    assert hub.of("service.usage", service="primary-tts")[0]["data"]["characters"] > 0


async def test_a_503_is_an_error_of_the_model_that_can_pass(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.failed_turn("llm_503", "http_503")
        await hub.event("llm.response_ended", service="primary-llm")
    error = hub.of("service.error")[0]
    assert error["layer"] == "llm"
    assert error["severitynumber"] == 17
    assert error["data"] == {
        "service": "primary-llm",
        "error.type": "http_503",
        "message": "Error during completion: 503 upstream unavailable",
        "permanent": False,
        "recoverable": True,
        "usable": True,
    }
    empty = hub.of("llm.response_ended")[0]["data"]
    assert (empty["chars"], empty["tool_calls"]) == (0, 0)
    # Pipecat's own failover does not act on it.
    assert not hub.of("service.switched")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("llm_429", "rate_limited"),
        ("llm_refused", "connection_refused"),
        ("llm_timeout", "timeout"),
    ],
)
async def test_the_kind_of_an_error_is_exact(
    run_bot: RunBot, hub: FakeHub, fault: str, kind: str
) -> None:
    async with run_bot() as bot:
        await bot.failed_turn(fault, kind)
    assert hub.of("service.error")[0]["data"]["permanent"] is False


async def test_pipecats_own_failover_is_told_with_its_cause(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.failed_turn("llm_401", "http_401")
        await hub.event("service.switched")
        await hub.event("service.availability_changed")
    switched = hub.of("service.switched")
    assert [e["data"] for e in switched] == [
        {"from": "primary-llm", "to": "backup-llm", "cause": "failover"}
    ]
    assert switched[0]["layer"] == "llm"
    errors = hub.of("service.error")
    assert len(errors) == 1
    assert errors[0]["data"]["permanent"] is True
    assert errors[0]["data"]["usable"] is False
    gone = hub.of("service.availability_changed")[0]
    assert gone["data"]["service"] == "primary-llm"
    assert gone["data"]["available"] is False


async def test_the_last_model_that_fails_for_good_is_told_once(
    run_bot: RunBot, hub: FakeHub
) -> None:
    async with run_bot() as bot:
        bot.faults.set("llm_401", True, "backup-llm")
        await bot.failed_turn("llm_401", "http_401")
        await hub.event("service.switched")
        await bot.say("Hello? Are you there?")
        await hub.event("service.error", service="backup-llm")
        await hub.event("service.availability_changed", service="backup-llm", available=False)
    # The switcher reports the same error under its own name, which no supervisor knows.
    assert [e["data"]["service"] for e in hub.of("service.error")] == ["primary-llm", "backup-llm"]


async def test_a_failed_tool_is_an_error_of_the_tool(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        bot.faults.set("tool_failure", True)
        await bot.say("Where is my order?")
        await hub.event("tool.failed")
        await hub.event("service.error")
    failed = hub.of("tool.failed")[0]
    assert failed["layer"] == "tools"
    assert failed["data"]["gen_ai.tool.name"] == "track_order"
    assert failed["data"]["error.type"] == "application"
    assert "the order system answered 500" in failed["data"]["message"]
    # Pipecat reports it under the name of the model.
    error = hub.of("service.error")[0]
    assert error["layer"] == "tools"
    assert error["data"]["service"] == "track_order"
    assert error["data"]["error.type"] == "application"
    assert error["data"]["usable"] is True
    assert "primary-llm" not in [e["data"]["service"] for e in hub.of("service.error")]


async def test_a_silent_voice_is_no_heard_answer(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        bot.faults.set("tts_silent", True)
        await bot.say("Hello, this is Maria.")
        said = await hub.event("transcript.final", role="agent", turn=2)
        await hub.event("service.error", DEADLINE_SECS, **{"error.type": "no_audio"})
    # Pipecat's own context holds it as said.
    assert said["data"]["pii.unspoken"] == said["data"]["pii.text"]
    assert hub.of("service.error")[0]["layer"] == "tts"
    assert not hub.of("speech.started", actor="agent")[1:]


async def test_what_an_interruption_cut_off_is_told(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.say("Hello, this is Maria.")
        await hub.until(lambda: len(hub.of("speech.started", actor="agent")) == 2)
        await bot.say("Wait.")
        interrupted = await hub.event("transcript.final", role="agent", interrupted=True)
    data = interrupted["data"]
    assert data["pii.text"].startswith("Hello, this is Iris.")
    assert data["pii.text"].endswith(data["pii.unspoken"])
    assert 0 < len(data["pii.unspoken"]) < len(data["pii.text"])
    assert hub.of("speech.interrupted")[0]["data"] == {"by": "caller"}
    assert hub.of("turn.ended", interrupted=True)


async def test_an_answer_of_the_application_is_told_too(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.bot.worker.queue_frame(TTSSpeakFrame("One moment, please."))
        said = await hub.event(
            "transcript.final", DEADLINE_SECS, **{"pii.text": "One moment, please."}
        )
    assert said["data"]["role"] == "agent"


async def test_the_applications_own_acts_are_told(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        worker = bot.bot.worker
        await worker.queue_frame(LLMSetToolsFrame(tools=NOT_GIVEN))
        changed = await hub.event("tool.catalog_changed", cause="application")
        delta = LLMSettings(temperature=0.2, system_instruction="x" * 500)
        await worker.queue_frame(LLMUpdateSettingsFrame(delta=delta))
        settings = await hub.event("service.settings_changed")
        call = bot.bridge.calls[hub.call_id()]
        backup = call.inventory.find("llm", "backup-llm")
        primary = call.inventory.find("llm", "primary-llm")
        assert backup is not None
        assert primary is not None
        await worker.queue_frame(ManuallySwitchServiceFrame(service=backup))
        await hub.event("service.switched", to="backup-llm", cause="manual")
        await worker.queue_frame(ManuallySwitchServiceFrame(service=primary))
        await hub.event("service.switched", to="primary-llm", cause="recovery")
        await worker.queue_frame(UserBackchannelFrame("mhm", "caller", "now"))
        await hub.event("bridge.heartbeat", unmapped=1)
    assert changed["data"]["enabled"] == []
    assert changed["data"]["disabled"] == ["track_order", "open_refund"]
    assert settings["data"] == {
        "service": "primary-llm",
        "changed": {"temperature": 0.2, "system_instruction": "changed"},
    }
    beat = hub.of("bridge.heartbeat")[-1]["data"]
    assert beat["unmapped_kinds"] == {"UserBackchannelFrame": 1}
    assert beat["live_calls"] == 1


async def test_a_caller_who_hangs_up_has_ended_the_call(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot() as bot:
        await bot.bot.line.hang_up()
        ended = await hub.event("call.ended")
    assert ended["data"]["ended_by"] == "caller"
    assert hub.of("participant.joined")[0]["data"]["kind"] == "caller"
    assert hub.of("participant.left")[0]["data"]["kind"] == "caller"
    assert hub.of("transport.disconnected")[0]["layer"] == "network"


async def test_every_event_keeps_the_rules_of_the_envelope(run_bot: RunBot, hub: FakeHub) -> None:
    async with run_bot(info=CallInfo(id="call 7/a")) as bot:
        await bot.say("Where is my order?")
        await hub.event("transcript.final", role="agent", turn=2)
    hello = hub.hellos[0]
    assert [int(e["sequence"]) for e in hub.events] == list(range(1, len(hub.events) + 1))
    assert len({e["id"] for e in hub.events}) == len(hub.events)
    for event in hub.events:
        assert event["specversion"] == "1.0"
        assert event["source"] == hello["source"] == "//bridges/pipecat/bot-test"
        assert event["epoch"] == hello["epoch"]
        assert len(event["sequence"]) == 20
        assert event["subject"] in ("*", "call-7-a")
        assert event["time"].endswith("Z")
        assert len(event["time"]) == len("2026-11-24T10:00:00.120Z")
        if event["type"].startswith("holdfast.service."):
            assert event["layer"] in ("asr", "llm", "tts", "tools")
