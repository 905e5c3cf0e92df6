"""The one observer that we add to a pipeline.

Pipecat gives every observer a queue and a task of its own, so two observers see the same frames in
the same order but not at the same time. To keep one order over all facts of a call, the stock
observers run inside this one: their event handlers and ours start as tasks in the order of the
frames that caused them, and asyncio starts tasks first in, first out.
"""

from typing import Any, Final

from pipecat.frames.frames import (
    BotSpeakingFrame,
    ErrorFrame,
    Frame,
    HeartbeatFrame,
    InputAudioRawFrame,
    InputImageRawFrame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    TTSAudioRawFrame,
    UserAudioRawFrame,
    UserImageRawFrame,
    UserSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.observers.error_observer import ErrorEvent, ErrorObserver
from pipecat.observers.function_call_observer import FunctionCallEvent, FunctionCallObserver
from pipecat.observers.service_metrics_observer import (
    ServiceLatencyRecord,
    ServiceMetricsObserver,
    ServiceUsageRecord,
)
from pipecat.observers.speaking_observer import SpeakingObserver, SpeechEvent
from pipecat.observers.turn_tracking_observer import TurnTrackingObserver
from pipecat.observers.user_bot_latency_observer import UserBotLatencyObserver
from pipecat.processors.frame_processor import FrameDirection
from pipecat.utils.asyncio.task_manager import BaseTaskManager

from holdfast_pipecat.call import Call
from holdfast_pipecat.guard import guarded_async, report
from holdfast_pipecat.observe.frames import FrameMapper
from holdfast_pipecat.observe.service import ServiceMapper
from holdfast_pipecat.observe.speech import SpeechMapper
from holdfast_pipecat.observe.tools import ToolMapper
from holdfast_pipecat.observe.turns import TurnMapper

#: Media and keep-alives: up to a hundred a second, and none of them is a fact.
NOISE: Final[frozenset[type[Frame]]] = frozenset(
    {
        InputAudioRawFrame,
        UserAudioRawFrame,
        InputImageRawFrame,
        UserImageRawFrame,
        OutputAudioRawFrame,
        SpeechOutputAudioRawFrame,
        OutputImageRawFrame,
        UserSpeakingFrame,
        BotSpeakingFrame,
        HeartbeatFrame,
    }
)


class CallObserver(BaseObserver):
    """Watches one call. It reads each frame once, where it is first pushed."""

    def __init__(self, call: Call, **kwargs: Any) -> None:
        super().__init__(observe_every_push=False, name=f"Holdfast::{call.id}", **kwargs)
        now = call.bridge.clock
        self._call = call
        self._speech = SpeechMapper(call)
        self._turns = TurnMapper(call)
        self._tools = ToolMapper(call)
        self._services = ServiceMapper(call)
        self._frames = FrameMapper(call, self._turns)
        self._seen_audio_contexts: set[str | None] = set()
        speaking = SpeakingObserver(time_source=now)
        speaking.add_event_handler("on_speech_event", self._on_speech)
        turns = TurnTrackingObserver()
        turns.add_event_handler("on_turn_started", self._on_turn_started)
        turns.add_event_handler("on_turn_ended", self._on_turn_ended)
        latency = UserBotLatencyObserver(time_source=now)
        latency.add_event_handler("on_latency_measured", self._on_latency_measured)
        tools = FunctionCallObserver(include_results=True, time_source=now)
        tools.add_event_handler("on_function_call_event", self._on_tool)
        metrics = ServiceMetricsObserver(time_source=now)
        metrics.add_event_handler("on_service_latency", self._on_service_latency)
        metrics.add_event_handler("on_service_usage", self._on_service_usage)
        errors = ErrorObserver(time_source=now)
        errors.add_event_handler("on_error", self._on_error)
        self._stock: list[BaseObserver] = [speaking, turns, latency, tools, metrics, errors]
        self._register_event_handler("on_fact")
        self.add_event_handler("on_fact", self._on_fact)

    async def setup(self, task_manager: BaseTaskManager) -> None:
        """Set the stock observers up with us."""
        await super().setup(task_manager)
        for observer in self._stock:
            await observer.setup(task_manager)

    async def cleanup(self) -> None:
        """Clean the stock observers up with us."""
        for observer in self._stock:
            try:
                await observer.cleanup()
            except Exception as error:
                report("cleanup of a stock observer", error)
        await super().cleanup()  # type: ignore[no-untyped-call]

    async def on_pipeline_started(self) -> None:
        """Forward the start of the pipeline."""
        for observer in self._stock:
            await observer.on_pipeline_started()

    async def on_push_frame(self, data: FramePushed) -> None:
        """Read one frame. An exception from here would end this observer, so none leaves it."""
        frame = data.frame
        if type(frame) in NOISE:
            return
        try:
            if isinstance(frame, TTSAudioRawFrame):
                # Only the first audio of a context is a fact.
                if frame.context_id in self._seen_audio_contexts:
                    return
                if len(self._seen_audio_contexts) > 4_096:
                    self._seen_audio_contexts.clear()
                self._seen_audio_contexts.add(frame.context_id)
            if isinstance(frame, ErrorFrame):
                self._services.expect_error(frame)
            for observer in self._stock:
                await observer.on_push_frame(data)
            if frame.broadcast_sibling_id is None or data.direction == FrameDirection.DOWNSTREAM:
                await self._call_event_handler("on_fact", data)
        except Exception as error:
            report(f"reading {type(frame).__name__}", error)

    @guarded_async
    async def _on_fact(self, _: BaseObserver, data: FramePushed) -> None:
        self._frames.on_frame(data)

    @guarded_async
    async def _on_speech(self, _: BaseObserver, event: SpeechEvent) -> None:
        self._turns.someone_speaks()
        self._speech.on_speech(event)

    @guarded_async
    async def _on_turn_started(self, _: BaseObserver, turn: int) -> None:
        self._turns.on_started(turn)

    @guarded_async
    async def _on_turn_ended(
        self, _: BaseObserver, turn: int, duration: float, interrupted: bool
    ) -> None:
        self._turns.on_ended(turn, duration, interrupted)

    @guarded_async
    async def _on_latency_measured(self, _: BaseObserver, seconds: float) -> None:
        self._turns.on_latency(seconds)

    @guarded_async
    async def _on_tool(self, _: BaseObserver, event: FunctionCallEvent) -> None:
        self._tools.on_event(event)

    @guarded_async
    async def _on_service_latency(self, _: BaseObserver, record: ServiceLatencyRecord) -> None:
        self._services.on_latency(record)

    @guarded_async
    async def _on_service_usage(self, _: BaseObserver, record: ServiceUsageRecord) -> None:
        self._services.on_usage(record)

    @guarded_async
    async def _on_error(self, _: BaseObserver, event: ErrorEvent) -> None:
        self._services.on_error(event)
