"""Moves a layer to another service, and runs the failed turn again.

"Unusable" is not what a service says of itself but what the platform reads back. It shows when

- the target cannot be marked usable: a switcher among the members has no usability of its own, and
  stays unusable while all of its services are;
- the switcher's strategy does not take orders, or takes another service;
- the target fails the retried turn for good (rejected credentials, unknown model): Pipecat then
  marks it unusable, and its failover strategy may already have moved on.

In each case the former service is put back, so that "rejected" means that nothing has changed.
"""

from typing import Any, Final

from pipecat.frames.frames import LLMRunFrame, ManuallySwitchServiceFrame
from pipecat.processors.frame_processor import FrameProcessor

from holdfast_pipecat.call import Call
from holdfast_pipecat.commands.order import Order
from holdfast_pipecat.commands.outcome import Applied, Failed, Kind, Refusal, Rejected
from holdfast_pipecat.commands.pipeline import handled, interrupt
from holdfast_pipecat.commands.voice import say
from holdfast_pipecat.guard import report
from holdfast_pipecat.services import LAYERS, Switcher

#: Seconds until a retried turn has reached the model. It is a few frames away.
RETRY_SECS: Final = 2.0

#: Seconds until an answer that nobody heard begins to sound. A voice takes about half a second.
SAY_AGAIN_SECS: Final = 4.0

#: Seconds in which a service that cannot work at all says so; a provider rejects credentials
#: in a few hundred milliseconds. A slow good answer is not waited for: the hub hears it.
VERDICT_SECS: Final = 1.0


async def switch_model(call: Call, order: Order) -> Applied:
    """Make another service of a layer the active one."""
    layer, to = order.text("layer"), order.text("to")
    retry = order.flag("retry_turn")
    if layer not in LAYERS:
        raise Rejected(Kind.INVALID_ARGS, f"{layer} is not one of the layers {', '.join(LAYERS)}")
    target, switcher = _find(call, layer, to)
    before = switcher.active
    expected = order.expect.get("active")
    if expected is not None and expected != before.name:
        raise Rejected(
            Kind.EXPECTATION_FAILED, f"the active service is {before.name}, not {expected}"
        )
    if retry and _busy(call):
        await interrupt(call)
    was_usable = target.is_usable
    call.ordered_switches[switcher.processor.name] = order.id
    try:
        if target is not before:
            await _switch(call, switcher, target, was_usable)
        if order.args.get("announcement"):
            await _announce(call, order.text("announcement"))
        retried = await _retry_after_switch(call) if retry else False
        if retried:
            await _verdict(call, switcher, before, target)
    except Refusal:
        _tell(call, order, layer, before, switcher.active)
        raise
    finally:
        call.ordered_switches.pop(switcher.processor.name, None)
    read_back = {"layer": layer, "active": switcher.active.name, "retried_turn": retried}
    return Applied(read_back, [lambda: _tell(call, order, layer, before, switcher.active)])


async def _announce(call: Call, text: str) -> None:
    """The caller hears it before the answer. The switch holds whether or not it could be said."""
    try:
        await say(call, text, secs=SAY_AGAIN_SECS)
    except Refusal as refusal:
        report("announcing a switch", refusal)


async def retry_turn(call: Call, _: Order) -> Applied:
    """Run the turn again that got no answer, or an answer that nobody heard."""
    if _busy(call):
        await interrupt(call)
    if not await _retry(call):
        raise Rejected(
            Kind.NOT_APPLIED,
            "there is no turn to retry: the agent owes no answer, the caller is speaking, "
            "or a tool is still running",
        )
    return Applied({"retried_turn": True})


def _find(call: Call, layer: str, to: str) -> tuple[FrameProcessor, Switcher]:
    target = call.inventory.find(layer, to)
    if target is None:
        names = ", ".join(service.name for service in call.inventory.services(layer))
        raise Rejected(Kind.TARGET_UNKNOWN, f"the {layer} layer has no {to}; it has {names}")
    switcher = call.inventory.switcher_of(target)
    if switcher is None:
        raise Rejected(Kind.NOT_CAPABLE, f"{to} is not a member of a ServiceSwitcher")
    return target, switcher


async def _switch(
    call: Call,
    switcher: Switcher,
    target: FrameProcessor,
    was_usable: bool,
) -> None:
    if not was_usable:
        await target.set_usable(True)
    frame = ManuallySwitchServiceFrame(service=target)
    done = await handled(call, switcher.processor, frame)
    if switcher.active is target:
        return
    # A frame that is still on its way must not switch later, after we have said that nothing
    # changed: from now on it asks for what is already so.
    frame.service = switcher.active
    if not was_usable:
        await target.set_usable(False)
    if not done:
        raise Failed(
            Kind.TIMED_OUT, f"the switcher of {target.name} did not take the switch in time"
        )
    raise Rejected(
        Kind.TARGET_UNUSABLE,
        f"the platform did not move to {target.name}: {switcher.active.name} is still active",
    )


async def _verdict(
    call: Call, switcher: Switcher, before: FrameProcessor, target: FrameProcessor
) -> None:
    """Wait a moment for the target to show life, or that it cannot work at all."""
    state = call.state

    def decided() -> bool:
        lost = switcher.active is not target or not target.is_usable
        return lost or state.response_shows_life or state.responding is None

    await call.until(decided, VERDICT_SECS)
    if switcher.active is target and target.is_usable:
        return
    if target is before:
        raise Failed(Kind.NOT_APPLIED, f"{target.name} failed the retried turn for good")
    if switcher.active is not before:
        back = ManuallySwitchServiceFrame(service=before)
        await handled(call, switcher.processor, back)
    if switcher.active is before:
        raise Rejected(
            Kind.TARGET_UNUSABLE,
            f"{target.name} failed the retried turn for good; {before.name} is active again",
        )
    raise Failed(
        Kind.NOT_APPLIED,
        f"{target.name} failed the retried turn for good, and {switcher.active.name} is active now",
    )


async def _retry_after_switch(call: Call) -> bool:
    """The switch holds whether or not the turn could be run again: the answer says which."""
    try:
        return await _retry(call)
    except Failed as failed:
        report("retrying a turn after a switch", failed)
        return False


async def _retry(call: Call) -> bool:
    """Run the turn that is owed. False when none is owed."""
    state = call.state
    aggregator = call.inventory.user_aggregator
    if aggregator is None or state.caller_speaking or state.tools_running or call.gate.closed:
        return False
    if state.unheard:
        return await _say_again(call)
    messages = aggregator.context.get_messages()
    if not messages or _role(messages[-1]) == "assistant":
        return False
    before = state.responses
    frame = LLMRunFrame()
    if not await handled(call, aggregator, frame):
        raise Failed(Kind.TIMED_OUT, "the turn could not be run again: the pipeline is stuck")
    return await call.until(lambda: state.responses > before, RETRY_SECS)


async def _say_again(call: Call) -> bool:
    """The model has answered and nobody heard it: another answer would be a second one."""
    await say(call, call.state.unheard, secs=SAY_AGAIN_SECS)
    call.state.unheard = ""
    return True


def _busy(call: Call) -> bool:
    return call.state.responding is not None


def _role(message: Any) -> str:
    return str(message.get("role", "")) if isinstance(message, dict) else ""


def _tell(
    call: Call, order: Order, layer: str, before: FrameProcessor, after: FrameProcessor
) -> None:
    if after is before:
        return
    call.emit(
        "service.switched",
        {"from": before.name, "to": after.name, "cause": "manual"},
        layer=layer,
        causation=order.id,
    )
