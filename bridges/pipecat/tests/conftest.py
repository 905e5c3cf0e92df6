"""A hub, a bridge and a running bot, in one event loop."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import offline_bot
import offline_line
import offline_services
import offline_telephony
import pytest
from fake_hub import DEADLINE_SECS, TOKEN, FakeHub
from loguru import logger
from offline_bot import Bot
from offline_services import Faults
from pipecat.workers.runner import WorkerRunner

import holdfast_pipecat.link
from holdfast_pipecat import CallInfo, TransferHook, attach
from holdfast_pipecat.bridge import Bridge
from holdfast_pipecat.buffer import EventBuffer
from holdfast_pipecat.config import HubAddress

logger.remove()
logger.add(sys.stderr, level="WARNING")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (offline_services, offline_line):
        monkeypatch.setattr(module, "SECS_PER_CHAR", 0.004)
    monkeypatch.setattr(offline_bot, "GREETING", "Hello, this is Iris.")
    monkeypatch.setattr(holdfast_pipecat.link, "BACKOFF_SECS_MIN", 0.02)
    monkeypatch.setattr(holdfast_pipecat.link, "BACKOFF_SECS_MAX", 0.05)


@pytest.fixture(autouse=True)
def notes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What really happened in the bot, instead of on stdout."""
    taken: list[dict[str, Any]] = []

    def note(what: str, **details: Any) -> None:
        taken.append({"bot": what, **details})

    for module in (offline_bot, offline_line, offline_services, offline_telephony):
        monkeypatch.setattr(module, "note", note)
    return taken


@pytest.fixture
async def hub() -> AsyncIterator[FakeHub]:
    """A hub that listens."""
    hub = await FakeHub().start()
    yield hub
    await hub.stop()


def make_bridge(hub: FakeHub, buffer: EventBuffer | None = None) -> Bridge:
    """A bridge that talks to a hub, not started."""
    return Bridge("bot-test", lambda: HubAddress(hub.url, TOKEN), buffer=buffer)


@dataclass
class Running:
    """A bot on a call that is being watched."""

    bot: Bot
    bridge: Bridge
    faults: Faults
    hub: FakeHub

    async def say(self, text: str) -> None:
        """The caller says something."""
        await self.bot.line.input().say(text)

    async def failed_turn(self, fault: str, error_type: str) -> None:
        """Have a turn of the primary model fail."""
        self.faults.set(fault, True)
        await self.say("Hello, this is Maria.")
        await self.hub.event("service.error", DEADLINE_SECS, **{"error.type": error_type})


RunBot = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def run_bot(hub: FakeHub) -> RunBot:
    """Run the offline bot with a bridge attached, for the time of a with block."""

    @asynccontextmanager
    async def run(
        *,
        info: CallInfo | None = None,
        on_transfer: TransferHook | None = None,
        prepare: Callable[[Bot], None] | None = None,
        bridge: Bridge | None = None,
    ) -> AsyncIterator[Running]:
        faults = Faults()
        bot = Bot(faults)
        if prepare is not None:
            prepare(bot)
        used = bridge or make_bridge(hub)
        used.start()
        attach(bot.worker, call=info or CallInfo(), on_transfer=on_transfer, bridge=used)
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(bot.worker)
        calls, greeted = hub.types().count("call.started"), len(hub.of("speech.stopped"))
        task = asyncio.create_task(runner.run())
        try:
            await hub.until(lambda: hub.types().count("call.started") > calls)
            await bot.line.input().connect()
            running = Running(bot, used, faults, hub)
            await hub.until(lambda: len(hub.of("speech.stopped")) > greeted)
            yield running
        finally:
            await bot.worker.cancel(reason="the test is over")
            await asyncio.wait_for(task, DEADLINE_SECS)
            if bridge is None:
                await used.stop()

    return run
