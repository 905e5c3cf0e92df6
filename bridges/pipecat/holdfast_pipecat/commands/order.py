"""A command as it came, read and checked."""

from dataclasses import dataclass
from typing import Any

from holdfast_pipecat.commands.outcome import Kind, Rejected
from holdfast_pipecat.envelope import unix_seconds


@dataclass(frozen=True)
class Order:
    """One command of the hub.

    Parameters:
        id: the idempotency key.
        call: the call it is for.
        name: what to do.
        args: with what.
        expect: what the sender believed to be true.
        expires_at: Unix seconds after which it must not be done; None for never.
    """

    id: str
    call: str
    name: str
    args: dict[str, Any]
    expect: dict[str, Any]
    expires_at: float | None

    @staticmethod
    def read(frame: dict[str, Any]) -> "Order":
        """Read a command frame, rejecting what is not one."""
        args, expect = frame.get("args") or {}, frame.get("expect") or {}
        if not isinstance(args, dict) or not isinstance(expect, dict):
            raise Rejected(Kind.INVALID_ARGS, "args and expect have to be objects")
        expires = frame.get("expires_at")
        try:
            expires_at = None if expires is None else unix_seconds(str(expires))
        except ValueError as error:
            raise Rejected(Kind.INVALID_ARGS, f"expires_at is not a time: {error}") from error
        return Order(
            id=str(frame.get("command_id")),
            call=str(frame.get("call")),
            name=str(frame.get("name")),
            args=args,
            expect=expect,
            expires_at=expires_at,
        )

    def text(self, name: str) -> str:
        """A text argument that has to be there."""
        value = self.args.get(name)
        if not isinstance(value, str) or not value.strip():
            raise Rejected(Kind.INVALID_ARGS, f"{self.name} needs the text argument {name}")
        return value

    def flag(self, name: str) -> bool:
        """A yes or no, no when it is not there."""
        value = self.args.get(name, False)
        if not isinstance(value, bool):
            raise Rejected(Kind.INVALID_ARGS, f"the argument {name} has to be true or false")
        return value

    def names(self, name: str) -> list[str]:
        """A list of names, empty when it is not there."""
        value = self.args.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Rejected(Kind.INVALID_ARGS, f"the argument {name} has to be a list of names")
        return value
