"""The WebSocket to the hub: connect, resume, send what is buffered, back off, forever.

It runs as one background task in the bot's event loop. Nothing in the bot ever waits for it.

```text
waiting --(address known)--> connecting --(welcome)--> live --(cut)--> waiting
```
"""

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from loguru import logger
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from holdfast_pipecat.buffer import EventBuffer, Gap
from holdfast_pipecat.config import HubAddress, NotConfigured
from holdfast_pipecat.envelope import encode
from holdfast_pipecat.guard import report

#: Seconds for TCP, TLS and the upgrade. A hub on loopback takes milliseconds, one across an ocean
#: well under two seconds.
OPEN_SECS: Final = 5.0

#: Seconds from `hello` to `welcome`, as long as the hub itself waits for a `hello`.
WELCOME_SECS: Final = 5.0

#: Seconds between WebSocket pings, and for their answer: a hub that hangs is left after twice that.
PING_SECS: Final = 10.0

#: First and longest wait between two attempts. A hub restart is over in seconds; a hub that is away
#: for an hour costs 240 attempts.
BACKOFF_SECS_MIN: Final = 0.25
BACKOFF_SECS_MAX: Final = 15.0

#: Wait after the hub said that it does not want us: a person has to change something.
REFUSED_SECS: Final = 30.0

#: Events in one frame. 128 is where the hub's cost per event stops falling.
BATCH_EVENTS: Final = 128

#: Answers that wait for the socket. An answer takes microseconds to send; 4,096 is the queue of a
#: hub that sends commands and does not read.
CONTROL_FRAMES_MAX: Final = 4_096

#: Bytes of a frame until the hub has told its own limit.
FRAME_BYTES: Final = 1_048_576

#: Times the hub may ask for the same sequence number again before we take it that it refuses that
#: event, and go on with a gap and a snapshot.
REFUSALS_MAX: Final = 3

#: Errors after which only a person can help.
REFUSED_CODES: Final = frozenset({"unauthorized", "forbidden", "unsupported_protocol"})


class Counterpart(Protocol):
    """What the link needs from the bridge that owns it."""

    def hello(self, token: str | None) -> dict[str, Any]:
        """Describe ourselves."""

    def on_command(self, frame: dict[str, Any]) -> None:
        """Take a command; must not block."""

    def resync(self, gap: Gap | None) -> None:
        """Append a gap, when there is one, and a snapshot to the buffer."""


