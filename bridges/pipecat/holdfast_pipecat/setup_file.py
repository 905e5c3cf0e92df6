"""The file for PIPECAT_SETUP_FILES: attaches every pipeline worker, without a change to the bot.

Print its path with `python -m holdfast_pipecat setup-file`.
"""

import asyncio

from pipecat.pipeline.worker import PipelineWorker
from pipecat.workers.runner import WorkerRunner

from holdfast_pipecat.attach import attach, bridge_of
from holdfast_pipecat.bridge import host_name
from holdfast_pipecat.envelope import PLATFORM
from holdfast_pipecat.guard import guarded_async


@guarded_async
async def setup_worker_runner(runner: WorkerRunner) -> None:
    """Say that there is a worker process."""
    bridge = bridge_of(asyncio.get_running_loop())
    if bridge is not None:
        data = {"worker": bridge.instance, "host": host_name()}
        bridge.emit("infra.worker_registered", PLATFORM, data, layer="infrastructure")


@guarded_async
async def setup_pipeline_worker(worker: PipelineWorker) -> None:
    """Attach one pipeline worker."""
    attach(worker)
