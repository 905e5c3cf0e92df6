"""Fails open: nothing that goes wrong in here may reach the bot.

Every function that Pipecat calls is wrapped by one of these. What goes wrong is logged once per
place and kind, so that a fault on a hot path cannot flood the log of a bot in production.
"""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from loguru import logger

P = ParamSpec("P")
T = TypeVar("T")

_told: set[tuple[str, str]] = set()


def report(site: str, error: Exception) -> None:
    """Log a swallowed error, once for each place and kind of error."""
    kind = type(error).__name__
    if (site, kind) in _told:
        return
    _told.add((site, kind))
    logger.warning(
        f"holdfast: {site} failed with {kind}: {error}. The call goes on without it; "
        "later failures of this kind at this place are not logged."
    )


def guarded(function: Callable[P, None]) -> Callable[P, None]:
    """Wrap a plain function so that it never raises."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:
            report(function.__qualname__, error)

    return wrapper


def guarded_async(function: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Wrap a coroutine function so that it never raises anything but a cancellation."""

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            await function(*args, **kwargs)
        except Exception as error:
            report(function.__qualname__, error)

    return wrapper