class Link:
    """Keeps a connection to the hub and sends the buffer through it in order."""

    def __init__(
        self,
        find_hub: Callable[[], HubAddress | NotConfigured],
        buffer: EventBuffer,
        counterpart: Counterpart,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._find_hub = find_hub
        self._buffer = buffer
        self._counterpart = counterpart
        self._jitter = jitter
        self._cursor = 1
        self._control: deque[str] = deque(maxlen=CONTROL_FRAMES_MAX)
        self._wake = asyncio.Event()
        self._written = asyncio.Event()
        self._frame_bytes_max = FRAME_BYTES
        self._batch_max = BATCH_EVENTS
        self._refused = False
        self._told_away = False
        self._refusals: Counter[int] = Counter()
        self.live = False

    def wake(self) -> None:
        """Tell the sender that there is something new in the buffer."""
        self._written.clear()
        self._wake.set()

    def send_control(self, frame: dict[str, Any]) -> None:
        """Send a control frame if there is a connection; the hub asks again if there is none."""
        if self.live:
            self._control.append(encode(frame))
            self.wake()

    async def flushed(self, secs: float) -> bool:
        """Wait until everything is written to the socket, at most so long, never without a hub."""
        if not self.live:
            return False
        try:
            await asyncio.wait_for(self._written.wait(), secs)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        attempt = 0
        while True:
            self._refused = False
            had_session = False
            hub = self._find_hub()
            if isinstance(hub, HubAddress):
                had_session = await self._attempt(hub)
            attempt = 0 if had_session else attempt + 1
            await asyncio.sleep(self._backoff(attempt))

    def _backoff(self, attempt: int) -> float:
        if self._refused:
            return REFUSED_SECS
        ceiling = min(BACKOFF_SECS_MAX, BACKOFF_SECS_MIN * 2.0 ** min(attempt, 10))
        # Between half and all of it: spread out, and never a busy loop.
        return ceiling * (0.5 + 0.5 * self._jitter())

    async def _attempt(self, hub: HubAddress) -> bool:
        had_session = False
        try:
            headers = {"Authorization": f"Bearer {hub.token}"} if hub.token else {}
            loopback = urlsplit(hub.url).hostname in ("127.0.0.1", "localhost", "::1")
            async with connect(
                hub.url,
                additional_headers=headers,
                open_timeout=OPEN_SECS,
                ping_interval=PING_SECS,
                ping_timeout=PING_SECS,
                close_timeout=1.0,
                max_size=FRAME_BYTES,
                proxy=None if loopback else True,
            ) as socket:
                await self._greet(socket, hub)
                had_session = True
                await self._session(socket)
        except (OSError, WebSocketException, TimeoutError, ValueError) as error:
            self._tell_away(hub, error)
        except ExceptionGroup as group:
            self._tell_away(hub, group.exceptions[0])
        except Exception as error:
            # Whatever it is: the link tries again, it never ends.
            report("the link to the hub", error)
        finally:
            self.live = False
            self._control.clear()
        return had_session

    def _tell_away(self, hub: HubAddress, error: Exception) -> None:
        message = f"holdfast: no connection to {hub.url} ({type(error).__name__}: {error})"
        if self._told_away:
            logger.debug(message)
        else:
            self._told_away = True
            logger.info(f"{message}; the bot goes on without it, and the bridge tries again")

    async def _greet(self, socket: ClientConnection, hub: HubAddress) -> None:
        await socket.send(encode(self._counterpart.hello(hub.token)))
        frame = self._read(await asyncio.wait_for(socket.recv(), WELCOME_SECS))
        if frame.get("type") == "error":
            self._on_error(frame)
            raise ValueError(f"the hub refused: {frame.get('message')}")
        if frame.get("type") != "welcome":
            raise ValueError(f"the hub answered hello with {frame.get('type')}")
        self._frame_bytes_max = min(FRAME_BYTES, int(frame.get("max_frame_bytes", FRAME_BYTES)))
        self._batch_max = max(1, min(BATCH_EVENTS, int(frame.get("max_batch", BATCH_EVENTS))))
        resume_after = int(frame.get("resume_after", 0))
        self._refusals.clear()
        self._told_away = False
        self.live = True
        self._buffer.ack(resume_after)
        if frame.get("snapshot") is True:
            self._resync(resume_after)
        else:
            self._continue_from(resume_after + 1)
        logger.info(f"holdfast: connected to {hub.url}, resuming after {resume_after}")

    async def _session(self, socket: ClientConnection) -> None:
        self.wake()
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(self._send(socket))
            try:
                async for message in socket:
                    self._on_message(message)
            finally:
                sender.cancel()

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._control:
                await socket.send(self._control.popleft())
            while self._cursor <= self._buffer.last:
                if not self._buffer.holds(self._cursor):
                    # The buffer overflowed while the socket was slow.
                    self._resync(self._cursor - 1)
                texts = self._buffer.batch(self._cursor, self._batch_max, self._frame_bytes_max - 2)
                self._cursor += len(texts)
                await socket.send(texts[0] if len(texts) == 1 else f"[{','.join(texts)}]")
                if self._control:
                    break
            if self._control or self._cursor <= self._buffer.last:
                self._wake.set()
            else:
                self._written.set()

    def _on_message(self, message: str | bytes) -> None:
        try:
            self._on_frame(self._read(message))
        except (ValueError, TypeError) as error:
            report("reading a frame of the hub", error)

    def _read(self, message: str | bytes) -> dict[str, Any]:
        frame = json.loads(message)
        if not isinstance(frame, dict):
            raise ValueError("the hub sent a frame that is not an object")
        return frame

    def _on_frame(self, frame: dict[str, Any]) -> None:
        kind = frame.get("type")
        if kind == "ack":
            self._buffer.ack(int(frame.get("sequence", 0)))
        elif kind == "command":
            self._counterpart.on_command(frame)
        elif kind == "ping":
            self.send_control({"type": "pong", "nonce": frame.get("nonce")})
        elif kind == "error":
            self._on_error(frame)
        else:
            logger.debug(f"holdfast: ignoring a frame of type {kind}")

    def _on_error(self, frame: dict[str, Any]) -> None:
        code = str(frame.get("code"))
        detail = frame.get("detail")
        if code == "bad_sequence" and isinstance(detail, dict) and "expected" in detail:
            self._continue_from(int(detail["expected"]))
            self.wake()
            return
        if code in REFUSED_CODES:
            self._refused = True
        logger.warning(f"holdfast: the hub says {code}: {frame.get('message')}")

    def _continue_from(self, sequence: int) -> None:
        self._refusals[sequence] += 1
        refused = self._refusals[sequence] > REFUSALS_MAX
        if refused:
            logger.warning(f"holdfast: the hub does not take event {sequence}; sending a snapshot")
        if self._buffer.holds(sequence) and not refused:
            self._cursor = sequence
        else:
            self._resync(sequence - 1)

    def _resync(self, after: int) -> None:
        gap = self._buffer.discard(after)
        self._cursor = self._buffer.next_sequence
        self._counterpart.resync(gap)
