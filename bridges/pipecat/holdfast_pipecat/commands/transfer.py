"""Brings a human onto the call: say it, hand the conversation over, and only then step back.

Pipecat has no telephony of its own, so the application brings the human: its `on_transfer` hook
returns when the human is on the call. Until then the AI stays with the caller.
"""

from typing import Any, Final

from holdfast_pipecat.call import Call
from holdfast_pipecat.commands.order import Order
from holdfast_pipecat.commands.outcome import Applied, Failed, Kind, Refusal, Rejected
from holdfast_pipecat.commands.voice import SAID_SECS, hold_back, say
from holdfast_pipecat.config import TransferFailed, TransferRequest
from holdfast_pipecat.envelope import WARN
from holdfast_pipecat.guard import report
from holdfast_pipecat.services import NO_HOOK

#: Reasons for a failed handoff; closed by the protocol.
REASONS: Final = ("no_answer", "busy", "declined", "voicemail", "caller_left", "trunk_failed")

#: Characters of a card key that fit SIP User-to-User.
KEY_CHARS_MAX: Final = 128


async def transfer(call: Call, order: Order) -> Applied:
    """Bridge the caller to a human."""
    to, handoff_id = order.text("to"), order.text("handoff_id")
    key = str(order.args.get("key") or "")
    if len(key) > KEY_CHARS_MAX:
        raise Rejected(Kind.INVALID_ARGS, f"the key is longer than {KEY_CHARS_MAX} characters")
    hook = call.on_transfer
    if hook is None:
        raise Rejected(Kind.NOT_CAPABLE, NO_HOOK)
    began = call.bridge.clock()
    if order.args.get("announcement"):
        await _announce(call, order.text("announcement"))
    context = call.inventory.context()
    messages: list[Any] = list(context.get_messages()) if context is not None else []
    request = TransferRequest(call.id, handoff_id, to, key, messages)
    try:
        await hook(request)
    except TransferFailed as failure:
        reason = failure.reason if failure.reason in REASONS else "trunk_failed"
        _handoff_failed(call, order, handoff_id, reason)
        raise Failed(Kind.PLATFORM_ERROR, str(failure)) from failure
    except Exception:
        _handoff_failed(call, order, handoff_id, "trunk_failed")
        raise
    async with call.lock:
        try:
            await hold_back(call)
        except Refusal as refusal:
            # The human is on the call; that the AI is slow to fall silent does not undo it.
            report("silencing the AI after a transfer", refusal)
    waited = max(0.0, call.bridge.clock() - began)
    data = {"handoff_id": handoff_id, "to": to, "wait_secs": waited}
    return Applied(
        {"bridged": True, "to": to},
        [lambda: call.emit("handoff.completed", data, causation=order.id)],
    )


async def _announce(call: Call, text: str) -> None:
    """Say it to its end. A voice that fails must not keep the caller from a human."""
    try:
        async with call.lock:
            await say(call, text)
    except Refusal as refusal:
        report("announcing a transfer", refusal)
        return
    await call.until(lambda: not call.state.agent_speaking, SAID_SECS)


def _handoff_failed(call: Call, order: Order, handoff_id: str, reason: str) -> None:
    data = {"handoff_id": handoff_id, "reason": reason}
    call.emit("handoff.failed", data, severity=WARN, causation=order.id)
