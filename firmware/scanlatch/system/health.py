# Health: counters since boot, and the hint that is published every minute. Never evidence.
import gc
import json

from scanlatch.prove import cbor

_DAY_MS = 86_400_000


class Health:
    """Counts what happened since boot; `counters` is open to every part that gets this object."""

    def __init__(self, clock, reset_cause):
        self._clock = clock
        self._reset_cause = reset_cause
        self._heap_low = None
        self.link_cause = ""  # why the link was down last: network, name, refused, certificate, protocol, memory
        self.engine = ""
        self.counters = {
            "read": 0,
            "kept": 0,
            "sent": 0,
            "accepted": 0,
            "rejected": 0,
            "duplicate": 0,
            "pending": 0,
            "exempt": 0,
            "error": 0,
            "wrong_symbol": 0,
            "bounced": 0,
            "refused_full": 0,
            "refused_fault": 0,
            "mac_failures": 0,
            "malformed": 0,
            "unmatched": 0,
            "receipt_alarms": 0,
            "reconnects": 0,
        }

    def count(self, name):
        self.counters[name] += 1

    def collect(self):
        """Collect garbage now, at a moment that somebody chose, and remember how little was ever free (bytes)."""
        gc.collect()
        free = gc.mem_free()
        if self._heap_low is None or free < self._heap_low:
            self._heap_low = free
        return free

    def report(self, journal, signer, rssi, not_after):
        """The health message as JSON bytes (WIRE: Status and health)."""
        free = self.collect()
        now, quality = self._clock.now()
        age = None
        oldest = journal.read(journal.freed + 1) if journal.newest > journal.freed else None
        if oldest is not None:
            age = max(0, now - _captured_at(oldest))
        body = {
            "v": 1,
            "uptime": self._clock.ms(),
            "heap_free": free,
            "heap_low": self._heap_low,
            "queue": journal.newest - journal.freed,
            "queue_oldest_ms": age,
            "room": journal.room,
            "capacity": journal.capacity,
            "nonce_pairs": signer.ready,
            "rssi": rssi,
            "reset_cause": self._reset_cause,
            "clock": quality,
            "flash_erases": journal.erases,
            "certificate_days": None if not_after is None else (not_after - now) // _DAY_MS,
            "link": self.link_cause,
            "engine": self.engine,
            "counters": self.counters,
        }
        return json.dumps(body).encode()


def _captured_at(message):
    # Key 4 of the scan inside the COSE_Sign1 that the journal keeps.
    return cbor.loads(cbor.loads(message).value[2])[4]  # pyright: ignore
