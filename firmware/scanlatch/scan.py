# The life of one scan, from framed bytes to "kept".
from micropython import const

from scanlatch import load
from scanlatch.keep.journal import JournalError, JournalFull
from scanlatch.prove import cose, hashes, record
from scanlatch.read import trace_code

_RESCAN_MS = const(1500)  # the same symbol again within this time is a bounce of the trigger, not a scan
_SALE = const(1)
_RETURN = const(2)  # sale and return: done at a window
_TORN = const(4)  # as in read.trace_code


class Scanner:
    """Reads, proves and keeps. `on_frame` is what a scan engine's driver calls.

    session: what is in force, a system.session.Session; link: anything with `.online` and `.wake()`; answers: gets
    `.kept(seq, operation, online)`, and `.refused(pattern)` of what can't be kept; aside(kind, symbology, data): takes
    control codes and credentials.
    """

    def __init__(self, settings, boot, session, parts, link, answers, aside):
        self._site = settings["site"]
        self._kid = settings["device"].encode()
        self._rules = settings.get("rules", {})
        self._rescan_ms = settings.get("rescan_ms", _RESCAN_MS)
        self._boot = boot
        self._session = session
        self._clock, self._journal, self._signer, self._indicator, self._health = parts
        self._link = link
        self._answers = answers
        self._aside = aside
        self._last = None  # digest of what was read last: it may be a person's
        self._last_ms = 0
        self.locked = False  # the site lets nobody sell in so long an outage
        self.fault = None  # why nothing may be scanned: "store", "journal", "journal went back"

    def on_frame(self, symbology, data):
        """One symbol was read. `symbology`: AIM identifier or ""; `data`: bytes without it and without line ending."""
        # The window counts from the last reading: a box left under the beam goes on bouncing, however long it lies
        # there, and is a scan again once it was away for that time.
        now = self._clock.ms()
        digest = hashes.sha256(data)
        before, before_ms = self._last, self._last_ms
        fresh = now - before_ms < self._rescan_ms
        bounced = digest == before and fresh
        self._last, self._last_ms = digest, now
        if bounced:
            self._health.count("bounced")
            self._indicator.show("bounce")
            return
        session = self._session
        session.used_ms = now
        self._indicator.show("read")
        self._health.count("read")
        kind, family = trace_code.classify(symbology, data, self._rules, session.operation <= _RETURN)
        if kind == trace_code.TRACE:
            self.keep(symbology, data, family, session.operation, None)
        elif kind == trace_code.CONTROL or kind == trace_code.CREDENTIAL:
            self._aside(kind, symbology, data)
        else:
            if kind == _TORN and fresh:  # no other code: it may be a part of the one before, which lies there still
                self._last, self._last_ms = before, before_ms
            # What was read is neither kept nor logged: it may be a person's.
            self._health.count("wrong_symbol")
            try:
                kinds = load("read.kinds")
            except (MemoryError, OSError):
                self._last = None  # it may be tried again at once
                self._say("busy")
                return
            self._health.count(kinds.COUNTERS[kind])
            self._say(kinds.PATTERNS[kind])

    def refuse(self, counter, pattern):
        """What was read can't be taken now; it may be tried again at once."""
        self._health.count(counter)
        self._say(pattern)
        self._last = None

    def _say(self, pattern):
        self._answers.refused(pattern)
        self._indicator.show(pattern)

    def keep(self, symbology, data, family, operation, target):
        """Make a record of it, prove and keep it. Returns whether it was kept; else the light says why not."""
        journal, clock, session = self._journal, self._clock, self._session
        if self.fault is not None:
            self.refuse("refused_fault", "fault_refused")
            return False
        if self.locked and operation == _SALE:
            self.refuse("refused_locked", "locked")
            return False
        try:
            journal.need_room()  # refused before a seq or a nonce is used
            captured_at, quality = clock.now()
            seq = journal.newest + 1
            payload = record.scan(
                seq,
                journal.newest_digest,
                captured_at,
                quality,
                self._boot,
                clock.ms(),
                operation,
                symbology,
                data,
                family,
                session.session(),
                session.operator,
                not self._link.online,
                self._site,
                target,
            )
            try:
                message = cose.sign1(self._kid, payload, record.AAD_SCAN, self._signer.sign)
            except (MemoryError, OSError):  # nothing was written: in a quiet moment there is room, and a pair
                self.refuse("refused_full", "busy")
                return False
            journal.append(seq, message)
        except JournalFull as error:
            self.refuse("refused_full", error.reason)  # "full" or "busy"
            return False
        except JournalError:
            self.fault = "journal"
            self._indicator.hold("fault", True)
            self.refuse("refused_fault", "fault_refused")
            return False
        except record.RecordError:  # the contract has no room for this symbol
            self._health.count("unknown")
            self.refuse("wrong_symbol", "unknown_symbol")
            return False
        self._health.count("kept")
        self._indicator.show("kept")
        self._answers.kept(seq, operation, self._link.online)
        self._link.wake()
        return True
