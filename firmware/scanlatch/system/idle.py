# What is done while nobody scans: prepare flash, make nonce pairs, collect garbage.
import asyncio
import gc

from micropython import const

from scanlatch.keep.journal import JournalError

_QUIET_MS = const(100)  # since the last byte of the engine, before anything here may take the processor
_ERASE_QUIET_MS = const(300)
_LOOK_MS = const(50)
_COLLECT_AFTER = const(24_576)  # bytes allocated since the last collection


class Idle:
    """Gives the quiet moments to whom they do most good; each turn is short (one erase, or 20 ms of arithmetic)."""

    def __init__(self, engine, journal, signer, clock, health):
        self._engine = engine
        self._journal = journal
        self._signer = signer
        self._clock = clock
        self._health = health

    async def run(self, on_fault):
        """Runs for ever; on_fault(error) where the journal's flash fails."""
        self._health.collect()
        allocated = gc.mem_alloc()
        while True:
            quiet = self._engine.quiet_ms()
            worked = False
            if quiet >= _ERASE_QUIET_MS:
                try:
                    worked = self._journal.idle(self._clock.ms(), quiet)
                except JournalError as error:
                    on_fault(error)
            if quiet >= _QUIET_MS:
                worked = self._signer.prepare() or worked
                if gc.mem_alloc() - allocated > _COLLECT_AFTER:
                    self._health.collect()
                    allocated = gc.mem_alloc()
            await asyncio.sleep_ms(0 if worked else _LOOK_MS)
