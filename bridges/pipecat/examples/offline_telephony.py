"""The telephony of the offline bot, for HOLDFAST_ON_TRANSFER: it rings a human and bridges them.

A destination that starts with `nobody` does not answer; `busy` is busy.
"""

import asyncio

from offline_journal import note

from holdfast_pipecat import TransferFailed, TransferRequest

#: Seconds until the human takes the call.
RING_SECS = 0.5


async def transfer(request: TransferRequest) -> None:
    """Return when the human is on the call."""
    note("telephony", step="ringing", to=request.to, key=request.key)
    await asyncio.sleep(RING_SECS)
    if request.to.startswith("nobody"):
        note("telephony", step="no_answer", to=request.to)
        raise TransferFailed("no_answer", f"{request.to} did not answer")
    if request.to.startswith("busy"):
        note("telephony", step="busy", to=request.to)
        raise TransferFailed("busy", f"{request.to} is busy")
    note("telephony", step="bridged", to=request.to, messages=len(request.messages))
