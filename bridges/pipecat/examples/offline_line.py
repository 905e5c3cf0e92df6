"""A telephone line without a telephone: a scripted caller on one end, real time in between."""

import asyncio
from typing import Final

from offline_journal import note
from offline_services import SAMPLE_RATE, SECS_PER_CHAR, SPOKEN
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ClientConnectedFrame,
    Frame,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    StartFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import BaseTransport, TransportParams

#: Silence after which the voice detector calls the caller's speech over.
STOP_SECS: Final = 0.1

#: Seconds that the caller waits for an answer before asking whether somebody is there.
PATIENCE_SECS: Final = 4.0

DIALOGUE: Final = (
    "Hello, this is Maria Gomez.",
    "Where is my order 8841?",
    "There is a double charge, I would like a refund please.",
    "Thank you for that.",
)


class LineInput(BaseInputTransport):
    """The caller's end."""

    def __init__(self, transport: "Line", params: TransportParams) -> None:
        super().__init__(params, name="line-in")
        self._transport = transport
        self._one_voice = asyncio.Lock()
        self.agent_speaking = False
        self.agent_spoke = asyncio.Event()
        self.agent_silent = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Hear when the agent speaks."""
        await super().process_frame(frame, direction)
        if isinstance(frame, BotStartedSpeakingFrame):
            note("agent_speaking", on=True)
            self.agent_speaking = True
            self.agent_spoke.set()
            self.agent_silent.clear()
        elif isinstance(frame, BotStoppedSpeakingFrame):
            note("agent_speaking", on=False)
            self.agent_speaking = False
            self.agent_silent.set()

    async def start(self, frame: StartFrame) -> None:
        """The line is up and the caller is on it."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def connect(self) -> None:
        """The caller is on the line."""
        await self.push_frame(ClientConnectedFrame())
        await self._transport.connected()

    async def say(self, text: str) -> None:
        """Say a line, as long as it takes."""
        async with self._one_voice:
            self.agent_spoke.clear()
            await self.push_frame(VADUserStartedSpeakingFrame())
            await asyncio.sleep(len(text) * SECS_PER_CHAR)
            audio = SPOKEN + text.encode()
            audio += b"\0" * (len(audio) % 2)
            await self.push_frame(InputAudioRawFrame(audio, SAMPLE_RATE, 1))
            await asyncio.sleep(STOP_SECS)
            await self.push_frame(VADUserStoppedSpeakingFrame(stop_secs=STOP_SECS))
            note("caller_said", text=text)

    async def listen(self) -> bool:
        """Wait for an answer and its end. False when the caller's patience ends first."""
        try:
            async with asyncio.timeout(PATIENCE_SECS):
                await self.agent_spoke.wait()
                # A tool call or a second sentence may follow at once.
                while True:
                    await self.agent_silent.wait()
                    await asyncio.sleep(0.4)
                    if not self.agent_speaking:
                        return True
        except TimeoutError:
            return False


class LineOutput(BaseOutputTransport):
    """What the caller hears, in real time."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params, name="line-out")

    async def start(self, frame: StartFrame) -> None:
        """The line is up."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Play a chunk: it takes as long as it lasts."""
        await asyncio.sleep(frame.num_frames / frame.sample_rate)
        return True


class Line(BaseTransport):
    """The line as a Pipecat transport."""

    def __init__(self) -> None:
        super().__init__()
        params = TransportParams(
            audio_in_enabled=False,
            audio_out_enabled=True,
            audio_out_sample_rate=SAMPLE_RATE,
            audio_out_end_silence_secs=0,
        )
        self._in = LineInput(self, params)
        self._out = LineOutput(params)
        self._register_event_handler("on_client_connected")
        self._register_event_handler("on_client_disconnected")

    def input(self) -> LineInput:
        """The caller's end."""
        return self._in

    def output(self) -> LineOutput:
        """The agent's end."""
        return self._out

    async def connected(self) -> None:
        """Tell the bot that the caller is there."""
        await self._call_event_handler("on_client_connected", "caller")

    async def hang_up(self) -> None:
        """Tell the bot that the caller is gone."""
        note("caller_hung_up")
        await self._call_event_handler("on_client_disconnected", "caller")


class Caller:
    """Speaks the dialogue, in turn with the agent."""

    def __init__(self, line: Line, *, forever: bool) -> None:
        self._line = line
        self._forever = forever
        self.paused = asyncio.Event()
        self.paused.set()

    async def run(self) -> None:
        """Talk until the dialogue is over, or forever."""
        line = self._line.input()
        await line.connect()
        await line.listen()
        while True:
            for text in DIALOGUE:
                await self.paused.wait()
                await line.say(text)
                while not await line.listen():
                    await self.paused.wait()
                    await line.say("Hello? Are you there?")
            if not self._forever:
                await line.say("Goodbye.")
                await line.listen()
                await self._line.hang_up()
                return
