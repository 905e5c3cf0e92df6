"""A Pipecat bot that runs offline, with a scripted caller and faults to switch on.

It is an ordinary bot: it knows nothing of Holdfast, which attaches through PIPECAT_SETUP_FILES.

    python offline_bot.py [--forever] [--quiet-caller] [--fault llm_503[=SERVICE]]...

While it runs, it reads one command a line from stdin:

    fault llm_503 on [SERVICE]     begin a fault (off: end it); default service: the primary
    caller say "Where is my order" say a line now
    caller pause / caller resume   stop and go on with the scripted dialogue
    caller hangup                  the caller hangs up
    end                            the agent ends the call
    quit                           stop at once

and it says on stdout, as JSON lines, what really happened, such as
`{"bot":"llm_request","service":"backup-llm","messages":4}`.
"""

import argparse
import asyncio
import shlex
import sys
import threading
from contextlib import suppress

from offline_journal import note
from offline_line import Caller, Line
from offline_services import (
    ContosoLLMService,
    Faults,
    NorthwindLLMService,
    ScriptedSTTService,
    ScriptedTTSService,
    tools,
)
from pipecat.frames.frames import EndFrame, Frame, TTSSpeakFrame
from pipecat.pipeline.llm_switcher import LLMSwitcher
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.service_switcher import (
    ServiceSwitcher,
    ServiceSwitcherStrategyFailover,
    ServiceSwitcherStrategyManual,
)
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

GREETING = "Hello, this is Iris from Example Store. I am an AI assistant. How can I help?"


class Bot:
    """The pipeline and its line."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.line = Line()
        context = LLMContext(
            messages=[{"role": "system", "content": "You are Iris, of Example Store."}],
            tools=tools(faults),
        )
        strategies = UserTurnStrategies(
            start=[VADUserTurnStartStrategy()],
            stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.1)],
        )
        aggregators = LLMContextAggregatorPair(
            context, user_params=LLMUserAggregatorParams(user_turn_strategies=strategies)
        )
        llm = LLMSwitcher(
            llms=[
                NorthwindLLMService("primary-llm", "large-4", faults),
                ContosoLLMService("backup-llm", "mini-2", faults),
            ],
            strategy_type=ServiceSwitcherStrategyFailover,
        )
        tts: ServiceSwitcher[ServiceSwitcherStrategyManual] = ServiceSwitcher(
            services=[
                ScriptedTTSService("primary-tts", faults),
                ScriptedTTSService("backup-tts", faults),
            ]
        )
        pipeline = Pipeline(
            [
                self.line.input(),
                ScriptedSTTService(),
                aggregators.user(),
                llm,
                tts,
                self.line.output(),
                aggregators.assistant(),
            ]
        )
        self.worker = PipelineWorker(
            pipeline,
            params=PipelineParams(
                enable_metrics=True,
                enable_usage_metrics=True,
                enable_heartbeats=True,
                audio_in_sample_rate=16_000,
                audio_out_sample_rate=16_000,
            ),
            enable_rtvi=False,
            idle_timeout_secs=None,
        )

        self.line.add_event_handler("on_client_connected", self._on_connected)
        self.line.add_event_handler("on_client_disconnected", self._on_disconnected)

    async def _on_connected(self, _: Line, __: str) -> None:
        await self.worker.queue_frame(TTSSpeakFrame(GREETING))

    async def _on_disconnected(self, _: Line, __: str) -> None:
        await self.worker.cancel(reason="caller hung up")


async def obey(bot: Bot, caller: Caller, command: str) -> None:
    """Carry out one line from stdin."""
    match shlex.split(command):
        case ["fault", name, "on" | "off" as on, *target]:
            bot.faults.set(name, on == "on", target[0] if target else None)
        case ["caller", "say", text]:
            await bot.line.input().say(text)
        case ["caller", "pause"]:
            caller.paused.clear()
        case ["caller", "resume"]:
            caller.paused.set()
        case ["caller", "hangup"]:
            await bot.line.hang_up()
        case ["end"]:
            await bot.worker.queue_frame(EndFrame(reason="the agent ended the call"))
        case ["quit"]:
            await bot.worker.cancel(reason="quit")
        case []:
            pass
        case _:
            note("error", message=f"unknown command: {command}")


async def obey_stdin(bot: Bot, caller: Caller) -> None:
    """Read commands until stdin ends."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        with suppress(RuntimeError):  # the loop is gone when the bot has ended
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    while True:
        line = await lines.get()
        try:
            await obey(bot, caller, line)
        except ValueError as error:
            note("error", message=f"{error}: {line}")


async def run(arguments: argparse.Namespace) -> None:
    """Run one call."""
    faults = Faults()
    bot = Bot(faults)
    for fault in arguments.fault:
        name, _, target = fault.partition("=")
        faults.set(name, True, target or None)
    caller = Caller(bot.line, forever=arguments.forever)
    started = asyncio.Event()

    async def on_started(_: PipelineWorker, __: Frame) -> None:
        started.set()

    bot.worker.add_event_handler("on_pipeline_started", on_started)

    async def call() -> None:
        await started.wait()
        note("ready")
        if arguments.quiet_caller:
            await bot.line.input().connect()
        else:
            await caller.run()

    tasks = [asyncio.create_task(call()), asyncio.create_task(obey_stdin(bot, caller))]
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(bot.worker)
    await runner.run()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    note("ended")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A Pipecat bot that runs offline")
    parser.add_argument("--forever", action="store_true", help="repeat the dialogue until quit")
    parser.add_argument("--quiet-caller", action="store_true", help="speak only as told on stdin")
    parser.add_argument("--fault", action="append", default=[], help="begin with a fault")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
