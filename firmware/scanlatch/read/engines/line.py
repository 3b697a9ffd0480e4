# Any engine that sends plain text: a symbol ends with CR, LF or 40 ms of silence.
import asyncio

from scanlatch.read.engines.port import POLL_MS, SILENCE_MS, Framer, Port

_ENDS = b"\r\n"


class Line:
    """An engine that is configured elsewhere and takes no commands. uart, clock: see `Port`."""

    def __init__(self, uart, clock):
        self._port = Port(uart, clock)

    async def run(self, on_frame, on_state):
        """Read for ever. on_frame(AIM identifier or "", data) is called the moment a frame is complete."""
        framer = Framer(on_frame, _ENDS)
        put = framer.put
        on_state("ready", "")
        while True:
            if not self._port.listen(put):
                if framer.open() and self._port.quiet_ms() >= SILENCE_MS:
                    framer.flush()
                await asyncio.sleep_ms(POLL_MS)
            else:
                await asyncio.sleep_ms(0)

    async def trigger(self, on):
        """Nothing: this engine has a trigger of its own."""

    def quiet_ms(self):
        """Milliseconds since the engine sent a byte."""
        return self._port.quiet_ms()
