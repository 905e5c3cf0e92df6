"""Turns and their latency."""

from holdfast_pipecat.call import Call


class TurnMapper:
    """Maps Pipecat's turns.

    Pipecat starts turn 1 with the pipeline, before anybody speaks; it is said when somebody does.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._silent_turn: int | None = None

    def on_started(self, turn: int) -> None:
        """A turn has started."""
        self._call.state.turn = turn
        if turn == 1:
            self._silent_turn = turn
        else:
            self._call.emit("turn.started", {"turn": turn})

    def someone_speaks(self) -> None:
        """There is a first sign of life in the call."""
        if self._silent_turn is not None:
            turn, self._silent_turn = self._silent_turn, None
            self._call.emit("turn.started", {"turn": turn})

    def on_ended(self, turn: int, duration: float, interrupted: bool) -> None:
        """A turn is over."""
        if self._silent_turn is not None:
            self._silent_turn = None
            return
        data = {"turn": turn, "duration_secs": duration, "interrupted": interrupted}
        self._call.emit("turn.ended", data)

    def on_latency(self, seconds: float) -> None:
        """The agent's first audio came so long after the caller stopped."""
        self._call.emit("turn.latency", {"turn": self._call.state.turn, "total_secs": seconds})
