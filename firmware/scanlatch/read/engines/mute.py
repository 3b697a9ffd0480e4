# An engine that answers nobody: whatever comes is read as by `line`, and while no symbol does, all are asked again.
from micropython import const

import scanlatch
from scanlatch.read.engines import line
from scanlatch.read.engines.commanded import NEVER

_LISTEN_MOST_MS = const(480_000)


class Driver(line.Driver):
    """See `Commanded`. wait_ms: how long it is listened to."""

    kind = "line"
    wait_ms = 0

    async def run(self, on_frame, on_state):
        """Read for ever, once a symbol was heard; until then for a while. See `commanded.Commanded`."""
        heard = []

        def first(identifier, data):
            # Noise, or what an engine of a family answered too late: no symbol that a terminal takes has such bytes.
            if not data or any(byte < 0x20 and byte != 0x1D for byte in data):
                return
            heard.append(True)
            self.tell = on_frame
            on_state("ready", "line")
            on_frame(identifier, data)

        self.tell = first
        on_state("lost", "no engine answers: whatever comes is read as by line")
        while True:
            await self.until(self.wait_ms, NEVER)
            if not heard:
                try:
                    again = scanlatch.load("read.engines.auto").Driver(*self.wired)
                except (MemoryError, OSError):  # so for longer
                    continue
                again.wait_ms = min(2 * self.wait_ms, _LISTEN_MOST_MS)
                return again
