# The journal of records: what was kept stays kept, whatever happens to the power.
#
# A ring of raw flash sectors (`sector` has their bytes, `ring` their order). Three rules carry the guarantee:
# a sector is written only in the boot that erased it, each place once; nothing is built on a record until
# something was programmed after it; and of several copies the last valid one counts.
from hashlib import sha256

from micropython import const
from scanlatch import forget
from scanlatch.keep.ring import AHEAD, KEPT_BACK, Ring
from scanlatch.keep.sector import FIRST, LARGEST, MARK, RECORD, SECTOR, Sectors, extent

_TRIES = const(3)
_QUIET_MS = const(300)  # an erase stops the processor for 45 ms and more: only when no scan is coming in
_MARK_MS = const(60_000)
_USUAL = const(320)  # bytes of the record that `room` and `capacity` count in
_LEAST_SECTORS = const(8)
_LAST = const(0x3FFFFFFE)  # seq; the flash is worn out long before
_NOTHING = bytes(32)


class JournalError(Exception):
    """The journal can't do what was asked; `reason` says why."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class JournalFull(JournalError):
    """No record fits: reason "full" until the bridge frees some, "busy" until the next quiet moment."""


class JournalFault(JournalError):
    """The flash failed, or lost what must not be lost."""


class JournalMissing(JournalError):
    """The flash holds nothing of this journal: the terminal is not provisioned."""


class Journal:
    """The records of one device on `flash` (as esp32.Partition); `journal_id` are the 8 bytes it was made with
    (None where the terminal has none yet: recover() refuses then).

    Attributes:
        newest: highest seq, 0 where there is none yet; `newest_digest` its SHA-256 (32 zero bytes).
        freed: every record up to this seq is safe with the bridge.
        fault: None, or why nothing can be appended until a reboot.
        capacity: records of 320 bytes that the whole ring holds.
        erases: sectors erased since boot.
    """

    def __init__(self, flash, journal_id):
        self._ring = ring = Ring(Sectors(flash, journal_id))
        if ring.count < _LEAST_SECTORS:
            raise JournalError("the partition is too small")
        self.capacity = (ring.count - KEPT_BACK) * ((SECTOR - FIRST) // extent(_USUAL))
        self.newest = self.freed = self.erases = 0
        self.newest_digest = _NOTHING
        self.fault = "not recovered"  # no number is given before the flash was read
        self._marked_ms = None
        self._audit = None

    @staticmethod
    def format(flash, journal_id):
        """Erase everything and begin an empty journal under a new, never used id. Raises JournalFault."""
        from scanlatch.keep import recovery

        forget(recovery)  # when it is done
        recovery.begin(flash, journal_id)

    def recover(self):
        """Find what the flash holds; once, after boot and before all else. Raises JournalMissing.

        Erases and prepares two sectors. Where no append comes, the next boot takes two others that hold no record, so
        that boots use none up and wear them evenly.
        """
        from scanlatch.keep import recovery

        forget(recovery)  # when it is done
        recovery.recover(self)

    @property
    def oldest(self):
        """Lowest seq that can be read, freed or not; newest + 1 where there is none."""
        return self._ring.oldest or self.newest + 1

    @property
    def room(self):
        """Records of 320 bytes that still fit; 0 where not even one of the largest is sure to."""
        ring = self._ring
        if self.fault or ring.spare < KEPT_BACK:
            return 0
        rest = (SECTOR - ring.at) // extent(_USUAL)
        if ring.spare > KEPT_BACK:
            return rest + (ring.spare - KEPT_BACK) * ((SECTOR - FIRST) // extent(_USUAL))
        return rest if ring.fits(LARGEST) else 0

    def need_room(self, size=LARGEST):
        """Raises JournalFull or JournalFault where a record of `size` bytes would be refused now."""
        if self.fault:
            raise JournalFault(self.fault)
        ring = self._ring
        fits = ring.fits(size)
        if ring.spare < KEPT_BACK or (ring.spare == KEPT_BACK and not fits):
            raise JournalFull("full")  # even where it fits: after it, the next boot may need a sector for its copy
        if not fits and not ring.fresh:
            raise JournalFull("busy")

    def append(self, seq, message):
        """Keep one record: one flash program, read back. When this returns, nothing may lose it.

        Raises JournalFull before anything is written, JournalFault where the flash failed three times, MemoryError: the
        same seq may then be on the flash, so nothing is appended any more until a reboot has looked.
        """
        if not 0 < len(message) <= LARGEST:
            raise JournalError("a record of %d bytes" % len(message))
        self.need_room(len(message))
        if seq != self.newest + 1 or seq > _LAST:
            raise JournalError("record %d can't follow %d" % (seq, self.newest))
        self.fault = "an append did not end"  # MemoryError from here on: only a reboot finds what the flash holds now
        if not self._write(RECORD, seq, message):
            self.fault = "the flash doesn't keep what is written"
            raise JournalFault(self.fault)
        self.newest_digest = sha256(message).digest()
        self.fault = None

    def _write(self, kind, number, message):
        ring = self._ring
        moved = False
        for _ in range(_TRIES):
            if not ring.fits(len(message)):
                moved = True
                if not ring.fresh:
                    self._prepare()  # recovery's copy, or a second try
                if not ring.open_next():
                    return False
            block, offset = ring.open, ring.at
            ring.at += extent(len(message))  # first of all: whatever happens now, this place is used
            if ring.sectors.put(block, ring.serial, offset, kind, number, message):
                break
            ring.close()
        else:
            return False
        if kind == MARK:
            ring.freed, ring.marked = number, block
            moved = moved or number >= ring.turn
        else:
            self.newest, ring.home = number, block
            if not ring.low[block]:
                ring.low[block] = number
                moved = True
        if moved:
            ring.recount(self.newest)
        return True

    def read(self, seq):
        """Bytes of a record, freed or not; None where the ring has it no more, or the flash lost it."""
        if not self.oldest <= seq <= self.newest:
            return None
        ring = self._ring
        sectors = ring.sectors
        for i in range(ring.count - 1, -1, -1):
            block = ring.order[i]
            low = ring.low[block]
            if not low or low > seq:
                continue
            sectors.begin(block)
            while sectors.next():
                if sectors.kind == RECORD and sectors.number == seq:
                    return bytes(sectors.message)
            if low < seq:  # copies of one record only stand in sectors that begin with it
                break
        if self._audit is None:
            from scanlatch.keep.audit import Audit  # it stays: what is lost is told in every head

            self._audit = Audit(ring, 0)
        self._audit.lost(seq, seq)
        return None

    def digest(self, seq):
        """SHA-256 of a record's bytes; None where it can't be read."""
        if seq and seq == self.newest:
            return self.newest_digest
        message = self.read(seq)
        return message and sha256(message).digest()

    def missing(self):
        """Up to 16 ranges [from, to] between oldest and newest that the flash lost, lowest first.

        Reads what idle() has not yet read since boot, at most the whole ring.
        """
        while self._check():
            pass
        return self._audit.missing() if self._audit else []

    def free(self, upto):
        """Every record up to `upto` is safe elsewhere; its place is used again when idle() has marked that on the flash
        and its turn comes."""
        if upto > self.newest:
            raise JournalError("record %d was never kept here" % upto)
        self.freed = max(self.freed, upto)

    def idle(self, now_ms, quiet_ms):
        """Do one job that can wait: prepare a sector, write a mark, or check a sector.

        Args:
            now_ms: monotonic time.
            quiet_ms: time since the engine sent its last byte.

        Returns: True where something was done, and more may wait.
        """
        if self.fault:
            return False
        ring = self._ring
        wanted = ring.ahead if ring.opened else AHEAD  # a boot without a scan erases little
        if quiet_ms >= _QUIET_MS and len(ring.fresh) < wanted and self._prepare():
            return True
        if self._mark_due(now_ms) and (ring.fits(0) or ring.fresh):
            self._marked_ms = now_ms
            self._write(MARK, self.freed, b"")
            return True
        return self._check()

    def _mark_due(self, now_ms):
        ring = self._ring
        if self.freed <= ring.freed:
            return False
        if self._marked_ms is None or now_ms - self._marked_ms >= _MARK_MS or self.freed == self.newest:
            return True
        return self.freed >= ring.turn and ring.spare <= KEPT_BACK + ring.ahead

    def _prepare(self):
        if not self._ring.prepare(self.newest, self.freed):
            return False
        self.erases += 1
        return True

    def _check(self):
        # One more step of the audit, if any is left. Where it found all it is gone from the heap with its code.
        if self._audit is None:
            return False
        if self._audit.step():
            return True
        if not self._audit.gaps:
            self._audit = None
        return False
