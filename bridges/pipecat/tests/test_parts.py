"""The small parts, without a pipeline and without a wire."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pipecat.utils.errors import ErrorCategory

from holdfast_pipecat import config
from holdfast_pipecat.agent_text import compare
from holdfast_pipecat.buffer import EventBuffer, Gap
from holdfast_pipecat.config import HubAddress, NotConfigured
from holdfast_pipecat.envelope import Envelope, Fact, clip, plain, rfc3339, unix_seconds
from holdfast_pipecat.observe.errors import error_type, failed_tool, tool_error_type


class ProviderError(Exception):
    """An error that carries an HTTP status."""

    def __init__(self, status_code: int) -> None:
        super().__init__("no")
        self.status_code = status_code


def caused_by(cause: Exception) -> Exception:
    """An SDK's error around the real one."""
    error = RuntimeError("Connection error.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("category", "exception", "message", "kind"),
    [
        (ErrorCategory.SERVER, ProviderError(503), "", "http_503"),
        (ErrorCategory.RATE_LIMIT, ProviderError(429), "", "rate_limited"),
        (ErrorCategory.UNKNOWN, ProviderError(429), "", "rate_limited"),
        (ErrorCategory.AUTHENTICATION, ProviderError(401), "", "http_401"),
        (ErrorCategory.CONNECTIVITY, ConnectionRefusedError(), "", "connection_refused"),
        (ErrorCategory.UNKNOWN, caused_by(ConnectionRefusedError()), "", "connection_refused"),
        (ErrorCategory.CONNECTIVITY, TimeoutError(), "", "timeout"),
        (ErrorCategory.UNKNOWN, None, "LLM completion timeout", "timeout"),
        (ErrorCategory.CONNECTIVITY, ConnectionResetError(), "", "connection_error"),
        (ErrorCategory.APPLICATION, ProviderError(503), "", "application"),
        (ErrorCategory.UNKNOWN, None, "context 7 completed with no audio", "no_audio"),
        (ErrorCategory.QUOTA, None, "", "quota"),
        (ErrorCategory.UNKNOWN, None, "odd", "unknown"),
    ],
)
def test_error_types(
    category: ErrorCategory, exception: Exception | None, message: str, kind: str
) -> None:
    assert error_type(category, exception, message) == kind


def test_the_failed_tool_is_read_from_pipecats_sentence() -> None:
    assert failed_tool("Error executing function call [track_order]: boom") == "track_order"
    assert failed_tool("Error during completion: boom") is None
    assert tool_error_type("TimeoutError: late") == "timeout"
    assert tool_error_type("ConnectionRefusedError: no") == "connection_refused"
    assert tool_error_type("KeyError: 'x'") == "application"


@pytest.mark.parametrize(
    ("meant", "heard", "expected"),
    [
        ("One two three.", "One two three.", ("One two three.", "")),
        ("One two three.", "One two", ("One two three.", "three.")),
        ("One  two three.", "One two", ("One  two three.", "three.")),
        ("One two.", "", ("One two.", "One two.")),
        ("", "Said by the application.", ("Said by the application.", "")),
        ("**One** two.", "One two.", ("One two.", "")),
        ("", "", ("", "")),
    ],
)
def test_what_was_not_heard_is_the_tail(meant: str, heard: str, expected: tuple[str, str]) -> None:
    assert compare(meant, heard) == expected


def test_a_full_buffer_drops_the_oldest_and_knows_what_is_missing() -> None:
    buffer = EventBuffer(events_max=3)
    for number in range(1, 6):
        assert buffer.append(f"e{number}") == number
    assert buffer.dropped == 2
    assert not buffer.holds(2)
    assert buffer.holds(3)
    assert buffer.holds(6)
    assert not buffer.holds(7)
    assert buffer.batch(4, 10, 1_000) == ["e4", "e5"]
    assert buffer.discard(1) == Gap(2, 5)
    assert Gap(2, 5).missing == 4
    assert buffer.append("e6") == 6
    assert buffer.batch(6, 10, 1_000) == ["e6"]


def test_a_buffer_is_bounded_in_bytes_too() -> None:
    buffer = EventBuffer(events_max=100, bytes_max=10)
    for _ in range(5):
        buffer.append("12345")
    assert len(buffer) == 2


def test_acknowledged_events_are_never_missing() -> None:
    buffer = EventBuffer()
    for _ in range(5):
        buffer.append("e")
    buffer.ack(5)
    buffer.ack(99)
    assert len(buffer) == 0
    assert buffer.discard(0) is None
    buffer.append("e")
    assert buffer.discard(0) == Gap(6, 6)


