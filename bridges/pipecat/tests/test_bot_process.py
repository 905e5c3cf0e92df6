"""The unmodified example bot as a process of its own, attached through PIPECAT_SETUP_FILES."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fake_hub import DEADLINE_SECS, TOKEN, FakeHub

HERE = Path(__file__).parent.parent
BOT = HERE / "examples" / "offline_bot.py"
SETUP_FILE = HERE / "holdfast_pipecat" / "setup_file.py"
TELEPHONY = HERE / "examples" / "offline_telephony.py"


class BotProcess:
    """The bot, its stdin and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[dict[str, Any]] = []

    @classmethod
    async def start(cls, *arguments: str, **env: str) -> "BotProcess":
        """Start it with an environment of its own."""
        bare = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST", "PIPECAT"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(BOT),
            *arguments,
            env={**bare, **env},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def order(self, line: str) -> None:
        """Write one line to its stdin."""
        assert self._process.stdin is not None, "it was opened as a pipe"
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def says(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read until it says something."""
        assert self._process.stdout is not None, "it was opened as a pipe"
        async with asyncio.timeout(DEADLINE_SECS):
            while True:
                line = await self._process.stdout.readline()
                assert line, f"the bot ended without saying it; it said {self.lines}"
                self.lines.append(_line(line))
                if holds(self.lines[-1]):
                    return self.lines[-1]

    async def end(self) -> str:
        """Wait for its end and return what it logged."""
        async with asyncio.timeout(DEADLINE_SECS):
            out, log = await self._process.communicate()
        self.lines += [_line(line) for line in out.splitlines()]
        assert self._process.returncode == 0, log.decode()
        return log.decode()


def _line(text: bytes) -> dict[str, Any]:
    """Read one line of its journal; when it was written is no matter here."""
    line: dict[str, Any] = json.loads(text)
    del line["at"]
    return line


async def test_an_unmodified_bot_is_seen_and_helped(hub: FakeHub) -> None:
    bot = await BotProcess.start(
        "--quiet-caller",
        "--fault",
        "llm_503",
        PIPECAT_SETUP_FILES=str(SETUP_FILE),
        HOLDFAST_HUB=hub.url,
        HOLDFAST_TOKEN=TOKEN,
        HOLDFAST_QUEUE="orders",
        HOLDFAST_ON_TRANSFER=f"{TELEPHONY}:transfer",
    )
    await bot.says(lambda line: line == {"bot": "agent_speaking", "on": False})
    assert hub.of("infra.worker_registered")
    assert hub.of("call.started")[0]["data"]["queue"] == "orders"
    await bot.order('caller say "Where is my order?"')
    await hub.event("service.error", DEADLINE_SECS, **{"error.type": "http_503"})
    answer = await hub.command(
        "switch_model", {"layer": "llm", "to": "backup-llm", "retry_turn": True}
    )
    assert answer["state"] == "applied"
    await bot.says(lambda line: line["bot"] == "llm_answer")
    requests = [line["service"] for line in bot.lines if line["bot"] == "llm_request"]
    assert requests == ["primary-llm", "backup-llm", "backup-llm"]
    answer = await hub.command("transfer", {"handoff_id": "h-1", "to": "ana", "key": "k"})
    assert answer["read_back"] == {"bridged": True, "to": "ana"}
    await bot.order("caller hangup")
    log = await bot.end()
    assert {"bot": "telephony", "step": "bridged"}.items() <= [
        line for line in bot.lines if line["bot"] == "telephony"
    ][-1].items()
    ended = await hub.event("call.ended")
    assert ended["data"]["ended_by"] == "caller"
    assert "failed with" not in log


async def test_without_a_hub_the_bot_notices_nothing(tmp_path: Path) -> None:
    bot = await BotProcess.start(
        "--quiet-caller",
        PIPECAT_SETUP_FILES=str(SETUP_FILE),
        HOLDFAST_CONNECTION=str(tmp_path / "none.json"),
    )
    await bot.says(lambda line: line == {"bot": "agent_speaking", "on": False})
    await bot.order('caller say "Hello, this is Maria."')
    await bot.says(lambda line: line["bot"] == "llm_answer")
    await bot.order("end")
    log = await bot.end()
    assert bot.lines[-1] == {"bot": "ended"}
    assert log.count("holdfast: not connected to a hub, doing nothing") == 1


async def test_a_hub_that_is_away_delays_nothing() -> None:
    bot = await BotProcess.start(
        "--quiet-caller",
        PIPECAT_SETUP_FILES=str(SETUP_FILE),
        HOLDFAST_HUB="ws://127.0.0.1:1/v1/bridge",
    )
    await bot.says(lambda line: line == {"bot": "agent_speaking", "on": False})
    await bot.order('caller say "Hello, this is Maria."')
    await bot.says(lambda line: line["bot"] == "llm_answer")
    await bot.order("end")
    await bot.end()
    assert bot.lines[-1] == {"bot": "ended"}


async def test_a_hub_that_hangs_delays_nothing(hub: FakeHub) -> None:
    hub.answers_hello = False
    bot = await BotProcess.start(
        "--quiet-caller", PIPECAT_SETUP_FILES=str(SETUP_FILE), HOLDFAST_HUB=hub.url
    )
    await bot.says(lambda line: line == {"bot": "agent_speaking", "on": False})
    await bot.order("quit")
    await bot.end()
    assert hub.hellos
    assert bot.lines[-1] == {"bot": "ended"}


async def test_a_wrong_setting_of_ours_does_not_reach_the_bot(hub: FakeHub) -> None:
    bot = await BotProcess.start(
        "--quiet-caller",
        PIPECAT_SETUP_FILES=str(SETUP_FILE),
        HOLDFAST_HUB=hub.url,
        HOLDFAST_TOKEN=TOKEN,
        HOLDFAST_ON_TRANSFER="no_such_module:hook",
    )
    await bot.says(lambda line: line == {"bot": "agent_speaking", "on": False})
    await bot.order("quit")
    log = await bot.end()
    assert "holdfast: loading HOLDFAST_ON_TRANSFER failed with" in log
    # The call is seen all the same; only the transfer cannot be done.
    capabilities = (await hub.event("call.started"))["data"]["capabilities"]
    assert [c["name"] for c in capabilities if not c["available"]] == ["transfer"]
