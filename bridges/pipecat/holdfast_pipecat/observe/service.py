"""What services took, used, and failed with."""

from collections import deque
from typing import Any, Final

from pipecat.frames.frames import ErrorFrame
from pipecat.observers.error_observer import ErrorEvent
from pipecat.observers.service_metrics_observer import (
    ServiceLatencyKind,
    ServiceLatencyRecord,
    ServiceUsageRecord,
)
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.utils.errors import ErrorCategory

from holdfast_pipecat.call import Call
from holdfast_pipecat.envelope import ERROR, WARN
from holdfast_pipecat.observe.errors import error_type, failed_tool

#: Pipecat's time to first answer token is what the catalogue calls time to first token.
METRICS: Final = {
    ServiceLatencyKind.TTFB: "ttfb",
    ServiceLatencyKind.TTFA: "ttfa",
    ServiceLatencyKind.TTFAT: "ttft",
}

#: Errors between an error frame and its event; they follow each other at once.
EXPECTED_ERRORS_MAX: Final = 256


class ServiceMapper:
    """Maps metrics and errors of services."""

    def __init__(self, call: Call) -> None:
        self._call = call
        # The stock observer names only the type of the exception; the frame has the exception.
        self._frames: deque[ErrorFrame] = deque(maxlen=EXPECTED_ERRORS_MAX)

    def on_latency(self, record: ServiceLatencyRecord) -> None:
        """Map one measurement. The metrics that Pipecat sends at the start carry 0.0: no news."""
        if record.seconds <= 0.0:
            return
        data = {
            "service": record.processor,
            "metric": METRICS[record.kind],
            "seconds": record.seconds,
        }
        self._call.emit(
            "service.latency", data, layer=self._layer(record.processor), time=record.timestamp
        )

    def on_usage(self, record: ServiceUsageRecord) -> None:
        """Map one report of use."""
        data: dict[str, Any] = {"service": record.processor}
        if record.total_tokens is not None:
            data["tokens"] = record.total_tokens
        if record.characters is not None:
            data["characters"] = record.characters
        if record.audio_seconds is not None:
            data["audio_seconds"] = record.audio_seconds
        self._call.emit(
            "service.usage", data, layer=self._layer(record.processor), time=record.timestamp
        )

    def expect_error(self, frame: ErrorFrame) -> None:
        """Remember the frame whose event comes next."""
        self._frames.append(frame)

    def on_error(self, event: ErrorEvent) -> None:
        """Map one error, to the layer that really failed."""
        frame = self._frames.popleft() if self._frames else None
        processor = frame.processor if frame is not None else None
        if self._call.inventory.is_switcher(event.processor):
            # The switcher repeats the error of its member under its own name.
            return
        exception = frame.exception if frame is not None else None
        kind = error_type(event.category, exception, event.message)
        service, layer = event.processor, self._layer(event.processor, processor)
        if event.category is ErrorCategory.APPLICATION:
            # A failed tool, reported under the name of the model that called it.
            layer, service = "tools", failed_tool(event.message) or event.processor
        else:
            self._call.state.last_error[service] = (kind, event.timestamp)
        permanent = event.category.is_permanent or not event.processor_usable
        data = {
            "service": service,
            "error.type": kind,
            "message": event.message,
            "permanent": permanent,
            "recoverable": not permanent,
            "usable": event.processor_usable,
        }
        self._call.emit(
            "service.error",
            data,
            layer=layer,
            time=event.timestamp,
            severity=ERROR if layer != "tools" else WARN,
        )

    def _layer(self, name: str, processor: FrameProcessor | None = None) -> str:
        layer = self._call.inventory.layer_by_name(name)
        if layer is not None:
            return layer
        if isinstance(processor, (BaseInputTransport, BaseOutputTransport)):
            return "network"
        return "orchestration"
