"""Scripted speech recognition, models, voice and tools: no network, no models, and real faults.

Audio of the caller is text in disguise: its bytes are `SAY:` and the words. The models answer by
rules. Every service fails the way a real one does, when told to by `Faults`.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from dataclasses import fields
from typing import Any, Final, TypeVar

from offline_journal import note
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    Frame,
    FunctionCallFromLLM,
    InterimTranscriptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.metrics.metrics import LLMTokenUsage
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import FunctionCallParams, LLMService
from pipecat.services.settings import LLMSettings, ServiceSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transcriptions.language import Language
from pipecat.utils.time import time_now_iso8601
from pipecat.utils.types import is_given

SPOKEN: Final = b"SAY:"
SAMPLE_RATE: Final = 16_000
#: Seconds of sound for one character: a line of 60 characters is said in about 0.7 seconds.
SECS_PER_CHAR: Final = 0.012
#: Seconds from the end of the caller's audio to the final transcript.
HEAR_SECS: Final = 0.2
#: Seconds until the model's first word, and between words.
THINK_SECS: Final = 0.12
WORD_SECS: Final = 0.005
#: Seconds after which a provider that does not answer is given up.
PROVIDER_TIMEOUT_SECS: Final = 0.8

S = TypeVar("S", bound=ServiceSettings)


def complete(settings: S) -> S:
    """Fill what a settings object leaves open, as a service with no such settings does."""
    for field in fields(settings):
        if field.name != "extra" and not is_given(getattr(settings, field.name)):
            setattr(settings, field.name, None)
    return settings


class Faults:
    """What goes wrong now, by fault and service (or tool)."""

    LLM: Final = ("llm_503", "llm_429", "llm_401", "llm_timeout", "llm_refused", "llm_hang")
    TOOL: Final = ("tool_failure", "tool_hang")
    TTS: Final = ("tts_silent",)
    NAMES: Final = (*LLM, *TOOL, *TTS)

    def __init__(self) -> None:
        self._active: set[tuple[str, str]] = set()

    @classmethod
    def default_target(cls, fault: str) -> str:
        """Whom a fault hits when nobody is named."""
        if fault in cls.LLM:
            return "primary-llm"
        return "primary-tts" if fault in cls.TTS else "track_order"

    def set(self, fault: str, on: bool, target: str | None = None) -> None:
        """Begin or end a fault."""
        if fault not in self.NAMES:
            note("error", message=f"there is no fault {fault}; there is {', '.join(self.NAMES)}")
            return
        key = (fault, target or self.default_target(fault))
        if on:
            self._active.add(key)
        else:
            self._active.discard(key)
        note("fault", fault=fault, target=key[1], on=on)

    def hits(self, fault: str, target: str) -> bool:
        """Whether a fault hits somebody now."""
        return (fault, target) in self._active


class ProviderError(Exception):
    """An HTTP answer that is no success."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(f"{status_code} {message}")
        self.status_code = status_code


