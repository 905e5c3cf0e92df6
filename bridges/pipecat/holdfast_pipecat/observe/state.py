"""What the agent is doing, derived: Pipecat itself does not name it."""

from holdfast_pipecat.call import Call


def agent_is(call: Call, state: str) -> None:
    """Move the agent to another state, and say so if it is another one."""
    before = call.state.agent
    if before == state:
        return
    call.state.agent = state
    call.emit("agent.state_changed", {"from": before, "to": state})


def agent_rests(call: Call) -> None:
    """The agent has finished something: what it does next follows from what is still going on."""
    state = call.state
    if state.agent_speaking:
        agent_is(call, "speaking")
    elif state.tools_running:
        agent_is(call, "tools")
    elif state.responding is not None:
        agent_is(call, "thinking")
    else:
        agent_is(call, "listening")
