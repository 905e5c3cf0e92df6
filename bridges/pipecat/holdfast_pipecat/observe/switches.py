"""Which service is active, and why it changed."""

from typing import Any, Final

from pipecat.processors.frame_processor import FrameProcessor

from holdfast_pipecat.call import Call
from holdfast_pipecat.envelope import WARN
from holdfast_pipecat.guard import guarded_async
from holdfast_pipecat.services import Switcher

#: Seconds after an error in which a switch away from the service is taken to be its consequence.
CONSEQUENCE_SECS: Final = 15.0


class SwitchWatch:
    """Follows one switcher.

    Pipecat tells a switch without saying from where or why, and its own failover tells it before
    the error that caused it. So the cause is read from what is true: a service that Pipecat moved
    away from is unusable by then.
    """

    def __init__(self, call: Call, switcher: Switcher) -> None:
        self._call = call
        self._switcher = switcher
        self._active = switcher.active
        switcher.processor.strategy.add_event_handler("on_service_switched", self._on_switched)

    @guarded_async
    async def _on_switched(self, _: Any, service: FrameProcessor) -> None:
        before, self._active = self._active, service
        call = self._call
        if before is service:
            return
        if self._switcher.processor.name in call.ordered_switches:
            # The command tells its own switch when it knows that it holds.
            return
        call.emit(
            "service.switched",
            {"from": before.name, "to": service.name, "cause": self._cause(before, service)},
            layer=self._switcher.layer,
            severity=WARN,
        )

    def _cause(self, before: FrameProcessor, after: FrameProcessor) -> str:
        if not before.is_usable:
            return "failover"
        if after is self._switcher.members[0]:
            return "recovery"
        error = self._call.state.last_error.get(before.name)
        recent = error is not None and self._call.bridge.clock() - error[1] < CONSEQUENCE_SECS
        return "failover" if recent else "manual"