class ScriptedSTTService(STTService):
    """Hears what the caller's audio says."""

    def __init__(self) -> None:
        settings = complete(STTSettings(model="hear-1", language="en"))
        super().__init__(name="primary-stt", ttfs_p99_latency=0.3, settings=settings)

    def can_generate_metrics(self) -> bool:
        """It measures its latency."""
        return True

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Turn one stretch of audio into an interim and a final transcript."""
        if audio.startswith(SPOKEN):
            # A provider answers on its own time, while more audio goes in.
            self.create_task(self._hear(audio.removeprefix(SPOKEN).rstrip(b"\0").decode()))
        yield None

    async def _hear(self, text: str) -> None:
        half = text[: len(text) // 2].rsplit(" ", 1)[0]
        now = time_now_iso8601()
        await self.push_frame(InterimTranscriptionFrame(half, "caller", now, Language.EN))
        # The detector says that the caller stopped before the final transcript is there.
        await asyncio.sleep(HEAR_SECS)
        final = TranscriptionFrame(text, "caller", time_now_iso8601(), Language.EN)
        final.finalized = True
        await self.push_frame(final)


class ScriptedLLMService(LLMService[Any]):
    """Answers by rules, in a stream of words, and calls tools when they are offered."""

    def __init__(self, name: str, model: str, faults: Faults) -> None:
        super().__init__(name=name, settings=complete(LLMSettings(model=model)))
        self._faults = faults
        self._calls = 0

    def can_generate_metrics(self) -> bool:
        """It measures its latency."""
        return True

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answer a context the way Pipecat's own services do, with the same error paths."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        try:
            await self.push_frame(LLMFullResponseStartFrame())
            await self._answer(frame.context)
        except TimeoutError as error:
            note("llm_error", service=self.name, error="timeout")
            await self.push_error("LLM completion timeout", exception=error)
        except Exception as error:
            note("llm_error", service=self.name, error=str(error))
            await self.push_error(f"Error during completion: {error}", exception=error)
        finally:
            await self.push_frame(LLMFullResponseEndFrame())

    async def _answer(self, context: LLMContext) -> None:
        note("llm_request", service=self.name, messages=len(context.get_messages()))
        await self.start_ttfb_metrics()
        await self._provider()
        await asyncio.sleep(THINK_SECS)
        await self.stop_ttfb_metrics()
        tool = wanted_tool(context)
        if tool is not None:
            self._calls += 1
            name, arguments = tool
            note("tool_call", service=self.name, tool=name)
            call = FunctionCallFromLLM(name, f"{self.name}-{self._calls}", arguments, context)
            await self.run_function_calls([call])
            return
        text = answer_to(context)
        for word in re.findall(r"\S+\s*", text):
            await self._push_llm_text(word)
            await asyncio.sleep(WORD_SECS)
        note("llm_answer", service=self.name, chars=len(text))
        prompt = sum(len(str(message)) for message in context.get_messages()) // 4
        written = len(text) // 4
        await self.start_llm_usage_metrics(
            LLMTokenUsage(
                prompt_tokens=prompt, completion_tokens=written, total_tokens=prompt + written
            )
        )

    async def _provider(self) -> None:
        """Where a real service would ask its provider."""
        if self._faults.hits("llm_503", self.name):
            raise ProviderError(503, "upstream unavailable")
        if self._faults.hits("llm_429", self.name):
            raise ProviderError(429, "too many requests")
        if self._faults.hits("llm_401", self.name):
            raise ProviderError(401, "the key was rejected")
        if self._faults.hits("llm_refused", self.name):
            raise ConnectionRefusedError(111, "connection refused")
        if self._faults.hits("llm_timeout", self.name):
            async with asyncio.timeout(PROVIDER_TIMEOUT_SECS):
                await asyncio.Event().wait()
        if self._faults.hits("llm_hang", self.name):
            await asyncio.Event().wait()


class NorthwindLLMService(ScriptedLLMService):
    """The first vendor's model."""


class ContosoLLMService(ScriptedLLMService):
    """The second vendor's model."""


