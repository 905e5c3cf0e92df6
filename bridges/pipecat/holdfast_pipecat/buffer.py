"""What was said and is not yet durable at the hub: bounded, in order, and honest about loss."""

from dataclasses import dataclass
from typing import Final

#: Events kept until the hub has them. A busy call makes about 15 events a second, so one call
#: survives a hub that is away for ten minutes, at about 500 bytes an event in 5 MB.
BUFFER_EVENTS_MAX: Final = 10_000

#: Bytes kept, for calls whose events are unusually long.
BUFFER_BYTES_MAX: Final = 16 * 1024 * 1024


@dataclass(frozen=True)
class Gap:
    """A range of sequence numbers that the hub will never get."""

    from_seq: int
    to_seq: int

    @property
    def missing(self) -> int:
        """How many events the range holds."""
        return self.to_seq - self.from_seq + 1


class EventBuffer:
    """Events by sequence number, from the oldest one kept to the newest.

    When it is full the oldest goes, and the buffer remembers what the hub has confirmed, so that
    it can say exactly how much was lost.
    """

    def __init__(
        self, events_max: int = BUFFER_EVENTS_MAX, bytes_max: int = BUFFER_BYTES_MAX
    ) -> None:
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._texts: dict[int, str] = {}
        self._bytes = 0
        self._first = 1
        self._last = 0
        self._acked = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def capacity(self) -> int:
        """How many events fit."""
        return self._events_max

    @property
    def next_sequence(self) -> int:
        """The sequence number that the next event gets."""
        return self._last + 1

    @property
    def last(self) -> int:
        """The newest sequence number, 0 before the first event."""
        return self._last

    @property
    def acked(self) -> int:
        """The newest sequence number that the hub has called durable."""
        return self._acked

    def append(self, text: str) -> int:
        """Keep an event under the next sequence number, dropping the oldest when full."""
        self._last += 1
        self._texts[self._last] = text
        self._bytes += len(text)
        while len(self._texts) > self._events_max or (
            self._bytes > self._bytes_max and len(self._texts) > 1
        ):
            self._forget_first()
            self.dropped += 1
        return self._last

    def ack(self, sequence: int) -> None:
        """Forget everything up to a sequence number that the hub has made durable."""
        if sequence > self._last:
            return
        self._acked = max(self._acked, sequence)
        while self._texts and self._first <= sequence:
            self._forget_first()

    def holds(self, sequence: int) -> bool:
        """Whether sending can go on from here: the event is kept, or is the next to come."""
        return sequence == self.next_sequence or sequence in self._texts

    def batch(self, cursor: int, events_max: int, bytes_max: int) -> list[str]:
        """Take events from the cursor on, within both limits, at least one if there is one."""
        texts: list[str] = []
        size = 0
        while cursor <= self._last and len(texts) < events_max:
            text = self._texts[cursor]
            # Four bytes a character is the most that UTF-8 takes; two for the comma and bracket.
            size += len(text.encode("utf-8")) + 2
            if texts and size > bytes_max:
                break
            texts.append(text)
            cursor += 1
        return texts

    def discard(self, after: int) -> Gap | None:
        """Give up what the hub does not have, and say which range that was."""
        known = max(after, self._acked)
        self._texts.clear()
        self._bytes = 0
        self._first = self._last + 1
        return Gap(known + 1, self._last) if known < self._last else None

    def _forget_first(self) -> None:
        text = self._texts.pop(self._first)
        self._bytes -= len(text)
        self._first += 1
