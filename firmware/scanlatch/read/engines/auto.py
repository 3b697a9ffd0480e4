# Whatever engine is there: asks which it is, then is that family's driver.
import asyncio
import sys

from micropython import const

import scanlatch
from scanlatch.read import engines
from scanlatch.read.engines.commanded import NEVER

_LOSSES = const(5)  # without an engine in between; they take half a minute
_LISTEN_MS = const(30_000)  # to an engine that answers nobody, before all are asked again; then doubled
_LISTEN_MOST_MS = const(480_000)
_BAUD = const(9600)  # of such an engine; one at another speed is `line` in the board file
_ROOM = "scanlatch.read.engines."


class _Gone(Exception):
    """The engine does not come back: another may be there now."""


class Driver:
    """uart, clock, set_baud, auto: see `commanded.Commanded`."""

    def __init__(self, uart, clock, set_baud, auto=True):
        self._uart = uart
        self._clock = clock
        self._set_baud = set_baud
        self._auto = auto
        self._engine = None
        self._losses = 0
        self._heard = False
        self._on_frame = self._on_state = None

    @property
    def lost(self):
        """See `commanded.Commanded`."""
        return self._engine.lost if self._engine else 0

    def quiet_ms(self):
        """Milliseconds since the engine sent a byte; 0 while it is asked which it is."""
        return self._engine.quiet_ms() if self._engine else 0

    async def trigger(self, on):
        """Arm or disarm, where there is an engine that knows."""
        if self._engine:
            await self._engine.trigger(on)

    async def run(self, on_frame, on_state):
        """Find, configure, read, recover, for ever. See `commanded.Commanded`."""
        self._on_frame, self._on_state = on_frame, on_state
        wait = _LISTEN_MS
        while True:
            self._engine = None
            _forget()
            try:
                found = await self._detect()
                if found:
                    wait = _LISTEN_MS
                    await self._serve(*found)
                else:
                    await self._listen(wait)
                    wait = min(2 * wait, _LISTEN_MOST_MS)
            except _Gone:
                pass
            except (MemoryError, OSError) as error:  # of what is loaded on demand
                on_state("lost", str(error))
                await asyncio.sleep_ms(_LISTEN_MS)

    async def _detect(self):
        from scanlatch.read.engines import detect  # heap is short: it stays only while it is needed

        try:
            return await detect.detect(self._uart, self._set_baud)
        finally:
            scanlatch.forget(detect)

    def _load(self, kind):
        return engines.driver(kind, self._uart, self._clock, self._set_baud, self._auto)

    async def _serve(self, kind, baud):
        engine = self._load(kind)
        engine.baud = baud
        self._losses = 0
        self._engine = engine
        await engine.run(self._on_frame, self._told)

    def _told(self, state, detail):
        self._losses = 0 if state == "ready" else self._losses + 1
        self._on_state(state, detail)
        if self._losses == _LOSSES:
            raise _Gone

    async def _listen(self, ms):
        # As `line`, to an engine that answers nobody: for ever where one is heard.
        self._set_baud(_BAUD)
        engine = self._load("line")
        engine.tell = self._first
        self._engine = engine
        self._on_state("lost", "no engine answers: whatever comes is read as by line")
        self._heard = False
        while True:
            await engine.until(ms, NEVER)
            if not self._heard:
                return

    def _first(self, identifier, data):
        self._heard = True
        self._engine.tell = self._on_frame
        self._on_state("ready", "line")
        self._on_frame(identifier, data)


def _forget():
    # The driver of the engine that is gone.
    for name in tuple(sys.modules):
        if name.startswith(_ROOM) and name[len(_ROOM) :] not in ("auto", "commanded"):
            scanlatch.forget(sys.modules[name])
