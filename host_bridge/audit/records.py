"""Holds one record of the ledger against its signed bytes, and against what is said to have followed from it."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge import trace_code
from host_bridge.audit.findings import Findings
from host_bridge.code_rules import DEFAULT
from host_bridge.config import Site
from host_bridge.ledger.audit import Books, Kept
from host_bridge.ledger.outbox import CANCELLED, DONE
from host_bridge.ledger.scans import pair_of
from host_bridge.ledger.times import GIVEN, HOW
from host_bridge.rules import CODELESS
from host_bridge.texts import text
from host_bridge.times import SKEW_MS
from host_bridge.trace_code import LINK
from host_bridge.wire import OpenedScan, Operation, Outcome, Scan, WireError, digest, open_scan

SETTLED = DONE, CANCELLED
_ASKED_FIRST = frozenset({Operation.SALE, Operation.RETURN, Operation.QUERY})  # accepted by the platform alone
_FROM_SCAN = ("operation", "site", "session", "target", "captured_at")
_TAKE_BACK = frozenset({Operation.VOID, Operation.RETURN})


class Records:
    """Checks the records of one device."""

    def __init__(
        self, books: Books, findings: Findings, device: str, key: ec.EllipticCurvePublicKey, sites: Mapping[str, Site]
    ) -> None:
        self._books = books
        self._findings = findings
        self._device = device
        self._key = key
        self._sites = sites

    def evidence(self, row: Kept) -> OpenedScan | None:
        """What the bytes of a record claim; None where they claim nothing, and then that is a finding."""
        found = digest(row.message)
        if found != row.digest:
            self._add("bytes", row, text("its bytes are not those that its digest names"))
        try:
            claim = open_scan(row.message, self._device, self._key)
        except WireError as error:
            self._add("signature", row, text("does not verify under the registered key: {error}", error=error))
            return None
        if claim.seq != row.seq:
            self._add("columns", row, text("its signed bytes say that it is record {seq}", seq=claim.seq))
        elif wrong := self._differing(row, claim):
            self._add(
                "columns", row, text("the ledger's {wrong} is not what its signed bytes say", wrong=", ".join(wrong))
            )
        self._timed(row)
        return claim

    def _timed(self, row: Kept) -> None:
        """The time that the bridge worked out must be one; what came before there were such times has none."""
        at, by = row.corrected_at, row.corrected_by
        if at is None and by is None:
            return
        if at is None or by not in HOW:
            self._add("time", row, text("was captured at {at}, which is known by {by!r}", at=at, by=by))
        elif by == GIVEN and at != row.captured_at:
            self._add("time", row, text("has another time than the terminal gave, and is said to have that"))
        elif at > row.received_at + SKEW_MS:
            self._add("time", row, text("is said to be captured after it came"))

    def followed(self, row: Kept) -> None:
        """Verdict, submission and what took it back must explain each other."""
        if row.outcome is None:
            if row.final is not None or row.submission is not None:
                self._add("verdict", row, text("has a final verdict or a submission, but no first verdict"))
        elif row.outcome == Outcome.PENDING:
            self._pending(row)
        else:
            self._final_at_once(row)
        if row.submission is not None:
            if row.submitted != row.digest:
                self._add("submission", row, text("its submission names other bytes"))
            if row.code is not None and row.submitted_code != row.code:
                self._add(
                    "submission",
                    row,
                    text(
                        "its submission is about {submitted_code}, it about {code}",
                        submitted_code=row.submitted_code,
                        code=row.code,
                    ),
                )
        if row.voided_by is not None:
            self._taken_back(row, row.voided_by)

    def _pending(self, row: Kept) -> None:
        if row.submission is None:
            self._add(
                "submission", row, text("waits for the platform's answer, but there is no submission to bring one")
            )
        elif row.final is not None and row.submission not in SETTLED:
            self._add(
                "verdict",
                row,
                text("has a final verdict, though its submission is {submission}", submission=row.submission),
            )
        elif row.final == Outcome.ACCEPTED and row.submission == CANCELLED and row.operation in _ASKED_FIRST:
            self._add("submission", row, text("was accepted, though the platform was never told of it"))
        elif row.final is None and row.submission in SETTLED and row.voider in (None, *SETTLED):
            self._add(
                "verdict",
                row,
                text("its submission is {submission}, but its final verdict is missing", submission=row.submission),
            )

    def _final_at_once(self, row: Kept) -> None:
        if row.submission is not None:
            self._add("submission", row, text("was final at once, but the platform was told of it"))
        if row.final is not None:
            self._add("verdict", row, text("was final at once, but has another final verdict"))
        if row.outcome == Outcome.ACCEPTED and row.operation in _ASKED_FIRST:
            self._add("submission", row, text("was accepted without the platform's answer"))

    def _taken_back(self, row: Kept, by: str) -> None:
        pair = pair_of(by)
        taker = self._books.find(*pair) if pair else None
        if taker is None or taker.operation not in _TAKE_BACK:
            self._add(
                "submission", row, text("is said to be taken back by {by}, which is no void and no return here", by=by)
            )

    def _differing(self, row: Kept, claim: OpenedScan) -> list[str]:
        """Names of the columns that are not what the signed bytes say."""
        scan = claim.scan
        said: dict[str, object] = {"prev": claim.prev}
        for name in _FROM_SCAN:
            said[name] = getattr(scan, name, None)
        said["code"] = self._code(scan, row) if scan is not None else None
        return [name for name, value in said.items() if getattr(row, name) != value]

    def _code(self, scan: Scan, row: Kept) -> str | None:
        if scan.operation in CODELESS:
            return None
        if scan.family == LINK:  # where in a link the code stands is the site's setting, which may have changed
            return row.code
        site = self._sites.get(scan.site)
        return trace_code.canonical(scan.family, scan.data, site.codes if site else DEFAULT)

    def _add(self, kind: str, row: Kept, what: str) -> None:
        self._findings.add(kind, self._device, what, row.seq)
