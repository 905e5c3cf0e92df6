"""The words on the wire: one event as CloudEvents JSON, and the limits of what it may carry."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

#: Characters of one text field. An utterance is seldom over 1,000 characters; 8,000 of four-byte
#: characters are 32 KB, so that even an event of several such fields stays far below the 1 MiB
#: that the hub takes in one frame.
TEXT_CHARS_MAX: Final = 8_000

#: Items of one list or object inside `data`: tool arguments and results come from the application.
ITEMS_MAX: Final = 200

#: Levels of nesting inside `data`. The hub refuses frames over 32 levels.
DEPTH_MAX: Final = 8

#: OpenTelemetry severity numbers, as the hub reads them.
INFO: Final = 9
WARN: Final = 13
ERROR: Final = 17

#: Subject of events about the whole platform.
PLATFORM: Final = "*"


def rfc3339(seconds: float) -> str:
    """Write a Unix time in seconds as RFC 3339, UTC, milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def unix_seconds(text: str) -> float:
    """Read an RFC 3339 time as Unix seconds. Raises ValueError when it is not one."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment.timestamp()


def clip(text: str, limit: int = TEXT_CHARS_MAX) -> str:
    """Shorten text to the limit, saying that something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(value: Any, depth: int = 0) -> Any:
    """Turn a value of the application into bounded JSON: clipped, shallow, finite."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else str(value)
    if isinstance(value, str):
        return clip(value)
    if depth >= DEPTH_MAX:
        return clip(str(value))
    if isinstance(value, dict):
        return {
            clip(str(key), 200): plain(item, depth + 1)
            for key, item in list(value.items())[:ITEMS_MAX]
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value[:ITEMS_MAX]]
    return clip(str(value))


def encode(value: Any) -> str:
    """Write JSON that is valid UTF-8: a lone surrogate from an application becomes `?`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8")


def written(value: Any) -> str:
    """Write a value of the application as text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else encode(plain(value))


@dataclass(frozen=True)
class Fact:
    """What happened, before it has its place in the sequence.

    Parameters:
        type: the event type without its `holdfast.` prefix.
        subject: the call id, or `*`.
        data: the event's own fields.
        time: Unix seconds at the origin.
        layer: the service layer, where the type asks for one.
        severity: OpenTelemetry severity number.
        causation: the command whose effect this is.
    """

    type: str
    subject: str
    data: dict[str, Any]
    time: float
    layer: str | None = None
    severity: int = INFO
    causation: str | None = None


@dataclass(frozen=True)
class Envelope:
    """What is the same in every event of one bridge process."""

    source: str
    epoch: str

    def write(self, fact: Fact, sequence: int, recorded: float) -> str:
        """Write a fact as one JSON text with its place in the sequence."""
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{self.epoch[:8]}-{sequence:05d}",
            "source": self.source,
            "type": f"holdfast.{fact.type}",
            "subject": fact.subject,
            "time": rfc3339(fact.time),
            "recordedtime": rfc3339(recorded),
            "sequence": f"{sequence:020d}",
            "epoch": self.epoch,
            "severitynumber": fact.severity,
            "data": plain(fact.data),
        }
        if fact.layer is not None:
            event["layer"] = fact.layer
        if fact.causation is not None:
            event["causationid"] = fact.causation
        return encode(event)
