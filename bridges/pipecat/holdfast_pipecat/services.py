"""Finds the services of a pipeline: what they are, which one is active, what can be switched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pipecat.pipeline.service_switcher import ServiceSwitcher, ServiceSwitcherStrategy
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMAssistantAggregator,
    LLMUserAggregator,
)
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.ai_service import AIService
from pipecat.services.llm_service import LLMService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport

T = TypeVar("T")

LAYERS: Final = ("asr", "llm", "tts")

_KIND_OF_LAYER: Final[tuple[tuple[type[FrameProcessor], str], ...]] = (
    (STTService, "asr"),
    (LLMService, "llm"),
    (TTSService, "tts"),
)

_CLASS_SUFFIXES: Final = ("LLMService", "STTService", "TTSService", "Service")

#: Every command that the bridge knows.
COMMANDS: Final = (
    "switch_model",
    "retry_turn",
    "disable_tools",
    "enable_tools",
    "announce",
    "pause_ai",
    "resume_ai",
    "transfer",
)

NO_HOOK: Final = (
    "the bot gave no on_transfer hook, so its telephony is unknown: pass attach(on_transfer=...) "
    "or set HOLDFAST_ON_TRANSFER"
)


@dataclass(frozen=True)
class Switcher:
    """A service switcher and the layer of its members."""

    layer: str
    processor: ServiceSwitcher[Any]

    @property
    def members(self) -> list[FrameProcessor]:
        """The services in the order of the failover ladder."""
        return self.processor.services

    @property
    def active(self) -> FrameProcessor:
        """The service that gets the work now."""
        active: FrameProcessor = self.processor.strategy.active_service
        return active

    @property
    def takes_orders(self) -> bool:
        """Whether its strategy acts on switch frames at all; the plain one ignores them."""
        strategy = type(self.processor.strategy)
        return strategy.handle_frame is not ServiceSwitcherStrategy.handle_frame


def layer_of(processor: object) -> str | None:
    """The service layer of a processor, None when it is no service."""
    for kind, layer in _KIND_OF_LAYER:
        if isinstance(processor, kind):
            return layer
    if isinstance(processor, ServiceSwitcher):
        return layer_of(processor.services[0])
    return None


def provider_of(service: FrameProcessor) -> str:
    """The vendor: Pipecat's own folder name, or the class name without what is common to all."""
    module = type(service).__module__
    prefix = "pipecat.services."
    if module.startswith(prefix):
        folder = module.removeprefix(prefix).split(".", 1)
        if len(folder) == 2:
            return folder[0]
    name = type(service).__name__
    for suffix in _CLASS_SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name


def model_of(service: FrameProcessor) -> str:
    """The model that a service is set to, empty when it names none."""
    model = service.settings.model if isinstance(service, AIService) else None
    return model if isinstance(model, str) else ""


def region_of(service: FrameProcessor) -> str:
    """The region that a service runs in, empty when it does not tell."""
    settings = service.settings if isinstance(service, AIService) else None
    for owner, name in ((settings, "region"), (service, "region"), (service, "_region")):
        region = getattr(owner, name, None)
        if isinstance(region, str):
            return region
    return ""


