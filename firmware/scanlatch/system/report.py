# The health message, published every minute: a hint, never evidence. Loaded for each.
import json
import os

from micropython import const

from scanlatch import load
from scanlatch.keep.ring import KEPT_BACK
from scanlatch.prove import cbor
from scanlatch.system.clock import SYNCHRONISED
from scanlatch.system.log import log

_DAY_MS = const(86_400_000)
_YEAR = const(365)  # days
_CYCLES = const(100_000)  # erases that a sector of NOR flash stands
_RECORDS = (300, 5000)  # a day, for which the years are told that the flash will stand
_KEEP_EVERY_MS = const(3_600_000)  # the last known time is stored at most hourly: flash wear, and one false answer


def made(terminal):
    """The health message of `terminal` as JSON bytes (WIRE: Status and health).

    Asked for while the link stands: the time to keep the time, too.
    """
    journal, clock, not_after = terminal.journal, terminal.clock, terminal.not_after
    try:
        keep_time(terminal)
    except OSError as error:
        log("store", error=repr(error))  # the next boot counter won't be stored either, and says so by its light
    free = terminal.health.collect()
    now, quality = clock.now()
    age = None
    oldest = journal.read(journal.freed + 1) if journal.newest > journal.freed else None
    if oldest is not None:
        age = max(0, now - _captured_at(oldest))
    erased, worn, years = wear(journal)
    body = {
        "v": 1,
        "uptime": clock.ms(),
        "heap_free": free,
        "heap_low": terminal.health.heap_low,
        "queue": journal.newest - journal.freed,
        "queue_oldest_ms": age,
        "room": journal.room,
        "capacity": journal.capacity,
        "nonce_pairs": terminal.signer.ready,
        "rssi": terminal.box.link.rssi(),
        "reset_cause": terminal.health.reset_cause,
        "clock": quality,
        "flash_erases": journal.erases,
        "flash_erased": erased,
        "flash_worn": worn,
        "flash_years": years,
        "certificate_days": None if not_after is None else (not_after - now) // _DAY_MS,
        "link": terminal.health.link_cause,
        "engine": terminal.health.engine,
        "update": _update(terminal),
        "frames_lost": terminal.engine.lost,  # damaged on the line, as far as the engine's protocol shows it
        "counters": dict(zip(terminal.health.counted.split(), terminal.health.counts)),
    }
    return json.dumps(body).encode()


def _update(terminal):
    # What became of the last update, where there ever was one; and the time to confirm it.
    try:
        os.stat("slot")
    except OSError:
        return None
    return load("system.trial").look(terminal)


def wear(journal):
    """(Erases of the ring in its life, those of one sector, [years left at so many records a day]).

    The last serial is how often a sector was prepared in the journal's life, restarts included; making the journal
    erased each once more, and the ring wears them evenly. A record costs what it has cost so far, and no less than
    where all sectors are filled with such of 320 bytes; before the ring was filled once that is all there is to know.
    """
    ring = journal._ring
    prepared, count = ring.top, ring.count
    worn = 1 + (prepared + count - 1) // count
    left = max(0, _CYCLES - worn) * count
    records = left * journal.capacity // (count - KEPT_BACK)
    if journal.newest >= journal.capacity:  # until then sectors say how often it was started, not how it is used
        records = min(records, left * journal.newest // prepared)
    return prepared + count, worn, [records // (day * _YEAR) for day in _RECORDS]


def keep_time(terminal):
    """Store the time now as a floor for the next boot. Call only while an authenticated link stands.

    A time behind the end of our certificate is false, and as a floor no link would follow. Raises OSError.
    """
    clock, not_after = terminal.clock, terminal.not_after
    now, quality = clock.now()
    if quality != SYNCHRONISED or (not_after is not None and now >= not_after):
        return
    uptime = clock.ms()
    if clock.kept_at is None or uptime - clock.kept_at >= _KEEP_EVERY_MS:
        clock.kept_at = uptime
        terminal.nvs.set_int("last_time", now)


def _captured_at(message):
    # Key 4 of the scan inside the COSE_Sign1 that the journal keeps.
    return cbor.loads(cbor.loads(message).value[2])[4]  # pyright: ignore
