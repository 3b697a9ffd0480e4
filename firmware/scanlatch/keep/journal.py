# The journal of records: what was kept stays kept, whatever happens to the power.
#
# A ring of raw flash sectors (`sector` has their bytes, `ring` their order). Three rules carry the guarantee:
# a sector is written only in the boot that erased it, each place once; nothing is built on a record until
# something was programmed after it; and of several copies the last valid one counts.
from hashlib import sha256

from micropython import const
from scanlatch.keep.audit import Audit
from scanlatch.keep.newest import find_newest
from scanlatch.keep.ring import AHEAD, KEPT_BACK, Ring, erase_all
from scanlatch.keep.sector import FIRST, LARGEST, MARK, RECORD, SECTOR, Sectors, extent

_TRIES = const(3)
_QUIET_MS = const(300)  # an erase stops the processor for 45 ms and more: only when no scan is coming in
_MARK_MS = const(60_000)
_USUAL = const(320)  # bytes of the record that `room` and `capacity` count in
_LEAST_SECTORS = const(8)
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
    """

    def __init__(self, flash, journal_id):
        self._known = journal_id is not None and len(journal_id) == 8
        self._sectors = Sectors(flash, journal_id if self._known else bytes(8))
        if self._sectors.count < _LEAST_SECTORS:
            raise JournalError("the partition is too small")
        self._ring = Ring(self._sectors)
        self._audit = Audit(self._ring)
        self._reset()

    def _reset(self):
        self.newest = self.freed = self._marked = 0
        self.newest_digest = _NOTHING
        self.fault = "not recovered"  # no number is given before the flash was read
        self._marked_ms = None

    @staticmethod
    def format(flash, journal_id):
        """Erase everything and begin an empty journal under a new, never used id. Raises JournalFault."""
        if not erase_all(flash, journal_id):
            raise JournalFault("the flash doesn't take the journal")

    def recover(self):
        """Find what the flash holds; once, after boot and before all else. Raises JournalMissing.

        Erases and prepares two sectors. Where no append comes, the next boot takes two others that hold no record, so
        that boots use none up and wear them evenly.
        """
        self._reset()
        ring = self._ring
        ring.close()
        freed = ring.survey() if self._known else None
        if freed is None:
            self.fault = "the flash holds nothing of this journal"
            raise JournalMissing(self.fault)
        self.fault = None
        self.newest, message, stable, self.freed = find_newest(ring, freed)
        self._marked = self.freed
        if message:
            self.newest_digest = sha256(message).digest()
        self._audit.begin(self.newest)
        ring.recount(self._marked, self.newest)
        while len(ring.fresh) < AHEAD and self._prepare():
            pass
        if self.freed > self.newest:
            self.fault = "record %d was kept and can't be read" % self.freed
        elif message and not stable:
            self._settle(message)

    def _settle(self, message):
        # The newest record may be half programmed and read differently tomorrow: nothing may build on it before
        # it stands in a fresh sector with a mark behind it.
        if self._write(RECORD, self.newest, message) and self._write(MARK, self.freed, b""):
            return
        self.fault = "the newest record can't be made safe"

    @property
    def oldest(self):
        """Lowest seq that can be read, freed or not; newest + 1 where there is none."""
        return self._ring.oldest or self.newest + 1

    @property
    def capacity(self):
        """Records of 320 bytes that the whole ring holds."""
        return (self._ring.count - KEPT_BACK) * ((SECTOR - FIRST) // extent(_USUAL))

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

    @property
    def erases(self):
        """Sectors erased since boot."""
        return self._sectors.erases

    @property
    def programs(self):
        """Flash programs since boot."""
        return self._sectors.programs

    def _refusal(self, size):
        ring = self._ring
        if ring.spare < KEPT_BACK:
            return "full"  # even where it fits: after it, the next boot may need a sector for its copy
        if ring.fits(size):
            return None
        if ring.spare == KEPT_BACK:
            return "full"
        return None if ring.fresh else "busy"

    def need_room(self):
        """Raises JournalFull or JournalFault where a record of the largest size would be refused now."""
        if self.fault:
            raise JournalFault(self.fault)
        refusal = self._refusal(LARGEST)
        if refusal:
            raise JournalFull(refusal)

    def append(self, seq, message):
        """Keep one record: one flash program, read back. When this returns, nothing may lose it.

        Raises JournalFull before anything is written, JournalFault where the flash failed three times: the same
        seq may then be on the flash, so nothing is appended any more until a reboot has looked.
        """
        if self.fault:
            raise JournalFault(self.fault)
        if seq != self.newest + 1:
            raise JournalError("record %d can't follow %d" % (seq, self.newest))
        if not 0 < len(message) <= LARGEST:
            raise JournalError("a record has 1 to %d bytes, not %d" % (LARGEST, len(message)))
        refusal = self._refusal(len(message))
        if refusal:
            raise JournalFull(refusal)
        if not self._write(RECORD, seq, message):
            self.fault = "the flash doesn't keep what is written"
            raise JournalFault(self.fault)
        self.newest_digest = sha256(message).digest()

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
            if self._sectors.put(block, ring.serial[block], offset, kind, number, message):
                self._written(kind, number, block, moved)
                return True
            ring.close()
        return False

    def _written(self, kind, number, block, moved):
        ring = self._ring
        if kind == MARK:
            self._marked, ring.marked = number, block
            moved = moved or number >= ring.turn
        else:
            self.newest, ring.home = number, block
            if not ring.low[block]:
                ring.low[block] = number
                moved = True
        if moved:
            ring.recount(self._marked, self.newest)

    def read(self, seq):
        """Bytes of a record, freed or not; None where the ring has it no more, or the flash lost it."""
        if not self.oldest <= seq <= self.newest:
            return None
        ring, sectors = self._ring, self._sectors
        for i in range(ring.count - 1, -1, -1):
            block = ring.order[i]
            low = ring.low[block]
            if not low or low > seq:
                continue
            offset = sectors.find(block, ring.serial[block], FIRST)
            while offset >= 0:
                if sectors.kind == RECORD and sectors.number == seq:
                    return bytes(sectors.message())
                offset = sectors.find(block, ring.serial[block], offset + sectors.size)
            if low < seq:  # copies of one record only stand in sectors that begin with it
                break
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
        while self._audit.step():
            pass
        return self._audit.missing()

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
        return self._audit.step()

    def _mark_due(self, now_ms):
        if self.freed <= self._marked:
            return False
        if self._marked_ms is None or now_ms - self._marked_ms >= _MARK_MS or self.freed == self.newest:
            return True
        return self.freed >= self._ring.turn and self._ring.spare <= KEPT_BACK + self._ring.ahead

    def _prepare(self):
        block = self._ring.next_to_prepare()
        if block < 0:
            return False
        self._ring.prepare(block, self.freed)
        self._ring.recount(self._marked, self.newest)
        return True
