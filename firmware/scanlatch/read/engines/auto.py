# Whatever engine is there: asks which it is, and gives way to that family's driver.
import asyncio

from micropython import const

import scanlatch

_LISTEN_MS = const(30_000)  # to an engine that answers nobody, before all are asked again; then doubled
_WAIT_MS = const(10_000)
_MEMORY_FAILURES = const(5)  # in a row: fragmented for good, so the terminal restarts,
_OLD_MS = const(600_000)  # where the link had its time to come up and bring out what is kept


class Driver:
    """uart, clock, set_baud, auto: see `commanded.Commanded`.

    wait_ms: how long an engine that answers nobody is listened to.
    """

    kind = "auto"
    lost = 0
    wait_ms = _LISTEN_MS

    def __init__(self, *wired):
        self.wired = wired

    def quiet_ms(self):
        """Never quiet: an engine that is asked may answer at any time."""
        return 0

    async def trigger(self, on):
        """There is nobody yet to arm."""

    async def run(self, _on_frame, on_state):
        """Returns the driver of the engine that was found, which is to be run in this one's place.

        Raises MemoryError where memory is short for good.
        """
        failures = 0
        while True:
            try:
                return await scanlatch.load("read.engines.detect").found(self)
            except (MemoryError, OSError) as error:
                on_state("lost", str(error))
                failures = failures + 1 if isinstance(error, MemoryError) else 0
                if failures >= _MEMORY_FAILURES and self.wired[1].ms() >= _OLD_MS:
                    raise
            await asyncio.sleep_ms(_WAIT_MS)
