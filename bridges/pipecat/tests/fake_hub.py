"""A hub for tests: keeps the protocol's rules on sequences as the document states them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

TOKEN = "test-token"

#: Real IO is waited for with a deadline far above what it takes.
DEADLINE_SECS = 15.0

Event = dict[str, Any]


@dataclass
class FakeHub:
    """Takes one bridge at a time.

    Parameters:
        acks: whether received events are made durable and acknowledged at once.
        answers_hello: whether a hello is answered at all.
        wants_snapshot: whether the next welcome asks for a snapshot.
    """

    acks: bool = True
    answers_hello: bool = True
    wants_snapshot: bool = False
    refuses: str | None = None
    hellos: list[Event] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    results: list[Event] = field(default_factory=list)
    pongs: list[int] = field(default_factory=list)
    duplicates: int = 0
    gaps: int = 0
    durable: int = 0
    expected: int = 1
    port: int = 0
    _server: Server | None = None
    _socket: ServerConnection | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> "FakeHub":
        """Listen on a port of the system's choice, or on the one it had before."""
        self._server = await serve(self._serve, "127.0.0.1", self.port)
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and drop the bridge."""
        if self._server is not None:
            self._server.close(close_connections=True)
            await self._server.wait_closed()
            self._server = None

    @property
    def url(self) -> str:
        """Where the bridge connects to."""
        return f"ws://127.0.0.1:{self.port}/v1/bridge"

    async def cut(self) -> None:
        """Cut the wire, without a closing handshake."""
        assert self._socket is not None, "there is a bridge to cut off"
        self._socket.transport.abort()
        await self.until(lambda: self._socket is None)

    async def send(self, frame: Event) -> None:
        """Send a frame to the bridge."""
        await self.until(lambda: self._socket is not None)
        assert self._socket is not None, "until has waited for it"
        await self._socket.send(json.dumps(frame))

    async def command(
        self, name: str, args: Event | None = None, call: str = "", **more: Any
    ) -> Event:
        """Send a command and wait for its final answer."""
        command_id = more.pop("command_id", f"c-{len(self.results)}-{name}")
        frame = {
            "type": "command",
            "command_id": command_id,
            "call": call or self.call_id(),
            "name": name,
            "args": args or {},
            "actor": "ana@example",
            "issued_at": "2026-11-24T10:00:00.000Z",
            **more,
        }
        await self.send(frame)
        await self.until(lambda: self.final(command_id) is not None)
        final = self.final(command_id)
        assert final is not None, "until has waited for it"
        return final

    def final(self, command_id: str) -> Event | None:
        """The final answer to a command."""
        answers = [r for r in self.results if r["command_id"] == command_id]
        finals = [a for a in answers if a["state"] != "accepted"]
        return finals[0] if finals else None

    def states(self, command_id: str) -> list[str]:
        """Every answer to a command, in order."""
        return [r["state"] for r in self.results if r["command_id"] == command_id]

    def call_id(self) -> str:
        """The one call."""
        return str(self.of("call.started")[-1]["subject"])

    def of(self, type_: str, **data: Any) -> list[Event]:
        """Events of a type whose data hold these values."""
        return [
            e
            for e in self.events
            if e["type"] == f"holdfast.{type_}"
            and all(e["data"].get(key) == value for key, value in data.items())
        ]

    def types(self) -> list[str]:
        """The types of all events, in order."""
        return [e["type"].removeprefix("holdfast.") for e in self.events]

    async def until(self, holds: Callable[[], object], secs: float = DEADLINE_SECS) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(secs):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def event(self, type_: str, secs: float = DEADLINE_SECS, **data: Any) -> Event:
        """Wait for an event."""
        await self.until(lambda: self.of(type_, **data), secs)
        return self.of(type_, **data)[-1]

    async def _serve(self, socket: ServerConnection) -> None:
        try:
            await self._talk(socket)
        except ConnectionClosed:
            pass
        finally:
            if self._socket is socket:
                self._socket = None
            self._changed.set()

    async def _talk(self, socket: ServerConnection) -> None:
        hello = json.loads(await socket.recv())
        self.hellos.append(hello)
        self._changed.set()
        if not self.answers_hello:
            await socket.wait_closed()
            return
        authorized = socket.request is not None and (
            socket.request.headers.get("Authorization") == f"Bearer {TOKEN}"
        )
        refusal = self.refuses or (None if authorized else "unauthorized")
        if refusal is not None:
            await socket.send(
                json.dumps({"type": "error", "code": refusal, "message": "no", "closing": True})
            )
            return
        welcome = {
            "type": "welcome",
            "protocol": 1,
            "resume_after": self.durable,
            "snapshot": self.wants_snapshot,
            "max_frame_bytes": 1_048_576,
            "max_batch": 1_024,
        }
        self.expected = self.durable + 1
        self.wants_snapshot = False
        await socket.send(json.dumps(welcome))
        self._socket = socket
        self._changed.set()
        async for message in socket:
            frame = json.loads(message)
            await self._take(socket, frame if isinstance(frame, list) else [frame])
            self._changed.set()

    async def _take(self, socket: ServerConnection, frames: list[Event]) -> None:
        for frame in frames:
            kind = str(frame["type"])
            if kind.startswith("holdfast."):
                await self._take_event(socket, frame)
            elif kind == "result":
                self.results.append(frame)
            elif kind == "pong":
                self.pongs.append(frame["nonce"])
        if self.acks and self.durable:
            await socket.send(json.dumps({"type": "ack", "sequence": self.durable}))

    async def _take_event(self, socket: ServerConnection, event: Event) -> None:
        sequence = int(event["sequence"])
        restarts = event["type"] in ("holdfast.stream.gap_detected", "holdfast.stream.snapshot")
        if sequence < self.expected:
            self.duplicates += 1
        elif sequence == self.expected or restarts:
            self.events.append(event)
            self.expected = sequence + 1
            if self.acks:
                self.durable = sequence
        else:
            self.gaps += 1
            detail = {"expected": self.expected, "got": sequence}
            await socket.send(
                json.dumps(
                    {
                        "type": "error",
                        "code": "bad_sequence",
                        "message": "resume",
                        "detail": detail,
                        "closing": False,
                    }
                )
            )
