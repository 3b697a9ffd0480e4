# The life of one scan, from framed bytes to "kept".
from micropython import const

from scanlatch.keep.journal import JournalError, JournalFull
from scanlatch.prove import cose, record
from scanlatch.read import trace_code

_RESCAN_MS = const(1500)  # the same symbol again within this time is a bounce of the trigger, not a scan


class Scanner:
    """Reads, proves and keeps. `on_frame` is what a scan engine's driver calls.

    terminal: anything with `.operation`, `.session()` and `.operator`; link: anything with `.online` and `.wake()`;
    answers: gets `.kept(seq, operation, online)`.
    """

    def __init__(self, settings, boot, terminal, parts, link, answers):
        self._site = settings["site"]
        self._kid = settings["device"].encode()
        self._rules = settings.get("rules", {})
        self._rescan_ms = settings.get("rescan_ms", _RESCAN_MS)
        self._boot = boot
        self._terminal = terminal
        self._clock, self._journal, self._signer, self._indicator, self._health = parts
        self._link = link
        self._answers = answers
        self._last_data = b""
        self._last_ms = 0
        self.fault = None  # why nothing may be scanned: "store", "journal", "journal went back"

    def on_frame(self, symbology, data):
        """One symbol was read. `symbology`: AIM identifier or ""; `data`: bytes without it and without line ending."""
        # A symbol that stays under the beam goes on bouncing, however long it lies there.
        now = self._clock.ms()
        bounced = data == self._last_data and now - self._last_ms < self._rescan_ms
        self._last_data, self._last_ms = data, now
        if bounced:
            self._health.count("bounced")
            self._indicator.show("bounce")
            return
        self._indicator.show("read")
        self._health.count("read")
        kind, family = trace_code.classify(symbology, data, self._rules)
        if kind != trace_code.TRACE:
            # What was read is neither kept nor logged: it may be a person's.
            self._health.count("wrong_symbol")
            self._indicator.show(trace_code.PATTERNS[kind])
        elif self.fault is not None:
            self._refuse("refused_fault", "fault_refused")
        else:
            self._keep(symbology, data, family)

    def _refuse(self, counter, pattern):
        self._health.count(counter)
        self._indicator.show(pattern)
        self._last_data = b""  # may be tried again at once

    def _keep(self, symbology, data, family):
        journal, clock, terminal = self._journal, self._clock, self._terminal
        operation = terminal.operation
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
                terminal.session(),
                terminal.operator,
                not self._link.online,
                self._site,
                None,
            )
            try:
                message = cose.sign1(self._kid, payload, record.AAD_SCAN, self._signer.sign)
            except (MemoryError, OSError):  # nothing was written: in a quiet moment there is room, and a pair
                self._refuse("refused_full", "busy")
                return
            journal.append(seq, message)
        except JournalFull as error:
            self._refuse("refused_full", error.reason)  # "full" or "busy"
            return
        except JournalError:
            self.fault = "journal"
            self._indicator.hold("fault", True)
            self._refuse("refused_fault", "fault_refused")
            return
        except record.RecordError:  # the contract has no room for this symbol
            self._refuse("wrong_symbol", "unknown_symbol")
            return
        self._health.count("kept")
        self._indicator.show("kept")
        self._answers.kept(seq, operation, self._link.online)
        self._link.wake()