class Inventory:
    """The services, switchers and other landmarks of one pipeline."""

    def __init__(self, pipeline: FrameProcessor) -> None:
        self._processors = list(_walk(pipeline))
        self.switchers: list[Switcher] = []
        for processor in self._processors:
            if isinstance(processor, ServiceSwitcher):
                layer = layer_of(processor)
                if layer is not None:
                    self.switchers.append(Switcher(layer, processor))
        self._services: dict[str, list[FrameProcessor]] = {layer: [] for layer in LAYERS}
        for processor in self._processors:
            layer = None if isinstance(processor, ServiceSwitcher) else layer_of(processor)
            if layer is not None:
                self._services[layer].append(processor)
        # A switcher among the members of a switcher is itself what can be switched to.
        for switcher in self.switchers:
            for member in switcher.members:
                if member not in self._services[switcher.layer]:
                    self._services[switcher.layer].append(member)
        self.user_aggregator = self._first(LLMUserAggregator)
        self.assistant_aggregator = self._first(LLMAssistantAggregator)
        self.input = self._first(BaseInputTransport)
        self.output = self._first(BaseOutputTransport)

    def services(self, layer: str) -> list[FrameProcessor]:
        """Every service of a layer, in the order of the failover ladder."""
        return self._services.get(layer, [])

    def all_services(self) -> Iterator[tuple[str, FrameProcessor]]:
        """Every service with its layer."""
        for layer, services in self._services.items():
            for service in services:
                yield layer, service

    def find(self, layer: str, name: str) -> FrameProcessor | None:
        """The service of a layer by its name."""
        return next((s for s in self.services(layer) if s.name == name), None)

    def layer_by_name(self, name: str) -> str | None:
        """The layer of a processor by its name."""
        for layer, service in self.all_services():
            if service.name == name:
                return layer
        return next((s.layer for s in self.switchers if s.processor.name == name), None)

    def switcher_of(self, service: FrameProcessor) -> Switcher | None:
        """The switcher that a service is a member of."""
        return next((s for s in self.switchers if service in s.members), None)

    def is_switcher(self, name: str) -> bool:
        """Whether a processor of this name is a switcher."""
        return any(s.processor.name == name for s in self.switchers)

    def active(self, layer: str) -> FrameProcessor | None:
        """The service of a layer that gets the work now."""
        for switcher in self.switchers:
            if switcher.layer == layer:
                return switcher.active
        services = self.services(layer)
        return services[0] if services else None

    def entry(self, layer: str) -> FrameProcessor | None:
        """The processor through which work enters a layer: the switcher, or the only service."""
        for switcher in self.switchers:
            if switcher.layer == layer:
                return switcher.processor
        services = self.services(layer)
        return services[0] if services else None

    def context(self) -> LLMContext | None:
        """The conversation as the model sees it."""
        aggregator = self.user_aggregator or self.assistant_aggregator
        return aggregator.context if aggregator is not None else None

    def language(self) -> str | None:
        """The language that the speech services are set to."""
        for layer in ("asr", "tts"):
            for service in self.services(layer):
                settings = service.settings if isinstance(service, AIService) else None
                language = getattr(settings, "language", None)
                if isinstance(language, str) and language:
                    return str(language)
        return None

    def describe(self) -> list[dict[str, Any]]:
        """Every service as the protocol names it."""
        described = []
        for layer, service in self.all_services():
            switcher = self.switcher_of(service)
            entry: dict[str, Any] = {
                "layer": layer,
                "name": service.name,
                "gen_ai.provider.name": provider_of(service),
                "gen_ai.request.model": model_of(service),
                "region": region_of(service),
                "active": switcher.active is service if switcher else True,
                "usable": service.is_usable,
            }
            if switcher is not None:
                entry["rung"] = _rung(switcher, service)
            described.append(entry)
        return described

    def capabilities(self, *, has_transfer: bool) -> list[dict[str, Any]]:
        """What can be done on this pipeline, with the reason where it cannot."""
        reasons: dict[str, str | None] = dict.fromkeys(COMMANDS)
        layers = sorted({s.layer for s in self.switchers if s.takes_orders and len(s.members) > 1})
        if not layers:
            reasons["switch_model"] = "the pipeline has no ServiceSwitcher with a second service"
        if self.user_aggregator is None:
            missing = "the pipeline has no LLMContextAggregatorPair to run the model from"
            reasons["retry_turn"] = missing
            reasons["disable_tools"] = reasons["enable_tools"] = missing
        if not self.services("tts"):
            reasons["announce"] = "the pipeline has no text to speech service"
        if not self.services("llm"):
            reasons["pause_ai"] = reasons["resume_ai"] = "the pipeline has no model to hold back"
        if not has_transfer:
            reasons["transfer"] = NO_HOOK
        listed: list[dict[str, Any]] = []
        for name in COMMANDS:
            reason = reasons[name]
            capability: dict[str, Any] = {"name": name, "available": reason is None}
            if reason is not None:
                capability["reason"] = reason
            elif name == "switch_model":
                capability["layers"] = layers
            listed.append(capability)
        return listed

    def _first(self, kind: type[T]) -> T | None:
        return next((p for p in self._processors if isinstance(p, kind)), None)


def _rung(switcher: Switcher, service: FrameProcessor) -> str:
    first = switcher.members[0]
    if service is first:
        return "primary"
    same = (provider_of(service), model_of(service)) == (provider_of(first), model_of(first))
    return "retry" if same and model_of(service) else "backup"


def _walk(processor: FrameProcessor) -> Iterator[FrameProcessor]:
    yield processor
    for inner in processor.processors:
        yield from _walk(inner)
