"""Holds the AI back without ending the call.

Pipecat has no switch for "keep listening and transcribing, but do not answer": pausing a processor
piles frames up, muting the caller stops the transcript, and skipping speech still runs tools. So a
closed gate withholds exactly what makes the AI act: the request to the model, and text to speak
that is not ours. It does so by standing in front of `queue_frame` of the processor through which
work enters the model and the voice. Until somebody pauses the AI, nothing of the bot is touched.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from pipecat.frames.frames import Frame, LLMContextFrame, LLMTextFrame, TTSSpeakFrame
from pipecat.processors.frame_processor import FrameProcessor

from holdfast_pipecat.services import Inventory


class Gate:
    """Withholds turns of the AI while it is closed."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._installed = False
        self._allowed: set[int] = set()
        self.closed = False
        #: Whether a turn was asked for and withheld since the gate closed.
        self.withheld = False

    def close(self) -> None:
        """Hold the AI back from now on."""
        self._install()
        if not self.closed:
            self.withheld = False
        self.closed = True

    def open(self) -> None:
        """Let the AI act again."""
        self.closed = False
        self._allowed.clear()

    def allow(self, frame: Frame) -> None:
        """Let one frame of ours pass a closed gate."""
        if self.closed:
            self._allowed.add(frame.id)

    def _install(self) -> None:
        if self._installed:
            return
        self._installed = True
        for layer in ("llm", "tts"):
            entry = self._inventory.entry(layer)
            if entry is not None:
                self._stand_before(entry)

    def _stand_before(self, processor: FrameProcessor) -> None:
        queue_frame: Callable[..., Awaitable[None]] = processor.queue_frame

        async def gated(frame: Frame, *args: Any, **kwargs: Any) -> None:
            if self.closed and self._holds_back(frame):
                return
            await queue_frame(frame, *args, **kwargs)

        # An attribute of this one object: the class and every other pipeline stay as they are.
        processor.queue_frame = gated  # type: ignore[method-assign]

    def _holds_back(self, frame: Frame) -> bool:
        if isinstance(frame, LLMContextFrame):
            self.withheld = True
            return True
        return isinstance(frame, (TTSSpeakFrame, LLMTextFrame)) and frame.id not in self._allowed
