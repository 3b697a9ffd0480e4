# Which record is to be published next: the new ones in order, and those that the bridge has not receipted.
from micropython import const

_WAIT_MS = const(30_000)  # WIRE "Delivery": after this a record without a receipt is published again
_WAIT_MAX_MS = const(600_000)
_CHECKPOINTS = const(32)  # times of acknowledgement that are remembered
_CHECKPOINT_MS = const(1_000)
_EARLY = const(32)  # acknowledgements remembered out of order; what is forgotten is published at its turn


class Resend:
    """The order of publishing. Knows seqs and times only; nothing here survives a restart, nor must it."""

    def __init__(self, journal, clock):
        self._journal = journal
        self._clock = clock
        self._next = 1  # next record to publish for the first time on this connection
        self._acked = 0  # all up to here were acknowledged by the broker since this boot
        self._early = set()  # acknowledged above `_acked`
        self._checkpoints = []  # [upto, ms]: all up to `upto` were acknowledged by then
        self._again = None  # [next, last] to be published once more
        self._freed_too = False  # of those, the ones that are freed as well
        self._wait_ms = _WAIT_MS
        self._due_ms = None  # when the oldest record without a receipt is published again
        self._turn = False

    def connected(self):
        """A new connection: go on after what the broker acknowledged in this boot."""
        self._early.clear()
        self._next = self._first_unacknowledged()

    def again(self, first, last, freed_too=True):
        """Publish all from `first` to `last` once more. freed_too: those as well that are receipted meanwhile."""
        first = max(first, self._journal.oldest)
        if self._again is not None:
            freed_too = freed_too or self._freed_too
            first, last = min(first, self._again[0]), max(last, self._again[1])
        if first <= last:
            self._again = [first, last]
            self._freed_too = freed_too

    def freed(self):
        """A receipt freed something: what was acknowledged long ago and is still not receipted goes again."""
        self._wait_ms = _WAIT_MS
        self._due_ms = None
        if self._again is not None and not self._freed_too:
            self._again[0] = max(self._again[0], self._journal.freed + 1)
            if self._again[0] > self._again[1]:
                self._again = None
        long_ago = 0
        now = self._clock.ms()
        for upto, ms in self._checkpoints:
            if now - ms > _WAIT_MS:
                long_ago = upto
        if long_ago > self._journal.freed:
            self._forget_times(long_ago, now)
            self.again(self._journal.freed + 1, long_ago, False)

    def next(self):
        """Seq to publish now, or None. Old and new take turns, so that a long resend never holds up a live scan."""
        new = self._next if self._next <= self._journal.newest else None
        if self._again is None:
            return new
        if new is not None and self._turn:
            return new
        return self._again[0]

    def sent(self, seq):
        """`seq`, from `next`, was written."""
        self._turn = not self._turn
        if self._again is not None and seq == self._again[0]:
            self._again[0] += 1
            if self._again[0] > self._again[1]:
                self._again = None
        if seq == self._next:
            self._next += 1

    def acknowledged(self, seq):
        """The broker has it."""
        ahead = seq - self._first_unacknowledged()
        if ahead < 0 or (ahead and len(self._early) >= _EARLY):
            return
        self._early.add(seq)
        while self._first_unacknowledged() in self._early:
            seq = self._first_unacknowledged()
            self._early.discard(seq)
            self._acked = seq
        self._checkpoint()

    def _first_unacknowledged(self):
        return max(self._journal.freed, self._acked) + 1

    def _checkpoint(self):
        now = self._clock.ms()
        points = self._checkpoints
        while points and points[0][0] <= self._journal.freed:
            points.pop(0)  # nobody asks about them any more
        if points and now - points[-1][1] < _CHECKPOINT_MS:
            points[-1][0] = self._acked
            return
        points.append([self._acked, now])
        if len(points) > _CHECKPOINTS:
            # Coarser: a record then counts as acknowledged later than it was. (MicroPython deletes no stepped slice.)
            self._checkpoints = points[::2]

    def _forget_times(self, upto, now):
        points = self._checkpoints
        while points and points[0][0] <= upto:
            points.pop(0)
        points.insert(0, [upto, now])

    def oldest_is_due(self):
        """Whether the oldest record without a receipt goes again now, behind a head: the bridge may have lost it."""
        oldest = self._journal.freed + 1
        if oldest > self._acked or self._again is not None:
            return False
        now = self._clock.ms()
        if self._due_ms is None:
            for upto, ms in self._checkpoints:
                if upto >= oldest:
                    self._due_ms = ms + self._wait_ms
                    break
        if self._due_ms is None or now < self._due_ms:
            return False
        self._wait_ms = min(2 * self._wait_ms, _WAIT_MAX_MS)
        self._due_ms = now + self._wait_ms
        self.again(oldest, oldest, False)
        return True
