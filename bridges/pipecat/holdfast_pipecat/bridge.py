"""One bridge of one bot process: identity, sequence, live calls, snapshot, heartbeat."""

import asyncio
import socket
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

from holdfast_pipecat.buffer import EventBuffer, Gap
from holdfast_pipecat.call import UTTERANCES_MAX, Call
from holdfast_pipecat.commands import Commands
from holdfast_pipecat.config import HubAddress, NotConfigured
from holdfast_pipecat.envelope import INFO, PLATFORM, WARN, Envelope, Fact
from holdfast_pipecat.guard import guarded
from holdfast_pipecat.link import Link
from holdfast_pipecat.services import COMMANDS, NO_HOOK

NAME: Final = "holdfast-pipecat"
VERSION: Final = "0.1.0"

#: Seconds between heartbeats. The console calls a bridge stale after ten seconds without one.
HEARTBEAT_SECS: Final = 2.0

#: Seconds that the end of a call waits for its last events to be written to the socket. The caller
#: is gone by then; on a live connection it takes a millisecond.
FAREWELL_SECS: Final = 0.5

#: Ended calls that are remembered, to answer `call_ended` instead of `unknown_call`.
ENDED_CALLS_MAX: Final = 1_024

#: Kinds of native events without a mapping that are counted one by one.
UNMAPPED_KINDS_MAX: Final = 64


class Bridge:
    """Says what happens on the calls of one process, and takes orders for them."""

    def __init__(
        self,
        instance: str,
        find_hub: Callable[[], HubAddress | NotConfigured],
        *,
        has_transfer: bool = False,
        buffer: EventBuffer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.instance = instance
        self.has_transfer = has_transfer
        self.buffer = EventBuffer() if buffer is None else buffer
        self.clock = clock
        self.envelope = Envelope(f"//bridges/pipecat/{instance}", str(uuid.uuid4()))
        self.calls: dict[str, Call] = {}
        self.unmapped: Counter[str] = Counter()
        self.link = Link(find_hub, self.buffer, self)
        self.commands = Commands(self)
        self._ended: deque[str] = deque(maxlen=ENDED_CALLS_MAX)
        self._numbered = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Run in the background of the current event loop."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self.link.run(), name="holdfast link"),
                asyncio.create_task(self._beat(), name="holdfast heartbeat"),
            ]

    async def stop(self) -> None:
        """Stop; for tests and for bots that outlive their interest in us."""
        tasks = [*self._tasks, *self.commands.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []

    def next_call_id(self) -> str:
        """An id for a call that the bot gave none."""
        self._numbered += 1
        return f"{self.instance}-{self._numbered}"

    def emit(
        self,
        type_: str,
        subject: str,
        data: dict[str, Any],
        *,
        layer: str | None = None,
        time: float | None = None,
        severity: int = INFO,
        causation: str | None = None,
    ) -> None:
        """Put a fact into the buffer under the next sequence number."""
        now = self.clock()
        fact = Fact(type_, subject, data, now if time is None else time, layer, severity, causation)
        self.buffer.append(self.envelope.write(fact, self.buffer.next_sequence, now))
        self.link.wake()

    def count_unmapped(self, kind: str) -> None:
        """Count a native event that has no mapping."""
        known = kind in self.unmapped or len(self.unmapped) < UNMAPPED_KINDS_MAX
        self.unmapped[kind if known else "other"] += 1

    def call_started(self, call: Call) -> None:
        """A call is live."""
        self.calls[call.id] = call
        call.emit("call.started", call.started(resumed=False), time=call.state.started_at)

    def call_ended(self, call: Call, reason: str, ended_by: str) -> None:
        """A call is over; it is said once."""
        if self.calls.pop(call.id, None) is None:
            return
        self._ended.append(call.id)
        call.emit("call.ended", {"reason": reason, "ended_by": ended_by})

    def has_ended(self, call_id: str) -> bool:
        """Whether a call was live once and is over."""
        return call_id in self._ended

    async def farewell(self) -> None:
        """Let the last events of a call leave before the process may end."""
        await self.link.flushed(FAREWELL_SECS)

    # What the link asks of us.

    def hello(self, token: str | None) -> dict[str, Any]:
        """Describe ourselves to the hub."""
        capabilities: list[dict[str, Any]] = []
        for name in COMMANDS:
            capability: dict[str, Any] = {"name": name, "available": True}
            if name == "transfer" and not self._can_transfer():
                capability = {"name": name, "available": False, "reason": NO_HOOK}
            capabilities.append(capability)
        frame: dict[str, Any] = {
            "type": "hello",
            "protocol": 1,
            "source": self.envelope.source,
            "epoch": self.envelope.epoch,
            "bridge": {"name": NAME, "version": VERSION},
            "platform": {"name": "pipecat", "version": version("pipecat-ai")},
            "heartbeat_secs": HEARTBEAT_SECS,
            "capabilities": capabilities,
        }
        if token is not None:
            frame["token"] = token
        return frame

    def on_command(self, frame: dict[str, Any]) -> None:
        """Take a command from the hub."""
        self.commands.receive(frame)

    def resync(self, gap: Gap | None) -> None:
        """Tell what was lost, then tell every live call again."""
        if gap is not None:
            data = {"from_seq": gap.from_seq, "to_seq": gap.to_seq, "missing": gap.missing}
            self.emit("stream.gap_detected", PLATFORM, data, severity=WARN)
        calls = list(self.calls.values())
        self.emit("stream.snapshot", PLATFORM, {"calls": [call.id for call in calls]})
        # A snapshot that did not fit the buffer would itself be a gap.
        room = self.buffer.capacity // 2 // max(1, len(calls))
        utterances_max = max(0, min(UTTERANCES_MAX, room - 4))
        for call in calls:
            self._retell(call, utterances_max)
        self.emit("stream.caught_up", PLATFORM, {})

    def _retell(self, call: Call, utterances_max: int) -> None:
        call.emit("call.started", call.started(resumed=True))
        call.emit("call.updated", {"ai": call.state.ai, **call.state.updated})
        utterances = list(call.utterances)
        for utterance in utterances[len(utterances) - min(utterances_max, len(utterances)) :]:
            call.emit("transcript.final", utterance)
        if call.state.catalogue is not None:
            call.emit("tool.catalog_changed", call.state.catalogue)

    def _can_transfer(self) -> bool:
        return self.has_transfer or any(call.on_transfer for call in self.calls.values())

    async def _beat(self) -> None:
        while True:
            # A heartbeat that nobody hears would only push facts out of the buffer.
            if self.link.live:
                self._heartbeat()
            await asyncio.sleep(HEARTBEAT_SECS)

    @guarded
    def _heartbeat(self) -> None:
        data = {
            "live_calls": len(self.calls),
            "buffered": len(self.buffer),
            "unmapped": sum(self.unmapped.values()),
            "unmapped_kinds": dict(sorted(self.unmapped.items())),
        }
        self.emit("bridge.heartbeat", PLATFORM, data)


def host_name() -> str:
    """The machine's name, for infrastructure events."""
    return socket.gethostname()
