# Any engine that sends plain text: a symbol ends with CR, LF or 40 ms of silence.
from scanlatch.read.engines.commanded import NEVER, Commanded

_LONG_MS = 60_000


class Driver(Commanded):
    """An engine that is configured elsewhere and takes no commands. CR LF ends one frame, not two."""

    SILENCE_MS = 40
    ends = b"\r\n"

    async def run(self, on_frame, on_state):
        """Read for ever. on_frame(AIM identifier or "", data) is called the moment a frame is complete."""
        self.tell = on_frame
        on_state("ready", "")
        while True:
            await self.until(_LONG_MS, NEVER)

    def torn(self):
        self.put(0x0A)

    async def trigger(self, on):
        """Nothing: this engine has a trigger of its own."""
