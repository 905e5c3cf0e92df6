"""Joins a Pipecat bot to a Holdfast hub.

Two lines attach a bot:

    from holdfast_pipecat import attach
    attach(worker)

What is deliberately absent: any way in which a failure in here could reach the bot. The bridge
fails open; without a hub the bot does not notice that it is there.
"""

from holdfast_pipecat.attach import attach
from holdfast_pipecat.bridge import VERSION as __version__
from holdfast_pipecat.config import CallInfo, TransferFailed, TransferHook, TransferRequest

__all__ = [
    "CallInfo",
    "TransferFailed",
    "TransferHook",
    "TransferRequest",
    "__version__",
    "attach",
]
