"""Says something to the caller, and holds the AI back."""

from typing import Any, Final

from pipecat.frames.frames import Frame, LLMRunFrame, TTSSpeakFrame, TTSStartedFrame
from pipecat.processors.frame_processor import FrameProcessor

from holdfast_pipecat.call import Call
from holdfast_pipecat.commands.order import Order
from holdfast_pipecat.commands.outcome import Applied, Failed, Kind, Rejected
from holdfast_pipecat.commands.pipeline import handled, interrupt
from holdfast_pipecat.observe.state import agent_rests

#: Seconds until an announcement is heard: what is being said may be said first.
ANNOUNCED_SECS: Final = 12.0

#: Seconds until an announcement has been said to its end.
SAID_SECS: Final = 30.0

#: Seconds until an interrupted agent is silent.
SILENT_SECS: Final = 2.0


async def announce(call: Call, order: Order) -> Applied:
    """Say a text to the caller; applied when its audio begins."""
    await say(call, order.text("text"), order.args.get("language"))
    return Applied({"spoken": True})


async def say(call: Call, text: str, language: object = None, secs: float = ANNOUNCED_SECS) -> None:
    """Say a text and wait until it begins to sound.

    It is not put into the model's context: a turn that is retried after an announcement must not
    find the announcement in place of its answer.
    """
    voice = call.inventory.entry("tts")
    if voice is None:
        raise Rejected(Kind.NOT_CAPABLE, "the pipeline has no text to speech service")
    played: set[str] = set()
    said_before = call.text.contexts_of(text)
    output = call.inventory.output

    def on_pushed(_: FrameProcessor, frame: Frame) -> None:
        # The transport passes this frame on when it has played everything before it.
        if isinstance(frame, TTSStartedFrame) and frame.context_id:
            played.add(frame.context_id)
            call.touch()

    frame = TTSSpeakFrame(text=text, append_to_context=False)
    call.gate.allow(frame)
    if output is not None:
        output.add_event_handler("on_before_push_frame", on_pushed)
    try:
        if not await handled(call, voice, frame):
            raise Failed(Kind.TIMED_OUT, "the voice did not take the announcement: it is stuck")

        def heard() -> bool:
            contexts = call.text.contexts_of(text) - said_before
            return any(
                call.text.is_audible(context) and (output is None or context in played)
                for context in contexts
            )

        if not await call.until(heard, secs):
            raise Failed(Kind.NOT_APPLIED, "the voice made no sound of it")
    finally:
        if output is not None:
            output.remove_event_handler("on_before_push_frame", on_pushed)
    for context in call.text.contexts_of(text) - said_before:
        call.text.forget(context)
    utterance: dict[str, Any] = {
        "role": "agent",
        "pii.text": text,
        "language": language if isinstance(language, str) else call.state.language,
    }
    if call.state.turn:
        utterance["turn"] = call.state.turn
    call.utter(utterance)


async def pause_ai(call: Call, order: Order) -> Applied:
    """Hold the AI back: no model is asked and nothing of its own is said, the call goes on."""
    await hold_back(call)
    return Applied({"ai": call.state.ai}, [])


async def hold_back(call: Call) -> None:
    """Close the gate and stop what the AI is saying."""
    call.gate.close()
    if call.state.agent_speaking or call.state.responding is not None:
        await interrupt(call)
    silent = await call.until(lambda: not call.state.agent_speaking, SILENT_SECS)
    if not silent:
        raise Failed(
            Kind.NOT_APPLIED,
            "the AI is held back from its next turn, but it has not stopped speaking yet",
        )
    _ai_is(call, "paused")


async def resume_ai(call: Call, _: Order) -> Applied:
    """Let the AI act again; if the caller spoke to it meanwhile, it answers now."""
    owed = call.gate.closed and call.gate.withheld
    call.gate.open()
    aggregator = call.inventory.user_aggregator
    if owed and aggregator is not None and not call.state.caller_speaking:
        messages = aggregator.context.get_messages()
        last = messages[-1] if messages else None
        if isinstance(last, dict) and last.get("role") == "user":
            await handled(call, aggregator, LLMRunFrame())
    _ai_is(call, "active")
    return Applied({"ai": call.state.ai})


def _ai_is(call: Call, ai: str) -> None:
    if call.state.ai != ai:
        call.state.ai = ai
        call.update(ai=ai)
    agent_rests(call)