class ScriptedTTSService(TTSService):
    """Speaks silence of the right length, with a timestamp for every word."""

    def __init__(self, name: str, faults: Faults) -> None:
        super().__init__(
            name=name,
            push_text_frames=False,
            push_start_frame=True,
            push_stop_frames=True,
            stop_frame_timeout_s=0.6,
            sample_rate=SAMPLE_RATE,
            settings=complete(TTSSettings(model="speak-1", voice="iris", language="en")),
        )
        self._faults = faults
        # Word times count from the first sound of a turn, over all its sentences.
        self._context_id = ""
        self._said_secs = 0.0

    def can_generate_metrics(self) -> bool:
        """It measures its latency."""
        return True

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Speak one sentence."""
        note("tts_request", service=self.name, text=text)
        await self.start_tts_usage_metrics(text)
        if self._faults.hits("tts_silent", self.name):
            return
        await asyncio.sleep(0.04)
        if context_id != self._context_id:
            self._context_id, self._said_secs = context_id, 0.0
        words = [
            (match.group(), self._said_secs + match.start() * SECS_PER_CHAR)
            for match in re.finditer(r"\S+", text)
        ]
        self._said_secs += len(text) * SECS_PER_CHAR
        await self.add_word_timestamps(words, context_id)
        samples = int(len(text) * SECS_PER_CHAR * SAMPLE_RATE)
        yield TTSAudioRawFrame(b"\x01\x00" * samples, SAMPLE_RATE, 1, context_id=context_id)


def tools(faults: Faults) -> ToolsSchema:
    """The tools of the bot."""

    async def run(params: FunctionCallParams, result: dict[str, Any]) -> None:
        if faults.hits("tool_failure", params.function_name):
            raise RuntimeError("the order system answered 500")
        if faults.hits("tool_hang", params.function_name):
            await asyncio.Event().wait()
        await asyncio.sleep(0.15)
        note("tool_result", tool=params.function_name, result=result)
        await params.result_callback(result)

    async def track_order(params: FunctionCallParams) -> None:
        await run(params, {"order": params.arguments.get("order"), "status": "out for delivery"})

    async def open_refund(params: FunctionCallParams) -> None:
        await run(params, {"refund": "R-77", "amount": 84.2, "effect": "committed"})

    return ToolsSchema(
        standard_tools=[
            FunctionSchema(
                name="track_order",
                description="Where an order is",
                properties={"order": {"type": "string"}},
                required=["order"],
                handler=track_order,
            ),
            FunctionSchema(
                name="open_refund",
                description="Refund a charge",
                properties={"charge": {"type": "string"}},
                required=["charge"],
                handler=open_refund,
            ),
        ]
    )


def wanted_tool(context: LLMContext) -> tuple[str, dict[str, str]] | None:
    """The tool that the last line of the caller asks for, if it is offered."""
    last = context.get_messages()[-1]
    if not isinstance(last, dict) or last.get("role") != "user" or not is_given(context.tools):
        return None
    offered = {tool.name for tool in context.tools.standard_tools}
    text = str(last.get("content", "")).lower()
    if "order" in text and "track_order" in offered:
        return "track_order", {"order": "8841"}
    if "refund" in text and "open_refund" in offered:
        return "open_refund", {"charge": "8841"}
    return None


_ANSWERS: Final = (
    ("order", "I cannot look into the order system right now. I have noted order 8841 for you."),
    ("refund", "I cannot book the refund right now. I have written it down for a colleague."),
    ("human", "Of course. I am getting a colleague for you."),
    ("are you there", "Yes, I am here. Thank you for waiting."),
    ("thank", "You are welcome. Is there anything else?"),
    ("bye", "Goodbye, and thank you for calling."),
    ("hello", "Hello, this is Iris. I am an AI assistant. How can I help you today?"),
)


def answer_to(context: LLMContext) -> str:
    """The answer to the end of a conversation."""
    messages = context.get_messages()
    last = messages[-1] if messages else None
    if not isinstance(last, dict):
        return "I see."
    content = str(last.get("content", ""))
    if last.get("role") == "tool":
        return _answer_to_tool(content)
    for word, answer in _ANSWERS:
        if word in content.lower():
            return answer
    return "I understand. Could you tell me a little more about it?"


def _answer_to_tool(content: str) -> str:
    try:
        result = json.loads(content)
    except ValueError:
        result = None
    if isinstance(result, dict) and "status" in result:
        return f"I found your order. It is {result['status']} and should arrive today."
    if isinstance(result, dict) and "refund" in result:
        return "I have booked your refund of 84.20. You will see it within three days."
    return "I am sorry, that system does not answer. I have noted your question."
