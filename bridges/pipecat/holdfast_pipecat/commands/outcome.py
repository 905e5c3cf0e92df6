"""How a command ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Why a command was rejected or failed; closed by the protocol."""

    UNKNOWN_COMMAND = "unknown_command"
    INVALID_ARGS = "invalid_args"
    UNKNOWN_CALL = "unknown_call"
    CALL_ENDED = "call_ended"
    EXPECTATION_FAILED = "expectation_failed"
    NOT_CAPABLE = "not_capable"
    TARGET_UNKNOWN = "target_unknown"
    TARGET_UNUSABLE = "target_unusable"
    NOT_APPLIED = "not_applied"
    PLATFORM_ERROR = "platform_error"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True)
class Applied:
    """It was done, and this is what the platform reads back.

    Parameters:
        read_back: the truth after the act.
        told: says the events that are the act's effect, after the answer.
    """

    read_back: dict[str, Any]
    told: list[Callable[[], None]] = field(default_factory=list)


class Refusal(Exception):
    """A command that ends without being applied."""

    state = "rejected"

    def __init__(self, kind: Kind | None, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Rejected(Refusal):
    """It was not tried, or it was undone: nothing has changed."""


class Expired(Refusal):
    """It came too late and was not done."""

    state = "expired"

    def __init__(self) -> None:
        super().__init__(None, "the command had expired before it was begun")


class Failed(Refusal):
    """It was tried and did not come true."""

    state = "failed"
