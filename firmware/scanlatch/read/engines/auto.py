# Whatever engine is there: asks which it is, then is that family's driver.
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
import asyncio

from micropython import const

import scanlatch

_LOSSES = const(5)  # without an engine in between; they take half a minute
_WAIT_MS = const(10_000)


class Driver:
    """uart, clock, set_baud, auto: see `commanded.Commanded`."""

    def __init__(self, *wired):
        self.wired = wired
        self.engine = None
        self._losses = 0
        self._on_state = None

    @property
    def lost(self):
        """See `commanded.Commanded`."""
        return self.engine.lost if self.engine else 0

    def quiet_ms(self):
        """Milliseconds since the engine sent a byte; 0 while it is asked which it is."""
        return self.engine.quiet_ms() if self.engine else 0

    async def trigger(self, on):
        """Arm or disarm, where there is an engine that knows."""
        if self.engine:
            await self.engine.trigger(on)

    async def run(self, on_frame, on_state):
        """Find, configure, read, recover, for ever. See `commanded.Commanded`."""
        self._on_state = on_state
        while True:
            self.engine = None
            try:
                await scanlatch.load("read.engines.detect").find(self, on_frame, on_state)
                await self.engine.run(on_frame, self._told)
            except EOFError:  # of `_told`
                pass
            except (MemoryError, OSError) as error:
                on_state("lost", str(error))
                await asyncio.sleep_ms(_WAIT_MS)

    def _told(self, state, detail):
        self._losses = 0 if state == "ready" else self._losses + 1
        self._on_state(state, detail)
        if self._losses >= _LOSSES:
            self._losses = 0
            raise EOFError  # another may be there now
