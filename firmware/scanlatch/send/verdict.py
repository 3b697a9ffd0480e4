# Answers: authenticates what the bridge sends back, finds the scan that it answers, and says what to show.
from array import array

from micropython import const

from scanlatch.prove import cose, record

_LIVE_MS = const(1500)  # WIRE: a verdict is live for the newest scan within this time
_PENDING_MS = const(60_000)  # the pending light ends by itself after this
_REMEMBERED = const(64)  # seqs whose shown verdict is remembered
_SYNC_MS = const(2000)  # a receipt sets the clock only where its head left less than this ago

_NAMES = ("accepted", "rejected", "duplicate", "pending", "exempt", "error")
_ACCEPTED = const(0)
_PENDING = const(3)
_EXEMPT = const(4)
_REASON_VOIDED = const(23)
_OWN_PATTERNS = {5: "query_", 7: "void_", 8: "session_"}  # operations whose verdicts never look like a sale's

# What keys 1, 2, 3, ... hold (WIRE "Verdict", "Receipt"); the last one is optional.
_VERDICT = (int, int, bytes, int, int, int, bool, bool, str)
_RECEIPT = (int, int, bytes, int, bytes)


class Answers:
    """Verdicts and receipts of the bridge.

    keys: of the bridge, see `opened`; parts: (clock, journal, signer, indicator, health);
    on_freed(): the journal was freed further; on_alarm(): the journal has gone back, nothing may be scanned any more.
    """

    def __init__(self, keys, parts, on_freed, on_alarm):
        self._keys = keys
        self._clock, self._journal, _, self._indicator, self._health = parts
        self._on_freed = on_freed
        self._on_alarm = on_alarm
        self._newest = 0  # the scan kept last since this boot, its operation, and when
        self._operation = 0
        self._kept_ms = 0
        self._waiting = False  # it was kept, and nothing was shown for it yet
        self._pending_since = None
        self.said = ""  # the pattern that the newest scan was answered with, here or by the bridge
        self.attention = False  # an earlier scan needs it
        self._shown = array("I", bytes(4 * _REMEMBERED))  # at seq % 64: seq // 64 + 1, and whether it was final
        # When the bridge surely was there: it answered this connection's head, or freed something, which what lay at
        # the broker can do but once. Who looks at it sets it back.
        self.heard = 0
        self.head = None  # (digest, sent at ms) of the last head sent on this connection

    def kept(self, seq, operation, online):
        """A scan was kept: from now on it is the one that a live verdict is for."""
        self._newest, self._operation = seq, operation
        self._kept_ms = self._clock.ms()
        self._waiting = online
        self.said = _OWN_PATTERNS.get(operation, "") + _NAMES[_PENDING]
        self._pending(not online)  # do not let the person wait for an answer that can't come

    def refused(self, pattern):
        """Another symbol was refused here: nothing more is shown of the scan before it, which could be taken for it."""
        self._newest = 0
        self._waiting = False
        self._pending(False)
        self.said = pattern

    def look(self):
        """Called many times a second: shows "pending" where no answer came in time, and ends it again."""
        now = self._clock.ms()
        if self._waiting and now - self._kept_ms >= _LIVE_MS:
            self._pending(True)
        if self._pending_since is not None and now - self._pending_since >= _PENDING_MS:
            self._pending(False)

    def verdict(self, message):
        """Handle one message of topic `verdict`."""
        body = self._opened(message, record.AAD_VERDICT, _VERDICT)
        if body is None:
            return
        seq = body[2]
        if body[4] >= len(_NAMES) or body[7] == (body[4] == _PENDING):
            self._health.count("malformed")
        elif seq == 0 or self._journal.digest(seq) != body[3]:
            self._health.count("unmatched")
        else:
            if body[8]:
                self._free(seq)
            self._show(seq, body[4], body[5], body[7])

    def receipt(self, message):
        """Handle one message of topic `receipt`."""
        body = self._opened(message, record.AAD_RECEIPT, _RECEIPT)
        if body is None:
            return
        if self.head is not None and body.get(5) == self.head[0]:
            self.heard = self._clock.ms()
            self._synchronise(body[4])
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
        self.attention = False
        self._indicator.hold("attention", False)
        return "ok"

    def _opened(self, message, aad, kinds):
        # What the message says, or None where it is not the bridge's or does not hold what it must.
        try:
            body = opened(message, aad, self._keys)
        except cose.CoseError:
            self._health.count("mac_failures")
            return None
        count = len(kinds)
        if count not in body:
            count -= 1
        right = len(body) == count and body.get(1) == 1
        for at in range(count):
            right = right and _is(kinds[at], body.get(at + 1))
        if not right:
            self._health.count("malformed")
            return None
        return body

    def _free(self, upto):
        if upto > self._journal.freed:
            self._journal.free(upto)
            self.heard = self._clock.ms()
            self._on_freed()

    def _synchronise(self, sent_at):
        travelled = self._clock.ms() - self.head[1]  # pyright: ignore
        self.head = None  # one head sets the clock once
        if travelled < _SYNC_MS:
            try:
                self._clock.synchronise(sent_at + travelled // 2)
            except ValueError:  # the bridge's own clock is wrong
                self._health.count("malformed")

    def _show(self, seq, outcome, reason, final):
        # Once for a seq, and once more where a final one follows a pending.
        slot = seq % _REMEMBERED
        shown = self._shown[slot]
        mark = (seq // _REMEMBERED + 1) << 1 | final
        if shown >= mark and shown >> 1 == mark >> 1:
            return
        self._shown[slot] = max(shown, mark)  # an old one never displaces a newer
        self._health.count(_NAMES[outcome])
        newest = seq == self._newest
        live = newest and self._clock.ms() - self._kept_ms <= _LIVE_MS
        if not final:
            if live:
                self._pending(True)
            return
        if newest:
            self._waiting = False
            self._pending(False)
            self.said = _OWN_PATTERNS.get(self._operation, "") + _NAMES[outcome]
        if live:
            self._indicator.show(self.said)
        elif outcome not in (_ACCEPTED, _EXEMPT) and reason != _REASON_VOIDED:
            self.attention = True
            self._indicator.hold("attention", True)

    def _pending(self, on):
        self._pending_since = None
        if on:
            self._waiting = False
            self._pending_since = self._clock.ms()
            self._indicator.show(self.said)
        self._indicator.hold("pending", on)


def opened(message, aad, keys):
    """The payload of a COSE_Mac0 of the bridge; keys: [kid, MAC key, what opens one of a new key or None].

    Raises CoseError.
    """
    kid, key, other = keys
    try:
        return cose.open_mac0(message, aad, key, kid)
    except cose.CoseError:
        if other is None:
            raise
        return other(message, aad)


def _is(kind, value):
    # An unsigned integer, a digest, a boolean, or a text for a display.
    if type(value) is not kind:
        return False
    if kind is int:
        return value >= 0
    if kind is bytes:
        return len(value) == 32
    return kind is bool or 0 < len(value.encode()) <= 64
