"""Where the hub is and how this bot's calls are described: from the environment, once."""

import importlib
import importlib.util
import json
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

#: Where a running console says how to reach it, under the user's data directory.
CONNECTION_FILE: Final = Path("holdfast") / "connection.json"

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9._:@-]+")


@dataclass(frozen=True)
class HubAddress:
    """How to reach the hub's bridge face."""

    url: str
    token: str | None


@dataclass(frozen=True)
class NotConfigured:
    """Why there is no hub to talk to, in one sentence for a person."""

    reason: str


@dataclass(frozen=True)
class TransferRequest:
    """What the application's telephony is asked to do.

    Parameters:
        call: our id of the call.
        handoff_id: the hub's id of the handoff.
        to: an agent identity or a queue.
        key: short card key for SIP User-to-User.
        messages: the conversation so far, as the model's context holds it.
    """

    call: str
    handoff_id: str
    to: str
    key: str
    messages: list[Any] = field(repr=False)


class TransferFailed(Exception):
    """Raised by an application hook when the human could not be reached.

    Parameters:
        reason: `no_answer`, `busy`, `declined`, `voicemail`, `caller_left` or `trunk_failed`.
        message: one sentence for a person.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


#: Bridges the caller to a human. It returns only once the human is on the call, and raises
#: `TransferFailed` when that did not happen.
TransferHook = Callable[[TransferRequest], Awaitable[None]]


@dataclass(frozen=True)
class CallInfo:
    """What Pipecat does not know about a call and a supervisor wants to see.

    Parameters:
        id: the call's id; generated when not given.
        direction: `inbound` or `outbound`.
        agent: name of the AI agent.
        queue: name of the queue the call belongs to.
        language: BCP 47 tag; taken from the speech services when not given.
        flow: the dialogue flow that is running.
        build: the bot's build.
        customer, from_, to: personal data of the caller and the numbers.
        disclosure: whether the caller was told that it is an AI.
        consent: whether the caller consented.
        recording: `on`, `paused` or `off`.
        writing_tools: tools that change the outside world.
    """

    id: str | None = None
    direction: str = "inbound"
    agent: str = "pipecat-agent"
    queue: str = "default"
    language: str | None = None
    flow: str | None = None
    build: str | None = None
    customer: str | None = None
    from_: str | None = None
    to: str | None = None
    disclosure: bool | None = None
    consent: bool | None = None
    recording: str | None = None
    writing_tools: frozenset[str] = frozenset()


def hub_address(env: Mapping[str, str]) -> HubAddress | NotConfigured:
    """Find the hub: the environment first, then the file of a running console."""
    url = env.get("HOLDFAST_HUB", "").strip()
    if url:
        return HubAddress(url, env.get("HOLDFAST_TOKEN") or None)
    path = connection_file(env)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return NotConfigured(
            f"HOLDFAST_HUB is not set and no console has written {path}: start the console, "
            "or set HOLDFAST_HUB and HOLDFAST_TOKEN"
        )
    except (OSError, ValueError) as error:
        return NotConfigured(f"{path} cannot be read: {error}")
    if not isinstance(content, dict) or not isinstance(content.get("url"), str):
        return NotConfigured(f"{path} names no url: start the console again")
    token = content.get("token")
    return HubAddress(content["url"], token if isinstance(token, str) else None)


def connection_file(env: Mapping[str, str]) -> Path:
    """Where a running console writes how to reach it."""
    named = env.get("HOLDFAST_CONNECTION")
    if named:
        return Path(named)
    base = env.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / CONNECTION_FILE


def call_info(env: Mapping[str, str]) -> CallInfo:
    """Describe calls from the environment, for a bot whose code does not know us."""
    writing = env.get("HOLDFAST_WRITING_TOOLS", "")
    return CallInfo(
        id=env.get("HOLDFAST_CALL_ID") or None,
        direction="outbound" if env.get("HOLDFAST_DIRECTION") == "outbound" else "inbound",
        agent=env.get("HOLDFAST_AGENT") or "pipecat-agent",
        queue=env.get("HOLDFAST_QUEUE") or "default",
        language=env.get("HOLDFAST_LANGUAGE") or None,
        flow=env.get("HOLDFAST_FLOW") or None,
        build=env.get("HOLDFAST_BUILD") or None,
        customer=env.get("HOLDFAST_CUSTOMER") or None,
        writing_tools=frozenset(name.strip() for name in writing.split(",") if name.strip()),
    )


def instance_name(env: Mapping[str, str]) -> str:
    """Name this bridge process: given, or random so that two bots never collide."""
    return safe_id(env.get("HOLDFAST_INSTANCE", "")) or f"bot-{secrets.token_hex(4)}"


def safe_id(text: str) -> str:
    """Keep only what the wire allows in an id, at most 128 characters."""
    return _NOT_IN_ID.sub("-", text).strip("-")[:128]


def transfer_hook(env: Mapping[str, str]) -> TransferHook | None:
    """Load the hook that HOLDFAST_ON_TRANSFER names: `module:function` or `file.py:function`."""
    named = env.get("HOLDFAST_ON_TRANSFER", "").strip()
    if not named:
        return None
    place, _, function = named.rpartition(":")
    if not place:
        raise ValueError(
            f"HOLDFAST_ON_TRANSFER is {named}, not module:function or file.py:function"
        )
    if place.endswith(".py"):
        path = Path(place)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ValueError(f"HOLDFAST_ON_TRANSFER names {place}, which is not a Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    hook = getattr(module, function, None)
    if not callable(hook):
        raise ValueError(f"HOLDFAST_ON_TRANSFER names {named}, and {place} has no such function")
    return cast(TransferHook, hook)


def environment() -> Mapping[str, str]:
    """The process environment: the one place where it is read."""
    return os.environ
