"""Which tools the model may use: the whole catalogue, and what of it is taken away."""

from typing import TYPE_CHECKING, Any

from pipecat.adapters.llm.schemas.direct_function import DirectFunction
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.utils.types import NOT_GIVEN, NotGiven, is_given

if TYPE_CHECKING:
    from holdfast_pipecat.call import Call

Tool = FunctionSchema | DirectFunction


class Catalogue:
    """Every tool that the bot ever offered on this call, by name."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._tools: dict[str, Tool] = {}
        self._custom: Any = None

    def names(self) -> list[str]:
        """Every tool there is, in the order of the bot."""
        self._learn(self._current())
        return list(self._tools)

    def enabled(self) -> list[str]:
        """What the model may use now, read from the context."""
        current = self._current()
        return [tool.name for tool in current.standard_tools] if is_given(current) else []

    def select(self, names: list[str]) -> ToolsSchema | NotGiven:
        """A set of tools for the context."""
        chosen = [self._tools[name] for name in self._tools if name in names]
        if not chosen:
            return NOT_GIVEN
        return ToolsSchema(standard_tools=chosen, custom_tools=self._custom)

    def on_set(self, tools: ToolsSchema | NotGiven, *, cause: str, causation: str = "") -> None:
        """The set of tools was changed: say it."""
        self._learn(tools)
        enabled = [tool.name for tool in tools.standard_tools] if is_given(tools) else []
        self._tell(enabled, cause, causation)

    def tell(self, cause: str, causation: str) -> None:
        """Say what the model may use now."""
        self._tell(self.enabled(), cause, causation)

    def _tell(self, enabled: list[str], cause: str, causation: str) -> None:
        disabled = [name for name in self._tools if name not in enabled]
        data: dict[str, Any] = {"enabled": enabled, "disabled": disabled, "cause": cause}
        self._call.state.catalogue = data
        self._call.emit("tool.catalog_changed", data, layer="tools", causation=causation or None)

    def _current(self) -> ToolsSchema | NotGiven:
        context = self._call.inventory.context()
        return context.tools if context is not None else NOT_GIVEN

    def _learn(self, tools: ToolsSchema | NotGiven) -> None:
        if not is_given(tools):
            return
        # A direct function carries its handler only as the function itself.
        functions = {wrapper.name: wrapper.function for wrapper in tools.direct_functions}
        for schema in tools.standard_tools:
            self._tools[schema.name] = functions.get(schema.name, schema)
        if tools.custom_tools:
            self._custom = tools.custom_tools
