"""Joins a pipeline worker to the bridge of its event loop."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from loguru import logger
from pipecat.frames.frames import CancelFrame, EndFrame, Frame, StopFrame
from pipecat.pipeline.service_switcher import ServiceSwitcher
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import (
    AssistantTurnStoppedMessage,
    LLMAssistantAggregator,
)
from pipecat.processors.frame_processor import FrameProcessor

from holdfast_pipecat import config
from holdfast_pipecat.bridge import Bridge
from holdfast_pipecat.call import Call
from holdfast_pipecat.config import CallInfo, NotConfigured, TransferHook
from holdfast_pipecat.envelope import ERROR, WARN
from holdfast_pipecat.guard import guarded_async, report
from holdfast_pipecat.observe import CallObserver
from holdfast_pipecat.observe.switches import SwitchWatch
from holdfast_pipecat.services import Inventory

#: Events by which a transport tells that the caller is gone; each transport has its own.
HANG_UP_EVENTS: Final = (
    "on_client_disconnected",
    "on_participant_left",
    "on_participant_disconnected",
    "on_dialin_stopped",
    "on_disconnected",
)

_bridges: WeakKeyDictionary[asyncio.AbstractEventLoop, Bridge] = WeakKeyDictionary()
_attached: WeakKeyDictionary[PipelineWorker, Call] = WeakKeyDictionary()
_told_unconfigured = False


def attach(
    worker: PipelineWorker,
    *,
    call: CallInfo | None = None,
    on_transfer: TransferHook | None = None,
    bridge: Bridge | None = None,
) -> None:
    """Join a pipeline worker to the hub. Call it in the event loop, before the worker runs.

    Whatever goes wrong in here, the bot goes on without us.

    Parameters:
        worker: the bot's pipeline worker (or task).
        call: what Pipecat does not know about the call; read from the environment when not given.
        on_transfer: brings a human onto the call; without it `transfer` is not available.
        bridge: for tests; by default all workers of an event loop share one.
    """
    try:
        _attach(worker, call, on_transfer, bridge)
    except Exception as error:
        report("attach", error)


def bridge_of(loop: asyncio.AbstractEventLoop, *, has_transfer: bool = False) -> Bridge | None:
    """The bridge of an event loop, started; None when no hub is configured."""
    global _told_unconfigured
    bridge = _bridges.get(loop)
    if bridge is not None:
        return bridge
    env = config.environment()
    found = config.hub_address(env)
    if isinstance(found, NotConfigured):
        if not _told_unconfigured:
            _told_unconfigured = True
            logger.info(f"holdfast: not connected to a hub, doing nothing: {found.reason}")
        return None
    bridge = Bridge(
        config.instance_name(env), lambda: config.hub_address(env), has_transfer=has_transfer
    )
    _bridges[loop] = bridge
    bridge.start()
    return bridge


def _attach(
    worker: PipelineWorker,
    info: CallInfo | None,
    on_transfer: TransferHook | None,
    bridge: Bridge | None,
) -> None:
    known = _attached.get(worker)
    if known is not None:
        # Attached by PIPECAT_SETUP_FILES and in the code: the second adds what it knows.
        known.info = info or known.info
        known.on_transfer = on_transfer or known.on_transfer
        return
    if worker.bridged:
        # A part of another worker's call, which is attached itself.
        return
    env = config.environment()
    hook = on_transfer or _named_hook(env)
    bridge = bridge or bridge_of(asyncio.get_running_loop(), has_transfer=hook is not None)
    if bridge is None:
        return
    info = info or config.call_info(env)
    call_id = config.safe_id(info.id or "") or bridge.next_call_id()
    inventory = Inventory(worker.pipeline)
    call = Call(bridge, worker, call_id, info, inventory, hook, bridge.clock())
    _attached[worker] = call
    worker.add_observer(CallObserver(call))
    _follow_worker(call)
    _follow_services(call)
    _follow_transport(call)


def _named_hook(env: Mapping[str, str]) -> TransferHook | None:
    """A hook that cannot be loaded costs the transfer, not the sight of the call."""
    try:
        return config.transfer_hook(env)
    except Exception as error:
        report("loading HOLDFAST_ON_TRANSFER", error)
        return None


def _follow_worker(call: Call) -> None:
    worker, bridge = call.worker, call.bridge

    @guarded_async
    async def on_started(_: PipelineWorker, __: Frame) -> None:
        call.state.started_at = bridge.clock()
        bridge.call_started(call)
        if call.catalogue.names():
            call.catalogue.tell("started", "")

    @guarded_async
    async def on_finished(_: PipelineWorker, frame: Frame) -> None:
        reason, ended_by = _ending(call, frame)
        bridge.call_ended(call, reason, ended_by)
        await bridge.farewell()

    @guarded_async
    async def on_stalled(_: PipelineWorker) -> None:
        secs = worker.params.heartbeats_monitor_secs
        call.emit("pipeline.stalled", {"secs": secs}, layer="orchestration", severity=ERROR)

    @guarded_async
    async def on_idle(_: PipelineWorker) -> None:
        secs = getattr(worker, "_idle_timeout_secs", None)
        call.emit("pipeline.idle", {"secs": secs or 0.0}, layer="orchestration", severity=WARN)

    worker.add_event_handler("on_pipeline_started", on_started)
    worker.add_event_handler("on_pipeline_finished", on_finished)
    worker.add_event_handler("on_heartbeat_timeout", on_stalled)
    worker.add_event_handler("on_idle_timeout", on_idle)


def _ending(call: Call, frame: Frame) -> tuple[str, str]:
    reason = getattr(frame, "reason", None)
    if call.state.hung_up:
        return str(reason or "caller hung up"), "caller"
    if isinstance(frame, (EndFrame, StopFrame)):
        return str(reason or "ended"), "agent"
    if isinstance(frame, CancelFrame):
        return str(reason or "cancelled"), "platform"
    return str(reason or type(frame).__name__), "platform"


def _follow_services(call: Call) -> None:
    inventory = call.inventory
    for switcher in inventory.switchers:
        SwitchWatch(call, switcher)
    for layer, service in inventory.all_services():
        if not isinstance(service, ServiceSwitcher):
            _follow_usability(call, layer, service)
    aggregator = inventory.assistant_aggregator
    if aggregator is None:
        return

    @guarded_async
    async def on_stopped(_: LLMAssistantAggregator, message: AssistantTurnStoppedMessage) -> None:
        call.text.turn_stopped(message.content or "", message.interrupted)

    aggregator.add_event_handler("on_assistant_turn_stopped", on_stopped)


def _follow_usability(call: Call, layer: str, service: FrameProcessor) -> None:
    @guarded_async
    async def on_usable_changed(_: FrameProcessor, usable: bool) -> None:
        data: dict[str, Any] = {"service": service.name, "available": usable}
        error = call.state.last_error.get(service.name)
        if not usable and error is not None:
            data["reason"] = error[0]
        severity = ERROR if not usable else 9
        call.emit("service.availability_changed", data, layer=layer, severity=severity)

    service.add_event_handler("on_usable_changed", on_usable_changed)


def _follow_transport(call: Call) -> None:
    # A transport's processors keep it under this name; its events say who comes and goes.
    transport = getattr(call.inventory.input, "_transport", None)
    known = getattr(transport, "_event_handlers", {})

    @guarded_async
    async def on_hang_up(*_: Any) -> None:
        if call.state.hung_up or call.id not in call.bridge.calls:
            return
        call.state.hung_up = True
        call.emit("transport.disconnected", {"reason": "caller left"}, layer="network")
        data = {"identity": "caller", "kind": "caller"}
        call.emit("participant.left", data, layer="network")

    for name in HANG_UP_EVENTS:
        if transport is not None and name in known:
            transport.add_event_handler(name, on_hang_up)
