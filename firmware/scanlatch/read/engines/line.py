# Any engine that sends plain text: a symbol ends with CR, LF or 40 ms of silence.
import asyncio

from scanlatch.read.engines.commanded import POLL_MS, SILENCE_MS, Commanded


class Driver(Commanded):
    """An engine that is configured elsewhere and takes no commands. CR LF ends one frame, not two."""

    async def run(self, on_frame, on_state):
        """Read for ever. on_frame(AIM identifier or "", data) is called the moment a frame is complete."""
        self._ends = b"\r\n"
        self._on_frame = on_frame
        put = self.put
        on_state("ready", "")
        while True:
            count = self.listen(put)
            if not count and self.count and self.quiet_ms() >= SILENCE_MS:
                self.flush()
            await asyncio.sleep_ms(0 if count else POLL_MS)

    async def trigger(self, on):
        """Nothing: this engine has a trigger of its own."""
