"""The few ways in which a command touches a running pipeline."""

import asyncio
from typing import Final

from pipecat.frames.frames import Frame, InterruptionFrame
from pipecat.processors.frame_processor import FrameProcessor

from holdfast_pipecat.call import Call

#: Seconds until a processor has handled one frame of ours. It takes a millisecond in a pipeline
#: that works; two seconds is a processor that is stuck.
HANDLED_SECS: Final = 2.0


async def handled(
    call: Call, processor: FrameProcessor, frame: Frame, secs: float = HANDLED_SECS
) -> bool:
    """Give a processor one frame and wait until it has handled it."""
    done = asyncio.Event()

    def on_after(_: FrameProcessor, seen: Frame) -> None:
        if seen is frame:
            done.set()

    call.own_frames.append(frame.id)
    processor.add_event_handler("on_after_process_frame", on_after)
    try:
        await processor.queue_frame(frame)
        await asyncio.wait_for(done.wait(), secs)
    except TimeoutError:
        return False
    finally:
        processor.remove_event_handler("on_after_process_frame", on_after)
    return True


async def interrupt(call: Call) -> bool:
    """Stop what the AI is doing now, and wait until the active model has heard of it.

    Without this a model that hangs could still answer after it was switched away from: a switcher
    filters what goes into an inactive model, not what comes out of it.
    """
    model = call.inventory.active("llm")
    heard = asyncio.Event()

    def on_after(_: FrameProcessor, seen: Frame) -> None:
        if isinstance(seen, InterruptionFrame):
            heard.set()

    if model is None:
        return False
    model.add_event_handler("on_after_process_frame", on_after)
    try:
        await call.worker.pipeline.queue_frame(InterruptionFrame())
        await asyncio.wait_for(heard.wait(), HANDLED_SECS)
    except TimeoutError:
        return False
    finally:
        model.remove_event_handler("on_after_process_frame", on_after)
    return True
