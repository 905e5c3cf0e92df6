"""Who is speaking, and who was cut off."""

from pipecat.observers.speaking_observer import SpeechEvent, SpeechEventKind

from holdfast_pipecat.call import Call
from holdfast_pipecat.observe.state import agent_is, agent_rests


class SpeechMapper:
    """Maps Pipecat's speaking moments.

    The caller appears twice: as the voice detector heard it and as the turn strategy ruled on it.
    The detector's account is the speech; a bot without a detector of its own has only rulings.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._detector = False

    def on_speech(self, event: SpeechEvent) -> None:
        """Map one moment."""
        kind, at = event.kind, event.timestamp
        if kind is SpeechEventKind.USER_SPEECH_STARTED:
            self._detector = True
            self._caller(True, at)
        elif kind is SpeechEventKind.USER_SPEECH_STOPPED:
            self._caller(False, at)
        elif kind is SpeechEventKind.USER_TURN_STARTED:
            if not self._detector:
                self._caller(True, at)
        elif kind is SpeechEventKind.USER_TURN_STOPPED:
            if not self._detector:
                self._caller(False, at)
        elif kind is SpeechEventKind.BOT_SPEECH_STARTED:
            self._agent(True, at)
        elif kind is SpeechEventKind.BOT_SPEECH_STOPPED:
            self._agent(False, at)
        elif kind is SpeechEventKind.INTERRUPTION:
            self._interruption(at)

    def _caller(self, speaking: bool, at: float) -> None:
        state = self._call.state
        if state.caller_speaking == speaking:
            return
        state.caller_speaking = speaking
        name = "speech.started" if speaking else "speech.stopped"
        self._call.emit(name, {"actor": "caller"}, time=at)
        if speaking:
            agent_rests(self._call)

    def _agent(self, speaking: bool, at: float) -> None:
        state = self._call.state
        if state.agent_speaking == speaking:
            return
        state.agent_speaking = speaking
        name = "speech.started" if speaking else "speech.stopped"
        self._call.emit(name, {"actor": "agent"}, time=at)
        if speaking:
            agent_is(self._call, "speaking")
        else:
            agent_rests(self._call)

    def _interruption(self, at: float) -> None:
        # Pipecat interrupts at every turn of the caller, also when nobody is speaking.
        if self._call.state.agent_speaking:
            by = "caller" if self._call.state.caller_speaking else "agent"
            self._call.emit("speech.interrupted", {"by": by}, time=at)
