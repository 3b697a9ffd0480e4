# Answers: authenticates what the bridge sends back, finds the scan that it answers, and says what to show.
import asyncio
from array import array

from micropython import const

from scanlatch.prove import cose, record

LIVE_MS = const(1500)  # WIRE: a verdict is live for the newest scan within this time
_PENDING_MS = const(60_000)  # the pending light ends by itself after this
_REMEMBERED = const(64)  # seqs whose shown verdict is remembered
_SYNC_MS = const(2000)  # a receipt sets the clock only where its head left less than this ago

NAMES = ("accepted", "rejected", "duplicate", "pending", "exempt", "error")
_PENDING = const(3)
_QUIET = (0, 4)  # accepted, exempt: nothing to look at afterwards
_REASON_VOIDED = const(23)
_OWN_PATTERNS = {5: "query_", 7: "void_", 8: "session_"}  # operations whose verdicts never look like a sale's


class Answers:
    """Verdicts and receipts of the bridge.

    keys: (kid of the bridge, MAC key); parts: (clock, journal, signer, indicator, health);
    on_freed(): the journal was freed further; on_alarm(): the journal has gone back, nothing may be scanned any more.
    """

    def __init__(self, keys, parts, on_freed, on_alarm):
        self._kid, self._mac_key = keys
        self._clock, self._journal, _, self._indicator, self._health = parts
        self._on_freed = on_freed
        self._on_alarm = on_alarm
        self._newest = 0  # the scan kept last since this boot, its operation, and when
        self._operation = 0
        self._kept_ms = 0
        self._waiting = False  # it was kept, and nothing was shown for it yet
        self._pending_since = None
        self._seqs = array("Q", bytes(8 * _REMEMBERED))
        self._final = bytearray(_REMEMBERED)
        self._wake = asyncio.Event()
        self.head = None  # (digest, sent at ms) of the last head sent on this connection

    def kept(self, seq, operation, online):
        """A scan was kept: from now on it is the one that a live verdict is for."""
        self._newest, self._operation = seq, operation
        self._kept_ms = self._clock.ms()
        self._end_pending()
        if online:
            self._waiting = True
        else:  # do not let the person wait for an answer that can't come
            self._begin_pending()
        self._wake.set()

    async def run(self, beat):
        """Shows "pending" where no answer came in time, and ends it again."""
        while True:
            beat()
            now = self._clock.ms()
            if self._waiting and now - self._kept_ms >= LIVE_MS:
                self._begin_pending()
            if self._pending_since is not None and now - self._pending_since >= _PENDING_MS:
                self._end_pending()
            left = self._kept_ms + LIVE_MS - now if self._waiting else 1000
            try:
                await asyncio.wait_for_ms(self._wake.wait(), max(left, 1))
            except asyncio.TimeoutError:
                pass
            self._wake.clear()

    def verdict(self, message):
        """Handle one message of topic `verdict`."""
        body = self._open(message, record.AAD_VERDICT)
        if body is None:
            return
        if not _is_verdict(body):
            self._health.count("malformed")
            return
        seq, outcome, final = body[2], body[4], body[7]
        if seq == 0 or self._journal.digest(seq) != body[3]:
            self._health.count("unmatched")
            return
        if body[8]:
            self._free(seq)
        if self._shown_before(seq, final):
            return
        self._health.count(NAMES[outcome])
        self._show(seq, outcome, body[5], final)

    def receipt(self, message):
        """Handle one message of topic `receipt`."""
        body = self._open(message, record.AAD_RECEIPT)
        if body is None:
            return
        if not _is_receipt(body):
            self._health.count("malformed")
            return
        self._synchronise(body[4], body.get(5))
        upto = body[2]
        if upto > self._journal.newest:
            self._health.count("receipt_alarms")
            self._on_alarm()
        elif upto > self._journal.freed:
            if self._journal.digest(upto) == body[3]:
                self._free(upto)
            else:
                self._health.count("receipt_alarms")

    def acknowledge(self, _arguments=None):
        """The person has seen that an earlier scan needs attention. A command, too."""
        self._indicator.hold("attention", False)
        return "ok"

    def _open(self, message, aad):
        try:
            return cose.open_mac0(message, aad, self._mac_key, self._kid)
        except cose.CoseError:
            self._health.count("mac_failures")
            return None

    def _free(self, upto):
        if upto > self._journal.freed:
            self._journal.free(upto)
            self._on_freed()

    def _synchronise(self, sent_at, head_digest):
        if self.head is None or head_digest != self.head[0]:
            return
        travelled = self._clock.ms() - self.head[1]
        self.head = None  # one head sets the clock once
        if travelled < _SYNC_MS:
            try:
                self._clock.synchronise(sent_at + travelled // 2)
            except ValueError:  # the bridge's own clock is wrong
                self._health.count("malformed")

    def _shown_before(self, seq, final):
        slot = seq % _REMEMBERED
        if self._seqs[slot] == seq and (self._final[slot] or not final):
            return True
        if seq >= self._seqs[slot]:  # an old one never displaces a newer
            self._seqs[slot] = seq
            self._final[slot] = final
        return False

    def _show(self, seq, outcome, reason, final):
        newest = seq == self._newest
        live = newest and self._clock.ms() - self._kept_ms <= LIVE_MS
        if not final:
            if live:
                self._begin_pending()
            return
        if newest:
            self._waiting = False
            self._end_pending()
        if live:
            self._indicator.show(_OWN_PATTERNS.get(self._operation, "") + NAMES[outcome])
        elif outcome not in _QUIET and reason != _REASON_VOIDED:
            self._indicator.hold("attention", True)

    def _begin_pending(self):
        self._waiting = False
        self._pending_since = self._clock.ms()
        self._indicator.show(_OWN_PATTERNS.get(self._operation, "") + NAMES[_PENDING])
        self._indicator.hold("pending", True)

    def _end_pending(self):
        self._pending_since = None
        self._indicator.hold("pending", False)


def _is_uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_digest(value):
    return isinstance(value, bytes) and len(value) == 32


def _is_verdict(body):
    # Keys 1 to 8, and 9 where there is a text.
    if not isinstance(body, dict) or len(body) != (9 if 9 in body else 8):
        return False
    for key in (1, 2, 4, 5, 6):
        if not _is_uint(body.get(key)):
            return False
    if 9 in body and not (isinstance(body[9], str) and 0 < len(body[9].encode()) <= 64):
        return False
    flags = isinstance(body.get(7), bool) and isinstance(body.get(8), bool)
    return (
        flags and body[1] == 1 and _is_digest(body.get(3)) and body[4] < len(NAMES) and body[7] == (body[4] != _PENDING)
    )


def _is_receipt(body):
    # Keys 1 to 4, and 5 where it answers a head.
    if not isinstance(body, dict) or len(body) != (5 if 5 in body else 4):
        return False
    for key in (1, 2, 4):
        if not _is_uint(body.get(key)):
            return False
    return body[1] == 1 and _is_digest(body.get(3)) and (5 not in body or _is_digest(body[5]))
