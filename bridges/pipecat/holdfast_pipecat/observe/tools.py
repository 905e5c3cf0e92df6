"""Tool calls, from request to outcome."""

from typing import Any, Final

from pipecat.observers.function_call_observer import FunctionCallEvent, FunctionCallEventKind

from holdfast_pipecat.call import Call
from holdfast_pipecat.envelope import ERROR, INFO, WARN, written
from holdfast_pipecat.observe.errors import tool_error_type
from holdfast_pipecat.observe.state import agent_is

#: Outcomes of a tool that it may itself report under the key `effect` of its result.
EFFECTS: Final = frozenset({"committed", "none", "unknown"})


class ToolMapper:
    """Maps Pipecat's function calls."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def on_event(self, event: FunctionCallEvent) -> None:
        """Map one moment of a tool call."""
        call = self._call
        name, id_ = event.function_name, event.tool_call_id
        data: dict[str, Any] = {"gen_ai.tool.name": name, "gen_ai.tool.call.id": id_}
        ran = None
        if event.in_progress_at is not None:
            ran = max(0.0, event.timestamp - event.in_progress_at)
        kind = event.kind
        if kind is FunctionCallEventKind.STARTED:
            self._emit("tool.requested", {**data, "pii.args": written(event.arguments)}, event)
        elif kind is FunctionCallEventKind.IN_PROGRESS:
            call.state.tools_running[id_] = name
            data |= {"pii.args": written(event.arguments), "blocking": event.blocking is True}
            if name in call.info.writing_tools:
                data["writes"] = True
            self._emit("tool.started", data, event)
            if not call.state.agent_speaking:
                agent_is(call, "tools")
        else:
            call.state.tools_running.pop(id_, None)
            self._settle(event, data, ran)
            self._agent_goes_on()

    def _agent_goes_on(self) -> None:
        """After its last tool the model is asked again."""
        if not self._call.state.tools_running and self._call.state.agent == "tools":
            agent_is(self._call, "thinking")

    def _settle(self, event: FunctionCallEvent, data: dict[str, Any], ran: float | None) -> None:
        kind = event.kind
        if kind is FunctionCallEventKind.COMPLETED:
            data |= {"duration_secs": ran or 0.0, "pii.result": written(event.result)}
            effect = event.result.get("effect") if isinstance(event.result, dict) else None
            if effect in EFFECTS:
                data["effect"] = effect
            self._emit("tool.completed", data, event)
        elif kind is FunctionCallEventKind.FAILED:
            message = event.error or "the tool raised an exception"
            data |= {"error.type": tool_error_type(message), "message": message}
            self._emit("tool.failed", data, event, severity=ERROR)
        elif kind is FunctionCallEventKind.TIMED_OUT:
            if ran is not None:
                data["deadline_secs"] = ran
            self._emit("tool.timed_out", data, event, severity=ERROR)
        elif kind is FunctionCallEventKind.CANCELLED:
            self._emit("tool.cancelled", data, event, severity=WARN)

    def _emit(
        self, type_: str, data: dict[str, Any], event: FunctionCallEvent, severity: int = INFO
    ) -> None:
        self._call.emit(type_, data, layer="tools", time=event.timestamp, severity=severity)
