"""A raw device that keeps what nobody has receipted, and sends it again as WIRE.md "Delivery" says."""

import time
from collections.abc import Sequence

from scanlatch_tools.stage import Stage

from host_bridge import wire
from tests.system.raw_device import RawDevice

RESEND_S = 30.0  # WIRE.md "Delivery"
_IN_FLIGHT = 16
_POLL_S = 0.05


class PatientDevice(RawDevice):
    """One thread at a time calls it. `resend_s` below RESEND_S is a terminal in a hurry, for tests that kill often."""

    def __init__(self, stage: Stage, device: str, at: str, resend_s: float = RESEND_S) -> None:
        super().__init__(stage, device, at)
        self.unreceipted: dict[int, tuple[bytes, float]] = {}  # seq -> message, when the broker had it
        self.verdicts: dict[int, list[wire.Verdict]] = {}  # seq -> all that came, in order
        self.resent = 0
        self._resend_s = resend_s
        self._wait_s = resend_s
        self._resend_at: float | None = None
        self._read = 0

    def present(self, code: str, operation: wire.Operation = wire.Operation.SALE, **changed: object) -> int:
        """A record is kept and sent; gives its seq."""
        message = self.scan(code, operation, **changed)
        self.publish(message)
        self.unreceipted[self.seq] = message, time.monotonic()
        self.attend()
        return self.seq

    def attend(self) -> None:
        """Read what came, and send again what is due."""
        for verdict in self._news():
            self.verdicts.setdefault(verdict.seq, []).append(verdict)
            if verdict.kept:
                self._free(verdict.seq)
        self._send_again()

    def await_finals(self, timeout: float) -> float:
        """Until every record has its final verdict; gives the seconds that it took."""
        started = time.monotonic()
        while missing := [seq for seq in range(1, self.seq + 1) if self.final(seq) is None]:
            took = time.monotonic() - started
            assert took < timeout, f"{self.device}: no final verdict in {timeout} s on {missing[:20]} of {self.seq}"
            time.sleep(_POLL_S)
            self.attend()
        return time.monotonic() - started

    def final(self, seq: int) -> wire.Verdict | None:
        """The final verdict on a record, once it came."""
        return next((one for one in self.verdicts.get(seq, ()) if one.final), None)

    def outcomes(self, seqs: Sequence[int]) -> list[wire.Outcome | None]:
        """Final outcomes as this device was told them."""
        return [None if (one := self.final(seq)) is None else one.outcome for seq in seqs]

    def _news(self) -> list[wire.Verdict]:
        with self._changed:
            heard, self._read = self._heard[self._read :], len(self._heard)
        for topic, payload in heard:
            if topic.endswith("/receipt"):
                self._free(self.peer.open_receipt(payload).upto)
        return [self.peer.open_verdict(payload) for topic, payload in heard if topic.endswith("/verdict")]

    def _free(self, upto: int) -> None:
        covered = [seq for seq in self.unreceipted if seq <= upto]
        if not covered:
            return
        for seq in covered:
            del self.unreceipted[seq]
        self._wait_s, self._resend_at = self._resend_s, None
        self._again(self._overdue()[:_IN_FLIGHT])

    def _overdue(self) -> list[int]:
        before = time.monotonic() - self._resend_s
        return [seq for seq, (_, at) in sorted(self.unreceipted.items()) if at <= before]

    def _send_again(self) -> None:
        now, overdue = time.monotonic(), self._overdue()
        if not overdue or (self._resend_at is not None and now < self._resend_at):
            return
        self.publish(self.head(), "head")
        self._again(overdue[:1])
        self._resend_at = now + self._wait_s
        self._wait_s *= 2

    def _again(self, seqs: Sequence[int]) -> None:
        for seq in seqs:
            message, _ = self.unreceipted[seq]
            self.publish(message)
            self.unreceipted[seq] = message, time.monotonic()
            self.resent += 1
