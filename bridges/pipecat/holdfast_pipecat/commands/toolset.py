"""Takes tools away from the model, and gives them back."""

from pipecat.frames.frames import LLMSetToolsFrame

from holdfast_pipecat.call import Call
from holdfast_pipecat.commands.order import Order
from holdfast_pipecat.commands.outcome import Applied, Failed, Kind, Rejected
from holdfast_pipecat.commands.pipeline import handled


async def disable_tools(call: Call, order: Order) -> Applied:
    """Take the named tools away, or all of them."""
    named = _named(call, order)
    keep = [name for name in call.catalogue.enabled() if name not in named]
    return await _set(call, order, keep)


async def enable_tools(call: Call, order: Order) -> Applied:
    """Give the named tools back, or all of them."""
    named = _named(call, order)
    enabled = call.catalogue.enabled()
    wanted = [name for name in call.catalogue.names() if name in enabled or name in named]
    return await _set(call, order, wanted)


def _named(call: Call, order: Order) -> list[str]:
    every = call.catalogue.names()
    if not every:
        raise Rejected(Kind.NOT_CAPABLE, "the bot's context offers no tools")
    named = order.names("tools") or every
    unknown = [name for name in named if name not in every]
    if unknown:
        raise Rejected(
            Kind.TARGET_UNKNOWN, f"there is no tool {', '.join(unknown)}; there is {every}"
        )
    return named


async def _set(call: Call, order: Order, wanted: list[str]) -> Applied:
    aggregator = call.inventory.user_aggregator
    if aggregator is None:
        raise Rejected(Kind.NOT_CAPABLE, "the pipeline has no LLMContextAggregatorPair")
    frame = LLMSetToolsFrame(tools=call.catalogue.select(wanted))
    done = await handled(call, aggregator, frame)
    enabled = call.catalogue.enabled()
    if sorted(enabled) != sorted(wanted):
        kind = Kind.NOT_APPLIED if done else Kind.TIMED_OUT
        raise Failed(kind, f"the model may use {enabled}, not {wanted} as asked")
    disabled = [name for name in call.catalogue.names() if name not in enabled]
    return Applied(
        {"enabled": enabled, "disabled": disabled},
        [lambda: call.catalogue.tell("command", order.id)],
    )
