"""What kind of error it is: an HTTP status, a refused connection, a timeout, the application's."""

import asyncio
import re
from collections.abc import Iterator
from typing import Final

from pipecat.utils.errors import ErrorCategory, extract_http_status_code

#: Exceptions wrap exceptions; a provider's SDK seldom nests deeper than four.
CAUSES_MAX: Final = 8

_TOOL_FAILURE = re.compile(r"^Error executing function call \[(?P<tool>.+?)\]")

_OF_CATEGORY: Final = {
    ErrorCategory.UNKNOWN: "unknown",
    ErrorCategory.AUTHENTICATION: "authentication",
    ErrorCategory.AUTHORIZATION: "authorization",
    ErrorCategory.INVALID_REQUEST: "invalid_request",
    ErrorCategory.RATE_LIMIT: "rate_limited",
    ErrorCategory.QUOTA: "quota",
    ErrorCategory.CONNECTIVITY: "connection_error",
    ErrorCategory.SERVER: "server_error",
    ErrorCategory.APPLICATION: "application",
}


def error_type(category: ErrorCategory, exception: BaseException | None, message: str) -> str:
    """Name the kind of an error, from the most exact that is known to the least."""
    if category is ErrorCategory.APPLICATION:
        return "application"
    if category is ErrorCategory.RATE_LIMIT:
        return "rate_limited"
    for cause in _causes(exception):
        status = extract_http_status_code(cause)
        if status is not None:
            return "rate_limited" if status == 429 else f"http_{status}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection_refused"
        if isinstance(cause, (TimeoutError, asyncio.TimeoutError)):
            return "timeout"
    name = type(exception).__name__ if exception is not None else ""
    if "Timeout" in name or "timed out" in message or "timeout" in message.lower():
        return "timeout"
    if "no audio" in message:
        return "no_audio"
    return _OF_CATEGORY[category]


def failed_tool(message: str) -> str | None:
    """The tool whose failure Pipecat reports under the name of the model that called it."""
    match = _TOOL_FAILURE.match(message)
    return match.group("tool") if match else None


def tool_error_type(message: str) -> str:
    """Name the kind of a tool's failure from the exception that Pipecat quotes."""
    name = message.split(":", 1)[0]
    if "Timeout" in name:
        return "timeout"
    if name == "ConnectionRefusedError":
        return "connection_refused"
    if "Connect" in name:
        return "connection_error"
    return "application"


def _causes(exception: BaseException | None) -> Iterator[BaseException]:
    for _ in range(CAUSES_MAX):
        if exception is None:
            return
        yield exception
        exception = exception.__cause__ or exception.__context__
