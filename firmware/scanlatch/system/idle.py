# What is done while nobody scans: prepare flash, make nonce pairs, collect garbage.
import asyncio
import gc

from micropython import const

from scanlatch import load
from scanlatch.keep.journal import JournalError

_QUIET_MS = const(100)  # since the last byte of the engine, before anything here may take the processor
_ERASE_QUIET_MS = const(300)
_LOOK_MS = const(50)
_AGAIN_MS = const(10_000)  # where there was no room, or no store, for a look
# Small integers end at 2 ** 30 ms: behind that each look at the clock makes garbage. 22 hours, a night among them, are
# enough to find a moment for a restart.
_OLD_MS = const(993_600_000)
_COLLECT_AFTER = const(16_384)  # bytes allocated since the last collection: a scan takes 12 KB, and 30 KB are free


async def run(terminal):
    """Give quiet moments to whom they do most good, for ever; a turn is short (one erase, or 20 ms of arithmetic).

    terminal: engine, journal, signer, clock, health, session; on_journal_fault(error) where the journal's flash fails.
    """
    journal, health, session = terminal.journal, terminal.health, terminal.session
    health.collect()
    allocated = gc.mem_alloc()
    while True:
        quiet = terminal.engine.quiet_ms()
        if session.due_ms is not None and terminal.clock.ms() >= session.due_ms:
            try:
                load("system.modes").settle(terminal)
            except (MemoryError, OSError):  # again at the next look
                pass
        outage = terminal.outage
        if terminal.clock.ms() >= outage[0] or (outage[2] and terminal.answers.heard):
            try:
                load("system.outage").look(terminal)
                if terminal.clock.ms() >= _OLD_MS:
                    load("system.renewal").look(terminal)
            except (MemoryError, OSError):  # nor does a word of the bridge have it tried sooner
                outage[0], outage[2] = terminal.clock.ms() + _AGAIN_MS, False
        worked = False
        if quiet >= _ERASE_QUIET_MS:
            try:
                worked = journal.idle(terminal.clock.ms(), quiet)
            except JournalError as error:
                terminal.on_journal_fault(error)
        if quiet >= _QUIET_MS:
            worked = terminal.signer.prepare() or worked
            if gc.mem_alloc() - allocated > _COLLECT_AFTER:
                health.collect()
                allocated = gc.mem_alloc()
        await asyncio.sleep_ms(0 if worked else _LOOK_MS)
