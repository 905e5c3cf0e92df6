"""What the agent meant to say, and how much of it was heard.

The model's text is what it meant. What Pipecat's assistant aggregator commits to the context is
what was spoken, as exactly as the voice tells: word by word with word timestamps, sentence by
sentence without. The difference is the tail that was never heard.
"""

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from holdfast_pipecat.call import Call

#: Responses whose speech is still to come. More than a few never wait.
RESPONSES_MAX: Final = 32

#: Speech contexts that are remembered; one lives for a turn.
CONTEXTS_MAX: Final = 64

_WORD = re.compile(r"\S+")


class AgentText:
    """Pairs what the model said with what the caller heard."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._meant: deque[list[str]] = deque(maxlen=RESPONSES_MAX)
        self._contexts: dict[str, list[str]] = {}
        self._audible: set[str] = set()

    def response_started(self) -> None:
        """The model begins a response."""
        self._meant.append([])

    def response_text(self, text: str) -> None:
        """The model continues its response."""
        if self._meant:
            self._meant[-1].append(text)

    def to_speak(self, context_id: str, text: str) -> None:
        """A text goes to the voice."""
        self._contexts.setdefault(context_id, []).append(text)
        while len(self._contexts) > CONTEXTS_MAX:
            self.forget(next(iter(self._contexts)))

    def audio(self, context_id: str) -> None:
        """The voice has made a first sound of a text."""
        self._audible.add(context_id)

    def contexts_of(self, text: str) -> set[str]:
        """The contexts in which a text went to the voice."""
        wanted = "".join(text.split())
        return {
            context
            for context, texts in self._contexts.items()
            if "".join("".join(texts).split()) == wanted
        }

    def is_audible(self, context_id: str) -> bool:
        """Whether the voice has made a first sound in a context."""
        return context_id in self._audible

    def chars(self, context_id: str | None) -> int:
        """Characters that went to the voice in one context."""
        return sum(len(text) for text in self._contexts.get(context_id or "", []))

    def turn_stopped(self, spoken: str, interrupted: bool) -> None:
        """The agent's utterance is over: say what it meant and what of it was never heard."""
        meant = self._take_meant(spoken, interrupted)
        heard = "" if self._was_silent(spoken, interrupted) else spoken
        text, unspoken = compare(meant, heard)
        if not text:
            return
        self._call.state.unheard = text if unspoken == text else ""
        data: dict[str, Any] = {
            "role": "agent",
            "pii.text": text,
            "language": self._call.state.language,
        }
        if self._call.state.turn:
            data["turn"] = self._call.state.turn
        if interrupted:
            data["interrupted"] = True
        if unspoken:
            data["pii.unspoken"] = unspoken
        self._call.utter(data)

    def _take_meant(self, spoken: str, interrupted: bool) -> str:
        if interrupted:
            # Everything that was still to be said is gone with the interruption.
            meant = " ".join("".join(parts).strip() for parts in self._meant)
            self._meant.clear()
            return meant.strip() or spoken
        if not self._meant:
            return spoken
        meant = "".join(self._meant[0]).strip()
        if spoken.strip() and not meant.startswith(_first_word(spoken)):
            # A sentence of the application's own; the model's is still to come.
            return spoken
        self._meant.popleft()
        return meant

    def forget(self, context_id: str) -> None:
        """A context is settled: the same words may come again in another one."""
        self._contexts.pop(context_id, None)
        self._audible.discard(context_id)

    def _was_silent(self, spoken: str, interrupted: bool) -> bool:
        contexts = [
            context
            for context, texts in self._contexts.items()
            if any(text.strip() and text.strip() in spoken for text in texts)
        ]
        silent = bool(contexts) and not any(context in self._audible for context in contexts)
        for context in list(self._contexts) if interrupted else contexts:
            self.forget(context)
        return silent


def compare(meant: str, heard: str) -> tuple[str, str]:
    """The whole text, and the tail of it that was not heard. They are compared word by word."""
    meant, heard = meant.strip(), heard.strip()
    if not meant:
        return heard, ""
    words = list(_WORD.finditer(meant))
    heard_words = _WORD.findall(heard)
    if len(heard_words) > len(words):
        return heard, ""
    for word, heard_word in zip(words, heard_words, strict=False):
        if word.group() != heard_word:
            # A filter or a pronunciation rule changed the text: what was heard is the truth.
            return heard, ""
    if len(heard_words) == len(words):
        return meant, ""
    return meant, meant[words[len(heard_words)].start() :]


def _first_word(text: str) -> str:
    match = _WORD.search(text)
    return match.group() if match else ""
