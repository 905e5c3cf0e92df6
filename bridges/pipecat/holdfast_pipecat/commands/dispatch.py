"""Takes commands: accepted at once, then exactly one final answer; the same id has one effect."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from loguru import logger

from holdfast_pipecat.call import Call
from holdfast_pipecat.commands.order import Order
from holdfast_pipecat.commands.outcome import Applied, Expired, Kind, Refusal, Rejected
from holdfast_pipecat.commands.switch import retry_turn, switch_model
from holdfast_pipecat.commands.toolset import disable_tools, enable_tools
from holdfast_pipecat.commands.transfer import transfer
from holdfast_pipecat.commands.voice import announce, pause_ai, resume_ai
from holdfast_pipecat.guard import report

if TYPE_CHECKING:
    from holdfast_pipecat.bridge import Bridge

#: Answers kept for commands that come again. The protocol asks for 1,024; an answer is 200 bytes.
ANSWERS_MAX: Final = 4_096

#: Seconds that one command may take. A hub's command usually expires after ten.
COMMAND_SECS_MAX: Final = 20.0

#: Seconds for a transfer: a human's telephone rings for up to a minute, and may ring twice.
TRANSFER_SECS_MAX: Final = 150.0

Act = Callable[[Call, Order], Awaitable[Applied]]

ACTS: Final[dict[str, Act]] = {
    "switch_model": switch_model,
    "retry_turn": retry_turn,
    "disable_tools": disable_tools,
    "enable_tools": enable_tools,
    "announce": announce,
    "pause_ai": pause_ai,
    "resume_ai": resume_ai,
    "transfer": transfer,
}


class Commands:
    """Carries commands out in the background and remembers what became of them."""

    def __init__(self, bridge: "Bridge") -> None:
        self._bridge = bridge
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.tasks: set[asyncio.Task[None]] = set()

    def receive(self, frame: dict[str, Any]) -> None:
        """Take a command frame, new or again."""
        command_id = frame.get("command_id")
        if not isinstance(command_id, str) or not command_id:
            logger.warning("holdfast: ignoring a command without a command_id")
            return
        known = self._answers.get(command_id)
        if known is not None:
            self._bridge.link.send_control(known)
            return
        self._answer(command_id, {"state": "accepted"})
        task = asyncio.create_task(self._carry_out(frame), name=f"holdfast command {command_id}")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _carry_out(self, frame: dict[str, Any]) -> None:
        command_id = str(frame["command_id"])
        try:
            order = Order.read(frame)
            self._check_expiry(order)
            applied = await self._act(order)
        except Refusal as refusal:
            answer = {"state": refusal.state, "message": str(refusal)}
            if refusal.kind is not None:
                answer["kind"] = str(refusal.kind)
            self._answer(command_id, answer)
            return
        except TimeoutError:
            message = "the platform did not do it in time; what is true now shows in its events"
            self._answer(
                command_id, {"state": "failed", "kind": str(Kind.TIMED_OUT), "message": message}
            )
            return
        except Exception as error:
            report(f"command {frame.get('name')}", error)
            message = f"the platform raised {type(error).__name__}: {error}"
            self._answer(
                command_id,
                {"state": "failed", "kind": str(Kind.PLATFORM_ERROR), "message": message},
            )
            return
        self._answer(command_id, {"state": "applied", "read_back": applied.read_back})
        for tell in applied.told:
            tell()

    async def _act(self, order: Order) -> Applied:
        act = ACTS.get(order.name)
        if act is None:
            raise Rejected(
                Kind.UNKNOWN_COMMAND, f"this bridge does not know the command {order.name}"
            )
        call = self._call(order)
        for capability in call.capabilities():
            if capability["name"] == order.name and not capability["available"]:
                raise Rejected(Kind.NOT_CAPABLE, capability["reason"])
        secs = TRANSFER_SECS_MAX if order.name == "transfer" else COMMAND_SECS_MAX
        async with asyncio.timeout(secs):
            if act is transfer:
                # It waits for a human; other commands must not wait with it.
                return await act(call, order)
            async with call.lock:
                self._still_wanted(call, order)
                return await act(call, order)

    def _call(self, order: Order) -> Call:
        call = self._bridge.calls.get(order.call)
        if call is not None:
            return call
        if self._bridge.has_ended(order.call):
            raise Rejected(Kind.CALL_ENDED, f"call {order.call} is over")
        raise Rejected(Kind.UNKNOWN_CALL, f"there is no call {order.call} on this bot")

    def _still_wanted(self, call: Call, order: Order) -> None:
        if call.id not in self._bridge.calls:
            raise Rejected(Kind.CALL_ENDED, f"call {call.id} is over")
        # It may have waited behind another command.
        self._check_expiry(order)

    def _check_expiry(self, order: Order) -> None:
        if order.expires_at is not None and self._bridge.clock() > order.expires_at:
            raise Expired

    def _answer(self, command_id: str, answer: dict[str, Any]) -> None:
        frame = {"type": "result", "command_id": command_id, **answer}
        self._answers[command_id] = frame
        self._answers.move_to_end(command_id)
        if len(self._answers) > ANSWERS_MAX:
            self._answers.popitem(last=False)
        self._bridge.link.send_control(frame)
