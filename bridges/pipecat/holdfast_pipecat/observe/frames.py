"""Frames that no stock observer reports: transcripts, responses, speech synthesis, settings."""

from collections.abc import Callable
from typing import Any, Final

from pipecat.frames.frames import (
    AggregatedTextFrame,
    AggregatedTextProgressFrame,
    BotConnectedFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    CancelFrame,
    ClientConnectedFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    FunctionCallCancelFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    InterruptionWorkerFrame,
    LLMAssistantPushAggregationFrame,
    LLMContextAssistantTimestampFrame,
    LLMContextAssistantTurnFrame,
    LLMContextFrame,
    LLMContextUserTurnFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMRunFrame,
    LLMSetToolsFrame,
    LLMTextFrame,
    ManuallySwitchServiceFrame,
    MetricsFrame,
    OutputTransportReadyFrame,
    ServiceMetadataFrame,
    ServiceSwitcherRequestMetadataFrame,
    ServiceUpdateSettingsFrame,
    StartFrame,
    StopFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    UserTurnInferenceCompletedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.llm_service import LLMService
from pipecat.services.tts_service import TTSService

from holdfast_pipecat.call import Call
from holdfast_pipecat.observe.state import agent_is, agent_rests
from holdfast_pipecat.observe.turns import TurnMapper

#: Frames whose meaning reaches the hub another way, or that carry none for a supervisor.
#: Everything else without a mapping is counted.
KNOWN: Final[frozenset[type[Frame]]] = frozenset(
    {
        AggregatedTextProgressFrame,
        BotStartedSpeakingFrame,
        BotStoppedSpeakingFrame,
        CancelFrame,
        EndFrame,
        ErrorFrame,
        FunctionCallCancelFrame,
        FunctionCallInProgressFrame,
        FunctionCallResultFrame,
        InterruptionWorkerFrame,
        LLMAssistantPushAggregationFrame,
        LLMContextAssistantTimestampFrame,
        LLMContextAssistantTurnFrame,
        LLMContextFrame,
        LLMContextUserTurnFrame,
        LLMRunFrame,
        ManuallySwitchServiceFrame,
        MetricsFrame,
        OutputTransportReadyFrame,
        ServiceSwitcherRequestMetadataFrame,
        StartFrame,
        StopFrame,
        TTSSpeakFrame,
        TTSTextFrame,
        UserStartedSpeakingFrame,
        UserStoppedSpeakingFrame,
        UserTurnInferenceCompletedFrame,
        VADUserStartedSpeakingFrame,
        VADUserStoppedSpeakingFrame,
    }
)

#: Longest value of a changed setting that is told; a system instruction is longer, and not news.
SETTING_CHARS_MAX: Final = 200


class FrameMapper:
    """Maps frames to facts."""

    def __init__(self, call: Call, turns: TurnMapper) -> None:
        self._call = call
        self._turns = turns
        self._text = call.text
        self._chars = 0
        self._tool_calls = 0
        self._handlers: dict[type[Frame], Callable[[FramePushed], None]] = {
            TranscriptionFrame: self._transcription,
            InterimTranscriptionFrame: self._interim,
            LLMFullResponseStartFrame: self._response_started,
            LLMTextFrame: self._response_text,
            FunctionCallsStartedFrame: self._tools_requested,
            LLMFullResponseEndFrame: self._response_ended,
            InterruptionFrame: self._interrupted,
            AggregatedTextFrame: self._text_to_speak,
            TTSStartedFrame: self._tts_started,
            TTSAudioRawFrame: self._tts_audio,
            TTSStoppedFrame: self._tts_stopped,
            LLMSetToolsFrame: self._tools_set,
            ClientConnectedFrame: self._client_connected,
            BotConnectedFrame: self._bot_connected,
        }

    def on_frame(self, data: FramePushed) -> None:
        """Map one frame, or count it."""
        frame = data.frame
        handler = self._handlers.get(type(frame))
        if handler is not None:
            handler(data)
        elif isinstance(frame, TranscriptionFrame):
            self._transcription(data)
        elif isinstance(frame, ServiceUpdateSettingsFrame):
            self._settings(data)
        elif isinstance(frame, ServiceMetadataFrame) or type(frame) in KNOWN:
            pass
        else:
            self._call.bridge.count_unmapped(type(frame).__name__)
        self._call.touch()

    def _transcription(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, TranscriptionFrame), "the handler is registered for this type"
        if not frame.text.strip():
            return
        self._call.utter(self._caller_text(frame))
        language = str(frame.language) if frame.language else None
        if language is not None and language != self._call.state.language:
            self._call.state.language = language
            self._call.update(language=language)

    def _interim(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, InterimTranscriptionFrame), "registered for this type"
        if frame.text.strip():
            self._call.emit("transcript.partial", self._caller_text(frame))

    def _caller_text(self, frame: TranscriptionFrame | InterimTranscriptionFrame) -> dict[str, Any]:
        data: dict[str, Any] = {"role": "caller", "pii.text": frame.text.strip()}
        if frame.language:
            data["language"] = str(frame.language)
        if self._call.state.turn:
            data["turn"] = self._call.state.turn
        return data

    def _response_started(self, data: FramePushed) -> None:
        if not isinstance(data.source, LLMService):
            return
        state = self._call.state
        self._end_response()
        self._turns.someone_speaks()
        state.responding = data.source.name
        state.responses += 1
        state.response_shows_life = False
        self._chars = self._tool_calls = 0
        self._text.response_started()
        self._call.emit("llm.response_started", {"service": data.source.name}, layer="llm")
        if not state.agent_speaking and not state.tools_running:
            agent_is(self._call, "thinking")

    def _response_text(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, LLMTextFrame), "the handler is registered for this type"
        if (
            not isinstance(data.source, LLMService)
            or data.source.name != self._call.state.responding
        ):
            return
        self._chars += len(frame.text)
        self._call.state.response_shows_life = True
        self._text.response_text(frame.text)

    def _tools_requested(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, FunctionCallsStartedFrame), "registered for this type"
        self._tool_calls += len(frame.function_calls)
        self._call.state.response_shows_life = True

    def _response_ended(self, data: FramePushed) -> None:
        if isinstance(data.source, LLMService) and data.source.name == self._call.state.responding:
            self._end_response()
            if not self._chars and not self._tool_calls:
                # An answer that is empty is followed by nothing; any other is still to be heard.
                agent_rests(self._call)

    def _interrupted(self, _: FramePushed) -> None:
        # An interruption cancels the response; its end frame may never come.
        self._end_response(interrupted=True)
        agent_rests(self._call)

    def _end_response(self, *, interrupted: bool = False) -> None:
        state = self._call.state
        if state.responding is None:
            return
        data: dict[str, Any] = {
            "service": state.responding,
            "chars": self._chars,
            "tool_calls": self._tool_calls,
        }
        if interrupted:
            data["interrupted"] = True
        state.responding = None
        self._call.emit("llm.response_ended", data, layer="llm")

    def _text_to_speak(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, AggregatedTextFrame), "the handler is registered for this type"
        if frame.will_be_spoken and frame.context_id and isinstance(data.source, TTSService):
            self._text.to_speak(frame.context_id, frame.text)

    def _tts_started(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, TTSStartedFrame), "the handler is registered for this type"
        if not isinstance(data.source, TTSService):
            return
        self._call.emit("tts.started", self._tts_data(data.source.name, frame), layer="tts")

    def _tts_audio(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, TTSAudioRawFrame), "the handler is registered for this type"
        if frame.context_id:
            self._text.audio(frame.context_id)

    def _tts_stopped(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, TTSStoppedFrame), "the handler is registered for this type"
        if not isinstance(data.source, TTSService):
            return
        self._call.emit("tts.stopped", self._tts_data(data.source.name, frame), layer="tts")

    def _tts_data(self, name: str, frame: TTSStartedFrame | TTSStoppedFrame) -> dict[str, Any]:
        data: dict[str, Any] = {"service": name}
        chars = self._text.chars(frame.context_id)
        if chars:
            data["chars"] = chars
        return data

    def _tools_set(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, LLMSetToolsFrame), "the handler is registered for this type"
        if frame.id not in self._call.own_frames:
            tools = LLMContext._normalize_and_validate_tools(frame.tools)
            self._call.catalogue.on_set(tools, cause="application")

    def _client_connected(self, _: FramePushed) -> None:
        if not self._call.state.caller_joined:
            self._call.state.caller_joined = True
            self._call.emit(
                "participant.joined", {"identity": "caller", "kind": "caller"}, layer="network"
            )

    def _bot_connected(self, _: FramePushed) -> None:
        data = {"identity": self._call.info.agent, "kind": "ai"}
        self._call.emit("participant.joined", data, layer="network")

    def _settings(self, data: FramePushed) -> None:
        frame = data.frame
        assert isinstance(frame, ServiceUpdateSettingsFrame), "the caller has checked the type"
        given = frame.delta.given_fields() if frame.delta is not None else dict(frame.settings)
        changed: dict[str, Any] = {}
        for name, value in given.items():
            short = isinstance(value, (bool, int, float)) or (
                isinstance(value, str) and len(value) <= SETTING_CHARS_MAX
            )
            changed[name] = value if short else "changed"
        layer = {"LLM": "llm", "TTS": "tts", "STT": "asr"}.get(type(frame).__name__[:3], "")
        active = self._call.inventory.active(layer)
        service = frame.service or active
        if layer and service is not None:
            self._call.emit(
                "service.settings_changed",
                {"service": service.name, "changed": changed},
                layer=layer,
            )
