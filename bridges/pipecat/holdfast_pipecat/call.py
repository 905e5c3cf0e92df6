"""One live call: what is known about it, so that it can be told again, and acted on."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipecat.pipeline.worker import PipelineWorker

from holdfast_pipecat.agent_text import AgentText
from holdfast_pipecat.config import CallInfo, TransferHook
from holdfast_pipecat.envelope import INFO, rfc3339
from holdfast_pipecat.gate import Gate
from holdfast_pipecat.services import Inventory
from holdfast_pipecat.tools import Catalogue

if TYPE_CHECKING:
    from holdfast_pipecat.bridge import Bridge

#: Utterances kept for a snapshot: what the protocol asks to be told again.
UTTERANCES_MAX: Final = 50


@dataclass
class State:
    """What is true on the call now, as far as Pipecat has told it."""

    started_at: float
    caller_speaking: bool = False
    agent_speaking: bool = False
    agent: str = "listening"
    turn: int = 0
    language: str = "en"
    ai: str = "active"
    responding: str | None = None
    responses: int = 0
    response_shows_life: bool = False
    tools_running: dict[str, str] = field(default_factory=dict)
    last_error: dict[str, tuple[str, float]] = field(default_factory=dict)
    unheard: str = ""
    audio_contexts: set[str] = field(default_factory=set)
    updated: dict[str, Any] = field(default_factory=dict)
    catalogue: dict[str, Any] | None = None
    caller_joined: bool = False
    hung_up: bool = False


class Call:
    """A pipeline worker that is a call, with everything the other modules need to know of it."""

    def __init__(
        self,
        bridge: "Bridge",
        worker: PipelineWorker,
        call_id: str,
        info: CallInfo,
        inventory: Inventory,
        on_transfer: TransferHook | None,
        now: float,
    ) -> None:
        self.bridge = bridge
        self.worker = worker
        self.id = call_id
        self.info = info
        self.inventory = inventory
        self.on_transfer = on_transfer
        self.gate = Gate(inventory)
        self.text = AgentText(self)
        self.catalogue = Catalogue(self)
        self.state = State(started_at=now, language=info.language or inventory.language() or "en")
        self.utterances: deque[dict[str, Any]] = deque(maxlen=UTTERANCES_MAX)
        #: Frames that we queued ourselves, so that an observer can tell them from the bot's own.
        self.own_frames: deque[int] = deque(maxlen=256)
        #: Switchers that a command is moving now, with the command.
        self.ordered_switches: dict[str, str] = {}
        #: One command at a time changes the pipeline.
        self.lock = asyncio.Lock()
        self._pulse = asyncio.Event()

    def emit(
        self,
        type_: str,
        data: dict[str, Any],
        *,
        layer: str | None = None,
        time: float | None = None,
        severity: int = INFO,
        causation: str | None = None,
    ) -> None:
        """Say that something happened on this call."""
        self.bridge.emit(
            type_,
            self.id,
            data,
            layer=layer,
            time=time,
            severity=severity,
            causation=causation,
        )
        self.touch()

    def update(self, **changed: Any) -> None:
        """Say that facts about the call changed, and keep them for a snapshot."""
        self.state.updated.update(changed)
        self.emit("call.updated", changed)

    def utter(self, utterance: dict[str, Any], time: float | None = None) -> None:
        """Say a final utterance, and keep it for a snapshot."""
        self.utterances.append(utterance)
        self.emit("transcript.final", utterance, time=time)

    def touch(self) -> None:
        """Wake whoever waits for something to become true on this call."""
        self._pulse.set()

    async def until(self, holds: Callable[[], bool], secs: float) -> bool:
        """Wait until something holds, at most so long. It is asked again after every event."""
        try:
            async with asyncio.timeout(max(0.0, secs)):
                while not holds():
                    self._pulse.clear()
                    await self._pulse.wait()
        except TimeoutError:
            return holds()
        return True

    def started(self, *, resumed: bool) -> dict[str, Any]:
        """The data of `call.started`, for the first time or again."""
        info = self.info
        data: dict[str, Any] = {
            "direction": info.direction,
            "agent": info.agent,
            "queue": info.queue,
            "language": self.state.language,
            "services": self.inventory.describe(),
            "capabilities": self.capabilities(),
        }
        optional = {
            "flow": info.flow,
            "build": info.build,
            "pii.customer": info.customer,
            "pii.from": info.from_,
            "pii.to": info.to,
            "disclosure": info.disclosure,
            "consent": info.consent,
            "recording": info.recording,
        }
        data.update({key: value for key, value in optional.items() if value is not None})
        if resumed:
            data["resumed"] = True
            data["started_at"] = rfc3339(self.state.started_at)
        return data

    def capabilities(self) -> list[dict[str, Any]]:
        """What can really be done on this call, with the reason where it cannot."""
        return self.inventory.capabilities(has_transfer=self.on_transfer is not None)