def test_a_batch_keeps_both_limits_and_is_never_empty() -> None:
    buffer = EventBuffer()
    for _ in range(5):
        buffer.append("ü" * 10)
    assert len(buffer.batch(1, 2, 1_000)) == 2
    assert len(buffer.batch(1, 10, 50)) == 2
    assert len(buffer.batch(1, 10, 1)) == 1


def test_an_event_is_written_as_the_protocol_says() -> None:
    envelope = Envelope("//bridges/pipecat/bot", "0198c5a2-1111")
    fact = Fact("service.error", "call-1", {"service": "x"}, 1_795_514_400.12, "llm", 17, "c-1")
    event = json.loads(envelope.write(fact, 17, 1_795_514_400.121))
    assert event == {
        "specversion": "1.0",
        "id": "0198c5a2-00017",
        "source": "//bridges/pipecat/bot",
        "type": "holdfast.service.error",
        "subject": "call-1",
        "time": "2026-11-24T10:00:00.120Z",
        "recordedtime": "2026-11-24T10:00:00.121Z",
        "sequence": "00000000000000000017",
        "epoch": "0198c5a2-1111",
        "layer": "llm",
        "severitynumber": 17,
        "causationid": "c-1",
        "data": {"service": "x"},
    }


def test_what_an_application_returns_cannot_break_the_wire() -> None:
    endless: dict[str, object] = {}
    endless["self"] = endless
    strange = {
        "nan": float("nan"),
        "half": "\ud800",
        "long": "x" * 100_000,
        "object": object(),
        "endless": endless,
        "many": list(range(10_000)),
        7: "seven",
    }
    fact = Fact("tool.completed", "call-1", {"pii.result": strange}, 0.0)
    text = Envelope("//b", "e").write(fact, 1, 0.0)
    assert len(text.encode("utf-8")) < 100_000
    data = json.loads(text)["data"]["pii.result"]
    assert data["nan"] == "nan"
    assert data["half"] == "?"
    assert len(data["long"]) == 8_000
    assert data["7"] == "seven"
    assert plain(None) is None
    assert clip("abc", 2) == "a…"


def test_times_are_read_as_they_are_written() -> None:
    assert unix_seconds(rfc3339(1_795_514_400.12)) == pytest.approx(1_795_514_400.12)
    with pytest.raises(ValueError, match="time zone"):
        unix_seconds("2026-11-24T10:00:00")


def test_the_environment_names_the_hub_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "holdfast" / "connection.json"
    path.parent.mkdir()
    path.write_text('{"url":"ws://127.0.0.1:7/v1/bridge","token":"t"}')
    env = {"XDG_DATA_HOME": str(tmp_path)}
    assert config.hub_address(env) == HubAddress("ws://127.0.0.1:7/v1/bridge", "t")
    env["HOLDFAST_HUB"] = "ws://127.0.0.1:8/v1/bridge"
    assert config.hub_address(env) == HubAddress("ws://127.0.0.1:8/v1/bridge", None)
    named = tmp_path / "else.json"
    named.write_text('{"url":"ws://127.0.0.1:9/v1/bridge"}')
    assert config.hub_address({"HOLDFAST_CONNECTION": str(named)}) == HubAddress(
        "ws://127.0.0.1:9/v1/bridge", None
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no console has written"), ("{", "cannot be read"), ("[]", "names no url")],
)
def test_no_hub_is_explained(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "connection.json"
    if content is not None:
        path.write_text(content)
    found = config.hub_address({"HOLDFAST_CONNECTION": str(path)})
    assert isinstance(found, NotConfigured)
    assert reason in found.reason


def test_a_hook_is_loaded_from_a_file_or_a_module(tmp_path: Path) -> None:
    path = tmp_path / "telephony.py"
    path.write_text("async def go(request): pass\n")
    assert config.transfer_hook({}) is None
    hook = config.transfer_hook({"HOLDFAST_ON_TRANSFER": f"{path}:go"})
    assert callable(hook)
    for wrong in (f"{path}:stop", "go", "json:loads_not"):
        with pytest.raises(ValueError, match="HOLDFAST_ON_TRANSFER"):
            config.transfer_hook({"HOLDFAST_ON_TRANSFER": wrong})


def test_ids_are_made_safe() -> None:
    assert config.safe_id("PipelineWorker#0 ä") == "PipelineWorker-0"
    assert config.safe_id("x" * 500) == "x" * 128
    assert config.instance_name({"HOLDFAST_INSTANCE": "bot 1"}) == "bot-1"
    assert config.instance_name({}) != config.instance_name({})


def test_the_command_line_prints_the_setup_file() -> None:
    command = [sys.executable, "-m", "holdfast_pipecat", "setup-file"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    path = Path(answer.stdout.strip())
    assert path.name == "setup_file.py"
    assert path.is_file()
