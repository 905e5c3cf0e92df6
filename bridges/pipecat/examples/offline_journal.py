"""Says on stdout, as JSON lines, what really happened in the bot, so that a test can check it."""

import json
import sys
import time
from typing import Any


def note(what: str, **details: Any) -> None:
    """Write one line; `at` is the wall clock in milliseconds since 1970."""
    at = time.time_ns() // 1_000_000
    sys.stdout.write(json.dumps({"bot": what, "at": at, **details}, ensure_ascii=False) + "\n")
    sys.stdout.flush()
