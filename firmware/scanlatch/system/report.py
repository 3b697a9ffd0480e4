# The health message, published every minute: a hint, never evidence. Loaded for each.
import json

from micropython import const

from scanlatch.prove import cbor
from scanlatch.system.clock import SYNCHRONISED
from scanlatch.system.log import log

_DAY_MS = const(86_400_000)
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
        "certificate_days": None if not_after is None else (not_after - now) // _DAY_MS,
        "link": terminal.health.link_cause,
        "engine": terminal.health.engine,
        "frames_lost": terminal.engine.lost,  # damaged on the line, as far as the engine's protocol shows it
        "counters": dict(zip(terminal.health.counted.split(), terminal.health.counts)),
    }
    return json.dumps(body).encode()


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
