# The life of one scan, from framed bytes to "kept".
from micropython import const

from scanlatch.keep.journal import JournalError, JournalFull
from scanlatch.prove import cose, record
from scanlatch.read import trace_code

_RESCAN_MS = const(1500)  # the same symbol again within this time is a bounce of the trigger, not a scan
_DATA_MAX = const(512)  # WIRE: data, 1 .. 512 bytes


class Scanner:
    """Reads, proves and keeps. `on_frame` is what a scan engine's driver calls.

    identity: (device id, site) as text; terminal: anything with `.operation`, `.session()` and `.operator`;
    link: anything with `.online` and `.wake()`; answers: gets `.kept(seq, operation, online)`.
    """

    def __init__(self, identity, boot, terminal, parts, link, answers, rules, rescan_ms=None):
        self._device, self._site = identity
        self._kid = self._device.encode()
        self._boot = boot
        self._terminal = terminal
        self._clock, self._journal, self._signer, self._indicator, self._health = parts
        self._link = link
        self._answers = answers
        self._rules = rules
        self._rescan_ms = _RESCAN_MS if rescan_ms is None else rescan_ms
        self._last_data = b""
        self._last_ms = 0
        self.fault = None  # why nothing may be scanned: "store", "journal", "journal went back"

    def on_frame(self, symbology, data):
        """One symbol was read. `symbology`: AIM identifier or ""; `data`: bytes without it and without line ending."""
        self._indicator.show("read")
        self._health.count("read")
        kind, family = trace_code.classify(symbology, data, self._rules)
        if kind != trace_code.TRACE or not 0 < len(data) <= _DATA_MAX:
            self._refuse_symbol(kind)
        elif self._bounced(data):
            self._health.count("bounced")
            self._indicator.show("bounce")
        else:
            self._keep(symbology, data, family)

    def _refuse_symbol(self, kind):
        # What was read is neither kept nor logged: it may be a person's.
        self._health.count("wrong_symbol")
        self._indicator.show(trace_code.PATTERNS.get(kind, "unknown_symbol"))

    def _bounced(self, data):
        now = self._clock.ms()
        bounced = data == self._last_data and now - self._last_ms < self._rescan_ms
        self._last_data, self._last_ms = data, now
        return bounced

    def _keep(self, symbology, data, family, operation=None, target=None):
        if self.fault is not None:
            self._health.count("refused_fault")
            self._indicator.show("fault_refused")
            return
        try:
            operation = self._terminal.operation if operation is None else operation
            self._append(symbology, data, family, operation, target)
        except JournalFull:
            self._health.count("refused_full")
            self._indicator.show("full")
            self._last_data = b""  # a refused scan may be tried again at once
            return
        except JournalError:
            self._health.count("refused_fault")
            self.fault = "journal"
            self._indicator.hold("fault", True)
            self._indicator.show("fault_refused")
            return
        self._health.count("kept")
        self._indicator.show("kept")
        self._answers.kept(self._journal.newest, operation, self._link.online)
        self._link.wake()

    def _append(self, symbology, data, family, operation, target):
        journal = self._journal
        journal.need_room()  # refused before a seq or a nonce is used
        captured_at, quality = self._clock.now()
        seq = journal.newest + 1
        payload = record.scan(
            seq,
            journal.newest_digest,
            captured_at,
            quality,
            self._boot,
            self._clock.ms(),
            operation,
            symbology,
            data,
            family,
            self._terminal.session(),
            self._terminal.operator,
            not self._link.online,
            self._site,
            target,
        )
        journal.append(seq, cose.sign1(self._kid, payload, record.AAD_SCAN, self._signer.sign))
