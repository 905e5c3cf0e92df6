"""Says on stdout, as JSON lines, what really happened in the bot, so that a test can check it."""

import json
import sys
from typing import Any


def note(what: str, **details: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps({"bot": what, **details}, ensure_ascii=False) + "\n")
    sys.stdout.flush()
