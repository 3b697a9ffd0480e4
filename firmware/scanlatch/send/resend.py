# Which record is to be published next: the new ones in order, and those that the bridge has not receipted.
from micropython import const

_WAIT_MS = const(30_000)  # WIRE "Delivery": after this a record without a receipt is published again
_WAIT_MAX_MS = const(600_000)
_TIMES = const(32)  # times of acknowledgement that are remembered
_TIME_MS = const(1_000)
# Records on their way without a receipt. After an outage many terminals have a full ring: so few of each that a scan
# anywhere is not long behind them, and enough that a bridge always has some.
_AHEAD = const(8)
_EARLY = const(24)  # how far ahead of the oldest an acknowledgement is remembered: 16 in flight, and a small int


class Resend:
    """The order of publishing. Knows seqs and times only; nothing here survives a restart, nor must it."""

    def __init__(self, journal, clock):
        self._journal = journal
        self._clock = clock
        self._next = 1  # next record to publish for the first time on this connection
        self._acked = 0  # all up to here were receipted, or acknowledged by the broker since this boot
        self._early = 0  # acknowledged above that: bit 0 is the record behind `_acked`
        self._times = []  # upto, ms, upto, ms, ...: all up to `upto` were acknowledged by then
        self._again = 0  # from here to `_last` all are to be published once more, where it is not 0
        self._last = 0
        self._freed_too = False  # of those, the ones that are freed as well
        self._wait_ms = _WAIT_MS
        self._due_ms = None  # when the oldest record without a receipt is published again
        self._turn = False
        self._more = 0  # of records ahead: one for each that is lost, and each time that the oldest went again

    def connected(self):
        """A new connection: go on after what the broker acknowledged in this boot."""
        self._early = 0  # what is forgotten here is published at its turn
        self._acked = max(self._acked, self._journal.freed)
        self._next = self._acked + 1

    def again(self, first, last, freed_too=True):
        """Publish all from `first` to `last` once more. freed_too: those as well that are receipted meanwhile."""
        first = max(first, self._journal.oldest)
        if self._again:
            freed_too = freed_too or self._freed_too
            first, last = min(first, self._again), max(last, self._last)
        if first <= last:
            self._again, self._last = first, last
            self._freed_too = freed_too

    def freed(self):
        """A receipt freed something: what was acknowledged long ago and is still not receipted goes again."""
        freed = self._journal.freed
        if freed > self._acked:
            self._early >>= freed - self._acked
            self._acked = freed
            if self._early & 1:
                self.acknowledged(freed + 1)  # it was, before its turn
        self._wait_ms = _WAIT_MS
        self._due_ms = None
        self._more = 0
        if self._again and not self._freed_too:
            self._go_on(max(self._again, freed + 1))
        long_ago = 0
        now = self._clock.ms()
        times = self._times
        for at in range(0, len(times), 2):
            if now - times[at + 1] > _WAIT_MS:
                long_ago = times[at]
        if long_ago > freed:
            self._forget_times(long_ago)
            times[:0] = (long_ago, now)
            self.again(freed + 1, long_ago, False)

    def next(self):
        """Seq to publish now, or None. Old and new take turns, so that a long resend never holds up a live scan."""
        journal, new = self._journal, self._next
        if new > min(journal.newest, journal.freed + _AHEAD + self._more):
            new = None
        if not self._again or (new is not None and self._turn):
            return new
        return self._again

    def sent(self, seq):
        """`seq`, from `next`, was written."""
        self._turn = not self._turn
        if seq == self._again:
            self._go_on(seq + 1)
        if seq == self._next:
            self._next += 1

    def lost(self, seq):
        """`seq`, from `next`, is there no more: no receipt will name it, so those behind don't wait for one."""
        self.sent(seq)
        self.acknowledged(seq)
        self._more += 1

    def _go_on(self, seq):
        self._again = seq if seq <= self._last else 0

    def acknowledged(self, seq):
        """The broker has it."""
        ahead = seq - self._acked - 1
        if not 0 <= ahead < _EARLY:
            return
        self._early |= 1 << ahead
        while self._early & 1:
            self._early >>= 1
            self._acked += 1
        now = self._clock.ms()
        times = self._times
        self._forget_times(self._journal.freed)  # nobody asks about them any more
        if times and now - times[-1] < _TIME_MS:
            times[-2] = self._acked
            return
        times += (self._acked, now)
        if len(times) > 2 * _TIMES:
            # Coarser: a record then counts as acknowledged later than it was. (MicroPython deletes no stepped slice.)
            for at in range(len(times) // 4 * 4 - 2, 0, -4):
                del times[at : at + 2]

    def _forget_times(self, upto):
        while self._times and self._times[0] <= upto:
            del self._times[:2]

    def oldest_is_due(self):
        """Whether the oldest record without a receipt goes again now, behind a head: the bridge may have lost it."""
        oldest = self._journal.freed + 1
        if oldest > self._acked or self._again:
            return False
        now = self._clock.ms()
        times = self._times
        if self._due_ms is None:
            for at in range(0, len(times), 2):
                if times[at] >= oldest:
                    self._due_ms = times[at + 1] + self._wait_ms
                    break
        if self._due_ms is None or now < self._due_ms:
            return False
        self._wait_ms = min(2 * self._wait_ms, _WAIT_MAX_MS)
        self._due_ms = now + self._wait_ms
        self.again(oldest, oldest, False)
        self._more += 1
        return True
